"""Verdicts on the regressions and on the model as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from csimodel.assessment import global_fit, structure
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
    shown,
)
from csimodel.bounds import BOUNDS
from csimodel.estimators import PLS, Fit

_VIF = "below 3; up to 5 tolerable"
_SIZES = tuple((limit(f"f2 {word}"), word) for word in ("large", "medium", "small"))
_R2 = tuple((limit(f"r2 {word}"), word) for word in ("substantial", "moderate", "weak"))


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
        verdict, said = _vif_verdict(value), f"VIF {shown(value)}"
        others = f"the other questions of {construct.name!r}"
        harm = (
            "so its weight is unsure; drop or combine some of them"
            if exempt[owner]
            else "so it adds little; one of them could go"
        )
        sentence = {
            "good": f"{item!r} does not repeat {others} ({said}).",
            "acceptable": f"{item!r} partly repeats {others} ({said}).",
            "poor": f"{item!r} repeats {others} ({said}), {harm}.",
            IMPOSSIBLE: f"Whether {item!r} repeats {others} cannot be told, as its variance "
            f"inflation is below 1 ({said}), which cannot be.",
            NOT_JUDGED: f"Whether {item!r} repeats {others} cannot be told, because the "
            "correlations of these contradict each other.",
        }[verdict]
        yield Verdict("item_vif", item, float(value), _VIF, verdict, HAIR_2019, sentence)


def judge_antecedents(fit: Fit) -> Iterator[Verdict]:
    """Judge collinearity among the antecedents of a construct, where there are several."""
    names = fit.model.construct_names
    values = structure.antecedent_vif(fit.solution)
    targets, sources = np.nonzero(fit.model.adjacency)
    several = fit.model.adjacency.sum(axis=1) > 1
    for target, source, value in zip(targets, sources, values, strict=True):
        if not several[target]:
            continue
        verdict, said = _vif_verdict(value), f"VIF {shown(value)}"
        antecedent, outcome = names[source], names[target]
        sentence = {
            "good": f"The effect of {antecedent!r} on {outcome!r} can be told from those of the "
            f"other antecedents ({said}).",
            "acceptable": f"{antecedent!r} overlaps with the other antecedents of {outcome!r} "
            f"({said}), which makes its effect less sure.",
            "poor": f"{antecedent!r} overlaps so much with the other antecedents of {outcome!r} "
            f"({said}) that its own effect can hardly be told.",
            IMPOSSIBLE: f"The variance inflation of {antecedent!r} among the antecedents of "
            f"{outcome!r} is below 1 ({said}), which cannot be.",
            NOT_JUDGED: f"The antecedents of {outcome!r} have correlations that contradict each "
            "other, so their effects are not to be trusted.",
        }[verdict]
        yield Verdict(
            "antecedent_vif",
            f"{antecedent} → {outcome}",
            float(value),
            _VIF,
            verdict,
            HAIR_2019,
            sentence,
        )


def judge_effects(fit: Fit) -> Iterator[Verdict]:
    """Name the size of each path's contribution, and of each R²."""
    names = fit.model.construct_names
    targets, sources = np.nonzero(fit.model.adjacency)
    for target, source, value in zip(targets, sources, structure.f2(fit.solution), strict=True):
        antecedent, outcome = names[source], names[target]
        known = np.isfinite(value)
        size = graded(value, _SIZES, "negligible") if known else NOT_JUDGED
        yield Verdict(
            "f2",
            f"{antecedent} → {outcome}",
            float(value),
            "0.02 small, 0.15 medium, 0.35 large",
            size,
            COHEN,
            f"{antecedent!r} makes a {size} difference to how well {outcome!r} is explained "
            f"(f² {shown(value)})."
            if known
            else f"What {antecedent!r} adds to {outcome!r} cannot be computed, because the "
            "antecedents overlap completely or explain all of it.",
        )
    for name, r2 in fit.r2.items():
        yield _explained(str(name), float(r2))


def _explained(name: str, value: float) -> Verdict:
    """Name the size of an R²."""
    share = f"{100.0 * value:.0f} %"
    if np.isnan(value):
        size = NOT_JUDGED
        sentence = f"How much of {name!r} is explained has no value, as its paths have none."
    elif BOUNDS["r2"].beyond(value):
        size = IMPOSSIBLE
        sentence = (
            f"The share of the differences in {name!r} that the model explains is estimated at "
            f"{value:.3f}, outside 0 to 1, which cannot be; its paths are not to be trusted either."
        )
    else:
        size = graded(value, _R2, "very weak")
        sentence = f"The model explains {share} of the differences in {name!r}, which is {size}."
    asked = "0.25 weak, 0.50 moderate, 0.75 substantial"
    return Verdict("r2", name, value, asked, size, HAIR_2019, sentence)


def judge_global(fit: Fit) -> Iterator[Verdict]:
    """Judge the distance between observed and implied correlations."""
    for saturated in (False, True):
        subject = "saturated model" if saturated else "estimated model"
        value = float(global_fit.srmr(fit.solution, saturated))
        verdict = "acceptable" if value < limit("srmr acceptable") else "poor"
        if np.isnan(value):
            verdict = NOT_JUDGED
        elif value < limit("srmr good"):
            verdict = "good"
        about = "the measurement alone" if saturated else "the whole model"
        sentence = {
            "good": f"Judged by {about}, correlations among questions are reproduced closely",
            "acceptable": f"Judged by {about}, correlations among questions are reproduced roughly",
            "poor": f"Judged by {about}, correlations among questions are not reproduced",
            NOT_JUDGED: f"Judged by {about}, nothing can be said, as it implies no correlations",
        }[verdict]
        yield Verdict(
            "srmr",
            subject,
            value,
            "below 0.08",
            verdict,
            HU_BENTLER,
            f"{sentence} (SRMR {shown(value)}).{_uncorrected(fit) if verdict != 'good' else ''}",
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


def _uncorrected(fit: Fit) -> str:
    reflective = any(construct.kind == "reflective" for construct in fit.model.constructs)
    if isinstance(fit.estimator, PLS) and not fit.estimator.consistent and reflective:
        return (
            " Uncorrected PLS overstates the loadings of reflective constructs, which counts "
            "against it here; judge this by PLS(consistent=True)."
        )
    return ""
