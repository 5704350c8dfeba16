"""The cases that lavaan converged on: how each is fitted here, and how far apart the two are."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

import csimodel as csi

REFERENCE = Path(__file__).parent / "reference"
ENDS = {
    "rmsea_lower": "rmsea.ci.lower",
    "rmsea_upper": "rmsea.ci.upper",
    "scaling_factor": "chisq.scaling.factor",
    "baseline_scaling_factor": "baseline.chisq.scaling.factor",
    "shift": "chisq.shift.parameter",
    "baseline_shift": "baseline.chisq.shift.parameter",
    "bic_adjusted": "bic2",
    "n": "ntotal",
}
COLUMNS = (
    ("estimates", "estimate", "est"),
    ("estimates", "se", "se"),
    ("standardized", "std", "est.std"),
    ("standardized", "std_se", "se"),
)
LEVELS = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "errors"),
}
EFFECTS = """
Expectation ~ ie*Image
Quality ~ eq*Expectation
Value ~ ev*Expectation + qv*Quality
Satisfaction ~ is*Image + es*Expectation + qs*Quality + vs*Value
Complaints ~ sc*Satisfaction
Loyalty ~ il*Image + sl*Satisfaction + cl*Complaints
"""


def lavaan_name(name: str) -> str:
    """Return what lavaan calls a fit measure."""
    for end in ("_scaled", "_robust"):
        if name.endswith(end) and name.removesuffix(end) in ENDS:
            return ENDS[name.removesuffix(end)] + end.replace("_", ".")
    return ENDS.get(name, name.replace("_", ".") if "nomean" not in name else name)


def cases() -> dict:
    """Return lavaan's values by case."""
    text = (REFERENCE / "mobi_lavaan_cases.json").read_text(encoding="utf-8")
    return json.loads(text)["cases"]


def gaps(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return relative differences."""
    return np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-2)


def measures(fit: object, case: dict) -> tuple[float, str, int]:
    """Return the largest difference of fit measures, whose it is, and how many there are.

    GFI and AGFI of incomplete answers follow another convention than lavaan's and are left out.
    """
    found = {}
    patterns = getattr(getattr(fit, "moments", None), "patterns", None)
    other = () if patterns is None else ("gfi", "agfi")
    for name, value in fit.fit_measures.items():
        theirs = case["fit_measures"].get(lavaan_name(str(name)))
        if theirs is not None and np.isfinite(value) and name not in other:
            found[str(name)] = float(gaps(np.array(value), np.array(float(theirs))))
    worst = max(found, key=found.get)
    return found[worst], worst, len(found)


def columns(
    table: pd.DataFrame, case: dict, key: str, ours: str, theirs: str, order: list
) -> tuple[float, int]:
    """Return the largest difference of a column of the parameters, and how many were compared."""
    if key not in case:
        return np.nan, 0
    keys = [table[c].tolist() for c in ("lhs", "op", "rhs")]
    groups = table["group"].tolist() if "group" in table else [None] * len(table)
    own = dict(zip(zip(*keys, groups, strict=True), table[ours], strict=True))
    own |= {(b, op, a, g): v for (a, op, b, g), v in own.items() if op == "~~"}
    entry = case[key]
    numbers = entry.get("group", [1] * len(entry["lhs"]))
    labels = [order[int(g) - 1] if order else None for g in numbers]
    rows = zip(entry["lhs"], entry["op"], entry["rhs"], labels, entry[theirs], strict=True)
    found = [
        float(gaps(np.array(own[lhs, op, rhs, g]), np.array(value)))
        for lhs, op, rhs, g, value in rows
        if (lhs, op, rhs, g) in own and value and np.isfinite(own[lhs, op, rhs, g])
    ]
    return max(found, default=np.nan), len(found)


class Cases:
    """Data and models of the cases, and how each is fitted here."""

    def __init__(self) -> None:
        texts = json.loads((REFERENCE / "mobi_lavaan.json").read_text(encoding="utf-8"))
        lines = texts["full_syntax"].splitlines()
        self.sem = csi.models.ecsi()
        self.cfa = csi.Model.from_syntax("\n".join(line for line in lines if "=~" in line))
        self.reduced = csi.Model.from_syntax(texts["reduced_syntax"])
        self.effects = csi.Model.from_syntax(
            "\n".join(line for line in lines if "=~" in line) + EFFECTS
        )
        self.data = csi.load_mobi().data.astype(float)
        group = pd.read_csv(REFERENCE / "mobi_group.csv")["group"]
        self.order = list(range(group.nunique()))  # as they come in the file
        self.grouped = self.data.assign(group=pd.factorize(group)[0])
        mask = pd.read_csv(REFERENCE / "mobi_missing_mask.csv")[list(self.data.columns)]
        self.masked = self.data.mask(mask == 1)

    def fit(self, name: str) -> tuple[object, list]:
        """Fit a case; return the fit and lavaan's order of groups."""
        if name.startswith("mg_"):
            return self.groups(name), self.order
        if "wlsmv" in name:
            return self.ordinal(name), []
        model_name, *kinds = name.removeprefix("tight_").split("_")
        model = self.effects if "effects" in kinds else getattr(self, model_name)
        data = self.masked if "fiml" in kinds else self.data
        if {"uls", "dwls"} & set(kinds):
            return csi.fit(model, data, csi.LeastSquares(kinds[0])), []
        se = next((k for k in kinds if k in ("mlr", "mlm", "mlmv")), "expected")
        return csi.fit(
            model,
            data,
            csi.ML(
                se=se,
                missing="fiml" if "fiml" in kinds else "survey",
                means="meanstructure" in kinds,
                likelihood="wishart" if "wishart" in kinds else "normal",
                scaling="variance" if "stdlv" in kinds else "marker",
            ),
        ), []

    def groups(self, name: str) -> object:
        """Fit a case of two groups."""
        *kinds, level = name.removeprefix("mg_").split("_")
        if kinds == ["sem", "paths"]:
            equal = ("loadings",) if level == "free" else ("loadings", "paths")
            estimator = csi.ML(means=True)
            return csi.fit_multigroup(self.sem, self.grouped, "group", estimator, equal=equal)
        estimator = csi.ML(se="mlr" if kinds else "expected", means=True)
        return csi.fit_multigroup(self.cfa, self.grouped, "group", estimator, equal=LEVELS[level])

    def ordinal(self, name: str) -> object:
        """Fit a case of ordered items."""
        if name.startswith("tight"):
            five = pd.read_csv(REFERENCE / "mobi_ordinal5.csv")
            ordered = ("CUSA1", "CUSA2", "CUSA3")
            return csi.fit(self.reduced, five, csi.WLSMV(ordered, normal=True))
        if "all5" in name:
            data, ordered = pd.read_csv(REFERENCE / "mobi_all5.csv"), "all"
        else:
            ordered = ("CUEX1", "CUEX2", "CUEX3", "CUSA1", "CUSA2", "CUSA3")
            raw = "raw10" in name
            data = self.data if raw else pd.read_csv(REFERENCE / "mobi_ordinal5.csv")
        model = self.cfa if "_cfa_" in name else self.sem
        if "noCUSCO" in name:
            kept = tuple(c for c in model.constructs if c.name != "Complaints")
            paths = [p for p in model.paths if "Complaints" not in p]
            model = csi.Model(kept, paths)
        return csi.fit(model, data, csi.WLSMV(ordered, normal=True))
