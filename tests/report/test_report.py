"""The report: what is written, that it can be trusted, and what a reader sees in a browser."""

import json
import math
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.plots import fonts
from csimodel.report import figures, method, provenance, results, sentences, tables

SHOUT = "<img src=x onerror=alert(1)>"
SCRIPT = "<script>alert(1)</script>"
CHINESE = "满意度"
LOYALTY = '=忠诚"--><script>alert(3)</script>'
GROUP = '"><svg onload=alert(4)>'


@pytest.fixture(scope="module")
def analysis():
    return csi.analyze(csi.load_mobi(), draws=300, outcome="CUSL1", progress=False)


@pytest.fixture(scope="module")
def folder(analysis, tmp_path_factory):
    return csi.write_report(analysis, tmp_path_factory.mktemp("mobi"), progress=False).parent


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Everything a user can name carries markup, a formula, or Chinese; some answers are missing."""
    rng = np.random.default_rng(3)
    n = 300
    quality = rng.normal(size=n)
    content = 0.7 * quality + 0.6 * rng.normal(size=n)
    items = {
        SHOUT: (SCRIPT, "质量2", "=cmd|x"),
        CHINESE: ("s1", "s2"),
        LOYALTY: ("l1", "l2"),
    }
    latent = {SHOUT: quality, CHINESE: content, LOYALTY: content}
    frame = pd.DataFrame(
        {
            item: np.clip(np.round(6.5 + 1.8 * (latent[name] + 0.7 * rng.normal(size=n))), 1, 10)
            for name, block in items.items()
            for item in block
        }
    )
    frame.loc[:9, "s1"] = np.nan
    frame["firm"] = rng.choice(["北京", GROUP, "=1+1"], n)
    frame["w"] = rng.uniform(0.5, 3, n).round(2)
    frame["again"] = (rng.random(n) < 1 / (1 + np.exp(-content))).astype(int)
    file = tmp_path_factory.mktemp("data") / "<img src=x onerror=alert(2)>.csv"
    frame.to_csv(file, index=False)
    survey = csi.read_survey(
        file,
        scale={item: (1, 10) for block in items.values() for item in block},
        weights="w",
        missing="listwise",
    )
    model = csi.Model(
        tuple(csi.reflective(name, block) for name, block in items.items()),
        ((SHOUT, CHINESE), (CHINESE, LOYALTY)),
        name="<b>模型</b>",
    )
    terms = csi.money.Economics(
        margin=10, currency="=€<i>", period="<b>年", discount_rate=0.1, customers=500
    )
    return csi.analyze(
        survey, model, draws=200, outcome="again", family="logit", by="firm", target=CHINESE,
        economics=terms, progress=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def hostile_folder(hostile, tmp_path_factory):
    if fonts.cjk_family() is None:
        pytest.skip("no font for Chinese is installed (Debian: apt install fonts-noto-cjk)")
    title = "<script>alert(9)</script> & 报告"
    out = tmp_path_factory.mktemp("hostile")
    return csi.write_report(hostile, out, title=title, date="<2026>", progress=False).parent


# --- the analysis -------------------------------------------------------------------------


def test_analysis_holds_what_the_other_modules_computed(analysis):
    pd.testing.assert_frame_equal(
        analysis.index, csi.index_scores(analysis.fit, bootstrap=analysis.bootstrap)
    )
    pd.testing.assert_frame_equal(
        analysis.importance,
        csi.importance_performance(analysis.fit, "Satisfaction", analysis.bootstrap),
    )
    assert abs(analysis.headline["mean"] - 72.4541) < 1e-3
    assert analysis.repurchase.outcome == "CUSL1"
    assert analysis.group_index is None
    assert analysis.findings == ()
    assert "Satisfaction 72.5 [" in repr(analysis)


def test_repurchase_by_group_and_money_are_those_of_the_other_modules(hostile):
    boot, survey = hostile.bootstrap, hostile.fit.survey
    found = csi.outcomes.repurchase_segments(
        hostile.fit, "again", by="firm", index=CHINESE, family="logit", bootstrap=boot
    )
    pd.testing.assert_frame_equal(hostile.segments.table, found.table)
    assert set(hostile.segments.names) == set(survey.data["firm"])
    assert list(hostile.money) == list(hostile.importance.index)
    money = hostile.money[SHOUT]
    again = csi.money.profit_of_driver(boot, hostile.repurchase, SHOUT, money.economics)
    pd.testing.assert_frame_equal(money.table, again.table)
    row = tables.tables(hostile)["money_by_driver"].iloc[0]
    assert row["driver"] == SHOUT
    assert row["value"] == money.estimate
    repeated = csi.money.break_even_spending(money, paid="every period").estimate
    assert row["spending_every_period"] == repeated
    said = " ".join(sentences.money(hostile))
    assert "Terms given for this report, not estimated: margin 10 =€<i> per customer" in said
    assert "The measurement error of the answers is taken off; left in, the same point" in said
    text = hostile.summary()
    assert "again by firm" in text
    assert "From a point of the index to money" in text


@pytest.mark.parametrize("shift", [-2, 0, 2])
def test_levels_lie_near_the_index_and_the_outcome_has_its_own_name(shift):
    data = csi.load_mobi().data
    items = list(data.columns)
    answers = (data + shift).assign(recommendation=data["CUSL1"])
    survey = csi.read_survey(answers, scale=dict.fromkeys(items, (-1, 12)), items=items)
    found = csi.analyze(
        survey, draws=30, outcome="recommendation", outcome_scale=(1, 10), policies=False,
        progress=False,
    )  # fmt: skip
    low, high = found.contrast
    assert high - low == 3
    assert abs(low - found.headline["mean"]) <= 0.5
    said = " ".join(sentences.repurchase(found))
    assert f"At an index of {low:g} the regression expects the mean answer to recommend" in said
    assert "repurchase" not in found.summary().lower()
    assert "recommendation" in found.repurchase.headline


@pytest.mark.parametrize(
    ("label", "title"),
    [
        ("Buys\n again", "“Buys again”"),
        ("会再次购买吗", "“会再次购买吗”"),
        ("x" * 41, "again"),
        ("满" * 21, "again"),
        ("", "again"),
    ],
)
def test_headings_call_the_outcome_by_its_label_where_that_is_short(hostile, label, title):
    survey = replace(hostile.fit.survey, column_labels={"again": label})
    own = replace(hostile, fit=replace(hostile.fit, survey=survey))
    assert own.outcome_title == title
    headings = [section.title for section in own.page.sections]
    assert f"The index and {title}" in headings
    assert replace(hostile, repurchase=None).outcome_title == ""


def test_a_report_by_group_does_not_say_that_invariance_was_not_tested(hostile, hostile_folder):
    page = (hostile_folder / "report.html").read_text(encoding="utf-8")
    assert "was not tested here" not in page
    codes = {finding.code for finding in hostile.findings}
    told = codes & {"full-invariance", "partial-invariance", "no-invariance", "invariance-untested"}
    assert told
    assert 'is among what was noticed: <a href="#findings">' in page


def test_what_the_worth_falls_short_by_is_its_first_sentence(mobi):
    model = csi.Model.from_syntax(
        "Quality <~ PERQ1 + PERQ2\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\nSatisfaction ~ Quality"
    )
    terms = csi.money.Economics(margin=9, currency="EUR", period="year", discount_rate=0.1)
    analysis = csi.analyze(mobi, model, draws=30, outcome="CUSL1", economics=terms, progress=False)
    first = sentences.money(analysis)[0]
    assert first.startswith("The index of Quality counts as without error, because ")
    assert first in analysis.summary().replace("\n", " ")


def test_the_corrected_slope_is_that_of_the_other_module(analysis, folder):
    found = csi.outcomes.corrected_slopes(
        analysis.fit, "CUSL1", ("regression-calibration",), family="fractional-logit",
        bootstrap=analysis.bootstrap, progress=False,
    )  # fmt: skip
    pd.testing.assert_frame_equal(analysis.slopes.table, found.table)
    naive, corrected = found.effect("naive"), found.effect("regression-calibration")
    assert naive == analysis.repurchase.average_marginal_effect
    assert (
        f"goes with {100 * corrected:.2f} percentage points more (95 % interval "
        f"{100 * corrected.lower:.2f} to {100 * corrected.upper:.2f}), against "
        f"{100 * naive:.2f} as measured."
    ) in " ".join(sentences.slopes(analysis)).replace("\xa0", " ")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Corrected for measurement error" in page
    assert 'id="figure-repurchase_slopes"' in page


def test_an_index_of_one_item_is_not_corrected_and_that_is_said():
    survey = csi.load_mobi()
    found = csi.analyze(survey, target="Complaints", draws=60, outcome="CUSL1", progress=False)
    assert found.slopes is None
    told = next(one for one in found.findings if one.code == "slope-not-corrected")
    assert told.values["error"].startswith("'Complaints' has one item, 'CUSCO'")


def test_groups_without_a_curve_are_said(tmp_path):
    frame = csi.load_mobi().data.assign(firm=["small"] * 20 + ["large"] * 230)
    found = csi.analyze(
        csi.read_survey(frame, scale=(1, 10)), draws=60, outcome="CUSL1", by="firm", progress=False
    )
    assert found.segments is None
    told = next(one for one in found.findings if one.code == "segments-not-compared")
    assert told.values["error"].startswith("Only 1 of 2 segments have at least 30 respondents")


def test_a_curve_by_two_columns_bears_the_labels_of_both():
    survey = csi.load_mobi()
    frame = survey.data.assign(a=[1, 2] * 125, b=["x"] * 125 + ["y"] * 125)
    frame.loc[:4, "b"] = None
    found = csi.analyze(
        csi.read_survey(frame, scale=dict.fromkeys(survey.items, (1, 10))),
        draws=60, outcome="CUSL1", by=[["a", "b"]], progress=False,
    )  # fmt: skip
    assert found.segments.names == ("1 · x", "1 · y", "2 · x", "2 · y")
    assert found.segments.repurchase.n == 245


def test_a_published_model_takes_the_items_of_the_codebook():
    survey = csi.load_mobi()
    names = {"CUSA1": "overall", "CUSA2": "met", "CUSA3": "ideal"}
    items = [
        csi.Item(names.get(name, name), item.construct, minimum=1, maximum=10)
        for name, item in survey.items.items()
    ]
    renamed = csi.read_survey(survey.data.rename(columns=names), items=items)
    found = csi.analyze(renamed, "ecsi", draws=50, progress=False)
    assert found.fit.model.blocks["Satisfaction"] == ("overall", "met", "ideal")
    assert abs(found.headline["mean"] - 72.4541) < 1e-3


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"target": "Satisfactoin"}, csi.errors.ModelError, "did you mean 'Satisfaction'"),
        ({"target": "Image"}, csi.errors.ModelError, "No construct affects 'Image'"),
        ({"level": 95}, csi.errors.OptionError, "level=95 must lie between 0 and 1"),
        ({"contrast": (67, 700)}, csi.errors.OptionError, "two index levels from 0 to 100"),
        ({"model": "esci"}, csi.errors.OptionError, "did you mean 'ecsi'"),
        ({"outcome": "CUSL9"}, csi.errors.SurveyError, "CUSL9"),
        ({"by": "firm"}, csi.errors.SurveyError, "Group column 'firm' is not in the data"),
        (
            {
                "economics": csi.money.Economics(
                    margin=1, currency="EUR", period="year", discount_rate=0.1
                )
            },
            csi.errors.OptionError,
            "economics= needs a regression of repurchase with a solution; name the column",
        ),
        (
            {"estimator": csi.PLS(max_iterations=1)},
            csi.errors.EstimationError,
            "There is no solution",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        csi.analyze(csi.load_mobi(), draws=30, progress=False, **options)


def test_warnings_on_the_way_become_findings():
    frame = csi.load_mobi().data.assign(firm=["small"] * 5 + ["large"] * 245)
    survey = csi.read_survey(frame, scale=(1, 10))
    found = csi.analyze(survey, draws=50, by="firm", progress=False)
    own = [one for one in found.findings if "invariance" not in one.code]
    assert [one.code for one in own] == ["small-groups"]
    assert own[0].values["groups"] == ("small (5)",)


def test_groups_bear_the_labels_of_the_codebook():
    frame = csi.load_mobi().data.assign(firm=[1, 2] * 125)
    book = csi.Codebook(value_labels={"firm": {1.0: "Alpha", 2.0: "Beta"}})
    survey = csi.read_survey(frame, codebook=book, scale=(1, 10))
    found = csi.analyze(survey, draws=50, by="firm", progress=False)
    own = tables.target_by_group(found, found.groupings[0])
    assert [key[0] for key in own.index] == ["Alpha", "Beta"]
    assert list(found.group_index.index.levels[0]) == [1, 2]


def test_text_page_says_the_same(analysis):
    page = analysis.summary()
    assert "72.5" in page
    assert "The largest estimated effect on Satisfaction is that of Quality" in page
    low, high = analysis.contrast
    assert (low, high) == (72, 75)  # near the index
    assert f"At an index of {low:g} the regression expects" in page.replace("\n", " ")
    assert re.search(rf"\d\s%,\sand\s[\d.]+\s%\sat\s{high:g}:\s", page)
    assert max(map(len, page.splitlines())) <= 90


def test_text_page_keeps_control_characters_from_the_terminal():
    model = csi.Model(
        [csi.reflective("Q\x1b[2J", ["PERQ1", "PERQ2"]), csi.reflective("S", ["CUSA1", "CUSA2"])],
        [("Q\x1b[2J", "S")],
    )
    survey = csi.load_mobi().data.assign(firm=["a\x1b[2J", "b"] * 125)
    found = csi.analyze(
        csi.read_survey(survey, scale=dict.fromkeys(model.items, (1, 10))), model, target="S",
        draws=50, by="firm", progress=False,
    )  # fmt: skip
    assert "Q?[2J" in found.summary()
    assert "\x1b" not in found.summary()


# --- the files ----------------------------------------------------------------------------


def strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_results_are_strict_json_with_everything_to_repeat_them(analysis, folder):
    facts = strict((folder / "results.json").read_text(encoding="utf-8"))
    row = next(r for r in facts["tables"]["index"] if r["construct"] == "Satisfaction")
    assert math.isclose(row["mean"], analysis.headline["mean"])
    assert row["lower"] < row["mean"] < row["upper"]
    assert facts["data"] == {
        "source": "mobi.csv", "rows": 250, "rows_used": 250, "effective_rows": 250.0,
        "design_effect": pytest.approx(1.0), "effective_rows_by_design": pytest.approx(250.0),
        "missing": "error", "weights": None, "strata": None, "cluster": None, "population": None,
        "replicate_weights": [], "response_rates": None,
        "sha256_of_answers": "f564ea926a1e1ce295f5d3b5024640c1e3d869a41920f2fa530e9df6c4da8680",
    }  # fmt: skip
    assert facts["bootstrap"]["draws"] == facts["bootstrap"]["usable"] == 300
    assert facts["bootstrap"]["seed"] == 7
    assert facts["versions"]["csimodel"] == csi.__version__
    effect = facts["repurchase"]["average_marginal_effect"]
    assert math.isclose(effect["estimate"], analysis.repurchase.average_marginal_effect)
    assert facts["model"]["name"] == "ECSI"
    single = next(r for r in facts["tables"]["verdicts"] if r["verdict"] == "not judged")
    assert single["subject"] == "Complaints"
    assert single["value"] is None


def test_the_code_in_the_results_repeats_them(analysis, folder, tmp_path, monkeypatch):
    data = csi.load_mobi().data
    data.to_csv(tmp_path / "mobi.csv", index=False)
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(strict((folder / "results.json").read_text(encoding="utf-8"))["code"], space)
    pd.testing.assert_frame_equal(space["analysis"].index, analysis.index)
    first, again = (
        strict((place / "results.json").read_text(encoding="utf-8"))
        for place in (folder, tmp_path / "report")
    )
    for facts in (first, again):  # wordings come from the codebook, not from the code
        for row in facts["tables"]["items"]:
            del row["wording"]
    assert first == again


def test_code_for_a_survey_with_every_option(hostile, tmp_path, monkeypatch):
    survey = hostile.fit.survey
    survey.data.to_csv(tmp_path / survey.source, index=False)
    monkeypatch.chdir(tmp_path)
    space = {}
    lines = provenance.code(hostile).splitlines()
    exec("\n".join(lines[:-1]), space)
    again = space["analysis"]
    pd.testing.assert_frame_equal(again.index, hostile.index)
    pd.testing.assert_frame_equal(again.group_index, hostile.group_index)
    for driver, money in hostile.money.items():
        pd.testing.assert_frame_equal(again.money[driver].table, money.table)
    assert provenance.fingerprint(again) == provenance.fingerprint(hostile)


def test_code_for_replicate_weights_repeats_their_errors(tmp_path, monkeypatch):
    frame = csi.load_mobi().data.assign(firm=np.arange(250) // 10)
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2\nSatisfaction =~ CUSA1\nSatisfaction ~ Q")
    survey = csi.read_survey(frame, scale=(1, 10), items=list(model.items), cluster="firm")
    survey = csi.replicate_weights(survey, "jk1")
    analysis = csi.analyze(survey, model, progress=False)
    assert analysis.bootstrap.survey_design.replication is not None
    space = {"frame": survey.data}
    lines = provenance.code(analysis).splitlines()
    exec("\n".join(lines[:-1]), space)
    pd.testing.assert_frame_equal(space["analysis"].index, analysis.index)
    assert "draws=" not in "\n".join(lines)


def test_same_analysis_same_bytes(analysis, folder, tmp_path):
    fresh = csi.analyze(csi.load_mobi(), draws=300, outcome="CUSL1", progress=False)
    csi.write_report(fresh, tmp_path, progress=False)
    files = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    for name in files:
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_tables_open_in_a_spreadsheet_and_in_pandas(analysis, hostile, hostile_folder, folder):
    for file in [*folder.glob("tables/*.csv"), *hostile_folder.glob("tables/*.csv")]:
        raw = file.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in raw
        cells = pd.read_csv(file, encoding="utf-8-sig", dtype=str, header=None)
        text = cells.astype(object).to_numpy().ravel()
        numbers = re.compile(r"-?(\d|inf)")
        assert not [
            x for x in text
            if isinstance(x, str) and x.startswith(("=", "+", "-", "@")) and not numbers.match(x)
        ]  # fmt: skip
    read = pd.read_csv(folder / "tables/index.csv", encoding="utf-8-sig", index_col="construct")
    assert np.allclose(read["mean"], analysis.index["mean"], atol=1e-7)
    groups = pd.read_csv(hostile_folder / "tables/index_by_group.csv", encoding="utf-8-sig")
    assert set(groups["firm"]) == {"北京", GROUP, "'=1+1"}
    assert (groups.groupby("construct")["n"].sum() == hostile.fit.n).all()


def test_a_group_column_may_bear_the_name_of_a_column_of_the_table():
    frame = csi.load_mobi().data.assign(mean=["a", "b"] * 125)
    found = csi.analyze(csi.read_survey(frame, scale=(1, 10)), draws=50, by="mean", progress=False)
    table = tables.tables(found)["index_by_group"]
    assert list(table)[:3] == ["mean (label)", "construct", "mean"]


def test_every_table_and_figure_is_known_so_that_old_ones_are_removed(
    hostile, hostile_folder, tmp_path
):
    own, drawn = (
        {name for name in names if not name.startswith("programme_")}
        for names in (tables.NAMES, figures.NAMES)
    )
    own, drawn = ({re.sub(r"_\d+$", "", name) for name in names} for names in (own, drawn))
    assert {*tables.tables(hostile), "margins"} == own
    assert {file.stem for file in hostile_folder.glob("figures/*.svg")} == drawn
    shutil.copytree(hostile_folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "tables" / "mine.csv").write_text("x")
    plain = csi.analyze(csi.load_mobi(), draws=50, progress=False)
    csi.write_report(plain, tmp_path, progress=False)
    assert not (tmp_path / "tables" / "index_by_group.csv").exists()
    assert (tmp_path / "tables" / "mine.csv").exists()
    assert {file.stem for file in tmp_path.glob("figures/*.svg")} < set(figures.NAMES)
    assert "repurchase" not in (tmp_path / "report.html").read_text(encoding="utf-8").split(
        "How far to trust it"
    )[0].replace("csimodel", "")


def test_a_folder_that_cannot_be_written_is_said(analysis, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(
        csi.errors.OptionError, match=r"cannot be written to .*choose another folder"
    ):
        csi.write_report(analysis, tmp_path / "file", progress=False)


def test_the_page_loads_nothing_and_runs_nothing(folder, hostile_folder):
    for page in (folder, hostile_folder):
        text = (page / "report.html").read_text(encoding="utf-8")
        assert "<script" not in text
        assert not re.search(r"<(img|iframe|object|embed|base|form)\b", text)
        assert not re.search(r"\son\w+\s*=\s*[\"']", text)
        loaded = re.findall(r'(?:src|href)="([^"#][^"]*)"', re.sub(r"<a [^>]*>", "", text))
        assert set(loaded) <= {"data:,"}
        assert not re.search(r"url\((?!#)", text)
        assert "@import" not in text
        assert text.count("<svg") == text.count("</svg>") == len(list(page.glob("figures/*")))


def test_every_finding_is_on_the_page(hostile, hostile_folder):
    codes = [one.code for one in hostile.findings]
    assert codes == ["rows-dropped", "measurement-error-matters", "full-invariance"]
    table = pd.read_csv(hostile_folder / "tables/findings.csv", encoding="utf-8-sig")
    assert table["count"].tolist()[:1] == [10]
    assert "10 of 300 rows were dropped" in (hostile_folder / "report.html").read_text("utf-8")
    assert sentences.data_used(hostile)[0].startswith("290 of 300 rows")


# --- what sentences claim ---------------------------------------------------------------------

SMALL = csi.Model.from_syntax(
    "Q =~ PERQ1 + PERQ2\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2\nS ~ Q + V"
)


def by_firm(firm, **options):
    data = csi.load_mobi().data.assign(firm=firm, psu=np.arange(250) // 10)
    rng = np.random.default_rng(2)
    data["w"] = rng.uniform(0.5, 2.0, 250)
    survey = csi.read_survey(data, scale=dict.fromkeys(SMALL.items, (1, 10)), **options)
    return csi.analyze(survey, SMALL, target="S", draws=200, by="firm", progress=False)


def test_highest_is_said_only_of_a_group_that_differs_from_every_other():
    chance = np.random.default_rng(1).choice(list("abcdef"), 250)
    found = by_firm(chance)
    (said,) = sentences.by_group(found, found.groupings[0])
    assert "is highest in" not in said
    assert "The highest estimate of S is that of" in said
    assert "is not shown" in said
    data = csi.load_mobi().data
    found = by_firm(
        np.where(data["CUSA1"] > 8, "content", np.where(data["CUSA1"] > 6, "so", "less"))
    )
    (said,) = sentences.by_group(found, found.groupings[0])
    assert said.startswith("S is highest in content (")
    assert "differs from every other group in a test of all differences at once" in said
    facts = results.results(found)["highest"]["group"]
    assert facts["name"] == "content"
    assert facts["distinct"] is True
    assert len(facts["differences"]) == 2


def test_a_group_of_one_is_no_headline():
    found = by_firm(["France"] + ["Spain"] * 249)
    said = sentences.by_group(found, found.groupings[0])
    assert said == [
        "Fewer than two groups have an index of S with an error, so none is named as the highest.",
        "1 group without an error (a single respondent or cluster, or answers that are all alike) "
        "is not compared.",
    ]
    assert "– to –" not in found.summary()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_highest_group_without_an_error_leads_no_sentence(language):
    best = int(csi.load_mobi().data[["CUSA1", "CUSA2", "CUSA3"]].sum(axis=1).argmax())
    firm = np.array(["a", "b"] * 125, dtype=object)
    firm[best] = "Alone"
    found = by_firm(firm)
    table = tables.target_by_group(found, found.groupings[0])
    assert table["mean"].idxmax()[0] == "Alone"
    with csi.language(language):
        said = sentences.by_group(found, found.groupings[0])
        assert not any("Alone" in sentence for sentence in said)
        assert "Alone" not in found.leading.headline
        assert len(said) == 2
    assert found.leading.group in ("a", "b")
    assert found.leading.table.loc["Alone", "reason"]
    assert len(found.leading.compared) == 1


def test_the_first_driver_leads_only_where_a_test_of_all_differences_says_so():
    data = csi.load_mobi().data
    model = csi.Model.from_syntax(
        "A =~ PERQ1 + PERQ2\nB =~ PERQ3 + PERQ4\nS =~ CUSA1 + CUSA2\nS ~ A + B"
    )
    survey = csi.read_survey(data, scale=dict.fromkeys(model.items, (1, 10)))
    close = csi.analyze(survey, model, target="S", draws=200, progress=False)
    assert not close.leading_driver.distinct
    assert "The difference is not shown to be more than chance" in sentences.drivers(close)[1]
    clear = by_firm(["a", "b"] * 125)
    assert clear.leading_driver.distinct
    assert "Q differs from every other driver" in sentences.drivers(clear)[1]
    draws = clear.bootstrap.draws("impacts")["S"]
    (row,) = clear.leading_driver.table.to_dict("records")
    assert row["se"] == pytest.approx((draws["Q"] - draws["V"]).std(), rel=0.02)
    assert row["difference"] == pytest.approx(
        clear.importance["importance"]["Q"] - clear.importance["importance"]["V"]
    )


def test_what_a_sample_says_counts_its_clusters():
    found = by_firm(["a", "b"] * 125, weights="w", cluster="psu")
    effect, equal = found.design_effect
    said = " ".join(sentences.data_used(found))
    assert f"says as much about the index of S as {equal:.0f} respondents" in said
    assert f"(design effect {effect:.2f})" in said
    assert "resamples of the clusters" in said
    few = by_firm(["a", "b"] * 125, weights="w", cluster="firm")
    said = " ".join(sentences.data_used(few))
    assert "cannot be told from so few units" in said
    assert "By their unequal weights alone they count as" in said
    assert "design effect" not in said
    assert "weights" not in " ".join(sentences.data_used(by_firm(["a", "b"] * 125)))


def test_no_sentence_claims_a_cause():
    found = csi.analyze(csi.load_mobi(), draws=60, outcome="CUSL1", progress=False)
    page = " ".join([found.summary(), *(step.words for step in method.steps(found))])
    for claim in (" moves Satisfaction", "drives", "is worth", "can be compared", "may be chance",
                  "informative"):  # fmt: skip
        assert claim not in page, claim


# --- what a reader sees -------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium is not installed (Debian: apt install chromium chromium-driver)")
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(driver))
    yield opened
    opened.quit()


def look(browser, page, width=1200):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get_log("performance")
    browser.get(page.as_uri())
    return browser.find_element("tag name", "body").text.replace("\xa0", " ")


def seen(browser, css):
    return browser.find_elements("css selector", css)


def test_a_reader_sees_the_result_first(browser, analysis, folder):
    text = look(browser, folder / "report.html")
    headings = [h.text for h in seen(browser, "h1, h2")]
    assert headings == [
        "Satisfaction: where it stands and what goes with it",
        "Satisfaction index",
        "Drivers of Satisfaction",
        "The index and “would choose the provider again”",
        "The model behind the numbers",
        "The sample",
        "How far to trust it",
        "Method",
        "Tables",
    ]
    number = browser.find_element("id", "headline-index")
    assert number.text == "72.5"
    assert number.size["height"] > 80
    assert number.location["y"] < 700
    row = analysis.headline
    told = f"95 % interval: {row['lower']:.1f} to {row['upper']:.1f}"
    assert browser.find_element("id", "headline-interval").text.replace("\xa0", " ") == told
    for sentence in [
        *sentences.headline(analysis), *sentences.drivers(analysis),
        *sentences.repurchase(analysis), *sentences.data_used(analysis),
        sentences.trust(analysis), sentences.checks(analysis),
    ]:  # fmt: skip
        assert sentence.replace("\xa0", " ") in text
    assert "Expectation' hardly agree" in text
    assert "seed 7" in text
    assert browser.find_element("tag name", "html").get_attribute("lang") == "en"


@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("which", ["folder", "hostile_folder"])
def test_it_fits_the_screen_and_shows_its_figures(browser, request, which, width):
    page = request.getfixturevalue(which) / "report.html"
    look(browser, page, width)
    across = "return [document.documentElement.scrollWidth, window.innerWidth]"
    wide, window = browser.execute_script(across)
    assert wide <= window == width
    drawn = seen(browser, "figure svg")
    assert len(drawn) == len(list((page.parent / "figures").glob("*.svg")))
    for svg in drawn:
        assert svg.is_displayed()
        assert svg.size["width"] > 0.5 * min(width, 700)
        assert svg.size["height"] > 50
        assert len(svg.find_elements("css selector", "path")) > 10
        assert svg.get_attribute("role") == "img"
        assert len(svg.get_attribute("aria-label")) > 30
    # Whatever is wider than the screen sits in a region that scrolls and can be reached by key.
    outside = """
      return [...document.querySelectorAll('main *')].filter(e =>
        e.getBoundingClientRect().right > window.innerWidth + 1 &&
        !e.closest('[role=region][tabindex="0"]')).map(e => e.outerHTML.slice(0, 80))"""
    assert browser.execute_script(outside) == []


def test_nothing_is_requested_and_nothing_complains(browser, folder):
    look(browser, folder / "report.html")
    sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {
        one["params"]["request"]["url"]
        for one in sent
        if one["method"] == "Network.requestWillBeSent"
    }
    assert urls <= {(folder / "report.html").as_uri(), "data:,"}
    assert [one for one in browser.get_log("browser") if one["level"] == "SEVERE"] == []


def test_what_users_named_is_text(browser, hostile_folder):
    from selenium.common.exceptions import NoAlertPresentException

    text = look(browser, hostile_folder / "report.html")
    with pytest.raises(NoAlertPresentException):
        browser.switch_to.alert  # noqa: B018
    assert seen(browser, "script, img, svg[onload], b") == []
    assert browser.title == "<script>alert(9)</script> & 报告"
    assert seen(browser, "h1")[0].text == browser.title
    for name in (SHOUT, SCRIPT, CHINESE, LOYALTY, GROUP, "质量2", "北京", "<b>模型</b>", "<2026>"):
        assert name in text, name
    assert "<img src=x onerror=alert(2)>.csv" in text
    labels = " ".join(svg.get_attribute("aria-label") for svg in seen(browser, "figure svg"))
    assert all(name in labels for name in (SHOUT, CHINESE, LOYALTY, GROUP))
    for svg in sorted((hostile_folder / "figures").glob("*.svg")):
        browser.get(svg.as_uri())
        with pytest.raises(NoAlertPresentException):
            browser.switch_to.alert  # noqa: B018
        assert browser.execute_script("return document.documentElement.nodeName") == "svg"


def test_failures_stand_on_top_in_red_and_warnings_in_amber(browser, tmp_path):
    bad = csi.analyze(
        csi.load_mobi(), estimator=csi.PLS(consistent=True), draws=100, progress=False
    )
    severities = [one.severity for one in bad.findings]
    assert severities[0] == "failure"
    assert "warning" in severities
    page = csi.write_report(bad, tmp_path, progress=False)
    text = look(browser, page)
    box, number = seen(browser, ".failure")[0], browser.find_element("id", "headline-index")
    assert box.location["y"] < number.location["y"]
    assert "179, 38, 30" in box.value_of_css_property("border-top-color")
    assert "Do not use these numbers" in box.text
    assert bad.findings[0].message in box.text
    assert all(one.message in text for one in bad.findings)
    assert seen(browser, ".warning")[0].is_displayed()


def test_an_index_that_cannot_be_is_told_beside_the_number(browser, tmp_path):
    data = csi.load_mobi().data
    data = data.assign(CUSA2=11 - data["CUSA2"])  # one of two questions asked the other way round
    survey = csi.read_survey(data, scale=dict.fromkeys(SMALL.items, (1, 10)))
    bad = csi.analyze(survey, SMALL, target="S", draws=200, progress=False)
    page = csi.write_report(bad, tmp_path, progress=False)
    look(browser, page)
    box, number = (browser.find_element("id", f"headline-{own}") for own in ("caveat", "index"))
    assert box.is_displayed()
    assert "failure" in box.get_attribute("class")
    assert abs(box.location["y"] - number.location["y"]) < 300
    assert bad.caveat.code == "index-outside-scale"
    assert bad.caveat.message in box.text.replace("\xa0", " ")


def test_it_prints(browser, folder):
    look(browser, folder / "report.html")
    pdf = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"]
    assert len(pdf) > 50_000
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = seen(browser, "nav")[0].is_displayed()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert not hidden


def test_tables_and_versions_are_looked_up_once(analysis, tmp_path, monkeypatch):
    from csimodel.report import provenance, write

    calls, tables = [], write.tables

    def counted(analysis):
        calls.append("tables")
        return tables(analysis)

    def looked_up(name):
        calls.append(name)
        return "1.0"

    monkeypatch.setattr(write, "tables", counted)
    monkeypatch.setattr(results, "tables", counted)
    monkeypatch.setattr(provenance, "version", looked_up)
    provenance._version.cache_clear()
    csi.write_report(analysis, tmp_path, progress=False)
    provenance._version.cache_clear()
    assert sorted(calls) == ["matplotlib", "numpy", "pandas", "scipy", "tables"]


def test_a_link_to_a_source_ends_with_its_address(tmp_path):
    analysis = csi.analyze(csi.load_mobi(), csi.models.ecsi(), draws=100, progress=False)
    html = csi.write_report(analysis, tmp_path, progress=False).read_text(encoding="utf-8")
    addresses = re.findall(r'href="(https?://[^"]+)"', html)
    assert "https://doi.org/10.1080/10705519909540118" in addresses
    assert not [address for address in addresses if address.endswith((";", ",", "."))]
