"""PLS path modelling of the ECSI on mobi from its formulas, in plain numpy; imported by the others.

Weights: Wold (1982), modes A and B, with the inner schemes path, factorial and centroid, iterated to
1e-15. Consistent PLS: Dijkstra and Henseler (2015), doi:10.25300/MISQ/2015/39.2.02.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parents[1]
BLOCKS = {
    "Image": [f"IMAG{i}" for i in range(1, 6)],
    "Expectation": [f"CUEX{i}" for i in range(1, 4)],
    "Quality": [f"PERQ{i}" for i in range(1, 8)],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": ["CUSA1", "CUSA2", "CUSA3"],
    "Complaints": ["CUSCO"],
    "Loyalty": ["CUSL1", "CUSL2", "CUSL3"],
}
ANTECEDENTS = {
    "Expectation": ["Image"],
    "Quality": ["Expectation"],
    "Value": ["Expectation", "Quality"],
    "Satisfaction": ["Image", "Expectation", "Quality", "Value"],
    "Complaints": ["Satisfaction"],
    "Loyalty": ["Image", "Satisfaction", "Complaints"],
}
NAMES = list(BLOCKS)
ITEMS = [item for block in BLOCKS.values() for item in block]
OWN = np.array([[item in block for block in BLOCKS.values()] for item in ITEMS])
INNER = np.array([[source in ANTECEDENTS.get(target, []) for source in NAMES] for target in NAMES])


@dataclass(frozen=True)
class Estimates:
    """What one fit gives; arrays are (target, source), (item, construct) or by construct."""

    n: int
    cor: np.ndarray
    weights: np.ndarray
    loadings: np.ndarray
    construct_cor: np.ndarray
    reliability: np.ndarray
    paths: np.ndarray

    @property
    def total_effects(self) -> np.ndarray:
        eye = np.eye(len(NAMES))
        return np.linalg.inv(eye - self.paths) - eye

    @property
    def r2(self) -> np.ndarray:
        return (self.paths * self.construct_cor).sum(axis=1)

    @property
    def r2_adjusted(self) -> np.ndarray:
        return 1 - (1 - self.r2) * (self.n - 1) / (self.n - 1 - INNER.sum(axis=1))

    @property
    def implied(self) -> np.ndarray:
        """Correlations of items that paths, 1 - R² and loadings imply, with 1 in the diagonals."""
        inverse = np.linalg.inv(np.eye(len(NAMES)) - self.paths)
        phi = inverse @ np.diag(1 - self.r2) @ inverse.T
        np.fill_diagonal(phi, 1.0)
        sigma = self.loadings @ phi @ self.loadings.T
        np.fill_diagonal(sigma, 1.0)
        return sigma


def paths_of(cor: np.ndarray) -> np.ndarray:
    """Return the coefficients of each construct on its antecedents."""
    paths = np.zeros(INNER.shape)
    for target, sources in enumerate(INNER):
        if sources.any():
            paths[target, sources] = np.linalg.solve(
                cor[np.ix_(sources, sources)], cor[sources, target]
            )
    return paths


def inner_weights(scheme: str, cor: np.ndarray) -> np.ndarray:
    adjacent = INNER | INNER.T
    if scheme == "centroid":
        return np.where(adjacent, np.sign(cor), 0.0)
    if scheme == "factorial":
        return np.where(adjacent, cor, 0.0)
    return paths_of(cor) + np.where(INNER.T, cor, 0.0)


def weights_of(cor: np.ndarray, scheme: str, mode: str) -> np.ndarray:
    """Return weights of standardised items, of scores with variance 1, items by constructs."""

    def standard(raw: np.ndarray) -> np.ndarray:
        return raw / np.sqrt(np.diag(raw.T @ cor @ raw))

    weights = standard(OWN.astype(float))
    for _ in range(0 if mode == "unit" else 3000):
        scores = weights.T @ cor @ weights
        pulls = cor @ weights @ inner_weights(scheme, scores).T
        raw = np.zeros(OWN.shape)
        for j, own in enumerate(OWN.T):
            raw[own, j] = pulls[own, j]
            if mode == "B":
                raw[own, j] = np.linalg.solve(cor[np.ix_(own, own)], pulls[own, j])
        before, weights = weights, standard(raw)
        if np.abs(np.abs(weights) - np.abs(before)).max() < 1e-15:
            break
    return weights * np.sign((OWN * (cor @ weights)).sum(axis=0))


def rho_a(cor: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Dijkstra and Henseler's reliability of mode A scores; 1 for a single item."""
    values = np.ones(len(NAMES))
    for j, own in enumerate(OWN.T):
        w, s = weights[own, j], cor[np.ix_(own, own)]
        if len(w) > 1:
            off = ~np.eye(len(w), dtype=bool)
            values[j] = (w @ w) ** 2 * (w @ (s * off) @ w) / (w @ (np.outer(w, w) * off) @ w)
    return values


def fitted(
    answers: np.ndarray, scheme: str = "path", mode: str = "A", consistent: bool = False
) -> Estimates:
    """Estimate the ECSI from answers, respondents by ITEMS."""
    cor = np.corrcoef(answers, rowvar=False)
    weights = weights_of(cor, scheme, mode)
    loadings = np.where(OWN, cor @ weights, 0.0)
    scores = weights.T @ cor @ weights
    reliability = np.ones(len(NAMES))
    if consistent:
        reliability = rho_a(cor, weights)
        loadings = weights / (weights**2).sum(axis=0) * np.sqrt(reliability)
        scores = scores / np.sqrt(np.outer(reliability, reliability))
        np.fill_diagonal(scores, 1.0)
    return Estimates(len(answers), cor, weights, loadings, scores, reliability, paths_of(scores))


def answers_of_mobi() -> np.ndarray:
    file = FOLDER.parents[1] / "data" / "mobi.csv"
    return pd.read_csv(file)[ITEMS].to_numpy(float)


def stored(name: str) -> dict:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def table(entry: dict) -> pd.DataFrame:
    return pd.DataFrame(entry["data"], entry["rows"], entry["cols"], dtype=float)


class Comparison:
    """The largest difference of the values made here from those of a file, by name."""

    def __init__(self) -> None:
        self.gaps: dict[str, float] = {}

    def add(self, name: str, ours: np.ndarray, theirs: np.ndarray) -> None:
        gap = np.abs(np.asarray(ours, float) - np.asarray(theirs, float))
        assert np.isfinite(gap).all(), name
        self.gaps[name] = max(float(gap.max()), self.gaps.get(name, 0.0))

    def matrix(self, name: str, ours: np.ndarray, entry: dict, rows: list, cols: list) -> None:
        theirs = table(entry)
        if not set(rows) <= set(theirs.index):
            theirs = theirs.T
        self.add(name, ours, theirs.loc[rows, cols])

    def finish(self, most: float) -> None:
        for name, gap in self.gaps.items():
            print(f"{gap:.1e}  {name}")
        wrong = {name: gap for name, gap in self.gaps.items() if gap > most}
        assert not wrong, wrong
