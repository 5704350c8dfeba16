"""Checks at the boundary: whole blocks first, column by column only to name a culprit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import SurveyError, suggest
from csimodel.findings import Finding, listed
from csimodel.survey.headers import column_of, place_of


def counted(names: Iterable[str], counts: Iterable[int]) -> str:
    """Name columns with a count each.

    >>> counted(["q1", "q2"], [3, 1])
    'q1 (3) and q2 (1)'
    """
    return listed(f"{name} ({count})" for name, count in zip(names, counts, strict=True))


def number(value: float) -> str:
    """Write a number as people do: 7, not 7.0.

    >>> number(7.0), number(7.25)
    ('7', '7.25')
    """
    return f"{value:.12g}"


def require_table(frame: pd.DataFrame, source: str) -> None:
    """Refuse a table without rows or columns."""
    where = place_of(source)
    if frame.shape[1] == 0:
        raise SurveyError(f"{where} has no columns; give one column per item.")
    if frame.shape[0] == 0:
        raise SurveyError(f"{where} has no rows; give one row per respondent.")


def columns_of_items(frame: pd.DataFrame, construct_of: Mapping[str, str]) -> list[str]:
    """Return the column of each item of a model, or refuse the one that is no column.

    Raises
    ------
    SurveyError
        Naming the item, its construct and the nearest spelling.
    """
    known = set(frame.columns)
    columns = []
    for item, construct in construct_of.items():
        column = item if item in known else column_of(known, item)
        if column is None:
            names = [
                *frame.columns.tolist(),
                *(name for name in set(construct_of.values()) if name != item),
            ]
            if item == construct:
                raise SurveyError(
                    f"{item!r} has no items in the model and is not a column of the data"
                    f"{suggest(item, names)}; give it items with =~, or name a column."
                )
            ending = suggest(item, frame.columns.tolist()) + "."
            raise SurveyError(
                f"Item {item!r} of construct {construct!r} is not a column of the data{ending}"
            )
        columns.append(column)
    return columns


def numeric_block(
    frame: pd.DataFrame, items: Sequence[str]
) -> tuple[np.ndarray, tuple[Finding, ...]]:
    """Return columns as an own float64 copy (rows, items); findings name text converted.

    Raises
    ------
    SurveyError
        When a column holds text, dates or complex numbers; the first such value is named.
    """
    kinds = frame.dtypes.to_numpy()
    if len(set(kinds)) == 1 and _is_plain(kinds[0]):
        return _columns_of_one_kind(frame, items), ()
    values = np.empty((len(items), len(frame)))
    from_text = []
    for row, item in enumerate(items):
        column = frame[item]
        if _is_plain(column.dtype):
            values[row] = column.to_numpy()
            continue
        values[row], was_text = column_values(column)
        if was_text:
            from_text.append(item)
    return values.T, text_numbers(from_text)


def text_numbers(names: Sequence[str]) -> tuple[Finding, ...]:
    """Return a finding that names the columns whose text was read as numbers, if there are any."""
    if not names:
        return ()
    template = "Numbers stored as text were read as numbers in {columns}."
    values = {"columns": tuple(names)}
    return (Finding("text-numbers", template, tuple(names), "note", len(names), values),)


def _is_plain(dtype: object) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "fiub"


def _columns_of_one_kind(frame: pd.DataFrame, items: Sequence[str]) -> np.ndarray:
    """Return a copy of columns of a frame with one NumPy dtype.

    The frame's values are one array here, so columns are picked in NumPy: picking them in
    pandas costs several times the rest of the checks on a survey of usual size.
    """
    place = {name: position for position, name in enumerate(frame.columns.tolist())}
    places = [place[item] for item in items]
    if places == list(range(frame.shape[1])):
        return frame.to_numpy(dtype=np.float64, copy=True)
    by_column = frame.to_numpy().T
    values = np.empty((len(places), by_column.shape[1]))
    for row, position in enumerate(places):
        values[row] = by_column[position]
    return values.T


def column_values(column: pd.Series) -> tuple[np.ndarray, bool]:
    """Return one column as float64, and whether numbers stored as text were converted."""
    dtype = column.dtype
    if getattr(dtype, "kind", "") in "cmM":
        raise SurveyError(
            f"Column {column.name!r} holds {dtype} values; numbers are needed here, "
            "so leave the column out or recode it."
        )
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan), False
    cells = column.astype(object)
    try:
        numbers = pd.to_numeric(cells, errors="coerce")
        if numbers.dtype.kind == "c":
            raise TypeError("they are complex")
        numbers = numbers.astype(np.float64)
    except (OverflowError, TypeError) as error:
        raise SurveyError(
            f"Column {column.name!r} holds values that cannot be turned into numbers ({error}); "
            "leave the column out or recode it."
        ) from error
    bad = np.flatnonzero(numbers.isna().to_numpy() & cells.notna().to_numpy())
    if len(bad):
        raise SurveyError(
            f"Column {column.name!r} holds the text {str(cells.iloc[bad[0]])!r} in row "
            f"{bad[0] + 1} ({len(bad)} such {plural(len(bad), 'cell')}); numbers are needed here, "
            "so recode the text or make the cells empty."
        )
    was_text = any(isinstance(cell, str) for cell in cells)
    return numbers.to_numpy(), was_text


def labels_of(
    column: pd.Series, what: str, *, sort: bool = True
) -> tuple[NDArray[np.intp], pd.Index]:
    """Return each row's code, -1 where missing, and the labels.

    Raises
    ------
    SurveyError
        When cells are no labels, such as lists.

    Examples
    --------
    >>> labels_of(pd.Series(["b", "a", None]), "by")[0]
    array([ 1,  0, -1])
    >>> labels_of(pd.Series([["a"], ["b"]]), "by")
    Traceback (most recent call last):
    csimodel.errors.SurveyError: by holds cells of kind list, which are no labels; give text or
    numbers.
    """
    try:
        codes, labels = pd.factorize(column, sort=sort)
    except TypeError:
        kinds = sorted({type(cell).__name__ for cell in column.dropna()})
        raise SurveyError(
            f"{what} holds cells of kind {' and '.join(kinds)}, which are no labels; give text or "
            "numbers."
        ) from None
    return np.asarray(codes, dtype=np.intp), pd.Index(labels)


def holds_numbers(column: pd.Series) -> bool:
    """Return whether a column can be taken as answers: by the test that answers themselves pass.

    >>> holds_numbers(pd.Series(["1", "99"])), holds_numbers(pd.Series(["a", "b"]))
    (True, False)
    """
    if _is_plain(column.dtype):
        return True
    try:
        column_values(column.head(100))  # words show here already, in a table of any length
        column_values(column)
    except SurveyError:
        return False
    return True


def plural(count: int, word: str) -> str:
    """Return `word` with an s unless `count` is one.

    >>> plural(1, "cell"), plural(2, "cell")
    ('cell', 'cells')
    """
    return word if count == 1 else word + "s"


def extremes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return the smallest and largest answer per item, (items,), and whether any is missing.

    The extremes are NaN only for an item that nobody answered.
    """
    if len(values) == 0:
        nothing = np.full(values.shape[1], np.nan)
        return nothing, nothing, False
    with np.errstate(invalid="ignore"):
        low, high = values.min(axis=0), values.max(axis=0)
        gaps = bool(np.isnan(low).any())
        if gaps:
            low, high = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
    return low, high, gaps


def require_answers(
    values: np.ndarray, items: Sequence[str], low: np.ndarray, high: np.ndarray
) -> None:
    """Refuse columns whose cells are all missing, and tables with no usable row."""
    if len(values) == 0:
        raise SurveyError(
            "No row is left after dropping rows with missing items or without a weight; "
            "choose another missing= policy, such as 'pairwise', or mend the data."
        )
    empty = [item for item, value in zip(items, low, strict=True) if np.isnan(value)]
    if empty:
        raise SurveyError(
            f"{_columns(empty)} all {len(values)} cells missing; "
            "leave the item out of the model or mend the data."
        )


def require_finite(
    values: np.ndarray,
    items: Sequence[str],
    low: np.ndarray,
    high: np.ndarray,
    kept: np.ndarray | None,
) -> None:
    """Refuse infinities, naming the column and the first row; `kept` are the rows' positions."""
    wrong = np.isinf(low) | np.isinf(high)
    if not wrong.any():
        return
    position = int(np.flatnonzero(wrong)[0])
    rows = np.flatnonzero(np.isinf(values[:, position]))
    first = rows[0] if kept is None else kept[rows[0]]
    raise infinite_answers(items[position], len(rows), int(first))


def infinite_answers(name: str, count: int, row: int) -> SurveyError:
    """Return the refusal of infinite answers to an item, with the place of the first."""
    return SurveyError(
        f"Column {name!r} holds {count} infinite {plural(count, 'value')} "
        f"(first in row {row + 1}); make such cells empty or mend them."
    )


def require_bounds(
    values: np.ndarray,
    items: Sequence[str],
    low: np.ndarray,
    high: np.ndarray,
    minimum: np.ndarray,
    maximum: np.ndarray,
) -> None:
    """Refuse answers outside the scale bounds; bounds that are NaN are unknown and pass."""
    wrong = (low < minimum) | (high > maximum)
    if not wrong.any():
        return
    position = int(np.flatnonzero(wrong)[0])
    column = values[:, position]
    outside = column[(column < minimum[position]) | (column > maximum[position])]
    levels, times = np.unique(outside, return_counts=True)
    bounds = float(minimum[position]), float(maximum[position])
    raise answers_outside(items[position], *bounds, dict(zip(levels, times.tolist(), strict=True)))


def answers_outside(
    name: str, minimum: float, maximum: float, times: Mapping[float, int]
) -> SurveyError:
    """Return the refusal of answers outside an item's scale, from how often each was given."""
    count = sum(times.values())
    levels = sorted(times)
    told = counted(map(number, levels), (times[level] for level in levels))
    return SurveyError(
        f"Column {name!r} holds {count} {plural(count, 'value')} outside its scale "
        f"{number(minimum)}-{number(maximum)}: {told}; declare them in missing_codes or correct "
        "the scale."
    )


def require_variation(rows: int, items: Sequence[str], low: np.ndarray, high: np.ndarray) -> None:
    """Refuse columns with one value only, and a single row."""
    if rows < 2:
        raise SurveyError(
            "Only 1 row is left, and a covariance needs at least 2; "
            "choose another missing= policy or give more rows."
        )
    constant = low == high
    if constant.any():
        names = [item for item, same in zip(items, constant, strict=True) if same]
        value = number(float(low[constant][0]))
        more = "" if len(names) == 1 else " in the first of them"
        raise SurveyError(
            f"{_columns(names)} the same value, {value}{more}, in every row used; "
            "an item without variation carries no information, so leave it out of the model."
        )


def _columns(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"Column {names[0]!r} has"
    return f"Columns {listed(map(repr, names))} have"
