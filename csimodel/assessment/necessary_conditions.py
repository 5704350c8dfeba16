"""`necessary_conditions`: without how much of a driver a high outcome is not seen (NCA)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked
from csimodel.assessment.ceilings import (
    CEILINGS,
    Ceiling,
    CeilingKind,
    Scatter,
    unit_coordinates,
)
from csimodel.assessment.exchanged_rows import ExchangedRows
from csimodel.assessment.necessity import NecessaryConditions, verdict_of
from csimodel.bounds import THRESHOLDS
from csimodel.errors import ModelError, OptionError, SurveyError, suggest
from csimodel.estimators import Fit, require_fit
from csimodel.estimators.quantities import reachable
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.options import require_level, require_names, seed_of
from csimodel.progress import progress_bar
from csimodel.significance import permutation_pvalue
from csimodel.translation import message

Floats = NDArray[np.float64]

_TOGETHER = 2**21  # outcomes exchanged at once
_ALIKE = message("all respondents have the same score")
_FEW_WAYS = message("fewer than 20 ways to exchange respondents")
_SIZES = (
    (THRESHOLDS["necessity very large"].value, "very large"),
    (THRESHOLDS["necessity large"].value, "large"),
    (THRESHOLDS["necessity medium"].value, "medium"),
    (THRESHOLDS["necessity small"].value, "small"),
)
_NECESSARY = (
    "{driver} is a necessary condition of {target} as far as these data show: high {target} was "
    "hardly seen with low {driver} (effect size {size:.2f}, {p:p})."
)
_NOT_SHOWN = (
    "These data do not show that {driver} is a necessary condition of {target} (effect size "
    "{size:.2f}, {p:p})."
)
_NOT_JUDGED = "Whether {driver} is a necessary condition of {target} is not judged ({reason})."
_LEFT_OUT = (
    "{count} of {total} respondents without a score of {target} or a driver {count:is|are} left "
    "out of the necessary conditions."
)
_WITHIN = (
    "Scores of {target} are exchanged among respondents of the same cluster, so what differs "
    "between the {clusters} clusters says nothing of necessity here."
)


@own_errstate
@checked
def necessary_conditions(
    fit: Fit,
    target: str = "Satisfaction",
    permutations: int | ArrayLike = 1_000,
    rng: int | np.random.Generator | None = 0,
    *,
    drivers: str | Sequence[str] | None = None,
    ceiling: CeilingKind = "ce_fdh",
    level: float = 0.95,
    progress: bool = True,
) -> NecessaryConditions:
    """Find the constructs without which a high target is not seen (necessary condition analysis).

    Paths say what a driver adds on average; a necessary condition is one that nothing else makes up
    for. Where it is necessary no respondent has a high target with a low driver: the upper left
    corner of the scatter of scores is empty, and the effect size is the share of the area that lies
    above a ceiling over the points.

    Parameters
    ----------
    fit
        With scores of respondents.
    target
        The construct whose high scores are the outcome.
    permutations
        How often scores of the target are exchanged among respondents; or the permutations
        themselves, row numbers from 0, (permutations, respondents).
    rng
        An integer seed or a NumPy generator; None for different permutations each time.
    drivers
        Constructs that may be necessary; by default all that a path leads from to the target.
    ceiling
        What is judged by: ``"ce_fdh"``, steps that no respondent is above, or ``"cr_fdh"``, the
        line through their corners, which some are.
    level
        1 less the size of the tests.
    progress
        Show a bar when it takes longer than a second.

    Returns
    -------
    NecessaryConditions

    Raises
    ------
    ModelError
        When the target or a driver is not in the model, or nothing affects the target.
    OptionError
        When a driver is the target, or permutations are none.
    SurveyError
        When the fit was made from moments, or fewer than 3 respondents have scores.
    EstimationError
        When the fit is no solution.

    Notes
    -----
    Effect sizes do not depend on the units of scores, so they are those of the 0-100 index, too.
    The range is that of the scores observed. p is ``(1 + #{d* ≥ d})/(1 + permutations)``: what was
    seen is one of the permutations, so p is never 0 (programs that give ``#{d* ≥ d}/permutations``
    have it smaller). Weights of items are taken as known; by PLS those of a driver and a target
    without other neighbours are the ones by which they correlate most in this sample, and where
    they are independent the test at 5 % finds some 10 % of 100 respondents, 7 to 8 % of 250
    (``docs/coverage_structure.md``). Respondents are exchanged within strata, and within clusters.
    The ceiling rests on the few respondents at its corners, whatever their survey weights; one
    careless answer can hide a necessary condition. p-values are of each driver by itself. That a
    driver is necessary by this test is a statement about what was not seen.

    References
    ----------
    Dul, J. (2016). Necessary condition analysis (NCA): logic and methodology of "necessary but not
    sufficient" causality. Organizational Research Methods 19(1), 10-52.
    https://doi.org/10.1177/1094428115584005

    Dul, J., van der Laan, E., Kuik, R. (2020). A statistical significance test for necessary
    condition analysis. Organizational Research Methods 23(2), 385-395.
    https://doi.org/10.1177/1094428118795272

    Richter, N. F., Schubring, S., Hauff, S., Ringle, C. M., Sarstedt, M. (2020). When predictors of
    outcomes are necessary: guidelines for the combined use of PLS-SEM and NCA. Industrial
    Management & Data Systems 120(12), 2243-2267. https://doi.org/10.1108/IMDS-11-2019-0638

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> conditions = csi.assessment.necessary_conditions(fit, "Loyalty", permutations=199, rng=1)
    >>> conditions.table["effect_size"].xs("ce_fdh", level="ceiling").round(3).tolist()
    [0.151, 0.122, 0.151, 0.016, 0.14, 0.016]
    >>> conditions.verdicts["Value"]
    'not shown'
    """
    fit = require_fit(fit, "necessary_conditions")
    level = require_level(level)
    fit.require_converged("necessary_conditions")
    names = _drivers(fit, target, drivers)
    answers = fit.require_answers("necessary_conditions")
    whole = fit.scores[[*names, target]]
    known = whole.notna().all(axis=1).to_numpy()
    if known.sum() < 3:
        raise SurveyError(
            f"{int(known.sum())} of {len(known)} respondents have scores of {target!r} and its "
            "drivers, and a ceiling needs at least 3; use another missing-data policy."
        )
    scores = whole.loc[known]
    exchange = ExchangedRows.of(answers.design, known, permutations, seed_of(rng))
    permuted = _permuted(scores, exchange, progress)
    weights = answers.row_weights
    table = _table(scores, permuted, exchange)
    findings = (*_verdicts(table, ceiling, target, level), *_about(exchange, known, target))
    return NecessaryConditions(
        fit, target, table, ceiling, scores, findings, level, weights[known], permuted
    )


def _drivers(fit: Fit, target: str, drivers: str | Sequence[str] | None) -> list[str]:
    """Return the constructs that may be necessary."""
    names = list(fit.model.construct_names)
    if target not in names:
        raise ModelError(f"Target {target!r} is not in the model{suggest(target, names)}.")
    if drivers is None:
        own = reachable(fit.model)[names.index(target)]
        products = {term.name for term in fit.model.terms if ":" in term.name}
        listed = [name for name, leads in zip(names, own, strict=True) if leads]
        if not (listed := [name for name in listed if name not in products]):
            raise ModelError(
                f"No construct affects {target!r}; choose a target that a path points to, or "
                "name drivers=."
            )
        return listed
    given = list(require_names("drivers", drivers, "construct"))
    for name in given:
        if name not in names:
            raise ModelError(f"Driver {name!r} is not in the model{suggest(name, names)}.")
    if target in given:
        raise OptionError(f"drivers= holds the target {target!r}; name other constructs.")
    return given


def _permuted(scores: pd.DataFrame, exchange: ExchangedRows, progress: bool) -> Floats:
    """Return effect sizes in every permutation, (permutations, drivers, 2)."""
    *drivers, outcome = (unit_coordinates(column) for column in scores.to_numpy().T)
    scatters = [Scatter(driver) for driver in drivers]
    sizes = np.full((exchange.count, len(scatters), 2), np.nan)
    if np.isnan(outcome).any():
        return sizes
    with progress_bar(exchange.count, "Permutations", progress, "permutation") as bar:
        for span in exchange.spans(max(1, _TOGETHER // len(outcome))):
            exchanged = outcome[exchange.rows(span)]
            for place, scatter in enumerate(scatters):
                if not np.isnan(scatter.condition).any():
                    sizes[span, place] = scatter.effect_sizes(exchanged)
            bar.update(span.stop - span.start)
    return sizes


def _table(scores: pd.DataFrame, permuted: Floats, exchange: ExchangedRows) -> pd.DataFrame:
    """Return a row a driver and ceiling."""
    *drivers, outcome = (unit_coordinates(column) for column in scores.to_numpy().T)
    rows = []
    for place, condition in enumerate(drivers):
        alike = np.isnan(condition).any() or np.isnan(outcome).any()
        scatter = Scatter(condition)
        sizes = np.full(2, np.nan) if alike else scatter.effect_sizes(outcome)
        p = permutation_pvalue(sizes, permuted[:, place], "upper")
        reason = _ALIKE if alike else "" if exchange.enough else _FEW_WAYS
        for column, kind in enumerate(CEILINGS):
            own = None if alike else Ceiling.of(kind, scatter, outcome)
            rows.append(
                {
                    "effect_size": sizes[column],
                    "p": np.nan if reason else p[column],
                    "accuracy": np.nan if own is None else 100 * own.accuracy(condition, outcome),
                    "corners": 0 if own is None else int(scatter.corners(own.highest).sum()),
                    **_line(scores.to_numpy()[:, [place, -1]], own),
                    "size": "" if alike else _size(float(sizes[column])),
                    "reason": reason,
                }
            )
    labels = pd.MultiIndex.from_product([scores.columns[:-1], CEILINGS])
    return pd.DataFrame(rows, labels.set_names(["driver", "ceiling"]))


def _line(values: Floats, ceiling: Ceiling | None) -> dict[str, float]:
    """Return intercept and slope of the line in standardised scores, NaN for steps."""
    if ceiling is None or ceiling.kind == "ce_fdh":
        return {"intercept": np.nan, "slope": np.nan}
    (low, floor), (width, height) = values.min(axis=0), np.ptp(values, axis=0)
    slope = ceiling.slope * height / width
    return {"intercept": floor + ceiling.intercept * height - slope * low, "slope": slope}


def _size(value: float) -> str:
    return next((word for least, word in _SIZES if value >= least), "none")


def _verdicts(
    table: pd.DataFrame, kind: CeilingKind, target: str, level: float
) -> Iterator[Finding]:
    """Say which drivers are necessary."""
    for driver, row in table.xs(kind, level="ceiling").iterrows():
        names = {"driver": driver, "target": target}
        subjects, verdict = (str(driver), target), verdict_of(row["effect_size"], row["p"], level)
        if verdict == "not judged":
            values = {**names, "reason": row["reason"]}
            yield Finding("necessity-not-judged", _NOT_JUDGED, subjects, "warning", values=values)
            continue
        yield Finding(
            "necessary-condition" if verdict == "necessary" else "necessity-not-shown",
            _NECESSARY if verdict == "necessary" else _NOT_SHOWN,
            subjects,
            "note",
            values={**names, "size": float(row["effect_size"]), "p": float(row["p"])},
        )


def _about(exchange: ExchangedRows, known: NDArray[np.bool_], target: str) -> Iterator[Finding]:
    """Say who is left out, and among whom scores are exchanged."""
    if not known.all():
        count = int((~known).sum())
        yield Finding(
            "respondents-without-scores",
            _LEFT_OUT,
            (target,),
            "warning",
            count,
            {"count": count, "total": len(known), "target": target},
        )
    if exchange.clusters:
        values = {"target": target, "clusters": exchange.clusters}
        yield Finding("exchanged-within-clusters", _WITHIN, (target,), "note", values=values)
