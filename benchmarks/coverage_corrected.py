"""Coverage of corrected slopes on simulated truth: a point of the true index is worth 0.0058.

    python benchmarks/coverage_corrected.py [respondents] [batched] [sem] [firms] [survey] [logit]
        [--samples 1000] [--reliability 0.7 0.8 0.9 0.95]

Every line is a cell of at least 1,000 samples. `bias` is the mean estimate less the truth, in
percent of the truth; `covered` the share of 95 % intervals that hold the truth, with its simulation
error about 0.7 points; `theory` what the naive slope's bias has to be, reliability - 1. Everything
runs through the public functions on one thread, `batched` and `sem` alone through the array
kernels.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
import pandas as pd

import csimodel as csi
from csimodel.estimators import Solution
from csimodel.estimators.points import point_weights
from csimodel.inference import interval_of
from csimodel.outcomes.measurement_error.croon import croon_slopes
from csimodel.outcomes.measurement_error.errors_in_variables import moved_slopes
from csimodel.outcomes.measurement_error.item_moments import ItemMoments
from csimodel.outcomes.measurement_error.latent import latent_slopes
from csimodel.outcomes.measurement_error.omega import index_omega
from csimodel.outcomes.measurement_error.simex import extrapolated, least_squares_curve

SLOPE = 0.0058
SD = 8.0  # of the true index, points
RELIABILITIES = (0.7, 0.8, 0.9, 0.95)
MODEL = csi.Model.from_syntax(
    "Quality =~ q1 + q2 + q3\nSatisfaction =~ s1 + s2 + s3\nSatisfaction ~ Quality"
)
SCALE = (0.0, 1000.0)


def answers(rng: np.random.Generator, latent: np.ndarray, reliability: float) -> pd.DataFrame:
    """Return answers to both constructs; the mean of s1 to s3 has the reliability."""
    of_item = reliability / (3.0 - 2.0 * reliability)
    noise = np.sqrt(1.0 / of_item - 1.0)
    quality = 0.7 * latent + np.sqrt(0.51) * rng.standard_normal(latent.size)
    columns = {}
    for k in (1, 2, 3):
        columns[f"s{k}"] = latent + noise * rng.standard_normal(latent.size)
        columns[f"q{k}"] = quality + 0.7 * rng.standard_normal(latent.size)
    frame = 500.0 + 10.0 * SD * pd.DataFrame(columns)
    return frame.clip(*SCALE)


def of_respondents(rng: np.random.Generator, reliability: float) -> csi.outcomes.CorrectedSlopes:
    """Simulate 400 respondents; weights, index, reliability and slope in every one of 399 draws."""
    latent = rng.standard_normal(400)
    again = 0.5 + SLOPE * SD * latent + 0.1 * rng.standard_normal(latent.size)
    fit = csi.fit(MODEL, csi.read_survey(answers(rng, latent, reliability), scale=SCALE))
    boot = csi.bootstrap(fit, draws=399, rng=rng, progress=False)
    methods = ("eiv", "simex", "simex-quadratic", "croon", "sem")
    return csi.outcomes.corrected_slopes(
        fit,
        pd.Series(again.clip(0, 1), name="again"),
        methods,
        scale=(0, 1),
        bootstrap=boot,
        progress=False,
    )


def of_respondents_at_once(
    rng: np.random.Generator,
    reliability: float,
    samples: int = 10,
    rows: int = 400,
    draws: int = 399,
    latent_variable: bool = False,
) -> list[pd.DataFrame]:
    """As `respondents` without covariance SEM, 10 samples with all their draws as one batch."""
    covariances, means = [], []
    for _ in range(samples):
        latent = rng.standard_normal(rows)
        again = 0.5 + SLOPE * SD * latent + 0.1 * rng.standard_normal(rows)
        x = np.column_stack([answers(rng, latent, reliability)[list(MODEL.items)], again])
        x -= x.mean(axis=0)
        taken = rng.integers(0, rows, (draws, rows)) + rows * np.arange(draws)[:, None]
        counts = np.bincount(taken.ravel(), minlength=draws * rows).reshape(draws, rows)
        share = np.vstack([np.ones(rows), counts]) / rows  # the sample itself comes first
        row, column = np.triu_indices(x.shape[1])
        second = np.empty((draws + 1, x.shape[1], x.shape[1]))
        second[:, row, column] = second[:, column, row] = share @ (x[:, row] * x[:, column])
        mean = share @ x
        covariances.append(second - mean[:, :, None] * mean[:, None, :])
        means.append(mean)
    cov, mean = np.concatenate(covariances), np.concatenate(means)
    many, k = np.full(len(cov), float(rows)), len(MODEL.items)
    low, high = np.full(k, SCALE[0]), np.full(k, SCALE[1])
    moments = csi.Moments(MODEL.items, many, mean[:, :k], cov[:, :k, :k], low, high, many)
    pls = csi.PLS()
    solution = Solution(MODEL, pls, moments, pls.estimate(moments, MODEL))
    own = [*range(3, 6), k]
    unit = np.diag([100.0 / (SCALE[1] - SCALE[0])] * 3 + [1.0])  # items in points
    items = ItemMoments(
        unit @ cov[:, own][:, :, own] @ unit, point_weights(solution)[:, 3:], (slice(0, 3),)
    )
    regressors, with_outcome = items.of_regressors
    naive = with_outcome / regressors[:, 0]
    share = index_omega(solution)[:, 1:]
    curve = least_squares_curve(regressors, share, naive)
    slopes = {
        "naive": naive,
        "eiv": moved_slopes(regressors, share, naive),
        "simex": extrapolated(curve),
        "simex-quadratic": extrapolated(curve, quadratic=True),
        "croon": croon_slopes(items).slopes,
    }
    if latent_variable:
        slopes = {"naive": naive, "sem": latent_slopes(items).slopes}
    tables: list[dict[str, tuple[float, ...]]] = [{} for _ in range(samples)]
    for method, found in slopes.items():
        by_sample = found.reshape(samples, draws + 1).T
        estimate, drawn = by_sample[0], by_sample[1:]
        lower, upper = interval_of("percentile", 0.95, estimate, drawn)
        for j, table in enumerate(tables):
            table[method] = (estimate[j], drawn[:, j].std(ddof=1), lower[j], upper[j])
    columns = ["average_marginal_effect", "se", "lower", "upper"]
    return [
        pd.DataFrame.from_dict(table, orient="index", columns=columns).rename_axis("method")
        for table in tables
    ]


def of_latent_variable(rng: np.random.Generator, reliability: float) -> list[pd.DataFrame]:
    """As `batched`, by covariance SEM alone."""
    return of_respondents_at_once(rng, reliability, latent_variable=True)


def of_firms(rng: np.random.Generator, reliability: float) -> csi.outcomes.CorrectedSlopes:
    """Simulate 150 firms whose repurchase share comes from elsewhere; 499 draws of firms."""
    true = 72.0 + SD * rng.standard_normal(150)
    # Samples of 20 to 60 customers: errors differ from firm to firm.
    size = rng.integers(20, 61, true.size)
    error = SD**2 * (1.0 / reliability - 1.0) * size.mean() / size
    error *= SD**2 * (1.0 / reliability - 1.0) / error.mean()
    measured = true + np.sqrt(error) * rng.standard_normal(true.size)
    # Each firm knows its error variance as well as its customers tell.
    known = error * rng.chisquare(size - 1) / (size - 1)
    share = 0.5 + SLOPE * (true - 72.0) + 0.05 * rng.standard_normal(true.size)
    return csi.outcomes.corrected_slopes(
        index=measured,
        outcome=pd.Series(share.clip(0, 1), name="share"),
        methods=("eiv", "simex", "simex-quadratic"),
        index_se=np.sqrt(known),
        scale=(0, 1),
        draws=499,
        rng=rng,
        progress=False,
    )


def of_survey(rng: np.random.Generator, reliability: float) -> csi.outcomes.CorrectedSlopes:
    """Simulate 80 firms with 12 customers each, who are asked both; 399 draws of whole firms."""
    firm = np.repeat(np.arange(80), 12)
    between = rng.standard_normal(80)
    # A fifth of the error of a firm's mean is item error, the rest differences of customers.
    own = np.sqrt(9.6 * (1.0 / reliability - 1.0)) * rng.standard_normal(firm.size)
    noise = np.sqrt(7.2 * (1.0 / reliability - 1.0))
    latent = between[firm] + own
    columns = {}
    for k in (1, 2, 3):
        columns[f"s{k}"] = latent + noise * rng.standard_normal(firm.size)
        columns[f"q{k}"] = 0.7 * latent + rng.standard_normal(firm.size)
    frame = (500.0 + 10.0 * 3.0 * pd.DataFrame(columns)).clip(*SCALE)
    frame["firm"] = firm
    # Within firms the slope is twice that between firms.
    again = 0.5 + SLOPE * 3.0 * (between[firm] + 2.0 * own)
    again += 0.01 * rng.standard_normal(80)[firm] + 0.05 * rng.standard_normal(firm.size)
    fit = csi.fit(MODEL, csi.read_survey(frame, scale=SCALE, cluster="firm"))
    boot = csi.bootstrap(fit, draws=399, rng=rng, progress=False)
    outcome = pd.Series(again.clip(0, 1), name="again")
    return csi.outcomes.corrected_slopes(fit, outcome, scale=(0, 1), by="firm", bootstrap=boot)


def of_buyers(rng: np.random.Generator, reliability: float) -> csi.outcomes.CorrectedSlopes:
    """Simulate 1,000 respondents who buy again or not, by a logit; linearised errors."""
    latent = rng.standard_normal(1000)
    again = rng.random(latent.size) < 1.0 / (1.0 + np.exp(-(0.6 + LOGIT * SD * latent)))
    fit = csi.fit(MODEL, csi.read_survey(answers(rng, latent, reliability), scale=SCALE))
    methods = ("regression-calibration", "simex", "simex-quadratic")
    return csi.outcomes.corrected_slopes(
        fit, pd.Series(again * 1.0, name="again"), methods, family="logit", replications=4
    )


def logit_for(slope: float) -> float:
    """Return the log-odds per point whose average marginal effect is the slope."""
    from scipy.optimize import brentq

    node, weight = np.polynomial.hermite_e.hermegauss(60)

    def gap(b: float) -> float:
        p = 1.0 / (1.0 + np.exp(-(0.6 + b * SD * node)))
        return float(b * (weight @ (p * (1 - p))) / weight.sum() - slope)

    return float(brentq(gap, 0.0, 1.0))


LOGIT = logit_for(SLOPE)

PARTS: dict[
    str, Callable[[np.random.Generator, float], csi.outcomes.CorrectedSlopes | list[pd.DataFrame]]
] = {
    "respondents": of_respondents,
    "batched": of_respondents_at_once,
    "sem": of_latent_variable,
    "firms": of_firms,
    "survey": of_survey,
    "logit": of_buyers,
}


# The naive slope's relative bias; of customers asked both, 0.8 of the error of a firm's mean goes
# with twice the slope. A logit's is not known exactly.
THEORY: dict[str, Callable[[float], float]] = {
    "respondents": lambda reliability: reliability - 1.0,
    "batched": lambda reliability: reliability - 1.0,
    "sem": lambda reliability: reliability - 1.0,
    "firms": lambda reliability: reliability - 1.0,
    "survey": lambda reliability: 0.6 * (1.0 - reliability),
    "logit": lambda reliability: np.nan,
}


def cells(part: str, samples: int, reliabilities: tuple[float, ...]) -> Iterator[pd.DataFrame]:
    """Yield, for each reliability, bias, errors and coverage by method."""
    for reliability in reliabilities:
        rng = np.random.default_rng([7, round(1000 * reliability)])
        tables = []
        while len(tables) < samples:
            found = PARTS[part](rng, reliability)
            tables += found if isinstance(found, list) else [found.table.set_index("method")]
        every = pd.concat(tables, keys=range(samples))
        effect = every["average_marginal_effect"]
        every["covered"] = (every["lower"] <= SLOPE) & (every["upper"] >= SLOPE)
        by = every.groupby(level=1, sort=False)
        mean = effect.groupby(level=1, sort=False).mean()
        found = pd.DataFrame(
            {
                "reliability": reliability,
                "bias %": 100.0 * (mean / SLOPE - 1.0),
                "theory %": np.nan,
                "covered %": 100.0 * by["covered"].mean(),
                "sd / mean se": effect.groupby(level=1, sort=False).std() / by["se"].mean(),
                "samples": samples,
                "without slope": effect.isna().groupby(level=1, sort=False).sum(),
            }
        )
        found.loc["naive", "theory %"] = 100.0 * THEORY[part](reliability)
        yield found.reset_index()


def markdown(table: pd.DataFrame, head: bool) -> str:
    """Return lines of a Markdown table."""
    lines = []
    if head:
        lines += ["| " + " | ".join(map(str, table.columns)) + " |"]
        lines += ["|" + " --- |" * len(table.columns)]
    for row in table.itertuples(index=False):
        cells = []
        for name, value in zip(table.columns, row, strict=True):
            if isinstance(value, float):
                digits = 2 if name in ("reliability", "sd / mean se") else 1
                cells.append("" if np.isnan(value) else f"{value:.{digits}f}")
            else:
                cells.append(str(value))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--reliability", type=float, nargs="*", default=RELIABILITIES)
    chosen = parser.parse_args()
    warnings.simplefilter("error")
    for part in chosen.parts or PARTS:
        print(f"\n### {part}\n\n{PARTS[part].__doc__}\n")
        start = time.perf_counter()
        for place, found in enumerate(cells(part, chosen.samples, chosen.reliability)):
            print(markdown(found, place == 0), flush=True)
        print(f"\n{(time.perf_counter() - start) / 60:.1f} minutes.", flush=True)


if __name__ == "__main__":
    main()
