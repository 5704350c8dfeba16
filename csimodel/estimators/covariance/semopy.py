"""Covariance structures fitted by semopy, judged by discrepancy and derivatives of our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import THRESHOLDS
from csimodel.errors import EstimationError, ModelError, OptionError, choose
from csimodel.estimators.covariance.discrepancy import Discrepancy, WeightedSquares
from csimodel.estimators.covariance.estimator import (
    CovarianceEstimates,
    CovarianceEstimator,
    standardised_estimates,
)
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.least_squares import LeastSquares
from csimodel.estimators.covariance.ml import ML
from csimodel.estimators.covariance.objective import Objective
from csimodel.estimators.covariance.scoring import Minima
from csimodel.estimators.covariance.structure import moments_vector
from csimodel.estimators.estimates import Estimates, Status
from csimodel.estimators.solution import Solution
from csimodel.findings import Finding
from csimodel.model import Model
from csimodel.moments import Moments
from csimodel.moments.forms import Weight
from csimodel.moments.vech import vech_indices
from csimodel.options import require_number
from csimodel.progress import progress_bar
from csimodel.quiet import quiet
from csimodel.survey import Answers

Floats = NDArray[np.float64]

_OBJECTIVES = ("MLW", "ULS", "GLS", "DWLS")
_SETTLED = 1e-6  # a solution has no derivative larger than this
_AT_ZERO = 1e-9  # a variance this near to 0 is at semopy's bound
_MISSED = 1e-4  # χ² above the lowest value known that is worth a sentence
_SMALL = THRESHOLDS["chi-square that decides nothing"].value
_STOPPED_SHORT = {  # whether a variance is at its bound, and whether the lowest χ² is a minimum
    (False, True): (
        "semopy stopped at χ² {here:.4f}, {gap:.4g} above the lowest there is: the minimum is at "
        "{lowest:.5f}, and where it stopped the largest derivative is still {gradient:.2g}; use "
        "csi.ML(), or csi.Semopy(ftol=) far below {ftol:g}."
    ),
    (False, False): (
        "semopy stopped at χ² {here:.4f}, {gap:.4g} above the lowest there is: without a bound it "
        "falls to {lowest:.5f}, and where it stopped the largest derivative is still "
        "{gradient:.2g}; use csi.ML(), or csi.Semopy(ftol=) far below {ftol:g}."
    ),
    (True, True): (
        "semopy stopped at χ² {here:.4f}, with the variance of {bound} at its bound of 0, "
        "{gap:.4g} above the lowest there is: the minimum is at {lowest:.5f}, and where it stopped "
        "the largest derivative is still {gradient:.2g}; use csi.ML()."
    ),
    (True, False): (
        "semopy stopped at χ² {here:.4f}, with the variance of {bound} at its bound of 0, "
        "{gap:.4g} above the lowest there is: without a bound it falls to {lowest:.5f}, and where "
        "it stopped the largest derivative is still {gradient:.2g}; use csi.ML()."
    ),
}


@dataclass(frozen=True, eq=False)
class SemopyEstimates(CovarianceEstimates):
    """Where semopy stopped, and how low the discrepancy can be.

    Attributes
    ----------
    lowest
        The lowest discrepancy this package finds, (...,).
    lowest_is_minimum
        Whether it is a minimum, or the discrepancy falls on without one, (...,).
    """

    lowest: Floats = field(kw_only=True)
    lowest_is_minimum: NDArray[np.bool_] = field(kw_only=True)


@dataclass(frozen=True)
class Semopy(CovarianceEstimator):
    """Estimation of a covariance structure by semopy, a program of its own.

    semopy is given the model (`Model.to_semopy`) and the same moments as `ML` would have, and
    stops where its own rule says. Everything else is this package's: the discrepancy at that
    place, fit measures with the right baseline, errors from the expected information, findings.
    The fit counts as converged only when no derivative there is larger than 1e-6; where it stopped
    short of the lowest χ² that this package finds, a finding gives both.

    Parameters
    ----------
    objective
        ``"MLW"`` (default) maximum likelihood, as `ML`; ``"GLS"`` and ``"DWLS"`` as
        `LeastSquares`; ``"ULS"``, in which semopy counts every covariance twice,
        ``F = tr[(S - Σ)²]``, and `LeastSquares` once. Not offered are FIML, which in semopy takes
        the means to be 0 or other than what they are, and WLS.
    ftol
        Where semopy's optimiser (SciPy's SLSQP) stops: 1e-6 is semopy's own, which is loose;
        with 1e-14 it goes on until the derivatives vanish.
    progress
        Show a bar that counts evaluations when semopy takes longer than a second.

    Raises
    ------
    OptionError
        For options outside what is allowed, and for several samples at once.

    Notes
    -----
    semopy keeps variances at 0 or above unless a ``BOUND`` says otherwise. It has no bootstrap in
    reasonable time, no jackknife, no composites, no groups and no means here; its robust errors
    and its ordinal routines are not used.

    References
    ----------
    Meshcheryakov, G., Igolkina, A. A., Samsonova, M. G. (2021). semopy 2: a structural equation
    modeling package with random effects in Python. https://arxiv.org/abs/2106.01140

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax('''
    ...     Value =~ PERV1 + PERV2
    ...     Complaints =~ CUSCO
    ...     Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    ...     Satisfaction ~ Value
    ...     Complaints ~ Satisfaction
    ... ''')
    >>> csi.fit(model, csi.load_mobi(), csi.Semopy(ftol=1e-14))
    <Fit of 3 constructs by semopy: 250 rows, converged>
    """

    objective: Literal["MLW", "ULS", "GLS", "DWLS"] = "MLW"
    ftol: float = field(default=1e-6, kw_only=True)
    progress: bool = field(default=True, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if repr(self.objective) == "'FIML'":
            raise OptionError(
                "objective='FIML' is not offered, because semopy's likelihood of incomplete "
                "answers leaves out their means; use csi.ML(missing='fiml')."
            )
        choose("objective", self.objective, list(_OBJECTIVES))
        require_number("ftol", self.ftol, above=0, advice=", for example 1e-14")
        if self.scaling != "marker" or self.means:
            what = "means=True" if self.means else f"scaling={self.scaling!r}"
            raise OptionError(
                f"{what} is not for csi.Semopy(), which fits covariances with each construct's "
                "first loading fixed; use csi.ML()."
            )

    @cached_property
    def own(self) -> ML | LeastSquares:
        """The estimator of this package with the same moments and, but for ULS, discrepancy."""
        options: dict[str, Any] = {"max_iterations": self.max_iterations}
        if self.objective == "MLW":
            return ML(**options)
        kind: Literal["uls", "gls", "dwls"] = self.objective.lower()  # type: ignore[assignment]
        return LeastSquares(kind, **options)

    @property
    def label(self) -> str:
        """What the estimator is called in tables."""
        return "semopy" if self.objective == "MLW" else f"semopy {self.objective}"

    @property
    def has_likelihood(self) -> bool:
        """Whether the discrepancy comes from a likelihood."""
        return self.objective == "MLW"

    @property
    def chi_square_known(self) -> bool:
        """Whether the statistic follows a χ² distribution: that of ML and GLS."""
        return self.objective in ("MLW", "GLS")

    @property
    def measured_where_it_stopped(self) -> bool:
        """Whether there are fit measures without a minimum: another program's end is a fact."""
        return True

    def moments_of(self, answers: Answers) -> Moments:
        """Return means and covariances, for DWLS with Γ."""
        return self.own.moments_of(answers)

    def sample_cov(self, moments: Moments) -> Floats:
        """Return the covariances that are fitted, (..., items, items)."""
        return self.own.sample_cov(moments)

    def sample_size(self, moments: Moments) -> Floats:
        """Return n, or n - 1 for least squares."""
        return self.own.sample_size(moments)

    def discrepancy(self, moments: Moments, layout: ParameterLayout) -> Discrepancy:
        """Return semopy's objective as a discrepancy of this package."""
        distance = self.own.discrepancy(moments, layout)
        if self.objective != "ULS":
            return distance
        assert isinstance(distance, WeightedSquares)
        row, column = vech_indices(moments.cov.shape[-1])
        twice = np.where(row == column, 1.0, 2.0)
        return replace(distance, weight=np.tile(twice, (len(moments.cov), 1)))

    def baseline(self, moments: Moments, layout: ParameterLayout) -> float:
        """Return the discrepancy of the model in which items are independent, of one sample."""
        if self.objective != "ULS":
            return self.own.baseline(moments, layout)
        part = self.discrepancy(moments.lifted(), layout)
        assert isinstance(part, WeightedSquares)
        cov = self.sample_cov(moments)
        apart = moments_vector(cov - np.diag(np.diag(cov)), None)
        return float(part.weight[0] @ apart**2)

    def weight(self, moments: Moments, layout: ParameterLayout, sigma: Floats) -> Weight:
        """Return the weights of the covariances in the discrepancy, of one sample."""
        if self.objective == "MLW":
            return self.own.weight(moments, layout, sigma)
        return super().weight(moments, layout, sigma)

    def specified(self, model: Model) -> Model:
        """Return the model as it is; factors without items cannot be told to semopy."""
        return model

    def check(self, model: Model) -> None:
        """Refuse what semopy cannot be told.

        Raises
        ------
        ModelError
            Naming it.
        """
        super().check(model)
        if self.modelled_means(model):
            raise ModelError(
                "The model speaks of intercepts, and csi.Semopy() fits covariances only; take "
                "them out or estimate with csi.ML()."
            )
        for name in model.construct_names:
            if name in model.observed:
                raise ModelError(
                    f"csi.Semopy() fits constructs with items, and {name!r} is a column of data "
                    "in a path; estimate with csi.ML(), or give the text of model.to_semopy() to "
                    "semopy itself."
                )
        model.to_semopy()

    def estimate(
        self, moments: Moments, model: Model, near: Estimates | None = None
    ) -> CovarianceEstimates:
        """Fit one sample by semopy.

        Raises
        ------
        OptionError
            For a batch of samples.
        EstimationError
            When semopy breaks off.
        """
        if moments.batch_shape:
            raise OptionError(
                "csi.Semopy() fits one sample at a time, so it has no bootstrap, jackknife or "
                "groups; fit with csi.ML(), which has the same solution, and take them from there."
            )
        own = super().estimate(moments, model)
        if own.outcome not in (
            Status.CONVERGED,
            Status.NOT_CONVERGED,
            Status.NOT_IDENTIFIED,
        ):
            return _with(own, own)  # nothing that a program could fit
        layout = self.layout(model)
        parameters, iterations = self._run(moments, model, layout)
        part = self.discrepancy(moments.lifted(), layout)
        objective = Objective((layout,), (part,))
        minima = _judged(objective, parameters, iterations)
        state = np.where(minima.settled, Status.CONVERGED, Status.NOT_CONVERGED)
        state = np.where(minima.settled & minima.flat, Status.NOT_IDENTIFIED, state)
        reached = standardised_estimates(model, layout, minima, state, objective.floor)[0]
        further = super().estimate(moments, model, near=reached)
        return _with(reached, min(own, further, key=lambda estimates: float(estimates.discrepancy)))

    def stopped(self, solution: Solution) -> Finding | None:
        """Say by how much semopy missed the lowest χ², and why."""
        estimates, n = solution.estimates, float(self.sample_size(solution.moments))
        assert isinstance(estimates, SemopyEstimates)
        here, lowest = n * float(estimates.discrepancy), n * float(estimates.lowest)
        settled = estimates.outcome == Status.CONVERGED
        if settled and here - lowest < _MISSED * max(1.0, lowest):
            return None
        layout, parameters = estimates.layout, estimates.parameters
        values = layout.values(parameters)
        bound = [
            row.lhs
            for row, place, value in zip(layout.rows, layout.place, values, strict=True)
            if place >= 0 and row.op == "~~" and row.lhs == row.rhs and value < _AT_ZERO
        ]
        return Finding(
            "stopped-short",
            _STOPPED_SHORT[bool(bound), bool(estimates.lowest_is_minimum)],
            tuple(bound),
            "warning" if here - lowest < _SMALL else "failure",
            values={
                "here": here,
                "gap": here - lowest,
                "lowest": lowest,
                "gradient": float(estimates.gradient),
                "bound": tuple(bound),
                "ftol": self.ftol,
            },
        )

    def _run(self, moments: Moments, model: Model, layout: ParameterLayout) -> tuple[Floats, int]:
        """Return where semopy stopped, in the order of the layout, and its iterations."""
        import pandas as pd

        with quiet():
            import semopy

            cov = self.sample_cov(moments)
            items = list(model.items)
            engine = semopy.Model(model.to_semopy())
            order = [items.index(name) for name in engine.vars["observed"]]
            frame = pd.DataFrame(_rows_of(cov), columns=items)
            if self.objective == "DWLS":
                part = self.discrepancy(moments.lifted(), layout)
                assert isinstance(part, WeightedSquares)
                engine.prepare_wls = lambda *_: _weigh(engine, part.weight[0], order)
            try:
                with progress_bar(None, "semopy", self.progress, "evaluation") as bar:
                    engine.get_objective = _counted(engine.get_objective, bar)
                    ended = engine.fit(
                        frame,
                        cov=pd.DataFrame(cov, items, items),
                        obj=self.objective,
                        options={"ftol": self.ftol},
                    )
            except (ArithmeticError, ValueError, KeyError, IndexError) as error:
                raise EstimationError(
                    f"semopy broke off ({type(error).__name__}: {error}); estimate with csi.ML()."
                ) from error
        return _parameters(engine, layout), int(ended.n_it)


def _counted(objective: Callable[..., Any], bar: Any) -> Callable[..., Any]:
    """Return semopy's maker of an objective, whose evaluations a bar counts."""

    def counted(*args: Any, **options: Any) -> tuple[Callable[[Floats], Any], Any]:
        value, gradient = objective(*args, **options)

        def value_at(parameters: Floats) -> Any:
            bar.update()
            return value(parameters)

        return value_at, gradient

    return counted


def _rows_of(cov: Floats) -> Floats:
    """Return rows with exactly these covariances (denominator n), from which semopy starts."""
    items = len(cov)
    basis = np.linalg.qr(np.column_stack([np.ones(items + 1), np.eye(items + 1)[:, :items]]))[0]
    return np.asarray(np.sqrt(items + 1.0) * basis[:, 1:] @ np.linalg.cholesky(cov).T)


def _weigh(engine: Any, weight: Floats, order: list[int]) -> None:
    """Give semopy the weights of the covariances, which stand in another order there."""
    size = len(order)
    full = np.zeros((size, size))
    row, column = vech_indices(size)
    full[row, column] = full[column, row] = weight
    engine.inds_triu_sigma = np.triu_indices(size)
    engine.mx_vech_s = engine.mx_cov[engine.inds_triu_sigma]
    engine.mx_w_inv = full[np.ix_(order, order)][engine.inds_triu_sigma]


def _parameters(engine: Any, layout: ParameterLayout) -> Floats:
    """Return the values in semopy's matrices, (size,)."""
    parameters = np.full(layout.size, np.nan)
    for row, place in zip(layout.rows, layout.place.tolist(), strict=True):
        if place < 0:
            continue
        name, target, source = {
            "loadings": ("lambda", row.rhs, row.lhs),
            "paths": ("beta", row.lhs, row.rhs),
            "covariances": ("psi", row.lhs, row.rhs),
            "errors": ("theta", row.lhs, row.rhs),
        }[row.kind]
        rows, columns = getattr(engine, f"names_{name}")
        matrix = getattr(engine, f"mx_{name}")
        parameters[place] = matrix[list(rows).index(target), list(columns).index(source)]
    return parameters


def _judged(objective: Objective, parameters: Floats, iterations: int) -> Minima:
    """Return value and derivatives where semopy stopped, and whether it is a minimum."""
    at, who = objective.implied(parameters[None]), np.arange(1)
    slope, curvature = objective.local(at, who, True)
    root = np.sqrt(np.maximum(np.diagonal(curvature, axis1=-2, axis2=-1), 1e-300))
    unit = curvature / (root[:, :, None] * root[:, None, :])
    known = np.isfinite(unit).all(axis=(1, 2))  # it is not where semopy left its own range
    smallest = np.full(len(unit), -np.inf)
    smallest[known] = np.linalg.eigvalsh(unit[known])[:, 0]
    largest = np.abs(slope).max(axis=-1)
    settled = (largest < _SETTLED) & (smallest > -1e-11)
    return Minima(
        parameters=parameters[None],
        value=objective.value(at, who),
        gradient=largest,
        iterations=np.array([iterations]),
        settled=settled,
        flat=smallest < 1e-11,
    )


def _with(reached: CovarianceEstimates, best: CovarianceEstimates) -> SemopyEstimates:
    """Add to estimates how low the discrepancy can be."""
    known = {name: getattr(reached, name) for name in CovarianceEstimates.__dataclass_fields__}
    lowest = np.fmin(best.discrepancy, reached.discrepancy)
    return SemopyEstimates(
        **known, lowest=lowest, lowest_is_minimum=np.array(best.outcome == Status.CONVERGED)
    )
