"""Columns of answers in words → the items that a drafted codebook makes of them.

Answers beside a number ("8 - good", "10 非常满意", "7") have it as their code. Words alone are
taken as levels of a usual scale (`usual_wordings`), where all of a column's words are in one and at
least three of its levels are seen in the columns that have it; the smallest scale of questionnaires
that holds what was seen in all of them says the codes, from 1. Words for no answer are declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from csimodel.survey.cells import is_number, value_of
from csimodel.survey.labelled import means_no_answer
from csimodel.survey.usual_wordings import USUAL_SCALES, UsualScale
from csimodel.survey.wordings import (
    number_and_words,
    plain_wording,
    texts_of,
    wording_key,
)

_MOST = 30  # different texts of a rating
_LEAST = 3  # different levels of one


@dataclass(frozen=True)
class WordedColumn:
    """What the words of a column mean.

    Attributes
    ----------
    codes
        Code of each different answer.
    labels
        Words by code.
    answers
        Codes of further wordings.
    missing_words
        Words for no answer.
    missing_codes
        Codes whose words mean no answer.
    ends
        Lowest and highest code of a usual scale; None where codes stand beside the words, or alone.
    """

    codes: tuple[float, ...]
    labels: Mapping[float | str, str]
    answers: Mapping[str, float]
    missing_words: tuple[str, ...]
    missing_codes: tuple[float, ...] = ()
    ends: tuple[float, float] | None = None


def worded_columns(frame: pd.DataFrame) -> dict[str, WordedColumn]:
    """Return what the words of columns mean, of those where it can be told.

    >>> frame = pd.DataFrame({"q": ["满意", "不满意", "很满意"], "n": ["8 - good", "DK", "3"]})
    >>> columns = worded_columns(frame)
    >>> columns["q"].labels
    {1.0: '很不满意', 2.0: '不满意', 3.0: '满意', 4.0: '很满意'}
    >>> columns["n"].labels, columns["n"].missing_words
    ({8.0: 'good'}, ('DK',))
    """
    drafted: dict[str, WordedColumn] = {}
    of_scale: dict[UsualScale, dict[str, list[str]]] = {}
    for name in map(str, frame.columns):
        texts = list(dict.fromkeys(map(plain_wording, texts_of(frame[name]))))
        if not 0 < len(texts) <= _MOST:
            continue
        own = _beside_numbers(texts)
        if own is not None:
            drafted[name] = own
            continue
        for scale in USUAL_SCALES:
            if _answers(texts, scale):
                of_scale.setdefault(scale, {})[name] = texts
    for scale, columns in of_scale.items():
        places = {_place(scale, text) for texts in columns.values() for text in texts} - {None}
        if len(places) < _LEAST:
            continue
        part = next((own for own in scale.parts if places <= set(own)), scale.parts[-1])
        for name, texts in columns.items():
            drafted.setdefault(name, _of_levels(texts, scale, part))
    return {name: drafted[name] for name in map(str, frame.columns) if name in drafted}


def _beside_numbers(texts: Iterable[str]) -> WordedColumn | None:
    """Return what answers mean that are numbers, or have one beside the words; None of others."""
    codes: list[float] = []
    words: dict[float, str] = {}
    missing_words, missing_codes, shared = [], [], set()
    for text in texts:
        parts = (value_of(text, "."), "") if is_number(text) else number_and_words(text)
        if parts is None:
            if not means_no_answer(text):
                return None
            missing_words.append(text)
            continue
        code, word = parts
        codes.append(code)
        if means_no_answer(word):
            missing_codes.append(code)
        if word and words.setdefault(code, word) != word:
            return None
        shared |= {word for other, own in words.items() if own == word and other != code and word}
    if not codes:
        return None
    labels: dict[float | str, str] = {
        code: word for code, word in sorted(words.items()) if word not in shared
    }
    return WordedColumn(
        tuple(codes), labels, {}, tuple(missing_words), tuple(sorted(set(missing_codes)))
    )


def _place(scale: UsualScale, text: str) -> int | None:
    """Return the place of a wording among the levels of a scale."""
    key = wording_key(text)
    return next((place for place, level in enumerate(scale.levels) if key in level), None)


def _answers(texts: Iterable[str], scale: UsualScale) -> bool:
    """Return whether words are levels of a scale, but for those for no answer."""
    places = {text: _place(scale, text) for text in texts}
    unknown = [text for text, place in places.items() if place is None]
    return len(unknown) < len(places) and all(map(means_no_answer, unknown))


def _of_levels(texts: Iterable[str], scale: UsualScale, part: tuple[int, ...]) -> WordedColumn:
    """Return what words mean that are levels of a scale."""
    code = {place: float(number) for number, place in enumerate(part, 1)}
    labels: dict[float, str] = {}
    answers: dict[str, float] = {}
    missing = []
    for text in texts:
        place = _place(scale, text)
        if place is None:
            missing.append(text)
        elif labels.setdefault(code[place], text) != text:
            answers[text] = code[place]
    latin = all(text.isascii() for text in labels.values())
    for place, own in code.items():
        usual = (word for word in scale.levels[place] if word.isascii() == latin)
        labels.setdefault(own, next(usual))
    ordered: dict[float | str, str] = {own: labels[own] for own in sorted(labels)}
    ends = (1.0, float(len(part)))
    return WordedColumn(tuple(sorted(labels)), ordered, answers, tuple(missing), (), ends)
