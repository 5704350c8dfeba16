"""Compare two snapshots: ``python tests/snapshot/compare.py OLD.json NEW.json``.

Prints, for every label and column that differs, the largest relative difference and where it is,
and what vanished or appeared. Estimates and draws may differ by 1e-12, errors and what follows from
them by 1e-7. Exit 0 when all that both have is within these.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

ESTIMATE, ERROR = 1e-12, 1e-7
ROUNDING = 1e-14  # of a column's largest number
ERRORS = re.compile(
    r"(^|[ _.|\[])(se|lower|upper|p|z|t|df|bias|pvalue|statistic|chi2|ci|chance|sd)($|[ _.|\]])"
)


def read(path: str) -> dict:
    """Return a snapshot."""
    raw = Path(path).read_bytes()
    return json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)


def difference(old: list, new: list) -> tuple[float, int]:
    """Return the largest relative difference of two columns and its place."""
    largest = max((abs(v) for v in (*old, *new) if isinstance(v, float | int)), default=0.0)
    worst, place = 0.0, 0
    for k, (a, b) in enumerate(zip(old, new, strict=True)):
        if isinstance(a, str) or isinstance(b, str):
            gap = 0.0 if a == b else float("inf")
        elif abs(a - b) <= ROUNDING * largest:
            gap = 0.0
        else:
            gap = abs(a - b) / max(abs(a), abs(b))
        if gap > worst:
            worst, place = gap, k
    return worst, place


def tables(old: dict, new: dict) -> int:
    """Print what differs between tables; return how many columns are beyond the rule."""
    beyond = 0
    for label in sorted(set(old) & set(new)):
        before, after = old[label], new[label]
        rows = [row for row in before["rows"] if row in set(after["rows"])]
        for what, one, other in (("row", before, after), ("row", after, before)):
            gone = [row for row in one["rows"] if row not in set(other["rows"])]
            if gone:
                said = "vanished" if one is before else "appeared"
                print(f"{label}: {said} {what}s {', '.join(gone[:6])}{' …' * (len(gone) > 6)}")
                beyond += one is before
        for name in [
            *before["columns"],
            *(c for c in after["columns"] if c not in before["columns"]),
        ]:
            if name not in after["columns"] or name not in before["columns"]:
                gone = name not in after["columns"]
                print(f"{label}: {'vanished' if gone else 'appeared'} column {name}")
                beyond += gone
                continue
            columns = [
                dict(zip(part["rows"], part["columns"][name], strict=True))
                for part in (before, after)
            ]
            worst, place = difference(*[[column[row] for row in rows] for column in columns])
            allowed = ERROR if ERRORS.search(f"{label.rsplit('.', 1)[-1]}|{name}") else ESTIMATE
            error_row = rows and ERRORS.search(rows[place])
            if worst > (ERROR if error_row else allowed):
                beyond += 1
                a, b = (column[rows[place]] for column in columns)
                print(f"{label}: {name}: {worst:.1e} at {rows[place] or 'the value'} ({a} → {b})")
    return beyond


def main(old: str, new: str) -> int:
    """Print what differs between two snapshots."""
    before, after = read(old), read(new)
    beyond = 0
    for part in ("tables", "findings", "refusals"):
        gone, come = (
            sorted(set(a[part]) - set(b[part])) for a, b in ((before, after), (after, before))
        )
        for label in gone:
            print(f"vanished ({part}): {label}")
        for label in come:
            print(
                f"appeared ({part}): {label}{': ' + after[part][label] if part == 'refusals' else ''}"
            )
        beyond += len(gone) if part == "tables" else 0
    beyond += tables(before["tables"], after["tables"])
    for label in sorted(set(before["findings"]) & set(after["findings"])):
        one, other = before["findings"][label], after["findings"][label]
        if one != other:
            print(f"{label}: {', '.join(one) or 'nothing'} → {', '.join(other) or 'nothing'}")
    count = sum(len(t["columns"]) for t in before["tables"].values())
    print(f"{beyond} of {count} columns (or rows, labels) beyond the rule")
    return int(beyond > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
