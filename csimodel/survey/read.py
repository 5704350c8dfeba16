"""`read_survey`: a table, what is known about its items, and the options → a `Survey`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike

import numpy as np
import pandas as pd

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.survey import checks
from csimodel.survey.cells import Decimal
from csimodel.survey.codebook import Codebook, read_codebook
from csimodel.survey.codes import cells_with_codes, require_outside_scales
from csimodel.survey.composed import composed
from csimodel.survey.form_columns import with_form_names
from csimodel.survey.headers import ColumnName, require_column
from csimodel.survey.item import Item
from csimodel.survey.missing import Missing, require_policy
from csimodel.survey.options import Codes, Scale, declared_items, items_with_options
from csimodel.survey.population import PopulationSize, require_population
from csimodel.survey.readers import Form, independent, read_table, require_form
from csimodel.survey.replicates import ReplicateMethod, replicate_columns, require_method
from csimodel.survey.sampling import Lonely, require_lonely
from csimodel.survey.survey import Survey
from csimodel.survey.wordings import Wordings, coded_columns


@own_errstate
@checked
def read_survey(
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
    population: PopulationSize | None = None,
    subcluster: ColumnName | None = None,
    subpopulation: ColumnName | None = None,
    replicate_weights: str | Sequence[str] | None = None,
    replicate_method: str | ReplicateMethod | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    decimal: Decimal | None = None,
) -> Survey:
    """Read answers from a file or a frame, with what is known about the items.

    Parameters
    ----------
    data
        Path of a ``.csv``, ``.tsv``, ``.parquet``, ``.xlsx``, ``.sav`` or ``.dta`` file (CSV
        separated by comma, semicolon, tab or bar), a pandas or polars data frame, an Arrow
        table, or a `Survey`, which is returned with the options applied. Later changes of the
        frame do not reach the survey: under pandas 3 by copy-on-write, under pandas 2 by a copy.
        In CSV and Excel, "NA", "None" and the like are names in a column of labels and missing
        among numbers; titles above the names of the columns, wordings and notes below them are
        left out and counted; a row of totals is refused. Names of columns are cleaned of line
        breaks and outer blanks.
    codebook
        Path of a TOML codebook, or a `Codebook`; the options below take precedence over it. By its
        ``labels`` and ``answers``, and where an answer to an item has the number beside the words
        ("8 - good"), answers in words are read as codes. Columns that a form exported are found
        under the names it gave them: "group/q1", or the wording.
    scale
        (lowest, highest) answer of all items, or a mapping from item to such a pair.
    items
        Names of the item columns, or `Item` values, in a list. Without this, an option given for
        all items applies to those of the codebook, of a scale by column and of a `Survey` passed
        as data; when there are none, to every column whose cells are numbers, in whatever type,
        that is not a design column.
    missing
        What to do with missing answers when a model's items are taken: ``"error"`` (the
        default), ``"listwise"``, ``"pairwise"``, ``"mean"``, ``"construct-minimum"`` or a
        `ConstructMinimum`. None keeps the policy of a `Survey`.
    missing_codes
        Values and words that stand for no answer, such as (98, 99, "Blank"), for all items, or by
        column for any column, as in ``{"q1": 99, "REPUR": (98, "DK")}``; they become NaN and are
        counted by column in the findings. A code inside its column's scale is an answer, and
        refused. Where nothing says what the items are, a code applies only where it cannot be an
        answer: in columns whose other values are on the scale, and far from it; and a word only in
        columns that hold numbers else.
    reverse
        Items that were asked the other way round; answers x become lowest + highest − x.
    weights, strata, cluster
        Names of the columns that hold the survey weight, the stratum and the cluster. A row whose
        weight is 0 or missing is as one never read: it counts in no estimate, error, n or degree
        of freedom, and a cluster or stratum that holds no other row was not drawn. (R's survey
        keeps such units in the design, as of a domain; here a domain is a group, ``by=``, whose
        errors know all units that were drawn.)
    lonely
        How a stratum with a single cluster (or respondent) is treated, which shows no spread of
        its own: ``"adjust"`` (the default) takes its distance from the mean of all units, which
        is cautious; ``"average"`` gives it the mean variance of the other strata;
        ``"certainty"`` and ``"remove"`` let it add nothing to the errors; ``"fail"`` refuses it.
    population
        How many units the population holds, where the sample is a sizeable part of it: clusters
        where the survey has them, else respondents. With strata a mapping from stratum to number,
        or the name of a column that holds the number of each row's stratum; without strata one
        number. Numbers up to 1 are the share of them that was drawn. Variances are then multiplied
        by the share not drawn, ``1 - n/N``: errors are about this population only.
    subcluster, subpopulation
        Where a part of each cluster was drawn, from a finite number of clusters: the column of the
        units within clusters (households; respondents by default), and the column of how many the
        row's cluster holds in the population. Linearised errors then have both stages.
    replicate_weights, replicate_method
        Columns of replicate weights that came with the data, as a pattern (``"rw*"``) or a list,
        and how they were made: ``"jk1"``, ``"brr"``, ``"bootstrap"``, or a `ReplicateMethod`, which
        knows Fay's factor, scales and whether deviations are from the estimate. `csi.replicate`
        makes errors from them. To make such weights: `csi.replicate_weights`.
    sheet
        Name of the sheet of a workbook; needed where several visible ones hold numbers.
    encoding
        Encoding of a CSV, SPSS or Stata file, such as ``"gb18030"``; CSV is UTF-8 (or UTF-16 with
        a mark) without it, and no other encoding is guessed.
    decimal
        ``"."`` or ``","``: the decimal sign of numbers in text, where a file leaves it open.

    Returns
    -------
    Survey

    Raises
    ------
    SurveyError
        When the file or frame cannot be used, a column named is not there, an item declared by
        the codebook or by `items` holds text or values outside its scale, or a missing code lies
        inside a scale.
    OptionError
        When `missing` or `lonely` is not one of those allowed, or `population` is no name, number
        or mapping.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"q1": [3, 99, 9], "q2": [4, 8, 10], "firm": ["a", "a", "b"]})
    >>> survey = read_survey(frame, scale=(1, 10), missing_codes=(98, 99), missing="listwise")
    >>> print(survey.findings[0])
    1 cell with a missing code was set missing: q1 (1).
    """
    policy = None if missing is None else require_policy(missing)
    book = Codebook() if codebook is None else _codebook(codebook)
    base = with_form_names(_survey_of(data, Form(sheet, encoding, decimal)), book)
    survey = replace(
        base,
        weights=_column(base, "weights", _first(weights, book.weights, base.weights)),
        strata=_column(base, "strata", _first(strata, book.strata, base.strata)),
        cluster=_column(base, "cluster", _first(cluster, book.cluster, base.cluster)),
        missing=base.missing if policy is None else policy,
        lonely=base.lonely if lonely is None else require_lonely(lonely),
        population=require_population(base.data, _first_population(population, book, base)),
    )
    if survey.weights != base.weights:
        survey = replace(survey, calibration=None)
    survey = replace(
        survey,
        subcluster=_column(base, "subcluster", _first(subcluster, base.subcluster)),
        subpopulation=_column(base, "subpopulation", _first(subpopulation, base.subpopulation)),
    )
    if (survey.subcluster or survey.subpopulation) and survey.cluster is None:
        raise OptionError(
            "subcluster and subpopulation are of a second stage of sampling, within clusters; name "
            "the column of clusters as cluster=."
        )
    pattern = book.replicate_weights if replicate_weights is None else replicate_weights
    method = book.replicate_method if replicate_method is None else replicate_method
    if pattern is not None:
        columns = replicate_columns(base.data, pattern)
        method = require_method(columns, method, base.data, survey.weights)
        survey = replace(
            survey,
            replicate_weights=columns,
            replicate_method=method,
            replicate_base=survey.weights,
        )
    elif method is not None:
        raise OptionError(
            "replicate_method says how replicate weights were made; name their columns as "
            "replicate_weights=, such as 'rw*'."
        )
    if codebook is not None:
        survey = _with_labels(survey, book, decimal)
    declared = declared_items(survey, book, items)
    wanted, left = items_with_options(
        survey, declared, items is not None, scale, missing_codes, reverse
    )
    survey = replace(survey, findings=survey.findings + left)
    if wanted == base.items:
        return composed(survey, book.composed)
    strict = bool(book.items or items is not None)
    return composed(_applied(survey, wanted, declared if strict else {}, decimal), book.composed)


def _first(*names: str | None) -> str | None:
    return next((name for name in names if name is not None), None)


def _first_population(
    given: PopulationSize | None, book: Codebook, base: Survey
) -> PopulationSize | None:
    if given is not None:
        return given
    return base.population if book.population is None else book.population


def _column(survey: Survey, option: str, name: str | None) -> str | None:
    return None if name is None else require_column(survey.data, name, option)


def _survey_of(data: object, form: Form) -> Survey:
    if isinstance(data, Survey):
        require_form(form, "a survey, which is read already", ())
        return data
    table = read_table(data, form)
    return Survey(
        table.frame,
        source=table.source,
        findings=table.findings,
        value_labels=table.value_labels,
        column_labels=table.column_labels,
    )


def _codebook(codebook: str | PathLike[str] | Codebook) -> Codebook:
    return codebook if isinstance(codebook, Codebook) else read_codebook(codebook)


def _with_labels(survey: Survey, book: Codebook, decimal: Decimal | None) -> Survey:
    """Take over the codebook's labels, and the codes and words of columns that are no items."""
    described = (book.items, book.column_codes, book.column_labels, book.value_labels,
                 book.column_words, book.column_answers)  # fmt: skip
    column = {
        name: require_column(survey.data, name, "The codebook")
        for name in (name for part in described for name in part)
    }
    wordings = {
        column[name]: Wordings.of_column(
            name, book.column_answers.get(name, {}), book.column_words.get(name, ())
        )
        for name in (*book.column_words, *book.column_answers)
    }
    survey = _with_wordings(survey, wordings, decimal)
    codes_of = {column[name]: codes for name, codes in book.column_codes.items()}
    columns, coded, findings = cells_with_codes(survey.data, codes_of)
    labels = {column[name]: texts for name, texts in book.value_labels.items()}
    texts_of = {column[name]: text for name, text in book.column_labels.items()}
    return replace(
        survey,
        data=_with_columns(survey.data, columns),
        coded=_joined(survey.coded, coded),
        findings=survey.findings + findings,
        value_labels={**survey.value_labels, **labels},
        column_labels={**survey.column_labels, **texts_of},
    )


def _with_wordings(
    survey: Survey, wordings: Mapping[str, Wordings], decimal: Decimal | None
) -> Survey:
    """Turn answers in words into codes, and words for no answer into NaN."""
    own = coded_columns(survey.data, wordings, decimal)
    return replace(
        survey,
        data=_with_columns(survey.data, own.columns),
        coded=_joined(survey.coded, own.coded),
        findings=(*survey.findings, *own.findings),
    )


def _applied(
    survey: Survey,
    wanted: dict[str, Item],
    declared: Mapping[str, Item],
    decimal: Decimal | None,
) -> Survey:
    """Set missing codes to NaN, check declared items, turn reversed ones; count all of it."""
    fresh = {}
    for name, item in wanted.items():
        before = survey.items.get(name)
        if before is None or not before.reversed:
            fresh[name] = item
        elif before != item:
            raise SurveyError(
                f"Item {name!r} was turned when the survey was read, so its scale, missing codes "
                "and direction cannot change now; read the data again with all options."
            )
    require_outside_scales(fresh)
    wordings = {
        name: Wordings.of_item(item, survey.value_labels.get(name, {}))
        for name, item in fresh.items()
    }
    survey = _with_wordings(survey, wordings, decimal)
    columns, coded, findings = cells_with_codes(
        survey.data, {name: item.missing_codes for name, item in fresh.items()}
    )
    data = _with_columns(survey.data, columns)
    survey = replace(survey, data=data, items=wanted, coded=_joined(survey.coded, coded))
    turned = [name for name, item in fresh.items() if item.reversed]
    for name in turned:
        if wanted[name].minimum is None or wanted[name].maximum is None:
            raise SurveyError(
                f"Item {name!r} is to be turned but its scale is not known; "
                "give scale=(lowest, highest)."
            )
    checked = list(dict.fromkeys([*(name for name in declared if name in fresh), *turned]))
    if checked:
        values, converted = checks.numeric_block(data, checked)
        findings += converted
        low, high, _ = checks.extremes(values)
        checks.require_bounds(values, checked, low, high, *survey.bounds(checked))
        text = converted[0].subjects if converted else ()
        columns = {name: values[:, checked.index(name)] for name in {*text, *turned}}
        for name in turned:
            minimum, maximum = survey.bounds([name])
            columns[name] = minimum + maximum - columns[name]
        data = _with_columns(data, columns)
    if turned:
        template = "Reversed items were turned to lowest + highest - x: {items}."
        told = {"items": tuple(turned)}
        findings += (Finding("reversed", template, tuple(turned), "note", len(turned), told),)
    return replace(survey, data=data, findings=survey.findings + findings)


def _joined(
    before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return rows with a missing code by column, of an earlier and of this reading."""
    none = np.array([], dtype=np.intp)
    return {
        **before, **{name: np.union1d(before.get(name, none), rows) for name, rows in after.items()}
    }  # fmt: skip


def _with_columns(
    data: pd.DataFrame, columns: Mapping[str, np.ndarray] | Mapping[str, pd.Series]
) -> pd.DataFrame:
    if not columns:
        return data
    data = independent(data)
    for name, values in columns.items():
        data[name] = values
    return data
