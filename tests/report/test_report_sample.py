"""What a report says of its sample: drawn, weighted, asked, missing."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from typer.testing import CliRunner

import csimodel as csi
from csimodel.cli import app
from csimodel.report.sample_sections import sample_sections
from csimodel.report.tables import tables
from csimodel.survey.missing_answers import missing_answers

MODEL = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2\nS =~ CUSA1 + CUSA2\nS ~ Q")


@pytest.fixture(scope="module")
def frame():
    data = csi.load_mobi().data[list(MODEL.items)].astype(float)
    rows = np.arange(250)
    data = data.assign(
        stratum=rows // 63, firm=rows // 10, w=1.0 + rows % 4, sex=np.where(rows % 3, "f", "m")
    )
    data.loc[:9, "PERQ1"] = 99
    data.loc[10:14, "CUSA1"] = np.nan
    return data


def analysed(frame, margins=None, response=None, **options):
    survey = csi.read_survey(
        frame, items=list(MODEL.items), scale=(1, 10), missing_codes=(98, 99), missing="pairwise",
        **options,
    )  # fmt: skip
    if margins is not None:
        survey = csi.rake(survey, margins)
    return csi.analyze(
        survey, MODEL, target="S", draws=60, response=response, progress=False
    )  # fmt: skip


def notes(analysis):
    return {part.title: " ".join(part.notes) for part in sample_sections(analysis)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Nothing in the data says how respondents were drawn"),
        ({"strata": "stratum"}, "in each of 4 strata (column stratum), 61 to 63 in each."),
        ({"cluster": "firm"}, "25 clusters were drawn (column firm), with 10 respondents in each"),
        (
            {"strata": "stratum", "cluster": "firm"},
            "apart in each of 4 strata (column stratum): 7 clusters in each stratum, and 1 to 10 "
            "respondents in each cluster.",
        ),
        (
            {"population": 1000},
            "They are 250 of the 1,000 respondents in the population (25.0\xa0%)",
        ),
    ],
)
def test_how_the_sample_was_drawn(frame, options, message):
    assert message in notes(analysed(frame, **options))["How it was drawn"]


def test_a_stratum_of_one_cluster_is_said(frame):
    lonely = frame.assign(stratum=np.where(frame["firm"] == 24, 9, frame["firm"] // 6))
    told = notes(analysed(lonely, strata="stratum", cluster="firm", lonely="certainty"))
    assert "1 stratum holds a single cluster" in told["How it was drawn"]
    assert "taken as certain to be drawn" in told["How it was drawn"]


def test_weights_and_margins_are_those_of_the_other_modules(frame):
    analysis = analysed(frame, {"sex": {"f": 600, "m": 400}}, weights="w")
    row = csi.weighting.describe_weights(analysis.fit.survey).table.iloc[0]
    told = notes(analysis)["How answers are weighted"]
    assert f"the highest weight is {row['ratio']:.1f} times the lowest" in told
    assert f"as {row['effective_n']:.0f} of equal weight" in told
    assert "agrees with it in all 2 numbers" in told
    table = csi.report.tables.tables(analysis)["margins"].set_index("group")
    before = frame.groupby("sex")["w"].sum() / frame["w"].sum()
    assert_allclose(table["population"], [0.6, 0.4])
    assert_allclose(table["before"], before[["f", "m"]])
    assert_allclose(table["after"], [0.6, 0.4])


def test_totals_of_numbers_are_means_of_the_population(frame):
    survey = csi.read_survey(frame, items=list(MODEL.items), scale=(1, 10), missing_codes=99,
                             missing="pairwise", weights="w")  # fmt: skip
    known = {"sex": {"f": 700, "m": 300}, "firm": 11_000}
    calibrated = csi.weighting.calibrate(survey, known)
    analysis = csi.analyze(calibrated, MODEL, target="S", draws=40, progress=False)
    table = csi.report.tables.tables(analysis)["margins"].set_index("group")
    assert_allclose(table.loc["firm", ["population", "after"]].astype(float), [11, 11])
    assert_allclose(table.loc["firm", "before"], np.average(frame["firm"], weights=frame["w"]))


def test_margins_that_are_not_met_any_more_are_said(frame):
    analysis = analysed(frame, {"sex": {"f": 600, "m": 400}})
    survey = analysis.fit.survey
    survey.data.loc[0, "weight_raked"] *= 2
    assert "in 1 of 2 numbers of the table the sample does not" in " ".join(
        notes(analysis)["How answers are weighted"].split()
    )


def test_very_unequal_weights_are_a_warning_of_the_report(frame):
    heavy = frame.assign(w=np.where(np.arange(250) < 5, 100.0, 1.0))
    codes = {finding.code for finding in analysed(heavy, weights="w").findings}
    assert {"unequal-weights", "heavy-weight"} <= codes


def test_who_was_asked(frame):
    plain = notes(analysed(frame))["Asked and answered"]
    assert plain.startswith("How many were asked is not known here")
    rates = csi.weighting.response_rates(
        complete=250, refusal=150, non_contact=100, unknown=500, ineligible=500
    )
    analysis = analysed(frame, response=rates)
    told = notes(analysis)["Asked and answered"]
    assert "25.0\xa0% of the cases that may have been customers" in told
    assert "With 50.0\xa0% of the cases of unknown standing" in told
    assert "33.3\xa0% (RR3)" in told
    facts = csi.report.results.results(analysis)["data"]["response_rates"]
    assert facts["RR1"] == 0.25


def test_what_was_missing_and_why(frame):
    survey = analysed(frame).fit.survey
    table = missing_answers(survey, MODEL.items)
    assert table.loc["PERQ1"].tolist() == [250, 10, 0, 10, 0]
    assert table.loc["CUSA1"].tolist() == [250, 5, 0, 0, 5]
    coded = frame.assign(CUSA1=frame["CUSA1"].fillna(97))
    again = csi.read_survey(coded, missing_codes={"PERQ1": 99})
    again = csi.read_survey(again, missing_codes={"CUSA1": 97})  # codes of a later reading
    assert missing_answers(again, ["PERQ1"])["coded"].tolist() == [10]
    assert missing_answers(again, ["CUSA1"])["coded"].tolist() == [5]
    told = notes(analysed(frame))["What was not answered"]
    assert "15 answers of 1,000 (1.5\xa0%) are not there, in 2 of 4 questions." in told
    assert "10 with a code for no answer, such as “don't know” and 5 left empty" in told
    assert "Each number rests on the customers who answered" in told
    half = analysed(frame.assign(w=np.where(np.arange(250) < 5, 0.0, 1.0)), weights="w")
    assert half.missing.loc["PERQ1"].tolist() == [245, 5, 0, 5, 0]


def test_complete_answers_are_not_said_to_be_missing(frame):
    assert "What was not answered" not in notes(analysed(frame.iloc[15:]))


def test_the_shell_takes_dispositions(frame, tmp_path):
    file, model = tmp_path / "a.csv", tmp_path / "model.txt"
    frame.iloc[15:].to_csv(file, index=False)
    model.write_text(MODEL.to_syntax(), encoding="utf-8")
    options = [
        str(file),
        "--scale",
        "1,10",
        "--model",
        str(model),
        "--target",
        "S",
        "--draws",
        "40",
    ]
    out = tmp_path / "out"
    shell = CliRunner()
    done = shell.invoke(
        app,
        ["analyze", *options, "--out", str(out), "--dispositions", "complete=235, refusal=235"],
    )
    assert done.exit_code == 0, done.output
    facts = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert facts["data"]["response_rates"]["RR1"] == 0.5
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "50.0\xa0% of the cases that may have been customers" in page
    assert pd.isna(facts["data"]["weights"])
    for text, message in (
        ("complete=2,refused=1", "'refused' (did you mean 'refusal'?)"),
        ("complete=x", "'x' for complete; give a whole number"),
        ("", "--dispositions has ''"),
        ("refusal=0", "no eligible case"),
    ):
        done = shell.invoke(app, ["analyze", *options, "--dispositions", text])
        assert done.exit_code == 2
        assert message in done.output


def test_treatments_of_missing_answers_stand_side_by_side(frame):
    analysis = analysed(frame, weights="w")
    again = csi.assessment.compare_missing_policies(MODEL, analysis.fit.survey, m=5)
    pd.testing.assert_frame_equal(analysis.policies.table, again.table)
    part = sample_sections(analysis)[-1]
    assert part.title == "What other treatments of missing answers give"
    index = again.side_by_side("index").loc["S"]
    assert [row[2] for row in part.grid.rows] == [f"{value:.1f}" for value in index[:-1]]
    assert [row[1] for row in part.grid.rows] == ["235", *["250"] * 3, *["250"] * 3]
    assert part.grid.head[-1] == "Q"
    assert "Between 7 treatments the index of S goes from" in part.notes[0]
    survey = analysis.fit.survey
    off = csi.analyze(survey, MODEL, target="S", draws=40, policies=False, progress=False)
    assert off.policies is None


def test_how_carefully_it_was_answered(frame):
    """The table is that of csi.describe; few careless respondents are told in their place only."""
    survey = csi.read_survey(frame.assign(minutes=np.where(frame.index < 4, 1.0, 9.0)),
                             items=list(MODEL.items), scale=(1, 10), missing_codes=(98, 99),
                             missing="pairwise")  # fmt: skip
    told = csi.describe(survey, list(MODEL.items), duration="minutes")
    analysis = csi.analyze(survey, MODEL, target="S", draws=30, duration="minutes", progress=False)
    section = next(
        part for part in sample_sections(analysis) if part.title == "How carefully it was answered"
    )
    for row, name in zip(section.grid.rows, MODEL.items, strict=True):
        own = told.items.loc[name]
        assert row[:3] == (name, f"{own['n']}", f"{own['missing']}")
        assert row[3] == f"{own['mean']:.2f}"
        assert row[7] == told.pictures[name]
    speeders = next(own for own in told.findings if own.code == "speeders")
    assert speeders.count == 4
    assert str(speeders) in section.notes
    assert "a third of the median time" in section.notes[0]
    assert "speeders" not in [own.code for own in analysis.findings]
    table = tables(analysis)["item_description"]
    assert table["mean"].tolist() == told.items["mean"].tolist()


def test_many_careless_respondents_are_told_before_all():
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q")
    lazy = csi.load_mobi().data[list(model.items)].copy()
    lazy.loc[:29] = 7
    survey = csi.read_survey(lazy, items=list(model.items), scale=(1, 10))
    analysis = csi.analyze(survey, model, target="S", draws=30, progress=False)
    told = next(own for own in analysis.findings if own.code == "straight-lining")
    assert told.values["rows"] == 250
    assert told.count >= 30
    notes_of_all = notes(analysis)["How carefully it was answered"]
    assert str(told) in notes_of_all
    assert "how long they took is not named in the data" in notes_of_all
