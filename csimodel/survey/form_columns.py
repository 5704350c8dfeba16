"""Columns of a codebook under the names that a form gives them when it exports its answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from csimodel.errors import SurveyError
from csimodel.findings import Finding, listed
from csimodel.survey.codebook import Codebook
from csimodel.survey.headers import clean, column_of
from csimodel.survey.survey import Survey

_SEPARATORS = ("/", ":", ".", "-")  # between a group and its question: KoboToolbox, ODK


def form_names(columns: Sequence[str], book: Codebook) -> dict[str, str]:
    r"""Return the codebook's name of columns that a form calls otherwise, by column.

    A name that is no column may be the question of a group ("group/q1"), or be headed by its
    wording ("How satisfied are you?", "About us/How satisfied are you?").

    Raises
    ------
    SurveyError
        When a name may be that of several columns.

    Examples
    --------
    >>> book = Codebook.from_toml("[items.q1]\n[items.q2]\nwording = 'Again?'")
    >>> form_names(["_id", "group/q1", "Again?"], book)
    {'group/q1': 'q1', 'Again?': 'q2'}
    """
    known = set(columns)
    names: dict[str, str] = {}
    for name in _names(book):
        if column_of(known, name) is not None:
            continue
        item = book.items.get(name)
        wording = book.column_labels.get(name) or (None if item is None else item.wording)
        for sought in (name, wording):
            own = [] if sought is None else _ending(columns, clean(sought))
            if len(own) > 1:
                raise SurveyError(
                    f"The codebook's {name!r} may be {listed(map(repr, own))}; rename the column "
                    "that it is."
                )
            if own:
                names.setdefault(own[0], name)
                break
    return names


def _names(book: Codebook) -> Iterator[str]:
    """Yield the columns that a codebook names, each once."""
    parts = [part for own in book.composed.values() for part in own.parts]
    asked = dict.fromkeys(name for part in parts for name in (part.column, part.by))
    design = [book.weights, book.strata, book.cluster, book.population]
    described: tuple[Mapping[str, object], ...] = (
        book.items, book.column_labels, book.value_labels, book.column_codes, book.column_words,
        book.column_answers, asked, dict.fromkeys(name for name in design if name is not None),
    )  # fmt: skip
    yield from dict.fromkeys(name for own in described for name in own)


def _ending(columns: Sequence[str], text: str) -> list[str]:
    """Return the columns that are a text, or a group's name and the text."""
    ends = (*(f"{sign}{text}" for sign in _SEPARATORS), f"/ {text}")
    return [name for name in columns if name == text or name.endswith(ends)]


def with_form_names(survey: Survey, book: Codebook) -> Survey:
    """Return a survey whose columns have the codebook's names, and a finding that says which."""
    taken = {*survey.items, survey.weights, survey.strata, survey.cluster, *survey.coded}
    columns = [name for name in survey.data.columns.tolist() if name not in taken]
    new = {old: name for old, name in form_names(columns, book).items() if name not in taken}
    if not new:
        return survey

    return replace(
        survey,
        data=survey.data.rename(columns=new),
        column_labels={new.get(name, name): text for name, text in survey.column_labels.items()},
        value_labels={new.get(name, name): texts for name, texts in survey.value_labels.items()},
        findings=(*survey.findings, form_columns(new)),
    )


def form_columns(names: Mapping[str, str]) -> Finding:
    """Return the finding that says which columns have the codebook's names now."""
    columns = tuple(f"{old!r} is {new}" for old, new in names.items())
    values = {"count": len(names), "columns": columns}
    template = _ONE if len(names) == 1 else _SEVERAL
    return Finding("form-columns", template, tuple(names.values()), "note", len(names), values)


_ONE = "{count} column bears the name of a form and is called as in the codebook: {columns}."
_SEVERAL = "{count} columns bear the names of a form and are called as in the codebook: {columns}."
