"""Groups of like predictions, calibration intercept and slope, and the smooth curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.inference.infer import infer
from csimodel.inference.sources import StandardErrors
from csimodel.outcomes.design.basis import KNOTS, Basis, quantiles_of
from csimodel.outcomes.kernels.families import FRACTIONAL_LOGIT, OLS
from csimodel.outcomes.kernels.group_means import group_means
from csimodel.outcomes.kernels.robust import OF_DESIGN
from csimodel.outcomes.models.regression import Regression, regress
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.rows.sample import Sample
from csimodel.outcomes.rows.ties import settled

Floats = NDArray[np.float64]

_EDGE = 1e-6  # predictions are kept this far from 0 and 1 on log-odds


def groups_of(predicted: Floats, share: Floats, groups: int) -> NDArray[np.intp]:
    """Return the group of each respondent, by quantiles of the predictions; ties together."""
    predicted = settled(predicted)
    cuts = np.unique(quantiles_of(predicted, share, tuple(np.arange(1, groups) / groups)))
    _, group = np.unique(np.searchsorted(cuts, predicted), return_inverse=True)
    return np.asarray(group.reshape(-1), dtype=np.intp)


def table_of(rep: Repurchase, predicted: Floats, group: NDArray[np.intp]) -> pd.DataFrame:
    """Return predicted and observed means of groups, with limits of the observed."""
    sample, design = rep.regression.sample, rep.regression.design_of_sample
    share = np.bincount(group, sample.share)
    observed = np.bincount(group, sample.share * sample.outcome) / share
    members = np.bincount(group)
    means = [
        group_means(sample.outcome, [np.flatnonzero(group == g)], sample.weights, design)
        for g in range(len(share))
    ]
    se = np.concatenate([group_mean.se for group_mean in means])
    df = np.array([group_mean.df(np.ones(1)) for group_mean in means])
    labels = pd.RangeIndex(1, len(share) + 1, name="group")
    table = infer(labels, observed, StandardErrors(se, df), rep.level, steady=False)
    table = table.rename(columns={"estimate": "observed"}).drop(columns="p")
    predictions = np.bincount(group, sample.share * predicted) / share
    parts = pd.DataFrame({"n": members, "share": share, "predicted": predictions}, index=labels)
    ends = {name: table[name].clip(0.0, 1.0) for name in ("lower", "upper")}
    return pd.concat([parts, table.assign(**ends)], axis=1)


def predictor_of(predicted: Floats, bounded: bool) -> Floats:
    """Return log-odds of predictions, or predictions themselves for least squares."""
    if not bounded:
        return predicted
    kept = np.clip(predicted, _EDGE, 1.0 - _EDGE)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def recalibrated(rep: Repurchase, predicted: Floats) -> tuple[pd.DataFrame, pd.Series]:
    """Return calibration intercept (slope held at 1) and slope, and the test of both."""
    from scipy.optimize import brentq

    sample, design = rep.regression.sample, rep.regression.design_of_sample
    family = FRACTIONAL_LOGIT if rep.family.bounded else OLS
    x = predictor_of(predicted, family.bounded)
    errors = None if rep.errors == "nonrobust" else rep.errors
    both = regress(_on(rep, x[:, None], ("prediction",)), family, errors)

    def surplus(shift: float) -> float:
        return float(sample.share @ (sample.outcome - family.mean(x + shift)))

    shift = float(brentq(surplus, -30.0, 30.0, xtol=1e-12))
    pulls = sample.share * (sample.outcome - family.mean(x + shift))
    df = float(design.df) if rep.errors in OF_DESIGN else both.df
    bread = float(sample.share @ family.slope(x + shift))
    shift_se = np.sqrt(design.variance(design.totals(pulls[:, None]))) / bread
    slope_se, slope_df = both.errors_of(np.eye(2)[1:])
    source = StandardErrors(
        np.append(shift_se, slope_se), np.append(df, slope_df), census=design.census
    )
    value = np.array([shift, both.coefficients[1]])
    table = infer(pd.Index(["intercept", "slope"]), value, source, rep.level, null=None)
    test = both.test(np.eye(2), both.coefficients - np.array([0.0, 1.0]))
    return table.drop(columns="p"), test


def smooth(rep: Repurchase, predicted: Floats) -> tuple[Basis, Regression]:
    """Regress the outcome on a spline of the predictions; a line where they are too few."""
    family = FRACTIONAL_LOGIT if rep.family.bounded else OLS
    x = predictor_of(predicted, family.bounded)
    knots = np.unique(quantiles_of(x, rep.regression.sample.share, KNOTS[4]))
    basis = Basis("spline", tuple(knots.tolist())) if len(knots) > 2 else Basis("line")
    errors = None if rep.errors == "nonrobust" else rep.errors
    sample = _on(rep, np.column_stack(basis.columns(x)), basis.names("prediction"))
    return basis, regress(sample, family, errors)


def _on(rep: Repurchase, regressors: Floats, names: tuple[str, ...]) -> Sample:
    """Return the sample with other regressors."""
    return replace(rep.regression.sample, regressors=regressors, names=names, indexes=names[:1])
