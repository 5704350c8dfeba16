"""The classes that files hold, by name: a file can ask for no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib import import_module
from types import MappingProxyType
from typing import Any

from csimodel.moments.triangles import PackedMoments

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "Answers": "csimodel.survey.answers",
        "Assessment": "csimodel.assessment.assess",
        "Bootstrap": "csimodel.inference.bootstrap",
        "CalibratedDesign": "csimodel.survey.calibrated_design",
        "Comparison": "csimodel.estimators.compare",
        "Composite": "csimodel.estimators.covariance.layout",
        "Construct": "csimodel.model.constructs",
        "CovarianceEstimates": "csimodel.estimators.covariance.estimator",
        "CovarianceFit": "csimodel.estimators.covariance_fit",
        "Definition": "csimodel.model.definitions",
        "DenseGamma": "csimodel.moments.gamma",
        "Dependent": "csimodel.estimators.covariance.layout",
        "DomainDesign": "csimodel.survey.domain_design",
        "Estimates": "csimodel.estimators.estimates",
        "Finding": "csimodel.findings",
        "Fit": "csimodel.estimators.fit",
        "Fitted": "csimodel.estimators.covariance.fitted",
        "GroupComparison": "csimodel.assessment.group_comparison",
        "GroupFits": "csimodel.estimators.groups",
        "Groups": "csimodel.moments.sample_rows",
        "HeldOut": "csimodel.assessment.prediction.held_out",
        "HigherOrder": "csimodel.model.terms",
        "Item": "csimodel.survey.item",
        "Jackknife": "csimodel.inference.jackknife",
        "LeastSquares": "csimodel.estimators.covariance.least_squares",
        "Linearized": "csimodel.inference.linearized",
        "LossSums": "csimodel.assessment.prediction.losses",
        "ML": "csimodel.estimators.covariance.ml",
        "Matrices": "csimodel.estimators.covariance.layout",
        "Micom": "csimodel.assessment.micom",
        "Model": "csimodel.model.model",
        "ModeratedEffect": "csimodel.assessment.moderation",
        "Moments": "csimodel.moments.moments",
        "MultiGroupFit": "csimodel.estimators.covariance.multigroup",
        "OrdinalMoments": "csimodel.moments.ordinal",
        "OverallFit": "csimodel.assessment.overall_fit",
        "PLS": "csimodel.estimators.pls",
        "PackedMoments": "csimodel.moments.triangles",
        "Parameter": "csimodel.model.parameters",
        "ParameterLayout": "csimodel.estimators.covariance.layout",
        "Path": "csimodel.model.constructs",
        "Patterns": "csimodel.moments.missing_patterns",
        "Prediction": "csimodel.assessment.prediction.predict",
        "PredictiveComparison": "csimodel.assessment.prediction.cvpat",
        "Product": "csimodel.model.terms",
        "ReplicateMethod": "csimodel.survey.replicates",
        "ReplicateVariance": "csimodel.survey.sampling",
        "ReplicateWeights": "csimodel.survey.replicates",
        "Resampling": "csimodel.moments.resampling",
        "Responses": "csimodel.moments.responses",
        "Restriction": "csimodel.model.restrictions",
        "RootGamma": "csimodel.moments.gamma",
        "Row": "csimodel.estimators.covariance.rows",
        "RowGamma": "csimodel.moments.gamma",
        "Scope": "csimodel.findings",
        "Semopy": "csimodel.estimators.covariance.semopy",
        "SemopyEstimates": "csimodel.estimators.covariance.semopy",
        "SimpleSlopes": "csimodel.assessment.simple_slopes",
        "Solution": "csimodel.estimators.solution",
        "Status": "csimodel.estimators.estimates",
        "Survey": "csimodel.survey.survey",
        "SurveyDesign": "csimodel.survey.sampling",
        "TwoStageDesign": "csimodel.survey.two_stages",
        "Verdict": "csimodel.assessment.verdicts",
        "WLSMV": "csimodel.estimators.covariance.ordinal",
        "WeightCalibration": "csimodel.survey.calibration",
        "WholeSample": "csimodel.moments.sample_rows",
    }
)


def kind_of(value: object) -> str | None:
    """Return the name a value's class has in files; None for a class that files do not hold.

    >>> from csimodel.model.constructs import Path
    >>> kind_of(Path("A", "B")), kind_of(object())
    ('Path', None)
    """
    own = type(value)
    return own.__qualname__ if KINDS.get(own.__qualname__) == own.__module__ else None


def class_of(name: str) -> type[Any]:
    """Return the class of a name in `KINDS`.

    Raises
    ------
    KeyError
        For any other name.
    """
    own = getattr(import_module(KINDS[name]), name)
    assert isinstance(own, type)
    return own


def fields_of(value: object) -> dict[str, object]:
    """Return what a value is made of: the arguments that make it again.

    >>> from csimodel.model.constructs import Path
    >>> fields_of(Path("A", "B"))
    {'source': 'A', 'target': 'B'}
    """
    if isinstance(value, Enum):
        return {"name": value.name}
    own = {name: getattr(value, name) for name in argument_names(type(value)) if name != "cov"}
    if isinstance(value, PackedMoments):
        return own | {"cov": value.kept_covariances}
    return own | ({"cov": vars(value)["cov"]} if "cov" in argument_names(type(value)) else {})


def argument_names(own: type[Any]) -> tuple[str, ...]:
    """Return the names of the arguments that make a value of a class."""
    if is_dataclass(own):
        return tuple(entry.name for entry in fields(own) if entry.init)
    return tuple(getattr(own, "_fields", ()))
