"""Time to repurchase or churn: the proportional hazard of the index."""

from csimodel.outcomes.models.duration.entry import repurchase_time
from csimodel.outcomes.models.duration.result import RepurchaseTime

__all__ = ["RepurchaseTime", "repurchase_time"]
