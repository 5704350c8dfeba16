"""The table of the parameters of a covariance structure, row by row, as a model gives it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np

from csimodel.model import Model
from csimodel.model.parameters import Parameter


class Row(NamedTuple):
    """One parameter in the table, in lavaan's words: ``Image =~ IMAG1``, ``Loyalty ~ Image``.

    `kind` says which matrix holds it, at cell `at` (for intercepts and means the first number), or
    that it is a weight of a composite (``"weights"``), a covariance of its items (``"within"``) or
    a threshold (``"thresholds"``, of an item with a number);
    `group_kind`, where it is another, as what it is made equal between groups.
    """

    lhs: str
    op: str
    rhs: str
    kind: str
    at: tuple[int, int]
    label: str | None = None
    fixed: float | None = None
    start: float | None = None
    lower: float = -np.inf
    upper: float = np.inf
    group_kind: str | None = None

    @property
    def name(self) -> str:
        """The row as text."""
        return f"{self.lhs} ~ 1" if self.op == "~1" else f"{self.lhs} {self.op} {self.rhs}"


def rows_of(
    model: Model,
    scaling: str,
    means: bool,
    ordered: tuple[str, ...],
    group: int,
    equal: tuple[str, ...],
) -> Iterator[Row]:
    """List every parameter of a group: loadings, paths, (co)variances of errors and constructs.

    Arguments are those of `csimodel.estimators.covariance.layouts.layouts_of`, `means` with those
    that the model writes down.
    """
    stated = {
        (parameter.op, parameter.lhs, parameter.rhs): parameter for parameter in model.parameters
    }
    names, items = model.construct_names, model.items
    exogenous = np.asarray(~model.adjacency.any(axis=1))
    unobserved = [item for item in items if item not in model.observed]
    loose = scaling == "variance" and group > 0 and "loadings" in equal  # scaled by group one

    def row(
        lhs: str, op: str, rhs: str, kind: str, at: tuple[int, int], usual: float | None
    ) -> Row:
        """Fill in what the model says; `usual` is the value of what is fixed otherwise."""
        plain = Row(lhs, op, rhs, kind, at, fixed=usual)
        # Where an item and a construct share a name, ~~ means the construct and ~1 the item.
        other: Collection[str] = {"errors": names, "means": unobserved}.get(kind, ())
        parameter = stated.get((op, lhs, rhs)) or (
            stated.get((op, rhs, lhs)) if op == "~~" else None
        )
        if parameter is None or (lhs in other and rhs in (lhs, "")):
            return plain
        fixed = parameter.value("fixed", group)
        written = op in ("~~", "~1")  # to write it down is to free it
        freed = written if fixed is None else bool(np.isnan(fixed))
        lower, upper = parameter.value("lower", group), parameter.value("upper", group)
        return plain._replace(
            label=parameter.value("label", group),
            fixed=None if freed else usual if fixed is None else fixed,
            start=parameter.value("start", group),
            lower=-np.inf if lower is None else lower,
            upper=np.inf if upper is None else upper,
        )

    def as_in_lavaan(j: int, kind: str) -> str | None:
        """Return as what a row of construct j is made equal: an observed variable is no construct.

        Those of variables that nothing explains are never equal.
        """
        if names[j] not in model.observed:
            return None
        return "" if exogenous[j] else kind

    composites = [construct.kind == "composite" for construct in model.constructs]
    for j, construct in enumerate(model.constructs):
        for item in construct.items if construct.name not in model.observed else ():
            first, at = item == construct.items[0], (items.index(item), j)
            if composites[j]:
                fixed = 1.0 if first else None
                yield Row(construct.name, "<~", item, "weights", at, fixed=fixed)
                continue
            fixed = 1.0 if first and scaling == "marker" else None
            yield row(construct.name, "=~", item, "loadings", at, fixed)
    for target, source in np.argwhere(model.adjacency).tolist():
        yield row(names[target], "~", names[source], "paths", (target, source), None)
    for i, j in enumerate(model.owner.tolist()):
        if items[i] not in ordered and names[j] not in model.observed and not composites[j]:
            usual = 0.0 if model.constructs[j].kind == "single" else None
            yield row(items[i], "~~", items[i], "errors", (i, i), usual)
    for i, k in _joined(stated, items, names):
        yield row(items[k], "~~", items[i], "errors", (i, k), None)
    for j in np.flatnonzero(composites).tolist():
        block = range(model.slices[j].start, model.slices[j].stop)
        for i, k in ((i, k) for i in block for k in block if k <= i):
            yield Row(items[k], "~~", items[i], "within", (i, k))
    for j, name in enumerate(names):
        unit = scaling == "variance" and name not in model.observed and not loose
        unit &= not composites[j]
        own = row(name, "~~", name, "covariances", (j, j), 1.0 if unit else None)
        yield own._replace(group_kind=as_in_lavaan(j, "errors"))
    pairs = [(j, k) for j in range(len(names)) for k in range(j) if exogenous[j] and exogenous[k]]
    for j, k in sorted({*pairs, *_joined(stated, names, ())}):
        kinds = {as_in_lavaan(j, "errors"), as_in_lavaan(k, "errors")}
        shared = row(names[k], "~~", names[j], "covariances", (j, k), None)
        yield shared._replace(
            group_kind="" if "" in kinds else kinds.pop() if len(kinds) == 1 else None
        )
    if means:
        free_means = group > 0 and "intercepts" in equal
        for i, item in enumerate(items):
            if item in unobserved and item not in ordered:
                yield row(item, "~1", "", "intercepts", (i, 0), None)
        for j, name in enumerate(names):
            free = free_means or name in model.observed
            mean = row(name, "~1", "", "means", (j, 0), None if free else 0.0)
            yield mean._replace(group_kind=as_in_lavaan(j, "intercepts"))


def _joined(
    stated: dict[tuple[str, str, str], Parameter], names: tuple[str, ...], others: tuple[str, ...]
) -> list[tuple[int, int]]:
    """Return the pairs of different names that the model joins by ~~, the later one first."""
    place = {name: i for i, name in enumerate(names) if name not in others}
    pairs = {
        (max(place[lhs], place[rhs]), min(place[lhs], place[rhs]))
        for op, lhs, rhs in stated
        if op == "~~" and lhs != rhs and lhs in place and rhs in place
    }
    return sorted(pairs)
