"""Moments and a model in, estimates out: one file for each estimator."""

from csimodel.estimators.compare import Comparison, compare
from csimodel.estimators.covariance.invariance import Invariance, invariance
from csimodel.estimators.covariance.least_squares import LeastSquares
from csimodel.estimators.covariance.ml import ML
from csimodel.estimators.covariance.multigroup import MultiGroupFit, fit_multigroup
from csimodel.estimators.covariance.ordinal import WLSMV
from csimodel.estimators.covariance.semopy import Semopy
from csimodel.estimators.covariance_fit import CovarianceFit, fit_of
from csimodel.estimators.estimates import Estimates, Inadmissible, Status
from csimodel.estimators.estimation import fit
from csimodel.estimators.factor_scores import FactorScores, factor_scores
from csimodel.estimators.fit import Fit
from csimodel.estimators.groups import GroupFits, fit_groups, group_codes
from csimodel.estimators.pls import PLS
from csimodel.estimators.quantities import Quantity, find, register
from csimodel.estimators.requirements import (
    require_alone,
    require_fit,
    require_own,
    require_resampling,
    require_rows,
)
from csimodel.estimators.solution import Estimator, Solution

__all__ = [
    "ML",
    "PLS",
    "WLSMV",
    "Comparison",
    "CovarianceFit",
    "Estimates",
    "Estimator",
    "FactorScores",
    "Fit",
    "GroupFits",
    "Inadmissible",
    "Invariance",
    "LeastSquares",
    "MultiGroupFit",
    "Quantity",
    "Semopy",
    "Solution",
    "Status",
    "compare",
    "factor_scores",
    "find",
    "fit",
    "fit_groups",
    "fit_multigroup",
    "fit_of",
    "group_codes",
    "invariance",
    "register",
    "require_alone",
    "require_fit",
    "require_own",
    "require_resampling",
    "require_rows",
]
