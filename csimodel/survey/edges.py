"""Rows around a table in a file: titles above the names, wordings below them, notes and totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
import pandas as pd

from csimodel.errors import SurveyError
from csimodel.findings import Finding, listed
from csimodel.survey.cells import is_number, is_wording, tidy, whole
from csimodel.survey.checks import number
from csimodel.survey.headers import clean, cleaned_names

Row = Sequence[object]

_SEARCHED = 20
_LAST = 4
_SHORT = 5
_TOTALS = frozenset(
    {
        "total", "totals", "grand total", "sum", "sums", "mean", "average", "avg", "count", "std",
        "sd", "summe", "gesamt", "gesamtsumme", "mittelwert", "durchschnitt", "anzahl", "somme",
        "moyenne", "totaux", "suma", "media", "totale", "totaal", "итого", "среднее",
        "合计", "总计", "小计", "平均", "平均值", "均值", "合計", "總計", "小計",
    }
)  # fmt: skip


@dataclass(frozen=True)
class TableLayout:
    """Where the table of a sheet or text file is: rows above its names, wordings below them."""

    above: int
    names: tuple[str, ...]
    wordings: tuple[tuple[str, ...], ...]
    titles: tuple[str, ...]

    @property
    def first(self) -> int:
        """The first row of answers."""
        return self.above + 1 + len(self.wordings)

    def widened(self, width: int) -> TableLayout:
        """Return the layout with columns without a name at its end, up to a width."""
        return replace(self, names=(*self.names, *[""] * (width - len(self.names))))

    def labels(self, names: Iterable[str]) -> dict[str, str]:
        """Return the wordings by column."""
        if not self.wordings:
            return {}
        texts = dict(zip(map(clean, self.names), self.wordings[0], strict=False))
        return {name: texts[name] for name in names if texts.get(name)}

    def findings(self) -> Iterator[Finding]:
        """Tell which rows were left out, and names that are numbers."""
        if len(self.names) > 1 and all(is_number(name.strip()) for name in self.names):
            template = (
                "The names of all columns are numbers, such as {name}; if the first row is one of "
                "answers, the names are missing in the file."
            )
            yield Finding("names-are-numbers", template, values={"name": repr(self.names[0])})
        if self.titles:
            template = (
                "{count} row above the names of the columns was left out: {texts:2}."
                if len(self.titles) == 1
                else "{count} rows above the names of the columns were left out: {texts:2}."
            )
            values = {"count": len(self.titles), "texts": self.titles}
            yield Finding("rows-above", template, (), "note", len(self.titles), values)
        if self.wordings:
            template = (
                "{count} row below the names of the columns holds texts where the others hold "
                "numbers, such as {text}, and was taken as wordings."
                if len(self.wordings) == 1
                else "{count} rows below the names of the columns hold texts where the others hold "
                "numbers, such as {text}, and were taken as wordings."
            )
            text = next(repr(_short(text)) for text in self.wordings[0] if text)
            values = {"count": len(self.wordings), "text": text}
            yield Finding("rows-of-wordings", template, (), "note", len(self.wordings), values)


def layout_of(rows: Sequence[Row]) -> TableLayout:
    """Find the names of the columns in the first rows of a sheet or text file.

    They are in the first row that is filled, unless a later row is filled more, with texts that
    all differ, and numbers follow it: then the rows before it are titles. Up to two rows right
    below the names that hold texts where the rows after them hold numbers are wordings.

    >>> layout = layout_of(
    ...     [["Survey 2024"], [], ["id", "q1", "q2"], ["", "Good?", "Fast?"], [1, 7, 8], [2, 9, 9]]
    ... )
    >>> layout.titles, layout.names, layout.wordings
    (("'Survey 2024'",), ('id', 'q1', 'q2'), (('', 'Good?', 'Fast?'),))
    """
    every = [[_text(cell) for cell in row] for row in rows]
    filled = [sum(map(bool, row)) for row in every]
    start = next((place for place, count in enumerate(filled) if count), None)
    if start is None:
        return TableLayout(0, (), (), ())
    above = start
    for place in range(start + 1, min(len(every), start + _SEARCHED)):
        more = filled[place] > max(1, filled[start])
        if more and _like_names(every[place]) and _numbers_follow(every, place):
            above = place
            break
    names = tuple("" if cell is None else str(cell) for cell in rows[above])
    while names and not names[-1].strip():
        names = names[:-1]
    titles = tuple(
        repr(_short(" ".join(filter(None, row)))) for row in every[start:above] if any(row)
    )
    return TableLayout(above, names, _wordings(every, above), titles)


def _text(cell: object) -> str:
    return "" if cell is None else tidy(str(cell))


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def _like_names(row: Sequence[str]) -> bool:
    own = [text for text in row if text]
    return len(set(own)) == len(own) and not any(map(is_number, own))


def _numbers_follow(rows: Sequence[Sequence[str]], place: int) -> bool:
    after = [row for row in rows[place + 1 :] if any(row)]
    return any(is_number(text) for row in after[-3:] for text in row)


def _wordings(rows: Sequence[Sequence[str]], above: int) -> tuple[tuple[str, ...], ...]:
    """Return the rows right below the names that are texts where the later rows are numbers."""
    for count in (2, 1):
        own, after = rows[above + 1 : above + 1 + count], rows[above + 1 + count :]
        if len(own) < count or len(after) < 2:
            continue
        columns = zip_longest(*after, fillvalue="")
        numeric = [
            place
            for place, cells in enumerate(columns)
            if any(cells) and not any(map(is_wording, cells)) and any(map(is_number, cells))
        ]
        if all(_is_wording_row(row, numeric) for row in own):
            return tuple(tuple(row) for row in own)
    return ()


def _is_wording_row(row: Sequence[str], numeric: Sequence[int]) -> bool:
    """Return whether a row has texts, two or more, and no number in columns of numbers."""
    cells = [row[place] for place in numeric if place < len(row) and row[place]]
    return len(cells) > 1 and all(map(is_wording, cells)) and not any(map(is_number, row))


def named_frame(
    frame: pd.DataFrame, names: Sequence[str], source: str
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Return a table with the names of its columns cleaned; empty columns without one left out.

    Raises
    ------
    SurveyError
        When a name occurs twice, or is none.
    """
    kept = [
        place
        for place, name in enumerate(names)
        if clean(name) or frame.iloc[:, place].notna().any()
    ]
    own, findings = cleaned_names([names[place] for place in kept], source)
    return frame.iloc[:, kept].set_axis(own, axis=1), findings


def without_notes(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Leave out notes below a table: rows with one filled cell, a text in a column of numbers.

    >>> table = pd.DataFrame({"id": ["1", "2", "Source: us"], "a": [3, 4, None], "b": [5, 6, None]})
    >>> print(without_notes(table)[1][0])
    1 row below the table was left out: 'Source: us'.
    """
    notes: list[str] = []
    last = len(frame)
    while last > 1 and frame.shape[1] > 2 and len(notes) < _SEARCHED:
        row = frame.iloc[last - 1]
        filled = [place for place, cell in enumerate(row.tolist()) if not _empty(cell)]
        if len(filled) > 1:
            break
        if filled:
            text = _text(row.iloc[filled[0]])
            others = [
                _text(cell)
                for cell in frame.iloc[: min(last - 1, 50), filled[0]]
                if not _empty(cell)
            ]
            if is_number(text) or not others or not all(map(is_number, others)):
                break
            notes.append(repr(_short(text)))
        last -= 1
    if not notes:
        return frame, ()
    template = (
        "{count} row below the table was left out: {texts:2}."
        if len(notes) == 1
        else "{count} rows below the table were left out: {texts:2}."
    )
    values = {"count": len(notes), "texts": tuple(reversed(notes))}
    rest = frame.iloc[:last].copy()
    for place in range(rest.shape[1]):  # no empty cell below makes whole numbers others now
        rest.isetitem(place, whole(rest.iloc[:, place]).array)
    return rest, (Finding("rows-below", template, (), "note", len(notes), values),)


def _empty(cell: object) -> bool:
    return (
        cell is None
        or cell is pd.NaT
        or (isinstance(cell, float) and np.isnan(cell))
        or (isinstance(cell, str) and not cell.strip())
    )


def require_no_totals(frame: pd.DataFrame, source: str) -> None:
    """Refuse rows at the end that sum up the others.

    A word such as Total that occurs nowhere else in its column, beside numbers that are sums,
    means or the like of those above, or beside none; or, without a word, sums in every column.

    Raises
    ------
    SurveyError
        Naming the row and what gives it away.
    """
    for end in range(len(frame), max(2, len(frame) - _LAST), -1):
        sign = _sign_of_totals(frame.iloc[:end], wordless=end == len(frame))
        if sign:
            raise SurveyError(
                f"Row {end} of {source!r} looks like a row of totals: {sign}; delete it in the "
                "file, or, if it is a respondent, read the file with pandas and pass the data "
                "frame."
            )


def _sign_of_totals(frame: pd.DataFrame, wordless: bool) -> str:
    """Return what shows that the last row sums up the others, or nothing."""
    word = _totals_word(frame)
    if not word and not (wordless and len(frame) > _SHORT):
        return ""
    last, above = frame.iloc[-1], frame.iloc[:-1]
    numeric = [
        place
        for place, kind in enumerate(frame.dtypes)
        if kind.kind in "iuf" and not _empty(last.iloc[place])
    ]
    summaries = [
        _summary(above.iloc[:, place].to_numpy(np.float64), float(last.iloc[place]))
        for place in numeric
    ]
    if word and 2 * sum(map(bool, summaries)) >= len(numeric):
        return f"it holds {word[1]!r} in column {word[0]!r}"
    if not word and len(numeric) > 1 and all(name == "sum" for name in summaries):
        names = listed(str(frame.columns[place]) for place in numeric)
        return f"it holds the sums of the rows above in {names}"
    return ""


def _totals_word(frame: pd.DataFrame) -> tuple[str, str] | None:
    for place, kind in enumerate(frame.dtypes):
        cell = frame.iloc[-1, place]
        if kind.kind in "iufb" or not isinstance(cell, str):
            continue
        if cell.strip(" :：").casefold() in _TOTALS and (frame.iloc[:-1, place] != cell).all():
            return str(frame.columns[place]), cell
    return None


def _summary(values: np.ndarray, last: float) -> str:
    """Return which summary of the values the last one is, or nothing."""
    own = values[~np.isnan(values)]
    if len(own) < 2:
        return ""
    summaries = {
        "sum": own.sum(),
        "mean": own.mean(),
        "count": len(own),
        "standard deviation": own.std(ddof=1),
    }
    digits = len(number(last).partition(".")[2])
    tolerance = max(0.5000001 * 10.0**-digits if digits else 0.0, 1e-9 * abs(last))
    return next((name for name, value in summaries.items() if abs(value - last) <= tolerance), "")
