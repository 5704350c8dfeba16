"""Ordered answers of several groups: lavaan's numbers, laws, simulated truth, what is refused."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csimodel as csi
from csimodel.errors import EstimationError, OptionError
from csimodel.estimators.covariance.invariance import difference

LAVAAN = json.loads(
    (Path(__file__).parents[2] / "reference" / "mobi_ordinal_groups.json").read_text("utf-8")
)
MOBI = csi.load_mobi().data
HALVES = np.where(np.arange(250) % 2 == 0, "a", "b")


def cut(*edges):
    return MOBI.apply(lambda column: np.searchsorted(edges, column) + 1)


FIVE, THREE, TWO = cut(5, 6, 7, 8), cut(6, 8), cut(7)
MIXED = MOBI.assign(**{name: FIVE[name] for name in ("PERQ5", "PERQ6", "CUSA3")})
DATA = {
    "five": FIVE,
    "three": THREE,
    "two": TWO,
    "uneven": FIVE.assign(PERQ4=TWO["PERQ4"]),
    "mixed": MIXED,
    "mean_adjusted": FIVE,
    "uls": FIVE,
    "partial": FIVE,
}
OPTIONS = {"mean_adjusted": {"test": "mean-adjusted"}, "uls": {"weights": "uls"}}
EQUAL = {
    "configural": (),
    "thresholds": ("thresholds",),
    "loadings": ("thresholds", "loadings"),
    "intercepts": ("thresholds", "loadings", "intercepts"),
    "strict": ("thresholds", "loadings", "intercepts", "errors"),
}
NAMES = {
    "chisq_scaled": "chisq.scaled",
    "scaling_factor": "chisq.scaling.factor",
    "baseline_chisq": "baseline.chisq",
    "baseline_df": "baseline.df",
    "baseline_chisq_scaled": "baseline.chisq.scaled",
    "cfi_scaled": "cfi.scaled",
    "tli_scaled": "tli.scaled",
    "rmsea_scaled": "rmsea.scaled",
    "rmsea_upper_scaled": "rmsea.ci.upper.scaled",
}
PLAIN = ("npar", "chisq", "df", "cfi", "tli", "rmsea", "fmin", "gfi", "agfi")
RESIDUAL = ("rmr", "srmr", "crmr", "rmr_nomean", "srmr_nomean", "crmr_nomean")
MODEL = csi.Model.from_syntax(
    """
    Quality =~ PERQ4 + PERQ5 + PERQ6
    Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    Satisfaction ~ Quality
    """
)


def joint(data, equal=(), estimator=None, **options):
    frame = data.assign(g=HALVES)
    by = csi.WLSMV() if estimator is None else estimator
    return csi.fit_multigroup(MODEL, frame, "g", by, equal=equal, progress=False, **options)


def fitted(name):
    theirs = LAVAAN[name]
    items = theirs["ordered"]
    blocks = {"Quality": [], "Satisfaction": []}
    for item in theirs["thresholds"]:
        blocks["Quality" if item.startswith("PERQ") else "Satisfaction"].append(item)
    text = "\n".join(f"{name} =~ {' + '.join(own)}" for name, own in blocks.items())
    model = csi.Model.from_syntax(f"{text}\nSatisfaction ~ Quality")
    ordered = "all" if len(items) == len(model.items) else items
    by = csi.WLSMV(ordered, normal=True, **OPTIONS.get(name, {}))
    frame, free = DATA[name].assign(g=HALVES), theirs["apart"] or ()
    return {
        level: csi.fit_multigroup(
            model, frame, "g", by, equal=EQUAL[level], free=free, progress=False
        )
        for level in theirs["fits"]
    }


@pytest.fixture(scope="module", params=DATA)
def pair(request):
    return request.param, LAVAAN[request.param], fitted(request.param)


def test_measures_of_every_level_are_lavaans(pair):
    name, theirs, fits = pair
    for level, fit in fits.items():
        assert fit.converged
        known = theirs["fits"][level]["fit_measures"]
        # of residual means of continuous items lavaan's root mean squares are others
        names = (*PLAIN, *NAMES, *(() if name == "mixed" else RESIDUAL))
        for own in names:
            value = known.get(NAMES.get(own, own))
            if value is not None:
                ours = fit.fit_measures[own]
                assert_allclose(ours, value, rtol=1e-6, atol=1e-6, err_msg=f"{level} {own}")


def test_parameters_and_errors_of_every_level_are_lavaans(pair):
    _, theirs, fits = pair
    for level, fit in fits.items():
        rows = theirs["fits"][level]["parameters"]
        known = {(r["lhs"], r["op"], r["rhs"], r["group"]): r for r in rows}
        compared = 0
        for row in fit.parameters.itertuples():
            key = row.lhs, row.op, row.rhs, 1 if row.group == "a" else 2
            other = known[key]
            assert_allclose(
                row.estimate, other["est"], rtol=1e-4, atol=6e-5, err_msg=f"{level} {key}"
            )
            assert_allclose(row.std, other["std"], atol=2e-5, err_msg=f"{level} {key}")
            if other["se"]:
                assert_allclose(row.se, other["se"], rtol=1e-4, err_msg=f"{level} {key}")
                compared += 1
        assert compared >= fit.fit_measures["npar"]


def test_differences_of_levels_are_lavaans(pair):
    name, theirs, fits = pair
    levels = list(fits)
    for before, level in itertools.pairwise(levels):
        step = theirs["steps"][level]
        found = difference(fits[before], fits[level])
        assert found["df_diff"] == step["df"]
        if step["df"]:
            assert_allclose(
                found["chisq_diff"], step["chisq"], rtol=1e-6, err_msg=f"{name} {level}"
            )
            assert_allclose(found["p_diff"], step["p"], rtol=1e-5)
        else:
            assert np.isnan(found["chisq_diff"])


def test_what_no_categories_tell_apart_is_said():
    found = csi.invariance(MODEL, TWO.assign(g=HALVES), "g", csi.WLSMV(), progress=False)
    assert list(found.fits) == ["configural", "thresholds", "metric", "scalar", "strict"]
    assert found.table["df_diff"].tolist()[1:] == [0, 0, 2, 6]
    assert found.table["holds"].isna().tolist() == [True, True, True, False, False]
    told = [f for f in found.findings if f.code == "invariance-not-testable"]
    assert [f.values for f in told] == [
        {"level": "thresholds", "before": "configural"},
        {"level": "metric", "before": "thresholds"},
    ]
    assert {f.severity for f in told} == {"note"}
    three = csi.invariance(MODEL, THREE.assign(g=HALVES), "g", csi.WLSMV(), progress=False)
    assert three.table["df"].tolist() == [16, 16, 20, 24, 30]
    five = csi.invariance(MODEL, FIVE.assign(g=HALVES), "g", csi.WLSMV(), progress=False)
    assert five.table["df"].tolist() == [16, 28, 32, 36, 42]
    assert not [f for f in five.findings if f.code == "invariance-not-testable"]


def test_scale_of_constructs_and_names_of_answers_do_not_matter():
    for equal in EQUAL.values():
        plain = joint(TWO, equal)
        other = joint(TWO, equal, csi.WLSMV(scaling="variance"))
        renamed = joint(TWO**3, equal)
        for fit in (other, renamed):
            assert fit.fitted.df == plain.fitted.df
            assert_allclose(fit.fit_measures["chisq_scaled"], plain.fit_measures["chisq_scaled"])
            assert_allclose(fit.paths, plain.paths, atol=1e-6)


def test_without_equality_groups_are_as_by_themselves():
    apart = joint(FIVE)
    for label in ("a", "b"):
        alone = csi.fit(MODEL, FIVE[label == HALVES], csi.WLSMV())
        assert_allclose(apart[label].loadings, alone.loadings, atol=1e-6)
        assert_allclose(apart[label].implied_cov, alone.implied_cov, atol=1e-6)
        assert_allclose(apart[label].residuals, alone.residuals, atol=1e-6)
        assert_allclose(apart[label].weights, alone.weights, atol=1e-6)
        rows = alone.parameters["op"] == "~"
        own = apart[label].parameters
        ours, known = own[own["op"] == "~"], alone.parameters[rows]
        assert_allclose(ours["std_se"], known["std_se"], rtol=1e-5)


def test_groups_of_different_size_count_as_by_themselves():
    """lavaan weighs them by n, with n less the number of groups in all (its errors beside ours)."""
    theirs = LAVAAN["unequal"]["fits"]["configural"]
    frame = FIVE.assign(g=np.where((np.arange(250) + 1) % 3 < 2, "a", "b"))
    fit = csi.fit_multigroup(MODEL, frame, "g", csi.WLSMV(), progress=False)
    assert_allclose(fit.fit_measures["chisq"], theirs["fit_measures"]["chisq"], rtol=1e-6)
    known = {(r["lhs"], r["op"], r["rhs"], r["group"]): r for r in theirs["parameters"]}
    for row in fit.parameters.itertuples():
        other = known[row.lhs, row.op, row.rhs, 1 if row.group == "a" else 2]
        n = {"a": 167, "b": 83}[row.group]
        if other["se"]:
            ratio = np.sqrt(n / (n - 1) * 248 / 250)
            assert_allclose(row.se, other["se"] * ratio, rtol=4e-5)


def test_a_group_twice_has_every_equality():
    frame = pd.concat([FIVE, FIVE]).assign(g=np.repeat(["a", "b"], 250))
    strict = csi.fit_multigroup(
        MODEL, frame, "g", csi.WLSMV(), equal=EQUAL["strict"], progress=False
    )
    alone = csi.fit(MODEL, FIVE, csi.WLSMV())
    assert_allclose(strict.fit_measures["chisq"], 2 * alone.fit_measures["chisq"], rtol=1e-8)
    assert_allclose(strict["b"].loadings, alone.loadings, atol=1e-6)
    assert_allclose(strict.score_tests()["chisq"], 0, atol=1e-8)


def test_score_tests_and_indices_foretell_what_freeing_gains():
    strict = joint(FIVE, EQUAL["strict"])
    tests = strict.score_tests().set_index("parameter")
    for name in ("PERQ5 | t2", "Satisfaction =~ CUSA2", "CUSA3 | t3"):
        freed = joint(FIVE, EQUAL["strict"], free=name)
        gain = strict.fit_measures["chisq"] - freed.fit_measures["chisq"]
        assert_allclose(tests.loc[name, "chisq"], gain, rtol=0.05)
        robust = difference(freed, strict)["chisq_diff"]
        assert_allclose(tests.loc[name, "chisq_robust"], robust, rtol=0.15)
    scalar = joint(FIVE, EQUAL["intercepts"])
    best = scalar.modification_indices(["error-covariances"]).iloc[0]
    group = "c(NA, 0)" if best["group"] == "a" else "c(0, NA)"
    more = csi.Model.from_syntax(f"{MODEL.to_syntax()}\n{best['lhs']} ~~ {group}*{best['rhs']}")
    freed = csi.fit_multigroup(
        more, FIVE.assign(g=HALVES), "g", csi.WLSMV(), equal=EQUAL["intercepts"], progress=False
    )
    gain = scalar.fit_measures["chisq"] - freed.fit_measures["chisq"]
    assert_allclose(best["mi"], gain, rtol=0.35)


def simulated(rng, moved=0.0, rows=500):
    """Return answers of two groups by one measure, but for a threshold that is moved in one."""
    loading = np.array([0.8, 0.7, 0.75, 0.7])
    parts = []
    for group, mean, spread in (("a", 0.0, 1.0), ("b", 0.4, 1.3)):
        factor = mean + spread * rng.normal(size=(rows, 1))
        response = factor * loading + rng.normal(size=(rows, 4)) * 0.65
        answers = np.stack([np.digitize(y, [-0.9, -0.1, 0.7]) for y in response.T], axis=1)
        if group == "b" and moved:
            answers[:, 0] = np.digitize(response[:, 0], [-0.9, -0.1 + moved, 0.7])
        parts.append(pd.DataFrame(answers, columns=list("wxyz")).assign(g=group))
    return pd.concat(parts, ignore_index=True)


ONE = csi.Model.from_syntax("F =~ w + x + y + z")


def test_the_difference_of_groups_is_recovered_and_a_moved_threshold_found():
    frame = simulated(np.random.default_rng(3), rows=4_000)
    strict = csi.fit_multigroup(ONE, frame, "g", csi.WLSMV(), equal=EQUAL["strict"], progress=False)
    table = strict.parameters.set_index(["lhs", "op", "rhs", "group"])["estimate"]
    unit = 0.8 / 0.65  # marker loading in units of the error
    assert_allclose(table["F", "~1", "", "b"] / unit, 0.4, atol=0.06)
    assert_allclose(table["F", "~~", "F", "b"] / table["F", "~~", "F", "a"], 1.69, rtol=0.1)
    assert_allclose(table["w", "|", "t1", "a"] * 0.65, -0.9, atol=0.06)
    same = csi.invariance(ONE, frame, "g", csi.WLSMV(), progress=False)
    assert (same.table["p_diff"].iloc[1:] > 0.01).all()
    other = simulated(np.random.default_rng(3), moved=0.3, rows=4_000)
    found = csi.invariance(ONE, other, "g", csi.WLSMV(), progress=False)
    assert found.table.loc["thresholds", "p_diff"] < 1e-6
    tests = found.fits["thresholds"].score_tests()
    assert tests.loc[tests["chisq_robust"].idxmax(), "parameter"].startswith("w | ")


def refuses(error, sentence, call):
    with pytest.raises(error) as found:
        call()
    assert str(found.value) == sentence


def test_what_cannot_be_is_refused():
    lost = FIVE.assign(PERQ5=np.where(HALVES == "b", FIVE["PERQ5"].clip(upper=4), FIVE["PERQ5"]))
    refuses(
        EstimationError,
        "Nobody in group b answered 5 on 'PERQ5', so its thresholds have no like in the other "
        "groups; join such answers with a neighbour in all groups, or leave the item or the group "
        "out.",
        lambda: joint(lost),
    )
    refuses(
        OptionError,
        "equal='loadings' says nothing of ordered answers while thresholds differ between groups, "
        "because these give the answers their units; add 'thresholds' to equal.",
        lambda: joint(FIVE, ("loadings",)),
    )
    refuses(
        OptionError,
        "equal='thresholds' is for ordered answers, and ML takes them as numbers, which have "
        "intercepts; use csi.WLSMV(), or leave it out.",
        lambda: joint(FIVE, ("thresholds",), csi.ML()),
    )
