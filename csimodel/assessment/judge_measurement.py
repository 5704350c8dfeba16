"""Verdicts on the measurement: reliability, loadings, and whether constructs differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from csimodel.assessment import reliability, validity, wording
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
)
from csimodel.bounds import BOUNDS
from csimodel.estimators import Fit
from csimodel.estimators.quantities import pairs_told_apart

_ROUNDING = 1e-12
_LABELS = {"alpha": "alpha", "rho_a": "rho_A", "rho_c": "composite reliability"}


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
        if name in fit.model.products:
            continue
        if construct.kind == "single" or formed(fit)[j]:
            why = wording.UNJUDGED["single" if construct.kind == "single" else "formed"]
            fields = {"construct": name}
            yield Verdict("reliability", name, np.nan, "", NOT_JUDGED, HAIR_2019, why, fields)
            continue
        for measure in ("alpha", "rho_a", "rho_c"):
            yield _consistency(measure, name, float(values[measure][j]))
        yield _extracted(name, float(values["ave"][j]))


def _consistency(measure: str, name: str, value: float) -> Verdict:
    bounds = BOUNDS[measure]
    if np.isnan(value):
        case = NOT_JUDGED
    elif bounds.beyond(value):
        case = "below" if bounds.below(value) else "above"
    elif value > limit("reliability too high"):
        case = TOO_HIGH
    else:
        steps = [
            (limit("reliability good"), "good"),
            (limit("reliability acceptable"), "acceptable"),
        ]
        case = graded(value, steps, "poor")
    verdict = IMPOSSIBLE if case in ("below", "above") else case
    return Verdict(
        measure,
        name,
        value,
        "0.70 to 0.95",
        verdict,
        NUNNALLY,
        wording.CONSISTENCY[case],
        {"construct": name, "label": _LABELS[measure]},
    )


def _extracted(name: str, value: float) -> Verdict:
    if np.isnan(value):
        verdict = NOT_JUDGED
    elif BOUNDS["ave"].beyond(value):
        verdict = IMPOSSIBLE
    else:
        verdict = "good" if value >= limit("ave good") else "poor"
    fields = {"construct": name, "percent": 100.0 * value}
    asked, template = "at least 0.50", wording.AVE[verdict]
    return Verdict("ave", name, value, asked, verdict, FORNELL_LARCKER, template, fields)


def judge_loadings(fit: Fit) -> Iterator[Verdict]:
    """Judge the loading of every item that reflects its construct."""
    model, exempt = fit.model, formed(fit)
    for item, owner, value in zip(model.items, model.owner, fit.estimates.loadings, strict=True):
        construct = model.constructs[owner]
        if construct.kind == "single" or exempt[owner]:
            continue
        if np.isnan(value):
            case = NOT_JUDGED
        elif BOUNDS["loading"].beyond(value):
            case = IMPOSSIBLE
        elif value <= -limit("loading acceptable"):
            case = "opposite"
        else:
            steps = [(limit("loading good"), "good"), (limit("loading acceptable"), "acceptable")]
            case = graded(value, steps, "poor")
        yield Verdict(
            "loading",
            item,
            float(value),
            "at least 0.708",
            "poor" if case == "opposite" else case,
            HAIR_2019,
            wording.LOADING[case],
            {"item": item, "construct": construct.name},
        )


def judge_htmt(fit: Fit, table: pd.DataFrame, level: float) -> Iterator[Verdict]:
    """Judge whether pairs of constructs differ, by HTMT and, when there are draws, its interval."""
    exempt = dict(zip(fit.model.construct_names, formed(fit), strict=True))
    single = {c.name for c in fit.model.constructs if c.kind == "single"}
    firsts, seconds = (table.index.get_level_values(at).tolist() for at in (0, 1))
    estimates = table["estimate"].tolist()
    uppers = table["upper"].tolist() if "upper" in table else [None] * len(table)
    for first, second, value, upper in zip(firsts, seconds, estimates, uppers, strict=True):
        pair, fields = f"{second} and {first}", {"first": first, "second": second}
        threshold = "below 0.85, or 0.90 for constructs close in meaning"
        if exempt[first] or exempt[second] or np.isnan(value):
            why = wording.HTMT[NOT_JUDGED, False]
            yield Verdict("htmt", pair, value, threshold, NOT_JUDGED, HENSELER_2015, why, fields)
            continue
        verdict = graded(
            -value,
            [
                (-limit("htmt good") + _ROUNDING, "good"),
                (-limit("htmt acceptable") + _ROUNDING, "acceptable"),
            ],
            "poor",
        )
        lenient = verdict != "poor" and bool({first, second} & single)
        template = wording.HTMT[verdict, lenient]
        yield Verdict("htmt", pair, value, threshold, verdict, HENSELER_2015, template, fields)
        if upper is not None:
            yield _interval(pair, first, second, upper, level)


def _interval(pair: str, first: str, second: str, upper: float, level: float) -> Verdict:
    if not np.isfinite(upper):
        verdict = NOT_JUDGED
    else:
        verdict = "good" if upper < limit("htmt interval") else "poor"
    return Verdict(
        "htmt interval",
        pair,
        upper,
        "upper end of the {percent:g} % interval below 1",
        verdict,
        HENSELER_2015,
        wording.HTMT_INTERVAL[verdict],
        {"first": first, "second": second, "percent": 100.0 * level},
    )


def judge_fornell_larcker(fit: Fit) -> Iterator[Verdict]:
    """Judge whether each construct shares more with its items than with any other construct."""
    extracted = np.sqrt(reliability.ave(fit.solution))
    cor = np.where(fit.model.apart, np.abs(fit.estimates.construct_cor), 0.0)
    exempt, names = formed(fit), fit.model.construct_names
    for j, construct in enumerate(fit.model.constructs):
        if construct.kind == "single" or exempt[j] or len(names) < 2:
            continue
        root = float(extracted[j])
        if not (np.isfinite(cor[j]).all() and np.isfinite(root)):
            why, fields = wording.FORNELL_LARCKER_UNKNOWN, {"construct": construct.name}
            yield Verdict(
                "fornell_larcker",
                construct.name,
                root,
                "",
                NOT_JUDGED,
                FORNELL_LARCKER,
                why,
                fields,
            )
            continue
        nearest = int(cor[j].argmax())
        most = float(cor[j, nearest])
        if BOUNDS["correlation"].beyond(most):
            verdict = IMPOSSIBLE
        else:
            verdict = "good" if root > most else "poor"
        yield Verdict(
            "fornell_larcker",
            construct.name,
            root,
            "above {most:.3f}, its largest correlation ({other})",
            verdict,
            FORNELL_LARCKER,
            wording.FORNELL_LARCKER[verdict],
            {"construct": construct.name, "other": names[nearest], "most": most},
        )


def htmt_table(fit: Fit) -> pd.DataFrame:
    """Return HTMT of every pair, one column, estimate."""
    values = validity.htmt(fit.solution)
    return pd.DataFrame({"estimate": values}, index=pairs_told_apart(fit.model))
