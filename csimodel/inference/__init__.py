"""How sure the numbers are: sources of error, and the tables of intervals made from them."""

from csimodel.inference.bollen_stine import BollenStine, bollen_stine
from csimodel.inference.bootstrap import Bootstrap, bootstrap, interval_of_source
from csimodel.inference.draws import (
    about_lost,
    draws_of,
    loss_severity,
    require_draws,
    require_units_drawn,
    without_losses,
)
from csimodel.inference.infer import infer
from csimodel.inference.influence import influence_values, without_influence
from csimodel.inference.intervals import (
    INTERVALS,
    interval_name,
    interval_of,
    narrow_intervals,
    quantiles,
    spread_of,
    tail_probability,
)
from csimodel.inference.jackknife import Jackknife, jackknife
from csimodel.inference.linearized import Linearized, chain_of, linearize
from csimodel.inference.pooling import Pooled, pool, pool_tables
from csimodel.inference.replicates import replicate, replicate_weights
from csimodel.inference.sources import (
    Coefficients,
    Draws,
    ErrorSource,
    StandardErrors,
    gradient_of,
)
from csimodel.progress import progress_bar

FitErrors = Bootstrap | Linearized

__all__ = [
    "INTERVALS",
    "BollenStine",
    "Bootstrap",
    "Coefficients",
    "Draws",
    "ErrorSource",
    "FitErrors",
    "Jackknife",
    "Linearized",
    "Pooled",
    "StandardErrors",
    "about_lost",
    "bollen_stine",
    "bootstrap",
    "chain_of",
    "draws_of",
    "gradient_of",
    "infer",
    "influence_values",
    "interval_name",
    "interval_of",
    "interval_of_source",
    "jackknife",
    "linearize",
    "loss_severity",
    "narrow_intervals",
    "pool",
    "pool_tables",
    "progress_bar",
    "quantiles",
    "replicate",
    "replicate_weights",
    "require_draws",
    "require_units_drawn",
    "spread_of",
    "tail_probability",
    "without_influence",
    "without_losses",
]
