"""Groups of like predictions, calibration intercept and slope, and the smooth curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.repurchase.families import FRACTIONAL_LOGIT, OLS
from csimodel.repurchase.regression import Regression, regress
from csimodel.repurchase.result import Repurchase
from csimodel.repurchase.sample import Sample
from csimodel.repurchase.shape.basis import KNOTS, Basis, quantiles_of
from csimodel.repurchase.wald import wald

Floats = NDArray[np.float64]

_EDGE = 1e-6  # predictions are kept this far from 0 and 1 on log-odds


def groups_of(predicted: Floats, share: Floats, groups: int) -> NDArray[np.intp]:
    """Return the group of each respondent, by quantiles of the predictions; ties together."""
    cuts = np.unique(quantiles_of(predicted, share, tuple(np.arange(1, groups) / groups)))
    _, found = np.unique(np.searchsorted(cuts, predicted), return_inverse=True)
    return np.asarray(found.reshape(-1), dtype=np.intp)


def table_of(rep: Repurchase, predicted: Floats, group: NDArray[np.intp]) -> pd.DataFrame:
    """Return predicted and observed means of groups, with limits of the observed."""
    from scipy.special import ndtri

    sample = rep.regression.sample
    share = np.bincount(group, sample.share)
    observed = np.bincount(group, sample.share * sample.outcome) / share
    pulls = sample.share * (sample.outcome - observed[group]) / share[group]
    members = np.bincount(group)
    if rep.errors == "cluster" and sample.cluster is not None:
        pair = group * (int(sample.cluster.max()) + 1) + sample.cluster
        each, place = np.unique(pair, return_inverse=True)
        summed = np.bincount(place.reshape(-1), pulls)
        unit = each // (int(sample.cluster.max()) + 1)
        count = np.bincount(unit)
        variance = np.bincount(unit, summed**2)
    else:
        count, variance = members, np.bincount(group, pulls**2)
    se = np.sqrt(variance * count / np.maximum(count - 1, 1))
    reach = float(ndtri(0.5 + rep.level / 2.0)) * se
    return pd.DataFrame(
        {
            "n": members,
            "share": share,
            "predicted": np.bincount(group, sample.share * predicted) / share,
            "observed": observed,
            "se": se,
            "lower": np.clip(observed - reach, 0.0, 1.0),
            "upper": np.clip(observed + reach, 0.0, 1.0),
        },
        index=pd.RangeIndex(1, len(share) + 1, name="group"),
    )


def predictor_of(predicted: Floats, bounded: bool) -> Floats:
    """Return log-odds of predictions, or predictions themselves for least squares."""
    if not bounded:
        return predicted
    kept = np.clip(predicted, _EDGE, 1.0 - _EDGE)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def recalibrated(rep: Repurchase, predicted: Floats) -> tuple[pd.DataFrame, pd.Series]:
    """Return calibration intercept (slope held at 1) and slope, and the test of both."""
    from scipy.optimize import brentq

    sample = rep.regression.sample
    family = FRACTIONAL_LOGIT if rep.family.bounded else OLS
    x = predictor_of(predicted, family.bounded)
    errors = None if rep.errors == "nonrobust" else rep.errors
    both = regress(_on(rep, x[:, None], ("prediction",)), family, errors)

    def surplus(shift: float) -> float:
        return float(sample.share @ (sample.outcome - family.mean(x + shift)))

    shift = float(brentq(surplus, -30.0, 30.0, xtol=1e-12))
    pulls = sample.share * (sample.outcome - family.mean(x + shift))
    if rep.errors == "cluster" and sample.cluster is not None:
        pulls = np.bincount(sample.cluster, pulls).astype(np.float64)
    bread = float(sample.share @ family.slope(x + shift))
    scale = len(pulls) / (len(pulls) - 1)
    value = np.array([shift, both.coefficients[1]])
    se = np.array([np.sqrt(scale * (pulls**2).sum()) / bread, np.sqrt(both.covariance[1, 1])])
    lower, upper = both.limits(value, se, rep.level, False)
    columns = {"estimate": value, "se": se, "lower": lower, "upper": upper}
    test = wald(both.coefficients - np.array([0.0, 1.0]), both.covariance, both.df)
    return pd.DataFrame(columns, ["intercept", "slope"]), test


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
