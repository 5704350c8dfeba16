"""Fonts for labels in any script: find one that has the characters, or say what to install."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from matplotlib import font_manager

from csimodel.findings import Finding, tell
from csimodel.plots import style
from csimodel.translation import current_language

_INSTALL = (
    "No installed font can draw the characters {characters:8}, so they appear as empty boxes: "
    "install 'Noto Sans CJK' (Debian or Ubuntu: apt install fonts-noto-cjk; Fedora: dnf install "
    "google-noto-sans-cjk-fonts; elsewhere: download it from "
    "https://github.com/notofonts/noto-cjk) and draw the figure again."
)
_AVOID = (
    "No installed font can draw the characters {characters:8}, so they appear as empty boxes: use "
    "other characters in the labels."
)

#: Families tried for Chinese text, in this order; those for Japanese and Korean come
#: first when a label has kana or hangul.
CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Microsoft YaHei",
    "Hiragino Sans GB",
    "Heiti SC",
    "STHeiti",
    "SimHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Sans CJK TC",
    "Noto Sans CJK HK",
    "Noto Sans TC",
    "PingFang TC",
    "Microsoft JhengHei",
    "Droid Sans Fallback",
    "Arial Unicode MS",
    "Noto Serif CJK SC",
    "SimSun",
    "AR PL UMing CN",
)
JAPANESE = ("Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic", "Meiryo", "MS Gothic")
KOREAN = ("Noto Sans CJK KR", "Noto Sans KR", "Apple SD Gothic Neo", "Malgun Gothic", "NanumGothic")

_FILES = ("cjk", "hansans", "wqy", "yahei", "msyh", "simhei", "pingfang", "fallback", "notosans")


def has_cjk(text: str) -> bool:
    """Tell whether `text` has Chinese, Japanese or Korean characters.

    Examples
    --------
    >>> has_cjk("满意度"), has_cjk("Zufriedenheit – ζ")
    (True, False)
    """
    return any(_is_cjk(character) for character in text)


_SCRIPTS = {"zh": "满意度，：（）"}  # of which a figure in a language has labels of the package


def families(texts: Iterable[str]) -> list[str]:
    """Return the font families, as a fallback list, that can draw every character of `texts`.

    Latin text keeps the font that ships with matplotlib; one installed CJK font is added
    when a character needs it.

    Parameters
    ----------
    texts
        The labels of one figure.

    Warns
    -----
    CsimodelWarning
        When no installed font has a character; the sentence says what to install.

    Examples
    --------
    >>> families(["Loyalty", "R² = 0.46"])
    ['DejaVu Sans']
    """
    wanted = {
        character
        for text in (*texts, _SCRIPTS.get(current_language(), ""))
        for character in str(text)
        if not character.isspace() and unicodedata.category(character)[0] != "C"
    }
    lacking = frozenset(wanted - _characters(style.BASE_FAMILY))
    if not lacking:
        return [style.BASE_FAMILY]
    family = cjk_family("".join(sorted(lacking)))
    if family is not None:
        lacking -= _characters(family)
    if lacking:
        _tell(lacking)
    return [style.BASE_FAMILY] + ([family] if family is not None else [])


def cjk_family(text: str = "满意度") -> str | None:
    """Return the installed CJK family that draws `text` best, or ``None`` when there is none.

    Fonts installed after matplotlib made its list of fonts are found too.

    Examples
    --------
    >>> isinstance(cjk_family(), str | None)
    True
    """
    if not has_cjk(text):
        return None
    candidates = _candidates(text)
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    installed = [name for name in candidates if name in known]
    if not installed and _register_new_fonts():
        known = {entry.name for entry in font_manager.fontManager.ttflist}
        installed = [name for name in candidates if name in known]
    needed = {character for character in text if _is_cjk(character)}
    ranked = sorted(installed, key=lambda name: len(needed - _characters(name)))
    return ranked[0] if ranked else None  # sorted is stable: order of preference among equals


def _candidates(text: str) -> list[str]:
    names = [unicodedata.name(character, "") for character in text]
    first: tuple[str, ...] = ()
    if any("HANGUL" in name for name in names):
        first += KOREAN
    if any("HIRAGANA" in name or "KATAKANA" in name for name in names):
        first += JAPANESE
    return list(dict.fromkeys(first + CHINESE + JAPANESE + KOREAN))


def _is_cjk(character: str) -> bool:
    code = ord(character)
    return (
        0x2E80 <= code <= 0x9FFF
        or 0xAC00 <= code <= 0xD7AF
        or 0xF900 <= code <= 0xFAFF
        or 0xFF00 <= code <= 0xFFEF
        or 0x20000 <= code <= 0x3FFFF
        or 0x1100 <= code <= 0x11FF
    )


@lru_cache(maxsize=16)
def _characters(family: str) -> frozenset[str]:
    path = font_manager.findfont(font_manager.FontProperties(family=family))
    return frozenset(chr(code) for code in font_manager.get_font(path).get_charmap())


def _register_new_fonts() -> bool:
    """Tell matplotlib of CJK fonts its stored list does not have yet."""
    listed_files = {str(entry.fname) for entry in font_manager.fontManager.ttflist}
    added = False
    for path in sorted(font_manager.findSystemFonts()):
        if path not in listed_files and any(part in Path(path).name.lower() for part in _FILES):
            try:
                font_manager.fontManager.addfont(path)
            except (OSError, RuntimeError):  # a damaged font file is as good as none
                continue
            added = True
    return added


def _tell(lacking: frozenset[str]) -> None:
    cjk = any(_is_cjk(character) for character in lacking)
    template = _INSTALL if cjk else _AVOID
    tell(Finding("missing-glyphs", template, values={"characters": tuple(sorted(lacking))}))
