"""Model text in and out: the part of lavaan's syntax that a CSI model needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from csimodel.errors import ModelError, suggest
from csimodel.findings import listed
from csimodel.model.constructs import Construct, Path, composite, reflective
from csimodel.model.definitions import renamed
from csimodel.model.modifiers import Term, split, term_of
from csimodel.model.parameters import Definition, Parameter, terms

if TYPE_CHECKING:
    from csimodel.model.model import Model

# A name is quoted text, or letters of any script, digits, dots and underscores.
_NAME = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([^\W\d][\w.]*))\s*""")
_OPERATOR = re.compile(r"""^((?:"[^"]*"|'[^']*'|[^"'=~<:])*?)(=~|<~|~~|:=|~)(.*)$""", re.DOTALL)
_CONSTRAINT = re.compile(r"^([^\W\d][\w.]*)\s*(==|>=|<=|>|<)\s*([^=~<>]+)$")
_RESTATED = {"==": "fixed", ">": "lower", ">=": "lower", "<": "upper", "<=": "upper"}


class Parsed(NamedTuple):
    """What model text says."""

    constructs: tuple[Construct, ...]
    paths: tuple[Path, ...]
    parameters: tuple[Parameter, ...]
    definitions: tuple[Definition, ...]


def parse(text: str) -> Parsed:
    """Read model text: constructs in order of definition, paths, what is said of parameters.

    A construct defined on several lines gathers their items.
    """
    if not isinstance(text, str):
        raise ModelError(
            f"The model text is of type {type(text).__name__}; give text such as "
            "'Value =~ v1 + v2' with one statement a line."
        )
    measured: dict[str, tuple[str, list[str]]] = {}
    paths: dict[Path, int] = {}
    parameters: list[Parameter] = []
    definitions: list[Definition] = []
    constraints: list[tuple[str, str, str, str]] = []
    for statement in _statements(text):
        constraint = _CONSTRAINT.match(statement)
        if constraint:
            constraints.append((*constraint.groups(), statement))  # type: ignore[arg-type]
            continue
        match = _OPERATOR.match(statement)
        if match is None:
            raise ModelError(
                f"The line {statement!r} has no operator; write 'Construct =~ item + item', "
                "'Construct <~ item + item' or 'Target ~ Source + Source'."
            )
        left, operator, right = match.groups()
        if operator == ":=":
            definitions.append(Definition(left.strip(), right.strip()))
            continue
        terms = _right_side(right, statement, operator)
        for head in _terms(left, statement):
            if operator in ("=~", "<~"):
                known, items = measured.setdefault(head, (operator, []))
                if known != operator:
                    raise ModelError(
                        f"Construct {head!r} is defined with both {known} and {operator}; "
                        "choose one."
                    )
            bare = operator != "~~"
            for term in terms:
                intercept = operator == "~" and term.name == ""
                if operator == "~" and not intercept:
                    path = Path(term.name, head)
                    again = bool(term.said) and paths.get(path, 0) > 0
                    paths[path] = paths.get(path, 0) + (not again)
                elif operator in ("=~", "<~") and not (term.said and term.name in items):
                    items.append(term.name)
                if operator == "<~" and term.said:
                    raise ModelError(
                        f"The line {statement!r} says something of a weight of the composite "
                        f"{head!r}; weights are estimated, so write the items alone."
                    )
                if term.said or intercept or not bare:
                    op = "~1" if intercept else operator
                    parameters.append(Parameter(head, op, term.name, **term.said))  # type: ignore[arg-type]
    constructs = tuple(
        (reflective if operator == "=~" else composite)(name, items)
        for name, (operator, items) in measured.items()
    )
    every = tuple(path for path, count in paths.items() for _ in range(count))
    said, defined = _constrained(parameters, definitions, constraints)
    return Parsed(constructs, every, tuple(said), tuple(defined))


def _right_side(text: str, statement: str, operator: str) -> list[Term]:
    """Read ``a*x + y + 1``; an intercept has the name ''."""
    found = []
    for part in split(text, "+"):
        term = term_of(part, statement)
        intercept = operator == "~" and term.name.strip() == "1"
        name = "" if intercept else _terms(term.name, statement)[0]
        found.append(term._replace(name=name))
    return found


def _constrained(
    parameters: list[Parameter],
    definitions: list[Definition],
    constraints: list[tuple[str, str, str, str]],
) -> tuple[list[Parameter], list[Definition]]:
    """Turn ``a == b``, ``a == 0.5``, ``a > 0`` into labels, fixed values and bounds."""
    for label, sign, right, statement in constraints:
        right = right.strip()
        labels = {entry for parameter in parameters for entry in parameter.label}
        if label not in labels:
            raise ModelError(
                f"The line {statement!r} is about {label!r}, which is no label of a parameter"
                f"{suggest(label, [one for one in labels if one])}; give one as in 'Y ~ {label}*X'."
            )
        if sign == "==" and right in labels:
            swap = {right: label}
            parameters = [
                replace(one, label=tuple(swap.get(e, e) if e else e for e in one.label))
                for one in parameters
            ]
            definitions = [replace(d, expression=renamed(d.expression, swap)) for d in definitions]
            continue
        try:
            value = float(right)
        except ValueError:
            raise ModelError(
                f"The line {statement!r} cannot be used as a constraint; write 'a == b' for equal "
                "parameters, 'a == 0.5' for a value, 'a > 0' or 'a < 1' for a bound."
            ) from None
        kind = _RESTATED[sign]
        parameters = [
            one.merged(replace(Parameter(one.lhs, one.op, one.rhs), **{kind: (value,)}))  # type: ignore[arg-type]
            if label in one.label
            else one
            for one in parameters
        ]
    return parameters, definitions


def _statements(text: str) -> list[str]:
    """Split text at line ends and semicolons, without comments, joining lines that go on."""
    statements: list[str] = []
    going_on = False
    for line in (part.strip() for raw in text.split("\n") for part in _parts(raw)):
        if not line:
            continue
        if going_on or (statements and line.startswith("+")):
            statements[-1] += " " + line
        else:
            statements.append(line)
        going_on = line.endswith(("+", "~"))
    return statements


def _parts(line: str) -> list[str]:
    """Split one line at semicolons outside quotes, up to a comment."""
    parts = [""]
    for token in re.findall(r"""("[^"]*"|'[^']*'|.)""", line):
        if token in ("#", "!"):
            break
        if token == ";":
            parts.append("")
        else:
            parts[-1] += token
    return parts


def _terms(text: str, statement: str) -> list[str]:
    """Split ``a + "b c" + d`` into names."""
    names: list[str] = []
    position = 0
    while True:
        match = _NAME.match(text, position)
        if match is None:
            seen = text[position:].strip() or "nothing"
            raise ModelError(
                f"The line {statement!r} has {seen!r} where a name is expected; join names with + "
                'and put a name that has spaces or signs in quotes, as in "perceived value".'
            )
        names.append(next(group for group in match.groups() if group is not None))
        position = match.end()
        if position == len(text):
            return names
        if text[position] != "+":
            raise ModelError(
                f"The line {statement!r} has {text[position]!r} after {names[-1]!r}; "
                "this sign cannot be read here, join names with +."
            )
        position += 1


def render(model: Model) -> str:
    """Write a model as text that `parse` reads back."""
    lines = [
        f"{_quoted(construct.name)} {'<~' if construct.kind == 'composite' else '=~'} "
        + " + ".join(_quoted(item) for item in construct.items)
        for construct in model.constructs
    ]
    return "\n".join(lines + _regressions(model, _quoted) + _said(model, _quoted))


def render_covariance(model: Model, program: str) -> str:
    """Write a model for a covariance program, the error of a single item fixed to zero."""
    composites = [c.name for c in model.constructs if c.kind == "composite"]
    if composites:
        raise ModelError(
            f"{program} cannot be given the composite {composites[0]!r}; "
            "define it with =~ to export it as a common factor."
        )
    for name in (*model.construct_names, *model.items):
        if _quoted(name) != name:
            raise ModelError(
                f"{program} cannot read the name {name!r}; "
                "rename it with letters, digits, dots and underscores before exporting."
            )
    shared = [name for name in model.construct_names if name in model.items]
    if shared:
        raise ModelError(
            f"{program} cannot tell the construct from the item {listed(shared)!r}; "
            "rename the construct before exporting."
        )
    lines = [f"{c.name} =~ " + " + ".join(c.items) for c in model.constructs]
    lines += _regressions(model, str)
    if program == "semopy":
        unsayable = [p for p in model.parameters if p.groups > 1 or p.lower or p.upper]
        if unsayable or model.definitions:
            what = str((*unsayable, *model.definitions)[0])
            raise ModelError(
                f"semopy cannot be told {what!r}; take bounds, values by group and definitions "
                "out, or estimate with csi.ML()."
            )
    stated = {(p.lhs, p.rhs) for p in model.parameters if p.op == "~~"}
    lines += [
        f"{c.items[0]} ~~ 0*{c.items[0]}"
        for c in model.constructs
        if c.kind == "single" and (c.items[0], c.items[0]) not in stated
    ]
    return "\n".join(lines + _said(model, str))


def _said(model: Model, write: Callable[[str], str]) -> list[str]:
    """Write what is said of parameters, a line each, and definitions."""
    lines = []
    for one in model.parameters:
        operator, name = ("~", "1") if one.op == "~1" else (one.op, write(one.rhs))
        lines.append(f"{write(one.lhs)} {operator} " + " + ".join(terms(one, name)))
    return lines + [str(definition) for definition in model.definitions]


def _regressions(model: Model, write: Callable[[str], str]) -> list[str]:
    return [
        f"{write(target)} ~ " + " + ".join(write(source) for source in model.sources_of(target))
        for target in model.endogenous
    ]


def _quoted(name: str) -> str:
    if re.fullmatch(r"[^\W\d][\w.]*", name):
        return name
    if "\n" in name or ('"' in name and "'" in name):
        raise ModelError(
            f"The name {name!r} has a line break or both kinds of quotes, which model text "
            "cannot hold; rename it before writing."
        )
    return f"'{name}'" if '"' in name else f'"{name}"'
