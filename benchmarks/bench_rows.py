"""Bootstrap draws of the ECSI by number of rows, against another version of csimodel.

    python benchmarks/bench_rows.py PATH_TO_THE_OTHER_VERSION [ROWS …]

Both versions run in turns, each in a process of its own, one thread; processor time per draw (the
least of the turns), its ratio, peak memory, and the exponent of time by rows from one size to the
next. Respondents are those of the mobile phone survey, drawn again.

The floor, per row and draw: the sums of 324 products are 648 operations; packed by three, as
answers are whole numbers, 218, at some 46 GFLOP a second 4.7 ns. A random number and a count cost
2 ns. Bytes: the 24 answers are read once for each 512 draws (up to half a million rows), and a
draw's counts are a byte a row, written and read once.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

TURNS = 3
WORK = """
import json, resource, sys, time
import numpy as np
import csimodel as csi

rows, draws = int(sys.argv[1]), int(sys.argv[2])
survey, model = csi.load_mobi(), csi.models.ecsi()
chosen = np.random.default_rng(0).integers(0, len(survey.data), rows)
frame = survey.data[list(model.items)].iloc[chosen].reset_index(drop=True)
fit = csi.fit(model, csi.read_survey(frame, scale=(1, 10)))
csi.bootstrap(fit, 8, 1, progress=False)
data = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
csi.bootstrap(fit, draws, 7, progress=False)
taken = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([taken / draws * 1e3, (peak - data) / 1024, csi.__file__]))
"""


def measured(path: str, rows: int, draws: int) -> tuple[float, float]:
    """Return milliseconds a draw and megabytes above the data, of the version in a folder."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", WORK, str(rows), str(draws)],
        env={**os.environ, **one_thread, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    milliseconds, megabytes, loaded = json.loads(done.stdout)
    if not Path(loaded).is_relative_to(Path(path).resolve()):
        raise SystemExit(f"{loaded} was loaded instead of the version in {path}.")
    return milliseconds, megabytes


def main(other: str, sizes: list[int]) -> None:
    """Print a line for each number of rows."""
    here = str(Path(__file__).resolve().parents[1])
    last = None
    for rows in sizes:
        ours, theirs = [], []
        for _ in range(TURNS):
            for version, taken in ((here, ours), (other, theirs)):
                taken.append(measured(version, rows, 5_000 if rows < 10_000 else 512))
        (mine, above), (before, above_before) = min(ours), min(theirs)
        exponent = (
            "" if last is None else f"{math.log(mine / last[1]) / math.log(rows / last[0]):.2f}"
        )
        print(
            f"{rows:>9} rows  now {mine:9.4f} ms a draw  before {before:9.4f}  "
            f"ratio {before / mine:5.1f}  exponent {exponent:>5}  "
            f"memory above the data {above:6.0f} MB, before {above_before:6.0f}",
            flush=True,
        )
        last = rows, mine


if __name__ == "__main__":
    main(sys.argv[1], [int(size) for size in sys.argv[2:]] or [250, 25_000, 250_000, 2_500_000])
