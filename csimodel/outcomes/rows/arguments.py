"""Columns as a user gives them: by name or as values."""

from __future__ import annotations

from collections.abc import Sequence, Sized

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.characters import composed
from csimodel.errors import OptionError
from csimodel.options import shown
from csimodel.outcomes.rows.columns import name_of
from csimodel.survey import Survey
from csimodel.survey.headers import column_of

Floats = NDArray[np.float64]
Column = str | pd.Series | ArrayLike
Index = str | Sequence[str] | pd.Series | pd.DataFrame | ArrayLike
Controls = str | Sequence[str] | pd.Series | pd.DataFrame


def named(columns: object) -> bool:
    """Whether columns are named, not given as values."""
    if isinstance(columns, pd.Series | pd.DataFrame):
        return False
    if isinstance(columns, np.ndarray):
        return columns.dtype.kind in "UO"
    return all(isinstance(name, str) for name in names_in(columns))


def names_in(columns: object) -> list[str]:
    """Return the names in an argument that names one column or several."""
    if isinstance(columns, str):
        return [composed(columns)]
    names = list(columns) if isinstance(columns, list | tuple | pd.Index | np.ndarray) else []
    return [composed(name) if isinstance(name, str) else name for name in names]


def by_name(columns: Controls) -> dict[str, Column]:
    """Return controls by name, whether named or given as values.

    Raises
    ------
    OptionError
        For values without names.
    """
    if isinstance(columns, pd.DataFrame):
        return {str(name): columns[name] for name in columns}
    if isinstance(columns, pd.Series):
        return {name_of(columns, "control"): columns}
    if not named(columns):
        raise OptionError(
            f"controls is {shown(columns)}, and must be names of columns, or a Series or data "
            "frame of them."
        )
    return {name: name for name in names_in(columns)}


def yes_or_no(values: Floats) -> bool:
    """Whether a column holds nothing but 0 and 1."""
    return bool(np.isin(values[np.isfinite(values)], (0.0, 1.0)).all())


def require_index(data: object, purpose: str, columns: Sequence[object]) -> None:
    """Refuse an index that is named where there is neither a fit nor such a column.

    Raises
    ------
    OptionError
        With the way out.
    """
    if not columns or (data is not None and not isinstance(data, Survey | pd.DataFrame)):
        return
    table = data.data if isinstance(data, Survey) else data
    known: list[str] = [] if table is None else list(table.columns)
    unknown = [name for name in names_in(columns[0]) if column_of(known, name) is None]
    if columns[0] is None or (named(columns[0]) and unknown):
        which = f" ({unknown[0]!r} is none)" if unknown and known else ""
        raise OptionError(
            f"{purpose} wants a fit and fit is {shown(data)}; make one with csi.fit(model, "
            f"survey), or, where the index was computed elsewhere, name its column{which} or give "
            "its points as values."
        )


def row_labels(columns: Sequence[object]) -> pd.Index:
    """Return what the rows of columns given as values are called.

    The first says how many there are, the first Series or frame of that length what they are
    called.
    """
    first = columns[0]
    if isinstance(first, np.ndarray):
        first = np.atleast_1d(first)
    size = len(first) if isinstance(first, Sized) else 1
    for column in columns:
        if isinstance(column, pd.Series | pd.DataFrame) and len(column) == size:
            return column.index
    return pd.RangeIndex(size)
