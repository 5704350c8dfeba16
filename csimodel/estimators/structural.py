"""The structural part: regressions among constructs, effects and implied correlations.

Arrays here keep the batch on the **last** axis: a row of memory is one entry for many draws,
so every operation below is a long vector operation.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.model import Model

Floats = NDArray[np.float64]

_SINGULAR = 1e-10  # a pivot this small is rounding: 1 - R² of one antecedent given others
FEW = 4  # up to so many samples, LAPACK one by one beats long vector operations


def solve_last(matrix: Floats, right: Floats) -> Floats:
    """Solve symmetric positive definite systems, (..., k, k, draws) and (..., k, draws).

    Gaussian elimination without pivoting, all systems at once; for a few samples LAPACK, one
    by one. Singular systems give infinite or NaN entries, which the caller reports.

    >>> solve_last(np.array([[[2.0]]]), np.array([[4.0]]))
    array([[2.]])
    """
    if right.shape[-1] <= FEW:
        with suppress(np.linalg.LinAlgError):
            systems = matrix.transpose(-1, *range(matrix.ndim - 1))
            sides = right.transpose(-1, *range(right.ndim - 1))[..., None]
            solved = np.asarray(np.linalg.solve(systems, sides)[..., 0], dtype=np.float64)
            return solved.transpose(*range(1, right.ndim), 0)
    a, b = matrix.copy(), right.copy()
    size = b.shape[-2]
    for i in range(size - 1):
        factor = a[..., i + 1 :, i, :] / a[..., i : i + 1, i, :]
        a[..., i + 1 :, i + 1 :, :] -= factor[..., None, :] * a[..., i : i + 1, i + 1 :, :]
        b[..., i + 1 :, :] -= factor * b[..., i : i + 1, :]
    for i in reversed(range(size)):
        b[..., i, :] /= a[..., i, i, :]
        if i:
            b[..., :i, :] -= a[..., :i, i, :] * b[..., i : i + 1, :]
    return b


def pivots_last(matrix: Floats) -> Floats:
    """Return the pivots of symmetric elimination, (..., k, draws), from (..., k, k, draws).

    All are positive if and only if the matrix is positive definite.

    >>> pivots_last(np.array([[[1.0], [2.0]], [[2.0], [1.0]]]))
    array([[ 1.],
           [-3.]])
    """
    a = matrix.copy()
    for i in range(a.shape[-2] - 1):
        factor = a[..., i + 1 :, i, :] / a[..., i : i + 1, i, :]
        a[..., i + 1 :, i + 1 :, :] -= factor[..., None, :] * a[..., i : i + 1, i + 1 :, :]
    return np.asarray(np.einsum("...iid->...id", a))


class PathRegressions(NamedTuple):
    """Which construct is regressed on which, as places in the matrix of construct correlations.

    Matrices are addressed as if flat. Regressions on several antecedents are padded to one size,
    so that all are solved together.

    Attributes
    ----------
    simple
        Places (target, source) of constructs with one antecedent.
    systems
        Places of the correlations among antecedents, (targets, most, most).
    sides
        Places (target, source) of all antecedents, (targets, most).
    used
        1 for antecedents, 0 for padding, (targets, most, 1).
    both, padding
        What a gathered system is multiplied with and added to, (targets, most, most, 1).
    places, into
        Where solutions stand, and their places (target, source).
    """

    simple: NDArray[np.intp]
    systems: NDArray[np.intp]
    sides: NDArray[np.intp]
    used: Floats
    both: Floats
    padding: Floats
    places: NDArray[np.intp]
    into: NDArray[np.intp]


@lru_cache(maxsize=64)
def regressions(model: Model) -> PathRegressions:
    """Return the regressions that a model's paths ask for."""
    size = len(model.constructs)
    every = [(j, np.flatnonzero(row)) for j, row in enumerate(model.adjacency)]
    several = [(j, row) for j, row in every if len(row) > 1]
    most = max((len(sources) for _, sources in several), default=0)
    sources = np.zeros((len(several), most), dtype=np.intp)
    used = np.zeros((len(several), most, 1))
    for row, (_, own) in enumerate(several):
        sources[row, : len(own)] = own
        used[row, : len(own)] = 1.0
    targets = np.array([target for target, _ in several], dtype=np.intp)[:, None]
    sides = targets * size + sources
    places = np.flatnonzero(used)
    return PathRegressions(
        simple=np.array([j * size + row[0] for j, row in every if len(row) == 1], dtype=np.intp),
        systems=sources[:, :, None] * size + sources[:, None, :],
        sides=sides,
        used=used,
        both=used[:, :, None] * used[:, None],
        padding=np.eye(most)[..., None] * (1.0 - used)[:, None],
        places=places,
        into=sides.ravel()[places],
    )


def regress(model: Model, cor: Floats, into: Floats | None = None) -> Floats:
    """Return ordinary least squares path coefficients from construct correlations.

    Parameters
    ----------
    model
        Gives the direct antecedents of each construct.
    cor
        Correlations of constructs, (constructs, constructs, draws).
    into
        Where to write the coefficients, contiguous; zeros by default.

    Returns
    -------
    (targets, sources, draws)
    """
    paths = np.zeros(cor.shape) if into is None else into
    plan, draws = regressions(model), cor.shape[-1]
    flat, known = paths.reshape(-1, draws), cor.reshape(-1, draws)
    flat[plan.simple] = known[plan.simple]
    if len(plan.sides):
        solved = solve_last(_systems(plan, cor), known[plan.sides] * plan.used)
        flat[plan.into] = solved.reshape(-1, draws)[plan.places]
    return paths


def inseparable(model: Model, cor: Floats) -> NDArray[np.bool_]:
    """Tell, (draws,), where the antecedents of some construct carry the same information."""
    plan = regressions(model)
    if not len(plan.sides):
        return np.zeros(cor.shape[-1], dtype=bool)
    return np.asarray((np.abs(pivots_last(_systems(plan, cor))) < _SINGULAR).any(axis=(0, 1)))


def _systems(plan: PathRegressions, cor: Floats) -> Floats:
    """Return the correlations among antecedents of each regression, padded with the identity."""
    system = cor.reshape(-1, cor.shape[-1])[plan.systems]
    system *= plan.both
    system += plan.padding
    return np.asarray(system)


def r_squared(paths: Floats, cor: Floats) -> Floats:
    """Return the explained variance, (constructs, draws): Σ path times correlation."""
    return np.asarray((paths * cor).sum(axis=1))


def total_effects(model: Model, paths: Floats) -> Floats:
    """Return total effects, (targets, sources, draws): ``(I - B)⁻¹ - I`` without inverting.

    Works along the arrows: a construct's total effects are its paths plus its paths times the
    total effects on its antecedents.
    """
    total = paths.copy()
    for target in causal_order(model):
        for source in np.flatnonzero(model.adjacency[target]):
            total[target] += paths[target, source] * total[source]
    return total


@lru_cache(maxsize=64)
def causal_order(model: Model) -> tuple[int, ...]:
    """Return construct numbers so that every antecedent comes before what it explains."""
    sources = {j: np.flatnonzero(row).tolist() for j, row in enumerate(model.adjacency)}
    return tuple(TopologicalSorter(sources).static_order())


def descent(model: Model) -> NDArray[np.bool_]:
    """Mark where the column's construct affects the row's, directly or through others."""
    reach = model.adjacency.copy()
    for target in causal_order(model):
        reach[target] |= reach[model.adjacency[target]].any(axis=0)
    return reach


def implied_construct_cor(model: Model, paths: Floats, cor: Floats, unit: bool = False) -> Floats:
    """Return construct correlations implied by the paths, (constructs, constructs, draws).

    ``(I - B)⁻¹ Ψ (I - B)⁻ᵀ`` with the diagonal set to 1. Exogenous constructs correlate as
    observed; disturbances are independent of each other and of the antecedents, and have the
    variances that were estimated, 1 - R². When the paths do not reproduce `cor`, the variance of
    an endogenous construct then differs from 1 before the diagonal is set; cSEM takes these
    covariances as they are, and so does this function, unless `unit` gives disturbances the
    variances that make every implied variance 1. By ML they are correlations exactly.
    """
    implied = np.zeros_like(cor)
    order = causal_order(model)
    exogenous = [j for j in order if not model.adjacency[j].any()]
    implied[np.ix_(exogenous, exogenous)] = cor[np.ix_(exogenous, exogenous)]
    disturbances = 1.0 - r_squared(paths, cor)
    done = list(exogenous)
    for target in order:
        if target in exogenous:
            continue
        row = np.einsum("sd,skd->kd", paths[target], implied[:, done])
        implied[target, done], implied[done, target] = row, row
        explained = np.einsum("sd,sd->d", paths[target], implied[:, target])
        implied[target, target] = 1.0 if unit else explained + disturbances[target]
        done.append(target)
    own = np.arange(len(implied))
    implied[own, own] = 1.0
    return implied
