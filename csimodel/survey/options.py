"""What the options of `read_survey` say about the items, laid over what is known already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

import pandas as pd

from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.survey.checks import holds_numbers
from csimodel.survey.codebook import Codebook
from csimodel.survey.codebook_values import parse_missing, parse_scale
from csimodel.survey.codes import columns_of_codes
from csimodel.survey.headers import column_of, require_column
from csimodel.survey.item import Item
from csimodel.survey.survey import Survey
from csimodel.survey.wordings import without_words

Scale = Sequence[float]
Codes = float | str | Iterable[float | str]

_SCALE = "The option scale"
_CODES = "The option missing_codes"


def declared_items(
    survey: Survey, book: Codebook, items: Sequence[str | Item] | None
) -> dict[str, Item]:
    """Return the items that the survey, the codebook or `items` declare, by column.

    Raises
    ------
    SurveyError
        When `items` is no list of names, or names a column twice or one that is not there.
    """
    if items is None:
        return {**survey.items, **{_here(survey, name): own for name, own in book.items.items()}}
    if isinstance(items, str | Item):
        kind = "text" if isinstance(items, str) else "item"
        raise SurveyError(
            f"items={items!r} is one {kind}; give a list of names, such as [{items!r}]."
        )
    require_order("items", items)
    declared = {}
    for entry in items:
        column = require_column(
            survey.data, entry.name if isinstance(entry, Item) else entry, "items"
        )
        known = book.items.get(column) or survey.items.get(column) or Item(column)
        declared[column] = replace(entry, name=column) if isinstance(entry, Item) else known
    return declared


def require_order(option: str, names: object) -> None:
    """Refuse names without an order, whose place would change from run to run.

    >>> require_order("items", {"q1"})
    Traceback (most recent call last):
    ...
    csimodel.errors.SurveyError: items is a set, which has no order; give a list of names, such
    as ['q1'].
    """
    if isinstance(names, Set | Mapping):
        kind = type(names).__name__
        first = sorted(map(str, names))[:1]
        raise SurveyError(
            f"{option} is a {kind}, which has no order; give a list of names, such as {first!r}."
            if isinstance(names, Set)
            else f"{option} is a {kind}; give a list of names, such as {first!r}."
        )
    if not isinstance(names, Iterable):
        raise SurveyError(f"{option}={names!r} is no list; give names, such as ['q1', 'q2'].")


def items_with_options(
    survey: Survey,
    declared: Mapping[str, Item],
    named: bool,
    scale: Scale | Mapping[str, Scale] | None,
    codes: Codes | Mapping[str, Codes],
    reverse: str | Iterable[str],
) -> tuple[dict[str, Item], tuple[Finding, ...]]:
    """Return the items with options for all of them and for single columns laid over them.

    An option for all items reaches those declared (`named` ones even when only a scale for every
    column said so before) and the columns of a scale by column; where there are none, every
    column of numbers that is not a design column, and missing codes only where they cannot be
    answers.

    Raises
    ------
    SurveyError
        When an option names a column that is not there, or has no value of its kind.
    """
    own = [name for name, item in declared.items() if named or not item.assumed]
    by_column = isinstance(scale, Mapping)
    blanket = not own and not (by_column and scale)
    pair = None if scale is None or isinstance(scale, Mapping) else parse_scale(scale, _SCALE)
    shared, words = ((), ()) if isinstance(codes, Mapping) else parse_missing(codes, _CODES)
    numbers = survey
    if blanket and (pair is not None or shared or words):
        numbers = _without_words(survey, words)
        own = _columns_of_numbers(numbers)
    bounds_of = dict.fromkeys(own, pair) if pair is not None else {}
    if isinstance(scale, Mapping):
        bounds_of = {
            require_column(survey.data, name, "scale"): parse_scale(value, f"{_SCALE} for {name!r}")
            for name, value in scale.items()
        }
    findings: tuple[Finding, ...] = ()
    if isinstance(codes, Mapping):
        codes_of = {
            require_column(survey.data, name, "missing_codes"): parse_missing(
                value, f"{_CODES} for {name!r}"
            )
            for name, value in codes.items()
        }
    elif blanket and (shared or words):
        columns = tuple(own)
        if shared:
            low, high = survey.bounds(own)
            if pair is not None:
                low[:], high[:] = pair
            columns, findings = columns_of_codes(numbers.data, own, shared, low, high)
        codes_of = {
            name: (shared if name in columns else (), words)
            for name in own
            if name in columns or words
        }
    else:
        codes_of = dict.fromkeys([*own, *bounds_of], (shared, words)) if shared or words else {}
    wanted = {**survey.items, **declared}
    for name, bounds in bounds_of.items():
        item = wanted.get(name) or Item(name)
        low_end, high_end = bounds
        wanted[name] = replace(item, minimum=low_end, maximum=high_end, assumed=blanket)
    for name, (values, texts) in codes_of.items():
        item = wanted.get(name) or Item(name, assumed=blanket)
        wanted[name] = replace(item, missing_codes=values, missing_words=texts)
    for name in _turned(survey, reverse):
        wanted[name] = replace(wanted.get(name) or Item(name), reversed=True)
    return wanted, findings


def _turned(survey: Survey, reverse: str | Iterable[str]) -> list[str]:
    names = [reverse] if isinstance(reverse, str) else reverse
    require_order("reverse", names)
    columns = [require_column(survey.data, name, "reverse") for name in names]
    for name in columns:
        known = survey.items.get(name)
        if known is not None and known.reversed:
            raise SurveyError(
                f"Item {name!r} is already turned in this survey; leave it out of reverse."
            )
    return columns


def _without_words(survey: Survey, words: Sequence[str]) -> Survey:
    """Return a survey whose columns that are numbers but for words for no answer are numbers."""
    if not words:
        return survey
    columns = {name: without_words(survey.data[name], words) for name in survey.data.columns}
    return replace(survey, data=pd.DataFrame(columns, index=survey.data.index))


def _columns_of_numbers(survey: Survey) -> list[str]:
    design = {survey.weights, survey.strata, survey.cluster, *survey.replicate_weights}
    design |= {survey.subcluster, survey.subpopulation}
    if isinstance(survey.population, str):
        design.add(survey.population)
    return [
        name
        for name in survey.data.columns
        if name not in design and holds_numbers(survey.data[name])
    ]


def _here(survey: Survey, name: str) -> str:
    return column_of(survey.data.columns, name) or name
