"""SUMCORR, SSQCORR and GENVAR of the ECSI blocks by block coordinate ascent in NumPy.

Weights of standardised items, scores of variance 1, turned to correlate with the sum of the items;
from equal weights, and from 30 random starts, none of which comes out better.
"""

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
FILE = HERE.parent / "mobi_weights_own.json"
MOBI = HERE.parents[2] / "data" / "mobi.csv"
LETTERS = {
    "Image": "IMAG", "Expectation": "CUEX", "Quality": "PERQ", "Value": "PERV",
    "Satisfaction": "CUSA", "Complaints": "CUSCO", "Loyalty": "CUSL",
}  # fmt: skip


def read():
    """Return item names in block order, their correlations and the blocks."""
    header, *rows = (line.split(",") for line in MOBI.read_text().split())
    header = [name.strip('"') for name in header]
    items = [name for stem in LETTERS.values() for name in header if name.startswith(stem)]
    values = np.array(rows, dtype=object)[:, [header.index(name) for name in items]].astype(float)
    blocks, start = [], 0
    for stem in LETTERS.values():
        size = sum(name.startswith(stem) for name in items)
        blocks.append(slice(start, start + size))
        start += size
    return items, np.corrcoef(values.T), blocks


def unit(weights, cor, blocks):
    return np.concatenate(
        [weights[b] / np.sqrt(weights[b] @ cor[b, b] @ weights[b]) for b in blocks]
    )


def scores(weights, cor, blocks):
    dense = np.zeros((len(weights), len(blocks)))
    for j, b in enumerate(blocks):
        dense[b, j] = weights[b]
    return cor @ dense, dense.T @ cor @ dense


def best(criterion, cor, blocks, start):
    """Ascend block by block until nothing moves."""
    weights = unit(start, cor, blocks)
    for _ in range(5000):
        before = weights.copy()
        for j, b in enumerate(blocks):
            if b.stop - b.start == 1:
                continue
            crossed, between = scores(weights, cor, blocks)
            others = [k for k in range(len(blocks)) if k != j]
            if criterion == "GENVAR":
                side = crossed[b][:, others]
                explained = side @ np.linalg.solve(between[np.ix_(others, others)], side.T)
                values, vectors = np.linalg.eig(np.linalg.solve(cor[b, b], explained))
                new = vectors[:, np.argmax(values.real)].real
                new = new * np.sign(new @ cor[b, b] @ weights[b])
            else:
                inner = between[j, others] if criterion == "SSQCORR" else np.ones(len(others))
                new = np.linalg.solve(cor[b, b], crossed[b][:, others] @ inner)
            weights[b] = new
            weights = unit(weights, cor, blocks)
        if np.abs(weights - before).max() < 1e-15:
            break
    for b in blocks:
        weights[b] *= np.sign((cor[b, b] @ weights[b]).sum())
    return weights


def value(criterion, between):
    return {
        "SUMCORR": between.sum(),
        "SSQCORR": (between**2).sum(),
        "GENVAR": -np.linalg.det(between),
    }[criterion]


if __name__ == "__main__":
    items, cor, blocks = read()
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    for criterion in ("SUMCORR", "SSQCORR", "GENVAR"):
        own = best(criterion, cor, blocks, np.ones(len(items)))
        reached = value(criterion, scores(own, cor, blocks)[1])
        rng = np.random.default_rng(1)
        for start in rng.normal(size=(30, len(items))) if criterion != "SUMCORR" else ():
            other = best(criterion, cor, blocks, start)  # whatever the signs of its scores
            assert value(criterion, scores(other, cor, blocks)[1]) < reached + 1e-9
        table = np.array(stored[criterion]["weights"]["data"]).sum(axis=0)
        order = [stored[criterion]["weights"]["cols"].index(item) for item in items]
        print(criterion, reached, "off the stored weights by", np.abs(own - table[order]).max())
