"""`write_report`: an analysis as a folder of files, with a page to open in a browser."""

from __future__ import annotations

import json
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from csimodel.arguments import checked
from csimodel.characters import encodable
from csimodel.floats import own_errstate
from csimodel.progress import progress_bar
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.documents import FORMATS, documents, require_formats
from csimodel.report.folder import folder_of, require_folder, write_together
from csimodel.report.results import results
from csimodel.report.spreadsheet import spreadsheet
from csimodel.report.tables import NAMES, tables
from csimodel.translation import Language, spoken

_PAGE = "report.html"
_ALWAYS = ("results.json", "tables/index.csv", "figures/index.svg")


@own_errstate
@checked
def write_report(
    analysis: AnalysisResults,
    folder: str | PathLike[str],
    *,
    title: str | None = None,
    date: str | None = None,
    language: Language | None = None,
    formats: str | Sequence[str] = "html",
    progress: bool = True,
) -> Path:
    """Write an analysis as a page, tables, figures and machine-readable results.

    The same analysis gives the same bytes, so reports can be compared and kept under version
    control.

    Parameters
    ----------
    analysis
        From `analyze`.
    folder
        Made when it does not exist. It gets ``report.html`` (one file, nothing to load from
        elsewhere), ``tables/*.csv``, ``figures/*.svg`` and ``results.json`` (strict JSON, null
        where there is no number). CSV files are UTF-8 with a byte order mark, which makes
        Excel show Chinese; pandas reads them with ``encoding="utf-8-sig"``. A text cell that
        a spreadsheet would run as a formula gets an apostrophe in front.

        ``csimodel-manifest.json`` says which files are the report's, by their hashes. A later
        report takes the place of an earlier one, whole or, when it is interrupted, not at all;
        files that are not of an earlier report, or were changed since, are never touched.
    title
        Title of the page; by default the target and the data's name.
    date
        Date to print, in any form; none by default.
    language
        ``"en"`` or ``"zh"``, of page and figures; by default that of the moment
        (`csimodel.language`). Files for machines, CSV and JSON, are English in every language.
    formats
        ``"html"`` (the page), ``"docx"`` (Word: the sentences, what was noticed and the first
        tables), ``"tex"`` (the same for LaTeX), ``"xlsx"`` (every table on a sheet of its own, the
        numbers unrounded), or several in a list. Tables, figures and ``results.json`` are written
        with each. ``"docx"`` needs the extra ``word``, ``"xlsx"`` the extra ``excel``.
    progress
        Show a bar when drawing takes longer than a second.

    Returns
    -------
    Path
        The page, or the first document of `formats` where the page is not among them.

    Raises
    ------
    OptionError
        When the folder cannot be written, or holds a file of somebody else, or one that was
        changed, where the report's would go; for an unknown format, or one whose package is not
        installed.

    Warns
    -----
    CsimodelWarning
        When no installed font has the characters of a name.

    Examples
    --------
    >>> import tempfile
    >>> import csimodel as csi
    >>> analysis = csi.analyze(csi.load_mobi(), draws=200, progress=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = csi.write_report(analysis, folder)
    ...     page.name, page.read_text(encoding="utf-8")[:15]
    ('report.html', '<!doctype html>')
    """
    from csimodel.report import figures
    from csimodel.report.page import render

    wanted = require_formats(formats)
    target = folder_of(folder)
    require_report_folder(target, wanted)
    with spoken("en"):
        by_name = tables(analysis)
        texts = {f"tables/{name}.csv": spreadsheet(table) for name, table in by_name.items()}
        facts = results(analysis, by_name)
    texts["results.json"] = json.dumps(facts, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    drawings = figures.drawings(analysis)
    drawn = []
    with (
        spoken(language),
        progress_bar(len(drawings), "figures", progress, "figure") as bar,
    ):
        for draw in drawings:
            drawn.append(draw(analysis))
            bar.update()
        texts |= {f"figures/{figure.name}.svg": _standalone(figure.svg) for figure in drawn}
        others = documents(analysis, wanted, title, by_name)
        if "html" in wanted:
            listed = sorted([*texts, *others])
            texts[_PAGE] = render(analysis, drawn, listed, title=title, date=date)
    files = {name: encodable(text).encode() for name, text in texts.items()}
    write_together(target, files | others, _known())
    return target / (_PAGE if "html" in wanted else next(iter(others)))


def require_report_folder(folder: str | PathLike[str], formats: Sequence[str]) -> None:
    """Refuse a folder that cannot take a report in these formats, before the work of an analysis.

    Raises
    ------
    OptionError
        When it cannot be written, or holds files of somebody else under the report's names.
    """
    names = [*_ALWAYS, *(f"report.{name}" for name in formats)]
    require_folder(folder_of(folder), names, _known())


def _known() -> set[str]:
    """Return the names of all files a report can have."""
    from csimodel.report import figures

    return {
        *_ALWAYS,
        *(f"report.{name}" for name in FORMATS),
        *(f"tables/{name}.csv" for name in NAMES),
        *(f"figures/{name}.svg" for name in figures.NAMES),
    }


def _standalone(svg: str) -> str:
    return '<?xml version="1.0" encoding="utf-8"?>\n' + svg + "\n"
