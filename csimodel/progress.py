"""The progress bar of long work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_STEP: ContextVar[Callable[[], object] | None] = ContextVar("step", default=None)


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


@contextmanager
def steps_shown(what: str, shown: bool) -> Iterator[None]:
    """Show how many steps are made within, by iterations of which nobody knows how many they need.

    Parameters
    ----------
    what, shown
        As in `progress_bar`; where steps are shown already, or nobody sees them, nothing happens.
    """
    if not shown or _STEP.get() is not None or not watched():
        yield
        return
    with progress_bar(None, what, shown, "step") as bar:
        token = _STEP.set(bar.update)
        try:
            yield
        finally:
            _STEP.reset(token)


def step() -> None:
    """Tell that a step of an iteration begins, to a bar that shows them."""
    told = _STEP.get()
    if told is not None:
        told()
