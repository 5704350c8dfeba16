"""Slopes between groups, such as firms, whose mean index and mean outcome are from samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import THRESHOLDS
from csimodel.errors import EstimationError, OptionError
from csimodel.estimators import Fit
from csimodel.estimators.points import point_weights, respondent_points
from csimodel.findings import Finding
from csimodel.inference import Bootstrap
from csimodel.outcomes.rows.sample import Sample

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_FEW = THRESHOLDS["few groups"].value


@dataclass(frozen=True, eq=False)
class GroupMoments:
    """Means of groups and the sampling errors of those means.

    The variables are the items of the indexes, in points, and the outcome last.

    Attributes
    ----------
    mean
        (groups, variables)
    error
        Sampling covariances of each group's means, (groups, variables, variables).
    turned
        From variables to indexes and outcome, (variables, indexes + 1).
    first
        A respondent of each group, position among those of the fit, (groups,).
    cluster
        Code of the cluster each group lies in, (groups,); groups themselves without clusters.
    findings
        Groups and respondents left out, counted.
    """

    mean: Floats
    error: Floats
    turned: Floats
    first: Codes
    cluster: Codes
    findings: tuple[Finding, ...]

    @property
    def size(self) -> int:
        """Number of groups."""
        return len(self.mean)

    def slopes(self, times: float) -> Floats:
        """Return slopes with `times` the sampling errors added, (indexes,); -1 corrects."""
        counts = np.ones((1, self.size))
        return np.asarray(self._solved(*self._between(counts), self.turned[None], times)[0])

    @property
    def reliability(self) -> Floats:
        """Variance between groups over total variance of the means, (indexes,)."""
        between, error = (
            np.diag(self.turned.T @ part[0] @ self.turned)[:-1]
            for part in self._between(np.ones((1, self.size)))
        )
        return np.asarray(1.0 - error / between)

    def pulls(self, times: float) -> Floats:
        """Return each group's pull on the slopes, (groups, indexes).

        The linearisation of ``(S + times E) β = s + times e``, the item weights taken as known;
        S has the denominator n - 1, E is a mean.
        """
        moved = (self.mean - self.mean.mean(axis=0)) @ self.turned
        error = np.swapaxes(self.turned, 0, 1) @ self.error @ self.turned
        beta = np.append(-self.slopes(times), 1.0)
        rest = moved[:, :-1] * (moved @ beta)[:, None] / (self.size - 1.0)
        rest += times * (error @ beta)[:, :-1] / self.size
        between, mean_error = (part[0] for part in self._between(np.ones((1, self.size))))
        inner = (self.turned.T @ (between + times * mean_error) @ self.turned)[:-1, :-1]
        return np.asarray(rest @ np.linalg.inv(inner))

    def se(self, times: float) -> Floats:
        """Return standard errors of the slopes, (indexes,), over groups or their clusters.

        Times n/(n - k), n the groups and k the slopes and the constant (HC1); with fewer clusters
        G than groups, times G/(G - 1) · (n - 1)/(n - k).
        """
        pulls, n = self.pulls(times), self.size
        totals = np.stack([np.bincount(self.cluster, column) for column in pulls.T], axis=1)
        g, k = len(totals), pulls.shape[1] + 1
        factor = n / (n - k) if g == n else g / (g - 1.0) * (n - 1.0) / (n - k)
        return np.asarray(np.sqrt(factor * (totals**2).sum(axis=0)))

    def draws(self, bootstrap: Bootstrap, items: Codes, blocks: Sequence[slice]) -> Floats:
        """Return slopes in the usable draws, (2, draws, indexes), naive and corrected."""
        counts = np.concatenate([c[:, self.first] for c in bootstrap.design])[bootstrap.usable]
        weights = point_weights(bootstrap.solution)[bootstrap.usable][:, items]
        turned = np.stack([turn(w, blocks) for w in weights])
        between, error = self._between(counts)
        return np.stack([self._solved(between, error, turned, times) for times in (0.0, -1.0)])

    def _between(self, counts: Floats) -> tuple[Floats, Floats]:
        """Return covariances of the means and mean sampling errors, (draws, variables, …)."""
        size = self.mean.shape[1]
        total = counts.sum(axis=1)[:, None]
        centred = self.mean - self.mean.mean(axis=0)
        share = counts / total
        mean = share @ centred
        products = (centred[:, :, None] * centred[:, None, :]).reshape(self.size, -1)
        second = share @ products - (mean[:, :, None] * mean[:, None, :]).reshape(len(share), -1)
        with np.errstate(invalid="ignore", divide="ignore"):
            second *= total / (total - 1.0)
        error = share @ self.error.reshape(self.size, -1)
        return second.reshape(-1, size, size), error.reshape(-1, size, size)

    @staticmethod
    def _solved(between: Floats, error: Floats, turned: Floats, times: float) -> Floats:
        cov = np.swapaxes(turned, -1, -2) @ (between + times * error) @ turned
        inner, right = cov[:, :-1, :-1], cov[:, :-1, -1]
        finite = np.asarray(np.isfinite(cov).all(axis=(-2, -1)))
        safe = np.where(finite[:, None, None], inner, np.eye(inner.shape[-1]))
        size = np.sqrt(np.abs(np.diagonal(safe, axis1=-2, axis2=-1))) + 1e-300
        unit = safe / (size[:, :, None] * size[:, None, :])
        sound = finite & (np.linalg.eigvalsh(unit)[:, 0] > 1e-9)
        safe = np.where(sound[:, None, None], safe, np.eye(inner.shape[-1]))
        solution = np.linalg.solve(safe, np.where(sound[:, None], right, 0.0)[..., None])[..., 0]
        return np.where(sound[:, None], solution, np.nan)


def turn(weights: Floats, blocks: Sequence[slice]) -> Floats:
    """Return the matrix from items and outcome to indexes and outcome."""
    turned = np.zeros((len(weights) + 1, len(blocks) + 1))
    for j, block in enumerate(blocks):
        turned[block, j] = weights[block]
    turned[-1, -1] = 1.0
    return turned


def group_moments_of(
    fit: Fit,
    sample: Sample,
    codes: Codes,
    names: Sequence[object],
    items: Codes,
    blocks: Sequence[slice],
) -> GroupMoments:
    """Return the moments of groups of a regression's respondents.

    With w the survey weights, a respondent adds ``u = w (z - z̄_g)/Σ_g w`` to his group's means,
    whose sampling covariances are ``n_g/(n_g - 1) Σ u u'``.

    Parameters
    ----------
    fit, sample
        The fit, and its respondents in the regression.
    codes
        Group of each respondent of the sample, (rows,); -1 for none.
    names
        What the groups are called.
    items, blocks
        Positions of the indexes' items in the model, and which belong to each index.

    Raises
    ------
    EstimationError
        When fewer groups than slopes and 3 have at least 2 respondents.
    """  # fmt: skip
    answers = fit.require_answers("slopes between groups")
    points = respondent_points(answers, fit.moments)[np.ix_(sample.rows, items)]
    z = np.column_stack([points, sample.outcome])
    n = np.bincount(codes[codes >= 0], minlength=len(names))
    kept = np.flatnonzero(n > 1)
    if len(kept) < len(blocks) + 3:
        raise EstimationError(
            f"Only {len(kept)} of {len(names)} groups have at least 2 respondents with an index "
            f"and an outcome, and slopes between groups need at least {len(blocks) + 3}; use "
            "smaller or more groups."
        )
    place = np.full(len(names) + 1, -1)
    place[kept] = np.arange(len(kept))
    group = place[codes]
    used = group >= 0
    g, z = group[used], z[used]
    w = sample.row_weights[used]
    total = np.bincount(g, w)
    mean = np.stack([np.bincount(g, w * column) for column in z.T], axis=1) / total[:, None]
    u = (z - mean[g]) * (w / total[g])[:, None]
    error = np.empty((len(kept), z.shape[1], z.shape[1]))
    for j in range(z.shape[1]):
        for k in range(j, z.shape[1]):
            error[:, j, k] = error[:, k, j] = np.bincount(g, u[:, j] * u[:, k])
    error *= (n[kept] / (n[kept] - 1.0))[:, None, None]
    rows = sample.rows[used]
    first = rows[np.unique(g, return_index=True)[1]]
    cluster = np.arange(len(kept))
    if answers.cluster is not None and not _split(g, answers.cluster[rows]):
        cluster = np.unique(answers.cluster[first], return_inverse=True)[1]
    turned = turn(point_weights(fit.solution)[items], blocks)
    told = tuple(_told(codes, n, names))
    return GroupMoments(mean, error, turned, first, cluster, told)


def require_whole_groups(fit: Fit, by: str, codes: Codes, rows: Codes) -> None:
    """Refuse draws that tear groups apart.

    Raises
    ------
    OptionError
        When the survey has no clusters, or a group lies in several of them.
    """
    assert fit.answers is not None
    cluster = fit.answers.cluster
    used = codes >= 0
    if cluster is None or _split(codes[used], cluster[rows[used]]):
        raise OptionError(
            f"A bootstrap for slopes between groups of {by!r} must draw whole groups, and this one "
            f"draws {'respondents' if cluster is None else 'other clusters'}; read the survey with "
            f"read_survey(..., cluster={by!r}), fit and draw again, or leave bootstrap out."
        )


def _split(group: Codes, cluster: Codes) -> bool:
    pairs = np.unique(np.column_stack([group, cluster]), axis=0)
    return bool(len(pairs) > len(np.unique(group)))


def _told(codes: Codes, n: Codes, names: Sequence[object]) -> list[Finding]:
    told = []
    if nowhere := int((codes < 0).sum()):
        message = (
            "{count} of {total} respondents {count:belongs|belong} to no group and "
            "{count:was|were} left out."
        )
        told.append(
            Finding(
                "no-group",
                message,
                severity="note",
                count=nowhere,
                values={"count": nowhere, "total": len(codes)},
            )
        )
    small = np.flatnonzero(n < 2)
    if len(small):
        which = [str(names[g]) for g in small.tolist()]
        message = (
            "{count} of {total} groups {count:has|have} fewer than 2 respondents, so "
            "{count:its|their} sampling error is unknown and {count:it was|they were} left out: "
            "{groups}."
        )
        told.append(
            Finding(
                "groups-left-out",
                message,
                tuple(which),
                count=len(small),
                values={"count": len(small), "total": len(n), "groups": tuple(which)},
            )
        )
    if (left := int((n > 1).sum())) < _FEW:
        message = "These slopes rest on {count} groups; treat them as an illustration."
        told.append(
            Finding(
                "few-groups",
                message,
                count=left,
                values={"count": left},
            )
        )
    return told
