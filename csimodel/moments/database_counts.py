"""What a database added up of a scan, as the same counts that a pass over its rows gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from csimodel.moments.additive import AdditiveMoments
from csimodel.moments.scanned_counts import ByGroup, Counts, Total
from csimodel.survey.scanning.aggregates import Aggregates, GroupSums
from csimodel.survey.scanning.labels import other_rows
from csimodel.survey.scanning.rows import RowPass
from csimodel.survey.scanning.scan import Scan

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_ROUNDING = 64.0 * float(np.finfo(np.float64).eps)  # of what a mean takes off products


def counts_by_database(
    scan: Scan, rows: RowPass, total: Total | ByGroup, extra: Sequence[str]
) -> Counts | None:
    """Let a database add up its rows, of each group and bucket where there are any.

    None where something is refused: its words name answers and rows, which have to be read.

    Raises
    ------
    SurveyError
        When the database does not answer, or gives other rows to each query.
    """
    counts = Counts(rows, total)
    units = counts.units.columns if rows.bucket is None else [*_strata(rows), rows.bucket]
    columns = [name for name in dict.fromkeys([*extra, *units]) if name != rows.bucket]
    asked = scan.aggregates(rows, columns)
    tally = asked.tally()
    if tally is None:
        return None
    counts.tally = tally
    if isinstance(total, ByGroup):
        _count_groups(counts, total, asked, units)
    else:
        _count_units(counts, asked, units)
    if rows.bucket is not None:
        own = _checked(asked.sums(units), counts)
        _, unit = counts.units.codes(own.labels, own.rows[own.labels.places])
        sums = moments_of(own, asked.centre)
        if unit is not None:
            known = own.labels.places[unit >= 0]
            counts.by_unit.merge(sums[known], unit[unit >= 0], len(counts.units.units))
        if isinstance(total, Total):
            total.sums = sums.total()
    elif isinstance(total, Total):
        total.sums = moments_of(_checked(asked.sums(()), counts), asked.centre)[0]
    return counts


def _strata(rows: RowPass) -> list[str]:
    return [] if rows.template.strata is None else [rows.template.strata]


def _count_units(counts: Counts, asked: Aggregates, units: Sequence[str]) -> None:
    """Count the rows of strata and clusters."""
    own = _checked(asked.sums(units, products=False), counts)
    counts.units.count(own.labels, own.rows[own.labels.places])


def _count_groups(counts: Counts, total: ByGroup, asked: Aggregates, units: Sequence[str]) -> None:
    """Add up groups, and the rows of what is met together."""
    names = total.combinations.columns
    own = _checked(asked.sums(names), counts)
    labels = [counts.rows.labels(own.labels, name) for name in names]
    codes = total.combinations.codes(labels)
    sums, known = moments_of(own, asked.centre), np.flatnonzero(codes >= 0)
    total.given_rows = np.bincount(codes[known], own.given[known], len(total.combinations)).astype(
        np.intp
    )
    total.without = int(own.rows[codes < 0].sum())
    total.grouped.merge(sums[known], codes[known], len(total.combinations))
    total.total.sums = sums.total()
    met = _checked(asked.sums([*names, *(u for u in units if u not in names)], False), counts)
    labels = [counts.rows.labels(met.labels, name) for name in names]
    group = met.labels.used(total.combinations.codes(labels))
    times = met.rows[met.labels.places]
    stratum, unit = counts.units.count(met.labels, times)
    units_met = np.zeros_like(group) if unit is None else unit
    places = total.members.codes_of(np.stack([group, stratum, units_met], axis=1))
    member = places >= 0
    sizes = np.bincount(places[member], times[member], len(total.members))
    total.member_rows = sizes.astype(np.intp)
    if counts.rows.buckets is not None:
        own_rows = met.labels.places[member]
        weight = met.weight[own_rows, None]
        answers = met.sums[own_rows] + weight * asked.centre
        total.member_answers = np.zeros((len(total.members), 1 + len(asked.centre)))
        total.member_answers[places[member]] = np.hstack([weight, answers])


def _checked(own: GroupSums, counts: Counts) -> GroupSums:
    """Return sums of as many rows as were counted.

    Raises
    ------
    SurveyError
        When they are of others.
    """
    used = int(own.rows.sum())
    if used != counts.tally.used:
        seen = f"{counts.tally.used:,} that are used, and {used:,} in the next query"
        raise other_rows(counts.rows.source.name, seen)
    return own


def moments_of(own: GroupSums, centre: Floats) -> AdditiveMoments:
    """Return moments from sums about a centre, (items,).

    What rounding left of the products of an item that has one value in a set is 0.
    """
    assert own.products is not None
    weight = own.weight[:, None]
    shift = own.sums / np.where(weight == 0.0, 1.0, weight)
    taken = weight[..., None] * shift[:, :, None] * shift[:, None, :]
    products = own.products - taken
    still = np.diagonal(products, 0, 1, 2) <= _ROUNDING * np.diagonal(taken, 0, 1, 2)
    products[still[:, :, None] | still[:, None, :]] = 0.0
    sets = (len(own.rows), len(centre))
    return AdditiveMoments(
        own.rows.astype(np.float64),
        own.weight,
        own.squared_weight,
        np.broadcast_to(centre, sets).copy(),
        shift,
        products,
    )
