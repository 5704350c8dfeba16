"""How often tests of overall fit and of predictive ability reject.

Run ``python benchmarks/coverage_prediction.py --write`` (one thread, 20 minutes): prints the table
and writes ``docs/coverage_prediction.md``. Answers are normal with correlations that the model
implies exactly, or that differ from them in a known way.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import common  # noqa: F401  one thread, before NumPy is loaded
import numpy as np
import pandas as pd

import csimodel as csi

DRAWS = 199
SAMPLES = 1_000
_PAGE = Path(__file__).parents[1] / "docs" / "coverage_prediction.md"
NAMES = ("A", "B", "C")
ITEMS = [f"{name.lower()}{k}" for name in NAMES for k in (1, 2, 3)]
WITHIN = np.array([[1.0, 0.5, 0.3], [0.5, 1.0, 0.4], [0.3, 0.4, 1.0]])
WEIGHTS = np.array([0.5, 0.4, 0.3])
LOADINGS = np.array([0.85, 0.75, 0.8])

_BELOW = """
What is outside .03 to .07 is the test of overall fit by PLSc, which rejects true factor models too
seldom, d_G least often; it comes nearer with more respondents. The quantile of a distance depends
on the parameters: loadings from mode A vary the more the weaker constructs correlate, and the
model that is resampled has the estimated correlations (`csi.overall_fit`, notes). That it does not
reject says little of fewer than 500 respondents. CVPAT compares models of which neither contains
the other: where one does, a difference of 0 is not what to expect.
"""

Rejections = Callable[[np.random.Generator], list[bool]]


def between(direct: float) -> np.ndarray:
    """Return correlations of A, B and C: A to B by .5, B to C by .5, A to C by `direct`."""
    ab = 0.5
    bc = 0.5 + direct * ab
    return np.array([[1.0, ab, direct + 0.5 * ab], [ab, 1.0, bc], [direct + 0.5 * ab, bc, 1.0]])


def population(kind: str, correlations: np.ndarray) -> np.ndarray:
    """Return item correlations of composites, or of common factors, (9, 9)."""
    if kind == "composite":
        w = WEIGHTS / np.sqrt(WEIGHTS @ WITHIN @ WEIGHTS)
        loadings, own = WITHIN @ w, WITHIN
    else:
        loadings = LOADINGS
        own = np.outer(loadings, loadings)
        own[np.diag_indices(3)] = 1.0
    whole = np.kron(correlations, np.outer(loadings, loadings))
    for k in range(3):
        whole[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] = own
    return whole


def sample(rng: np.random.Generator, cov: np.ndarray, n: int) -> pd.DataFrame:
    """Return normal answers."""
    values = rng.normal(size=(n, len(cov))) @ np.linalg.cholesky(cov).T
    return pd.DataFrame(values, columns=ITEMS)


def model(kind: str, paths: str) -> csi.Model:
    """Return a model of composites or of common factors."""
    sign = "<~" if kind == "composite" else "=~"
    blocks = [f"{n} {sign} {' + '.join(ITEMS[3 * k : 3 * k + 3])}" for k, n in enumerate(NAMES)]
    return csi.Model.from_syntax("\n".join([*blocks, paths]))


def fits(kind: str, n: int, direct: float = 0.0, crossed: float = 0.0) -> Rejections:
    """Return whether the estimated and the saturated model are rejected by SRMR and by d_G."""
    cov = population(kind, between(direct))
    cov[0, 3] += crossed
    cov[3, 0] += crossed
    own, estimator = model(kind, "B ~ A\nC ~ B"), csi.PLS(consistent=kind == "factor")

    def once(rng: np.random.Generator) -> list[bool]:
        fit = csi.fit(own, sample(rng, cov, n), estimator, progress=False)
        table = csi.overall_fit(fit, DRAWS, rng=rng, progress=False).table
        return list(table["p"].drop("d_uls", level="statistic") <= 0.05)

    return once


def ability(n: int, first: float, second: float) -> Rejections:
    """Return whether models of C by A and C by B are told apart, at 5 %, two-sided."""
    correlations = np.array([[1.0, 0.5, first], [0.5, 1.0, second], [first, second, 1.0]])
    cov = population("composite", correlations)
    whole = model("composite", "C ~ A + B")
    alone = [
        csi.Model(tuple(c for c in whole.constructs if c.name in ("C", name)), ((name, "C"),))
        for name in "AB"
    ]

    def once(rng: np.random.Generator) -> list[bool]:
        frame = sample(rng, cov, n)
        a, b = (csi.fit(own, frame, csi.PLS(modes="A"), progress=False) for own in alone)
        comparison = csi.cvpat(a, b, folds=10, repetitions=1, rng=rng)
        return [bool(comparison.table["p"].iloc[-1] <= 0.05)]

    return once


STATISTICS = [f"{m}, {s}" for m in ("paths as drawn", "saturated") for s in ("SRMR", "d_G")]
ROWS: list[tuple[str, Rejections, list[str]]] = [
    ("the model holds: composites (mode B), 200", fits("composite", 200), STATISTICS),
    ("the model holds: composites (mode B), 500", fits("composite", 500), STATISTICS),
    ("the model holds: common factors (PLSc), 200", fits("factor", 200), STATISTICS),
    ("the model holds: common factors (PLSc), 500", fits("factor", 500), STATISTICS),
    ("a path of .2 is left out: composites, 200", fits("composite", 200, 0.2), STATISTICS),
    ("a path of .2 is left out: common factors, 200", fits("factor", 200, 0.2), STATISTICS),
    ("two items share .15 more: composites, 200", fits("composite", 200, 0.0, 0.15), STATISTICS),
    ("two items share .15 more: common factors, 200", fits("factor", 200, 0.0, 0.15), STATISTICS),
    ("CVPAT, two models as good, not nested, 100", ability(100, 0.5, 0.5), ["t"]),
    ("CVPAT, two models as good, not nested, 250", ability(250, 0.5, 0.5), ["t"]),
    ("CVPAT, correlations .5 and .3 with C, 250", ability(250, 0.5, 0.3), ["t"]),
]


def shares(rejections: Rejections, samples: int, seed: int) -> np.ndarray:
    """Return shares of samples in which tests reject."""
    rng = np.random.default_rng(seed)
    return np.mean([rejections(rng) for _ in range(samples)], axis=0)


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--first", type=int, default=0, help="row to begin at; each has its seed")
    options = parser.parse_args()
    error = np.sqrt(0.05 * 0.95 / options.samples)
    lines = [
        "# Tests of overall fit and of predictive ability",
        "",
        f"Printed by `python benchmarks/coverage_prediction.py --write`: {options.samples}",
        f"samples a row, {DRAWS} draws a test of overall fit. Three constructs of three items, A",
        "to B to C by paths of .5; normal answers. Tests at 5 %: where the model holds, the share",
        "is the size, else the power. d_ULS and SRMR are one test. Monte Carlo error of .05:",
        f"{error:.4f}.",
        "",
        "| what, respondents | test | rejected |",
        "| --- | --- | --- |",
    ]
    print("\n".join(lines), flush=True)
    for k, (what, rejections, tests) in enumerate(ROWS):
        if k < options.first:
            continue
        for test, share in zip(tests, shares(rejections, options.samples, k + 1), strict=True):
            lines.append(f"| {what} | {test} | {share:.3f} |")
            print(lines[-1], flush=True)
    if options.write:
        _PAGE.write_text("\n".join(lines) + "\n" + _BELOW, encoding="utf-8")


if __name__ == "__main__":
    main()
