"""How items are predicted: by the path model, by regressions on items, by averages.

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

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import Solution, Status
from csimodel.estimators.weighting import inverse_of
from csimodel.model import Model

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
Codes = NDArray[np.intp]

Technique = Literal["direct", "earliest"]
Method = Literal["pls-direct", "pls-earliest", "lm-direct", "lm-earliest", "average"]
METHODS: tuple[Method, ...] = get_args(Method)


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
    direct = model.adjacency
    if technique == "direct":
        return direct
    reach, steps = direct, direct
    for _ in range(len(direct)):
        steps = (steps.astype(np.intp) @ direct.astype(np.intp)) > 0
        reach = reach | steps
    return np.asarray(reach & ~explained(model))


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
    places = predicted_items(solution.model)
    by_score = np.swapaxes(effects(solution, technique), -1, -2)[..., solution.model.owner[places]]
    size = (solution.estimates.loadings * solution.moments.sd)[..., None, places]
    slopes = score_weights(solution) @ by_score * size
    lost = solution.estimates.outcome != Status.CONVERGED
    return np.where(lost[..., None, None], np.nan, slopes)


def regression_slopes(solution: Solution, technique: Technique) -> Floats:
    """Return slopes by least squares on the items of the antecedents, (..., items, predicted).

    NaN where these items carry the same information, or one does not vary.
    """
    model, places = solution.model, predicted_items(solution.model)
    cov, sd = solution.moments.cov, solution.moments.sd
    slopes = np.zeros((*cov.shape[:-1], len(places)))
    sources = antecedents(model, technique)
    for target in np.flatnonzero(explained(model)):
        inputs = np.flatnonzero(sources[target, model.owner])
        columns = np.flatnonzero(model.owner[places] == target)
        scale = sd[..., inputs]
        with np.errstate(invalid="ignore", divide="ignore"):
            between = cov[..., inputs[:, None], inputs] / scale[..., None] / scale[..., None, :]
        known = np.asarray(np.isfinite(between).all(axis=(-2, -1)))[..., None, None]
        inverse = inverse_of(np.where(known, between, np.eye(len(inputs))))
        with np.errstate(invalid="ignore", divide="ignore"):
            sides = cov[..., inputs[:, None], places[columns]] / scale[..., None]
            own = inverse @ sides / scale[..., None]
        slopes[..., inputs[:, None], columns] = np.where(known, own, np.nan)
    return slopes


def slopes_of(solution: Solution) -> Floats:
    """Return the slopes of all methods but the average, (..., items, 4, items predicted)."""
    each = [
        path_slopes(solution, "direct"),
        path_slopes(solution, "earliest"),
        regression_slopes(solution, "direct"),
        regression_slopes(solution, "earliest"),
    ]
    return np.stack(each, axis=-2)


def inputs_of(model: Model) -> Truths:
    """Return the items whose answers each prediction needs, (items, 4, items predicted)."""
    places = predicted_items(model)
    techniques: tuple[Technique, ...] = get_args(Technique)
    own = [antecedents(model, technique).T[model.owner][:, model.owner[places]]
           for technique in techniques]  # fmt: skip
    return np.stack(own * 2, axis=1)
