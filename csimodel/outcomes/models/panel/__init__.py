"""Firms over periods: what a point of a firm's index is worth, firm and period effects apart."""

from csimodel.outcomes.models.panel.entry import repurchase_panel, repurchase_panel_of_index
from csimodel.outcomes.models.panel.result import RepurchasePanel

__all__ = ["RepurchasePanel", "repurchase_panel", "repurchase_panel_of_index"]
