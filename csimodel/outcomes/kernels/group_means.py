"""Means of groups of respondents with the errors of the sample design, and contrasts of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.inference.domains import satterthwaite, working_variance
from csimodel.inference.infer import infer
from csimodel.inference.sources import CENSUS, NO_DEGREES, StandardErrors
from csimodel.outcomes.kernels.bias_reduced import BiasReduced
from csimodel.significance import t_quantile, wilson_limits
from csimodel.survey.calibrated_design import CalibratedDesign
from csimodel.survey.domain_design import DomainDesign
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class GroupMeans:
    """Means of groups, which may share rows.

    Attributes
    ----------
    mean
        (groups,); NaN for an empty group.
    covariance
        Of the means, (groups, groups); NaN for groups of fewer than 2 rows or clusters, or not
        more sampled units than strata.
    n
        Rows, (groups,).
    effective
        ``(Σ w)² / Σ w²``, (groups,).
    touched
        Which units have rows in which groups, (groups, units), or None when rows are independent.
    reduced
        CR2 errors of the means, where there are clusters alone and no row is in two groups.
    design
        The sampling design of the units, where it has strata or a finite population.
    """

    mean: Floats
    covariance: Floats
    n: Codes
    effective: Floats
    touched: NDArray[np.bool_] | None
    reduced: BiasReduced | None = None
    design: SurveyDesign | None = None

    @property
    def se(self) -> Floats:
        """Standard errors, (groups,)."""
        return np.asarray(np.sqrt(np.diagonal(self.covariance)))

    def df(self, weights: Floats) -> float:
        """Return degrees of freedom of a sum.

        Units less strata of a design, at most Satterthwaite's of the groups
        (`working_variance`); CR2's, clusters less one, or Welch's.
        """
        used = weights != 0
        if self.design is not None and self.touched is not None:
            each = np.array([self._units_less_strata(own) for own in self.touched[used, None]])
            variance = np.diagonal(self.covariance)[used]
            parts = working_variance(self.design, variance, self.effective[used])
            most = float(satterthwaite(parts * weights[used] ** 2, each))
            return float(np.fmin(self._units_less_strata(self.touched[used]), most))
        if self.reduced is not None:
            return float(self.reduced.working(weights[None, :]).df[0])
        if self.touched is not None:
            return float(self.touched[used].any(axis=0).sum() - 1)
        parts = weights[used] ** 2 * np.diagonal(self.covariance)[used]
        with np.errstate(invalid="ignore", divide="ignore"):
            df = parts.sum() ** 2 / (parts**2 / (self.n[used] - 1)).sum()
        return float(df) if np.isfinite(df) else float((self.n[used] - 1).sum())

    def contrasts(self, weights: Floats, labels: Sequence[str], level: float) -> pd.DataFrame:
        """Return sums of means times weights, (sums, groups), with t limits; see `infer`."""
        rows = [(row[row != 0], row != 0) for row in np.atleast_2d(weights)]
        estimate = np.array([w @ self.mean[used] for w, used in rows])
        variance = np.array([w @ self.covariance[np.ix_(used, used)] @ w for w, used in rows])
        df = np.array([self.df(row) for row in np.atleast_2d(weights)])
        census = np.array([self._census(used) for _, used in rows])
        errors = StandardErrors(np.sqrt(variance), df, NO_DEGREES, census)
        return infer(pd.Index(labels), estimate, errors, level, steady=False)

    def shares(self, labels: Sequence[str], level: float) -> pd.DataFrame:
        """Return the means as shares: n, share, se, df, lower, upper, reason.

        Limits are Wilson's, with the sample size that the design is worth; where everybody answers
        alike they are there though there is no error, and the reason speaks of the error.
        """
        table = self.contrasts(np.eye(len(self.mean)), labels, level)
        table = table.rename(columns={"estimate": "share"}).drop(columns="p")
        ends = [share_interval(self, group, level) for group in range(len(self.mean))]
        table[["lower", "upper"]] = np.array(ends, dtype=np.float64).reshape(-1, 2)
        whole = table["reason"] == CENSUS
        for end in ("lower", "upper"):
            table[end] = table["share"].where(whole, table[end])
        table.insert(0, "n", self.n)
        return table

    def joint_df(self, matrix: Floats) -> float:
        """Return the degrees of freedom of a test of several sums, (sums, groups)."""
        if self.reduced is not None:
            return self.reduced.joint_df(matrix)
        if self.design is None or self.touched is None:
            return float("inf")
        return self._units_less_strata(self.touched)

    def _units_less_strata(self, touched: NDArray[np.bool_]) -> float:
        """Return the units of a design that some groups have members in, less their strata."""
        assert self.design is not None
        return float(self.design.degrees_of(np.flatnonzero(touched.any(axis=0))))

    def _census(self, used: NDArray[np.bool_]) -> bool:
        """Whether groups hold units only of strata that are wholly in the sample."""
        if self.design is None or self.touched is None:
            return False
        units = np.flatnonzero(self.touched[used].any(axis=0))
        return self.design.census_of_units(units)


def group_means(
    y: Floats, groups: Sequence[Codes], weights: Floats | None, design: SurveyDesign | None
) -> GroupMeans:
    """Return the mean of every group, with linearised errors.

    A row adds ``u = w (y - ȳ_g)/Σ_g w`` to the mean of its group g. Rows independent: the variance
    is ``n_g/(n_g - 1) Σ u²``, which without weights is s²/n. Clusters: the means are those of a
    regression on the groups, with errors by CR2 (`BiasReduced`), across groups too. Where groups
    share rows: with U the sums of u by cluster and group and C clusters, ``C/(C - 1) U'U``. Strata,
    a finite population, or weights that meet margins: the covariance of the sums by unit as in
    `SurveyDesign` and `CalibratedDesign`, of which groups are domains.

    Parameters
    ----------
    y
        (rows,)
    groups
        Rows of each group, positions in `y`.
    weights
        (rows,), or None.
    design
        The units the rows were drawn in; None where they are independent.

    References
    ----------
    Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex
    surveys. International Statistical Review 51, 279-292. https://doi.org/10.2307/1402588

    Examples
    --------
    >>> found = group_means(
    ...     np.array([1.0, 3, 2, 6]), [np.array([0, 1]), np.array([2, 3])], None, None
    ... )
    >>> found.mean, found.se
    (array([2., 4.]), array([1., 2.]))
    """
    from scipy.sparse import csr_array

    n = np.array([len(rows) for rows in groups], dtype=np.intp)
    place, rows = np.repeat(np.arange(len(n)), n), np.concatenate([*groups, []]).astype(np.intp)
    w = np.ones(len(rows)) if weights is None else weights[rows]
    total = np.bincount(place, w, len(n))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(place, w * y[rows], len(n)) / total
        effective = total**2 / np.bincount(place, w**2, len(n))
        u = w * (y[rows] - mean[place]) / total[place]
        known = design is not None and (
            design.strata > 1
            or design.population is not None
            or isinstance(design, CalibratedDesign)
        )
        if design is not None and known:
            return _of_design(mean, u, place, rows, n, effective, design)
        cluster = design.unit if design is not None and design.kind == "cluster" else None
        if cluster is None:
            pulls = csr_array((u, (place, rows)), shape=(len(n), len(y)))
            factor = np.sqrt(n / (n - 1.0))
            touched, alone = None, n < 2
        else:
            names, at = np.unique(cluster[rows], return_inverse=True)
            shape = (len(n), len(names))
            pulls = csr_array((u, (place, at)), shape=shape)
            count = len(names)
            factor = np.full(len(n), np.sqrt(count / (count - 1.0)) if count > 1 else np.nan)
            touched = csr_array((np.ones(len(u)), (place, at)), shape=shape).toarray() > 0
            alone = touched.sum(axis=1) < 2
        covariance = (pulls @ pulls.T).toarray() * factor[:, None] * factor
    reduced = None
    if cluster is not None and (n > 0).all() and len(np.unique(rows)) == len(rows):
        unit = w / w.mean()
        powers = [unit] if weights is None else [np.ones(len(rows)), unit, unit**2]
        reduced = _reduced(y[rows] - mean[place], place, at, powers)
        covariance = reduced.pulls.T @ reduced.pulls
    covariance[alone, :] = covariance[:, alone] = np.nan
    return GroupMeans(mean, covariance, n, effective, touched, reduced)


def _of_design(
    mean: Floats,
    pulls: Floats,
    group: Codes,
    rows: Codes,
    n: Codes,
    effective: Floats,
    design: SurveyDesign,
) -> GroupMeans:
    """Return means with the covariance of their sums of pulls by unit."""
    unit = design.unit[rows]
    if isinstance(design, DomainDesign):
        values = np.zeros((len(design.unit), len(n)))
        np.add.at(values, (rows, group), pulls)
        totals = design.totals(values)
    else:
        totals = np.zeros((design.units, len(n)))
        np.add.at(totals, (unit, group), pulls)
    touched = np.zeros((len(n), design.units), dtype=np.bool_)
    touched[group, unit] = True
    means = GroupMeans(mean, design.covariance(totals), n, effective, touched, None, design)
    degrees = np.array([design.degrees_of(np.flatnonzero(units)) for units in touched])
    whole = np.array([means._census(own) for own in np.eye(len(n), dtype=np.bool_)])
    alone = (degrees < 1) & ~whole
    means.covariance[alone, :] = means.covariance[:, alone] = np.nan
    return means


def _reduced(residual: Floats, group: Codes, cluster: Codes, powers: list[Floats]) -> BiasReduced:
    """Return CR2 errors of means of groups without common rows."""
    groups, clusters = int(group.max()) + 1, int(cluster.max()) + 1
    cell = cluster * groups + group

    def cells(values: Floats) -> Floats:
        sums = np.bincount(cell, values, groups * clusters)
        return np.asarray(sums.reshape(clusters, groups), dtype=np.float64)

    scores = np.stack([cells(power * residual) for power in powers[:2]])
    information = np.stack([cells(power) for power in powers])
    return BiasReduced.of(scores, information[..., None] * np.eye(groups))


def share_interval(means: GroupMeans, group: int, level: float) -> tuple[float, float]:
    """Return Wilson limits of a share (`wilson_limits`), with the sample size the design is worth.

    The size is ``p (1 - p)/variance`` times (z/t)², t with the design's degrees of freedom; n
    itself for independent rows of equal weight. Where everybody answers alike it is the
    effective number of weights (of clusters, where there are any and they are fewer). NaN for a
    group in one cluster, which shows nothing of how clusters differ.

    References
    ----------
    Korn, E. L., Graubard, B. I. (1998). Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data. Survey Methodology 24, 193-201.

    Examples
    --------
    >>> means = group_means(np.array([1.0] * 8 + [0] * 2), [np.arange(10)], None, None)
    >>> share_interval(means, 0, 0.95)
    (0.490, 0.943)
    """
    p, size = float(means.mean[group]), float(means.effective[group])
    if means.touched is not None:
        size = min(size, float(means.touched[group].sum()))
    variance = float(means.covariance[group, group])
    simple = means.touched is None and np.isclose(means.effective[group], means.n[group])
    if not simple and 0 < p < 1 and variance > 0:
        df = means.df(np.eye(len(means.mean))[group])
        tail = 0.5 + level / 2.0
        size = (
            p * (1.0 - p) / variance * float(t_quantile(tail, np.inf) / t_quantile(tail, df)) ** 2
        )
    alone = means.touched is not None and not np.isfinite(variance)
    if alone or not (np.isfinite(p) and size > 0):
        return float("nan"), float("nan")
    low, high = wilson_limits(p, size, level)
    return float(low), float(high)
