"""The embedded mobile phone data and the public ACSI 2015 file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csimodel.errors import OptionError, SurveyError
from csimodel.survey import datasets, load_acsi2015, load_mobi

ACSI = Path(os.environ.get("CSIMODEL_DATA", "")) / "ACSI Data 2015 ver2.xlsx"
needs_acsi = pytest.mark.skipif(
    not os.environ.get("CSIMODEL_DATA") or not ACSI.is_file(),
    reason="CSIMODEL_DATA does not name a folder with the public ACSI 2015 file",
)


def test_mobi_is_the_file_it_says_it_is():
    file = datasets._data_folder() / "mobi.csv"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == (
        "8411783cfe766e06d056363066a8c769059c4d82fb9c4f348bf658dd1eba8dff"
    )


def test_mobi_with_a_simulated_design_is_the_sample_of_the_reference():
    survey = load_mobi(design=True)
    theirs = pd.read_csv(Path(__file__).parents[1] / "reference" / "mobi_survey_data.csv")
    names = {"fpc": "psus_in_stratum", "stratum2": "stratum_of_pairs", "psu2": "psu_of_pairs"}
    shared = theirs.rename(columns=names)
    shared = shared[[name for name in shared if name in survey.data]]
    assert len(shared.columns) == 16
    pd.testing.assert_frame_equal(survey.data[list(shared)], shared, check_dtype=False)
    assert (survey.weights, survey.strata, survey.cluster) == ("weight", "stratum", "psu")
    assert survey.population == "psus_in_stratum"
    assert [finding.code for finding in survey.findings] == ["simulated-design"]
    design = survey.answers({"S": ["CUSA1"]}).design
    assert (design.units, design.strata) == (29, 8)
    assert design.population.sum() == 176


def test_mobi_and_its_codebook():
    survey = load_mobi()
    assert survey.data.shape == (250, 24)
    assert survey.source == "mobi.csv"
    assert survey.findings == ()
    assert set(survey.items) == set(survey.data.columns)
    assert {construct: len(items) for construct, items in survey.blocks.items()} == {
        "Image": 5,
        "Expectation": 3,
        "Quality": 7,
        "Value": 2,
        "Satisfaction": 3,
        "Complaints": 1,
        "Loyalty": 3,
    }
    for item in survey.items.values():
        assert (item.minimum, item.maximum) == (1, 10)
        assert item.wording
        assert item.missing_codes == ()
        assert not item.reversed
    answers = survey.answers(survey.blocks)
    assert answers.values.shape == (250, 24)
    assert answers.values.sum() == survey.data.to_numpy().sum()


@pytest.fixture(scope="module")
def acsi():
    return load_acsi2015(ACSI)


@pytest.fixture(scope="module")
def raw():
    return pd.read_excel(ACSI)


@needs_acsi
def test_acsi_is_found_by_file_folder_variable_and_cache(acsi, tmp_path, monkeypatch):
    assert acsi.data.shape == (8239, 26)
    assert datasets._acsi_file(ACSI) == ACSI
    assert datasets._acsi_file(ACSI.parent) == ACSI
    assert datasets._acsi_file(None) == ACSI
    monkeypatch.delenv("CSIMODEL_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "csimodel").mkdir()
    cached = tmp_path / "csimodel" / ACSI.name
    cached.symlink_to(ACSI)
    assert datasets._acsi_file(None) == cached


def test_acsi_absent(tmp_path, monkeypatch):
    monkeypatch.setenv("CSIMODEL_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    where = str(tmp_path / "cache" / "csimodel")
    advice = (
        "download it from https://doi.org/10.17632/64xkbj2ry5 (version 2) and pass its path, or put "
        f"it into {where!r} or the folder named by CSIMODEL_DATA."
    )
    name = "ACSI Data 2015 ver2.xlsx"
    for path, start in [
        (None, f"The public ACSI 2015 file {name!r} is not on this computer; "),
        (tmp_path, f"There is no {name!r} in {str(tmp_path)!r}; "),
        (tmp_path / name, f"There is no file {str(tmp_path / name)!r}; "),
    ]:
        with pytest.raises(SurveyError) as caught:
            load_acsi2015(path)
        assert str(caught.value) == start + advice


def test_cache_folder_of_each_platform(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("LOCALAPPDATA", "local")
    for platform, folder in [
        ("linux", Path.home() / ".cache" / "csimodel"),
        ("darwin", Path.home() / "Library" / "Caches" / "csimodel"),
        ("win32", Path("local") / "csimodel"),
    ]:
        monkeypatch.setattr(datasets.sys, "platform", platform)
        assert datasets._cache_folder() == folder


@needs_acsi
def test_acsi_leaves_out_zip_code_and_origin(acsi):
    assert not [name for name in acsi.data if "ZIP" in name or "RACE" in name or "HISP" in name]


def test_acsi_takes_a_policy_for_missing_answers():
    with pytest.raises(OptionError, match="missing='drop' is not known"):
        datasets.load_acsi2015("no/such/folder", missing="drop")


@needs_acsi
def test_acsi_codes_are_missing_and_counted(acsi, raw):
    codes = acsi.data.select_dtypes("number").isin([98, 99]).to_numpy()
    assert not codes.any()
    by_code = [finding for finding in acsi.findings if finding.code == "missing-codes"]
    counted = sum(finding.count for finding in by_code)
    kept = raw[[name for name in acsi.data if name in acsi.column_labels]]
    assert counted == int(kept.isin([98, 99]).to_numpy().sum())
    for item in acsi.blocks["Satisfaction"]:
        assert acsi.data[item].between(1, 10).sum() == acsi.data[item].notna().sum()


@needs_acsi
def test_acsi_price_tolerance_codes_are_set_aside(acsi):
    data = acsi.data
    for name, over, unknown in [("HIGHPTOL", 1274, 422), ("LOWPTOL", 490, 180)]:
        assert (data[name] == 26).sum() == over
        assert (data[name] == 101).sum() == unknown
        assert data[f"{name}_PCT"].max() == 25
        assert data[name].notna().sum() - data[f"{name}_PCT"].notna().sum() == over + unknown
        assert acsi.value_labels[name] == {26: "more than 25 %", 101: "not documented"}
        (finding,) = [found for found in acsi.findings if name in found.subjects and found.code == "tolerance-codes"]  # fmt: skip
        assert acsi.items[name].missing_codes == (98, 99)
        assert finding.count == over + unknown
        assert finding.values == {
            "column": name, "over": over, "unknown": unknown, "percent": f"{name}_PCT",
        }  # fmt: skip
    assert not (data["HIGHPTOL"].notna() & data["LOWPTOL"].notna()).any()
    with pytest.raises(SurveyError) as caught:
        acsi.answers({"Loyalty": ["HIGHPTOL"]})
    assert str(caught.value) == (
        "Column 'HIGHPTOL' holds 1696 values outside its scale 0-25: 26 (1274) and 101 (422); "
        "declare them in missing_codes or correct the scale."
    )


@needs_acsi
def test_acsi_who_was_asked_what(acsi):
    counts = {finding.code: finding.values.get("count") for finding in acsi.findings}
    assert counts["short-interview"] == 170
    assert counts["asked-of-some"] == 1393
    assert (acsi.data.loc[acsi.data["HANDLE"].notna(), "COMP"] == 1).all()
    assert "other-file" not in {finding.code for finding in acsi.findings}


@needs_acsi
def test_acsi_industries(acsi):
    counts = acsi.data["INDUSTRY_NAME"].value_counts().to_dict()
    assert counts == {
        "Banks": 2505,
        "Internet service providers": 2287,
        "Processed food": 1968,
        "Airlines": 1479,
    }


@needs_acsi
def test_acsi_index_and_repurchase_counts_match_the_reference(acsi):
    # Counts and OLS slopes computed with statsmodels: mean of the answered satisfaction items as
    # 0-100 index, (REPUR - 1)/9 as outcome, rows with both.
    index = (acsi.data[["SATIS", "CONFIRM", "IDEAL"]].mean(axis=1) - 1) / 9 * 100
    outcome = (acsi.data["REPUR"] - 1) / 9
    both = index.notna() & outcome.notna()
    expected = {1001: (1781, 0.00760), 3003: (1436, 0.00821), 3013: (2173, 0.01025), 5001: (2435, 0.01014)}  # fmt: skip
    assert both.sum() == 7825
    for industry, (rows, slope) in expected.items():
        used = both & (acsi.data["INDUSTRY"] == industry)
        assert used.sum() == rows
        assert np.polyfit(index[used], outcome[used], 1)[0] == pytest.approx(slope, abs=5e-6)


@needs_acsi
def test_acsi_model_items_go_through(acsi):
    from dataclasses import replace

    blocks = {name: items for name, items in acsi.blocks.items() if name != "Complaints"}
    answers = replace(acsi, missing="construct-minimum").answers(blocks)
    assert answers.missing == "complete"
    assert answers.values.min() == 1
    assert answers.values.max() == 10
    assert answers.rows.size + answers.findings[0].count == 8239


@needs_acsi
def test_another_file_of_that_name_is_said(raw, tmp_path):
    file = tmp_path / ACSI.name
    raw.head(40).to_excel(file, index=False)
    survey = load_acsi2015(tmp_path)
    assert survey.findings[0].code == "other-file"
    assert survey.findings[0].severity == "warning"
    assert survey.findings[0].values["file"] == "ACSI Data 2015 ver2.xlsx"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert survey.findings[0].values["seen"] == digest[:12] != survey.findings[0].values["expected"]
