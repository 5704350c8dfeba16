"""Where the source makes sentences, and every text that the template of one can be."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import csimodel

PACKAGE = Path(csimodel.__file__).parent
TEMPLATE_AT = {"Finding": 1, "Verdict": 6}  # position of the template among the arguments
VALUES_AT = {"Finding": 5, "Verdict": 7}


@dataclass(frozen=True)
class Call:
    """A finding or verdict as the source makes it."""

    module: Path
    function: ast.AST
    node: ast.Call
    kind: str

    def __str__(self) -> str:
        return f"{self.module.relative_to(PACKAGE)}:{self.node.lineno}"

    def argument(self, name: str, position: int) -> ast.expr | None:
        if len(self.node.args) > position:
            return self.node.args[position]
        return next((word.value for word in self.node.keywords if word.arg == name), None)

    @property
    def template(self) -> ast.expr:
        found = self.argument("template", TEMPLATE_AT[self.kind])
        assert found is not None, f"{self} has no template"
        return found


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def calls() -> Iterator[Call]:
    for module in sorted(PACKAGE.rglob("*.py")):
        yield from calls_within(module, tree(module), tree(module))


def calls_within(module: Path, node: ast.AST, function: ast.AST) -> Iterator[Call]:
    for child in ast.iter_child_nodes(node):
        inner = child if isinstance(child, ast.FunctionDef) else function
        named = isinstance(child, ast.Call) and isinstance(child.func, ast.Name)
        if named and child.func.id in TEMPLATE_AT:
            yield Call(module, function, child, child.func.id)
        yield from calls_within(module, child, inner)


class NotLiteralError(Exception):
    """A template that is put together."""


def texts(node: ast.expr, module: Path, function: ast.AST) -> Iterator[str]:
    """Every text that an expression can be; literals, names of literals and tables of them."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from texts(body, module, function)
            yield from texts(other, module, function)
        case ast.Subscript(value=table):
            yield from texts(table, module, function)
        case ast.Dict(values=values) | ast.Tuple(elts=values):
            for value in values:
                yield from texts(value, module, function)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            for head in texts(left, module, function):
                yield from (head + tail for tail in texts(right, module, function))
        case ast.Name(id=name):
            for value in assigned(name, module, function):
                yield from texts(value, module, function)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            other = imported(name, module)
            for value in assigned(attribute, other, tree(other)):
                yield from texts(value, other, tree(other))
        case _:
            raise NotLiteralError(ast.unparse(node))


def assigned(name: str, module: Path, function: ast.AST) -> list[ast.expr]:
    for scope in (function, tree(module)):
        found = [value for target, value in assignments(scope) if target == name]
        if found:
            return found
    for node in tree(module).body:
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            other = PACKAGE.parent / f"{str(node.module).replace('.', '/')}.py"
            return assigned(name, other, tree(other))
    raise NotLiteralError(name)


def assignments(scope: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    nodes = scope.body if isinstance(scope, ast.Module) else list(ast.walk(scope))
    for node in nodes:
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            whole = ast.BinOp(node.target, node.op, node.value)
            yield node.target.id, ast.copy_location(whole, node)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Name):
                yield target.id, node.value
            elif isinstance(target, ast.Tuple):
                parts = node.value.elts if isinstance(node.value, ast.Tuple) else target.elts
                for part, value in zip(target.elts, parts, strict=True):
                    if isinstance(part, ast.Name):
                        yield part.id, value if value is not part else node.value


def imported(name: str, module: Path) -> Path:
    for node in tree(module).body:
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            return PACKAGE.parent / str(node.module).replace(".", "/") / f"{name}.py"
    raise NotLiteralError(name)
