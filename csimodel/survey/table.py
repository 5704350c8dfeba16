"""The table that every reader hands on: columns, labels, and what reading changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.findings import Finding


@dataclass(frozen=True, eq=False)
class Table:
    """A table as read: columns, where it came from, labels, and what reading changed."""

    frame: pd.DataFrame
    source: str
    column_labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[float | str, str]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def with_column(frame: pd.DataFrame, name: str, values: NDArray[np.float64]) -> pd.DataFrame:
    """Return a frame with a column of numbers more, at its end.

    The frame is copied whole: pandas warns of a column put into one of more than 100 pieces, as
    files of many columns are read.

    >>> with_column(pd.DataFrame({"q": [1]}), "w", np.array([2.0])).columns.tolist()
    ['q', 'w']
    """
    whole = frame.copy()
    whole[name] = values
    return whole
