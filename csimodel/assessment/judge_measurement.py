"""Verdicts on the measurement: reliability, loadings, and whether constructs differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from csimodel.assessment import reliability, validity
from csimodel.assessment.verdicts import (
    FORNELL_LARCKER,
    HAIR_2019,
    HENSELER_2015,
    IMPOSSIBLE,
    NOT_JUDGED,
    NUNNALLY,
    TOO_HIGH,
    Verdict,
    graded,
    limit,
    shown,
)
from csimodel.bounds import BOUNDS
from csimodel.estimators import Fit
from csimodel.estimators.quantities import pairs_of_constructs

_ROUNDING = 1e-12


def formed(fit: Fit) -> tuple[bool, ...]:
    """Tell which constructs are formed by their items, which then need not agree.

    Composites whose weights come from a regression on the items (mode B).
    """
    modes = reliability.modes_of(fit.solution)
    return tuple(
        construct.kind == "composite" and mode not in ("A", "unit")
        for construct, mode in zip(fit.model.constructs, modes, strict=True)
    )


def judge_reliability(fit: Fit) -> Iterator[Verdict]:
    """Judge alpha, rho_A, rho_C and AVE of every construct."""
    values = {
        "alpha": reliability.alpha(fit.solution),
        "rho_a": reliability.rho_a(fit.solution),
        "rho_c": reliability.rho_c(fit.solution),
        "ave": reliability.ave(fit.solution),
    }
    for j, construct in enumerate(fit.model.constructs):
        name = construct.name
        if construct.kind == "single":
            yield _unjudged(
                name,
                f"{name!r} is measured by one question, so its reliability cannot be judged and "
                "its errors go into the results uncorrected; two or three questions would tell.",
            )
            continue
        if formed(fit)[j]:
            yield _unjudged(
                name,
                f"The questions of {name!r} form it and need not agree, so reliability and shared "
                "variance do not apply to it; look at the weights and at how far its questions "
                "repeat each other (item_vif).",
            )
            continue
        for measure in ("alpha", "rho_a", "rho_c"):
            yield _consistency(measure, name, float(values[measure][j]))
        yield _extracted(name, float(values["ave"][j]))


def _unjudged(name: str, sentence: str) -> Verdict:
    return Verdict("reliability", name, np.nan, "", NOT_JUDGED, HAIR_2019, sentence)


def _consistency(measure: str, name: str, value: float) -> Verdict:
    label = {"alpha": "alpha", "rho_a": "rho_A", "rho_c": "composite reliability"}[measure]
    threshold = "0.70 to 0.95"
    if np.isnan(value):
        sentence = (
            f"{label} of {name!r} is not defined, because its weights are not those of mode A."
        )
        return Verdict(measure, name, value, threshold, NOT_JUDGED, NUNNALLY, sentence)
    said = f"{label} {shown(value)}"
    bounds = BOUNDS[measure]
    if bounds.below(value):
        verdict, sentence = (
            IMPOSSIBLE,
            f"The reliability of {name!r} is estimated below 0 ({said}), which cannot be; its "
            "questions contradict each other, so look for one asked the other way round.",
        )
    elif bounds.above(value):
        verdict, sentence = (
            IMPOSSIBLE,
            f"The reliability of {name!r} is estimated above 1 ({said}), which cannot be; its "
            "questions do not behave as measures of one thing.",
        )
    elif value > limit("reliability too high"):
        verdict, sentence = (
            TOO_HIGH,
            f"The questions of {name!r} nearly repeat each other ({said}); "
            "fewer of them would say as much.",
        )
    elif value >= limit("reliability good"):
        verdict, sentence = (
            "good",
            f"The questions of {name!r} agree well enough to be read as one score ({said}).",
        )
    elif value >= limit("reliability acceptable"):
        verdict, sentence = (
            "acceptable",
            f"The questions of {name!r} agree moderately ({said}): enough for exploring, "
            "little for decisions.",
        )
    else:
        verdict, sentence = (
            "poor",
            f"The questions of {name!r} hardly agree ({said}), so their score is noisy; "
            "look for a question that does not belong.",
        )
    return Verdict(measure, name, value, threshold, verdict, NUNNALLY, sentence)


def _extracted(name: str, value: float) -> Verdict:
    share = f"{100.0 * value:.0f} %"
    if np.isnan(value):
        verdict = NOT_JUDGED
        sentence = (
            f"What {name!r} explains of its questions has no value, as its loadings have none."
        )
    elif BOUNDS["ave"].beyond(value):
        verdict = IMPOSSIBLE
        sentence = f"{name!r} would explain {share} of its questions' variation, which cannot be."
    elif value >= limit("ave good"):
        verdict = "good"
        sentence = f"{name!r} explains {share} of the variation in its questions, half or more."
    else:
        verdict = "poor"
        sentence = (
            f"{name!r} explains only {share} of the variation in its questions; "
            "the rest is error or something else."
        )
    return Verdict("ave", name, value, "at least 0.50", verdict, FORNELL_LARCKER, sentence)


def judge_loadings(fit: Fit) -> Iterator[Verdict]:
    """Judge the loading of every item that reflects its construct."""
    model, exempt = fit.model, formed(fit)
    for item, owner, value in zip(model.items, model.owner, fit.estimates.loadings, strict=True):
        construct = model.constructs[owner]
        if construct.kind == "single" or exempt[owner]:
            continue
        said = f"loading {shown(value)}"
        if np.isnan(value):
            verdict = NOT_JUDGED
            sentence = f"The loading of {item!r} has no value, as {construct.name!r} has none."
        elif BOUNDS["loading"].beyond(value):
            verdict = IMPOSSIBLE
            sentence = f"{item!r} would measure {construct.name!r} beyond perfection ({said})."
        elif value <= -limit("loading acceptable"):
            verdict = "poor"
            sentence = (
                f"{item!r} measures the opposite of {construct.name!r} ({said}); declare it "
                "reversed, or check its wording."
            )
        else:
            steps = [(limit("loading good"), "good"), (limit("loading acceptable"), "acceptable")]
            verdict = graded(value, steps, "poor")
            sentence = {
                "good": f"{item!r} measures {construct.name!r} well ({said}).",
                "acceptable": f"{item!r} measures {construct.name!r} with as much noise as signal, "
                f"or more ({said}); keep it if its content is needed.",
                "poor": f"{item!r} hardly measures {construct.name!r} ({said}); "
                "leave it out or check its wording.",
            }[verdict]
        yield Verdict("loading", item, float(value), "at least 0.708", verdict, HAIR_2019, sentence)


def judge_htmt(fit: Fit, table: pd.DataFrame, level: float) -> Iterator[Verdict]:
    """Judge whether pairs of constructs differ, by HTMT and, when there are draws, its interval."""
    exempt = dict(zip(fit.model.construct_names, formed(fit), strict=True))
    single = {c.name for c in fit.model.constructs if c.kind == "single"}
    firsts, seconds = (table.index.get_level_values(at).tolist() for at in (0, 1))
    estimates = table["estimate"].tolist()
    uppers = table["upper"].tolist() if "upper" in table else [None] * len(table)
    for first, second, value, upper in zip(firsts, seconds, estimates, uppers, strict=True):
        pair = f"{second} and {first}"
        threshold = "below 0.85, or 0.90 for constructs close in meaning"
        if exempt[first] or exempt[second] or np.isnan(value):
            sentence = (
                f"HTMT does not apply to {second!r} and {first!r}, "
                "because it needs questions that agree within each construct."
            )
            yield Verdict("htmt", pair, value, threshold, NOT_JUDGED, HENSELER_2015, sentence)
            continue
        verdict = graded(
            -value,
            [
                (-limit("htmt good") + _ROUNDING, "good"),
                (-limit("htmt acceptable") + _ROUNDING, "acceptable"),
            ],
            "poor",
        )
        said = f"HTMT {shown(value)}"
        sentence = {
            "good": f"Respondents tell {second!r} and {first!r} apart ({said}).",
            "acceptable": f"Respondents tell {second!r} and {first!r} apart if the two are close "
            f"in meaning ({said}).",
            "poor": f"Respondents answer {second!r} and {first!r} as if they were one thing "
            f"({said}); merge them or change their questions.",
        }[verdict]
        if {first, second} & single and verdict != "poor":
            sentence = sentence[:-1] + "; with a single question this comparison is lenient."
        yield Verdict("htmt", pair, value, threshold, verdict, HENSELER_2015, sentence)
        if upper is not None:
            yield _interval(pair, first, second, upper, level)


def _interval(pair: str, first: str, second: str, upper: float, level: float) -> Verdict:
    percent = f"{100.0 * level:g} %"
    asked = f"upper end of the {percent} interval below 1"
    if not np.isfinite(upper):
        sentence = (
            f"Whether {second!r} and {first!r} are one and the same cannot be tested: HTMT has no "
            "interval with these data."
        )
        return Verdict("htmt interval", pair, upper, asked, NOT_JUDGED, HENSELER_2015, sentence)
    if upper < limit("htmt interval"):
        verdict = "good"
        sentence = f"That {second!r} and {first!r} are one and the same can be ruled out"
    else:
        verdict = "poor"
        sentence = f"That {second!r} and {first!r} are one and the same cannot be ruled out"
    return Verdict(
        "htmt interval",
        pair,
        upper,
        asked,
        verdict,
        HENSELER_2015,
        f"{sentence} (HTMT up to {shown(upper)} with {percent} confidence).",
    )


def judge_fornell_larcker(fit: Fit) -> Iterator[Verdict]:
    """Judge whether each construct shares more with its items than with any other construct."""
    extracted = np.sqrt(reliability.ave(fit.solution))
    cor = np.abs(fit.estimates.construct_cor - np.eye(len(extracted)))
    exempt, names = formed(fit), fit.model.construct_names
    for j, construct in enumerate(fit.model.constructs):
        if construct.kind == "single" or exempt[j] or len(names) < 2:
            continue
        root = float(extracted[j])
        if not (np.isfinite(cor[j]).all() and np.isfinite(root)):
            sentence = (
                f"Whether {construct.name!r} is tied more closely to its own questions than to "
                "others cannot be judged, because loadings or correlations have no value."
            )
            yield Verdict(
                "fornell_larcker", construct.name, root, "", NOT_JUDGED, FORNELL_LARCKER, sentence
            )
            continue
        nearest = int(cor[j].argmax())
        most, other = float(cor[j, nearest]), names[nearest]
        told = f"{shown(root)} against {shown(most)}"
        if BOUNDS["correlation"].beyond(most):
            verdict = IMPOSSIBLE
            sentence = (
                f"{construct.name!r} and {other!r} would correlate {shown(most)}, beyond 1, which "
                "cannot be."
            )
        elif root > most:
            verdict = "good"
            sentence = (
                f"{construct.name!r} is tied more closely to its own questions than to {other!r} "
                f"({told})."
            )
        else:
            verdict = "poor"
            sentence = (
                f"{construct.name!r} is tied more closely to {other!r} than to its own questions "
                f"({told})."
            )
        yield Verdict(
            "fornell_larcker",
            construct.name,
            root,
            f"above {shown(most)}, its largest correlation ({other})",
            verdict,
            FORNELL_LARCKER,
            sentence,
        )


def htmt_table(fit: Fit) -> pd.DataFrame:
    """Return HTMT of every pair, one column, estimate."""
    values = validity.htmt(fit.solution)
    return pd.DataFrame({"estimate": values}, index=pairs_of_constructs(fit.model))
