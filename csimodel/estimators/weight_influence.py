"""What respondents add to functions of PLS weights, by derivatives in closed form.

At its fixed point each block of weights is proportional to what the iteration makes of all weights,
``u_i = Σ_k e_jk R_i·w_k`` (mode A; times ``R_jj⁻¹`` in mode B), with e the inner weights, functions
of the correlations r of scores. A respondent with standardised answers t moves the correlations by
``tt' - R``, and with them r, u and the weights, which move u again; a cotangent g of the weights is
carried back through that loop by one linear system per sample (implicit differentiation). What is
left is a quadratic function of t, made of scores z and inner proxies y = e z:

    Σ_i a_i t_i y_o(i) + z'Bz + Σ_i d_i t_i²

so that no sample is fitted again for any respondent.

References
----------
Lohmöller, J.-B. (1989). Latent Variable Path Modeling with Partial Least Squares.
https://doi.org/10.1007/978-3-642-52512-4

Christianson, B. (1994). Reverse accumulation and attractive fixed points. Optimization Methods and
Software 3, 311-326. https://doi.org/10.1080/10556789408805572
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.weighting import Mode, inner_weights
from csimodel.model import Model

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WeightInfluence:
    """What respondents add to functions of the weights, for a batch of samples.

    Attributes
    ----------
    weights
        Of standardised items, (samples, items, constructs); 0 for items of others.
    proxies
        From standardised items to inner proxies (in mode B less what the weights themselves make
        of the items), (samples, items, constructs).
    crossed, squares
        What ``t_i y_o(i)`` and ``t_i²`` count, (samples, items, functions).
    between
        What ``z_k z_l`` counts, (samples, constructs, constructs, functions), symmetric.
    """

    weights: Floats
    proxies: Floats
    crossed: Floats
    squares: Floats
    between: Floats

    @cached_property
    def _maps(self) -> Floats:
        """From standardised items to scores and proxies, (samples, twice constructs, items)."""
        return np.swapaxes(np.concatenate([self.weights, self.proxies], axis=-1), -1, -2).copy()

    @cached_property
    def _coefficients(self) -> Floats:
        """What every product counts, (samples, functions, products)."""
        row, column = np.triu_indices(self.weights.shape[-1])
        twice = np.where(row == column, 1.0, 2.0)[:, None]
        parts = [self.crossed, self.squares, self.between[:, row, column] * twice]
        return np.ascontiguousarray(np.swapaxes(np.concatenate(parts, axis=1), -1, -2))

    def of_rows(self, sample: int, items: Floats, owner: NDArray[np.intp]) -> Floats:
        """Return what respondents of a sample add, (functions, rows).

        Parameters
        ----------
        sample
            Its place in the batch.
        items
            Standardised items (by the mean product about the mean), (items, rows).
        owner
            The construct of each item, (items,).
        """
        size, count = self.weights.shape[-1], len(items)
        parts = self._maps[sample] @ items
        products = np.empty((self._coefficients.shape[-1], items.shape[1]))
        np.multiply(items, parts[size:][owner], out=products[:count])
        np.multiply(items, items, out=products[count : 2 * count])
        at = 2 * count
        for k in range(size):
            np.multiply(parts[k], parts[k:size], out=products[at : at + size - k])
            at += size - k
        return np.asarray(self._coefficients[sample] @ products)


def weight_influence(
    cor: Floats,
    weights: Floats,
    model: Model,
    modes: tuple[Mode, ...],
    scheme: str,
    cotangents: Floats,
) -> WeightInfluence:
    """Return what respondents add to functions of the weights through item correlations.

    Parameters
    ----------
    cor, weights
        Item correlations and the weights they lead to, (samples, items, items), (samples, items).
    model, modes, scheme
        What was fitted.
    cotangents
        Derivatives of functions by the weights, (samples, items, functions). They do not depend on
        the size of a block's weights, so that in each block ``g'w = 0``.
    """
    owner, blocks = model.owner, model.slices
    size, own = len(model.constructs), model.owner[:, None] == np.arange(len(model.constructs))
    dense = np.where(own, weights[..., None], 0.0)
    crossed = cor @ dense
    between = np.swapaxes(dense, -1, -2) @ crossed
    inner = _inner(model, scheme, between)
    moves = np.array([_moves(mode, block) for mode, block in zip(modes, blocks, strict=True)])
    inverse = _inverses(cor, model, modes)
    ahead = level = (crossed * inner[:, owner]).sum(axis=-1)
    if inverse is not None:
        ahead = (inverse @ ahead[..., None])[..., 0]
    loadings = crossed[:, np.arange(len(owner)), owner]
    length = (ahead * loadings) @ own
    slopes = _slopes(model, scheme, crossed, between, inner, moves)
    step = cor * inner[:, owner[:, None], owner]
    direct = step.copy()
    for k, block in enumerate(blocks):
        step[:, :, block] += slopes[:, :, k] @ np.swapaxes(crossed[:, block], -1, -2)
    back = _through_the_loop(
        step if inverse is None else inverse @ step,
        weights,
        loadings,
        np.where(moves, 1.0 / length, 0.0)[:, owner],
        model,
        cotangents,
    )
    if inverse is not None:
        back = inverse @ back
    pulled = own.T @ (weights[..., None] * (np.swapaxes(step, -1, -2) @ back))
    flat = slopes.reshape(*slopes.shape[:2], -1)
    spread = 0.5 * (np.swapaxes(flat, -1, -2) @ back).reshape(len(cor), size, size, -1)
    each = np.arange(size)
    spread[:, each, each] -= 0.5 * pulled
    composite = [j for j, mode in enumerate(modes) if mode == "B" and moves[j]]
    inner[:, composite, composite] -= length[:, composite]
    within = np.isin(owner, composite)
    level = np.where(within, level - length[:, owner] * loadings, level)
    direct -= np.where(within[:, None] & own[:, owner], cor * length[:, owner][..., None], 0.0)
    squares = back * level[..., None] + weights[..., None] * (np.swapaxes(direct, -1, -2) @ back)
    squares *= -0.5
    for k, block in enumerate(blocks):
        squares[:, block] -= weights[:, block, None] * (crossed[:, block] @ spread[:, k])
    return WeightInfluence(dense, dense @ np.swapaxes(inner, -1, -2), back, squares, spread)


def _through_the_loop(
    step: Floats,
    weights: Floats,
    loadings: Floats,
    scale: Floats,
    model: Model,
    cotangents: Floats,
) -> Floats:
    """Return cotangents of u, carried back through the iteration, (samples, items, functions).

    ``λ = (I - M')⁻¹ g`` over the lengths of u, where M moves weights through the normalisation of
    scores (which takes off ``w_j C_j'``), u, and its length.
    """
    through = step.copy()
    for block in model.slices:
        along = step[:, :, block] @ weights[:, block, None]
        through[:, :, block] -= along * loadings[:, None, block]
    system = -scale[..., None] * through
    each = np.arange(step.shape[-1])
    system[:, each, each] += 1.0
    return np.asarray(scale[..., None] * np.linalg.solve(np.swapaxes(system, -1, -2), cotangents))


def _moves(mode: Mode, block: slice) -> bool:
    """Tell whether the iteration moves the weights of a block."""
    return mode != "unit" and block.stop - block.start > 1


def _inner(model: Model, scheme: str, between: Floats) -> Floats:
    """Return the inner weights, (samples, constructs, neighbours)."""
    neighbours = (model.adjacency | model.adjacency.T)[..., None].astype(np.float64)
    last = np.ascontiguousarray(np.moveaxis(between, 0, -1))
    return np.ascontiguousarray(np.moveaxis(inner_weights(model, last, scheme, neighbours), -1, 0))


def _inverses(cor: Floats, model: Model, modes: tuple[Mode, ...]) -> Floats | None:
    """Return the matrix that mode B multiplies with, the identity elsewhere; None without it."""
    if "B" not in modes:
        return None
    inverse = np.zeros_like(cor)
    each = np.arange(cor.shape[-1])
    inverse[:, each, each] = 1.0
    for block, mode in zip(model.slices, modes, strict=True):
        if mode == "B":
            inverse[:, block, block] = np.linalg.inv(cor[:, block, block])
    return inverse


def _slopes(
    model: Model,
    scheme: str,
    crossed: Floats,
    between: Floats,
    inner: Floats,
    moves: NDArray[np.bool_],
) -> Floats:
    """Return derivatives of u by correlations of scores, (samples, items, constructs, constructs).

    Both places of a correlation count; the diagonal is 0, as scores have variance 1.
    """
    size = len(model.constructs)
    slopes = np.zeros((*crossed.shape, size))
    for j, block in enumerate(model.slices):
        if not moves[j] or scheme == "centroid":
            continue
        sources = np.flatnonzero(model.adjacency[j])
        others = np.flatnonzero(model.adjacency[:, j])
        if scheme == "factorial" or len(sources) == 1:
            others = np.concatenate([others, sources])
        slopes[:, block, j, others] += crossed[:, block][:, :, others]
        if scheme == "path" and len(sources) > 1:
            system = between[:, sources[:, None], sources]
            sides = np.swapaxes(crossed[:, block][:, :, sources], -1, -2)
            solved = np.swapaxes(np.linalg.solve(system, sides), -1, -2)
            slopes[:, block, j, sources] += solved
            part = solved[..., None] * inner[:, j, sources][:, None, None]
            slopes[:, block, sources[:, None], sources] -= part
    slopes += np.swapaxes(slopes, -1, -2)
    each = np.arange(size)
    slopes[:, :, each, each] = 0.0
    return slopes
