"""What a pass over rows counted: codes, answers outside scales, weights, rows dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.survey import checks, codes, design
from csimodel.survey.labelled import require_no_labelled_codes
from csimodel.survey.missing import Missing, MissingCounts

Floats = NDArray[np.float64]

LEVELS = 10_000
"""Different answers of an item without a scale that are counted."""
_SCANNED = (
    "missing='listwise' or 'construct-minimum' in csi.scan, or read a sample of stated size, such "
    "as scan.sample(100_000, rng=1)"
)
_SMALL = 1024  # whole answers below are counted by place


@dataclass
class Tally:
    """Counts of one pass; `add` them as blocks go by, and `findings` at the end.

    Attributes
    ----------
    items
        Names of the items.
    minimum, maximum
        Scale bounds, (items,); NaN where unknown.
    weights
        Name of the column of weights, or None.
    losses
        Rows dropped and cells missing.
    guessed
        Items whose missing codes were given for all columns, so that nothing says they are theirs.
    """

    items: tuple[str, ...]
    minimum: Floats
    maximum: Floats
    weights: str | None
    losses: MissingCounts
    guessed: frozenset[str] = frozenset()
    labels: Mapping[str, Mapping[float | str, str]] = field(default_factory=dict)
    rows: int = 0
    with_weight: int = 0
    coded: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Counter[float]] = field(default_factory=dict)
    text: dict[str, None] = field(default_factory=dict)
    negative: tuple[int, float, int] = (0, 0.0, 0)
    endless: tuple[int, int] = (0, 0)
    infinite: dict[str, tuple[int, int]] = field(default_factory=dict)
    outside: dict[str, Counter[float]] = field(default_factory=dict)
    levels: dict[str, Counter[float]] = field(default_factory=dict)
    low: Floats = field(default_factory=lambda: np.empty(0))
    high: Floats = field(default_factory=lambda: np.empty(0))
    used_low: Floats = field(default_factory=lambda: np.empty(0))
    used_high: Floats = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        size = len(self.items)
        self.low, self.high, self.used_low, self.used_high = np.full((4, size), np.nan)

    def count_codes(self, item: str, values: Floats, hit: NDArray[np.bool_]) -> None:
        """Count cells that hold a missing code."""
        self.coded[item] += int(hit.sum())
        self.codes.setdefault(item, Counter()).update(values[hit].tolist())

    def count_weights(self, weights: Floats, start: int) -> NDArray[np.bool_]:
        """Count weights that are no weights, and return which rows have one, (rows,)."""
        wrong = np.flatnonzero(weights < 0)
        if len(wrong):
            count, value, row = self.negative
            first = (float(weights[wrong[0]]), start + int(wrong[0]))
            self.negative = (count + len(wrong), *((value, row) if count else first))
        wrong = np.flatnonzero(np.isinf(weights))
        if len(wrong):
            count, row = self.endless
            self.endless = count + len(wrong), row if count else start + int(wrong[0])
        kept: NDArray[np.bool_] = weights > 0
        return kept

    def count_answers(
        self, values: Floats, low: Floats, high: Floats, rows: NDArray[np.intp]
    ) -> None:
        """Count infinite answers and those outside a scale, and keep the extremes.

        Parameters
        ----------
        values
            (rows, items)
        low, high
            Their extremes, (items,).
        rows
            Places of the rows in the scan.
        """
        np.fmin(self.low, low, out=self.low)
        np.fmax(self.high, high, out=self.high)
        for place in np.flatnonzero(np.isinf(low) | np.isinf(high)).tolist():
            wrong = np.flatnonzero(np.isinf(values[:, place]))
            count, first = self.infinite.get(self.items[place], (0, int(rows[wrong[0]])))
            self.infinite[self.items[place]] = count + len(wrong), first
        self.count_outside(values, (low < self.minimum) | (high > self.maximum))
        labelled = np.array([name in self.labels for name in self.items], dtype=np.bool_)
        for place in np.flatnonzero(np.isnan(self.minimum) | labelled).tolist():
            own = self.levels.setdefault(self.items[place], Counter())
            if len(own) <= LEVELS:
                own.update(_times(values[:, place]))

    def count_outside(self, values: Floats, wrong: NDArray[np.bool_]) -> None:
        """Count answers outside a scale, of the items marked, (items,)."""
        for place in np.flatnonzero(wrong).tolist():
            own = values[:, place]
            outside = own[(own < self.minimum[place]) | (own > self.maximum[place])]
            if len(outside):
                self.outside.setdefault(self.items[place], Counter()).update(outside.tolist())

    def count_used(self, low: Floats, high: Floats) -> None:
        """Keep the extremes of the rows that are used."""
        np.fmin(self.used_low, low, out=self.used_low)
        np.fmax(self.used_high, high, out=self.used_high)

    def merge(self, other: Tally) -> None:
        """Add what was counted elsewhere; rows that are named are as they were counted there."""
        self.rows += other.rows
        self.with_weight += other.with_weight
        self.coded.update(other.coded)
        for here, there in (
            (self.codes, other.codes),
            (self.outside, other.outside),
            (self.levels, other.levels),
        ):
            for item, counts in there.items():
                here.setdefault(item, Counter()).update(counts)
        self.text.update(other.text)
        for item, (count, row) in other.infinite.items():
            own, first = self.infinite.get(item, (0, row))
            self.infinite[item] = own + count, first
        count, value, row = self.negative if self.negative[0] else (0, *other.negative[1:])
        self.negative = count + other.negative[0], value, row
        count, row = self.endless if self.endless[0] else (0, other.endless[1])
        self.endless = count + other.endless[0], row
        self.losses += other.losses
        np.fmin(self.low, other.low, out=self.low)
        np.fmax(self.high, other.high, out=self.high)
        self.count_used(other.used_low, other.used_high)

    @property
    def broken(self) -> bool:
        """Whether something was met that is refused at the end, so that only counts go on."""
        return bool(self.negative[0] or self.endless[0] or self.infinite or self.outside)

    @property
    def used(self) -> int:
        """Rows that are used."""
        return self.losses.rows - self.losses.dropped

    def require_sound(self) -> None:
        """Refuse what reading into memory refuses, in the same words.

        Raises
        ------
        SurveyError
            For negative and infinite weights, or none above 0, items that nobody answered,
            infinite answers and those outside a scale.
        """
        if self.weights is not None:
            count, value, row = self.negative
            if count:
                raise design.negative_weights(self.weights, count, value, row)
            if self.endless[0]:
                raise design.infinite_weights(self.weights, *self.endless)
            if self.rows and not self.with_weight:
                raise design.no_weights(self.weights, self.rows)
        kept = np.empty((self.with_weight, 0))
        checks.require_answers(kept, self.items, self.low, self.high)
        for name in self.items:
            if name in self.infinite:
                raise checks.infinite_answers(name, *self.infinite[name])
        for place, name in enumerate(self.items):
            if name in self.outside:
                bounds = float(self.minimum[place]), float(self.maximum[place])
                more = self.codes.get(name, Counter()) if name in self.guessed else Counter()
                raise checks.answers_outside(name, *bounds, self.outside[name] + more)
        for name, levels, times in self._counted(self.labels):
            require_no_labelled_codes(np.repeat(levels, times), name, self.labels[name])
        low = np.where(np.isnan(self.minimum), self.low, self.minimum)
        high = np.where(np.isnan(self.maximum), self.high, self.maximum)
        codes.require_apart(
            {
                name: (sorted(self.codes[name]), float(low[place]), float(high[place]))
                for place, name in enumerate(self.items)
                if name in self.guessed and name in self.codes
            }
        )

    def findings(self, policy: Missing, constructs: Sequence[str]) -> tuple[Finding, ...]:
        """Return what changed on the way to the rows used, counted; refuse what is left unusable.

        Raises
        ------
        SurveyError
            When cells are missing and the policy allows none, or items do not vary.
        """
        told = (*checks.text_numbers(list(self.text)),)
        if self.weights is not None:
            dropped = self.rows - self.with_weight
            told = (*told, *design.without_weight(self.weights, dropped, self.rows))
        unknown = [n for n, low in zip(self.items, self.minimum, strict=True) if np.isnan(low)]
        levels = {name: (own, times) for name, own, times in self._counted(unknown)}
        told = (*told, *codes.suspected_levels(levels))
        if policy == "error" and self.losses.cells.any():
            raise SurveyError(self.losses.refusal(self.items, _SCANNED))
        told = (*told, *self.losses.findings(policy, self.items, constructs))
        if policy in ("pairwise", "mean") and self.losses.cells.any():
            raise SurveyError(
                f"A scan adds up complete answers, and {int(self.losses.cells.sum()):,} cells are "
                f"missing (missing={policy!r}); choose missing='listwise' or 'construct-minimum', "
                "or read a sample of stated size, such as scan.sample(100_000, rng=1)."
            )
        used = np.empty((self.used, 0))
        checks.require_answers(used, self.items, self.used_low, self.used_high)
        checks.require_variation(self.used, self.items, self.used_low, self.used_high)
        return told

    def reading(self) -> tuple[Finding, ...]:
        """Return the finding that counts cells with missing codes."""
        return codes.coded_cells(
            {name: self.coded[name] for name in self.items if self.coded[name]}
        )

    def _counted(self, names: Iterable[str]) -> Iterator[tuple[str, Floats, NDArray[np.intp]]]:
        """Yield levels of items and how often each was given, where they are few enough."""
        for name in names:
            own = self.levels.get(name, Counter())
            if own and len(own) <= LEVELS:
                levels = np.array(sorted(own))
                yield name, levels, np.array([own[level] for level in levels.tolist()])


def _times(column: Floats) -> dict[float, int]:
    """Return how often each answer was given; small whole ones are counted without a sort."""
    seen = column[np.isfinite(column)]
    if len(seen) == len(column) and len(seen) and seen.min() >= 0 and seen.max() < _SMALL:
        whole = seen.astype(np.intp)
        if (whole == seen).all():
            times = np.bincount(whole)
            return {float(level): int(times[level]) for level in np.flatnonzero(times).tolist()}
    levels, counts = codes.levels_of(column)
    return dict(zip(levels.tolist(), counts.tolist(), strict=True))
