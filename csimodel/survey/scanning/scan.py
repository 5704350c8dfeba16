"""`scan`: files that stay where they are, what is known about their items → a `Scan`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import Literal

import numpy as np
import pandas as pd

from csimodel.arguments import checked, checked_in
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import Finding
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.limits import CELLS
from csimodel.options import generator_of, require_count, shown
from csimodel.page import HasPage, Page
from csimodel.survey.answers import require_blocks
from csimodel.survey.checks import holds_numbers
from csimodel.survey.codebook import Codebook, read_codebook
from csimodel.survey.form_columns import form_columns, form_names
from csimodel.survey.headers import ColumnName, cleaned_names
from csimodel.survey.item import Item
from csimodel.survey.missing import Missing
from csimodel.survey.options import Codes, Scale, require_order
from csimodel.survey.read import read_survey
from csimodel.survey.readers import needs
from csimodel.survey.sampling import Lonely
from csimodel.survey.scanning.aggregates import Aggregates
from csimodel.survey.scanning.arrow import ArrowRows
from csimodel.survey.scanning.batches import RowSource, series_of
from csimodel.survey.scanning.buckets import require_buckets
from csimodel.survey.scanning.database import DatabaseRows, database_rows
from csimodel.survey.scanning.files import files_of
from csimodel.survey.scanning.rows import RowPass
from csimodel.survey.scanning.spark import spark_rows
from csimodel.survey.survey import Survey

Engine = Literal["arrow", "sql"]

_HEAD = 1000  # first rows, whose columns say which hold numbers


@dataclass(frozen=True)
class ReadingOptions:
    """Options of `read_survey` that a scan has too."""

    codebook: str | PathLike[str] | Codebook | None
    scale: Scale | Mapping[str, Scale] | None
    items: Sequence[str | Item] | None
    missing: Missing | None
    missing_codes: Codes | Mapping[str, Codes]
    reverse: str | Iterable[str]
    weights: ColumnName | None
    strata: ColumnName | None
    cluster: ColumnName | None
    lonely: Lonely | None

    def read(self, frame: pd.DataFrame) -> Survey:
        """Read a frame with these options."""
        return read_survey(
            frame,
            codebook=self.codebook,
            scale=self.scale,
            items=self.items,
            missing=self.missing,
            missing_codes=self.missing_codes,
            reverse=self.reverse,
            weights=self.weights,
            strata=self.strata,
            cluster=self.cluster,
            lonely=self.lonely,
        )


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Scan(HasPage):
    """Answers that stay in their files, and what is known about the items. Made by `scan`.

    Attributes
    ----------
    source
        The rows, read a batch at a time.
    template
        Items, design columns and the policy for missing answers, as a survey of no answers.
    names
        Name of each column in the source, by its name here.
    options
        What `scan` was told, for `sample`.
    guessed
        Whether missing codes were given for all columns, so that nothing says which they are of.
    strict
        Columns that have to keep their scale in every row, with a weight or without.
    buckets
        How many random groups of clusters, or of respondents, are the units of errors.
    engine
        Who adds up: ``"arrow"`` batches here, or ``"sql"``, the database.

    Examples
    --------
    >>> import tempfile, csimodel as csi
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "mobi.csv"
    ...     csi.load_mobi().data.to_csv(path, index=False)
    ...     own = csi.scan(path, scale=(1, 10))
    ...     csi.fit(csi.models.ecsi(), own)
    <Fit of ECSI by PLS, path scheme: 250 rows, converged>
    """

    source: RowSource
    template: Survey
    names: Mapping[str, str]
    options: ReadingOptions
    guessed: bool
    strict: frozenset[str]
    buckets: int | None = None
    engine: Engine = "arrow"

    def rows(self, blocks: Mapping[str, Sequence[str]]) -> RowPass:
        """Return what passes over the answers to the items of some constructs read."""
        require_blocks(blocks)
        own = (self.source, self.template, self.names, blocks, self.guessed, self.strict)
        bucket = self.source.bucket if isinstance(self.source, DatabaseRows) else None
        return RowPass(*own, self.buckets, bucket)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What reading changes in the items that are declared: one pass over their columns."""
        items = {name: item for name, item in self.template.items.items() if item.missing_codes}
        if not items:
            return self.template.findings
        rows = self.rows({"": list(items)})
        tally = self.aggregates(rows, ()).tally() if self.engine == "sql" else None
        if tally is not None:
            return (*tally.reading(), *self.template.findings)
        tally = rows.tally()
        for _ in rows.parts(tally):
            pass
        return (*tally.reading(), *self.template.findings)

    def aggregates(self, rows: RowPass, keys: Sequence[str]) -> Aggregates:
        """Return queries of the answers, by labels of some columns, of a scan by SQL.

        Parameters
        ----------
        rows
            How answers are taken.
        keys
            Columns of the survey.
        """
        assert isinstance(self.source, DatabaseRows)
        named = {name: self.names[name] for name in keys}
        named |= {} if rows.bucket is None else {rows.bucket: rows.bucket}
        return Aggregates(rows, self.source.database(), named)

    def sample(self, n: int, *, rng: int | np.random.Generator | None = None) -> Survey:
        """Draw rows at random, each at most once, into memory.

        Parameters
        ----------
        n
            How many.
        rng
            A seed or a generator.

        Returns
        -------
        Survey
            With the options of the scan, rows in their order. Weights stay as they are; of a
            cluster only the rows drawn are there.

        Raises
        ------
        OptionError
            When there are fewer rows, or more cells than are read.
        """
        total = self._count()
        wanted = require_count("n", n)
        if wanted > total:
            raise OptionError(
                f"n={wanted:,} is more than the {total:,} rows of the scan; take at most as many."
            )
        if wanted * len(self.names) > CELLS:
            raise OptionError(
                f"n={wanted:,} rows of {len(self.names):,} columns are more than {CELLS:,} cells; "
                "take fewer rows."
            )
        drawn = np.sort(generator_of(rng).choice(total, wanted, False, shuffle=False))
        frames = []
        for batch in self.source.batches(list(self.names.values())):
            first, last = np.searchsorted(drawn, [batch.start, batch.start + batch.rows])
            if first < last:
                own = drawn[first:last] - batch.start
                taken = {name: batch.columns[raw].take(own) for name, raw in self.names.items()}
                frames.append(pd.DataFrame({k: series_of(v) for k, v in taken.items()}))
        return self.options.read(pd.concat(frames, ignore_index=True))

    def _count(self) -> int:
        """Return the number of rows."""
        if self.source.rows is not None:
            return self.source.rows
        first = next(iter(self.names.values()))
        return sum(batch.rows for batch in self.source.batches([first]))

    @property
    def page(self) -> Page:
        """What will be read, on a page."""
        rows = "rows" if self.source.rows is None else f"{self.source.rows:,} rows"
        facts = [f"items: {len(self.template.items)}", f"missing: {self.template.missing!r}"]
        for label in ("weights", "strata", "cluster"):
            column = getattr(self.template, label)
            if column is not None:
                facts.append(f"{label}: {column}")
        if self.buckets is not None:
            facts.append(f"buckets: {self.buckets:,}")
        if self.engine == "sql":
            facts.append("added up by SQL")
        title = f"Scan of {rows} and {len(self.names)} columns ({self.source.name})"
        return Page(title, facts=tuple(facts), clean="")


@own_errstate
@checked
def scan(
    data: object,
    *,
    codebook: str | PathLike[str] | Codebook | None = None,
    scale: Scale | Mapping[str, Scale] | None = None,
    items: Sequence[str | Item] | None = None,
    missing: Missing | None = None,
    missing_codes: Codes | Mapping[str, Codes] = (),
    reverse: str | Iterable[str] = (),
    weights: ColumnName | None = None,
    strata: ColumnName | None = None,
    cluster: ColumnName | None = None,
    lonely: Lonely | None = None,
    buckets: int | None = None,
    engine: Engine = "arrow",
) -> Scan:
    """Say where answers are and what is known about the items, without reading them.

    What takes the scan reads it a batch of rows at a time, once or a few times, in memory that
    does not grow with the rows. Rows dropped, codes set missing and values refused are those of
    `read_survey`, and so are the sentences that count them.

    Parameters
    ----------
    data
        Path, pattern (``"responses/*.parquet"``), folder or list of Parquet or CSV files, folders
        named ``year=2024`` being columns; an Arrow data set or table; a relation of DuckDB
        (``duckdb.sql("SELECT … FROM 'responses/*.parquet' JOIN …")``) or a table of ibis, in the
        order of rows that the database gives; a data frame of Spark, whose workers count for
        `fit` and `fit_groups`. Needs pyarrow.
    codebook, scale, items, missing_codes, reverse, weights, strata, cluster, lonely
        As in `read_survey`. Columns that hold numbers are told by the first rows.
    missing
        ``"error"`` (the default), ``"listwise"``, ``"construct-minimum"`` or a
        `ConstructMinimum`; a scan adds up complete answers.
    buckets
        Make errors of so many random groups of clusters (of respondents, by the numbers of their
        rows, where no cluster is named), a few hundred: the pass that fits adds up the answers of
        each, so that `csi.linearize`, `csi.jackknife` (of groups) and `csi.bootstrap` of any
        number of draws read nothing more. In memory the same is a survey with the column
        ``csimodel.survey.scanning.buckets.bucket_codes(frame["psu"], 200)`` as clusters.
    engine
        ``"arrow"`` (the default): rows come as Arrow batches and are added up here. ``"sql"``, of
        a DuckDB relation or an ibis table (needs ibis): the database adds up by grouped aggregates
        and no row is fetched for `fit`, `fit_groups` and, with `buckets`, all errors of them and
        the index by group; buckets are hashes of the database. For warehouses whose rows do not
        leave them; from DuckDB on this computer batches are faster. Answers are complete
        (``missing="listwise"`` or none missing); other steps fetch rows.

    Returns
    -------
    Scan

    Raises
    ------
    SurveyError
        When there is no such file, one is damaged, or an option does not fit the columns.
    OptionError
        When `missing`, `lonely` or `engine` is not one of those allowed, `buckets` no whole
        number from 2 to 10,000, or ``engine="sql"`` is asked of no database.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"q1": [3, 99, 9], "q2": [4, 8, 10]})
    >>> own = scan(table, scale={"q1": (1, 10), "q2": (1, 10)}, missing_codes={"q1": 99})
    >>> print(own.findings[0])
    1 cell with a missing code was set missing: q1 (1).
    """
    source, buckets = _source_of(data), require_buckets(buckets)
    raw = list(source.columns)
    own, renamed = cleaned_names(raw, source.name)
    if codebook is not None:
        codebook = codebook if isinstance(codebook, Codebook) else read_codebook(codebook)
        new = form_names(own, codebook)
        own = [new.get(name, name) for name in own]
        renamed = (*renamed, form_columns(new)) if new else renamed
    names = dict(zip(own, raw, strict=True))
    if not isinstance(reverse, str):
        require_order("reverse", reverse)
    turned = reverse if isinstance(reverse, str) else list(reverse)
    options = ReadingOptions(
        codebook, scale, items, missing, missing_codes, turned, weights, strata, cluster, lonely
    )
    head = _head(source, names)
    template = options.read(head)
    _require_numbers(template, head)
    template = replace(template, source=source.name, findings=(*renamed, *template.findings))
    if buckets is not None and template.cluster is None and not source.numbered:
        raise SurveyError(
            f"buckets={buckets} goes by the numbers of rows, and {source.name} may give its rows "
            "in another order each time; name a column that tells clusters or respondents apart "
            "as cluster=."
        )
    if engine == "sql":
        source = _in_database(source, template, names, buckets)
    everywhere = not isinstance(missing_codes, Mapping)
    guessed = everywhere and all(item.assumed for item in template.items.values())
    strict = items is not None or any(not item.assumed for item in template.items.values())
    declared = [name for name, item in template.items.items() if strict and not item.assumed]
    known = frozenset(declared)
    return Scan(source, template, names, options, guessed, known, buckets, engine)


def _in_database(
    source: RowSource, template: Survey, names: Mapping[str, str], buckets: int | None
) -> DatabaseRows:
    """Return rows that a database adds up, with a column of buckets where there are any.

    Raises
    ------
    OptionError
        When they are in no database, or missing answers are filled.
    SurveyError
        When ibis is not there, or the database does not answer.
    """
    if not isinstance(source, DatabaseRows):
        raise OptionError(
            f"engine='sql' lets a database add up, and data is {source.name}; give a DuckDB "
            "relation or an ibis table, or leave engine= out."
        )
    if template.missing not in ("error", "listwise"):
        raise OptionError(
            f"missing={template.missing!r} looks at answers one by one, and engine='sql' fetches "
            "none; use missing='listwise', or leave engine= out."
        )
    source.database()
    if buckets is None or template.cluster is None:
        return source
    return source.with_buckets(names[template.cluster], buckets)


def _head(source: RowSource, names: Mapping[str, str]) -> pd.DataFrame:
    """Return a row that says of each column whether it holds numbers: NaN, or a text."""
    batches = source.beginning(_HEAD).batches(list(names.values()))
    batch = next((own for own in batches if own.rows), None)
    if batch is None:
        raise SurveyError(f"There are no rows in {source.name}; give one row per respondent.")
    head = {}
    for name, raw in names.items():
        column = series_of(batch.columns[raw].slice(0, _HEAD))
        known = column.dropna()
        text = len(known) and not holds_numbers(column.rename(name))
        head[name] = [str(known.iloc[0])] if text else [np.nan]
    return pd.DataFrame(head)


def _require_numbers(template: Survey, head: pd.DataFrame) -> None:
    """Refuse columns whose answers in words, or words for no answer, would have to be read."""
    text = [name for name in map(str, head.columns) if isinstance(head[name].iloc[0], str)]
    recoded = ("answers-recoded", "missing-words")
    changed = {name for own in template.findings if own.code in recoded for name in own.subjects}
    worded = [
        name
        for name in text
        if name in changed
        or ((item := template.items.get(name)) is not None and (item.answers or item.missing_words))
    ]
    if worded:
        raise SurveyError(
            "A scan reads numbers, and the codebook or missing_codes gives words for "
            f"{worded[0]!r}, which holds text; read it with csi.read_survey, which turns words "
            "into codes."
        )


def _source_of(data: object) -> RowSource:
    """Return rows that can be read a batch at a time."""
    try:
        import pyarrow as pa
        from pyarrow import dataset
    except ImportError as error:
        raise SurveyError(needs("A scan", "pyarrow")) from error
    if isinstance(data, str | PathLike | list | tuple):
        return files_of(data)
    if isinstance(data, pa.Table):
        return ArrowRows.of(dataset.dataset(data))
    if isinstance(data, dataset.Dataset):
        return ArrowRows.of(data)
    rows = database_rows(data) or spark_rows(data)
    if rows is not None:
        return rows
    raise SurveyError(
        f"A scan reads files, and data is {shown(data)}; give a path, a pattern such as "
        "'responses/*.parquet', a list of paths, an Arrow data set, a DuckDB relation, an ibis "
        "table or a Spark data frame, or read what is in memory with csi.read_survey."
    )
