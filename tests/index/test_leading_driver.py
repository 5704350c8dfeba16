"""Which driver leads: differences, errors and p-values by hand from the draws."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal, norm, t

import csimodel as csi
from csimodel.index.importance import IMPACTS
from csimodel.index.leading_driver import leading_driver
from csimodel.index.leading_group import simultaneous
from csimodel.inference.domains import satterthwaite

MODEL = csi.Model.from_syntax(
    "A =~ IMAG1 + IMAG2 + IMAG3\nB =~ PERQ1 + PERQ2 + PERQ3\nC =~ PERV1 + PERV2\n"
    "S =~ CUSA1 + CUSA2 + CUSA3\nS ~ A + B + C\nB ~ A"
)


@pytest.fixture(scope="module")
def own():
    survey = csi.read_survey(
        csi.load_mobi().data.assign(firm=np.arange(250) % 25, part=np.arange(250) % 25 // 13),
        scale=(1, 10),
        items=list(MODEL.items),
        cluster="firm",
        strata="part",
    )
    return csi.bootstrap(csi.fit(MODEL, survey), 400, rng=2, progress=False)


def test_the_table_is_that_of_the_draws(own):
    leader = leading_driver(own, "S", 0.9)
    labels = IMPACTS.labels(MODEL)
    pairs = zip(*map(labels.get_level_values, ("target", "source")), strict=True)
    at = {source: k for k, (target, source) in enumerate(pairs) if target == "S"}
    draws, values = own.values(IMPACTS), np.asarray(IMPACTS.values(own.fit.solution))
    assert (leader.level, set(leader.table.index) | {leader.group}) == (0.9, set("ABC"))
    assert values[at[leader.group]] == max(values[k] for k in at.values())
    for name, row in leader.table.iterrows():
        first, other = at[leader.group], at[name]
        assert_allclose(row["difference"], values[first] - values[other], rtol=1e-12)
        spread = (draws[:, first] - draws[:, other]).std(ddof=1)
        assert_allclose(row["se"], spread * np.sqrt(own.fit.answers.design.inflation), rtol=1e-10)
        assert row["df"] == 25 - 2  # firms less strata
        p = 2 * t.sf(row["difference"] / row["se"], row["df"])
        assert_allclose(row["p"], p, rtol=1e-10)
        assert row["p_adjusted"] > row["p"]
    assert leader.distinct == bool((leader.table["p_adjusted"] < 0.1).all())


def test_one_antecedent_has_no_rival(own):
    assert leading_driver(own, "B") is None


def test_simultaneous_p_values_are_those_of_the_largest_of_correlated_normals():
    """P(max|Z| > z) of two correlated normals by the distribution function, z from each p."""
    covariance = np.diag([1.0, 2.0, 0.5]) + 0.2
    contrast = np.array([[-1.0, 1.0, 0.0], [0.0, 1.0, -1.0]])
    block = contrast @ covariance @ contrast.T
    rho = block[0, 1] / np.sqrt(block[0, 0] * block[1, 1])
    both = multivariate_normal([0, 0], [[1, rho], [rho, 1]])
    p = np.array([0.04, 0.3])
    expected = []
    for z in norm.isf(p / 2):
        inside = both.cdf([z, z]) - both.cdf([-z, z]) - both.cdf([z, -z]) + both.cdf([-z, -z])
        expected.append(1 - inside)
    ours = simultaneous(p, 1, np.array([0, 2]), covariance)
    assert_allclose(ours, expected, atol=0.01)
    assert (ours > p).all()


def test_degrees_of_freedom_are_satterthwaites():
    variance, df = np.array([1.0, 2.0, 1.0, 1.0, 0.0]), np.array([10.0, 30.0, 10.0, 0.0, 5.0])
    pairs = [np.zeros(4, dtype=np.intp), np.arange(1, 5)]
    ours = satterthwaite(variance[pairs], df[pairs])
    assert_allclose(ours, [9 / (1 / 10 + 4 / 30), 4 / (1 / 10 + 1 / 10), 0, 10])
    df[0] = 0
    assert (satterthwaite(variance[pairs], df[pairs]) == 0).all()
