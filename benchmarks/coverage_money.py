"""What a point of a driver is worth, on simulated truth: bias and coverage of the money chain.

    python benchmarks/coverage_money.py [--samples 2000] [--draws 399] [--write docs/money_chain.md]
        [--only NAME ...]

Latent variables give answers from 1 to 10 and repurchase through the latent satisfaction. The
truth is computed on a population of a million, by raising the latent driver of everybody so far
that its index rises by one point on average. Everything runs through the public functions on one
thread.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr

import csimodel as csi
from csimodel.estimators.points import point_weights
from csimodel.outcomes.money import Economics, profits_of_drivers
from csimodel.outcomes.money.value import lifetime_values

DRIVERS = ("Quality", "Value", "Image")
MODEL = csi.Model.from_syntax(
    "Quality =~ q1 + q2 + q3\nValue =~ v1 + v2 + v3\nImage =~ i1 + i2 + i3\n"
    "Satisfaction =~ s1 + s2 + s3\nSatisfaction ~ Quality + Value + Image\nValue ~ Quality"
)
TERMS = Economics(
    margin=100, currency="EUR", period="year", discount_rate=0.1, customers=1_000, purchases=1.0
)


@dataclass(frozen=True)
class Truth:
    """A population.

    Attributes
    ----------
    name
        What the table calls it.
    loadings
        Of each construct's three items.
    outcome
        ``"binary"``, or ``"rating"`` from 0 to 10.
    centre
        Mean of the answers before they are rounded and kept to 1 to 10.
    purchases
        Occasions in a period.
    """

    name: str
    loadings: tuple[float, float, float] = (0.85, 0.8, 0.75)
    outcome: str = "binary"
    centre: float = 6.0
    purchases: float = 1.0

    @property
    def terms(self) -> Economics:
        """The terms of trade."""
        return replace(TERMS, purchases=self.purchases)


TRUTHS = (
    Truth("reliable items, bought or not"),
    Truth("reliable items, likelihood from 0 to 10", outcome="rating"),
    Truth("poor items, bought or not", loadings=(0.75, 0.65, 0.6)),
    Truth("reliable items, four purchases a period", purchases=4.0),
    Truth("satisfied customers, answers near the top", centre=7.5),
)
SD = 1.7  # of an answer
PATHS = {"Quality": 0.5, "Value": 0.3, "Image": 0.0}  # to satisfaction; Image moves nothing


def latents(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Return latent variables of variance 1; Image goes with Quality and moves nothing."""
    quality = rng.standard_normal(rows)
    image = 0.6 * quality + 0.8 * rng.standard_normal(rows)
    value = 0.5 * quality + np.sqrt(0.75) * rng.standard_normal(rows)
    moved = PATHS["Quality"] * quality + PATHS["Value"] * value
    left = 1.0 - (0.25 + 0.09 + 2 * 0.5 * 0.3 * 0.5)
    satisfaction = moved + np.sqrt(left) * rng.standard_normal(rows)
    return {"Quality": quality, "Value": value, "Image": image, "Satisfaction": satisfaction}


def probability(truth: Truth, satisfaction: np.ndarray) -> np.ndarray:
    """Return the probability of repurchase at a latent satisfaction."""
    base = 0.9 if truth.purchases == 1 else 2.2
    return expit(base + 0.8 * satisfaction)


def survey(rng: np.random.Generator, truth: Truth, rows: int) -> pd.DataFrame:
    """Return answers from 1 to 10 and repurchase."""
    found, columns = latents(rng, rows), {}
    for name, items in MODEL.blocks.items():
        for item, loading in zip(items, truth.loadings, strict=True):
            noise = np.sqrt(1.0 - loading**2) * rng.standard_normal(rows)
            answer = truth.centre + SD * (loading * found[name] + noise)
            columns[item] = np.clip(np.rint(answer), 1, 10)
    p = probability(truth, found["Satisfaction"])
    if truth.outcome == "binary":
        columns["again"] = (rng.random(rows) < p) * 1.0
    else:
        columns["again"] = rng.binomial(10, p) * 1.0
    return pd.DataFrame(columns)


@cache
def true_worth(truth: Truth) -> dict[str, float]:
    """Return the worth of one index point of each driver, in a population of a million."""
    rng = np.random.default_rng(11)
    sample = survey(rng, truth, 200_000)
    fit = csi.fit(MODEL, csi.read_survey(sample[list(MODEL.items)], scale=(1, 10)))
    weights = point_weights(fit.solution).reshape(-1, 3)
    found = latents(rng, 1_000_000)
    total = {"Quality": 0.5 + 0.5 * 0.3, "Value": 0.3, "Image": 0.0}
    now = _value(truth, found["Satisfaction"])
    worth = {}
    for j, name in enumerate(MODEL.construct_names):
        if name not in DRIVERS:
            continue
        tiny = 0.02  # of a latent standard deviation; a point is then a multiple of it
        rise = (
            _expected_index(truth, found[name] + tiny, weights[j])
            - _expected_index(truth, found[name] - tiny, weights[j])
        ).mean() / (2.0 * tiny)
        after = found["Satisfaction"] + total[name] / rise
        worth[name] = float((_value(truth, after) - now).mean()) * truth.terms.customers
    return worth


def _value(truth: Truth, satisfaction: np.ndarray) -> np.ndarray:
    kept = truth.terms.retention(probability(truth, satisfaction))
    return lifetime_values(kept, truth.terms)


def _expected_index(truth: Truth, latent: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the expected index at a latent value, over the noise of the answers, in points."""
    index = np.zeros_like(latent)
    for loading, weight in zip(truth.loadings, weights, strict=True):
        centre, spread = truth.centre + SD * loading * latent, SD * np.sqrt(1.0 - loading**2)
        above = sum(1.0 - ndtr((cut - centre) / spread) for cut in np.arange(1.5, 10.0))
        index += weight * above / 9.0 * 100.0
    return index


def estimate(
    rng: np.random.Generator, truth: Truth, rows: int, draws: int
) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Return estimate and 95 % limits of every driver, with error corrected and ignored."""
    frame = survey(rng, truth, rows)
    outcome = frame.pop("again")
    scale = (0.0, 1.0) if truth.outcome == "binary" else (0.0, 10.0)
    fit = csi.fit(MODEL, csi.read_survey(frame, scale=(1, 10)))
    boot = csi.bootstrap(fit, draws=draws, rng=rng, progress=False)
    rep = csi.repurchase(fit, outcome.rename("again"), scale=scale, bootstrap=boot, progress=False)
    found = {}
    for driver, worth in profits_of_drivers(boot, rep, DRIVERS, truth.terms).items():
        table = worth.side_by_side
        for kind in ("corrected", "ignored"):
            # without an admissible solution there is one number, which a user would see
            row = worth.table.iloc[-1] if table is None else table.loc[kind]
            found[driver, kind] = tuple(float(row[c]) for c in ("estimate", "lower", "upper"))
    return found


def cell(truth: Truth, rows: int, samples: int, draws: int, seed: int = 5) -> pd.DataFrame:
    """Return truth, mean, coverage and how often 0 is excluded, by driver and kind."""
    worth = true_worth(truth)
    every: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for sample in range(samples):
        rng = np.random.default_rng([seed, sample, rows])
        for key, numbers in estimate(rng, truth, rows, draws).items():
            every.setdefault(key, []).append(numbers)
    table = []
    for (driver, kind), numbers in every.items():
        value, lower, upper = np.array(numbers).T
        goal = worth[driver]
        table.append(
            {
                "respondents": rows,
                "driver": driver,
                "measurement error": kind,
                "truth": goal,
                "mean": value.mean(),
                "median": np.median(value),
                "bias %": 100.0 * (value.mean() / goal - 1.0) if goal else np.nan,
                "covered %": 100.0 * ((lower <= goal) & (goal <= upper)).mean(),
                "0 excluded %": 100.0 * ((lower > 0) | (upper < 0)).mean(),
                "samples": samples,
            }
        )
    return pd.DataFrame(table)


def markdown(table: pd.DataFrame) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(table.columns) + " |", "|" + " --- |" * len(table.columns)]
    for row in table.itertuples(index=False):
        cells = [
            ("" if np.isnan(value) else f"{value:,.1f}") if isinstance(value, float) else str(value)
            for value in row
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=399)
    parser.add_argument("--rows", type=int, nargs="*", default=(1000, 300))
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--write", type=Path, default=None)
    chosen = parser.parse_args()
    warnings.simplefilter("error")
    parts = []
    for truth in TRUTHS:
        if chosen.only and not any(word in truth.name for word in chosen.only):
            continue
        start = time.perf_counter()
        table = pd.concat([cell(truth, rows, chosen.samples, chosen.draws) for rows in chosen.rows])
        parts.append(f"### {truth.name.capitalize()}\n\n{markdown(table)}\n")
        print(parts[-1], f"\n{(time.perf_counter() - start) / 60:.1f} minutes.\n", flush=True)
    if chosen.write is not None:
        text = chosen.write.read_text(encoding="utf-8")
        head, mark, _ = text.partition("<!-- by benchmarks/coverage_money.py -->\n")
        chosen.write.write_text(head + mark + "\n" + "\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
