"""Perceived less expected: disconfirmation by item and construct, and the service gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, suggest
from csimodel.findings import Finding
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.domains import DomainStatistics, function_of_means
from csimodel.measures.measure import Measure
from csimodel.measures.respondents import GroupedSurvey, Names
from csimodel.options import number_of, require_names, shown
from csimodel.survey import Survey
from csimodel.translation import message

Floats = NDArray[np.float64]
Dimensions = Mapping[str, Any]  # names of perceived columns by dimension; looked up here
Importance = Names | Mapping[str, float]  # columns of ratings, or a number for each item

_ALL = "all items"


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Gaps(Measure):
    """Differences between what was perceived and expected, item by item.

    Attributes
    ----------
    sides
        Shares below, at and above expectation.
    scores
        Perceived less expected of each respondent, by item and dimension; index as of the data.
    """

    sides: Measure
    scores: pd.DataFrame

    @property
    def shares(self) -> pd.DataFrame:
        """Shares of respondents below, at and above expectation, by item and dimension."""
        return self.sides.table


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ServiceGap(Gaps):
    """Service gaps, the widest shortfall first.

    Attributes
    ----------
    overall
        The gap over all items, plain and weighted by importance.
    """

    overall: Measure

    @property
    def ordered(self) -> pd.DataFrame:
        """The table with the gaps of each group in order, the widest shortfall first."""
        table = self.table
        keys = list(table.index.names[:-1])
        place = table.assign(place=np.arange(len(table))).reset_index()
        order = place.sort_values([*map(str, keys), "estimate"], kind="stable")["place"]
        return table.iloc[order.to_numpy()]

    @property
    def weighted(self) -> pd.DataFrame:
        """The gap over all items, plain and (where importance is known) weighted by it."""
        return self.overall.table


@own_errstate
@checked
def disconfirmation(
    data: Survey | pd.DataFrame,
    *,
    perceived: Names,
    expected: Names,
    dimensions: Dimensions | None = None,
    by: Names | None = None,
    level: float = 0.95,
) -> Gaps:
    """Return disconfirmation, perceived less expected, by item, dimension and over all items.

    Each respondent is compared with herself, so errors are those of paired differences. A
    dimension's gap is the mean of those of its items. `outcomes.repurchase_asymmetry` takes the
    indexes behind it and tells whether falling short weighs more than exceeding.

    Parameters
    ----------
    data
        A survey or frame; weights, strata and clusters are the survey's.
    perceived, expected
        Columns, as many of each, pair by pair in the same order and on the same scale.
    dimensions
        Names of perceived columns by dimension (construct).
    by
        Column or columns that make groups.
    level
        Coverage.

    Returns
    -------
    Gaps
        ``table`` (p is for no gap), ``shares`` below, at and above expectation, ``scores`` of
        respondents, ``differences``.

    Raises
    ------
    SurveyError
        When a column is not there or holds text.
    OptionError
        When the lists differ in length, or a dimension names another column.

    References
    ----------
    Oliver, R. L. (1980). A cognitive model of the antecedents and consequences of satisfaction
    decisions. Journal of Marketing Research 17, 460-469. https://doi.org/10.1177/002224378001700405

    Examples
    --------
    >>> frame = pd.DataFrame({"speed": [4, 3, 5, 2], "speed_expected": [5, 3, 4, 4]})
    >>> gaps = disconfirmation(frame, perceived="speed", expected="speed_expected")
    >>> gaps.table.loc["speed", ["estimate", "se"]].astype(float).round(4).tolist()
    [-0.5, 0.6455]
    >>> gaps.shares["estimate"].tolist()
    [0.5, 0.25, 0.25]
    """
    grouped = GroupedSurvey.of(data, by)
    pairs = _pairs(grouped, perceived, expected, dimensions)
    return Gaps(
        title=message("Disconfirmation: perceived less expected"), **pairs.parts(grouped, level)
    )


@own_errstate
@checked
def service_gap(
    data: Survey | pd.DataFrame,
    *,
    expected: Names,
    perceived: Names,
    dimensions: Dimensions | None = None,
    importance: Importance | None = None,
    by: Names | None = None,
    level: float = 0.95,
) -> ServiceGap:
    """Return the service gaps of SERVQUAL: perception less expectation, ordered and weighted.

    ``Σ V_i G_i / Σ V_i`` weights the gaps G by importance V: the mean rating of columns, whose
    error and covariance with the gaps are carried, or numbers that are taken as known.

    Parameters
    ----------
    data
        A survey or frame; weights, strata and clusters are the survey's.
    expected, perceived
        Columns, as many of each, pair by pair in the same order and on the same scale.
    dimensions
        Names of perceived columns by dimension: tangibles, reliability, responsiveness, assurance
        and empathy, or others.
    importance
        Columns with the stated importance of each item, in the order of `perceived`, or a number
        for each by its name.
    by
        Column or columns that make groups.
    level
        Coverage.

    Returns
    -------
    ServiceGap
        ``table`` (items, then dimensions; p is for no gap), ``ordered`` (the widest shortfall
        first), ``weighted`` (over all items), ``shares``, ``scores``, ``differences``.

    Raises
    ------
    SurveyError
        When a column is not there or holds text.
    OptionError
        When lists differ in length, or importance is unknown or not above 0 for an item.

    References
    ----------
    Parasuraman, A., Zeithaml, V. A., Berry, L. L. (1988). SERVQUAL: a multiple-item scale for
    measuring consumer perceptions of service quality. Journal of Retailing 64, 12-40.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "e1": [5, 5, 4, 5], "e2": [4, 5, 4, 4], "p1": [3, 4, 4, 3], "p2": [4, 4, 5, 4],
    ... })
    >>> gap = service_gap(
    ...     frame, expected=["e1", "e2"], perceived=["p1", "p2"], importance={"p1": 3, "p2": 1}
    ... )
    >>> gap.ordered["estimate"].tolist()
    [-1.25, -0.625, 0.0]
    >>> gap.weighted["estimate"].round(4).tolist()
    [-0.625, -0.9375]
    """
    grouped = GroupedSurvey.of(data, by)
    pairs = _pairs(grouped, perceived, expected, dimensions)
    parts = pairs.parts(grouped, level)
    overall = Measure(
        "Service gap over all items",
        pairs.weighted(grouped, importance),
        grouped.labels,
        pd.Index([_ALL] if importance is None else [_ALL, "weighted by importance"], name="gap"),
        level,
        0.0,
        told=pairs.told,
    )
    title = message("Service gap: perception less expectation")
    return ServiceGap(title=title, overall=overall, **parts)


@dataclass(frozen=True, eq=False)
class PairedItems:
    """Perceived and expected answers, pair by pair.

    Attributes
    ----------
    names
        Of the perceived columns.
    gaps
        Perceived less expected, (rows, items); NaN without both.
    members
        Items of each dimension, by name.
    told
        What a reader must know.
    """

    names: tuple[str, ...]
    gaps: Floats
    members: Mapping[str, tuple[int, ...]]
    told: tuple[Finding, ...]

    def parts(self, grouped: GroupedSurvey, level: float) -> dict[str, Any]:
        """Return the attributes of `Gaps` but its title."""
        entries = [*self.names, *self.members]
        means = [self.gaps[:, list(own)].mean(axis=1) for own in self.members.values()]
        scores = np.column_stack([self.gaps, *means])
        sides = np.stack([scores < 0, scores == 0, scores > 0], axis=2).astype(np.float64)
        sides = np.where(np.isnan(scores)[:, :, None], np.nan, sides)
        labels = pd.MultiIndex.from_product([entries, ["below", "at", "above"]])
        rows = grouped.survey.data.index[grouped.domains.answers.rows]
        functional = AveragesOf(len(self.names), tuple(self.members.values()))
        return {
            "statistics": function_of_means(
                grouped.domains, self.gaps, functional, functional.needs
            ),
            "groups": grouped.labels,
            "names": pd.Index(entries, name="item"),
            "level": level,
            "null": 0.0,
            "told": self.told,
            "scores": pd.DataFrame(scores, rows, entries),
            "sides": Measure(
                "Shares below, at and above expectation",
                function_of_means(grouped.domains, sides.reshape(len(scores), -1)),
                grouped.labels,
                pd.Index([f"{item}: {side}" for item, side in labels], name="item"),
                level,
                share=True,
                told=self.told,
            ),
        }

    def weighted(self, grouped: GroupedSurvey, importance: object) -> DomainStatistics:
        """Return the gap over all items, plain and weighted."""
        count = len(self.names)
        columns = self.gaps
        numbers: tuple[float, ...] | None = None
        if isinstance(importance, Mapping):
            numbers = self._numbers(importance)
        elif importance is not None:
            names = grouped.names("importance", require_names("importance", importance))
            if len(names) != count:
                raise OptionError(
                    f"importance names {len(names)} columns and perceived {count}; give one for "
                    "each item, in the same order."
                )
            columns = np.hstack([self.gaps, grouped.numbers(names)])
        functional = WeightedGap(count, numbers, importance is not None)
        return function_of_means(grouped.domains, columns, functional)

    def _numbers(self, importance: Mapping[Any, Any]) -> tuple[float, ...]:
        for name in importance:
            if name not in self.names:
                raise OptionError(
                    f"importance names {shown(name)}, which is no perceived column"
                    f"{suggest(name, self.names)}; give a number for each."
                )
        for name in self.names:
            value = number_of(importance.get(name))
            if value is None or not 0.0 < value < np.inf:
                raise OptionError(
                    f"importance has {shown(importance.get(name))} for {name!r}; give a number "
                    "above 0 for each perceived column."
                )
        return tuple(float(importance[name]) for name in self.names)


@dataclass(frozen=True)
class AveragesOf:
    """Means as they are, and averages of some of them."""

    count: int
    members: tuple[tuple[int, ...], ...]

    def __call__(self, mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
        """Return means and averages, (..., entries)."""
        averages = [mean[..., list(own)].mean(axis=-1, keepdims=True) for own in self.members]
        return np.concatenate([mean, *averages], axis=-1)

    @property
    def needs(self) -> NDArray[np.bool_]:
        """Which means an entry is made of, (entries, count)."""
        rows = [np.isin(np.arange(self.count), own) for own in self.members]
        return np.vstack([np.eye(self.count, dtype=np.bool_), *rows])


@dataclass(frozen=True)
class WeightedGap:
    """The mean gap, and the mean weighted by importance: numbers, or the means that follow."""

    count: int
    numbers: tuple[float, ...] | None
    known: bool

    def __call__(self, mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
        """Return the mean gaps, (..., 1 or 2)."""
        gaps = mean[..., : self.count]
        plain: NDArray[np.inexact] = gaps.mean(axis=-1, keepdims=True)
        if not self.known:
            return plain
        weight: NDArray[np.inexact] = mean[..., self.count :]
        if self.numbers is not None:
            weight = np.array(self.numbers)
        weighted = (gaps * weight).sum(axis=-1, keepdims=True)
        both = [plain, weighted / weight.sum(axis=-1, keepdims=True)]
        return np.concatenate(both, axis=-1)


def _pairs(
    grouped: GroupedSurvey, perceived: Names, expected: Names, dimensions: Dimensions | None
) -> PairedItems:
    names, others = grouped.names("perceived", perceived), grouped.names("expected", expected)
    if len(names) != len(others):
        raise OptionError(
            f"perceived names {len(names)} columns and expected {len(others)}; give as many of "
            "each, pair by pair in the same order."
        )
    values = grouped.numbers((*names, *others))
    members = _dimensions(dimensions, names)
    if len(names) > 1:
        members[_ALL] = tuple(range(len(names)))
    gaps = values[:, : len(names)] - values[:, len(names) :]
    return PairedItems(names, gaps, members, grouped.findings((*names, *others), values))


def _dimensions(dimensions: object, names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return the items of each dimension, as positions among the perceived columns."""
    if dimensions is None:
        return {}
    if not isinstance(dimensions, Mapping) or not all(isinstance(own, str) for own in dimensions):
        raise OptionError(
            f"dimensions={shown(dimensions)} must give the perceived columns of each dimension, "
            f"such as {{'reliability': [{names[0]!r}]}}."
        )
    for dimension in dimensions:
        if dimension in (*names, _ALL):
            raise OptionError(
                f"Dimension {dimension!r} has the name of another row of the table; call it "
                "something else."
            )
    return {name: _members(name, own, names) for name, own in dimensions.items()}


def _members(dimension: str, columns: object, names: Sequence[str]) -> tuple[int, ...]:
    own = require_names("dimensions", columns)
    for name in own:
        if name not in names:
            raise OptionError(
                f"Dimension {dimension!r} names {name!r}, which is no perceived column"
                f"{suggest(name, names)}; use those of perceived=."
            )
    return tuple(names.index(name) for name in own)
