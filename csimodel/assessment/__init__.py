"""Reliability, validity, structural quality and global fit; `assess` puts them into words.

Each measure is a function from a solution, single or batched, to an array, and a quantity that
bootstrap tables and group tables know by the function's name.
"""

from csimodel.assessment.assess import Assessment, assess
from csimodel.assessment.fimix import fimix
from csimodel.assessment.full_collinearity import full_collinearity
from csimodel.assessment.global_fit import d_g, d_uls, nfi, rms_theta, srmr
from csimodel.assessment.group_comparison import GroupComparison, compare_groups
from csimodel.assessment.micom import Micom, micom
from csimodel.assessment.missing_policies import MissingPolicies, compare_missing_policies
from csimodel.assessment.model_selection import criterion_weights, model_selection
from csimodel.assessment.necessary_conditions import necessary_conditions
from csimodel.assessment.necessity import NecessaryConditions
from csimodel.assessment.overall_fit import OverallFit, overall_fit
from csimodel.assessment.prediction.blindfolding import blindfold
from csimodel.assessment.redundancy import redundancy
from csimodel.assessment.reliability import alpha, alpha_raw, ave, rho_a, rho_c
from csimodel.assessment.segments import HiddenSegments
from csimodel.assessment.structure import antecedent_vif, f2, full_vif, item_vif
from csimodel.assessment.tetrads import TetradAnalysis, tetrads
from csimodel.assessment.validity import (
    fornell_larcker,
    fornell_larcker_margin,
    htmt,
    htmt2,
    htmt_signed,
)

__all__ = [
    "Assessment",
    "GroupComparison",
    "HiddenSegments",
    "Micom",
    "MissingPolicies",
    "NecessaryConditions",
    "OverallFit",
    "TetradAnalysis",
    "alpha",
    "alpha_raw",
    "antecedent_vif",
    "assess",
    "ave",
    "blindfold",
    "compare_groups",
    "compare_missing_policies",
    "criterion_weights",
    "d_g",
    "d_uls",
    "f2",
    "fimix",
    "fornell_larcker",
    "fornell_larcker_margin",
    "full_collinearity",
    "full_vif",
    "htmt",
    "htmt2",
    "htmt_signed",
    "item_vif",
    "micom",
    "model_selection",
    "necessary_conditions",
    "nfi",
    "overall_fit",
    "redundancy",
    "rho_a",
    "rho_c",
    "rms_theta",
    "srmr",
    "tetrads",
]
