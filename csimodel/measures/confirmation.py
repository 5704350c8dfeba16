"""What a shorter scale does to the index, and how well scales fit as common factors (CFA)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import EstimationError, ModelError
from csimodel.estimators import fit
from csimodel.estimators.covariance.ml import ML
from csimodel.inference import infer
from csimodel.inference.domains import Domains, function_of_means
from csimodel.model import Construct, Model
from csimodel.moments import Moments
from csimodel.translation import message

Floats = NDArray[np.float64]

_NO_SOLUTION = message("no solution of the common factors was found")
_FIT_MEASURES = ("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "srmr")


def index_of_shorter(
    domains: Domains, whole: Floats, kept: Floats, level: float
) -> dict[str, object]:
    """Return the index of all items and of those kept, and their difference with its error."""
    statistics = function_of_means(domains, np.column_stack([whole, kept, kept - whole]))
    labels = pd.Index(["whole", "kept", "difference"])
    table = infer(labels, statistics.estimate.ravel(), statistics.errors, level)
    values = table["estimate"].to_numpy(np.float64)
    row = table.loc["difference"]
    return {
        "index_whole": values[0],
        "index": values[1],
        "difference": values[2],
        **{name: row[name] for name in ("se", "df", "lower", "upper", "p", "reason")},
    }


def measures_of_factors(blocks: Mapping[str, Sequence[str]], moments: Moments) -> dict[str, object]:
    """Return how well a common factor for each scale fits."""
    model = Model(
        tuple(Construct(name, tuple(block), "reflective") for name, block in blocks.items()), ()
    )
    items = sum(map(len, blocks.values()))
    measures, reason = {}, ""
    try:
        fitted = fit(model, moments, ML())
    except (EstimationError, ModelError) as error:
        reason = str(error)
    else:
        if fitted.converged:
            measures = fitted.fit_measures.to_dict()
        else:
            reason = _NO_SOLUTION
    values = {name: measures.get(name, np.nan) for name in _FIT_MEASURES}
    return {"items": items, "n": int(moments.n), **values, "reason": reason}
