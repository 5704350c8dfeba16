"""Errors of a regression in which every segment has coefficients of its own.

The same as `ScoreErrors` of the one regression with the columns of all segments, without its
matrices: a segment's scores and information are its own, so covariances, CR2's adjustments and
degrees of freedom are made segment by segment. Two segments meet where they share clusters or
strata, and in averages over the respondents of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.outcomes.kernels.bias_reduced import BiasReduced
from csimodel.outcomes.kernels.influence import predictor_information
from csimodel.outcomes.kernels.margin_totals import MarginTotals, TermsOfTotals
from csimodel.outcomes.kernels.predictor_scores import PredictorScores
from csimodel.outcomes.kernels.score_errors import finite_sample_factor
from csimodel.outcomes.kernels.shared_clusters import ClusterParts, equality_df
from csimodel.outcomes.kernels.wald import wald, wald_of_blocks
from csimodel.survey.calibrated_design import CalibratedDesign
from csimodel.survey.group_rows import sums_by_group
from csimodel.survey.sampling import SurveyDesign

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class SegmentErrors:
    """Errors of what depends on the segments' own coefficients.

    Attributes
    ----------
    kind
        As in `ScoreErrors`.
    scores
        Derivatives at each respondent's own curve, whose columns are those of one curve.
    place
        Segment of each respondent, (rows,).
    segments
        Number of segments.
    design
        Units and strata; respondents where errors are not clustered.
    plain_df
        Degrees of freedom of t, but for CR2.
    """

    kind: str
    scores: PredictorScores
    place: Codes
    segments: int
    design: SurveyDesign
    plain_df: float

    @property
    def size(self) -> int:
        """Number of coefficients of a segment."""
        return int(self.scores.X.shape[1])

    @property
    def terms(self) -> int:
        """Number of coefficients of all segments."""
        return self.segments * self.size

    @cached_property
    def part(self) -> Codes:
        """Part of each respondent, (rows,)."""
        return self._parts[1]

    @property
    def parts(self) -> ClusterParts:
        """What each unit has of each segment."""
        return self._parts[0]

    @cached_property
    def _parts(self) -> tuple[ClusterParts, Codes]:
        units = self.design.units
        codes, part = np.unique(self.place * units + self.design.unit, return_inverse=True)
        return ClusterParts(*np.divmod(codes, units), self.segments), part.reshape(-1)

    @cached_property
    def dispersion(self) -> float:
        """As in `Influence`."""
        return self.scores.dispersion(self.terms)

    @cached_property
    def bread(self) -> Floats:
        """Inverse of each segment's weighted information, (segments, size, size)."""
        information = predictor_information(self.scores.X, self.scores.heavy)
        return np.asarray(np.linalg.inv(information(np.ones(len(self.place)), self.place)))

    @cached_property
    def reduced(self) -> Sequence[BiasReduced]:
        """CR2 errors of each segment's coefficients."""
        X, weights = self.scores.X, self.scores.weights
        total = predictor_information(X, self.scores.information)
        ones = np.ones(len(X))
        powers = [ones] if weights is None else [ones, weights, weights**2]
        information = np.stack([total(power, self.part) for power in powers])
        score = np.stack([self._by_part(X, power * self.scores.score) for power in powers[:2]])
        ends = self.parts.ends.tolist()
        return [
            BiasReduced.of(score[:, low:high], information[:, low:high])
            for low, high in zip([0, *ends[:-1]], ends, strict=True)
        ]

    @cached_property
    def pulls(self) -> Floats | None:
        """What each part adds to its segment's coefficients, (parts, size); as in `ScoreErrors`."""
        if self.kind == "nonrobust":
            return None
        if self.kind == "CR2":
            return np.concatenate([own.pulls for own in self.reduced])
        pull, bread = self.scores.pull, self.bread
        if self.kind == "HC3":
            X = self.scores.X
            leverage = ((X[:, None] @ bread[self.place])[:, 0] * X).sum(axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                pull = pull / (1.0 - leverage * self.scores.heavy)
        totals = self._by_part(self.scores.X, pull)[:, None] @ bread[self.parts.segment]
        factor = finite_sample_factor(self.kind, self.design, self.terms)
        return np.asarray(totals[:, 0] * np.sqrt(factor))

    def _by_part(self, X: Floats, factor: Floats) -> Floats:
        parts = len(self.parts.segment)
        return np.stack([np.bincount(self.part, x * factor, parts) for x in X.T], axis=1)

    @cached_property
    def cells(self) -> tuple[tuple[Codes, Floats], ...]:
        """Cells of units, and what squares of their totals count in a variance.

        As in `SurveyDesign`; totals of a single stratum are zero.
        """
        if self.kind != "linearized":
            return ((np.arange(self.design.units), np.ones(self.design.units)),)
        return tuple(own for own in self.design.cells if len(own[1]) > 1)

    @cached_property
    def margins(self) -> MarginTotals | None:
        """The totals that weights meet, where errors allow for them."""
        if self.kind != "linearized" or not isinstance(self.design, CalibratedDesign):
            return None
        return MarginTotals(self.design)

    @cached_property
    def terms_of_totals(self) -> TermsOfTotals | None:
        """What the coefficients have to do with these totals, (segments, size, totals)."""
        if self.margins is None or self.pulls is None:
            return None
        heavy, projection = self.margins.heavy[self.parts.cluster], self.margins.projection.T
        own = (self.scores.X * self.scores.pull[:, None])[:, None] @ self.bread[self.place]

        def sums(place: Codes, values: Floats, of: Floats) -> Floats:
            each = [
                sums_by_group(place, column[:, None] * of, self.segments) for column in values.T
            ]
            return np.stack(each, axis=1)

        crossed = sums(self.parts.segment, self.pulls, heavy)
        return TermsOfTotals(crossed, sums(self.place, own[:, 0], projection))

    @cached_property
    def covariance(self) -> Floats:
        """Covariance of each segment's coefficients, (segments, size, size)."""
        parts, k, pulls = self.parts, self.size, self.pulls
        if pulls is None:
            return np.asarray(self.bread * self.dispersion)
        whole = np.zeros((self.segments, k, k))
        for codes, counts in self.cells:
            keys = parts.segment * len(counts) + codes[parts.cluster]
            cell, at = np.unique(keys, return_inverse=True)
            sums = sums_by_group(at, pulls, len(cell))
            segment, cell = np.divmod(cell, len(counts))
            heavy = sums * counts[cell, None]
            for i in range(k):
                for j in range(k):
                    whole[:, i, j] += np.bincount(segment, heavy[:, i] * sums[:, j], self.segments)
        terms = self.terms_of_totals
        if self.margins is None or terms is None:
            return whole
        return whole + self.margins.covariance(terms, terms)

    def of(self, gradient: Floats) -> tuple[Floats, Floats]:
        """Return standard errors and degrees of freedom of functions of one segment each.

        Parameters
        ----------
        gradient
            By the segment's own coefficients, (segments, functions, size).

        Returns
        -------
        (segments, functions), twice
        """
        with np.errstate(invalid="ignore"):
            se = np.sqrt(((gradient @ self.covariance) * gradient).sum(axis=2))
        if self.kind != "CR2":
            return se, np.full(se.shape, self.plain_df)
        df = [own.working(rows).df for own, rows in zip(self.reduced, gradient, strict=True)]
        return se, np.array(df)

    def equality(self, own: Floats, rows: Floats, *, design: bool) -> pd.Series:
        """Test that sums of a segment's coefficients are the same in all segments, as `wald`.

        Parameters
        ----------
        own
            Each segment's coefficients, (segments, size).
        rows
            The sums, (sums, size).
        design
            As in `wald`.
        """
        value, k = own @ rows.T, len(rows)
        df = self.plain_df
        if self.kind == "CR2":
            gradient = np.broadcast_to(rows, (self.segments, *rows.shape))
            variance = np.stack([own.working_variance(rows) for own in self.reduced])
            df = equality_df(self.parts, self.reduced, gradient, variance)
        blocks = self._joint_covariance(rows)
        test = wald_of_blocks(value, blocks, df, design=design)
        if test is not None:
            return test
        steps = np.kron(np.eye(self.segments)[1:] - np.eye(self.segments)[0], np.eye(k))
        whole = np.zeros((value.size, value.size))
        for segments, block in blocks:
            places = (segments[:, None] * k + np.arange(k)).ravel()
            whole[np.ix_(places, places)] = block
        return wald(steps @ value.ravel(), steps @ whole @ steps.T, df, design=design)

    def _joint_covariance(self, rows: Floats) -> list[tuple[Codes, Floats]]:
        """Return the covariance of sums of all segments, by sets of segments that share units.

        Each set is its segments, (some,), and their matrix, (some times sums, some times sums).
        """
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        alone = rows @ self.covariance @ rows.T
        apart = [(np.array([g]), block) for g, block in enumerate(alone)]
        meeting = self._meeting
        if self.pulls is None or meeting is None:
            return apart
        k, parts, pulls = len(rows), self.parts, self.pulls @ rows.T
        nodes = self.segments + int(meeting.max()) + 1
        links = csr_array(
            (np.ones(len(meeting)), (parts.segment, self.segments + meeting)), (nodes, nodes)
        )
        label = connected_components(links, directed=False)[1][: self.segments]
        columns = [self.by_unit(pull).tocsc() for pull in pulls.T]
        whole = self._of_margins(rows)
        joint = []
        for segments in np.split(
            np.argsort(label, kind="stable"), np.flatnonzero(np.diff(np.sort(label))) + 1
        ):
            if len(segments) == 1:
                joint.append(apart[segments[0]])
                continue
            block = np.empty((len(segments), k, len(segments), k))
            for i in range(k):
                for j in range(k):
                    product = self.product(columns[i][:, segments], columns[j][:, segments])
                    block[:, i, :, j] = product.toarray()
            joint.append((segments, block.reshape(len(segments) * k, -1) + whole))
        return joint

    def _of_margins(self, rows: Floats) -> Floats:
        """Return what margins add to the covariance of sums of all segments; all of these meet."""
        terms = self.terms_of_totals
        if self.margins is None or terms is None:
            return np.zeros((1, 1))
        flat = terms.of(lambda own: (rows @ own).reshape(self.segments * len(rows), -1))
        return self.margins.covariance(flat, flat)

    @property
    def _meeting(self) -> Codes | None:
        """Where segments covary that meet, cells of each part, (parts,); None if they never do."""
        if self.margins is not None:
            return np.zeros(len(self.parts.cluster), dtype=np.intp)
        if not self.cells or (self.design.kind == "respondent" and len(self.cells) == 1):
            return None
        return self.cells[-1][0][self.parts.cluster]

    def by_unit(self, values: Floats) -> csr_array:
        """Return values of the parts, (parts,), as a sparse matrix, (units, segments)."""
        from scipy.sparse import csr_array

        at = (self.parts.cluster, self.parts.segment)
        return csr_array((values, at), (self.design.units, self.segments))

    def product(self, first: csr_array, second: csr_array) -> csr_array:
        """Return the covariances of sums over units of what each adds, (any, any).

        Both are sparse, (units, any).
        """
        from scipy.sparse import csr_array

        whole = csr_array((first.shape[1], second.shape[1]))
        for at, (_, counts) in enumerate(self.cells):
            sums = self.cell_sums(at, second).multiply(counts[:, None]).tocsr()
            whole = whole + self.cell_sums(at, first).T @ sums
        return whole

    def cell_sums(self, at: int, totals: csr_array) -> csr_array:
        """Return sums over the cells of one kind of what units add, (units, any) to (cells, any).

        `at` is the place of the kind in `cells`.
        """
        return self._memberships[at] @ totals

    @cached_property
    def _memberships(self) -> list[csr_array]:
        from scipy.sparse import csr_array

        units = np.arange(self.design.units)
        return [
            csr_array((np.ones(len(units)), (codes, units)), (len(counts), len(units)))
            for codes, counts in self.cells
        ]
