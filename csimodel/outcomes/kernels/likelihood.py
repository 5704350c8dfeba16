"""Fits with more than coefficients: beta regression and ordered answers, one sample at a time.

statsmodels' BetaModel and OrderedModel take no survey weights and stop at a gradient of about
1e-5, so that the kernels of the draws fit the sample, too; the tests hold them to statsmodels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.beta import Beta, beta_start, beta_terms
from csimodel.outcomes.kernels.families import LOGIT, Family
from csimodel.outcomes.kernels.glm import GeneralisedLinear, regress_draws
from csimodel.outcomes.kernels.kernel import Ending, Kernel, Samples, Standardised
from csimodel.outcomes.kernels.ordered import Ordered, ordered_terms
from csimodel.outcomes.kernels.score_errors import Likelihood, pieces_information
from csimodel.outcomes.rows.sample import Ordering, Sample

Floats = NDArray[np.float64]


def fit_further(sample: Sample, family: Family) -> tuple[Floats, Floats, Ending]:
    """Return coefficients, thresholds or log precision, and how the fit ended.

    Coefficients are NaN when they have no finite value.
    """
    centre, spread = sample.regressors.mean(axis=0), sample.regressors.std(axis=0)
    weights = (np.ones(sample.n) if sample.weights is None else sample.weights)[None, :]
    columns, codes, cut = list(sample.regressors.T), None, 0
    outcomes = outcomes_of(family, sample.outcome)
    if sample.ordering is None:
        x = (sample.regressors - centre) / spread
        first = regress_draws(LOGIT, sample.outcome, list(x.T), weights, np.zeros(1 + len(spread)))
        eta = first.coefficients[0, 0] + x @ first.coefficients[0, 1:]
        start = np.append(first.coefficients[0], beta_start(sample.outcome, weights[0], eta))
    else:
        first_ones = first_thresholds(family, sample.ordering, weights[0])
        start = np.append(first_ones, np.zeros(len(spread)))
        order = np.argsort(sample.ordering.codes, kind="stable")
        codes, cut = sample.ordering.codes[order], sample.ordering.cut
        columns, weights = [column[order] for column in columns], weights[:, order]
    kernel = Standardised(
        kernel_of(family, start, codes, cut), centre, spread, thresholds=codes is not None
    )
    whole = kernel.fit(Samples(np.zeros(1, dtype=np.intp), columns, weights, outcomes))
    assert whole.further is not None
    ending = Ending(int(whole.ending[0]))
    b, further = whole.coefficients[0], whole.further[0]
    if ending in (Ending.SEPARATED, Ending.SINGULAR):
        b, further = np.full_like(b, np.nan), np.full_like(further, np.nan)
    return b, further, ending


def kernel_of(
    family: Family, start: Floats, codes: NDArray[np.intp] | None = None, cut: int = 0
) -> Kernel:
    """Return the kernel of a family.

    Parameters
    ----------
    family
        What to fit.
    start
        Where draws start, in standard units; see `standardised_start`.
    codes, cut
        Categories of ordered answers, rising, (cells,), and the first that counts.
    """
    if family.further == "thresholds":
        assert codes is not None
        return Ordered(family, codes, cut, start, int(codes.max()))
    return Beta(start) if family.further == "precision" else GeneralisedLinear(family, start)


def outcomes_of(family: Family, outcome: Floats) -> list[Floats]:
    """Return what a family's kernel asks for of the outcome, each of its shape."""
    return list(beta_statistics(outcome)) if family.further == "precision" else [outcome]


def standardised_start(
    family: Family, coefficients: Floats, further: Floats | None, centre: Floats, spread: Floats
) -> Floats:
    """Return where the draws start, in standardised units: the fit of the whole sample."""
    slopes = coefficients[1:] * spread
    shift = coefficients[1:] @ centre
    if further is not None and family.further == "thresholds":
        start = np.concatenate([further - shift, slopes])
    else:
        start = np.append(coefficients[0] + shift, slopes)
        start = start if further is None else np.append(start, further)
    return start if np.isfinite(start).all() else np.zeros(len(start))


def beta_statistics(outcome: Floats) -> tuple[Floats, Floats]:
    """Return ``log(y/(1-y))`` and ``log(1-y)``."""
    return np.log(outcome) - np.log1p(-outcome), np.log1p(-outcome)


def first_thresholds(family: Family, ordering: Ordering, weights: Floats) -> Floats:
    """Return thresholds of a regression without regressors."""
    from scipy.special import logit, ndtri

    share = np.bincount(ordering.codes, weights) / weights.sum()
    below = np.cumsum(share)[:-1]
    return np.asarray((ndtri if family.name == "ordered-probit" else logit)(below))


def further_likelihood(
    family: Family, sample: Sample, coefficients: Floats, further: Floats
) -> Likelihood:
    """Return scores and observed information of all parameters.

    Thresholds, then slopes for ordered answers; coefficients, then the logarithm of the precision
    for beta.
    """
    if family.further == "precision":
        score, pieces = _beta_pieces(sample, coefficients, further)
    else:
        score, pieces = _ordered_pieces(family, sample, coefficients, further)
    weights = np.ones(sample.n) if sample.weights is None else sample.weights

    def without() -> Floats:
        own = pieces * weights[:, None, None]
        left = own.sum(axis=0) - own
        return np.linalg.solve(left, (score * weights[:, None])[:, :, None])[:, :, 0]

    return Likelihood(score, pieces_information(pieces), sample.weights, 1.0, without)


def _beta_pieces(sample: Sample, coefficients: Floats, further: Floats) -> tuple[Floats, Floats]:
    """Return each respondent's score, (rows, k), and information, (rows, k, k)."""
    X = np.column_stack([np.ones(sample.n), sample.regressors])
    terms = beta_terms(X @ coefficients, further, *beta_statistics(sample.outcome), expected=False)
    score = np.column_stack([X * terms.by_eta[:, None], terms.by_tau])
    k = X.shape[1]
    pieces = np.empty((sample.n, k + 1, k + 1))
    pieces[:, :k, :k] = terms.eta_eta[:, None, None] * X[:, :, None] * X[:, None, :]
    pieces[:, :k, k] = pieces[:, k, :k] = terms.eta_tau[:, None] * X
    pieces[:, k, k] = terms.tau_tau
    return score, pieces


def _ordered_pieces(
    family: Family, sample: Sample, coefficients: Floats, further: Floats
) -> tuple[Floats, Floats]:
    """Return each respondent's score, (rows, k), and information, (rows, k, k)."""
    assert sample.ordering is not None
    codes, x = sample.ordering.codes, sample.regressors
    eta = x @ coefficients[1:]
    ends = np.concatenate([[-np.inf], further, [np.inf]])
    terms = ordered_terms(family, ends[codes + 1] - eta, ends[codes] - eta)
    edges = np.eye(len(further) + 2)[:, 1:-1]
    # every parameter moves the upper edge, the lower edge or η of a respondent
    up = np.column_stack([edges[codes + 1], np.zeros_like(x)])
    low = np.column_stack([edges[codes], np.zeros_like(x)])
    across = np.column_stack([np.zeros((len(x), len(further))), x])
    score = terms.up[:, None] * up + terms.low[:, None] * low + terms.eta[:, None] * across
    moves = np.stack([up, low, across], axis=1)
    inner = np.empty((len(x), 3, 3))
    inner[:, 0, 0], inner[:, 1, 1], inner[:, 2, 2] = terms.up_up, terms.low_low, terms.eta_eta
    inner[:, 0, 1] = inner[:, 1, 0] = terms.up_low
    inner[:, 0, 2] = inner[:, 2, 0] = terms.up_eta
    inner[:, 1, 2] = inner[:, 2, 1] = terms.low_eta
    return score, np.einsum("rai,rab,rbj->rij", moves, inner, moves, optimize=True)
