"""`linearize`: the errors of whatever a fit estimates, from influence values, without resampling.

An estimate is nearly the sum of what the sampled units add to it, so the covariance of any two is
that of sums, under the survey's design (`SurveyDesign.covariance`). The interface::

    csi.linearize(fit)                   of one fit, or of several: a mapping, as of csi.fit_groups
    .table(quantity, by=)                estimate, se, df, lower, upper, p, reason
    .difference(a, b), .ratio(a, b)      entries (quantity, label); a label of a group: all of it
    .vcov(quantity, …)                   covariances of all entries
    .deff(quantity)                      design effects
    .influence(quantity)                 what each unit adds
    index_scores(fit, bootstrap=…)       and whoever else takes errors of a quantity

References
----------
Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex surveys.
International Statistical Review 51, 279-292. https://doi.org/10.2307/1402588

Deville, J.-C. (1999). Variance estimation for complex statistics and estimators: linearization and
residual techniques. Survey Methodology 25, 193-203.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked, checked_in
from csimodel.errors import InferenceError, OptionError
from csimodel.estimators import Fit, Quantity, find, fit_groups, require_fit, require_own
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.bootstrap import Bootstrap
from csimodel.inference.domains import satterthwaite, working_variance
from csimodel.inference.infer import infer
from csimodel.inference.influence import (
    free_influence_values,
    influence_values,
    require_influence,
    require_scanned_influence,
    without_influence,
)
from csimodel.inference.intervals import require_by_t
from csimodel.inference.joint_design import joint_design
from csimodel.inference.moved_weights import moved_weights
from csimodel.inference.scanned_influence import scanned_influence
from csimodel.inference.sources import NO_DERIVATIVE, StandardErrors
from csimodel.moments.scanned import ScannedAnswers
from csimodel.options import shown
from csimodel.page import HasPage, Page, sections
from csimodel.survey import Answers
from csimodel.survey.sampling import SurveyDesign, count_of_units

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Entry = str | tuple[str, Hashable]

_STILL = 1e-9  # of the largest influence of a quantity: what differences of fits leave of none


@dataclass(frozen=True, eq=False)
class Linear:
    """Estimates with what each unit adds to them.

    Attributes
    ----------
    labels
        One an entry.
    estimate
        (entries,)
    parts
        Which part of the sample each entry rests on, (entries,).
    units
        From a part to the units with members in it.
    totals
        From places of entries to what each unit adds, (units, places).
    sizes
        Effective number of respondents of each part, ``(Σ w)²/Σ w²``, (parts,); None of a scan.
    """

    labels: pd.Index
    estimate: Floats
    parts: Codes
    units: Callable[[int], Codes]
    totals: Callable[[Codes], Floats]
    sizes: Floats | None = field(default=None, kw_only=True)

    @property
    def every(self) -> Codes:
        """The places of all entries."""
        return np.arange(len(self.estimate))


@dataclass(frozen=True, eq=False)
class LinearGroups(Linear):
    """A quantity of groups that keep the weights of all respondents.

    Attributes
    ----------
    errors
        To the standard errors of all entries, quicker than from the totals, (entries,).
    df
        Their degrees of freedom, (entries,).
    census
        Entries that rest on all units of a population, (entries,).
    """

    errors: Callable[[], Floats]
    df: Floats
    census: NDArray[np.bool_]

    @property
    def source(self) -> StandardErrors:
        """The errors of all entries."""
        return StandardErrors(self.errors(), self.df, NO_DERIVATIVE, self.census)


BY_GROUP: dict[str, Callable[[Fit, str | Sequence[str]], LinearGroups]] = {}
"""How quantities of groups are made that keep the weights of all respondents, by name."""


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Linearized(HasPage):
    """Errors of a fit, or of several together, from what sampled units add. Made by `linearize`.

    Attributes
    ----------
    fits
        One or several.
    names
        What several are called, one each; None for one.
    """

    fits: tuple[Fit, ...]
    names: pd.Index | None = None

    @property
    def fit(self) -> Fit:
        """The fit.

        Raises
        ------
        OptionError
            When there are several.
        """
        if self.names is not None:
            raise OptionError(
                f"These are errors of {len(self.fits)} fits together; make those of one with "
                "csi.linearize(fit)."
            )
        return self.fits[0]

    @cached_property
    def _joint(self) -> tuple[SurveyDesign, list[Codes]]:
        return joint_design(self.fits)

    @property
    def design(self) -> SurveyDesign:
        """The units that were drawn, of all fits together."""
        return self._joint[0]

    def influence(self, quantity: str | Quantity) -> pd.DataFrame:
        """Return what each unit adds to a quantity, units × entries; each sums to 0.

        Examples
        --------
        >>> import csimodel as csi
        >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
        >>> csi.linearize(fit).influence("r2").shape
        (250, 6)
        """
        if self.fits[0].scanned is not None:
            self.fits[0].require_answers("influence")
        linear = self._linear(find(quantity), None)
        return pd.DataFrame(linear.totals(linear.every), columns=linear.labels)

    def table(
        self,
        quantity: str | Quantity,
        interval: str = "auto",
        level: float = 0.95,
        *,
        by: str | Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Return estimate, standard error, confidence limits and p-value of a quantity.

        Parameters
        ----------
        quantity
            A name such as ``"paths"``, ``"total_effects"``, ``"loadings"``, ``"weights"``,
            ``"r2"``, ``"htmt"``, ``"index"``; an unknown name lists them all. Distances between
            observed and implied correlations (``"srmr"`` and its like) are refused: where the
            model fits they are at their lowest, and nothing there is a sum of what units add.
        interval
            ``"auto"`` or ``"t"``, which are the same here: limits are by t.
        level
            Coverage, between 0 and 1.
        by
            Column or columns of the survey that make groups. The index of groups has the weights
            of the whole sample (`index_scores`); for any other quantity each group is fitted
            (`fit_groups`).

        Returns
        -------
        DataFrame
            Columns estimate, se, df (units less strata, of a group those it has members in), lower,
            upper, p (NaN where zero means nothing) and reason, as from `infer`.

        Raises
        ------
        OptionError
            For an unknown quantity or interval, or a level outside 0 to 1.
        InferenceError
            For distances.

        Examples
        --------
        >>> import csimodel as csi
        >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
        >>> row = csi.linearize(fit).table("paths").loc[("Loyalty", "Satisfaction")]
        >>> row[["estimate", "se", "df"]].astype(float).round(3).tolist()
        [0.485, 0.083, 249.0]
        """
        entries = find(quantity)
        require_linear(entries)
        require_by_t(interval)
        linear = self._linear(entries, by, alone=True)
        if isinstance(linear, LinearGroups):
            estimate, source = linear.estimate, linear.source
            return infer(linear.labels, estimate, source, level, entries.null, steady=False)
        totals = linear.totals(linear.every)
        own = self if by is None else self._grouped(by)
        return own._infer(linear.labels, linear, linear.estimate, totals, entries.null, level)

    def difference(
        self, a: Entry, b: Entry, *, by: str | Sequence[str] | None = None, level: float = 0.95
    ) -> pd.DataFrame:
        """Return ``a - b`` with its error, which counts what both share.

        Parameters
        ----------
        a, b
            Each an entry, as ``("paths", ("Loyalty", "Satisfaction"))``, or a part of a table: a
            quantity, or the first names of its labels, as ``("index", "2024")`` of fits by year.
            Parts have as many entries, and are compared one by one.
        by
            Column or columns of the survey that make groups, as in `table`.
        level
            Coverage.

        Returns
        -------
        DataFrame
            Columns as in `table`. Degrees of freedom are those of all units that either rests on;
            none where one of them has none. Of different groups they are at most Satterthwaite's
            (of respondents drawn one by one Welch's; in clusters by the groups' sizes), as the
            error can be nearly that of one of few units.

        Raises
        ------
        OptionError
            For a label that is not there, or parts of different size.

        Examples
        --------
        >>> import csimodel as csi
        >>> frame = csi.load_mobi().data.assign(wave=[1, 2] * 125)
        >>> fits = csi.fit_groups(csi.models.ecsi(), csi.read_survey(frame, scale=(1, 10)), "wave")
        >>> change = csi.linearize(fits).difference(("index", 2), ("index", 1))
        >>> change.loc["Satisfaction", ["estimate", "se"]].astype(float).round(2).tolist()
        [-1.14, 1.82]
        """
        return self._compared(a, b, by, level, 0.0)

    def ratio(
        self, a: Entry, b: Entry, *, by: str | Sequence[str] | None = None, level: float = 0.95
    ) -> pd.DataFrame:
        """Return ``a / b`` with its error; p is for a ratio of 1. Arguments as in `difference`."""
        return self._compared(a, b, by, level, 1.0)

    def vcov(
        self, *quantity: str | Quantity, by: str | Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the covariances of all entries of one or several quantities.

        Rows and columns are labels; of several quantities their name and the label, with empty
        names where others have longer ones.

        Examples
        --------
        >>> import csimodel as csi
        >>> lin = csi.linearize(csi.fit(csi.models.ecsi(), csi.load_mobi()))
        >>> lin.vcov("paths", "index").shape
        (19, 19)
        """
        if not quantity:
            raise OptionError("vcov needs a quantity, such as 'paths'; give one or several.")
        linears = {find(own).name: self._linear(find(own), by) for own in quantity}
        totals = np.hstack([linear.totals(linear.every) for linear in linears.values()])
        labels = next(iter(linears.values())).labels
        if len(linears) > 1:
            rows = [(name, *_levels(own)) for name, part in linears.items() for own in part.labels]
            deep = max(map(len, rows))
            padded = [(*row, *[""] * (deep - len(row))) for row in rows]
            labels = pd.MultiIndex.from_tuples(padded, names=["quantity", *[None] * (deep - 1)])
        design = self.design if by is None else self._grouped(by).design
        return pd.DataFrame(design.covariance(totals), labels, labels)

    def deff(self, quantity: str | Quantity) -> pd.Series:
        """Return design effects: variances over those of as many drawn one by one, equal weights.

        ``V / (S²/n)`` with ``S² = n/(n - 1) Σ w z² / Σ w``, z what a respondent adds, in one copy.
        NaN without degrees of freedom, or where nothing varies.

        References
        ----------
        Kish, L. (1965). Survey Sampling, section 8.2.

        Examples
        --------
        >>> import csimodel as csi
        >>> lin = csi.linearize(csi.fit(csi.models.ecsi(), csi.load_mobi()))
        >>> round(float(lin.deff("index")["Satisfaction"]), 6)
        1.0
        """
        entries = find(quantity)
        parts = [_design_effect(fit, entries) for fit in self.fits]
        labels = self._labels(entries.labels(self.fits[0].model))
        return pd.Series(np.concatenate(parts), labels, name="deff")

    @cached_property
    def samples(self) -> Bootstrap:
        """Refits from which regressions take the errors of the whole chain; see `moved_weights`."""
        return moved_weights(self.fit)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know of the units that were drawn."""
        told = [
            own.answers.without_replicates("influence values") for own in self.fits if own.answers
        ]
        return tuple(dict.fromkeys([*self.design.findings, *(f for own in told for f in own)]))

    @property
    def page(self) -> Page:
        """What was drawn, and the paths with their errors, on a page."""
        fit, design = self.fits[0], self.design
        layers, name = design.stratum_count, fit.model.name or text("the model")
        told = [*fit.diagnostics] if self.names is None else []
        return Page(
            text(
                "Linearised errors of {name} by {label}"
                if self.names is None
                else "Linearised errors of {name} by {label}, {count} fits together",
                name=name,
                label=fit.estimator.label,
                count=len(self.fits),
            ),
            facts=(
                text(
                    "{units} in {strata:,} strata, {df:,} degrees of freedom"
                    if layers > 1
                    else "{units}, {df:,} degrees of freedom",
                    units=count_of_units(design.unit_count, design.kind),
                    strata=layers,
                    df=design.df,
                ),
            ),
            findings=tuple(dict.fromkeys([*told, *self.findings])),
            sections=sections({text("Paths"): self.table("paths")} if fit.model.paths else {}, 3),
        )

    def __repr__(self) -> str:
        of = repr(self.fits[0]) if self.names is None else f"{len(self.fits)} fits"
        return f"<Linearised errors of {of}: {self.design.unit_count} {self.design.kind}s>"

    def _grouped(self, by: str | Sequence[str]) -> Linearized:
        """Return the errors of a fit to each group."""
        fit = self.fit
        rows = fit.survey if fit.scanned is None else fit.scanned.scan
        assert rows is not None
        return linearize(fit_groups(fit.model, rows, by, fit.estimator))

    def _linear(
        self, quantity: Quantity, by: str | Sequence[str] | None, alone: bool = False
    ) -> Linear:
        """Return a quantity with what each unit adds to it; see `scanned_influence` for `alone`."""
        if by is not None:
            grouped = BY_GROUP.get(quantity.name)
            if grouped is not None:
                return grouped(self.fit, by)
            return self._grouped(by)._linear(quantity, None)
        design, places = self._joint
        scanned = self.fits[0].scanned
        if scanned is not None:
            return self._of_scan(scanned, quantity, alone)
        values = [np.asarray(quantity.values(fit.solution)) for fit in self.fits]
        totals = np.zeros((design.units, sum(map(len, values))))
        part = np.repeat(np.arange(len(values)), [len(own) for own in values])
        alone, members = len(self.fits) == 1, []
        for number, (fit, place) in enumerate(zip(self.fits, places, strict=True)):
            answers = fit.require_answers("linearize")
            own = np.ix_(place, np.flatnonzero(part == number))
            stages = design if alone else answers.stages
            members.append(place[stages.touched])
            totals[own] = np.nan
            if len(answers.values):
                totals[own] = still(influence_values(fit, quantity, stages))
        return Linear(
            self._labels(quantity.labels(self.fits[0].model)),
            np.concatenate(values),
            part,
            lambda number: members[number],
            lambda chosen: totals[:, chosen],
            sizes=np.array([float(fit.moments.effective_n) for fit in self.fits]),
        )

    def _of_scan(self, scanned: ScannedAnswers, quantity: Quantity, alone: bool) -> Linear:
        """Return a quantity with what stands for the units of a scan."""
        values = np.asarray(quantity.values(self.fit.solution))
        totals = still(scanned_influence(self.fit, scanned, quantity, alone))
        return Linear(
            quantity.labels(self.fit.model),
            values,
            np.zeros(len(values), dtype=np.intp),
            lambda number: np.zeros(0, dtype=np.intp),
            lambda chosen: totals[:, chosen],
        )

    def _labels(self, labels: pd.Index) -> pd.Index:
        """Label entries of several fits, the name of the fit first."""
        if self.names is None:
            return labels
        rows = [(*_levels(name), *_levels(label)) for name in self.names for label in labels]
        outer = [str(own or "group") for own in self.names.names]
        return pd.MultiIndex.from_tuples(rows, names=[*outer, *labels.names])

    def _compared(
        self, a: Entry, b: Entry, by: str | Sequence[str] | None, level: float, null: float
    ) -> pd.DataFrame:
        """Return differences (null 0) or ratios (null 1) of entries."""
        (first, at, rest), (second, of, _) = (self._chosen(own, by) for own in (a, b))
        if len(at) != len(of):
            raise OptionError(
                f"{a!r} has {len(at)} entries and {b!r} has {len(of)}; compare parts of a table "
                "that have as many."
            )
        x, y = first.estimate[at], second.estimate[of]
        totals, others = first.totals(at), second.totals(of)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = x / y if null else x - y
            totals, others = (totals / y, others * value / y) if null else (totals, others)
        own = self if by is None or isinstance(first, LinearGroups) else self._grouped(by)
        left = [first.units(part) for part in first.parts[at].tolist()]
        right = [second.units(part) for part in second.parts[of].tolist()]
        degrees = own._degrees_of([np.union1d(*pair) for pair in zip(left, right, strict=True)])
        df = np.stack([own._degrees_of(left), own._degrees_of(right)])
        if first.sizes is not None and second.sizes is not None:
            parts = first.parts[at], second.parts[of]
            spread = np.stack([own.design.variance(totals), own.design.variance(others)])
            size = np.stack([first.sizes[parts[0]], second.sizes[parts[1]]])
            most = satterthwaite(working_variance(own.design, spread, size), df)
            degrees = np.where(parts[0] == parts[1], degrees, np.fmin(degrees, most))
        degrees = np.where((df > 0).all(axis=0), degrees, 0.0)
        return own._infer(rest, first, value, totals - others, null, level, degrees)

    def _chosen(
        self, entry: Entry, by: str | Sequence[str] | None
    ) -> tuple[Linear, Codes, pd.Index]:
        """Return the entries that a label names, their places, and what is left of their labels."""
        name, label = _entry(entry)
        quantity = find(name)
        require_linear(quantity)
        linear = self._linear(quantity, by)
        if label is None:
            return linear, linear.every, linear.labels
        names, wanted = [_levels(own) for own in linear.labels], _levels(label)
        at = np.array([own[: len(wanted)] == wanted for own in names], dtype=np.bool_)
        if not at.any():
            raise OptionError(
                f"{quantity.name!r} has no entry {label!r}; its labels are such as "
                f"{linear.labels[0]!r}."
            )
        rest = [own[len(wanted) :] for own, chosen in zip(names, at, strict=True) if chosen]
        plain = [own[0] if len(own) == 1 else own or str(label) for own in rest]
        return linear, np.flatnonzero(at), pd.Index(plain)

    def _degrees_of(self, parts: Sequence[Codes]) -> Floats:
        """Return units less strata of sets of units."""
        return np.array([self.design.degrees_of(own) for own in parts], np.float64)

    def _infer(
        self,
        labels: pd.Index,
        linear: Linear,
        estimate: Floats,
        totals: Floats,
        null: float | None,
        level: float,
        df: Floats | None = None,
    ) -> pd.DataFrame:
        """Return the table of estimates from what each unit adds to them."""
        design = self.design
        if df is None:
            parts = range(linear.parts.max(initial=-1) + 1)
            known = self._degrees_of([linear.units(part) for part in parts])
            df = known[linear.parts]
        se = np.sqrt(design.variance(totals))
        errors = StandardErrors(se, df, NO_DERIVATIVE, design.census)
        return infer(labels, estimate, errors, level, null)


def chain_of(errors: Bootstrap | Linearized | None, fit: Fit) -> Bootstrap | None:
    """Return the samples in which a fit is estimated again: draws, or those with weights moved.

    Raises
    ------
    OptionError
        For draws of another fit.
    """
    if errors is None:
        return None
    require_own(errors, fit, drawn=not isinstance(errors, Linearized))
    return errors.samples if isinstance(errors, Linearized) else errors


@own_errstate
@checked
def linearize(fit: Fit | Mapping[Hashable, Fit]) -> Linearized:
    """Return the errors of whatever a fit estimates, from influence values, without resampling.

    With T_u what unit u (a respondent, or a cluster) adds to an estimate, its variance is ``Σ_h
    (1 - m_h/N_h) m_h/(m_h - 1) Σ_u (T_hu - T̄_h)²`` over strata h, and so for covariances of any
    two estimates; limits are by t with units less strata as degrees of freedom.

    Parameters
    ----------
    fit
        From `fit` on a survey, a data frame or a scan, which is read once more; or several in a
        mapping, as from `fit_groups`: groups of one survey, or waves. Groups of respondents drawn
        one by one with equal weights are samples of their own, with the errors that the fit of each
        has alone; of a design with weights, strata or clusters they are its domains. Clusters of
        several surveys that have the same label (in the same stratum) are the same clusters, so
        that changes between waves count what waves share; to follow persons, name the column of
        their number as ``cluster=``.

    Returns
    -------
    Linearized

    Raises
    ------
    SurveyError
        When a fit was made from moments.
    OptionError
        For one group of a joint fit.
    InferenceError
        When the estimator needs more than moments.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> csi.linearize(fit)
    <Linearised errors of <Fit of ECSI by PLS, path scheme: 250 rows, converged>: 250 respondents>
    """
    if isinstance(fit, Mapping) and len(fit):
        fits = tuple(require_fit(own, "linearize") for own in fit.values())
        for own in fits:
            if len(own.require_answers("linearize").values):
                require_influence(own, "linearize")
        names = getattr(fit, "labels", None)
        return Linearized(fits, pd.Index(list(fit)) if names is None else names)
    own = require_fit(fit, "linearize")
    if own.scanned is not None:
        require_scanned_influence(own)
    else:
        require_influence(own, "linearize")
    return Linearized((own,))


def linearized_by_design(fit: Fit) -> Linearized | None:
    """Return errors of a fit whose survey has a design, where it has influence values."""
    answers = fit.answers
    if answers is None or without_influence(fit) or not len(answers.values):
        return None
    designed = (answers.weights, answers.strata, answers.cluster, answers.population)
    return None if all(part is None for part in designed) else Linearized((fit,))


def design_effect(values: Floats, answers: Answers) -> Floats:
    """Return design effects from what each respondent adds to estimates, (rows, entries).

    As in `Linearized.deff`, (entries,).
    """
    design, rows = answers.stages, len(answers.values)
    if not design.df > 0:
        return np.full(values.shape[1], np.nan)
    weights = answers.row_weights
    linear = values * (weights.sum() / weights)[:, None]
    spread = weights @ linear**2 / weights.sum() * rows / (rows - 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = design.variance(design.totals(values)) / (spread / rows)
    return np.asarray(np.where(spread > 0, effect, np.nan))


def _design_effect(fit: Fit, quantity: Quantity) -> Floats:
    answers = fit.require_answers("design effects")
    values = free_influence_values(fit, quantity)
    return design_effect(still(values), answers)


def _entry(entry: object) -> tuple[str | Quantity, Hashable | None]:
    """Return the quantity and the label of an entry, None for all of it."""
    if isinstance(entry, str | Quantity):
        return entry, None
    if isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str | Quantity):
        return entry[0], entry[1] if isinstance(entry[1], Hashable) else None
    raise OptionError(
        "An entry is a quantity, such as 'paths', or one with a label, such as ('index', "
        f"'Satisfaction'), and not {shown(entry)}."
    )


def require_linear(quantity: Quantity) -> None:
    """Refuse distances, which have no influence values.

    Raises
    ------
    InferenceError
        For ``"srmr"`` and its like.
    """
    if not quantity.resampled:
        raise InferenceError(
            f"{quantity.name!r} has no error from influence values, because where the model fits "
            "it is at its lowest; report the estimate alone."
        )


def still(values: Floats) -> Floats:
    """Return influence values, 0 where they are what rounding leaves of none."""
    size = np.abs(values).max(axis=0, initial=0.0)
    largest = size.max(initial=0.0, where=np.isfinite(size))
    return np.where(size <= _STILL * largest, 0.0, values)


def _levels(label: Hashable) -> tuple[Hashable, ...]:
    return label if isinstance(label, tuple) else (label,)
