"""A part of the paper: its numbers, tables and figures, computed and never typed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from csimodel.formatting import number

DIGITS = 10
"""Significant digits that are kept of a number."""


@dataclass(frozen=True)
class Table:
    """A table as it is printed.

    Attributes
    ----------
    head
        Titles of the columns.
    rows
        Texts, a row each.
    left
        How many columns, from the first, hold words and not numbers.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"A row has {len(row)} cells under {len(self.head)} titles: {row}")


@dataclass(frozen=True)
class Part:
    """A part of the paper.

    Attributes
    ----------
    numbers
        By name, with dots between its words: ``"index.Satisfaction.mean"``.
    tables, figures
        By name; figures as SVG.
    words
        Texts that depend on the data, by name.
    absent
        Why the part could not be computed; empty where it was.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    absent: str = ""

    def facts(self) -> dict[str, object]:
        """Return what goes into the part's JSON file, numbers with `DIGITS` digits."""
        numbers = {name: significant(value) for name, value in self.numbers.items()}
        tables = {
            name: {
                "head": list(own.head),
                "rows": [list(row) for row in own.rows],
                "left": own.left,
            }
            for name, own in self.tables.items()
        }
        return {
            "absent": self.absent,
            "numbers": numbers,
            "words": dict(self.words),
            "tables": tables,
            "figures": sorted(self.figures),
        }

    def write(self, name: str, folder: Path) -> None:
        """Write ``<name>.json`` and the figures."""
        text = json.dumps(self.facts(), ensure_ascii=False, indent=1, allow_nan=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        for figure, svg in self.figures.items():
            (folder / f"{figure}.svg").write_text(svg + "\n", encoding="utf-8")


def limits(row: Mapping[str, float], decimals: int, times: float = 1.0) -> str:
    """Write the interval of a row.

    >>> limits({"lower": -0.021, "upper": 0.1}, 1, 100)
    '−2.1 to 10.0'
    """
    return " to ".join(number(times * row[end], decimals) for end in ("lower", "upper"))


def significant(value: float) -> float:
    """Return a number with `DIGITS` significant digits.

    >>> significant(72.454117930910131)
    72.45411793
    """
    if not math.isfinite(value):
        raise ValueError("A number of the paper is not finite.")
    return float(f"{float(value):.{DIGITS}g}")


def power_above(differences: Iterable[float]) -> float:
    """Return the smallest power of ten that no difference exceeds, at least 1e-15.

    >>> power_above([3e-9, 2e-8])
    1e-07
    """
    largest = max(differences)
    return 1e-15 if largest <= 1e-15 else float(f"1e{math.ceil(math.log10(largest))}")
