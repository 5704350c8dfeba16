"""The curve of repurchase by segment, and the drop one step below the top."""

from csimodel.outcomes.models.segments.entry import (
    repurchase_segments,
)
from csimodel.outcomes.models.segments.result import Segments
from csimodel.outcomes.models.segments.top_drop import TopDrop, repurchase_top_drop

__all__ = [
    "Segments",
    "TopDrop",
    "repurchase_segments",
    "repurchase_top_drop",
]
