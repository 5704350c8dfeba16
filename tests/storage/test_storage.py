"""`csi.save` and `csi.load`: equal to the last bit; whatever is not whole and ours is refused."""

import dataclasses
import datetime as dt
import io
import json
import os
import pickle
import zipfile
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import OptionError, StorageError
from csimodel.storage.kinds import KINDS, class_of

SMALL = "Sat =~ CUSA1 + b*CUSA2 + CUSA3\nV =~ PERV1 + PERV2\nSat ~ c*V\nbc := b*c"
PLAIN = "S =~ CUSA1 + CUSA2 + CUSA3\nV =~ PERV1 + PERV2\nS ~ V"
PRODUCT = "I =~ IMAG1 + IMAG2\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2\nS ~ I + V + I:V"
HIGHER = "A =~ IMAG1 + IMAG2\nB =~ PERV1 + PERV2\nH =~ A + B\nS =~ CUSA1 + CUSA2\nS ~ H"
CHINESE = "形象 =~ IMAG1 + IMAG2\n“满意 度” =~ CUSA1 + CUSA2\n“满意 度” ~ 形象".replace(
    "“", '"'
).replace("”", '"')


def text(name):
    return csi.Model.from_syntax(name)


@pytest.fixture(scope="module")
def design():
    return csi.load_mobi(design=True)


RESULTS = {
    "PLS": lambda s, d: csi.fit(csi.models.ecsi(), s),
    "PLSc": lambda s, d: csi.fit(csi.models.ecsi(), s, csi.PLS(consistent=True)),
    "ML": lambda s, d: csi.fit(text(SMALL), s, csi.ML(se="robust")),
    "ML incomplete": lambda s, d: csi.fit(text(SMALL.split("\nbc")[0]), holes(s), csi.ML(missing="fiml")),
    "WLSMV": lambda s, d: csi.fit(text(SMALL), s, csi.WLSMV()),
    "LeastSquares": lambda s, d: csi.fit(text(SMALL), s, csi.LeastSquares()),
    "Semopy": lambda s, d: csi.fit(text(SMALL.split("\nbc")[0]), s, csi.Semopy(progress=False)),
    "Chinese": lambda s, d: csi.fit(text(CHINESE), s),
    "product": lambda s, d: csi.bootstrap(csi.fit(text(PRODUCT), s), 40, rng=1),
    "higher order": lambda s, d: csi.fit(text(HIGHER), s),
    "bootstrap": lambda s, d: csi.bootstrap(csi.fit(csi.models.ecsi(), s), 60, rng=1),
    "clusters": lambda s, d: csi.bootstrap(csi.fit(text(PRODUCT), d), 40, rng=1),
    "linearized": lambda s, d: csi.linearize(csi.fit(csi.models.ecsi(), d)),
    "jackknife": lambda s, d: csi.jackknife(csi.fit(text(HIGHER), s)),
    "replicates": lambda s, d: csi.replicate(csi.fit(text(PRODUCT), csi.replicate_weights(d, "jkn"))),
    "raked": lambda s, d: csi.fit(text(PRODUCT), csi.rake(d, {"sex": {"f": 3, "m": 2}})),
    "groups": lambda s, d: csi.fit_groups(csi.models.ecsi(), d, "region"),
    "multigroup": lambda s, d: csi.fit_multigroup(text(SMALL), d, "sex"),
    "comparison": lambda s, d: csi.compare(*(csi.fit(text(SMALL.split("\nbc")[0]).without_parameters(), s, by) for by in (csi.PLS(), csi.ML()))),
    "index": lambda s, d: csi.index_scores(csi.fit(csi.models.ecsi(), s)),
    "moments": lambda s, d: csi.fit(csi.models.ecsi(), s).moments,
    "from moments": lambda s, d: csi.fit(csi.models.ecsi(), csi.Moments.from_array(s.data[list(csi.models.ecsi().items)], csi.models.ecsi().items)),
    "micom": lambda s, d: csi.micom(text(PLAIN), halves(s), "half", 30, progress=False),
    "groups compared": lambda s, d: csi.compare_groups(text(PLAIN), halves(s), "half", permutations=30, progress=False),
    "distances": lambda s, d: csi.compare_groups(text(PLAIN), halves(s), "half", "distance", permutations=30, progress=False),
    "assessment": lambda s, d: csi.assess(csi.fit(text(PLAIN), s)),
    "overall fit": lambda s, d: csi.overall_fit(csi.fit(text(PLAIN), s), 25, 1, progress=False),
    "prediction": lambda s, d: csi.predict(csi.fit(text(PLAIN), s), 3, 2, 1),
    "loss": lambda s, d: csi.cvpat(csi.fit(text(PLAIN), s), None, 3, rng=1),
    "slopes": lambda s, d: csi.simple_slopes(csi.fit(text(PRODUCT), s), "S", "I", at="V"),
    "survey": lambda s, d: d,
    "model": lambda s, d: text(SMALL),
    "estimator": lambda s, d: csi.PLS("centroid"),
}  # fmt: skip


def halves(survey):
    return csi.read_survey(survey.data.assign(half=["a", "b"] * 125), scale=(1, 10))


def holes(survey):
    data = survey.data.assign(CUSA1=survey.data["CUSA1"].where(survey.data.index > 9))
    return csi.read_survey(data, scale=(1, 10))


def same(a, b, at, pairs):
    """Compare all that two values hold, to the last bit."""
    if (id(a), id(b)) in pairs:
        return
    pairs[id(a), id(b)] = a, b
    assert type(a) is type(b), at
    if isinstance(a, np.ndarray):
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()), at
    elif isinstance(a, pd.DataFrame):
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    elif isinstance(a, pd.Series):
        pd.testing.assert_series_equal(a, b, check_exact=True)
    elif isinstance(a, pd.Index):
        pd.testing.assert_index_equal(a, b, exact=True)
    elif dataclasses.is_dataclass(a):
        for entry in dataclasses.fields(a):
            same(getattr(a, entry.name), getattr(b, entry.name), f"{at}.{entry.name}", pairs)
    elif isinstance(a, dict):
        assert list(a) == list(b), at
        for key in a:
            same(a[key], b[key], f"{at}[{key}]", pairs)
    elif isinstance(a, tuple | list):
        assert len(a) == len(b), at
        for x, y in zip(a, b, strict=True):
            same(x, y, f"{at}[]", pairs)
    else:
        assert a == b or (a != a and b != b), at


@pytest.mark.filterwarnings("ignore::csimodel.errors.CsimodelWarning")
@pytest.mark.parametrize("name", RESULTS)
def test_what_is_read_equals_what_was_written(name, mobi, design, tmp_path):
    result = RESULTS[name](mobi, design)
    again = csi.load(csi.save(result, tmp_path / "a.csimodel"))
    same(result, again, "result", {})
    if hasattr(result, "page"):
        assert str(result.page) == str(again.page)
    csi.save(again, tmp_path / "b.csimodel")
    assert (tmp_path / "a.csimodel").read_bytes() == (tmp_path / "b.csimodel").read_bytes()


def test_a_bootstrap_goes_on_where_it_was(mobi, tmp_path):
    boot = csi.bootstrap(csi.fit(csi.models.ecsi(), mobi), 100, rng=1)
    again = csi.load(csi.save(boot, tmp_path / "boot.csimodel"))
    for interval in ("percentile", "bca"):
        pd.testing.assert_frame_equal(
            boot.table("index", interval), again.table("index", interval), check_exact=True
        )
    assert again.alike(boot)
    scores = [csi.index_scores(own.fit, bootstrap=own) for own in (boot, again)]
    pd.testing.assert_frame_equal(*scores, check_exact=True)


def test_arrays_keep_how_they_lie_in_memory(mobi, tmp_path):
    """Sums in another order end in another last digit."""
    boot = csi.bootstrap(csi.fit(csi.models.ecsi(), mobi), 50, rng=1)
    again = csi.load(csi.save(boot, tmp_path / "boot.csimodel"))
    own, read = boot.solution.estimates.paths, again.solution.estimates.paths
    assert own.strides == read.strides
    assert not own.flags.c_contiguous


COLUMNS = {
    "text": ["a", None, "满意"], "truth": [True, False, True], "whole": [1, 2, 3],
    "real": [0.1, np.nan, np.inf], "mixed": pd.Series([1, "a", None], dtype=object),
    "nullable": pd.array([1, None, 3], dtype="Int64"), "flag": pd.array([True, None, False], dtype="boolean"),
    "string": pd.array(["a", None, "b"], dtype="string"), "arrow": pd.array([1, None, 2], dtype="int64[pyarrow]"),
    "category": pd.Categorical(["b", None, "a"], categories=["b", "a", "c"], ordered=True),
    "date": pd.to_datetime(["2020-01-01", None, "2021-05-06 07:08:09.123456"], format="ISO8601"),
    "zone": pd.to_datetime(["2020-01-01", None, "2021-05-06"]).tz_localize("Asia/Shanghai"),
    "interval": pd.cut([1.0, 2.0, 5.0], [0, 2, 6]), "duration": pd.to_timedelta([1, 2, None], "D"),
    "days": pd.Series([dt.date(2020, 1, 2), Decimal("1.10"), pd.Timestamp("2020-01-01")], dtype=object),
}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_every_type_come_back(name, tmp_path):
    table = pd.DataFrame({name: COLUMNS[name]}, index=pd.Index([3, 3, 1], name="row"))
    again = csi.load(csi.save(table, tmp_path / "t.csimodel"))
    pd.testing.assert_frame_equal(table, again, check_exact=True)
    column = csi.load(csi.save(table[name], tmp_path / "t.csimodel"))
    pd.testing.assert_series_equal(table[name], column, check_exact=True)


def test_tables_with_levels_and_names_twice_come_back(tmp_path):
    rows = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["firm", None])
    table = pd.DataFrame([[1.0, 2], [3, 4]], rows, columns=["x", "x"])
    again = csi.load(csi.save(table, tmp_path / "t.csimodel"))
    pd.testing.assert_frame_equal(table, again, check_exact=True)


def test_every_class_of_a_file_is_there():
    assert all(class_of(name).__module__ == module for name, module in KINDS.items())


@pytest.mark.parametrize(
    "value",
    [
        *(len, object(), csi.PLS, lambda: 1, io.StringIO(), {1: {2: len}}),
        *(None, True, 3, 0.5, float("nan"), "fit", np.float64(1.0), np.int64(0), np.bool_(False)),
        *(pd.NA, pd.NaT, pd.Timestamp("2026-01-01"), b"fit", 2j),
    ],
)
def test_what_files_do_not_hold_is_refused(value, tmp_path):
    with pytest.raises(OptionError, match=r"^result.* is .*which a saved file does not hold; it"):
        csi.save(value, tmp_path / "a.csimodel")
    assert list(tmp_path.iterdir()) == []


def test_a_mapping_is_read_as_one(tmp_path):
    again = csi.load(csi.save(MappingProxyType({"a": {1, 2}}), tmp_path / "a.csimodel"))
    assert again == {"a": {1, 2}}


@pytest.fixture(scope="module")
def saved(mobi, tmp_path_factory):
    return csi.save(csi.fit(text(HIGHER), mobi), tmp_path_factory.mktemp("saved") / "fit.csimodel")


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def test_the_format_is_as_it_is_described(saved):
    content = members(saved)
    head = json.loads(content["format.json"])
    assert head == {"program": "csimodel", "format": 1, "package": csi.__version__, "kind": "Fit"}
    value = json.loads(content["value.json"])
    assert value["objects"][value["value"]["ref"]]["class"] == "Fit"
    for name in content.keys() - {"format.json", "value.json"}:
        np.load(io.BytesIO(content[name]), allow_pickle=False)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.999])
def test_a_cut_file_is_refused(saved, tmp_path, share):
    whole = saved.read_bytes()
    (tmp_path / "cut").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(StorageError, match=r"is cut short or damaged \(.*\); copy it again, or"):
        csi.load(tmp_path / "cut")


def test_a_changed_byte_is_noticed_wherever_it_is(saved, tmp_path):
    whole = saved.read_bytes()
    refused = 0
    for at in range(10, len(whole), len(whole) // 60):
        (tmp_path / "x").write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        try:
            csi.load(tmp_path / "x")  # dates and sizes that a zip says twice may be wrong
        except StorageError:
            refused += 1
    assert refused > 50


class Code:
    """What a pickle would run."""

    ran = False

    def __reduce__(self):
        return setattr, (Code, "ran", True)


def test_code_is_not_run(saved, tmp_path):
    content = members(saved)
    stream = io.BytesIO()
    np.save(stream, np.array([Code()], dtype=object), allow_pickle=True)
    first = next(name for name in content if name.startswith("arrays/"))
    for name in (first, "arrays/9999.npy"):
        path = written(tmp_path / "pickled", content | {name: stream.getvalue()})
        if name == first:
            with pytest.raises(StorageError, match="an array of pickled objects, which run code"):
                csi.load(path)
    for name in ("x.pkl", "../value.json", "arrays/../x", "arrays/00.npy", "code.py"):
        path = written(tmp_path / "more", content | {name: pickle.dumps(Code())})
        with pytest.raises(StorageError, match=r"holds '.*', which csi.save never writes"):
            csi.load(path)
    (tmp_path / "pickle").write_bytes(pickle.dumps(Code()))
    with pytest.raises(StorageError, match="is a pickle, which runs code when it is read"):
        csi.load(tmp_path / "pickle")
    assert not Code.ran


@pytest.mark.parametrize("shape", [(10**14,), (3, 10**9), (1,), (0,)])
def test_arrays_of_another_size_than_they_say_are_refused(saved, tmp_path, shape):
    content = members(saved)
    first = next(name for name in content if name.startswith("arrays/"))
    stream = io.BytesIO()
    head = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, head)
    path = written(tmp_path / "x", content | {first: stream.getvalue() + bytes(32)})
    with pytest.raises(StorageError, match="an array of another size than it says"):
        csi.load(path)


@pytest.mark.parametrize(
    "entry",
    [
        {"class": "Popen", "fields": {"args": "true"}},
        {"class": "os.system", "fields": {}},
        {"class": "Fit", "fields": []},
        {"class": "Fit", "fields": {}},
        {"class": "Status", "fields": {"name": "__class__"}},
        {"class": "Path", "fields": {"source": {"ref": -1}, "target": "a"}},
        {"class": "Path", "fields": {"source": [1], "target": "a"}},
        {"class": "Path", "fields": {"source": {"array": 10**6, "axes": []}, "target": "a"}},
        {"class": "Path", "fields": {"source": {"number": 1, "dtype": "O"}, "target": "a"}},
        {"frame": 1},
        7,
    ],
)  # fmt: skip
def test_what_was_never_written_is_refused(saved, tmp_path, entry):
    value = json.dumps({"objects": [entry], "value": {"ref": 0}})
    path = written(tmp_path / "x", members(saved) | {"value.json": value})
    with pytest.raises(StorageError, match="is cut short or damaged"):
        csi.load(path)


def test_other_versions_are_refused(saved, tmp_path):
    content = members(saved)
    for number in (0, 2, "1", None, True, 1.5):
        head = json.dumps({"program": "csimodel", "format": number, "package": "9.1"})
        path = written(tmp_path / "x", content | {"format.json": head})
        with pytest.raises(StorageError, match=r"is of format .* \(csimodel 9.1\), and csimodel"):
            csi.load(path)
    value = content["value.json"].replace(b'"tolerance"', b'"patience"')
    path = written(tmp_path / "x", content | {"value.json": value})
    with pytest.raises(
        StorageError, match=r"holds PLS with 'patience', which csimodel .* not know"
    ):
        csi.load(path)


def test_what_is_not_ours_is_refused(tmp_path):
    (tmp_path / "text").write_text("a,b\n1,2\n")
    with pytest.raises(StorageError, match=r"was not written by csi.save, as it is no zip"):
        csi.load(tmp_path / "text")
    (tmp_path / "empty").write_text("")
    with pytest.raises(StorageError, match="as it is no zip"):
        csi.load(tmp_path / "empty")
    written(tmp_path / "zip", {"a": b"b"})
    with pytest.raises(StorageError, match=r"is a zip that was not written by csi.save"):
        csi.load(tmp_path / "zip")
    written(tmp_path / "head", {"format.json": b"[1]"})
    with pytest.raises(StorageError, match=r"is a zip that was not written by csi.save"):
        csi.load(tmp_path / "head")
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(StorageError, match=r"cannot be read \(.*\); give the path of a file"):
            csi.load(path)


def test_a_file_of_somebody_else_is_not_replaced(mobi, tmp_path):
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    with pytest.raises(StorageError, match=r"is there and was not written by csi.save"):
        csi.save(mobi, tmp_path / "data.csv")
    with pytest.raises(StorageError, match="is a folder; give the name of a file in it"):
        csi.save(mobi, tmp_path)
    with pytest.raises(StorageError, match="cannot be written"):
        csi.save(mobi, tmp_path / "nowhere" / "a.csimodel")
    for path in ("", " ", "a\0b"):
        with pytest.raises(StorageError, match="is no path"):
            csi.save(mobi, path)
    assert (tmp_path / "data.csv").read_text() == "a,b\n1,2\n"
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def test_a_name_as_long_as_names_may_be_is_written(tmp_path):
    path = csi.save(csi.models.ecsi(), tmp_path / ("x" * 255))
    assert csi.load(path).construct_names == csi.models.ecsi().construct_names
    with pytest.raises(StorageError, match="cannot be written"):
        csi.save(csi.models.ecsi(), tmp_path / ("x" * 256))


def test_an_interrupted_save_leaves_the_old_file(mobi, tmp_path, monkeypatch):
    path = csi.save(csi.models.ecsi(), tmp_path / "a.csimodel")
    before = path.read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        csi.save(mobi, path)
    assert path.read_bytes() == before
    assert [own.name for own in tmp_path.iterdir()] == ["a.csimodel"]
