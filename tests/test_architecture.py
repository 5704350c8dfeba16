"""What importing costs, what the package exposes, and that randomness has one door."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import csimodel as csi

PACKAGE = Path(csi.__file__).parent


def test_importing_loads_nothing_heavy():
    heavy = {
        "scipy",
        "statsmodels",
        "semopy",
        "matplotlib",
        "jinja2",
        "tqdm",
        "typer",
        "narwhals",
        "pyarrow",
    }
    code = f"import sys, pandas; before = set(sys.modules); import csimodel; print(sorted({heavy!r} & (set(sys.modules) - before)))"
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


def test_every_public_name_exists_and_is_documented():
    for name in csi.__all__:
        assert getattr(csi, name).__doc__, name
    assert set(dir(csi)) == set(csi.__all__)
    with pytest.raises(AttributeError):
        csi.nothing_of_the_kind  # noqa: B018


def test_functions_are_not_shadowed_by_their_packages():
    code = "import csimodel.outcomes.kernels.glm, csimodel as c, csimodel.plots; assert callable(c.repurchase) and callable(c.fit)"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_randomness_comes_through_rng_only():
    door = re.compile(
        r"np\.random\.(?!default_rng|Generator|SeedSequence|PCG64)\w+|^import random", re.MULTILINE
    )
    offenders = [
        str(p) for p in PACKAGE.rglob("*.py") if door.search(p.read_text(encoding="utf-8"))
    ]
    assert offenders == []


def test_version_stands_in_one_place():
    root = PACKAGE.parent
    if (root / "CITATION.cff").exists():
        assert f"version: {csi.__version__}" in (root / "CITATION.cff").read_text(encoding="utf-8")
        assert f"## {csi.__version__}" in (root / "CHANGELOG.md").read_text(encoding="utf-8")


BENCHMARKS = sorted((PACKAGE.parent / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_benchmarks_import_what_there_is(path):
    """They run for minutes and hours, not here; a name that moved would be missed till then."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("csimodel"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module}.{alias.name}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert node.value.id != "csi" or hasattr(csi, node.attr), f"csi.{node.attr}"
