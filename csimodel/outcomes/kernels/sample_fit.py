"""The regression of one sample: by the kernels of the draws, to rounding.

statsmodels' BetaModel and OrderedModel take no survey weights and stop at a gradient of about
1e-5, so that the kernels of the draws fit the sample, too; the tests hold them to statsmodels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.beta import beta_start
from csimodel.outcomes.kernels.families import LOGIT, Family
from csimodel.outcomes.kernels.glm import REGULAR, regress_draws
from csimodel.outcomes.kernels.kernel import Ending, Samples, Standardised
from csimodel.outcomes.kernels.predictor_kernels import kernel_of
from csimodel.outcomes.rows.sample import Ordering, Sample
from csimodel.quiet import quiet

Floats = NDArray[np.float64]

_SHARP = 1e-12  # largest last step of a coefficient in standard units


def fit_further(sample: Sample, family: Family) -> tuple[Floats, Floats, Ending]:
    """Return coefficients, thresholds or log precision, and how the fit ended.

    Coefficients are NaN when they have no finite value.
    """
    centre, spread = sample.regressors.mean(axis=0), sample.regressors.std(axis=0)
    weights = sample.row_weights[None, :]
    columns, codes, cut = list(sample.regressors.T), None, 0
    if sample.ordering is None:
        x = (sample.regressors - centre) / spread
        first = regress_draws(LOGIT, sample.outcome, list(x.T), weights, np.zeros(1 + len(spread)))
        start = first.coefficients[0]
        eta = start[0] + x @ start[1:]
        rest = np.array([beta_start(sample.outcome, weights[0], eta)])
    else:
        start = np.zeros(1 + len(spread))
        rest = first_thresholds(family, sample.ordering, weights[0])
        order = np.argsort(sample.ordering.codes, kind="stable")
        codes, cut = sample.ordering.codes[order], sample.ordering.cut
        columns, weights = [column[order] for column in columns], weights[:, order]
    kernel = kernel_of(family, start, rest, codes, cut)
    samples = Samples(np.zeros(1, dtype=np.intp), columns, weights, kernel.outcomes(sample.outcome))
    whole = Standardised(kernel, centre, spread, thresholds=codes is not None).fit(samples)
    assert whole.further is not None
    ending = Ending(int(whole.ending[0]))
    b, further = whole.coefficients[0], whole.further[0]
    if ending in (Ending.SEPARATED, Ending.SINGULAR):
        b, further = np.full_like(b, np.nan), np.full_like(further, np.nan)
    return b, further, ending


def first_thresholds(family: Family, ordering: Ordering, weights: Floats) -> Floats:
    """Return thresholds of a regression without regressors."""
    from scipy.special import logit, ndtri

    share = np.bincount(ordering.codes, weights) / weights.sum()
    below = np.cumsum(share)[:-1]
    return np.asarray((ndtri if family.name == "ordered-probit" else logit)(below))


def solve(
    family: Family, outcome: Floats, x: Floats, weights: Floats, centre: Floats, spread: Floats
) -> tuple[Floats, Ending]:
    """Return coefficients to rounding, NaN where there are none, and how the fit ended.

    Scoring goes on from where a first one ended; where it does not settle, statsmodels tries.

    Parameters
    ----------
    family
        With nothing to estimate but coefficients.
    outcome, x, weights
        (rows,), (rows, regressors) and (rows,).
    centre, spread
        Standard units of the regressors, (regressors,).
    """
    standard, nothing = list(((x - centre) / spread).T), np.full(1 + x.shape[1], np.nan)
    near = regress_draws(family, outcome, standard, weights[None, :], np.zeros(1 + x.shape[1]))
    if near.ending[0] == Ending.SEPARATED:
        return nothing, Ending.SEPARATED
    whole = near
    if near.ending[0] == Ending.CONVERGED:
        start = near.coefficients[0]
        whole = regress_draws(
            family, outcome, standard, weights[None, :], start, tolerance=_SHARP, max_iterations=100
        )
    if whole.ending[0] == Ending.CONVERGED:
        slopes, converged = whole.coefficients[0, 1:] / spread, True
        solution = np.append(whole.coefficients[0, 0] - slopes @ centre, slopes)
    else:
        solution, converged = by_statsmodels(family, outcome, x, weights)
    if not _informed(family, outcome, x, weights, solution):
        return nothing, Ending.SINGULAR
    return solution, Ending.CONVERGED if converged else Ending.NOT_CONVERGED


def _informed(
    family: Family, outcome: Floats, x: Floats, weights: Floats, coefficients: Floats
) -> bool:
    """Tell whether the information at a solution is regular, in columns of like size.

    It is not where a few weights outweigh all others, or most predictions are 0 or 1.
    """
    X = np.column_stack([np.ones(len(x)), x - x.mean(axis=0)])
    _, information, _ = family.working(coefficients[0] + x @ coefficients[1:], outcome)
    whole = X.T @ (X * (weights * information)[:, None])
    size = np.sqrt(np.diagonal(whole))
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = whole / np.outer(size, size)
    return bool(np.isfinite(unit).all() and np.linalg.eigvalsh(unit)[0] > REGULAR)


def by_statsmodels(
    family: Family, outcome: Floats, x: Floats, weights: Floats
) -> tuple[Floats, bool]:
    """Return coefficients of least squares or of a binomial model, and whether they converged."""
    from statsmodels.genmod.families import Binomial, links
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.regression.linear_model import WLS

    design = np.column_stack([np.ones(len(x)), x])
    if not family.bounded:
        return np.asarray(WLS(outcome, design, weights=weights).fit().params), True
    known: dict[str, Callable[[], object]] = {"probit": links.Probit, "cloglog": links.CLogLog}
    link = known.get(family.name.removeprefix("fractional-"), links.Logit)()
    model = GLM(outcome, design, family=Binomial(link=link), var_weights=weights)
    with quiet():  # separation and columns without information are told by `regress`
        result = model.fit(tol=1e-12, tol_criterion="params", maxiter=100)
    return np.asarray(result.params), bool(result.converged)
