"""How items are predicted from the answers of respondents that a fit does not know.

All are linear in the answers of a respondent, ``m + (x - m) C`` with m the means of the sample that
the slopes C come from, so that respondents who were held out cost one matrix product.

References
----------
Shmueli, G., Ray, S., Velasquez Estrada, J. M., Chatla, S. B. (2016). The elephant in the room:
predictive performance of PLS models. Journal of Business Research 69, 4552-4564.
https://doi.org/10.1016/j.jbusres.2016.03.049

Danks, N. P. (2021). The piggy in the middle: the role of mediators in PLS-SEM-based prediction.
ACM SIGMIS Database 52, 24-42. https://doi.org/10.1145/3505639.3505644
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.estimates import Status
from csimodel.estimators.solution import Solution
from csimodel.estimators.structural import descent
from csimodel.model import Model
from csimodel.survey import Answers

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
Codes = NDArray[np.intp]

Technique = Literal["direct", "earliest"]
TECHNIQUES: tuple[Technique, ...] = get_args(Technique)


def predicted_items(model: Model) -> Codes:
    """Return the places of the items of constructs that others explain."""
    return np.flatnonzero(explained(model)[model.owner])


def explained(model: Model) -> Truths:
    """Mark the constructs that others explain."""
    return np.asarray(model.adjacency.any(axis=1))


def antecedents(model: Model, technique: Technique) -> Truths:
    """Return which constructs each is predicted from, (targets, sources).

    Its direct antecedents, or the exogenous constructs that lead to it, by whatever way.
    """
    if technique == "direct":
        return model.adjacency
    return np.asarray(descent(model) & ~explained(model))


def effects(solution: Solution, technique: Technique) -> Floats:
    """Return what scores are predicted by, (..., targets, sources): paths, or total effects."""
    if technique == "direct":
        return solution.estimates.paths
    return np.asarray(solution.total_effects * antecedents(solution.model, technique))


def score_weights(solution: Solution) -> Floats:
    """Return the weights of answers about their means in standardised scores, (..., items, scores).

    They are those of the fit: scores of respondents it does not know are made with its means,
    standard deviations and weights.
    """
    model = solution.model
    weights = np.zeros((*solution.estimates.weights.shape, len(model.constructs)))
    with np.errstate(invalid="ignore", divide="ignore"):
        own = solution.estimates.weights / solution.moments.sd
    weights[..., np.arange(len(model.items)), model.owner] = own
    return weights


def path_slopes(solution: Solution, technique: Technique) -> Floats:
    """Return the slopes of items on answers by the path model, (..., items, items predicted).

    A score is predicted from scores of its antecedents by their paths, an item by its loading times
    the score predicted, ``C = W B' Λ``, in scale units. NaN without a solution.
    """
    owner, sd = solution.model.owner, solution.moments.sd
    places = predicted_items(solution.model)
    by_score = np.swapaxes(effects(solution, technique), -1, -2)[..., owner[places]]
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = solution.estimates.weights / sd
    slopes = by_score[..., owner, :] * weights[..., None]
    slopes *= (solution.estimates.loadings * sd)[..., None, places]
    lost = solution.estimates.outcome != Status.CONVERGED
    slopes[lost] = np.nan
    return np.asarray(slopes)


class PredictedValues(NamedTuple):
    """What was predicted of respondents.

    Attributes
    ----------
    items
        (rows, items predicted), in scale units.
    scores
        (rows, constructs that others explain), in standard deviations.
    """

    items: Floats
    scores: Floats


def predicted_values(solution: Solution, answers: Answers, technique: Technique) -> PredictedValues:
    """Predict respondents from their answers to the items of antecedents.

    Parameters
    ----------
    solution
        Of one sample.
    answers
        To some of the items; missing ones count as the mean where they say so, else there is no
        prediction from them.
    technique
        Which antecedents predict.
    """
    model, moments = solution.model, solution.moments
    own = [model.items.index(item) for item in answers.items]
    centred = answers.values - moments.mean[own]
    missing = np.isnan(centred)
    scores = np.nan_to_num(centred) @ score_weights(solution)[own]
    targets, places = np.flatnonzero(explained(model)), predicted_items(model)
    predicted = scores @ effects(solution, technique)[targets].T
    if answers.missing != "mean":
        needed = antecedents(model, technique)[targets][:, model.owner[own]]
        predicted[missing.astype(np.float64) @ needed.T > 0] = np.nan
    size = (solution.estimates.loadings * moments.sd)[places]
    column = np.searchsorted(targets, model.owner[places])
    items = moments.mean[places] + predicted[:, column] * size
    return PredictedValues(items, predicted)
