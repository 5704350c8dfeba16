"""A codebook drafted from the data, for the user to edit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from os import PathLike

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import SurveyError
from csimodel.findings import Finding, tell
from csimodel.survey.cells import Decimal
from csimodel.survey.checks import column_values
from csimodel.survey.codebook import Codebook
from csimodel.survey.codes import distant_codes
from csimodel.survey.item import Item
from csimodel.survey.labelled import codes_of_no_answer
from csimodel.survey.read import read_survey
from csimodel.survey.survey import Survey
from csimodel.survey.worded_drafts import WordedColumn, worded_columns

_SCALES = ((1.0, 5.0), (1.0, 7.0), (1.0, 10.0), (0.0, 10.0), (0.0, 100.0))
_LEAST = 3  # different answers of a rating
_NAME = re.compile(r"(.*?)[_ .-]?\d+[a-z]?")


@checked
def draft_codebook(
    data: str | PathLike[str] | pd.DataFrame | Survey,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    decimal: Decimal | None = None,
) -> Codebook:
    """Draft a codebook from a file: labels become wordings and codes, answers suggest the scales.

    Columns of whole numbers that look like ratings become items. Their scale is that of their value
    labels, or the smallest usual one (1-5, 1-7, 1-10, 0-10, 0-100) that holds the answers; codes
    whose label means no answer, or that lie far from the scale, become missing codes. So do answers
    in words that stand beside a number ("8 - good"), or are those of a usual scale in English or
    Chinese (very dissatisfied to very satisfied, 非常不同意 to 非常同意), whose codes run from 1;
    what they mean is written as labels, by which `read_survey` reads them. Items whose names differ
    in a number only (IMAG1, IMAG2) get that name as their construct. All of it is a draft:
    ``print(draft_codebook("file.sav").to_toml())``, edit, and read it with `read_codebook`.

    Parameters
    ----------
    data
        A file (CSV, Parquet, Excel, SPSS, Stata), a frame or a survey.
    sheet, encoding, decimal
        As in `read_survey`.

    Raises
    ------
    SurveyError
        When the data cannot be read.

    Examples
    --------
    >>> from csimodel.findings import collected
    >>> frame = pd.DataFrame({"Q1": [1, 4, 5, 99], "Q2": [2, 2, 5, 3], "age": [31, 54, 23, 61]})
    >>> with collected() as findings:
    ...     book = draft_codebook(frame)
    >>> print(book.to_toml())
    [items]
    Q1 = { construct = "Q", scale = [1, 5], missing_codes = [99] }
    Q2 = { construct = "Q", scale = [1, 5] }
    <BLANKLINE>
    """
    survey = read_survey(data, sheet=sheet, encoding=encoding, decimal=decimal)
    items: dict[str, Item] = {}
    codes: dict[str, tuple[float, ...]] = {}
    texts = dict(survey.value_labels)
    words = worded_columns(survey.data)
    guessed, worded = [], {}
    for name in map(str, survey.data.columns):
        declared = survey.items.get(name)
        if declared is not None:
            items[name] = declared
            continue
        wording = survey.column_labels.get(name)
        if name in words:
            item = _worded_item(name, wording, words[name])
            if item is None:
                continue
            items[name] = item
            if words[name].labels:
                texts[name] = {**words[name].labels, **texts.get(name, {})}
            if words[name].ends is None:
                guessed.append(name)
            else:
                worded[name] = words[name]
            continue
        values = _numbers(survey.data[name])
        labels = survey.value_labels.get(name, {})
        missing = _missing(values, codes_of_no_answer(labels)) if values is not None else ()
        named = _labelled_scale(labels, missing)
        scale = None if values is None else _scale(values, missing, named)
        if scale is None:
            if missing:
                codes[name] = missing
            continue
        if named is None:
            guessed.append(name)
        items[name] = Item(name, None, wording, *scale, missing_codes=missing)
    if guessed:
        told = {"items": tuple(guessed)}
        tell(Finding("scales-drafted", _DRAFTED, tuple(guessed), "note", len(guessed), told))
    if worded:
        tell(_about_words(worded))
    if not items:
        columns = tuple(map(str, survey.data.columns))
        seen = {"columns": columns}
        tell(Finding("no-items-drafted", _NO_ITEMS, (), "warning", len(columns), seen))
    return Codebook(
        items=_with_constructs(items),
        weights=survey.weights,
        strata=survey.strata,
        cluster=survey.cluster,
        column_labels=survey.column_labels,
        value_labels=texts,
        column_codes=codes,
    )


def _worded_item(name: str, wording: str | None, words: WordedColumn) -> Item | None:
    """Return the item of a column of words, None where its codes are no rating."""
    codes = np.array(words.codes)
    missing = tuple(sorted({*words.missing_codes, *distant_codes(codes)}))
    ends = _scale(codes, missing, None) if words.ends is None else words.ends
    if ends is None:
        return None
    return Item(
        name, None, wording, *ends, missing_codes=missing, answers=words.answers,
        missing_words=words.missing_words,
    )  # fmt: skip


def _about_words(worded: Mapping[str, WordedColumn]) -> Finding:
    """Say which columns are taken as levels of usual scales, in which order."""
    scales = tuple(dict.fromkeys(" < ".join(own.labels.values()) for own in worded.values()))
    values = {"items": tuple(worded), "scales": scales}
    return Finding("wordings-drafted", _WORDED, tuple(worded), "note", len(worded), values)


def _numbers(column: pd.Series) -> NDArray[np.float64] | None:
    """Return the numbers of a column, None where it holds anything else or nothing."""
    try:
        values, _ = column_values(column)
    except SurveyError:
        return None
    known = values[np.isfinite(values)]
    return known if len(known) else None


def _missing(values: NDArray[np.float64], labelled: dict[float, str]) -> tuple[float, ...]:
    return tuple(sorted({*labelled, *distant_codes(values)}))


def _labelled_scale(labels: object, missing: tuple[float, ...]) -> tuple[float, float] | None:
    """Return the ends of the codes that have a label and are answers, from three labels on."""
    known = labels if isinstance(labels, dict) else {}
    codes = [code for code in known if isinstance(code, int | float) and code not in missing]
    return (float(min(codes)), float(max(codes))) if len(codes) >= _LEAST else None


def _scale(
    values: NDArray[np.float64], missing: tuple[float, ...], named: tuple[float, float] | None
) -> tuple[float, float] | None:
    """Return the scale of a rating, None of a column that is none."""
    answers = values[~np.isin(values, missing)]
    if not len(answers) or (answers != np.round(answers)).any():
        return None
    low, high = answers.min(), answers.max()
    if named is not None:
        return named if named[0] <= low and high <= named[1] else None
    if len(np.unique(answers)) < _LEAST or high > 10:
        return None
    return next((ends for ends in _SCALES if ends[0] <= low and high <= ends[1]), None)


def _with_constructs(items: dict[str, Item]) -> dict[str, Item]:
    """Return items with the part of the name before a number as construct, where it is shared."""
    stems = {name: match[1] for name in items if (match := _NAME.fullmatch(name)) and match[1]}
    shared = Counter(stems.values())
    return {
        name: item
        if item.construct is not None or shared[stems.get(name, "")] < 2
        else replace(item, construct=stems[name])
        for name, item in items.items()
    }


_DRAFTED = (
    "The scales of {items:10} are the smallest usual ones that hold their answers; correct them by "
    "the questionnaire."
)
_WORDED = (
    "The words of {items:10} are coded from 1 in the order of a usual scale, {scales:5}; correct "
    "codes and levels by the questionnaire."
)
_NO_ITEMS = (
    "No column looks like a rating, of whole numbers or words of a usual scale, so the draft has "
    "no items: {columns:10}; say how the file is written (encoding, decimal sign), or write the "
    "items by hand."
)
