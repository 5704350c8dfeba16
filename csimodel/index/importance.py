"""Importance and performance: effects of drivers on the target, and where they stand today."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import ModelError, suggest
from csimodel.estimators import Fit, Quantity, Solution, register, require_fit, require_own
from csimodel.estimators.item_solution import item_model, item_solution
from csimodel.estimators.points import point_weights, scale_of
from csimodel.estimators.quantities import matrix_entries, reachable
from csimodel.floats import own_errstate
from csimodel.index.points import INDEX
from csimodel.inference import FitErrors
from csimodel.inference.replicates import errors_of_design
from csimodel.model import Model
from csimodel.options import require_level

Floats = NDArray[np.float64]


def index_sd(solution: Solution) -> Floats:
    """Return the standard deviation of each construct's index, (..., constructs).

    Freed of measurement error where the estimator corrects for it: times the root of the
    reliability, so that effects and index points refer to the same thing.
    """
    return np.asarray(measured_sd(solution) * np.sqrt(estimated_reliability(solution)))


def estimated_reliability(solution: Solution) -> Floats:
    """Return the reliability of each index under the estimator's model, (..., constructs).

    PLSc's own; by covariance SEM ``(Σ wλ)² / w'Rw``, w and λ the standardised weights and loadings
    of a construct's items, R their correlations. 1 where nothing is corrected, as by PLS. Loadings
    of the responses behind ordered answers count times the correlation of the answer with its
    response, which makes them those of the answers.
    """
    model, estimates, estimator = solution.model, solution.estimates, solution.estimator
    of_responses = estimator.weighs_responses and not estimator.paths_between_scores
    if not (estimator.has_error_variances or of_responses):
        return estimates.reliability
    loadings, responses = estimates.loadings, solution.moments.responses
    if responses is not None:
        loadings = loadings * responses.clarity
    reliability = np.ones((*estimates.weights.shape[:-1], len(model.constructs)))
    for j, (construct, block) in enumerate(zip(model.constructs, model.slices, strict=True)):
        if construct.kind == "reflective":
            w, cor = estimates.weights[..., block], solution.moments.cor[..., block, block]
            common = (w * loadings[..., block]).sum(axis=-1) ** 2
            variance = np.einsum("...i,...ik,...k->...", w, cor, w)
            with np.errstate(invalid="ignore", divide="ignore"):
                reliability[..., j] = common / variance
    return reliability


def measured_sd(solution: Solution) -> Floats:
    """Return the standard deviation of each construct's index as measured, (..., constructs)."""
    weights = point_weights(solution)
    _, width = scale_of(solution.moments)
    slope = weights / width * 100.0
    cov = solution.moments.cov
    variances = [
        np.einsum("...i,...ik,...k->...", slope[..., b], cov[..., b, b], slope[..., b])
        for b in solution.model.slices
    ]
    return np.asarray(np.sqrt(np.stack(variances, axis=-1)))


def _impacts(solution: Solution) -> Floats:
    solution = item_solution(solution)
    sd = index_sd(solution)
    points = solution.total_effects * sd[..., :, None] / sd[..., None, :]
    row, column = np.nonzero(reachable(solution.model))
    return np.asarray(points[..., row, column])


def _labels(model: Model) -> pd.MultiIndex:
    return matrix_entries(reachable)(item_model(model))


IMPACTS = register(Quantity("impacts", _labels, _impacts))


@own_errstate
@checked
def importance_performance(
    fit: Fit, target: str = "Satisfaction", bootstrap: FitErrors | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Return what one point of each driver's index does to the target's, and the drivers' index.

    Importance is the unstandardised total effect: total effect times the ratio of the two
    indexes' standard deviations, in points of the target per point of the driver; where the
    estimator corrects for measurement error, in points freed of it. Performance is the driver's
    index, 0 to 100.

    Parameters
    ----------
    fit
        A fit whose items have scale bounds.
    target
        The construct to be moved.
    bootstrap
        Draws of this fit, for percentile intervals of the importance, or errors by `linearize`,
        which are the default where the survey has weights, strata or clusters.
    level
        Coverage.

    Returns
    -------
    DataFrame
        Rows drivers; columns importance, performance and, with errors, se, df, lower, upper
        and reason, as in `Bootstrap.table`.

    Raises
    ------
    ModelError
        When the target is not in the model or nothing affects it.
    SurveyError
        When scale bounds are unknown.
    OptionError
        When the bootstrap belongs to another fit.

    References
    ----------
    Ringle, C. M., Sarstedt, M. (2016). Gain more insight from your PLS-SEM results: the
    importance-performance map analysis. Industrial Management & Data Systems 116, 1865-1886.
    https://doi.org/10.1108/IMDS-10-2015-0449

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> csi.importance_performance(fit, "Satisfaction").round(2).loc["Quality"].tolist()
    [0.64, 74.98]
    """
    fit = require_fit(fit, "importance_performance")
    level = require_level(level)
    require_own(bootstrap, fit, drawn=False)
    names = item_model(fit.model).construct_names
    if target not in names:
        raise ModelError(f"Target {target!r} is not in the model{suggest(target, names)}.")
    labels = IMPACTS.labels(fit.model)
    own = labels.get_level_values("target") == target
    if not own.any():
        raise ModelError(f"No construct affects {target!r}; choose one that a path points to.")
    sources = labels.get_level_values("source")[own]
    performance = pd.Series(INDEX.values(fit.solution), INDEX.labels(fit.model))[sources]
    table = pd.DataFrame(
        {
            "importance": IMPACTS.values(fit.solution)[own],
            "performance": performance.to_numpy(),
        },
        index=pd.Index(sources, name="driver"),
    )
    errors = bootstrap or errors_of_design(fit)
    if errors is not None:
        drawn = errors.table(IMPACTS, level=level).loc[own]
        for column in ("se", "df", "lower", "upper", "reason"):
            table[column] = drawn[column].to_numpy()
    return table.sort_values("importance", ascending=False)
