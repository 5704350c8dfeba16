"""Polychoric correlations with Γ: 24 items of five answers against lavaan, and larger surveys.

lavaan is timed inside R with proc.time after one run to warm up; its WLSMV fit stops after the
sample statistics (`do.fit = FALSE`). Larger surveys are simulated.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from common import median_seconds, mobi, report

import csimodel as csi
from csimodel.moments.ordinal import ordinal_moments

SIZES = ((250, 10), (8_000, 5), (8_000, 10), (100_000, 10))
SCRIPT = """
suppressMessages(library(lavaan)); d <- read.csv("data.csv")
syntax <- paste("f =~", paste(names(d), collapse = " + "))
work <- function() suppressWarnings(
  cfa(syntax, d, ordered = names(d), estimator = "WLSMV", do.fit = FALSE))
invisible(work()); t <- proc.time(); invisible(work())
cat(as.character(packageVersion("lavaan")), (proc.time() - t)[["elapsed"]])
"""


def lavaan_seconds(answers: np.ndarray, names: list[str]) -> tuple[str, float] | None:
    """Return lavaan's version and seconds; None when it cannot be run."""
    if shutil.which("Rscript") is None:
        print("Rscript    not installed")
        return None
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        np.savetxt(where / "data.csv", answers, "%d", ",", header=",".join(names), comments="")
        (where / "run.R").write_text(SCRIPT, encoding="utf-8")
        done = subprocess.run(
            ["Rscript", "run.R"], cwd=where, capture_output=True, text=True, check=False
        )
    if done.returncode:
        print("lavaan     fails here:", done.stderr.strip().splitlines()[-1])
        return None
    version, seconds = done.stdout.split()
    return version, float(seconds)


def simulated(rows: int, categories: int, items: int) -> np.ndarray:
    """Return answers with one common factor."""
    rng = np.random.default_rng(0)
    values = 0.8 * rng.normal(size=(rows, 1)) + 0.6 * rng.normal(size=(rows, items))
    return np.digitize(values, np.linspace(-2, 1.5, categories - 1))


data = mobi()
names = list(data.columns)
five = np.searchsorted([4, 6, 7, 8], data.to_numpy()) + 1
ours = median_seconds(lambda: ordinal_moments(five, names, names), 11)
print(f"csimodel {csi.__version__}: 24 items, five answers, 250 rows {ours * 1e3:.1f} ms")
if peer := lavaan_seconds(five, names):
    report(f"276 correlations, Γ, lavaan {peer[0]}", ours, peer[1], "than lavaan")
for rows, categories in SIZES:
    answers = simulated(rows, categories, len(names))
    for ordered in (names, names[: len(names) // 2]):
        taken = median_seconds(
            lambda answers=answers, ordered=ordered: ordinal_moments(answers, names, ordered), 3
        )
        print(f"{rows:>7,} rows, {categories:>2} answers, {len(ordered)} of {len(names)} ordered "
              f"{taken * 1e3:8.0f} ms")  # fmt: skip
