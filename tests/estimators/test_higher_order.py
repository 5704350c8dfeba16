"""Constructs of constructs: repeated items and embedded stages against other programs."""

import numpy as np
import pytest

import csimodel as csi
from csimodel.errors import OptionError

M = csi.Model.from_syntax
ECSI = csi.models.ecsi().to_syntax()
WHOLE = "Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7"
PARTS = "QA =~ PERQ1 + PERQ2 + PERQ3\nQB =~ PERQ4 + PERQ5 + PERQ6 + PERQ7\nQuality {} QA + QB"


def model(sign):
    return M(ECSI.replace(WHOLE, PARTS.format(sign)))


def estimator(higher_order, mode=None, **more):
    modes = None if mode is None else {"Quality": mode}
    return csi.PLS(tolerance=1e-13, higher_order=higher_order, modes=modes, **more)


CASES = {
    "formative_modeA": ("<~", "repeated", "A"),
    "formative_modeB": ("<~", "repeated", "B"),
    "formative_modeA_extended": ("<~", "extended", "A"),
    "formative_modeB_extended": ("<~", "extended", "B"),
    "reflective_modeA": ("=~", "repeated", "A"),
    "reflective_modeB": ("=~", "repeated", "B"),
}


@pytest.mark.parametrize("name", list(CASES))
def test_repeated_items(reference, frame, mobi, name):
    sign, way, mode = CASES[name]
    known = reference("mobi_higher_order_items.json")["repeated_indicators"]
    fit = csi.fit(model(sign), mobi, estimator(way, mode))
    paths = frame(known[name]["paths"]).T
    np.testing.assert_allclose(fit.paths.loc[paths.index, paths.columns], paths, atol=1e-10)
    weights = frame(known[name]["weights"])
    own = weights.rename(index=lambda item: item.replace("_r", " in Quality"))
    np.testing.assert_allclose(fit.weights.loc[own.index, own.columns], own, atol=1e-10)
    np.testing.assert_allclose(fit.scores.corr(), fit.construct_cor, atol=1e-12)
    total = known.get(f"{name}_antecedent_total_effect", {"Expectation": None})["Expectation"]
    if total is not None:
        own = fit.total_effects.loc["Quality", "Expectation"]
        assert own == pytest.approx(total, abs=1e-10)
        assert fit.paths.loc["Quality", "Expectation"] == 0.0


@pytest.mark.parametrize("mode", ["A", "B"])
@pytest.mark.parametrize(("name", "reestimate"), [("items_kept", True), ("all_scores", False)])
def test_embedded_stages(reference, frame, mobi, mode, name, reestimate):
    known = reference("mobi_higher_order_items.json")["embedded_two_stage"][f"{name}_mode{mode}"]
    fit = csi.fit(model("<~"), mobi, estimator("embedded", mode, reestimate=reestimate))
    paths = frame(known["paths"]).T
    np.testing.assert_allclose(fit.paths.loc[paths.index, paths.columns], paths, atol=1e-10)
    disjoint = csi.fit(model("<~"), mobi, estimator("disjoint", mode, reestimate=reestimate))
    assert abs(disjoint.paths.loc[paths.index, paths.columns] - paths).max().max() > 1e-5


def test_a_mode_of_the_whole_is_no_news_to_the_first_stage(mobi):
    by_kind = csi.fit(model("<~"), mobi, estimator("disjoint"))
    by_name = csi.fit(model("<~"), mobi, estimator("disjoint", "B"))
    np.testing.assert_array_equal(by_kind.paths, by_name.paths)
    with pytest.raises(OptionError, match="modes names construct 'Qualiti'"):
        csi.fit(model("<~"), mobi, csi.PLS(modes={"Qualiti": "B"}))
    with pytest.raises(OptionError, match=r"higher_order='joint' .* 'embedded'"):
        csi.PLS(higher_order="joint")


@pytest.mark.parametrize("way", ["embedded", "repeated", "extended"])
def test_a_draw_is_the_fit_of_its_file(mobi, way):
    fit = csi.fit(model("<~"), mobi, estimator(way))
    rows = np.random.default_rng(4).integers(250, size=(21, 250))
    boot = csi.bootstrap(fit, resamples=rows, progress=False)
    alone = csi.fit(model("<~"), mobi.data.iloc[rows[20]].reset_index(drop=True), fit.estimator)
    for quantity in ("paths", "r2", "total_effects", "loadings"):
        values = csi.estimators.find(quantity).values(alone.solution)
        np.testing.assert_allclose(boot.values(quantity)[20], values, atol=1e-8)


@pytest.mark.parametrize(
    ("sign", "way"),
    [("=~", "embedded"), ("<~", "repeated"), ("=~", "repeated"), ("<~", "extended")],
)
def test_indexes_are_scores_on_a_scale(mobi, sign, way):
    survey = csi.read_survey(mobi.data, scale=dict.fromkeys(mobi.items, (1, 10)))
    fit = csi.fit(model(sign), survey, estimator(way))
    index, scores = csi.respondent_index(fit), fit.scores
    for name in ("Quality", "Satisfaction"):
        assert np.corrcoef(index[name], scores[name])[0, 1] == pytest.approx(1.0, abs=1e-12)
    errors = csi.linearize(fit).table("index")["se"]
    drawn = csi.index_scores(fit, bootstrap=csi.bootstrap(fit, draws=300, rng=1, progress=False))
    assert drawn["se"]["Quality"] == pytest.approx(errors["Quality"], rel=0.15)


def test_what_leads_to_a_whole_by_its_parts_counts(mobi):
    """Drivers of an index: the effect of Expectation goes through the parts of Quality."""
    survey = csi.read_survey(mobi.data, scale=dict.fromkeys(mobi.items, (1, 10)))
    importance = {
        way: csi.importance_performance(
            csi.fit(model("<~"), survey, estimator(way)), "Satisfaction"
        )
        for way in ("extended", "disjoint", "repeated")
    }
    values = {way: table.loc["Expectation", "importance"] for way, table in importance.items()}
    assert values["extended"] == pytest.approx(values["disjoint"], rel=0.1)
    assert values["repeated"] < 0.25 * values["extended"]


def test_a_repeated_composite_with_antecedents_is_told(mobi):
    (finding,) = csi.fit(model("<~"), mobi, estimator("repeated")).diagnostics[-1:]
    assert finding.code == "repeated-composite-has-antecedents"
    assert finding.subjects == ("Quality", "Expectation")
    assert finding.values == {"construct": "Quality", "antecedents": ("Expectation",)}
    for sign, way in (("<~", "extended"), ("=~", "repeated"), ("<~", "disjoint")):
        findings = csi.fit(model(sign), mobi, estimator(way)).diagnostics
        assert finding.code not in {other.code for other in findings}


def test_both_orders_are_judged(mobi):
    for way in ("disjoint", "embedded", "repeated"):
        checked = csi.assess(csi.fit(model("=~"), mobi, estimator(way)))
        told = checked.verdicts
        subjects = set(told.loc[told["measure"] == "rho_c", "subject"])
        assert {"QA", "QB", "Quality", "Image"} <= subjects
        loadings = told.loc[told["measure"] == "loading", "subject"].astype(str)
        assert loadings.str.contains("PERQ1").any()


def test_products_beside_constructs_of_constructs(mobi):
    moderated = M(f"{model('=~').to_syntax()}\nLoyalty ~ Image:Satisfaction")
    values = {}
    for way in ("disjoint", "embedded", "repeated"):
        for products in ("two-stage", "product-indicator"):
            fit = csi.fit(moderated, mobi, estimator(way, products=products))
            assert fit.converged
            np.testing.assert_allclose(fit.scores.corr(), fit.construct_cor, atol=1e-12)
            values[way, products] = fit.paths.loc["Loyalty", "Image:Satisfaction"]
    assert np.ptp([value for (_, way), value in values.items() if way == "two-stage"]) < 0.01
