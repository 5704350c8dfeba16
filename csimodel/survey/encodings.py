"""Which encoding the bytes of a text file are in: known, declared, or asked for; never guessed."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from csimodel import limits
from csimodel.errors import SurveyError, suggest
from csimodel.findings import Finding, listed

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASKED = ("gb18030", "big5", "shift_jis", "euc_kr", "cp1252", "cp1251")
_BLOCK = 1 << 20
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_TAIL = re.compile(r"[A-Za-z0-9_]*\Z")
_HEAD = re.compile(r"[A-Za-z0-9_]*")


@dataclass(frozen=True)
class Encoding:
    """The name of an encoding, and what a reader must know of it."""

    name: str
    findings: tuple[Finding, ...] = ()


def encoding_of(path: Path, declared: str | None) -> Encoding:
    """Return the encoding of a text file: by its mark, as declared, or UTF-8; all bytes must fit.

    Raises
    ------
    SurveyError
        When bytes are not of the encoding (the message shows how others would read them), when
        bytes declared otherwise are UTF-8, when there are NUL bytes or a line without end.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
    mark = next((name for sign, name in _MARKS if head.startswith(sign)), None)
    own = None if declared is None else _known(declared)
    if mark is not None and own is not None and not _same(mark, own):
        raise SurveyError(
            f"The file {path.name!r} begins with the mark of {mark.partition('-sig')[0]}, and "
            f"encoding={declared!r} was given; leave encoding out."
        )
    name = mark or ("utf-8" if own is None or _same(own, "utf-8") else own)
    text = _Text()
    wrong = _first_wrong(path, name, text)
    if wrong is not None:
        raise SurveyError(_refusal(path, name, declared, wrong))
    if declared is not None and mark is None and not text.ascii and name != "utf-8":
        if not name.startswith("utf") and _first_wrong(path, "utf-8", _Text()) is None:
            raise SurveyError(
                f"The file {path.name!r} is UTF-8 by all its bytes, and read as {declared!r} it "
                "would hold wrong characters; leave encoding out."
            )
        return Encoding(name, (_as_declared(path, name, text),))
    return Encoding(name, _damage(text))


@dataclass
class _Text:
    """What was seen of a text on the way: whether it is ASCII, a sample, replacement signs."""

    ascii: bool = True
    sample: str = ""
    replaced: int = 0


def _known(declared: object) -> str:
    try:
        return codecs.lookup(declared).name  # type: ignore[arg-type]
    except (LookupError, TypeError, ValueError):
        known = ("utf-8", "utf-16", *_ASKED, "latin-1")
        raise SurveyError(
            f"encoding={declared!r} is not known{suggest(declared, known)}; use one of "
            f"{listed(map(repr, known), 12)}."
        ) from None


def _same(encoding: str, other: str) -> bool:
    def plain(name: str) -> str:
        return name.replace("_", "-").removesuffix("-sig").removesuffix("-le").removesuffix("-be")

    return plain(encoding) == plain(other)


def _first_wrong(path: Path, name: str, text: _Text) -> tuple[int, int] | None:
    """Read a file in blocks; return the first byte that is not of the encoding, and its line."""
    decoder = codecs.getincrementaldecoder(name)()
    line, since = 1, 0
    with path.open("rb") as stream:
        while True:
            block = stream.read(_BLOCK)
            try:
                part = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                start = min(error.start, len(error.object) - 1)
                return error.object[start], line + error.object[:start].count(b"\n")
            _require_text(path, part, line)
            line += part.count("\n")
            newline = part.rfind("\n")
            since = since + len(part) if newline < 0 else len(part) - newline - 1
            if since > limits.LINE_BYTES:
                raise SurveyError(
                    f"The file {path.name!r} has a line of more than {limits.LINE_BYTES:,} "
                    "characters, which is no row of answers; is it a CSV file?"
                )
            if not part.isascii():
                text.ascii = False
                text.replaced += part.count("\ufffd")
                if not text.sample:
                    text.sample = _sample(part)
            if not block:
                return None


def _require_text(path: Path, part: str, line: int) -> None:
    place = part.find("\0")
    if place < 0:
        return
    raise SurveyError(
        f"The file {path.name!r} holds NUL characters (first in line "
        f"{line + part.count(chr(10), 0, place)}), as UTF-16 without a mark and damaged files do; "
        "give encoding='utf-16-le' or 'utf-16-be', or save it as UTF-8."
    )


def _sample(text: str) -> str:
    """Return the first words of a text that are not ASCII."""
    words = []
    for run in islice(_FOREIGN.finditer(text), 60):
        before = _TAIL.search(text, max(0, run.start() - 12), run.start())
        after = _HEAD.match(text, run.end(), run.end() + 12)
        words.append(
            (before.group() if before else "") + run.group() + (after.group() if after else "")
        )
    return " ".join(words)[:400]


def _refusal(path: Path, name: str, declared: str | None, wrong: tuple[int, int]) -> str:
    byte, line = wrong
    readings = [
        f"{candidate!r} reads its first such text as {shown!r}"
        for candidate in _ASKED
        if not _same(candidate, name) and (shown := _reading(path, candidate))
    ]
    if name == "utf-8":
        opening = f"The file {path.name!r} is not UTF-8 (byte {byte:#04x} in line {line})"
    else:
        opening = (
            f"The file {path.name!r} is not {name} as its "
            f"{'mark' if declared is None else 'encoding='} says (byte {byte:#04x} in line {line})"
        )
    if not readings:
        return f"{opening}; save it as UTF-8, or give its encoding with encoding=."
    return (
        f"{opening}; give its encoding with encoding=, whichever makes sense: "
        f"{listed(readings, 6)}; or save it as UTF-8."
    )


def _reading(path: Path, name: str) -> str:
    """Return the first text that is not ASCII as an encoding reads it, or nothing."""
    text = _sample(_decoded(path, name))
    odd = any(
        sign < " " or "\x7f" <= sign <= "\x9f" or "\ue000" <= sign <= "\uf8ff" for sign in text
    )
    return "" if odd or not text else text.split(" ")[0][:20]


def _decoded(path: Path, name: str) -> str:
    """Return the beginning of a file in an encoding, or nothing where bytes are not of it."""
    with path.open("rb") as stream:
        block = stream.read(_BLOCK)
    block = block[: block.rfind(b"\n") + 1] or block
    try:
        return block.decode(name)
    except UnicodeDecodeError:
        return ""


def _as_declared(path: Path, name: str, text: _Text) -> Finding:
    """Tell how a declared encoding reads, and whether another one would read more usual signs."""
    own, word = _usual(text.sample), text.sample.split(" ")[0][:20]
    values: dict[str, object] = {"file": path.name, "encoding": name, "text": repr(word)}
    for other in ("gb18030", "big5", "shift_jis", "euc_kr"):
        theirs = _sample(_decoded(path, other)) if other != name else ""
        if len(theirs) > 3 and _usual(theirs) > own + 0.3:
            template = (
                "The file {file} was read as {encoding}, as declared, and its first text that is "
                "not ASCII reads {text}; as {other} it would read {reading}, which is more usual."
            )
            values |= {"other": other, "reading": repr(theirs.split(" ")[0][:20])}
            return Finding("encoding-doubtful", template, (path.name,), "warning", values=values)
    template = (
        "The file {file} was read as {encoding}, as declared; its first text that is not ASCII "
        "reads {text}."
    )
    return Finding("encoding-declared", template, (path.name,), "note", values=values)


def _usual(text: str) -> float:
    """Return the share of East Asian signs among those that are not ASCII, usual ones only."""
    signs = [sign for sign in text if sign > "\x7f"]
    return sum(map(_is_usual, signs)) / len(signs) if signs else 0.0


def _is_usual(sign: str) -> bool:
    if "\u3040" <= sign <= "\u30ff" or "\uac00" <= sign <= "\ud7a3":
        return True
    if not "\u4e00" <= sign <= "\u9fff":
        return False
    simplified, traditional = sign.encode("gb2312", "ignore"), sign.encode("big5", "ignore")
    return b"\xb0" <= simplified[:1] <= b"\xd7" or b"\xa4" <= traditional[:1] <= b"\xc6"


def _damage(text: _Text) -> tuple[Finding, ...]:
    """Tell of texts that were damaged before the file was saved."""
    if text.replaced:
        template = (
            "The file holds the sign � {count} {count:time|times}, so some of its texts were "
            "damaged before it was saved."
        )
        values: dict[str, object] = {"count": text.replaced}
        return (Finding("damaged-text", template, (), "warning", text.replaced, values),)
    try:
        twice = text.sample.encode("cp1252").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return ()
    if not text.sample or twice.isascii():
        return ()
    template = (
        "Some texts of the file look as if they had been encoded twice, such as {text} for {right}."
    )
    values = {"text": repr(text.sample[:20]), "right": repr(twice[:20])}
    return (Finding("damaged-text", template, (), "warning", values=values),)
