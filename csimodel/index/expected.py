"""Answers that were not given, as they are expected given those that were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.points import scale_of
from csimodel.moments import Moments
from csimodel.survey import Answers

Floats = NDArray[np.float64]

_SAME = 1e-6  # of a standard deviation, below which means are those of the answers


@dataclass(frozen=True, eq=False)
class Expected:
    """Incomplete answers whose most likely means and covariances are known.

    Given the answers o of a respondent, the others m are expected to be ``μ_m + Σ_mo Σ_oo⁻¹ (x_o -
    μ_o)``; averaged over all respondents of a sample, at the most likely μ and Σ, this is μ itself
    (the M step of EM).

    Attributes
    ----------
    values
        Answers, NaN where missing, (rows, items).
    weights
        Of the rows, (rows,).

    References
    ----------
    Dempster, A. P., Laird, N. M., Rubin, D. B. (1977). Maximum likelihood from incomplete data via
    the EM algorithm. Journal of the Royal Statistical Society B 39, 1-38.
    https://doi.org/10.1111/j.2517-6161.1977.tb01600.x
    """

    values: Floats
    weights: Floats

    @classmethod
    def of(cls, answers: Answers, moments: Moments) -> Expected | None:
        """Return the answers where the moments are the most likely ones, else None.

        None where the means of the moments are those of the answers there are.
        """
        gaps = np.isnan(answers.values)
        if answers.missing != "pairwise" or not gaps.any():
            return None
        weights = answers.row_weights
        seen = np.where(gaps, 0.0, weights[:, None])
        mean = (seen * np.where(gaps, 0.0, answers.values)).sum(axis=0) / seen.sum(axis=0)
        spread = np.sqrt(np.diagonal(moments.cov))
        if not (np.abs(mean - moments.mean) > _SAME * spread).any():
            return None
        return cls(answers.values, weights)

    def answers(self, rows: NDArray[np.intp], moments: Moments) -> Floats:
        """Return the points of answers of some rows, expected where missing, (rows, items)."""
        values = self.values[rows].copy()
        for seen in np.unique(~np.isnan(values), axis=0):
            own = (~np.isnan(values) == seen).all(axis=1)
            o, m = np.flatnonzero(seen), np.flatnonzero(~seen)
            slope = np.linalg.solve(moments.cov[np.ix_(o, o)], moments.cov[np.ix_(o, m)])
            off = values[np.ix_(own, o)] - moments.mean[o]
            values[np.ix_(own, m)] = moments.mean[m] + off @ slope
        minimum, width = scale_of(moments)
        return np.asarray((values - minimum) / width * 100.0)

    def points(self, rows: NDArray[np.intp], times: Floats, moments: Moments) -> Floats:
        """Return mean points of the expected answers of some rows, (draws, items).

        NaN for an item that none of them answered.

        Parameters
        ----------
        rows
            Positions of the respondents.
        times
            How often each counts in each draw, (draws, rows).
        moments
            Of each draw.
        """
        values, times = self.values[rows], times * self.weights[rows]
        size = values.shape[1]
        mean, cov = moments.mean.reshape(-1, size), moments.cov.reshape(-1, size, size)
        seen = ~np.isnan(values)
        total = np.zeros((len(times), values.shape[1]))
        for answered in np.unique(seen, axis=0):
            own = (seen == answered).all(axis=1)
            o, m = np.flatnonzero(answered), np.flatnonzero(~answered)
            count = times[:, own].sum(axis=1)
            sums = times[:, own] @ values[np.ix_(own, o)]
            total[:, o] += sums
            total[:, m] += count[:, None] * mean[:, m]
            if len(o) and len(m):
                within = cov[:, o[:, None], o]
                across = cov[:, o[:, None], m]
                off = sums - count[:, None] * mean[:, o]
                total[:, m] += np.einsum("do,dom->dm", off, np.linalg.solve(within, across))
        minimum, width = scale_of(moments)
        with np.errstate(invalid="ignore", divide="ignore"):
            average = total / times.sum(axis=1)[:, None]
            average[times @ seen == 0] = np.nan
        return np.asarray((average - minimum) / width * 100.0)
