"""What functions of a fit require: one fit, and draws of that fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError
from csimodel.estimators.fit import Fit
from csimodel.options import shown
from csimodel.survey import Answers


class ResampledFit(Protocol):
    """Resamples of a fit, as `csi.bootstrap` makes them."""

    @property
    def fit(self) -> Fit:
        """What was resampled."""

    def table(self, quantity: str, interval: str = ..., level: float = ...) -> pd.DataFrame:
        """Return estimates with lower and upper limits."""


def require_fit(value: object, purpose: str, option: str = "fit") -> Fit:
    """Return the fit, or say how to come by one.

    Parameters
    ----------
    value
        What was given where one fit is wanted.
    purpose
        The function that wants it.
    option
        Name of its argument.

    Raises
    ------
    OptionError
        For fits of several groups, a bootstrap, a survey, anything but one fit.

    Examples
    --------
    >>> require_fit("mobi.csv", "assess")
    Traceback (most recent call last):
    csimodel.errors.OptionError: assess wants a fit and fit='mobi.csv'; make one with
    csi.fit(model, survey).
    """
    if isinstance(value, Fit):
        return value
    if isinstance(value, Mapping) and len(value) and isinstance(next(iter(value.values())), Fit):
        label = next(iter(value))
        raise OptionError(
            f"{purpose} wants one fit and {option} holds those of {len(value)} groups; take one "
            f"group, such as fits[{shown(label)}], or go through them: "
            f"{{label: {purpose}(fit) for label, fit in fits.items()}}."
        )
    if isinstance(getattr(value, "fit", None), Fit):
        raise OptionError(
            f"{purpose} wants a fit and {option} is {shown(value)}; give what it was made from, "
            "which it keeps as .fit."
        )
    if isinstance(value, type):
        raise OptionError(f"{purpose} wants a fit and {option} is {shown(value)}; give a value.")
    written = (
        f"{option}={shown(value)}" if isinstance(value, str) else f"{option} is {shown(value)}"
    )
    raise OptionError(f"{purpose} wants a fit and {written}; make one with csi.fit(model, survey).")


def require_alone(fit: Fit, purpose: str) -> None:
    """Refuse one group of a joint fit where its rows are fitted again.

    Raises
    ------
    OptionError
        With the way out.
    """
    if fit.in_joint_fit:
        raise OptionError(
            f"{purpose} fits rows again, and this is one group of a joint fit, whose "
            "parameters rest on the rows of all groups; fit the group alone with "
            "csi.fit_groups."
        )


def require_complete(answers: Answers, purpose: str) -> None:
    """Refuse answers with missing cells.

    Raises
    ------
    SurveyError
        Saying how to drop rows.

    Examples
    --------
    >>> from csimodel.survey import read_survey
    >>> from csimodel.survey.survey import respondents
    >>> answers = respondents(read_survey(pd.DataFrame({"q": [1.0, 3, 2, 6]})))
    >>> require_complete(answers, "blindfold")
    """
    if answers.missing != "complete":
        raise SurveyError(
            f"{purpose} needs complete answers and cells are missing; use a survey with "
            "missing='listwise'."
        )


def require_rows(answers: Answers) -> None:
    """Refuse answers of nobody, as of a group that lost all its rows.

    Raises
    ------
    SurveyError
        With the way out.
    """
    if not len(answers.values):
        raise SurveyError(
            "There is nobody to resample, because no row is left in this group; use another "
            "missing-data policy, or leave the group out."
        )


def require_resampling(fit: Fit, purpose: str, units: bool = False) -> Answers:
    """Return the answers, where resamples of them can be fitted as they were.

    Parameters
    ----------
    fit, purpose
        Of what, and what for.
    units
        Whether resamples of units will do, as a scan has them.

    Raises
    ------
    SurveyError
        When there are no answers: of a fit from moments, or of a group without a row.
    OptionError
        For one group of a joint fit, and estimators that do not fit resamples.
    EstimationError
        When resamples are fitted near a solution and there is none.
    """
    answers = fit.drawn_answers(purpose) if units else fit.require_answers(purpose)
    require_alone(fit, purpose)
    require_rows(answers)
    if fit.estimator.resampling == "none":
        raise OptionError(
            f"{purpose} fits resamples, and {fit.estimator.label} needs of each what only the "
            "answers tell; use csi.WLSMV(), or csi.ML(se='mlr')."
        )
    if fit.estimator.resampling == "nearby":
        fit.require_converged(purpose)
    return answers


def require_own(bootstrap: ResampledFit | None, fit: Fit, drawn: bool = True) -> None:
    """Refuse draws of another fit, and what are no draws.

    Draws may have been made in another process, or from an equal fit.

    Parameters
    ----------
    bootstrap, fit
        What was given, and what it should be of.
    drawn
        Whether it has to hold draws, or any errors of a fit will do.

    Raises
    ------
    OptionError
        When the draws are of another model, estimator or other answers.
    """
    if bootstrap is None:
        return
    if not same_fit(drawn_fit(bootstrap, drawn), fit):
        raise OptionError(
            "The bootstrap was made from another fit; make it again with csi.bootstrap(fit)."
        )


def drawn_fit(bootstrap: object, drawn: bool = True) -> Fit:
    """Return what was resampled, or where `drawn` is false whatever has errors.

    Raises
    ------
    OptionError
        For what holds no draws, or no errors, of a fit.
    """
    fit = getattr(bootstrap, "fit", None)
    has = callable(getattr(bootstrap, "draws" if drawn else "table", None))
    if not isinstance(fit, Fit) or not has:
        makers = "csi.bootstrap(fit)" if drawn else "csi.bootstrap(fit) or csi.linearize(fit)"
        raise OptionError(
            f"bootstrap is {shown(bootstrap)}, which holds no draws; make it with {makers}."
        )
    return fit


def same_fit(fit: Fit, other: Fit) -> bool:
    """Return whether two fits are of the same model to the same answers by the same estimator."""
    if fit is other or fit.solution is other.solution:
        return True
    if fit.model != other.model or fit.estimator != other.estimator:
        return False
    if fit.answers is None or other.answers is None:
        return fit.answers is other.answers and _equal(fit.moments.cov, other.moments.cov)
    first, second = fit.answers, other.answers
    return (
        first.missing == second.missing
        and _equal(first.values, second.values)
        and _equal(first.rows, second.rows)
        and _equal(first.weights, second.weights)
        and _equal(first.strata, second.strata)
        and _equal(first.cluster, second.cluster)
        and _equal(first.population, second.population)
        and _equal(_factors(first), _factors(second))
        and _equal(first.minimum, second.minimum)
        and _equal(first.maximum, second.maximum)
        and _equal(fit.estimates.weights, other.estimates.weights)
    )


def _factors(answers: Answers) -> NDArray[np.generic] | None:
    return None if answers.replicates is None else answers.replicates.factors


def _equal(values: NDArray[np.generic] | None, other: NDArray[np.generic] | None) -> bool:
    if values is None or other is None:
        return values is other
    floating = values.dtype.kind == "f"
    return values is other or np.array_equal(values, other, equal_nan=floating)
