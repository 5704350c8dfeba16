"""Whether constructs can be told apart: HTMT in three forms, and the Fornell–Larcker table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.assessment.reliability import ave
from csimodel.estimators import Quantity, Solution, register
from csimodel.estimators.quantities import pairs_told_apart, places_told_apart
from csimodel.model import Model

Floats = NDArray[np.float64]

_CHUNK = 512  # samples whose correlations stay in cache together


def htmt(solution: Solution) -> Floats:
    """Return the heterotrait-monotrait ratio of absolute correlations, (..., pairs).

    ``mean |r| between the two constructs / √(mean |r| within one · mean |r| within the other)``.
    Absolute correlations, as in seminr and Ringle et al.: an item asked the other way round then
    cannot hide an overlap. cSEM and matrixpls average the correlations with their signs, see
    `htmt_signed`.
    A single item counts 1 within itself, as in seminr and cSEM; the ratio then takes the
    item as free of error and is too small when it is not. It needs the items' correlations only,
    so it is the same for all estimators. Pairs in the order of ``tril``, row by row.

    References
    ----------
    Henseler, J., Ringle, C. M., Sarstedt, M. (2015). A new criterion for assessing discriminant
    validity in variance-based structural equation modeling. Journal of the Academy of Marketing
    Science 43, 115-135. https://doi.org/10.1007/s11747-014-0403-8

    Ringle, C. M., Sarstedt, M., Sinkovics, N., Sinkovics, R. R. (2023). A perspective on using
    partial least squares structural equation modelling in data articles. Data in Brief 48,
    109074. https://doi.org/10.1016/j.dib.2023.109074

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> htmt(fit.solution).round(4)[:3]
    array([0.888 , 0.9287, 0.8783])
    """
    return _ratio(solution.model, _block_means(solution, np.abs))


def htmt_signed(solution: Solution) -> Floats:
    """Return the heterotrait-monotrait ratio of signed correlations, (..., pairs).

    As `htmt`, without taking absolute values of correlations, as cSEM, matrixpls and semTools
    (``absolute=FALSE``) do. The ratio keeps its sign, as in cSEM with ``.absolute=FALSE``; by
    default cSEM returns the ratio's absolute value. NaN when the items of a construct correlate
    negatively on average.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> pairs = list(pairs_told_apart(fit.model))
    >>> float(htmt_signed(fit.solution)[pairs.index(("Loyalty", "Quality"))].round(4))
    0.7235
    """
    return _ratio(solution.model, _block_means(solution, None))


def htmt2(solution: Solution) -> Floats:
    """Return HTMT2, the ratio of geometric means of absolute correlations, (..., pairs).

    Consistent when the items of a construct have unequal loadings, where `htmt` is too large. Of
    absolute correlations, as semTools does by default; cSEM takes signed ones and has no value when
    any is negative.

    References
    ----------
    Roemer, E., Schuberth, F., Henseler, J. (2021). HTMT2 - an improved criterion for assessing
    discriminant validity in structural equation modeling. Industrial Management & Data Systems
    121(12), 2637-2650. https://doi.org/10.1108/IMDS-02-2021-0082

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> htmt2(fit.solution).round(4)[:3]
    array([0.9188, 0.9112, 0.9033])
    """
    return _ratio(solution.model, np.exp(_block_means(solution, _log_size)))


def _log_size(values: Floats) -> Floats:
    return np.asarray(np.log(np.abs(values)))


def _block_means(solution: Solution, change: Callable[[Floats], Floats] | None) -> Floats:
    """Average (changed) correlations within and between constructs, (..., constructs, constructs).

    Lower triangle and diagonal. Correlations of items with themselves are left out; a single item
    averages to `change` of 1.
    """
    model, cov = solution.model, solution.item_cov
    batch = np.moveaxis(cov if cov.ndim > 2 else cov[None], 0, -1)
    sizes = np.array([len(construct.items) for construct in model.constructs])
    sums = np.zeros((len(sizes), len(sizes), batch.shape[-1]))
    for start in range(0, batch.shape[-1], _CHUNK):
        chunk = slice(start, start + _CHUNK)
        _add_up(np.ascontiguousarray(batch[..., chunk]), model, change, sums[..., chunk])
    within = np.where(sizes > 1, sizes * (sizes - 1) // 2, 1)
    single = np.flatnonzero(sizes == 1)
    sums[single, single] = 1.0 if change is None else change(np.ones(1))
    counts = np.outer(sizes, sizes) - np.diag(sizes**2 - within)
    means = np.moveaxis(sums / counts[..., None], -1, 0)
    return np.asarray(means if cov.ndim > 2 else means[0])


def _add_up(
    cov: Floats, model: Model, change: Callable[[Floats], Floats] | None, into: Floats
) -> None:
    """Add every item's correlations with earlier items to `into`, by construct of both."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1.0 / np.sqrt(np.einsum("iid->id", cov))
        for item in range(1, len(cov)):
            owner = int(model.owner[item])
            row = cov[item, :item] * scale[:item]
            row *= scale[item]
            if change is not None:
                row = change(row)
            starts = [block.start for block in model.slices[: owner + 1] if block.start < item]
            into[owner, : len(starts)] += np.add.reduceat(row, starts, axis=0)


def _ratio(model: Model, means: Floats) -> Floats:
    within = np.einsum("...jj->...j", means)
    with np.errstate(invalid="ignore", divide="ignore"):
        row, column = places_told_apart(model)
        return np.asarray(means[..., row, column] / np.sqrt(within[..., row] * within[..., column]))


def fornell_larcker(solution: Solution) -> Floats:
    """Return square roots of AVE on the diagonal, construct correlations below, NaN above.

    (..., constructs, constructs). A construct passes when its diagonal exceeds every correlation
    in its row and column. Correlations are those of the fit, corrected when the estimator
    corrects, as in cSEM (which shows squares); seminr keeps uncorrected correlations
    beside corrected AVE, which would let constructs pass too easily.

    References
    ----------
    Fornell, C., Larcker, D. F. (1981). https://doi.org/10.1177/002224378101800104

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> fornell_larcker(fit.solution)[:2, :2].round(4)
    array([[0.6916,    nan],
           [0.5049, 0.6931]])
    """
    table = solution.estimates.construct_cor.copy()
    own = np.arange(table.shape[-1])
    table[..., own, own] = np.sqrt(ave(solution))
    row, column = np.triu_indices(table.shape[-1], 1)
    table[..., row, column] = np.nan
    return table


def fornell_larcker_margin(solution: Solution) -> Floats:
    """Return by how much the smaller AVE of a pair exceeds its squared correlation, (..., pairs).

    Positive when the pair passes the Fornell–Larcker criterion.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> fornell_larcker_margin(fit.solution).round(3)[:2]
    array([ 0.223, -0.082])
    """
    extracted = ave(solution)
    smaller = np.minimum(extracted[..., :, None], extracted[..., None, :])
    row, column = places_told_apart(solution.model)
    return np.asarray((smaller - solution.estimates.construct_cor**2)[..., row, column])


def square_of_pairs(values: Floats, model: Model) -> pd.DataFrame:
    """Return values of pairs as a constructs × constructs table, NaN on and above the diagonal."""
    names = list(model.construct_names)
    table = np.full((len(names), len(names)), np.nan)
    table[places_told_apart(model)] = values
    return pd.DataFrame(table, names, names)


register(Quantity("htmt", pairs_told_apart, htmt, null=None))
register(Quantity("htmt_signed", pairs_told_apart, htmt_signed, null=None))
register(Quantity("htmt2", pairs_told_apart, htmt2, null=None))
register(Quantity("fornell_larcker_margin", pairs_told_apart, fornell_larcker_margin))
