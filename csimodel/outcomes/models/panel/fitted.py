"""A table of firms over periods → a checked regression."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import EstimationError, OptionError
from csimodel.findings import Finding, listed
from csimodel.outcomes.kernels.fixed_effects import Panel, connected_rows
from csimodel.outcomes.models.panel.findings import about, singletons
from csimodel.outcomes.models.panel.result import RepurchasePanel
from csimodel.outcomes.rows.collinearity import require_independent

Codes = NDArray[np.intp]

WEIGHT = "weight"  # what the cells call their weights


def require_other_names(names: tuple[str, ...], taken: tuple[str, ...]) -> None:
    """Refuse columns that are called like those the cells have of their own.

    Raises
    ------
    OptionError
        Naming the first.
    """
    for name in names:
        if name in taken:
            raise OptionError(
                f"The column {name!r} has the name of one that the table of firms and periods has "
                "of its own; rename it."
            )


def fitted(
    table: pd.DataFrame,
    names: tuple[str, ...],
    outcome: str,
    firm: Codes,
    period: Codes,
    keep: NDArray[np.bool_],
    effects: str,
    errors: str,
    level: float,
    interval: str,
    told: list[Finding],
) -> tuple[RepurchasePanel, Codes]:
    """Fit the rows kept that say something, and return which they are."""
    rows = np.flatnonzero(keep)
    connected = rows[connected_rows(firm[rows], period[rows], effects)] if len(rows) else rows
    told = [*told, *singletons(len(rows) - len(connected), len(rows))]
    _, f = np.unique(firm[connected], return_inverse=True)
    _, p = np.unique(period[connected], return_inverse=True)
    cut = table.iloc[connected]
    panel = Panel(
        outcome=cut[outcome].to_numpy(),
        regressors=cut[list(names)].to_numpy(),
        weights=cut[WEIGHT].to_numpy() / cut[WEIGHT].mean() if len(cut) else np.empty(0),
        firm=f,
        period=p,
        effects=effects,
    )
    _require_rows(panel, names, told)
    if errors == "two-way" and int(p.max()) == 0:
        raise OptionError(
            "errors='two-way' needs at least 2 periods to cluster by, and the rows used are of 1; "
            "use errors='cluster', which clusters by firm."
        )
    result = RepurchasePanel(
        panel, cut, outcome, names, errors, None, level, interval,
        (*told, *about(panel, errors, names[0])),
    )  # fmt: skip
    return result, connected


_WHY = {
    "rows-left-out": "with a value missing",
    "small-cells": "with fewer respondents than fewest=",
    "singletons": "alone in their firm or period",
}


def _require_rows(panel: Panel, names: tuple[str, ...], told: list[Finding]) -> None:
    firms, periods = len(np.unique(panel.firm)), len(np.unique(panel.period))
    own = {"two-way": firms + periods - 1, "firm": firms, "period": periods, "none": 1}
    needed = own[panel.effects] + len(names) + 1
    if firms < 2 or panel.n < needed:
        why = [f"{finding.count} {_WHY[finding.code]}" for finding in told if finding.code in _WHY]
        lost = f" (left out: {listed(why)})" if why else ""
        raise EstimationError(
            f"There are {panel.n} usable rows of {firms} firms in {periods} periods{lost}, and "
            f"effects={panel.effects!r} need at least 2 firms and {max(needed, 4)} rows; use more "
            "periods, or fewer effects."
        )
    root = np.sqrt(panel.weights)[:, None]
    others = np.column_stack([panel.design[:, :1], panel.design[:, 1 + len(names) :]]) * root
    x = panel.design[:, 1 : 1 + len(names)] * root
    left = x - others @ np.linalg.lstsq(others, x, rcond=None)[0]
    size = np.sqrt((left**2).sum(axis=0)) / np.sqrt(panel.n)
    rounding = 1e-13 * np.abs(panel.regressors).max(axis=0)
    spread = np.maximum(1e-9 * panel.regressors.std(axis=0), rounding)
    still = [name for name, own, least in zip(names, size, spread, strict=True) if own <= least]
    if still:
        raise EstimationError(
            f"{listed(map(repr, still))} does not move by itself once "
            f"effects={panel.effects!r} are taken out, so there is no slope; use fewer effects or "
            "controls."
        )
    require_independent(left / size, names)
