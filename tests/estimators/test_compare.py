"""Fits side by side."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

import csimodel as csi
from csimodel.errors import OptionError


@pytest.fixture(scope="module")
def fits(ecsi, mobi):
    return [csi.fit(ecsi, mobi, by) for by in (csi.PLS(), csi.PLS(consistent=True), csi.ML())]


def test_paths_side_by_side(fits):
    found = csi.compare(*fits, names=["PLS", "PLSc", "ML"])
    assert found.paths.shape == (len(fits[0].model.paths), 4)
    for fit, name in zip(fits, ("PLS", "PLSc", "ML"), strict=True):
        assert found.paths.loc[("Value", "Quality"), name] == fit.paths.loc["Value", "Quality"]
    spread = found.paths[["PLS", "PLSc", "ML"]].max(axis=1) - found.paths[
        ["PLS", "PLSc", "ML"]
    ].min(axis=1)
    np.testing.assert_array_equal(found.paths["spread"], spread)
    assert found.trust.loc["ML", "warnings"] > found.trust.loc["PLS", "warnings"]
    assert "How far to trust them" in repr(found)
    assert "<table" in found._repr_html_()


def test_a_fit_without_a_solution_has_no_numbers(ecsi, mobi, fits):
    lost = csi.fit(ecsi, mobi, csi.ML(max_iterations=2))
    found = csi.compare(fits[0], lost)
    assert found.paths["ML"].isna().all()
    assert found.trust.loc["ML", "outcome"] == "not converged"


def test_the_same_estimator_twice_is_numbered(fits):
    assert csi.compare(fits[2], fits[2]).names == ("ML (1)", "ML (2)")


def test_what_cannot_be_compared(fits):
    with pytest.raises(OptionError) as told:
        csi.compare(fits[0])
    assert str(told.value) == "compare takes two fits or more, and got 1."
    with pytest.raises(OptionError) as told:
        csi.compare(*fits, names=["a", "a", "b"])
    assert str(told.value) == "names=['a', 'a', 'b'] must name the 3 fits, each differently."


@pytest.fixture(scope="module")
def four(fits, ecsi, mobi):
    boot = csi.bootstrap(fits[0], draws=60, rng=1, progress=False)
    semopy = csi.fit(ecsi, mobi, csi.Semopy())
    names = ["PLS", "PLSc", "ML", "semopy"]
    return csi.compare(*fits, semopy, names=names, bootstraps={"PLS": boot})


def test_where_another_program_stopped_is_shown_on_demand_only(four):
    assert four.paths["semopy"].isna().all()
    shown = four.table("paths", unfinished=True)
    assert shown["semopy"].notna().all()
    assert shown.loc[("Complaints", "Satisfaction"), "semopy"] == pytest.approx(
        four.fits[3].paths.loc["Complaints", "Satisfaction"]
    )


def test_doubts_say_in_a_few_words_why_not(four):
    assert four.doubts == {
        "PLS": (),
        "PLSc": ("construct correlations not positive definite",),
        "ML": ("exploding errors",),
        "semopy": ("stopped short",),
    }


def test_a_line_a_fit_tells_the_gravest_of_what_was_found(four, mobi):
    lines = four.lines
    assert lines[0] == "PLS: converged, no findings."
    assert lines[1].startswith("PLSc: converged. The construct correlations contradict each other")
    assert lines[2].startswith("ML: converged. Standardised, Value ~ Quality")
    assert lines[3].startswith("semopy: not converged. semopy stopped at χ² 57")
    assert lines[3].endswith("(1 more in its diagnostics)")
    assert all(line in repr(four) for line in lines)
    assert "<p>semopy: not converged." in four._repr_html_()


def test_intervals_come_from_the_bootstraps_given(four):
    table = four.intervals("paths")
    own = four.bootstraps[0].table("paths")
    np.testing.assert_array_equal(table["PLS"], own[["estimate", "lower", "upper"]])
    assert table["ML"][["lower", "upper"]].isna().all(axis=None)
    assert "Paths with 95 % bootstrap intervals" in repr(four)
    low, high = own.loc[("Quality", "Expectation"), ["lower", "upper"]]
    assert f"0.56 [{low:.2f}, {high:.2f}]" in repr(four)


def test_bootstraps_that_do_not_belong(fits, four):
    boot = four.bootstraps[0]
    with pytest.raises(OptionError) as told:
        csi.compare(*fits, bootstraps=[boot])
    assert str(told.value) == (
        "There are 3 fits and 1 bootstraps; give one for each, None where there is none, or a dict "
        "by name."
    )
    with pytest.raises(OptionError) as told:
        csi.compare(*fits, bootstraps=[None, boot, None], names=["a", "b", "c"])
    assert str(told.value) == (
        "The bootstrap for 'b' was made from another fit; make it from this one with "
        "csi.bootstrap(fit)."
    )
    with pytest.raises(OptionError) as told:
        csi.compare(*fits, bootstraps={"PLs": boot}, names=["PLS", "PLSc", "ML"])
    assert str(told.value) == (
        "bootstraps has 'PLs', which is no column (did you mean 'PLS'?); the columns are PLS, PLSc "
        "and ML."
    )


def test_the_picture_has_hollow_marks_where_a_fit_is_not_to_be_trusted(four):
    figure = csi.plots.compare(four, title="ECSI")
    (ax,) = figure.axes
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[0] == "Image → Expectation"
    assert len(labels) == len(four.paths)
    marks = [line for line in ax.lines if len(line.get_xdata()) == len(labels)]
    assert [to_hex(line.get_markerfacecolor()) == "#ffffff" for line in marks] == [
        False,
        True,
        True,
        True,
    ]
    np.testing.assert_allclose(marks[3].get_xdata(), four.table("paths", unfinished=True)["semopy"])
    low, high = ax.get_xlim()
    assert all(low < x < high for line in marks for x in line.get_xdata())
    told = [text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts()]
    assert told[0] == "PLS"
    assert told[3] == "semopy (hollow, not to be trusted: stopped short)"
    assert ax.get_title(loc="left") == "ECSI"
    starts = [len(lines.get_segments()) for lines in ax.collections]
    assert starts[0] == len(labels)


def test_other_quantities_are_drawn(fits):
    ax = csi.plots.compare(csi.compare(*fits), "r2").axes[0]
    assert ax.get_yticklabels()[0].get_text() == "Expectation"
    assert ax.get_xlabel() == "r2"
    ax = csi.plots.compare(csi.compare(*fits), "loadings", x="Loading").axes[0]
    assert ax.get_yticklabels()[0].get_text() == "IMAG1 (Image)"
    assert ax.get_xlabel() == "Loading"


def test_what_cannot_be_drawn(fits):
    with pytest.raises(OptionError) as told:
        csi.plots.compare(fits[0])
    assert str(told.value) == (
        "comparison must be a Comparison, and it is a Fit; make one with csi.compare(fit, other)."
    )
    with pytest.raises(OptionError) as told:
        csi.plots.compare(csi.compare(*[fits[0]] * 7))
    assert str(told.value) == ("The comparison has 7 fits and a picture holds 6; compare fewer.")


WIDE = """Q =~ PERQ1 + PERQ3 + PERQ5
V =~ PERV1 + PERV2
S =~ CUSA1 + CUSA2 + CUSA3
V ~ Q
S ~ V + Q"""
NARROW = WIDE.replace(" + Q", "")


def nested(mobi, estimator):
    return [csi.fit(csi.Model.from_syntax(text), mobi, estimator) for text in (WIDE, NARROW)]


@pytest.mark.parametrize(
    ("name", "estimator", "rtol"),
    # Scalings are nearly alike here, so that their difference, by which is divided, has few digits.
    [("ML", csi.ML(), 1e-9), ("MLR", csi.ML(se="robust"), 1e-3)],
)
def test_nested_models_are_tested_as_by_lavaan(mobi, reference, name, estimator, rtol):
    wide, narrow = nested(mobi, estimator)
    row = csi.compare(wide, narrow).differences.iloc[0]
    theirs = reference("mobi_nested.json")[name]
    for entry in ("chisq_diff", "df_diff", "aic_diff", "bic_diff"):
        np.testing.assert_allclose(row[entry], theirs[entry], rtol=rtol)
    assert row["p_diff"] == pytest.approx(theirs["p_diff"], rel=0.05, abs=1e-30)
    assert row["reason"] == ""
    back = csi.compare(narrow, wide).differences.iloc[0]
    for entry in ("cfi_diff", "rmsea_diff", "aic_diff", "bic_diff"):
        assert back[entry] == pytest.approx(-row[entry])
    for entry in ("chisq_diff", "df_diff", "p_diff"):
        assert back[entry] == row[entry]


def test_what_one_model_does_not_have_is_no_number(mobi):
    found = csi.compare(*nested(mobi, csi.ML()), names=["wide", "narrow"])
    assert found.paths.index.tolist() == [("V", "Q"), ("S", "Q"), ("S", "V")]
    assert np.isnan(found.paths.loc[("S", "Q"), "narrow"])
    assert found.paths.loc[("S", "Q"), "wide"] > 0
    assert found.measures.loc["narrow", "df"] == found.measures.loc["wide", "df"] + 1
    assert "narrow − wide" in str(found.page)
    later = csi.compare(*nested(mobi, csi.PLS())[::-1]).table("paths")
    assert later.index.tolist() == [("V", "Q"), ("S", "V"), ("S", "Q")]


@pytest.mark.parametrize(
    ("fits", "reason"),
    [
        (lambda m: nested(m, csi.PLS()), "not both by covariance SEM"),
        (lambda m: [nested(m, csi.PLS())[0], nested(m, csi.ML())[1]], "not both by covariance SEM"),
        (lambda m: nested(m, csi.ML(max_iterations=1)), "without a solution"),
        (lambda m: nested(m, csi.WLSMV()), "no test by statistics of ordered answers"),
        (lambda m: [nested(m, csi.ML())[0]] * 2, "as many degrees of freedom"),
        (lambda m: [nested(m, csi.ML())[0], nested(m.data.iloc[9:], csi.ML())[1]], "of other items or respondents"),
        (lambda m: [nested(m.data.iloc[:125], csi.ML())[0], nested(m.data.iloc[125:], csi.ML())[1]], "of other items or respondents"),
        (lambda m: [nested(m, csi.ML())[0], nested(m, csi.ML(se="robust"))[1]], "one χ² scaled, the other not"),
        (lambda m: [nested(m, csi.ML())[0], nested(m, csi.LeastSquares())[1]], "by other estimators"),
    ],
)  # fmt: skip
def test_no_difference_is_told_why(mobi, fits, reason):
    row = csi.compare(*fits(mobi)).differences.iloc[0]
    assert row["reason"] == reason
    assert np.isnan(row["chisq_diff"])
