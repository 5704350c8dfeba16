"""Slopes corrected for the index's measurement error."""

from csimodel.outcomes.measurement_error.entry import corrected_slopes
from csimodel.outcomes.measurement_error.reliability import (
    Reliability,
    group_reliability,
    index_reliability,
)
from csimodel.outcomes.measurement_error.result import CorrectedSlopes

__all__ = [
    "CorrectedSlopes",
    "Reliability",
    "corrected_slopes",
    "group_reliability",
    "index_reliability",
]
