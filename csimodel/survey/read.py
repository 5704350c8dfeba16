"""`read_survey`: a table, what is known about its items, and the options → a `Survey`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike

import numpy as np
import pandas as pd

from csimodel.errors import SurveyError
from csimodel.findings import Finding, listed
from csimodel.survey import checks
from csimodel.survey.codebook import Codebook, parse_codes, parse_scale, read_codebook
from csimodel.survey.missing import Missing, require_policy
from csimodel.survey.readers import independent, read_table
from csimodel.survey.survey import Item, Survey

Scale = tuple[float, float]


def read_survey(
    data: object,
    *,
    codebook: str | PathLike[str] | Codebook | None = None,
    scale: Scale | Mapping[str, Scale] | None = None,
    items: Sequence[str | Item] | None = None,
    missing: Missing | None = None,
    missing_codes: float | Sequence[float] | Mapping[str, float | Sequence[float]] = (),
    reverse: str | Sequence[str] = (),
    weights: str | None = None,
    strata: str | None = None,
    cluster: str | None = None,
) -> Survey:
    """Read answers from a file or a frame, with what is known about the items.

    Parameters
    ----------
    data
        Path of a ``.csv``, ``.tsv``, ``.parquet``, ``.xlsx``, ``.sav`` or ``.dta`` file (CSV in
        UTF-8, separated by comma, semicolon or tab), a pandas or polars data frame, an Arrow
        table, or a `Survey`, which is returned with the options applied. Later changes of the
        frame do not reach the survey: under pandas 3 by copy-on-write, under pandas 2 by a copy.
    codebook
        Path of a TOML codebook, or a `Codebook`; the options below take precedence over it.
    scale
        (lowest, highest) answer of all items, or a mapping from item to such a pair.
    items
        Names of the item columns, or `Item` values. Without this, an option given for all items
        applies to those of the codebook and of a `Survey` passed as data; when there are none, to
        every column whose cells are numbers, in whatever type, that is not a design column.
    missing
        What to do with missing answers when a model's items are taken: ``"error"`` (the
        default), ``"listwise"``, ``"pairwise"``, ``"mean"``, ``"construct-minimum"`` or a
        `ConstructMinimum`. None keeps the policy of a `Survey`.
    missing_codes
        Values that stand for no answer, such as (98, 99), for all items or by column; they
        become NaN and are counted in the findings.
    reverse
        Items that were asked the other way round; answers x become lowest + highest − x.
    weights, strata, cluster
        Names of the columns that hold the survey weight, the stratum and the cluster.

    Returns
    -------
    Survey

    Raises
    ------
    SurveyError
        When the file or frame cannot be used, a column named is not there, or an item declared
        by the codebook or by `items` holds text or values outside its scale.
    OptionError
        When `missing` is not one of the policies.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"q1": [3, 99, 9], "q2": [4, 8, 10], "firm": ["a", "a", "b"]})
    >>> survey = read_survey(frame, scale=(1, 10), missing_codes=(98, 99), missing="listwise")
    >>> print(survey.findings[0])
    1 cell with a missing code was set missing: q1 (1).
    """
    policy = None if missing is None else require_policy(missing)
    base = data if isinstance(data, Survey) else _survey_of(data)
    book = Codebook() if codebook is None else _codebook(codebook)
    survey = replace(
        base,
        weights=_first(weights, book.weights, base.weights),
        strata=_first(strata, book.strata, base.strata),
        cluster=_first(cluster, book.cluster, base.cluster),
        missing=base.missing if policy is None else policy,
    )
    _require_design(survey)
    if codebook is not None:
        survey = _with_labels(survey, book)
    declared = {**base.items, **book.items} if items is None else _named(survey, book, items)
    turn = (reverse,) if isinstance(reverse, str) else tuple(reverse)
    wanted = _with_options(survey, declared, scale, missing_codes, turn)
    if wanted == base.items:
        return survey
    strict = bool(book.items or items is not None)
    return _applied(survey, wanted, declared if strict else {})


def _first(*names: str | None) -> str | None:
    return next((name for name in names if name is not None), None)


def _require_design(survey: Survey) -> None:
    design = {"weights": survey.weights, "strata": survey.strata, "cluster": survey.cluster}
    for option, name in design.items():
        if name is not None:
            checks.require_column(survey.data, name, option)


def _survey_of(data: object) -> Survey:
    table = read_table(data)
    return Survey(
        table.frame,
        source=table.source,
        findings=table.findings,
        value_labels=table.value_labels,
        column_labels=table.column_labels,
    )


def _codebook(codebook: str | PathLike[str] | Codebook) -> Codebook:
    return codebook if isinstance(codebook, Codebook) else read_codebook(codebook)


def _with_labels(survey: Survey, book: Codebook) -> Survey:
    """Check the codebook's columns, and take over its labels and the codes of other columns."""
    for name in (*book.items, *book.column_codes, *book.column_labels, *book.value_labels):
        checks.require_column(survey.data, name, "The codebook")
    data, findings = _without_codes(survey.data, book.column_codes)
    return replace(
        survey,
        data=data,
        findings=survey.findings + findings,
        value_labels={**survey.value_labels, **book.value_labels},
        column_labels={**survey.column_labels, **book.column_labels},
    )


def _named(survey: Survey, book: Codebook, items: Sequence[str | Item]) -> dict[str, Item]:
    if isinstance(items, str):
        raise SurveyError(
            f"items={items!r} is one text; give a list of names, such as [{items!r}]."
        )
    declared = {}
    for entry in items:
        name = entry.name if isinstance(entry, Item) else entry
        checks.require_column(survey.data, name, "items")
        known = book.items.get(name) or survey.items.get(name) or Item(name)
        declared[name] = entry if isinstance(entry, Item) else known
    return declared


def _with_options(
    survey: Survey,
    declared: Mapping[str, Item],
    scale: Scale | Mapping[str, Scale] | None,
    codes: float | Sequence[float] | Mapping[str, float | Sequence[float]],
    turn: tuple[str, ...],
) -> dict[str, Item]:
    """Return the items with the options for all items and for single columns laid over them."""
    bounds_of: dict[str, Scale] = {}
    codes_of: dict[str, tuple[float, ...]] = {}
    if isinstance(scale, Mapping):
        bounds_of = {
            name: parse_scale(value, f"The option scale for {name!r}")
            for name, value in scale.items()
        }
    elif scale is not None:
        bounds_of = dict.fromkeys(
            _everyone(survey, declared), parse_scale(scale, "The option scale")
        )
    if isinstance(codes, Mapping):
        codes_of = {
            name: parse_codes(value, f"The option missing_codes for {name!r}")
            for name, value in codes.items()
        }
    elif parsed := parse_codes(codes, "The option missing_codes"):
        codes_of = dict.fromkeys(_everyone(survey, declared), parsed)
    options = (("scale", bounds_of), ("missing_codes", codes_of), ("reverse", turn))
    for option, names in options:
        for name in names:
            checks.require_column(survey.data, name, option)
    wanted = {**survey.items, **declared}
    for name in (*bounds_of, *codes_of, *turn):
        wanted.setdefault(name, survey.items.get(name) or Item(name))
    for name, (low, high) in bounds_of.items():
        blanket = not isinstance(scale, Mapping) and not declared
        wanted[name] = replace(wanted[name], minimum=low, maximum=high, assumed=blanket)
    for name, values in codes_of.items():
        wanted[name] = replace(wanted[name], missing_codes=values)
    for name in turn:
        known = survey.items.get(name)
        if known is not None and known.reversed:
            raise SurveyError(
                f"Item {name!r} is already turned in this survey; leave it out of reverse."
            )
        wanted[name] = replace(wanted[name], reversed=True)
    return wanted


def _everyone(survey: Survey, declared: Mapping[str, Item]) -> list[str]:
    """Return the declared items, or else every column of numbers that is not a design column."""
    if declared:
        return list(declared)
    design = {survey.weights, survey.strata, survey.cluster}
    return [
        name
        for name in survey.data.columns
        if name not in design and checks.holds_numbers(survey.data[name])
    ]


def _applied(survey: Survey, wanted: dict[str, Item], declared: Mapping[str, Item]) -> Survey:
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
    data, findings = _without_codes(
        survey.data, {name: item.missing_codes for name, item in fresh.items()}
    )
    survey = replace(survey, data=data, items=wanted)
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
        message = f"Reversed items were turned to lowest + highest - x: {listed(turned)}."
        findings += (Finding("reversed", message, tuple(turned), "note", len(turned)),)
    return replace(survey, data=data, findings=survey.findings + findings)


def _without_codes(
    data: pd.DataFrame, codes_of: Mapping[str, tuple[float, ...]]
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Set missing codes to NaN in the columns that hold any; other columns stay as they are."""
    names_by_codes: dict[tuple[float, ...], list[str]] = {}
    for name, codes in codes_of.items():
        if codes:
            names_by_codes.setdefault(codes, []).append(name)
    columns: dict[str, np.ndarray] = {}
    counts: dict[str, int] = {}
    from_text: list[str] = []
    for codes, names in names_by_codes.items():
        values, converted = checks.numeric_block(data, names)
        from_text += [name for found in converted for name in found.subjects]
        hit = np.zeros(values.shape, dtype=bool)
        for code in codes:
            hit |= values == code
        for position in np.flatnonzero(hit.any(axis=0)):
            counts[names[position]] = int(hit[:, position].sum())
            columns[names[position]] = np.where(hit[:, position], np.nan, values[:, position])
    if not counts:
        return data, ()
    cells = sum(counts.values())
    verb = "was" if cells == 1 else "were"
    message = (
        f"{cells} {checks.plural(cells, 'cell')} with a missing code {verb} set missing: "
        f"{checks.counted(counts, counts.values())}."
    )
    finding = Finding("missing-codes", message, tuple(counts), "note", cells)
    read_as_numbers = checks.text_numbers([name for name in from_text if name in counts])
    return _with_columns(data, columns), (*read_as_numbers, finding)


def _with_columns(data: pd.DataFrame, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    if not columns:
        return data
    data = independent(data)
    for name, values in columns.items():
        data[name] = values
    return data
