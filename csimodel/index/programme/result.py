"""What `programme` returns: tables of scores, changes, ranks, trends and contributions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from csimodel.arguments import checked_in
from csimodel.errors import choose, require_construct
from csimodel.estimators import GroupFits, Quantity, find
from csimodel.findings import Finding, counted, text
from csimodel.floats import own_errstate_in
from csimodel.formatting import label, plural
from csimodel.index.index import about_fits
from csimodel.index.points import INDEX
from csimodel.index.programme.cells import ItemWeights, ProgrammeCells
from csimodel.index.programme.contributions import contributions_of
from csimodel.index.programme.differences import period_place
from csimodel.index.programme.hierarchy import (
    WHOLE,
    Hierarchy,
    about_periods,
    about_weights,
)
from csimodel.index.programme.quantity_cells import quantity_cells
from csimodel.index.programme.ranking import Ranking, ranking_of
from csimodel.index.programme.shared_units import about_shared_units
from csimodel.index.programme.tables import ProgrammeTables
from csimodel.index.programme.times import about_times
from csimodel.index.what_if import changed_index, points_of_changes
from csimodel.inference.linearized import require_linear
from csimodel.model import Model
from csimodel.options import require_count
from csimodel.page import HasPage, Page, Section, sections

_SHOWN = 40  # rows of a section of the page


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
    def falling(self) -> tuple[str, ...]:
        """Constructs that correlate negatively with `construct`, as complaints do: more is worse.

        By the mean correlation over all units of the lowest level and periods.
        """
        place = self.constructs.index(self.construct)
        cor = self.groups.solution.estimates.construct_cor[..., place, :]
        known = np.isfinite(cor)
        mean = np.where(known, cor, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return tuple(name for name, own in zip(self.constructs, mean, strict=True) if own < 0)

    def chosen_construct(self, construct: object) -> str:
        """Return a construct by its name, of None that of the programme.

        Raises
        ------
        ModelError
            When it is not in the model.
        """
        return require_construct(
            self.construct if construct is None else construct, self.constructs
        )

    @cached_property
    def tables(self) -> ProgrammeTables:
        """Tables of the index at every level and period."""
        entries = pd.Index(self.constructs, name="construct")
        return ProgrammeTables(
            self.hierarchy, self.cells, "index", entries, None, self.year, self.level, self.adjust
        )

    def of(self, quantity: str | Quantity) -> ProgrammeTables:
        """Return tables of another quantity: paths, loadings, total effects, impacts.

        Each unit of the lowest level is fitted by itself in each period, with item weights of its
        own; levels above have the weighted mean of the units below. Errors are influence values,
        as of the index, and covary over periods and units in the same way.

        Parameters
        ----------
        quantity
            A name such as ``"paths"``, ``"loadings"``, ``"total_effects"``, ``"impacts"`` (points
            of the target per point of the source); an unknown name lists them all.

        Returns
        -------
        ProgrammeTables
            ``.scores``, ``.changes``, ``.trend``, ``.local_level``, ``.difference(a, b)``,
            ``.differences(…)``.

        Raises
        ------
        OptionError
            For an unknown quantity.
        InferenceError
            For distances, which have no influence values.

        Examples
        --------
        >>> import csimodel as csi
        >>> frame = csi.load_mobi().data.assign(firm=["a", "b"] * 125, wave=[1] * 125 + [2] * 125)
        >>> survey = csi.read_survey(frame, scale=(1, 10))
        >>> waves = csi.programme(csi.models.ecsi(), survey, "firm", "wave")
        >>> paths = waves.of("paths").difference(("firm", "a", 2), ("all", "all", 2))
        >>> row = paths.loc[("Loyalty", "Satisfaction")]
        >>> [round(float(row[name]), 2) for name in ("estimate", "se")]
        [-0.11, 0.1]
        """
        own = find(quantity)
        if own.name == INDEX.name:
            return self.tables
        require_linear(own)
        return self._tables_of(own)

    def table(self, quantity: str | Quantity) -> pd.DataFrame:
        """Return a quantity at every level and period, as ``of(quantity).scores``."""
        return self.of(quantity).scores

    def impacts(self, changes: object) -> ProgrammeTables:
        """Return what changes of drivers do to every index, for each unit and period.

        As `csi.what_if`: total effects in points times the changes, as far as paths are causes;
        here by the fit of each unit in each period. What follows for repurchase and money is in
        ``csi.outcomes.programme_impacts``.

        Parameters
        ----------
        changes
            Points of the index by construct, as ``{"Quality": 5}``.

        Returns
        -------
        ProgrammeTables
            ``.scores`` by construct: the change of its index, points.

        Raises
        ------
        ModelError
            For a construct that is not in the model.
        OptionError
            For what is no mapping from constructs to points.

        Examples
        --------
        >>> import csimodel as csi
        >>> frame = csi.load_mobi().data.assign(firm=["a", "b"] * 125, wave=[1] * 125 + [2] * 125)
        >>> survey = csi.read_survey(frame, scale=(1, 10))
        >>> waves = csi.programme(csi.models.ecsi(), survey, "firm", "wave")
        >>> moved = waves.impacts({"Quality": 5}).scores.loc[("all", "all", 2)]
        >>> [round(float(moved.loc["Satisfaction", name]), 1) for name in ("estimate", "se")]
        [2.9, 0.4]
        """
        points = points_of_changes(changes, self.model)
        return self._tables_of(changed_index(points, self.model))

    def _tables_of(self, quantity: Quantity) -> ProgrammeTables:
        return ProgrammeTables(
            self.hierarchy,
            quantity_cells(self.groups, quantity),
            quantity.name,
            quantity.labels(self.model),
            quantity.null,
            self.year,
            self.level,
            self.adjust,
        )

    def difference(self, a: object, b: object) -> pd.DataFrame:
        """Return the difference of two indexes; see `ProgrammeTables.difference`."""
        return self.tables.difference(a, b)

    def differences(
        self, level: object = None, period: object = None, against: str = "all"
    ) -> pd.DataFrame:
        """Return differences of all units of a level; see `ProgrammeTables.differences`."""
        return self.tables.differences(level, period, against)

    @property
    def scores(self) -> pd.DataFrame:
        """The index of every construct at every level and period; see `ProgrammeTables`."""
        return self.tables.scores

    @property
    def changes(self) -> pd.DataFrame:
        """Changes of every score on the period before, and on a year before."""
        return self.tables.changes

    @property
    def trend(self) -> pd.DataFrame:
        """The straight line through each unit's periods, and how much its level moves."""
        return self.tables.trend

    @property
    def local_level(self) -> pd.DataFrame:
        """The level behind each unit's scores, and moves larger than expected."""
        return self.tables.local_level

    @cached_property
    def contributions(self) -> pd.DataFrame:
        """What each unit adds to the change of the whole on the period before.

        Index level, unit, period, construct; columns scores (its share times the change of its
        score), weights (the change of its share times its distance from the whole), total. The
        totals of each level sum to the change of the whole, exactly.
        """
        return contributions_of(self.hierarchy, self.tables.estimates, self.tables.entries)

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
        name = self.chosen_construct(construct)
        levels = (WHOLE, *self.hierarchy.levels[:-1])
        outer = levels[-1] if within is None else choose("within", within, levels)
        return ranking_of(
            self.hierarchy,
            self.cells,
            self.tables.estimates,
            construct=self.constructs.index(name),
            name=name,
            period=period_place(self.hierarchy, "period", period),
            deep=levels.index(outer),
            top=require_count("top", top),
            level=self.level,
            others=self.others,
        )

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know of the answers, the cells and the weights."""
        told = [*self.groups.findings, *about_fits(self.groups), *about_periods(self.hierarchy)]
        told.extend(about_weights(self.hierarchy))
        told.extend(self.groups.answers.without_replicates("influence values"))
        told.extend(about_times(self.hierarchy.periods, self.hierarchy.times))
        told.extend(about_shared_units(self.groups.labels, self.cells))
        told.extend(self.tables.about_moves(self.construct))
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
            text("The whole"): whole.drop(columns="reason"),
            text(
                "Ranking by {construct}, {last}", construct=self.construct, last=label(last)
            ): ranked.table.head(_SHOWN),
        }
        return Page(
            text(
                "Index programme: {keys:,} of level {levels}, {periods}",
                keys=len(self.hierarchy.keys),
                levels=self.hierarchy.levels[-1],
                periods=counted(
                    len(self.hierarchy.periods), "{count:,} period", "{count:,} periods"
                ),
            ),
            facts=(
                text(
                    "Item weights: {item_weights}; {label}",
                    item_weights=self.item_weights,
                    label=self.groups.solution.estimator.label,
                ),
            ),
            findings=self.findings,
            sections=(
                *sections(shown, 2),
                Section(
                    text("Contributions to the change, {last}", last=label(last)),
                    own.head(_SHOWN),
                    decimals=3,
                ),
            ),
        )

    def __repr__(self) -> str:
        return (
            f"<Programme: {len(self.hierarchy.keys)} of level {self.hierarchy.levels[-1]}, "
            f"{plural(len(self.hierarchy.periods), 'period')}, "
            f"{plural(len(self.constructs), 'construct')}>"
        )


_EQUAL = (
    "No weights of levels were given, so the units of one parent count alike, however large they "
    "are; give weights= with columns level, unit, period and weight."
)
