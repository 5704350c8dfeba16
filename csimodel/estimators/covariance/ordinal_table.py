"""Thresholds, means and error variances of a model of ordered answers, as rows of its table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.parameters import TableRow, inverted, standardised, table_of
from csimodel.estimators.estimates import Status
from csimodel.moments.ordinal import OrdinalMoments
from csimodel.moments.vech import vech_indices

Floats = NDArray[np.float64]
Rows = Iterator[TableRow]


def ordinal_rows(fitted: Fitted, covariance: Floats, level: float = 0.95) -> pd.DataFrame:
    """Return what the layout does not hold, a row each as in `parameter_table`.

    Error variances of ordered items, ``1 - λ²`` with λ the standardised loading; thresholds
    (``item | t1``), standardised as they are; means of continuous items (``item ~1``),
    standardised by the standard deviation of the model. Errors of all come from Γ, by the delta
    method: with ``dθ = A⁻¹Δ'V ds`` a mean covaries with the parameters as it does with s.
    """
    ordinal = fitted.moments[0].ordinal
    if ordinal is None:
        return pd.DataFrame()
    rows = [*_errors(fitted, covariance), *_thresholds(fitted, ordinal)]
    rows += _means(fitted, ordinal, covariance)
    return table_of(rows, level)


def _errors(fitted: Fitted, covariance: Floats) -> Rows:
    layout = fitted.layouts[0]
    values, jacobian = standardised(layout, fitted.parameters)
    ordered = [fitted.model.items[i] for i in np.flatnonzero(layout.ordered)]
    for at, row in enumerate(layout.rows):
        if row.op == "=~" and row.rhs in ordered and row.fixed != 0.0:
            slope = -2.0 * values[at] * jacobian[at]
            with np.errstate(invalid="ignore"):
                se = float(np.sqrt(slope @ covariance @ slope))
            value = 1.0 - float(values[at]) ** 2
            yield row.rhs, "~~", row.rhs, value, se, value, se


def _thresholds(fitted: Fitted, ordinal: OrdinalMoments) -> Rows:
    spread = ordinal.variances / float(fitted.sizes[0])
    for at, (label, value) in enumerate(zip(ordinal.labels, ordinal.statistics, strict=True)):
        item, bar, number = label.partition("|")
        if bar:
            se = float(np.sqrt(spread[at]))
            yield item, "|", number, float(value), se, float(value), se


def _means(fitted: Fitted, ordinal: OrdinalMoments, covariance: Floats) -> Rows:
    """Yield means; the standardised ``m/σ`` moves with m and with σ, of which Δ tells."""
    own, layout = fitted.moments[0], fitted.layouts[0]
    (sigma,) = (at.sigma for at in fitted.at)
    free = np.flatnonzero(~ordinal.ordered)
    if not free.size or own.gamma is None:
        return
    items, size = len(own.items), float(fitted.sizes[0])
    slopes = fitted.slopes[0]
    pulled = fitted.estimator.weight(own, layout, sigma).applied(slopes)
    bread = inverted(slopes.T @ pulled, np.array(fitted.outcome == Status.CONVERGED))
    behind = np.concatenate([np.zeros((items, pulled.shape[1])), pulled])
    mixed = own.gamma.times(behind)[:items] @ bread / size
    variances = own.gamma.diagonal
    row, column = vech_indices(items)
    own_variance = slopes[row == column]
    for i in free.tolist():
        sd = float(np.sqrt(sigma[i, i]))
        mean, spread = float(ordinal.mean[i]), float(variances[i]) / size
        turn = -mean / (2.0 * sd**3) * own_variance[i]
        wide = spread / sd**2 + 2.0 * turn @ mixed[i] / sd + turn @ covariance @ turn
        with np.errstate(invalid="ignore"):
            std_se = float(np.sqrt(wide))
        yield own.items[i], "~1", "", mean, float(np.sqrt(spread)), mean / sd, std_se
