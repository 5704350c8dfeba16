"""Tests of the fit of a regression: sums of residuals in groups, and the link."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.outcomes.kernels.robust import OF_DESIGN
from csimodel.outcomes.kernels.wald import outcome_of_test, wald
from csimodel.outcomes.models.regression import Regression, regress
from csimodel.outcomes.rows.ties import settled
from csimodel.significance import wald_pvalue

Floats = NDArray[np.float64]


def goodness(regression: Regression, group: NDArray[np.intp]) -> dict[str, pd.Series]:
    """Test that residuals sum to about zero in groups of respondents.

    ``d' V⁻ d`` with d the weighted sums of scores in the groups and V their robust covariance,
    each group's indicator less its weighted projection on the regressors: of clusters, strata and
    a finite population that of the sampling design, and the test Hotelling's (`wald`). No test
    (NaN) where the regressors fit every group exactly, or where there are not more degrees of
    freedom than independent sums.

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
    sample, scores = regression.sample, regression.scores
    largest = np.bincount(group, scores.pull**2).max()  # before estimation
    Z = scores.beyond(np.eye(int(group.max()) + 1)[group])
    pulls = Z * scores.pull[:, None]
    of_design = regression.errors in OF_DESIGN
    design = regression.design_of_sample
    pulls = design.totals(pulls)
    V, d = design.covariance(pulls) if of_design else pulls.T @ pulls, pulls.sum(axis=0)
    values, directions = np.linalg.eigh(V)
    kept = values > 1e-9 * max(values[-1], largest)
    sums, df = (directions.T @ d)[kept], float(design.df) if of_design else float("inf")
    free = np.linalg.eigvalsh(Z.T @ (scores.heavy[:, None] * Z))
    whole = not of_design or (free > 1e-9 * free[-1]).sum() <= kept.sum()
    measures = {
        "fit by groups": wald(sums, np.diag(values[kept]), df, design=of_design)
        if kept.any() and whole
        else outcome_of_test(float("nan"), "none", float("nan"))
    }
    plain = sample.weights is None and regression.cluster is None and regression.family.bounded
    groups = int(group.max()) + 1
    if plain and np.isin(sample.outcome, (0.0, 1.0)).all() and groups > 2:
        mean = regression.expected
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
