"""What is held of draws and of refits without each unit, and that it is the same number."""

import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal

import csimodel as csi
from csimodel import limits
from csimodel.errors import OptionError
from csimodel.index import index
from csimodel.moments import CrossProducts, Moments, group_moments
from csimodel.moments.triangles import PackedMoments
from csimodel.survey.sampling import SurveyDesign


@pytest.fixture(scope="module")
def fit():
    return csi.fit(csi.models.ecsi(), csi.load_mobi())


def peak(work):
    """Return the most memory that a call takes, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_packed_moments_are_the_moments():
    rng = np.random.default_rng(0)
    moments = Moments.from_array(rng.normal(size=(5, 20, 4)), list("abcd"), scale=(1, 10))
    packed = PackedMoments.of(moments)
    assert packed.kept_covariances.shape == (5, 10)
    for one, other in ((packed, moments), (packed[2:4], moments[2:4]), (packed[3], moments[3])):
        assert_array_equal(one.cov, other.cov)
        assert_array_equal(one.sd, other.sd)
        assert_array_equal(one.cor, other.cor)
        assert one.batch_shape == other.batch_shape
    assert_array_equal(replace(packed, n=2.0 * packed.n).cov, moments.cov)
    assert_array_equal(packed.select(["c", "a"]).cov, moments.select(["c", "a"]).cov)
    assert_array_equal(PackedMoments.join([packed[:2], packed[2:]]).cov, moments.cov)


def test_covariances_of_draws_are_held_once_and_by_half(fit):
    draws, items = 8_000, len(fit.model.items)
    whole = 8 * draws * items**2
    csi.bootstrap(fit, 20, 1, progress=False)
    held = []
    assert peak(lambda: held.append(csi.bootstrap(fit, draws, 1, progress=False))) < 1.25 * whole
    assert held[0].solution.moments.kept_covariances.nbytes < 0.53 * whole


@pytest.mark.parametrize("quantity", ["paths", "index", "htmt", "alpha", "r2"])
@pytest.mark.parametrize("inadmissible", ["keep", "drop"])
def test_quantities_of_many_draws_are_made_a_part_at_a_time(
    fit, monkeypatch, quantity, inadmissible
):
    plsc = csi.fit(fit.model, csi.load_mobi(), csi.PLS(consistent=True))
    boot = csi.bootstrap(plsc, 100, 1, progress=False, inadmissible=inadmissible)
    at_once = boot.values(quantity)
    monkeypatch.setattr(sys.modules["csimodel.inference.bootstrap"], "_CELLS", 24**2 * 7)
    assert_allclose(boot.values(quantity), at_once, rtol=1e-12)
    assert len(at_once) == boot.usable.sum()


@pytest.mark.parametrize("quantity", ["index", "paths", "alpha"])
def test_refits_that_are_not_kept_give_the_same_jackknife(fit, monkeypatch, quantity):
    kept = csi.jackknife(fit)
    table, failed = kept.table(quantity), kept.failed
    monkeypatch.setattr(sys.modules["csimodel.inference.jackknife"], "_KEPT", 0)
    monkeypatch.setattr(sys.modules["csimodel.inference.jackknife"], "_CELLS", 24**2 * 60)
    made = csi.jackknife(fit)
    assert_allclose(made.table(quantity).iloc[:, :6], table.iloc[:, :6], rtol=1e-9)
    assert made.failed.equals(failed)


def test_bca_of_many_rows_holds_no_moments_of_each(fit):
    rows = np.random.default_rng(0).integers(0, 250, 60_000)
    frame = csi.load_mobi().data[list(fit.model.items)].iloc[rows].reset_index(drop=True)
    large = csi.fit(fit.model, csi.read_survey(frame, scale=(1, 10)))
    moments_of_each = 8 * len(rows) * len(fit.model.items) ** 2
    assert peak(lambda: csi.jackknife(large).table("index")) < moments_of_each / 4


def test_leaving_out_units_block_by_block_goes_through_the_rows_once(monkeypatch):
    survey = csi.read_survey(csi.load_mobi().data, scale=(1, 10))
    products = CrossProducts.of(survey.answers({"": ["CUSA1", "CUSA2", "CUSA3"]}))
    units = SurveyDesign.of(250, np.arange(250) // 2 % 2, np.arange(250) // 2)
    seen = []
    rows_of = CrossProducts._of_rows
    monkeypatch.setattr(
        CrossProducts, "_of_rows", lambda self, rows: seen.append(len(rows)) or rows_of(self, rows)
    )
    without = products.leave_out(units)
    for start in range(0, units.units, 10):
        without(np.arange(start, min(start + 10, units.units)))
    assert sum(seen) == 250  # once for the units; those of the strata are their sums


def test_covariances_of_groups_lie_as_estimators_want_them():
    codes = np.random.default_rng(1).integers(0, 90, 250)
    answers = csi.load_mobi().answers({"": ["CUSA1", "CUSA2", "CUSA3"]})
    batch = group_moments(answers, codes, 90)
    assert np.moveaxis(batch.cov, 0, -1).flags.c_contiguous
    for group in (0, 89):
        own = answers.values[codes == group]
        assert_allclose(batch.cov[group], np.cov(own.T), atol=1e-13)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda fit: csi.bootstrap(fit, 3000, progress=False), "3,000 draws of 24 items .* 0.0 GB"),
        (csi.jackknife, "250 respondents would hold some .* csi.bootstrap"),
        (
            lambda fit: csi.fit_groups(
                fit.model, csi.load_mobi().data.assign(g=np.arange(250) % 2), by="g"
            ),
            "2 groups of 24 items would hold .* fewer columns",
        ),
    ],
)
def test_what_exceeds_free_memory_is_refused_before(fit, monkeypatch, tmp_path, call, words):
    call(fit)
    (tmp_path / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable:       2 kB\n")
    monkeypatch.setattr(limits, "_MEMORY", tmp_path / "meminfo")
    with pytest.raises(OptionError, match=words):
        call(fit)
    monkeypatch.setattr(limits, "_MEMORY", tmp_path / "none")
    call(fit)


GROUPS = {
    "second": (
        "0::/job/task\n",
        {"memory.max": "max\n", "memory.current": "7\n"},
        {"memory.max": "9000\n", "memory.current": "5000\n", "memory.stat": "inactive_file 500\n"},
        "",
    ),
    "first": (
        "3:cpu,cpuacct:/elsewhere\n4:memory:/job/task\n0::/\n",
        {"memory.limit_in_bytes": "9223372036854771712", "memory.usage_in_bytes": "7"},
        {
            "memory.limit_in_bytes": "9000",
            "memory.usage_in_bytes": "5000",
            "memory.stat": "inactive_file 99\ntotal_inactive_file 500\n",
        },
        "memory",
    ),
}


@pytest.mark.parametrize("version", GROUPS)
def test_the_bound_of_a_container_counts(monkeypatch, tmp_path, version):
    """Also that of a group above, and files that were not read lately are free."""
    groups, own, above, folder = GROUPS[version]
    (tmp_path / "meminfo").write_text("MemAvailable:       2000 kB\n")
    (tmp_path / "cgroup").write_text(groups)
    (tmp_path / folder / "job" / "task").mkdir(parents=True)
    for at, texts in (
        (tmp_path / folder / "job" / "task", own),
        (tmp_path / folder / "job", above),
    ):
        for name, text in texts.items():
            (at / name).write_text(text)
    monkeypatch.setattr(limits, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(limits, "_OWN_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(limits, "_GROUPS", tmp_path)
    assert limits.free_bytes() == 4500.0
    monkeypatch.setattr(limits, "_OWN_GROUPS", tmp_path / "none")
    assert limits.free_bytes() == 2000.0 * 1024


def test_draws_of_groups_are_held_once_or_refused(fit, monkeypatch):
    answers = csi.load_mobi().data.assign(g=np.arange(250) % 25)
    survey = csi.read_survey(answers, items=fit.model.items, scale=(1, 10))
    own = csi.fit(fit.model, survey)
    boot = csi.bootstrap(own, 4000, 1, progress=False)
    table = csi.index_scores(own, "g", boot)
    held = 8 * 4000 * 25 * len(fit.model.constructs)
    monkeypatch.setattr(index, "_TOGETHER", 2**15)
    assert peak(lambda: csi.index_scores(own, "g", boot)) < 2.0 * held
    assert_frame_equal(csi.index_scores(own, "g", boot), table)
    monkeypatch.setattr(limits, "free_bytes", lambda: 1e6)
    with pytest.raises(OptionError, match=r"^The index of 25 groups in 4,000 draws would hold"):
        csi.index_scores(own, "g", boot)


def test_draws_hold_what_is_estimated(fit):
    boot = csi.bootstrap(fit, 2000, 1, progress=False)
    held = sum(own.nbytes for own in boot.solution.moments.arrays.values())
    held += sum(own.nbytes for own in boot.solution.estimates.arrays.values())
    assert_allclose(2000 * limits.sample_bytes(24, len(fit.model.constructs)), held, rtol=0.05)
