"""The jackknife equals refitting without each unit."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import InferenceError
from csimodel.estimators import Quantity


def test_each_value_is_a_refit_without_one_respondent(fit, ecsi, mobi):
    values = csi.jackknife(fit).values("paths")
    assert values.shape == (250, 12)
    for row in (0, 100, 249):
        without = csi.fit(ecsi, mobi.data.drop(index=row))
        assert_allclose(values[row], without.estimates.paths[ecsi.adjacency], atol=1e-8)


def test_standard_errors_agree_with_the_bootstrap(fit, boot):
    jackknife = csi.jackknife(fit).table("paths")
    assert_allclose(jackknife["se"], boot.table("paths")["se"], rtol=0.25)
    assert list(jackknife.columns) == [
        "estimate",
        "bias",
        "se",
        "df",
        "lower",
        "upper",
        "p",
        "reason",
    ]


def test_whole_clusters_leave(ecsi, mobi):
    data = mobi.data.assign(firm=np.repeat(np.arange(25), 10))
    found = csi.jackknife(csi.fit(ecsi, csi.read_survey(data, cluster="firm")))
    assert repr(found).endswith("25 clusters left out in turn>")
    without = csi.fit(ecsi, data[data["firm"] != 7])
    assert_allclose(found.values("paths")[7], without.estimates.paths[ecsi.adjacency], atol=1e-8)


def test_one_cluster_is_not_enough(ecsi, mobi):
    survey = csi.read_survey(mobi.data.assign(firm=1), cluster="firm")
    with pytest.raises(
        InferenceError,
        match=r"^The jackknife leaves clusters out .* at least 2 of them, and the fit has 1\.$",
    ):
        csi.jackknife(csi.fit(ecsi, survey))


def test_strata_lower_the_error_as_the_bootstrap_says(ecsi, mobi):
    order = mobi.data.sum(axis=1).rank(method="first").astype(int) - 1
    survey = csi.read_survey(mobi.data.assign(s=order // 50), strata="s", scale=(1, 10))
    fit = csi.fit(ecsi, survey)
    ours = csi.jackknife(fit).table("index")["se"]
    assert_allclose(ours, csi.bootstrap(fit, 1500, 1).table("index")["se"], rtol=0.12)
    plain = csi.jackknife(csi.fit(ecsi, csi.read_survey(mobi.data, scale=(1, 10)))).table("index")[
        "se"
    ]
    assert ours["Satisfaction"] < 0.6 * plain["Satisfaction"]


def test_leaving_out_weights_up_the_rest_of_the_stratum(chain, population):
    data = population(30).assign(s=np.repeat([0, 1, 2], 10))
    fit = csi.fit(chain, csi.read_survey(data, strata="s"))
    weights = np.ones(30)
    weights[10:20] = 10 / 9
    without = data.drop(index=12).assign(w=np.delete(weights, 12))
    direct = csi.fit(chain, csi.read_survey(without, weights="w", items=list(chain.items)))
    assert_allclose(
        csi.jackknife(fit).values("paths")[12], direct.estimates.paths[chain.adjacency], atol=1e-8
    )


def test_three_rows_give_no_error_and_no_crash(population):
    model = csi.Model.from_syntax("A =~ a1\nB =~ b1\nB ~ A")
    table = csi.jackknife(csi.fit(model, population(3)[["a1", "b1"]])).table("paths")
    assert table["se"].isna().all()


@pytest.mark.parametrize("strata", [None, "s"])
def test_bias_and_error_are_the_sums_over_strata_written_out(chain, population, strata):
    data = population(24).assign(s=np.repeat([0, 1], [16, 8]))
    fit = csi.fit(chain, csi.read_survey(data, strata=strata, items=list(chain.items)))
    found = csi.jackknife(fit)
    table, values = found.table("loadings"), found.values("loadings")
    bias = np.zeros(len(table))
    variance = np.zeros(len(table))
    for rows in [np.arange(16), np.arange(16, 24)] if strata else [np.arange(24)]:
        left, size = values[rows], len(rows)
        bias += (size - 1) * (left.mean(axis=0) - table["estimate"].to_numpy())
        variance += (size - 1) / size * ((left - left.mean(axis=0)) ** 2).sum(axis=0)
    assert_allclose(table["bias"], bias, rtol=1e-9)
    assert_allclose(table["se"], np.sqrt(variance), rtol=1e-9)


def test_bias_of_a_variance_is_minus_a_share_of_it():
    """The variance with denominator n has the jackknife bias -s²/n, s² that with n - 1."""
    model = csi.Model.from_syntax("A =~ a\nB =~ b\nB ~ A")
    data = np.random.default_rng(4).normal(size=(30, 2))
    fit = csi.fit(model, pd.DataFrame(data, columns=["a", "b"]))

    def variances(solution):
        n = np.asarray(solution.moments.n, dtype=float)[..., None]
        cov = solution.moments.cov
        return np.diagonal(cov, axis1=-2, axis2=-1) * (n - 1) / n

    quantity = Quantity("item variances", lambda model: pd.Index(model.items), variances)
    found = csi.jackknife(fit).table(quantity)
    assert_allclose(found["estimate"], data.var(axis=0), rtol=1e-12)
    assert_allclose(found["bias"], -data.var(axis=0, ddof=1) / 30, rtol=1e-9)
