"""The rows of a model whose ordered items have thresholds, as each level of invariance lets them.

Theta parameterisation: behind an ordered answer stands ``y* = ν + λ'η + ε``, and the answer is k
where ``τₖ < y* ≤ τₖ₊₁``. Neither its origin nor its unit can be seen, so the first group has ``ν =
0`` and ``var ε = 1``. In another group ν and var ε are free as far as thresholds equal to the first
group's pass origin and unit on (Wu and Estabrook 2016, https://doi.org/10.1007/s11336-016-9506-0).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from csimodel.estimators.covariance.rows import Row
from csimodel.model import Model


def response_rows(
    model: Model,
    rows: Sequence[Row],
    thresholds: Sequence[int],
    group: int,
    equal: Sequence[str],
    free: Sequence[str],
    scaling: str,
) -> list[Row]:
    """Return the rows of one group with the thresholds, and what of the items is free.

    Two equal thresholds pass on origin and unit, one only the origin, so with one the unit waits
    for an equal loading on a construct whose own unit is known: from an item with more thresholds,
    or from equal intercepts. Until then such loadings are not equal either: they are as free as
    loadings and error variances would be together.

    Parameters
    ----------
    rows
        Those of `csimodel.estimators.covariance.rows.rows_of` with means and no ordered items.
    thresholds
        Of each item, 0 where it is continuous.
    group
        Number of the group.
    equal, free, scaling
        As in `csimodel.estimators.covariance.layouts.layouts_of`.
    """
    passed = kept_thresholds(model, thresholds, equal, free)
    measured = _measured(model, thresholds, passed, equal, free)
    own = [_scaled(model, row, measured, scaling) for row in rows]
    freed = _freed(model, own, thresholds, passed, measured, equal, free) if group else set()
    changed = []
    for row in own:
        if _is_fixed(model, row, thresholds, passed):
            usual = 0.0 if row.op == "~1" else 1.0
            row = row._replace(fixed=None if (row.kind, row.at) in freed else usual, start=None)
        changed.append(row)
    return [*changed, *_threshold_rows(model, thresholds)]


def kept_thresholds(
    model: Model, thresholds: Sequence[int], equal: Sequence[str], free: Sequence[str]
) -> tuple[int, ...]:
    """Return how many thresholds of each item are equal between groups."""
    shared = "thresholds" in equal
    return tuple(
        sum(shared and _name(item, number) not in free for number in range(count))
        for item, count in zip(model.items, thresholds, strict=True)
    )


def unmeasured(
    model: Model, thresholds: Sequence[int], equal: Sequence[str], free: Sequence[str]
) -> tuple[str, ...]:
    """Return the constructs whose equal loadings cost nothing, for want of thresholds."""
    passed = kept_thresholds(model, thresholds, equal, free)
    measured = _measured(model, thresholds, passed, equal, free)
    return tuple(
        construct.name
        for construct, known in zip(model.constructs, measured, strict=True)
        if not known and construct.kind != "single"
    )


def _name(item: str, number: int) -> str:
    return f"{item} | t{number + 1}"


def _threshold_rows(model: Model, thresholds: Sequence[int]) -> Iterator[Row]:
    for i, (item, count) in enumerate(zip(model.items, thresholds, strict=True)):
        for number in range(count):
            yield Row(item, "|", f"t{number + 1}", "thresholds", (i, number))


def _measured(
    model: Model,
    thresholds: Sequence[int],
    passed: Sequence[int],
    equal: Sequence[str],
    free: Sequence[str],
) -> list[bool]:
    """Tell of which constructs the unit in other groups is known when loadings are equal."""
    if "intercepts" in equal or "loadings" not in equal:
        return [True] * len(model.constructs)
    place = {item: i for i, item in enumerate(model.items)}
    return [
        any(
            (not thresholds[place[item]] or passed[place[item]] > 1)
            and f"{construct.name} =~ {item}" not in free
            for item in construct.items
        )
        for construct in model.constructs
    ]


def _scaled(model: Model, row: Row, measured: Sequence[bool], scaling: str) -> Row:
    """Keep loadings apart, and the unit fixed, of a construct whose unit is not known."""
    if row.kind == "loadings" and not measured[row.at[1]]:
        return row._replace(group_kind="")
    j = row.at[0]
    stated = any(p.op == "~~" and p.lhs == p.rhs == row.lhs for p in model.parameters)
    unit = scaling == "variance" and row.kind == "covariances" and row.at == (j, j)
    if unit and not measured[j] and row.fixed is None and not stated:
        return row._replace(fixed=1.0)
    return row


def _is_fixed(model: Model, row: Row, thresholds: Sequence[int], passed: Sequence[int]) -> bool:
    """Tell whether a row is origin or unit of an ordered item, or a mean nothing tells of."""
    i = row.at[0]
    if row.kind == "intercepts":
        return thresholds[i] > 0
    if row.kind == "errors" and row.lhs == row.rhs:
        return thresholds[i] > 0 and model.constructs[model.owner[i]].kind != "single"
    if row.kind not in ("means", "covariances") or (row.kind == "covariances" and i != row.at[1]):
        return False
    block = model.slices[i]
    counts = thresholds[block.start : block.stop]
    if row.kind == "covariances":
        return model.constructs[i].kind == "single" and counts[0] > 0
    if model.construct_names[i] in model.observed:
        return counts[0] > 0
    return bool(counts) and all(counts) and not any(passed[block.start : block.stop])


def _freed(
    model: Model,
    rows: Sequence[Row],
    thresholds: Sequence[int],
    passed: Sequence[int],
    measured: Sequence[bool],
    equal: Sequence[str],
    free: Sequence[str],
) -> set[tuple[str, tuple[int, int]]]:
    """Return the origins and units that are free in another group than the first."""
    freed: set[tuple[str, tuple[int, int]]] = set()
    together = "loadings" in equal
    shared = {
        row.at[0]
        for row in rows
        if row.kind == "loadings" and together and measured[row.at[1]] and row.name not in free
    }
    for i, count in enumerate(passed):
        j = int(model.owner[i])
        alone = model.constructs[j].kind == "single"
        if count and model.construct_names[j] in model.observed:
            freed.add(("means", (j, 0)))
        elif count:
            freed.add(("intercepts", (i, 0)))
        if count > 1 and alone:
            freed.add(("covariances", (j, j)))
        elif count > 1 or (count and i in shared):
            freed.add(("errors", (i, i)))
    return freed
