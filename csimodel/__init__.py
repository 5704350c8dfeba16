"""Customer satisfaction index models: estimate, score, infer, and value in repurchase.

At the top are the verbs and the classes that a user makes values of. Their results, the errors and
the functions of one field are in the modules: ``csi.outcomes``, ``csi.money``, ``csi.plots``,
``csi.simulate``, ``csi.errors`` and the rest. Everything is loaded when it is first used.
"""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from csimodel._version import __version__ as __version__

if TYPE_CHECKING:
    from csimodel import assessment as assessment
    from csimodel import errors as errors
    from csimodel import estimators as estimators
    from csimodel import findings as findings
    from csimodel import index as index
    from csimodel import inference as inference
    from csimodel import measures as measures
    from csimodel import model as model
    from csimodel import moments as moments
    from csimodel import outcomes as outcomes
    from csimodel import plots as plots
    from csimodel import report as report
    from csimodel import simulate as simulate
    from csimodel import storage as storage
    from csimodel import survey as survey
    from csimodel import tables as tables
    from csimodel import weighting as weighting
    from csimodel.assessment.assess import assess as assess
    from csimodel.assessment.group_comparison import compare_groups as compare_groups
    from csimodel.assessment.micom import micom as micom
    from csimodel.assessment.overall_fit import overall_fit as overall_fit
    from csimodel.assessment.prediction.cvpat import cvpat as cvpat
    from csimodel.assessment.prediction.predict import predict as predict
    from csimodel.assessment.simple_slopes import simple_slopes as simple_slopes
    from csimodel.errors import CsimodelError as CsimodelError
    from csimodel.estimators.compare import compare as compare
    from csimodel.estimators.covariance.invariance import invariance as invariance
    from csimodel.estimators.covariance.least_squares import LeastSquares as LeastSquares
    from csimodel.estimators.covariance.ml import ML as ML
    from csimodel.estimators.covariance.multigroup import fit_multigroup as fit_multigroup
    from csimodel.estimators.covariance.ordinal import WLSMV as WLSMV
    from csimodel.estimators.covariance.semopy import Semopy as Semopy
    from csimodel.estimators.estimation import fit as fit
    from csimodel.estimators.factor_scores import factor_scores as factor_scores
    from csimodel.estimators.groups import fit_groups as fit_groups
    from csimodel.estimators.pls import PLS as PLS
    from csimodel.estimators.quantities import Quantity as Quantity
    from csimodel.estimators.quantities import register as register
    from csimodel.index.importance import importance_performance as importance_performance
    from csimodel.index.index import index_scores as index_scores
    from csimodel.index.programme.programme import programme as programme
    from csimodel.index.respondents import respondent_index as respondent_index
    from csimodel.index.what_if import goal_seek as goal_seek
    from csimodel.index.what_if import what_if as what_if
    from csimodel.inference.bootstrap import bootstrap as bootstrap
    from csimodel.inference.jackknife import jackknife as jackknife
    from csimodel.inference.linearized import linearize as linearize
    from csimodel.inference.replicates import replicate as replicate
    from csimodel.inference.replicates import replicate_weights as replicate_weights
    from csimodel.measures.description import describe as describe
    from csimodel.measures.factors.exploration import explore_factors as explore_factors
    from csimodel.measures.item_analysis import analyze_items as analyze_items
    from csimodel.measures.sample_plan import sample_plan as sample_plan
    from csimodel.model import catalogue
    from csimodel.model.constructs import Construct as Construct
    from csimodel.model.constructs import Path as Path
    from csimodel.model.constructs import composite as composite
    from csimodel.model.constructs import reflective as reflective
    from csimodel.model.model import Model as Model
    from csimodel.moments.moments import Moments as Moments
    from csimodel.outcomes import literature as literature
    from csimodel.outcomes import money as money
    from csimodel.outcomes.models.repurchase import repurchase as repurchase
    from csimodel.report.analysis import analyze as analyze
    from csimodel.report.write import write_report as write_report
    from csimodel.storage.file import load as load
    from csimodel.storage.file import save as save
    from csimodel.survey.codebook import Codebook as Codebook
    from csimodel.survey.codebook import read_codebook as read_codebook
    from csimodel.survey.datasets import load_acsi2015 as load_acsi2015
    from csimodel.survey.datasets import load_mobi as load_mobi
    from csimodel.survey.drafting import draft_codebook as draft_codebook
    from csimodel.survey.imputation import impute as impute
    from csimodel.survey.item import Item as Item
    from csimodel.survey.missing import ConstructMinimum as ConstructMinimum
    from csimodel.survey.read import read_survey as read_survey
    from csimodel.survey.scanning.scan import Scan as Scan
    from csimodel.survey.scanning.scan import scan as scan
    from csimodel.survey.survey import Survey as Survey
    from csimodel.tables.table import table as table
    from csimodel.translation import language as language
    from csimodel.weighting.calibration import rake as rake

    models = catalogue

# Where each name is; the imports above say the same to type checkers and editors.
_MODULES = MappingProxyType(
    {
        "assessment": "csimodel.assessment",
        "errors": "csimodel.errors",
        "estimators": "csimodel.estimators",
        "findings": "csimodel.findings",
        "index": "csimodel.index",
        "inference": "csimodel.inference",
        "literature": "csimodel.outcomes.literature",
        "measures": "csimodel.measures",
        "model": "csimodel.model",
        "models": "csimodel.model.catalogue",
        "moments": "csimodel.moments",
        "money": "csimodel.outcomes.money",
        "outcomes": "csimodel.outcomes",
        "plots": "csimodel.plots",
        "report": "csimodel.report",
        "simulate": "csimodel.simulate",
        "storage": "csimodel.storage",
        "survey": "csimodel.survey",
        "tables": "csimodel.tables",
        "weighting": "csimodel.weighting",
    }
)
_NAMES = MappingProxyType(
    {
        "Codebook": "csimodel.survey.codebook",
        "Construct": "csimodel.model.constructs",
        "ConstructMinimum": "csimodel.survey.missing",
        "CsimodelError": "csimodel.errors",
        "Item": "csimodel.survey.item",
        "LeastSquares": "csimodel.estimators.covariance.least_squares",
        "ML": "csimodel.estimators.covariance.ml",
        "Model": "csimodel.model.model",
        "Moments": "csimodel.moments.moments",
        "PLS": "csimodel.estimators.pls",
        "Path": "csimodel.model.constructs",
        "Quantity": "csimodel.estimators.quantities",
        "Scan": "csimodel.survey.scanning.scan",
        "Semopy": "csimodel.estimators.covariance.semopy",
        "Survey": "csimodel.survey.survey",
        "WLSMV": "csimodel.estimators.covariance.ordinal",
        "analyze_items": "csimodel.measures.item_analysis",
        "cvpat": "csimodel.assessment.prediction.cvpat",
        "describe": "csimodel.measures.description",
        "draft_codebook": "csimodel.survey.drafting",
        "analyze": "csimodel.report.analysis",
        "assess": "csimodel.assessment.assess",
        "bootstrap": "csimodel.inference.bootstrap",
        "compare": "csimodel.estimators.compare",
        "compare_groups": "csimodel.assessment.group_comparison",
        "composite": "csimodel.model.constructs",
        "explore_factors": "csimodel.measures.factors.exploration",
        "factor_scores": "csimodel.estimators.factor_scores",
        "fit": "csimodel.estimators.estimation",
        "fit_groups": "csimodel.estimators.groups",
        "fit_multigroup": "csimodel.estimators.covariance.multigroup",
        "goal_seek": "csimodel.index.what_if",
        "importance_performance": "csimodel.index.importance",
        "impute": "csimodel.survey.imputation",
        "index_scores": "csimodel.index.index",
        "invariance": "csimodel.estimators.covariance.invariance",
        "jackknife": "csimodel.inference.jackknife",
        "language": "csimodel.translation",
        "linearize": "csimodel.inference.linearized",
        "load": "csimodel.storage.file",
        "micom": "csimodel.assessment.micom",
        "load_acsi2015": "csimodel.survey.datasets",
        "load_mobi": "csimodel.survey.datasets",
        "overall_fit": "csimodel.assessment.overall_fit",
        "predict": "csimodel.assessment.prediction.predict",
        "programme": "csimodel.index.programme.programme",
        "rake": "csimodel.weighting.calibration",
        "read_codebook": "csimodel.survey.codebook",
        "read_survey": "csimodel.survey.read",
        "reflective": "csimodel.model.constructs",
        "replicate": "csimodel.inference.replicates",
        "replicate_weights": "csimodel.inference.replicates",
        "register": "csimodel.estimators.quantities",
        "repurchase": "csimodel.outcomes.models.repurchase",
        "respondent_index": "csimodel.index.respondents",
        "save": "csimodel.storage.file",
        "scan": "csimodel.survey.scanning.scan",
        "simple_slopes": "csimodel.assessment.simple_slopes",
        "table": "csimodel.tables.table",
        "what_if": "csimodel.index.what_if",
        "sample_plan": "csimodel.measures.sample_plan",
        "write_report": "csimodel.report.write",
    }
)
__all__ = sorted([*_MODULES, *_NAMES])


if not TYPE_CHECKING:  # to which a name that is not there is a fault

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            value: Any = import_module(_MODULES[name])
        elif name in _NAMES:
            value = getattr(import_module(_NAMES[name]), name)
        else:
            raise AttributeError(f"module 'csimodel' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return list(__all__)
