"""What a Fit shows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import OptionError, SurveyError


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
