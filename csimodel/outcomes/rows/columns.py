"""Columns of a survey → numbers, or a sentence that says what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import OptionError, SurveyError
from csimodel.findings import Finding, listed, tell
from csimodel.options import number_of
from csimodel.outcomes.kernels.families import Family
from csimodel.survey.checks import labels_of
from csimodel.survey.codes import declaration, distant_codes, distant_levels, levels_of

Floats = NDArray[np.float64]
Ends = tuple[float, float]  # of answers; `require_ends` says what is wrong with them


def numbers(values: pd.Series, what: str, name: str) -> Floats:
    """Return a column as numbers, or say which text stands in it.

    Raises
    ------
    SurveyError
        When the column holds text, dates or infinities, or nothing at all.
    """
    kind = values.dtype
    if pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
        array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        cells = values.astype(object)
        converted = pd.to_numeric(cells, errors="coerce")
        dated = getattr(kind, "kind", "") in "mM"
        bad = np.flatnonzero(cells.notna().to_numpy() & (dated | converted.isna().to_numpy()))
        if len(bad):
            way_out = (
                "turn categories into columns of 0 and 1, as pandas.get_dummies does"
                if what == "Control"
                else "recode it, or give a column of numbers"
            )
            raise SurveyError(
                f"{what} {name!r} holds {str(cells.iloc[bad[0]])!r} in row {bad[0] + 1} "
                f"({len(bad)} such cells) where numbers are needed; {way_out}."
            )
        array = converted.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(array).any():
        raise SurveyError(
            f"{what} {name!r} holds {int(np.isinf(array).sum())} infinite values; "
            "make such cells empty or mend them."
        )
    require_some(array, what, name)
    if what == "Control":
        _tell_codes(array, name)
    return np.asarray(array, dtype=np.float64)


def require_some(values: Floats, what: str, name: str) -> None:
    """Refuse a column that is missing everywhere.

    Raises
    ------
    SurveyError
        Counting the respondents.
    """
    if np.isnan(values).all():
        raise SurveyError(
            f"{what} {name!r} is missing for all {len(values)} respondents; choose another column."
        )


def _tell_codes(values: Floats, name: str) -> None:
    about_codes(*levels_of(values), name)


def about_codes(levels: Floats, times: NDArray[np.intp], name: str) -> None:
    """Tell of values of a control, and how often each occurs, that look like codes."""
    codes = distant_levels(levels, times)
    if codes:
        template = (
            "Control {name} holds {codes} far from its other values, which count as numbers; if "
            "that means 'no answer', declare it with {way_out}."
        )
        shown = tuple(f"{code:g}" for code in codes)
        fields = {"name": name, "codes": shown, "way_out": declaration(name, codes)}
        count = int(times[np.isin(levels, codes)].sum())
        tell(Finding("suspected-missing-codes", template, (name,), "warning", count, fields))


def rescaled(
    values: Floats, name: str, family: Family, scale: tuple[float, float] | None
) -> Floats:
    """Put an outcome on 0 to 1: ``(x - min)/(max - min)``; 0/1 answers need no scale.

    Raises
    ------
    SurveyError
        When the scale is unknown, an answer lies outside it, or a family of yes and no gets
        other answers.
    OptionError
        When the scale is no pair of numbers in rising order.
    """
    seen = np.unique(values[np.isfinite(values)])
    if scale is None:
        require_no_codes(values, name)
        if not np.isin(seen, (0.0, 1.0)).all():
            raise SurveyError(
                f"The scale of outcome {name!r} is unknown (values from {seen[0]:g} to "
                f"{seen[-1]:g} were seen); give its own lowest and highest answer, such as (1, 10)."
            )
        scale = (0.0, 1.0)
    low, high = require_on_scale(values, name, scale)
    shares = (values - low) / (high - low)
    if family.outcome == "binary" and not np.isin(shares[np.isfinite(shares)], (0.0, 1.0)).all():
        raise SurveyError(
            f"family={family.name!r} needs an outcome of 0 and 1, but {name!r} holds "
            f"{len(seen)} different values from {seen[0]:g} to {seen[-1]:g}; use "
            f"family='fractional-logit', or an outcome such as survey.data[{name!r}] "
            + (f"== {seen[0]:g} for who buys." if len(seen) == 2 else f">= {_upper_part(seen):g}.")
        )
    return np.asarray(shares)


def require_no_codes(values: Floats, name: str) -> None:
    """Refuse an outcome without a scale that holds what look like codes for no answer.

    Raises
    ------
    SurveyError
        Naming the codes, and how to declare them or the scale.
    """
    codes = distant_codes(values)
    if codes:
        shown = listed(f"{code:g}" for code in codes)
        raise SurveyError(
            f"Outcome {name!r} holds {shown} far from its other answers, "
            f"{int(np.isin(values, codes).sum())} times; if that means 'no answer', declare it "
            f"with {declaration(name, codes)}, and if it is an answer, give the lowest and the "
            "highest answer, such as scale=(1, 10)."
        )


def require_on_scale(values: Floats, name: str, scale: tuple[float, float]) -> tuple[float, float]:
    """Return a scale's ends, or say which answers lie outside them.

    Raises
    ------
    SurveyError
        When an answer lies outside the scale.
    OptionError
        When the scale is no pair of numbers in rising order.
    """
    low, high = require_ends(scale)
    outside = values[(values < low) | (values > high)]
    if len(outside):
        codes = distant_codes(values)
        ending = f" with {declaration(name, codes)}" if codes else ""
        raise SurveyError(
            f"Outcome {name!r} holds {len(outside)} values outside its scale {low:g} to {high:g} "
            f"(the first is {outside[0]:g}); give its own lowest and highest answer, or declare "
            f"missing codes{ending}."
        )
    return low, high


def require_ends(scale: Sequence[float]) -> tuple[float, float]:
    """Return the lowest and the highest answer.

    Raises
    ------
    OptionError
        For anything but two numbers in rising order.
    """
    listed_ends = list(scale) if isinstance(scale, list | tuple | np.ndarray) else []
    ends = [number_of(bound) for bound in listed_ends]
    low, high = (np.nan if end is None else end for end in (ends if len(ends) == 2 else [None] * 2))
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
    try:
        array = np.asarray(values)
    except ValueError:
        raise SurveyError(
            f"{what} has rows of different lengths; give one value for each respondent."
        ) from None
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
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    codes, _ = labels_of(column, what, sort=False)
    if (codes < 0).any():
        raise SurveyError(
            f"{what} has {int((codes < 0).sum())} missing cells; fill them or drop those rows."
        )
    return np.asarray(codes, dtype=np.intp)
