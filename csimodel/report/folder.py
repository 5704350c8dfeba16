"""A folder of files that are written together: the old ones whole, or the new ones whole.

Files are made in a folder aside, then moved into place by renaming, the old ones aside; whatever
interrupts that moves them back. A manifest with the hash of every file says which are ours: what is
not in it, or was changed since, belongs to somebody else and is neither overwritten nor removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from threading import Lock

from csimodel.errors import OptionError

MANIFEST = "csimodel-manifest.json"

_ASIDE = ".csimodel-"
_LARGEST = 2**20  # bytes of a manifest
_ONE_AT_A_TIME = Lock()  # for systems that cannot lock a folder

Move = tuple[Path, Path]


def write_together(folder: Path, files: Mapping[str, bytes], known: Collection[str]) -> None:
    """Write files into a folder, all or none, and remove those of an earlier time.

    Where the system can lock a folder (Linux, macOS), writers in several processes take turns;
    elsewhere those of one process do.

    Parameters
    ----------
    folder
        Made when it does not exist.
    files
        Content by name; a name has at most one folder in it (``"tables/index.csv"``).
    known
        Every name that can ever be written, so that no manifest leads anywhere else.

    Raises
    ------
    OptionError
        When the folder cannot be written, or holds something else under a name that is needed.
    """
    new = {**files, MANIFEST: _manifest(files)}
    created: list[Path] = []
    try:
        _make(folder, created)
        with _locked(folder):
            old = _own(folder, new, known)
            _exchange(folder, new, old, created)
    except BaseException as error:
        for path in reversed(created):
            _remove_empty(path)
        if isinstance(error, OSError):
            raise _refusal(folder, error) from error
        raise


def require_folder(folder: Path, names: Collection[str], known: Collection[str]) -> None:
    """Refuse a folder that `write_together` would refuse for these names, before the work.

    Raises
    ------
    OptionError
        As `write_together`.
    """
    try:
        if os.path.lexists(folder):
            if not folder.is_dir():
                raise NotADirectoryError(0, "it is a file" if folder.is_file() else "no folder")
            _own(folder, [*names, MANIFEST], known)
        nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            raise PermissionError(0, f"{str(nearest)!r} cannot be written to")
    except OSError as error:
        raise _refusal(folder, error) from error


def folder_of(folder: object) -> Path:
    """Return a folder's path.

    Raises
    ------
    OptionError
        For what is no path.
    """
    if not isinstance(folder, str | os.PathLike) or str(folder) == "" or "\0" in str(folder):
        raise OptionError(f"folder={folder!r} is no path; give the name of a folder, as 'report'.")
    return Path(folder)


def _own(folder: Path, new: Collection[str], known: Collection[str]) -> list[str]:
    """Return which files in a folder are ours and as we left them.

    Raises
    ------
    OptionError
        When something else stands where a new file goes.
    """
    for name in dict.fromkeys(str(Path(name).parent) for name in new):
        place = folder / name
        if name != "." and os.path.lexists(place) and not S_ISDIR(place.lstat().st_mode):
            raise _occupied(folder, name, "is not a folder of its own")
    hashes = _read_manifest(folder)
    own = []
    for name in dict.fromkeys([*new, *hashes]):
        place = folder / name
        if name not in new and name not in known:
            continue
        if not os.path.lexists(place) or (name not in new and place.parent.is_symlink()):
            continue
        if not S_ISREG(place.lstat().st_mode):
            if name in new:
                raise _occupied(folder, name, "is not a file of an earlier report")
        elif name == MANIFEST and hashes:
            own.append(name)  # it was read, and is one
        elif hashes.get(name) == _hash(place.read_bytes()):
            own.append(name)
        elif name in new:
            changed = name in hashes
            why = "was changed since it was written" if changed else "is not of an earlier report"
            raise _occupied(folder, name, why)
    return own


def _exchange(
    folder: Path, new: Mapping[str, bytes], old: Collection[str], created: list[Path]
) -> None:
    """Make the new files aside, then take the old ones away and put the new ones in place."""
    aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=folder))
    moves: list[Move] = []
    try:
        for position, (name, content) in enumerate(new.items()):
            (aside / f"new-{position}").write_bytes(content)
            _make((folder / name).parent, created)
        for position, name in enumerate(old):
            _move(moves, folder / name, aside / f"old-{position}")
        for position, name in enumerate(new):
            _move(moves, aside / f"new-{position}", folder / name)
    except BaseException:
        _move_back(moves, aside)
        _discard(aside)
        raise
    _discard(aside)


def _move(moves: list[Move], start: Path, end: Path) -> None:
    moves.append((start, end))  # before it is made: an interrupt may come right after it
    start.rename(end)


def _move_back(moves: list[Move], aside: Path) -> None:
    """Undo moves, also while the user goes on interrupting."""
    while moves:
        start, end = moves[-1]
        try:
            if os.path.lexists(end) and not os.path.lexists(start):
                end.rename(start)
            moves.pop()
        except KeyboardInterrupt:
            continue
        except OSError as error:
            raise OptionError(
                f"The new report could not be put in place, and neither the old one back "
                f"({error.strerror or error}); both are in {str(aside)!r}."
            ) from error


def _discard(aside: Path) -> None:
    try:
        shutil.rmtree(aside, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(aside, ignore_errors=True)
        raise


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one writer into a folder at a time."""
    try:
        import fcntl
    except ImportError:  # Windows
        with _ONE_AT_A_TIME:
            yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(folder: Path, created: list[Path]) -> None:
    """Make a folder with its parents, and note those that were not there."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        created.append(path)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # somebody put something in
        folder.rmdir()


def _manifest(files: Mapping[str, bytes]) -> bytes:
    hashes = {name: _hash(content) for name, content in sorted(files.items())}
    text = json.dumps({"program": "csimodel", "sha256": hashes}, ensure_ascii=False, indent=2)
    return (text + "\n").encode()


def _read_manifest(folder: Path) -> dict[str, str]:
    """Return the hashes of the files of an earlier time; empty when there was none."""
    place = folder / MANIFEST
    if not os.path.lexists(place):
        return {}
    details = place.lstat()
    if S_ISREG(details.st_mode) and details.st_size <= _LARGEST:
        try:
            read = json.loads(place.read_bytes())
        except (ValueError, RecursionError):
            read = None
        if isinstance(read, dict) and read.get("program") == "csimodel":
            hashes = read.get("sha256")
            if isinstance(hashes, dict) and all(
                isinstance(value, str) for value in hashes.values()
            ):
                return hashes
    raise _occupied(folder, MANIFEST, "is not the manifest of an earlier report")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _occupied(folder: Path, name: str, why: str) -> OptionError:
    return OptionError(
        f"The report is not written to {str(folder)!r}, because {name!r} there {why}; move it "
        "away, or choose another folder."
    )


def _refusal(folder: Path, error: OSError) -> OptionError:
    return OptionError(
        f"The report cannot be written to {str(folder)!r} ({error.strerror or error}); choose "
        "another folder."
    )
