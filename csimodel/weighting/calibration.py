"""`rake`, `calibrate` and `post_stratify`: weights that bring a sample to known margins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import EstimationError, OptionError
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.options import number_of, shown
from csimodel.survey import Survey
from csimodel.survey.calibration import WeightCalibration
from csimodel.survey.checks import numeric_block
from csimodel.survey.design import usable_weights
from csimodel.survey.table import with_column
from csimodel.weighting.distances import Distance, Method, calibrated
from csimodel.weighting.margins import KnownTotals, Margins, known_totals
from csimodel.weighting.report import effective_size

Floats = NDArray[np.float64]
Bounds = tuple[float, float]

_MET = 1e-7  # relative gap to a total that counts as met


@own_errstate
@checked
def rake(
    survey: Survey, margins: Margins, *, bounds: Bounds | None = None, into: str | None = None
) -> Survey:
    """Adjust weights to the margins of several columns at once, by raking.

    The weights become ``d_i exp(x_i'λ)`` with the λ that meets every margin: what iterative
    proportional fitting converges to. Errors of everything computed with them allow for the
    margins (see Notes).

    Parameters
    ----------
    survey
        Read with `read_survey`; its weights, or equal ones, are the start.
    margins
        By column the size of each of its categories in the population, as a dict or Series:
        counts of one sum, or shares. A tuple of columns is a margin of their combinations.
        Categories are named by code or by value label.
    bounds
        (lowest, highest) ratio of new to old weights, such as (0.3, 3); where counts are margins,
        their sum over that of the old weights must lie between them.
    into
        Name of the new column of weights; the old name and ``_raked`` by default.

    Returns
    -------
    Survey
        With the new weights, their margins, and a finding on what changed. Replicate weights of
        the old ones are adjusted to the same margins, each.

    Raises
    ------
    OptionError
        When margins or bounds have another form, or their sums differ.
    SurveyError
        When a column is not there or has missing cells, or a category is on one side only.
    EstimationError
        When no weights meet the margins, naming the margin that is missed most.

    Notes
    -----
    The variance that calibration leaves: influence values z are replaced by their residuals
    ``z - x'B`` of a regression on the margins with the weights before, times the new weights
    (Deville and Särndal, eq. 3.4). R's `calibrate(calfun="raking")` gives the same; its `rake`
    regresses without weights.

    References
    ----------
    Deville, J.-C., Särndal, C.-E. (1992). Calibration estimators in survey sampling. Journal of
    the American Statistical Association 87, 376-382.
    https://doi.org/10.1080/01621459.1992.10475217

    Examples
    --------
    >>> import pandas as pd
    >>> from csimodel.survey import read_survey
    >>> frame = pd.DataFrame({"q": [3, 7, 9, 8], "sex": ["f", "f", "f", "m"]})
    >>> raked = rake(read_survey(frame, scale=(1, 10), items=["q"]), {"sex": {"f": 50, "m": 50}})
    >>> raked.data["weight_raked"].round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    return _adjusted(survey, margins, _distance("raking", bounds), "raked", into)


@own_errstate
@checked
def calibrate(
    survey: Survey,
    margins: Margins,
    *,
    method: Method = "linear",
    bounds: Bounds | None = None,
    into: str | None = None,
) -> Survey:
    """Adjust weights to margins of categories and totals of numbers.

    Parameters
    ----------
    survey, margins, into
        As in `rake`; a number in place of sizes is the total of a column of numbers.
    method
        ``"linear"`` (regression estimator, the default), ``"raking"``, or ``"logit"``, which needs
        bounds and keeps every ratio within them smoothly.
    bounds
        (lowest, highest) ratio of new to old weights; without bounds a linear ratio can fall
        below 0, which is refused.

    Returns
    -------
    Survey

    Raises
    ------
    OptionError, SurveyError, EstimationError
        As in `rake`.

    References
    ----------
    Deville, J.-C., Särndal, C.-E. (1992). Calibration estimators in survey sampling. Journal of
    the American Statistical Association 87, 376-382.
    https://doi.org/10.1080/01621459.1992.10475217

    Examples
    --------
    >>> import pandas as pd
    >>> from csimodel.survey import read_survey
    >>> frame = pd.DataFrame({"q": [3, 7, 9, 8], "age": [20, 30, 40, 50]})
    >>> survey = read_survey(frame, scale=(1, 10), items=["q"])
    >>> old = calibrate(survey, {"age": 150})
    >>> float((old.data["weight_calibrated"] * frame["age"]).sum().round(6))
    150.0
    """
    return _adjusted(survey, margins, _distance(method, bounds), "calibrated", into, numbers=True)


@own_errstate
@checked
def post_stratify(survey: Survey, margins: Margins, *, into: str | None = None) -> Survey:
    """Adjust weights to the sizes of cells, one column's or several columns' combinations.

    Parameters
    ----------
    survey, into
        As in `rake`.
    margins
        One margin: the sizes of the categories of a column, or of combinations of columns.

    Returns
    -------
    Survey

    Raises
    ------
    OptionError
        When there are several margins: that is raking.
    SurveyError
        As in `rake`.

    References
    ----------
    Holt, D., Smith, T. M. F. (1979). Post stratification. Journal of the Royal Statistical
    Society A 142, 33-46. https://doi.org/10.2307/2344652

    Examples
    --------
    >>> import pandas as pd
    >>> from csimodel.survey import read_survey
    >>> frame = pd.DataFrame({"q": [3, 7, 9], "sex": ["f", "f", "m"], "old": [0, 1, 1]})
    >>> survey = read_survey(frame, scale=(1, 10), items=["q"])
    >>> cells = {("sex", "old"): {("f", 0): 20, ("f", 1): 30, ("m", 1): 40}}
    >>> post_stratify(survey, cells).data["weight_poststratified"].tolist()
    [20.0, 30.0, 40.0]
    """
    if isinstance(margins, dict) and len(margins) > 1:
        raise OptionError(
            f"margins has {len(margins)} margins; post_stratify takes one, of combinations of "
            "columns in a tuple, and csi.rake takes several."
        )
    return _adjusted(survey, margins, Distance("linear"), "poststratified", into)


def _adjusted(
    survey: Survey,
    margins: object,
    distance: Distance,
    done: str,
    into: str | None,
    numbers: bool = False,
) -> Survey:
    """Return a survey with weights that meet margins."""
    base, used = base_weights(survey)
    name = new_column(survey, done, into)
    population = known_totals(survey, margins, used, base, numbers)
    own, known = base[used], population.known[used]
    size = _population_size(population, own)
    _require_room(size, float(own.sum()), distance)
    ratios, missing = calibrated(known, own, population.totals, distance)
    _require_met(population, missing, distance)
    weights = own * ratios
    if (weights < 0).any() or (weights == 0).any():
        raise EstimationError(
            f"{int((weights <= 0).sum())} of {len(weights)} calibrated weights are not above 0 "
            f"(lowest {weights.min():.3g}); give bounds=(0.3, 3), or use method='raking'."
        )
    column = np.zeros(len(base))
    column[used] = weights
    data = with_column(survey.data, name, column)
    replicates = _replicates(survey, name, population, used, own, distance)
    if replicates is not None:
        data = pd.concat([data, replicates], axis=1)
        assert survey.replicate_method is not None
        survey = replace(
            survey,
            replicate_weights=tuple(map(str, replicates)),
            replicate_method=replace(survey.replicate_method, combined=True),
            replicate_base=name,
        )
    change = weights / own / (weights.sum() / own.sum())
    values: dict[str, object] = {
        "columns": population.columns,
        "lowest": float(change.min()),
        "highest": float(change.max()),
        "before": effective_size(own),
        "after": effective_size(weights),
        "rows": len(own),
        "name": name,
    }
    code = f"weights-{done}"
    finding = Finding(code, _DONE[code], population.columns, "note", len(own), values)
    return replace(
        survey,
        data=data,
        weights=name,
        calibration=WeightCalibration(
            population.known, base, population.names, population.totals, size
        ),
        findings=(*survey.findings, finding),
    )


def _replicates(
    survey: Survey,
    name: str,
    population: KnownTotals,
    used: NDArray[np.bool_],
    own: Floats,
    distance: Distance,
) -> pd.DataFrame | None:
    """Return replicate weights, each adjusted to the same margins; None where there are none."""
    if survey.replicate_method is None or survey.replicate_base != survey.weights:
        return None
    values = numeric_block(survey.data, survey.replicate_weights)[0][used]
    if not survey.replicate_method.combined:
        values = values * own[:, None]
    adjusted = np.zeros((len(used), values.shape[1]))
    for k, start in enumerate(values.T):
        counts = start > 0
        ratios, missing = calibrated(
            population.known[used][counts], start[counts], population.totals, distance
        )
        _require_met(population, missing, distance, f" in replicate {k + 1}")
        adjusted[np.flatnonzero(used)[counts], k] = start[counts] * ratios
    names = [f"{name} {k + 1}" for k in range(values.shape[1])]
    return pd.DataFrame(adjusted, survey.data.index, names)


def base_weights(survey: Survey) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the weights of a survey, 0 where there is none, and which rows have one."""
    rows = len(survey.data)
    kept, weights, _ = usable_weights(survey.data, survey.weights)
    base = np.ones(rows) if weights is None else np.zeros(rows)
    if weights is not None:
        base[slice(None) if kept is None else kept] = weights
    return base, base > 0


def new_column(survey: Survey, done: str, into: str | None) -> str:
    """Return the name of the new column of weights, which must not be there yet."""
    name = into if into is not None else f"{survey.weights or 'weight'}_{done}"
    if not name or name in survey.data:
        raise OptionError(
            f"The new weights would go into {name!r}, "
            f"{'which is a column already' if name else 'which is no name'}; name another column "
            "with into=."
        )
    return name


def _population_size(population: KnownTotals, base: Floats) -> float:
    """Return the sum of the first margin, or of the weights where only numbers are known."""
    first = [name.split(" = ")[0] for name in population.names if " = " in name]
    if not first:
        return float(base.sum())
    own = [k for k, name in enumerate(population.names) if name.startswith(f"{first[0]} = ")]
    return float(population.totals[own].sum())


def _require_room(population: float, weight: float, distance: Distance) -> None:
    """Refuse bounds that leave out the ratio of the population to the sum of the weights."""
    ratio = population / weight
    if not distance.low < ratio < distance.high:
        raise OptionError(
            f"The population of {population:,.6g} is {ratio:.4g} times the sum of the weights "
            f"({weight:,.6g}), which bounds=({distance.low:g}, {distance.high:g}) leave out; give "
            "wider bounds, or margins as shares."
        )


def _require_met(
    population: KnownTotals, missing: Floats, distance: Distance, where: str = ""
) -> None:
    worst = int(np.abs(missing).argmax())
    if abs(missing[worst]) <= _MET:
        return
    bounded = np.isfinite(distance.low) or np.isfinite(distance.high)
    way = "widen bounds, or join categories" if bounded else "join categories, or drop a margin"
    raise EstimationError(
        f"No weights meet all margins{where}: {population.names[worst]!r} is missed by "
        f"{abs(missing[worst]):.2%} of {population.totals[worst]:,.6g}; {way}."
    )


def _distance(method: Method, bounds: object) -> Distance:
    """Return the distance of a method within bounds."""
    if bounds is None:
        if method == "logit":
            raise OptionError("method='logit' needs bounds of the ratio, such as bounds=(0.3, 3).")
        return Distance(method)
    ends = [number_of(end) for end in bounds] if isinstance(bounds, tuple | list) else []
    low, high = ends if len(ends) == 2 else (None, None)
    if low is None or high is None or not 0.0 <= low < 1.0 < high < np.inf:
        raise OptionError(
            f"bounds={shown(bounds)} must be the lowest and the highest ratio of new to old "
            "weights, one below 1 and one above, such as (0.3, 3)."
        )
    return Distance(method, low, high)


_DONE = {
    "weights-raked": "Raking to {columns} made the weights {name!r} and changed them by factors of "
    "{lowest:.2f} to {highest:.2f}; the {rows:,} respondents count as much as {after:,.0f} with "
    "equal weights ({before:,.0f} before), and errors allow for the margins.",
    "weights-calibrated": "Calibration to {columns} made the weights {name!r} and changed them by "
    "factors of {lowest:.2f} to {highest:.2f}; the {rows:,} respondents count as much as "
    "{after:,.0f} with equal weights ({before:,.0f} before), and errors allow for the margins.",
    "weights-poststratified": "Post-stratification by {columns} made the weights {name!r} and "
    "changed them by factors of {lowest:.2f} to {highest:.2f}; the {rows:,} respondents count as "
    "much as {after:,.0f} with equal weights ({before:,.0f} before), and errors allow for the "
    "margins.",
}
