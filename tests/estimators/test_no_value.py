"""Fits without a value somewhere: said at the fit, and every page and table still comes."""

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import CsimodelError, EstimationError


@pytest.fixture(scope="module")
def opposed() -> pd.DataFrame:
    """Return answers in which b is a worded the other way, though its loading is fixed to 1."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(200, 4)), columns=list("abcd"))
    frame["b"] = -frame["a"] + rng.normal(size=200)
    frame["d"] = frame["c"] + rng.normal(size=200)
    return np.clip(np.round(5.5 + 1.5 * frame), 1, 10)


def pages(fit: csi.estimators.Fit) -> None:
    """Ask for everything; a refusal in a sentence is an answer."""
    repr(fit), str(fit.summary()), fit._repr_html_(), [str(one) for one in fit.diagnostics]
    names = ("paths", "r2", "total_effects", "construct_cor", "weights", "residuals", "implied_cov")
    for name in (*names, "parameters", "fit_measures", "effects", "residual_table"):
        with suppress(CsimodelError):
            getattr(fit, name)
    for call in (fit.standardized, fit.modification_indices, lambda: repr(csi.assess(fit))):
        with suppress(CsimodelError):
            call()


@pytest.mark.parametrize(
    "estimator",
    [csi.ML(), csi.ML(se="mlr"), *map(csi.LeastSquares, ("gls", "uls", "dwls")), csi.WLSMV()],
    ids=lambda one: one.label,
)
def test_a_construct_with_a_variance_below_0_is_a_finding_and_can_be_printed(estimator, opposed):
    model = csi.Model.from_syntax("A =~ 1*a + 1*b\nB =~ c + d\nB ~ A")
    with np.errstate(all="raise"):
        fit = csi.fit(model, opposed, estimator)
        assert fit.converged
        assert np.isnan(fit.construct_cor.loc["A", "B"])
        (finding,) = (f for f in fit.diagnostics if f.code == "negative-construct-variance")
        assert finding.severity == "failure"
        assert finding.values["variance"] < 0
        pages(fit)
        plain = csi.fit(model.without_parameters(), opposed, csi.PLS(modes="unit"))
        assert "(!)" in repr(csi.compare(plain, fit))
        with pytest.raises(EstimationError, match=r"The variance of 'A' is estimated at −"):
            csi.fit(model, opposed, estimator, strict=True)


@pytest.mark.parametrize("weights", ["gls", "uls", "dwls"])
def test_a_duplicated_item_leaves_no_bare_exception(weights, opposed):
    frame = opposed.assign(b=opposed["a"])
    model = csi.Model.from_syntax("A =~ a + b\nB =~ c + d\nB ~ A")
    fit = csi.fit(model, frame, csi.LeastSquares(weights))
    assert not fit.converged
    pages(fit)
    assert fit.parameters["se"].isna().all()


def test_groups_that_are_all_singular_by_wlsmv_are_said(opposed):
    frame = opposed.assign(b=opposed["a"], g=["u", "v"] * 100)
    model = csi.Model.from_syntax("A =~ a + b\nB =~ c + d\nB ~ A")
    fits = csi.fit_groups(model, frame, "g", csi.WLSMV())
    for fit in fits.values():
        assert not fit.converged
        assert "singular-items" in {finding.code for finding in fit.diagnostics}
        pages(fit)
