"""The pages of the documentation: their code runs and prints what stands below it."""

import doctest
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import csimodel as csi

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS / "_ext"))

from blocks import blocks, run  # noqa: E402
from finding_pages import areas, sentences  # noqa: E402

MADE = {"reference", "findings", "notebooks", "pictures", "agreement", "_build"}
PAGES = [
    path.relative_to(DOCS)
    for path in sorted(DOCS.rglob("*.md"))
    if path.relative_to(DOCS).parts[0] not in MADE
]
CODE = {page: blocks((DOCS / page).read_text(encoding="utf-8")) for page in PAGES}
ALIKE = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize("page", [str(page) for page in PAGES if CODE[page]])
def test_code_of_a_page_runs_and_prints_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    if page in ("scanning.md", "warehouse.md"):  # of files too large to be at hand
        names["model"] = large_files()
    for block in CODE[Path(page)]:
        place = f"{page}:{block.line}"
        if block.kind == "shell":
            printed = shell(block.code)
        else:
            outcome = run(block, names, place)
            assert (block.kind == "picture") == isinstance(outcome.value, Figure), place
            printed = outcome.printed
            assert block.shown is not None or "Warning: " not in printed, f"{place}\n{printed}"
        if block.shown is not None:
            checker = doctest.OutputChecker()
            assert checker.check_output(block.shown, printed, ALIKE), f"{place}\n{printed}"


def large_files():
    frame = csi.load_mobi(design=True).data.rename(columns={"weight": "w"})
    frame = frame.assign(again=(frame["CUSL1"] > 7).astype(int), id=range(250), year=2024)
    frame = frame.assign(firm=["a", "b"] * 125, household=range(250))
    Path("responses").mkdir()
    for part in (0, 1):
        frame.iloc[part::2].to_parquet(f"responses/{part}.parquet")
    Path("firms.csv").write_text("firm,industry\na,phones\nb,cables\n", encoding="utf-8")
    return csi.models.ecsi()


def shell(code):
    """Run the lines that call csimodel; installing it is what CI has done."""
    printed = ""
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line)
        assert words[:2] == ["pip", "install"] or words[0] == "csimodel", line
        if words[0] == "csimodel":
            command = [sys.executable, "-m", *words]
            printed += subprocess.run(
                command, capture_output=True, encoding="utf-8", check=True
            ).stdout
    return printed


def test_every_code_of_a_finding_has_its_page_once():
    codes = [code for area in areas() for code in area.codes]
    assert sorted(codes) == sorted(sentences())
    for area in areas():
        for code, (means, advice) in area.codes.items():
            assert means.endswith("."), code
            assert advice.endswith((".", "`", "?")), code


def test_only_code_for_a_cluster_or_a_warehouse_is_not_run():
    pages = [page for page in PAGES if "{code-block}" in (DOCS / page).read_text(encoding="utf-8")]
    assert [str(page) for page in pages] == ["spark.md", "warehouse.md"]


def test_every_plot_is_in_the_gallery():
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    names = set(csi.plots.__all__) - {"fonts"}
    assert sorted(name for name in names if f"csi.plots.{name}" not in text) == []
