"""What `fimix` gives: criteria by number of segments, and the paths and members of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked_in
from csimodel.assessment.mixture import equations_of
from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError
from csimodel.estimators import Fit
from csimodel.findings import Finding, listed
from csimodel.floats import own_errstate_in
from csimodel.options import require_count
from csimodel.page import HasPage, Page, Section

Floats = NDArray[np.float64]

_ONE = (
    "AIC3 and CAIC both prefer one segment, so these data do not show that paths differ between "
    "unknown parts of the respondents."
)
_SEVERAL = (
    "AIC3 and CAIC both prefer {segments} segments, so paths differ between parts of the "
    "respondents or residuals are not normal, which looks alike (answers at the end of a scale, "
    "skew); look for what tells these apart before groups are averaged."
)
_DISAGREE = (
    "AIC3 prefers {aic3} and CAIC {caic} segments, so how many segments there are is not settled."
)
_OVERLAP = (
    "The {segments} segments overlap (EN {en:.2f}, below 0.5), so that respondents cannot be said "
    "to belong to one."
)
_SMALL = (
    "The smallest of the {segments} segments has {percent:.1f} % of the respondents, some "
    "{count:.0f}, which is too few for paths of its own."
)


@dataclass(frozen=True, eq=False)
class SegmentSolution:
    """The best solution of a number of segments, the largest segment first.

    Attributes
    ----------
    log_likelihood, parameters
        What criteria are made of.
    members
        Probabilities, (respondents, segments).
    shares
        Of the segments, (segments,).
    coefficients
        Of each equation the constant and the slopes, (segments, 1 + antecedents).
    variances
        Of the residuals, (segments, equations).
    weights
        What each respondent counts, (respondents,).
    reached, lost, starts
        How many starts came to this solution, how many to none, and how many there were.
    converged
        Whether the best start had ceased to gain.
    """

    log_likelihood: float
    parameters: int
    members: Floats
    shares: Floats
    coefficients: tuple[Floats, ...]
    variances: Floats
    weights: Floats
    reached: int
    lost: int
    starts: int
    converged: bool

    def criteria(self, alone: float) -> dict[str, float]:
        """Return the criteria, given the log-likelihood of one segment."""
        n, segments = self.members.shape
        q, deviance = float(self.parameters), -2.0 * self.log_likelihood
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(self.members > 0, -self.members * np.log(self.members), 0.0)
        entropy = float(self.weights @ parts.sum(axis=1))
        squares = float(self.weights @ (self.members**2).sum(axis=1)) / n
        several, gain = segments > 1, self.log_likelihood - alone
        nothing = float("nan")
        return {
            "aic": deviance + 2.0 * q,
            "aic3": deviance + 3.0 * q,
            "aic4": deviance + 4.0 * q,
            "bic": deviance + q * np.log(n),
            "caic": deviance + q * (np.log(n) + 1.0),
            "hq": deviance + 2.0 * q * np.log(np.log(n)),
            "mdl5": deviance + 5.0 * q * np.log(n),
            "en": 1.0 - entropy / (n * np.log(segments)) if several else nothing,
            "nfi": (segments * squares - 1.0) / (segments - 1.0) if several else nothing,
            "nec": entropy / gain if several and gain > 0 else nothing,
        }


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class HiddenSegments(HasPage):
    """Mixtures of path models by number of segments; made by `fimix`.

    Attributes
    ----------
    fit
        Whose scores.
    used
        Respondents with scores, (respondents,).
    solutions
        The best solution of each number of segments that has one, a single segment among them.
    about
        What is to be known of the respondents and the starts.
    """

    fit: Fit
    used: NDArray[np.bool_]
    solutions: Mapping[int, SegmentSolution]
    about: tuple[Finding, ...]

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a number of segments.

        Columns lnl, parameters; aic, aic3, aic4, bic, caic, hq, mdl5, smaller being better; en, nfi
        and nec, how well segments are told apart (1, 1 and 0 are best); smallest, the share of the
        smallest segment in percent; reached, how many of the starts came to this solution.
        """
        alone = self.solutions[1].log_likelihood
        rows = [
            {
                "lnl": own.log_likelihood,
                "parameters": own.parameters,
                **own.criteria(alone),
                "smallest": 100.0 * float(own.shares.min()),
                "reached": own.reached,
            }
            for own in self.solutions.values()
        ]
        return pd.DataFrame(rows, pd.Index(list(self.solutions), name="segments"))

    @property
    def preferred(self) -> pd.Series:
        """The number of segments that each criterion prefers."""
        criteria = ["aic", "aic3", "aic4", "bic", "caic", "hq", "mdl5"]
        return self.table[criteria].idxmin().rename("segments")

    def paths(self, segments: int) -> pd.DataFrame:
        """Return paths of each segment: rows (target, source), a column a segment and all.

        Of standardised scores over all respondents; the source ``"(constant)"`` is the constant.
        """
        own, names = self._solution(segments), self.fit.model.construct_names
        rows, values = [], []
        equations = equations_of(self.fit.model)
        for (target, sources), slopes in zip(equations, own.coefficients, strict=True):
            rows += [(names[target], name) for name in ("(constant)", *(names[s] for s in sources))]
            values.append(slopes.T)
        index = pd.MultiIndex.from_tuples(rows, names=["target", "source"])
        table = pd.DataFrame(np.concatenate(values), index, self._labels(segments))
        whole = np.concatenate([slopes.T[:, 0] for slopes in self.solutions[1].coefficients])
        table.insert(0, "all", whole)
        return table

    def r2(self, segments: int) -> pd.DataFrame:
        """Return the explained variance of each construct within each segment, 0 to 1.

        ``1 - residual variance / variance of the score among the segment's members``.
        """
        own, model = self._solution(segments), self.fit.model
        scores = self.fit.scores.to_numpy()[self.used]
        counted = own.members * own.weights[:, None]
        counted = counted / counted.sum(axis=0)
        targets = [target for target, _ in equations_of(model)]
        mean = counted.T @ scores[:, targets]
        variance = counted.T @ scores[:, targets] ** 2 - mean**2
        names = pd.Index([model.construct_names[target] for target in targets], name="construct")
        return pd.DataFrame((1.0 - own.variances / variance).T, names, self._labels(segments))

    def membership(self, segments: int) -> pd.DataFrame:
        """Return the probabilities of respondents to belong to each segment; NaN without scores."""
        own = self._solution(segments)
        values = np.full((len(self.used), segments), np.nan)
        values[self.used] = own.members
        return pd.DataFrame(values, self.fit.respondents, self._labels(segments))

    def assigned(self, segments: int) -> pd.Series:
        """Return the most probable segment of each respondent, from 1; missing without scores."""
        probabilities = self.membership(segments).to_numpy()
        place = np.nan_to_num(probabilities).argmax(axis=1) + 1
        column = pd.array(place, dtype="Int64")
        column[~self.used] = pd.NA
        return pd.Series(column, self.fit.respondents, name="segment")

    def _labels(self, segments: int) -> pd.Index:
        return pd.RangeIndex(1, segments + 1, name="segment")

    def _solution(self, segments: int) -> SegmentSolution:
        if require_count("segments", segments) not in self.solutions:
            known = listed(map(str, self.solutions))
            raise OptionError(
                f"segments={segments} was not asked for or has no solution; there are {known}."
            )
        return self.solutions[segments]

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """How many segments the data speak for, and what a reader must know."""
        return (*self._verdict(), *self.about)

    def _verdict(self) -> Iterator[Finding]:
        """Say what the criteria say, and of segments preferred how well they are told apart."""
        if len(self.solutions) < 2:
            return
        aic3, caic = int(self.preferred["aic3"]), int(self.preferred["caic"])
        if aic3 != caic:
            values: dict[str, object] = {"aic3": aic3, "caic": caic}
            yield Finding("segments-not-settled", _DISAGREE, severity="note", values=values)
            return
        if aic3 == 1:
            yield Finding("one-segment", _ONE, severity="note")
            return
        own = self.solutions[aic3]
        told = own.criteria(self.solutions[1].log_likelihood)["en"]
        values = {"segments": aic3}
        yield Finding("several-segments", _SEVERAL, severity="warning", values=values)
        if told < THRESHOLDS["entropy of segments"].value:
            values = {"segments": aic3, "en": told}
            yield Finding("overlapping-segments", _OVERLAP, severity="warning", values=values)
        smallest = float(own.shares.min())
        members = smallest * len(own.members)
        if members < THRESHOLDS["few rows"].value:
            values = {"segments": aic3, "percent": 100.0 * smallest, "count": members}
            yield Finding("small-segment", _SMALL, severity="warning", values=values)

    @property
    def page(self) -> Page:
        """The criteria on a page, and the paths of the number of segments preferred."""
        settled = int(self.preferred["caic"])
        shown = () if settled == 1 else self._sections(settled)
        return Page(
            f"Hidden segments of {self.fit.model.name or 'the model'} (FIMIX-PLS)",
            facts=(
                f"{int(self.used.sum()):,} respondents; weights of items are those of all.",
                "MDL5 is -2 lnL + 5 Q ln n; AIC3 and CAIC together (Sarstedt et al., 2011).",
            ),
            findings=(*self.fit.diagnostics, *self.findings),
            sections=(Section("Criteria by number of segments", self.table, decimals=2), *shown),
        )

    def _sections(self, segments: int) -> tuple[Section, ...]:
        shares = pd.DataFrame(
            {"percent": 100.0 * self.solutions[segments].shares}, self._labels(segments)
        )
        return (
            Section(f"Shares of {segments} segments", shares, decimals=1),
            Section(f"Paths of {segments} segments", self.paths(segments), decimals=3),
            Section("Explained variance within segments", self.r2(segments), decimals=3),
        )
