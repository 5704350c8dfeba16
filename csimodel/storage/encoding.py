"""Values as JSON and arrays."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.storage.kinds import fields_of, kind_of
from csimodel.translation import Message

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_PLAIN = (bool, int, str)
PLAIN_ARRAYS = "biufcmMSU"  # kinds of NumPy's types that hold no Python objects
PLAIN_NUMBERS = "biufU"  # kinds of its single values that JSON can hold


class Encoder:
    """Writes a value as JSON; what is held twice is written once.

    Attributes
    ----------
    objects
        Everything that is referred to, each after what it refers to.
    arrays
        The arrays, in the order of their numbers.

    Examples
    --------
    >>> encoder = Encoder()
    >>> encoder.encoded((1, float("inf"), np.array([0.5])), "value")
    {'tuple': [1, {'float': 'inf'}, {'array': 0, 'axes': [0]}]}
    >>> encoder.arrays
    [array([0.5])]
    """

    def __init__(self) -> None:
        self.objects: list[Json] = []
        self.arrays: list[NDArray[np.generic]] = []
        self._known: dict[int, tuple[object, Json]] = {}

    def result(self, value: object) -> Json:
        """Return what is to be a file of its own as JSON.

        Raises
        ------
        OptionError
            As `encoded`, and for a single value, such as None, which is no result.
        """
        if value is None or isinstance(value, bool | int | float | str) or _scalar(value):
            raise _not_held(value, "result")
        return self.encoded(value, "result")

    def encoded(self, value: object, where: str) -> Json:
        """Return a value as JSON; `where` it stands is said when it cannot be.

        Raises
        ------
        OptionError
            For what files do not hold, such as functions and classes of the user's own.
        """
        if isinstance(value, Message):
            own = [str(value), value.template, dict(value.values)]
            return {"message": self._each(own, where)}
        if value is None or (isinstance(value, bool | int | str) and type(value) in _PLAIN):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": str(value)}
        small = _scalar(value)
        if small is not None:
            return small
        if id(value) not in self._known:
            self._known[id(value)] = (value, self._large(value, where))
        return self._known[id(value)][1]

    def _large(self, value: object, where: str) -> Json:
        """Return what is written once: an array, a table, an object, or something that holds."""
        kind = kind_of(value)
        if kind is not None:
            own = {
                name: self.encoded(part, f"{where}.{name}")
                for name, part in fields_of(value).items()
            }
            return self._referred({"class": kind, "fields": own})
        if isinstance(value, np.ndarray):
            return self._array(value, where)
        if isinstance(value, pd.Index | pd.Series | pd.DataFrame):
            return self._referred(self._pandas(value, where))
        if isinstance(value, Mapping):
            pairs = ([key, value[key]] for key in value)
            return {"dict": [self._each(pair, where) for pair in pairs]}
        if isinstance(value, tuple | list | frozenset | set) and not hasattr(value, "_fields"):
            own_kind = next(
                kind for kind in (tuple, list, frozenset, set) if isinstance(value, kind)
            )
            return {own_kind.__name__: self._each(value, where)}
        raise _not_held(value, where)

    def _each(self, values: Iterable[object], where: str) -> Json:
        return [self.encoded(part, f"{where}[{i}]") for i, part in enumerate(values)]

    def _referred(self, entry: Json) -> Json:
        self.objects.append(entry)
        return {"ref": len(self.objects) - 1}

    def _array(self, array: NDArray[np.generic], where: str) -> Json:
        """Keep an array, its axes in the order in which they lie in memory."""
        if array.dtype.kind not in PLAIN_ARRAYS:
            cells = self._each(array.ravel().tolist(), where)
            return {"cells": cells, "shape": list(array.shape)}
        axes = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
        self.arrays.append(np.asarray(array.transpose(axes), order="C"))
        return {"array": len(self.arrays) - 1, "axes": list(axes)}

    def _pandas(self, value: pd.Index | pd.Series | pd.DataFrame, where: str) -> Json:
        if isinstance(value, pd.DataFrame):
            columns: list[Json] = [
                self._column(value.iloc[:, j], f"{where}[{value.columns[j]!r}]")
                for j in range(value.shape[1])
            ]
            head = self.encoded(value.columns, f"{where}.columns")
            return {"frame": columns, "columns": head, "index": self.encoded(value.index, where)}
        name = self.encoded(value.name, where)
        if isinstance(value, pd.Series):
            index = self.encoded(value.index, where)
            return {"series": self._column(value, where), "name": name, "index": index}
        if isinstance(value, pd.MultiIndex):
            levels = self._each(value.levels, where)
            codes = self._each(map(np.asarray, value.codes), where)
            return {"levels": levels, "codes": codes, "names": self._each(value.names, where)}
        if isinstance(value, pd.RangeIndex):
            return {"range": [value.start, value.stop, value.step], "name": name}
        return {"index": self._column(value.to_series(), where), "name": name}

    def _column(self, column: pd.Series, where: str) -> Json:
        """Return the values of a column with their type."""
        kind = column.dtype
        if isinstance(kind, np.dtype) and kind.kind in PLAIN_ARRAYS:
            return self._array(column.to_numpy(), where)
        if isinstance(kind, pd.CategoricalDtype):
            categories = self.encoded(kind.categories, where)
            codes = self._array(column.cat.codes.to_numpy(), where)
            return {"codes": codes, "categories": categories, "ordered": bool(kind.ordered)}
        if isinstance(kind, pd.DatetimeTZDtype):
            instants = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
            return {"instants": self._array(instants, where), "zone": str(kind.tz)}
        return {"values": self._each(column.tolist(), where), "dtype": str(kind)}


def _not_held(value: object, where: str) -> OptionError:
    return OptionError(
        f"{where} is {_described(value)}, which a saved file does not hold; it holds fits of "
        "answers in memory, what csi.bootstrap, linearize, compare and the assessments make of "
        "them, and tables."
    )


def _scalar(value: object) -> Json:
    """Return a single value of a type that JSON has not; None for anything else."""
    if isinstance(value, Enum):
        return None
    if value is pd.NA:
        return {"missing": "NA"}
    if value is pd.NaT:
        return {"missing": "NaT"}
    if isinstance(value, np.generic) and value.dtype.kind in PLAIN_NUMBERS:
        plain = value.item()
        finite = not isinstance(plain, float) or math.isfinite(plain)
        return {"number": plain if finite else str(plain), "dtype": value.dtype.str}
    if isinstance(value, pd.Timestamp):
        return {"timestamp": value.isoformat()}
    if isinstance(value, dt.datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, pd.Interval) and isinstance(value.left, float | int | np.number):
        return {"interval": [float(value.left), float(value.right)], "closed": str(value.closed)}
    return None


def _described(value: object) -> str:
    name = getattr(value, "__qualname__", None)
    own = type(value)
    return f"{name} (a {own.__qualname__})" if name else f"a {own.__module__}.{own.__qualname__}"
