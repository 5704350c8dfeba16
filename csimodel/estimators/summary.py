"""The printed page of a fit, as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from csimodel.estimators.covariance.estimator import CovarianceEstimates
from csimodel.floats import own_errstate_in

if TYPE_CHECKING:
    from csimodel.estimators.fit import Fit


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """Results on a page: ``print`` it, or leave it as the last line of a notebook cell."""

    fit: Fit

    def __str__(self) -> str:
        lines = [self._title(), "=" * len(self._title()), *self._facts(), ""]
        for finding in self.fit.diagnostics:
            mark = {"note": "note", "warning": "WARNING", "failure": "DO NOT USE"}[finding.severity]
            lines.append(f"{mark}: {finding}")
        if not self.fit.diagnostics:
            lines.append("No findings: converged, admissible, nothing dropped or filled.")
        for title, table in self._tables():
            lines += ["", title, table.to_string(na_rep="", float_format="{:.3f}".format)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        findings = "".join(
            f"<li><b>{escape(finding.severity)}</b>: {escape(finding.message)}</li>"
            for finding in self.fit.diagnostics
        )
        parts = [
            f"<h3>{escape(self._title())}</h3>",
            "<p>" + "<br>".join(escape(fact) for fact in self._facts()) + "</p>",
            f"<ul>{findings}</ul>"
            if findings
            else "<p>No findings: converged, admissible, nothing dropped or filled.</p>",
        ]
        for title, table in self._tables():
            body = table.to_html(na_rep="", float_format="{:.3f}".format, border=0)
            parts.append(f"<details open><summary>{escape(title)}</summary>{body}</details>")
        return "<div class='csimodel'>" + "".join(parts) + "</div>"

    def _title(self) -> str:
        return f"{self.fit.model.name or 'Model'} by {self.fit.estimator.label}"

    def _facts(self) -> list[str]:
        fit = self.fit
        state = "converged" if fit.converged else "did NOT converge"
        facts = [f"{fit.n} respondents, {state} after {fit.iterations} iterations"]
        effective = float(fit.moments.effective_n)
        if abs(effective - fit.n) > 0.5:
            facts.append(
                f"weighted; by the weights alone they count as {effective:.0f} of equal weight"
            )
        facts += _global_fit(fit)
        if fit.survey is not None:
            facts += [f"{finding.severity}: {finding}" for finding in fit.survey.findings]
        return facts

    def _tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        fit, model = self.fit, self.fit.model
        paths = fit.paths.where(model.adjacency).loc[list(model.endogenous)]
        paths = paths.loc[:, paths.notna().any()]
        paths["R²"] = fit.r2
        paths["adj. R²"] = fit.r2_adjusted
        yield "Paths (rows are explained by columns)", paths.rename_axis(index=None, columns=None)
        yield "Items", _items(fit)
        total = fit.total_effects.where(fit.total_effects != 0).loc[list(model.endogenous)]
        total = total.loc[:, total.notna().any()]
        yield "Total effects", total.rename_axis(index=None, columns=None)


def _items(fit: Fit) -> pd.DataFrame:
    """Return loadings and weights, of items with several constructs all loadings."""
    model = fit.model
    if model.shared_items:
        return fit.loadings.where(fit.loadings != 0)
    columns = {
        "construct": [model.construct_names[j] for j in model.owner],
        "loading": fit.estimates.loadings,
        "weight": fit.estimates.weights,
        "unstd. weight": fit.solution.index_weights,
    }
    return pd.DataFrame(columns, index=list(model.items))


def _global_fit(fit: Fit) -> list[str]:
    """Say how well a covariance structure fits, in a line; in two with robust errors."""
    estimates = fit.estimates
    # With equal parameters χ² belongs to all groups together.
    alone = isinstance(estimates, CovarianceEstimates) and estimates.covariance is None
    if not alone or not fit.converged:
        return []
    found = fit.fit_measures.dropna()
    if "chisq_scaled" in found and "cfi_robust" not in found:  # ordered: only scaled χ² is one
        scaled = _relative_fit(found, "_scaled")
        return [f"scaled {_chi_square(found, '_scaled')}{scaled}, SRMR {found['srmr']:.3f}"]
    lines = [f"{_chi_square(found, '')}{_relative_fit(found, '')}, SRMR {found['srmr']:.3f}"]
    if "chisq_scaled" in found:
        lines.append(f"scaled {_chi_square(found, '_scaled')}{_relative_fit(found, '_robust')}")
    return lines


def _chi_square(found: pd.Series, end: str) -> str:
    chisq, df = found[f"chisq{end}"], found[f"df{end}"]
    p = found.get(f"pvalue{end}")
    if p is None:
        return f"χ² {chisq:.2f} on {df:.4g} degrees of freedom"
    tail = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    return f"χ² {chisq:.2f} on {df:.4g} degrees of freedom" + (f" ({tail})" if df else "")


def _relative_fit(found: pd.Series, end: str) -> str:
    kind = end.replace("_", " ").lstrip() + (" " if end else "")
    text = "".join(
        f", {kind}{measure.upper()} {found[measure + end]:.3f}"
        for measure in ("cfi", "tli", "rmsea")
        if measure + end in found
    )
    low, high = f"rmsea_lower{end}", f"rmsea_upper{end}"
    return text + (f" (90 % {found[low]:.3f} to {found[high]:.3f})" if low in found else "")
