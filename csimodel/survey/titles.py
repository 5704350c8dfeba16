"""What the columns of a survey are called where people read them."""

from __future__ import annotations

from collections.abc import Sequence

from csimodel.grid import columns_of
from csimodel.survey.survey import Survey

_SHORT = 40  # columns of a terminal that a wording in a heading takes at most


def wording_of(survey: Survey, column: str) -> str:
    """Return a column's wording, or else its label; empty where the survey has neither.

    Examples
    --------
    >>> import csimodel as csi
    >>> wording_of(csi.load_mobi(), "CUSA1")
    'satisfied overall'
    """
    item = survey.items.get(column)
    return (None if item is None else item.wording) or survey.column_labels.get(column) or ""


def title_of(survey: Survey | None, column: str) -> str:
    """Return what headings call a column: its wording where it is short, or else its name.

    Examples
    --------
    >>> import csimodel as csi
    >>> title_of(csi.load_mobi(), "CUSA1"), title_of(csi.load_mobi(), "firm")
    ('“satisfied overall”', 'firm')
    """
    wording = "" if survey is None else " ".join(wording_of(survey, column).split())
    return f"“{wording}”" if wording and columns_of(wording) <= _SHORT else column


def crossed_title(survey: Survey | None, columns: Sequence[str]) -> str:
    """Return what headings call columns whose groups are crossed.

    >>> crossed_title(None, ["brand", "age"])
    'brand × age'
    """
    return " × ".join(title_of(survey, column) for column in columns)
