"""The package computes in its own state of floating-point errors."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel.floats import own_errstate, own_errstate_in


def test_callers_state_neither_reaches_in_nor_is_changed():
    @own_errstate
    def tiny():
        return np.float64(1e-300) * np.float64(1e-300)

    with np.errstate(all="raise"):
        assert tiny() == 0.0
        with pytest.raises(FloatingPointError):
            np.float64(1e-300) * np.float64(1e-300)


def test_methods_properties_and_constructors_of_a_class():
    @own_errstate_in
    class Tiny:
        def method(self):
            return np.float64(1e-300) ** 2

        @property
        def value(self):
            """What it is."""
            return np.float64(1e-300) ** 2

        @classmethod
        def of(cls):
            return np.float64(1e-300) ** 2

    with np.errstate(all="raise"):
        assert Tiny().method() == Tiny().value == Tiny.of() == 0.0
    assert Tiny.value.__doc__ == "What it is."


def test_raising_callers_get_the_same_numbers(ecsi, mobi, fit, boot):
    plain = fit.scores, boot.table("paths", interval="bca"), csi.index_scores(fit)
    with np.errstate(all="raise"):
        again = csi.fit(ecsi, mobi)
        draws = csi.bootstrap(again, draws=600, rng=7, workers=2)
        same = again.scores, draws.table("paths", interval="bca"), csi.index_scores(again)
        for estimator in (csi.ML(), csi.WLSMV(), csi.PLS(consistent=True)):
            repr(csi.fit(ecsi, mobi, estimator))
        for family in ("fractional-logit", "ordered-probit"):
            csi.repurchase(again, "CUSL1", family=family, progress=False).curve()
    for one, other in zip(plain, same, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_users_are_spared_numpys_warnings():
    """In another process, because tests make NumPy's warnings errors."""
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "from csimodel.floats import own_errstate\n"
        "import numpy as np\n"
        "assert np.isnan(own_errstate(lambda: np.float64(0) / np.float64(0))())"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_here_they_are_seen():
    with pytest.raises(RuntimeWarning):
        own_errstate(lambda: np.float64(0) / np.float64(0))()
