"""Files and frames → `Survey`: readers, codebook, scales, missing data, weights, design."""

from csimodel.survey.answers import Answers
from csimodel.survey.codebook import Codebook, read_codebook
from csimodel.survey.datasets import load_acsi2015, load_mobi
from csimodel.survey.imputation import Imputations, impute
from csimodel.survey.item import Item
from csimodel.survey.missing import ConstructMinimum
from csimodel.survey.read import read_survey
from csimodel.survey.replicates import ReplicateMethod
from csimodel.survey.scanning.scan import Scan, scan
from csimodel.survey.survey import Survey

__all__ = [
    "Answers",
    "Codebook",
    "ConstructMinimum",
    "Imputations",
    "Item",
    "ReplicateMethod",
    "Scan",
    "Survey",
    "impute",
    "load_acsi2015",
    "load_mobi",
    "read_codebook",
    "read_survey",
    "scan",
]
