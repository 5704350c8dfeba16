"""Mutants of the package: mutmut's operators and four of our own, on the code of functions.

Left out are wording (strings, what is raised), annotations, defaults, docstrings, decorators,
`np.errstate`, and what only shows progress.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation import mutators

OPERATORS = (
    (cst.BaseNumber, mutators.operator_number),
    (cst.Name, mutators.operator_name),
    (cst.AugAssign, mutators.operator_augmented_assignment),
    (cst.UnaryOperation, mutators.operator_remove_unary_ops),
    (cst.CSTNode, mutators.operator_keywords),
    (cst.CSTNode, mutators.operator_swap_op),
)
NUMBERS = ("Floats", "float", "NDArray[np.float64]")  # annotations of what may be scaled
INVERSES = m.Call(func=m.Attribute(attr=m.Name("inv") | m.Name("pinv") | m.Name("solve")))
ABSOLUTE = m.Call(func=m.Name("abs") | m.Attribute(m.Name("np"), m.Name("abs")))


class Mutant(NamedTuple):
    """One change of one function; `key` names it without line numbers."""

    key: str
    file: str
    function: str
    first: int  # line at which the function begins, decorators counted
    offset: int  # lines from there to the change
    source: str  # the whole module, changed


class _Site(NamedTuple):
    function: str
    first: int
    begin: tuple[int, int]  # line from 1, column
    end: tuple[int, int]
    changes: tuple[str, ...]


class _Place(NamedTuple):
    lot: bytes
    file: str
    site: _Site
    change: str


def _parenthesised(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.with_changes(
        lpar=[cst.LeftParen(), *node.lpar], rpar=[*node.rpar, cst.RightParen()]
    )


def _scaled(node: cst.BaseExpression) -> cst.BaseExpression:
    product = cst.BinaryOperation(_parenthesised(node), cst.Multiply(), cst.Float("1.01"))
    return _parenthesised(product)


def _turned(node: cst.BaseExpression) -> cst.BaseExpression:
    return _parenthesised(cst.UnaryOperation(cst.Not(), _parenthesised(node)))


class _Sites(cst.CSTVisitor):
    """Collect what can be changed, with the function it stands in."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, module: cst.Module) -> None:
        self.module = module
        self.sites: list[_Site] = []
        self.classes: list[str] = []
        self.functions: list[tuple[str, int, bool]] = []  # name, first line, returns a number

    def _position(self, node: cst.CSTNode) -> int:
        return int(self.get_metadata(PositionProvider, node).start.line)

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:  # noqa: N802
        if self.functions:
            return False
        self.classes.append(node.name.value)
        node.body.visit(self)
        self.classes.pop()
        return False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802
        name = ".".join([*self.classes, node.name.value])
        first = self._position(node.decorators[0] if node.decorators else node)
        if self.functions:
            name, first, _ = self.functions[0]
        text = self.module.code_for_node(node.returns.annotation) if node.returns else ""
        self.functions.append((name, first, text in NUMBERS))
        node.body.visit(self)
        self.functions.pop()
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:  # noqa: N802
        node.body.visit(self)
        return False

    def visit_Annotation(self, node: cst.Annotation) -> bool:  # noqa: N802
        return False

    def visit_Assert(self, node: cst.Assert) -> bool:  # noqa: N802
        return False

    def visit_Raise(self, node: cst.Raise) -> bool:  # noqa: N802
        return False

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:  # noqa: N802
        return False

    def visit_WithItem(self, node: cst.WithItem) -> bool:  # noqa: N802
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:  # noqa: N802
        return node.keyword is None or node.keyword.value not in ("strict", "progress", "dtype")

    def visit_Call(self, node: cst.Call) -> bool:  # noqa: N802
        return not m.matches(node.func, m.Name("cast") | m.Name("tqdm"))

    def on_visit(self, node: cst.CSTNode) -> bool:
        entered = super().on_visit(node)
        if self.functions and entered and not isinstance(node, cst.FunctionDef | cst.ClassDef):
            if isinstance(node, cst.If | cst.IfExp | cst.CompIf):
                self._add(node.test, [_turned(node.test)])
            if isinstance(node, cst.Return) and node.value and self.functions[-1][2]:
                self._add(node.value, [_scaled(node.value)])
            self._add(node, list(self._changes(node)))
        return entered

    def _add(self, node: cst.CSTNode, changes: list[cst.CSTNode]) -> None:
        if changes:
            name, first, _ = self.functions[0]
            place = self.get_metadata(PositionProvider, node)
            begin = (place.start.line, place.start.column)
            end = (place.end.line, place.end.column)
            texts = tuple(self.module.code_for_node(change) for change in changes)
            self.sites.append(_Site(name, first, begin, end, texts))

    def _changes(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                yield from operator(node)
        if m.matches(node, ABSOLUTE):
            yield _parenthesised(node.args[0].value)
        if m.matches(node, INVERSES):
            yield _scaled(node)


def _module_sites(path: Path) -> list[_Site]:
    module = cst.parse_module(path.read_text(encoding="utf-8"))
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    visitor = _Sites(wrapper.module)
    wrapper.visit(visitor)
    return visitor.sites


def sample(root: Path, folders: list[str], size: int, seed: int) -> list[Mutant]:
    """Draw places at random over all files, and one change at each.

    Lots are cast by name (a hash of the seed and the mutant's key), so that a sample keeps its
    members where the rest of the package is changed.
    """
    places = [
        place
        for folder in folders
        for path in sorted((root / folder).rglob("*.py"))
        if path.name not in ("progress.py", "__init__.py")
        for place in _places(root, path, seed)
    ]
    places.sort(key=lambda place: place.lot)
    return [_mutant(root, place) for place in places[:size]]


def _places(root: Path, path: Path, seed: int) -> Iterator[_Place]:
    """Cast lots for the places of a module; those that read the same are numbered."""
    file = str(path.relative_to(root))
    lines = path.read_text(encoding="utf-8").splitlines()
    repetitions: Counter[str] = Counter()
    for site in _module_sites(path):
        text = f"{file}::{site.function}: {lines[site.begin[0] - 1].strip()} {site.changes}"
        lot = hashlib.sha256(f"{seed} {text} {repetitions[text]}".encode()).digest()
        repetitions[text] += 1
        yield _Place(lot, file, site, site.changes[lot[-1] % len(site.changes)])


def _mutant(root: Path, place: _Place) -> Mutant:
    before = (root / place.file).read_text(encoding="utf-8").splitlines()
    site = place.site
    line, column = site.begin
    last, end = site.end
    changed = before[line - 1][:column] + place.change + before[last - 1][end:]
    source = "\n".join([*before[: line - 1], changed, *before[last:]]) + "\n"
    shown = " ".join(changed.split())
    key = f"{place.file}::{site.function}: {before[line - 1].strip()} → {shown}"
    return Mutant(key, place.file, site.function, site.first, line - site.first, source)
