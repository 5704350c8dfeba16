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

from csimodel.repurchase.corrected.reliability import Reliability
from csimodel.repurchase.families import Family
from csimodel.repurchase.regression import Regression
from csimodel.repurchase.sample import Sample

Floats = NDArray[np.float64]

_SINGULAR = 1e-9  # smallest eigenvalue of the corrected correlations


def disattenuated(cov: Floats, reliability: Floats) -> Floats:
    """Return covariances of true indexes and controls, (..., r, r).

    `reliability` (..., indexes) is that of the first regressors.
    """
    true = np.array(np.broadcast_to(cov, (*reliability.shape[:-1], *cov.shape[-2:])))
    own = np.arange(reliability.shape[-1])
    true[..., own, own] *= reliability
    return true


def sound(cov: Floats, reliability: Floats) -> NDArray[np.bool_]:
    """Tell where the corrected covariances can be, (...,): positive definite, shares 0 to 1."""
    true = disattenuated(cov, reliability)
    spread = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = true / (spread[..., :, None] * spread[..., None, :])
    finite = np.asarray(np.isfinite(unit).all(axis=(-2, -1)))
    safe = np.where(finite[..., None, None], unit, np.eye(cov.shape[-1]))
    possible = ((reliability > 0) & (reliability <= 1 + 1e-9)).all(axis=-1)
    return np.asarray(finite & possible & (np.linalg.eigvalsh(safe)[..., 0] > _SINGULAR))


def calibrated(cov: Floats, reliability: Floats, slopes: Floats) -> Floats:
    """Return slopes on the true indexes, (..., r), from those on the measured ones.

    ``(S - S_UU)⁻¹ S γ``. With γ of least squares this is the errors-in-variables estimator; with γ
    of another family it is the regression on ``E[X | W, Z]``, which is linear in W and Z and so
    only another parametrisation of the same regression. NaN where `sound` says no.
    """
    possible = sound(cov, reliability)
    true = disattenuated(cov, reliability)
    size = cov.shape[-1]
    true = np.where(possible[..., None, None], true, np.eye(size))
    found = np.linalg.solve(true, (cov @ slopes[..., None]))[..., 0]
    return np.where(possible[..., None], found, np.nan)


class Pulls(NamedTuple):
    """Average slopes, what each respondent does to them, and what the reliabilities do.

    Attributes
    ----------
    slopes
        (r,)
    rows
        Linearised deviation of each respondent, (rows, r), summing to about 0.
    by_reliability
        Derivatives, (indexes, r).
    """

    slopes: Floats
    rows: Floats
    by_reliability: Floats


def calibrated_pulls(regression: Regression, reliability: Floats) -> Pulls:
    """Return average marginal effects on the true indexes and how they move.

    For least squares the errors-in-variables slopes, for other families those of regression
    calibration: ``β mean(μ'(η))``, both sampled.
    """
    sample = regression.sample
    share = sample.share[:, None]
    centred = sample.regressors - sample.share @ sample.regressors
    cov = (centred * share).T @ centred
    gamma, mean_slope = regression.coefficients[1:], regression.mean_slope
    beta = calibrated(cov, reliability, gamma)
    k = len(reliability)
    nothing = np.zeros((k, len(beta)))
    if not np.isfinite(beta).all():
        return Pulls(beta * mean_slope, np.zeros_like(centred), nothing)
    of_coefficients, of_mean_slope = regression_pulls(
        regression.family,
        regression.design,
        sample.outcome,
        sample.share,
        regression.coefficients,
    )
    inverse = np.linalg.inv(disattenuated(cov, reliability))
    # share (c c'γ - c c'β + (1 - reliability) c² β), whose mean is 0
    moved = centred * (centred @ (gamma - beta))[:, None]
    moved[:, :k] += (1.0 - reliability) * centred[:, :k] ** 2 * beta[:k]
    rows = (share * moved + of_coefficients[:, 1:] @ cov) @ inverse
    rows = mean_slope * rows + of_mean_slope[:, None] * beta
    by = -(inverse[:, :k] * (np.diag(cov)[:k] * beta[:k])).T * mean_slope
    return Pulls(beta * mean_slope, rows, by)


def regression_pulls(
    family: Family, design: Floats, outcome: Floats, share: Floats, coefficients: Floats
) -> tuple[Floats, Floats]:
    """Return each respondent's pull on the coefficients, (rows, terms), and on mean μ'(η), (rows,).

    The pull on coefficients is ``B u`` with u the score and B the inverse information.
    """
    eta = design @ coefficients
    score, information, slope = family.working(eta, outcome)
    bread = np.linalg.inv(design.T @ (design * (share * information)[:, None]))
    of_coefficients = (design * (share * score)[:, None]) @ bread
    bend = (share * family.curvature(eta)) @ design
    of_mean = share * (slope - share @ slope) + of_coefficients @ bend
    return np.asarray(of_coefficients), np.asarray(of_mean)


def average_pulls(
    family: Family, design: Floats, outcome: Floats, share: Floats, coefficients: Floats
) -> Floats:
    """Return each respondent's pull on average marginal effects, (rows, regressors)."""
    of_coefficients, of_mean = regression_pulls(family, design, outcome, share, coefficients)
    mean_slope = share @ family.slope(design @ coefficients)
    return np.asarray(of_coefficients[:, 1:] * mean_slope + of_mean[:, None] * coefficients[1:])


def errors_of(
    pulls: Pulls, sample: Sample, clustered: bool, reliability: Sequence[Reliability]
) -> Floats:
    """Return standard errors of slopes, (r,), from sums of pulls over units.

    Units are clusters where errors are clustered, else respondents; the variance is multiplied
    with n/(n - terms), and with G clusters by G/(G - 1) · (n - 1)/(n - terms). An estimated
    reliability moves together with the slopes where its own pulls are known (jackknife of the
    fit), else its variance is added.
    """
    n, terms = sample.n, 1 + pulls.rows.shape[1]
    joint = [(j, part) for j, part in enumerate(reliability) if part.units is not None]
    units = joint[0][1].units if joint else None
    totals = pulls.rows
    if units is not None:
        totals = np.zeros((len(units.stratum), pulls.rows.shape[1]))
        np.add.at(totals, units.of_row[sample.rows], pulls.rows)
        for j, part in joint:
            assert part.pulls is not None
            totals += part.pulls[:, None] * pulls.by_reliability[j]
    elif clustered and sample.cluster is not None:
        totals = np.stack([np.bincount(sample.cluster, column) for column in totals.T], axis=1)
    factor = n / (n - terms)
    if len(totals) < n:
        factor = len(totals) / (len(totals) - 1.0) * (n - 1.0) / (n - terms)
    variance = factor * (totals**2).sum(axis=0)
    for j, part in enumerate(reliability):
        if part.units is None and np.isfinite(part.se):
            variance = variance + (part.se * pulls.by_reliability[j]) ** 2
    return np.asarray(np.sqrt(variance))
