"""Time of `import csimodel` over `import pandas`, in fresh processes, alternating."""

import statistics
import subprocess
import sys

CODE = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def seconds(module: str) -> float:
    """Return the time of one import in a new process."""
    out = subprocess.run(
        [sys.executable, "-c", CODE.format(module)], capture_output=True, text=True, check=True
    )
    return float(out.stdout)


seconds("csimodel")
pairs = [(seconds("pandas"), seconds("csimodel")) for _ in range(11)]
pandas, csimodel = (statistics.median(times) for times in zip(*pairs, strict=True))
print(
    f"import pandas {pandas:.3f} s, import csimodel {csimodel:.3f} s: {csimodel / pandas:.2f} times"
)
