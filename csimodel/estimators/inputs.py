"""What `fit` and `fit_groups` are given: a model, and an estimator that can estimate it."""

from __future__ import annotations

from dataclasses import replace

from csimodel.errors import EstimationError, ModelError, OptionError
from csimodel.estimators.pls import PLS
from csimodel.estimators.solution import Estimator
from csimodel.findings import Finding
from csimodel.model import Model
from csimodel.moments import Moments
from csimodel.survey import Answers, Survey


def estimator_for(
    model: Model, estimator: Estimator | None, *, by_group: bool = False
) -> Estimator:
    """Return the estimator, PLS by default, after checking that it can estimate the model.

    `by_group` allows what is said of each group of a joint fit, c(…).

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
    for parameter in model.parameters:
        if parameter.groups > 1 and not by_group:
            raise ModelError(
                f"{str(parameter)!r} says something for {parameter.groups} groups, and this fit "
                "knows of no other group; write one entry for all, or fit the groups together with "
                "csi.fit_multigroup."
            )
    chosen.check(chosen.specified(model).in_group(0))
    return chosen


def answers_for(estimator: Estimator, survey: Survey, model: Model) -> tuple[Answers, Moments]:
    """Return the answers to a model's items and their moments, as the estimator wants them.

    An estimator may have its own way with missing answers (`policy`) and want more than means and
    covariances (`moments_of`).
    """
    answers = answers_of(estimator, survey, model)
    return answers, estimator.moments_of(answers)


def require_additive(estimator: Estimator, moments: Moments) -> None:
    """Refuse estimators that need more of the answers to a scan than their moments.

    Raises
    ------
    EstimationError
        With the way out.
    """
    refusal = (
        f"{estimator.label} needs more of the answers than the means and covariances that a scan "
        "adds up; fit a sample of stated size, such as csi.fit(model, scan.sample(100_000, rng=1), "
        "estimator)."
    )
    if estimator.needs_answers or estimator.policy is not None:
        raise EstimationError(refusal)
    try:
        estimator.require(moments)
    except EstimationError as error:
        raise EstimationError(refusal) from error


def answers_of(estimator: Estimator, survey: Survey, model: Model) -> Answers:
    """Return the answers to a model's items under the estimator's policy or the survey's."""
    if estimator.policy is None:
        return survey.answers(model.answered_blocks)
    answers = replace(survey, missing=estimator.policy).answers(model.answered_blocks)
    return replace(answers, findings=tuple(_kept(f, estimator.label) for f in answers.findings))


def _kept(finding: Finding, label: str) -> Finding:
    """Say of missing cells that the estimator allows for them."""
    if finding.code != "cells-missing":
        return finding
    template = (
        "{cells} missing cell is allowed for by {estimator}: {items}."
        if finding.count == 1
        else "{cells} missing cells are allowed for by {estimator}: {items}."
    )
    values = {**finding.values, "estimator": label}
    return Finding("cells-missing", template, finding.subjects, "note", finding.count, values)
