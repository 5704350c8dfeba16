"""Sample statistics of ordered answers, for covariance models by (D)WLS.

An ordered answer is a normal variable seen through thresholds. Step one estimates each item alone,
step two each pair given step one; their joint asymptotic covariance Γ follows from stacked
estimating equations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import SurveyError, suggest
from csimodel.findings import Finding
from csimodel.moments.association import Association, associate
from csimodel.moments.fourth import Weighting
from csimodel.moments.gamma import Gamma
from csimodel.moments.margins import Bread, Margins, margins_of

Floats = NDArray[np.float64]

_MANY = 30  # categories above which an item may as well be treated as continuous


@dataclass(frozen=True, eq=False)
class OrdinalMoments:
    """Thresholds, means, variances, correlations and their asymptotic covariance.

    The statistics are, item by item, the thresholds of an ordered item or the mean of a continuous
    one; then the variances of the continuous items; then the covariances below the diagonal,
    column by column. `labels` names them in lavaan's words (whose "item~1" is minus the mean).

    Attributes
    ----------
    items
        Names, in the order of the last axes.
    n
        Number of rows.
    ordered
        Which items are ordered, (items,).
    thresholds
        Between the categories in use, item by item over the ordered items, (thresholds,).
    threshold_item
        Item of each threshold, (thresholds,).
    mean
        Means in scale units; 0 for ordered items, (items,).
    cov
        Polychoric correlations of ordered items (variances 1), polyserial correlations times the
        standard deviation of the continuous item, covariances with denominator n of continuous
        items, (items, items).
    spread
        n times the asymptotic covariance of the statistics, as what it is multiplied with; NaN for
        correlations at the edge ±1.
    labels
        Names of the statistics, (statistics,).
    categories
        Values in use of each item, ascending; empty for continuous items.
    findings
        What was noticed: unused categories, filled cells, correlations at the edge.
    row_variances
        n times the variances of the statistics where a weight of 2 is a row twice, (statistics,);
        None where these are those of `spread`.
    """

    items: tuple[str, ...]
    n: float
    ordered: NDArray[np.bool_]
    thresholds: Floats
    threshold_item: NDArray[np.intp]
    mean: Floats
    cov: Floats
    spread: Gamma
    labels: tuple[str, ...]
    categories: tuple[Floats, ...]
    findings: tuple[Finding, ...] = ()
    row_variances: Floats | None = None

    @property
    def gamma(self) -> Floats:
        """Covariance of the statistics times n, (statistics, statistics)."""
        return self.spread.matrix

    @cached_property
    def variances(self) -> Floats:
        """Its diagonal, (statistics,)."""
        return self.spread.diagonal

    @cached_property
    def statistics(self) -> Floats:
        """The statistics in the order of `gamma` and `labels`, (statistics,)."""
        free = np.flatnonzero(~self.ordered)
        column, row = np.triu_indices(len(self.items), 1)
        return np.concatenate([self.levels, np.diag(self.cov)[free], self.cov[row, column]])

    @cached_property
    def levels(self) -> Floats:
        """Thresholds of ordered items and means of continuous ones, item by item, (levels,)."""
        free = np.flatnonzero(~self.ordered)
        level = np.concatenate([self.thresholds, self.mean[free]])
        item = np.concatenate([self.threshold_item, free])
        return np.asarray(level[np.argsort(item, kind="stable")])

    @cached_property
    def sd(self) -> Floats:
        """Standard deviations, 1 for ordered items, (items,)."""
        return np.sqrt(np.diag(self.cov))

    @cached_property
    def cor(self) -> Floats:
        """Polychoric, polyserial and ordinary correlations, (items, items)."""
        return np.asarray(self.cov / np.outer(self.sd, self.sd))


def ordinal_moments(
    values: ArrayLike,
    items: Sequence[str],
    ordered: Sequence[str],
    weights: ArrayLike | None = None,
    *,
    normal: bool = False,
    cluster: NDArray[np.intp] | None = None,
    weighting: Weighting = "probability",
) -> OrdinalMoments:
    """Return the statistics of complete answers, (rows, items), some of the items ordered.

    Thresholds are normal quantiles of the cumulative shares; correlations with ordered items
    maximise the likelihood of the pair given step one (two-step polychoric and polyserial
    correlations). ``Γ = A⁻¹ B A⁻¹'`` with B the mean outer product of respondents' scores. Where
    only ordered items are concerned A is that too, information and cross derivatives alike, as in
    Muthén (1984). Where continuous items are, A holds mean second derivatives, which is right
    whatever their distribution: Γ of theirs is that of `fourth_moments`. With ``normal=True`` all
    of A is an outer product, as in lavaan's WLSMV (0.6-14): right for normal items only, and for
    long tails far too small. Under weights w, A averages with w and B with w² (weights scaled to
    mean 1), or with w where they are frequencies (`weighting`); with codes of clusters, (rows,), B
    is of sums within them.

    Raises
    ------
    SurveyError
        When shapes disagree, a value or weight cannot be used, a name is unknown or given twice,
        an ordered item has one category, or a continuous one fewer than three values.

    References
    ----------
    Muthén (1984), doi:10.1007/BF02294210; Olsson (1979), doi:10.1007/BF02296207; Olsson, Drasgow
    and Dorans (1982), doi:10.1007/BF02294164; Jöreskog (1994), doi:10.1007/BF02296131.

    Examples
    --------
    Six of ten agree on two halved questions with two answers; ρ = sin(2π (0.3 - 0.25)):

    >>> answers = [[1, 1]] * 3 + [[1, 2]] * 2 + [[2, 1]] * 2 + [[2, 2]] * 3
    >>> found = ordinal_moments(answers, ["a", "b"], ordered=["a", "b"])
    >>> found.labels, found.statistics.round(4)
    (('a|t1', 'b|t1', 'a~~b'), array([0.   , 0.   , 0.309]))
    >>> found.gamma.shape
    (3, 3)
    """
    data, chosen, weight = _checked(values, items, ordered, weights)
    bread: Bread = "products" if normal else "mixed"
    margins = margins_of(data, items, chosen, weight / weight.sum(), bread)
    pairs = associate(margins)
    of_ordered = chosen[margins.level_item]
    return OrdinalMoments(
        items=tuple(items),
        n=float(len(data)),
        ordered=chosen,
        thresholds=margins.levels[of_ordered],
        threshold_item=margins.level_item[of_ordered],
        mean=margins.mean,
        cov=pairs.cov,
        spread=pairs.gamma(cluster, weighting),
        labels=tuple(_labels(items, margins, pairs)),
        categories=tuple(used if chosen[i] else used[:0] for i, used in enumerate(margins.values)),
        findings=tuple(_findings(items, margins, pairs)),
    )


def _checked(
    values: ArrayLike, items: Sequence[str], ordered: Sequence[str], weights: ArrayLike | None
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    data = np.asarray(values, dtype=np.float64)
    if len(set(items)) < len(items):
        raise SurveyError("An item name is given twice; name every item differently.")
    if data.ndim != 2 or data.shape[1] != len(items):
        raise SurveyError(
            f"Values of shape {data.shape} do not fit {len(items)} item names; give (rows, items)."
        )
    if len(data) < 2:
        raise SurveyError(f"There are {len(data)} rows; thresholds need at least 2.")
    gaps = ~np.isfinite(data).all(axis=0)
    if gaps.any():
        raise SurveyError(
            f"Item {items[int(np.argmax(gaps))]!r} has missing or infinite values; thresholds and "
            "polychoric correlations need complete rows, so drop or fill them first."
        )
    for name in ordered:
        if name not in items:
            raise SurveyError(
                f"Ordered item {name!r} is not among the items{suggest(name, items)}."
            )
    weight = np.ones(len(data)) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != (len(data),):
        raise SurveyError(
            f"Weights of shape {weight.shape} do not fit {len(data)} rows; give one a row."
        )
    if not (np.isfinite(weight).all() and (weight > 0.0).all()):
        raise SurveyError(
            "A weight is missing, infinite or not above 0; leave those rows out first."
        )
    return data, np.array([name in ordered for name in items], dtype=np.bool_), weight


def _labels(items: Sequence[str], margins: Margins, pairs: Association) -> Iterator[str]:
    for position, item in enumerate(margins.level_item.tolist()):
        number = position - margins.level_start[item] + 1
        yield f"{items[item]}|t{number}" if margins.ordered[item] else f"{items[item]}~1"
    yield from (f"{items[i]}~~{items[i]}" for i in np.flatnonzero(~margins.ordered).tolist())
    for row, column in zip(pairs.row.tolist(), pairs.column.tolist(), strict=True):
        yield f"{items[column]}~~{items[row]}"


def _findings(items: Sequence[str], margins: Margins, pairs: Association) -> Iterator[Finding]:
    for i in np.flatnonzero(margins.ordered).tolist():
        item, used = items[i], margins.values[i]
        yield from _unused(item, used)
        if len(used) > _MANY:
            yield Finding(
                "many-categories",
                "Ordered item {item} has {count} categories; with more than {many} it "
                "may as well be treated as continuous.",
                (item,),
                "warning",
                len(used),
                values={"item": item, "count": len(used), "many": _MANY},
            )
    filled = np.flatnonzero(pairs.filled)
    if filled.size:
        names = [f"{items[pairs.column[p]]} – {items[pairs.row[p]]}" for p in filled]
        yield Finding(
            "filled-cell",
            "Nobody gave one of the four combinations of answers to {names}; half a "
            "respondent was put there to find the polychoric correlation.",
            tuple(names),
            "note",
            len(names),
            values={"names": tuple(names)},
        )
    for pair in np.flatnonzero(pairs.at_edge):
        name, other = items[pairs.column[pair]], items[pairs.row[pair]]
        yield Finding(
            "correlation-at-edge",
            "The correlation of {item} with {other} is at the edge ({rho:+.3f}): "
            "each answer all but determines the other, so leave one of them out.",
            (name, other),
            "failure",
            values={"item": name, "other": other, "rho": pairs.rho[pair]},
        )


def _unused(item: str, used: Floats) -> Iterator[Finding]:
    """Yield which whole numbers between the lowest and highest answer nobody gave."""
    whole = bool((used == np.round(used)).all()) and np.ptp(used) < 1000
    gaps = np.setdiff1d(np.arange(used[0], used[-1]), used) if whole else used[:0]
    if gaps.size:
        yield Finding(
            "unused-category",
            "Nobody answered {names} on {item}; thresholds lie between the answers in use.",
            (item,),
            "note",
            len(gaps),
            values={"names": tuple(f"{value:g}" for value in gaps), "item": item},
        )
