"""Every published model parses, is drawn, fits simulated answers, and goes through text and back."""

from pathlib import Path

import pytest

import csimodel as csi
from csimodel.model.catalogue import PUBLISHED
from csimodel.model.published.questions import QUESTIONS

# Constructs and paths of the sources, counted by hand.
SIZES = {
    "acsi": (6, 9), "acsi_government": (9, 10), "acsi_two_qualities": (7, 12), "british": (6, 9),
    "ccsi": (6, 10), "customer_value": (11, 10), "ecsi": (7, 12), "hong_kong": (7, 11),
    "korean": (6, 9), "malaysian": (7, 12), "norwegian": (7, 11), "norwegian_2001": (12, 16),
    "service_gap": (8, 7), "service_index": (8, 7), "service_profit_chain": (10, 9),
    "swedish": (5, 6), "swiss": (3, 3),
}  # fmt: skip


def test_every_function_of_the_catalogue_is_published():
    assert set(PUBLISHED) == set(csi.models.__all__) - {"PUBLISHED", "template"}
    assert {name: (len(m.constructs), len(m.paths)) for name, m in models().items()} == SIZES


def models():
    return {name: build() for name, build in PUBLISHED.items()}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_model_is_fitted_drawn_and_written(name):
    model = PUBLISHED[name]()
    again = csi.Model.from_syntax(model.to_syntax())
    assert (again.constructs, set(again.paths)) == (model.constructs, set(model.paths))
    survey = csi.simulate.population(model).survey(200, rng=1)
    fit = csi.fit(model, survey)
    assert fit.converged
    assert fit.paths.notna().any(axis=None)
    assert csi.plots.path_diagram(fit).axes
    own = PUBLISHED[name](items={"Satisfaction": ["x", "y"]})
    assert own.blocks["Satisfaction"] == ("x", "y")
    with pytest.raises(csi.errors.ModelError, match="Satisfactoin"):
        PUBLISHED[name](items={"Satisfactoin": ["x"]})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_templates_have_a_wording_for_every_item(language):
    for name, model in models().items():
        book = csi.models.template(model, language)
        assert list(book.items) == list(model.items)
        beyond = {item.name for item in book.items.values() if item.wording is None}
        assert beyond == set(), name
        assert csi.Codebook.from_toml(book.to_toml()) == book
        assert {item.construct for item in book.items.values()} == set(model.construct_names)
    chinese = csi.models.template(csi.models.ccsi(), "zh", scale=(1, 5)).items["SAT1"]
    assert (chinese.wording, chinese.maximum) == ("总体满意程度", 5)


def test_texts_of_questions_are_in_their_language():
    for questions in QUESTIONS.values():
        for question in questions:
            assert question.en.isascii()
            assert any("一" <= sign <= "鿿" for sign in question.zh)


def test_templates_of_other_models_are_refused_or_left_open():
    model = csi.Model.from_syntax("Mood =~ m1 + m2\nSatisfaction =~ s1 + s2\nSatisfaction ~ Mood")
    book = csi.models.template(model)
    assert book.items["m1"].wording is None
    assert book.items["s1"].wording == "Satisfied overall"
    strange = csi.Model.from_syntax("Mood =~ m1 + m2\nJoy =~ s1 + s2\nJoy ~ Mood")
    with pytest.raises(
        csi.errors.ModelError, match="None of the constructs Mood and Joy is in the"
    ):
        csi.models.template(strange)
    with pytest.raises(csi.errors.SurveyError, match="has the scale"):
        csi.models.template(model, scale=(5, 1))


def test_variants_of_the_european_and_american_models():
    two = csi.models.ecsi(quality="two")
    assert two.blocks["ServiceQuality"] == ("PERQ3", "PERQ7")
    assert {("Expectation", "ProductQuality"), ("ServiceQuality", "Satisfaction")} <= {
        (path.source, path.target) for path in two.paths
    }
    assert len(two.paths) == 15
    without = csi.models.ecsi(complaints=False)
    assert (len(without.constructs), len(without.paths)) == (6, 10)
    assert csi.models.acsi(price_tolerance=True).blocks["Loyalty"] == (
        "REPUR", "HIGHPTOL", "LOWPTOL",
    )  # fmt: skip
    with pytest.raises(csi.errors.OptionError, match="quality='three'"):
        csi.models.ecsi(quality="three")


def test_the_service_index_of_the_second_order():
    """Quality is made of its dimensions; a part is replaced by its items in a plain model."""
    model = csi.models.service_index(second_order=True)
    assert csi.Model.from_syntax(model.to_syntax()).terms == model.terms
    first = csi.models.service_index()
    quality = [name for name in first.items if not name.startswith("SERV")]
    survey = csi.simulate.population(first).survey(400, rng=1)
    fit = csi.fit(model, survey)
    assert fit.converged
    dimensions = model.blocks["ServiceQuality"]
    # Stage two by hand: PLS of the scores of stage one as items.
    scores = fit.scores[list(dimensions)].add_prefix("score ")
    stage = csi.read_survey(survey.data[quality].join(scores))
    by_hand = csi.fit(
        csi.Model(
            [
                csi.composite("ServiceQuality", list(scores.columns)),
                *(own for own in model.constructs if own.name in ("Satisfaction", "Loyalty")),
            ],
            [("ServiceQuality", "Satisfaction"), ("Satisfaction", "Loyalty")],
        ),
        stage,
    )
    assert (
        abs(
            fit.paths.loc["Satisfaction", "ServiceQuality"]
            - by_hand.paths.loc["Satisfaction", "ServiceQuality"]
        )
        < 0.01
    )
    assert csi.plots.path_diagram(fit).axes
    book = csi.models.template(model, "zh")
    assert list(book.items) == quality
    assert all(item.wording for item in book.items.values())
    own = csi.models.service_index({"Completeness": ["a", "b"]}, second_order=True)
    assert own.blocks["Completeness"] == ("a", "b")
    with pytest.raises(csi.errors.OptionError, match="second_order='yes'"):
        csi.models.service_index(second_order="yes")


def test_a_codebook_with_everything_goes_through_text():
    text = """
[survey]
title = "A \\"title\\""
weights = "w"
replicate_weights = ["r1", "r2"]
replicate_method = { scheme = "fay", fay = 0.3 }
[items]
q1 = { construct = "Quality", scale = [1, 5], missing_codes = [8, 9.5], reversed = true }
"投诉 a" = { wording = "反斜杠 \\\\", labels = { 1 = "no", 10 = "yes" } }
[columns]
firm = { wording = "provider", missing_codes = [99], labels = { 1 = "A", "b c" = "B" } }
"""
    book = csi.Codebook.from_toml(text)
    assert csi.Codebook.from_toml(book.to_toml()) == book
    assert csi.Codebook.from_toml(csi.Codebook().to_toml()) == csi.Codebook()


def test_names_of_the_mobile_phone_survey_have_its_questions():
    """Words that the survey's own codebook shares with the template stand at the same items."""
    book = csi.models.template(csi.models.ecsi())
    own = Path(__file__).parents[2] / "data" / "mobi.toml"
    known = {name: item.wording for name, item in csi.read_codebook(own).items.items()}
    for name, word in {
        "PERQ3": "advice", "PERQ6": "eliability", "CUSL2": "cost less", "CUSL3": "recommend",
        "PERQ5": "roducts and services", "PERQ7": "information", "CUSA3": "ideal",
    }.items():  # fmt: skip
        assert word.lower() in known[name].lower()
        assert word.lower() in book.items[name].wording.lower()
