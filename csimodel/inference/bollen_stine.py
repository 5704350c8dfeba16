"""The Bollen-Stine bootstrap: how large χ² of a covariance structure is when the model holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked
from csimodel.endings import count_reasons, told_reasons
from csimodel.errors import OptionError
from csimodel.estimators import CovarianceFit, Fit, Status, require_fit
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.requirements import require_complete
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.formatting import number, told_p
from csimodel.inference.designs import design_of
from csimodel.inference.draws import about_lost, require_draws
from csimodel.inference.transformation import Transformation, resampled_moments, root_ratio
from csimodel.moments import Resampling
from csimodel.page import HasPage, Page
from csimodel.significance import permutation_pvalue

Floats = NDArray[np.float64]


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class BollenStine(HasPage):
    """χ² of a fit among those of resamples from answers that obey the model.

    Attributes
    ----------
    fit
        The fit that is tested.
    design
        How respondents were drawn.
    chisq
        χ² of the fit.
    draws
        χ² of the resamples, (draws,); NaN where a refit has no solution.
    failed
        Number of draws lost, by reason; empty when none was.
    """

    fit: Fit
    design: Resampling
    chisq: float
    draws: Floats
    failed: pd.Series

    @property
    def usable(self) -> Floats:
        """χ² of the draws that have a solution, (usable,)."""
        return self.draws[np.isfinite(self.draws)]

    @property
    def pvalue(self) -> float:
        """Probability of a χ² at least as large: ``(1 + #{χ²* ≥ χ²}) / (1 + usable draws)``."""
        statistic, usable = np.array([self.chisq]), self.usable[:, None]
        return float(permutation_pvalue(statistic, usable, "upper")[0])

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and largest p-value that the lost draws could have made of it."""
        whole, used = 1 + len(self.draws), 1 + len(self.usable)
        low = self.pvalue * used / whole
        return low, low + (whole - used) / whole

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know about the draws, in plain words."""
        total, (low, high) = len(self.draws), self.bounds
        lost, reasons = total - len(self.usable), told_reasons(self.failed)
        finding = Finding(
            "lost-draws",
            "{lost} of {total} draws {lost:was|were} lost ({reasons:20}); whatever their χ² "
            "would have been, the p-value lies between {low:.3g} and {high:.3g}.",
            values={"lost": lost, "total": total, "reasons": reasons, "low": low, "high": high},
        )
        of_design = self.fit.require_answers("bollen_stine").design.findings
        return (*of_design, *about_lost(finding, lost, total))

    @property
    def page(self) -> Page:
        """The test on a page."""
        fit = self.fit
        return Page(
            text(
                "Bollen-Stine test of {name} by {label}",
                name=fit.model.name or text("the model"),
                label=fit.estimator.label,
            ),
            f"χ² {number(self.chisq, 2)}, {told_p(self.pvalue)}.",
            (
                text(
                    "{draws:,} draws, {usable:,} of them used",
                    draws=len(self.draws),
                    usable=len(self.usable),
                ),
            ),
            (*fit.diagnostics, *self.findings),
        )

    def __repr__(self) -> str:
        lost = len(self.draws) - len(self.usable)
        told = f", {lost} lost" if lost else ""
        size = len(self.draws)
        return f"<Bollen-Stine: χ² {self.chisq:.2f}, p {self.pvalue:.4f}, {size} draws{told}>"


@own_errstate
@checked
def bollen_stine(
    fit: Fit,
    draws: int = 1_000,
    rng: int | np.random.Generator | None = 0,
    *,
    resamples: ArrayLike | None = None,
    progress: bool = True,
) -> BollenStine:
    """Test the fit of a covariance structure without assuming normal answers.

    Answers are moved so that the model holds exactly in them, ``y = μ + Σ^½ S^-½ (x - x̄)``, then
    resampled and refitted; the share of χ² at least as large as the one seen is the p-value.
    Moments of a resample of y follow from those of the same resample of x, so only they are moved.
    Strata, clusters and weights are treated as by `bootstrap`.

    Parameters
    ----------
    fit
        Of a covariance structure, on a survey or data frame with complete answers.
    draws
        Number of resamples.
    rng
        An integer seed or a NumPy generator; None for different draws each time.
    resamples
        Row numbers of each resample, (draws, rows), counted from 0, to repeat the draws of another
        program.
    progress
        Show a bar when it takes longer than a second.

    Raises
    ------
    OptionError
        For a fit by another estimator, for one group of a joint fit, or options outside what is
        allowed.
    SurveyError
        When the fit was made from moments, or answers are missing.
    EstimationError
        When the fit is not a solution.
    InferenceError
        When fewer than 20 draws have a solution.

    References
    ----------
    Bollen, K. A., Stine, R. A. (1992). Bootstrapping goodness-of-fit measures in structural
    equation models. Sociological Methods & Research 21, 205-229.
    https://doi.org/10.1177/0049124192021002004

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax('''
    ...     Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4
    ...     Value =~ PERV1 + PERV2
    ...     Value ~ Quality
    ... ''')
    >>> fit = csi.fit(model, csi.load_mobi(), csi.ML())
    >>> test = csi.inference.bollen_stine(fit, draws=200, rng=1)
    >>> bool(test.pvalue > test.fit.fit_measures["pvalue"])
    True
    """
    fit = require_fit(fit, "bollen_stine")
    fitted = _checked(fit)
    answers = fit.require_answers("bollen_stine")
    require_complete(answers, "bollen_stine")
    design = design_of(answers, draws, rng, "auto", resamples)
    turned = _transformation(fitted)
    statistics, outcomes = [], []
    for resampled in resampled_moments(answers, design, "Bollen-Stine", progress):
        moments = turned.moments(resampled)
        estimates = fitted.estimator.estimate(moments, fit.model, fit.estimates)
        chisq = fitted.estimator.sample_size(moments) * np.maximum(estimates.discrepancy, 0.0)
        statistics.append(np.where(estimates.outcome == Status.CONVERGED, chisq, np.nan))
        outcomes.append(estimates.outcome)
    values, lost = np.concatenate(statistics), count_reasons(Status, np.concatenate(outcomes))
    result = BollenStine(fit, design, fitted.chisq, values, lost)
    used = len(result.usable)
    require_draws(
        used, len(values), "have a solution", "a simpler model", lost, need="a p-value needs"
    )
    return result


def _checked(fit: Fit) -> Fitted:
    if not isinstance(fit, CovarianceFit):
        raise OptionError(
            f"bollen_stine tests χ² of a covariance structure and this fit is by "
            f"{fit.estimator.label}; fit with csi.ML()."
        )
    if fit.in_joint_fit:
        raise OptionError(
            "bollen_stine is for one sample and this is one group of a joint fit; fit the group "
            "alone with csi.fit_groups."
        )
    if fit.moments.responses is not None:
        raise OptionError(
            "bollen_stine moves continuous answers, and those of this fit are ordered; the scaled "
            "χ² in fit.fit_measures does not take them as normal."
        )
    fitted = Fitted.of(fit.solution)
    fitted.require_solution()
    return fitted


def _transformation(fitted: Fitted) -> Transformation:
    """Return what turns answers into some that the model holds of."""
    (at,), (own,), (layout,) = fitted.at, fitted.moments, fitted.layouts
    matrix = root_ratio(at.sigma, fitted.estimator.sample_cov(own))
    return Transformation(matrix, own.mean, at.mean if layout.mean_structure else own.mean)
