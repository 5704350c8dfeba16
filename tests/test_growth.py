"""`benchmarks/bench_growth.py`: exponents, limits and marks on costs that are known; nothing public left out."""

import inspect
import math
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import csimodel as csi

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from bench_growth import steps_of
from growth_data import Case, Size
from growth_measure import Bounds, Cost, Growth, exponent, measure, measure_after
from growth_operations import AXES, STEPS, Operation, Task
from growth_page import Line, document, floor_seconds
from growth_table import EXCEPTIONS, OPERATIONS

RATES = {"F": 1e10, "B": 1e10, "ns": 1e-9, "us": 1e-6, "ms": 1e-3}
FAMILIES = {
    "": (csi, csi.outcomes, csi.report),
    "money.": (csi.outcomes.money,),
    "plots.": (csi.plots,),
    "simulate.": (csi.simulate,),
    "literature.": (csi.outcomes.literature,),
    "measures.": (csi.measures,),
}
BY_NAME = {operation.name: operation for operation in OPERATIONS}
idle = float  # a call that does nothing


def test_every_public_function_is_measured_or_has_a_reason():
    public = {
        prefix + name
        for prefix, modules in FAMILIES.items()
        for module in modules
        for name in module.__all__
        if inspect.isfunction(getattr(module, name))
    }
    measured = {operation.verb for operation in OPERATIONS}
    assert public - measured - set(EXCEPTIONS) == set()
    assert set(EXCEPTIONS) - public == set()
    assert set(EXCEPTIONS) & measured == set()
    modules = (csi, csi.estimators, csi.inference, csi.moments, csi.simulate)
    for verb in measured - public:  # methods, and functions of further modules
        owner, _, name = verb.rpartition(".")
        places = [getattr(module, owner, None) if owner else module for module in modules]
        assert any(hasattr(place, name) for place in places), verb


def test_rows_of_the_table_are_sound():
    assert len(BY_NAME) == len(OPERATIONS)
    for operation in OPERATIONS:
        assert set(operation.axes) <= set(AXES), operation.name
        assert all(
            largest in STEPS[axis] or axis == "C" for axis, (_, largest) in operation.axes.items()
        )
        assert all(hasattr(Case, need) or need == "model" for need in operation.needs), (
            operation.name
        )
        small, large = (
            floor_seconds(operation, Size(n, p, C, G, D), RATES)
            for n, p, C, G, D in ((250, 24, 8, 5, 50), (25_000, 60, 20, 50, 500))
        )
        assert 0 < small <= large, operation.name


def test_an_exponent_is_that_of_the_larger_half():
    steps = (250, 2_500, 25_000, 250_000, 2_500_000)
    with_constant = [(n, 0.05 + 1e-6 * n) for n in steps]
    assert exponent(with_constant) == pytest.approx(0.766, abs=0.001)
    assert exponent([(n, 1e-9 * n**1.5) for n in steps]) == pytest.approx(1.5)
    assert exponent([(n, 3.0 if n < 25_000 else 1e-6 * n**2) for n in steps]) == pytest.approx(2.0)
    assert exponent([(10, 1.0), (100, 100.0)]) == pytest.approx(2.0)
    assert math.isnan(exponent([(10, 1.0)]))


def test_what_a_call_takes_is_measured_apart_from_its_data():
    held = np.ones(10_000_000)

    def call():
        copies = held + held
        start = time.process_time()
        while time.process_time() - start < 0.3:
            pass
        return copies.sum()

    cost = measure_after(idle, call, idle, Bounds(20, 1_000), 1)
    assert cost.end == ""
    assert 0.3 <= cost.seconds < 1.0
    assert 70 < cost.megabytes < 100


def test_what_passes_a_limit_is_said():
    def endless():
        while True:
            pass

    def failing():
        raise csi.errors.SurveyError("No rows.")

    def too_large():
        return np.ones(200_000_000)

    bounds = Bounds(1, 500)
    assert measure(endless, idle, bounds).end == "time"
    assert measure(too_large, idle, bounds).end == "memory"
    assert measure(failing, idle, bounds).end == "SurveyError: No rows."
    assert measure_after(failing, idle, idle, bounds, 1).end == "build: SurveyError: No rows."
    assert measure_after(endless, idle, idle, bounds, 1).end == "build"


@pytest.mark.parametrize(
    ("costs", "marks"),
    [
        ([Cost(0.01, 1), Cost(0.1, 1), Cost(1.0, 1)], []),
        ([Cost(0.01, 1), Cost(0.1, 1), Cost(3.0, 1)], ["GROWS"]),
        ([Cost(0.0001, 1), Cost(0.001, 1), Cost(0.03, 1)], []),
        ([Cost(0.01, 10), Cost(0.1, 20), Cost(1.0, 400)], ["MEMORY"]),
        ([Cost(0.1, 1), Cost(0.1, 1), Cost(1.0, 1)], []),
        ([Cost(1.0, 1), Cost(10.0, 1), Cost(100.0, 1)], ["FLOOR"]),
        ([Cost(0.01, 1), Cost(end="time"), Cost(end="more")], ["LIMIT"]),
        ([Cost(0.01, 1), Cost(end="SurveyError: No."), Cost(end="more")], ["LIMIT"]),
    ],
)
def test_marks_say_what_grows_faster_than_its_work(costs, marks):
    operation = Operation("fit", idle, {"n": (1, 25_000)}, "4e-5*n")
    line = Line(operation, "n", Growth((250, 2_500, 25_000), tuple(costs)), RATES)
    assert line.marks == marks
    text = document([line], RATES, Bounds())
    assert all(mark in text.split("## n:")[1] for mark in marks)
    assert ("SurveyError: No." in text) == any("SurveyError" in cost.end for cost in costs)


def test_sizes_and_steps_are_those_of_the_axis():
    index = BY_NAME["index_scores"]
    assert steps_of(index, "n", False) == list(STEPS["n"])
    assert steps_of(index, "n", True) == [250, 2_500, 25_000]
    assert steps_of(BY_NAME["fit_multigroup"], "G", False) == [5, 10, 20, 40]
    assert steps_of(BY_NAME["fit_groups, PLS"], "G", False) == [10, 100, 1_000, 10_000]
    assert Task(index, "C", 20).size == Size(1_000, 60, 20, 4, 100)
    assert Task(index, "G", 1_000).size == Size(50_000, 24, 8, 1_000, 100)
    case = Case(Task(index, "C", 20).size, Path())
    assert len(case.model.items) == 60
    assert len(case.survey.data) == 1_000


SLOW = ("write_report", "plots.path_diagram", "compare_shapes", "analyze, by", "bootstrap, WLSMV")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(4))
def test_operations_run_on_small_data(tmp_path, part):
    """All but those that take longer than half a second together; the benchmark shows what fails."""
    operations = [operation for operation in OPERATIONS if operation.name not in SLOW][part::4]
    case = Case(Size(n=400, D=25), tmp_path)
    for operation in operations:
        for need in operation.needs:
            getattr(case, need)
        operation.call(case)


def test_every_benchmark_is_listed():
    folder = Path(__file__).parents[1] / "benchmarks"
    commands = {p.name for p in folder.glob("*.py") if "__main__" in p.read_text(encoding="utf-8")}
    commands |= {p.name for pattern in ("bench_*", "coverage_*") for p in folder.glob(pattern)}
    listed = (folder / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(commands) if f"benchmarks/{name}" not in listed] == []
