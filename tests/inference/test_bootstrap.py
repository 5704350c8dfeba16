"""The bootstrap: the same draws as another program, and the laws of resampling."""

from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import InferenceError, OptionError

KINDS = {"paths": "paths", "total": "total_effects", "loadings": "loadings", "weights": "weights"}


@pytest.fixture(scope="module")
def rows():
    from conftest import REFERENCE

    return (
        np.loadtxt(REFERENCE / "mobi_boot_indices_500x250_1based.csv", delimiter=",", dtype=int) - 1
    )


@pytest.mark.parametrize("kind", ["modeA", "plsc"])
def test_the_same_draws_as_seminr(reference, ecsi, mobi, rows, kind):
    theirs = reference("mobi_bootstrap.json")["seminr"][kind]
    fit = csi.fit(ecsi, mobi, csi.PLS(consistent=kind == "plsc"))
    boot = csi.bootstrap(fit, resamples=rows)
    ours = boot.draws("paths")
    first = theirs["first5_paths"]
    for column, values in zip(first["cols"], np.array(first["data"]).T, strict=True):
        source, target = column.split(" -> ")
        assert_allclose(ours[(target, source)].iloc[:5], values, atol=1e-6)
    for entry, quantity in KINDS.items():
        draws, stats = boot.draws(quantity), theirs["stats"][entry]
        checked = 0
        for label, sd in stats["sd"].items():
            one, other = label.split(" -> ")
            key = (one, other) if quantity in ("loadings", "weights") else (other, one)
            assert_allclose(draws[key].std(), sd, atol=1e-6)
            assert_allclose(draws[key].mean(), stats["mean"][label], atol=1e-6)
            assert_allclose(
                draws[key].quantile([0.025, 0.975]),
                [stats["q025"][label], stats["q975"][label]],
                atol=1e-6,
            )
            checked += 1
        assert checked == draws.shape[1]
    for construct, sd in theirs["stats"]["R2"]["sd"].items():
        assert_allclose(boot.draws("r2")[construct].std(), sd, atol=1e-6)


def test_each_draw_is_a_refit_of_its_rows(ecsi, mobi, fit, rows):
    boot = csi.bootstrap(fit, resamples=rows[:3])
    again = csi.fit(ecsi, mobi.data.iloc[rows[1]].reset_index(drop=True))
    assert_allclose(boot.draws("paths").iloc[1], again.estimates.paths[ecsi.adjacency], atol=1e-9)


def test_numbers_do_not_depend_on_workers_or_on_how_many_draws_follow(fit):
    one = csi.bootstrap(fit, 1200, 5)
    four = csi.bootstrap(fit, 1200, 5, workers=4)
    assert np.array_equal(one.draws("weights"), four.draws("weights"))
    short = csi.bootstrap(fit, 512, 5)
    assert np.array_equal(one.draws("weights").iloc[:512], short.draws("weights"))
    assert not np.array_equal(one.draws("weights"), csi.bootstrap(fit, 1200, 6).draws("weights"))


def test_streams_of_blocks_differ(fit):
    draws = csi.bootstrap(fit, 1100, 5).draws("paths").to_numpy()
    assert len(np.unique(draws.round(12), axis=0)) == 1100


def test_a_generator_is_used_and_none_differs(fit):
    rng = np.random.default_rng(1)
    first, second = (csi.bootstrap(fit, 30, rng).draws("r2") for _ in range(2))
    assert not np.array_equal(first, second)
    again = csi.bootstrap(fit, 30, np.random.default_rng(1)).draws("r2")
    assert np.array_equal(first, again)
    assert not np.array_equal(
        csi.bootstrap(fit, 30, None).draws("r2"), csi.bootstrap(fit, 30, None).draws("r2")
    )


@pytest.mark.parametrize("interval", ["percentile", "basic", "normal", "bc", "bca"])
def test_tables_are_labelled(boot, fit, interval):
    table = boot.table("paths", interval=interval, level=0.9)
    assert list(table.columns) == ["estimate", "se", "df", "lower", "upper", "p", "reason"]
    assert (table["df"] == 249).all()
    assert (table["reason"] == "").all()
    assert table.index.names == ["target", "source"]
    assert (
        table.loc[("Loyalty", "Satisfaction"), "estimate"]
        == fit.paths.loc["Loyalty", "Satisfaction"]
    )
    assert (table["lower"] < table["upper"]).all()
    assert ((table["p"] > 0) & (table["p"] <= 1)).all()


def test_studentized_intervals_use_the_error_of_every_draw(chain, population):
    fit = csi.fit(chain, population(60))
    boot = csi.bootstrap(fit, 40, 1, progress=False)
    table = boot.table("paths", interval="studentized")
    from csimodel.estimators import find
    from csimodel.inference.nested_jackknife import errors_of_draws

    errors = errors_of_draws(fit, boot.design, boot.usable, find("paths"))
    counts = boot.design.counts(0)[3].astype(int)
    data = fit.survey.data.loc[np.repeat(fit.survey.data.index, counts)].reset_index(drop=True)
    direct = csi.jackknife(csi.fit(chain, data)).table("paths")["se"]
    assert_allclose(errors[3], direct, rtol=1e-6)
    assert (table["lower"] < table["upper"]).all()


def test_inadmissible_draws_are_counted_kept_or_dropped(ecsi, mobi):
    fit = csi.fit(ecsi, mobi, csi.PLS(consistent=True))
    kept = csi.bootstrap(fit, 300, 1)
    dropped = csi.bootstrap(fit, 300, 1, inadmissible="drop")
    assert kept.failed.empty
    assert kept.inadmissible["construct correlations not positive definite"] > 100
    assert len(dropped.draws("paths")) == 300 - (kept.solution.estimates.inadmissible > 0).sum()
    assert dropped.failed.sum() >= 300 - len(dropped.draws("paths"))
    assert (kept.findings[0].code, kept.findings[0].values["total"]) == ("inadmissible-draws", 300)
    assert dropped.findings[0].code == "lost-draws"
    assert dropped.findings[0].count == 300 - len(dropped.draws("paths"))
    assert "lost" in repr(dropped)


def test_draws_that_fail_are_counted_by_reason(chain, population):
    data = population(40)
    data["b2"] = [1.0] * 38 + [5.0, 6.0]
    boot = csi.bootstrap(csi.fit(chain, data), 300, 1)
    flat, lost = boot.failed["an item without variation"], boot.failed.sum()
    assert 10 < flat < 100  # (38/40)^40 of 300 is 39
    assert len(boot.draws("paths")) == 300 - lost
    values = boot.findings[0].values
    assert (boot.findings[0].code, values["lost"], values["total"]) == ("lost-draws", lost, 300)
    assert f"{flat} an item without variation" in values["reasons"]
    assert boot.table("paths").notna().all(axis=None)


def test_too_few_usable_draws_give_no_interval(fit):
    with pytest.raises(InferenceError) as caught:
        csi.bootstrap(fit, 10, 1).table("paths")
    assert str(caught.value) == (
        "Only 10 of 10 draws are usable (too few asked for), and intervals need at least 20; "
        "take more (draws=, or rows of resamples=) or a simpler model."
    )


def test_strata_and_clusters_are_respected(ecsi, mobi):
    data = mobi.data.assign(firm=np.repeat(np.arange(25), 10), s=np.repeat([0, 1], 125))
    by_cluster = csi.bootstrap(csi.fit(ecsi, csi.read_survey(data, cluster="firm")), 200, 1)
    assert by_cluster.design.kind == "cluster"
    by_stratum = csi.bootstrap(csi.fit(ecsi, csi.read_survey(data, strata="s")), 200, 1)
    assert by_stratum.design.kind == "stratified"
    few = data.assign(firm=np.repeat(np.arange(5), 50))
    told = csi.bootstrap(csi.fit(ecsi, csi.read_survey(few, cluster="firm")), 50, 1).findings
    assert [(f.code, f.values["units"], f.values["df"]) for f in told] == [("few-units", 5, 4)]


def test_cluster_errors_grow_with_similarity(chain, population):
    rng = np.random.default_rng(0)
    data = population(40).loc[np.repeat(np.arange(40), 5)].reset_index(drop=True)
    data = data + 0.1 * rng.standard_normal(data.shape)
    data["firm"] = np.repeat(np.arange(40), 5)
    naive = csi.bootstrap(csi.fit(chain, data), 300, 1).table("paths")["se"]
    honest = csi.bootstrap(csi.fit(chain, csi.read_survey(data, cluster="firm")), 300, 1).table(
        "paths"
    )["se"]
    assert (honest > 1.6 * naive).all()


def test_poisson_draws(fit):
    table = csi.bootstrap(fit, 400, 2, kind="poisson").table("paths")
    usual = csi.bootstrap(fit, 400, 2).table("paths")
    assert_allclose(table["se"], usual["se"], rtol=0.3)


def test_options_are_checked(fit, rows):
    for draws in (0, 1e3, "100", None, True):
        with pytest.raises(
            OptionError, match=r"must be a whole number of at least 1, and some thousands"
        ):
            csi.bootstrap(fit, draws)
    for rng in ("abc", -1, 1.7, True):
        with pytest.raises(
            OptionError, match=r"must be a whole number from 0, a numpy.random.Generator, or None"
        ):
            csi.bootstrap(fit, 50, rng)
    for workers in (0, 2.5, "2"):
        with pytest.raises(OptionError, match=r"^workers="):
            csi.bootstrap(fit, 50, workers=workers)
    for resamples in ([], [[1], [2, 3]], ["x"], np.zeros((2, 2, 2), dtype=int)):
        with pytest.raises(OptionError, match=r"one row of them a draw; seen something else\.$"):
            csi.bootstrap(fit, resamples=resamples)
    with pytest.raises(
        OptionError, match=r"inadmissible='dropp' is not known \(did you mean 'drop'\?\)"
    ):
        csi.bootstrap(fit, 50, inadmissible="dropp")
    with pytest.raises(OptionError) as caught:
        csi.bootstrap(fit, resamples=rows[:5] + 1)
    assert str(caught.value) == (
        "resamples must be whole row numbers from 0 to 249, one row of them a draw; seen 1 to 250."
    )


def test_quantities_of_ones_own(boot, fit):
    ratio = csi.Quantity(
        "ratio",
        lambda model: pd.Index(["quality over image"]),
        lambda s: (s.total_effects[..., 4, 2] / s.total_effects[..., 4, 0])[..., None],
    )
    table = boot.table(ratio)
    expected = (
        fit.total_effects.loc["Satisfaction", "Quality"]
        / fit.total_effects.loc["Satisfaction", "Image"]
    )
    assert table.loc["quality over image", "estimate"] == pytest.approx(expected)


def similar(population, clusters, strata, seed=0):
    """Make clusters of 4 similar respondents, in strata that differ."""
    rng = np.random.default_rng(seed)
    firm = np.repeat(np.arange(clusters), 4)
    stratum = firm % strata
    data = population(4 * clusters, seed=seed)
    shift = rng.standard_normal(clusters)[firm] + 2.0 * stratum
    return data.add(shift, axis=0).assign(firm=firm, s=stratum)


def test_few_units_in_a_stratum_do_not_shrink_the_error(chain, population):
    """Drawing m of m units would give half the variance with two clusters in a stratum."""
    data = similar(population, 60, 30)
    survey = csi.read_survey(
        data, strata="s", cluster="firm", scale=(-99, 99), items=list(chain.items)
    )
    fit = csi.fit(chain, survey)
    drawn = csi.bootstrap(fit, 3000, 1).table("index")["se"]
    assert_allclose(drawn, csi.jackknife(fit).table("index")["se"], rtol=0.08)


def test_lonely_strata_and_few_units_are_pointed_out(chain, population):
    data = population(41).assign(s=[*np.repeat(np.arange(20), 2), 20])
    boot = csi.bootstrap(csi.fit(chain, csi.read_survey(data, strata="s")), 50, 1)
    assert [(f.code, f.values["alone"], f.values["lonely"]) for f in boot.findings] == [
        ("lonely-strata", 1, "adjust")
    ]
    alone = data.assign(s=np.arange(41))
    boot = csi.bootstrap(csi.fit(chain, csi.read_survey(alone, strata="s")), 50, 1)
    assert [(f.code, f.severity) for f in boot.findings] == [("no-degrees-of-freedom", "warning")]
    assert boot.table("paths")[["se", "lower", "upper", "p"]].isna().all(axis=None)


def test_poisson_respects_clusters_and_refuses_strata(chain, population):
    data = similar(population, 60, 1)
    fit = csi.fit(chain, csi.read_survey(data, cluster="firm", items=list(chain.items)))
    usual, poisson = (
        csi.bootstrap(fit, 1500, 1, kind=k).table("paths")["se"] for k in ("auto", "poisson")
    )
    assert_allclose(usual, poisson, rtol=0.15)
    with pytest.raises(
        OptionError, match=r"^kind='poisson' does not respect the survey's strata; use 'auto'\.$"
    ):
        csi.bootstrap(
            csi.fit(chain, csi.read_survey(data, strata="s", items=list(chain.items))),
            50,
            1,
            kind="poisson",
        )
    survey = csi.read_survey(data.assign(s=data["firm"] % 3), strata="s", items=list(chain.items))
    boot = csi.bootstrap(csi.fit(chain, survey), 50, 1)
    with pytest.raises(OptionError, match=r"^interval='studentized' is for samples without strata"):
        boot.table("paths", interval="studentized")


def test_studentized_with_clusters_uses_clusters_inside_and_outside(chain, population):
    data = similar(population, 40, 1)
    fit = csi.fit(chain, csi.read_survey(data, cluster="firm", items=list(chain.items)))
    table = csi.bootstrap(fit, 150, 1, progress=False).table("paths", interval="studentized")
    plain = csi.bootstrap(fit, 150, 1, progress=False).table("paths")
    width = (table["upper"] - table["lower"]) / (plain["upper"] - plain["lower"])
    assert ((width > 0.6) & (width < 1.7)).all()


def test_distances_have_no_ordinary_interval(boot):
    with pytest.raises(InferenceError) as caught:
        boot.table("srmr")
    assert str(caught.value) == (
        "Intervals of 'srmr' from ordinary draws mislead, because resampling itself adds misfit; "
        "report the estimate alone."
    )


def test_r2_has_no_p_value(boot):
    assert boot.table("r2")["p"].isna().all()


@pytest.mark.parametrize("level", [0, 95, "0.95", None, float("nan")])
def test_levels_are_checked(boot, fit, level):
    with pytest.raises(OptionError, match=r"must lie between 0 and 1, for example 0\.95\.$"):
        boot.table("paths", level=level)
    with pytest.raises(OptionError, match=r"must lie between 0 and 1, for example 0\.95\.$"):
        csi.index_scores(fit, level=level)


def test_draws_that_are_all_lost_have_findings():
    frame = pd.DataFrame({"a1": [1.0, 2, 3], "a2": [1, 3, 2], "b1": [3, 1, 1], "b2": [2, 1, 3]})
    model = csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nB ~ A")
    fit = csi.fit(model, csi.read_survey(frame, scale=(1, 10)))
    boot = csi.bootstrap(fit, resamples=[[0, 0, 0]], progress=False)
    assert not boot.usable.any()
    assert [(found.code, found.count) for found in boot.findings] == [("lost-draws", 1)]


def test_threads_are_used_where_they_gain(fit, monkeypatch):
    """Where no process can be forked: not for many short operations, unless rows are many."""
    module, blocks = (
        import_module(f"csimodel.inference.{name}") for name in ("bootstrap", "blocks")
    )
    threads, by_threads = [], blocks.by_threads

    def noted(work, numbers, workers):
        threads.append(workers)
        return by_threads(work, numbers, workers)

    monkeypatch.setattr(blocks, "by_threads", noted)
    monkeypatch.setattr(blocks, "can_fork", lambda: False)
    monkeypatch.setattr(blocks, "usable_cores", lambda: 3)
    monkeypatch.setattr(blocks, "_SHORT", 0.0)
    one = csi.bootstrap(fit, 1100, 5, workers=1, progress=False)
    csi.bootstrap(fit, 1100, 5, workers=4, progress=False)
    assert threads == []
    monkeypatch.setattr(module, "_MANY_ROWS", 250)
    several = csi.bootstrap(fit, 1100, 5, workers=4, progress=False)
    assert threads == [3]
    assert np.array_equal(one.draws("paths"), several.draws("paths"))


def test_rounding_at_a_bound_is_not_beyond_it(ecsi, mobi, monkeypatch):
    boot = csi.bootstrap(csi.fit(ecsi, mobi), 50, rng=1, progress=False)
    draws = np.full((50, len(ecsi.constructs)), 50.0)
    monkeypatch.setattr(type(boot), "values", lambda self, quantity: draws)
    draws[0], draws[1] = 100.0 + 5e-7, -5e-7
    assert not list(boot.beyond_bounds())
    draws[0, 0] = 100.0 + 2e-6
    (told,) = boot.beyond_bounds()
    assert (told.count, told.subjects) == (1, (ecsi.construct_names[0],))
    draws[0, 0], draws[1, 0] = 100.0, -2e-6
    (told,) = boot.beyond_bounds()
    assert (told.count, told.values["least"]) == (1, -2e-6)
