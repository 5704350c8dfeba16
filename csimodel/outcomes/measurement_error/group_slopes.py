"""Slopes between groups of a survey's respondents, such as its firms."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import SurveyError, suggest
from csimodel.estimators import Fit, require_own
from csimodel.index.draws import side_by_side
from csimodel.inference import Bootstrap, require_units_drawn
from csimodel.inference.intervals import interval_name, narrow_intervals
from csimodel.inference.sources import Draws, StandardErrors
from csimodel.outcomes.measurement_error.findings import about_draws, about_slopes
from csimodel.outcomes.measurement_error.groups import group_moments_of, require_whole_groups
from csimodel.outcomes.measurement_error.reliability import shared_reliability
from csimodel.outcomes.measurement_error.result import CorrectedSlopes
from csimodel.outcomes.measurement_error.table import COLUMNS, errors_table
from csimodel.outcomes.models.clusters import unused_design
from csimodel.outcomes.models.result import Repurchase
from csimodel.survey.headers import column_of

Floats = NDArray[np.float64]

_OF_RESPONDENTS = ("probability-outside-0-1", "few-rows", "few-clusters", "negative-slope")
METHODS = {"naive": 0.0, "eiv": -1.0}  # how much of the sampling error is added


def between_groups(
    fit: Fit, rep: Repurchase, by: str, bootstrap: Bootstrap | None, interval: str
) -> CorrectedSlopes:
    """Regress the groups' mean outcome on their mean index, sampling errors taken off.

    With S the covariances of group means, E the mean sampling covariances of those means, W the
    index and y the outcome: ``(S_WW - E_WW)⁻¹ (S_Wy - E_Wy)``. E_Wy matters, since whoever is
    happier than his firm's customers on average also buys again more often than they do.

    Parameters
    ----------
    fit, bootstrap
        The fit and its draws, if any, of whole groups.
    rep
        The regression of respondents.
    by
        Column of the groups.
    interval
        Kind of bootstrap interval.

    Raises
    ------
    SurveyError
        When there is no such column.
    OptionError
        When draws tear groups apart, or are of another fit.
    EstimationError
        When groups are too few.

    References
    ----------
    Fuller, W. A. (1987). Measurement Error Models, section 2.2.
    https://doi.org/10.1002/9780470316665

    Lüdtke, O., Marsh, H. W., Robitzsch, A., Trautwein, U., Asparouhov, T., Muthén, B. (2008). The
    multilevel latent covariate model. Psychological Methods 13, 203-229.
    https://doi.org/10.1037/a0012869
    """
    survey, sample = fit.survey, rep.regression.sample
    assert survey is not None
    answers = fit.require_answers("slopes between groups")
    column = column_of(survey.data.columns, by)
    if column is None:
        raise SurveyError(
            f"by={by!r} is not a column of the survey{suggest(by, survey.data.columns)}; name the "
            "column of the groups, such as the firm."
        )
    codes, labels = pd.factorize(survey.data[column].iloc[answers.rows[sample.rows]])
    model, names = fit.model, rep.indexes
    own = [model.slices[model.construct_names.index(name)] for name in names]
    items = np.concatenate([np.arange(block.start, block.stop) for block in own])
    blocks = side_by_side(own)
    if bootstrap is not None:
        require_own(bootstrap, fit)
        require_units_drawn(bootstrap.replication, "corrected_slopes")
        require_whole_groups(fit, by, codes, sample.rows)
        bootstrap.require_usable()
    moments = group_moments_of(fit, sample, codes, list(labels), items, blocks)
    slopes = {method: moments.slopes(times) for method, times in METHODS.items()}
    drawn = {}
    if bootstrap is not None:
        drawn = dict(zip(METHODS, moments.draws(bootstrap, items, blocks), strict=True))
    degrees = moments.size - len(names) - 1.0
    df = np.full(len(names), degrees)
    errors = {
        method: errors_table(
            slopes[method],
            Draws(slopes[method], drawn[method], df, interval)
            if drawn
            else StandardErrors(moments.se(times), df),
            rep.level,
        )
        for method, times in METHODS.items()
    }
    share = moments.reliability
    parts = {
        name: shared_reliability(float(value), name, moments.size)
        for name, value in zip(names, share, strict=True)
    }
    rows = [
        (
            method,
            name,
            slopes[method][j],
            slopes[method][j],
            *errors[method].loc[j],
            share[j] if method == "eiv" else np.nan,
        )
        for method in METHODS
        for j, name in enumerate(names)
    ]
    findings = [f for f in rep.findings if f.code not in _OF_RESPONDENTS] + [*moments.findings]
    for j, name in enumerate(names):
        findings += parts[name].findings
        effects = {method: float(values[j]) for method, values in slopes.items()}
        findings += about_slopes(effects, name, rep.outcome, parts[name])
    if bootstrap is None:
        replicates = 0 if answers.replicates is None else len(answers.replicates.factors)
        findings += unused_design(answers.first_stage, by, replicates)
    else:
        findings += [*bootstrap.findings, *about_draws(drawn, {}, len(bootstrap.usable))]
        findings += narrow_intervals(interval, degrees)
    columns = pd.MultiIndex.from_product([list(METHODS), names], names=["method", "index"])
    return CorrectedSlopes(
        pd.DataFrame(rows, columns=["method", "index", *COLUMNS]),
        rep.outcome,
        rep.family,
        moments.size,
        parts,
        rep.level,
        _kind(by, len(drawn["eiv"]) if drawn else 0, interval_name(interval, degrees)),
        tuple(findings),
        pd.DataFrame(
            np.hstack(list(drawn.values())) if drawn else np.empty((0, len(columns))),
            columns=columns,
        ),
        f"groups of {by}",
    )


def _kind(by: str, draws: int, interval: str) -> str:
    """Say what intervals account for."""
    if draws:
        return (
            f"Whole-chain intervals ({interval}, {draws} bootstrap draws of whole groups of {by}): "
            "item weights, means, their sampling errors and slopes were estimated again in each."
        )
    return (
        f"Linearised errors over groups of {by}: item weights count as known, the sampling errors "
        "of the means are carried along."
    )
