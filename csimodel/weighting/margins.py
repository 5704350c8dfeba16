"""What is known of the population: the sizes of its groups, or the totals of a number."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError
from csimodel.findings import listed
from csimodel.options import number_of, shown
from csimodel.survey import Survey
from csimodel.survey.checks import labels_of, number, numeric_block, plural
from csimodel.survey.headers import require_column

Floats = NDArray[np.float64]
Margins = Mapping[Any, Any]  # held to its form here, which says more than an annotation could

_ROUNDED = 0.01  # distance from 1 of the sum of shares that may be rounding
_AGREEMENT = 1e-6  # relative difference of the sums of two margins that is rounding


@dataclass(frozen=True, eq=False)
class KnownTotals:
    """Totals of the population, and what each respondent adds to them.

    Attributes
    ----------
    names
        A name for each total, such as ``"region = north"``.
    columns
        Columns of the survey that they are of.
    known
        What each respondent adds, (rows, totals).
    totals
        In the population, (totals,).
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    known: Floats
    totals: Floats


def known_totals(
    survey: Survey, margins: object, used: NDArray[np.bool_], base: Floats, numbers: bool = False
) -> KnownTotals:
    """Return what `margins` say of the population.

    Parameters
    ----------
    survey
        With the columns that the margins name.
    margins
        By column, or by several columns in a tuple, a mapping from category to its size in the
        population: counts that have the same sum in all of them, or shares of 1 (or 100). A
        number instead of a mapping is the total of a column of numbers, where `numbers` are
        allowed.
    used
        Respondents with a weight, (rows,).
    base
        Their weights, 0 for others, (rows,).

    Raises
    ------
    OptionError
        When `margins` have another form, a size is no number, or sums differ.
    SurveyError
        When a column is not there, has missing cells, holds a category that the margins do not
        cover, or lacks one that they have.
    """
    if not isinstance(margins, Mapping) or not margins:
        raise OptionError(
            f"margins={shown(margins)} must be a dict from column to the sizes of its categories, "
            "such as {'region': {'north': 400, 'south': 600}}."
        )
    weight = float(base.sum())
    names: list[str] = []
    columns: list[str] = []
    known: list[Floats] = []
    totals: list[float] = []
    sums: dict[str, float] = {}
    plain: list[tuple[str, float]] = []
    for key, sizes in margins.items():
        own = tuple(key) if isinstance(key, tuple) else (key,)
        own = tuple(require_column(survey.data, name, "margins") for name in own)
        columns += [name for name in own if name not in columns]
        title = " × ".join(own)
        if numbers and number_of(sizes) is not None:
            if not np.isfinite(float(sizes)):
                raise OptionError(
                    f"margins has {shown(sizes)} for {title!r}; the total of a column of numbers "
                    "is a finite number."
                )
            values = numeric_block(survey.data, own)[0]
            _require_known(np.isnan(values).any(axis=1) & used, title)
            names.append(title)
            known.append(values.sum(axis=1))
            plain.append((title, float(sizes)))
            totals.append(float(sizes))
            continue
        margin = _sizes(sizes, title, numbers)
        sums[title] = float(sum(margin.values()))
        codes = _codes(survey, own, margin, used, title)
        for place, (category, size) in enumerate(margin.items()):
            names.append(f"{title} = {_label(category)}")
            known.append((codes == place).astype(np.float64))
            totals.append(size / sums[title])
    whole = _whole(sums, weight, plain)
    scale = [1.0 if name in dict(plain) else whole for name in names]
    return KnownTotals(
        tuple(names),
        tuple(columns),
        np.column_stack(known),
        np.array(totals) * np.array(scale),
    )


def _sizes(sizes: object, title: str, numbers: bool) -> dict[Hashable, float]:
    """Return the size of each category of a margin."""
    if isinstance(sizes, pd.Series):
        if not sizes.index.is_unique:
            twice = sizes.index[sizes.index.duplicated()][0]
            raise OptionError(
                f"margins has {_label(twice)!r} of {title!r} more than once; give each category "
                "one size."
            )
        sizes = sizes.to_dict()
    if not isinstance(sizes, Mapping) or not sizes:
        also = ", or the total of its numbers" if numbers else ""
        raise OptionError(
            f"margins has {shown(sizes)} for {title!r}; give the size of each of its categories in "
            f"the population as a dict or Series{also}."
        )
    margin: dict[Hashable, float] = {}
    for category, size in sizes.items():
        value = number_of(size)
        if value is None or not np.isfinite(value) or value < 0:
            raise OptionError(
                f"margins has {shown(size)} for {_label(category)!r} of {title!r}; sizes are "
                "counts or shares, none below 0."
            )
        if value > 0:
            margin[category] = value
    if not margin:
        raise OptionError(f"All categories of {title!r} in margins have the size 0; give counts.")
    total = sum(margin.values())
    if max(margin.values()) < 1.0 and abs(total - 1.0) > _ROUNDED:
        raise OptionError(
            f"The shares of {title!r} in margins sum to {number(total)}; give shares that sum to 1 "
            "or 100, or counts."
        )
    return margin


def _whole(sums: dict[str, float], weight: float, plain: list[tuple[str, float]]) -> float:
    """Return the size of the population: the sum of counts, or of the weights for shares."""
    if not sums:
        return weight
    share = {
        title: any(abs(total - whole) <= _AGREEMENT * whole for whole in (1.0, 100.0))
        for title, total in sums.items()
    }
    counts = {title: total for title, total in sums.items() if not share[title]}
    if counts and len(counts) < len(sums):
        first, second = next(iter(counts)), next(t for t in sums if t not in counts)
        raise OptionError(
            f"margins gives counts for {first!r} (sum {number(counts[first])}) and shares for "
            f"{second!r} (sum {number(sums[second])}); give counts of all, or shares of all."
        )
    if not counts:
        return weight
    first = next(iter(counts))
    whole = counts[first]
    for title, total in counts.items():
        if abs(total - whole) > _AGREEMENT * whole:
            raise OptionError(
                f"The sizes of {first!r} in margins sum to {number(whole)} and those of {title!r} "
                f"to {number(total)}; both are the whole population, so they must have one sum "
                "(or give shares)."
            )
    return whole


def _codes(
    survey: Survey,
    columns: tuple[str, ...],
    margin: dict[Hashable, float],
    used: NDArray[np.bool_],
    title: str,
) -> NDArray[np.intp]:
    """Return the category of each respondent by its place in the margin, -1 for those unused."""
    cells = survey.data[list(columns)]
    _require_known(cells.isna().any(axis=1).to_numpy() & used, title)
    labels = [survey.value_labels.get(column, {}) for column in columns]
    places: dict[Hashable, int] = {}
    for place, category in enumerate(margin):
        parts = category if isinstance(category, tuple) else (category,)
        if len(parts) != len(columns):
            raise OptionError(
                f"margins has the category {_label(category)!r} for {title!r}; it needs "
                f"{len(columns)} {plural(len(columns), 'part')}, one for each column."
            )
        known = tuple(map(_key, parts))
        if known in places:
            raise OptionError(
                f"margins has {_label(category)!r} of {title!r} more than once; give each category "
                "one size."
            )
        places[known] = place
    codes = np.full(len(cells), -1, dtype=np.intp)
    strange: dict[str, int] = {}
    for column in columns:
        labels_of(cells.loc[used, column], f"Column {column!r}, named in margins,", sort=False)
    groups = cells[used].groupby(list(columns), sort=False, observed=True).indices
    rows = np.flatnonzero(used)
    for value, own in groups.items():
        parts = value if isinstance(value, tuple) else (value,)
        by_label = tuple(
            _key(label.get(part, part)) for label, part in zip(labels, parts, strict=True)
        )
        place = places.get(tuple(map(_key, parts)), places.get(by_label, -1))
        if place < 0:
            strange[_label(value)] = len(own)
        codes[rows[own]] = place
    if strange:
        raise SurveyError(
            f"margins does not cover {listed(map(repr, strange))} of {title!r} "
            f"({sum(strange.values())} respondents); give every category its size, or join "
            "categories first."
        )
    empty = [_label(c) for k, c in enumerate(margin) if not (codes == k).any()]
    if empty:
        raise SurveyError(
            f"No respondent is in {listed(map(repr, empty))} of {title!r}, so its size in the "
            "population cannot be met; join it with a similar category."
        )
    return codes


def _require_known(missing: NDArray[np.bool_], title: str) -> None:
    lost = int(missing.sum())
    if lost:
        raise SurveyError(
            f"{title!r} is missing for {lost} {plural(lost, 'respondent')} (first in row "
            f"{int(np.flatnonzero(missing)[0]) + 1}); a margin needs it of all, so fill it in, "
            "give those rows a category of their own, or drop them."
        )


def _key(part: object) -> object:
    """Return a category in the form in which categories are compared: numbers by their value."""
    value = number_of(part)
    if value is None and isinstance(part, str):
        try:
            value = float(part)
        except ValueError:
            return part
    return part if value is None or isinstance(part, bool) else value


def _label(category: object) -> str:
    if isinstance(category, tuple):
        return " × ".join(map(_label, category))
    return str(category.item() if isinstance(category, np.generic) else category)
