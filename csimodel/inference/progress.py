"""The progress bar of long work."""

from __future__ import annotations

import sys
from typing import Any


def progress_bar(total: int, what: str, shown: bool) -> Any:
    """Return a bar that appears when the work takes longer than a second."""
    from tqdm import tqdm

    hidden = not shown or sys.stderr is None
    return tqdm(total=total, desc=what, unit="draw", delay=1, disable=hidden, leave=False)
