"""How well the items of a construct agree: alpha, rho_A, rho_C and the variance they share.

A single item has 1 everywhere, as in seminr (cSEM leaves its alpha empty): one question cannot be
checked against itself, so these ones carry no evidence, and `csimodel.assess` says so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import Quantity, Solution, register
from csimodel.estimators.covariance.true_variance import true_shares
from csimodel.estimators.quantities import by_construct
from csimodel.model import Model

Floats = NDArray[np.float64]


def alpha(solution: Solution) -> Floats:
    """Return Cronbach's alpha of standardised items, (..., constructs).

    ``k r̄ / (1 + (k - 1) r̄)`` with r̄ the mean correlation among the k items. seminr, cSEM and
    plspm report this one; `alpha_raw` is the one from covariances.

    References
    ----------
    Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests.
    Psychometrika 16, 297-334. https://doi.org/10.1007/BF02310555

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> alpha(fit.solution).round(4)
    array([0.7228, 0.4519, 0.877 , 0.8236, 0.7792, 1.    , 0.4724])
    """
    return _alpha(solution.model, solution.item_cor)


def alpha_raw(solution: Solution) -> Floats:
    """Return Cronbach's alpha of the answers as given, (..., constructs).

    ``k / (k - 1) · (1 - Σ s²ᵢ / s²)`` with s² the variance of the items' sum. It is what lavaan's
    companions (semTools) and SPSS report; it depends on the items' scales, so PLS programs
    prefer `alpha`.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> alpha_raw(fit.solution).round(4)[:2]
    array([0.7144, 0.4326])
    """
    return _alpha(solution.model, solution.moments.cov)


def _alpha(model: Model, matrix: Floats) -> Floats:
    result = np.ones((*matrix.shape[:-2], len(model.constructs)))
    for j, block in enumerate(model.slices):
        k = block.stop - block.start
        if k > 1:
            part = matrix[..., block, block]
            total = part.sum(axis=(-2, -1))
            own = np.einsum("...ii->...", part)
            with np.errstate(invalid="ignore", divide="ignore"):
                result[..., j] = k / (k - 1.0) * (1.0 - own / total)
        else:
            result[..., j] = np.where(
                np.isfinite(matrix[..., block.start, block.start]), 1.0, np.nan
            )
    return result


def rho_a(solution: Solution) -> Floats:
    """Return Dijkstra and Henseler's rho_A, (..., constructs).

    ``(w'w)² · w'(S - diag S)w / w'(ww' - diag ww')w`` with w the construct's mode A weights,
    scaled to unit score variance, and S its items' correlations. It holds for mode A only, so
    constructs with other weights have NaN. Computed from the weights whether or not
    the estimates are corrected with it, as in seminr; cSEM shows 1 when nothing is corrected.

    References
    ----------
    Dijkstra, T. K., Henseler, J. (2015). Consistent partial least squares path modeling.
    MIS Quarterly 39(2), 297-316. https://doi.org/10.25300/MISQ/2015/39.2.02

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> rho_a(fit.solution).round(4)[:2]
    array([0.7403, 0.4621])
    """
    weights = solution.estimates.weights
    squares = block_sums(solution.model, weights**2)
    fourths = block_sums(solution.model, weights**4)
    single = np.array([construct.kind == "single" for construct in solution.model.constructs])
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = squares**2 * (1.0 - squares) / (squares**2 - fourths)
    rho[..., single] = squares[..., single]
    modes = modes_of(solution)
    rho[..., [mode != "A" for mode in modes]] = np.nan
    return np.asarray(rho)


def rho_c(solution: Solution) -> Floats:
    """Return composite reliability, Jöreskog's (Dillon and Goldstein's) rho_C, (..., constructs).

    Of PLS it is ``(Σλ)² / ((Σλ)² + Σ(1 - λ²))`` with the estimated standardised loadings λ,
    corrected for measurement error when the estimator corrects: of the sum of standardised items.
    seminr, cSEM, semPLS and matrixpls agree; plspm takes the loadings on each block's first
    principal component instead.

    Of a covariance structure it is that of the sum of the answers as they are, as in semTools:
    ``(Σλ)² φ / Σᵢₖ σᵢₖ`` with loadings λ, the construct's variance φ and the implied (co)variances
    σ of its items in scale units, which are ``(Σλ)² φ + Σᵢₖ θᵢₖ`` with (co)variances θ of errors:
    covarying errors within a construct belong to what is not true variance (Raykov 1997, 2001).

    References
    ----------
    Jöreskog, K. G. (1971). Statistical analysis of sets of congeneric tests. Psychometrika 36,
    109-133. https://doi.org/10.1007/BF02291393

    Raykov, T. (1997). Estimation of composite reliability for congeneric measures. Applied
    Psychological Measurement 21, 173-184. https://doi.org/10.1177/01466216970212006

    Raykov, T. (2001). Estimation of congeneric scale reliability using covariance structure
    analysis with nonlinear constraints. British Journal of Mathematical and Statistical Psychology
    54, 315-323. https://doi.org/10.1348/000711001159582

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> rho_c(fit.solution).round(4)[:2]
    array([0.8189, 0.7332])
    """
    shares = true_shares(solution)
    if shares is not None:
        return shares
    loadings = solution.estimates.loadings
    common = block_sums(solution.model, loadings) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(common / (common + block_sums(solution.model, 1.0 - loadings**2)))


def ave(solution: Solution) -> Floats:
    """Return the average variance extracted, the mean squared loading, (..., constructs).

    References
    ----------
    Fornell, C., Larcker, D. F. (1981). Evaluating structural equation models with unobservable
    variables and measurement error. Journal of Marketing Research 18(1), 39-50.
    https://doi.org/10.1177/002224378101800104

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> ave(fit.solution).round(4)[:2]
    array([0.4784, 0.4804])
    """
    sizes = np.bincount(solution.model.owner)
    return block_sums(solution.model, solution.estimates.loadings**2) / sizes


def block_sums(model: Model, values: Floats) -> Floats:
    """Sum item values within constructs, (..., items) to (..., constructs)."""
    return np.add.reduceat(values, [block.start for block in model.slices], axis=-1)


def modes_of(solution: Solution) -> tuple[str, ...]:
    """Return how each construct's weights were made: ``"A"``, ``"B"``, ``"unit"``, ``"other"``."""
    return solution.estimator.modes_of(solution.model)


register(Quantity("alpha", by_construct, alpha, null=None))
register(Quantity("alpha_raw", by_construct, alpha_raw, null=None))
register(Quantity("rho_a", by_construct, rho_a, null=None))
register(Quantity("rho_c", by_construct, rho_c, null=None))
register(Quantity("ave", by_construct, ave, null=None))
