"""How large an input may be: beyond these bounds it is refused before memory is taken.

Each bound is far above what surveys need, and far below what would exhaust a computer. What a call
will hold is compared with the memory that is free.
"""

from __future__ import annotations

import re
from pathlib import Path

from csimodel.errors import OptionError

_MEMORY = Path("/proc/meminfo")

COLUMNS = 20_000
"""Columns of a table."""

NAME_CHARACTERS = 2_000
"""Characters of a column's name."""

CELLS = 500_000_000
"""Rows times columns of a file that states them (Parquet, SPSS, Stata)."""

LINE_BYTES = 20_000_000
"""Bytes of one line of a text file."""

SHEET_CELLS = 30_000_000
"""Rows times columns of a sheet of a workbook, empty cells included."""

WORKBOOK_BYTES = 2_000_000_000
"""Bytes of a workbook, unpacked."""

UNPACKED_SAFE_BYTES = 50_000_000
"""Bytes of a workbook, unpacked, below which its degree of compression does not matter."""

COMPRESSION = 100
"""How many times smaller than its content a large workbook may be."""

CODEBOOK_CHARACTERS = 5_000_000
"""Characters of a codebook."""

MODEL_CHARACTERS = 300_000
"""Characters of a model's text."""


def free_bytes() -> float:
    """Return the memory that is free, in bytes; infinite where the system does not say it."""
    try:
        text = _MEMORY.read_text()
    except OSError:
        return float("inf")
    line = re.search(r"^MemAvailable:\s*(\d+) kB", text, re.MULTILINE)
    return float("inf") if line is None else 1024.0 * int(line[1])


def require_memory(call: str, size: float, way_out: str) -> None:
    """Refuse a call that would hold more memory than is free.

    Parameters
    ----------
    call
        What the user called, with what makes it large.
    size
        What it would hold, in bytes.
    way_out
        What to do instead.

    Raises
    ------
    OptionError
        When more is needed than is free.

    Examples
    --------
    >>> require_memory("csi.bootstrap with draws=10", 1e6, "take fewer draws")
    """
    free = free_bytes()
    if size > free:
        raise OptionError(
            f"{call} would hold some {size / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB of memory are "
            f"free; {way_out}."
        )


def sample_bytes(items: int, constructs: int) -> float:
    """Return what one of many fitted samples takes: triangle, weights, matrices of constructs."""
    return 8.0 * (items * (items + 1) // 2 + 3 * items + 2 * constructs**2 + constructs + 5)
