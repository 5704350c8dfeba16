"""Least squares for covariance structures: unweighted, generalised, diagonally weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import EstimationError, choose
from csimodel.estimators.covariance.discrepancy import WeightedSquares
from csimodel.estimators.covariance.estimator import CovarianceEstimator, negative_variances
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.scoring import Minima
from csimodel.estimators.covariance.structure import moments_vector
from csimodel.moments import Moments
from csimodel.moments import moments_of as plain_moments
from csimodel.moments.forms import NormalWeight, normal_matrix
from csimodel.moments.gamma import RowGamma
from csimodel.moments.vech import vech_indices
from csimodel.survey import Answers

Floats = NDArray[np.float64]

_BADLY = 0.03  # F of GLS, by item, above which a lower minimum is looked for
_SINGULAR = 1e-13  # eigenvalue of correlations that is rounding
_LABELS = {"uls": "ULS", "gls": "GLS", "dwls": "DWLS"}


@dataclass(frozen=True)
class LeastSquares(CovarianceEstimator):
    r"""Least squares estimation of a covariance structure.

    ``F = (s - σ)' V (s - σ)`` over variances and covariances, each once, with denominator n - 1,
    and ``χ² = (n - 1) F``, as lavaan. It follows a χ² distribution, and the errors hold, only for
    GLS with normal answers; for the others take errors from `csi.bootstrap`, and p-values of fit
    are NaN. There is no likelihood, so no log-likelihood, AIC or BIC.

    Parameters
    ----------
    weights
        ``"uls"``: V is 1, so items on wider scales count more; ``"gls"``: V from the sample's
        covariances, ``½ D'(S⁻¹ ⊗ S⁻¹) D``; ``"dwls"``: V is the inverse of the sampling variance
        of each covariance (Γ's diagonal, which needs the answers and not only moments; a weight of
        2 is a row twice).
    scaling, means, tolerance, max_iterations
        As in `ML`.

    References
    ----------
    Browne, M. W. (1974). Generalized least squares estimators in the analysis of covariance
    structures. South African Statistical Journal 8, 1-24.

    Browne, M. W. (1984). Asymptotically distribution-free methods for the analysis of covariance
    structures. British Journal of Mathematical and Statistical Psychology 37, 62-83.
    https://doi.org/10.1111/j.2044-8317.1984.tb00789.x

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5\nV =~ PERV1 + PERV2\nV ~ Q")
    >>> csi.fit(model, csi.load_mobi(), csi.LeastSquares("uls"))
    <Fit of 2 constructs by ULS: 250 rows, converged>
    """

    weights: Literal["uls", "gls", "dwls"] = "gls"

    def __post_init__(self) -> None:
        super().__post_init__()
        choose("weights", self.weights, list(_LABELS))

    @property
    def label(self) -> str:
        """What the estimator is called in tables."""
        return _LABELS[self.weights]

    @property
    def chi_square_known(self) -> bool:
        """Whether the statistic follows a χ² distribution: that of GLS only."""
        return self.weights == "gls"

    @property
    def needs_answers(self) -> bool:
        """Whether estimates rest on more than means and covariances."""
        return self.weights == "dwls"

    @property
    def resampling(self) -> Literal["anew", "nearby", "none"]:
        """How resamples are fitted: by DWLS not at all, for want of Γ of each."""
        return "none" if self.weights == "dwls" else "anew"

    def moments_of(self, answers: Answers) -> Moments:
        """Return means and covariances, with Γ where the weights come from it."""
        from dataclasses import replace

        moments = plain_moments(answers)
        if self.weights != "dwls":
            return moments
        gamma = RowGamma.of(answers.values, answers.weights, weighting="frequency")
        return replace(moments, gamma=gamma)

    def several_minima(self, minima: Minima, layout: ParameterLayout) -> NDArray[np.bool_]:
        """Mark the samples that may have a lower minimum than the one found first, (samples,).

        Where a variance is below 0, and with GLS, whose V is that of the sample, where the model
        fits badly: F is 0 where it fits and at most items / 2 where it explains nothing.
        """
        doubtful = negative_variances(layout, minima.parameters)
        if self.weights == "gls":
            doubtful |= minima.value > _BADLY * len(layout.ordered)
        return doubtful

    @property
    def every_start(self) -> bool:
        """Whether a sample in doubt is started from all values: GLS has narrow minima."""
        return self.weights == "gls"

    def sample_cov(self, moments: Moments) -> Floats:
        """Return the covariances with denominator n - 1, (..., items, items)."""
        return moments.cov

    def sample_size(self, moments: Moments) -> Floats:
        """Return n - 1."""
        return np.asarray(moments.n - 1.0)

    def baseline(self, moments: Moments, layout: ParameterLayout) -> float:
        """Return the discrepancy of the model in which items are independent."""
        part = self.discrepancy(moments.lifted(), layout)
        sample = moments_vector(part.cov[0], None if part.mean is None else part.mean[0])
        row, column = vech_indices(moments.cov.shape[-1])
        free = np.concatenate([np.ones(len(sample) - len(row), dtype=bool), row == column])
        own = np.eye(len(sample))[:, free]
        weight = part.weight[0]
        weighted = weight[:, None] * own if weight.ndim == 1 else weight @ own
        values = np.linalg.solve(own.T @ weighted, weighted.T @ sample)
        gap = sample - own @ values
        return float(gap @ (weight * gap if weight.ndim == 1 else weight @ gap))

    def discrepancy(self, moments: Moments, layout: ParameterLayout) -> WeightedSquares:
        """Return the weighted squares of every sample.

        Raises
        ------
        EstimationError
            When DWLS has no fourth-order moments.
        """
        items = moments.cov.shape[-1]
        mean = moments.mean if layout.mean_structure else None
        size = items * (items + 1) // 2 + (items if layout.mean_structure else 0)
        used = np.ones(size, dtype=bool)
        samples = len(moments.cov)
        if self.weights == "uls":
            return WeightedSquares(moments.cov, mean, np.ones((samples, size)), used, plain=True)
        if self.weights == "gls":
            weight = normal_weight(moments.cov, layout.mean_structure)
            return WeightedSquares(moments.cov, mean, weight, used)
        if moments.gamma is None:
            raise EstimationError(
                "DWLS weighs every covariance by its own sampling error, which needs the answers "
                "and these are moments; fit a survey, one group at a time, or use csi.ML()."
            )
        variances = np.atleast_2d(moments.gamma.diagonal)[:, -size:]
        return WeightedSquares(moments.cov, mean, 1.0 / variances, used)


def normal_weight(cov: Floats, means: bool) -> Floats:
    """Return the inverse of the normal-theory Γ, (..., moments, moments), of covariances.

    ``½ D'(S⁻¹ ⊗ S⁻¹) D`` for vech S, and ``S⁻¹`` in front for the means; NaN where S is singular.
    """
    return normal_matrix(_inverse(cov), means)


def weight_at(cov: Floats, means: bool) -> NormalWeight:
    """Return `normal_weight` of one sample, as what it is multiplied with."""
    return NormalWeight(_inverse(cov), means)


def _inverse(cov: Floats) -> Floats:
    """Return inverses of covariances, (..., items, items), NaN where they are singular."""
    items = cov.shape[-1]
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    cor = cov / (sd[..., :, None] * sd[..., None, :])
    finite = np.isfinite(cor).all(axis=(-2, -1))[..., None, None]
    smallest = np.linalg.eigvalsh(np.where(finite, cor, -np.eye(items)))[..., :1, None]
    definite = smallest > _SINGULAR
    return np.where(definite, np.linalg.inv(np.where(definite, cov, np.eye(items))), np.nan)
