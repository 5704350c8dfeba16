"""ML: one fit of the full ECSI, bootstrap refits of it and of a reduced one, MLR at 100,000 rows.

Against lavaan and semopy.

lavaan is timed inside R after one run to warm up, both sides in processor time; both are fitted
with expected information, errors and tests, and fit measures where they belong to a fit. Every
refit of ours yields parameters, standardised paths, loadings and weights. The full ECSI is nearly
unidentified in these answers, and many of its draws have no minimum; the reduced one loses none.

The floor: an iteration of a 59-parameter model inverts one 24 × 24 matrix, multiplies it with two
24 × 59 ones and solves 59 equations, about 0.5 MFLOP; ten iterations. MLR adds the fourth-order
moments, rows × q (q + 1) flops with q = 252 moments of 21 items: 6.4 GFLOP at 100,000 rows.
"""

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import MODEL, installed, mobi, quietly, report

import csimodel as csi

DRAWS, THEIR_DRAWS, FITS, MANY = 200, 20, 5, 100_000
REDUCED = csi.Model(
    tuple(c for c in MODEL.constructs if c.name != "Expectation"),
    (
        ("Image", "Quality"),
        ("Quality", "Value"),
        ("Quality", "Satisfaction"),
        ("Value", "Satisfaction"),
        ("Satisfaction", "Complaints"),
        ("Satisfaction", "Loyalty"),
        ("Complaints", "Loyalty"),
    ),
)
SCRIPT = """
suppressMessages(library(lavaan))
d <- read.csv("data.csv"); full <- readLines("full.txt"); reduced <- readLines("reduced.txt")
fit <- function() suppressWarnings(sem(full, d))
invisible(fit()); one <- numeric({fits})
for (k in seq_along(one)) {{ t <- proc.time(); fit(); one[k] <- (proc.time() - t)[["user.self"]] }}
refits <- function(text) {{
  f <- suppressWarnings(sem(text, d)); draw <- function() suppressWarnings(
    bootstrapLavaan(f, R = {draws}, FUN = coef, parallel = "no"))
  set.seed(1); invisible(draw()); t <- proc.time(); b <- draw()
  taken <- (proc.time() - t)[["user.self"]] / {draws}
  c(taken, sum(!is.finite(rowSums(b))) + {draws} - nrow(b))
}}
many <- read.csv("many.csv")
big <- function() suppressWarnings(sem(reduced, many, estimator = "MLR"))
invisible(big()); t <- proc.time(); invisible(fitMeasures(big()))
mlr <- (proc.time() - t)[["user.self"]]
cat(as.character(packageVersion("lavaan")), median(one), refits(full), refits(reduced), mlr)
"""


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median processor time of `work` after one run to warm up."""
    work()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def lavaan_numbers() -> tuple[str, list[float]] | None:
    """Return lavaan's version and its numbers; None without it.

    Seconds of a fit; of a draw, and draws lost, of the full and of the reduced model; and of MLR.
    """
    if shutil.which("Rscript") is None:
        print("Rscript    not installed")
        return None
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        mobi().to_csv(where / "data.csv", index=False)
        many.to_csv(where / "many.csv", index=False)
        (where / "full.txt").write_text(MODEL.to_lavaan() + "\n", encoding="utf-8")
        (where / "reduced.txt").write_text(REDUCED.to_lavaan() + "\n", encoding="utf-8")
        (where / "run.R").write_text(SCRIPT.format(fits=FITS, draws=THEIR_DRAWS), encoding="utf-8")
        done = subprocess.run(
            ["Rscript", "run.R"], cwd=where, capture_output=True, text=True, check=False
        )
    if done.returncode:
        print("lavaan     fails here:", done.stderr.strip().splitlines()[-1])
        return None
    version, *numbers = done.stdout.split()
    return version, [float(number) for number in numbers]


data = mobi()
rng = np.random.default_rng(1)
many = data[list(REDUCED.items)].sample(MANY, replace=True, random_state=1).reset_index(drop=True)
many = many + rng.normal(0, 0.5, many.shape)


def fit_and_judge() -> None:
    """Fit, with errors and fit measures."""
    fit = csi.fit(MODEL, data, csi.ML())
    fit.parameters  # noqa: B018
    fit.fit_measures  # noqa: B018


def fit_robustly() -> None:
    """Fit 100,000 rows with robust errors and scaled tests."""
    fit = csi.fit(REDUCED, many, csi.ML(se="robust"))
    fit.parameters  # noqa: B018
    fit.fit_measures  # noqa: B018


def refits(model: csi.Model) -> tuple[float, dict[str, int]]:
    """Return seconds a bootstrap draw, and the draws that were lost, by reason."""
    fit = csi.fit(model, csi.load_mobi(), csi.ML())
    taken = median_seconds(lambda: csi.bootstrap(fit, DRAWS, 7, progress=False), 3)
    lost = csi.bootstrap(fit, DRAWS, 7, progress=False).failed
    return taken / DRAWS, {str(reason): int(count) for reason, count in lost.items()}


ours = median_seconds(fit_and_judge, 21)
robust = median_seconds(fit_robustly, 3)
whole, whole_lost = refits(MODEL)
draw, lost = refits(REDUCED)
print(f"csimodel {csi.__version__}: one fit with errors and measures {ours * 1e3:.1f} ms, "
      f"MLR of {MANY:,} rows {robust:.2f} s, one thread")  # fmt: skip
print(f"a bootstrap refit of the full ECSI {whole * 1e3:.2f} ms, of {DRAWS} lost {whole_lost}")
print(f"a bootstrap refit of the reduced one {draw * 1e3:.2f} ms, of {DRAWS} lost {lost}")

if peer := lavaan_numbers():
    version, (their_fit, their_whole, gone, their_draw, away, their_robust) = peer
    report(f"full ECSI, lavaan {version}", ours, their_fit, "than lavaan")
    report(f"full refit, {gone:.0f} of {THEIR_DRAWS} lost", whole, their_whole, "a draw")
    report(f"reduced refit, {away:.0f} of {THEIR_DRAWS} lost", draw, their_draw, "a draw")
    report(f"MLR, {MANY:,} rows, lavaan {version}", robust, their_robust, "than lavaan")

if installed("semopy"):
    import semopy

    def by_semopy() -> None:
        """Fit and take errors and measures."""
        model = semopy.Model(MODEL.to_semopy())
        model.fit(data)
        model.inspect()
        semopy.calc_stats(model)

    report(f"full ECSI, semopy {semopy.__version__}", ours,
           median_seconds(quietly(by_semopy), 3), "than semopy")  # fmt: skip
