"""More starts where one may have missed the lowest minimum.

A discrepancy can have several minima: least squares weighted by the sample's own covariances (GLS)
where the model fits badly, all of them where constructs hardly hang together. Then the first start
can end in a higher one, or in a valley without an end. Samples in doubt are started again from
values around their own, and the lowest minimum counts. Of W minima seen in N walks that ended in
one, ``W (N - 1) / (N - W - 2)`` are expected in all: once that is no more than half a minimum above
W, no further starts are tried (Boender and Rinnooy Kan), but of GLS, whose minima can have so
narrow a basin that few walks find it.

References
----------
Boender, C. G. E., Rinnooy Kan, A. H. G. (1987). Bayesian stopping rules for multistart global
optimization methods. Mathematical Programming 37, 59-80. https://doi.org/10.1007/BF02591684
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.covariance.layout import ORDER, ParameterLayout
from csimodel.estimators.covariance.objective import Objective
from csimodel.estimators.covariance.scoring import Minima, minimise

Floats = NDArray[np.float64]

STARTS = 32  # of each sample in doubt, at most
_WAVE = 8  # of them walk before it is asked whether more are wanted
_FIRST, _FURTHER = 18, 60  # iterations of every start, and of the most promising ones
_PROMISING = 12
_SPREAD, _TURN = 0.5, 0.2  # sd of the logarithm of a factor, probability of another sign
_SEED = 20260  # the same starts for every sample and every run
_OF_ITEMS = ("loadings", "weights", "errors", "within", "intercepts", "thresholds")
_SAME = 1e-6  # minima that differ by less, relative to the larger or to the unit, are one


def lowest_minimum(
    objective: Objective,
    minima: Minima,
    own: Floats,
    cov: Floats,
    doubtful: NDArray[np.bool_],
    every_start: bool,
    tolerance: float,
    max_iterations: int,
) -> Floats:
    """Start samples in doubt again; put lower minima into `found`, return the next ones above.

    Every start walks a few steps; those that are lowest then walk on.

    Parameters
    ----------
    own
        The samples' own starting values, (samples, parameters).
    cov
        Covariances of the items, by which starts are spread, (samples, items, items).
    doubtful
        Which samples to start again, (samples,).
    every_start
        Whether to try all starts, whatever the first ones ended in.

    Returns
    -------
    The lowest other minimum of each sample, with the floor of the discrepancy, NaN where none was
    seen, (samples,).
    """
    other, squared = np.full(len(own), np.nan), objective.units(len(own)) ** 2
    for sample in np.flatnonzero(doubtful & np.isfinite(own).all(axis=-1)).tolist():
        known = bool(minima.settled[sample])
        here = float(minima.value[sample]) if np.isfinite(minima.value[sample]) else np.inf
        apart = _SAME * max(squared[sample], abs(here)) if np.isfinite(here) else 0.0
        starts = _around(objective.layouts, own[sample], cov[sample])
        seen = here if known and not every_start else np.nan
        again = _ends(objective, sample, starts, seen, apart, tolerance, max_iterations)
        values = _values(again)
        best = int(values.argmin())
        if np.isfinite(values[best]) and values[best] < here + (-apart if known else apart):
            for old, new in zip(minima, again, strict=True):
                old[sample] = new[best]
            values = np.append(values, here if known else np.inf)
        above = values[np.isfinite(values) & (values > minima.value[sample] + apart)]
        if minima.settled[sample] and len(above):
            other[sample] = above.min()
    return other


def _ends(
    objective: Objective,
    sample: int,
    starts: Floats,
    seen: float,
    apart: float,
    tolerance: float,
    most: int,
) -> Minima:
    """Return where starts of one sample end, as many as are wanted.

    `seen` is the minimum known before, NaN where all starts are wanted.
    """
    size = len(starts) if np.isnan(seen) else _WAVE
    waves: list[Minima] = []
    for begin in range(0, len(starts), size):
        wave = starts[begin : begin + size]
        same = objective.repeated(np.full(len(wave), sample))
        waves.append(minimise(same, wave, wave.copy, tolerance, min(most, _FIRST)))
        again = Minima(*(np.concatenate(parts) for parts in zip(*waves, strict=True)))
        if np.isfinite(seen) and not _more_expected(np.append(_values(again), seen), apart):
            return again
    walking = np.flatnonzero(~again.settled & np.isfinite(again.value))
    walking = walking[np.argsort(again.value[walking])][:_PROMISING]
    if not len(walking) or most <= _FIRST:
        return again
    onward = again.parameters[walking]
    few = objective.repeated(np.full(len(walking), sample))
    further = minimise(few, onward, onward.copy, tolerance, min(most - _FIRST, _FURTHER))
    further.iterations[:] += _FIRST
    for old, new in zip(again, further, strict=True):
        old[walking] = new
    return again


def _values(ends: Minima) -> Floats:
    """Return the discrepancy at minima, infinite where a walk ended in none, (starts,)."""
    return np.where(ends.settled & ~ends.flat, ends.value, np.inf)


def _more_expected(values: Floats, apart: float) -> bool:
    """Tell whether minima are to be expected that no walk has ended in.

    `values` are infinite where a walk did not end in a minimum; those that differ by less than
    `apart` are of one.
    """
    ends = np.sort(values[np.isfinite(values)])
    walks = len(ends)
    minima = 1 + int((np.diff(ends) > apart).sum())
    if walks <= minima + 2:
        return True
    return bool(minima * (walks - 1) / (walks - minima - 2) > minima + 0.5)


def _around(layouts: tuple[ParameterLayout, ...], own: Floats, cov: Floats) -> Floats:
    """Return starts around one, (starts, parameters); variances stay positive.

    Factors are dealt out in an order the data give, not that of items and constructs.
    """
    rng = np.random.default_rng(_SEED)
    order = _order(layouts, cov)
    size = (STARTS, len(order))
    factors, turned = np.ones((2, STARTS, len(own)))
    factors[:, order] = np.exp(_SPREAD * rng.normal(size=size))
    turned[:, order] = np.where(rng.random(size) < _TURN, -1.0, 1.0)
    for layout in layouts:
        for row, place in zip(layout.rows, layout.place.tolist(), strict=True):
            if place >= 0 and row.op == "~~" and row.lhs == row.rhs:
                turned[:, place] = 1.0
            if place >= 0 and row.kind in ("within", "thresholds"):
                factors[:, place] = turned[:, place] = 1.0
    starts = own * factors * turned
    given = np.flatnonzero(np.isfinite(layouts[0].starts))
    starts[:, given] = own[given]
    return np.asarray(starts)


def _order(layouts: tuple[ParameterLayout, ...], cov: Floats) -> NDArray[np.intp]:
    """Return the parameters by kind, and in it by how much their items correlate with the others.

    Neither the order nor the units of items count, nor the order of constructs.
    """
    sd = np.sqrt(np.diag(cov))
    together = ((cov / np.outer(sd, sd)) ** 2).sum(axis=0)
    measured = layouts[0].matrices.loadings != 0.0
    measured[layouts[0].cells[0]] = True
    means = together @ measured / np.maximum(measured.sum(axis=0), 1)
    of_item, of_construct = together.tolist(), means.tolist()
    keys: dict[int, tuple[int, int, float, float]] = {}
    for group, layout in enumerate(layouts):
        for row, place in zip(layout.rows, layout.place.tolist(), strict=True):
            if place < 0:
                continue
            first = of_item if row.kind in _OF_ITEMS else of_construct
            second = of_item if row.kind in ("errors", "within") else of_construct
            ends = first[row.at[0]], second[row.at[1]] if row.op not in ("~1", "|") else 0.0
            if row.op == "~~":
                ends = min(ends), max(ends)
            key = (group, ORDER.index(row.kind), *ends)
            keys[place] = min(keys.get(place, key), key)
    return np.array(sorted(keys, key=lambda place: keys[place]), dtype=np.intp)
