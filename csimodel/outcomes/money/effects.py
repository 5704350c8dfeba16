"""What a point of one index does to another, with and without measurement error, over a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.assessment.reliability import modes_of
from csimodel.estimators import Solution
from csimodel.estimators.consistent import rho_a
from csimodel.estimators.quantities import reachable
from csimodel.estimators.structural import regress, total_effects
from csimodel.index.importance import estimated_reliability, measured_sd
from csimodel.outcomes.measurement_error.omega import index_omega

Floats = NDArray[np.float64]

_SINGULAR = 1e-9  # smallest eigenvalue of the correlations of constructs


@dataclass(frozen=True, eq=False)
class Effects:
    """Total effects among indexes, in points, of one sample or a batch.

    Attributes
    ----------
    total
        ``total[target, source]``, (..., constructs, constructs).
    reliability
        Share of each index's variance that is no error, (..., constructs); 1 throughout where
        error is ignored, and for single questions and composites.
    construct_cor
        Correlations the effects rest on, (..., constructs, constructs).
    """

    total: Floats
    reliability: Floats
    construct_cor: Floats

    def admissible(self, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell whether these constructs have reliabilities and correlations that can be, (...,)."""
        reliability = self.reliability[..., among]
        cor = self.construct_cor[..., among, :][..., among]
        possible = np.asarray(((reliability > 0) & (reliability <= 1 + 1e-12)).all(axis=-1))
        finite = np.asarray(np.isfinite(cor).all(axis=(-2, -1)))
        safe = np.where(finite[..., None, None], cor, np.eye(cor.shape[-1]))
        smallest = np.linalg.eigvalsh(safe)[..., 0]
        return np.asarray(possible & finite & (smallest > _SINGULAR))


def measured_effects(solution: Solution) -> Effects:
    """Return the effects among indexes as they are, by least squares.

    Correlations are ``W'RW``; of PLS without correction these are the effects of the fit.
    """
    model, estimates = solution.model, solution.estimates
    scores = np.zeros((*estimates.weights.shape, len(model.constructs)))
    scores[..., np.arange(len(model.items)), model.owner] = estimates.weights
    cov = np.swapaxes(scores, -1, -2) @ solution.moments.cor @ scores
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    cor = cov / (sd[..., :, None] * sd[..., None, :])
    return _from_correlations(solution, cor, np.ones_like(sd))


def true_effects(solution: Solution, given: Mapping[str, float] | None = None) -> Effects:
    """Return the effects among indexes free of measurement error.

    By PLS: correlations of the indexes divided by the roots of their reliabilities, and paths by
    least squares from them (Dijkstra and Henseler). The reliability is rho_A for reflective
    constructs in mode A, omega for other weights of reflective constructs, and for all of them
    where weights are of the responses behind ordered answers, 1 for single questions and
    composites. By covariance SEM: the model's own effects, and ``(Σ wλ)² / w'Rw`` as the
    reliability of an index; of ordered items, whose loadings are those of the responses behind the
    answers, omega of the answers. A point of a true index is a point of the index as measured;
    its variance is the reliability times as large.

    Parameters
    ----------
    solution
        One sample or a batch.
    given
        Reliabilities of some constructs, instead of those above; PLS only.

    References
    ----------
    Dijkstra, T. K., Henseler, J. (2015). Consistent partial least squares path modeling.
    MIS Quarterly 39(2), 297-316. https://doi.org/10.25300/MISQ/2015/39.2.02
    """
    model = solution.model
    if solution.estimator.has_error_variances:
        ordered = solution.moments.responses is not None
        reliability = index_omega(solution) if ordered else estimated_reliability(solution)
        sd = measured_sd(solution) * np.sqrt(np.maximum(reliability, 0.0))
        with np.errstate(invalid="ignore", divide="ignore"):
            total = solution.total_effects * sd[..., :, None] / sd[..., None, :]
        return Effects(total, reliability, solution.estimates.construct_cor)
    measured = measured_effects(solution).construct_cor
    reliability = _pls_reliability(solution)
    for name, value in (given or {}).items():
        reliability[..., model.construct_names.index(name)] = value
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.sqrt(reliability)
        cor = measured / (root[..., :, None] * root[..., None, :])
    own = np.arange(len(model.constructs))
    cor[..., own, own] = 1.0
    return _from_correlations(solution, cor, reliability)


def of_interest(solution: Solution, target: str, driver: str) -> NDArray[np.bool_]:
    """Mark the constructs that the effect of a driver on a target rests on, (constructs,)."""
    names = solution.model.construct_names
    marked = np.array(reachable(solution.model)[names.index(target)], dtype=bool)
    marked[[names.index(target), names.index(driver)]] = True
    return marked


def without_reliability(
    solution: Solution, among: NDArray[np.bool_], given: Mapping[str, float]
) -> tuple[str, ...]:
    """Return which of these constructs count as without error because it cannot be learnt.

    Single questions, and composites (formative constructs) by PLS.
    """
    constructs = zip(solution.model.constructs, among, strict=True)
    return tuple(
        c.name
        for c, wanted in constructs
        if wanted and c.kind != "reflective" and c.name not in given
    )


def _from_correlations(solution: Solution, cor: Floats, reliability: Floats) -> Effects:
    last = np.ascontiguousarray(np.moveaxis(np.atleast_3d(cor.T).T, 0, -1))
    with np.errstate(all="ignore"):
        total = total_effects(solution.model, regress(solution.model, last))
        total = np.moveaxis(total, -1, 0).reshape(cor.shape)
        sd = measured_sd(solution) * np.sqrt(reliability)
        points = total * sd[..., :, None] / sd[..., None, :]
    return Effects(points, reliability, cor)


def _pls_reliability(solution: Solution) -> Floats:
    model, weights = solution.model, solution.estimates.weights
    batch = weights if weights.ndim == 2 else weights[None]
    reliability = rho_a(model, batch.T).T
    reliability = np.array(reliability if weights.ndim == 2 else reliability[0])
    modes, of_responses = modes_of(solution), solution.estimator.weighs_responses
    other = [
        j for j, (c, mode) in enumerate(zip(model.constructs, modes, strict=True))
        if c.kind == "reflective" and (mode != "A" or of_responses)
    ]  # fmt: skip
    if other:
        reliability[..., other] = index_omega(solution, other)
    plain = [j for j, c in enumerate(model.constructs) if c.kind != "reflective"]
    reliability[..., plain] = 1.0
    return reliability
