"""Whether a hazard ratio is the same at all times."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import choose
from csimodel.outcomes.kernels.cox_influence import HazardInfluence
from csimodel.outcomes.kernels.hazard_terms import by_slot, second_sums
from csimodel.outcomes.kernels.risk_sets import RiskSets
from csimodel.outcomes.models.duration.regression import CoxRegression
from csimodel.significance import wald_pvalue

Floats = NDArray[np.float64]

TRANSFORMS = ("km", "identity", "log")


def proportional_hazards(regression: CoxRegression, transform: str = "km") -> pd.DataFrame:
    """Test each hazard ratio, and all, against a change in proportion to a function g of time.

    The score test of an effect that changes in proportion to g: Schoenfeld's residuals,
    ``U = Σ g (x - x̄)`` over events, with the information of slope and change together, exact for
    the ties' method as in R's survival since version 3. Survey weights count, clusters do not.

    Parameters
    ----------
    regression
        A proportional hazard.
    transform
        g: ``"km"`` for one less the Kaplan-Meier curve (of all rows, without weights) just before
        the time, ``"identity"`` for the time, ``"log"`` for its logarithm.

    Returns
    -------
    DataFrame
        Rows regressors and ``"all together"``; columns chi2, df, p.

    Raises
    ------
    OptionError
        For an unknown transform.

    References
    ----------
    Grambsch, P. M., Therneau, T. M. (1994). Proportional hazards tests and diagnostics based on
    weighted residuals. Biometrika 81, 515-526. https://doi.org/10.1093/biomet/81.3.515

    Schoenfeld, D. (1982). Partial residuals for the proportional hazards regression model.
    Biometrika 69, 239-241. https://doi.org/10.1093/biomet/69.1.239
    """
    choose("transform", transform, TRANSFORMS)
    names = [*regression.sample.names, "all together"]
    if not np.isfinite(regression.coefficients).all() or len(regression.risk.time) < 2:
        return pd.DataFrame(np.nan, names, ["chi2", "df", "p"])
    time = regression.risk.time
    if transform == "log":
        time = np.log(np.maximum(time, np.finfo(np.float64).tiny))
    passing = time if transform != "km" else _left_of(regression)
    chi2, df, p = _score_tests(regression.hazard, passing)
    return pd.DataFrame({"chi2": chi2, "df": df, "p": p}, names)


def _score_tests(hazard: HazardInfluence, passing: Floats) -> tuple[Floats, Floats, Floats]:
    """Return χ² of each regressor and of all, degrees of freedom and p, (regressors + 1,)."""
    risk, terms, x = hazard.risk, hazard.terms, hazard.columns
    p, counted = x.shape[1], risk.counted
    spread = np.empty((len(risk.time), p, p))
    for j in range(p):
        for k in range(j, p):
            both = second_sums(risk, terms, x[None, :counted, j], x[None, :counted, k])
            both = both - terms.means[j] * terms.means[k]
            spread[:, j, k] = spread[:, k, j] = by_slot(risk, terms.share * both)[0]
    moved = passing[:, None, None] * spread
    plain, crossed = spread.sum(axis=0), moved.sum(axis=0)
    squared = (passing[:, None, None] * moved).sum(axis=0)
    score = passing @ _residuals(hazard)
    df = np.append(np.ones(p), float(p))
    if not np.isfinite(plain).all() or np.linalg.matrix_rank(plain) < p:
        nothing = np.full(p + 1, np.nan)  # events that leave a regressor no spread
        return nothing, df, nothing
    inner = squared - crossed @ np.linalg.solve(plain, crossed)
    alone = np.empty(p)
    for j in range(p):
        own = squared[j, j] - crossed[j] @ np.linalg.solve(plain, crossed[j])
        alone[j] = score[j] ** 2 / own
    together = np.nan
    if np.isfinite(inner).all() and np.linalg.matrix_rank(inner) == p:
        together = float(score @ np.linalg.solve(inner, score))
    every = np.append(alone, together)
    chances = [
        wald_pvalue(float(statistic), int(k)) for statistic, k in zip(every, df, strict=True)
    ]
    return every, df, np.array(chances)


def _residuals(hazard: HazardInfluence) -> Floats:
    """Return weighted Schoenfeld residuals summed within slots, (slots, regressors)."""
    risk, terms = hazard.risk, hazard.terms
    own = risk.at_events((hazard.columns * hazard.weights[:, None]).T)
    mean = [by_slot(risk, terms.share * column)[0] for column in terms.means]
    return np.asarray(own.T - np.stack(mean, axis=1))


def _left_of(regression: CoxRegression) -> Floats:
    """Return one less the Kaplan-Meier curve just before each slot, strata pooled, (slots,)."""
    risk = regression.risk
    pooled = RiskSets.of(*regression.observed)
    ones = np.ones((1, regression.sample.n))
    stays = np.cumprod(1.0 - pooled.at_events(ones)[0] / pooled.at_risk(ones)[0])
    before = np.append(1.0, stays[:-1])
    return np.asarray(1.0 - before[np.searchsorted(pooled.time, risk.time)])
