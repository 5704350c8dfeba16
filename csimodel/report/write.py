"""`write_report`: an analysis as a folder of files, with a page to open in a browser."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from csimodel.errors import OptionError
from csimodel.report.results import results
from csimodel.report.tables import NAMES, tables

if TYPE_CHECKING:
    from csimodel.report.analysis import Analysis

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell starts that a spreadsheet would run


def write_report(
    analysis: Analysis,
    folder: str | PathLike[str],
    *,
    title: str | None = None,
    date: str | None = None,
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
        a spreadsheet would run as a formula gets an apostrophe in front. A table or figure
        of an earlier report that this one does not have is removed.
    title
        Title of the page; by default the target and the data's name.
    date
        Date to print, in any form; none by default.
    progress
        Show a bar when drawing takes longer than a second.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OptionError
        When the folder cannot be written.

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
    from tqdm import tqdm

    from csimodel.report import figures
    from csimodel.report.page import render

    target = Path(folder)
    drawings = figures.drawings(analysis)
    with tqdm(drawings, "figures", delay=1, disable=not progress, leave=False) as bar:
        drawn = [draw(analysis) for draw in bar]
    found = tables(analysis)
    texts = {f"figures/{one.name}.svg": _standalone(one.svg) for one in drawn}
    texts |= {f"tables/{name}.csv": "\ufeff" + _csv(table) for name, table in found.items()}
    facts = results(analysis)
    texts["results.json"] = json.dumps(facts, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    texts["report.html"] = render(analysis, drawn, sorted(texts), title=title, date=date)
    old = [f"tables/{name}.csv" for name in NAMES] + [
        f"figures/{name}.svg" for name in figures.NAMES
    ]
    try:
        for name in ("tables", "figures"):
            (target / name).mkdir(parents=True, exist_ok=True)
        for name in old:
            if name not in texts:
                (target / name).unlink(missing_ok=True)
        for name, text in texts.items():
            (target / name).write_bytes(text.encode())
    except OSError as error:
        raise OptionError(
            f"The report cannot be written to {str(target)!r} ({error.strerror or error}); "
            "choose another folder."
        ) from error
    return target / "report.html"


def _standalone(svg: str) -> str:
    return '<?xml version="1.0" encoding="utf-8"?>\n' + svg + "\n"


def _csv(table: pd.DataFrame) -> str:
    safe = table.set_axis([_inert(str(name)) for name in table.columns], axis=1)
    for position, dtype in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            cells = [_inert(x) if isinstance(x, str) else x for x in table.iloc[:, position]]
            safe.isetitem(position, cells)
    return str(safe.to_csv(index=False, float_format="%.10g", lineterminator="\n"))


def _inert(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA) else text
