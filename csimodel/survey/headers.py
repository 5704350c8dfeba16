"""Names of columns: cleaned the same way wherever they come from, so that they can be found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import pandas as pd

from csimodel import limits
from csimodel.errors import SurveyError, suggest
from csimodel.findings import Finding, listed

ColumnName = str  # looked up among the columns, which says what is wrong with it

_INVISIBLE = re.compile("[\ufeff\u200b\u2060\u00ad]")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def clean(name: str) -> str:
    r"""Return a name in one line and one form: blanks single, invisible signs out, NFC.

    >>> clean(" overall\r\nquality ")
    'overall quality'
    >>> clean("Qualite\u0301") == "Qualité"
    True
    """
    if name.isascii() and name.isprintable() and name.strip() == name and "  " not in name:
        return name
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", _INVISIBLE.sub("", name))).strip()


def cleaned_names(names: Sequence[str], source: str) -> tuple[list[str], tuple[Finding, ...]]:
    """Return names cleaned, columns without one named by their place, and what was changed.

    Raises
    ------
    SurveyError
        When a name occurs twice, is endless, or holds what no text may hold; when there are too
        many columns.

    Examples
    --------
    >>> cleaned_names(["q1", "q 2 ", ""], "a.csv")[0]
    ['q1', 'q 2', 'column 3']
    """
    require_names(names, source)
    own = [clean(name) for name in names]
    changed = tuple(
        f"{old!r} became {new!r}" for old, new in zip(names, own, strict=True) if new and old != new
    )
    blank = [place for place, name in enumerate(own) if not name]
    for place in blank:
        name = f"column {place + 1}"
        while name in own:
            name += " without a name"
        own[place] = name
    require_unique(own, source)
    return own, (*_cleaned(changed), *_unnamed(tuple(own[place] for place in blank)))


def _cleaned(changed: tuple[str, ...]) -> tuple[Finding, ...]:
    if not changed:
        return ()
    template = (
        "The name of {count} column was cleaned of line breaks, outer or double blanks and "
        "invisible signs: {changes}."
        if len(changed) == 1
        else "The names of {count} columns were cleaned of line breaks, outer or double blanks and "
        "invisible signs: {changes}."
    )
    values = {"count": len(changed), "changes": changed}
    return (Finding("names-cleaned", template, (), "note", len(changed), values),)


def _unnamed(names: tuple[str, ...]) -> tuple[Finding, ...]:
    if not names:
        return ()
    template = (
        "{count} column has no name and is called {names} here."
        if len(names) == 1
        else "{count} columns have no name and are called {names} here."
    )
    values = {"count": len(names), "names": names}
    return (Finding("column-without-name", template, names, "note", len(names), values),)


_TABLES = ("the Arrow data", "the DuckDB relation", "the ibis table", "the Spark data frame")


def place_of(source: str) -> str:
    """Return how a sentence names what was read: the data frame, a table of a scan, or a file.

    >>> place_of("frame"), place_of("the ibis table"), place_of("a.csv")
    ('The data frame', 'The ibis table', "The file 'a.csv'")
    """
    if source in _TABLES:
        return source[:1].upper() + source[1:]
    return "The data frame" if source == "frame" else f"The file {source!r}"


def require_names(names: Sequence[str], source: str) -> None:
    """Refuse too many columns, and names that are too long or cannot be written."""
    if len(names) > limits.COLUMNS:
        raise SurveyError(
            f"{place_of(source)} has {len(names):,} columns, and at most {limits.COLUMNS:,} are "
            "read; keep the columns that are needed, one row per respondent."
        )
    for place, name in enumerate(names, 1):
        if len(name) > limits.NAME_CHARACTERS:
            raise SurveyError(
                f"{place_of(source)} has a name of {len(name):,} characters in column {place} "
                f"({name[:20]!r} …), and at most {limits.NAME_CHARACTERS:,} are allowed; is the "
                "first row the names of the columns?"
            )
        if not name.isascii() and any("\ud800" <= sign <= "\udfff" for sign in name):
            raise SurveyError(
                f"{place_of(source)} has the name {name!r} in column {place}, which holds a half "
                "of a character and cannot be written; rename the column."
            )


def require_unique(names: Sequence[str], source: str) -> None:
    """Refuse column names that occur more than once."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    repeated = [name for name, times in seen.items() if times > 1]
    if repeated:
        raise SurveyError(
            f"{place_of(source)} has more than one column named {listed(map(repr, repeated))}; "
            "rename or remove the duplicates."
        )


def require_column(frame: pd.DataFrame, name: object, option: str) -> str:
    r"""Return the column that an option names, or refuse what is no name or not there.

    >>> require_column(pd.DataFrame({"overall quality": [1]}), "overall\nquality", "weights")
    'overall quality'
    """
    if not isinstance(name, str):
        kind = type(name).__name__
        article = "an" if kind[0] in "aeiou" else "a"
        raise SurveyError(
            f"{option} must be the name of a column, such as {frame.columns[0]!r}, "
            f"not {article} {kind}."
        )
    column = column_of(frame.columns, name)
    if column is None:
        ending = suggest(name, frame.columns) + "."
        raise SurveyError(f"{option} names the column {name!r}, which is not in the data{ending}")
    return column


def column_of(columns: Iterable[str], name: object) -> str | None:
    """Return the column of this name, as it stands or cleaned, or None.

    >>> column_of(["q 1"], "q  1"), column_of(["q 1"], "q2")
    ('q 1', None)
    """
    known = columns if isinstance(columns, pd.Index) else set(columns)
    if not isinstance(name, str) or name in known:
        return name if isinstance(name, str) else None
    tidy = clean(name)
    return tidy if tidy in known else None
