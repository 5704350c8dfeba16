"""Weights of items that a user knows already, such as those of another wave."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import ModelError, OptionError, suggest
from csimodel.findings import listed
from csimodel.model import Model
from csimodel.options import shown

Floats = NDArray[np.float64]
GivenWeights = Mapping[str, float] | tuple[tuple[str, float], ...]


def given_weights(weights: object) -> tuple[tuple[str, float], ...]:
    """Return weights by item as pairs, sorted by item.

    Raises
    ------
    OptionError
        For anything but a mapping of item names to finite numbers.

    Examples
    --------
    >>> given_weights({"b": 2, "a": 0.5})
    (('a', 0.5), ('b', 2.0))
    """
    allowed = "a mapping of item names to numbers, such as {'CUSA1': 0.5, 'CUSA2': 0.5}"
    pairs = weights
    if isinstance(weights, Mapping):
        pairs = tuple(weights.items())
    if not isinstance(pairs, tuple) or not pairs:
        raise OptionError(
            f"weights={shown(weights)} is neither a criterion, such as 'maxvar', nor {allowed}."
        )
    known: dict[str, float] = {}
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
            raise OptionError(f"weights= holds {shown(pair)}; give {allowed}.")
        item, value = pair
        number = isinstance(value, int | float | np.integer | np.floating)
        if not number or isinstance(value, bool) or not np.isfinite(float(value)):
            raise OptionError(
                f"The weight of {item!r} is {shown(value)}; give a finite number, 0 where an item "
                "does not count."
            )
        known[item] = float(value)
    return tuple(sorted(known.items()))


def constructs_of(weights: Mapping[str, float], model: Model) -> frozenset[str]:
    """Return the constructs of items whose weights are given."""
    return frozenset(
        construct.name
        for construct in model.measured
        if any(item in weights for item in construct.items)
    )


def require_whole_blocks(weights: Mapping[str, float], model: Model) -> None:
    """Refuse weights of items that are not in the model, and of some items of a construct only.

    Raises
    ------
    ModelError
        Naming the item or the construct.
    """
    for item in weights:
        if item not in model.answered:
            raise ModelError(
                f"weights= names {item!r}, which is no item of the model"
                f"{suggest(item, model.answered)}."
            )
    known = constructs_of(weights, model)
    for construct in model.measured:
        if construct.name not in known:
            continue
        lacking = tuple(item for item in construct.items if item not in weights)
        if lacking:
            raise ModelError(
                f"weights= names some items of {construct.name!r} and not {listed(lacking)}; give "
                "all of a construct, 0 where an item does not count, or none."
            )
        if not any(weights[item] for item in construct.items):
            raise ModelError(
                f"All weights of {construct.name!r} are 0; give at least one that is not."
            )


def given_start(weights: Mapping[str, float], model: Model, samples: int) -> Floats | None:
    """Return weights to start from, 1 where none is given, (items, samples); None for none."""
    if not weights:
        return None
    own = np.array([weights.get(item, 1.0) for item in model.items])
    return np.repeat(own[:, None], samples, axis=1)
