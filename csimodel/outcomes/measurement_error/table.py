"""From a naive regression to the table of corrected slopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators import Estimates, Fit
from csimodel.findings import Finding
from csimodel.inference import sources
from csimodel.inference.infer import infer
from csimodel.inference.intervals import interval_name, narrow_intervals
from csimodel.inference.sources import ErrorSource, StandardErrors
from csimodel.outcomes.measurement_error.croon import Croon, croon_slopes
from csimodel.outcomes.measurement_error.draws import ModelDraws, SlopeDraws
from csimodel.outcomes.measurement_error.errors_in_variables import Pulls, errors_of, moved_pulls
from csimodel.outcomes.measurement_error.findings import (
    about_draws,
    about_items,
    about_simex,
    about_slopes,
)
from csimodel.outcomes.measurement_error.item_moments import (
    ItemMoments,
    moment_pulls,
    sample_moments,
)
from csimodel.outcomes.measurement_error.latent import Latent, latent_slopes
from csimodel.outcomes.measurement_error.reliability import Reliability
from csimodel.outcomes.measurement_error.result import CorrectedSlopes
from csimodel.outcomes.measurement_error.simex import extrapolated, simex_points, simex_pulls
from csimodel.outcomes.models.regression import Regression
from csimodel.outcomes.models.result import Repurchase
from csimodel.survey.calibration import without_calibration

Floats = NDArray[np.float64]

OF_ITEMS = ("croon", "sem")
ERROR = ("se", "df", "lower", "upper", "p", "reason")
COLUMNS = ("slope", "average_marginal_effect", *ERROR, "reliability")


@dataclass(frozen=True, eq=False)
class Estimated:
    """Slopes by one method.

    Attributes
    ----------
    coefficients, effects, se
        On the family's scale; average marginal effects and their errors, (r,).
    reliability
        The one used, (indexes,).
    near
        Solution of the covariance structure, for draws to start from.
    findings
        What the method alone knows.
    """

    coefficients: Floats
    effects: Floats
    se: Floats
    reliability: Floats
    near: Estimates | None = None
    findings: tuple[Finding, ...] = ()


def estimates_of(
    rep: Repurchase,
    methods: Sequence[str],
    reliability: Mapping[str, Reliability],
    noise: Floats,
    fit: Fit | None,
) -> dict[str, Estimated]:
    """Return slopes and linearised errors by every method, the naive one first.

    Parameters
    ----------
    rep
        The naive regression.
    methods
        Those wanted, the naive one first.
    reliability
        Of each index.
    noise
        Pseudo-errors of SIMEX.
    fit
        Where the index comes from, if from a fit.
    """
    regression, parts = rep.regression, list(reliability.values())
    shares = np.array([part.value for part in parts])
    effects = rep.naive.average_marginal_effects
    estimates = {
        "naive": Estimated(
            regression.coefficients[1:],
            effects["estimate"].to_numpy(),
            effects["se"].to_numpy(),
            np.full(len(parts), np.nan),
        )
    }
    possible = all(part.usable for part in parts) and rep.converged
    simulated = any(method.startswith("simex") for method in methods) and possible
    points = simex_points(regression, shares, noise) if simulated else []
    for method in methods[1:]:
        if method in OF_ITEMS:
            assert fit is not None
            estimates[method] = _from_items(regression, method, fit, rep.draws is None)
            continue
        told: tuple[Finding, ...] = ()
        if method.startswith("simex") and points:
            pulls = simex_pulls(points, method == "simex-quadratic")
            curve = np.stack([point.effects for point in points])
            both = extrapolated(curve), extrapolated(curve, quadratic=True)
            told = tuple(
                finding
                for j, name in enumerate(reliability)
                for finding in about_simex(float(both[0][j]), float(both[1][j]), name)
            )
        else:
            pulls = moved_pulls(regression, shares)
        se = errors_of(pulls, regression, parts)
        estimates[method] = Estimated(pulls.coefficients, pulls.effects, se, shares, findings=told)
    return estimates


def _from_items(regression: Regression, method: str, fit: Fit, linearised: bool) -> Estimated:
    """Return slopes that are functions of the covariances of items, controls and outcome.

    Without linearised errors those are NaN, to be filled from draws.
    """
    sample = regression.sample
    moments, variables = sample_moments(fit, sample)
    near: Estimates | None = None
    slopes: Croon | Latent = croon_slopes(moments) if method == "croon" else latent_slopes(moments)
    if isinstance(slopes, Latent):
        near = slopes.estimates

    def slopes_of(moved: ItemMoments) -> Floats:
        return (croon_slopes(moved) if near is None else latent_slopes(moved, near)).slopes

    se = np.full_like(slopes.slopes, np.nan)
    if linearised:
        rows = moment_pulls(slopes_of, moments, variables, sample.share)
        pulls = Pulls(slopes.slopes, slopes.slopes, rows, np.empty((0, 0)))
        se = errors_of(pulls, regression, ())
    told = (about_items(method, sample.label),) if slopes.inadmissible else ()
    return Estimated(slopes.slopes, slopes.slopes, se, slopes.reliability, near, told)


def assemble(
    rep: Repurchase,
    estimates: Mapping[str, Estimated],
    reliability: Mapping[str, Reliability],
    draws: SlopeDraws | None,
    noise: Floats,
    interval: str,
    unit: str = "respondents",
) -> CorrectedSlopes:
    """Put slopes, intervals and findings together."""
    names = list(reliability)
    drawn, inadmissible = _drawn(draws, estimates, noise, len(names))
    errors = {
        method: _errors(rep, part, drawn.get(method), interval)
        for method, part in estimates.items()
    }
    rows = [
        (
            method,
            name,
            part.coefficients[j],
            part.effects[j],
            *errors[method].loc[j],
            part.reliability[j],
        )
        for method, part in estimates.items()
        for j, name in enumerate(names)
    ]
    table = pd.DataFrame(rows, columns=["method", "index", *COLUMNS])
    findings = list(rep.findings)
    findings += [told for own in dict.fromkeys(reliability.values()) for told in own.findings]
    for j, (name, own) in enumerate(reliability.items()):
        effects = {method: float(part.effects[j]) for method, part in estimates.items()}
        findings += about_slopes(effects, name, rep.outcome, own)
    findings += [told for part in estimates.values() for told in part.findings]
    if draws is not None:
        findings += about_draws(drawn, inadmissible, draws.total)
        findings += narrow_intervals(interval, _df(rep))
        if rep.draws is None:
            findings += without_calibration(rep.regression.sample.calibrated, "draws")
    labels = pd.MultiIndex.from_product([list(estimates), names], names=["method", "index"])
    columns = np.hstack(list(drawn.values())) if drawn else np.empty((0, len(labels)))
    return CorrectedSlopes(
        table,
        rep.outcome,
        rep.family,
        rep.n,
        {name: replace(own, bootstrap=None, draws=None) for name, own in reliability.items()},
        rep.level,
        _kind(rep, draws, interval),
        tuple(dict.fromkeys(findings)),
        pd.DataFrame(columns, columns=labels),
        unit,
    )


def _errors(rep: Repurchase, part: Estimated, draws: Floats | None, interval: str) -> pd.DataFrame:
    """Return effects with errors from draws, or else from the linearised error; see `infer`."""
    if draws is None:
        df = np.full(len(part.effects), rep.regression.df)
        census = rep.regression.design_of_sample.census
        return errors_table(part.effects, StandardErrors(part.se, df, census=census), rep.level)
    effects = part.effects[: draws.shape[1]]
    design = rep.regression.design_of_draws if rep.draws is None else rep.draws.design
    source = sources.Draws.of_design(effects, draws, design, interval)
    source = replace(source, df=np.full(len(effects), _df(rep)))
    return errors_table(effects, source, rep.level)


def _df(rep: Repurchase) -> float:
    """Return the degrees of freedom of draws: of the survey's design, or of the rows'."""
    return rep.regression.df if rep.draws is None else float(rep.draws.df)


def errors_table(effects: Floats, source: ErrorSource, level: float) -> pd.DataFrame:
    """Return the columns `ERROR` of effects, by their position; see `infer`."""
    table = infer(pd.RangeIndex(len(effects)), effects, source, level, steady=False)
    return table[list(ERROR)]


def _drawn(
    draws: SlopeDraws | None, estimates: Mapping[str, Estimated], noise: Floats, indexes: int
) -> tuple[dict[str, Floats], dict[str, int]]:
    """Return the effects of the indexes in every draw, and inadmissible draws, by method."""
    effects: dict[str, Floats] = {}
    inadmissible: dict[str, int] = {}
    if draws is None:
        return effects, inadmissible
    curve = (
        draws.simex_curve(noise)
        if any(method.startswith("simex") for method in estimates)
        else None
    )
    for method, part in estimates.items():
        if method in OF_ITEMS:
            assert isinstance(draws, ModelDraws)
            fitted = draws.from_items(method, part.near)
            effects[method] = fitted.slopes[:, :indexes]
            inadmissible[method] = int(fitted.inadmissible.sum())
        elif method == "naive":
            effects[method] = draws.naive[:, :indexes]
        elif method.startswith("simex"):
            assert curve is not None
            effects[method] = extrapolated(curve, method == "simex-quadratic")[:, :indexes]
        else:
            effects[method] = draws.calibrated()[:, :indexes]
    return effects, inadmissible


def _kind(rep: Repurchase, draws: SlopeDraws | None, interval: str) -> str:
    """Say what intervals account for."""
    name = "" if draws is None else interval_name(interval, _df(rep))
    if isinstance(draws, ModelDraws):
        return (
            f"Whole-chain intervals ({name}, {len(draws.naive)} bootstrap draws): item "
            "weights, index, reliability and regression were estimated again in each draw."
        )
    if draws is not None:
        return (
            f"Bootstrap intervals ({name}, {len(draws.naive)} draws of rows): the index itself "
            "counts as known, but for its error."
        )
    return (
        "Linearised errors: item weights count as known, the error of an estimated reliability is "
        "carried along."
    )
