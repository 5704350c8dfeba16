"""Weights of composites by a criterion: generalised canonical correlation, components, GSCA.

With ``R_jj = L_j L_j'`` the correlations of one construct's items, ``v_j = L_j' w_j`` has length 1
where the score of the weights w_j has variance 1. In these coordinates blocks are uncorrelated
within, ``M_jk = L_j⁻¹ R_jk L_k⁻¹'``, scores correlate ``r_jk = v_j' M_jk v_k``, and a block's best
weights given the others point along a proxy, ``v_j ∝ Σ_k e_jk M_jk v_k``, with inner weights e that
are the criterion's. Blocks follow each other, each with the newest weights of the others.

The batch is the first axis here; weights come and go with the batch on the last.

References
----------
Kettenring, J. R. (1971). Canonical analysis of several sets of variables. Biometrika 58, 433-451.
https://doi.org/10.1093/biomet/58.3.433

Hwang, H., Takane, Y. (2004). Generalized structured component analysis. Psychometrika 69, 81-99.
https://doi.org/10.1007/BF02295841
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.structural import regress
from csimodel.estimators.weighting import inverse_of
from csimodel.model import Model
from csimodel.translation import message

Floats = NDArray[np.float64]
Criterion = Literal["sumcorr", "maxvar", "ssqcorr", "minvar", "genvar", "gsca", "pca"]

LABELS: dict[Criterion, str] = {
    "sumcorr": message("SUMCORR composites"),
    "maxvar": message("MAXVAR composites"),
    "ssqcorr": message("SSQCORR composites"),
    "minvar": message("MINVAR composites"),
    "genvar": message("GENVAR composites"),
    "gsca": message("GSCA"),
    "pca": message("principal components"),
}
_BY_EIGENVECTORS = ("maxvar", "minvar", "pca")


def composite_weights(
    cor: Floats, model: Model, criterion: Criterion, tolerance: float, max_iterations: int
) -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_]]:
    """Return the weights that a criterion is best at, (items, draws).

    Parameters
    ----------
    cor
        Correlations of the items, (items, items, draws).
    model
        Constructs; of GSCA also paths, and which constructs are reflective.
    criterion
        Over the correlations r of all scores: ``"sumcorr"`` the largest sum, ``"ssqcorr"`` the
        largest sum of squares, ``"maxvar"`` the largest first eigenvalue, ``"minvar"`` the smallest
        last one, ``"genvar"`` the smallest determinant. ``"pca"``: the first principal component
        of each construct's items. ``"gsca"``: the least sum of squared errors of the paths'
        regressions and, of reflective constructs, of their items.
    tolerance, max_iterations
        As in `PLS`.

    Returns
    -------
    Weights of scores with variance 1, NaN where items of a construct are tied; iterations until
    the stopping rule held, 0 for eigenvectors; whether it did.

    Examples
    --------
    Two constructs, of which all criteria find the first canonical correlation:

    >>> model = Model.from_syntax("A <~ a + b; B <~ c; B ~ A")
    >>> cor = np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.0], [0.6, 0.0, 1.0]])[..., None]
    >>> weights, _, _ = composite_weights(cor, model, "sumcorr", 1e-10, 300)
    >>> weights[:, 0]
    array([1., 0., 1.])
    """
    space = _Whitened.of(np.moveaxis(cor, -1, 0), model)
    draws = cor.shape[-1]
    if criterion in _BY_EIGENVECTORS:
        weights = _components(space) if criterion == "pca" else _eigenvectors(space, criterion)
        iterations, settled = np.zeros(draws, dtype=np.int64), np.ones(draws, dtype=bool)
    else:
        weights, iterations, settled = _alternating(space, criterion, tolerance, max_iterations)
    weights[space.tied] = np.nan
    return weights.T, iterations, settled


@dataclass(frozen=True, eq=False)
class _Whitened:
    """Items turned so that those of each construct are uncorrelated, for a batch of samples.

    Attributes
    ----------
    model
        Whose constructs.
    roots, back
        ``L_j`` and ``L_j⁻¹`` of each construct, (samples, k, k).
    cor
        M, (samples, items, items).
    tied
        Samples in which items of a construct are tied, (samples,); their M is no correlation.
    """

    model: Model
    roots: tuple[Floats, ...]
    back: tuple[Floats, ...]
    cor: Floats
    tied: NDArray[np.bool_]

    @classmethod
    def of(cls, cor: Floats, model: Model) -> _Whitened:
        """Turn the items of correlation matrices, (samples, items, items)."""
        tied = np.zeros(len(cor), dtype=bool)
        for block in model.slices:
            tied |= ~np.isfinite(inverse_of(cor[:, block, block])).all(axis=(1, 2))
        whole = np.where(tied[:, None, None], np.eye(cor.shape[-1]), cor)
        roots = tuple(
            np.asarray(np.linalg.cholesky(whole[:, block, block]), dtype=np.float64)
            for block in model.slices
        )
        back = tuple(np.asarray(np.linalg.inv(root), dtype=np.float64) for root in roots)
        turned = np.empty_like(whole)
        for block, own in zip(model.slices, back, strict=True):
            turned[:, block] = own @ whole[:, block]
        for block, own in zip(model.slices, back, strict=True):
            turned[:, :, block] = turned[:, :, block] @ np.swapaxes(own, 1, 2)
        return cls(model, roots, back, turned, tied)

    def __getitem__(self, own: NDArray[np.bool_]) -> _Whitened:
        """Return some of the samples."""
        roots, back = (tuple(part[own] for part in parts) for parts in (self.roots, self.back))
        return _Whitened(self.model, roots, back, self.cor[own], self.tied[own])

    @property
    def starts(self) -> list[int]:
        """First item of each construct."""
        return [block.start for block in self.model.slices]

    def unit(self, vectors: Floats) -> Floats:
        """Scale each construct's part of vectors to length 1, (samples, items)."""
        squares = np.add.reduceat(vectors**2, self.starts, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(vectors / np.sqrt(squares)[:, self.model.owner])

    def from_weights(self, weights: Floats) -> Floats:
        """Return vectors of length 1 from weights of any size, (samples, items)."""
        vectors = np.empty_like(weights)
        for block, root in zip(self.model.slices, self.roots, strict=True):
            vectors[:, block] = np.einsum("dki,dk->di", root, weights[:, block])
        return self.unit(vectors)

    def weights_of(self, vectors: Floats) -> Floats:
        """Return weights of standardised items, (samples, items)."""
        weights = np.empty_like(vectors)
        for block, own in zip(self.model.slices, self.back, strict=True):
            weights[:, block] = np.einsum("dki,dk->di", own, vectors[:, block])
        return weights

    def crossed(self, block: slice, vectors: Floats) -> Floats:
        """Return correlations of turned items with scores, (samples, items, constructs)."""
        products = self.cor[:, block] * vectors[:, None]
        return np.asarray(np.add.reduceat(products, self.starts, axis=2))

    def score_cor(self, vectors: Floats) -> Floats:
        """Return correlations of scores, (samples, constructs, constructs)."""
        crossed = self.crossed(slice(None), vectors) * vectors[:, :, None]
        return np.asarray(np.add.reduceat(crossed, self.starts, axis=1))


def _components(space: _Whitened) -> Floats:
    """Return the weights of first principal components, (samples, items)."""
    weights = np.empty(space.cor.shape[:2])
    for block, root in zip(space.model.slices, space.roots, strict=True):
        values, vectors = np.linalg.eigh(root @ np.swapaxes(root, 1, 2))
        weights[:, block] = vectors[..., -1] / np.sqrt(values[:, -1:])
    return weights


def _eigenvectors(space: _Whitened, criterion: Criterion) -> Floats:
    """Return the weights that the first or last eigenvector of M gives."""
    vectors = np.linalg.eigh(space.cor)[1][..., -1 if criterion == "maxvar" else 0]
    return space.weights_of(space.unit(vectors))


def weight_turns(cor: Floats, model: Model, criterion: Criterion, n: float) -> Floats:
    """Return the errors of the directions that eigenvectors give weights, radians, (constructs,).

    ``θ_j² = Σ_k λ λ_k/(λ - λ_k)² |u_kj|²/|u_j|² / n`` with λ and u the eigenvalue and the vector
    that weights are made of, u_j a construct's part of it, k the others: as if M were covariances
    of normal variables (Anderson 1963). That correlations have a fixed diagonal makes errors
    smaller, in simulations down to half. Where they are large, weights jump between samples, and
    derivatives tell little. Zero for a single item and for criteria without eigenvectors.

    Parameters
    ----------
    cor
        Correlations of the items in one sample, (items, items).
    model, criterion
        As in `composite_weights`.
    n
        Number of respondents.

    References
    ----------
    Anderson, T. W. (1963). Asymptotic theory for principal component analysis. Annals of
    Mathematical Statistics 34, 122-148. https://doi.org/10.1214/aoms/1177704248

    Examples
    --------
    >>> model = Model.from_syntax("A <~ a + b; B <~ c; B ~ A")
    >>> cor = np.array([[1.0, 0.5, 0.6], [0.5, 1.0, 0.0], [0.6, 0.0, 1.0]])
    >>> weight_turns(cor, model, "pca", 300.0).round(3).tolist()
    [0.05, 0.0]
    """
    several = np.array([construct.kind != "single" for construct in model.constructs])
    if criterion not in _BY_EIGENVECTORS or not np.isfinite(cor).all():
        return np.zeros(len(several))
    if criterion == "pca":
        squares = [
            _spread(np.linalg.eigvalsh(cor[block, block]), -1).sum() for block in model.slices
        ]
    else:
        space, at = _Whitened.of(cor[None], model), -1 if criterion == "maxvar" else 0
        values, vectors = np.linalg.eigh(space.cor[0])
        parts = np.add.reduceat(vectors**2, space.starts, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = list(np.delete(parts, at, 1) @ _spread(values, at) / parts[:, at])
    return np.where(several, np.sqrt(np.array(squares) / n), 0.0)


def _spread(eigenvalues: NDArray[np.floating], at: int) -> Floats:
    """Return ``λ λ_k/(λ - λ_k)²`` of an eigenvalue and each of the others."""
    values = np.asarray(eigenvalues, dtype=np.float64)
    others = np.delete(values, at)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(values[at] * others / (values[at] - others) ** 2)


def _alternating(
    space: _Whitened, criterion: Criterion, tolerance: float, max_iterations: int
) -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_]]:
    """Iterate from equal weights, block by block; each sample stops by its own rule."""
    draws, items = space.cor.shape[:2]
    final = np.empty((draws, items))
    iterations = np.full(draws, max_iterations, dtype=np.int64)
    settled = np.zeros(draws, dtype=bool)
    active = np.arange(draws)
    vectors = space.from_weights(np.ones((draws, items)))
    weights = space.weights_of(vectors)
    for iteration in range(1, max_iterations + 1):
        vectors = _sweep(space, criterion, vectors)
        before, weights = weights, space.weights_of(vectors)
        done = ~(np.abs(weights - before).max(axis=1) >= tolerance)  # NaN will not move
        final[active], settled[active[done]] = weights, True
        iterations[active[done]] = iteration
        if done.any():
            active, space = active[~done], space[~done]
            vectors, weights = vectors[~done], weights[~done]
        if not len(active):
            break
    return final, iterations, settled


def _sweep(space: _Whitened, criterion: Criterion, vectors: Floats) -> Floats:
    """Return the vectors after each construct's in turn was found anew."""
    vectors = vectors.copy()
    inner = _by_paths(space, vectors) if criterion == "gsca" else None
    for j, (construct, block) in enumerate(
        zip(space.model.constructs, space.model.slices, strict=True)
    ):
        if construct.kind == "single":
            continue
        own, crossed = vectors[:, block], space.crossed(block, vectors)
        if criterion == "genvar":
            proxy = _least_determinant(space.score_cor(vectors), crossed, j)
        else:
            if inner is not None:
                counts = inner[:, j].copy()
            elif criterion == "ssqcorr":
                counts = np.einsum("dkc,dk->dc", crossed, own)
            else:
                counts = np.ones((len(own), crossed.shape[2]))
            counts[:, j] = 0.0
            proxy = np.einsum("dkc,dc->dk", crossed, counts)
            if inner is not None and construct.kind == "reflective":
                root = space.roots[j]
                proxy += np.einsum("dik,dil,dl->dk", root, root, own)
        with np.errstate(invalid="ignore", divide="ignore"):
            vectors[:, block] = proxy / np.sqrt((proxy**2).sum(axis=1, keepdims=True))
    return vectors


def _by_paths(space: _Whitened, vectors: Floats) -> Floats:
    """Return GSCA's inner weights ``B + B' - B'B``, (samples, constructs, constructs).

    What is regressed on a construct's score, in its own equation and in those it is a source of.
    """
    cor = np.moveaxis(space.score_cor(vectors), 0, -1)
    with np.errstate(all="ignore"):
        paths = np.moveaxis(regress(space.model, cor), -1, 0)
    turned = np.swapaxes(paths, 1, 2)
    return np.asarray(paths + turned - turned @ paths)


def _least_determinant(cor: Floats, crossed: Floats, own: int) -> Floats:
    """Return the vector whose score the other scores explain best, (samples, k)."""
    others = np.arange(cor.shape[-1]) != own
    inverse = inverse_of(cor[:, others][..., others])
    lost = ~np.isfinite(inverse).all(axis=(1, 2))
    inverse[lost] = 0.0
    beside = crossed[..., others]
    vectors = np.linalg.eigh(beside @ inverse @ np.swapaxes(beside, 1, 2))[1][..., -1]
    vectors[lost] = np.nan
    return np.asarray(vectors)
