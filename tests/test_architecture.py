"""What importing costs, what the package exposes, and that randomness has one door."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import csimodel as csi
from csimodel.survey import readers

PACKAGE = Path(csi.__file__).parent


HEAVY = {"scipy", "statsmodels", "semopy", "matplotlib", "jinja2", "tqdm", "typer", "narwhals"}
FIRST_FIT = "csimodel.fit(csimodel.models.ecsi(), csimodel.load_mobi())"


@pytest.mark.parametrize(("then", "heavy"), [("pass", {*HEAVY, "pyarrow"}), (FIRST_FIT, HEAVY)])
def test_importing_and_a_first_fit_load_nothing_heavy(then, heavy):
    code = (
        f"import sys, pandas; before = set(sys.modules); import csimodel; {then}; "
        f"print(sorted({heavy!r} & (set(sys.modules) - before)))"
    )
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


def test_every_public_name_exists_and_is_documented():
    for name in csi.__all__:
        assert getattr(csi, name).__doc__, name
    assert dir(csi) == sorted(set(csi.__all__))
    assert len(csi._NAMES) <= 72  # verbs and classes; modules are rooms, not names to learn
    with pytest.raises(AttributeError):
        csi.nothing_of_the_kind  # noqa: B018


def test_type_checkers_are_told_the_same_names():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    typing = next(node for node in tree.body if isinstance(node, ast.If))
    told = {
        alias.asname: getattr(importlib.import_module(node.module), alias.name)
        for node in typing.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    told["models"] = csi.models
    assert told.keys() == set(csi.__all__)
    assert all(told[name] is getattr(csi, name) for name in csi.__all__)


WRITTEN = re.compile(r"(?<![\w.])csi\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")


def test_what_sentences_docs_and_notebooks_call_exists():
    root = PACKAGE.parent
    files = [
        *PACKAGE.rglob("*.py"),
        *(root / "docs").glob("*.md"),
        *(root / "notebooks").glob("*.ipynb"),
        *root.glob("README.md"),
    ]
    for path in files:
        for dotted in set(WRITTEN.findall(path.read_text(encoding="utf-8"))):
            value = csi
            for part in dotted.split("."):
                assert hasattr(value, part), f"{path.name}: csi.{dotted}"
                value = getattr(value, part)


def test_quantities_of_folders_not_yet_loaded_are_known():
    code = (
        "from csimodel.estimators.quantities import find\n"
        "print(find('rho_a').name, find('index').name)"
    )
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "rho_a index"


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


def test_packages_that_errors_name_are_in_the_extra_they_name():
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    for package, extra in readers._EXTRAS.items():
        assert any(re.match(rf"{package}\b", wanted) for wanted in extras[extra]), package
