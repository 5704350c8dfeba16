"""How often intervals hold the truth, and how far estimates are from it, where it is known.

The populations are those of the benchmarks ``coverage_pls.py``, ``coverage_covariance.py``,
``coverage_index.py`` and ``coverage_corrected.py``, with fewer samples, so that the paper is built
in minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from inspect import signature
from pathlib import Path

import numpy as np

import csimodel as csi
from csimodel.formatting import number
from csimodel.simulate import Population, Replications
from manuscript.part import Part, Table

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
N = 400
SAMPLES = 200
RESAMPLES = 300
ML_SAMPLES = 1000
CLUSTER_SAMPLES = 200
SLOPE_BATCHES = 20
RELIABILITIES = (0.7, 0.8, 0.9)


def part() -> Part:
    """Compute the part: some minutes."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        numbers: dict[str, float] = {
            "n": N,
            "samples": SAMPLES,
            "resamples": RESAMPLES,
            "ml.samples": ML_SAMPLES,
            "cluster.samples": CLUSTER_SAMPLES,
            "slope.samples": 10 * SLOPE_BATCHES,
            "slope.mc.error": np.sqrt(0.95 * 0.05 / (10 * SLOPE_BATCHES)),
            **_populations(),
            "mc.error": np.sqrt(0.95 * 0.05 / SAMPLES),
            "ml.mc.error": np.sqrt(0.95 * 0.05 / ML_SAMPLES),
        }
        rows = []
        for key, name, kind, found in _replications():
            table = found.table
            numbers |= {
                f"{key}.coverage": table["coverage"].mean(),
                f"{key}.worst": table["coverage"].min(),
                f"{key}.bias": (table["bias"] / table["sd"]).mean(),
            }
            rows.append(
                [
                    name,
                    kind,
                    number(100 * table["coverage"].mean(), 1),
                    number(100 * table["coverage"].min(), 1),
                    number((table["bias"] / table["sd"]).mean(), 2),
                    number(100 * table["se_error"].mean(), 1),
                ]
            )
        head = ["Population and estimator", "Numbers", "Coverage %", "Lowest %", "Bias", "SE off %"]
        slopes, own = _slopes()
        clusters, other = _clusters()
        return Part(
            numbers | own | other,
            {"coverage": Table(head, rows, left=2), "slopes": slopes, "clusters": clusters},
        )
    finally:
        sys.path.remove(str(BENCHMARKS))


def _populations() -> dict[str, float]:
    """Return what the populations and their samples are like."""
    import coverage_corrected
    import coverage_covariance
    import coverage_index

    slopes = signature(coverage_corrected.of_respondents_at_once).parameters
    return {
        "items": len(coverage_covariance.MODEL.items),
        "constructs": len(coverage_covariance.MODEL.construct_names),
        "skewness": coverage_covariance.SKEWED.skewness,
        "kurtosis": coverage_covariance.SKEWED.kurtosis,
        "slope.n": slopes["rows"].default,
        "slope.draws": slopes["draws"].default,
        "cluster.icc": coverage_index.ICC,
    }


def _replications() -> Iterator[tuple[str, str, str, Replications]]:
    import coverage_covariance
    import coverage_pls

    corrected = csi.PLS(consistent=True)
    runs: list[tuple[str, str, Population, csi.PLS]] = [
        ("formed", "composites, PLS", coverage_pls.FORMED, csi.PLS()),
        ("plsc", "common factors, PLSc", coverage_pls.FACTORS, corrected),
        ("pls", "common factors, PLS", coverage_pls.FACTORS, csi.PLS()),
    ]
    for key, name, truth, estimator in runs:
        found = csi.simulate.replicate(
            truth,
            N,
            SAMPLES,
            estimator,
            rng=2026,
            quantities=["paths", "index"],
            resamples=RESAMPLES,
            interval="percentile",
            progress=False,
        )
        for quantity, kind in (("paths", "paths"), ("index", "index")):
            yield f"{key}.{quantity}", name, kind, found[quantity]
    truth = coverage_covariance.TRUTH
    skewed = replace(truth, shape=coverage_covariance.SKEWED)
    for key, name, population, estimator in (
        ("ml", "common factors, ML", truth, csi.ML()),
        ("ml.skewed", "skewed answers, ML", skewed, csi.ML()),
        ("mlr.skewed", "skewed answers, ML with robust errors", skewed, csi.ML(se="mlr")),
    ):
        found = csi.simulate.replicate(
            population, N, ML_SAMPLES, estimator, rng=2026, quantities=["paths"], progress=False
        )
        yield f"{key}.paths", name, "paths", found["paths"]


def _slopes() -> tuple[Table, dict[str, float]]:
    """Return bias and coverage of slopes of repurchase, by reliability and correction."""
    from coverage_corrected import SLOPE, of_respondents_at_once

    labels = {"naive": "none", "eiv": "errors in variables", "croon": "Croon"}
    rows, numbers = [], {"slope.truth": SLOPE, "slope.lowest": min(RELIABILITIES)}
    for reliability in RELIABILITIES:
        rng = np.random.default_rng(2026)
        tables = []
        for _ in range(SLOPE_BATCHES):
            tables += of_respondents_at_once(rng, reliability)
        for method, label in labels.items():
            own = np.array(
                [one.loc[method, ["average_marginal_effect", "lower", "upper"]] for one in tables],
                float,
            )
            bias = own[:, 0].mean() / SLOPE - 1
            covered = ((own[:, 1] <= SLOPE) & (own[:, 2] >= SLOPE)).mean()
            key = f"slope.{round(10 * reliability)}.{method}"
            numbers |= {f"{key}.bias": bias, f"{key}.coverage": covered}
            rows.append(
                [number(reliability, 1), label, number(100 * bias, 1), number(100 * covered, 1)]
            )
    return Table(["Reliability", "Correction", "Bias %", "Coverage %"], rows, left=2), numbers


def _clusters() -> tuple[Table, dict[str, float]]:
    """Return what intervals of the index hold with few clusters."""
    from coverage_index import coverage

    found = coverage(CLUSTER_SAMPLES)
    own = found[found["index of"] == "B"]
    rows = [
        [
            str(row["design"]),
            str(row["df"]),
            number(100 * row["coverage by t"], 1),
            number(100 * row["by the normal"], 1),
        ]
        for _, row in own.iterrows()
    ]
    numbers = {
        "cluster.t.lowest": found["coverage by t"].min(),
        "cluster.normal.lowest": found["by the normal"].min(),
    }
    return Table(["Design", "df", "Coverage by t %", "By the normal %"], rows), numbers
