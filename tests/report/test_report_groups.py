"""Groups of a report, each by itself or crossed, and the caveat beside its index."""

import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest

import csimodel as csi


@pytest.fixture(scope="module")
def by_two():
    survey = csi.load_mobi(design=True)
    frame = survey.data.assign(code=np.arange(250) % 2)
    labels = {**survey.value_labels, "code": {0: "north", 1: "south"}}
    known = {**survey.column_labels, "sex": "Gender <i>"}
    own = replace(survey, data=frame, value_labels=labels, column_labels=known)
    by = ["sex", "code", ["sex", "code"]]
    return csi.analyze(own, draws=60, outcome="CUSL1", by=by, progress=False)


def test_groups_by_several_columns_stand_each_by_itself_and_crossed_where_asked(by_two, tmp_path):
    assert [own.columns for own in by_two.groupings] == [("sex",), ("code",), ("sex", "code")]
    for own in by_two.groupings:
        alone = csi.index_scores(by_two.fit, by=list(own.columns), bootstrap=by_two.bootstrap)
        pd.testing.assert_frame_equal(own.index, alone)
        assert len(own.segments.names) == len(alone) / 7
    text = by_two.summary()
    for title in (
        "Satisfaction by “Gender <i>”",
        "Satisfaction by code",
        f"{by_two.outcome_title} by code",
    ):
        assert f"\n{title}\n" in text
    assert "Satisfaction by “Gender <i>” × code" in text
    folder = csi.write_report(
        by_two, tmp_path, formats=["html", "docx", "xlsx"], progress=False
    ).parent
    page = (folder / "report.html").read_text(encoding="utf-8")
    for place, name in enumerate(("“Gender &lt;i&gt;”", "code", "“Gender &lt;i&gt;” × code"), 1):
        assert page.count(f"<h3>By {name}</h3>") == 2
        ending = "" if place == 1 else f"_{place}"
        assert f'id="figure-index_by_group{ending}"' in page
        assert f'id="figure-repurchase_by_group{ending}"' in page
        assert (folder / "tables" / f"repurchase_segment_curves{ending}.csv").exists()
    assert "<i>" not in page.split("<svg")[0]
    facts = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert [own["by"] for own in facts["groupings"]] == [["sex"], ["code"], ["sex", "code"]]
    assert "by=['sex', 'code', ['sex', 'code']]," in facts["code"]
    told = [own for own in by_two.findings if own.parts]
    assert {own.scope for own in told} >= {"By “Gender <i>”", "By code"}


def test_groups_below_the_minimum_have_no_number_anywhere(tmp_path):
    """Not in the table, as the leader or as a curve, though theirs is the highest index."""
    survey = csi.load_mobi()
    happy = np.argsort(-survey.data[["CUSA1", "CUSA2", "CUSA3"]].sum(axis=1).to_numpy())[:35]
    brand = np.where(np.arange(250) % 2, "A", "B").astype(object)
    brand[happy] = "few"
    own = replace(survey, data=survey.data.assign(brand=brand, wave=1))
    options = {"draws": 60, "outcome": "CUSL1", "by": "brand", "progress": False}
    free, held = (
        csi.analyze(own, levels="brand", period="wave", minimum_n=least, **options)
        for least in (None, 40)
    )
    assert free.groupings[0].leading.group == "few"
    assert "few" in free.groupings[0].segments.names
    (grouping,) = held.groupings
    assert grouping.leading.group != "few"
    assert "few" not in [*grouping.leading.table.index, *grouping.segments.names]
    assert grouping.index.loc["few", "mean"].isna().all()
    assert grouping.index.loc["few", "reason"].str.startswith("suppressed").all()
    assert grouping.index.loc["few", "n"].eq(35).all()
    kept = grouping.index.drop("few")
    pd.testing.assert_frame_equal(kept, free.groupings[0].index.drop("few"))
    told = [own for own in held.findings if own.code == "groups-suppressed"]
    assert {own.subjects for own in told} == {("few (35)",), ("(few, 1) (35)",)}
    folder = csi.write_report(held, tmp_path, progress=False).parent
    facts = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert "minimum_n=40," in facts["code"]


@pytest.mark.parametrize("least", [0, 2.5, "many"])
def test_a_minimum_that_is_no_number_is_refused(least):
    with pytest.raises(
        csi.errors.OptionError, match=f"^minimum_n={least!r} must be a whole number"
    ):
        csi.analyze(csi.load_mobi(design=True), by="sex", minimum_n=least, draws=20, progress=False)


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ([], "by=[] must be a column, or several in a list, each of which makes groups"),
        (3, "by=3 must be a column, or several in a list"),
        ({"sex"}, "by={'sex'} must be a column"),
        ([None], "by=None must be a name, or several in a list"),
        ([["sex", "sex"]], "names the column 'sex' twice"),
        (["sex", "sex"], "by=['sex', 'sex'] names the groups by sex twice"),
        ([f"c{k}" for k in range(13)], "and a report shows at most 12"),
    ],
)
def test_groups_that_cannot_be_are_refused(by, message):
    with pytest.raises(csi.errors.OptionError, match=re.escape(message)):
        csi.analyze(csi.load_mobi(), draws=30, by=by, progress=False)


def overlapping(rows, seed=1, answer=1.0):
    """Answers whose Value goes with Satisfaction, with an effect below 0 beside Quality."""
    rng = np.random.default_rng(seed)
    quality = rng.standard_normal(rows)
    value = 0.9 * quality + 0.44 * rng.standard_normal(rows)
    target = 1.6 * quality - 0.9 * value + 0.5 * rng.standard_normal(rows)
    columns = {
        f"{name}{k}": construct + answer * 0.3 * rng.standard_normal(rows)
        for name, construct in (("q", quality), ("v", value), ("s", target))
        for k in (1, 2, 3)
    }
    return (5.5 + pd.DataFrame(columns)).clip(1, 10)


THREE = csi.Model.from_syntax(
    "Quality =~ q1 + q2 + q3\nValue =~ v1 + v2 + v3\nSatisfaction =~ s1 + s2 + s3\n"
    "Satisfaction ~ Quality + Value"
)


def caveat_of(frame, **reading):
    survey = csi.read_survey(frame, scale=(1, 10), items=THREE.items, **reading)
    found = csi.analyze(survey, THREE, draws=60, progress=False)
    return found, found.caveat


def test_the_gravest_caveat_stands_beside_the_index(tmp_path):
    found, told = caveat_of(overlapping(300))
    assert (told.code, told.severity) == ("effect-against-correlation", "warning")
    assert told.subjects == ("Value", "Satisfaction")
    assert told.values["effect"] == found.importance.loc["Value", "importance"] < 0
    assert told.values["correlation"] == found.fit.construct_cor.loc["Satisfaction", "Value"] > 0
    page = csi.write_report(found, tmp_path, progress=False).read_text(encoding="utf-8")
    assert page.count('id="headline-caveat"') == 1
    assert f"<strong>WARNING</strong>: {told}</p>" in unescape(page)
    assert page.index('id="headline-caveat"') < page.index('class="tiles"')
    with csi.language("zh"):
        page = csi.write_report(found, tmp_path, progress=False).read_text(encoding="utf-8")
        assert f"</strong>：{told}</p>" in unescape(page)
        assert f"：{told}" in "".join(found.summary().split("\n"))


def alike(rows, seed=3):
    """Answers to Quality and Satisfaction that share the errors of single questions, too."""
    rng = np.random.default_rng(seed)
    one, value = rng.standard_normal((2, rows))
    columns = {}
    for k in (1, 2, 3):
        error = rng.standard_normal(rows)
        columns[f"q{k}"] = one + error
        columns[f"v{k}"] = 0.5 * one + value + rng.standard_normal(rows)
        columns[f"s{k}"] = one + 0.9 * error + 0.4 * rng.standard_normal(rows)
    return (5.5 + pd.DataFrame(columns)).clip(1, 10)


def test_a_driver_that_is_one_thing_with_the_target_is_the_caveat():
    found, told = caveat_of(alike(300))
    assert (told.code, told.subjects) == ("driver-not-told-apart", ("Quality", "Satisfaction"))
    htmt = found.assessment.htmt["estimate"]
    pair = next(key for key in htmt.index if set(key) == {"Quality", "Satisfaction"})
    assert told.values["value"] == htmt[pair] >= 1


def test_few_rows_and_few_clusters_are_the_caveat_where_nothing_graver_is():
    rng = np.random.default_rng(5)
    q, v, e = rng.standard_normal((3, 240))
    s = 0.6 * q + 0.6 * v + 0.4 * e
    columns = {
        f"{name}{k}": own + 0.5 * rng.standard_normal(240)
        for name, own in (("q", q), ("v", v), ("s", s))
        for k in (1, 2, 3)
    }
    frame = (5.5 + pd.DataFrame(columns)).clip(1, 10).assign(c=np.arange(240) % 8)
    for rows, reading, code, severity in (
        (240, {}, None, None), (26, {}, "few-rows", "warning"),
        (240, {"cluster": "c"}, "few-units", "warning"),
    ):  # fmt: skip
        found, told = caveat_of(frame.tail(rows), **reading)
        assert told is None if code is None else (told.code, told.severity) == (code, severity)
        assert code is None or str(told) in " ".join(found.summary().split())
