"""What units add to the change of the whole, as steps."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csimodel.arguments import checked
from csimodel.errors import OptionError, choose
from csimodel.findings import text
from csimodel.floats import own_errstate
from csimodel.formatting import plural
from csimodel.index.programme import Programme
from csimodel.index.programme.differences import period_place
from csimodel.options import require_count
from csimodel.plots.waterfall import waterfall
from csimodel.translation import gettext, message

CHANGE = message("Change of the whole")
SHIFT = message("Shift of weights")


@own_errstate
@checked
def contributions(
    programme: Programme,
    level: str | None = None,
    period: object = None,
    *,
    construct: str | None = None,
    most: int = 12,
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw what units add to the change of the whole on the period before, as steps that add up.

    Steps are the units' own changes at their weights, the largest first; then the others, and the
    shift of weights between units.

    Parameters
    ----------
    programme
        From `csi.programme`, of two periods at least.
    level
        Whose units; the highest by default.
    period
        Of the change since the one before; the last by default.
    construct
        Whose index; that of the programme by default.
    most
        How many units are drawn; the others are one step.
    title
        Title of the chart.
    ax
        Axes to draw on; left out, a new figure of fitting height is made.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OptionError
        For an unknown level, or a period without a change.

    Examples
    --------
    >>> import csimodel as csi
    >>> drawn = csi.simulate.programme(4, 2, 40, rng=1, industries=2, sectors=1)
    >>> waves = csi.programme(
    ...     drawn.model, drawn.survey, ["industry", "firm"], "period", drawn.weights[
    ...         drawn.weights["level"] != "sector"
    ...     ]
    ... )
    >>> [tick.get_text() for tick in contributions(waves).axes[0].get_yticklabels()]
    ['Industry 02', 'Industry 01', 'Shift of weights', 'Change of the whole']
    """
    name = programme.chosen_construct(construct)
    steps = _steps(programme, level, period, name, require_count("most", most))
    return waterfall(
        steps,
        y=text("Points of {target}", target=name),
        totals=[gettext(CHANGE)],
        title=title,
        ax=ax,
    )


def _steps(
    programme: Programme, level: str | None, period: object, construct: str, most: int
) -> pd.DataFrame:
    """Return the steps and what they add."""
    hierarchy = programme.hierarchy
    chosen = hierarchy.levels[0] if level is None else level
    choose("level", chosen, hierarchy.levels)
    table = programme.contributions
    values = table.index.get_level_values
    when = hierarchy.periods[period_place(hierarchy, "period", period)]
    chosen_rows = (values("level") == chosen) & (values("construct") == construct)
    own = table[chosen_rows & (values("period") == when)]
    if not len(own):
        raise OptionError(
            f"period={when} has no change of the whole on the period before; the periods are "
            f"{hierarchy.periods[0]} to {hierarchy.periods[-1]}."
        )
    units = [str(unit) for unit in own.index.get_level_values("unit")]
    scores = pd.Series(own["scores"].to_numpy(dtype=float), units)
    order = scores.iloc[np.argsort(-scores.abs().to_numpy(), kind="stable")]
    steps = [*order.iloc[:most].items()]
    if len(order) > most:
        steps.append((plural(len(order) - most, "other unit"), float(order.iloc[most:].sum())))
    steps.append((gettext(SHIFT), float(own["weights"].sum())))
    steps.append((gettext(CHANGE), float(own["total"].sum())))
    return pd.DataFrame(steps, columns=["step", "value"])
