"""Draws and refits of a scan: those of the same clusters, or buckets of them, in memory."""

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal

import csimodel as csi
from csimodel.errors import OptionError, SurveyError
from csimodel.inference import influence
from csimodel.survey.scanning import arrow, batches, buckets

MODEL = csi.models.ecsi()
SCALE = dict.fromkeys(MODEL.items, (1, 10))
BUCKETS = 25


def answers(rows=900):
    """Return real answers drawn anew, with clusters, buckets, an outcome and gaps."""
    rng = np.random.default_rng(1)
    frame = csi.load_mobi().data.sample(rows, replace=True, random_state=1)
    frame = frame.reset_index(drop=True).astype("float64")
    frame["w"] = rng.uniform(0.5, 2.0, rows)
    frame["psu"] = rng.integers(0, 200, rows)
    frame["stratum"] = rng.choice(["n", "e", "w"], rows)
    frame["firm"] = rng.choice(["b", "a", "c"], rows)
    frame["again"] = (rng.random(rows) < 1 / (1 + np.exp((7 - frame["CUSA1"]) / 2))).astype(float)
    frame["age"] = rng.integers(2, 8, rows) * 10.0
    frame["row"] = buckets.bucket_codes(pd.Series(np.arange(rows)), BUCKETS)
    frame["bucket"] = buckets.bucket_codes(frame["psu"], BUCKETS)
    frame.loc[[8, 401], "IMAG1"] = np.nan
    frame.loc[[3, 450], "w"] = [0.0, np.nan]
    frame.loc[20, "again"] = np.nan
    return frame


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(arrow, "ROWS", 64)


def scanned(frame, **options):
    """Return a fit of a scan."""
    table = pa.Table.from_pandas(frame)
    return csi.fit(MODEL, csi.scan(table, scale=SCALE, missing="listwise", **options))


def both(column, **options):
    """Return fits in memory, buckets or clusters being a column, and of a scan."""
    frame = answers()
    survey = csi.read_survey(frame, scale=SCALE, missing="listwise", **options, cluster=column)
    own = {"bucket": {"cluster": "psu", "buckets": BUCKETS}, "row": {"buckets": BUCKETS}}
    return csi.fit(MODEL, survey), scanned(frame, **options, **own.get(column, {"cluster": column}))


DESIGNS = [
    ("psu", {}), ("psu", {"weights": "w", "strata": "stratum"}), ("bucket", {}), ("row", {}),
    ("bucket", {"weights": "w", "strata": "stratum"}), ("row", {"weights": "w"}),
]  # fmt: skip


@pytest.mark.parametrize(("column", "options"), DESIGNS)
def test_draws_refits_and_influence_are_those_in_memory(column, options, monkeypatch):
    """Differences along units in memory are off by the square of their step, here some 1e-8."""
    monkeypatch.setattr(influence, "_SHARE", 2e-6)
    here, there = both(column, **options)
    for quantity in ("paths", "index"):
        tables = [csi.linearize(fit).table(quantity) for fit in (here, there)]
        known = ["estimate", "se", "df", "reason"]
        assert_frame_equal(tables[1][known], tables[0][known], rtol=1e-8, atol=1e-12)
        draws = [csi.bootstrap(fit, 60, rng=1) for fit in (here, there)]
        for interval in ("percentile", "bca"):
            tables = [boot.table(quantity, interval) for boot in draws]
            assert_frame_equal(tables[1], tables[0], rtol=1e-9, atol=1e-12)
        tables = [csi.jackknife(fit).table(quantity) for fit in (here, there)]
        assert_frame_equal(tables[1], tables[0], rtol=1e-9, atol=1e-10)
    assert_frame_equal(draws[1].draws("r2"), draws[0].draws("r2"), rtol=1e-9)
    assert [str(f) for f in draws[1].findings] == [str(f) for f in draws[0].findings]


def test_poisson_and_studentized_draws_are_those_in_memory():
    here, there = both("bucket", weights="w")
    tables = []
    for fit in (here, there):
        boot = csi.bootstrap(fit, 40, rng=1, kind="poisson")
        tables.append(boot.table("paths", "studentized"))
    assert_frame_equal(tables[1], tables[0], rtol=1e-8)


def test_a_covariance_fit_is_drawn_again():
    frame = answers()
    options = {"scale": SCALE, "missing": "listwise", "cluster": "psu"}
    here = csi.fit(MODEL, csi.read_survey(frame, **options), csi.ML())
    there = csi.fit(MODEL, csi.scan(pa.Table.from_pandas(frame), **options), csi.ML())
    tables = [csi.bootstrap(fit, 30, rng=1).table("paths") for fit in (here, there)]
    assert_frame_equal(tables[1], tables[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("column", "options"), DESIGNS)
@pytest.mark.parametrize("errors", ["draws", "influence"])
def test_a_whole_chain_is_that_in_memory(column, options, errors):
    results = []
    for fit in both(column, **options):
        own = csi.linearize(fit) if errors == "influence" else csi.bootstrap(fit, 40, rng=1)
        rep = csi.repurchase(
            fit, "again", family="logit", controls=["age"], bootstrap=own, progress=False
        )
        results.append(rep)
    here, there = results
    pairs = [(rep.coefficients, rep.average_marginal_effects) for rep in (there, here)]
    pairs += [(rep.contrast(60, 70), rep.predict([40.0, 90.0])) for rep in (there, here)]
    for one, other in (*zip(*pairs[:2], strict=True), *zip(*pairs[2:], strict=True)):
        assert_frame_equal(one, other, rtol=2e-8, atol=1e-10)
    assert [str(f) for f in there.findings] == [str(f) for f in here.findings]


@pytest.mark.parametrize(("column", "options"), DESIGNS)
def test_the_index_by_group_has_errors_by_bucket(column, options):
    tables = []
    for fit in both(column, **options):
        with csi.findings.collected():
            tables.append(csi.index_scores(fit, by="firm"))
    assert_frame_equal(tables[1], tables[0], rtol=1e-8)


def test_errors_by_bucket_read_the_rows_once(monkeypatch):
    passes, own = [], batches.read_ahead

    def counted(source, columns):
        passes.append(columns)
        return own(source, columns)

    monkeypatch.setattr("csimodel.survey.scanning.rows.read_ahead", counted)
    fit = scanned(answers(), cluster="psu", buckets=BUCKETS)
    csi.index_scores(fit)
    csi.linearize(fit).vcov("paths")
    csi.jackknife(fit).table("paths")
    csi.bootstrap(fit, 30, rng=1).table("index")
    assert len(passes) == 1


def test_errors_by_bucket_are_close_to_those_by_cluster():
    """A bucket error has some 200 degrees of freedom, so is within a fifth of that by cluster."""
    frame = answers(4000)
    frame["psu"] = np.arange(4000) // 2
    own = [scanned(frame, cluster="psu", **more) for more in ({}, {"buckets": 250})]
    se = [csi.index_scores(fit)["se"] for fit in own]
    assert_allclose(se[1], se[0], rtol=0.2)


@pytest.mark.parametrize(
    ("labels", "other"),
    [
        (["a", "b", None], pd.Categorical(["a", "b", None])),
        ([1, 2, 3], [1.0, 2.0, 3.0]),
        ([1, 2, 3], np.array([1, 2, 3], dtype="int8")),
        ([1, 2, None], pd.array([1, 2, None], dtype="Int64")),
        (["a", None], pd.Series(["a", None], dtype="string")),
        ([1, 2.5], [2.5, 1]),
    ],
)
def test_a_label_falls_into_its_bucket_whatever_its_type(labels, other):
    one, two = (buckets.bucket_codes(pd.Series(own), 97) for own in (labels, other))
    assert sorted(one) == sorted(two)
    assert (one[pd.isna(pd.Series(labels))] == -1).all()


def test_buckets_are_of_about_one_size():
    counts = np.bincount(buckets.bucket_codes(pd.Series(np.arange(100_000)), 200), minlength=200)
    assert abs(counts - 500).max() < 5 * np.sqrt(500)


@pytest.mark.parametrize("wrong", [0, 1, -3, 2.5, True, "200", np.nan, 10_001])
def test_numbers_of_buckets_that_cannot_be_are_refused(wrong):
    with pytest.raises(OptionError, match=r"^buckets="):
        csi.scan(pa.Table.from_pandas(answers()), scale=SCALE, buckets=wrong)


def test_what_has_no_units_offers_buckets():
    frame = answers()
    fit = scanned(frame)
    for call in (csi.bootstrap, csi.jackknife):
        with pytest.raises(SurveyError, match=r"buckets=200.*scan\.sample\("):
            call(fit)
    linear = csi.linearize(fit)
    with pytest.raises(SurveyError, match=r"buckets=200"):
        csi.repurchase(fit, "again", bootstrap=linear)
    clustered = scanned(frame, cluster="psu")
    group = csi.fit_groups(MODEL, clustered.scanned.scan, "firm")["a"]
    with pytest.raises(SurveyError, match=r"one group of a scan"):
        csi.bootstrap(group, 30)
    boot = csi.bootstrap(clustered, 30, rng=1)
    with pytest.raises(OptionError, match=r"bootstrap= holds draws.*influence values"):
        csi.index_scores(clustered, by="firm", bootstrap=boot)
    with pytest.raises(OptionError, match=r"resamples= holds numbers of rows"):
        csi.bootstrap(clustered, resamples=np.zeros((30, 3), dtype=int))
    connection = duckdb.connect()
    connection.register("frame", frame)
    relation = connection.sql("SELECT * FROM frame")
    with pytest.raises(SurveyError, match=r"buckets=3 goes by the numbers of rows"):
        csi.scan(relation, scale=SCALE, buckets=3)
