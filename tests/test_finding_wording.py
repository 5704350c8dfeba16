"""Sentences of findings and verdicts: templates, whole, with fields for names and numbers only."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest
from catalogue import CATALOGUES, messages, not_literal, read, translated, untranslated
from templates import (
    PACKAGE,
    TEMPLATE_AT,
    VALUES_AT,
    Call,
    NotLiteralError,
    assigned,
    assignments,
    calls,
    texts,
    tree,
)
from wordings import fields, rows

from csimodel.findings import Finding, wording


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


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.parts[-3])
def test_every_message_has_a_translation(file):
    done, known = translated(read(file)), untranslated()
    new = [
        f"{own.place}: {own.text!r}"
        for own in messages().values()
        if own.text not in done and own.text not in known
    ]
    assert not new, (
        "run `python tests/catalogue.py`, translate the new entries of the .po or leave them to "
        f"tests/untranslated.txt, commit both; {len(new)} messages are new:\n" + "\n".join(new)
    )


def test_messages_without_a_translation_are_known_and_only_those():
    done = set.intersection(*(translated(read(file)) for file in CATALOGUES))
    superfluous = [own for own in untranslated() if own in done or own not in messages()]
    assert not superfluous, "run `python tests/catalogue.py` and commit tests/untranslated.txt"


def test_no_message_is_put_together():
    assert not not_literal(), "text() and counted() take literals, with fields for what differs"
