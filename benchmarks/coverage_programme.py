"""How often intervals of levels, changes and ranks of an index programme hold the truth.

Run ``python benchmarks/coverage_programme.py --write`` (one thread): prints the table and writes
``docs/coverage_programme.md``. Programmes of 60 firms over 4 quarters with 100 respondents each,
6 industries in 2 sectors, answered by the ACSI model (`csi.simulate.programme`, whose truth is
exact).
"""

import argparse
from pathlib import Path

import common  # noqa: F401  one thread, before NumPy is loaded
import numpy as np
import pandas as pd

import csimodel as csi

LEVELS = ["sector", "industry", "firm"]
CONSTRUCT = "Satisfaction"
_PAGE = Path(__file__).parents[1] / "docs" / "coverage_programme.md"


def one(seed: int, respondents: int) -> pd.Series:
    """Return the shares of intervals that hold the truth in one programme."""
    drawn = csi.simulate.programme(60, 4, respondents, rng=seed)
    found = csi.programme(drawn.model, drawn.survey, LEVELS, "period", drawn.weights)
    shares = {}
    score = found.scores
    truth = drawn.truth.loc[score.index]
    inside = (score["lower"] <= truth) & (truth <= score["upper"])
    for level, own in inside.groupby(level="level"):
        shares["score", level] = own.mean()
    change = found.changes
    frame = change.index.to_frame(index=False)
    ends = [
        drawn.truth.loc[pd.MultiIndex.from_frame(frame[["level", "unit", name, "construct"]])]
        for name in ("period", "since")
    ]
    moved = ends[0].to_numpy() - ends[1].to_numpy()
    inside = (change["lower"] <= moved) & (moved <= change["upper"])
    for level, own in inside.groupby(level="level"):
        shares["change", level] = own.mean()
    for within in ("industry", "all"):
        table = found.rank(within=within).table
        own = drawn.truth.loc["firm"].xs(CONSTRUCT, level="construct").xs(4, level="period")
        true = own.loc[table.index.get_level_values("firm")].to_numpy()
        outer = table.index.get_level_values(0)
        rank = pd.Series(true, table.index).groupby(outer).rank(ascending=False)
        held = (table["rank_lower"] <= rank) & (rank <= table["rank_upper"])
        shares["rank within", within] = held.mean()
        width = (table["rank_upper"] - table["rank_lower"] + 1).mean()
        shares["width of rank within", within] = width
    return pd.Series(shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programmes", type=int, default=1_000)
    parser.add_argument("--respondents", type=int, default=100)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    each = pd.DataFrame([one(seed, given.respondents) for seed in range(given.programmes)])
    table = pd.DataFrame({"share": each.mean(), "error": each.std() / np.sqrt(len(each))})
    lines = [
        "# Coverage of an index programme",
        "",
        "Printed by `python benchmarks/coverage_programme.py --write`: "
        f"{given.programmes:,} simulated programmes of 60 firms × 4 quarters × "
        f"{given.respondents} respondents, 6 industries, 2 sectors, the ACSI model, item weights "
        "of each firm and quarter; level 95 %. Ranks are of the last quarter; their intervals "
        "allow for the comparisons of a firm with all others at once. Widths are mean numbers of "
        "ranks.",
        "",
        "| of | level | share that holds the truth | Monte Carlo error |",
        "| --- | --- | --- | --- |",
        *(
            f"| {of} | {level} | {row['share']:.3f} | {row['error']:.4f} |"
            for (of, level), row in table.iterrows()
        ),
        "",
    ]
    print("\n".join(lines))
    if given.write:
        _PAGE.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
