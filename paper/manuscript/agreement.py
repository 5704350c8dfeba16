"""Agreement with other programs: largest differences from the values that they printed.

A difference is absolute for standardised numbers (weights, loadings, paths, R², correlations), and
else relative to the larger of the other program's value and .01.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

import csimodel as csi
from manuscript.part import Part, Table, power_above

TESTS = Path(__file__).parents[2] / "tests"
REFERENCE = TESTS / "reference"
SCHEMES = ("path", "factorial", "centroid")
MEANS = {"CUSA1": (1, 10), "CUSL1": (1, 10), "index": (0, 100)}
DESIGNS = {
    "weights_only": {},
    "clusters_only": {"cluster": "psu"},
    "full": {"strata": "stratum", "cluster": "psu"},
    "full_fpc": {"strata": "stratum", "cluster": "psu", "population": "fpc"},
}
SINGLE = csi.Model.from_syntax("A =~ CUSA1\nB =~ CUSL1\nC =~ index\nB ~ A\nC ~ A")


class Row(NamedTuple):
    """What is compared with a program, and how far apart the numbers are."""

    program: str
    what: str
    differences: np.ndarray


def part(*, full: bool = True) -> Part:
    """Compute the part; less the slow fits of incomplete answers where it is not wanted `full`."""
    sys.path.insert(0, str(TESTS))
    try:
        rows = [*_pls(), *_smartpls(), *_draws(), *_lavaan(full), *_r()]
    finally:
        sys.path.remove(str(TESTS))
    bounds = [power_above(row.differences) for row in rows]
    table = Table(
        ["Program", "Numbers", "Compared", "No difference above"],
        [
            [row.program, row.what, f"{row.differences.size:,}", _scientific(bound)]
            for row, bound in zip(rows, bounds, strict=True)
        ],
        left=2,
    )
    numbers = {f"bound.{row.program}.{row.what}": b for row, b in zip(rows, bounds, strict=True)}
    numbers["compared"] = sum(row.differences.size for row in rows)
    numbers["programs"] = len({row.program for row in rows})
    return Part(numbers, {"agreement": table})


def _scientific(bound: float) -> str:
    return f"10^{round(np.log10(bound))}"


def _read(name: str) -> dict:
    return json.loads((REFERENCE / name).read_text(encoding="utf-8"))


def _frame(entry: dict) -> pd.DataFrame:
    return pd.DataFrame(entry["data"], entry["rows"], entry["cols"]).astype(float)


def _apart(ours: pd.DataFrame, theirs: pd.DataFrame) -> np.ndarray:
    """Return absolute differences where either has a number that is not 0."""
    other = theirs.loc[ours.index, ours.columns].to_numpy()
    own = ours.to_numpy(float)
    return np.abs(own - other)[(own != 0) | (other != 0)]


def _relative(ours: object, theirs: object) -> np.ndarray:
    own, other = np.asarray(ours, float), np.asarray(theirs, float)
    return np.abs(own - other) / np.maximum(np.abs(other), 1e-2)


def _fit(scheme: str, consistent: bool = False) -> csi.estimators.Fit:
    estimator = csi.PLS(scheme, consistent, tolerance=1e-13, max_iterations=3000)
    return csi.fit(csi.models.ecsi(), csi.load_mobi(), estimator)


def _pls() -> Iterator[Row]:
    every = _read("mobi_pls.json")
    for consistent, name, key in ((False, "PLS", "modeA"), (True, "PLSc", "plsc")):
        found = []
        for scheme in SCHEMES:
            fit, theirs = _fit(scheme, consistent), every["csem"][f"{scheme}_{key}"]
            found += [
                _apart(fit.paths, _frame(theirs["paths"])),
                _apart(fit.weights, _frame(theirs["weights"]).T),
                _apart(fit.loadings, _frame(theirs["loadings"]).T),
                _apart(fit.construct_cor, _frame(theirs["construct_vcv"])),
                np.abs(fit.r2 - pd.Series(theirs["R2"])[fit.r2.index]).to_numpy(),
            ]
        yield Row(
            "cSEM", f"{name}: weights, loadings, paths, correlations, R²", np.concatenate(found)
        )
    for consistent, name, key in ((False, "PLS", "modeA"), (True, "PLSc", "plsc")):
        found = []
        for scheme in ("path", "factorial"):
            fit, theirs = _fit(scheme, consistent), every["seminr"][f"{scheme}_{key}"]
            found += [
                _apart(fit.paths, _frame(theirs["paths"]).T),
                _apart(fit.weights, _frame(theirs["weights"])),
                _apart(fit.loadings, _frame(theirs["loadings"])),
                _apart(fit.total_effects, _frame(theirs["total_effects"]).T),
            ]
        yield Row(
            "seminr", f"{name}: weights, loadings, paths, total effects", np.concatenate(found)
        )
    found = {"semPLS": [], "matrixpls": []}
    for scheme in SCHEMES:
        fit, matrix = _fit(scheme), every["matrixpls"][f"{scheme}_modeA"]
        own = every["sempls"][scheme]
        found["semPLS"] += [
            _apart(fit.loadings, _frame(own["loadings"])),
            _apart(fit.paths, _frame(own["paths"]).T),
        ]
        found["matrixpls"] += [
            _apart(fit.weights, _frame(matrix["W"]).T),
            _apart(fit.paths, _frame(matrix["inner"])),
        ]
    yield Row("semPLS", "PLS: loadings, paths", np.concatenate(found["semPLS"]))
    yield Row("matrixpls", "PLS: weights, paths", np.concatenate(found["matrixpls"]))


def _smartpls() -> Iterator[Row]:
    found = []
    for scheme in SCHEMES:
        fit, theirs = _fit(scheme), _read("mobi_smartpls.json")[scheme]
        weights = _frame(theirs["weights"])
        found += [
            _apart(fit.paths, _frame(theirs["paths"]).T),
            _apart(fit.total_effects, _frame(theirs["total_effects"]).T),
            _apart(fit.cross_loadings, _frame(theirs["cross_loadings"])),
            _apart(fit.weights / fit.weights.sum(), weights / weights.sum()),
        ]
    what = "PLS: weights, paths, total effects, cross loadings, as published"
    yield Row("SmartPLS", what, np.concatenate(found))


def _draws() -> Iterator[Row]:
    """Compare errors of the same resamples."""
    file = REFERENCE / "mobi_boot_indices_500x250_1based.csv"
    rows = np.loadtxt(file, delimiter=",", dtype=int) - 1
    fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    boot = csi.bootstrap(fit, resamples=rows)
    theirs = _read("mobi_bootstrap.json")["seminr"]["modeA"]["stats"]
    found = []
    for entry, quantity in (
        ("paths", "paths"),
        ("total", "total_effects"),
        ("loadings", "loadings"),
    ):
        spread = boot.draws(quantity).std()
        for label, value in theirs[entry]["sd"].items():
            one, other = label.split(" -> ")
            key = (one, other) if quantity == "loadings" else (other, one)
            found.append(abs(spread[key] - value))
    yield Row("seminr", "PLS: bootstrap errors on the same resamples", np.array(found))


def _lavaan(full: bool) -> Iterator[Row]:
    from lavaan_cases import COLUMNS, Cases, cases, lavaan_name

    ours, found = Cases(), {}
    for name, case in cases().items():
        incomplete = "fiml" in name
        if not name.startswith("tight_") or "wlsmv" in name or (incomplete and not full):
            continue
        fit, _ = ours.fit(name)
        both = {lavaan_name(str(k)): v for k, v in fit.fit_measures.items()}
        values = {k: v for k, v in case["fit_measures"].items() if v is not None}
        own = [k for k in both if k in values and np.isfinite(both[k])]
        own = [k for k in own if not (incomplete and k in ("gfi", "agfi"))]  # other convention
        theirs = [float(values[k]) for k in own]
        found.setdefault((incomplete, "measures"), []).append(
            _relative([both[k] for k in own], theirs)
        )
        if "sem" not in name:  # single estimates of the full model are nearly unidentified
            found.setdefault((incomplete, "columns"), []).extend(
                _column(fit.parameters, case, *which) for which in COLUMNS
            )
    words = {"measures": "χ² and fit measures", "columns": "estimates and errors"}
    kinds = {False: "ML, MLR, MLM, zero gradient", True: "full information, default stopping rule"}
    for (incomplete, kind), parts in found.items():
        yield Row("lavaan", f"{kinds[incomplete]}: {words[kind]}", np.concatenate(parts))


def _column(table: pd.DataFrame, case: dict, key: str, ours: str, theirs: str) -> np.ndarray:
    entry = case[key]
    own = table.set_index(["lhs", "op", "rhs"])[ours]
    found = []
    for lhs, op, rhs, value in zip(
        entry["lhs"], entry["op"], entry["rhs"], entry[theirs], strict=True
    ):
        place = (lhs, op, rhs) if (lhs, op, rhs) in own.index else (rhs, op, lhs)
        if place in own.index and value and np.isfinite(own[place]):
            found.append(float(_relative(own[place], value)))
    return np.array(found)


def _r() -> Iterator[Row]:
    theirs = pd.Series(_read("mobi_index.json")["mean"])
    scores = csi.index_scores(csi.fit(csi.models.ecsi(), csi.load_mobi()))["mean"]
    own = csi.index_scores(_fit("path"))["mean"]
    yield Row("R", "index, from seminr's weights", _relative(own, theirs[scores.index]))
    lines = pd.read_csv(REFERENCE / "mobi_index_scores.csv")
    drivers = ["Image", "Quality", "Value", "Satisfaction", "Complaints"]
    outcome, entries = csi.load_mobi().data["CUSL1"] >= 8, _read("mobi_repurchase.json")
    found = []
    for errors, entry in (("nonrobust", "logit"), ("HC0", "logit_HC0"), ("HC1", "logit_HC1")):
        rep = csi.repurchase(index=lines[drivers], outcome=outcome, family="logit", errors=errors)
        found += [
            _relative(rep.coefficients["estimate"], entries[entry]["Estimate"]),
            _relative(rep.coefficients["se"], entries[entry]["Std. Error"]),
        ]
    yield Row("R", "logit on the index: coefficients, robust errors", np.concatenate(found))
    data, found = pd.read_csv(REFERENCE / "mobi_survey_data.csv"), []
    quantity = csi.Quantity(
        "item_means",
        lambda model: pd.Index(list(model.items), name="item"),
        lambda solution: solution.moments.mean,
        null=None,
    )
    for name, design in DESIGNS.items():
        survey = csi.read_survey(data, scale=MEANS, items=list(MEANS), weights="weight", **design)
        table = csi.linearize(csi.fit(SINGLE, survey)).table(quantity)
        entry = _read("mobi_survey_design.json")["linearised"][name]["mean"]
        values = pd.DataFrame(entry, columns=["estimate", "se"], index=entry["names"])
        found.append(_relative(table[["estimate", "se"]], values.loc[table.index]).ravel())
    what = "means and design-based errors, four designs"
    yield Row("R's survey", what, np.concatenate(found))
