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
    if not isinstance(path, str | PathLike) or isinstance(path, bytes) or "\0" in str(path):
        raise OptionError(
            f"{option}={shown(path)} is no path; give the name of a file, as "
            f"{option}='scores.parquet'."
        )
    own = Path(path)
    if own.suffix.casefold() != ".parquet":
        raise OptionError(
            f"{option}={str(path)!r} names a Parquet file, which ends in .parquet; give such a "
            f"name, as {option}='scores.parquet'."
        )
    if own.is_dir():
        raise OptionError(f"{option}={str(path)!r} is a folder; give the name of a file in it.")
    if not own.parent.is_dir():
        raise OptionError(
            f"{option}={str(path)!r} lies in a folder that does not exist; make the folder first."
        )
    return own


@contextmanager
def complete_file(path: Path, option: str) -> Iterator[IO[bytes]]:
    """Open a file aside; it replaces `path` at the end, and is gone after an error or Ctrl-C.

    Raises
    ------
    OptionError
        When the disk is full, or the file cannot be written for another reason.
    """
    aside = path.with_name(f".{path.name[:100]}.{token_hex(4)}.part")
    try:
        with aside.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except OSError as error:
        raise OptionError(
            f"{option}={str(path)!r} cannot be written ({error.strerror or error}), and nothing "
            "was left there; make room, or choose another folder."
        ) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
