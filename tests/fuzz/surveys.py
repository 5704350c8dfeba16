"""Random surveys and models: a recipe of a few words, and the frame and model it makes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import csimodel as csi

NAMES = {
    "plain": ("Image", "Quality", "Value", "Satisfaction", "Loyalty"),
    "chinese": ("形象", "质量", "价值", "满意度", "忠诚"),
    "columns": ("construct", "n", "mean", "se", "const"),
    "odd": ("perceived value", "1st", "C(x)", "Σ ü", "a~b"),
}


@dataclass(frozen=True)
class Recipe:
    """What a case is made of; the first of each choice is the plainest."""

    seed: int
    rows: int
    blocks: tuple[int, ...]
    paths: str
    kinds: str
    names: str
    answers: str
    strength: float
    oddity: str
    missing: str
    policy: object
    weights: str
    design: str
    groups: str
    dtype: str
    scale: str
    outcome: str
    estimators: tuple[str, ...]
    floats: str

    def __str__(self) -> str:
        return (
            "Recipe(" + ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self)) + ")"
        )


ESTIMATORS = {
    "PLS": csi.PLS(),
    "PLS centroid": csi.PLS(scheme="centroid"),
    "PLS factorial": csi.PLS(scheme="factorial"),
    "PLSc": csi.PLS(consistent=True),
    "PLS B": csi.PLS(modes="B"),
    "PLS unit": csi.PLS(modes="unit"),
    "GSCA": csi.PLS(weights="gsca"),
    "GENVAR": csi.PLS(weights="genvar"),
    "MAXVAR": csi.PLS(weights="maxvar"),
    "PLS ordered": csi.PLS(correlations="polychoric"),
    "PLSc mixed": csi.PLS(consistent=True, correlations="polychoric", ordered=["c0i0"]),
    "ML": csi.ML(),
    "ML variance": csi.ML(scaling="variance"),
    "MLM": csi.ML(se="mlm"),
    "MLR": csi.ML(se="mlr"),
    "FIML": csi.ML(missing="fiml"),
    "two-stage": csi.ML(missing="two-stage"),
    "GLS": csi.LeastSquares("gls"),
    "ULS": csi.LeastSquares("uls"),
    "DWLS": csi.LeastSquares("dwls"),
    "WLSMV": csi.WLSMV(),
    "WLSMV mixed": csi.WLSMV(ordered=["c0i0"]),
    "Semopy": csi.Semopy(),
}


def recipes() -> st.SearchStrategy[Recipe]:
    """Return a strategy of recipes."""
    pick = st.sampled_from
    return st.builds(
        Recipe,
        seed=st.integers(0, 2**20),
        rows=pick([60, 40, 30, 60, 100, 12, 200, 6, 3]),
        blocks=st.lists(pick([2, 3, 1, 4, 5]), min_size=1, max_size=5).map(tuple),
        paths=pick(["chain", "dense", "random", "star", "none"]),
        kinds=pick(["reflective", "mixed", "composite"]),
        names=pick(["plain", "chinese", "columns", "odd"]),
        answers=pick(["1-10", "1-5", "0-100", "mixed", "binary", "normal"]),
        strength=pick([0.7, 0.8, 0.7, 0.4, 0.0, 0.95, 1.0]),
        oddity=pick(
            [*[""] * 9, "duplicate", "huge", "tiny", "reversed", "outlier", "sum", "constant"]
        ),
        missing=pick(["", "", "", "some", "some", "most of one", "whole rows", "one group"]),
        policy=pick(["listwise", "pairwise", "mean", "construct-minimum", "listwise", "error"]),
        weights=pick(["", "", "random", "zeros", "dominating", "missing"]),
        design=pick(
            ["", "", "clusters", "strata", "both", "one cluster", "lonely", "two clusters"]
        ),
        groups=pick(["two", "one respondent", "many", "categorical", "numbers", "missing", "same"]),
        dtype=pick(["float64", "int8", "Int64", "float32", "object", "category", "text", "arrow"]),
        scale=pick(["known", "known", "known", "unknown"]),
        outcome=pick(["related", "missing", "related", "separated", "rare", "constant"]),
        estimators=st.lists(pick(list(ESTIMATORS)), min_size=2, max_size=3, unique=True).map(tuple),
        floats=pick(["warn", "raise"]),
    )


@dataclass(frozen=True, eq=False)
class Case:
    """A survey's frame, how to read it, a model, and columns beside the items."""

    recipe: Recipe
    frame: pd.DataFrame
    reading: dict[str, object]
    model: csi.Model
    items: list[str]

    @property
    def last(self) -> str:
        """The construct everything leads to."""
        return self.model.construct_names[-1]


def make(recipe: Recipe) -> Case:
    """Return the case of a recipe."""
    rng = np.random.default_rng(recipe.seed)
    names = NAMES[recipe.names][: len(recipe.blocks)]
    blocks = {
        name: [f"c{j}i{k}" for k in range(size)]
        for j, (name, size) in enumerate(zip(names, recipe.blocks, strict=True))
    }
    kinds = [_kind(recipe.kinds, j) for j in range(len(names))]
    model = csi.Model(
        constructs=tuple(
            kind(name, items) for kind, (name, items) in zip(kinds, blocks.items(), strict=True)
        ),
        paths=tuple(_paths(recipe.paths, names, rng)),
    )
    columns, scales = {}, {}
    common = rng.normal(size=recipe.rows)
    for j, items in enumerate(blocks.values()):
        own = 0.7 * common + 0.7 * rng.normal(size=recipe.rows)
        for k, item in enumerate(items):
            noise = rng.normal(size=recipe.rows) * np.sqrt(1 - recipe.strength**2)
            columns[item], scales[item] = _answers(
                recipe.answers, j + k, recipe.strength * own + noise
            )
    items = list(columns)
    answers = pd.DataFrame(columns)
    _make_odd(answers, recipe.oddity, scales, rng)
    groups = _groups(recipe.groups, recipe.rows, rng)
    _make_missing(answers, recipe.missing, groups, rng)
    frame = _typed(answers, recipe.dtype)
    reading: dict[str, object] = {"missing": recipe.policy}
    if recipe.scale == "known":
        reading["scale"] = scales
    frame["group"] = groups
    frame["wave"] = np.arange(recipe.rows) % 2
    _add_weights(frame, recipe.weights, reading, rng)
    _add_design(frame, recipe.design, reading)
    _add_outcomes(frame, recipe.outcome, common, rng)
    frame["points"], frame["expected"] = rng.uniform(0, 100, (2, recipe.rows))
    if recipe.missing:
        frame.loc[rng.random(recipe.rows) < 0.2, "points"] = np.nan
    return Case(recipe, frame, reading, model, items)


def _kind(kinds: str, position: int):
    if kinds == "composite" or (kinds == "mixed" and position % 2):
        return csi.composite
    return csi.reflective


def _paths(kind: str, names: tuple[str, ...], rng: np.random.Generator):
    pairs = [(a, b) for j, b in enumerate(names) for a in names[:j]]
    if kind == "none" or not pairs:
        return []
    if kind == "dense":
        return pairs
    if kind == "star":
        return [(a, names[-1]) for a in names[:-1]]
    chain = list(pairwise(names))
    if kind == "chain":
        return chain
    more = [pair for pair in pairs if pair not in chain and rng.random() < 0.4]
    return chain + more


def _answers(kind: str, position: int, latent: np.ndarray):
    if kind == "mixed":
        kind = ["1-10", "1-5", "0-100", "binary"][position % 4]
    if kind == "normal":
        return latent, (-20.0, 20.0)
    if kind == "binary":
        return (latent > 0.2).astype(float), (0, 1)
    low, high = {"1-10": (1, 10), "1-5": (1, 5), "0-100": (0, 100)}[kind]
    middle, spread = (low + high) / 2, (high - low) / 5
    return np.clip(np.round(middle + spread * latent), low, high), (low, high)


def _make_odd(answers: pd.DataFrame, oddity: str, scales: dict, rng: np.random.Generator) -> None:
    first, last = answers.columns[0], answers.columns[-1]
    low, high = scales[first]
    if oddity == "constant":
        answers[first] = high
    elif oddity == "duplicate":
        answers[last], scales[last] = answers[first], scales[first]
    elif oddity in ("huge", "tiny"):
        factor = 1e9 if oddity == "huge" else 1e-9
        answers[first] *= factor
        scales[first] = (low * factor, high * factor)
    elif oddity == "reversed":
        answers[first] = low + high - answers[first]
    elif oddity == "outlier":
        answers.loc[0, first] = 999_999_999.0
        scales.pop(first)
    elif oddity == "sum" and answers.shape[1] > 2:
        answers[last] = answers.iloc[:, 0] + answers.iloc[:, 1]
        scales.pop(last)


def _groups(kind: str, rows: int, rng: np.random.Generator):
    number = rng.integers(0, 2, rows)
    if kind == "same":
        return np.array(["all"] * rows, dtype=object)
    if kind == "many":
        return np.array([f"g{k}" for k in np.arange(rows) // 4], dtype=object)
    if kind == "one respondent":
        return np.array(["France", *["Spain"] * (rows - 1)], dtype=object)
    if kind == "numbers":
        return number.astype(float) + 0.5
    if kind == "categorical":
        return pd.Categorical.from_codes(number, ["甲", "乙", "nobody"])
    labels = np.array(["a", "b"], dtype=object)[number]
    if kind == "missing":
        labels[rng.random(rows) < 0.3] = None
    return labels


def _make_missing(answers: pd.DataFrame, kind: str, groups, rng: np.random.Generator) -> None:
    gaps = np.zeros(answers.shape, dtype=bool)
    if kind == "some":
        gaps = rng.random(answers.shape) < 0.08
    elif kind == "most of one":
        gaps[:, 0] = rng.random(len(answers)) < 0.8
    elif kind == "whole rows":
        gaps[rng.random(len(answers)) < 0.2] = True
    elif kind == "one group":
        gaps[np.asarray(groups == pd.Series(groups).iloc[0]), 0] = True
    answers[gaps] = np.nan


def _typed(answers: pd.DataFrame, dtype: str) -> pd.DataFrame:
    whole = bool(((answers % 1 == 0) | answers.isna()).all().all())
    small = bool((answers.abs().max() < 120).all())
    full = bool(answers.notna().all().all())
    if dtype == "int8" and whole and small and full:
        return answers.astype("int8")
    if dtype == "Int64" and whole:
        return answers.astype("Int64")
    if dtype == "float32":
        return answers.astype("float32")
    if dtype == "object":
        return answers.astype(object)
    if dtype == "category":
        return answers.astype("category")
    if dtype == "text":
        return answers.map(lambda x: None if pd.isna(x) else f"{x:.17g}")
    if dtype == "arrow":
        return answers.astype("double[pyarrow]")
    return answers


def _add_weights(frame: pd.DataFrame, kind: str, reading: dict, rng: np.random.Generator) -> None:
    if not kind:
        return
    weights = rng.uniform(0.5, 2.0, len(frame))
    if kind == "zeros":
        weights[rng.random(len(frame)) < 0.3] = 0.0
    elif kind == "dominating":
        weights[0] = 1e9
    elif kind == "missing":
        weights[-1] = np.nan
    frame["w"] = weights
    reading["weights"] = "w"


def _add_design(frame: pd.DataFrame, kind: str, reading: dict) -> None:
    row = np.arange(len(frame))
    if kind in ("clusters", "both", "two clusters", "one cluster", "lonely"):
        count = {"two clusters": 2, "one cluster": 1}.get(kind, max(3, len(frame) // 6))
        frame["psu"] = row * count // len(frame)
        reading["cluster"] = "psu"
    if kind == "strata":
        frame["stratum"] = [f"s{k}" for k in row % 3]
    elif kind == "both":
        frame["stratum"] = frame["psu"] // 2
    elif kind == "lonely":
        frame["stratum"] = np.where(frame["psu"] == 0, "alone", "others")
    if "stratum" in frame:
        reading["strata"] = "stratum"


def _add_outcomes(
    frame: pd.DataFrame, kind: str, common: np.ndarray, rng: np.random.Generator
) -> None:
    rows = len(frame)
    score = common + rng.normal(size=rows)
    if kind == "separated":
        score = common * 1e3
    again = (score > 0).astype(float)
    if kind == "constant":
        again[:] = 1.0
    elif kind == "rare":
        again[:] = 0.0
        again[0] = 1.0
    answer = np.clip(np.round(5.5 + 2 * score), 1, 10)
    if kind == "constant":
        answer[:] = 4.0
    if kind == "missing":
        again[::3] = np.nan
        answer[::4] = np.nan
    frame["again"], frame["answer"] = again, answer
    frame["age"] = rng.integers(18, 80, rows)
    frame["months"] = np.ceil(rng.exponential(12.0, rows))
    frame["event"] = (rng.random(rows) < 0.7).astype(float)
    frame["complained"] = (rng.random(rows) < 0.4).astype(float)
    frame["handling"] = rng.integers(1, 11, rows).astype(float)
    frame["firm"] = [f"f{k}" for k in np.arange(rows) % max(2, rows // 10)]
    frame["year"] = 2020 + np.arange(rows) // max(1, rows // 3)
