"""Customer satisfaction index models: estimate, score, infer, and value in repurchase."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from csimodel._version import __version__ as __version__
from csimodel.assessment import Assessment, assess
from csimodel.errors import (
    CsimodelError,
    CsimodelWarning,
    EstimationError,
    InferenceError,
    ModelError,
    OptionError,
    SurveyError,
)
from csimodel.estimators import (
    ML,
    PLS,
    WLSMV,
    Comparison,
    FactorScores,
    Fit,
    GroupFits,
    Invariance,
    LeastSquares,
    MultiGroupFit,
    Quantity,
    Semopy,
    compare,
    factor_scores,
    fit,
    fit_groups,
    fit_multigroup,
    invariance,
    register,
)
from csimodel.findings import Finding
from csimodel.index import importance_performance, index_scores, respondent_index
from csimodel.inference import BollenStine, Bootstrap, Jackknife, bollen_stine, bootstrap, jackknife
from csimodel.model import Construct, Model, Path, composite, reflective
from csimodel.model import catalogue as models
from csimodel.moments import Moments, moments_of
from csimodel.outcomes import Repurchase, repurchase
from csimodel.survey import (
    Codebook,
    ConstructMinimum,
    Item,
    Survey,
    load_acsi2015,
    load_mobi,
    read_codebook,
    read_survey,
)

if TYPE_CHECKING:
    from csimodel import plots, simulate
    from csimodel.outcomes import (
        CorrectedSlopes,
        Reliability,
        calibration,
        compare_shapes,
        complaint_repurchase,
        corrected_slopes,
        group_reliability,
        index_reliability,
        literature,
        money,
        repurchase_asymmetry,
        repurchase_mixed,
        repurchase_panel,
        repurchase_segments,
        repurchase_shape,
        repurchase_time,
        repurchase_top_drop,
    )
    from csimodel.report import Analysis, analyze, write_report

__all__ = [
    "ML",
    "PLS",
    "WLSMV",
    "Analysis",
    "Assessment",
    "BollenStine",
    "Bootstrap",
    "Codebook",
    "Comparison",
    "Construct",
    "ConstructMinimum",
    "CorrectedSlopes",
    "CsimodelError",
    "CsimodelWarning",
    "EstimationError",
    "FactorScores",
    "Finding",
    "Fit",
    "GroupFits",
    "InferenceError",
    "Invariance",
    "Item",
    "Jackknife",
    "LeastSquares",
    "Model",
    "ModelError",
    "Moments",
    "MultiGroupFit",
    "OptionError",
    "Path",
    "Quantity",
    "Reliability",
    "Repurchase",
    "Semopy",
    "Survey",
    "SurveyError",
    "analyze",
    "assess",
    "bollen_stine",
    "bootstrap",
    "calibration",
    "compare",
    "compare_shapes",
    "complaint_repurchase",
    "composite",
    "corrected_slopes",
    "factor_scores",
    "fit",
    "fit_groups",
    "fit_multigroup",
    "group_reliability",
    "importance_performance",
    "index_reliability",
    "index_scores",
    "invariance",
    "jackknife",
    "literature",
    "load_acsi2015",
    "load_mobi",
    "models",
    "moments_of",
    "money",
    "plots",
    "read_codebook",
    "read_survey",
    "reflective",
    "register",
    "repurchase",
    "repurchase_asymmetry",
    "repurchase_mixed",
    "repurchase_panel",
    "repurchase_segments",
    "repurchase_shape",
    "repurchase_time",
    "repurchase_top_drop",
    "respondent_index",
    "simulate",
    "write_report",
]

# Loaded when first used: some bring matplotlib and jinja2, and `import csimodel` stays quick.
_MODULES = ("plots", "simulate")
_LAZY = {
    **dict.fromkeys(_MODULES, "csimodel"),
    **dict.fromkeys(("Analysis", "analyze", "write_report"), "csimodel.report"),
    **dict.fromkeys(
        (
            "CorrectedSlopes",
            "Reliability",
            "calibration",
            "compare_shapes",
            "complaint_repurchase",
            "corrected_slopes",
            "group_reliability",
            "index_reliability",
            "literature",
            "money",
            "repurchase_asymmetry",
            "repurchase_segments",
            "repurchase_shape",
            "repurchase_time",
            "repurchase_panel",
            "repurchase_mixed",
            "repurchase_top_drop",
        ),
        "csimodel.outcomes",
    ),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'csimodel' has no attribute {name!r}")
    if name in _MODULES:
        value: Any = import_module(f"csimodel.{name}")
    else:
        value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
