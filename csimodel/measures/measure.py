"""The result of a measure: a table of estimates by group, and their differences."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked_in
from csimodel.errors import OptionError
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate_in
from csimodel.inference import Draws, ErrorSource, infer
from csimodel.inference.domains import DomainStatistics
from csimodel.inference.pairs import pairs_of
from csimodel.inference.sources import ShareErrors
from csimodel.moments.resampling import Resampling
from csimodel.options import require_count, require_level, seed_of
from csimodel.page import HasPage, Page, sections
from csimodel.significance import holm
from csimodel.translation import shown_message

Floats = NDArray[np.float64]


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Measure(HasPage):
    """Estimates of a measure by group. Made by the functions of `csi.measures`.

    Attributes
    ----------
    title
        What was measured.
    statistics
        Estimates and what each respondent adds to them.
    groups
        Labels of the groups, or None.
    names
        Of the entries; None for a measure that is a single number.
    level
        Coverage.
    null
        The value of no effect for p-values; None where there is none.
    share
        Whether estimates are shares, whose limits stay within 0 and 1.
    told
        What a reader must know.
    further
        Other tables, by title.
    """

    title: str
    statistics: DomainStatistics
    groups: pd.Index | None
    names: pd.Index | None
    level: float = 0.95
    null: float | None = None
    share: bool = False
    told: tuple[Finding, ...] = ()
    further: tuple[tuple[str, pd.DataFrame], ...] = ()

    def __post_init__(self) -> None:
        require_level(self.level)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Estimates: columns estimate, se, df, lower, upper, n and reason.

        And p where a value means no effect. Rows are entries, or (group, entry). Limits are by t
        with the degrees of freedom of the design; of shares Wilson's where respondents were drawn
        one by one with equal weights, else by t on the logit.
        """
        statistics = self.statistics
        source: ErrorSource = statistics.errors
        if self.share:
            size = statistics.n if statistics.domains.simple else statistics.effective
            sizes = np.nan_to_num(size.astype(np.float64)).ravel()
            source = ShareErrors(source, sizes, statistics.domains.simple)
        table = infer(
            self._labels(self.groups),
            statistics.estimate.ravel(),
            source,
            self.level,
            self.null,
            steady=False,
        )
        table.insert(6, "n", statistics.n.ravel())
        return table if self.null is not None else table.drop(columns="p")

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Differences of every two groups, the first less the second.

        Columns estimate, se, df, lower, upper, p, p_holm (corrected over all pairs of an entry) and
        reason; rows (entry, group, other), without the entry where there is one only. Overlap of
        two intervals is no test; this is.

        Raises
        ------
        OptionError
            When there are no groups.
        """
        if self.groups is None:
            raise OptionError("There are no groups to compare; name their column as by=.")
        statistics, entries = self.statistics, self.statistics.estimate.shape[1]
        first, second = pairs_of(len(self.groups), "groups")
        estimate, source = statistics.differences(first, second)
        labels = [_joined(label) for label in self.groups]
        known = np.array([*labels, None], dtype=object)[:-1]
        levels: list[NDArray[np.object_]] = [
            np.repeat(known[first], entries),
            np.repeat(known[second], entries),
        ]
        titles: list[Hashable] = ["group", "other"]
        if self.names is not None:
            levels.insert(0, np.tile(np.array(self.names, dtype=object), len(first)))
            titles.insert(0, self.names.name)
        index = pd.MultiIndex.from_arrays(levels, names=titles)
        table = infer(index, estimate, source, self.level, 0.0, steady=False)
        corrected = np.empty(len(table))
        for entry in range(entries):
            corrected[entry::entries] = holm(table["p"].to_numpy()[entry::entries])
        table.insert(6, "p_holm", corrected)
        if self.names is None:
            return table
        order = np.argsort(np.tile(np.arange(entries), len(first)), kind="stable")
        return table.iloc[order]

    def bootstrap(
        self,
        draws: int = 2_000,
        rng: int | np.random.Generator | None = 0,
        interval: str = "percentile",
    ) -> pd.DataFrame:
        """Return the table with errors and limits from samples drawn again.

        Parameters
        ----------
        draws
            Number of draws; units are drawn within strata, as the survey's were.
        rng
            Their seed.
        interval
            ``"percentile"``, ``"basic"``, ``"normal"`` or ``"bc"``; ``"auto"`` is t where there are
            few degrees of freedom, else percentile.

        Raises
        ------
        OptionError
            For another interval or number of draws.
        """
        statistics = self.statistics
        answers = statistics.domains.answers
        count = require_count("draws", draws, most=10**6)
        if interval not in ("auto", "percentile", "basic", "normal", "bc"):
            raise OptionError(
                f"interval={interval!r} is not known; use 'auto', 'percentile', 'basic', 'normal' "
                "or 'bc'."
            )
        resampling = Resampling.of_design(answers.design, count, seed_of(rng))
        weights = statistics.domains.weights
        samples = np.concatenate(
            [
                np.array([statistics.again(weights * times).ravel() for times in counts])
                for counts in resampling
            ]
        )
        estimate = statistics.estimate.ravel()
        source = Draws(estimate, samples, statistics.df.ravel(), interval, answers.design.inflation)
        labels = self._labels(self.groups)
        table = infer(labels, estimate, source, self.level, self.null, steady=False)
        table.insert(6, "n", statistics.n.ravel())
        return table if self.null is not None else table.drop(columns="p")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know."""
        return self.told

    @property
    def page(self) -> Page:
        """The measure on a page."""
        further = {shown_message(title): table for title, table in self.further}
        tables = {text("Estimates"): self.table, **further}
        if self.groups is not None and 1 < len(self.groups) <= _SHOWN:
            tables[text("Differences")] = self.differences
        return Page(shown_message(self.title), facts=(self._limits(),), findings=self.told,
                    sections=sections(tables))  # fmt: skip

    def _limits(self) -> str:
        simple = self.statistics.domains.simple
        kind = ("Wilson" if simple else text("t on the logit")) if self.share else "t"
        return text("Limits: {level:g} %, {kind}", level=100 * self.level, kind=kind)

    def _labels(self, groups: pd.Index | None) -> pd.Index:
        """Return the labels of all entries, by group and in a group by entry."""
        names = self.names
        if groups is None:
            return pd.Index([self.title]) if names is None else names
        if names is None:
            return groups
        rows = [(*_levels(group), name) for group in groups for name in names]
        return pd.MultiIndex.from_tuples(rows, names=[*groups.names, names.name])


_SHOWN = 12  # groups whose differences are shown on a page


def _levels(label: Hashable) -> tuple[Hashable, ...]:
    return label if isinstance(label, tuple) else (label,)


def _joined(label: Hashable) -> Hashable:
    """Return a group's label in one level of an index: (x, 2024) as x · 2024."""
    return " · ".join(map(str, label)) if isinstance(label, tuple) else label
