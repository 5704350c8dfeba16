"""Complaints: who speaks, how well it was handled, and who buys again."""

from csimodel.outcomes.complaints.entry import complaint_repurchase
from csimodel.outcomes.complaints.result import Complaints

__all__ = ["Complaints", "complaint_repurchase"]
