"""How often intervals of products of constructs hold the truth, and what tests of slopes find.

Run ``python benchmarks/coverage_moderation.py --write`` (one thread, some fifteen minutes): prints
the tables and writes ``docs/coverage_moderation.md``. Quality and Value correlate by .4 and are
normal, Satisfaction is explained by both and their product, each has three items. In a population
of composites they are weighted sums of their items, in one of factors items measure them with
error.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import common  # noqa: F401  one thread, before NumPy is loaded
import numpy as np
import pandas as pd
from coverage_index import markdown

import csimodel as csi
from csimodel.estimators import Fit
from csimodel.inference import FitErrors

PATHS = "Satisfaction ~ Quality + Value + Quality:Value"
BLOCKS = {"Quality": "q", "Value": "v", "Satisfaction": "s"}
LOADINGS = np.array([0.85, 0.8, 0.7])
WEIGHTS = np.array([0.5, 0.4, 0.3])
WITHIN = np.array([[1.0, 0.5, 0.3], [0.5, 1.0, 0.4], [0.3, 0.4, 1.0]])
LINEAR = (0.4, 0.3)  # paths of Quality and Value before Satisfaction is standardised
DISTURBANCE = 0.7  # its standard deviation
PRODUCT = 0.2
RESPONDENTS = (150, 300)
DRAWS = 399
CELLS = {
    "composites, PLS": ("composites", csi.PLS()),
    "factors, PLSc": ("factors", csi.PLS(consistent=True)),
    "factors, PLS": ("factors", csi.PLS()),
}
_PAGE = Path(__file__).parents[1] / "docs" / "coverage_moderation.md"


def model(population: str) -> csi.Model:
    """Return the model of a population."""
    sign = "<~" if population == "composites" else "=~"
    blocks = [f"{name} {sign} {key}1 + {key}2 + {key}3" for name, key in BLOCKS.items()]
    return csi.Model.from_syntax("\n".join([*blocks, PATHS]))


def scale(linear: tuple[float, float], product: float) -> float:
    """Return the standard deviation of Satisfaction."""
    a, b = linear
    return float(np.sqrt(a * a + b * b + 0.8 * a * b + 1.16 * product**2 + DISTURBANCE**2))


def answers(
    rng: np.random.Generator, n: int, population: str, linear: tuple[float, float], product: float
) -> pd.DataFrame:
    """Return answers of n respondents."""
    quality = rng.normal(size=n)
    value = 0.4 * quality + np.sqrt(0.84) * rng.normal(size=n)
    satisfaction = linear[0] * quality + linear[1] * value + product * (quality * value - 0.4)
    satisfaction = satisfaction + DISTURBANCE * rng.normal(size=n)
    constructs = (quality, value, satisfaction / scale(linear, product))
    columns = {}
    for key, score in zip(BLOCKS.values(), constructs, strict=True):
        if population == "factors":
            items = np.outer(score, LOADINGS) + rng.normal(size=(n, 3)) * np.sqrt(1 - LOADINGS**2)
        else:
            weights = WEIGHTS / np.sqrt(WEIGHTS @ WITHIN @ WEIGHTS)
            loadings = WITHIN @ weights
            rest = WITHIN - np.outer(loadings, loadings)
            values, vectors = np.linalg.eigh(rest)
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            items = np.outer(score, loadings) + rng.normal(size=(n, 3)) @ root.T
        columns |= {f"{key}{k + 1}": items[:, k] for k in range(3)}
    return pd.DataFrame(columns)


def fits(
    cell: str, n: int, samples: int, linear: tuple[float, float], product: float, seed: int
) -> Iterator[tuple[Fit, dict[str, FitErrors]]]:
    """Yield fits of samples with their errors by draws and linearised."""
    population, estimator = CELLS[cell]
    specification, rng = model(population), np.random.default_rng([seed, n])
    for number in range(samples):
        frame = answers(rng, n, population, linear, product)
        fit = csi.fit(specification, frame, estimator)
        boot = csi.bootstrap(fit, draws=DRAWS, rng=number, progress=False)
        yield fit, {"percentile": boot, "linearised": csi.linearize(fit)}


def coverage(samples: int) -> pd.DataFrame:
    """Return bias and coverage of the path of the product."""
    rows = []
    truth = PRODUCT / scale(LINEAR, PRODUCT)
    for cell in CELLS:
        for n in RESPONDENTS:
            tables = {"percentile": [], "linearised": []}
            for _, errors in fits(cell, n, samples, LINEAR, PRODUCT, 2026):
                for kind, source in errors.items():
                    interval = kind if kind == "percentile" else "auto"
                    table = source.table("paths", interval=interval)
                    tables[kind].append(table.loc[("Satisfaction", "Quality:Value")])
            for kind, own in tables.items():
                table = pd.DataFrame(own)[["estimate", "se", "lower", "upper"]].astype(float)
                held = (table["lower"] <= truth) & (truth <= table["upper"])
                rows.append(
                    {
                        "population, estimator": cell,
                        "respondents": n,
                        "interval": kind,
                        "bias / truth": table["estimate"].mean() / truth - 1.0,
                        "median se / spread": table["se"].median() / table["estimate"].std(),
                        "coverage": held.mean(),
                    }
                )
    return pd.DataFrame(rows)


def sizes(samples: int) -> pd.DataFrame:
    """Return how often slopes that are zero have a p-value below .05."""
    cases = {
        "slope at Value + 1 SD": ((PRODUCT, LINEAR[1]), -PRODUCT, lambda own: own.table.iloc[2]),
        "change of the slope": (LINEAR, 0.0, lambda own: own.products.iloc[0]),
    }
    rows = []
    n = RESPONDENTS[-1]
    for cell in list(CELLS)[:2]:
        for name, (linear, product, row) in cases.items():
            below = {"percentile": 0, "linearised": 0}
            for fit, errors in fits(cell, n, samples, linear, product, 2027):
                for kind, source in errors.items():
                    slopes = csi.simple_slopes(
                        fit, "Satisfaction", "Quality", at="Value", bootstrap=source
                    )
                    below[kind] += float(row(slopes)["p"]) < 0.05
            rows.append(
                {
                    "population, estimator": cell,
                    "respondents": n,
                    "zero": name,
                    **{f"size, {kind}": count / samples for kind, count in below.items()},
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--write", action="store_true", help="write docs/coverage_moderation.md")
    options = parser.parse_args()
    chance = np.sqrt(0.95 * 0.05 / options.samples)
    truth = PRODUCT / scale(LINEAR, PRODUCT)
    page = f"""# Intervals of products of constructs, and tests of simple slopes

Printed by `python benchmarks/coverage_moderation.py --write`: {options.samples} samples a cell,
the Monte Carlo error of .95 and .05 is {chance:.4f}. Quality and Value are normal and correlate
by .4; Satisfaction is explained by both and by their product, {truth:.3f} a unit of it. In the
population of composites each construct is a weighted sum of its three items (`<~`), in that of
factors items measure it with loadings of .85, .80 and .70 (`=~`).

95 % intervals of the path of `Quality:Value`: percentiles of {DRAWS} draws, and limits by t with
linearised errors. Of factors the scores of `PLS()` have errors, so that the path of their product
is nearer zero than that of the constructs; `PLS(consistent=True)` corrects it.

{markdown(coverage(options.samples))}

`csi.simple_slopes` where nothing is there: how often p is below .05 for the slope of Quality one
standard deviation above the mean of Value, which is zero in these populations (path -.2 of the
product beside .2 of Quality), and for the change of the slope where there is no product.

{markdown(sizes(options.samples))}
"""
    print(page)
    if options.write:
        _PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
