"""Time to repurchase or churn: the proportional hazard of the index."""

from csimodel.repurchase.duration.entry import repurchase_time
from csimodel.repurchase.duration.result import RepurchaseTime

__all__ = ["RepurchaseTime", "repurchase_time"]
