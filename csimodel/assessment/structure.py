"""How sound the regressions are: variance inflation of items and antecedents, and f²."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import Quantity, Solution, register
from csimodel.estimators.quantities import by_construct, by_item, matrix_entries

Floats = NDArray[np.float64]

_TIED = 1e10  # a variance inflation factor beyond this is infinite but for rounding


def item_vif(solution: Solution) -> Floats:
    """Return the variance inflation factor of each item among those of its construct, (..., items).

    ``1 / (1 - R²)`` of the item regressed on the others: the diagonal of the block's inverse
    correlation matrix. 1 for a single item, infinite for items tied by an exact formula.

    References
    ----------
    Hair, J. F., Risher, J. J., Sarstedt, M., Ringle, C. M. (2019). When to use and how to report
    the results of PLS-SEM. European Business Review 31(1), 2-24.
    https://doi.org/10.1108/EBR-11-2018-0203

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> item_vif(fit.solution).round(4)[:3]
    array([1.4684, 1.2251, 1.2588])
    """
    cor = solution.item_cor
    blocks = [inflation(cor[..., block, block]) for block in solution.model.slices]
    return np.concatenate(blocks, axis=-1)


def antecedent_vif(solution: Solution) -> Floats:
    """Return the variance inflation factor of each antecedent in its regression, (..., paths).

    From the construct correlations that the paths were estimated from, so corrected for
    measurement error when the estimator corrects, as in cSEM; seminr keeps uncorrected scores.
    An only antecedent has 1 (both programs leave it out). NaN when the correlations of the
    antecedents are not positive definite. Paths by target, then source.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> antecedent_vif(fit.solution).round(4)[4:8]
    array([2.3724, 1.4887, 2.8418, 1.5514])
    """
    cor = solution.estimates.construct_cor
    sources = [np.flatnonzero(row) for row in solution.model.adjacency if row.any()]
    parts = [inflation(cor[..., s[:, None], s]) for s in sources]
    return np.concatenate(parts, axis=-1) if parts else np.empty((*cor.shape[:-2], 0))


def full_vif(solution: Solution) -> Floats:
    """Return the variance inflation factor of each construct among all others, (..., constructs).

    The diagonal of the inverse correlations of the constructs, as the estimator has them: of scores
    by PLS, freed of measurement error by PLSc. NaN where these are not positive definite (programs
    that invert them all the same give values below 1, even negative ones, by PLSc).

    References
    ----------
    Kock, N. (2015). Common method bias in PLS-SEM: a full collinearity assessment approach.
    International Journal of e-Collaboration 11(4), 1-10. https://doi.org/10.4018/ijec.2015100101

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> full_vif(fit.solution).round(3)[:3]
    array([2.586, 1.518, 3.827])
    """
    return inflation(solution.estimates.construct_cor)


def inflation(cor: Floats) -> Floats:
    """Return the diagonal of inverse correlation matrices, (..., k, k) to (..., k).

    Infinite for variables tied by an exact formula; NaN when a matrix is not positive
    definite or has NaN.

    >>> inflation(np.array([[1.0, 0.6], [0.6, 1.0]]))
    array([1.5625, 1.5625])
    >>> inflation(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
    array([inf, inf,  1.])
    """
    if cor.shape[-1] == 1:
        return np.asarray(np.where(np.isfinite(cor[..., 0]), 1.0, np.nan))
    flat = np.ascontiguousarray(cor).reshape(-1, *cor.shape[-2:])
    result = np.full(flat.shape[:-1], np.nan)
    known = np.isfinite(flat).all(axis=(-2, -1))
    try:
        result[known] = np.einsum("djj->dj", np.linalg.inv(flat[known]))
    except np.linalg.LinAlgError:
        result[known] = np.inf
    for d in np.flatnonzero(known & ~((result >= 1.0 - 1e-12) & (result < _TIED)).all(axis=-1)):
        result[d] = _near_singular(flat[d])
    return result.reshape(cor.shape[:-1])


def _near_singular(cor: Floats) -> Floats:
    values, vectors = np.linalg.eigh(cor)
    if values[0] < -1.0 / _TIED:
        return np.full(len(cor), np.nan)
    tied = values < 1.0 / _TIED
    finite = np.asarray((vectors[:, ~tied] ** 2 / values[~tied]).sum(axis=1))
    finite[(vectors[:, tied] ** 2).sum(axis=1) > 1e-10] = np.inf
    return finite


def f2(solution: Solution) -> Floats:
    """Return Cohen's f² of each path, (..., paths): what the target's R² owes to it.

    ``(R² - R² without the antecedent) / (1 - R²)``, the construct correlations kept as they are;
    it equals ``path² / (VIF · (1 - R²))``. cSEM does the same; seminr estimates the model again
    without the path, which also moves all weights and so mixes the worth of an antecedent with a
    change of what is explained (it can turn negative; .0307 against .0355 for Image → Loyalty on
    the mobile-phone data). NaN when R² reaches 1.

    References
    ----------
    Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences, chapter 9.
    https://doi.org/10.4324/9780203771587

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> f2(fit.solution).round(4)[:4]
    array([0.3422, 0.4492, 0.0026, 0.3285])
    """
    target, source = np.nonzero(solution.model.adjacency)
    unexplained = 1.0 - solution.r2[..., target]
    paths = solution.standardized_paths[..., target, source]
    with np.errstate(invalid="ignore", divide="ignore"):
        effect = paths**2 / (antecedent_vif(solution) * unexplained)
    return np.asarray(np.where(unexplained > 0, effect, np.nan))


_by_path = matrix_entries(lambda model: model.adjacency)

register(Quantity("item_vif", by_item, item_vif, null=None))
register(Quantity("antecedent_vif", _by_path, antecedent_vif, null=None))
register(Quantity("full_vif", by_construct, full_vif, null=None))
register(Quantity("f2", _by_path, f2, null=None))
