"""How well a model predicts respondents that it does not know."""

from csimodel.assessment.prediction.cvpat import PredictiveComparison, cvpat
from csimodel.assessment.prediction.predict import Prediction, predict

__all__ = ["Prediction", "PredictiveComparison", "cvpat", "predict"]
