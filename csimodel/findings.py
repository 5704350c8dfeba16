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
from pathlib import Path
from string import Formatter
from typing import Literal

from csimodel.errors import CsimodelWarning
from csimodel.formatting import told_p

Severity = Literal["note", "warning", "failure"]
SEVERITIES: tuple[Severity, ...] = ("failure", "warning", "note")
"""The gravest first."""


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
        ``{p:p}`` is a p-value.
    subjects
        The columns, constructs or groups concerned.
    severity
        ``"note"`` (counted, harmless), ``"warning"`` (think before use) or
        ``"failure"`` (do not use the numbers).
    count
        How many rows, cells or draws are concerned, where that makes sense.
    values
        What the fields of the sentence hold.
    scope
        The part of a result it is about (``"Group a"``), or empty.

    Examples
    --------
    >>> finding = Finding(
    ...     "negative-weight",
    ...     "The weight of {items:2} is below 0; the lowest is {lowest:.2f}.",
    ...     values={"items": ("q1", "q2", "q3"), "lowest": -0.123},
    ... )
    >>> print(finding)
    The weight of q1, q2 and 1 more is below 0; the lowest is -0.12.
    >>> print(finding.within("Group a"))
    Group a: The weight of q1, q2 and 1 more is below 0; the lowest is -0.12.
    """

    code: str
    template: str
    subjects: tuple[str, ...] = ()
    severity: Severity = "warning"
    count: int | None = None
    values: Mapping[str, object] = field(default_factory=dict, hash=False)
    scope: str = ""

    @property
    def message(self) -> str:
        """The sentence, its fields filled and its scope before it."""
        sentence = wording(self.template, self.values)
        return f"{self.scope}: {sentence}" if self.scope else sentence

    def within(self, scope: str) -> Finding:
        """Return the finding as one about a part of a result."""
        return replace(self, scope=f"{scope}: {self.scope}" if self.scope else scope)

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"<{self.severity}: {self.message}>"


class _Sentence(Formatter):
    """Fills fields; several names are listed, a field ``{p:p}`` is a p-value."""

    def format_field(self, value: object, format_spec: str) -> str:
        if isinstance(value, tuple | list):
            return listed(value, int(format_spec) if format_spec else 5)
        if format_spec == "p" and isinstance(value, float):
            return told_p(value)
        if isinstance(value, float) and value == float("inf"):
            return "infinite"
        return str(super().format_field(value, format_spec))


_SENTENCE = _Sentence()


def wording(template: str, values: Mapping[str, object]) -> str:
    """Return a sentence with its fields filled; without values as it stands.

    >>> wording("{n:,} rows of {firms}", {"n": 1200, "firms": ("a", "b")})
    '1,200 rows of a and b'
    """
    return _SENTENCE.vformat(template, (), dict(values)) if values else template


def listed(names: Iterable[object], limit: int = 5) -> str:
    """Join names for a sentence, with the rest counted.

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
