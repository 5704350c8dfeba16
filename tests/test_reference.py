"""Values of other programs say where they come from."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "reference"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
VALUES = sorted(path.name for path in FOLDER.glob("*.json"))
SCRIPTS = {path.name for pattern in ("*.R", "*.py") for path in FOLDER.rglob(pattern)}
ORIGIN = ("provenance", "meta", "made_with", "versions", "call", "script")
PLAIN = ("mobi_pls", "mobi_assessment", "mobi_bootstrap", "mobi_index")


def origin(name: str) -> str:
    values = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return json.dumps([values[key] for key in ORIGIN if key in values])


@pytest.mark.parametrize("name", VALUES)
def test_every_file_is_described_and_names_scripts_that_exist(name):
    assert f"`{name}`" in README
    named = set(re.findall(r"[\w.]+\.(?:R|py)\b", origin(name)))
    assert named
    assert named <= SCRIPTS


@pytest.mark.parametrize("name", VALUES)
def test_program_and_version_are_given(name):
    assert any(char.isdigit() for char in origin(name))


@pytest.mark.parametrize("name", PLAIN)
def test_formulas_in_numpy_give_the_values_of_the_programs(name):
    script = FOLDER / "scripts" / f"{name}.py"
    assert "csimodel" not in script.read_text(encoding="utf-8")
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout
