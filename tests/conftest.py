"""Shared fixtures; a skip is a failure under CI, where everything a test needs is installed."""

import json
import os
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import numpy as np
import pandas as pd
import pytest

import csimodel as csi
from csimodel import floats

# An operation without a value that nobody expected is seen here, though a user is spared it.
floats.STATE.update(over="warn", divide="warn", invalid="warn")

collect_ignore = ["mutation", "reference"]  # their own commands: CONTRIBUTING, reference/README
if find_spec("pyspark") is None or which("java") is None:
    collect_ignore.append("survey/test_scan_spark.py")
REFERENCE = Path(__file__).parent / "reference"


def pytest_collection_modifyitems(config, items):
    if "fuzz_long" not in config.option.markexpr:
        left = [item for item in items if item.get_closest_marker("fuzz_long")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI: {report.longrepr}"


@pytest.fixture(scope="session")
def reference():
    """Read a reference file by name; a matrix becomes a DataFrame with `frame`."""

    def read(name):
        return json.loads((REFERENCE / name).read_text(encoding="utf-8"))

    return read


@pytest.fixture(scope="session")
def frame():
    """Turn a {rows, cols, data} entry of a reference file into a DataFrame."""

    def make(entry):
        return pd.DataFrame(entry["data"], entry["rows"], entry["cols"]).astype(float)

    return make


@pytest.fixture(scope="session")
def mobi():
    return csi.load_mobi()


@pytest.fixture(scope="session")
def ecsi():
    return csi.models.ecsi()


@pytest.fixture(scope="session")
def fit(ecsi, mobi):
    return csi.fit(ecsi, mobi, csi.PLS())


@pytest.fixture(scope="session")
def boot(fit):
    return csi.bootstrap(fit, draws=600, rng=7)


@pytest.fixture(scope="session")
def population():
    """Simulate a survey of three reflective constructs in a chain, on a 1 to 10 scale."""

    def draw(rows, seed=0, path=0.6, loadings=(0.9, 0.8, 0.7)):
        rng = np.random.default_rng(seed)
        one = rng.standard_normal(rows)
        two = path * one + np.sqrt(1 - path**2) * rng.standard_normal(rows)
        three = path * two + np.sqrt(1 - path**2) * rng.standard_normal(rows)
        columns = {}
        for name, latent in zip("abc", (one, two, three), strict=True):
            for k, loading in enumerate(loadings, start=1):
                noise = np.sqrt(1 - loading**2) * rng.standard_normal(rows)
                columns[f"{name}{k}"] = 5.5 + 1.2 * (loading * latent + noise)
        return pd.DataFrame(columns)

    return draw


@pytest.fixture(scope="session")
def chain():
    return csi.Model.from_syntax(
        "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ B"
    )
