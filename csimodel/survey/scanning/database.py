"""Rows that a database holds: relations of DuckDB, tables of ibis."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from csimodel.errors import SurveyError
from csimodel.survey.readers import needs
from csimodel.survey.scanning.batches import ROWS, RowBatch, RowSource, reason_of

if TYPE_CHECKING:
    import pyarrow as pa

_VIEW = "rows of a scan"  # what a relation is called in queries


@dataclass(frozen=True, eq=False)
class Database:
    """A table of ibis, and what answers queries of it.

    Attributes
    ----------
    table
        The table.
    answer
        From a query, an expression of ibis, to its batches of rows.
    errors
        What the database raises.
    name
        What it is called in sentences.
    not_numbers
        Whether its numbers may be NaN.
    """

    table: Any
    answer: Callable[[Any], Iterator[pa.RecordBatch]]
    errors: tuple[type[Exception], ...]
    name: str
    not_numbers: bool = True

    def stream(self, query: Any) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query."""
        return self.answer(query)

    def run(self, query: Any) -> pa.Table:
        """Return all rows of a query.

        Raises
        ------
        SurveyError
            When the database does not answer it.
        """
        import pyarrow as pa

        try:
            batches = list(self.answer(query))
        except (pa.ArrowException, OSError, *self.errors) as error:
            raise _broken(self.name, "added up", error) from error
        return pa.Table.from_batches(batches, None if batches else query.schema().to_pyarrow())


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
    ask
        What opens the table for queries (`database`).
    bucket
        Name of the column that holds buckets, where the database makes them.
    """

    read: Callable[[Sequence[str]], Iterator[pa.RecordBatch]]
    errors: tuple[type[Exception], ...]
    threads: bool = True
    ask: Callable[[], Database] | None = None
    bucket: str | None = None

    def database(self) -> Database:
        """Return the table as ibis has it, and what answers queries of it.

        Raises
        ------
        SurveyError
            When ibis is not there, or the database does not answer.
        """
        assert self.ask is not None
        try:
            return self.ask()
        except ImportError as error:
            raise SurveyError(needs("engine='sql'", "ibis-framework")) from error
        except self.errors as error:
            raise _broken(self.name, "asked for its columns", error) from error

    def with_buckets(self, cluster: str, buckets: int) -> DatabaseRows:
        """Return the same rows with a column of the bucket of each cluster.

        Raises
        ------
        SurveyError
            As `database`.
        """
        own, name = self.database(), f"bucket of {cluster}"
        label = own.table[cluster]
        bucket = label.isnull().ifelse(None, (label.hash() % buckets + buckets) % buckets)
        table = own.table.mutate(**{name: bucket.cast("int32")})
        return replace(
            self,
            columns=(*self.columns, name),
            read=lambda columns: own.stream(table.select(*columns)),
            ask=lambda: replace(own, table=table),
            bucket=name,
        )

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
        return _of_duckdb(data, "the DuckDB relation")
    if ("ibis", "Table") in kinds:
        return _of_ibis(data)
    return None


def _of_duckdb(relation: Any, name: str) -> DatabaseRows:
    """Return the rows of a relation."""
    import duckdb

    errors: tuple[type[Exception], ...] = (duckdb.Error,)
    try:
        columns = tuple(map(str, relation.columns))
    except errors as error:
        raise _broken(name, "asked for its columns", error) from error

    def ask() -> Database:
        import ibis

        schema = ibis.Schema.from_pyarrow(_reader_of(relation.limit(0)).schema)
        table = ibis.table(schema, name=_VIEW)

        def answer(query: Any) -> Iterator[pa.RecordBatch]:
            return _batches_of(relation.query(_VIEW, _sql(query)))

        return Database(table, answer, errors, name)

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return _batches_of(relation.project(", ".join(map(quoted, columns))))

    return DatabaseRows(name, columns, read, errors, ask=ask)


def _of_ibis(table: Any) -> DatabaseRows:
    """Return the rows of a table of ibis; DuckDB's are asked for without a way round."""
    import ibis
    from ibis.common.exceptions import IbisError
    from ibis.expr.operations import IsNan

    name = "the ibis table"
    try:
        backend = ibis.get_backend(table)
    except IbisError as error:
        raise _broken(name, "asked for its database", error) from error
    errors: tuple[type[Exception], ...] = (IbisError, *_errors_of(backend.con))
    in_duckdb = backend.name == "duckdb"
    if in_duckdb:
        import duckdb

        errors = (duckdb.Error, *errors)
        try:
            backend.con.sql(_sql(table))
        except errors as error:
            raise _broken(name, "asked for its columns", error) from error

    def answer(query: Any) -> Iterator[pa.RecordBatch]:
        if in_duckdb:
            return _batches_of(backend.con.sql(_sql(query)))
        batches: Iterator[pa.RecordBatch] = query.to_pyarrow_batches(chunk_size=ROWS)
        return batches

    return DatabaseRows(
        name,
        tuple(map(str, table.columns)),
        lambda columns: answer(table.select(*columns)),
        errors,
        in_duckdb,
        lambda: Database(table, answer, errors, name, backend.has_operation(IsNan)),
    )


def _reader_of(relation: Any) -> Any:
    return (getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader)(ROWS)


def _batches_of(relation: Any) -> Iterator[pa.RecordBatch]:
    """Return the batches of a relation."""
    batches: Iterator[pa.RecordBatch] = _reader_of(relation)
    return batches


def _sql(query: Any) -> str:
    """Return a query as DuckDB writes it."""
    import ibis

    return str(ibis.to_sql(query, dialect="duckdb"))


def _errors_of(connection: object) -> tuple[type[Exception], ...]:
    """Return what a driver raises, which PEP 249 lets a connection tell."""
    error = getattr(connection, "Error", None)
    known = isinstance(error, type) and issubclass(error, Exception)
    return (error,) if known and error is not None else ()
