"""A number of money with and without measurement error, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from csimodel.findings import Finding
from csimodel.inference import interval_of, spread_of
from csimodel.repurchase.money.row import Row

_APART = 0.1  # share of the corrected value from which on the two are said to part


def beside(
    rows: Sequence[Row], title: str, wanted: bool, level: float, interval: str
) -> tuple[pd.DataFrame | None, Finding | None]:
    """Return both numbers with their intervals, and what is to be said where they part.

    Parameters
    ----------
    rows
        The number that counts, and the other if there is one.
    title
        What was computed, as in "Profit of 1 point of Quality".
    wanted
        Whether the first is without measurement error.
    level, interval
        Coverage and kind of intervals.

    Returns
    -------
    Rows corrected, ignored; columns estimate, se, lower, upper, unit; or None. The finding is
    about how far they are apart, or None where that is less than a tenth.
    """
    if len(rows) < 2:
        return None, None
    free, left = rows if wanted else rows[::-1]
    estimate = np.array([free.estimate, left.estimate])
    drawn = np.column_stack([free.draws, left.draws])
    lower, upper = interval_of(interval, level, estimate, drawn)
    table = pd.DataFrame(
        {"estimate": estimate, "se": spread_of(drawn), "lower": lower, "upper": upper},
        index=pd.Index(["corrected", "ignored"], name="measurement error"),
    ).assign(unit=free.unit)
    if abs(free.estimate - left.estimate) <= _APART * abs(free.estimate):
        return table, None
    values = {
        "profit": title[0].lower() + title[1:],
        "unit": free.unit,
        "corrected": free.estimate,
        "ignored": left.estimate,
        "level": 100.0 * level,
        "lower": float(lower[1]),
        "upper": float(upper[1]),
    }
    if wanted:
        return table, Finding(
            "measurement-error-matters",
            "With measurement error ignored, the {profit} would be {ignored:,.2f} {unit} "
            "({level:g} % interval {lower:,.2f} to {upper:,.2f}) instead of {corrected:,.2f}.",
            (free.name,),
            "note",
            values=values,
        )
    short = free.estimate > 0 and left.estimate < free.estimate
    return table, Finding(
        "measurement-error-left-in",
        "Measurement error is left in, as asked, so that the {profit} falls short of the "
        "{corrected:,.2f} {unit} without it by {percent:.0f} %."
        if short
        else "Measurement error is left in, as asked; without it the {profit} would be "
        "{corrected:,.2f} {unit} instead of {ignored:,.2f}.",
        (free.name,),
        values={**values, "percent": 100.0 * (1.0 - left.estimate / free.estimate)}
        if short
        else values,
    )
