"""The index: a weighted mean of answers, put on a scale from 0 to 100.

``index = Σ vᵢ (x̄ᵢ - minᵢ) / Σ vᵢ (maxᵢ - minᵢ) · 100`` with ``vᵢ = wᵢ/sᵢ``: w the weights of
standardised items, s the items' standard deviations. All-minimum answers give 0, all-maximum 100.
Where the items of a construct share one scale this is ``Σ w̃ᵢ (x̄ᵢ - min)/(max - min) · 100`` with
``w̃ᵢ = vᵢ / Σ vₖ``; where they do not, only this form is the same whatever numbers code the answers.

References
----------
Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., Bryant, B. E. (1996). The American Customer
Satisfaction Index: nature, purpose, and findings. Journal of Marketing 60(4), 7-18.
https://doi.org/10.1177/002224299606000403
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError, choose
from csimodel.estimators import (
    Fit,
    Quantity,
    Solution,
    group_codes,
    register,
    require_fit,
    require_own,
)
from csimodel.estimators.covariance.findings import heywood_items
from csimodel.estimators.quantities import by_construct
from csimodel.findings import Finding, tell
from csimodel.index.by_group import group_draws, group_errors, group_points
from csimodel.index.points import by_block, point_weights, scale_of
from csimodel.inference import INTERVALS, Bootstrap, interval_of, jackknife, spread_of
from csimodel.moments import Moments
from csimodel.options import require_level
from csimodel.survey import Answers

Floats = NDArray[np.float64]

_FEW = 10  # a group with fewer respondents is pointed out

_ONE_WITHOUT_GROUP = "{count} of {total} rows belongs to no group and is left out."
_ROWS_WITHOUT_GROUP = "{count} of {total} rows belong to no group and are left out."
_ONE_SMALL_GROUP = (
    "{count} of {total} groups has fewer than {few} respondents: {groups}; its index says little."
)
_SMALL_GROUPS = (
    "{count} of {total} groups have fewer than {few} respondents: {groups}; their index says "
    "little."
)


def _index(solution: Solution) -> Floats:
    minimum, width = scale_of(solution.moments)
    if np.isnan(solution.moments.mean).all():
        raise SurveyError(
            "The index needs the items' means; give them to Moments.from_cov(mean=...)."
        )
    points = (solution.moments.mean - minimum) / width * 100.0
    return by_block(solution.model, point_weights(solution) * points)


INDEX = register(Quantity("index", by_construct, _index, null=None))


def respondent_points(answers: Answers, moments: Moments) -> Floats:
    """Return every answer on 0 to 100, (rows, items); the mean's points under ``"mean"``."""
    minimum, width = scale_of(moments)
    values = answers.values
    if answers.missing == "mean":
        values = np.where(np.isnan(values), moments.mean, values)
    return np.asarray((values - minimum) / width * 100.0)


def respondent_index(fit: Fit) -> pd.DataFrame:
    """Return every respondent's index of every construct, 0 to 100, respondents × constructs.

    Outside 0 to 100 only when a weight is negative, which `Fit.diagnostics` says. NaN where an
    item is missing under ``missing="pairwise"``, so that there the mean over respondents is not
    the index, which is built from item means.

    Raises
    ------
    SurveyError
        When scale bounds are unknown or the fit was made from moments.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> round(float(csi.respondent_index(fit)["Satisfaction"].mean()), 4)
    72.4541
    """
    fit = require_fit(fit, "respondent_index")
    answers = fit.require_answers("respondent_index")
    points = respondent_points(answers, fit.moments) * point_weights(fit.solution)
    return pd.DataFrame(
        by_block(fit.model, points), fit.respondents, list(fit.model.construct_names)
    )


def index_scores(
    fit: Fit,
    by: str | Sequence[str] | None = None,
    bootstrap: Bootstrap | None = None,
    level: float = 0.95,
    interval: str = "percentile",
) -> pd.DataFrame:
    """Return the index of every construct with its interval, 0 to 100 points.

    Parameters
    ----------
    fit
        From `fit`.
    by
        Column or columns of the survey; one index for each group, with the weights of the
        whole sample, so that groups are measured by one yardstick. Rows without a group are left
        out, with a warning that counts them.
    bootstrap
        Draws of this fit: weights, standard deviations and means are estimated again in each.
        Without it standard errors come from the jackknife, which does the same without each
        respondent (or cluster, within strata), and limits are normal; by group the jackknife
        gives the part of the weights, and linearisation that of the group's means.
    level
        Coverage of the interval.
    interval
        Kind of bootstrap interval, as in `Bootstrap.table`; by group ``"percentile"``,
        ``"basic"``, ``"normal"`` or ``"bc"``.

    Returns
    -------
    DataFrame
        Columns mean, se, lower, upper, n (respondents used); rows constructs, or
        (group, construct). A group that did not answer some item has NaN.

    Raises
    ------
    SurveyError
        When scale bounds are unknown, or a group column does not exist.
    OptionError
        When the bootstrap belongs to another fit, or level or interval is not allowed.
    InferenceError
        When too few draws are usable.

    Warns
    -----
    CsimodelWarning
        When the fit is no solution, or a covariance structure has an error variance below 0; for
        rows without a group and small groups.

    Notes
    -----
    By covariance SEM the weights are those of the best prediction of a construct from its own
    items under the model, ``w ∝ Σ_bb⁻¹ λ_b`` (Thurstone's regression within the block), so the
    index uses no other construct's answers. Where paths are nearly unidentified the weights, and
    so the index, can still be sharp.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.PLS(scheme="centroid"))
    >>> round(float(csi.index_scores(fit).loc["Satisfaction", "mean"]), 3)
    72.543
    """
    fit = require_fit(fit, "index_scores")
    level = require_level(level)
    choose("interval", interval, INTERVALS)
    require_own(bootstrap, fit)
    _point_at_solution(fit)
    if by is None:
        if bootstrap is None:
            return _by_jackknife(fit, level)
        table = bootstrap.table(INDEX, interval=interval, level=level)
        return table.rename(columns={"estimate": "mean"}).drop(columns="p").assign(n=fit.n)
    answers = fit.require_answers("index_scores by group")
    assert fit.survey is not None
    codes, groups = group_codes(fit.survey, by, answers.rows)
    _point_out(codes, groups)
    points = group_points(answers, codes, len(groups), fit.moments)
    estimate = by_block(fit.model, point_weights(fit.solution) * points)
    n = np.bincount(codes[codes >= 0], minlength=len(groups))
    if bootstrap is None:
        errors = group_errors(fit, jackknife(fit), codes, points)
        tables = [
            _normal(fit, m, se, level, k) for m, se, k in zip(estimate, errors, n, strict=True)
        ]
        return _stack(tables, groups)
    if interval in ("bca", "studentized"):
        raise OptionError(
            f"interval={interval!r} is not available by group; "
            "use 'percentile', 'basic', 'normal' or 'bc'."
        )
    bootstrap.require_usable()
    draws = group_draws(fit, bootstrap, codes, len(groups))
    tables = []
    for g in range(len(groups)):
        low, high = interval_of(interval, level, estimate[g], draws[g])
        columns = {"mean": estimate[g], "se": spread_of(draws[g]), "lower": low, "upper": high}
        tables.append(pd.DataFrame({**columns, "n": n[g]}, index=by_construct(fit.model)))
    return _stack(tables, groups)


def _point_at_solution(fit: Fit) -> None:
    """Warn of weights that come from no solution, or from one that cannot be."""
    if not fit.converged:
        tell(
            Finding(
                "index-of-no-solution",
                "The fit is no solution, so the weights of these indices are those of where it "
                "stopped; see fit.diagnostics.",
            )
        )
        return
    owner = dict(zip(fit.model.items, fit.model.owner, strict=True))
    if items := heywood_items(fit.solution):
        names = list(dict.fromkeys(fit.model.construct_names[owner[item]] for item in items))
        tell(
            Finding(
                "index-of-negative-error-variance",
                "The error variance of {items} is below 0, which cannot be, so the weights in the "
                "index of {constructs} are not to be trusted; see fit.diagnostics.",
                subjects=tuple(names),
                values={"items": tuple(items), "constructs": tuple(names)},
            )
        )


def _by_jackknife(fit: Fit, level: float) -> pd.DataFrame:
    mean = _index(fit.solution)
    if fit.answers is None:
        return _normal(fit, mean, np.full_like(mean, np.nan), level, fit.n)
    return _normal(fit, mean, jackknife(fit).table(INDEX)["se"].to_numpy(), level, fit.n)


def _normal(fit: Fit, mean: Floats, se: Floats, level: float, n: int) -> pd.DataFrame:
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    return pd.DataFrame(
        {"mean": mean, "se": se, "lower": mean - z * se, "upper": mean + z * se, "n": n},
        index=by_construct(fit.model),
    )


def _stack(tables: list[pd.DataFrame], groups: pd.Index) -> pd.DataFrame:
    names = [str(name) if name is not None else "group" for name in groups.names]
    return pd.concat(tables, keys=list(groups), names=[*names, "construct"])


def _point_out(codes: NDArray[np.intp], groups: pd.Index) -> None:
    """Warn of rows without a group and of groups with few respondents."""
    lost = int((codes < 0).sum())
    if lost:
        template = _ONE_WITHOUT_GROUP if lost == 1 else _ROWS_WITHOUT_GROUP
        values = {"count": lost, "total": len(codes)}
        tell(Finding("rows-without-group", template, count=lost, values=values))
    n = np.bincount(codes[codes >= 0], minlength=len(groups))
    small = tuple(
        f"{label} ({count})" for label, count in zip(groups, n, strict=True) if count < _FEW
    )
    if small:
        template = _ONE_SMALL_GROUP if len(small) == 1 else _SMALL_GROUPS
        held = {"count": len(small), "total": len(groups), "few": _FEW, "groups": small}
        tell(Finding("small-groups", template, small, count=len(small), values=held))
