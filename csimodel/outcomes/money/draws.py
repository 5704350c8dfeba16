"""Customers' probabilities of repurchase in many draws: where uncertainty enters money."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import EstimationError
from csimodel.options import generator_of, require_count
from csimodel.outcomes.measurement_error.curve import true_curve, true_points
from csimodel.outcomes.models.draws import Batch, RegressionDraws
from csimodel.outcomes.models.result import Repurchase, require_repurchase
from csimodel.outcomes.money.row import Errors

Floats = NDArray[np.float64]
Pair = tuple[float, Floats]
Function = Callable[[Floats], Floats]

_CELLS = 2**20  # draws times respondents averaged at once


class Place(NamedTuple):
    """Where customers stand on an index.

    Attributes
    ----------
    points
        A level, or a number of points, as an estimate and in every draw, (draws,).
    alike
        Whether everybody stands at the level; else each moves by the points from where he is.
    """

    points: Pair
    alike: bool


class CustomerAverages(NamedTuple):
    """Averages over customers in one place.

    Attributes
    ----------
    probability
        Mean probability of repurchase.
    outside
        Share of customers whose predicted probability is outside 0 to 1.
    values
        Means of functions of each customer's own probability, set to the nearer end of 0 to 1.
    """

    probability: Pair
    outside: Pair
    values: tuple[Pair, ...]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A regression in many draws.

    Attributes
    ----------
    rep
        The regression.
    draws
        Its draws of the whole chain, or None.
    coefficients
        In each draw, (draws, terms).
    source
        What the draws are, in words.
    reliability
        Of each index, of the estimate, (indexes,), and in each draw, (draws, indexes), where
        measurement error is taken off; None where it is left in.
    """

    rep: Repurchase
    draws: RegressionDraws | None
    coefficients: Floats
    source: str
    reliability: tuple[Floats, Floats] | None = None

    @property
    def size(self) -> int:
        """Number of draws."""
        return len(self.coefficients)

    @property
    def errors(self) -> Errors:
        """How the draws become errors."""
        if self.draws is None:
            return Errors("percentile", float(self.rep.regression.df))
        design = self.draws.design
        return Errors(self.rep.interval, float(design.df), design.inflation, design.replication)

    def averages(
        self, moved: int, places: Sequence[Place], functions: Sequence[Function] = ()
    ) -> list[CustomerAverages]:
        """Return averages over customers in several places on an index.

        Customers are spread as the index is: as measured, or with `reliability` as the true index
        (see `true_points`), and then probabilities are those of the curve over it. Other
        regressors stay as they are.

        Parameters
        ----------
        moved
            Position of the index.
        places
            Where to.
        functions
            Of probabilities from 0 to 1, of any shape, elementwise.
        """
        alike = [place.alike for place in places]
        at = np.array([[place.points[0] for place in places]])
        reliability = None if self.reliability is None else self.reliability[0][None]
        sample = self.rep.regression.sample
        whole = Batch(
            np.zeros(1, dtype=np.intp), sample.share[None], [], list(sample.points.T[:, None]),
            list(sample.factors.T),
        )  # fmt: skip
        b = self.rep.regression.coefficients[None]
        results = [self._of_batch(whole, b, reliability, moved, at, alike, functions)]
        levels = np.column_stack([place.points[1] for place in places])
        for own, batch, b in self._batches():
            reliability = None if self.reliability is None else self.reliability[1][own]
            results.append(
                self._of_batch(batch, b, reliability, moved, levels[own], alike, functions)
            )
        table = np.concatenate(results)
        pairs = [(float(column[0]), column[1:]) for column in table.T]
        size = 2 + len(functions)
        return [
            CustomerAverages(pairs[first], pairs[first + 1], tuple(pairs[first + 2 : first + size]))
            for first in range(0, len(pairs), size)
        ]

    def curve(self) -> Floats:
        """Return the coefficients of the estimate, over the true index where it is corrected."""
        b = self.rep.regression.coefficients
        if self.reliability is None:
            return b
        sample, share = self.rep.regression.sample, self.rep.regression.sample.share[None]
        points, factors = list(sample.points.T[:, None]), list(sample.factors.T)
        true = true_points(points, factors, share, self.reliability[0][None])
        layout = sample.layout
        values = true_curve(self.rep.family, layout, b[None], points, true, factors, share)
        return np.asarray(values[0])

    def _of_batch(
        self, batch: Batch, b: Floats, reliability: Floats | None, moved: int, levels: Floats,
        alike: Sequence[bool], functions: Sequence[Function],
    ) -> Floats:  # fmt: skip
        """Return averages of a batch of draws, (draws, places times (2 + functions))."""
        layout = self.rep.regression.sample.layout
        share = batch.weights / batch.weights.sum(axis=1, keepdims=True)
        points = batch.points
        if reliability is not None:
            points = true_points(batch.points, batch.factors, share, reliability)
            b = true_curve(
                self.rep.family, layout, b, batch.points, points, batch.factors, share
            )  # fmt: skip
        columns: list[Floats] = []
        for level, everybody in zip(levels.T, alike, strict=True):
            own = points[moved]
            there = list(points)
            there[moved] = (
                np.zeros_like(own) + level[:, None] if everybody else own + level[:, None]
            )
            eta = b[:, :1] + replace(batch, points=there).predictor(b[:, 1:], layout.columns)
            eta = np.broadcast_to(eta, (len(b), share.shape[1]))
            p = self.rep.family.mean(eta)
            inside = np.clip(p, 0.0, 1.0)
            for values in (p, (np.abs(p - inside) > 1e-9) * 1.0, *(f(inside) for f in functions)):
                columns.append((values * share).sum(axis=1))
        return np.column_stack(columns)

    def _batches(self) -> Iterator[tuple[slice | NDArray[np.intp], Batch, Floats]]:
        """Yield some draws at a time: their places among the draws, customers, coefficients."""
        if self.draws is not None:
            place = np.cumsum(self.draws.usable) - 1
            for batch in self.draws.batches("money"):
                own = place[batch.draws]
                yield own, batch, self.coefficients[own]
            return
        sample = self.rep.regression.sample
        every = np.vstack([sample.points.T, sample.factors.T])
        kinds, which = np.unique(every, axis=1, return_inverse=True)
        share = np.bincount(which.reshape(-1), sample.share).astype(np.float64)[None]
        indexes = sample.points.shape[1]
        together = max(1, _CELLS // share.shape[1])
        for first in range(0, self.size, together):
            span = slice(first, min(first + together, self.size))
            numbers = np.arange(span.start, span.stop)
            points, factors = list(kinds[:indexes, None]), list(kinds[indexes:])
            yield span, Batch(numbers, share, [], points, factors), self.coefficients[span]


def drawn(rep: Repurchase, draws: int, rng: int | np.random.Generator) -> Drawn:
    """Return the draws of a regression: of the whole chain where it has them, else parametric.

    Parametric draws come from the normal law of the coefficients (with least squares, from the
    t law), with the covariance of the regression's errors.

    Raises
    ------
    EstimationError
        When the regression has no finite coefficients.
    """
    rep = require_repurchase(rep)
    require_count("draws", draws, ", and some thousands for intervals")
    regression = rep.regression
    b, covariance = regression.coefficients, regression.covariance
    if not (rep.converged and np.isfinite(b).all()):
        raise EstimationError(
            f"The regression of {rep.outcome!r} has no solution, so it gives no money; read its "
            "findings."
        )
    if rep.draws is not None:
        used = int(rep.draws.usable.sum())
        source = f"{used} {rep.draws.kind} of the whole chain: weights, index and regression"
        return Drawn(rep, rep.draws, rep.draws.coefficients, source)
    generator = generator_of(rng)
    noise = generator.multivariate_normal(
        np.zeros(len(b)), (covariance + covariance.T) / 2.0, draws, "ignore", method="eigh"
    )
    if np.isfinite(regression.df):
        noise *= np.sqrt(regression.df / generator.chisquare(regression.df, draws))[:, None]
    source = (
        f"{draws} parametric draws from the covariance of the coefficients ({rep.errors} errors), "
        "the index taken as known"
    )
    return Drawn(rep, None, b + noise, source)


def fixed(level: float, source: Drawn) -> Pair:
    """Return a level that is the same in every draw."""
    return float(level), np.full(source.size, float(level))
