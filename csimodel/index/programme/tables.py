"""Tables of a quantity at every level and period: scores, changes, trends, levels, differences."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from csimodel.findings import Finding
from csimodel.floats import own_errstate_in
from csimodel.formatting import plural
from csimodel.index.programme.cells import NO_PART_ERROR, ProgrammeCells
from csimodel.index.programme.differences import (
    compared_places,
    labels_of_pairs,
    score_place,
)
from csimodel.index.programme.hierarchy import WHOLE, Hierarchy, rows_of
from csimodel.index.programme.local_level import LocalLevels, SeriesOfScores, local_levels
from csimodel.index.programme.trend import slopes_of
from csimodel.inference.infer import infer
from csimodel.inference.sources import StandardErrors
from csimodel.page import HasPage, Page, Section
from csimodel.significance import adjusted_pvalues
from csimodel.translation import message

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

CARRIED = message("the same score, carried on")
ALONE = message("a score without an error among its periods")
_ROUNDING = 1e-12  # of what a cell counts
_SHORTEST = 3  # periods of a local level that is told
_ONE_MOVE = (
    "{count} score of {entry} in level {level} is further from what those before it let expect "
    "than usual moves of that level and the errors of the answers explain: {moves}."
)
_MOVES = (
    "{count} scores of {entry} in level {level} are further from what those before them let expect "
    "than usual moves of that level and the errors of the answers explain: {moves}."
)


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class ProgrammeTables(HasPage):
    """A quantity of firms, and of all levels above them, over the periods.

    Levels above the lowest have the weighted mean of the units below.

    Attributes
    ----------
    hierarchy
        Units of all levels, and what they count in the one above.
    cells
        The quantity of the lowest level by period, with the covariance of any sums of them.
    quantity
        Its name, as ``"index"`` or ``"paths"``.
    entries
        Labels of its entries: constructs, or (target, source) of paths.
    null
        The value of no effect for p-values of scores; None for none.
    year
        Periods of a year.
    level
        Coverage of the intervals.
    adjust
        How p-values of many comparisons are adjusted: ``"holm"`` or ``"bh"``.
    findings
        What a reader must know of the quantity.
    """

    hierarchy: Hierarchy
    cells: ProgrammeCells
    quantity: str
    entries: pd.Index
    null: float | None
    year: int
    level: float
    adjust: str
    findings: tuple[Finding, ...] = ()

    @cached_property
    def columns(self) -> Codes:
        """The scores there are, places of ``hierarchy.sums``."""
        return np.flatnonzero(self.hierarchy.scored.ravel())

    @cached_property
    def estimates(self) -> Floats:
        """All scores, (nodes × periods, entries); NaN where there is none."""
        values = self._values(self.hierarchy.sums)
        return np.where(self.hierarchy.scored.ravel()[:, None], values, np.nan)

    def _values(self, sums: sparse.csr_array) -> Floats:
        """Return sums of cells, (sums, entries); NaN where a cell has no solution."""
        values = np.asarray(sums.T @ np.nan_to_num(self.cells.estimate))
        unknown = ~np.isfinite(self.cells.estimate)
        if unknown.any():
            values[abs(sums).T @ unknown.astype(np.float64) > 0] = np.nan
        return values

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The quantity at every level and period.

        Index level, unit, period, and the entry (of the index the construct); columns estimate, se,
        df, lower, upper, p (but of the index, for which zero means nothing), reason, n
        (respondents) and effective_n (of equally weighted respondents of one sample that would say
        as much: ``1 / Σ a²/n`` over cells with counts a and Kish's n).
        """
        chosen = self.columns
        sums = self.hierarchy.sums[:, chosen]
        table = self._table(self.hierarchy.labels(chosen), sums, self.estimates[chosen], self.null)
        each = len(self.entries)
        n = (sums != 0).astype(np.float64).T @ self.cells.n
        with np.errstate(divide="ignore"):
            effective = 1.0 / (sums.multiply(sums).T @ (1.0 / self.cells.effective_n))
        table["n"] = np.repeat(n.astype(np.intp), each)
        table["effective_n"] = np.repeat(np.asarray(effective), each)
        return table.drop(columns="p") if self.null is None else table

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Changes of every score on the period before, and on a year before.

        Index level, unit, period, since (the earlier period), and the entry; columns estimate
        (difference), se, df, lower, upper, p, reason, and p_adjusted over the units of a level in
        one period. Periods that share clusters (or scores that are carried on) covary.
        """
        periods = len(self.hierarchy.periods)
        parts, since = [], []
        last = np.arange(periods) - 1
        year = self.hierarchy.times.before(self.year)
        scored = self.hierarchy.scored
        for earlier in (last, np.where(year == last, -1, year)):
            both = scored & (earlier >= 0) & scored[:, earlier]
            node, period = np.nonzero(both)
            parts.append(node * periods + period)
            since.append(node * periods + earlier[period])
        order = np.argsort(np.concatenate(parts), kind="stable")
        now, before = np.concatenate(parts)[order], np.concatenate(since)[order]
        labels = self.hierarchy.labels(now)
        labels["since"] = self.hierarchy.labels(before)["period"]
        table = self._of_pairs(labels, now, before)
        return self._adjusted(table, ["level", "period", "since", *self._names])

    @cached_property
    def trend(self) -> pd.DataFrame:
        """The straight line through each unit's periods: points a period, by least squares.

        Where numbers, dates or pandas Periods are not evenly spaced their distances count.

        Index level, unit, and the entry; columns estimate, se (of the answers' error alone: how
        far periods lie off a line does not count), df, lower, upper, p, reason, p_adjusted over the
        units of a level, periods, and of `local_level` move_sd (standard deviation of a move of the
        level in a period, one for all units of a level) and large_moves (how many scores are
        further from what those before them let expect than moves of this size and the errors of
        the answers explain). Units with fewer than 3 periods are left out.
        """
        node, sums, periods = slopes_of(self.hierarchy)
        estimate = self._values(sums)
        labels: dict[str, list[object]] = {
            "level": [self.hierarchy.level_names[own] for own in node.tolist()],
            "unit": [self.hierarchy.names[own] for own in node.tolist()],
        }
        table = self._table(labels, sums, estimate, 0.0)
        table = self._adjusted(table, ["level", *self._names])
        table["periods"] = np.repeat(periods, len(self.entries))
        move = np.sqrt(self._levels.move[self.hierarchy.deep[node]])
        large = np.zeros((*self.hierarchy.scored.shape, len(self.entries)), dtype=np.intp)
        large.reshape(-1, len(self.entries))[self.columns] = (
            self.local_level["large"].to_numpy().reshape(-1, len(self.entries))
        )
        count = large.sum(axis=1)[node]
        return table.assign(move_sd=move.ravel(), large_moves=count.ravel())

    @cached_property
    def local_level(self) -> pd.DataFrame:
        """The level behind each unit's scores, freed of the errors of the answers.

        A local level: it moves from period to period by a random step, whose variance is one for
        all units of a level and entry (restricted likelihood), and scores lie about it with the
        errors of the answers, which are known, and covary where periods share respondents or
        clusters. See `csimodel.index.programme.local_level`.

        Index level, unit, period, and the entry; columns estimate (the level given the scores of
        all periods), se (which takes the variance of moves as known), df, lower, upper, reason,
        innovation (score less what those before it let expect, NaN in the first period),
        innovation_se, p, p_adjusted over the units and periods of a level, and large (adjusted p
        below 1 - `level`).
        """
        chosen, each = self.columns, len(self.entries)
        levels, labels = self._levels, self.hierarchy.labels(self.columns)
        index = rows_of(labels, self.entries)
        level, error, innovation, spread = (
            own.reshape(-1, each)[chosen].ravel()
            for own in (levels.level, levels.error, levels.innovation, levels.innovation_error)
        )
        scores = self.scores
        df = scores["df"].to_numpy()
        reason = self.cells.reason or ALONE
        if self.cells.census:
            level, error = scores["estimate"].to_numpy(), np.zeros(len(scores))
        carried = ~np.repeat(self._measured.ravel()[chosen], each)
        source = StandardErrors(error, df, reason, self.cells.census)
        table = infer(index, level, source, self.level, None, steady=False).drop(columns="p")
        table.loc[np.isnan(level), "reason"] = reason
        table.loc[carried, "reason"] = CARRIED
        source = StandardErrors(spread, df, reason)
        moves = infer(index, innovation, source, self.level, 0.0, steady=False)
        table["innovation"], table["innovation_se"] = innovation, moves["se"]
        table["p"] = moves["p"]
        table = self._adjusted(table, ["level", *self._names])
        table["large"] = table["p_adjusted"] < 1.0 - self.level
        return table

    def difference(self, a: object, b: object) -> pd.DataFrame:
        """Return the difference of two scores, ``a - b``, with its error.

        Units may contain each other, and be of different levels and periods: what they share
        counts.

        Parameters
        ----------
        a, b
            Each a level, a unit and a period, as ``("firm", "a", 2)`` or ``("all", "all", 2)``.

        Returns
        -------
        DataFrame
            Rows entries; columns estimate, se, df, lower, upper, p, reason.

        Raises
        ------
        OptionError
            For a score that is not there.
        """
        first, second = (
            np.array([score_place(self.hierarchy, option, own)])
            for option, own in (("a", a), ("b", b))
        )
        table = self._of_pairs({"unit": [""]}, first, second)
        return table.droplevel(0)

    def differences(
        self, level: object = None, period: object = None, against: str = "all"
    ) -> pd.DataFrame:
        """Return the differences of all units of a level from the whole, or from each other.

        Parameters
        ----------
        level
            Whose units; the lowest by default.
        period
            When; the last by default.
        against
            The whole (``"all"``) or a level above, which contain the unit, or ``"pairs"`` for
            every two of the units.

        Returns
        -------
        DataFrame
            Index level, unit, period, from, and the entry; columns as in `difference`, and
            p_adjusted over all pairs of an entry.

        Raises
        ------
        OptionError
            For a level or period that is not there, or more pairs than the memory that is free
            holds.
        """
        first, second = compared_places(self.hierarchy, level, period, against)
        table = self._of_pairs(labels_of_pairs(self.hierarchy, first, second), first, second)
        return self._adjusted(table, self._names)

    def _of_pairs(
        self, labels: dict[str, list[object]], first: Codes, second: Codes
    ) -> pd.DataFrame:
        """Return the differences of scores, by their places."""
        sums = (self.hierarchy.sums[:, first] - self.hierarchy.sums[:, second]).tocsr()
        return self._table(labels, sums, self.estimates[first] - self.estimates[second], 0.0)

    def about_moves(self, entry: Hashable) -> Iterator[Finding]:
        """Name scores that are further from those before than usual moves and errors explain."""
        if len(self.hierarchy.periods) < _SHORTEST:
            return
        table = self.local_level
        own = table[table["large"] & (table.index.get_level_values(self._names[0]) == entry)]
        for level in own.index.get_level_values("level").unique():
            moves = tuple(f"{unit} ({period})" for unit, period, *_ in own.loc[level].index)
            yield Finding(
                "large-moves",
                _ONE_MOVE if len(moves) == 1 else _MOVES,
                moves,
                "note",
                len(moves),
                {"count": len(moves), "entry": entry, "level": level, "moves": moves},
            )

    @cached_property
    def _measured(self) -> NDArray[np.bool_]:
        """Whether units were measured in a period, not carried on, (nodes, periods)."""
        sums, periods = self.hierarchy.sums, len(self.hierarchy.periods)
        scored = self.hierarchy.scored
        measured = scored.copy()
        places = np.arange(scored.size).reshape(scored.shape)
        for at in range(1, periods):
            moved = abs(sums[:, places[:, at]] - sums[:, places[:, at - 1]]).sum(axis=0)
            measured[:, at] &= (np.ravel(moved) > _ROUNDING) | ~scored[:, at - 1]
        return measured

    @cached_property
    def _levels(self) -> LocalLevels:
        """The levels behind the scores of all nodes."""
        nodes, periods = self.hierarchy.scored.shape
        shape = (nodes, periods, len(self.entries))
        covariance = np.full((nodes, periods, periods, len(self.entries)), np.nan)
        sums, places = self.hierarchy.sums, np.arange(nodes * periods).reshape(nodes, periods)
        for at in range(periods):
            for other in range(at + 1):
                own = self.cells.covariances(sums[:, places[:, at]], sums[:, places[:, other]])
                covariance[:, at, other] = covariance[:, other, at] = own
        measured = self._measured
        error = np.full((nodes * periods, len(self.entries)), np.nan)
        error[self.columns] = self.scores["se"].to_numpy().reshape(-1, len(self.entries))
        sure = np.isfinite(error).reshape(shape) | ~measured[..., None]
        return local_levels(
            SeriesOfScores(
                self.estimates.reshape(shape),
                covariance,
                measured,
                np.asarray(sure.all(axis=1)),
                self.hierarchy.times.steps,
                self.hierarchy.deep,
            )
        )

    @property
    def _names(self) -> list[str]:
        return [str(name) for name in self.entries.names]

    @property
    def page(self) -> Page:
        """The whole over the periods, and what changed, on a page."""
        scores, changes = (
            own[own.index.get_level_values("level") == WHOLE].droplevel(["level", "unit"])
            for own in (self.scores, self.changes)
        )
        return Page(
            f"{self.quantity} of an index programme",
            findings=self.findings,
            sections=(
                Section("The whole", scores.drop(columns="reason"), decimals=3),
                Section("Changes of the whole", changes.drop(columns="reason"), decimals=3),
            ),
        )

    def __repr__(self) -> str:
        return (
            f"<{self.quantity} of a programme: {len(self.hierarchy.keys)} of level "
            f"{self.hierarchy.levels[-1]}, {plural(len(self.hierarchy.periods), 'period')}>"
        )

    def _table(
        self,
        labels: dict[str, list[object]],
        sums: sparse.csr_array,
        estimate: Floats,
        null: float | None,
    ) -> pd.DataFrame:
        """Return a table of sums of cells, (columns of `sums`, constructs)."""
        each = len(self.entries)
        df = self.cells.degrees(sums)
        se = np.sqrt(self.cells.variance(sums))
        several = np.asarray((sums != 0).sum(axis=0)).ravel() > 1
        se[several[:, None] & ~(df > 0)] = np.nan
        if self.cells.reason:
            se[:], df[:] = np.nan, 0.0
        source = StandardErrors(
            se.ravel(), df.ravel(), self.cells.reason or NO_PART_ERROR, self.cells.census
        )
        index = rows_of(labels, self.entries)
        steady = np.zeros(each, dtype=np.bool_) if self.cells.steady is None else self.cells.steady
        steady = np.tile(steady, len(estimate))
        table = infer(index, estimate.ravel(), source, self.level, null, steady=steady)
        nothing = np.asarray((abs(sums) > _ROUNDING).sum(axis=0)).ravel() == 0
        table.loc[np.repeat(nothing, each), "reason"] = CARRIED
        return table

    def _adjusted(self, table: pd.DataFrame, family: list[str]) -> pd.DataFrame:
        """Return a table with p-values adjusted over the units of each family."""
        adjusted = np.full(len(table), np.nan)
        p = table["p"].to_numpy()
        codes = table.index.to_frame(index=False).groupby(family, sort=False).ngroup().to_numpy()
        order = np.argsort(codes, kind="stable")
        for own in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
            adjusted[own] = adjusted_pvalues(p[own], self.adjust)
        return table.assign(p_adjusted=adjusted)
