"""Pages written as documents to hand on: Markdown, HTML and Word."""

from __future__ import annotations

from io import BytesIO
from os import PathLike
from pathlib import Path

from csimodel.characters import printable
from csimodel.errors import OptionError
from csimodel.grid import columns_of, escaped
from csimodel.options import shown
from csimodel.page import Page, marked_sentence
from csimodel.survey.complete_file import file_path, write_file
from csimodel.survey.readers import needs
from csimodel.translation import Language

_WIDTH = 6.0  # of a table, inches
_LONGEST = 40  # characters that a column is made wide for


def write_document(page: Page, path: str | PathLike[str]) -> Path:
    r"""Write a page as ``.md``, ``.html`` or ``.docx``, by the ending of the path.

    Raises
    ------
    OptionError
        For another ending, a file that cannot be written, or ``.docx`` without python-docx.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_document(Page("Plan", "Ask 387.", clean=""), f"{folder}/plan.md")
    ...     file.read_text(encoding="utf-8")
    '# Plan\n\n**Ask 387.**\n'
    """
    file = file_path("path", path, "plan.docx")
    ending = file.suffix.lower()
    if ending == ".md":
        content = page.markdown().encode()
    elif ending == ".html":
        content = _html(page).encode()
    elif ending == ".docx":
        content = word_document(page)
    else:
        raise OptionError(f"path={shown(str(path))} must end in .md, .html or .docx (Word).")
    return write_file(file, "path", content)


def html_document(title: str, language: Language, style: str, body: str) -> str:
    """Return an HTML document; its style and body go in as they are."""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{escaped(title)}</title><style>{style}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _html(page: Page) -> str:
    style = "body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    return html_document(page.title, page.language, style, page.html())


def word_document(page: Page) -> bytes:
    """Return a page as a Word document: headings, paragraphs, tables.

    Raises
    ------
    OptionError
        When python-docx is not installed.
    """
    try:
        from docx import Document
        from docx.shared import Inches
    except ImportError:
        raise OptionError(needs("Writing a Word document", "python-docx")) from None
    document = Document()
    document.core_properties.title = printable(page.title)
    document.add_heading(printable(page.title), 0)
    if page.headline:
        document.add_paragraph().add_run(printable(page.headline)).bold = True
    for sentence in page.facts:
        document.add_paragraph(printable(sentence))
    for mark, sentence in page.marked:
        document.add_paragraph(
            printable(marked_sentence("", mark, "", sentence)), style="List Bullet"
        )
    for section in page.sections:
        document.add_heading(printable(section.title), 2)
        if section.grid is not None:
            grid = section.grid
            table = document.add_table(rows=0, cols=len(grid.head), style="Table Grid")
            lengths = [min(max(map(columns_of, own)), _LONGEST)
                       for own in zip(grid.head, *grid.rows, strict=True)]  # fmt: skip
            for row in (grid.head, *grid.rows):
                for cell, text, length in zip(table.add_row().cells, row, lengths, strict=True):
                    cell.text = printable(text)
                    cell.width = Inches(_WIDTH * length / sum(lengths))
            for cell in table.rows[0].cells:
                for run in cell.paragraphs[0].runs:
                    run.bold = True
        for sentence in section.notes:
            document.add_paragraph(printable(sentence))
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()
