"""Maximum likelihood for covariance structures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import choose
from csimodel.estimators.covariance.discrepancy import NormalTheory
from csimodel.estimators.covariance.estimator import CovarianceEstimator
from csimodel.estimators.covariance.layout import Layout
from csimodel.moments import Moments

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ML(CovarianceEstimator):
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

    se: Literal["expected", "observed"] = "expected"
    likelihood: Literal["normal", "wishart"] = "normal"

    def __post_init__(self) -> None:
        super().__post_init__()
        choose("se", self.se, ["expected", "observed"])
        choose("likelihood", self.likelihood, ["normal", "wishart"])

    @property
    def label(self) -> str:
        """What the estimator is called in tables."""
        return "ML"

    def discrepancy(self, moments: Moments, layout: Layout) -> NormalTheory:
        """Return the normal-theory distance of every sample from a model."""
        mean = moments.mean if layout.mean_structure else None
        return NormalTheory(np.ascontiguousarray(self.sample_cov(moments)), mean)

    def sample_cov(self, moments: Moments) -> Floats:
        """Return the covariances with the denominator of the likelihood, (..., items, items)."""
        if self.likelihood == "wishart":
            return moments.cov
        n = moments.n[..., None, None]
        return np.asarray(moments.cov * ((n - 1.0) / n))

    def sample_size(self, moments: Moments) -> Floats:
        """Return what the discrepancy is multiplied with to give χ², (...,)."""
        return moments.n - 1.0 if self.likelihood == "wishart" else moments.n

    def baseline(self, moments: Moments, layout: Layout) -> float:
        """Return the discrepancy of the model in which items are independent, of one sample."""
        cov = self.sample_cov(moments)
        return float(np.log(np.diag(cov)).sum() - np.linalg.slogdet(cov)[1])

    @property
    def has_likelihood(self) -> bool:
        """Whether the discrepancy comes from a likelihood."""
        return True
