"""Plain calls of every public method of results, and of the constructors of public classes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

import csimodel as csi
from csimodel.model import Definition, Parameter
from csimodel.model.restrictions import Restriction

Call = tuple[Callable[..., Any], dict[str, Any]]

# Methods that other parts of the package call, with arrays of their own.
INNER = {
    "alike", "average", "deviations", "in_group", "pulls", "require_alone", "require_answers",
    "require_converged", "require_own_items", "require_usable", "retention", "se", "sources_of",
    "moments_by_block", "in_draws", "scale", "normal_cor", "answers", "empty", "draw", "coefficients", "codes",
    "columns", "needed", "join", "within", "unconditional", "beyond_bounds", "with_arrays",
}  # fmt: skip

# What arguments without a default are called with, by name.
ARGUMENTS: dict[str, Any] = {
    "levels": [50, 60], "level": 50.0, "start": 50, "end": 60, "probability": 0.6, "quantity": "paths",
    "text": "A =~ a1 + a2", "n": 20, "samples": 2, "method": "naive", "items": ["CUSA1", "CUSA2"],
    "a": ("half", "a", 2), "b": ("all", "all", 2), "group": "complained", "row": "complained", "construct": "Satisfaction",
}  # fmt: skip


def objects(p: SimpleNamespace) -> dict[str, Any]:
    """Return a result of each class, by name."""
    fit, survey, frame = p.fit, p.survey, p.frame
    complaints = csi.outcomes.complaint_repurchase(
        survey, complained="complained", handling="PERQ3", repurchase="again", well_from=7,
        scale=(0, 1),
    )  # fmt: skip
    multigroup = csi.fit_multigroup(p.model, survey, "half", equal=["loadings"])
    return {
        "rep": p.rep,
        "ordered": csi.repurchase(fit, "CUSL1", family="ordered-logit", cut=6),
        "boot": p.boot,
        "jackknife": csi.jackknife(fit),
        "bollen_stine": csi.inference.bollen_stine(p.ml, 25, rng=1, progress=False),
        "fit": p.ml,
        "groups": p.groups,
        "programme": p.programme,
        "programme_paths": p.programme.of("paths"),
        "multigroup": multigroup,
        "compared": p.compared,
        "conditions": p.conditions,
        "hidden": p.hidden,
        "moments": fit.moments,
        "survey": survey,
        "model": p.model,
        "codebook": csi.Codebook.from_toml(""),
        "truth": p.truth,
        "money": p.change,
        "retention": csi.money.retention_of(p.rep, 60, p.economics, draws=25, rng=1),
        "economics": p.economics,
        "slopes": csi.outcomes.corrected_slopes(
            index=p.index, outcome=frame["again"], reliability=0.8, draws=20, progress=False
        ),
        "segments": csi.outcomes.repurchase_segments(fit, "again", "half"),
        "shape": csi.outcomes.repurchase_shape(p.rep, "quadratic", draws=25, rng=1),
        "shapes": csi.outcomes.compare_shapes(p.rep, ["line", "quadratic"], folds=3, draws=19, rng=1),
        "bins": csi.outcomes.calibration(p.rep, folds=3, rng=1),
        "asymmetry": csi.outcomes.repurchase_asymmetry(
            fit, "Satisfaction", quality="Quality", expectations="Image"
        ),
        "mixed": csi.outcomes.repurchase_mixed(fit, "again", "firm", scale=(0, 1)),
        "panel": csi.outcomes.repurchase_panel(fit, "again", firm="firm", period="year"),
        "time": csi.outcomes.repurchase_time(fit, duration="months", event="event"),
        "complaints": complaints,
        "top_drop": csi.outcomes.repurchase_top_drop(survey, satisfaction="CUSA1", repurchase="again", fewest=3),
        "assessment": csi.assess(fit, p.boot),
        "reliability": csi.outcomes.index_reliability(fit),
        "invariance": csi.invariance(p.model, survey, "half", levels=["metric"]),
        "factor_scores": csi.factor_scores(p.ml),
    }  # fmt: skip


def methods(p: SimpleNamespace) -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """Yield a plain call of every public method, by name: the method and named arguments."""
    for name, owner in objects(p).items():
        for method in dir(type(owner)):
            function = inspect.getattr_static(type(owner), method)
            known = isinstance(function, classmethod) or inspect.isfunction(function)
            if method.startswith("_") or method in INNER or not known:
                continue
            if name == "rep" and method in ("categories", "expected_answer"):  # of ordered answers
                continue
            bound = getattr(owner, method)
            given = {
                option: _argument(name, method, option)
                for option, parameter in inspect.signature(bound).parameters.items()
                if parameter.default is parameter.empty
                and parameter.kind is not parameter.VAR_KEYWORD
            }
            yield f"{name}.{method}", bound, given


def _argument(name: str, method: str, option: str) -> Any:
    own = {
        ("moments.from_array", "values"): np.random.default_rng(1).normal(size=(20, 2)),
        ("moments.from_cov", "cov"): np.eye(2),
        **{(f"{name}.{way}", "data"): csi.load_mobi() for name in ("fit", "ml") for way in ("score", "predict")},
        ("conditions.ceiling_of", "driver"): "Image",
        **{(f"hidden.{way}", "segments"): 2 for way in ("paths", "r2", "membership", "assigned")},
        ("survey.answers", "blocks"): {"A": ["CUSA1", "CUSA2"]},
        ("model.require_one_stage", "what"): "PLS",
        ("model.with_items", "items"): {"Image": ["i1", "i2"]},
        ("codebook.from_toml", "text"): "",
        ("shape.curve", "levels"): [50.0],
        ("complaints.against", "published"): csi.literature.silent_share,
        ("groups.get", "key"): "a",
        ("programme.impacts", "changes"): {"Quality": 5},
        ("programme_paths.about_moves", "entry"): "Satisfaction",
        ("multigroup.get", "key"): "a",
    }  # fmt: skip
    return own.get((f"{name}.{method}", option), ARGUMENTS.get(option, inspect.Parameter.empty))


def constructors() -> dict[str, Call]:
    """Return a plain call of classes that users make values of."""
    return {
        "Construct": (csi.Construct, {"name": "A", "items": ("a1", "a2"), "kind": "reflective"}),
        "Path": (csi.Path, {"source": "A", "target": "B"}),
        "Model": (
            csi.Model,
            {
                "constructs": (csi.reflective("A", ["a1", "a2"]), csi.reflective("B", ["b1", "b2"])),
                "paths": (("A", "B"),),
            },
        ),
        "Parameter": (Parameter, {"lhs": "A", "op": "=~", "rhs": "a1"}),
        "Definition": (Definition, {"name": "ab", "expression": "a * b"}),
        "Restriction": (Restriction, {"left": "a", "right": "b"}),
        "Item": (csi.Item, {"name": "q1"}),
        "Codebook": (csi.Codebook, {}),
        "Quantity": (
            csi.Quantity, {"name": "own", "labels": lambda model: None, "values": lambda s: None},
        ),
        "Finding": (csi.findings.Finding, {"code": "own", "template": "One sentence."}),
        "simulate.Normal": (csi.simulate.Normal, {}),
    }  # fmt: skip
