"""WLSMV against lavaan, laws, simulated truth, and what a fit of ordered answers is used for."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import EstimationError, ModelError, OptionError
from csimodel.estimators import Solution, fit_of
from csimodel.moments.gamma import DenseGamma
from csimodel.moments.responses import Responses, covariance_gamma

LAVAAN = json.loads(
    (Path(__file__).parents[2] / "reference" / "mobi_wlsmv.json").read_text(encoding="utf-8")
)
MOBI = csi.load_mobi().data
FIVE = MOBI.apply(lambda column: np.searchsorted([4, 6, 7, 8], column) + 1)
FEW = ["CUEX1", "CUEX2", "CUEX3", "CUSA1", "CUSA2", "CUSA3"]
MIXED = MOBI.assign(**{name: FIVE[name] for name in FEW})
DATA = {
    "reduced": MIXED,
    "cfa_five": MIXED,
    "cfa_ten": MOBI,
    "cfa_all": FIVE,
    "sem_all": FIVE,
    "wlsm": FIVE,
    "ulsmv": FIVE,
    "two_answers": (MOBI > 7).astype(int),
}
OPTIONS = {"wlsm": {"test": "mean-adjusted"}, "ulsmv": {"weights": "uls"}}
MEASURES = [
    *("npar", "chisq", "df", "chisq_scaled", "pvalue_scaled", "scaling_factor"),
    *("baseline_chisq", "baseline_df", "baseline_chisq_scaled", "cfi", "tli"),
    *("cfi_scaled", "tli_scaled", "rmsea", "rmsea_scaled", "rmsea_lower_scaled"),
    *("rmsea_upper_scaled", "rmsea_pvalue_scaled", "srmr", "gfi", "agfi"),
    *("fmin", "rmr", "crmr", "rmr_nomean", "crmr_nomean"),
]
SMALL = csi.Model.from_syntax(
    """
    Quality =~ PERQ1 + PERQ3 + PERQ7
    Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    Satisfaction ~ Quality
    """
)
SURVEY = csi.read_survey(FIVE, scale=(1, 5))


def named(measure):
    """Write one of our measures as lavaan does."""
    if measure.endswith("nomean"):
        return measure
    name = measure.replace("_scaled", ".scaled") if measure != "scaling_factor" else ""
    name = name.replace("_lower", ".ci.lower").replace("_upper", ".ci.upper")
    return name.replace("_", ".") or "chisq.scaling.factor"


def lavaans_pair(fit, missed):
    """Return the fit with lavaan's value of one correlation, and with its row of Γ."""
    ordinal = fit.moments.ordinal
    labels = list(ordinal.labels)
    turned = {frozenset(label.split("~~")): i for i, label in enumerate(labels) if "~~" in label}
    to = [
        turned[frozenset(name.split("~~"))] if "~~" in name else labels.index(name)
        for name in missed["names"]
    ]
    sign = np.where([name.endswith("~1") for name in missed["names"]], -1.0, 1.0)
    row = np.zeros(len(labels))
    row[to] = sign * np.array(missed["gamma"])
    at = turned[frozenset(missed["name"].split("~~"))]
    gamma, cov = ordinal.gamma.copy(), ordinal.cov.copy()
    gamma[at], gamma[:, at] = row, row
    i, k = (ordinal.items.index(name) for name in missed["name"].split("~~"))
    cov[i, k] = cov[k, i] = missed["observed"]
    changed = replace(ordinal, cov=cov, spread=DenseGamma(gamma))
    moments = replace(
        fit.moments,
        ordinal=changed,
        responses=Responses.of(changed),
        gamma=covariance_gamma(changed),
    )
    estimates = fit.estimator.estimate(moments, fit.model)
    return fit_of(Solution(fit.model, fit.estimator, moments, estimates))


def case(name):
    theirs = LAVAAN[name]
    estimator = csi.WLSMV(theirs["ordered"], normal=True, **OPTIONS.get(name, {}))
    model = csi.Model.from_syntax(theirs["syntax"])
    if estimator.ordered == tuple(DATA[name].columns):
        estimator = replace(estimator, ordered="all")
    fit = csi.fit(model, DATA[name], estimator)
    return theirs, lavaans_pair(fit, theirs["missed"]) if "missed" in theirs else fit


@pytest.fixture(scope="module", params=DATA)
def pair(request):
    return case(request.param)


def test_measures_are_lavaans(pair):
    theirs, fit = pair
    assert fit.converged
    for measure in MEASURES:
        value = theirs["fit_measures"][named(measure)]
        assert_allclose(fit.fit_measures[measure], value, rtol=2e-5, atol=1e-7, err_msg=measure)


def test_parameters_errors_and_standardised_ones_are_lavaans(pair):
    theirs, fit = pair
    rows = {(r["lhs"], r["op"], r["rhs"]): r for r in theirs["parameters"]}
    compared = 0
    for ours in fit.parameters.itertuples():
        key = ours.lhs, ours.op, ours.rhs
        row = rows.get(key) or rows.get(key[::-1])
        assert_allclose(ours.estimate, row["est"], rtol=1e-4, atol=2e-5, err_msg=str(key))
        assert_allclose(ours.std, row["std"], rtol=1e-4, atol=2e-5, err_msg=str(key))
        if row["std_se"]:
            assert_allclose(ours.std_se, row["std_se"], rtol=1e-4, err_msg=str(key))
        if row["se"]:
            assert_allclose(ours.se, row["se"], rtol=1e-4, err_msg=str(key))
            compared += 1
    assert compared == theirs["fit_measures"]["npar"]


def test_explained_variances_are_lavaans(pair):
    theirs, fit = pair
    ours = {name: fit.r2[name] for name in fit.model.endogenous}
    ours |= dict(zip(fit.model.items, fit.estimates.loadings**2, strict=True))
    known = {name: value for name, value in theirs["r2"].items() if value is not None}
    assert len(known) > 0.9 * len(ours)
    for name, value in known.items():
        assert_allclose(ours[name], value, rtol=1e-4, err_msg=name)


def test_without_lavaans_correlation_of_one_pair_the_model_fits_better():
    theirs = LAVAAN["cfa_five"]
    model = csi.Model.from_syntax(theirs["syntax"])
    own = csi.fit(model, MIXED, csi.WLSMV(theirs["ordered"], normal=True))
    assert own.fit_measures["chisq"] < theirs["fit_measures"]["chisq"] - 1
    at = model.items.index("CUSA2"), model.items.index("PERQ6")
    assert own.moments.ordinal.cov[at] < theirs["missed"]["observed"] - 0.05


def population(size=6):
    cor = np.full((size, size), 0.48)
    half = size // 2
    cor[:half, half:] = cor[half:, :half] = 0.24
    np.fill_diagonal(cor, 1.0)
    return cor


def answers(rows, rng, cuts=(-1.2, -0.3, 0.6)):
    cor = population()
    response = rng.multivariate_normal(np.zeros(6), cor, rows, method="cholesky")
    return pd.DataFrame(np.digitize(response, cuts) + 1, columns=list(SMALL.items))


@pytest.mark.parametrize("name", ["measured", "structural", "mixed", "uls"])
def test_modification_indices_are_lavaans(reference, name):
    """lavaan weighs information by n, slopes by n - 1; its correlations are 2e-5 from the maximum."""
    case = reference("mobi_wlsmv_modindices.json")[name]
    data = MIXED if name == "mixed" else FIVE
    weights = "uls" if name == "uls" else "dwls"
    estimator = csi.WLSMV(ordered=case["ordered"], weights=weights, normal=True)
    table = csi.fit(csi.Model.from_syntax(case["syntax"]), data, estimator).modification_indices()
    own = {(row.lhs, row.op, row.rhs): row for row in table.itertuples()}
    own |= {(rhs, op, lhs): row for (lhs, op, rhs), row in own.items() if op == "~~"}
    keys = list(zip(case["lhs"], case["op"], case["rhs"], strict=True))
    known = [k for k, key in enumerate(keys) if key in own]
    assert len(known) >= len(table) - 2
    assert all(keys[k][1] == "~" for k in set(range(len(keys))) - set(known))  # would close a cycle
    share = 249 / 250
    for column, theirs in {"mi": "mi", "epc": "epc", "std_epc": "sepc.all"}.items():
        ours = [getattr(own[keys[k]], column) * share for k in known]
        # lavaan stops early: it warns that it has not found a solution of the first two.
        assert_allclose(
            ours, [case[theirs][k] for k in known], rtol=2e-3, atol=4e-4, err_msg=column
        )


def test_population_correlations_give_population_parameters():
    fit = csi.fit(SMALL, SURVEY, csi.WLSMV())
    moments = replace(fit.moments, responses=replace(fit.moments.responses, cov=population()))
    found = fit.estimator.estimate(moments, SMALL)
    assert_allclose(found.loadings, np.sqrt(0.48), atol=1e-8)
    assert_allclose(found.paths[1, 0], 0.5, atol=1e-8)
    assert abs(float(found.discrepancy)) < 1e-12


def test_errors_are_the_spread_over_samples_and_chi_squares_have_their_mean():
    rng = np.random.default_rng(1)
    fits = [csi.fit(SMALL, answers(300, rng), csi.WLSMV()) for _ in range(120)]
    tables = [fit.parameters for fit in fits]
    spread = np.std([table["std"] for table in tables], axis=0, ddof=1)
    claimed = np.mean([table["std_se"] for table in tables], axis=0)
    known = claimed > 0
    assert_allclose(claimed[known], spread[known], rtol=0.3)
    assert_allclose(np.mean(claimed[known] / spread[known]), 1, atol=0.06)
    measures = pd.DataFrame([fit.fit_measures for fit in fits])
    assert_allclose(measures["chisq_scaled"].mean(), 8, atol=1.2)
    assert_allclose(measures["chisq_scaled"].var(), 16, rtol=0.6)
    indices = pd.concat([fit.modification_indices() for fit in fits])
    assert_allclose(indices["mi_robust"].mean(), 1, atol=0.1)  # as plain ones are not
    assert_allclose((indices["p"] < 0.05).mean(), 0.05, atol=0.02)
    assert indices["mi"].mean() < 0.8


def test_long_tails_do_not_make_errors_too_small():
    model = csi.Model.from_syntax(LAVAAN["reduced"]["syntax"])
    survey = csi.read_survey(MIXED, scale=(1, 10))
    fits = [csi.fit(model, survey, csi.WLSMV(FEW[3:], normal=n)) for n in (False, True)]
    rows = fits[0].parameters["op"] == "~"
    ours, lavaans = (fit.parameters["std_se"][rows].to_numpy() for fit in fits)
    jackknife = csi.jackknife(fits[0]).table("paths")["se"].to_numpy()
    assert_allclose(ours, jackknife, rtol=0.1)
    assert (lavaans < 0.8 * jackknife).all()
    assert "continuous-not-normal" not in [finding.code for finding in fits[0].diagnostics]
    (told,) = [f for f in fits[1].diagnostics if f.code == "continuous-not-normal"]
    assert told.values == {"items": ("IMAG5", "CUSL1", "CUSL2")}


def test_names_of_categories_and_order_of_items_do_not_matter():
    plain = csi.fit(SMALL, SURVEY, csi.WLSMV())
    renamed = csi.fit(SMALL, FIVE**3, csi.WLSMV())
    assert_allclose(renamed.parameters["std"], plain.parameters["std"], atol=1e-10)
    text = "Quality =~ PERQ7 + PERQ1 + PERQ3\nSatisfaction =~ CUSA3 + CUSA1 + CUSA2"
    turned = csi.fit(csi.Model.from_syntax(f"{text}\nSatisfaction ~ Quality"), FIVE, csi.WLSMV())
    assert_allclose(turned.loadings.loc[plain.loadings.index], plain.loadings, atol=1e-6)
    measures = ["chisq", "chisq_scaled", "cfi_scaled"]
    assert_allclose(turned.fit_measures[measures], plain.fit_measures[measures], rtol=1e-6)


def test_scaling_by_variances_gives_the_same():
    frame = answers(250, np.random.default_rng(9))
    one, other = (csi.fit(SMALL, frame, csi.WLSMV(scaling=s)) for s in ("marker", "variance"))
    assert_allclose(other.loadings, one.loadings, atol=1e-7)
    assert_allclose(other.fit_measures, one.fit_measures, rtol=1e-6)


def test_a_construct_of_one_ordered_item_is_its_response():
    model = csi.Model.from_syntax(
        """
        Quality =~ PERQ1 + PERQ3 + PERQ7
        Complaints =~ CUSCO
        Loyalty =~ CUSL1 + CUSL3
        Complaints ~ Quality
        Loyalty ~ Quality + Complaints
        """
    )
    fit = csi.fit(model, FIVE, csi.WLSMV())
    assert_allclose(fit.implied_cov.loc["CUSCO", "CUSCO"], 1, atol=1e-9)
    assert fit.fit_measures["df"] == 16 - 9
    table = fit.parameters.set_index(["lhs", "op", "rhs"])
    path = table.loc[("Complaints", "~", "Quality")]
    left = table.loc[("Complaints", "~~", "Complaints")]
    assert_allclose(left["std"], 1 - path["std"] ** 2, rtol=1e-7)
    assert_allclose(left["std_se"], 2 * path["std"] * path["std_se"], rtol=1e-6)


def test_scores_are_weighted_sums_of_answers_with_variance_1():
    fit = csi.fit(SMALL, SURVEY, csi.WLSMV())
    assert_allclose(fit.scores.std(), 1)
    truth = FIVE[["CUSA1", "CUSA2", "CUSA3"]]
    weights = fit.weights["Satisfaction"][list(truth)]
    own = ((truth - truth.mean()) / truth.std()) @ weights
    assert_allclose(fit.scores["Satisfaction"], own)
    assert (weights > 0).all()


def test_weights_predict_the_construct_best_from_answers():
    rng = np.random.default_rng(2)
    rows, loading = 40_000, np.array([0.9, 0.6, 0.7])
    factor = rng.normal(size=rows)
    response = factor[:, None] * loading + rng.normal(size=(rows, 3)) * np.sqrt(1 - loading**2)
    frame = pd.DataFrame(
        {
            "a": np.digitize(response[:, 0], [0.5]),
            "b": np.digitize(response[:, 1], [-1, 0, 1]),
            "x": response[:, 2],
        }
    )
    fit = csi.fit(csi.Model.from_syntax("F =~ a + b + x"), frame, csi.WLSMV(["a", "b"]))
    z = ((frame - frame.mean()) / frame.std()).to_numpy()
    slope = np.linalg.lstsq(z, factor, rcond=None)[0]
    assert_allclose(fit.weights["F"] / fit.weights["F"].sum(), slope / slope.sum(), atol=0.02)


def test_the_index_is_a_weighted_mean_of_answers():
    fit = csi.fit(SMALL, SURVEY, csi.WLSMV())
    table = csi.index_scores(fit)
    weights = fit.unstandardized_weights["Satisfaction"]
    mean = FIVE[list(weights.index)].mean()
    assert_allclose(table.loc["Satisfaction", "mean"], (mean @ weights - 1) / 4 * 100)
    assert table["se"].between(0.5, 2).all()
    best = csi.fit(SMALL, csi.read_survey(FIVE, scale=(1, 5)), csi.PLS())
    assert_allclose(table["mean"], csi.index_scores(best)["mean"], atol=1.5)


def test_bootstrap_estimates_correlations_again_and_agrees_with_errors():
    frame = answers(400, np.random.default_rng(3))
    fit = csi.fit(SMALL, frame, csi.WLSMV())
    boot = csi.bootstrap(fit, draws=80, rng=1, progress=False)
    rows = fit.parameters["op"] == "=~"
    assert_allclose(boot.table("loadings")["se"], fit.parameters["std_se"][rows], rtol=0.35)
    first = boot.design.counts(0)[0].astype(int)
    again = csi.fit(SMALL, frame.iloc[np.repeat(np.arange(400), first)], csi.WLSMV())
    assert_allclose(boot.draws("loadings").iloc[0], again.estimates.loadings, atol=1e-6)
    assert_allclose(boot.draws("weights").iloc[0], again.estimates.weights, atol=1e-6)
    whole = csi.bootstrap(fit, draws=80, rng=1, progress=False, workers=2)
    assert_allclose(whole.draws("paths"), boot.draws("paths"), rtol=1e-12)


def test_bootstrap_with_weights_strata_and_clusters():
    rng = np.random.default_rng(4)
    frame = answers(240, rng).assign(w=rng.uniform(0.5, 1.5, 240), s=np.arange(240) % 2)
    survey = csi.read_survey(
        frame.assign(c=np.arange(240) % 60 // 2), weights="w", strata="s", cluster="c"
    )
    fit = csi.fit(SMALL, survey, csi.WLSMV())
    boot = csi.bootstrap(fit, draws=25, rng=1, progress=False)
    assert boot.usable.all()
    assert boot.table("loadings")["se"].between(0.01, 0.15).all()


def test_clusters_of_twins_are_worth_one_respondent_each():
    frame = answers(150, np.random.default_rng(10)).assign(home=np.arange(150))
    twins = pd.concat([frame, frame]).sample(frac=1, random_state=1)
    alone = csi.fit(SMALL, frame[list(SMALL.items)], csi.WLSMV())
    together = csi.fit(SMALL, csi.read_survey(twins, cluster="home"), csi.WLSMV())
    plain = csi.fit(SMALL, twins[list(SMALL.items)], csi.WLSMV())
    for fit in (together, plain):
        assert_allclose(fit.parameters["std"], alone.parameters["std"], atol=1e-7)
    ratio = together.parameters["std_se"] / alone.parameters["std_se"]
    assert_allclose(ratio.dropna(), np.sqrt(300 / 299), rtol=1e-6)
    assert (plain.parameters["std_se"] < 0.75 * alone.parameters["std_se"]).sum() > 15


def test_draws_in_which_an_item_keeps_one_answer_are_counted():
    frame = answers(100, np.random.default_rng(5), (0.0,))
    total = frame.sum(axis=1) + np.random.default_rng(6).uniform(size=100)
    frame["PERQ1"] = np.where(total >= total.nlargest(2).min(), 2, 1)
    fit = csi.fit(csi.Model.from_syntax("F =~ CUSA1 + PERQ3 + PERQ7 + PERQ1"), frame, csi.WLSMV())
    boot = csi.bootstrap(fit, draws=40, rng=1, progress=False)
    without = (boot.design.counts(0)[:, frame["PERQ1"] == 2] == 0).all(axis=1).sum()
    assert without > 0
    assert boot.failed["an item without variation"] == without


def test_leaving_respondents_out_to_first_order_is_nearly_estimating_again():
    frame = answers(200, np.random.default_rng(6))
    frame["PERQ7"] = np.sinh(frame["PERQ7"] + np.random.default_rng(7).normal(size=200))
    frame["CUSA2"] = frame["CUSA2"] + np.random.default_rng(8).normal(size=200)
    items = [item for item in SMALL.items if item not in ("PERQ7", "CUSA2")]
    fit = csi.fit(SMALL, frame, csi.WLSMV(items))
    found = csi.jackknife(fit).solution.moments.responses.cov
    own = fit.moments.responses.cov
    again = np.array(
        [
            csi.fit(SMALL, frame.drop(index=left), csi.WLSMV(items)).moments.responses.cov
            for left in range(0, 200, 20)
        ]
    )
    moved = np.abs(again - own).mean(axis=0)
    wrong = np.abs(found[::20] - again).mean(axis=0)
    different = moved > 1e-12
    assert different.sum() == 36 - 4
    assert (wrong[different] < 0.06 * moved[different]).all()


def test_findings_of_rare_categories_and_contradicting_correlations():
    frame = answers(200, np.random.default_rng(8))
    frame.loc[0, "CUSA1"] = 9
    fit = csi.fit(SMALL, frame, csi.WLSMV())
    values = {finding.code: finding.values for finding in fit.diagnostics}
    assert values["rare-categories"] == {"few": 5, "answers": ("9 on CUSA1 (1)",)}
    assert values["unused-category"] == {"names": ("5", "6", "7", "8"), "item": "CUSA1"}
    rows = np.random.default_rng(0).integers(0, 2, (16, 6))
    tiny = csi.fit(SMALL, pd.DataFrame(rows, columns=list(SMALL.items)), csi.WLSMV())
    codes = [finding.code for finding in tiny.diagnostics]
    assert "response-correlations-not-positive-definite" in codes
    assert "few-rows-per-parameter" in codes


def test_heywood_and_unidentified_models_are_told():
    cor = population()
    fit = csi.fit(SMALL, SURVEY, csi.WLSMV())
    cor[0, 1] = cor[1, 0] = 0.95
    cor[0, 2] = cor[2, 0] = 0.95
    moments = replace(fit.moments, responses=replace(fit.moments.responses, cov=cor))
    heywood = fit_of(
        Solution(SMALL, fit.estimator, moments, fit.estimator.estimate(moments, SMALL))
    )
    told = [f for f in heywood.diagnostics if f.code == "negative-error-variance"]
    assert (told[0].severity, told[0].values["item"]) == ("failure", "PERQ1")
    assert told[0].values["variance"] < 0
    apart = csi.Model.from_syntax("A =~ PERQ1 + PERQ3\nB =~ CUSA1 + CUSA2\nA ~~ 0*B")
    lost = csi.fit(apart, FIVE, csi.WLSMV())
    assert "not-identified" in [finding.code for finding in lost.diagnostics]


def test_compare_summary_and_assessment_take_it():
    fit = csi.fit(SMALL, SURVEY, csi.WLSMV())
    other = csi.fit(SMALL, SURVEY, csi.ML())
    assert list(csi.compare(fit, other).paths.columns) == ["WLSMV", "ML", "spread"]
    page = str(fit.summary())
    assert page.startswith("Model by WLSMV")
    measures = fit.fit_measures
    assert f"\nscaled χ² {measures['chisq_scaled']:.2f} on 8 degrees of freedom" in page
    assert f"scaled CFI {measures['cfi_scaled']:.3f}" in page
    assert f"\nχ² {measures['chisq']:.2f}" not in page
    overall = csi.assess(fit).global_fit
    assert_allclose(overall.loc["srmr", "estimated"], fit.fit_measures["srmr"], atol=1e-6)
    residual = fit.residuals.to_numpy()
    own = fit.moments.ordinal.cor - fit.implied_cov.to_numpy()
    assert_allclose(residual, own, atol=1e-9)
    assert csi.WLSMV(test="mean-adjusted", weights="uls").label == "ULSM"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"ordered": "CUSA1"},
            "ordered='CUSA1' must be 'all' or a list of item names such as ['CUSA1', 'CUSA2']; "
            "where no item is ordered, use csi.ML(se='mlmv').",
        ),
        (
            {"means": True},
            "WLSMV leaves thresholds and means as they are, so means=True has nothing to do; "
            "leave it out.",
        ),
        ({"test": "MV"}, "test='MV' is not known; use one of 'scaled-shifted', 'mean-adjusted'."),
    ],
)
def test_options_that_cannot_be(options, sentence):
    with pytest.raises(OptionError) as error:
        csi.WLSMV(**options)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("more", "ordered", "sentence"),
    [
        ("", ["CUSA9"], "Ordered item 'CUSA9' is not in the model (did you mean 'CUSA3'?)."),
        (
            "CUSA1 ~ 1",
            "all",
            "WLSMV leaves thresholds and means as they are; take 'CUSA1 ~ 1' out of the model.",
        ),
        (
            "CUSA1 ~~ CUSA1",
            "all",
            "The error variance of the ordered item 'CUSA1' is 1 less what is explained; take "
            "'CUSA1 ~~ CUSA1' out of the model.",
        ),
    ],
)
def test_models_that_cannot_be(more, ordered, sentence):
    text = f"Quality =~ PERQ1 + PERQ3 + PERQ7\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Quality\n{more}"
    with pytest.raises(ModelError) as error:
        csi.fit(csi.Model.from_syntax(text), FIVE, csi.WLSMV(ordered))
    assert str(error.value) == sentence


def refuses(error, sentence, call, *args, **kwargs):
    with pytest.raises(error) as found:
        call(*args, **kwargs)
    assert str(found.value) == sentence


def test_what_needs_answers_or_normal_ones_is_refused():
    fit = csi.fit(SMALL, SURVEY, csi.WLSMV())
    needs = (
        "WLSMV needs the answers of one sample for thresholds and polychoric correlations, and "
        "these are moments only; fit a survey or a data frame, each group by itself."
    )
    halves = FIVE.assign(half=["a", "b"] * 125)
    moments = csi.Moments.from_array(FIVE[list(SMALL.items)], SMALL.items)
    refuses(EstimationError, needs, csi.fit, SMALL, moments, csi.WLSMV())
    refuses(EstimationError, needs, csi.fit_groups, SMALL, halves, "half", csi.WLSMV())
    refuses(
        OptionError,
        "bollen_stine moves continuous answers, and those of this fit are ordered; the scaled χ² "
        "in fit.fit_measures does not take them as normal.",
        csi.inference.bollen_stine,
        fit,
    )
    refuses(
        OptionError,
        "Factor scores of ordered answers are not linear in them and are not offered; use "
        "fit.scores, or fit with csi.ML(), which takes the answers as numbers.",
        csi.factor_scores,
        fit,
    )
    boot = csi.bootstrap(fit, draws=20, rng=1, progress=False)
    refuses(
        OptionError,
        "interval='studentized' is not available for ordered answers; use 'bca' or 'percentile'.",
        boot.table,
        "paths",
        interval="studentized",
    )


def test_missing_cells_and_correlations_at_the_edge_are_refused():
    gaps = FIVE.astype(float)
    gaps.loc[3, "CUSA1"] = np.nan
    refuses(
        EstimationError,
        "WLSMV needs complete answers and cells are missing; use a survey with missing='listwise'.",
        csi.fit,
        SMALL,
        csi.read_survey(gaps, missing="pairwise"),
        csi.WLSMV(),
    )
    assert csi.fit(SMALL, csi.read_survey(gaps, missing="listwise"), csi.WLSMV()).n == 249
    twice = FIVE.assign(CUSA2=FIVE["CUSA1"])
    refuses(
        EstimationError,
        "The correlation of CUSA1 with CUSA2 is at the edge (+1.000): each answer all but "
        "determines the other, so leave one of them out.",
        csi.fit,
        SMALL,
        twice,
        csi.WLSMV(),
    )


def test_errors_of_loadings_are_those_of_standardised_ones_where_items_have_variance_1():
    """Constructs of variance 1 and ordered items: what is estimated is standardised already."""
    model = csi.Model.from_syntax("S =~ CUSA1 + CUSA2 + CUSA3\nL =~ CUEX1 + CUEX2 + CUEX3")
    fit = csi.fit(model, FIVE[list(model.items)], csi.WLSMV(scaling="variance"))
    table = fit.parameters[fit.parameters["op"] == "=~"]
    assert_allclose(table["std"], table["estimate"], rtol=1e-8)
    assert_allclose(table["std_se"], table["se"], rtol=1e-8)
