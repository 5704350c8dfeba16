"""The respondents of a fit with columns of their survey, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.characters import composed
from csimodel.errors import ModelError, OptionError, SurveyError, suggest
from csimodel.estimators import Fit
from csimodel.findings import Finding, listed
from csimodel.index import respondent_index
from csimodel.options import shown
from csimodel.outcomes.kernels.families import family_of
from csimodel.outcomes.rows.columns import aligned, labels_of, name_of, numbers, rescaled
from csimodel.outcomes.rows.soundness import soundness
from csimodel.survey import Answers, Survey
from csimodel.survey.headers import clean, column_of

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Column = str | pd.Series | ArrayLike
Constructs = str | Sequence[str]  # looked up in the model, which says what is wrong with them


@dataclass(frozen=True, eq=False)
class Respondents:
    """The rows of a survey that a fit used.

    Attributes
    ----------
    fit
        The fit.
    survey
        Its survey.
    answers
        Its answers, with weights, clusters and the positions of the rows.
    """

    fit: Fit
    survey: Survey
    answers: Answers

    @classmethod
    def of(cls, fit: Fit, what: str) -> Respondents:
        """Take the respondents of a fit.

        Raises
        ------
        SurveyError
            When the fit was made from moments.
        """
        answers = fit.require_answers(what)
        if fit.survey is None:
            raise SurveyError(f"{what} needs the fit's survey; fit a survey or a data frame.")
        return cls(fit, fit.survey, answers)

    def numbers(self, values: Column, what: str) -> tuple[str, Floats]:
        """Return the name and the numbers of a column, (rows,), given by name or as values."""
        column = self._column(values, what)
        name = str(column.name) if isinstance(values, str) else name_of(values, what.lower())
        way_out = "recode it, or give a column of numbers"
        return name, numbers(column, what, name, way_out)[self.answers.rows]

    def labels(self, values: Column, what: str) -> tuple[str, Codes, list[str]]:
        """Return the name of a column, each row's code (-1 where missing) and the labels."""
        column = self._column(values, what).iloc[self.answers.rows]
        name = str(column.name) if isinstance(values, str) else name_of(values, what.lower())
        codes, labels = labels_of(column, f"{what} {name!r}")
        if not len(labels):
            raise SurveyError(f"{what} {name!r} is missing for all {len(column)} respondents.")
        return name, np.asarray(codes, dtype=np.intp), [str(label) for label in labels]

    def indexes(self, index: Constructs) -> dict[str, Floats]:
        """Return the indexes of constructs, 0 to 100, each (rows,).

        Raises
        ------
        ModelError
            When a construct is not in the model.
        OptionError
            When none is named, or one twice.
        """
        names = constructs_named(index, self.fit.model.construct_names)
        scores = respondent_index(self.fit)
        return {name: scores[name].to_numpy() for name in names}

    def controls(self, controls: str | Sequence[str]) -> dict[str, Floats]:
        """Return columns of numbers by name, each (rows,)."""
        names = [controls] if isinstance(controls, str) else list(controls)
        return {name: self.numbers(name, "Control")[1] for name in names}

    def outcome(
        self, values: Column, scale: tuple[float, float] | None = None
    ) -> tuple[str, Floats]:
        """Return the name of an outcome and its values from 0 to 1, (rows,).

        Its scale is the survey's unless one is given; 0 and 1 need none.

        Raises
        ------
        SurveyError
            When the scale is unknown or an answer lies outside it.
        """
        label, found = self.numbers(values, "Outcome")
        item = self.survey.items.get(label)
        stated = label in map(clean, self.fit.model.items) or (
            item is not None and not item.assumed
        )
        made = not isinstance(values, str) and np.isin(found[np.isfinite(found)], (0.0, 1.0)).all()
        low, high = (float(bound[0]) for bound in self.survey.bounds([label]))
        if scale is None and stated and not made and np.isfinite([low, high]).all():
            scale = (low, high)
        return label, rescaled(found, label, family_of("ols"), scale)

    def findings(self, indexes: Sequence[str], outcome: str = "") -> tuple[Finding, ...]:
        """Say when the index comes from a model that is not sound, or holds the outcome itself."""
        return tuple(soundness(self.fit, indexes, outcome))

    def _column(self, values: Column, what: str) -> pd.Series:
        data = self.survey.data
        if not isinstance(values, str):
            return aligned(values, data.index, f"{what} {name_of(values, what.lower())!r}")
        column = column_of(data.columns, values)
        if column is None:
            raise SurveyError(
                f"{what} {values!r} is not a column of the survey{suggest(values, data.columns)}; "
                "name one of its columns, or give a Series with a value for each row."
            )
        return data[column]


def constructs_named(index: object, known: Sequence[str]) -> list[str]:
    """Return the constructs whose indexes are meant, in order.

    Raises
    ------
    ModelError
        When a construct is not in the model.
    OptionError
        When none is named, or one twice.

    Examples
    --------
    >>> constructs_named("Image", ["Image", "Value"])
    ['Image']
    """
    names: list[object] = [index]
    if isinstance(index, list | tuple | pd.Index | pd.Series | np.ndarray):
        names = list(index)
    named = [composed(name) for name in names if isinstance(name, str)]
    if not named or len(named) < len(names) or len(set(named)) < len(named):
        raise OptionError(
            f"index={shown(index)} must name one construct, or several different ones; use "
            f"{listed(map(repr, known), 12)}."
        )
    for name in named:
        if name not in known:
            raise ModelError(
                f"index={name!r} is not a construct of the model{suggest(name, known)}; use "
                f"index= with one of {', '.join(map(repr, known))}."
            )
    return named
