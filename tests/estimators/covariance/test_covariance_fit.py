"""What fits by covariance SEM have and others do not, for readers, for Python, for type checkers."""

import copy
import pickle
import subprocess
import sys
from functools import cached_property
from importlib.util import find_spec

import numpy as np
import pytest

import csimodel as csi
from csimodel.estimators import CovarianceFit, fit_multigroup, fit_of
from csimodel.estimators.missing_results import MISSING

OWN = {
    name
    for name, member in vars(CovarianceFit).items()
    if not name.startswith("_") and (callable(member) or isinstance(member, cached_property))
} - {"loadings", "implied_cov"}


@pytest.fixture(scope="module")
def model():
    return csi.models.ecsi()


@pytest.fixture(scope="module")
def pls(model):
    return csi.fit(model, csi.load_mobi())


@pytest.fixture(scope="module")
def ml(model):
    return csi.fit(model, csi.load_mobi(), csi.ML())


def test_every_result_of_covariance_structures_has_a_sentence():
    assert set(MISSING) == OWN


@pytest.mark.parametrize("name", sorted(MISSING))
def test_other_fits_say_what_they_lack(pls, ml, name):
    assert hasattr(ml, name)
    assert not hasattr(pls, name)
    assert name not in dir(pls)
    with pytest.raises(
        csi.errors.OptionError, match=r"need a covariance structure .* by PLS, path"
    ) as e:
        getattr(pls, name)
    assert isinstance(e.value, AttributeError)
    assert isinstance(e.value, csi.CsimodelError)


def test_unknown_names_are_plain_attribute_errors(pls, ml):
    for fit in (pls, ml):
        with pytest.raises(AttributeError, match="'pathz'") as error:
            _ = fit.pathz
        assert not isinstance(error.value, csi.CsimodelError)


def test_an_attribute_error_within_a_result_is_told_as_it_is(ml, monkeypatch):
    def broken(solution):
        raise AttributeError("inner")

    monkeypatch.setattr("csimodel.estimators.covariance_fit.vcov", broken)
    with pytest.raises(AttributeError, match="inner"):
        _ = fit_of(ml.solution).defined


def test_fits_are_copied_and_pickled(pls, ml):
    for fit in (pls, ml):
        for again in (pickle.loads(pickle.dumps(fit)), copy.copy(fit), copy.deepcopy(fit)):
            assert type(again) is type(fit)
            np.testing.assert_array_equal(again.paths, fit.paths)
    assert not hasattr(
        object.__new__(csi.estimators.Fit), "estimator"
    )  # before a pickle has filled it


def test_kinds_of_fits(model, pls, ml):
    frame = csi.load_mobi().data.assign(half=["a", "b"] * 125)
    small = csi.Model.from_syntax("S =~ CUSA1 + CUSA2 + CUSA3\nL =~ CUSL1 + CUSL3\nL ~ S")
    assert type(pls) is csi.estimators.Fit
    assert type(ml) is CovarianceFit
    assert type(csi.fit_groups(small, frame, "half")["a"]) is csi.estimators.Fit
    groups = csi.fit_groups(small, frame, "half", csi.ML())
    joint = fit_multigroup(small, frame, by="half", equal="loadings")
    assert {type(groups["a"]), type(joint["b"])} == {CovarianceFit}
    assert joint["b"].in_joint_fit
    assert not groups["a"].in_joint_fit
    assert not pls.in_joint_fit
    assert type(fit_of(ml.solution)) is CovarianceFit


def test_type_checkers_know_the_kind(tmp_path):
    text = """
import csimodel as csi
from csimodel.estimators import CovarianceFit, Estimator, Fit
from typing import assert_type

def kinds(model: csi.Model, survey: csi.Survey, some: Estimator) -> None:
    assert_type(csi.fit(model, survey), Fit)
    assert_type(csi.fit(model, survey, csi.PLS(consistent=True), strict=True), Fit)
    assert_type(csi.fit(model, survey, some), Fit)
    assert_type(csi.fit(model, survey, csi.ML()), CovarianceFit)
    assert_type(csi.fit(model, survey, csi.LeastSquares("gls")), CovarianceFit)
    assert_type(csi.fit(model, survey, csi.WLSMV()), CovarianceFit)
    assert_type(csi.fit(model, survey, csi.Semopy()), CovarianceFit)
    csi.fit(model, survey, csi.ML()).fit_measures
    csi.fit(model, survey).fit_measures  # type: ignore[attr-defined]
"""
    (tmp_path / "kinds.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(tmp_path / "kinds.py")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


if find_spec("mypy") is None:  # a tool of developers, which the tests' own install does not bring
    del test_type_checkers_know_the_kind
