"""The language of what is shown, and its catalogue.

Sentences and titles stand in English in the code. Where they are shown they are looked up in the
gettext catalogue of the language of the moment, ``csimodel/language/zh/LC_MESSAGES/csimodel.po``
for Chinese; what is not there stays English. Errors are English in every language.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Literal, get_args

from csimodel.arguments import checked
from csimodel.errors import OptionError, choose

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""Languages that results can be shown in."""

_MOMENT: ContextVar[Language] = ContextVar("language", default="en")
_CATALOGUES = Path(__file__).with_name("language")
_WITHOUT_ZERO = frozenset({"en"})  # languages that write p-values without the zero before the point


class Message(str):
    """A text of the package, such as a name of a method, that is looked up where it is shown.

    Attributes
    ----------
    template
        What is looked up.
    values
        What the fields of the template hold.
    """

    template: str = ""
    values: Mapping[str, object] = MappingProxyType({})

    def in_sentence(self) -> Message:
        """Return the message as it stands within an English sentence, without its capital."""
        return Message.of(self[:1].lower() + self[1:], self.template, self.values)

    @classmethod
    def of(cls, text: str, template: str, values: Mapping[str, object]) -> Message:
        """Return a text with what is looked up for it."""
        own = cls(text)
        own.template, own.values = template, values
        return own


def message(template: str, /, **values: object) -> Message:
    """Return a literal, its fields filled, as a text that is looked up where it is shown, not here.

    >>> message("least squares"), message("index of {name}", name="Quality")
    ('least squares', 'index of Quality')
    """
    return Message.of(template.format(**values) if values else template, template, values)


def shown_message(text: str) -> str:
    """Return a text of the package in the language of the moment, any other as it is.

    >>> shown_message(message("least squares")), shown_message("my own")
    ('least squares', 'my own')
    """
    if not isinstance(text, Message) or _MOMENT.get() == "en":
        return str(text)
    template = gettext(text.template)
    if not text.values:
        return template
    values = {
        name: shown_message(value) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    return template.format(**values)


class LanguageSetting(AbstractContextManager[None]):
    """A language that was set; at the end of a ``with`` block the one before comes back.

    Attributes
    ----------
    name
        The language set.
    before
        The language until then.
    """

    def __init__(self, name: Language, before: Language) -> None:
        self.name = name
        self.before = before

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Set the language that was there before."""
        _MOMENT.set(self.before)

    def __repr__(self) -> str:
        return f"<language {self.name!r}, before it {self.before!r}>"


@checked
def language(name: Language) -> LanguageSetting:
    """Show results in a language from here on, or within a ``with`` block only.

    It is the language of reports, summaries, notebook forms, findings, plots and journal tables
    that are made afterwards, in this thread. Names of constructs, columns and groups stay as they
    are written; errors are English.

    Parameters
    ----------
    name
        ``"en"`` or ``"zh"``.

    Returns
    -------
    LanguageSetting
        To be used with ``with``, or left alone.

    Raises
    ------
    OptionError
        For another language.

    Examples
    --------
    >>> import csimodel as csi
    >>> from csimodel.findings import text
    >>> with csi.language("zh"):
    ...     text("{names}", names=["Image", "Value", "Loyalty"])
    'Image、Value和Loyalty'
    >>> text("{names}", names=["Image", "Value", "Loyalty"])
    'Image, Value and Loyalty'
    """
    before = _MOMENT.get()
    _translations(name)  # refused now, not where something is shown
    _MOMENT.set(name)
    return LanguageSetting(name, before)


def spoken(name: Language | None) -> AbstractContextManager[None]:
    """Return a block in which a language is set; that of the moment stays where it is None.

    Raises
    ------
    OptionError
        For another language than there is.

    Examples
    --------
    >>> with spoken(None):
    ...     current_language()
    'en'
    """
    if name is not None:
        choose("language", name, LANGUAGES)
    return language(_MOMENT.get() if name is None else name)


def current_language() -> Language:
    """Return the language of the moment.

    >>> current_language()
    'en'
    """
    return _MOMENT.get()


def gettext(message: str) -> str:
    """Return a message in the language of the moment; as it is where there is no translation.

    >>> gettext("No findings.")
    'No findings.'
    """
    name = _MOMENT.get()
    return message if name == "en" or not message else _translations(name).gettext(message)


def ngettext(single: str, several: str, count: int) -> str:
    """Return the message that fits a count, in the language of the moment.

    >>> ngettext("{count} row", "{count} rows", 1)
    '{count} row'
    """
    name = _MOMENT.get()
    if name == "en":
        return single if count == 1 else several
    return _translations(name).ngettext(single, several, count)


def pgettext(context: str, message: str) -> str:
    """Return a message as it is said where it stands, such as ``"p"`` as the title of a column.

    >>> pgettext("column", "estimate")
    'estimate'
    """
    name = _MOMENT.get()
    return message if name == "en" else _translations(name).pgettext(context, message)


def zero_before_point() -> bool:
    """Return whether a p-value is written with the zero before its point.

    >>> zero_before_point()
    False
    """
    return _MOMENT.get() not in _WITHOUT_ZERO


@cache
def _translations(name: Language) -> NullTranslations:
    """Return the catalogue of a language: compiled in an installed package, else from its source.

    Raises
    ------
    OptionError
        When the source is there, as in a checkout, and Babel is not, which reads it.
    """
    if name == "en":
        return NullTranslations()
    folder = _CATALOGUES / name / "LC_MESSAGES"
    source = folder / "csimodel.po"
    if not source.exists():
        with (folder / "csimodel.mo").open("rb") as file:
            return GNUTranslations(file)
    try:
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po
    except ImportError:
        raise OptionError(
            f"language={name!r} in a checkout of the source needs Babel, which reads its "
            "catalogue; install it with pip install 'csimodel[test]'."
        ) from None
    with source.open("rb") as file:
        catalogue = read_po(file, locale=name)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
