"""The sampled units of a scan, counted as rows go by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.findings import Finding
from csimodel.survey import design
from csimodel.survey.domain_design import DomainDesign
from csimodel.survey.sampling import SurveyDesign
from csimodel.survey.scanning.buckets import bucket_codes
from csimodel.survey.scanning.labels import Combinations, Labels, other_rows
from csimodel.survey.scanning.rows import RowPass, UsedRows

Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class CountedDesign(SurveyDesign):
    """A design of respondents of whom only the number in each stratum is kept.

    Attributes
    ----------
    counts
        (strata,)
    members
        Of those the respondents looked at, (strata,), where these are a domain; or None.

    Examples
    --------
    >>> nobody = np.zeros(0, dtype=np.intp)
    >>> CountedDesign(nobody, nobody, counts=np.array([5, 3])).df
    6
    """

    counts: Codes
    members: Codes | None = None

    @property
    def units(self) -> int:
        """Number of units."""
        return int(self.counts.sum())

    @property
    def unit_count(self) -> int:
        """Number of respondents looked at."""
        return int(self._seen.sum())

    @property
    def stratum_count(self) -> int:
        """Number of their strata."""
        return int((self._seen > 0).sum())

    @property
    def lonely_count(self) -> int:
        """Number of those that are alone in their stratum."""
        return int((self.lonely_units & (self._seen > 0)).sum())

    @property
    def df(self) -> int:
        """Degrees of freedom: respondents looked at less their strata."""
        return self.unit_count - self.stratum_count

    @property
    def _seen(self) -> Codes:
        return self.counts if self.members is None else self.members

    @cached_property
    def strata(self) -> int:
        """Number of strata."""
        return len(self.counts)

    @cached_property
    def sizes(self) -> Codes:
        """Number of units of each stratum, (strata,)."""
        return self.counts

    @cached_property
    def lonely_units(self) -> NDArray[np.bool_]:
        """Mark the strata of a single unit, (strata,)."""
        return np.asarray((self.counts == 1) & (self.strata > 1))


@dataclass
class Units:
    """Strata and clusters met so far.

    Attributes
    ----------
    rows
        How they are read.
    """

    rows: RowPass
    strata: Labels = field(default_factory=Labels)
    clusters: Labels = field(default_factory=Labels)
    units: Combinations = field(default_factory=lambda: Combinations(("stratum", "cluster")))
    counts: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    lost: dict[str, int] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Columns that hold them."""
        survey = self.rows.template
        return [name for name in (survey.strata, survey.cluster) if name is not None]

    def codes(self, part: UsedRows, times: Codes | None = None) -> tuple[Codes, Codes | None]:
        """Return the stratum and the cluster of rows used, (rows,) each; None without clusters.

        `times` says how many respondents each row stands for, where that is not one.
        """
        survey = self.rows.template
        stratum = np.zeros(len(part.values), dtype=np.intp)
        if survey.strata is not None:
            stratum = self._labels(part, survey.strata, "strata", self.strata, times)
        if not self.rows.clustered:
            return stratum, None
        if self.rows.buckets is not None:
            label = self._buckets(part, self.rows.buckets, times)
        else:
            assert survey.cluster is not None
            label = self._labels(part, survey.cluster, "cluster", self.clusters, times)
        return stratum, self.units.codes_of(np.stack([stratum, label], axis=1))

    def count(self, part: UsedRows, times: Codes | None = None) -> tuple[Codes, Codes | None]:
        """Return the same, and count respondents by stratum."""
        stratum, unit = self.codes(part, times)
        known = stratum >= 0
        size = max(len(self.counts), int(stratum.max(initial=-1)) + 1)
        counts = np.zeros(size, dtype=np.intp)
        counts[: len(self.counts)] = self.counts
        own = None if times is None else times[known]
        self.counts = counts + np.bincount(stratum[known], own, size).astype(np.intp)
        return stratum, unit

    def merge(self, other: Units) -> tuple[Codes, Codes]:
        """Add what was met elsewhere; return the codes here of the strata and the units there."""
        strata, clusters = self.strata.merge(other.strata), self.clusters.merge(other.clusters)
        if self.rows.template.strata is None:
            strata = np.zeros(1, dtype=np.intp)
        counts = np.zeros(max(len(self.counts), int(strata.max(initial=-1)) + 1), dtype=np.intp)
        counts[: len(self.counts)] = self.counts
        np.add.at(counts, strata[: len(other.counts)], other.counts)
        self.counts = counts
        for option, lost in other.lost.items():
            self.lost[option] = self.lost.get(option, 0) + lost
        places = np.array(list(other.units.places), dtype=np.intp).reshape(-1, 2)
        label = places[:, 1] if self.rows.buckets is not None else clusters[places[:, 1]]
        return strata, self.units.codes_of(np.stack([strata[places[:, 0]], label], axis=1))

    def places_in(self, other: Units) -> Codes:
        """Return the code that each bucket has among those of another pass, (units,).

        Raises
        ------
        SurveyError
            When that met other rows.
        """
        strata = [other.strata.places.get(label, -1) for label in self.strata.places] or [0]
        codes = [
            other.units.places.get((strata[stratum], bucket), -1)
            for stratum, bucket in self.units.places
        ]
        if min(codes, default=0) < 0:
            raise other_rows(self.rows.source.name, "with buckets that were not there")
        return np.array(codes, dtype=np.intp)

    def _buckets(self, part: UsedRows, buckets: int, times: Codes | None) -> Codes:
        """Return the bucket of rows used: by cluster, or by the numbers of the rows."""
        name = self.rows.template.cluster
        if self.rows.bucket is not None:
            own = part.batch.labels(self.rows.bucket).fillna(-1).to_numpy(np.intp)
            return self._known(part.used(own), "cluster", times)
        if name is None:
            return bucket_codes(pd.Series(part.batch.start + part.places), buckets)
        own = part.used(bucket_codes(self.rows.labels(part, name), buckets))
        return self._known(own, "cluster", times)

    def _labels(
        self, part: UsedRows, name: str, option: str, labels: Labels, times: Codes | None
    ) -> Codes:
        what = f"Column {name!r}, given as {option},"
        own = part.used(labels.codes(self.rows.labels(part, name), what))
        return self._known(own, option, times)

    def _known(self, own: Codes, option: str, times: Codes | None) -> Codes:
        """Count respondents without a label."""
        lost = own < 0
        missing = int(lost.sum() if times is None else times[lost].sum())
        if missing:
            self.lost[option] = self.lost.get(option, 0) + missing
        return own

    def require_known(self) -> None:
        """Refuse rows without a stratum or cluster, and labels that are met later."""
        survey = self.rows.template
        for option, name in (("strata", survey.strata), ("cluster", survey.cluster)):
            if name is not None and option in self.lost:
                raise design.missing_labels(name, option, self.lost[option])
        source = self.rows.source.name
        self.strata.closed = self.clusters.closed = source
        self.units.close(source)

    @property
    def design(self) -> SurveyDesign:
        """The design; no rows belong to its units."""
        survey = self.rows.template
        nobody = np.zeros(0, dtype=np.intp)
        if not self.rows.clustered:
            return CountedDesign(nobody, nobody, None, survey.lonely, counts=self.counts)
        stratum = np.array([own[0] for own in self.units.places], dtype=np.intp)
        return SurveyDesign(nobody, stratum, None, survey.lonely, "cluster")

    @property
    def order(self) -> Codes:
        """Units in the order of their labels, as `strata_and_clusters` has them, (units,)."""
        places = np.array(list(self.units.places), dtype=np.intp).reshape(-1, 2)
        label = places[:, 1]
        if self.rows.buckets is None:
            label = _ranks(self.clusters)[label]
        return np.lexsort([self.stratum_ranks[places[:, 0]], label])

    @property
    def stratum_ranks(self) -> Codes:
        """Place of each stratum in the order of labels, (strata,)."""
        return _ranks(self.strata) if len(self.strata) else np.zeros(1, dtype=np.intp)

    def findings(self) -> Iterator[Finding]:
        """Yield the finding that counts labels of clusters in several strata."""
        survey = self.rows.template
        if survey.strata is None or survey.cluster is None or self.rows.buckets is not None:
            return
        of_label = np.bincount([own[1] for own in self.units.places])
        yield from design.shared_labels(int((of_label > 1).sum()), survey.strata, survey.cluster)


def _ranks(labels: Labels) -> Codes:
    """Return the place of each label in their order, (labels,)."""
    own = pd.Series(list(labels.places), dtype=object).infer_objects()
    return np.asarray(pd.factorize(own, sort=True)[0], dtype=np.intp)


def design_of_members(units: Units, members: Codes) -> SurveyDesign:
    """Return the design of the strata, units and rows, (any, 3), met in a part of a scan.

    As in `Answers.part`: of respondents drawn one by one a sample of its own, else a domain.
    """
    whole = units.design
    if isinstance(whole, CountedDesign):
        counts = np.bincount(members[:, 0], members[:, 2], whole.strata).astype(np.intp)
        if whole.strata == 1:
            return replace(whole, counts=counts)
        return replace(whole, members=counts)
    return DomainDesign.within(replace(whole, unit=np.arange(whole.units))).part(members[:, 1])
