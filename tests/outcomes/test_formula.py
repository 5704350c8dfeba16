"""Formulas: the same columns as statsmodels' own, effects through products, draws, messages."""

import ast
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import EstimationError, OptionError, SurveyError
from csimodel.outcomes import repurchase
from csimodel.outcomes.design.formula import Formula
from csimodel.outcomes.design.grammar import _TERMS, _sum_of_choices, _told
from csimodel.outcomes.design.layout import value_of
from csimodel.outcomes.kernels.families import FAMILIES

ISSUE = "CUSL1 ~ index * competition + C(industry)"
FORMULAS = [
    ISSUE,
    "CUSL1 ~ index * C(industry)",
    "CUSL1 ~ index + I(index ** 2) + I(index ** 3)",
    "CUSL1 ~ index * Image + np.log(age)",
    "CUSL1 ~ index + age * competition + C(firm)",
    "CUSL1 ~ index + I(index ** 2):competition + competition + Q('years with us')",
]


@pytest.fixture(scope="module")
def frame(mobi):
    rng = np.random.default_rng(0)
    return mobi.data.assign(
        age=rng.integers(18, 80, 250),
        industry=rng.choice(["air", "bank", "net"], 250),
        competition=rng.uniform(0, 1, 250),
        firm=rng.integers(1, 4, 250),
        **{"years with us": rng.exponential(4.0, 250)},
    )


@pytest.fixture(scope="module")
def own(ecsi, mobi, frame):
    return csi.fit(ecsi, replace(mobi, data=frame))


def by_statsmodels(own, frame, formula, family="fractional-logit"):
    """Fit a formula with statsmodels, the indexes as columns."""
    scores = csi.respondent_index(own)
    data = frame.assign(
        index=scores["Satisfaction"], Image=scores["Image"], CUSL1=(frame["CUSL1"] - 1) / 9
    )
    if family == "ols":
        return smf.ols(formula, data).fit(), data
    model = smf.glm(formula, data, family=sm.families.Binomial())
    return model.fit(tol=1e-13, tol_criterion="params"), data


@pytest.mark.parametrize("family", ["ols", "fractional-logit"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_the_same_coefficients_as_statsmodels(own, frame, formula, family):
    theirs, _ = by_statsmodels(own, frame, formula, family)
    found = repurchase(own, formula=formula, family=family)
    mine = found.coefficients["estimate"].rename(
        lambda name: name.replace("Satisfaction", "index").replace("const", "Intercept")
    )
    names = theirs.params.rename(lambda name: name.replace("Q('years with us')", "years with us"))
    assert set(mine.index) == set(names.index)
    assert_allclose(mine[names.index], names, rtol=1e-6, atol=1e-10)
    assert found.indexes[0] == "Satisfaction"


@pytest.mark.parametrize("formula", FORMULAS)
def test_effects_and_predictions_go_through_the_formula(own, frame, formula):
    theirs, data = by_statsmodels(own, frame, formula)
    found = repurchase(own, formula=formula)

    def mean(shift=0.0, level=None):
        moved = data.assign(index=data["index"] + shift if level is None else level)
        return float(theirs.predict(moved).mean())

    step = (mean(1e-4) - mean(-1e-4)) / 2e-4
    assert_allclose(found.average_marginal_effect, step, rtol=1e-6)
    assert_allclose(found.predict([40, 75])["probability"], [mean(level=40), mean(level=75)])
    slope = (mean(level=75 + 1e-4) - mean(level=75 - 1e-4)) / 2e-4
    assert_allclose(found.effect_at(75), slope, rtol=1e-6)
    assert (found.average_marginal_effects["se"] > 0).all()


def test_errors_of_effects_are_the_delta_methods(own):
    found = repurchase(own, formula="CUSL1 ~ index * competition + I(index ** 2)")
    base = found.regression
    for ask in (
        lambda g: g.average_slopes(),
        lambda g: g.predictions(0, np.array([30.0, 80.0])),
        lambda g: g.slopes(0, np.array([30.0, 80.0])),
    ):
        gradient = ask(base).gradient
        for j, size in enumerate(np.abs(base.coefficients)):
            step = np.zeros(len(base.coefficients))
            step[j] = 1e-6 * size
            up, down = (
                ask(replace(base, coefficients=base.coefficients + s)).value for s in (step, -step)
            )
            assert_allclose(gradient[:, j], (up - down) / (2 * step[j]), rtol=1e-4, atol=1e-6)


def test_controls_that_cannot_change_alone_have_no_effect_of_their_own(own):
    def effects(right):
        return repurchase(own, formula=f"CUSL1 ~ {right}").average_marginal_effects.index.tolist()

    assert effects("index + age * competition") == ["Satisfaction"]
    assert effects("index + age + I(age ** 2) + firm") == ["Satisfaction", "firm"]
    assert effects("index * competition") == ["Satisfaction", "competition"]
    assert effects("index * C(industry)") == [
        "Satisfaction",
        "C(industry)[T.bank]",
        "C(industry)[T.net]",
    ]
    assert effects("index * Image") == ["Satisfaction", "Image"]


@pytest.mark.parametrize("family", ["fractional-logit", "ordered-logit", "beta", "ols"])
def test_every_draw_makes_the_formula_again(own, mobi, frame, ecsi, family):
    rows = np.random.default_rng(5).integers(0, 250, (24, 250))
    boot = csi.bootstrap(own, resamples=rows)
    options = {"scale": (0.5, 10.5)} if family == "beta" else {}
    formula = "CUSL1 ~ index * competition + I(index ** 2) + Image + C(industry)"
    found = repurchase(own, formula=formula, family=family, bootstrap=boot, **options)
    assert found.draws.usable.all()
    levels = np.array([50.0, 80.0])
    drawn = {
        "predictions": found.draws.predictions(0, levels),
        "slopes": found.draws.slopes(0, levels),
        "average_slopes": found.draws.average_slopes(),
    }
    for draw in (0, 13, 23):
        again = replace(mobi, data=frame.iloc[rows[draw]].reset_index(drop=True))
        one = repurchase(csi.fit(ecsi, again), formula=formula, family=family, **options)
        assert_allclose(
            found.draws.coefficients[draw], one.coefficients["estimate"], rtol=1e-5, atol=1e-7
        )
        for name, values in drawn.items():
            ask = getattr(one.regression, name)
            mine = ask() if name == "average_slopes" else ask(0, levels)
            assert_allclose(values[draw], mine.value, rtol=1e-5, atol=1e-8, err_msg=name)


def test_an_index_from_elsewhere_takes_formulas(own, frame):
    index = csi.respondent_index(own)["Satisfaction"]
    controls = frame[["competition", "industry"]]
    for formula in (ISSUE, ISSUE.partition("~")[2], ISSUE.replace("index", "Satisfaction")):
        found = repurchase(
            index=index, outcome=frame["CUSL1"], formula=formula, controls=controls, scale=(1, 10)
        )
        pd.testing.assert_frame_equal(
            found.coefficients, repurchase(own, formula=ISSUE).coefficients
        )
    found = repurchase(
        index=index, outcome=frame["CUSL1"], formula="index + I(index**2)", scale=(1, 10)
    )
    assert found.coefficients.index.tolist() == ["const", "Satisfaction", "I(Satisfaction ** 2)"]


def test_index_means_the_construct_given_and_others_go_by_name(own):
    one = repurchase(own, formula="CUSL1 ~ index + Value", index="Image")
    assert one.indexes == ("Image", "Value")
    plain = repurchase(own, "CUSL1", index=["Image", "Value"])
    pd.testing.assert_frame_equal(one.coefficients, plain.coefficients)
    pd.testing.assert_frame_equal(one.predict(60, index="Value"), plain.predict(60, index="Value"))


def test_rows_without_a_value_are_left_out_and_counted(mobi, ecsi, frame):
    gaps = frame.assign(
        age=frame["age"].where(np.arange(250) >= 7), industry=frame["industry"].where(frame["firm"] > 1)
    )  # fmt: skip
    fit = csi.fit(ecsi, replace(mobi, data=gaps))
    found = repurchase(fit, formula="CUSL1 ~ index + age + industry")
    firms = int((frame["firm"] == 1).sum())
    assert found.findings[0].code == "rows-left-out"
    assert found.findings[0].values["columns"] == ("age (7)", f"industry ({firms})")
    assert found.n == int(gaps[["age", "industry"]].notna().all(axis=1).sum())


def test_weights_and_clusters_go_with_formulas(mobi, ecsi, frame):
    data = frame.assign(w=np.random.default_rng(2).uniform(0.5, 2, 250), site=np.arange(250) % 40)
    survey = csi.read_survey(data, scale=(1, 10), weights="w", cluster="site")
    fit = csi.fit(ecsi, survey)
    found = repurchase(fit, formula=ISSUE, scale=(1, 10), errors="cluster")
    scores = csi.respondent_index(fit)
    columns = data.assign(index=scores["Satisfaction"], CUSL1=(data["CUSL1"] - 1) / 9)
    theirs = smf.glm(
        ISSUE, columns, family=sm.families.Binomial(), var_weights=data["w"] / data["w"].mean()
    ).fit(tol=1e-13, tol_criterion="params")
    mine = found.coefficients["estimate"].rename(
        lambda name: name.replace("Satisfaction", "index").replace("const", "Intercept")
    )
    assert_allclose(mine[theirs.params.index], theirs.params, rtol=1e-7)


def test_every_family_takes_formulas(own, frame):
    for name, family in FAMILIES.items():
        if name == "wls":
            continue
        outcome, options = "CUSL1", {}
        if family.outcome == "binary":
            outcome = (frame["CUSL1"] >= 8).rename("again")
        elif family.outcome == "open share":
            options = {"scale": (0.5, 10.5)}
        found = repurchase(own, outcome, formula="index * competition", family=name, **options)
        assert found.converged
        assert 0 < found.average_marginal_effect < 0.02


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"outcome": ISSUE},
            OptionError,
            f"outcome={ISSUE!r} is a formula; write formula={ISSUE!r}.",
        ),
        (
            {"formula": "index * competition"},
            OptionError,
            "There is no outcome; name the column that says who buys again, or left of '~' in "
            "formula='index * competition'.",
        ),
        (
            {"outcome": "CUSL2", "formula": "CUSL1 ~ index"},
            OptionError,
            "formula='CUSL1 ~ index' explains 'CUSL1', but the outcome is 'CUSL2'; name the same "
            "column in both.",
        ),
        (
            {"formula": "CUSL1 ~ index", "controls": ["age", "firm"]},
            OptionError,
            "controls=['age', 'firm'] and formula= do not go together; add them to the formula, "
            "as in '… + age + firm'.",
        ),
        (
            {"formula": "CUSL1 ~ index + agee"},
            SurveyError,
            "formula='CUSL1 ~ index + agee' names 'agee', which is neither a column nor an index "
            "in index=['Satisfaction'] (did you mean 'age'?); correct the name.",
        ),
        (
            {"formula": "CUSL1 ~ index +* age"},
            OptionError,
            "formula='CUSL1 ~ index +* age' cannot be read (expected a noun, not '*'); correct it.",
        ),
        (
            {"formula": "CUSL1 ~ "},
            OptionError,
            "formula='CUSL1 ~ ' has no regressors; write for example 'REPUR ~ index * industry'.",
        ),
        (
            {"formula": "a ~ b ~ index"},
            OptionError,
            "formula='a ~ b ~ index' has more than one '~'; write for example "
            "'REPUR ~ index * industry'.",
        ),
        (
            {"formula": "CUSL1 ~ age"},
            OptionError,
            "formula='CUSL1 ~ age' has no term 'index' (or 'Satisfaction') of its own; write 'index' besides its "
            "products and powers, as in 'index * industry'.",
        ),
        (
            {"formula": "CUSL1 ~ index - 1"},
            OptionError,
            "formula='CUSL1 ~ index - 1' has no constant; leave out '0 +' or '- 1', as every "
            "regression here has one.",
        ),
        (
            {"formula": "CUSL1 ~ index + np.log(index)"},
            OptionError,
            "formula='CUSL1 ~ index + np.log(index)' bends an index in 'np.log(index)' in a way "
            "that is no polynomial up to power 3; write powers such as I(index ** 2), or see "
            "csi.outcomes.repurchase_shape.",
        ),
        (
            {"formula": "CUSL1 ~ index + bs(index, df=4)"},
            OptionError,
            "formula='CUSL1 ~ index + bs(index, df=4)' bends an index in a term in a way that is "
            "no polynomial up to power 3; write powers such as I(index ** 2), or see "
            "csi.outcomes.repurchase_shape.",
        ),
        (
            {"formula": "CUSL1 ~ index * Complaints"},
            OptionError,
            "formula='CUSL1 ~ index * Complaints' names 'Complaints', which is an index and a "
            "column, too; rename the column.",
        ),
        (
            {"formula": "CUSL1 ~ index + center(index)"},
            EstimationError,
            "Regressors 'Satisfaction' and 'center(Satisfaction)' are tied by an exact formula, so "
            "their slopes cannot be told apart; leave one out.",
        ),
    ],
)
def test_errors_of_formulas(mobi, ecsi, frame, options, error, message):
    fit = csi.fit(ecsi, replace(mobi, data=frame.assign(Complaints=1)))
    with pytest.raises(error) as raised:
        repurchase(fit, **options)
    assert str(raised.value) == message


# --- what a formula may say ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def three():
    """Three indexes, an outcome and columns with awkward names."""
    rng = np.random.default_rng(3)
    index = pd.DataFrame(rng.uniform(5, 95, (300, 3)), columns=["Satisfaction", "Image", "Value"])
    y = 0.2 + 0.004 * index["Satisfaction"] + 0.00002 * index["Image"] * index["Value"]
    controls = pd.DataFrame(
        {
            "age": rng.integers(18, 80, 300), "market": rng.choice(["air", "bank"], 300),
            "log": rng.normal(size=300), "np": rng.normal(size=300), "C": rng.normal(size=300),
            "__import__('os').getpid()": rng.normal(size=300), "years with us": rng.exponential(4, 300),
        }
    )  # fmt: skip
    return index, (y + rng.normal(0, 0.05, 300)).clip(0, 1).rename("again"), controls


def of_three(three, text, **options):
    index, y, controls = three
    given = {"formula": text, "controls": controls, "family": "ols", "scale": (0, 1), **options}
    return repurchase(index=index, outcome=y, **given)


@pytest.mark.parametrize(
    "piece",
    [
        "I(np.f2py.os.system('touch {0}') + age)",
        "__import__('os').system('touch {0}')",
        "I(open('{0}', 'w') and 1)",
        "I(f\"{{__import__('os').system('touch {0}')}}\")",
        "I((lambda: open('{0}', 'w'))())",
        "I([open('{0}', 'w') for _ in age])",
        "I((x := open('{0}', 'w')))",
        "C(age, levels=open('{0}', 'w'))",
        "C(age, Treatment(open('{0}', 'w')))",
        "bs(age, knots=open('{0}', 'w'))",
        "np.where(open('{0}', 'w'), age, 0)",
        "Q(open('{0}', 'w'))",
        "I(Q(open('{0}', 'w')))",
        "getattr(age, 'to_csv')('{0}')",
        "age.to_csv('{0}')",
        "np.log(age, open('{0}', 'w'))",
        "center(age, *[open('{0}', 'w')])",
        "center(age, **dict(x=open('{0}', 'w')))",
        "np.save('{0}', age)",
        "I(age if open('{0}', 'w') else age)",
        "I(age[open('{0}', 'w')])",
    ],
)
def test_nothing_is_run(three, tmp_path, piece):
    mark = tmp_path / "mark"
    text = "index + Image + Value + " + piece.format(mark)
    with pytest.raises(OptionError, match=r"cannot be used: .*; a formula takes columns, numbers"):
        of_three(three, text)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("piece", "error", "words"),
    [
        ("age.__class__", OptionError, "'age.__class__' is not something a formula may say"),
        ("__builtins__", OptionError, "'__builtins__' is no column that a formula may name"),
        ("open", SurveyError, "names 'open', which is neither a column nor an index"),
        ("Q('__builtins__')", SurveyError, "names '__builtins__', which is neither"),
        ("I(9 ** 9 ** 9)", OptionError, "is a power whose exponent is not a number up to 10"),
        ("I(age ** 99999)", OptionError, "is a power whose exponent is not a number up to 10"),
        ("I(age * 10 ** 9)", OptionError, "'10 ** 9' is a power of numbers alone"),
        ("I('a' * 999999999)", OptionError, "'a'\" is text, with which a formula cannot count"),
        ("I(market * 999999999)", SurveyError, "counts with 'market', which does not hold numbers"),
        ("I(market % age)", SurveyError, "counts with 'market', which does not hold numbers"),
        ("bs(age, df=999999999)", OptionError, "'bs(…, 999999999)' asks for more than 30 columns"),
        ("np.log(age, age)", OptionError, "'np.log(age, age)' needs 1 argument and no more"),
        ("log(age, out=age)", OptionError, "needs 1 argument and no more"),
        ("I(18 < age < 50)", OptionError, "compares more than two things"),
        ("True", OptionError, "'True' names no column"),
        ("Treatment(3)", OptionError, "'Treatment(3)' belongs inside C(…)"),
        ("log + log(age)", OptionError, "calls 'log', which is a column, too; rename the column"),
        ("np + np.log(age)", OptionError, "calls 'np', which is a column, too; rename the column"),
        ("Q('C') + C(market)", OptionError, "calls 'C', which is a column, too; rename"),
        ("age * log * np * C * market * Image * Value * index * age ** 2 * I(age ** 2)", OptionError,
         "stands for more than 300 terms"),
        ("(age + log + np + C + market + index + Image + Value) ** 8 : (age + log)", OptionError,
         "stands for more than 300 terms"),
        ("age" + " + age" * 2000, OptionError, "characters, and 4000 are the most that is read"),
        ("I(" + "-" * 3000 + "age)", OptionError, "is nested too deeply"),
        ("np.log(age - 30)", SurveyError, "gives no finite number in 'np.log(age - 30)' for "),
        ("I(age / 0)", SurveyError, "gives no finite number in 'I(age / 0)' for 300 of 300"),
        ("I(index ** 2):Image:Value", OptionError, "no polynomial up to power 3"),
        ("C(index)", OptionError, "bends an index in"),
    ],
)  # fmt: skip
def test_what_a_formula_may_not_say_is_named(three, piece, error, words):
    with pytest.raises(error) as raised:
        of_three(three, "index + Image + Value + " + piece)
    assert words in str(raised.value)


@pytest.mark.parametrize("text", [5, ["index"], b"index", object()])
def test_a_formula_is_text(three, text):
    with pytest.raises(OptionError, match=r"^formula.* must be text, written in quotes"):
        of_three(three, text)


@pytest.mark.parametrize(
    "piece",
    [
        "log(age)", "np.log(age) + exp(I(age / 100)) + sqrt(age)", "I(age > 30)",
        "I((age > 30) & (age < 60))", "np.where(market == 'air', age, 0)", "minimum(age, 40)",
        "C(market, Treatment('bank'))", "C(market, Sum)", "C(market, levels=['bank', 'air'])",
        "bs(age, df=5)", "center(age) + standardize(I(age ** 2))",
        "Q(\"__import__('os').getpid()\")", "Q('years with us'):market", "log", "np", "C",
        "age / market", "(age + market) ** 2", "clip(age, 20, 60)",
    ],
)  # fmt: skip
def test_what_a_formula_may_say_is_what_patsy_makes_of_it(three, piece):
    index, y, controls = three
    text = "Satisfaction + Image + Value + " + piece
    data = pd.concat([index, y, controls], axis=1)
    data = data.rename(columns={"C": "C_"}) if piece != "C" else data
    if piece not in ("log", "np", "C"):
        data = data.drop(columns=["log", "np"])
        theirs = smf.ols("again ~ " + text.replace("log(age)", "np.log(age)").replace("np.np", "np")
                         .replace(" exp(", " np.exp(").replace("sqrt", "np.sqrt")
                         .replace("+ minimum", "+ np.minimum").replace("+ clip", "+ np.clip"), data)  # fmt: skip
        wanted = theirs.fit().fittedvalues
    else:
        X = sm.add_constant(data[["Satisfaction", "Image", "Value", piece]])
        wanted = sm.OLS(y, X).fit().fittedvalues
    assert_allclose(of_three(three, text).regression.eta, wanted, rtol=1e-8)


# --- several indexes, many categories -------------------------------------------------------------


@pytest.mark.parametrize("family", ["ols", "fractional-logit"])
def test_products_of_three_indexes_are_statsmodels(three, family):
    index, y, controls = three
    data = pd.concat([index, y, controls], axis=1)
    text = "Satisfaction * Image * Value + I(Image ** 2):market + I(Satisfaction * Value) * age"
    text = text.replace("I(Satisfaction * Value) * age", "I(Satisfaction * Value):age")
    found = of_three(three, text, family=family)
    model = (
        smf.ols("again ~ " + text, data)
        if family == "ols"
        else smf.glm("again ~ " + text, data, family=sm.families.Binomial())
    )
    theirs = model.fit() if family == "ols" else model.fit(tol=1e-13, tol_criterion="params")
    mine = found.coefficients["estimate"].rename({"const": "Intercept"})
    assert_allclose(mine[theirs.params.index], theirs.params, rtol=1e-4, atol=1e-9)
    step = 1e-3
    up, down = (theirs.predict(data.assign(Image=data["Image"] + s)).mean() for s in (step, -step))
    assert_allclose(found.average_marginal_effects.loc["Image", "estimate"], (up - down) / (2 * step),
                    rtol=1e-5)  # fmt: skip
    again = theirs.predict(data.assign(Value=40.0)).mean()
    assert_allclose(found.predict(40, index="Value")["probability"], again, rtol=1e-7)


@pytest.mark.parametrize("family", ["ols", "fractional-logit", "fractional-probit"])
def test_effects_of_wide_designs_are_those_of_narrow_ones(three, family, monkeypatch):
    from csimodel.outcomes.models import regression

    rep = of_three(three, "index * Image * C(market) + Value * age + I(Value ** 3)", family=family)
    narrow = rep.regression.average_slopes()
    monkeypatch.setattr(regression, "_WIDE", 3)
    wide = rep.regression.average_slopes()
    assert_allclose(wide.value, narrow.value, rtol=1e-10)
    assert_allclose(wide.individual, narrow.individual, rtol=1e-10, atol=1e-14)
    largest = np.abs(narrow.gradient).max(axis=1, keepdims=True)
    assert_allclose(wide.gradient / largest, narrow.gradient / largest, atol=1e-8)


def test_a_column_taken_apart_is_the_column(three):
    found = of_three(three, "index * Image * C(market) + Value * age + I(Value ** 3)")
    sample = found.regression.sample
    layout, factors = sample.layout, list(sample.factors.T)
    for column, values in zip(layout.columns, sample.regressors.T, strict=True):
        assert_allclose(value_of(column, list(sample.points.T), factors), values, rtol=1e-10)
    assert len(factors) == 2  # one category and the age, each kept once


def test_many_categories_do_not_multiply_the_memory():
    import tracemalloc

    rng = np.random.default_rng(1)
    n, firms = 3_000, 60
    index = pd.DataFrame(rng.uniform(0, 100, (n, 2)), columns=["S", "V"])
    controls = pd.DataFrame({"firm": rng.integers(0, firms, n)})
    formula = Formula.of("index * V * C(firm)", controls, ["S", "V"], "y")
    tracemalloc.start()
    built = formula.build(np.arange(n), index.to_numpy())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert built.columns.shape == (n, 4 * firms - 1)
    assert peak < 12 * built.columns.nbytes  # at 25 levels of two indexes it was more than 50 times
    with pytest.raises(OptionError) as raised:
        Formula.of("index + V + C(firm)", pd.DataFrame({"firm": np.arange(3_000)}), ["S", "V"], "y").build(
            np.arange(n), index.to_numpy()
        )  # fmt: skip
    assert str(raised.value) == (
        "formula='index + V + C(firm)' takes 'firm' as categories, of which there are 3000 among 3000 "
        "respondents; 2000 are the most, so merge them or take another column."
    )
    two = pd.DataFrame({"a": np.arange(n) % 300, "b": rng.integers(0, 300, n)})
    with pytest.raises(
        OptionError, match=r"some 90,602 columns of 3,000 respondents, and 50,000,000"
    ):
        Formula.of("index + C(a) * C(b)", two, ["S"], "y").build(
            np.arange(n), index.to_numpy()[:, :1]
        )


def test_a_long_formula_of_too_many_terms_is_shown_in_part():
    columns = [f"column_number_{k}" for k in range(14)]
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(60, 14)), columns=columns)
    frame["y"] = np.arange(60) % 2
    formula = "y ~ index + " + " * ".join(columns)
    with pytest.raises(OptionError, match=r"^formula='y ~ index \+ column.*…' stands for"):
        csi.repurchase(frame, formula=formula, index="column_number_0")


def test_choices_are_counted_to_the_limit_and_beyond():
    assert _sum_of_choices(24, 2) == 300 == _TERMS
    assert _sum_of_choices(24, 3) > _TERMS
    assert _sum_of_choices(5, 2) == 15


@pytest.mark.parametrize(("length", "shown"), [(60, "x" * 60), (61, "x" * 60 + "…")])
def test_sixty_letters_of_a_piece_are_shown(length, shown):
    assert _told(ast.parse("x" * length, mode="eval").body) == shown
