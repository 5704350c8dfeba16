"""What may not matter: order of rows, items and constructs, units of items, names."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import csimodel as csi
from fuzz.surveys import Case, Recipe, make

TOLERANCE = 1e-8
ESTIMATORS = {
    "PLS": csi.PLS(tolerance=1e-13, max_iterations=3000),
    "PLS centroid": csi.PLS(scheme="centroid", tolerance=1e-13, max_iterations=3000),
    "PLSc": csi.PLS(consistent=True, tolerance=1e-13, max_iterations=3000),
    "ML": csi.ML(tolerance=1e-12),
}


def plain(recipe: Recipe) -> Recipe:
    """Return a recipe whose survey has one answer: enough rows, no column that repeats another."""
    return replace(
        recipe,
        rows=max(recipe.rows, 60),
        oddity="reversed" if recipe.oddity == "reversed" else "",
        missing="some" if recipe.missing else "",
        policy="pairwise" if recipe.policy == "pairwise" else "listwise",
        strength=min(max(recipe.strength, 0.4), 0.7),
        weights="random" if recipe.weights else "",
        outcome="related",
        kinds="reflective" if recipe.kinds == "mixed" else recipe.kinds,
        scale="known",
        names="plain",
        dtype="float64",
    )


@dataclass(frozen=True)
class Change:
    """A case that should give the same numbers, and how its names and rows go back."""

    case: Case
    names: dict[str, str]
    rows: np.ndarray


def changes(case: Case, rng: np.random.Generator) -> dict[str, Change]:
    """Return what may not matter, by law."""
    rows = np.arange(len(case.frame))
    order = rng.permutation(rows)
    shuffled = replace(case, frame=case.frame.iloc[order].reset_index(drop=True))
    return {
        "order of rows": Change(shuffled, {}, order),
        "order of items": Change(_items(case, rng), {}, rows),
        "order of constructs": Change(_constructs(case), {}, rows),
        "units of items": Change(_units(case, rng), {}, rows),
        "names": _renamed(case, rows),
    }


def _rebuilt(case: Case, blocks: dict[str, list[str]]) -> csi.Model:
    kinds = {c.name: c.kind for c in case.model.constructs}
    kind = {name: csi.composite if kinds[name] == "composite" else csi.reflective for name in kinds}
    return csi.Model(
        constructs=tuple(kind[name](name, items) for name, items in blocks.items()),
        paths=case.model.paths,
    )


def _items(case: Case, rng: np.random.Generator) -> Case:
    blocks = {name: list(rng.permutation(items)) for name, items in case.model.blocks.items()}
    return replace(case, model=_rebuilt(case, blocks))


def _constructs(case: Case) -> Case:
    return replace(case, model=_rebuilt(case, dict(reversed(list(case.model.blocks.items())))))


def _units(case: Case, rng: np.random.Generator) -> Case:
    frame, scale = case.frame.copy(), {}
    for item in case.items:
        shift, factor = rng.normal(0, 10), 10.0 ** rng.uniform(-3, 3)
        frame[item] = shift + factor * frame[item]
        low, high = case.reading["scale"][item]
        scale[item] = (shift + factor * low, shift + factor * high)
    # Rounding may carry an answer just past its bound.
    for item, (low, high) in scale.items():
        frame[item] = frame[item].clip(low, high)
    return replace(case, frame=frame, reading={**case.reading, "scale": scale})


def _renamed(case: Case, rows: np.ndarray) -> Change:
    old = [*case.model.construct_names, *case.items]
    new = dict(zip(old, [f"z{len(old) - k}" for k in range(len(old))], strict=True))
    kinds = {c.name: c.kind for c in case.model.constructs}
    model = csi.Model(
        constructs=tuple(
            (csi.composite if kinds[name] == "composite" else csi.reflective)(
                new[name], [new[item] for item in items]
            )
            for name, items in case.model.blocks.items()
        ),
        paths=tuple((new[a], new[b]) for a, b in case.model.paths),
    )
    scale = {new[item]: bounds for item, bounds in case.reading["scale"].items()}
    renamed = replace(
        case, frame=case.frame.rename(columns=new), model=model,
        reading={**case.reading, "scale": scale}, items=[new[item] for item in case.items],
    )  # fmt: skip
    return Change(renamed, {v: k for k, v in new.items()}, rows)


def answers(case: Case, estimator: object) -> dict[str, pd.Series | pd.DataFrame] | None:
    """Return what is compared, None where there is no solution to compare."""
    try:
        survey = csi.read_survey(case.frame, **case.reading)
        fit = csi.fit(case.model, survey, estimator)
        if not fit.converged or any(f.severity == "failure" for f in fit.diagnostics):
            return None
        tables = {
            "paths": fit.paths, "loadings": fit.loadings, "weights": fit.weights, "r2": fit.r2,
            "construct_cor": fit.construct_cor, "residuals": fit.residuals,
            "total_effects": fit.total_effects,
        }  # fmt: skip
        tables["index"] = csi.index_scores(fit)[["mean", "se", "lower", "upper"]]
        tables["by group"] = csi.index_scores(fit, "wave")["mean"].unstack(0)
        rep = csi.repurchase(fit, "answer", index=case.last, scale=(1, 10), progress=False)
        tables["regression"] = rep.coefficients[["estimate", "se"]]
        tables["effect"] = rep.average_marginal_effects[["estimate", "se"]]
    except csi.CsimodelError:
        return None
    return tables


def differences(recipe: Recipe, name: str):
    """Yield (law, table, largest relative difference) of a case under each law."""
    case = make(plain(recipe))
    estimator = ESTIMATORS[name]
    first = answers(case, estimator)
    if first is None:
        return
    last = case.last
    for law, change in changes(case, np.random.default_rng(recipe.seed)).items():
        then = answers(replace_last(change, last), estimator)
        if then is None:
            yield law, "no answer", np.inf
            continue
        for table, values in first.items():
            again = then[table].rename(index=change.names)
            if isinstance(values, pd.DataFrame):
                again = again.rename(columns=change.names).reindex(columns=values.columns)
            again = again.reindex(index=values.index)
            yield law, table, _distance(values, again)


@dataclass(frozen=True, eq=False)
class _Case(Case):
    """A case whose last construct is named, wherever it stands."""

    target: str = ""

    @property
    def last(self) -> str:
        return self.target


def replace_last(change: Change, last: str) -> Case:
    """Return the changed case with the first case's target."""
    back = {old: new for new, old in change.names.items()}
    case = change.case
    return _Case(
        case.recipe, case.frame, case.reading, case.model, case.items, back.get(last, last)
    )


def _distance(values: pd.Series | pd.DataFrame, again: pd.Series | pd.DataFrame) -> float:
    one, other = np.asarray(values, dtype=float), np.asarray(again, dtype=float)
    if (np.isnan(one) != np.isnan(other)).any():
        return float("inf")
    size = np.maximum(np.abs(one), 1.0)
    return float(np.nanmax(np.abs(one - other) / size, initial=0.0))
