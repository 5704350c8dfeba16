"""Index and repurchase of every firm in every period, from respondents, and in every draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators import Fit
from csimodel.estimators.points import by_block, point_weights
from csimodel.index.by_group import group_draws, group_points
from csimodel.inference import Bootstrap, draws_of

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class PanelCells:
    """Respondents grouped by firm and period.

    Attributes
    ----------
    fit
        Whose index it is.
    code
        Cell of each respondent, sorted by firm and then period, -1 for none, (rows,).
    firm, period
        Codes of each cell, (cells,).
    values
        Outcome and controls of the respondents, (rows, columns).
    index
        Position of the construct.
    """

    fit: Fit
    code: Codes
    firm: Codes
    period: Codes
    values: Floats
    index: int

    @classmethod
    def of(cls, fit: Fit, firm: Codes, period: Codes, values: Floats, index: str) -> PanelCells:
        """Group the respondents who have a firm, a period, and all values."""
        whole = (firm >= 0) & (period >= 0) & np.isfinite(values).all(axis=1)
        pairs = np.column_stack([firm, period])
        met, code = np.unique(pairs[whole], axis=0, return_inverse=True)
        every = np.full(len(firm), -1, dtype=np.intp)
        every[whole] = code.reshape(-1)
        place = fit.model.construct_names.index(index)
        return cls(fit, every, met[:, 0], met[:, 1], values, place)

    @property
    def n(self) -> Codes:
        """Respondents of each cell, (cells,)."""
        return np.bincount(self.code[self.code >= 0], minlength=len(self.firm))

    def means(self) -> tuple[Floats, Floats, Floats]:
        """Return index, (cells,), means of the values, (cells, columns), and total weights."""
        answers = self.fit.require_answers("repurchase_panel")
        points = group_points(answers, self.code, len(self.firm), self.fit.moments)
        index = by_block(self.fit.model, point_weights(self.fit.solution) * points)
        total = self._sums(np.ones((1, len(self.code))), None)[0]
        means = [
            self._sums(np.ones((1, len(self.code))), column)[0] / total for column in self.values.T
        ]
        return index[:, self.index], np.stack(means, axis=1), total

    def sampling_covariance(self, points: Floats) -> Floats:
        """Return the sampling covariance of each cell's mean index and outcome, (cells, 2, 2).

        ``S/n`` with S the covariance within the cell, its weights' effective number for n; NaN
        for a cell of one respondent.
        """
        used = self.code >= 0
        code, w = self.code[used], self._weights[used]
        both = np.column_stack([points, self.values[:, 0]])[used]
        total = np.bincount(code, w)
        mean = np.stack([np.bincount(code, w * v) / total for v in both.T], axis=1)
        off = both - mean[code]
        effective = total**2 / np.bincount(code, w**2)
        covariances = np.empty((len(total), 2, 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            for a in range(2):
                for b in range(2):
                    spread = np.bincount(code, w * off[:, a] * off[:, b]) / total
                    covariances[:, a, b] = spread / (effective - 1.0)
        covariances[effective <= 1.0 + 1e-9] = np.nan
        return covariances

    def draws(self, bootstrap: Bootstrap, progress: bool) -> tuple[Floats, Floats, Floats]:
        """Return the same in the usable draws: (draws, cells), (draws, cells, columns), totals.

        A cell nobody was drawn from has a total of 0 and means of NaN.
        """
        by_cell = group_draws(self.fit, bootstrap, self.code, len(self.firm), progress)
        index = by_cell[:, :, self.index]
        total, means = [], []
        design, usable = bootstrap.design, bootstrap.usable
        for _, counts in draws_of(design, usable, what="panel", progress=progress):
            below = self._sums(counts, None)
            total.append(below)
            with np.errstate(invalid="ignore", divide="ignore"):
                parts = [self._sums(counts, column) / below for column in self.values.T]
            means.append(np.stack(parts, axis=2))
        return index, np.concatenate(means), np.concatenate(total)

    def table(self, firms: list[str], periods: list[str]) -> pd.MultiIndex:
        """Return the labels of the cells."""
        labels = [[firms[f] for f in self.firm], [periods[p] for p in self.period]]
        return pd.MultiIndex.from_arrays(labels, names=["firm", "period"])

    @property
    def _weights(self) -> Floats:
        weights = self.fit.require_answers("repurchase_panel").weights
        return np.ones(len(self.code)) if weights is None else np.asarray(weights)

    def _sums(self, counts: Floats, column: Floats | None) -> Floats:
        """Sum weights, or weighted values, within cells, (draws, rows) to (draws, cells)."""
        from scipy.sparse import csr_array

        used = np.flatnonzero(self.code >= 0)
        own = self._weights[used] * (1.0 if column is None else column[used])
        shape = (len(self.code), len(self.firm))
        return np.asarray(counts @ csr_array((own, (used, self.code[used])), shape=shape))
