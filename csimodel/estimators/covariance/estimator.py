"""What all estimators of covariance structures share: layout, starting values, what they return."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import EstimationError, ModelError, choose
from csimodel.estimators.covariance.discrepancy import Discrepancy, WeightedSquares
from csimodel.estimators.covariance.equality import require_bounds
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.layouts import layouts_of
from csimodel.estimators.covariance.objective import Objective
from csimodel.estimators.covariance.reference_items import (
    reference_items,
    rescaled,
    search_layout,
)
from csimodel.estimators.covariance.response_squares import ResponseSquares
from csimodel.estimators.covariance.restarts import lowest_minimum
from csimodel.estimators.covariance.scoring import Minima, minimise, no_minima
from csimodel.estimators.covariance.starting_values import start
from csimodel.estimators.covariance.structure import Implied, implied, moments_vector
from csimodel.estimators.estimates import Estimates, Inadmissible, Status
from csimodel.estimators.solution import Estimator, Solution
from csimodel.findings import Finding
from csimodel.model import Model
from csimodel.model.second_order import with_factors_of_constructs
from csimodel.moments import Moments
from csimodel.moments.forms import Weight
from csimodel.options import require_count, require_flag, require_number
from csimodel.survey import Answers

Floats = NDArray[np.float64]

_CHUNK = 32  # samples fitted together: their arrays stay in cache


@dataclass(frozen=True, eq=False)
class CovarianceEstimates(Estimates):
    """Estimates of a covariance structure.

    Attributes
    ----------
    parameters
        Free parameters in scale units, in the order of the layout, (..., parameters).
    discrepancy
        At the solution, 0 for a perfect fit, (...,).
    gradient
        Largest absolute derivative of the discrepancy at the solution, (...,).
    other_minimum
        The discrepancy at the lowest other minimum that was seen, NaN where none was, (...,).
    layout
        Which parameters there are.
    covariance
        Covariances of the parameters' estimates where they come from several groups together,
        else None.
    """

    parameters: Floats
    discrepancy: Floats
    gradient: Floats
    other_minimum: Floats
    layout: ParameterLayout = field(metadata={"shared": True})
    covariance: Floats | None = field(default=None, metadata={"shared": True})


@dataclass(frozen=True)
class CovarianceEstimator(Estimator):
    """The part that estimators of covariance structures have in common."""

    scaling: Literal["marker", "variance"] = field(default="marker", kw_only=True)
    means: bool = field(default=False, kw_only=True)
    tolerance: float = field(default=1e-9, repr=False, kw_only=True)
    max_iterations: int = field(default=200, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        choose("scaling", self.scaling, ["marker", "variance"])
        require_flag("means", self.means)
        require_number("tolerance", self.tolerance, above=0, advice=", for example 1e-8")
        require_count("max_iterations", self.max_iterations)

    @property
    def label(self) -> str:
        """What the estimator is called in tables."""
        raise NotImplementedError

    def ordinal_items(self, model: Model) -> tuple[str, ...]:
        """Return the items whose answers are taken as ordered categories."""
        return ()

    def ordered_items(self, model: Model) -> tuple[str, ...]:
        """Return all items whose answers are ordered, those that are constructs too."""
        return ()

    @property
    def together(self) -> int:
        """How many samples are fitted together when there are many, so that they stay in cache."""
        return 32

    @property
    def takes_composites(self) -> bool:
        """Whether constructs may be weighted sums of their items."""
        return False

    @property
    def has_error_variances(self) -> bool:
        """Whether the model has error variances, from which reliabilities of indexes follow."""
        return True

    @property
    def second_stage(self) -> CovarianceEstimator | None:
        """What is fitted to the saturated moments of incomplete answers, in two stages; or None."""
        return None

    def discrepancy(self, moments: Moments, layout: ParameterLayout) -> Discrepancy:
        """Return the distance of every sample of a batch from a model."""
        raise NotImplementedError

    def sample_size(self, moments: Moments) -> Floats:
        """Return what the discrepancy is multiplied with to give χ², (...,)."""
        raise NotImplementedError

    def exactly_fitted(self, moments: Moments, layout: ParameterLayout) -> tuple[int, float]:
        """Return how many statistics outside the layout fit exactly, and their weighted squares."""
        return 0, 0.0

    def joint_moments_of(self, answers: Answers) -> Moments:
        """Return the moments of one group among several that are fitted together."""
        return self.moments_of(answers)

    def starting_values(self, model: Model, layout: ParameterLayout, moments: Moments) -> Floats:
        """Return starting values from one sample, (size,); NaN for parameters of other groups."""
        return start(model, layout, self.sample_cov(moments), moments.mean)

    def finished(
        self, model: Model, estimates: CovarianceEstimates, moments: Moments
    ) -> CovarianceEstimates:
        """Return estimates with the weights of answers, from the samples they are of."""
        return estimates

    def findings(self, moments: Moments) -> Iterator[Finding]:
        """Yield what the statistics of one sample suffer from."""
        yield from ()

    def sample_cov(self, moments: Moments) -> Floats:
        """Return the covariances that are fitted, (..., items, items)."""
        raise NotImplementedError

    def baseline(self, moments: Moments, layout: ParameterLayout) -> float:
        """Return the discrepancy of the model in which items are independent, of one sample."""
        raise NotImplementedError

    @property
    def has_likelihood(self) -> bool:
        """Whether the discrepancy comes from a likelihood."""
        return False

    def unrestricted_loglik(self, moments: Moments) -> float:
        """Return the log-likelihood of the saturated model, of one sample."""
        cov = self.sample_cov(moments)
        items = len(cov)
        logdet = float(np.linalg.slogdet(cov)[1])
        return float(-0.5 * float(moments.n) * (items * np.log(2.0 * np.pi) + logdet + items))

    @property
    def robust(self) -> str | None:
        """Kind of sandwich that gives errors and tests, or None."""
        return None

    @property
    def chi_square_known(self) -> bool:
        """Whether the plain statistic follows a χ² distribution where its assumptions hold."""
        return True

    @property
    def design_based(self) -> bool:
        """Whether errors hold without normality, and know of weights and clusters."""
        return self.robust is not None

    @property
    def observed_information(self) -> bool:
        """Whether errors come from the observed information."""
        return False

    def require(self, moments: Moments) -> None:
        """Refuse moments without what errors and tests of this kind need.

        Raises
        ------
        EstimationError
            When robust errors have no answers behind them.
        """
        if self.needs_answers:
            return  # said by what needs them
        if self.robust is not None and moments.gamma is None and moments.patterns is None:
            raise EstimationError(
                f"se={self.robust!r} needs the answers, and this fit was made from moments; fit a "
                "survey or a data frame, or use se='expected'."
            )

    def weight(self, moments: Moments, layout: ParameterLayout, sigma: Floats) -> Weight:
        """Return V, a weight of all moments, where a model implies the covariances `sigma`.

        Half the curvature of the discrepancy by the moments, in the order of `moments_vector`;
        zero for moments that do not count.
        """
        part = self.discrepancy(moments.lifted(), layout)
        if not isinstance(part, WeightedSquares | ResponseSquares):
            raise NotImplementedError
        return part.fixed_weight

    def weighted_square(
        self,
        moments: Moments,
        layout: ParameterLayout,
        sigma: Floats,
        cov: Floats,
        mean: Floats | None,
    ) -> float:
        """Return ``r'Vr`` of moments r, V the `weight` where a model implies `sigma`."""
        values = moments_vector(cov, mean)
        weighted = self.weight(moments, layout, sigma).applied(values[:, None])[:, 0]
        return float(values @ weighted)

    def several_minima(self, minima: Minima, layout: ParameterLayout) -> NDArray[np.bool_]:
        """Mark the samples that may have a lower minimum than the one found first, (samples,).

        Those in which a variance is below 0.
        """
        return negative_variances(layout, minima.parameters)

    @property
    def every_start(self) -> bool:
        """Whether a sample in doubt is started from all values, whatever the first ones end in."""
        return False

    @property
    def measured_where_it_stopped(self) -> bool:
        """Whether there are fit measures without a minimum."""
        return False

    def stopped(self, solution: Solution) -> Finding | None:
        """Say what is wrong with where it stopped, if that is not for the usual reasons."""
        return None

    def modelled_means(self, model: Model) -> bool:
        """Tell whether the model of this estimator has means."""
        return self.means or any(row.op == "~1" for row in model.parameters)

    def layout(self, model: Model) -> ParameterLayout:
        """Return which parameters are free."""
        return layouts_of(model, self.scaling, self.means, self.ordinal_items(model))[0]

    def statistics(self, model: Model) -> int:
        """Return the number of moments that the parameters explain."""
        items = len(model.items)
        ordered = len(self.ordinal_items(model))
        means = items - ordered if self.modelled_means(model) else 0
        return items * (items + 1) // 2 - ordered + means

    def specified(self, model: Model) -> Model:
        """Return the model whose constructs of constructs are factors that lead to their parts.

        Raises
        ------
        ModelError
            For a composite of constructs.
        """
        return with_factors_of_constructs(model, self.label, self.scaling == "marker")

    def check(self, model: Model) -> None:
        """Refuse composites, several stages, contradictory values, more parameters than moments.

        Raises
        ------
        ModelError
            Naming the composite or the values, or counting the parameters.
        """
        model.require_one_stage(f"{self.label} fits", "fit with csi.PLS()")
        for construct in model.constructs:
            if construct.kind == "composite" and not self.takes_composites:
                raise ModelError(
                    f"{self.label} takes constructs as common factors, and {construct.name!r} is a "
                    "composite; define it with =~, or use PLS or csi.ML()."
                )
        require_plain_composites(model)
        layout = self.layout(model)
        require_bounds([layout.rows])
        items, free = len(model.items), layout.size
        known = self.statistics(model) - layout.constants
        if free > known:
            what = "means, variances" if self.modelled_means(model) else "variances"
            raise ModelError(
                f"The model has {free} free parameters and {items} items give only "
                f"{known} {what} and covariances; "
                "use more items or fewer constructs."
            )

    def estimate(
        self, moments: Moments, model: Model, near: Estimates | None = None
    ) -> CovarianceEstimates:
        """Fit every sample of `moments`, starting from `near` when it is given."""
        single = not moments.batch_shape
        batch = moments.lifted() if single else moments
        parts = [
            self._estimate_chunk(batch[at : at + _CHUNK], model, near)
            for at in range(0, len(batch.n), _CHUNK)
        ]
        joined = CovarianceEstimates.join(parts)
        return joined[0] if single else joined

    def _estimate_chunk(
        self, moments: Moments, model: Model, near: Estimates | None
    ) -> CovarianceEstimates:
        layout = self.layout(model)
        outcome = usable(moments)
        good = outcome == Status.CONVERGED
        cov = np.array(moments.cov)
        cov[~good] = np.eye(cov.shape[-1])
        # Of one row the likelihood's covariances, times (n - 1)/n, would be 0.
        safe = replace(moments, cov=cov, n=np.where(good, moments.n, np.maximum(moments.n, 3)))
        if not good.any():
            return standardised_estimates(
                model, layout, no_minima(len(cov), layout.width), outcome, np.zeros(len(cov))
            )
        objective = Objective((layout,), (self.discrepancy(safe, layout),))

        def own() -> Floats:
            return start(model, layout, self.sample_cov(safe), safe.mean)

        other = None
        if isinstance(near, CovarianceEstimates) and np.isfinite(near.parameters).all():
            first = np.broadcast_to(near.parameters, (len(cov), layout.width)).copy()
            first[:, layout.size :] = layout.held(self.sample_cov(safe))
            first[~good] = np.nan
            minima = minimise(
                objective, first, own, self.tolerance, self.max_iterations, draws=True
            )
        else:
            minima, other = self._searched(objective, model, own(), safe, good, near is None)
        ended(minima, outcome)
        return standardised_estimates(model, layout, minima, outcome, objective.floor, other)

    def _searched(
        self,
        objective: Objective,
        model: Model,
        own: Floats,
        moments: Moments,
        good: NDArray[np.bool_],
        restarts: bool,
    ) -> tuple[Minima, Floats]:
        """Return the lowest minimum of every sample and the next one, from starts of its own.

        The end depends on neither the order of items nor that of constructs: during the search a
        construct has the scale of its reference item.
        """
        layout, cov = objective.layouts[0], self.sample_cov(moments)
        minima, other = no_minima(len(cov), layout.width), np.full(len(cov), np.nan)
        items = reference_items(model, layout, own, cov)
        limits = self.tolerance, self.max_iterations
        for reference in np.unique(items[good], axis=0):
            who = np.flatnonzero(good & (items == reference).all(axis=-1))
            search = search_layout(layout, tuple(reference.tolist()))
            part = replace(objective.repeated(who), layouts=(search,))
            first = rescaled(search, layout, own[who])
            ends = minimise(part, first, first.copy, *limits)
            if restarts:
                doubtful = ~ends.settled | self.several_minima(ends, search)
                other[who] = lowest_minimum(
                    part, ends, first, cov[who], doubtful, self.every_start, *limits
                )
            ends = ends._replace(parameters=rescaled(layout, search, ends.parameters))
            for kept, fresh in zip(minima, ends, strict=True):
                kept[who] = fresh
        return minima, other


def require_plain_composites(model: Model) -> None:
    """Refuse what a model says of parameters that follow from the weights of a composite.

    Raises
    ------
    ModelError
        Naming the parameter and the composite.
    """
    composites = {c.name: c.name for c in model.constructs if c.kind == "composite"}
    owners = {item: c.name for c in model.constructs if c.name in composites for item in c.items}
    for parameter in model.parameters:
        ends = (parameter.lhs, parameter.rhs)
        if parameter.op == "=~" and parameter.lhs in composites:
            raise ModelError(
                f"{str(parameter)!r} says something of an item of the composite "
                f"{parameter.lhs!r}, whose weights are estimated with the first at 1; write its "
                "items alone."
            )
        if parameter.op == "~~" and ends[0] == ends[1] and ends[0] in composites:
            raise ModelError(
                f"{str(parameter)!r} cannot be told: the variance of a composite, or of its "
                "disturbance, follows from its weights; take it out."
            )
        item = next((end for end in ends if end in owners and end not in composites), None)
        if parameter.op == "~~" and item is not None:
            raise ModelError(
                f"{str(parameter)!r} cannot be told: {item!r} is an item of the composite "
                f"{owners[item]!r} and has no error; take it out, or define {owners[item]!r} "
                "with =~."
            )


def ended(minima: Minima, outcome: NDArray[np.int64]) -> None:
    """Note in `outcome` how the samples that could be fitted ended."""
    good = outcome == Status.CONVERGED
    outcome[good & ~minima.settled] = Status.NOT_CONVERGED
    outcome[good & minima.settled & minima.flat] = Status.NOT_IDENTIFIED


def usable(moments: Moments) -> NDArray[np.int64]:
    """Return the outcome of samples that cannot be fitted, and CONVERGED for the others."""
    cov = moments.cov
    outcome = np.zeros(len(cov), dtype=np.int64)
    finite = np.isfinite(cov).all(axis=(-2, -1))
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1.0 / np.sqrt(variance)
        cor = cov * scale[..., :, None] * scale[..., None, :]
    varies = np.asarray(finite & (variance > 0).all(axis=-1))
    smallest = np.linalg.eigvalsh(np.where(varies[:, None, None], cor, np.eye(cov.shape[-1])))[:, 0]
    outcome[smallest < 1e-10] = Status.ITEMS_SINGULAR
    outcome[~varies] = Status.CONSTANT_ITEM
    if moments.responses is not None:
        lost = ~np.isfinite(moments.responses.variance)
        outcome[lost.any(axis=-1)] = Status.ITEMS_SINGULAR
        outcome[lost.all(axis=-1)] = Status.CONSTANT_ITEM
    outcome[moments.n < 3] = Status.TOO_FEW_ROWS
    return outcome


def standardised_estimates(
    model: Model,
    layout: ParameterLayout,
    minima: Minima,
    outcome: NDArray[np.int64],
    floor: Floats,
    other: Floats | None = None,
) -> CovarianceEstimates:
    """Put a solution on the scale where items and constructs have variance 1.

    `other` holds the value at another minimum, NaN where there is none.
    """
    unusable = np.asarray(~np.isfinite(minima.parameters).all(axis=-1))
    at = implied(layout, np.where(unusable[:, None], 0.1, minima.parameters))
    own = np.arange(len(model.items))
    with np.errstate(all="ignore"):
        sd = np.sqrt(np.diagonal(at.sigma, axis1=-2, axis2=-1))
        spread = np.sqrt(np.diagonal(at.phi, axis1=-2, axis2=-1))
        loadings = at.loadings[:, own, model.owner] * spread[:, model.owner] / sd
        construct_cor = at.phi / (spread[:, :, None] * spread[:, None, :])
        paths = at.paths * spread[:, None, :] / spread[:, :, None]
        weights = _own_item_weights(model, at, sd)
    flags = _inadmissible(at, construct_cor)
    for values in (loadings, construct_cor, paths, weights):
        values[unusable] = np.nan
    flags[outcome != Status.CONVERGED] = 0
    return CovarianceEstimates(
        weights=weights,
        loadings=loadings,
        reliability=np.ones_like(spread),
        construct_cor=construct_cor,
        paths=paths,
        iterations=minima.iterations,
        outcome=outcome,
        inadmissible=flags,
        parameters=minima.parameters,
        discrepancy=minima.value - floor,
        gradient=minima.gradient,
        other_minimum=np.full(len(minima.value), np.nan) if other is None else other - floor,
        layout=layout,
    )


_SINGULAR = 1e-14  # eigenvalue of a correlation matrix that is zero


def _own_item_weights(model: Model, at: Implied, sd: Floats) -> Floats:
    """Return weights of standardised items: regression of a construct on its own items."""
    cor = at.sigma / (sd[:, :, None] * sd[:, None, :])
    weights = np.ones_like(sd)
    for j, block in enumerate(model.slices):
        if model.constructs[j].kind == "single":
            continue
        inside = cor[:, block, block]
        towards = (at.loadings[:, block, j] / sd[:, block])[..., None]
        finite = np.asarray(np.isfinite(inside).all(axis=(-2, -1)))
        safe = np.where(finite[:, None, None], inside, np.eye(inside.shape[-1]))
        raw = _solved(safe, towards)
        scale = np.sqrt(np.swapaxes(raw, -1, -2) @ inside @ raw)
        weights[:, block] = (raw / scale)[..., 0]
    return weights


def _solved(matrices: Floats, right: Floats) -> Floats:
    """Solve systems of a batch; NaN for those of a matrix that is singular."""
    try:
        return np.asarray(np.linalg.solve(matrices, right))
    except np.linalg.LinAlgError:
        regular = np.abs(np.linalg.eigvalsh(matrices)).min(axis=-1) > _SINGULAR
        unit = np.eye(matrices.shape[-1])
        solved = np.linalg.solve(np.where(regular[:, None, None], matrices, unit), right)
        return np.asarray(np.where(regular[:, None, None], solved, np.nan))


def negative_variances(layout: ParameterLayout, parameters: Floats) -> NDArray[np.bool_]:
    """Mark the samples in which an error or a disturbance has a variance below 0, (samples,)."""
    at = implied(layout, np.where(np.isfinite(parameters), parameters, 0.1))
    variances = [np.diagonal(matrix, axis1=-2, axis2=-1) for matrix in (at.errors, at.psi)]
    return np.asarray((np.concatenate(variances, axis=-1) < 0).any(axis=-1))


def _inadmissible(at: Implied, construct_cor: Floats) -> NDArray[np.int64]:
    flags = np.zeros(len(at.errors), dtype=np.int64)
    errors = np.diagonal(at.errors, axis1=-2, axis2=-1)
    left = np.diagonal(at.psi, axis1=-2, axis2=-1)
    flags |= Inadmissible.NEGATIVE_VARIANCE * ((errors < 0).any(axis=-1) | (left < 0).any(axis=-1))
    finite = np.asarray(np.isfinite(construct_cor).all(axis=(-2, -1)))
    safe = np.where(finite[:, None, None], construct_cor, -np.eye(construct_cor.shape[-1]))
    flags |= Inadmissible.NOT_POSITIVE_DEFINITE * (np.linalg.eigvalsh(safe)[:, 0] <= 0)
    return flags
