"""Descriptive measures of customer satisfaction, each with its error, by group.

Every function takes a survey or a frame and names of columns; weights, strata and clusters are the
survey's (`csi.read_survey(frame, weights=…)`). Results have a ``table`` (estimate, se, df, lower,
upper, n, reason), ``differences`` of every two groups with Holm's correction, ``bootstrap()`` and
``summary()``:

- `satisfaction_level`: worded answers on -60 to 60, by brand and attribute;
- `top_box`, `bottom_box`, `net_score`, `answer_shares`, `net_promoter`: shares of answers.
"""

from csimodel.measures.measure import Measure
from csimodel.measures.satisfaction import SatisfactionLevel, satisfaction_level
from csimodel.measures.shares import (
    NetPromoter,
    answer_shares,
    bottom_box,
    net_promoter,
    net_score,
    top_box,
)

__all__ = [
    "Measure",
    "NetPromoter",
    "SatisfactionLevel",
    "answer_shares",
    "bottom_box",
    "net_promoter",
    "net_score",
    "satisfaction_level",
    "top_box",
]
