"""The whole chain of a random-intercept model: whole firms are drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.index import IndexDraws
from csimodel.inference import Bootstrap, draws_of
from csimodel.outcomes.kernels.glm import Ending
from csimodel.outcomes.kernels.random_intercept import random_intercept_draws
from csimodel.outcomes.models.draws import lost_draws, require_regressions
from csimodel.outcomes.models.mixed.customers import Customers

Floats = NDArray[np.float64]


def mixed_draws(
    bootstrap: Bootstrap, customers: Customers, index: str, by: str
) -> tuple[Floats, Floats]:
    """Return coefficients and mean columns of the design in the usable draws, (draws, terms).

    Raises
    ------
    OptionError
        When the draws are not of whole firms, or answers are missing.
    InferenceError
        When fewer than 20 draws are usable.
    """
    _require_firms(bootstrap, customers, by)
    bootstrap.require_usable()
    indexes = IndexDraws.of(bootstrap, [index], customers.rows)
    if indexes.missing is not None:
        raise OptionError(
            f"Whole-chain intervals of a mixed model need complete answers to the items of "
            f"{index!r}; read the survey with missing='listwise'."
        )
    design, first = bootstrap.design, customers.rows[customers.starts]

    def firms(block: int, own: NDArray[np.intp]) -> Floats:
        return design.counts(block)[np.ix_(own, first)]

    drawn = draws_of(
        design, bootstrap.usable, cells=customers.n, count=firms, what="mixed", progress=True
    )
    solved = [
        _solved(customers, indexes.at(draws)[0], customers.outcome, times) for draws, times in drawn
    ]
    b, means, ending = (np.concatenate(parts) for parts in zip(*solved, strict=True))
    good = ending == Ending.CONVERGED
    require_regressions(good, lost_draws(ending, bootstrap), "have a mixed model", "fewer controls")
    return b[good], means[good]


def _solved(
    customers: Customers, x: Floats, y: Floats, times: Floats
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Fit draws with columns standardised as in the sample; coefficients, mean columns, endings."""
    size = customers.size.astype(np.float64)
    means = np.add.reduceat(x, customers.starts, axis=1) / size
    between = means[:, customers.firm]
    design = customers.design
    centre, spread = design.mean(axis=0), design.std(axis=0)
    centre[:2], spread[0] = 0.0, 1.0
    X = np.empty((len(x), customers.n, design.shape[1]))
    X[:] = (design - centre) / spread
    X[:, :, 1] = (x - between) / spread[1]
    X[:, :, 2] = (between - centre[2]) / spread[2]
    b, ending = random_intercept_draws(X, y - y.mean(), customers.starts, times)
    b = b / spread
    b[:, 0] += y.mean() - b @ centre
    heavy = times[:, customers.firm]
    means = np.einsum("dn,dnk->dk", heavy, X) / heavy.sum(axis=1, keepdims=True)
    return b, means * spread + centre, ending


def _require_firms(bootstrap: Bootstrap, customers: Customers, by: str) -> None:
    cluster = bootstrap.design.cluster
    if cluster is not None:
        own = cluster[customers.rows]
        if (own == own[customers.starts][customers.firm]).all():
            return
    raise OptionError(
        f"Whole-chain intervals of a mixed model need draws of whole groups of {by!r}; make them "
        f"from a survey with read_survey(..., cluster={by!r})."
    )
