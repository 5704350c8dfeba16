"""The curve of repurchase by segment, and the drop one step below the top."""

from csimodel.repurchase.segments.entry import repurchase_segments, repurchase_segments_of_index
from csimodel.repurchase.segments.result import Segments
from csimodel.repurchase.segments.top_drop import TopDrop, repurchase_top_drop

__all__ = [
    "Segments",
    "TopDrop",
    "repurchase_segments",
    "repurchase_segments_of_index",
    "repurchase_top_drop",
]
