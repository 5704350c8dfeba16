"""Starting values for covariance structures, from sums of covariances of blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import KINDS, Layout
from csimodel.model import Model

Floats = NDArray[np.float64]


def start(model: Model, layout: Layout, cov: Floats, mean: Floats | None = None) -> Floats:
    """Return starting values, (..., parameters); NaN for parameters of other groups.

    Loadings are proportional to an item's covariances with the others of its block; construct
    covariances follow; error variances take the rest, at least a fifth of the item's variance.
    Values the model gives are used instead.
    """
    loadings, errors, phi = _measurement(model, cov)
    paths, left = _structure(model, phi)
    unit = layout.matrices.covariances[np.diag_indices(len(model.constructs))]
    if unit.any():  # variances that are fixed: move the scale into the loadings
        scale = np.sqrt(np.where(unit > 0, left / np.where(unit > 0, unit, 1.0), 1.0))
        loadings = loadings * scale[..., model.owner]
        paths = paths * scale[..., None, :] / scale[..., :, None]
        phi = phi / (scale[..., :, None] * scale[..., None, :])
        left = left / scale**2
    values = np.full((*cov.shape[:-2], layout.size), np.nan)
    for kind, (row, column), span in zip(KINDS, layout.cells, layout.spans, strict=True):
        target = layout.target[span]
        if kind == "loadings":
            found = loadings[..., row]
        elif kind == "paths":
            found = paths[..., row, column]
        elif kind == "covariances":
            endogenous = np.asarray(model.adjacency.any(axis=1))
            apart = endogenous[row] | endogenous[column]
            between = np.where(apart, 0.0, phi[..., row, column])
            found = np.where(row == column, left[..., row], between)
        elif kind == "errors":
            usual = np.where(errors[..., row] > 0, errors[..., row], 0.5)
            found = np.where(row == column, usual, 0.0)
        elif kind == "intercepts":
            found = np.zeros(row.shape) if mean is None else mean[..., row]
        else:
            found = np.zeros(row.shape)
        values[..., target] = found
    return np.where(np.isfinite(layout.starts), layout.starts, values)


def _measurement(model: Model, cov: Floats) -> tuple[Floats, Floats, Floats]:
    """Return loadings with the first of each block 1, error variances, construct covariances."""
    lead, constructs = cov.shape[:-2], len(model.constructs)
    loadings = np.ones((*lead, len(model.items)))
    errors = np.zeros_like(loadings)
    phi = np.zeros((*lead, constructs, constructs))
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    for j, block in enumerate(model.slices):
        if model.constructs[j].kind == "single":
            phi[..., j, j] = variance[..., block.start]
            continue
        inside = cov[..., block, block]
        sums = inside.sum(axis=-1) - variance[..., block]
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.clip(np.nan_to_num(sums / sums[..., :1], nan=1.0), 0.2, 5.0)
        loadings[..., block] = own
        products = own.sum(axis=-1) ** 2 - (own**2).sum(axis=-1)
        common = np.maximum(sums.sum(axis=-1) / products, 0.1 * variance[..., block.start])
        phi[..., j, j] = common
        rest = variance[..., block] - own**2 * common[..., None]
        errors[..., block] = np.maximum(rest, 0.2 * variance[..., block])
    for i, one in enumerate(model.slices):
        for j, other in enumerate(model.slices[:i]):
            scale = loadings[..., one].sum(axis=-1) * loadings[..., other].sum(axis=-1)
            most = 0.8 * np.sqrt(phi[..., i, i] * phi[..., j, j])
            between = np.clip(cov[..., one, other].sum(axis=(-2, -1)) / scale, -most, most)
            phi[..., i, j] = phi[..., j, i] = between
    return loadings, errors, phi


def _structure(model: Model, phi: Floats) -> tuple[Floats, Floats]:
    """Regress constructs on their antecedents, a little shrunk; return paths and disturbances."""
    paths = np.zeros_like(phi)
    left = np.diagonal(phi, axis1=-2, axis2=-1).copy()
    for target, row in enumerate(model.adjacency):
        sources = np.flatnonzero(row)
        if not len(sources):
            continue
        among = phi[..., sources[:, None], sources] * (1.0 + 0.1 * np.eye(len(sources)))
        with_target = phi[..., sources, target]
        slope = np.linalg.solve(among, with_target[..., None])[..., 0]
        paths[..., target, sources] = slope
        explained = (slope * with_target).sum(axis=-1)
        left[..., target] = np.maximum(left[..., target] - explained, 0.2 * left[..., target])
    return paths, left
