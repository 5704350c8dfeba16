"""The profit of moving the index: rows from the index to money, with and without error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.findings import Finding
from csimodel.outcomes.money.draws import CustomerAverages, Drawn, Place, fixed
from csimodel.outcomes.money.findings import about_draws, about_outcome, about_place
from csimodel.outcomes.money.result import Money, money
from csimodel.outcomes.money.retention import Together
from csimodel.outcomes.money.row import AmountRow
from csimodel.outcomes.money.side_by_side import beside
from csimodel.outcomes.money.value import Economics, lifetime_values
from csimodel.translation import Message, message

Floats = NDArray[np.float64]
Pair = tuple[float, Floats]

VALUE_OF_ALL = message("value of all customers")


@dataclass(frozen=True, eq=False)
class Variant:
    """A change of the index, with or without measurement error.

    Attributes
    ----------
    source
        The regression in many draws.
    index
        Mean index before and after.
    places
        Where customers stand before and after.
    """

    source: Drawn
    index: tuple[Pair, Pair]
    places: tuple[Place, Place]

    @classmethod
    def between(cls, source: Drawn, start: Pair, end: Pair, alike: bool) -> Variant:
        """Move everybody from level to level, or each by the difference from where he is."""
        if alike:
            return cls(source, (start, end), (Place(start, True), Place(end, True)))
        step = end[0] - start[0], end[1] - start[1]
        still = fixed(0.0, source)
        return cls(source, (start, end), (Place(still, False), Place(step, False)))


@dataclass(frozen=True, eq=False)
class Change:
    """A change of the index that money is to be computed of.

    Attributes
    ----------
    title
        What it is called.
    variants
        The one that counts, and if there is another the one to stand beside it.
    points
        How far the cause was moved.
    shortfall
        What it is known to fall short by because measurement error is left in, or None.
    first
        A row before the others, or None.
    notes
        What is known already.
    """

    title: Message
    variants: Sequence[Variant]
    points: float
    shortfall: Finding | None = None
    first: AmountRow | None = None
    notes: tuple[Finding, ...] = ()


def profits(
    changes: Sequence[Change], moved: int, economics: Economics, level: float | None, wanted: bool
) -> list[Money]:
    """Return the profit of every change, all of one regression.

    Parameters
    ----------
    changes
        Their variants in the same order of sources.
    moved
        Position of the index.
    economics, level
        The terms, and coverage; that of the regression by default.
    wanted
        Whether the first variants are without measurement error.
    """
    rows: list[list[list[AmountRow]]] = [[] for _ in changes]
    told: list[tuple[Finding, ...]] = [() for _ in changes]
    for rank in range(max(len(change.variants) for change in changes)):
        own = [j for j, change in enumerate(changes) if len(change.variants) > rank]
        variants = [changes[j].variants[rank] for j in own]
        averages = _averages(variants, moved, economics)
        for j, variant, ends in zip(own, variants, averages, strict=True):
            rows[j].append(_rows(variant, moved, economics, ends))
            if rank == 0:
                told[j] = _findings(variant, moved, ends)
    return [
        _money(change, own, findings, economics, level, wanted)
        for change, own, findings in zip(changes, rows, told, strict=True)
    ]


def _averages(
    variants: Sequence[Variant], moved: int, economics: Economics
) -> list[tuple[CustomerAverages, CustomerAverages]]:
    """Return averages over customers before and after, in one pass over the draws."""
    places = [place for variant in variants for place in variant.places]
    results = variants[0].source.averages(
        moved,
        places,
        [economics.retention, lambda p: lifetime_values(economics.retention(p), economics)],
    )
    return list(zip(results[::2], results[1::2], strict=True))


def _findings(
    variant: Variant, moved: int, ends: tuple[CustomerAverages, CustomerAverages]
) -> tuple[Finding, ...]:
    every = {
        finding.message: finding
        for place, end in zip(variant.places, ends, strict=True)
        for finding in (*about_place(variant.source, moved, place, end), *about_draws(end))
    }
    return tuple(every.values())


def _rows(
    variant: Variant,
    moved: int,
    economics: Economics,
    ends: tuple[CustomerAverages, CustomerAverages],
) -> list[AmountRow]:
    """Return the rows from the index to money."""
    start, end = (
        (averages.probability[0], np.clip(averages.probability[1], 0.0, 1.0)) for averages in ends
    )
    kept, values = ((ends[0].values[j], ends[1].values[j]) for j in range(2))
    name = variant.source.rep.indexes[moved]
    return [
        AmountRow.change(f"index of {name}", "index points", *variant.index),
        AmountRow.change(message("probability of repurchase"), "probability", start, end),
        *rows_of_retention(kept, values, economics),
    ]


def _money(
    change: Change, rows: Sequence[list[AmountRow]], findings: tuple[Finding, ...],
    economics: Economics, level: float | None, wanted: bool,
) -> Money:  # fmt: skip
    source = change.variants[0].source
    rep = source.rep
    shown = rep.level if level is None else level
    table, part = beside([own[-1] for own in rows], change.title, wanted, shown, source.errors)
    given = Together(
        {},
        source.size,
        shown,
        source.errors,
        source.source,
        (*change.notes, *findings, *about_outcome(rep)),
        change.shortfall if wanted else part,
    )
    return money(
        change.title,
        VALUE_OF_ALL,
        rows[0] if change.first is None else [change.first, *rows[0]],
        economics,
        given,
        points=change.points,
        side_by_side=table,
        more=(part,) if part is not None and wanted else (),
    )


def rows_of_retention(
    kept: tuple[Pair, Pair], values: tuple[Pair, Pair], economics: Economics
) -> list[AmountRow]:
    """Return the rows from retention and value of a customer, before and after, to money."""
    unit, period, everyone = economics.currency, economics.period, economics.customers
    profit = everyone * economics.margin
    return [
        AmountRow.change(message("retention"), f"share per {period}", *kept),
        AmountRow.change(
            message("customers kept"),
            f"customers per {period}",
            *(times(k, everyone) for k in kept),
        ),
        AmountRow.change(
            f"profit of a {period}", f"{unit} per {period}", *(times(k, profit) for k in kept)
        ),
        AmountRow.change(message("lifetime value of a customer"), unit, *values),
        AmountRow.change(VALUE_OF_ALL, unit, *(times(value, everyone) for value in values)),
    ]


def times(pair: Pair, factor: float) -> Pair:
    """Return an estimate and its draws, multiplied."""
    return pair[0] * factor, pair[1] * factor
