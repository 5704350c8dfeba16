"""Designs that cannot be are named by every way from a survey to an index, and by the shell."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import csimodel as csi
from csimodel.cli import app
from csimodel.errors import CsimodelError

N = 60
MODEL = csi.Model.from_syntax("A =~ q1 + q2\nB =~ q3 + q4\nB ~ A")
SHELL = CliRunner()


def frame(**columns):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.integers(1, 11, (N, 4)), columns=list(MODEL.items)).astype(float)
    table = table.assign(
        w=rng.uniform(0.5, 2, N), s=np.repeat(["a", "b", "c"], 20), c=np.repeat(np.arange(12), 5),
        sex=np.where(np.arange(N) % 2, "f", "m"), wave=np.arange(N) // 2 % 2,
        **{f"rw{k}": rng.uniform(0.5, 2, N) for k in range(6)},
    )  # fmt: skip
    return table.assign(**columns)


WAYS = {
    "fit": lambda survey: csi.fit(MODEL, survey).diagnostics,
    "linearize": lambda survey: csi.linearize(csi.fit(MODEL, survey)).findings,
    "index_scores": lambda survey: csi.index_scores(csi.fit(MODEL, survey)),
    "fit_groups": lambda survey: csi.fit_groups(MODEL, survey, "sex").findings,
    "programme": lambda survey: csi.programme(MODEL, survey, "sex", "wave", construct="B").findings,
}
REPLICATES = {"weights": "w", "replicate_weights": "rw*", "replicate_method": "jk1"}
REFUSED = {
    "negative weight": (
        {"w": [-1.0, *[1.0] * (N - 1)]}, {"weights": "w"}, None,
        "'w' holds 1 negative value (first -1 in row 1)",
    ),
    "no weight": ({"w": 0.0}, {"weights": "w"}, None, "'w' has no value above 0 in 60 rows"),
    "no answer": ({"q1": np.nan}, {}, None, "Column 'q1' has all 60 cells missing"),
    "outside": (
        {"q1": [11.0, *[5.0, 6.0] * 29, 4.0]}, {}, None,
        "'q1' holds 1 value outside its scale 1-10: 11 (1)",
    ),
    "no cover": (
        {}, {"weights": "w"}, {"sex": {"f": 1}}, "does not cover 'm' of 'sex' (30 respondents)",
    ),
    "not met": (
        {"both": frame()["sex"]}, {"weights": "w"},
        {"sex": {"f": 0.4, "m": 0.6}, "both": {"f": 0.5, "m": 0.5}},
        "No weights meet all margins: 'both = f' is missed by",
    ),
    "negative replicate": (
        {"rw0": -1.0}, REPLICATES, None, "Replicate weight 'rw0' has 60 negative values",
    ),
    "one replicate": (
        {}, REPLICATES | {"replicate_weights": "rw0"}, None, "'rw0' fits 1 column of the data; give a pattern",
    ),
    "replicates of the wrong number": (
        {}, REPLICATES | {"strata": "s", "cluster": "c"}, None,
        "There are 6 columns of replicate weights, and the method 'jk1' makes 12 of 12 clusters in "
        "3 strata",
    ),
    "replicates of no method": (
        {"rw0": 1.0, "rw1": 2.0, "w": 1.0}, {"weights": "w", "replicate_weights": "rw*"}, None,
        "as one of 'jk1', 'jkn', 'brr', 'fay', 'bootstrap', as their documentation says (the "
        "weights do not tell which).",
    ),
    "no replicate": (
        {}, REPLICATES | {"replicate_weights": "zz*"}, None, "fits 0 columns of the data",
    ),
}  # fmt: skip
FINDINGS = {
    "a stratum of one cluster": (
        {"s": np.repeat(["a", "b", "c"], [5, 20, 35])}, {"strata": "s", "cluster": "c"},
        "lonely-strata", {"alone": 1, "strata": 3, "lonely": "adjust"},
    ),
    "a cluster in two strata": (
        {"c": np.arange(N) % 10}, {"strata": "s", "cluster": "c"}, "nested-clusters",
        {"cluster": "c"},
    ),
    "all strata of one cluster": (
        {"s": np.arange(N) // 5}, {"strata": "s", "cluster": "c"}, "no-degrees-of-freedom",
        {"units": 12, "strata": 12, "df": 0},
    ),
}  # fmt: skip


def read(columns, options, margins=None):
    survey = csi.read_survey(
        frame(**columns), scale=(1, 10), items=list(MODEL.items), missing="pairwise", **options
    )
    return survey if margins is None else csi.rake(survey, margins)


def analysed(columns, options, margins=None):
    survey = read(columns, options, margins)
    return csi.analyze(survey, MODEL, target="B", draws=20, progress=False)


def shell(tmp_path, columns, options, margins):
    file, model = tmp_path / "a.csv", tmp_path / "model.txt"
    frame(**columns).to_csv(file, index=False)
    model.write_text(MODEL.to_syntax(), encoding="utf-8")
    words = [str(file), "--scale", "1,10", "--model", str(model), "--target", "B", "--draws", "20"]
    for name, value in ({"missing": "pairwise"} | options).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    if margins is not None:
        text = "\n".join(
            f"[{name}]\n" + "\n".join(f'"{key}" = {size}' for key, size in own.items())
            for name, own in margins.items()
        )
        (tmp_path / "margins.toml").write_text(text, encoding="utf-8")
        words += ["--calibrate", str(tmp_path / "margins.toml")]
    return SHELL.invoke(app, ["analyze", *words, "--out", str(tmp_path / "out")])


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused(name, tmp_path):
    columns, options, margins, told = REFUSED[name]
    with pytest.raises(CsimodelError) as refusal:
        analysed(columns, options, margins)
    assert told in str(refusal.value)
    done = shell(tmp_path, columns, options, margins)
    assert done.exit_code == 2, done.output
    assert told in " ".join(done.output.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_by_every_way(name, way):
    columns, options, margins, told = REFUSED[name]
    with pytest.raises(CsimodelError) as refusal:
        WAYS[way](read(columns, options, margins))
    assert told in str(refusal.value)


@pytest.mark.parametrize("way", ["fit", "fit_groups", "programme"])
@pytest.mark.parametrize("name", FINDINGS)
def test_what_is_odd_is_told_by_every_way(name, way):
    columns, options, code, values = FINDINGS[name]
    (finding,) = {own for own in WAYS[way](read(columns, options)) if own.code == code}
    assert {key: finding.values[key] for key in values} == values


@pytest.mark.parametrize("name", FINDINGS)
def test_what_is_odd_is_told(name, tmp_path):
    columns, options, code, values = FINDINGS[name]
    analysis = analysed(columns, options)
    (finding,) = {own for own in analysis.findings if own.code == code}
    assert {key: finding.values[key] for key in values} == values
    done = shell(tmp_path, columns, options, None)
    assert done.exit_code == 0, done.output
    facts = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    (row,) = [own for own in facts["tables"]["findings"] if own["code"] == code]
    told = (finding.severity, finding.count, str(finding))
    assert (row["severity"], row["count"], row["message"]) == told
