"""The index programme of a report: the whole, changes, ranking, trend, contributions."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from csimodel.findings import listed
from csimodel.formatting import label, number, percent, plural, span, told_p
from csimodel.grid import Grid, grid
from csimodel.index.programme import Programme
from csimodel.index.programme.hierarchy import WHOLE
from csimodel.page import Section

_RANKED = 20  # units in the table of ranks
_NAMED = 5  # units in a sentence


def programme_sections(programme: Programme) -> tuple[Section, ...]:
    """Return the parts that say where units stand over the periods, in plain words."""
    ranks = ranked_units(programme)
    return (
        Section("The whole over the periods", _whole_grid(programme), tuple(_whole(programme))),
        Section("Levels", _levels_grid(programme)),
        Section("Ranking", _ranking_grid(programme, ranks), tuple(_ranking(programme, ranks))),
        Section("Trend", None, tuple(_trend(programme))),
        *_contributions(programme),
    )


def rows_of_level(programme: Programme, table: pd.DataFrame, level: str) -> pd.DataFrame:
    """Return the rows of a level and the programme's construct."""
    values = table.index.get_level_values
    return table[(values("level") == level) & (values("construct") == programme.construct)]


def ranked_units(programme: Programme) -> pd.DataFrame:
    """Return the ranks of all units of the lowest level, those without an error last."""
    table = programme.rank(within=WHOLE).table
    return pd.concat([table[table["se"].notna()], table[table["se"].isna()]])


def _whole(programme: Programme) -> Iterator[str]:
    """Say where the whole stands, how it changed, and what is behind its scores."""
    name, scores = programme.construct, rows_of_level(programme, programme.scores, WHOLE)
    last = scores.iloc[-1]
    period = label(scores.index.get_level_values("period")[-1])
    units = plural(len(programme.hierarchy.keys), "unit")
    interval = f" ({span(last['lower'], last['upper'])})" if pd.notna(last["lower"]) else ""
    yield (
        f"Over all {units} of level {programme.hierarchy.levels[-1]}, {name} stands at "
        f"{number(last['estimate'])}{interval} in period {period}."
    )
    changes = rows_of_level(programme, programme.changes, WHOLE)
    for key, row in changes[
        changes.index.get_level_values("period") == _last(programme)
    ].iterrows():
        assert isinstance(key, tuple)
        yield _change(row, label(key[3]), programme.level)
    level = rows_of_level(programme, programme.local_level, WHOLE).iloc[-1]
    if len(programme.hierarchy.periods) > 2 and pd.notna(level["lower"]):
        yield (
            f"Freed of the errors of the answers as far as earlier periods allow, its level is "
            f"{number(level['estimate'])} ({span(level['lower'], level['upper'])})."
        )


def _change(row: pd.Series, since: str, level: float) -> str:
    """Say how the whole changed since a period."""
    points = float(row["estimate"])
    way = "higher" if points > 0 else "lower"
    if pd.isna(row["p"]):
        return f"It changed by {number(points)} points since period {since}; no test was possible."
    if row["p"] < 1.0 - level:
        return (
            f"It is {number(abs(points))} points {way} than in period {since} "
            f"({span(row['lower'], row['upper'])}; {told_p(float(row['p']))})."
        )
    return (
        f"It changed by {number(points)} points since period {since}, which cannot be told apart "
        f"from no change ({span(row['lower'], row['upper'])}; {told_p(float(row['p']))})."
    )


def _last(programme: Programme) -> object:
    return programme.hierarchy.periods[-1]


def _whole_grid(programme: Programme) -> Grid:
    scores = rows_of_level(programme, programme.scores, WHOLE)
    levels = rows_of_level(programme, programme.local_level, WHOLE)["estimate"]
    periods = map(label, scores.index.get_level_values("period"))
    return grid(
        f"{programme.construct} of the whole, 0 to 100",
        ("Period", "Index", f"{percent(programme.level)} interval", "Level", "Respondents"),
        (
            (
                period,
                number(row["estimate"]),
                span(row["lower"], row["upper"]),
                number(level),
                f"{int(row['n']):,}",
            )
            for period, (_, row), level in zip(periods, scores.iterrows(), levels, strict=True)
        ),
    )


def _levels_grid(programme: Programme) -> Grid:
    """Show every unit above the lowest level in the last period; of one level its units."""
    hierarchy, changes = programme.hierarchy, programme.changes["estimate"].to_dict()
    shown = hierarchy.levels[:-1] or hierarchy.levels
    before = hierarchy.periods[-2] if len(hierarchy.periods) > 1 else None
    rows = []
    for level in shown:
        own = rows_of_level(programme, programme.scores, level)
        for key, row in own.iterrows():
            assert isinstance(key, tuple)
            if key[2] == _last(programme):
                change = changes.get((*key[:3], before, programme.construct), float("nan"))
                interval = span(row["lower"], row["upper"])
                rows.append(
                    (level, label(key[1]), number(row["estimate"]), interval, number(change))
                )
    return grid(
        f"{programme.construct} by level in {label(_last(programme))}",
        ("Level", "Unit", "Index", f"{percent(programme.level)} interval", "Change"),
        rows,
        words=(0, 1),
    )


def _ranking(programme: Programme, table: pd.DataFrame) -> Iterator[str]:
    """Say who is first of those with an error, and whether that is shown."""
    known = table[table["se"].notna()]
    unknown = len(table) - len(known)
    if not len(known):
        yield "No unit has an index with an error, so none is named as the first."
        return
    best = int(known["estimate"].to_numpy().argmax())
    first, name = known.iloc[best], label(known.index.get_level_values(-1)[best])
    among = f"Of the {plural(len(known), 'unit')} of level {programme.hierarchy.levels[-1]}"
    if len(known) > 1 and first["rank_upper"] == 1 and not unknown:
        yield f"{among}, {name} is first in {programme.construct} ({number(first['estimate'])})."
    elif len(known) > 1:
        yield (
            f"{among} with an error, {name} has the highest index of {programme.construct} "
            f"({number(first['estimate'])}), and is not shown to be first; its rank may be "
            f"{int(first['rank_lower'])} to {int(first['rank_upper'])}."
        )
    if unknown:
        yield (
            f"{plural(unknown, 'unit')} without an error (a single respondent or cluster, or "
            "answers that are all alike) could not be placed, and came last in the table."
        )


def _ranking_grid(programme: Programme, table: pd.DataFrame) -> Grid:
    more = len(table) - _RANKED
    head = f"Ranks in {label(_last(programme))}"
    return grid(
        f"{head}, the first {_RANKED} of {len(table):,}" if more > 0 else head,
        ("Unit", "Index", f"{percent(programme.level)} interval", "Rank", "Rank from", "to"),
        (
            (
                label(key[-1] if isinstance(key, tuple) else key),
                number(row["estimate"]),
                span(row["lower"], row["upper"]),
                number(row["rank"], 0) if pd.notna(row["se"]) else "–",
                number(row["rank_lower"], 0),
                number(row["rank_upper"], 0),
            )
            for key, row in table.head(_RANKED).iterrows()
        ),
    )


def _trend(programme: Programme) -> Iterator[str]:
    """Say how many units rise or fall over the periods, and which scores are unusual."""
    level = programme.hierarchy.levels[-1]
    trend = rows_of_level(programme, programme.trend, level)
    if not len(trend):
        yield "A trend takes three periods, and no unit has so many."
        return
    shown = trend["p_adjusted"] < 1.0 - programme.level
    up, down = (int((shown & (trend["estimate"] * way > 0)).sum()) for way in (1, -1))
    if not up + down:
        yield f"No unit of level {level} is shown to rise or fall along a straight line."
    else:
        yield (
            f"Over the periods {plural(up, 'unit')} of level {level} rose along a straight line "
            f"and {down:,} fell; of the other {len(trend) - up - down:,} neither is shown."
        )
    moves = rows_of_level(programme, programme.local_level, level)
    large = moves[moves["large"]]
    if len(large):
        units, periods = (large.index.get_level_values(name) for name in ("unit", "period"))
        pairs = zip(map(label, units), map(label, periods), strict=True)
        names = [f"{unit} in period {period}" for unit, period in pairs]
        yield (
            "Further from the periods before than usual moves and the errors of the answers "
            f"explain: {listed(names, _NAMED)}."
        )
    else:
        yield "No score is further from those before it than usual moves and errors explain."


def _contributions(programme: Programme) -> Iterator[Section]:
    """Show what units of the highest level add to the last change of the whole."""
    level = programme.hierarchy.levels[0]
    parts = rows_of_level(programme, programme.contributions, level)
    parts = parts[parts.index.get_level_values("period") == _last(programme)]
    if not len(parts):
        return
    order = parts.loc[parts["total"].abs().sort_values(ascending=False, kind="stable").index]
    first = order.iloc[0]
    name = label(order.index.get_level_values("unit")[0])
    yield Section(
        "What the change is made of",
        grid(
            f"Contributions to the change, points, by {level}",
            ("Unit", "By its score", "By its weight", "Together"),
            (
                (
                    label(key[1] if isinstance(key, tuple) else key),
                    number(row["scores"], 2),
                    number(row["weights"], 2),
                    number(row["total"], 2),
                )
                for key, row in order.head(_RANKED).iterrows()
            ),
        ),
        (
            f"The change of the whole is {number(parts['total'].sum(), 2)} points: "
            f"{number(parts['scores'].sum(), 2)} by changes of scores and "
            f"{number(parts['weights'].sum(), 2)} by changes of weights. {name} adds the most, "
            f"{number(first['total'], 2)}.",
        ),
    )
