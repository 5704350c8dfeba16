"""JSON and arrays as values again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.storage.encoding import PLAIN_NUMBERS, Json
from csimodel.storage.kinds import argument_names, class_of
from csimodel.translation import Message

Fields = Mapping[str, Json]


_SIDES: tuple[Literal["left", "right", "both", "neither"], ...] = (
    "left",
    "right",
    "both",
    "neither",
)


class FieldsError(ValueError):
    """A class of the file has other fields than that of the package."""


class Decoder:
    """Reads what `Encoder` wrote.

    Parameters
    ----------
    objects
        Everything that is referred to.
    array
        From a number to the array.

    Raises
    ------
    FieldsError
        When a class has other fields here.
    KeyError, TypeError, ValueError, IndexError, AttributeError
        For what `Encoder` never wrote.

    Examples
    --------
    >>> Decoder([], lambda number: np.zeros(number)).decoded({"tuple": [1, {"float": "inf"}]})
    (1, inf)
    """

    def __init__(self, objects: Sequence[Json], array: Callable[[int], NDArray[np.generic]]):
        self._array_of = array
        self._arrays: dict[int, NDArray[np.generic]] = {}
        self._objects: list[object] = []
        for entry in objects:
            self._objects.append(self._object(_mapping(entry)))

    def decoded(self, entry: Json) -> object:
        """Return the value that was written."""
        if isinstance(entry, list):
            raise TypeError("a list without its kind")
        if not isinstance(entry, dict):
            return entry
        for name, read in self._readers.items():
            if name in entry:
                return read(self, entry)
        raise KeyError(f"none of the kinds known: {', '.join(entry)}")

    def _object(self, entry: Fields) -> object:
        if "class" in entry:
            own = class_of(str(entry["class"]))
            given = {name: self.decoded(part) for name, part in _mapping(entry["fields"]).items()}
            if issubclass(own, Enum):
                return own[str(given["name"])]
            unknown = [name for name in given if name not in argument_names(own)]
            if unknown:
                raise FieldsError(f"{entry['class']} with {unknown[0]!r}")
            return own(**given)
        return self._table(entry)

    def _table(self, entry: Fields) -> object:
        if "frame" in entry:
            index = self._index(entry["index"])
            own = {
                j: self._column(column).set_axis(index)
                for j, column in enumerate(_sequence(entry["frame"]))
            }
            frame = pd.DataFrame(own, index=index)
            frame.columns = self._index(entry["columns"])
            return frame
        if "levels" in entry:
            levels: list[Any] = [self._index(level) for level in _sequence(entry["levels"])]
            return pd.MultiIndex(
                levels=levels,
                codes=[self._numbers(codes).tolist() for codes in _sequence(entry["codes"])],
                names=[_hashable(name) for name in self._each(entry["names"])],
            )
        name = self.decoded(entry["name"])
        if "series" in entry:
            series = self._column(entry["series"]).set_axis(self._index(entry["index"]))
            series.name = _hashable(name)
            return series
        if "range" in entry:
            start, stop, step = _whole(entry["range"])
            return pd.RangeIndex(start, stop, step, name=_hashable(name))
        return pd.Index(self._column(entry["index"]), name=_hashable(name))

    def _index(self, entry: Json) -> pd.Index:
        index = self.decoded(entry)
        if not isinstance(index, pd.Index):
            raise TypeError("no index")
        return index

    def _column(self, entry: Json) -> pd.Series:
        """Return the values of a column, of the type that they had."""
        own = _mapping(entry)
        if "codes" in own:
            codes = self._numbers(own["codes"])
            categories = self._index(own["categories"])
            kind = pd.CategoricalDtype(categories, ordered=own["ordered"] is True)
            return pd.Series(pd.Categorical.from_codes(codes.tolist(), dtype=kind))
        if "instants" in own:
            instants = pd.DatetimeIndex(np.asarray(self.decoded(own["instants"])), tz="UTC")
            return instants.tz_convert(str(own["zone"])).to_series()
        if "values" in own:
            return pd.Series(self._each(own["values"]), dtype=str(own["dtype"]))
        return pd.Series(self.decoded(entry))

    def _numbers(self, entry: Json) -> NDArray[np.intp]:
        return np.asarray(self.decoded(entry), dtype=np.intp)

    def _array(self, entry: Fields) -> NDArray[np.generic]:
        number = _whole([entry["array"]])[0]
        if number not in self._arrays:
            order = np.argsort(np.array(_whole(entry["axes"]), dtype=np.intp))
            self._arrays[number] = self._array_of(number).transpose(order)
        return self._arrays[number]

    def _cells(self, entry: Fields) -> NDArray[np.object_]:
        cells = np.empty(len(_sequence(entry["cells"])), dtype=object)
        cells[:] = self._each(entry["cells"])
        return cells.reshape(_whole(entry["shape"]))

    def _each(self, entries: Json) -> list[object]:
        return [self.decoded(entry) for entry in _sequence(entries)]

    def _pairs(self, entry: Fields) -> dict[object, object]:
        return dict(map(self._pair, _sequence(entry["dict"])))

    def _pair(self, entry: Json) -> tuple[object, object]:
        key, value = self._each(entry)
        return key, value

    def _message(self, entry: Fields) -> Message:
        text, template, values = self._each(entry["message"])
        if not isinstance(values, dict):
            raise TypeError("no fields")
        return Message.of(str(text), str(template), values)

    def _reference(self, entry: Fields) -> object:
        number = _whole([entry["ref"]])[0]
        if number < 0:
            raise IndexError(number)
        return self._objects[number]

    _readers: Mapping[str, Callable[[Decoder, Fields], object]] = {
        "ref": _reference,
        "array": _array,
        "cells": _cells,
        "dict": _pairs,
        "tuple": lambda self, entry: tuple(self._each(entry["tuple"])),
        "list": lambda self, entry: self._each(entry["list"]),
        "set": lambda self, entry: set(self._each(entry["set"])),
        "frozenset": lambda self, entry: frozenset(self._each(entry["frozenset"])),
        "message": _message,
        "float": lambda _, entry: float(str(entry["float"])),
        "number": lambda _, entry: _number(entry),
        "missing": lambda _, entry: {"NA": pd.NA, "NaT": pd.NaT}[str(entry["missing"])],
        "timestamp": lambda _, entry: pd.Timestamp(str(entry["timestamp"])),
        "datetime": lambda _, entry: dt.datetime.fromisoformat(str(entry["datetime"])),
        "date": lambda _, entry: dt.date.fromisoformat(str(entry["date"])),
        "decimal": lambda _, entry: Decimal(str(entry["decimal"])),
        "interval": lambda _, entry: _interval(entry),
    }


def _hashable(value: object) -> Hashable:
    if not isinstance(value, Hashable):
        raise TypeError("no name")
    return value


def _number(entry: Fields) -> object:
    kind = np.dtype(str(entry["dtype"]))
    if kind.kind not in PLAIN_NUMBERS:
        raise TypeError("no number of NumPy")
    return kind.type(entry["number"])


def _interval(entry: Fields) -> pd.Interval[float]:
    left, right = (float(str(end)) for end in _sequence(entry["interval"]))
    for closed in _SIDES:
        if entry["closed"] == closed:
            return pd.Interval(left, right, closed)
    raise ValueError("an interval that is closed nowhere")


def _mapping(entry: Json) -> Fields:
    if not isinstance(entry, dict):
        raise TypeError("no object")
    return entry


def _sequence(entry: Json) -> list[Json]:
    if not isinstance(entry, list):
        raise TypeError("no list")
    return entry


def _whole(entries: Json) -> list[int]:
    return list(map(_require_whole, _sequence(entries)))


def _require_whole(entry: Json) -> int:
    if type(entry) is not int:
        raise TypeError("no whole number")
    return entry
