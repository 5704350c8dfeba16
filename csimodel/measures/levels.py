"""Worded answers, ranks and values of an ordered scale → the values of its levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError, suggest
from csimodel.findings import listed
from csimodel.options import number_of, require_numbers, shown
from csimodel.survey.checks import number
from csimodel.survey.usual_wordings import IMPORTANCE, SATISFACTION, UsualScale
from csimodel.survey.wordings import wording_key

Floats = NDArray[np.float64]
Levels = Mapping[str, float] | Sequence[float]  # values of levels: by wording, or in order

_SATISFACTION = (-60.0, -40.0, -20.0, 0.0, 20.0, 40.0, 60.0)
_IMPORTANCE = (1.0, 2.0, 3.0, 4.0, 5.0)


@dataclass(frozen=True)
class OrderedScale:
    """An ordered scale.

    Attributes
    ----------
    values
        Of its levels, from the lowest.
    words
        Value of each wording, in lower case.
    ranks
        Whether whole numbers from 1 stand for the levels, where answers are not values themselves.
    option
        Which option says other levels.
    """

    values: tuple[float, ...]
    words: Mapping[str, float]
    ranks: bool
    option: str

    def of(self, columns: Mapping[str, pd.Series], labels: Mapping[str, Mapping[float | str, str]]
           ) -> Floats:  # fmt: skip
        """Return the values of answers, (rows, columns); NaN where nothing was answered.

        Parameters
        ----------
        columns
            Cells by column.
        labels
            Labels of codes by column, of those that have any.

        Raises
        ------
        SurveyError
            For an answer that is none of the levels; it is named with its column and row.
        """
        each = {name: _distinct(cells) for name, cells in columns.items()}
        known = {
            name: [self._worded(answer, labels.get(name, {})) for answer in answers]
            for name, (_, answers) in each.items()
        }
        numbers = {
            value
            for name, (_, answers) in each.items()
            for answer, worded in zip(answers, known[name], strict=True)
            if worded is None and (value := _number(answer)) is not None
        }
        ranked = self.ranks and bool(numbers) and not numbers <= set(self.values)
        table = np.empty((len(next(iter(columns.values()))), len(columns)))
        for place, (name, (codes, answers)) in enumerate(each.items()):
            values = [
                self._numbered(_number(answer), ranked) if worded is None else worded
                for answer, worded in zip(answers, known[name], strict=True)
            ]
            wrong = [k for k, value in enumerate(values) if value is None]
            if wrong:
                self._refuse(name, answers[wrong[0]], int(np.flatnonzero(codes == wrong[0])[0]))
            own = np.array([*(np.nan if v is None else v for v in values), np.nan])
            table[:, place] = own[codes]
        return table

    def _worded(self, answer: object, labels: Mapping[float | str, str]) -> float | None:
        if isinstance(answer, str):
            return self.words.get(wording_key(answer))
        value = _number(answer)
        label = None if value is None else labels.get(value)
        return None if label is None else self.words.get(wording_key(label))

    def _numbered(self, value: float | None, ranked: bool) -> float | None:
        if value is None:
            return None
        if not ranked:
            return value if value in self.values else None
        inside = value.is_integer() and 1 <= value <= len(self.values)
        return self.values[int(value) - 1] if inside else None

    def _refuse(self, name: str, answer: object, row: int) -> None:
        words = [word for word in self.words if word.isascii()] or list(self.words)
        ending = suggest(answer, list(self.words)) if isinstance(answer, str) else ""
        allowed = listed(map(repr, words), 9) if words else "none in words"
        values = listed(map(number, self.values), 11)
        ranks = f", ranks 1 to {len(self.values)}" if self.ranks else ""
        raise SurveyError(
            f"Column {name!r} holds {shown(answer)} in row {row + 1}, which is no level of the "
            f"scale{ending}; levels are {allowed}{ranks}, or the values {values}; give others "
            f"with {self.option}=, or make the cells empty."
        )


def satisfaction_scale(levels: Levels | None) -> OrderedScale:
    """Return the seven levels from very dissatisfied (-60) to very satisfied (60), or others.

    Raises
    ------
    OptionError
        For levels that are no numbers.
    """
    return _scale("levels", levels, _SATISFACTION, SATISFACTION)


def importance_scale(values: Levels | None) -> OrderedScale:
    """Return the five categories from not important (1) to very important (5), or others.

    Raises
    ------
    OptionError
        For values that are no numbers.
    """
    return _scale("values", values, _IMPORTANCE, IMPORTANCE)


def _scale(
    option: str, levels: Levels | None, values: tuple[float, ...], usual: UsualScale
) -> OrderedScale:
    if levels is None:
        each = zip(values, usual.levels, strict=True)
        words = {word: value for value, level in each for word in level}
        return OrderedScale(values, words, True, option)
    if isinstance(levels, Mapping):
        wordings = {label: number_of(value) for label, value in levels.items()}
        wrong = [label for label, value in wordings.items() if value is None or value != value]
        if wrong or not wordings:
            raise OptionError(
                f"{option}={shown(levels)} must give the number of each wording, such as "
                "{'bad': 1, 'good': 2}."
            )
        known = {wording_key(str(k)): float(v) for k, v in wordings.items() if v is not None}
        return OrderedScale(tuple(sorted(set(known.values()))), known, False, option)
    numbers = require_numbers(option, levels, "the values of the levels, from the lowest")
    if not len(numbers) or not np.isfinite(numbers).all() or (np.diff(numbers) <= 0).any():
        raise OptionError(
            f"{option}={shown(levels)} must be the values of the levels, from the lowest to the "
            "highest, such as (1, 2, 3, 4, 5)."
        )
    return OrderedScale(tuple(numbers.tolist()), {}, True, option)


def _distinct(cells: pd.Series) -> tuple[NDArray[np.intp], list[object]]:
    """Return codes of the answers of a column, -1 where missing, and the different answers."""
    codes, answers = pd.factorize(cells.astype(object))
    return np.asarray(codes, dtype=np.intp), list(answers)


def _number(answer: object) -> float | None:
    """Return an answer as a number, where it is one or the text of one."""
    if isinstance(answer, str):
        try:
            return float(answer)
        except ValueError:
            return None
    return number_of(answer)
