"""Naive and corrected slopes side by side, as a value with a table and a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csimodel.arguments import checked_in
from csimodel.errors import OptionError, choose, suggest
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate_in
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.measurement_error.reliability import Reliability
from csimodel.outcomes.models.estimate import Estimate
from csimodel.page import HasHeadline, Page, sections
from csimodel.translation import message

LABELS = {
    "naive": message("as measured"),
    "eiv": message("errors in variables (Fuller)"),
    "regression-calibration": message("regression calibration"),
    "simex": message("SIMEX, rational extrapolation"),
    "simex-quadratic": message("SIMEX, quadratic extrapolation"),
    "croon": message("Croon's factor score regression"),
    "sem": message("latent variable (covariance SEM)"),
}


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class CorrectedSlopes(HasHeadline):
    """What a point of the true index is worth. Made by `corrected_slopes`.

    Attributes
    ----------
    table
        A row for each method and index, the naive one first. Columns method; index; slope
        (coefficient per index point on the family's scale); average_marginal_effect (change of
        probability per index point, which for least squares is the slope); se, df, lower, upper, p
        of that effect, and reason (why it has no error); reliability (the one the method used:
        given, or of the method's own factor model; NaN for the naive).
    outcome, family, n
        Name of the outcome, the family, and the number of respondents (or groups) used.
    reliability
        By index.
    level
        Coverage of intervals.
    interval_kind
        What standard errors and intervals account for, in a sentence.
    findings
        What a reader must know, in plain words; empty when all is well.
    draws
        Average marginal effects in every usable draw, (draws,) by (method, index); empty without
        draws.
    unit
        What the rows of the regression are.
    """

    table: pd.DataFrame
    outcome: str
    family: Family
    n: int
    reliability: Mapping[str, Reliability]
    level: float
    interval_kind: str
    findings: tuple[Finding, ...]
    draws: pd.DataFrame
    unit: str = "respondents"

    @property
    def indexes(self) -> tuple[str, ...]:
        """Names of the indexes."""
        return tuple(self.reliability)

    def effect(self, method: str, index: str | None = None) -> Estimate:
        """Return the average marginal effect by a method, with se, lower, upper and p.

        Raises
        ------
        OptionError
            When the method or the index is not in the table.
        """
        choose("method", method, self.table["method"].unique())
        name = self.indexes[0] if index is None else index
        if name not in self.indexes:
            raise OptionError(
                f"index={name!r} is not in this table{suggest(str(name), self.indexes)}; use one "
                f"of {', '.join(map(repr, self.indexes))}."
            )
        row = self.table[(self.table["method"] == method) & (self.table["index"] == name)].iloc[0]
        columns = ("average_marginal_effect", "se", "lower", "upper", "p", "df")
        value, se, lower, upper, p, df = (float(row[column]) for column in columns)
        return Estimate(value, se, lower, upper, p, self.level, df, str(row["reason"]))

    @property
    def page(self) -> Page:
        """The result on a page."""
        shown = self.table.assign(method=self.table["method"].map(LABELS))
        if len(self.indexes) == 1:
            shown = shown.drop(columns="index")
        if not self.family.bounded:
            shown = shown.drop(columns="average_marginal_effect")
        else:
            shown = shown.rename(columns={"average_marginal_effect": "effect"})
        shown = shown.set_index("method").rename_axis(None)
        facts = (
            text(
                "{family}, {n} {unit}; se, lower and upper are of the effect, the average change "
                "of probability per index point; slope is in {scale}",
                family=self.family.label,
                n=self.n,
                unit=self.unit,
                scale=self.family.scale,
            )
            if self.family.bounded
            else text(
                "{family}, {n} {unit}; se, lower and upper are of the slope, in probability per "
                "index point",
                family=self.family.label,
                n=self.n,
                unit=self.unit,
            ),
            self.interval_kind,
            *(
                text("Reliability of {name}: {part}", name=name, part=repr(part))
                for name, part in self.reliability.items()
            ),
        )
        title = text(
            "{outcome} on the true index of {names}",
            outcome=self.outcome,
            names=", ".join(self.indexes),
        )
        tables = {text("Slopes by method"): shown}
        return Page(title, self.headline, facts, self.findings, sections(tables))

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        name, methods = self.indexes[0], list(self.table["method"].unique())
        naive = self.effect("naive", name)
        corrected = [(m, self.effect(m, name)) for m in methods[1:]]
        solved = [(m, e) for m, e in corrected if np.isfinite(e)]
        if not np.isfinite(naive):
            return text(
                "There is no finite effect of {name} on {outcome}.", name=name, outcome=self.outcome
            )
        if not solved:
            return text(
                "A point of the measured {name} goes with {naive:.2f} percentage "
                "points of {outcome}; no method could correct this for measurement "
                "error.",
                name=name,
                naive=100 * naive,
                outcome=self.outcome,
            )
        method, effect = solved[0]
        return text(
            "A point of the true {name} goes with {effect:.2f} percentage points "
            "of {outcome} ({level:g} % interval {lower:.2f} to {upper:.2f}; "
            "{labels}), against {naive:.2f} as measured.",
            name=name,
            effect=100 * effect,
            outcome=self.outcome,
            level=100 * self.level,
            lower=100 * effect.lower,
            upper=100 * effect.upper,
            labels=LABELS[method],
            naive=100 * naive,
        )
