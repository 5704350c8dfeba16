"""How sure the numbers are: bootstrap, jackknife and the intervals made from them."""

from csimodel.inference.bollen_stine import BollenStine, bollen_stine
from csimodel.inference.bootstrap import Bootstrap, bootstrap
from csimodel.inference.intervals import (
    INTERVALS,
    interval_of,
    quantiles,
    spread_of,
    tail_probability,
)
from csimodel.inference.jackknife import Jackknife, jackknife
from csimodel.inference.nested import progress_bar

__all__ = [
    "INTERVALS",
    "BollenStine",
    "Bootstrap",
    "Jackknife",
    "bollen_stine",
    "bootstrap",
    "interval_of",
    "jackknife",
    "progress_bar",
    "quantiles",
    "spread_of",
    "tail_probability",
]
