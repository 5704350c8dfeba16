"""Compare two snapshots: ``python tests/snapshot/compare.py OLD.json NEW.json``.

Prints, for every label and column that differs, the largest relative difference and where it is,
and what vanished or appeared. Estimates and draws may differ by 1e-12, errors and what follows from
them by 1e-7; what is meant to differ is counted by the reason that ``intended.toml`` gives, and
printed, too, with ``--all``. Exit 0 when all that both have is within these, or meant.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ESTIMATE, ERROR = 1e-12, 1e-7
ROUNDING = 1e-14  # of a column's largest number
ERRORS = re.compile(
    r"(^|[ _.|\[])(se|lower|upper|p|z|t|df|bias|pvalue|statistic|chi2|ci|chance|sd)($|[ _.|\]])"
)


@dataclass
class Intended:
    """Changes that were meant, and how many differences each has taken."""

    changes: list[dict]
    everything: bool
    taken: Counter = field(default_factory=Counter)

    @classmethod
    def of(cls, path: Path, everything: bool) -> Intended:
        """Read the list."""
        return cls(tomllib.loads(path.read_text(encoding="utf-8"))["change"], everything)

    def take(self, label: str, column: str, row: str, worst: float, gap: float) -> bool:
        """Whether a difference was meant; count it."""
        error = any(ERRORS.search(text) for text in (f"{label.rsplit('.', 1)[-1]}|{column}", row))
        for change in self.changes:
            if (
                re.search(change.get("labels", ""), label)
                and re.search(change.get("columns", ""), column)
                and (error or not change.get("errors", False))
                and worst <= change.get("relative", float("inf"))
                and gap <= change.get("absolute", float("inf"))
            ):
                self.taken[change["why"]] += 1
                return not self.everything
        return False


def read(path: str) -> dict:
    """Return a snapshot."""
    raw = Path(path).read_bytes()
    return json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)


def differences(old: list, new: list) -> list[tuple[float, float]]:
    """Return the relative and the absolute difference of each entry of two columns."""
    largest = max((abs(v) for v in (*old, *new) if isinstance(v, float | int)), default=0.0)
    pairs = []
    for a, b in zip(old, new, strict=True):
        if isinstance(a, str) or isinstance(b, str):
            gap = 0.0 if a == b else float("inf")
            pairs.append((gap, gap))
        elif abs(a - b) <= ROUNDING * largest:
            pairs.append((0.0, 0.0))
        else:
            pairs.append((abs(a - b) / max(abs(a), abs(b)), abs(a - b)))
    return pairs


def tables(old: dict, new: dict, intended: Intended) -> int:
    """Print what differs between tables; return how many columns are beyond the rule."""
    beyond = 0
    for label in sorted(set(old) & set(new)):
        before, after = old[label], new[label]
        rows = [row for row in before["rows"] if row in set(after["rows"])]
        gone = [row for row in before["rows"] if row not in set(rows)]
        if gone and not intended.take(label, "rows", "", float("inf"), float("inf")):
            print(f"{label}: vanished rows {', '.join(gone[:6])}{' …' * (len(gone) > 6)}")
            beyond += 1
        for name in after["columns"]:
            if name not in before["columns"]:
                print(f"{label}: appeared column {name}")
        for name in before["columns"]:
            if name not in after["columns"]:
                if not intended.take(label, name, "", float("inf"), float("inf")):
                    print(f"{label}: vanished column {name}")
                    beyond += 1
                continue
            columns = [
                dict(zip(part["rows"], part["columns"][name], strict=True))
                for part in (before, after)
            ]
            pairs = differences(*[[column[row] for row in rows] for column in columns])
            is_error = ERRORS.search(f"{label.rsplit('.', 1)[-1]}|{name}")
            unexpected = {
                row: worst
                for row, (worst, gap) in zip(rows, pairs, strict=True)
                if worst > (ERROR if is_error or ERRORS.search(row) else ESTIMATE)
                and not intended.take(label, name, row, worst, gap)
            }
            if unexpected:
                beyond += 1
                row = max(unexpected, key=unexpected.__getitem__)
                a, b = (column[row] for column in columns)
                print(f"{label}: {name}: {unexpected[row]:.1e} at {row or 'the value'} ({a} → {b})")
    return beyond


def _findings(label: str) -> str:
    return (
        f"{label.removesuffix('.diagnostics')}.findings"
        if label.endswith(".diagnostics")
        else label
    )


def main(old: str, new: str, everything: bool = False) -> int:
    """Print what differs between two snapshots."""
    before, after = read(old), read(new)
    for own in (before, after):  # results other than fits had diagnostics
        own["findings"] = {_findings(label): codes for label, codes in own["findings"].items()}
    intended = Intended.of(Path(__file__).with_name("intended.toml"), everything)
    beyond = 0
    for part in ("tables", "findings", "refusals"):
        gone, come = (
            sorted(set(a[part]) - set(b[part])) for a, b in ((before, after), (after, before))
        )
        if part == "tables":
            gone = [label for label in gone if not intended.take(label, "", "", float("inf"), 0.0)]
        for label in gone:
            print(f"vanished ({part}): {label}")
        for label in come:
            print(
                f"appeared ({part}): {label}{': ' + after[part][label] if part == 'refusals' else ''}"
            )
        beyond += len(gone) if part == "tables" else 0
    beyond += tables(before["tables"], after["tables"], intended)
    for label in sorted(set(before["findings"]) & set(after["findings"])):
        one, other = before["findings"][label], after["findings"][label]
        if one != other:
            print(f"{label}: {', '.join(one) or 'nothing'} → {', '.join(other) or 'nothing'}")
    count = sum(len(t["columns"]) for t in before["tables"].values())
    for change in intended.changes:
        print(f"{intended.taken[change['why']]:7,} numbers meant to differ: {change['why']}")
    print(f"{beyond} of {count} columns (or rows, labels) beyond the rule, and not meant")
    return int(beyond > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3], everything="--all" in sys.argv[3:]))
