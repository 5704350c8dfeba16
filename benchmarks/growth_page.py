"""What is printed: a table for each axis, with exponents, floors and marks."""

import math
import os
import platform
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from growth_data import Size
from growth_measure import Bounds, Cost, Growth
from growth_operations import AXES, Operation, Task

import csimodel as csi

ALLOWANCE = {"n": 0.1, "D": 0.1, "G": 0.2, "p": 0.3, "C": 0.3}
FLOORS, FLOOR_SECONDS, MEGABYTES = 50.0, 0.25, 100.0
ENDS = {
    "time": "over time",
    "memory": "over memory",
    "build": "data over time",
    "more": "more",
    "minutes": "not run",
}
"""How a measurement without an error ends, as it is shown."""


def speeds() -> dict[str, float]:
    """Return F and B of this machine, and units of time, as formulas of floors name them."""

    def least(work: Callable[[], object], repeats: int = 5) -> float:
        taken = []
        for _ in range(repeats):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
        return min(taken)

    a, b = np.ones((600, 600)), np.ones(8_000_000)
    return {
        "F": 2 * 600**3 / least(lambda: a @ a),
        "B": b.nbytes / least(b.sum),
        "ns": 1e-9,
        "us": 1e-6,
        "ms": 1e-3,
    }


def floor_seconds(operation: Operation, size: Size, rates: dict[str, float]) -> float:
    """Evaluate the floor's formula."""
    sizes = {name: getattr(size, name) for name in "npCGD"}
    return float(eval(operation.floor, {"__builtins__": {}}, {**rates, **sizes}))


def in_time(seconds: float) -> str:
    """Write a time by two digits."""
    unit, value = ("s", seconds) if seconds >= 1.0 else ("ms", seconds * 1e3)
    return f"{value:.{0 if value >= 10 else 1 if value >= 1 else 2}f} {unit}"


def shown(cost: Cost) -> str:
    """Write a cost, or why there is none."""
    if not cost.end:
        return f"{in_time(cost.seconds)}, {cost.megabytes:.0f} MB"
    return ENDS.get(cost.end, "error")


@dataclass(frozen=True)
class Line:
    """What is said of one operation along one axis."""

    operation: Operation
    axis: str
    growth: Growth
    rates: dict[str, float]

    @property
    def largest(self) -> tuple[int, Cost]:
        """The largest step that ended."""
        return self.growth.ended[-1] if self.growth.ended else (self.growth.steps[0], Cost())

    @property
    def floor(self) -> float:
        """Seconds of the floor at the largest step that ended."""
        return floor_seconds(
            self.operation, Task(self.operation, self.axis, self.largest[0]).size, self.rates
        )

    @property
    def marks(self) -> list[str]:
        """What to look at."""
        expected = self.operation.axes[self.axis][0] + ALLOWANCE[self.axis]
        _, cost = self.largest
        grows = self.growth.time_exponent > expected and cost.seconds > 0.1
        memory = self.growth.memory_exponent > expected and cost.megabytes > MEGABYTES
        floor = cost.seconds > FLOOR_SECONDS and cost.seconds > FLOORS * self.floor
        limit = any(cost.end for cost in self.growth.costs)
        marks = {"GROWS": grows, "MEMORY": memory, "FLOOR": floor, "LIMIT": limit}
        return [mark for mark, applies in marks.items() if applies]

    @property
    def failures(self) -> list[str]:
        """Sentences of errors."""
        return [
            f"{self.operation.name}, {self.axis} = {step:,}: {cost.end}"
            for step, cost in zip(self.growth.steps, self.growth.costs, strict=True)
            if cost.end and cost.end not in ENDS
        ]

    def cells(self, steps: list[int]) -> list[str]:
        """Return the cells of its row."""
        costs = dict(zip(self.growth.steps, self.growth.costs, strict=True))
        _, cost = self.largest
        return [
            self.operation.name,
            *(shown(costs[step]) if step in costs else "" for step in steps),
            f"{number(self.growth.time_exponent)} ({self.operation.axes[self.axis][0]:g})",
            number(self.growth.memory_exponent),
            in_time(self.floor),
            f"{cost.seconds / self.floor:.1f}",
            " ".join(self.marks),
        ]


def number(value: float) -> str:
    """Write an exponent."""
    return "" if math.isnan(value) else f"{value:.2f}"


def table(lines: list[Line], axis: str) -> str:
    """Return the table of one axis, in Markdown."""
    own = [line for line in lines if line.axis == axis]
    steps = sorted({step for line in own for step in line.growth.steps})
    head = ["", *(f"{axis} = {step:,}" for step in steps), "exponent (work)", "of memory", "floor",
            "floors", "marks"]  # fmt: skip
    rows = [head, ["---"] * len(head), *(line.cells(steps) for line in own)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def machine(rates: dict[str, float]) -> str:
    """Say what it ran on."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"model name\s*:\s*(.+)", text)
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas"))
    return (
        f"csimodel {csi.__version__}, Python {platform.python_version()}, {packages}, "
        f"{blas['name']} {blas['version']}, one thread, on "
        f"{model[1].strip() if model else platform.processor()} ({os.cpu_count()} processors): "
        f"F = {rates['F'] / 1e9:.1f} GFLOP/s, B = {rates['B'] / 1e9:.1f} GB/s."
    )


def document(lines: list[Line], rates: dict[str, float], bounds: Bounds) -> str:
    """Return docs/growth.md."""
    parts = [
        "# What every operation costs, and how it grows",
        "Made by `python benchmarks/bench_growth.py --write`; the operations and their floors are "
        "rows of `benchmarks/growth_fits.py` and `growth_outcomes.py`.",
        machine(rates),
        "A cell is processor time and peak memory above the data of one call, in a process of its "
        "own. Its exponent is the slope of log time on log size over the larger half of the steps, "
        "in parentheses that of the work; memory's is taken where a step needs more than 8 MB. "
        "The floor is what the definition asks for at the largest step, by its formula at the "
        "foot, and beside it how many floors the call took. A call had at most "
        f"{bounds.seconds:g} s and {bounds.megabytes:,.0f} MB: what passed that is over time or "
        "over memory, and larger steps are more; what was not run is for the lack of minutes. "
        "Empty cells are sizes that an operation is not "
        "meant for.",
        "GROWS: time grows faster than the work (allowance .1 for rows and draws, .2 for groups, "
        f".3 for items and constructs). MEMORY: so does memory, from {MEGABYTES:g} MB on. FLOOR: "
        f"more than {FLOORS:g} floors, from {FLOOR_SECONDS:g} s on. LIMIT: a step passed a limit "
        "or ended in an error.",
    ]
    for axis, words in AXES.items():
        if any(line.axis == axis for line in lines):
            parts += [f"## {axis}: {words}", table(lines, axis)]
    if failures := [failure for line in lines for failure in line.failures]:
        parts += ["## Errors", "\n".join(f"- {failure}" for failure in failures)]
    floors = {line.operation.name: line.operation.floor for line in lines}
    parts += [
        "## Floors",
        "Seconds; F operations a second, B bytes a second.",
        "\n".join(f"- {name}: `{formula}`" for name, formula in floors.items()),
    ]
    return "\n\n".join(parts) + "\n"


def with_rows(page: str, other: str) -> str:
    """Return a page with the rows that another page has, too, as they are there."""
    rows = _rows(other)
    lines, section, columns = [], "", []
    for line in page.splitlines():
        section, columns = _place(line, section, columns)
        cells = _cells(line)
        if own := rows.get((section, cells[0])) if cells else None:
            line = "| " + " | ".join(own.get(name, "") for name in columns) + " |"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _rows(page: str) -> dict[tuple[str, str], dict[str, str]]:
    """Return the cells of each row by the names of their columns, by section and first cell."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    section, columns = "", list[str]()
    for line in page.splitlines():
        section, columns = _place(line, section, columns)
        cells = _cells(line)
        if cells and cells[0] not in ("", "---"):
            rows[section, cells[0]] = dict(zip(columns, cells, strict=True))
    return rows


def _place(line: str, section: str, columns: list[str]) -> tuple[str, list[str]]:
    """Return the section and the columns that hold from a line on."""
    if line.startswith("## "):
        return line.split(":")[0], []
    return section, columns or _cells(line)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line[1:-1].split("|")] if line.startswith("|") else []
