"""Confidence limits and p-values from an estimate, its standard error and degrees of freedom.

The only place where they are computed. With infinitely many degrees of freedom t is the normal
distribution.

References
----------
Korn, E. L., Graubard, B. I. (1990). Simultaneous testing of regression coefficients with complex
survey data: use of Bonferroni t statistics. The American Statistician 44, 270-276.
https://doi.org/10.1080/00031305.1990.10475737
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.options import require_level

Floats = NDArray[np.float64]


def t_quantile(probability: float, df: ArrayLike) -> Floats:
    """Return quantiles of t with these degrees of freedom, the shape of `df`; NaN for 0.

    >>> t_quantile(0.975, [1, 10, np.inf]).round(3)
    array([12.706,  2.228,  1.96 ])
    """
    from scipy.special import ndtri, stdtrit

    degrees = np.asarray(df, dtype=np.float64)
    usable = degrees > 0
    finite = usable & np.isfinite(degrees)
    quantile = stdtrit(np.where(finite, degrees, 1.0), probability)
    return np.asarray(
        np.where(finite, quantile, np.where(usable, float(ndtri(probability)), np.nan))
    )


def t_limits(
    estimate: Floats, se: Floats, df: ArrayLike, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Return ``estimate ∓ t((1 + level)/2; df) se``; NaN without an error or degrees of freedom.

    >>> t_limits(np.array([10.0]), np.array([1.0]), 10)
    (array([7.7718...]), array([12.228...]))
    """
    reach = t_quantile(0.5 + require_level(level) / 2.0, df) * se
    return estimate - reach, estimate + reach


def t_pvalue(estimate: Floats, se: Floats, df: ArrayLike, null: float = 0.0) -> Floats:
    """Return the two-sided p-value of ``estimate = null``; NaN without an error.

    >>> t_pvalue(np.array([2.228]), np.array([1.0]), 10).round(3)
    array([0.05])
    """
    from scipy.special import ndtr, stdtr

    degrees = np.broadcast_to(np.asarray(df, dtype=np.float64), np.shape(estimate))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        far = -np.abs((estimate - null) / np.where(se > 0, se, np.nan))
    finite = np.isfinite(degrees) & (degrees > 0)
    tail = np.where(finite, stdtr(np.where(finite, degrees, 1.0), far), ndtr(far))
    return np.asarray(np.where(degrees > 0, 2.0 * tail, np.nan))


def chisq_pvalue(statistic: ArrayLike, df: ArrayLike) -> Floats:
    """Return the probability of a larger χ²; NaN without degrees of freedom.

    >>> float(chisq_pvalue(5.991, 2).round(3))
    0.05
    """
    from scipy.special import chdtrc

    degrees = np.asarray(df, dtype=np.float64)
    tail = chdtrc(np.where(degrees > 0, degrees, 1.0), statistic)
    return np.asarray(np.where(degrees > 0, tail, np.nan))


def wald_pvalue(wald: float, parameters: int, df: float = np.inf) -> float:
    """Return the p-value of a Wald statistic ``W = b'V⁻¹b`` of several parameters.

    χ² with k degrees of freedom where the error is known well; with d degrees of freedom of the
    design ``(d - k + 1)/(k d) W`` as F(k, d - k + 1); NaN where d < k.

    >>> round(wald_pvalue(5.991, 2), 3), round(wald_pvalue(5.991, 2, 10), 3)
    (0.05, 0.121)
    """
    if parameters < 1 or not np.isfinite(wald):
        return float("nan")
    if np.isinf(df):
        return float(chisq_pvalue(wald, parameters))
    left = df - parameters + 1.0
    if left <= 0:
        return float("nan")
    return f_pvalue(wald * left / (parameters * df), parameters, left)


def f_pvalue(statistic: float, numerator: int, df: float) -> float:
    """Return the probability of a larger F.

    >>> round(f_pvalue(4.103, 2, 10), 3)
    0.05
    """
    from scipy.special import fdtrc

    return float(fdtrc(numerator, df, statistic))
