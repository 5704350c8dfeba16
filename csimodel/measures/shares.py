"""Shares of answers: the top and bottom boxes of a scale, net scores, the net promoter score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.domains import function_of_means
from csimodel.measures.measure import Measure
from csimodel.measures.respondents import GroupedSurvey, Names
from csimodel.options import require_count
from csimodel.survey import Survey
from csimodel.survey.checks import extremes, number, require_bounds
from csimodel.survey.headers import ColumnName
from csimodel.translation import message

Floats = NDArray[np.float64]
Ends = tuple[float, float]

_PROMOTER, _DETRACTOR = 9.0, 6.0


@dataclass(frozen=True, eq=False)
class ScaledAnswers:
    """Whole answers on known scales.

    Attributes
    ----------
    grouped
        Whose they are.
    names
        Columns.
    values
        (rows, columns)
    low, high
        Ends of the scales, (columns,).
    """

    grouped: GroupedSurvey
    names: tuple[str, ...]
    values: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, data: Survey | pd.DataFrame, items: Names, by: Names | None, scale: Ends | None
           ) -> ScaledAnswers:  # fmt: skip
        """Take columns of answers, on the scale given or that of the survey.

        Raises
        ------
        SurveyError
            When no scale is known, or an answer lies outside or between its steps.
        """
        grouped = GroupedSurvey.of(data, by)
        names = grouped.names("items", items)
        values = grouped.numbers(names)
        low, high = grouped.survey.bounds(names)
        if scale is not None:
            low, high = (np.full(len(names), float(end)) for end in scale)
            if not (np.isfinite([*low, *high]).all() and scale[0] < scale[1]):
                raise OptionError(
                    f"scale={scale!r} must be the lowest and the highest answer, such as (1, 10)."
                )
        unknown = np.flatnonzero(np.isnan(low) | np.isnan(high))
        if len(unknown):
            raise SurveyError(
                f"The scale of {names[unknown[0]]!r} is unknown; give the lowest and the highest "
                "answer, such as scale=(1, 10)."
            )
        require_bounds(values, names, *extremes(values)[:2], low, high)
        between = np.isfinite(values) & ((values - low) % 1.0 != 0)
        if between.any():
            row, place = (int(own[0]) for own in np.nonzero(between))
            raise SurveyError(
                f"Column {names[place]!r} holds {number(values[row, place])}, which lies between "
                f"the answers of its scale from {number(low[place])}; boxes are whole answers."
            )
        return cls(grouped, names, values, low, high)

    def marks(self, marked: NDArray[np.bool_]) -> Floats:
        """Return 1 for answers that are marked and 0 for the others; NaN where there is none."""
        return np.where(np.isnan(self.values), np.nan, marked.astype(np.float64))

    def boxes(self, boxes: object) -> int:
        """Return a number of boxes that fits the shortest scale.

        Raises
        ------
        OptionError
            For no whole number from 1 to one less than the answers of the scale.
        """
        answers = int((self.high - self.low).min()) + 1
        count = require_count("boxes", boxes)
        if count >= answers:
            raise OptionError(
                f"boxes={count} must be below {answers}, the number of answers of the scale."
            )
        return count

    def measure(self, title: str, values: Floats, level: float, null: float | None = None
                ) -> Measure:  # fmt: skip
        """Return means of values by item as a measure; shares where there is no null value."""
        return Measure(
            title,
            function_of_means(self.grouped.domains, values),
            self.grouped.labels,
            pd.Index(self.names, name="item"),
            level,
            null,
            null is None,
            self.grouped.findings(self.names, self.values),
        )


@own_errstate
@checked
def top_box(
    data: Survey | pd.DataFrame,
    items: Names,
    *,
    boxes: int = 2,
    by: Names | None = None,
    scale: tuple[float, float] | None = None,
    level: float = 0.95,
) -> Measure:
    """Return the share of answers in the highest boxes of a scale, the satisfied share.

    Parameters
    ----------
    data
        A survey or frame; weights, strata and clusters are the survey's.
    items
        A column of answers, or several.
    boxes
        How many answers from the highest count: 2 of five are the satisfied and very satisfied.
    by
        Column or columns that make groups.
    scale
        Lowest and highest answer; the survey's by default.
    level
        Coverage.

    Returns
    -------
    Measure
        Rows items, or (group, item). Limits are Wilson's where respondents were drawn one by one
        with equal weights, else by t on the logit with the design's degrees of freedom, as of R's
        ``svyciprop``. Where everybody answers alike there are limits (Wilson's, with the effective
        number of respondents) and no error.

    Raises
    ------
    SurveyError
        When a scale is unknown, or an answer does not fit it.
    OptionError
        For more boxes than the scale has.

    References
    ----------
    Wilson, E. B. (1927). https://doi.org/10.1080/01621459.1927.10502953

    Korn, E. L., Graubard, B. I. (1998). Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data. Survey Methodology 24, 193-201.

    Examples
    --------
    >>> frame = pd.DataFrame({"overall": [5, 4, 4, 3, 1, 5, 2, 4, 5, 4]})
    >>> row = top_box(frame, "overall", scale=(1, 5)).table.loc["overall"]
    >>> row[["estimate", "lower", "upper"]].astype(float).round(3).tolist()
    [0.7, 0.397, 0.892]
    """
    answers = ScaledAnswers.of(data, items, by, scale)
    count = answers.boxes(boxes)
    marked = answers.values > answers.high - count
    return answers.measure(
        message("Share in the top {count}", count=count), answers.marks(marked), level
    )


@own_errstate
@checked
def bottom_box(
    data: Survey | pd.DataFrame,
    items: Names,
    *,
    boxes: int = 2,
    by: Names | None = None,
    scale: tuple[float, float] | None = None,
    level: float = 0.95,
) -> Measure:
    """Return the share of answers in the lowest boxes of a scale; arguments as of `top_box`.

    Examples
    --------
    >>> frame = pd.DataFrame({"overall": [5, 4, 4, 3, 1, 5, 2, 4, 5, 4]})
    >>> float(bottom_box(frame, "overall", scale=(1, 5)).table["estimate"].iloc[0])
    0.2
    """
    answers = ScaledAnswers.of(data, items, by, scale)
    count = answers.boxes(boxes)
    marked = answers.values < answers.low + count
    return answers.measure(
        message("Share in the bottom {count}", count=count), answers.marks(marked), level
    )


@own_errstate
@checked
def net_score(
    data: Survey | pd.DataFrame,
    items: Names,
    *,
    boxes: int = 2,
    by: Names | None = None,
    scale: tuple[float, float] | None = None,
    level: float = 0.95,
) -> Measure:
    """Return the share in the highest boxes less the share in the lowest, -1 to 1.

    Arguments as of `top_box`; limits by t, p for a balance of 0.

    Examples
    --------
    >>> frame = pd.DataFrame({"overall": [5, 4, 4, 3, 1, 5, 2, 4, 5, 4]})
    >>> round(float(net_score(frame, "overall", scale=(1, 5)).table["estimate"].iloc[0]), 3)
    0.5
    """
    answers = ScaledAnswers.of(data, items, by, scale)
    count = answers.boxes(boxes)
    top, bottom = answers.values > answers.high - count, answers.values < answers.low + count
    if (2 * count > answers.high - answers.low + 1).any():
        raise OptionError(
            f"boxes={count} of the top and of the bottom overlap on this scale; give fewer."
        )
    values = answers.marks(top) - answers.marks(bottom)
    return answers.measure(
        message("Top {count} less bottom {count}", count=count), values, level, 0.0
    )


@own_errstate
@checked
def answer_shares(
    data: Survey | pd.DataFrame,
    item: ColumnName,
    *,
    by: Names | None = None,
    scale: tuple[float, float] | None = None,
    level: float = 0.95,
) -> Measure:
    """Return the share of each answer of an item; arguments as of `top_box`.

    Examples
    --------
    >>> frame = pd.DataFrame({"overall": [3, 2, 2, 3, 1]})
    >>> answer_shares(frame, "overall", scale=(1, 3)).table["estimate"].tolist()
    [0.2, 0.4, 0.4]
    """
    answers = ScaledAnswers.of(data, item, by, scale)
    (low,), (high,) = answers.low, answers.high
    if high - low > _ANSWERS:
        raise OptionError(
            f"The scale of {item!r} has {high - low + 1:,.0f} answers; shares are of at most "
            f"{_ANSWERS + 1}, so use csi.measures.top_box."
        )
    steps = np.arange(low, high + 0.5)
    values = np.where(np.isnan(answers.values), np.nan, answers.values == steps)
    return Measure(
        f"Answers to {answers.names[0]}",
        function_of_means(answers.grouped.domains, values),
        answers.grouped.labels,
        pd.Index([int(step) if step.is_integer() else step for step in steps.tolist()],
                 name="answer"),
        level,
        share=True,
        told=answers.grouped.findings(answers.names, answers.values),
    )  # fmt: skip


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class NetPromoter(Measure):
    """The net promoter score.

    Attributes
    ----------
    parts
        Shares of promoters, passives and detractors.
    """

    parts: Measure

    @property
    def shares(self) -> pd.DataFrame:
        """Shares of promoters (9 and 10), passives (7 and 8) and detractors (0 to 6)."""
        return self.parts.table


@own_errstate
@checked
def net_promoter(
    data: Survey | pd.DataFrame,
    item: ColumnName,
    *,
    by: Names | None = None,
    level: float = 0.95,
) -> NetPromoter:
    """Return the net promoter score: the share of 9 and 10 less the share of 0 to 6, -1 to 1.

    Times 100 it is in the points that are usually published. In a plain sample its variance is
    that of the multinomial distribution, ``(p + d - (p - d)²)/(n - 1)`` with p promoters and d
    detractors; else the design's. Limits are by t.

    Parameters
    ----------
    data
        A survey or frame; weights, strata and clusters are the survey's.
    item
        Column of whole answers from 0 to 10, how likely to recommend.
    by
        Column or columns that make groups.
    level
        Coverage.

    Returns
    -------
    NetPromoter
        ``table`` (one row, or one a group), ``differences``, ``shares``.

    Raises
    ------
    SurveyError
        When an answer is not a whole number from 0 to 10.

    References
    ----------
    Reichheld, F. F. (2003). The one number you need to grow. Harvard Business Review 81(12), 46-54.

    Rocks, B. (2016). Interval estimation for the "net promoter score". The American Statistician
    70, 365-372. https://doi.org/10.1080/00031305.2016.1158124

    Examples
    --------
    >>> frame = pd.DataFrame({"NPS": [10, 9, 9, 8, 7, 6, 3, 10, 10, 8]})
    >>> row = net_promoter(frame, "NPS").table.loc["NPS"]
    >>> row[["estimate", "se"]].astype(float).round(4).tolist()
    [0.3, 0.2603]
    """
    answers = ScaledAnswers.of(data, item, by, (0.0, 10.0))
    promoters = answers.marks(answers.values >= _PROMOTER)
    detractors = answers.marks(answers.values <= _DETRACTOR)
    told = answers.grouped.findings(answers.names, answers.values)
    domains, labels = answers.grouped.domains, answers.grouped.labels
    columns = np.hstack([promoters, 1.0 - promoters - detractors, detractors])
    kinds: Sequence[str] = ("promoters", "passives", "detractors")
    parts = Measure(
        "Promoters, passives and detractors",
        function_of_means(domains, columns),
        labels,
        pd.Index(kinds, name="kind"),
        level,
        share=True,
        told=told,
    )
    return NetPromoter(
        title=message("Net promoter score"),
        statistics=function_of_means(domains, promoters - detractors),
        groups=labels,
        names=pd.Index(answers.names, name="item") if labels is None else None,
        level=level,
        null=0.0,
        told=told,
        parts=parts,
    )


_ANSWERS = 100  # steps of the longest scale whose answers are counted one by one
