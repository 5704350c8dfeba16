"""Families of regressions: how the probability follows from the linear predictor.

A family is a value with four array functions; `Regression`, `Chain` and the results know
nothing else about it. NumPy only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import choose

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """How an outcome from 0 to 1 depends on the linear predictor η.

    Attributes
    ----------
    name
        What the option is called.
    label
        What tables call it.
    outcome
        ``"binary"`` (0 or 1) or ``"share"`` (anything from 0 to 1).
    scale
        What one unit of a coefficient is.
    bounded
        Whether predictions stay between 0 and 1.
    robust
        Whether only robust errors are right.
    mean, slope, curvature
        μ(η) and its first and second derivative.
    working
        From η and the outcome to the derivative of the log-likelihood by η, the expected
        information about η, and μ'(η), each of η's shape.
    """

    name: str
    label: str
    outcome: str
    scale: str
    bounded: bool
    robust: bool
    mean: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    curvature: Callable[[Floats], Floats]
    working: Callable[[Floats, Floats], tuple[Floats, Floats, Floats]]


def logistic(eta: Floats) -> Floats:
    """Return ``1 / (1 + exp(-η))``, for any η without overflow."""
    mean: Floats = np.tanh(eta * 0.5)
    mean *= 0.5
    mean += 0.5
    return mean


def _logistic_slope(eta: Floats) -> Floats:
    mean = logistic(eta)
    return mean * (1.0 - mean)


def _logistic_curvature(eta: Floats) -> Floats:
    mean = logistic(eta)
    return mean * (1.0 - mean) * (1.0 - 2.0 * mean)


def _logistic_working(eta: Floats, outcome: Floats) -> tuple[Floats, Floats, Floats]:
    mean = logistic(eta)
    slope = 1.0 - mean
    slope *= mean
    return outcome - mean, slope, slope


def _identity_working(eta: Floats, outcome: Floats) -> tuple[Floats, Floats, Floats]:
    one = np.ones_like(eta)
    return outcome - eta, one, one


OLS = Family(
    name="ols",
    label="least squares",
    outcome="share",
    scale="probability",
    bounded=False,
    robust=False,
    mean=np.asarray,
    slope=np.ones_like,
    curvature=np.zeros_like,
    working=_identity_working,
)
LOGIT = Family(
    name="logit",
    label="logit",
    outcome="binary",
    scale="log-odds",
    bounded=True,
    robust=False,
    mean=logistic,
    slope=_logistic_slope,
    curvature=_logistic_curvature,
    working=_logistic_working,
)
FRACTIONAL_LOGIT = replace(
    LOGIT, name="fractional-logit", label="fractional logit", outcome="share", robust=True
)

FAMILIES = {family.name: family for family in (OLS, LOGIT, FRACTIONAL_LOGIT)}


def family_of(name: object) -> Family:
    """Return a family by its name.

    Raises
    ------
    OptionError
        For an unknown name.

    Examples
    --------
    >>> family_of("logit").scale
    'log-odds'
    """
    return FAMILIES[choose("family", name, FAMILIES)]
