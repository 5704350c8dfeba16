"""The result of a regression of repurchase on the index, in index points and probabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked_in
from csimodel.errors import OptionError
from csimodel.findings import text
from csimodel.floats import own_errstate_in
from csimodel.formatting import plural
from csimodel.inference import without_losses
from csimodel.options import require_kind
from csimodel.outcomes.models import categories as ordered
from csimodel.outcomes.models.averages import Averages
from csimodel.outcomes.models.base_result import Regressed
from csimodel.outcomes.models.estimate import Estimate
from csimodel.outcomes.models.inverse_prediction import NeededLevel, level_for
from csimodel.outcomes.models.levels import on_index, quartiles
from csimodel.outcomes.models.summary import CLEAN, facts_of, headline_of
from csimodel.page import HasHeadline, Page, sections

Floats = NDArray[np.float64]


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Repurchase(Regressed, HasHeadline):
    """What a point of the index is worth in repurchase. Made by `repurchase`.

    Of ordered answers, the probability of repurchase is that of the answer `cut` or a higher one.

    With several regressors, a prediction at a level sets that index to the level for everybody,
    keeps each respondent's other regressors, and averages over the sample (survey weights
    count): an average adjusted prediction. Intervals are of the kind `interval_kind` says.

    Its fields are those of `Regressed`, `findings` among them.
    """

    @property
    def naive(self) -> Repurchase:
        """The same with the regression's own errors, the index treated as if it were known."""
        return replace(self, draws=None, findings=without_losses(self.findings))

    @property
    def average_marginal_effects(self) -> pd.DataFrame:
        """Change of probability per unit of each regressor, averaged over the respondents.

        Columns estimate, se, lower, upper, p; rows indexes (per point) and controls. Through
        products and powers of a formula; controls that are multiplied or bent among themselves
        have no effect of their own and no row.
        """
        draws = None if self.draws is None else self.draws.average_slopes()
        table = self._table(self.regression.average_slopes(), draws)
        return table.set_axis(list(self.regression.effect_names))

    @property
    def average_marginal_effect(self) -> Estimate:
        """Change of probability per point of the (first) index, averaged over the respondents.

        ``b · mean(μ'(η))``: a number with se, lower, upper and p.
        """
        return self._estimate(self.average_marginal_effects)

    def effect_at(self, level: float, index: str | None = None) -> Estimate:
        """Return the change of probability per index point at a level of the index.

        Raises
        ------
        OptionError
            When the level is outside 0 to 100 or the index is not in the regression.
        """
        moved, levels = self._moved(index), on_index([level])
        draws = None if self.draws is None else self.draws.slopes(moved, levels)
        return self._estimate(self._table(self.regression.slopes(moved, levels), draws))

    def elasticity(self, level: float | None = None, index: str | None = None) -> Estimate:
        """Return by how many percent the probability rises with one percent more of the index.

        ``effect · level / probability``, at a level of the index or at its mean.

        Raises
        ------
        OptionError
            When the level is outside 0 to 100, the index is not in the regression, or a straight
            line predicts a probability of 0 or less there.
        """
        moved, sample = self._moved(index), self.regression.sample
        mean = float(np.clip(sample.share @ sample.points[:, moved], 0.0, 100.0))
        at = on_index([mean if level is None else level])
        p, slope = self.regression.predictions(moved, at), self.regression.slopes(moved, at)
        if p.value[0] <= 0:
            raise OptionError(
                f"The {self.family.label} predicts a probability of {p.value[0]:.3f} at an index "
                f"of {at[0]:g}, which has no elasticity; use family='fractional-logit' or another "
                "level."
            )
        draws = None
        if self.draws is not None:
            draws = at * self.draws.slopes(moved, at) / self.draws.predictions(moved, at)
        value = at * slope.value / p.value
        gradient = at[:, None] * slope.gradient / p.value[:, None]
        gradient -= (value / p.value)[:, None] * p.gradient
        individual = None
        if slope.individual is not None and p.individual is not None:
            individual = at * slope.individual / p.value - value / p.value * p.individual
        return self._estimate(self._table(Averages(value, gradient, individual), draws))

    def level_for(self, probability: float, index: str | None = None) -> NeededLevel:
        """Return the level of an index at which the probability of repurchase is reached.

        Parameters
        ----------
        probability
            The target, between 0 and 1.
        index
            Which index to set; the first by default.

        Returns
        -------
        NeededLevel
            With estimate, lower and upper in index points: the interval holds the levels at
            which `predict`'s interval contains the target, after Fieller. It prints as a
            sentence, also when the level is outside 0 to 100 or the interval has no end.

        Raises
        ------
        OptionError
            When the probability is not between 0 and 1 or the index is not in the regression.
        EstimationError
            When the regression has no solution.

        Examples
        --------
        >>> import csimodel as csi
        >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
        >>> csi.repurchase(fit, "CUSL1").level_for(0.75)
        A probability of 0.75 needs 74.1 points of Satisfaction (95 % interval 70.4 to 79.3).
        """
        moved = self._moved(index)
        name = self.indexes[moved]
        slope = self.coefficients.loc[name]
        if self.regression.sample.formula_layout is not None:
            slope = self.average_marginal_effects.loc[name]
        return level_for(
            lambda levels: self.predict(levels, name),
            lambda levels: self.regression.predictions(moved, levels).value,
            probability,
            index=name,
            level=self.level,
            unbounded=bool(slope["lower"] <= 0 <= slope["upper"]),
        )

    def predict(self, levels: float | ArrayLike, index: str | None = None) -> pd.DataFrame:
        """Return the probability of repurchase at levels of an index.

        Parameters
        ----------
        levels
            Index points, 0 to 100.
        index
            Which index to set; the first by default.

        Returns
        -------
        DataFrame
            Rows levels; columns probability, se, lower, upper. Without a bootstrap, limits of
            bounded families are made on the log-odds scale, so they stay in 0 to 1.

        Raises
        ------
        OptionError
            When a level is outside 0 to 100 or the index is not in the regression.
        """
        moved, points = self._moved(index), on_index(levels)
        draws = None if self.draws is None else self.draws.predictions(moved, points)
        predictions = self.regression.predictions(moved, points)
        table = self._table(predictions, draws, probability=True)
        table = table.rename(columns={"estimate": "probability"}).drop(columns="p")
        return table.set_axis(pd.Index(points, name="index"))

    def contrast(self, start: float, end: float, index: str | None = None) -> pd.DataFrame:
        """Return the probability of repurchase at two levels of an index and the difference.

        Parameters
        ----------
        start, end
            Index points, 0 to 100.
        index
            Which index to move; the first by default.

        Returns
        -------
        DataFrame
            Rows "at <start>", "at <end>", "difference" (end less start); columns probability,
            se, lower, upper.

        Raises
        ------
        OptionError
            When a level is outside 0 to 100 or the index is not in the regression.
        """
        moved, points = self._moved(index), on_index([start, end])
        draws = None if self.draws is None else self.draws.predictions(moved, points)
        predictions = self.regression.predictions(moved, points)
        ends = self._table(predictions, draws, probability=True)
        steps = None if draws is None else np.diff(draws, axis=1)
        step = self._table(predictions.turned(np.array([[-1.0, 1.0]])), steps)
        table = pd.concat([ends, step]).rename(columns={"estimate": "probability"})
        return table.drop(columns="p").set_axis([f"at {start:g}", f"at {end:g}", "difference"])

    def curve(self, levels: ArrayLike | None = None, index: str | None = None) -> pd.DataFrame:
        """Return the probability of repurchase over the index, for `plots.repurchase_curve`.

        Parameters
        ----------
        levels
            Index points; every whole point from 0 to 100 by default.
        index
            Which index; the first by default.

        Returns
        -------
        DataFrame
            Columns index, probability, se, lower, upper.
        """
        return self.predict(np.arange(101.0) if levels is None else levels, index).reset_index()

    def categories(self, levels: float | ArrayLike, index: str | None = None) -> pd.DataFrame:
        """Return the probability of each ordered answer at levels of an index.

        Parameters
        ----------
        levels
            Index points, 0 to 100.
        index
            Which index to set; the first by default.

        Returns
        -------
        DataFrame
            Rows levels times answers; columns index, answer, probability, se, lower, upper.

        Raises
        ------
        OptionError
            When the family is not ordered, a level is outside 0 to 100 or the index is not in
            the regression.
        """
        answers, points = self._categories(), on_index(levels)
        up, draws = self._reached(index, points)
        size = len(points)
        turn = np.asarray(np.kron(np.eye(size), ordered.shares_matrix(len(answers) - 1)), float)
        shares = up.turned(turn)
        shares = shares._replace(value=ordered.shares(up.value.reshape(size, -1)).ravel())
        table = self._table(
            shares,
            None if draws is None else ordered.shares(draws).reshape(len(draws), -1),
            probability=True,
            joint=True,
        )
        table = table.rename(columns={"estimate": "probability"}).drop(columns="p")
        table.insert(0, "index", np.repeat(points, len(answers)))
        table.insert(1, "answer", np.tile(answers, len(points)))
        return table

    def expected_answer(self, levels: float | ArrayLike, index: str | None = None) -> pd.DataFrame:
        """Return the mean of ordered answers, on their own scale, at levels of an index.

        Parameters, errors as in `categories`.

        Returns
        -------
        DataFrame
            Rows levels; columns answer, se, lower, upper.
        """
        answers, points = self._categories(), on_index(levels)
        up, draws = self._reached(index, points)
        size = len(points)
        turn = np.asarray(np.kron(np.eye(size), np.diff(answers)[None, :]), float)
        mean = up.turned(turn)
        mean = mean._replace(value=ordered.expected(up.value.reshape(size, -1), answers))
        drawn = None if draws is None else ordered.expected(draws, answers)
        table = self._table(mean, drawn, joint=True)
        table = table.rename(columns={"estimate": "answer"}).drop(columns="p")
        return table.set_axis(pd.Index(points, name="index"))

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        return headline_of(self.average_marginal_effect, self.regression.sample, self.level)

    @property
    def page(self) -> Page:
        """The result on a page."""
        scale = self.family.scale
        tables = {
            text("Change of probability per unit, averaged over respondents"): (
                self.average_marginal_effects
            ),
            text("Coefficients ({scale})", scale=scale): self.coefficients,
        }
        if self.cut is not None:
            tables[text("Thresholds ({scale})", scale=scale)] = self.thresholds
        low, high = quartiles(self.regression.sample.each(self.regression.sample.points[:, 0]))
        if high > low:
            tables[text("Probability at the quartiles of the index")] = self.contrast(low, high)
            if self.cut is not None:
                expected = self.expected_answer([low, high])
                tables[text("Expected answer at the quartiles of the index")] = expected
        return Page(
            text(
                "{outcome} on the index of {names}",
                outcome=self.outcome,
                names=", ".join(self.indexes),
            ),
            self.headline,
            facts_of(self.regression, self.interval_kind),
            self.findings,
            sections(tables),
            text(CLEAN),
        )

    def __repr__(self) -> str:
        count = len(self.findings)
        told = f", {count} finding{'s' if count > 1 else ''}" if count else ""
        return f"<Repurchase, {plural(self.n, 'respondent')}{told}: {self.headline}>"

    def _reached(self, index: str | None, points: Floats) -> tuple[Averages, Floats | None]:
        """Return ``P(answer ≥ j)`` at levels, and its draws."""
        moved = self._moved(index)
        up = ordered.reached(self.regression, moved, points)
        if self.draws is None:
            return up, None
        return up, ordered.reached_in_draws(self.draws, moved, points)


def require_repurchase(rep: object) -> Repurchase:
    """Return a regression whose respondents are in memory.

    Raises
    ------
    OptionError
        For anything else, and for a regression of a fit that was made from a scan.
    """
    rep = require_kind("rep", rep, Repurchase, "make one with csi.repurchase(fit, …)")
    if rep.regression.sample.respondents is not None:
        raise OptionError(
            "rep= needs the respondents in memory, and is of a fit that was made from a scan; make "
            "it of a sample of stated size, such as csi.fit(model, scan.sample(100_000, rng=1))."
        )
    return rep
