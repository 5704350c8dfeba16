"""Answers in words → the codes that a codebook gives them, and words that stand for no answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from csimodel.errors import SurveyError, suggest
from csimodel.findings import Finding, listed
from csimodel.survey.cells import Decimal, is_wording, tidy, typed_columns
from csimodel.survey.checks import number, plural
from csimodel.survey.item import Item

NO_ANSWER: Mapping[str, str] = {"en": "No answer", "zh": "未回答"}
"""How a questionnaire words a missing code that the codebook does not."""


def no_answer_labels(codes: Iterable[float], word: str) -> dict[float, str]:
    """Return how missing codes without a label are worded, each apart from the others.

    >>> no_answer_labels([8, 9], "No answer")
    {8: 'No answer', 9: 'No answer (9)'}
    """
    each = list(dict.fromkeys(codes))
    return {code: word if code == each[0] else f"{word} ({number(code)})" for code in each}


_SIGNS = r"[-–—=:.)\]、]"
_LEADING = re.compile(
    rf"[(\[]?([+-]?\d+(?:[.,]\d+)?)(?:\s*{_SIGNS}\s*|\s+|(?=[^\x00-\x7f]))(\D*[^\W\d_]\D*)"
)
_TRAILING = re.compile(r"(\D*[^\W\d_]\D*?)\s*[-–—=:(\[]\s*(\d+(?:[.,]\d+)?)\s*[)\]]?")
_MOST_NAMED = 5


@dataclass(frozen=True)
class Wordings:
    """What the words of a column mean.

    Attributes
    ----------
    codes
        Code of each wording.
    missing
        Words that stand for no answer.
    item
        Scale and missing codes, which say what numbers an answer such as "8 - good" may begin with.
    texts
        How the codebook writes each wording of `codes`.
    """

    codes: Mapping[str, float] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    item: Item | None = None
    texts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_item(cls, item: Item, labels: Mapping[float | str, str]) -> Wordings:
        """Return the wordings of an item: of its answers, of its labels, of its missing codes.

        Raises
        ------
        SurveyError
            When a wording has two codes, or a code and no answer.
        """
        codes = _codes(item.name, item.answers, labels)
        _require_apart(item.name, codes, item.missing_words)
        texts = _written([*item.answers, *labels.values()])
        for word in NO_ANSWER.values():
            for code, text in no_answer_labels(item.missing_codes, word).items():
                codes.setdefault(wording_key(text), code)
                texts.setdefault(wording_key(text), text)
        return cls(codes, item.missing_words, item, texts)

    @classmethod
    def of_column(cls, name: str, answers: Mapping[str, float], words: tuple[str, ...]) -> Wordings:
        """Return the wordings of a column that is no item; without answers it holds labels."""
        codes = _codes(name, answers, {})
        _require_apart(name, codes, words)
        return cls(codes, words, texts=_written(answers))

    @property
    def known(self) -> list[str]:
        """The wordings that have a code, as the codebook writes them."""
        return [self.texts.get(key, key) for key in self.codes]

    def code_of(self, text: str, name: str) -> float | None:
        """Return the code of an answer in words, None where it is not known.

        Raises
        ------
        SurveyError
            When the answer is a number with words of another.
        """
        key = wording_key(text)
        if key in self.codes:
            return self.codes[key]
        parts = number_and_words(key)
        if self.item is None or parts is None:
            return None
        code, words = parts
        worded = self.codes.get(words)
        if worded is not None and worded != code:
            raise SurveyError(
                f"Column {name!r} holds {tidy(text)!r}, and the codebook gives "
                f"{self.texts.get(words, words)!r} the code {number(worded)}, not "
                f"{number(code)}; correct one of the two."
            )
        return code if self._allows(code) else None

    def _allows(self, code: float) -> bool:
        """Return whether a number is an answer or a missing code of the item."""
        item = self.item
        if item is None or code in item.missing_codes or code in self.codes.values():
            return item is not None
        low, high = item.minimum, item.maximum
        return low is not None and high is not None and low <= code <= high


def _require_apart(name: str, codes: Mapping[str, float], words: Iterable[str]) -> None:
    """Refuse a wording that has a code and stands for no answer."""
    for word in words:
        if (code := codes.get(wording_key(word))) is not None:
            raise SurveyError(
                f"{word!r} of {name!r} has the code {number(code)}, and is named as missing; keep "
                "one of the two."
            )


def _codes(
    name: str, answers: Mapping[str, float], labels: Mapping[float | str, str]
) -> dict[str, float]:
    """Return the code of each wording; what answers say goes before labels."""
    codes: dict[str, float] = {}
    for code, text in labels.items():
        if not isinstance(code, int | float) or wording_key(text) in map(wording_key, answers):
            continue
        if (other := codes.setdefault(wording_key(text), float(code))) != code:
            raise SurveyError(
                f"The codebook labels the codes {number(other)} and {number(code)} of {name!r} "
                f"both {text!r}; say which is meant, as in answers = {{ {text!r} = "
                f"{number(code)} }}."
            )
    for text, code in answers.items():
        if (other := codes.setdefault(wording_key(text), code)) != code:
            raise SurveyError(
                f"The codebook gives {text!r} of {name!r} the codes {number(other)} and "
                f"{number(code)}; keep one of the two."
            )
    return codes


def _written(texts: Iterable[str]) -> dict[str, str]:
    """Return wordings as the codebook writes them, by how they are looked up; the first counts."""
    every = [tidy(str(text)) for text in texts]
    return {wording_key(text): text for text in reversed(every)}


def wording_key(text: str) -> str:
    """Return a wording as it is looked up: without outer blanks, in one form and case."""
    return plain_wording(text).casefold()


def plain_wording(text: str) -> str:
    """Return a wording without needless blanks, full-width signs as usual ones."""
    return " ".join(unicodedata.normalize("NFKC", tidy(str(text))).split())


def number_and_words(text: str) -> tuple[float, str] | None:
    """Return the number that a wording begins or ends with, and the words; None without one.

    >>> number_and_words("8 - good"), number_and_words("非常满意 (10)"), number_and_words("good")
    ((8.0, 'good'), (10.0, '非常满意'), None)
    """
    leading, trailing = _LEADING.fullmatch(text), _TRAILING.fullmatch(text)
    if leading is not None:
        digits, words = leading[1], leading[2]
    elif trailing is not None:
        digits, words = trailing[2], trailing[1]
    else:
        return None
    return float(digits.replace(",", ".")), words.strip()


@dataclass(frozen=True)
class CodedColumns:
    """Columns whose words have become codes.

    Attributes
    ----------
    columns
        By name, those that changed.
    coded
        Positions of the rows that held a word for no answer, by column.
    findings
        What was changed, counted.
    """

    columns: Mapping[str, pd.Series]
    coded: Mapping[str, np.ndarray]
    findings: tuple[Finding, ...]


def coded_columns(
    frame: pd.DataFrame,
    wordings_of: Mapping[str, Wordings],
    decimal: Decimal | None = None,
) -> CodedColumns:
    """Turn the words of columns into codes, those for no answer into NaN, and count both.

    A wording is looked up without regard to case, outer blanks and full-width signs. "8 - good",
    "8. good", "8好" and "good (8)" are 8 where 8 is an answer or a missing code of the item.

    Parameters
    ----------
    frame
        The answers.
    wordings_of
        What words mean, by column.
    decimal
        Decimal sign of numbers beside the words, where it is known.

    Raises
    ------
    SurveyError
        When an item with wordings holds one that is not known, or words and number of an answer do
        not agree.

    Examples
    --------
    >>> frame = pd.DataFrame({"q": ["8 - good", "Poor", "DK", "7"]})
    >>> item = Item("q", minimum=1, maximum=10, answers={"poor": 2}, missing_words=("DK",))
    >>> own = coded_columns(frame, {"q": Wordings.of_item(item, {})})
    >>> own.columns["q"].tolist(), own.coded["q"].tolist()
    ([8.0, 2.0, nan, 7.0], [2])
    >>> print(own.findings[0])
    2 answers in words were read as codes in q (2): 'Poor' is 2 and '8 - good' is 8.
    """
    changed: dict[str, pd.Series] = {}
    coded: dict[str, np.ndarray] = {}
    counts: dict[str, int] = {}
    known: dict[str, float] = {}
    for name, own in wordings_of.items():
        cells = frame[name]
        texts = texts_of(cells)
        words = set(map(wording_key, own.missing))
        gone = [text for text in texts if wording_key(text) in words]
        rest = [text for text in texts if wording_key(text) not in words]
        codes = {text: code for text in rest if (code := own.code_of(text, name)) is not None}
        _require_known(cells, rest, codes, own)
        if not codes and not gone:
            continue
        cells = cells.astype(object)
        missing, worded = (cells.isin(part).to_numpy() for part in (gone, list(codes)))
        if missing.any():
            coded[name] = np.flatnonzero(missing)
        if codes:
            counts[name] = int(worded.sum())
            known |= {tidy(text): code for text, code in codes.items()}
        changed[name] = cells.where(~missing, np.nan)
        changed[name][worded] = cells[worded].map(codes)
    typed, findings = typed_columns(pd.DataFrame(changed, index=frame.index), decimal)
    columns = {name: typed[name] for name in changed}
    gone_of = {name: len(rows) for name, rows in coded.items()}
    return CodedColumns(
        columns, coded, (*_recoded(counts, known), *_words_missing(gone_of), *findings)
    )


def without_words(column: pd.Series, words: Iterable[str]) -> pd.Series:
    """Return a column with missing cells in place of words for no answer.

    >>> without_words(pd.Series(["1", "Blank"]), ("blank",)).tolist()
    ['1', nan]
    """
    keys = set(map(wording_key, words))
    gone = [text for text in texts_of(column) if wording_key(text) in keys]
    return column.astype(object).where(~column.isin(gone), np.nan) if gone else column


def texts_of(column: pd.Series) -> list[str]:
    """Return the different texts of a column that are not blank."""
    if getattr(column.dtype, "kind", "O") in "biufcmM":
        return []
    every = column.dropna().astype(object).unique()
    return [text for text in every if isinstance(text, str) and tidy(text)]


def _require_known(
    cells: pd.Series, texts: list[str], codes: Mapping[str, float], own: Wordings
) -> None:
    """Refuse wordings that nothing is known of, where something is known of others."""
    if not (own.codes or codes):
        return
    unknown = [text for text in texts if text not in codes and is_wording(tidy(text))]
    if not unknown:
        return
    name = str(cells.name)
    rows = {text: int(np.flatnonzero(cells.eq(text).fillna(False).to_numpy())[0]) + 1
            for text in unknown[:_MOST_NAMED]}  # fmt: skip
    near = [*own.known, *own.missing]
    told = [
        f"{text!r} in row {row}{suggest(wording_key(text), near)}" for text, row in rows.items()
    ]
    more = [""] * (len(unknown) - len(told))
    count = int(cells.isin(unknown).sum())
    allowed = "those that begin or end with a number of the scale"
    if own.codes:
        allowed = listed(map(repr, own.known), 12)
    raise SurveyError(
        f"Column {name!r} holds {listed([*told, *more], _MOST_NAMED)} ({count} "
        f"{plural(count, 'cell')}), whose code is not known; known are {allowed}; give the code in "
        f"the codebook, as in answers = {{ {unknown[0]!r} = 1 }}, or, if it is no answer, "
        f"missing = [{unknown[0]!r}]."
    )


def _recoded(counts: Mapping[str, int], known: Mapping[str, float]) -> tuple[Finding, ...]:
    if not counts:
        return ()
    cells = sum(counts.values())
    values = {
        "cells": cells,
        "columns": tuple(f"{name} ({count})" for name, count in counts.items()),
        "wordings": tuple(
            f"{text!r} is {number(code)}"
            for text, code in sorted(known.items(), key=lambda pair: pair[1])
        ),
    }
    template = _RECODED[cells == 1]
    return (Finding("answers-recoded", template, tuple(counts), "note", cells, values),)


def _words_missing(counts: Mapping[str, int]) -> tuple[Finding, ...]:
    if not counts:
        return ()
    cells = sum(counts.values())
    columns = tuple(f"{name} ({count})" for name, count in counts.items())
    values = {"cells": cells, "columns": columns}
    template = _MISSING[cells == 1]
    return (Finding("missing-words", template, tuple(counts), "note", cells, values),)


_MISSING = {  # by whether it is a single cell
    True: "{cells} cell with a word for no answer was set missing: {columns:10}.",
    False: "{cells} cells with a word for no answer were set missing: {columns:10}.",
}
_RECODED = {  # by whether it is a single cell
    True: "{cells} answer in words was read as a code in {columns:10}: {wordings:10}.",
    False: "{cells} answers in words were read as codes in {columns:10}: {wordings:10}.",
}
