"""What is wrong with a covariance structure's solution, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import THRESHOLDS
from csimodel.estimators.covariance.estimator import CovarianceEstimates
from csimodel.estimators.covariance.parameters import (
    covariance_structure,
    errors_of,
    sample_information,
    standardised,
)
from csimodel.estimators.covariance.structure import implied
from csimodel.estimators.covariance.vcov import vcov
from csimodel.estimators.estimates import Inadmissible, Status
from csimodel.estimators.solution import Solution
from csimodel.findings import Finding
from csimodel.survey import Answers

Floats = NDArray[np.float64]

PER_PARAMETER = int(THRESHOLDS["rows for each parameter"].value)
_LARGE_ERROR = THRESHOLDS["large standardised error"].value
_FLAT = 1e-10  # eigenvalue of the scaled information that identifies nothing
_NEARLY_FLAT = 1e-6
_ENOUGH = 100  # iterations after which more of them do not help
_SMALL = THRESHOLDS["chi-square that decides nothing"].value
_PART = 0.05  # part in a flat direction, relative to the largest, that is named


def of_covariance_structure(solution: Solution) -> bool:
    """Tell whether a solution is one of covariances, for which other sentences hold."""
    return isinstance(solution.estimates, CovarianceEstimates)


def covariance_findings(solution: Solution, outcome: Status) -> Iterator[Finding]:
    """Yield what only a covariance structure can suffer from; nothing for other solutions."""
    if not of_covariance_structure(solution):
        return
    estimator, estimates = covariance_structure(solution)
    yield from estimator.findings(solution.moments)
    yield from _few_rows(solution)
    if outcome == Status.ITEMS_SINGULAR:
        yield _singular_items(solution)
    elif outcome == Status.NOT_CONVERGED:
        yield covariance_structure(solution)[0].stopped(solution) or _not_converged(solution)
    elif outcome == Status.NOT_IDENTIFIED:
        yield _not_identified(solution)
    elif outcome == Status.CONVERGED:
        if remark := covariance_structure(solution)[0].stopped(solution):
            yield remark
        lowest = float(estimates.discrepancy)
        size = float(estimator.sample_size(solution.moments))
        yield from several_minima(float(estimates.other_minimum), lowest, size)
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
                "Errors and tests by {estimator} do not use the survey's strata, which as a rule "
                "makes them a little too large; csi.bootstrap draws within strata.",
                ("strata",),
                "note",
                values={"estimator": estimator.label},
            )
        return
    given = {
        "weights": effective < n * (1.0 - 1e-9),
        "clusters": answers is not None and answers.cluster is not None,
        "strata": strata,
        "finite population": answers is not None and answers.population is not None,
    }
    names = tuple(name for name, there in given.items() if there)
    if not names:
        return
    others = tuple(name for name in names if name != "weights")
    sentence = (
        "Errors, χ² and what follows from it ignore the survey's {others}, as if everyone had been "
        "drawn alike; use csi.ML(se='robust') or csi.bootstrap."
    )
    if given["weights"] and others:
        sentence = (
            "Errors, χ² and what follows from it ignore the survey's weights (its {rows:.0f} rows "
            "are worth {effective:.0f}) and {others}, as if everyone had been drawn alike; use "
            "csi.ML(se='robust') or csi.bootstrap."
        )
    elif given["weights"]:
        sentence = (
            "Errors, χ² and what follows from it ignore the survey's weights (its {rows:.0f} rows "
            "are worth {effective:.0f}), as if everyone had been drawn alike; use "
            "csi.ML(se='robust') or csi.bootstrap."
        )
    values = {"others": others, "rows": n, "effective": effective}
    yield Finding("errors-ignore-design", sentence, names, values=values)


def _few_rows(solution: Solution) -> Iterator[Finding]:
    _, estimates = covariance_structure(solution)
    n, free = int(solution.moments.n), estimates.layout.size
    if n < PER_PARAMETER * free:
        yield Finding(
            "few-rows-per-parameter",
            "There are {rows} rows for {parameters} parameters, fewer than {least} for each, so "
            "errors and χ² are rough; collect more rows, use a smaller model, or PLS.",
            count=n,
            values={"rows": n, "parameters": free, "least": PER_PARAMETER},
        )


def _singular_items(solution: Solution) -> Finding:
    n, items = int(solution.moments.n), solution.model.items
    if n <= len(items):
        return Finding(
            "singular-items",
            "Nothing was estimated because {rows} rows for {items} items leave the covariances "
            "of the items singular; collect more rows, use fewer items, or PLS.",
            items,
            "failure",
            n,
            {"rows": n, "items": len(items)},
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
    ties = tied_parameters(sample_information(solution), estimates.layout.names, _NEARLY_FLAT)
    names = tuple(name for tie in ties for name in tie)
    sentence = (
        "No minimum was found in {iterations} {iterations:iteration|iterations} (the largest "
        "derivative is still {gradient:.2g}), so these numbers are not a solution; the model may "
        "have none in these data, so look at the correlations of the items, merge constructs "
        "that overlap, remove paths, or give starting values (start(0.5)*item)."
    )
    if names:
        sentence = (
            "No minimum was found in {iterations} {iterations:iteration|iterations} (the largest "
            "derivative is still {gradient:.2g}), so these numbers are not a solution; where the "
            "search stopped {parameters} can hardly be told apart, so look at the correlations "
            "of the items, merge constructs that overlap, remove paths, or give starting values "
            "(start(0.5)*item)."
        )
    if estimator.max_iterations < _ENOUGH:
        sentence = (
            "No minimum was found in {iterations} {iterations:iteration|iterations} (the largest "
            "derivative is still {gradient:.2g}), so these numbers are not a solution; raise "
            "max_iterations, which is {most}."
        )
    return Finding(
        "not-converged",
        sentence,
        names,
        "failure",
        int(estimates.iterations),
        {
            "iterations": int(estimates.iterations),
            "gradient": float(estimates.gradient),
            "parameters": names,
            "most": estimator.max_iterations,
        },
    )


def _no_way_in(solution: Solution) -> Finding:
    given = tuple(
        str(parameter)
        for parameter in solution.model.parameters
        if any((*parameter.fixed, *parameter.start))
    )
    if not given:
        return Finding(
            "not-converged",
            "Nothing was estimated because the values to start from imply covariances that cannot "
            "be (not positive definite).",
            severity="failure",
        )
    return Finding(
        "not-converged",
        "Nothing was estimated because the values to start from imply covariances that cannot be "
        "(not positive definite); change the values given in {parameters}.",
        given,
        "failure",
        values={"parameters": tuple(map(repr, given))},
    )


def several_minima(other: float, lowest: float, rows: float) -> Iterator[Finding]:
    """Say that starts ended in different minima, from their discrepancies."""
    if np.isfinite(other) and rows * (other - lowest) > _SMALL:
        yield Finding(
            "several-minima",
            "The discrepancy has several minima: these numbers are those of the lowest that was "
            "found, at χ² {lowest:.2f}, and other starts ended at {other:.2f}; the model fits too "
            "badly, or its constructs hang together too little, for one clear solution.",
            values={"lowest": rows * lowest, "other": rows * other},
        )


def _not_identified(solution: Solution) -> Finding:
    _, estimates = covariance_structure(solution)
    return not_identified(sample_information(solution), estimates.layout.names)


def not_identified(matrix: Floats, names: tuple[str, ...]) -> Finding:
    """Say which parameters hang together, from the null space of their information."""
    ties = tied_parameters(matrix, names, _FLAT)
    involved = tuple(name for tie in ties for name in tie)
    first, *others = ties or ((),)
    sentence = (
        "The model is not identified by these data: some parameters cannot be found, so their "
        "values are arbitrary; give each construct three items or more, or a path to or from "
        "another, or remove paths."
    )
    if len(first) == 1:
        sentence = (
            "The model is not identified by these data: parameter {first} cannot be found, so its "
            "value is arbitrary; fix it, give each construct three items or more, or a path to or "
            "from another, or remove paths."
        )
    elif first and others:
        sentence = (
            "The model is not identified by these data: the parameters within each of {sets} "
            "cannot be told apart, so their values are arbitrary; fix one of those that hang "
            "together, give each construct three items or more, or a path to or from another, or "
            "remove paths."
        )
    elif first:
        sentence = (
            "The model is not identified by these data: parameters {first} cannot be told apart, "
            "so their values are arbitrary; fix one of those that hang together, give each "
            "construct three items or more, or a path to or from another, or remove paths."
        )
    values = {"first": first, "sets": tuple(f"({', '.join(tie)})" for tie in ties)}
    return Finding("not-identified", sentence, involved, "failure", values=values)


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
    layout, model = estimates.layout, solution.model
    at = implied(layout, estimates.parameters)
    errors, left = np.diagonal(at.errors), np.diagonal(at.psi)
    whole, total = np.diagonal(at.sigma), np.diagonal(at.phi)
    for i in np.flatnonzero(errors < 0).tolist():
        yield _heywood(solution, model.items[i], float(errors[i]), float(whole[i]))
    for j in np.flatnonzero(total <= 0).tolist():
        yield Finding(
            "negative-construct-variance",
            "The variance of {construct!r} is estimated at {variance:.3f}, not above 0, which "
            "cannot be, so what is standardised by it has no value; its items do not vary "
            "together, so check them for questions asked the other way round, or drop it.",
            (model.construct_names[j],),
            "failure",
            values={"construct": model.construct_names[j], "variance": float(total[j])},
        )
    for j in np.flatnonzero((left < 0) & (total > 0)).tolist():
        yield _negative_disturbance(model.construct_names[j], float(left[j]), float(total[j]))


def heywood_items(solution: Solution) -> tuple[str, ...]:
    """Return the items whose error variance is below 0 in a covariance structure of one sample."""
    estimates = solution.estimates
    if not isinstance(estimates, CovarianceEstimates):
        return ()
    errors = np.diag(implied(estimates.layout, estimates.parameters).errors)
    return tuple(
        item for item, error in zip(solution.model.items, errors, strict=True) if error < 0
    )


def _heywood(solution: Solution, item: str, value: float, whole: float) -> Finding:
    model = solution.model
    owner = model.construct_names[model.owner[model.items.index(item)]]
    return Finding(
        "negative-error-variance",
        "The error variance of {item!r} is estimated at {variance:.3f} ({share:.0%} of the item's "
        "variance), below 0, which cannot be (a Heywood case); {construct!r} has too few items or "
        "rows to separate {item!r} from it, so add items or rows, or drop the item.",
        (item, owner),
        "failure",
        values={"item": item, "variance": value, "share": value / whole, "construct": owner},
    )


def _negative_disturbance(construct: str, value: float, whole: float) -> Finding:
    return Finding(
        "negative-disturbance-variance",
        "The unexplained variance of {construct!r} is estimated at {variance:.3f} ({share:.0%} of "
        "its variance), below 0, which cannot be; its antecedents overlap too much or explain "
        "too much, so merge constructs or remove paths.",
        (construct,),
        "failure",
        values={"construct": construct, "variance": value, "share": value / whole},
    )


def _disagreeing(solution: Solution) -> Iterator[Finding]:
    flags = Inadmissible(int(solution.estimates.inadmissible))
    cor = solution.estimates.construct_cor
    if Inadmissible.NOT_POSITIVE_DEFINITE in flags and np.isfinite(cor).all():
        yield Finding(
            "construct-correlations-not-positive-definite",
            "The construct correlations contradict each other (smallest eigenvalue "
            "{smallest:.4f}), so paths and R² are not to be trusted; merge constructs that "
            "correlate near 1.",
            severity="failure",
            values={"smallest": float(np.linalg.eigvalsh(cor)[0])},
        )


def _large_errors(solution: Solution) -> Iterator[Finding]:
    _, estimates = covariance_structure(solution)
    _, jacobian = standardised(estimates.layout, estimates.parameters)
    errors = np.nan_to_num(errors_of(jacobian, vcov(solution)), posinf=np.inf)
    order = [row for row in np.argsort(-errors) if errors[row] > _LARGE_ERROR]
    if not order:
        return
    names = tuple(estimates.layout.rows[row].name for row in order)
    sentence = (
        "Standardised, {parameters} have standard errors beyond 1 (up to {largest:.1f}), so "
        "nothing is known of them; the model is nearly unidentified in these data, so merge "
        "constructs that correlate near 1 or remove paths."
    )
    if len(names) == 1:
        sentence = (
            "Standardised, {parameters} has a standard error beyond 1 ({largest:.1f}), so nothing "
            "is known of it; the model is nearly unidentified in these data, so merge constructs "
            "that correlate near 1 or remove paths."
        )
    values = {"parameters": names, "largest": float(errors[order[0]])}
    yield Finding("exploding-errors", sentence, names, count=len(names), values=values)
