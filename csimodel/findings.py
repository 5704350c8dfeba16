"""What was noticed, kept as data and said in plain words where it is shown.

A finding is a code, a severity, and one whole sentence with named fields: ``"{count} of {total}
rows were dropped because {columns} is missing."`` with the values of the fields beside it. So a
program reads the values, and the sentence can be said in another language. No sentence is put
together from clauses; where one and several differ there are two sentences.

Results carry their findings. A function that answers with a plain table tells them instead: they
reach whoever collects (`collected`), or the user as a `CsimodelWarning`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from string import Formatter
from typing import Literal

from csimodel.errors import CsimodelWarning
from csimodel.formatting import in_form, told_p
from csimodel.translation import Message, current_language, gettext, ngettext, shown_message

Severity = Literal["note", "warning", "failure"]
SEVERITIES: tuple[Severity, ...] = ("failure", "warning", "note")
"""The gravest first."""


@dataclass(frozen=True)
class Scope:
    """The part of a result that a finding is about.

    Attributes
    ----------
    template
        Its name, with fields (``"Group {group}"``).
    values
        What the fields hold.
    """

    template: str
    values: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, repr=False)
class Finding:
    """One thing a reader must know before trusting a result.

    Attributes
    ----------
    code
        Stable short name, for programs (``"negative-weight"``).
    template
        One whole sentence for people, naming the columns or constructs concerned, with fields in
        braces that `values` fill; without values it is taken as it stands. A field that holds
        several names is listed, ``{items:3}`` at most three of them and the rest counted;
        ``{p:p}`` is a p-value, and ``{count:row has|rows have}`` what is said of one and several.
    subjects
        The columns, constructs or groups concerned.
    severity
        ``"note"`` (counted, harmless), ``"warning"`` (think before use) or
        ``"failure"`` (do not use the numbers).
    count
        How many rows, cells or draws are concerned, where that makes sense.
    values
        What the fields of the sentence hold.
    parts
        The parts of a result it is about, the largest first.

    Examples
    --------
    >>> finding = Finding(
    ...     "negative-weight",
    ...     "The weight of {items:2} is below 0; the lowest is {lowest:.2f}.",
    ...     values={"items": ("q1", "q2", "q3"), "lowest": -0.123},
    ... )
    >>> print(finding)
    The weight of q1, q2 and 1 more is below 0; the lowest is −0.12.
    >>> print(finding.within("Group {group}", group="a"))
    Group a: The weight of q1, q2 and 1 more is below 0; the lowest is −0.12.
    """

    code: str
    template: str
    subjects: tuple[str, ...] = ()
    severity: Severity = "warning"
    count: int | None = None
    values: Mapping[str, object] = field(default_factory=dict, hash=False)
    parts: tuple[Scope, ...] = ()

    @property
    def scope(self) -> str:
        """The parts of a result it is about (``"Group a"``), or empty."""
        return _after([wording(part.template, part.values) for part in self.parts])

    @property
    def message(self) -> str:
        """The sentence in the language of the moment, its fields filled, its scope before it."""
        sentence = wording(self.template, self.values)
        return _after([self.scope, sentence] if self.parts else [sentence])

    def within(self, template: str, /, **values: object) -> Finding:
        """Return the finding as one about a part of a result, named by a template with fields."""
        return replace(self, parts=(Scope(template, values), *self.parts))

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"<{self.severity}: {self.message}>"


class _Sentence(Formatter):
    """Fills fields with names and numbers as people write them.

    Several names are listed, ``{p:p}`` is a p-value, and ``{count:row has|rows have}`` what is said
    of one and of several: of a number, or of the names of a list.
    """

    def format_field(self, value: object, format_spec: str) -> str:
        single, bar, several = format_spec.partition("|")
        if bar:
            return single if _is_one(value) else several
        if isinstance(value, tuple | list):
            return _enumerated(list(map(_named, value)), int(format_spec) if format_spec else 5)
        if format_spec == "p" and isinstance(value, float):
            return told_p(value)
        if isinstance(value, Message):
            value = shown_message(value)
        if isinstance(value, float) and value == float("inf"):
            return gettext("infinite")
        if isinstance(value, Real) and not isinstance(value, bool):
            return in_form(value, format_spec)
        return str(super().format_field(value, format_spec))


def _is_one(value: object) -> bool:
    return len(value) == 1 if isinstance(value, tuple | list) else value == 1


_SENTENCE = _Sentence()


def wording(template: str, values: Mapping[str, object]) -> str:
    """Return a sentence in the language of the moment, its fields filled.

    Without values it is taken as it stands.

    >>> wording("{n:,} rows of {firms}", {"n": 1200, "firms": ("a", "b")})
    '1,200 rows of a and b'
    """
    sentence = gettext(template)
    return _SENTENCE.vformat(sentence, (), dict(values)) if values else sentence


def text(template: str, /, **values: object) -> str:
    """Return a title or sentence in the language of the moment, its fields filled.

    The template is a literal, so that it can be translated; a list of names is enumerated.

    >>> text("Drivers of {target}", target="Satisfaction")
    'Drivers of Satisfaction'
    """
    return wording(template, values)


def counted(count: int, single: str, several: str, /, **values: object) -> str:
    """Return what is said of one or of several, in the language of the moment; `count` is a field.

    >>> counted(1, "{count:,} respondent", "{count:,} respondents")
    '1 respondent'
    >>> counted(1250, "{count:,} respondent", "{count:,} respondents")
    '1,250 respondents'
    """
    template = ngettext(single, several, count)
    return _SENTENCE.vformat(template, (), {"count": count, **values})


def _named(value: object) -> str:
    return shown_message(value) if isinstance(value, str) else str(value)


def _after(parts: list[str]) -> str:
    """Put each part before the one that follows it, with a colon."""
    told = parts[0] if parts else ""
    for part in parts[1:]:
        told = text("{part}: {sentence}", part=told, sentence=part)
    return told


def _enumerated(names: list[str], limit: int) -> str:
    """Enumerate names in the language of the moment; the patterns are those of CLDR."""
    if current_language() == "en":
        return listed(names, limit)
    if len(names) < 2:
        return "".join(names)
    head, last = (names[:-1], names[-1]) if len(names) <= limit else (names[:limit], "")
    told = head[0]
    for name in head[1:]:
        told = gettext("{names}, {name}").format(names=told, name=name)
    if last:
        return gettext("{names} and {name}").format(names=told, name=last)
    return gettext("{names} and {more} more").format(names=told, more=len(names) - limit)


def listed(names: Iterable[object], limit: int = 5) -> str:
    """Join names for an English sentence, as of an error, with the rest counted.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    >>> listed([f"q{i}" for i in range(9)], limit=3)
    'q0, q1, q2 and 6 more'
    """
    every = [str(name) for name in names]
    if len(every) > limit:
        return ", ".join(every[:limit]) + f" and {len(every) - limit} more"
    if len(every) < 2:
        return "".join(every)
    return ", ".join(every[:-1]) + " and " + every[-1]


def gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings in the order of their severity, each that says the same once.

    >>> few, bad = Finding("few-rows", "Few."), Finding("no-rows", "None.", severity="failure")
    >>> [finding.code for finding in gravest_first([few, bad, few])]
    ['no-rows', 'few-rows']
    """
    once: dict[tuple[Severity, str], Finding] = {}
    for finding in findings:
        once.setdefault((finding.severity, finding.message), finding)
    return tuple(sorted(once.values(), key=lambda entry: SEVERITIES.index(entry.severity)))


_COLLECTED: ContextVar[list[Finding] | None] = ContextVar("findings", default=None)


def tell(findings: Finding | Iterable[Finding]) -> None:
    """Hand findings to whoever collects them in this context, else warn of them."""
    several = (findings,) if isinstance(findings, Finding) else tuple(findings)
    listener = _COLLECTED.get()
    if listener is not None:
        listener.extend(several)
        return
    for finding in several:
        warnings.warn(finding.message, CsimodelWarning, stacklevel=_users_level())


def _users_level() -> int:
    """Return how far up the call that is not the package's own is, for warnings."""
    package, level = str(Path(__file__).parent), 1
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    return level


@contextmanager
def collected() -> Iterator[list[Finding]]:
    """Collect what is told in this block; in this thread only, and without touching warnings.

    >>> with collected() as findings:
    ...     tell(Finding("few-rows", "There are 5 rows."))
    >>> findings
    [<warning: There are 5 rows.>]
    """
    own: list[Finding] = []
    token = _COLLECTED.set(own)
    try:
        yield own
    finally:
        _COLLECTED.reset(token)
