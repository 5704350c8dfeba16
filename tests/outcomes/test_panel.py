"""Firms over periods: values of plm, lm and sandwich, laws, recovery, messages."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from cluster_errors import by_definition
from conftest import REFERENCE
from numpy.testing import assert_allclose
from scipy.stats import t
from wordings import row_of

import csimodel as csi
from csimodel.errors import EstimationError, OptionError, SurveyError
from csimodel.outcomes.kernels.fixed_effects import connected_rows
from csimodel.outcomes.models.panel.cells import PanelCells

QS = ("q0", "q1", "q2", "q3")


@pytest.fixture(scope="module")
def r(reference):
    return reference("panel.json")


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(REFERENCE / "panel.csv")


def of(table, **options):
    given = {"controls": "price", "firm": "firm", "period": "period", "index": "index", **options}
    return csi.outcomes.repurchase_panel(table, "again", **given)


def survey_of(seed=0, firms=50, periods=4, people=40, within=3.0, slope=0.0058, **design):
    """Simulate respondents of firms whose index moves, with the catalogue's satisfaction items."""
    rng = np.random.default_rng(seed)
    firm = np.repeat(np.arange(firms), periods * people)
    period = np.tile(np.repeat(np.arange(periods), people), firms)
    place = firm * periods + period
    level = 65 + rng.normal(0, 8, firms)[firm] + rng.normal(0, within, firms * periods)[place]
    own = level + rng.normal(0, 8, len(firm))
    items = {f"q{j}": own + rng.normal(0, 6, len(firm)) for j in range(4)}
    y = 0.35 + slope * level + rng.normal(0, 0.05, firms)[firm] + 0.03 * period
    y = y + rng.normal(0, 0.01, firms * periods)[place]
    again = (rng.random(len(firm)) < np.clip(y, 0, 1)).astype(float)
    data = pd.DataFrame({**items, "again": again, "firm": firm, "period": period})
    data = data.clip(lower=0).assign(w=1.0 + (np.arange(len(firm)) % 3))
    named = {name: csi.Item(name, minimum=0, maximum=130) for name in items}
    return csi.Survey(data, named, **design)


def fitted(survey):
    model = csi.Model([csi.composite("Satisfaction", ["q0", "q1", "q2"]), csi.composite("A", ["q3"])],
                      [csi.Path("Satisfaction", "A")])  # fmt: skip
    return csi.fit(model, survey)


# --- values from other programs ------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "n"])
@pytest.mark.parametrize("effects", ["two-way", "firm", "period", "none"])
def test_slopes_and_clustered_errors_of_r(table, r, effects, weights):
    theirs = r[effects.replace("-", "_")]["equal" if weights is None else "respondents"]
    for errors in ("cluster", "two-way"):
        found = of(table, effects=effects, weights=weights, errors=errors)
        assert_allclose(found.slopes["estimate"], theirs["coefficients"], rtol=1e-9)
        n, g, t = found.n, found.firms, found.periods
        k = 3 + (t - 1 if effects in ("two-way", "period") else 0)
        scale = (n - 1) / (n - k)
        firm = np.array(theirs["firm"]) * g / (g - 1) * scale
        if errors == "cluster":
            assert_allclose(found.panel.covariance(errors)[0][1:, 1:], firm, rtol=1e-7)
            continue
        period = np.array(theirs["period"]) * t / (t - 1) * scale
        alone = np.array(theirs["firm"]) + np.array(theirs["period"]) - np.array(theirs["both"])
        both = firm + period - alone * n / (n - 1) * scale
        assert_allclose(found.panel.clustered(errors)[1:, 1:], both, rtol=1e-6)
        values, vectors = np.linalg.eigh(found.panel.clustered(errors))
        mended, told = found.panel.covariance(errors)
        assert told == (values[0] < 0) == ("covariance-mended" in {f.code for f in found.findings})
        assert_allclose(mended, (vectors * values.clip(0)) @ vectors.T, rtol=1e-6, atol=1e-12)


def test_within_estimator_of_plm(table, r):
    found = of(table, errors="cluster")
    assert_allclose(found.slopes["estimate"], r["plm"]["coefficients"], rtol=1e-9)
    scale = found.firms / (found.firms - 1) * (found.n - 1) / (found.n - 3 - found.periods + 1)
    ours = found.panel.covariance("cluster")[0][1:, 1:]
    assert_allclose(ours, np.array(r["plm"]["firm"]) * scale, rtol=1e-7)


def test_statsmodels_with_dummies_gives_the_same_slopes(table):
    import statsmodels.formula.api as smf

    theirs = smf.wls("again ~ index + price + C(firm) + C(period)", table, weights=table["n"]).fit()
    found = of(table, weights="n")
    assert_allclose(found.slopes["estimate"], theirs.params[["index", "price"]], rtol=1e-9)


@pytest.mark.parametrize("weights", [None, "n"])
@pytest.mark.parametrize("effects", ["two-way", "firm", "period", "none"])
def test_cr2_is_its_definition_with_a_column_for_each_firm(table, effects, weights):
    few = table[table["firm"] <= 9]
    found = of(few, effects=effects, weights=weights)
    assert found.errors == "CR2"
    dummies = {
        "two-way": ["firm", "period"], "firm": ["firm"], "period": ["period"], "none": []
    }[effects]  # fmt: skip
    columns = [few[["index", "price"]].to_numpy(), np.ones((len(few), 1))]
    columns += [pd.get_dummies(few[name], drop_first=True).to_numpy(float) for name in dummies]
    # working variances inverse to the weights: independent rows of variance 1 after their roots
    root = np.sqrt(1.0 if weights is None else few[weights].to_numpy(float))
    X, y = (np.column_stack(columns).T * root).T, few["again"].to_numpy() * root
    residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    _, firm = np.unique(few["firm"], return_inverse=True)
    C = np.eye(X.shape[1])[:2]
    V, df, _ = by_definition(X, residual, np.ones(len(X)), firm, C)
    assert_allclose(found.slopes["se"], np.sqrt(np.diag(V)[:2]), rtol=1e-8)
    assert_allclose(found.slopes["df"], df, rtol=1e-8)
    wide = found.slopes["upper"] - found.slopes["estimate"]
    assert_allclose(wide, t.ppf(0.975, df) * np.sqrt(np.diag(V)[:2]), rtol=1e-8)


@pytest.mark.parametrize("effects", ["two-way", "firm"])
def test_cr2_of_two_periods_is_statsmodels_hc2_of_differences(effects):
    rng = np.random.default_rng(4)
    x, y = rng.normal(60, 5, (9, 2)), rng.normal(0.5, 0.1, (9, 2))
    firm, period = np.repeat(np.arange(9), 2), np.tile([0, 1], 9)
    frame = pd.DataFrame({"firm": firm, "period": period, "index": x.ravel(), "again": y.ravel()})
    found = of(frame, controls=(), effects=effects)
    change = np.column_stack([np.diff(x), np.ones((9, 1))])[:, : 1 + (effects == "two-way")]
    theirs = sm.OLS(np.diff(y)[:, 0], change).fit(cov_type="HC2")
    assert_allclose(found.slope, theirs.params[0], rtol=1e-9)
    assert_allclose(found.slope.se, theirs.bse[0], rtol=1e-9)


# --- laws ----------------------------------------------------------------------------------------


def test_a_constant_of_a_firm_or_a_period_changes_no_slope(table):
    shifted = table.assign(
        again=table["again"] / 2 + 0.003 * table["firm"] + 0.01 * table["period"],
        index=table["index"] + 0.1 * table["firm"],
    )
    assert_allclose(of(shifted).slopes["estimate"], of(table).slopes["estimate"] / 2, rtol=1e-9)


def test_errors_of_slopes_know_nothing_of_levels_of_firms(table):
    moved = table.assign(index=table["index"] + 3.0 * (table["firm"] % 4))
    one, other = of(table).slopes, of(moved).slopes
    assert_allclose(other[["se", "df"]], one[["se", "df"]], rtol=1e-8)
    assert (one["df"] < table["firm"].nunique() - 1).all()
    at = of(table).contrast(50, 60)
    assert_allclose(at.loc["difference", "df"], one.loc["index", "df"], rtol=1e-9)
    assert of(table, errors="two-way").slope.df == table["period"].nunique() - 1


def test_parts_of_a_panel_without_a_common_period_are_each_its_own(table):
    early = table[table["period"] <= 3].query("firm <= 8")
    late = table[table["period"] >= 4].query("firm > 8 and firm <= 16")
    both = pd.concat([early, late])
    found = of(both)
    assert np.linalg.matrix_rank(found.panel.design) == found.panel.design.shape[1]
    periods = pd.get_dummies(both["period"]).drop(columns=[1, 4]).to_numpy(float)
    X = np.column_stack([both[["index", "price"]], pd.get_dummies(both["firm"]), periods])
    X = X.astype(float)
    b = np.linalg.lstsq(X, both["again"], rcond=None)[0]
    V, df, _ = by_definition(X, both["again"].to_numpy() - X @ b, np.ones(len(X)),
                             both["firm"].to_numpy(), np.eye(X.shape[1])[:2])  # fmt: skip
    assert_allclose(found.slopes["estimate"], b[:2], rtol=1e-8)
    assert_allclose(found.slopes["se"], np.sqrt(np.diag(V)[:2]), rtol=1e-8)
    assert_allclose(found.slopes["df"], df, rtol=1e-8)


def test_order_of_rows_and_names_changes_nothing(table):
    mixed = table.sample(frac=1.0, random_state=1)
    mixed["firm"] = mixed["firm"].map("firm {}".format)
    pd.testing.assert_frame_equal(of(mixed).slopes, of(table).slopes, rtol=1e-9)


def test_contrast_and_prediction_belong_together(table):
    found = of(table, weights="n")
    step = found.contrast(67, 70)
    assert_allclose(step.loc["difference", "probability"], 3 * found.slope)
    assert_allclose(step.loc["difference", "se"], 3 * found.slope.se)
    share = table["n"] / table["n"].sum()
    middle = found.predict(float(share @ table["index"]))["probability"].iloc[0]
    assert_allclose(middle, share @ table["again"], rtol=1e-9)


def test_singletons_leave_again_and_again():
    firm = np.array([0, 0, 1, 1, 2, 2, 3])
    period = np.array([0, 1, 0, 1, 0, 2, 0])
    kept = connected_rows(firm, period, "two-way")
    assert kept.tolist() == [True, True, True, True, False, False, False]
    assert connected_rows(firm, period, "none").all()


@pytest.mark.parametrize("weights", [None, "w"])
def test_cells_are_index_scores_and_weighted_shares(weights):
    survey = survey_of(firms=6, people=15, weights=weights)
    fit = fitted(survey)
    found = csi.outcomes.repurchase_panel(fit, "again", firm="firm", period="period", scale=(0, 1))
    scores = csi.index_scores(fit, by=["firm", "period"])["mean"].xs("Satisfaction", level=2)
    assert_allclose(found.cells["Satisfaction"], scores, rtol=1e-12)
    data = survey.data.assign(w=survey.data["w"] if weights else 1.0)
    grouped = data.groupby(["firm", "period"])[["again", "w"]]
    share = grouped.apply(lambda d: np.average(d["again"], weights=d["w"]))
    assert_allclose(found.cells["again"], share, rtol=1e-12)
    assert (found.cells["n"] == 15).all()
    by_table = csi.outcomes.repurchase_panel(
        found.cells.reset_index(), "again", firm="firm", period="period", index="Satisfaction"
    )
    assert_allclose(by_table.slope, found.slope, rtol=1e-9)


def test_sampling_covariance_of_a_cell_is_that_of_its_mean():
    survey = survey_of(firms=5, periods=2, people=9)
    fit = fitted(survey)
    place = survey.data[["firm", "period"]].to_numpy().T
    points = csi.respondent_index(fit)["Satisfaction"]
    cells = PanelCells.of(fit, *place, survey.data[["again"]].to_numpy(), "Satisfaction")
    frame = survey.data[["firm", "period", "again"]].assign(index=points)
    ours = cells.sampling_covariance(points.to_numpy())
    theirs = frame.groupby(["firm", "period"])[["index", "again"]].cov() / 9
    assert_allclose(ours.reshape(-1, 2), theirs, rtol=1e-9)


def test_sampling_covariance_with_weights_by_hand():
    survey = survey_of(firms=3, periods=2, people=6, weights="w")
    fit = fitted(survey)
    place = survey.data[["firm", "period"]].to_numpy().T
    points = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    y, w = survey.data["again"].to_numpy(), survey.data["w"].to_numpy(float)
    cells = PanelCells.of(fit, *place, y[:, None], "Satisfaction")
    own = slice(12, 18)  # the first period of the second firm
    both = np.column_stack([points[own], y[own]])
    effective = w[own].sum() ** 2 / (w[own] ** 2).sum()
    spread = np.cov(both.T, aweights=w[own], ddof=0)
    assert_allclose(cells.sampling_covariance(points)[2], spread / (effective - 1), rtol=1e-9)


def test_a_cell_of_one_has_no_sampling_covariance():
    data = survey_of(firms=3, periods=2, people=6).data
    fit = fitted(csi.Survey(data, {q: csi.Item(q, minimum=0, maximum=130) for q in QS}))
    period = data["period"].to_numpy().copy()
    period[0] = 7
    cells = PanelCells.of(fit, data["firm"].to_numpy(), period, data[["again"]].to_numpy(), "A")
    found = cells.sampling_covariance(csi.respondent_index(fit)["A"].to_numpy())
    alone = cells.n == 1
    assert alone.sum() == 1
    assert np.isnan(found[alone]).all()
    assert np.isfinite(found[~alone]).all()


@pytest.mark.parametrize("size", ["equal", "respondents"])
def test_a_draw_is_the_regression_of_who_was_drawn(size):
    survey = survey_of(firms=8, periods=3, people=12, cluster="firm", weights="w")
    fit = fitted(survey)
    boot = csi.bootstrap(fit, draws=40, rng=3, progress=False)
    found = csi.outcomes.repurchase_panel(
        fit, "again", firm="firm", period="period", scale=(0, 1), size=size, bootstrap=boot,
    )  # fmt: skip
    data, counts = survey.data, boot.design.counts(0)
    for draw in (0, 7):
        drawn_firms = counts[draw][::36]
        weights = csi.index.point_weights(boot.solution)[draw, :3]
        own = data.assign(x=data[["q0", "q1", "q2"]].to_numpy() @ weights / 1.3)
        cells = own.groupby(["firm", "period"])[["x", "again", "w"]].apply(
            lambda d: pd.Series({
                "x": np.average(d["x"], weights=d["w"]),
                "again": np.average(d["again"], weights=d["w"]), "w": d["w"].sum()})
        ).reset_index()  # fmt: skip
        times = drawn_firms[cells["firm"].astype(int)]
        cells["weight"] = times * (cells["w"] if size == "respondents" else 1.0)
        alone = csi.outcomes.repurchase_panel(
            cells[times > 0], "again", firm="firm", period="period", index="x", weights="weight"
        )
        assert_allclose(found.draws[draw], alone.panel.coefficients, rtol=1e-7)
    assert (
        "Whole-chain intervals (t with 7 degrees of freedom, 40 bootstrap draws)"
        in found.interval_kind
    )
    assert found.naive.draws is None


# --- recovery ------------------------------------------------------------------------------------


def test_recovers_the_slope_within_firms_and_shows_the_bias_without():
    rng = np.random.default_rng(5)
    firm, period = np.repeat(np.arange(120), 8), np.tile(np.arange(8), 120)
    a = rng.normal(0, 1, 120)[firm]
    index = 70 + 8 * a + rng.normal(0, 4, 960)
    again = 0.1 + 0.0058 * index + 0.05 * a + 0.01 * period + rng.normal(0, 0.03, 960)
    data = pd.DataFrame({"firm": firm, "period": period, "index": index, "again": again})
    within = of(data, controls=())
    assert abs(within.slope - 0.0058) < 3 * within.slope.se < 0.002
    pooled = of(data, controls=(), effects="none")
    bias = 0.05 * 8 / (64 + 16)
    assert_allclose(pooled.slope - 0.0058, bias, rtol=0.2)


def test_sampling_error_of_cells_is_told_and_its_removal_recovers_the_slope():
    slopes = []
    for seed in range(4):
        survey = survey_of(seed, firms=150, people=20, within=3.0, cluster="firm")
        found = csi.outcomes.repurchase_panel(
            fitted(survey), "again", firm="firm", period="period", scale=(0, 1)
        )
        finding = next(f for f in found.findings if f.code == "sampling-error")
        slopes.append((found.slope, finding.values["slope"]))
    naive, mended = np.mean(slopes, axis=0)
    truth = 0.0058 * 1.3  # a point of the index is 1.3 units of the latent level
    assert abs(mended - truth) < 0.0025
    assert naive < mended


# --- findings, page, messages --------------------------------------------------------------------


def test_findings_count_what_is_left_out(table):
    gaps = table.copy()
    gaps.loc[gaps.index[:3], "again"] = np.nan
    gaps.loc[gaps["firm"].eq(30) & gaps["period"].gt(1), "firm"] = np.nan
    found = of(gaps, errors="cluster")
    codes = {f.code: f for f in found.findings}
    assert codes["rows-left-out"].values == {
        "count": len(gaps) - found.n - 1, "total": len(gaps),
    }  # fmt: skip
    assert row_of(codes["rows-left-out"]).case == "rows"
    assert codes["singletons"].count == 1
    assert codes["few-clusters"].severity == "warning"
    assert codes["few-clusters"].values["clusters"] == 29
    survey = survey_of(firms=5, people=12)
    data = survey.data.drop(index=range(3))
    fit = fitted(csi.Survey(data.reset_index(drop=True), survey.items))
    boot = csi.bootstrap(fit, draws=30, rng=1, progress=False)
    found = csi.outcomes.repurchase_panel(
        fit, "again", firm="firm", period="period", scale=(0, 1), fewest=10, bootstrap=boot
    )
    codes = {f.code: f for f in found.findings}
    assert codes["small-cells"].count == 1
    assert "respondents-draws" in codes
    assert "outcome-in-index" not in codes


def test_page(table):
    found = of(table, errors="two-way")
    page = str(found.summary())
    assert "Least squares with firm and period effects" in page
    assert "errors clustered by firms and by periods" in page
    assert "within the same firm, periods held equal" in repr(found)
    assert "<strong>" in found._repr_html_()


@pytest.mark.parametrize(
    ("error", "message", "change"),
    [
        (OptionError, "effects='firms' is not known (did you mean 'firm'?); use one of 'two-way', "
         "'firm', 'period', 'none'.", {"effects": "firms"}),
        (OptionError, "errors='HC1' is not known; use one of 'CR2', 'cluster', 'two-way'.",
         {"errors": "HC1"}),
        (SurveyError, "Period 'year' is not a column of the data frame; name one of its "
         "columns, or give a Series with a value for each row.", {"period": "year"}),
        (EstimationError, "'steady' does not move by itself once effects='two-way' are taken out, "
         "so there is no slope; use fewer effects or controls.", {"controls": "steady"}),
    ],
)  # fmt: skip
def test_messages(table, error, message, change):
    data = table.assign(steady=table["firm"] * 2.0) if "controls" in change else table
    with pytest.raises(error) as raised:
        of(data, **change)
    assert str(raised.value) == message


def test_messages_of_rows(table):
    with pytest.raises(SurveyError) as raised:
        of(pd.concat([table, table.head(1)]))
    assert str(raised.value) == (
        "Firm 1 has two rows in period 1 (1 such pairs); give one row for each firm and period."
    )
    with pytest.raises(
        SurveyError, match="Outcome 'again' holds 161 values outside its scale 0 to 1"
    ):
        of(table.assign(again=table["again"] * 10))
    with pytest.raises(SurveyError, match="Weights 'n' hold 161 negative values"):
        of(table.assign(n=-1.0), weights="n")
    with pytest.raises(
        EstimationError,
        match=r"There are 0 usable rows of 0 firms in 0 periods \(left out: 25 alone in",
    ):
        of(table[table["period"] == 1])
    with pytest.raises(OptionError, match="Level 101 is not on the index"):
        of(table).predict(101)
    fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    other = csi.fit(csi.models.ecsi(), csi.load_mobi().data.iloc[::-1])
    firm = np.arange(250) % 10
    given = {"firm": firm, "period": np.arange(250) // 50}
    boot = csi.bootstrap(other, draws=20, progress=False)
    with pytest.raises(OptionError, match="The bootstrap was made from another fit"):
        csi.outcomes.repurchase_panel(fit, "CUSL1", bootstrap=boot, **given)
    with pytest.raises(OptionError, match=r"must be one index, and 2 were given"):
        csi.outcomes.repurchase_panel(fit, "CUSL1", index=["Satisfaction", "Image"], **given)
    with pytest.raises(OptionError, match="give a table with a row for each firm and period"):
        csi.outcomes.repurchase_panel(fit, "CUSL1", index=np.arange(250.0), **given)
    with pytest.raises(OptionError, match="size='respondents' counts respondents"):
        of(table, size="respondents")
    with pytest.raises(OptionError, match="bootstrap= estimates an index again in every draw"):
        of(table, bootstrap=boot)
    with pytest.raises(OptionError, match="A control has the name of the outcome or the index"):
        csi.outcomes.repurchase_panel(fit, "CUSL1", controls="CUSL1", **given)


def test_two_way_errors_need_two_periods(table):
    one = table[table["period"] == table["period"].iloc[0]]
    with pytest.raises(OptionError, match=r"at least 2 periods.*errors='cluster'"):
        of(one, effects="none", errors="two-way")


def test_controls_of_respondents_are_weighted_means_of_their_cells():
    survey = survey_of(firms=6, periods=3, people=15, weights="w")
    rng = np.random.default_rng(1)
    people = rng.normal(size=(len(survey.data), 2))
    w = rng.uniform(0.5, 2.0, len(survey.data))
    data = survey.data.assign(age=people[:, 0], price=people[:, 1], w=w)
    fit = fitted(csi.Survey(data, survey.items, weights="w"))
    found = csi.outcomes.repurchase_panel(
        fit, "again", firm="firm", period="period", scale=(0, 1), controls=["age", "price"],
        size="respondents",
    )  # fmt: skip
    for column in ("age", "price"):
        means = data.groupby(["firm", "period"])[[column, "w"]].apply(
            lambda d, column=column: np.average(d[column], weights=d["w"])
        )
        assert_allclose(found.cells[column], means, rtol=1e-12)
    total = data.groupby(["firm", "period"])["w"].sum()
    assert_allclose(found.panel.weights / found.panel.weights.sum(), total / total.sum())


@pytest.mark.parametrize("effects", ["two-way", "firm", "period", "none"])
def test_the_share_of_sampling_error_by_hand(effects):
    firms, periods, people = 40, 4, 4
    survey = survey_of(3, firms=firms, periods=periods, people=people, within=5.0)
    fit = fitted(survey)
    found = csi.outcomes.repurchase_panel(
        fit, "again", firm="firm", period="period", scale=(0, 1), effects=effects
    )
    both = survey.data[["firm", "period", "again"]].assign(
        index=csi.respondent_index(fit)["Satisfaction"].to_numpy()
    )
    grouped = both.groupby(["firm", "period"])[["index", "again"]]
    means = grouped.mean()
    error = grouped.cov().groupby(level=2).mean().loc[["index", "again"]].to_numpy() / people
    gone = {
        "two-way": firms + periods - 1, "firm": firms, "period": periods, "none": 1,
    }[effects]  # fmt: skip
    left = means - means.mean()
    if effects in ("two-way", "firm"):
        left = left - left.groupby(level=0).transform("mean")
    if effects in ("two-way", "period"):
        left = left - left.groupby(level=1).transform("mean")
    cells = firms * periods
    moved = (left.T @ left).to_numpy() / cells
    drawn = error * (1.0 - gone / cells)
    (finding,) = [f for f in found.findings if f.code == "sampling-error"]
    assert_allclose(finding.values["percent"], 100 * drawn[0, 0] / moved[0, 0], rtol=1e-9)
    corrected = (moved[0, 1] - drawn[0, 1]) / (moved[0, 0] - drawn[0, 0])
    assert_allclose(finding.values["slope"], corrected, rtol=1e-9)


def test_lost_draws_say_why_they_were_lost():
    fit = fitted(survey_of(3, firms=4, periods=3, people=15, cluster="firm"))
    boot = csi.bootstrap(fit, draws=80, rng=1, progress=False)
    found = csi.outcomes.repurchase_panel(
        fit, "again", firm="firm", period="period", scale=(0, 1), fewest=5, bootstrap=boot
    )
    counts = np.concatenate([boot.design.counts(b) for b in range(boot.design.blocks)])
    firms = pd.DataFrame(counts.T > 0).groupby(fit.survey.data["firm"].to_numpy()).any().sum()
    alone = int((firms == 1).sum())  # one firm has no slope beside effects of firms and periods
    assert 0 < alone == 80 - len(found.draws)
    (finding,) = [f for f in found.findings if f.code == "lost-draws"]
    assert finding.count == alone
    assert finding.values["reasons"] == (f"{alone} a regressor without variation of its own",)


@pytest.mark.parametrize("effects", ["two-way", "firm", "period"])
@pytest.mark.parametrize("weights", [None, "n"])
@pytest.mark.parametrize("value", [1.0, 1 / 3, 1e6 / 7])
def test_a_control_with_one_value_has_no_slope_made_of_rounding(table, value, weights, effects):
    """Its means taken out, a constant is not 0 but some 1e-16 of itself."""
    with pytest.raises(EstimationError, match="'still' does not move by itself"):
        of(table.assign(still=value), controls="still", weights=weights, effects=effects)


@pytest.mark.parametrize("tied", [lambda x: 1e6 + 2 * x, lambda x: -1e-9 * x, lambda x: x / 3])
def test_controls_that_a_formula_ties_are_named(table, tied):
    """Also where rounding hides the formula from the rank of a matrix."""
    with pytest.raises(EstimationError) as raised:
        of(table.assign(again_price=tied(table["price"])), controls=["price", "again_price"])
    assert str(raised.value) == (
        "Regressors 'price' and 'again_price' are tied by an exact formula, so their slopes cannot "
        "be told apart; leave one out."
    )
