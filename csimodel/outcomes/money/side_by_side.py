"""A number of money with and without measurement error, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from csimodel.bounds import THRESHOLDS
from csimodel.findings import Finding
from csimodel.outcomes.money.row import AmountRow, Errors, infer_rows
from csimodel.translation import Message

_APART = THRESHOLDS["values of a point apart"].value  # share of the corrected value


def beside(
    rows: Sequence[AmountRow], title: Message, wanted: bool, level: float, errors: Errors
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
    level, errors
        Coverage, and how draws become errors.

    Returns
    -------
    Rows corrected, ignored; columns of `infer`, and unit; or None. The finding is
    about how far they are apart, or None where that is less than a tenth.
    """
    if len(rows) < 2:
        return None, None
    free, left = rows if wanted else rows[::-1]
    table = infer_rows([free, left], errors, level)
    table = table.set_axis(pd.Index(["corrected", "ignored"], name="measurement error"))
    table["unit"] = free.unit
    if abs(free.estimate - left.estimate) <= _APART * abs(free.estimate):
        return table, None
    values = {
        "profit": title.in_sentence(),
        "unit": free.unit,
        "corrected": free.estimate,
        "ignored": left.estimate,
        "level": 100.0 * level,
        "lower": float(table["lower"].loc["ignored"]),
        "upper": float(table["upper"].loc["ignored"]),
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
