"""Items as they were answered, and how carefully: the first look at a survey."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked, checked_in
from csimodel.bounds import THRESHOLDS
from csimodel.errors import choose
from csimodel.findings import Finding, counted, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.formatting import in_form
from csimodel.inference import infer
from csimodel.inference.domains import DomainStatistics, function_of_means
from csimodel.measures.items import skip_rules, weighted_means
from csimodel.measures.number_columns import described_columns
from csimodel.measures.respondents import GroupedSurvey
from csimodel.options import require_level
from csimodel.page import HasPage, Page, Section
from csimodel.survey import Survey
from csimodel.survey.headers import require_column

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]

_TABLES = ("items", "distribution", "respondents")
_BARS = " ▁▂▃▄▅▆▇█"
_MOST_ANSWERS = 12  # different answers that a distribution shows one by one


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Description(HasPage):
    """Items and respondents of a survey. Made by `csi.describe`.

    Attributes
    ----------
    item_names
        In the order of the survey.
    values
        Answers, (rows, items), NaN where there is none.
    weights
        (rows,)
    minimum, maximum
        Ends of the scales, (items,): declared, or the lowest and highest answer.
    statistics
        Means of items.
    respondents
        By respondent: answered, longest_run, straight, duplicate, and the duration where there is
        one.
    level
        Coverage of the intervals.
    findings
        What a reader must know of the data.
    """

    item_names: tuple[str, ...]
    values: Floats
    weights: Floats
    minimum: Floats
    maximum: Floats
    statistics: DomainStatistics
    respondents: pd.DataFrame
    level: float
    findings: tuple[Finding, ...]

    @cached_property
    def items(self) -> pd.DataFrame:
        """By item: n, missing, mean with its error, sd, skewness, kurtosis, floor, ceiling.

        Means, moments and shares are weighted. Skewness and kurtosis are Fisher's G₁ and G₂,
        unbiased for normal answers and as pandas has them. Floor and ceiling are the shares of
        answers at the ends of the scale.
        """
        means = infer(
            pd.Index(self.item_names, name="item"),
            self.statistics.estimate.ravel(),
            self.statistics.errors,
            self.level,
            None,
            steady=False,
        )
        n = np.isfinite(self.values).sum(axis=0)
        apart = self.values - means["estimate"].to_numpy()
        second, third, fourth = (weighted_means(apart**k, self.weights) for k in (2, 3, 4))
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt(second * n / (n - 1))
            skewness = third / second**1.5 * np.sqrt(n * (n - 1)) / (n - 2)
            excess = fourth / second**2 - 3
            kurtosis = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6)
        ends = [
            weighted_means(_marks(self.values, end), self.weights)
            for end in (self.minimum, self.maximum)
        ]
        return pd.DataFrame(
            {
                "n": n,
                "missing": len(self.values) - n,
                "mean": means["estimate"],
                "se": means["se"],
                "df": means["df"],
                "lower": means["lower"],
                "upper": means["upper"],
                "sd": spread,
                "skewness": skewness,
                "kurtosis": kurtosis,
                "floor": ends[0],
                "ceiling": ends[1],
                "reason": means["reason"],
            }
        )

    @cached_property
    def distribution(self) -> pd.DataFrame:
        """Weighted share of each answer, items × answers.

        Of items with more than 12 different answers together, answers are in ten classes of equal
        width, named by their lower ends.
        """
        answers = np.unique(self.values[np.isfinite(self.values)])
        columns, values = answers, self.values
        if len(answers) > _MOST_ANSWERS:
            edges = np.linspace(answers[0], answers[-1], 11)
            place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, 9)
            values = np.where(np.isnan(values), np.nan, edges[place])
            columns = edges[:-1]
        shares = [weighted_means(_marks(values, answer), self.weights) for answer in columns]
        index = pd.Index(self.item_names, name="item")
        return pd.DataFrame(np.array(shares).T, index=index, columns=pd.Index(columns))

    @property
    def pictures(self) -> pd.Series:
        """The distribution of each item as a small picture."""
        shares = self.distribution.to_numpy()
        known = np.nan_to_num(shares)
        height = known / np.maximum(known.max(axis=1, keepdims=True), 1e-300)
        steps = np.ceil(height * (len(_BARS) - 1)).astype(int)
        texts = ["".join(_BARS[step] for step in row) for row in steps]
        return pd.Series(texts, index=self.distribution.index, name="picture")

    @property
    def table(self) -> pd.DataFrame:
        """The items, as `items`."""
        return self.items

    def frame(self, name: str = "items") -> pd.DataFrame:
        """Return ``"items"``, ``"distribution"`` or ``"respondents"``.

        Raises
        ------
        OptionError
            For another name.
        """
        choose("name", name, _TABLES)
        tables = {"items": self.items, "distribution": self.distribution}
        return tables.get(name, self.respondents)

    @property
    def page(self) -> Page:
        """The survey on a page."""
        shown = self.items.drop(columns=["se", "df", "reason"])
        shown.insert(len(shown.columns), "answers", self.pictures)
        rows, items = self.values.shape
        empty = int(np.isnan(self.values).sum())
        return Page(
            text("Description of a survey"),
            text(
                "{respondents}, {items}; {empty:,} of {cells} empty.",
                respondents=counted(rows, "{count:,} respondent", "{count:,} respondents"),
                items=counted(items, "{count:,} item", "{count:,} items"),
                empty=empty,
                cells=counted(rows * items, "{count:,} cell", "{count:,} cells"),
            ),
            findings=self.findings,
            sections=(
                Section(text("Items"), shown, decimals=2),
                Section(text("Share of answers"), self.distribution, decimals=3),
            ),
        )


def _marks(values: Floats, answer: float | Floats) -> Floats:
    """Mark one answer, 1 or 0; NaN where there is none."""
    return np.where(np.isnan(values), np.nan, values == answer)


@own_errstate
@checked
def describe(
    survey: Survey | pd.DataFrame,
    items: str | Sequence[str] | None = None,
    *,
    duration: str | None = None,
    asked_if: Mapping[str, tuple[str, float]] | None = None,
    level: float = 0.95,
) -> Description:
    """Describe the items of a survey, and how carefully they were answered.

    Parameters
    ----------
    survey
        A survey or a frame; weights, strata and clusters are the survey's.
    items
        Columns; by default the items that are declared, or all columns of numbers but those of the
        design.
    duration
        Column of how long the interview took: who took less than a third of the median is named a
        speeder.
    asked_if
        Which items were asked of some only, as in ``{"HANDLE": ("COMP", 1)}``: HANDLE where COMP is
        1. An answer of anybody else is an impossible pattern.
    level
        Coverage of the intervals of means.

    Returns
    -------
    Description
        With ``items`` (n, missing, mean and its error, sd, skewness, kurtosis, floor, ceiling),
        ``distribution``, ``respondents`` (straight-lining, duplicates, duration), and findings.

    Raises
    ------
    SurveyError
        When a column is not there, holds text, or no column of numbers is left.

    References
    ----------
    Meade, A. W., Craig, S. B. (2012). Identifying careless responses in survey data. Psychological
    Methods 17, 437-455. https://doi.org/10.1037/a0028085

    Greszki, R., Meyer, M., Schoen, H. (2015). Exploring the effects of removing "too fast"
    responses and respondents from web surveys. Public Opinion Quarterly 79, 471-503.
    https://doi.org/10.1093/poq/nfu058

    Examples
    --------
    >>> from csimodel.survey import load_mobi
    >>> description = describe(load_mobi())
    >>> description.items.loc["CUSA1", ["mean", "sd", "ceiling"]].astype(float).round(3).tolist()
    [7.988, 1.234, 0.152]
    """
    require_level(level)
    given = GroupedSurvey.of(survey)
    names, told = (
        described_columns(given, duration) if items is None else (given.names("items", items), ())
    )
    values = given.numbers(names)
    low, high = given.survey.bounds(names)
    answered = np.isfinite(values).any(axis=0)
    seen = np.where(np.isfinite(values), values, np.nan)
    seen[:, ~answered] = 0.0  # no answer at all has no ends
    minimum = np.where(np.isnan(low), np.nanmin(seen, axis=0), low)
    maximum = np.where(np.isnan(high), np.nanmax(seen, axis=0), high)
    took = None
    if duration is not None:
        took = given.numbers([require_column(given.survey.data, duration, "duration")])[:, 0]
    respondents = _respondents(values, took)
    rules = _rules(given, names, asked_if)
    return Description(
        item_names=names,
        values=values,
        weights=given.domains.weights,
        minimum=minimum,
        maximum=maximum,
        statistics=function_of_means(given.domains, values),
        respondents=respondents.set_axis(given.survey.data.index[given.domains.answers.rows]),
        level=level,
        findings=(
            *given.survey.findings,
            *told,
            *_of_items(names, values),
            *_of_respondents(names, respondents, duration),
            *_impossible(names, values, rules),
        ),
    )


def _respondents(values: Floats, took: Floats | None) -> pd.DataFrame:
    """Return what each row's answers look like."""
    rows = len(values)
    longest = np.zeros(rows, dtype=np.intp)
    run = np.zeros(rows, dtype=np.intp)
    before = np.full(rows, np.nan)
    for column in values.T:  # a missing answer neither ends a run nor adds to it
        known = ~np.isnan(column)
        run = np.where(known, np.where(column == before, run + 1, 1), run)
        before = np.where(known, column, before)
        longest = np.maximum(longest, run)
    answered = (~np.isnan(values)).sum(axis=1)
    straight = (answered >= _fewest()) & (longest == answered)
    frame = pd.DataFrame({"answered": answered, "longest_run": longest, "straight": straight})
    same = pd.DataFrame(values).duplicated(keep=False).to_numpy()
    frame["duplicate"] = same & ~straight & (answered >= _fewest())
    if took is not None:
        frame["duration"] = took
    return frame


def _fewest() -> int:
    return int(THRESHOLDS["items of a pattern"].value)


def _rules(
    given: GroupedSurvey, names: Sequence[str], asked_if: Mapping[str, tuple[str, float]] | None
) -> dict[str, tuple[str, float, Truths]]:
    """Return by item of which rows it was asked."""
    rules = {}
    for name, rule in skip_rules(asked_if).items():
        item = require_column(given.survey.data, name, "asked_if")
        column = require_column(given.survey.data, rule[0], f"asked_if[{name!r}]")
        if item in names:
            asked = given.cells(column).eq(rule[1]).fillna(False).to_numpy(dtype=bool)
            rules[item] = (column, rule[1], asked)
    return rules


def _of_items(names: Sequence[str], values: Floats) -> Iterator[Finding]:
    missing = np.isnan(values)
    none = np.array(names)[missing.sum(axis=0) == len(values)].tolist()
    if none:
        yield Finding("item-without-answers", _NONE, tuple(none), values={"items": tuple(none)})
    line = THRESHOLDS["share of missing answers"].value
    share = missing.mean(axis=0)
    many = [
        f"{name} ({in_form(own, '.0%')})"
        for name, own in zip(names, share, strict=True)
        if line < own < 1
    ]
    if many:
        of = tuple(name for name, own in zip(names, share, strict=True) if line < own < 1)
        yield Finding(
            "many-missing", _MANY, of, "warning", len(many), {"items": tuple(many), "line": line}
        )
    spread = [
        name
        for name, column in zip(names, values.T, strict=True)
        if np.isfinite(column).any() and np.ptp(column[np.isfinite(column)]) == 0
    ]
    if spread:
        yield Finding("same-answer-always", _SAME, tuple(spread), values={"items": tuple(spread)})


def _of_respondents(
    names: Sequence[str], respondents: pd.DataFrame, duration: str | None
) -> Iterator[Finding]:
    rows = len(respondents)
    values: dict[str, object]
    count = int(respondents["straight"].sum())
    if count:
        values = {"count": count, "rows": rows, "share": count / rows}
        yield Finding("straight-lining", _STRAIGHT, (), "warning", count, values)
    count = int(respondents["duplicate"].sum())
    if count:
        values = {"count": count, "rows": rows, "share": count / rows}
        yield Finding("duplicate-answers", _DUPLICATE, (), "warning", count, values)
    empty = int((respondents["answered"] == 0).sum())
    if empty:
        yield Finding(
            "no-answer-of-rows", _EMPTY, (), "warning", empty, {"count": empty, "rows": rows}
        )
    if duration is not None:
        took = respondents["duration"]
        limit = float(took.median()) * THRESHOLDS["speeder's share of the median"].value
        count = int((took < limit).sum())
        if count:
            values = {"count": count, "rows": rows, "column": duration, "limit": limit}
            yield Finding("speeders", _SPEEDERS, (duration,), "warning", count, values)


def _impossible(
    names: Sequence[str], values: Floats, rules: Mapping[str, tuple[str, float, Truths]]
) -> Iterator[Finding]:
    for item, (column, answer, asked) in rules.items():
        count = int((~asked & ~np.isnan(values[:, list(names).index(item)])).sum())
        if count:
            told = {
                "count": count,
                "rows": len(values),
                "item": item,
                "column": column,
                "answer": answer,
            }
            yield Finding("impossible-pattern", _IMPOSSIBLE, (item, column), "warning", count, told)


_NONE = "Nobody answered {items}."
_MANY = "More than {line:.0%} of the answers are missing: {items:10}."
_SAME = "Everybody who answered gave the same answer to {items}, which tells nobody from another."
_STRAIGHT = (
    "{count} of {rows} respondents ({share:.1%}) gave one answer to all items (straight-lining); "
    "look at {count:that one before it counts|them before they count}."
)
_DUPLICATE = (
    "{count} of {rows} rows ({share:.1%}) {count:has|have} exactly the answers of another row; "
    "look whether {count:it was|they were} entered twice."
)
_EMPTY = "No item is answered in {count} of {rows} rows."
_SPEEDERS = (
    "{count} of {rows} respondents took less than {limit:.3g} in {column!r}, a third of the "
    "median; few people read that fast."
)
_IMPOSSIBLE = (
    "Answers to {item!r} of respondents whom it was not to be asked of, since {column!r} is not "
    "{answer:g}, are there in {count} of {rows} rows."
)
