"""What to do with missing answers: an explicit policy, always counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from csimodel.errors import OptionError, SurveyError, choose
from csimodel.findings import Finding, listed
from csimodel.survey.checks import plural

POLICIES = ("error", "listwise", "pairwise", "mean", "construct-minimum")


@dataclass(frozen=True)
class ConstructMinimum:
    """Keep respondents with enough answers in every construct, and fill their missing cells.

    A missing cell becomes the respondent's mean of the answered items of the same construct,
    taken on the 0–1 scale (x − min)/(max − min) when the bounds of all its items are known,
    on the raw scale otherwise. Respondents with too few answers in any construct are dropped.
    Rows dropped and cells filled are counted in the findings.

    Parameters
    ----------
    answered
        Answers needed in every construct; a construct with fewer items needs all of them.
        None asks for at least half of each construct's items.

    References
    ----------
    Person-mean substitution: Huisman (2000), Quality & Quantity 34:331–351,
    doi 10.1023/A:1004782230065.

    Examples
    --------
    >>> import pandas as pd
    >>> from csimodel.survey import read_survey
    >>> frame = pd.DataFrame({"q1": [3, 7, 9, None], "q2": [4, None, 8, None]})
    >>> survey = read_survey(frame, scale=(1, 10), missing=ConstructMinimum(answered=1))
    >>> survey.answers({"Quality": ["q1", "q2"]}).values
    array([[3., 4.],
           [7., 7.],
           [9., 8.]])
    """

    answered: int | None = None

    def __post_init__(self) -> None:
        if self.answered is not None and (
            isinstance(self.answered, bool)
            or not isinstance(self.answered, int)
            or self.answered < 1
        ):
            raise OptionError(
                f"answered={self.answered!r} is not allowed in ConstructMinimum; "
                "give a whole number of at least 1, or None for half of each construct's items."
            )

    def needed(self, items: int) -> int:
        """Return how many answers a construct with `items` items needs.

        >>> ConstructMinimum().needed(5), ConstructMinimum(answered=4).needed(3)
        (3, 3)
        """
        return (items + 1) // 2 if self.answered is None else min(self.answered, items)


Missing = str | ConstructMinimum
_READ = "missing='listwise', 'pairwise', 'mean' or 'construct-minimum' in read_survey"


@dataclass(frozen=True, eq=False)
class MissingCounts:
    """What missing cells cost: counts that add up over blocks of rows.

    Attributes
    ----------
    rows, dropped
        Rows there were, and rows left out.
    cells
        Missing cells of each item that the policy counts, (items,): all of them under
        ``"listwise"`` and ``"error"``, else those of the rows kept.
    short
        Marks the constructs in which too few items were answered somewhere, (constructs,).
    """

    rows: int
    dropped: int
    cells: np.ndarray
    short: np.ndarray

    @classmethod
    def none(cls, rows: int, items: int, constructs: int) -> MissingCounts:
        """Return the losses of complete rows."""
        cells, short = np.zeros(items, dtype=np.intp), np.zeros(constructs, dtype=bool)
        return cls(rows, 0, cells, short)

    def __add__(self, other: MissingCounts) -> MissingCounts:
        """Return the losses of both blocks of rows."""
        return MissingCounts(
            self.rows + other.rows,
            self.dropped + other.dropped,
            self.cells + other.cells,
            self.short | other.short,
        )

    def findings(
        self, policy: Missing, items: Sequence[str], constructs: Sequence[str]
    ) -> tuple[Finding, ...]:
        """Return the findings that count rows dropped and cells missing or filled.

        Raises
        ------
        SurveyError
            Under ``"error"``, naming the columns with missing cells and the other policies.
        """
        if policy == "error":
            if self.cells.any():
                raise SurveyError(self.refusal(items, _READ))
            return ()
        if policy == "listwise":
            return self._listwise(items)
        if policy in ("pairwise", "mean"):
            return (*self._silent(), *self._kept(str(policy), items))
        return (*self._few(constructs), *self._filled(items))

    def _per_column(self, items: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the items with missing cells, and each of them with its count."""
        counts = {item: int(n) for item, n in zip(items, self.cells, strict=True) if n}
        return tuple(counts), tuple(f"{item} ({count})" for item, count in counts.items())

    def refusal(self, items: Sequence[str], ways: str) -> str:
        """Return what is said of missing cells where none may be; `ways` says what to choose."""
        cells = int(self.cells.sum())
        _, detail = self._per_column(items)
        verb = "is" if cells == 1 else "are"
        return (
            f"{cells} {plural(cells, 'cell')} {verb} missing, in {listed(detail)}, and "
            f"missing='error' allows none; choose {ways}."
        )

    def _listwise(self, items: Sequence[str]) -> tuple[Finding, ...]:
        if not self.cells.any():
            return ()
        names, detail = self._per_column(items)
        template = (
            "{dropped} of {rows} rows {dropped:was|were} dropped because an item is missing "
            "(missing='listwise'): {items}."
        )
        told = {"dropped": self.dropped, "rows": self.rows, "items": detail}
        return (Finding("rows-dropped", template, names, "note", self.dropped, told),)

    def _silent(self) -> tuple[Finding, ...]:
        if not self.dropped:
            return ()
        template = (
            "{dropped} of {rows} rows {dropped:was|were} dropped because {dropped:it "
            "answers|they answer} no item."
        )
        told = {"dropped": self.dropped, "rows": self.rows}
        return (Finding("rows-dropped", template, (), "note", self.dropped, told),)

    def _kept(self, policy: str, items: Sequence[str]) -> tuple[Finding, ...]:
        cells = int(self.cells.sum())
        if not cells:
            return ()
        names, detail = self._per_column(items)
        code = "cells-filled" if policy == "mean" else "cells-missing"
        values_of = {"cells": cells, "items": detail}
        return (Finding(code, _KEPT[policy, cells == 1], names, "note", cells, values_of),)

    def _few(self, constructs: Sequence[str]) -> tuple[Finding, ...]:
        if not self.dropped:
            return ()
        short = tuple(name for name, few in zip(constructs, self.short, strict=True) if few)
        template = (
            "{dropped} of {rows} rows {dropped:was|were} dropped because too few items were "
            "answered in {constructs} (missing='construct-minimum')."
        )
        told = {"dropped": self.dropped, "rows": self.rows, "constructs": short}
        return (Finding("rows-dropped", template, short, "note", self.dropped, told),)

    def _filled(self, items: Sequence[str]) -> tuple[Finding, ...]:
        cells = int(self.cells.sum())
        if not cells:
            return ()
        names, detail = self._per_column(items)
        template = (
            "{cells} missing cell became the respondent's mean of the construct's answered items "
            "(missing='construct-minimum'): {items}."
            if cells == 1
            else "{cells} missing cells became the respondent's mean of the construct's answered "
            "items (missing='construct-minimum'): {items}."
        )
        values_of = {"cells": cells, "items": detail}
        return (Finding("cells-filled", template, names, "note", cells, values_of),)


@dataclass(frozen=True, eq=False)
class Treated:
    """Values after a policy: kept row positions (None for all), state, and what it cost."""

    values: np.ndarray
    kept: np.ndarray | None
    state: str
    losses: MissingCounts


def require_policy(policy: object) -> Missing:
    """Return `policy` when it is one, else raise an `OptionError` that lists them.

    >>> require_policy("listwise")
    'listwise'
    """
    if isinstance(policy, ConstructMinimum):
        return policy
    return choose("missing", policy, POLICIES)


def apply(
    policy: Missing,
    values: np.ndarray,
    blocks: Mapping[str, Sequence[str]],
    items: Sequence[str],
    minimum: np.ndarray,
    maximum: np.ndarray,
) -> Treated:
    """Apply a policy to answers (rows, items) of which some are NaN; count what it touches.

    Under ``"error"`` incomplete rows are left out, and `MissingCounts.findings` refuses them.
    """
    lost = np.isnan(values)
    if policy in ("listwise", "error"):
        kept = np.flatnonzero(~lost.any(axis=1))
        losses = MissingCounts.none(len(values), len(items), len(blocks))
        losses = replace(losses, dropped=len(values) - len(kept), cells=lost.sum(axis=0))
        return Treated(values[kept], kept, "complete", losses)
    if policy in ("pairwise", "mean"):
        return _keep_cells(str(policy), values, lost, len(blocks))
    rule = policy if isinstance(policy, ConstructMinimum) else ConstructMinimum()
    return _construct_minimum(rule, values, lost, blocks, items, minimum, maximum)


def _keep_cells(policy: str, values: np.ndarray, lost: np.ndarray, constructs: int) -> Treated:
    rows, kept = len(values), None
    silent = lost.all(axis=1)
    if silent.any():
        kept = np.flatnonzero(~silent)
        values, lost = values[kept], lost[kept]
    losses = MissingCounts.none(rows, lost.shape[1], constructs)
    losses = replace(losses, dropped=int(silent.sum()), cells=lost.sum(axis=0))
    return Treated(values, kept, policy if losses.cells.any() else "complete", losses)


_KEPT = {
    ("mean", True): "{cells} missing cell counts as the column's mean (missing='mean'): {items}.",
    ("mean", False): (
        "{cells} missing cells count as the column's mean (missing='mean'): {items}."
    ),
    ("pairwise", True): (
        "{cells} missing cell is left out pair by pair (missing='pairwise'): {items}."
    ),
    ("pairwise", False): (
        "{cells} missing cells are left out pair by pair (missing='pairwise'): {items}."
    ),
}


def _construct_minimum(
    rule: ConstructMinimum,
    values: np.ndarray,
    lost: np.ndarray,
    blocks: Mapping[str, Sequence[str]],
    items: Sequence[str],
    minimum: np.ndarray,
    maximum: np.ndarray,
) -> Treated:
    position = {item: index for index, item in enumerate(items)}
    columns = [[position[item] for item in block] for block in blocks.values()]
    enough = np.ones(len(values), dtype=bool)
    short = np.zeros(len(blocks), dtype=bool)
    for place, block in enumerate(columns):
        answered = len(block) - lost[:, block].sum(axis=1)
        few = answered < rule.needed(len(block))
        enough &= ~few
        short[place] = few.any()
    kept = np.flatnonzero(enough)
    filled, gaps = values[kept], lost[kept]
    for block in columns:
        if gaps[:, block].any():
            filled[:, block] = _person_mean(
                filled[:, block], gaps[:, block], minimum[block], maximum[block]
            )
    losses = MissingCounts(len(values), len(values) - len(kept), gaps.sum(axis=0), short)
    return Treated(filled, kept, "complete", losses)


def _person_mean(
    values: np.ndarray, gaps: np.ndarray, minimum: np.ndarray, maximum: np.ndarray
) -> np.ndarray:
    span = maximum - minimum
    known = bool(np.isfinite(span).all() and (span > 0).all())
    low, span = (minimum, span) if known else (np.zeros_like(span), np.ones_like(span))
    unit = (values - low) / span
    answered = (~gaps).sum(axis=1, keepdims=True)
    mean = np.where(gaps, 0.0, unit).sum(axis=1, keepdims=True) / answered
    return np.where(gaps, low + mean * span, values)
