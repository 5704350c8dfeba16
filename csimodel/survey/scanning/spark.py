"""Rows of a Spark data frame: counted on its workers, or handed over a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from csimodel.errors import SurveyError
from csimodel.survey.scanning.batches import ROWS, RowBatch, RowSource

if TYPE_CHECKING:
    import pyarrow as pa

_PLACE = "The Spark data frame"


@dataclass(frozen=True, eq=False)
class SparkRows(RowSource):
    """Rows of a data frame of Spark.

    Attributes
    ----------
    frame
        The data frame, an object of PySpark.
    """

    frame: Any

    @property
    def numbered(self) -> bool:
        """Whether rows come in the same order each time: Spark decides."""
        return False

    def beginning(self, rows: int) -> SparkRows:
        """Return the first rows, without the rest of their partition."""
        return replace(self, frame=self.frame.limit(rows))

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """Yield the rows of some columns, brought here partition after partition.

        Raises
        ------
        SurveyError
            When Spark does not hand them over to the end.
        """
        import pyarrow as pa

        def pack(parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for part in parts:
                sink = pa.BufferOutputStream()
                with pa.ipc.new_stream(sink, part.schema) as writer:
                    writer.write_batch(part)
                yield pa.RecordBatch.from_pydict({"part": [sink.getvalue().to_pybytes()]})

        start = 0
        for packed in self._mapped(columns, pack):
            with pa.ipc.open_stream(packed) as reader:
                for part in reader:
                    arrays = dict(zip(columns, part.columns, strict=True))
                    yield RowBatch(arrays, part.num_rows, _PLACE, start)
                    start += part.num_rows

    def counted(
        self, columns: Sequence[str], count: Callable[[Iterator[RowBatch]], bytes]
    ) -> Iterator[bytes]:
        """Yield what a function makes of each partition, on the workers, where csimodel is needed.

        Parameters
        ----------
        columns
            What it reads.
        count
            From the batches of a partition to bytes.

        Raises
        ------
        SurveyError
            When a worker does not come to its end.
        """
        import pyarrow as pa

        names = list(columns)

        def counting(parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            yield pa.RecordBatch.from_pydict({"part": [count(_row_batches(parts, names))]})

        return self._mapped(columns, counting)

    def _mapped(
        self,
        columns: Sequence[str],
        function: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]],
    ) -> Iterator[bytes]:
        """Yield the bytes that a function makes of partitions."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        own = self.frame.select(*(f"`{name.replace('`', '``')}`" for name in columns))
        try:
            parts = own.mapInArrow(function, "part binary")
            for row in parts.toLocalIterator(prefetchPartitions=True):
                yield bytes(row["part"])
        except (PySparkException, Py4JError, EOFError, OSError) as error:
            raise SurveyError(
                f"{_PLACE} cannot be read to its end ({_first_line(error)}), so nothing was "
                "computed; look into Spark's log, and scan again."
            ) from error


@dataclass(frozen=True, eq=False)
class PartitionRows(RowSource):
    """Rows of one partition, on a worker, read once.

    Attributes
    ----------
    parts
        The batches; none where only what was counted is handed on.
    """

    parts: Iterator[RowBatch] | None = None

    def __getstate__(self) -> dict[str, object]:
        return {"name": self.name, "columns": self.columns}

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """Yield the rows."""
        yield from self.parts or ()


def _row_batches(parts: Iterator[pa.RecordBatch], names: Sequence[str]) -> Iterator[RowBatch]:
    """Yield batches of some 65,000 rows from smaller ones."""
    waiting: list[pa.RecordBatch] = []
    start, held = 0, 0
    for part in parts:
        waiting.append(part)
        held += part.num_rows
        if held >= ROWS:
            yield _joined(waiting, names, start)
            start, held, waiting = start + held, 0, []
    if held:
        yield _joined(waiting, names, start)


def _joined(parts: Sequence[pa.RecordBatch], names: Sequence[str], start: int) -> RowBatch:
    """Return batches as one."""
    import pyarrow as pa

    table = pa.Table.from_batches(list(parts)).combine_chunks()
    arrays = {
        name: column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        for name, column in zip(names, table.columns, strict=True)
    }
    return RowBatch(arrays, table.num_rows, _PLACE, start)


def _first_line(error: BaseException) -> str:
    """Return what a failure of Spark says first, and last of what a worker said."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("at ")] or [type(error).__name__]
    told = [line for line in lines if "Error" in line or "Exception" in line]
    return (told or lines)[-1].removeprefix("Caused by: ")[:200].rstrip(".")


def spark_rows(data: object) -> SparkRows | None:
    """Return the rows of a data frame of Spark; None of anything else. PySpark is not loaded."""
    kinds = {(own.__module__.partition(".")[0], own.__name__) for own in type(data).__mro__}
    if ("pyspark", "DataFrame") not in kinds:
        return None
    columns: Sequence[str] = getattr(data, "columns", ())
    return SparkRows("the Spark data frame", tuple(columns), data)
