"""Indexes of groups drawn towards their mean by empirical Bayes, the more the larger their error.

Groups differ truly with variance τ², and an index with the error s is off by s² on top of that, so
that its best guess lies ``B = s²/(s² + τ²)`` of the way from what was measured to the mean of the
groups, ``μ = Σ y/(s² + τ²) / Σ 1/(s² + τ²)``. τ² is where ``Σ (y - μ)²/(s² + τ²)`` is the number of
groups less 1 (Paule and Mandel); where it is smaller without any τ², groups are not shown to differ
and all are drawn to the mean. The error is Morris's, which counts that μ and τ² are estimated:

    se² = s² (1 - B (k - 1)/k) + 2/(k - 3) B² (y - μ)²,  B times (k - 3)/(k - 1),  for k groups

References
----------
Morris, C. N. (1983). Parametric empirical Bayes inference: theory and applications. Journal of the
American Statistical Association 78, 47-55. https://doi.org/10.1080/01621459.1983.10477920

Paule, R. C., Mandel, J. (1982). Consensus values and weighting factors. Journal of Research of the
National Bureau of Standards 87, 377-385. https://doi.org/10.6028/jres.087.022
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.findings import Finding, tell

Floats = NDArray[np.float64]

_LEAST = 4  # groups, from which the error of the shrinkage can be told
_STEPS = 200


class Shrinkage(NamedTuple):
    """Estimates drawn towards their mean.

    Attributes
    ----------
    values, errors
        Where they were drawn to, and the standard errors there, (groups,).
    share
        Of the way to the mean, (groups,).
    mean, spread
        The mean of the groups and the standard deviation of true differences, τ.
    """

    values: Floats
    errors: Floats
    share: Floats
    mean: float
    spread: float


def shrunken(estimate: Floats, se: Floats) -> Shrinkage:
    """Return estimates of groups drawn towards their mean.

    Parameters
    ----------
    estimate, se
        (groups,); NaN where a group has none, which it stays. With fewer than 4 groups all is NaN.

    Examples
    --------
    >>> drawn = shrunken(np.array([60.0, 70, 72, 74, 80]), np.array([4.0, 1, 1, 1, 4]))
    >>> drawn.values.round(1).tolist(), round(drawn.spread, 1)
    ([61.7, 70.0, 72.0, 74.0, 78.7], 6.2)
    """
    known = np.isfinite(estimate) & (se > 0) & np.isfinite(se)
    k = int(known.sum())
    nothing = np.full(len(estimate), np.nan)
    if k < _LEAST:
        return Shrinkage(nothing, nothing.copy(), nothing.copy(), np.nan, np.nan)
    y, variance = estimate[known], se[known] ** 2
    tau = between_variance(y, variance)
    precision = 1.0 / (variance + tau)
    mean = float(precision @ y / precision.sum())
    share = (k - 3.0) / (k - 1.0) * variance * precision
    values, errors, shares = nothing, nothing.copy(), nothing.copy()
    values[known] = y - share * (y - mean)
    squared = variance * (1.0 - share * (k - 1.0) / k)
    squared += 2.0 / (k - 3.0) * share**2 * (y - mean) ** 2
    errors[known], shares[known] = np.sqrt(squared), share
    return Shrinkage(values, errors, shares, mean, float(np.sqrt(tau)))


def between_variance(estimate: Floats, variance: Floats) -> float:
    """Return the variance of true differences between groups by Paule and Mandel, at least 0.

    >>> round(between_variance(np.array([1.0, 2.0, 3.0]), np.full(3, 0.25)), 6)
    0.75
    """

    def excess(tau: float) -> float:
        weight = 1.0 / (variance + tau)
        mean = weight @ estimate / weight.sum()
        return float(weight @ (estimate - mean) ** 2) - (len(estimate) - 1.0)

    if not excess(0.0) > 0.0:
        return 0.0
    from scipy.optimize import brentq

    highest = float(((estimate - estimate.mean()) ** 2).sum())
    return float(brentq(excess, 0.0, highest, xtol=1e-14 * highest, rtol=1e-14, maxiter=_STEPS))


def with_shrinkage(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of groups' indexes with columns shrunken, shrunken_se and share.

    Each construct's groups are drawn to their own mean, and what was done is told.
    """
    columns = {name: np.full(len(table), np.nan) for name in ("shrunken", "shrunken_se", "share")}
    findings: list[Finding] = []
    names = table.index.get_level_values("construct")
    for construct in names.unique():
        own = np.flatnonzero(names == construct)
        drawn = shrunken(table["mean"].to_numpy()[own], table["se"].to_numpy()[own])
        for column, values in zip(columns.values(), drawn[:3], strict=True):
            column[own] = values
        findings.extend(_about(str(construct), drawn))
    tell(findings)
    return table.assign(**columns)


def _about(construct: str, drawn: Shrinkage) -> Iterator[Finding]:
    """Say how far groups differ, and how far they were drawn towards their mean."""
    if np.isnan(drawn.mean):
        yield Finding(
            "shrinkage-not-possible",
            "The index of {construct} of fewer than 4 groups is known with its error, so nothing "
            "was drawn towards their mean.",
            (construct,),
            values={"construct": construct},
        )
        return
    share = drawn.share[np.isfinite(drawn.share)]
    values = {
        "construct": construct,
        "mean": drawn.mean,
        "spread": drawn.spread,
        "least": float(100.0 * share.min()),
        "most": float(100.0 * share.max()),
        "count": len(share),
    }
    yield Finding(
        "groups-shrunken",
        _NO_DIFFERENCE if drawn.spread == 0.0 else _SHRUNKEN,
        (construct,),
        "note",
        len(share),
        values,
    )


_NO_DIFFERENCE = (
    "The {count} groups are not shown to differ in {construct}, so they were drawn {most:.0f} % of "
    "the way to their mean, {mean:.1f}."
)
_SHRUNKEN = (
    "The {count} groups truly differ in {construct} by some {spread:.1f} points (standard "
    "deviation) about {mean:.1f}, and were drawn {least:.0f} to {most:.0f} % of the way there, the "
    "more the larger their error."
)
