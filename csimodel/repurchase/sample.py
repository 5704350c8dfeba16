"""Columns of a survey → the rows of a regression, as arrays, checked and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import EstimationError, OptionError, SurveyError
from csimodel.findings import Finding, listed
from csimodel.repurchase.families import Family

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """Hold the respondents of a regression.

    Attributes
    ----------
    outcome
        From 0 to 1, (rows,).
    regressors
        Indexes in points from 0 to 100, then controls in their own units, (rows, regressors).
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
        Rows left out, counted.
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

    @property
    def n(self) -> int:
        """Number of respondents."""
        return len(self.outcome)

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        return ("const", *self.names)

    @property
    def share(self) -> Floats:
        """How much each respondent counts in an average, summing to 1, (rows,)."""
        weights = np.ones(self.n) if self.weights is None else self.weights
        return np.asarray(weights / weights.sum())


def sample_of(
    outcome: Floats,
    indexes: Mapping[str, Floats],
    controls: Mapping[str, Floats],
    *,
    label: str,
    weights: Floats | None,
    cluster: NDArray[np.intp] | None,
) -> Sample:
    """Keep the respondents with an outcome and all regressors, and check what is left.

    Raises
    ------
    EstimationError
        When too few rows are left, the outcome or a regressor does not vary, or regressors
        carry the same information.
    """
    columns = {**indexes, **controls}
    repeated = [name for name in controls if name in indexes or name == "const"]
    if repeated:
        raise OptionError(
            f"The control {repeated[0]!r} has the name of another regressor; rename the column."
        )
    table = np.column_stack(list(columns.values()))
    whole = np.isfinite(outcome) & np.isfinite(table).all(axis=1)
    if weights is not None:
        whole &= weights > 0
    rows = np.flatnonzero(whole)
    findings = _left_out(whole, {label: outcome, **columns}, weights)
    y, x = outcome[rows], table[rows]
    _require_enough(len(rows), tuple(columns), label)
    _require_variation(y, x, tuple(columns), label)
    return Sample(
        outcome=y,
        regressors=x,
        names=tuple(columns),
        indexes=tuple(indexes),
        label=label,
        rows=rows,
        weights=None if weights is None else weights[rows] / weights[rows].mean(),
        cluster=None if cluster is None else np.unique(cluster[rows], return_inverse=True)[1],
        findings=findings,
    )


def _left_out(
    whole: NDArray[np.bool_], columns: Mapping[str, Floats], weights: Floats | None
) -> tuple[Finding, ...]:
    dropped = int((~whole).sum())
    if not dropped:
        return ()
    gaps = {name: int((~np.isfinite(values)).sum()) for name, values in columns.items()}
    if weights is not None:
        gaps["weight"] = int((~(weights > 0)).sum())
    gaps = {name: count for name, count in gaps.items() if count}
    told = listed(f"{name} ({count})" for name, count in gaps.items())
    message = (
        f"{dropped} of {len(whole)} respondents were left out of the regression because a value "
        f"is missing: {told}."
    )
    severity = "note" if dropped < 0.5 * len(whole) else "warning"
    return (Finding("rows-left-out", message, tuple(gaps), severity, dropped),)


def _require_enough(rows: int, names: tuple[str, ...], label: str) -> None:
    needed = len(names) + 3
    if rows < needed:
        raise EstimationError(
            f"Only {rows} respondents have both {label!r} and {listed(map(repr, names))}, and "
            f"this regression needs at least {needed}; look for missing values or use fewer "
            "regressors."
        )


def _require_variation(y: Floats, x: Floats, names: tuple[str, ...], label: str) -> None:
    if np.ptp(y) <= 0:
        raise EstimationError(
            f"Outcome {label!r} is the same for all {len(y)} respondents used ({y[0]:g} on 0 to 1), "
            "so nothing can be explained; choose an outcome that differs between customers."
        )
    spread = x.std(axis=0)
    still = [
        name for name, s, m in zip(names, spread, np.abs(x).max(axis=0), strict=True)
        if s <= 1e-12 * max(m, 1.0)
    ]  # fmt: skip
    if still:
        raise EstimationError(
            f"Regressor {listed(map(repr, still))} does not vary over the {len(y)} respondents "
            "used, so it has no slope; leave it out."
        )
    standard = (x - x.mean(axis=0)) / spread
    _, size, directions = np.linalg.svd(standard, full_matrices=False)
    if size[-1] < 1e-9 * size[0]:
        tied = [name for name, d in zip(names, directions[-1], strict=True) if abs(d) > 1e-5]
        raise EstimationError(
            f"Regressors {listed(map(repr, tied))} are tied by an exact formula, so their slopes "
            "cannot be told apart; leave one out."
        )


def numbers(values: pd.Series, what: str, name: str, way_out: str) -> Floats:
    """Return a column as numbers, or say which text stands in it.

    Raises
    ------
    SurveyError
        When the column holds text, dates or infinities, or nothing at all.
    """
    kind = values.dtype
    if pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
        found = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        cells = values.astype(object)
        converted = pd.to_numeric(cells, errors="coerce")
        dated = getattr(kind, "kind", "") in "mM"
        bad = np.flatnonzero(cells.notna().to_numpy() & (dated | converted.isna().to_numpy()))
        if len(bad):
            raise SurveyError(
                f"{what} {name!r} holds {str(cells.iloc[bad[0]])!r} in row {bad[0] + 1} "
                f"({len(bad)} such cells) where numbers are needed; {way_out}."
            )
        found = converted.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(found).any():
        raise SurveyError(
            f"{what} {name!r} holds {int(np.isinf(found).sum())} infinite values; "
            "make such cells empty or mend them."
        )
    if np.isnan(found).all():
        raise SurveyError(
            f"{what} {name!r} is missing for all {len(found)} respondents; choose another column."
        )
    return np.asarray(found, dtype=np.float64)


def rescaled(
    values: Floats, name: str, family: Family, scale: tuple[float, float] | None
) -> Floats:
    """Put an outcome on 0 to 1: ``(x - min)/(max - min)``; 0/1 answers need no scale.

    Raises
    ------
    SurveyError
        When the scale is unknown, an answer lies outside it, or a logit gets more than 0 and 1.
    OptionError
        When the scale is no pair of numbers in rising order.
    """
    seen = np.unique(values[np.isfinite(values)])
    if scale is None:
        if not np.isin(seen, (0.0, 1.0)).all():
            raise SurveyError(
                f"The scale of outcome {name!r} is unknown (values from {seen[0]:g} to "
                f"{seen[-1]:g} were seen); give its lowest and highest answer, as in scale=(1, 10)."
            )
        scale = (0.0, 1.0)
    low, high = _pair(scale)
    outside = values[(values < low) | (values > high)]
    if len(outside):
        raise SurveyError(
            f"Outcome {name!r} holds {len(outside)} values outside its scale {low:g} to {high:g} "
            f"(the first is {outside[0]:g}); correct scale= or make missing codes empty."
        )
    found = (values - low) / (high - low)
    if family.outcome == "binary" and not np.isin(found[np.isfinite(found)], (0.0, 1.0)).all():
        raise SurveyError(
            f"family={family.name!r} needs an outcome of 0 and 1, but {name!r} holds "
            f"{len(seen)} different values from {seen[0]:g} to {seen[-1]:g}; use "
            "family='fractional-logit', or an outcome such as survey.data"
            f"[{name!r}] >= {_upper_part(seen):g}."
        )
    return np.asarray(found)


def _pair(scale: Sequence[float]) -> tuple[float, float]:
    try:
        low, high = (float(bound) for bound in scale)
    except (TypeError, ValueError):
        low = high = np.nan
    if not (np.isfinite([low, high]).all() and low < high):
        raise OptionError(
            f"scale={scale!r} is not a lowest and a highest answer; write for example (1, 10)."
        )
    return low, high


def _upper_part(seen: Floats) -> float:
    return float(seen[min(len(seen) - 1, int(0.7 * len(seen)))])


def aligned(values: object, labels: pd.Index, what: str) -> pd.Series:
    """Return a Series or an array as a Series with these row labels.

    A Series must have the same labels, in any order; an array the same length.

    Raises
    ------
    SurveyError
        When the rows do not match.
    """
    if isinstance(values, pd.Series):
        if values.index.equals(labels):
            return values
        if values.index.is_unique and labels.is_unique and len(values) == len(labels):
            place = values.index.get_indexer(labels)
            if (place >= 0).all():
                return values.iloc[place]
        raise SurveyError(
            f"{what} has {len(values)} rows whose labels are not those of the {len(labels)} rows "
            "it should go with; take it from the same data frame."
        )
    array = np.asarray(values)
    if array.shape != (len(labels),):
        raise SurveyError(
            f"{what} has the shape {array.shape}, but there are {len(labels)} respondents; give "
            "one value for each."
        )
    return pd.Series(array, labels)


def name_of(values: object, otherwise: str) -> str:
    """Return the name of a Series, or another."""
    name = getattr(values, "name", None)
    return otherwise if name is None else str(name)


def codes_of(values: ArrayLike | pd.Series, what: str) -> NDArray[np.intp]:
    """Return codes 0, 1, … of the labels of a column.

    Raises
    ------
    SurveyError
        When a label is missing.
    """
    codes, _ = pd.factorize(values if isinstance(values, pd.Series) else pd.Series(values))
    if (codes < 0).any():
        raise SurveyError(
            f"{what} has {int((codes < 0).sum())} missing cells; fill them or drop those rows."
        )
    return np.asarray(codes, dtype=np.intp)
