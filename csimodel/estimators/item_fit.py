"""A fit of a model with terms seen as one of items alone."""

from __future__ import annotations

from csimodel.estimators.fit import Fit
from csimodel.estimators.item_solution import ItemEstimator, answers_in_order, item_solution
from csimodel.model import Model


def item_fit(fit: Fit) -> Fit:
    """Return a fit as one of items alone; itself where its model has no terms."""
    if not fit.model.terms:
        return fit
    solution, answers = item_solution(fit.solution), fit.answers
    if answers is not None:
        answers = answers_in_order(answers, solution.model.items)
    return Fit(solution, fit.survey, answers)


def estimated_model(fit: Fit) -> Model:
    """Return the model that a fit is estimated by, also where the fit is seen as of items alone."""
    estimator = fit.estimator
    return estimator.specification if isinstance(estimator, ItemEstimator) else fit.model
