"""How often 95 % intervals of covariance SEM hold the truth, over many simulated samples.

Run ``python benchmarks/coverage_covariance.py`` (one thread, some ten minutes of processor time,
nearly all for full information; ``--samples 200`` for a first look). A reduced ECSI, n = 400. Two
kinds of errors of the same estimates are two tables.

coverage   mean share of intervals that hold the true value, over the parameters of a kind
worst      the smallest such share, and whose
bias       mean of (mean estimate - truth) in standard deviations of the estimate
largest    the largest such bias in absolute value
se error   mean of (mean standard error / standard deviation of the estimates - 1)
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace

import common  # noqa: F401  one thread, before NumPy is loaded
import numpy as np

import csimodel as csi
from csimodel.estimators import Solution, Status
from csimodel.estimators.covariance.layout import ParameterLayout, Row
from csimodel.simulate import HeavyTailed, Missing, Population, Skewed
from csimodel.simulate.replicate import ParameterRows, parameter_rows, solutions

MODEL = csi.Model.from_syntax(
    """
    Image =~ IMAG1 + IMAG2 + IMAG3
    Quality =~ PERQ1 + PERQ2 + PERQ3
    Value =~ PERV1 + PERV2
    Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    Loyalty =~ CUSL1 + CUSL2 + CUSL3
    Quality ~ Image
    Value ~ Quality
    Satisfaction ~ Image + Quality + Value
    Loyalty ~ Image + Satisfaction
    """
)
PATHS = {
    "Quality ~ Image": 0.6,
    "Value ~ Quality": 0.6,
    "Satisfaction ~ Image": 0.2,
    "Satisfaction ~ Quality": 0.4,
    "Satisfaction ~ Value": 0.3,
    "Loyalty ~ Image": 0.3,
    "Loyalty ~ Satisfaction": 0.5,
}
LOADINGS = {
    "Image": [0.75, 0.7, 0.8],
    "Quality": [0.8, 0.75, 0.85],
    "Value": [0.85, 0.8],
    "Satisfaction": [0.85, 0.8, 0.75],
    "Loyalty": [0.8, 0.7, 0.75],
}
TRUTH = csi.simulate.population(MODEL, paths=PATHS, loadings=LOADINGS, mean=7.0, sd=2.0)
SKEWED = Skewed(-1.5, 4.0)
# The dissatisfied skip questions: who answers depends on an answer that is always given.
AT_RANDOM = Missing(0.2, items=(*MODEL.items[6:],), given="PERQ1", slope=-1.0)
COMPLETELY = Missing(0.2, items=AT_RANDOM.items)

PLAIN, ROBUST = csi.ML(), csi.ML(se="mlr")
FIML = csi.ML(missing="fiml", se="observed")
COMPLETE = {"ML": PLAIN, "MLR": ROBUST}
INCOMPLETE = {"FIML": FIML, "FIML with MLR errors": csi.ML(missing="fiml", se="mlr")}
RUNS: list[tuple[str, Population, dict[str, csi.ML]]] = [
    ("normal answers", TRUTH, {"ML": PLAIN}),
    ("skewed answers", replace(TRUTH, shape=SKEWED), COMPLETE),
    ("t answers (10 df)", replace(TRUTH, shape=HeavyTailed(10.0)), COMPLETE),
    ("normal answers missing at random", replace(TRUTH, missing=AT_RANDOM), INCOMPLETE),
    (
        "skewed answers missing completely at random",
        replace(TRUTH, missing=COMPLETELY, shape=SKEWED),
        INCOMPLETE,
    ),
    (
        "skewed answers missing at random",
        replace(TRUTH, missing=AT_RANDOM, shape=SKEWED),
        INCOMPLETE,
    ),
]

KINDS = {
    "loadings": ("=~", False),
    "paths": ("~", False),
    "construct (co)variances": ("Ψ", False),
    "error variances": ("Θ", False),
    "intercepts": ("~1", False),
    "standardised loadings": ("=~", True),
    "standardised paths": ("~", True),
}


HEAD = (
    "| parameters | number | coverage | worst | of | bias | largest | se error |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |"
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--n", type=int, default=400)
    parser.add_argument("--only", choices=[name for name, _, _ in RUNS])
    options = parser.parse_args()
    chance = np.sqrt(0.95 * 0.05 / options.samples)
    print(
        f"{options.samples} samples of n = {options.n}, {len(MODEL.items)} items; "
        f"Monte Carlo error of a coverage of .95: {chance:.4f}\n"
    )
    for name, truth, kinds in RUNS:
        if options.only in (None, name):
            run(name, truth, kinds, options.n, options.samples)


def run(name: str, truth: Population, kinds: dict[str, csi.ML], n: int, samples: int) -> None:
    """Print a table for each kind of errors of one run of samples."""
    start = time.process_time()
    fitted = list(kinds.values())[-1]  # robust ones ask for fourth-order moments
    parts: dict[str, list[ParameterRows]] = {kind: [] for kind in kinds}
    chisq, outcomes = [], []
    for solution in solutions(truth, n, samples, fitted, rng=2026):
        for kind, estimator in kinds.items():
            parts[kind].append(parameter_rows(replace(solution, estimator=estimator)))
        outcomes.append(np.atleast_1d(solution.estimates.outcome))
        chisq.append(n * np.atleast_1d(solution.estimates.discrepancy))
    seconds = time.process_time() - start
    layout, true = fitted.layout(MODEL), true_rows(fitted)
    lost = int((np.concatenate(outcomes) != Status.CONVERGED).sum())
    df = fitted.statistics(MODEL) - layout.size
    for kind, own in parts.items():
        found = ParameterRows(*(np.concatenate(part) for part in zip(*own, strict=True)))
        print(f"### {kind}: {name}, n = {n}\n\n{HEAD}")
        for line in lines(layout, true, found):
            print(f"| {line} |")
        print()
    print(
        f"{lost} of {samples} samples did not converge; mean χ², unscaled, "
        f"{np.mean(np.concatenate(chisq)):.1f} on {df} degrees of freedom; "
        f"{seconds:.0f} s of processor time.\n",
        flush=True,
    )


def true_rows(fitted: csi.ML) -> ParameterRows:
    """Return the population's parameters in the rows of the layout."""
    plain = csi.ML(means=fitted.layout(MODEL).mean_structure, likelihood="wishart")
    moments = TRUTH.population_moments().lifted()
    found = plain.estimate(moments, MODEL)
    return parameter_rows(Solution(MODEL, plain, moments, found))


def lines(layout: ParameterLayout, true: ParameterRows, found: ParameterRows) -> Iterator[str]:
    """Yield what is measured of each kind of parameter."""
    rows = layout.rows
    for kind, (op, scaled) in KINDS.items():
        own = [r for r, row in enumerate(rows) if sign(row) == op and free(layout, r, scaled)]
        if not len(own):
            continue
        truth = (true.std if scaled else true.raw)[:, own]
        estimate = (found.std if scaled else found.raw)[:, own]
        se = (found.std_se if scaled else found.raw_se)[:, own]
        usable = np.isfinite(estimate).all(axis=1) & np.isfinite(se).all(axis=1)
        estimate, se = estimate[usable], se[usable]
        inside = (np.abs(estimate - truth) <= 1.959964 * se).mean(axis=0)
        sd = estimate.std(axis=0, ddof=1)
        bias = (estimate.mean(axis=0) - truth[0]) / sd
        worst = int(inside.argmin())
        yield (
            f"{kind} | {len(own)} | {inside.mean():.4f} | {inside[worst]:.4f} | "
            f"{rows[own[worst]].name} | {bias.mean():+.3f} | {np.abs(bias).max():.3f} | "
            f"{(se.mean(axis=0) / sd - 1).mean():+.3f}"
        )


def sign(row: Row) -> str:
    """Return the operator, with variances of errors and of constructs told apart."""
    return {"errors": "Θ", "covariances": "Ψ"}.get(row.kind, row.op)


def free(layout: ParameterLayout, r: int, scaled: bool) -> bool:
    """Tell whether a row is estimated; standardised, a marker's loading is too."""
    return bool(layout.place[r] >= 0) or (scaled and layout.rows[r].op == "=~")


if __name__ == "__main__":
    main()
