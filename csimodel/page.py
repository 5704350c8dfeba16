"""A page of results: title, headline, facts, findings and sections; as text, HTML, in notebooks.

The only place where a result is laid out. A class that has a `page` gets its ``summary()`` and its
notebook form from `HasPage`.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from csimodel.findings import Finding, Severity, gravest_first, text
from csimodel.floats import own_errstate_in
from csimodel.grid import Grid, columns_of, escaped, marked_down
from csimodel.translation import Language, current_language, gettext, language, spoken

MARKS: Mapping[Severity, str] = {"failure": "DO NOT USE", "warning": "WARNING", "note": "note"}
"""How a finding is marked in English, by its severity."""

_CHINESE = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_WORDS = re.compile(
    rf"[（《【]*(?:[{_CHINESE}]|[^{_CHINESE}]+)[，。；：、！？”’）】》]*"
)  # a Chinese sign or a word, with the marks that open before it and close behind it
_STYLE = (
    "<style>.csimodel table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    ".csimodel th,.csimodel td{padding:.15em .7em;text-align:right;vertical-align:baseline}"
    ".csimodel th.word,.csimodel td.word{text-align:left}"
    ".csimodel summary{font-weight:600;cursor:pointer;margin-top:.6em}</style>"
)


@dataclass(frozen=True, eq=False)
class Section:
    """A part of a page.

    Attributes
    ----------
    title
        What it shows.
    table
        A data frame, or a table of texts.
    notes
        Sentences below the table.
    decimals
        Of the data frame's numbers; None for four figures.
    """

    title: str
    table: pd.DataFrame | Grid | None = None
    notes: tuple[str, ...] = ()
    decimals: int | None = None

    @property
    def grid(self) -> Grid | None:
        """The table as texts."""
        if isinstance(self.table, pd.DataFrame):
            return Grid.of(self.table, self.decimals)
        return self.table


def mark_of(severity: Severity) -> str:
    """Return how a finding is marked wherever it is shown, in the language of the moment.

    >>> mark_of("failure")
    'DO NOT USE'
    """
    return gettext(MARKS[severity])


def sections(
    tables: Mapping[str, pd.DataFrame], decimals: int | None = None
) -> tuple[Section, ...]:
    """Return a section for each table, by its title.

    >>> [section.title for section in sections({"Paths": pd.DataFrame()})]
    ['Paths']
    """
    return tuple(Section(title, table, decimals=decimals) for title, table in tables.items())


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Page:
    """A result on a page: ``print`` it, or leave it as the last line of a notebook cell.

    Attributes
    ----------
    title
        What the result is.
    headline
        The result in a sentence.
    facts
        What it rests on, a line each.
    findings
        What a reader must know before trusting it; shown gravest first, each once.
    sections
        Tables and sentences.
    clean
        What is said where there are no findings.
    points
        Further sentences, each with a mark of its own, such as a verdict.
    language
        The language it was made in, in which it is shown.

    Examples
    --------
    >>> print(Page("Shape", "It is straight."))
    Shape
    =====
    It is straight.
    <BLANKLINE>
    No findings.
    """

    title: str
    headline: str = ""
    facts: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    sections: tuple[Section, ...] = ()
    clean: str = field(default_factory=lambda: text("No findings."))
    points: tuple[tuple[str, str], ...] = ()
    language: Language = field(default_factory=current_language)

    def text(self, width: int | None = None) -> str:
        """Return the page for a terminal; sentences are broken at `width`, whole without it."""
        with language(self.language):
            return "\n".join(map(_harmless, self._lines(width)))

    def html(self) -> str:
        """Return the page as HTML with every text escaped."""
        with language(self.language):
            return self._html()

    def _html(self) -> str:
        parts = [f"<h3>{escaped(self.title)}</h3>"]
        if self.headline:
            parts.append(f"<p><strong>{escaped(self.headline)}</strong></p>")
        if self.facts:
            parts.append("<p>" + "<br>".join(map(escaped, self.facts)) + "</p>")
        marked = "".join(
            marked_sentence("<li><b>", escaped(mark), "</b>", escaped(sentence), "</li>")
            for mark, sentence in self.marked
        )
        if marked:
            parts.append(f"<ul>{marked}</ul>")
        elif self.clean:
            parts.append(f"<p>{escaped(self.clean)}</p>")
        parts += map(_html_section, self.sections)
        return f'<div class="csimodel" lang="{self.language}">{_STYLE}{"".join(parts)}</div>'

    def markdown(self) -> str:
        r"""Return the page as Markdown, of which no text is taken for a mark.

        >>> print(Page("A *plan*", "Ask 5.", clean="").markdown())
        # A \*plan\*
        <BLANKLINE>
        **Ask 5.**
        <BLANKLINE>
        """
        with language(self.language):
            return self._markdown()

    def _markdown(self) -> str:
        parts = [f"# {marked_down(self.title)}"]
        if self.headline:
            parts.append(f"**{marked_down(self.headline)}**")
        parts += map(marked_down, self.facts)
        points = [
            marked_sentence("- **", mark, "**", marked_down(sentence))
            for mark, sentence in self.marked
        ]
        if points:
            parts.append("\n".join(points))
        elif self.clean:
            parts.append(self.clean)
        for section in self.sections:
            parts.append(f"## {marked_down(section.title)}")
            grid = section.grid
            parts += [] if grid is None else [grid.markdown()]
            parts += map(marked_down, section.notes)
        return "\n\n".join(parts) + "\n"

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.html()

    @property
    def marked(self) -> list[tuple[str, str]]:
        """The findings and further sentences, each with its mark."""
        findings = gravest_first(self.findings)
        return [*((mark_of(finding.severity), str(finding)) for finding in findings), *self.points]

    def _lines(self, width: int | None) -> Iterator[str]:
        yield self.title
        yield "=" * columns_of(self.title)
        for sentence in (self.headline, *self.facts):
            yield from _wrapped(sentence, width)
        marked = [marked_sentence("", mark, "", sentence) for mark, sentence in self.marked]
        above = marked or ([self.clean] if self.clean else [])
        if above:
            yield ""
        for sentence in above:
            yield from _wrapped(sentence, width)
        for section in self.sections:
            yield from ("", section.title, "-" * columns_of(section.title))
            grid = section.grid
            if grid is not None:
                yield from grid.text().split("\n")
                yield from ([""] if section.notes else [])
            for sentence in section.notes:
                yield from _wrapped(sentence, width)


class HasPage:
    """A result that has a page.

    A class that shows itself so defines `page` and nothing else.
    """

    @property
    def page(self) -> Page:
        """The result on a page."""
        raise NotImplementedError

    def summary(self, language: Language | None = None) -> Page:
        """Return the results as a page of text; prints, and shows as HTML in a notebook.

        Parameters
        ----------
        language
            ``"en"`` or ``"zh"``; by default that of the moment (`csimodel.language`).

        Raises
        ------
        OptionError
            For another language.
        """
        with spoken(language):
            return self.page

    def __repr__(self) -> str:
        return str(self.page)

    def _repr_html_(self) -> str:
        return self.page.html()


class HasHeadline(HasPage):
    """A result that is a sentence by itself, and a page in a notebook.

    A class that shows itself so defines `headline` and `page`.
    """

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.headline}>"


def _html_section(section: Section) -> str:
    grid = section.grid
    body = "" if grid is None else grid.html()
    notes = "".join(f"<p>{escaped(sentence)}</p>" for sentence in section.notes)
    return f"<details open><summary>{escaped(section.title)}</summary>{body}{notes}</details>"


def marked_sentence(before: str, mark: str, after: str, sentence: str, end: str = "") -> str:
    """Put a mark before a sentence, with a colon as the language of the moment writes it.

    Parameters
    ----------
    before, after, end
        Markup around the mark, and after the sentence.
    mark, sentence
        As the form of the document holds them.

    Examples
    --------
    >>> marked_sentence("<b>", "note", "</b>", "There are 5 rows.")
    '<b>note</b>: There are 5 rows.'
    """
    colon = gettext("{part}: {sentence}").format(part="", sentence="")
    return f"{before}{mark}{after}{colon}{sentence}{end}"


class _Lines(textwrap.TextWrapper):
    """Lines that end between words, and between Chinese signs, marks with what they belong to."""

    def _split(self, text: str) -> list[str]:
        return [part for chunk in super()._split(text) for part in _WORDS.findall(chunk)]


def _wrapped(text: str, width: int | None) -> list[str]:
    if not text:
        return []
    return [text] if width is None else _Lines(width).wrap(text)


def _harmless(line: str) -> str:
    """Replace control characters, which a name could use to rewrite the terminal."""
    return "".join("?" if unicodedata.category(x)[0] == "C" else x for x in line)
