"""What a point of satisfaction is worth: regressions of repurchase on the index."""

from csimodel.repurchase.entry import repurchase, repurchase_of_index
from csimodel.repurchase.estimate import Estimate
from csimodel.repurchase.result import Repurchase

__all__ = ["Estimate", "Repurchase", "repurchase", "repurchase_of_index"]
