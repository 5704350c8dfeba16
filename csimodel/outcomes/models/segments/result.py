"""The result of `repurchase_segments`: effects by segment, tests of their equality, curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked_in
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate_in
from csimodel.formatting import label, told_p
from csimodel.inference.infer import infer
from csimodel.inference.pairs import corrected_pairs, pairs_of
from csimodel.inference.sources import StandardErrors
from csimodel.outcomes.kernels.robust import OF_DESIGN
from csimodel.outcomes.kernels.segment_averages import SegmentAverages
from csimodel.outcomes.kernels.wald import table_of_tests, wald
from csimodel.outcomes.models.averages import Averages
from csimodel.outcomes.models.draws import Batch
from csimodel.outcomes.models.levels import on_index
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.segments.regression import OfSegments
from csimodel.outcomes.rows.cells import Cells
from csimodel.page import HasHeadline, Page, sections

Floats = NDArray[np.float64]

_TOGETHER = 2**24  # draws of differences handled at once


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Segments(HasHeadline):
    """The curve of repurchase over the index in every segment. Made by `repurchase_segments`.

    Attributes
    ----------
    curves_of
        The regression curve by curve: coefficients, draws, findings.
    regression
        The same as arrays.
    names
        Of the segments.
    centre
        Mean index of all, around which the bend is measured.
    curvature
        Whether the curves bend beyond what the family does.
    """

    curves_of: Repurchase
    regression: OfSegments
    names: tuple[str, ...]
    centre: float
    curvature: bool

    @cached_property
    def repurchase(self) -> Repurchase:
        """The one regression in which every segment has its own level, slope and bend.

        Raises
        ------
        OptionError
            When its design needs more memory than is free.
        """
        own, source = self.curves_of, self.curves_of.draws
        draws = None if source is None else self.regression.whole_chain(source)
        return replace(own, regression=self.regression.whole, draws=draws)

    @property
    def place(self) -> NDArray[np.intp]:
        """Segment of each respondent used, (rows,)."""
        return self.regression.place

    @property
    def level(self) -> float:
        """Coverage of intervals."""
        return self.curves_of.level

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know, in plain words."""
        return self.curves_of.findings

    @cached_property
    def table(self) -> pd.DataFrame:
        """Segments: n, index and outcome (means), effect with its error; see `infer`.

        ``effect`` is the change of probability per index point, averaged over the index of the
        respondents of all segments, so that segments are compared at the same satisfaction.
        """
        sample = self.regression.sample
        count = np.bincount(self.place)
        share = np.bincount(self.place, sample.share)
        columns = {
            "n": count,
            "index": np.bincount(self.place, sample.share * sample.regressors[:, 0]) / share,
            "outcome": np.bincount(self.place, sample.share * sample.outcome) / share,
        }
        effects = self._effects.table(self.curves_of)
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
        names = self.names if self.curvature else ()
        labels, draws = pd.Index(names, name="segment"), self.curves_of.draws
        own = self.regression.own(self.regression.coefficients)[: len(names), -1]
        if draws is None:
            unit = np.eye(self.regression.size)[-1:]
            gradient = np.broadcast_to(unit, (self.regression.segments, *unit.shape))
            return self._linear(own, gradient[: len(names)]).set_axis(labels)
        drawn = self.regression.own(draws.coefficients)[:, : len(names), -1]
        se = np.sqrt(np.diagonal(draws.design.covariance_of_draws(drawn, own)))
        df = np.full(len(names), draws.design_df)
        return infer(labels, own, StandardErrors(se, df, census=draws.design.census), self.level)

    @cached_property
    def tests(self) -> pd.DataFrame:
        """Wald tests that segments share a curve but for its level: statistic, distribution, p.

        Rows ``"slopes"`` and, with curvature, ``"bends"`` and ``"curves (slopes and bends)"``; with
        curvature the slopes are those at the mean index of all.
        """
        rows = {"slopes": [1]}
        if self.curvature:
            rows |= {"bends": [2], "curves (slopes and bends)": [1, 2]}
        return table_of_tests({name: self._equality(places) for name, places in rows.items()})

    def _equality(self, places: list[int]) -> pd.Series:
        """Test that some of a segment's coefficients are the same in all segments."""
        regression, draws = self.regression, self.curves_of.draws
        errors = regression.segment_errors
        own = regression.own(regression.coefficients)
        if draws is None and errors is not None:
            return errors.equality(
                own, np.eye(regression.size)[places], design=regression.errors in OF_DESIGN
            )
        value = (own[1:, places] - own[:1, places]).T.ravel()
        if draws is None:
            return wald(value, np.full((len(value), len(value)), np.nan))
        drawn = regression.own(draws.coefficients)[:, :, places]
        steps = np.moveaxis(drawn[:, 1:] - drawn[:, :1], 2, 1).reshape(len(drawn), -1)
        covariance = draws.design.covariance_of_draws(steps, value)
        return wald(value, covariance, draws.design_df, design=True)

    @cached_property
    def pairwise(self) -> pd.DataFrame:
        """Differences of effects between every two segments.

        Columns difference (first less second), se, lower, upper (of each alone), p, and p_holm,
        corrected for the number of pairs.

        Raises
        ------
        OptionError
            When there are more pairs than memory is free for.
        """
        first, second = pairs_of(len(self.names), "segments")
        differences = self._effects.differences(self.curves_of, first, second)
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
        highest, lowest = extremes(self.regression.sample.regressors[:, 0], self.place)
        observed = (points >= lowest[:, None] - 1e-6) & (points <= highest[:, None] + 1e-6)
        table = self._at(points).rename(columns={"estimate": "probability"}).drop(columns="p")
        return table.assign(observed=observed.ravel()).set_axis(
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
        points = on_index([start, end])
        ends, steps = self._at(points), self._at(points, step=True)
        what = [f"at {start:g}", f"at {end:g}", "difference"]
        place = np.arange(len(self.names))
        order = np.column_stack([2 * place, 2 * place + 1, len(ends) + place])
        table = pd.concat([ends, steps]).iloc[order.ravel()]
        table = table.rename(columns={"estimate": "probability"}).drop(columns="p")
        return table.set_axis(pd.MultiIndex.from_product([self.names, what], names=["segment", ""]))

    def _at(self, points: Floats, *, step: bool = False) -> pd.DataFrame:
        """Return probabilities at points segment by segment, or what they rise by between two."""
        family, source, curve = self.regression.family, self.curves_of.draws, self._curve(points)

        def of(values: Floats) -> Floats:
            return np.diff(values, axis=-1) if step else values

        own = self.regression.own(self.regression.coefficients)
        value = of(family.predict(own, curve)).ravel()
        if source is None:
            eta = own @ curve.T
            gradient = family.slope(eta)[:, :, None] * curve
            gradient = np.diff(gradient, axis=1) if step else gradient
            return self._linear(value, gradient, probability=not step)
        draws = of(family.predict(self.regression.own(source.coefficients), curve))
        return self.curves_of._table(
            Averages(value, np.empty((0, 0)), None), draws.reshape(len(draws), -1)
        )

    def _linear(
        self, value: Floats, gradient: Floats, *, probability: bool = False
    ) -> pd.DataFrame:
        """Return functions of single segments with their errors.

        `gradient` is by each segment's own coefficients, (segments, functions, size).
        """
        errors = self.regression.segment_errors
        unknown = np.full(len(value), np.nan), np.full(len(value), self.regression.df)
        se, df = unknown if errors is None or not len(value) else errors.of(gradient)
        return self.regression.table_of(
            value, se.ravel(), df.ravel(), self.level, probability=probability
        )

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        if not self.table["effect"].notna().any():
            return text(
                "The curves of {outcome} over the index have no finite solution in at least one "
                "segment, so they are not compared.",
                outcome=self.curves_of.outcome,
            )
        p = float(self.tests["p"].iloc[-1])
        effect = 100.0 * self.table["effect"]
        return text(
            "The curves of {outcome} over the index differ between the {count} segments ({p}); a "
            "point goes with {least:.2f} ({least_in}) to {most:.2f} ({most_in}) percentage points."
            if p < 1.0 - self.level
            else "The curves of {outcome} over the index are not shown to differ between the "
            "{count} segments ({p}); a point goes with {least:.2f} ({least_in}) to {most:.2f} "
            "({most_in}) percentage points.",
            outcome=self.curves_of.outcome,
            count=len(self.names),
            p=told_p(p),
            least=effect.min(),
            least_in=label(effect.idxmin()),
            most=effect.max(),
            most_in=label(effect.idxmax()),
        )

    @property
    def page(self) -> Page:
        """The result on a page."""
        rep = self.curves_of
        tables = {
            text("Segments"): self.table,
            text("Bends"): self.bends,
            text("Do the curves differ?"): self.tests,
            text("Differences of effects"): self.pairwise,
        }
        facts = (
            text("{family}, {n} respondents", family=rep.family.label, n=rep.n),
            rep.interval_kind,
        )
        title = text(
            "{outcome} on the index of {index}, by segment",
            outcome=rep.outcome,
            index=rep.indexes[0],
        )
        tables = {name: table for name, table in tables.items() if len(table)}
        return Page(title, self.headline, facts, self.findings, sections(tables))

    def _curve(self, points: Floats) -> Floats:
        """Return what a segment's own coefficients multiply at index points, (points, size)."""
        parts = [np.ones(len(points)), points, (points - self.centre) ** 2 / 1e4]
        return np.stack(parts[: self.regression.size], axis=1)

    @cached_property
    def _effects(self) -> SegmentEffects:
        """Effects of the segments, averaged over the index of all."""
        regression, family, source = self.regression, self.regression.family, self.curves_of.draws
        sample = regression.sample
        seen, where = np.unique(sample.regressors[:, 0], return_inverse=True)
        share = np.bincount(where, sample.share)
        curve = self._curve(seen)
        steps = [np.zeros(len(seen)), np.ones(len(seen)), 2.0 * (seen - self.centre) / 1e4]
        along = np.stack(steps[: regression.size], axis=1)
        own = regression.own(regression.coefficients)
        eta, rise = own @ curve.T, own @ along.T
        slope = family.slope(eta)
        values = slope * rise
        if source is not None:
            draws = source.over_draws(self._effects_over(source.cells.merged), len(own))
            return SegmentEffects(values @ share, draws=draws)
        if regression.segment_errors is None:
            return SegmentEffects(values @ share)
        gradient = (family.curvature(eta) * rise * share) @ curve + (slope * share) @ along
        return SegmentEffects(
            values @ share,
            SegmentAverages(regression.segment_errors, where, sample.share, gradient, values),
        )

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


@dataclass(frozen=True, eq=False)
class SegmentEffects:
    """One effect a segment, and where its error comes from.

    Attributes
    ----------
    value
        (segments,)
    averages
        Errors without draws, or None.
    draws
        Of the effects, (draws, segments), or None.
    """

    value: Floats
    averages: SegmentAverages | None = None
    draws: Floats | None = None

    def table(self, regression: Repurchase) -> pd.DataFrame:
        """Return the effects with their errors, in the words of a regression; see `infer`."""
        errors = None if self.averages is None else self.averages.each()
        return _told(regression, self.value, errors, self.draws)

    def differences(
        self, regression: Repurchase, first: NDArray[np.intp], second: NDArray[np.intp]
    ) -> pd.DataFrame:
        """Return differences of effects, those of `first` less those of `second`, (pairs,)."""
        errors = None if self.averages is None else self.averages.differences(first, second)
        value = self.value[first] - self.value[second]
        if self.draws is None:
            return _told(regression, value, errors, None)
        together = max(1, _TOGETHER // len(self.draws))
        blocks = np.split(np.arange(len(value)), np.arange(together, len(value), together))
        return pd.concat(
            [
                _told(
                    regression,
                    value[own],
                    None,
                    self.draws[:, first[own]] - self.draws[:, second[own]],
                )
                for own in blocks
            ]
        )


def _told(
    regression: Repurchase,
    value: Floats,
    errors: tuple[Floats, Floats] | None,
    draws: Floats | None,
) -> pd.DataFrame:
    if draws is not None:
        return regression._table(Averages(value, np.empty((0, 0)), None), draws)
    own = regression.regression
    se, df = errors or (np.full(len(value), np.nan), np.full(len(value), own.df))
    return own.table_of(value, se, df, regression.level)


def extremes(values: Floats, place: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the highest and the lowest value of each group, (groups,) twice.

    >>> extremes(np.array([3.0, 1.0, 2.0]), np.array([1, 0, 1]))
    (array([1., 3.]), array([1., 2.]))
    """
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(int(place.max()) + 1))
    own = values[order]
    return np.maximum.reduceat(own, starts), np.minimum.reduceat(own, starts)
