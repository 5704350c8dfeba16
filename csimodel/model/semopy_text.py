"""Models exchanged with semopy, whose text resembles lavaan's and means other things.

semopy gives a term one multiplier, a number or a label. Starts, bounds and constraints are lines
of their own about labels. Of a construct's loadings it fixes the first one that has no
multiplier, and none once one of them has a number.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace

from csimodel.errors import ModelError
from csimodel.findings import listed
from csimodel.model.constraints import Constraint, labelled, require_label, settled
from csimodel.model.modifiers import Term
from csimodel.model.parameters import NUMBER, Parameter, number
from csimodel.model.specification import Specification
from csimodel.model.syntax import Parsed, Reading, one_form
from csimodel.model.writing import errorless, require_names, statements

_EFFECT = re.compile(r"([^=~]+?)(=~|~~|~)([^=~]+)")
_TERM = re.compile(r"(?:(-?\w[\w.-]*)\s*\*\s*)?(\w[\w.]*)")
_OLD = re.compile(r"([A-Z][A-Z_]+)\((.*)\)\s*([\w\s]*)")  # BOUND(0, 1) a b
_NEW = re.compile(r"([a-z][a-z_]*)\s*(.*?)\s*:\s*([\w\s]*)")  # bound 0 1: a b
_QUOTED = re.compile(r"([a-z][a-z_]*)\s*[\"'`]\s*(.+)\s*[\"'`]()")  # constraint "a = b"
_RESTRICTION = re.compile(r"([^<>=]+)([<>=])([^<>=]+)")
_LIKE_NUMBERS = ("nan", "inf", "infinity", "start")  # not labels to semopy, in any case
_NAMELESS = re.compile(r"_[bc][0-9]+")  # what semopy itself calls parameters without a label


def render_semopy(model: Specification) -> str:
    """Write a model for semopy, the error of a single item fixed to zero."""
    require_names(model, "semopy")
    for parameter in model.parameters:
        if parameter.groups > 1:
            raise _unsayable(parameter, "values by group, take them out")
        if parameter.op == "~1" and parameter.lhs in model.construct_names:
            raise _unsayable(parameter, "means of constructs, take them out")
    for definition in model.definitions:
        raise _unsayable(definition, "definitions, take them out")
    for restriction in model.restrictions:
        raise _unsayable(restriction, "equations of several labels, take them out")
    for label in model.labels:
        if label.casefold() in _LIKE_NUMBERS:
            raise _unsayable(label, "labels that it takes for numbers, rename it")
        if _NAMELESS.fullmatch(label):
            raise _unsayable(label, "labels that it gives itself, rename it")

    def write(parameter: Parameter, name: str) -> str:
        fixed = _number(parameter)
        mark = number(fixed) if fixed is not None else parameter.value("label")
        return f"{mark}*{name}" if mark else name

    explicit = _explicit(model)
    return "\n".join(statements(explicit, str, write) + errorless(model) + _directives(explicit))


def parse_semopy(text: str) -> Parsed:
    """Read semopy's model text."""
    if not isinstance(text, str):
        raise ModelError(
            f"The model text is of type {type(text).__name__}; give semopy's text, such as "
            "'Value =~ v1 + v2' with one statement a line."
        )
    terms: dict[tuple[str, str, str], str | None] = {}
    directives: list[tuple[str, str, str, str]] = []
    for raw in one_form(text).replace("∼", "~").splitlines():
        line = raw.partition("#")[0].strip()
        effect = _EFFECT.fullmatch(line)
        directive = _OLD.fullmatch(line) or _NEW.fullmatch(line) or _QUOTED.fullmatch(line)
        if directive:
            directives.append((*directive.groups(), line))  # type: ignore[arg-type]
        elif effect:
            heads, operator, right = effect.groups()
            for head in heads.split(","):
                for name, mark in _marked(right, line):
                    terms[operator, head.strip(), name] = mark  # the last one counts
        elif line:
            raise ModelError(
                f"The line {line!r} of the semopy text cannot be read; write effects (=~, ~, ~~), "
                "START(v), BOUND(l, u) and CONSTRAINT(a = b)."
            )
    return _finished(terms, directives)


def _number(parameter: Parameter) -> float | None:
    fixed = parameter.value("fixed")
    return None if fixed is None or math.isnan(fixed) else fixed


def _unsayable(what: object, why: str) -> ModelError:
    return ModelError(
        f"semopy cannot be told {str(what)!r}: it knows no {why} or estimate with csi.ML()."
    )


def _explicit(model: Specification) -> Specification:
    """Write down what semopy would choose otherwise, with labels where it needs them."""
    told = {parameter.lhs for parameter in model.parameters if parameter.op == "=~"}
    loadings = [
        Parameter(construct.name, "=~", item)
        for construct in model.constructs
        if construct.name in told
        for item in construct.items
    ]
    parameters = {
        (parameter.op, parameter.lhs, parameter.rhs): parameter
        for parameter in (*loadings, *model.parameters)
    }
    for name in told:
        marker = parameters["=~", name, model.blocks[name][0]]
        if not marker.fixed:
            parameters["=~", name, marker.rhs] = replace(
                marker, fixed=(1.0,), start=(), lower=(), upper=()
            )
    parameters = {
        (parameter.op, parameter.lhs, parameter.rhs): parameter
        for parameter in settled(parameters.values())
    }
    scaled = {
        parameter.lhs
        for parameter in parameters.values()
        if parameter.op == "=~" and _number(parameter) is not None
    }
    started = {
        label for parameter in parameters.values() if parameter.start for label in parameter.label
    }
    count = 0
    for key, parameter in parameters.items():
        loose = parameter.op == "=~" and parameter.lhs not in scaled and _number(parameter) is None
        if loose and not parameter.start and not started & set(parameter.label):
            # else semopy searches forever
            parameter = parameters[key] = replace(parameter, start=(1.0,))
        named = bool(loose or parameter.start or parameter.lower or parameter.upper)
        if named and not parameter.label and _number(parameter) is None:
            count = next(i for i in range(count + 1, 10**9) if f"_p{i}" not in model.labels)
            parameters[key] = replace(parameter, label=(f"_p{count}",))
    return replace(model, parameters=tuple(parameters.values()))


def _directives(model: Specification) -> list[str]:
    """Write starts and bounds, for each label once."""
    lines = []
    for label in model.labels:
        own = [
            parameter
            for parameter in model.parameters
            if label in parameter.label and _number(parameter) is None
        ]
        starts = [start for parameter in own for start in parameter.start if start is not None]
        lower = [bound for parameter in own for bound in parameter.lower if bound is not None]
        upper = [bound for parameter in own for bound in parameter.upper if bound is not None]
        if (starts or lower or upper) and "." in label:
            raise _unsayable(label, "starts or bounds of labels with dots, rename it")
        if starts:
            lines.append(f"START({number(starts[0])}) {label}")
        if lower or upper:
            low = number(max(lower)) if lower else "-inf"
            high = number(min(upper)) if upper else "inf"
            lines.append(f"BOUND({low}, {high}) {label}")
    return lines


def _marked(right: str, line: str) -> list[tuple[str, str | None]]:
    """Split ``0.5*x + a*y + z`` into names with their multipliers."""
    markers = []
    for part in right.split("+"):
        match = _TERM.fullmatch(part.strip())
        if match is None:
            raise ModelError(
                f"The line {line!r} of the semopy text has {part.strip()!r} where a term is "
                "expected; join terms such as x, a*x and 0.5*x with +."
            )
        if match.group(1) == "START":
            raise ModelError(
                f"The line {line!r} fixes {match.group(2)!r} at semopy's own starting value, which "
                "is known to semopy only; write the number."
            )
        markers.append((match.group(2), match.group(1)))
    return markers


def _finished(
    terms: dict[tuple[str, str, str], str | None], directives: list[tuple[str, str, str, str]]
) -> Parsed:
    blocks: dict[str, list[str]] = {}
    for operator, head, name in terms:
        if operator == "=~":
            blocks.setdefault(head, []).append(name)
    usual = {(name, items[0]): 1.0 for name, items in blocks.items()}
    usual |= {(items[0], items[0]): 0.0 for items in blocks.values() if len(items) == 1}
    markers = {
        name: next((item for item in items if terms["=~", name, item] is None), None)
        for name, items in blocks.items()
        if not any(NUMBER.fullmatch(terms["=~", name, item] or "") for item in items)
    }
    reading = Reading()
    for (operator, head, name), mark in terms.items():
        term = Term("" if (operator, name) == ("~", "1") else name)
        if operator == "=~" and markers.get(head) == name:
            mark = "1"
        if mark and NUMBER.fullmatch(mark):
            term = term._replace(fixed=(float(mark),))
        elif mark:
            term = term._replace(label=(mark,))
        if operator == "=~" and (head, name) in usual and not term.fixed:
            term = term._replace(fixed=(math.nan,))
        if operator != "~" and term.fixed == (usual.get((head, name)),):
            term = Term(name)
            if operator == "~~":
                continue
        reading.add(head, operator, term)
    for directive in directives:
        _obey(reading, blocks, *directive)
    return reading.finished()


def _obey(
    reading: Reading, blocks: dict[str, list[str]], kind: str, inside: str, names: str, line: str
) -> None:
    """Take in a line such as ``BOUND(0, 1) a b``."""
    command, values = kind.upper(), re.findall(r"[^\s,]+", inside)
    if command == "CONSTRAINT":
        match = _RESTRICTION.fullmatch(inside.strip("\"'` "))
        left, sign, right = match.groups() if match else (inside, "=", "")
        sign = "==" if sign == "=" else sign
        reading.constraints.append(Constraint(left.strip(), sign, right.strip(), line))
    elif command in ("START", "BOUND"):
        numbers = [float(v) if NUMBER.fullmatch(v) else None for v in values]
        unbounded = [bool(re.fullmatch(r"-?inf", v)) and command == "BOUND" for v in values]
        sized = len(values) == (1 if command == "START" else 2)
        if not sized or any(n is None and not u for n, u in zip(numbers, unbounded, strict=True)):
            raise ModelError(
                f"The line {line!r} of the semopy text has {inside!r} for its numbers; write "
                "START(0.5) a or BOUND(0, 1) a."
            )
        kinds = ("start",) if command == "START" else ("lower", "upper")
        for label in names.split():
            require_label(reading.parameters, label, line)
            for which, value in zip(kinds, numbers, strict=True):
                if value is not None:
                    reading.parameters = labelled(reading.parameters, label, which, value)
    elif command == "LATENT" or (command == "DEFINE" and values == ["latent"]):
        missing = [name for name in names.split() if name not in blocks]
        if missing:
            raise ModelError(
                f"The line {line!r} of the semopy text has the construct {missing[0]!r}, which no "
                f"item measures; constructs with items are {listed(blocks, 12)}."
            )
    else:
        raise ModelError(
            f"The line {line!r} of the semopy text says something a model here cannot hold "
            f"({kind}); take it out."
        )
