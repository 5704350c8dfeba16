"""How well a covariance structure fits: χ² and what is derived from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.robust import scalings
from csimodel.estimators.covariance.structure import moments_vector

Floats = NDArray[np.float64]

_CLOSE_FIT = 0.05  # RMSEA of close fit (Browne and Cudeck 1992)
_LEVEL = 0.90  # of the RMSEA interval


@dataclass(frozen=True)
class _Test:
    """A χ² with its degrees of freedom, of a model against the saturated one."""

    chisq: float
    df: float

    @property
    def excess(self) -> float:
        return max(self.chisq - self.df, 0.0)


def measures_of(fitted: Fitted) -> pd.Series:
    """Return the fit measures of one covariance structure, of one group or several.

    With S the sample's and Σ the model's covariances of p items, ``F = ln|Σ| - ln|S| + tr(SΣ⁻¹) -
    p`` and N = n (``likelihood="normal"``) or n - 1 (``"wishart"``), the denominator of S:

    ========================= ==================================================================
    npar, n                   free parameters, respondents
    fmin                      ``F / 2``, as lavaan reports it
    chisq, df, pvalue         ``N F``, ``p(p + 1)/2 - npar``, right tail
    baseline_chisq, _df       the independence model ``Σ = diag(S)`` in every case, also when a
                              single item's error is fixed to zero
    cfi                       ``1 - max(χ² - df, 0) / max(χ² - df, χ²ᵦ - dfᵦ, 0)`` (Bentler 1990)
    tli                       ``(χ²ᵦ/dfᵦ - χ²/df) / (χ²ᵦ/dfᵦ - 1)`` (Tucker and Lewis 1973)
    nfi                       ``1 - χ²/χ²ᵦ`` (Bentler and Bonett 1980)
    rmsea                     ``√(G max(χ² - df, 0) / (N df))``, G groups (Steiger 1990, 1998)
    rmsea_lower, _upper       90 % interval from the noncentral χ²
    rmsea_pvalue              of RMSEA at most .05 (Browne and Cudeck 1992)
    srmr                      root mean square of ``(sᵢⱼ - σᵢⱼ)/√(sᵢᵢ sⱼⱼ)``, diagonal included;
                              with means ``(m - μ)/s`` too; weighted over groups
    gfi                       ``1 - tr[(Σ⁻¹S - I)²] / tr[(Σ⁻¹S)²]`` (Jöreskog and Sörbom)
    logl, unrestricted_logl   ``-n/2 (p ln 2π + ln|Σ| + tr(SΣ⁻¹))``, of the model and of Σ = S
    aic, bic, bic_adjusted    ``-2 logl + npar (2, ln n, ln((n + 2)/24))``
    ========================= ==================================================================

    With robust errors follow the scaled χ² (``chisq / scaling_factor + shift``) and what is derived
    from it (``_scaled``), and ``cfi_robust``, ``tli_robust``, ``rmsea_robust``.

    TLI is NaN and RMSEA 0 when a model has no degrees of freedom.

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
    fitted.require_solution()
    estimator, layout = fitted.estimator, fitted.layouts[0]
    covs = [estimator.sample_cov(own) for own in fitted.moments]
    sizes, rows = fitted.sizes, float(fitted.sizes.sum())
    n = float(sum(float(own.n) for own in fitted.moments))
    items, groups, npar = len(covs[0]), len(covs), fitted.npar
    distance = max(fitted.discrepancy, 0.0)  # below 0 by rounding only
    model = _Test(fitted.chisq, fitted.df)
    apart = [
        estimator.baseline(own, one)
        for own, one in zip(fitted.moments, fitted.layouts, strict=True)
    ]
    cells = estimator.statistics(fitted.model)
    own = 2 * items if layout.mean_structure else items
    baseline = _Test(float(sizes @ np.array(apart)), groups * (cells - own))
    unrestricted = sum(estimator.unrestricted_loglik(own) for own in fitted.moments)
    if not estimator.has_likelihood:
        unrestricted = np.nan
    logl = unrestricted - 0.5 * n * distance
    scaled = {} if estimator.robust is None else _scaled(fitted, model, baseline, rows / groups)
    return pd.Series(
        {
            "npar": npar,
            "fmin": distance / 2.0,
            "chisq": model.chisq,
            "df": model.df,
            "pvalue": _right_tail(model),
            "baseline_chisq": baseline.chisq,
            "baseline_df": baseline.df,
            **_relative(model, baseline),
            **_rmsea(model, rows / groups),
            "srmr": float(fitted.shares @ [_srmr(fitted, g) for g in range(groups)]),
            "gfi": _gfi(fitted, covs),
            "logl": logl,
            "unrestricted_logl": unrestricted,
            "aic": -2.0 * logl + 2.0 * npar,
            "bic": -2.0 * logl + npar * np.log(n),
            "bic_adjusted": -2.0 * logl + npar * np.log((n + 2.0) / 24.0),
            "n": n,
            **scaled,
        },
        name="fit_measures",
        dtype=np.float64,
    )


def _scaled(fitted: Fitted, model: _Test, baseline: _Test, rows: float) -> dict[str, float]:
    """Return the measures from scaled χ², and the robust CFI, TLI and RMSEA.

    Robust measures estimate what normal answers would give: with c the mean scaling,
    ``CFI = 1 - max(χ² - c df, 0)/max(χ²ᵦ - cᵦ dfᵦ, …)`` and ``RMSEA = √(max(χ² - c df, 0)/(N df))``
    The interval of ``rmsea_scaled`` takes χ² itself with ``c df`` degrees of freedom, as lavaan
    0.6-14 does (but MLMV, which takes the scaled χ²); that of ``rmsea_robust`` is ``√c`` times the
    one from the scaled χ². Incomplete answers need other formulas for the robust measures, which
    are NaN for them.
    (Brosseau-Liard and Savalei 2014, https://doi.org/10.1080/00273171.2014.933697;
    Brosseau-Liard, Savalei and Li 2012, https://doi.org/10.1080/00273171.2012.715252).
    """
    own, apart = scalings(fitted)
    test = _Test(model.chisq / own.factor + own.shift, model.df)
    base = _Test(baseline.chisq / apart.factor + apart.shift, baseline.df)
    relative = _relative(test, base)
    stretched = test if own.shift else _Test(model.chisq, model.df * own.factor)
    rmsea, robust = _rmsea(stretched, rows), _rmsea(test, rows)
    excess = max(model.chisq - own.mean * model.df, 0.0)
    other = baseline.chisq - apart.mean * baseline.df
    found = {
        "scaling_factor": own.factor,
        "shift": own.shift,
        "chisq_scaled": test.chisq,
        "df_scaled": test.df,
        "pvalue_scaled": _right_tail(test),
        "baseline_chisq_scaled": base.chisq,
        "baseline_scaling_factor": apart.factor,
        **{f"{name}_scaled": value for name, value in (relative | rmsea).items()},
        "cfi_robust": 1.0 - excess / max(excess, other) if max(excess, other) > 0 else 1.0,
        "tli_robust": np.nan,
        "rmsea_robust": np.sqrt(excess / (rows * model.df)) if model.df else 0.0,
        "rmsea_lower_robust": np.sqrt(own.mean) * robust["rmsea_lower"],
        "rmsea_upper_robust": np.sqrt(own.mean) * robust["rmsea_upper"],
    }
    if fitted.moments[0].patterns is not None:
        found |= dict.fromkeys([name for name in found if name.endswith("_robust")], np.nan)
    elif model.df and other > 0:
        plain = model.chisq - own.mean * model.df
        found["tli_robust"] = 1.0 - plain * baseline.df / (other * model.df)
    return found


def _right_tail(test: _Test) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(test.df, test.chisq)) if test.df else np.nan


def _relative(model: _Test, baseline: _Test) -> dict[str, float]:
    """Compare with the independence model."""
    most = max(model.excess, baseline.excess)
    tli = np.nan
    if model.df and baseline.df:
        base = baseline.chisq / baseline.df
        tli = (base - model.chisq / model.df) / (base - 1.0)
    return {
        "cfi": 1.0 - model.excess / most if most > 0 else 1.0,
        "tli": tli,
        "nfi": 1.0 - model.chisq / baseline.chisq if baseline.chisq > 0 else np.nan,
    }


def _rmsea(model: _Test, rows: float) -> dict[str, float]:
    """Return RMSEA, its interval and the test of close fit."""
    if not model.df:
        return {"rmsea": 0.0, "rmsea_lower": 0.0, "rmsea_upper": 0.0, "rmsea_pvalue": np.nan}
    from scipy.special import chndtr

    unit = rows * model.df
    tail = (1.0 - _LEVEL) / 2.0
    return {
        "rmsea": np.sqrt(model.excess / unit),
        "rmsea_lower": np.sqrt(_noncentrality(model, 1.0 - tail) / unit),
        "rmsea_upper": np.sqrt(_noncentrality(model, tail) / unit),
        "rmsea_pvalue": 1.0 - float(chndtr(model.chisq, model.df, unit * _CLOSE_FIT**2)),
    }


def _noncentrality(model: _Test, below: float) -> float:
    """Return the noncentrality under which a χ² is smaller with probability `below`; 0 if none."""
    from scipy.special import chdtr, chndtrinc

    if chdtr(model.df, model.chisq) <= below:
        return 0.0
    return float(chndtrinc(model.chisq, model.df, below))


def _srmr(fitted: Fitted, group: int) -> float:
    moments, at = fitted.moments[group], list(fitted.at)[group]
    cov = fitted.estimator.sample_cov(moments)
    sd = np.sqrt(np.diag(cov))
    mean = moments.mean - at.mean if fitted.layouts[group].mean_structure else None
    residual = moments_vector(
        (cov - at.sigma) / np.outer(sd, sd), None if mean is None else mean / sd
    )
    return float(np.sqrt((residual**2).mean()))


def _gfi(fitted: Fitted, covs: list[Floats]) -> float:
    """Weigh the groups by their rows."""
    left = whole = 0.0
    for share, at, cov in zip(fitted.shares, fitted.at, covs, strict=True):
        ratio = np.linalg.solve(at.sigma, cov)
        off = ratio - np.eye(len(cov))
        left += share * float(np.trace(off @ off))
        whole += share * float(np.trace(ratio @ ratio))
    return 1.0 - left / whole
