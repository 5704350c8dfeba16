"""The jackknife equals refitting without each unit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import InferenceError


def test_each_value_is_a_refit_without_one_respondent(fit, ecsi, mobi):
    values = csi.jackknife(fit).values("paths")
    assert values.shape == (250, 12)
    for row in (0, 100, 249):
        without = csi.fit(ecsi, mobi.data.drop(index=row))
        assert_allclose(values[row], without.estimates.paths[ecsi.adjacency], atol=1e-8)


def test_standard_errors_agree_with_the_bootstrap(fit, boot):
    jackknife = csi.jackknife(fit).table("paths")
    assert_allclose(jackknife["se"], boot.table("paths")["se"], rtol=0.25)
    assert list(jackknife.columns) == ["estimate", "bias", "se"]


def test_whole_clusters_leave(ecsi, mobi):
    data = mobi.data.assign(firm=np.repeat(np.arange(25), 10))
    found = csi.jackknife(csi.fit(ecsi, csi.read_survey(data, cluster="firm")))
    assert found.unit == "cluster"
    without = csi.fit(ecsi, data[data["firm"] != 7])
    assert_allclose(found.values("paths")[7], without.estimates.paths[ecsi.adjacency], atol=1e-8)


def test_one_cluster_is_not_enough(ecsi, mobi):
    survey = csi.read_survey(mobi.data.assign(firm=1), cluster="firm")
    with pytest.raises(
        InferenceError, match=r"^The jackknife needs at least 2 clusters; there is 1\.$"
    ):
        csi.jackknife(csi.fit(ecsi, survey))
