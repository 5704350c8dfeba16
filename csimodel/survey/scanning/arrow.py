"""Rows that Arrow holds or reads itself: tables and data sets."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from csimodel.errors import SurveyError
from csimodel.survey.scanning.batches import ROWS, RowBatch, RowSource, reason_of

if TYPE_CHECKING:
    from pyarrow import dataset


@dataclass(frozen=True)
class ArrowRows(RowSource):
    """Rows of an Arrow data set, or of a table in memory.

    Attributes
    ----------
    data
        The data set.
    """

    data: dataset.Dataset

    @classmethod
    def of(cls, data: dataset.Dataset) -> ArrowRows:
        """Take the rows of a data set."""
        return cls("the Arrow data", tuple(data.schema.names), data)

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
            raise SurveyError(
                f"The Arrow data set cannot be read to its end ({reason_of(error)}), so nothing "
                "was computed; mend its files."
            ) from error
