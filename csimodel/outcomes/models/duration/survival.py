"""Survival at levels of the index, averaged over respondents, for many draws at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.models.averages import Averages, OfRows
from csimodel.outcomes.models.duration.regression import CoxRegression

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


class SurvivalMembers(NamedTuple):
    """Whom survival is averaged over.

    Attributes
    ----------
    others
        Linear predictor without the index that is set, (draws, members).
    stratum
        (members,)
    share
        How much each member counts, summing to 1 in each draw, (draws, members).
    """

    others: Floats
    stratum: Codes
    share: Floats


def average_survival(
    members: SurvivalMembers, hazard: Floats, slope: Floats, step: Floats
) -> Floats:
    """Return mean survival, (draws, times, levels).

    ``S(t | x) = Σ share exp(-H_s(t) exp(slope (x - centre) + others))``.

    Parameters
    ----------
    members
        Whom to average over.
    hazard
        Cumulative hazard of mean regressors, (draws, strata, times).
    slope
        Coefficient of the index, (draws,).
    step
        Levels less the centre of the index, (levels,) or (draws, levels).
    """
    draws, _, times = hazard.shape
    level = np.broadcast_to(step, (draws, np.shape(step)[-1]))
    ratio = np.exp(members.others)
    averages = np.empty((draws, times, level.shape[1]))
    for t in range(times):
        own = hazard[:, members.stratum, t] * ratio
        for k in range(level.shape[1]):
            shifted = own * np.exp(slope * level[:, k])[:, None]
            averages[:, t, k] = np.einsum("dm,dm->d", members.share, np.exp(-shifted))
    return averages


def average_effect(eta: Floats, share: Floats, stratum: Codes, hazard: Floats) -> Floats:
    """Return mean ``h exp(-h)``, less the derivative of survival by η, (draws, times)."""
    ratio, averages = np.exp(eta), np.empty((len(eta), hazard.shape[2]))
    for t in range(hazard.shape[2]):
        h = hazard[:, stratum, t] * ratio
        averages[:, t] = np.einsum("dm,dm->d", share, h * np.exp(-h))
    return averages


def survival(regression: CoxRegression, moved: int, levels: Floats, times: Floats) -> Averages:
    """Return mean survival at levels of an index, (times · levels,), rows as given.

    The gradient is by coefficients and hazards, (times · levels, regressors + strata · times). One
    member stands for all where nothing but the index matters.
    """
    x, stratum, share = regression.hazard.columns, regression.risk.row_stratum, _share(regression)
    if len(regression.sample.names) == 1 and not stratum.any():
        x, stratum, share = x[:1], stratum[:1], np.ones(1)

    def at(place: int, step: float) -> OfRows:
        def values(parameters: Floats) -> Floats:
            own = x.copy()
            own[:, moved] = step
            b, hazard = _parts(parameters, own.shape[1], times)
            return np.asarray(np.exp(-hazard[:, stratum, place] * np.exp(b @ own.T)))

        return values

    steps = levels - regression.centre[moved]
    functions = [at(place, step) for place in range(len(times)) for step in steps]
    return _averages(regression, functions, times, share)


def effects(regression: CoxRegression, moved: int, times: Floats) -> Averages:
    """Return the mean derivative of survival by an index, (times,), as `survival`."""
    x, stratum = regression.hazard.columns, regression.risk.row_stratum

    def at(place: int) -> OfRows:
        def values(parameters: Floats) -> Floats:
            b, hazard = _parts(parameters, x.shape[1], times)
            h = hazard[:, stratum, place] * np.exp(b @ x.T)
            return np.asarray(-b[:, [moved]] * h * np.exp(-h))

        return values

    functions = [at(place) for place in range(len(times))]
    return _averages(regression, functions, times, _share(regression))


def _averages(
    regression: CoxRegression, functions: list[OfRows], times: Floats, share: Floats
) -> Averages:
    """Average functions of coefficients and hazards; steps of hazards are of their size."""
    hazard = regression.cumulative_hazard(times).ravel()
    parameters = np.concatenate([regression.coefficients, hazard])
    variances = np.concatenate([np.diagonal(regression.covariance), hazard**2])
    averages = Averages.of(functions, parameters, variances, share)
    if averages.individual is None:
        return averages
    return averages._replace(individual=regression.risk.as_given(averages.individual))


def _parts(parameters: Floats, regressors: int, times: Floats) -> tuple[Floats, Floats]:
    """Return coefficients, (any, regressors), and cumulative hazards, (any, strata, times)."""
    hazard = parameters[:, regressors:].reshape(len(parameters), -1, len(times))
    return parameters[:, :regressors], hazard


def _share(regression: CoxRegression) -> Floats:
    weights = regression.hazard.weights
    return np.asarray(weights / weights.sum())
