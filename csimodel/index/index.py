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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError, SurveyError, choose
from csimodel.estimators import (
    Fit,
    GroupFits,
    Status,
    group_codes,
    require_fit,
    require_own,
)
from csimodel.estimators.covariance.findings import heywood_items
from csimodel.estimators.groups import (
    group_columns,
    groups_without_rows,
    level_of,
    lost_groups,
    shown_label,
    suppressed_groups,
)
from csimodel.estimators.item_fit import item_fit
from csimodel.estimators.points import by_block, point_weights
from csimodel.estimators.quantities import by_construct
from csimodel.findings import Finding, tell
from csimodel.floats import own_errstate
from csimodel.index.by_group import group_draws, group_errors, group_influence, group_points
from csimodel.index.item_errors import item_errors
from csimodel.index.own_weights import OwnWeights
from csimodel.index.points import INDEX
from csimodel.index.scanned_groups import ScannedIndexes
from csimodel.index.shrinkage import with_shrinkage
from csimodel.inference import (
    INTERVALS,
    Bootstrap,
    Draws,
    ErrorSource,
    FitErrors,
    Linearized,
    StandardErrors,
    infer,
    narrow_intervals,
    without_influence,
)
from csimodel.inference.intervals import require_by_t
from csimodel.inference.linearized import BY_GROUP, LinearGroups
from csimodel.inference.replicates import own_replicates
from csimodel.inference.sources import NO_DERIVATIVE
from csimodel.limits import require_memory
from csimodel.model import Model
from csimodel.options import require_count, require_level
from csimodel.survey import Answers
from csimodel.survey.group_rows import effective_sizes

Floats = NDArray[np.float64]

_ROUNDING = 1e-6  # points beyond 0 and 100 that are rounding
_TOGETHER = 2**22  # draws of groups' indexes put in order at once
_FEW = int(THRESHOLDS["few rows of a group"].value)

_ONE_WITHOUT_GROUP = "{count} of {total} rows belongs to no group and is left out."
_ROWS_WITHOUT_GROUP = "{count} of {total} rows belong to no group and are left out."
_ONE_UNFITTED = "{count} of {total} groups has no solution and so no index: {groups}."
_UNFITTED = "{count} of {total} groups have no solution and so no index: {groups}."
_ONE_SMALL_GROUP = (
    "{count} of {total} groups has fewer than {few} respondents: {groups}; its index says little."
)
_SMALL_GROUPS = (
    "{count} of {total} groups have fewer than {few} respondents: {groups}; their index says "
    "little."
)


@own_errstate
@checked
def index_scores(
    fit: Fit | GroupFits,
    by: str | Sequence[str] | None = None,
    bootstrap: FitErrors | None = None,
    level: float = 0.95,
    interval: str = "auto",
    *,
    shrink: bool = False,
    minimum_n: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Return the index of every construct with its interval, 0 to 100 points.

    Parameters
    ----------
    fit
        From `fit`; or of all groups at once, each with weights of its own, from `fit_groups`:
        errors are by influence values, without `by` and `bootstrap`.
    by
        Column or columns of the survey; one index for each group, with the weights of the
        whole sample, so that groups are measured by one yardstick. Rows without a group are left
        out, with a warning that counts them.
    bootstrap
        Draws of this fit: weights, standard deviations and means are estimated again in each.
        Without it, or with `linearize`, standard errors come from influence values, which
        carry the error of weights, standard deviations and means, within strata and by clusters;
        limits are by t. Of a survey with replicate weights they come from those (`replicate`).
    level
        Coverage of the interval.
    interval
        Kind of bootstrap interval, as in `Bootstrap.table`; by group ``"auto"``,
        ``"percentile"``, ``"basic"``, ``"normal"``, ``"t"`` or ``"bc"``. ``"auto"`` (default) takes
        t in rows with fewer than 20 degrees of freedom, else percentiles.
    shrink
        Draw the indexes of groups towards their mean, the more the larger their error (empirical
        Bayes, `csimodel.index.shrinkage`): columns shrunken, shrunken_se and share (of the way to
        the mean) are added, and a finding says how far groups differ and how far they were drawn.
    minimum_n
        With `by`: groups with fewer respondents are suppressed, as in `fit_groups`: they stay in
        the table, without a number, and a finding lists them. The weights of items, which are
        those of all, rest on their answers too.
    progress
        Show a bar when the draws of groups take longer than a second.

    Returns
    -------
    DataFrame
        Columns mean, se, df (degrees of freedom: sampled units less strata, of a group those it
        has members in), lower, upper, n (respondents used) and reason (why there is no error,
        else empty); rows constructs, or (group, construct). A group that did not answer some item
        has NaN.

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
    level = require_level(level)
    choose("interval", interval, INTERVALS)
    least = 0 if minimum_n is None else require_count("minimum_n", minimum_n)
    if minimum_n is not None and (by is None or isinstance(fit, GroupFits)):
        raise OptionError(
            "minimum_n= is for groups of one fit; name their column with by=, or give it to "
            "csi.fit_groups."
        )
    if isinstance(fit, GroupFits):
        fit.solution.model.require_one_stage("Indexes are of")
        table = _of_fits(fit, by, bootstrap, level, interval)
        return with_shrinkage(table) if shrink else table
    fit = require_fit(fit, "index_scores")
    if shrink and by is None:
        raise OptionError(
            "shrink=True draws groups towards their mean, and there are none; name their column "
            "with by=, or give fits of groups (csi.fit_groups)."
        )
    require_own(bootstrap, fit, drawn=False)
    fit, bootstrap = item_fit(fit), item_errors(bootstrap)
    errors = own_replicates(fit) if bootstrap is None else bootstrap
    tell(_about_solution(fit))
    if by is None:
        table = _whole(fit, errors, level, interval)
        n = np.full(len(table), fit.n)
    else:
        table, n = _by_group(fit, by, errors, level, interval, least, progress)
    table.insert(5, "n", n)
    if (few := n < least).any():
        table.loc[few, ["estimate", "se", "lower", "upper"]] = np.nan
        table.loc[few, "reason"] = Status.SUPPRESSED.reason
    table = table.rename(columns={"estimate": "mean"}).drop(columns="p")
    drawn = errors if by is None and isinstance(errors, Bootstrap) else None
    tell(outside_scale(table, drawn))
    return with_shrinkage(table) if shrink else table


def _of_fits(
    fits: GroupFits,
    by: str | Sequence[str] | None,
    bootstrap: FitErrors | None,
    level: float,
    interval: str,
) -> pd.DataFrame:
    """Return the table of groups with weights of their own."""
    if by is not None or bootstrap is not None:
        option, way = ("by", "csi.fit(model, survey)") if by is not None else ("bootstrap", "one")
        raise OptionError(
            f"{option}= is not for fits of groups, which have their own errors; leave it out, or "
            f"give {'one group, fits[label]' if way == 'one' else way}."
        )
    if fits.scanned is not None:
        raise SurveyError(
            "The index of groups with weights of their own needs the respondents in memory, and "
            "these fits were made from a scan; give by= for the index with the weights of all, or "
            "fit groups of a sample, such as scan.sample(100_000, rng=1)."
        )
    require_by_t(interval)
    own = OwnWeights(fits)
    estimate, each = own.estimate.ravel(), len(fits.solution.model.constructs)
    if fits.answers.replicates is None:
        whole = fits.answers.design.census_of(fits.codes, len(fits))
        errors = np.sqrt(own.variance).ravel()
        df = np.repeat(own.df, each)
        source = StandardErrors(errors, df, NO_DERIVATIVE, np.repeat(whole, each))
    else:
        source = _by_replicates(fits, estimate)
    labels = _group_labels(fits.labels, fits.solution.model)
    table = infer(labels, estimate, source, level, None, steady=False)
    n = np.asarray(fits.solution.moments.n, dtype=np.intp)
    table.insert(5, "n", np.repeat(n, each))
    table = table.rename(columns={"estimate": "mean"}).drop(columns="p")
    outcome = np.repeat(fits.solution.estimates.outcome, each)
    for code in np.unique(outcome[outcome != Status.CONVERGED]).tolist():
        table.loc[outcome == code, "reason"] = Status(code).reason
    tell(about_fits(fits))
    tell(outside_scale(table, None))
    return table


def _by_replicates(fits: GroupFits, estimate: Floats) -> StandardErrors:
    """Return the errors of groups with weights of their own from replicate weights."""
    each = len(fits.solution.model.constructs)
    se, df = np.full(len(estimate), np.nan), np.zeros(len(estimate))
    for group, label in enumerate(fits):
        errors = own_replicates(fits[label]) if fits.converged.iloc[group] else None
        if errors is not None:
            part = errors.table(INDEX, "auto")
            place = slice(group * each, (group + 1) * each)
            se[place], df[place] = part["se"], part["df"]
    return StandardErrors(se, df)


def about_fits(fits: GroupFits) -> Iterator[Finding]:
    """Point out groups without a solution, and those with few respondents."""
    lost = fits.solution.estimates.outcome
    lost = np.flatnonzero((lost != Status.CONVERGED) & (lost != Status.SUPPRESSED))
    if len(lost):
        names = tuple(shown_label(fits.labels[group]) for group in lost.tolist())
        yield Finding(
            "groups-without-solution",
            _ONE_UNFITTED if len(lost) == 1 else _UNFITTED,
            names,
            count=len(lost),
            values={"count": len(lost), "total": len(fits), "groups": names},
        )
    n = np.asarray(fits.solution.moments.n, dtype=np.intp)
    known = fits.converged.to_numpy()
    yield from _small_groups(fits.labels[known], n[known])


def _whole(fit: Fit, bootstrap: FitErrors | None, level: float, interval: str) -> pd.DataFrame:
    """Return the table of the whole sample."""
    if bootstrap is not None:
        return bootstrap.table(INDEX, interval, level)
    if reason := without_influence(fit):
        estimate = INDEX.values(fit.solution)
        source = StandardErrors.none(len(estimate), reason)
        return infer(by_construct(fit.model), estimate, source, level, None)
    return Linearized((fit,)).table(INDEX, level=level)


@dataclass(frozen=True, eq=False)
class _Groups:
    """The index of groups, with the weights of all respondents.

    Attributes
    ----------
    fit, codes, names
        What was fitted, the group of each respondent (-1 for none), and the groups.
    """

    fit: Fit
    codes: NDArray[np.intp]
    names: pd.Index

    @classmethod
    def of(cls, fit: Fit, by: str | Sequence[str], least: int = 0) -> _Groups:
        """Make groups by columns of the survey; those of fewer respondents are told as left out."""
        answers = fit.require_answers("index_scores by group")
        assert fit.survey is not None
        codes, names = group_codes(fit.survey, by, answers.rows)
        tell(groups_without_rows(fit.survey, by, names))
        groups = cls(fit, codes, names)
        tell(_about_groups(codes, names, groups.n, least))
        return groups

    @property
    def answers(self) -> Answers:
        """The answers behind the fit."""
        return self.fit.require_answers("index_scores by group")

    @property
    def each(self) -> int:
        """Rows of a group."""
        return len(self.fit.model.constructs)

    @cached_property
    def n(self) -> NDArray[np.intp]:
        """Respondents, (groups,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))

    @cached_property
    def points(self) -> Floats:
        """Mean points of every item, (groups, items)."""
        return group_points(self.answers, self.codes, len(self.names), self.fit.moments)

    @property
    def estimate(self) -> Floats:
        """The indexes of each group in turn, (groups × constructs,)."""
        return by_block(self.fit.model, point_weights(self.fit.solution) * self.points).ravel()

    @property
    def df(self) -> Floats:
        """Degrees of freedom of the same."""
        degrees = self.answers.first_stage.degrees(self.codes, len(self.names))
        return np.repeat(degrees.astype(np.float64), self.each)

    @property
    def census(self) -> NDArray[np.bool_]:
        """Those that rest on all units of a population."""
        whole = self.answers.design.census_of(self.codes, len(self.names))
        return np.repeat(whole, self.each)

    @property
    def labels(self) -> pd.MultiIndex:
        """What the rows are called: group and construct."""
        return _group_labels(self.names, self.fit.model)

    def totals(self, places: NDArray[np.intp]) -> Floats:
        """Return what each unit adds to some of the indexes, (units, places)."""
        group, construct = np.divmod(places, self.each)
        units = self.answers.stages.units
        require_memory(
            f"What {units:,} units add to {len(places):,} indexes",
            2 * 8.0 * units * len(places),
            "take fewer groups",
        )
        totals = np.empty((units, len(places)))
        wanted = np.unique(group)
        codes = np.searchsorted(wanted, self.codes).astype(np.intp)
        codes[~np.isin(self.codes, wanted)] = -1
        for j in np.unique(construct):
            own = np.flatnonzero(construct == j)
            values = group_influence(self.fit, codes, self.points[wanted], int(j))
            totals[:, own] = values[:, np.searchsorted(wanted, group[own])]
        return totals

    def linear(self) -> LinearGroups:
        """Return the same for `Linearized`."""
        unit = self.answers.stages.unit
        return LinearGroups(
            self.labels,
            self.estimate,
            np.repeat(np.arange(len(self.names)), self.each),
            lambda group: np.unique(unit[self.codes == group]),
            self.totals,
            lambda: group_errors(self.fit, self.codes, self.points).ravel(),
            self.df,
            self.census,
            sizes=self.effective,
        )

    @property
    def effective(self) -> Floats:
        """Effective number of respondents of each group, ``(Σ w)²/Σ w²``, (groups,)."""
        return effective_sizes(self.codes, self.answers.weights, len(self.names))


BY_GROUP[INDEX.name] = lambda fit, by: _linear_groups(item_fit(fit), by)


def _by_group(
    fit: Fit,
    by: str | Sequence[str],
    bootstrap: FitErrors | None,
    level: float,
    interval: str,
    least: int,
    progress: bool,
) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Return the table of groups, and the respondents of each row."""
    if interval in ("bca", "studentized"):
        raise OptionError(
            f"interval={interval!r} is not available by group; "
            "use 'auto', 'percentile', 'basic', 'normal', 't' or 'bc'."
        )
    if fit.scanned is not None and isinstance(bootstrap, Bootstrap):
        raise OptionError(
            "bootstrap= holds draws, and draws of the index by group need the respondents in "
            "memory, but this fit was made from a scan; leave it out, for errors by influence "
            "values, or fit a sample of stated size, such as scan.sample(100_000, rng=1)."
        )
    groups = _groups_of(fit, by, least, progress)
    if isinstance(groups, ScannedIndexes):
        return _table_of_scan(groups, level)
    if isinstance(bootstrap, Bootstrap):
        bootstrap.require_usable()
        tell(narrow_intervals(interval, bootstrap.survey_design.df))
        table = _table_of_draws(groups, bootstrap, level, interval, progress)
        return table, np.repeat(groups.n, groups.each)
    if bootstrap is None and (reason := without_influence(fit)):
        source: ErrorSource = StandardErrors.none(len(groups.estimate), reason)
    else:
        require_by_t("auto" if bootstrap is None else interval)
        source = groups.linear().source
    table = infer(groups.labels, groups.estimate, source, level, None, steady=False)
    return table, np.repeat(groups.n, groups.each)


def _groups_of(
    fit: Fit, by: str | Sequence[str], least: int, progress: bool
) -> _Groups | ScannedIndexes:
    """Return the index of groups, of a survey or a scan."""
    if fit.scanned is None:
        return _Groups.of(fit, by, least)
    columns = group_columns(fit.scanned.scan.template, by)
    groups = ScannedIndexes.of(fit, fit.scanned, columns, progress)
    tell(lost_groups(groups.groups.labels, groups.labels))
    codes = np.repeat([-1, 0], [groups.groups.without, int(groups.n.sum())])
    tell(_about_groups(codes, groups.labels, groups.n, least))
    return groups


def _linear_groups(fit: Fit, by: str | Sequence[str]) -> LinearGroups:
    """Return the index of groups for `Linearized`; of a scan what units add was added up."""
    groups = _groups_of(fit, by, 0, True)
    if isinstance(groups, _Groups):
        return groups.linear()
    each = len(fit.model.constructs)

    def totals(places: NDArray[np.intp]) -> Floats:
        fit.require_answers("What each unit adds to the index of groups")
        raise AssertionError

    return LinearGroups(
        _group_labels(groups.labels, fit.model),
        groups.estimate.ravel(),
        np.repeat(np.arange(len(groups.labels)), each),
        lambda group: np.zeros(0, dtype=np.intp),
        totals,
        lambda: groups.errors().ravel(),
        np.repeat(groups.df.astype(np.float64), each),
        np.zeros(len(groups.labels) * each, dtype=np.bool_),
    )


def _table_of_scan(groups: ScannedIndexes, level: float) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Return the table of groups of a scan, and the respondents of each row."""
    each = len(groups.fit.model.constructs)
    df = np.repeat(groups.df.astype(np.float64), each)
    source = StandardErrors(groups.errors().ravel(), df, NO_DERIVATIVE)
    labels = groups.labels.set_names([level_of(str(name)) for name in groups.labels.names])
    own = _group_labels(labels, groups.fit.model)
    table = infer(own, groups.estimate.ravel(), source, level, None, steady=False)
    return table, np.repeat(groups.n, each)


def _table_of_draws(
    groups: _Groups, bootstrap: Bootstrap, level: float, interval: str, progress: bool
) -> pd.DataFrame:
    """Return the table of groups from draws, some groups at a time."""
    drawn = group_draws(groups.fit, bootstrap, groups.codes, len(groups.names), progress)
    drawn = drawn.reshape(len(drawn), -1)
    labels, estimate, census = groups.labels, groups.estimate, groups.census
    design = bootstrap.survey_design
    df = groups.df if design.replication is None else np.minimum(groups.df, design.df)
    together = max(1, _TOGETHER // len(drawn))
    blocks = [slice(low, low + together) for low in range(0, len(estimate), together)]
    return pd.concat(
        [
            infer(
                labels[own],
                estimate[own],
                Draws(
                    estimate[own],
                    drawn[:, own],
                    df[own],
                    interval,
                    design.inflation,
                    census=census[own],
                    replication=design.replication,
                ),
                level,
                None,
                steady=False,
            )
            for own in blocks or [slice(0)]
        ]
    )


def _group_labels(groups: pd.Index, model: Model) -> pd.MultiIndex:
    """Label the rows (group, construct)."""
    names = [str(name) if name is not None else "group" for name in groups.names]
    constructs = model.construct_names
    keys = [key if isinstance(key, tuple) else (key,) for key in groups]
    rows = [(*key, construct) for key in keys for construct in constructs]
    return pd.MultiIndex.from_tuples(rows, names=[*names, "construct"])


def outside_scale(table: pd.DataFrame, bootstrap: Bootstrap | None) -> Iterator[Finding]:
    """Point out indexes, and draws of them, outside 0 to 100."""
    outside = (table["mean"] < -_ROUNDING) | (table["mean"] > 100 + _ROUNDING)
    if outside.any():
        names = tuple(dict.fromkeys(map(shown_label, table.index[outside])))
        yield Finding(
            "index-outside-scale",
            "The index of {names} lies outside 0 to 100, which happens only when a weight is "
            "negative; an item may have been asked the other way round (reverse=).",
            names,
            "failure",
            len(names),
            {"names": names},
        )
    if bootstrap is not None:
        yield from bootstrap.beyond_bounds()


def _about_solution(fit: Fit) -> Iterator[Finding]:
    """Point out weights that come from no solution, or from one that cannot be."""
    if not fit.converged:
        yield Finding(
            "index-without-solution",
            "The fit is no solution, so the weights of these indices are those of where it "
            "stopped; see fit.diagnostics.",
            severity="failure",
        )
        return
    owner = dict(zip(fit.model.items, fit.model.owner, strict=True))
    if items := heywood_items(fit.solution):
        names = tuple(dict.fromkeys(fit.model.construct_names[owner[item]] for item in items))
        yield Finding(
            "index-of-negative-error-variance",
            "The error variance of {items} is below 0, which cannot be, so the weights "
            "in the index of {names} are not to be trusted; see fit.diagnostics.",
            names,
            "warning",
            values={"items": tuple(items), "names": names},
        )


def _about_groups(
    codes: NDArray[np.intp], groups: pd.Index, n: NDArray[np.intp], least: int
) -> Iterator[Finding]:
    """Point out rows without a group, groups that are suppressed, and others of few respondents."""
    lost = int((codes < 0).sum())
    if lost:
        yield Finding(
            "rows-without-group",
            _ONE_WITHOUT_GROUP if lost == 1 else _ROWS_WITHOUT_GROUP,
            count=lost,
            values={"count": lost, "total": len(codes)},
        )
    yield from suppressed_groups(groups, n, least)
    yield from _small_groups(groups[n >= least], n[n >= least])


def _small_groups(groups: pd.Index, n: NDArray[np.intp]) -> Iterator[Finding]:
    small = tuple(
        f"{shown_label(label)} ({count})"
        for label, count in zip(groups, n, strict=True)
        if count < _FEW
    )
    if small:
        yield Finding(
            "small-groups",
            _ONE_SMALL_GROUP if len(small) == 1 else _SMALL_GROUPS,
            small,
            count=len(small),
            values={"count": len(small), "total": len(groups), "few": _FEW, "groups": small},
        )
