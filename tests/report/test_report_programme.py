"""The index programme in a report, on the terminal and from the shell."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import csimodel as csi
from csimodel.cli import app
from csimodel.errors import OptionError
from csimodel.report.programme_sections import programme_sections

LEVELS = ["industry", "firm"]


@pytest.fixture(scope="module")
def drawn():
    return csi.simulate.programme(6, 3, 40, rng=2, industries=2, sectors=1)


@pytest.fixture(scope="module")
def weights(drawn):
    return drawn.weights[drawn.weights["level"] != "sector"]


@pytest.fixture(scope="module")
def analysis(drawn, weights):
    return csi.analyze(
        drawn.survey, drawn.model, draws=60, levels=LEVELS, period="period",
        level_weights=weights, progress=False,
    )  # fmt: skip


def _notes(programme):
    return [note for part in programme_sections(programme) for note in part.notes]


def test_the_report_has_the_programme(analysis, tmp_path):
    page = csi.write_report(analysis, tmp_path, progress=False)
    html = page.read_text(encoding="utf-8")
    assert 'id="programme"' in html
    for name in ("trend", "ranking", "units", "contributions"):
        assert f'id="figure-programme_{name}"' in html
        assert (tmp_path / "figures" / f"programme_{name}.svg").exists()
    scores = pd.read_csv(tmp_path / "tables" / "programme_scores.csv", encoding="utf-8-sig")
    assert np.allclose(scores["estimate"], analysis.programme.scores["estimate"])
    facts = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert len(facts["tables"]["programme_changes"]) == len(analysis.programme.changes)
    assert "levels=['industry', 'firm']," in facts["code"]
    assert "period='period'," in facts["code"]
    assert "level_weights=level_weights," in facts["code"]
    assert "Ranking" in analysis.summary()


def test_sentences_say_the_numbers_of_the_tables(analysis):
    waves = analysis.programme
    notes = _notes(waves)
    whole = waves.scores.loc[("all", "all", 3, "Satisfaction")]
    assert notes[0] == (
        "Over all 6 units of level firm, Satisfaction stands at "
        f"{whole['estimate']:.1f} ({whole['lower']:.1f} to {whole['upper']:.1f}) in period 3."
    )
    change = waves.changes.loc[("all", "all", 3, 2, "Satisfaction")]
    assert f"{abs(change['estimate']):.1f} points" in notes[1]
    assert ("cannot be told apart" in notes[1]) == (change["p"] >= 0.05)
    best = waves.rank(within="all").table.iloc[0]
    (said,) = [note for note in notes if note.startswith("Of the 6 units of level firm")]
    assert best.name[-1] in said
    assert ("not shown to be first" in said) == (best["rank_upper"] > 1)
    (parts,) = [note for note in notes if note.startswith("The change of the whole is")]
    assert re.search(rf"is {change['estimate']:.2f}".replace("-", "−"), parts)


def test_a_unit_without_an_error_leads_no_sentence(drawn):
    data = drawn.survey.data
    items = list(drawn.model.items)
    best = data.head(1).assign(firm="Lonely", period=3, **dict.fromkeys(items, 10.0))
    survey = csi.read_survey(
        pd.concat([data, best], ignore_index=True), scale=dict.fromkeys(items, (1, 10))
    )
    waves = csi.programme(drawn.model, survey, LEVELS, "period", item_weights="pooled")
    told = " ".join(_notes(waves))
    assert "Lonely has" not in told
    assert "Lonely is first" not in told
    assert "1 unit without an error" in told
    ranking = next(part.grid for part in programme_sections(waves) if part.title == "Ranking")
    assert [str(cell) for cell in ranking.rows[-1][:2]] == ["Lonely", "100.0"]
    assert ranking.rows[-1][3] == "–"


def test_one_period_has_no_change_and_no_trend(drawn):
    data = drawn.survey.data
    survey = csi.read_survey(data[data["period"] == 1], scale=(1, 10))
    waves = csi.programme(drawn.model, survey, "firm", "period")
    notes = _notes(waves)
    assert "A trend takes three periods, and no unit has so many." in notes
    assert not [note for note in notes if note.startswith("The change of the whole")]


def test_levels_and_period_belong_together(drawn):
    for options in ({"levels": "firm"}, {"period": "period"}, {"level_weights": pd.DataFrame()}):
        with pytest.raises(OptionError, match="levels=, period= and level_weights= belong"):
            csi.analyze(drawn.survey, drawn.model, draws=20, progress=False, **options)


def test_the_shell_takes_levels_and_their_weights(drawn, weights, tmp_path):
    drawn.survey.data.to_csv(tmp_path / "s.csv", index=False)
    weights.to_csv(tmp_path / "w.csv", index=False)
    call = [
        "analyze", str(tmp_path / "s.csv"), "--model", "acsi", "--scale", "1,10", "--draws", "20",
        "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    given = ["--levels", "industry, firm", "--period", "period"]
    more = ["--level-weights", str(tmp_path / "w.csv")]
    ended = CliRunner().invoke(app, [*call, *given, *more])
    assert ended.exit_code == 0, ended.output
    assert "The whole over the periods" in ended.output
    assert (tmp_path / "out" / "tables" / "programme_ranking.csv").exists()
    for options, message in (
        (given[:2], "--levels needs --period, the column of periods"),
        (["--levels", "industry,,firm", "--period", "period"], "has an empty name"),
        (more, "--level-weights needs --levels and --period."),
    ):
        refused = CliRunner().invoke(app, [*call, *options])
        assert refused.exit_code == 2
        assert message in refused.output
