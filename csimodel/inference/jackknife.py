"""The jackknife: estimates with each respondent, or each cluster, left out in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked, checked_in
from csimodel.endings import count_reasons
from csimodel.errors import InferenceError
from csimodel.estimators import (
    Fit,
    Quantity,
    Solution,
    Status,
    find,
    require_alone,
    require_fit,
    require_rows,
)
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.infer import infer
from csimodel.inference.sources import LOST_UNITS, NO_ERROR, StandardErrors
from csimodel.limits import require_memory
from csimodel.page import HasPage, Page, sections
from csimodel.progress import progress_bar
from csimodel.survey.calibration import without_calibration
from csimodel.survey.sampling import SurveyDesign, count_of_units

Floats = NDArray[np.float64]

_CELLS = 2**20  # units handled together, times squared items
_KEPT = 2**25  # the same for refits that are kept
_LOST = (
    "Leaving out {lost} of {units} units in turn leaves nothing to estimate ({reasons}), so the "
    "jackknife gives no error; csi.bootstrap does not rest on single units."
)


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Jackknife(HasPage):
    """Estimates with each unit left out.

    Attributes
    ----------
    fit
        The fit on all respondents.
    units
        What is left out: respondents, or clusters, and their strata.
    progress
        Whether to show a bar on long work.

    Notes
    -----
    Refits of up to some 60,000 units of a 24-item model are kept. Of more, each quantity is made
    from refits of its own, a block of units at a time, and only the quantity is kept.
    """

    fit: Fit
    units: SurveyDesign
    progress: bool = True

    @cached_property
    def solution(self) -> Solution:
        """One sample for each unit left out."""
        return Solution.gather((part.packed() for part in self._refits()), self.units.units)

    def _refits(self) -> Iterator[Solution]:
        """Refit without each unit, a block of units at a time."""
        fit, size = self.fit, self.units.units
        leave_out = fit.estimator.samples_of(fit.drawn_answers("csi.jackknife")).leave_out(
            self.units
        )
        step = max(1, _CELLS // len(fit.model.items) ** 2)
        with progress_bar(size, "Jackknife", self.progress, self.units.kind) as bar:
            for start in range(0, size, step):
                moments = leave_out(np.arange(start, min(start + step, size)))
                yield fit.estimator.solve(moments, fit.model, fit.estimates)
                bar.update(len(moments.n))

    def _each(self, values: Callable[[Solution], NDArray[Any]]) -> NDArray[Any]:
        """Return values of each unit's refit, one after another."""
        if self.units.units * len(self.fit.model.items) ** 2 <= _KEPT:
            return values(self.solution)
        return np.concatenate([values(part) for part in self._refits()])

    def values(self, quantity: str | Quantity) -> Floats:
        """Return a quantity with each unit left out, (units, entries); NaN where it failed."""
        entries = find(quantity)

        def values(part: Solution) -> Floats:
            values = np.array(entries.values(part))
            values[part.estimates.outcome != Status.CONVERGED] = np.nan
            return values

        return self._each(values)

    def deviations(self, quantity: str | Quantity) -> Floats:
        """Return each unit's pull on a quantity, (units, entries), zero on average.

        ``(m_h - 1)/m_h (mean of its stratum's values - value)``; NaN where it failed. A unit alone
        in its stratum pulls by the estimate less its value.
        """
        estimate = np.asarray(find(quantity).values(self.fit.solution))
        return self.pulls(self.values(quantity), estimate)

    def table(self, quantity: str | Quantity, level: float = 0.95) -> pd.DataFrame:
        """Return estimate, bias, standard error and limits of a quantity.

        With m_h units in stratum h of the N_h in the population (infinitely many by default), θ_hi
        the value without unit i, θ̄_h the mean of those: ``bias = Σ_h (1 - m_h/N_h) (m_h - 1)(θ̄_h -
        θ)`` and ``se² = Σ_h (1 - m_h/N_h) (m_h - 1)/m_h Σ_i (θ_hi - θ̄_h)²``; limits
        by t with as many degrees of freedom as units less strata. Where a unit left out leaves
        nothing to estimate, there is no error: the others do not show what that unit does.

        Returns
        -------
        DataFrame
            Columns estimate, bias, se, df, lower, upper, p and reason, as from `infer`.

        References
        ----------
        Shao, J., Tu, D. (1995). The Jackknife and Bootstrap, sections 1.3 and 6.2.
        https://doi.org/10.1007/978-1-4612-0795-5
        """
        entries = find(quantity)
        estimate = np.asarray(entries.values(self.fit.solution))
        values = self.values(entries)
        bias = self._bias(values, estimate)
        source = StandardErrors(
            self.se(values, estimate),
            np.full(len(estimate), float(self.units.df)),
            LOST_UNITS if np.isnan(values).any() else NO_ERROR,
            self.units.census,
        )
        labels = entries.labels(self.fit.model)
        table = infer(labels, estimate, source, level, entries.null)
        table.insert(1, "bias", np.where(np.isnan(table["se"]), np.nan, bias))
        return table

    def se(self, values: Floats, estimate: Floats) -> Floats:
        """Return standard errors from values with each unit left out, (units, entries)."""
        return np.asarray(np.sqrt(self.units.variance(self.pulls(values, estimate))))

    def pulls(self, values: Floats, estimate: Floats) -> Floats:
        """Return the deviations of values with each unit left out, (units, entries)."""
        size, mean = (part[self.units.stratum] for part in self._by_stratum(values))
        return np.where(size > 1, (1.0 - 1.0 / size) * (mean - values), estimate - values)

    def _bias(self, values: Floats, estimate: Floats) -> Floats:
        size, mean = self._by_stratum(values)
        part = self.units.remainder[:, None] * (size - 1.0) * (mean - estimate)
        return np.asarray(np.where(size > 1, part, 0.0).sum(axis=0))

    def _by_stratum(self, values: Floats) -> tuple[Floats, Floats]:
        """Return number and mean of the values of each stratum, (strata, 1) and (…, entries)."""
        size = self.units.sizes[:, None].astype(np.float64)
        sums = np.zeros((self.units.strata, values.shape[1]))
        np.add.at(sums, self.units.stratum, values)
        return size, sums / size

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know: units that cannot be left out, and what the design lacks."""
        lost = int(self.failed.sum())
        answers = self.fit.drawn_answers("csi.jackknife")
        of_design = (
            *self.units.findings,
            *without_calibration(answers.calibrated, "draws"),
            *answers.without_replicates("the jackknife"),
        )
        if not lost:
            return of_design
        values = {"lost": lost, "units": self.units.units, "reasons": tuple(self.failed.index)}
        finding = Finding("lost-units", _LOST, severity="failure", count=lost, values=values)
        return (finding, *of_design)

    @cached_property
    def failed(self) -> pd.Series:
        """Number of units whose removal leaves nothing to estimate, by reason."""
        return count_reasons(Status, self._each(lambda part: part.estimates.outcome))

    @property
    def page(self) -> Page:
        """What was left out, and the paths with their errors, on a page."""
        fit = self.fit
        return Page(
            text(
                "Jackknife of {name} by {label}",
                name=fit.model.name or text("the model"),
                label=fit.estimator.label,
            ),
            facts=(
                text(
                    "{units} left out in turn",
                    units=count_of_units(self.units.units, self.units.kind),
                ),
            ),
            findings=(*fit.diagnostics, *self.findings),
            sections=sections({text("Paths"): self.table("paths")} if fit.model.paths else {}, 3),
        )

    def __repr__(self) -> str:
        return (
            f"<Jackknife of {self.fit!r}: {self.units.units} {self.units.kind}s left out in turn>"
        )


@own_errstate
@checked
def jackknife(fit: Fit, *, progress: bool = True) -> Jackknife:
    """Refit a model with each respondent (each cluster, if the survey has them) left out.

    With strata, the others of the stratum are weighted up to keep its total.

    Each refit costs a subtraction of moments and a fit in a batch; they are made when a table first
    asks for them.

    Parameters
    ----------
    fit
        Of a survey or data frame.
    progress
        Whether to show a bar on long work.

    Raises
    ------
    SurveyError
        When the fit was made from moments.
    InferenceError
        When there are fewer than 2 respondents, or clusters.
    OptionError
        When values of so many units exceed the memory that is free.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> list(csi.jackknife(fit).table("paths").columns)
    ['estimate', 'bias', 'se', 'df', 'lower', 'upper', 'p', 'reason']
    """
    fit = require_fit(fit, "jackknife")
    answers = fit.drawn_answers("csi.jackknife")
    require_alone(fit, "jackknife")
    if fit.estimator.needs_answers:
        raise InferenceError(
            f"The jackknife refits moments, and {fit.estimator.label} needs the answers; take "
            "percentile intervals from csi.bootstrap(fit)."
        )
    units = answers.design
    size = units.units
    if size < 2:
        raise InferenceError(
            f"The jackknife leaves {units.kind}s out in turn, so it needs at least 2 of them, and "
            f"the fit has {size}."
        )
    require_rows(answers)
    require_memory(
        f"csi.jackknife with {size:,} {units.kind}s",
        size * 8.0 * 4 * len(fit.model.items),  # of a quantity, with sums by unit
        "take csi.bootstrap(fit) or influence values, which hold less",
    )
    return Jackknife(fit, units, progress)
