"""Starting values where items measure several constructs: one factor after another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.model import Model

Floats = NDArray[np.float64]

_LEAST, _MOST = 0.2, 0.9  # standardised size of a loading to start from


def shared_measurement(
    model: Model, layout: ParameterLayout, cov: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return loadings (..., items, constructs), error variances, and covariances of constructs.

    Constructs take their turn, those with most items first and of several those whose items
    correlate most: loadings by the centroid method from what the correlations of their items have
    left (Thurstone 1931). Constructs start uncorrelated.

    References
    ----------
    Harman, H. H. (1976). Modern Factor Analysis, chapter 8. University of Chicago Press.
    """
    place = {item: i for i, item in enumerate(model.items)}
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    left = np.array(cov)
    loadings = np.zeros((*variance.shape, len(model.constructs)))
    scale = np.ones((*variance.shape[:-1], len(model.constructs)))
    blocks = [np.array([place[item] for item in own.items]) for own in model.constructs]
    scales = np.sqrt(variance)
    cor = np.abs(cov / (scales[..., :, None] * scales[..., None, :])).reshape(-1, *cov.shape[-2:])
    together = [cor[:, block[:, None], block].mean() for block in blocks]
    for j in sorted(range(len(blocks)), key=lambda j: (-len(blocks[j]), -together[j])):
        block = blocks[j]
        if len(block) == 1:
            own = np.sqrt(variance[..., block])
        else:
            sd = np.sqrt(variance[..., block])
            inside = left[..., block[:, None], block]
            own = sd * centroid(inside / (sd[..., :, None] * sd[..., None, :]))
            left[..., block[:, None], block] -= own[..., :, None] * own[..., None, :]
        loadings[..., block, j] = own
        fixed = layout.matrices.loadings[block, j]
        unit = layout.matrices.covariances[j, j]
        if fixed.any():
            marker = int(np.flatnonzero(fixed)[0])
            scale[..., j] = fixed[marker] / own[..., marker]
        elif unit:
            scale[..., j] = 1.0 / np.sqrt(np.abs(unit))
    alone = np.array([construct.kind == "single" for construct in model.constructs])[model.owner]
    errors = np.maximum(variance - (loadings**2).sum(axis=-1), 0.2 * variance)
    phi = scale[..., :, None] ** -2.0 * np.eye(len(model.constructs))
    observed = np.array([name in model.observed for name in model.construct_names])
    columns = np.flatnonzero(observed)
    items = np.flatnonzero(observed[model.owner])
    phi[..., columns[:, None], columns] = cov[..., items[:, None], items]
    return loadings * scale[..., None, :], np.where(alone, 0.0, errors), phi


def centroid(cor: Floats, same: Floats | None = None) -> Floats:
    """Return loadings of one factor, (..., items), from correlations of its items or what is left.

    Their diagonal does not count. With `same`, 1 where two items are of one block, (items, items),
    those of a factor for each block.
    """
    items = cor.shape[-1]
    same = np.ones((items, items)) if same is None else same
    size = same.sum(axis=-1)
    sums = (cor * same).sum(axis=-1) - np.diagonal(cor, axis1=-2, axis2=-1)
    total = np.abs(sums @ same)
    share = np.sqrt(size / np.maximum(size - 1.0, 1.0))
    own = sums / np.sqrt(np.maximum(total, 1e-3 * size)) * share
    return np.asarray(np.where(own < 0, -1.0, 1.0) * np.clip(np.abs(own), _LEAST, _MOST))
