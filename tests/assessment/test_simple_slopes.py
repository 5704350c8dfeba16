"""Slopes at levels of a moderator: other programs, closed forms, and what cannot be."""

import warnings

import numpy as np
import pytest
from scipy import stats
from wordings import row_of

import csimodel as csi
from csimodel.errors import EstimationError, ModelError, OptionError

M = csi.Model.from_syntax
TERMS = {
    "interaction1": ("Satisfaction", "Quality", "Value", "Quality:Value"),
    "interaction2": ("Loyalty", "Image", "Satisfaction", "Image:Satisfaction"),
    "quadratic": ("Loyalty", "Satisfaction", "Satisfaction", "Satisfaction^2"),
}


def fitted(survey, *lines, estimator=None):
    text = "\n".join([csi.models.ecsi().to_syntax(), *lines])
    return csi.fit(M(text), survey, estimator or csi.PLS(tolerance=1e-13))


@pytest.fixture(scope="module")
def moderated(mobi):
    return fitted(mobi, "Loyalty ~ Image:Satisfaction")


@pytest.mark.parametrize("which", TERMS)
def test_slopes_on_fixed_scores(reference, mobi, which):
    target, source, at, product = TERMS[which]
    fit = fitted(mobi, f"{target} ~ {product}")
    expected = reference("mobi_moderation.json")["fixed_scores"][which][target]
    told = expected["simple_slopes_first_term"]
    slopes = csi.simple_slopes(fit, target, source, at=at)
    assert slopes.table.index.tolist() == told["at"]
    np.testing.assert_allclose(slopes.table["estimate"], told["slope"], atol=1e-12)
    for unit in ("unstandardised", "standardised"):
        row = slopes.products.loc[(product, unit.replace("is", "iz"))]
        own = list(expected[f"{unit}_product"]["coef"].values())[-1]
        assert row["estimate"] == pytest.approx(own, abs=1e-12)
        assert row["f2"] == pytest.approx(expected["f2_of_first_term"], abs=1e-10)


def test_errors_from_the_draws_of_another_program(reference, mobi):
    rows = np.loadtxt(
        "tests/reference/mobi_boot_indices_500x250_1based.csv", delimiter=",", dtype=int
    )
    told = reference("mobi_moderation.json")["bootstrap_seminr"]["slopes"]
    again = csi.PLS(tolerance=1e-12, reestimate=True)
    fit = fitted(mobi, "Satisfaction ~ Quality:Value", estimator=again)
    boot = csi.bootstrap(fit, resamples=rows[:300] - 1, progress=False)
    slopes = csi.simple_slopes(
        fit, "Satisfaction", "Quality", "Value", boot, interval="percentile", levels=told["z"]
    )
    np.testing.assert_allclose(slopes.table["estimate"], told["slope"], atol=1e-9)
    np.testing.assert_allclose(slopes.table["se"], told["sd"], atol=1e-8)
    np.testing.assert_allclose(slopes.table["lower"], told["lb"], atol=0.01)
    np.testing.assert_allclose(slopes.table["upper"], told["ub"], atol=0.01)


def test_regions_end_where_the_quadratic_formula_says(moderated):
    """|b + c z| = t se(z), of which the square is a quadratic equation."""
    linear = csi.linearize(moderated)
    slopes = csi.simple_slopes(moderated, "Loyalty", "Image", "Satisfaction", linear)
    order = moderated.paths.stack().loc[lambda path: path != 0].index.tolist()
    own = [order.index(("Loyalty", name)) for name in ("Image", "Image:Satisfaction")]
    vcov = linear.vcov("paths").to_numpy()[np.ix_(own, own)]
    b, c = moderated.paths.loc["Loyalty", ["Image", "Image:Satisfaction"]]
    t = stats.t.ppf(0.975, 249) ** 2
    roots = np.roots([c**2 - t * vcov[1, 1], 2 * (b * c - t * vcov[0, 1]), b**2 - t * vcov[0, 0]])
    inner = [z for z in roots if slopes.curve.index[0] < z < slopes.curve.index[-1]]
    assert slopes.regions["effect"].tolist() == ["positive", "not shown"]
    np.testing.assert_allclose(slopes.regions["upper"].iloc[0], inner, atol=1e-6)
    assert slopes.regions["share"].sum() == pytest.approx(1.0)
    below = (moderated.scores["Satisfaction"] < inner[0]).mean()
    assert slopes.regions["share"].iloc[0] == pytest.approx(below)
    assert slopes.table["df"].unique().tolist() == [249.0]


def test_the_errors_of_the_design_are_the_default(mobi):
    frame = mobi.data.assign(firm=np.arange(250) % 25)
    survey = csi.read_survey(frame, scale=(1, 10), cluster="firm")
    fit = fitted(survey, "Loyalty ~ Image:Satisfaction")
    slopes = csi.simple_slopes(fit, "Loyalty", "Image")
    assert slopes.table["df"].unique().tolist() == [24.0]
    given = csi.simple_slopes(fit, "Loyalty", "Image", bootstrap=csi.linearize(fit))
    np.testing.assert_allclose(slopes.table["se"], given.table["se"])


def test_three_factors_and_powers(mobi):
    lines = (
        "Loyalty ~ Expectation + Image:Satisfaction + Image:Expectation",
        "Loyalty ~ Satisfaction:Expectation + Image:Satisfaction:Expectation + Image:Satisfaction^2",
    )
    fit = fitted(mobi, *lines)
    path = fit.paths.loc["Loyalty"]
    slopes = csi.simple_slopes(fit, "Loyalty", "Image", at="Satisfaction", levels=[-1, 0.5])
    expected = [
        path["Image"] + path["Image:Satisfaction"] * z + path["Image:Satisfaction^2"] * z**2
        for z in (-1, 0.5)
    ]
    np.testing.assert_allclose(slopes.table["estimate"], expected, atol=1e-12)
    back = csi.simple_slopes(fit, "Loyalty", "Satisfaction", at="Image", levels=[2.0])
    once = path["Satisfaction"] + 2.0 * path["Image:Satisfaction"]
    assert back.table["estimate"].item() == pytest.approx(once, abs=1e-12)
    with pytest.raises(OptionError, match="depends on Expectation and Satisfaction; say at"):
        csi.simple_slopes(fit, "Loyalty", "Image")


def test_slopes_are_differences_of_predictions(mobi):
    """The slope at the mean of all else, by the regression that the scores give."""
    fit = fitted(mobi, "Loyalty ~ Satisfaction^2 + Satisfaction^3")
    path = fit.paths.loc["Loyalty"]

    def loyalty(q):
        return sum(path[name] * q**k for k, name in enumerate(NAMES, 1))

    NAMES = ("Satisfaction", "Satisfaction^2", "Satisfaction^3")
    slopes = csi.simple_slopes(fit, "Loyalty", "Satisfaction", levels=[-1.5, 0.3])
    by_hand = [(loyalty(q + 1e-5) - loyalty(q - 1e-5)) / 2e-5 for q in (-1.5, 0.3)]
    np.testing.assert_allclose(slopes.table["estimate"], by_hand, atol=1e-8)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Loyalty ~ Image:Satisfaction", "effect-depends"),
        ("Satisfaction ~ Quality:Value", "effect-not-shown-to-depend"),
    ],
)
def test_what_is_said(mobi, line, code):
    target, product = line.split(" ~ ")
    source, at = product.split(":")
    slopes = csi.simple_slopes(fitted(mobi, line), target, source, at)
    (finding,) = slopes.findings
    assert (finding.code, finding.severity) == (code, "note")
    assert finding.subjects == (source, target, at)
    row = slopes.products.loc[(product, "unstandardized")]
    assert finding.values["change"] == pytest.approx(row["estimate"])
    assert finding.values["lower"] == pytest.approx(row["lower"])
    assert row_of(finding)
    assert str(finding) in str(slopes)
    assert "Simple slopes" in slopes._repr_html_()


def test_what_cannot_be_is_named(mobi, moderated, fit):
    one = csi.bootstrap(fit, draws=20, rng=1, progress=False)
    calls = [
        ((moderated, "Loyal", "Image"), {}, ModelError, "target='Loyal' is no construct of"),
        ((moderated, "Loyalty", "Imag"), {}, ModelError, "source='Imag' .* 'Image'"),
        ((moderated, "Loyalty", "Image", "Sat"), {}, ModelError, "at='Sat' is no construct"),
        ((moderated, "Loyalty", "Image", "Value"), {}, ModelError, "No product of 'Image' and 'V"),
        (
            (moderated, "Image", "Image", "Value"),
            {},
            OptionError,
            "source='Image' is the target too",
        ),
        ((moderated, "Loyalty", "Complaints"), {}, ModelError, "its effect is the same everywhere"),
        ((fit, "Loyalty", "Image"), {}, ModelError, "its effect is the same everywhere"),
        ((moderated, "Loyalty", "Image:Satisfaction"), {}, ModelError, "is no construct of the"),
        ((moderated, "Loyalty", "Image"), {"levels": []}, OptionError, "must be finite numbers"),
        ((moderated, "Loyalty", "Image"), {"levels": [np.nan]}, OptionError, "finite numbers"),
        ((moderated, "Loyalty", "Image"), {"levels": ["a"]}, OptionError, "levels="),
        ((moderated, "Loyalty", "Image"), {"level": 95}, OptionError, "level"),
        ((moderated, "Loyalty", "Image"), {"interval": "wide"}, OptionError, "interval"),
        ((moderated, "Loyalty", "Image"), {"bootstrap": one}, OptionError, "another fit"),
        (("mobi.csv", "Loyalty", "Image"), {}, OptionError, "simple_slopes wants a fit"),
    ]
    for args, options, error, message in calls:
        with pytest.raises(error, match=message):
            csi.simple_slopes(*args, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lost = fitted(mobi, "Loyalty ~ Image:Satisfaction", estimator=csi.PLS(max_iterations=1))
    with pytest.raises(EstimationError, match="no solution to simple_slopes"):
        csi.simple_slopes(lost, "Loyalty", "Image")
