"""Scans that a database adds up by grouped aggregates: the numbers and sentences of those in memory."""

import sqlite3
from contextlib import closing

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from scanned_answers import answers

import csimodel as csi
from csimodel.errors import OptionError, SurveyError
from csimodel.survey.scanning import database

MODEL = csi.Model.from_syntax(
    "Image =~ IMAG1 + IMAG2\nQuality =~ PERQ1 + PERQ2\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
    "Satisfaction ~ Image + Quality\nQuality ~ Image"
)
OPTIONS = {
    "scale": dict.fromkeys(MODEL.items, (1, 10)), "missing": "listwise",
    "missing_codes": dict.fromkeys(MODEL.items, (98, 99)), "reverse": ["CUSA2"],
}  # fmt: skip
DESIGN = {"weights": "w", "strata": "stratum", "cluster": "psu"}
OPEN = []
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ibis")


def relation_of(frame):
    """Return a relation of DuckDB on a table of these rows."""
    connection = duckdb.connect()
    OPEN.append(connection)
    connection.register("frame", frame)
    connection.execute("CREATE TABLE answers AS SELECT * FROM frame")
    return connection.sql("SELECT * FROM answers")


def table_of(frame):
    """Return a table of ibis in DuckDB of these rows."""
    backend = ibis.duckdb.connect()
    OPEN.append(backend)
    backend.con.register("frame", frame)
    backend.con.execute("CREATE TABLE answers AS SELECT * FROM frame")
    return backend.table("answers")


def told(findings):
    return sorted((f.code, f.severity, f.subjects, f.count, str(f)) for f in findings)


@pytest.fixture
def no_rows(monkeypatch):
    """Refuse to fetch rows, but for the first ones, which say what columns hold."""

    def batches(self, columns):
        raise AssertionError("rows are fetched")

    monkeypatch.setattr(database.DatabaseRows, "batches", batches)


def scan_of(source, **options):
    """Return a scan that fetches no rows from now on."""
    return csi.scan(source, engine="sql", **options)


@pytest.mark.parametrize("source", [relation_of, table_of])
@pytest.mark.parametrize("design", [{}, {"weights": "w"}, DESIGN])
def test_fits_and_groups_are_those_in_memory(source, design, request):
    frame, options = answers(), {**OPTIONS, **design}
    survey, scan = csi.read_survey(frame, **options), scan_of(source(frame), **options)
    request.getfixturevalue("no_rows")
    here, there = csi.fit(MODEL, survey), csi.fit(MODEL, scan)
    assert_allclose(there.moments.mean, here.moments.mean, rtol=1e-12)
    assert_allclose(there.moments.cov, here.moments.cov, rtol=1e-10, atol=1e-12)
    assert_allclose(there.paths, here.paths, rtol=1e-10, atol=1e-12)
    assert told(there.diagnostics) == told(here.diagnostics)
    assert told(scan.findings) == told(survey.findings)
    for by in ("firm", ["firm", "stratum"]):
        groups = [csi.fit_groups(MODEL, own, by) for own in (survey, scan)]
        assert_frame_equal(groups[1].table("paths"), groups[0].table("paths"), rtol=1e-9)
        assert told(groups[1].findings) == told(groups[0].findings)
        assert groups[1]["a" if by == "firm" else ("a", 1)].scanned.design.df == (
            groups[0]["a" if by == "firm" else ("a", 1)].answers.design.df
        )


@pytest.mark.parametrize("source", [relation_of, table_of])
@pytest.mark.parametrize("design", [{}, {"weights": "w", "strata": "stratum"}])
def test_errors_by_bucket_are_those_of_the_same_buckets_in_memory(source, design, request):
    frame, options = answers().drop(index=[8, 401]), {**OPTIONS, **design}
    table = source(frame)
    scan = scan_of(table, **options, cluster="psu", buckets=12)
    bucket = scan.source.bucket
    rows = pa.Table.from_batches(list(scan.source.read(["psu", bucket]))).to_pandas()
    known = rows.groupby("psu")[bucket].first()
    assert (rows.groupby("psu")[bucket].nunique() == 1).all()
    assert known.between(0, 11).all()
    survey = csi.read_survey(
        frame.assign(bucket=frame["psu"].map(known)), **options, cluster="bucket"
    )
    here = csi.fit(MODEL, survey)
    chain = {"family": "logit", "progress": False}
    there = csi.fit(MODEL, scan)
    chains = [
        csi.repurchase(fit, "again", **chain, bootstrap=csi.linearize(fit)).coefficients
        for fit in (here, there)
    ]
    assert_frame_equal(chains[1], chains[0], rtol=1e-7, atol=1e-12)
    request.getfixturevalue("no_rows")
    with csi.findings.collected():
        by_firm = [csi.index_scores(fit, by="firm", progress=False) for fit in (here, there)]
    for tables in (
        by_firm,
        [csi.linearize(fit).table("paths") for fit in (here, there)],
        [csi.index_scores(fit) for fit in (here, there)],
        [csi.jackknife(fit).table("paths") for fit in (here, there)],
        [csi.bootstrap(fit, 40, rng=1, progress=False).table("index") for fit in (here, there)],
    ):
        assert_frame_equal(tables[1], tables[0], rtol=1e-7, atol=1e-9)


def test_items_without_a_scale_with_labels_and_codes_for_all_are_as_in_batches():
    frame = answers().drop(columns=["firm"])
    for options in (
        {"missing": "listwise", "missing_codes": (98, 99)},
        {"missing": "listwise"},
        {"missing_codes": (9,)},
    ):
        told_of = []
        for read in (csi.scan, scan_of):
            try:
                fit = csi.fit(MODEL, read(relation_of(frame), **options))
                told_of.append((told(fit.diagnostics), np.round(fit.paths.to_numpy(), 9).tolist()))
            except SurveyError as error:
                told_of.append(str(error))
        assert told_of[0] == told_of[1]


@pytest.mark.parametrize(
    ("wrong", "options"),
    [
        ({"CUSA1": 11.0}, {}),
        ({"CUSA1": np.inf}, {}),
        ({"w": -1.0}, DESIGN),
        ({"w": np.inf}, DESIGN),
        ({"psu": None}, DESIGN),
    ],
)
def test_what_is_refused_in_memory_is_refused_in_the_same_words(wrong, options):
    frame = answers().fillna({"IMAG1": 5.0, "w": 1.0})
    frame = frame.astype({"psu": "float64"})
    for column, value in wrong.items():
        frame.loc[[7, 300, 555], column] = value
    refusals = []
    for read, data in ((csi.read_survey, frame), (scan_of, relation_of(frame))):
        with pytest.raises(SurveyError) as error:
            csi.fit(MODEL, read(data, **{**OPTIONS, **options}))
        refusals.append(str(error.value))
    assert refusals[0] == refusals[1]


def test_an_answer_that_all_of_a_group_give_has_no_variance():
    frame = answers().fillna({"IMAG1": 5.0, "w": 1.0, "firm": "a"})
    frame.loc[frame["firm"] == "b", "IMAG1"] = 7.3
    options = {**OPTIONS, "weights": "w"}
    here = csi.fit_groups(MODEL, csi.read_survey(frame, **options), "firm")
    there = csi.fit_groups(MODEL, scan_of(relation_of(frame), **options), "firm")
    assert there.converged.tolist() == here.converged.tolist() == [True, False, True]
    assert there.failed.to_dict() == here.failed.to_dict()


def test_a_database_of_files_adds_up_by_ibis(tmp_path):
    frame = answers().astype({"psu": "int64"})
    with closing(sqlite3.connect(tmp_path / "answers.db")) as connection:
        frame.to_sql("answers", connection, index=False)
    table = ibis.sqlite.connect(tmp_path / "answers.db").table("answers")
    here = csi.fit(MODEL, csi.read_survey(frame, **OPTIONS, **DESIGN))
    there = csi.fit(MODEL, scan_of(table, **OPTIONS, **DESIGN))
    assert_allclose(there.paths, here.paths, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"data": pa.table({"q": [1, 2]})}, OptionError, "data is the Arrow data; give a DuckDB"),
        ({"missing": "construct-minimum"}, OptionError, "looks at answers one by one, and engine"),
        ({"missing": "mean"}, OptionError, "use missing='listwise', or leave engine= out"),
        ({"engine": "sparks"}, OptionError, "engine='sparks'"),
        ({"engine": None}, OptionError, "engine=None"),
    ],
)
def test_what_a_database_cannot_add_up_is_refused(options, error, match):
    given = {"data": relation_of(answers()), "engine": "sql", **OPTIONS, **options}
    if "data" in options:
        given = {**options, "engine": "sql"}
    with pytest.raises(error, match=match):
        csi.scan(**given)


def test_text_is_no_number_to_a_database():
    frame = answers()
    frame["CUSA1"] = frame["CUSA1"].astype(str)
    scan = scan_of(relation_of(frame), missing="listwise")
    with pytest.raises(SurveyError, match=r"adds up columns of numbers, and 'CUSA1' .* is string"):
        csi.fit(MODEL, scan)


def test_a_query_that_gives_other_rows_each_time_or_breaks_is_refused():
    frame = answers(5000).drop(index=[5, 8, 400, 401])
    relation = relation_of(frame)
    own = OPEN[-1].sql("SELECT * FROM answers WHERE random() < .5")
    with pytest.raises(SurveyError, match=r"does not give the rows .*in the next query"):
        csi.fit(MODEL, scan_of(own, **OPTIONS))
    scan = scan_of(relation, **OPTIONS)
    OPEN[-1].execute("DROP TABLE answers")
    with pytest.raises(SurveyError, match=r"The DuckDB relation cannot be .*answers"):
        csi.fit(MODEL, scan)
