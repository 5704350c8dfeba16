"""`JournalTable`: a table as a journal prints it, and the files it goes to."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from csimodel.arguments import checked_in
from csimodel.characters import printable
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import text
from csimodel.floats import own_errstate_in
from csimodel.grid import Grid, columns_of
from csimodel.page import HasPage, Page, Section
from csimodel.survey.complete_file import file_path, write_file
from csimodel.survey.readers import needs
from csimodel.tables.cells import Cell
from csimodel.translation import Language, current_language, gettext, spoken

if TYPE_CHECKING:
    from maketables import MTable

_LATEX: Mapping[str, str] = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "−": r"$-$", "→": r"$\rightarrow$", "χ": r"$\chi$", "²": r"\textsuperscript{2}",
    "ρ": r"$\rho$", "<": r"$<$", ">": r"$>$", "≤": r"$\le$",
}  # fmt: skip
_APART = "\u200b"  # between titles of columns that are alike, which Word would make one
_TEX: dict[str, object] = {"data_addlinespace": None, "first_row_addlinespace": None}


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class JournalTable(HasPage):
    """A table of texts and numbers. Made by `table`; it shows itself in notebooks.

    Files need the extra ``tables``: ``pip install "csimodel[tables]"``.

    Attributes
    ----------
    heads
        Titles of the columns: the name of the fit, and what is shown of it.
    rows
        Cells by section and label.
    caption
        What the table shows.
    notes
        Sentences below it.
    language
        The language it was made in.
    """

    heads: tuple[tuple[str, str], ...]
    rows: Mapping[tuple[str, str], tuple[Cell, ...]]
    caption: str
    notes: tuple[str, ...]
    language: Language = field(default_factory=current_language)

    @property
    def cells(self) -> pd.DataFrame:
        """The texts, (section, label) × (fit, what is shown)."""
        texts = [[cell.text for cell in row] for row in self.rows.values()]
        rows = pd.MultiIndex.from_tuples(self.rows, names=["section", "row"])
        columns = pd.MultiIndex.from_tuples(self.heads, names=["fit", "column"])
        return pd.DataFrame(texts, rows, columns, dtype=object)

    @property
    def page(self) -> Page:
        """The table on a page."""
        grouped = len(self._sections) > 1
        head = ("", *(" ".join(filter(None, names)) for names in self.heads))
        lines = []
        for title in self._sections:
            lines += [(title, *([""] * len(self.heads)))] if grouped else []
            indent = "  " if grouped else ""
            lines += [
                (indent + name, *(cell.text for cell in row))
                for (section, name), row in self.rows.items()
                if section == title
            ]
        grid = Grid("", head, tuple(lines))
        with spoken(self.language):
            section = Section(self.caption or text("Numbers"), grid, self.notes)
            return Page(text("Journal table"), sections=(section,), clean="")

    def to_html(self, path: str | PathLike[str] | None = None) -> str:
        """Return the table as HTML (by great_tables), and write it to `path` where one is given.

        Raises
        ------
        SurveyError
            When maketables is not installed.
        OptionError
            When the file cannot be written.
        """
        drawing: Any = self._maker(self.cells).make("gt")
        return self._given(str(drawing.as_raw_html()), path)

    def to_latex(self, path: str | PathLike[str] | None = None) -> str:
        """Return the table as LaTeX for ``booktabs`` and ``tabularx``, and write it to `path`.

        Raises
        ------
        SurveyError, OptionError
            As `to_html`.
        """
        cells = self.cells.map(latex_text)
        cells.index, cells.columns = _latex_names(cells.index), _latex_names(cells.columns)
        return self._given(str(self._maker(cells, latex_text).make("tex", tex_style=_TEX)), path)

    def to_markdown(self, path: str | PathLike[str] | None = None) -> str:
        """Return the table in Markdown, and write it to `path` where one is given.

        Raises
        ------
        SurveyError, OptionError
            As `to_html`.
        """
        try:
            from tabulate import tabulate
        except ImportError as error:
            raise SurveyError(needs("A table in Markdown", "maketables")) from error
        grid = self.page.sections[0].grid
        assert grid is not None
        lines = [[_piped(cell) for cell in row] for row in grid.rows]
        head = [_piped(name) for name in grid.head]
        align = ("left", *(["right"] * len(self.heads)))
        body = tabulate(lines, head, "pipe", colalign=align, disable_numparse=True)
        above = f"**{_piped(self.caption)}**\n\n" if self.caption else ""
        notes = f"\n\n*{self._note}* {_piped(' '.join(self.notes))}" if self.notes else ""
        return self._given(f"{above}{body}{notes}\n", path)

    def to_word(self, path: str | PathLike[str]) -> Path:
        """Write the table as a Word document (by maketables).

        Raises
        ------
        SurveyError, OptionError
            As `to_html`.
        """
        stream = io.BytesIO()
        cells = self.cells
        names = [f"{what}{_APART * (k % 2)}" for k, (_, what) in enumerate(self.heads)]
        cells.columns = pd.MultiIndex.from_arrays([[name for name, _ in self.heads], names])
        widest = max((columns_of(name) for name, _ in self.lines()), default=0)
        style: dict[str, object] = {"first_col_width": f"{min(2.6, 0.4 + 0.08 * widest):.2f}in"}
        document: Any = self._maker(cells).make("docx", docx_style=style)
        document.save(stream)
        return _written(path, ".docx", stream.getvalue())

    def to_excel(self, path: str | PathLike[str]) -> Path:
        """Write the table as a workbook: numbers as numbers, text that looks like formulas as text.

        Raises
        ------
        SurveyError
            When openpyxl is not installed.
        OptionError
            When the file cannot be written.
        """
        try:
            from openpyxl import Workbook
        except ImportError as error:
            raise SurveyError(needs("A table in Excel", "openpyxl")) from error
        from csimodel.tables.workbook import fill_sheet

        book, stream = Workbook(), io.BytesIO()
        fill_sheet(book.active, self.heads, tuple(self.lines()), self.caption, self.notes)
        book.save(stream)
        return _written(path, ".xlsx", stream.getvalue())

    @property
    def _sections(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(section for section, _ in self.rows))

    def lines(self) -> Iterator[tuple[str, tuple[Cell, ...]]]:
        """Yield rows from top to bottom: the titles of sections, where there are several, too."""
        for title in self._sections:
            if len(self._sections) > 1:
                yield title, ()
            for (section, name), row in self.rows.items():
                if section == title:
                    yield name, row

    @property
    def _note(self) -> str:
        """What stands before the notes."""
        with spoken(self.language):
            return gettext("Note.")

    def _maker(self, cells: pd.DataFrame, written: object = str) -> MTable:
        try:
            from maketables import MTable
        except ImportError as error:
            raise SurveyError(needs("A table in HTML, LaTeX or Word", "maketables")) from error
        assert callable(written)
        if len(self._sections) == 1:
            cells = cells.droplevel(0)
        if not any(name for name, _ in self.heads):
            cells.columns = cells.columns.get_level_values(1)
        cells.index.names = [None] * cells.index.nlevels
        notes = str(written(f"{self._note} {' '.join(self.notes)}")) if self.notes else ""
        caption = str(written(self.caption)) if self.caption else None
        return MTable(cells, notes=notes, caption=caption)

    def _given(self, text: str, path: str | PathLike[str] | None) -> str:
        if path is not None:
            _written(path, "", text.encode())
        return text


def _written(path: str | PathLike[str], ending: str, content: bytes) -> Path:
    """Write a file whole or not at all."""
    own = file_path("path", path, f"table{ending or '.html'}")
    if ending and own.suffix.casefold() != ending:
        raise OptionError(
            f"path={str(path)!r} must end in {ending}, as the programs that open it expect; give "
            f"{own.stem + ending!r}."
        )
    return write_file(own, "path", content)


def _latex_names(names: pd.Index) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays(
        [[latex_text(name) for name in names.get_level_values(place)] for place in (0, 1)]
    )


def latex_text(text: str) -> str:
    r"""Return a text in which LaTeX reads no commands.

    >>> latex_text("5 % of R_1")
    '5 \\% of R\\_1'
    """
    return "".join(_LATEX.get(character, character) for character in printable(str(text)))


def _piped(text: str) -> str:
    """Escape what Markdown would take for marks of its own."""
    indent = len(text) - len(text.lstrip())
    escaped = "".join("\\" + x if x in "\\|*_`<[" else x for x in printable(text.lstrip()))
    return "&nbsp;" * indent + escaped
