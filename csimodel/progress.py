"""The progress bar of long work."""

from __future__ import annotations

import sys
from typing import Any


def progress_bar(total: int | None, what: str, shown: bool, unit: str = "draw") -> Any:
    """Return a bar that appears when the work takes longer than a second.

    Parameters
    ----------
    total
        How many units the work has, None where nobody knows.
    what
        What the work is called.
    shown
        Whether to show it.
    unit
        What is counted.
    """
    from tqdm import tqdm

    hidden = not shown or sys.stderr is None
    return tqdm(total=total, desc=what, unit=unit, delay=1, disable=hidden, leave=False)
