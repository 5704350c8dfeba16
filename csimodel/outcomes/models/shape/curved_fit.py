"""A regression whose first columns are a bent index, with its curve and its draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import EstimationError
from csimodel.findings import listed
from csimodel.outcomes.design.basis import Basis
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.kernel import Ending, Samples, fit_samples
from csimodel.outcomes.kernels.predictor_kernels import standardised
from csimodel.outcomes.kernels.wald import wald
from csimodel.outcomes.models.averages import Averages, OfRows
from csimodel.outcomes.models.regression import Regression, regress
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.shape.resamples import Resamples
from csimodel.outcomes.rows.sample import Sample
from csimodel.outcomes.rows.ties import settled

Floats = NDArray[np.float64]
Columns = Callable[[NDArray[np.intp], Floats], list[Floats]]  # of draws' numbers and an index


@dataclass(frozen=True, eq=False)
class Bend:
    """A bent regression: columns of the index first, then the other regressors.

    Attributes
    ----------
    repurchase
        The straight one.
    basis
        How the index bends.
    regression
        The regression on ``(basis.columns(index), others)``.
    resamples
        The draws; used where they are the whole chain's.
    """

    repurchase: Repurchase
    basis: Basis
    regression: Regression
    resamples: Resamples

    @cached_property
    def draws(self) -> Floats | None:
        """Coefficients in each draw of the whole chain, NaN where lost, (draws, terms), or None."""
        if self.resamples.draws is None:
            return None
        return coefficients_of_draws(self.resamples, self.regression, self._columns)

    @cached_property
    def covariance(self) -> Floats:
        """Covariance of the coefficients, from the draws or else robust, (terms, terms)."""
        if self.draws is None:
            return self.regression.covariance
        covariance = np.cov(self.draws[np.isfinite(self.draws).all(axis=1)].T)
        return np.asarray(covariance * self.resamples.design.inflation)

    @property
    def df(self) -> float:
        """Degrees of freedom of the covariance: of the draws' design or of the regression."""
        draws = self.resamples.draws
        return self.regression.df if draws is None else draws.design_df

    def test(self, place: slice) -> pd.Series:
        """Test that some coefficients are all zero."""
        matrix = np.eye(len(self.regression.coefficients))[place]
        if self.draws is None:
            return self.regression.test(matrix)
        value, own = self.regression.coefficients[place], self.covariance[place, place]
        return wald(value, own, self.df, design=True)

    def linear(self, matrix: Floats) -> pd.DataFrame:
        """Return sums of coefficients, the weights in rows, with their errors."""
        value = matrix @ self.regression.coefficients
        drawn = None if self.draws is None else self.draws @ matrix.T
        return self._bent._table(Averages(value, matrix, None), drawn)

    def coefficients(self) -> pd.DataFrame:
        """Return the coefficients of all but the constant with their errors."""
        terms = self.regression.sample.terms
        return self.linear(np.eye(len(terms))).set_axis(list(terms)).iloc[1:]

    def curve(self, levels: Floats) -> pd.DataFrame:
        """Return probability and its errors at levels of the index."""
        drawn = None
        if self.draws is not None:
            drawn = predictions_of_draws(
                self.resamples, self.repurchase.family, self.draws, self._columns, levels
            )
        return curve_table(
            levels, self._bent._table(self.averages(levels), drawn, probability=True)
        )

    @property
    def _bent(self) -> Repurchase:
        return replace(self.repurchase, regression=self.regression)

    def averages(self, levels: Floats) -> Averages:
        """Return average predictions at levels of the index."""
        regression, size = self.regression, self.basis.size
        mean = regression.family.mean
        others = regression.sample.regressors[:, size:]

        def of(columns: Floats) -> OfRows:
            def at(b: Floats) -> Floats:
                eta = b[:, :1] + b[:, 1 : 1 + size] @ columns[:, None]
                return mean(eta + b[:, 1 + size :] @ others.T if others.shape[1] else eta)

            return at

        return regression.averages([of(row) for row in np.column_stack(self.basis.columns(levels))])

    def _columns(self, draws: NDArray[np.intp], index: Floats) -> list[Floats]:
        return self.basis.columns(index)


def bend(rep: Repurchase, moved: int, basis: Basis, resamples: Resamples) -> Bend:
    """Regress the outcome on a bent index and the other regressors.

    Raises
    ------
    EstimationError
        When the index has too few different values to bend, or there are no finite coefficients.
    """
    name = rep.indexes[moved]
    sample = bent_sample(rep.regression.sample, moved, basis)
    require_values(rep, moved, basis.size + 1)
    _require_bend(sample, rep, moved, basis)
    regression = regress(sample, rep.family, rep.errors)
    if regression.ending != Ending.CONVERGED or not np.isfinite(regression.coefficients).all():
        raise EstimationError(
            f"The {rep.family.label} with a {basis.kind} of {name!r} has no solution "
            f"({regression.ending.reason}); use fewer knots, another shape or family='ols'."
        )
    return Bend(rep, basis, regression, resamples)


def _require_bend(sample: Sample, rep: Repurchase, moved: int, basis: Basis) -> None:
    """Refuse knots that leave columns which say nothing of their own."""
    centred = sample.regressors - sample.regressors.mean(axis=0)
    spread = centred.std(axis=0)
    still = spread <= 1e-12 * np.abs(sample.regressors).max(axis=0)
    sizes = np.linalg.svd(centred / np.where(still, 1.0, spread), compute_uv=False)
    if still.any() or sizes[-1] < 1e-8 * sizes[0]:
        x = rep.regression.sample.regressors[:, moved]
        raise EstimationError(
            f"The index of {rep.indexes[moved]!r}, observed from {x.min():.1f} to {x.max():.1f}, "
            f"cannot bend at {listed(f'{knot:g}' for knot in basis.knots)}: too few values lie "
            "between or beyond; choose knots inside what was observed."
        )


def require_values(rep: Repurchase, moved: int, needed: int) -> None:
    """Refuse an index with fewer than `needed` different values."""
    distinct = len(np.unique(settled(rep.regression.sample.regressors[:, moved])))
    if distinct < needed:
        raise EstimationError(
            f"The index of {rep.indexes[moved]!r} has only {distinct} different values among "
            f"{rep.n} respondents, and this shape needs at least {needed}; use a simpler shape."
        )


def bent_sample(sample: Sample, moved: int, basis: Basis) -> Sample:
    """Return the sample with the columns of a basis in place of the index, in front."""
    columns = basis.columns(sample.regressors[:, moved])
    names = basis.names(sample.names[moved])
    others = tuple(name for j, name in enumerate(sample.names) if j != moved)
    return replace(
        sample,
        regressors=np.column_stack([*columns, np.delete(sample.regressors, moved, axis=1)]),
        names=(*names, *others),
        indexes=(names[0],),
    )


def coefficients_of_draws(resamples: Resamples, regression: Regression, columns: Columns) -> Floats:
    """Fit the bent regression in each draw: coefficients, NaN where lost, (draws, terms)."""
    x = regression.sample.regressors
    centre, spread = x.mean(axis=0), x.std(axis=0)
    kernel = standardised(regression.family, regression.coefficients, centre, spread)
    samples = (
        Samples(
            batch.draws,
            [*columns(batch.draws, batch.index), *batch.others],
            batch.weights,
            [batch.outcome],
        )
        for batch in resamples.batches("shape")
    )
    return fit_samples(kernel, samples, resamples.total).solved


def predictions_of_draws(
    resamples: Resamples, family: Family, coefficients: Floats, columns: Columns, levels: Floats
) -> Floats:
    """Return average predictions at levels in each draw, NaN where lost, (draws, levels)."""
    usable = np.asarray(np.isfinite(coefficients).all(axis=1))
    predictions = np.full((len(coefficients), len(levels)), np.nan)
    every = np.flatnonzero(usable)
    bent = columns(every, np.broadcast_to(levels, (len(every), len(levels))))
    b = coefficients[every]
    reached = np.full(predictions.shape, np.nan)
    reached[every] = b[:, :1] + sum(b[:, 1 + j, None] * c for j, c in enumerate(bent))
    if not resamples.others:
        predictions[every] = family.mean(reached[every])
        return predictions
    for batch in resamples.batches("averages", usable):
        weights = batch.weights
        share = weights / weights.sum(axis=1, keepdims=True)
        own = coefficients[batch.draws][:, 1 + len(bent) :]
        others = np.zeros(weights.shape)
        for j, column in enumerate(batch.others):
            others += own[:, j, None] * column
        for place in range(len(levels)):
            eta = others + reached[batch.draws, place, None]
            predictions[batch.draws, place] = np.einsum("dc,dc->d", family.mean(eta), share)
    return predictions


def curve_table(levels: Floats, table: pd.DataFrame) -> pd.DataFrame:
    """Return a curve as `plots.repurchase_curve` takes it."""
    curve = table.rename(columns={"estimate": "probability"}).drop(columns="p")
    curve.insert(0, "index", levels)
    return curve
