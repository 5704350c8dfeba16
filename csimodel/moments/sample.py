"""The moments of answers, and of groups of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.floats import own_errstate
from csimodel.moments.additive import Memory
from csimodel.moments.blocks import blocks_of, complete_moments, moments_of_sets
from csimodel.moments.cross_products import CrossProducts
from csimodel.moments.moments import Moments
from csimodel.moments.sample_rows import Groups
from csimodel.options import require_names, shown
from csimodel.survey import Answers, Survey


@own_errstate
@checked
def moments_of(source: Answers | Survey | Moments, items: Sequence[str] | None = None) -> Moments:
    """Return the moments of a survey's items, of prepared answers, or moments as they are.

    Examples
    --------
    >>> from csimodel.survey import load_mobi
    >>> moments_of(load_mobi(), ["CUSA1", "CUSA2"]).mean.round(3)
    array([7.988, 7.128])
    """
    items = None if items is None else require_names("items", items, "item")
    if isinstance(source, Moments):
        return source if items is None or tuple(items) == source.items else source.select(items)
    if isinstance(source, Survey):
        names = tuple(items if items is not None else source.items)
        source = source.answers({"": names})
    if not isinstance(source, Answers):
        raise OptionError(
            f"source={shown(source)} has no answers; give a survey read with csi.read_survey(data)."
        )
    if source.missing == "complete":
        return complete_moments(source)
    return CrossProducts.of(source).sample()


def group_moments(answers: Answers, codes: NDArray[np.intp], groups: int) -> Moments:
    """Return a batch of moments, one for each group code 0 … groups - 1, in one pass.

    Groups of fewer than 2 rows get NaN moments.
    """
    if answers.missing == "complete" and (codes >= 0).any():
        sums = Memory().accumulate(blocks_of(answers, codes), groups)
        batch = moments_of_sets(sums, answers)
        mean = np.where(sums.rows[:, None] > 1, sums.mean, np.nan)
        return replace(batch, mean=mean, rows=Groups(answers, codes, groups))
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(groups + 1))
    n = np.diff(starts).astype(np.float64)
    size = len(answers.items)
    mean, cov = np.full((size, groups), np.nan), np.full((size, size, groups), np.nan)
    effective = n.copy()
    for group in np.flatnonzero(n > 1):
        own = order[starts[group] : starts[group + 1]]
        part = replace(
            answers,
            values=answers.values[own],
            weights=None if answers.weights is None else answers.weights[own],
        )
        alone = moments_of(part)
        mean[:, group], cov[:, :, group] = alone.mean, alone.cov
        effective[group] = alone.effective_n
    return Moments(
        items=answers.items,
        n=n,
        mean=mean.T,
        cov=np.moveaxis(cov, -1, 0),
        minimum=answers.minimum,
        maximum=answers.maximum,
        effective_n=effective,
        rows=Groups(answers, codes, groups),
    )
