"""The ways in which one construct affects another: directly, and along each chain of paths."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import ModelError
from csimodel.estimators.quantities import Quantity, register
from csimodel.estimators.solution import Solution
from csimodel.estimators.structural import causal_order
from csimodel.model import Model

Floats = NDArray[np.float64]
Chain = tuple[int, ...]

_MOST = 3_000  # chains of a model that a reader, and a table, can hold


@lru_cache(maxsize=64)
def chains(model: Model) -> tuple[Chain, ...]:
    r"""Return every chain of paths, as positions of the constructs it passes, two or more.

    Ordered by source, then target, then length.

    Raises
    ------
    ModelError
        When there are more than 3,000, counted before any is made.

    Examples
    --------
    >>> model = Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ A + B")
    >>> [written(model, chain) for chain in chains(model)]
    ['A → B', 'A → C', 'A → B → C', 'B → C']
    """
    count = number_of_chains(model)
    if count > _MOST:
        raise ModelError(
            f"The paths of {len(model.constructs)} constructs make {count:,} chains, and effects "
            f"along each are given for at most {_MOST:,}; take fit.total_effects and "
            "fit.indirect_effects, which sum them, or remove paths."
        )
    following = [np.flatnonzero(column).tolist() for column in model.adjacency.T]

    def onward(chain: Chain) -> Iterator[Chain]:
        for target in following[chain[-1]]:
            yield (longer := (*chain, target))
            yield from onward(longer)

    paths = [chain for source in range(len(following)) for chain in onward((source,))]
    return tuple(sorted(paths, key=lambda chain: (chain[0], chain[-1], len(chain), chain)))


def number_of_chains(model: Model) -> int:
    r"""Return how many chains of one path or more there are, without making them.

    Along the arrows, the chains that end in a construct are, for each path into it, that path and
    it added to every chain that ends where it starts.

    Examples
    --------
    >>> number_of_chains(
    ...     Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nB ~ A\nC ~ A + B")
    ... )
    4
    """
    ending = [0] * len(model.constructs)
    for target in causal_order(model):
        for source in np.flatnonzero(model.adjacency[target]).tolist():
            ending[target] += 1 + ending[source]
    return sum(ending)


def indirect_chains(model: Model) -> tuple[Chain, ...]:
    """Return the chains that pass another construct."""
    return tuple(chain for chain in chains(model) if len(chain) > 2)


def written(model: Model, chain: Chain) -> str:
    """Write a chain as ``Image → Satisfaction → Loyalty``."""
    return " → ".join(model.construct_names[j] for j in chain)


def along(chain: Chain, paths: Floats) -> Floats:
    """Return the product of the paths along a chain, (...,), of paths[target, source]."""
    steps = [paths[..., target, source] for source, target in pairwise(chain)]
    return np.asarray(np.prod(steps, axis=0))


def _labels(model: Model) -> pd.Index:
    return pd.Index([written(model, chain) for chain in indirect_chains(model)], name="path")


def _values(solution: Solution) -> Floats:
    paths, chains_of_paths = solution.estimates.paths, indirect_chains(solution.model)
    if not chains_of_paths:
        return np.zeros((*paths.shape[:-2], 0))
    return np.stack([along(chain, paths) for chain in chains_of_paths], axis=-1)


register(Quantity("specific_indirect_effects", _labels, _values))
