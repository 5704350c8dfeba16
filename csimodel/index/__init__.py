"""The satisfaction index from 0 to 100: for respondents, groups and the whole sample."""

from csimodel.index.importance import importance_performance
from csimodel.index.index import index_scores, respondent_index, respondent_points
from csimodel.index.points import point_weights, scale_of

__all__ = [
    "importance_performance",
    "index_scores",
    "point_weights",
    "respondent_index",
    "respondent_points",
    "scale_of",
]
