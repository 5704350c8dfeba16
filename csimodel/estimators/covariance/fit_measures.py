"""How well a covariance structure fits: χ² and what is derived from it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.full_information_fit import complete_data_tests
from csimodel.estimators.covariance.residual_measures import residual_measures
from csimodel.estimators.covariance.robust import residual_chisq, scaled_tests
from csimodel.estimators.covariance.tests_of_fit import (
    ChiSquare,
    Scaled,
    relative,
    rmsea,
    robust_relative,
)


def measures_of(fitted: Fitted) -> pd.Series:
    """Return the fit measures of one covariance structure, of one group or several.

    With S the sample's and Σ the model's covariances of p items, for ML ``F = ln|Σ| - ln|S| +
    tr(SΣ⁻¹) - p`` (and ``(m - μ)'Σ⁻¹(m - μ)`` where means are modelled) and N = n
    (``likelihood="normal"``) or n - 1 (``"wishart"``), the denominator of S:

    ============================ ===============================================================
    npar, n                      free parameters, respondents
    fmin                         ``F / 2`` for a likelihood, else ``χ² / 2n``, as lavaan reports it
    chisq, df, pvalue            ``N F``, moments less npar, right tail
    baseline_chisq, _df, _pvalue the independence model ``Σ = diag(S)`` with means free, in every
                                 group and in every case, also when a single item's error is
                                 fixed to zero
    cfi, tli, nfi, rfi, ifi, rni against the baseline: `relative`
    logl, unrestricted_logl      ``-n/2 (p ln 2π + ln|Σ| + tr(SΣ⁻¹))``, of the model and of Σ = S;
                                 NaN, and the criteria too, where there is no likelihood
    aic, bic, bic_adjusted       ``-2 logl + npar (2, ln n, ln((n + 2)/24))``
    rmsea, _lower, _upper,       ``√(G max(χ² - df, 0) / (N df))``, G groups, with 90 % interval,
    _pvalue, _notclose_pvalue    tests of RMSEA at most .05 and at least .08: `rmsea`
    rmr, srmr, crmr, gfi, agfi   `residual_measures`
    ============================ ===============================================================

    Robust errors (``csi.ML(se="mlm")``, ``"mlmv"``, ``"mlmvs"``, ``"mlr"``) add

    ============================ ===============================================================
    chisq_scaled, df_scaled,     ``chisq / scaling_factor + shift``: `scaled`
    pvalue_scaled,
    scaling_factor, shift
    scaling_mean                 mean of χ² over df under the model, ``tr UΓ / df``
    baseline_chisq_scaled, …     the baseline's own, scaled in the same way
    cfi_scaled, …                `relative` of both scaled χ²
    rmsea_scaled, …              ``√(max(χ² - c df, 0) / (N c df))`` with c the mean scaling, its
                                 limits from the noncentral χ² with c df degrees of freedom at the
                                 plain χ²; MLMV's from the scaled χ² and df (both as lavaan)
    cfi_robust, tli_robust       what normal answers would give: `robust_relative`
    chisq_residual, pvalue_…     from the residual moments (not for ``"mlr"``): `residual_test`
    rmsea_robust, …              ``√(max(χ² - c df, 0) / (N df))``, limits from the scaled χ²
    ============================ ===============================================================

    By ULS and DWLS without a sandwich the distribution of χ² is not known, so p-values are NaN (as
    lavaan's of ULS; it gives those of DWLS), and the limits of RMSEA are lavaan's, as if it were;
    `WLSMV` scales χ² so that it is.

    CFI and RMSEA that compare scaled χ² directly (``_scaled``) depend on how far from normal the
    answers are; report ``_robust`` ones. By full information there are ``_robust`` ones too, which
    do not depend on how much is missing: `complete_data_tests`. TLI is NaN and RMSEA 0 when a model
    has no degrees of freedom. Formulas of the
    helpers: `csimodel.estimators.covariance.tests_of_fit`,
    `csimodel.estimators.covariance.residual_measures`.

    Raises
    ------
    EstimationError
        When there is no solution to measure.

    References
    ----------
    Bollen, K. A. (1989). Structural Equations with Latent Variables, chapter 7.
    https://doi.org/10.1002/9781118619179

    Bentler, P. M. (1990). Comparative fit indexes in structural models. Psychological Bulletin
    107, 238-246. https://doi.org/10.1037/0033-2909.107.2.238

    Browne, M. W., Cudeck, R. (1992). Alternative ways of assessing model fit. Sociological Methods
    & Research 21, 230-258. https://doi.org/10.1177/0049124192021002005
    """
    fitted.require_solution(anywhere=True)
    model, baseline = ChiSquare(fitted.chisq, fitted.df), _baseline(fitted)
    estimator, ordinal = fitted.estimator, fitted.moments[0].responses is not None
    rows = float(fitted.sizes.sum()) / len(fitted.layouts)
    n = float(sum(float(own.n) for own in fitted.moments))
    unit = float(fitted.sizes.sum()) if estimator.has_likelihood else n
    measures = {
        "npar": fitted.npar
        + sum(
            estimator.exactly_fitted(own, layout)[0]
            for own, layout in zip(fitted.moments, fitted.layouts, strict=True)
        ),
        "fmin": model.chisq / (2.0 * unit),
        **_named(model, ""),
        **_named(baseline, "baseline_"),
        **relative(model, baseline),
        **_likelihood(fitted),
        **rmsea(model, rows),
        **residual_measures(fitted),
        "n": n,
    }
    if fitted.estimator.robust is not None:
        measures |= _scaled(fitted, *scaled_tests(fitted, baseline), rows)
        if fitted.estimator.robust != "mlr" and not ordinal:
            residual = residual_chisq(fitted)
            measures |= {"chisq_residual": residual.chisq, "pvalue_residual": residual.pvalue}
    if fitted.moments[0].patterns is not None:
        tests = complete_data_tests(fitted, (model.df, baseline.df))
        measures |= _ended(
            "robust", robust_relative(*tests) | rmsea(tests[0].test, rows, tests[0].ratio)
        )
    if not estimator.chi_square_known:
        measures |= {name: np.nan for name in measures if name.endswith("pvalue")}
    return pd.Series(measures, name="fit_measures", dtype=np.float64)


def _baseline(fitted: Fitted) -> ChiSquare:
    """Return the test of the model in which items are independent, with means and variances."""
    estimator, layout = fitted.estimator, fitted.layouts[0]
    apart = [
        estimator.baseline(own, group_layout)
        for own, group_layout in zip(fitted.moments, fitted.layouts, strict=True)
    ]
    items = len(fitted.model.items) - len(estimator.ordinal_items(fitted.model))
    free = 2 * items if layout.mean_structure else items
    df = len(apart) * (estimator.statistics(fitted.model) - free)
    if layout.levels is not None:
        df = len(apart) * len(fitted.model.items) * (len(fitted.model.items) - 1) // 2
    return ChiSquare(float(fitted.sizes @ np.array(apart)), df)


def _likelihood(fitted: Fitted) -> dict[str, float]:
    estimator, npar = fitted.estimator, fitted.npar
    n = float(sum(float(own.n) for own in fitted.moments))
    whole = np.nan
    if estimator.has_likelihood:
        whole = float(sum(estimator.unrestricted_loglik(own) for own in fitted.moments))
    logl = whole - 0.5 * n * max(fitted.discrepancy, 0.0)
    return {
        "logl": logl,
        "unrestricted_logl": whole,
        "aic": -2.0 * logl + 2.0 * npar,
        "bic": -2.0 * logl + npar * np.log(n),
        "bic_adjusted": -2.0 * logl + npar * np.log((n + 2.0) / 24.0),
    }


def _scaled(fitted: Fitted, model: Scaled, baseline: Scaled, rows: float) -> dict[str, float]:
    """Return the scaled tests, and scaled and robust measures."""
    kind, df = fitted.estimator.robust, fitted.df
    measures = {
        **_named(model.test, "", "_scaled"),
        "scaling_factor": model.factor,
        "shift": model.shift,
        "scaling_mean": model.ratio,
        **_named(baseline.test, "baseline_", "_scaled"),
        "baseline_scaling_factor": baseline.factor,
        "baseline_shift": baseline.shift,
    }
    on_scaled = model.test if kind == "mlmv" else model.centred
    on_df, unit = model.test, model.factor
    if kind == "mlmvs":
        on_df, unit = ChiSquare(model.plain.chisq / model.ratio, df), model.ratio
    measures |= _ended("scaled", relative(model.test, baseline.test) | rmsea(on_scaled, rows))
    robust = robust_relative(model, baseline) | rmsea(on_df, rows, unit)
    if fitted.moments[0].responses is not None:
        robust = dict.fromkeys(robust, np.nan)
    return measures | _ended("robust", robust)


def _ended(end: str, measures: dict[str, float]) -> dict[str, float]:
    return {f"{name}_{end}": value for name, value in measures.items()}


def _named(test: ChiSquare, before: str, after: str = "") -> dict[str, float]:
    values = {"chisq": test.chisq, "df": test.df, "pvalue": test.pvalue}
    return {f"{before}{name}{after}": value for name, value in values.items()}
