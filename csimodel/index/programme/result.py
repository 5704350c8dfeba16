"""What `programme` returns: tables of scores, changes, ranks, trends and contributions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from csimodel.arguments import checked_in
from csimodel.errors import ModelError, OptionError, choose, suggest
from csimodel.estimators import GroupFits
from csimodel.findings import Finding
from csimodel.floats import own_errstate_in
from csimodel.index.index import about_fits
from csimodel.index.programme.cells import NO_PART_ERROR, ItemWeights, ProgrammeCells
from csimodel.index.programme.contributions import contributions_of
from csimodel.index.programme.hierarchy import (
    WHOLE,
    Hierarchy,
    about_periods,
    about_weights,
    rows_of,
)
from csimodel.index.programme.ranking import Ranking, ranking_of
from csimodel.index.programme.times import about_times
from csimodel.index.programme.trend import slopes_of
from csimodel.inference.infer import infer
from csimodel.inference.sources import StandardErrors
from csimodel.model import Model
from csimodel.options import require_count
from csimodel.page import HasPage, Page, Section, sections
from csimodel.significance import adjusted_pvalues

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

CARRIED = "the same score, carried on"
_SHOWN = 40  # rows of a section of the page
_ROUNDING = 1e-12  # of what a cell counts


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Programme(HasPage):
    """The index of firms, and of all levels above them, over the periods. Made by `programme`.

    Attributes
    ----------
    groups
        The fits of the lowest level by period.
    hierarchy
        Units of all levels, and what they count in the one above.
    cells
        Indexes of the lowest level by period, with the covariance of any sums of them.
    item_weights
        Whose weights items have in an index: ``"own"``, ``"pooled"`` or ``"base"``.
    construct
        The index that ranks and headlines are of.
    year
        Periods of a year.
    level
        Coverage of the intervals.
    adjust
        How p-values of many comparisons are adjusted: ``"holm"`` or ``"bh"``.
    others
        Names of units that stand for several, and are not ranked.
    """

    groups: GroupFits
    hierarchy: Hierarchy
    cells: ProgrammeCells
    item_weights: ItemWeights
    construct: str
    year: int
    level: float
    adjust: str
    others: tuple[str, ...] = ()

    @property
    def model(self) -> Model:
        """What was fitted in every cell."""
        return self.groups.solution.model

    @property
    def constructs(self) -> tuple[str, ...]:
        """Names of the indexes."""
        return self.model.construct_names

    @cached_property
    def _columns(self) -> Codes:
        """The scores there are, places of ``hierarchy.sums``."""
        return np.flatnonzero(self.hierarchy.scored.ravel())

    @cached_property
    def estimates(self) -> Floats:
        """All scores, (nodes × periods, constructs); NaN where there is none."""
        sums = self.hierarchy.sums
        values = np.asarray(sums.T @ np.nan_to_num(self.cells.estimate))
        return np.where(self.hierarchy.scored.ravel()[:, None], values, np.nan)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The index of every construct at every level and period.

        Index level, unit, period, construct; columns estimate, se, df, lower, upper, reason, n
        (respondents) and effective_n (of equally weighted respondents of one sample that would say
        as much: ``1 / Σ a²/n`` over cells with counts a and Kish's n).
        """
        chosen = self._columns
        sums = self.hierarchy.sums[:, chosen]
        table = self._table(self.hierarchy.labels(chosen), sums, self.estimates[chosen], None)
        each = len(self.constructs)
        n = (sums != 0).astype(np.float64).T @ self.cells.n
        with np.errstate(divide="ignore"):
            effective = 1.0 / (sums.multiply(sums).T @ (1.0 / self.cells.effective_n))
        table["n"] = np.repeat(n.astype(np.intp), each)
        table["effective_n"] = np.repeat(np.asarray(effective), each)
        return table.drop(columns="p")

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Changes of every score on the period before, and on a year before.

        Index level, unit, period, since (the earlier period), construct; columns estimate
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
        sums = (self.hierarchy.sums[:, now] - self.hierarchy.sums[:, before]).tocsr()
        table = self._table(labels, sums, self.estimates[now] - self.estimates[before], 0.0)
        return self._adjusted(table, ["level", "period", "since", "construct"])

    @cached_property
    def trend(self) -> pd.DataFrame:
        """The straight line through each unit's periods: points a period, by least squares.

        Where numbers, dates or pandas Periods are not evenly spaced their distances count.

        Index level, unit, construct; columns estimate, se (of the answers' error alone: how far
        periods lie off a line does not count), df, lower, upper, p, reason, p_adjusted over the
        units of a level, and periods. Units with fewer than 3 periods are left out.
        """
        node, sums, periods = slopes_of(self.hierarchy)
        estimate = np.asarray(sums.T @ np.nan_to_num(self.cells.estimate))
        labels: dict[str, list[object]] = {
            "level": [self.hierarchy.level_names[own] for own in node.tolist()],
            "unit": [self.hierarchy.names[own] for own in node.tolist()],
        }
        table = self._table(labels, sums, estimate, 0.0)
        table = self._adjusted(table, ["level", "construct"])
        return table.assign(periods=np.repeat(periods, len(self.constructs)))

    @cached_property
    def contributions(self) -> pd.DataFrame:
        """What each unit adds to the change of the whole on the period before.

        Index level, unit, period, construct; columns scores (its share times the change of its
        score), weights (the change of its share times its distance from the whole), total. The
        totals of each level sum to the change of the whole, exactly.
        """
        return contributions_of(self.hierarchy, self.estimates, self.constructs)

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """Ranks of the lowest level in the last period by `construct`, within the level above."""
        return self.rank().table

    def rank(
        self,
        construct: str | None = None,
        period: object = None,
        *,
        within: str | None = None,
        top: int = 3,
    ) -> Ranking:
        """Return the ranks of the units of the lowest level.

        Parameters
        ----------
        construct
            By whose index; that of the programme by default.
        period
            The last by default.
        within
            The level whose units are each ranked apart, or ``"all"`` for one ranking; by default
            the level above the lowest.
        top
            For the probability of being among so many best.

        Raises
        ------
        OptionError
            For an unknown construct, period or level.
        """
        name = self.construct if construct is None else construct
        if name not in self.constructs:
            raise ModelError(
                f"Construct {name!r} is not in the model{suggest(str(name), self.constructs)}."
            )
        periods = self.hierarchy.periods
        wanted = periods[-1] if period is None else period
        if wanted not in periods.tolist():
            raise OptionError(
                f"period={wanted!r} is not among the periods, {periods[0]} to {periods[-1]}."
            )
        levels = (WHOLE, *self.hierarchy.levels[:-1])
        outer = levels[-1] if within is None else choose("within", within, levels)
        return ranking_of(
            self.hierarchy,
            self.cells,
            self.estimates,
            construct=self.constructs.index(name),
            name=name,
            period=periods.tolist().index(wanted),
            deep=levels.index(outer),
            top=require_count("top", top),
            level=self.level,
            others=self.others,
        )

    def _table(
        self,
        labels: dict[str, list[object]],
        sums: sparse.csr_array,
        estimate: Floats,
        null: float | None,
    ) -> pd.DataFrame:
        """Return a table of sums of cells, (columns of `sums`, constructs)."""
        each = len(self.constructs)
        df = self.cells.degrees(sums)
        se = np.sqrt(self.cells.variance(sums))
        several = np.asarray((sums != 0).sum(axis=0)).ravel() > 1
        se[several[:, None] & ~(df > 0)] = np.nan
        if self.cells.reason:
            se[:], df[:] = np.nan, 0.0
        source = StandardErrors(
            se.ravel(), df.ravel(), self.cells.reason or NO_PART_ERROR, self.cells.census
        )
        index = rows_of(labels, self.constructs)
        table = infer(index, estimate.ravel(), source, self.level, null, steady=False)
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

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know of the answers, the cells and the weights."""
        told = [*self.groups.findings, *about_fits(self.groups), *about_periods(self.hierarchy)]
        told.extend(about_weights(self.hierarchy))
        told.extend(self.groups.answers.without_replicates("influence values"))
        told.extend(about_times(self.hierarchy.periods, self.hierarchy.times))
        if self.hierarchy.weights.table is None and self.hierarchy.levels:
            told.append(Finding("equal-level-weights", _EQUAL, severity="note"))
        return tuple(told)

    @property
    def page(self) -> Page:
        """The whole over the periods, the last ranking and the largest contributions, on a page."""
        scores = self.scores
        levels = scores.index.get_level_values
        chosen = (levels("level") == WHOLE) & (levels("construct") == self.construct)
        whole = scores[chosen].droplevel(["level", "unit", "construct"])
        ranked = self.rank()
        parts = self.contributions
        last = self.hierarchy.periods[-1]
        levels = parts.index.get_level_values
        own = parts[
            (levels("construct") == self.construct)
            & (levels("period") == last)
            & (levels("level") == self.hierarchy.levels[0])
        ]
        shown = {
            "The whole": whole.drop(columns="reason"),
            f"Ranking by {self.construct}, {last}": ranked.table.head(_SHOWN),
        }
        return Page(
            f"Index programme: {len(self.hierarchy.keys):,} of level {self.hierarchy.levels[-1]}, "
            f"{len(self.hierarchy.periods)} periods",
            facts=(f"Item weights: {self.item_weights}; {self.groups.solution.estimator.label}",),
            findings=self.findings,
            sections=(
                *sections(shown, 2),
                Section(f"Contributions to the change, {last}", own.head(_SHOWN), decimals=3),
            ),
        )

    def __repr__(self) -> str:
        return (
            f"<Programme: {len(self.hierarchy.keys)} of level {self.hierarchy.levels[-1]}, "
            f"{len(self.hierarchy.periods)} periods, {len(self.constructs)} constructs>"
        )


_EQUAL = (
    "No weights of levels were given, so the units of one parent count alike, however large they "
    "are; give weights= with columns level, unit, period and weight."
)
