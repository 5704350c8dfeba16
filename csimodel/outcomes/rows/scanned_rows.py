"""The respondents of a regression from a pass over a scan, those that are alike as one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from csimodel.errors import ModelError, OptionError, SurveyError, suggest
from csimodel.estimators import Fit
from csimodel.estimators.groups import named_columns
from csimodel.estimators.points import point_weights, scale_of
from csimodel.findings import listed
from csimodel.index.draws import side_by_side
from csimodel.moments.scanned import RowsOfUnits, ScannedAnswers
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.rows.alike import AlikeSample
from csimodel.outcomes.rows.arguments import Column, Controls, Index, by_name, named, names_in
from csimodel.outcomes.rows.columns import Ends, about_codes
from csimodel.outcomes.rows.outcome import OutcomeValues, outcome_of
from csimodel.outcomes.rows.rows import Rows
from csimodel.outcomes.rows.sample import left_out, require_apart, require_enough, require_sound
from csimodel.survey.group_rows import distinct_rows
from csimodel.survey.labelled import require_no_labelled_codes
from csimodel.survey.scanning.pair_sums import PairSums

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_MOST = 1_000_000  # rows that differ, in memory
_SAMPLE = "fit a sample of stated size, such as scan.sample(100_000, rng=1)"


def scanned_sample(
    fit: Fit,
    outcome: Column | None,
    index: Index,
    controls: Controls,
    family: Family,
    scale: Ends | None,
    progress: bool,
) -> AlikeSample:
    """Pass over the rows of a fit's scan, and keep what a regression needs of them.

    Raises
    ------
    OptionError
        For columns that are given as values, and when too many respondents differ.
    SurveyError, EstimationError
        As `Rows.outcome` and `sample_of`.
    """
    scanned = fit.scanned
    assert scanned is not None
    if scanned.group is not None:
        raise SurveyError(
            "A regression of one group of a scan is not to be had from it; scan the files of the "
            f"group alone, or {_SAMPLE}."
        )
    if family.further:
        raise OptionError(
            f"family={family.name!r} looks at respondents one by one, and this fit was made from a "
            f"scan; use 'fractional-logit', 'logit', 'probit', 'cloglog' or 'ols', or {_SAMPLE}."
        )
    names = _indexes(fit, index)
    wanted = [_name(outcome, "outcome"), *_controls(controls)]
    template = scanned.scan.template
    columns = [
        named_columns(template, [name], option, what)[0]
        for name, option, what in zip(
            wanted,
            ["outcome", *["controls"] * (len(wanted) - 1)],
            ["Outcome", *["Control"] * (len(wanted) - 1)],
            strict=True,
        )
    ]
    slices = [fit.model.slices[fit.model.construct_names.index(name)] for name in names]
    items = np.concatenate([np.arange(own.start, own.stop) for own in slices])
    table = _Alike(scanned, items, tuple(columns))
    for part in scanned.passes(columns, progress):
        table.add(part)
    return _sample(fit, table, names, slices, family, scale)


def refuse_of_scan(**options: object) -> None:
    """Refuse options of a regression that need the respondents in memory.

    Raises
    ------
    OptionError
        Naming the first that is given.
    """
    for name, value in options.items():
        if value is not None:
            raise OptionError(
                f"{name}= needs the respondents in memory, and this fit was made from a scan; "
                f"leave it out, or {_SAMPLE}."
            )


def _name(column: object, option: str) -> str:
    if not isinstance(column, str):
        raise _of_values(option)
    return column


def _of_values(option: str) -> OptionError:
    return OptionError(
        f"{option}= is given as values, and this fit was made from a scan, whose rows stay where "
        f"they are; name a column of it, or {_SAMPLE}."
    )


def _controls(controls: Controls) -> list[str]:
    return [_name(column, "controls") for column in by_name(controls).values()]


def _indexes(fit: Fit, index: Index) -> list[str]:
    """Return the constructs whose indexes explain the outcome."""
    known = list(fit.model.construct_names)
    if not named(index):
        raise _of_values("index")
    names = names_in(index)
    if not names or len(set(names)) < len(names):
        raise OptionError(
            f"index={index!r} must name one construct, or several different ones; use "
            f"{listed(map(repr, known), 12)}."
        )
    for name in names:
        if name not in known:
            raise ModelError(
                f"index={name!r} is not a construct of the model{suggest(name, known)}; use "
                f"index= with one of {', '.join(map(repr, known))}."
            )
    return names


@dataclass
class _Alike:
    """Rows that differ, met so far: answers to items, outcome, controls, and a stratum.

    Attributes
    ----------
    scanned
        What is passed over.
    items
        Places of the items among the answers.
    columns
        The outcome and the controls.
    """

    scanned: ScannedAnswers
    items: Codes
    columns: tuple[str, ...]
    places: dict[bytes, int] = field(default_factory=dict)
    room: Floats = field(init=False)
    sums: Floats = field(default_factory=lambda: np.zeros((3, 0)))
    pairs: PairSums = field(init=False)
    total: int = 0
    dropped: int = 0
    gaps: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.room = np.zeros((0, len(self.items) + len(self.columns) + 1))
        self.pairs = PairSums(1 if self.scanned.nobody.weights is None else 3)

    def add(self, part: RowsOfUnits) -> None:
        """Add the rows of a batch."""
        read, batch = self.scanned.rows, part.used.batch
        places = part.used.places[part.places]
        given = [read.numbers(batch, name)[places] for name in self.columns]
        stratum = np.zeros(len(places)) if self.clustered else part.stratum.astype(np.float64)
        key: Floats = np.column_stack([part.values[:, self.items], *given, stratum])
        known = ~np.isnan(key).any(axis=1)
        self.total += len(key)
        if not known.all():
            self.dropped += int((~known).sum())
            for name, values in zip(self.columns, given, strict=True):
                count = int(np.isnan(values).sum())
                if count:
                    self.gaps[name] = self.gaps.get(name, 0) + count
            key = key[known]
        weights = np.ones(len(key)) if part.weights is None else part.weights[known]
        local, first = distinct_rows(key)
        place = self._places(key[first])
        powers = [np.ones(len(key)), weights, weights**2]
        for own, power in zip(self.sums, powers, strict=True):
            own[place] += np.bincount(local, power, len(place))
        if part.unit is not None:
            self.pairs.add(part.unit[known], place[local], powers[: self.pairs.width])

    def _places(self, rows: Floats) -> Codes:
        """Return the places of rows that differ among those met so far, which are kept."""
        before = len(self.places)
        every = [self.places.setdefault(own.tobytes(), len(self.places)) for own in rows]
        places = np.array(every, dtype=np.intp)
        size = len(self.places)
        if size > len(self.room):
            more = max(size, 2 * len(self.room)) - len(self.room)
            self.room = np.pad(self.room, ((0, more), (0, 0)))
            self.sums = np.pad(self.sums, ((0, 0), (0, more)))
        fresh = places >= before
        self.room[places[fresh]] = rows[fresh]
        if size > _MOST:
            raise OptionError(
                f"More than {_MOST:,} respondents differ in the answers behind the index, the "
                "outcome or the controls, and a regression from a scan holds one of each kind; "
                f"take fewer or coarser controls (years in tens), or {_SAMPLE}."
            )
        return places

    @property
    def clustered(self) -> bool:
        """Whether clusters were drawn."""
        return self.scanned.rows.clustered

    @property
    def table(self) -> Floats:
        """Answers, outcome, controls and stratum of each row, (rows, any)."""
        return self.room[: len(self.places)]

    def members(self, scale: float) -> tuple[tuple[csr_array, ...], Codes]:
        """Return sums over members of each cluster in each row, and the clusters' numbers.

        As in `AlikeMembers`; weights times `scale`.
        """
        if not self.clustered:
            return (), np.zeros(0, dtype=np.intp)
        members, units = self.pairs.matrices(len(self.places))
        for power, own in enumerate(members):
            own.data *= scale**power
        return members, units


def _sample(
    fit: Fit,
    alike: _Alike,
    names: Sequence[str],
    slices: Sequence[slice],
    family: Family,
    scale: Ends | None,
) -> AlikeSample:
    """Return the sample of rows that differ."""
    scanned, label, controls = alike.scanned, alike.columns[0], alike.columns[1:]
    require_apart(names, controls)
    lacking = [name for name in alike.columns if alike.gaps.get(name, 0) == alike.total]
    if lacking:
        what = "Outcome" if lacking[0] == label else "Control"
        raise SurveyError(
            f"{what} {lacking[0]!r} is missing for all {alike.total} respondents; choose another "
            "column."
        )
    counts, weight, squares = alike.sums[:, : len(alike.places)]
    n = int(counts.sum())
    require_enough(n, (*names, *controls), label)
    table, width = alike.table, len(alike.items)
    factor = n / weight.sum()
    points, further = _points(fit, alike), table[:, width + 1 : -1]
    for name, column in zip(controls, further.T, strict=True):
        _require_finite(column, counts, "Control", name)
        levels, place = np.unique(column, return_inverse=True)
        about_codes(levels, np.bincount(place, counts).astype(np.intp), name)
    shares = _outcome(fit, table[:, width], counts, label, family, scale)
    own = point_weights(fit.solution)[alike.items]
    indexes = [points[:, block] @ own[block] for block in side_by_side(slices)]
    template = scanned.rows.template
    members, units = alike.members(factor)
    strata = None if template.strata is None else table[:, -1]
    sample = AlikeSample(
        outcome=shares.values,
        regressors=np.column_stack([*indexes, further]),
        names=(*names, *controls),
        indexes=tuple(names),
        label=shares.label,
        rows=np.arange(len(table)),
        weights=weight * factor,
        cluster=np.arange(len(units)) if alike.clustered else None,
        findings=left_out(alike.dropped, alike.total, alike.gaps),
        strata=None if strata is None else np.unique(strata, return_inverse=True)[1],
        lonely=template.lonely,
        counts=counts,
        squares=squares * factor**2,
        surveyed=template.weights is not None,
        members=members,
        unit_strata=np.unique(scanned.design.stratum[units], return_inverse=True)[1],
        unit_codes=units,
        points_of_items=points,
    )
    require_sound(sample)
    return sample


def _points(fit: Fit, alike: _Alike) -> Floats:
    """Return the points of the items of the indexes, (rows, items)."""
    minimum, width = scale_of(fit.moments)
    items = alike.items
    return np.asarray((alike.table[:, : len(items)] - minimum[items]) / width[items] * 100.0)


def _outcome(
    fit: Fit, values: Floats, counts: Floats, label: str, family: Family, scale: Ends | None
) -> OutcomeValues:
    """Return the outcome of rows, as `Rows.outcome`."""
    assert fit.scanned is not None
    template = fit.scanned.scan.template
    _require_finite(values, counts, "Outcome", label)
    if scale is None:
        require_no_labelled_codes(values, label, template.value_labels.get(label, {}))
        rows = Rows(template.data, np.zeros(0, dtype=np.intp), fit, template)
        scale = rows.scale(label, label, values)
    try:
        return outcome_of(values, label, family, scale, None)
    except SurveyError:  # whose sentence counts respondents
        outcome_of(np.repeat(values, counts.astype(np.intp)), label, family, scale, None)
        raise


def _require_finite(values: Floats, counts: Floats, what: str, name: str) -> None:
    endless = np.isinf(values)
    if endless.any():
        raise SurveyError(
            f"{what} {name!r} holds {int(counts[endless].sum())} infinite values; make such cells "
            "empty or mend them."
        )
