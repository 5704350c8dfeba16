"""Time and memory of every public operation, and how they grow with rows, items, groups and draws.

    python benchmarks/bench_growth.py [--only NAME …] [--axis n …] [--quick] [--write]

For every row of `growth_fits.py` and `growth_outcomes.py` and each of its axes: processor time and
peak memory above the data at every step, one thread, each in a process of its own after one call on
small data; the fitted exponents (slope of log cost on log size over the larger half of the steps)
beside those of the work; and the floor, a formula of the sizes in speeds measured here. What passes
`--limit` seconds (60) or `--memory` megabytes (6,000) is printed as such, and larger steps are then
left out as "more"; none begins after `--minutes` (75; the largest come last). Marks:

    GROWS    the exponent of time lies above that of the work by more than the axis's allowance
    MEMORY   so does that of memory, from 100 MB on
    FLOOR    more than 50 floors at the largest step, from .25 s on
    LIMIT    a limit was passed, or the call ended in an error

`--quick` takes small steps only (two minutes), `--only` names that begin so, `--write` makes
docs/growth.md, or with `--only` measures those rows of it again.
"""

import argparse
import contextlib
import ctypes
import gc
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import common  # noqa: F401  one thread, before NumPy is loaded
from growth_data import Case, Size
from growth_measure import Bounds, Cost, Growth, measure_after
from growth_operations import AXES, STEPS, Operation, Task
from growth_page import Line, document, shown, speeds, with_rows
from growth_table import OPERATIONS

DOCUMENT = Path(__file__).parents[1] / "docs" / "growth.md"
QUICK = {"n": 25_000, "p": 50, "C": 12, "G": 100, "D": 1_000}


def steps_of(operation: Operation, axis: str, quick: bool) -> list[int]:
    """Return the steps of an operation on an axis: those it is meant for."""
    largest = operation.axes[axis][1]
    if quick:
        largest = min(largest, QUICK[axis])
    steps = [step for step in STEPS[axis] if step <= largest]
    many = axis == "G" and operation.axes[axis][1] > 100
    return [step for step in steps if not many or step in (10, 100, 1_000, 10_000)]


def tasks_of(operations: list[Operation], axes: list[str], quick: bool) -> list[Task]:
    """Return all measurements, those of one survey together, small surveys first."""
    tasks = [
        Task(operation, axis, step)
        for operation in operations
        for axis in operation.axes
        if axis in axes
        for step in steps_of(operation, axis, quick)
    ]
    return sorted(tasks, key=lambda task: (task.size.n * task.size.p, *task.size.survey, task.step))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep warnings and progress bars of what is measured off the page."""
    keep = os.dup(2)
    with warnings.catch_warnings(), Path(os.devnull).open("w") as nowhere:
        warnings.simplefilter("ignore")
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(keep, 2)
            os.close(keep)


def small_case(operations: list[Operation], folder: Path) -> Case:
    """Return small data on which every operation was called once: imports and caches are there."""
    case = Case(Size(n=400, D=25), folder)
    with quiet():
        for operation in operations:
            with contextlib.suppress(Exception):
                for need in operation.needs:
                    getattr(case, need)
                operation.call(case)
    return case


def measured(
    tasks: list[Task], bounds: Bounds, repeats: int, small: Case, deadline: float
) -> dict[tuple[str, str], Growth]:
    """Do all measurements that can begin before a deadline on the clock of `perf_counter`."""
    growths: dict[tuple[str, str], Growth] = {}
    case = small
    for position, task in enumerate(tasks):
        key = task.operation.name, task.axis
        growth = growths.get(key, Growth())
        if growth.costs and growth.costs[-1].end:
            growths[key] = growth.with_step(task.step, Cost(end="more"))
            continue
        if time.perf_counter() > deadline:
            growths[key] = growth.with_step(task.step, Cost(end="minutes"))
            continue
        with quiet():
            if task.size.survey != case.size.survey:
                case = Case(task.size, small.folder)
                case.survey  # noqa: B018
                gc.collect()
                ctypes.CDLL(None).malloc_trim(0)
            own = case.of(task.size)

            def build(own: Case = own, task: Task = task) -> None:
                for need in task.operation.needs:
                    getattr(own, need)

            call = task.operation.call
            cost = measure_after(build, partial(call, own), partial(call, small), bounds, repeats)
        growths[key] = growth.with_step(task.step, cost)
        print(
            f"\r{position + 1:>4} of {len(tasks)}  {task.operation.name}, {task.axis} = "
            f"{task.step:,}: {shown(cost)}\x1b[K",
            end="",
            file=sys.stderr,
            flush=True,
        )
    print("\r\x1b[K", end="", file=sys.stderr)
    return growths


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME")
    parser.add_argument("--axis", nargs="+", default=list(AXES), choices=list(AXES))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--limit", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--memory", type=float, default=6_000.0, metavar="MEGABYTES")
    parser.add_argument("--minutes", type=float, default=75.0)
    options = parser.parse_args()
    start = time.perf_counter()
    deadline = start + 60.0 * options.minutes
    operations = [o for o in OPERATIONS if o.name.startswith(tuple(options.only))]
    tasks = tasks_of(operations, options.axis, options.quick)
    bounds = Bounds(min(options.limit, 5.0) if options.quick else options.limit, options.memory)
    rates = speeds()
    with tempfile.TemporaryDirectory() as folder:
        small = small_case(operations, Path(folder))
        growths = measured(tasks, bounds, 1 if options.quick else 3, small, deadline)
    lines = [
        Line(operation, axis, growths[operation.name, axis], rates)
        for operation in operations
        for axis in operation.axes
        if (operation.name, axis) in growths
    ]
    text = document(lines, rates, bounds)
    print(text)
    print(f"{len(tasks)} measurements in {time.perf_counter() - start:.0f} s")
    if options.write:
        partly = options.only != [""] and DOCUMENT.exists()
        page = with_rows(DOCUMENT.read_text(encoding="utf-8"), text) if partly else text
        DOCUMENT.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
