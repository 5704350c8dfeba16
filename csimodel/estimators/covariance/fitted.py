"""One fitted covariance structure, of one group or several, as arrays.

Errors, tests, fit measures and indices of modification are functions of this value: the moments
of each group, the parameters, and what they imply.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import EstimationError
from csimodel.estimators.covariance.estimator import (
    CovarianceEstimates,
    CovarianceEstimator,
    ended,
    standardised_estimates,
    usable,
)
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.objective import Objective
from csimodel.estimators.covariance.parameters import covariance_structure, inverted
from csimodel.estimators.covariance.response_moments import response_slopes
from csimodel.estimators.covariance.restarts import lowest_minimum
from csimodel.estimators.covariance.scoring import minimise
from csimodel.estimators.covariance.structure import Implied, implied, moment_slopes
from csimodel.estimators.estimates import Status
from csimodel.estimators.solution import Solution
from csimodel.model import Model
from csimodel.moments import Moments

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A solution and what it was found from.

    Attributes
    ----------
    model, estimator
        What was fitted, and how.
    layouts, moments
        One a group; each `Moments` is of a single sample.
    parameters
        Free parameters of all groups, (size,).
    discrepancy
        At the solution, weighted over groups by their rows; 0 for a perfect fit.
    outcome
        How the minimisation ended.
    """

    model: Model
    estimator: CovarianceEstimator
    layouts: tuple[ParameterLayout, ...]
    moments: tuple[Moments, ...]
    parameters: Floats
    discrepancy: float
    outcome: Status

    @classmethod
    def of(cls, solution: Solution) -> Fitted:
        """Return the one-group value of a solution of a single sample.

        Raises
        ------
        OptionError
            For a solution by another estimator.
        """
        estimator, estimates = covariance_structure(solution)
        return cls(
            solution.model,
            estimator,
            (estimates.layout,),
            (solution.moments,),
            estimates.parameters,
            float(estimates.discrepancy),
            Status(int(estimates.outcome)),
        )

    @cached_property
    def sizes(self) -> Floats:
        """What each group's discrepancy is multiplied with to give its part of χ², (groups,)."""
        return np.array([float(self.estimator.sample_size(own)) for own in self.moments])

    @property
    def shares(self) -> Floats:
        """Weights of the groups, summing to 1, (groups,)."""
        return np.asarray(self.sizes / self.sizes.sum())

    @property
    def chisq(self) -> float:
        """χ² of the model against the saturated one; not below 0 by rounding."""
        return float(self.sizes.sum()) * max(self.discrepancy, 0.0)

    @property
    def npar(self) -> int:
        """Number of free parameters."""
        return self.layouts[0].size

    @property
    def df(self) -> int:
        """Degrees of freedom."""
        return self.statistics - self.npar - self.layouts[0].constants

    @property
    def statistics(self) -> int:
        """Number of moments of all groups."""
        modelled = [layout.levels for layout in self.layouts if layout.levels is not None]
        if modelled:
            items = len(self.model.items)
            cells = items * (items + 1) // 2
            return sum(cells + len(own.item) - int(own.ordered.sum()) for own in modelled)
        return self.estimator.statistics(self.model) * len(self.layouts)

    @cached_property
    def at(self) -> tuple[Implied, ...]:
        """Implied matrices of every group, without a batch axis."""
        return tuple(implied(layout, self.parameters) for layout in self.layouts)

    @cached_property
    def slopes(self) -> tuple[Floats, ...]:
        """Δ of every group, (moments, size)."""
        return tuple(
            moment_slopes(layout, at) if layout.levels is None else response_slopes(layout, at)
            for layout, at in zip(self.layouts, self.at, strict=True)
        )

    @cached_property
    def objective(self) -> Objective:
        """What was minimised, with a batch of one."""
        return joint_objective(self.estimator, self.layouts, self.moments)

    def hessian(self, observed: bool = False) -> Floats:
        """Return the Hessian of the discrepancy, (size, size)."""
        here = self.objective.implied(self.parameters[None])
        return np.asarray(self.objective.local(here, np.arange(1), observed)[1][0])

    def information(self, observed: bool = False) -> Floats:
        """Return the information of the sample, (size, size): ``N/2 · H``."""
        return 0.5 * float(self.sizes.sum()) * self.hessian(observed)

    def inverse(self, observed: bool = False) -> Floats:
        """Return the inverse of the information, NaN without a solution."""
        return inverted(self.information(observed), np.array(self.outcome == Status.CONVERGED))

    def require_solution(self, anywhere: bool = False) -> None:
        """Say that there is nothing to measure.

        `anywhere` lets pass where another program stopped, too.

        Raises
        ------
        EstimationError
            When there is no solution.
        """
        stopped = (
            anywhere
            and self.estimator.measured_where_it_stopped
            and self.outcome == Status.NOT_CONVERGED
        )
        if self.outcome != Status.CONVERGED and not stopped:
            raise EstimationError(
                f"There are no fit measures because there is no solution ({self.outcome.reason}); "
                "fit.diagnostics says what to do."
            )


def joint_objective(
    estimator: CovarianceEstimator,
    layouts: tuple[ParameterLayout, ...],
    moments: tuple[Moments, ...],
) -> Objective:
    """Return the objective of groups that share parameters."""
    parts = tuple(
        estimator.discrepancy(own.lifted(), layout)
        for layout, own in zip(layouts, moments, strict=True)
    )
    if len(layouts) == 1:
        return Objective(layouts, parts)
    sizes = np.array([float(estimator.sample_size(own)) for own in moments])
    return Objective(layouts, parts, (sizes / sizes.sum())[None])


def fit_jointly(
    model: Model,
    estimator: CovarianceEstimator,
    layouts: tuple[ParameterLayout, ...],
    moments: tuple[Moments, ...],
    first: Floats | None = None,
) -> tuple[Fitted, tuple[CovarianceEstimates, ...]]:
    """Minimise the joint discrepancy of groups; return it whole and by group.

    `first` holds starting values, (size,), NaN where the groups' own shall be used.
    """
    outcome = np.array([usable(own.lifted())[0] for own in moments])
    objective = joint_objective(estimator, layouts, moments)
    worst = outcome[outcome != Status.CONVERGED]
    state = worst[:1] if len(worst) else np.zeros(1, dtype=np.int64)
    own = np.full(layouts[0].size, np.nan)  # stays, where a group cannot be fitted
    for layout, group in () if len(worst) else zip(layouts, moments, strict=True):
        values = estimator.starting_values(model, layout, group)
        own = np.where(np.isfinite(own), own, values)
    begin = own if first is None or len(worst) else np.where(np.isfinite(first), first, own)
    minima = minimise(
        objective, begin[None], lambda: own[None], estimator.tolerance, estimator.max_iterations
    )
    floor = objective.floor
    doubtful = np.array([state[0] == Status.CONVERGED])
    doubtful &= ~minima.settled | estimator.several_minima(minima, layouts[0])
    limits = estimator.tolerance, estimator.max_iterations
    cov = estimator.sample_cov(moments[0].lifted())
    other = lowest_minimum(
        objective, minima, own[None], cov, doubtful, estimator.every_start, *limits
    )
    ended(minima, state)
    fitted = Fitted(
        model,
        estimator,
        layouts,
        moments,
        minima.parameters[0],
        float((minima.value - floor)[0]),
        Status(int(state[0])),
    )
    parts = tuple(
        estimator.finished(
            model,
            standardised_estimates(model, layout, minima, state, floor, other)[0],
            own_moments,
        )
        for layout, own_moments in zip(layouts, moments, strict=True)
    )
    return fitted, parts
