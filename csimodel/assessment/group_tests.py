"""Published tests of differences between groups, from bootstrap draws or permutations.

With b₁, b₂ the estimates of two groups, s₁, s₂ the standard deviations of their draws and n₁, n₂
their respondents, each test below says how ``b₁ - b₂`` is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from csimodel.assessment.global_fit import geodesic
from csimodel.estimators import Solution

Floats = NDArray[np.float64]
StandardError = Callable[[Floats, Floats, float, float], tuple[Floats, Floats]]


def parametric(s1: Floats, s2: Floats, n1: float, n2: float) -> tuple[Floats, Floats]:
    """Return ``√(s₁² + s₂²)`` and Satterthwaite's degrees of freedom.

    ``(s₁² + s₂²)² / (s₁⁴/(n₁ - 1) + s₂⁴/(n₂ - 1))``: the error of a difference of independent
    estimates.

    References
    ----------
    Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components.
    Biometrics Bulletin 2, 110-114. https://doi.org/10.2307/3002019

    Examples
    --------
    >>> se, df = parametric(np.array([0.3]), np.array([0.4]), 11, 21)
    >>> se.round(3).tolist(), df.round(3).tolist()
    ([0.5], [29.904])
    """
    a, b = s1**2, s2**2
    return np.sqrt(a + b), (a + b) ** 2 / (a**2 / (n1 - 1.0) + b**2 / (n2 - 1.0))


def welch(s1: Floats, s2: Floats, n1: float, n2: float) -> tuple[Floats, Floats]:
    """Return the error and degrees of freedom of the Welch-Satterthwaite test of PLS.

    ``√(u₁ + u₂)`` with ``uᵢ = (nᵢ - 1)/nᵢ sᵢ²``, and ``|(u₁ + u₂)²/(u₁²/(n₁ - 1) + u₂²/(n₂ - 1)) -
    2|``, not rounded.

    References
    ----------
    Sarstedt, M., Henseler, J., Ringle, C. M. (2011). Multigroup analysis in partial least squares
    (PLS) path modeling. Advances in International Marketing 22, 195-218.
    https://doi.org/10.1108/S1474-7979(2011)0000022012
    """
    a, b = (n1 - 1.0) / n1 * s1**2, (n2 - 1.0) / n2 * s2**2
    df = (a + b) ** 2 / (a**2 / (n1 - 1.0) + b**2 / (n2 - 1.0)) - 2.0
    return np.sqrt(a + b), np.abs(df)


def nitzl(s1: Floats, s2: Floats, n1: float, n2: float) -> tuple[Floats, Floats]:
    """Return the same error with degrees of freedom rounded to a whole number.

    References
    ----------
    Nitzl, C. (2010). Eine anwenderorientierte Einführung in die Partial Least Square
    (PLS)-Methode. Universität Hamburg. https://doi.org/10.2139/ssrn.2097324
    """
    se, df = welch(s1, s2, n1, n2)
    return se, np.rint(df)


def keil(s1: Floats, s2: Floats, n1: float, n2: float) -> tuple[Floats, Floats]:
    """Return the pooled error, of equal variances, and ``n₁ + n₂ - 2`` degrees of freedom.

    ``√((n₁-1)²/(n₁+n₂-2) s₁² + (n₂-1)²/(n₁+n₂-2) s₂²) √(1/n₁ + 1/n₂)``.

    References
    ----------
    Keil, M., Tan, B. C. Y., Wei, K.-K., Saarinen, T., Tuunainen, V., Wassenaar, A. (2000). A
    cross-cultural study on escalation of commitment behavior in software projects. MIS Quarterly
    24(2), 299-325. https://doi.org/10.2307/3250940
    """
    df = n1 + n2 - 2.0
    pooled = ((n1 - 1.0) ** 2 * s1**2 + (n2 - 1.0) ** 2 * s2**2) / df
    return np.sqrt(pooled * (1.0 / n1 + 1.0 / n2)), np.full(len(s1), df)


BY_T: Mapping[str, StandardError] = {
    "parametric": parametric,
    "welch": welch,
    "nitzl": nitzl,
    "keil": keil,
}
"""Tests by t: from draws' standard deviations and rows to an error and its degrees of freedom."""


def order_probability(first: Floats, second: Floats) -> Floats:
    """Return Henseler's probability that the first parameter is not the larger, (entries,).

    ``1 - Σᵢⱼ Θ(2 b̄₁ - b₁ᵢ - 2 b̄₂ + b₂ⱼ)/(B₁ B₂)`` with Θ 1 above 0: draws reflected about their
    mean, every one of a group against every one of the other. Near 0 the first is larger, near 1
    the second. (cSEM moves draws to the estimate in place of reflecting them.)

    Parameters
    ----------
    first, second
        Draws, (draws, entries); rows with NaN are left out.

    References
    ----------
    Henseler, J., Ringle, C. M., Sinkovics, R. R. (2009). The use of partial least squares path
    modeling in international marketing. Advances in International Marketing 20, 277-319.
    https://doi.org/10.1108/S1474-7979(2009)0000020014

    Examples
    --------
    >>> order_probability(np.array([[1.0], [2.0]]), np.array([[0.0], [1.5]])).tolist()
    [0.25]
    """
    probabilities = []
    for own, other in zip(first.T, second.T, strict=True):
        own, other = own[np.isfinite(own)], other[np.isfinite(other)]
        if not len(own) or not len(other):
            probabilities.append(np.nan)
            continue
        own, other = 2.0 * own.mean() - own, np.sort(2.0 * other.mean() - other)
        below = np.searchsorted(other, own, side="left").sum()
        probabilities.append(1.0 - float(below) / (len(own) * len(other)))
    return np.array(probabilities)


def variance_ratio(draws: Floats, labels: NDArray[np.intp], groups: int) -> Floats:
    """Return F of an analysis of variance of draws by group, (labellings, entries).

    ``Σ_g B_g (b̄_g - b̄)²/(G - 1)`` over ``Σ_g Σᵢ (b_gᵢ - b̄_g)²/(N - G)`` with N draws of all groups.

    Parameters
    ----------
    draws
        Of all groups, (draws, entries).
    labels
        Group of each draw, (labellings, draws).
    groups
        How many there are.

    References
    ----------
    Sarstedt, M., Henseler, J., Ringle, C. M. (2011).
    https://doi.org/10.1108/S1474-7979(2011)0000022012

    Examples
    --------
    >>> variance_ratio(np.array([[1.0], [2.0], [4.0], [5.0]]), np.array([[0, 0, 1, 1]]), 2).tolist()
    [[18.0]]
    """
    centred = draws - draws.mean(axis=0)
    between = np.zeros((len(labels), draws.shape[1]))
    for group in range(groups):
        member = (labels == group).astype(np.float64)
        between += (member @ centred) ** 2 / member.sum(axis=1, keepdims=True)
    within = (centred**2).sum(axis=0) - between
    degrees = len(draws) - groups
    return np.asarray(between / (groups - 1.0) / (within / degrees))


def distances(solution: Solution, groups: int) -> Floats:
    """Return mean distances between the groups' implied correlations, (labellings, 4).

    Geodesic ``½ Σₖ (ln φₖ)²``, φ the eigenvalues of ``Σ₁⁻¹ Σ₂``, and squared Euclidean ``½ Σᵢₖ
    (σ₁ᵢₖ - σ₂ᵢₖ)²``, of items, then of constructs; the mean over every two groups. Natural
    logarithms (cSEM takes those to base 10), and construct variances of 1 in what the paths imply.

    References
    ----------
    Klesel, M., Schuberth, F., Henseler, J., Niehaves, B. (2019). A test for multigroup comparison
    using partial least squares path modeling. Internet Research 29(3), 464-477.
    https://doi.org/10.1108/IntR-11-2017-0418
    """
    columns = []
    for implied in (solution.implied_cor(), solution.implied_construct_cor):
        parts = implied.reshape(groups, -1, *implied.shape[1:])
        pairs = [(parts[i], parts[j]) for i in range(groups) for j in range(i + 1, groups)]
        columns.append(np.mean([geodesic(a, b) for a, b in pairs], axis=0))
        euclidean = [0.5 * ((a - b) ** 2).sum(axis=(-2, -1)) for a, b in pairs]
        columns.append(np.mean(euclidean, axis=0))
    return np.stack(columns, axis=1)
