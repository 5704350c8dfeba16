"""Finite mixtures of path models: each segment has regressions of its own (FIMIX), by EM.

Every construct that others explain is regressed on its antecedents, in each of K segments with
coefficients, a constant and a variance of its own; who belongs to which segment is not known. Many
starts are improved together, and those that are done leave the batch.

References
----------
Hahn, C., Johnson, M. D., Herrmann, A., Huber, F. (2002). Capturing customer heterogeneity using a
finite mixture PLS approach. Schmalenbach Business Review 54, 243-269.
https://doi.org/10.1007/BF03396655
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.weighting import inverse_of
from csimodel.model import Model

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_LEAST_VARIANCE = 1e-6  # of a score with variance 1: below, a segment lies on a line


def equations_of(model: Model) -> tuple[tuple[int, tuple[int, ...]], ...]:
    r"""Return the place of each explained construct, and those of its antecedents.

    >>> equations_of(Model.from_syntax("A =~ a\nB =~ b\nC =~ c\nC ~ A + B"))
    ((2, (0, 1)),)
    """
    targets = np.flatnonzero(model.adjacency.any(axis=1)).tolist()
    return tuple(
        (target, tuple(np.flatnonzero(model.adjacency[target]).tolist())) for target in targets
    )


@dataclass(frozen=True, eq=False)
class SegmentRegressions:
    """The regressions of a path model, and scores they are of.

    Attributes
    ----------
    scores
        Standardised, (respondents, constructs).
    weights
        What each respondent counts, (respondents,), of mean 1.
    equations
        As of `equations_of`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=200)
    >>> y = np.where(np.arange(200) < 100, x, -x) + 0.1 * rng.normal(size=200)
    >>> own = SegmentRegressions(np.column_stack([x, y]), np.ones(200), ((1, (0,)),))
    >>> mixture = own.mixture(rng.dirichlet(np.ones(2), size=(3, 200)), 1e-10, 500)
    >>> best = int(np.nanargmax(mixture.log_likelihood))
    >>> np.sort(mixture.coefficients[0][best, :, 1]).round(1).tolist()
    [-1.0, 1.0]
    """

    scores: Floats
    weights: Floats
    equations: Sequence[tuple[int, tuple[int, ...]]]

    def parameters(self, segments: int) -> int:
        """Return how many parameters there are: coefficients, constants, variances, shares."""
        each = sum(len(sources) + 2 for _, sources in self.equations)
        return segments * each + segments - 1

    def mixture(
        self,
        starts: Floats,
        tolerance: float,
        most: int,
        told: Callable[[], object] = lambda: None,
    ) -> Mixture:
        """Improve memberships until the log-likelihood gains no more than the tolerance.

        Parameters
        ----------
        starts
            Probabilities of belonging to each segment, (starts, respondents, segments).
        tolerance, most
            Of the gain of a step, and how many steps.
        told
            What is called at each step.
        """
        count, _, segments = starts.shape
        own = _SegmentArrays.of(self)
        members = np.ascontiguousarray(np.swapaxes(starts, 1, 2))
        result = Mixture(
            np.full(count, np.nan),
            np.full(starts.shape, np.nan),
            np.full((count, segments), np.nan),
            tuple(np.full((count, segments, len(s) + 1), np.nan) for _, s in self.equations),
            np.full((count, segments, len(self.equations)), np.nan),
            np.zeros(count, dtype=np.intp),
            np.zeros(count, dtype=np.bool_),
        )
        active, before = np.arange(count), np.full(count, -np.inf)
        for step in range(1, most + 1):
            told()
            estimates = own.maximum(members)
            likelihood, members = own.expectation(estimates)
            lost = ~np.isfinite(likelihood)
            with np.errstate(invalid="ignore"):
                done = np.abs(likelihood - before) < tolerance
            leaving = lost | done | (step == most)
            if leaving.any():
                result.fill(active, leaving & ~lost, likelihood, members, estimates, step, done)
                result.iterations[active[lost]] = step
                active, members = active[~leaving], members[~leaving]
                likelihood = likelihood[~leaving]
            if not len(active):
                break
            before = likelihood
        return result


@dataclass(frozen=True, eq=False)
class Mixture:
    """Mixtures that starts led to; NaN where a segment lost its members or its variance.

    Attributes
    ----------
    log_likelihood
        (starts,)
    members
        Probabilities, (starts, respondents, segments).
    shares
        Of the segments, (starts, segments).
    coefficients
        Of each equation the constant and the slopes, (starts, segments, 1 + antecedents).
    variances
        Of the residuals, (starts, segments, equations).
    iterations, converged
        (starts,)
    """

    log_likelihood: Floats
    members: Floats
    shares: Floats
    coefficients: tuple[Floats, ...]
    variances: Floats
    iterations: Codes
    converged: NDArray[np.bool_]

    def fill(
        self,
        active: Codes,
        leaving: NDArray[np.bool_],
        likelihood: Floats,
        members: Floats,
        estimates: _SegmentEstimates,
        step: int,
        done: NDArray[np.bool_],
    ) -> None:
        """Put in what some starts have come to."""
        own = active[leaving]
        self.log_likelihood[own] = likelihood[leaving]
        self.members[own] = np.swapaxes(members[leaving], 1, 2)
        self.shares[own] = estimates.shares[leaving]
        for whole, part in zip(self.coefficients, estimates.coefficients, strict=True):
            whole[own] = part[leaving]
        self.variances[own] = estimates.variances[leaving]
        self.iterations[own] = step
        self.converged[own] = done[leaving]


@dataclass(frozen=True, eq=False)
class _SegmentEstimates:
    """Parameters of each start: shares, coefficients, variances and squared residuals."""

    shares: Floats  # (starts, segments)
    coefficients: tuple[Floats, ...]
    variances: Floats  # (starts, segments, equations)
    squares: Floats  # (equations, starts, segments, respondents)


@dataclass(frozen=True, eq=False)
class _SegmentArrays:
    """Products of scores that every step needs."""

    regressions: SegmentRegressions
    columns: Floats  # (respondents, 1 + constructs)
    products: Floats  # (respondents, (1 + constructs)²)

    @classmethod
    def of(cls, regressions: SegmentRegressions) -> _SegmentArrays:
        ones = np.ones((len(regressions.scores), 1))
        columns = np.concatenate([ones, regressions.scores], axis=1)
        products = (columns[:, :, None] * columns[:, None, :]).reshape(len(columns), -1)
        return cls(regressions, columns, products)

    def maximum(self, members: Floats) -> _SegmentEstimates:
        """Return the parameters of the highest likelihood, given members (starts, segments, n)."""
        own, width = self.regressions, self.columns.shape[1]
        counted = members * own.weights
        sums = counted.sum(axis=-1)
        moments = (counted @ self.products).reshape(*sums.shape, width, width)
        coefficients, squares, variances = [], [], []
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            moments /= sums[..., None, None]
            for target, sources in own.equations:
                places = np.array([0, *(source + 1 for source in sources)])
                inner = moments[..., places[:, None], places]
                safe = np.where(np.isfinite(inner), inner, np.eye(len(places)))
                slopes = (inverse_of(safe) @ moments[..., places, target + 1][..., None])[..., 0]
                residuals = self.columns[:, target + 1] - slopes @ self.columns[:, places].T
                square = residuals**2
                coefficients.append(slopes)
                squares.append(square)
                variances.append((counted * square).sum(axis=-1) / sums)
        shares = sums / own.weights.sum()
        return _SegmentEstimates(
            shares, tuple(coefficients), np.stack(variances, axis=-1), np.stack(squares)
        )

    def expectation(self, estimates: _SegmentEstimates) -> tuple[Floats, Floats]:
        """Return log-likelihoods, NaN of what is degenerate, and members (starts, segments, n)."""
        variances = np.moveaxis(estimates.variances, -1, 0)[..., None]
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            each = np.log(2.0 * np.pi * variances) + estimates.squares / variances
            logs = np.log(estimates.shares)[..., None] - 0.5 * each.sum(axis=0)
            top = logs.max(axis=1, keepdims=True)
            parts = np.exp(logs - top)
            whole = parts.sum(axis=1, keepdims=True)
            likelihood = (np.log(whole) + top)[:, 0] @ self.regressions.weights
            degenerate = ~(estimates.variances > _LEAST_VARIANCE).all(axis=(-2, -1))
            return np.where(degenerate, np.nan, likelihood), parts / whole
