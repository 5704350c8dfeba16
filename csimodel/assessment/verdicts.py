"""The record of a judgement, its sources, and how numbers are set against thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from csimodel.bounds import THRESHOLDS

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
    threshold
        What was asked of it, in words.
    verdict
        ``"good"``, ``"acceptable"``, ``"poor"``, ``"too high"``, ``"impossible"`` or ``"not
        judged"``; for sizes of effects their usual names.
    source
        Where the threshold comes from.
    sentence
        The same in words for people who do not know the measure.
    """

    measure: str
    subject: str
    value: float
    threshold: str
    verdict: str
    source: str
    sentence: str


def as_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return one row a verdict."""
    columns = [field.name for field in fields(Verdict)]
    table = pd.DataFrame([asdict(verdict) for verdict in verdicts], columns=columns)
    return table.astype({"value": np.float64})


def graded(value: float, steps: Sequence[tuple[float, str]], otherwise: str) -> str:
    """Return the word of the first step that the value reaches; steps fall from high to low.

    >>> graded(0.2, [(0.35, "large"), (0.15, "medium"), (0.02, "small")], "negligible")
    'medium'
    """
    return next((word for least, word in steps if value >= least), otherwise)


def shown(value: float) -> str:
    """Write a number for a sentence.

    >>> shown(0.72283), shown(float("inf"))
    ('0.723', 'infinite')
    """
    return "infinite" if np.isinf(value) else f"{value:.3f}"


def limit(name: str) -> float:
    """Return a threshold of the table.

    >>> limit("loading good")
    0.708
    """
    return THRESHOLDS[name].value
