"""Processor time of `import csimodel`, and of it with a first fit, over `import pandas`.

Each is a fresh process, with bytecode of its own that the first run writes; the three alternate.
"""

import os
import statistics
import subprocess
import sys
import tempfile

CODE = "import time; t = time.process_time(); {}; print(time.process_time() - t)"
PANDAS = "import pandas"
BARE = "import csimodel"
FIT = "import csimodel as csi; csi.fit(csi.models.ecsi(), csi.load_mobi())"


def seconds(code: str, bytecode: str) -> float:
    """Return the processor time of some code in a new process."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    out = subprocess.run(
        [sys.executable, "-c", CODE.format(code)],
        capture_output=True,
        text=True,
        check=True,
        env={**inherited, "PYTHONPYCACHEPREFIX": bytecode, "OPENBLAS_NUM_THREADS": "1"},
    )
    return float(out.stdout)


def main(pairs: int = 15) -> None:
    """Print the median of the ratios, and of the times."""
    with tempfile.TemporaryDirectory() as bytecode:
        for code in (PANDAS, FIT):
            seconds(code, bytecode)
        rows = [[seconds(code, bytecode) for code in (PANDAS, BARE, FIT)] for _ in range(pairs)]
    pandas, bare, fit = (statistics.median(times) for times in zip(*rows, strict=True))
    bare_ratio = statistics.median(row[1] / row[0] for row in rows)
    fit_ratio = statistics.median(row[2] / row[0] for row in rows)
    print(f"import pandas {pandas:.3f} s of processor time, median of {pairs}")
    print(f"import csimodel {bare:.3f} s: {bare_ratio:.2f} times")
    print(f"import csimodel and fit the ECSI to 250 customers {fit:.3f} s: {fit_ratio:.2f} times")


main()
