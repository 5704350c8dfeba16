"""What the page of a fit shows: facts about the sample, tables, and how well the model fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators.estimates import Status
from csimodel.estimators.quantities import find
from csimodel.estimators.solution import Solution
from csimodel.formatting import told_p


def sample_facts(solution: Solution) -> list[str]:
    """Return how many respondents there are and how the estimation ended, a line each."""
    moments, estimates = solution.moments, solution.estimates
    state = "converged" if estimates.outcome == Status.CONVERGED else "did NOT converge"
    n, effective = int(moments.n), float(moments.effective_n)
    facts = [f"{n} respondents, {state} after {int(estimates.iterations)} iterations"]
    if abs(effective - n) > 0.5:
        of_equal = f"{effective:.0f} of equal weight"
        facts.append(f"weighted; by the weights alone they count as {of_equal}")
    return facts


def path_table(solution: Solution) -> pd.DataFrame:
    """Return paths and explained variances, a row an endogenous construct."""
    table = _endogenous(solution, solution.estimates.paths, solution.model.adjacency)
    table["R²"] = find("r2").values(solution)
    table["adj. R²"] = find("r2_adjusted").values(solution)
    return table


def effect_table(solution: Solution) -> pd.DataFrame:
    """Return total effects, a row an endogenous construct."""
    total = solution.total_effects
    return _endogenous(solution, total, total != 0)


def _endogenous(
    solution: Solution, values: NDArray[np.float64], shown: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return rows of endogenous constructs, columns without a number left out."""
    names = list(solution.model.construct_names)
    table = pd.DataFrame(np.where(shown, values, np.nan), names, names)
    table = table.loc[list(solution.model.endogenous)]
    return table.loc[:, table.notna().any()]


def item_table(solution: Solution) -> pd.DataFrame:
    """Return loadings and weights, a row an item."""
    model = solution.model
    columns = {
        "construct": [model.construct_names[j] for j in model.owner],
        "loading": solution.estimates.loadings,
        "weight": solution.estimates.weights,
        "unstd. weight": solution.index_weights,
    }
    return pd.DataFrame(columns, index=list(model.items))


def fit_facts(measures: pd.Series) -> list[str]:
    """Return how well a covariance structure fits, in a line; in two with robust errors."""
    measures = measures.dropna()
    if "chisq_scaled" in measures and "cfi_robust" not in measures:
        scaled = _relative_fit(measures, "_scaled")  # ordered: only scaled χ² is one
        return [f"scaled {_chi_square(measures, '_scaled')}{scaled}, SRMR {measures['srmr']:.3f}"]
    plain = _relative_fit(measures, "")
    lines = [f"{_chi_square(measures, '')}{plain}, SRMR {measures['srmr']:.3f}"]
    if "chisq_scaled" in measures:
        robust = _relative_fit(measures, "_robust")
        lines.append(f"scaled {_chi_square(measures, '_scaled')}{robust}")
    return lines


def _chi_square(measures: pd.Series, end: str) -> str:
    chisq, df = measures[f"chisq{end}"], measures[f"df{end}"]
    p = measures.get(f"pvalue{end}")
    if p is None:
        return f"χ² {chisq:.2f} on {df:.4g} degrees of freedom"
    tail = told_p(float(p))
    return f"χ² {chisq:.2f} on {df:.4g} degrees of freedom" + (f" ({tail})" if df else "")


def _relative_fit(measures: pd.Series, end: str) -> str:
    kind = end.replace("_", " ").lstrip() + (" " if end else "")
    text = "".join(
        f", {kind}{measure.upper()} {measures[measure + end]:.3f}"
        for measure in ("cfi", "tli", "rmsea")
        if measure + end in measures
    )
    low, high = f"rmsea_lower{end}", f"rmsea_upper{end}"
    if low not in measures:
        return text
    return f"{text} (90 % {measures[low]:.3f} to {measures[high]:.3f})"
