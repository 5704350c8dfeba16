"""Customers within firms: slopes of the index within and between firms."""

from csimodel.outcomes.models.mixed.entry import repurchase_mixed
from csimodel.outcomes.models.mixed.result import RepurchaseMixed

__all__ = ["RepurchaseMixed", "repurchase_mixed"]
