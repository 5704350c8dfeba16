"""Measurement invariance between groups, level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from csimodel.arguments import checked
from csimodel.bounds import THRESHOLDS
from csimodel.errors import choose
from csimodel.estimators.covariance.estimator import CovarianceEstimator
from csimodel.estimators.covariance.multigroup import MultiGroupFit, fit_multigroup
from csimodel.estimators.covariance_fit import CovarianceFit
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.model import Model
from csimodel.page import HasPage, Page, sections
from csimodel.progress import progress_bar
from csimodel.significance import chisq_pvalue
from csimodel.survey import Survey

LEVELS: Mapping[str, tuple[str, ...]] = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "errors"),
}
_MOST_CFI = THRESHOLDS["fall of cfi"].value


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Invariance(HasPage):
    """Fits of growing equality between groups, and how much each step costs.

    Attributes
    ----------
    fits
        The fit of every level, in order.
    """

    fits: Mapping[str, MultiGroupFit]

    @cached_property
    def table(self) -> pd.DataFrame:
        """Fit of each level and its difference from the level before.

        Columns chisq, df, cfi, tli, rmsea, srmr, aic, bic; chisq_diff, df_diff, p_diff (scaled
        when the errors are robust), cfi_diff, rmsea_diff, and `holds`: whether CFI fell by at most
        .01 from the level before (Cheung and Rensvold 2002).
        """
        rows = []
        before: MultiGroupFit | None = None
        for fit in self.fits.values():
            measures = fit.fit_measures
            row = {name: float(measures[name]) for name in _SHOWN}
            row |= dict.fromkeys(_STEPS, np.nan)
            if before is not None:
                row |= difference(before, fit)
            rows.append(row)
            before = fit
        table = pd.DataFrame(rows, index=pd.Index(list(self.fits), name="level"))
        table["holds"] = pd.Series(
            [pd.NA, *(table["cfi_diff"].to_numpy()[1:] >= -_MOST_CFI)], table.index, dtype="boolean"
        )
        return table

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know, in plain words."""
        return tuple(finding for fit in self.fits.values() for finding in fit.diagnostics)

    @property
    def page(self) -> Page:
        """Fit of each level and what each step costs, on a page."""
        return Page(
            text("Invariance between groups"),
            findings=self.findings,
            sections=sections({text("Levels of equality"): self.table}, 3),
        )


_SHOWN = ("chisq", "df", "cfi", "tli", "rmsea", "srmr", "aic", "bic")
_STEPS = ("chisq_diff", "df_diff", "p_diff", "cfi_diff", "rmsea_diff")


def difference(
    free: MultiGroupFit | CovarianceFit, equal: MultiGroupFit | CovarianceFit
) -> dict[str, float]:
    """Return the χ² difference of two nested fits with its test, and what CFI and RMSEA change.

    When both have scaled tests, with mean scalings c and degrees of freedom d of the free (1)
    and the equal (0) fit, the difference of the plain χ² is divided by
    ``(d₀ c₀ - d₁ c₁) / (d₀ - d₁)`` (Satorra and Bentler 2001,
    https://doi.org/10.1007/BF02296192); NaN where that is not positive.
    """
    free_measures, other = free.fit_measures, equal.fit_measures
    gain, df = (
        float(other["chisq"] - free_measures["chisq"]),
        float(other["df"] - free_measures["df"]),
    )
    cfi, rmsea = "cfi", "rmsea"
    if "scaling_mean" in free_measures and "scaling_mean" in other:
        scale = (
            other["df"] * other["scaling_mean"]
            - free_measures["df"] * free_measures["scaling_mean"]
        ) / df
        gain = gain / scale if scale > 0 else np.nan
        cfi, rmsea = "cfi_robust", "rmsea_robust"
    return {
        "chisq_diff": gain,
        "df_diff": df,
        "p_diff": float(chisq_pvalue(max(gain, 0.0), df)),
        "cfi_diff": float(other[cfi] - free_measures[cfi]),
        "rmsea_diff": float(other[rmsea] - free_measures[rmsea]),
    }


@own_errstate
@checked
def invariance(
    model: Model,
    survey: Survey | object,
    by: str | Sequence[str],
    estimator: CovarianceEstimator | None = None,
    *,
    levels: Sequence[str] = tuple(LEVELS),
    free: str | Sequence[str] = (),
    progress: bool = True,
) -> Invariance:
    """Test whether groups answer by the same measure: configural, metric, scalar, strict.

    Configural: the same model; metric: equal loadings, so that paths can be compared; scalar:
    equal intercepts too, so that means (and indexes) can be; strict: equal error variances too.

    Parameters
    ----------
    model, survey, by, estimator, free
        As in `fit_multigroup`; `free` makes the invariance partial.
    levels
        Which of them.
    progress
        Whether to show a bar on long work.

    References
    ----------
    Meredith, W. (1993). Measurement invariance, factor analysis and factorial invariance.
    Psychometrika 58, 525-543. https://doi.org/10.1007/BF02294825

    Cheung, G. W., Rensvold, R. B. (2002). Evaluating goodness-of-fit indexes for testing
    measurement invariance. Structural Equation Modeling 9, 233-255.
    https://doi.org/10.1207/S15328007SEM0902_5

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax("Quality =~ PERQ1 + PERQ3 + PERQ7 + PERQ5")
    >>> frame = csi.load_mobi().data.assign(half=["a", "b"] * 125)
    >>> found = csi.invariance(model, frame, "half")
    >>> found.table["df"].tolist()
    [4.0, 7.0, 10.0, 14.0]
    """
    for level in levels:
        choose("levels", level, list(LEVELS))
    chosen = [level for level in LEVELS if level in levels]
    fits = {}
    with progress_bar(len(chosen), "Invariance", progress, "level") as bar:
        for level in chosen:
            equal = LEVELS[level]
            fits[level] = fit_multigroup(
                model, survey, by, estimator, equal=equal, free=free, progress=progress
            )
            bar.update()
    return Invariance(fits)
