"""Folds: parts of the sample that are held out in turn, drawn at random or given."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import OptionError
from csimodel.estimators import Fit
from csimodel.options import generator_of, require_count, shown

Codes = NDArray[np.intp]

_MOST = 1_000  # repetitions


def split(rows: int, unit: Codes | None, folds: int, rng: np.random.Generator) -> Codes:
    """Return a fold for each respondent, of about equal numbers, clusters kept together.

    Raises
    ------
    OptionError
        When there are fewer than 2 folds, or fewer respondents or clusters than folds.
    """
    units = rows if unit is None else int(unit.max()) + 1
    if not 2 <= folds <= units:
        what = "respondents" if unit is None else "clusters"
        raise OptionError(f"folds={folds!r} must be from 2 to the number of {what}, {units}.")
    fold = np.empty(units, dtype=np.intp)
    fold[rng.permutation(units)] = np.arange(units) % folds
    return fold if unit is None else fold[unit]


def folds_of(
    fit: Fit,
    folds: int | ArrayLike,
    repetitions: int,
    rng: int | np.random.Generator | None,
    purpose: str,
) -> Codes:
    """Return the fold of each respondent in each repetition, codes 0, 1, …, (repetitions, rows).

    Parameters
    ----------
    fit
        Whose respondents are divided.
    folds
        Number of folds; or the fold of each respondent of the survey, or of the fit, one column a
        repetition where there are several.
    repetitions
        How often respondents are divided anew, where `folds` is a number.
    rng
        Seed or Generator.
    purpose
        The function that holds folds out.

    Raises
    ------
    OptionError
        For folds that are none.
    """
    answers = fit.require_answers(purpose)
    rows = len(answers.values)
    if isinstance(folds, int | np.integer | str) or folds is None:
        count = require_count("folds", folds, ", and 5 to 10 as a rule", least=2)
        times = require_count("repetitions", repetitions, ", and 1 to 10 as a rule", most=_MOST)
        generator = generator_of(rng)
        divided = [split(rows, answers.cluster, count, generator) for _ in range(times)]
        return np.stack(divided)
    labels = _labels(fit, folds)
    if labels.shape[0] != rows and labels.shape[0] > answers.rows.max():
        labels = labels[answers.rows]
    codes = [pd.factorize(column, sort=False)[0] for column in labels.T]
    if min(column.min() for column in codes) < 0:
        raise OptionError("folds has no value for some respondents; give each of them a fold.")
    if min(column.max() for column in codes) < 1:
        raise OptionError("folds puts all respondents into one fold; give at least two folds.")
    return np.stack(codes).astype(np.intp)


def _labels(fit: Fit, folds: ArrayLike) -> NDArray[np.generic]:
    """Return the folds given, (rows, repetitions)."""
    answers = fit.require_answers("folds")
    given = len(answers.values)
    allowed = {given} if fit.survey is None else {given, len(fit.survey.data)}
    sizes = " or ".join(f"{size:,}" for size in sorted(allowed))
    refusal = OptionError(
        f"folds={shown(folds)} must be a number of folds, or a fold for each respondent: {sizes} "
        "values, one column for each repetition."
    )
    own = folds.index if isinstance(folds, pd.Series | pd.DataFrame) else None
    try:
        labels = np.asarray(folds)
    except ValueError:
        raise refusal from None
    if labels.ndim == 1:
        labels = labels[:, None]
    if labels.ndim != 2 or labels.shape[0] not in allowed or not labels.shape[1]:
        raise refusal
    if labels.dtype.kind == "O" and not all(isinstance(entry, _LABELS) for entry in labels.flat):
        raise refusal
    known = fit.respondents if len(labels) == given else None
    of_survey = None if fit.survey is None else fit.survey.data.index
    same = own is None or any(i is not None and own.equals(i) for i in (known, of_survey))
    if not same and not isinstance(own, pd.RangeIndex):
        raise OptionError(
            "folds has other row labels than the respondents of the survey; bring it into their "
            "order, or give folds.to_numpy() where it is in that order."
        )
    return labels


_LABELS = (str, int, float, np.generic, type(None), type(pd.NA), pd.Timestamp)
