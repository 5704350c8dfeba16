"""Batches of rows as Arrow hands them on, and their columns as arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import SurveyError
from csimodel.survey.checks import column_values

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]

ROWS = 1 << 16
"""Rows of a batch."""

_AHEAD = 2  # batches read while another is counted


@dataclass(frozen=True, eq=False)
class RowBatch:
    """Some rows of some columns.

    Attributes
    ----------
    columns
        Arrow arrays by name.
    rows
        How many.
    place
        What they are part of, as the beginning of a sentence.
    start
        How many rows came before.
    """

    columns: Mapping[str, pa.Array]
    rows: int
    place: str
    start: int

    def numbers(self, name: str) -> tuple[NDArray[np.generic], bool]:
        """Return a column as numbers, NaN where missing, and whether they were stored as text.

        Whole numbers without a missing cell keep their type, (rows,).

        Raises
        ------
        SurveyError
            When it holds text, dates or the like.
        """
        import pyarrow as pa

        array = self.columns[name]
        if pa.types.is_boolean(array.type):
            array = array.cast(pa.int8())
        elif pa.types.is_decimal(array.type):
            array = array.cast(pa.float64())
        if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
            if array.null_count:
                array = array.cast(pa.float64(), safe=False)
            return array.to_numpy(zero_copy_only=False), False
        try:
            return column_values(self.labels(name))
        except SurveyError as error:
            raise SurveyError(
                f"{self.place} cannot be used from row {self.start + 1} of the scan on: {error}"
            ) from error

    def labels(self, name: str) -> pd.Series:
        """Return a column as pandas has it, (rows,)."""
        return series_of(self.columns[name]).rename(name)


def series_of(array: pa.Array) -> pd.Series:
    """Return what pandas makes of a column; older Arrow wants categories of signed numbers.

    >>> import pyarrow as pa
    >>> own = pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.uint8()), pa.array(["a", "b"]))
    >>> series_of(own).tolist()
    ['b', 'a']
    """
    import pyarrow as pa

    if pa.types.is_dictionary(array.type) and pa.types.is_unsigned_integer(array.type.index_type):
        codes = array.indices.cast(pa.int64())
        ordered = array.type.ordered
        array = pa.DictionaryArray.from_arrays(codes, array.dictionary, ordered=ordered)
    series: pd.Series = array.to_pandas()
    return series


@dataclass(frozen=True, eq=False)
class RowSource(ABC):
    """Rows that can be read more than once, a batch at a time.

    Attributes
    ----------
    name
        What they are called in sentences.
    columns
        Names of the columns.
    """

    name: str
    columns: tuple[str, ...]

    @property
    def rows(self) -> int | None:
        """How many rows there are; None where nobody knows before they are read."""
        return None

    @property
    def text_numbers(self) -> frozenset[str]:
        """Columns of numbers that are text in a file, which does not tell 2024 from 2024.0."""
        return frozenset()

    @property
    def numbered(self) -> bool:
        """Whether rows come in the same order each time."""
        return True

    @property
    def threads(self) -> bool:
        """Whether another thread may read them."""
        return True

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that hold them; none where they are no files of ours."""
        return ()

    def beginning(self, rows: int) -> RowSource:
        """Return the first rows, or all where those behind them cost nothing."""
        return self

    @abstractmethod
    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """Yield the rows of some columns."""


def reason_of(error: Exception) -> str:
    """Return what an error says, on one line and shortened, for the inside of a sentence.

    >>> reason_of(OSError("no   such disk."))
    'no such disk'
    """
    return " ".join(str(error).split())[:200].rstrip(".")


def read_ahead(source: RowSource, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
    """Yield the batches of a source, the next ones read by another thread in the meantime.

    The thread ends with the iteration, whoever ends that.
    """
    batches = source.batches(columns)
    if not source.threads:
        yield from batches
        return
    pool = ThreadPoolExecutor(1)
    try:
        waiting = deque(pool.submit(next, batches, None) for _ in range(_AHEAD))
        while (batch := waiting.popleft().result()) is not None:
            waiting.append(pool.submit(next, batches, None))
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)
        batches.close()
