"""ML: one fit of the full ECSI and its bootstrap; refits and MLR at 100,000 rows of a reduced one.

Against lavaan and semopy.

lavaan is timed inside R with proc.time after one run to warm up; both are fitted with expected
information, errors and tests, and fit measures where they belong to a fit. Every refit of ours
yields parameters, standardised paths, loadings and weights.

The floor: an iteration of a 59-parameter model inverts one 24 × 24 matrix, multiplies it with two
24 × 59 ones and solves 59 equations, about 0.5 MFLOP; ten iterations. MLR adds the fourth-order
moments, rows × q (q + 1) flops with q = 252 moments of 21 items: 6.4 GFLOP at 100,000 rows.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from common import MODEL, installed, median_seconds, mobi, quietly, report

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
for (k in seq_along(one)) {{ t <- proc.time(); fit(); one[k] <- (proc.time() - t)[["elapsed"]] }}
r <- suppressWarnings(sem(reduced, d)); draw <- function() suppressWarnings(
  bootstrapLavaan(r, R = {draws}, FUN = coef, parallel = "no"))
set.seed(1); invisible(draw()); t <- proc.time(); invisible(draw())
refit <- (proc.time() - t)[["elapsed"]] / {draws}
many <- read.csv("many.csv")
big <- function() suppressWarnings(sem(reduced, many, estimator = "MLR"))
invisible(big()); t <- proc.time(); invisible(fitMeasures(big()))
robust <- (proc.time() - t)[["elapsed"]]
f <- fit(); set.seed(1); t <- proc.time()
b <- suppressWarnings(bootstrapLavaan(f, R = {draws}, FUN = coef, parallel = "no"))
whole <- (proc.time() - t)[["elapsed"]] / {draws}
cat(as.character(packageVersion("lavaan")), median(one), refit, robust, whole,
    {draws} - sum(complete.cases(b)))
"""


def lavaan_seconds() -> tuple[str, tuple[float, ...]] | None:
    """Return lavaan's version, its seconds for a fit, a draw, MLR and a draw of the whole ECSI, and
    how many of these it lost; None without it.
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
    version, *figures = done.stdout.split()
    return version, tuple(map(float, figures))


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


ours = median_seconds(fit_and_judge, 21)
robust = median_seconds(fit_robustly, 3)
reduced = csi.fit(REDUCED, csi.load_mobi(), csi.ML())
draw = median_seconds(lambda: csi.bootstrap(reduced, DRAWS, 7, progress=False), 3) / DRAWS
print(f"csimodel {csi.__version__}: one fit with errors and measures {ours * 1e3:.1f} ms, "
      f"a bootstrap refit {draw * 1e3:.2f} ms, MLR of {MANY:,} rows {robust:.2f} s, "
      "one thread")  # fmt: skip

full = csi.fit(MODEL, csi.load_mobi(), csi.ML())
whole = median_seconds(lambda: csi.bootstrap(full, DRAWS, 7, progress=False), 3) / DRAWS
lost = csi.bootstrap(full, DRAWS, 7, progress=False).failed
print(
    f"bootstrap of the whole ECSI: {whole * 1e3:.1f} ms a draw, {int(lost.sum())} of {DRAWS} lost"
)
print(lost.to_string() if len(lost) else "")

if peer := lavaan_seconds():
    version, (their_fit, their_draw, their_robust, their_whole, their_lost) = peer
    report(f"full ECSI, lavaan {version}", ours, their_fit, "than lavaan")
    report(f"bootstrap refit, lavaan {version}", draw, their_draw, "a draw")
    report(f"MLR, {MANY:,} rows, lavaan {version}", robust, their_robust, "than lavaan")
    report(f"whole ECSI, draws, lavaan {version}", whole, their_whole, "a draw")
    print(f"lavaan lost {their_lost:.0f} of {THEIR_DRAWS} draws of the whole ECSI")

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
