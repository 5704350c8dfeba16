"""Customers within firms: slopes of the index within and between firms."""

from csimodel.repurchase.mixed.entry import repurchase_mixed
from csimodel.repurchase.mixed.result import RepurchaseMixed

__all__ = ["RepurchaseMixed", "repurchase_mixed"]
