"""A report as documents to hand on and to work with: Word, Excel, LaTeX."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from csimodel.errors import OptionError, choose
from csimodel.grid import Grid
from csimodel.measures.documents import word_document
from csimodel.options import require_names, shown
from csimodel.page import Page, marked_sentence
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.text import page_of
from csimodel.survey.readers import needs
from csimodel.tables.journal import latex_text

FORMATS = ("html", "docx", "xlsx", "tex")
_SHEET = 31  # characters that Excel allows in the name of a sheet
_DATE = (1980, 1, 1, 0, 0, 0)  # of every file in an archive, so that bytes are the same
_BARS = re.compile("[\u2581-\u2588]")
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")


def require_formats(formats: str | Sequence[str]) -> tuple[str, ...]:
    """Return the formats that are asked for, each once.

    Raises
    ------
    OptionError
        For none, and for one that is not known.
    """
    names = require_names("formats", formats, "format")
    if not names:
        raise OptionError(f"formats={shown(formats)} is empty; use any of {', '.join(FORMATS)}.")
    return tuple(dict.fromkeys(choose("formats", name, FORMATS) for name in names))


def documents(
    analysis: AnalysisResults,
    formats: Sequence[str],
    title: str | None,
    tables: Mapping[str, pd.DataFrame],
) -> dict[str, bytes]:
    """Return the documents that are asked for, by the name of their file, less the page.

    Raises
    ------
    OptionError
        When python-docx or openpyxl is needed and not installed.
    """
    page = _printable(page_of(analysis))
    page = page if title is None else replace(page, title=title)
    makers: dict[str, Callable[[], bytes]] = {
        "docx": lambda: _steady(word_document(page)),
        "xlsx": lambda: _steady(_workbook(tables)),
        "tex": lambda: _latex(page).encode(),
    }
    return {f"report.{name}": makers[name]() for name in formats if name in makers}


def _printable(page: Page) -> Page:
    """Return a page without columns of bars, which a terminal draws and few fonts of documents."""
    parts = []
    for section in page.sections:
        grid = section.grid
        if grid is not None:
            columns = list(zip(*grid.rows, strict=True)) or [()] * len(grid.head)
            kept = [k for k, cells in enumerate(columns) if not _BARS.search("".join(cells))]
            head = tuple(grid.head[k] for k in kept)
            rows = tuple(tuple(row[k] for k in kept) for row in grid.rows)
            words = frozenset(place for place, k in enumerate(kept) if k in grid.words)
            grid = Grid(grid.caption, head, rows, words, grid.labels)
        parts.append(replace(section, table=grid))
    return replace(page, sections=tuple(parts))


def _workbook(tables: Mapping[str, pd.DataFrame]) -> bytes:
    """Return a workbook with a sheet for each table."""
    try:
        from openpyxl import Workbook
    except ImportError:
        raise OptionError(needs("Writing a workbook", "openpyxl")) from None
    from csimodel.tables.workbook import fill_plain

    book, stream = Workbook(), io.BytesIO()
    book.remove(book.active)
    for name, table in tables.items():
        fill_plain(book.create_sheet(name[:_SHEET]), table)
    book.save(stream)
    return stream.getvalue()


def _steady(content: bytes) -> bytes:
    """Return an Office document without the moment in which it was made."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = _MODIFIED.sub(rb"\g<1>2000-01-01T00:00:00Z", data)
            new.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _latex(page: Page) -> str:
    r"""Return a page as a document for LaTeX; lualatex or xelatex draw every script.

    >>> print(_latex(Page("Plan", "Ask 5 % more.", clean="")))
    \documentclass{article}
    \usepackage{booktabs,iftex,longtable}
    \iftutex\usepackage{fontspec}\else\usepackage[utf8]{inputenc}\fi
    \begin{document}
    \section*{Plan}
    <BLANKLINE>
    \textbf{Ask 5 \% more.}
    <BLANKLINE>
    \end{document}
    <BLANKLINE>
    """
    parts = [rf"\section*{{{latex_text(page.title)}}}"]
    if page.headline:
        parts.append(rf"\textbf{{{latex_text(page.headline)}}}")
    parts += map(latex_text, page.facts)
    marked = [
        marked_sentence(r"\item \textbf{", latex_text(mark), "}", latex_text(own))
        for mark, own in page.marked
    ]
    if marked:
        parts.append("\n".join([r"\begin{itemize}", *marked, r"\end{itemize}"]))
    for section in page.sections:
        parts.append(rf"\subsection*{{{latex_text(section.title)}}}")
        if section.grid is not None:
            parts.append(_longtable(section.grid))
        parts += map(latex_text, section.notes)
    head = [
        r"\documentclass{article}",
        r"\usepackage{booktabs,iftex,longtable}",
        r"\iftutex\usepackage{fontspec}\else\usepackage[utf8]{inputenc}\fi",
        r"\begin{document}",
    ]
    return "\n".join([*head, "\n\n".join(parts), "", r"\end{document}", ""])


def _longtable(grid: Grid) -> str:
    sides = "".join("l" if k in grid.words else "r" for k in range(len(grid.head)))
    lines = [" & ".join(map(latex_text, row)) + r" \\" for row in (grid.head, *grid.rows)]
    return "\n".join(
        [
            rf"\begin{{longtable}}{{{sides}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            r"\endhead",
            *lines[1:],
            r"\bottomrule",
            r"\end{longtable}",
        ]
    )
