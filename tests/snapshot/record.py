"""Turn results of any kind into labelled columns of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from csimodel.errors import CsimodelError

LONG = 60  # entries above which a column is kept as sums and its first entries
# Parts of results that are results of their own, inputs, or the estimator's inner state.
# fmt: off
SKIPPED = {
    "answers", "bootstrap", "bootstraps", "bounds", "cells", "chain", "codes",
    "customers", "data", "design", "dropped", "economics", "effects", "estimates",
    "estimator", "family", "fit", "fits", "fitted", "jackknife", "means",
    "moments", "naive", "place", "regression", "repurchase", "respondents", "smoothed",
    "solution", "survey", "terms", "truth", "units", "residual_table", "panel",
    "gaps", "pulls", "groups", "residuals", "model", "blocks",
    "replications",
}
# fmt: on
NUMBERS = ({int}, {float}, {int, float})
WORDS = ("verdict", "distribution")
FINDINGS = ("diagnostics", "findings", "warned")


class Recorder:
    """Numbers by label: ``tables[label] = {"rows": […], "columns": {name: […]}}``."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, object]] = {}
        self.findings: dict[str, list[str]] = {}
        self.refusals: dict[str, str] = {}

    def take(self, label: str, call: Callable[[], object]) -> object:
        """Record what a call returns, or that it was refused; return it (None when refused)."""
        try:
            result = call()
        except CsimodelError as error:
            self.refusals[label] = f"{type(error).__name__}: {error}"
            return None
        self.put(label, result)
        return result

    def put(self, label: str, value: object) -> None:
        """Record a value and the public parts of it."""
        if isinstance(value, pd.DataFrame):
            self._table(label, [named(row) for row in value.index], value.items())
        elif isinstance(value, pd.Series):
            self._table(label, [named(row) for row in value.index], [("value", value)])
        elif hasattr(value, "to_series"):  # an estimate with its error
            self.put(label, value.to_series())
        elif isinstance(value, bool | int | float | np.number | np.bool_):
            self._table(label, [""], [("value", [value])])
        elif isinstance(value, np.ndarray):
            flat = value.reshape(-1)
            self._table(label, [str(k) for k in range(len(flat))], [("value", flat)])
        elif isinstance(value, Mapping):
            for key, part in value.items():
                self.put(f"{label}[{named(key)}]", part)
        elif is_dataclass(value):
            self._parts(label, value)
        elif isinstance(value, tuple | list) and {type(v) for v in value} in NUMBERS:
            self.put(label, np.asarray(value, dtype=float))

    def _parts(self, label: str, value: object) -> None:
        kind = type(value)
        names = {field.name for field in fields(value)} | {
            name
            for base in kind.__mro__
            for name, part in vars(base).items()
            if isinstance(part, property | cached_property)
        }
        for name in sorted(names):
            if name.startswith("_") or name in SKIPPED:
                continue
            where = f"{label}.{name}"
            try:
                part = getattr(value, name)
            except CsimodelError as error:
                self.refusals[where] = f"{type(error).__name__}: {error}"
                continue
            if name in FINDINGS:
                self.findings[where] = sorted(finding.code for finding in part)
            elif is_dataclass(part) and not hasattr(part, "to_series"):
                continue
            else:
                self.put(where, part)

    def _table(self, label: str, rows: list[str], columns: object) -> None:
        if label in self.tables:
            raise ValueError(f"two results are labelled {label!r}")
        if len(set(rows)) < len(rows):
            rows = [f"{row} #{k}" for k, row in enumerate(rows)]
        kept: dict[str, list[object]] = {}
        for name, column in columns:
            array = np.asarray(column)
            if named(name) in WORDS:
                words = {"rows": rows, "columns": {named(name): [str(part) for part in array]}}
                self.tables[f"{label} {named(name)}"] = words
                continue
            if array.dtype == object:
                array = pd.to_numeric(pd.Series(array.reshape(-1)), errors="coerce").to_numpy(float)
                if np.isnan(array).all():
                    continue  # words
            if array.dtype.kind not in "bifu":
                continue
            kept[named(name)] = shortened(array.astype(float))
        if kept:
            long = len(rows) > LONG
            self.tables[label] = {"rows": SUMMED if long else rows, "columns": kept}


SUMMED = ["length", "missing", "sum", "squares", "weighted sum", *map(str, range(10))]


def shortened(values: np.ndarray) -> list[object]:
    """Return the values, or of many their sums and the first ten; NaN and infinity as words."""
    if len(values) > LONG:
        whole = values[np.isfinite(values)]
        turns = np.cos(np.arange(len(values)))[np.isfinite(values)]
        missing = len(values) - len(whole)
        sums = [len(values), missing, whole.sum(), (whole**2).sum(), (turns * whole).sum()]
        values = np.array([*sums, *values[:10]])
    return [
        float(v) if np.isfinite(v) else "nan" if np.isnan(v) else "inf" if v > 0 else "-inf"
        for v in values
    ]


def named(label: object) -> str:
    """Return a label in words, those of several levels joined by a bar."""
    return " | ".join(map(str, label)) if isinstance(label, tuple) else str(label)
