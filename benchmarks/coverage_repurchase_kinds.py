"""Coverage of 95 % intervals of repurchase over time, in panels and within firms.

python benchmarks/coverage_repurchase_kinds.py [samples]

Simulated samples with a known slope; the index is known, except in the last row, whose truth is
the slope of the estimated index in 100,000 respondents.
"""

import sys
from collections.abc import Callable

import numpy as np
import pandas as pd

import csimodel as csi
from csimodel.outcomes.models.duration.regression import cox_regression
from csimodel.outcomes.models.mixed.customers import Customers
from csimodel.outcomes.models.mixed.regression import mixed, population_averaged
from csimodel.outcomes.rows.sample import Sample


def time_errors(rng: np.random.Generator, clustered: bool) -> tuple[float, float, float]:
    """Return slope, error and truth of one Cox regression; firms share a hazard and an index."""
    n, firms = 600, 60
    firm = np.repeat(np.arange(firms), n // firms)
    shared = rng.normal(0, 8, firms)[firm] if clustered else 0.0
    x = np.clip(65 + shared + rng.normal(0, 14, n), 0, 100)
    life = rng.exponential(10 * np.exp(0.02 * (x - 65)))
    sample = Sample(
        np.minimum(life, 15.0), x[:, None], ("x",), ("x",), "t", np.arange(n), None, firm, ()
    )
    happened = (life < 15).astype(float)
    errors = "cluster" if clustered else "robust"
    found = cox_regression(sample, happened, None, None, efron=True, errors=errors)
    return float(found.coefficients[0]), float(np.sqrt(found.covariance[0, 0])), -0.02


def panel_slope(rng: np.random.Generator, firms: int) -> tuple[bool, float, float]:
    """Return whether the interval covers, slope and truth; errors of a firm move slowly."""
    periods = 8
    firm, period = np.repeat(np.arange(firms), periods), np.tile(np.arange(periods), firms)
    slow = np.cumsum(rng.normal(0, 1, (2, firms, periods)), axis=2).reshape(2, -1)
    a = rng.normal(0, 1, firms)[firm]
    x = 65 + 6 * a + 2 * slow[0]
    y = 0.15 + 0.0058 * x + 0.04 * a + 0.01 * period + 0.01 * slow[1]
    table = pd.DataFrame({"firm": firm, "period": period, "x": x.clip(0, 100), "y": y.clip(0, 1)})
    found = csi.outcomes.repurchase_panel(table, "y", firm="firm", period="period", index="x").slope
    return found.lower <= 0.0058 <= found.upper, float(found), 0.0058


def customers(rng: np.random.Generator) -> Customers:
    """Simulate 50 firms of 12 customers: slope .004 within, .0058 between."""
    firm = np.repeat(np.arange(50), 12)
    a = rng.normal(0, 8, 50)[firm]
    x = 60 + a + rng.normal(0, 10, 600)
    means = np.bincount(firm, x)[firm] / 12
    y = 0.2 + 0.0058 * means + 0.004 * (x - means) + rng.normal(0, 0.04, 50)[firm]
    y = y + rng.normal(0, 0.1, 600)
    return Customers(y, x, np.empty((600, 0)), firm, None, np.arange(600))


def chain(rng: np.random.Generator, n: int) -> tuple[csi.estimators.Fit, pd.DataFrame]:
    """Simulate respondents of one satisfaction with three items and a time to churn."""
    level = np.clip(65 + rng.normal(0, 12, n), 5, 95)
    items = {f"q{j}": level + rng.normal(0, 8, n) for j in range(4)}
    life = rng.exponential(10 * np.exp(0.025 * (level - 65)))
    data = pd.DataFrame(items).clip(0, 100).assign(months=np.minimum(life, 15), left=life < 15)
    named = {name: csi.Item(name, minimum=0, maximum=100) for name in items}
    blocks = [csi.composite("Satisfaction", ["q0", "q1", "q2"]), csi.composite("A", ["q3"])]
    model = csi.Model(blocks, [csi.Path("Satisfaction", "A")])
    return csi.fit(model, csi.Survey(data, named)), data


def main(samples: int) -> None:
    """Print the table."""
    z, rows = 1.959963984540054, {}
    for name, clustered in (("Cox, robust", False), ("Cox, 60 clusters", True)):
        rng = np.random.default_rng(1)
        drawn = np.array([time_errors(rng, clustered) for _ in range(samples)])
        inside = np.abs(drawn[:, 0] - drawn[:, 2]) <= z * drawn[:, 1]
        rows[name] = (inside.mean(), drawn[:, 0].mean(), drawn[0, 2])
    for firms in (15, 60):
        rng = np.random.default_rng(2)
        found = np.array([panel_slope(rng, firms) for _ in range(samples)])
        rows[f"panel, {firms} firms, two-way"] = tuple(found.mean(axis=0))
    from scipy.special import stdtrit

    wide = float(stdtrit(48, 0.975))
    fits: dict[str, Callable[[Customers], object]] = {
        "mixed": lambda c: mixed(c, False, "cluster"),
        "population-averaged": lambda c: population_averaged(c, "identity"),
    }
    for name, work in fits.items():
        rng, inside = np.random.default_rng(3), []
        for _ in range(max(samples // 4, 10)):
            found = work(customers(rng))
            se = np.sqrt(np.diagonal(found.covariance))
            inside.append([*(np.abs(found.coefficients[1:3] - [0.004, 0.0058]) <= wide * se[1:3]),
                           *found.coefficients[1:3]])  # fmt: skip
        mean = np.mean(np.array(inside, dtype=float), axis=0)
        rows[f"{name}, within"] = (mean[0], mean[2], 0.004)
        rows[f"{name}, between"] = (mean[1], mean[3], 0.0058)
    large, data = chain(np.random.default_rng(0), 100_000)
    options = {"kind": "churn", "progress": False}
    whole = csi.outcomes.repurchase_time(
        large, duration=data["months"], event=data["left"], **options
    )
    truth, rng, seen = float(whole.coefficients["estimate"].iloc[0]), np.random.default_rng(4), []
    for _ in range(max(samples // 4, 10)):
        fit, data = chain(rng, 400)
        boot = csi.bootstrap(fit, draws=400, rng=rng, progress=False)
        found = csi.outcomes.repurchase_time(
            fit, duration=data["months"], event=data["left"], bootstrap=boot, **options
        ).coefficients.iloc[0]
        seen.append((found["lower"] <= truth <= found["upper"], found["estimate"], truth))
    rows["Cox, whole chain"] = tuple(np.mean(np.array(seen, dtype=float), axis=0))
    table = pd.DataFrame(rows, ["coverage", "mean slope", "truth"]).T
    print(f"{samples} samples (a quarter for mixed models and the whole chain)")
    print(table.to_string(float_format="{:.5f}".format))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
