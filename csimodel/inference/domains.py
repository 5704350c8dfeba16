"""Statistics of groups of respondents, and what each respondent adds to them.

The one place where means, shares, ratios and other smooth functions of means by group get their
error. Groups are domains of the sample: respondents of other groups add nothing and stay units of
the design, so that errors are those of R's ``svymean``, ``svyratio`` and ``svyby``. Only where
respondents were drawn one by one with equal weights, each group counts as a sample of its own, of
as many respondents as it has: variances are those of textbooks, ``s²/n``, degrees of freedom of a
difference Welch's. In a design a difference has the degrees of freedom of the units of both groups,
at most those of Satterthwaite from each group's own: its error can be nearly that of one of them.
Estimated variances tell badly how nearly where a group lies in few clusters, and tell it worst when
they are too small; there each group counts by what its size makes its variance
(`working_variance`).

References
----------
Särndal, C.-E., Swensson, B., Wretman, J. (1992). Model Assisted Survey Sampling, sections 5.5 and
5.8. https://doi.org/10.1007/978-1-4612-4378-6

Welch, B. L. (1947). The generalization of Student's problem when several different population
variances are involved. Biometrika 34, 28-35. https://doi.org/10.1093/biomet/34.1-2.28
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.inference.sources import Draws, ErrorSource, StandardErrors, smallest_error
from csimodel.limits import require_memory
from csimodel.survey import Answers
from csimodel.survey.group_rows import effective_sizes, sums_by_group
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Truths = NDArray[np.bool_]
Functional = Callable[[NDArray[np.inexact]], NDArray[np.inexact]]

_STEP = 1e-30  # of a complex step, which has no truncation error beside it


@dataclass(frozen=True, eq=False)
class Domains:
    """Respondents and the group that each belongs to.

    Attributes
    ----------
    answers
        The respondents and the design they were drawn in.
    codes
        Group of each, (rows,); -1 for none.
    groups
        How many there are.
    """

    answers: Answers
    codes: Codes
    groups: int

    @cached_property
    def weights(self) -> Floats:
        """Weights, (rows,); 1 where there are none."""
        own = self.answers.weights
        return np.ones(len(self.codes)) if own is None else np.asarray(own)

    @cached_property
    def simple(self) -> bool:
        """Whether respondents were drawn one by one with equal weights from a large population."""
        answers, design = self.answers, self.answers.design
        known = (answers.population, answers.calibrated, answers.replicates, answers.subcluster)
        return (
            design.kind == "respondent"
            and design.strata == 1
            and all(part is None for part in known)
            and answers.equal_weights
        )

    def sums(self, values: Floats) -> Floats:
        """Return sums of values, (rows, any), by group, (groups, any)."""
        member = self.codes >= 0
        return sums_by_group(self.codes[member], values[member], self.groups)


@dataclass(frozen=True, eq=False)
class DomainStatistics:
    """Statistics of groups with what each respondent adds to those of its own group.

    Attributes
    ----------
    domains
        The groups.
    estimate
        (groups, entries); NaN where there is none.
    values
        What a respondent adds, (rows, entries); 0 for those of no group.
    member
        Respondents that an entry rests on, (rows, entries).
    again
        The estimates with other weights, from (rows,) to (groups, entries).
    """

    domains: Domains
    estimate: Floats
    values: Floats
    member: Truths
    again: Callable[[Floats], Floats]

    @cached_property
    def n(self) -> Codes:
        """Respondents of each entry, (groups, entries)."""
        return self.domains.sums(self.member.astype(np.float64)).astype(np.intp)

    @cached_property
    def effective(self) -> Floats:
        """What unequal weights and clusters leave of them, ``(Σ w)²/Σ w²`` at most the clusters."""
        size = self._kish
        if self.domains.answers.design.kind == "cluster":
            size = np.minimum(size, self._each(self._units))
        return size

    @cached_property
    def _kish(self) -> Floats:
        """What unequal weights leave of the respondents, ``(Σ w)²/Σ w²``, (groups, entries)."""
        weights, groups = self.domains.answers.weights, self.domains.groups
        return self._each(lambda codes: effective_sizes(codes, weights, groups))

    @cached_property
    def df(self) -> Floats:
        """Degrees of freedom: units less strata that a group has members in, (groups, entries)."""
        answers, groups = self.domains.answers, self.domains.groups
        df = self._each(lambda codes: answers.stages.degrees(codes, groups).astype(np.float64))
        if answers.replicates is not None:
            df = np.minimum(df, float(answers.replicates.replication.df))
        return df

    @cached_property
    def variance(self) -> Floats:
        """Variances, (groups, entries)."""
        answers, codes = self.domains.answers, self.domains.codes
        if self.domains.simple:
            squares, n = self.domains.sums(self.values**2), self.n
            return np.asarray(squares * n / np.maximum(n - 1.0, 1.0))
        if answers.calibrated is not None or answers.subcluster is not None:
            each = [
                answers.stages.variance(answers.stages.totals(own))
                for own in (
                    np.where((codes == g)[:, None], self.values, 0.0)
                    for g in range(self.domains.groups)
                )
            ]
            return np.array(each).reshape(self.estimate.shape)
        return self._variance_of_units()

    @cached_property
    def replicates(self) -> Floats | None:
        """Estimates from the replicate weights of the survey, (replicates, groups · entries)."""
        own = self.domains.answers.replicates
        if own is None:
            return None
        weights = self.domains.weights
        return np.array([self.again(weights * factor).ravel() for factor in own.factors])

    @property
    def errors(self) -> ErrorSource:
        """The errors of all entries, by group and in a group by entry."""
        answers, entries = self.domains.answers, self.estimate.shape[1]
        census = np.repeat(answers.stages.census, self.estimate.size)
        if answers.population is not None:
            own = answers.design.census_of(self.domains.codes, self.domains.groups)
            census = np.repeat(own & (answers.subcluster is None), entries)
        df = self.df.ravel()
        if self.replicates is not None and answers.replicates is not None:
            how = answers.replicates.replication
            return Draws(self.estimate.ravel(), self.replicates, df, replication=how)
        return StandardErrors(np.sqrt(self.variance).ravel(), df, census=census)

    def differences(self, first: Codes, second: Codes) -> tuple[Floats, ErrorSource]:
        """Return the entries of groups less those of other groups, (pairs · entries,), with errors.

        Respondents of two groups are never the same; clusters of two groups can be, and strata.
        Where one of them has no error, the difference has none.
        """
        answers, entries = self.domains.answers, self.estimate.shape[1]
        estimate = (self.estimate[first] - self.estimate[second]).ravel()
        pairs = [self._pairs(entry, first, second) for entry in range(entries)]
        df = np.array([degrees for _, degrees in pairs]).reshape(entries, len(first)).T
        df = np.where((self.df[first] > 0) & (self.df[second] > 0), df, 0.0)
        if self.replicates is not None and answers.replicates is not None:
            draws = self.replicates.reshape(-1, *self.estimate.shape)
            varies = draws.std(axis=0) > smallest_error(self.estimate)
            df = np.where(varies[first] & varies[second], df, 0.0)
            differences = (draws[:, first] - draws[:, second]).reshape(len(draws), -1)
            how = answers.replicates.replication
            return estimate, Draws(estimate, differences, df.ravel(), replication=how)
        variance = np.array([own for own, _ in pairs]).reshape(entries, len(first)).T
        varies = np.sqrt(self.variance) > smallest_error(self.estimate)
        se = np.sqrt(np.where(varies[first] & varies[second], np.maximum(variance, 0.0), 0.0))
        return estimate, StandardErrors(se.ravel(), df.ravel(), census=answers.stages.census)

    def _pairs(self, entry: int, first: Codes, second: Codes) -> tuple[Floats, Floats]:
        """Return variances and degrees of freedom of differences of an entry, (pairs,) each."""
        answers, groups = self.domains.answers, self.domains.groups
        variance = self.variance[:, entry]
        if self.domains.simple:
            a, b = ((variance[own], self.n[own, entry] - 1.0) for own in (first, second))
            return a[0] + b[0], satterthwaite(*(np.stack(both) for both in zip(a, b, strict=True)))
        rows = len(self.values)
        require_memory(
            f"The differences of {groups:,} groups of {rows:,} respondents",
            3 * 8.0 * groups * rows,
            "compare fewer groups",
        )
        codes = np.where(self.member[:, entry], self.domains.codes, -1)
        apart = np.zeros((rows, groups))
        held = np.flatnonzero(codes >= 0)
        apart[held, codes[held]] = self.values[held, entry]
        covariance = answers.stages.covariance(answers.stages.totals(apart))
        spread = np.diagonal(covariance)
        common = covariance[first, second]
        size, own_df = self._kish[:, entry], self.df[:, entry]
        working, pairs = working_variance(answers.design, spread, size), [first, second]
        known = satterthwaite(working[pairs], own_df[pairs])
        df = np.minimum(self._degrees(codes, first, second), known)
        return spread[first] + spread[second] - 2.0 * common, df

    def _degrees(self, codes: Codes, first: Codes, second: Codes) -> Floats:
        """Return the units less the strata that either of two groups has members in, (pairs,)."""
        answers, groups = self.domains.answers, self.domains.groups
        design = answers.design
        held = np.flatnonzero(codes >= 0)
        unit = np.zeros((groups, design.units), dtype=np.bool_)
        unit[codes[held], design.unit[held]] = True
        stratum = np.zeros((groups, design.strata), dtype=np.bool_)
        stratum[codes[held], design.stratum[design.unit[held]]] = True
        df = np.array(
            [
                float((unit[a] | unit[b]).sum() - (stratum[a] | stratum[b]).sum())
                for a, b in zip(first, second, strict=True)
            ]
        )
        empty = unit.sum(axis=1) == 0
        if answers.replicates is not None:
            df = np.minimum(df, float(answers.replicates.replication.df))
        return np.where(empty[first] | empty[second], 0.0, df)

    def _variance_of_units(self) -> Floats:
        """Return variances from sums within units of a group; a group costs its members only."""
        design, groups = self.domains.answers.design, self.domains.groups
        held = np.flatnonzero(self.domains.codes >= 0)
        pair = self.domains.codes[held] * design.units + design.unit[held]
        place = np.arange(len(held))
        if design.kind == "cluster":
            pair, place = np.unique(pair, return_inverse=True)
        group, unit = np.divmod(pair, design.units)
        cell = group * design.strata + design.stratum[unit]
        factor, share = design.factors
        variances = np.empty(self.estimate.shape)
        for entry, values in enumerate(self.values[held].T):
            total = np.bincount(place, values, len(pair))
            squares, sums = (
                np.bincount(cell, own, groups * design.strata).reshape(groups, design.strata)
                for own in (total**2, total)
            )
            variances[:, entry] = squares @ factor - sums**2 @ (factor * share)
        return np.where(variances < 0, 0.0, variances)

    def _each(self, of: Callable[[Codes], Floats]) -> Floats:
        """Return what is computed of the groups that an entry rests on, (groups, entries)."""
        codes, known = self.domains.codes, dict[bytes, Floats]()
        columns = []
        for member in self.member.T:
            key = np.packbits(member).tobytes()
            if key not in known:
                known[key] = of(np.where(member, codes, -1))
            columns.append(known[key])
        return np.stack(columns, axis=1)

    def _units(self, codes: Codes) -> Floats:
        """Return the number of clusters of each group, (groups,)."""
        design, held = self.domains.answers.design, codes >= 0
        pairs = np.unique(codes[held] * design.units + design.unit[held])
        return np.bincount(pairs // design.units, minlength=self.domains.groups).astype(np.float64)


def working_variance(design: SurveyDesign, variance: Floats, size: Floats) -> Floats:
    """Return the variances of groups that degrees of freedom of sums of these are made of.

    Those estimated; in clusters, up to a factor, one over the effective number of respondents, of
    one shape: variances estimated in few clusters are worst where they are too small.

    Examples
    --------
    >>> clusters = SurveyDesign.of(4, cluster=np.array([0, 0, 1, 1]))
    >>> working_variance(clusters, np.array([0.1, 3.0]), np.array([50.0, 25.0]))
    array([0.02, 0.04])
    """
    return 1.0 / size if design.kind == "cluster" else variance


def satterthwaite(variance: Floats, df: Floats) -> Floats:
    """Return the degrees of freedom of sums of estimates, (any,): ``(Σ v)²/Σ v²/d``.

    Parameters
    ----------
    variance
        Of each of the parts of a sum, up to a factor, (parts, any).
    df
        Degrees of freedom of each, of the same shape; where a part has none, neither has the sum.

    References
    ----------
    Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components.
    Biometrics Bulletin 2, 110-114. https://doi.org/10.2307/3002019

    Examples
    --------
    >>> satterthwaite(np.array([[9.0], [1.0]]), np.array([[2.0], [26.0]])).round(2)
    array([2.47])
    """
    whole = variance.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = whole**2 / (variance**2 / df).sum(axis=0)
    return np.where((df > 0).all(axis=0), np.where(whole > 0, shared, df.sum(axis=0)), 0.0)


@dataclass(frozen=True, eq=False)
class MeansAgain:
    """A function of means of columns by group, with any weights.

    Attributes
    ----------
    domains, columns, functional
        As of `function_of_means`.
    """

    domains: Domains
    columns: Floats
    functional: Functional | None

    def of(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return means and sums of weights with a value, (groups, k) each."""
        seen = np.isfinite(self.columns)
        total = self.domains.sums(weights[:, None] * seen)
        sums = self.domains.sums(weights[:, None] * np.where(seen, self.columns, 0.0))
        with np.errstate(invalid="ignore", divide="ignore"):
            return sums / total, total

    def __call__(self, weights: Floats) -> Floats:
        """Return the function's entries, (groups, entries)."""
        mean, _ = self.of(weights)
        if self.functional is None:
            return mean
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.functional(mean), dtype=np.float64)


def function_of_means(
    domains: Domains,
    columns: Floats,
    functional: Functional | None = None,
    needs: Truths | None = None,
) -> DomainStatistics:
    """Return smooth functions of weighted means of columns by group.

    With m_k the mean of column k over those of a group who have a value, ``Σ w x / Σ w``, a
    respondent adds ``w (x - m_k)/Σ w`` to it, and the sum of that times ``∂f/∂m_k`` to a function.
    Derivatives are by complex steps, exact to rounding.

    Parameters
    ----------
    domains
        The groups.
    columns
        (rows, k); NaN for no value.
    functional
        From means (..., k) to entries (..., entries), in operations that complex numbers have; the
        means themselves by default.
    needs
        Which columns an entry is a function of, (entries, k); all by default. Its respondents are
        those with a value in any of them.

    References
    ----------
    Squire, W., Trapp, G. (1998). Using complex variables to estimate derivatives of real
    functions. SIAM Review 40, 110-112. https://doi.org/10.1137/S003614459631241X

    Examples
    --------
    >>> import pandas as pd
    >>> from csimodel.survey import read_survey
    >>> from csimodel.survey.survey import respondents
    >>> answers = respondents(read_survey(pd.DataFrame({"q": [1.0, 3, 2, 6]})))
    >>> halves = Domains(answers, np.array([0, 0, 1, 1]), 2)
    >>> statistics = function_of_means(halves, np.array([[1.0], [3], [2], [6]]))
    >>> statistics.estimate[:, 0], np.sqrt(statistics.variance[:, 0])
    (array([2., 4.]), array([1., 2.]))
    """
    means = MeansAgain(domains, columns, functional)
    seen, member = np.isfinite(columns), domains.codes >= 0
    mean, total = means.of(domains.weights)
    codes = domains.codes
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = domains.weights[:, None] * (columns - mean[codes]) / total[codes]
    parts = np.where(seen & member[:, None], parts, 0.0)
    if functional is None:
        return DomainStatistics(domains, mean, parts, seen & member[:, None], means)
    estimate = means(domains.weights)
    values = np.zeros((len(codes), estimate.shape[1]))
    each = np.ones((values.shape[1], columns.shape[1]), dtype=np.bool_)
    used = seen @ (each if needs is None else needs).T
    for k in range(columns.shape[1]):
        step = np.zeros(columns.shape[1], dtype=np.complex128)
        step[k] = 1j * _STEP
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = np.imag(functional(mean + step)) / _STEP
        values += np.where(np.isfinite(slope), slope, 0.0)[codes] * parts[:, k, None]
    return DomainStatistics(domains, estimate, values, used & member[:, None], means)


def one_group(answers: Answers) -> Domains:
    """Return all respondents as one group."""
    return Domains(answers, np.zeros(len(answers.rows), dtype=np.intp), 1)
