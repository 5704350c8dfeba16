"""Stone and Geisser's Q² by blindfolding: answers left out, filled and predicted again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.assessment.prediction.held_out import require_predictive
from csimodel.bounds import THRESHOLDS
from csimodel.endings import count_reasons, told_reasons
from csimodel.errors import OptionError
from csimodel.estimators import Fit, Status
from csimodel.estimators.requirements import require_complete
from csimodel.findings import Finding, tell
from csimodel.floats import own_errstate
from csimodel.moments import Moments
from csimodel.options import require_count
from csimodel.survey import Answers

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]

_SIZES = ("none", "small", "medium", "large")
_ONE_LOST = (
    "In {lost} of {total} rounds of blindfolding there is no solution ({reasons}), so {names} has "
    "no Q²."
)
_LOST = (
    "In {lost} of {total} rounds of blindfolding there is no solution ({reasons}), so {names} have "
    "no Q²."
)


@own_errstate
@checked
def blindfold(fit: Fit, distance: int = 7) -> pd.DataFrame:
    """Return the cross-validated redundancy of each construct that others explain (Q²).

    Answers to a construct's items are numbered item by item, respondent by respondent, and every
    `distance`-th is left out: once those numbered 1, 1 + distance, …, then those from 2 on, and so
    on, so that each is left out once. What is left out counts as the item's mean over the others,
    the model is fitted again, and the answer is predicted from the construct's antecedents.

    Parameters
    ----------
    fit
        By PLS, of a survey or data frame with complete answers.
    distance
        The omission distance, usually 5 to 12. It must not divide the number of respondents, since
        otherwise all answers of the same respondents would be left out together.

    Returns
    -------
    DataFrame
        A row an endogenous construct: q2; sse and sso, what it is made of; answers, how many were
        predicted; size, ``"large"`` from .50, ``"medium"`` from .25, ``"small"`` above 0 and
        ``"none"`` at 0 and below (Hair et al. 2019), ``"not judged"`` without a number.

    Raises
    ------
    OptionError
        For a distance that leaves nothing in or divides the number of respondents, and fits
        without scores that are weighted sums of answers.
    SurveyError
        For answers with gaps, and fits made from moments.
    ModelError
        For models with products or constructs of constructs.

    Warns
    -----
    CsimodelWarning
        For constructs of which a round has no solution: they have no number.

    Notes
    -----
    ``Q² = 1 - ΣSSE/ΣSSO``, sums over rounds and items of ``((x - x̂)/s)²`` and ``((x - m)/s)²``,
    with m the mean of the answers left in, s the item's standard deviation in the whole sample, and
    ``x̂ = m + s_g λ_g Σ b_g y_g``: standard deviation s_g, loading λ_g, paths b_g and scores y_g of
    the antecedents are those of the filled sample. Of a single item that is the regression on its
    antecedents' scores in the filled sample. Survey weights enter all means and sums.

    Programs number answers otherwise, and so leave out others: semPLS gives Satisfaction in the
    ECSI data .4523 at distance 7, openpls .4582; here it is as computed by hand in the tests. For
    prediction of new respondents, which blindfolding is not (it fills in what it predicts, and fits
    to that), see `csimodel.predict`.

    References
    ----------
    Stone, M. (1974). Cross-validatory choice and assessment of statistical predictions. Journal of
    the Royal Statistical Society B 36, 111-147. https://doi.org/10.1111/j.2517-6161.1974.tb00994.x

    Geisser, S. (1974). A predictive approach to the random effect model. Biometrika 61, 101-107.
    https://doi.org/10.1093/biomet/61.1.101

    Chin, W. W. (1998). The partial least squares approach to structural equation modeling. In
    Marcoulides, G. A. (ed.), Modern Methods for Business Research, 295-336.

    Hair, J. F., Risher, J. J., Sarstedt, M., Ringle, C. M. (2019). When to use and how to report
    the results of PLS-SEM. European Business Review 31, 2-24.
    https://doi.org/10.1108/EBR-11-2018-0203

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> csi.assessment.blindfold(fit, distance=7)["size"].to_dict()["Satisfaction"]
    'medium'
    """
    fit = require_predictive(fit, "blindfold")
    answers = fit.require_answers("blindfold")
    require_complete(answers, "blindfold")
    distance = _checked_distance(distance, len(answers.values))
    model = fit.model
    targets = np.flatnonzero(model.adjacency.any(axis=1)).tolist()
    names = [model.construct_names[target] for target in targets]
    sums, lost = np.empty((len(targets), 2)), dict[str, pd.Series]()
    for place, (target, name) in enumerate(zip(targets, names, strict=True)):
        sums[place], reasons = _construct_sums(fit, answers, target, distance)
        if len(reasons):
            lost[name] = reasons
    tell(_about_lost(lost, distance))
    with np.errstate(invalid="ignore", divide="ignore"):
        q2 = 1.0 - sums[:, 0] / sums[:, 1]
    columns = {
        "q2": q2,
        "sse": sums[:, 0],
        "sso": sums[:, 1],
        "answers": [len(answers.values) * len(model.blocks[name]) for name in names],
        "size": [_size(value) for value in q2.tolist()],
    }
    return pd.DataFrame(columns, pd.Index(names, name="construct"))


def _checked_distance(distance: int, rows: int) -> int:
    """Return the omission distance.

    Raises
    ------
    OptionError
        For one below 2, one that divides the number of respondents or leaves too few in.
    """
    own = require_count("distance", distance, least=2)
    if own >= rows:
        raise OptionError(
            f"distance={own} is not below the number of respondents ({rows}), so an item could "
            "lose no answer or all; usual are 5 to 12."
        )
    if rows % own == 0:
        other = next(another for another in range(7, rows + 8) if rows % another)
        raise OptionError(
            f"distance={own} divides the number of respondents ({rows}), so that all answers of "
            f"the same respondents would be left out together; use another, such as {other}."
        )
    return own


def _construct_sums(
    fit: Fit, answers: Answers, target: int, distance: int
) -> tuple[Floats, pd.Series]:
    """Return SSE and SSO of one construct, and how many rounds have no solution, by reason."""
    block = fit.model.slices[target]
    rows, size = len(answers.values), block.stop - block.start
    order = [answers.items.index(item) for item in fit.model.items[block]]
    number = np.arange(rows * size).reshape(size, rows).T
    held = [number % distance == start for start in range(distance)]
    weights = answers.row_weights
    filled = [_filled(answers, order, own, weights) for own in held]
    moments = Moments.join([fit.estimator.moments_of(own).lifted() for own in filled])
    solution = fit.estimator.solve(moments, fit.model, fit.estimates)
    reasons = count_reasons(Status, solution.estimates.outcome)
    if len(reasons):
        return np.full(2, np.nan), reasons
    truth, sd = answers.values[:, order], fit.moments.sd[block]
    sums = np.zeros(2)
    for place, (own, out) in enumerate(zip(filled, held, strict=True)):
        own_round = solution[place]
        score = own_round.scores(own) @ own_round.estimates.paths[target]
        mean = own.values[:, order]  # where left out
        scale = own_round.moments.sd[block] * own_round.estimates.loadings[block]
        shares = out * weights[:, None] / sd**2
        errors = truth - mean - scale * score[:, None], truth - mean
        sums += [float((shares * each**2).sum()) for each in errors]
    return sums, reasons


def _filled(answers: Answers, order: list[int], out: Truths, weights: Floats) -> Answers:
    """Return answers in which those left out are the means of the others."""
    values = answers.values.copy()
    kept = np.where(out, 0.0, weights[:, None])
    own = values[:, order]
    means = (kept * own).sum(axis=0) / kept.sum(axis=0)
    values[:, order] = np.where(out, means, own)
    return replace(answers, values=values)


def _size(q2: float) -> str:
    """Return what a Q² is called."""
    if not np.isfinite(q2):
        return "not judged"
    reached = q2 > 0.0, q2 >= THRESHOLDS["q2 medium"].value, q2 >= THRESHOLDS["q2 large"].value
    return _SIZES[sum(reached)]


def _about_lost(lost: dict[str, pd.Series], distance: int) -> Iterator[Finding]:
    """Name the constructs without a number."""
    if not lost:
        return
    names = tuple(lost)
    total = pd.concat(list(lost.values())).groupby(level=0).sum()
    count = int(total.sum())
    reasons = told_reasons(total)
    yield Finding(
        "lost-rounds",
        _ONE_LOST if len(names) == 1 else _LOST,
        names,
        "warning",
        count,
        {"lost": count, "total": distance * len(names), "reasons": reasons, "names": names},
    )
