"""When money flows, and how much: what is spent on a customer and expected of him."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.outcomes.money.retention import Together
from csimodel.outcomes.money.value import Economics, present_values

Floats = NDArray[np.float64]

_TIMES = 10  # margins shown one by one


def cash_flows(given: Together, economics: Economics, costs: Mapping[str, float]) -> pd.DataFrame:
    """Return the money of each time of customers who are there this period, by what they cost.

    Margin s, counted from 0, is expected with the share of customers who stay s periods,
    ``mean(r^s)``, now or at the end of its period; costs are paid now.

    Parameters
    ----------
    given
        Retentions by name.
    economics
        The terms.
    costs
        What a customer of each name costs.

    Returns
    -------
    Rows times from 0, ten margins at most, and all that comes later in one; columns by name the
    money of that time, and the same in today's money (``"<name>, today"``), whose sum is the net
    value.
    """
    count = _TIMES if economics.horizon is None else min(_TIMES, economics.horizon)
    first = 0 if economics.first_margin == "now" else 1
    times = np.arange(first + count)
    discount = (1.0 + economics.discount_rate) ** -times.astype(np.float64)
    table: dict[str, list[float]] = {}
    for name, cost in costs.items():
        flows = np.zeros(len(times))
        for margin in range(count):
            flows[first + margin] = economics.margin * _staying(given, name, margin)
        flows[0] -= cost
        today = flows * discount
        whole, _ = given.average(name, lambda r: present_values(r, economics))
        later = 0.0 if economics.horizon == count else whole - cost - float(today.sum())
        table[name] = [*flows.tolist(), np.nan]
        table[f"{name}, today"] = [*today.tolist(), later]
    index = pd.Index([*map(str, times), "later"], name=economics.period)
    return pd.DataFrame(table, index=index)


def _staying(given: Together, name: str, periods: int) -> float:
    """Return the share of customers who stay so many periods."""

    def power(r: Floats) -> Floats:
        return np.asarray(r**periods)

    return given.average(name, power)[0]
