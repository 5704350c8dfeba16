"""Weights of a sample: margins of the population, trimming, nonresponse, and what they cost."""

from csimodel.weighting.calibration import calibrate, post_stratify, rake
from csimodel.weighting.report import WeightsReport, describe_weights
from csimodel.weighting.response import ResponseRates, adjust_for_nonresponse, response_rates
from csimodel.weighting.trimming import trim

__all__ = [
    "ResponseRates",
    "WeightsReport",
    "adjust_for_nonresponse",
    "calibrate",
    "describe_weights",
    "post_stratify",
    "rake",
    "response_rates",
    "trim",
]
