"""Starting values for covariance structures, from sums of covariances of blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import KINDS, ParameterLayout
from csimodel.estimators.covariance.shared_starting_values import centroid, shared_measurement
from csimodel.estimators.structural import causal_order
from csimodel.model import Model
from csimodel.moments.ordinal import OrdinalMoments

Floats = NDArray[np.float64]

_CLOSEST = 0.8  # correlation of constructs to start from, at the most


def start(model: Model, layout: ParameterLayout, cov: Floats, mean: Floats | None = None) -> Floats:
    """Return starting values, (..., parameters); NaN for parameters of other groups.

    Loadings have the signs of the data (`item_signs`) and are proportional to the correlations of
    an item with the others of its block; construct covariances follow; error variances take the
    rest, at least a fifth of the item's variance. What they imply depends on neither the order nor
    the units of items. Values the model gives are used instead.
    """
    if model.shared_items:
        whole, errors, phi = shared_measurement(model, layout, cov)
        sds = _composite_sds(layout, whole, cov)
        phi = phi * sds[..., :, None] * sds[..., None, :]
        loadings = whole[..., np.arange(len(model.items)), model.owner]
        paths, left = np.zeros_like(phi), np.diagonal(phi, axis1=-2, axis2=-1)
    else:
        loadings, errors, phi, paths, left = _plain(model, layout, cov)
        whole = loadings[..., None] * (model.owner[:, None] == np.arange(len(model.constructs)))
    mean = mean if layout.mean_structure else None
    intercepts, means = _mean_structure(model, loadings, paths, mean)
    values = np.full((*cov.shape[:-2], layout.width), np.nan)
    _put_composites(layout, whole, cov, values)
    for kind, (row, column), span in zip(KINDS, layout.cells, layout.spans, strict=True):
        target = layout.target[span]
        if kind == "loadings":
            estimate = whole[..., row, column]
        elif kind == "paths":
            estimate = paths[..., row, column]
        elif kind == "covariances":
            endogenous = np.asarray(model.adjacency.any(axis=1))
            apart = endogenous[row] | endogenous[column]
            between = np.where(apart, 0.0, phi[..., row, column])
            estimate = np.where(row == column, left[..., row], between)
        elif kind == "errors":
            usual = np.where(errors[..., row] > 0, errors[..., row], 0.5)
            estimate = np.where(row == column, usual, 0.0)
        elif kind == "intercepts":
            estimate = intercepts[..., row]
        else:
            estimate = means[..., row]
        free = target >= 0  # sums of others follow from them
        values[..., target[free]] = estimate[..., free]
    given = np.flatnonzero(np.isfinite(layout.starts))
    values[..., given] = layout.starts[given]
    return values


def response_start(model: Model, layout: ParameterLayout, ordinal: OrdinalMoments) -> Floats:
    """Return starting values of one group whose thresholds are modelled, (size,).

    In units in which the error behind an ordered item has variance 1: what thresholds and
    correlations are multiplied with.
    """
    levels = layout.levels
    assert levels is not None
    if model.shared_items:
        errors = shared_measurement(model, layout, ordinal.cov)[1]
    else:
        errors = _measurement(model, ordinal.cov)[1]
    unit = np.where(levels.ordered & (errors > 0.0), np.maximum(errors, 0.2) ** -0.5, 1.0)
    cov = ordinal.cov * np.outer(unit, unit)
    values = start(model, layout, cov, np.where(levels.ordered, 0.0, ordinal.mean))
    sample = ordinal.levels * unit[levels.item]
    place = np.where(levels.is_threshold, layout.place[levels.row], -1)
    values[place[place >= 0]] = sample[place >= 0]
    return values


def _put_composites(layout: ParameterLayout, loadings: Floats, cov: Floats, values: Floats) -> None:
    """Put in weights in proportion to the correlations of items with composites, and what is held.

    `values` are (..., width).
    """
    values[..., layout.size :] = layout.held(cov)
    for composite, weights in zip(
        layout.composites, _composite_weights(layout, loadings, cov), strict=True
    ):
        free = layout.place[composite.weights] >= 0
        values[..., layout.place[composite.weights][free]] = weights[..., free]
        row, column = np.tril_indices(len(composite.items))
        place = layout.place[composite.within]
        own = cov[..., composite.items[row], composite.items[column]]
        values[..., place[place >= 0]] = own[..., place >= 0]


def _composite_weights(layout: ParameterLayout, loadings: Floats, cov: Floats) -> list[Floats]:
    """Return weights of each composite's items, that which is fixed at its value, (..., items)."""
    weights = []
    for composite in layout.composites:
        own = loadings[..., composite.items, composite.construct]
        own = own / cov[..., composite.items, composite.items]
        fixed = layout.fixed[composite.weights]
        first = int(np.flatnonzero(np.isfinite(fixed))[0])
        weights.append(own * (fixed[first] / own[..., first : first + 1]))
    return weights


def _composite_sds(layout: ParameterLayout, loadings: Floats, cov: Floats) -> Floats:
    """Return standard deviations of composites of these weights, 1 of others, (..., constructs)."""
    scale = np.ones((*loadings.shape[:-2], loadings.shape[-1]))
    for composite, weights in zip(
        layout.composites, _composite_weights(layout, loadings, cov), strict=True
    ):
        inside = cov[..., composite.items[:, None], composite.items]
        whole = (weights[..., None, :] @ inside @ weights[..., None])[..., 0, 0]
        scale[..., composite.construct] = np.sqrt(np.maximum(whole, 1e-12))
    return scale


def _plain(model: Model, layout: ParameterLayout, cov: Floats) -> tuple[Floats, ...]:
    """Return own loadings, error variances, covariances, paths and disturbance variances."""
    loadings, errors, phi = _measurement(model, cov)
    scale = _marker_scale(model, layout, loadings)
    whole = loadings[..., None] * (model.owner[:, None] == np.arange(len(model.constructs)))
    scale = scale / _composite_sds(layout, whole, cov)
    loadings = loadings * scale[..., model.owner]
    phi = phi / (scale[..., :, None] * scale[..., None, :])
    paths, left = _structure(model, phi)
    unit = layout.matrices.covariances[np.diag_indices(len(model.constructs))]
    if unit.any():  # variances that are fixed: move the scale into the loadings
        scale = np.sqrt(np.where(unit > 0, left / np.where(unit > 0, unit, 1.0), 1.0))
        loadings = loadings * scale[..., model.owner]
        paths = paths * scale[..., None, :] / scale[..., :, None]
        phi = phi / (scale[..., :, None] * scale[..., None, :])
        left = left / scale**2
    return loadings, errors, phi, paths, left


def item_signs(model: Model, cov: Floats) -> Floats:
    """Return 1, or -1 for items worded against the first of their block, (..., items).

    The signs of the first principal component of the block's correlations: with them the items
    agree with each other as far as one component can make them.
    """
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    scale = 1.0 / np.sqrt(np.where(variance > 0, variance, 1.0))
    cor = cov * scale[..., :, None] * scale[..., None, :]
    signs = np.ones(variance.shape)
    if (cor[..., model.owner[:, None] == model.owner] >= 0.0).all():
        return signs
    for block in model.slices:
        if block.stop - block.start > 1 and (inside := cor[..., block, block]).min() < 0:
            first = np.linalg.eigh(inside)[1][..., -1]
            signs[..., block] = np.where(first * first[..., :1] < 0, -1.0, 1.0)
    return signs


def _marker_scale(model: Model, layout: ParameterLayout, loadings: Floats) -> Floats:
    """Return what gives each construct the loading that is fixed, (..., constructs); else 1."""
    scale = np.ones((*loadings.shape[:-1], len(model.constructs)))
    for j, block in enumerate(model.slices):
        fixed = layout.matrices.loadings[block, j]
        for place in np.flatnonzero(fixed)[:1]:
            scale[..., j] = fixed[place] / loadings[..., block.start + place]
    return scale


def _measurement(model: Model, cov: Floats) -> tuple[Floats, Floats, Floats]:
    """Return loadings of constructs of variance 1, error variances, construct correlations."""
    signs = item_signs(model, cov)
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    sd = np.sqrt(variance)
    turn = signs / sd
    cor = cov * turn[..., :, None] * turn[..., None, :]
    single = np.array([construct.kind == "single" for construct in model.constructs])
    member = np.eye(len(single))[model.owner]
    same = member @ member.T
    alone = single[model.owner] | (same.sum(axis=-1) == 1.0)
    own = np.where(alone, 1.0, np.abs(centroid(cor, same)))
    errors = np.where(single[model.owner], 0.0, np.maximum(1.0 - own**2, 0.2))
    whole = own @ member
    between = member.T @ cor @ member / (whole[..., :, None] * whole[..., None, :])
    phi = np.clip(between, -_CLOSEST, _CLOSEST)
    phi[..., np.arange(len(single)), np.arange(len(single))] = 1.0
    return own * sd * signs, errors * variance, phi


def _structure(model: Model, phi: Floats) -> tuple[Floats, Floats]:
    """Regress constructs on their antecedents, a little shrunk; return paths and disturbances."""
    sources, unit = model.adjacency, np.eye(len(model.constructs))
    shrunk = phi * (1.0 + 0.1 * unit)
    both = sources[:, :, None] & sources[:, None, :]
    among = np.where(both, shrunk[..., None, :, :], unit)  # one system a target
    toward = np.where(sources, phi, 0.0)
    paths = np.linalg.solve(among, toward[..., None])[..., 0]
    whole = np.diagonal(phi, axis1=-2, axis2=-1)
    return paths, np.maximum(whole - (paths * toward).sum(axis=-1), 0.2 * whole)


def _mean_structure(
    model: Model, loadings: Floats, paths: Floats, mean: Floats | None
) -> tuple[Floats, Floats]:
    """Return intercepts of items and means of constructs that reproduce the means of the items.

    Constructs have intercept 0, observed variables what their antecedents leave of their mean.
    """
    means = np.zeros((*loadings.shape[:-1], len(model.constructs)))
    if mean is None:
        return np.zeros_like(loadings), means
    levels = np.zeros_like(means)
    for j in causal_order(model):
        levels[..., j] = explained = (paths[..., j, :] * levels).sum(axis=-1)
        if model.construct_names[j] in model.observed:
            levels[..., j] = mean[..., model.slices[j].start]
            means[..., j] = levels[..., j] - explained
    return mean - loadings * levels[..., model.owner], means
