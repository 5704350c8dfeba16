"""`save` and `load`: a result as a file that is whole or not there, and runs nothing."""

from __future__ import annotations

import io
import json
import math
import os
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from csimodel._version import __version__
from csimodel.arguments import checked
from csimodel.errors import CsimodelError, StorageError
from csimodel.floats import own_errstate
from csimodel.formatting import label
from csimodel.limits import require_memory
from csimodel.options import shown
from csimodel.storage.decoding import Decoder, FieldsError
from csimodel.storage.encoding import PLAIN_ARRAYS, Encoder, Json
from csimodel.storage.kinds import kind_of
from csimodel.survey.complete_file import file_aside
from csimodel.survey.damage import DAMAGE

FORMAT = 1
"""Number of the format; another number is another format."""

_HEAD, _VALUE = "format.json", "value.json"
_ARRAY = re.compile(r"arrays/(0|[1-9][0-9]{0,8})\.npy")
_DAY = (1980, 1, 1, 0, 0, 0)  # the same result gives the same bytes
_NEW_ONE = "write it again with csi.save(result, path)"


@own_errstate
@checked
def save(result: object, path: str | PathLike[str]) -> Path:
    """Write a fit, resamples of it or a table to a file that `load` reads, equal to the last bit.

    The file is a zip of JSON and arrays, described in `csimodel.storage`; it holds no code. It
    holds the answers that the result was made from, all columns of the survey included: keep it as
    you keep the data. The same result gives the same bytes.

    Parameters
    ----------
    result
        From `fit`, `fit_groups`, `fit_multigroup`, `bootstrap`, `jackknife`, `replicate`,
        `linearize` or `compare`, and what judges them: `assess`, `micom`, `compare_groups`,
        `overall_fit`, `predict`, `cvpat`, `simple_slopes`; a `Model`, a `Survey`, `Moments`, an
        estimator, or a table of pandas such as that of `index_scores`.
    path
        Of the file, such as ``"fit.csimodel"``. A file of an earlier `save` is replaced, whole or,
        when writing is interrupted, not at all.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    OptionError
        For what files do not hold, and for a single value, such as None.
    StorageError
        When the file cannot be written, or something else is there that `save` did not write.

    Examples
    --------
    >>> import tempfile
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = csi.save(fit, folder + "/fit.csimodel")
    ...     again = csi.load(path)
    >>> again, bool((again.paths == fit.paths).all(axis=None))
    (<Fit of ECSI by PLS, path scheme: 250 rows, converged>, True)
    """
    target = _path_of(path)
    encoder = Encoder()
    value = encoder.result(result)
    head = {
        "program": "csimodel",
        "format": FORMAT,
        "package": __version__,
        "kind": kind_of(result) or type(result).__name__,
    }
    try:
        _require_own(target)
        with file_aside(target) as file, ZipFile(file, "w") as archive:
            _put(archive, _HEAD, _json(head))
            _put(archive, _VALUE, _json({"objects": encoder.objects, "value": value}))
            for number, array in enumerate(encoder.arrays):
                with archive.open(_member(f"arrays/{number}.npy"), "w", force_zip64=True) as own:
                    np.lib.format.write_array(own, array, allow_pickle=False)
    except OSError as error:
        raise StorageError(
            f"{str(target)!r} cannot be written ({error.strerror or error}); choose another name "
            "or folder."
        ) from error
    return target


@own_errstate
@checked
def load(path: str | PathLike[str]) -> object:
    """Read what `save` wrote.

    Nothing in a file is run: classes are looked up among those of the package, arrays are read
    without pickled objects, and a file with anything else in it is refused.

    Parameters
    ----------
    path
        Of the file.

    Returns
    -------
    object
        What was saved, equal to the last bit.

    Raises
    ------
    StorageError
        For a file that is not there, was not written by `save`, is cut short or damaged, holds
        pickled code, or is of another format than this version reads.

    Examples
    --------
    >>> import csimodel as csi
    >>> csi.load(csi.__file__)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    csimodel.errors.StorageError: '...__init__.py' was not written by csi.save, as it is no zip...
    """
    source = _path_of(path)
    name = repr(str(source))
    try:
        with source.open("rb") as file:
            _require_zip(name, file.read(4))
        with ZipFile(source) as archive:
            return _read(name, archive)
    except OSError as error:
        raise StorageError(
            f"{name} cannot be read ({error.strerror or error}); give the path of a file "
            "written by csi.save."
        ) from error
    except CsimodelError:
        raise
    except DAMAGE as error:
        raise StorageError(
            f"{name} is cut short or damaged ({_reason(error)}); copy it again, or {_NEW_ONE}."
        ) from error


def _read(name: str, archive: ZipFile) -> object:
    """Return the value of a file."""
    members = {entry.filename: entry for entry in archive.infolist()}
    package = _require_head(name, archive, members)
    for member in members:
        if member not in (_HEAD, _VALUE) and not _ARRAY.fullmatch(member):
            raise StorageError(
                f"{name} holds {shown(member)}, which csi.save never writes and which may be code, "
                f"so it was not read; {_NEW_ONE}."
            )
    size = sum(entry.file_size for entry in members.values())
    require_memory(f"csi.load of {name}", 2.0 * size, "save a bootstrap of fewer draws")
    content = json.loads(archive.read(_VALUE))

    def array(number: int) -> NDArray[np.generic]:
        return _array(name, archive.read(f"arrays/{number}.npy"))

    try:
        return Decoder(content["objects"], array).decoded(content["value"])
    except FieldsError as error:
        raise StorageError(
            f"{name} was written by csimodel {package} and holds {error}, which csimodel "
            f"{__version__} does not know; read it with that version, or {_NEW_ONE}."
        ) from error


def _require_head(name: str, archive: ZipFile, members: Mapping[str, object]) -> str:
    """Refuse a zip of something else and other formats; return the version that wrote it."""
    head = json.loads(archive.read(_HEAD)) if _HEAD in members else None
    if not isinstance(head, dict) or head.get("program") != "csimodel":
        raise StorageError(
            f"{name} is a zip that was not written by csi.save, as it has no {_HEAD!r} that says "
            "so; give the path of a file written by csi.save."
        )
    package, written = label(head.get("package")), head.get("format")
    if written != FORMAT or isinstance(written, bool):
        raise StorageError(
            f"{name} is of format {shown(written)} (csimodel {package}), and csimodel "
            f"{__version__} reads format {FORMAT}; read it with that version, or {_NEW_ONE}."
        )
    return package


def _require_zip(name: str, start: bytes) -> None:
    """Refuse what does not start as a zip does."""
    if start[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        raise StorageError(
            f"{name} is a pickle, which runs code when it is read, so it was not read; give a file "
            "written by csi.save."
        )
    if start != b"PK\x03\x04":
        raise StorageError(
            f"{name} was not written by csi.save, as it is no zip; give the path of a file written "
            "by csi.save."
        )


def _array(name: str, content: bytes) -> NDArray[np.generic]:
    """Return an array without running anything."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, _, kind = read_header(stream)
    if kind.kind not in PLAIN_ARRAYS:
        raise StorageError(
            f"{name} holds an array of pickled objects, which run code when they are read, so it "
            f"was not read; {_NEW_ONE}."
        )
    if math.prod(shape) * kind.itemsize != len(content) - stream.tell():
        raise ValueError("an array of another size than it says")
    return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))


def _require_own(target: Path) -> None:
    """Refuse to replace what `save` did not write."""
    if not os.path.lexists(target):
        return
    if target.is_dir():
        raise StorageError(f"{str(target)!r} is a folder; give the name of a file in it.")
    try:
        with ZipFile(target) as archive:
            own = json.loads(archive.read(_HEAD)).get("program") == "csimodel"
    except DAMAGE:
        own = False
    if not own:
        raise StorageError(
            f"{str(target)!r} is there and was not written by csi.save, so it is not replaced; "
            "move it away, or choose another name."
        )


def _path_of(path: str | PathLike[str]) -> Path:
    text = os.fspath(path)
    if not text.strip() or "\0" in text:
        raise StorageError(f"path={path!r} is no path; give the name of a file, as 'a.csimodel'.")
    return Path(text)


def _put(archive: ZipFile, name: str, content: bytes) -> None:
    archive.writestr(_member(name, ZIP_DEFLATED), content)


def _member(name: str, compression: int = ZIP_STORED) -> ZipInfo:
    member = ZipInfo(name, _DAY)
    member.compress_type = compression
    member.external_attr = 0o644 << 16
    return member


def _json(value: Json | Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


def _reason(error: Exception) -> str:
    return shown(str(error)) if str(error) else type(error).__name__
