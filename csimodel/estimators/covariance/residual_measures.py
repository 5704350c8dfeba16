"""Measures of fit from residuals of means and covariances: RMR, SRMR, CRMR, GFI."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.estimator import CovarianceEstimator
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.response_moments import response_cov, response_vector
from csimodel.estimators.covariance.structure import Implied
from csimodel.moments import Moments
from csimodel.moments.ordinal import OrdinalMoments
from csimodel.moments.responses import response_moments

Floats = NDArray[np.float64]


def residual_measures(fitted: Fitted) -> dict[str, float]:
    """Return rmr, srmr and crmr, each with means and without (`_nomean`), gfi and agfi.

    Root mean squares of residuals, each covariance once, variances included::

        rmr   s - σ,  m - μ
        srmr  (s - σ)/√(s s),  (m - μ)/√s                 s's variances in both (Bentler 1995)
        crmr  s/√(s s) - σ/√(σ σ),  (m - μ)/√s            correlations, diagonal left out

    Means count where they are modelled, and are then in the denominator too: SRMR is smaller with
    a mean structure that fits the means exactly. GFI is ``1 - r'Vr / s'Vs`` with r the residuals
    and V the weight of the discrepancy at the solution, AGFI ``1 - (moments/df)(1 - GFI)``; with
    means s holds them, which makes GFI large. Measures of groups are averaged by their rows. All
    are lavaan's. Of ordered answers, thresholds fit exactly and count in rmr and crmr, and with
    means of continuous items in GFI.

    References
    ----------
    Bollen, K. A. (1989). Structural Equations with Latent Variables, page 258.
    https://doi.org/10.1002/9781118619179

    Maydeu-Olivares, A. (2017). Assessing the size of model misfit in structural equation models.
    Psychometrika 82, 533-558. https://doi.org/10.1007/s11336-016-9552-7

    Jöreskog, K. G., Sörbom, D. (1982). Recent developments in structural equation modeling.
    Journal of Marketing Research 19, 404-416. https://doi.org/10.1177/002224378201900402
    """
    names = ("rmr", "srmr", "crmr")
    ends = ("", "_nomean")
    measures = dict.fromkeys([*(name + end for name in names for end in ends), "gfi"], 0.0)
    known = fitted.statistics
    groups = zip(fitted.shares, fitted.moments, fitted.layouts, fitted.at, strict=True)
    for share, own, layout, at in groups:
        mean, cov = own.mean, fitted.estimator.sample_cov(own)
        gap = mean - at.mean if layout.mean_structure else None
        kinds = _residuals(mean, cov, at.mean, at.sigma)
        if layout.levels is not None:
            assert own.ordinal is not None
            kinds = _response_residuals(layout, at, own.ordinal)
        for name, (spread, level) in zip(names, kinds, strict=True):
            alone = _root_mean_square(spread, None, name == "crmr")
            joint = alone if gap is None else _root_mean_square(spread, level, name == "crmr")
            if layout.levels is not None and name == "srmr":
                joint = alone
            if own.ordinal is not None and name != "srmr" and layout.levels is None:
                joint = alone * _thresholds_counted(own.ordinal, name == "crmr")
            measures[name] += float(share) * joint
            measures[f"{name}_nomean"] += float(share) * alone
        left, whole = _squares(fitted.estimator, own, layout, at)
        count, squares = fitted.estimator.exactly_fitted(own, layout)
        known, whole = known + count, whole + squares
        measures["gfi"] += float(share * (1.0 - left / whole))
    measures["agfi"] = 1.0 - known / fitted.df * (1.0 - measures["gfi"]) if fitted.df else np.nan
    return measures


def _squares(
    estimator: CovarianceEstimator, own: Moments, layout: ParameterLayout, at: Implied
) -> tuple[float, float]:
    """Return ``r'Vr`` of the residual moments and ``s'Vs`` of those of the sample."""
    if layout.levels is not None and own.ordinal is not None:
        sample, _ = response_moments(own.ordinal)
        values = np.column_stack([sample - response_vector(layout, at), sample])
        left, whole = estimator.weight(own, layout, at.sigma).squares(values).tolist()
        return left, whole
    cov, means = estimator.sample_cov(own), layout.mean_structure
    square = partial(estimator.weighted_square, own, layout, at.sigma)
    left = square(cov - at.sigma, own.mean - at.mean if means else None)
    return left, square(cov, own.mean if means else None)


def _response_residuals(
    layout: ParameterLayout, at: Implied, ordinal: OrdinalMoments
) -> tuple[tuple[Floats, Floats], ...]:
    """Return what `_residuals` does where thresholds are modelled, in the place of means."""
    assert layout.levels is not None
    level = ordinal.levels - response_vector(layout, at)[: len(ordinal.levels)]
    sd = ordinal.sd[layout.levels.item]
    kinds = _residuals(ordinal.mean, ordinal.cov, ordinal.mean, response_cov(layout, at))
    levels, bar = (level, level / sd, level / sd), layout.levels.is_threshold
    return tuple((spread, own[bar]) for (spread, _), own in zip(kinds, levels, strict=True))


def _residuals(
    mean: Floats, cov: Floats, level: Floats, sigma: Floats
) -> tuple[tuple[Floats, Floats], ...]:
    """Return residual covariances and means: raw, by s's deviations, and of correlations."""
    sd, own = np.sqrt(np.diag(cov)), np.sqrt(np.diag(sigma))
    apart = cov - sigma
    return (
        (apart, mean - level),
        (apart / np.outer(sd, sd), (mean - level) / sd),
        (cov / np.outer(sd, sd) - sigma / np.outer(own, own), (mean - level) / sd),
    )


def _root_mean_square(spread: Floats, level: Floats | None, off_diagonal: bool) -> float:
    row, column = np.tril_indices(len(spread), -1 if off_diagonal else 0)
    values = spread[row, column]
    if level is not None:
        values = np.concatenate([level, values])
    return float(np.sqrt((values**2).mean())) if len(values) else np.nan


def _thresholds_counted(ordinal: OrdinalMoments, off_diagonal: bool) -> float:
    """Return by what thresholds without residuals make a root mean square smaller."""
    items = len(ordinal.items)
    cells = items * (items - 1) // 2 if off_diagonal else items * (items + 1) // 2
    return float(np.sqrt(cells / (cells + len(ordinal.thresholds))))
