"""How often intervals hold the truth, and how far estimates are from it, where it is known.

The populations are those of the benchmarks ``coverage_pls.py``, ``coverage_covariance.py``,
``coverage_index.py`` and ``coverage_corrected.py``, with fewer samples, so that the paper is built
in minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from inspect import signature
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

import csimodel as csi
from csimodel.estimators.solution import Estimator
from csimodel.formatting import number
from manuscript.part import Part, Table

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))  # populations of coverage

N = 400
SAMPLES = 200
RESAMPLES = 300
ML_SAMPLES = 1000
CLUSTER_SAMPLES = 200
SLOPE_BATCHES = 20
RELIABILITIES = (0.7, 0.8, 0.9)


def tasks() -> dict[str, Callable[[], object]]:
    """Return the work of the part by name, the longest first; each can be done by itself."""
    import coverage_index

    return {
        **{f"run.{key}": partial(_run, key) for key in RUNS},
        **{
            f"slope.{reliability}": partial(_slopes_at, reliability)
            for reliability in RELIABILITIES
        },
        **{f"cluster.{name}": partial(_coverage, name) for name in coverage_index.DESIGNS},
    }


def part(results: Mapping[str, object] | None = None) -> Part:
    """Compute the part: some minutes, less the `results` of its tasks that are there."""
    found = {name: work() for name, work in tasks().items()} if results is None else results
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
    for key, run in RUNS.items():
        for quantity, table in found[f"run.{key}"].items():
            numbers |= {
                f"{key}.{quantity}.coverage": table["coverage"].mean(),
                f"{key}.{quantity}.worst": table["coverage"].min(),
                f"{key}.{quantity}.bias": (table["bias"] / table["sd"]).mean(),
            }
            rows.append(
                [
                    run.name,
                    quantity,
                    number(100 * table["coverage"].mean(), 1),
                    number(100 * table["coverage"].min(), 1),
                    number((table["bias"] / table["sd"]).mean(), 2),
                    number(100 * table["se_error"].mean(), 1),
                ]
            )
    head = ["Population and estimator", "Numbers", "Coverage %", "Lowest %", "Bias", "SE off %"]
    slopes, own = _slopes({r: found[f"slope.{r}"] for r in RELIABILITIES})
    of_designs = [table for name, table in found.items() if name.startswith("cluster.")]
    clusters, other = _clusters(pd.concat(of_designs, ignore_index=True))
    return Part(
        numbers | own | other,
        {"coverage": Table(head, rows, left=2), "slopes": slopes, "clusters": clusters},
    )


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


class Run(NamedTuple):
    """Samples of a population, and what is estimated from them."""

    name: str
    population: str
    estimator: Estimator
    resamples: bool = False


RUNS = {
    "formed": Run("composites, PLS", "formed", csi.PLS(), True),
    "plsc": Run("common factors, PLSc", "factors", csi.PLS(consistent=True), True),
    "pls": Run("common factors, PLS", "factors", csi.PLS(), True),
    "ml": Run("common factors, ML", "normal", csi.ML()),
    "ml.skewed": Run("skewed answers, ML", "skewed", csi.ML()),
    "mlr.skewed": Run("skewed answers, ML with robust errors", "skewed", csi.ML(se="mlr")),
}


def _run(key: str) -> dict[str, pd.DataFrame]:
    """Return coverage and bias of the quantities of a run."""
    import coverage_covariance
    import coverage_pls

    truth = coverage_covariance.TRUTH
    populations = {
        "formed": coverage_pls.FORMED,
        "factors": coverage_pls.FACTORS,
        "normal": truth,
        "skewed": replace(truth, shape=coverage_covariance.SKEWED),
    }
    run = RUNS[key]
    quantities = ["paths", "index"] if run.resamples else ["paths"]
    drawn = {"resamples": RESAMPLES, "interval": "percentile"} if run.resamples else {}
    found = csi.simulate.replicate(
        populations[run.population],
        N,
        SAMPLES if run.resamples else ML_SAMPLES,
        run.estimator,
        rng=2026,
        quantities=quantities,
        progress=False,
        **drawn,
    )
    return {quantity: found[quantity].table for quantity in quantities}


def _slopes_at(reliability: float) -> list[pd.DataFrame]:
    """Return slopes by each correction in every sample at a reliability."""
    from coverage_corrected import of_respondents_at_once

    rng = np.random.default_rng(2026)
    return [
        table for _ in range(SLOPE_BATCHES) for table in of_respondents_at_once(rng, reliability)
    ]


def _slopes(found: Mapping[float, list[pd.DataFrame]]) -> tuple[Table, dict[str, float]]:
    """Return bias and coverage of slopes of repurchase, by reliability and correction."""
    from coverage_corrected import SLOPE

    labels = {"naive": "none", "eiv": "errors in variables", "croon": "Croon"}
    rows, numbers = [], {"slope.truth": SLOPE, "slope.lowest": min(RELIABILITIES)}
    for reliability, tables in found.items():
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


def _coverage(design: str) -> pd.DataFrame:
    """Return what intervals of the index hold under a design."""
    from coverage_index import coverage

    return coverage(CLUSTER_SAMPLES, (design,))


def _clusters(found: pd.DataFrame) -> tuple[Table, dict[str, float]]:
    """Return what intervals of the index hold with few clusters."""
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
