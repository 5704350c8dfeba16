"""How well a regression predicts, and which shape predicts best."""

from csimodel.repurchase.prediction.calibration import Calibration, calibration
from csimodel.repurchase.prediction.comparison import ShapeComparison, compare_shapes

__all__ = ["Calibration", "ShapeComparison", "calibration", "compare_shapes"]
