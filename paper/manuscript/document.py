"""The document: what the parts computed becomes a PDF and a short paper."""

from __future__ import annotations

import json
import time
from importlib import import_module
from pathlib import Path

import jinja2

from csimodel.formatting import number

PAPER = Path(__file__).parents[1]
PARTS = ("mobile", "acsi", "simulation", "agreement", "speed")


def compute(names: list[str], folder: Path) -> None:
    """Compute parts anew into a folder."""
    folder.mkdir(exist_ok=True)
    for name in names:
        start = time.perf_counter()
        print(f"{name} …", end=" ", flush=True)
        part = import_module(f"manuscript.{name}").part()
        part.write(name, folder)
        print(part.absent or f"{time.perf_counter() - start:.0f} s", flush=True)


def facts(folder: Path) -> dict[str, dict]:
    """Return what was computed, by part."""
    return {
        name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in PARTS
    }


def short_paper(folder: Path) -> str:
    """Return the short paper with the numbers of a folder."""
    parts = facts(folder)

    def n(key: str, decimals: int = 0, times: float = 1.0) -> str:
        name, _, rest = key.partition(".")
        return number(times * parts[name]["numbers"][rest], decimals)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAPER),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    present = {name: not own["absent"] for name, own in parts.items()}
    return environment.get_template("paper.md.jinja").render(n=n, present=present)


def typeset(source: Path, target: Path) -> None:
    """Typeset a paper beside its ``generated/`` as a PDF.

    Raises
    ------
    SystemExit
        When typst is not installed.
    """
    try:
        import typst
    except ImportError:
        raise SystemExit(
            'The PDF needs typst; install it with: pip install -e ".[paper]"'
        ) from None
    typst.compile(source, output=target, root=source.parent)
