"""The whole chain of a random-intercept model: whole firms are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.index import IndexDraws
from csimodel.inference import Bootstrap, draws_of
from csimodel.outcomes.kernels.glm import dot_cells
from csimodel.outcomes.kernels.kernel import Samples, Standardised, fit_samples
from csimodel.outcomes.kernels.random_intercept import RandomIntercept
from csimodel.outcomes.models.draws import RegressionLosses, require_regressions
from csimodel.outcomes.models.mixed.customers import Customers

Floats = NDArray[np.float64]


def mixed_draws(
    bootstrap: Bootstrap, customers: Customers, index: str, by: str, progress: bool
) -> tuple[Floats, Floats, RegressionLosses]:
    """Return coefficients and mean columns of the design in the usable draws, and those lost.

    (draws, terms), twice.

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

    usable = bootstrap.usable
    columns = customers.design
    centre, spread = columns[:, 1:].mean(axis=0), columns[:, 1:].std(axis=0)
    centre[0] = 0.0  # within firms it is 0 in every draw
    means = np.full((len(bootstrap.usable), columns.shape[1]), np.nan)

    def samples() -> Iterator[Samples]:
        for draws, times in draws_of(
            design, usable, cells=customers.n, count=firms, what="mixed", progress=progress
        ):
            own = [*_within_and_between(customers, indexes.at(draws)[0]), *columns[:, 3:].T]
            means[draws] = _means(own, times[:, customers.firm])
            yield Samples(draws, own, times, [customers.outcome])

    kernel = Standardised(RandomIntercept(columns.shape[1], customers.starts), centre, spread)
    mixed = fit_samples(kernel, samples(), len(means))
    losses = RegressionLosses.of(bootstrap, mixed.ending)
    require_regressions(losses.usable, losses.lost, "have a mixed model", "fewer controls")
    return mixed.coefficients[losses.usable], means[losses.usable], losses


def _within_and_between(customers: Customers, index: Floats) -> tuple[Floats, Floats]:
    """Return the index less the firm's mean, and the firm's mean, each (draws, rows)."""
    means = np.add.reduceat(index, customers.starts, axis=1) / customers.size
    between = means[:, customers.firm]
    return index - between, between


def _means(columns: Sequence[Floats], weights: Floats) -> Floats:
    """Return the means of a constant and of columns, (draws, terms)."""
    share = weights / weights.sum(axis=1, keepdims=True)
    return np.stack([np.ones(len(share)), *(dot_cells(share, x) for x in columns)], axis=1)


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
