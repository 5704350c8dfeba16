"""The whole chain of a random-intercept model: whole firms are drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import InferenceError, OptionError
from csimodel.estimators import Fit
from csimodel.index import point_weights, respondent_points
from csimodel.inference import Bootstrap
from csimodel.outcomes.kernels.glm import Ending
from csimodel.outcomes.kernels.random_intercept import random_intercept_draws
from csimodel.outcomes.models.mixed.customers import Customers

Floats = NDArray[np.float64]

_TOGETHER = 2**20  # draws times customers handled at once
_FEWEST = 20  # usable draws below which no interval is given


def mixed_draws(
    bootstrap: Bootstrap, customers: Customers, index: str, by: str
) -> tuple[Floats, Floats]:
    """Return coefficients and mean columns of the design in the usable draws, (draws, terms).

    Raises
    ------
    OptionError
        When the draws are not of whole firms, or answers are missing.
    InferenceError
        When fewer than 20 draws are usable.
    """
    fit = bootstrap.fit
    _require_firms(bootstrap, customers, by)
    bootstrap.require_usable()
    points = _points(fit, index)[customers.rows]
    block = fit.model.slices[fit.model.construct_names.index(index)]
    weights = point_weights(bootstrap.solution)[:, block]
    first = customers.rows[customers.starts]
    y = customers.outcome
    found, rows, ending = [], [], []
    together = max(1, _TOGETHER // customers.n)
    design = bootstrap.design
    for number in range(design.blocks):
        span = design.span(number)
        own = np.flatnonzero(bootstrap.usable[span])
        counts = design.counts(number)[:, first]
        for begin in range(0, len(own), together):
            part = own[begin : begin + together]
            times = counts[part]
            x = weights[part + span.start] @ points.T
            b, means, how = _solved(customers, x, y, times)
            found.append(b)
            rows.append(means)
            ending.append(how)
    b, means, how = np.concatenate(found), np.concatenate(rows), np.concatenate(ending)
    good = how == Ending.CONVERGED
    if good.sum() < _FEWEST:
        raise InferenceError(
            f"Only {int(good.sum())} of {len(good)} draws have a mixed model, and intervals need "
            f"at least {_FEWEST}; take more draws or fewer controls."
        )
    return b[good], means[good]


def _solved(
    customers: Customers, x: Floats, y: Floats, times: Floats
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Fit draws with columns standardised as in the sample; coefficients, mean columns, endings."""
    size = customers.size.astype(np.float64)
    means = np.add.reduceat(x, customers.starts, axis=1) / size
    between = means[:, customers.firm]
    design = customers.design
    centre, spread = design.mean(axis=0), design.std(axis=0)
    centre[:2], spread[0] = 0.0, 1.0
    X = np.empty((len(x), customers.n, design.shape[1]))
    X[:] = (design - centre) / spread
    X[:, :, 1] = (x - between) / spread[1]
    X[:, :, 2] = (between - centre[2]) / spread[2]
    b, ending = random_intercept_draws(X, y - y.mean(), customers.starts, times)
    b = b / spread
    b[:, 0] += y.mean() - b @ centre
    heavy = times[:, customers.firm]
    means = np.einsum("dn,dnk->dk", heavy, X) / heavy.sum(axis=1, keepdims=True)
    return b, means * spread + centre, ending


def _points(fit: Fit, index: str) -> Floats:
    answers = fit.require_answers("whole-chain intervals")
    block = fit.model.slices[fit.model.construct_names.index(index)]
    if np.isnan(answers.values[:, block]).any():
        raise OptionError(
            f"Whole-chain intervals of a mixed model need complete answers to the items of "
            f"{index!r}; read the survey with missing='listwise'."
        )
    return respondent_points(answers, fit.moments)[:, block]


def _require_firms(bootstrap: Bootstrap, customers: Customers, by: str) -> None:
    cluster = bootstrap.design.cluster
    if cluster is not None:
        own = cluster[customers.rows]
        if (own == own[customers.starts][customers.firm]).all():
            return
    raise OptionError(
        f"Whole-chain intervals of a mixed model need draws of whole groups of {by!r}; make them "
        f"from a survey with read_survey(..., cluster={by!r})."
    )
