"""Samples that gave no numbers: why not, in sentences that a manager understands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.estimates import Status, still_items
from csimodel.estimators.solution import Solution
from csimodel.findings import Finding

_NULL = 1e-9  # eigenvalue of a correlation matrix that leaves equations without a solution
UNUSABLE = (
    Status.TOO_FEW_ROWS,
    Status.CONSTANT_ITEM,
    Status.UNPAIRED_ITEMS,
    Status.NEGATIVE_RELIABILITY,
    Status.SINGULAR,
    Status.SUPPRESSED,
)


_ONE_ROW = (
    "Nothing was estimated because there is only {count} row and at least 3 are needed; check the "
    "missing-data policy and the weights."
)
_FEW_ROWS = (
    "Nothing was estimated because there are only {count} rows and at least 3 are needed; check "
    "the missing-data policy and the weights."
)
_SUPPRESSED = (
    "Nothing is shown of this group, because it has fewer respondents ({count}) than the minimum."
)
_ONE_CONSTANT = (
    "Nothing was estimated because {names} does not vary over the {n} rows; leave it out or take "
    "more rows."
)
_CONSTANT = (
    "Nothing was estimated because {names} do not vary over the {n} rows; leave them out or take "
    "more rows."
)


def unusable(solution: Solution, outcome: Status) -> Finding:
    """Say why a sample gave no numbers."""
    n = int(solution.moments.n)
    if outcome == Status.TOO_FEW_ROWS:
        return Finding(
            "too-few-rows",
            _ONE_ROW if n == 1 else _FEW_ROWS,
            severity="failure",
            count=n,
            values={"count": n},
        )
    if outcome == Status.SUPPRESSED:
        return Finding("suppressed", _SUPPRESSED, (), "failure", n, {"count": n})
    if outcome == Status.NEGATIVE_RELIABILITY:
        return _negative_reliability(solution)
    if outcome == Status.SINGULAR:
        return _singular(solution)
    names = constant_items(solution)
    if not names:
        return _unpaired(solution)
    return Finding(
        "constant-item",
        _ONE_CONSTANT if len(names) == 1 else _CONSTANT,
        names,
        "failure",
        values={"names": names, "n": n},
    )


def _unpaired(solution: Solution) -> Finding:
    row, column = np.nonzero(np.triu(~np.isfinite(solution.moments.cov)))
    pair = tuple(solution.model.items[i] for i in (row[0], column[0]))
    return Finding(
        "unpaired-items",
        "Items {first!r} and {second!r} have no correlation, because no or too "
        "few respondents answered both; use another missing-data policy or drop "
        "one of them.",
        pair,
        "failure",
        values={"first": pair[0], "second": pair[1]},
    )


def _negative_reliability(solution: Solution) -> Finding:
    worst = int(np.argmin(solution.estimates.reliability))
    name = solution.model.construct_names[worst]
    return Finding(
        "negative-reliability",
        "The reliability of {name!r} is estimated at {reliability:.3f}, so its "
        "scores cannot be corrected for measurement error; use PLS without "
        "consistent=True or drop items that disagree.",
        (name,),
        "failure",
        values={"name": name, "reliability": solution.estimates.reliability[worst]},
    )


def _singular(solution: Solution) -> Finding:
    for finding in saturated(solution):
        return finding
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
        "The equations have no unique solution because {names} carry the same "
        "information; drop one of them, or use mode A for a block of such items.",
        names,
        "failure",
        values={"names": tuple(names)},
    )


def constant_items(solution: Solution) -> tuple[str, ...]:
    """Return the items without variation."""
    still = still_items(solution.moments)
    names = np.array(solution.moments.items, dtype=object)
    answered = still[: len(solution.model.answered)]
    return tuple(names[: len(answered)][answered] if answered.any() else names[still])


def singular_parts(solution: Solution) -> tuple[str, ...]:
    """Return the items of a singular block, or the antecedents whose scores coincide, if any."""
    model, cor = solution.model, solution.item_cor
    for block in model.slices:
        if names := tied(cor[block, block], model.items[block], _NULL):
            return names
    scores = _score_cor(solution)
    for row in model.adjacency:
        sources = np.flatnonzero(row)
        part = scores[np.ix_(sources, sources)]
        names = tuple(model.construct_names[j] for j in sources)
        if np.isfinite(part).all() and (alike := tied(part, names, _NULL)):
            return alike
    return ()


def _score_cor(solution: Solution) -> NDArray[np.float64]:
    """Return the construct correlations, those of sums of items where weights were not found."""
    cor = solution.estimates.construct_cor
    if np.isfinite(cor).all():
        return cor
    model = solution.model
    own = (model.owner[:, None] == np.arange(len(model.constructs))).astype(np.float64)
    between = own.T @ solution.item_cor @ own
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1.0 / np.sqrt(np.diag(between))
        return np.asarray(between * scale * scale[:, None])


def saturated(solution: Solution) -> Iterator[Finding]:
    """Name constructs whose regression, or whose weights, fit any answers, for want of rows."""
    n, model = int(solution.moments.n), solution.model
    for name in exactly_explained(solution):
        sources = len(model.sources_of(name))
        yield Finding(
            "no-rows-to-spare",
            "Construct {name!r} has {sources} antecedents and there are only {count} "
            "rows, so its paths fit whatever was answered; collect more rows or "
            "remove paths.",
            (name,),
            "failure",
            n,
            values={"name": name, "sources": sources, "count": n},
        )
    modes = () if model.terms else solution.estimator.modes_of(model)
    for construct, mode in zip(model.constructs, modes, strict=not model.terms):
        items = len(construct.items)
        if mode == "B" and n <= items + 1:
            yield Finding(
                "no-rows-to-spare",
                "Construct {name!r} has weights by regression on {items} items (mode B) and there "
                "are only {count} rows, so its score fits whatever was answered; collect more "
                "rows, or use mode A.",
                (construct.name,),
                "failure",
                n,
                values={"name": construct.name, "items": items, "count": n},
            )


def exactly_explained(solution: Solution) -> tuple[str, ...]:
    """Return the constructs whose antecedents explain any answers, as rows leave nothing over."""
    n, model = int(solution.moments.n), solution.model
    sources = model.adjacency.sum(axis=1)
    return tuple(
        name
        for name, count in zip(model.construct_names, sources, strict=True)
        if count and n <= count + 1
    )


def tied(cor: NDArray[np.float64], names: tuple[str, ...], below: float) -> tuple[str, ...]:
    """Return the names with a part in the (almost) null space of a correlation matrix, if any."""
    values, vectors = np.linalg.eigh(cor)
    part = np.abs(vectors[:, values < below]).max(axis=1, initial=0.0)
    return tuple(name for name, size in zip(names, part, strict=True) if size > np.sqrt(below))
