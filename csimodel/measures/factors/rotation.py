"""Rotation of factor loadings to simple structure, for a batch of loadings at once.

Gradient projection: from random turns of the axes, steps down the gradient of a criterion that are
projected back to turns (orthogonal) or to axes of unit length (oblique); the lowest end counts.

References
----------
Jennrich, R. I. (2001). A simple general procedure for orthogonal rotation. Psychometrika 66,
289-306. https://doi.org/10.1007/BF02294840

Jennrich, R. I. (2002). A simple general method for oblique rotation. Psychometrika 67, 7-19.
https://doi.org/10.1007/BF02294706

Bernaards, C. A., Jennrich, R. I. (2005). Gradient projection algorithms and software for arbitrary
rotation criteria in factor analysis. Educational and Psychological Measurement 65, 676-696.
https://doi.org/10.1177/0013164404272507

Hendrickson, A. E., White, P. O. (1964). Promax. British Journal of Statistical Psychology 17,
65-70. https://doi.org/10.1111/j.2044-8317.1964.tb00244.x
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Criterion = Callable[[Floats], tuple[Floats, Floats]]
Rotation = Literal["oblimin", "geomin", "promax", "varimax", "none"]

_GEOMIN = 0.001  # added to squared loadings, lest a loading of 0 settle a whole row
_PROMAX = 4  # power of varimax loadings that promax aims at
_STEPS = 10_000
_PRECISION = 1e-8  # of the projected gradient
_ROUNDING = 1e-12  # of the criterion, relative: below it differences are noise
_DRAW_STEPS, _DRAW_PRECISION = 1000, 1e-5  # of draws, whose own spread is far larger
_SIEVE = (100, 400)  # steps after which a quarter of the starts goes on


class Rotated(NamedTuple):
    """Loadings after rotation.

    Attributes
    ----------
    loadings
        (..., items, factors)
    correlations
        Of the factors, (..., factors, factors).
    axes
        Where the axes ended that the criterion was followed on, (..., factors, factors).
    criterion
        What was made small, (...,); NaN where nothing was.
    converged
        (...,)
    """

    loadings: Floats
    correlations: Floats
    axes: Floats
    criterion: Floats
    converged: NDArray[np.bool_]


def rotate(
    loadings: Floats,
    rotation: Rotation,
    rng: np.random.Generator,
    starts: int | None = None,
    kaiser: bool | None = None,
) -> Rotated:
    """Rotate a batch of loadings.

    Parameters
    ----------
    loadings
        Of uncorrelated factors, (..., items, factors).
    rotation
        ``"oblimin"`` (quartimin: sums of products of squared loadings), ``"geomin"`` (geometric
        means of squared loadings plus .001), ``"promax"`` (towards the fourth powers of varimax
        loadings), ``"varimax"`` or ``"none"``.
    rng
        For the starts.
    starts
        Random turns to start from, besides the axes as they are; by default 100 with geomin, which
        has many low places, else 30.
    kaiser
        Whether items count alike whatever their communality (Kaiser's normalisation), by default
        with varimax and promax.

    Examples
    --------
    >>> simple = np.kron(np.eye(2), np.full((3, 1), 0.8))
    >>> turned = simple @ np.array([[0.6, -0.8], [0.8, 0.6]])
    >>> result = rotate(turned, "varimax", np.random.default_rng(1))
    >>> np.abs(result.loadings).round(4).sum(axis=0)
    array([2.4, 2.4])
    """
    if rotation == "none" or loadings.shape[-1] == 1:
        return _unrotated(loadings)
    starts = (100 if rotation == "geomin" else 30) if starts is None else starts
    return _rotated(
        loadings, rotation, kaiser, lambda scaled: _lowest(scaled, rotation, rng, starts)
    )


def rotate_near(loadings: Floats, rotation: Rotation, unrotated: Floats, axes: Floats) -> Rotated:
    """Rotate a batch of loadings to the simple structure next to that of a sample.

    Factors keep their order and their sign, as draws of one sample need.

    Parameters
    ----------
    loadings
        Of uncorrelated factors, (..., items, factors).
    rotation
        As in `rotate`.
    unrotated
        Of the sample, (items, factors), to which loadings are turned first (Procrustes).
    axes
        Of the sample after rotation, (factors, factors).

    Examples
    --------
    >>> simple = np.kron(np.eye(2), np.full((3, 1), 0.8))
    >>> turned = simple @ np.array([[0.6, -0.8], [0.8, 0.6]])
    >>> result = rotate(turned, "oblimin", np.random.default_rng(1))
    >>> near = rotate_near(-turned[None], "oblimin", turned, result.axes)
    >>> bool(np.allclose(near.loadings[0], result.loadings))
    True
    """
    left, _, right = np.linalg.svd(np.swapaxes(loadings, -1, -2) @ unrotated)
    turned = loadings @ (left @ right)
    if rotation == "none" or loadings.shape[-1] == 1:
        return _unrotated(turned)

    def descend(scaled: Floats) -> Rotated:
        start = np.broadcast_to(axes, (len(scaled), *axes.shape))
        criterion, orthogonal = _CRITERIA[rotation], rotation in _ORTHOGONAL
        return _descend(scaled, start, criterion, orthogonal, _DRAW_STEPS, _DRAW_PRECISION)

    return _rotated(turned, rotation, None, descend)


def _unrotated(loadings: Floats) -> Rotated:
    batch, factors = loadings.shape[:-2], loadings.shape[-1]
    eye = np.broadcast_to(np.eye(factors), (*batch, factors, factors))
    done = np.ones(batch, dtype=np.bool_)
    return Rotated(loadings, eye, eye, np.full(batch, np.nan), done)


def _rotated(
    loadings: Floats, rotation: Rotation, kaiser: bool | None, descend: Callable[[Floats], Rotated]
) -> Rotated:
    """Rotate items of equal length where they count alike, and aim promax."""
    batch = loadings.shape[:-2]
    flat = loadings.reshape(-1, *loadings.shape[-2:])
    kaiser = rotation in _ORTHOGONAL if kaiser is None else kaiser
    length = np.sqrt((flat**2).sum(axis=-1, keepdims=True))
    size = np.where(kaiser & (length > 0), length, 1.0)
    result = descend(flat / size)
    result = result._replace(loadings=result.loadings * size)
    if rotation == "promax":
        result = _promax(result)
    return Rotated(*(part.reshape((*batch, *part.shape[1:])) for part in result))


def varimax(loadings: Floats) -> tuple[Floats, Floats]:
    """Return minus the variance of squared loadings within factors, and its gradient."""
    squares = loadings**2
    centred = squares - squares.mean(axis=-2, keepdims=True)
    return -(centred**2).sum(axis=(-2, -1)) / 4, -loadings * centred


def quartimin(loadings: Floats) -> tuple[Floats, Floats]:
    """Return sums of products of squared loadings of an item on two factors, and the gradient."""
    squares = loadings**2
    others = squares.sum(axis=-1, keepdims=True) - squares
    return (squares * others).sum(axis=(-2, -1)) / 4, loadings * others


def geomin(loadings: Floats) -> tuple[Floats, Floats]:
    """Return the sum over items of geometric means of squared loadings, and its gradient."""
    squares = loadings**2 + _GEOMIN
    factors = loadings.shape[-1]
    means = np.exp(np.log(squares).sum(axis=-1, keepdims=True) / factors)
    return means.sum(axis=(-2, -1)), (2 / factors) * loadings / squares * means


_CRITERIA: dict[str, Criterion] = {
    "oblimin": quartimin,
    "geomin": geomin,
    "promax": varimax,
    "varimax": varimax,
}


_ORTHOGONAL = ("varimax", "promax")


def _lowest(loadings: Floats, rotation: Rotation, rng: np.random.Generator, starts: int) -> Rotated:
    """Return the lowest of the ends from several starts, followed to the end."""
    batch, items, factors = loadings.shape
    criterion, orthogonal = _CRITERIA[rotation], rotation in _ORTHOGONAL
    turns = np.stack([np.eye(factors), *(_turn(rng, factors) for _ in range(starts))])
    axes = np.broadcast_to(turns, (batch, starts + 1, factors, factors))
    several = np.broadcast_to(loadings[:, None], (batch, starts + 1, items, factors))
    for steps in _SIEVE:
        count = axes.shape[1]
        ends = _descend(
            several[:, :count].reshape(-1, items, factors),
            axes.reshape(-1, factors, factors),
            criterion,
            orthogonal,
            steps,
        )
        order = ends.criterion.reshape(batch, count).argsort(axis=1)[:, : max(1, count // 4)]
        axes = ends.axes[(np.arange(batch) * count)[:, None] + order]
    return _descend(loadings, axes[:, 0], criterion, orthogonal, _STEPS)


def _turn(rng: np.random.Generator, factors: int) -> Floats:
    axes, triangle = np.linalg.qr(rng.standard_normal((factors, factors)))
    return np.asarray(axes * np.sign(np.diagonal(triangle)))


def _descend(
    loadings: Floats,
    axes: Floats,
    criterion: Criterion,
    orthogonal: bool,
    steps: int,
    precision: float = _PRECISION,
) -> Rotated:
    """Go down the projected gradient from a turn of the axes, (batch, factors, factors)."""
    batch = len(loadings)
    axes = axes.copy()
    step = np.ones(batch)
    rotated = _on_axes(loadings, axes, orthogonal)
    value, slope = criterion(rotated)
    converged = np.zeros(batch, dtype=np.bool_)
    for _ in range(steps):
        at = np.flatnonzero(~converged)
        gradient = _projected(loadings[at], axes[at], rotated[at], slope[at], orthogonal)
        size = np.sqrt((gradient**2).sum(axis=(-2, -1)))
        converged[at[size < precision]] = True
        at, gradient, size = (x[size >= precision] for x in (at, gradient, size))
        if not len(at):
            break
        step[at] *= 2.0
        waiting = np.ones(len(at), dtype=np.bool_)
        for _ in range(40):
            own = at[waiting]
            trial = _to_axes(axes[own] - step[own, None, None] * gradient[waiting], orthogonal)
            turned = _on_axes(loadings[own], trial, orthogonal)
            lower, pull = criterion(turned)
            enough = value[own] - lower > 0.5 * size[waiting] ** 2 * step[own]
            alike = ~enough & (np.abs(value[own] - lower) <= _ROUNDING * np.abs(value[own]))
            if alike.any():  # the criterion no longer tells; whether it still leads down does
                ahead = _projected(loadings[own], trial, turned, pull, orthogonal)
                enough |= alike & ((ahead * gradient[waiting]).sum(axis=(-2, -1)) >= 0.0)
            taken = own[enough]
            axes[taken], rotated[taken], slope[taken] = trial[enough], turned[enough], pull[enough]
            value[taken] = lower[enough]
            waiting[np.flatnonzero(waiting)[enough]] = False
            if not waiting.any():
                break
            step[at[waiting]] *= 0.5
        stuck = at[waiting]
        converged[stuck] = size[waiting] < 1e-5  # as far down as rounding lets it
        if waiting.all():
            break
    return Rotated(rotated, np.swapaxes(axes, -1, -2) @ axes, axes, value, converged)


def _on_axes(loadings: Floats, axes: Floats, orthogonal: bool) -> Floats:
    if orthogonal:
        return np.asarray(loadings @ axes)
    return np.asarray(loadings @ np.swapaxes(np.linalg.inv(axes), -1, -2))


def _projected(
    loadings: Floats, axes: Floats, rotated: Floats, slope: Floats, orthogonal: bool
) -> Floats:
    """Return the gradient by the axes without what leads off turns, or off unit length."""
    if orthogonal:
        gradient = np.swapaxes(loadings, -1, -2) @ slope
        product = np.swapaxes(axes, -1, -2) @ gradient
        return np.asarray(gradient - axes @ (product + np.swapaxes(product, -1, -2)) / 2)
    inverse = np.linalg.inv(axes)
    gradient = -np.swapaxes(np.swapaxes(rotated, -1, -2) @ slope @ inverse, -1, -2)
    return np.asarray(gradient - axes * (axes * gradient).sum(axis=-2, keepdims=True))


def _to_axes(axes: Floats, orthogonal: bool) -> Floats:
    if orthogonal:
        left, _, right = np.linalg.svd(axes)
        return np.asarray(left @ right)
    return np.asarray(axes / np.sqrt((axes**2).sum(axis=-2, keepdims=True)))


def _promax(varimaxed: Rotated) -> Rotated:
    """Turn varimax loadings towards their powers by least squares, axes of unit length."""
    loadings = varimaxed.loadings
    target = loadings * np.abs(loadings) ** (_PROMAX - 1)
    turn = np.linalg.pinv(loadings) @ target
    inverse = np.linalg.inv(np.swapaxes(turn, -1, -2) @ turn)
    turn = turn * np.sqrt(np.diagonal(inverse, axis1=-2, axis2=-1))[:, None, :]
    inverse = np.linalg.inv(turn)
    correlations = inverse @ np.swapaxes(inverse, -1, -2)
    return varimaxed._replace(loadings=loadings @ turn, correlations=correlations)
