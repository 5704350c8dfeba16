"""A table as CSV that a spreadsheet and a program read alike, and that runs nothing."""

from __future__ import annotations

import unicodedata

import pandas as pd

from csimodel.characters import printable

_FORMULA = "=+-@"  # how a cell starts that a spreadsheet would run
_BREAKS = "\t\r\n"
_QUOTED = frozenset(',;"' + _BREAKS)


def spreadsheet(table: pd.DataFrame) -> str:
    r"""Return a table as CSV with a byte order mark, its labels left out.

    Numbers have ten digits; what is missing is empty. Text with a comma, a semicolon, a quotation
    mark or a break of line is quoted (RFC 4180). Text that starts as a formula, in whatever form of
    the sign and behind whatever space, gets an apostrophe in front.

    Examples
    --------
    >>> spreadsheet(pd.DataFrame({"name": ["=1+1", "a\rb", None], "value": [0.1, 2.0, None]}))
    '\ufeffname,value\n\'=1+1,0.1\n"a\rb",2\n,\n'
    """
    columns = [table.iloc[:, j].tolist() for j in range(table.shape[1])]
    rows = [list(table.columns), *map(list, zip(*columns, strict=True))]
    return "\ufeff" + "".join(",".join(map(_cell, row)) + "\n" for row in rows)


def _cell(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    return _quoted(str(value) if isinstance(value, bool | int) else _inert(printable(str(value))))


def _quoted(text: str) -> str:
    if _QUOTED.isdisjoint(text) and text == text.strip():
        return text
    return '"' + text.replace('"', '""') + '"'


def _inert(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run."""
    shown = text.lstrip("".join({x for x in text if unicodedata.category(x)[0] in "ZC"}))
    first = unicodedata.normalize("NFKC", shown[:1])
    formula = first != "" and first in _FORMULA
    return "'" + text if formula or (text != "" and text[0] in _BREAKS) else text
