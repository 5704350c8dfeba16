"""A programme from a scan: the numbers and sentences of one in memory."""

import numpy as np
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal

import csimodel as csi
from csimodel.errors import OptionError, SurveyError
from csimodel.index.programme import cell_totals
from csimodel.survey.scanning.buckets import bucket_codes

MODEL = csi.models.ecsi()
ITEMS = dict.fromkeys(MODEL.items, (1, 10))
DESIGNS = [
    {}, {"weights": "w"}, {"strata": "stratum"}, {"weights": "w", "strata": "stratum"},
    {"cluster": "psu"}, {"weights": "w", "strata": "stratum", "cluster": "psu"},
]  # fmt: skip


@pytest.fixture(scope="module")
def frame():
    """Return real answers drawn anew, of firms in waves, with a design; some of no firm."""
    rng = np.random.default_rng(1)
    frame = csi.load_mobi().data.sample(900, replace=True, random_state=1).reset_index(drop=True)
    frame = frame.astype("float64")
    firm = rng.choice(["a", "b", "c"], 900)
    frame["firm"], frame["industry"] = firm, np.where(firm == "c", "y", "x")
    frame["wave"] = rng.integers(1, 4, 900)
    frame["w"] = rng.uniform(0.5, 2.0, 900)
    frame["stratum"] = rng.integers(0, 3, 900)
    frame["psu"] = rng.integers(0, 60, 900)
    frame.loc[[8, 401], "IMAG1"] = np.nan
    frame.loc[[5, 77, 400], "firm"] = None
    return frame


def same(there, here, rtol=1e-7):
    """Compare all tables, and what is told."""
    for name in ("scores", "changes", "trend", "contributions", "ranking"):
        one, other = getattr(there, name), getattr(here, name)
        if name == "trend":  # a difference of variances, near 0
            assert_allclose(one.pop("move_sd"), other.pop("move_sd"), rtol=1e-5, atol=1e-6)
        assert_frame_equal(one, other, rtol=rtol, atol=1e-9)
    assert [(f.code, str(f)) for f in there.findings] == [(f.code, str(f)) for f in here.findings]


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("item_weights", ["own", "pooled", "base"])
def test_tables_are_those_in_memory(frame, design, item_weights):
    options = {"scale": ITEMS, "missing": "listwise", **design}
    sources = csi.scan(pa.Table.from_pandas(frame), **options), csi.read_survey(frame, **options)
    there, here = (
        csi.programme(
            MODEL, own, ["industry", "firm"], "wave", item_weights=item_weights, minimum_n=20
        )
        for own in sources
    )
    same(there, here)


@pytest.mark.parametrize("lonely", ["adjust", "certainty"])
def test_respondents_alone_in_their_stratum_count_as_in_memory(frame, lonely):
    one = frame.dropna().assign(stratum=lambda f: np.where(f.index % 97 == 0, f.index, 0))
    options = {"scale": ITEMS, "strata": "stratum", "lonely": lonely}
    sources = csi.scan(pa.Table.from_pandas(one), **options), csi.read_survey(one, **options)
    same(*(csi.programme(MODEL, own, "firm", "wave", item_weights="pooled") for own in sources))


def test_buckets_are_units(frame):
    options = {"scale": ITEMS, "missing": "listwise", "weights": "w"}
    scan = csi.scan(pa.Table.from_pandas(frame), **options, cluster="psu", buckets=20)
    own = frame.assign(psu=bucket_codes(frame["psu"], 20))
    survey = csi.read_survey(own, **options, cluster="psu")
    same(*(csi.programme(MODEL, data, "firm", "wave") for data in (scan, survey)))


@pytest.mark.parametrize("design", [{}, {"cluster": "psu"}])
@pytest.mark.parametrize("quantity", ["paths", "loadings", "total_effects"])
def test_other_quantities_are_those_in_memory(frame, design, quantity):
    options = {"scale": ITEMS, "missing": "listwise", **design}
    sources = csi.scan(pa.Table.from_pandas(frame), **options), csi.read_survey(frame, **options)
    tables = [csi.programme(MODEL, own, "firm", "wave").of(quantity) for own in sources]
    assert_frame_equal(tables[0].scores, tables[1].scores, rtol=1e-6, atol=1e-7)
    assert_frame_equal(tables[0].changes, tables[1].changes, rtol=1e-6, atol=1e-7)
    moved = [csi.programme(MODEL, own, "firm", "wave").impacts({"Image": 5}) for own in sources]
    assert_allclose(moved[0].scores["se"], moved[1].scores["se"], rtol=1e-6)


def test_impacts_on_an_outcome_need_respondents(frame):
    scan = csi.scan(pa.Table.from_pandas(frame.dropna()), scale=ITEMS)
    waves = csi.programme(MODEL, scan, "firm", "wave")
    with pytest.raises(
        SurveyError, match=r"programme_impacts needs the respondents .*scan\.sample"
    ):
        csi.outcomes.programme_impacts(waves, {"Image": 5}, "CUSL1")


def test_more_clusters_in_cells_than_memory_holds_are_refused(frame, monkeypatch):
    def full(what, size, way):
        raise OptionError(f"{what}: {way}")

    monkeypatch.setattr(cell_totals, "require_memory", full)
    scan = csi.scan(pa.Table.from_pandas(frame.dropna()), scale=ITEMS, cluster="psu")
    with pytest.raises(OptionError, match=r"60 clusters add to 9 cells .*buckets=200"):
        csi.programme(MODEL, scan, "firm", "wave")
