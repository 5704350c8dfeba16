"""`csi.table`: numbers as APA writes them, and the same table in every file."""

import re
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest
from docx import Document

import csimodel as csi
from csimodel.errors import OptionError, SurveyError
from csimodel.tables.cells import apa_number


@pytest.fixture(scope="module")
def fits(mobi):
    by = (csi.PLS(), csi.PLS(consistent=True), csi.ML(se="robust"))
    return [csi.fit(csi.models.ecsi(), mobi, own) for own in by]


@pytest.fixture(scope="module")
def boot(fits):
    return csi.bootstrap(fits[0], 200, rng=1, progress=False)


@pytest.fixture(scope="module")
def three(fits, boot):
    return csi.table(*fits, names=["PLS", "PLSc", "ML"], bootstraps={"PLS": boot}, stars=True,
                     caption="Three <fits> & 100 %")  # fmt: skip


@pytest.mark.parametrize(
    ("value", "decimals", "bounded", "text"),
    [(0.523, 2, True, ".52"), (-0.523, 2, True, "−.52"), (0.999, 2, True, "1.00"),
     (-0.001, 2, True, ".00"), (0.5, 0, True, "0"), (10.25, 1, False, "10.2"),
     (0.52, 2, False, "0.52"), (np.nan, 2, True, ""), (1234.5, 1, False, "1,234.5")],
)  # fmt: skip
def test_numbers_are_written_as_apa_does(value, decimals, bounded, text):
    assert apa_number(value, decimals, bounded) == text


def test_fits_stand_side_by_side(three, fits, boot):
    cells = three.cells
    assert cells.columns.tolist() == [
        ("PLS", "Est."), ("PLS", "95% CI"), ("PLSc", "Est."), ("ML", "Est."), ("ML", "95% CI"),
    ]  # fmt: skip
    assert cells.index.get_level_values(0).unique().tolist() == ["Paths", "R²", "Fit"]
    limits = boot.table("paths").loc[("Loyalty", "Image")]
    row = cells.loc[("Paths", "Image → Loyalty")]
    assert row["PLS", "95% CI"] == f"[{limits['lower']:.2f}, {limits['upper']:.2f}]"
    own = (
        fits[2]
        .standardized()
        .set_index(["lhs", "op", "rhs"])
        .loc[("Complaints", "~", "Satisfaction")]
    )
    row = cells.loc[("Paths", "Satisfaction → Complaints")]
    assert row["ML", "95% CI"] == f"[{own['lower']:.2f}, {own['upper']:.2f}]"
    assert row["ML", "Est."] == f"{own['std']:.2f}***"
    assert row["PLSc", "Est."] == f"{fits[1].paths.loc['Complaints', 'Satisfaction']:.2f}"
    assert cells.loc[("R²", "Loyalty")]["PLS", "Est."] == f"{fits[0].r2['Loyalty']:.2f}"[1:]
    assert cells.loc[("Fit", "CFI")]["ML", "Est."] == f"{fits[2].fit_measures['cfi']:.3f}"[1:]
    assert cells.loc[("Fit", "p of χ²")]["ML", "Est."] == "< .001"
    assert cells.loc[("Fit", "N")].tolist() == ["250", "", "250", "250", ""]


def test_notes_say_what_is_shown_and_what_is_not_to_be_trusted(three):
    notes = " ".join(three.notes)
    assert "PLSc: The construct correlations contradict each other" in notes
    assert "Errors of PLS are by the bootstrap." in notes
    assert "Errors of ML are by the estimator's own covariance matrix." in notes
    assert "* p < .05, ** p < .01, *** p < .001." in notes


def test_columns_are_those_asked_for(fits, boot, mobi):
    shown = csi.table(fits[0], bootstraps=[boot], show=["estimate", "se", "p"], measures=False,
                      quantities=["total_effects"], decimals=3)  # fmt: skip
    table = boot.table("total_effects")
    entry, (_, row) = next(iter(table.iterrows())), next(iter(shown.cells.iterrows()))
    assert [what for _, what in shown.cells.columns] == ["Est.", "SE", "p"]
    assert row.tolist()[:2] == [f"{entry[1]['estimate']:.3f}"[1:], f"{entry[1]['se']:.3f}"[1:]]
    lin = csi.table(fits[0], bootstraps=[csi.linearize(fits[0])])
    assert "Errors are by influence values." in lin.notes
    alone = csi.table(fits[0])
    assert alone.cells.columns.tolist() == [(fits[0].estimator.label, "Est.")]
    assert "*" not in "".join(alone.cells.to_numpy().ravel())


def test_columns_that_are_not_there_are_said_or_refused(fits, boot, mobi):
    for results, column in (
        (fits[:1], "se"),
        (fits[:1], "p"),
        ([boot.table("paths")[["se"]]], "p"),
        ([pd.DataFrame({"estimate": [np.nan]})], "p"),
    ):
        with pytest.raises(OptionError, match=f"^show has {column!r}, which none of the results"):
            csi.table(*results, show=["estimate", column])
    some = csi.table(fits[0], fits[1], bootstraps=[boot, None], names=["a", "b"], show=["se", "p"])
    assert some.notes[-4:-2] == (
        "There are no standard errors of b.",
        "There are no p-values of b.",
    )
    assert not any(note.startswith("There are no") for note in csi.table(fits[0]).notes)
    lost = csi.fit(csi.models.ecsi(), mobi, csi.ML(max_iterations=1))
    assert csi.table(lost, show=["estimate", "se"], names=["lost"]).notes[0].startswith("lost: ")


def test_tables_of_results_keep_their_columns(fits, boot):
    table = boot.table("paths")
    shown = csi.table(table)
    assert [what for _, what in shown.cells.columns] == ["Est.", "SE", "df", "95% CI", "p"]
    assert shown.rows["", "Image → Expectation"][0].value == table["estimate"].iloc[0]
    index = csi.table(csi.index_scores(fits[0])).cells
    assert index.iloc[0, 0] == f"{csi.index_scores(fits[0])['mean'].iloc[0]:.2f}"
    both = csi.table(table, boot.table("paths", "bca"), names=["Percentile", "BCa"])
    assert {name for name, _ in both.heads} == {"Percentile", "BCa"}


def test_models_that_differ_have_the_rows_of_both(mobi):
    wide = csi.Model.from_syntax(
        "A =~ IMAG1 + IMAG2\nB =~ PERV1 + PERV2\nC =~ CUSA1 + CUSA2\nC ~ A + B\nB ~ A"
    )
    narrow = csi.Model.from_syntax(str(wide).replace("C ~ A + B", "C ~ B"))
    shown = csi.table(*(csi.fit(model, mobi) for model in (wide, narrow)), names=["1", "2"])
    assert shown.cells.loc[("Paths", "A → C")].tolist()[1] == ""
    compared = csi.compare(*(csi.fit(model, mobi) for model in (wide, narrow)), names=["1", "2"])
    pd.testing.assert_frame_equal(csi.table(compared).cells, shown.cells)


def test_a_fit_without_a_solution_has_no_numbers(fits, mobi):
    lost = csi.fit(csi.models.ecsi(), mobi, csi.ML(max_iterations=1))
    shown = csi.table(fits[0], lost, names=["PLS", "lost"])
    assert set(shown.cells["lost"]["Est."]) == {"", "250"}
    assert any(note.startswith("lost: ") for note in shown.notes)


def test_groups_stand_side_by_side(mobi):
    groups = csi.fit_groups(csi.models.ecsi(), mobi.data.assign(half=["a", "b"] * 125), "half")
    shown = csi.table(*groups.values(), names=list(groups))
    assert [name for name, _ in shown.heads] == ["a", "b"]


def test_html_and_markdown_escape_what_users_write(three, boot):
    html = three.to_html()
    assert "Three &lt;fits&gt; &amp; 100 %" in html
    assert "Image → Loyalty" in html
    table = pd.DataFrame({"estimate": [0.5]}, ["<script>|x|"])
    assert "<script>" not in csi.table(table).to_html() + csi.table(table)._repr_html_()
    assert "\\<script>\\|x\\|" in csi.table(table).to_markdown()
    lines = three.to_markdown().split("\n")
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_latex_is_whole(three):
    text = three.to_latex()
    assert r"\toprule" in text
    assert r"\bottomrule" in text
    assert r"Three $<$fits$>$ \& 100 \%" in text
    depth = 0
    for mark in re.sub(r"\\[{}]", "", text):
        depth += (mark == "{") - (mark == "}")
        assert depth >= 0
    assert depth == 0
    begun = re.findall(r"\\begin\{(\w+)\}", text)
    assert sorted(begun) == sorted(re.findall(r"\\end\{(\w+)\}", text))
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    rows = [line for line in body.split("\n") if line.endswith(r"\\") and "emph" not in line]
    assert len(rows) == len(three.rows)
    assert all(len(re.findall(r"(?<!\\)&", row)) == len(three.heads) for row in rows)
    special = csi.table(pd.DataFrame({"estimate": [-0.5]}, [r"a_b\c{%}#~^$"])).to_latex()
    assert r"a\_b\textbackslash{}c\{\%\}\#\textasciitilde{}\textasciicircum{}\$ & $-$.50" in special


def test_word_holds_every_cell(three, tmp_path):
    path = three.to_word(tmp_path / "t.docx")
    table = Document(str(path)).tables[0]
    texts = [[cell.text for cell in row.cells] for row in table.rows]
    for (_, name), row in three.rows.items():
        assert [name, *(cell.text for cell in row)] in texts
    assert [text.replace("\u200b", "") for text in texts[1]][1:] == [
        what for _, what in three.heads
    ]


def test_excel_holds_numbers_and_runs_nothing(three, tmp_path):
    sheet = openpyxl.load_workbook(three.to_excel(tmp_path / "t.xlsx")).active
    rows = {row[0].value: row for row in sheet.iter_rows()}
    first = rows["Image → Expectation"]
    assert first[1].value == three.rows["Paths", "Image → Expectation"][0].value
    assert first[1].data_type == "n"
    assert '"**"' in first[1].number_format
    formula = csi.table(pd.DataFrame({"estimate": [0.5]}, ["=1+1"]), caption="=2+2", notes="=3+3")
    path = formula.to_excel(tmp_path / "f.xlsx")
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_files_are_written_whole_and_refused_in_words(three, tmp_path):
    for write, name in (
        (three.to_html, "t.html"),
        (three.to_latex, "t.tex"),
        (three.to_markdown, "t.md"),
    ):
        assert write(tmp_path / name) == (tmp_path / name).read_text(encoding="utf-8")
    for write, name in ((three.to_word, "t.doc"), (three.to_excel, "t.csv")):
        with pytest.raises(OptionError, match=r"must end in \.(docx|xlsx)"):
            write(tmp_path / name)
    with pytest.raises(OptionError, match="cannot be written"):
        three.to_word(tmp_path / "nowhere" / "t.docx")
    with pytest.raises(OptionError, match="is no path"):
        three.to_html("")
    with pytest.raises(OptionError, match="is a folder"):
        three.to_html(tmp_path)


def test_what_is_no_result_is_refused(fits, boot):
    for results in ((), (1,), (fits[0], boot.table("paths")), (boot,), (None,)):
        with pytest.raises(OptionError, match=r"^table takes"):
            csi.table(*results)
    for options in (
        {"show": "t"}, {"show": []}, {"quantities": "nothing"}, {"level": 2}, {"decimals": -1},
        {"names": ["a", "b"]}, {"bootstraps": [None, None]}, {"interval": "x", "bootstraps": [boot]},
    ):  # fmt: skip
        with pytest.raises(csi.CsimodelError):
            csi.table(fits[0], **options)


@pytest.mark.parametrize(
    ("table", "texts"),
    [
        (pd.DataFrame(), []),
        (pd.DataFrame({"a": []}), []),
        (pd.DataFrame({"estimate": ["x", None]}), ["x", ""]),
        (pd.DataFrame({"estimate": [np.nan, np.inf]}), ["", "∞"]),
        (pd.DataFrame({"p": [True, False]}), ["yes", "no"]),
        (pd.DataFrame({"estimate": [0.5, 0.25], "p": ["n.s.", pd.NA]}), [".50", "n.s.", ".25", ""]),
        (pd.DataFrame({"lower": ["a", 1], "upper": [2, None]}), ["", ""]),
        (pd.DataFrame({"estimate": [1 + 2j]}), ["(1+2j)"]),
        (pd.DataFrame({"x": pd.array([1, None], dtype="Int64")}), ["1.00", ""]),
        (pd.DataFrame({("a", 1): [1.5]}), ["1.50"]),
        (pd.DataFrame({"x": pd.Categorical(["a", "b"])}), ["a", "b"]),
        (pd.DataFrame({"n": [1e300, -1e15]}), ["1e+300", "−1e+15"]),
        (pd.DataFrame({"x": [999999999999999.0, 1e15]}), ["999,999,999,999,999.00", "1e+15"]),
        (pd.DataFrame({"x": pd.array([0.5], dtype="double[pyarrow]")}), [".50"]),
    ],
)  # fmt: skip
def test_strange_tables_are_shown_and_written(table, texts, tmp_path):
    shown = csi.table(table, stars=True)
    assert [cell.text for row in shown.rows.values() for cell in row] == texts
    assert str(shown)
    assert shown.to_html()
    assert shown.to_markdown()
    assert shown.to_latex()
    assert shown.to_word(tmp_path / "a.docx").exists()
    assert shown.to_excel(tmp_path / "a.xlsx").exists()


def test_stars_are_explained_where_there_are_p_values(fits, boot):
    assert any("p < .05" in note for note in csi.table(boot.table("paths"), stars=True).notes)
    assert not any("p < .05" in note for note in csi.table(fits[0], stars=True).notes)


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"a": [1, 2]}, ["x", "x"]),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({"a": [1, 2]}, [1, "1"]),
        pd.DataFrame([[1, 2]], columns=[1, "1"]),
    ],
)
def test_rows_and_columns_have_names_of_their_own(table):
    with pytest.raises(OptionError, match=r"with the same name '.' in print; name each diff"):
        csi.table(table)


def test_without_the_extra_the_way_out_is_told(three, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "maketables", None)
    with pytest.raises(SurveyError, match=r'pip install "csimodel\[tables\]"'):
        three.to_html()


def test_a_table_speaks_the_language_in_which_it_is_made(fits, boot, tmp_path):
    with csi.language("zh"):
        made = csi.table(*fits, bootstraps=[boot, None, None], stars=True, decimals=3)
        plain = csi.table(boot.table("paths"))
    assert {"路径系数", "R²", "拟合"} == {section for section, _ in made.rows}
    assert [what for _, what in made.heads[:2]] == ["估计值", "95% CI"]
    assert made.heads[0][0] == "PLS，路径方案"
    assert "χ²的p值" in {name for _, name in made.rows}
    assert "CI为置信区间。" in made.notes
    first = made.cells.iloc[0, 0]
    assert first.lstrip("−").startswith("0.")
    assert made.to_markdown().count("*注：*") == 1
    assert [what for _, what in plain.heads] == ["估计值", "SE", "自由度", "95% CI", "p"]
    english = [word for note in made.notes for word in re.findall("[A-Za-z]{3,}", note)]
    assert set(english) <= {"PLS", "PLSc", "MLR", "HTMT"}
    book = openpyxl.load_workbook(made.to_excel(tmp_path / "t.xlsx"))
    assert any("置信区间" in str(cell.value) for row in book.active for cell in row)
