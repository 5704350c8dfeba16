"""How repurchase bends with the index."""

from csimodel.repurchase.shape.entry import repurchase_shape
from csimodel.repurchase.shape.result import Shape

__all__ = ["Shape", "repurchase_shape"]
