"""Which columns of a survey without declared items are described, and which hold words, too."""

from __future__ import annotations

import pandas as pd

from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.measures.respondents import GroupedSurvey
from csimodel.survey.checks import column_values

_MOSTLY = 0.5  # share of cells from which a column is one of numbers


def described_columns(
    given: GroupedSurvey, duration: str | None
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Return the items declared, or the columns of numbers, and what is told of the others.

    Raises
    ------
    SurveyError
        When no column holds numbers.
    """
    data = given.survey.data
    others = [name for name in given.others() if name != duration]
    if given.survey.items:
        return tuple(others), ()
    names, words = list[str](), dict[str, tuple[str, int]]()
    for name in others:
        try:
            column_values(data[name])
        except SurveyError:
            seen = _words_beside_numbers(data[name])
            if seen is not None:
                words[name] = seen
            continue
        names.append(name)
    if not names:
        raise SurveyError(_refusal(data, others))
    return tuple(names), _about_words(words)


def _words_beside_numbers(column: pd.Series) -> tuple[str, int] | None:
    """Return the first word of a column of numbers and how many there are, None of another.

    >>> _words_beside_numbers(pd.Series(["7", "Blank", "9", None], dtype=object))
    ('Blank', 1)
    >>> _words_beside_numbers(pd.Series(["north", "south", "9"]))
    """
    cells = column.dropna().astype(str)
    is_word = pd.to_numeric(cells, errors="coerce").isna().to_numpy()
    if not len(cells) or is_word.mean() > 1 - _MOSTLY:
        return None
    return str(cells.iloc[is_word.argmax()])[:40], int(is_word.sum())


def _about_words(words: dict[str, tuple[str, int]]) -> tuple[Finding, ...]:
    if not words:
        return ()
    cells = tuple(f"{name} ({count})" for name, (_, count) in words.items())
    values = {"cells": cells, "word": next(iter(words.values()))[0]}
    return (Finding("words-beside-numbers", _WORDS, tuple(words), "warning", len(words), values),)


def _refusal(data: pd.DataFrame, others: list[str]) -> str:
    cells = {name: data[name].dropna() for name in others}
    name = next((name for name in others if len(cells[name])), None)
    if name is None:
        return "No column of the data holds numbers; name the items as items=[…]."
    return (
        f"No column of the data holds numbers: {name!r} begins with "
        f"{str(cells[name].iloc[0])[:40]!r}; say how numbers are written with decimal=, which "
        "words are no answer with missing_codes=, or what words mean in a codebook."
    )


_WORDS = (
    "Not described are columns of numbers with words among them, such as {word!r}: {cells:10}; "
    "name words that are no answer as missing codes, and give others their codes in a codebook."
)
