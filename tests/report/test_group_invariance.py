"""A report that shows groups side by side says whether they may be compared."""

import numpy as np
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.report.group_invariance import invariance_of_groups

MODEL = csi.Model.from_syntax(
    "Image =~ IMAG1 + IMAG2 + IMAG3\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\nSatisfaction ~ Image"
)


@pytest.fixture(scope="module")
def survey(mobi):
    rng = np.random.default_rng(3)
    data = mobi.data.assign(half=np.where(rng.random(250) < 0.5, "x", "y"), firm=np.arange(250) % 9)
    turned = (data["half"] == "x") & (rng.random(250) < 0.95)
    data["IMAG2"] = data["IMAG2"].where(~turned, 11 - data["IMAG1"])
    return csi.read_survey(data.assign(one="a"), scale=(1, 10))


def codes(found):
    assert all(row_of(finding) for finding in found)
    return [finding.code for finding in found]


def test_an_analysis_by_group_tells_what_may_be_compared(survey):
    found = csi.analyze(survey, MODEL, draws=30, by="half", progress=False)
    (told,) = [finding for finding in found.warned if finding.code == "no-invariance"]
    assert (told.subjects, told.severity) == (("Image",), "warning")
    assert "Composites are not formed alike in the groups: Image" in str(found.summary()).replace(
        "\n", " "
    )


@pytest.mark.parametrize(
    ("by", "estimator", "expected"),
    [
        ("firm", None, ["invariance-untested"]),
        ("half", csi.ML(), ["invariance-untested"]),
        ("one", None, []),
        ("half", None, ["full-invariance", "no-invariance"]),
    ],
)
def test_what_is_not_tested_is_said(survey, by, estimator, expected):
    fit = csi.fit(MODEL, survey, estimator)
    assert codes(invariance_of_groups(fit, by, 0.95)) == expected
