"""What repurchase is worth, for a report: corrected slope, curve by group, money by driver."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from csimodel.errors import CsimodelError, OptionError
from csimodel.estimators import Fit
from csimodel.findings import Finding
from csimodel.formatting import label
from csimodel.inference import Bootstrap
from csimodel.limits import FEWEST_IN_SEGMENT
from csimodel.outcomes import Repurchase
from csimodel.outcomes.measurement_error import CorrectedSlopes, corrected_slopes
from csimodel.outcomes.models.segments import Segments, repurchase_segments
from csimodel.outcomes.money import Economics, Money, break_even_spending, profits_of_drivers
from csimodel.survey import Survey

_LEFT_OUT = {
    "segments-not-compared": (
        "The curve of the outcome is not compared between groups; the error was “{error}”."
    ),
    "slope-not-corrected": (
        "The slope of the outcome is not corrected for measurement error; the error was “{error}”."
    ),
}


def segments_of(
    valued: Repurchase,
    bootstrap: Bootstrap,
    by: str | Sequence[str],
    scale: tuple[float, float] | None,
    minimum_n: int = 0,
    *,
    progress: bool,
) -> tuple[Segments | None, tuple[Finding, ...]]:
    """Return the curve of repurchase in every group; where there is none, the finding why not."""
    fit = bootstrap.fit
    try:
        segments = repurchase_segments(
            fit,
            valued.outcome,
            by=_groups(fit, by),
            index=valued.indexes[0],
            family=valued.family.name,
            scale=scale,
            bootstrap=bootstrap,
            level=valued.level,
            fewest=max(FEWEST_IN_SEGMENT, minimum_n),
            progress=progress,
        )
    except CsimodelError as error:
        return None, (_left_out("segments-not-compared", error),)
    return segments, segments.findings


def slopes_of(
    valued: Repurchase,
    bootstrap: Bootstrap,
    scale: tuple[float, float] | None,
    *,
    progress: bool,
) -> tuple[CorrectedSlopes | None, tuple[Finding, ...]]:
    """Return the slope as measured and corrected; where it cannot be, the finding why not."""
    straight = not valued.family.bounded
    try:
        slopes = corrected_slopes(
            bootstrap.fit,
            valued.outcome,
            ("eiv", "sem") if straight else ("regression-calibration",),
            index=valued.indexes[0],
            family=valued.family.name,
            scale=scale,
            bootstrap=bootstrap,
            level=valued.level,
            progress=progress,
        )
    except CsimodelError as error:
        return None, (_left_out("slope-not-corrected", error),)
    return slopes, slopes.findings


def _left_out(code: str, error: CsimodelError) -> Finding:
    values = {"error": str(error).removesuffix(".")}
    return Finding(code, _LEFT_OUT[code], severity="note", values=values)


def money_by_driver(
    bootstrap: Bootstrap, valued: Repurchase | None, drivers: Sequence[str], economics: Economics
) -> dict[str, Money]:
    """Return the profit of one point more of each driver.

    Raises
    ------
    OptionError
        When there is no regression of repurchase that could turn a driver into money.
    """
    if valued is None or not valued.converged:
        raise OptionError(
            "economics= needs a regression of repurchase with a solution; name the column of "
            "repurchase with outcome=."
        )
    return profits_of_drivers(bootstrap, valued, drivers, economics)


def money_table(money: dict[str, Money]) -> pd.DataFrame:
    """Return what one point of each driver is worth and the most that may be spent on it.

    Columns driver, value, se, df, lower, upper, reason (of all customers), value_error_ignored
    (with the measurement error of indexes left in), spending_once, spending_every_period
    (break-even, per point), unit.
    """
    rows = []
    for driver, result in money.items():
        value = result.estimate
        spending = _repeated(result)
        table = result.side_by_side
        ignored = value.estimate if table is None else float(table["estimate"].loc["ignored"])
        parts = [value.estimate, value.se, value.df, value.lower, value.upper, value.reason]
        parts += [ignored, value.estimate, spending]
        rows.append([driver, *parts, result.currency])
    columns = ["driver", "value", "se", "df", "lower", "upper", "reason", "value_error_ignored"]
    return pd.DataFrame(rows, columns=[*columns, "spending_once", "spending_every_period", "unit"])


def _repeated(money: Money) -> float:
    """Return the break-even spending per point and period; NaN where it has no finite value."""
    terms = money.economics
    if terms.horizon is None and terms.discount_rate == 0:
        return float("nan")
    return break_even_spending(money, paid="every period").estimate.estimate


def _groups(fit: Fit, by: str | Sequence[str]) -> pd.Series:
    """Return each row's group, by the codebook's labels; several columns are joined."""
    survey = fit.survey
    assert isinstance(survey, Survey)
    names = [by] if isinstance(by, str) else list(by)
    columns = []
    for name in names:
        told = survey.value_labels.get(name, {})
        columns.append([label(told.get(value, value)) for value in survey.data[name]])
    missing = survey.data[names].isna().any(axis=1)
    joined = pd.Series(map(label, zip(*columns, strict=True)), index=survey.data.index)
    return joined.mask(missing).rename(" · ".join(names))
