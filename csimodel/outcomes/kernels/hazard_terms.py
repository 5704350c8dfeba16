"""What the likelihood of proportional hazards is made of, for many draws at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.risk_sets import RiskSets

Floats = NDArray[np.float64]


class HazardTerms(NamedTuple):
    """What the likelihood is made of at given coefficients; a part is a slot, or by Efron an event.

    Attributes
    ----------
    share
        Weight of the events that each part stands for, ω, (draws, parts).
    fraction
        How much of the tied events is taken out of the risk set, l/m, (draws, parts) or 0.
    total
        Σ w exp(η) over the risk set less that, (draws, parts).
    means
        Weighted mean of each regressor in it, each (draws, parts).
    risk
        w exp(η), (draws, counted).
    """

    share: Floats
    fraction: Floats | float
    total: Floats
    means: list[Floats]
    risk: Floats


def terms_of(risk: RiskSets, b: Floats, x: Sequence[Floats], w: Floats, efron: bool) -> HazardTerms:
    """Return what likelihood, derivatives and cumulative hazard are made of.

    `x` and `w` are of the respondents counted, in risk order.
    """
    r = w * np.exp(_predictor(b, x, w.shape))
    total = risk.at_risk(r)
    first = [risk.at_risk(r * column) for column in x]
    share = risk.at_events(w)
    fraction: Floats | float = 0.0
    if efron and risk.tied:
        slot = risk.event_slot
        number = np.maximum(risk.at_events((w > 0).astype(np.float64))[:, slot], 1.0)
        fraction = np.minimum(risk.event_rank / number, 1.0)
        share = np.where(risk.event_rank < number, share[:, slot] / number, 0.0)
        total = total[:, slot] - fraction * risk.at_events(r)[:, slot]
        first = [
            sums[:, slot] - fraction * risk.at_events(r * column)[:, slot]
            for sums, column in zip(first, x, strict=True)
        ]
    total = np.where(share > 0, total, 1.0)
    return HazardTerms(share, fraction, total, [sums / total for sums in first], r)


def hazard_steps(risk: RiskSets, terms: HazardTerms) -> Floats:
    """Return the steps of the cumulative hazard of η = 0 at each slot, (draws, slots)."""
    return by_slot(risk, terms.share / terms.total)


def by_slot(risk: RiskSets, parts: Floats) -> Floats:
    """Sum parts within slots, (draws, parts) to (draws, slots)."""
    if parts.shape[1] == len(risk.time):
        return parts
    return np.asarray(np.add.reduceat(parts, risk.event_starts, axis=1))


def second_sums(risk: RiskSets, terms: HazardTerms, column: Floats, other: Floats) -> Floats:
    """Return the weighted mean of the product of two regressors in each part, (draws, parts)."""
    product = terms.risk * column * other
    sums = risk.at_risk(product)
    if not isinstance(terms.fraction, float):
        slot = risk.event_slot
        sums = sums[:, slot] - terms.fraction * risk.at_events(product)[:, slot]
    return sums / terms.total


def _predictor(b: Floats, x: Sequence[Floats], shape: tuple[int, ...]) -> Floats:
    eta = np.zeros(shape)
    for j, column in enumerate(x):
        eta += b[:, j, None] * column
    return eta


def log_likelihood(
    risk: RiskSets, terms: HazardTerms, b: Floats, x: Sequence[Floats], w: Floats
) -> Floats:
    """Return the logarithm of the partial likelihood, (draws,)."""
    eta = _predictor(b, x, w.shape)[:, risk.events]
    own = (w[:, risk.events] * eta).sum(axis=1)
    return np.asarray(own - (terms.share * np.log(terms.total)).sum(axis=1))
