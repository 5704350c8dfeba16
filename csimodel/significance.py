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
from csimodel.translation import message

Floats = NDArray[np.float64]

NO_ESTIMATE = message("no estimate")
BY_CONSTRUCTION = message("the same in every sample, by construction")
_TIE = 1e-10  # of a statistic: permutations this near are ties, which rounding must not settle


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


def wilson_limits(share: ArrayLike, size: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return Wilson's limits of a share among `size` independent answers; NaN without any.

    ``(p + z²/2n ∓ z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n)``, within 0 to 1 always.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association 22, 209-212.
    https://doi.org/10.1080/01621459.1927.10502953

    Examples
    --------
    >>> [round(float(limit), 3) for limit in wilson_limits(0.8, 10)]
    [0.49, 0.943]
    """
    p, n = np.asarray(share, dtype=np.float64), np.asarray(size, dtype=np.float64)
    z = float(t_quantile(0.5 + require_level(level) / 2.0, np.inf))
    with np.errstate(invalid="ignore", divide="ignore"):
        part = z**2 / np.where(n > 0, n, np.nan)
        middle = (p + part / 2.0) / (1.0 + part)
        reach = np.sqrt(part * p * (1.0 - p) + part**2 / 4.0) / (1.0 + part)
    return np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0)


def logit_limits(
    share: ArrayLike, se: ArrayLike, df: ArrayLike, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Return limits of a share by t on its logit, within 0 to 1; NaN at 0 and 1.

    ``logit⁻¹(logit p ∓ t((1 + level)/2; df) se/(p (1 - p)))``, as R's ``svyciprop`` has them.

    References
    ----------
    Korn, E. L., Graubard, B. I. (1999). Analysis of Health Surveys, section 3.6. Wiley.

    Examples
    --------
    >>> [round(float(limit), 3) for limit in logit_limits(0.8, 0.126, 9)]
    [0.402, 0.96]
    """
    from scipy.special import expit, logit

    p, error = np.asarray(share, dtype=np.float64), np.asarray(se, dtype=np.float64)
    inner = np.where((p > 0) & (p < 1), p, np.nan)
    reach = t_quantile(0.5 + require_level(level) / 2.0, df) * error / (inner * (1.0 - inner))
    return np.asarray(expit(logit(inner) - reach)), np.asarray(expit(logit(inner) + reach))


def holm(pvalues: ArrayLike) -> Floats:
    """Return p-values corrected for their number by Holm's step-down method; NaN is no test.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal
    of Statistics 6, 65-70. https://www.jstor.org/stable/4615733

    Examples
    --------
    >>> holm([0.01, 0.04, float("nan"), 0.03]).round(3)
    array([0.03, 0.06,  nan, 0.06])
    """
    p = np.asarray(pvalues, dtype=np.float64)
    order = np.argsort(p)[: np.isfinite(p).sum()]
    left = np.arange(len(order), 0, -1)
    corrected = np.full(len(p), np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * left), 1.0)
    return corrected


def noncentral_chisq(statistic: float, df: float, noncentrality: float) -> float:
    """Return the probability of a smaller noncentral χ².

    >>> round(noncentral_chisq(5.991, 2, 0.0), 3)
    0.95
    """
    from scipy.special import chdtr, chndtr

    if noncentrality == 0.0:
        return float(chdtr(df, statistic))
    return float(chndtr(statistic, df, noncentrality))


def noncentrality(statistic: float, df: float, below: float) -> float:
    """Return the noncentrality under which a χ² is smaller with probability `below`; 0 if none.

    >>> round(noncentral_chisq(20.0, 5, noncentrality(20.0, 5, 0.05)), 6)
    0.05
    """
    from scipy.special import chndtrinc

    if noncentral_chisq(statistic, df, 0.0) <= below:
        return 0.0
    return float(chndtrinc(statistic, df, below))


def normal_score(p: ArrayLike) -> Floats:
    """Return the |z| that has a two-sided p-value.

    >>> normal_score([0.05, 1.0]).round(2)
    array([1.96, 0.  ])
    """
    from scipy.special import ndtri

    return np.asarray(np.abs(ndtri(np.maximum(np.asarray(p, dtype=np.float64), 1e-300) / 2.0)))


def f_pvalue(statistic: float, numerator: int, df: float) -> float:
    """Return the probability of a larger F.

    >>> round(f_pvalue(4.103, 2, 10), 3)
    0.05
    """
    from scipy.special import fdtrc

    return float(fdtrc(numerator, df, statistic))


def adjusted_pvalues(p: ArrayLike, method: str) -> Floats:
    """Return p-values of several tests at once; NaN ones are no tests.

    ``"holm"`` (see `holm`) holds the probability of any false discovery, ``"bh"`` (Benjamini and
    Hochberg) the expected share of false ones among those discovered.

    References
    ----------
    Benjamini, Y., Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal
    Statistical Society B 57, 289-300. https://doi.org/10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> adjusted_pvalues([0.01, 0.04, np.nan, 0.03], "holm").round(2).tolist()
    [0.03, 0.06, nan, 0.06]
    >>> adjusted_pvalues([0.01, 0.04, np.nan, 0.03], "bh").round(2).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    if method == "holm":
        return holm(p)
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(len(values), np.nan)
    order = np.argsort(values)[: np.isfinite(values).sum()]
    scaled = values[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def permutation_pvalue(statistic: Floats, permuted: Floats, tail: str = "two") -> Floats:
    """Return p-values from a statistic in permutations, (entries,); NaN where nothing is known.

    ``(1 + #{T* as far out as T}) / (1 + permutations)``: what was seen is one of the labellings, so
    p is never 0. Values equal but for rounding are ties, and count.

    Parameters
    ----------
    statistic
        (entries,)
    permuted
        (permutations, entries); NaN entries are left out of their column.
    tail
        ``"two"``: as far from 0; ``"upper"``: as large; ``"lower"``: as small; ``"double"``: twice
        the smaller of upper and lower, at most 1.

    References
    ----------
    Phipson, B., Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical
    Applications in Genetics and Molecular Biology 9(1), 39. https://doi.org/10.2202/1544-6115.1585

    Examples
    --------
    >>> permuted = np.array([[-2.0], [0.5], [1.0], [3.0]])
    >>> [float(permutation_pvalue(np.array([2.0]), permuted, tail)[0])
    ...  for tail in ("two", "upper", "lower", "double")]
    [0.6, 0.4, 0.8, 0.8]
    """
    if tail == "double":
        upper, lower = (permutation_pvalue(statistic, permuted, t) for t in ("upper", "lower"))
        return np.minimum(2.0 * np.minimum(upper, lower), 1.0)
    if tail == "two":
        statistic, permuted, tail = np.abs(statistic), np.abs(permuted), "upper"
    sign = 1.0 if tail == "upper" else -1.0
    rounding = _TIE * np.maximum(1.0, np.abs(statistic))
    count = (sign * permuted >= sign * statistic - rounding).sum(axis=0)
    usable = np.isfinite(permuted).sum(axis=0)
    known = np.isfinite(statistic) & (usable > 0)
    return np.asarray(np.where(known, (1.0 + count) / (1.0 + usable), np.nan))
