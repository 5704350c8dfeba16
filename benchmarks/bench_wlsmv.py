"""WLSMV of 23 items of five answers, ECSI without complaints, against lavaan; draws and jackknife.

Both sides include errors, standardised errors and fit measures. lavaan is timed inside R with
proc.time after one run to warm up.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from common import median_seconds, mobi, report

import csimodel as csi

SCRIPT = """
suppressMessages(library(lavaan)); d <- read.csv("data.csv"); syntax <- readLines("model.txt")
work <- function() suppressWarnings({
  fit <- sem(syntax, d, ordered = names(d), estimator = "WLSMV")
  parameterEstimates(fit); standardizedSolution(fit); fitMeasures(fit)
})
invisible(work()); t <- proc.time(); invisible(work())
cat(as.character(packageVersion("lavaan")), (proc.time() - t)[["elapsed"]])
"""


def without_complaints() -> csi.Model:
    """Return the ECSI without its single item."""
    ecsi = csi.models.ecsi()
    kept = tuple(c for c in ecsi.constructs if c.name != "Complaints")
    return csi.Model(kept, [path for path in ecsi.paths if "Complaints" not in path])


def lavaan_seconds(answers: pd.DataFrame, model: csi.Model) -> tuple[str, float] | None:
    """Return lavaan's version and seconds; None when it cannot be run."""
    if shutil.which("Rscript") is None:
        print("Rscript    not installed")
        return None
    lines = [f"{c.name} =~ {' + '.join(c.items)}" for c in model.constructs]
    lines += [f"{path.target} ~ {path.source}" for path in model.paths]
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        answers.to_csv(where / "data.csv", index=False)
        (where / "model.txt").write_text("\n".join(lines), encoding="utf-8")
        (where / "run.R").write_text(SCRIPT, encoding="utf-8")
        done = subprocess.run(
            ["Rscript", "run.R"], cwd=where, capture_output=True, text=True, check=False
        )
    if done.returncode:
        print("lavaan     fails here:", done.stderr.strip().splitlines()[-1])
        return None
    version, seconds = done.stdout.split()
    return version, float(seconds)


def fitted(model: csi.Model, five: pd.DataFrame) -> csi.estimators.Fit:
    """Fit, with what is read off a fit."""
    fit = csi.fit(model, five, csi.WLSMV())
    assert len(fit.parameters)
    assert len(fit.fit_measures)
    return fit


model = without_complaints()
data = mobi()[list(model.items)]
five = pd.DataFrame(np.searchsorted([4, 6, 7, 8], data.to_numpy()) + 1, columns=data.columns)
ours = median_seconds(lambda: fitted(model, five), 7)
print(f"csimodel {csi.__version__}: 23 items, five answers, 250 rows")
if peer := lavaan_seconds(five, model):
    report(f"WLSMV, lavaan {peer[0]}", ours, peer[1], "than lavaan")
fit = fitted(model, five)
draws = median_seconds(lambda: csi.bootstrap(fit, 64, rng=1, progress=False), 1)
print(f"a bootstrap draw {draws / 64 * 1e3:.1f} ms")
print(f"the jackknife of 250 {median_seconds(lambda: csi.jackknife(fit), 1):.2f} s")
