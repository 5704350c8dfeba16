"""Measurement invariance between groups, level by level."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from csimodel.arguments import checked
from csimodel.bounds import THRESHOLDS
from csimodel.errors import choose
from csimodel.estimators.covariance.estimator import CovarianceEstimator
from csimodel.estimators.covariance.ml import ML
from csimodel.estimators.covariance.multigroup import MultiGroupFit, fit_multigroup
from csimodel.estimators.covariance.nested import nested_test
from csimodel.estimators.covariance_fit import CovarianceFit
from csimodel.estimators.inputs import estimator_for
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
ORDINAL_LEVELS: Mapping[str, tuple[str, ...]] = {
    "configural": (),
    "thresholds": ("thresholds",),
    "metric": ("thresholds", "loadings"),
    "scalar": ("thresholds", "loadings", "intercepts"),
    "strict": ("thresholds", "loadings", "intercepts", "errors"),
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

        Of ordered answers cfi, tli and rmsea are those of the scaled χ².

        Columns chisq, df, cfi, tli, rmsea, srmr, aic, bic; chisq_diff, df_diff, p_diff (scaled
        when the errors are robust), cfi_diff, rmsea_diff, and `holds`: whether CFI fell by at most
        .01 from the level before (Cheung and Rensvold 2002); NA where a level asks nothing more.
        """
        rows = []
        before: MultiGroupFit | None = None
        for fit in self.fits.values():
            measures, ordinal = fit.fit_measures, _of_responses(fit)
            scaled = [f"{name}_scaled" if ordinal and name in _SCALED else name for name in _SHOWN]
            row = {name: float(measures[own]) for name, own in zip(_SHOWN, scaled, strict=True)}
            row |= dict.fromkeys(_STEPS, np.nan)
            if before is not None:
                row |= difference(before, fit)
            rows.append(row)
            before = fit
        table = pd.DataFrame(rows, index=pd.Index(list(self.fits), name="level"))
        kept = (table["cfi_diff"] >= -_MOST_CFI).astype("boolean")
        table["holds"] = kept.mask(~(table["df_diff"] > 0))
        return table

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know, in plain words."""
        told = [finding for fit in self.fits.values() for finding in fit.diagnostics]
        return (*told, *costless_levels(self.fits))

    @property
    def page(self) -> Page:
        """Fit of each level and what each step costs, on a page."""
        return Page(
            text("Invariance between groups"),
            findings=self.findings,
            sections=sections({text("Levels of equality"): self.table}, 3),
        )


_SCALED = ("cfi", "tli", "rmsea")
_SHOWN = ("chisq", "df", "cfi", "tli", "rmsea", "srmr", "aic", "bic")
_STEPS = ("chisq_diff", "df_diff", "p_diff", "cfi_diff", "rmsea_diff")


def difference(
    free: MultiGroupFit | CovarianceFit, equal: MultiGroupFit | CovarianceFit
) -> dict[str, float]:
    """Return the χ² difference of two nested fits with its test, and what CFI and RMSEA change.

    When both have scaled tests, with mean scalings c and degrees of freedom d of the free (1)
    and the equal (0) fit, the difference of the plain χ² is divided by
    ``(d₀ c₀ - d₁ c₁) / (d₀ - d₁)`` (Satorra and Bentler 2001,
    https://doi.org/10.1007/BF02296192); NaN where that is not positive. Of groups with ordered
    answers whose χ² is scaled and shifted it is the difference of Satorra (2000), `nested_test`,
    and CFI and RMSEA are those of the scaled χ².
    """
    free_measures, other = free.fit_measures, equal.fit_measures
    gain, df = (
        float(other["chisq"] - free_measures["chisq"]),
        float(other["df"] - free_measures["df"]),
    )
    cfi, rmsea = "cfi", "rmsea"
    if "scaling_mean" in free_measures and "scaling_mean" in other:
        scale = other["df"] * other["scaling_mean"]
        scale -= free_measures["df"] * free_measures["scaling_mean"]
        scale = scale / df if df else np.nan
        gain = gain / scale if scale > 0 else np.nan
        cfi, rmsea = "cfi_robust", "rmsea_robust"
    if isinstance(free, MultiGroupFit) and isinstance(equal, MultiGroupFit) and _of_responses(free):
        cfi, rmsea = "cfi_scaled", "rmsea_scaled"
        if free.fitted.estimator.robust == "mlmv":
            test = nested_test(free.fitted, equal.fitted)
            gain, df = test.chisq, test.df
    return {
        "chisq_diff": gain,
        "df_diff": df,
        "p_diff": float(chisq_pvalue(max(gain, 0.0), df)),
        "cfi_diff": float(other[cfi] - free_measures[cfi]),
        "rmsea_diff": float(other[rmsea] - free_measures[rmsea]),
    }


def _of_responses(fit: MultiGroupFit) -> bool:
    """Tell whether thresholds of ordered answers are modelled."""
    return fit.fitted.layouts[0].levels is not None


def costless_levels(fits: Mapping[str, MultiGroupFit]) -> Iterator[Finding]:
    """Say which levels demand nothing of ordered answers beyond the level before."""
    pairs = list(fits.items())
    for (before, free), (level, equal) in itertools.pairwise(pairs):
        if not _of_responses(equal) or equal.fitted.df > free.fitted.df:
            continue
        yield Finding(
            "invariance-not-testable",
            "The level {level} asks nothing more of the answers than {before}, for want of "
            "categories: equal thresholds can be tested of items with four answers or more, equal "
            "loadings of items with two answers only together with equal intercepts; so the next "
            "level with degrees of freedom tests both.",
            (level,),
            "note",
            values={"level": level, "before": before},
        )


@own_errstate
@checked
def invariance(
    model: Model,
    survey: Survey | object,
    by: str | Sequence[str],
    estimator: CovarianceEstimator | None = None,
    *,
    levels: Sequence[str] | None = None,
    free: str | Sequence[str] = (),
    progress: bool = True,
) -> Invariance:
    """Test whether groups answer by the same measure: configural, metric, scalar, strict.

    Configural: the same model; metric: equal loadings, so that paths can be compared; scalar:
    equal intercepts too, so that means (and indexes) can be; strict: equal error variances too.

    Of ordered answers (`WLSMV`) a level thresholds comes before metric, and every level after it
    has equal thresholds: they give the responses their units, without which nothing else can be
    compared (Wu and Estabrook 2016). What is free at each level is said in `fit_multigroup`.

    Parameters
    ----------
    model, survey, by, estimator, free
        As in `fit_multigroup`; `free` makes the invariance partial.
    levels
        Which of them; all by default.
    progress
        Whether to show a bar on long work.

    References
    ----------
    Meredith, W. (1993). Measurement invariance, factor analysis and factorial invariance.
    Psychometrika 58, 525-543. https://doi.org/10.1007/BF02294825

    Wu, H., Estabrook, R. (2016). Identification of confirmatory factor analysis models of
    different levels of invariance for ordered categorical outcomes. Psychometrika 81, 1014-1045.
    https://doi.org/10.1007/s11336-016-9506-0

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
    chosen_estimator = estimator_for(model, ML() if estimator is None else estimator, by_group=True)
    known = LEVELS
    if isinstance(chosen_estimator, CovarianceEstimator) and chosen_estimator.ordered_items(
        chosen_estimator.specified(model)
    ):
        known = ORDINAL_LEVELS
    for level in known if levels is None else levels:
        choose("levels", level, list(known))
    chosen = [level for level in known if levels is None or level in levels]
    fits = {}
    with progress_bar(len(chosen), "Invariance", progress, "level") as bar:
        for level in chosen:
            equal = known[level]
            fits[level] = fit_multigroup(
                model, survey, by, estimator, equal=equal, free=free, progress=progress
            )
            bar.update()
    return Invariance(fits)
