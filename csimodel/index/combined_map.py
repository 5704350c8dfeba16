"""The combined importance-performance map: what adds on average, and what nothing makes up for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from csimodel.arguments import checked
from csimodel.assessment.necessity import NecessaryConditions
from csimodel.errors import OptionError
from csimodel.floats import own_errstate
from csimodel.index.importance import importance_performance
from csimodel.options import require_kind, require_number

_PRIORITIES = {
    (True, True): "important and necessary",
    (True, False): "important",
    (False, True): "necessary",
    (False, False): "neither",
}


@own_errstate
@checked
def combined_importance_performance(
    conditions: NecessaryConditions,
    outcome: float = 80.0,
) -> pd.DataFrame:
    """Return importance, performance and necessity of each driver (cIPMA).

    Importance says what a point of a driver adds to the target on average, necessity without which
    of them a high target is not seen. A driver of small importance can still be a bottleneck.

    Parameters
    ----------
    conditions
        From `necessary_conditions`, of a fit whose items have scale bounds.
    outcome
        Level of the target for which bottlenecks are told, percent of its range observed.

    Returns
    -------
    DataFrame
        Rows drivers, the most important first. Columns of `importance_performance`; effect_size and
        necessity_p; necessity (``"necessary"``, ``"not shown"``, ``"not judged"``); required,
        percent of the driver's range that the outcome needs; below, percent of respondents who have
        less; priority: ``"important and necessary"``, ``"important"``, ``"necessary"`` or
        ``"neither"``, important being an importance above the mean of the drivers.

    Raises
    ------
    OptionError
        For anything but necessary conditions, or an outcome outside 0 to 100.
    SurveyError
        When scale bounds are unknown.

    Notes
    -----
    Importance and performance are those of the index, from weights of items in scale units (as
    cSEM and SmartPLS have them). Programs that apply weights of standardised items to raw answers
    get others where items differ in spread.

    References
    ----------
    Hauff, S., Richter, N. F., Sarstedt, M., Ringle, C. M. (2024). Importance and performance in
    PLS-SEM and NCA: introducing the combined importance-performance map analysis (cIPMA). Journal
    of Retailing and Consumer Services 78, 103723. https://doi.org/10.1016/j.jretconser.2024.103723

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> conditions = csi.assessment.necessary_conditions(fit, "Loyalty", 199, rng=1)
    >>> combined_importance_performance(conditions)["priority"].to_dict()["Expectation"]
    'necessary'
    """
    way_out = "make one with csi.assessment.necessary_conditions(fit, target)"
    own = require_kind("conditions", conditions, NecessaryConditions, way_out)
    outcome = require_number("outcome", outcome, least=0.0, most=100.0)
    table = importance_performance(own.fit, own.target)
    shared = [name for name in table.index if name in own.drivers]
    if not shared:
        raise OptionError(
            f"The conditions are of drivers that do not affect {own.target!r}; name others with "
            "drivers=, or leave it out."
        )
    table = table.loc[shared]
    sizes = own.table.xs(own.ceiling, level="ceiling").loc[shared]
    table["effect_size"], table["necessity_p"] = sizes["effect_size"], sizes["p"]
    table["necessity"] = own.verdicts[shared]
    table["required"] = own.bottleneck(of="range", levels=[outcome]).iloc[0][shared]
    table["below"] = own.bottleneck(of="respondents", levels=[outcome]).iloc[0][shared]
    high = (table["importance"] > table["importance"].mean()).to_numpy()
    necessary = (table["necessity"] == "necessary").to_numpy()
    words = [_PRIORITIES[bool(a), bool(b)] for a, b in zip(high, necessary, strict=True)]
    unknown = (table["necessity"] == "not judged").to_numpy() | np.isnan(table["importance"])
    table["priority"] = np.where(unknown, "not judged", words)
    return table
