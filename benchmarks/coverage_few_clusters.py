"""How often intervals and tests of regressions on the index hold with few clusters.

Run ``python benchmarks/coverage_few_clusters.py --write`` (one thread, half an hour): prints the
tables and writes ``docs/few_clusters.md``. The index of customers of a firm and whatever else moves
their answers have a correlation of .1. Given the index, answers follow the fitted family exactly,
so that slopes and effects are known. The index itself is in ``coverage_index.py``.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import common  # noqa: F401  one thread, before NumPy is loaded
import numpy as np
import pandas as pd
from scipy.special import betaincinv, expit, ndtr

from csimodel.outcomes import (
    corrected_slopes,
    repurchase,
    repurchase_panel,
    repurchase_segments,
)
from csimodel.outcomes import repurchase_top_drop as top_drop
from csimodel.outcomes.kernels.families import OLS
from csimodel.outcomes.models.mixed.customers import Customers
from csimodel.outcomes.models.mixed.regression import mixed
from csimodel.outcomes.models.mixed.result import RepurchaseMixed

INTRACLASS = 0.1
SLOPE = 0.03
THRESHOLDS = np.array([-2.0, -0.7, 0.7, 2.0])
CUT = 3  # P(answer >= 4) is what counts
DISPERSION = 3.0
_PAGE = Path(__file__).parents[1] / "docs" / "few_clusters.md"

Covered = Callable[[np.random.Generator], list[bool]]


def shared(rng: np.random.Generator, cluster: np.ndarray | None, rows: int) -> np.ndarray:
    """Return standard normal values that are correlated within clusters."""
    own = rng.normal(size=rows)
    if cluster is None:
        return own
    of_cluster = rng.normal(size=int(cluster.max()) + 1)[cluster]
    return np.sqrt(INTRACLASS) * of_cluster + np.sqrt(1 - INTRACLASS) * own


def index_of(z: np.ndarray) -> np.ndarray:
    """Return index points from 0 to 100 from standard normal values."""
    return 100.0 * expit(0.4 + 0.9 * z)


def answers(family: str, index: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return outcomes of a family from a uniform chance of each respondent."""
    eta = SLOPE * (index - 60.0)
    if family == "logit":
        return (chance < expit(eta)) * 1.0
    if family == "ordered-logit":
        return 1.0 + (chance[:, None] < expit(eta[:, None] - THRESHOLDS)).sum(axis=1)
    mean = expit(eta)
    return np.asarray(betaincinv(DISPERSION * mean, DISPERSION * (1.0 - mean), chance))


def true_effect(family: str) -> float:
    """Return the average marginal effect in the population, by quadrature."""
    z = np.linspace(-9.0, 9.0, 20_001)
    density = np.exp(-0.5 * z**2)
    eta = SLOPE * (index_of(z) - 60.0)
    if family == "ordered-logit":
        eta = eta - THRESHOLDS[CUT - 1]
    p = expit(eta)
    return float(SLOPE * (density @ (p * (1.0 - p))) / density.sum())


def drawn(
    rng: np.random.Generator, family: str, rows: int, clusters: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return index, outcome and cluster of a sample."""
    cluster = None if clusters is None else np.arange(rows) % clusters
    x = index_of(shared(rng, cluster, rows))
    return x, answers(family, x, ndtr(shared(rng, cluster, rows))), cluster


def effect(family: str, rows: int, clusters: int | None) -> Covered:
    """Return whether the interval of an average marginal effect holds the truth."""
    truth = true_effect(family)
    options = {"scale": (1, 5), "cut": 4} if family == "ordered-logit" else {"scale": (0, 1)}

    def once(rng: np.random.Generator) -> list[bool]:
        x, y, cluster = drawn(rng, family, rows, clusters)
        found = repurchase(index=x, outcome=y, family=family, cluster=cluster, **options)
        table = found.average_marginal_effects.iloc[0]
        return [bool(table["lower"] <= truth <= table["upper"])]

    return once


def slope(clusters: int) -> Covered:
    """Return whether the interval of the slope of a logit holds the truth."""

    def once(rng: np.random.Generator) -> list[bool]:
        x, y, cluster = drawn(rng, "logit", 40 * clusters, clusters)
        found = repurchase(index=x, outcome=y, family="logit", cluster=cluster).slope
        return [found.lower <= SLOPE <= found.upper]

    return once


def corrected(clusters: int) -> Covered:
    """Return whether linearised intervals of slopes by errors in variables hold the truth.

    Of rows "naive", whose truth is the slope times the reliability, and "eiv".
    """
    reliability = 0.8

    def once(rng: np.random.Generator) -> list[bool]:
        cluster = np.arange(40 * clusters) % clusters
        true = shared(rng, cluster, len(cluster))
        index = 60.0 + 10.0 * (true + np.sqrt(1.0 / reliability - 1.0) * rng.normal(size=len(true)))
        outcome = 0.5 + 0.1 * SLOPE * true + 0.1 * shared(rng, cluster, len(cluster))
        table = corrected_slopes(
            index=index,
            outcome=outcome,
            reliability=reliability,
            methods=["naive", "eiv"],
            scale=(-1, 2),
            cluster=cluster,
            draws=0,
            progress=False,
        ).table
        truth = 0.01 * SLOPE / 3.0 * np.array([reliability, 1.0])
        return list((table["lower"] <= truth) & (truth <= table["upper"]))

    return once


def panel(firms: int) -> Covered:
    """Return whether intervals of a slope within firms over 6 periods hold the truth.

    By errors: "CR2", "cluster".
    """
    periods, truth = 6, 0.005
    firm, period = np.repeat(np.arange(firms), periods), np.tile(np.arange(periods), firms)

    def series(rng: np.random.Generator) -> np.ndarray:
        """Return values of every firm with a correlation of .5 from period to period."""
        found = rng.normal(size=(firms, periods))
        for k in range(1, periods):
            found[:, k] = 0.5 * found[:, k - 1] + np.sqrt(0.75) * found[:, k]
        return found.ravel()

    def once(rng: np.random.Generator) -> list[bool]:
        index = 60.0 + 5.0 * rng.normal(size=firms)[firm] + 4.0 * series(rng)
        again = 0.5 + truth * (index - 60.0) + 0.02 * series(rng)
        again += 0.03 * rng.normal(size=firms)[firm]
        table = pd.DataFrame({"firm": firm, "period": period, "index": index, "again": again})
        options = {"firm": "firm", "period": "period", "index": "index"}
        slopes = [
            repurchase_panel(table, "again", errors=errors, **options).slope
            for errors in ("CR2", "cluster")
        ]
        return [found.lower <= truth <= found.upper for found in slopes]

    return once


ERRORS = ("model", "CR2", "cluster")


def between(firms: int = 8, size: int = 30) -> Covered:
    """Return whether intervals of the slope between firms hold the truth, by kind of errors."""

    def once(rng: np.random.Generator) -> list[bool]:
        firm = np.repeat(np.arange(firms), size)
        x = index_of(shared(rng, firm, len(firm)))
        y = 0.2 + 0.005 * x + 0.25 * shared(rng, firm, len(firm))
        customers = Customers(y, x, np.empty((len(x), 0)), firm, None, np.arange(len(x)))
        held = []
        for errors in ERRORS:
            fitted = mixed(customers, False, errors)
            found = RepurchaseMixed(
                customers, fitted, OLS, "random-intercept", errors, "x", "y", "firm", (),
                tuple(map(str, range(firms))), None, 0.95, "percentile", (),
            ).between  # fmt: skip
            held.append(found.lower <= 0.005 <= found.upper)
        return held

    return once


def segments(clusters: int, count: int, nested: bool, curvature: bool, rows: int = 600) -> Covered:
    """Return whether equal curves of segments are kept at 5 %, test by test."""

    def once(rng: np.random.Generator) -> list[bool]:
        x, y, cluster = drawn(rng, "logit", rows, clusters)
        assert cluster is not None
        segment = cluster % count if nested else rng.integers(0, count, rows)
        found = repurchase_segments(
            index=x, outcome=y, by=pd.Series(segment).map(lambda s: f"s{s}"), family="logit",
            cluster=cluster, curvature=curvature,
        )  # fmt: skip
        return [bool(not p < 0.05) for p in found.tests["p"]]

    return once


def drops(clusters: int, count: int, nested: bool, rows: int = 900) -> Covered:
    """Return whether equal drops from the top are kept at 5 %."""

    def once(rng: np.random.Generator) -> list[bool]:
        cluster = np.arange(rows) % clusters
        segment = cluster % count if nested else rng.integers(0, count, rows)
        happy = 4.0 + (shared(rng, cluster, rows) > 0)
        again = (ndtr(shared(rng, cluster, rows)) < 0.6 + 0.2 * (happy - 4.0)) * 1.0
        frame = pd.DataFrame({"happy": happy, "again": again, "firm": cluster, "market": segment})
        found = top_drop(
            frame, satisfaction="happy", repurchase="again", by="market", cluster="firm", fewest=5
        )
        p = found.tests["p"].iloc[0]
        return [bool(not p < 0.05)]

    return once


def rows_of_table() -> Iterator[tuple[str, str, Covered, list[str]]]:
    """Yield "coverage" or "size", a name, what a sample shows, and names of its parts."""
    for family in ("ordered-logit", "fractional-logit", "logit"):
        name = f"average marginal effect, {family}"
        yield "coverage", f"{name}, 250 respondents", effect(family, 250, None), [""]
        yield "coverage", f"{name}, 10 clusters of 50", effect(family, 500, 10), [""]
    for clusters in (6, 10):
        yield "coverage", f"slope of a logit, {clusters} clusters of 40", slope(clusters), [""]
    parts = [", errors of the model (the default)", ', errors="CR2"', ', errors="cluster"']
    yield "coverage", "slope between of a mixed model, 8 firms of 30", between(), parts
    parts = [": naive (CR2)", ": errors in variables (CR1)"]
    for clusters in (8, 10):
        name = f"linearised slopes of least squares, {clusters} clusters of 40"
        yield "coverage", name, corrected(clusters), parts
    parts = [" (CR2, the default)", ', errors="cluster" (CR1)']
    for firms in (8, 10):
        yield "coverage", f"slope within {firms} firms of 6 periods", panel(firms), parts
    settings = (("across clusters", 10, 3), ("of own clusters", 18, 3), ("across clusters", 10, 2))
    for where, clusters, count in settings:
        name = f"curves of {count} segments {where}, {clusters} clusters"
        parts = [": slopes", ": bends", ": slopes and bends"]
        yield "size", name, segments(clusters, count, where == "of own clusters", True), parts
    for where, clusters, count in settings:
        name = f"drops from the top of {count} segments {where}, {clusters} clusters"
        yield "size", name, drops(clusters, count, where == "of own clusters"), [""]


def simulate(once: Covered, samples: int, seed: int = 2026) -> np.ndarray:
    """Return the share of samples in which each part held."""
    held = []
    for child in np.random.SeedSequence(seed).spawn(samples):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            held.append(once(np.random.default_rng(child)))
    return np.asarray(np.mean(held, axis=0))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--write", action="store_true", help="write docs/few_clusters.md")
    options = parser.parse_args()
    lines: dict[str, list[str]] = {"coverage": [], "size": []}
    for kind, name, once, parts in rows_of_table():
        for part, share in zip(parts, simulate(once, options.samples), strict=True):
            lines[kind].append(
                f"| {name}{part} | {share if kind == 'coverage' else 1 - share:.3f} |"
            )
            print(lines[kind][-1], flush=True)
    covered, sizes = ("\n".join(lines[kind]) for kind in ("coverage", "size"))
    chance = np.sqrt(0.95 * 0.05 / options.samples)
    page = f"""# Regressions on the index with few clusters

Printed by `python benchmarks/coverage_few_clusters.py --write`: {options.samples} samples a row;
customers of a firm share a tenth of the variance of their index and of what else moves their
answers (intra-class correlation .1). The index counts as known; its own intervals are in
`coverage_index.md`. Monte Carlo error of .95 and .05: {chance:.4f}.

Errors of clustered samples are CR2, limits t with Satterthwaite's degrees of freedom, tests
Hotelling's with those of the whole covariance (Bell and McCaffrey 2002; Pustejovsky and Tipton
2018); averages count that the respondents were drawn.

| 95 % intervals | coverage |
| --- | --- |
{covered}

| tests at 5 %, nothing differs | size |
| --- | --- |
{sizes}
"""
    if options.write:
        _PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
