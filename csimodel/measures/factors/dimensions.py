"""Whether correlations hold common factors, and how many: KMO, Bartlett, parallel analysis, MAP.

References
----------
Kaiser, H. F., Rice, J. (1974). Little Jiffy, Mark IV. Educational and Psychological Measurement 34,
111-117. https://doi.org/10.1177/001316447403400115

Bartlett, M. S. (1951). The effect of standardization on a χ² approximation in factor analysis.
Biometrika 38, 337-344. https://doi.org/10.1093/biomet/38.3-4.337

Horn, J. L. (1965). A rationale and test for the number of factors in factor analysis. Psychometrika
30, 179-185. https://doi.org/10.1007/BF02289447

Velicer, W. F. (1976). Determining the number of components from the matrix of partial correlations.
Psychometrika 41, 321-327. https://doi.org/10.1007/BF02293557
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.significance import chisq_pvalue

Floats = NDArray[np.float64]

_CELLS = 2**20  # random answers held at once


class Adequacy(NamedTuple):
    """Kaiser, Meyer and Olkin's measure of sampling adequacy.

    Attributes
    ----------
    overall
        0 to 1.
    items
        By item, (items,).
    """

    overall: float
    items: Floats


def kmo(cor: Floats) -> Adequacy:
    """Return how small partial correlations are beside correlations.

    ``Σ r² / (Σ r² + Σ q²)`` over pairs of items, r correlations and q partial correlations.

    Examples
    --------
    >>> measure = kmo(np.array([[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]]))
    >>> round(measure.overall, 4)
    0.6923
    """
    inverse = np.linalg.inv(cor)
    scale = np.sqrt(np.diagonal(inverse))
    partial = inverse / np.outer(scale, scale)
    r, q = cor**2, partial**2
    np.fill_diagonal(r, 0.0)
    np.fill_diagonal(q, 0.0)
    return Adequacy(float(r.sum() / (r.sum() + q.sum())), r.sum(0) / (r.sum(0) + q.sum(0)))


def bartlett(cor: Floats, n: float) -> tuple[float, int, float]:
    """Return χ², degrees of freedom and p of no correlation at all (sphericity).

    ``χ² = -(n - 1 - (2p + 5)/6) log|R|`` of p items, with p(p - 1)/2 degrees of freedom.

    Examples
    --------
    >>> chisq, df, p = bartlett(np.array([[1, 0.5], [0.5, 1]]), 40)
    >>> round(chisq, 3), df
    (10.788, 1)
    """
    items = len(cor)
    _, log = np.linalg.slogdet(cor)
    chisq = -(n - 1 - (2 * items + 5) / 6) * float(log)
    df = items * (items - 1) // 2
    return chisq, df, float(chisq_pvalue(chisq, df))


def partial_averages(cor: Floats, power: int = 2) -> Floats:
    """Return the mean power of correlations left once 0, 1, … components are taken out.

    The number of components where it is least is Velicer's (minimum average partial), of powers 2
    or 4.

    Returns
    -------
    ndarray
        (items - 1,)

    Examples
    --------
    >>> cor = np.full((6, 6), 0.5) + 0.5 * np.eye(6)
    >>> int(partial_averages(cor).argmin())
    1
    """
    items = len(cor)
    roots, vectors = np.linalg.eigh(cor)
    loadings = vectors[:, ::-1] * np.sqrt(np.maximum(roots[::-1], 0.0))
    averages = np.full(items - 1, np.nan)
    for taken in range(items - 1):
        left = cor - loadings[:, :taken] @ loadings[:, :taken].T
        spread = np.diagonal(left)
        if (spread <= 1e-12).any():
            break
        partial = left / np.sqrt(np.outer(spread, spread))
        powers = (partial**power).sum() - items
        averages[taken] = powers / (items * (items - 1))
    return averages


def reduced(cor: Floats) -> Floats:
    """Return correlations with squared multiple correlations in the diagonal, (..., items, items).

    >>> reduced(np.array([[1, 0.5], [0.5, 1]])).tolist()
    [[0.25, 0.5], [0.5, 0.25]]
    """
    smc = 1.0 - 1.0 / np.diagonal(np.linalg.inv(cor), axis1=-2, axis2=-1)
    matrix = np.array(cor, dtype=np.float64)
    items = np.arange(cor.shape[-1])
    matrix[..., items, items] = smc
    return matrix


def eigenvalues(cor: Floats) -> Floats:
    """Return eigenvalues, the largest first, (..., items)."""
    return np.asarray(np.linalg.eigvalsh(cor)[..., ::-1])


def random_eigenvalues(
    rows: int, items: int, sets: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return eigenvalues of correlations of normal answers that have none in the population.

    Returns
    -------
    ndarray
        Of components, (sets, items).
    ndarray
        Of common factors: squared multiple correlations in the diagonal, (sets, items).

    Examples
    --------
    >>> components, factors = random_eigenvalues(100, 4, 50, np.random.default_rng(1))
    >>> bool(components.mean(axis=0)[0] > 1 > components.mean(axis=0)[-1])
    True
    """
    components, factors = np.empty((sets, items)), np.empty((sets, items))
    together = max(1, _CELLS // (rows * items))
    for first in range(0, sets, together):
        part = slice(first, min(first + together, sets))
        answers = rng.standard_normal((part.stop - first, rows, items))
        answers -= answers.mean(axis=1, keepdims=True)
        answers /= np.sqrt((answers**2).sum(axis=1, keepdims=True))
        cor = np.swapaxes(answers, -1, -2) @ answers
        components[part] = eigenvalues(cor)
        factors[part] = eigenvalues(reduced(cor))
    return components, factors


def number_beyond(own: Floats, random: Floats) -> int:
    """Return how many of the first eigenvalues are each above that of random answers.

    >>> number_beyond(np.array([3.0, 1.1, 1.0]), np.array([1.3, 1.2, 0.5]))
    1
    """
    below = np.flatnonzero(own <= random)
    return int(below[0]) if len(below) else len(own)
