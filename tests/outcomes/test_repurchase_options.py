"""The same argument is guarded the same way in every regression, and in money."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import CsimodelError, OptionError
from csimodel.outcomes.money import (
    Economics,
    break_even_spending,
    fewer_defections,
    lifetime_value,
    more_complaints,
    profit_of_change,
    profit_of_driver,
    retention_of,
)

TERMS = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)


@pytest.fixture(scope="module")
def rep(fit):
    return csi.repurchase(fit, "CUSL1")


@pytest.fixture(scope="module")
def complaints():
    how = np.tile([2.0, 9, 4, 8], 10)
    frame = pd.DataFrame({"spoke": np.repeat([0.0, 1.0], 20), "how": how, "again": how[::-1]})
    return lambda **o: csi.outcomes.complaint_repurchase(
        frame, complained="spoke", handling="how", repurchase="again", scale=(1, 10), **{"well_from": 8, **o}
    )  # fmt: skip


@pytest.mark.parametrize(
    "level", ["70", None, [60, 70], np.array([60, 70]), pd.Series([60.0]), True, [], {60}, "a", 101, np.nan]
)  # fmt: skip
def test_a_level_is_one_number_from_0_to_100(rep, fit, level):
    calls = [
        lambda: rep.contrast(level, 70),
        lambda: rep.contrast(67, level),
        lambda: profit_of_change(rep, level, 70, TERMS, draws=20),
    ]
    if level is not None:
        calls += [lambda: rep.effect_at(level), lambda: retention_of(rep, level, TERMS, draws=20)]
    for call in calls:
        with pytest.raises(OptionError, match=r"is no number|is not on the index"):
            call()


@pytest.mark.parametrize("level", [np.int64(70), np.float32(70), 70, 70.0])
def test_numbers_of_numpy_are_numbers(rep, level):
    assert rep.contrast(level, 75).equals(rep.contrast(70, 75))
    assert rep.predict([level, 80]).equals(rep.predict(np.array([70.0, 80.0])))
    assert retention_of(rep, level, TERMS, draws=np.int64(20)).estimate == pytest.approx(
        retention_of(rep, 70, TERMS, draws=20).estimate
    )


@pytest.mark.parametrize("probability", ["0.7", None, [0.7], np.array([0.5, 0.7]), True, np.nan])
def test_a_probability_is_a_number_between_0_and_1(rep, probability):
    with pytest.raises(OptionError, match=r"^probability=.* must lie between 0 and 1"):
        rep.level_for(probability)


@pytest.mark.parametrize("rng", ["1", 1.5, -1, True, [1]])
def test_a_seed_is_a_whole_number(rep, fit, complaints, rng):
    index, y = np.linspace(10, 90, 60), np.tile([0.0, 1, 1], 20)
    for call in (
        lambda: retention_of(rep, 70, TERMS, draws=20, rng=rng),
        lambda: complaints().retention("handled well", draws=20, rng=rng),
        lambda: csi.outcomes.repurchase_shape(rep, "hinge", draws=20, rng=rng),
        lambda: csi.outcomes.calibration(rep, rng=rng),
        lambda: csi.outcomes.corrected_slopes(index=index, outcome=y, reliability=0.8, draws=30, rng=rng, progress=False),
        lambda: csi.outcomes.corrected_slopes(fit, "CUSL1", ["simex"], family="fractional-logit",
                                     replications=2, rng=rng, progress=False),
    ):  # fmt: skip
        with pytest.raises(OptionError, match=r"^rng=.* must be a whole number from 0"):
            call()


@pytest.mark.parametrize("count", ["20", 2.5, -1, True, None])
def test_a_count_is_a_whole_number(rep, fit, complaints, count):
    for call in (
        lambda: complaints().retention("handled well", draws=count),
        lambda: csi.outcomes.calibration(rep, folds=count),
        lambda: csi.outcomes.corrected_slopes(fit, "CUSL1", ["simex"], family="fractional-logit",
                                     replications=count, progress=False),
    ):  # fmt: skip
        with pytest.raises(OptionError, match="must be a whole number of at least"):
            call()


@pytest.mark.parametrize("other", [None, "rep", 3])
def test_results_of_another_kind_are_refused(rep, fit, other):
    for call in (
        lambda: csi.outcomes.repurchase_shape(other),
        lambda: csi.outcomes.calibration(other),
        lambda: csi.outcomes.compare_shapes(other),
        lambda: retention_of(other, 70, TERMS),
        lambda: profit_of_change(other, 67, 70, TERMS),
        lambda: profit_of_driver(fit, other, "Quality", TERMS),
        lambda: retention_of(rep, 70, other),
        lambda: profit_of_change(rep, 67, 70, other),
        lambda: lifetime_value(0.8, other),
        lambda: fewer_defections(0.8, other, cut=0.05),
        lambda: break_even_spending(other),
    ):
        with pytest.raises(OptionError, match=r"^(rep|economics|change)=.* must be an? "):
            call()
    groups = csi.fit_groups(fit.model, fit.survey.data.assign(h=["a", "b"] * 125), by="h")
    for call in (
        lambda: csi.outcomes.repurchase_shape(groups),
        lambda: csi.repurchase(groups, "CUSL1"),
        lambda: csi.outcomes.corrected_slopes(groups, "CUSL1"),
    ):
        with pytest.raises(CsimodelError):
            call()


def test_other_options(rep, fit, complaints):
    frame = pd.DataFrame({"happy": [5, 4] * 40, "again": [1, 1, 1, 0] * 20})
    drop = {"satisfaction": "happy", "repurchase": "again"}
    for call, words in (
        (lambda: csi.outcomes.repurchase_top_drop(frame, **drop, top=5), "top=5 must be the lowest and"),
        (lambda: csi.outcomes.repurchase_top_drop(frame, **drop, top=("5", 5)), "must be the lowest and"),
        (lambda: complaints(well_from=[8]), "well_from=[8] must be a finite number"),
        (lambda: csi.repurchase(fit, "CUSL1", scale=("1", "10")), "is not a lowest and a highest answer"),
        (lambda: csi.repurchase(fit, "CUSL1", scale={1, 10}), "is not a lowest and a highest answer"),
        (lambda: csi.repurchase(fit, "CUSL1", index=5), "index=5 must name one construct"),
        (lambda: csi.repurchase(fit, "CUSL1", index={"Image"}), "must name one construct"),
        (lambda: csi.repurchase(fit, "CUSL1", family="ordered-logit", cut="8"), "cut='8' must lie above"),
        (lambda: more_complaints(0.8, 0.4, TERMS, retention=0.7, dissatisfied=0.2, from_=0.05, to=0.3,
                                 compensation="3"), "compensation='3' must be a number from 0"),
        (lambda: profit_of_driver(fit, rep, "Quality", TERMS, points="1"), "points='1' must be"),
    ):  # fmt: skip
        with pytest.raises(OptionError) as raised:
            call()
        assert words in str(raised.value)


def test_names_that_a_table_has_of_its_own_are_refused(mobi):
    index, y = pd.Series(np.linspace(10, 90, 60), name="const"), np.tile([0.0, 1, 1], 20)
    with pytest.raises(OptionError, match="The index 'const' has the name of the regression's"):
        csi.repurchase(index=index, outcome=y)
    model = csi.Model.from_syntax("const =~ CUSA1 + CUSA2\nB =~ IMAG1 + IMAG2\nconst ~ B")
    with pytest.raises(OptionError, match="The index 'const' has the name of the regression's"):
        csi.repurchase(csi.fit(model, mobi), "CUSL1", index="const")
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"firm": np.repeat(range(10), 4), "period": np.tile(range(4), 10),
                          "x": rng.uniform(40, 90, 40), "weight": rng.normal(size=40),
                          "y": rng.uniform(0, 1, 40)})  # fmt: skip
    with pytest.raises(OptionError, match="The column 'weight' has the name of one that the table"):
        csi.outcomes.repurchase_panel(
            table, "y", firm="firm", period="period", index="x", controls="weight"
        )


@pytest.mark.parametrize("curvature", [True, False])
def test_segments_without_a_finite_curve_print(curvature):
    rng = np.random.default_rng(0)
    place, x = rng.integers(0, 2, 600), rng.uniform(20, 100, 600)
    y = (rng.random(600) < 1 / (1 + np.exp(-0.05 * (x - 60)))).astype(float)
    y[place == 0] = (x[place == 0] > 60).astype(float)
    found = csi.outcomes.repurchase_segments(
        index=x, outcome=y, by=np.array(["a", "b"])[place], family="logit", curvature=curvature
    )
    words = "no finite solution in at least one segment, so they are not compared"
    assert words in repr(found)
    assert words in str(found.summary())
    assert words in found._repr_html_()


def test_a_logit_that_a_few_weights_decide_is_not_called_a_solution():
    seen = set()
    families = ("logit", "probit", "cloglog")
    for case in range(90):
        rng = np.random.default_rng(case)
        n = int(rng.integers(12, 100))
        x, w = rng.uniform(0, 100, n), np.ones(n)
        y = rng.permutation((x > rng.uniform(20, 80)).astype(float))
        w[rng.integers(n)] = 10.0 ** rng.uniform(2, 15)
        if y.min() == y.max():
            continue
        found = csi.repurchase(index=x, outcome=y, family=families[case % 3], weights=w)
        codes = {f.code for f in found.findings if f.severity == "failure"}
        assert found.converged != bool(codes)
        if found.converged:
            assert np.isfinite(found.coefficients[["estimate", "se"]].astype(float)).all(axis=None)
        seen |= codes
        str(found.summary())
    assert "no-information" in seen
