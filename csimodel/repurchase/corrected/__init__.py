"""Slopes corrected for the index's measurement error."""

from csimodel.repurchase.corrected.entry import corrected_slopes, corrected_slopes_of_index
from csimodel.repurchase.corrected.reliability import (
    Reliability,
    group_reliability,
    index_reliability,
)
from csimodel.repurchase.corrected.result import CorrectedSlopes

__all__ = [
    "CorrectedSlopes",
    "Reliability",
    "corrected_slopes",
    "corrected_slopes_of_index",
    "group_reliability",
    "index_reliability",
]
