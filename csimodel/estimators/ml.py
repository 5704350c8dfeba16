"""Maximum likelihood for covariance structures, by Fisher scoring over a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import ModelError, OptionError, choose
from csimodel.estimators import lisrel
from csimodel.estimators.estimates import Estimates, Inadmissible, Outcome
from csimodel.estimators.lisrel import Implied, Layout
from csimodel.estimators.scoring import Found, minimise
from csimodel.model import Model
from csimodel.moments import Moments

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
        ``ln|Σ| - ln|S| + tr(S Σ⁻¹) - items`` at the solution, (...,).
    gradient
        Largest absolute derivative of the discrepancy at the solution, (...,).
    """

    parameters: Floats
    discrepancy: Floats
    gradient: Floats


@dataclass(frozen=True)
class ML:
    """Maximum likelihood estimation of a covariance structure (covariance SEM).

    All constructs are common factors; a single item has no error. Exogenous constructs covary
    freely, disturbances and errors do not.

    Parameters
    ----------
    scaling
        ``"marker"``: each construct's first loading is 1 (default); ``"variance"``: variances of
        exogenous constructs and of disturbances are 1. Standardised results are the same.
    se
        Standard errors from the ``"expected"`` (default) or ``"observed"`` information.
    likelihood
        ``"normal"``: covariances with denominator n, χ² = n F (default, as lavaan);
        ``"wishart"``: denominator n - 1, χ² = (n - 1) F.
    tolerance
        Stop when no derivative of the discrepancy, scaled by the root of its own curvature, is
        larger.
    max_iterations
        Give up after so many; the fit then says it did not converge.

    Raises
    ------
    OptionError
        For options outside what is allowed.

    Notes
    -----
    Fisher scoring, near the solution Newton's method with the analytic Hessian, both with
    Levenberg-Marquardt damping; a step is taken only to a positive definite
    matrix with a discrepancy that is no larger. Resamples start from the solution of the full
    sample; what does not settle starts once more from its own covariances. A nearly unidentified
    model can have several minima, and none at finite values. Variances are not bounded: an error
    variance that the data push below zero is reported, not hidden. `Fit.weights` are the weights
    of regression scores from a construct's own items under the model, scaled to unit score
    variance; the index is built from them.

    References
    ----------
    Jöreskog, K. G. (1969). A general approach to confirmatory maximum likelihood factor analysis.
    Psychometrika 34, 183-202. https://doi.org/10.1007/BF02289343

    Lee, S.-Y., Jennrich, R. I. (1979). A study of algorithms for covariance structure analysis.
    Psychometrika 44, 99-113. https://doi.org/10.1007/BF02293789

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax('''
    ...     Quality =~ PERQ1 + PERQ2 + PERQ3
    ...     Value =~ PERV1 + PERV2
    ...     Complaints =~ CUSCO
    ...     Value ~ Quality
    ...     Complaints ~ Quality + Value
    ... ''')
    >>> fit = csi.fit(model, csi.load_mobi(), csi.ML())
    >>> fit
    <Fit of 3 constructs by ML: 250 rows, converged>
    """

    scaling: Literal["marker", "variance"] = "marker"
    se: Literal["expected", "observed"] = "expected"
    likelihood: Literal["normal", "wishart"] = "normal"
    tolerance: float = field(default=1e-8, repr=False)
    max_iterations: int = field(default=200, repr=False)

    def __post_init__(self) -> None:
        choose("scaling", self.scaling, ["marker", "variance"])
        choose("se", self.se, ["expected", "observed"])
        choose("likelihood", self.likelihood, ["normal", "wishart"])
        if not self.tolerance > 0:
            raise OptionError(f"tolerance={self.tolerance!r} must be positive, for example 1e-8.")
        if self.max_iterations < 1:
            raise OptionError(f"max_iterations={self.max_iterations!r} must be at least 1.")

    @property
    def label(self) -> str:
        """What the estimator is called in tables."""
        return "ML"

    def check(self, model: Model) -> None:
        """Refuse composites, and more parameters than covariances.

        Raises
        ------
        ModelError
            Naming the composite, or counting the parameters.
        """
        for construct in model.constructs:
            if construct.kind == "composite":
                raise ModelError(
                    f"ML takes constructs as common factors, and {construct.name!r} is a "
                    "composite; define it with =~, or use PLS."
                )
        items, free = len(model.items), self.layout(model).size
        if free > items * (items + 1) // 2:
            raise ModelError(
                f"The model has {free} free parameters and {items} items give only "
                f"{items * (items + 1) // 2} variances and covariances; "
                "use more items or fewer constructs."
            )

    def layout(self, model: Model) -> Layout:
        """Return which parameters are free."""
        return lisrel.layout_of(model, self.scaling)

    def sample_cov(self, moments: Moments) -> Floats:
        """Return the covariances with the denominator of the likelihood, (..., items, items)."""
        if self.likelihood == "wishart":
            return moments.cov
        n = moments.n[..., None, None]
        return np.asarray(moments.cov * ((n - 1.0) / n))

    def sample_size(self, moments: Moments) -> Floats:
        """Return what the discrepancy is multiplied with to give χ², (...,)."""
        return moments.n - 1.0 if self.likelihood == "wishart" else moments.n

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
        cov = np.ascontiguousarray(self.sample_cov(moments))
        outcome = _usable(cov, moments.n)
        good = outcome == Outcome.CONVERGED
        cov[~good] = np.eye(cov.shape[-1])

        def own() -> Floats:
            return lisrel.start(model, layout, cov)

        if isinstance(near, CovarianceEstimates) and np.isfinite(near.parameters).all():
            first = np.broadcast_to(near.parameters, (len(cov), layout.size)).copy()
        else:
            first = own()
        first[~good] = np.nan
        found = minimise(layout, cov, first, own, self.tolerance, self.max_iterations)
        outcome[good & ~found.settled] = Outcome.NOT_CONVERGED
        outcome[good & found.settled & found.flat] = Outcome.NOT_IDENTIFIED
        return _standardise(model, layout, cov, found, outcome)


def _usable(cov: Floats, rows: Floats) -> NDArray[np.int64]:
    """Return the outcome of samples that cannot be fitted, and CONVERGED for the others."""
    outcome = np.zeros(len(cov), dtype=np.int64)
    finite = np.isfinite(cov).all(axis=(-2, -1))
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1.0 / np.sqrt(variance)
        cor = cov * scale[..., :, None] * scale[..., None, :]
    varies = np.asarray(finite & (variance > 0).all(axis=-1))
    smallest = np.linalg.eigvalsh(np.where(varies[:, None, None], cor, np.eye(cov.shape[-1])))[:, 0]
    outcome[smallest < 1e-10] = Outcome.ITEMS_SINGULAR
    outcome[~varies] = Outcome.CONSTANT_ITEM
    outcome[rows < 3] = Outcome.TOO_FEW_ROWS
    return outcome


def _standardise(
    model: Model, layout: Layout, cov: Floats, found: Found, outcome: NDArray[np.int64]
) -> CovarianceEstimates:
    """Put a solution on the scale where items and constructs have variance 1."""
    unusable = np.asarray(~np.isfinite(found.parameters).all(axis=-1))
    at = lisrel.implied(layout, np.where(unusable[:, None], 0.1, found.parameters))
    own = np.arange(len(model.items))
    with np.errstate(all="ignore"):
        sd = np.sqrt(np.diagonal(at.sigma, axis1=-2, axis2=-1))
        spread = np.sqrt(np.diagonal(at.phi, axis1=-2, axis2=-1))
        loadings = at.loadings[:, own, model.owner] * spread[:, model.owner] / sd
        construct_cor = at.phi / (spread[:, :, None] * spread[:, None, :])
        paths = at.paths * spread[:, None, :] / spread[:, :, None]
        weights = _own_item_weights(model, at, sd)
        logdet = np.linalg.slogdet(cov)[1]
    flags = _inadmissible(at, construct_cor)
    for values in (loadings, construct_cor, paths, weights):
        values[unusable] = np.nan
    flags[outcome != Outcome.CONVERGED] = 0
    return CovarianceEstimates(
        weights=weights,
        loadings=loadings,
        reliability=np.ones_like(spread),
        construct_cor=construct_cor,
        paths=paths,
        iterations=found.iterations,
        outcome=outcome,
        inadmissible=flags,
        parameters=found.parameters,
        discrepancy=found.value - logdet - len(model.items),
        gradient=found.gradient,
    )


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
        raw = np.linalg.solve(safe, towards)
        scale = np.sqrt(np.swapaxes(raw, -1, -2) @ inside @ raw)
        weights[:, block] = (raw / scale)[..., 0]
    return weights


def _inadmissible(at: Implied, construct_cor: Floats) -> NDArray[np.int64]:
    flags = np.zeros(len(at.errors), dtype=np.int64)
    disturbed = np.linalg.inv(at.total) @ at.phi @ np.swapaxes(np.linalg.inv(at.total), -1, -2)
    left = np.diagonal(disturbed, axis1=-2, axis2=-1)
    flags |= Inadmissible.NEGATIVE_VARIANCE * (
        (at.errors < 0).any(axis=-1) | (left < 0).any(axis=-1)
    )
    finite = np.asarray(np.isfinite(construct_cor).all(axis=(-2, -1)))
    safe = np.where(finite[:, None, None], construct_cor, -np.eye(construct_cor.shape[-1]))
    flags |= Inadmissible.NOT_POSITIVE_DEFINITE * (np.linalg.eigvalsh(safe)[:, 0] <= 0)
    return flags
