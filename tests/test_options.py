"""The same argument is guarded by the same sentence everywhere."""

import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
from public_names import functions

import csimodel as csi
from csimodel import options
from csimodel.errors import OptionError

FUNCTIONS = functions()
LEVEL = "must lie between 0 and 1, for example 0.95."


def _functions_of(parameter):
    """Public functions with such a parameter."""
    for name, function in FUNCTIONS.items():
        if parameter in inspect.signature(function).parameters and not name.startswith("plots."):
            yield name


def _of_a_fit():
    """Public functions whose first argument is a fit."""
    for name in _functions_of("fit"):
        if next(iter(inspect.signature(FUNCTIONS[name]).parameters)) == "fit":
            yield name


def _others(function):
    """Values for the required arguments that follow the first."""
    values = {"outcome": "CUSL1", "by": "half", "duration": "CUSL1", "event": "half"}
    values |= {"firm": "half", "period": "half", "target": "Satisfaction", "source": "Quality"}
    values |= {"at": 70.0, "changes": {"Quality": 5.0}}
    own = list(inspect.signature(function).parameters.values())[1:]
    return {p.name: values[p.name] for p in own if p.default is p.empty and p.name in values}


@pytest.fixture(scope="module")
def groups(ecsi, mobi):
    frame = mobi.data.assign(half=["a", "b"] * 125)
    return csi.fit_groups(ecsi, csi.read_survey(frame, scale=(1, 10)), by="half")


@pytest.mark.parametrize("name", ["compare", *_of_a_fit()])
def test_one_fit_is_wanted_and_what_else_comes_is_refused_alike(name, groups, boot, mobi):
    function = FUNCTIONS[name]
    call = (
        (lambda value: csi.compare(value, value))
        if name == "compare"
        else (lambda value: function(value, **_others(function)))
    )
    option = "fit 1" if name == "compare" else "fit"
    name = name.rpartition(".")[2]
    if name not in ("linearize", "index_scores"):  # which take the fits of several groups together
        with pytest.raises(OptionError) as told:
            call(groups)
        assert str(told.value) == (
            f"{name} wants one fit and {option} holds those of 2 groups; take one group, such as "
            f"fits['a'], or go through them: {{label: {name}(fit) for label, fit in fits.items()}}."
        )
    with pytest.raises(OptionError, match=r"is a Bootstrap; give what it was made from"):
        call(boot)
    for wrong in (mobi, mobi.data, None, 3, "mobi.csv", csi.estimators.Fit, {}):
        with pytest.raises(OptionError, match=rf"^{name} wants a fit and {option}"):
            call(wrong)


def test_joint_fits_are_groups_too(mobi):
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ7\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ Q")
    joint = csi.fit_multigroup(model, mobi.data.assign(half=["a", "b"] * 125), "half")
    with pytest.raises(OptionError, match=r"^assess wants one fit and fit holds those of 2 groups"):
        csi.assess(joint)
    with pytest.raises(OptionError, match=r"^path_diagram wants one fit"):
        csi.plots.path_diagram(joint)


def test_draws_of_an_equal_fit_are_its_draws(fit, boot):
    table = csi.index_scores(fit, bootstrap=boot)
    elsewhere, copy = pickle.loads(pickle.dumps(boot)), pickle.loads(pickle.dumps(fit))
    pd.testing.assert_frame_equal(csi.index_scores(fit, bootstrap=elsewhere), table)
    pd.testing.assert_frame_equal(csi.index_scores(copy, bootstrap=boot), table)
    pd.testing.assert_frame_equal(
        csi.repurchase(copy, "CUSL1", bootstrap=boot, progress=False).coefficients,
        csi.repurchase(fit, "CUSL1", bootstrap=boot, progress=False).coefficients,
    )
    csi.compare(copy, fit, bootstraps=[boot, elsewhere])


@pytest.mark.parametrize("name", list(_functions_of("bootstrap")))
def test_what_holds_no_draws_is_no_bootstrap(name, fit, boot):
    function = FUNCTIONS[name]
    for wrong in (fit, boot.table("paths"), "boot", 500):
        with pytest.raises(OptionError, match=r"^bootstrap is .*, which holds no draws; make it"):
            function(fit, bootstrap=wrong, **_others(function))


def test_draws_of_other_answers_are_refused(ecsi, mobi, fit):
    other = csi.fit(ecsi, mobi.data.iloc[::-1])
    with pytest.raises(OptionError, match=r"^The bootstrap was made from another fit"):
        csi.assess(fit, csi.bootstrap(other, 50))


@pytest.mark.parametrize("level", [0, 1, 95, "0.95", None, float("nan"), True, [0.95], np.True_])
@pytest.mark.parametrize("name", sorted(set(_functions_of("level")) & set(_of_a_fit())))
def test_levels(name, level, fit):
    function = FUNCTIONS[name]
    with pytest.raises(OptionError, match=rf"^level=.* {LEVEL}$"):
        function(fit, level=level, **_others(function))


def test_numbers_of_numpy_are_numbers(fit):
    plain = csi.bootstrap(fit, 60, rng=3)
    numpy = csi.bootstrap(fit, np.int64(60), rng=np.int32(3), workers=np.int8(1))
    pd.testing.assert_frame_equal(
        numpy.table("r2", level=np.float64(0.9)), plain.table("r2", level=0.9)
    )
    assert options.require_level(np.float32(0.5)) == 0.5


@pytest.mark.parametrize("wrong", [True, -1, 0, 2.5, float("nan"), "7", None, [7], np.True_])
def test_counts(wrong, fit):
    with pytest.raises(OptionError, match=r"^draws=.* must be a whole number of at least 1, and"):
        csi.bootstrap(fit, wrong)


@pytest.mark.parametrize("wrong", [True, "a", None, np.nan, np.inf, 3.0, -1.0, 10**400, [1]])
def test_numbers(wrong):
    with pytest.raises(OptionError, match=r"^x=.* must be a number above -1 and at most 2\.$"):
        options.require_number("x", wrong, above=-1, most=2)
    assert options.require_number("x", np.float32(1.5), above=-1, most=2) == 1.5


def test_what_was_written_is_shown_on_one_line_and_not_too_long():
    assert options.shown("a\n" * 80).count("\n") == 0
    assert len(options.shown(list(range(500)))) == 60
    assert options.shown(np.zeros(3)) == "a ndarray" or options.shown(np.zeros(3)) == "an ndarray"
    assert options.shown(csi.PLS) == "the class PLS"
