"""Size and power of tests between groups: MICOM and `compare_groups`.

Run ``python benchmarks/coverage_groups.py --write`` (one thread, some ten minutes). Composites of
the reduced ECSI of ``coverage_pls.py``, estimated by PLS (mode B), in two groups: alike, of one
size and of two; with other weights of one composite in one group; with one path weaker in one
group. The shares of tests at 5 % that reject are printed, and written to ``docs/group_tests.md``.
"""

import argparse
import time
from collections import defaultdict
from pathlib import Path

import common  # noqa: F401  one thread, before NumPy is loaded
import numpy as np
import pandas as pd
from coverage_covariance import PATHS
from coverage_pls import ANSWERS, COMPOSITES, FORMED, WEIGHTS

import csimodel as csi

PAGE = Path(__file__).parents[1] / "docs" / "group_tests.md"
OTHER_WEIGHTS = {**WEIGHTS, "Image": [5, 1, 1]}
OTHER_PATHS = {**PATHS, "Loyalty ~ Satisfaction": 0.2}
MAIN = ("permutation", "parametric")
OTHERS = ("distance", "welch", "keil", "henseler", "sarstedt")


def population(paths: dict, weights: dict) -> csi.simulate.Population:
    return csi.simulate.population(COMPOSITES, paths=paths, weights=weights, within=0.6, **ANSWERS)


# Populations of the two groups, respondents, tests beside MICOM, and which share of the samples.
CASES = {
    "alike, 150 and 150": (FORMED, FORMED, (150, 150), MAIN, 1.0),
    "weights of Image differ, 150 and 150": (
        FORMED, population(PATHS, OTHER_WEIGHTS), (150, 150), (), 0.2,
    ),
    "path to Loyalty differs, 150 and 150": (
        FORMED, population(OTHER_PATHS, WEIGHTS), (150, 150), MAIN, 0.2,
    ),
    "alike, 150 and 150: other tests": (FORMED, FORMED, (150, 150), OTHERS, 1.0),
    "alike, 80 and 220": (FORMED, FORMED, (80, 220), MAIN, 1.0),
}  # fmt: skip


def samples(truth: csi.simulate.Population, n: int, count: int, seed: int) -> np.ndarray:
    return np.concatenate(list(truth.answers(n, count, seed)))


def rejections(case: str, count: int, permutations: int) -> dict[str, pd.Series]:
    """Return the share of samples in which each entry of each test is rejected."""
    first, second, sizes, methods, _ = CASES[case]
    items = list(first.solution.moments.items)
    answers = [
        samples(truth, n, count, 11 + place)
        for place, (truth, n) in enumerate(zip((first, second), sizes, strict=True))
    ]
    calm = {"permutations": permutations, "progress": False}
    counts: dict[str, list[pd.Series]] = defaultdict(list)
    for number in range(count):
        frame = pd.DataFrame(np.concatenate([own[number] for own in answers]), columns=items)
        frame = frame.assign(g=np.repeat(["a", "b"], sizes))
        table = csi.micom(COMPOSITES, frame, "g", rng=number, **calm).table
        for name, column in (("MICOM, step 2", "p"), ("MICOM, means", "mean_p"),
                             ("MICOM, variances", "variance_p")):  # fmt: skip
            counts[name].append(table[column] <= 0.05)
        for method in methods:
            table = csi.compare_groups(
                COMPOSITES, frame, "g", method, number, draws=permutations, **calm
            ).table
            counts[method].append(table["p"] <= 0.05)
    return {name: pd.concat(own, axis=1).mean(axis=1) for name, own in counts.items()}


def row(case: str, count: int, name: str, shares: pd.Series) -> str:
    least, most = shares.idxmin(), shares.idxmax()
    label = " ← ".join(most) if isinstance(most, tuple) else str(most)
    own = " ← ".join(least) if isinstance(least, tuple) else str(least)
    return (
        f"| {case} | {count} | {name} | {shares.mean():.3f} | {shares.min():.3f} ({own}) | "
        f"{shares.max():.3f} ({label}) |"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=1_000)
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    error = np.sqrt(0.05 * 0.95 / options.samples)
    lines = [
        "# Tests between groups",
        "",
        f"Printed by `python benchmarks/coverage_groups.py --write`: {options.permutations} "
        "permutations, or draws of each group. Composites in mode B; shares of tests at 5 % that "
        f"reject, over constructs or paths. Monte Carlo error of .05 of {options.samples} samples: "
        f"{error:.4f}.",
        "",
        "| groups | samples | test | mean | least | most |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    start = time.process_time()
    print("\n".join(lines))
    for case in CASES:
        count = int(options.samples * CASES[case][-1])
        for name, shares in rejections(case, count, options.permutations).items():
            lines.append(row(case, count, name, shares))
            print(lines[-1], flush=True)
    print(f"\n{time.process_time() - start:.0f} s of processor time.")
    if options.write:
        PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
