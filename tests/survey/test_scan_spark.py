"""Scans of Spark data frames: counted by its workers, the numbers and sentences of those in memory.

Collected where PySpark and Java are.
"""

import os
import signal
import sys
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal

import csimodel as csi
from csimodel.survey.scanning import scan as scan_module
from csimodel.survey.scanning import spark as spark_source
from csimodel.survey.scanning.buckets import bucket_codes

MODEL = csi.models.ecsi()
OPTIONS = {
    "scale": dict.fromkeys(MODEL.items, (1, 10)), "missing": "listwise",
    "missing_codes": dict.fromkeys(MODEL.items, (98, 99)),
}  # fmt: skip
DESIGN = {"weights": "w", "strata": "stratum", "cluster": "psu"}
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def answers(rows=900):
    """Return real answers drawn anew, with a design, a group, an outcome, and some faults."""
    rng = np.random.default_rng(1)
    frame = csi.load_mobi().data.sample(rows, replace=True, random_state=1)
    frame = frame.reset_index(drop=True).astype("float64")
    frame["w"] = rng.uniform(0.5, 2.0, rows)
    frame["stratum"] = rng.integers(0, 4, rows)
    frame["psu"] = rng.integers(0, 60, rows)
    frame["firm"] = rng.choice(["b", "a", "c"], rows)
    frame["again"] = rng.integers(0, 2, rows)
    frame["bucket"] = bucket_codes(frame["psu"], 20)
    frame.loc[[5, 400], "CUSA1"] = 99.0
    frame.loc[[3, 450], "w"] = [0.0, np.nan]
    frame.loc[[11, 402], "firm"] = None
    return frame


@pytest.fixture(scope="module")
def spark():
    """Return a session of two workers on this computer."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyspark.sql import SparkSession

        own = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        own = own.config("spark.ui.showConsoleProgress", "false")
        own = own.config("spark.driver.bindAddress", "127.0.0.1")
        session = own.config("spark.driver.host", "127.0.0.1").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def data(spark, tmp_path_factory):
    """Return the same answers in three partitions."""
    path = tmp_path_factory.mktemp("spark") / "answers.parquet"
    answers().to_parquet(path, index=False)
    return spark.read.parquet(str(path)).repartition(3)


def told(findings):
    return sorted((f.code, f.severity, f.subjects, f.count, str(f)) for f in findings)


@pytest.mark.parametrize("design", [{}, {"weights": "w"}, DESIGN])
def test_fits_groups_and_indexes_are_those_in_memory(data, design):
    options = {**OPTIONS, **design}
    survey, scan = csi.read_survey(answers(), **options), csi.scan(data, **options)
    here, there = csi.fit(MODEL, survey), csi.fit(MODEL, scan)
    assert_allclose(there.paths, here.paths, rtol=1e-10, atol=1e-12)
    assert told(there.diagnostics) == told(here.diagnostics)
    groups = [csi.fit_groups(MODEL, own, "firm") for own in (survey, scan)]
    assert_frame_equal(groups[1].table("paths"), groups[0].table("paths"), rtol=1e-9)
    assert told(groups[1].findings) == told(groups[0].findings)
    with csi.findings.collected():
        tables = [csi.index_scores(fit, by="firm") for fit in (here, there)]
    assert_frame_equal(tables[1], tables[0], rtol=1e-8)


def test_errors_by_bucket_and_a_regression_are_those_in_memory(data):
    options = {**OPTIONS, "weights": "w"}
    here = csi.fit(MODEL, csi.read_survey(answers(), **options, cluster="bucket"))
    there = csi.fit(MODEL, csi.scan(data, **options, cluster="psu", buckets=20))
    draws = [csi.bootstrap(fit, 40, rng=1) for fit in (here, there)]
    tables = [boot.table("index") for boot in draws]
    assert_frame_equal(tables[1], tables[0], rtol=1e-9)
    chains = [
        csi.repurchase(fit, "again", family="logit", bootstrap=boot, progress=False).coefficients
        for fit, boot in zip((here, there), draws, strict=True)
    ]
    assert_frame_equal(chains[1], chains[0], rtol=1e-8, atol=1e-12)
    with pytest.raises(csi.errors.SurveyError, match=r"buckets=20 goes by the numbers of rows"):
        csi.scan(data, **options, buckets=20)


def test_the_first_rows_alone_say_what_columns_hold(data, monkeypatch):
    looked_at = []
    mapped = spark_source.SparkRows._mapped

    def counted(self, columns, function):
        looked_at.append(self.frame.count())
        return mapped(self, columns, function)

    monkeypatch.setattr(scan_module, "_HEAD", 10)
    monkeypatch.setattr(spark_source.SparkRows, "_mapped", counted)
    csi.scan(data, **OPTIONS)
    assert looked_at == [10]


def test_what_is_refused_in_memory_is_refused_in_the_same_words(data):
    from pyspark.sql import functions

    wrong = functions.when(functions.col("psu") == 7, 77.0).otherwise(functions.col("CUSA1"))
    frame = answers()
    frame.loc[frame["psu"] == 7, "CUSA1"] = 77.0
    refusals = []
    for read, own in ((csi.scan, data.withColumn("CUSA1", wrong)), (csi.read_survey, frame)):
        with pytest.raises(csi.errors.SurveyError) as error:
            csi.fit(MODEL, read(own, **OPTIONS))
        refusals.append(str(error.value))
    assert refusals[0] == refusals[1]
    assert "holds" in refusals[0]


def test_a_worker_that_dies_and_a_query_that_breaks_are_named(data):
    def killed(parts):
        for part in parts:
            os.kill(os.getpid(), signal.SIGKILL)
            yield part

    from pyspark.sql import functions

    late = functions.when(functions.col("psu") == 7, functions.raise_error(functions.lit("odd")))
    scan = csi.scan(data, **OPTIONS)
    for frame, match in (
        (data.mapInArrow(killed, data.schema), "cannot be read to its end"),
        (data.withColumn("CUSA1", late.otherwise(functions.col("CUSA1"))), r"odd.*nothing was"),
    ):
        with pytest.raises(csi.errors.SurveyError, match=match):
            csi.fit(MODEL, csi.scan(frame, **OPTIONS))
    assert csi.fit(MODEL, scan).converged
