"""Symmetric matrices, a batch at a time: by LAPACK's Cholesky routines where positive definite.

For matrices of the size of a model one call each is faster than NumPy's batched LU, and a few
eigenvalues are faster than all.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@cache
def _lapack() -> tuple[Any, Any, Any, Any]:
    from scipy.linalg.lapack import dposv, dpotrf, dpotri, dsyevx

    return dpotrf, dpotri, dposv, dsyevx


def inverse_and_logdet(matrices: Floats) -> tuple[Floats, Floats]:
    """Return inverses, (samples, size, size), and logarithms of determinants, (samples,).

    Both are NaN where a matrix is not positive definite.
    """
    factor, invert, _, _ = _lapack()
    inverse, roots = np.empty(matrices.shape), np.empty(matrices.shape[:2])
    for matrix, place, root in zip(matrices, inverse, roots, strict=True):
        lower, failed = factor(matrix.T, lower=1)
        if failed:
            place[:], root[:] = np.nan, np.nan
            continue
        root[:] = lower.diagonal()
        place[:] = invert(lower, lower=1, overwrite_c=1)[0]
    whole = inverse + inverse.transpose(0, 2, 1)  # the routine fills one triangle
    size = matrices.shape[-1]
    whole.reshape(-1, size**2)[:, :: size + 1] *= 0.5
    return whole, 2.0 * np.log(roots).sum(axis=-1)


def solve(systems: Floats, right: Floats) -> Floats:
    """Return solutions, (samples, size), NaN where a system is not positive definite.

    `systems` is overwritten.
    """
    _, _, solver, _ = _lapack()
    solution = np.empty(right.shape)
    for system, target, own in zip(systems, right, solution, strict=True):
        _, own[:], failed = solver(system.T, target, lower=1, overwrite_a=1)
        if failed:
            own[:] = np.nan
    return solution


def without_negative(matrices: Floats) -> Floats:
    """Return symmetric matrices with their negative eigenvalues turned positive.

    Parameters
    ----------
    matrices
        (samples, size, size); those that are not finite stay as they are.

    Examples
    --------
    >>> without_negative(np.array([[[0.0, 2.0], [2.0, 0.0]]])).round(12)
    array([[[2., 0.],
            [0., 2.]]])
    """
    eigen = _lapack()[-1]
    upright = matrices.copy()
    definite = np.isfinite(solve(matrices.copy(), matrices[:, 0])[:, 0])
    for place in np.flatnonzero(~definite & np.isfinite(matrices).all(axis=(1, 2))):
        values, vectors, count, _, failed = eigen(
            matrices[place].T, range="V", vl=-np.finfo(float).max, vu=0.0
        )
        if failed:  # some vector did not converge
            values, vectors = np.linalg.eigh(matrices[place])
            count = int((values < 0.0).sum())
        own = vectors[:, :count]
        upright[place] -= 2.0 * (own * values[:count]) @ own.T
    return upright
