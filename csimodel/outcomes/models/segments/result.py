"""The result of `repurchase_segments`: effects by segment, tests of their equality, curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked_in
from csimodel.findings import Finding
from csimodel.floats import own_errstate_in
from csimodel.formatting import told_p
from csimodel.inference import spread_of
from csimodel.inference.infer import infer
from csimodel.inference.sources import StandardErrors
from csimodel.outcomes.kernels.wald import table_of_tests
from csimodel.outcomes.models.averages import Averages
from csimodel.outcomes.models.draws import Batch
from csimodel.outcomes.models.levels import on_index
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.segments.pairs import corrected_pairs, pair_steps
from csimodel.outcomes.models.segments.regression import OfSegments
from csimodel.outcomes.rows.cells import Cells
from csimodel.page import HasHeadline, Page, sections

Floats = NDArray[np.float64]


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Segments(HasHeadline):
    """The curve of repurchase over the index in every segment. Made by `repurchase_segments`.

    Attributes
    ----------
    repurchase
        The regression in which every segment has its own level, slope and bend.
    regression
        The same as arrays.
    names
        Of the segments.
    centre
        Mean index of all, around which the bend is measured.
    curvature
        Whether the curves bend beyond what the family does.
    """

    repurchase: Repurchase
    regression: OfSegments
    names: tuple[str, ...]
    centre: float
    curvature: bool

    @property
    def place(self) -> NDArray[np.intp]:
        """Segment of each respondent used, (rows,)."""
        return self.regression.place

    @property
    def level(self) -> float:
        """Coverage of intervals."""
        return self.repurchase.level

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know, in plain words."""
        return self.repurchase.findings

    @cached_property
    def table(self) -> pd.DataFrame:
        """Segments: n, index and outcome (means), effect with its error; see `infer`.

        ``effect`` is the change of probability per index point, averaged over the index of the
        respondents of all segments, so that segments are compared at the same satisfaction.
        """
        sample = self.repurchase.regression.sample
        count = np.bincount(self.place)
        share = np.bincount(self.place, sample.share)
        columns = {
            "n": count,
            "index": np.bincount(self.place, sample.share * sample.regressors[:, 0]) / share,
            "outcome": np.bincount(self.place, sample.share * sample.outcome) / share,
        }
        effects = self._told(np.eye(len(self.names)))
        effects = effects.rename(columns={"estimate": "effect"})
        table = pd.concat([pd.DataFrame(columns), effects], axis=1)
        table.index = pd.Index(self.names, name="segment")
        return table

    @cached_property
    def bends(self) -> pd.DataFrame:
        """Bends of the segments with their errors (see `infer`); no row without curvature.

        A bend is the coefficient of ``(x - m)²/100²`` on the family's scale. From draws its limits
        and p-value are by their spread.
        """
        rep, names = self.repurchase, self.names if self.curvature else ()
        labels = pd.Index(names, name="segment")
        own = np.array([self._own(g)[2] for g in range(len(names))]).reshape(
            len(names), len(rep.regression.coefficients)
        )
        if rep.draws is None:
            return rep._linear(own, None).set_axis(labels)
        se = spread_of(rep.draws.coefficients @ own.T) * np.sqrt(rep.draws.design.inflation)
        df = np.full(len(names), rep.draws.design_df)
        errors = StandardErrors(se, df, census=rep.draws.design.census)
        return infer(labels, own @ rep.regression.coefficients, errors, self.level)

    @cached_property
    def tests(self) -> pd.DataFrame:
        """Wald tests that segments share a curve but for its level: statistic, distribution, p.

        Rows ``"slopes"`` and, with curvature, ``"bends"`` and ``"curves (slopes and bends)"``; with
        curvature the slopes are those at the mean index of all.
        """
        own = [self._own(g) for g in range(len(self.names))]
        slopes = np.array([one[1] - own[0][1] for one in own[1:]])
        rows = {"slopes": slopes}
        if self.curvature:
            bends = np.array([one[2] - own[0][2] for one in own[1:]])
            rows |= {"bends": bends, "curves (slopes and bends)": np.vstack([slopes, bends])}
        return table_of_tests({name: self.repurchase._test(m) for name, m in rows.items()})

    @cached_property
    def pairwise(self) -> pd.DataFrame:
        """Differences of effects between every two segments.

        Columns difference (first less second), se, lower, upper (of each alone), p, and p_holm,
        corrected for the number of pairs.
        """
        differences = self._told(pair_steps(len(self.names)))
        return corrected_pairs(differences.rename(columns={"estimate": "difference"}), self.names)

    def curves(self, levels: ArrayLike | None = None) -> pd.DataFrame:
        """Return the curve of every segment, for `plots.repurchase_curves`.

        Parameters
        ----------
        levels
            Index points; every whole point from 0 to 100 by default. A curve beyond the index
            observed in its segment is the formula's guess, which column ``observed`` says.

        Returns
        -------
        DataFrame
            Rows (segment, index); columns probability, se, lower, upper, observed.

        Raises
        ------
        OptionError
            When a level is outside 0 to 100.
        """
        points = on_index(np.arange(101.0) if levels is None else levels)
        table = self.repurchase._table(*self._predicted(points), probability=True)
        seen = self.repurchase.regression.sample.regressors[:, 0]
        observed = [
            (points >= seen[self.place == g].min() - 1e-6)
            & (points <= seen[self.place == g].max() + 1e-6)
            for g in range(len(self.names))
        ]
        table = table.rename(columns={"estimate": "probability"}).drop(columns="p")
        return table.assign(observed=np.concatenate(observed)).set_axis(
            pd.MultiIndex.from_product([self.names, points], names=["segment", "index"])
        )

    def contrast(self, start: float, end: float) -> pd.DataFrame:
        """Return every segment's probability at two levels of the index, and the difference.

        Parameters
        ----------
        start, end
            Index points, 0 to 100.

        Returns
        -------
        DataFrame
            Rows (segment, "at <start>", "at <end>", "difference"); columns probability, se, lower,
            upper.

        Raises
        ------
        OptionError
            When a level is outside 0 to 100.
        """
        predictions, draws = self._predicted(on_index([start, end]))
        step = np.asarray(np.kron(np.eye(len(self.names)), [[-1.0, 1.0]]), float)
        told = self.repurchase._table
        ends = told(predictions, draws, probability=True)
        if draws is None:
            steps = told(predictions.turned(step), None)
        else:
            change = Averages(step @ predictions.value, predictions.gradient, None)
            steps = told(change, draws @ step.T)
        what = [f"at {start:g}", f"at {end:g}", "difference"]
        both = [pd.concat([ends[2 * g : 2 * g + 2], steps[g : g + 1]]) for g in range(len(steps))]
        table = pd.concat(both).rename(columns={"estimate": "probability"}).drop(columns="p")
        return table.set_axis(pd.MultiIndex.from_product([self.names, what], names=["segment", ""]))

    def _predicted(self, points: Floats) -> tuple[Averages, Floats | None]:
        """Return probabilities, segment by segment, and their draws."""
        family, chain, curve = self.regression.family, self.repurchase.draws, self._curve(points)
        eta = self.regression.own(self.regression.coefficients) @ curve.T
        value = family.mean(eta).ravel()
        if chain is None:
            gradient = self.regression.spread(family.slope(eta)[:, :, None] * curve)
            return Averages(value, gradient, None), None
        draws = family.mean(self.regression.own(chain.coefficients) @ curve.T)
        return Averages(value, np.empty((0, 0)), None), draws.reshape(len(draws), -1)

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        if not self.table["effect"].notna().any():
            return (
                f"The curves of {self.repurchase.outcome} over the index have no finite solution "
                "in at least one segment, so they are not compared."
            )
        p = float(self.tests["p"].iloc[-1])
        differ = "differ" if p < 1.0 - self.level else "are not shown to differ"
        effect = 100.0 * self.table["effect"]
        return (
            f"The curves of {self.repurchase.outcome} over the index {differ} between the "
            f"{len(self.names)} segments ({told_p(p)}); a point goes with {effect.min():.2f} "
            f"({effect.idxmin()}) to {effect.max():.2f} ({effect.idxmax()}) percentage points."
        )

    @property
    def page(self) -> Page:
        """The result on a page."""
        rep = self.repurchase
        tables = {
            "Segments": self.table,
            "Bends": self.bends,
            "Do the curves differ?": self.tests,
            "Differences of effects": self.pairwise,
        }
        facts = (f"{rep.family.label}, {rep.n} respondents", rep.interval_kind)
        title = f"{rep.outcome} on the index of {rep.indexes[0]}, by segment"
        tables = {name: table for name, table in tables.items() if len(table)}
        return Page(title, self.headline, facts, self.findings, sections(tables))

    def _own(self, g: int) -> Floats:
        """Return how a segment's level, slope at the mean and bend follow, (3, terms)."""
        terms = len(self.repurchase.regression.coefficients)
        size = 2 + self.curvature
        rows = np.zeros((3, terms))
        for k in range(size):
            rows[k, k] = 1.0
            if g:
                rows[k, g * size + k] = 1.0
        return rows

    def _curve(self, points: Floats) -> Floats:
        """Return what a segment's own coefficients multiply at index points, (points, size)."""
        parts = [np.ones(len(points)), points, (points - self.centre) ** 2 / 1e4]
        return np.stack(parts[: self.regression.size], axis=1)

    @cached_property
    def _effects(self) -> tuple[Averages, Floats | None]:
        """Return effects of the segments, averaged over the index of all, and their draws."""
        regression, family, chain = self.regression, self.regression.family, self.repurchase.draws
        seen, where = np.unique(regression.sample.regressors[:, 0], return_inverse=True)
        share = np.bincount(where, regression.sample.share)
        curve = self._curve(seen)
        steps = [np.zeros(len(seen)), np.ones(len(seen)), 2.0 * (seen - self.centre) / 1e4]
        along = np.stack(steps[: regression.size], axis=1)
        own = regression.own(regression.coefficients)
        eta, rise = own @ curve.T, own @ along.T
        values = family.slope(eta) * rise
        if chain is None:
            gradient = (family.curvature(eta) * rise * share) @ curve
            gradient += (family.slope(eta) * share) @ along
            whole = regression.spread(gradient[:, None])
            return Averages(values @ share, whole, values.T[where]), None
        draws = chain.over_draws(self._effects_over(chain.cells.merged), len(own))
        return Averages(values @ share, np.empty((0, 0)), None), draws

    def _effects_over(self, cells: Cells) -> Callable[[Batch, Floats], Floats]:
        """Return the effects of the segments over the respondents of draws, (draws, segments).

        Respondents with the same answers count together, whatever their segment.
        """
        _, first, alike = np.unique(cells.index.key, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(alike.reshape(-1), kind="stable")
        starts = np.searchsorted(alike.reshape(-1)[order], np.arange(len(first)))

        def effects(batch: Batch, b: Floats) -> Floats:
            points = batch.points[0][:, first]
            weights = np.add.reduceat(batch.weights[:, order], starts, axis=1)
            weights /= weights.sum(axis=1, keepdims=True)
            gap = (points - self.centre) / 1e4
            bow = gap * (points - self.centre)
            values = np.empty((len(b), len(self.names)))
            for g, own in enumerate(np.moveaxis(self.regression.own(b), 1, 0)):
                level, slope = own[:, 0, None], own[:, 1, None]
                eta, rise = level + slope * points, slope
                if self.curvature:
                    eta, rise = eta + own[:, 2, None] * bow, slope + 2.0 * own[:, 2, None] * gap
                values[:, g] = np.einsum(
                    "dc,dc->d", self.regression.family.slope(eta) * rise, weights
                )
            return values

        return effects

    def _told(self, matrix: Floats) -> pd.DataFrame:
        """Return sums of effects with their errors."""
        effects, draws = self._effects
        if draws is None:
            return self.repurchase._table(effects.turned(matrix), None)
        value = Averages(matrix @ effects.value, effects.gradient, None)
        return self.repurchase._table(value, draws @ matrix.T)
