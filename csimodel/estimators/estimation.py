"""`fit`: a model and a survey in, a `Fit` out."""

from __future__ import annotations

from typing import overload

from csimodel.arguments import checked
from csimodel.errors import EstimationError, SurveyError
from csimodel.estimators.covariance.estimator import CovarianceEstimator
from csimodel.estimators.covariance_fit import CovarianceFit, fit_of
from csimodel.estimators.failures import UNUSABLE
from csimodel.estimators.fit import Fit
from csimodel.estimators.inputs import answers_for, estimator_for, require_additive
from csimodel.estimators.solution import Estimator
from csimodel.floats import own_errstate
from csimodel.model import Model
from csimodel.moments import Moments, moments_of
from csimodel.moments.scanned import ScannedAnswers, scanned_answers
from csimodel.progress import steps_shown
from csimodel.survey import Answers, Survey, read_survey
from csimodel.survey.scanning.scan import Scan


@overload
def fit(
    model: Model,
    survey: Survey | Moments | object,
    estimator: CovarianceEstimator,
    *,
    strict: bool = ...,
    progress: bool = ...,
) -> CovarianceFit: ...


@overload
def fit(
    model: Model,
    survey: Survey | Moments | object,
    estimator: Estimator | None = ...,
    *,
    strict: bool = ...,
    progress: bool = ...,
) -> Fit: ...


@own_errstate
@checked
def fit(
    model: Model,
    survey: Survey | Moments | object,
    estimator: Estimator | None = None,
    *,
    strict: bool = False,
    progress: bool = True,
) -> Fit:
    """Estimate a model from a survey, a data frame or moments.

    Parameters
    ----------
    model
        Constructs and paths, for example ``csi.models.ecsi()``.
    survey
        A `Survey`, anything `read_survey` takes (pandas, polars, Arrow, a file's path), a `Scan`
        of files (`csi.scan`), or `Moments`.
    estimator
        `PLS` by default.
    strict
        Raise when the solution did not converge or is inadmissible, instead of saying so in
        `Fit.diagnostics`.
    progress
        Whether to show how many steps were made, or rows of a scan read, where that takes longer
        than a second.

    Returns
    -------
    Fit
        By covariance SEM a `CovarianceFit`.

    Raises
    ------
    SurveyError, ModelError, OptionError
        When data, model and options do not fit together; the sentence names the culprit.
    EstimationError
        When there is nothing to estimate (an item without variation, fewer than 3 rows,
        antecedents that carry the same information, a negative reliability), or `strict` refuses.

    Examples
    --------
    >>> import csimodel as csi
    >>> result = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.PLS(scheme="centroid"))
    >>> round(float(result.paths.loc["Expectation", "Image"]), 4)
    0.5047
    >>> result
    <Fit of ECSI by PLS, centroid scheme: 250 rows, converged>
    """
    with steps_shown("Fit", progress):
        chosen = estimator_for(model, estimator)
        result = _fitted(chosen.specified(model), survey, chosen, progress)
    if int(result.estimates.outcome) in UNUSABLE:
        raise EstimationError(str(result.diagnostics[-1]))
    if strict:
        failures = [finding for finding in result.diagnostics if finding.severity == "failure"]
        if failures:
            raise EstimationError(" ".join(str(finding) for finding in failures))
    return result


def _fitted(
    model: Model, survey: Survey | Moments | object, chosen: Estimator, progress: bool
) -> Fit:
    """Return the fit, whatever came of it."""
    answers: Answers | None = None
    table: Survey | None = None
    scanned: ScannedAnswers | None = None
    if isinstance(survey, Moments):
        if survey.batch_shape:
            raise SurveyError(
                f"The moments hold a batch of {survey.batch_shape[0]} samples and fit takes one; "
                "give one of them, such as moments[0], or fit groups of a survey with fit_groups."
            )
        moments = moments_of(survey, model.answered)
        chosen.require(moments)
    elif isinstance(survey, Scan):
        scanned = scanned_answers(survey, model.answered_blocks, progress)
        moments = scanned.moments
        require_additive(chosen, moments)
    else:
        table = survey if isinstance(survey, Survey) else read_survey(survey)
        answers, moments = answers_for(chosen, table, model)
    return fit_of(chosen.solve(moments, model), table, answers, scanned)
