"""One covariance structure in several groups at once, with parameters equal between them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from csimodel.arguments import checked, checked_in
from csimodel.bounds import THRESHOLDS
from csimodel.errors import EstimationError, ModelError, OptionError, choose, suggest
from csimodel.estimators.covariance.defined import defined_table
from csimodel.estimators.covariance.equality import EQUAL, require_bounds
from csimodel.estimators.covariance.estimator import CovarianceEstimates, CovarianceEstimator
from csimodel.estimators.covariance.findings import (
    PER_PARAMETER,
    not_identified,
    several_minima,
)
from csimodel.estimators.covariance.fit_measures import measures_of
from csimodel.estimators.covariance.fitted import Fitted, fit_jointly
from csimodel.estimators.covariance.layouts import layouts_of
from csimodel.estimators.covariance.ml import ML
from csimodel.estimators.covariance.modification import (
    CANDIDATES,
    modification_indices,
    score_tests,
)
from csimodel.estimators.covariance.residuals import residual_tables
from csimodel.estimators.covariance.response_groups import threshold_counts
from csimodel.estimators.covariance.robust import sandwich
from csimodel.estimators.covariance.vcov import vcov
from csimodel.estimators.covariance_fit import CovarianceFit
from csimodel.estimators.estimates import Status
from csimodel.estimators.failures import UNUSABLE
from csimodel.estimators.groups import fit_groups, place_of, shown_label
from csimodel.estimators.inputs import estimator_for
from csimodel.estimators.quantities import find
from csimodel.estimators.solution import Solution
from csimodel.estimators.summary import fit_facts
from csimodel.findings import Finding, listed
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.model import Model
from csimodel.page import HasPage, Page, sections
from csimodel.progress import steps_shown
from csimodel.survey import Survey

_FEWEST = int(THRESHOLDS["few rows"].value)  # in a group, below which χ² means little
_JOINT = (
    "few-rows-per-parameter",
    "exploding-errors",
    "not-identified",
    "not-converged",
    "several-minima",
)


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class MultiGroupFit(HasPage, Mapping[Hashable, CovarianceFit]):
    """A model fitted in all groups together: a mapping from group to `Fit`, and what is joint.

    Attributes
    ----------
    fitted
        The joint solution as arrays.
    fits
        The fit of every group. Their errors come from the joint solution.
    labels
        The groups.
    equal, free
        What is equal between groups, and what is excepted.
    findings
        Rows and groups left out.
    """

    fitted: Fitted
    fits: tuple[CovarianceFit, ...]
    labels: pd.Index
    equal: tuple[str, ...]
    free: tuple[str, ...]
    findings: tuple[Finding, ...]

    def __getitem__(self, label: Hashable) -> CovarianceFit:
        """Return the fit of one group."""
        place = place_of(label, {known: place for place, known in enumerate(self.labels)})
        if place is not None:
            return self.fits[place]
        raise KeyError(f"There is no group {label!r}; groups are {listed(map(str, self.labels))}.")

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def converged(self) -> bool:
        """Whether the numbers are a solution at all."""
        return self.fitted.outcome == Status.CONVERGED

    @property
    def n(self) -> int:
        """Number of respondents used in all groups."""
        return sum(fit.n for fit in self.fits)

    @cached_property
    def fit_measures(self) -> pd.Series:
        """χ² and what is derived from it, of all groups together."""
        return measures_of(self.fitted)

    @cached_property
    def parameters(self) -> pd.DataFrame:
        """All parameters with joint errors, of `CovarianceFit`, with a column ``group``."""
        tables = []
        for label, fit in zip(self.labels, self.fits, strict=True):
            table = fit.parameters
            table.insert(3, "group", [label] * len(table))
            tables.append(table)
        return pd.concat(tables, ignore_index=True)

    @cached_property
    def defined(self) -> pd.DataFrame:
        """Quantities the model defines (``:=``) from labels of any group.

        ``d := a1*b1 - a2*b2`` compares groups. The fit of one group defines what its own labels
        suffice for.
        """
        joint = self.fitted
        covariance = vcov(self.fits[0].solution)
        return defined_table(joint.model, joint.layouts, joint.parameters, covariance)

    @cached_property
    def residual_table(self) -> pd.DataFrame:
        """Residual moments with joint errors, indexed by group too."""
        return pd.concat(residual_tables(self.fitted), keys=list(self.labels), names=["group"])

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Standardised paths, a row each, a column a group."""
        quantity = find("paths")
        columns = {label: quantity.values(fit.solution) for label, fit in self.items()}
        return pd.DataFrame(columns, quantity.labels(self.fitted.model))

    @cached_property
    def diagnostics(self) -> tuple[Finding, ...]:
        """What a reader must know, in plain words; empty when all is well."""
        told: list[Finding] = list(self.findings)
        told += _joint_findings(self)
        for label, fit in self.items():
            for finding in fit.diagnostics:
                if finding.code not in _JOINT:
                    told.append(finding.within("Group {group}", group=shown_label(label)))
        return tuple(told)

    def score_tests(self) -> pd.DataFrame:
        """Test every equality between groups: what letting it go would gain."""
        return score_tests(self.fitted, list(self.labels))

    def modification_indices(self, kinds: Sequence[str] = CANDIDATES) -> pd.DataFrame:
        """Return what freeing each fixed parameter would gain."""
        return modification_indices(self.fitted, kinds, list(self.labels))

    @property
    def page(self) -> Page:
        """How well the groups fit together, and their paths, on a page."""
        equal = f", equal {listed(self.equal)}" if self.equal else ""
        sizes = (f"{label}: {fit.n} respondents" for label, fit in self.items())
        return Page(
            f"{len(self)} groups by {self.fitted.estimator.label}{equal}",
            facts=(*sizes, *(fit_facts(self.fit_measures) if self.converged else ())),
            findings=self.diagnostics,
            sections=sections({"Standardised paths": self.paths}, 3),
        )

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT CONVERGED"
        equal = f", equal {listed(self.equal)}" if self.equal else ""
        count = len(self.diagnostics)
        told = f", {count} finding{'s' if count > 1 else ''}" if count else ""
        return (
            f"<Fit of {len(self)} groups ({listed(map(str, self.labels), 6)}) by "
            f"{self.fitted.estimator.label}{equal}: {self.n} rows, {state}{told}>"
        )


def _joint_findings(fit: MultiGroupFit) -> Iterator[Finding]:
    fitted = fit.fitted
    if fitted.outcome == Status.NOT_CONVERGED:
        yield Finding(
            "not-converged",
            "No minimum was found for the groups together, so these numbers are not a solution; "
            "fit the groups on their own with csi.fit_groups to see which one is at fault.",
            severity="failure",
        )
    if fitted.outcome == Status.CONVERGED and isinstance(
        estimates := fit.fits[0].estimates, CovarianceEstimates
    ):
        size = float(fitted.sizes.sum())
        yield from several_minima(float(estimates.other_minimum), fitted.discrepancy, size)
    if fitted.outcome == Status.NOT_IDENTIFIED:
        yield not_identified(fitted.information(), _joint_names(fit))
    if fit.n < PER_PARAMETER * fitted.npar:
        yield Finding(
            "few-rows-per-parameter",
            "There are {rows} rows for {parameters} parameters of all groups, fewer than {least} "
            "for each, so errors and χ² are rough; set more parameters equal, join groups, or use "
            "a smaller model.",
            count=fit.n,
            values={"rows": fit.n, "parameters": fitted.npar, "least": PER_PARAMETER},
        )
    small = [str(label) for label, group in fit.items() if group.n < _FEWEST]
    if small:
        sentence = (
            "Groups {groups} have fewer than {least} respondents, too few to compare groups by χ²; "
            "join groups or leave them out."
        )
        if len(small) == 1:
            sentence = (
                "Group {groups} has fewer than {least} respondents, too few to compare groups by "
                "χ²; join groups or leave them out."
            )
        values = {"groups": tuple(small), "least": _FEWEST}
        yield Finding("groups-with-few-rows", sentence, tuple(small), values=values)


def _joint_names(fit: MultiGroupFit) -> tuple[str, ...]:
    """Name the free parameters of all groups: those of one group by it, shared ones plainly."""
    by_number: dict[int, list[str]] = {}
    for label, layout in zip(fit.labels, fit.fitted.layouts, strict=True):
        for row, place in zip(layout.rows, layout.place.tolist(), strict=True):
            if place >= 0:
                by_number.setdefault(place, []).append(f"{row.name} of {label}")
    return tuple(
        names[0] if len(names) == 1 else names[0].rpartition(" of ")[0]
        for names in (by_number[place] for place in range(fit.fitted.npar))
    )


@own_errstate
@checked
def fit_multigroup(
    model: Model,
    survey: Survey | object,
    by: str | Sequence[str],
    estimator: CovarianceEstimator | None = None,
    *,
    equal: str | Sequence[str] = (),
    free: str | Sequence[str] = (),
    progress: bool = True,
) -> MultiGroupFit:
    """Fit a covariance structure in all groups together.

    Means are modelled. With equal intercepts the constructs' means are free in all groups but the
    first.

    Ordered answers (`WLSMV`) have thresholds τ, seen in the sample as ``(τ - μ)/√σ``, and responses
    ``y* = ν + λ'η + ε`` behind them. In the first group ν = 0, var ε = 1 and means of constructs
    are 0 (theta parameterisation). Without equal thresholds so they are in all groups; with them ν
    and var ε of the others are free, var ε of an item with one equal threshold only when its
    loading is equal too; with equal intercepts ν = 0 and the constructs' means are free; with equal
    errors var ε = 1 (Wu and Estabrook 2016). Loadings of a construct all of whose items have one
    equal threshold are equal only together with intercepts: before, they cannot be compared.
    Groups count by n - 1, each as by itself; lavaan weighs them by n, which is the same where they
    are of one size.

    Parameters
    ----------
    model
        Constructs and paths. A parameter with one label in the model's text is equal in all
        groups; ``c(a, b)*`` labels groups apart.
    survey
        A `Survey` or anything `read_survey` takes.
    by
        Column or columns that make the groups.
    estimator
        ``csi.ML()`` by default.
    equal
        Kinds of parameters that are equal between groups: ``"thresholds"`` (of ordered answers;
        nothing else of their items can be equal without), ``"loadings"``, ``"intercepts"``,
        ``"errors"``, ``"paths"``, ``"covariances"``, ``"means"``; or lavaan's words:
        ``"regressions"`` (the paths), ``"residuals"`` and ``"residual.covariances"`` (variances
        and covariances of errors), ``"lv.variances"`` and ``"lv.covariances"``. What is equal to a
        fixed value is fixed there, as the means of all groups at the 0 of the first. Groups' own
        labels, ``c(a, b)*``, go before.
    free
        Parameters excepted from that, as ``"Image =~ IMAG2"``, ``"IMAG2 | t1"``, or labels.
    progress
        Whether to show a bar on long work.

    Raises
    ------
    OptionError
        For an unknown kind, or an exception that names no parameter.
    EstimationError
        When a group cannot be fitted.

    References
    ----------
    Jöreskog, K. G. (1971). Simultaneous factor analysis in several populations. Psychometrika 36,
    409-426. https://doi.org/10.1007/BF02291366

    Wu, H., Estabrook, R. (2016). Identification of confirmatory factor analysis models of
    different levels of invariance for ordered categorical outcomes. Psychometrika 81, 1014-1045.
    https://doi.org/10.1007/s11336-016-9506-0

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax("Quality =~ PERQ1 + PERQ3 + PERQ7")
    >>> frame = csi.load_mobi().data.assign(half=["a", "b"] * 125)
    >>> csi.fit_multigroup(model, frame, "half", equal=["loadings", "intercepts"])
    <Fit of 2 groups (a and b) by ML, equal loadings and intercepts: 250 rows, converged>
    """
    chosen = estimator_for(model, ML() if estimator is None else estimator, by_group=True)
    model = chosen.specified(model)
    if not isinstance(chosen, CovarianceEstimator):
        raise OptionError(
            f"Parameters are made equal between groups in covariance structures only, and the "
            f"estimator is {chosen.label}; use csi.ML(), or csi.fit_groups for separate fits."
        )
    composites = [c.name for c in model.constructs if c.kind == "composite"]
    if composites:
        raise ModelError(
            f"Groups are fitted together with means, and {composites[0]!r} is a composite; use "
            "csi.fit_groups for separate fits, or define it with =~."
        )
    ordinal = bool(chosen.ordered_items(model))
    kinds = (equal,) if isinstance(equal, str) else tuple(equal)
    excepted = (free,) if isinstance(free, str) else tuple(free)
    for kind in kinds:
        choose("equal", kind, EQUAL)
    _require_thresholds(chosen, ordinal, kinds)
    if ordinal:
        chosen.check(model.in_group(0))
    chosen = chosen if ordinal else replace(chosen, means=True)
    alone = model.in_group(0)
    by_group = ML(means=True) if chosen.policy is None else chosen
    apart = fit_groups(alone, survey, by, by_group, progress=progress)
    if len(apart) < 2:
        raise OptionError(f"by={by!r} makes one group only; name a column with several values.")
    _require_entries(model, by, list(apart))
    groups = [apart[label] for label in apart]
    for label, group in zip(apart, groups, strict=True):
        if group.estimates.outcome in (*UNUSABLE, Status.ITEMS_SINGULAR):
            told = [str(f) for f in group.diagnostics if f.severity == "failure"]
            raise EstimationError(f"Group {label}: {' '.join(told) or group.diagnostics[-1]}")
    gathered = tuple(group.moments for group in groups)
    if chosen.policy is None and (chosen.robust is not None or chosen.needs_answers):
        asked = [group.require_answers("a multi-group fit") for group in groups]
        gathered = tuple(chosen.joint_moments_of(answers) for answers in asked)
    thresholds = threshold_counts(gathered, list(apart)) if ordinal else ()
    layouts = layouts_of(
        model,
        chosen.scaling,
        True,
        (),
        len(groups),
        kinds,
        excepted,
        thresholds=thresholds,
    )
    require_bounds(layout.rows for layout in layouts)
    known = {row.name for row in layouts[0].rows} | {row.label for row in layouts[0].rows}
    for name in excepted:
        if name not in known:
            names = [row.name for row in layouts[0].rows]
            raise ModelError(
                f"free={name!r} is not a parameter of the model{suggest(name, names)}; write it as "
                "in the table of parameters, for example 'Image =~ IMAG2'."
            )
    with steps_shown("Groups together", progress):
        fitted, parts = fit_jointly(model, chosen, layouts, gathered)
    if chosen.robust is None:
        covariance = fitted.inverse(chosen.observed_information)
    else:
        covariance = sandwich(fitted)
    fits = []
    for number, (part, group) in enumerate(zip(parts, groups, strict=True)):
        estimates = replace(part, covariance=covariance)
        solution = Solution(model.in_group(number), chosen, gathered[number], estimates)
        fits.append(CovarianceFit(solution, group.survey, group.answers))
    return MultiGroupFit(fitted, tuple(fits), apart.labels, kinds, excepted, apart.findings)


def _require_thresholds(
    estimator: CovarianceEstimator, ordinal: bool, kinds: Sequence[str]
) -> None:
    """Refuse thresholds where there are none, and what means nothing without equal ones."""
    if not ordinal and "thresholds" in kinds:
        raise OptionError(
            f"equal='thresholds' is for ordered answers, and {estimator.label} takes them as "
            "numbers, which have intercepts; use csi.WLSMV(), or leave it out."
        )
    measuring = [kind for kind in kinds if kind in ("loadings", "intercepts", "errors")]
    if ordinal and measuring and "thresholds" not in kinds:
        raise OptionError(
            f"equal={measuring[0]!r} says nothing of ordered answers while thresholds differ "
            "between groups, because these give the answers their units; add 'thresholds' to "
            "equal."
        )


def _require_entries(model: Model, by: str | Sequence[str], labels: Sequence[Hashable]) -> None:
    """Refuse c() with other than one entry a group."""
    for parameter in model.parameters:
        if parameter.groups not in (1, len(labels)):
            raise ModelError(
                f"{str(parameter)!r} says something for {parameter.groups} groups and "
                f"by={by!r} makes {len(labels)} ({listed(labels)}); write one entry for each "
                "group in c(…), in this order, or one for all."
            )
