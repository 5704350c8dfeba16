"""Which items of a survey, or of a frame, are looked at before there is a model of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError
from csimodel.options import number_of, require_names, shown
from csimodel.survey import Survey, read_survey
from csimodel.survey.headers import require_column

Floats = NDArray[np.float64]


def survey_of(survey: object) -> Survey:
    """Return a survey as it is, or a frame as `read_survey` reads it.

    Raises
    ------
    OptionError
        For anything else.
    SurveyError
        For a frame that cannot be read.

    Examples
    --------
    >>> survey_of(pd.DataFrame({"q1": [3, 7]})).source
    'frame'
    """
    if isinstance(survey, Survey):
        return survey
    if isinstance(survey, pd.DataFrame):
        return read_survey(survey)
    raise OptionError(
        f"survey={shown(survey)} must be a survey or a DataFrame; read a file with "
        "csi.read_survey(path)."
    )


def item_names(survey: Survey, items: Sequence[str] | None, fewest: int = 1) -> tuple[str, ...]:
    """Return the columns of the items asked for: by default those declared, or all but the design.

    Raises
    ------
    OptionError
        When they are no names, or fewer than needed.
    SurveyError
        When one is not a column.

    Examples
    --------
    >>> item_names(read_survey(pd.DataFrame({"q1": [3, 7], "w": [1, 2]}), weights="w"), None)
    ('q1',)
    """
    if items is None:
        names = tuple(survey.items) or tuple(
            str(name) for name in survey.data.columns if name not in design_columns(survey)
        )
        if len(names) < fewest:
            raise SurveyError(
                f"The survey has {len(names)} items, and {fewest} are needed; name columns as "
                "items=[…]."
            )
        return names
    names = tuple(
        require_column(survey.data, name, "items") for name in require_names("items", items)
    )
    require_names("items", list(names))
    if len(names) < fewest:
        raise OptionError(f"items={shown(items)} names {len(names)}; give at least {fewest}.")
    return names


def weighted_means(values: Floats, weights: Floats) -> Floats:
    """Return means of columns over the rows that have a value, NaN where none has.

    >>> weighted_means(np.array([[1.0, np.nan], [4.0, np.nan]]), np.array([2.0, 1.0]))
    array([ 2., nan])
    """
    known = np.isfinite(values)
    own = known * weights[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((np.where(known, values, 0.0) * own).sum(axis=0) / own.sum(axis=0))


def skip_rules(asked_if: object) -> dict[str, tuple[str, float]]:
    """Return of each item asked of some only the column and the answer with which it is asked.

    Raises
    ------
    OptionError
        For anything else.

    Examples
    --------
    >>> skip_rules({"HANDLE": ("COMP", 1)})
    {'HANDLE': ('COMP', 1.0)}
    """
    rules: dict[str, tuple[str, float]] = {}
    for name, rule in (asked_if if isinstance(asked_if, Mapping) else {}).items():
        pair = rule if isinstance(rule, tuple | list) and len(rule) == 2 else (None, None)
        answer = number_of(pair[1])
        if not isinstance(name, str) or not isinstance(pair[0], str) or answer is None:
            raise OptionError(
                f"asked_if[{name!r}]={shown(rule)} must be a column and the answer with which the "
                "item is asked, as in {'HANDLE': ('COMP', 1)}."
            )
        rules[name] = (pair[0], answer)
    return rules


def design_columns(survey: Survey) -> frozenset[str]:
    """Return the columns that say how the sample was drawn."""
    own = {survey.weights, survey.strata, survey.cluster, survey.subcluster, survey.subpopulation}
    if isinstance(survey.population, str):
        own.add(survey.population)
    return frozenset(name for name in {*own, *survey.replicate_weights} if name is not None)
