"""Put the results of SmartPLS on the ECSI into one file.

    python mobi_smartpls.py FOLDER > ../mobi_smartpls.json

FOLDER is ``tests/SmartPLS/results/ecsi`` of the source package semPLS 1.0-10 (Monecke and Leisch 2012,
https://doi.org/10.18637/jss.v048.i03), where its authors published what SmartPLS 2.0.M3 wrote:
tables with a decimal comma and eight decimals, stopping rule 1e-7.
"""

import json
import sys
from pathlib import Path

KINDS = {
    "weights": "outerWeights",
    "paths": "pathCoefficients",
    "total_effects": "totalEffects",
    "cross_loadings": "crossLoadings",
}
SCHEMES = {"path": "pathWeighting", "factorial": "factorial", "centroid": "centroid"}


def table(file: Path) -> dict[str, object]:
    """Return a table of SmartPLS: rows, columns, numbers."""
    lines = [
        line.split() for line in file.read_text(encoding="latin-1").splitlines() if line.strip()
    ]
    rows = [line[0] for line in lines[1:]]
    data = [[float(cell.replace(",", ".")) for cell in line[1:]] for line in lines[1:]]
    return {"rows": rows, "cols": lines[0], "data": data}


def main() -> None:
    """Print the file."""
    folder = Path(sys.argv[1])
    values: dict[str, object] = {
        "provenance": {
            "program": "SmartPLS 2.0.M3",
            "settings": "data standardised, initial weights 1, stopping rule 1e-7, 8 decimals; "
            "paths and effects from rows to columns, weights not scaled to unit variance",
            "published": "semPLS 1.0-10 (CRAN), tests/SmartPLS/results/ecsi; Monecke and Leisch "
            "(2012), doi 10.18637/jss.v048.i03",
            "data": "data/mobi.csv",
            "script": "scripts/mobi_smartpls.py",
        }
    }
    for scheme, name in SCHEMES.items():
        values[scheme] = {
            kind: table(folder / name / f"{file}.txt") for kind, file in KINDS.items()
        }
    print(json.dumps(values, indent=1))


if __name__ == "__main__":
    main()
