"""Sentences of findings and verdicts: templates, whole, with fields for names and numbers only."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from wordings import fields, rows

import csimodel
from csimodel.findings import Finding, wording

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


def whole_templates() -> list[tuple[str, str]]:
    pairs = []
    for call in calls():
        try:
            found = list(dict.fromkeys(texts(call.template, call.module, call.function)))
        except NotLiteralError:
            continue  # the next test says so
        pairs += [(f"{call}", text) for text in found]
    return list(dict.fromkeys(pairs))


@cache
def codes_of_sentences() -> dict[str, set[str]]:
    """Return the templates of findings, each with the codes that it may come with."""
    codes_of: dict[str, set[str]] = {}
    for call in calls():
        if call.kind == "Finding":
            for code, text in told(call):
                codes_of.setdefault(text, set()).add(code)
    return codes_of


def told(call: Call) -> Iterator[tuple[str, str]]:
    """Codes with templates of a call; a code that is no text is the key of a table of templates."""
    code = call.argument("code", 0)
    assert code is not None
    try:
        codes = list(texts(code, call.module, call.function))
    except NotLiteralError:
        found = last(call.template, call)
        assert isinstance(found, ast.Subscript), f"{call}: {ast.unparse(code)}"
        assert isinstance(found.value, ast.Name)
        (table,) = assigned(found.value.id, call.module, call.function)
        assert isinstance(table, ast.Dict)
        for key, value in zip(table.keys, table.values, strict=True):
            first = key.elts[0] if isinstance(key, ast.Tuple) else key
            assert isinstance(first, ast.Constant)
            yield from (
                (str(first.value), text) for text in texts(value, call.module, call.function)
            )
        return
    for text in texts(call.template, call.module, call.function):
        yield from ((code, text) for code in codes)


def test_the_table_has_every_sentence_once_and_no_other():
    table, sentences = rows(), codes_of_sentences()
    of_template = {
        text: [row for row in table if row.code in codes and row.has(text)]
        for text, codes in sentences.items()
    }
    assert not [text for text, own in of_template.items() if len(own) != 1]
    used = [row for own in of_template.values() for row in own]
    assert not [row for row in table if row not in used]
    assert len(used) == len(table)


def test_the_table_has_every_code():
    codes = set().union(*codes_of_sentences().values())
    assert codes == {row.code for row in rows()}


def test_no_sentence_is_put_together():
    together = []
    for call in calls():
        try:
            assert list(texts(call.template, call.module, call.function))
        except NotLiteralError as error:
            together.append(f"{call}: {error}")
    assert not together


def test_no_sentence_is_set_but_where_a_finding_is_made():
    others = [
        f"{module.relative_to(PACKAGE)}:{node.lineno}"
        for module in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call)
        and "template" in [word.arg for word in node.keywords]
        and not (isinstance(node.func, ast.Name) and node.func.id in TEMPLATE_AT)
    ]
    assert not others


class Stand:
    """Fills any field: a name, or a number where the field asks for one."""

    def __format__(self, form: str) -> str:
        return format(2.0, form) if re.search(r"[efg%d]$", form) else "name"

    def __str__(self) -> str:
        return "name"

    def __repr__(self) -> str:
        return "'name'"


@pytest.mark.parametrize(("place", "template"), whole_templates())
def test_a_sentence_is_whole(place, template):
    names = fields(template)
    assert all(name.isidentifier() for name in names), "fields have names"
    text = wording(template, dict.fromkeys(names, Stand()) or {"unused": 0})
    assert text.endswith((".", ".”.")), text
    assert not re.search(r"[{}]", text), text
    assert not re.search(r"[.!?] +[A-ZÄÖÜ]", text), f"{place}: several sentences: {text}"
    assert "  " not in text, text
    assert text[0].isupper() or text.startswith(("name", "'name'", "2", "semopy", "csi.")), text


def words(node: ast.expr, function: ast.AST, depth: int = 0) -> Iterator[str]:
    """Every text with a blank in it that a field's value can be."""
    match node:
        case ast.Constant(value=str(text)) if " " in text.strip():
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from words(body, function, depth)
            yield from words(other, function, depth)
        case ast.Subscript(value=ast.Dict(values=values)):
            for value in values:
                yield from words(value, function, depth)
        case ast.JoinedStr(values=parts):
            for part in parts:
                if isinstance(part, ast.Constant) and re.search(r"[a-z]{2}", str(part.value)):
                    yield ast.unparse(node)
        case ast.Name(id=name) if depth < 3:
            for target, value in assignments(function):
                if target == name:
                    yield from words(value, function, depth + 1)


PARTS = {"whole model", "measurement alone"}  # names of what SRMR is computed from


def last(node: ast.expr | None, call: Call) -> ast.expr | None:
    """What a name of the function holds where the call stands, else the node itself."""
    if not isinstance(node, ast.Name):
        return node
    own = [
        value
        for name, value in assignments(call.function)
        if name == node.id and value.lineno < call.node.lineno
    ]
    return max(own, key=lambda value: value.lineno) if own else node


def fields_of(call: Call) -> ast.expr | None:
    return last(call.argument("values", VALUES_AT[call.kind]), call)


def test_every_field_has_a_value():
    missing = []
    for call in calls():
        values = fields_of(call)
        known = {"value"} if call.kind == "Verdict" else set()
        if isinstance(values, ast.Dict) and None not in values.keys:
            known |= {key.value for key in values.keys if isinstance(key, ast.Constant)}
        elif values is not None:
            continue  # put together from several
        for text in texts(last(call.template, call), call.module, call.function):
            names = fields(text)
            missing += [f"{call}: {name}" for name in sorted(names - known)]
    assert not set(missing)


def test_fields_hold_names_and_numbers():
    clauses = []
    for call in calls():
        values = fields_of(call)
        if isinstance(values, ast.Dict):
            for key, value in zip(values.keys, values.values, strict=True):
                found = set(words(value, call.function)) - PARTS
                clauses += [f"{call}: {ast.unparse(key) if key else ''}: {text}" for text in found]
    assert not clauses


def test_a_p_value_and_names_in_a_sentence():
    finding = Finding("x", "{names:2} differ ({p:p}).", values={"names": ["a", "b"], "p": 1e-9})
    assert str(finding) == "a and b differ (p < .001)."
    assert wording("{value:.3f}", {"value": float("inf")}) == "infinite"
