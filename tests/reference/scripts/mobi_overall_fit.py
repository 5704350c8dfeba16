"""The test of overall fit of composites in mode A: natural logarithms, unit implied variances.

Plain NumPy, a resample at a time; checks `unit_variances` of mobi_overall_fit.json.
"""

import csv
import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[1]
BLOCKS = {
    "Image": [f"IMAG{k}" for k in range(1, 6)],
    "Expectation": [f"CUEX{k}" for k in range(1, 4)],
    "Quality": [f"PERQ{k}" for k in range(1, 8)],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": [f"CUSA{k}" for k in range(1, 4)],
    "Complaints": ["CUSCO"],
    "Loyalty": [f"CUSL{k}" for k in range(1, 4)],
}
SOURCES = {1: [0], 2: [1], 3: [1, 2], 4: [0, 1, 2, 3], 5: [4], 6: [0, 4, 5]}
OWNER = np.repeat(np.arange(7), [len(items) for items in BLOCKS.values()])
JOINED = np.zeros((7, 7), dtype=bool)
for target, sources in SOURCES.items():
    JOINED[target, sources] = JOINED[sources, target] = True


def pls(cor):
    """Return loadings, construct correlations and paths of mode A in the path scheme."""
    raw = np.ones(24)
    for _ in range(3000):
        w = np.zeros((24, 7))
        w[np.arange(24), OWNER] = raw
        w /= np.sqrt(np.diag(w.T @ cor @ w))
        between = w.T @ cor @ w
        inner = between * JOINED
        for target, sources in SOURCES.items():
            solved = np.linalg.solve(between[np.ix_(sources, sources)], between[sources, target])
            inner[target, sources] = solved
        inner = inner.T  # column j: what j's proxy is made of
        new = (cor @ w @ inner)[np.arange(24), OWNER]
        scaled = np.zeros((24, 7))
        scaled[np.arange(24), OWNER] = new
        scaled /= np.sqrt(np.diag(scaled.T @ cor @ scaled))
        raw = scaled[np.arange(24), OWNER]
        if np.abs(scaled - w).max() < 1e-12:
            break
    between = scaled.T @ cor @ scaled
    loadings = (cor @ scaled)[np.arange(24), OWNER]
    return loadings, between


def implied(cor, saturated):
    """Return implied correlations: composite blocks as observed, others by loadings and paths."""
    loadings, between = pls(cor)
    constructs = between
    if not saturated:
        constructs = np.eye(7)
        for target, sources in SOURCES.items():
            b = np.linalg.solve(between[np.ix_(sources, sources)], between[sources, target])
            constructs[target, :target] = b @ constructs[np.ix_(sources, range(target))]
            constructs[:target, target] = constructs[target, :target]
    whole = np.outer(loadings, loadings) * constructs[np.ix_(OWNER, OWNER)]
    same = OWNER[:, None] == OWNER
    whole[same] = cor[same]
    return whole


def root(matrix, power):
    values, vectors = np.linalg.eigh(matrix)
    return vectors * values**power @ vectors.T


def distances(cor, sigma):
    left = ((cor - sigma) ** 2).sum()
    half = root(cor, -0.5)
    ratio = np.linalg.eigvalsh(half @ sigma @ half)
    return {
        "dG": 0.5 * (np.log(ratio) ** 2).sum(),
        "SRMR": np.sqrt(left / (24 * 25)),
        "dL": 0.5 * left,
    }


def main():
    names = [item for items in BLOCKS.values() for item in items]
    with (FOLDER.parents[1] / "data" / "mobi.csv").open(encoding="utf-8") as file:
        x = np.array([[float(row[name]) for name in names] for row in csv.DictReader(file)])
    rows = np.loadtxt(FOLDER / "mobi_overall_fit_rows.csv", delimiter=",", dtype=int) - 1
    told = json.loads((FOLDER / "mobi_overall_fit.json").read_text())["unit_variances"]
    cor = np.corrcoef(x.T)
    standard = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    for name, own in told.items():
        sigma = implied(cor, name == "saturated")
        turned = standard @ root(cor, -0.5) @ root(sigma, 0.5)
        draws = []
        for row in rows:
            again = np.corrcoef(turned[row].T)
            draws.append(distances(again, implied(again, name == "saturated")))
        for statistic, value in distances(cor, sigma).items():
            values = np.quantile([draw[statistic] for draw in draws], own["quantiles"]["probs"])
            np.testing.assert_allclose(value, own["statistic"][statistic], atol=1e-8)
            np.testing.assert_allclose(values, own["quantiles"][statistic], atol=1e-8)
            print(name, statistic, value, values)


if __name__ == "__main__":
    main()
