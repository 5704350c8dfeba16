"""How often intervals of the index hold the truth with few clusters, and how often equal groups
are told apart.

Run ``python benchmarks/coverage_index.py --write`` (one thread, some five minutes): prints the
tables and writes ``docs/coverage_index.md``. Two constructs of three items from 1 to 10, one path;
clusters share a tenth of the variance of both constructs (intra-class correlation .1). The true
index is that of a sample of a million.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import common  # noqa: F401  one thread, before NumPy is loaded
import numpy as np
import pandas as pd

import csimodel as csi
from csimodel.index import leading_group

MODEL = csi.Model.from_syntax("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A")
ITEMS = list(MODEL.items)
SCALE = {"scale": (1, 10), "items": ITEMS}
ICC = 0.1
DESIGNS = {
    "10 clusters of 30": (1, 10, 30),
    "6 clusters of 40": (1, 6, 40),
    "6 strata of 2 clusters of 25": (6, 2, 25),
    "250 respondents": (1, 250, 1),
}
GROUPS = (5, 10, 20, 40)
_PAGE = Path(__file__).parents[1] / "docs" / "coverage_index.md"


def answers(rng: np.random.Generator, cluster: np.ndarray, strata_mean: np.ndarray) -> pd.DataFrame:
    """Return answers of respondents whose clusters share ICC of the variance of A and B."""
    n, clusters = len(cluster), int(cluster.max()) + 1
    shared = rng.normal(size=(clusters, 2))[cluster] * np.sqrt(ICC)
    own = rng.normal(size=(n, 2)) * np.sqrt(1 - ICC)
    score = shared + own + strata_mean[:, None]
    a = score[:, 0]
    b = 0.6 * a + 0.8 * score[:, 1]
    loadings = np.array([0.9, 0.8, 0.7])
    noise = rng.normal(size=(n, 6)) * 0.6
    latent = np.hstack([a[:, None] * loadings, b[:, None] * loadings]) + noise
    return pd.DataFrame(np.clip(np.round(6.8 + 1.9 * latent), 1, 10), columns=ITEMS)


def coverage(samples: int, designs: Sequence[str] = tuple(DESIGNS)) -> pd.DataFrame:
    """Return coverage, mean standard error and its ratio to the spread, by design and construct."""
    rows = []
    for name in designs:
        strata, clusters, size = DESIGNS[name]
        stratum = np.repeat(np.arange(strata), clusters * size)
        cluster = np.repeat(np.arange(strata * clusters), size)
        level = 0.4 * (stratum - stratum.mean())
        design = {"cluster": "cluster"} if size > 1 else {}
        if strata > 1:
            design["strata"] = "stratum"
        rng = np.random.default_rng(2026)
        many = np.arange(1_000_000)
        whole = answers(rng, many, rng.choice(level, len(many)))
        truth = csi.index_scores(csi.fit(MODEL, csi.read_survey(whole, **SCALE)))["mean"]
        found, errors, held, normal = [], [], [], []
        for _ in range(samples):
            frame = answers(rng, cluster, level).assign(cluster=cluster, stratum=stratum)
            table = csi.index_scores(csi.fit(MODEL, csi.read_survey(frame, **SCALE, **design)))
            found.append(table["mean"])
            errors.append(table["se"])
            held.append((table["lower"] <= truth) & (truth <= table["upper"]))
            normal.append((table["mean"] - truth).abs() <= 1.959964 * table["se"])
        spread = pd.DataFrame(found).std()
        for construct in MODEL.construct_names:
            rows.append(
                {
                    "design": name,
                    "df": int(table["df"].iloc[0]),
                    "index of": construct,
                    "coverage by t": np.mean([one[construct] for one in held]),
                    "by the normal": np.mean([one[construct] for one in normal]),
                    "se / spread": pd.DataFrame(errors)[construct].mean() / spread[construct],
                }
            )
    return pd.DataFrame(rows)


def claims(samples: int) -> pd.DataFrame:
    """Return how often a group is called highest among equal groups."""
    rows = []
    for groups in GROUPS:
        rng = np.random.default_rng(2027)
        group = np.repeat(np.arange(groups), 50)
        alone = np.arange(len(group))
        count, apart = 0, 0
        for _ in range(samples):
            frame = answers(rng, alone, np.zeros(len(group))).assign(group=group)
            fit = csi.fit(MODEL, csi.read_survey(frame, **SCALE))
            count += leading_group(fit, "group", "B").distinct
            table = csi.index_scores(fit, by="group").xs("B", level="construct")
            apart += table["lower"].max() > table["upper"].min()
        rows.append(
            {
                "groups of 50": groups,
                "called highest": count / samples,
                "some two intervals apart": apart / samples,
            }
        )
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown, shares with three decimals."""
    lines = ["| " + " | ".join(table.columns) + " |", "|" + " --- |" * len(table.columns)]
    for row in table.itertuples(index=False):
        cells = [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--claims", type=int, default=1000, help="samples of equal groups")
    parser.add_argument("--write", action="store_true", help="write docs/coverage_index.md")
    options = parser.parse_args()
    chance = np.sqrt(0.95 * 0.05 / options.samples)
    covered, claimed = coverage(options.samples), claims(options.claims)
    page = f"""# Intervals of the index with few clusters, and the highest of equal groups

Printed by `python benchmarks/coverage_index.py --write`: samples of two constructs of three items,
whose clusters share a tenth of the variance (intra-class correlation .1).

95 % intervals of `index_scores` without a bootstrap (influence values, limits by t with clusters
less strata degrees of freedom), {options.samples} samples; the Monte Carlo error of a coverage of
.95 is {chance:.4f}. Beside it what limits by the normal distribution would cover, and the mean
standard error over the standard deviation of the index.

{markdown(covered)}

`leading_group` over equal groups, {options.claims} samples: how often the highest is called
distinct from every other at 95 %, and beside it how often some two of the groups' own intervals lie
apart, which is no test.

{markdown(claimed)}
"""
    print(page)
    if options.write:
        _PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
