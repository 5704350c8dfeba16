"""χ² tests of a covariance structure, scaled where answers are not normal, and what they imply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import THRESHOLDS
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.moments.forms import Columns, Weight, directions_of
from csimodel.moments.gamma import Gamma
from csimodel.moments.vech import vech_indices
from csimodel.significance import chisq_pvalue, noncentral_chisq, noncentrality

Floats = NDArray[np.float64]

_CLOSE, _NOT_CLOSE = THRESHOLDS["rmsea close"].value, THRESHOLDS["rmsea mediocre"].value
_LEVEL = 0.90  # of the RMSEA interval


_ROUNDING = 1e-8  # χ² below which a saturated model fits exactly


@dataclass(frozen=True)
class ChiSquare:
    """A χ² with its degrees of freedom, of a model against the saturated one."""

    chisq: float
    df: float

    @property
    def excess(self) -> float:
        """χ² beyond its degrees of freedom, at least 0; rounding of an exact fit counts as 0."""
        excess = max(self.chisq - self.df, 0.0)
        return excess if self.df > 0 or excess > _ROUNDING else 0.0

    @property
    def pvalue(self) -> float:
        """Probability of a larger χ²; NaN without degrees of freedom."""
        return float(chisq_pvalue(self.chisq, self.df))


@dataclass(frozen=True)
class Scaled:
    """A χ² scaled to the mean, or mean and variance, of a χ² distribution.

    Attributes
    ----------
    plain
        Before it was scaled.
    test
        ``plain.chisq / factor + shift`` with its degrees of freedom.
    factor, shift
        NaN without degrees of freedom.
    ratio
        Mean of the plain χ² over its degrees of freedom, under the model.
    """

    plain: ChiSquare
    test: ChiSquare
    factor: float
    shift: float
    ratio: float

    @property
    def centred(self) -> ChiSquare:
        """The plain χ² with its mean under the model in place of its degrees of freedom."""
        return ChiSquare(self.plain.chisq, self.ratio * self.plain.df)


class Sandwich(NamedTuple):
    """One group's part in the distribution of χ² and of the estimates.

    The share of its rows, Δ by cells, V, Γ, the layout that sums cells into parameters (None where
    each is one), and the derivatives of cells where they are not constant.
    """

    share: float
    slopes: Columns
    weight: Weight
    gamma: Gamma
    layout: ParameterLayout | None
    of_cells: Floats | None = None

    def summed(self, cells: Floats) -> Floats:
        """Return what belongs to pairs of cells by parameters, times the share."""
        return self.share * (
            cells if self.layout is None else self.layout.matrix(cells, self.of_cells)
        )


def bread(groups: Sequence[Sandwich]) -> Floats:
    """Return ``Σ share Δ'VΔ``, (parameters, parameters)."""
    parts = [part.summed(part.weight.between(part.slopes, part.slopes)) for part in groups]
    return np.asarray(sum(parts))


def middle(groups: Sequence[Sandwich]) -> Floats:
    """Return ``Σ share Δ'VΓVΔ``, (parameters, parameters)."""
    parts = [part.summed(part.gamma.quadratic(part.weight.of(part.slopes))) for part in groups]
    return np.asarray(sum(parts))


def trace(groups: Sequence[Sandwich], inverse: Floats) -> float:
    """Return ``tr UΓ`` with ``U = V - V Δ inverse Δ' V``, over all groups.

    `inverse` is that of ``Σ share Δ'VΔ``. Half of normal-theory χ² has the weights of ``UΓ``'s
    eigenvalues, of which this is the sum.
    """
    whole = sum(part.gamma.trace(part.weight) for part in groups)
    return float(whole - (inverse * middle(groups)).sum())


def traces(groups: Sequence[Sandwich], inverse: Floats) -> tuple[float, float]:
    """Return `trace`, and ``tr (UΓ)²``, the sum of squares of the eigenvalues."""
    first = second = 0.0
    outer = np.zeros_like(inverse)
    for part in groups:
        own = part.gamma.traces(part.weight, part.weight.of(part.slopes))
        first, second = first + own.first, second + own.second
        outer += part.summed(own.outer)
    inner = inverse @ middle(groups)
    second += float(np.trace(inner @ inner) - 2.0 * (inverse * outer).sum())
    return first - float(np.trace(inner)), second


def residual_test(groups: Sequence[Sandwich], residuals: Sequence[Floats], rows: float) -> float:
    """Return Browne's χ² of the residual moments e, ``N e' Δc (Δc'ΓΔc)⁻¹ Δc' e``.

    Δc spans what is orthogonal to Δ, over all groups together, each with its own part of the rows.
    It needs no discrepancy: only that estimates are consistent and Γ is that of the moments. NaN
    where Γ knows fewer directions than there are degrees of freedom, for want of rows.

    Parameters
    ----------
    groups
        Shares of the rows, Δ and Γ.
    residuals
        Moments of each group less those of the model, (moments,).
    rows
        N, of all groups.

    References
    ----------
    Browne, M. W. (1984). Asymptotically distribution-free methods for the analysis of covariance
    structures. British Journal of Mathematical and Statistical Psychology 37, 62-83, equation
    2.20b. https://doi.org/10.1111/j.2044-8317.1984.tb00789.x
    """
    slopes = np.vstack([_by_parameters(part) for part in groups])
    if sum(part.gamma.rank for part in groups) < len(slopes) - slopes.shape[1]:
        return np.nan
    left = np.linalg.svd(slopes, full_matrices=True)[0][:, slopes.shape[1] :]
    ends = np.cumsum([part.slopes.shape[0] for part in groups])[:-1]
    blocks = np.split(left, ends)
    outside = sum(own.T @ e for own, e in zip(blocks, residuals, strict=True))
    spread = sum(
        part.gamma.quadratic(own) / part.share for own, part in zip(blocks, groups, strict=True)
    )
    if not left.shape[1] or np.linalg.matrix_rank(np.asarray(spread)) < left.shape[1]:
        return np.nan
    return float(rows * np.asarray(outside) @ np.linalg.solve(np.asarray(spread), outside))


def _by_parameters(part: Sandwich) -> Floats:
    """Return Δ, (moments, parameters)."""
    slopes = directions_of(part.slopes)
    return slopes if part.layout is None else part.layout.columns(slopes, part.of_cells)


def about_model(
    gamma: Floats, gap: Floats | None, residual: Floats, unevenness: float | Floats
) -> Floats:
    """Return Γ* about the moments of the model, of which Γ is that about those of the sample.

    ``Γ* = T Γ T' + κ g g'`` with g the differences of the moments, ``m - μ`` and
    ``vech(S + dd' - Σ)``. At a distance ``d = m - μ`` products ``(x - μ)(x - μ)'`` differ from
    those about m by terms linear in x, which T adds: so third moments enter.

    Parameters
    ----------
    gamma
        (..., moments, moments)
    gap
        d, (..., items), or None when means are not modelled.
    residual
        ``S - Σ``, (..., items, items).
    unevenness
        κ, the mean squared weight of respondents, 1 when all count alike, (...,).
    """
    row, column = vech_indices(residual.shape[-1])
    uneven = np.asarray(unevenness)[..., None, None]
    if gap is None:
        difference = residual[..., row, column]
        return np.asarray(gamma + uneven * difference[..., :, None] * difference[..., None, :])
    items = gap.shape[-1]
    tilt, cell = np.zeros(gamma.shape), items + np.arange(len(row))
    tilt[..., np.arange(gamma.shape[-1]), np.arange(gamma.shape[-1])] = 1.0
    tilt[..., cell, column] += gap[..., row]
    tilt[..., cell, row] += gap[..., column]
    spread = residual + gap[..., :, None] * gap[..., None, :]
    difference = np.concatenate([gap, spread[..., row, column]], axis=-1)
    turned = tilt @ gamma @ np.swapaxes(tilt, -1, -2)
    return np.asarray(turned + uneven * difference[..., :, None] * difference[..., None, :])


def scaled(kind: str, plain: ChiSquare, trace: float, of_squares: float = np.nan) -> Scaled:
    """Scale a χ² by the trace of UΓ and that of its square.

    ``"mlm"``, ``"mlr"``
        ``χ² df / tr UΓ`` (Satorra and Bentler 1994; Yuan and Bentler 2000).
    ``"mlmv"``
        ``a χ² + df - a tr UΓ``, ``a = √(df / tr (UΓ)²)`` (Asparouhov and Muthén 2010).
    ``"mlmvs"``
        ``χ² tr UΓ / tr (UΓ)²`` on ``(tr UΓ)² / tr (UΓ)²`` degrees of freedom (Satorra and Bentler
        1994).

    References
    ----------
    Satorra, A., Bentler, P. M. (1994). Corrections to test statistics and standard errors in
    covariance structure analysis. In von Eye, Clogg (eds.), Latent Variables Analysis, 399-419.

    Yuan, K.-H., Bentler, P. M. (2000). Three likelihood-based methods for mean and covariance
    structure analysis with nonnormal missing data. Sociological Methodology 30, 165-200.
    https://doi.org/10.1111/0081-1750.00078

    Asparouhov, T., Muthén, B. (2010). Simple second order chi-square correction. Mplus technical
    appendix.
    """
    df = plain.df
    if not df > 0:
        return Scaled(plain, plain, np.nan, np.nan, np.nan)
    ratio = trace / df
    if kind == "mlmv":
        root = float(np.sqrt(df / of_squares))
        shift = df - root * trace
        return Scaled(plain, ChiSquare(root * plain.chisq + shift, df), 1.0 / root, shift, ratio)
    if kind == "mlmvs":
        factor = of_squares / trace
        test = ChiSquare(plain.chisq / factor, trace**2 / of_squares)
        return Scaled(plain, test, factor, 0.0, ratio)
    return Scaled(plain, ChiSquare(plain.chisq / ratio, df), ratio, 0.0, ratio)


def relative(model: ChiSquare, baseline: ChiSquare) -> dict[str, float]:
    """Compare a model with the one in which items are independent.

    ::

        cfi  1 - max(χ² - df, 0) / max(χ² - df, χ²ᵦ - dfᵦ, 0)
        tli  (χ²ᵦ/dfᵦ - χ²/df) / (χ²ᵦ/dfᵦ - 1)
        nfi  1 - χ²/χ²ᵦ
        rfi  1 - (χ²/df) / (χ²ᵦ/dfᵦ)
        ifi  (χ²ᵦ - χ²) / (χ²ᵦ - df)
        rni  1 - (χ² - df) / (χ²ᵦ - dfᵦ)

    TLI and RFI are NaN without degrees of freedom.
    """
    most, apart = max(model.excess, baseline.excess), baseline.chisq - baseline.df
    tli = rfi = np.nan
    if model.df > 0 and baseline.df > 0:
        base, own = baseline.chisq / baseline.df, model.chisq / model.df
        tli = _ratio(base - own, base - 1.0)
        rfi = 1.0 - _ratio(own, base)
    return {
        "cfi": 1.0 - model.excess / most if most > 0 else 1.0,
        "tli": tli,
        "nfi": 1.0 - _ratio(model.chisq, baseline.chisq),
        "rfi": rfi,
        "ifi": _ratio(baseline.chisq - model.chisq, baseline.chisq - model.df),
        "rni": 1.0 - _ratio(model.chisq - model.df, apart),
    }


def robust_relative(model: Scaled, baseline: Scaled) -> dict[str, float]:
    """Return CFI and TLI that estimate what those of normal answers would be.

    In both the mean of χ² under the model takes the place of its degrees of freedom. NaN where
    the baseline, or TLI's model, has none.

    References
    ----------
    Brosseau-Liard, P. E., Savalei, V. (2014). Adjusting incremental fit indices for nonnormality.
    Multivariate Behavioral Research 49, 460-470. https://doi.org/10.1080/00273171.2014.933697
    """
    own, base = model.centred, baseline.centred
    if not baseline.plain.df > 0:
        return {"cfi": np.nan, "tli": np.nan}
    if not model.plain.df > 0:
        return {"cfi": 1.0, "tli": np.nan}
    most = max(own.excess, base.excess)
    odds = (own.chisq - own.df) * baseline.plain.df
    return {
        "cfi": 1.0 - own.excess / most if most > 0 else 1.0,
        "tli": 1.0 - _ratio(odds, (base.chisq - base.df) * model.plain.df),
    }


def rmsea(test: ChiSquare, rows: float, unit: float = 1.0) -> dict[str, float]:
    """Return RMSEA, its 90 % interval, and the tests of close and of not close fit.

    ``√(unit max(χ² - df, 0) / (rows df))``, limits from the noncentral χ²; ``pvalue`` is of RMSEA
    at most .05, ``notclose_pvalue`` of at least .08. Everything is 0, the tests NaN, without
    degrees of freedom.

    Parameters
    ----------
    rows
        N, over the number of groups where there are several (Steiger 1998).
    unit
        1, or what makes an excess of a scaled χ² one of the plain χ².

    References
    ----------
    Steiger, J. H. (1998). A note on multiple sample extensions of the RMSEA fit index. Structural
    Equation Modeling 5, 411-419. https://doi.org/10.1080/10705519809540115

    Li, L., Bentler, P. M. (2006). Robust statistical tests for evaluating the hypothesis of close
    fit of misspecified mean and covariance structural models. UCLA Statistics Preprint 506.

    Brosseau-Liard, P. E., Savalei, V., Li, L. (2012). An investigation of the sample performance
    of two nonnormality corrections for RMSEA. Multivariate Behavioral Research 47, 904-930.
    https://doi.org/10.1080/00273171.2012.715252
    """
    if not test.df > 0:
        zero = dict.fromkeys(("rmsea", "rmsea_lower", "rmsea_upper"), 0.0)
        return zero | {"rmsea_pvalue": np.nan, "rmsea_notclose_pvalue": np.nan}
    scale, tail = unit / (rows * test.df), (1.0 - _LEVEL) / 2.0
    return {
        "rmsea": np.sqrt(test.excess * scale),
        "rmsea_lower": np.sqrt(noncentrality(test.chisq, test.df, 1.0 - tail) * scale),
        "rmsea_upper": np.sqrt(noncentrality(test.chisq, test.df, tail) * scale),
        "rmsea_pvalue": 1.0 - noncentral_chisq(test.chisq, test.df, _CLOSE**2 / scale),
        "rmsea_notclose_pvalue": noncentral_chisq(test.chisq, test.df, _NOT_CLOSE**2 / scale),
    }


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom else np.nan
