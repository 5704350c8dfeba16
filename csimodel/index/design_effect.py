"""The design effect: how much less a weighted, clustered sample says than a simple one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from csimodel.estimators import Fit
from csimodel.estimators.item_solution import item_model
from csimodel.estimators.quantities import by_construct
from csimodel.index.points import INDEX
from csimodel.inference import Linearized, without_influence


def design_effects(fit: Fit) -> pd.DataFrame:
    """Return the design effect of each construct's index, and the respondents it is worth.

    The variance of the index under the survey's design, over that of as many respondents drawn
    one by one with equal weights, as `Linearized.deff` has it for any quantity. Kish's effect of
    unequal weights is a part of it only; where members of a cluster are alike it is far larger.
    ``n / deff`` respondents of a simple random sample would say as much.

    Returns
    -------
    DataFrame
        Rows constructs; columns design_effect and effective_n (infinite where the sample is the
        whole population); NaN without degrees of freedom, or where the estimator needs more than
        moments.

    Raises
    ------
    SurveyError
        When the fit was made from moments, or scale bounds are unknown.

    References
    ----------
    Kish, L. (1965). Survey Sampling, section 8.2.

    Park, I., Lee, H. (2004). Design effects for the weighted mean and total estimators under
    complex survey sampling. Survey Methodology 30, 183-193.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> design_effects(fit).loc["Satisfaction"].round(6).tolist()
    [1.0, 250.0]
    """
    rows = len(fit.require_answers("design_effects").values)
    labels = by_construct(item_model(fit.model))
    effect = pd.Series(np.nan, labels)
    if rows and not without_influence(fit):
        effect = Linearized((fit,)).deff(INDEX)
    with np.errstate(divide="ignore"):
        worth = rows / effect
    return pd.DataFrame({"design_effect": effect, "effective_n": worth})
