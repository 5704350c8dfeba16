"""Maximum likelihood for covariance structures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import EstimationError, ModelError, OptionError, choose
from csimodel.estimators.covariance.discrepancy import NormalTheory
from csimodel.estimators.covariance.estimator import CovarianceEstimator
from csimodel.estimators.covariance.full_information import FullInformation
from csimodel.estimators.covariance.incomplete import full_information_moments, two_stage_moments
from csimodel.estimators.covariance.incomplete_resampler import incomplete_resampler
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.layouts import layouts_of
from csimodel.estimators.covariance.least_squares import weight_at
from csimodel.estimators.solution import IncompleteWay, Refit, Solution
from csimodel.model import Model
from csimodel.moments import Moments
from csimodel.moments import moments_of as plain_moments
from csimodel.moments.forms import Weight
from csimodel.moments.gamma import RowGamma
from csimodel.moments.incomplete_likelihood import loglik
from csimodel.moments.saturated import independence
from csimodel.survey import Answers

Floats = NDArray[np.float64]

_ERRORS = ["expected", "observed", "mlm", "mlmv", "mlmvs", "mlr", "robust"]


@dataclass(frozen=True)
class ML(CovarianceEstimator):
    """Maximum likelihood estimation of a covariance structure (covariance SEM).

    Constructs are common factors (``=~``) or composites (``<~``); a single item has no error.
    Exogenous constructs covary
    freely, disturbances and errors do not, unless the model's text says so (lavaan's ``sem`` lets
    the disturbances of constructs that explain nothing covary). Fixed, equal and bounded
    parameters, covariances, intercepts and definitions are written in that text.

    Parameters
    ----------
    scaling
        ``"marker"``: each construct's first loading is 1 (default); ``"variance"``: variances of
        exogenous constructs and of disturbances are 1. Standardised results are the same.
    se
        Standard errors from the ``"expected"`` (default) or ``"observed"`` information, which
        hold for normal answers; or robust ones, with a scaled χ² beside the plain one: ``"mlr"``
        (also written ``"robust"``; sandwich with the observed information, Yuan-Bentler test),
        ``"mlm"`` (expected information, Satorra-Bentler test), ``"mlmv"`` (the same errors, χ²
        scaled and shifted), ``"mlmvs"`` (the same errors, mean- and variance-adjusted χ²).
        Survey weights and clusters enter robust errors only. They need answers, not moments, and
        do not turn on a mean structure (as lavaan 0.6); errors of loadings, paths and
        covariances are the same with one that fits the means exactly.
    missing
        ``"survey"`` (default): what the survey's policy leaves, listwise or otherwise. ``"fiml"``:
        full information, the likelihood of all answers there are, right when answers are missing
        at random; means are modelled, and errors come from the observed information.
        ``"two-stage"``: means and covariances of the saturated model first, fitted as if they were
        those of complete answers, with errors and a scaled χ² that know they are not; right under
        the same condition, a little less precise, and steadier where full information fails.
        ``se="expected"`` then holds for normal answers, ``"robust"`` (``"mlm"``, ``"mlmv"``,
        ``"mlmvs"``) without normality.
    likelihood
        ``"normal"``: covariances with denominator n, χ² = n F (default, as lavaan);
        ``"wishart"``: denominator n - 1, χ² = (n - 1) F.
    composite_covariances
        The covariances of items of one composite: those of the ``"sample"`` (default, as lavaan
        0.7), or ``"free"`` parameters, estimated with all others.
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
    sample; what does not settle starts once more from its own covariances, and a fit that still
    does not from 32 values around those. A draw of a bootstrap is given up in a valley: after 80
    iterations from its own covariances, the last ten of which lowered the discrepancy by less than
    .001. The lowest minimum counts, and a finding says when others were seen. A nearly unidentified
    model can have several minima, and none at finite values. Loadings start with the signs of the
    data, so items may be worded the other way. Variances are not bounded: an error variance that
    the data push below zero is reported, not hidden.
    `Fit.weights` are the weights of regression scores from a construct's own items under the model,
    scaled to unit score variance; the index is built from them.

    A construct of constructs (``Quality =~ Product + Service``) is a factor that leads to its
    parts: `Fit.paths` has its loadings on them, the first of them 1 with ``scaling="marker"``, and
    its loadings on items are 0. Its items are those of its parts, so that no construct of such a
    model has an index of own items; `csimodel.factor_scores` has scores.

    A composite (``Value <~ PERV1 + PERV2``) is the weighted sum of its items with the first weight
    1, whatever the `scaling`; all covariances of its items with others go through it, and among
    each other they are unrestricted. That is Henseler and Ogasawara's specification, with weights
    as parameters; a model of composites alone, with ``~~`` in place of paths, is confirmatory
    composite analysis. With ``composite_covariances="sample"`` the items of a composite covary as
    they do in the sample: χ² is .01 larger than with ``"free"`` ones on ``mobi``, and errors take
    them as known, as those of fixed regressors. Composites need complete answers and no modelled
    means.

    Columns of the data in paths (``Loyalty ~ age``) are constructs without error. Those that
    nothing explains covary with each other and with exogenous constructs, and their moments are
    parameters: χ², degrees of freedom, estimates and errors from the expected information are
    lavaan's whatever its ``fixed.x``; the rest is that of ``fixed.x = FALSE``. Items may measure
    several constructs.

    In two stages V of the sandwich is taken at the saturated moments, in the bread too, as lavaan
    does; and there is no likelihood, so no AIC or BIC. lavaan 0.6-14 reports one, and a scaled χ²
    of the baseline that is the same for any kind of errors; ours rests on the Γ of the errors.

    References
    ----------
    Arbuckle, J. L. (1996). Full information estimation in the presence of incomplete data. In
    Marcoulides, Schumacker (eds.), Advanced Structural Equation Modeling, 243-277.

    Savalei, V., Bentler, P. M. (2009). A two-stage approach to missing data: theory and application
    to auxiliary variables. Structural Equation Modeling 16, 477-497.
    https://doi.org/10.1080/10705510903008238

    Jöreskog, K. G. (1969). A general approach to confirmatory maximum likelihood factor analysis.
    Psychometrika 34, 183-202. https://doi.org/10.1007/BF02289343

    Lee, S.-Y., Jennrich, R. I. (1979). A study of algorithms for covariance structure analysis.
    Psychometrika 44, 99-113. https://doi.org/10.1007/BF02293789

    Schuberth, F. (2023). The Henseler-Ogasawara specification of composites in structural equation
    modeling: A tutorial. Psychological Methods 28, 843-859. https://doi.org/10.1037/met0000432

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

    se: Literal["expected", "observed", "mlm", "mlmv", "mlmvs", "mlr", "robust"] = "expected"
    likelihood: Literal["normal", "wishart"] = "normal"
    missing: Literal["survey", "fiml", "two-stage"] = "survey"
    composite_covariances: Literal["sample", "free"] = field(default="sample", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        choose("se", self.se, _ERRORS)
        choose("likelihood", self.likelihood, ["normal", "wishart"])
        choose("missing", self.missing, ["survey", "fiml", "two-stage"])
        choose("composite_covariances", self.composite_covariances, ["sample", "free"])
        if self.se == "robust":
            object.__setattr__(self, "se", "mlm" if self.missing == "two-stage" else "mlr")
        if self.missing == "survey":
            return
        object.__setattr__(self, "means", True)
        if self.likelihood == "wishart":
            raise OptionError(
                f"missing={self.missing!r} has a normal likelihood only; use likelihood='normal'."
            )
        if self.missing == "fiml" and self.robust not in (None, "mlr"):
            raise OptionError(
                f"se={self.se!r} needs complete answers; use se='mlr' with missing='fiml'."
            )
        if self.missing == "two-stage" and self.se in ("observed", "mlr"):
            raise OptionError(
                f"se={self.se!r} is not for missing='two-stage'; use 'expected', 'robust', 'mlmv' "
                "or 'mlmvs'."
            )

    @property
    def takes_composites(self) -> bool:
        """Whether constructs may be weighted sums of their items."""
        return True

    def layout(self, model: Model) -> ParameterLayout:
        """Return which parameters are free."""
        held = self.composite_covariances == "sample"
        return layouts_of(model, self.scaling, self.means, held=held)[0]

    def check(self, model: Model) -> None:
        """Refuse what cannot be fitted, and composites where means are modelled.

        Raises
        ------
        ModelError
            Naming the composite.
        """
        composites = [c.name for c in model.constructs if c.kind == "composite"]
        if composites and self.missing != "survey":
            raise ModelError(
                f"csi.ML(missing={self.missing!r}) takes no composites, and {composites[0]!r} is "
                "one; use missing='survey' with complete answers, define it with =~, or use PLS."
            )
        if composites and self.modelled_means(model):
            raise ModelError(
                f"Means and intercepts are modelled, and {composites[0]!r} is a composite, whose "
                "mean is that of its items; leave out means=True and intercepts, or define it "
                "with =~."
            )
        super().check(model)

    @property
    def label(self) -> str:
        """What the estimator is called in tables."""
        name = self.se.upper() if self.design_based else "ML"
        how = {"survey": "", "fiml": " of incomplete answers", "two-stage": " in two stages"}
        return name + how[self.missing]

    @property
    def robust(self) -> str | None:
        """Kind of sandwich that gives errors and tests, or None."""
        if self.missing == "two-stage" and self.se == "expected":
            return "mlm"
        return self.se if self.design_based else None

    @property
    def design_based(self) -> bool:
        """Whether errors hold without normality, and know of weights and clusters."""
        return self.se not in ("expected", "observed")

    @property
    def policy(self) -> str | None:
        """What is done with missing answers; None leaves it to the survey."""
        return None if self.missing == "survey" else "pairwise"

    def of_incomplete(self, way: IncompleteWay) -> ML:
        """Return the estimator with a way of its own with missing answers, errors robust."""
        return replace(self, missing=way, se="mlr" if way == "fiml" else "robust")

    @property
    def observed_information(self) -> bool:
        """Whether errors come from the observed information."""
        return self.se == "observed" or self.missing == "fiml"

    @property
    def needs_answers(self) -> bool:
        """Whether estimates rest on more than means and covariances."""
        return self.missing != "survey"

    @property
    def resampling(self) -> Literal["anew", "nearby", "none"]:
        """How resamples are fitted: incomplete answers near the solution of the sample."""
        return "anew" if self.missing == "survey" else "nearby"

    def resampler(self, solution: Solution, answers: Answers) -> Refit:
        """Return the function from copies of each row to fits of those resamples.

        Of incomplete answers from the saturated moments of each draw, or from its likelihood.
        """
        if self.missing == "survey":
            return super().resampler(solution, answers)
        return incomplete_resampler(solution, answers)

    @property
    def second_stage(self) -> ML | None:
        """What is fitted to the saturated moments of incomplete answers, in two stages; or None."""
        if self.missing != "two-stage":
            return None
        return replace(self, missing="survey", se="expected", means=True)

    def moments_of(self, answers: Answers) -> Moments:
        """Return means and covariances, for incomplete answers those of the saturated model.

        Raises
        ------
        EstimationError
            When the answers do not determine means and covariances.
        """
        if self.missing == "fiml":
            return full_information_moments(answers)
        if self.missing == "two-stage":
            return two_stage_moments(answers, self.design_based)
        moments = plain_moments(answers)
        if self.robust is None:
            return moments
        if answers.missing != "complete":
            raise EstimationError(
                f"se={self.se!r} needs complete answers and cells are missing; use "
                "missing='fiml', or a survey with missing='listwise'."
            )
        gamma = RowGamma.of(answers.values, answers.weights, answers.cluster)
        return replace(moments, gamma=gamma)

    def discrepancy(
        self, moments: Moments, layout: ParameterLayout
    ) -> NormalTheory | FullInformation:
        """Return the distance of every sample from a model.

        Raises
        ------
        EstimationError
            When the likelihood of incomplete answers has only moments.
        """
        known = moments.patterns if self.missing == "fiml" else moments.gamma
        if self.missing != "survey" and known is None:
            raise EstimationError(
                f"missing={self.missing!r} needs the answers of one sample, and these are moments "
                "or resamples; fit a survey, or use the survey's missing-data policy with "
                "missing='survey'."
            )
        if self.missing == "fiml":
            assert moments.patterns is not None
            return FullInformation(moments.patterns, (moments.mean[0], self.sample_cov(moments)[0]))
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

    def weight(self, moments: Moments, layout: ParameterLayout, sigma: Floats) -> Weight:
        """Return the normal-theory weight of means and covariances at Σ.

        In two stages at the saturated moments, whatever the model implies.
        """
        return weight_at(self._weighed_at(moments, sigma), layout.mean_structure)

    def weighted_square(
        self,
        moments: Moments,
        layout: ParameterLayout,
        sigma: Floats,
        cov: Floats,
        mean: Floats | None,
    ) -> float:
        """Return ``½ tr (Σ⁻¹ R)² + m' Σ⁻¹ m``, R covariances and m means, of one sample."""
        inverse = np.linalg.inv(self._weighed_at(moments, sigma))
        ratio = inverse @ cov
        of_means = 0.0 if mean is None else float(mean @ inverse @ mean)
        return 0.5 * float((ratio * ratio.T).sum()) + of_means

    def _weighed_at(self, moments: Moments, sigma: Floats) -> Floats:
        return self.sample_cov(moments) if self.missing == "two-stage" else sigma

    def baseline(self, moments: Moments, layout: ParameterLayout) -> float:
        """Return the discrepancy of the model in which items are independent, of one sample."""
        if moments.patterns is not None:
            apart = independence(moments.patterns).loglik
            return 2.0 * (self.unrestricted_loglik(moments) - apart) / float(moments.n)
        cov = self.sample_cov(moments)
        return float(np.log(np.diag(cov)).sum() - np.linalg.slogdet(cov)[1])

    @property
    def has_likelihood(self) -> bool:
        """Whether the discrepancy comes from a likelihood."""
        return self.missing != "two-stage"

    def unrestricted_loglik(self, moments: Moments) -> float:
        """Return the log-likelihood of the saturated model, of one sample."""
        if moments.patterns is not None:
            n = moments.n
            return loglik(moments.patterns, moments.mean, moments.cov * ((n - 1.0) / n))
        return super().unrestricted_loglik(moments)
