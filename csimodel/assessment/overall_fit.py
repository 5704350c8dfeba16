"""The test of overall fit: how far implied correlations are from those observed, by resampling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked, checked_in
from csimodel.assessment.global_fit import distances
from csimodel.endings import count_reasons, told_reasons
from csimodel.errors import OptionError
from csimodel.estimators import Fit, Status, require_fit, require_resampling
from csimodel.estimators.requirements import require_complete
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference import about_lost, loss_severity, quantiles, require_draws
from csimodel.inference.designs import design_of
from csimodel.inference.transformation import Transformation, resampled_moments, root_ratio
from csimodel.moments import Moments, Resampling
from csimodel.options import require_level
from csimodel.page import HasPage, Page, Section
from csimodel.significance import permutation_pvalue
from csimodel.translation import message

Floats = NDArray[np.float64]

_MODELS = ("estimated", "saturated")
_NOT_IMPLIED = message(
    "the implied correlations are not positive definite, so no answers obey them"
)
_SINGULAR = message(
    "the correlations of the items are not positive definite, so answers cannot obey a model"
)
_EXACT = message(
    "the model reproduces any correlations of its items, so nothing can speak against it"
)
_FEW_REFITS = message("too few refits with a solution")
_NO_TEST: dict[str, str] = {
    _NOT_IMPLIED: "The correlations that the {model} model implies are not positive definite, so "
    "no answers obey them and there is no test of it.",
    _SINGULAR: "The correlations of the items are not positive definite, as of too few respondents "
    "or of items that carry the same information, so there is no test of the {model} model.",
    _EXACT: "The {model} model reproduces any correlations of its items, so nothing can speak "
    "against it and there is no test of it.",
    _FEW_REFITS: "More than a tenth of the refits of the {model} model have no solution, so there "
    "is no test of it.",
}
_REJECTED = (
    "The {model} model is rejected: if it held, only {percent:.3g} % of samples had an SRMR as "
    "large as {srmr:.3f}."
)
_NOT_REJECTED = (
    "The {model} model is not rejected: if it held, {percent:.3g} % of samples had an SRMR as "
    "large as {srmr:.3f}."
)


class DistanceTest(NamedTuple):
    """A distance among its draws; a row of `OverallFit.table`."""

    estimate: float
    critical: float
    p: float
    share: float
    draws: int
    verdict: str
    reason: str


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class OverallFit(HasPage):
    """Distances of a fit among those of resamples that obey its model; made by `overall_fit`.

    Attributes
    ----------
    fit
        What is tested.
    design
        How respondents were drawn.
    draws
        Distances of the resamples, a row a draw; columns (model, statistic). NaN where a refit has
        no solution or, for d_G, implied correlations that are not positive definite.
    failed
        Number of refits without a solution, by reason, of both models.
    level
        1 less the share of true models that the test rejects.
    """

    fit: Fit
    design: Resampling
    draws: pd.DataFrame
    failed: pd.Series
    level: float

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a model and statistic.

        Columns estimate, the distance; critical, the quantile of the draws at `level` (type 7); p,
        ``(1 + #{d* ≥ d})/(1 + draws)``; share, ``#{d* ≥ d}/draws``; draws, how many there are;
        verdict, ``"rejected"`` or ``"not rejected"``; reason, where there is no test.
        """
        index = pd.MultiIndex.from_tuples(list(self._tests), names=["model", "statistic"])
        return pd.DataFrame(list(self._tests.values()), index)

    @cached_property
    def _tests(self) -> dict[tuple[str, str], DistanceTest]:
        return {
            (model, name): self._test(
                float(value), self.draws[model, name].to_numpy(), self._reasons[model]
            )
            for model in _MODELS
            for name, value in distances(self.fit.solution, model == "saturated").items()
        }

    @cached_property
    def _reasons(self) -> dict[str, str]:
        """Return why a model cannot be tested; empty where it can."""
        singular = not _definite(self.fit.solution.moments.cor)
        reasons = {}
        for model in _MODELS:
            saturated = model == "saturated"
            own = float(distances(self.fit.solution, saturated)["srmr"])
            exact = max(own, float(self.draws[model, "srmr"].max())) < _ROUNDING
            implied = self.fit.solution.implied_cor(saturated, unit=True)
            draws = self.draws[model, "srmr"]
            few = loss_severity(int(draws.isna().sum()), len(draws)) == "failure"
            without = _SINGULAR if singular else _EXACT if exact else _FEW_REFITS if few else ""
            reasons[model] = without if _definite(implied) else _NOT_IMPLIED
        return reasons

    def _test(self, estimate: float, draws: Floats, without: str) -> DistanceTest:
        usable, nothing = draws[np.isfinite(draws)], float("nan")
        count = len(usable)
        if without or not count or not np.isfinite(estimate):
            reason = without or _NOT_IMPLIED
            return DistanceTest(estimate, nothing, nothing, nothing, count, "not judged", reason)
        p = float(permutation_pvalue(np.array([estimate]), usable[:, None], "upper")[0])
        critical = float(quantiles(usable[:, None], np.array([[self.level]]))[0, 0])
        verdict = "rejected" if p <= 1.0 - self.level else "not rejected"
        share = float((usable >= estimate).mean())
        return DistanceTest(estimate, critical, p, share, count, verdict, "")

    def quantiles(self, levels: ArrayLike = (0.9, 0.95, 0.99)) -> pd.DataFrame:
        """Return quantiles of the draws (type 7), levels × (model, statistic)."""
        shares = [require_level(level, "levels") for level in np.atleast_1d(np.asarray(levels))]
        values = quantiles(self.draws.to_numpy(), np.array(shares)[:, None])
        return pd.DataFrame(values, pd.Index(shares, name="level"), self.draws.columns)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What the test says, and what a reader must know of the draws."""
        findings = list(self.fit.require_answers("overall_fit").design.findings)
        for model in _MODELS:
            row = self._tests[model, "srmr"]
            if row.reason:
                findings.append(
                    Finding(
                        "no-test-of-fit",
                        _NO_TEST[row.reason],
                        (model,),
                        "warning",
                        values={"model": model},
                    )
                )
                continue
            rejected = row.verdict == "rejected"
            findings.append(
                Finding(
                    "model-rejected" if rejected else "model-not-rejected",
                    _REJECTED if rejected else _NOT_REJECTED,
                    (model,),
                    "warning" if rejected else "note",
                    values={"model": model, "percent": 100.0 * row.p, "srmr": row.estimate},
                )
            )
        refitted = [own for own in self._reasons.values() if own not in (_NOT_IMPLIED, _SINGULAR)]
        lost, total = int(self.failed.sum()), len(refitted) * len(self.draws)
        finding = Finding(
            "lost-draws",
            (
                "{lost} of {total} refits {lost:has|have} no solution ({reasons:20}) and "
                "{lost:is|are} left out."
            ),
            values={"lost": lost, "total": total, "reasons": told_reasons(self.failed)},
        )
        return (*findings, *about_lost(finding, lost, total))

    @property
    def page(self) -> Page:
        """The test on a page."""
        fit = self.fit
        return Page(
            text(
                "Test of overall fit of {name} by {label}",
                name=fit.model.name or text("the model"),
                label=fit.estimator.label,
            ),
            facts=(text("{draws:,} draws of answers that obey the model", draws=len(self.draws)),),
            findings=(*fit.diagnostics, *self.findings),
            sections=(Section(text("Distances"), self.table, decimals=3),),
        )


@own_errstate
@checked
def overall_fit(
    fit: Fit,
    draws: int = 1_000,
    rng: int | np.random.Generator | None = 0,
    *,
    level: float = 0.95,
    resamples: ArrayLike | None = None,
    progress: bool = True,
) -> OverallFit:
    """Test whether a PLS model reproduces the correlations of the items (Beran and Srivastava).

    Standardised answers are turned so that the model holds exactly in them, ``x S^-½ Σ̂^½`` with
    symmetric roots, resampled and refitted; a distance between observed and implied correlations
    that hardly any resample reaches speaks against the model. The estimated model has the paths as
    drawn, the saturated one lets all constructs correlate, so that the measurement is tested alone.
    Moments of turned resamples follow from those of the answers; both models are fitted to all
    draws in batches.

    Parameters
    ----------
    fit
        By PLS or PLSc, of a survey or data frame with complete answers.
    draws
        Number of resamples.
    rng
        Seed or Generator.
    level
        1 less the share of true models that may be rejected.
    resamples
        Row numbers of each resample, (draws, rows), counted from 0, to repeat the draws of another
        program.
    progress
        Show a bar when it takes longer than a second.

    Raises
    ------
    OptionError
        For a fit by covariance SEM, which has χ² and `bollen_stine`, or options out of bounds.
    ModelError
        For models with products or constructs of constructs.
    SurveyError
        When the fit was made from moments, or answers are missing.
    EstimationError
        When the fit is no solution.
    InferenceError
        When fewer than 20 draws of a model have a solution.

    Notes
    -----
    Statistics: ``SRMR = √(Σᵢ≤ₖ (rᵢₖ - σ̂ᵢₖ)²/(p(p + 1)/2))``, ``d_ULS = ½ Σ (rᵢₖ - σ̂ᵢₖ)²`` over the
    whole matrix, ``d_G = ½ Σ (ln φ)²`` with φ the eigenvalues of ``S⁻¹ Σ̂``. Two conventions differ
    from cSEM's: d_G has the natural logarithm of its source (cSEM's is to base 10, smaller by
    5.301898), and variances of disturbances make every construct's implied variance 1 (cSEM takes 1
    - R² and sets the diagonal to 1 afterwards, so that correlations belong to variances that are
    not 1; `csi.assessment.srmr` keeps that convention). Draws that are as large as the statistic
    and the sample itself count in p, which is never 0. Refits that are inadmissible count; PLSc
    refits whose implied correlations are not positive definite have no d_G. The test keeps its size
    for composites in mode B; by PLSc it rejects true models too seldom in small samples (at 5 %, of
    200 respondents 1 to 3 %, d_G least), so that not being rejected says little there
    (``docs/coverage_prediction.md``). The quantile of a distance depends on the parameters, as
    loadings from mode A vary the more the weaker constructs correlate, and the model resampled has
    the estimated ones: of 150 samples of 200 respondents that obey a factor model the critical
    value of the saturated d_ULS was .120 on average, where samples had .096, and the larger the
    larger the distance itself (correlation .30). Resampling resamples (the fast double bootstrap)
    brought the size from .012 to .020 only.
    Strata, clusters and weights are treated as by `bootstrap`.

    References
    ----------
    Beran, R., Srivastava, M. S. (1985). Bootstrap tests and confidence regions for functions of a
    covariance matrix. Annals of Statistics 13, 95-115. https://doi.org/10.1214/aos/1176346579

    Dijkstra, T. K., Henseler, J. (2015). https://doi.org/10.1016/j.csda.2014.07.008

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> test = csi.overall_fit(fit, draws=100, rng=1, progress=False)
    >>> test.table.loc[("saturated", "srmr"), "verdict"]
    'rejected'
    """
    fit = require_fit(fit, "overall_fit")
    answers = require_resampling(fit, "overall_fit")
    if fit.estimator.weighs_responses:
        raise OptionError(
            "overall_fit turns answers so that the model holds of them, and ordered answers cannot "
            "be turned; see the distances in csi.assess(fit).global_fit, or test a fit with "
            "correlations='pearson'."
        )
    if "other" in fit.estimator.modes_of(fit.model):
        raise OptionError(
            f"overall_fit tests composites and constructs of PLS and this fit is by "
            f"{fit.estimator.label}; of covariance SEM take fit.fit_measures or "
            "csi.inference.bollen_stine."
        )
    fit.model.require_one_stage("overall_fit tests")
    fit.require_converged("overall_fit")
    require_complete(answers, "overall_fit")
    level = require_level(level)
    design = design_of(answers, draws, rng, "auto", resamples)
    turns = {model: _transformation(fit, model == "saturated") for model in _MODELS}
    parts: list[Floats] = []
    outcomes: list[NDArray[np.int64]] = []
    for moments in resampled_moments(answers, design, "Overall fit", progress):
        each = [_distances(fit, moments, turned, model) for model, turned in turns.items()]
        parts.append(np.concatenate([values for values, _ in each], axis=1))
        outcomes += [own for _, own in each if len(own)]
    columns = pd.MultiIndex.from_product([_MODELS, ["srmr", "d_uls", "d_g"]])
    frame = pd.DataFrame(np.concatenate(parts), columns=columns)
    codes = np.concatenate(outcomes) if outcomes else np.zeros(0, dtype=np.int64)
    failed = count_reasons(Status, codes)
    for model, turned in turns.items():
        if turned is not None:
            used = int(np.isfinite(frame[model, "srmr"]).sum())
            require_draws(used, len(frame), "have a solution", "a simpler model", failed,
                          need="a p-value needs")  # fmt: skip
    return OverallFit(fit, design, frame, failed, level)


def _transformation(fit: Fit, saturated: bool) -> Transformation | None:
    """Return what turns answers into standardised ones that obey a model; None without such."""
    implied, own = fit.solution.implied_cor(saturated, unit=True), fit.moments
    if not _definite(implied) or not _definite(own.cor):
        return None
    return Transformation(root_ratio(implied, own.cor) / own.sd, own.mean, np.zeros(len(own.sd)))


_DEFINITE = 1e-10
_ROUNDING = 1e-8  # of an SRMR of a model that holds in every sample


def _definite(cor: Floats) -> bool:
    """Return whether correlations, (items, items), are those of items that differ."""
    return bool(np.isfinite(cor).all() and np.linalg.eigvalsh(cor)[0] > _DEFINITE)


def _distances(
    fit: Fit, moments: Moments, turned: Transformation | None, model: str
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the distances of resamples of turned answers, (draws, 3), and how refits ended."""
    if turned is None:
        return np.full((len(moments.n), 3), np.nan), np.zeros(0, dtype=np.int64)
    solution = fit.estimator.solve(turned.moments(moments), fit.model, fit.estimates)
    outcome = solution.estimates.outcome
    values = np.stack([*distances(solution, model == "saturated").values()], axis=1)
    return np.where((outcome == Status.CONVERGED)[:, None], values, np.nan), outcome
