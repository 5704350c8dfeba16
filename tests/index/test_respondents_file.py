"""Indexes written to a file: the numbers of those in memory, and nothing half written."""

import errno
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from pyarrow import parquet

import csimodel as csi
from csimodel.errors import OptionError, SurveyError
from csimodel.survey.scanning import files

MODEL = csi.models.ecsi()


def answers(rows=600):
    """Return real answers drawn anew, with missing cells, a weight and a firm."""
    rng = np.random.default_rng(1)
    frame = csi.load_mobi().data.sample(rows, replace=True, random_state=1)
    frame = frame.reset_index(drop=True).astype("float64")
    frame.loc[[8, 401], "IMAG1"] = np.nan
    frame["w"] = rng.uniform(0.5, 2.0, rows)
    frame.loc[[3, 450], "w"] = [0.0, np.nan]
    return frame.assign(firm=rng.choice(["b", "a", "c"], rows))


OPTIONS = {"scale": (1, 10), "missing": "listwise", "weights": "w"}


def in_files(frame, folder):
    """Write a frame to three files and return a scan of them."""
    for place, rows in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[rows].to_parquet(folder / f"part{place}.parquet", index=False)
    return csi.scan(str(folder / "part*.parquet"), **OPTIONS)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(files, "ROWS", 64)


@pytest.fixture
def fits(tmp_path):
    """Return fits of the same answers in memory and in files."""
    frame = answers()
    here = csi.fit(MODEL, csi.read_survey(frame, **OPTIONS))
    return here, csi.fit(MODEL, in_files(frame, tmp_path))


def test_the_file_has_the_numbers_in_memory(fits, tmp_path):
    here, there = fits
    for fit in fits:
        path = csi.respondent_index(fit, to=tmp_path / "s.parquet", keep=["firm"], scores=True)
        own = pd.read_parquet(path).set_index("row")
        assert own.index.tolist() == here.respondents.tolist()
        assert own["firm"].tolist() == here.survey.data.loc[own.index, "firm"].tolist()
        names = list(MODEL.construct_names)
        index = csi.respondent_index(here).rename_axis("row")
        assert_frame_equal(own[names], index, rtol=1e-10)
        scores = here.scores.rename(columns=lambda name: f"{name}_score").rename_axis("row")
        assert_frame_equal(own[list(scores)], scores, rtol=1e-9, atol=1e-12)
    weights = here.answers.weights
    mean = np.average(own["Satisfaction"], weights=weights)
    assert_allclose(mean, csi.index_scores(there).loc["Satisfaction", "mean"], rtol=1e-10)


def test_one_group_and_a_construct_of_constructs_are_written(tmp_path):
    frame = answers()
    text = "Q =~ PERQ1 + PERQ2\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2\nH =~ Q + V\nS ~ H"
    model = csi.Model.from_syntax(text)
    scan = in_files(frame, tmp_path)
    here = csi.fit(model, csi.read_survey(frame, **OPTIONS))
    path = csi.respondent_index(csi.fit(model, scan), to=tmp_path / "s.parquet")
    own = pd.read_parquet(path).drop(columns="row")
    assert_allclose(own, csi.respondent_index(here), rtol=1e-9)
    group = csi.fit_groups(MODEL, scan, "firm")["a"]
    rows = pd.read_parquet(csi.respondent_index(group, to=path, keep="firm"))
    assert set(rows["firm"]) == {"a"}
    assert len(rows) == group.n


def untouched(fit, path, error, match):
    """Check that writing is refused, and that what was there before is all that is there."""
    before = path.read_bytes() if path.exists() else None
    names = sorted(path.parent.iterdir())
    with pytest.raises(error, match=match):
        csi.respondent_index(fit, to=path)
    assert sorted(path.parent.iterdir()) == names
    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.parametrize("before", [None, b"older indexes"])
@pytest.mark.parametrize(
    ("fault", "error", "match"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), OptionError, "No space left on device"),
        (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
    ],
)
def test_a_full_disk_and_an_interrupt_leave_what_was_there(
    fits, tmp_path, monkeypatch, before, fault, error, match
):
    path = tmp_path / "s.parquet"
    if before is not None:
        path.write_bytes(before)
    own, times = parquet.ParquetWriter.write_table, []

    def write_table(self, table, *args):
        times.append(1)
        if len(times) > 3:
            raise fault
        own(self, table, *args)

    for fit in fits:
        times.clear()
        with monkeypatch.context() as patched:
            patched.setattr(parquet.ParquetWriter, "write_table", write_table)
            patched.setattr("csimodel.index.respondents.ROWS", 64)
            untouched(fit, path, error, match)
    assert csi.respondent_index(fits[1], to=path) == path


def test_a_source_that_breaks_leaves_what_was_there(fits, tmp_path):
    path = tmp_path / "s.parquet"
    path.write_bytes(b"older indexes")
    (tmp_path / "part2.parquet").unlink()
    untouched(fits[1], path, SurveyError, r"part2\.parquet' is not there any more")


def in_process(folder, code):
    """Run code in a process of its own that has a fit of a scan."""
    begun = f"""
        import csimodel as csi, os, resource, signal, sys
        scan = csi.scan({str(folder / "part*.parquet")!r}, **{OPTIONS!r})
        fit = csi.fit(csi.models.ecsi(), scan)
        path = {str(folder / "s.parquet")!r}
    """
    own = [sys.executable, "-c", textwrap.dedent(begun) + textwrap.dedent(code)]
    return subprocess.run(own, capture_output=True, text=True, timeout=120)


def test_a_file_system_that_takes_no_more_bytes_is_named(tmp_path):
    """The bound on the size of a file is met inside Arrow's writer, as the end of a disk is."""
    in_files(answers(), tmp_path)
    done = in_process(
        tmp_path,
        """
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        try:
            csi.respondent_index(fit, to=path)
        except csi.errors.OptionError as error:
            print(error)
        """,
    )
    assert "s.parquet' cannot be written (File too large), and nothing was left" in done.stdout
    assert [own.name for own in tmp_path.glob("*s.parquet*")] == []


def test_a_killed_process_leaves_the_file_as_it_was(tmp_path):
    in_files(answers(), tmp_path)
    (tmp_path / "s.parquet").write_bytes(b"older indexes")
    done = in_process(
        tmp_path,
        """
        from pyarrow import parquet
        own = parquet.ParquetWriter.write_table
        def write_table(self, table, *args):
            own(self, table, *args)
            os.kill(os.getpid(), signal.SIGKILL)
        parquet.ParquetWriter.write_table = write_table
        csi.respondent_index(fit, to=path)
        """,
    )
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "s.parquet").read_bytes() == b"older indexes"


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"keep": "firm"}, OptionError, "keep= says what is written to a file"),
        ({"scores": True}, OptionError, "scores= says what is written to a file"),
        ({"to": "s.csv"}, OptionError, r"to='s\.csv' names a Parquet file"),
        ({"to": ""}, OptionError, "to='' is no path"),
        ({"to": "nowhere/s.parquet"}, OptionError, "lies in a folder that does not exist"),
        ({"to": 3}, OptionError, "to=3"),
        ({"to": "s.parquet", "keep": "frim"}, SurveyError, r"column 'frim' .*mean 'firm'"),
        ({"to": "s.parquet", "keep": ["w", "w"]}, OptionError, r"keep=\['w', 'w'\]"),
        ({"to": "s.parquet", "keep": 3}, OptionError, "keep=3"),
    ],
)
def test_odd_options_are_refused(fits, tmp_path, monkeypatch, options, error, match):
    monkeypatch.chdir(tmp_path)
    for fit in fits:
        with pytest.raises(error, match=match):
            csi.respondent_index(fit, **options)
    assert not (tmp_path / "s.parquet").exists()


def test_names_that_meet_and_files_of_the_scan_are_refused(fits, tmp_path):
    frame = answers().assign(Image=1)
    there = csi.fit(MODEL, csi.scan(pa.Table.from_pandas(frame), **OPTIONS))
    with pytest.raises(OptionError, match=r"Two columns .* would be called 'Image'"):
        csi.respondent_index(there, to=tmp_path / "s.parquet", keep="Image")
    whole = (tmp_path / "part0.parquet").read_bytes()
    with pytest.raises(OptionError, match=r"part0\.parquet' is a file of the scan itself"):
        csi.respondent_index(fits[1], to=tmp_path / "part0.parquet")
    assert (tmp_path / "part0.parquet").read_bytes() == whole


@pytest.mark.parametrize("dtype", ["category", "string", "boolean", "Int64", "int64[pyarrow]"])
def test_columns_of_any_type_are_carried(tmp_path, dtype):
    values = [True, False, None] if dtype == "boolean" else [1, 2, None]
    frame = answers()
    frame["own"] = pd.Series(np.resize(np.array(values, object), 600)).astype(dtype)
    here = csi.fit(MODEL, csi.read_survey(frame, **OPTIONS))
    there = csi.fit(MODEL, csi.scan(pa.Table.from_pandas(frame), **OPTIONS))
    for fit in (here, there):
        own = pd.read_parquet(csi.respondent_index(fit, to=tmp_path / "s.parquet", keep="own"))
        expected = frame["own"].iloc[own["row"]]
        assert own["own"].isna().tolist() == expected.isna().tolist()
        known = expected.notna().to_numpy()
        assert own["own"][known].astype(str).str.removesuffix(".0").tolist() == [
            str(value) for value in expected[known]
        ]


def test_a_kept_column_of_another_type_in_a_later_file_is_named(tmp_path):
    frame = answers()
    in_files(frame, tmp_path)
    last = frame.iloc[400:].assign(w=lambda own: own["w"].astype("float32"))
    last.to_parquet(tmp_path / "part2.parquet", index=False)
    fit = csi.fit(MODEL, csi.scan(str(tmp_path / "part*.parquet"), **OPTIONS))
    own = pd.read_parquet(csi.respondent_index(fit, to=tmp_path / "s.parquet", keep="w"))
    assert own["w"].dtype == "float64"
    last.assign(firm=last["firm"].astype("category"), w=1).to_parquet(
        tmp_path / "part2.parquet", index=False
    )
    own = frame.assign(firm=1)
    own.iloc[:200].to_parquet(tmp_path / "part0.parquet", index=False)
    fit = csi.fit(MODEL, csi.scan(str(tmp_path / "part*.parquet"), **OPTIONS))
    untouched_names = sorted(tmp_path.iterdir())
    with pytest.raises(SurveyError, match=r"Column 'firm', .*holds int64 in the first rows"):
        csi.respondent_index(fit, to=tmp_path / "s.parquet", keep="firm")
    assert sorted(tmp_path.iterdir()) == untouched_names
