"""The table that every reader hands on: columns, labels, and what reading changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from csimodel.findings import Finding


@dataclass(frozen=True, eq=False)
class Table:
    """A table as read: columns, where it came from, labels, and what reading changed."""

    frame: pd.DataFrame
    source: str
    column_labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[float | str, str]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
