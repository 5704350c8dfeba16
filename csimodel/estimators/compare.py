"""Fits of one model side by side: PLS, PLSc, covariance SEM."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd

from csimodel.arguments import checked, checked_in
from csimodel.errors import OptionError, suggest
from csimodel.estimators.covariance.invariance import difference
from csimodel.estimators.covariance_fit import CovarianceFit
from csimodel.estimators.estimates import Status
from csimodel.estimators.fit import Fit
from csimodel.estimators.quantities import Quantity, find
from csimodel.estimators.requirements import ResampledFit, drawn_fit, require_fit, same_fit
from csimodel.findings import SEVERITIES, Finding, listed, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.formatting import bracketed
from csimodel.options import shown
from csimodel.page import HasPage, Page, Section
from csimodel.translation import message

T = TypeVar("T", bound=Hashable)

_MEASURES = ["chisq", "df", "pvalue", "cfi", "tli", "rmsea", "srmr", "aic", "bic"]
_DIFFERENCES = (
    "chisq_diff", "df_diff", "p_diff", "cfi_diff", "rmsea_diff", "aic_diff", "bic_diff",
)  # fmt: skip
_LINES = (  # of a fit with no, one, several findings
    "{state}, no findings.",
    "{state}. {worst}",
    "{state}. {worst} ({more} more in its diagnostics)",
)
_NESTED = "The tests are of models of which one is the other with restrictions more."
_DOUBTFUL = ("exploding-errors", "stopped-short")  # warnings after which an estimate says nothing


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Comparison(HasPage):
    """Fits side by side, a column each; of models that differ the rows are those of all.

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
            columns[name] = values if unfinished or has_solution(fit) else values * float("nan")
        return _side_by_side(columns)

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
        return _side_by_side(columns)

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Standardised paths, with the `spread` between the largest and the smallest."""
        table = self.table("paths")
        return table.assign(spread=table.max(axis=1) - table.min(axis=1))

    @cached_property
    def measures(self) -> pd.DataFrame:
        """Fit measures of the fits by covariance SEM, fits × measures; NaN for others."""
        rows = [
            pd.Series(fit.fit_measures).reindex(_MEASURES)
            if isinstance(fit, CovarianceFit) and has_solution(fit)
            else pd.Series(float("nan"), _MEASURES)
            for fit in self.fits
        ]
        return pd.DataFrame(rows, index=pd.Index(self.names, name="fit")).astype(float)

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Each fit by covariance SEM against the one before: tests of what differs.

        Columns chisq_diff, df_diff, p_diff (scaled after Satorra and Bentler 2001 where the tests
        are), cfi_diff, rmsea_diff, aic_diff, bic_diff (this fit less the one before) and reason:
        why there is none. The test is of models of which one is the other with restrictions more,
        which cannot be told from the numbers: AIC and BIC are for others.
        """
        names, rows = [], []
        for (name, fit), (other, before) in zip(
            [*zip(self.names, self.fits, strict=True)][1:],
            [*zip(self.names, self.fits, strict=True)],
            strict=False,
        ):
            names.append(f"{name} − {other}")
            rows.append(_difference(fit, before))
        return pd.DataFrame(rows, index=pd.Index(names, name="fits"))

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
            sentence = text(
                _LINES[min(len(ordered), 2)],
                state=state,
                worst=str(ordered[0]) if ordered else "",
                more=len(ordered) - 1,
            )
            told.append(text("{part}: {sentence}", part=name, sentence=sentence))
        return tuple(told)

    def _marked(self, table: pd.DataFrame) -> pd.DataFrame:
        """Mark the columns of fits that are not to be trusted."""
        return table.rename(
            columns={name: f"{name} (!)" for name in self.names if self.doubts[name]}
        )

    @property
    def page(self) -> Page:
        """The fits side by side on a page."""
        models = {fit.model for fit in self.fits}
        title = text(
            "{names} of {model}" if len(models) == 1 else "{names} of several models",
            names=self.names,
            model=self.fits[0].model.name or text("one model"),
        )
        return Page(title, sections=tuple(self._sections()), clean="")

    def _sections(self) -> Iterator[Section]:
        marked = any(self.doubts.values())
        paths = text("Paths (!: not to be trusted, see below)" if marked else "Paths")
        yield Section(paths, self._marked(self.paths), decimals=3)
        yield Section("R²", self._marked(self.table("r2")), decimals=3)
        if any(draws is not None for draws in self.bootstraps):
            limits = self._marked(_bracketed(self.intervals("paths", unfinished=False)))
            yield Section(text("Paths with 95 % bootstrap intervals"), limits)
        if self.measures.notna().any(axis=None):
            yield Section(text("Fit measures"), self.measures)
        if (self.differences["reason"] == "").any():
            yield Section(text("Each against the one before"), self.differences, (text(_NESTED),))
        yield Section(text("How far to trust them"), self.trust, self.lines)


def _difference(fit: Fit, before: Fit) -> dict[str, float | str]:
    """Return the test of a fit against another, and what measures change."""
    own = dict.fromkeys(_DIFFERENCES, float("nan"))
    if not (isinstance(fit, CovarianceFit) and isinstance(before, CovarianceFit)):
        return own | {"reason": message("not both by covariance SEM")}
    if not (has_solution(fit) and has_solution(before)):
        return own | {"reason": message("without a solution")}
    if type(fit.estimator) is not type(before.estimator):
        return own | {"reason": message("by other estimators")}
    if not _of_the_same_answers(fit, before):
        return own | {"reason": message("of other items or respondents")}
    measures, other = fit.fit_measures, before.fit_measures
    for name in ("aic", "bic"):
        if name in measures and name in other:
            own[f"{name}_diff"] = float(measures[name] - other[name])
    if measures["df"] == other["df"]:
        return own | {"reason": message("as many degrees of freedom")}
    if fit.moments.ordinal is not None or before.moments.ordinal is not None:
        return own | {"reason": message("no test by statistics of ordered answers")}
    if ("scaling_mean" in measures) != ("scaling_mean" in other):
        return own | {"reason": message("one χ² scaled, the other not")}
    narrow, wide = (fit, before) if measures["df"] > other["df"] else (before, fit)
    sign = 1.0 if narrow is fit else -1.0
    test = difference(wide, narrow)
    changes = {name: sign * test[name] for name in ("cfi_diff", "rmsea_diff")}
    return own | test | changes | {"reason": ""}


def _of_the_same_answers(fit: Fit, before: Fit) -> bool:
    """Tell whether two fits are of the same items and, by all their moments show, respondents."""
    items = list(fit.model.items)
    if set(items) != set(before.model.items) or fit.n != before.n:
        return False
    own, other = (
        pd.DataFrame(moments.cov, moments.items, moments.items).loc[items, items]
        for moments in (fit.moments, before.moments)
    )
    return bool(np.allclose(own, other, rtol=1e-9, atol=0.0, equal_nan=True))


def _side_by_side(columns: Mapping[T, pd.Series]) -> pd.DataFrame:
    """Return columns with the rows of all, in the order in which they first come."""
    rows = next(iter(columns.values())).index
    for column in columns.values():
        rows = rows.append(column.index.difference(rows, sort=False))
    return pd.DataFrame({name: column.reindex(rows) for name, column in columns.items()})


def has_solution(fit: Fit) -> bool:
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
    r"""Put fits side by side: of one model by several estimators, or of several models.

    PLS gives relations of weighted sums of answers, PLSc and covariance SEM those of the constructs
    behind them, so PLS paths of well measured constructs are nearer to the others than those of
    badly measured ones.

    Parameters
    ----------
    fits
        Two or more. What one of them does not have, such as a path, is NaN in its column. Fits by
        covariance SEM have their fit measures side by side (`Comparison.measures`), and where
        each is nested in the one before, or the other way round, tests of the difference
        (`Comparison.differences`).
    names
        Of the columns; by default the estimators' names, numbered where they repeat.
    bootstraps
        Errors for intervals, from `csi.bootstrap` or `csi.linearize`: one a fit in their order with
        None where there is none, or by the name of the column.

    Raises
    ------
    OptionError
        For fewer than two fits, names that do not fit, or bootstraps of other fits.

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
    return compared(fits, names, bootstraps)


def compared(
    fits: Sequence[Fit],
    names: Sequence[str] | None = None,
    bootstraps: Sequence[ResampledFit | None] | Mapping[str, ResampledFit] | None = None,
) -> Comparison:
    """Return fits side by side, or one alone; arguments and errors are those of `compare`."""
    fits = tuple(require_fit(fit, "compare", f"fit {k}") for k, fit in enumerate(fits, 1))
    if names is None:
        labels = [fit.estimator.label for fit in fits]
        names = [
            label if labels.count(label) == 1 else f"{label} ({labels[:k].count(label) + 1})"
            for k, label in enumerate(labels)
        ]
    if len(names) != len(fits) or len(set(names)) != len(fits):
        raise OptionError(
            f"names={shown(list(names))} must name the {len(fits)} fits, each differently."
        )
    return Comparison(fits, tuple(names), _draws_of(fits, list(names), bootstraps))


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
