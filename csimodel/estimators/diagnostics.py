"""What is wrong with a solution, in sentences that a manager understands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.estimates import Inadmissible, Outcome
from csimodel.estimators.solution import Solution
from csimodel.findings import Finding, listed

_NEARLY_ONE = 0.95  # construct correlations above this can hardly be told apart
_SAME = 1.0 - 1e-10  # correlation of two copies of one column
_NULL = 1e-9  # eigenvalue of a correlation matrix that is zero but for rounding
_FEW_ROWS = 30


def diagnose(solution: Solution) -> tuple[Finding, ...]:
    """Return everything a reader should know about one fitted sample; nothing when all is well."""
    outcome = Outcome(int(solution.estimates.outcome))
    if outcome in (Outcome.CONSTANT_ITEM, Outcome.TOO_FEW_ROWS, Outcome.SINGULAR):
        return (*_rows(solution), _unusable(solution, outcome))
    return (
        *_convergence(solution, outcome),
        *_rows(solution),
        *_items(solution),
        *_weights(solution),
        *_admissible(solution),
        *_constructs(solution),
    )


def _unusable(solution: Solution, outcome: Outcome) -> Finding:
    n = int(solution.moments.n)
    if outcome == Outcome.TOO_FEW_ROWS:
        return Finding(
            "too-few-rows",
            f"Nothing was estimated because there are only {n} rows; at least 3 are needed.",
            severity="failure",
            count=n,
        )
    if outcome == Outcome.CONSTANT_ITEM:
        names = constant_items(solution)
        return Finding(
            "constant-item",
            f"Nothing was estimated because {listed(names)} {_do(names, 'does', 'do')} not vary "
            f"over the {n} rows; leave {_do(names, 'it', 'them')} out or take more rows.",
            names,
            "failure",
        )
    names = singular_parts(solution)
    if not names:
        return Finding(
            "uncorrelated-scores",
            "The weights could not be found because some construct's items, added up, correlate "
            "with no neighbour; check for questions asked the other way round.",
            severity="failure",
        )
    return Finding(
        "singular",
        f"The equations have no unique solution because {listed(names)} carry the same "
        "information; drop one of them, or use mode A for a block of such items.",
        names,
        "failure",
    )


def constant_items(solution: Solution) -> tuple[str, ...]:
    """Return the items without variation."""
    still = ~(solution.moments.sd > 0)
    return tuple(np.array(solution.model.items, dtype=object)[still])


def singular_parts(solution: Solution) -> tuple[str, ...]:
    """Return the items of a singular block, or the antecedents whose scores coincide, if any."""
    model, cor = solution.model, solution.moments.cor
    for block in model.slices:
        if np.linalg.eigvalsh(cor[block, block])[0] < _NULL:
            return tuple(_involved(cor[block, block], model.items[block]))
    scores = solution.estimates.construct_cor
    for row in model.adjacency:
        sources = np.flatnonzero(row)
        part = scores[np.ix_(sources, sources)]
        if len(sources) > 1 and np.isfinite(part).all() and np.linalg.eigvalsh(part)[0] < _NULL:
            return tuple(model.construct_names[j] for j in sources)
    return ()


def _convergence(solution: Solution, outcome: Outcome) -> Iterator[Finding]:
    if outcome == Outcome.NOT_CONVERGED:
        yield Finding(
            "not-converged",
            f"The weights still moved after {int(solution.estimates.iterations)} iterations, so "
            "these numbers are not a solution; raise max_iterations or try another scheme.",
            severity="failure",
            count=int(solution.estimates.iterations),
        )


def _rows(solution: Solution) -> Iterator[Finding]:
    n, items = int(solution.moments.n), len(solution.model.items)
    if n < items:
        yield Finding(
            "fewer-rows-than-items",
            f"There are {n} rows for {items} items; the results will not repeat in another "
            "sample, so collect more rows or use fewer items.",
            severity="warning",
            count=n,
        )
    elif n < _FEW_ROWS:
        yield Finding(
            "few-rows",
            f"Everything here rests on {n} rows; treat it as an illustration.",
            severity="warning",
            count=n,
        )
    effective = float(solution.moments.effective_n)
    if effective < 0.5 * n:
        yield Finding(
            "uneven-weights",
            f"The survey weights are so uneven that {n} rows count for about {effective:.0f}.",
            severity="warning",
            count=n,
        )


def _items(solution: Solution) -> Iterator[Finding]:
    cor, items = solution.moments.cor, solution.model.items
    row, column = np.nonzero(np.triu(np.abs(cor) > _SAME, 1))
    for i, k in zip(row, column, strict=True):
        yield Finding(
            "duplicated-item",
            f"Items {items[i]!r} and {items[k]!r} carry the same answers; "
            "one of them is a copy, so remove it.",
            (items[i], items[k]),
        )
    values = np.linalg.eigvalsh(cor)
    rank_short = solution.moments.n <= len(items)
    if values[0] < -1e-8:
        yield Finding(
            "item-correlations-not-positive-definite",
            "The item correlations contradict each other (smallest eigenvalue "
            f"{values[0]:.3f}), as pairwise deletion can make them; "
            "use another missing-data policy.",
        )
    elif values[0] < _NULL and not rank_short:
        kept = [i for i in range(len(items)) if i not in set(column.tolist())]
        reduced = cor[np.ix_(kept, kept)]
        if np.linalg.eigvalsh(reduced)[0] < _NULL:
            names = _involved(reduced, tuple(items[i] for i in kept))
            yield Finding(
                "collinear-items",
                f"Items {listed(names)} are tied by an exact formula, such as one being the sum "
                "of others; remove one of them.",
                tuple(names),
            )


def _involved(cor: NDArray[np.float64], names: tuple[str, ...]) -> list[str]:
    """Return the names with a part in the null space of a correlation matrix."""
    values, vectors = np.linalg.eigh(cor)
    part = np.abs(vectors[:, values < _NULL]).max(axis=1, initial=0.0)
    return [name for name, size in zip(names, part, strict=True) if size > 1e-5]


def _weights(solution: Solution) -> Iterator[Finding]:
    model, weights = solution.model, solution.estimates.weights
    for item, weight, owner in zip(model.items, weights, model.owner, strict=True):
        if weight < 0:
            yield Finding(
                "negative-weight",
                f"Item {item!r} has the negative weight {weight:.3f} in "
                f"{model.construct_names[owner]!r}, so this index can leave 0 to 100; check "
                "whether the question was asked the other way round.",
                (item, model.construct_names[owner]),
            )


def _admissible(solution: Solution) -> Iterator[Finding]:
    model, estimates = solution.model, solution.estimates
    flags = Inadmissible(int(estimates.inadmissible))
    if Inadmissible.RELIABILITY in flags:
        for name, value in zip(model.construct_names, estimates.reliability, strict=True):
            if not 0 < value <= 1 + 1e-12:
                yield Finding(
                    "reliability-outside-0-1",
                    f"The reliability of {name!r} is estimated at {value:.3f}, which cannot be; "
                    "its items do not behave as measures of one thing.",
                    (name,),
                    "failure",
                )
    if Inadmissible.LOADING in flags:
        for item, value in zip(model.items, estimates.loadings, strict=True):
            if abs(value) > 1 + 1e-12:
                yield Finding(
                    "loading-above-1",
                    f"The loading of {item!r} is estimated at {value:.3f}, beyond 1, which cannot "
                    "be; drop the item, or do not correct for measurement error.",
                    (item,),
                    "failure",
                )
    if Inadmissible.NOT_POSITIVE_DEFINITE in flags:
        smallest = np.linalg.eigvalsh(estimates.construct_cor)[0]
        yield Finding(
            "construct-correlations-not-positive-definite",
            f"The construct correlations contradict each other (smallest eigenvalue "
            f"{smallest:.4f}), so paths and R² are not to be trusted; merge constructs that "
            "correlate near 1, or do not correct for measurement error.",
            severity="failure",
        )


def _constructs(solution: Solution) -> Iterator[Finding]:
    model, estimates = solution.model, solution.estimates
    names = model.construct_names
    for i in range(len(names)):
        for j in range(i):
            value = estimates.construct_cor[i, j]
            if abs(value) > _NEARLY_ONE:
                yield Finding(
                    "constructs-alike",
                    f"{names[j]!r} and {names[i]!r} correlate {value:.3f}; these data can hardly "
                    "tell them apart, so their separate effects mean little.",
                    (names[j], names[i]),
                )
    for target, source in zip(*np.nonzero(np.abs(estimates.paths) > 1), strict=True):
        yield Finding(
            "path-beyond-1",
            f"The standardised path from {names[source]!r} to {names[target]!r} is "
            f"{estimates.paths[target, source]:.2f}, beyond 1; antecedents of {names[target]!r} "
            "overlap too much to be separated.",
            (names[source], names[target]),
        )


def _do(names: tuple[str, ...], one: str, many: str) -> str:
    return one if len(names) == 1 else many
