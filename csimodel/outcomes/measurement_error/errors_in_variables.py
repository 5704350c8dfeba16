"""Slopes freed of known measurement error, from moments, one sample or a batch.

The index W is the true X plus an error U that goes with nothing else. Then the covariance matrix
of the regressors is too large by ``var(U) = (1 - reliability) var(W)`` on the indexes' diagonal,
and taking it off frees the slopes: ``(S_WW - S_UU)⁻¹ S_Wy``.

References
----------
Fuller, W. A. (1987). Measurement Error Models, sections 1.2 and 3.1.
https://doi.org/10.1002/9780470316665

Carroll, R. J., Ruppert, D., Stefanski, L. A., Crainiceanu, C. M. (2006). Measurement Error in
Nonlinear Models, chapter 4. https://doi.org/10.1201/9781420010138
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.predictor_scores import PredictorScores
from csimodel.outcomes.measurement_error.reliability import Reliability
from csimodel.outcomes.models.regression import Regression
from csimodel.survey.calibrated_design import CalibratedDesign

Floats = NDArray[np.float64]

_SINGULAR = 1e-9  # smallest eigenvalue of the corrected correlations


class Pulls(NamedTuple):
    """Slopes, what each respondent does to them, and what the reliabilities do.

    Attributes
    ----------
    coefficients
        On the family's scale, (r,).
    effects
        Average marginal effects, (r,).
    rows
        Linearised deviation of the effects by each respondent, (rows, r), summing to about 0.
    by_reliability
        Derivatives of the effects, (indexes, r).
    """

    coefficients: Floats
    effects: Floats
    rows: Floats
    by_reliability: Floats


def with_error(cov: Floats, reliability: Floats, times: float) -> Floats:
    """Return the regressors' covariances with `times` the error variance added, (..., r, r).

    -1 takes the error off. `reliability` (..., indexes) is that of the first regressors.
    """
    moved = np.array(np.broadcast_to(cov, (*reliability.shape[:-1], *cov.shape[-2:])))
    own = np.arange(reliability.shape[-1])
    moved[..., own, own] *= 1.0 + times * (1.0 - reliability)
    return moved


def moved_slopes(cov: Floats, reliability: Floats, slopes: Floats, times: float = -1.0) -> Floats:
    """Return slopes with `times` the error variance added, (..., r), from those as they are.

    ``(S + times S_UU)⁻¹ S γ``. At -1, with γ of least squares, this is the errors-in-variables
    estimator; with γ of another family it is the regression on ``E[X | W, Z]``, which is linear in
    W and Z and so only another parametrisation of the same regression. NaN where a reliability is
    not a share of variance or what is left of the covariances is not positive definite.
    """
    moved = with_error(cov, reliability, times)
    spread = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = moved / (spread[..., :, None] * spread[..., None, :])
    sound = ((reliability > 0) & (reliability <= 1)).all(axis=-1)
    sound &= np.isfinite(unit).all(axis=(-2, -1))
    safe = np.where(sound[..., None, None], unit, np.eye(cov.shape[-1]))
    sound &= np.linalg.eigvalsh(safe)[..., 0] > _SINGULAR
    moved = np.where(sound[..., None, None], moved, np.eye(cov.shape[-1]))
    corrected = np.linalg.solve(moved, cov @ slopes[..., None])[..., 0]
    return np.where(sound[..., None], corrected, np.nan)


def moved_pulls(regression: Regression, reliability: Floats, times: float = -1.0) -> Pulls:
    """Return slopes with `times` the error variance added, and how they move.

    The linearisation of ``M β = S γ``, M = S + times S_UU:
    ``M dβ = dS (γ - β) - times d(S_UU) β + S dγ``.
    """
    sample = regression.sample
    share = sample.share[:, None]
    centred = sample.regressors - sample.share @ sample.regressors
    cov = (centred * share).T @ centred
    gamma, mean_slope = regression.coefficients[1:], regression.mean_slope
    beta = moved_slopes(cov, reliability, gamma, times)
    k = len(reliability)
    if not np.isfinite(beta).all():
        nothing = np.full_like(beta, np.nan)
        return Pulls(nothing, nothing, np.full_like(centred, np.nan), np.zeros((k, len(beta))))
    of_coefficients, of_mean_slope = regression_pulls(
        regression.family, regression.design, sample.outcome, sample.share, regression.coefficients
    )
    inverse = np.linalg.inv(with_error(cov, reliability, times))
    pulled = centred * (centred @ (gamma - beta))[:, None]
    pulled[:, :k] -= times * (1.0 - reliability) * centred[:, :k] ** 2 * beta[:k]
    rows = (share * pulled + of_coefficients[:, 1:] @ cov) @ inverse
    rows = mean_slope * rows + of_mean_slope[:, None] * beta
    by = times * (inverse[:, :k] * (np.diag(cov)[:k] * beta[:k])).T * mean_slope
    return Pulls(beta, beta * mean_slope, rows, by)


def regression_pulls(
    family: Family, design: Floats, outcome: Floats, share: Floats, coefficients: Floats
) -> tuple[Floats, Floats]:
    """Return each respondent's pull on the coefficients, (rows, terms), and on mean μ'(η), (rows,).

    The pull on coefficients is ``B u`` with u the score and B the inverse information.
    """
    scores = PredictorScores.of(family, design, outcome, share, coefficients)
    of_coefficients, slope = scores.influence.values, scores.slope
    bend = (share * family.curvature(design @ coefficients)) @ design
    of_mean = share * (slope - share @ slope) + of_coefficients @ bend
    return of_coefficients, np.asarray(of_mean)


def errors_of(pulls: Pulls, regression: Regression, reliability: Sequence[Reliability]) -> Floats:
    """Return standard errors of the effects, (r,), from sums of pulls over units.

    Linearized errors are those of `SurveyDesign`. Else units are clusters where errors are
    clustered, or respondents; the variance is multiplied with n/(n - terms), and with G clusters
    by G/(G - 1) · (n - 1)/(n - terms). An estimated reliability moves together with the slopes
    where its own pulls are known, else its variance is added. With t of G - 1 degrees of freedom
    the factor suffices for 8 clusters (``docs/few_clusters.md``).
    """
    sample, design = regression.sample, regression.design_of_sample
    n, terms = sample.n, 1 + pulls.rows.shape[1]
    units = next((part.units for part in reliability if part.units is not None), None)
    totals = pulls.rows
    if units is not None and isinstance(design, CalibratedDesign):
        totals = design.totals(totals)
    elif units is not None:
        design = units
        totals = np.zeros((units.units, pulls.rows.shape[1]))
        np.add.at(totals, units.unit[sample.rows], pulls.rows)
    for part, by in zip(reliability, pulls.by_reliability, strict=False):
        if part.pulls is not None:
            totals = totals + part.pulls[:, None] * by
    if units is None:
        totals = design.totals(totals)
    factor, drawn = n / (n - terms), design.unit_count
    if drawn < n:
        factor = drawn / (drawn - 1.0) * (n - 1.0) / (n - terms)
    linearized = regression.errors == "linearized"
    variance = design.variance(totals) if linearized else factor * (totals**2).sum(axis=0)
    for part, by in zip(reliability, pulls.by_reliability, strict=False):
        if part.pulls is None and np.isfinite(part.se):
            variance = variance + (part.se * by) ** 2
    return np.asarray(np.sqrt(variance))
