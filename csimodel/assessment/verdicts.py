"""The record of a judgement, its sources, and how numbers are set against thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from csimodel.bounds import THRESHOLDS
from csimodel.findings import wording

NOT_JUDGED = "not judged"
IMPOSSIBLE = "impossible"
TOO_HIGH = "too high"

ATTENTION = ("poor", TOO_HIGH, IMPOSSIBLE)
"""Verdicts that ask the reader to do something."""

HAIR_2019 = THRESHOLDS["loading good"].source
NUNNALLY = THRESHOLDS["reliability good"].source
FORNELL_LARCKER = THRESHOLDS["ave good"].source
HENSELER_2015 = THRESHOLDS["htmt good"].source
COHEN = THRESHOLDS["f2 small"].source
HU_BENTLER = THRESHOLDS["srmr good"].source
DIJKSTRA_2015 = "Dijkstra & Henseler (2015), https://doi.org/10.1016/j.csda.2014.07.008"


@dataclass(frozen=True)
class Verdict:
    """One number set against what the literature asks of it.

    Attributes
    ----------
    measure
        Name of the measure, as in the tables.
    subject
        The construct, item, pair or path concerned.
    value
        The number judged.
    asked
        What was asked of it, in words, with fields as in `template`.
    verdict
        ``"good"``, ``"acceptable"``, ``"poor"``, ``"too high"``, ``"impossible"`` or ``"not
        judged"``; for sizes of effects their usual names.
    source
        Where the threshold comes from.
    template
        The same in one whole sentence for people who do not know the measure, with fields that
        `values` fill, and ``{value}``.
    values
        What the fields hold.
    """

    measure: str
    subject: str
    value: float
    asked: str
    verdict: str
    source: str
    template: str
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def threshold(self) -> str:
        """What was asked, its fields filled."""
        return wording(self.asked, self._fields)

    @property
    def sentence(self) -> str:
        """The sentence, its fields filled."""
        return wording(self.template, self._fields)

    @property
    def _fields(self) -> dict[str, object]:
        return {"value": self.value, **self.values}


def as_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return one row a verdict."""
    columns = ["measure", "subject", "value", "threshold", "verdict", "source", "sentence"]
    rows = [[getattr(verdict, name) for name in columns] for verdict in verdicts]
    return pd.DataFrame(rows, columns=columns).astype({"value": np.float64})


def graded(value: float, steps: Sequence[tuple[float, str]], otherwise: str) -> str:
    """Return the word of the first step that the value reaches; steps fall from high to low.

    >>> graded(0.2, [(0.35, "large"), (0.15, "medium"), (0.02, "small")], "negligible")
    'medium'
    """
    return next((word for least, word in steps if value >= least), otherwise)


def limit(name: str) -> float:
    """Return a threshold of the table.

    >>> limit("loading good")
    0.708
    """
    return THRESHOLDS[name].value
