"""A model as text: that `csimodel.model.syntax` reads back, and for lavaan."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from csimodel.errors import ModelError
from csimodel.findings import listed
from csimodel.model.parameters import PLAIN, Parameter, terms
from csimodel.model.specification import Specification
from csimodel.model.terms import Product

Written = Callable[[Parameter, str], str]

# Words that R reads as something else than a name.
_RESERVED = frozenset(
    [
        "if",
        "else",
        "repeat",
        "while",
        "function",
        "for",
        "next",
        "break",
        "in",
        "TRUE",
        "FALSE",
        "NULL",
        "NaN",
        "NA",
        "Inf",
    ]
)


def render(model: Specification, brief: bool) -> str:
    """Write a model as text that `parse` reads back.

    Brief text does not define observed variables, which makes them the last constructs, in the
    order of the paths.
    """

    def write(parameter: Parameter, name: str) -> str:
        return " + ".join(terms(parameter, name))

    lines = statements(model, quoted, write, brief)
    return "\n".join(
        lines + [str(equation) for equation in (*model.definitions, *model.restrictions)]
    )


def render_lavaan(model: Specification) -> str:
    """Write a model for lavaan's sem, the error of a single item fixed to zero."""
    require_names(model, "lavaan")
    names = (*model.construct_names, *model.items, *model.labels)
    for name in (*names, *(definition.name for definition in model.definitions)):
        if name in _RESERVED or name.startswith("_"):
            raise ModelError(
                f"lavaan cannot read the name {name!r}, which means something else in R or starts "
                "with an underscore; rename it before exporting."
            )
    markers = {construct.items[0] for construct in model.constructs}

    def write(parameter: Parameter, name: str) -> str:
        usual = "1" if parameter.op == "=~" and parameter.rhs in markers else "NA"
        return " + ".join(terms(parameter, name, usual))

    lines = statements(model, str, write) + _unlike_lavaan(model) + errorless(model)
    return "\n".join(
        lines + [str(equation) for equation in (*model.definitions, *model.restrictions)]
    )


def _unlike_lavaan(model: Specification) -> list[str]:
    """Write covariances that lavaan's sem would take otherwise when nothing is said.

    There disturbances of constructs that explain nothing covary, and constructs do not covary
    with observed variables.
    """
    stated = {
        frozenset((parameter.lhs, parameter.rhs))
        for parameter in model.parameters
        if parameter.op == "~~"
    }
    sources = {path.source for path in model.paths}
    exogenous = [name for name in model.construct_names if name not in model.endogenous]
    last = [name for name in model.endogenous if name not in sources]
    pairs = [(name, other, "0*") for name, other in combinations(last, 2)]
    pairs += [
        (name, other, "")
        for name, other in combinations(exogenous, 2)
        if (name in model.observed) != (other in model.observed)
    ]
    return [
        f"{name} ~~ {value}{other}"
        for name, other, value in pairs
        if frozenset((name, other)) not in stated
    ]


def statements(
    model: Specification, name: Callable[[str], str], write: Written, brief: bool = True
) -> list[str]:
    """Write constructs, paths, covariances and intercepts, a statement a line.

    Parameters
    ----------
    name
        Writes a name.
    write
        Writes a term of which something is said, given its parameter and written name.
    brief
        Leave out that an observed variable is measured by itself.
    """
    known = {
        (parameter.op, parameter.lhs, parameter.rhs): parameter for parameter in model.parameters
    }

    products = {term.name: term for term in model.terms if isinstance(term, Product)}

    def source(rhs: str) -> str:
        return products[rhs].written(name) if rhs in products else name(rhs)

    def joined(lhs: str, op: str, names: tuple[str, ...]) -> str:
        every = (
            write(known[op, lhs, rhs], name(rhs)) if (op, lhs, rhs) in known else source(rhs)
            for rhs in names
        )
        return " + ".join(every)

    lines = [
        f"{name(c.name)} {'<~' if c.kind == 'composite' else '=~'} {joined(c.name, '=~', c.items)}"
        for c in model.constructs
        if c.name not in model.products and not (brief and c.name in model.observed)
    ]
    lines += [
        f"{name(target)} ~ {joined(target, '~', model.sources_of(target))}"
        for target in model.endogenous
    ]
    for parameter in model.parameters:
        if parameter.op == "~~":
            lines.append(f"{name(parameter.lhs)} ~~ {write(parameter, name(parameter.rhs))}")
        elif parameter.op == "~1":
            lines.append(f"{name(parameter.lhs)} ~ {write(parameter, '1')}")
    return lines


def errorless(model: Specification) -> list[str]:
    """Write that the error of a single item is zero, unless something is said of it."""
    stated = {
        (parameter.lhs, parameter.rhs) for parameter in model.parameters if parameter.op == "~~"
    }
    return [
        f"{c.items[0]} ~~ 0*{c.items[0]}"
        for c in model.constructs
        if c.kind == "single" and c.name not in model.observed
        if (c.items[0], c.items[0]) not in stated
    ]


def require_names(model: Specification, program: str) -> None:
    """Refuse what no covariance program can be given: composites, and names it cannot read."""
    model.require_one_stage(f"{program} is given")
    composites = [c.name for c in model.constructs if c.kind == "composite"]
    if composites:
        raise ModelError(
            f"{program} cannot be given the composite {composites[0]!r}; "
            "define it with =~ to export it as a common factor."
        )
    for name in (*model.construct_names, *model.items):
        if not PLAIN.fullmatch(name):
            raise ModelError(
                f"{program} cannot read the name {name!r}; "
                "rename it with letters, digits, dots and underscores before exporting."
            )
    named = [name for name in model.construct_names if name not in model.observed]
    shared = [name for name in named if name in model.items]
    if shared:
        raise ModelError(
            f"{program} cannot tell the construct from the item {listed(shared)!r}; "
            "rename the construct before exporting."
        )


def quoted(name: str) -> str:
    """Write a name, in quotes where it needs them."""
    if PLAIN.fullmatch(name):
        return name
    if "\n" in name or ('"' in name and "'" in name):
        raise ModelError(
            f"The name {name!r} has a line break or both kinds of quotes, which model text "
            "cannot hold; rename it before writing."
        )
    return f"'{name}'" if '"' in name else f'"{name}"'
