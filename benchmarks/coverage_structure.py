"""How often tetrads and necessary conditions are found where there are none, and where there are.

Run ``python benchmarks/coverage_structure.py --write`` (one thread, some fifteen minutes): prints
the table and writes ``docs/coverage_structure.md``. With ``--keep FILE`` each row is written to a
file as soon as it is done and not made again, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import common  # noqa: F401  one thread, before NumPy is loaded
import numpy as np
import pandas as pd

import csimodel as csi
from csimodel.assessment import necessary_conditions, tetrads

SAMPLES = 1_000
DRAWS = 199  # draws of a bootstrap, and permutations
LOADINGS = np.array([0.85, 0.8, 0.75, 0.7, 0.8, 0.75])
CUTS = (-1.2, -0.8, -0.3, 0.4)  # of answers in five categories, most of them high
_PAGE = Path(__file__).parents[1] / "docs" / "coverage_structure.md"

_BELOW = """
Six items have nine tetrads that hang together, so that limits for all of them (Bonferroni) are
wide. What is outside .03 to .07 otherwise is the test of necessary conditions with weights by PLS:
weights of a driver and a target that nothing else holds are those by which their scores correlate
most in this sample, permuted scores have no such weights, and so the test finds too much, the more
the fewer respondents. With equal weights it has its size, and where driver and target each have
another construct to be weighed by.
"""

Rejections = Callable[[np.random.Generator], list[bool] | None]
Row = tuple[list[float], int]


def model(items: int) -> csi.Model:
    """Return a construct A of some items that leads to a construct B of three."""
    first = " + ".join(f"a{k + 1}" for k in range(items))
    return csi.Model.from_syntax(f"A =~ {first}\nB =~ b1 + b2 + b3\nB ~ A")


def answers(
    rng: np.random.Generator, n: int, items: int, shared: float = 0.0, path: float = 0.5
) -> pd.DataFrame:
    """Return normal answers: A and B are factors, the first two items of A share `shared` more."""
    a = rng.normal(size=n)
    b = path * a + np.sqrt(1.0 - path**2) * rng.normal(size=n)
    loadings = LOADINGS[:items]
    rest = np.diag(1.0 - loadings**2)
    rest[0, 1] = rest[1, 0] = shared
    first = np.outer(a, loadings) + rng.normal(size=(n, items)) @ np.linalg.cholesky(rest).T
    second = np.outer(b, LOADINGS[:3]) + rng.normal(size=(n, 3)) * np.sqrt(1.0 - LOADINGS[:3] ** 2)
    columns = [*(f"a{k + 1}" for k in range(items)), "b1", "b2", "b3"]
    return pd.DataFrame(np.hstack([first, second]), columns=columns)


def vanishing(
    n: int,
    items: int,
    shared: float = 0.0,
    drawn: bool = False,
    categories: bool = False,
) -> Rejections:
    """Return whether it is rejected that the items of A reflect one factor."""
    own = model(items)

    def once(rng: np.random.Generator) -> list[bool]:
        frame = answers(rng, n, items, shared)
        if categories:
            frame = frame.apply(lambda column: np.digitize(column, CUTS) + 1)
        fit = csi.fit(own, frame, progress=False)
        draws = csi.bootstrap(fit, DRAWS, rng, progress=False) if drawn else None
        return [tetrads(fit, draws).verdicts["A"] == "rejected"]

    return once


def necessary(n: int, modes: str, ceiling: float | None = None, held: bool = False) -> Rejections:
    """Return whether p of either ceiling is at most .05 for A as a condition of B.

    Where there is a ceiling B is at most A plus that number, else they are independent; where
    they are `held`, A explains a construct C, and B a construct D, by .5.
    """
    own = model(3)
    if held:
        thirds = "C =~ c1 + c2 + c3\nD =~ d1 + d2 + d3\nC ~ A\nD ~ B"
        own = csi.Model.from_syntax(f"{own.to_syntax()}\n{thirds}")

    def once(rng: np.random.Generator) -> list[bool] | None:
        if ceiling is None and held:
            first, second = answers(rng, n, 3), answers(rng, n, 3)
            first.columns = ["a1", "a2", "a3", "c1", "c2", "c3"]
            second.columns = ["b1", "b2", "b3", "d1", "d2", "d3"]
            frame = pd.concat([first, second], axis=1)
        elif ceiling is None:
            frame = answers(rng, n, 3, path=0.0)
        else:
            a = rng.normal(size=n)
            b = np.minimum(rng.normal(size=n), a + ceiling)
            noise = rng.normal(size=(n, 6)) * 0.3
            values = np.repeat(np.column_stack([a, b]), 3, axis=1) + noise
            frame = pd.DataFrame(values, columns=list(own.items))
        fit = csi.fit(own, frame, csi.PLS(modes=modes), progress=False)
        if not fit.converged:
            return None
        table = necessary_conditions(fit, "B", DRAWS, rng, progress=False).table
        return list(table["p"] <= 0.05)

    return once


TETRADS = ["0 outside the limits of a tetrad"]
CEILINGS = ["CE-FDH", "CR-FDH"]
ROWS: dict[str, tuple[Rejections, list[str]]] = {
    "one factor, 4 items, 100": (vanishing(100, 4), TETRADS),
    "one factor, 4 items, 250": (vanishing(250, 4), TETRADS),
    "one factor, 6 items (9 tetrads), 250": (vanishing(250, 6), TETRADS),
    f"one factor, 4 items, 250, by {DRAWS} draws": (vanishing(250, 4, drawn=True), TETRADS),
    "two items share .15 more, 4 items, 250": (vanishing(250, 4, shared=0.15), TETRADS),
    "A and B independent, equal weights, 100": (necessary(100, "unit"), CEILINGS),
    "A and B independent, equal weights, 250": (necessary(250, "unit"), CEILINGS),
    "A and B independent, weights by PLS, 100": (necessary(100, "A"), CEILINGS),
    "A and B independent, weights by PLS, 250": (necessary(250, "A"), CEILINGS),
    "B is at most A + .5, weights by PLS, 100": (necessary(100, "A", ceiling=0.5), CEILINGS),
    "one factor, 4 items, 500, five categories as numbers": (
        vanishing(500, 4, categories=True), TETRADS,
    ),
    "A and B independent, either with an effect of .5, weights by PLS, 100": (
        necessary(100, "A", held=True), CEILINGS,
    ),
}  # fmt: skip


def shares(rejections: Rejections, samples: int, seed: int) -> Row:
    """Return shares of samples in which tests reject, and how many samples have no solution."""
    rng = np.random.default_rng([2026, seed])
    outcomes = [rejections(rng) for _ in range(samples)]
    solved = [own for own in outcomes if own is not None]
    return np.mean(solved, axis=0).tolist(), samples - len(solved)


def known(path: Path | None) -> dict[str, Row]:
    """Return the rows that an earlier run kept."""
    if path is None or not path.exists():
        return {}
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {what: (own, lost) for what, own, lost in lines}


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--keep", type=Path, help="file with the rows of an earlier run")
    options = parser.parse_args()
    error = np.sqrt(0.05 * 0.95 / options.samples)
    lines = [
        "# Tetrads and necessary conditions",
        "",
        f"Printed by `python benchmarks/coverage_structure.py --write`: {options.samples} samples",
        f"a row; tests at 5 %. Monte Carlo error of .05: {error:.4f}. A, of three to six items,",
        "and B, of three, are normal factors that correlate by .5 where nothing else is said.",
        "Tetrads by `csi.assessment.tetrads` with linearised errors, or those of draws: whether 0",
        "is outside the limits of a tetrad of A at the level of all of them together (Bonferroni),",
        "so that below 5 % is what to expect. Necessary conditions by",
        f"`csi.assessment.necessary_conditions`: p of A for B from {DRAWS} permutations.",
        "",
        "| what, respondents | test | rejected |",
        "| --- | --- | --- |",
    ]
    print("\n".join(lines), flush=True)
    before = known(options.keep)
    for seed, (what, (rejections, tests)) in enumerate(ROWS.items()):
        start = time.process_time()
        if what not in before:
            before[what] = shares(rejections, options.samples, seed)
            if options.keep is not None:
                with options.keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([what, *before[what]]) + "\n")
        own, lost = before[what]
        without = f" ({lost} samples without a solution left out)" if lost else ""
        for test, share in zip(tests, own, strict=True):
            lines.append(f"| {what}{without} | {test} | {share:.3f} |")
            print(lines[-1], f"{time.process_time() - start:.0f} s", flush=True)
    if options.write:
        _PAGE.write_text("\n".join(lines) + "\n" + _BELOW, encoding="utf-8")


if __name__ == "__main__":
    main()
