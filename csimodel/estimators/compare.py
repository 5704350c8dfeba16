"""Fits of one model side by side: PLS, PLSc, covariance SEM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from csimodel.arguments import checked, checked_in
from csimodel.errors import ModelError, OptionError, suggest
from csimodel.estimators.estimates import Status
from csimodel.estimators.fit import Fit
from csimodel.estimators.quantities import Quantity, find
from csimodel.estimators.requirements import ResampledFit, drawn_fit, require_fit, same_fit
from csimodel.findings import SEVERITIES, Finding, listed
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.formatting import bracketed
from csimodel.options import shown
from csimodel.page import HasPage, Page, Section

_DOUBTFUL = ("exploding-errors", "stopped-short")  # warnings after which an estimate says nothing


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Comparison(HasPage):
    """Fits of the same constructs and paths, a column each.

    Attributes
    ----------
    fits
        What is compared.
    names
        What the columns are called.
    bootstraps
        Resamples of each fit, None where there are none.
    """

    fits: tuple[Fit, ...]
    names: tuple[str, ...]
    bootstraps: tuple[ResampledFit | None, ...]

    def table(self, quantity: str | Quantity, unfinished: bool = False) -> pd.DataFrame:
        """Return a quantity of every fit, entries × fits; NaN for a fit without a solution.

        One rule for all: a fit has a solution when it converged, or stopped so near to a minimum
        that no conclusion hangs on it (a warning of its diagnostics, not a failure). A solution
        that cannot be, such as one with a negative variance, is shown, and marked where it is
        printed: `doubts` says why. With `unfinished`, a fit without a solution shows where it
        stopped: not to be reported, but to see what another program reports.
        """
        entry = find(quantity)
        columns = {}
        for name, fit in zip(self.names, self.fits, strict=True):
            values = pd.Series(entry.values(fit.solution), entry.labels(fit.model))
            columns[name] = values if unfinished or _has_solution(fit) else values * float("nan")
        return pd.DataFrame(columns)

    def intervals(
        self,
        quantity: str = "paths",
        level: float = 0.95,
        interval: str = "auto",
        unfinished: bool = True,
    ) -> pd.DataFrame:
        """Return estimates with bootstrap limits, entries × (fit, estimate/lower/upper).

        Limits are NaN for a fit without a bootstrap; estimates are those of
        ``table(quantity, unfinished)``.
        """
        estimates = self.table(quantity, unfinished)
        columns = {}
        for name, draws in zip(self.names, self.bootstraps, strict=True):
            columns[name, "estimate"] = estimates[name]
            limits = None if draws is None else draws.table(quantity, interval, level)
            for end in ("lower", "upper"):
                columns[name, end] = (
                    estimates[name] * float("nan") if limits is None else limits[end]
                )
        return pd.DataFrame(columns)

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Standardised paths, with the `spread` between the largest and the smallest."""
        table = self.table("paths")
        return table.assign(spread=table.max(axis=1) - table.min(axis=1))

    @cached_property
    def trust(self) -> pd.DataFrame:
        """How far each fit can be trusted: outcome, and findings counted by severity."""
        rows = []
        for fit in self.fits:
            severities = [finding.severity for finding in fit.diagnostics]
            rows.append(
                {
                    "outcome": Status(int(fit.estimates.outcome)).reason,
                    "rows": fit.n,
                    "failures": severities.count("failure"),
                    "warnings": severities.count("warning"),
                }
            )
        return pd.DataFrame(rows, index=pd.Index(self.names, name="fit"))

    @cached_property
    def doubts(self) -> dict[str, tuple[str, ...]]:
        """Why each fit is not to be trusted, in a few words each; empty where it may be."""
        reasons = {}
        for name, fit in zip(self.names, self.fits, strict=True):
            codes = [
                finding.code
                for finding in fit.diagnostics
                if finding.severity == "failure" or finding.code in _DOUBTFUL
            ]
            if not fit.converged and not codes:
                codes = ["not-converged"]
            reasons[name] = tuple(dict.fromkeys(code.replace("-", " ") for code in codes))
        return reasons

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """A line per fit: how it ended, and the gravest of what was found."""
        told = []
        for name, fit in zip(self.names, self.fits, strict=True):
            state = Status(int(fit.estimates.outcome)).reason
            ordered = sorted(fit.diagnostics, key=_gravity)
            worst = f". {ordered[0]}" if ordered else ", no findings."
            more = f" ({len(ordered) - 1} more in its diagnostics)" if len(ordered) > 1 else ""
            told.append(f"{name}: {state}{worst}{more}")
        return tuple(told)

    def _marked(self, table: pd.DataFrame) -> pd.DataFrame:
        """Mark the columns of fits that are not to be trusted."""
        return table.rename(
            columns={name: f"{name} (!)" for name in self.names if self.doubts[name]}
        )

    @property
    def page(self) -> Page:
        """The fits side by side on a page."""
        title = f"{listed(self.names)} of {self.fits[0].model.name or 'one model'}"
        return Page(title, sections=tuple(self._sections()), clean="")

    def _sections(self) -> Iterator[Section]:
        marked = any(self.doubts.values())
        paths = "Paths (!: not to be trusted, see below)" if marked else "Paths"
        yield Section(paths, self._marked(self.paths), decimals=3)
        yield Section("R²", self._marked(self.table("r2")), decimals=3)
        if any(draws is not None for draws in self.bootstraps):
            limits = self._marked(_bracketed(self.intervals("paths", unfinished=False)))
            yield Section("Paths with 95 % bootstrap intervals", limits)
        yield Section("How far to trust them", self.trust, self.lines)


def _has_solution(fit: Fit) -> bool:
    """Tell whether a fit ended at a minimum, or so near that no conclusion hangs on it."""
    return fit.converged or all(finding.severity != "failure" for finding in fit.diagnostics)


def _gravity(finding: Finding) -> int:
    """Order findings, the gravest first."""
    return 2 * SEVERITIES.index(finding.severity) - (finding.code in _DOUBTFUL)


def _bracketed(table: pd.DataFrame) -> pd.DataFrame:
    """Write estimates with their limits in brackets, where there are limits."""

    def text(row: pd.Series) -> str:
        if np.isnan(row["estimate"]):
            return ""
        return bracketed(row["estimate"], row["lower"], row["upper"], 2)

    names = dict.fromkeys(table.columns.get_level_values(0))
    return pd.DataFrame({name: table[name].apply(text, axis=1) for name in names})


@own_errstate
@checked
def compare(
    *fits: Fit,
    names: Sequence[str] | None = None,
    bootstraps: Sequence[ResampledFit | None] | Mapping[str, ResampledFit] | None = None,
) -> Comparison:
    r"""Put fits of the same constructs and paths side by side.

    PLS gives relations of weighted sums of answers, PLSc and covariance SEM those of the constructs
    behind them, so PLS paths of well measured constructs are nearer to the others than those of
    badly measured ones.

    Parameters
    ----------
    fits
        Two or more, of models with the same constructs and paths.
    names
        Of the columns; by default the estimators' names, numbered where they repeat.
    bootstraps
        Errors for intervals, from `csi.bootstrap` or `csi.linearize`: one a fit in their order with
        None where there is none, or by the name of the column.

    Raises
    ------
    OptionError
        For fewer than two fits, names that do not fit, or bootstraps of other fits.
    ModelError
        When constructs or paths differ.

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5\nV =~ PERV1 + PERV2\nV ~ Q")
    >>> fits = [csi.fit(model, csi.load_mobi(), by) for by in (csi.PLS(), csi.ML())]
    >>> csi.compare(*fits).paths.round(3).iloc[0].tolist()
    [0.565, 0.688, 0.123]
    """
    if len(fits) < 2:
        raise OptionError(f"compare takes two fits or more, and got {len(fits)}.")
    fits = tuple(require_fit(fit, "compare", f"fit {k}") for k, fit in enumerate(fits, 1))
    first = fits[0].model
    for fit in fits[1:]:
        same = fit.model.construct_names == first.construct_names and fit.model.paths == first.paths
        if not same:
            raise ModelError(
                "The fits are of models with other constructs or paths, which have no common "
                "table; compare fits of one model."
            )
    if names is None:
        labels = [fit.estimator.label for fit in fits]
        names = [
            label if labels.count(label) == 1 else f"{label} ({labels[:k].count(label) + 1})"
            for k, label in enumerate(labels)
        ]
    if len(set(names)) != len(fits):
        raise OptionError(
            f"names={shown(list(names))} must name the {len(fits)} fits, each differently."
        )
    return Comparison(tuple(fits), tuple(names), _draws_of(fits, list(names), bootstraps))


def _draws_of(
    fits: Sequence[Fit],
    names: list[str],
    given: Sequence[ResampledFit | None] | Mapping[str, ResampledFit] | None,
) -> tuple[ResampledFit | None, ...]:
    """Return the bootstrap of each fit, None where there is none."""
    if given is None:
        return (None,) * len(fits)
    if isinstance(given, Mapping):
        for name in given:
            if name not in names:
                raise OptionError(
                    f"bootstraps has {name!r}, which is no column{suggest(name, names)}; the "
                    f"columns are {listed(names, 12)}."
                )
        draws: tuple[ResampledFit | None, ...] = tuple(given.get(name) for name in names)
    elif isinstance(given, list | tuple):
        draws = tuple(given)
    else:
        raise OptionError(
            f"bootstraps={shown(given)} must be a list with one for each fit, or a dict by name."
        )
    if len(draws) != len(fits):
        raise OptionError(
            f"There are {len(fits)} fits and {len(draws)} bootstraps; give one for each, None "
            "where there is none, or a dict by name."
        )
    for name, fit, bootstrap in zip(names, fits, draws, strict=True):
        if bootstrap is None or same_fit(drawn_fit(bootstrap, drawn=False), fit):
            continue
        raise OptionError(
            f"The bootstrap for {name!r} was made from another fit; make it from this one "
            "with csi.bootstrap(fit)."
        )
    return draws
