"""A page for every code of a finding: what it says, what that means, and what to do.

The sentences come from the table that the tests hold findings to; meaning and advice are written by
hand in ``words/``, a pair of texts for each code.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from written import write

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parents[1]
SENTENCES = HERE.parent / "tests" / "wordings.toml"

INTRODUCTION = """# What the findings mean

A result carries findings: whole sentences that say what was noticed. Each has a code, which
programs read (`fit.diagnostics[0].code`), and a page here, which says what to do. A *failure* means
that the numbers are not to be used, a *warning* that you should think first, a *note* counts what
is harmless. The numbers in the sentences are examples.
"""


def sentences() -> dict[str, list[str]]:
    """Return what every code says, of an example."""
    table = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))
    return {code: [row["sentence"] for row in rows] for code, rows in table.items()}


@dataclass(frozen=True)
class Area:
    """Findings about one thing: by code what each means and what to do."""

    title: str
    text: str
    codes: dict[str, tuple[str, str]]


def areas() -> list[Area]:
    """Return what is written by hand, in the order of the files."""
    tables = [
        tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted((HERE / "words").glob("*.toml"))
    ]
    return [
        Area(
            table["title"],
            table["text"],
            {code: (means, advice) for code, (means, advice) in table["codes"].items()},
        )
        for table in tables
    ]


def _page(code: str, told: list[str], means: str, advice: str) -> str:
    quotes = "\n\n".join(f"> {_plain(sentence)}" for sentence in dict.fromkeys(told))
    return f"# {code}\n\n{quotes}\n\n## What it means\n\n{means}\n\n## What to do\n\n{advice}\n"


def _plain(sentence: str) -> str:
    for mark in "\\`*_[]<>|#~$":
        sentence = sentence.replace(mark, f"\\{mark}")
    return sentence


def _write(app: Sphinx) -> None:
    told = sentences()
    index = [INTRODUCTION]
    texts = {}
    for area in areas():
        index += [f"## {area.title}", "", area.text, "", "```{toctree}"]
        index += [":maxdepth: 1", "", *sorted(area.codes), "```", ""]
        texts |= {f"{code}.md": _page(code, told[code], *own) for code, own in area.codes.items()}
    texts["index.md"] = "\n".join(index)
    write(Path(app.srcdir) / "findings", texts)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before anything is read."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}
