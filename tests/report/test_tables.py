"""Every public table that has an error has its degrees of freedom and reason beside it."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2, norm

import csimodel as csi
from csimodel.estimators.covariance.residuals import EXACT
from csimodel.inference.infer import BY_CONSTRUCTION
from csimodel.inference.sources import CENSUS, NO_VARIATION, ONE_SIDE
from csimodel.significance import NO_ESTIMATE, wilson_limits

sys.path.insert(0, str(Path(__file__).parents[1] / "snapshot"))

import make
from record import Recorder

# Shares of simulated samples, and ranges of published numbers, are no estimates with an error.
WITHOUT = ("replications", "power", "literature")


def faults(table: pd.DataFrame) -> list[str]:
    """What is wrong with the errors of a table."""
    columns = {str(column) for column in table.columns}
    if not columns & {"se", "lower", "upper"}:
        return []
    missing = {"df", "reason"} - columns
    if missing:
        return [f"no {', '.join(sorted(missing))} in {sorted(columns)}"]
    reason = table["reason"].fillna("").astype(str)  # of a file, where it is empty
    told, found = (reason != "").to_numpy(), []
    lost = {
        name: pd.to_numeric(table[name]).isna().to_numpy()
        for name in ("se", "lower", "p")
        if name in columns
    }
    none = np.zeros(len(table), dtype=bool)
    unknown = lost.get("se", none) | lost.get("lower", none)
    if (unknown & ~told).any():
        found.append(f"no reason at {table.index[unknown & ~told][0]!r}")
    idle = (
        ~unknown
        & ~lost.get("p", none)
        & told
        & ~reason.isin([BY_CONSTRUCTION, CENSUS, ONE_SIDE]).to_numpy()
    )
    if idle.any():
        found.append(f"an error, and {reason[idle].iloc[0]!r}")
    return found


class Checked(Recorder):
    """Looks at every table that is recorded."""

    def __init__(self):
        super().__init__()
        self.faults, self.seen = [], 0

    def put(self, label, value):
        plain = isinstance(value, pd.DataFrame) and value.columns.nlevels == 1
        if plain and not label.startswith(WITHOUT):
            self.faults += [f"{label}: {fault}" for fault in faults(value)]
            self.seen += bool({"se", "lower"} & set(map(str, value.columns)))
        super().put(label, value)


@pytest.mark.slow
def test_every_error_has_degrees_of_freedom_or_a_reason():
    recorder = Checked()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make.everything(recorder)
    assert not recorder.faults
    assert recorder.seen > 300


@pytest.fixture(scope="module")
def answers():
    """Return a survey in which those who complained are the customers of one firm."""
    rng = np.random.default_rng(4)
    spoke = rng.integers(0, 2, 80)
    return pd.DataFrame(
        {
            "spoke": spoke,
            "handled": np.where(spoke == 1, rng.integers(1, 11, 80), np.nan),
            "glad": np.where(spoke == 1, 10, 9),
            "again": rng.integers(1, 11, 80),
            "sold": rng.integers(0, 2, 80),
            "firm": spoke,
        }
    )


def test_groups_in_a_single_cluster_have_no_error_in_any_table(answers):
    complaints = csi.outcomes.complaint_repurchase(
        answers, complained="spoke", handling="handled", repurchase="again", scale=(1, 10),
        cluster="firm", well_from=6,
    )  # fmt: skip
    top = csi.outcomes.repurchase_top_drop(
        answers, satisfaction="glad", repurchase="again", cluster="firm", fewest=5
    )
    rates = csi.money.buying_rates(answers, bought="sold", existing="spoke", cluster="firm")
    assert not faults(complaints.rates)
    for table in (complaints.table, complaints.paradox, top.table, rates):
        assert not faults(table)
        assert (table["reason"] != "").all()
        assert table[["se", "lower", "upper"]].isna().all(axis=None)
    published = complaints.against(csi.literature.silent_share, "handled well")
    assert not faults(published)


def test_a_share_of_everybody_has_limits_and_no_error(answers):
    frame = answers.assign(sold=1)
    rates = csi.money.buying_rates(frame, bought="sold", existing="spoke")
    assert (rates["reason"] == NO_VARIATION).all()
    assert rates["se"].isna().all()
    n = int(rates.loc["new", "n"])
    assert_allclose(rates.loc["new", "lower"], 1.0 / (1.0 + 1.959963984540054**2 / n), rtol=1e-12)


def test_wilsons_limits_of_a_published_case():
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3; statsmodels 0.14
    # (proportion_confint, method="wilson") and the formula by hand have the same.
    size = np.array([263, 148, 20, 29])
    low, high = wilson_limits(np.array([81, 15, 0, 1]) / size, size)
    assert_allclose(low, [0.2553, 0.0624, 0.0, 0.0061], atol=5e-5)
    assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)


def test_a_hazard_without_a_solution_has_no_time_and_no_limits(mobi):
    fit = csi.fit(csi.models.ecsi(), mobi)
    index = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    months = 1.0 + index.argsort().argsort()  # who is more satisfied stays longer, always
    found = csi.outcomes.repurchase_time(fit, duration=months, event=np.ones(250), kind="churn")
    assert not found.converged
    for table in (found.hazard_ratios, found.median_time([60, 80]), found.predict([60, 80], 5.0)):
        assert not faults(table)
        assert (table["reason"] != "").all()
    assert found.median_time(60).drop(columns=["df", "reason"]).isna().all(axis=None)


def test_simex_without_error_is_the_naive_slope_with_its_error(mobi):
    fit = csi.fit(csi.models.ecsi(), mobi)
    for family in ("ols", "fractional-logit"):
        table = csi.outcomes.corrected_slopes(
            fit, "CUSL1", ("simex", "simex-quadratic"), reliability=1.0, family=family
        ).table
        assert not faults(table)
        assert_allclose(table["se"], table["se"].iloc[0], rtol=1e-6)


def test_leaders_and_residuals_have_errors_or_a_reason(mobi):
    frame = mobi.data.assign(firm=np.arange(250) % 8, half=np.arange(250) % 8 // 7)
    survey = csi.read_survey(frame, scale=(1, 10), cluster="firm", items=list(mobi.data.columns))
    fit = csi.fit(csi.models.ecsi(), survey)
    boot = csi.bootstrap(fit, 60, rng=1, progress=False)
    # the second half is one firm
    for draws in (None, boot):
        table = csi.index.leading_group(fit, "half", bootstrap=draws).table
        assert not faults(table)
        assert table["reason"].str.startswith("no degrees of freedom").all()
        assert table[["se", "lower", "upper", "p", "p_adjusted"]].isna().all(axis=None)
    table = csi.index.leading_group(fit, "firm").table
    assert set(table["reason"]) == {table["reason"].iloc[0]} != {""}
    table = csi.index.leading_driver(boot).table
    assert not faults(table)
    assert (table["lower"] < table["difference"]).all()
    assert (table["upper"] > table["difference"]).all()
    ml = csi.fit(csi.models.ecsi(), mobi, csi.ML(means=True))
    table = ml.residual_table
    assert not faults(table)
    exact = table["se"].isna()
    assert set(table["reason"][exact]) == {EXACT}
    assert (table["reason"][~exact] == "").all()
    means = table.index.get_level_values("other") == ""
    assert (table["cor_reason"][means] == NO_ESTIMATE).all()
    z = table["z"].dropna()
    assert_allclose(table["p"].dropna(), 2 * norm.sf(z.abs()), rtol=1e-12)
    assert_allclose(table["upper"] - table["lower"], 2 * norm.isf(0.025) * table["se"], rtol=1e-12)


def test_modification_indices_are_tests_and_no_estimates_with_errors(mobi):
    table = csi.fit(csi.models.ecsi(), mobi, csi.ML()).modification_indices(["error-covariances"])
    assert list(table.columns) == ["lhs", "op", "rhs", "mi", "df", "p", "epc", "std_epc"]
    assert_allclose(table["p"], chi2.sf(table["mi"], table["df"]), rtol=1e-12)
    assert not faults(table)
