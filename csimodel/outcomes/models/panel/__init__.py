"""Firms over periods: what a point of a firm's index is worth, firm and period effects apart."""

from csimodel.outcomes.models.panel.entry import repurchase_panel
from csimodel.outcomes.models.panel.result import RepurchasePanel

__all__ = ["RepurchasePanel", "repurchase_panel"]
