"""What is needed to repeat an analysis: the data's fingerprint, versions and code."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import version

import numpy as np

from csimodel._version import __version__
from csimodel.errors import ModelError
from csimodel.estimators.groups import column_of_level
from csimodel.model import Model, catalogue
from csimodel.report.analysis_results import AnalysisResults
from csimodel.survey import Item, ReplicateMethod, Survey
from csimodel.survey.datasets import MOBI_DESIGN

_PROGRAMS = ("numpy", "scipy", "pandas", "matplotlib")


def fingerprint(analysis: AnalysisResults) -> str:
    """Return a sha256 of the answers used, whatever the file they came from.

    It covers the item names (UTF-8, joined by line feeds, and one more at the end), then the
    answers row by row as little-endian doubles with missing cells as the one quiet NaN, then
    the weights likewise when there are any.
    """
    answers = analysis.fit.require_answers("A report")
    digest = hashlib.sha256(("\n".join(answers.items) + "\n").encode())
    for values in (answers.values, answers.weights):
        if values is not None:
            plain = np.where(np.isnan(values), np.nan, values)
            digest.update(np.ascontiguousarray(plain, dtype="<f8").tobytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of this package, of Python and of the programs behind the numbers."""
    numbers = {"csimodel": __version__, "python": platform.python_version()}
    return numbers | {name: _version(name) for name in _PROGRAMS}


@cache
def _version(name: str) -> str:
    """Return the version of a program, which is looked for in files once."""
    return version(name)


def code(analysis: AnalysisResults) -> str:
    """Return Python code that repeats the analysis from the data.

    A survey from a file is read by the file's name; one from a data frame from ``frame``.
    """
    fit, design = analysis.fit, analysis.bootstrap.design
    survey = fit.survey
    assert survey is not None
    options = {
        "estimator": f"csi.{_call(fit.estimator)}",
        "draws": repr(design.draws) if analysis.bootstrap.replication is None else "None",
        "rng": repr(design.seed),
        "target": repr(analysis.target),
        "level": repr(analysis.level),
    }
    if analysis.repurchase is not None:
        options |= {
            "outcome": repr(analysis.repurchase.outcome),
            "family": repr(analysis.repurchase.family.name),
            "contrast": repr(tuple(analysis.contrast)),
        }
    for money in list(analysis.money.values())[:1]:
        options["economics"] = f"csi.money.{money.economics!r}"
    if analysis.groupings:
        ways = [grouping.columns for grouping in analysis.groupings]
        options["by"] = repr([own[0] if len(own) == 1 else list(own) for own in ways])
    if analysis.programme is not None:
        hierarchy = analysis.programme.hierarchy
        options["levels"] = repr(list(map(column_of_level, hierarchy.levels)))
        options["period"] = repr(column_of_level(str(analysis.programme.groups.labels.names[-1])))
        if hierarchy.weights.table is not None:
            options["level_weights"] = "level_weights"
    if analysis.minimum_n is not None:
        options["minimum_n"] = str(analysis.minimum_n)
    return "\n".join(
        [
            "import csimodel as csi",
            "",
            _reading(survey, _items(analysis)),
            f"model = {_model(fit.model)}",
            "analysis = csi.analyze(",
            "    survey,",
            "    model,",
            *(f"    {name}={value}," for name, value in options.items() if value != "None"),
            ")",
            'csi.write_report(analysis, "report")',
        ]
    )


def _reading(survey: Survey, names: tuple[str, ...]) -> str:
    known = {name: survey.items[name] for name in names if name in survey.items}
    bounds = {
        name: (item.minimum, item.maximum)
        for name, item in known.items()
        if item.minimum is not None and item.maximum is not None
    }
    codes = {
        name: (*item.missing_codes, *item.missing_words)
        for name, item in known.items()
        if item.missing_codes or item.missing_words
    }
    options: dict[str, object] = {
        "items": [_worded(survey, name) for name in names],
        "scale": _shared(bounds, names),
        "missing_codes": _shared(codes, names),
        "reverse": [name for name, item in known.items() if item.reversed],
        "missing": survey.missing,
        "weights": survey.weights,
        "strata": survey.strata,
        "cluster": survey.cluster,
        "lonely": survey.lonely if survey.lonely != "adjust" else None,
        "population": survey.population,
        "subcluster": survey.subcluster,
        "subpopulation": survey.subpopulation,
        "replicate_weights": list(survey.replicate_weights),
        "replicate_method": survey.replicate_method,
    }
    source = "frame" if survey.source == "frame" else repr(survey.source)
    if survey.source == "mobi.csv":
        source = "csi.load_mobi()"
    if survey.source == MOBI_DESIGN:
        source = "csi.load_mobi(design=True)"
    lines = ["survey = csi.read_survey(", f"    {source},"]
    lines += [f"    {name}={_value(option)}," for name, option in options.items() if option]
    return "\n".join([*lines, ")"])


def _worded(survey: Survey, name: str) -> str | Item:
    """Return an item's name, with the codes of its answers in words where any were read."""
    recoded = {
        column
        for own in survey.findings
        if own.code == "answers-recoded"
        for column in own.subjects
    }
    if name not in recoded or name not in survey.items:
        return name
    labels = survey.value_labels.get(name, {})
    answers = {str(text): code for code, text in labels.items() if isinstance(code, float)}
    return Item(name, answers={**answers, **survey.items[name].answers})


def _items(analysis: AnalysisResults) -> tuple[str, ...]:
    """Return the model's items, and the outcome when the survey knows its scale."""
    fit, valued = analysis.fit, analysis.repurchase
    further = () if valued is None else (valued.outcome,)
    known = () if fit.survey is None else tuple(fit.survey.items)
    return tuple(dict.fromkeys([*fit.model.items, *(name for name in further if name in known)]))


def _model(model: Model) -> str:
    for name, build in catalogue.PUBLISHED.items():
        if model == build():
            return f"csi.models.{name}()"
    text = model_text(model)
    return _built(model) if text is None else f"csi.Model.from_syntax({_quoted(text)})"


def model_text(model: Model) -> str | None:
    """Return a model's text; None where a name in it has what model text cannot hold.

    >>> model_text(Model.from_syntax("Value =~ v1 + v2"))
    'Value =~ v1 + v2'
    """
    try:
        return model.to_syntax()
    except ModelError:
        return None


def _built(model: Model) -> str:
    """Write a model as the calls that build it."""
    if model.parameters or model.definitions:
        return "...  # as it was built: a name in it cannot be written in a model's text"
    kinds = {"reflective": "reflective", "single": "reflective", "composite": "composite"}
    constructs = [
        f"csi.{kinds[construct.kind]}({construct.name!r}, {list(construct.items)!r})"
        for construct in model.constructs
    ]
    paths = [tuple(path) for path in model.paths]
    return f"csi.Model([{', '.join(constructs)}], {paths!r})"


def _shared(values: Mapping[str, object], names: tuple[str, ...]) -> object:
    """Return the one value that all items have, or the values by item."""
    first = next(iter(values.values()), None)
    same = len(values) == len(names) and all(value == first for value in values.values())
    return first if same else dict(values)


def _value(option: object) -> str:
    if isinstance(option, list):
        return f"[{', '.join(map(_value, option))}]"
    if isinstance(option, Item):
        return f"csi.Item({option.name!r}, answers={dict(option.answers)!r})"
    text = repr(option)
    if isinstance(option, str | int | float | tuple | dict):
        return text
    return f"csi.survey.{text}" if isinstance(option, ReplicateMethod) else f"csi.{text}"


def _call(value: object) -> str:
    """Write an estimator with the settings that differ from the defaults."""
    assert is_dataclass(value)
    assert not isinstance(value, type)
    usual = type(value)()
    own = [
        f"{field.name}={getattr(value, field.name)!r}"
        for field in fields(value)
        if getattr(value, field.name) != getattr(usual, field.name)
    ]
    return f"{type(value).__name__}({', '.join(own)})"


def _quoted(text: str) -> str:
    """Write several lines as a Python literal that keeps them readable."""
    if '"""' in text or "\\" in text or text.endswith('"'):
        return repr(text)
    return f'"""\n{text}\n"""'
