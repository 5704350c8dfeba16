"""What a draw computes is what is computed from the file of that draw.

Half of the draws are the sample itself and half are one resample, so that the standard error of a
number is half its distance to the number of the resampled file, times √(20/19).
"""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.index import importance_performance
from csimodel.outcomes import repurchase, repurchase_segments
from csimodel.outcomes.money import Economics, profit_of_change, profit_of_driver

DRAWS = 20
ECONOMICS = Economics(
    margin=100.0, discount_rate=0.1, customers=1000, currency="EUR", period="year"
)


def answers():
    data = csi.load_mobi().data.copy()
    rng = np.random.default_rng(12)
    items = ["CUSA1", "CUSA2", "CUSA3"]
    level = data[items].mean(axis=1)
    data["again"] = (level + rng.normal(0, 2, 250) > 7.0).astype(float)
    data["age"] = rng.integers(18, 80, 250).astype(float)
    data["place"] = np.where(rng.random(250) < 0.5, "north", "south")
    data["w"] = rng.uniform(0.5, 1.5, 250)
    hazard = np.exp(-0.15 * (level - 7.0)) / 10.0
    data["months"] = rng.exponential(1.0 / hazard) + 0.01
    data["left"] = (data["months"] < 24.0).astype(float)
    data["months"] = data["months"].clip(upper=24.0)
    return data


def fit_of(data, kind):
    options = {"weights": "w"} if kind == "weighted with gaps" else {}
    missing = "mean" if kind == "weighted with gaps" else "error"
    survey = csi.read_survey(data, scale=(1, 10), missing=missing, **options)
    return csi.fit(csi.models.ecsi(), survey)


@pytest.fixture(scope="module", params=["plain", "weighted with gaps"])
def files(request):
    """The fit of the sample with its draws, and the fit of the resampled file."""
    data = answers()
    rng = np.random.default_rng(3)
    if request.param == "weighted with gaps":
        columns = ["CUSA1", "CUSA3", "IMAG2", "PERQ4"]
        data[columns] = data[columns].mask(rng.random((250, 4)) < 0.1)
    rows = rng.integers(0, 250, 250)
    fit = fit_of(data, request.param)
    resamples = np.stack([np.arange(250)] * (DRAWS // 2) + [rows] * (DRAWS // 2))
    boot = csi.bootstrap(fit, resamples=resamples, progress=False)
    return fit, boot, fit_of(data.iloc[rows].reset_index(drop=True), request.param)


def agree(drawn, plain, other, column="estimate"):
    """Compare the error of a table from draws with the distance of two tables."""
    assert_allclose(drawn[column].to_numpy(), plain[column].to_numpy(), rtol=1e-6, atol=1e-9)
    distance = np.abs(other[column].to_numpy(float) - plain[column].to_numpy(float))
    expected = 0.5 * np.sqrt(DRAWS / (DRAWS - 1.0)) * distance
    size = np.abs(expected).max()
    assert size > 0
    assert_allclose(drawn["se"].to_numpy(float), expected, rtol=2e-4, atol=1e-6 * size)


def row(estimate):
    return pd.DataFrame({"estimate": [float(estimate)], "se": [float(estimate.se)]})


def of_three(files, function):
    fit, boot, other = files
    return function(fit, boot), function(fit, None), function(other, None)


REGRESSIONS = {
    "ols": {"outcome": "CUSL1", "family": "ols"},
    "fractional-logit": {"outcome": "CUSL1"},
    "fractional-probit": {"outcome": "CUSL1", "family": "fractional-probit"},
    "logit": {"outcome": "again", "family": "logit"},
    "probit": {"outcome": "again", "family": "probit"},
    "cloglog": {"outcome": "again", "family": "cloglog"},
    "beta": {"outcome": "CUSL1", "family": "beta", "scale": (0, 11)},
    "ordered-logit": {"outcome": "CUSL1", "family": "ordered-logit"},
    "ordered-probit": {"outcome": "CUSL1", "family": "ordered-probit"},
}
SIDES = {
    "one index": {},
    "two indexes": {"index": ["Satisfaction", "Image"]},
    "a control": {"controls": ["age"]},
}
NUMBERS = {
    "coefficients": (lambda rep: rep.coefficients, "estimate"),
    "effects": (lambda rep: rep.average_marginal_effects, "estimate"),
    "effect at 60": (lambda rep: row(rep.effect_at(60)), "estimate"),
    "elasticity at 60": (lambda rep: row(rep.elasticity(60)), "estimate"),
    "predictions": (lambda rep: rep.predict([40, 75]), "probability"),
    "contrast": (lambda rep: rep.contrast(60, 75).iloc[:2], "probability"),
}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", REGRESSIONS)
def test_regressions(files, name, side):
    options = REGRESSIONS[name] | SIDES[side]
    reps = of_three(files, lambda fit, boot: repurchase(fit, bootstrap=boot, **options))
    for number, column in NUMBERS.values():
        agree(*(number(rep) for rep in reps), column)


def test_formulas(files):
    formula = "CUSL1 ~ Satisfaction * place + np.log(age) + I(Satisfaction**2)"
    reps = of_three(files, lambda fit, boot: repurchase(fit, formula=formula, bootstrap=boot))
    for number, column in NUMBERS.values():
        agree(*(number(rep) for rep in reps), column)


def test_categories(files):
    options = {"outcome": "CUSL1", "family": "ordered-logit", "controls": ["age"]}
    reps = of_three(files, lambda fit, boot: repurchase(fit, bootstrap=boot, **options))
    agree(*(rep.thresholds for rep in reps))
    agree(*(rep.categories([50, 80]) for rep in reps), "probability")
    agree(*(rep.expected_answer([50, 80]) for rep in reps), "answer")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("family", ["ols", "fractional-logit"])
@pytest.mark.parametrize(("kind", "knots"), [
    ("quadratic", None), ("spline", [40, 60, 75, 90]), ("hinge", 65),
])  # fmt: skip
def test_shapes(files, kind, knots, family, side):
    reps = of_three(
        files,
        lambda fit, boot: repurchase(fit, "CUSL1", family=family, bootstrap=boot, **SIDES[side]),
    )
    shapes = [
        csi.outcomes.repurchase_shape(rep, kind, knots=knots, draws=99, rng=1) for rep in reps
    ]
    agree(*(shape.curve([45, 60, 80]) for shape in shapes), "probability")


def test_segments(files):
    def of(fit, boot):
        return repurchase_segments(fit, "CUSL1", "place", bootstrap=boot)

    found = of_three(files, of)
    agree(*(one.table for one in found), "effect")
    agree(*(one.pairwise for one in found), "difference")
    agree(*(one.curves([50, 80]) for one in found), "probability")
    agree(*(one.contrast(60, 75) for one in found), "probability")


@pytest.mark.parametrize("family", ["ols", "fractional-logit"])
def test_asymmetry(files, family):
    def of(fit, boot):
        return csi.outcomes.repurchase_asymmetry(fit, "CUSL1", family=family, bootstrap=boot)

    found = of_three(files, of)
    agree(*(one.table.iloc[:6] for one in found))  # the last is a ratio


@pytest.mark.parametrize("side", SIDES)
def test_durations(files, side):
    def of(fit, boot):
        return csi.outcomes.repurchase_time(
            fit, duration="months", event="left", kind="churn", ties="breslow", bootstrap=boot,
            **SIDES[side],
        )  # fmt: skip

    found = of_three(files, of)
    agree(*(one.coefficients for one in found))
    agree(*(one.predict([60, 80], [6, 12]) for one in found), "probability")
    agree(*(one.average_marginal_effects([6, 12]) for one in found))


def test_drivers(files):
    fit, boot, other = files
    tables = [importance_performance(fit, "Satisfaction", boot)]
    tables += [importance_performance(own, "Satisfaction") for own in (fit, other)]
    agree(*(table.loc[tables[0].index] for table in tables), "importance")


def test_index(files):
    for by in (None, "place"):
        agree(
            *of_three(files, lambda fit, boot, by=by: csi.index_scores(fit, by=by, bootstrap=boot)),
            "mean",
        )


def test_profits(files):
    def regression(fit, boot):
        return repurchase(fit, "CUSL1", bootstrap=boot)

    fit, boot, other = files
    reps = of_three(files, regression)
    options = {"measurement_error": "ignored"}
    agree(*(profit_of_change(rep, 60, 70, ECONOMICS, **options).table for rep in reps))
    own = [
        profit_of_driver(source, rep, "Quality", ECONOMICS, **options).table
        for source, rep in zip((boot, fit, other), reps, strict=True)
    ]
    agree(*own)
