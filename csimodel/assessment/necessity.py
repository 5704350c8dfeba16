"""What `necessary_conditions` gives: effect sizes, ceilings, bottlenecks and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked_in
from csimodel.assessment.ceilings import (
    CEILINGS,
    Ceiling,
    CeilingKind,
    Scatter,
    unit_coordinates,
)
from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError, suggest
from csimodel.estimators import Fit
from csimodel.findings import Finding, listed
from csimodel.floats import own_errstate_in
from csimodel.options import require_array
from csimodel.page import HasPage, Page, Section

Floats = NDArray[np.float64]


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class NecessaryConditions(HasPage):
    """Effect sizes of necessary conditions; made by `necessary_conditions`.

    Attributes
    ----------
    fit, target
        Whose scores, and which construct is the outcome.
    table
        A row a driver and ceiling (``"ce_fdh"``, ``"cr_fdh"``): effect_size, 0 to 1; p, from
        permutations; accuracy, percent of respondents on or below the ceiling; corners, how many
        values of the driver the ceiling rests on; intercept and slope of the line in standardised
        scores (CR-FDH); size in words; reason, where nothing is judged.
    ceiling
        The ceiling that is judged by.
    scores
        Standardised scores of the respondents used, respondents × (drivers and target).
    findings
        Which drivers are necessary, and what a reader must know.
    level
        1 less the size of the tests.
    """

    fit: Fit
    target: str
    table: pd.DataFrame
    ceiling: CeilingKind
    scores: pd.DataFrame
    findings: tuple[Finding, ...]
    level: float
    _weights: Floats
    _permuted: Floats

    @cached_property
    def verdicts(self) -> pd.Series:
        """``"necessary"``, ``"not shown"`` or ``"not judged"``, by driver.

        Necessary is what has an effect size of at least .1 and a p-value not above 1 - `level`.
        """
        rows = self.table.xs(self.ceiling, level="ceiling")
        words = [verdict_of(row["effect_size"], row["p"], self.level) for _, row in rows.iterrows()]
        return pd.Series(words, rows.index, name="verdict")

    def draws(self, ceiling: CeilingKind = "ce_fdh") -> pd.DataFrame:
        """Return the effect sizes in every permutation, permutations × drivers."""
        return pd.DataFrame(self._permuted[:, :, CEILINGS.index(ceiling)], columns=self.drivers)

    @property
    def drivers(self) -> pd.Index:
        """The constructs that may be necessary."""
        return self.scores.columns[:-1].rename("driver")

    def bottleneck(
        self,
        ceiling: CeilingKind | None = None,
        *,
        of: Literal["range", "respondents", "scores"] = "range",
        levels: Sequence[float] = tuple(range(0, 101, 10)),
    ) -> pd.DataFrame:
        """Return how much of each driver is needed for levels of the target.

        Parameters
        ----------
        ceiling
            By default the one that is judged by.
        of
            ``"range"``: percent of the driver's range observed; ``"respondents"``: percent of
            (weighted) respondents who have less than is needed; ``"scores"``: standard deviations.
        levels
            Percent of the target's range observed, 0 to 100.

        Returns
        -------
        DataFrame
            Levels × drivers. 0 percent, or the smallest score, where nothing is needed; NaN where
            the ceiling does not reach the level, and where scores do not vary.
        """
        kind = self.ceiling if ceiling is None else ceiling
        outcomes = require_array("levels", levels, "percents of the range of the target")
        inside = np.isfinite(outcomes) & (outcomes >= 0) & (outcomes <= 100)
        if outcomes.ndim != 1 or not len(outcomes) or not inside.all():
            raise OptionError(
                "levels= holds percents of the range of the target, from 0 to 100, such as "
                "(50, 75, 100)."
            )
        columns = {}
        for driver in self.drivers.tolist():
            own = self.scores[driver].to_numpy()
            needed = self._required(driver, kind, outcomes / 100.0)
            low, width = own.min(), own.max() - own.min()
            if of == "range":
                columns[driver] = 100.0 * needed
            elif of == "scores":
                columns[driver] = low + width * needed
            else:
                columns[driver] = self._share_below(unit_coordinates(own), needed)
        index = pd.Index(outcomes, name=self.target)
        return pd.DataFrame(columns, index).rename_axis(columns="driver")

    def ceiling_of(self, driver: str, ceiling: CeilingKind | None = None) -> pd.DataFrame:
        """Return the ceiling over a driver: standardised scores of the driver and of the target.

        Raises
        ------
        OptionError
            For a construct that is no driver here, or whose scores do not vary.
        """
        names = self.drivers.tolist()
        if driver not in names:
            raise OptionError(
                f"driver={driver!r} is none of the drivers{suggest(driver, names)}; use one of "
                f"{listed(names)}."
            )
        x, y = (self.scores[name].to_numpy() for name in (driver, self.target))
        unit, outcome = unit_coordinates(x), unit_coordinates(y)
        if np.isnan(unit).any() or np.isnan(outcome).any():
            raise OptionError(
                f"There is no ceiling over {driver!r}, because scores of it or of {self.target!r} "
                "are all alike; choose another driver."
            )
        own = Ceiling.of(self.ceiling if ceiling is None else ceiling, Scatter(unit), outcome)
        at = own.levels if own.kind == "ce_fdh" else np.linspace(0.0, 1.0, 201)
        low, width = np.array([x.min(), y.min()]), np.array([np.ptp(x), np.ptp(y)])
        values = low + width * np.column_stack([at, own.at(at)])
        return pd.DataFrame(values, columns=[driver, self.target])

    def _required(self, driver: str, kind: CeilingKind, outcomes: Floats) -> Floats:
        x, y = (unit_coordinates(self.scores[name].to_numpy()) for name in (driver, self.target))
        if np.isnan(x).any() or np.isnan(y).any():
            return np.full(len(outcomes), np.nan)
        return Ceiling.of(kind, Scatter(x), y).required(outcomes)

    def _share_below(self, condition: Floats, needed: Floats) -> Floats:
        below = condition < needed[:, None] - 1e-11
        share = 100.0 * (below @ self._weights) / self._weights.sum()
        return np.where(np.isnan(needed), np.nan, share)

    @property
    def page(self) -> Page:
        """Effect sizes and the bottleneck table on a page."""
        return Page(
            f"Necessary conditions of {self.target}",
            facts=(
                f"{len(self.scores):,} respondents; {len(self._permuted):,} permutations; "
                f"judged by {self.ceiling.upper().replace('_', '-')}.",
                "Necessary: effect size from .1 on (Dul, 2016) and a p-value not above "
                f"{1.0 - self.level:.3g} (Dul, van der Laan & Kuik, 2020).",
            ),
            findings=(*self.fit.diagnostics, *self.findings),
            sections=(
                Section("Effect sizes", self.table, decimals=3),
                Section(
                    "Bottlenecks: percent of the range of each driver that is needed",
                    self.bottleneck(),
                    (f"Rows are percent of the range of {self.target}; 0: nothing is needed.",),
                    1,
                ),
            ),
        )


def verdict_of(size: float, p: float, level: float) -> str:
    """Return ``"necessary"``, ``"not shown"`` or ``"not judged"``.

    >>> verdict_of(0.2, 0.01, 0.95), verdict_of(0.05, 0.01, 0.95)
    ('necessary', 'not shown')
    """
    if np.isnan(p):
        return "not judged"
    large = size >= THRESHOLDS["necessity medium"].value
    return "necessary" if large and p <= 1.0 - level else "not shown"
