"""Predictions of respondents held out: other programs, laws, designs, and what cannot be."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from wordings import row_of

import csimodel as csi
from csimodel.assessment.prediction.benchmarks import METHODS
from csimodel.assessment.prediction.power import judge_power
from csimodel.errors import CsimodelError, EstimationError, ModelError, OptionError, SurveyError

M = csi.Model.from_syntax
TIGHT = {"tolerance": 1e-13}
METHOD = {
    "DA": "pls-direct",
    "EA": "pls-earliest",
    "LM_direct": "lm-direct",
    "LM_exogenous": "lm-earliest",
    "IA": "average",
}
SMALL = "Q =~ PERQ1 + PERQ3 + PERQ5\nS =~ CUSA1 + CUSA2 + CUSA3\nC =~ CUSCO\nS ~ Q\nC ~ S"


@pytest.fixture(scope="module")
def folds():
    return pd.read_csv("tests/reference/mobi_folds10.csv")


@pytest.fixture(scope="module")
def small(mobi):
    return csi.fit(M(SMALL), mobi)


@pytest.mark.parametrize("consistent", [False, True])
def test_errors_of_other_programs_on_given_folds(reference, mobi, ecsi, folds, consistent):
    told = reference("mobi_predict.json")["metrics"]
    fit = csi.fit(ecsi, mobi, csi.PLS(consistent=consistent, **TIGHT))
    methods = csi.predict(fit, folds["rep1"]).methods
    for name, method in METHOD.items():
        key = f"{name}_plsc" if consistent and name in ("DA", "EA") else name
        for metric, column in (("RMSE", "rmse"), ("MAE", "mae"), ("Q2_predict", "q2_predict")):
            expected = pd.Series(told[key][metric])
            own = methods.loc[method, column].loc[expected.index]
            np.testing.assert_allclose(own, expected, atol=1e-11, err_msg=f"{key} {metric}")


@pytest.mark.parametrize("name", ["rep2_DA", "LOO_DA", "LOO_EA"])
def test_other_folds_and_one_at_a_time(reference, mobi, ecsi, folds, name):
    told = reference("mobi_predict_folds.json")[name]
    given = folds["rep2"] if name == "rep2_DA" else np.arange(250)
    methods = csi.predict(csi.fit(ecsi, mobi, csi.PLS(**TIGHT)), given).methods
    names = {
        "PLS": METHOD[name[-2:]],
        "LM_direct_antecedents": "lm-direct",
        "LM_exogenous_items": "lm-earliest",
    }
    for key, method in names.items():
        for metric, column in (("RMSE", "rmse"), ("MAE", "mae"), ("Q2predict", "q2_predict")):
            expected = pd.Series(told[key][metric])
            own = methods.loc[method, column].loc[expected.index]
            np.testing.assert_allclose(own, expected, atol=1e-9, err_msg=f"{key} {metric}")


def test_predictions_of_another_program(mobi, ecsi, folds):
    fit = csi.fit(ecsi, mobi, csi.PLS(**TIGHT))
    told = pd.read_csv("tests/reference/mobi_predict_DA.csv")
    own = csi.predict(fit, folds["rep1"].to_numpy()).predictions()
    np.testing.assert_allclose(own[told.columns], told, atol=1e-11)


def test_a_table_sets_the_methods_side_by_side(mobi, ecsi, folds):
    fit = csi.fit(ecsi, mobi)
    prediction = csi.predict(fit, folds["rep1"], technique="earliest", benchmark="direct")
    table, methods = prediction.table, prediction.methods
    for column, method in (
        ("rmse", "pls-earliest"),
        ("rmse_lm", "lm-direct"),
        ("rmse_average", "average"),
    ):
        np.testing.assert_allclose(table[column], methods.loc[method, "rmse"], rtol=1e-14)
    fitted = csi.predict(fit, folds["rep1"]).table
    z = fit.scores.to_numpy()
    predicted = z @ fit.paths.to_numpy().T
    item = predicted[:, 4] * fit.loadings.loc["CUSA1", "Satisfaction"]
    x = mobi.data["CUSA1"]
    left = x - x.mean() - item * x.std()
    assert fitted.loc["CUSA1", "rmse_in_sample"] == pytest.approx(np.sqrt((left**2).mean()))
    own = fitted.loc["CUSA1"]
    assert own["overfit"] == pytest.approx(own["rmse"] / own["rmse_in_sample"] - 1)
    assert (table["predictions"] == 250).all()


def test_every_fold_is_a_fit_without_its_respondents(small, mobi):
    """Refit by rows: weights of the others, errors of those held out, scores too."""
    fold = np.arange(250) % 4
    prediction = csi.predict(small, fold)
    squares, scores, base = np.zeros(250), np.zeros(250), np.zeros(250)
    for k in range(4):
        out = fold == k
        fit = csi.fit(M(SMALL), mobi.data[~out])
        x = mobi.data.loc[out, list(fit.model.items)]
        others = mobi.data.loc[~out, list(fit.model.items)]
        z = ((x - others.mean()) / others.std()) @ fit.weights
        s = z["Q"] * fit.paths.loc["S", "Q"]
        scores[out], base[out] = (z["S"] - s) ** 2, z["S"] ** 2
        item = others["CUSA2"].mean() + others["CUSA2"].std() * fit.loadings.loc["CUSA2", "S"] * s
        squares[out] = (x["CUSA2"] - item) ** 2
    assert prediction.table.loc["CUSA2", "rmse"] == pytest.approx(np.sqrt(squares.mean()), abs=1e-9)
    own = prediction.constructs.loc["S"]
    assert own["q2_predict"] == pytest.approx(1 - scores.sum() / base.sum(), abs=1e-9)
    assert own["rmse"] == pytest.approx(np.sqrt(scores.mean()), abs=1e-9)


def test_repetitions_average_losses(small):
    rng = np.random.default_rng(5)
    fold = rng.integers(0, 5, (250, 3))
    together = csi.predict(small, fold)
    apart = [csi.predict(small, column) for column in fold.T]
    mean = np.mean([own.table["rmse"] ** 2 for own in apart], axis=0)
    np.testing.assert_allclose(together.table["rmse"] ** 2, mean, rtol=1e-12)
    averaged = np.mean([own.predictions() for own in apart], axis=0)
    np.testing.assert_allclose(together.predictions(), averaged, atol=1e-12)
    assert (together.table["predictions"] == 750).all()


def test_a_seed_gives_the_same_folds_and_labels_any(small):
    first, again = (csi.predict(small, 5, 2, rng=3) for _ in range(2))
    pd.testing.assert_frame_equal(first.table, again.table)
    codes = first.held_out.folds.T
    words = np.array(["a", "b", "c", "d", "e"])[codes]
    for given in (codes, words, pd.DataFrame(words), codes.tolist()):
        np.testing.assert_allclose(csi.predict(small, given).table["rmse"], first.table["rmse"])
    one = csi.predict(small, pd.Series(words[:, 0], dtype="category"))
    arrow = csi.predict(small, pd.Series(words[:, 0], dtype="string"))
    pd.testing.assert_frame_equal(one.table, arrow.table)


def test_leaving_out_one_at_a_time_is_a_fit_without_each(mobi, ecsi):
    tight = csi.PLS(tolerance=1e-13)
    prediction = csi.predict(csi.fit(ecsi, mobi, tight), folds=np.arange(250))
    assert (prediction.table["predictions"] == 250).all()
    answers = mobi.data[list(ecsi.items)]
    for technique in ("direct", "earliest"):
        values = prediction.predictions(f"pls-{technique}")
        for row in (0, 101, 249):
            without = csi.fit(ecsi, answers.drop(index=answers.index[row]), tight)
            alone = without.predict(answers.iloc[[row]], technique=technique)
            np.testing.assert_allclose(values.iloc[[row]], alone, rtol=1e-9)


def test_weights_count_as_copies_of_respondents(mobi):
    frame = mobi.data.iloc[:120].assign(w=1 + np.arange(120) % 3)
    fold = np.arange(120) % 6
    copies = np.repeat(np.arange(120), frame["w"])
    weighted = csi.predict(csi.fit(M(SMALL), csi.read_survey(frame, weights="w")), fold)
    copied = csi.fit(M(SMALL), csi.read_survey(frame.iloc[copies].drop(columns="w")))
    whole = csi.predict(copied, fold[copies])
    columns = weighted.table.columns.drop(["construct", "predictions"])
    np.testing.assert_allclose(weighted.table[columns], whole.table[columns], rtol=1e-10)


def test_clusters_are_held_out_whole(mobi):
    frame = mobi.data.assign(firm=np.arange(250) % 20)
    fit = csi.fit(M(SMALL), csi.read_survey(frame, cluster="firm"))
    folds = csi.predict(fit, 5, 3).held_out.folds
    for codes in folds:
        assert (pd.Series(codes).groupby(frame["firm"]).nunique() == 1).all()
    with pytest.raises(OptionError, match=r"from 2 to the number of clusters, 20\."):
        csi.predict(fit, 21)


def test_missing_answers(mobi):
    frame = mobi.data.copy()
    frame.loc[:39, "PERQ1"] = np.nan
    frame.loc[30:59, "CUSA1"] = np.nan
    fold = np.arange(250) % 5
    filled = csi.fit(M(SMALL), csi.read_survey(frame, missing="mean"))
    table = csi.predict(filled, fold).table
    assert table.loc[["CUSA1", "CUSA2"], "predictions"].tolist() == [220, 250]
    pairs = csi.fit(M(SMALL), csi.read_survey(frame, missing="pairwise"))
    prediction = csi.predict(pairs, fold)
    assert prediction.table["predictions"].tolist() == [190, 210, 210, 220]
    assert prediction.methods.loc["average", "predictions"].tolist() == [220, 250, 250, 250]
    assert np.isnan(prediction.predictions().to_numpy()[:40, :3]).all()
    listwise = csi.fit(M(SMALL), csi.read_survey(frame, missing="listwise"))
    by_rows = csi.predict(listwise, np.arange(250) % 5)
    assert (by_rows.table["predictions"] == 190).all()
    pd.testing.assert_frame_equal(by_rows.table, csi.predict(listwise, fold[60:]).table)


def test_folds_without_a_solution_are_counted(mobi):
    frame = mobi.data.copy()
    frame["CUSCO"] = np.where(np.arange(250) < 10, frame["CUSCO"], 5.0)
    fit = csi.fit(M(SMALL), frame)
    fold = np.where(np.arange(250) < 10, 0, 1 + np.arange(250) % 4)
    prediction = csi.predict(fit, fold)
    (finding,) = prediction.findings
    assert (finding.code, finding.severity) == ("lost-folds", "failure")
    assert finding.values == {"lost": 1, "total": 5, "reasons": ("1 an item without variation",)}
    assert row_of(finding)
    assert (prediction.table["predictions"] == 240).all()
    assert np.isfinite(prediction.table["rmse"]).all()
    assert prediction.predictions().iloc[:10].isna().all(axis=None)
    assert (prediction.constructs["verdict"] == "not judged").all()
    assert {own.sentence for own in prediction.judgements} == {
        f"More than a tenth of the folds cannot be predicted, so the predictive power of {name} is "
        "not judged."
        for name in prediction.constructs.index
    }
    compared = csi.cvpat(fit, folds=fold)
    assert (compared.verdicts == "not judged").all()
    assert [own.code for own in compared.findings] == ["lost-folds"]
    assert set(fit.diagnostics) <= set(compared.page.findings)
    rare = mobi.data.assign(CUSCO=np.where(np.arange(250) < 1, 1.0, 5.0))
    with pytest.raises(EstimationError, match="Without any of the 2 folds"):
        csi.predict(csi.fit(M("C =~ CUSCO\nS =~ CUSA1\nS ~ C"), rare.iloc[:4]), [0, 0, 1, 1])


def test_too_few_respondents_for_the_benchmark(mobi, ecsi):
    fit = csi.fit(ecsi, mobi.data.iloc[:18])
    prediction = csi.predict(fit, 6, 1)
    (finding,) = [own for own in prediction.findings if own.code == "no-linear-benchmark"]
    assert set(finding.subjects) == {"CUSA1", "CUSA2", "CUSA3"}
    assert row_of(finding)
    assert prediction.constructs.loc["Satisfaction", "verdict"] == "not judged"
    assert np.isfinite(prediction.table["rmse"]).all()


@pytest.mark.parametrize(
    ("q2", "rmse", "word"),
    [
        ([0.2, 0.1, 0.1], [1, 1, 1], "high"),
        ([0.2, 0.1, -0.1], [1, 1, 1], "medium"),
        ([0.2, 0.1], [1, 3], "medium"),
        ([0.2, 0.1, 0.3], [1, 3, 3], "low"),
        ([-0.2, -0.1], [1, 1], "none"),
        ([0.2], [1], "high"),
        ([0.2], [3], "none"),
        ([0.2, np.nan], [1, np.nan], "not judged"),
    ],
)
def test_verdicts(q2, rmse, word):
    frame = pd.DataFrame({"construct": "A", "q2_predict": q2, "rmse": rmse, "rmse_lm": 2.0})
    (verdict,) = judge_power(frame, "rmse")
    assert verdict.verdict == word
    assert "Shmueli" in verdict.source
    assert "{" not in verdict.sentence


def test_the_metric_decides(small):
    for metric in ("rmse", "mae"):
        prediction = csi.predict(small, 5, 1, metric=metric)
        better = (prediction.table[metric] < prediction.table[f"{metric}_lm"]) & (
            prediction.table["q2_predict"] > 0
        )
        counts = better.groupby(prediction.table["construct"], sort=False).sum()
        np.testing.assert_array_equal(prediction.constructs["better"], counts)
    assert prediction.verdicts["verdict"].tolist() == prediction.constructs["verdict"].tolist()
    assert "compared by MAE" in str(prediction)
    assert "Scores of constructs" in prediction._repr_html_()


def test_earliest_antecedents_are_exogenous(mobi):
    """Where all antecedents are exogenous both techniques are one."""
    fit = csi.fit(M("Q =~ PERQ1 + PERQ3\nS =~ CUSA1 + CUSA2\nS ~ Q"), mobi)
    methods = csi.predict(fit, 5, 1).methods
    for kind in ("pls", "lm"):
        direct, earliest = (methods.loc[f"{kind}-{way}"] for way in ("direct", "earliest"))
        pd.testing.assert_frame_equal(direct, earliest)
    assert set(methods.index.get_level_values(0)) == set(METHODS)


def test_what_cannot_be_is_named(mobi, small, ecsi):
    cases = [
        (csi.fit(M(SMALL), small.moments), SurveyError),
        (csi.fit(M(SMALL), mobi, csi.ML()), OptionError),
        (csi.fit(M(f"{SMALL}\nS ~ Q^2"), mobi), ModelError),
        ("mobi.csv", OptionError),
    ]
    for fit, error in cases:
        with pytest.raises(error, match="predict"):
            csi.predict(fit)
    for folds in (0, 1, 251, "a", None, [], [1, 2], np.zeros(250), np.full(250, np.nan), 1.5,
                  True, [[1]], pd.Series([1] * 250), np.zeros((250, 0)), [{1}] * 250):  # fmt: skip
        with pytest.raises(OptionError, match="folds"):
            csi.predict(small, folds)
    with pytest.raises(OptionError, match="repetitions=0"):
        csi.predict(small, 5, 0)
    with pytest.raises(OptionError, match="rng"):
        csi.predict(small, 5, 1, rng="a")
    with pytest.raises(OptionError, match="other row labels"):
        csi.predict(small, pd.Series(np.arange(250) % 5, index=np.arange(250) + 7))
    with pytest.raises(OptionError, match="technique='late'"):
        csi.predict(small, technique="late")
    with pytest.raises(OptionError, match="method='lm'"):
        csi.predict(small, 5, 1).predictions("lm")
    lost = replace(small.solution.estimates, outcome=np.array(1))
    unsolved = replace(small, solution=replace(small.solution, estimates=lost))
    with pytest.raises(CsimodelError, match="no solution to predict"):
        csi.predict(unsolved)
