"""What estimators of ordered answers share: which items are ordered, and their statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import EstimationError, ModelError, OptionError, suggest
from csimodel.model import Model
from csimodel.moments.fourth import Weighting
from csimodel.moments.ordinal import OrdinalMoments, ordinal_moments
from csimodel.options import shown
from csimodel.survey import Answers

Ordered = str | Sequence[str]


def ordered_names(ordered: object, otherwise: str) -> Ordered:
    """Return ``"all"``, or the names of ordered items as a tuple.

    Parameters
    ----------
    ordered
        What the user gave as `ordered`.
    otherwise
        What is used where no item is ordered, for the message.

    Raises
    ------
    OptionError
        For anything but ``"all"`` and a list of names.
    """
    if isinstance(ordered, str) and ordered == "all":
        return "all"
    names = ordered if isinstance(ordered, list | tuple) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise OptionError(
            f"ordered={shown(ordered)} must be 'all' or a list of item names such as "
            f"['CUSA1', 'CUSA2']; where no item is ordered, use {otherwise}."
        )
    return tuple(names)


def ordered_among(ordered: Ordered, items: Sequence[str]) -> tuple[str, ...]:
    """Return the ordered ones among items.

    >>> ordered_among(("b",), ["a", "b"])
    ('b',)
    """
    if ordered == "all":
        return tuple(items)
    return tuple(item for item in items if item in ordered)


def require_ordered_items(ordered: Ordered, model: Model) -> None:
    """Refuse ordered items that are not in the model.

    Raises
    ------
    ModelError
        Naming the first.
    """
    for name in () if ordered == "all" else ordered:
        if name not in model.answered:
            raise ModelError(
                f"Ordered item {name!r} is not in the model{suggest(name, model.answered)}."
            )


def ordinal_statistics(
    answers: Answers,
    ordered: Ordered,
    label: str,
    *,
    normal: bool = False,
    cluster: NDArray[np.intp] | None = None,
    weighting: Weighting = "probability",
) -> OrdinalMoments:
    """Return thresholds and correlations of one sample of complete answers.

    Parameters
    ----------
    answers
        To the items of a model.
    ordered
        Which of them are ordered.
    label
        What the estimator is called, for messages.
    normal, cluster, weighting
        As in `ordinal_moments`.

    Raises
    ------
    EstimationError
        When cells are missing, or a correlation has no maximum inside ±1.
    SurveyError
        When an ordered item has one category.
    """
    if answers.missing != "complete":
        raise EstimationError(
            f"{label} needs complete answers and cells are missing; use a survey with "
            "missing='listwise'."
        )
    ordinal = ordinal_moments(
        answers.values,
        answers.items,
        ordered_among(ordered, answers.items),
        answers.weights,
        normal=normal,
        cluster=cluster,
        weighting=weighting,
    )
    for finding in ordinal.findings:
        if finding.severity == "failure":
            raise EstimationError(str(finding))
    return ordinal
