"""The index programme of a report: the whole, changes, ranking, trend, contributions."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from csimodel.findings import counted, text
from csimodel.formatting import label, number, percent, span, told_p
from csimodel.grid import Grid, grid
from csimodel.index.programme import Programme
from csimodel.index.programme.hierarchy import WHOLE
from csimodel.page import Section

_RANKED = 20  # units in the table of ranks


def programme_sections(programme: Programme) -> tuple[Section, ...]:
    """Return the parts that say where units stand over the periods, in plain words."""
    ranks = ranked_units(programme)
    return (
        Section(
            text("The whole over the periods"), _whole_grid(programme), tuple(_whole(programme))
        ),
        Section(text("Levels"), _levels_grid(programme)),
        Section(
            text("Ranking"), _ranking_grid(programme, ranks), tuple(_ranking(programme, ranks))
        ),
        Section(text("Trend"), None, tuple(_trend(programme))),
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
    units = counted(len(programme.hierarchy.keys), "{count:,} unit", "{count:,} units")
    interval = f" ({span(last['lower'], last['upper'])})" if pd.notna(last["lower"]) else ""
    yield (
        text(
            "Over all {units} of level {level}, {name} stands at "
            "{estimate}{interval} in period {period}.",
            units=units,
            level=programme.hierarchy.levels[-1],
            name=name,
            estimate=number(last["estimate"]),
            interval=interval,
            period=period,
        )
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
            text(
                "Freed of the errors of the answers as far as earlier periods allow, "
                "its level is {estimate} ({interval}).",
                estimate=number(level["estimate"]),
                interval=span(level["lower"], level["upper"]),
            )
        )


def _change(row: pd.Series, since: str, level: float) -> str:
    """Say how the whole changed since a period."""
    points = float(row["estimate"])
    if pd.isna(row["p"]):
        return text(
            "It changed by {points} points since period {since}; no test was possible.",
            points=number(points),
            since=since,
        )
    if row["p"] < 1.0 - level:
        values = {
            "points": number(abs(points)),
            "since": since,
            "interval": span(row["lower"], row["upper"]),
            "p": told_p(float(row["p"])),
        }
        if points > 0:
            return text(
                "It is {points} points higher than in period {since} ({interval}; {p}).", **values
            )
        return text(
            "It is {points} points lower than in period {since} ({interval}; {p}).", **values
        )
    return text(
        "It changed by {points} points since period {since}, which cannot be "
        "told apart from no change ({interval}; {p}).",
        points=number(points),
        since=since,
        interval=span(row["lower"], row["upper"]),
        p=told_p(float(row["p"])),
    )


def _last(programme: Programme) -> object:
    return programme.hierarchy.periods[-1]


def _whole_grid(programme: Programme) -> Grid:
    scores = rows_of_level(programme, programme.scores, WHOLE)
    levels = rows_of_level(programme, programme.local_level, WHOLE)["estimate"]
    periods = map(label, scores.index.get_level_values("period"))
    return grid(
        text("{construct} of the whole, 0 to 100", construct=programme.construct),
        (
            text("Period"),
            text("Index"),
            text("{level} interval", level=percent(programme.level)),
            text("Level"),
            text("Respondents"),
        ),
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
        text(
            "{construct} by level in {last}",
            construct=programme.construct,
            last=label(_last(programme)),
        ),
        (
            text("Level"),
            text("Unit"),
            text("Index"),
            text("{level} interval", level=percent(programme.level)),
            text("Change"),
        ),
        rows,
        words=(0, 1),
    )


def _ranking(programme: Programme, table: pd.DataFrame) -> Iterator[str]:
    """Say who is first of those with an error, and whether that is shown."""
    known = table[table["se"].notna()]
    unknown = len(table) - len(known)
    if not len(known):
        yield text("No unit has an index with an error, so none is named as the first.")
        return
    best = int(known["estimate"].to_numpy().argmax())
    first, name = known.iloc[best], label(known.index.get_level_values(-1)[best])
    among = text(
        "Of the {units} of level {level}",
        units=counted(len(known), "{count:,} unit", "{count:,} units"),
        level=programme.hierarchy.levels[-1],
    )
    if len(known) > 1 and first["rank_upper"] == 1 and not unknown:
        yield text(
            "{among}, {name} is first in {construct} ({estimate}).",
            among=among,
            name=name,
            construct=programme.construct,
            estimate=number(first["estimate"]),
        )
    elif len(known) > 1:
        yield (
            text(
                "{among} with an error, {name} has the highest index of {construct} "
                "({estimate}), and is not shown to be first; its rank may be "
                "{rank_lower} to {rank_upper}.",
                among=among,
                name=name,
                construct=programme.construct,
                estimate=number(first["estimate"]),
                rank_lower=int(first["rank_lower"]),
                rank_upper=int(first["rank_upper"]),
            )
        )
    if unknown:
        yield (
            text(
                "{units} without an error (a single respondent or cluster, or "
                "answers that are all alike) could not be placed, and came last in "
                "the table.",
                units=counted(unknown, "{count:,} unit", "{count:,} units"),
            )
        )


def _ranking_grid(programme: Programme, table: pd.DataFrame) -> Grid:
    more = len(table) - _RANKED
    head = text("Ranks in {last}", last=label(_last(programme)))
    return grid(
        text("{head}, the first {ranked} of {table:,}", head=head, ranked=_RANKED, table=len(table))
        if more > 0
        else head,
        (
            text("Unit"),
            text("Index"),
            text("{level} interval", level=percent(programme.level)),
            text("Rank"),
            text("Rank from"),
            "to",
        ),
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
        yield text("A trend takes three periods, and no unit has so many.")
        return
    shown = trend["p_adjusted"] < 1.0 - programme.level
    up, down = (int((shown & (trend["estimate"] * way > 0)).sum()) for way in (1, -1))
    if not up + down:
        yield text(
            "No unit of level {level} is shown to rise or fall along a straight line.", level=level
        )
    else:
        yield (
            text(
                "Over the periods {units} of level {level} rose along a straight "
                "line and {down:,} fell; of the other {rest:,} neither is shown.",
                units=counted(up, "{count:,} unit", "{count:,} units"),
                level=level,
                down=down,
                rest=len(trend) - up - down,
            )
        )
    moves = rows_of_level(programme, programme.local_level, level)
    large = moves[moves["large"]]
    if len(large):
        units, periods = (large.index.get_level_values(name) for name in ("unit", "period"))
        pairs = zip(map(label, units), map(label, periods), strict=True)
        names = [
            text("{unit} in period {period}", unit=unit, period=period) for unit, period in pairs
        ]
        yield (
            text(
                "Further from the periods before than usual moves and the errors of "
                "the answers explain: {scores:5}.",
                scores=names,
            )
        )
    else:
        yield text("No score is further from those before it than usual moves and errors explain.")


def _contributions(programme: Programme) -> Iterator[Section]:
    """Show what units of the highest level add to the last change of the whole."""
    level = programme.hierarchy.levels[0]
    parts = rows_of_level(programme, programme.contributions, level)
    parts = parts[parts.index.get_level_values("period") == _last(programme)]
    if not len(parts):
        return
    order = parts.loc[parts["total"].abs().sort_values(ascending=False, kind="stable").index]
    yield Section(
        text("What the change is made of"),
        grid(
            text("Contributions to the change, points, by {level}", level=level),
            (text("Unit"), text("By its score"), text("By its weight"), text("Together")),
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
        tuple(_largest_part(programme, order)),
    )


def _largest_part(programme: Programme, order: pd.DataFrame) -> Iterator[str]:
    """Say what the change is made of, and which unit with an error adds the most."""
    yield text(
        "The change of the whole is {change} points: {scores} by changes of scores and {weights} "
        "by changes of weights.",
        change=number(order["total"].sum(), 2),
        scores=number(order["scores"].sum(), 2),
        weights=number(order["weights"].sum(), 2),
    )
    level = programme.hierarchy.levels[0]
    scores = rows_of_level(programme, programme.scores, level)["se"]
    values = scores.index.get_level_values
    known = set(values("unit")[scores.notna() & (values("period") == _last(programme))])
    units = order.index.get_level_values("unit")
    place = next((place for place, unit in enumerate(units) if unit in known), None)
    if place is not None:
        yield text(
            "{name} adds the most, {total}.",
            name=label(units[place]),
            total=number(order["total"].iloc[place], 2),
        )
