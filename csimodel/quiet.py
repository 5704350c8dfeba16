"""What other packages warn of and log is kept back in one context, never for the whole process.

`warnings.catch_warnings` and `logging.disable` change what every thread sees: two threads that
use them at once lose each other's warnings, and may leave the filters changed for good. Here one
entry among the warning filters and one filter of the root logger ask, for each warning and record,
whether it comes from a context that is quiet; for all others they do nothing.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import numpy as np

_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


class _Here:
    """Matches every text in a quiet context, and none elsewhere."""

    def match(self, _: str) -> bool:
        return _QUIET.get()


def _heard(_: logging.LogRecord) -> bool:
    return not _QUIET.get()


_ENTRY: Any = ("ignore", _Here(), Warning, None, 0)  # action, message, category, module, line


@contextmanager
def quiet() -> Iterator[None]:
    """Keep back the warnings and root log records of this block, in this context only.

    For calls of other packages whose outcome is judged by our own findings. Floating-point
    errors raise and warn of nothing either.

    Examples
    --------
    >>> import warnings
    >>> with quiet():
    ...     warnings.warn("from another package")
    """
    filters: Any = warnings.filters
    filters.insert(0, _ENTRY)
    logging.getLogger().addFilter(_heard)  # once: a filter that is there is not added again
    token = _QUIET.set(True)
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        _QUIET.reset(token)
        with suppress(ValueError):  # somebody else put the filters back meanwhile
            filters.remove(_ENTRY)
