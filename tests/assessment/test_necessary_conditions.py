"""Necessary conditions: other programs, areas by hand, permutations, and what cannot be."""

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.assessment import necessary_conditions
from csimodel.assessment.ceilings import Ceiling, Scatter, area_above, unit_coordinates
from csimodel.errors import CsimodelError, ModelError, OptionError, SurveyError

SMALL = csi.Model.from_syntax(
    "Q =~ PERQ1 + PERQ3 + PERQ5\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q + V"
)


@pytest.fixture(scope="module")
def loyalty(mobi):
    rows = np.loadtxt("tests/reference/mobi_nca_permutations.csv", delimiter=",", dtype=int) - 1
    fit = csi.fit(csi.models.ecsi(), mobi, csi.PLS(tolerance=1e-12))
    return necessary_conditions(fit, "Loyalty", rows, progress=False)


@pytest.fixture(scope="module")
def small(mobi):
    return csi.fit(SMALL, mobi)


def test_effect_sizes_and_lines_of_another_program(reference, loyalty):
    told = reference("mobi_structure.json")
    for driver, own in told["nca_direct"]["summaries"].items():
        params = own["params"]
        values = {
            name: [np.nan if cell in (None, [None]) else np.ravel(cell)[0] for cell in row]
            for name, row in zip(params["rows"], params["data"], strict=True)
        }
        for column, kind in enumerate(("ce_fdh", "cr_fdh")):
            row = loyalty.table.loc[(driver, kind)]
            for name, key in (
                ("effect_size", "Effect size"), ("accuracy", "Ceiling accuracy"),
                ("slope", "Slope"), ("intercept", "Intercept"),
            ):  # fmt: skip
                assert row[name] == pytest.approx(values[key][column], abs=1e-8, nan_ok=True)
        assert loyalty.table.loc[(driver, "ce_fdh"), "corners"] == values["Complexity"][0]


def test_units_of_scores_do_not_matter(reference, loyalty):
    told = reference("mobi_structure.json")["nca_package"]["summaries"]
    for driver, own in told.items():
        row = own["params"]["data"][own["params"]["rows"].index("Effect size")]
        sizes = loyalty.table.loc[driver, "effect_size"]
        np.testing.assert_allclose(sizes, np.ravel(row)[:2], atol=1e-9)


@pytest.mark.parametrize("kind", ["ce_fdh", "cr_fdh"])
def test_bottlenecks_of_another_program(reference, loyalty, kind):
    """NN, not necessary, is 0 here; seminrExtras has no value at 100 percent, where there is one."""
    structure = reference("mobi_structure.json")
    told = structure["nca_package"]["bottlenecks"][kind]
    own = loyalty.bottleneck(kind)
    assert own.index.tolist() == told["Loyalty"]
    for driver in own.columns:
        expected = [0.0 if cell == ["NN"] else float(cell[0]) for cell in told[driver]]
        np.testing.assert_allclose(own[driver], expected, atol=0.0501)
    other = structure["seminrExtras_nca"]["bottleneck"]["ce_fdh"]
    assert all(other[driver][-1] is None for driver in own.columns)


def test_p_values_on_given_permutations(reference, loyalty):
    """Ties count: of two drivers with few values the other program leaves them to rounding."""
    told = reference("mobi_structure.json")["nca_permutation"]
    for kind, row, sizes in zip(
        ("ce_fdh", "cr_fdh"), told["p"]["data"], told["d"]["data"], strict=True
    ):
        draws = loyalty.draws(kind)
        share = (loyalty.table["p"].xs(kind, level="ceiling") * 201 - 1) / 200
        for driver, p, size in zip(told["p"]["cols"], row, sizes, strict=True):
            if driver == "Complaints":
                strictly = (draws[driver] > size + 1e-9).mean()
                assert strictly < p < share[driver]
            else:
                assert share[driver] == pytest.approx(p, abs=1e-12)


def test_the_combined_map(reference, loyalty):
    """Weights of items in scale units; seminrExtras applies those of standardised items to raw ones."""
    table = csi.index.combined_importance_performance(loyalty, outcome=90.0)
    told = reference("mobi_structure.json")
    other = told["seminrExtras_cipma_Loyalty"]["classification"]
    words = {
        (True, True): "important and necessary", (True, False): "important",
        (False, True): "necessary", (False, False): "neither",
    }  # fmt: skip
    for name, high, necessary in zip(
        other["Construct"], other["High_Importance"], other["Necessary"], strict=True
    ):
        assert table.loc[name, "priority"] == words[high, necessary]
    plain = csi.importance_performance(loyalty.fit, "Loyalty")
    pd.testing.assert_frame_equal(table[["importance", "performance"]], plain)
    raw = told["seminrExtras_ipma_Loyalty"]["importance_unstd"]["Image"]
    assert abs(table.loc["Image", "importance"] - raw) > 5e-3
    assert table.loc["Image", "required"] == pytest.approx(23.7, abs=0.05)
    lacking = (
        loyalty.scores["Image"] < loyalty.bottleneck(of="scores", levels=[90]).iloc[0]["Image"]
    )
    assert table.loc["Image", "below"] == pytest.approx(100 * lacking.mean())


def test_areas_by_hand():
    x, y = np.array([0.0, 0.25, 0.25, 0.5, 1.0]), np.array([0.25, 0.1, 0.5, 0.0, 1.0])
    scatter = Scatter(x)
    steps, line = scatter.effect_sizes(y)
    assert steps == pytest.approx(0.25 * 0.75 + 0.75 * 0.5)
    corners = np.array([[0.0, 0.25], [0.25, 0.5], [1.0, 1.0]])
    slope, intercept = np.polyfit(*corners.T, 1)
    grid = np.linspace(0, 1, 200_001)
    assert line == pytest.approx(np.mean(1 - np.clip(intercept + slope * grid, 0, 1)), abs=1e-5)
    ceiling = Ceiling.of("ce_fdh", scatter, y)
    assert ceiling.required(np.array([0.0, 0.25, 0.3, 0.5, 0.6, 1.0])).tolist() == [
        0.0, 0.0, 0.25, 0.25, 1.0, 1.0,
    ]  # fmt: skip
    assert Ceiling.of("cr_fdh", scatter, y).accuracy(x, y) == 0.8


def test_a_line_that_leaves_the_plane():
    low = Ceiling("cr_fdh", np.zeros(1), np.zeros(1), 0.0, 0.5)
    assert np.isnan(low.required(np.array([0.6]))[0])
    assert area_above(np.array(0.0), np.array(0.5)) == pytest.approx(0.75)


def test_no_corner_is_empty_where_the_highest_comes_first():
    scatter = Scatter(np.array([0.0, 0.5, 1.0]))
    assert scatter.effect_sizes(np.array([1.0, 0.2, 0.9])).tolist() == [0.0, 0.0]
    flat = Ceiling.of("cr_fdh", scatter, np.array([1.0, 0.2, 0.9]))
    assert flat.required(np.array([0.5, 1.0])).tolist() == [0.0, 0.0]
    assert flat.accuracy(np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.2, 0.9])) == 1.0


def test_values_equal_but_for_rounding_are_one():
    assert len(np.unique(unit_coordinates(np.array([1.0, 1.0 + 1e-15, 2.0, 3.0])))) == 3
    assert np.isnan(unit_coordinates(np.array([2.0, 2.0 + 1e-15]))).all()


def test_exchange_is_within_strata_and_clusters(mobi, small):
    frame = mobi.data.assign(pair=np.arange(250) // 2, alone=np.arange(250))
    first = csi.fit(SMALL, csi.read_survey(frame, strata="pair", missing="listwise"))
    result = necessary_conditions(first, "S", 30, 1, progress=False)
    assert not result.findings[-1].code.startswith("exchanged")
    clustered = csi.fit(SMALL, csi.read_survey(frame, cluster="pair"))
    result = necessary_conditions(clustered, "S", 30, 1, progress=False)
    (finding,) = [f for f in result.findings if f.code == "exchanged-within-clusters"]
    assert finding.values["clusters"] == 125
    assert row_of(finding)
    alone = csi.fit(SMALL, csi.read_survey(frame, cluster="alone"))
    result = necessary_conditions(alone, "S", 30, 1, progress=False)
    assert (result.table["reason"] == "fewer than 20 ways to exchange respondents").all()
    assert result.table["p"].isna().all()
    assert (result.verdicts == "not judged").all()


def test_the_same_permutations_for_a_seed(small):
    first, second = (necessary_conditions(small, "S", 50, 7, progress=False) for _ in range(2))
    pd.testing.assert_frame_equal(first.draws("cr_fdh"), second.draws("cr_fdh"))
    more = necessary_conditions(small, "S", 80, 7, progress=False)
    pd.testing.assert_frame_equal(more.draws().iloc[:50], first.draws())


def test_what_is_said(loyalty, small):
    codes = [finding.code for finding in loyalty.findings]
    assert codes.count("necessary-condition") == 4
    assert codes.count("necessity-not-shown") == 2
    assert all(row_of(finding) for finding in loyalty.findings)
    assert "CE-FDH" in str(loyalty)
    assert "Bottlenecks" in loyalty._repr_html_()
    by_line = necessary_conditions(small, "S", 40, ceiling="cr_fdh", progress=False)
    row = by_line.table.xs("cr_fdh", level="ceiling").loc["Q"]
    assert by_line.findings[0].values["size"] == row["effect_size"]


def test_respondents_without_scores_are_counted(mobi):
    data = mobi.data.assign(PERQ1=mobi.data["PERQ1"].where(mobi.data.index > 9))
    fit = csi.fit(SMALL, csi.read_survey(data, missing="pairwise"))
    result = necessary_conditions(fit, "S", 30, progress=False)
    (finding,) = [f for f in result.findings if f.code == "respondents-without-scores"]
    assert (finding.count, len(result.scores)) == (10, 240)
    assert row_of(finding)


def test_a_picture_and_what_is_drawn(loyalty):
    figure = csi.plots.necessary_conditions(loyalty, "Image", title="Loyalty and image")
    dots, steps, line = figure.axes[0].lines
    assert len(dots.get_xdata()) == 250
    assert len(steps.get_xdata()) == len(np.unique(loyalty.scores["Image"].round(9)))
    assert np.nanmax(line.get_ydata()) == pytest.approx(loyalty.scores["Loyalty"].max())
    with pytest.raises(OptionError, match=r"^driver='Imag' is none of the drivers"):
        csi.plots.necessary_conditions(loyalty, "Imag")


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"target": "X"}, ModelError, r"^Target 'X' is not in the model"),
        ({"target": "Q"}, ModelError, r"^No construct affects 'Q'; choose a target"),
        ({"drivers": ["X"]}, ModelError, r"^Driver 'X' is not in the model"),
        ({"drivers": "S"}, OptionError, r"^drivers= holds the target 'S'"),
        ({"ceiling": "c_lp"}, OptionError, r"^ceiling='c_lp' is not known"),
        ({"permutations": 5}, OptionError, r"^permutations=5 must be a whole number"),
        ({"permutations": np.zeros((30, 3))}, OptionError, r"array of shape \(30, 3\); give one row"),
        ({"permutations": np.zeros((30, 250), int)}, OptionError, r"^Row 0 of permutations= does not"),
        ({"permutations": [np.arange(250)]}, OptionError, r"holds 1 permutations, from which"),
    ],
)  # fmt: skip
def test_what_is_refused(small, options, error, sentence):
    with pytest.raises(error, match=sentence):
        necessary_conditions(small, **{"target": "S", "progress": False, **options})


def test_too_few_scores_and_levels_that_are_none(mobi, small):
    data = mobi.data.assign(PERQ1=mobi.data["PERQ1"].where(mobi.data.index < 0))
    with pytest.raises(CsimodelError):
        necessary_conditions(csi.fit(SMALL, csi.read_survey(data, missing="pairwise")), "S")
    result = necessary_conditions(small, "S", 20, progress=False)
    for levels in ([-1], [101], [np.nan], [], "x"):
        with pytest.raises(OptionError, match="levels"):
            result.bottleneck(levels=levels)
    with pytest.raises(SurveyError, match="made from moments"):
        necessary_conditions(csi.fit(SMALL, small.moments), "S")
    with pytest.raises(OptionError, match="must be a NecessaryConditions"):
        csi.index.combined_importance_performance(small)
    with pytest.raises(OptionError, match="outcome=101 must be a number"):
        csi.index.combined_importance_performance(result, 101)
    exogenous = necessary_conditions(small, "Q", 20, drivers=["S"], progress=False)
    with pytest.raises(ModelError, match="No construct affects 'Q'"):
        csi.index.combined_importance_performance(exogenous)


def test_an_outcome_that_the_line_meets_at_its_end_has_a_condition():
    line = Ceiling("cr_fdh", np.zeros(1), np.zeros(1), 0.5, 0.5)
    assert line.required(np.array([0.75, 1.0, 1.0 + 1e-3])).tolist()[:2] == [0.5, 1.0]
    assert np.isnan(line.required(np.array([1.0 + 1e-3]))[0])
