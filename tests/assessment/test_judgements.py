"""Verdicts at and beside the lines that the literature draws, which are written down here again.

Reliability 0.60, 0.70, 0.95 (Nunnally & Bernstein 1994; Hair et al. 2019), AVE 0.50 (Fornell &
Larcker 1981), loadings 0.40, 0.708 and variance inflation 3, 5 (Hair et al. 2019), HTMT 0.85, 0.90
(Henseler et al. 2015), f² 0.02, 0.15, 0.35 (Cohen 1988), R² 0.25, 0.50, 0.75, SRMR 0.08, 0.10.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.assessment import judge_measurement, judge_structure, wording

NAN = float("nan")
MODEL = csi.Model.from_syntax(
    "A =~ IMAG1 + IMAG2 + IMAG3\nB <~ CUEX1 + CUEX2\nC =~ CUSCO\nD =~ CUSL1 + CUSL3\n"
    "D ~ A + B + C\nC ~ A"
)


@pytest.fixture(scope="module")
def own():
    return csi.fit(MODEL, csi.load_mobi())


def with_estimates(fit, **changes):
    estimates = replace(fit.estimates, **changes)
    return replace(fit, solution=replace(fit.solution, estimates=estimates))


def words(verdicts):
    return [verdict.verdict for verdict in verdicts]


@pytest.mark.parametrize("measure", ["alpha", "rho_a", "rho_c"])
@pytest.mark.parametrize(
    ("value", "word", "sentence"),
    [
        (NAN, "not judged", "not judged"),
        (-0.01, "impossible", "below"),
        (0.0, "poor", "poor"),
        (0.599, "poor", "poor"),
        (0.60, "acceptable", "acceptable"),
        (0.699, "acceptable", "acceptable"),
        (0.70, "good", "good"),
        (0.95, "good", "good"),
        (0.951, "too high", "too high"),
        (1.0, "too high", "too high"),
        (1.01, "impossible", "above"),
    ],
)
def test_reliabilities(measure, value, word, sentence):
    verdict = judge_measurement._consistency(measure, "A", value)
    assert (verdict.verdict, verdict.measure, verdict.subject) == (word, measure, "A")
    assert verdict.template == wording.CONSISTENCY[sentence]
    np.testing.assert_equal(verdict.value, value)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (NAN, "not judged"),
        (-0.1, "impossible"),
        (0.499, "poor"),
        (0.5, "good"),
        (1.0, "good"),
        (1.1, "impossible"),
    ],
)
def test_variance_extracted(value, word):
    verdict = judge_measurement._extracted("A", value)
    assert (verdict.verdict, verdict.template) == (word, wording.AVE[word])
    np.testing.assert_equal(verdict.values["percent"], 100 * value)


def test_every_reflective_construct_gets_four_verdicts_and_the_others_a_reason(own):
    table = own.solution
    verdicts = list(judge_measurement.judge_reliability(own))
    assert [(v.measure, v.subject) for v in verdicts] == [
        *((m, "A") for m in ("alpha", "rho_a", "rho_c", "ave")),
        *(("reliability", name) for name in "BC"),
        *((m, "D") for m in ("alpha", "rho_a", "rho_c", "ave")),
    ]
    assert verdicts[4].template == wording.UNJUDGED["formed"]
    assert verdicts[5].template == wording.UNJUDGED["single"]
    for verdict in (*verdicts[:4], *verdicts[6:]):
        values = csi.assess(own).reliability[verdict.measure]
        assert verdict.value == values[verdict.subject], table


@pytest.mark.parametrize(
    ("value", "word", "sentence"),
    [
        (NAN, "not judged", "not judged"),
        (-1.1, "impossible", "impossible"),
        (-0.4, "poor", "opposite"),
        (-0.399, "poor", "poor"),
        (0.399, "poor", "poor"),
        (0.4, "acceptable", "acceptable"),
        (0.707, "acceptable", "acceptable"),
        (0.708, "good", "good"),
        (1.0, "good", "good"),
        (1.1, "impossible", "impossible"),
    ],
)
def test_loadings(own, value, word, sentence):
    loadings = own.estimates.loadings.copy()
    loadings[1] = value
    verdicts = list(judge_measurement.judge_loadings(with_estimates(own, loadings=loadings)))
    assert [v.subject for v in verdicts] == ["IMAG1", "IMAG2", "IMAG3", "CUSL1", "CUSL3"]
    assert (verdicts[1].verdict, verdicts[1].template) == (word, wording.LOADING[sentence])
    assert verdicts[1].values == {"item": "IMAG2", "construct": "A"}


def pair(first, second, estimate, **more):
    index = pd.MultiIndex.from_tuples([(first, second)])
    return pd.DataFrame({"estimate": [estimate], **{k: [v] for k, v in more.items()}}, index)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0.849, "good"),
        (0.85, "acceptable"),
        (0.899, "acceptable"),
        (0.90, "poor"),
        (NAN, "not judged"),
    ],
)
def test_ratios_of_correlations(own, value, word):
    (verdict,) = judge_measurement.judge_htmt(own, pair("D", "A", value), 0.95)
    assert (verdict.verdict, verdict.subject) == (word, "A and D")
    assert verdict.template == wording.HTMT[word, False]
    (verdict,) = judge_measurement.judge_htmt(own, pair("D", "C", value), 0.95)
    assert (verdict.verdict, verdict.subject) == (word, "C and D")
    lenient = word in ("good", "acceptable")
    assert verdict.template == wording.HTMT[word, lenient]
    for first, second in (("D", "B"), ("B", "A")):
        (verdict,) = judge_measurement.judge_htmt(own, pair(first, second, value), 0.95)
        assert verdict.verdict == "not judged"


@pytest.mark.parametrize(
    ("upper", "word"),
    [(0.999, "good"), (1.0, "poor"), (NAN, "not judged"), (np.inf, "not judged")],
)
def test_intervals_of_ratios(own, upper, word):
    of_pair, interval = judge_measurement.judge_htmt(own, pair("D", "A", 0.8, upper=upper), 0.9)
    assert (of_pair.verdict, interval.verdict, interval.subject) == ("good", word, "A and D")
    assert interval.template == wording.HTMT_INTERVAL[word]
    assert interval.values["percent"] == 90.0


@pytest.mark.parametrize(
    ("most", "word"),
    [
        (0.3, "good"),
        (-0.3, "good"),
        (0.97, "poor"),
        (-0.97, "poor"),
        (1.1, "impossible"),
        (NAN, "not judged"),
    ],
)
def test_correlations_against_shared_variance(own, most, word):
    cor = np.eye(4) + 0.1 * (1 - np.eye(4))
    cor[0, 3] = cor[3, 0] = most
    fit = with_estimates(own, construct_cor=cor)
    first, second = judge_measurement.judge_fornell_larcker(fit)
    assert (first.subject, second.subject) == ("A", "D")
    assert first.verdict == second.verdict == word
    if word == "not judged":
        assert first.template == wording.FORNELL_LARCKER_UNKNOWN
        return
    assert first.template == wording.FORNELL_LARCKER[word]
    assert first.values == {"construct": "A", "other": "D", "most": abs(most)}
    np.testing.assert_allclose(first.value**2, (own.estimates.loadings[:3] ** 2).mean())


def test_shared_variance_needs_another_construct():
    fit = csi.fit(csi.Model.from_syntax("S =~ CUSA1 + CUSA2 + CUSA3"), csi.load_mobi(), csi.ML())
    assert list(judge_measurement.judge_fornell_larcker(fit)) == []


VIF = [
    (NAN, "not judged"),
    (0.9, "impossible"),
    (1.0, "good"),
    (2.999, "good"),
    (3.0, "acceptable"),
    (4.999, "acceptable"),
    (5.0, "poor"),
    (np.inf, "poor"),
]


@pytest.mark.parametrize(("value", "word"), VIF)
def test_variance_inflation_of_items(own, monkeypatch, value, word):
    monkeypatch.setattr(judge_structure.structure, "item_vif", lambda _: np.full(8, value))
    verdicts = list(judge_structure.judge_item_vif(own))
    assert [v.subject for v in verdicts] == [i for i in MODEL.items if i != "CUSCO"]
    assert set(words(verdicts)) == {word}
    poor = {"IMAG1": wording.REPEATING, "CUEX1": wording.REPEATING_FORMED}
    for verdict in verdicts:
        if verdict.subject in poor:
            expected = poor[verdict.subject] if word == "poor" else wording.ITEM_VIF[word]
            assert verdict.template == expected


@pytest.mark.parametrize(("value", "word"), VIF)
def test_variance_inflation_of_antecedents(own, monkeypatch, value, word):
    monkeypatch.setattr(judge_structure.structure, "antecedent_vif", lambda _: np.full(4, value))
    verdicts = list(judge_structure.judge_antecedents(own))
    assert [v.subject for v in verdicts] == [f"{name} → D" for name in "ABC"]
    assert set(words(verdicts)) == {word}
    assert {v.template for v in verdicts} == {wording.ANTECEDENT_VIF[word]}


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (NAN, "not judged"),
        (0.0, "negligible"),
        (0.019, "negligible"),
        (0.02, "small"),
        (0.149, "small"),
        (0.15, "medium"),
        (0.349, "medium"),
        (0.35, "large"),
    ],
)
def test_effect_sizes(own, monkeypatch, value, word):
    monkeypatch.setattr(judge_structure.structure, "f2", lambda _: np.full(4, value))
    verdicts = list(judge_structure.judge_effects(own))
    sizes = [v for v in verdicts if v.measure == "f2"]
    assert [v.subject for v in sizes] == ["A → C", "A → D", "B → D", "C → D"]
    assert set(words(sizes)) == {word}
    assert {v.template for v in sizes} == {wording.F2[word]}
    explained = [(v.subject, v.value) for v in verdicts if v.measure == "r2"]
    assert explained == [(name, own.r2[name]) for name in ("C", "D")]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (NAN, "not judged"),
        (-0.1, "impossible"),
        (0.249, "very weak"),
        (0.25, "weak"),
        (0.499, "weak"),
        (0.5, "moderate"),
        (0.749, "moderate"),
        (0.75, "substantial"),
        (1.1, "impossible"),
    ],
)
def test_variance_explained(value, word):
    verdict = judge_structure._explained("D", value, 250)
    assert (verdict.verdict, verdict.template) == (word, wording.R2[word])
    np.testing.assert_equal(verdict.values["percent"], 100 * value)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0.079, "good"),
        (0.08, "acceptable"),
        (0.099, "acceptable"),
        (0.10, "poor"),
        (NAN, "not judged"),
    ],
)
@pytest.mark.parametrize("consistent", [False, True])
def test_global_fit(monkeypatch, value, word, consistent):
    fit = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.PLS(consistent=consistent))
    own = judge_structure.global_fit
    monkeypatch.setattr(own, "srmr", lambda _, saturated: value + 100 * saturated)
    monkeypatch.setattr(own, "d_g", lambda _, saturated: NAN if saturated else 1.0)
    whole, part, distance = judge_structure.judge_global(fit)
    assert (whole.subject, whole.verdict) == ("estimated model", word)
    assert (part.subject, part.measure) == ("saturated model", "srmr")
    assert part.verdict == ("not judged" if np.isnan(value) else "poor")
    assert (distance.measure, distance.subject) == ("d_g", "saturated model")
    assert distance.verdict == "not judged"
    uncorrected = not consistent and word in wording.SRMR_UNCORRECTED
    table = wording.SRMR_UNCORRECTED if uncorrected else wording.SRMR
    assert whole.template == table[word]
    assert "measurement alone" in part.values["part"]
    assert "whole model" in whole.values["part"]


def test_the_heading_counts_what_asks_for_attention(own):
    page = csi.assess(own)
    verdicts = page.verdicts["verdict"]
    poor = int(verdicts.isin(["poor", "too high", "impossible"]).sum())
    unjudged = int((verdicts == "not judged").sum())
    assert poor > 0
    assert unjudged > 0
    heading = f"{len(verdicts)} checks: {poor} need attention, {unjudged} cannot be judged."
    assert heading in str(page)
    assert len(page.page.points) == poor + unjudged


def test_nothing_is_judged_of_what_so_few_rows_fit_exactly():
    """In 5 rows 5 items, or 7 constructs, follow from each other, and 4 antecedents explain all."""
    mobi, model = csi.load_mobi().data.iloc[20:], csi.models.ecsi()
    few, more = (csi.fit(model, mobi.iloc[:rows]) for rows in (5, 8))
    told = {(v.measure, v.subject): v for v in csi.assess(few).judgements}
    for subject, table in (
        (("item_vif", "IMAG1"), wording.ITEM_VIF),
        (("item_vif", "PERQ7"), wording.ITEM_VIF),
        (("f2", "Image → Satisfaction"), wording.F2),
        (("r2", "Satisfaction"), wording.R2),
    ):
        assert told[subject].verdict == "not judged"
        assert told[subject].template == table[wording.EXACT]
        assert "5 rows" in told[subject].sentence
    assert told["r2", "Loyalty"].verdict != "not judged"
    assert told["item_vif", "CUEX1"].verdict != "not judged"
    every = csi.assessment.full_collinearity(few)
    assert set(every["verdict"]) == {"not judged"}
    assert every["sentence"].str.startswith("In 5 rows the constructs follow exactly").all()
    exact = {table[wording.EXACT] for table in (wording.ITEM_VIF, wording.F2, wording.R2)}
    assert not exact & {verdict.template for verdict in csi.assess(more).judgements}


def test_as_many_antecedents_as_rows_follow_from_each_other():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(3, 4)), columns=list("abcd"))
    fit = csi.fit(csi.Model.from_syntax("A =~ a\nB =~ b\nC =~ c\nD =~ d\nD ~ A\nC ~ B"), frame)
    model = csi.Model.from_syntax("A =~ a\nB =~ b\nC =~ c\nD =~ d\nD ~ A + B + C")
    both = replace(fit, solution=replace(fit.solution, model=model))
    (first, *_) = judge_structure.judge_antecedents(both)
    assert (first.verdict, first.template) == (
        "not judged",
        wording.ANTECEDENT_VIF[wording.EXACT],
    )
