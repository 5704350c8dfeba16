"""Criteria that choose among PLS models: fit of a construct's regression, less its parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.estimators import Fit, Status, require_fit
from csimodel.floats import own_errstate
from csimodel.model import Model, Path
from csimodel.options import number_of, shown

Floats = NDArray[np.float64]


@own_errstate
@checked
def model_selection(fit: Fit) -> pd.DataFrame:
    """Return information criteria of the regression of each construct; smaller is better.

    Compare them among models that explain the same construct by different antecedents, in the same
    respondents; they know nothing of the other regressions and of the measurement. BIC and GM found
    the model that had made the data, or the one that predicts best, more often than the others.

    Parameters
    ----------
    fit
        By PLS.

    Returns
    -------
    DataFrame
        A row an endogenous construct: parameters, k antecedents and a constant; sse; aic, aicc,
        aicu, bic, fpe, gm, hq, hqc, mallows_cp.

    Raises
    ------
    OptionError
        For fits without scores that are weighted sums of answers.
    ModelError
        For models with products or constructs of constructs.
    EstimationError
        When the fit is no solution.

    Notes
    -----
    With ``SSE = (n - 1)(1 - R²)`` and p parameters: AIC ``n ln(SSE/n) + 2 p``; AICc ``n ln(SSE/n) +
    n (n + p)/(n - p - 2)``; AICu ``n ln(SSE/(n - p)) + 2 p``; BIC ``n ln(SSE/n) + p ln n``; FPE
    ``SSE/(n - p) (1 + p/n)``; HQ ``n ln(SSE/n) + 2 p ln ln n``; HQc the same with ``n/(n - p - 2)``
    in the last term; GM ``SSE/MSE + p ln n``; Mallows' Cp ``SSE/MSE - n + 2 p``. MSE is ``SSE/(n -
    1)`` of the saturated model, in which every construct has all before it as antecedents and the
    weights are estimated again, as cSEM takes it; NaN where that model has no solution.
    Under survey weights R² is weighted and n the number of respondents.

    References
    ----------
    Sharma, P. N., Sarstedt, M., Shmueli, G., Kim, K. H., Thiele, K. O. (2019). PLS-based model
    selection: the role of alternative explanations in information systems research. Journal of the
    Association for Information Systems 20, 346-397. https://doi.org/10.17705/1jais.00538

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> csi.assessment.model_selection(fit)["bic"].round(2).loc["Loyalty"].item()
    -131.55
    """
    fit = require_fit(fit, "model_selection")
    model = fit.model
    if "other" in fit.estimator.modes_of(model):
        raise OptionError(
            f"model_selection compares regressions of scores, and {fit.estimator.label} has none; "
            "its fit.fit_measures have aic and bic."
        )
    model.require_one_stage("model_selection compares regressions of")
    fit.require_converged("model_selection")
    targets = np.flatnonzero(model.adjacency.any(axis=1))
    n, p = float(fit.n), 1.0 + model.adjacency.sum(axis=1)[targets]
    sse = (n - 1.0) * (1.0 - fit.solution.r2[targets])
    mean_square = _saturated_mean_squares(fit)[targets]
    with np.errstate(invalid="ignore", divide="ignore"):
        base = n * np.log(sse / n)
        free = np.where(n - p - 2.0 > 0, n - p - 2.0, np.nan)
        rest = np.where(n > p, n - p, np.nan)
        columns = {
            "parameters": p.astype(np.intp),
            "sse": sse,
            "aic": base + 2.0 * p,
            "aicc": base + n * (n + p) / free,
            "aicu": n * np.log(sse / rest) + 2.0 * p,
            "bic": base + p * np.log(n),
            "fpe": sse / rest * (1.0 + p / n),
            "gm": sse / mean_square + p * np.log(n),
            "hq": base + 2.0 * p * np.log(np.log(n)),
            "hqc": base + 2.0 * p * np.log(np.log(n)) * n / free,
            "mallows_cp": sse / mean_square - n + 2.0 * p,
        }
    names = [model.construct_names[target] for target in targets]
    return pd.DataFrame(columns, pd.Index(names, name="construct"))


@own_errstate
@checked
def criterion_weights(values: Mapping[str, float]) -> pd.Series:
    """Return how likely each model is the best of several, by a criterion (Akaike weights).

    ``exp(-Δ/2)/Σ exp(-Δ/2)`` with Δ the difference from the smallest value.

    Parameters
    ----------
    values
        AIC or BIC of the same construct, by the name of the model.

    Raises
    ------
    OptionError
        For values that are no finite numbers, or none.

    References
    ----------
    Danks, N. P., Sharma, P. N., Sarstedt, M. (2020). Model selection uncertainty and multimodel
    inference in partial least squares structural equation modeling (PLS-SEM). Journal of Business
    Research 113, 13-24. https://doi.org/10.1016/j.jbusres.2020.03.019

    Examples
    --------
    >>> criterion_weights({"with image": -131.55, "without": -129.50}).round(3).tolist()
    [0.736, 0.264]
    """
    numbers = [number_of(value) for value in values.values()]
    if not numbers or any(number is None or not np.isfinite(number) for number in numbers):
        raise OptionError(
            f"values={shown(values)} must be finite numbers by the name of the model, such as the "
            "BIC of one construct in each."
        )
    own = np.array(numbers, dtype=np.float64)
    share = np.exp(-0.5 * (own - own.min()))
    return pd.Series(share / share.sum(), pd.Index(list(values), name="model"), name="weight")


def _saturated_mean_squares(fit: Fit) -> Floats:
    """Return ``SSE/(n - 1)`` of each construct in the saturated model, (constructs,)."""
    model = fit.model
    order = _causal_order(model)
    paths = [
        Path(model.construct_names[source], model.construct_names[target])
        for place, target in enumerate(order)
        for source in order[:place]
    ]
    saturated = Model(model.constructs, tuple(paths))
    solution = fit.estimator.solve(fit.moments, saturated)
    if solution.estimates.outcome != Status.CONVERGED:
        return np.full(len(model.constructs), np.nan)
    return np.asarray(1.0 - solution.r2)


def _causal_order(model: Model) -> list[int]:
    """Return construct numbers in the order of the model, antecedents before what they explain."""
    left, order = list(range(len(model.constructs))), list[int]()
    while left:
        ready = (j for j in left if not (set(np.flatnonzero(model.adjacency[j])) - set(order)))
        order.append(next(ready))
        left.remove(order[-1])
    return order
