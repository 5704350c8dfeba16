"""What a formula is refused for: what it counts with, its size, terms without a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError
from csimodel.outcomes.design.grammar import (
    called_functions,
    categories_of,
    columns_of,
    counted_columns,
)
from csimodel.outcomes.design.terms import checked_pieces, unreadable

Floats = NDArray[np.float64]

_NUMBERS = 5 * 10**7  # respondents times columns of a design
_CATEGORIES = 2_000


def require_sense(text: str, variables: Mapping[str, pd.Series], indexes: Sequence[str]) -> None:
    """Refuse text that is counted with, and a column that hides a function.

    Raises
    ------
    SurveyError
        When a column that is counted with holds text.
    OptionError
        When a column has the name of a function that the formula calls.
    """
    codes = checked_pieces(text)
    called = {name for code in codes for name in called_functions(code)}
    for name in (*variables, *indexes):
        if name in called:
            raise OptionError(
                f"formula={text!r} calls {name!r}, which is a column, too; rename the column."
            )
    for name in dict.fromkeys(name for code in codes for name in counted_columns(code)):
        column = variables.get(name)
        if column is None or pd.api.types.is_numeric_dtype(column.dtype):
            continue
        raise SurveyError(
            f"formula={text!r} counts with {name!r}, which does not hold numbers "
            f"({column.dropna().iloc[0]!r} for one); take it as categories, as {name} or C({name})."
            if column.notna().any()
            else f"formula={text!r} counts with {name!r}, which is empty; leave it out."
        )


def require_room(text: str, right: str, frame: pd.DataFrame) -> None:
    """Refuse categories by the thousand and products of them before any is laid out."""
    import patsy

    levels = {}
    for code in checked_pieces(text):
        columns = categories_of(code)
        own = [
            name
            for name in columns
            if name in frame
            and (code != name or not pd.api.types.is_numeric_dtype(frame[name].dtype))
        ]
        levels[code] = max((int(frame[name].nunique()) for name in own), default=1)
        if levels[code] > _CATEGORIES:
            raise OptionError(
                f"formula={text!r} takes {own[0]!r} as categories, of which there are "
                f"{levels[code]} among {len(frame)} respondents; {_CATEGORIES} are the most, "
                "so merge them or take another column."
            )
    try:
        terms = patsy.ModelDesc.from_formula(right).rhs_termlist
    except patsy.PatsyError as error:
        raise unreadable(text, error) from error
    count = sum(
        int(np.prod([float(levels.get(f.code, 1)) for f in term.factors])) for term in terms
    )
    require_size(text, count, len(frame))


def require_size(text: str, columns: int, rows: int) -> None:
    """Refuse a design that would not fit in memory."""
    if columns * rows > _NUMBERS:
        raise OptionError(
            f"formula={text!r} stands for some {columns:,} columns of {rows:,} "
            f"respondents, and {_NUMBERS:,} numbers are the most; merge categories or leave "
            "products out."
        )


def require_numbers(text: str, info: Any, design: Floats, indexes: set[str]) -> None:
    """Refuse terms that have no value for some respondents, such as the log of 0."""
    for term, columns in info.term_slices.items():
        lost = int((~np.isfinite(design[:, columns]).all(axis=1)).sum())
        used = {name for factor in term.factors for name in columns_of(factor.code)}
        if lost and not used & indexes:
            raise SurveyError(
                f"formula={text!r} gives no finite number in {term.name()!r} for {lost} of "
                f"{len(design)} respondents; a logarithm needs numbers above 0, a fraction a "
                "denominator other than 0."
            )
