"""What `fit` and `fit_groups` are given: a model, and an estimator that can estimate it."""

from __future__ import annotations

from dataclasses import replace

from csimodel.errors import ModelError, OptionError
from csimodel.estimators.pls import PLS
from csimodel.estimators.solution import Estimator
from csimodel.model import Model
from csimodel.moments import Moments, moments_of
from csimodel.survey import Answers, Survey


def estimator_for(model: Model, estimator: Estimator | None) -> Estimator:
    """Return the estimator, PLS by default, after checking that it can estimate the model.

    Raises
    ------
    ModelError, OptionError
        When the model is not a `Model`, the estimator not an estimator, or they do not fit.
    """
    if isinstance(model, str):
        raise ModelError(
            "The model is given as text; read it first with csi.Model.from_syntax(text)."
        )
    if not isinstance(model, Model):
        raise ModelError(
            f"The model is of type {type(model).__name__}; give a csi.Model first and the "
            "survey second."
        )
    chosen = PLS() if estimator is None else estimator
    if isinstance(chosen, type):
        raise OptionError(
            f"The estimator {chosen.__name__} is a class; give a value of it, such as csi.PLS()."
        )
    if not callable(getattr(chosen, "estimate", None)):
        raise OptionError(
            f"The estimator {chosen!r} is not known; give a value such as csi.PLS() or "
            "csi.PLS(scheme='centroid')."
        )
    chosen.check(model)
    return chosen


def answers_for(estimator: Estimator, survey: Survey, model: Model) -> tuple[Answers, Moments]:
    """Return the answers to a model's items and their moments, as the estimator wants them.

    An estimator may have its own way with missing answers (`policy`) and want more than means and
    covariances (`moments_of`).
    """
    policy = getattr(estimator, "policy", None)
    source = survey if policy is None else replace(survey, missing=policy)
    answers = source.answers(model.blocks)
    gather = getattr(estimator, "moments_of", moments_of)
    return answers, gather(answers)
