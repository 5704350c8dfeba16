"""The dictionary of an SPSS file, walked through before the library that reads it.

That library (ReadStat) trusts the numbers in it, and ends the whole process where they point
outside.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_HEADER = 176
_VARIABLE, _LABELS, _LABELLED, _DOCUMENT, _EXTENSION, _END = 2, 3, 4, 6, 7, 999
_DOCUMENT_LINE = 80
_WIDEST = 255
_MOST_DICTIONARY = 200_000_000


def is_sound(path: Path) -> bool:
    """Return whether the dictionary's records follow each other, and name variables that are there.

    Record types and their fields: 2 a variable, 3 and 4 value labels and the variables that have
    them, 6 a document, 7 an extension, 999 the end. A string wider than 8 takes further variables
    of type -1.
    """
    with path.open("rb") as stream:
        content = stream.read(_MOST_DICTIONARY)
    try:
        return content[:4] in (b"$FL2", b"$FL3") and _Dictionary(content).is_sound()
    except struct.error:
        return False


@dataclass
class _Dictionary:
    """A walk through the records: where it is, how many variables it met and still expects."""

    content: bytes
    place: int = _HEADER
    variables: int = 0
    expected: int = 0
    order: str = "<"

    def is_sound(self) -> bool:
        if self._whole(64) not in (2, 3):
            self.order = ">"
        while True:
            kind = self._next()
            if kind != _VARIABLE and self.expected:
                return False
            if kind == _END:
                return True
            record = _RECORDS.get(kind)
            if record is None or not record(self):
                return False

    def variable(self) -> bool:
        width, labelled, missing = (self._next() for _ in range(3))
        self.place += 16
        if not -1 <= width <= _WIDEST or labelled not in (0, 1) or not -3 <= missing <= 3:
            return False
        if (width == -1) != bool(self.expected):
            return False
        self.expected = self.expected - 1 if width == -1 else max(0, -(-width // 8) - 1)
        if labelled:
            self._skip(self._next(), 4)
        self.place += 8 * abs(missing)
        self.variables += 1
        return True

    def labels(self) -> bool:
        count = self._next()
        for _ in range(count):
            self.place += 8
            length = struct.unpack_from("B", self.content, self.place)[0]
            self._skip(length + 1, 8)
        return count >= 0

    def labelled(self) -> bool:
        count = self._next()
        if not 0 <= count <= self.variables:
            return False
        return all(1 <= self._next() <= self.variables for _ in range(count))

    def document(self) -> bool:
        self._skip(self._next() * _DOCUMENT_LINE, 1)
        return True

    def extension(self) -> bool:
        _, size, count = (self._next() for _ in range(3))
        if min(size, count) < 0:
            return False
        self._skip(size * count, 1)
        return True

    def _whole(self, place: int) -> int:
        return int(struct.unpack_from(f"{self.order}i", self.content, place)[0])

    def _next(self) -> int:
        self.place += 4
        return self._whole(self.place - 4)

    def _skip(self, length: int, unit: int) -> None:
        if length < 0:
            raise struct.error("a length below 0")
        self.place += -(-length // unit) * unit


_RECORDS = {
    _VARIABLE: _Dictionary.variable,
    _LABELS: _Dictionary.labels,
    _LABELLED: _Dictionary.labelled,
    _DOCUMENT: _Dictionary.document,
    _EXTENSION: _Dictionary.extension,
}
