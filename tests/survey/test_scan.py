"""`csi.scan`: the same numbers and sentences as in memory, faults named, nothing half used."""

import gc
import os
import re
import threading
import warnings
import weakref

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from pyarrow import dataset, parquet

import csimodel as csi
from csimodel.inference import influence
from csimodel.inference.scanned_influence import SummedDesign
from csimodel.survey.sampling import SurveyDesign
from csimodel.survey.scanning import batches, files
from csimodel.survey.scanning.buckets import bucket_codes
from csimodel.survey.scanning.labels import Combinations

MODEL = csi.models.ecsi()
DESIGN = {"weights": "w", "strata": "stratum", "cluster": "psu"}


def answers(rows=600, seed=1):
    """Return real answers drawn anew, with a design, a group, and some that are wrong."""
    rng = np.random.default_rng(seed)
    frame = csi.load_mobi().data.sample(rows, replace=True, random_state=seed)
    frame = frame.reset_index(drop=True).astype("int8")
    frame["w"] = rng.uniform(0.5, 2.0, rows)
    frame["stratum"] = rng.integers(0, 4, rows)
    frame["psu"] = rng.integers(0, 30, rows)
    frame["firm"] = rng.choice(["b", "a", "c"], rows)
    return frame


def with_faults(frame):
    """Return the same with codes, missing cells, and rows without a weight or a group."""
    own = frame.astype(dict.fromkeys(MODEL.items, "float64"))
    own.loc[[5, 400], "CUSA1"] = 99.0
    own.loc[[8, 401], "IMAG1"] = np.nan
    own.loc[9, "PERV1"] = 98.0
    own.loc[[3, 450], "w"] = [0.0, np.nan]
    own.loc[[11, 402], "firm"] = None
    return own


def parts_of(frame, folder, parts=4, kind="parquet"):
    """Write a frame to several files and return their pattern."""
    for place, rows in enumerate(np.array_split(np.arange(len(frame)), parts)):
        own = frame.iloc[rows]
        if kind == "csv":
            own.to_csv(folder / f"part{place:02}.csv", index=False)
        else:
            own.to_parquet(folder / f"part{place:02}.parquet", index=False)
    return str(folder / f"*.{kind}")


def told(findings):
    return [(f.code, f.severity, f.subjects, f.count, str(f)) for f in findings]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(files, "ROWS", 64)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("missing", ["listwise", "construct-minimum"])
def test_a_fit_has_the_numbers_and_sentences_of_one_in_memory(tmp_path, kind, missing):
    frame = with_faults(answers())
    options = {"scale": (1, 10), "missing": missing, "missing_codes": (98, 99), **DESIGN}
    survey = csi.read_survey(frame, **options)
    scan = csi.scan(parts_of(frame, tmp_path, kind=kind), **options)
    here, there = csi.fit(MODEL, survey), csi.fit(MODEL, scan)
    assert_allclose(there.moments.mean, here.moments.mean, rtol=1e-12)
    assert_allclose(there.moments.cov, here.moments.cov, rtol=1e-10, atol=1e-12)
    assert_allclose(there.moments.effective_n, here.moments.effective_n, rtol=1e-12)
    assert_allclose(there.paths, here.paths, rtol=1e-10, atol=1e-12)
    assert told(there.diagnostics) == told(here.diagnostics)
    assert told(scan.findings) == told(survey.findings)
    assert {f.code for f in here.diagnostics} >= {"weight-dropped", "nested-clusters"}


def test_a_covariance_fit_is_the_same(tmp_path):
    frame = answers()
    scan = csi.scan(parts_of(frame, tmp_path), scale=(1, 10))
    here = csi.fit(MODEL, csi.read_survey(frame, scale=(1, 10)), csi.ML())
    there = csi.fit(MODEL, scan, csi.ML())
    assert_allclose(there.fit_measures["chisq"], here.fit_measures["chisq"], rtol=1e-9)


@pytest.mark.parametrize("by", ["firm", ["firm", "stratum"]])
def test_groups_are_those_in_memory(tmp_path, by):
    frame = with_faults(answers())
    options = {"scale": (1, 10), "missing": "listwise", "missing_codes": (98, 99), **DESIGN}
    here = csi.fit_groups(MODEL, csi.read_survey(frame, **options), by)
    there = csi.fit_groups(MODEL, csi.scan(parts_of(frame, tmp_path), **options), by)
    assert_frame_equal(there.table("paths"), here.table("paths"), rtol=1e-9)
    assert told(there.findings) == told(here.findings)
    label = next(iter(here))
    assert told(there[label].diagnostics) == told(here[label].diagnostics)
    assert there[label].scanned.design.df == here[label].answers.design.df


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
def test_what_is_refused_in_memory_is_refused_in_the_same_words(tmp_path, wrong, options):
    frame = answers().astype({"CUSA1": "float64", "psu": "float64"})
    for column, value in wrong.items():
        frame.loc[[7, 300, 555], column] = value
    options = {"scale": (1, 10), **options}

    def refusal(read, data):
        with pytest.raises(csi.CsimodelError) as error:
            csi.fit(MODEL, read(data, **options))
        return str(error.value)

    expected = refusal(csi.read_survey, frame)
    assert refusal(csi.scan, parts_of(frame, tmp_path)) == expected


def test_missing_cells_are_refused_with_what_a_scan_can_do(tmp_path):
    frame = with_faults(answers())
    scan = csi.scan(parts_of(frame, tmp_path), scale=(1, 10), missing_codes=(98, 99))
    with pytest.raises(csi.errors.SurveyError) as error:
        csi.fit(MODEL, scan)
    said = str(error.value)
    assert "missing='error' allows none; choose missing='listwise' or 'construct-minimum' in csi.scan" in said  # fmt: skip
    assert "pairwise" not in said
    assert "scan.sample(100_000, rng=1)" in said


@pytest.mark.parametrize("by", ["size", ["firm", "size"]])
def test_groups_of_categories_are_in_their_order(by):
    order = ["small", "middle", "large"]
    frame = answers()
    size = np.random.default_rng(2).choice(order, len(frame))
    frame["size"] = pd.Categorical(size, categories=order)
    here = csi.fit_groups(
        MODEL, csi.read_survey(frame, scale=dict.fromkeys(MODEL.items, (1, 10))), by
    )
    scan = csi.scan(pa.Table.from_pandas(frame), scale=dict.fromkeys(MODEL.items, (1, 10)))
    there = csi.fit_groups(MODEL, scan, by)
    assert list(there) == list(here)
    assert next(iter(here)) in ("small", ("a", "small"))
    assert_frame_equal(there.table("paths"), here.table("paths"), rtol=1e-9)


def test_codes_for_all_columns_that_may_be_answers_are_refused(tmp_path):
    scan = csi.scan(parts_of(answers(), tmp_path), missing_codes=(9,))
    with pytest.raises(csi.errors.SurveyError, match=r"missing code 9 .*among the answers"):
        csi.fit(MODEL, scan)


def test_suspected_codes_and_labelled_codes_are_looked_for(tmp_path):
    frame = answers()
    frame.loc[[7, 300], "CUSA1"] = 99
    pattern = parts_of(frame, tmp_path)
    here, there = csi.fit(MODEL, frame), csi.fit(MODEL, csi.scan(pattern))
    assert told(there.diagnostics) == told(here.diagnostics)
    assert "suspected-missing-codes" in {f.code for f in there.diagnostics}


def test_items_are_turned_and_partitions_are_columns(tmp_path):
    frame = answers()
    for firm, own in frame.groupby("firm"):
        for year in (2023, 2024):
            folder = tmp_path / f"firm={firm}" / f"year={year}"
            folder.mkdir(parents=True)
            half = own.iloc[year - 2023 :: 2].drop(columns="firm")
            half.to_parquet(folder / "part.parquet", index=False)
    options = {"scale": (1, 10), "reverse": ["CUSA2"]}
    here = csi.fit_groups(MODEL, csi.read_survey(frame, **options), "firm")
    scan = csi.scan(tmp_path, **options)
    assert_frame_equal(
        csi.fit_groups(MODEL, scan, "firm").table("paths"), here.table("paths"), rtol=1e-9
    )
    years = csi.fit_groups(MODEL, scan, "year").labels
    assert years.tolist() == [2023, 2024]


def test_arrow_tables_and_data_sets_are_scanned(tmp_path):
    frame = answers()
    here = csi.fit(MODEL, csi.read_survey(frame, scale=(1, 10)))
    table = pa.Table.from_pandas(frame)
    pattern = parts_of(frame, tmp_path)
    own = [str(path) for path in sorted(tmp_path.glob("*.parquet"))]
    for data in (table, dataset.dataset(own), own, pattern, tmp_path):
        there = csi.fit(MODEL, csi.scan(data, scale=(1, 10)))
        assert_allclose(there.paths, here.paths, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", ["Int64", "float32", "int64[pyarrow]", "category", "string"])
def test_answers_of_any_type_of_number_are_answers(tmp_path, dtype):
    frame = answers()
    here = csi.fit(MODEL, csi.read_survey(frame, scale=(1, 10)))
    frame["CUSA1"] = frame["CUSA1"].astype(dtype)
    there = csi.fit(MODEL, csi.scan(pa.Table.from_pandas(frame), scale=(1, 10)))
    assert_allclose(there.paths, here.paths, rtol=1e-10, atol=1e-12)


def test_a_sample_is_drawn_of_stated_size(tmp_path):
    frame = answers()
    scan = csi.scan(parts_of(frame, tmp_path), scale=(1, 10), weights="w")
    survey = scan.sample(100, rng=1)
    assert len(survey.data) == 100
    assert survey.weights == "w"
    assert_frame_equal(survey.data, scan.sample(100, rng=1).data)
    whole = scan.sample(600, rng=1).data
    assert_frame_equal(whole[list(MODEL.items)], frame[list(MODEL.items)], check_dtype=False)
    with pytest.raises(csi.errors.OptionError, match=r"n=601 is more than the 600 rows"):
        scan.sample(601)


def same(there, here):
    """Compare tables: limits and p-values follow from the estimate and its error."""
    known = ["estimate", "se", "df", "reason"]
    assert_frame_equal(there[known], here[known], rtol=1e-8, atol=1e-12)
    for limit in ("lower", "upper"):
        assert (abs(there[limit] - here[limit]) <= 4e-8 * here["se"].fillna(0) + 1e-12).all()
    assert_allclose(there["p"], here["p"], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("weight", [0.0, np.nan])
def test_weights_of_which_none_is_above_0_are_named_as_in_memory(tmp_path, weight):
    frame = answers().assign(w=weight)
    for survey in (
        csi.scan(parts_of(frame, tmp_path), scale=(1, 10), weights="w"),
        csi.read_survey(frame, scale=(1, 10), weights="w"),
    ):
        with pytest.raises(
            csi.errors.SurveyError, match=r"^Weight column 'w' has no value above 0 in 600 rows"
        ):
            csi.fit(MODEL, survey)


def test_combinations_of_more_labels_than_a_whole_number_tells_apart():
    labels = 2**22
    parts = np.array([[0, 0, 0], [2**20, 0, 0], [-1, 0, 0], [labels - 1] * 3, [2**20, 0, 0]])
    assert Combinations(("a", "b", "c")).codes_of(parts).tolist() == [0, 1, -1, 2, 1]
    assert Combinations(()).codes_of(np.zeros((2, 0), dtype=np.intp)).tolist() == [0, 0]


DESIGNS = [{}, {"weights": "w"}, {"strata": "stratum"}, {"cluster": "psu"}, DESIGN]


def both(tmp_path, design):
    """Return fits of answers in memory and in files."""
    frame = with_faults(answers())
    options = {"scale": (1, 10), "missing": "listwise", "missing_codes": (98, 99), **design}
    scan = csi.scan(parts_of(frame, tmp_path), **options)
    return csi.fit(MODEL, csi.read_survey(frame, **options)), csi.fit(MODEL, scan)


@pytest.mark.parametrize("design", DESIGNS)
def test_errors_by_design_are_those_in_memory(tmp_path, design):
    here, there = (csi.linearize(fit) for fit in both(tmp_path, design))
    for quantity in ("paths", "index", "loadings"):
        same(there.table(quantity), here.table(quantity))
    pair = ("index", "Satisfaction"), ("index", "Loyalty")
    same(there.difference(*pair), here.difference(*pair))
    assert_allclose(there.vcov("paths"), here.vcov("paths"), rtol=1e-7, atol=1e-10)
    assert told(there.findings) == told(here.findings)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("by", ["firm", ["firm", "stratum"]])
def test_the_index_by_group_is_that_in_memory(tmp_path, design, by):
    tables, findings = [], []
    for fit in both(tmp_path, design):
        with csi.findings.collected() as own:
            tables.append(csi.index_scores(fit, by=by))
        findings.append(told(own))
    assert_frame_equal(tables[1], tables[0], rtol=1e-8)
    assert findings[1] == findings[0]
    assert "no-degrees-of-freedom" not in findings[0]


def test_errors_of_one_group_and_of_groups_by_linearize(tmp_path, monkeypatch):
    """Differences along units in memory are off by the square of their step, here some 1e-8."""
    monkeypatch.setattr(influence, "_SHARE", 2e-6)
    here, there = both(tmp_path, DESIGN)
    with csi.findings.collected():
        tables = [csi.linearize(fit).table("index", by="firm") for fit in (here, there)]
    assert_frame_equal(tables[1], tables[0], rtol=1e-8)
    alone = csi.fit_groups(MODEL, there.scanned.scan, "firm")["a"]
    same(
        csi.linearize(alone).table("paths"),
        csi.linearize(csi.fit_groups(MODEL, here.survey, "firm")["a"]).table("paths"),
    )


def test_units_of_a_scan_are_not_handed_out(tmp_path):
    _, fit = both(tmp_path, {})
    linear = csi.linearize(fit)
    groups = csi.fit_groups(MODEL, fit.scanned.scan, "firm")
    for call in (
        lambda: linear.influence("paths"),
        lambda: linear.deff("paths"),
        lambda: linear.difference(("index", "a"), ("index", "b"), by="firm"),
        lambda: linear.table("paths", by="firm"),
        lambda: csi.linearize(groups),
        lambda: csi.index_scores(groups),
        lambda: csi.index_scores(groups["a"], by="stratum"),
    ):
        with (
            csi.findings.collected(),
            pytest.raises(csi.errors.SurveyError, match=r"scan\.sample\("),
        ):
            call()


def test_rows_that_changed_between_two_passes_are_noticed(tmp_path, monkeypatch):
    _, fit = both(tmp_path, {})
    own = files.Files.batches

    def fewer(self, columns):
        return (batch for batch in own(self, columns) if batch.start)

    monkeypatch.setattr(files.Files, "batches", fewer)
    with pytest.raises(csi.errors.SurveyError, match=r"held 595 rows .* and holds \d+ now"):
        csi.index_scores(fit)


def test_assess_takes_errors_of_a_scan(tmp_path):
    here, there = both(tmp_path, {"cluster": "psu"})
    own = csi.assess(there, bootstrap=csi.linearize(there))
    assert_frame_equal(own.reliability, csi.assess(here).reliability, rtol=1e-8, check_like=True)


def test_what_needs_respondents_offers_a_sample(tmp_path):
    scan = csi.scan(parts_of(answers(), tmp_path), scale=(1, 10))
    fit = csi.fit(MODEL, scan)
    for call in (lambda: fit.scores, lambda: csi.respondent_index(fit), lambda: csi.bootstrap(fit)):
        with pytest.raises(csi.errors.SurveyError, match=r"scan of 600 rows; .*scan\.sample\(600,"):
            call()
    with pytest.raises(csi.errors.EstimationError, match=r"scan\.sample\(100_000, rng=1\)"):
        csi.fit(MODEL, scan, csi.ML(se="robust"))
    frame = with_faults(answers())
    table = pa.Table.from_pandas(frame)
    with pytest.raises(csi.errors.SurveyError, match=r"cells are missing \(missing='pairwise'\)"):
        csi.fit(MODEL, csi.scan(table, missing="pairwise", scale=(1, 99)))


def readers():
    return [t.name for t in threading.enumerate() if t.name.startswith("ThreadPoolExecutor")]


def broken(scan, match):
    """Check that a fit is refused, that no thread is left, and that the session goes on."""
    with pytest.raises(csi.errors.SurveyError, match=match):
        csi.fit(MODEL, scan)
    assert readers() == []
    csi.fit(MODEL, answers())


def test_a_file_cut_short_is_named(tmp_path):
    scan = csi.scan(parts_of(answers(20_000), tmp_path, 17), scale=(1, 10))
    path = tmp_path / "part16.parquet"
    whole, state = path.read_bytes(), path.stat()
    middle = len(whole) // 3
    path.write_bytes(whole[:middle] + b"\0" * 2000 + whole[middle + 2000 :])
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    broken(scan, r"part16\.parquet' cannot be read to its end .*nothing was computed")
    path.write_bytes(whole[:middle])
    broken(scan, r"part16\.parquet' was changed after the scan was made")
    with pytest.raises(csi.errors.SurveyError, match=r"part16\.parquet' cannot be read to its end"):
        csi.scan(str(tmp_path / "*.parquet"), scale=(1, 10))


def test_a_column_of_another_type_is_named_with_its_file(tmp_path):
    frame = answers()
    pattern = parts_of(frame, tmp_path, 17)
    path = tmp_path / "part16.parquet"
    own = parquet.read_table(path).to_pandas()
    own.astype({"CUSA1": "float64"}).to_parquet(path, index=False)
    there = csi.fit(MODEL, csi.scan(pattern, scale=(1, 10)))  # other numbers are numbers
    here = csi.fit(MODEL, csi.read_survey(frame, scale=(1, 10)))
    assert_allclose(there.paths, here.paths, rtol=1e-10, atol=1e-12)
    own.assign(CUSA1="good").to_parquet(path, index=False)
    broken(csi.scan(pattern, scale=(1, 10)), r"part16\.parquet' .*'CUSA1' holds the text 'good'")
    own.drop(columns="CUSA1").to_parquet(path, index=False)
    broken(csi.scan(pattern, scale=(1, 10)), r"part16\.parquet' has no column 'CUSA1'")


def test_text_where_a_csv_has_numbers_is_named(tmp_path):
    frame = answers()
    pattern = parts_of(frame, tmp_path, 3, "csv")
    scan = csi.scan(pattern, scale=(1, 10))
    last = frame.iloc[400:].astype({"CUSA1": object})
    last.loc[500, "CUSA1"] = "good"
    last.to_csv(tmp_path / "part02.csv", index=False)
    broken(csi.scan(pattern, scale=(1, 10)), r"part02\.csv' cannot be read to its end .*good")
    broken(scan, r"part02\.csv' was changed")


def test_a_partition_that_vanishes_during_the_pass_is_named(tmp_path, monkeypatch):
    scan = csi.scan(parts_of(answers(), tmp_path), scale=(1, 10))
    own = files._parquet

    def reading(file, columns):
        (tmp_path / "part03.parquet").unlink(missing_ok=True)
        return own(file, columns)

    monkeypatch.setattr(files, "_parquet", reading)
    broken(scan, r"part03\.parquet' is not there any more")


def test_an_interrupt_leaves_no_thread(tmp_path, monkeypatch):
    scan = csi.scan(parts_of(answers(), tmp_path), scale=(1, 10))
    own = batches.RowBatch.numbers

    def numbers(self, name):
        if self.start > 100:
            raise KeyboardInterrupt
        return own(self, name)

    with monkeypatch.context() as patched:
        patched.setattr(batches.RowBatch, "numbers", numbers)
        with pytest.raises(KeyboardInterrupt):
            csi.fit(MODEL, scan)
    assert readers() == []
    assert csi.fit(MODEL, scan).converged


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (None, "data is None"),
        (float("nan"), "data is"),
        (3, "data is"),
        (pd.DataFrame({"a": [1.0]}), "data is .*read_survey"),
        ("", "no Parquet or CSV file ''"),
        ("nowhere/*.parquet", "no Parquet or CSV file 'nowhere"),
        ([], "no file"),
        ([1], "of type int"),
    ],
)
def test_what_is_no_source_is_refused(data, match):
    with pytest.raises(csi.errors.SurveyError, match=match):
        csi.scan(data)


def test_sources_without_rows_columns_or_a_known_kind_are_refused(tmp_path):
    empty = pa.Table.from_pandas(answers().iloc[:0])
    with pytest.raises(csi.errors.SurveyError, match="no rows"):
        csi.scan(empty, scale=(1, 10))
    path = tmp_path / "a.xlsx"
    path.write_text("")
    with pytest.raises(csi.errors.SurveyError, match=r"'a\.xlsx' is of a kind that is not scanned"):
        csi.scan(path)
    one = csi.scan(pa.Table.from_pandas(answers().iloc[:1]), scale=(1, 10))
    with pytest.raises(csi.errors.SurveyError, match="Only 1 row is left"):
        csi.fit(MODEL, one)
    with pytest.raises(csi.errors.SurveyError, match=re.escape("'CUSA9'")):
        csi.scan(pa.Table.from_pandas(answers()), weights="CUSA9")


def test_text_cells_of_a_csv_are_those_of_a_survey(tmp_path):
    frame = answers().assign(firm=lambda own: own["firm"].where(own["psu"] > 3, " "))
    frame.loc[::7, "firm"] += " "
    frame["new"] = np.arange(len(frame)) % 2 == 0
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    scan, survey = csi.scan(path, scale=(1, 10)), csi.read_survey(path, scale=(1, 10))
    for by in ("firm", "new"):
        fits, theirs = csi.fit_groups(MODEL, scan, by), csi.fit_groups(MODEL, survey, by)
        assert {g: own.n for g, own in fits.items()} == {g: own.n for g, own in theirs.items()}
    assert set(csi.fit_groups(MODEL, scan, "new").keys()) == {False, True}
    for option in ("strata", "cluster"):
        with pytest.raises(csi.errors.SurveyError, match=f"'firm', given as {option}, has"):
            csi.fit(MODEL, csi.scan(path, scale=(1, 10), **{option: "firm"}))


def test_whole_labels_of_a_csv_are_whole_numbers(tmp_path):
    frame = answers().assign(half=lambda own: own["psu"] / 2)
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    scan, survey = csi.scan(path, scale=(1, 10)), csi.read_survey(path, scale=(1, 10))
    for by in ("stratum", ["firm", "stratum"], "half"):
        with csi.findings.collected():
            there, here = (csi.fit_groups(MODEL, own, by).labels for own in (scan, survey))
        assert there.equals(here)
        assert [str(label) for label in there] == [str(label) for label in here]
    with csi.findings.collected():
        table = csi.index_scores(csi.fit(MODEL, scan), by="stratum")
    assert [str(label) for label in table.index.levels[0]] == ["0", "1", "2", "3"]


def test_errors_of_a_scan_keep_no_fit_alive(tmp_path):
    _, fit = both(tmp_path, {})
    csi.index_scores(fit)
    csi.linearize(fit).vcov("index")
    known = weakref.ref(fit), weakref.ref(fit.scanned)
    del fit
    gc.collect()
    assert [own() for own in known] == [None, None]


def test_a_first_batch_without_rows_is_passed_over():
    table = pa.Table.from_pandas(pd.DataFrame({"q1": [1, 5, 3], "q2": [2, 5, 4], "q3": [1, 4, 5]}))
    empty = pa.RecordBatch.from_pylist([], table.schema)
    table = pa.Table.from_batches([empty, *table.to_batches()])
    assert len(csi.scan(table, scale=(1, 5)).sample(3, rng=1).data) == 3


def test_buckets_of_numbers_beyond_whole_ones():
    """Below -2^53 labels are hashed as they are, as above 2^53."""
    far = pd.Series([-1e300, -2e300, 1e300, -(2.0**53) - 2, 5.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codes = bucket_codes(far, 1_000)
    assert len(set(codes.tolist())) == 5
    assert codes[4] == bucket_codes(pd.Series([5]), 1_000)[0]


def test_units_that_were_added_up_have_the_strata_they_were_drawn_in():
    drawn = SurveyDesign.of(6, np.array([0, 0, 0, 1, 1, 1]), np.arange(6))
    summed = SummedDesign.of_design(drawn)
    assert (summed.strata, summed.units) == (drawn.strata, drawn.units) == (2, 6)
