"""Model text in: the part of lavaan's syntax that a CSI model needs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from csimodel import limits
from csimodel.characters import composed
from csimodel.errors import ModelError
from csimodel.model.constraints import Constraint, constrained, equated
from csimodel.model.constructs import Construct, Path, composite, reflective
from csimodel.model.definitions import Definition
from csimodel.model.modifiers import Term, split, term_of
from csimodel.model.observed import observed
from csimodel.model.parameters import Parameter
from csimodel.model.restrictions import Restriction
from csimodel.model.terms import HigherOrder, Product
from csimodel.model.terms import Term as ModelTerm
from csimodel.model.unsupported import refuse_feature, refuse_mixed_order

# A name is quoted text, or letters of any script, digits, dots and underscores.
_NAME = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([^\W\d][\w.]*))\s*""")
_OPERATOR = re.compile(
    r"""((?:"[^"]*"|'[^']*'|[^"'=~<>:])*?)(=~|<~|~~|:=|==|>=|<=|~|>|<)(.*)""", re.DOTALL
)
_OPENS = ("+", "-", "*", "/", "^", "~", "=", "(", ",")  # at its end, a line goes on
_EXPONENTS = ("1", "2", "3", "4")
_GOES_ON = ("+", "*", "/", "^", ")", ",")  # at its start, it belongs to the line before


class Parsed(NamedTuple):
    """What model text says, in the order `Model` takes it."""

    constructs: tuple[Construct, ...]
    paths: tuple[Path, ...]
    parameters: tuple[Parameter, ...]
    definitions: tuple[Definition, ...]
    restrictions: tuple[Restriction, ...]
    terms: tuple[ModelTerm, ...] = ()


def parse(text: str) -> Parsed:
    """Read model text: constructs in order of definition, paths, what is said of parameters.

    A construct defined on several lines gathers their items. A term that is repeated with a
    modifier says more of the same parameter.
    """
    if not isinstance(text, str):
        raise ModelError(
            f"The model text is of type {type(text).__name__}; give text such as "
            "'Value =~ v1 + v2' with one statement a line."
        )
    text = one_form(text)
    reading = Reading()
    for statement in _statements(text):
        refuse_feature(statement)
        match = _OPERATOR.match(statement)
        if match is None:
            raise ModelError(
                f"The line {statement!r} has no operator; write 'Construct =~ item + item', "
                "'Construct <~ item + item' or 'Target ~ Source + Source'."
            )
        left, operator, right = (part.strip() for part in match.groups())
        if operator == ":=":
            reading.definitions.append(Definition(left, right))
        elif operator in ("==", ">", "<", ">=", "<="):
            reading.constraints.append(Constraint(left, operator, right, statement))
        else:
            terms = _right_side(right, statement, operator)
            for head in _names(left, statement):
                for term in terms:
                    reading.add(head, operator, term)
    return reading.finished()


def one_form(text: str) -> str:
    """Return model text in the Unicode form of the names of columns (NFC), unless it is too long.

    Raises
    ------
    ModelError
        Beyond `limits.MODEL_CHARACTERS`.
    """
    if len(text) > limits.MODEL_CHARACTERS:
        raise ModelError(
            f"The model text has {len(text):,} characters, and at most {limits.MODEL_CHARACTERS:,} "
            "are read; is it a model?"
        )
    return composed(text)


@dataclass
class Reading:
    """What has been read so far."""

    measured: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    equalities: list[tuple[Parameter, str]] = field(default_factory=list)
    products: dict[str, Product] = field(default_factory=dict)

    def add(self, head: str, operator: str, term: Term) -> None:
        """Take in ``head operator term``; the name of an intercept's term is blank."""
        intercept = operator == "~" and not term.name
        if operator in ("=~", "<~"):
            self._measure(head, operator, term)
        elif operator == "~" and not intercept:
            if term.factors:
                self.products[term.name] = Product(term.factors)
            path = Path(term.name, head)
            if not ((term.settings or term.equal) and path in self.paths):
                self.paths.append(path)
        if term.equal:
            op = "~1" if intercept else operator
            self.equalities.append((Parameter(head, op, term.name), term.equal))
        if term.settings or intercept or operator == "~~":
            op = "~1" if intercept else operator
            self.parameters.append(Parameter(head, op, term.name, **term.settings))  # type: ignore[arg-type]

    def finished(self) -> Parsed:
        """Return the whole, constraints turned into labels, fixed values and bounds."""
        constructs = tuple(
            (reflective if operator == "=~" else composite)(name, items)
            for name, (operator, items) in self.measured.items()
        )
        wholes = [construct for construct in constructs if self._is_whole(construct)]
        constructs = tuple(construct for construct in constructs if construct not in wholes)
        refuse_mixed_order(constructs)
        named = (*constructs, *wholes)
        plain = (path for path in self.paths if path.source not in self.products)
        constructs += observed(named, plain)
        told = equated(self.parameters, self.equalities)
        statements = constrained(told, self.definitions, self.constraints)
        orders = (
            HigherOrder(
                c.name, c.items, "composite" if self.measured[c.name][0] == "<~" else "reflective"
            )
            for c in wholes
        )
        return Parsed(
            constructs, tuple(self.paths), *statements, (*orders, *self.products.values())
        )

    def _is_whole(self, construct: Construct) -> bool:
        """Return whether all items are constructs that the text defines."""
        return construct.name not in construct.items and all(
            item in self.measured and self.measured[item][1] != [item] for item in construct.items
        )

    def _measure(self, head: str, operator: str, term: Term) -> None:
        known, items = self.measured.setdefault(head, (operator, []))
        if known != operator:
            raise ModelError(
                f"Construct {head!r} is defined with both {known} and {operator}; choose one."
            )
        if operator == "<~" and term.settings:
            raise ModelError(
                f"The composite {head!r} has a modifier (*) on {term.name!r}; its weights are "
                "estimated, so write its items alone."
            )
        if not ((term.settings or term.equal) and term.name in items):
            items.append(term.name)


def _right_side(text: str, statement: str, operator: str) -> list[Term]:
    """Read ``a*x + y + 1``; the name of an intercept's term is blank."""
    terms = []
    for part in split(text, "+"):
        term = term_of(part, statement)
        factors: tuple[str, ...] = ()
        if operator == "~" and term.name.strip() == "1":
            name = ""
        elif operator == "~" and len(factors := _factors(term.name, statement)) > 1:
            name = Product(factors).name
        else:
            name = _names(term.name, statement)[0]
        factors = factors if len(factors) > 1 else ()
        terms.append(term._replace(name=name, factors=factors))
    return terms


def _factors(text: str, statement: str) -> tuple[str, ...]:
    """Read ``a:b``, ``a^2`` or a name alone into names of constructs."""
    factors: list[str] = []
    for part in split(text, ":"):
        name, *powers = split(part, "^")
        exponent = powers[0].strip() if powers else "1"
        if len(powers) > 1 or exponent not in _EXPONENTS[1 if powers else 0 :]:
            raise ModelError(
                f"The line {statement!r} has the power {part.strip()!r}; write a whole number from "
                f"2 to {_EXPONENTS[-1]}, as in {name.strip()}^2."
            )
        factors += _names(name, statement)[:1] * int(exponent)
    return tuple(factors)


def _statements(text: str) -> list[str]:
    """Split text at line ends and semicolons, without comments, joining lines that go on."""
    statements: list[str] = []
    going_on = False
    for line in (part.strip() for raw in text.split("\n") for part in _parts(raw)):
        if not line:
            continue
        if going_on or (statements and line.startswith(_GOES_ON)):
            statements[-1] += " " + line
        else:
            statements.append(line)
        going_on = line.endswith(_OPENS)
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


def _names(text: str, statement: str) -> list[str]:
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
