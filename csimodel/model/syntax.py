"""Model text in and out: the part of lavaan's syntax that a CSI model needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from csimodel.errors import ModelError
from csimodel.findings import listed
from csimodel.model.constructs import Construct, Path, composite, reflective

if TYPE_CHECKING:
    from csimodel.model.model import Model

# A name is quoted text, or letters of any script, digits, dots and underscores.
_NAME = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([^\W\d][\w.]*))\s*""")
_OPERATOR = re.compile(r"""^((?:"[^"]*"|'[^']*'|[^"'=~<:])*?)(=~|<~|~~|:=|~)(.*)$""", re.DOTALL)
_NOT_YET = {
    "~~": "covariances (~~)",
    ":=": "defined parameters (:=)",
}


def parse(text: str) -> tuple[tuple[Construct, ...], tuple[Path, ...]]:
    """Read model text into constructs (in order of definition) and paths.

    A construct defined on several lines gathers their items.
    """
    if not isinstance(text, str):
        raise ModelError(
            f"The model text is of type {type(text).__name__}; give text such as "
            "'Value =~ v1 + v2' with one statement a line."
        )
    measured: dict[str, tuple[str, list[str]]] = {}
    paths: list[Path] = []
    for statement in _statements(text):
        match = _OPERATOR.match(statement)
        if match is None:
            raise ModelError(
                f"The line {statement!r} has no operator; write 'Construct =~ item + item', "
                "'Construct <~ item + item' or 'Target ~ Source + Source'."
            )
        left, operator, right = match.groups()
        if operator in _NOT_YET:
            raise ModelError(
                f"The line {statement!r} uses {_NOT_YET[operator]}, which no estimator here reads; "
                "remove the line."
            )
        heads, names = _terms(left, statement), _terms(right, statement)
        for head in heads:
            if operator == "~":
                paths += [Path(name, head) for name in names]
                continue
            known, items = measured.setdefault(head, (operator, []))
            if known != operator:
                raise ModelError(
                    f"Construct {head!r} is defined with both {known} and {operator}; choose one."
                )
            items += names
    constructs = tuple(
        (reflective if operator == "=~" else composite)(name, items)
        for name, (operator, items) in measured.items()
    )
    return constructs, tuple(paths)


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
            what = "labels, starts and fixed values (*)" if text[position] == "*" else "this sign"
            raise ModelError(
                f"The line {statement!r} has {text[position]!r} after {names[-1]!r}; "
                f"{what} cannot be read here, join names with +."
            )
        position += 1


def render(model: Model) -> str:
    """Write a model as text that `parse` reads back."""
    lines = [
        f"{_quoted(construct.name)} {'<~' if construct.kind == 'composite' else '=~'} "
        + " + ".join(_quoted(item) for item in construct.items)
        for construct in model.constructs
    ]
    return "\n".join(lines + _regressions(model, _quoted))


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
    lines += [f"{c.items[0]} ~~ 0*{c.items[0]}" for c in model.constructs if c.kind == "single"]
    return "\n".join(lines)


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
