"""Ordered logit and probit of all draws at once.

``P(answer ≤ j) = F(θⱼ - x'b)`` with rising thresholds θ. NumPy only, besides F.

References
----------
McCullagh, P. (1980). Regression models for ordinal data. Journal of the Royal Statistical
Society B 42, 109-142. https://doi.org/10.1111/j.2517-6161.1980.tb01109.x
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.glm import LARGEST_STEP, dot_cells, newton_step, take
from csimodel.outcomes.kernels.influence import Influence, pieces_influence
from csimodel.outcomes.kernels.kernel import Ending, Observations, Regressions, Samples

Floats = NDArray[np.float64]

_CERTAIN = 1e-8  # smallest probability of an observed answer of a regression that has a solution


class OrderedTerms(NamedTuple):
    """Derivatives of the log-likelihood by the upper and the lower threshold and by η.

    First derivatives, then second ones with their sign turned; `chance` is the probability.
    """

    up: Floats
    low: Floats
    eta: Floats
    up_up: Floats
    low_low: Floats
    up_low: Floats
    up_eta: Floats
    low_eta: Floats
    eta_eta: Floats
    chance: Floats


def ordered_terms(family: Family, upper: Floats, lower: Floats) -> OrderedTerms:
    """Return the derivatives of ``log(F(upper) - F(lower))``, upper = θⱼ - η, lower = θⱼ₋₁ - η.

    Parameters
    ----------
    family
        Whose mean is F.
    upper, lower
        Of any shape; infinite at the ends.
    """
    finite_up, finite_low = np.clip(upper, -500.0, 500.0), np.clip(lower, -500.0, 500.0)
    # On the far side F is 1 - small: the difference is taken where it keeps its digits.
    high = finite_low > 0
    chance = np.where(
        high,
        family.mean(-finite_low) - family.mean(-finite_up),
        family.mean(finite_up) - family.mean(finite_low),
    )
    chance = np.maximum(chance, 1e-300)
    a, c = family.slope(finite_up) / chance, family.slope(finite_low) / chance
    a2, c2 = family.curvature(finite_up) / chance, family.curvature(finite_low) / chance
    both = a - c
    return OrderedTerms(
        up=a,
        low=-c,
        eta=-both,
        up_up=a * a - a2,
        low_low=c * c + c2,
        up_low=-a * c,
        up_eta=a2 - a * both,
        low_eta=c * both - c2,
        eta_eta=both * both - (a2 - c2),
        chance=chance,
    )


@dataclass(frozen=True, eq=False)
class Ordered:
    """Ordered answers: a `Kernel` whose further parameters are the thresholds.

    Attributes
    ----------
    family
        Whose mean is F.
    codes
        Category of each cell, (cells,); rising where samples are fitted.
    cut
        The category from which on an answer counts.
    start
        Thresholds, then slopes, (categories - 1 + regressors,).
    extra
        Number of thresholds.
    """

    family: Family
    codes: NDArray[np.intp]
    cut: int
    start: Floats
    extra: int

    @property
    def terms(self) -> int:
        """Number of coefficients: less the threshold at the cut, and slopes."""
        return len(self.start) - self.extra + 1

    def fit(self, samples: Samples) -> Regressions:
        """Fit each of the samples; see `ordered_draws`."""
        return ordered_draws(
            self.family, self.codes, samples.columns, samples.weights, self.start, self.cut
        )

    def influence(self, sample: Observations, estimates: Regressions) -> Influence:
        """Return what rows add to thresholds and slopes, by the observed information."""
        assert estimates.further is not None
        thresholds, x, codes = estimates.further[0], sample.design[:, 1:], self.codes
        eta = x @ estimates.coefficients[0, 1:]
        ends = np.concatenate([[-np.inf], thresholds, [np.inf]])
        terms = ordered_terms(self.family, ends[codes + 1] - eta, ends[codes] - eta)
        edges = np.eye(len(thresholds) + 2)[:, 1:-1]
        # every parameter moves the upper edge, the lower edge or η of a respondent
        up = np.column_stack([edges[codes + 1], np.zeros_like(x)])
        low = np.column_stack([edges[codes], np.zeros_like(x)])
        across = np.column_stack([np.zeros((len(x), len(thresholds))), x])
        score = terms.up[:, None] * up + terms.low[:, None] * low + terms.eta[:, None] * across
        moves = np.stack([up, low, across], axis=1)
        inner = np.empty((len(x), 3, 3))
        inner[:, 0, 0], inner[:, 1, 1], inner[:, 2, 2] = terms.up_up, terms.low_low, terms.eta_eta
        inner[:, 0, 1] = inner[:, 1, 0] = terms.up_low
        inner[:, 0, 2] = inner[:, 2, 0] = terms.up_eta
        inner[:, 1, 2] = inner[:, 2, 1] = terms.low_eta
        pieces = np.einsum("rai,rab,rbj->rij", moves, inner, moves, optimize=True)
        return pieces_influence(score, pieces, sample.weights)

    def predict(self, b: Floats, design: Floats, along: Floats | None = None) -> Floats:
        """Return the probability of an answer that counts; see `Family.predict`."""
        return self.family.predict(b, design, along)

    def outcomes(self, outcome: Floats) -> list[Floats]:
        """Return what samples have of the outcome; categories are the kernel's own."""
        return [outcome]

    def to_parameters(self, gradient: Floats) -> Floats:
        """Turn a gradient by the coefficients into one by all that is estimated."""
        turn = np.zeros((self.terms, len(self.start)))
        turn[0, self.cut - 1] = -1.0
        turn[1:, self.extra :] = np.eye(self.terms - 1)
        return np.asarray(gradient @ turn)


def ordered_draws(
    family: Family,
    codes: NDArray[np.intp],
    regressors: Sequence[Floats],
    weights: Floats,
    start: Floats,
    cut: int,
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 60,
) -> Regressions:
    """Fit one weighted ordered regression for each draw by Newton's method.

    In a draw without any respondent of a category its two thresholds coincide, or the outer one is
    infinite; the other numbers are what they are without that category.

    Parameters
    ----------
    family
        Whose mean is F.
    codes
        Category of each cell, 0, 1, …, rising, (cells,).
    regressors, weights, tolerance, max_iterations
        As in `regress_draws`.
    start
        Thresholds, then slopes, (categories - 1 + regressors,).
    cut
        The category from which on an answer counts: `coefficients` begin with less its threshold.

    Returns
    -------
    Regressions
        `further` are the thresholds, (draws, categories - 1).
    """
    categories = len(start) - len(regressors) + 1
    first = np.searchsorted(codes, np.arange(categories))
    seen = np.add.reduceat(weights, first, axis=1) > 0
    draws, slopes = len(weights), len(regressors)
    thresholds = np.full((draws, categories - 1), np.nan)
    b = np.full((draws, slopes), np.nan)
    mean_slope = np.full(draws, np.nan)
    ending = np.full(draws, int(Ending.ONE_OUTCOME))
    patterns, pattern = np.unique(seen, axis=0, return_inverse=True)
    for number, present in enumerate(patterns):
        own = np.flatnonzero(pattern.reshape(-1) == number)
        if not (present[:cut].any() and present[cut:].any()):
            continue
        kept = present[codes]
        x = [column[own][:, kept] if column.ndim == 2 else column[kept] for column in regressors]
        merged = np.cumsum(present) - 1
        begin = np.append(start[: categories - 1][_between(present)], start[categories - 1 :])
        estimates, ends = _newton(
            family, merged[codes[kept]], x, weights[own][:, kept], begin, tolerance, max_iterations
        )
        known = int(present.sum()) - 1
        padded = np.column_stack([np.full(len(own), -np.inf), estimates[:, :known]])
        padded = np.column_stack([padded, np.full(len(own), np.inf)])
        # below a category lie as many categories with respondents as count up to there
        thresholds[own] = padded[:, np.cumsum(present)[:-1]]
        b[own], ending[own] = estimates[:, known:], ends
        middle = thresholds[own, cut - 1, None] - _product(
            estimates[:, known:], x, weights[own][:, kept]
        )
        share = weights[own][:, kept]
        mean_slope[own] = np.einsum("dc,dc->d", family.slope(middle), share) / share.sum(axis=1)
    coefficients = np.column_stack([-thresholds[:, cut - 1], b])
    return Regressions(coefficients, mean_slope, ending, thresholds)


def _between(present: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return which thresholds lie between the categories that are there."""
    return np.flatnonzero(present)[1:] - 1


def _product(b: Floats, x: Sequence[Floats], weights: Floats) -> Floats:
    eta = np.zeros(weights.shape)
    for j, column in enumerate(x):
        eta += b[:, j, None] * column
    return eta


def _newton(
    family: Family,
    codes: NDArray[np.intp],
    x: list[Floats],
    w: Floats,
    start: Floats,
    tolerance: float,
    max_iterations: int,
) -> tuple[Floats, NDArray[np.int64]]:
    """Return thresholds and slopes, (draws, parameters), and how each draw ended."""
    bounds = int(codes[-1])
    estimates = np.full((len(w), len(start)), np.nan)
    ending = np.full(len(w), int(Ending.NOT_CONVERGED))
    left = np.arange(len(w))
    b = np.tile(start, (len(w), 1))
    for iteration in range(max_iterations):
        if not len(left):
            break
        theta = b[:, :bounds]
        edge = np.full((len(b), 1), np.inf)
        ends = np.hstack([-edge, theta, edge])
        eta = _product(b[:, bounds:], x, w)
        terms = ordered_terms(family, ends[:, codes + 1] - eta, ends[:, codes] - eta)
        gradient, hessian = _equations(terms, codes, x, w, bounds)
        step, solved = newton_step(gradient, hessian)
        largest = np.abs(step).max(axis=1)
        shorten = LARGEST_STEP / np.maximum(largest, LARGEST_STEP)
        if bounds > 1:  # thresholds stay in order: go at most nine tenths of the way to a tie
            gap, closing = np.diff(theta, axis=1), -np.diff(step[:, :bounds], axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                room = np.where(closing > 0, 0.9 * gap / closing, np.inf).min(axis=1)
            shorten = np.minimum(shorten, room)
        done = solved & (largest < tolerance)
        b += step * shorten[:, None]
        gone = done | ~solved | (iteration == max_iterations - 1)
        if gone.any():
            estimates[left[gone]] = b[gone]
            least = np.where(w > 0, terms.chance, 1.0).min(axis=1)
            sure = np.where(w > 0, terms.chance, 1.0).max(axis=1) > 1.0 - _CERTAIN
            given_up = np.where((least < _CERTAIN) | sure, Ending.SEPARATED, Ending.NOT_CONVERGED)
            ending[left[gone]] = np.where(done, Ending.CONVERGED, given_up)[gone]
            left, b = left[~gone], b[~gone]
            (w,), x = take([w], ~gone), take(x, ~gone)
    return estimates, ending


def _equations(
    terms: OrderedTerms, codes: NDArray[np.intp], x: list[Floats], w: Floats, bounds: int
) -> tuple[Floats, Floats]:
    """Return the gradient and the information of every draw."""
    first = np.searchsorted(codes, np.arange(bounds + 1))

    def by_category(values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, first, axis=1))

    size = bounds + len(x)
    gradient, hessian = np.zeros((len(w), size)), np.zeros((len(w), size, size))
    along = np.arange(bounds)
    weighted = OrderedTerms(*(values * w for values in terms))
    gradient[:, :bounds] = by_category(weighted.up)[:, :-1] + by_category(weighted.low)[:, 1:]
    squared = by_category(weighted.up_up)[:, :-1] + by_category(weighted.low_low)[:, 1:]
    hessian[:, along, along] = squared
    aside = by_category(weighted.up_low)[:, 1:-1]
    hessian[:, along[:-1], along[1:]] = hessian[:, along[1:], along[:-1]] = aside
    for j, column in enumerate(x):
        row = bounds + j
        gradient[:, row] = dot_cells(weighted.eta, column)
        crossed = by_category(weighted.up_eta * column)[:, :-1]
        crossed += by_category(weighted.low_eta * column)[:, 1:]
        hessian[:, :bounds, row] = hessian[:, row, :bounds] = crossed
        bent = weighted.eta_eta * column
        for other in range(j, len(x)):
            hessian[:, row, bounds + other] = dot_cells(bent, x[other])
            hessian[:, bounds + other, row] = hessian[:, row, bounds + other]
    return gradient, hessian
