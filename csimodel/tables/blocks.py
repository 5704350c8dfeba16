"""What stands side by side in a journal table: tidy tables of each fit, by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csimodel.estimators import CovarianceFit, Fit
from csimodel.estimators.compare import Comparison, has_solution
from csimodel.estimators.quantities import find
from csimodel.estimators.requirements import ResampledFit
from csimodel.formatting import label
from csimodel.grid import row_name
from csimodel.translation import message

TITLES: Mapping[str, str] = {
    "paths": message("Paths"),
    "loadings": message("Loadings"),
    "weights": message("Weights"),
    "total_effects": message("Total effects"),
    "indirect_effects": message("Indirect effects"),
    "r2": "R²",
    "r2_adjusted": message("Adjusted R²"),
    "index": message("Index"),
    "rho_a": message("Reliability ρA"),
    "htmt": "HTMT",
    "ave": "AVE",
}
MEASURES: Mapping[str, str] = {
    "n": "N",
    "chisq": "χ²",
    "df": message("df"),
    "pvalue": message("p of χ²"),
    "cfi": "CFI",
    "tli": "TLI",
    "rmsea": "RMSEA",
    "srmr": "SRMR",
    "aic": "AIC",
    "bic": "BIC",
}
FIT = message("Fit")
ERRORS = ("se", "df", "lower", "upper", "p")

_OPERATORS = {
    "paths": "~",
    "loadings": "=~",
}  # of what covariance fits have errors of their own for


@dataclass(frozen=True, eq=False)
class ResultColumns:
    """The columns of one fit, or of one tidy table.

    Attributes
    ----------
    name
        Above its columns.
    sections
        Tidy tables by the title of their rows.
    errors
        Where its errors come from, in a few words; empty without any.
    """

    name: str
    sections: Mapping[str, pd.DataFrame]
    errors: str = ""

    @property
    def solved(self) -> bool:
        """Whether a fit has a number of any quantity, as none has without a solution."""
        return "" in self.sections or any(
            bool(table.notna().any(axis=None))
            for title, table in self.sections.items()
            if title != FIT
        )


def fit_blocks(
    comparison: Comparison, quantities: Sequence[str], measures: bool, interval: str, level: float
) -> list[ResultColumns]:
    """Return a block for each fit, with errors from its draws or influence values, or its own."""
    rows = zip(comparison.names, comparison.fits, comparison.bootstraps, strict=True)
    blocks = []
    for name, fit, draws in rows:
        sections, errors = {}, ""
        for quantity in quantities:
            table, source = _estimates(fit, draws, quantity, interval, level)
            errors = errors or source
            sections[TITLES.get(quantity, quantity.replace("_", " ").capitalize())] = table
        if measures:
            sections[FIT] = _measures(fit)
        blocks.append(ResultColumns(name, sections, errors))
    return blocks


def frame_block(name: str, frame: pd.DataFrame) -> ResultColumns:
    """Return a block of one table of results."""
    named = frame.set_axis([label(column) for column in frame.columns], axis=1)
    return ResultColumns(name, {"": _tidy(named)})


def labels_of(index: pd.Index) -> pd.Index:
    """Return the labels of rows as a reader sees them: a path as an arrow.

    >>> labels_of(pd.MultiIndex.from_tuples([("S", "Q")], names=["target", "source"])).tolist()
    ['Q → S']
    """
    arrow = list(index.names) == ["target", "source"]
    names = [f"{label(key[1])} → {label(key[0])}" if arrow else row_name(key) for key in index]
    return pd.Index(names, dtype=object)


def _estimates(
    fit: Fit, draws: ResampledFit | None, quantity: str, interval: str, level: float
) -> tuple[pd.DataFrame, str]:
    """Return a quantity of a fit, and where its errors come from."""
    entry = find(quantity)
    if not has_solution(fit):
        empty = pd.Series(np.nan, entry.labels(fit.model))
        return _tidy(empty.to_frame("estimate")), ""
    if draws is not None:
        by_kind = interval != "auto"
        table = (
            draws.table(quantity, interval, level)
            if by_kind
            else draws.table(quantity, level=level)
        )
        return _tidy(table), type(draws).__name__.lower()
    table = pd.DataFrame({"estimate": np.asarray(entry.values(fit.solution))})
    table.index = entry.labels(fit.model)
    if isinstance(fit, CovarianceFit) and quantity in _OPERATORS:
        own = fit.standardized(level=level)
        own = own[own["op"] == _OPERATORS[quantity]]
        names = ["lhs", "rhs"] if quantity == "paths" else ["rhs"]
        keys = pd.MultiIndex.from_frame(own[names]) if len(names) > 1 else pd.Index(own["rhs"])
        if keys.is_unique:
            errors = own[list(ERRORS)].set_axis(keys)
            return _tidy(table.join(errors.reindex(table.index))), "information"
    return _tidy(table), ""


def _tidy(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_axis(labels_of(table.index))


def _measures(fit: Fit) -> pd.DataFrame:
    """Return the fit measures of a fit that a journal table has; n alone where it has none."""
    values = {"n": float(fit.n)}
    if isinstance(fit, CovarianceFit) and has_solution(fit):
        own = fit.fit_measures
        values |= {name: float(own[name]) for name in MEASURES if name in own.index}
    names = [name for name in MEASURES if name in values]
    frame = pd.DataFrame({"estimate": [values[name] for name in names]})
    return frame.set_axis(pd.Index([MEASURES[name] for name in names], dtype=object))
