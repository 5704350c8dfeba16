"""Regressions of outcomes from a scan: the numbers and sentences of those in memory."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal

import csimodel as csi
from csimodel.errors import EstimationError, ModelError, OptionError, SurveyError
from csimodel.outcomes.rows import scanned_rows
from csimodel.survey.scanning import files, pair_sums
from csimodel.survey.scanning.buckets import bucket_codes

MODEL = csi.models.ecsi()
ITEMS = dict.fromkeys(MODEL.items, (1, 10))
DESIGN = {"weights": "w", "strata": "stratum", "cluster": "psu"}
DESIGNS = [
    {}, {"weights": "w"}, {"strata": "stratum"}, {"weights": "w", "strata": "stratum"},
    {"cluster": "psu"}, {"weights": "w", "cluster": "psu"}, DESIGN,
]  # fmt: skip


def answers(rows=500):
    """Return real answers drawn anew, with an outcome, a control, a design, and gaps."""
    rng = np.random.default_rng(1)
    frame = csi.load_mobi().data.sample(rows, replace=True, random_state=1)
    frame = frame.reset_index(drop=True).astype("float64")
    frame["again"] = (rng.random(rows) < 1 / (1 + np.exp((7 - frame["CUSA1"]) / 2))).astype(float)
    frame["age"] = rng.integers(2, 8, rows) * 10.0
    frame["w"] = rng.uniform(0.5, 2.0, rows)
    frame["stratum"] = rng.integers(0, 4, rows)
    frame["psu"] = rng.integers(0, 25, rows)
    frame.loc[[8, 401], "IMAG1"] = np.nan
    frame.loc[[3, 450], "w"] = [0.0, np.nan]
    frame.loc[[20, 33], "again"] = np.nan
    frame.loc[21, "age"] = np.nan
    return frame


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(files, "ROWS", 64)
    monkeypatch.setattr(pair_sums, "_PAIRS", 50)


def both(tmp_path, design, frame=None):
    """Return fits of the same answers in memory and in files."""
    frame = answers() if frame is None else frame
    options = {"scale": ITEMS, "missing": "listwise", **design}
    for place, rows in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[rows].to_parquet(tmp_path / f"part{place}.parquet", index=False)
    here = csi.fit(MODEL, csi.read_survey(frame, **options))
    return here, csi.fit(MODEL, csi.scan(tmp_path, **options))


def same(there, here):
    """Compare results of all kinds, to what rounding of differences leaves."""
    assert there.n == here.n
    pairs = [(rep.coefficients, rep.average_marginal_effects) for rep in (there, here)]
    pairs += [(rep.contrast(60, 70), rep.predict([40.0, 90.0])) for rep in (there, here)]
    for one, other in (*zip(*pairs[:2], strict=True), *zip(*pairs[2:], strict=True)):
        assert_frame_equal(one, other, rtol=2e-8, atol=1e-12)
    assert_allclose(there.elasticity().se, here.elasticity().se, rtol=2e-8)
    assert [str(f) for f in there.findings] == [str(f) for f in here.findings]
    assert str(there.summary()) == str(here.summary())


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("controls", [(), ["age"]])
def test_errors_by_design_are_those_in_memory(tmp_path, design, controls):
    here, there = both(tmp_path, design)
    for errors in (None, "HC0", "HC1", "linearized", "cluster", "CR2", "nonrobust"):
        options = {"family": "logit", "errors": errors, "controls": controls}
        refusals = [refusal(fit, options) for fit in (here, there)]
        assert refusals[0] == refusals[1]
        if refusals[0] is None:
            same(
                csi.repurchase(there, "again", **options), csi.repurchase(here, "again", **options)
            )


def test_twenty_thousand_rows_have_the_errors_of_those_in_memory(tmp_path, monkeypatch):
    """The index by firm with errors by design, and a logit with the errors of the whole chain."""
    monkeypatch.setattr(files, "ROWS", 4096)
    frame = answers(20_000).assign(psu=lambda own: own.index // 10)
    frame["firm"] = np.random.default_rng(2).integers(0, 30, len(frame))
    frame["bucket"] = bucket_codes(frame["psu"], 40)
    here, there = both(tmp_path, DESIGN, frame)
    with csi.findings.collected():
        tables = [csi.index_scores(fit, by="firm") for fit in (there, here)]
    assert_frame_equal(*tables, rtol=1e-8)
    options = {"scale": ITEMS, "missing": "listwise", "weights": "w"}
    fits = [
        csi.fit(MODEL, csi.scan(tmp_path, **options, cluster="psu", buckets=40)),
        csi.fit(MODEL, csi.read_survey(frame, **options, cluster="bucket")),
    ]
    draws = [csi.bootstrap(fit, 60, rng=1, progress=False) for fit in fits]
    chain = [
        csi.repurchase(fit, "again", family="logit", bootstrap=own, progress=False)
        for fit, own in zip(fits, draws, strict=True)
    ]
    assert chain[0].n == chain[1].n > 19_000
    assert_frame_equal(chain[0].coefficients, chain[1].coefficients, rtol=1e-8, atol=1e-12)
    effects = [own.average_marginal_effects for own in chain]
    assert_frame_equal(*effects, rtol=1e-8, atol=1e-12)


def refusal(fit, options):
    """Return why a regression is refused, or None."""
    try:
        csi.repurchase(fit, "again", **options)
    except OptionError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "family", ["probit", "cloglog", "ols", "wls", "fractional-logit", "fractional-probit"]
)
def test_families_are_those_in_memory(tmp_path, family):
    here, there = both(tmp_path, {"weights": "w", "strata": "stratum"})
    options = {"family": family, "index": ["Satisfaction", "Image"], "controls": "age"}
    same(csi.repurchase(there, "again", **options), csi.repurchase(here, "again", **options))


def test_an_item_of_the_model_with_codes_may_be_the_outcome(tmp_path):
    frame = answers()
    frame.loc[[5, 6], "CUSL1"] = 99
    options = {"missing_codes": {"CUSL1": 99}, "reverse": ["CUSL3"], "cluster": "psu"}
    here, there = both(tmp_path, options, frame)
    same(csi.repurchase(there, "CUSL1"), csi.repurchase(here, "CUSL1"))
    same(csi.repurchase(there, "CUSL3"), csi.repurchase(here, "CUSL3"))
    frame = answers().assign(points=lambda own: own["age"] / 10)
    here, there = both(tmp_path, {}, frame)
    own = [csi.repurchase(fit, "points", scale=(1, 10)) for fit in (here, there)]
    same(own[1], own[0])


def test_one_group_is_refused(tmp_path):
    _, there = both(tmp_path, {"cluster": "psu"})
    one = csi.fit_groups(MODEL, there.scanned.scan, "age")[30.0]
    with pytest.raises(SurveyError, match=r"one group of a scan .*scan\.sample\("):
        csi.repurchase(one, "again")


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"outcome": pd.Series([1.0])}, OptionError, r"outcome= is given as values.*scan\.sample"),
        ({"outcome": "agian"}, SurveyError, r"Outcome 'agian' is not .*mean 'again'"),
        ({"controls": ["agee"]}, SurveyError, r"Control 'agee' is not .*mean 'age'"),
        ({"controls": pd.Series([1.0])}, OptionError, "controls= is given as values"),
        ({"controls": ["age", "Satisfaction"]}, SurveyError, "'Satisfaction'"),
        ({"index": "Satisfactio"}, ModelError, "mean 'Satisfaction'"),
        ({"index": np.ones(3)}, OptionError, "index= is given as values"),
        ({"index": []}, OptionError, "must name one construct"),
        ({"formula": "again ~ index"}, OptionError, r"formula= needs the respondents in memory"),
        ({"family": "ordered-logit"}, OptionError, r"'ordered-logit' looks at respondents one by"),
        ({"errors": "HC3"}, OptionError, r"errors='HC3' leaves out .*scan\.sample"),
        ({"weights": "w"}, OptionError, "weights= needs"),
        ({"cut": 1.0}, OptionError, "cut= needs"),
        ({"outcome": None}, OptionError, "There is no outcome"),
        ({"outcome": "age"}, SurveyError, "scale of outcome 'age' is unknown"),
        ({"outcome": "name"}, SurveyError, "'name' holds the text"),
        ({"outcome": "none"}, SurveyError, "Outcome 'none' is missing for all 500 respondents"),
        ({"outcome": "endless"}, SurveyError, "Outcome 'endless' holds 250 infinite values"),
        ({"outcome": "one"}, EstimationError, "'one' is the same for all 500 respondents used"),
        ({"controls": "one"}, EstimationError, "'one' does not vary over the 49"),
        ({"controls": ["age", "twice"]}, EstimationError, "tied by an exact formula"),
        ({"outcome": "age", "scale": (30, 70)}, SurveyError, r"holds \d\d values outside its"),
    ],
)
def test_what_cannot_be_had_is_refused(options, error, match):
    frame = answers().fillna(dict.fromkeys(["w", *MODEL.items], 5.0))
    frame = frame.assign(name="a", none=np.nan, one=1.0, twice=2 * frame["age"])
    frame["endless"] = np.where(np.arange(500) % 2, np.inf, 1.0)
    fit = csi.fit(MODEL, csi.scan(pa.Table.from_pandas(frame), scale=ITEMS))
    with csi.findings.collected(), pytest.raises(error, match=match):
        csi.repurchase(fit, **{"outcome": "again", "family": "fractional-logit", **options})


def test_too_many_that_differ_are_refused(tmp_path, monkeypatch):
    _, there = both(tmp_path, {})
    monkeypatch.setattr(scanned_rows, "_MOST", 200)
    with pytest.raises(OptionError, match=r"More than 200 respondents differ .*coarser controls"):
        csi.repurchase(there, "again", controls="age")


def test_a_control_with_codes_is_told(tmp_path):
    frame = answers()
    frame.loc[[1, 2, 7], "age"] = 999
    told = []
    for fit in both(tmp_path, {}, frame):
        with csi.findings.collected() as findings:
            csi.repurchase(fit, "again", controls="age")
        told.append([str(finding) for finding in findings])
    assert told[0] == told[1]
    assert "999" in told[0][0]


def test_what_goes_on_from_a_regression_needs_respondents(tmp_path):
    _, there = both(tmp_path, {})
    rep = csi.repurchase(there, "again", family="logit")
    terms = csi.money.Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    for call in (
        lambda: csi.outcomes.repurchase_shape(rep, "hinge"),
        lambda: csi.outcomes.calibration(rep),
        lambda: csi.outcomes.compare_shapes(rep),
        lambda: csi.money.profit_of_change(rep, 70, 71, terms),
    ):
        with pytest.raises(OptionError, match=r"rep= needs the respondents .*scan\.sample\("):
            call()
