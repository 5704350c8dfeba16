"""The index: a weighted mean of answers, put on a scale from 0 to 100.

``index = Σ w̃ᵢ (x̄ᵢ - minᵢ)/(maxᵢ - minᵢ) · 100`` with ``w̃ᵢ = (wᵢ/sᵢ) / Σ (wₖ/sₖ)``: w the weights of
standardised items, s the items' standard deviations. All-minimum answers give 0, all-maximum 100.

References
----------
Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., Bryant, B. E. (1996). The American Customer
Satisfaction Index: nature, purpose, and findings. Journal of Marketing 60(4), 7-18.
https://doi.org/10.1177/002224299606000403
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import CsimodelWarning, OptionError, SurveyError
from csimodel.estimators import Fit, Quantity, Solution, group_codes, register
from csimodel.estimators.quantities import by_construct
from csimodel.findings import listed
from csimodel.inference import Bootstrap, interval_of, spread_of
from csimodel.moments import Moments
from csimodel.survey import Answers

Floats = NDArray[np.float64]

_FEW = 10  # a group with fewer respondents is pointed out


def scale_of(moments: Moments) -> tuple[Floats, Floats]:
    """Return each item's lowest answer and the width of its scale, (items,).

    Raises
    ------
    SurveyError
        When bounds are unknown or empty.
    """
    width = moments.maximum - moments.minimum
    unknown = [item for item, w in zip(moments.items, width, strict=True) if not w > 0]
    if unknown:
        raise SurveyError(
            f"The index needs the scale of {listed(unknown)}; give the lowest and highest answer "
            "in the codebook, or as read_survey(..., scale=(1, 10))."
        )
    return moments.minimum, width


def _index(solution: Solution) -> Floats:
    minimum, width = scale_of(solution.moments)
    if np.isnan(solution.moments.mean).all():
        raise SurveyError(
            "The index needs the items' means; give them to Moments.from_cov(mean=...)."
        )
    points = (solution.moments.mean - minimum) / width * 100.0
    return _by_construct(solution, points)


def _by_construct(solution: Solution, points: Floats) -> Floats:
    """Weight item points, (..., items), into constructs, (..., constructs)."""
    weighted = solution.index_weights * points
    return np.stack([weighted[..., block].sum(axis=-1) for block in solution.model.slices], axis=-1)


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
    item is missing under ``missing="pairwise"``.

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
    answers = fit.require_answers("respondent_index")
    points = respondent_points(answers, fit.moments)
    scores = np.stack(
        [points[:, block] @ fit.solution.index_weights[block] for block in fit.model.slices], axis=1
    )
    return pd.DataFrame(scores, fit.respondents, list(fit.model.construct_names))


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
        whole sample, so that groups are measured by one yardstick.
    bootstrap
        Draws of this fit: weights, standard deviations and means are estimated again in each.
        Without it, standard errors treat the weights as known (they respect survey weights,
        strata and clusters) and limits are normal.
    level
        Coverage of the interval.
    interval
        Kind of bootstrap interval, as in `Bootstrap.table`; by group ``"percentile"``,
        ``"basic"``, ``"normal"`` or ``"bc"``.

    Returns
    -------
    DataFrame
        Columns mean, se, lower, upper, n; rows constructs, or (group, construct).

    Raises
    ------
    SurveyError
        When scale bounds are unknown, or a group column does not exist.
    OptionError
        When the bootstrap belongs to another fit, or the interval is not allowed.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.PLS(scheme="centroid"))
    >>> round(float(csi.index_scores(fit).loc["Satisfaction", "mean"]), 3)
    72.543
    """
    if bootstrap is not None and bootstrap.fit is not fit:
        raise OptionError(
            "The bootstrap was made from another fit; make it again with csi.bootstrap(fit)."
        )
    if by is None:
        if bootstrap is None:
            return _known_weights(fit, None, level)
        table = bootstrap.table(INDEX, interval=interval, level=level)
        table = table.rename(columns={"estimate": "mean"}).drop(columns="p")
        return table.assign(n=fit.n)
    answers = fit.require_answers("index_scores by group")
    assert fit.survey is not None
    codes, groups = group_codes(fit.survey, by, answers.rows)
    _point_out_small_groups(codes, groups)
    if bootstrap is None:
        tables = [_known_weights(fit, codes == g, level) for g in range(len(groups))]
        return _stack(tables, groups)
    return _groups_with_draws(fit, bootstrap, codes, groups, level, interval)


def _known_weights(fit: Fit, among: NDArray[np.bool_] | None, level: float) -> pd.DataFrame:
    """Return means with linearised errors that treat the weights of items as known."""
    if fit.answers is None:
        mean = _index(fit.solution)
        spread = np.full_like(mean, np.nan)
        return _table(fit, mean, spread, level, fit.n)
    scores = respondent_index(fit).to_numpy()
    answers = fit.answers
    weights = np.ones(len(scores)) if answers.weights is None else answers.weights
    domain = np.ones(len(scores), dtype=bool) if among is None else among
    seen = np.isfinite(scores) & domain[:, None]
    share = np.where(seen, weights[:, None], 0.0)
    share /= share.sum(axis=0)
    mean = np.where(seen, scores * share, 0.0).sum(axis=0)
    influence = np.where(seen, share * (scores - mean), 0.0)
    # Without a design a group is a sample of its own; with one, it is a part of the sample.
    if answers.strata is None and answers.cluster is None:
        spread = np.sqrt((influence[domain] ** 2).sum(axis=0) * domain.sum() / (domain.sum() - 1.0))
    else:
        spread = np.sqrt(design_variance(influence, answers))
    return _table(fit, mean, spread, level, int(domain.sum()))


def design_variance(influence: Floats, answers: Answers) -> Floats:
    """Return the linearised variance of Σ influence, (columns,), over strata and clusters.

    ``Σ_h m_h/(m_h - 1) Σ_g (z_hg - z̄_h)²``, z the total of the influence values of one primary
    unit (cluster, or respondent), m_h the number of units in stratum h.

    References
    ----------
    Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex
    surveys. International Statistical Review 51, 279-292. https://doi.org/10.2307/1402588
    """
    rows = len(influence)
    cluster = np.arange(rows) if answers.cluster is None else answers.cluster
    units = int(cluster.max()) + 1
    totals = np.stack([np.bincount(cluster, z, units) for z in influence.T], axis=1)
    stratum = np.zeros(units, dtype=np.intp)
    if answers.strata is not None:
        stratum[cluster] = answers.strata
    size = np.bincount(stratum).astype(np.float64)
    centre = np.stack([np.bincount(stratum, z) for z in totals.T], axis=1) / size[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(size > 1, size / (size - 1.0), np.nan)
    return np.asarray((factor[stratum, None] * (totals - centre[stratum]) ** 2).sum(axis=0))


def _table(fit: Fit, mean: Floats, se: Floats, level: float, n: int) -> pd.DataFrame:
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    return pd.DataFrame(
        {"mean": mean, "se": se, "lower": mean - z * se, "upper": mean + z * se, "n": n},
        index=by_construct(fit.model),
    )


def _groups_with_draws(
    fit: Fit,
    bootstrap: Bootstrap,
    codes: NDArray[np.intp],
    groups: pd.Index,
    level: float,
    interval: str,
) -> pd.DataFrame:
    if interval in ("bca", "studentized"):
        raise OptionError(
            f"interval={interval!r} is not available by group; "
            "use 'percentile', 'basic', 'normal' or 'bc'."
        )
    draws, design = bootstrap.solution, bootstrap.design
    estimate = group_index(fit.solution, fit, codes, len(groups), np.ones((1, len(codes))))[:, 0]
    parts = [
        group_index(draws[design.span(b)], fit, codes, len(groups), design.counts(b))
        for b in range(design.blocks)
    ]
    values = np.concatenate(parts, axis=1)[:, bootstrap.usable]
    n = np.bincount(codes[codes >= 0], minlength=len(groups))
    tables = []
    for g in range(len(groups)):
        low, high = interval_of(interval, level, estimate[g], values[g])
        columns = {"mean": estimate[g], "se": spread_of(values[g]), "lower": low, "upper": high}
        tables.append(pd.DataFrame({**columns, "n": n[g]}, index=by_construct(fit.model)))
    return _stack(tables, groups)


def group_index(
    solution: Solution, fit: Fit, codes: NDArray[np.intp], groups: int, counts: Floats
) -> Floats:
    """Return the index of each group in each draw, (groups, draws, constructs).

    A group's item means are its own in the draw; the item weights are the whole draw's.
    """
    answers = fit.require_answers("index by group")
    minimum, width = scale_of(fit.moments)
    weights = counts if answers.weights is None else counts * answers.weights
    seen = ~np.isnan(answers.values)
    values = np.where(seen, answers.values, 0.0)
    found = np.empty((groups, len(counts), len(solution.model.constructs)))
    for g in range(groups):
        own = np.flatnonzero(codes == g)
        part = weights[:, own]
        with np.errstate(invalid="ignore", divide="ignore"):
            if answers.missing == "complete":
                mean = part @ values[own] / part.sum(axis=1, keepdims=True)
            elif answers.missing == "pairwise":
                mean = part @ values[own] / (part @ seen[own])
            else:
                missing = part @ ~seen[own] * np.atleast_2d(solution.moments.mean)
                mean = (part @ values[own] + missing) / part.sum(axis=1, keepdims=True)
        found[g] = _by_construct(solution, (mean - minimum) / width * 100.0)
    return found


def _stack(tables: list[pd.DataFrame], groups: pd.Index) -> pd.DataFrame:
    names = [str(name) if name is not None else "group" for name in groups.names]
    return pd.concat(tables, keys=list(groups), names=[*names, "construct"])


def _point_out_small_groups(codes: NDArray[np.intp], groups: pd.Index) -> None:
    n = np.bincount(codes[codes >= 0], minlength=len(groups))
    small = [f"{label} ({count})" for label, count in zip(groups, n, strict=True) if count < _FEW]
    if small:
        warnings.warn(
            f"{len(small)} of {len(groups)} groups have fewer than {_FEW} respondents: "
            f"{listed(small)}; their index says little.",
            CsimodelWarning,
            stacklevel=3,
        )
