"""A regression in which every segment has coefficients of its own, fitted segment by segment.

Its information is block-diagonal: no segment says anything of another's curve. So each is solved
alone, and the cost grows with the respondents, not with the square of the number of segments.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from csimodel.inference import Bootstrap
from csimodel.limits import require_memory
from csimodel.outcomes.design.layout import Column, Layout, Part
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.kernels.glm import varied_draws
from csimodel.outcomes.kernels.kernel import Ending, Kernel, Regressions, Samples, Standardised
from csimodel.outcomes.kernels.predictor_kernels import standardised
from csimodel.outcomes.kernels.predictor_scores import PredictorScores
from csimodel.outcomes.kernels.sample_fit import solve
from csimodel.outcomes.kernels.score_errors import ScoreErrors
from csimodel.outcomes.kernels.segment_errors import SegmentErrors
from csimodel.outcomes.models.draws import RegressionDraws
from csimodel.outcomes.models.regression import Regression, required_errors
from csimodel.outcomes.rows.cells import Cells
from csimodel.outcomes.rows.sample import Sample

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class OfSegments(Regression):
    """Coefficients by which the first segment's curve, and what others add to it, are known.

    The columns of the sample are those of one curve. What is asked of the regression in which
    every segment has columns of its own is asked of `whole`.

    Attributes
    ----------
    place
        Segment of each respondent, (rows,).
    names
        Of the segments.
    """

    place: Codes = field(kw_only=True)
    names: tuple[str, ...] = field(kw_only=True)

    @property
    def segments(self) -> int:
        """Number of segments."""
        return len(self.names)

    @property
    def size(self) -> int:
        """Number of coefficients of a segment."""
        return len(self.sample.terms)

    def own(self, coefficients: Floats) -> Floats:
        """Return each segment's own coefficients, (..., segments, size), from (..., terms)."""
        shape = (*coefficients.shape[:-1], self.segments, self.size)
        parts = np.array(coefficients).reshape(shape)
        parts[..., 1:, :] += parts[..., :1, :]
        return parts

    @cached_property
    def eta(self) -> Floats:
        """Linear predictor of each respondent, (rows,)."""
        return np.asarray((self.design * self.own(self.coefficients)[self.place]).sum(axis=1))

    @property
    def scores(self) -> PredictorScores:
        """Derivatives of the log-likelihood by the linear predictor."""
        return PredictorScores.at(
            self.family, self.design, self.sample.outcome, self.sample.weights, self.eta
        )

    @cached_property
    def segment_errors(self) -> SegmentErrors | None:
        """Errors of the segments' own coefficients; None where there are no coefficients."""
        if not np.isfinite(self.coefficients).all():
            return None
        return SegmentErrors(
            self.errors, self.scores, self.place, self.segments, self.design_of_sample, self.df
        )

    @cached_property
    def score_errors(self) -> ScoreErrors:
        """Errors of `whole`."""
        return self.whole.score_errors

    @cached_property
    def whole(self) -> Regression:
        """The same with columns for every segment: one regression.

        Order: index, bend; then for each segment but the first its level, slope and bend.

        Raises
        ------
        OptionError
            When its design needs more memory than is free.
        """
        label, curve = self.sample.names[0], self.sample.layout.columns
        require_memory(
            f"The one regression with all columns of {self.segments:,} segments",
            24.0 * self.sample.n * self.terms,
            "read table, tests, bends and curves, which need none",
        )
        titles, columns = list(self.sample.names), list(curve)
        for g, name in enumerate(self.names[1:]):
            columns += [(Part(1.0, g, (0,)),), *(_of_factor(column, g) for column in curve)]
            titles += [name, f"{name} × {label}", f"{name} × {label}²"][: self.size]
        own = self.sample.regressors
        blocks = [own]
        for g in range(1, self.segments):
            blocks.append(self.design * (self.place == g)[:, None])
        sample = replace(
            self.sample,
            regressors=np.hstack(blocks),
            names=tuple(titles),
            formula_layout=Layout(tuple(columns), 1),
            formula_factors=self.factors_of(self.place),
        )
        return Regression(self.family, sample, self.errors, self.coefficients, self.ending)

    def factors_of(self, place: Codes) -> Floats:
        """Return 1 where a respondent is in a segment, without the first, (rows, segments - 1)."""
        return np.asarray((place[:, None] == np.arange(1, self.segments)) * 1.0)

    def whole_chain(self, draws: RegressionDraws) -> RegressionDraws:
        """Return draws of this regression as those of `whole`."""
        own = self.factors_of(draws.cells.controls[:, 0].astype(np.intp))
        cells = replace(draws.cells, controls=own)
        return replace(draws, cells=cells, formula_layout=self.whole.sample.formula_layout)

    @property
    def draw_columns(self) -> tuple[Column, ...]:
        """The columns of a segment's own curve."""
        return self.sample.layout.columns

    @property
    def parts(self) -> int:
        """How many runs of cells are fitted one after another in the draws."""
        return self.segments

    def cells(self, bootstrap: Bootstrap) -> Cells:
        """Return the respondents merged where they are alike, segment after segment."""
        return Cells.of(bootstrap, self.sample, self.place)

    def kernel_of_draws(self, cells: Cells) -> Kernel:
        """Return what fits each segment of the draws, starting from its fit here."""
        merged = cells.merged.controls[:, 0]
        ends = np.searchsorted(merged, np.arange(self.segments), side="right")
        x = self.sample.regressors
        centre, spread = x.mean(axis=0), x.std(axis=0)
        own = self.own(self.coefficients)
        segments = [standardised(self.family, b, centre, spread, whole=False) for b in own]
        return SegmentKernel(tuple(segments), ends)


@dataclass(frozen=True, eq=False)
class SegmentKernel:
    """The same regression in each of several runs of cells: a `Kernel`.

    Attributes
    ----------
    segments
        What fits each of them.
    ends
        Where the cells of each segment end, (segments,).
    """

    segments: tuple[Standardised, ...]
    ends: Codes
    extra: int = 0
    influence: ClassVar[None] = None  # of draws alone; the whole design is a `GeneralisedLinear`
    predict: ClassVar[None] = None  # each segment has its own curve, whose kernel predicts

    @property
    def terms(self) -> int:
        """Number of coefficients of all segments."""
        return sum(segment.terms for segment in self.segments)

    def fit(self, samples: Samples) -> Regressions:
        """Fit each of the samples, segment by segment."""
        draws, columns, weights, (outcome,) = samples
        segments, size = len(self.segments), self.segments[0].terms
        own = np.empty((len(draws), segments, size))
        slopes, endings = np.empty((2, len(draws), segments))
        total = np.empty((len(draws), segments))
        first = 0
        for g, end in enumerate(self.ends.tolist()):
            span = slice(first, first := end)
            part = Samples(
                draws, [x[..., span] for x in columns], weights[:, span], [outcome[..., span]]
            )
            fitted = self.segments[g].fit(part)
            own[:, g], slopes[:, g] = fitted.coefficients, fitted.mean_slope
            endings[:, g], total[:, g] = fitted.ending, part.weights.sum(axis=1)
        own[:, 1:] -= own[:, :1]
        mean_slope = (slopes * total).sum(axis=1) / total.sum(axis=1)
        ending = joint_endings(endings)
        ending[~varied_draws(outcome, weights)] = Ending.ONE_OUTCOME
        return Regressions(own.reshape(len(draws), -1), mean_slope, ending)


def joint_endings(endings: Floats) -> NDArray[np.int64]:
    """Return how regressions ended that need all their segments, (..., segments) to (...,).

    >>> joint_endings(np.array([[Ending.CONVERGED, Ending.SINGULAR]])).tolist()
    [3]
    """
    joint = np.full(endings.shape[:-1], int(Ending.CONVERGED))
    for kind in (Ending.NOT_CONVERGED, Ending.SINGULAR, Ending.SEPARATED):
        joint[(endings == kind).any(axis=-1)] = kind
    return joint


def regress_segments(
    sample: Sample, place: Codes, names: tuple[str, ...], family: Family, errors: str | None
) -> OfSegments:
    """Fit a curve in every segment.

    Parameters
    ----------
    sample
        Its columns are the index and its bend.
    place, names
        As in `OfSegments`.
    family, errors
        As in `regress`.

    Raises
    ------
    OptionError
        As in `regress`.
    """
    kind = required_errors(sample, family, errors)
    x = sample.regressors
    weights = sample.row_weights
    centre, spread = x.mean(axis=0), x.std(axis=0)
    order = np.argsort(place, kind="stable")
    parts = [
        solve(family, sample.outcome[rows], x[rows], weights[rows], centre, spread)
        for rows in np.split(order, np.cumsum(np.bincount(place))[:-1])
    ]
    own = np.stack([solution for solution, _ in parts])
    ending = Ending(int(joint_endings(np.array([float(end) for _, end in parts]))))
    if ending in (Ending.SEPARATED, Ending.SINGULAR):
        own[:] = np.nan
    own[1:] -= own[0]
    return OfSegments(family, sample, kind, own.ravel(), ending, place=place, names=names)


def _of_factor(column: Column, factor: int) -> Column:
    return tuple(replace(part, factor=factor) for part in column)
