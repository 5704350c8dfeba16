"""The document: what the parts computed becomes a PDF and a short paper."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

import jinja2

from csimodel.formatting import number

PAPER = Path(__file__).parents[1]
PARTS = ("mobile", "acsi", "simulation", "agreement", "speed")


def compute(names: list[str], folder: Path, workers: int = 2) -> None:
    """Compute parts anew into a folder, in processes side by side; prints their processor time.

    A part is one task, or the tasks that its module names.
    """
    folder.mkdir(exist_ok=True)
    modules = {name: import_module(f"manuscript.{name}") for name in names}
    work = {
        name: module.tasks() if hasattr(module, "tasks") else {"part": module.part}
        for name, module in modules.items()
    }
    order = sorted(work, key=lambda name: len(work[name]), reverse=True)  # long parts have many
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        started = {
            name: {task: pool.submit(_timed, own) for task, own in work[name].items()}
            for name in order
        }
        for name in names:
            done = {task: own.result() for task, own in started[name].items()}
            found = {task: result for task, (result, _) in done.items()}
            part = modules[name].part(found) if hasattr(modules[name], "tasks") else found["part"]
            part.write(name, folder)
            seconds = sum(own for _, own in done.values())
            print(f"{name}: {part.absent or f'{seconds:.0f} s'}", flush=True)


def _timed(work: Callable[[], object]) -> tuple[object, float]:
    """Do some work, and return its result with the processor time it took."""
    start = time.process_time()
    return work(), time.process_time() - start


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
