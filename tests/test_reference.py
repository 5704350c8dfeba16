"""Values of other programs say where they come from."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "reference"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
VALUES = sorted(path.name for path in FOLDER.glob("*.json"))
SCRIPTS = {path.name for path in FOLDER.rglob("*.R")}
WITHOUT = README.split("No script was kept")[1]


@pytest.mark.parametrize("name", VALUES)
def test_every_file_is_described_and_names_its_script_or_says_that_none_was_kept(name):
    assert f"`{name}`" in README
    values = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    told = json.dumps({k: v for k, v in values.items() if k not in ("values", "data")})
    line = next(line for line in README.splitlines() if f"`{name}`" in line)
    own = f"{Path(name).stem}.R"
    named = any(script in told or script in line for script in SCRIPTS)
    same = "`scripts/` of the same names" in line and own in SCRIPTS
    assert named or same or f"`{name}`" in WITHOUT


@pytest.mark.parametrize("name", VALUES)
def test_program_and_version_are_given(name):
    values = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    origin = [values[k] for k in ("provenance", "made_with", "versions") if k in values]
    assert origin, "no provenance"
    assert any(char.isdigit() for char in json.dumps(origin))
