"""Results under each treatment of missing answers: those of the functions that treat them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.assessment import compare_missing_policies
from csimodel.assessment.policy_runs import PolicyRuns

MODEL = csi.Model.from_syntax(
    "Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\nL =~ CUSL1 + CUSL3\nS ~ Q\nL ~ S"
)
SCALE = dict.fromkeys(MODEL.items, (1, 10))


@pytest.fixture(scope="module")
def survey():
    mobi = csi.load_mobi().data[list(MODEL.items)]
    gone = np.random.default_rng(1).random(mobi.shape) < 0.08
    rows = np.arange(250)
    holes = mobi.mask(gone).assign(w=1.0 + rows % 3, firm=rows // 8)
    return csi.read_survey(holes, scale=SCALE, items=list(SCALE), weights="w", cluster="firm")


@pytest.fixture(scope="module")
def compared(survey):
    return compare_missing_policies(MODEL, survey, m=4)


def rows(compared, policy, quantity):
    return compared.table.xs((policy, quantity), level=("policy", "quantity"))


def same(own, theirs):
    for name in ("estimate", "se", "df", "lower", "upper"):
        assert_allclose(own[name], theirs[name].astype(float), rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("policy", ["listwise", "pairwise", "mean", "construct-minimum"])
def test_policies_of_surveys_are_fits_of_them(survey, compared, policy):
    fit = csi.fit(MODEL, csi.read_survey(survey, missing=policy))
    for quantity in ("index", "paths"):
        own = rows(compared, policy, quantity)
        same(own, csi.linearize(fit).table(quantity))
        assert (own["n"] == fit.n).all()


@pytest.mark.parametrize(("policy", "method"), [("imputation", "pmm"), ("two-way", "two-way")])
def test_imputations_are_pooled(survey, compared, policy, method):
    blocks = {item: block for block, items in MODEL.blocks.items() for item in items}
    named = csi.read_survey(
        survey.data, items=[csi.Item(i, blocks[i], None, 1, 10) for i in MODEL.items],
        weights="w", cluster="firm",
    )  # fmt: skip
    many = csi.impute(named, 4, items=list(MODEL.items), method=method, rng=7, progress=False)
    pooled = csi.inference.pool(csi.fit(MODEL, own) for own in many)
    same(rows(compared, policy, "index"), pooled.table("index"))
    same(rows(compared, policy, "paths"), pooled.table("paths"))


def test_full_information_and_two_stages_are_those_of_ml(survey):
    own = compare_missing_policies(
        MODEL, survey, estimator=csi.ML(), policies=["fiml", "em"]
    )  # fmt: skip
    fiml = csi.fit(MODEL, survey, csi.ML(missing="fiml"))
    same(rows(own, "fiml", "paths"), csi.linearize(fiml).table("paths"))
    stages = csi.fit(MODEL, survey, csi.ML(missing="two-stage"))
    same(rows(own, "em", "paths"), csi.linearize(stages).table("paths"))


def test_errors_after_em_are_those_of_two_stages(survey):
    """Of an estimator from moments; ML has them by its own way."""
    stages = csi.linearize(csi.fit(MODEL, survey, csi.ML(missing="two-stage"))).table("paths")
    _, table, _ = PolicyRuns(MODEL, survey, csi.ML(means=True), 2, None, 1).by_em()
    own = table("paths", 0.95)
    assert_allclose(own["estimate"], stages["estimate"], rtol=1e-6)
    assert_allclose(own["se"], stages["se"], rtol=1e-4)


def test_without_a_hole_all_errors_are_the_same_as_after_em(survey):
    """One missing cell: moments by EM are nearly those of complete answers, and errors too."""
    data = csi.load_mobi().data[list(MODEL.items)].astype(float)
    data.loc[3, "CUSL3"] = np.nan
    nearly = csi.read_survey(data, scale=SCALE, items=list(SCALE))
    own = compare_missing_policies(MODEL, nearly, policies=["em", "pairwise"])
    em, pairwise = rows(own, "em", "index"), rows(own, "pairwise", "index")
    assert_allclose(em["estimate"], pairwise["estimate"], rtol=3e-3)
    assert_allclose(em["se"], pairwise["se"], rtol=5e-3)


def test_what_is_right_where_missing_depends_on_what_was_answered():
    rng = np.random.default_rng(5)
    f = rng.normal(size=6000)
    names = ("a", "b", "c", "d")
    data = pd.DataFrame({name: 5 + f + 0.7 * rng.normal(size=6000) for name in names})
    truth = data["d"].mean()
    data.loc[data["a"] > 5.5, "d"] = np.nan
    model = csi.Model.from_syntax("X =~ a + b + c\nY =~ d\nY ~ X")
    survey = csi.read_survey(data, scale=dict.fromkeys(names, (-5, 15)), items=list(names))
    own = compare_missing_policies(model, survey, m=3, policies=["listwise", "em", "imputation"])
    points = own.side_by_side("index").loc["Y"] / 100 * 20 - 5
    assert points["listwise"] < truth - 0.2
    assert abs(points["em"] - truth) < 0.05
    assert abs(points["imputation"] - truth) < 0.05
    widest = own.side_by_side("index").loc["Y", "widest"]
    assert_allclose(widest, 5 * (points["em"] - points["listwise"]), rtol=0.1)


def test_change_is_from_the_first_policy(compared):
    own = compared.table["change"].xs("index", level="quantity")
    assert (own.xs("listwise", level="policy") == 0).all()
    wide = compared.side_by_side("index")
    assert_allclose(
        own.xs("em", level="policy"), (wide["em"] - wide["listwise"]).to_numpy(), atol=1e-12
    )
    assert compared.missing["missing"].sum() == int(np.isnan(compared_cells(compared)).sum())


def compared_cells(compared):
    mobi = csi.load_mobi().data[list(MODEL.items)]
    return mobi.mask(np.random.default_rng(1).random(mobi.shape) < 0.08).to_numpy(float)


def test_a_policy_without_a_result_says_why(survey):
    own = compare_missing_policies(MODEL, survey, policies=["fiml", "pairwise"])
    (told,) = [f for f in own.findings if f.code == "policy-without-result"]
    assert told.subjects == ("fiml",)
    assert told.severity == "warning"
    assert "full information is of csi.ML" in told.values["error"]
    assert "fiml" not in own.table.index.get_level_values("policy")
    alone = compare_missing_policies(MODEL, survey, policies=["fiml"])
    assert alone.table.empty
    assert "There is no quantity 'index'" in str(refusal(alone.side_by_side, "index"))
    assert "fiml" in str(alone.summary())


def test_without_scales_there_is_no_index(survey):
    bare = csi.read_survey(survey.data)
    own = compare_missing_policies(MODEL, bare, policies=["pairwise"])
    (told,) = [f for f in own.findings if f.code == "policy-without-quantity"]
    assert told.values["quantity"] == "index"
    assert set(own.table.index.get_level_values("quantity")) == {"paths"}
    assert "Paths: estimates" in str(own.summary())


def refusal(function, *arguments, **options):
    with pytest.raises(csi.errors.CsimodelError) as caught:
        function(*arguments, **options)
    return caught.value


def test_what_cannot_be_is_refused(survey):
    assert "(did you mean 'listwise'?)" in str(
        refusal(compare_missing_policies, MODEL, survey, policies=["listwize"])
    )
    assert "m=1 must be" in str(refusal(compare_missing_policies, MODEL, survey, m=1))
    assert "No answer to the 24 items of the model is missing" in str(
        refusal(compare_missing_policies, csi.models.ecsi(), csi.load_mobi())
    )
    assert "level=2" in str(refusal(compare_missing_policies, MODEL, survey, level=2))
    page = compare_missing_policies(MODEL, survey, policies=["listwise", "mean"]).summary()
    assert "moves most: from" in str(page)


def test_the_title_says_how_much_is_missing(ecsi, mobi):
    data = mobi.data.astype(float)
    data.iloc[:25, 0] = np.nan
    survey = csi.read_survey(data, scale=(1, 10))
    found = csi.assessment.compare_missing_policies(ecsi, survey, m=2, rng=1)
    assert "25 of 6,000 (0.4" in found.page.title.replace("\xa0", " ")
