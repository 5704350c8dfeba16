"""The satisfaction index from 0 to 100: for respondents, groups and the whole sample."""

from csimodel.estimators.points import point_weights, respondent_points, scale_of
from csimodel.index.combined_map import combined_importance_performance
from csimodel.index.design_effect import design_effects
from csimodel.index.draws import IndexDraws
from csimodel.index.importance import importance_performance
from csimodel.index.index import index_scores
from csimodel.index.leading_driver import LeadingDriver, leading_driver
from csimodel.index.leading_group import LeadingGroup, leading_group
from csimodel.index.respondents import respondent_index

__all__ = [
    "IndexDraws",
    "LeadingDriver",
    "LeadingGroup",
    "combined_importance_performance",
    "design_effects",
    "importance_performance",
    "index_scores",
    "leading_driver",
    "leading_group",
    "point_weights",
    "respondent_index",
    "respondent_points",
    "scale_of",
]
