"""Processor time of `csimodel demo` by two versions, each installed in an environment of its own.

    python benchmarks/bench_demo.py OLD_PYTHON NEW_PYTHON [PAIRS]

Each run is a process of its own in an empty folder, the two versions in turns, one thread each.
"""

import os
import statistics
import subprocess
import sys
import tempfile

PYTHONS = sys.argv[1:3]
PAIRS = int(sys.argv[3]) if len(sys.argv) > 3 else 5


def seconds(python: str) -> float:
    """Return the processor time of the demo in a new process."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.Popen(
            [python, "-m", "csimodel", "demo"],
            cwd=folder,
            env=own | threads,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"The demo of {python} ended with {child.returncode}.")
    return used.ru_utime + used.ru_stime


for python in PYTHONS:
    seconds(python)  # compiled and cached
pairs = [tuple(map(seconds, PYTHONS)) for _ in range(PAIRS)]
old, new = (statistics.median(times) for times in zip(*pairs, strict=True))
ratio = statistics.median(new / old for old, new in pairs)
print(
    f"csimodel demo, processor time, median of {PAIRS}: {old:.2f} s before, {new:.2f} s now, "
    f"{ratio:.2f} times (pair by pair)"
)
