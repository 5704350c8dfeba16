"""Messages that the source shows, and the catalogues that translate them.

``python tests/catalogue.py`` gives every catalogue the messages that are new, without a translation
yet, takes out those that are gone, and lists what is not translated.
"""

import ast
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes
from templates import PACKAGE, NotLiteralError, calls_within, texts, tree

CATALOGUES = sorted((PACKAGE / "language").rglob("*.po"))
UNTRANSLATED = Path(__file__).with_name("untranslated.txt")
KEPT = ("column", "value")  # contexts of names that tables are given at run time, kept by hand
FUNCTIONS = {
    "text": (0,),
    "gettext": (0,),
    "counted": (1, 2),
    "ngettext": (0, 1),
    "within": (0,),
    "message": (0,),
    "wording": (0,),
}
# What is no literal there is looked up at run time.
LOOKED_UP = {"gettext", "ngettext", "within", "wording"}


@dataclass(frozen=True)
class Message:
    """A message, its form for several, and where it stands."""

    text: str
    several: str
    place: str


@cache
def messages() -> dict[str, Message]:
    """Return every message of the package by its text."""
    found = [*_of_findings(), *_of_functions(), *_of_page()]
    return {message.text: message for message in found}


@cache
def not_literal() -> list[str]:
    """Return the calls whose template is put together, so that it cannot be translated."""
    return [place for place, name, _ in _calls() if name == ""]


def _of_findings() -> Iterator[Message]:
    for module in _modules():
        for call in calls_within(module, tree(module), tree(module)):
            templates = [call.template]
            if call.kind == "Verdict":
                templates += [
                    x for x in (call.argument("asked", 3), call.argument("verdict", 4)) if x
                ]
            for template in templates:
                for text in _literals(template, call.module, call.function):
                    yield Message(text, "", str(call))


def _of_functions() -> Iterator[Message]:
    for place, name, own in _calls():
        if name:
            yield Message(own[0], own[1] if len(own) > 1 else "", place)


@cache
def _calls() -> list[tuple[str, str, tuple[str, ...]]]:
    """Return place, name of the function (empty where not literal) and templates of each call."""
    found = []
    for module in _modules():
        for function, node in _nested(tree(module), tree(module)):
            name = _name(node.func)
            positions = FUNCTIONS.get(name, ())
            if not positions or len(node.args) <= positions[-1]:
                continue
            place = f"{module.relative_to(PACKAGE)}:{node.lineno}"
            forms = [list(_literals(node.args[k], module, function)) for k in positions]
            if not all(forms):
                if name not in LOOKED_UP:
                    found.append((place, "", ()))
                continue
            if len(forms) == 2:
                found.append((place, name, (forms[0][0], forms[1][0])))
            else:
                found += [(place, name, (text,)) for text in forms[0]]
    return found


def _nested(node: ast.AST, function: ast.AST) -> Iterator[tuple[ast.AST, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        inner = child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(child, ast.Call):
            yield function, child
        yield from _nested(child, inner)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr if node.attr == "within" else ""
    return node.id if isinstance(node, ast.Name) else ""


def _literals(node: ast.expr, module: Path, function: ast.AST) -> Iterator[str]:
    try:
        yield from [
            text for text in texts(node, module, function) if re.search(r"[^\W\d_]|\{", text)
        ]
    except (NotLiteralError, ValueError, OSError, AttributeError):
        return


def _of_page() -> Iterator[Message]:
    for file in sorted(PACKAGE.rglob("*.jinja")):
        page = Environment().parse(file.read_text(encoding="utf-8"))
        for call in page.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in FUNCTIONS:
                own = [call.args[k].value for k in FUNCTIONS[call.node.name]]
                yield Message(own[0], own[1] if len(own) > 1 else "", f"{file.name}:{call.lineno}")


def _modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def read(file: Path) -> Catalog:
    with file.open("rb") as stream:
        return read_po(stream, locale=file.parts[-3])


def translated(catalogue: Catalog) -> set[str]:
    return {_single(entry.id) for entry in catalogue if entry.id and _filled(entry.string)}


def untranslated() -> list[str]:
    """Return the messages that are known to have no translation."""
    lines = UNTRANSLATED.read_text(encoding="utf-8").splitlines()
    return [ast.literal_eval(line) for line in lines]


def _single(message: str | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


def _filled(string: str | tuple[str, ...]) -> bool:
    return bool(string) if isinstance(string, str) else all(string)


def update(file: Path) -> None:
    """Bring a catalogue up to the source, sorted, so that changes of several people merge."""
    old = read(file)
    new = Catalog(locale=old.locale, charset="utf-8", creation_date=old.creation_date,
                  revision_date=old.revision_date, project="csimodel", version="0",
                  copyright_holder="The csimodel developers", header_comment="# Chinese of what the package shows.",
        fuzzy=False,)  # fmt: skip
    for entry in old:
        if entry.context in KEPT:
            new.add(entry.id, entry.string, context=entry.context)
    for message in messages().values():
        known = old.get(message.text)
        string = known.string if known is not None else ""
        identity = (message.text, message.several) if message.several else message.text
        if message.several and isinstance(string, str):
            string = (string,)
        new.add(identity, string)
    stream = io.BytesIO()
    write_po(stream, new, width=100, no_location=True, sort_output=True)
    file.write_bytes(
        re.sub(
            rb'"(POT-C|PO-Rev|Generated-By|Report-Msgid|Last-Tr|Language-T)[^\n]*\n',
            b"",
            stream.getvalue(),
        )
    )


if __name__ == "__main__":
    for catalogue in CATALOGUES:
        update(catalogue)
        done = translated(read(catalogue))
        without = sorted(set(messages()) - done)
        UNTRANSLATED.write_text("".join(f"{text!r}\n" for text in without), encoding="utf-8")
        sys.stdout.write(f"{catalogue}: {len(done)} translated, {len(without)} not\n")
    for place in not_literal():
        sys.stdout.write(f"not a literal: {place}\n")
