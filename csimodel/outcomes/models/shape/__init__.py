"""How repurchase bends with the index."""

from csimodel.outcomes.models.shape.entry import repurchase_shape
from csimodel.outcomes.models.shape.result import Shape

__all__ = ["Shape", "repurchase_shape"]
