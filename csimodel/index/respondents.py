"""The index of every respondent: in memory, or written to a file a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Generator, Sequence, Sized
from contextlib import closing
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError
from csimodel.estimators import Fit, require_fit
from csimodel.estimators.groups import named_columns
from csimodel.estimators.item_fit import item_fit
from csimodel.estimators.item_solution import answers_in_order, item_solution
from csimodel.estimators.points import index_of_answers
from csimodel.floats import own_errstate
from csimodel.options import require_flag, require_names
from csimodel.progress import progress_bar
from csimodel.survey import Answers
from csimodel.survey.complete_file import complete_file, parquet_path
from csimodel.survey.readers import needs
from csimodel.survey.scanning.batches import ROWS

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_ROW = "row"
_SCORE = "_score"


@overload
def respondent_index(fit: Fit) -> pd.DataFrame: ...


@overload
def respondent_index(
    fit: Fit,
    to: str | PathLike[str],
    *,
    keep: str | Sequence[str] = ...,
    scores: bool = ...,
    progress: bool = ...,
) -> Path: ...


@own_errstate
@checked
def respondent_index(
    fit: Fit,
    to: str | PathLike[str] | None = None,
    *,
    keep: str | Sequence[str] = (),
    scores: bool = False,
    progress: bool = True,
) -> pd.DataFrame | Path:
    """Return every respondent's index of every construct, 0 to 100, or write them to a file.

    Outside 0 to 100 only when a weight is negative, which `Fit.diagnostics` says. NaN where an
    item is missing under ``missing="pairwise"``, so that there the mean over respondents is not
    the index, which is built from item means.

    Parameters
    ----------
    fit
        From `fit`; on a scan (`csi.scan`) with `to`.
    to
        A Parquet file to write, a batch of rows at a time: columns ``row`` (the number of the row
        in the table or scan, from 0; rows that were not used are not there), those of `keep`, and
        the constructs. It is written aside and takes its name when it is whole: an error, a full
        disk or Ctrl-C leaves what was there before. Needs pyarrow.
    keep
        Columns of the survey to carry to the file.
    scores
        Write standardised scores, too, as in `Fit.scores`: columns such as
        ``Satisfaction_score``.
    progress
        Show a bar when writing takes longer than a second.

    Returns
    -------
    DataFrame or Path
        Respondents × constructs; with `to` the path that was written.

    Raises
    ------
    SurveyError
        When scale bounds are unknown, the fit was made from moments, or a column does not exist.
    OptionError
        When the file cannot be written, or two of its columns would have the same name.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> round(float(csi.respondent_index(fit)["Satisfaction"].mean()), 4)
    72.4541

    >>> import pandas as pd, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = csi.respondent_index(fit, to=f"{folder}/scores.parquet", keep="CUSL1")
    ...     round(float(pd.read_parquet(path)["Satisfaction"].mean()), 4)
    72.4541
    """
    fit, scores = require_fit(fit, "respondent_index"), require_flag("scores", scores)
    kept = () if isinstance(keep, Sized) and not len(keep) else require_names("keep", keep)
    if to is None:
        if kept or scores:
            option = "keep" if kept else "scores"
            raise OptionError(
                f"{option}= says what is written to a file; name the file with "
                "to='scores.parquet', or leave it out."
            )
        fit = item_fit(fit)
        answers = fit.require_answers("respondent_index without to='scores.parquet'")
        names = list(fit.model.construct_names)
        return pd.DataFrame(index_of_answers(fit.solution, answers), fit.respondents, names)
    return _write(fit, parquet_path("to", to), kept, scores, progress)


def _write(fit: Fit, path: Path, keep: tuple[str, ...], scores: bool, progress: bool) -> Path:
    """Write the indexes of a fit."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise SurveyError(needs("Writing Parquet", "pyarrow")) from error
    blocks = _AnswerBlocks.of(fit, keep, path)
    solution = item_solution(fit.solution)
    names = list(solution.model.construct_names)
    own = list(fit.model.construct_names) if scores else []
    columns = [_ROW, *blocks.keep, *names, *(f"{name}{_SCORE}" for name in own)]
    twice = [name for place, name in enumerate(columns) if name in columns[:place]]
    if twice:
        raise OptionError(
            f"Two columns of {path.name!r} would be called {twice[0]!r}; leave the column of the "
            "data out of keep=, or rename it."
        )
    with complete_file(path, "to") as stream, closing(blocks.parts(progress)) as parts:
        writer = None
        try:
            for rows, answers, kept in parts:
                own_answers = answers_in_order(answers, solution.model.items)
                values = index_of_answers(solution, own_answers)
                if scores:
                    values = np.hstack([values, fit.solution.scores(answers)])
                arrays = [pa.array(rows), *kept, *(pa.array(value) for value in values.T)]
                table = pa.table(arrays, names=columns)
                if writer is None:
                    writer = parquet.ParquetWriter(stream, table.schema)
                writer.write_table(_as_first(table, writer.schema, fit, path))
        finally:
            if writer is not None:
                writer.close()
    return path


def _as_first(table: pa.Table, schema: pa.Schema, fit: Fit, path: Path) -> pa.Table:
    """Return rows with the types of the columns of the first ones.

    Raises
    ------
    SurveyError
        When a column cannot have the type that it has there.
    """
    import pyarrow as pa

    if table.schema == schema:
        return table
    columns = []
    for own in schema:
        column = table.column(own.name)
        try:
            columns.append(column.cast(own.type))
        except pa.ArrowException as error:
            raise SurveyError(
                f"Column {own.name!r}, to be carried to {path.name!r}, holds {own.type} in the "
                f"first rows and {column.type} in later ones; leave it out of keep=, or give "
                "files of the same types."
            ) from error
    return pa.table(columns, schema=schema)


@dataclass(frozen=True, eq=False)
class _AnswerBlocks:
    """Answers behind a fit, some rows at a time.

    Attributes
    ----------
    fit
        The fit, on a survey or a scan.
    keep
        Further columns.
    """

    fit: Fit
    keep: tuple[str, ...]

    @classmethod
    def of(cls, fit: Fit, keep: tuple[str, ...], path: Path) -> _AnswerBlocks:
        """Look for the columns, and for a scan of the file that is to be written."""
        scanned = fit.scanned
        survey = fit.survey if scanned is None else scanned.scan.template
        if scanned is None:
            fit.require_answers("respondent_index")
        elif path.resolve() in {own.resolve() for own in scanned.scan.source.paths}:
            raise OptionError(
                f"to={str(path)!r} is a file of the scan itself; give the indexes another name."
            )
        if not keep:
            return cls(fit, ())
        if survey is None:
            raise SurveyError(
                f"keep={list(keep)!r} names columns, and the fit has no survey; leave it out."
            )
        return cls(fit, tuple(named_columns(survey, keep, "keep", "The column")))

    def parts(self, progress: bool) -> Generator[tuple[Codes, Answers, list[pa.Array]], None, None]:
        """Yield numbers of rows, answers and further columns."""
        import pyarrow as pa

        scanned = self.fit.scanned
        if scanned is not None:
            for own in scanned.passes(self.keep, progress):
                answers = replace(scanned.nobody, values=own.values)
                batch, places = own.used.batch, own.used.places[own.places]
                kept = [
                    _plain(batch.columns[scanned.rows.names[name]]).take(pa.array(places))
                    for name in self.keep
                ]
                yield batch.start + places, answers, kept
            return
        answers, survey = self.fit.require_answers("respondent_index"), self.fit.survey
        frame = pd.DataFrame() if survey is None else survey.data
        rows = answers.rows
        with progress_bar(len(rows), "Rows", progress, "row") as bar:
            for start in range(0, len(rows), ROWS):
                own_rows = rows[start : start + ROWS]
                values = answers.values[start : start + ROWS]
                kept = [_plain(_array(frame[name].iloc[own_rows])) for name in self.keep]
                yield own_rows, replace(answers, values=values), kept
                bar.update(len(own_rows))


def _array(column: pd.Series) -> pa.Array:
    """Return a column as Arrow holds it."""
    import pyarrow as pa

    try:
        return pa.Array.from_pandas(column)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise SurveyError(
            f"Column {column.name!r} holds values of several types, which a Parquet file does not "
            "hold; leave it out of keep=, or make it text."
        ) from error


def _plain(array: pa.Array) -> pa.Array:
    """Return an array without a dictionary, which batches would not share."""
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array.dictionary_decode() if isinstance(array, pa.DictionaryArray) else array
