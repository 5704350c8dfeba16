"""The path diagram as a user wants it: numbers, labels, places, colours, fonts, names; and DOT."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyBboxPatch
from test_plots import (
    LONG,
    LONG_PATHS,
    SMALL,
    SMALL_PATHS,
    bezier,
    collisions,
    estimates,
    of_class,
    structural,
    table_of,
    words,
)

import csimodel as csi
from csimodel import plots
from csimodel.errors import OptionError

PLACES = {"Image": (0, 1), "Trust": (1, 0), "Loyalty": (2, 1)}


@pytest.fixture(scope="module")
def fit():
    return csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.PLS())


@pytest.fixture(scope="module")
def lin(fit):
    return csi.linearize(fit)


@pytest.fixture
def small():
    return estimates(SMALL, SMALL_PATHS)


def errors_of(fit):
    table = table_of(fit)
    p = np.linspace(0.0004, 0.2, len(table))
    return table.assign(se=0.1, p=p)


def test_what_stands_on_arrows_is_what_the_table_has(fit, lin):
    table = lin.table("paths")
    seen = words(
        plots.path_diagram(fit, bootstrap=lin, show=["path", "t", "p", "interval"]).axes[0]
    )
    for path in fit.model.paths:
        row = table.loc[(path.target, path.source)]
        text = "\n".join(
            [
                f"{row['estimate']:.2f}",
                f"t = {row['estimate'] / row['se']:.2f}",
                "p < .001" if row["p"] < 0.001 else f"p = {row['p']:.3f}".replace("0.", "."),
                f"[{row['lower']:.2f}, {row['upper']:.2f}]".replace("-", "−"),
            ]
        )
        assert text in seen


@pytest.mark.parametrize(
    ("p", "stars"), [(0.0009, "***"), (0.009, "**"), (0.049, "*"), (0.051, ""), (np.nan, "")]
)
def test_stars_are_those_of_p(small, p, stars):
    table = errors_of(small).assign(p=p)
    figure = plots.path_diagram(small, bootstrap=table, show=["path", "stars"], items=False)
    value = small.paths.loc["Trust", "Image"]
    assert f"{value:.2f}".replace("-", "−") + stars in words(figure.axes[0])
    assert "* p < .05, ** p < .01, *** p < .001" in words(figure.axes[0])


def test_without_an_error_there_is_no_t(small):
    table = errors_of(small).assign(se=np.nan)
    seen = words(plots.path_diagram(small, bootstrap=table, show="t", items=False).axes[0])
    assert seen.count("t = –") == 3


def test_three_lines_on_every_arrow_cover_nothing(fit, lin):
    figure = plots.path_diagram(fit, bootstrap=lin, show=["path", "stars", "interval"])
    assert collisions(list(figure.axes[0].texts)) == []


def test_thirty_constructs_are_readable():
    rng = np.random.default_rng(1)
    blocks = {f"Construct {i}": [f"c{i}q{j}" for j in range(3)] for i in range(30)}
    paths = sorted(
        {
            (int(source), target)
            for target in range(1, 30)
            for source in rng.choice(np.arange(max(0, target - 7), target), min(target, 2), False)
        }
    )
    assert collisions(list(plots.path_diagram(estimates(blocks, paths)).axes[0].texts)) == []


def test_constructs_stand_where_they_are_put(small):
    ax = plots.path_diagram(small, positions=PLACES).axes[0]
    centres = np.array([ellipse.center for ellipse in of_class(ax, Ellipse)])
    wanted = np.array([PLACES[name] for name in SMALL], dtype=float)
    step = np.ptp(centres, axis=0) / np.ptp(wanted, axis=0)
    np.testing.assert_allclose(centres - centres[0], (wanted - wanted[0]) * step)
    assert (step > 0).all()
    assert collisions(list(ax.texts)) == []


def test_items_keep_off_what_stands_beside_their_construct(small):
    """Of two constructs above each other the items go to the outer sides."""
    fit = estimates({"A": ["a1", "a2"], "B": ["b1", "b2"]}, [(0, 1)])
    ax = plots.path_diagram(fit, positions={"A": (0, 0), "B": (0, 1)}).axes[0]
    low, high = (ellipse.center[1] for ellipse in of_class(ax, Ellipse))
    boxes = [box.get_y() for box in of_class(ax, FancyBboxPatch)]
    assert max(boxes[:2]) < low < high < min(boxes[2:])


def test_labels_are_written_in_the_place_of_names(small):
    labels = {"Image": "Corporate image", "i1": "keeps its word"}
    figure = plots.path_diagram(small, labels=labels)
    seen = [text.replace("\n", " ") for text in words(figure.axes[0])]
    assert {"Corporate image", "keeps its word", "Trust", "i2"} <= set(seen)
    assert not {"Image", "i1"} & set(seen)
    svg = plots.to_svg(figure, editable=True)
    assert 'id="construct-Image"' in svg


def test_decimals_are_those_asked_for(small):
    seen = words(plots.path_diagram(small, decimals=3).axes[0])
    assert f"{small.loadings.loc['i1', 'Image']:.3f}" in seen
    assert f"R² = {small.r2['Trust']:.3f}" in seen


def test_colours_go_where_they_are_named(small):
    colors = {
        "positive": "green", "negative": "#112233", "construct": "gold", "item": "#aabbcc",
        "line": "tab:red", "text": "navy",
    }  # fmt: skip
    ax = plots.path_diagram(small, colors=colors).axes[0]
    assert {to_hex(e.get_facecolor()) for e in of_class(ax, Ellipse)} == {to_hex("gold")}
    assert {to_hex(b.get_facecolor()) for b in of_class(ax, FancyBboxPatch)} == {"#aabbcc"}
    edges = [to_hex(patch.get_edgecolor()) for patch in ax.patches if patch.get_gid()]
    negative = sum(small.paths.loc[p.target, p.source] < 0 for p in small.model.paths)
    assert edges.count("#112233") == negative
    assert edges.count(to_hex("green")) == 3 - negative
    assert edges.count(to_hex("tab:red")) == 14  # arrows and boxes of items
    assert to_hex(ax.texts[0].get_color()) == to_hex("navy")


def test_a_font_is_that_asked_for_and_others_have_what_it_lacks(small):
    ax = plots.path_diagram(small, font="DejaVu Serif", labels={"Image": "形象"}).axes[0]
    families = ax.texts[0].get_fontfamily()
    assert families[0] == "DejaVu Serif"
    assert len(families) > 2


def test_a_title_stands_above_everything(small):
    ax = plots.path_diagram(small, title="Three constructs").axes[0]
    (title,) = [text for text in ax.texts if text.get_text() == "Three constructs"]
    assert title.get_position()[1] > max(t.get_position()[1] for t in ax.texts if t is not title)
    assert collisions(list(ax.texts)) == []


def test_axes_that_are_given_hold_it_at_their_size(small):
    figure = Figure(figsize=(8, 3))
    left, right = figure.subplots(1, 2)
    assert plots.path_diagram(small, ax=left) is figure
    assert not right.texts
    usual = plots.path_diagram(small).axes[0]
    scale = left.texts[0].get_fontsize() / usual.texts[0].get_fontsize()
    assert 0 < scale < 1
    assert collisions(list(left.texts)) == []
    width = left.get_window_extent().width / figure.dpi * 72
    assert np.ptp(left.get_xlim()) == pytest.approx(width / scale)
    assert np.ptp(left.get_ylim()) == pytest.approx(
        left.get_window_extent().height / figure.dpi * 72 / scale
    )


def test_parts_of_an_svg_are_found_by_name(fit):
    svg = plots.to_svg(plots.path_diagram(fit), editable=True)
    tree = ET.fromstring(svg)
    names = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(names) == len(set(names))
    for construct in fit.model.constructs:
        assert {f"construct-{construct.name}", f"name-{construct.name}"} <= set(names)
        for item in construct.items:
            assert {f"{kind}-{item}" for kind in ("item", "label", "arrow", "loading")} <= set(
                names
            )
    for path in fit.model.paths:
        own = f"{path.source}-{path.target}"
        assert {f"path-{own}", f"coefficient-{own}"} <= set(names)
    name = tree.find(".//*[@id='name-Satisfaction']")
    assert "Satisfaction" in "".join(name.itertext())
    assert all(not re.search(r"\s", one) for one in names)


def test_spaces_in_names_are_no_spaces_in_an_svg():
    svg = plots.to_svg(plots.path_diagram(estimates(LONG, LONG_PATHS)), editable=True)
    assert 'id="construct-Price_fairness"' in svg


def nodes_and_edges(dot):
    """Return nodes and edges of DOT text with their options, read as Graphviz reads it."""
    text = r'"((?:[^"\\]|\\.)*)"'
    nodes, edges = {}, {}
    for line in dot.splitlines()[4:-1]:
        options = dict(re.findall(rf"(\w+)={text}", line[line.rindex(" [") :]))
        ends = re.findall(text, line[: line.rindex(" [")])
        (nodes if len(ends) == 1 else edges)[ends[0] if len(ends) == 1 else tuple(ends)] = options
    return nodes, edges


def test_dot_has_every_construct_item_and_path(fit, lin):
    nodes, edges = nodes_and_edges(plots.to_dot(fit, bootstrap=lin))
    assert len(nodes) == 7 + 24
    assert len(edges) == 12 + 24
    for path in fit.model.paths:
        own = edges[f"construct {path.source}", f"construct {path.target}"]
        row = lin.table("paths").loc[(path.target, path.source)]
        assert own["label"] == f"{row['estimate']:.2f}"
        assert (own.get("style") == "dashed") == (row["lower"] <= 0 <= row["upper"])
    assert edges["construct Image", "item IMAG1"]["label"] == "0.75"
    assert nodes["construct Loyalty"]["label"] == "Loyalty\\nR² = 0.46"


def test_dot_writes_names_that_look_like_its_language():
    blocks = {'a "b"\\': ["x\ny"], "}; c -> d": ["[z=1]"]}
    fit = estimates(blocks, [(0, 1)])
    dot = plots.to_dot(fit, show="path")
    nodes, edges = nodes_and_edges(dot)
    assert nodes['construct a \\"b\\"\\\\']["label"] == 'a \\"b\\"\\\\'
    assert nodes["item x\\ny"]["label"] == "x\\ny"
    assert ('construct a \\"b\\"\\\\', "construct }; c -> d") in edges


def test_composites_in_dot_receive_the_arrows_of_their_items():
    model = csi.Model.from_syntax("A <~ CUSA1 + CUSA2\nB =~ CUSL1\nB ~ A")
    _, edges = nodes_and_edges(plots.to_dot(csi.fit(model, csi.load_mobi())))
    assert ("item CUSA1", "construct A") in edges
    assert ("construct B", "item CUSL1") in edges


@pytest.mark.parametrize("draw", [plots.path_diagram, plots.to_dot])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"show": []}, r"show=\[\] is empty; name one or more of path, t, p, interval, stars"),
        ({"show": "z"}, "show='z'"),
        ({"show": ["path", "p"]}, "show='p' needs errors of the paths"),
        ({"show": "interval"}, "show='interval' needs errors"),
        ({"decimals": -1}, "decimals=-1 must be a whole number"),
        ({"decimals": 7}, "decimals=7 must be at most 6"),
        ({"labels": {"Imge": "x"}}, "labels= names 'Imge', which is no construct or item.*Image"),
        ({"labels": {"Image": 3}}, "labels=.*must be a dict by name"),
        ({"items": 2}, "items=2 must be True or False"),
    ],
)
def test_options_of_the_diagram_are_held_to_the_model(small, draw, options, message):
    with pytest.raises(OptionError, match=message):
        draw(small, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"positions": {"Image": (0, 0)}},
            "positions= has no place for 'Trust'; give one for each",
        ),
        (
            {"positions": PLACES | {"Trst": (0, 0)}},
            "positions= names 'Trst', which is no construct",
        ),
        (
            {"positions": PLACES | {"Trust": (0,)}},
            r"positions\['Trust'\]=\(0,\) must be two finite",
        ),
        ({"positions": PLACES | {"Trust": "ab"}}, "each a list of numbers"),
        ({"positions": PLACES | {"Trust": (0, float("nan"))}}, "each a list of numbers"),
        ({"positions": PLACES | {"Trust": (0, 1.1)}}, "puts 'Trust' and 'Image' on the same place"),
        ({"positions": 3}, "positions=3 must be a dict by name"),
        ({"colors": {"arrow": "red"}}, "colors='arrow'"),
        ({"colors": {"item": "reddish"}}, r"colors\['item'\]='reddish' is no colour"),
        ({"font": "No Such Font"}, "font='No Such Font' is not installed here"),
        ({"ax": 3}, "ax=3"),
    ],
)
def test_looks_that_cannot_be_are_refused(small, options, message):
    with pytest.raises(OptionError, match=message):
        plots.path_diagram(small, **options)


def test_a_table_without_what_is_shown_is_refused(small):
    table = errors_of(small).drop(columns="p")
    with pytest.raises(OptionError, match="bootstrap has no column 'p'"):
        plots.path_diagram(small, bootstrap=table, show="stars")


def test_numbers_stay_on_their_arrows_in_given_places(small):
    ax = plots.path_diagram(small, positions=PLACES, items=False).axes[0]
    bold = [t for t in ax.texts if t.get_fontweight() == "bold" and t.get_text()[-1].isdigit()]
    for arrow, text in zip(structural(ax), bold, strict=True):
        assert np.hypot(*(bezier(arrow) - text.get_position()).T).min() < 3
