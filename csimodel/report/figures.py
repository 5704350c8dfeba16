"""The figures of a report, each with words for those who do not see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, reduce

import pandas as pd

from csimodel.findings import text
from csimodel.formatting import label, number, percent, share, span
from csimodel.index.programme import Programme
from csimodel.index.programme.hierarchy import WHOLE
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.grouping import MOST_GROUPINGS, of_grouping
from csimodel.report.programme_sections import ranked_units, rows_of_level
from csimodel.report.tables import pair, target_by_group

NAMES = (
    "index", "drivers", "repurchase", "repurchase_slopes", "money", "model", "programme_trend",
    "programme_ranking", "programme_units", "programme_contributions",
    *(of_grouping("index_by_group", place) for place in range(MOST_GROUPINGS)),
    *(of_grouping("repurchase_by_group", place) for place in range(MOST_GROUPINGS)),
)  # fmt: skip
"""Every figure a report can have."""

MOST_GROUPS = 40  # more bars than these are a table, not a picture
MOST_CURVES = 8  # more curves than these cannot be told apart


@dataclass(frozen=True)
class Picture:
    """A figure as SVG text.

    Attributes
    ----------
    name
        File name without ending.
    svg
        One ``<svg>`` element.
    caption
        How to read it, plain text.
    wide
        Whether a narrow screen must scroll to read it.
    """

    name: str
    svg: str
    caption: str
    wide: bool = False


def drawings(analysis: AnalysisResults) -> list[Callable[[AnalysisResults], Picture]]:
    """Return what draws the figures of an analysis, in the order of the report."""
    functions: list[Callable[[AnalysisResults], Picture]] = [_index]
    for place, grouping in enumerate(analysis.groupings):
        if len(target_by_group(analysis, grouping)) <= MOST_GROUPS:
            functions.append(partial(_groups, place=place))
    functions.append(_drivers)
    if analysis.repurchase is not None and analysis.repurchase.converged:
        functions.append(_curve)
    if analysis.slopes is not None:
        functions.append(_slopes)
    for place, grouping in enumerate(analysis.groupings):
        segments = grouping.segments
        if segments is not None and len(segments.names) <= MOST_CURVES:
            functions.append(partial(_curves, place=place))
    if analysis.money:
        functions.append(_money)
    if analysis.programme is not None:
        functions.extend([_waves, _ranking, _units])
        if len(analysis.programme.contributions):
            functions.append(_contributions)
    return [*functions, _model]


def _index(analysis: AnalysisResults) -> Picture:
    from csimodel import plots

    return Picture(
        "index",
        plots.to_svg(plots.index_bars(analysis.index), title=_bars(analysis.index)),
        text(
            "Bars are indexes, thin lines their {level} intervals. 0: everybody "
            "gave the lowest answer; 100: everybody gave the highest.",
            level=percent(analysis.level),
        ),
    )


def _groups(analysis: AnalysisResults, place: int) -> Picture:
    from csimodel import plots

    grouping = analysis.groupings[place]
    groups = target_by_group(analysis, grouping)
    return Picture(
        of_grouping("index_by_group", place),
        plots.to_svg(plots.index_bars(groups), title=_bars(groups)),
        text(
            "{target} by {columns}, with {level} intervals.",
            target=analysis.target,
            columns=analysis.title_of_groups(grouping),
            level=percent(analysis.level),
        ),
    )


def _drivers(analysis: AnalysisResults) -> Picture:
    from csimodel import plots

    drivers = analysis.importance
    told = _series(
        text(
            "{name}: effect {effect}, index {index}",
            name=name,
            effect=number(row["importance"], 2),
            index=number(row["performance"]),
        )
        for name, row in drivers.iterrows()
    )
    return Picture(
        "drivers",
        plots.to_svg(
            plots.importance_performance(drivers, target=analysis.target),
            title=text(
                "Map of the drivers of {target}. {told}.", target=analysis.target, told=told
            ),
        ),
        text(
            "Further right: a larger estimated effect. Further up: a higher "
            "index. Bottom right: a large effect and a low index, with the most "
            "room above it. The dashed lines are the averages of the points "
            "shown."
        ),
    )


def _waves(analysis: AnalysisResults) -> Picture:
    from csimodel import plots

    programme = _programme(analysis)
    scores = rows_of_level(programme, programme.scores, WHOLE)
    periods = map(label, scores.index.get_level_values("period"))
    told = _series(
        f"{period} {number(value)}"
        for period, value in zip(periods, scores["estimate"], strict=True)
    )
    return Picture(
        "programme_trend",
        plots.to_svg(
            plots.trend(programme),
            title=text("{target} of the whole: {told}.", target=analysis.target, told=told),
        ),
        text(
            "Dots are the index of the whole with {level} intervals; the line is "
            "the level behind them, freed of the errors of the answers as far as "
            "other periods allow, with its band. A ring marks a score that usual "
            "moves and errors do not explain.",
            level=percent(analysis.level),
        ),
    )


def _ranking(analysis: AnalysisResults) -> Picture:
    from csimodel import plots

    table = ranked_units(_programme(analysis))
    first = table["estimate"].head(5)
    units = map(label, first.index.get_level_values(-1))
    told = _series(f"{unit} {number(value)}" for unit, value in zip(units, first, strict=True))
    return Picture(
        "programme_ranking",
        plots.to_svg(
            plots.ranking(table),
            title=text("Units by {target}, first: {told}.", target=analysis.target, told=told),
        ),
        text(
            "Dots are indexes with {level} intervals, of many units the first "
            "and the last. Units of one colour in a row are not told apart from "
            "the first of them; a hollow dot has no error.",
            level=percent(analysis.level),
        ),
    )


def _units(analysis: AnalysisResults) -> Picture:
    from csimodel import plots

    programme = _programme(analysis)
    level = programme.hierarchy.levels[-2:][0]
    return Picture(
        "programme_units",
        plots.to_svg(
            plots.small_multiples(programme, level),
            title=text(
                "{target} of each unit of level {level} over the periods.",
                target=analysis.target,
                level=level,
            ),
        ),
        text("Each panel is one unit of level {level}, all on one scale.", level=level),
        wide=True,
    )


def _contributions(analysis: AnalysisResults) -> Picture:
    from csimodel import plots

    programme = _programme(analysis)
    return Picture(
        "programme_contributions",
        plots.to_svg(
            plots.contributions(programme),
            title=text("What units add to the last change of the whole, step by step."),
        ),
        text(
            "Each bar starts where the one before ended; the last is the change "
            "of the whole since the period before."
        ),
    )


def _programme(analysis: AnalysisResults) -> Programme:
    assert analysis.programme is not None
    return analysis.programme


def _model(analysis: AnalysisResults) -> Picture:
    from csimodel import plots

    paths = analysis.bootstrap.table("paths", level=analysis.level)
    arrows = zip(map(pair, paths.index), paths["estimate"], strict=True)
    told = _series(
        text("{source} to {target} {path}", source=arrow[1], target=arrow[0], path=number(value, 2))
        for arrow, value in arrows
    )
    return Picture(
        "model",
        plots.to_svg(
            plots.path_diagram(analysis.fit, bootstrap=paths),
            title=text("Path diagram with standardised effects: {told}.", told=told),
        ),
        text(
            "Ellipses are what the model is about, boxes the questions that "
            "measure it. The number on an arrow between ellipses says by how "
            "many standard deviations the target differs for one of the source, "
            "other sources held; a dashed arrow cannot be told apart from zero "
            "({level} interval). R² is the share of the differences between "
            "customers that goes with the arrows. Numbers at boxes say how "
            "closely a question follows its ellipse, 1 being perfectly.",
            level=percent(analysis.level),
        ),
        wide=True,
    )


def _curve(analysis: AnalysisResults) -> Picture:
    from csimodel import plots

    valued = analysis.repurchase
    assert valued is not None
    curve = valued.curve()
    step = valued.contrast(*analysis.contrast)["probability"]
    marks = dict(zip(analysis.contrast, step.iloc[:2].tolist(), strict=True))
    told = _series(
        text("{share} at {point:g}", share=share(value), point=point)
        for point, value in marks.items()
    )
    figure = plots.repurchase_curve(
        curve,
        points=marks,
        rug=valued.regression.sample.regressors[:, 0],
        x=text("{indexes} index (0–100)", indexes=valued.indexes[0]),
        y=analysis.outcome_title,
    )
    return Picture(
        "repurchase",
        plots.to_svg(
            figure,
            title=text(
                "{outcome} over the index: {told}.", outcome=analysis.outcome_title, told=told
            ),
        ),
        text(
            "The line is what the regression expects at each index, the band its "
            "{level} interval. Ticks at the bottom are respondents; where there "
            "are few, the line rests on the shape of the curve.",
            level=percent(analysis.level),
        ),
    )


def _slopes(analysis: AnalysisResults) -> Picture:
    from csimodel import plots

    slopes = analysis.slopes
    assert slopes is not None
    return Picture(
        "repurchase_slopes",
        plots.to_svg(plots.slopes(slopes), title=slopes.headline),
        text(
            "What goes with a point as measured (dashed line), and corrected for "
            "the error of the index, with {level} intervals.",
            level=percent(analysis.level),
        ),
    )


def _curves(analysis: AnalysisResults, place: int) -> Picture:
    from csimodel import plots

    grouping = analysis.groupings[place]
    segments = grouping.segments
    assert segments is not None
    told = _series(
        f"{label(name)} {number(100 * row['effect'], 2)}" for name, row in segments.table.iterrows()
    )
    figure = plots.repurchase_curves(
        segments,
        rug=segments.repurchase.regression.sample.regressors[:, 0],
        x=text("{indexes} index (0–100)", indexes=segments.repurchase.indexes[0]),
        y=analysis.outcome_title,
    )
    return Picture(
        of_grouping("repurchase_by_group", place),
        plots.to_svg(
            figure,
            title=text(
                "{outcome} by {columns}, percentage points a point: {told}.",
                outcome=analysis.outcome_title,
                columns=analysis.title_of_groups(grouping),
                told=told,
            ),
        ),
        text(
            "Each group has a curve of its own, with its {level} band, drawn "
            "where somebody of the group was. Jones and Sasser (1995) found that "
            "where customers can choose, the curve stays low and rises steeply "
            "near the top; where they cannot, it is flat and high.",
            level=percent(analysis.level),
        ),
    )


def _money(analysis: AnalysisResults) -> Picture:
    from csimodel import plots

    driver, money = next(iter(analysis.money.items()))
    value = money.estimate
    return Picture(
        "money",
        plots.to_svg(
            plots.money_steps(money, title=text("One point more of {driver}", driver=driver)),
            title=text(
                "From one point of {driver} to {value} {currency}.",
                driver=driver,
                value=number(float(value), 2),
                currency=money.currency,
            ),
        ),
        text(
            "Each bar is the estimate of its step, all drawn at the same length; "
            "the mark on it is the {level} interval in per cent of the estimate, "
            "so that it shows how sure each step is. The numbers stand at the "
            "right.",
            level=percent(analysis.level),
        ),
        wide=True,
    )


def _series(entries: Iterable[str]) -> str:
    """Put entries one after another, with semicolons as the language writes them."""
    return reduce(lambda told, entry: text("{told}; {entry}", told=told, entry=entry), entries)


def _bars(table: pd.DataFrame) -> str:
    """Put the bars into words."""
    told = [
        f"{label(key)} {number(row['mean'])} ({span(row['lower'], row['upper'])})"
        for key, row in table.iterrows()
    ]
    return text("Index from 0 to 100 with intervals: {told}.", told=_series(told))
