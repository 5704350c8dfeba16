"""The plan of a survey as a document: whom, how many, what, when, how weighted, how reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np

from csimodel.arguments import checked, checked_in
from csimodel.errors import OptionError, SurveyError, suggest
from csimodel.findings import listed
from csimodel.grid import Grid, grid
from csimodel.measures.documents import write_document
from csimodel.measures.plan_texts import STEPS, TEXTS, Step
from csimodel.measures.sample_plan import SamplePlan
from csimodel.page import HasPage, Page, Section
from csimodel.survey import Codebook, Item
from csimodel.translation import Language

_NEAR = 0.02  # of a stratum's share, within which a sample is proportional


@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class SurveyPlan(HasPage):
    """A survey plan. Made by `csi.measures.survey_plan`.

    Attributes
    ----------
    codebook
        The questions, and the columns of the design.
    sample
        How many to ask.
    who
        The population, in words.
    schedule
        When each step is, in words.
    language
        Of the document.
    title
        Of the document.
    """

    codebook: Codebook
    sample: SamplePlan
    who: str | None = None
    schedule: Mapping[Step, str] = field(default_factory=dict)
    language: Language = "en"
    title: str | None = None

    @property
    def page(self) -> Page:
        """The plan on a page."""
        text = TEXTS[self.language]
        sample = self.sample
        of = text[f"target {sample.target}"]
        told = {"n": sample.total, "half": sample.half_width, "level": sample.level, "of": of}
        return Page(
            self.title or self.codebook.title or text["title"],
            text["headline"].format(**told),
            sections=(
                Section(text["who"], notes=(self.who or text["who missing"],)),
                Section(text["sample"], self._sample_grid(), self._sample_notes()),
                Section(text["steps"], self._steps_grid()),
                Section(text["questions"], self._questions_grid()),
                Section(text["weights"], notes=self._weights_notes()),
                Section(text["analysis"], self._analysis_grid()),
                Section(text["report"], notes=(text["report notes"].format(**told),)),
            ),
            clean="",
            language=self.language,
        )

    def write(self, path: str | PathLike[str]) -> Path:
        """Write the plan as ``.md``, ``.html`` or ``.docx``.

        Raises
        ------
        OptionError
            For another ending, a file that cannot be written, or ``.docx`` without python-docx.
        """
        return write_document(self.page, path)

    def _sample_grid(self) -> Grid:
        text, table = TEXTS[self.language], self.sample.table
        head = ["stratum", "share", "n", "invited", "cost"]
        cells = [
            [str(name), f"{row['share']:.1%}", f"{int(row['n']):,}", f"{int(row['invited']):,}",
             f"{row['cost']:,.0f}"]
            for name, row in table.iterrows()
        ]  # fmt: skip
        if not self.sample.cost:
            head, cells = head[:-1], [row[:-1] for row in cells]
        return grid("", [text[f"column {name}"] for name in head], cells)

    def _sample_notes(self) -> tuple[str, ...]:
        text, sample = TEXTS[self.language], self.sample
        notes = [
            text["response"].format(
                invited=int(sample.table["invited"].sum()), rate=sample.response_rate
            ),
            text["expected"].format(half=sample.expected_half_width),
        ]
        if sample.target == "difference":
            notes.insert(0, text["two groups"])
        if sample.cluster_size > 1:
            notes.append(text["clusters"].format(m=sample.cluster_size, icc=sample.icc,
                                                 deff=sample.design_effect))  # fmt: skip
        return tuple(notes)

    def _steps_grid(self) -> Grid:
        text = TEXTS[self.language]
        told = {"n": self.sample.total, "invited": int(self.sample.table["invited"].sum())}
        rows = [
            [text[f"step {step}"], text[f"do {step}"].format(**told),
             self.schedule.get(step, text["to be set"])]
            for step in STEPS
        ]  # fmt: skip
        return grid("", [text["column step"], text["column what"], text["column when"]], rows,
                    range(3))  # fmt: skip

    def _questions_grid(self) -> Grid:
        text, book = TEXTS[self.language], self.codebook
        order = list(dict.fromkeys(item.construct for item in book.items.values()))
        items = sorted(book.items.values(), key=lambda item: order.index(item.construct))
        others = [
            Item(name, None, wording, missing_codes=book.column_codes.get(name, ()),
                 missing_words=book.column_words.get(name, ()))
            for name, wording in book.column_labels.items()
            if name not in book.items
        ]  # fmt: skip
        rows = [
            [item.construct or "", item.name,
             item.wording or book.column_labels.get(item.name) or "", self._answers(item),
             ", ".join([*(f"{code:g}" for code in item.missing_codes), *item.missing_words])]
            for item in (*items, *others)
        ]  # fmt: skip
        head = ["construct", "name", "question", "answers", "no answer"]
        return grid("", [text[f"column {name}"] for name in head], rows, range(5))

    def _answers(self, item: Item) -> str:
        text = TEXTS[self.language]
        labels = self.codebook.value_labels.get(item.name, {})
        if item.minimum is None or item.maximum is None:
            return "; ".join(labels.values()) or text["open"]
        ends = [labels.get(end) for end in (item.minimum, item.maximum)]
        low, high = (
            f"{end:g}" if label is None else f"{end:g} ({label})"
            for end, label in zip((item.minimum, item.maximum), ends, strict=True)
        )
        return text["scale"].format(low=low, high=high)

    def _weights_notes(self) -> tuple[str, ...]:
        text, book, table = TEXTS[self.language], self.codebook, self.sample.table
        notes = []
        drawn = table["n"] / table["n"].sum()
        if (np.abs(drawn / table["share"] - 1) > _NEAR).any():
            ratio = table["share"] / drawn
            notes.append(
                text["unequal"].format(
                    weights=text["comma"].join(
                        f"{name} {value:.3g}" for name, value in ratio.items()
                    )
                )
            )
        else:
            notes.append(text["equal"])
        design = {"weights": book.weights, "strata": book.strata, "cluster": book.cluster}
        notes += [text[f"design {key}"].format(column=own) for key, own in design.items() if own]
        return (*notes, text["rake"])

    def _analysis_grid(self) -> Grid:
        text = TEXTS[self.language]
        rows = [[text[f"analysis {call}"], call] for call in _CALLS]
        return grid("", [text["column step"], text["column call"]], rows, range(2))


_CALLS = ("csi.read_survey", "csi.describe", "csi.analyze_items", "csi.fit", "csi.index_scores",
          "csi.linearize", "csi.importance_performance", "csi.repurchase")  # fmt: skip


@checked
def survey_plan(
    codebook: Codebook,
    sample: SamplePlan,
    *,
    who: str | None = None,
    schedule: Mapping[str, str] | None = None,
    language: Language = "en",
    title: str | None = None,
) -> SurveyPlan:
    """Put together the plan of a survey from its questions and its sample.

    The document says whom to ask, how many, the steps of the field work, the questions by
    construct, how answers are weighted, analysed and reported. What is not given is marked as to
    be set; nothing is invented.

    Parameters
    ----------
    codebook
        The questions: `csi.read_codebook`, `csi.draft_codebook` or `csi.models.template`.
    sample
        From `csi.sample_plan`.
    who
        The population, in words.
    schedule
        When steps are, in words, as in ``{"fieldwork": "March"}``: ``"explore"``, ``"pretest"``,
        ``"fieldwork"``, ``"cleaning"``, ``"analysis"``, ``"report"``.
    language
        ``"en"`` or ``"zh"``.
    title
        By default that of the codebook.

    Returns
    -------
    SurveyPlan
        ``plan.write("plan.docx")`` (or ``.html``, ``.md``) makes the document.

    Raises
    ------
    SurveyError
        When the codebook has no items.
    OptionError
        For a step that is not known.

    Examples
    --------
    >>> import csimodel as csi
    >>> book = csi.models.template(csi.models.ccsi(), "zh")
    >>> plan = survey_plan(book, csi.sample_plan(2.0), who="全国移动电话用户", language="zh")
    >>> plan.page.headline
    '387 份有效问卷：满意度指数的 95% 区间半宽为 ±2 分。'
    """
    if not codebook.items:
        raise SurveyError("The codebook has no items, so there is nothing to plan.")
    steps: dict[Step, str] = {}
    for name, time in (schedule or {}).items():
        step = next((known for known in STEPS if known == name), None)
        if step is None:
            raise OptionError(
                f"schedule names the step {name!r}{suggest(name, STEPS)}; steps are "
                f"{listed(STEPS, 10)}."
            )
        steps[step] = time
    return SurveyPlan(codebook, sample, who, steps, language, title)
