"""What a file is by its first bytes, where they say so."""

from __future__ import annotations

from pathlib import Path

from csimodel.errors import SurveyError

# First bytes, what has them, and the endings of files that do.
_SIGNS: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive", (".xlsx",)),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", (".xlsx",)),  # whose reader says more
    (b"$FL2@(#)", "an SPSS file", (".sav",)),
    (b"$FL3@(#)", "an SPSS file", (".sav",)),
    (b"<stata_dta>", "a Stata file", (".dta",)),
    (b"%PDF-", "a PDF document", ()),
    (b"{\\rtf", "a text document (RTF)", ()),
    (b"\x1f\x8b", "a gzip archive", ()),
    (b"\x89PNG", "a picture", ()),
    (b"\xff\xd8\xff", "a picture", ()),
)
_PAGES = (b"<!doctype html", b"<html", b"<?xml")


def require_signature(path: Path) -> None:
    """Refuse a file whose first bytes are those of another kind than its ending says.

    Raises
    ------
    SurveyError
        With what it is, and the way out.
    OSError
        When it cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(200)
    seen = _kind_of(head)
    ending = path.suffix.casefold()
    if seen is None or ending in seen[1]:
        return
    kind, endings = seen
    way_out = "save its table as .csv or .xlsx"
    if endings and head[:2] != b"\xd0\xcf":
        way_out = f"rename it to end in {endings[0]}, or {way_out}"
    raise SurveyError(
        f"The file {path.name!r} begins as {kind} does, not as {ending} files do; {way_out}."
    )


def _kind_of(head: bytes) -> tuple[str, tuple[str, ...]] | None:
    """Return what begins with these bytes, and its endings; None where they do not say.

    >>> _kind_of(b"%PDF-1.7")
    ('a PDF document', ())
    >>> _kind_of(b"q1,q2")
    """
    for sign, kind, endings in _SIGNS:
        if head.startswith(sign):
            return kind, endings
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PAGES):
        return "a web page (HTML) or XML", ()
    return None
