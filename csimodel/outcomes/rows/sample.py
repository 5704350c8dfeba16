"""The rows of a regression, as arrays, checked and counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import THRESHOLDS
from csimodel.errors import EstimationError, OptionError
from csimodel.findings import Finding, Severity, listed
from csimodel.outcomes.design.formula import Formula
from csimodel.outcomes.design.layout import Layout
from csimodel.outcomes.rows.collinearity import require_independent
from csimodel.survey.calibrated_design import CalibratedDesign
from csimodel.survey.domain_design import DomainDesign
from csimodel.survey.sampling import Lonely

Floats = NDArray[np.float64]

FEW_ALIKE = int(THRESHOLDS["few rows of a category"].value)


@dataclass(frozen=True, eq=False)
class Ordering:
    """Answers in their order.

    Attributes
    ----------
    codes
        Which category each respondent chose, (rows,).
    categories
        The answers that occur, rising, on their own scale, (categories,).
    cut
        The first category that counts as repurchase.
    """

    codes: NDArray[np.intp]
    categories: Floats
    cut: int

    @classmethod
    def of(cls, answers: Floats, cut: float) -> Ordering:
        """Order answers, (rows,); those from `cut` on count as repurchase."""
        categories, codes = np.unique(answers, return_inverse=True)
        return cls(codes, categories, int(np.searchsorted(categories, cut)))

    @property
    def reached(self) -> Floats:
        """1 for the respondents at or above the cut, (rows,)."""
        return (self.codes >= self.cut).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Sample:
    """Hold the respondents of a regression.

    Attributes
    ----------
    outcome
        From 0 to 1, (rows,); of ordered answers, whether they reach the cut.
    regressors
        Indexes in points from 0 to 100, then controls in their own units, (rows, regressors);
        of a formula, the columns of its design, the indexes first.
    names
        Of the regressors.
    indexes
        Names of the indexes, the first so many regressors.
    label
        What the outcome is called.
    rows
        Which of the respondents offered were kept, (rows,).
    weights
        Survey weights scaled to a mean of 1, (rows,), or None.
    cluster
        Codes 0, 1, … of each row's cluster, (rows,), or None.
    findings
        Rows left out and answers moved, counted.
    ordering
        The answers, where the family orders them.
    strata
        Codes 0, 1, … of each row's stratum, (rows,), or None.
    lonely
        How a stratum of one unit is treated, as in `SurveyDesign`.
    population
        Number of units in the population of each row's stratum, (rows,), or None.
    calibrated
        The units of all respondents whose weights meet margins together, these among them, or None.
    domain
        The units of all respondents that these are a part of, or None.
    replicates
        How many replicate weights the survey has.
    formula_layout, formula_factors
        How the columns of a formula follow from indexes and factors, (rows, factors).
    """

    outcome: Floats
    regressors: Floats
    names: tuple[str, ...]
    indexes: tuple[str, ...]
    label: str
    rows: NDArray[np.intp]
    weights: Floats | None
    cluster: NDArray[np.intp] | None
    findings: tuple[Finding, ...]
    ordering: Ordering | None = None
    formula_layout: Layout | None = None
    formula_factors: Floats | None = None
    strata: NDArray[np.intp] | None = None
    lonely: Lonely = "adjust"
    population: Floats | None = None
    calibrated: CalibratedDesign | None = None
    domain: DomainDesign | None = None
    replicates: int = 0

    @property
    def cut(self) -> float | None:
        """Of ordered answers, the lowest that counts as repurchase; else None."""
        ordering = self.ordering
        return None if ordering is None else float(ordering.categories[ordering.cut])

    @property
    def n(self) -> int:
        """Number of respondents."""
        return len(self.outcome)

    @property
    def respondents(self) -> int | None:
        """How many the rows stand for, where that is more than one each."""
        return None

    @property
    def weighted(self) -> bool:
        """Whether respondents have survey weights."""
        return self.weights is not None

    def number(self, rows: NDArray[np.bool_]) -> int:
        """Return the number of respondents in some rows, (rows,)."""
        return int(rows.sum())

    def each(self, values: Floats) -> Floats:
        """Return values of rows once for each respondent."""
        return values

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        return ("const", *self.names)

    @property
    def points(self) -> Floats:
        """The indexes, (rows, indexes)."""
        return self.regressors[:, : len(self.indexes)]

    @property
    def factors(self) -> Floats:
        """What the columns are made of besides the indexes, (rows, factors)."""
        if self.formula_factors is not None:
            return self.formula_factors
        return self.regressors[:, len(self.indexes) :]

    @property
    def layout(self) -> Layout:
        """How the columns follow from indexes and factors."""
        if self.formula_layout is not None:
            return self.formula_layout
        return Layout.plain(len(self.indexes), self.factors.shape[1])

    @property
    def row_weights(self) -> Floats:
        """Weights of the rows, 1 where none were given, (rows,)."""
        return np.ones(len(self.outcome)) if self.weights is None else self.weights

    @property
    def share(self) -> Floats:
        """How much each respondent counts in an average, summing to 1, (rows,)."""
        weights = self.row_weights
        return np.asarray(weights / weights.sum())


def sample_of(
    outcome: Floats,
    indexes: Mapping[str, Floats],
    controls: Mapping[str, Floats],
    *,
    label: str,
    weights: Floats | None,
    cluster: NDArray[np.intp] | None,
    cut: float | None = None,
    formula: Formula | None = None,
    complete: Mapping[str, Floats] | None = None,
    strata: NDArray[np.intp] | None = None,
    lonely: Lonely = "adjust",
    population: Floats | None = None,
    calibrated: CalibratedDesign | None = None,
    domain: DomainDesign | None = None,
) -> Sample:
    """Keep the respondents with an outcome and all regressors, and check what is left.

    Parameters
    ----------
    outcome, indexes, controls, weights, cluster
        One value for each respondent offered.
    label
        What the outcome is called.
    cut
        The outcome is ordered answers, and those from here on count as repurchase.
    formula
        How indexes and columns make the design, instead of controls.
    complete
        Further columns that a respondent must have to be kept.
    strata, lonely, population
        Stratum of each respondent offered, how one of a single unit is treated, and how many units
        it has in the population.
    calibrated
        The units of all respondents whose weights meet margins together, those offered among them.
    domain
        The units of all respondents that those offered are a part of.

    Raises
    ------
    EstimationError
        When too few rows are left, the outcome or a regressor does not vary, or regressors
        carry the same information.
    """
    columns = {**indexes, **controls}
    require_apart(indexes, controls)
    gaps = {} if formula is None else formula.missing
    needed = {**columns, **{name: np.where(gap, np.nan, 0.0) for name, gap in gaps.items()}}
    needed |= {} if complete is None else complete
    table = np.column_stack(list(needed.values()))
    whole = np.isfinite(outcome) & np.isfinite(table).all(axis=1)
    if weights is not None:
        whole &= weights > 0
    rows = np.flatnonzero(whole)
    require_enough(len(rows), tuple(needed), label)
    ordering = None if cut is None else Ordering.of(outcome[rows], cut)
    sample = Sample(
        outcome=outcome[rows] if ordering is None else ordering.reached,
        regressors=table[rows][:, : len(columns)],
        names=tuple(columns),
        indexes=tuple(indexes),
        label=label,
        rows=rows,
        weights=None if weights is None else weights[rows] / weights[rows].mean(),
        cluster=None if cluster is None else np.unique(cluster[rows], return_inverse=True)[1],
        findings=_left_out(whole, {label: outcome, **needed}, weights),
        ordering=ordering,
        strata=None if strata is None else np.unique(strata[rows], return_inverse=True)[1],
        lonely=lonely,
        population=None if population is None else population[rows],
        calibrated=None if calibrated is None else calibrated.part(rows),
        domain=None if domain is None else domain.part(rows),
    )
    if formula is not None:
        built = formula.build(rows, sample.regressors)
        sample = replace(
            sample,
            regressors=built.columns,
            names=built.names,
            formula_layout=built.layout,
            formula_factors=built.factors,
            findings=(*sample.findings, *formula.thin(rows, FEW_ALIKE)),
        )
        require_enough(len(rows), built.names, label)
    require_sound(sample)
    return sample


def require_sound(sample: Sample) -> None:
    """Refuse an outcome or regressors that do not vary, or regressors that are tied.

    Raises
    ------
    EstimationError
        Naming them.
    """
    _require_two_outcomes(sample)
    _require_variation(sample)


def require_apart(indexes: Iterable[str], controls: Iterable[str]) -> None:
    """Refuse regressors of the same name, or that of the constant.

    Raises
    ------
    OptionError
        Naming it.
    """
    if "const" in indexes:
        raise OptionError(
            "The index 'const' has the name of the regression's constant; give the construct, or "
            "the column of points, another name."
        )
    repeated = [name for name in controls if name in indexes or name == "const"]
    if repeated:
        raise OptionError(
            f"The control {repeated[0]!r} has the name of another regressor; rename the column."
        )


def _left_out(
    whole: NDArray[np.bool_], columns: Mapping[str, Floats], weights: Floats | None
) -> tuple[Finding, ...]:
    counted = np.ones(len(whole), dtype=bool) if weights is None else weights > 0
    gaps = {name: int((counted & ~np.isfinite(own)).sum()) for name, own in columns.items()}
    gaps["weight"] = int((~counted).sum())
    return left_out(int((~whole).sum()), len(whole), gaps)


def left_out(dropped: int, total: int, gaps: Mapping[str, int]) -> tuple[Finding, ...]:
    """Return the finding that counts respondents left out, by what they lack."""
    if not dropped:
        return ()
    gaps = {name: count for name, count in gaps.items() if count}
    columns_told = tuple(f"{name} ({count})" for name, count in gaps.items())
    sentence = (
        "{count} of {total} respondents {count:was|were} left out of the regression because a "
        "value is missing: {columns}."
    )
    if "weight" in gaps:
        sentence = (
            "{count} of {total} respondents {count:was|were} left out of the regression because "
            "a value is missing or a weight zero: {columns}."
        )
    severity: Severity = "note" if dropped < 0.5 * total else "warning"
    return (
        Finding(
            "rows-left-out",
            sentence,
            tuple(gaps),
            severity,
            dropped,
            values={"count": dropped, "total": total, "columns": columns_told},
        ),
    )


def require_enough(rows: int, names: tuple[str, ...], label: str) -> None:
    """Refuse a regression of fewer rows than coefficients and two."""
    needed = len(names) + 3
    if rows < needed:
        raise EstimationError(
            f"Only {rows} respondents have both {label!r} and {listed(map(repr, names))}, and "
            f"this regression needs at least {needed}; look for missing values or use fewer "
            "regressors."
        )


def _require_two_outcomes(sample: Sample) -> None:
    y, label = sample.outcome, sample.label
    if np.ptp(y) > 0:
        return
    if sample.ordering is not None and len(sample.ordering.categories) > 1:
        raise EstimationError(
            f"{'All' if y[0] else 'None of'} the {sample.n} respondents used answered {label!r} at "
            "or above the lowest answer that counts as repurchase; give another one as cut=, "
            f"above {sample.ordering.categories[0]:g} and up to "
            f"{sample.ordering.categories[-1]:g}."
        )
    seen = (
        f"{y[0]:g} on 0 to 1" if sample.ordering is None else f"{sample.ordering.categories[0]:g}"
    )
    raise EstimationError(
        f"Outcome {label!r} is the same for all {sample.n} respondents used ({seen}), so nothing "
        "can be explained; choose an outcome that differs between customers."
    )


def _require_variation(sample: Sample) -> None:
    x, names = sample.regressors, sample.names
    spread = x.std(axis=0)
    still = [
        name for name, s, m in zip(names, spread, np.abs(x).max(axis=0), strict=True)
        if s <= 1e-12 * max(m, 1.0)
    ]  # fmt: skip
    if still:
        raise EstimationError(
            f"Regressor {listed(map(repr, still))} does not vary over the {sample.n} respondents "
            "used, so it has no slope; leave it out."
        )
    require_independent((x - x.mean(axis=0)) / spread, names)
