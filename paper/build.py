"""Build the paper: every number, table and figure, the PDF and the short paper.

    python paper/build.py            # everything, some minutes
    python paper/build.py mobile     # some parts anew, the others as they were kept
    python paper/build.py --text     # no part anew

Needs ``pip install -e ".[paper]"``. Writes ``paper/generated/``, ``paper/paper.md`` and
``paper/paper.pdf``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

sys.path.insert(0, str(Path(__file__).parent))

from manuscript.document import PAPER, PARTS, compute, short_paper, typeset


def main() -> None:
    """Build."""
    parser = argparse.ArgumentParser(description="Build the paper.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--text", action="store_true", help="compute nothing anew")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"{sorted(unknown)[0]!r} is no part; the parts are {', '.join(PARTS)}")
    start, folder = time.perf_counter(), PAPER / "generated"
    if not options.text:
        compute(options.parts or list(PARTS), folder)
    (PAPER / "paper.md").write_text(short_paper(folder), encoding="utf-8")
    typeset(PAPER / "paper.typ", PAPER / "paper.pdf")
    print(f"{PAPER / 'paper.pdf'}, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
