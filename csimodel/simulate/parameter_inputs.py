"""Values of parameters as a person writes them: one for all, by name, or as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, suggest
from csimodel.model import Construct, Model
from csimodel.options import require_array, require_number, shown

Floats = NDArray[np.float64]


def by_item(
    option: str, model: Model, given: object, constructs: Sequence[Construct] | None = None
) -> Floats:
    """Return one value an item, (items,), 1 for items of other `constructs`.

    Raises
    ------
    OptionError
        For an unknown name, an item without a value, or values that do not fit its construct.
    """
    own = model.constructs if constructs is None else constructs
    single_is_one = constructs is not None and option == "loadings"
    values = dict.fromkeys(model.items, 1.0)
    if isinstance(given, Real):
        alike = require_number(option, given)
        for construct in own:
            if not (single_is_one and construct.kind == "single"):
                values.update(dict.fromkeys(construct.items, alike))
        return np.array([values[item] for item in model.items])
    known = _by_name(option, model, given)
    for construct in own:
        for place, item in enumerate(construct.items):
            value = known.get(item, known.get(construct.name))
            if value is None and single_is_one and construct.kind == "single":
                continue
            if value is None:
                raise OptionError(
                    f"{option} has no value for {item!r}; name it or its construct "
                    f"{construct.name!r}, or give one value for all."
                )
            if isinstance(value, Real):
                values[item] = require_number(option, value)
                continue
            if not isinstance(value, Sequence | np.ndarray) or len(value) != len(construct.items):
                raise OptionError(
                    f"{option}[{construct.name!r}]={value!r} does not fit its "
                    f"{len(construct.items)} items; give one value, or one for each."
                )
            values[item] = require_number(option, value[place])
    return np.array([values[item] for item in model.items])


def _by_name(option: str, model: Model, given: object) -> dict[str, object]:
    """Return values by item or construct."""
    if isinstance(given, pd.DataFrame):
        for item in model.items:
            if item not in given.index:
                raise OptionError(f"The table {option} has no row {item!r}; give every item one.")
        owners = [model.construct_names[j] for j in model.owner]
        return {item: given.loc[item, name] for item, name in zip(model.items, owners, strict=True)}
    if not isinstance(given, Mapping | pd.Series):
        raise OptionError(
            f"{option}={shown(given)} is not known; give one number, or a mapping from item."
        )
    known = {str(name): value for name, value in given.items()}
    allowed = [*model.construct_names, *model.items]
    for name in known:
        if name not in allowed:
            raise OptionError(
                f"{option} names {name!r}, which is neither a construct nor an item of the model"
                f"{suggest(name, allowed)}."
            )
    return known


def by_pair(
    option: str, sign: str, model: Model, wanted: Sequence[tuple[str, str]], given: object
) -> dict[tuple[str, str], float]:
    """Return the value of every pair of constructs that is wanted.

    Raises
    ------
    OptionError
        For a pair that cannot be read, is not wanted or has no value.
    """
    if isinstance(given, Real):
        return dict.fromkeys(wanted, require_number(option, given))
    if isinstance(given, pd.DataFrame):
        for name in {end for pair in wanted for end in pair}:
            if name not in given.index or name not in given.columns:
                raise OptionError(
                    f"The table {option} has no row and column {name!r}; give every construct both."
                )
        ends = [[pair[end] for pair in wanted] for end in (0, 1)]
        row = given.index.get_indexer(pd.Index(ends[0]))
        column = given.columns.get_indexer(pd.Index(ends[1]))
        cells = require_array(option, given, "a table by construct")[row, column]
        return dict(zip(wanted, cells.tolist(), strict=True))
    if not isinstance(given, Mapping):
        raise OptionError(
            f"{option}={shown(given)} is not known; give one number, a table, or a mapping such as "
            f"{{'Loyalty {sign} Satisfaction': 0.5}}."
        )
    texts = {f"{a} {sign} {b}": (a, b) for a, b in wanted}
    if sign == "~~":
        texts |= {f"{b} {sign} {a}": (a, b) for a, b in wanted}
    values = {}
    for text, value in given.items():
        tidy = " ".join(f"{text}".replace(sign, f" {sign} ").split())
        if tidy not in texts:
            raise OptionError(
                f"{option} names {text!r}, which is not in the model{suggest(tidy, texts)}; write "
                f"'target {sign} source' for a path the model has."
                if sign == "~"
                else f"{option} names {text!r}, which is not a pair of exogenous constructs"
                f"{suggest(tidy, texts)}."
            )
        values[texts[tidy]] = require_number(option, value)
    for text, pair in texts.items():
        if pair not in values:
            raise OptionError(f"{option} has no value for {text!r}; give every one of them.")
    return values


def matrix_of_pairs(model: Model, values: Mapping[tuple[str, str], float]) -> Floats:
    """Return values in a matrix, the first name its row, the second its column."""
    names = model.construct_names
    matrix = np.zeros((len(names),) * 2)
    for (row, column), value in values.items():
        matrix[names.index(row), names.index(column)] = value
    return matrix
