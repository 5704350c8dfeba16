"""What to do with missing answers: an explicit policy, always counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, eq=False)
class Treated:
    """Values after a policy: kept row positions (None for all), state and findings."""

    values: np.ndarray
    kept: np.ndarray | None
    state: str
    findings: tuple[Finding, ...]


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

    Raises
    ------
    SurveyError
        Under ``"error"``, naming the columns with missing cells and the other policies.
    """
    lost = np.isnan(values)
    if policy == "error":
        raise SurveyError(_refusal(lost, items))
    if policy == "listwise":
        return _listwise(values, lost, items)
    if policy in ("pairwise", "mean"):
        return _keep_cells(str(policy), values, lost, items)
    rule = policy if isinstance(policy, ConstructMinimum) else ConstructMinimum()
    return _construct_minimum(rule, values, lost, blocks, items, minimum, maximum)


def _per_column(lost: np.ndarray, items: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the items with missing cells, and each of them with its count."""
    counts = {item: int(n) for item, n in zip(items, lost.sum(axis=0), strict=True) if n}
    return tuple(counts), tuple(f"{item} ({count})" for item, count in counts.items())


def _refusal(lost: np.ndarray, items: Sequence[str]) -> str:
    cells = int(lost.sum())
    _, detail = _per_column(lost, items)
    verb = "is" if cells == 1 else "are"
    return (
        f"{cells} {plural(cells, 'cell')} {verb} missing, in {listed(detail)}, and missing='error' "
        "allows none; choose missing='listwise', 'pairwise', 'mean' or 'construct-minimum' "
        "in read_survey."
    )


def _listwise(values: np.ndarray, lost: np.ndarray, items: Sequence[str]) -> Treated:
    kept = np.flatnonzero(~lost.any(axis=1))
    names, detail = _per_column(lost, items)
    dropped = len(values) - len(kept)
    template = (
        "{dropped} of {rows} rows were dropped because an item is missing (missing='listwise'): "
        "{items}."
    )
    told = {"dropped": dropped, "rows": len(values), "items": detail}
    finding = Finding("rows-dropped", template, names, "note", dropped, told)
    return Treated(values[kept], kept, "complete", (finding,))


def _keep_cells(policy: str, values: np.ndarray, lost: np.ndarray, items: Sequence[str]) -> Treated:
    findings: list[Finding] = []
    kept: np.ndarray | None = None
    silent = lost.all(axis=1)
    if silent.any():
        kept = np.flatnonzero(~silent)
        dropped = int(silent.sum())
        template = "{dropped} of {rows} rows were dropped because they answer no item."
        told = {"dropped": dropped, "rows": len(values)}
        findings.append(Finding("rows-dropped", template, (), "note", dropped, told))
        values, lost = values[kept], lost[kept]
    cells = int(lost.sum())
    if not cells:
        return Treated(values, kept, "complete", tuple(findings))
    names, detail = _per_column(lost, items)
    code = "cells-filled" if policy == "mean" else "cells-missing"
    values_of = {"cells": cells, "items": detail}
    template = _KEPT[policy, cells == 1]
    findings.append(Finding(code, template, names, "note", cells, values_of))
    return Treated(values, kept, policy, tuple(findings))


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
    columns = {name: [position[item] for item in block] for name, block in blocks.items()}
    enough = np.ones(len(values), dtype=bool)
    short = []
    for name, block in columns.items():
        answered = len(block) - lost[:, block].sum(axis=1)
        few = answered < rule.needed(len(block))
        enough &= ~few
        if few.any():
            short.append(name)
    kept = np.flatnonzero(enough)
    filled, gaps = values[kept], lost[kept]
    for block in columns.values():
        if gaps[:, block].any():
            filled[:, block] = _person_mean(
                filled[:, block], gaps[:, block], minimum[block], maximum[block]
            )
    findings = []
    if dropped := len(values) - len(kept):
        template = (
            "{dropped} of {rows} rows were dropped because too few items were answered in "
            "{constructs} (missing='construct-minimum')."
        )
        told = {"dropped": dropped, "rows": len(values), "constructs": tuple(short)}
        findings.append(Finding("rows-dropped", template, tuple(short), "note", dropped, told))
    if cells := int(gaps.sum()):
        names, detail = _per_column(gaps, items)
        template = (
            "{cells} missing cell became the respondent's mean of the construct's answered items "
            "(missing='construct-minimum'): {items}."
            if cells == 1
            else "{cells} missing cells became the respondent's mean of the construct's answered "
            "items (missing='construct-minimum'): {items}."
        )
        values_of = {"cells": cells, "items": detail}
        findings.append(Finding("cells-filled", template, names, "note", cells, values_of))
    return Treated(filled, kept, "complete", tuple(findings))


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
