"""Files of rows that are read one batch after another: Parquet and CSV, hive partitions."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from csimodel.errors import SurveyError
from csimodel.findings import listed
from csimodel.survey.cells import label_of
from csimodel.survey.headers import require_names, require_unique
from csimodel.survey.scanning.batches import ROWS, RowBatch, RowSource, reason_of

if TYPE_CHECKING:
    import pyarrow as pa

_KINDS = (".parquet", ".csv", ".tsv")
_SEPARATORS = ",;\t|"
_NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def files_of(source: str | PathLike[str] | Sequence[str | PathLike[str]]) -> Files:
    """Return the files that a path, a pattern, a folder or a list of paths names.

    Raises
    ------
    SurveyError
        When there is none, or one is of a kind not known or cannot be opened.
    """
    wanted = [source] if isinstance(source, str | PathLike) else list(source)
    if not wanted:
        raise SurveyError("A scan reads files, and the list holds no file; give their paths.")
    paths: list[Path] = []
    for entry in wanted:
        if not isinstance(entry, str | PathLike):
            raise SurveyError(
                "A scan reads files, and the list holds something of type "
                f"{type(entry).__name__}; give their paths."
            )
        paths += _matches(str(entry))
    root = str(wanted[0]) if len(wanted) == 1 else f"{len(paths)} files"
    return Files.of(root, tuple(dict.fromkeys(paths)))


def _matches(pattern: str) -> list[Path]:
    """Return the files of a path, a folder or a pattern, in the order of their names."""
    path = Path(pattern)
    own: list[Path] = []
    if not pattern or "\0" in pattern:
        own = []
    elif path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.suffix.casefold() in _KINDS)
        own = [p for p in inside if not any(part[0] in "._" for part in p.relative_to(path).parts)]
    elif path.exists():
        own = [path]
    else:
        matches = Path(path.anchor or ".").glob(str(path.relative_to(path.anchor)))
        own = sorted(match for match in matches if match.is_file())
    if not own:
        raise SurveyError(
            f"There is no Parquet or CSV file {pattern!r}; give a path, a folder or a pattern such "
            "as 'responses/*.parquet'."
        )
    return own


@dataclass(frozen=True)
class File:
    """One file, as it was when the scan was made.

    Attributes
    ----------
    path
        Where it is.
    state
        Its size in bytes and when it was changed.
    partition
        Values that the names of its folders hold, by column.
    """

    path: Path
    state: tuple[int, int]
    partition: Mapping[str, str | None]

    @classmethod
    def of(cls, path: Path) -> File:
        """Look at a file."""
        keys = (part.partition("=") for part in path.parts[:-1] if "=" in part)
        values = {key: unquote(value) for key, _, value in keys}
        own = {key: None if value == _NO_PARTITION else value for key, value in values.items()}
        return cls(path, _state(path), own)

    @property
    def text(self) -> bool:
        """Whether it is a text file."""
        return self.path.suffix.casefold() != ".parquet"

    def require_same(self) -> None:
        """Refuse a file that is not as it was."""
        if _state(self.path) != self.state:
            raise SurveyError(
                f"The file {str(self.path)!r} was changed after the scan was made; make the scan "
                "again with csi.scan."
            )


def _state(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except FileNotFoundError as error:
        raise SurveyError(
            f"The file {str(path)!r} is not there any more; put it back, or make the scan again "
            "with csi.scan."
        ) from error
    except OSError as error:
        raise SurveyError(
            f"The file {str(path)!r} cannot be read ({error.strerror or error}); check the path "
            "and the rights."
        ) from error
    return state.st_size, state.st_mtime_ns


@dataclass(frozen=True)
class Files(RowSource):
    """Files of rows of the same columns.

    Attributes
    ----------
    files
        In order; their columns are those of partitions last.
    rows
        How many there are; None where no file says it.
    types
        Types of the columns of text files, of the first of them.
    whole
        Columns of partitions whose values are all whole numbers.
    """

    files: tuple[File, ...]
    rows: int | None = None
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()

    @classmethod
    def of(cls, name: str, paths: Sequence[Path]) -> Files:
        """Look at the files: columns of the first, rows of all."""
        odd = [path for path in paths if path.suffix.casefold() not in _KINDS]
        if odd:
            raise SurveyError(
                f"The file {odd[0].name!r} is of a kind that is not scanned; give "
                f"{listed(_KINDS)} files, or read it with csi.read_survey."
            )
        files = tuple(File.of(path) for path in paths)
        first = files[0]
        names = list(_text_types(first) if first.text else _parquet_names(first))
        keys = [key for key in first.partition if key not in names]
        require_names([*names, *keys], first.path.name)
        require_unique([*names, *keys], first.path.name)
        rows = None if any(file.text for file in files) else sum(map(_parquet_rows, files))
        values = {key: [file.partition.get(key) for file in files] for key in keys}
        whole = {k for k, own in values.items() if all(v is None or _is_whole(v) for v in own)}
        types = _text_types(first) if first.text else {}
        return cls(name, (*names, *keys), files, rows, types, frozenset(whole))

    @property
    def text_numbers(self) -> frozenset[str]:
        """Columns of numbers that are text in a file."""
        import pyarrow as pa

        return frozenset(name for name, own in self.types.items() if pa.types.is_floating(own))

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where they are."""
        return tuple(file.path for file in self.files)

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """Yield the rows of some columns, file after file.

        Raises
        ------
        SurveyError
            When a file is gone, was changed, is damaged or lacks a column.
        """
        start = 0
        for file in self.files:
            file.require_same()
            own = [name for name in columns if name not in self._keys]
            reading = self._text(file, own) if file.text else _parquet(file, own)
            for part in _undamaged(file, reading):
                arrays = dict(zip(own, part.columns, strict=True)) if own else {}
                for key in self._keys.intersection(columns):
                    arrays[key] = self._partition(file, key, part.num_rows)
                yield RowBatch(arrays, part.num_rows, f"The file {file.path.name!r}", start)
                start += part.num_rows

    @cached_property
    def _keys(self) -> frozenset[str]:
        known = self.files[0].partition
        text = self.types if self.types else _parquet_names(self.files[0])
        return frozenset(known).difference(text)

    def _partition(self, file: File, key: str, rows: int) -> pa.Array:
        import pyarrow as pa

        value = file.partition.get(key)
        if key in self.whole:
            return pa.array([None if value is None else int(value)] * rows, pa.int64())
        return pa.array([value] * rows, pa.string())

    def _text(self, file: File, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        from pyarrow import csv

        types = {name: self.types[name] for name in columns}
        with _open_text(file, columns, types) as reader:
            assert isinstance(reader, csv.CSVStreamingReader)
            for part in reader:
                yield _tidied(part)


def _tidied(part: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows of a text file with the labels that `read_survey` reads, blank cells missing."""
    import pyarrow as pa

    columns = []
    for column in part.columns:
        if pa.types.is_string(column.type):
            coded = column.dictionary_encode()
            texts = [
                None if text is None else label_of(text) for text in coded.dictionary.to_pylist()
            ]
            column = pa.array(texts, pa.string()).take(coded.indices)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=part.schema.names)


def _is_whole(value: str) -> bool:
    return value.lstrip("-").isascii() and value.lstrip("-").isdigit()


def _undamaged(file: File, reading: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield batches of a file, or say that it is damaged."""
    import pyarrow as pa

    try:
        yield from reading
    except SurveyError:
        raise
    except FileNotFoundError:
        _state(file.path)
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise damaged(file.path, error) from error


def damaged(path: Path, error: Exception) -> SurveyError:
    """Return the refusal of a file that cannot be read to its end."""
    return SurveyError(
        f"The file {str(path)!r} cannot be read to its end ({reason_of(error)}); it may be cut "
        "short or damaged, so nothing was computed."
    )


def _parquet_names(file: File) -> list[str]:
    return [field.name for field in _schema(file)[0]]


def _parquet_rows(file: File) -> int:
    return 0 if file.text else _schema(file)[1]


def _schema(file: File) -> tuple[pa.Schema, int]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file.path) as own:
            return own.schema_arrow, own.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(file.path, error) from error


def _parquet(file: File, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    from pyarrow import parquet

    with parquet.ParquetFile(file.path) as own:
        _require_columns(file, own.schema_arrow.names, columns)
        for part in own.iter_batches(batch_size=ROWS, columns=list(columns)):
            yield part.select(list(columns))


def _require_columns(file: File, names: Sequence[str], columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in names]
    if missing:
        raise SurveyError(
            f"The file {str(file.path)!r} has no column {missing[0]!r}, which the first file has; "
            "give files of the same columns."
        )


def _text_types(file: File) -> dict[str, pa.DataType]:
    """Return the columns of a text file: numbers, truths, or text."""
    import pyarrow as pa

    with _undamaged_text(file) as reader:
        types = {}
        for column in reader.schema:
            number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
            truth = pa.types.is_boolean(column.type)
            types[column.name] = pa.float64() if number else column.type if truth else pa.string()
        return types


def _undamaged_text(file: File) -> pa.csv.CSVStreamingReader:
    import pyarrow as pa

    try:
        return _open_text(file, (), {})
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(file.path, error) from error


def _open_text(
    file: File, columns: Sequence[str], types: Mapping[str, pa.DataType]
) -> pa.csv.CSVStreamingReader:
    from pyarrow import csv

    with file.path.open("rb") as stream:
        header = stream.readline(1_000_000).decode("utf-8", "replace")
    separator = max(_SEPARATORS, key=header.count)
    convert = csv.ConvertOptions(
        include_columns=list(columns),
        column_types=dict(types),
        true_values=["True", "TRUE", "true"],
        false_values=["False", "FALSE", "false"],
    )
    reading = csv.ReadOptions(block_size=1 << 23)
    reader = csv.open_csv(file.path, reading, csv.ParseOptions(delimiter=separator), convert)
    return reader
