"""What is wrong with a solution, in sentences that a manager understands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from csimodel.estimators.covariance.findings import (
    covariance_findings,
    heywood_items,
    of_covariance_structure,
)
from csimodel.estimators.estimates import Inadmissible, Outcome
from csimodel.estimators.solution import Solution
from csimodel.estimators.unusable import UNUSABLE, saturated, tied, unusable
from csimodel.findings import Finding, listed

_NEARLY_ONE = 0.95  # construct correlations above this can hardly be told apart
_ONE = 1.0 + 1e-8  # a correlation beyond 1 by more than rounding
_SAME = 1.0 - 1e-10  # correlation of two copies of one column
_EXACT = 1e-12  # eigenvalue of a correlation matrix that is zero but for rounding
_ALMOST = 1e-6  # eigenvalue that a formula with a little noise leaves: variances inflated 10⁶ times
_NEGATIVE = -1e-6  # eigenvalue that no rounding explains
_FEW_ROWS = 30


def diagnose(solution: Solution) -> tuple[Finding, ...]:
    """Return everything a reader should know about one fitted sample; nothing when all is well."""
    outcome = Outcome(int(solution.estimates.outcome))
    if outcome in UNUSABLE:
        return (unusable(solution, outcome),)
    if of_covariance_structure(solution):
        return _of_covariances(solution, outcome)
    return (
        *_convergence(solution, outcome),
        *_rows(solution),
        *saturated(solution),
        *_items(solution),
        *_weights(solution),
        *_admissible(solution),
        *_constructs(solution),
    )


def _of_covariances(solution: Solution, outcome: Outcome) -> tuple[Finding, ...]:
    found = (*covariance_findings(solution, outcome), *_rows(solution), *_items(solution))
    if outcome != Outcome.CONVERGED:
        return found
    return (*found, *_weights(solution), *_constructs(solution))


def _convergence(solution: Solution, outcome: Outcome) -> Iterator[Finding]:
    if outcome == Outcome.NOT_CONVERGED:
        yield Finding(
            "not-converged",
            f"The weights still moved after {int(solution.estimates.iterations)} iterations, so "
            "these numbers are not a solution; raise max_iterations or try another scheme.",
            severity="failure",
            count=int(solution.estimates.iterations),
        )
    elif outcome != Outcome.CONVERGED:
        yield Finding(
            "no-solution",
            f"These numbers are not a solution ({outcome.reason}); change the model, or leave out "
            "items that repeat others.",
            severity="failure",
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
    copies = []
    for i, k in zip(*np.nonzero(np.triu(np.abs(cor) > _SAME, 1)), strict=True):
        # Two items that few rows answered both can correlate 1 without being alike elsewhere.
        if np.allclose(cor[i], np.sign(cor[i, k]) * cor[k], rtol=0, atol=1e-4):
            copies.append(k)
            yield Finding(
                "duplicated-item",
                f"Items {items[i]!r} and {items[k]!r} carry the same answers; "
                "one of them is a copy, so remove it.",
                (items[i], items[k]),
            )
    smallest = np.linalg.eigvalsh(cor)[0]
    if smallest < _NEGATIVE:
        yield Finding(
            "item-correlations-not-positive-definite",
            f"The item correlations contradict each other (smallest eigenvalue {smallest:.3g}), "
            "as pairwise deletion can make them; use another missing-data policy.",
            severity="failure",
        )
    elif solution.moments.n > len(items):
        kept = [i for i in range(len(items)) if i not in copies]
        reduced, names = cor[np.ix_(kept, kept)], tuple(items[i] for i in kept)
        if exact := tied(reduced, names, _EXACT):
            yield _tied("collinear-items", exact, "tied by an exact formula")
        elif almost := tied(reduced, names, _ALMOST):
            yield _tied("nearly-collinear-items", almost, "almost tied by a formula")


def _tied(code: str, names: tuple[str, ...], how: str) -> Finding:
    return Finding(
        code,
        f"Items {listed(names)} are {how}, such as one being the sum of others; "
        "remove one of them.",
        names,
    )


def _weights(solution: Solution) -> Iterator[Finding]:
    model, weights = solution.model, solution.estimates.weights
    if model.shared_items:  # no scores, so no weights to judge
        return
    heywood = heywood_items(solution)
    for item, weight, owner in zip(model.items, weights, model.owner, strict=True):
        if not weight < 0:
            continue
        construct = model.constructs[owner]
        wrong = [one for one in construct.items if one in heywood]
        why = "check whether the question was asked the other way round."
        if wrong:
            why = (
                f"it comes from the error variance of {listed(wrong)} below 0, so do not use the "
                f"index of {construct.name!r}, or take its weights from PLS."
            )
        yield Finding(
            "negative-weight",
            f"Item {item!r} has the negative weight {weight:.3f} in {construct.name!r}, so this "
            f"index can leave 0 to 100; {why}",
            (item, construct.name),
        )


def _admissible(solution: Solution) -> Iterator[Finding]:
    model, estimates = solution.model, solution.estimates
    flags = Inadmissible(int(estimates.inadmissible))
    if Inadmissible.RELIABILITY in flags:
        for name, value in zip(model.construct_names, estimates.reliability, strict=True):
            if value > 1 + 1e-12:
                yield Finding(
                    "reliability-above-1",
                    f"The reliability of {name!r} is estimated at {value:.3f}, above 1, which "
                    "cannot be; its items do not behave as measures of one thing.",
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
    names, several = model.construct_names, model.adjacency.sum(axis=1) > 1
    alike = []
    for i in range(len(names)):
        for j in range(i):
            value = estimates.construct_cor[i, j]
            if abs(value) > _ONE:
                yield Finding(
                    "construct-correlation-beyond-1",
                    f"{names[j]!r} and {names[i]!r} correlate {value:.3f}, beyond 1, which cannot "
                    "be; merge them, or do without pairwise deletion and correction for error.",
                    (names[j], names[i]),
                    "failure",
                )
            elif abs(value) > _NEARLY_ONE:
                alike.append((names[j], names[i], float(value)))
    if alike:
        pairs = listed((f"{a!r} and {b!r} ({value:.3f})" for a, b, value in alike), 8)
        yield Finding(
            "constructs-alike",
            f"Some constructs correlate so highly that these data can hardly tell them apart, and "
            f"their separate effects mean little: {pairs}.",
            tuple(dict.fromkeys(name for a, b, _ in alike for name in (a, b))),
            count=len(alike),
        )
    # With one antecedent path and R² are the correlation and its square: said already.
    for j in np.flatnonzero(several & (solution.r2 > _ONE)).tolist():
        yield Finding(
            "explained-variance-above-1",
            f"The explained variance of {names[j]!r} is estimated at {solution.r2[j]:.3f}, above "
            "1, which cannot be; do without pairwise deletion and correction for error, or remove "
            "antecedents that overlap.",
            (names[j],),
            "failure",
        )
    beyond = np.abs(estimates.paths) > _ONE
    for target in np.flatnonzero(several & beyond.any(axis=1)).tolist():
        sources = np.flatnonzero(beyond[target]).tolist()
        paths = listed(f"{names[s]!r} ({estimates.paths[target, s]:.2f})" for s in sources)
        yield Finding(
            "path-beyond-1",
            f"Standardised {'paths' if len(sources) > 1 else 'path'} to {names[target]!r} beyond "
            f"1, from {paths}: antecedents of {names[target]!r} overlap too much to be separated.",
            (names[target], *(names[s] for s in sources)),
            count=len(sources),
        )
