"""What a reader sees in the figures, measured on the artists."""

import re
import subprocess
import sys
import threading
import warnings
from itertools import combinations
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pandas as pd
import pytest
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.text import Annotation, Text
from wordings import row_of

import csimodel as csi
from csimodel import plots
from csimodel.errors import OptionError
from csimodel.findings import collected
from csimodel.plots import style, text_metrics
from csimodel.plots.labels import Label, overlap, place
from csimodel.plots.layers import barycentre_order, layers
from csimodel.plots.routes import route

CHINESE = {
    "企业形象": ["品牌知名度", "社会责任感", "创新能力"],
    "顾客期望": ["总体期望", "可靠性期望", "个性化期望"],
    "感知质量": ["总体质量", "可靠性", "个性化满足程度", "服务人员态度", "交付速度"],
    "满意度": ["总体满意度", "与期望比较", "与理想比较"],
    "顾客忠诚": ["重复购买可能性", "推荐意愿"],
}
CHINESE_PATHS = [(0, 1), (0, 3), (0, 4), (1, 2), (1, 3), (2, 3), (3, 4)]
LONG = {
    name: [f"{name.lower().replace(' ', '_')}_question_{i + 1}" for i in range(count)]
    for name, count in {
        "Corporate image of the firm": 4,
        "Customer expectations": 3,
        "Perceived hardware quality": 3,
        "Perceived software quality": 3,
        "Friendliness of service staff": 3,
        "Price fairness": 2,
        "Overall perceived quality": 4,
        "Perceived value for money": 2,
        "Overall customer satisfaction": 3,
        "Trust": 3,
        "Complaint handling": 1,
        "Behavioural loyalty intentions": 3,
    }.items()
}
LONG_PATHS = [
    *[(0, 1), (0, 8), (0, 11), (1, 6), (1, 8), (2, 6), (3, 6), (4, 6), (4, 8), (5, 7)],
    *[(6, 7), (6, 8), (7, 8), (8, 9), (8, 10), (8, 11), (9, 11), (10, 11)],
]
SMALL = {"Trust": ["t1", "t2"], "Image": ["i1", "i2", "i3"], "Loyalty": ["l1", "l2"]}
SMALL_PATHS = [(1, 0), (0, 2), (1, 2)]


def estimates(blocks, paths, seed=0):
    """Return what a fit has that a diagram needs, with made-up numbers."""
    rng = np.random.default_rng(seed)
    names = list(blocks)
    coefficients = pd.DataFrame(0.0, index=names, columns=names)
    loadings = pd.DataFrame(0.0, index=[i for b in blocks.values() for i in b], columns=names)
    for source, target in paths:
        coefficients.iloc[target, source] = rng.uniform(-0.4, 0.8)
    for name, items in blocks.items():
        loadings.loc[items, name] = rng.uniform(0.5, 0.95, len(items))
    targets = sorted({target for _, target in paths})
    model = SimpleNamespace(
        constructs=tuple(
            SimpleNamespace(name=name, items=tuple(items), kind="reflective")
            for name, items in blocks.items()
        ),
        paths=tuple(SimpleNamespace(source=names[s], target=names[t]) for s, t in paths),
    )
    r2 = pd.Series(rng.uniform(0.1, 0.8, len(targets)), index=[names[t] for t in targets])
    return SimpleNamespace(model=model, paths=coefficients, loadings=loadings, r2=r2)


@pytest.fixture(scope="module")
def fit():
    return csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.PLS())


@pytest.fixture(scope="module")
def ecsi(fit):
    return plots.path_diagram(fit)


@pytest.fixture(scope="module", params=["ecsi", "small", "long", "chinese", "no items"])
def diagram(request, fit):
    if request.param == "ecsi":
        return plots.path_diagram(fit)
    if request.param == "no items":
        return plots.path_diagram(fit, items=False)
    blocks, paths = {
        "small": (SMALL, SMALL_PATHS),
        "long": (LONG, LONG_PATHS),
        "chinese": (CHINESE, CHINESE_PATHS),
    }[request.param]
    return plots.path_diagram(estimates(blocks, paths))


def table_of(fit, width=0.12):
    keys = [(path.target, path.source) for path in fit.model.paths]
    index = pd.MultiIndex.from_tuples(keys, names=["target", "source"])
    values = np.array([fit.paths.loc[key] for key in keys], dtype=float)
    columns = {"estimate": values, "lower": values - width, "upper": values + width}
    return pd.DataFrame(columns, index=index)


def words(ax):
    return [text.get_text() for text in ax.texts]


def rectangles(artists):
    """Return the extents of artists as drawn, pixels, (artists, 4)."""
    renderer = FigureCanvasAgg(artists[0].figure).get_renderer()
    extents = [
        # A name with a line to its mark is measured without the line.
        (Text if isinstance(artist, Annotation) else type(artist)).get_window_extent(
            artist, renderer
        )
        for artist in artists
    ]
    return np.array([extent.extents for extent in extents])


def collisions(artists):
    boxes = rectangles(artists)
    return [
        (artists[i].get_text(), artists[j].get_text())
        for i, j in combinations(range(len(artists)), 2)
        if overlap(boxes[i], boxes[j]) > 0
    ]


def structural(ax):
    colors = {style.BLUE.lower(), style.VERMILLION.lower()}
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    return [arrow for arrow in arrows if to_hex(arrow.get_edgecolor()) in colors]


def of_class(ax, kind):
    return [patch for patch in ax.patches if type(patch) is kind]


# The path diagram


def test_diagram_shows_every_estimate_of_ecsi(fit, ecsi):
    seen = words(ecsi.axes[0])
    paths = [fit.paths.loc[path.target, path.source] for path in fit.model.paths]
    loadings = [
        fit.loadings.loc[item, construct.name]
        for construct in fit.model.constructs
        for item in construct.items
    ]
    numbers = [f"{value:.2f}" for value in [*paths, *loadings]]
    assert len(numbers) == 36
    shown = sorted(text for text in seen if re.fullmatch(r"−?\d\.\d\d", text))
    assert shown == sorted(numbers)
    assert {
        "Image",
        "Expectation",
        "Quality",
        "Value",
        "Satisfaction",
        "Complaints",
        "Loyalty",
    } <= set(seen)
    assert set(fit.model.items) <= set(seen)
    assert sum(text.startswith("R² = ") for text in seen) == 6
    assert "R² = 0.68" in seen


def test_number_stands_on_its_own_arrow(fit, ecsi):
    ax = ecsi.axes[0]
    bold = [t for t in ax.texts if t.get_fontweight() == "bold" and t.get_text()[-1].isdigit()]
    assert len(bold) == len(structural(ax)) == 12
    for path, arrow, text in zip(fit.model.paths, structural(ax), bold, strict=True):
        assert text.get_text() == f"{fit.paths.loc[path.target, path.source]:.2f}"
        curve = bezier(arrow)
        assert np.hypot(*(curve - text.get_position()).T).min() < 3


def bezier(arrow):
    a, b, c = arrow._path_original.vertices  # as given, before the head is cut off
    t = np.linspace(0, 1, 200)[:, None]
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c


def test_no_text_covers_another(diagram):
    assert collisions(list(diagram.axes[0].texts)) == []


def test_nodes_and_boxes_do_not_overlap_and_hold_their_text(diagram):
    ax = diagram.axes[0]
    nodes = of_class(ax, Ellipse) + of_class(ax, FancyBboxPatch)
    boxes = rectangles(nodes)
    for i, j in combinations(range(len(nodes)), 2):
        assert overlap(boxes[i], boxes[j]) == 0
    texts = rectangles(ax.texts)
    for text, box in zip(ax.texts, texts, strict=True):
        inside = [
            node
            for node, around in zip(nodes, boxes, strict=True)
            if overlap(box, around) > 0.98 * np.prod(box[2:] - box[:2])
        ]
        touched = [n for n, around in zip(nodes, boxes, strict=True) if overlap(box, around) > 1]
        assert inside == touched or not re.search(r"\D", text.get_text()[:1]), text.get_text()


def test_arrows_pass_no_other_construct(diagram):
    ax = diagram.axes[0]
    ellipses = of_class(ax, Ellipse)
    for arrow in structural(ax):
        points = bezier(arrow)
        for ellipse in ellipses:
            radii = np.array([ellipse.width, ellipse.height]) / 2
            away = np.hypot(*((points - np.array(ellipse.center)) / radii).T)
            assert away.min() > 0.99


def test_everything_lies_on_the_paper(diagram):
    ax = diagram.axes[0]
    boxes = rectangles([*ax.texts, *ax.patches])
    width, height = diagram.get_size_inches() * diagram.dpi
    assert boxes[:, :2].min() >= 0
    assert boxes[:, 2].max() <= width
    assert boxes[:, 3].max() <= height


def test_arrows_run_from_left_to_right_by_the_longest_path():
    fit = estimates(SMALL, SMALL_PATHS)
    ellipses = of_class(plots.path_diagram(fit).axes[0], Ellipse)
    x = dict(zip(SMALL, (ellipse.center[0] for ellipse in ellipses), strict=True))
    assert x["Image"] < x["Trust"] < x["Loyalty"]
    edges = np.array(LONG_PATHS)
    column = layers(12, edges)
    assert column.tolist() == [0, 1, 0, 0, 0, 0, 2, 3, 4, 5, 5, 6]
    assert [column[t] > column[s] for s, t in LONG_PATHS] == [True] * len(LONG_PATHS)


def test_barycentre_order_untangles_a_ladder():
    edges = np.array([[0, 5], [1, 4], [2, 3]])
    assert barycentre_order(np.array([0, 0, 0, 1, 1, 1]), edges) == [[0, 1, 2], [5, 4, 3]]


def test_arrow_bends_around_a_construct_in_its_way():
    centres = np.array([[0.0, 0], [150, 0], [300, 0]])
    sizes = np.full((3, 2), 60.0)
    straight, _, bent = route(centres, sizes, np.array([[0, 1], [1, 2], [0, 2]]), np.zeros((0, 4)))
    assert straight.bend == 0
    assert bent.bend != 0
    points = bent.points(np.linspace(0, 1, 100))
    assert np.hypot(*(points - centres[1]).T).min() > 30


def test_colour_width_and_dashes_say_sign_size_and_doubt():
    fit = estimates(SMALL, SMALL_PATHS)
    fit.paths.loc["Trust", "Image"], fit.paths.loc["Loyalty", "Trust"] = 0.8, -0.3
    fit.paths.loc["Loyalty", "Image"] = 0.05
    ax = plots.path_diagram(fit, bootstrap=table_of(fit)).axes[0]
    strong, negative, weak = structural(ax)
    assert to_hex(strong.get_edgecolor()) == style.BLUE.lower()
    assert to_hex(negative.get_edgecolor()) == style.VERMILLION.lower()
    assert strong.get_linewidth() > negative.get_linewidth() > weak.get_linewidth()
    assert [arrow.get_linestyle() == "-" for arrow in (strong, negative, weak)] == [
        True,
        True,
        False,
    ]
    assert "−0.30" in words(ax)
    assert {"negative path", "interval covers 0"} <= set(words(ax))


def test_a_bootstrap_is_asked_for_its_paths():
    fit = estimates(SMALL, SMALL_PATHS)
    asked = []
    boot = SimpleNamespace(table=lambda quantity: asked.append(quantity) or table_of(fit, 9.0))
    ax = plots.path_diagram(fit, bootstrap=boot).axes[0]
    assert asked == ["paths"]
    assert all(arrow.get_linestyle() != "-" for arrow in structural(ax))


def test_composites_receive_the_arrows_of_their_items():
    fit = estimates(SMALL, SMALL_PATHS)
    fit.model.constructs[1].kind = "composite"
    ax = plots.path_diagram(fit).axes[0]
    thin = [p for p in of_class(ax, FancyArrowPatch) if p not in structural(ax)]
    centre = np.array(of_class(ax, Ellipse)[1].center)
    starts, ends = (np.array([p._path_original.vertices[k] for p in thin[2:5]]) for k in (0, -1))
    assert (np.hypot(*(ends - centre).T) < np.hypot(*(starts - centre).T)).all()


def test_an_estimate_that_is_not_a_number_is_a_dash():
    fit = estimates(SMALL, SMALL_PATHS)
    fit.paths.loc["Trust", "Image"] = np.nan
    assert "–" in words(plots.path_diagram(fit).axes[0])


# Charts

SCORES = pd.DataFrame(
    {"mean": [72.5, 61.2, 68.94], "lower": [70.1, 58.0, 66.0], "upper": [74.9, 64.4, 71.9]},
    index=["Satisfaction", "Value", "Loyalty"],
)


def test_index_bars_have_the_length_of_the_index():
    ax = plots.index_bars(SCORES).axes[0]
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [bar.get_width() for bar in bars] == [72.5, 61.2, 68.94]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(SCORES.index)
    assert words(ax) == ["72.5 [70.1, 74.9]", "61.2 [58.0, 64.4]", "68.9 [66.0, 71.9]"]
    spans = [segment[:, 0].tolist() for segment in ax.collections[0].get_segments()]
    assert spans == [[70.1, 74.9], [58.0, 64.4], [66.0, 71.9]]
    assert ax.get_xlim() == (0, 100)
    first, last = ax.transData.transform([(0, 0), (0, 2)])[:, 1]
    assert first > last


def test_index_bars_without_intervals():
    ax = plots.index_bars(SCORES[["mean"]]).axes[0]
    assert words(ax) == ["72.5", "61.2", "68.9"]
    assert ax.collections[0].get_segments() == []


def test_index_bars_compare_groups_within_each_construct():
    scores = pd.concat({"Banks": SCORES, "Retail": SCORES + 1}, names=["group", "construct"])
    ax = plots.index_bars(scores).axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[:6] == ["Satisfaction", "Banks", "Retail", "Value", "Banks", "Retail"]
    assert [patch.get_width() for patch in ax.patches][:4] == [72.5, 73.5, 61.2, 62.2]
    bold = [label.get_fontweight() == "bold" for label in ax.get_yticklabels()]
    assert bold == [True, False, False] * 3


def test_an_index_outside_the_scale_is_not_cut_off():
    ax = plots.index_bars(pd.DataFrame({"mean": [-4.0, 103.0]}, index=["a", "b"])).axes[0]
    assert ax.get_xlim() == (-4.0, 103.0)


def test_long_row_labels_stay_on_the_paper_and_apart():
    long = "Supermarkets and other large retail companies with a very long name of the region " * 2
    figure = plots.index_bars(SCORES.set_axis([long + "A", long + "B", "C"]))
    ticks = figure.axes[0].get_yticklabels()
    figure.canvas.draw()
    assert rectangles(ticks)[:, 0].min() >= 0
    assert collisions(ticks) == []


def test_importance_performance_names_crowded_points_apart():
    rng = np.random.default_rng(4)
    names = list(LONG)
    importance = pd.Series(0.4 + 0.05 * rng.random(12), index=names)
    performance = pd.Series(70 + 3 * rng.random(12), index=names)
    importance.iloc[0], performance.iloc[0] = 0.0, 50.0
    figure = plots.importance_performance(importance, performance, target="Satisfaction")
    ax = figure.axes[0]
    figure.canvas.draw()
    assert set(names) <= set(words(ax))
    assert collisions(list(ax.texts)) == []
    width, height = figure.get_size_inches() * figure.dpi
    boxes = rectangles(ax.texts)
    assert boxes.min() >= 0
    assert boxes[:, 2].max() <= width
    assert boxes[:, 3].max() <= height


def test_importance_performance_takes_the_table_and_divides_at_the_means():
    table = pd.DataFrame(
        {"performance": [70.0, 60.0], "importance": [0.2, 0.6]}, index=["Value", "Quality"]
    )
    figure = plots.importance_performance(table, target="Satisfaction")
    ax = figure.axes[0]
    vertical, horizontal, dots = ax.lines
    assert vertical.get_xdata()[0] == pytest.approx(0.4)
    assert horizontal.get_ydata()[0] == pytest.approx(65)
    assert np.column_stack(dots.get_data()).tolist() == [[0.2, 70.0], [0.6, 60.0]]
    assert "points of Satisfaction that go" in ax.get_xlabel().replace("\n", " ")
    split = table["importance"], table["performance"].iloc[::-1]
    again = plots.importance_performance(*split, target="Satisfaction")
    assert plots.to_svg(again) == plots.to_svg(figure)


def curve():
    index = np.arange(0.0, 101.0)
    probability = 1 / (1 + np.exp(-(index - 55) / 14))
    columns = {"index": index, "probability": probability}
    columns |= {"lower": probability - 0.02, "upper": probability + 0.02}
    return pd.DataFrame(columns)


def test_repurchase_curve_draws_line_band_and_marks():
    table = curve()
    figure = plots.repurchase_curve(table.iloc[::-1], points=(67, 70))
    ax = figure.axes[0]
    assert ax.lines[0].get_xdata().tolist() == table["index"].tolist()
    assert ax.lines[0].get_ydata().tolist() == table["probability"].tolist()
    band = ax.collections[0].get_paths()[0].get_extents()
    assert band.y1 == pytest.approx(table["upper"].max())
    assert band.y0 == pytest.approx(table["lower"].min())
    at = table["probability"]
    assert words(ax) == [f"67: {100 * at[67]:.1f} %", f"70: {100 * at[70]:.1f} %"]
    assert collisions(list(ax.texts)) == []
    figure.canvas.draw()
    assert ax.get_yticklabels()[-1].get_text() == "100 %"


def test_repurchase_curve_marks_given_probabilities():
    ax = plots.repurchase_curve(curve(), points=pd.Series({67.0: 0.5, 70.0: 0.625})).axes[0]
    assert words(ax) == ["67: 50.0 %", "70: 62.5 %"]


def test_rug_has_a_tick_for_every_distinct_value():
    ax = plots.repurchase_curve(curve(), rug=[70.0, 70.0, 70.0, 12.5, np.nan]).axes[0]
    rug = ax.collections[-1]
    assert [segment[0, 0] for segment in rug.get_segments()] == [12.5, 70.0]
    rare, common = rug.get_colors()[:, 3]
    assert rare < common
    many = plots.repurchase_curve(curve(), rug=np.random.default_rng(0).uniform(0, 100, 50_000))
    assert len(many.axes[0].collections[-1].get_segments()) <= 1001


def test_intervals_name_the_path_and_mark_doubt():
    index = pd.MultiIndex.from_tuples(
        [("Loyalty", "Image"), ("Loyalty", "Value")], names=["target", "source"]
    )
    table = pd.DataFrame(
        {"estimate": [0.2, -0.05], "lower": [0.1, -0.2], "upper": [0.3, 0.1]}, index=index
    )
    ax = plots.intervals(table).axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Image → Loyalty", "Value → Loyalty"]
    assert words(ax) == ["0.20 [0.10, 0.30]", "−0.05 [−0.20, 0.10]"]
    clear, doubtful = ax.lines[1:]
    assert clear.get_xdata().tolist() == [0.2]
    assert clear.get_markerfacecolor() == style.BLUE
    assert doubtful.get_xdata().tolist() == [-0.05]
    assert doubtful.get_markerfacecolor() == style.PAPER


def test_intervals_name_loadings_and_plain_rows():
    columns = {"estimate": [0.2], "lower": [0.1], "upper": [0.3]}
    index = pd.MultiIndex.from_tuples([("q1", "Image")], names=["item", "construct"])
    ax = plots.intervals(pd.DataFrame(columns, index=index)).axes[0]
    assert ax.get_yticklabels()[0].get_text() == "q1 (Image)"
    ax = plots.intervals(pd.DataFrame(columns, index=["Loyalty"])).axes[0]
    assert ax.get_yticklabels()[0].get_text() == "Loyalty"


def every_chart(ax=None):
    table = table_of(estimates(SMALL, SMALL_PATHS))
    map_table = pd.DataFrame(
        {"importance": [0.2, 0.6], "performance": [70.0, 60.0]}, index=["a", "b"]
    )
    return [
        plots.index_bars(SCORES, ax=ax),
        plots.importance_performance(map_table, target="Loyalty", ax=ax),
        plots.repurchase_curve(curve(), points=[70], rug=[60.0], ax=ax),
        plots.intervals(table, ax=ax),
    ]


def test_charts_draw_on_the_axes_they_are_given():
    figure = Figure()
    FigureCanvasAgg(figure)
    ax = figure.subfigures(1, 2)[0].add_subplot()
    assert all(drawn is figure for drawn in every_chart(ax))
    assert len(figure.axes) == 1
    assert len(ax.texts) > 5


# Names, fonts and settings


def test_names_are_taken_literally():
    blocks = {"Price in $ or €$": ["q_1$", "$q_2"], r"Loyal\ty <&>": ["x^2"]}
    figure = plots.path_diagram(estimates(blocks, [(0, 1)]))
    assert {"q_1$", "$q_2", "x^2", r"Loyal\ty <&>"} <= set(words(figure.axes[0]))
    ET.fromstring(plots.to_svg(figure))
    figure = plots.index_bars(SCORES.set_axis(["$a$", "$b", "c^2"]), title="$t$")
    assert "<svg" in plots.to_svg(figure)


def test_chinese_names_are_drawn_in_a_font_that_has_them():
    figure = plots.path_diagram(estimates(CHINESE, CHINESE_PATHS))
    family = plots.fonts.cjk_family()
    assert family is not None, "the tests need a CJK font: apt install fonts-noto-cjk"
    assert all(family in text.get_fontfamily() for text in figure.axes[0].texts)
    path = font_manager.findfont(font_manager.FontProperties(family=family))
    has = font_manager.get_font(path).get_charmap()
    assert {ord(character) for name in CHINESE for character in name} <= set(has)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of every missing glyph
        figure._repr_png_()
        plots.index_bars(SCORES.set_axis(list(CHINESE)[:3]), title="指数")._repr_png_()


def test_latin_figures_keep_the_font_that_ships_with_matplotlib(ecsi):
    assert {tuple(text.get_fontfamily()) for text in ecsi.axes[0].texts} == {("DejaVu Sans",)}


def test_japanese_and_korean_get_their_own_shapes(monkeypatch):
    names = ["Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR"]
    known = [SimpleNamespace(name=name, fname=name) for name in names]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", known)
    monkeypatch.setattr(
        plots.fonts, "_characters", lambda family: frozenset("満足度まんぞく만족도满意")
    )
    assert plots.fonts.cjk_family("满意") == "Noto Sans CJK SC"
    assert plots.fonts.cjk_family("まんぞく") == "Noto Sans CJK JP"
    assert plots.fonts.cjk_family("만족도") == "Noto Sans CJK KR"


def without_cjk(monkeypatch):
    kept = [
        entry
        for entry in font_manager.fontManager.ttflist
        if entry.name not in {*plots.fonts.CHINESE, *plots.fonts.JAPANESE, *plots.fonts.KOREAN}
    ]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", kept)


def test_without_a_cjk_font_the_warning_says_what_to_install(monkeypatch):
    without_cjk(monkeypatch)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: [])
    with collected() as findings:
        assert plots.fonts.families(["满意度", "Value"]) == ["DejaVu Sans"]
    (finding,) = findings
    assert finding.code == "missing-glyphs"
    assert finding.values == {"characters": ("度", "意", "满")}
    assert row_of(finding).case == "fonts to install"


def test_a_font_installed_since_matplotlib_listed_them_is_found(monkeypatch):
    before = plots.fonts.cjk_family()
    without_cjk(monkeypatch)
    found = plots.fonts.cjk_family()
    assert before is not None
    assert found is not None


def test_a_character_no_font_has_is_said():
    with collected() as findings:
        plots.fonts.families(["Value \U0001f9ff"])
    (finding,) = findings
    assert (finding.code, finding.values["characters"]) == ("missing-glyphs", ("\U0001f9ff",))
    assert row_of(finding).case == "no font"


def test_settings_of_the_user_neither_change_nor_matter(fit):
    plain = [plots.to_svg(figure) for figure in [plots.path_diagram(fit), *every_chart()]]
    dark = dict(mpl.style.library["dark_background"])
    odd = {
        "figure.constrained_layout.use": True,
        "savefig.bbox": "tight",
        "font.size": 20.0,
        "font.family": ["serif"],
        "axes.grid": True,
        "lines.linestyle": "--",
        "lines.marker": "x",
        "axes.titlelocation": "right",
        "text.color": "red",
    }
    with mpl.rc_context(dark | odd):
        before = dict(mpl.rcParams)
        styled = [plots.to_svg(figure) for figure in [plots.path_diagram(fit), *every_chart()]]
        assert dict(mpl.rcParams) == before
    assert [one == two for one, two in zip(plain, styled, strict=True)] == [True] * 5


def test_threads_draw_the_same_figure(fit):
    expected = plots.to_svg(plots.path_diagram(fit, items=False))
    drawn = []

    def draw():
        drawn.append(plots.to_svg(plots.path_diagram(fit, items=False)))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == [expected] * 4


# SVG and notebooks

FRESH = """
import sys
import csimodel as csi
early = "matplotlib" in sys.modules
import hashlib
from csimodel import plots
fit = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.PLS())
svg = plots.to_svg(plots.path_diagram(fit))
print(early, "matplotlib.pyplot" in sys.modules, hashlib.sha256(svg.encode()).hexdigest())
"""


def test_a_fresh_process_draws_the_same_svg_without_pyplot(fit):
    import hashlib

    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True)
    early, pyplot, digest = done.stdout.split()
    assert early == "False"
    assert pyplot == "False"
    assert digest == hashlib.sha256(plots.to_svg(plots.path_diagram(fit)).encode()).hexdigest()


def test_svg_is_one_element_with_names_of_its_own(ecsi):
    first = plots.to_svg(ecsi, title='Paths "of" <ECSI>')
    second = plots.to_svg(plots.index_bars(SCORES))
    names = []
    for text in (first, second):
        root = ET.fromstring(text)
        assert root.tag.endswith("svg")
        own = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(own) == len(set(own))
        used = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text)
        assert used
        assert {one or other for one, other in used} <= set(own)
        assert "<text" not in text
        names.append(set(own))
    assert not names[0] & names[1]
    assert ET.fromstring(first).get("aria-label") == 'Paths "of" <ECSI>'
    assert "date" not in second


def test_a_notebook_shows_the_figure(ecsi):
    from IPython.core.formatters import DisplayFormatter

    data, metadata = DisplayFormatter().format(ecsi)
    assert data["image/png"][:4] == b"\x89PNG"
    assert metadata["image/png"]["width"] == round(ecsi.get_size_inches()[0] * 96)
    assert isinstance(ecsi, Figure)


# Helpers


def test_labels_give_way_to_obstacles_and_each_other():
    spots = np.array([[0.0, 0.0], [20.0, 0.0], [40.0, 0.0]])
    label = Label((10.0, 10.0), spots, np.array([0.0, 1.0, 2.0]))
    wall = np.array([[-5.0, -5.0, 5.0, 5.0]])
    assert sorted(place([label, label], obstacles=wall)) == [1, 2]


@pytest.mark.parametrize(
    "text",
    ["one two three four five six", "customer_satisfaction_overall_2024", "总体满意度与期望比较"],
)
def test_wrapping_loses_nothing_and_keeps_the_width(text):
    family = plots.fonts.families([text])
    lines = text_metrics.wrap(text, 60, 9, family)
    assert "\n" in lines
    assert re.sub(r"\s", "", lines) == re.sub(r"\s", "", text)
    assert max(text_metrics.measure(line, 9, family)[0] for line in lines.split("\n")) <= 60


# Misuse: one sentence that says what to do

PATHS = table_of(estimates(SMALL, SMALL_PATHS))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: plots.path_diagram(3),
            "path_diagram wants a fit and fit is 3; make one with csi.fit(model, survey).",
        ),
        (
            lambda: plots.path_diagram(estimates(SMALL, SMALL_PATHS), bootstrap=7),
            'bootstrap is a int; pass the bootstrap of csimodel.bootstrap, or its table("paths").',
        ),
        (
            lambda: plots.path_diagram(estimates(SMALL, SMALL_PATHS), bootstrap=PATHS[["lower"]]),
            "bootstrap has no column 'upper' (it has lower); pass the table(\"paths\") of a bootstrap.",
        ),
        (
            lambda: plots.path_diagram(estimates(SMALL, SMALL_PATHS), bootstrap=PATHS.iloc[1:]),
            "bootstrap has no interval for the path Image → Trust; pass the bootstrap of this very fit.",
        ),
        (
            lambda: plots.index_bars(SCORES["mean"]),
            "scores is a Series; pass the DataFrame of csimodel.index_scores(fit).",
        ),
        (
            lambda: plots.index_bars(SCORES[["lower"]]),
            "scores has no column 'mean' (it has lower); pass the DataFrame of csimodel.index_scores(fit).",
        ),
        (
            lambda: plots.index_bars(SCORES.iloc[:0]),
            "scores has no rows; pass the DataFrame of csimodel.index_scores(fit).",
        ),
        (
            lambda: plots.index_bars(SCORES, ax="left"),
            "ax='left' is a str; pass a matplotlib Axes, or leave ax out to get a new figure.",
        ),
        (
            lambda: plots.importance_performance(SCORES["mean"], 3, target="Loyalty"),
            "performance is a int; pass two Series by construct, or the one DataFrame of "
            "csimodel.importance_performance(fit, target).",
        ),
        (
            lambda: plots.importance_performance(SCORES["mean"], SCORES["mean"][:1], target="L"),
            "performance has no value for 'Value'; give it the constructs that importance has.",
        ),
        (
            lambda: plots.importance_performance(
                SCORES["mean"] * np.nan, SCORES["mean"], target="L"
            ),
            "'Satisfaction' has an importance or performance that is not a finite number; "
            "leave it out of the map.",
        ),
        (
            lambda: plots.repurchase_curve(curve(), points=[120]),
            "points has 120, which the curve does not reach (it goes from 0 to 100); "
            "choose a point on it.",
        ),
        (
            lambda: plots.repurchase_curve(curve(), rug=[np.nan]),
            "rug has no finite value; pass the index of respondents, 0–100.",
        ),
        (
            lambda: plots.intervals(SCORES),
            "table has no column 'estimate' (it has mean, lower, upper); "
            'pass the DataFrame of boot.table("paths").',
        ),
        (
            lambda: plots.to_svg("figure"),
            "figure is a str; pass the matplotlib Figure that a function of csimodel.plots returns.",
        ),
    ],
)
def test_misuse_is_refused_in_one_sentence(call, message):
    with pytest.raises(OptionError) as refused:
        call()
    assert str(refused.value) == message


def test_slopes_over_a_moderator(mobi):
    text = csi.models.ecsi().to_syntax() + "\nLoyalty ~ Image:Satisfaction"
    fit = csi.fit(csi.Model.from_syntax(text), mobi)
    slopes = csi.simple_slopes(fit, "Loyalty", "Image")
    ax = csi.plots.moderation(slopes, title="Image").axes[0]
    line, apart, levels = ax.lines[1:4]
    np.testing.assert_allclose(line.get_ydata(), slopes.curve["estimate"])
    np.testing.assert_allclose(line.get_xdata(), slopes.curve.index)
    np.testing.assert_allclose(levels.get_ydata(), slopes.table["estimate"])
    shown = slopes.curve["lower"] > 0
    np.testing.assert_array_equal(np.isfinite(apart.get_ydata()), shown)
    assert 0 < shown.sum() < len(shown)
    for wrong in (None, slopes.table, "slopes"):
        with pytest.raises(OptionError, match="slopes"):
            csi.plots.moderation(wrong)


def test_text_of_an_editable_picture_stays_text(fit):
    figure = plots.path_diagram(fit)
    outlined, editable = plots.to_svg(figure), plots.to_svg(figure, editable=True)
    assert "<text" not in outlined
    words = {text for node in ET.fromstring(editable).iter() for text in [node.text] if text}
    assert {*fit.model.construct_names, *fit.model.items} <= words
