"""Composed items: the answer to the question that each respondent was asked, times its sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.survey.checks import number, numeric_block
from csimodel.survey.composition import Composition
from csimodel.survey.headers import require_column
from csimodel.survey.survey import Survey
from csimodel.survey.table import with_column

Floats = NDArray[np.float64]


def composed(survey: Survey, compositions: Mapping[str, Composition]) -> Survey:
    """Return the survey with composed items as columns, and what they count in findings.

    Raises
    ------
    SurveyError
        When a column is not there, the item's name is one already, or one respondent answered two
        of its questions.
    """
    for name, own in compositions.items():
        survey = _with_item(survey, name, own)
    return survey


def _with_item(survey: Survey, name: str, own: Composition) -> Survey:
    if name in survey.data:
        raise SurveyError(
            f"The composed item {name!r} is a column of the data already; give it another name in "
            "the codebook."
        )
    rows = len(survey.data)
    value, asked = np.full(rows, np.nan), np.zeros(rows, dtype=np.bool_)
    coded = np.zeros(rows, dtype=np.bool_)
    outside, censored = 0, 0
    for part in own.parts:
        column = require_column(survey.data, part.column, f"The composed item {name!r}")
        by = require_column(survey.data, part.by, f"The composed item {name!r}")
        answers, rule = numeric_block(survey.data, [column, by])[0].T
        here = (rule >= part.lowest) & (rule <= part.highest)
        twice = np.flatnonzero(here & asked)
        if len(twice):
            raise SurveyError(
                f"Row {int(twice[0]) + 1} was asked two questions of the composed item {name!r} by "
                f"its answer {number(rule[twice[0]])} to {by!r}; the ranges of asked must not "
                "overlap."
            )
        outside += int((~here & ~np.isnan(answers)).sum())
        gone = np.isin(answers, own.item.missing_codes)
        before = survey.coded.get(column)
        if before is not None:
            gone[before] = True
        kept = here & ~gone & ~np.isnan(answers)
        value[kept] = part.sign * answers[kept]
        censored += int(np.isin(answers[kept], own.censored).sum())
        coded |= here & gone
        asked |= here
    findings = _findings(name, own, int(asked.sum()), value, censored, outside)
    item = replace(own.item, missing_codes=())
    return replace(
        survey,
        data=with_column(survey.data, name, value),
        items={**survey.items, name: item},
        coded={**survey.coded, name: np.flatnonzero(coded)},
        unasked={**survey.unasked, name: np.flatnonzero(~asked)},
        findings=(*survey.findings, *findings),
    )


def _findings(
    name: str, own: Composition, asked: int, value: Floats, censored: int, outside: int
) -> tuple[Finding, ...]:
    columns = tuple(part.column for part in own.parts)
    answered = int((~np.isnan(value)).sum())
    values = {"item": name, "columns": columns, "asked": asked, "answered": answered}
    findings = [Finding("item-composed", _COMPOSED, (name,), "note", answered, values)]
    if censored:
        counted = {"item": name, "censored": censored, "answered": answered}
        findings.append(Finding("answers-censored", _CENSORED, (name,), "note", censored, counted))
    if outside:
        left = {"item": name, "outside": outside, "columns": columns}
        findings.append(
            Finding("answers-outside-rule", _OUTSIDE, columns, "warning", outside, left)
        )
    return tuple(findings)


_COMPOSED = (
    "{item} is composed of {columns}, of which each respondent is asked one: {asked:,} were asked, "
    "and {answered:,} answered."
)
_CENSORED = (
    "{censored:,} of {answered:,} answers to {item} {censored:stands|stand} for so much or more; "
    "how far beyond {censored:it lies|they lie} is not known, so means and effects of it are "
    "drawn towards the middle."
)
_OUTSIDE = (
    "Answers to {columns} of respondents who were not to be asked are left out of {item}; there "
    "{outside:is|are} {outside:,} of them, so look whether the rule is right."
)
