"""The comparison of snapshots sees what it must see, and what it may not mind."""

import json
import sys
from pathlib import Path

import pytest

SNAPSHOT = Path(__file__).parent / "snapshot"
sys.path.insert(0, str(SNAPSHOT))

import compare  # noqa: E402

OLD = {
    "tables": {
        "fit.paths": {"rows": ["a", "b"], "columns": {"estimate": [0.5, 1e-18], "se": [0.1, 0.2]}}
    },
    "findings": {"fit.diagnostics": ["few-rows"]},
    "refusals": {},
}


def changed(columns=None, rows=None, **parts):
    table = {
        "rows": rows or ["a", "b"],
        "columns": {**OLD["tables"]["fit.paths"]["columns"], **(columns or {})},
    }
    return {**OLD, "tables": {"fit.paths": table}, **parts}


@pytest.mark.parametrize(
    ("new", "beyond", "words"),
    [
        (OLD, 0, "0 of 2 columns"),
        (changed({"estimate": [0.5 + 1e-13, 3e-18]}), 0, "0 of 2"),
        (changed({"estimate": [0.5 + 1e-11, 1e-18]}), 1, "fit.paths: estimate: 2.0e-11 at a"),
        (changed({"se": [0.1 + 1e-9, 0.2]}), 0, "0 of 2"),
        (changed({"se": [0.1, "nan"]}), 1, "fit.paths: se: inf at b (0.2 → nan)"),
        (changed({"df": [1.0, 2.0]}), 0, "fit.paths: appeared column df"),
        (
            {**OLD, "tables": {**OLD["tables"], "more": {"rows": [""], "columns": {"value": [1]}}}},
            0,
            "appeared (tables): more",
        ),
        ({**OLD, "tables": {}}, 1, "vanished (tables): fit.paths"),
        (
            changed({"estimate": [0.5], "se": [0.1]}, rows=["a"]),
            1,
            "fit.paths: vanished rows b",
        ),
        (changed(findings={"fit.diagnostics": []}), 0, "fit.findings: few-rows → nothing"),
    ],
)
def test_what_differs_is_printed_and_counted(tmp_path, capsys, new, beyond, words):
    old_path, new_path = tmp_path / "old.json", tmp_path / "new.json"
    old_path.write_text(json.dumps(OLD))
    new_path.write_text(json.dumps(new))
    assert compare.main(str(old_path), str(new_path)) == beyond
    assert words in capsys.readouterr().out
