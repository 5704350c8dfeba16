"""Tests of the fit of a regression: sums of residuals in groups, and the link."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.outcomes.kernels.wald import outcome_of_test
from csimodel.outcomes.models.regression import Regression, regress
from csimodel.outcomes.rows.ties import settled
from csimodel.significance import wald_pvalue

Floats = NDArray[np.float64]


def goodness(regression: Regression, group: NDArray[np.intp]) -> dict[str, pd.Series]:
    """Test that residuals sum to about zero in groups of respondents.

    ``d' V⁻ d`` with d the weighted sums of scores in the groups and V their robust covariance,
    each group's indicator less its weighted projection on the regressors. No test (NaN) where the
    regressors fit every group exactly.

    Parameters
    ----------
    regression
        The regression.
    group
        Codes 0, 1, … of each respondent's group, (rows,).

    Returns
    -------
    dict
        ``"fit by groups"``, and ``"Hosmer-Lemeshow"`` for answers of 0 and 1 without weights or
        clusters: ``Σ (O - E)²/(n μ (1 - μ))``, χ² with groups - 2 degrees of freedom.
    """
    sample = regression.sample
    weights = np.ones(sample.n) if sample.weights is None else sample.weights
    score, information, _ = regression.family.working(regression.eta, sample.outcome)
    X, w = regression.design, (weights * information)[:, None]
    Z = np.eye(int(group.max()) + 1)[group]
    largest = np.bincount(group, (weights * score) ** 2).max()  # before estimation
    Z -= X @ np.linalg.solve(X.T @ (w * X), X.T @ (w * Z))
    pulls = Z * (weights * score)[:, None]
    if regression.cluster is not None:
        pulls = np.stack([np.bincount(regression.cluster, column) for column in pulls.T], axis=1)
    V, d = pulls.T @ pulls, pulls.sum(axis=0)
    values, directions = np.linalg.eigh(V)
    kept = values > 1e-9 * max(values[-1], largest)
    statistic = float(((directions.T @ d)[kept] ** 2 / values[kept]).sum())
    count = int(kept.sum())
    measures = {
        "fit by groups": outcome_of_test(statistic, f"χ²({count})", wald_pvalue(statistic, count))
        if count
        else outcome_of_test(float("nan"), "none", float("nan"))
    }
    plain = sample.weights is None and regression.cluster is None and regression.family.bounded
    groups = int(group.max()) + 1
    if plain and np.isin(sample.outcome, (0.0, 1.0)).all() and groups > 2:
        mean = regression.family.mean(regression.eta)
        size, expected = np.bincount(group), np.bincount(group, mean)
        gap = np.bincount(group, sample.outcome) - expected
        classic = float((gap**2 / (expected * (1.0 - expected / size))).sum())
        p = wald_pvalue(classic, groups - 2)
        measures["Hosmer-Lemeshow"] = outcome_of_test(classic, f"χ²({groups - 2})", p)
    return measures


def link_test(regression: Regression) -> pd.Series:
    """Test the square of the linear predictor as one more regressor.

    References
    ----------
    Pregibon, D. (1980). Goodness of link tests for generalized linear models. Applied Statistics
    29, 15-24. https://doi.org/10.2307/2346405
    """
    sample, eta = regression.sample, regression.eta
    centred = (eta - sample.share @ eta) / eta.std()
    square = centred**2
    if len(np.unique(settled(centred))) < 3:
        return outcome_of_test(float("nan"), "none", float("nan"))
    wider = replace(
        sample,
        regressors=np.column_stack([sample.regressors, square]),
        names=(*sample.names, "η²"),
    )
    fitted = regress(wider, regression.family, regression.errors)
    return fitted.test(np.eye(fitted.terms)[-1:])
