"""How well a regression predicts, and which shape predicts best."""

from csimodel.outcomes.prediction.calibrate import Calibration, calibration
from csimodel.outcomes.prediction.compare import ShapeComparison, compare_shapes

__all__ = ["Calibration", "ShapeComparison", "calibration", "compare_shapes"]
