"""The satisfaction level, CSM: worded answers on -60 to 60, by brand and attribute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.domains import function_of_means
from csimodel.measures.levels import Levels, satisfaction_scale
from csimodel.measures.measure import Measure
from csimodel.measures.respondents import GroupedSurvey, Names
from csimodel.survey import Survey
from csimodel.translation import message


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SatisfactionLevel(Measure):
    """Satisfaction levels of brands, over all attributes and by attribute.

    Attributes
    ----------
    by_attribute
        The mean level of each attribute: with `table` and `differences` of its own.
    """

    by_attribute: Measure

    @property
    def attributes(self) -> pd.DataFrame:
        """Mean level by attribute, of each group: columns as in `table`."""
        return self.by_attribute.table


@own_errstate
@checked
def satisfaction_level(
    data: Survey | pd.DataFrame,
    attributes: Names | None = None,
    *,
    by: Names | None = None,
    levels: Levels | None = None,
    level: float = 0.95,
) -> SatisfactionLevel:
    """Score brands by the satisfaction level (CSM) of their attributes, ``Σ x / n``.

    x is -60, -40, -20, 0, 20, 40 or 60 for very dissatisfied, dissatisfied, rather dissatisfied,
    neutral, rather satisfied, satisfied and very satisfied; n counts the answers to all attributes,
    so that an attribute that nobody rated counts neither way. The error is that of a ratio of
    means, as the number of answers differs between respondents.

    Parameters
    ----------
    data
        A survey or frame, a row for each respondent (or for each brand). Weights, strata and
        clusters are the survey's.
    attributes
        Columns that were rated; the survey's items by default, or all columns but `by`.
    by
        Column or columns that make groups, such as the brand.
    levels
        Values of other levels: in order from the lowest, or by wording. Answers are then these
        wordings, these values, or (in order) ranks from 1. By default answers are the seven
        wordings in English or Chinese, ranks 1 to 7, or the seven values.
    level
        Coverage.

    Returns
    -------
    SatisfactionLevel
        ``table`` (by group), ``differences`` (every two groups, Holm), ``attributes``, which
        `csi.plots.profile` draws. A brand of one row has no error.

    Raises
    ------
    SurveyError
        When an answer is no level, or a column is not there.
    OptionError
        When the levels are no numbers.

    Notes
    -----
    Teaching texts give brands A and B of the example as 23.2 and 46.6, which are rounded down.

    Examples
    --------
    >>> brands = pd.DataFrame({
    ...     "brand": ["A", "B", "C", "D"], "quality": [40, 60, -60, 40],
    ...     "function": [20, 40, -40, 0], "price": [60, 60, 40, 20], "design": [-20, 20, -40, 40],
    ...     "taste": [0, 40, -40, 20], "packaging": [40, 60, -40, 0],
    ... })
    >>> satisfaction_level(brands, by="brand").table["estimate"].round(4).tolist()
    [23.3333, 46.6667, -30.0, 20.0]
    """
    grouped = GroupedSurvey.of(data, by)
    chosen = grouped.others() if attributes is None else grouped.names("attributes", attributes)
    scale = satisfaction_scale(levels)
    labels = grouped.survey.value_labels
    values = scale.of({name: grouped.cells(name) for name in chosen}, labels)
    rated = np.isfinite(values).sum(axis=1, keepdims=True).astype(np.float64)
    sums = np.nansum(values, axis=1, keepdims=True)
    columns = np.where(rated > 0, np.concatenate([sums, rated], axis=1), np.nan)
    told = grouped.findings(chosen, values)
    return SatisfactionLevel(
        title=message("Satisfaction level"),
        statistics=function_of_means(grouped.domains, columns, _ratio),
        groups=grouped.labels,
        names=None,
        level=level,
        told=told,
        by_attribute=Measure(
            "Satisfaction level by attribute",
            function_of_means(grouped.domains, values),
            grouped.labels,
            pd.Index(chosen, name="attribute"),
            level,
            told=told,
        ),
    )


def _ratio(mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
    return mean[..., :1] / mean[..., 1:]
