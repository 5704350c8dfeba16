"""Verdicts on the regressions and on the model as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from csimodel.assessment import global_fit, structure, wording
from csimodel.assessment.judge_measurement import formed
from csimodel.assessment.verdicts import (
    COHEN,
    DIJKSTRA_2015,
    HAIR_2019,
    HU_BENTLER,
    IMPOSSIBLE,
    NOT_JUDGED,
    Verdict,
    graded,
    limit,
)
from csimodel.assessment.wording import EXACT
from csimodel.bounds import BOUNDS
from csimodel.estimators import Fit
from csimodel.estimators.failures import exactly_explained
from csimodel.translation import message

Floats = NDArray[np.float64]

_VIF = "below 3; up to 5 tolerable"
_SIZES = (
    (limit("f2 large"), message("large")),
    (limit("f2 medium"), message("medium")),
    (limit("f2 small"), message("small")),
)
_R2 = (
    (limit("r2 substantial"), message("substantial")),
    (limit("r2 moderate"), message("moderate")),
    (limit("r2 weak"), message("weak")),
)


def exact_inflation(values: Floats, rows: int) -> bool:
    """Tell whether variables follow from each other in so few rows, whatever was answered.

    >>> exact_inflation(np.full(7, np.inf), 5), exact_inflation(np.full(7, np.inf), 250)
    (True, False)
    """
    return rows <= len(values) and bool(np.isinf(values).any())


def _vif_verdict(value: float) -> str:
    if np.isnan(value):
        return NOT_JUDGED
    if BOUNDS["item_vif"].below(value):
        return IMPOSSIBLE
    tolerable = "acceptable" if value < limit("vif acceptable") else "poor"
    return "good" if value < limit("vif good") else tolerable


def judge_item_vif(fit: Fit) -> Iterator[Verdict]:
    """Judge how far each item repeats the others of its construct."""
    model, exempt = fit.model, formed(fit)
    values = structure.item_vif(fit.solution)
    for item, owner, value in zip(model.items, model.owner, values, strict=True):
        construct = model.constructs[owner]
        if construct.kind == "single":
            continue
        exact = exact_inflation(values[model.slices[owner]], fit.n)
        verdict = NOT_JUDGED if exact else _vif_verdict(value)
        harm = wording.REPEATING_FORMED if exempt[owner] else wording.REPEATING
        template = harm if verdict == "poor" else wording.ITEM_VIF[EXACT if exact else verdict]
        fields = {"item": item, "construct": construct.name, "rows": fit.n}
        yield Verdict("item_vif", item, float(value), _VIF, verdict, HAIR_2019, template, fields)


def judge_antecedents(fit: Fit) -> Iterator[Verdict]:
    """Judge collinearity among the antecedents of a construct, where there are several."""
    names = fit.model.construct_names
    values = structure.antecedent_vif(fit.solution)
    targets, sources = np.nonzero(fit.model.adjacency)
    several = fit.model.adjacency.sum(axis=1) > 1
    for target, source, value in zip(targets, sources, values, strict=True):
        if not several[target]:
            continue
        antecedent, outcome = names[source], names[target]
        exact = exact_inflation(values[targets == target], fit.n)
        verdict = NOT_JUDGED if exact else _vif_verdict(value)
        yield Verdict(
            "antecedent_vif",
            f"{antecedent} → {outcome}",
            float(value),
            _VIF,
            verdict,
            HAIR_2019,
            wording.ANTECEDENT_VIF[EXACT if exact else verdict],
            {"antecedent": antecedent, "outcome": outcome, "rows": fit.n},
        )


def judge_effects(fit: Fit) -> Iterator[Verdict]:
    """Name the size of each path's contribution, and of each R²."""
    names, explained = fit.model.construct_names, exactly_explained(fit.solution)
    targets, sources = np.nonzero(fit.model.adjacency)
    for target, source, value in zip(targets, sources, structure.f2(fit.solution), strict=True):
        antecedent, outcome = names[source], names[target]
        exact = outcome in explained
        known = np.isfinite(value) and not exact
        size = graded(value, _SIZES, message("negligible")) if known else NOT_JUDGED
        yield Verdict(
            "f2",
            f"{antecedent} → {outcome}",
            float(value),
            "0.02 small, 0.15 medium, 0.35 large",
            size,
            COHEN,
            wording.F2[EXACT if exact else size],
            {"antecedent": antecedent, "outcome": outcome, "rows": fit.n},
        )
    for name, r2 in fit.r2.items():
        yield _explained(str(name), float(r2), fit.n, name in explained)


def _explained(name: str, value: float, rows: int, exact: bool = False) -> Verdict:
    """Name the size of an R², which says nothing where so few rows are fitted exactly."""
    if np.isnan(value) or exact:
        size = NOT_JUDGED
    elif BOUNDS["r2"].beyond(value):
        size = IMPOSSIBLE
    else:
        size = graded(value, _R2, message("very weak"))
    asked = "0.25 weak, 0.50 moderate, 0.75 substantial"
    fields = {"construct": name, "percent": 100.0 * value, "rows": rows}
    template = wording.R2[EXACT if exact else size]
    return Verdict("r2", name, value, asked, size, HAIR_2019, template, fields)


def judge_global(fit: Fit) -> Iterator[Verdict]:
    """Judge the distance between observed and implied correlations."""
    if fit.model.terms:
        fields = {"term": fit.model.terms[0].name}
        yield Verdict(
            "srmr",
            message("whole model"),
            np.nan,
            "",
            NOT_JUDGED,
            HU_BENTLER,
            wording.SRMR_TERMS,
            fields,
        )
        return
    for saturated in (False, True):
        subject = message("saturated model") if saturated else message("estimated model")
        value = float(global_fit.srmr(fit.solution, saturated))
        verdict = "acceptable" if value < limit("srmr acceptable") else "poor"
        if np.isnan(value):
            verdict = NOT_JUDGED
        elif value < limit("srmr good"):
            verdict = "good"
        table = (
            wording.SRMR_UNCORRECTED
            if _uncorrected(fit) and verdict in wording.SRMR_UNCORRECTED
            else wording.SRMR
        )
        yield Verdict(
            "srmr",
            subject,
            value,
            "below 0.08",
            verdict,
            HU_BENTLER,
            table[verdict],
            {"part": message("measurement alone") if saturated else message("whole model")},
        )
        if np.isnan(global_fit.d_g(fit.solution, saturated)):
            yield Verdict(
                "d_g",
                subject,
                np.nan,
                "",
                NOT_JUDGED,
                DIJKSTRA_2015,
                "The geodesic distance does not exist, because the observed or the implied "
                "correlations contradict each other (they are not positive definite).",
            )


def _uncorrected(fit: Fit) -> bool:
    """Whether loadings of reflective constructs are those of PLS, which overstates them."""
    reflective = any(construct.kind == "reflective" for construct in fit.model.constructs)
    return fit.estimator.paths_between_scores and reflective
