"""The README's block runs as it stands, on a file like the one it speaks of."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def answers(tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    common = rng.standard_normal((180, 1))
    names = ["q1", "q2", "q3", "v1", "v2", "s1", "s2", "s3"]
    table = np.clip(np.round(6.5 + 1.4 * common + 1.2 * rng.standard_normal((180, 8))), 1, 10)
    table[rng.random(table.shape) < 0.02] = 99
    frame = pd.DataFrame(table.astype(int), columns=names)
    frame["w"] = rng.uniform(0.5, 2.0, 180).round(2)
    frame["region"] = rng.choice(["north", "south"], 180)
    frame["buy_again"] = (rng.random(180) < 1 / (1 + np.exp(-common[:, 0]))).astype(int)
    frame.to_csv(tmp_path / "answers.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_block_on_own_data_runs(answers, capsys):
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert "by PLS, path scheme" in capsys.readouterr().out
    assert (answers / "report" / "report.html").stat().st_size > 50_000
    assert 0 < float(names["repurchase"].average_marginal_effect) < 0.05
    assert names["fit"].n < 180


def test_no_figure_was_forgotten():
    text = README.read_text(encoding="utf-8")
    assert not re.search(r"[A-Z]+_(OURS|THEIRS)", text)
    assert 'pip install -e ".[test]" && pytest' in text.splitlines()
    assert "pip install . && csimodel demo" in text.splitlines()


def test_what_it_shows_of_the_demo_is_what_the_demo_prints(tmp_path):
    (shown,) = re.findall(r"```\n( +Index .*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    command = [sys.executable, "-m", "csimodel", "demo"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=True)
    printed = done.stdout.splitlines()
    assert [line for line in shown.splitlines() if line not in printed] == []
