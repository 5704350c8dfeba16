"""What units count in the one above: one long table of level, unit, period and weight."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, suggest
from csimodel.findings import listed
from csimodel.options import number_of, require_kind, shown

Floats = NDArray[np.float64]

_COLUMNS = ("level", "unit", "period", "weight")
_SUM = 0.005  # how far a sum of rounded shares may be from 1
_WAY = "give one row for each level, unit and period, with columns level, unit, period and weight"


@dataclass(frozen=True, eq=False)
class LevelWeights:
    """Weights of units by level and period.

    Attributes
    ----------
    table
        From level, the names above that the table has, the unit and the period to the weight; None
        where units of one parent count alike.
    above
        Names of levels that the table has as columns, to tell units of one name apart.
    levels
        Of the programme, the highest first.
    periods
        Of the programme.
    by_period
        Whether weights differ by period.
    """

    table: dict[tuple[Hashable, ...], float] | None
    above: tuple[str, ...]
    levels: tuple[str, ...]
    periods: pd.Index
    by_period: bool

    @classmethod
    def of(cls, weights: object, levels: Sequence[str], periods: pd.Index) -> LevelWeights:
        """Read the table.

        Raises
        ------
        OptionError
            For columns that are not there, weights below 0 or no number, a unit given twice, or an
            unknown level.
        """
        if weights is None:
            return cls(None, (), tuple(levels), periods, False)
        frame = require_kind("weights", weights, pd.DataFrame, _WAY)
        columns = [str(name) for name in frame.columns]
        lacking = [name for name in ("level", "unit", "weight") if columns.count(name) != 1]
        if lacking or columns.count("period") > 1:
            raise OptionError(
                f"weights= needs the column {(lacking or ['period'])[0]!r} once, and its columns "
                f"are {listed(columns) or 'none'}; {_WAY}."
            )
        frame = frame.set_axis(pd.Index(columns), axis=1)
        for level in frame["level"].tolist():
            if not isinstance(level, str) or level not in levels:
                raise OptionError(
                    f"weights= has level {shown(level)}, which is not among the levels "
                    f"{listed(levels)}{suggest(str(level), levels)}."
                )
        own = _numbers(frame["weight"])
        bad = ~np.isfinite(own) | (own < 0)
        if bad.any():
            row = frame.iloc[int(np.flatnonzero(bad)[0])]
            raise OptionError(
                f"The weight of {row['unit']} (level {row['level']}) is {shown(row['weight'])}; "
                "weights are numbers of at least 0."
            )
        above = tuple(name for name in levels if name in columns)
        by_period = "period" in columns
        for name in ("unit", "period") if "period" in columns else ("unit",):
            for label in frame[name].tolist():
                if not isinstance(label, Hashable) or _is_missing(label):
                    raise OptionError(f"weights= has {shown(label)} in column {name!r}; {_WAY}.")
        read = cls(None, above, tuple(levels), periods, by_period)
        keys = []
        for record in frame.to_dict("records"):
            deep = list(levels).index(str(record["level"]))
            names = {name: record[name] for name in above if name in levels[:deep]}
            key = read._key(str(record["level"]), names, record["unit"], record.get("period"))
            keys.append(key)
        if by_period and keys and {key[-1] for key in keys}.isdisjoint(periods):
            theirs = listed(map(shown, dict.fromkeys(key[-1] for key in keys)))
            raise OptionError(
                f"No period of weights= ({theirs}) is one of the survey's "
                f"({listed(map(shown, periods))}); write them in the same way."
            )
        table = dict(zip(keys, own.tolist(), strict=True))
        if len(table) < len(keys):
            twice = next(key for place, key in enumerate(keys) if key in keys[:place])
            raise OptionError(
                f"weights= has two rows of {' / '.join(map(str, twice))}; {_WAY}, and the levels "
                "above as columns where units of one name are several."
            )
        return cls(table, above, tuple(levels), periods, by_period)

    def counts(
        self, level: str, nodes: Sequence[tuple[Hashable, ...]], scored: NDArray[np.bool_]
    ) -> Floats:
        """Return the weights of nodes of a level, (nodes, periods); 0 without a score.

        Raises
        ------
        OptionError
            For a unit with a score and without a weight, or written in another way there, and for
            a parent whose units all weigh 0.
        """
        if self.table is None:
            return scored.astype(np.float64)
        counts = np.zeros(scored.shape)
        absent: list[str] = []
        theirs = {str(key[-2]): key[-2] for key in self.table if key[0] == level}
        deep = self.levels.index(level)
        for place, node in enumerate(nodes):
            names = dict(zip(self.levels[:deep], node[:-1], strict=True))
            for at in np.flatnonzero(scored[place]).tolist():
                key = self._key(level, names, node[-1], self.periods[at])
                if key in self.table:
                    counts[place, at] = self.table[key]
                else:
                    self._require_alike(level, node[-1], theirs.get(str(node[-1]), node[-1]))
                    absent.append(f"{node[-1]} ({self.periods[at]})")
        if absent:
            raise OptionError(
                f"weights= has no weight of level {level} for {listed(absent)}; {_WAY}, or leave "
                "these answers out."
            )
        self._require_total(level, nodes, counts, scored)
        return counts

    @staticmethod
    def _require_alike(level: str, unit: Hashable, theirs: Hashable) -> None:
        """Refuse a unit that the table writes as text where the survey has a number, or so."""
        if unit != theirs:
            raise OptionError(
                f"weights= has unit {shown(theirs)} of level {level} where the survey has "
                f"{shown(unit)}; write them in the same way."
            )

    def _require_total(
        self,
        level: str,
        nodes: Sequence[tuple[Hashable, ...]],
        counts: Floats,
        scored: NDArray[np.bool_],
    ) -> None:
        """Refuse parents whose units all weigh nothing."""
        parents = [node[:-1] for node in nodes]
        for parent in dict.fromkeys(parents):
            own = [place for place, other in enumerate(parents) if other == parent]
            empty = scored[own].any(axis=0) & ~(counts[own].sum(axis=0) > 0)
            if empty.any():
                period = self.periods[int(np.flatnonzero(empty)[0])]
                name = " / ".join(map(str, parent)) or "the whole"
                raise OptionError(
                    f"All weights of level {level} in {name} are 0 in {period}; give one above 0."
                )

    def uneven_shares(self) -> tuple[str, ...]:
        """Return levels and periods whose weights look like shares and do not sum to 1.

        None is above 1, and their sum is no whole number, of the whole or of so many parents.
        """
        sums: dict[tuple[Hashable, Hashable], float] = {}
        large: set[Hashable] = set()
        for key, weight in (self.table or {}).items():
            sums[key[0], key[-1]] = sums.get((key[0], key[-1]), 0.0) + weight
            if weight > 1.0:
                large.add(key[0])
        return tuple(
            f"{level}" if period is None else f"{level} in {period}"
            for (level, period), total in sums.items()
            if level not in large and abs(total - max(1, round(total))) > _SUM
        )

    def without_score(self, nodes: Sequence[tuple[Hashable, ...]]) -> tuple[str, ...]:
        """Return the units that have a weight and are not among the nodes."""
        scored = set()
        for node in nodes:
            deep = len(node) - 1
            names = dict(zip(self.levels[:deep], node[:-1], strict=True))
            scored.add(self._key(self.levels[deep], names, node[-1], None)[:-1])
        lacking = dict.fromkeys(key[:-1] for key in self.table or () if key[:-1] not in scored)
        return tuple(f"{key[-1]} ({key[0]})" for key in lacking)

    def _key(
        self, level: str, names: dict[str, Hashable], unit: Hashable, period: Hashable
    ) -> tuple[Hashable, ...]:
        """Return what a weight is looked up by."""
        above = tuple(names.get(name) for name in self.above)
        return (level, *above, unit, period if self.by_period else None)


def _numbers(column: pd.Series) -> Floats:
    """Return a column as numbers, NaN for what is none."""
    numbers = (number_of(own) for own in column.tolist())
    return np.array([np.nan if own is None else own for own in numbers], dtype=np.float64)


def _is_missing(label: object) -> bool:
    """Tell whether a label is none: None, NA, or unlike itself as NaN and NaT are."""
    return label is None or label is pd.NA or bool(label != label)
