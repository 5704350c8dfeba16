"""A codebook with wordings for a model of the catalogue, to be edited."""

from __future__ import annotations

from csimodel.arguments import checked
from csimodel.errors import ModelError
from csimodel.findings import listed
from csimodel.model.model import Model
from csimodel.model.published.questions import OF_ITEMS, QUESTIONS
from csimodel.options import require_kind
from csimodel.survey.codebook import Codebook
from csimodel.survey.codebook_values import parse_scale
from csimodel.survey.item import Item
from csimodel.translation import Language


@checked
def template(
    model: Model, language: Language = "en", *, scale: tuple[float, float] = (1, 10)
) -> Codebook:
    """Return a codebook for a model: each item with its construct, a short wording and the scale.

    Wordings are those of the catalogue's constructs, in the order of the items (those of the mobile
    phone survey by their names); an item beyond them has none yet.
    ``csi.models.template(model).to_toml()`` is the file to edit.

    Parameters
    ----------
    model
        One of the catalogue, with its items or yours.
    language
        Of the wordings: ``"en"``, or ``"zh"`` for Chinese.
    scale
        Lowest and highest answer.

    Raises
    ------
    ModelError
        When no construct of the model is in the catalogue.
    SurveyError
        When the scale is none.

    Examples
    --------
    >>> from csimodel.model import catalogue
    >>> template(catalogue.ccsi(), "zh").items["SAT1"].wording
    '总体满意程度'
    """
    require_kind("model", model, Model, "give one of csi.models, such as csi.models.ecsi()")
    low, high = parse_scale(scale, "The questionnaire")
    known = [name for name in model.construct_names if name in QUESTIONS]
    if not known:
        raise ModelError(
            f"None of the constructs {listed(model.construct_names)} is in the catalogue; its "
            f"constructs are {listed(QUESTIONS, 100)}."
        )
    items = {}
    terms = {term.name for term in model.terms}
    for own in model.constructs:
        if own.name in terms:  # made of constructs, which have the questions
            continue
        questions = QUESTIONS.get(own.name, ())
        for place, name in enumerate(own.items):
            question = OF_ITEMS.get(name) or (questions[place] if place < len(questions) else None)
            wording = None if question is None else getattr(question, language)
            items[name] = Item(name, own.name, wording, low, high)
    labels = {name: item.wording for name, item in items.items() if item.wording is not None}
    return Codebook(items=items, title=model.name or None, column_labels=labels)
