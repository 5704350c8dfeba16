"""What was noticed, said in plain words and kept as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["note", "warning", "failure"]


@dataclass(frozen=True, repr=False)
class Finding:
    """One thing a reader must know before trusting a result.

    Attributes
    ----------
    code
        Stable short name, for programs (``"negative-weight"``).
    message
        One sentence for people; it names the columns or constructs concerned.
    subjects
        The columns, constructs or groups concerned.
    severity
        ``"note"`` (counted, harmless), ``"warning"`` (think before use) or
        ``"failure"`` (do not use the numbers).
    count
        How many rows, cells or draws are concerned, where that makes sense.
    """

    code: str
    message: str
    subjects: tuple[str, ...] = ()
    severity: Severity = "warning"
    count: int | None = None

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"<{self.severity}: {self.message}>"


def listed(names: Iterable[str], limit: int = 5) -> str:
    """Join names for a sentence, with the rest counted.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    >>> listed([f"q{i}" for i in range(9)], limit=3)
    'q0, q1, q2 and 6 more'
    """
    every = [str(name) for name in names]
    if len(every) > limit:
        return ", ".join(every[:limit]) + f" and {len(every) - limit} more"
    if len(every) < 2:
        return "".join(every)
    return ", ".join(every[:-1]) + " and " + every[-1]
