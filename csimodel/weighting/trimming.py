"""Weights held between bounds, their sum kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.survey import Survey
from csimodel.survey.table import with_column
from csimodel.weighting.calibration import base_weights, new_column
from csimodel.weighting.report import effective_size

Floats = NDArray[np.float64]


@own_errstate
@checked
def trim(
    survey: Survey,
    *,
    lower: float | None = None,
    upper: float | None = None,
    into: str | None = None,
) -> Survey:
    """Bring weights between bounds, and share what they lost equally among the others.

    Repeated until no weight lies outside: a weight raised over a bound by its share is trimmed too.

    Parameters
    ----------
    survey
        With weights.
    lower, upper
        Bounds of the weights, or None.
    into
        Name of the new column of weights; the old name and ``_trimmed`` by default.

    Returns
    -------
    Survey
        With the new weights; margins that the old ones were calibrated to are met no more.

    Raises
    ------
    OptionError
        When there are no weights or no bound, or the bounds leave no room for the sum.

    References
    ----------
    Potter, F. J. (1990). A study of procedures to identify and trim extreme sampling weights.
    Proceedings of the Section on Survey Research Methods, American Statistical Association,
    225-230.

    Examples
    --------
    >>> import pandas as pd
    >>> from csimodel.survey import read_survey
    >>> frame = pd.DataFrame({"q": [3, 7, 9, 8], "w": [1.0, 1.0, 2.0, 8.0]})
    >>> trim(read_survey(frame, scale=(1, 10), weights="w"), upper=6).data["w_trimmed"].round(3)
    0    1.667
    1    1.667
    2    2.667
    3    6.000
    Name: w_trimmed, dtype: float64
    """
    if survey.weights is None:
        raise OptionError(
            "The survey has no weights to trim; name their column in read_survey(..., "
            "weights=...), or make them with csi.rake(survey, margins)."
        )
    if lower is None and upper is None:
        raise OptionError("trim needs lower=, upper= or both, in the units of the weights.")
    low = 0.0 if lower is None else lower
    high = np.inf if upper is None else upper
    base, used = base_weights(survey)
    own, mean = base[used], float(base[used].mean())
    if not 0.0 <= low <= mean <= high or low == high:
        raise OptionError(
            f"The mean weight is {mean:.4g}, so the bounds must hold it between them to keep the "
            f"sum; lower={low:.4g} and upper={high:.4g} do not."
        )
    weights, fixed = within(own, low, high)
    name = new_column(survey, "trimmed", into)
    column = np.zeros(len(base))
    column[used] = weights
    data = with_column(survey.data, name, column)
    values: dict[str, object] = {
        "count": int(fixed.sum()),
        "rows": len(own),
        "name": name,
        "moved": float(np.abs(weights - own)[fixed].sum() / own.sum()),
        "before": effective_size(own),
        "after": effective_size(weights),
    }
    code = "weights-trimmed-margins" if survey.calibration is not None else "weights-trimmed"
    finding = Finding(code, _TRIMMED[code], (survey.weights,), "note", int(fixed.sum()), values)
    return replace(
        survey,
        data=data,
        weights=name,
        calibration=None,
        findings=(*survey.findings, finding),
    )


def within(weights: Floats, low: float, high: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Return weights between bounds with their sum kept, and which lie at a bound, (rows,) each.

    Examples
    --------
    >>> within(np.array([1.0, 1.0, 4.0]), 0.0, 3.0)
    (array([1.5, 1.5, 3. ]), array([False, False,  True]))
    """
    total, trimmed = weights.sum(), weights
    fixed = np.zeros(len(weights), dtype=bool)
    while True:
        outside = (trimmed < low) | (trimmed > high)
        if not outside.any():
            return trimmed, fixed
        fixed = fixed | outside
        trimmed = np.clip(trimmed, low, high)
        if fixed.all():
            return trimmed, fixed
        trimmed = np.where(fixed, trimmed, trimmed + (total - trimmed.sum()) / (~fixed).sum())


_TRIMMED = {
    "weights-trimmed": "Trimming brought {count:,} of {rows:,} weights to a bound and moved "
    "{moved:.1%} of their sum to the others ({name!r}); the respondents count as much as "
    "{after:,.0f} with equal weights ({before:,.0f} before).",
    "weights-trimmed-margins": "Trimming brought {count:,} of {rows:,} weights to a bound and "
    "moved {moved:.1%} of their sum to the others ({name!r}), so the margins they were adjusted to "
    "are met no more and errors do not allow for them; the respondents count as much as "
    "{after:,.0f} with equal weights ({before:,.0f} before).",
}
