"""How sure the numbers are: bootstrap, jackknife and the intervals made from them."""

from csimodel.inference.bootstrap import Bootstrap, bootstrap
from csimodel.inference.intervals import (
    INTERVALS,
    interval_of,
    quantiles,
    require_level,
    spread_of,
    tail_probability,
)
from csimodel.inference.jackknife import Jackknife, jackknife

__all__ = [
    "INTERVALS",
    "Bootstrap",
    "Jackknife",
    "bootstrap",
    "interval_of",
    "jackknife",
    "quantiles",
    "require_level",
    "spread_of",
    "tail_probability",
]
