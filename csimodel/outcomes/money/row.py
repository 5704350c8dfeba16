"""Rows of a table of money in the making, and the errors their draws give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.findings import text
from csimodel.inference.infer import infer
from csimodel.inference.sources import Draws, ErrorSource, StandardErrors
from csimodel.survey.sampling import DrawVariance
from csimodel.translation import gettext, message

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AmountRow:
    """One row of a table in the making.

    Attributes
    ----------
    name, unit
        What it is, and of what unit.
    estimate
        The number the row is about; where it is a change, from `start` to `end`.
    draws
        Of the estimate, (draws,); empty when nothing was drawn.
    start, end
        Both ends of a change, or NaN.
    """

    name: str
    unit: str
    estimate: float
    draws: Floats
    start: float = np.nan
    end: float = np.nan

    @classmethod
    def change(
        cls, name: str, unit: str, start: tuple[float, Floats], end: tuple[float, Floats]
    ) -> AmountRow:
        """Make the row of a change from its ends, each an estimate and draws."""
        return cls(name, unit, end[0] - start[0], end[1] - start[1], start[0], end[0])


@dataclass(frozen=True)
class Errors:
    """How draws become errors.

    Attributes
    ----------
    interval
        Kind of interval.
    df
        Degrees of freedom that the draws rest on; 0 where there is no error.
    inflation
        What the variance of the draws is multiplied by, for strata of one unit.
    replication
        How replicates become errors, in place of the spread of draws.
    """

    interval: str = "auto"
    df: float = float("inf")
    inflation: float = 1.0
    replication: DrawVariance | None = None


def infer_rows(rows: Sequence[AmountRow], errors: Errors, level: float) -> pd.DataFrame:
    """Return estimates with the errors of their draws, as `infer` does; rows names."""
    estimate = np.array([row.estimate for row in rows])
    draws = np.column_stack([row.draws for row in rows])
    source: ErrorSource = StandardErrors.none(len(rows), "a plain number was given, without draws")
    if len(draws):
        df = np.full(len(rows), errors.df)
        source = Draws(
            estimate,
            draws,
            df,
            errors.interval,
            errors.inflation,
            replication=errors.replication,
        )
    names = pd.Index([row.name for row in rows], name="step")
    return infer(names, estimate, source, level)


def row_title(name: str) -> str:
    """Return what a row is called in the language of the moment.

    >>> row_title("index of Quality"), row_title("value of all customers")
    ('index of Quality', 'value of all customers')
    """
    if name.startswith(_INDEX):
        return text("index of {construct}", construct=name.removeprefix(_INDEX))
    if name.startswith(_PROFIT):
        return text("profit of a {period}", period=name.removeprefix(_PROFIT))
    return gettext(name)


def unit_title(unit: str) -> str:
    """Return a unit in the language of the moment.

    >>> unit_title("EUR per year"), unit_title("EUR")
    ('EUR per year', 'EUR')
    """
    amount, per, period = unit.partition(" per ")
    if not per:
        return gettext(unit)
    return text("{amount} per {period}", amount=gettext(amount), period=period)


_INDEX = "index of "
_PROFIT = "profit of a "
UNITS = (
    message("share"), message("customers"), message("complaints"), message("index points"),
    message("probability"), message("percentage points"), message("as a share"),
)  # fmt: skip
"""Units that are no money."""
