"""Linearised errors beside those of 10,000 draws: the mobile phone survey, and the ACSI of 2015.

Run ``python benchmarks/errors_against_draws.py`` (a minute; the ACSI is where `csi.load_acsi2015`
finds it). For each quantity the lowest and the highest ratio of the linearised standard error to
the standard deviation of draws, over its entries that vary. Bars: 5 % for paths, effects and the
index, 10 % for loadings of constructs of several items. Heavy-tailed draws, as of HTMT and of
corrected paths, have no bar: a few of them make their standard deviation.
"""

import common  # noqa: F401  one thread, before NumPy is loaded
import numpy as np

import csimodel as csi
from csimodel.estimators import Fit

DRAWS = 10_000
BARS = {
    "paths": 5, "indirect_effects": 5, "total_effects": 5, "index": 5, "loadings": 10,
    "weights": None, "r2": None, "rho_a": None, "htmt": None,
}  # fmt: skip


def ratios(fit: Fit, quantities: dict[str, int | None], name: str) -> None:
    """Print the ratios of a fit's errors."""
    linear = csi.linearize(fit)
    draws = csi.bootstrap(fit, DRAWS, rng=1, progress=False)
    for quantity, bar in quantities.items():
        ours, theirs = (own.table(quantity)["se"] for own in (linear, draws))
        varying = (ours > 0) & (theirs > 0)
        ratio = (ours / theirs)[varying].to_numpy()
        away = 100.0 * np.abs(ratio - 1.0).max()
        told = "no bar" if bar is None else f"bar {bar} %, {'met' if away <= bar else 'missed'}"
        print(
            f"{name:<24}{quantity:<18}{len(ratio):>3} entries  {ratio.min():.3f} to "
            f"{ratio.max():.3f}  {away:4.1f} % away at most ({told})"
        )


def main() -> None:
    """Print the table."""
    mobi, acsi = csi.load_mobi(), csi.load_acsi2015(missing="listwise")
    for name, model, survey in (
        ("mobi, 250", csi.models.ecsi(), mobi),
        ("ACSI 2015", csi.models.acsi(), acsi),
    ):
        fit = csi.fit(model, survey)
        ratios(fit, BARS, f"{name} ({fit.n:,})" if survey is acsi else name)
    consistent = csi.fit(csi.models.ecsi(), mobi, csi.PLS(consistent=True))
    ratios(consistent, {"paths": None}, "mobi, 250, PLSc")


if __name__ == "__main__":
    main()
