"""`redundancy`: whether a formed construct says what an overall item of the same thing says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from csimodel.arguments import checked
from csimodel.assessment.verdicts import NOT_JUDGED, limit
from csimodel.errors import OptionError, suggest
from csimodel.estimators import PLS, Fit
from csimodel.estimators.estimation import fit as fit_model
from csimodel.estimators.failures import saturated
from csimodel.findings import Finding, tell
from csimodel.floats import own_errstate
from csimodel.inference import infer, linearize
from csimodel.inference.influence import without_influence
from csimodel.inference.sources import StandardErrors
from csimodel.model import Model, Path, composite, reflective
from csimodel.options import require_kind, require_level, require_names
from csimodel.survey import Survey
from csimodel.translation import message

_POOR = (
    "The items of {construct} as formed explain {percent:.0f} % of the overall {items:4} (a path "
    "of {path:.3f}, where 0.708 is asked for), so they do not say all that it means."
)
_EXACT = message("so few rows that any answers are fitted")


@own_errstate
@checked
def redundancy(
    model: Model,
    survey: Survey | object,
    overall: Mapping[str, Sequence[str]],
    level: float = 0.95,
) -> pd.DataFrame:
    """Return how well items that form a construct say what overall items of it say.

    The redundancy analysis of convergent validity: a composite of the items with regression weights
    (mode B) is related to one or more items that ask for the whole, such as overall quality. With
    one overall item the path's size is its multiple correlation with the items.

    Parameters
    ----------
    model
        Whose constructs are judged.
    survey
        A `Survey` or anything `read_survey` takes, with the overall items among its columns.
    overall
        The overall items of each construct judged: ``{"Quality": "PERQ1"}``. Those that are
        items of the construct in the model are taken out of it.
    level
        Coverage of the limits.

    Returns
    -------
    DataFrame
        Rows constructs: estimate, the path, with se, df, lower, upper and reason by influence
        values under the survey's design; r2, its square; verdict, ``"good"`` where the path is at
        least 0.708 from 0 (half of the variance), else ``"poor"``; ``"not judged"`` where there
        are so few rows that any answers are fitted.

    Raises
    ------
    OptionError
        For constructs that are not in the model, or without two items besides the overall ones.
    SurveyError
        For overall items that are no columns of answers.
    EstimationError
        When a composite has no solution.

    Notes
    -----
    The weights are chosen to correlate, so that the path is too far from 0 in small samples, and
    apart from 0 in every one even where nothing is related: a test of 0 by its error would reject
    nearly half of the time, and there is no p-value. Limits are those of a path well apart from 0.
    It is negative where the overall items are coded the other way, which is judged alike.

    References
    ----------
    Chin, W. W. (1998). The partial least squares approach to structural equation modeling. In G. A.
    Marcoulides (ed.), Modern Methods for Business Research, 295-336. Erlbaum.

    Cheah, J.-H., Sarstedt, M., Ringle, C. M., Ramayah, T., Ting, H. (2018). Convergent validity
    assessment of formatively measured constructs in PLS-SEM. International Journal of Contemporary
    Hospitality Management 30(11), 3192-3210. https://doi.org/10.1108/IJCHM-10-2017-0649

    Examples
    --------
    >>> import csimodel as csi
    >>> table = csi.assessment.redundancy(csi.models.ecsi(), csi.load_mobi(), {"Quality": "PERQ1"})
    >>> table[["estimate", "r2"]].loc["Quality"].astype(float).round(3).tolist()
    [0.712, 0.507]
    >>> str(table.loc["Quality", "verdict"])
    'good'
    """
    own = require_kind("model", model, Model, "make one with csi.Model.from_syntax(text)")
    level = require_level(level)
    if not overall:
        raise OptionError(
            "overall= names the overall items of each construct, such as {'Quality': 'PERQ1'}, and "
            "it names none."
        )
    fits = {name: _fit(own, survey, name, items) for name, items in overall.items()}
    names = pd.Index(list(fits), name="construct")
    table = pd.concat([_path(fit, level) for fit in fits.values()]).set_axis(names)
    table = table.drop(columns="p")
    table["r2"] = table["estimate"] ** 2
    table["verdict"] = [
        _verdict(fit, path) for fit, path in zip(fits.values(), table["estimate"], strict=True)
    ]
    for name, row in table.iterrows():
        fit, path = fits[str(name)], float(row["estimate"])
        if row["verdict"] == NOT_JUDGED:
            tell(saturated(fit.solution))
        elif row["verdict"] == "poor":
            items = fit.model.constructs[1].items
            values = {"construct": name, "percent": 100.0 * path**2, "path": path, "items": items}
            tell(Finding("overall-not-said", _POOR, (str(name),), "warning", None, values))
    return table


def _verdict(fit: Fit, path: float) -> str:
    if np.isnan(path) or any(saturated(fit.solution)):
        return NOT_JUDGED
    return "good" if abs(path) >= limit("loading good") else "poor"


def _fit(model: Model, survey: Survey | object, name: str, overall: Sequence[str]) -> Fit:
    """Return the fit of the composite of the items with the overall items."""
    if name not in model.blocks:
        names = list(model.blocks)
        raise OptionError(f"overall= names {name!r}, which has no items{suggest(name, names)}.")
    whole = require_names("overall", overall, "item")
    items = [item for item in model.blocks[name] if item not in whole]
    if not whole or len(items) < 2:
        raise OptionError(
            f"overall= leaves {name!r} {len(items)} items of its own, and a composite needs two; "
            "name one or more items that ask for the whole."
        )
    parts = (composite(name, items), reflective(f"{name} (overall)", whole))
    both = Model(parts, (Path(name, parts[1].name),))
    fit = fit_model(both, survey, PLS(), progress=False)
    fit.require_converged("redundancy")
    return fit


def _path(fit: Fit, level: float) -> pd.DataFrame:
    """Return the path from the composite to the overall items."""
    reason = without_influence(fit) or (_EXACT if any(saturated(fit.solution)) else "")
    if not reason:
        return linearize(fit).table("paths", level=level)
    path = fit.estimates.paths[1, :1]
    return infer(pd.RangeIndex(1), path, StandardErrors.none(1, reason), level)
