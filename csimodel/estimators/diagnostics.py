"""What is wrong with a solution, in sentences that a manager understands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from csimodel.bounds import BOUNDS, ROUNDING, THRESHOLDS
from csimodel.estimators.covariance.findings import (
    covariance_findings,
    heywood_items,
    of_covariance_structure,
)
from csimodel.estimators.estimates import Inadmissible, Status
from csimodel.estimators.failures import UNUSABLE, saturated, tied, unusable
from csimodel.estimators.solution import Solution
from csimodel.findings import Finding
from csimodel.model import Model
from csimodel.model.terms import HigherOrder

_NEARLY_ONE = THRESHOLDS["constructs alike"].value
_ONE = 1.0 + ROUNDING
_SAME = 1.0 - 1e-10  # correlation of two copies of one column
_EXACT = 1e-12  # eigenvalue of a correlation matrix that is zero but for rounding
_ALMOST = 1e-6  # eigenvalue that a formula with a little noise leaves: variances inflated 10⁶ times
_NEGATIVE = -1e-6  # eigenvalue that no rounding explains
_FEW_ROWS = THRESHOLDS["few rows"].value
_IMPOSSIBLE = {
    "reliability-above-1": (
        "The reliability of {name!r} is estimated at {value:.3f}, above 1, which cannot "
        "be; its items do not behave as measures of one thing."
    ),
    "reliability-below-0": (
        "The reliability of {name!r} is estimated at {value:.3f}, below 0, which cannot "
        "be; its items contradict each other."
    ),
    "loading-above-1": (
        "The loading of {name!r} is estimated at {value:.3f}, beyond 1, which cannot be; "
        "drop the item, or do not correct for measurement error."
    ),
    "explained-variance-above-1": (
        "The explained variance of {name!r} is estimated at {value:.3f}, above 1, which cannot "
        "be; do without pairwise deletion and correction for error, or remove antecedents that "
        "overlap."
    ),
    "explained-variance-below-0": (
        "The explained variance of {name!r} is estimated at {value:.3f}, below 0, which cannot "
        "be; do without pairwise deletion and correction for error, or remove antecedents that "
        "overlap."
    ),
}


def diagnose(solution: Solution) -> tuple[Finding, ...]:
    """Return everything a reader should know about one fitted sample; nothing when all is well."""
    outcome = Status(int(solution.estimates.outcome))
    if outcome in UNUSABLE:
        return (unusable(solution, outcome),)
    if of_covariance_structure(solution):
        return _of_covariances(solution, outcome)
    return (
        *_convergence(solution, outcome),
        *solution.estimator.findings(solution.moments),
        *_rows(solution),
        *saturated(solution),
        *_items(solution),
        *_weights(solution),
        *_admissible(solution),
        *_constructs(solution),
        *_repeated_composites(solution.model),
    )


def _of_covariances(solution: Solution, outcome: Status) -> tuple[Finding, ...]:
    findings = (*covariance_findings(solution, outcome), *_rows(solution), *_items(solution))
    if outcome != Status.CONVERGED:
        return findings
    return (*findings, *_weights(solution), *_constructs(solution))


def _convergence(solution: Solution, outcome: Status) -> Iterator[Finding]:
    if outcome == Status.NOT_CONVERGED:
        yield Finding(
            "not-converged",
            "The weights still moved after {iterations} {iterations:iteration|iterations}, so "
            "these numbers are not a solution; raise max_iterations or try another scheme.",
            severity="failure",
            count=int(solution.estimates.iterations),
            values={"iterations": int(solution.estimates.iterations)},
        )
    elif outcome != Status.CONVERGED:
        yield Finding(
            "no-solution",
            "These numbers are not a solution ({outcome}); change the model, or leave out items "
            "that repeat others.",
            severity="failure",
            values={"outcome": outcome.reason},
        )


def _rows(solution: Solution) -> Iterator[Finding]:
    n, items = int(solution.moments.n), len(solution.model.answered)
    if n < items:
        yield Finding(
            "fewer-rows-than-items",
            "There are {rows} rows for {items} items; the results will not repeat in another "
            "sample, so collect more rows or use fewer items.",
            count=n,
            values={"rows": n, "items": items},
        )
    elif n < _FEW_ROWS:
        yield Finding(
            "few-rows",
            "Everything here rests on {rows} rows; treat it as an illustration.",
            count=n,
            values={"rows": n},
        )
    effective = float(solution.moments.effective_n)
    if effective < 0.5 * n:
        yield Finding(
            "uneven-weights",
            "The survey weights are so uneven that {rows} rows count for about {effective:.0f}.",
            count=n,
            values={"rows": n, "effective": effective},
        )


def _items(solution: Solution) -> Iterator[Finding]:
    items = solution.model.answered
    cor = solution.moments.cor[: len(items), : len(items)]
    copies = []
    for i, k in zip(*np.nonzero(np.triu(np.abs(cor) > _SAME, 1)), strict=True):
        # Two items that few rows answered both can correlate 1 without being alike elsewhere.
        if np.allclose(cor[i], np.sign(cor[i, k]) * cor[k], rtol=0, atol=1e-4):
            copies.append(k)
            yield Finding(
                "duplicated-item",
                "Items {first!r} and {second!r} carry the same answers; one of them is a copy, so "
                "remove it.",
                (items[i], items[k]),
                values={"first": items[i], "second": items[k]},
            )
    smallest = np.linalg.eigvalsh(cor)[0]
    if smallest < _NEGATIVE:
        yield Finding(
            "item-correlations-not-positive-definite",
            "The item correlations contradict each other (smallest eigenvalue {smallest:.3g}), as "
            "pairwise deletion can make them; use another missing-data policy.",
            severity="failure",
            values={"smallest": float(smallest)},
        )
    elif solution.moments.n > len(items):
        kept = [i for i in range(len(items)) if i not in copies]
        reduced, names = cor[np.ix_(kept, kept)], tuple(items[i] for i in kept)
        if exact := tied(reduced, names, _EXACT):
            yield Finding(
                "collinear-items",
                "Items {items} are tied by an exact formula, such as one being the sum of others; "
                "remove one of them.",
                exact,
                values={"items": exact},
            )
        elif almost := tied(reduced, names, _ALMOST):
            yield Finding(
                "nearly-collinear-items",
                "Items {items} are almost tied by a formula, such as one being the sum of others; "
                "remove one of them.",
                almost,
                values={"items": almost},
            )


def _weights(solution: Solution) -> Iterator[Finding]:
    model, weights = solution.model, solution.estimates.weights
    if model.shared_items:  # no scores, so no weights to judge
        return
    heywood = heywood_items(solution)
    products = list(model.products.values())  # of which there is no index
    for item, weight, owner in zip(model.items, weights, model.owner, strict=True):
        if not weight < 0 or owner in products:
            continue
        construct = model.constructs[owner]
        wrong = [indicator for indicator in construct.items if indicator in heywood]
        sentence = (
            "Item {item!r} has the negative weight {weight:.3f} in {construct!r}, so this index "
            "can leave 0 to 100; check whether the question was asked the other way round."
        )
        if wrong:
            sentence = (
                "Item {item!r} has the negative weight {weight:.3f} in {construct!r}, so this "
                "index can leave 0 to 100; it comes from the error variance of {heywood} below 0, "
                "so do not use the index of {construct!r}, or take its weights from PLS."
            )
        values = {"item": item, "weight": float(weight), "construct": construct.name}
        yield Finding(
            "negative-weight",
            sentence,
            (item, construct.name),
            values=values | {"heywood": tuple(wrong)},
        )


def _repeated_composites(model: Model) -> Iterator[Finding]:
    """Say which paths to composites that repeat their parts' items do not tell effects."""
    for term in model.terms:
        if not isinstance(term, HigherOrder) or not term.items or term.kind != "composite":
            continue
        antecedents = [name for name in model.sources_of(term.name) if name not in term.parts]
        if not antecedents:
            continue
        sentence = (
            "'{construct}' repeats the items of its parts, which explain all of it, so the path "
            "from {antecedents} to it is near 0 whatever the effect; take "
            "PLS(higher_order='extended') and read the total effect."
        )
        if len(antecedents) > 1:
            sentence = (
                "'{construct}' repeats the items of its parts, which explain all of it, so the "
                "paths from {antecedents} to it are near 0 whatever the effects; take "
                "PLS(higher_order='extended') and read the total effects."
            )
        yield Finding(
            "repeated-composite-has-antecedents",
            sentence,
            (term.name, *antecedents),
            values={"construct": term.name, "antecedents": tuple(antecedents)},
        )


def _admissible(solution: Solution) -> Iterator[Finding]:
    model, estimates = solution.model, solution.estimates
    bounds = BOUNDS["reliability"]
    for name, value in zip(model.construct_names, estimates.reliability.tolist(), strict=True):
        if bounds.above(value):
            yield _impossible("reliability-above-1", name, value)
        elif bounds.below(value):
            yield _impossible("reliability-below-0", name, value)
    for item, value in zip(model.items, estimates.loadings.tolist(), strict=True):
        if BOUNDS["loading"].beyond(value):
            yield _impossible("loading-above-1", item, value)
    cor = estimates.construct_cor
    definite = Inadmissible.NOT_POSITIVE_DEFINITE not in Inadmissible(int(estimates.inadmissible))
    if not definite and np.isfinite(cor).all():
        yield Finding(
            "construct-correlations-not-positive-definite",
            "The construct correlations contradict each other (smallest eigenvalue "
            "{smallest:.4f}), so paths and R² are not to be trusted; merge constructs that "
            "correlate near 1, or do not correct for measurement error.",
            severity="failure",
            values={"smallest": float(np.linalg.eigvalsh(cor)[0])},
        )


def _impossible(code: str, name: str, value: float) -> Finding:
    """Say that a number of one item or construct is out of its bounds."""
    fields = {"name": name, "value": value}
    return Finding(code, _IMPOSSIBLE[code], (name,), "failure", values=fields)


def _constructs(solution: Solution) -> Iterator[Finding]:
    model, estimates = solution.model, solution.estimates
    names, several = model.construct_names, model.adjacency.sum(axis=1) > 1
    alike = []
    for i in range(len(names)):
        for j in range(i):
            value = float(estimates.construct_cor[i, j])
            if BOUNDS["correlation"].beyond(value):
                yield Finding(
                    "construct-correlation-beyond-1",
                    "{first!r} and {second!r} correlate {value:.3f}, beyond 1, which cannot be; "
                    "merge them, or do without pairwise deletion and correction for error.",
                    (names[j], names[i]),
                    "failure",
                    values={"first": names[j], "second": names[i], "value": value},
                )
            elif abs(value) > _NEARLY_ONE and model.apart[i, j]:
                alike.append((names[j], names[i], value))
    if alike:
        pairs = tuple(f"{a!r} – {b!r} ({value:.3f})" for a, b, value in alike)
        yield Finding(
            "constructs-alike",
            "Some constructs correlate so highly that these data can hardly tell them apart, and "
            "their separate effects mean little: {pairs:8}.",
            tuple(dict.fromkeys(name for a, b, _ in alike for name in (a, b))),
            count=len(alike),
            values={"pairs": pairs},
        )
    # With one antecedent path and R² are the correlation and its square: said already.
    for j in np.flatnonzero(several & BOUNDS["r2"].above(solution.r2)).tolist():
        yield _impossible("explained-variance-above-1", names[j], float(solution.r2[j]))
    for j in np.flatnonzero(several & BOUNDS["r2"].below(solution.r2)).tolist():
        yield _impossible("explained-variance-below-0", names[j], float(solution.r2[j]))
    standardized = solution.standardized_paths
    beyond = np.abs(standardized) > _ONE
    for target in np.flatnonzero(several & beyond.any(axis=1)).tolist():
        sources = np.flatnonzero(beyond[target]).tolist()
        paths = tuple(f"{names[s]!r} ({standardized[target, s]:.2f})" for s in sources)
        sentence = (
            "Standardised path to {target!r} beyond 1, from {paths}: antecedents of {target!r} "
            "overlap too much to be separated."
        )
        if len(sources) > 1:
            sentence = (
                "Standardised paths to {target!r} beyond 1, from {paths}: antecedents of "
                "{target!r} overlap too much to be separated."
            )
        yield Finding(
            "path-beyond-1",
            sentence,
            (names[target], *(names[s] for s in sources)),
            count=len(sources),
            values={"target": names[target], "paths": paths},
        )
