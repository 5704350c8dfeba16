"""The paper: its numbers are what the code computes, and none is typed."""

import json
import re
import shutil
import sys
from importlib import import_module
from pathlib import Path

import pytest

import csimodel as csi
from csimodel.errors import SurveyError

ROOT = Path(__file__).parents[1]
PAPER = ROOT / "paper"
KEPT = PAPER / "generated"
CLOSE = 1e-5
# Definitions, and no results: ends of scales and answers, coverage, levels by custom, years, versions.
DEFINITIONS = {
    *("0", "1", "9", "10", "100", "95", "67", "70", ".01"),
    *("2015", "2.0", "3", "3.11"),
}

sys.path.insert(0, str(PAPER))
acsi, agreement, document, mobile, speed = (
    import_module(f"manuscript.{name}")
    for name in ("acsi", "agreement", "document", "mobile", "speed")
)


def kept(name):
    return json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))


def told(name):
    return (
        f"the {name} part of the paper is not what the code computes; python paper/build.py {name}"
    )


def is_kept(part, name):
    own, stored = part.facts(), kept(name)
    assert own["numbers"].keys() == stored["numbers"].keys(), told(name)
    for key, value in stored["numbers"].items():
        assert own["numbers"][key] == pytest.approx(value, rel=CLOSE, abs=1e-9), (key, told(name))
    for key in ("tables", "words", "figures", "absent"):
        assert own[key] == stored[key], told(name)


def test_mobile_numbers_are_computed():
    is_kept(mobile.part(), "mobile")


def test_acsi_numbers_are_computed():
    try:
        csi.load_acsi2015()
    except SurveyError as error:
        pytest.skip(str(error))
    is_kept(acsi.part(), "acsi")


def test_other_programs_are_as_near_as_the_paper_says():
    own, stored = agreement.part(full=False), kept("agreement")["numbers"]
    bounds = [key for key in own.numbers if key.startswith("bound.")]
    assert len(bounds) > 8
    for key in bounds:
        assert own.numbers[key] <= 10 * stored[key], (key, told("agreement"))


def test_without_the_public_file_the_part_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("CSIMODEL_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    part = acsi.part()
    assert "10.17632/64xkbj2ry5" in part.absent
    assert not part.numbers


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    shutil.copytree(PAPER, folder, dirs_exist_ok=True)
    return folder


@pytest.mark.parametrize("present", [True, False])
def test_it_is_typeset_with_the_public_file_and_without(copy, present):
    speed.part().write("speed", copy / "generated")
    if not present:
        absent = acsi.Part(absent="The file is not on this computer.")
        absent.write("acsi", copy / "generated")
    target = copy / "paper.pdf"
    document.typeset(copy / "paper.typ", target)
    assert target.read_bytes().startswith(b"%PDF")
    assert "was not there" in document.short_paper(copy / "generated") or present


def test_the_short_paper_is_that_of_the_numbers():
    assert (PAPER / "paper.md").read_text(encoding="utf-8") == document.short_paper(KEPT)


def prose(text):
    """Return what is neither code, mathematics, a citation nor a computed number."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"^---.*?^---", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.DOTALL)
    text = re.sub(r"#(?:n|percent|power|p|word|results|absent)\(", "#(", text)
    depth, kept_text = 0, []
    for part in re.split(r"(#\(|[()])", text):
        if part == "#(" or (depth and part == "("):
            depth += 1
        elif depth and part == ")":
            depth -= 1
        elif not depth:
            kept_text.append(part)
    text = "".join(kept_text)
    text = re.sub(r"\$.*?\$|`[^`]*`|@[\w-]+|<[\w-]+>|\"[^\"\n]*\"", "", text, flags=re.DOTALL)
    return re.sub(r"(?:decimals|times|size|width|x|y|cite): *[\w.%]+", "", text)


@pytest.mark.parametrize("name", ["paper.typ", "paper.md.jinja"])
def test_no_number_is_typed(name):
    text = prose((PAPER / name).read_text(encoding="utf-8"))
    typed = set(re.findall(r"(?<![\w.-])\.?\d(?:[\d.,]*\d)?", text)) - DEFINITIONS
    assert not typed


def test_a_typed_number_would_be_seen():
    assert "72.5" in prose('Satisfaction is at 72.5 (#n("mobile.n") customers).')
    assert "72.5" not in prose('#n("mobile.x", decimals: 72.5)')


def references():
    text = (PAPER / "paper.bib").read_text(encoding="utf-8")
    for entry in text.split("\n@")[0:]:
        key = re.search(r"\{([\w]+),", entry)[1]
        doi = re.search(r"doi = \{(.+?)\}\n?$|doi = \{([^\n]+)\}", entry, re.MULTILINE)
        yield key, doi and (doi[1] or doi[2])


def test_dois_are_well_formed_and_those_not_verified_are_listed():
    readme = (PAPER / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| (\w+) \| (10\.\S+) \|$", readme, re.MULTILINE))
    without = re.search(r"References without a DOI[^:]*: (.+)\.", readme)[1].split(", ")
    found = dict(references())
    assert len(found) > 25
    assert sorted(key for key, doi in found.items() if doi is None) == sorted(without)
    for key, doi in found.items():
        assert doi is None or re.fullmatch(r"10\.\d{4,9}/\S+", doi), key
    assert listed.items() <= found.items()


@pytest.mark.parametrize("name", ["paper.typ", "paper.md.jinja"])
def test_every_citation_is_a_reference(name):
    text = re.sub(r"```.*?```", "", (PAPER / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    cited = set(re.findall(r"@(\w+)", text)) | set(re.findall(r"cite\(<(\w+)>", text))
    labels = set(re.findall(r"<([\w-]+)>", text))
    known = dict(references()).keys()
    missing = {key for key in cited - known if not any(label.startswith(key) for label in labels)}
    assert not missing


def test_every_reference_is_cited():
    text = (PAPER / "paper.typ").read_text(encoding="utf-8")
    for key, _ in references():
        assert f"@{key}" in text or f"<{key}>" in text, key


def test_a_readme_without_figures_is_refused(tmp_path):
    file = tmp_path / "README.md"
    file.write_text("## How fast\n\nvery\n\n## Tests\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no table of figures"):
        speed.part(file)


def test_the_readme_has_the_digits_of_the_paper():
    numbers = kept("agreement")["numbers"]
    signs = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"{numbers['compared']:,.0f} numbers of {numbers['programs']:.0f} other programs" in text

    def largest(*starts):
        own = [value for key, value in numbers.items() if key.startswith(starts)]
        return f"{max(own):.0e}"

    claims = {
        r"matrixpls 10(\S+) \(PLS and PLSc\)": largest(
            "bound.cSEM", "bound.seminr.PLS: weights", "bound.seminr.PLSc", "bound.semPLS",
            "bound.matrixpls",
        ),
        r"10(\S+) for errors of seminr's own bootstrap": largest("bound.seminr.PLS: bootstrap"),
        r"SmartPLS 10(\S+) \(": largest("bound.SmartPLS"),
        r"lavaan 10(\S+) where": largest("bound.lavaan.ML, MLR, MLM, zero gradient"),
        r"R 10(\S+) for the index": largest("bound.R.index"),
        r"10(\S+) for logits and for means": largest("bound.R.logit", "bound.R's survey"),
    }  # fmt: skip
    for pattern, value in claims.items():
        (digits,) = re.findall(pattern, text)
        assert f"{float('1e' + digits.translate(signs)):.0e}" == value, pattern
