"""Browne's tests of a covariance structure by its residual moments."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.structure import moments_vector
from csimodel.estimators.covariance.tests_of_fit import Sandwich, residual_test
from csimodel.moments.forms import DiagonalWeight
from csimodel.moments.gamma import DenseGamma, Gamma, RowGamma, require_gamma
from csimodel.moments.vech import vech_indices
from csimodel.significance import chisq_pvalue
from csimodel.survey import Answers
from csimodel.translation import message

Floats = NDArray[np.float64]

NO_ANSWERS = message("needs complete answers, not moments")
TOO_FEW_ROWS = message("fewer rows than degrees of freedom")


def browne_tests(fitted: Fitted, answers: Answers | None) -> pd.DataFrame:
    """Return Browne's residual tests of one covariance structure, a row each.

    ``χ² = N e' Δc (Δc'ΓΔc)⁻¹ Δc' e`` of the residual moments e, Δc orthogonal to the derivatives of
    the model's moments, with Γ

    ========================== ==================================================================
    normal, sample             of normal answers with the sample's covariances
    normal, model              of normal answers with the model's
    distribution-free, sample  the fourth-order moments of the answers
    distribution-free, model   the same about the model's moments, which comes to
                               ``χ² / (1 + χ² / N)`` of the row before (Yuan and Bentler 1998)
    ========================== ==================================================================

    The third is far too large in samples of a few hundred, the fourth holds better there. They are
    lavaan's ``browne.residual.nt``, ``.nt.model``, ``.adf`` and ``.adf.model``.

    Returns
    -------
    DataFrame
        chisq, df, p, and the reason where there is none.

    Raises
    ------
    EstimationError
        When there is no solution.

    References
    ----------
    Browne, M. W. (1984). Asymptotically distribution-free methods for the analysis of covariance
    structures. British Journal of Mathematical and Statistical Psychology 37, 62-83.
    https://doi.org/10.1111/j.2044-8317.1984.tb00789.x

    Yuan, K.-H., Bentler, P. M. (1998). Normal theory based test statistics in structural equation
    modelling. British Journal of Mathematical and Statistical Psychology 51, 289-309.
    https://doi.org/10.1111/j.2044-8317.1998.tb00682.x
    """
    fitted.require_solution()
    (layout,), (own,), (at,) = fitted.layouts, fitted.moments, fitted.at
    means = layout.mean_structure
    cov, rows = fitted.estimator.sample_cov(own), float(fitted.sizes.sum())
    residual = moments_vector(cov - at.sigma, own.mean - at.mean if means else None)
    require_gamma(len(residual))

    def chisq(gamma: Gamma) -> float:
        size = len(residual)
        part = Sandwich(1.0, fitted.slopes[0], DiagonalWeight(np.ones(size)), gamma, None)
        return residual_test([part], [residual], rows)

    values = {
        "normal, sample": chisq(_normal(cov, means)),
        "normal, model": chisq(_normal(at.sigma, means)),
        "distribution-free, sample": np.nan,
    }
    complete = answers is not None and answers.missing == "complete"
    if answers is not None and complete:
        gamma = RowGamma.of(answers.values, answers.weights, answers.cluster)
        values["distribution-free, sample"] = chisq(gamma)
    free = values["distribution-free, sample"]
    values["distribution-free, model"] = free / (1.0 + free / rows)
    tests = np.array(list(values.values()))
    none = TOO_FEW_ROWS if complete else NO_ANSWERS
    return pd.DataFrame(
        {
            "chisq": tests,
            "df": fitted.df,
            "p": chisq_pvalue(tests, fitted.df),
            "reason": np.where(np.isfinite(tests), "", none),
        },
        pd.Index(list(values), name="test"),
    )


def _normal(cov: Floats, means: bool) -> DenseGamma:
    """Return Γ of normal answers: ``σᵢₖσⱼₗ + σᵢₗσⱼₖ``, and Σ in front for the means."""
    row, column = vech_indices(len(cov))
    inner = cov[np.ix_(row, row)] * cov[np.ix_(column, column)]
    inner = inner + cov[np.ix_(row, column)] * cov[np.ix_(column, row)]
    if not means:
        return DenseGamma(inner)
    items = len(cov)
    whole = np.zeros((items + len(inner), items + len(inner)))
    whole[:items, :items], whole[items:, items:] = cov, inner
    return DenseGamma(whole)
