"""From a driver to repurchase in one sample, with what each respondent adds along the whole chain.

A respondent's index is ``x = q'v``, q the points of its items and v what these count, and expected
repurchase ``μ(a + b x)``. A change of drivers moves the index of everybody by d points, and

    θ = Σ s [g(μ(a + b (x + d))) - g(μ(a + b x))],

s the respondents' shares, g the identity, or what retention or the value of a customer is at a
probability. v and d come from the fit with influence values of their own, and (a, b) from a
regression whose scores u sum to 0, so that along the chain it moves by ``A⁻¹ (u + (∂Σu/∂v)'v̇)``
with A its information and v̇ what a respondent adds to v. Derivatives of θ are central differences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.kernel import Ending, Observations, Regressions, influence_of
from csimodel.outcomes.kernels.predictor_kernels import PredictorKernel, kernel_of
from csimodel.outcomes.kernels.sample_fit import solve

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

_STEP = 1e-5  # of a derivative, of what moves the linear predictor by about 1
_POINTS = 100.0  # width of an index
_FEWEST = 3  # respondents of a regression


@dataclass(frozen=True, eq=False)
class Chain:
    """One sample, from the points of its items to repurchase.

    Attributes
    ----------
    family
        Of the regression.
    functions
        Of probabilities, elementwise.
    points
        Answers to the items of the index, 0 to 100, (rows, items).
    outcome
        0 to 1, (rows,).
    weights
        Of respondents, (rows,).
    counts
        What items count in the index, (items,).
    shift
        By how many points the index moves.
    coefficients
        Constant and slope, (2,); NaN where the regression has no solution.
    ending
        How the regression ended.
    """

    family: Family
    functions: Sequence[Function]
    points: Floats
    outcome: Floats
    weights: Floats
    counts: Floats
    shift: float
    coefficients: Floats
    ending: Ending

    @classmethod
    def of(
        cls,
        family: Family,
        functions: Sequence[Function],
        points: Floats,
        outcome: Floats,
        weights: Floats,
        counts: Floats,
        shift: float,
    ) -> Chain:
        """Fit the regression of the outcome on the index."""
        weights = weights / weights.mean() if len(weights) else weights
        b, ending = _regression(family, points @ counts, outcome, weights)
        return cls(family, functions, points, outcome, weights, counts, shift, b, ending)

    @property
    def share(self) -> Floats:
        """How much respondents count in an average, (rows,)."""
        return np.asarray(self.weights / self.weights.sum())

    @property
    def estimate(self) -> Floats:
        """The changes, (functions,); NaN without a regression."""
        if self.ending != Ending.CONVERGED:
            return np.full(len(self.functions), np.nan)
        return np.asarray(self.share @ self._changes(self._parameters))

    @property
    def levels(self) -> Floats:
        """Return the size of what changes, as it is before, (functions,)."""
        (constant, slope), counts = self.coefficients, self.counts
        before = self.family.mean(constant + slope * (self.points @ counts))
        return np.array([self.share @ np.abs(own(before)) for own in self.functions])

    @property
    def _parameters(self) -> Floats:
        """Constant, slope, points of the index, and what items count, (3 + items,)."""
        return np.concatenate([self.coefficients, [self.shift], self.counts])

    def _changes(self, parameters: Floats) -> Floats:
        """Return each respondent's changes, (rows, functions)."""
        (constant, slope, shift), counts = parameters[:3], parameters[3:]
        eta = constant + slope * (self.points @ counts)
        before, after = self.family.mean(eta), self.family.mean(eta + slope * shift)
        return np.stack([own(after) - own(before) for own in self.functions], axis=1)

    def added(self, counts: Floats, shift: Floats, used: NDArray[np.bool_]) -> Floats:
        """Return what the respondents of the fit add to the changes, (respondents, functions).

        Parameters
        ----------
        counts, shift
            What they add to what items count, (respondents, items), and to the points of the
            index, (respondents,).
        used
            Those among them that are in the regression, (respondents,).
        """
        steps = np.full(3 + len(self.counts), _STEP)
        steps[1], steps[2] = _STEP / _POINTS, _STEP * _POINTS
        gradient = np.stack([self._derivative(j, step) for j, step in enumerate(steps)])
        observations = Observations(self._design(self.counts), self.outcome, self.weights)
        influence = influence_of(self._kernel, observations, self._regression)
        pulls = counts @ (self._scores_by_counts() @ influence.bread)
        values = pulls @ gradient[:2] + shift[:, None] * gradient[2] + counts @ gradient[3:]
        own = self._changes(self._parameters)
        values[used] += influence.values @ gradient[:2]
        values[used] += self.share[:, None] * (own - self.share @ own)
        return np.asarray(values)

    def _derivative(self, place: int, step: float) -> Floats:
        """Return the derivative of the changes by one parameter, (functions,)."""
        ends = []
        for way in (1.0, -1.0):
            moved = self._parameters
            moved[place] += way * step
            ends.append(self.share @ self._changes(moved))
        return np.asarray((ends[0] - ends[1]) / (2.0 * step))

    def _scores_by_counts(self) -> Floats:
        """Return the derivative of the sum of scores by what items count, (items, 2)."""
        rows = []
        for item in range(len(self.counts)):
            ends = []
            for way in (1.0, -1.0):
                moved = self.counts.copy()
                moved[item] += way * _STEP
                observations = Observations(self._design(moved), self.outcome, self.weights)
                own = influence_of(self._kernel, observations, self._regression)
                ends.append(own.weighted_score.sum(axis=0))
            rows.append((ends[0] - ends[1]) / (2.0 * _STEP))
        return np.stack(rows)

    def _design(self, counts: Floats) -> Floats:
        return np.column_stack([np.ones(len(self.points)), self.points @ counts])

    @property
    def _kernel(self) -> PredictorKernel:
        return kernel_of(self.family, self.coefficients)

    @property
    def _regression(self) -> Regressions:
        return Regressions.of_sample(self.coefficients, self.ending, None)


def _regression(
    family: Family, index: Floats, outcome: Floats, weights: Floats
) -> tuple[Floats, Ending]:
    """Return constant and slope, NaN where there are none, and how the regression ended."""
    nothing = np.full(2, np.nan)
    if len(index) < _FEWEST or not index.std() > 0:
        return nothing, Ending.SINGULAR
    if (outcome == outcome[0]).all():
        return nothing, Ending.ONE_OUTCOME
    column = index[:, None]
    b, ending = solve(family, outcome, column, weights, column.mean(axis=0), column.std(axis=0))
    return (b if ending == Ending.CONVERGED else nothing), ending
