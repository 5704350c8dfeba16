"""How large an input may be: beyond these bounds it is refused before memory is taken.

Each bound is far above what surveys need, and far below what would exhaust a computer. What a call
will hold is compared with the memory that is free.
"""

from __future__ import annotations

import re
from pathlib import Path

from csimodel.errors import OptionError

_MEMORY = Path("/proc/meminfo")
_OWN_GROUPS = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")

FEWEST_DRAWS = 20
"""Usable draws below which there is no error and no interval."""

FEWEST_IN_SEGMENT = 30
"""Respondents of a segment that has a curve of its own, unless the user says otherwise."""

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
    """Return the memory that is free, in bytes; infinite where the system does not say it.

    What the computer has available, or less where the control groups of this process (a container,
    a job of a batch system) are bounded, by what these have left. Pages of files that were not read
    lately count as free.
    """
    line = re.search(r"^MemAvailable:\s*(\d+) kB", _text(_MEMORY), re.MULTILINE)
    free = float("inf") if line is None else 1024.0 * int(line[1])
    for group in re.finditer(r"^\d+:([^:]*):/(.*)$", _text(_OWN_GROUPS), re.MULTILINE):
        if not group[1]:
            free = min(free, _left(_GROUPS, group[2], "memory.max", "memory.current"))
        elif "memory" in group[1].split(","):
            names = "memory.limit_in_bytes", "memory.usage_in_bytes"
            free = min(free, _left(_GROUPS / "memory", group[2], *names))
    return free


def _left(root: Path, group: str, limit: str, usage: str) -> float:
    """Return what a control group, and all it belongs to, have left of their bound, in bytes."""
    free, own = float("inf"), root / group
    for folder in (own, *own.parents):
        bound, used = _text(folder / limit).strip(), _text(folder / usage).strip()
        if bound.isdigit() and used.isdigit():
            stat = _text(folder / "memory.stat")
            files = re.findall(r"^(?:total_)?inactive_file (\d+)$", stat, re.MULTILINE)
            unread = float(files[-1]) if files else 0.0  # the total, of groups within too, is last
            free = min(free, max(float(bound) - float(used) + unread, 0.0))
        if folder == root:
            break
    return free


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return ""


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
