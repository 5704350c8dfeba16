"""The curve of the outcome over the true index, one sample or a batch of draws. NumPy only.

An index W is the true index X and an error U that goes with nothing else. The score equations of a
generalised linear regression ask for the means of the outcome times each column of the design. A
mean of the outcome times X is one of the outcome times W, which the error leaves alone; the fitted
side needs the distribution of X only. So the curve over X solves

    ``E[μ(η(X, Z)) (1, X, Z)] = E[μ̂(W, Z) (1, W, Z)]``

with μ̂ the regression as measured. Least squares gives errors in variables (Fuller); reliability 1
gives the regression as measured.

References
----------
Fuller, W. A. (1987). Measurement Error Models, section 3.1.
https://doi.org/10.1002/9780470316665

Carroll, R. J., Ruppert, D., Stefanski, L. A., Crainiceanu, C. M. (2006). Measurement Error in
Nonlinear Models, chapters 4 and 7. https://doi.org/10.1201/9781420010138
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.design.layout import Layout, value_of
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.glm import LARGEST_STEP, newton_step, normal_equations, predictor_of

Floats = NDArray[np.float64]

_SINGULAR = 1e-9  # smallest eigenvalue of the true variance relative to the measured
_LAST_STEP = 1e-10  # of a coefficient of a standardised column
_MOST_STEPS = 50


def true_points(
    points: Sequence[Floats], factors: Sequence[Floats], share: Floats, reliability: Floats
) -> list[Floats]:
    """Return every respondent's index, spread as the true one is.

    The part of an index that the controls explain stays; what is left is drawn together so that
    variances and covariances are those of the true indexes: mean, variance and the covariances
    with the controls are right, the shape is that of the index as measured. For one index without
    controls ``m + √reliability (W - m)``. Single respondents are not predicted by it; their
    distribution is.

    Parameters
    ----------
    points
        Each index, (draws, rows) or (1, rows).
    factors
        Controls, each (rows,).
    share
        How much each respondent counts, summing to 1, (draws, rows) or (1, rows).
    reliability
        Of each index, (draws, indexes); NaN or 0 and below where there is none. Above 1 spreads.

    Returns
    -------
    Each index, (draws, rows); NaN in draws where nothing is left of an index's own variance.

    Examples
    --------
    >>> index, share = np.array([[50.0, 70.0]]), np.array([[0.5, 0.5]])
    >>> true_points([index], [], share, np.array([[0.25]]))[0]
    array([[55., 65.]])
    """
    draws = len(reliability)
    stacked = np.stack([np.broadcast_to(x, (draws, x.shape[-1])) for x in points], axis=1)
    share = np.broadcast_to(share, (draws, share.shape[-1]))
    mean = np.einsum("dc,dkc->dk", share, stacked)
    apart = stacked - mean[..., None]
    error = np.einsum("dc,dkc->dk", share, apart**2) * (1.0 - reliability)
    explained = np.zeros_like(apart)
    if len(factors):
        explained = _explained(apart, np.stack(factors), share)
        apart = apart - explained
    measured = np.einsum("dc,dkc,dlc->dkl", share, apart, apart)
    own = np.arange(len(points))
    left = measured.copy()
    left[:, own, own] -= error
    turn = _transport(measured, left)
    turn[~(reliability > 0).all(axis=1)] = np.nan
    conditional = mean[..., None] + explained + np.einsum("dkl,dlc->dkc", turn, apart)
    return list(np.moveaxis(conditional, 1, 0))


def _explained(apart: Floats, factors: Floats, share: Floats) -> Floats:
    """Return the part of each index that factors explain linearly, (draws, indexes, rows)."""
    centre = share @ factors.T
    row, column = np.triu_indices(len(factors))
    gram = np.empty((len(share), len(factors), len(factors)))
    gram[:, row, column] = gram[:, column, row] = share @ (factors[row] * factors[column]).T
    gram -= centre[:, :, None] * centre[:, None, :]
    size = np.sqrt(np.maximum(np.diagonal(gram, axis1=1, axis2=2), 0.0))
    size[size == 0] = 1.0
    unit = gram / (size[:, :, None] * size[:, None, :])
    joint = np.einsum("dc,dkc,fc->dkf", share, apart, factors) / size[:, None]
    slopes = joint @ np.linalg.pinv(unit, rcond=1e-9, hermitian=True) / size[:, None]
    explained = slopes @ factors - (slopes * centre[:, None]).sum(axis=2)[..., None]
    return np.asarray(explained)


def _transport(measured: Floats, left: Floats) -> Floats:
    """Return the symmetric map that turns one covariance matrix into another, (draws, k, k).

    ``S^-½ (S^½ M S^½)^½ S^-½``; NaN where either is not positive definite.
    """
    size = np.sqrt(np.diagonal(measured, axis1=1, axis2=2))
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = left / (size[:, :, None] * size[:, None, :])
        sound = np.isfinite(unit).all(axis=(1, 2))
    eye = np.eye(measured.shape[-1])
    safe = np.where(sound[:, None, None], unit, eye)
    sound &= np.linalg.eigvalsh(safe)[:, 0] > _SINGULAR
    keep = sound[:, None, None]
    s, m = np.where(keep, measured, eye), np.where(keep, left, eye)
    root, inverse = _power(s, 0.5), _power(s, -0.5)
    turn = inverse @ _power(root @ m @ root, 0.5) @ inverse
    return np.where(keep, turn, np.nan)


def _power(matrix: Floats, power: float) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    raised = np.maximum(values, np.finfo(float).tiny) ** power
    return np.asarray((vectors * raised[:, None, :]) @ np.swapaxes(vectors, 1, 2))


def true_curve(
    family: Family,
    layout: Layout,
    coefficients: Floats,
    points: Sequence[Floats],
    true: Sequence[Floats],
    factors: Sequence[Floats],
    share: Floats,
) -> Floats:
    """Return the coefficients of the curve over the true indexes.

    Parameters
    ----------
    family, layout
        What was fitted, no column with a power of an index above 1.
    coefficients
        As measured, (draws, 1 + columns).
    points, true
        The indexes as measured and as `true_points` spreads them, each (draws, rows) or (1, rows).
    factors
        Controls, each (rows,).
    share
        How much each respondent counts, summing to 1, (draws, rows) or (1, rows).

    Returns
    -------
    (draws, 1 + columns); NaN where no curve has these means.
    """
    draws = len(coefficients)
    shape = (draws, share.shape[-1])
    share = np.broadcast_to(share, shape)
    columns = [np.asarray(value_of(c, list(points), list(factors))) for c in layout.columns]
    fitted = share * family.mean(predictor_of(coefficients, columns, shape))
    whole = fitted.sum(axis=1)
    wanted = np.stack([(fitted * column).sum(axis=1) for column in columns], axis=1)
    columns = [
        np.broadcast_to(np.asarray(value_of(c, list(true), list(factors))), shape)
        for c in layout.columns
    ]
    centre = np.stack([(share * column).sum(axis=1) for column in columns], axis=1)
    spread = np.sqrt(
        np.stack(
            [
                (share * (column - m[:, None]) ** 2).sum(axis=1)
                for column, m in zip(columns, centre.T, strict=True)
            ],
            axis=1,
        )
    )
    sound = np.isfinite(spread).all(axis=1) & (spread > 0).all(axis=1)
    curve = np.full(coefficients.shape, np.nan)
    if not sound.any():
        return curve
    m, s, own = centre[sound], spread[sound], share[sound]
    standard = [(column[sound] - m[:, j, None]) / s[:, j, None] for j, column in enumerate(columns)]
    target = np.column_stack([whole[sound], (wanted[sound] - m * whole[sound, None]) / s])
    b = coefficients[sound].copy()
    b[:, 0] += (b[:, 1:] * m).sum(axis=1)
    b[:, 1:] *= s
    solved = _solve(family, b, standard, own, target)
    solved[:, 1:] /= s
    solved[:, 0] -= (solved[:, 1:] * m).sum(axis=1)
    curve[sound] = solved
    return curve


def _solve(
    family: Family, start: Floats, columns: list[Floats], share: Floats, target: Floats
) -> Floats:
    """Return coefficients whose fitted means are the target, (draws, terms), by Newton's steps."""
    b, left = start.copy(), np.arange(len(start))
    solution = np.full_like(start, np.nan)
    own, x, goal = share, columns, target
    for _ in range(_MOST_STEPS):
        eta = predictor_of(b, x, own.shape)
        means, information = normal_equations(family.mean(eta) * own, family.slope(eta) * own, x)
        step, solved = newton_step(goal - means, information)
        largest = np.abs(step).max(axis=1)
        if family.bounded:
            step *= (LARGEST_STEP / np.maximum(largest, LARGEST_STEP))[:, None]
        b = b + step
        done = solved & (largest < _LAST_STEP * np.maximum(1.0, np.abs(b).max(axis=1)))
        solution[left[done]] = b[done]
        stay = solved & ~done
        if not stay.any():
            break
        if not stay.all():
            left, b, own, goal = left[stay], b[stay], own[stay], goal[stay]
            x = [column[stay] for column in x]
    return solution
