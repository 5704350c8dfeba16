"""Importance stated by customers: weights of attributes, and satisfaction weighted by them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError
from csimodel.estimators import Fit
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.index.importance import importance_performance
from csimodel.inference.domains import function_of_means
from csimodel.measures.levels import (
    Levels,
    OrderedScale,
    importance_scale,
    satisfaction_scale,
)
from csimodel.measures.measure import Measure
from csimodel.measures.respondents import GroupedSurvey, Names
from csimodel.survey import Survey
from csimodel.survey.headers import ColumnName
from csimodel.translation import message

Floats = NDArray[np.float64]


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ImportanceWeights(Measure):
    """Importance weights of attributes.

    Attributes
    ----------
    relative
        The same over their sum.
    """

    relative: Measure

    @property
    def normalized(self) -> pd.DataFrame:
        """Weights that sum to 1, with errors of their own."""
        return self.relative.table


@own_errstate
@checked
def importance_weights(
    data: Survey | pd.DataFrame,
    items: Names,
    *,
    values: Levels | None = None,
    by: Names | None = None,
    level: float = 0.95,
) -> ImportanceWeights:
    """Return importance weights of attributes, ``V_i = Σ_j k_j R_ij``.

    k_j is the value of category j, and R_ij the share of customers who chose it for attribute i: so
    V_i is the mean value of the answers.

    Parameters
    ----------
    data
        A survey or frame; weights, strata and clusters are the survey's.
    items
        Columns, an attribute each.
    values
        Values k of other categories: in order from the lowest, or by wording. By default 1 to 5
        for not, slightly, moderately, important and very important, in words (English or Chinese)
        or numbers.
    by
        Column or columns that make groups.
    level
        Coverage.

    Returns
    -------
    ImportanceWeights
        ``table`` (V), ``normalized`` (summing to 1), ``differences``.

    Raises
    ------
    SurveyError
        When an answer is no category, or a column is not there.

    Examples
    --------
    >>> frame = pd.DataFrame({"price": [5, 4, 4, 3], "design": [2, 2, 1, 3]})
    >>> weights = importance_weights(frame, ["price", "design"])
    >>> weights.table["estimate"].tolist(), weights.normalized["estimate"].round(4).tolist()
    ([4.0, 2.0], [0.6667, 0.3333])
    """
    grouped = GroupedSurvey.of(data, by)
    names = grouped.names("items", items)
    answers = _rated(grouped, names, importance_scale(values))
    told = grouped.findings(names, answers)
    index = pd.Index(names, name="item")
    relative = Measure(
        "Relative importance",
        function_of_means(grouped.domains, answers, _share_of_sum),
        grouped.labels,
        index,
        level,
        told=told,
    )
    return ImportanceWeights(
        title=message("Importance weights"),
        statistics=function_of_means(grouped.domains, answers),
        groups=grouped.labels,
        names=index,
        level=level,
        told=told,
        relative=relative,
        further=((message("Relative importance"), relative.table),),
    )


@own_errstate
@checked
def weighted_satisfaction(
    data: Survey | pd.DataFrame,
    *,
    satisfaction: Names,
    importance: Names,
    levels: Levels | None = None,
    values: Levels | None = None,
    by: Names | None = None,
    level: float = 0.95,
) -> Measure:
    """Return satisfaction weighted by stated importance, ``Σ V_i s_i / Σ V_i``.

    s_i is the mean satisfaction of attribute i and V_i its mean importance. The error carries
    those of both, and their covariance, as the same respondents state both.

    Parameters
    ----------
    data
        A survey or frame; weights, strata and clusters are the survey's.
    satisfaction, importance
        Columns, as many of each, attribute by attribute in the same order.
    levels
        Values of satisfaction levels, as in `satisfaction_level`. By default worded answers are on
        -60 to 60, and numbers count as they are.
    values
        Values of importance categories, as in `importance_weights`. By default words count 1 to
        5, and numbers (not below 0) as they are.
    by
        Column or columns that make groups.
    level
        Coverage.

    Returns
    -------
    Measure
        Rows ``"weighted"`` and ``"unweighted"``, the plain mean of the attributes.

    Raises
    ------
    SurveyError
        When an answer is no level, or a column is not there.
    OptionError
        When the lists differ in length.

    Examples
    --------
    >>> frame = pd.DataFrame({"s1": [8, 6], "s2": [4, 6], "v1": [5, 4], "v2": [1, 2]})
    >>> result = weighted_satisfaction(
    ...     frame, satisfaction=["s1", "s2"], importance=["v1", "v2"]
    ... )
    >>> result.table["estimate"].tolist()
    [6.5, 6.0]
    """
    grouped = GroupedSurvey.of(data, by)
    columns, names = _both(grouped, satisfaction, importance, levels, values)
    return Measure(
        "Weighted satisfaction",
        function_of_means(grouped.domains, columns, WeightedMean(columns.shape[1] // 2)),
        grouped.labels,
        pd.Index(["weighted", "unweighted"], name="satisfaction"),
        level,
        told=grouped.findings(names, columns),
    )


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class StatedImportance(Measure):
    """Stated importance and performance of attributes.

    Attributes
    ----------
    standing
        A row for each attribute, of groups (group, attribute): importance, performance (both on 0
        to 100), gap, rank by gap, quadrant (empty where either is unknown), and derived importance
        where a fit is given.
    """

    standing: pd.DataFrame


@own_errstate
@checked
def stated_importance(
    data: Survey | pd.DataFrame,
    *,
    importance: Names,
    performance: Names,
    importance_scale: tuple[float, float] | None = None,
    performance_scale: tuple[float, float] | None = None,
    fit: Fit | None = None,
    target: ColumnName | None = None,
    by: Names | None = None,
    level: float = 0.95,
) -> StatedImportance:
    """Set stated importance beside performance: quadrants, and gaps in order.

    Both are put on 0 to 100, as their scales differ. The quadrants divide at the means of all
    attributes (of the group's own, with `by`): important and weak is to be mended first. Where a
    fit is given, the importance that its model derives (the total effect on `target` of the
    construct that a performance column belongs to) stands beside what customers state.

    Parameters
    ----------
    data
        A survey or frame; weights, strata and clusters are the survey's.
    importance, performance
        Columns, as many of each, attribute by attribute in the same order.
    importance_scale, performance_scale
        Lowest and highest answer; the survey's by default.
    fit, target
        A fit whose items hold the performance columns, and the construct that matters.
    by
        Column or columns that make groups.
    level
        Coverage.

    Returns
    -------
    StatedImportance
        ``table`` (the gap, importance less performance in points, with its error; p is for no gap),
        ``standing`` (importance, performance, gap, rank, quadrant, derived) and ``differences``
        of the groups' gaps. `csi.plots.importance_performance` draws it.

    Raises
    ------
    SurveyError
        When a scale is unknown, or a column is not there.
    OptionError
        When lists differ in length, or fit and target do not go together.

    References
    ----------
    Martilla, J. A., James, J. C. (1977). Importance-performance analysis. Journal of Marketing 41,
    77-79. https://doi.org/10.1177/002224297704100112

    Examples
    --------
    >>> frame = pd.DataFrame({"i1": [5, 5, 4], "i2": [2, 3, 2], "p1": [3, 2, 3], "p2": [4, 5, 5]})
    >>> result = stated_importance(
    ...     frame, importance=["i1", "i2"], performance=["p1", "p2"],
    ...     importance_scale=(1, 5), performance_scale=(1, 5),
    ... )
    >>> result.standing["quadrant"].tolist()
    ['concentrate here', 'possible overkill']
    """
    if (fit is None) != (target is None):
        raise OptionError("fit= and target= go together: give both, or none.")
    grouped = GroupedSurvey.of(data, by)
    stated, performed = (
        grouped.names("importance", importance),
        grouped.names("performance", performance),
    )
    _require_pairs(len(stated), len(performed), "importance", "performance")
    columns = np.hstack(
        [
            _points(grouped, stated, importance_scale, "importance_scale"),
            _points(grouped, performed, performance_scale, "performance_scale"),
        ]
    )
    count = len(stated)
    statistics = function_of_means(grouped.domains, columns, Differences(count))
    means = function_of_means(grouped.domains, columns).estimate
    standing = pd.concat(
        [_standing(performed, own[:count], own[count:]) for own in means],
        keys=grouped.labels,
    )
    if fit is not None and target is not None:
        standing["derived"] = _derived(fit, target, performed) * len(means)
    return StatedImportance(
        title=message("Stated importance less performance"),
        statistics=statistics,
        groups=grouped.labels,
        names=pd.Index(performed, name="item"),
        level=level,
        null=0.0,
        told=grouped.findings((*stated, *performed), columns),
        standing=standing,
        further=((message("Importance and performance"), standing),),
    )


@dataclass(frozen=True)
class WeightedMean:
    """The mean of the first means weighted by the others, and their plain mean."""

    count: int

    def __call__(self, mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
        """Return both, (..., 2)."""
        s, v = mean[..., : self.count], mean[..., self.count :]
        weighted = (v * s).sum(axis=-1, keepdims=True) / v.sum(axis=-1, keepdims=True)
        return np.concatenate([weighted, s.mean(axis=-1, keepdims=True)], axis=-1)


@dataclass(frozen=True)
class Differences:
    """The first means less the others, one by one."""

    count: int

    def __call__(self, mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
        """Return the differences, (..., count)."""
        return mean[..., : self.count] - mean[..., self.count :]


def _share_of_sum(mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
    return np.asarray(mean / mean.sum(axis=-1, keepdims=True))


def _both(
    grouped: GroupedSurvey,
    satisfaction: Names,
    importance: Names,
    levels: Levels | None,
    values: Levels | None,
) -> tuple[Floats, tuple[str, ...]]:
    first, second = (
        grouped.names("satisfaction", satisfaction),
        grouped.names("importance", importance),
    )
    _require_pairs(len(first), len(second), "satisfaction", "importance")
    s = _rated(grouped, first, satisfaction_scale(levels), plain=levels is None)
    v = _rated(grouped, second, importance_scale(values), plain=values is None)
    if (v < 0).any():
        raise SurveyError("Importance holds numbers below 0; a weight is 0 or more.")
    return np.hstack([s, v]), (*first, *second)


def _rated(
    grouped: GroupedSurvey, names: tuple[str, ...], scale: OrderedScale, plain: bool = False
) -> Floats:
    """Return the values of rated columns; where `plain`, columns of numbers as they are."""
    frame = grouped.survey.data
    if plain and all(pd.api.types.is_numeric_dtype(frame[name].dtype) for name in names):
        return grouped.numbers(names)
    columns = {name: grouped.cells(name) for name in names}
    return scale.of(columns, grouped.survey.value_labels)


def _require_pairs(first: int, second: int, one_name: str, other_name: str) -> None:
    if first != second:
        raise OptionError(
            f"{one_name} names {first} columns and {other_name} {second}; give as many of each, "
            "attribute by attribute in the same order."
        )


def _points(
    grouped: GroupedSurvey,
    names: tuple[str, ...],
    scale: tuple[float, float] | None,
    option: str,
) -> Floats:
    """Return columns on 0 to 100."""
    values = grouped.numbers(names)
    low, high = grouped.survey.bounds(names)
    if scale is not None:
        low, high = (np.full(len(names), float(end)) for end in scale)
    unknown = np.flatnonzero(~(high > low))
    if len(unknown):
        raise SurveyError(
            f"The scale of {names[unknown[0]]!r} is unknown; give its lowest and highest answer, "
            f"such as {option}=(1, 5)."
        )
    if ((values < low) | (values > high)).any():
        raise SurveyError(
            f"{option} from {low[0]:g} to {high[0]:g} does not hold all answers to {names[0]!r} "
            "and the others; give their lowest and highest answer."
        )
    return np.asarray((values - low) / (high - low) * 100.0)


_QUADRANTS = {
    (True, False): message("concentrate here"),
    (True, True): message("keep up the good work"),
    (False, False): message("low priority"),
    (False, True): message("possible overkill"),
}


def _standing(names: tuple[str, ...], importance: Floats, performance: Floats) -> pd.DataFrame:
    """Return where each attribute stands."""
    gap = importance - performance
    known = np.isfinite(gap)
    middle = [
        values[known].mean() if known.any() else np.nan for values in (importance, performance)
    ]
    places = zip(importance >= middle[0], performance >= middle[1], strict=True)
    quadrants = [_QUADRANTS[bool(high), bool(good)] for high, good in places]
    rank = pd.Series(-gap).rank(method="first").to_numpy()
    return pd.DataFrame(
        {
            "importance": importance,
            "performance": performance,
            "gap": gap,
            "rank": rank.astype(np.intp) if known.all() else rank,
            "quadrant": np.where(known, np.array(quadrants, dtype=object), ""),
        },
        index=pd.Index(names, name="item"),
    )


def _derived(fit: Fit, target: str, names: tuple[str, ...]) -> list[float]:
    """Return the total effect on the target of the construct of each item; NaN for none."""
    effects = importance_performance(fit, target)["importance"]
    owner = {item: construct.name for construct in fit.model.constructs for item in construct.items}
    return [float(effects.get(owner.get(name, ""), np.nan)) for name in names]
