"""Who is at risk when an event happens: sums over risk sets for many draws at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class RiskSets:
    """The event times of each stratum, as slots, and where each respondent stands among them.

    Respondents are put in risk order: by the last slot at which they are at risk; those who never
    are come last. All positions below are in that order. A respondent is at risk at the event
    times t with entry < t ≤ duration.

    Attributes
    ----------
    order
        Positions of the respondents as given, in risk order, (rows,).
    counted
        How many of them are ever at risk at an event.
    starts
        Where each slot begins among those, (slots,).
    time, stratum
        Of each slot, (slots,); slots are sorted by stratum, then time.
    events
        Positions of the events, sorted by slot, (events,).
    event_slot, event_rank
        Slot of each event, and its number 0, 1, … within it, (events,).
    first, last
        First slot after which, and last slot at which, each respondent is at risk, (rows,):
        entry and exit, -1 for before all slots.
    row_stratum
        Stratum of each respondent, (rows,).
    """

    order: Codes
    counted: int
    starts: Codes
    time: Floats
    stratum: Codes
    events: Codes
    event_slot: Codes
    event_rank: Codes
    first: Codes
    last: Codes
    row_stratum: Codes

    @classmethod
    def of(
        cls,
        duration: Floats,
        event: Floats,
        entry: Floats | None = None,
        stratum: Codes | None = None,
    ) -> RiskSets:
        """Sort respondents and find the event times of each stratum.

        Parameters
        ----------
        duration, event
            Time under observation and whether it ended with the event (1) or not (0), (rows,).
        entry
            Time at which observation began, (rows,); from the beginning without it.
        stratum
            Codes 0, 1, …, (rows,).

        Examples
        --------
        >>> risk = RiskSets.of(np.array([3.0, 1, 2, 2]), np.array([0.0, 1, 1, 1]))
        >>> risk.time, risk.at_risk(np.ones((1, 4)))
        (array([1., 2.]), array([[4., 3.]]))
        """
        place = np.zeros(len(duration), dtype=np.intp) if stratum is None else stratum
        happened = event > 0
        slots = np.unique(np.column_stack([place[happened], duration[happened]]), axis=0)
        slot_stratum, time = slots[:, 0].astype(np.intp), slots[:, 1]
        last = _slot(slot_stratum, time, place, duration)
        first = np.full(len(duration), -1, dtype=np.intp)
        if entry is not None:
            first = _slot(slot_stratum, time, place, entry)
        ever = (last >= 0) & (last > first)
        key = np.where(ever, last, len(time))
        order = np.argsort(key, kind="stable")
        counted = int(ever.sum())
        events = np.flatnonzero(happened[order] & ever[order])
        event_slot = last[order][events]
        event_starts = np.searchsorted(event_slot, np.arange(len(time)))
        return cls(
            order=order,
            counted=counted,
            starts=np.searchsorted(last[order][:counted], np.arange(len(time))),
            time=time,
            stratum=slot_stratum,
            events=events,
            event_slot=event_slot,
            event_rank=np.arange(len(events)) - event_starts[event_slot],
            first=first[order],
            last=np.where(ever, last, -1)[order],
            row_stratum=place[order],
        )

    @cached_property
    def event_starts(self) -> Codes:
        """Where each slot's events begin among the events, (slots,)."""
        return np.flatnonzero(self.event_rank == 0)

    @cached_property
    def begin(self) -> Codes:
        """First slot of each stratum, (strata,)."""
        strata = int(self.row_stratum.max()) + 1
        return np.searchsorted(self.stratum, np.arange(strata))

    @cached_property
    def before(self) -> Codes:
        """Last slot before each respondent is at risk, in risk order, (rows,)."""
        return np.maximum(self.first, self.begin[self.row_stratum] - 1)

    def as_given(self, values: Floats) -> Floats:
        """Return rows in risk order as they were given."""
        ordered = np.empty_like(values)
        ordered[self.order] = values
        return ordered

    @property
    def tied(self) -> bool:
        """Whether some events happen at the same time."""
        return len(self.events) > len(self.time)

    def at_risk(self, values: Floats) -> Floats:
        """Sum values over everybody at risk at each slot, (draws, counted) to (draws, slots)."""
        net = np.add.reduceat(values[:, : self.counted], self.starts, axis=1)
        late, late_starts, late_slots = self._late
        if len(late):
            net[:, late_slots] -= np.add.reduceat(values[:, late], late_starts, axis=1)
        sums = np.cumsum(net[:, ::-1], axis=1)[:, ::-1]
        if self.stratum[0] != self.stratum[-1]:
            after = np.searchsorted(self.stratum, self.stratum, side="right")
            sums = sums - np.pad(sums, ((0, 0), (0, 1)))[:, after]
        return np.asarray(sums)

    def at_events(self, values: Floats) -> Floats:
        """Sum values over the events of each slot, (draws, rows) to (draws, slots)."""
        taken = values[:, self.events]
        return np.asarray(np.add.reduceat(taken, self.event_starts, axis=1)) if self.tied else taken

    def slots_at(self, times: Floats) -> Codes:
        """Return the last slot of each stratum up to each time, (strata, times); -1 for none."""
        strata = int(self.row_stratum.max()) + 1
        place = np.repeat(np.arange(strata), len(times))
        slots = _slot(self.stratum, self.time, place, np.tile(times, strata))
        return slots.reshape(strata, len(times))

    @cached_property
    def _late(self) -> tuple[Codes, Codes, Codes]:
        """Respondents who enter after a slot, sorted by it, where each slot begins, the slots."""
        late = np.flatnonzero(self.first[: self.counted] >= 0)
        late = late[np.argsort(self.first[late], kind="stable")]
        slots, starts = np.unique(self.first[late], return_index=True)
        return late, starts, slots


def _slot(slot_stratum: Codes, slot_time: Floats, place: Codes, time: Floats) -> Codes:
    """Return the last slot of the own stratum at or before a time; -1 where there is none."""
    if not len(slot_time):
        return np.full(len(time), -1, dtype=np.intp)
    times = np.unique(np.concatenate([slot_time, time]))
    width = len(times) + 1
    keys = slot_stratum * width + np.searchsorted(times, slot_time)
    own = place * width + np.searchsorted(times, time)
    slot = np.searchsorted(keys, own, side="right") - 1
    inside = (slot >= 0) & (slot_stratum[np.maximum(slot, 0)] == place)
    return np.where(inside, slot, -1)
