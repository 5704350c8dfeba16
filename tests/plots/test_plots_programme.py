"""Pictures of a programme: ranking, trend, small multiples, heat map, contributions."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel import plots
from csimodel.errors import ModelError, OptionError


@pytest.fixture(scope="module")
def waves():
    drawn = csi.simulate.programme(9, 4, 60, rng=4, industries=3, sectors=1)
    levels = ["sector", "industry", "firm"]
    return csi.programme(drawn.model, drawn.survey, levels, "period", drawn.weights)


def _rows(ax):
    return [tick.get_text() for tick in ax.get_yticklabels()]


def test_a_ranking_has_a_dot_for_each_unit_and_a_new_colour_where_units_are_told_apart():
    units = pd.MultiIndex.from_product([["all"], list("abcd")])
    ranks = pd.DataFrame(
        {"estimate": [70.0, 69, 60, 50], "lower": [68.0, 67, 58, np.nan],
         "upper": [72.0, 71, 62, np.nan], "tie": [1.0, 1, 2, np.nan]}, units,
    )  # fmt: skip
    ax = plots.ranking(ranks).axes[0]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [float(line.get_xdata()[0]) for line in dots] == [70, 69, 60, 50]
    colors = [line.get_markeredgecolor() for line in dots]
    assert colors[0] == colors[1] != colors[2] != colors[3]
    assert dots[3].get_markerfacecolor() == plots.style.PAPER
    assert [text.get_text() for text in ax.texts] == [
        "70.0 [68.0, 72.0]", "69.0 [67.0, 71.0]", "60.0 [58.0, 62.0]", "50.0",
    ]  # fmt: skip


def test_of_three_hundred_units_the_first_and_the_last_are_drawn():
    names = [f"Firm {k:03d}" for k in range(300)]
    units = pd.MultiIndex.from_product([["all"], names])
    ranks = pd.DataFrame({"estimate": np.linspace(90, 10, 300), "tie": 1.0}, units)
    rows = _rows(plots.ranking(ranks).axes[0])
    assert rows == [*names[:20], "… 260 units between …", *names[280:]]
    groups = pd.MultiIndex.from_arrays([np.repeat([f"g{k:02d}" for k in range(30)], 10), names])
    rows = _rows(plots.ranking(ranks.set_axis(groups)).axes[0])
    assert rows[:4] == ["g00", "Firm 000", "… 8 units between …", "Firm 009"]
    assert rows[-1] == "… 10 groups more"


def test_the_trend_shows_scores_level_and_large_moves(waves):
    ax = plots.trend(waves).axes[0]
    level = waves.local_level.loc[("all", "all")].xs("Satisfaction", level="construct")
    score = waves.scores.loc[("all", "all")].xs("Satisfaction", level="construct")
    lines = [line.get_ydata() for line in ax.lines]
    assert_allclose(lines[0], level["estimate"])
    assert_allclose(lines[1], score["estimate"])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "3", "4"]
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert_allclose([band.min(), band.max()], [level["lower"].min(), level["upper"].max()])
    several = plots.trend(waves, "industry", construct="Loyalty").axes[0]
    named = {text.get_text() for text in several.texts}
    assert named == {"Industry 01", "Industry 02", "Industry 03"}


def test_small_multiples_have_one_scale_and_count_what_is_left_out(waves):
    figure = plots.small_multiples(waves, "firm", most=4)
    assert len(figure.axes) == 4
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    assert "Satisfaction (highest and lowest; 5 units between left out)" in [
        text.get_text() for text in figure.texts
    ]
    last = waves.scores["estimate"].xs("Satisfaction", level="construct").loc["firm"]
    order = last.xs(4, level="period").sort_values(ascending=False).index.tolist()
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == [*order[:2], *order[-2:]]


def test_the_heat_map_writes_every_index(waves):
    ax = plots.heat_map(waves, period=2, most=4).axes[0]
    rows = _rows(ax)
    assert rows[2] == "… 5 units between …"
    table = waves.scores["estimate"].loc["firm"].xs(2, level="period").unstack("construct")
    shown = {text.get_text() for text in ax.texts}
    assert shown >= {f"{value:.1f}" for value in table.loc[rows[0]]}
    assert len(ax.texts) == 4 * 6
    assert rows[0] == table["Satisfaction"].idxmax()


def test_contributions_add_up_to_the_change(waves):
    ax = plots.contributions(waves, "firm", most=3).axes[0]
    assert _rows(ax)[3:] == ["6 other units", "Shift of weights", "Change of the whole"]
    bars = dict(zip(_rows(ax), ax.patches, strict=True))
    change = waves.changes.loc[("all", "all", 4, 3, "Satisfaction"), "estimate"]
    assert_allclose(bars["Change of the whole"].get_width(), change)
    steps = sum(bar.get_width() for bar in ax.patches[:-1])
    assert_allclose(steps, change)


def test_chinese_names_and_periods_do_not_meet(waves):
    drawn = csi.simulate.programme(4, 8, 30, rng=4, industries=2, sectors=1)
    data = drawn.survey.data
    names = {"Industry 01": "移动通信", "Industry 02": "空调与冰箱制造有限责任公司"}
    data = data.assign(
        industry=data["industry"].map(names), period=data["period"].map("2025年{}季度".format)
    )
    survey = csi.read_survey(data, scale=dict.fromkeys(drawn.model.items, (1, 10)))
    found = csi.programme(drawn.model, survey, ["industry", "firm"], "period")
    for figure in (plots.trend(found, "industry"), plots.small_multiples(found)):
        renderer = figure.canvas.get_renderer()
        for ax in figure.axes:
            boxes = [tick.get_window_extent(renderer) for tick in ax.get_xticklabels()]
            assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
            assert [tick.get_text() for tick in ax.get_xticklabels()][-1] == "2025年8季度"


def test_misuse_is_refused_in_one_sentence(waves):
    def refusal(call, kind=OptionError):
        with pytest.raises(kind) as caught:
            call()
        return str(caught.value)

    assert refusal(lambda: plots.trend(3)).endswith(
        "programme=3 must be a Programme; make one with csi.programme(model, survey, levels, period)."
    )
    assert refusal(lambda: plots.trend(waves, "frm")).startswith("level='frm' is not known")
    assert refusal(lambda: plots.trend(waves, "firm", "Frm 001")).startswith(
        "units names 'Frm 001', which is not of level firm (did you mean 'Firm 001'?)"
    )
    every = [f"Firm {k:03d}" for k in range(1, 10)]
    assert "no more than 8 can be told apart" in refusal(lambda: plots.trend(waves, "firm", every))
    assert refusal(lambda: plots.trend(waves, construct="X"), ModelError) == (
        "Construct 'X' is not in the model."
    )
    for call in (plots.trend, plots.small_multiples, plots.contributions):
        assert refusal(lambda call=call: call(waves, construct=""), ModelError) == (
            "Construct '' is not in the model."
        )
    assert refusal(lambda: plots.heat_map(waves, period=9)) == (
        "period=9 is not among the periods, 1 to 4."
    )
    assert refusal(lambda: plots.contributions(waves, period=1)) == (
        "period=1 has no change of the whole on the period before; the periods are 1 to 4."
    )
    assert refusal(lambda: plots.ranking(waves.scores)).startswith("ranks has no column 'tie'")
    assert refusal(lambda: plots.small_multiples(waves, most=1)).startswith("most=1 must be")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_lines_below_a_ranking_lie_within_the_picture(language):
    rows = pd.MultiIndex.from_tuples([("all", "b"), ("all", "a")], names=["within", "firm"])
    limits = {"lower": [70.0, 66], "upper": [74.0, 70]}
    ranks = pd.DataFrame({"estimate": [72.0, 68], **limits, "tie": [1.0, 2]}, rows)
    with csi.language(language):
        figure = csi.plots.ranking(ranks)
    figure.canvas.draw()
    label = figure.axes[0].xaxis.label
    assert label.get_text().count("\n") == 1
    assert label.get_window_extent().y0 > 0
