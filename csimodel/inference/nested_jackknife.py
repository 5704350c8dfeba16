"""Standard errors of draws: the jackknife inside every draw, which studentized intervals need."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.estimators import Fit, Quantity, Status
from csimodel.inference.draws import draws_of
from csimodel.moments import Resampling
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

_EACH = 2**13  # so that a bar moves every few draws


def errors_of_draws(
    fit: Fit, design: Resampling, among: NDArray[np.bool_], quantity: Quantity
) -> Floats:
    """Return the jackknife standard error of a quantity in the marked draws, (draws, entries)."""
    answers = fit.drawn_answers("a studentized interval")
    clustered = answers.cluster is not None
    finite = answers.population is not None
    if answers.strata is not None or finite or (clustered and design.kind == "given"):
        raise OptionError(
            "interval='studentized' is for samples without strata, of an unlimited population, "
            "whose clusters are drawn whole; use 'bca' or 'percentile'."
        )
    products = fit.estimator.samples_of(answers)
    units = SurveyDesign.of(len(answers.values), None, answers.cluster)
    first = np.unique(units.unit, return_index=True)[1]
    whole = len(units.stratum)
    scale = (whole - 1) / whole if design.kind == "cluster" else 1.0  # back to numbers of copies
    errors = []
    for _, some in draws_of(design, among, cells=_EACH, what="errors of draws", progress=True):
        for counts in some * scale:
            times = counts[first]
            left = np.flatnonzero(times)
            moments = products.leave_out(units, counts)(left)
            solution = fit.estimator.solve(moments, fit.model, fit.estimates)
            values = quantity.values(solution)
            errors.append(_weighted_error(values, times[left], solution.estimates.outcome))
    return np.array(errors)


def _weighted_error(values: Floats, times: Floats, outcome: NDArray[np.int64]) -> Floats:
    """Return the jackknife error over units that stand several times, without failed refits."""
    kept = (outcome == Status.CONVERGED) & np.isfinite(values).all(axis=1)
    values, times = values[kept], times[kept]
    m = times.sum()
    if m < 2:
        return np.full(values.shape[1], np.nan)
    mean = times @ values / m
    return np.asarray(np.sqrt((m - 1) / m * (times @ (values - mean) ** 2)))
