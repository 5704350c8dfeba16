"""How often 95 % bootstrap intervals of PLS hold the truth.

Run ``python benchmarks/coverage_pls.py`` (one thread, a minute or two). Two populations of the
reduced ECSI of ``coverage_covariance.py``, n = 400: one in which the constructs are composites,
estimated by PLS (mode B), and one in which they are common factors, estimated by PLSc, and by PLS
without correction to show what that does.

coverage   mean share of intervals that hold the true value, over the entries of a quantity
worst      the smallest such share, and whose
bias       mean of (mean estimate - truth) in standard deviations of the estimate
se error   mean of (mean bootstrap standard error / standard deviation of the estimates - 1)
"""

import argparse
import time

import common  # noqa: F401  one thread, before NumPy is loaded
import numpy as np
from coverage_covariance import LOADINGS, MODEL, PATHS

import csimodel as csi
from csimodel.simulate import replicate

ANSWERS = {"mean": 7.0, "sd": 2.0, "scale": (1, 10), "rounded": False}
COMPOSITES = csi.Model.from_syntax(str(MODEL).replace("=~", "<~"))
WEIGHTS = {
    "Image": [3, 2, 4],
    "Quality": [4, 3, 5],
    "Value": [5, 4],
    "Satisfaction": [5, 4, 3],
    "Loyalty": [4, 2, 3],
}
FACTORS = csi.simulate.population(MODEL, paths=PATHS, loadings=LOADINGS, **ANSWERS)
FORMED = csi.simulate.population(COMPOSITES, paths=PATHS, weights=WEIGHTS, within=0.6, **ANSWERS)
RUNS = [
    ("composites, PLS mode B", FORMED, csi.PLS(), ["paths", "total_effects", "r2", "index"]),
    (
        "common factors, PLSc",
        FACTORS,
        csi.PLS(consistent=True),
        ["paths", "loadings", "total_effects", "r2", "index"],
    ),
    ("common factors, PLS uncorrected", FACTORS, csi.PLS(), ["paths", "loadings", "index"]),
]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--n", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=500)
    options = parser.parse_args()
    chance = np.sqrt(0.95 * 0.05 / options.samples)
    print(
        f"{options.samples} samples of n = {options.n}, {options.resamples} resamples each; "
        f"Monte Carlo error of a coverage of .95: {chance:.4f}\n"
    )
    print(
        "| population, estimator | quantity | interval | coverage | worst | of | bias | se error "
        "| lost |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    start = time.process_time()
    for name, truth, estimator, quantities in RUNS:
        for interval in ("percentile", "bca"):
            found = replicate(
                truth,
                options.n,
                options.samples,
                estimator,
                rng=2026,
                quantities=quantities,
                resamples=options.resamples,
                interval=interval,
            )
            for quantity in quantities:
                own = found[quantity]
                table = own.table
                worst = table["coverage"].idxmin()
                label = " ← ".join(worst) if isinstance(worst, tuple) else str(worst)
                print(
                    f"| {name} | {quantity} | {interval} | {table['coverage'].mean():.4f} | "
                    f"{table['coverage'].min():.3f} | {label} | "
                    f"{(table['bias'] / table['sd']).mean():+.3f} | "
                    f"{table['se_error'].mean():+.3f} | {int(own.failed.sum())} |",
                    flush=True,
                )
    print(f"\n{time.process_time() - start:.0f} s of processor time.")


if __name__ == "__main__":
    main()
