"""`table`: fits side by side, or a table of results, as a journal prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from csimodel.arguments import checked
from csimodel.errors import OptionError
from csimodel.estimators import Fit
from csimodel.estimators.compare import Comparison, compared, has_solution
from csimodel.estimators.requirements import ResampledFit
from csimodel.findings import gravest_first, listed, text
from csimodel.floats import own_errstate
from csimodel.formatting import label, percent
from csimodel.grid import column_title
from csimodel.options import require_count, require_level, require_names, shown
from csimodel.tables.blocks import FIT, ResultColumns, fit_blocks, frame_block, labels_of
from csimodel.tables.cells import HEADS, Cell, cells_of, columns_of
from csimodel.tables.journal import JournalTable
from csimodel.translation import message, shown_message

_SHOWN = {  # columns, and what they hold
    "estimate": message("estimates"),
    "se": message("standard errors"),
    "interval": message("confidence intervals"),
    "p": message("p-values"),
}
_STARS = message("* p < .05, ** p < .01, *** p < .001.")
_SOURCES = {
    "bootstrap": message("the bootstrap"),
    "linearized": message("influence values"),
    "jackknife": message("the jackknife"),
    "information": message("the estimator's own covariance matrix"),
}


@own_errstate
@checked
def table(
    *results: Fit | pd.DataFrame | object,
    names: Sequence[str] | None = None,
    bootstraps: Sequence[ResampledFit | None] | Mapping[str, ResampledFit] | None = None,
    quantities: str | Sequence[str] = ("paths", "r2"),
    show: str | Sequence[str] | None = None,
    interval: str = "auto",
    level: float = 0.95,
    stars: bool = False,
    measures: bool = True,
    decimals: int = 2,
    caption: str = "",
    notes: str | Sequence[str] = (),
) -> JournalTable:
    r"""Make a table in the style of journals (APA 7): fits side by side, or a table of results.

    Numbers that cannot exceed 1 have no zero before the point (where none of a block does),
    p-values have three decimals, minus signs are minus signs. A fit without a solution has no
    numbers, and the notes say why; the gravest finding of a fit that is not to be trusted is a
    note, too.

    Parameters
    ----------
    results
        Fits of one model or of several, by any estimators; the result of `compare`; or tidy
        tables, such as ``boot.table("paths")``.
    names
        Above the columns; by default the estimators' names.
    bootstraps
        Where errors come from, as in `compare`: one for each fit from `bootstrap`, `jackknife` or
        `linearize`, None for none, or by name. Fits by covariance SEM without one have errors of
        paths and loadings by their own covariance matrix.
    quantities
        What the rows are, by the names that ``boot.table`` takes.
    show
        Columns of each fit among ``"estimate"``, ``"se"``, ``"interval"`` and ``"p"``; by default
        the estimate, and its interval where there are errors. Of tidy tables all columns. What
        some results have not is said in the notes, what none has is refused.
    interval, level
        Kind of bootstrap interval, and its coverage.
    stars
        Whether estimates carry stars for p-values below .05, .01 and .001.
    measures
        Whether sample sizes and fit measures stand below.
    decimals
        Of estimates; p-values have three.
    caption, notes
        Above the table, and sentences below it.

    Returns
    -------
    JournalTable
        With `to_html`, `to_markdown`, `to_latex`, `to_word` and `to_excel`.

    Raises
    ------
    OptionError
        For nothing, fits mixed with tables, what is not known, or columns that no result has.

    References
    ----------
    American Psychological Association (2020). Publication Manual, 7th edition.
    https://doi.org/10.1037/0000165-000

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5\nV =~ PERV1 + PERV2\nV ~ Q")
    >>> fits = [csi.fit(model, csi.load_mobi(), by) for by in (csi.PLS(), csi.ML())]
    >>> print(csi.table(*fits, names=["PLS", "ML"], measures=False).cells["PLS"]["Est."].tolist())
    ['.57', '.32']
    """
    if not results:
        raise OptionError("table takes a fit or a table of results, and got nothing.")
    places = require_count("decimals", decimals, least=0, most=10)
    require_level(level)
    rows = require_names("quantities", quantities, "quantity")
    columns = None if show is None else _columns(show)
    blocks, told = _blocks(results, names, bootstraps, rows, interval, level, measures)
    framed = all(list(block.sections) == [""] for block in blocks)
    wanted = columns or (_every(blocks) if framed else ("estimate", "interval"))
    kept = columns_of(blocks, wanted)
    told += _about_gaps(blocks, kept, columns or ())
    cells = cells_of(blocks, kept, places, stars)
    heads = tuple(
        (shown_message(block.name), _head(name, level))
        for block, own in zip(blocks, kept, strict=True)
        for name in own
    )
    given = (notes,) if isinstance(notes, str) else tuple(notes)
    sentences = (*given, *told, *_about(blocks, kept, level, stars))
    filled: dict[tuple[str, str], tuple[Cell, ...]] = {
        (shown_message(section), shown_message(name) if section == FIT else name): tuple(row)
        for (section, name), row in cells.items()
    }
    return JournalTable(heads, filled, caption, tuple(filter(None, sentences)))


def _blocks(
    results: Sequence[object],
    names: Sequence[str] | None,
    bootstraps: Sequence[ResampledFit | None] | Mapping[str, ResampledFit] | None,
    quantities: Sequence[str],
    interval: str,
    level: float,
    measures: bool,
) -> tuple[list[ResultColumns], list[str]]:
    """Return what stands side by side, and what is to be said of it."""
    if len(results) == 1 and isinstance(results[0], Comparison):
        comparison = results[0]
    elif all(isinstance(result, Fit) for result in results):
        fits = [result for result in results if isinstance(result, Fit)]
        comparison = compared(fits, names, bootstraps)
    elif all(isinstance(result, pd.DataFrame) for result in results):
        frames = [result for result in results if isinstance(result, pd.DataFrame)]
        titles = [""] if len(frames) == 1 else [f"({k})" for k in range(1, len(frames) + 1)]
        titles = titles if names is None else list(require_names("names", names, "name"))
        if len(titles) != len(frames):
            raise OptionError(
                f"names={shown(list(titles))} must name the {len(frames)} tables, one each."
            )
        for frame in frames:
            _require_names_apart(frame)
        return [frame_block(*pair) for pair in zip(titles, frames, strict=True)], []
    else:
        strange = [own for own in results if not isinstance(own, Fit | pd.DataFrame)]
        other = strange[0] if strange else "fits and tables together"
        raise OptionError(
            f"table takes fits, or tables of results as data frames, and got {shown(other)}; give "
            "its table, such as boot.table('paths')."
        )
    blocks = fit_blocks(comparison, quantities, measures, interval, level)
    return blocks, list(_doubts(comparison))


def _require_names_apart(frame: pd.DataFrame) -> None:
    """Refuse a table with names that are printed alike, as 1 and "1"."""
    names = {"columns": pd.Index([label(column) for column in frame.columns])}
    names["rows"] = labels_of(frame.index)
    for axis, printed in names.items():
        if not printed.is_unique:
            same = printed[printed.duplicated()][0]
            raise OptionError(
                f"A table of results has {axis} with the same name {same!r} in print; name each "
                "differently."
            )


def _doubts(comparison: Comparison) -> list[str]:
    """Return the gravest finding of each fit that is not to be trusted."""
    told = []
    for name, fit in zip(comparison.names, comparison.fits, strict=True):
        grave = [own for own in gravest_first(fit.diagnostics) if own.severity == "failure"]
        if grave:
            told.append(text("{part}: {sentence}", part=name, sentence=str(grave[0])))
        elif not has_solution(fit):
            told.append(text("{name}: there is no solution.", name=name))
    return told


def _columns(show: str | Sequence[str]) -> tuple[str, ...]:
    names = require_names("show", show, "column")
    for name in names:
        if name not in _SHOWN:
            raise OptionError(
                f"show has {name!r}, which is no column; use {listed(map(repr, _SHOWN))}."
            )
    return names


def _about_gaps(
    blocks: Sequence[ResultColumns], kept: Sequence[Sequence[str]], columns: Sequence[str]
) -> list[str]:
    """Say which results have not a column that was asked for; refuse what no solution has."""
    told = []
    for name in columns:
        lacking = [
            block
            for block, own in zip(blocks, kept, strict=True)
            if name not in own and block.solved
        ]
        if lacking and not any(name in own for own in kept):
            raise OptionError(
                f"show has {name!r}, which none of the results has; leave it out, or, for fits, "
                "give where errors come from, as bootstraps=[csi.bootstrap(fit)]."
            )
        if lacking:
            told.append(
                text(
                    "There are no {numbers} of {fits}.",
                    numbers=_SHOWN[name],
                    fits=[own.name for own in lacking],
                )
            )
    return told


def _every(blocks: Sequence[ResultColumns]) -> tuple[str, ...]:
    """Return all columns of tidy tables; limits are one, and what says nothing is left out."""
    names: list[str] = []
    for block in blocks:
        for own in block.sections.values():
            for name in own.columns:
                values = own[name]
                if name in ("reason", "df") and not _tells(values):
                    continue
                both = {"lower", "upper"} <= set(own.columns)
                names.append("interval" if both and name in ("lower", "upper") else label(name))
    return tuple(dict.fromkeys(names))


def _tells(values: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(values):
        return bool((values.abs() < float("inf")).any())
    return bool((values != "").any())


def _head(name: str, level: float) -> str:
    if name == "interval":
        return text("{level} CI", level=percent(level)).replace("\u00a0", "")
    return shown_message(HEADS[name]) if name in HEADS else column_title(name).replace("_", " ")


def _about(
    blocks: Sequence[ResultColumns], columns: Sequence[Sequence[str]], level: float, stars: bool
) -> list[str]:
    """Return sentences on abbreviations, errors and stars."""
    every = {name for own in columns for name in own}
    told = []
    if "interval" in every:
        told.append(text("CI = confidence interval."))
    if "se" in every:
        told.append(text("SE = standard error."))
    errors = [(block.name, _SOURCES.get(block.errors, "")) for block in blocks]
    kinds = {source for _, source in errors if source}
    if kinds and every - {"estimate"}:
        if len(kinds) == 1 and all(source for _, source in errors):
            told.append(text("Errors are by {source}.", source=kinds.pop()))
        else:
            told += [
                text("Errors of {name} are by {source}.", name=name, source=source)
                for name, source in errors
                if source
            ]
    if stars and any("p" in table for block in blocks for table in block.sections.values()):
        told.append(shown_message(_STARS))
    return told
