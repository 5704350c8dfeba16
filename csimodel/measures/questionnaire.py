"""A questionnaire written from a codebook: XLSForm for the field, pages for print."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from csimodel.arguments import checked
from csimodel.characters import printable
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import listed
from csimodel.grid import escaped
from csimodel.measures.documents import html_document, write_document
from csimodel.measures.items import skip_rules
from csimodel.options import shown
from csimodel.page import Page, Section
from csimodel.survey import Codebook, Item
from csimodel.survey.complete_file import file_path, write_file
from csimodel.survey.readers import needs
from csimodel.survey.wordings import NO_ANSWER, no_answer_labels
from csimodel.translation import Language

Rows = list[dict[str, str]]

_NAME = re.compile(r"[^\W\d][\w.-]*")
_MOST_CHOICES = 21  # of a scale whose steps are shown one by one
_TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {"title": "Questionnaire", "none": NO_ANSWER["en"], "range": "from {low:g} to {high:g}"},
    "zh": {"title": "调查问卷", "none": NO_ANSWER["zh"], "range": "{low:g} 至 {high:g}"},
}


class Choice(NamedTuple):
    """An answer that can be chosen: its code and what is read."""

    code: str
    label: str


class FormField(NamedTuple):
    """A question of the questionnaire."""

    name: str
    wording: str
    choices: tuple[Choice, ...]
    ends: tuple[float, float] | None
    relevant: str


@checked
def write_questionnaire(
    codebook: Codebook,
    path: str | PathLike[str],
    *,
    language: Language = "en",
    title: str | None = None,
    asked_if: Mapping[str, tuple[str, float]] | None = None,
) -> Path:
    r"""Write the questions of a codebook as a questionnaire.

    ``.xlsx`` is an XLSForm, which ODK and KoboToolbox read; what comes back from the field has the
    codebook's names and codes, so that `csi.read_survey(answers, codebook=…)` reads it. ``.html``,
    ``.docx`` (Word) and ``.md`` are pages to print.

    Parameters
    ----------
    codebook
        Items and columns with their wording, scale, labels and missing codes, which are offered as
        answers, too.
    path
        File to write.
    language
        Of what the codebook does not word: ``"en"`` or ``"zh"``.
    title
        By default that of the codebook.
    asked_if
        Which questions are asked of some only, as in ``{"HANDLE": ("COMP", 1)}``.

    Returns
    -------
    Path

    Raises
    ------
    SurveyError
        When the codebook has no question, a name cannot be that of a field, or a wording for an
        XLSForm holds ``${``.
    OptionError
        For another ending, a skip rule that names no question, an answer that is not offered or
        the question itself (in a circle, too), a file that cannot be written, or
        when openpyxl or python-docx is not installed.

    Examples
    --------
    >>> import tempfile
    >>> book = Codebook.from_toml('[items.q1]\nwording = "Satisfied overall"\nscale = [1, 5]')
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_questionnaire(book, f"{folder}/q.html").read_text(encoding="utf-8")
    >>> "Satisfied overall" in page
    True
    """
    file = file_path("path", path, "questionnaire.html")
    texts = _TEXTS[language]
    questions = _questions(codebook, texts, skip_rules(asked_if))
    heading = title or codebook.title or texts["title"]
    ending = file.suffix.lower()
    if ending == ".xlsx":
        return write_file(file, "path", _form(heading, questions, language))
    if ending == ".html":
        return write_file(file, "path", _html(heading, questions, language, texts).encode())
    if ending in (".docx", ".md"):
        return write_document(_page(heading, questions, language, texts), file)
    raise OptionError(
        f"path={shown(str(path))} must end in .xlsx (XLSForm), or in .html, .docx or .md (print)."
    )


def _questions(
    book: Codebook, texts: Mapping[str, str], asked_if: Mapping[str, tuple[str, float]]
) -> list[FormField]:
    """Return items in their order, then other columns that have a wording."""
    design = {book.weights, book.strata, book.cluster, book.population}
    others = [name for name in book.column_labels if name not in book.items and name not in design]
    names = [*book.items, *others]
    if not names:
        raise SurveyError("The codebook has no items, so there is nothing to ask.")
    wrong = [name for name in names if not _NAME.fullmatch(name)]
    if wrong:
        raise SurveyError(
            f"The names {listed(map(repr, wrong))} cannot be those of fields of a form; use "
            "letters, digits and _ , and begin with a letter."
        )
    unknown = [name for rule in asked_if.items() for name in (rule[0], rule[1][0])
               if name not in names]  # fmt: skip
    if unknown:
        raise OptionError(f"asked_if names {unknown[0]!r}, which is no question of the codebook.")
    questions = {name: _question(book, name, texts, asked_if.get(name)) for name in names}
    _require_rules(questions, asked_if)
    return list(questions.values())


def _require_rules(
    questions: Mapping[str, FormField], asked_if: Mapping[str, tuple[str, float]]
) -> None:
    """Refuse rules by which a question is never asked: circles, and answers not offered."""
    for name, (other, answer) in asked_if.items():
        chain = [name]
        while chain[-1] in asked_if and chain.count(chain[-1]) == 1:
            chain.append(asked_if[chain[-1]][0])
        if chain[-1] == name and len(chain) > 1:
            raise OptionError(
                f"asked_if asks {name!r} by an answer that comes after it "
                f"({' < '.join(chain)}), so it is never asked; let a rule name an earlier question."
            )
        asked = questions[other]
        codes = [choice.code for choice in asked.choices]
        offered = _code(answer) in codes
        if not codes:
            offered = asked.ends is None or asked.ends[0] <= answer <= asked.ends[1]
        if not offered:
            allowed = listed(codes) if codes else "{:g} to {:g}".format(*asked.ends or ())
            raise OptionError(
                f"asked_if[{name!r}] asks for the answer {_code(answer)} to {other!r}, which "
                f"offers {allowed}; name one of these."
            )


def _question(
    book: Codebook, name: str, texts: Mapping[str, str], rule: tuple[str, float] | None
) -> FormField:
    words, codes_of = book.column_words.get(name, ()), book.column_codes.get(name, ())
    item = book.items.get(name, Item(name, missing_codes=codes_of, missing_words=words))
    labels = {_code(code): text for code, text in book.value_labels.get(name, {}).items()}
    ends = None
    steps: list[str] = []
    if item.minimum is not None and item.maximum is not None:
        ends = (item.minimum, item.maximum)
        whole = item.minimum == int(item.minimum) and item.maximum == int(item.maximum)
        if whole and item.maximum - item.minimum < _MOST_CHOICES:
            steps = [_code(code) for code in range(int(item.minimum), int(item.maximum) + 1)]
    missing = [*map(_code, item.missing_codes), *item.missing_words]
    codes = dict.fromkeys([*(steps or labels), *(missing if steps or labels else [])])
    bare = [code for code in item.missing_codes if _code(code) not in labels]
    worded = no_answer_labels(bare, texts["none"])
    known = labels | {_code(code): text for code, text in worded.items()}
    choices = [Choice(code, known.get(code, code)) for code in codes]
    relevant = "" if rule is None else f"${{{rule[0]}}} = '{_code(rule[1])}'"
    wording = item.wording or book.column_labels.get(name) or name
    return FormField(name, wording, tuple(choices), None if steps else ends, relevant)


def _code(code: float | str) -> str:
    return code if isinstance(code, str) else f"{code:.12g}"


def _require_plain(questions: Sequence[FormField]) -> None:
    """Refuse words that an XLSForm takes for the answer to another question."""
    for question in questions:
        for text in (question.wording, *(choice.label for choice in question.choices)):
            if "${" in text:
                raise SurveyError(
                    f"The wording {shown(text)} of {question.name!r} holds '${{', which stands for "
                    "the answer to another question in an XLSForm; word it without."
                )


def _form(title: str, questions: Sequence[FormField], language: Language) -> bytes:
    """Return an XLSForm."""
    _require_plain(questions)
    try:
        from openpyxl import Workbook
    except ImportError:
        raise OptionError(needs("Writing an XLSForm", "openpyxl")) from None
    lists: dict[tuple[Choice, ...], str] = {}
    survey: Rows = []
    for question in questions:
        kind = "text"
        row = {"constraint": ""}
        if question.choices:
            own = lists.setdefault(question.choices, f"answers{len(lists) + 1}")
            kind = f"select_one {own}"
        elif question.ends is not None:
            kind = "decimal"
            low, high = question.ends
            row["constraint"] = f". >= {low:g} and . <= {high:g}"
        survey.append(
            {"type": kind, "name": question.name, "label": question.wording,
             "required": "yes" if question.choices else "", "relevant": question.relevant, **row}
        )  # fmt: skip
    choices = [
        {"list_name": name, "name": choice.code, "label": choice.label}
        for own, name in lists.items()
        for choice in own
    ]
    named = {"en": "English (en)", "zh": "中文 (zh)"}[language]
    settings = [{"form_title": title, "form_id": "questionnaire", "default_language": named}]
    book = Workbook()
    book.remove(book.worksheets[0])
    for sheet, rows in (("survey", survey), ("choices", choices), ("settings", settings)):
        page = book.create_sheet(sheet)
        columns = list(rows[0]) if rows else ["list_name", "name", "label"]
        page.append([f"label::{named}" if name == "label" else name for name in columns])
        for row in rows:
            page.append([printable(row[name]) or None for name in columns])
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def _page(
    title: str, questions: Sequence[FormField], language: Language, texts: Mapping[str, str]
) -> Page:
    """Return the questions as a page to print, a section for each."""
    sections = []
    for place, question in enumerate(questions, 1):
        boxes = "   ".join(f"□ {choice.label}" for choice in question.choices)
        answer = boxes or _line(question, texts)
        sections.append(Section(f"{place}. {question.wording}", notes=(answer,)))
    return Page(title, sections=tuple(sections), clean="", language=language)


def _line(question: FormField, texts: Mapping[str, str]) -> str:
    """Return a line to write on, with the range of answers."""
    ends = question.ends
    told = "" if ends is None else texts["range"].format(low=ends[0], high=ends[1])
    return f"________ {told}".rstrip()


def _html(
    title: str, questions: Sequence[FormField], language: Language, texts: Mapping[str, str]
) -> str:
    parts = []
    for question in questions:
        boxes = "".join(
            f"<label><span>□</span> {escaped(choice.label)}</label>" for choice in question.choices
        )
        if not boxes:
            boxes = f"<label>{escaped(_line(question, texts))}</label>"
        parts.append(f"<li><p>{escaped(question.wording)}</p>{boxes}</li>")
    style = (
        "body{font-family:sans-serif;max-width:48em;margin:2em auto}"
        "li{margin:1em 0;break-inside:avoid}label{margin-right:1.2em;white-space:nowrap}"
    )
    body = f"<h1>{escaped(title)}</h1><ol>{''.join(parts)}</ol>"
    return html_document(title, language, style, body)
