"""What is wrong with a covariance structure's solution, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.estimator import CovarianceEstimates
from csimodel.estimators.covariance.parameters import (
    covariance_structure,
    errors_of,
    information,
    standardised,
    vcov,
)
from csimodel.estimators.covariance.structure import implied
from csimodel.estimators.estimates import Inadmissible, Outcome
from csimodel.estimators.solution import Solution
from csimodel.findings import Finding, listed
from csimodel.survey import Answers

Floats = NDArray[np.float64]

PER_PARAMETER = 5  # respondents a parameter needs at the least (Bentler and Chou 1987)
_LARGE_ERROR = 1.0  # standard error of a standardised parameter that says nothing is known of it
_FLAT = 1e-10  # eigenvalue of the scaled information that identifies nothing
_NEARLY_FLAT = 1e-6
_ENOUGH = 100  # iterations after which more of them do not help
_PART = 0.05  # part in a flat direction, relative to the largest, that is named


def of_covariance_structure(solution: Solution) -> bool:
    """Tell whether a solution is one of covariances, for which other sentences hold."""
    return isinstance(solution.estimates, CovarianceEstimates)


def covariance_findings(solution: Solution, outcome: Outcome) -> Iterator[Finding]:
    """Yield what only a covariance structure can suffer from; nothing for other solutions."""
    if not of_covariance_structure(solution):
        return
    estimator, _ = covariance_structure(solution)
    yield from estimator.findings(solution.moments)
    yield from _few_rows(solution)
    if outcome == Outcome.ITEMS_SINGULAR:
        yield _singular_items(solution)
    elif outcome == Outcome.NOT_CONVERGED:
        yield covariance_structure(solution)[0].stopped(solution) or _not_converged(solution)
    elif outcome == Outcome.NOT_IDENTIFIED:
        yield _not_identified(solution)
    elif outcome == Outcome.CONVERGED:
        if remark := covariance_structure(solution)[0].stopped(solution):
            yield remark
        yield from _negative_variances(solution)
        yield from _disagreeing(solution)
        yield from _large_errors(solution)


def design_findings(solution: Solution, answers: Answers | None) -> Iterator[Finding]:
    """Say when errors and χ² do not know of the survey's weights, clusters or strata."""
    if not of_covariance_structure(solution):
        return
    estimator, _ = covariance_structure(solution)
    n, effective = float(solution.moments.n), float(solution.moments.effective_n)
    strata = answers is not None and answers.strata is not None
    if estimator.design_based:
        if strata:
            yield Finding(
                "errors-ignore-strata",
                f"Errors and tests by {estimator.label} do not use the survey's strata, which as "
                "a rule makes them a little too large; csi.bootstrap draws within strata.",
                ("strata",),
                "note",
            )
        return
    given = {
        f"weights (its {n:.0f} rows are worth {effective:.0f})": effective < n * (1.0 - 1e-9),
        "clusters": answers is not None and answers.cluster is not None,
        "strata": strata,
    }
    if names := tuple(name for name, there in given.items() if there):
        yield Finding(
            "errors-ignore-design",
            f"Errors, χ² and what follows from it ignore the survey's {listed(names)}, as if "
            "everyone had been drawn alike; use csi.ML(se='robust') or csi.bootstrap.",
            tuple(name.split()[0] for name in names),
        )


def _few_rows(solution: Solution) -> Iterator[Finding]:
    _, estimates = covariance_structure(solution)
    n, free = int(solution.moments.n), estimates.layout.size
    if n < PER_PARAMETER * free:
        yield Finding(
            "few-rows-per-parameter",
            f"There are {n} rows for {free} parameters, fewer than {PER_PARAMETER} for each, so "
            "errors and χ² are rough; collect more rows, use a smaller model, or PLS.",
            count=n,
        )


def _singular_items(solution: Solution) -> Finding:
    n, items = int(solution.moments.n), solution.model.items
    if n <= len(items):
        return Finding(
            "singular-items",
            f"Nothing was estimated because {n} rows for {len(items)} items leave the covariances "
            "of the items singular; collect more rows, use fewer items, or PLS.",
            items,
            "failure",
            n,
        )
    return Finding(
        "singular-items",
        "Nothing was estimated because the covariances of the items are singular; remove items "
        "that repeat others or are sums of them, and do without pairwise deletion.",
        items,
        "failure",
    )


def _not_converged(solution: Solution) -> Finding:
    estimator, estimates = covariance_structure(solution)
    if not np.isfinite(estimates.gradient):
        return _no_way_in(solution)
    more = "" if estimator.max_iterations >= _ENOUGH else ", or raise max_iterations"
    ties = tied_parameters(information(solution), estimates.layout.names, _NEARLY_FLAT)
    names = tuple(name for tie in ties for name in tie)
    tied = f"; the data hardly tell {listed(names)} apart" if names else ""
    return Finding(
        "not-converged",
        f"No minimum was found in {int(estimates.iterations)} iterations (the largest derivative "
        f"is still {float(estimates.gradient):.2g}), so these numbers are not a solution{tied}; "
        "the model may have none in these data, so merge constructs that overlap or remove "
        f"paths{more}.",
        names,
        "failure",
        count=int(estimates.iterations),
    )


def _no_way_in(solution: Solution) -> Finding:
    given = tuple(str(one) for one in solution.model.parameters if any((*one.fixed, *one.start)))
    whose = f"; change the values given in {listed(map(repr, given))}" if given else ""
    return Finding(
        "not-converged",
        "Nothing was estimated because the values to start from imply covariances that cannot be "
        f"(not positive definite){whose}.",
        given,
        "failure",
    )


def _not_identified(solution: Solution) -> Finding:
    _, estimates = covariance_structure(solution)
    return not_identified(information(solution), estimates.layout.names)


def not_identified(matrix: Floats, names: tuple[str, ...]) -> Finding:
    """Say which parameters hang together, from the null space of their information."""
    ties = tied_parameters(matrix, names, _FLAT)
    first, *others = ties or ((),)
    what = f"parameters {listed(first)} cannot be told apart" if first else "some cannot be found"
    if len(first) == 1:
        what = f"parameter {first[0]} cannot be found"
    what += "".join(f", nor can {listed(other)}" for other in others)
    return Finding(
        "not-identified",
        f"The model is not identified by these data: {what}, so their values are arbitrary; fix "
        "one of those that hang together, give each construct three items or more, or a path to or "
        "from another, or remove paths.",
        tuple(name for tie in ties for name in tie),
        "failure",
    )


def tied_parameters(
    matrix: Floats, names: tuple[str, ...], below: float
) -> tuple[tuple[str, ...], ...]:
    """Return the parameters in the (almost) null space of an information matrix, by what ties them.

    Two parameters hang together where the projection on the null space moves one with the other.
    """
    from scipy.sparse.csgraph import connected_components

    if not np.isfinite(matrix).all():
        return ()
    root = np.sqrt(np.where(np.diag(matrix) > 0, np.diag(matrix), 1.0))
    values, vectors = np.linalg.eigh(matrix / np.outer(root, root))
    null = vectors[:, values < below]
    part = np.abs(null).max(axis=1, initial=0.0)
    here = np.flatnonzero(part > _PART * part.max(initial=0.0))
    together = np.abs(null[here] @ null[here].T) > _PART**2
    count, component = connected_components(together, directed=False)
    return tuple(tuple(names[k] for k in here[component == c]) for c in range(count))


def _negative_variances(solution: Solution) -> Iterator[Finding]:
    _, estimates = covariance_structure(solution)
    layout = estimates.layout
    share, _ = standardised(layout, estimates.parameters)
    values = layout.values(estimates.parameters)
    for place, row in enumerate(layout.rows):
        if row.op != "~~" or row.lhs != row.rhs or not values[place] < 0:
            continue
        wrong = _heywood(solution, row.lhs, float(values[place]), float(share[place]))
        if row.kind == "covariances":
            wrong = _negative_disturbance(row.lhs, float(values[place]), float(share[place]))
        yield wrong
    errors = np.diagonal(implied(layout, estimates.parameters).errors)
    for i in np.flatnonzero(layout.ordered & (errors < 0)).tolist():
        yield _heywood(solution, solution.model.items[i], float(errors[i]), float(errors[i]))


def heywood_items(solution: Solution) -> tuple[str, ...]:
    """Return the items whose error variance is below 0 in a covariance structure of one sample."""
    estimates = solution.estimates
    if not isinstance(estimates, CovarianceEstimates):
        return ()
    errors = np.diag(implied(estimates.layout, estimates.parameters).errors)
    return tuple(item for item, one in zip(solution.model.items, errors, strict=True) if one < 0)


def _heywood(solution: Solution, item: str, value: float, share: float) -> Finding:
    model = solution.model
    owner = (
        model.construct_names[model.owner[model.items.index(item)]] if item in model.items else ""
    )
    return Finding(
        "negative-error-variance",
        f"The error variance of {item!r} is estimated at {value:.3f} ({share:.0%} of the item's "
        f"variance), below 0, which cannot be (a Heywood case); {owner!r} has too few items or "
        f"rows to separate {item!r} from it, so add items or rows, or drop the item.",
        (item, owner),
        "failure",
    )


def _negative_disturbance(construct: str, value: float, share: float) -> Finding:
    return Finding(
        "negative-disturbance-variance",
        f"The unexplained variance of {construct!r} is estimated at {value:.3f} ({share:.0%} of "
        "its variance), below 0, which cannot be; its antecedents overlap too much or explain "
        "too much, so merge constructs or remove paths.",
        (construct,),
        "failure",
    )


def _disagreeing(solution: Solution) -> Iterator[Finding]:
    flags = Inadmissible(int(solution.estimates.inadmissible))
    if Inadmissible.NOT_POSITIVE_DEFINITE in flags:
        smallest = np.linalg.eigvalsh(solution.estimates.construct_cor)[0]
        yield Finding(
            "construct-correlations-not-positive-definite",
            f"The construct correlations contradict each other (smallest eigenvalue "
            f"{smallest:.4f}), so paths and R² are not to be trusted; merge constructs that "
            "correlate near 1.",
            severity="failure",
        )


def _large_errors(solution: Solution) -> Iterator[Finding]:
    _, estimates = covariance_structure(solution)
    _, jacobian = standardised(estimates.layout, estimates.parameters)
    errors = errors_of(jacobian, vcov(solution))
    order = [row for row in np.argsort(-np.nan_to_num(errors)) if errors[row] > _LARGE_ERROR]
    if order:
        names = tuple(estimates.layout.rows[row].name for row in order)
        yield Finding(
            "exploding-errors",
            f"Standardised, {listed(names)} {'has a' if len(names) == 1 else 'have'} standard "
            f"error{'' if len(names) == 1 else 's'} beyond 1 (up to {errors[order[0]]:.1f}), so "
            f"nothing is known of {'it' if len(names) == 1 else 'them'}; the model is nearly "
            "unidentified in these data, so merge constructs that correlate near 1 or remove "
            "paths.",
            names,
            count=len(names),
        )
