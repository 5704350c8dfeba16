"""Scores of new respondents, by the weights, means and standard deviations of a fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import SurveyError, suggest
from csimodel.findings import Finding, listed
from csimodel.moments import Moments
from csimodel.survey import Answers, Item, Survey, read_survey
from csimodel.survey.checks import (
    extremes,
    numeric_block,
    require_bounds,
    require_finite,
)
from csimodel.survey.headers import column_of

Floats = NDArray[np.float64]

_ONE_WITHOUT_SCORE = (
    "{rows} of {total} rows lacks an answer and has no score of the constructs it belongs to: "
    "{items:8}."
)
_WITHOUT_SCORE = (
    "{rows} of {total} rows lack answers and have no score of the constructs these belong to: "
    "{items:8}."
)
_ONE_FILLED = "{cells} missing cell counts as the mean of the item in the fit: {items}."
_FILLED = "{cells} missing cells count as the means of their items in the fit: {items:8}."


def new_answers(
    data: object,
    blocks: Mapping[str, Sequence[str]],
    moments: Moments,
    known: Survey | None,
    filled: bool,
) -> tuple[Answers, pd.Index]:
    """Return new answers to items of a model, every row with its label.

    They are read as those of the fit were.

    Parameters
    ----------
    data
        A `Survey`, or what `read_survey` takes.
    blocks
        Items by construct.
    moments
        Of the fit, whose bounds hold.
    known
        The survey of the fit, which says what items were asked the other way round and which
        codes stand for no answer.
    filled
        Whether a missing answer counts as the mean of the fit.

    Raises
    ------
    SurveyError
        For columns that are not there, hold text, or answers outside the scales of the fit.
    """
    items = tuple(item for block in blocks.values() for item in block)
    survey = data if isinstance(data, Survey) else read_survey(data)
    columns = _columns(survey.data, items)
    if not isinstance(data, Survey) and known is not None:
        own = [
            replace(known.items.get(item, Item(item)), name=column, construct=None)
            for item, column in zip(items, columns, strict=True)
        ]
        survey = read_survey(survey, items=own)
    values, _ = numeric_block(survey.data, columns)
    places = [moments.items.index(item) for item in items]
    minimum, maximum = moments.minimum[places], moments.maximum[places]
    low, high, _ = extremes(values)
    require_finite(values, columns, low, high, None)
    require_bounds(values, columns, low, high, minimum, maximum)
    answers = Answers(
        items=items,
        values=values,
        weights=None,
        strata=None,
        cluster=None,
        rows=np.arange(len(values)),
        missing="mean" if filled else "pairwise",
        findings=tuple(_findings(values, columns, filled)),
        minimum=minimum,
        maximum=maximum,
    )
    return answers, survey.data.index


def _columns(frame: pd.DataFrame, items: Sequence[str]) -> list[str]:
    """Return the column of each item.

    Raises
    ------
    SurveyError
        Naming all that are not there.
    """
    columns = {item: column_of(frame.columns, item) for item in items}
    absent = [item for item, column in columns.items() if column is None]
    if absent:
        raise SurveyError(
            f"The new data have no column for {listed(map(repr, absent))}"
            f"{suggest(absent[0], frame.columns)}; scores need all {len(items)} items "
            "that the fit has weights for."
        )
    return [column for column in columns.values() if column is not None]


def _findings(values: Floats, columns: Sequence[str], filled: bool) -> Iterator[Finding]:
    """Count missing answers."""
    gaps = np.isnan(values)
    cells, rows = gaps.sum(axis=0), int(gaps.any(axis=1).sum())
    if not rows:
        return
    short = np.flatnonzero(cells).tolist()
    names = tuple(columns[place] for place in short)
    items = tuple(f"{columns[place]} ({cells[place]})" for place in short)
    if filled:
        total = int(cells.sum())
        cell = _ONE_FILLED if total == 1 else _FILLED
        values_of = {"cells": total, "items": items}
        yield Finding("new-cells-filled", cell, names, "note", total, values_of)
        return
    shown = {"rows": rows, "total": len(values), "items": items}
    template = _ONE_WITHOUT_SCORE if rows == 1 else _WITHOUT_SCORE
    yield Finding("rows-without-score", template, names, "warning", rows, shown)
