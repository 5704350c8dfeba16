"""WLSMV: covariance structures of ordered answers, from polychoric and polyserial correlations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import EstimationError, ModelError, OptionError, choose
from csimodel.estimators.covariance.discrepancy import WeightedSquares
from csimodel.estimators.covariance.estimator import CovarianceEstimates, CovarianceEstimator
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.ordinal_findings import ordinal_findings
from csimodel.estimators.covariance.response_squares import ResponseSquares
from csimodel.estimators.covariance.starting_values import response_start
from csimodel.estimators.covariance.structure import implied
from csimodel.estimators.estimates import Estimates
from csimodel.estimators.ordered_answers import (
    ordered_among,
    ordered_names,
    ordinal_statistics,
    require_ordered_items,
)
from csimodel.findings import Finding
from csimodel.model import Model
from csimodel.moments import Moments
from csimodel.moments import moments_of as plain_moments
from csimodel.moments.ordinal_samples import OrdinalSamples
from csimodel.moments.responses import (
    Responses,
    covariance_gamma,
    response_gamma,
    response_moments,
)
from csimodel.moments.vech import vech_indices
from csimodel.options import require_flag
from csimodel.survey import Answers

Floats = NDArray[np.float64]

_KINDS = {"scaled-shifted": "mlmv", "mean-adjusted": "mlm"}
_CERTAIN = 1e2  # weight of a variance that is known, relative to the largest other weight


@dataclass(frozen=True)
class WLSMV(CovarianceEstimator):
    """Least squares for ordered answers (covariance SEM of polychoric correlations).

    An ordered answer is a normal response seen through thresholds. Thresholds, and polychoric,
    polyserial and ordinary correlations, come from the answers; the model is fitted to them:
    ``F = Σ (sᵢⱼ - σᵢⱼ)² / Γᵢⱼ,ᵢⱼ``, and ``χ² = (n - 1) F`` is scaled. Errors are those of the
    sandwich ``A⁻¹ Δ'VΓVΔ A⁻¹ / (n - 1)`` with ``A = Δ'VΔ`` and Γ of all statistics, so they hold
    although the weights V use its diagonal only. Survey weights and clusters enter Γ; in V a weight
    of 2 is a row twice, so that estimates are those of repeated rows (lavaan's V squares weights).

    Responses behind ordered items have variance 1 (the delta parameterisation), so their error
    variances are 1 less what is explained. Thresholds, and means of continuous items, are left as
    they are in the sample. Of groups fitted together (`fit_multigroup`, `invariance`) thresholds
    and means are modelled, and errors of ordered items have variance 1 in the first group (the
    theta parameterisation).

    Parameters
    ----------
    ordered
        ``"all"`` items (default), or a list of their names; the others are continuous.
    test
        ``"scaled-shifted"`` (default): χ² with the mean and the variance of a χ² distribution, the
        MV of WLSMV. ``"mean-adjusted"``: its mean only, the M of WLSM.
    weights
        ``"dwls"`` (default), the diagonal of Γ; ``"uls"``, all alike: ULSMV and ULSM.
    normal
        Whether Γ takes continuous items as normal. ``False`` (default) is right for any
        distribution. ``True`` is what lavaan (0.6-14) does; where answers have long tails its
        errors are far too small and its scaled χ² too large. All the same where all are ordered.
    scaling, tolerance, max_iterations
        As in `ML`.

    Raises
    ------
    OptionError
        For options outside what is allowed.

    Notes
    -----
    Conventions are lavaan's: n - 1 in χ² and errors; thresholds and means counted in ``npar``,
    ``gfi`` and ``agfi``. Robust CFI and RMSEA (``_robust``) are NaN; scaled ones are
    there. Modification indices come with a robust score test, which gives their p-values.

    `Fit.weights` are for the answers, as numbers: those of the best linear prediction of a
    construct from its own items' answers under the model, an answer to item i correlating
    ``Σ φ(τ) Δx / sᵢ`` with the response behind it (Olsson, Drasgow and Dorans 1982). `Fit.scores`
    and the 0-100 index are built from them, so the index is a weighted mean of answers as ever.

    A construct of one ordered item is that item's response: its variance is 1.

    References
    ----------
    Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical,
    and continuous latent variable indicators. Psychometrika 49, 115-132.
    https://doi.org/10.1007/BF02294210

    Muthén, B., du Toit, S. H. C., Spisic, D. (1997). Robust inference using weighted least squares
    and quadratic estimating equations in latent variable modeling with categorical and continuous
    outcomes.

    Asparouhov, T., Muthén, B. (2010). Simple second order chi-square correction. Mplus technical
    appendix.

    Olsson, U., Drasgow, F., Dorans, N. J. (1982). The polyserial correlation coefficient.
    Psychometrika 47, 337-347. https://doi.org/10.1007/BF02294164

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax('''
    ...     Quality =~ PERQ1 + PERQ3 + PERQ7
    ...     Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    ...     Satisfaction ~ Quality
    ... ''')
    >>> fit = csi.fit(model, csi.load_mobi(), csi.WLSMV(ordered=["CUSA1", "CUSA2", "CUSA3"]))
    >>> fit.fit_measures[["chisq_scaled", "cfi_scaled"]].round(3).tolist()
    [21.868, 0.981]
    """

    ordered: Literal["all"] | Sequence[str] = "all"
    test: Literal["scaled-shifted", "mean-adjusted"] = "scaled-shifted"
    weights: Literal["dwls", "uls"] = "dwls"
    normal: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        choose("test", self.test, list(_KINDS))
        choose("weights", self.weights, ["dwls", "uls"])
        if self.means:
            raise OptionError(
                f"{self.label} leaves thresholds and means as they are, so means=True has nothing "
                "to do; leave it out."
            )
        require_flag("normal", self.normal)
        names = ordered_names(self.ordered, "csi.ML(se='mlmv')")
        object.__setattr__(self, "ordered", names)

    @property
    def label(self) -> str:
        """What the estimator is called in tables."""
        ending = "V" if self.test == "scaled-shifted" else ""
        return f"{'WLS' if self.weights == 'dwls' else 'ULS'}M{ending}"

    @property
    def robust(self) -> str:
        """Kind of errors and tests."""
        return _KINDS[self.test]

    def ordinal_items(self, model: Model) -> tuple[str, ...]:
        """Return the items with an error variance that is 1 less what is explained."""
        alone = {c.items[0] for c in model.constructs if c.kind == "single"}
        return tuple(item for item in ordered_among(self.ordered, model.items) if item not in alone)

    def ordered_items(self, model: Model) -> tuple[str, ...]:
        """Return all items whose answers are ordered, those that are constructs too."""
        return ordered_among(self.ordered, model.items)

    def check(self, model: Model) -> None:
        """Refuse what a model of ordered answers cannot have.

        Raises
        ------
        ModelError
            For an ordered item that is not in the model, for intercepts, for the error variance
            of an ordered item, and as other covariance structures do.
        """
        require_ordered_items(self.ordered, model)
        chosen = ordered_among(self.ordered, model.items)
        for row in model.parameters:
            if row.op == "~1":
                raise ModelError(
                    f"{self.label} leaves thresholds and means as they are; take "
                    f"'{row.lhs} ~ 1' out of the model."
                )
            if row.op == "~~" and row.lhs == row.rhs and row.lhs in chosen:
                raise ModelError(
                    f"The error variance of the ordered item {row.lhs!r} is 1 less what is "
                    f"explained; take '{row.lhs} ~~ {row.rhs}' out of the model."
                )
        super().check(model)

    def require(self, moments: Moments) -> None:
        """Refuse moments without thresholds and polychoric correlations.

        Raises
        ------
        EstimationError
            Saying that the answers of one sample are needed.
        """
        if moments.responses is None:
            raise EstimationError(
                f"{self.label} needs the answers of one sample for thresholds and polychoric "
                "correlations, and these are moments only; fit a survey or a data frame, each "
                "group by itself."
            )

    def joint_moments_of(self, answers: Answers) -> Moments:
        """Return what `moments_of` does, with Γ of thresholds too."""
        moments = self.moments_of(answers)
        assert moments.ordinal is not None
        return replace(moments, gamma=response_gamma(moments.ordinal))

    def starting_values(self, model: Model, layout: ParameterLayout, moments: Moments) -> Floats:
        """Return starting values from one sample, (size,); NaN for parameters of other groups."""
        if layout.levels is None or moments.ordinal is None:
            return super().starting_values(model, layout, moments)
        return response_start(model, layout, moments.ordinal)

    def moments_of(self, answers: Answers) -> Moments:
        """Return means and covariances of the answers, with the statistics of ordered ones.

        Raises
        ------
        EstimationError
            When cells are missing, or a correlation has no maximum inside ±1.
        """
        ordinal = ordinal_statistics(
            answers, self.ordered, self.label, normal=self.normal, weighting="frequency"
        )
        # V takes a weight of 2 as a row twice; errors do not.
        responses, of_rows = Responses.of(ordinal), ordinal.variances
        if answers.cluster is not None or answers.weights is not None:
            ordinal = ordinal_statistics(
                answers, self.ordered, self.label, normal=self.normal, cluster=answers.cluster
            )
            ordinal = replace(ordinal, row_variances=of_rows)
        gamma = covariance_gamma(ordinal)
        return replace(plain_moments(answers), gamma=gamma, responses=responses, ordinal=ordinal)

    def samples_of(self, answers: Answers) -> OrdinalSamples:
        """Return what estimates thresholds and correlations again in every resample."""
        return OrdinalSamples.of(answers, ordered_among(self.ordered, answers.items), self.normal)

    def findings(self, moments: Moments) -> Iterator[Finding]:
        """Yield what thresholds and correlations suffer from."""
        if moments.ordinal is not None:
            yield from ordinal_findings(moments.ordinal, self.normal)

    def sample_cov(self, moments: Moments) -> Floats:
        """Return the covariances of the responses, (..., items, items)."""
        self.require(moments)
        assert moments.responses is not None
        return moments.responses.cov

    def sample_size(self, moments: Moments) -> Floats:
        """Return n - 1."""
        return np.asarray(moments.n - 1.0)

    def discrepancy(
        self, moments: Moments, layout: ParameterLayout
    ) -> WeightedSquares | ResponseSquares:
        """Return the weighted squares of every sample."""
        if layout.levels is not None:
            return self._of_thresholds(moments, layout)
        return self._of_covariances(moments, layout)

    def _of_thresholds(self, moments: Moments, layout: ParameterLayout) -> ResponseSquares:
        assert moments.ordinal is not None
        sample, variance = response_moments(moments.ordinal)
        known = ~(variance > 0.0)
        weight = np.where(known, 0.0, 1.0)
        if self.weights == "dwls":
            weight = 1.0 / np.where(known, np.inf, variance)
        return ResponseSquares(layout, sample[None], np.asarray(weight[None], dtype=np.float64))

    def _of_covariances(self, moments: Moments, layout: ParameterLayout) -> WeightedSquares:
        cov = self.sample_cov(moments)
        assert moments.responses is not None
        row, column = vech_indices(cov.shape[-1])
        used = ~((row == column) & layout.ordered[row])
        variance = np.nan_to_num(moments.responses.variance[..., used], nan=1.0)
        known = variance == 0.0  # of ordered items that are constructs: 1
        weight = np.ones_like(variance)
        if self.weights == "dwls":
            weight = 1.0 / np.where(known, np.inf, variance)
        largest = weight.max(axis=-1, keepdims=True)
        return WeightedSquares(cov, None, np.where(known, _CERTAIN * largest, weight), used)

    def baseline(self, moments: Moments, layout: ParameterLayout) -> float:
        """Return the discrepancy of the model in which items are independent, of one sample."""
        part = self._of_covariances(moments.lifted(), layout)
        row, column = vech_indices(part.cov.shape[-1])
        between = (row != column)[part.used]
        return float(part.weight[0, between] @ part.cov[0][row, column][row != column] ** 2)

    def exactly_fitted(self, moments: Moments, layout: ParameterLayout) -> tuple[int, float]:
        """Return the number of thresholds and means, and their squares by their variances."""
        ordinal = moments.ordinal
        if ordinal is None or layout.levels is not None:
            return 0, 0.0
        size = len(ordinal.thresholds) + int((~ordinal.ordered).sum())
        values, variance = ordinal.statistics[:size], ordinal.variances[:size]
        weight = 1.0 / variance if self.weights == "dwls" else np.ones(size)
        return size, float(weight @ values**2)

    def estimate(
        self, moments: Moments, model: Model, near: Estimates | None = None
    ) -> CovarianceEstimates:
        """Fit every sample of `moments`, starting from `near` when it is given."""
        return self.finished(model, super().estimate(moments, model, near), moments)

    def finished(
        self, model: Model, estimates: CovarianceEstimates, moments: Moments
    ) -> CovarianceEstimates:
        """Return estimates with the weights of answers."""
        return replace(estimates, weights=_answer_weights(model, estimates, moments))


def _answer_weights(model: Model, estimates: CovarianceEstimates, moments: Moments) -> Floats:
    """Return weights of standardised answers, of scores with variance 1 in the sample.

    NaN where no sample has correlations of the responses behind its answers.
    """
    responses = moments.responses
    if responses is None:
        return np.full_like(estimates.weights, np.nan)
    usable = np.isfinite(estimates.parameters).all(axis=-1)
    usable = np.asarray(usable & np.isfinite(estimates.loadings).all(axis=-1))
    sample = np.where(usable[..., None, None], moments.cor, 1.0)
    at = implied(estimates.layout, np.where(usable[..., None], estimates.parameters, 0.1))
    sd = np.sqrt(np.abs(np.diagonal(at.sigma, axis1=-2, axis2=-1)))
    share = responses.clarity
    with np.errstate(divide="ignore", invalid="ignore"):
        cor = at.sigma / (sd[..., :, None] * sd[..., None, :])
    cor = cor * share[..., :, None] * share[..., None, :]
    own = np.arange(len(model.items))
    cor[..., own, own] = 1.0
    weights = np.ones_like(estimates.loadings)
    for construct, block in zip(model.constructs, model.slices, strict=True):
        if construct.kind == "single":
            continue
        kept = usable[..., None, None]
        inside = np.where(kept, cor[..., block, block], np.eye(block.stop - block.start))
        towards = np.where(kept[..., 0], estimates.loadings[..., block] * share[..., block], 1.0)
        raw = np.linalg.solve(inside, towards[..., None])
        spread = np.swapaxes(raw, -1, -2) @ sample[..., block, block] @ raw
        with np.errstate(invalid="ignore"):  # of a factor of constructs all loadings are 0
            weights[..., block] = (raw / np.sqrt(spread))[..., 0]
    weights[~usable] = np.nan
    return weights
