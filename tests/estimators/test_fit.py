"""What a Fit shows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import ModelError, OptionError, SurveyError


def test_tables_have_one_orientation(fit):
    assert fit.paths.loc["Satisfaction", "Image"] == pytest.approx(0.1787, abs=1e-4)
    assert fit.paths.loc["Image", "Satisfaction"] == 0
    assert fit.loadings.shape == fit.weights.shape == fit.cross_loadings.shape == (24, 7)
    assert list(fit.r2.index) == list(fit.model.endogenous)


def test_scores_are_standardised_and_reproduce_the_correlations(fit):
    scores = fit.scores
    assert_allclose(scores.mean(), 0, atol=1e-12)
    assert_allclose(scores.std(), 1, rtol=1e-12)
    assert_allclose(scores.corr(), fit.construct_cor, atol=1e-12)
    assert scores.index.equals(fit.survey.data.index)


def test_unstandardized_weights_sum_to_one(fit):
    assert_allclose(fit.unstandardized_weights.sum(), 1, rtol=1e-12)
    sd = fit.survey.data[list(fit.model.items)].std()
    raw = fit.weights.div(sd, axis=0)
    assert_allclose(fit.unstandardized_weights, raw / raw.sum(), atol=1e-14)


def test_effects_add_up(fit):
    assert_allclose(fit.total_effects, fit.paths + fit.indirect_effects)


def test_implied_covariance_has_the_observed_variances(fit):
    sd = fit.survey.data[list(fit.model.items)].std()
    assert_allclose(np.sqrt(np.diag(fit.implied_cov)), sd)


@pytest.mark.parametrize("kind", ["modeA", "plsc"])
def test_implied_correlations_as_csem(reference, frame, ecsi, mobi, kind):
    theirs = frame(reference("mobi_pls.json")["csem"][f"path_{kind}"]["fit_indicator_vcv"])
    ours = csi.fit(ecsi, mobi, csi.PLS(consistent=kind == "plsc", tolerance=1e-13)).solution
    items = list(ecsi.items)
    assert_allclose(ours.implied_cor(), theirs.loc[items, items], atol=1e-8)


def test_frames_of_any_kind_give_the_same(fit, ecsi, mobi):
    polars = pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow")
    columns = {name: mobi.data[name].tolist() for name in mobi.data.columns}
    for data in (mobi.data, polars.DataFrame(columns), pyarrow.table(columns)):
        assert_allclose(csi.fit(ecsi, data).paths, fit.paths, atol=1e-12)


def test_mean_replacement_as_seminr(reference, frame, ecsi, mobi):
    from conftest import REFERENCE

    mask = pd.read_csv(REFERENCE / "mobi_missing_mask.csv")
    data = mobi.data[mask.columns].mask(mask == 1)
    survey = csi.read_survey(data, missing="mean")
    ours = csi.fit(ecsi, survey, csi.PLS(tolerance=1e-13))
    theirs = reference("mobi_pls.json")["seminr"]["mean_replacement"]
    assert_allclose(
        ours.paths, frame(theirs["paths"]).T.loc[ours.paths.index, ours.paths.columns], atol=1e-8
    )
    assert_allclose(
        ours.weights,
        frame(theirs["weights"]).loc[ours.weights.index, ours.weights.columns],
        atol=1e-8,
    )
    assert [f.code for f in ours.diagnostics] == ["cells-filled"]
    assert ours.diagnostics[0].count == int(mask.to_numpy().sum())


def test_weights_equal_repeated_rows(ecsi, mobi):
    times = np.where(np.arange(250) % 4 == 0, 3, 1)
    weighted = csi.fit(ecsi, csi.read_survey(mobi.data.assign(w=times), weights="w", scale=(1, 10)))
    repeated = csi.fit(
        ecsi,
        csi.read_survey(
            mobi.data.loc[np.repeat(mobi.data.index, times)].reset_index(drop=True), scale=(1, 10)
        ),
    )
    assert_allclose(weighted.paths, repeated.paths, atol=1e-9)
    assert_allclose(
        csi.index_scores(weighted)["mean"], csi.index_scores(repeated)["mean"], atol=1e-8
    )
    scores = weighted.scores
    assert_allclose(np.average(scores, axis=0, weights=times), 0, atol=1e-12)


def test_summary_says_what_matters(fit, ecsi, mobi):
    page = str(fit.summary())
    for text in (
        "ECSI by PLS, path scheme",
        "250 respondents, converged after",
        "No findings",
        "0.505",
        "IMAG1",
    ):
        assert text in page
    flagged = str(csi.fit(ecsi, mobi, csi.PLS(consistent=True)).summary())
    assert "DO NOT USE: The construct correlations contradict each other" in flagged


def test_html_escapes_names(population):
    data = population(60).rename(columns={"a1": "<script>alert(1)</script>"})
    items = list(data.columns)
    model = csi.Model(
        (csi.reflective("<b>A</b>", items[:3]), csi.reflective("B", items[3:6])),
        (("<b>A</b>", "B"),),
    )
    page = csi.fit(model, data)._repr_html_()
    assert "<script>" not in page
    assert "<b>A</b>" not in page
    assert "&lt;script&gt;" in page


def test_moments_have_no_respondents(ecsi, mobi):
    items = list(ecsi.items)
    found = csi.fit(ecsi, csi.Moments.from_cov(mobi.data[items].cov(), 250, items))
    for use in (lambda: found.scores, lambda: csi.bootstrap(found), lambda: csi.jackknife(found)):
        with pytest.raises(
            SurveyError, match=r"needs the respondents, but this fit was made from moments"
        ):
            use()


def test_an_unknown_quantity_lists_what_there_is(boot):
    with pytest.raises(OptionError) as caught:
        boot.table("path")
    assert str(caught.value).startswith(
        "There is no quantity 'path' (did you mean 'paths'?); use one of paths, "
    )


@pytest.mark.parametrize("asked", [["paths"], 5, None])
def test_a_quantity_that_is_no_name_is_refused(boot, asked):
    with pytest.raises(OptionError) as caught:
        boot.table(asked)
    assert str(caught.value) == (
        f"The quantity {asked!r} is not a name; give one, such as 'paths'."
    )


@pytest.mark.parametrize(
    "start", [csi.fit, lambda *given: csi.fit_groups(*given[:2], "g", *given[2:])]
)
def test_arguments_of_the_wrong_type_are_named(start, chain, population):
    data = population(50).assign(g=1)
    cases = [
        ((chain.to_syntax(), data), ModelError,
         "The model is given as text; read it first with csi.Model.from_syntax(text)."),
        ((data, chain), ModelError,
         "The model is of type DataFrame; give a csi.Model first and the survey second."),
        ((chain, data, "path"), OptionError, "The estimator 'path' is not known; give a value such as "
         "csi.PLS() or csi.PLS(scheme='centroid')."),
        ((chain, data, csi.PLS), OptionError,
         "The estimator PLS is a class; give a value of it, such as csi.PLS()."),
    ]  # fmt: skip
    for given, error, message in cases:
        with pytest.raises(error) as caught:
            start(*given)
        assert str(caught.value) == message


def test_a_batch_of_moments_is_not_one_sample(chain, population):
    data = population(50)
    batch = csi.Moments.from_array(np.stack([data, data]), list(data.columns))
    with pytest.raises(SurveyError) as caught:
        csi.fit(chain, batch)
    assert str(caught.value) == (
        "The moments hold a batch of 2 samples and fit takes one; give one of them, such as "
        "moments[0], or fit groups of a survey with fit_groups."
    )
    assert csi.fit(chain, batch[0]).n == 50


def test_tables_are_copies(chain, population):
    found = csi.fit(chain, population(50))
    before = [found.estimates.paths.copy(), found.estimates.construct_cor.copy()]
    before += [found.solution.cross_loadings.copy(), found.solution.total_effects.copy()]
    tables = (found.paths, found.construct_cor, found.cross_loadings, found.total_effects)
    for table in (*tables, found.r2, found.loadings, found.weights, found.implied_cov):
        table.iloc[:] = 99.0
    after = [found.estimates.paths, found.estimates.construct_cor]
    after += [found.solution.cross_loadings, found.solution.total_effects]
    for one, other in zip(before, after, strict=True):
        assert_allclose(one, other, atol=0)


def test_explained_variance_has_no_p_value(boot):
    assert boot.table("r2")["p"].isna().all()
    assert boot.table("r2_adjusted")["p"].isna().all()
