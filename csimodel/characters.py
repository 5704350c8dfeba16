"""Characters that a file cannot hold, or that would change what a reader sees of others."""

from __future__ import annotations

import re
import unicodedata

_REPLACEMENT = "\ufffd"
_SURROGATES = re.compile("[\ud800-\udfff]")
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters but tab, line feed, return
    "\u202a-\u202e\u2066-\u2069"  # orders on the direction in which what follows is written
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"  # no characters
)


def encodable(text: str) -> str:
    r"""Replace what UTF-8 cannot hold: half characters, as in file names that are not UTF-8.

    >>> encodable("caf\udce9.csv") == "caf\ufffd.csv"
    True
    """
    return _SURROGATES.sub(_REPLACEMENT, text)


def composed(text: str) -> str:
    r"""Return text in the Unicode form in which names are compared (NFC).

    >>> composed("Qualite\u0301") == "Qualité"
    True
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def printable(text: str) -> str:
    r"""Replace what XML and HTML cannot hold, and what reorders the text around it.

    >>> printable("a\x00b\u202ec\td") == "a\ufffdb\ufffdc\td"
    True
    """
    return _UNPRINTABLE.sub(_REPLACEMENT, text)
