"""Every case that lavaan converged on, beside ours: largest relative differences.

``python benchmarks/against_lavaan.py [cases]`` prints one line a case, those that begin with a word
given. The values are lavaan 0.6-14's, in ``tests/reference/mobi_lavaan_cases.json``. Cases that
begin with "tight" were polished to a zero gradient there; the others stop at lavaan's default,
some 1e-4 from the optimum in their estimates. Single estimates of the full ECSI (``sem_…``) are
nearly unidentified, so they are printed and not judged. Differences are relative to the larger of
lavaan's value and .01; in parentheses, how many numbers were compared.
"""

import sys
from pathlib import Path

from common import quietly

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from lavaan_cases import COLUMNS, Cases, cases, columns, measures


def main() -> None:
    """Print the table."""
    ours, wanted = Cases(), sys.argv[1:]
    print(f"{'case':<36} {'χ² here':>12} {'lavaan':>12}  measures           estimates   errors"
          "      standardised  errors")  # fmt: skip
    for name, case in cases().items():
        if wanted and not any(name.startswith(start) for start in wanted):
            continue
        fit, order = quietly(lambda name=name: ours.fit(name))()
        theirs = case["fit_measures"]["chisq"]
        if not fit.converged:
            print(f"{name:<36} {'not converged':>12} {theirs:12.6f}")
            continue
        worst, whose, count = measures(fit, case)
        found = [columns(fit.parameters, case, *which, order) for which in COLUMNS]
        parts = [f"{gap:.0e} ({many})" if many else "-" for gap, many in found]
        line = "  ".join(f"{part:<12}" for part in parts)
        print(f"{name:<36} {fit.fit_measures['chisq']:12.6f} {theirs:12.6f}  "
              f"{worst:.0e} ({count}) {whose:<22} {line}")  # fmt: skip


if __name__ == "__main__":
    main()
