"""Rows that a database holds: relations of DuckDB, tables of ibis."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from csimodel.errors import SurveyError
from csimodel.survey.scanning.batches import ROWS, RowBatch, RowSource, reason_of

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class DatabaseRows(RowSource):
    """Rows of a table that a database holds or computes.

    Attributes
    ----------
    read
        From names of columns to their rows.
    errors
        What the database raises.
    threads
        Whether another thread may read them; SQLite, for one, answers the thread that asked.
    """

    read: Callable[[Sequence[str]], Iterator[pa.RecordBatch]]
    errors: tuple[type[Exception], ...]
    threads: bool = True

    @property
    def numbered(self) -> bool:
        """Whether rows come in the same order each time: the database decides."""
        return False

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """Yield the rows of some columns.

        Raises
        ------
        SurveyError
            When the database does not hand them over to the end.
        """
        import pyarrow as pa

        place = self.name[:1].upper() + self.name[1:]
        start = 0
        try:
            for part in self.read(columns):
                for first in range(0, part.num_rows, ROWS):
                    own = part.slice(first, ROWS)
                    arrays = dict(zip(columns, own.columns, strict=True))
                    yield RowBatch(arrays, own.num_rows, place, start)
                    start += own.num_rows
        except (pa.ArrowException, OSError, *self.errors) as error:
            raise _broken(self.name, "read to its end", error) from error


def _broken(name: str, step: str, error: Exception) -> SurveyError:
    """Return the refusal of a table that the database does not hand over."""
    return SurveyError(
        f"{name[:1].upper() + name[1:]} cannot be {step} ({reason_of(error)}), so nothing "
        "was computed; look into the database, and scan again."
    )


def quoted(name: str) -> str:
    """Return a name as SQL has it.

    >>> print(quoted('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


def database_rows(data: object) -> DatabaseRows | None:
    """Return the rows of a relation of DuckDB or a table of ibis; None of anything else.

    Neither package is loaded to tell.
    """
    kinds = {(own.__module__.partition(".")[0], own.__name__) for own in type(data).__mro__}
    if {("duckdb", "DuckDBPyRelation"), ("_duckdb", "DuckDBPyRelation")} & kinds:
        return _of_duckdb(lambda: data, "the DuckDB relation")
    if ("ibis", "Table") in kinds:
        return _of_ibis(data)
    return None


def _of_duckdb(
    ask: Callable[[], Any], name: str, further: tuple[type[Exception], ...] = ()
) -> DatabaseRows:
    """Return the rows of a relation that the database is asked for."""
    import duckdb

    errors: tuple[type[Exception], ...] = (duckdb.Error, *further)
    try:
        relation = ask()
        columns = tuple(map(str, relation.columns))
    except errors as error:
        raise _broken(name, "asked for its columns", error) from error

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        own = relation.project(", ".join(map(quoted, columns)))
        streamed = getattr(own, "to_arrow_reader", None) or own.fetch_arrow_reader
        batches: Iterator[pa.RecordBatch] = streamed(ROWS)
        return batches

    return DatabaseRows(name, columns, read, errors)


def _of_ibis(table: Any) -> DatabaseRows:
    """Return the rows of a table of ibis; DuckDB's are asked for without a way round."""
    import ibis
    from ibis.common.exceptions import IbisError

    name = "the ibis table"
    try:
        backend = ibis.get_backend(table)
    except IbisError as error:
        raise _broken(name, "asked for its database", error) from error
    errors = (IbisError, *_errors_of(backend.con))
    if backend.name == "duckdb":
        return _of_duckdb(
            lambda: backend.con.sql(str(ibis.to_sql(table, dialect="duckdb"))), name, errors
        )

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        own = table.select(*columns)
        batches: Iterator[pa.RecordBatch] = own.to_pyarrow_batches(chunk_size=ROWS)
        return batches

    return DatabaseRows(name, tuple(map(str, table.columns)), read, errors, False)


def _errors_of(connection: object) -> tuple[type[Exception], ...]:
    """Return what a driver raises, which PEP 249 lets a connection tell."""
    error = getattr(connection, "Error", None)
    known = isinstance(error, type) and issubclass(error, Exception)
    return (error,) if known and error is not None else ()
