"""The progress bar of long work."""

from __future__ import annotations

import sys
from typing import Any


def watched() -> bool:
    """Return whether a person sees what stderr shows: a terminal, or a notebook."""
    stream = sys.stderr
    if stream is None or stream.closed:
        return False
    return stream.isatty() or type(stream).__module__.startswith("ipykernel.")


def progress_bar(total: int | None, what: str, shown: bool, unit: str = "draw") -> Any:
    """Return a bar that appears when the work takes longer than a second and somebody watches.

    It is gone after the work, also where an error or Ctrl-C ends that, if used as a context.

    Parameters
    ----------
    total
        How many units the work has, None where nobody knows.
    what
        What the work is called.
    shown
        Whether to show it, where it is seen.
    unit
        What is counted.
    """
    from tqdm import tqdm

    hidden = not shown or not watched()
    return tqdm(total=total, desc=what, unit=unit, delay=1, disable=hidden, leave=False)
