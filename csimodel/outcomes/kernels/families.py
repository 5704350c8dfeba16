"""Families of regressions: how the probability follows from the linear predictor.

A family is a value with four array functions; `Regression`, `RegressionDraws` and the results know
nothing else about it. NumPy only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import choose
from csimodel.translation import message

Floats = NDArray[np.float64]

_FAR = 25.0  # |η| beyond which a density is taken as at its end, so that nothing overflows


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
        ``"binary"`` (0 or 1), ``"share"`` (anything from 0 to 1), ``"open share"`` (between 0 and
        1) or ``"ordered"`` (answers in order, such as 1 to 10).
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
        information about η, and μ'(η), each of η's shape. Where there are `further` parameters
        this is the quasi-likelihood of the mean alone.
    further
        What is estimated besides coefficients: ``""``, ``"precision"`` or ``"thresholds"``.
    formula
        μ in writing, with ``{}`` where η stands.
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
    further: str = ""
    formula: str = "{}"

    def predict(self, b: Floats, design: Floats, along: Floats | None = None) -> Floats:
        """Return expected outcomes ``μ(x'b)``, or their derivatives ``μ'(x'b) d'b``, (..., rows).

        Parameters
        ----------
        b
            Coefficients, (..., terms).
        design
            Rows x, (rows, terms).
        along
            Derivative d of each row by what moves it, (rows, terms), or one for all.

        Examples
        --------
        >>> b, x = np.array([[0.0, 2.0]]), np.array([[1.0, 0.0]])
        >>> LOGIT.predict(b, x), LOGIT.predict(b, x, np.array([[0.0, 1.0]]))
        (array([[0.5]]), array([[0.5]]))
        """
        eta = b @ design.T
        return self.mean(eta) if along is None else self.slope(eta) * (b @ along.T)


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


def _probit(eta: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(ndtr(eta))


def _probit_slope(eta: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * eta**2) / np.sqrt(2.0 * np.pi))


def _probit_curvature(eta: Floats) -> Floats:
    return np.asarray(-eta * _probit_slope(eta))


def _probit_working(eta: Floats, outcome: Floats) -> tuple[Floats, Floats, Floats]:
    from scipy.special import ndtr

    eta = np.clip(eta, -_FAR, _FAR)
    mean, rest, slope = ndtr(eta), ndtr(-eta), _probit_slope(eta)
    pull = slope / (mean * rest)
    # (y - μ) would be lost to rounding where μ is next to 1
    return pull * (outcome * rest - (1.0 - outcome) * mean), pull * slope, slope


def _cloglog(eta: Floats) -> Floats:
    return np.asarray(-np.expm1(-np.exp(np.minimum(eta, _FAR))))


def _cloglog_slope(eta: Floats) -> Floats:
    eta = np.minimum(eta, _FAR)
    return np.asarray(np.exp(eta - np.exp(eta)))


def _cloglog_curvature(eta: Floats) -> Floats:
    eta = np.minimum(eta, _FAR)
    return np.asarray(_cloglog_slope(eta) * (1.0 - np.exp(eta)))


def _cloglog_working(eta: Floats, outcome: Floats) -> tuple[Floats, Floats, Floats]:
    eta = np.clip(eta, -20.0 * _FAR, _FAR)
    growth = np.exp(eta)
    mean, slope = -np.expm1(-growth), np.exp(eta - growth)
    pull = slope / mean
    return outcome * pull - (1.0 - outcome) * growth, pull * growth, slope


def _identity_working(eta: Floats, outcome: Floats) -> tuple[Floats, Floats, Floats]:
    ones = np.ones_like(eta)
    return outcome - eta, ones, ones


OLS = Family(
    name="ols",
    label=message("least squares"),
    outcome="share",
    scale=message("probability"),
    bounded=False,
    robust=False,
    mean=np.asarray,
    slope=np.ones_like,
    curvature=np.zeros_like,
    working=_identity_working,
)
WLS = replace(OLS, name="wls", label=message("weighted least squares"))
LOGIT = Family(
    name="logit",
    label=message("logit"),
    outcome="binary",
    scale=message("log-odds"),
    bounded=True,
    robust=False,
    mean=logistic,
    slope=_logistic_slope,
    curvature=_logistic_curvature,
    working=_logistic_working,
    formula="1 / (1 + exp(−({})))",
)
FRACTIONAL_LOGIT = replace(
    LOGIT, name="fractional-logit", label=message("fractional logit"), outcome="share", robust=True
)

PROBIT = Family(
    name="probit",
    label=message("probit"),
    outcome="binary",
    scale=message("probits"),
    bounded=True,
    robust=False,
    mean=_probit,
    slope=_probit_slope,
    curvature=_probit_curvature,
    working=_probit_working,
    formula="Φ({})",
)
FRACTIONAL_PROBIT = replace(
    PROBIT,
    name="fractional-probit",
    label=message("fractional probit"),
    outcome="share",
    robust=True,
)
CLOGLOG = Family(
    name="cloglog",
    label=message("complementary log-log"),
    outcome="binary",
    scale=message("log of the hazard"),
    bounded=True,
    robust=False,
    mean=_cloglog,
    slope=_cloglog_slope,
    curvature=_cloglog_curvature,
    working=_cloglog_working,
    formula="1 − exp(−exp({}))",
)
BETA = replace(
    LOGIT, name="beta", label=message("beta regression"), outcome="open share", further="precision"
)
ORDERED_LOGIT = replace(
    LOGIT,
    name="ordered-logit",
    label=message("ordered logit"),
    outcome="ordered",
    further="thresholds",
)
ORDERED_PROBIT = replace(
    PROBIT,
    name="ordered-probit",
    label=message("ordered probit"),
    outcome="ordered",
    further="thresholds",
)

FAMILIES = {
    family.name: family
    for family in (
        OLS,
        WLS,
        LOGIT,
        FRACTIONAL_LOGIT,
        PROBIT,
        FRACTIONAL_PROBIT,
        CLOGLOG,
        BETA,
        ORDERED_LOGIT,
        ORDERED_PROBIT,
    )
}


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
