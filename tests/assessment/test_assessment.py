"""Assessment: values of other programs, laws, and what the verdicts say."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import csimodel as csi
from csimodel import assessment
from csimodel.estimators import Status, find
from csimodel.estimators.solution import Solution
from csimodel.moments import Moments

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/mobi_assessment.json").read_text())
EXACT = {"rtol": 0, "atol": 1e-8}
QUANTITIES = (
    "alpha",
    "alpha_raw",
    "rho_a",
    "rho_c",
    "ave",
    "htmt",
    "htmt_signed",
    "htmt2",
    "fornell_larcker_margin",
    "item_vif",
    "antecedent_vif",
    "f2",
    "srmr",
    "d_uls",
    "d_g",
)
TIGHT = {"tolerance": 1e-13, "max_iterations": 3000}
ESTIMATORS = {
    "path_modeA": csi.PLS(**TIGHT),
    "path_plsc": csi.PLS(consistent=True, **TIGHT),
    "path_modeB": csi.PLS(modes="B", **TIGHT),
}


def table(entry):
    return pd.DataFrame(entry["data"], entry["rows"], entry["cols"], dtype=float)


@pytest.fixture(scope="module")
def fits():
    model, survey = csi.models.ecsi(), csi.load_mobi()
    return {name: csi.fit(model, survey, estimator) for name, estimator in ESTIMATORS.items()}


@pytest.fixture(scope="module")
def boot(fits):
    return csi.bootstrap(fits["path_modeA"], draws=200, rng=3, progress=False)


def assert_lower(ours, theirs, index):
    """Compare values of pairs with the lower triangle of another program's table."""
    assert len(index) == len(ours)
    for (first, second), value in zip(index, ours, strict=True):
        np.testing.assert_allclose(
            value, theirs.loc[first, second], err_msg=f"{first} {second}", **EXACT
        )


# --- other programs ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["path_modeA", "path_plsc"])
def test_reliability_is_that_of_seminr(fits, name):
    theirs = table(REFERENCE["seminr"][name]["reliability"])
    ours = assessment.assess(fits[name]).reliability
    for mine, other in {"alpha": "alpha", "rho_a": "rhoA", "rho_c": "rhoC", "ave": "AVE"}.items():
        np.testing.assert_allclose(ours[mine], theirs.loc[ours.index, other], **EXACT)


@pytest.mark.parametrize("name", ["path_modeA", "path_plsc", "path_modeB"])
def test_reliability_is_that_of_csem(fits, name):
    theirs = REFERENCE["csem"][name]
    ours = assessment.assess(fits[name]).reliability
    for construct in ours.index:
        row = ours.loc[construct]
        np.testing.assert_allclose(row["ave"], theirs["ave"][construct], **EXACT)
        rho_c = theirs["reliability"]["Joereskogs_rho"][construct]
        np.testing.assert_allclose(row["rho_c"], rho_c, **EXACT)
        alpha = theirs["reliability"]["Cronbachs_alpha"][construct]
        np.testing.assert_allclose(row["alpha"], 1.0 if alpha is None else alpha, **EXACT)
        if name == "path_plsc":
            rho_a = theirs["reliability"]["Dijkstra-Henselers_rho_A"][construct]
            np.testing.assert_allclose(row["rho_a"], rho_a, **EXACT)


def test_composite_reliability_is_that_of_matrixpls(fits):
    ours = assessment.rho_c(fits["path_modeA"].solution)
    np.testing.assert_allclose(ours, REFERENCE["matrixpls"]["path_modeA"]["cr"], **EXACT)


def test_raw_alpha_is_that_of_semtools(fits):
    theirs = table(REFERENCE["semtools"]["reliability"]).loc["alpha"]
    fit = fits["path_modeA"]
    ours = pd.Series(assessment.alpha_raw(fit.solution), list(fit.model.construct_names))
    np.testing.assert_allclose(ours[theirs.index], theirs, **EXACT)
    assert ours["Complaints"] == 1.0


@pytest.mark.parametrize(
    ("program", "key", "quantity"),
    [
        ("seminr/path_modeA", "htmt", "htmt"),
        ("csem/path_modeA", "htmt", "htmt_signed"),
        ("semtools", "htmt", "htmt"),
        ("semtools", "htmt_signed", "htmt_signed"),
        ("semtools", "htmt2", "htmt2"),
        ("matrixpls/path_modeA", "htmt", "htmt_signed"),
    ],
)
def test_htmt_is_that_of_other_programs(fits, program, key, quantity):
    entry = REFERENCE
    for part in program.split("/"):
        entry = entry[part]
    theirs = table(entry[key])
    fit, found = fits["path_modeA"], find(quantity)
    ours = pd.Series(found.values(fit.solution), found.labels(fit.model))
    if "Complaints" not in theirs:
        ours = ours[["Complaints" not in pair for pair in ours.index]]
    assert_lower(ours, theirs, ours.index)


def test_htmt2_is_that_of_csem_where_it_has_one(fits):
    theirs = table(REFERENCE["csem"]["path_modeA"]["htmt2"])
    fit, found = fits["path_modeA"], find("htmt2")
    ours = pd.Series(found.values(fit.solution), found.labels(fit.model))
    undefined = [pair for pair in ours.index if np.isnan(theirs.loc[pair])]
    assert undefined == [("Loyalty", "Quality")]
    ours = ours.drop(undefined)
    assert_lower(ours, theirs, ours.index)


def test_fornell_larcker_is_that_of_seminr(fits):
    theirs = table(REFERENCE["seminr"]["path_modeA"]["fl"])
    ours = assessment.assess(fits["path_modeA"]).fornell_larcker
    np.testing.assert_allclose(ours, theirs.loc[ours.index, ours.columns], **EXACT)


@pytest.mark.parametrize("name", ["path_modeA", "path_plsc"])
def test_fornell_larcker_is_the_root_of_that_of_csem(fits, name):
    theirs = table(REFERENCE["csem"][name]["fornell_larcker"])
    ours = assessment.assess(fits[name]).fornell_larcker
    lower = np.tril_indices(len(ours))
    np.testing.assert_allclose(ours.to_numpy()[lower] ** 2, theirs.to_numpy()[lower], **EXACT)


def test_cross_loadings_are_those_of_seminr(fits):
    for name in ("path_modeA", "path_plsc"):
        theirs = table(REFERENCE["seminr"][name]["cross_loadings"])
        ours = assessment.assess(fits[name]).cross_loadings
        np.testing.assert_allclose(ours, theirs.loc[ours.index, ours.columns], **EXACT)


def test_variance_inflation_is_that_of_seminr(fits):
    theirs = REFERENCE["seminr"]["path_modeA"]
    ours = assessment.assess(fits["path_modeA"])
    for items in theirs["vif_items"].values():
        for item, value in items.items():
            np.testing.assert_allclose(ours.item_vif[item], value, **EXACT)
    for target, sources in theirs["vif_antecedents"].items():
        for source, value in sources.items():
            found = ours.antecedent_vif.loc[target, source]
            np.testing.assert_allclose(found, 1.0 if value is None else value, **EXACT)


@pytest.mark.parametrize("name", ["path_modeA", "path_plsc", "path_modeB"])
def test_structural_quality_is_that_of_csem(fits, name):
    theirs, ours = REFERENCE["csem"][name], assessment.assess(fits[name])
    f2, vif = table(theirs["f2"]), table(theirs["vif"])
    paths = [(path.target, path.source) for path in fits[name].model.paths]
    for target, source in paths:
        np.testing.assert_allclose(ours.f2.loc[target, source], f2.loc[target, source], **EXACT)
        if target in vif.index:
            found = ours.antecedent_vif.loc[target, source]
            np.testing.assert_allclose(found, vif.loc[target, source], **EXACT)
    assert ours.f2.notna().sum().sum() == ours.antecedent_vif.notna().sum().sum() == len(paths)


@pytest.mark.parametrize("name", ["path_modeA", "path_plsc", "path_modeB"])
def test_global_fit_is_that_of_csem(fits, name):
    theirs, fit = REFERENCE["csem"][name], fits[name]
    implied = table(theirs["implied"]).loc[list(fit.model.items), list(fit.model.items)]
    np.testing.assert_allclose(fit.solution.implied_cor(), implied, **EXACT)
    ours = assessment.assess(fit).global_fit["estimated"]
    for measure in ("srmr", "d_uls"):
        np.testing.assert_allclose(ours[measure], theirs[measure], **EXACT)
    to_base_10 = ours["d_g"] / math.log(10) ** 2
    np.testing.assert_allclose(to_base_10, theirs["d_g"], **EXACT)


# --- laws -------------------------------------------------------------------------------------


def test_f2_is_the_loss_of_r2_when_an_antecedent_is_dropped(fits):
    fit = fits["path_plsc"]
    cor, f2 = fit.construct_cor, assessment.assess(fit).f2

    def r2(target, sources):
        right = cor.loc[sources, target]
        return right @ np.linalg.solve(cor.loc[sources, sources], right)

    sources = ["Image", "Expectation", "Quality", "Value"]
    full = r2("Satisfaction", sources)
    for dropped in sources:
        kept = [source for source in sources if source != dropped]
        expected = (full - r2("Satisfaction", kept)) / (1 - full)
        np.testing.assert_allclose(f2.loc["Satisfaction", dropped], expected, rtol=1e-10)


def test_the_margin_is_the_smaller_ave_less_the_squared_correlation(fits):
    fit = fits["path_modeA"]
    shared, cor = assessment.assess(fit).reliability["ave"], fit.construct_cor
    margins = pd.Series(
        assessment.fornell_larcker_margin(fit.solution),
        find("fornell_larcker_margin").labels(fit.model),
    )
    assert len(margins) == 21
    for (first, second), margin in margins.items():
        expected = min(shared[first], shared[second]) - cor.loc[first, second] ** 2
        np.testing.assert_allclose(margin, expected, rtol=1e-12)


def test_two_constructs_are_told_apart_and_one_has_no_other():
    text = "a =~ CUSA1 + CUSA2 + CUSA3\nb =~ PERV1 + PERV2\nb ~ a"
    two = assessment.assess(csi.fit(csi.Model.from_syntax(text), csi.load_mobi()))
    judged = two.verdicts.query("measure == 'fornell_larcker'")
    assert judged["subject"].tolist() == ["a", "b"]


def test_a_model_without_paths_has_no_collinear_antecedents(fits):
    found = fits["path_modeA"].solution
    model = csi.Model.from_syntax("a =~ CUSA1 + CUSA2\nb =~ PERV1 + PERV2")
    solution = replace(found, model=model)
    assert assessment.antecedent_vif(solution).shape == (0,)


def test_d_g_is_the_distance_by_generalised_eigenvalues(fits):
    solution = fits["path_plsc"].solution
    for saturated in (False, True):
        product = np.linalg.solve(solution.moments.cor, solution.implied_cor(saturated))
        values = np.linalg.eigvals(product).real
        expected = 0.5 * (np.log(values) ** 2).sum()
        np.testing.assert_allclose(assessment.d_g(solution, saturated), expected, rtol=1e-10)


def test_a_saturated_model_fits_alike_as_estimated():
    model = csi.Model.from_syntax("a =~ CUSA1 + CUSA2\nb =~ PERV1 + PERV2\nb ~ a")
    checked = assessment.assess(csi.fit(model, csi.load_mobi(), csi.PLS(consistent=True)))
    np.testing.assert_allclose(checked.global_fit["estimated"], checked.global_fit["saturated"])


@pytest.mark.parametrize("consistent", [False, True])
def test_a_model_that_holds_exactly_has_no_distance(consistent):
    """Factors in the population: PLSc gives its parameters back, uncorrected PLS does not."""
    model = csi.Model.from_syntax(
        "a =~ a1 + a2 + a3\nb =~ b1 + b2 + b3\nc =~ c1 + c2\nb ~ a\nc ~ b"
    )
    loadings = np.array([0.8, 0.7, 0.6, 0.9, 0.75, 0.7, 0.8, 0.8])
    factors = np.array([[1, 0.5, 0.3], [0.5, 1, 0.6], [0.3, 0.6, 1]])
    cor = np.outer(loadings, loadings) * factors[model.owner[:, None], model.owner]
    np.fill_diagonal(cor, 1.0)
    estimator = csi.PLS(consistent=consistent, tolerance=1e-14)
    checked = assessment.assess(csi.fit(model, Moments.from_cov(cor, 500, model.items), estimator))
    if not consistent:
        assert checked.global_fit.loc["srmr", "estimated"] > 0.02
        return
    assert checked.global_fit.to_numpy().max() < 1e-12
    common = np.add.reduceat(loadings, [0, 3, 6]) ** 2
    errors = np.add.reduceat(1 - loadings**2, [0, 3, 6])
    np.testing.assert_allclose(checked.reliability["rho_c"], common / (common + errors))
    htmt2 = assessment.htmt2(checked.fit.solution)
    np.testing.assert_allclose(htmt2, [0.5, 0.3, 0.6], err_msg="HTMT2 is consistent")


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_batch_gives_what_its_samples_give(boot, quantity):
    found, solution = find(quantity), boot.solution[:3]
    batch = found.values(solution)
    assert batch.shape == (3, len(found.labels(solution.model)))
    for number in range(3):
        np.testing.assert_allclose(batch[number], found.values(solution[number]), rtol=1e-9)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_lost_sample_gives_nan_and_spoils_no_other(boot, quantity):
    solution = boot.solution[:3]
    cov = solution.moments.cov.copy()
    cov[1] = np.nan
    estimator = solution.estimator
    moments = replace(solution.moments, cov=cov)
    broken = Solution(
        solution.model, estimator, moments, estimator.estimate(moments, solution.model)
    )
    values, whole = find(quantity).values(broken), find(quantity).values(solution)
    np.testing.assert_allclose(values[[0, 2]], whole[[0, 2]], rtol=1e-6)
    assert np.isnan(values[1]).all()


@given(
    factors=st.lists(st.floats(0.1, 50), min_size=24, max_size=24),
    shift=st.floats(-100, 100),
)
@settings(max_examples=5, deadline=None)
def test_rescaling_items_changes_nothing_standardised(factors, shift):
    survey = csi.load_mobi()
    model = csi.models.ecsi()
    values = survey.data[list(model.items)].to_numpy(float)
    before = csi.fit(model, Moments.from_array(values, model.items)).solution
    after = csi.fit(model, Moments.from_array(values * factors + shift, model.items)).solution
    for quantity in set(QUANTITIES) - {"alpha_raw"}:
        found = find(quantity)
        np.testing.assert_allclose(found.values(after), found.values(before), rtol=1e-6, atol=1e-9)


@given(order=st.permutations(range(7)))
@settings(max_examples=5, deadline=None)
def test_the_order_of_constructs_does_not_matter(order):
    model = csi.models.ecsi()
    shuffled = csi.Model(tuple(model.constructs[j] for j in order), model.paths)
    one, other = (assessment.assess(csi.fit(m, csi.load_mobi())) for m in (model, shuffled))
    pd.testing.assert_frame_equal(one.reliability, other.reliability.loc[one.reliability.index])
    pd.testing.assert_frame_equal(one.global_fit, other.global_fit)
    pd.testing.assert_frame_equal(one.f2, other.f2.loc[one.f2.index, one.f2.columns])
    turned = {frozenset(pair): value for pair, value in other.htmt["estimate"].items()}
    for pair, value in one.htmt["estimate"].items():
        np.testing.assert_allclose(turned[frozenset(pair)], value)


@pytest.mark.parametrize("quantity", [q for q in QUANTITIES if find(q).resampled])
def test_every_quantity_has_a_bootstrap_table(boot, quantity):
    found = boot.table(quantity, interval="percentile")
    assert found.index.equals(find(quantity).labels(boot.fit.model))
    assert found["estimate"].notna().all()
    assert (found["lower"] <= found["upper"]).all()


def test_group_fits_have_the_quantities_too():
    frame = csi.load_mobi().data.assign(half=["a", "b"] * 125)
    groups = csi.fit_groups(csi.models.ecsi(), frame, by="half")
    assert groups.table("htmt").shape == (2, 21)
    checked = assessment.assess(groups["a"])
    alone = assessment.assess(csi.fit(csi.models.ecsi(), frame[frame["half"] == "a"]))
    pd.testing.assert_frame_equal(checked.reliability, alone.reliability)


# --- traps ------------------------------------------------------------------------------------


def test_collinearity_is_judged_where_a_construct_has_several_antecedents(fits):
    fit = fits["path_modeA"]
    judged = assessment.assess(fit).verdicts.query("measure == 'antecedent_vif'")
    several = {
        target
        for target in fit.model.construct_names
        if sum(path.target == target for path in fit.model.paths) > 1
    }
    assert several == {"Value", "Satisfaction", "Loyalty"}
    paths = [f"{p.source} → {p.target}" for p in fit.model.paths if p.target in several]
    assert sorted(judged["subject"]) == sorted(paths)


def test_tied_items_have_infinite_vif_and_the_others_theirs():
    frame = csi.load_mobi().data.copy()
    frame["COPY"] = 2.0 * frame["CUSA1"] + 3.0
    model = csi.Model.from_syntax("s =~ CUSA1 + CUSA2 + CUSA3 + COPY\nv =~ PERV1 + PERV2\nv ~ s")
    checked = assessment.assess(csi.fit(model, frame))
    assert np.isinf(checked.item_vif[["CUSA1", "COPY"]]).all()
    np.testing.assert_allclose(checked.item_vif["CUSA2"], 1.761977231914, rtol=1e-9)
    said = checked.verdicts.query("measure == 'item_vif' and subject == 'COPY'")
    assert said["verdict"].item() == "poor"
    assert "VIF infinite" in said["sentence"].item()
    assert np.isnan(checked.global_fit.loc["d_g"]).all()
    assert "not positive definite" in checked.verdicts.query("measure == 'd_g'")["sentence"].iloc[0]


def test_contradicting_correlations_have_no_vif():
    impossible = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    assert np.isnan(assessment.structure.inflation(impossible)).all()


def test_items_asked_the_other_way_do_not_hide_an_overlap():
    cor = np.full((5, 5), 0.6)
    cor[4, :4] = cor[:4, 4] = -0.6
    np.fill_diagonal(cor, 1.0)
    model = csi.Model.from_syntax("a =~ a1 + a2\nb =~ b1 + b2 + b3\nb ~ a")
    solution = csi.fit(model, Moments.from_cov(cor, 100, model.items)).solution
    np.testing.assert_allclose(assessment.htmt(solution), 1.0)
    np.testing.assert_allclose(assessment.htmt2(solution), 1.0)
    assert np.isnan(assessment.htmt_signed(solution)).all()


# --- verdicts ---------------------------------------------------------------------------------


def verdict(checked, measure, subject):
    rows = checked.verdicts.query("measure == @measure and subject == @subject")
    assert len(rows) == 1, rows
    return rows.iloc[0]


def test_verdicts_say_what_is_wrong_with_the_mobile_phone_data(fits, boot):
    checked = csi.assess(boot.fit, boot, level=0.9)
    assert list(checked.verdicts.columns) == [
        *("measure", "subject", "value", "threshold", "verdict", "source", "sentence")
    ]
    poor = verdict(checked, "alpha", "Expectation")
    assert poor["verdict"] == "poor"
    assert "'Expectation' hardly agree (alpha 0.452)" in poor["sentence"]
    assert "10.1108/EBR-11-2018-0203" in poor["source"]
    assert verdict(checked, "ave", "Image")["verdict"] == "poor"
    assert verdict(checked, "loading", "CUSL2")["verdict"] == "poor"
    assert verdict(checked, "loading", "IMAG2")["verdict"] == "acceptable"
    assert verdict(checked, "htmt", "Image and Value")["verdict"] == "good"
    assert verdict(checked, "htmt", "Image and Expectation")["verdict"] == "acceptable"
    assert verdict(checked, "htmt", "Quality and Satisfaction")["verdict"] == "poor"
    interval = verdict(checked, "htmt interval", "Image and Value")
    assert interval["verdict"] == "good"
    assert "90 % interval" in interval["threshold"]
    assert interval["value"] == checked.htmt.loc[("Value", "Image"), "upper"]
    assert "above 0.749" in verdict(checked, "fornell_larcker", "Image")["threshold"]
    assert verdict(checked, "f2", "Expectation → Value")["verdict"] == "negligible"
    assert verdict(checked, "f2", "Expectation → Quality")["verdict"] == "large"
    assert verdict(checked, "r2", "Satisfaction")["verdict"] == "moderate"
    srmr = verdict(checked, "srmr", "estimated model")
    assert srmr["verdict"] == "poor"
    assert "consistent=True" in srmr["sentence"]
    assert verdict(csi.assess(fits["path_plsc"]), "srmr", "estimated model")["verdict"] == "good"


def test_single_items_are_not_judged(fits):
    checked = csi.assess(fits["path_modeA"])
    said = checked.verdicts.query("subject in ['Complaints', 'CUSCO'] and measure != 'r2'")
    assert said["verdict"].tolist() == ["not judged"]
    assert "one question" in said["sentence"].item()
    assert "lenient" in verdict(checked, "htmt", "Satisfaction and Complaints")["sentence"]


def test_composites_with_regression_weights_are_not_judged_by_agreement():
    model = csi.Model.from_syntax(
        "Image <~ IMAG1 + IMAG2 + IMAG3\nLoyalty =~ CUSL1 + CUSL3\nLoyalty ~ Image"
    )
    checked = csi.assess(csi.fit(model, csi.load_mobi()))
    image = checked.verdicts.query("subject == 'Image'")
    assert image[["measure", "verdict"]].to_numpy().tolist() == [["reliability", "not judged"]]
    assert verdict(checked, "htmt", "Image and Loyalty")["verdict"] == "not judged"
    assert not (checked.verdicts.query("measure == 'loading'")["subject"] == "IMAG1").any()
    assert np.isnan(checked.reliability.loc["Image", "rho_a"])
    mode_a = csi.assess(csi.fit(model, csi.load_mobi(), csi.PLS(modes="A")))
    assert verdict(mode_a, "alpha", "Image")["value"] == mode_a.reliability.loc["Image", "alpha"]


def test_impossible_values_are_called_so():
    cor = np.array([[1, 0.3, 0.8, 0.2], [0.3, 1, 0.2, 0.1], [0.8, 0.2, 1, 0.3], [0.2, 0.1, 0.3, 1]])
    model = csi.Model.from_syntax("a =~ a1 + a2\nb =~ b1 + b2\nb ~ a")
    moments = Moments.from_cov(cor, 200, model.items)
    checked = csi.assess(csi.fit(model, moments, csi.PLS(consistent=True)))
    assert "impossible" in checked.verdicts["verdict"].tolist()
    assert verdict(checked, "loading", "a1")["verdict"] == "impossible"
    cor = np.full((4, 4), 0.6)
    cor[0, 1] = cor[1, 0] = cor[2, 3] = cor[3, 2] = 0.4
    np.fill_diagonal(cor, 1.0)
    moments = Moments.from_cov(cor, 200, model.items)
    checked = csi.assess(csi.fit(model, moments, csi.PLS(consistent=True)))
    assert verdict(checked, "r2", "b")["verdict"] == "impossible"
    assert verdict(checked, "f2", "a → b")["verdict"] == "not judged"


def test_questions_that_repeat_each_other_are_told():
    cor = np.full((4, 4), 0.4)
    cor[:2, :2] = 0.97
    cor[2:, 2:] = 0.5
    np.fill_diagonal(cor, 1.0)
    model = csi.Model.from_syntax("a =~ a1 + a2\nb =~ b1 + b2\nb ~ a")
    checked = csi.assess(csi.fit(model, Moments.from_cov(cor, 200, model.items)))
    assert verdict(checked, "alpha", "a")["verdict"] == "too high"
    assert "nearly repeat each other" in verdict(checked, "alpha", "a")["sentence"]
    assert verdict(checked, "item_vif", "a1")["verdict"] == "poor"
    assert verdict(checked, "alpha", "b")["verdict"] == "acceptable"


def test_pages_show_tables_and_escape_names(boot):
    model = csi.Model.from_syntax(
        '"<b>满意度</b>" =~ CUSA1 + CUSA2 + CUSA3\nLoyalty =~ CUSL1 + CUSL3\nLoyalty ~ "<b>满意度</b>"'
    )
    model = csi.Model(model.constructs, model.paths, name="<script>")
    checked = csi.assess(csi.fit(model, csi.load_mobi()))
    page = checked._repr_html_()
    assert "<b>满意度" not in page
    assert "&lt;b&gt;满意度&lt;/b&gt;" in page
    assert "<script>" not in page
    text = str(checked)
    assert text.startswith("Assessment of <script> by PLS, path scheme\n====")
    assert repr(checked) == text
    for heading in ("Reliability", "HTMT", "Fornell-Larcker", "Items", "f²", "Distance"):
        assert heading in text
    assert "POOR: " in text
    assert "lower" in str(csi.assess(boot.fit, boot))


def test_htmt_has_intervals_only_with_draws(fits, boot):
    assert list(csi.assess(fits["path_modeA"]).htmt.columns) == ["estimate"]
    found = csi.assess(fits["path_modeA"], boot).htmt
    assert list(found.columns) == ["estimate", "se", "df", "lower", "upper", "reason"]
    assert (found["lower"] < found["estimate"]).all()


def test_a_bootstrap_of_another_fit_is_refused(fits, boot):
    with pytest.raises(csi.errors.OptionError, match="made from another fit"):
        csi.assess(fits["path_plsc"], boot)
    with pytest.raises(csi.errors.OptionError, match=r"level=95 must lie between 0 and 1"):
        csi.assess(fits["path_modeA"], level=95)


def test_a_fit_that_is_no_solution_is_refused():
    estimator = csi.PLS(tolerance=1e-15, max_iterations=1)
    fit = csi.fit(csi.models.ecsi(), csi.load_mobi(), estimator)
    with pytest.raises(
        csi.errors.EstimationError, match="no solution to assess: The weights still moved"
    ):
        csi.assess(fit)


def test_the_assessment_is_frozen(fits):
    with pytest.raises(AttributeError):
        csi.assess(fits["path_modeA"]).level = 0.5


def test_what_has_no_interval_is_not_said_to_be_settled(ecsi, mobi):
    survey = csi.read_survey(mobi.data.assign(firm=1), cluster="firm", items=list(ecsi.items))
    fit = csi.fit(ecsi, survey)
    verdicts = csi.assess(fit, csi.bootstrap(fit, 30, 1, progress=False)).verdicts
    own = verdicts[verdicts["measure"] == "htmt interval"]
    assert (own["verdict"] == "not judged").all()
    assert own["sentence"].str.endswith("HTMT has no interval with these data.").all()
    assert not verdicts["sentence"].str.contains("nan").any()


def test_a_fit_that_stopped_a_little_short_is_refused_with_a_reason():
    frame = csi.load_mobi().data
    fit = csi.fit(csi.Model.from_syntax("S =~ CUSA1 + CUSA2 + CUSA3"), frame, csi.Semopy())
    estimates = replace(fit.estimates, outcome=np.array(int(Status.NOT_CONVERGED)))
    short = replace(fit, solution=replace(fit.solution, estimates=estimates))
    assert not any(one.severity == "failure" for one in short.diagnostics)
    with pytest.raises(
        csi.errors.EstimationError, match=r"assess: the fit is not converged; fit\.diag"
    ):
        csi.assess(short)


@pytest.mark.parametrize(
    ("syntax", "estimator", "asked"),
    [
        (None, csi.PLS(), ["tetrads", "full_collinearity", "bootstrap", "overall_fit", "predict",
                           "cvpat", "necessary_conditions", "fimix", "micom"]),
        ("A <~ PERQ1 + PERQ2\nB =~ CUSA1 + CUSA2\nB ~ A", csi.PLS(),
         ["redundancy", "full_collinearity", "bootstrap", "overall_fit", "predict", "cvpat",
          "necessary_conditions", "fimix", "micom"]),
        ("A =~ PERQ1 + PERQ2 + PERQ3\nB =~ CUSA1 + CUSA2 + CUSA3\nB ~ A", csi.ML(),
         ["bootstrap", "fit_measures", "modification_indices", "invariance"]),
        ("A =~ PERQ1 + PERQ2\nB =~ CUSA1 + CUSA2\nC =~ PERV1 + PERV2\nB ~ A + C + A:C", csi.PLS(),
         ["bootstrap", "predict", "cvpat"]),
    ],
)  # fmt: skip
def test_what_a_reviewer_asks_next_is_named_in_order(syntax, estimator, asked):
    model = csi.models.ecsi() if syntax is None else csi.Model.from_syntax(syntax)
    fit = csi.fit(model, csi.load_mobi(), estimator)
    checked = csi.assess(fit)
    calls = list(checked.checklist["call"])
    assert len(calls) == len(asked)
    assert all(name in call for name, call in zip(asked, calls, strict=True))
    page = str(checked.page)
    assert all(f"call {call}." in page for call in calls)
    for call in calls:
        if call.endswith("(fit)") and "assessment" in call and "fimix" not in call:
            eval(call, {"csi": csi, "fit": fit})
    drawn = csi.assess(fit, csi.bootstrap(fit, draws=20, rng=1, progress=False))
    assert not any("bootstrap" in call for call in drawn.checklist["call"])


def test_ordered_categories_are_asked_for_where_they_are_few():
    frame = csi.load_mobi().data.apply(lambda column: np.searchsorted([4, 6, 7, 8], column) + 1)
    model = csi.Model.from_syntax("A =~ PERQ1 + PERQ2 + PERQ3\nB =~ CUSA1 + CUSA2\nB ~ A")
    for estimator, call in ((csi.PLS(), 'correlations="polychoric"'), (csi.ML(), "csi.WLSMV()")):
        calls = csi.assess(csi.fit(model, frame, estimator)).checklist["call"]
        assert calls.str.contains(call, regex=False).any()
    for estimator in (csi.PLS(correlations="polychoric"), csi.WLSMV()):
        calls = csi.assess(csi.fit(model, frame, estimator)).checklist["call"]
        assert not calls.str.contains("polychoric|WLSMV|predict|overall").any()
