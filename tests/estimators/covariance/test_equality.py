"""Labels on fixed and free parameters, kinds equal between groups, what is said group by group."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.errors import ModelError, OptionError

M = csi.Model.from_syntax
LAVAAN = json.loads((Path(__file__).parents[2] / "reference" / "mobi_equality.json").read_text())
LABELS, GROUPS = LAVAAN["labels"], LAVAAN["groups"]
LINEAR = json.loads((Path(__file__).parents[2] / "reference" / "mobi_linear.json").read_text())
ALL_EQUAL = "I =~ a*IMAG1 + a*IMAG2 + a*IMAG3 + a*IMAG4"
TWO = "Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\n"


@pytest.fixture(scope="module")
def halves(mobi):
    return mobi.data.assign(g=["a", "b"] * 125)


def estimator(name):
    return csi.ML() if name == "ML" else csi.LeastSquares(name.lower())


def assert_estimates(tables, defined, theirs, abs_=1e-5):
    """Compare estimates by group and errors of free parameters with lavaan's."""
    compared = 0
    for lhs, op, rhs, group, est, se in zip(*(theirs[k] for k in theirs), strict=True):
        if op == ":=":
            ours = defined.loc[lhs]
        else:
            table = tables[int(group) - 1].set_index(["lhs", "op", "rhs"])
            keys = [(lhs, op, rhs or ""), (rhs, op, lhs)]
            ours = table.loc[next(key for key in keys if key in table.index)]
        assert ours["estimate"] == pytest.approx(est, rel=abs_, abs=abs_)
        if se:
            assert ours["se"] == pytest.approx(se, rel=1e-4, abs=1e-6)
        compared += 1
    return compared


@pytest.mark.parametrize("name", LABELS)
def test_a_label_on_a_fixed_parameter_fixes_all_as_in_lavaan(mobi, name):
    theirs = LABELS[name]
    fit = csi.fit(M(theirs["text"]), mobi, estimator(theirs["estimator"]))
    assert fit.fit_measures["chisq"] == pytest.approx(theirs["chisq"], rel=1e-8)
    assert fit.fit_measures["df"] == theirs["df"]
    if theirs["estimator"] == "ML":
        assert assert_estimates([fit.parameters], None, theirs["estimates"]) >= 9


@pytest.mark.parametrize(
    "given",
    [csi.WLSMV(), csi.LeastSquares("dwls"), csi.ML(missing="fiml")],
    ids=lambda one: one.label,
)
def test_a_label_and_the_number_it_stands_for_are_the_same(mobi, given):
    label, numbers = (
        csi.fit(M(text), mobi, given) for text in (ALL_EQUAL, ALL_EQUAL.replace("a*", "1*"))
    )
    assert label.fit_measures["df"] == numbers.fit_measures["df"] == 5
    np.testing.assert_allclose(label.implied_cov, numbers.implied_cov, rtol=1e-6)


def test_a_label_on_all_loadings_is_tau_equivalence_whatever_the_scaling(mobi):
    fit = csi.fit(M(ALL_EQUAL), mobi, csi.ML(scaling="variance"))
    assert fit.fit_measures["chisq"] == pytest.approx(LABELS["all"]["chisq"], rel=1e-8)
    assert fit.parameters.query("op == '=~'")["estimate"].nunique() == 1


def test_a_label_fixed_in_another_place_reaches_paths_and_definitions(mobi):
    text = "Q =~ PERQ1 + k*PERQ2 + 0.8*PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ k*Q\nd := 2*k"
    fit = csi.fit(M(text), mobi, csi.ML())
    assert fit.parameters.query("op == '~'")["estimate"].item() == 0.8
    assert fit.defined["estimate"].tolist() == [1.6]
    assert fit.defined[["se", "z", "p", "lower", "upper"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "I =~ IMAG1 + a*IMAG2 + 0.5*IMAG2 + a*IMAG3 + 0.7*IMAG3",
            "The label 'a' makes 'I =~ IMAG2' and 'I =~ IMAG3' equal, and they are fixed at 0.5 "
            "and 0.7 (a first loading is fixed at 1 unless the text says otherwise, as NA* does); "
            "give them one value, or different labels.",
        ),
        (
            "I =~ a*IMAG1 + IMAG2 + IMAG3 + b*IMAG4 + 0.5*IMAG4\na == b",
            "The label 'a' makes 'I =~ IMAG1' and 'I =~ IMAG4' equal, and they are fixed at 1 and "
            "0.5 (a first loading is fixed at 1 unless the text says otherwise, as NA* does); "
            "give them one value, or different labels.",
        ),
        (
            "I =~ a*IMAG1 + a*IMAG2 + IMAG3 + IMAG4\na > 2",
            "'I =~ IMAG1' is fixed at 1, which is outside of its bounds; change the value or the "
            "bounds.",
        ),
    ],
)
def test_one_label_with_two_values_is_refused(mobi, text, message):
    with pytest.raises(ModelError) as told:
        csi.fit(M(text), mobi, csi.ML())
    assert str(told.value) == message


def test_a_bound_that_a_fixed_value_keeps_changes_nothing(mobi):
    fit = csi.fit(M(ALL_EQUAL + "\na > 0.5\na < 2"), mobi, csi.ML())
    assert fit.fit_measures["chisq"] == pytest.approx(22.238818494938, rel=1e-10)


@pytest.mark.parametrize("name", ["all", "fixed"])
def test_a_fixed_label_survives_the_exports(mobi, name):
    model = M(LABELS[name]["text"])
    assert M(model.to_syntax()) == model
    assert M(model.to_lavaan()) == model
    again = csi.Model.from_semopy(model.to_semopy())
    for other in (csi.fit(again, mobi, csi.ML()), csi.fit(model, mobi, csi.Semopy())):
        assert other.fit_measures["chisq"] == pytest.approx(LABELS[name]["chisq"], rel=1e-5)
        assert other.fit_measures["df"] == LABELS[name]["df"]


def test_semopy_is_given_one_value_for_a_label():
    model = M("I =~ a*IMAG1 + a*IMAG2 + 0.5*IMAG2 + IMAG3")
    with pytest.raises(ModelError) as told:
        model.to_semopy()
    assert str(told.value) == (
        "The label 'a' stands for 1 and, in 'I =~ 0.5*IMAG2 + a*IMAG2', for 0.5 (a first loading "
        "is 1 unless the text says otherwise); give equal parameters one value."
    )


@pytest.mark.parametrize("case", range(len(GROUPS)))
def test_equal_kinds_tie_every_group_as_in_lavaan(halves, case):
    theirs = GROUPS[case]
    equal = [kind for kind in theirs["equal"] if kind != "none"]
    chosen = csi.ML(scaling="variance" if theirs["variance"] else "marker")
    fit = csi.fit_multigroup(M(theirs["text"]), halves, "g", chosen, equal=equal)
    assert fit.fit_measures["df"] == theirs["df"]
    assert fit.fit_measures["chisq"] == pytest.approx(theirs["chisq"], rel=1e-7)
    tables = [fit[label].parameters for label in ("a", "b")]
    assert assert_estimates(tables, fit.defined, theirs["estimates"], 2e-4) >= 40


def test_our_words_for_kinds_are_the_sums_of_lavaans(halves):
    text = TWO + "S ~~ Q\nPERQ1 ~~ PERQ2"

    def chisq(*equal):
        return csi.fit_multigroup(M(text), halves, "g", equal=equal).fit_measures[["chisq", "df"]]

    for ours, theirs in (
        (["errors"], ["residuals", "residual.covariances"]),
        (["covariances"], ["lv.variances", "lv.covariances"]),
        (["paths"], ["regressions"]),
    ):
        np.testing.assert_allclose(chisq(*ours), chisq(*theirs), rtol=1e-10)


def test_equal_means_of_least_squares_cost_degrees_of_freedom_too(halves):
    fits = [
        csi.fit_multigroup(
            M(TWO + "S ~ Q"),
            halves,
            "g",
            csi.LeastSquares("gls"),
            equal=["loadings", "intercepts", *means],
        )
        for means in ((), ("means",))
    ]
    assert fits[1].fit_measures["df"] - fits[0].fit_measures["df"] == 2
    assert fits[1].fit_measures["chisq"] > fits[0].fit_measures["chisq"]


def test_an_excepted_mean_stays_free(halves):
    fit = csi.fit_multigroup(
        M(TWO + "S ~ Q"), halves, "g", equal=["loadings", "intercepts", "means"], free="Q ~ 1"
    )
    assert fit.fit_measures["df"] == 25
    means = fit["b"].parameters.query("op == '~1'").set_index("lhs")["estimate"]
    assert means["S"] == 0.0
    assert means["Q"] != 0.0


def test_other_values_by_group_contradict_equal(halves):
    text = TWO.replace("PERQ2", "c(1, 2)*PERQ2")
    with pytest.raises(ModelError) as told:
        csi.fit_multigroup(M(text), halves, "g", equal="loadings")
    assert str(told.value) == (
        "'Q =~ PERQ2' is fixed at 1 and 2 in two groups and equal= makes it equal between groups; "
        "give it one value, or except it with free='Q =~ PERQ2'."
    )
    fit = csi.fit_multigroup(M(text), halves, "g", equal="loadings", free="Q =~ PERQ2")
    loadings = fit.parameters.query("rhs == 'PERQ2' and op == '=~'")["estimate"]
    assert loadings.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("entries", ["c(0, NA)", "c(0, 1, NA, 2)", "c(a, b)", "start(c(1, 2))"])
def test_as_many_entries_as_groups(mobi, entries):
    frame = mobi.data.assign(g=np.arange(250) % 3)
    model = M(TWO + f"S ~ {entries}*Q")
    size = {"c(0, 1, NA, 2)": 4}.get(entries, 2)
    with pytest.raises(ModelError) as told:
        csi.fit_multigroup(model, frame, "g")
    assert str(told.value) == (
        f"'S ~ {entries}*Q' says something for {size} groups and by='g' makes 3 (0, 1 and 2); "
        "write one entry for each group in c(…), in this order, or one for all."
    )
    message = (
        f"'S ~ {entries}*Q' says something for {size} groups, and this fit knows of no other "
        "group; write one entry for all, or fit the groups together with csi.fit_multigroup."
    )
    for call in (
        lambda: csi.fit(model, mobi, csi.ML()),
        lambda: csi.fit(model, mobi, csi.WLSMV()),
        lambda: csi.fit_groups(model, frame, "g", csi.ML()),
    ):
        with pytest.raises(ModelError) as told:
            call()
        assert str(told.value) == message


def test_a_definition_over_groups_is_one_of_the_joint_fit(halves):
    text = (
        "Q =~ PERQ1 + PERQ2 + PERQ3\nV =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2 + CUSA3\n"
        "V ~ c(a1, a2)*Q\nS ~ c(b1, b2)*V\nd := a1*b1 - a2*b2\none := a1*b1\ntwice := 2*one"
    )
    fit = csi.fit_multigroup(M(text), halves, "g")
    paths = fit.parameters.query("op == '~'").set_index("label")["estimate"]
    expected = paths["a1"] * paths["b1"] - paths["a2"] * paths["b2"]
    assert fit.defined.loc["d", "estimate"] == pytest.approx(expected, rel=1e-12)
    assert list(fit["a"].defined.index) == ["one", "twice"]
    assert list(fit["b"].defined.index) == []
    pd.testing.assert_frame_equal(fit["a"].defined, fit.defined.loc[["one", "twice"]], rtol=1e-12)
    # Groups of a joint fit without equal parameters are independent.
    alone = [
        csi.fit(
            M(text.split("V ~")[0] + "V ~ a*Q\nS ~ b*V\np := a*b"),
            halves[halves["g"] == g],
            csi.ML(),
        )
        for g in "ab"
    ]
    errors = [one.defined.loc["p", "se"] for one in alone]
    assert fit.defined.loc["d", "se"] == pytest.approx(np.hypot(*errors), rel=1e-4)


def test_labels_shared_by_groups_tie_them(halves):
    fit = csi.fit_multigroup(M(TWO + "S ~ c(a, a)*Q\nd := 2*a"), halves, "g")
    paths = fit.parameters.query("op == '~'")["estimate"]
    assert paths.nunique() == 1
    for defined in (fit.defined, fit["a"].defined, fit["b"].defined):
        assert defined.loc["d", "estimate"] == pytest.approx(2 * paths.iloc[0], rel=1e-12)


@pytest.mark.parametrize("name", LINEAR["one"])
def test_linear_equations_of_labels_equal_lavaan(mobi, name):
    theirs = LINEAR["one"][name]
    model = M(theirs["text"])
    assert M(model.to_syntax()) == model
    assert M(model.to_lavaan()) == model
    fit = csi.fit(model, mobi, csi.ML())
    assert fit.fit_measures["chisq"] == pytest.approx(theirs["chisq"], rel=1e-6)
    assert fit.fit_measures["df"] == theirs["df"]
    assert assert_estimates([fit.parameters], fit.defined, theirs["estimates"], 5e-5) >= 20
    table = fit.parameters.query("label != ''").set_index("label")["estimate"]
    for restriction in model.restrictions:
        known, constant = restriction.coefficients
        assert sum(v * table[k] for k, v in known.items()) == pytest.approx(constant, abs=1e-12)


def test_linear_equations_over_groups_equal_lavaan(halves):
    theirs = LINEAR["groups"]
    fit = csi.fit_multigroup(M(theirs["text"]), halves, "g")
    assert fit.fit_measures["chisq"] == pytest.approx(theirs["chisq"], rel=1e-6)
    assert fit.fit_measures["df"] == theirs["df"]
    tables = [fit[label].parameters for label in ("a", "b")]
    assert assert_estimates(tables, fit.defined, theirs["estimates"], 5e-4) >= 40


@pytest.mark.parametrize(
    "given",
    [csi.LeastSquares("gls"), csi.LeastSquares("uls"), csi.WLSMV(), csi.ML(se="mlr")],
    ids=lambda one: one.label,
)
def test_linear_equations_hold_by_every_estimator(mobi, given):
    text = TWO + "V =~ PERV1 + PERV2\nS ~ b*Q + d*V"
    fit = csi.fit(M(text + "\nb + 2*d == 1"), mobi, given)
    assert fit.converged
    table = fit.parameters.query("op == '~'").set_index("label")
    assert table["estimate"] @ [1.0, 2.0] == pytest.approx(1.0, abs=1e-12)
    assert table.loc["b", "se"] == pytest.approx(2 * table.loc["d", "se"], rel=1e-9)
    free = csi.fit(M(text), mobi, given)
    assert fit.fit_measures["df"] == free.fit_measures["df"] + 1
    assert fit.estimates.discrepancy > free.estimates.discrepancy
    assert csi.fit(M(text + "\nb == 0.4"), mobi, given).estimates.discrepancy > 0


def test_what_an_equation_fixes_has_no_error(mobi):
    text = TWO + "V =~ PERV1 + PERV2\nS ~ b*Q + d*V\nb + d == 1\nd == 0.3\nt := b*d"
    fit = csi.fit(M(text), mobi, csi.ML())
    paths = fit.parameters.query("op == '~'")
    np.testing.assert_allclose(paths["estimate"], [0.7, 0.3], rtol=1e-12)
    assert paths["se"].isna().all()
    assert fit.defined.loc["t", "estimate"] == pytest.approx(0.21)
    draws = csi.bootstrap(fit, 30, rng=1, progress=False).draws("defined")
    np.testing.assert_allclose(draws["t"], 0.21, rtol=1e-10)
    assert len(fit.modification_indices()) > 5


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "b + x == 1",
            "The line 'b + x == 1' is about 'x', which is no label of a parameter; the labels are b "
            "and d, and one is given as in 'Y ~ x*X'.",
        ),
        (
            "b + d == 1\n2*b + 2*d == 3",
            "No values satisfy 'b + d == 1' and '2*b + 2*d == 3' together with the fixed values; "
            "take one of them out.",
        ),
        (
            "b + d == 1\nb > 0",
            "'S ~ Q' has bounds and its label 'b' stands in an equation of several; take out the "
            "bounds or the equation.",
        ),
    ],
)
def test_equations_that_cannot_hold(mobi, line, message):
    text = TWO + "V =~ PERV1 + PERV2\nS ~ b*Q + d*V\n"
    with pytest.raises(ModelError) as told:
        csi.fit(M(text + line), mobi, csi.ML())
    assert str(told.value) == message


@pytest.mark.parametrize("purpose", ["bootstrap", "jackknife"])
def test_one_group_of_a_joint_fit_is_not_fitted_again(halves, purpose):
    survey = csi.read_survey(halves, scale=dict.fromkeys(halves.columns[:-1], (1, 10)))
    joint = csi.fit_multigroup(M(TWO + "S ~ Q"), survey, "g", equal="loadings")
    with pytest.raises(OptionError) as told:
        getattr(csi, purpose)(joint["b"])
    assert str(told.value) == (
        f"{purpose} fits rows again, and this is one group of a joint fit, whose parameters rest on "
        "the rows of all groups; fit the group alone with csi.fit_groups."
    )
    table = csi.index_scores(joint["b"])
    assert table["se"].isna().all()
    assert (table["reason"] == "one group of a joint fit; csi.fit_groups has errors").all()


@pytest.mark.parametrize(
    ("one", "other"),
    [("CUSA1", "CUSA2"), ("PERQ2", "CUSA1")],
)
def test_modification_indices_under_an_equation_are_about_the_fall_of_chi_square(mobi, one, other):
    """Small ones, where the score test and the likelihood ratio agree."""
    text = (
        "Q =~ PERQ1 + PERQ2 + PERQ3\nS =~ CUSA1 + CUSA2 + CUSA3\nV =~ PERV1 + PERV2\n"
        "S ~ b*Q + d*V\nb + d == 1"
    )
    fit, free = (csi.fit(M(text + more), mobi, csi.ML()) for more in ("", f"\n{one} ~~ {other}"))
    table = fit.modification_indices(["error-covariances"]).set_index(["lhs", "rhs"])
    fall = 250 * (fit.estimates.discrepancy - free.estimates.discrepancy)
    assert table.loc[(one, other), "mi"] == pytest.approx(fall, rel=0.06)


def test_the_modification_index_of_an_intercept_is_about_the_fall_of_chi_square(mobi):
    """A saturated mean moves to its item's; the index is a little below the likelihood ratio."""
    text = "S =~ CUSA1 + CUSA2 + CUSA3\nQ =~ PERQ1 + PERQ2 + PERQ3\nS ~ Q\nPERQ1 ~ {}1"
    fit, free = (csi.fit(M(text.format(own)), mobi, csi.ML()) for own in ("7.8*", ""))
    table = fit.modification_indices(["intercepts"]).set_index("lhs")
    fall = 250 * (fit.estimates.discrepancy - free.estimates.discrepancy)
    assert table.loc["PERQ1", "mi"] == pytest.approx(fall, rel=0.01)
    moved = mobi.data["PERQ1"].mean() - 7.8
    assert table.loc["PERQ1", "epc"] == pytest.approx(moved, rel=1e-6)
