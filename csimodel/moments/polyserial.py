"""Correlations with continuous items: polyserial with ordered ones, ordinary among themselves.

All arrays are (rows, pairs). Respondents who gave the same two answers may share a row, which then
has their weight.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.bivariate import normal_pdf
from csimodel.moments.correlation_likelihood import likeliest_correlations

Floats = NDArray[np.float64]

_LEAST = 1e-300


class SerialScores(NamedTuple):
    """Derivatives of each respondent's log-likelihood, (rows, pairs).

    Attributes
    ----------
    rho
        In the correlation.
    z
        In the standardised value of the continuous item.
    upper, lower
        In the thresholds above and below the answer.
    """

    rho: Floats
    z: Floats
    upper: Floats
    lower: Floats


def polyserial_correlations(z: Floats, lower: Floats, upper: Floats, share: Floats) -> Floats:
    """Return the polyserial correlation of each column, given thresholds, means and variances.

    An answer between the thresholds `lower` and `upper` has, given the standardised value z,
    the probability ``Φ(u(upper)) - Φ(u(lower))``, ``u(τ) = (τ - ρz) / √(1 - ρ²)``;
    ρ maximises the sum of its logarithms.

    Parameters
    ----------
    z
        Standardised values, (rows, pairs).
    lower, upper
        Thresholds around each answer, ±`FAR` at the ends, (rows, pairs).
    share
        Weights, summing to 1 in each column, (rows, pairs).

    References
    ----------
    Olsson, Drasgow and Dorans (1982), doi:10.1007/BF02294164, the two-step estimator.

    Examples
    --------
    Values at ±1 and answers that agree in sign with 3 of 4, where ``Φ(ρ / √(1 - ρ²)) = 3/4``:

    >>> from csimodel.moments.bivariate import FAR
    >>> z = np.repeat([[-1.0], [1.0]], 4, axis=0)
    >>> high = np.array([[0, 0, 0, 1, 1, 1, 1, 0]]).T == 1
    >>> low_edge, high_edge = np.where(high, 0, -FAR), np.where(high, FAR, 0)
    >>> polyserial_correlations(z, low_edge, high_edge, np.full((8, 1), 1 / 8)).round(4)
    array([0.5592])
    """

    def slopes(rho: Floats, at: NDArray[np.intp]) -> tuple[Floats, Floats]:
        first, second = _slopes(rho, z[:, at], lower[:, at], upper[:, at])
        return (share[:, at] * first).sum(axis=0), (share[:, at] * second).sum(axis=0)

    answer = np.clip(lower, -4.0, 4.0) + np.clip(upper, -4.0, 4.0)
    answer = answer - (share * answer).sum(axis=0)
    start = (share * answer * z).sum(axis=0) / np.sqrt((share * answer**2).sum(axis=0))
    return likeliest_correlations(slopes, start)


def _slopes(rho: Floats, z: Floats, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    rest = 1.0 - rho * rho
    probability = _between(rho, z, lower, upper)
    first, second = np.zeros(z.shape), np.zeros(z.shape)
    for threshold, sign in ((upper, 1.0), (lower, -1.0)):
        u = (threshold - rho * z) / np.sqrt(rest)
        turn = (threshold * rho - z) / rest**1.5
        bend = threshold / rest**1.5 + 3.0 * rho * turn / rest
        density = sign * normal_pdf(u)
        first += density * turn
        second += density * (bend - u * turn**2)
    first, second = first / probability, second / probability
    return first, second - first**2


def _between(rho: Floats, z: Floats, lower: Floats, upper: Floats) -> Floats:
    """Return the probability of each answer given z, accurate in both tails."""
    from scipy.special import ndtr

    root = np.sqrt(1.0 - rho * rho)
    low, high = (lower - rho * z) / root, (upper - rho * z) / root
    turned = low > 0.0
    low, high = np.where(turned, -high, low), np.where(turned, -low, high)
    return np.asarray(np.maximum(ndtr(high) - ndtr(low), _LEAST))


def polyserial_scores(rho: Floats, z: Floats, lower: Floats, upper: Floats) -> SerialScores:
    """Return the scores of an ordered with a continuous item; arguments as for the correlation."""
    root = np.sqrt(1.0 - rho * rho)
    probability = _between(rho, z, lower, upper)
    above, below = (normal_pdf((edge - rho * z) / root) / probability for edge in (upper, lower))
    first = (above * (upper * rho - z) - below * (lower * rho - z)) / root**3
    return SerialScores(first, -z - rho / root * (above - below), above / root, -below / root)


def polyserial_curvature(rho: Floats, z: Floats, lower: Floats, upper: Floats) -> SerialScores:
    """Return ``-∂²ℓ/∂ρ∂·`` by the correlation itself, by z and by the thresholds above and below.

    Examples
    --------
    A step in ρ against one in z, where the score moves alike by both routes:

    >>> rho, z, low, high = np.array([0.4]), *(np.full((1, 1), x) for x in (0.3, -0.2, 0.9))
    >>> ahead, back = (polyserial_scores(rho, z + e, low, high).rho for e in (1e-6, -1e-6))
    >>> by_z = polyserial_curvature(rho, z, low, high).z
    >>> bool(np.isclose(by_z, (back - ahead) / 2e-6, rtol=1e-6)[0, 0])
    True
    """
    root = np.sqrt(1.0 - rho * rho)
    first = polyserial_scores(rho, z, lower, upper)
    _, second = _slopes(rho, z, lower, upper)
    by_z, own = np.zeros(z.shape), {}
    for name, edge, sign in (("upper", upper, 1.0), ("lower", lower, -1.0)):
        u, turn = (edge - rho * z) / root, edge * rho - z
        density = sign * normal_pdf(u) / (_between(rho, z, lower, upper) * root**3)
        own[name] = density * (rho - u * turn / root)
        by_z += density * (rho / root * u * turn - 1.0)
    by_z -= first.rho * (first.z + z)
    return SerialScores(
        rho=-second,
        z=-by_z,
        upper=first.rho * first.upper - own["upper"],
        lower=first.rho * first.lower - own["lower"],
    )


def normal_scores(rho: Floats, z: Floats, other: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the scores of two continuous items in ρ, in z and in the other's z, (rows, pairs).

    Examples
    --------
    >>> [float(s[0, 0]) for s in normal_scores(np.zeros(1), np.ones((1, 1)), np.ones((1, 1)))]
    [1.0, -1.0, -1.0]
    """
    rest = 1.0 - rho * rho
    by_z, by_other = (rho * other - z) / rest, (rho * z - other) / rest
    return rho / rest + by_z * by_other, by_z, by_other
