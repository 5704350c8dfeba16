"""The iteration of PLS: outer weights from inner proxies and back, until nothing moves.

The batch is the last axis: every NumPy call works on one entry for many samples.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.structural import FEW, regress
from csimodel.model import Model

Floats = NDArray[np.float64]
Mode = Literal["A", "B", "unit"]

_COLLINEAR = 1e10  # variance inflation that only rounding keeps from being infinite


class _Plan(NamedTuple):
    """What the iteration needs to know of a model, looked up once."""

    updated: tuple[tuple[int, slice, Mode], ...]  # constructs whose weights move
    items: NDArray[np.intp]  # their items
    owner: NDArray[np.intp]  # whose each of these is
    neighbours: Floats  # (constructs, constructs, 1), 1 where a path joins them, either way


@lru_cache(maxsize=64)
def _plan(model: Model, modes: tuple[Mode, ...], kept: frozenset[str]) -> _Plan:
    updated = tuple(
        (j, block, mode)
        for j, (block, mode) in enumerate(zip(model.slices, modes, strict=True))
        if mode != "unit" and _size(block) > 1 and model.construct_names[j] not in kept
    )
    moving = [j for j, _, _ in updated]
    items = np.flatnonzero(np.isin(model.owner, moving))
    neighbours = (model.adjacency | model.adjacency.T)[..., None].astype(np.float64)
    return _Plan(updated, items, model.owner[items], neighbours)


def outer_weights(
    cor: Floats,
    model: Model,
    modes: tuple[Mode, ...],
    scheme: str,
    tolerance: float,
    max_iterations: int,
    start: Floats | None = None,
    kept: frozenset[str] = frozenset(),
) -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_]]:
    """Iterate to the outer weights, (items, draws); each sample stops by its own rule.

    Weights start at `start`, equal by default; constructs that are `kept` keep theirs.
    """
    draws = cor.shape[-1]
    plan = _plan(model, modes, kept)
    inverses = {
        j: np.moveaxis(inverse_of(np.moveaxis(cor[block, block], -1, 0)), 0, -1)
        for j, block, mode in plan.updated
        if mode == "B"
    }
    raw = np.ones((len(cor), draws)) if start is None else start
    crossed, scores_cor, weights = scores(cor, model, raw)
    if not plan.updated:
        return weights, np.zeros(draws, dtype=np.int64), np.ones(draws, dtype=bool)

    final = weights.copy()
    iterations = np.full(draws, max_iterations, dtype=np.int64)
    settled = np.zeros(draws, dtype=bool)
    active = np.arange(draws)
    for iteration in range(1, max_iterations + 1):
        inner = inner_weights(model, scores_cor, scheme, plan.neighbours)
        raw = _proxy_covariances(plan, crossed, inner, weights)
        for j, block, mode in plan.updated:
            if mode == "B":
                raw[block] = np.einsum("ikd,kd->id", inverses[j], raw[block].copy())
        crossed, scores_cor, updated = scores(cor, model, raw)
        done = np.abs(updated - weights).max(axis=0) < tolerance
        weights = updated
        if not done.any():
            continue
        newly = np.flatnonzero(done & ~settled[active])
        final[:, active[newly]] = weights[:, newly]
        iterations[active[newly]] = iteration
        settled[active[newly]] = True
        left = ~settled[active]
        if not left.any():
            break
        if left.sum() < 0.7 * len(left):
            active, weights, cor = active[left], weights[:, left], cor[..., left]
            crossed, scores_cor = crossed[..., left], scores_cor[..., left]
            inverses = {j: inverse[..., left] for j, inverse in inverses.items()}
    unsettled = ~settled[active]
    final[:, active[unsettled]] = weights[:, unsettled]
    return final, iterations, settled


def _proxy_covariances(plan: _Plan, crossed: Floats, inner: Floats, weights: Floats) -> Floats:
    """Return the covariances of items with their construct's proxy; weights where those stay."""
    raw = weights.copy()
    if crossed.shape[-1] <= FEW:
        raw[plan.items] = np.einsum("ikd,ikd->id", crossed[plan.items], inner[plan.owner])
    else:
        for j, block, _ in plan.updated:
            np.einsum("ikd,kd->id", crossed[block], inner[j], out=raw[block])
    return raw


def _size(block: slice) -> int:
    return int(block.stop - block.start)


def scores(cor: Floats, model: Model, raw: Floats) -> tuple[Floats, Floats, Floats]:
    """Scale weights to unit score variance, and correlate items and scores with scores.

    Returns (items, constructs, draws), (constructs, constructs, draws) and the scaled weights.
    """
    blocks = model.slices
    crossed = np.empty((len(cor), len(blocks), cor.shape[-1]))
    between = np.empty((len(blocks), *crossed.shape[1:]))
    if cor.shape[-1] <= FEW:
        dense = np.zeros(crossed.shape[:2])
        own = np.arange(len(cor))
        for d in range(cor.shape[-1]):
            dense[own, model.owner] = raw[:, d]
            crossed[..., d] = cor[..., d] @ dense
            between[..., d] = dense.T @ crossed[..., d]
    else:
        for j, block in enumerate(blocks):
            np.einsum("ikd,kd->id", cor[:, block], raw[block], out=crossed[:, j])
        for j, block in enumerate(blocks):
            np.einsum("id,ikd->kd", raw[block], crossed[block], out=between[j])
    scale = 1.0 / np.sqrt(np.einsum("jjd->jd", between))
    crossed *= scale
    between *= scale
    between *= scale[:, None]
    return crossed, between, raw * scale[model.owner]


def inner_weights(model: Model, cor: Floats, scheme: str, neighbours: Floats) -> Floats:
    """Return what neighbours contribute to proxies, (constructs, neighbours, draws)."""
    if scheme == "centroid":
        return np.sign(cor) * neighbours
    inner = cor * neighbours
    return regress(model, cor, into=inner) if scheme == "path" else inner


def inverse_of(matrices: Floats) -> Floats:
    """Invert correlation matrices, (draws, k, k); those singular but for rounding become NaN."""
    try:
        inverse = np.asarray(np.linalg.inv(matrices), dtype=np.float64)
    except np.linalg.LinAlgError:
        inverse = np.full_like(matrices, np.nan)
        regular = np.linalg.cond(matrices) < 1e14
        inverse[regular] = np.linalg.inv(matrices[regular])
    inflation = np.abs(np.diagonal(inverse, axis1=-2, axis2=-1)).max(axis=-1)
    inverse[~(inflation < _COLLINEAR)] = np.nan
    return inverse
