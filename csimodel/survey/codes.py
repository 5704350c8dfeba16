"""Codes for no answer: where a declared code applies, and values that look like one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from csimodel.errors import SurveyError
from csimodel.findings import Finding, listed
from csimodel.survey.checks import number, numeric_block, text_numbers
from csimodel.survey.item import Item

_USUAL = (77, 88, 97, 98, 99)
_LONG_NINES = tuple(10**digits - 1 for digits in range(4, 13))
_HIGH_CODES = (*_USUAL, *(900 + code % 100 for code in (97, 98, 99)), 777, 888, *_LONG_NINES)
_LOW_CODES = (-7, -8, -9, -77, -88, -97, -98, -99, -999, *(-nines for nines in _LONG_NINES))
_LARGEST_SCALE = 100.0
_LARGEST_USUAL = 20.0


def require_outside_scales(items: Mapping[str, Item]) -> None:
    """Refuse a missing code inside its column's own scale, where it is an answer.

    >>> require_outside_scales({"q": Item("q", minimum=1, maximum=10, missing_codes=(6, 99))})
    Traceback (most recent call last):
    ...
    csimodel.errors.SurveyError: The missing code 6 lies inside the scale 1-10 of q, where it is
    an answer; leave it out of missing_codes, or correct the scale.
    """
    columns: dict[tuple[float, float, float], list[str]] = {}
    for name, item in items.items():
        if item.minimum is None or item.maximum is None:
            continue
        for code in item.missing_codes:
            if item.minimum <= code <= item.maximum:
                columns.setdefault((code, item.minimum, item.maximum), []).append(name)
    if columns:
        (code, low, high), names = next(iter(columns.items()))
        raise SurveyError(
            f"The missing code {number(code)} lies inside the scale {number(low)}-{number(high)} "
            f"of {listed(names)}, where it is an answer; leave it out of missing_codes, or "
            "correct the scale."
        )


def columns_of_codes(
    data: pd.DataFrame,
    names: Sequence[str],
    codes: tuple[float, ...],
    minimum: np.ndarray,
    maximum: np.ndarray,
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Return the columns to which codes given for all of them apply.

    Nothing says which columns these codes belong to, so a code applies only where it cannot be an
    answer: apart from the scale (`minimum` to `maximum`), or from the other values where those are
    NaN. A column with other values off the scale is left as it is, which a finding tells.

    Raises
    ------
    SurveyError
        When a code stands among the answers of a column, or next to them.

    Examples
    --------
    >>> frame = pd.DataFrame({"q": [1, 7, 99], "age": [31, 99, 57]})
    >>> columns_of_codes(frame, ["q", "age"], (98, 99), np.ones(2), np.full(2, 10.0))[0]
    ('q',)
    """
    values, _ = numeric_block(data, names)
    hit = np.isin(values, codes)
    left: dict[str, int] = {}
    near: dict[str, tuple[list[float], float, float]] = {}
    for place in np.flatnonzero(hit.any(axis=0)).tolist():
        column, coded = values[:, place], hit[:, place]
        rest = column[~coded & ~np.isnan(column)]
        if not len(rest):
            continue
        low, high = float(minimum[place]), float(maximum[place])
        if np.isnan(low) or np.isnan(high):
            low, high = float(rest.min()), float(rest.max())
        if rest.min() < low or rest.max() > high:
            left[names[place]] = int(coded.sum())
            continue
        near[names[place]] = np.unique(column[coded]).tolist(), low, high
    require_apart(near)
    return tuple(name for name in names if name not in left), _codes_left(left, codes)


def require_apart(codes_of: Mapping[str, tuple[Sequence[float], float, float]]) -> None:
    """Refuse codes given for all columns that may be an answer: among the answers or next to them.

    Parameters
    ----------
    codes_of
        By column the codes that were met, and the lowest and highest answer.
    """
    doubtful: dict[float, list[str]] = {}
    for name, (met, low, high) in codes_of.items():
        for code in met:
            if not _apart(code, low, high):
                doubtful.setdefault(code, []).append(name)
    if doubtful:
        code, columns = next(iter(doubtful.items()))
        raise SurveyError(
            f"The missing code {number(code)} was given for all columns, and in "
            f"{listed(columns)} it stands among the answers or next to them, so it may be one; "
            f"say where it applies, as in missing_codes={{{columns[0]!r}: {number(code)}}}, or "
            "name the items with items=[…] and their scale."
        )


def _apart(code: float, low: float, high: float) -> bool:
    """Return whether a code is further from the answers than they are from each other."""
    span = high - low
    return code < 0 <= low or code < low - span or code > high + span


def _codes_left(columns: Mapping[str, int], codes: Sequence[float]) -> tuple[Finding, ...]:
    if not columns:
        return ()
    template = (
        "Missing codes were left as they are in {columns}, where other values are off the scale "
        "given for all columns; if they mean no answer there too, declare them by column, as in "
        "missing_codes={example}."
    )
    numbers = _tuple([number(code) for code in codes])
    values = {"columns": _counts(columns), "example": f"{{{next(iter(columns))!r}: {numbers}}}"}
    count = sum(columns.values())
    return (Finding("codes-left", template, tuple(columns), "note", count, values),)


def _counts(columns: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(f"{name} ({count})" for name, count in columns.items())


def _tuple(numbers: Sequence[str]) -> str:
    return f"({numbers[0]},)" if len(numbers) == 1 else f"({', '.join(numbers)})"


def cells_with_codes(
    data: pd.DataFrame, codes_of: Mapping[str, tuple[float, ...]]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], tuple[Finding, ...]]:
    """Return the columns that hold a code of theirs with NaN in its place, and what was changed.

    The columns, the positions of the rows with a code, by column, and findings.

    >>> frame = pd.DataFrame({"q1": [3, 99], "q2": [99, 4]})
    >>> columns, rows, findings = cells_with_codes(frame, {"q1": (99.0,), "q2": (98.0,)})
    >>> columns, rows
    ({'q1': array([ 3., nan])}, {'q1': array([1])})
    >>> print(findings[0])
    1 cell with a missing code was set missing: q1 (1).
    """
    names_by_codes: dict[tuple[float, ...], list[str]] = {}
    for name, codes in codes_of.items():
        if codes:
            names_by_codes.setdefault(codes, []).append(name)
    columns: dict[str, np.ndarray] = {}
    rows: dict[str, np.ndarray] = {}
    from_text: list[str] = []
    for codes, names in names_by_codes.items():
        values, converted = numeric_block(data, names)
        from_text += [name for finding in converted for name in finding.subjects]
        hit = np.zeros(values.shape, dtype=bool)
        for code in codes:
            hit |= values == code
        for position in np.flatnonzero(hit.any(axis=0)):
            rows[names[position]] = np.flatnonzero(hit[:, position])
            columns[names[position]] = np.where(hit[:, position], np.nan, values[:, position])
    counts = {name: len(own) for name, own in rows.items()}
    read_as_numbers = text_numbers([name for name in from_text if name in counts])
    return columns, rows, (*read_as_numbers, *coded_cells(counts))


def coded_cells(counts: Mapping[str, int]) -> tuple[Finding, ...]:
    """Return the finding that counts cells set missing by column, where there are any."""
    if not counts:
        return ()
    cells = sum(counts.values())
    template = (
        "{cells} cell with a missing code was set missing: {columns}."
        if cells == 1
        else "{cells} cells with a missing code were set missing: {columns}."
    )
    values_of = {"cells": cells, "columns": _counts(counts)}
    return (Finding("missing-codes", template, tuple(counts), "note", cells, values_of),)


def suspected_codes(
    values: np.ndarray, items: Sequence[str], low: np.ndarray, high: np.ndarray, known: np.ndarray
) -> tuple[Finding, ...]:
    """Tell of what looks like codes for "no answer" among answers without a scale.

    Two kinds of values that lie far from every other answer of their column: usual codes such as
    98, 9999 or -9; and, among whole answers from 0 to 100, any value above 20 that is more than
    three times the next, where such values are few. `low` and `high` are the columns' extremes,
    `known` marks columns whose scale is known.

    >>> cells = np.array([[1.0], [7.0], [9.0], [999999.0]])
    >>> print(suspected_codes(cells, ["q"], cells[0], cells[3], np.array([False]))[0])
    999999 lies far from all other answers and counts as answered: q (1); if that means 'no
    answer', read the data with csi.read_survey(data, scale=…, missing_codes=(999999,)).
    """
    far = high > _LARGEST_USUAL
    if (low < 0.0).any():
        far |= np.isin(low, _LOW_CODES)
    return suspected_levels(
        {
            items[position]: levels_of(values[:, position])
            for position in np.flatnonzero(far & ~known).tolist()
        }
    )


def levels_of(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different answers of a column in ascending order, and how often each was given."""
    levels, times = np.unique(column[~np.isnan(column)], return_counts=True)
    return levels, times


def suspected_levels(
    levels_of_items: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> tuple[Finding, ...]:
    """Tell of what looks like codes, from the levels of items without a scale; see `levels_of`."""
    counts: dict[str, int] = {}
    seen: set[float] = set()
    for name, (levels, times) in levels_of_items.items():
        codes = distant_levels(levels, times)
        if codes:
            counts[name] = int(times[np.isin(levels, codes)].sum())
            seen.update(codes)
    if not counts:
        return ()
    numbers = [number(code) for code in sorted(seen)]
    template = (
        "{codes} lies far from all other answers and counts as answered: {columns}; if that means "
        "'no answer', read the data with csi.read_survey(data, scale=…, missing_codes={given})."
        if len(seen) == 1
        else "{codes} lie far from all other answers and count as answered: {columns}; if that "
        "means 'no answer', read the data with csi.read_survey(data, scale=…, "
        "missing_codes={given})."
    )
    values_of = {"codes": ", ".join(numbers), "columns": _counts(counts), "given": _tuple(numbers)}
    return (
        Finding(
            "suspected-missing-codes",
            template,
            tuple(counts),
            count=sum(counts.values()),
            values=values_of,
        ),
    )


def distant_codes(column: np.ndarray) -> tuple[float, ...]:
    """Return the values of a column, (rows,), that look like codes for no answer.

    >>> distant_codes(np.array([1.0, 7.0, 9.0, 98.0, 99.0]))
    (98.0, 99.0)
    """
    return distant_levels(*levels_of(column))


def distant_levels(levels: np.ndarray, times: np.ndarray) -> tuple[float, ...]:
    """Return the same from the values that occur and how often each does."""
    return tuple(sorted(_usual_codes(levels) or _distant_values(levels, times)))


def declaration(name: str, codes: Sequence[float]) -> str:
    """Return how to declare missing codes of a column.

    >>> declaration("REPUR", (98.0, 99.0))
    "csi.read_survey(…, missing_codes={'REPUR': (98, 99)})"
    """
    given = _tuple([number(code) for code in codes])
    return f"csi.read_survey(…, missing_codes={{{name!r}: {given}}})"


def _usual_codes(levels: np.ndarray) -> set[float]:
    code = np.isin(levels, _HIGH_CODES) | np.isin(levels, _LOW_CODES)
    rest = levels[~code]
    if not len(rest) or rest.min() < 0:
        return set()
    alone = code & ((levels > 3.0 * rest.max()) | (levels < 0))
    return set(levels[alone].tolist())


def _distant_values(steps: np.ndarray, times: np.ndarray) -> set[float]:
    """Return the few levels of whole answers that are over three times the next."""
    if len(steps) < 3 or steps[0] < 0:
        return set()
    gaps = steps[1:] > np.fmax(3.0 * steps[:-1], _LARGEST_USUAL)
    if not gaps.any():
        return set()
    first = int(np.argmax(gaps)) + 1
    near = steps[:first]
    whole = bool((near == np.floor(near)).all()) and near[-1] <= _LARGEST_SCALE
    few = times[first:].sum() <= 0.05 * times.sum()
    return set(steps[first:].tolist()) if whole and first > 1 and few else set()
