"""The bootstrap: one matrix product for the moments of all draws, one batched fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked, checked_in
from csimodel.endings import count_reasons, told_reasons
from csimodel.errors import InferenceError, OptionError, choose
from csimodel.estimators import (
    Fit,
    Inadmissible,
    Quantity,
    Solution,
    Status,
    find,
    require_fit,
    require_resampling,
)
from csimodel.estimators.quantities import bounded
from csimodel.estimators.requirements import same_fit
from csimodel.estimators.solution import Lacking, SolutionBuffer
from csimodel.findings import Finding, collected, tell, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.blocks import in_order
from csimodel.inference.designs import design_of
from csimodel.inference.draws import about_lost, require_draws
from csimodel.inference.infer import infer
from csimodel.inference.intervals import INTERVALS, narrow_intervals, require_by_t
from csimodel.inference.jackknife import Jackknife, jackknife
from csimodel.inference.nested_jackknife import errors_of_draws
from csimodel.inference.sources import Draws
from csimodel.limits import FEWEST_DRAWS, require_memory, sample_bytes
from csimodel.moments import Resampling
from csimodel.moments.unit_answers import UnitAnswers
from csimodel.options import require_count
from csimodel.page import HasPage, Page, sections
from csimodel.progress import progress_bar
from csimodel.survey.calibration import without_calibration
from csimodel.survey.sampling import DrawVariance, ReplicateVariance, SurveyDesign
from csimodel.translation import Message, message

Floats = NDArray[np.float64]

_CELLS = 2**22  # draws times squared items that a quantity is made from at once
_MANY_ROWS = 2**18  # from here on moments of draws are most of the work, and threads share them
_STILL = 1e-9  # standard errors below are looked at: does the quantity vary at all

_ONE_STAGE = (
    "Draws are of whole clusters, and the survey says that a part of each was drawn (subcluster=, "
    "subpopulation=), so errors are a little too small where clusters are of a finite population; "
    "csi.linearize(fit) has both stages."
)

_DRAWS = {
    "multinomial": message("multinomial draws"),
    "poisson": message("poisson draws"),
    "given": message("given draws"),
    "weighted": message("weighted draws"),
    "stratified": message("stratified draws"),
    "cluster": message("cluster draws"),
}


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Bootstrap(HasPage):
    """Refits of a model on resampled respondents.

    Attributes
    ----------
    fit
        The fit on all respondents.
    design
        How respondents were drawn; it can make the same draws again.
    solution
        All draws as a batch, lost ones included.
    usable
        Which draws the tables use, (draws,).
    replication
        How draws become errors, where they are replicates (`replicate`); else None.
    """

    fit: Fit
    design: Resampling
    solution: Solution
    usable: NDArray[np.bool_]
    replication: DrawVariance | None = None

    @cached_property
    def failed(self) -> pd.Series:
        """Number of draws lost, by reason; empty when none was."""
        counts = count_reasons(Status, self.solution.estimates.outcome)
        dropped = (self.solution.estimates.outcome == Status.CONVERGED) & ~self.usable
        lost: pd.Series = pd.concat([counts, self._flags(dropped)]).rename("lost").astype("int64")
        return lost

    @cached_property
    def inadmissible(self) -> pd.Series:
        """Number of converged draws that cannot be what the model says, by reason; kept or not."""
        return self._flags(self.solution.estimates.outcome == Status.CONVERGED)

    def _flags(self, among: NDArray[np.bool_]) -> pd.Series:
        flags = self.solution.estimates.inadmissible[among]
        counts = {flag.reason: int(((flags & flag) > 0).sum()) for flag in Inadmissible if flag}
        return pd.Series({k: v for k, v in counts.items() if v}, dtype="int64", name="draws")

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know about the draws, in plain words."""
        return tuple(self._findings())

    def _findings(self) -> Iterator[Finding]:
        total, used = len(self.usable), int(self.usable.sum())
        lost = total - used
        finding = Finding(
            "lost-draws",
            "{lost} of {total} draws {lost:was|were} lost ({reasons:20}); intervals rest on the "
            "others and may be too narrow.",
            values={"lost": lost, "total": total, "reasons": told_reasons(self.failed)},
        )
        yield from about_lost(finding, lost, total)
        kept = int((self.solution.estimates.inadmissible[self.usable] > 0).sum())
        if kept:
            reasons = told_reasons(self.inadmissible)
            yield Finding(
                "inadmissible-draws",
                "{kept} of {total} draws {kept:is|are} inadmissible but kept ({reasons:20}); use "
                "inadmissible='drop' to leave them out.",
                severity="warning" if kept < 0.5 * total else "failure",
                count=kept,
                values={"kept": kept, "total": total, "reasons": reasons},
            )
        yield from self.beyond_bounds()
        yield from self.survey_design.findings
        answers = self.fit.drawn_answers("csi.bootstrap")
        if self.replication is None:
            yield from without_calibration(answers.calibrated, "draws")
        if not isinstance(self.replication, ReplicateVariance):
            drawn = self.replication is None
            what = "draws of respondents" if drawn else "influence values"
            yield from answers.without_replicates(what)
        if answers.subcluster is not None and self.replication is None:
            yield Finding("second-stage-not-used", _ONE_STAGE, severity="note")

    def beyond_bounds(self) -> Iterator[Finding]:
        """Point out draws of quantities beyond what they can be, such as an index above 100."""
        for quantity in bounded(self.fit.solution):
            low, high = quantity.bounds
            values, rounding = self.values(quantity), 1e-8 * (high - low)
            beyond = (values < low - rounding) | (values > high + rounding)
            if not beyond.any():
                continue
            labels = quantity.labels(self.fit.model)[np.flatnonzero(beyond.any(axis=0))]
            names, count = tuple(map(str, labels)), int(beyond.any(axis=1).sum())
            yield Finding(
                "draws-beyond-bounds",
                "The {quantity} of {names} lies outside {low:g} to {high:g} in {count} of {draws} "
                "draws (from {least:.4g} to {most:.4g}), where a weight is negative; its error and "
                "interval are not to be used.",
                names,
                "failure" if count > 0.01 * len(values) else "warning",
                count,
                {
                    **{"quantity": quantity.name, "names": names, "low": low, "high": high},
                    **{"count": count, "draws": len(values)},
                    **{"least": float(values[beyond].min()), "most": float(values[beyond].max())},
                },
            )

    def alike(self, other: Bootstrap) -> bool:
        """Return whether these are the same draws of the same fit, in this process or another."""
        return self is other or (
            same_fit(self.fit, other.fit)
            and np.array_equal(self.usable, other.usable)
            and np.array_equal(
                self.solution.estimates.weights, other.solution.estimates.weights, equal_nan=True
            )
        )

    @property
    def survey_design(self) -> SurveyDesign:
        """The sampling design that the draws repeat, and how they become errors."""
        design = self.fit.drawn_answers("csi.bootstrap").design
        return design if self.replication is None else replace(design, replication=self.replication)

    @cached_property
    def jackknife(self) -> Jackknife:
        """The jackknife of the same fit, which BCa intervals use."""
        return jackknife(self.fit)

    def values(self, quantity: str | Quantity) -> Floats:
        """Return a quantity in the usable draws, (draws, entries)."""
        entries, whole = find(quantity), bool(self.usable.all())
        together = max(1, _CELLS // len(self.fit.moments.items) ** 2)
        if len(self.usable) <= together:
            used = self.solution if whole else self.solution[self.usable]
            return np.asarray(entries.values(used))
        spans = (slice(at, at + together) for at in range(0, len(self.usable), together))
        parts = (self.solution[span][slice(None) if whole else self.usable[span]] for span in spans)
        return np.concatenate([entries.values(part) for part in parts])

    def draws(self, quantity: str | Quantity) -> pd.DataFrame:
        """Return a quantity in the usable draws, labelled; the index is the draw's number.

        Examples
        --------
        >>> import csimodel as csi
        >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
        >>> csi.bootstrap(fit, draws=100, rng=1).draws("r2").shape
        (100, 6)
        """
        labels = find(quantity).labels(self.fit.model)
        return pd.DataFrame(self.values(quantity), np.flatnonzero(self.usable), labels)

    def table(
        self, quantity: str | Quantity, interval: str = "auto", level: float = 0.95
    ) -> pd.DataFrame:
        """Return estimate, standard error, confidence limits and p-value of a quantity.

        Parameters
        ----------
        quantity
            A name such as ``"paths"``, ``"total_effects"``, ``"loadings"``, ``"weights"``,
            ``"r2"``, ``"htmt"``, ``"index"``; an unknown name lists them all. Distances between
            observed and implied correlations (``"srmr"`` and its like) are refused: resampling
            itself adds misfit to them.
        interval
            ``"auto"`` (default), ``"percentile"``, ``"basic"``, ``"normal"``, ``"t"``,
            ``"studentized"``, ``"bc"`` or ``"bca"``; formulas in
            `csimodel.inference.interval_of`. ``"auto"`` takes percentiles, and t where the sampling
            design has fewer than 20 degrees of freedom, where percentiles come out too narrow (of 6
            clusters 95 % intervals cover some 88 %); asked for, they are given and that is said. A
            studentized interval
            refits the model without each respondent in every draw: use it with some 1,000
            draws; it did not cover better than ``"percentile"`` or ``"bca"`` in small samples.
        level
            Coverage, between 0 and 1.

        Returns
        -------
        DataFrame
            Columns estimate, se (standard deviation of the draws), df (degrees of freedom of the
            sampling design), lower, upper, p (two-sided, share of draws beyond zero, the
            percentile interval turned round, whatever interval is shown but t, with which it is by
            t; NaN where zero means nothing) and reason (why there is no error or limit, else
            empty).

        Raises
        ------
        OptionError
            For an unknown quantity or interval, or a level outside 0 to 1.
        InferenceError
            When fewer than 20 draws are usable.

        Examples
        --------
        >>> import csimodel as csi
        >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
        >>> boot = csi.bootstrap(fit, draws=500, rng=7)
        >>> list(boot.table("paths", interval="bca").columns)
        ['estimate', 'se', 'df', 'lower', 'upper', 'p', 'reason']
        """
        entries = find(quantity)
        self.require_usable()
        if not entries.resampled:
            raise InferenceError(
                f"Intervals of {entries.name!r} from ordinary draws mislead, because resampling "
                "itself adds misfit; report the estimate alone."
            )
        choose("interval", interval, INTERVALS)
        interval = interval_of_source(self, interval)
        estimate, draws = np.asarray(entries.values(self.fit.solution)), self.values(entries)
        self._tell_gaps(entries.name, draws)
        tell(narrow_intervals(interval, self.survey_design.df))
        design, pulls, se, draw_se = self.survey_design, None, None, None
        if interval == "bca" and design.df:
            pulls = self.jackknife.deviations(entries)
        if interval == "studentized" and design.df:
            se = self.jackknife.table(entries)["se"].to_numpy()
            draw_se = errors_of_draws(self.fit, self.design, self.usable, entries)
        source = Draws(
            estimate,
            draws,
            np.full(len(estimate), float(design.df)),
            interval if design.df or design.replication is not None else "percentile",
            design.inflation,
            pulls,
            se,
            draw_se,
            design.census,
            design.replication,
        )
        labels = entries.labels(self.fit.model)
        steady = self._steady(entries, estimate) if (source.se < _STILL).any() else True
        return infer(labels, estimate, source, level, entries.null, steady=steady)

    def _steady(self, quantity: Quantity, estimate: Floats) -> NDArray[np.bool_]:
        """Mark entries that stay the same on other moments, so in every sample, (entries,).

        Draws that are all alike do not show it: of two clusters one may have no solution.
        """
        fit = self.fit
        own = fit.moments
        if fit.estimator.needs_answers or own.responses is not None:
            return np.full(len(estimate), bool(self.usable.all()))
        share = np.linspace(0.02, 0.2, len(own.items))
        spread = np.diagonal(own.cov)
        other = replace(
            own, mean=own.mean + share * np.sqrt(spread), cov=own.cov + np.diag(share * spread)
        )
        values = quantity.values(fit.estimator.solve(other, fit.model, fit.estimates))
        return np.isclose(values, estimate, rtol=1e-9, atol=1e-9)

    def require_usable(self) -> None:
        """Refuse to make intervals from too few draws; replicates are as many as they are."""
        if self.replication is not None:
            return
        used = int(self.usable.sum())
        require_draws(used, len(self.usable), "are usable", "a simpler model", self.failed)

    def _why(self) -> str:
        return ", ".join(told_reasons(self.failed)) or "too few asked for"

    def _tell_gaps(self, name: str, draws: Floats) -> None:
        gaps = int((~np.isfinite(draws)).any(axis=1).sum())
        if gaps:
            tell(
                Finding(
                    "draws-without-a-number",
                    "{gaps} of {draws} draws of {quantity!r} {gaps:has|have} an entry that is "
                    "not a number; it was left out of that entry's interval.",
                    count=gaps,
                    values={"gaps": gaps, "draws": len(draws), "quantity": name},
                )
            )

    @property
    def page(self) -> Page:
        """What was drawn, and the paths with their intervals, on a page."""
        used, total = int(self.usable.sum()), len(self.usable)
        fit = self.fit
        with collected() as told:
            tables = (
                {text("Paths"): self.table("paths")}
                if used >= FEWEST_DRAWS and fit.model.paths
                else {}
            )
        return Page(
            text(
                "Bootstrap of {name} by {label}",
                name=fit.model.name or text("the model"),
                label=fit.estimator.label,
            ),
            facts=(
                text(
                    "{total:,} {kind}, {used:,} of them used",
                    total=total,
                    kind=self._kind,
                    used=used,
                ),
            ),
            findings=(*fit.diagnostics, *self.findings, *told),
            clean=text("No findings: every draw was used."),
            sections=sections(tables, 3),
        )

    def __repr__(self) -> str:
        lost = len(self.usable) - int(self.usable.sum())
        told = f", {lost} lost ({self._why()})" if lost else ""
        return f"<Bootstrap of {self.fit!r}: {len(self.usable)} {self._kind}{told}>"

    @property
    def _kind(self) -> Message:
        if self.replication is not None:
            return message("replicates by {method}", method=self.replication.method)
        return _DRAWS[self.design.kind]


@own_errstate
@checked
def bootstrap(
    fit: Fit,
    draws: int = 5_000,
    rng: int | np.random.Generator | None = 0,
    *,
    inadmissible: Literal["keep", "drop"] = "keep",
    kind: Literal["auto", "poisson"] = "auto",
    resamples: ArrayLike | None = None,
    workers: int = 1,
    progress: bool = True,
) -> Bootstrap:
    """Refit a model on resampled respondents.

    Respondents are drawn with replacement, as many as there are. Where the survey has strata or
    clusters, one unit fewer than each stratum has is drawn and weighted up, whole clusters where
    there are any, so that the variance is right with few units. Weights travel with their
    respondents. Intervals are conditional on the draws that have a solution.

    Parameters
    ----------
    fit
        From `fit`, on a survey or data frame.
    draws
        Number of resamples.
    rng
        An integer seed or a NumPy generator; None for different draws each time. The numbers do
        not depend on `workers`.
    inadmissible
        ``"keep"`` (default) or ``"drop"`` draws that converged to what cannot be (reliability
        above 1, loadings above 1, construct correlations not positive definite). They are
        counted either way. Draws that did not converge are always lost, and counted.
    kind
        ``"poisson"`` draws each respondent, or each cluster, a Poisson(1) number of times.
    resamples
        Row numbers of each resample, (draws, rows), counted from 0, to repeat the draws of another
        program.
    workers
        How many processes make the draws, at most; no more than there are cores, and one where the
        work takes less than some tenths of a second. They are forked, so a script needs no guard;
        where that cannot be done (Windows, macOS, in other than the main thread) threads make them
        if that is faster. The numbers are the same.
    progress
        Show a bar when it takes longer than a second.

    Returns
    -------
    Bootstrap

    Raises
    ------
    SurveyError
        When the fit was made from moments.
    OptionError
        For options outside what is allowed, or draws that exceed the memory that is free.

    References
    ----------
    Efron, B., Tibshirani, R. (1993). An Introduction to the Bootstrap.
    https://doi.org/10.1201/9780429246593

    Rao, J. N. K., Wu, C. F. J., Yue, K. (1992). Some recent work on resampling methods for
    complex surveys. Survey Methodology 18, 209-217.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> boot = csi.bootstrap(fit, draws=500, rng=7)
    >>> boot
    <Bootstrap of <Fit of ECSI by PLS, path scheme: 250 rows, converged>: 500 multinomial draws>
    """
    fit = require_fit(fit, "bootstrap")
    answers = require_resampling(fit, "bootstrap", units=True)
    if resamples is not None and isinstance(answers, UnitAnswers):
        raise OptionError(
            "resamples= holds numbers of rows, and of a scan only what each unit adds is held; "
            "leave it out, or fit a sample of stated size, such as scan.sample(100_000, rng=1)."
        )
    choose("inadmissible", inadmissible, ["keep", "drop"])
    workers = require_count("workers", workers, most=1000)
    design = design_of(answers, draws, rng, kind, resamples)
    require_memory(
        f"csi.bootstrap with {design.draws:,} draws of {len(fit.model.items)} items",
        design.draws * sample_bytes(len(fit.model.items), len(fit.model.constructs)),
        "take fewer draws, or a model of fewer items",
    )
    solution = refitted(fit, design, workers, progress)
    usable = solution.estimates.outcome == Status.CONVERGED
    if inadmissible == "drop":
        usable &= solution.estimates.inadmissible == 0
    return Bootstrap(fit, design, solution, usable)


def interval_of_source(bootstrap: Bootstrap | None, interval: str) -> str:
    """Return the kind of interval that draws are given: by t where they are replicates.

    Raises
    ------
    OptionError
        For a kind that replicates do not have.
    """
    if bootstrap is None or bootstrap.replication is None:
        return interval
    require_by_t(interval)
    return "t"


def refitted(fit: Fit, design: Resampling, workers: int = 1, progress: bool = False) -> Solution:
    """Return the fits of all draws of a design, as a batch."""
    refit = fit.estimator.resampler(fit.solution, fit.drawn_answers("csi.bootstrap"))
    spans = design.spans(fit.estimator.together)
    whole = SolutionBuffer(design.draws, shared=workers > 1)
    long_calls = design.rows >= _MANY_ROWS or fit.estimator.needs_answers

    def part(number: int) -> Lacking:
        span = spans[number]
        return whole.put(refit(design.copies(span)).packed(), span.start)

    bar = progress_bar(design.draws, "bootstrap", progress)
    parts = in_order(part, len(spans), workers, long_calls=long_calls)
    with closing(parts), bar:
        for span, lacking in zip(spans, parts, strict=True):
            whole.leave_out(lacking)
            bar.update(span.stop - span.start)
    return whole.solution
