"""The record of a judgement, its sources, and how numbers are set against thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

NOT_JUDGED = "not judged"
IMPOSSIBLE = "impossible"
TOO_HIGH = "too high"

ATTENTION = ("poor", TOO_HIGH, IMPOSSIBLE)
"""Verdicts that ask the reader to do something."""

HAIR_2019 = "Hair, Risher, Sarstedt & Ringle (2019), https://doi.org/10.1108/EBR-11-2018-0203"
NUNNALLY = f"Nunnally & Bernstein (1994), Psychometric Theory; {HAIR_2019}"
FORNELL_LARCKER = "Fornell & Larcker (1981), https://doi.org/10.1177/002224378101800104"
HENSELER_2015 = "Henseler, Ringle & Sarstedt (2015), https://doi.org/10.1007/s11747-014-0403-8"
COHEN = "Cohen (1988), https://doi.org/10.4324/9780203771587"
HU_BENTLER = (
    "Hu & Bentler (1999), https://doi.org/10.1080/10705519909540118; "
    "its use with PLS is debated, see Hair et al. (2019)"
)
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
