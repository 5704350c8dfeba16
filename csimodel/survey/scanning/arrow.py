"""Rows that Arrow holds or reads itself: tables and data sets."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from csimodel.errors import SurveyError
from csimodel.survey.scanning.batches import ROWS, RowBatch

if TYPE_CHECKING:
    from pyarrow import dataset


@dataclass(frozen=True)
class ArrowRows:
    """Rows of an Arrow data set, or of a table in memory.

    Attributes
    ----------
    data
        The data set.
    """

    data: dataset.Dataset

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        return "the Arrow data"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.data.schema.names)

    @property
    def rows(self) -> int | None:
        """How many rows there are; nobody knows before they are read."""
        return None

    @property
    def text_numbers(self) -> frozenset[str]:
        """Columns of numbers that are text in a file: none that Arrow tells of."""
        return frozenset()

    @property
    def numbered(self) -> bool:
        """Whether rows come in the same order each time: they do."""
        return True

    @property
    def threads(self) -> bool:
        """Whether another thread may read them: it may."""
        return True

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that hold them."""
        return tuple(map(Path, getattr(self.data, "files", ())))

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """Yield the rows of some columns.

        Raises
        ------
        SurveyError
            When Arrow cannot read them to the end.
        """
        import pyarrow as pa

        start = 0
        try:
            for part in self.data.to_batches(columns=list(columns), batch_size=ROWS):
                arrays = dict(zip(columns, part.columns, strict=True))
                yield RowBatch(arrays, part.num_rows, "The Arrow data set", start)
                start += part.num_rows
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            told = " ".join(str(error).split())[:200].rstrip(".")
            raise SurveyError(
                f"The Arrow data set cannot be read to its end ({told}), so nothing was computed; "
                "mend its files."
            ) from error
