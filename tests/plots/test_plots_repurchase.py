"""What a reader sees in the pictures of repurchase, measured on the artists."""

import io
import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

import csimodel as csi
from csimodel.errors import OptionError
from csimodel.findings import collected
from csimodel.outcomes import calibration, compare_shapes, repurchase
from csimodel.plots import calibration as calibration_plot
from csimodel.plots import fonts, money_steps, repurchase_curves, slopes, style, waterfall
from csimodel.plots.direct_labels import PALETTE, spread_out


@pytest.fixture(scope="module")
def rep(fit):
    return repurchase(fit, "CUSL1")


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "method": ["naive", "errors in variables", "SIMEX"],
            "slope": [0.0098, 0.0107, 0.0105],
            "lower": [0.0096, 0.0103, np.nan],
            "upper": [0.0100, 0.0111, np.nan],
        }
    )


@pytest.fixture
def steps():
    return pd.DataFrame(
        {
            "step": ["Retention", "Spending", "Cost", "Net"],
            "value": [120.0, 30.0, -45.0, 105.0],
            "lower": [100.0, 20.0, np.nan, 80.0],
            "upper": [140.0, 40.0, np.nan, 130.0],
        }
    )


def curve(level, index=(0.0, 50.0, 100.0)):
    probability = np.clip(level + 0.004 * np.array(index), 0, 1)
    return pd.DataFrame(
        {
            "index": index,
            "probability": probability,
            "lower": probability - 0.05,
            "upper": probability + 0.05,
        }
    )


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def boxes(figure):
    """Return the boxes of the texts beside the axes, pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    texts = figure.axes[0].texts
    return [Text.get_window_extent(text, canvas.get_renderer()) for text in texts]


def test_curves_over_each_other_are_told_apart_and_named():
    names = [f"Segment {letter}" for letter in "ABCDEFGH"]
    figure = repurchase_curves(
        {name: curve(0.57 + 0.001 * place) for place, name in enumerate(names)}, rug=[10, 90]
    )
    ax = figure.axes[0]
    assert words(figure) == names
    looks = {(to_hex(line.get_color()), line.get_linestyle()) for line in ax.lines}
    assert len(looks) <= len(ax.lines) == 8
    assert [to_hex(line.get_color()) for line in ax.lines] == [
        to_hex(color) for color, _ in PALETTE
    ]
    drawn = boxes(figure)
    assert not any(one.overlaps(other) for one, other in combinations(drawn, 2))
    whole = figure.bbox
    assert all(box.x1 <= whole.x1 and box.x0 >= ax.bbox.x1 for box in drawn)
    assert all(box.y1 <= ax.bbox.y1 + 8 and box.y0 >= ax.bbox.y0 for box in drawn)
    assert ax.get_xlim() == (0, 100)
    assert ax.get_ylim() == (0, 1)


def test_bands_and_lines_are_those_of_the_tables():
    one, other = curve(0.2), curve(0.4, (20.0, 60.0, 80.0))
    figure = repurchase_curves({"one": one, "other": other})
    ax = figure.axes[0]
    for line, wanted in zip(ax.lines, (one, other), strict=True):
        np.testing.assert_allclose(line.get_ydata(), wanted["probability"])
    bands = [c for c in ax.collections if c.get_alpha() == 0.12]
    assert [to_hex(band.get_facecolor()[0]) for band in bands] == [
        to_hex(style.BLUE),
        to_hex(style.VERMILLION),
    ]
    assert bands[1].get_paths()[0].get_extents().y0 == pytest.approx(other["lower"].min())
    bare = repurchase_curves({"one": one, "other": other}, bands=False)
    assert not bare.axes[0].collections


def test_results_are_drawn_as_they_are(rep):
    found = compare_shapes(rep, ["line", "spline", "isotonic"], rng=1, draws=25)
    figure = repurchase_curves(found, rug=rep.regression.sample.regressors[:, 0])
    assert words(figure) == ["line", "spline", "isotonic"]
    assert words(repurchase_curves({"mobile phones": rep})) == ["mobile phones"]
    assert len(figure.axes[0].lines[2].get_ydata()) == 101


def test_curves_without_a_finite_point_are_left_out_and_named():
    nothing = curve(0.3).assign(probability=np.nan)
    with collected() as findings:
        figure = repurchase_curves({"one": curve(0.2), "other": nothing})
    (finding,) = findings
    assert (finding.code, finding.values["names"]) == ("no-curve", ("other",))
    assert words(figure) == ["one"]
    with pytest.raises(OptionError, match=r"^No curve has a finite probability"):
        repurchase_curves({"one": nothing})


def test_given_axes_are_used(table, steps):
    for draw in (
        lambda ax: repurchase_curves({"one": curve(0.2)}, ax=ax),
        lambda ax: slopes(table, ax=ax),
        lambda ax: waterfall(steps, ax=ax),
        lambda ax: calibration_plot(
            pd.DataFrame({"predicted": [0.2, 0.8], "observed": [0.3, 0.7]}), ax=ax
        ),
    ):
        figure = Figure()
        ax = figure.subplots()
        assert draw(ax) is figure
        assert ax.lines or ax.patches


def test_slopes_show_each_method_with_its_interval(table):
    figure = slopes(table, title="Naive and corrected")
    ax = figure.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == table["method"].tolist()
    assert words(figure) == ["0.98 [0.96, 1.00]", "1.07 [1.03, 1.11]", "1.05"]
    guide, *marks = [line.get_xdata() for line in ax.lines]
    assert float(np.unique(guide)[0]) == pytest.approx(0.98)
    np.testing.assert_allclose([float(mark[0]) for mark in marks], [0.98, 1.07, 1.05])
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top
    assert ax.get_title(loc="left") == "Naive and corrected"


def test_slopes_that_reach_zero_show_it(table):
    figure = slopes(table.assign(lower=-0.001))
    assert any(set(line.get_xdata()) == {0} for line in figure.axes[0].lines)


def test_a_waterfall_adds_up(steps):
    figure = waterfall(steps, totals=["Net"], y="US$")
    ax = figure.axes[0]
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert spans == [(0, 120), (120, 150), (150, 105), (0, 105)]
    assert [to_hex(bar.get_facecolor()) for bar in ax.patches] == [
        to_hex(color) for color in (style.BLUE, style.BLUE, style.VERMILLION, style.INK)
    ]
    assert words(figure) == ["120 [100, 140]", "30 [20, 40]", "−45", "105 [80, 130]"]
    assert ax.get_xlabel() == "US$"
    whiskers = ax.collections[1].get_segments()
    np.testing.assert_allclose(whiskers[1][:, 0], [140, 160])


def test_a_calibration_has_marks_a_curve_and_the_diagonal(rep):
    found = calibration(rep, rng=1)
    figure = calibration_plot(found)
    diagonal, smooth, marks = figure.axes[0].lines
    assert (list(diagonal.get_xdata()), list(diagonal.get_ydata())) == ([0, 1], [0, 1])
    np.testing.assert_allclose(smooth.get_ydata(), found.curve()["observed"])
    np.testing.assert_allclose(marks.get_xdata(), found.table["predicted"])
    np.testing.assert_allclose(marks.get_ydata(), found.table["observed"])
    alone = calibration_plot(found.table)
    assert len(alone.axes[0].lines) == 2


def test_heights_are_spread_but_keep_their_order():
    rng = np.random.default_rng(1)
    for _ in range(50):
        wanted = rng.uniform(0, 60, 8)
        found = spread_out(wanted, 10.0)
        assert (np.diff(np.sort(found)) >= 10 - 1e-9).all()
        assert (np.argsort(found) == np.argsort(wanted)).all()
        assert found.mean() == pytest.approx(wanted.mean())
    assert spread_out(np.array([0.0, 50.0]), 10.0).tolist() == [0.0, 50.0]


def test_chinese_names_are_drawn(table, steps):
    if fonts.cjk_family() is None:
        pytest.skip("no Chinese font on this computer")
    made = [
        repurchase_curves(
            {"航空公司": curve(0.2), "银行": curve(0.3)},
            x="满意度指数（0–100）",
            y="重复购买概率",
            title="各行业",
        ),
        slopes(table.assign(method=["未修正", "误差变量", "模拟外推"]), x="百分点", title="斜率"),
        waterfall(steps.assign(step=["保留", "消费", "成本", "净值"]), totals=["净值"], y="元"),
        calibration_plot(
            pd.DataFrame({"predicted": [0.2, 0.8], "observed": [0.3, 0.7]}),
            x="预测概率",
            y="观察比例",
            title="校准",
        ),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing character is a warning
        for figure in made:
            figure.savefig(io.BytesIO(), format="png")


def test_money_signs_are_taken_literally(steps):
    figure = waterfall(steps.assign(step=["$a$", "b", "c", "d"]), y="$ per year $")
    figure.savefig(io.BytesIO(), format="png")
    assert figure.axes[0].get_yticklabels()[0].get_text() == "$a$"


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda: repurchase_curves({}),
            "curves must name each curve, such as {'Banks': banks, 'Airlines': airlines}.",
        ),
        (
            lambda: repurchase_curves(dict.fromkeys(range(9), curve(0.1))),
            "curves has 9 curves, and no more than 8 can be told apart; draw some of them, or one "
            "figure each.",
        ),
        (
            lambda: repurchase_curves({"a": 3}),
            "curves['a'] is a int; pass the DataFrame of a result's curve().",
        ),
        (
            lambda: slopes(pd.DataFrame({"method": ["a"]})),
            "table has no column 'slope' (it has method); pass the DataFrame of methods, with "
            "columns method and slope.",
        ),
        (
            lambda: waterfall(pd.DataFrame({"step": ["a"], "value": [1.0]}), totals=["b"]),
            "totals has 'b', which is not a step of the table (a).",
        ),
        (
            lambda: calibration_plot(3),
            "result is a int; pass the DataFrame of csi.outcomes.calibration(rep), or it.",
        ),
    ],
)
def test_errors(draw, message):
    with pytest.raises(OptionError) as raised:
        draw()
    assert str(raised.value) == message


def test_nothing_is_left_open():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    repurchase_curves({"a": curve(0.1)})
    assert plt.get_fignums() == before
    assert csi.plots is not None


def test_curves_of_segments_are_drawn_where_somebody_was(fit, mobi):
    half = pd.Series(np.where(np.arange(250) % 2, "odd", "even"), mobi.data.index, name="half")
    found = csi.outcomes.repurchase_segments(fit, "CUSL1", by=half, curvature=False)
    figure = repurchase_curves(found)
    assert sorted(words(figure)) == ["even", "odd"]
    curves = found.curves()
    for line, name in zip(figure.axes[0].lines, ["even", "odd"], strict=True):
        own = curves.loc[name]
        seen = own[own["observed"]]
        np.testing.assert_allclose(line.get_xdata(), seen.index)
        np.testing.assert_allclose(line.get_ydata(), seen["probability"])


def test_slopes_of_a_result_are_its_effects_of_the_first_index(fit):
    found = csi.outcomes.corrected_slopes(fit, "CUSL1", ("eiv",), index=["Satisfaction", "Image"])
    figure = slopes(found)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names[0] == "as measured"
    assert len(names) == 2
    for text, method in zip(words(figure), ("naive", "eiv"), strict=True):
        assert text.startswith(f"{100 * found.effect(method):.2f} [")


def test_money_in_steps_shows_units_and_relative_intervals(rep, fit):
    terms = csi.money.Economics(
        margin=100, currency="EUR", period="year", discount_rate=0.1, customers=1000
    )
    money = csi.money.profit_of_driver(fit, rep, "Image", terms, draws=300)
    figure = money_steps(money)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    # retention repeats the probability of repurchase
    assert names == [name for name in money.table.index if name != "retention"]
    row = money.table.loc["customers kept"]
    expected = f"+{row['estimate']:.2f} [{row['lower']:.2f}, {row['upper']:.2f}]"
    assert words(figure)[names.index("customers kept")] == f"{expected} customers per year"
    assert "percentage points" in words(figure)[names.index("probability of repurchase")]
    drawn = figure.axes[0].collections[0].get_segments()[names.index("customers kept")]
    np.testing.assert_allclose(
        drawn[:, 0], row[["lower", "upper"]].to_numpy(dtype=float) / row["estimate"]
    )
    with pytest.raises(OptionError) as raised:
        money_steps(csi.money.lifetime_value(0.8, terms))
    assert str(raised.value) == (
        "money_steps draws a change, such as csi.money.profit_of_driver(…) or "
        "csi.money.profit_of_change(…)."
    )
