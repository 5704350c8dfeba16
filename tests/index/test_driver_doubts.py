"""Drivers that something speaks against are not praised without it: sign, HTMT, both languages."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.index.driver_doubts import driver_doubts

MODEL = csi.Model.from_syntax(
    "A =~ a1 + a2\nB =~ b1 + b2\nS =~ s1 + s2\nL =~ l1 + l2\nS ~ A + B\nL ~ S"
)


def _survey(a, b, noise, alike=0.0):
    """Answers of 600 people; cor(A, B) = .8, S = a A + b B + noise, and A answered like S."""
    rng = np.random.default_rng(5)
    first = rng.standard_normal(600)
    second = 0.8 * first + 0.6 * rng.standard_normal(600)
    target = a * first + b * second + noise * rng.standard_normal(600)
    first = first + alike * target
    after = target + rng.standard_normal(600)
    columns = {}
    for name, latent in (("a", first), ("b", second), ("s", target), ("l", after)):
        latent = latent / latent.std()
        for item in (1, 2):
            own = 5.5 + 1.8 * latent + 0.5 * rng.standard_normal(600)
            columns[f"{name}{item}"] = np.clip(own.round(), 1, 10)
    return csi.read_survey(pd.DataFrame(columns), scale=(1, 10))


SURVEYS = {
    "plain": (_survey(0.8, 0.0, 0.9), None),
    "against": (_survey(0.5, -0.9, 0.4), (True, False)),
    "alike": (_survey(0.9, 0.0, 0.3), (False, True)),
}


@pytest.fixture(scope="module", params=SURVEYS)
def own(request):
    survey, kind = SURVEYS[request.param]
    analysis = csi.analyze(survey, MODEL, target="S", draws=100, rng=1, progress=False)
    return request.param, kind, analysis


def test_doubts_are_signs_and_ratios_of_the_fit(own):
    _, kind, analysis = own
    fit, doubt = analysis.fit, analysis.doubt
    assert (None if doubt is None else doubt.kind) == kind
    if doubt is None:
        return
    assert (doubt.driver, doubt.target) == ("A", "S")
    assert doubt.effect > 0
    assert_allclose(doubt.correlation, fit.construct_cor.loc["S", "A"])
    assert_allclose(doubt.htmt, analysis.assessment.htmt.loc[("S", "A"), "estimate"])
    assert doubt.against == (fit.construct_cor.loc["S", "A"] < 0)


def test_the_first_driver_is_praised_in_one_sentence_with_what_speaks_against_it(own):
    _, kind, analysis = own
    for language, words in (
        ("en", {"against": "correlate the other way", "alike": "HTMT cannot tell"}),
        ("zh", {"against": "相关方向相反", "alike": "HTMT无法"}),
    ):
        with csi.language(language):
            lead = next(
                line for line in _sentences(analysis) if "A" in line and analysis.target in line
            )
            tile = _tile(analysis)
            for place, name in enumerate(("against", "alike")):
                said = kind is not None and kind[place]
                assert (words[name] in lead) == said, lead
                assert (words[name] in tile) == said, tile


def _sentences(analysis):
    from csimodel.report import sentences

    return sentences.drivers(analysis)


def _tile(analysis):
    from csimodel.report.page import _tiles

    return " ".join(_tiles(analysis)[0])


def test_the_test_of_all_drivers_lifts_no_reservation(own):
    _, kind, analysis = own
    leader = analysis.leading_driver
    assert leader.group == "A"
    assert leader.distinct
    assert (leader.doubt is None) == (kind is None)
    told = _sentences(analysis)[1]
    assert ("does not lift this reservation" in told) == (kind is not None)
    if kind is None:
        assert leader.headline == "The effect of A on S differs from those of all other drivers."
    else:
        assert leader.headline.startswith("The effect of A on S differs from those of all other")
        assert ("another sign than their correlation (−" in leader.headline) == kind[0]
        assert ("HTMT cannot tell the two apart" in leader.headline) == kind[1]


CODES = {"against": "effect-against-correlation", "alike": "driver-not-told-apart"}


def test_changes_of_doubtful_drivers_are_pointed_out(own):
    name, _, analysis = own
    fit = analysis.fit
    today = csi.index_scores(fit)["mean"]["S"]
    goal = csi.goal_seek(fit, "S", at=today + 1, drivers="A", draws=20)
    for found in (csi.what_if(fit, {"A": 2}).findings, goal.findings):
        codes = {own.code for own in found} & set(CODES.values())
        assert codes == ({CODES[name]} if name in CODES else set())
    assert not csi.what_if(fit, {"A": 0}).findings
    reached = csi.goal_seek(fit, "S", at=today - 1, drivers="A", draws=20)
    assert not reached.findings  # nothing is changed


def test_an_interval_of_htmt_that_holds_one_is_a_doubt():
    survey, _ = SURVEYS["plain"]
    fit = csi.fit(MODEL, survey)
    table = csi.assess(fit).htmt.assign(upper=0.95)
    assert driver_doubts(fit, "S", table) == []
    (doubt,) = driver_doubts(fit, "S", table.assign(upper=[1.02 if own == ("S", "A") else 0.9 for own in table.index]))  # fmt: skip
    assert doubt.kind == (False, True)
    assert doubt.fields["htmt"] == f"{doubt.htmt:.2f}, up to 1.02"


def test_a_driver_formed_by_its_items_is_not_judged_by_htmt():
    survey, _ = SURVEYS["alike"]
    formed = csi.Model.from_syntax(MODEL.to_syntax().replace("A =~", "A <~"))
    assert [own.driver for own in driver_doubts(csi.fit(MODEL, survey), "S")] == ["A"]
    assert driver_doubts(csi.fit(formed, survey), "S") == []


def test_constructs_of_constructs_have_signs():
    survey, _ = SURVEYS["against"]
    text = MODEL.to_syntax().replace("S ~ A + B", "W =~ A + B\nS ~ W")
    fit = csi.fit(csi.Model.from_syntax(text), survey)
    for doubt in driver_doubts(fit, "S"):
        assert doubt.effect * doubt.correlation < 0
