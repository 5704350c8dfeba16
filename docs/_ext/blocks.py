"""The code in a page: read out of it, and run as a reader would.

A block ``python`` is run in the page's own names. Where a block ``text`` follows, that is what it
prints, warnings first; an expression at its end is printed, too. A block
``{picture} What it shows`` ends in a figure.
"""

import ast
import io
import re
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

from csimodel.errors import CsimodelWarning

BLOCK = re.compile(
    r"^```(?P<kind>python|shell|\{picture\})(?P<title>[^\n]*)\n(?P<code>.*?)^```$"
    r"(?:\n+```text\n(?P<shown>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """Code of a page; `shown` is what the page says that it prints."""

    kind: str
    title: str
    code: str
    line: int
    shown: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What a block printed, and the value of the expression at its end."""

    printed: str
    value: Any = None


def blocks(text: str) -> list[Block]:
    """Return the blocks of a page in their order."""
    return [
        Block(
            match["kind"].strip("{}"),
            match["title"].strip(),
            match["code"],
            text.count("\n", 0, match.start()) + 1,
            match["shown"],
        )
        for match in BLOCK.finditer(text)
    ]


def run(block: Block, names: dict[str, Any], page: str = "page") -> Outcome:
    """Run a block of Python in the names of its page."""
    tree = ast.parse("\n" * block.line + block.code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with redirect_stdout(printed), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", CsimodelWarning)
        exec(compile(tree, page, "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), page, "eval"), names)
            if value is not None and block.kind == "python":
                printed.write(f"{value!r}\n")
    lines = [f"{word.category.__name__}: {word.message}\n" for word in told]
    return Outcome("".join(lines) + printed.getvalue(), value)
