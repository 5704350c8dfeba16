"""Tables of our numbers beside those of other programs, computed when the site is built."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from sphinx.application import Sphinx
from written import write

import csimodel as csi

REFERENCE = Path(__file__).parents[2] / "tests" / "reference"
PROGRAMS = {"seminr": "seminr", "csem": "cSEM", "sempls": "semPLS", "matrixpls": "matrixpls"}


class Case(NamedTuple):
    """One fit by another program, and ours."""

    program: str
    name: str
    what: str
    theirs: pd.Series
    ours: pd.Series

    @property
    def difference(self) -> float:
        """The largest absolute difference."""
        return float((self.theirs - self.ours).abs().max())


def cases() -> list[Case]:
    """Return every comparison that the tables show."""
    return [_smartpls(), *_composites(), *_covariance()]


def _read(file: str) -> Any:
    return json.loads((REFERENCE / file).read_text(encoding="utf-8"))


def _matrix(entry: Any) -> pd.DataFrame:
    return pd.DataFrame(entry["data"], entry["rows"], entry["cols"], dtype=float)


def _smartpls() -> Case:
    values = _read("mobi_smartpls.json")
    model = csi.models.ecsi()
    fit = csi.fit(model, csi.load_mobi())
    paths = _matrix(values["path"]["paths"])
    pairs = [(path.target, path.source) for path in model.paths]
    return Case(
        values["provenance"]["program"], "smartpls-pls", "PLS: paths",
        pd.Series({(target, source): paths.loc[source, target] for target, source in pairs}),
        pd.Series({pair: fit.paths.loc[pair] for pair in pairs}),
    )  # fmt: skip


def _composites() -> Iterator[Case]:
    values = _read("mobi_pls.json")
    version = {**values["provenance"]["programs"]}
    model, survey = csi.models.ecsi(), csi.load_mobi()
    for program, title in PROGRAMS.items():
        for name in ("path_modeA", "path_plsc", "path"):
            if name not in values[program]:
                continue
            theirs = values[program][name]
            fit = csi.fit(model, survey, csi.PLS(consistent=name == "path_plsc"))
            label = "PLSc" if name == "path_plsc" else "PLS"
            paths = _matrix(theirs["inner" if program == "matrixpls" else "paths"])
            if program in ("seminr", "sempls"):
                paths = paths.T
            pairs = [(path.target, path.source) for path in model.paths]
            yield Case(
                f"{title} {version[title]}", f"{program}-{label.lower()}", f"{label}: paths",
                pd.Series({pair: paths.loc[pair] for pair in pairs}),
                pd.Series({pair: fit.paths.loc[pair] for pair in pairs}),
            )  # fmt: skip


def _covariance() -> Iterator[Case]:
    values = _read("mobi_lavaan.json")
    model = csi.Model.from_syntax(values["reduced_syntax"])
    fit = csi.fit(model, csi.load_mobi(), csi.ML())
    standardized = values["reduced_ml"]["standardized"]
    rows = zip(*(standardized[key] for key in ("op", "lhs", "rhs", "est.std")), strict=True)
    theirs = {(lhs, rhs): value for op, lhs, rhs, value in rows if op == "~"}
    program = f"lavaan {values['provenance']['programs']['lavaan']}"
    yield Case(
        program, "lavaan-ml", "ML: standardised paths", pd.Series(theirs),
        pd.Series({pair: fit.paths.loc[pair] for pair in theirs}),
    )  # fmt: skip
    names = ["chisq", "df", "cfi", "tli", "rmsea", "srmr", "aic", "bic"]
    yield Case(
        program, "lavaan-measures", "ML: χ², CFI, TLI, RMSEA, SRMR, AIC, BIC",
        pd.Series({name: values["reduced_ml"]["fit_measures"][name] for name in names}),
        pd.Series({name: float(fit.fit_measures[name]) for name in names}),
    )  # fmt: skip


def _row(name: object, theirs: float, ours: float, decimals: int) -> str:
    label = " ← ".join(name) if isinstance(name, tuple) else str(name)
    return f"| {label} | {theirs:.{decimals}f} | {ours:.{decimals}f} |"


def _page(case: Case) -> str:
    decimals = {"lavaan-measures": 4, "smartpls-pls": 8}.get(case.name, 6)
    rows = [
        _row(name, float(case.theirs[name]), float(case.ours[name]), decimals)
        for name in case.theirs.index
    ]
    head = f"| {case.what} | {case.program} | csimodel |\n| --- | ---: | ---: |"
    return "\n".join([head, *rows, "", f"Largest difference: {case.difference:.0e}.", ""])


def _write(app: Sphinx) -> None:
    every = cases()
    texts = {f"{case.name}.md": _page(case) for case in every}
    rows = [f"| {case.program} | {case.what} | {case.difference:.0e} |" for case in every]
    head = "| program | what | largest difference |\n| --- | --- | ---: |"
    texts["all.md"] = "\n".join([head, *rows, ""])
    write(Path(app.srcdir) / "agreement", texts)


def setup(app: Sphinx) -> dict[str, bool]:
    """Compute them before anything is read."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}
