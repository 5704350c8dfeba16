"""Scans of DuckDB relations and ibis tables: the numbers and sentences of those in memory."""

import sqlite3
import threading
from contextlib import closing

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from scanned_answers import answers

import csimodel as csi
from csimodel.survey.scanning import database

MODEL = csi.models.ecsi()
OPTIONS = {
    "scale": dict.fromkeys(MODEL.items, (1, 10)), "missing": "listwise",
    "missing_codes": dict.fromkeys(MODEL.items, (98, 99)), "reverse": ["CUSA2"],
}  # fmt: skip
DESIGN = {"weights": "w", "strata": "stratum", "cluster": "psu"}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(database, "ROWS", 64)


OPEN = []  # older DuckDB closes a connection that nobody holds, whatever relations it has


def relation_of(frame, sql="SELECT * FROM answers"):
    """Return a relation of DuckDB on a table of these rows."""
    connection = duckdb.connect()
    OPEN.append(connection)
    connection.register("frame", frame)
    connection.execute("CREATE TABLE answers AS SELECT * FROM frame")
    return connection.sql(sql)


def table_of(frame):
    """Return a table of ibis of these rows."""
    backend = ibis.duckdb.connect()
    OPEN.append(backend)
    backend.con.register("frame", frame)
    backend.con.execute("CREATE TABLE answers AS SELECT * FROM frame")
    return backend.table("answers")


def told(findings):
    return [(f.code, f.severity, f.subjects, f.count, str(f)) for f in findings]


sources = pytest.mark.parametrize("source", [relation_of, table_of])
ibis_warns = pytest.mark.filterwarnings("ignore::DeprecationWarning:ibis")


@ibis_warns
@sources
@pytest.mark.parametrize("design", [{}, {"weights": "w"}, DESIGN])
def test_fits_indexes_and_regressions_are_those_in_memory(source, design):
    frame, options = answers(), {**OPTIONS, **design}
    survey, scan = csi.read_survey(frame, **options), csi.scan(source(frame), **options)
    here, there = csi.fit(MODEL, survey), csi.fit(MODEL, scan)
    assert_allclose(there.paths, here.paths, rtol=1e-10, atol=1e-12)
    assert told(there.diagnostics) == told(here.diagnostics)
    assert told(scan.findings) == told(survey.findings)
    with csi.findings.collected():
        groups = [csi.fit_groups(MODEL, own, "firm").table("paths") for own in (survey, scan)]
        tables = [csi.index_scores(fit, by="firm") for fit in (here, there)]
    assert_frame_equal(groups[1], groups[0], rtol=1e-9)
    assert_frame_equal(tables[1], tables[0], rtol=1e-8)
    chances = [csi.repurchase(fit, "again", family="logit").coefficients for fit in (here, there)]
    assert_frame_equal(chances[1], chances[0], rtol=2e-8, atol=1e-12)


@ibis_warns
@sources
def test_indexes_are_written_and_a_sample_is_drawn(source, tmp_path):
    frame = answers().fillna({"IMAG1": 5.0})
    scan = csi.scan(source(frame), **{**OPTIONS, **DESIGN})
    path = csi.respondent_index(csi.fit(MODEL, scan), to=tmp_path / "s.parquet", keep="firm")
    own = pd.read_parquet(path)
    assert own["firm"].dropna().tolist() == frame.loc[own["row"], "firm"].dropna().tolist()
    sample = scan.sample(100, rng=1)
    assert len(sample.data) == 100
    assert_frame_equal(
        scan.sample(600, rng=1).data[list(MODEL.items)],
        csi.read_survey(frame, **OPTIONS).data[list(MODEL.items)],
        check_dtype=False,
    )


def test_a_query_with_a_join_and_other_types_of_numbers_is_scanned():
    frame = answers()
    connection = duckdb.connect()
    connection.register("frame", frame.drop(columns="firm"))
    connection.register("firms", pd.DataFrame({"psu": range(30), "firm": ["x", "y"] * 15}))
    relation = connection.sql(
        "SELECT frame.* REPLACE (CUSA1::DECIMAL(6, 2) AS CUSA1, CUSA2::TINYINT AS CUSA2), firm "
        "FROM frame JOIN firms USING (psu) WHERE stratum > 0"
    )
    own = frame.query("stratum > 0").assign(firm=lambda f: np.where(f["psu"] % 2, "y", "x"))
    here = csi.fit_groups(MODEL, csi.read_survey(own, **OPTIONS), "firm").table("paths")
    there = csi.fit_groups(MODEL, csi.scan(relation, **OPTIONS), "firm").table("paths")
    assert_frame_equal(there, here, rtol=1e-9)


def test_groups_of_an_enum_are_in_its_order():
    frame = answers().fillna({"IMAG1": 5.0})
    frame["size"] = np.random.default_rng(2).choice(["small", "large", "middle"], len(frame))
    connection = duckdb.connect()
    OPEN.append(connection)
    connection.register("frame", frame)
    connection.execute("CREATE TYPE sizes AS ENUM ('small', 'middle', 'large', 'none')")
    relation = connection.sql("SELECT * REPLACE (size::sizes AS size) FROM frame")
    groups = csi.fit_groups(MODEL, csi.scan(relation, **OPTIONS), "size")
    assert list(groups) == ["small", "middle", "large"]


def test_names_that_sql_has_to_quote_are_read():
    frame = answers().fillna({"IMAG1": 5.0}).rename(columns={"firm": 'the "firm", all'})
    scan = csi.scan(relation_of(frame), **OPTIONS)
    assert set(csi.fit_groups(MODEL, scan, 'the "firm", all').keys()) == {"a", "b", "c"}


def test_a_query_that_breaks_on_the_way_is_named_and_leaves_the_session_usable():
    frame = answers(20_000)
    frame["text"] = np.where(np.arange(len(frame)) > 19_000, "good", "7")
    relation = relation_of(frame, "SELECT * REPLACE (text::DOUBLE AS CUSA1) FROM answers")
    with pytest.raises(
        csi.errors.SurveyError,
        match=r"The DuckDB relation cannot be read to its end .*good.*nothing was computed",
    ):
        csi.fit(MODEL, csi.scan(relation, **OPTIONS))
    assert not [t for t in threading.enumerate() if t.name.startswith("ThreadPoolExecutor")]
    csi.fit(MODEL, csi.scan(relation_of(frame), **OPTIONS))


def test_a_table_that_vanishes_is_named():
    connection = duckdb.connect()
    connection.register("frame", answers())
    connection.execute("CREATE TABLE answers AS SELECT * FROM frame")
    scan = csi.scan(connection.sql("SELECT * FROM answers"), **OPTIONS)
    connection.execute("DROP TABLE answers")
    with pytest.raises(csi.errors.SurveyError, match=r"answers.*nothing was computed"):
        csi.fit(MODEL, scan)


def test_a_relation_without_rows_is_refused():
    with pytest.raises(csi.errors.SurveyError, match="no rows in the DuckDB relation"):
        csi.scan(relation_of(answers(), "SELECT * FROM answers WHERE stratum > 9"), **OPTIONS)


@ibis_warns
def test_a_table_that_vanished_before_is_named():
    frame = answers()
    relation = relation_of(frame)
    OPEN[-1].execute("DROP TABLE answers")
    table = table_of(frame)
    OPEN[-1].con.execute("DROP TABLE answers")
    for source, name in ((relation, "The DuckDB relation"), (table, "The ibis table")):
        with pytest.raises(csi.errors.SurveyError, match=f"{name} cannot be .*answers"):
            csi.scan(source, **OPTIONS)
    with pytest.raises(csi.errors.SurveyError, match="The ibis table cannot be asked for its data"):
        csi.scan(ibis.table({"CUSA1": "int"}, name="nowhere"), **OPTIONS)


@pytest.mark.filterwarnings("ignore::csimodel.errors.CsimodelWarning")
@pytest.mark.parametrize(
    ("sql", "design", "by", "seen"),
    [
        (
            "SELECT * FROM answers USING SAMPLE 500 ROWS",
            {"cluster": "psu"},
            None,
            "was not in 'psu'",
        ),
        ("SELECT * FROM answers USING SAMPLE 500 ROWS", {}, None, "with other answers to 'IMAG1'"),
        ("SELECT * FROM answers USING SAMPLE 500 ROWS", {}, "psu", "was not in 'psu'"),
    ],
)
def test_a_query_that_gives_other_rows_each_time_is_refused(sql, design, by, seen):
    frame = answers(5000).drop(index=[5, 8, 400, 401]).assign(psu=np.arange(4996))
    fit = csi.fit(MODEL, csi.scan(relation_of(frame, sql), **OPTIONS, **design))
    refused = rf"does not give the rows that it gave to the fit \(.*{seen}"
    with pytest.raises(csi.errors.SurveyError, match=refused):
        csi.index_scores(fit, by=by, progress=False)


@pytest.mark.parametrize("buckets", [None, 7])
def test_cells_that_are_no_labels_are_refused_as_in_memory(buckets):
    relation = relation_of(answers(), "SELECT *, [1] AS codes FROM answers")
    scan = csi.scan(relation, **OPTIONS, cluster="codes", buckets=buckets)
    with pytest.raises(
        csi.errors.SurveyError, match="Column 'codes', given as cluster, holds cells of kind"
    ):
        csi.fit(MODEL, scan)
    with pytest.raises(csi.errors.SurveyError, match="Group column 'codes' holds cells of kind"):
        csi.fit_groups(MODEL, csi.scan(relation, **OPTIONS), "codes")


def test_columns_of_the_same_name_are_named_with_their_table():
    with pytest.raises(csi.errors.SurveyError, match="The DuckDB relation has more than one col"):
        csi.scan(relation_of(answers(), "SELECT CUSA1, CUSA2 AS CUSA1 FROM answers"))


@ibis_warns
def test_a_database_that_answers_one_thread_only_is_read_by_it(tmp_path):
    frame = answers()
    with closing(sqlite3.connect(tmp_path / "answers.db")) as connection:
        frame.to_sql("answers", connection, index=False)
    backend = ibis.sqlite.connect(tmp_path / "answers.db")
    here = csi.fit(MODEL, csi.read_survey(frame, **OPTIONS, **DESIGN))
    there = csi.fit(MODEL, csi.scan(backend.table("answers"), **OPTIONS, **DESIGN))
    tables = [csi.linearize(own).table("paths") for own in (there, here)]
    assert_frame_equal(*tables, rtol=1e-8)
