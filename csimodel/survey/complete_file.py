"""A file that is written aside and takes its name when it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from secrets import token_hex
from typing import IO

from csimodel.errors import OptionError
from csimodel.options import shown


def file_path(option: str, path: object, example: str) -> Path:
    """Return the path of a file that is to be written.

    Raises
    ------
    OptionError
        For what is no path, and for a folder.

    Examples
    --------
    >>> file_path("path", " ", "plan.docx")
    Traceback (most recent call last):
    csimodel.errors.OptionError: path=' ' is no path; give the name of a file, as path='plan.docx'.
    """
    known = isinstance(path, str | PathLike) and not isinstance(path, bytes)
    if not known or not str(path).strip() or "\0" in str(path):
        raise OptionError(
            f"{option}={shown(path)} is no path; give the name of a file, as {option}={example!r}."
        )
    own = Path(str(path))
    if own.is_dir():
        raise OptionError(f"{option}={str(path)!r} is a folder; give the name of a file in it.")
    return own


def parquet_path(option: str, path: object) -> Path:
    """Return the path of a Parquet file that is to be written.

    Raises
    ------
    OptionError
        For what is no path or no name of such a file, and for a folder that does not exist.

    Examples
    --------
    >>> parquet_path("to", "scores.csv")
    Traceback (most recent call last):
    csimodel.errors.OptionError: to='scores.csv' names a Parquet file, which ends in .parquet; \
give such a name, as to='scores.parquet'.
    """
    own = file_path(option, path, "scores.parquet")
    if own.suffix.casefold() != ".parquet":
        raise OptionError(
            f"{option}={str(path)!r} names a Parquet file, which ends in .parquet; give such a "
            f"name, as {option}='scores.parquet'."
        )
    if not own.parent.is_dir():
        raise OptionError(
            f"{option}={str(path)!r} lies in a folder that does not exist; make the folder first."
        )
    return own


@contextmanager
def file_aside(path: Path) -> Iterator[IO[bytes]]:
    """Open a file aside; it replaces `path` at the end, and is gone after an error or Ctrl-C."""
    aside = path.with_name(f".{path.name[:100]}.{token_hex(4)}.part")
    try:
        with aside.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


@contextmanager
def complete_file(path: Path, option: str) -> Iterator[IO[bytes]]:
    """Open a file as `file_aside`.

    Raises
    ------
    OptionError
        When the disk is full, or the file cannot be written for another reason.
    """
    try:
        with file_aside(path) as stream:
            yield stream
    except OSError as error:
        raise OptionError(
            f"{option}={str(path)!r} cannot be written ({error.strerror or error}), and nothing "
            "was left there; make room, or choose another folder."
        ) from error


def write_file(path: Path, option: str, content: bytes) -> Path:
    """Write a file, whole or not at all.

    Raises
    ------
    OptionError
        As `complete_file`.
    """
    with complete_file(path, option) as stream:
        stream.write(content)
    return path
