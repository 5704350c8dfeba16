"""Speed: the figures that the benchmarks against other programs printed, as the README keeps them.

Measured once on one machine, both sides in one run (``benchmarks/readme_figures.py``); a build of
the paper does not measure again, as figures of two machines or of a busy one cannot be compared.
"""

from __future__ import annotations

import re
from pathlib import Path

from manuscript.part import Part, Table

README = Path(__file__).parents[2] / "README.md"
ROW = re.compile(
    r"^\| (?P<what>[^|]+?) \| (?P<ours>[^|]+?) \| (?P<theirs>[^|]+?) \|$", re.MULTILINE
)
RATIO = re.compile(r"([\d,.]+) times\)")
TIME = re.compile(r"\b\d[\d,.]* (?:ms|s)\b")


def part(readme: Path = README) -> Part:
    """Read the part."""
    text = readme.read_text(encoding="utf-8")
    section = text[text.index("## How fast") :]
    section = section[: section.index("\n## ", 1)]
    rows, ratios = [], []
    for match in ROW.finditer(section):
        what, ours, theirs = (match[name] for name in ("what", "ours", "theirs"))
        if not TIME.search(ours):
            continue  # the head of the table
        rows.append([re.sub(r" \(`[^`]*`\)", "", what), ours, theirs])
        ratios += [float(ratio.replace(",", "")) for ratio in RATIO.findall(theirs)]
    if not rows:
        raise ValueError("README.md has no table of figures under 'How fast'.")
    numbers = {"rows": len(rows), "least": min(ratios), "most": max(ratios)}
    table = Table(["Work", "csimodel", "Other program (times as fast)"], rows)
    return Part(numbers, {"speed": table})
