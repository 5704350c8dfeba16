"""Tests and intervals that need estimates and their covariance only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.inference.sources import NO_DEGREES, NO_ERROR
from csimodel.significance import f_pvalue, t_quantile, wald_pvalue

Floats = NDArray[np.float64]


def wald(
    value: Floats, covariance: Floats, df: float = float("inf"), *, design: bool = False
) -> pd.Series:
    """Test that all of several estimates are zero.

    ``W = b' V⁻¹ b``, χ² where the covariance is well known. With d residual degrees of freedom
    ``F = W/k``; where V itself is learnt from d clusters (or units less strata, or as many as its
    distribution is worth) it is Hotelling's T², ``F = (d - k + 1)/(k d) W`` with k and d - k + 1
    degrees of freedom. No test (NaN) when the covariance is unknown, singular, or d < k.

    Parameters
    ----------
    value, covariance
        (k,) and (k, k).
    df
        Degrees of freedom d; infinite for a χ² test.
    design
        Whether they are those of a sampling design.

    Returns
    -------
    Series
        statistic, distribution, p.

    References
    ----------
    Korn, E. L., Graubard, B. I. (1990). Simultaneous testing of regression coefficients with
    complex survey data: use of Bonferroni t statistics. The American Statistician 44, 270-276.
    https://doi.org/10.1080/00031305.1990.10475737

    Examples
    --------
    >>> wald(np.array([2.0]), np.array([[1.0]])).tolist()
    [4.0, 'χ²(1)', 0.0455]
    >>> wald(np.array([2.0, 0.0]), np.eye(2), 5, design=True).tolist()
    [1.6, 'F(2, 4)', 0.3086]
    """
    k = len(value)
    none = outcome_of_test(float("nan"), "none", float("nan"))
    if not (np.isfinite(value).all() and np.isfinite(covariance).all()):
        return none
    scale = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = covariance / np.outer(scale, scale)
    if not np.isfinite(unit).all() or np.linalg.matrix_rank(unit) < k:
        return none
    w = float(value / scale @ np.linalg.solve(unit, value / scale))
    return wald_of_statistic(w, k, df, design=design)


def wald_of_blocks(
    value: Floats,
    blocks: Sequence[tuple[NDArray[np.intp], Floats]],
    df: float,
    *,
    design: bool,
) -> pd.Series | None:
    """Test that several estimates are the same in all groups, whose covariance is made of blocks.

    The same as `wald` of the differences from the first group, which is ``W = Σ_c (b_c - X_c m)'
    V_c⁻¹ (b_c - X_c m)`` with the mean m weighted by ``V_c⁻¹``.

    Parameters
    ----------
    value
        (groups, estimates)
    blocks
        Sets of groups without covariances between sets: the groups, (some,), and their matrix,
        (some times estimates, some times estimates).
    df, design
        As in `wald`.

    Returns
    -------
    Series
        As of `wald`; None where a block is singular, which the differences need not be.

    Examples
    --------
    >>> blocks = [(np.array([g]), np.array([[1.0]])) for g in range(2)]
    >>> wald_of_blocks(np.array([[3.0], [1.0]]), blocks, np.inf, design=False).tolist()
    [2.0, 'χ²(1)', 0.157]
    """
    groups, k = value.shape
    if not np.isfinite(value).all() or not all(np.isfinite(block).all() for _, block in blocks):
        return outcome_of_test(float("nan"), "none", float("nan"))
    centred = value - value.mean(axis=0)
    precision, pull, solutions = np.zeros((k, k)), np.zeros(k), []
    for size in sorted({len(members) for members, _ in blocks}):
        alike = [block for block in blocks if len(block[0]) == size]
        covariance = np.stack([block for _, block in alike])
        scale = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))[:, :, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = covariance / (scale * np.swapaxes(scale, 1, 2))
        if not np.isfinite(unit).all() or (np.linalg.matrix_rank(unit) < size * k).any():
            return None
        members = np.stack([groups for groups, _ in alike])
        unity = np.tile(np.eye(k), (len(alike), size, 1))
        own = centred[members].reshape(len(alike), -1, 1)
        sums = np.concatenate([unity, own], axis=2) / scale
        solved = np.linalg.solve(unit, sums)
        whole = (np.swapaxes(sums, 1, 2) @ solved).sum(axis=0)
        precision, pull = precision + whole[:k, :k], pull + whole[:k, k]
        solutions.append((sums, solved))
    turn = np.append(-np.linalg.solve(precision, pull), 1.0)
    w = sum(float(((sums @ turn) * (solved @ turn)).sum()) for sums, solved in solutions)
    return wald_of_statistic(w, k * (groups - 1), df, design=design)


def wald_of_statistic(w: float, k: int, df: float, *, design: bool) -> pd.Series:
    """Return the test of ``W = b' V⁻¹ b`` of k estimates; further parameters as in `wald`."""
    if np.isinf(df):
        return outcome_of_test(w, f"χ²({k})", wald_pvalue(w, k))
    if not design:
        return outcome_of_test(w / k, f"F({k}, {df:g})", f_pvalue(w / k, k, df))
    left = df - k + 1.0
    if left <= 0:
        return outcome_of_test(float("nan"), "none", float("nan"))
    return outcome_of_test(w * left / (k * df), f"F({k}, {left:.4g})", wald_pvalue(w, k, df))


def outcome_of_test(statistic: float, distribution: str, p: float) -> pd.Series:
    """Return a row of a table of tests."""
    return pd.Series({"statistic": statistic, "distribution": distribution, "p": p})


def table_of_tests(tests: dict[str, pd.Series]) -> pd.DataFrame:
    """Return a table of tests: rows hypotheses; columns statistic, distribution, p."""
    table = pd.DataFrame(list(tests.values()), columns=["statistic", "distribution", "p"])
    return table.set_axis(list(tests)).astype({"statistic": float, "p": float})


def fieller(
    top: float, bottom: float, covariance: Floats, level: float, df: float = float("inf")
) -> tuple[float, float, float]:
    """Return the standard error of a ratio and its limits, infinite when it is not located.

    The limits are the ratios θ at which ``top - θ bottom`` is not significant,
    ``(top - θ bottom)² ≤ t² (V₁₁ - 2θV₁₂ + θ²V₂₂)``; they are finite when `bottom` is itself
    significant. The standard error is the delta method's. NaN without degrees of freedom.

    References
    ----------
    Fieller, E. C. (1954). Some problems in interval estimation. Journal of the Royal Statistical
    Society B 16, 175-185. https://doi.org/10.1111/j.2517-6161.1954.tb00159.x

    Examples
    --------
    >>> fieller(2.0, 1.0, np.diag([0.01, 0.01]), 0.95)
    (0.2236, 1.6259, 2.5339)
    """
    if not df > 0:
        return float("nan"), float("nan"), float("nan")
    ratio = top / bottom
    (v11, v12), (_, v22) = covariance.tolist()
    se = float(np.sqrt(v11 - 2 * ratio * v12 + ratio**2 * v22) / abs(bottom))
    t2 = float(t_quantile(0.5 + level / 2.0, df)) ** 2
    a, b, c = bottom**2 - t2 * v22, top * bottom - t2 * v12, top**2 - t2 * v11
    if not a > 0:
        return se, -float("inf"), float("inf")
    reach = np.sqrt(max(b * b - a * c, 0.0))
    return se, float((b - reach) / a), float((b + reach) / a)


def ratio_row(
    top: float, bottom: float, covariance: Floats, level: float, df: float
) -> dict[str, float | str]:
    """Return the row of a ratio in a table of `infer`: Fieller's limits, and no p-value.

    >>> ratio_row(2.0, 1.0, np.diag([0.01, 0.01]), 0.95, 0)["reason"]
    'no degrees of freedom: not more sampled units than strata'
    """
    se, lower, upper = fieller(top, bottom, covariance, level, df)
    reason = "" if np.isfinite(se) else NO_ERROR if df > 0 else NO_DEGREES
    ends = {"lower": lower, "upper": upper, "p": float("nan")}
    return {"estimate": top / bottom, "se": se, "df": df, **ends, "reason": reason}
