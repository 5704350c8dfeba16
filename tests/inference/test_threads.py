"""Several threads at once: each call's findings are its own, and the process stays as it was."""

import io
import logging
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from functools import partial
from threading import Barrier, Event

import numpy as np
import pytest

import csimodel as csi
from csimodel.findings import collected
from csimodel.quiet import quiet

# NumPy 1 counts over all threads who has a state of errors of its own, and counts wrong: a warning
# that its thread had silenced is then heard. The numbers are compared all the same.
if np.lib.NumpyVersion(np.__version__) < "2.0.0":
    pytestmark = pytest.mark.filterwarnings(
        "ignore:(divide by zero|invalid value|overflow) encountered:RuntimeWarning"
    )

MODEL = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2\nS =~ CUSA1 + CUSA2\nS ~ Q")


def together(*calls):
    """Run calls in threads that start at the same moment; return what they return."""
    barrier = Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def surveys():
    data = csi.load_mobi().data
    named = data.assign(firm=["large"] * 245 + ["client A"] * 5)
    some = data.assign(firm=[None] * 7 + ["x"] * 100 + ["y"] * 143)
    return [csi.read_survey(one, scale=(1, 10), items=MODEL.items) for one in (named, some)]


def test_each_analysis_keeps_its_own_findings():
    first, second = surveys()

    def findings(survey):
        found = csi.analyze(survey, MODEL, target="S", draws=25, by="firm", progress=False)
        return [(one.code, one.message) for one in found.findings]

    alone = [findings(first), findings(second)]
    assert [code for code, _ in alone[0]] == ["small-groups", "full-invariance"]
    assert {code for code, _ in alone[1]} == {
        "rows-without-group", "full-invariance", "partial-invariance"
    }  # fmt: skip
    for _ in range(40):
        assert together(lambda: findings(first), lambda: findings(second)) == alone


def test_what_is_told_outside_an_analysis_still_warns_while_another_runs():
    first, second = surveys()
    fit = csi.fit(MODEL, second)
    for _ in range(10):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            together(
                lambda: csi.analyze(first, MODEL, target="S", draws=25, by="firm", progress=False),
                lambda: csi.index_scores(fit, by="firm"),
            )
        assert [str(one.message)[:13] for one in caught] == ["7 of 250 rows"]


def test_quiet_is_for_its_own_context_only():
    def noisy():
        warnings.warn("from a package", stacklevel=2)
        logging.warning("from a package")

    def kept():
        for _ in range(300):
            with quiet():
                noisy()

    def heard():
        for _ in range(300):
            noisy()

    before, records = list(warnings.filters), []
    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger().addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            together(kept, heard, kept)
    finally:
        logging.getLogger().removeHandler(handler)
    assert len(caught) == len(records) == 300
    assert list(warnings.filters) == before


def test_quiet_leaves_nothing_behind_after_an_error():
    before = list(warnings.filters)
    with pytest.raises(ValueError, match="x"), quiet():
        raise ValueError("x")
    assert list(warnings.filters) == before
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=2)


def test_semopy_takes_no_output_of_other_threads():
    mobi, stream, ended = csi.load_mobi(), io.StringIO(), Event()
    csi.fit(MODEL, mobi, csi.Semopy())  # semopy is loaded

    def fits():
        for _ in range(3):
            csi.fit(MODEL, mobi, csi.Semopy())
        ended.set()

    def lines():
        count = 0
        while not ended.is_set():
            sys.stdout.write("x")
            logging.error("heard")
            count += 1
        return count

    records, handler = [], logging.Handler()
    handler.emit = records.append
    logging.getLogger().addHandler(handler)
    try:
        with redirect_stdout(stream):
            count = together(fits, lines)[1]
    finally:
        logging.getLogger().removeHandler(handler)
    assert len(stream.getvalue()) == len(records) == count


def test_mixed_models_in_threads_are_quiet_and_agree():
    data = csi.load_mobi().data
    rng = np.random.default_rng(2)
    data = data.assign(firm=np.arange(250) % 6, again=(rng.random(250) < 0.5).astype(float))
    fit = csi.fit(MODEL, csi.read_survey(data, scale=(1, 10), items=MODEL.items))

    def slopes():
        found = csi.outcomes.repurchase_mixed(fit, "again", by="firm", index="S", scale=(0, 1))
        return found.coefficients["estimate"].tolist()

    alone = slopes()
    for _ in range(5):
        assert together(slopes, slopes) == [alone, alone]


def whole_analysis(survey, folder):
    """Fit, draws, index by group, repurchase and report; all numbers, findings and files."""
    with collected() as told:
        fit = csi.fit(MODEL, survey)
        boot = csi.bootstrap(fit, 40, rng=1, workers=2, progress=False)
        index = csi.index_scores(fit, by="firm", bootstrap=boot)
        again = csi.repurchase(
            fit, "CUSL1", index="S", scale=(1, 10), bootstrap=boot, progress=False
        )
    analysis = csi.analyze(
        survey, MODEL, target="S", outcome="CUSL1", by="firm", draws=40, rng=1, progress=False
    )
    csi.write_report(analysis, folder, progress=False)
    found = [*told, *fit.diagnostics, *boot.findings, *again.findings, *analysis.findings]
    numbers = [boot.values("paths"), index.to_numpy(str), again.coefficients.to_numpy(str)]
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return [str(one) for one in found], [part.tolist() for part in numbers], files


def test_whole_analyses_in_four_threads_are_as_alone(tmp_path):
    """Four surveys, each with a finding of its own, and then one survey four times."""
    data = csi.load_mobi().data
    gaps = data.astype({"PERQ1": float}).assign(firm="x")
    gaps.loc[:10, "PERQ1"] = np.nan
    few = data.assign(firm=np.arange(250) % 8)
    one = {"scale": (1, 10), "items": [*MODEL.items, "CUSL1"]}
    four = [
        *(csi.read_survey(survey, scale={"CUSL1": (1, 10)}) for survey in surveys()),
        csi.read_survey(few, cluster="firm", **one),
        csi.read_survey(gaps, missing="listwise", **one),
    ]
    alone = [whole_analysis(survey, tmp_path / f"alone{k}") for k, survey in enumerate(four)]
    own = ["client A", "7 of 250 rows", "7 degrees of freedom", "11 of 250 rows"]
    for k, (findings, _, files) in enumerate(alone):
        told = [any(words in finding for finding in findings) for words in own]
        assert told == [words == own[k] for words in own]
        assert "report.html" in files
    calls = [
        partial(whole_analysis, survey, tmp_path / f"together{k}") for k, survey in enumerate(four)
    ]
    for ours, theirs in zip(together(*calls), alone, strict=True):
        assert ours == theirs
    same = [partial(whole_analysis, four[2], tmp_path / f"same{k}") for k in range(4)]
    assert together(*same) == [alone[2]] * 4
