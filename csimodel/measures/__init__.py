"""Descriptive measures of customer satisfaction, each with its error, by group.

Every function takes a survey or a frame and names of columns; weights, strata and clusters are the
survey's (`csi.read_survey(frame, weights=…)`). Results have a ``table`` (estimate, se, df, lower,
upper, n, reason), ``differences`` of every two groups with Holm's correction, ``bootstrap()`` and
``summary()``:

- `satisfaction_level`: worded answers on -60 to 60, by brand and attribute;
- `comparison`: mean ratings of brands side by side;
- `top_box`, `bottom_box`, `net_score`, `answer_shares`, `net_promoter`: shares of answers;
- `value_balance`, `after_use_satisfaction`: ratios;
- `disconfirmation`, `service_gap`: perceived less expected;
- `importance_weights`, `weighted_satisfaction`, `stated_importance`: what customers call important;
- `customer_value`: what customers get and what it costs them;
- `abc_classes`: classes of customers by sales, Lorenz curve and Gini;
- `enterprise_index`: favourability, designation, return, complaints, sales power;
- `branch_regression`: customers' index of branches on the staff's, with both errors.

The instruments that answers come from are beside them: `csi.explore_factors` and its kin,
`write_questionnaire` and `survey_plan`.
"""

from csimodel.measures.abc_analysis import AbcClasses, abc_classes
from csimodel.measures.branches import branch_regression
from csimodel.measures.comparison import comparison
from csimodel.measures.customer_value import CustomerValue, customer_value
from csimodel.measures.enterprise import EnterpriseIndex, enterprise_index
from csimodel.measures.gaps import Gaps, ServiceGap, disconfirmation, service_gap
from csimodel.measures.importance import (
    ImportanceWeights,
    StatedImportance,
    importance_weights,
    stated_importance,
    weighted_satisfaction,
)
from csimodel.measures.measure import Measure
from csimodel.measures.questionnaire import write_questionnaire
from csimodel.measures.ratios import Balance, after_use_satisfaction, value_balance
from csimodel.measures.satisfaction import SatisfactionLevel, satisfaction_level
from csimodel.measures.shares import (
    NetPromoter,
    answer_shares,
    bottom_box,
    net_promoter,
    net_score,
    top_box,
)
from csimodel.measures.survey_plan import SurveyPlan, survey_plan

__all__ = [
    "AbcClasses",
    "Balance",
    "CustomerValue",
    "EnterpriseIndex",
    "Gaps",
    "ImportanceWeights",
    "Measure",
    "NetPromoter",
    "SatisfactionLevel",
    "ServiceGap",
    "StatedImportance",
    "SurveyPlan",
    "abc_classes",
    "after_use_satisfaction",
    "answer_shares",
    "bottom_box",
    "branch_regression",
    "comparison",
    "customer_value",
    "disconfirmation",
    "enterprise_index",
    "importance_weights",
    "net_promoter",
    "net_score",
    "satisfaction_level",
    "service_gap",
    "stated_importance",
    "survey_plan",
    "top_box",
    "value_balance",
    "weighted_satisfaction",
    "write_questionnaire",
]
