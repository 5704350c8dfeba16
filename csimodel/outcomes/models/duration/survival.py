"""Survival at levels of the index, averaged over respondents, for many draws at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.models.duration.regression import CoxRegression

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


class Members(NamedTuple):
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


def average_survival(members: Members, hazard: Floats, slope: Floats, step: Floats) -> Floats:
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


def members_of(regression: CoxRegression, moved: int) -> tuple[Members, Floats]:
    """Return whom to average over in the sample, and their regressors, (members, regressors).

    One member stands for all where nothing but the index matters.
    """
    sample, stratum = regression.sample, regression.risk.row_stratum
    x = regression.columns.copy()
    share = regression.weights / regression.weights.sum()
    x[:, moved] = 0.0
    if len(sample.names) == 1 and not stratum.any():
        x, stratum, share = x[:1], stratum[:1], np.ones(1)
    return Members((x @ regression.coefficients)[None], stratum, share[None]), x


def survival(
    regression: CoxRegression, moved: int, levels: Floats, times: Floats
) -> tuple[Floats, Floats]:
    """Return survival, (times · levels,), and its gradient by coefficients and hazards.

    The gradient is (times · levels, regressors + strata · times).
    """
    members, x = members_of(regression, moved)
    hazard = regression.cumulative_hazard(times)
    step = levels - regression.centre[moved]
    b, share = regression.coefficients, members.share[0]
    value = average_survival(members, hazard[None], b[[moved]], step)[0]
    strata, p = len(hazard), len(b)
    gradient = np.zeros((len(times), len(levels), p + strata * len(times)))
    for t in range(len(times)):
        for k, at in enumerate(step):
            ratio = np.exp(members.others[0] + b[moved] * at)
            h = hazard[members.stratum, t] * ratio
            falling = -share * np.exp(-h)
            own = x.copy()
            own[:, moved] = at
            gradient[t, k, :p] = (falling * h) @ own
            gradient[t, k, p + t :: len(times)] = np.bincount(
                members.stratum, falling * ratio, strata
            )
    return value.ravel(), gradient.reshape(-1, gradient.shape[-1])


def respondents_survival(
    regression: CoxRegression, moved: int, levels: Floats, times: Floats
) -> Floats | None:
    """Return the survival of each respondent, rows as given, (rows, times · levels).

    None where it is the same for all.
    """
    members, _ = members_of(regression, moved)
    if len(members.stratum) < regression.sample.n:
        return None
    hazard = regression.cumulative_hazard(times)[members.stratum]
    step = regression.coefficients[moved] * (levels - regression.centre[moved])
    ratio = np.exp(members.others[0][:, None] + step)
    curves = np.exp(-hazard[:, :, None] * ratio[:, None, :])
    return regression.as_given(curves.reshape(len(curves), -1))


def respondents_effects(regression: CoxRegression, moved: int, times: Floats) -> Floats:
    """Return the derivative of each respondent's survival by an index, (rows, times)."""
    hazard = regression.cumulative_hazard(times)[regression.risk.row_stratum]
    h = hazard * np.exp(regression.columns @ regression.coefficients)[:, None]
    return regression.as_given(-regression.coefficients[moved] * h * np.exp(-h))


def effects(regression: CoxRegression, moved: int, times: Floats) -> tuple[Floats, Floats]:
    """Return the mean derivative of survival by an index, (times,), and its gradient."""
    b, x = regression.coefficients, regression.columns
    stratum, share = regression.risk.row_stratum, regression.weights / regression.weights.sum()
    hazard = regression.cumulative_hazard(times)
    ratio, strata, p = np.exp(x @ b), len(hazard), len(b)
    value = np.empty(len(times))
    gradient = np.zeros((len(times), p + strata * len(times)))
    for t in range(len(times)):
        h = hazard[stratum, t] * ratio
        fall = share * h * np.exp(-h)
        value[t] = -b[moved] * fall.sum()
        gradient[t, :p] = -b[moved] * ((fall * (1.0 - h)) @ x)
        gradient[t, moved] -= fall.sum()
        inner = share * ratio * np.exp(-h) * (1.0 - h)
        gradient[t, p + t :: len(times)] = -b[moved] * np.bincount(stratum, inner, strata)
    return value, gradient
