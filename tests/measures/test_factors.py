"""Exploratory factors against R (psych, lavaan, stats) and statsmodels; laws; refusals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import csimodel as csi
from csimodel.findings import collected
from csimodel.measures.factors import dimensions
from csimodel.measures.factors.extraction import extract
from csimodel.measures.factors.rotation import geomin, quartimin, rotate, rotate_near, varimax

HERE = Path(__file__).parents[1] / "reference"
R = json.loads((HERE / "mobi_exploration.json").read_text())
STATS = json.loads((HERE / "mobi_factors.json").read_text())["solutions"]
MOBI = csi.load_mobi()
ITEMS = list(MOBI.items)
COR = MOBI.data[ITEMS].corr().to_numpy()


def apart(ours, theirs):
    """Largest difference of loadings, up to sign and order of factors."""
    from scipy.optimize import linear_sum_assignment

    theirs = np.asarray(theirs, dtype=float)
    pairs = np.minimum(
        np.abs(ours[:, :, None] - theirs[:, None]).max(axis=0),
        np.abs(ours[:, :, None] + theirs[:, None]).max(axis=0),
    )
    return pairs[linear_sum_assignment(pairs)].max()


def rng():
    return np.random.default_rng(1)


def test_kmo_bartlett_map_and_eigenvalues_are_those_of_r():
    kmo = dimensions.kmo(COR)
    assert kmo.overall == pytest.approx(R["kmo"]["overall"], abs=1e-10)
    assert kmo.items == pytest.approx([R["kmo"]["items"][name] for name in ITEMS], abs=1e-10)
    chisq, df, p = dimensions.bartlett(COR, 250)
    assert chisq == pytest.approx(R["bartlett"]["chisq"], rel=1e-10)
    assert (df, p) == (R["bartlett"]["df"], 0)
    for power, name in ((2, "map"), (4, "map4")):
        theirs = np.array(R[name], dtype=float)
        ours = dimensions.partial_averages(COR, power)[: len(theirs)]
        assert ours == pytest.approx(theirs[: len(ours)], abs=1e-10)
    assert dimensions.eigenvalues(COR) == pytest.approx(R["parallel"]["real_pc"], abs=1e-10)
    reduced = dimensions.eigenvalues(dimensions.reduced(COR))
    assert reduced == pytest.approx(R["parallel"]["real_smc"], abs=1e-10)


def test_parallel_analysis_has_the_quantiles_and_numbers_of_r():
    """Means over sets are simulated on both sides: 200 sets leave some .01."""
    components, factors = dimensions.random_eigenvalues(250, 24, 1000, rng())
    for ours, name, suggested in ((components, "pc", 2), (factors, "smc", 4)):
        theirs = R["parallel"]
        assert ours.mean(axis=0) == pytest.approx(theirs[f"{name}_mean"], abs=0.02)
        assert np.quantile(ours, 0.95, axis=0) == pytest.approx(theirs[f"{name}_q95"], abs=0.03)
        own = np.array(theirs[f"real_{name}"])
        assert dimensions.number_beyond(own, np.array(theirs[f"{name}_q95"])) == suggested
        assert suggested == theirs[f"n_{name}_q95"]
        assert (
            dimensions.number_beyond(own, np.array(theirs[f"{name}_mean"]))
            == (theirs[f"n_{name}_mean"])
        )
    assert csi.explore_factors(MOBI).suggested.iloc[:2].tolist() == [2, 4]


@pytest.mark.parametrize("solution", STATS, ids=lambda solution: str(solution["factors"]))
def test_ml_varimax_and_promax_are_those_of_factanal(solution):
    result = extract(COR, solution["factors"])
    assert result.converged
    theirs = [solution["uniquenesses"][name] for name in ITEMS]
    assert result.unique == pytest.approx(theirs, abs=1e-5)
    assert result.discrepancy == pytest.approx(solution["criterion"], abs=1e-9)
    order = [solution["varimax"]["rows"].index(name) for name in ITEMS]
    for rotation in ("varimax", "promax"):
        theirs = np.array(solution[rotation]["data"])[order]
        assert apart(rotate(result.loadings, rotation, rng()).loadings, theirs) < 1e-5


def off_lowest(loadings, correlations, criterion):
    """How far oblique loadings are from a lowest place, where Λ'G Φ⁻¹ is diagonal (Jennrich 2002)."""
    pull = loadings.T @ criterion(loadings)[1] @ np.linalg.inv(correlations)
    return np.abs(pull - np.diag(np.diag(pull))).max()


@pytest.mark.parametrize("name", list(R["efa"]))
def test_lavaan_rotated_on_to_the_lowest_place_is_ours(name):
    """It stops where the projected gradient is 4e-6 to 7e-6, we at 1e-8; then all agree to 1e-5."""
    theirs, rotation = R["efa"][name], name.split("_")[1]
    criterion = {"oblimin": quartimin, "geomin": geomin}[rotation]
    loadings, correlations = (np.array(theirs[part]["data"]) for part in ("loadings", "psi"))
    ours = rotate(extract(COR, int(name[1])).loadings, rotation, rng())
    assert off_lowest(ours.loadings, ours.correlations, criterion) < 2e-8
    assert off_lowest(loadings, correlations, criterion) > 4e-6
    lower = rotate(loadings @ np.linalg.cholesky(correlations), rotation, rng())
    assert lower.criterion < criterion(loadings)[0]
    assert apart(ours.loadings, lower.loadings) < 1e-5


@pytest.mark.parametrize("name", list(R["efa"]))
def test_oblique_factors_are_those_of_lavaan(name):
    """Up to where its rotation stops, see above: five factors are 6e-5 away."""
    theirs, factors = R["efa"][name], int(name[1])
    exploration = csi.explore_factors(
        MOBI, ITEMS, factors, rotation=name.split("_")[1], sets=20, rng=3
    )
    ours = exploration.loadings.loc[ITEMS].to_numpy()
    assert apart(ours, theirs["loadings"]["data"]) < 6e-5
    assert np.sort(np.abs(exploration.factor_correlations.to_numpy()), axis=None) == pytest.approx(
        np.sort(np.abs(np.array(theirs["psi"]["data"])), axis=None), abs=2e-4
    )
    fit = exploration.fit_measures
    assert fit["chisq"] == pytest.approx(theirs["fit"]["chisq"], abs=1e-6)
    assert fit["df"] == theirs["fit"]["df"]
    assert fit["pvalue"] == pytest.approx(theirs["fit"]["pvalue"], rel=1e-6)
    assert fit["srmr"] == pytest.approx(theirs["fit"]["srmr"], abs=1e-6)


@pytest.mark.parametrize("name", list(R["principal_axis"]))
def test_principal_axes_are_minres_of_psych(name):
    theirs = R["principal_axis"][name]
    result = extract(COR, theirs["factors"], "principal-axis")
    communality = [theirs["communality"][item] for item in ITEMS]
    assert 1 - result.unique == pytest.approx(communality, abs=1e-5)
    rotated = rotate(result.loadings, "oblimin", rng())
    loadings = np.array(theirs["loadings"]["data"])
    assert apart(rotated.loadings, loadings) < 6e-5
    # psych stops its rotation where the projected gradient is 5e-6, as lavaan does; we at 1e-8
    inverse = np.linalg.pinv(loadings)
    common = rotated.loadings @ rotated.correlations @ rotated.loadings.T
    correlations = inverse @ common @ inverse.T
    assert np.diag(correlations) == pytest.approx(1, abs=1e-5)
    assert off_lowest(loadings, correlations, quartimin) > 4e-6
    assert off_lowest(rotated.loadings, rotated.correlations, quartimin) < 2e-8


def test_principal_axes_stay_when_communalities_are_put_back():
    result = extract(COR, 4, "principal-axis")
    reduced = COR - np.diag(result.unique)
    roots, vectors = np.linalg.eigh(reduced)
    loadings = vectors[:, -4:] * np.sqrt(roots[-4:])
    assert (loadings**2).sum(axis=1) == pytest.approx(1 - result.unique, abs=1e-6)


@pytest.mark.parametrize(("rotation", "method"), [("oblimin", "oblimin"), ("varimax", "varimax")])
def test_rotations_are_those_of_statsmodels(rotation, method):
    from statsmodels.multivariate.factor_rotation import rotate_factors

    loadings = extract(COR, 3).loadings
    own = (0, "oblique") if method == "oblimin" else ()
    theirs, _ = rotate_factors(loadings, method, *own, max_tries=5000, tol=1e-10)
    ours = rotate(loadings, rotation, rng(), kaiser=False)
    assert apart(ours.loadings, theirs) < 1e-6


@pytest.mark.parametrize("criterion", [varimax, quartimin, geomin])
def test_gradients_are_derivatives(criterion):
    loadings = rng().normal(size=(6, 3))
    _, gradient = criterion(loadings)
    step = 1e-6 * rng().normal(size=loadings.shape)
    change = criterion(loadings + step)[0] - criterion(loadings - step)[0]
    assert change == pytest.approx(2 * (gradient * step).sum(), rel=1e-5)


@pytest.mark.parametrize("extraction", ["ml", "principal-axis"])
def test_population_correlations_give_their_loadings(extraction):
    simple = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6], [0.5]]))
    phi = np.array([[1, 0.3, 0.2], [0.3, 1, 0.4], [0.2, 0.4, 1]])
    cor = simple @ phi @ simple.T
    np.fill_diagonal(cor, 1)
    result = extract(np.stack([cor, cor]), 3, extraction)
    rotated = rotate(result.loadings, "oblimin", rng())
    for k in (0, 1):
        assert apart(rotated.loadings[k], simple) < 1e-5
        implied = rotated.loadings[k] @ rotated.correlations[k] @ rotated.loadings[k].T
        assert implied + np.diag(result.unique[k]) == pytest.approx(cor, abs=1e-5)


def test_a_batch_is_each_of_its_entries():
    halves = np.stack([MOBI.data[ITEMS].iloc[k::2].corr().to_numpy() for k in (0, 1)])
    for extraction in ("ml", "principal-axis"):
        together = extract(halves, 2, extraction)
        for k in (0, 1):
            alone = extract(halves[k], 2, extraction)
            assert together.unique[k] == pytest.approx(alone.unique, abs=1e-8)
    sample = extract(COR, 2)
    rotated = rotate(sample.loadings, "oblimin", rng())
    near = rotate_near(together.loadings, "oblimin", sample.loadings, rotated.axes)
    again = rotate(together.loadings[1], "oblimin", rng())
    assert apart(near.loadings[1], again.loadings) < 1e-3


def test_intervals_of_loadings_come_from_draws():
    exploration = csi.explore_factors(MOBI, factors=2, draws=200, rng=1)
    table = exploration.table("loadings")
    assert list(table.columns) == ["estimate", "se", "df", "lower", "upper", "p", "reason"]
    assert (table["reason"] == "").all()
    assert (
        (table["lower"] < table["estimate"]) & (table["estimate"] < table["upper"])
    ).mean() > 0.9
    again = csi.explore_factors(MOBI, factors=2, draws=200, rng=1)
    pd.testing.assert_frame_equal(table, again.table("loadings"))
    without = csi.explore_factors(MOBI, factors=2).table("loadings")
    assert without["se"].isna().all()
    assert set(without["reason"]) == {"no draws were asked for; give draws=1000"}


def test_errors_of_loadings_shrink_with_the_sample():
    """Of a clear structure draws give about the error of samples."""
    truth = np.kron(np.eye(2), np.full((3, 1), 0.7))
    cor = truth @ truth.T + np.diag(1 - (truth**2).sum(axis=1))
    root = np.linalg.cholesky(cor)
    generator = np.random.default_rng(2)
    names = list("abcdef")

    def sample(rows):
        return pd.DataFrame(generator.normal(size=(rows, 6)) @ root.T, columns=names)

    estimates = []
    for _ in range(60):
        rotated = rotate(extract(sample(300).corr().to_numpy(), 2).loadings, "varimax", rng())
        estimates.append(np.sort(np.abs(rotated.loadings[0]))[-1])
    exploration = csi.explore_factors(
        sample(300), factors=2, rotation="varimax", draws=200, sets=20
    )
    table = exploration.table("loadings")
    factor = exploration.items.loc["a", "factor"]
    assert table.loc[("a", factor), "se"] == pytest.approx(np.std(estimates), rel=0.35)


def test_a_heywood_case_and_items_apart_are_said():
    exploration = csi.explore_factors(MOBI, factors=7)
    by_code = {finding.code: finding for finding in exploration.findings}
    assert by_code["no-unique-variance"].subjects == ("IMAG2",)
    frame = pd.DataFrame(rng().normal(size=(200, 5)), columns=list("abcde"))
    frame["b"] = frame["a"] + 0.5 * frame["b"]
    noise = csi.explore_factors(frame, sets=50)
    assert {"little-in-common"} <= {finding.code for finding in noise.findings}
    alone = csi.explore_factors(frame[["a", "c", "d"]], sets=50)
    assert {"no-common-factor"} <= {finding.code for finding in alone.findings}
    weighted = csi.read_survey(MOBI, weights="CUSA1")
    assert "plain-sample-tests" in {
        finding.code for finding in csi.explore_factors(weighted, ITEMS[:6]).findings
    }


FRAME = pd.DataFrame(rng().integers(1, 11, size=(40, 5)), columns=list("abcde"))


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (FRAME, {"factors": 3}, "factors=3 are more than the correlations of 5 items can tell apart"),
        (FRAME, {"factors": 0}, "factors=0 must be a whole number of at least 1"),
        (FRAME, {"items": ["a", "b"]}, "items=.* names 2; give at least 3"),
        (FRAME, {"items": ["a", "b", "z"]}, "items names the column 'z', which is not in the data"),
        (FRAME[["a", "b"]], {}, "The survey has 2 items, and 3 are needed"),
        (FRAME.assign(f=FRAME["a"] + FRAME["b"]), {}, "not positive definite"),
        (FRAME.head(3), {}, "not positive definite"),
        (FRAME.assign(f="x"), {}, "'f'"),
        (FRAME, {"rotation": "quartimax"}, "rotation='quartimax'"),
        (FRAME, {"sets": 3}, "sets=3 must be a whole number of at least 20"),
        (FRAME, {"draws": -1}, "draws=-1"),
        (None, {}, "survey=None must be"),
    ],
)  # fmt: skip
def test_what_cannot_be_explored_is_refused(frame, options, message):
    with collected(), pytest.raises(csi.CsimodelError, match=message):
        csi.explore_factors(frame, **options)


def test_the_page_shows_loadings_and_numbers():
    exploration = csi.explore_factors(MOBI, factors=2)
    text = str(exploration.summary())
    assert "2 common factors." in text
    assert "parallel analysis, components" in text
    assert list(exploration.items.columns) == [
        "factor", "loading", "communality", "complexity", "kmo"
    ]  # fmt: skip
    with pytest.raises(csi.errors.OptionError, match="name='loading'"):
        exploration.table("loading")
    assert exploration.items["complexity"].min() >= 1


def test_one_degree_of_freedom_is_a_test():
    fit = csi.explore_factors(MOBI, ITEMS[:5], 2, sets=20, rng=3).fit_measures
    assert fit["df"] == 1
    assert fit["pvalue"] == pytest.approx(float(chi2.sf(fit["chisq"], 1)))
