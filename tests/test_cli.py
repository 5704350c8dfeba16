"""The command line: what it prints and writes, and how it refuses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import csimodel as csi
from csimodel.cli import app
from csimodel.command_options import ESTIMATORS, estimator_of, margins_of


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def mobi(tmp_path, monkeypatch):
    """A working folder with the mobile phone data as a stranger would have them."""
    monkeypatch.chdir(tmp_path)
    data = csi.load_mobi().data
    rng = np.random.default_rng(1)
    extra = {
        "region": rng.choice(["north", "south"], len(data)),
        "w": rng.uniform(0.5, 2, len(data)),
        "bought": (data["CUSL1"] > 7).astype(int),
    }
    data.assign(**extra).to_csv("survey.csv", index=False)
    return tmp_path


def test_demo_prints_the_results_and_writes_the_report(mobi):
    done = run("demo", "--draws", 100)
    assert done.exit_code == 0, done.output
    text = done.output.replace("\xa0", " ")
    assert "Satisfaction   72.5   " in text
    assert "The largest estimated effect on Satisfaction is that of Quality" in text
    assert "The index and “would choose the provider again”" in text
    assert "From a point of the index to money" in text
    assert text.rstrip().endswith("report.html in a browser")
    out = mobi / "csimodel-demo"
    assert (out / "report.html").stat().st_size > 100_000
    facts = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert facts["repurchase"]["family"] == "fractional-logit"
    assert facts["bootstrap"]["draws"] == 100


def test_analyze_takes_every_option(mobi):
    done = run(
        "analyze", "survey.csv", "--scale", "1,10", "--missing", "listwise",
        "--missing-codes", "98,99", "--weights", "w", "--by", "region", "--outcome", "bought",
        "--family", "logit", "--margin", 120, "--currency", "CHF", "--period", "month",
        "--discount", 0.01, "--customers", 300, "--scheme", "centroid", "--draws", 60, "--seed", 3, "--level", 0.9,
        "--out", "mine", "--title", "My <report>",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    facts = json.loads((mobi / "mine" / "results.json").read_text(encoding="utf-8"))
    assert facts["estimator"]["label"] == "PLS, centroid scheme"
    assert facts["bootstrap"]["seed"] == 3
    assert facts["segments"]["groups"] == ["north", "south"]
    assert facts["money"]["terms"] == {
        "margin": 120.0, "currency": "CHF", "period": "month", "discount_rate": 0.01,
        "customers": 300.0, "first_margin": "end", "horizon": None, "purchases": 1.0,
    }  # fmt: skip
    assert facts["money"]["driver"] == facts["tables"]["money_by_driver"][0]["driver"]
    assert facts["level"] == 0.9
    assert facts["data"]["weights"] == "w"
    assert {row["region"] for row in facts["tables"]["index_by_group"]} == {"north", "south"}
    page = (mobi / "mine" / "report.html").read_text(encoding="utf-8")
    assert "My &lt;report&gt;" in page
    assert "90\xa0% interval" in page


def test_analyze_reads_a_model_and_a_codebook(mobi):
    (mobi / "model.txt").write_text(
        "质量 =~ PERQ1 + PERQ2\n满意度 =~ CUSA1 + CUSA2\n满意度 ~ 质量\n", encoding="utf-8"
    )
    (mobi / "book.toml").write_text(
        "[defaults]\nscale = [1, 10]\n[items]\n"
        + "\n".join(f"{item} = {{}}" for item in ("PERQ1", "PERQ2", "CUSA1", "CUSA2")),
        encoding="utf-8",
    )
    done = run(
        "analyze", "survey.csv", "--model", "model.txt", "--codebook", "book.toml",
        "--target", "满意度", "--draws", 40,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert (mobi / "csimodel-report" / "report.html").is_file()
    assert "Drivers of 满意度" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.csv"], "There is no file 'nothing.csv'"),
        (["survey.csv"], "scale"),
        (["survey.csv", "--scale", "1"], "--scale 1 has 1 numbers; give the lowest"),
        (["survey.csv", "--scale", "one,ten"], "--scale one,ten is not a list of numbers"),
        (["survey.csv", "--scale", "1,10", "--model", "esci"], "(did you mean 'ecsi'?)"),
        (["survey.csv", "--scale", "1,10", "--missing", "drop"], "drop"),
        (["survey.csv", "--scale", "1,10", "--weights", "ww"], "'ww'"),
        (["survey.csv", "--scale", "1,10", "--scheme", "paths"], "did you mean 'path'"),
        (["survey.csv", "--scale", "1,10", "--outcome", "CUSL9", "--draws", "30"], "'CUSL9'"),
        (["survey.csv", "--scale", "1,10", "--draws", "0"], "--draws 0"),
        (["survey.csv", "--encoding", "big6"], "--encoding 'big6' is not known (did you mean"),
        (["survey.csv", "--formats", "pdf"], "'html', 'docx', 'xlsx', 'tex'"),
        (["survey.csv", "--estimator", "mll"], "--estimator='mll' is not known (did you mean 'ml'"),
        (
            ["survey.csv", "--estimator", "ml", "--consistent"],
            "--scheme and --consistent are of PLS",
        ),
        (["survey.csv", "--scale", "1,10", "--target", "Pride"], "Target 'Pride'"),
        (
            ["survey.csv", "--scale", "1,10", "--margin", "120"],
            "Money needs --currency, --period, --discount and --outcome too, for example",
        ),
        (["survey.csv", "--scale", "1,10", "--draws", "30", "--out", "survey.csv"], "written"),
    ],
)
def test_errors_are_one_sentence_and_code_2(mobi, arguments, message):
    done = run("analyze", *arguments)
    assert done.exit_code == 2
    said = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert len(said) == 1
    assert message in said[0]
    assert "Traceback" not in done.output


def test_every_command_names_its_own_option_for_the_encoding(tmp_path):
    data = tmp_path / "gb.csv"
    data.write_bytes("a,b\n1,中\n".encode("gb18030"))
    for command in ("analyze", "describe", "draft-codebook"):
        done = run(command, data)
        assert done.exit_code == 2
        assert "give its encoding with --encoding, whichever makes sense: 'gb18030'" in done.output
        assert "encoding=" not in done.output
        done = run(command, data, "--encoding", "ascii")
        assert "--encoding says" in done.output


def test_analyze_by_two_columns_and_both_crossed_writes_labels_and_the_formats_that_are_asked_for(
    tmp_path,
):
    data = csi.load_mobi(design=True).data
    rng = np.random.default_rng(4)
    data.assign(code=rng.integers(1, 3, len(data))).to_csv(tmp_path / "d.csv", index=False)
    items = "\n".join(f"{name} = {{}}" for name in csi.load_mobi().items)
    (tmp_path / "book.toml").write_text(
        f"[defaults]\nscale = [1, 10]\n[items]\n{items}\n"
        "[columns.code]\nlabels = {1 = '北方', 2 = 'South'}\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    done = run(
        "analyze", tmp_path / "d.csv", "--codebook", tmp_path / "book.toml", "--by", "sex",
        "--by", "code", "--by", "sex,code", "--draws", 40, "--formats", "docx,tex", "--out", out,
        "--estimator", "plsc",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert {"report.docx", "report.tex"} <= {file.name for file in out.iterdir()}
    assert not (out / "report.html").exists()
    for columns in ("sex", "code", "sex × code"):
        assert f"\nSatisfaction by {columns}\n" in done.output
    assert "f · 北方" in done.output
    assert "(f, 北方)" in done.output
    assert "(f, 1)" not in done.output
    facts = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert facts["estimator"]["label"] == "PLSc, path scheme"
    assert [own["by"] for own in facts["groupings"]] == [["sex"], ["code"], ["sex", "code"]]
    assert len(facts["groupings"][2]["highest"]["differences"]) == 3


def test_a_model_that_shares_no_column_with_the_data_is_said_before_any_item(tmp_path):
    data = tmp_path / "own.csv"
    data.write_text("q1,q2\n1,2\n3,4\n", encoding="utf-8")
    result = run("analyze", data, "--scale", "1,10")
    assert result.exit_code == 2
    assert "None of the 24 items of the model (ecsi) is a column of" in result.stderr.replace(
        "\n", " "
    )


def test_a_model_file_that_is_not_text_is_refused(mobi):
    (mobi / "model.txt").write_bytes("质量 =~ a".encode("utf-16"))
    done = run("analyze", "survey.csv", "--scale", "1,10", "--model", "model.txt")
    assert done.exit_code == 2
    assert "'model.txt' is not UTF-8 text" in done.output


def test_warnings_are_sentences_too(mobi):
    frame = pd.read_csv("survey.csv").rename(columns={"CUSA1": "ሀ"})  # no font here has Ethiopic
    frame.to_csv("odd.csv", index=False)
    model = csi.models.ecsi({"Satisfaction": ["ሀ", "CUSA2", "CUSA3"]})
    (mobi / "model.txt").write_text(model.to_syntax(), encoding="utf-8")
    done = run("analyze", "odd.csv", "--scale", "1,10", "--model", "model.txt", "--draws", 40)
    assert done.exit_code == 0, done.output
    assert "Warning: No installed font can draw the characters ሀ" in done.output
    assert "Glyph" not in done.output


SMALL = "Q =~ PERQ1 + PERQ2\nSatisfaction =~ CUSA1 + CUSA2\nSatisfaction ~ Q\n"


@pytest.fixture
def small(mobi):
    """The same folder with a model of two constructs, and the options that analyse it quickly."""
    (mobi / "small.txt").write_text(SMALL, encoding="utf-8")
    return ["survey.csv", "--scale", "1,10", "--model", "small.txt", "--draws", "30"]


def refusal(done):
    """Return the one sentence of a refusal; there is no traceback, and nothing endless."""
    assert done.exit_code == 2, done.output[-500:]
    assert isinstance(done.exception, SystemExit)
    (told,) = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert len(told) < 3000
    return told


def test_a_document_of_somebody_else_is_refused_before_the_work(mobi, small):
    (mobi / "csimodel-report").mkdir()
    (mobi / "csimodel-report" / "report.docx").write_text("mine")
    done = run("analyze", *small, "--formats", "docx")
    assert "'report.docx' there is not of an earlier report" in refusal(done)
    assert done.stdout == ""


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_of_the_help_is_there(name):
    assert estimator_of(name, "path", False).label.lower().startswith(name[:3])


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--draws", "9" * 400, "must be at most 10,000,000."),
        ("--draws", "1000000000000", "--draws 1000000000000 must be at most 10,000,000."),
        ("--level", "0.9999999999999999", "--level 0.9999999999999999 must lie between 0 and 1"),
        ("--level", "nan", "--level nan must lie between 0 and 1"),
        ("--seed", "-1", "--seed -1 must be a whole number from 0"),
        ("--scale", "1," + "9" * 5000, "give the lowest and the highest answer"),
        ("--model", "x" * 5000, "There is no model 'xxx"),
        ("--model", "caf\udce9.txt", "There is no model 'caf"),
        ("--codebook", "x" * 5000, "(File name too long)"),
        ("--family", "", "--family ''"),
        ("--title", "\udce9", None),
        ("--target", "\0", "Target '\\x00' is not in the model"),
        ("--out", "x" * 5000, "The report cannot be written to 'xxx"),
    ],
)
def test_absurd_options_are_refused_in_a_sentence(small, option, value, message):
    done = run("analyze", *small, "--outcome", "bought", option, value)
    if message is None:
        assert done.exit_code == 0, done.output
    else:
        assert message in refusal(done)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Q =~ " + "x" * 250_000, "is a column of survey.csv"),
        ("Q =~ PERQ1 + " + "9" * 5000 + "*PERQ2", "give a finite number"),
        ("Q =~ " + "(" * 100_000, "where a name is expected"),
        ("Q =~ a*PERQ1 + PERQ2\nx := " + "(" * 20_000 + "a" + ")" * 20_000, "The expression '((("),
        ("Q =~ a*PERQ1 + PERQ2\nx := " + "+".join("a" * 50_000), "The expression 'a+a"),
        ("Q =~ PERQ1 + 1e" + "+1e" * 50_000, "The line 'Q =~ PERQ1"),
        ("\0", "The line '\\x00' has no operator"),
    ],
)
def test_long_and_deep_models_are_refused_in_a_sentence(small, mobi, text, message):
    (mobi / "small.txt").write_text(text, encoding="utf-8")
    assert message in refusal(run("analyze", *small))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[defaults]\nscale = [1, " + "9" * 5000 + "]", "a number of thousands of digits"),
        ("[items.PERQ1]\nscale = [1, " + "9" * 400 + "]", "has the scale [1, 999"),
        ("x = " + "[" * 50_000 + "]" * 50_000, "too deeply"),
        ("x = " + "{a=" * 5000 + "1" + "}" * 5000, "too deeply"),
        ("a" + ".a" * 50_000 + " = 1", "a key of more than 100 parts"),
        ("[a" + ".a" * 50_000 + "]", "a key of more than 100 parts"),
        ("# " + "x" * 6_000_000, "more than 5,000,000 characters"),
    ],
)
def test_large_and_deep_codebooks_are_refused_in_a_sentence(small, mobi, text, message):
    (mobi / "book.toml").write_text(text, encoding="utf-8")
    assert message in refusal(run("analyze", *small, "--codebook", "book.toml"))


def test_a_folder_with_files_of_the_user_is_refused_before_the_work(small, mobi, monkeypatch):
    (mobi / "results.json").write_text("mine")
    monkeypatch.setattr(csi, "read_survey", lambda *_, **__: pytest.fail("read"))
    assert "'results.json' there is not of an earlier report" in refusal(
        run("analyze", *small, "--out", ".")
    )
    assert (mobi / "results.json").read_text() == "mine"


def test_results_are_printed_even_where_the_report_cannot_be_written(small, monkeypatch):
    def full(*_, **__):
        raise csi.errors.OptionError("The report cannot be written; choose another folder.")

    monkeypatch.setattr(csi, "write_report", full)
    done = run("analyze", *small)
    assert "Drivers of Satisfaction" in done.output
    assert "cannot be written" in refusal(done)


def test_too_little_memory_is_said(small, monkeypatch):
    def large(*_, **__):
        raise MemoryError

    monkeypatch.setattr(csi, "analyze", large)
    assert "The memory does not suffice; use fewer draws" in refusal(run("analyze", *small))


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes, and closed pipes")
@pytest.mark.parametrize("reader", ["reads on", "goes away", "full disk"])
def test_file_names_of_other_encodings_ascii_terminals_and_closed_pipes(small, mobi, reader):
    (mobi / "survey.csv").rename(mobi / "caf\udce9.csv")
    command = [sys.executable, "-m", "csimodel", "analyze", "caf\udce9.csv", *small[1:]]
    environment = {
        **os.environ, "PYTHONIOENCODING": "ascii:strict", "LC_ALL": "C", "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }  # fmt: skip
    output = Path("/dev/full").open("wb") if reader == "full disk" else subprocess.PIPE  # noqa: SIM115
    with subprocess.Popen(
        [*command, "--out", "r\udce9port", "--title", "\udce9t\udce9"], env=environment,
        stdout=output, stderr=subprocess.PIPE, cwd=mobi,
    ) as process:  # fmt: skip
        if reader == "goes away":
            process.stdout.close()
            process.stdout = None
        told, wrong = process.communicate(timeout=120)
    if reader == "full disk":
        output.close()
        assert process.returncode == 2
        assert wrong == (
            b"Error: The results cannot be printed (No space left on device); the report has them.\n"
        )
    else:
        assert (process.returncode, wrong) == (0, b"")
    if reader == "reads on":
        assert b"port/report.html in a browser" in told
    facts = json.loads((mobi / "r\udce9port" / "results.json").read_text(encoding="utf-8"))
    assert facts["data"]["source"] == "caf�.csv"
    assert "<title>�t�</title>" in (mobi / "r\udce9port" / "report.html").read_text("utf-8")


def test_version_and_help():
    assert run("--version").output.strip() == f"csimodel {csi.__version__}"
    for arguments in (["--help"], ["demo", "--help"], ["analyze", "--help"]):
        done = run(*arguments)
        assert done.exit_code == 0
        assert "Usage" in done.output


def test_module_runs_and_says_errors_on_stderr(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "csimodel", "analyze", "nothing.csv"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "Error: There is no file 'nothing.csv'; check the path.\n"


def test_help_does_not_load_what_only_results_need():
    code = (
        "import sys, csimodel.cli\n"
        "heavy = {'matplotlib', 'jinja2', 'statsmodels', 'tqdm', 'scipy.stats'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_analyze_reads_the_sheet_and_the_encoding_that_are_said(mobi):
    pytest.importorskip("openpyxl")
    answers = pd.read_csv(mobi / "survey.csv")
    with pd.ExcelWriter(mobi / "survey.xlsx") as book:
        answers.to_excel(book, sheet_name="north", index=False)
        answers.head(100).to_excel(book, sheet_name="south", index=False)
    options = ["--scale", "1,10", "--draws", 20]
    done = run("analyze", "survey.xlsx", *options)
    assert "'north' and 'south'; say which with --sheet 'north'" in refusal(done)
    done = run("analyze", "survey.xlsx", *options, "--sheet", "south", "--out", "south")
    assert done.exit_code == 0, done.output
    answers.assign(ort="上海").to_csv(mobi / "gbk.csv", index=False, encoding="gbk")
    assert "--encoding" in refusal(run("analyze", "gbk.csv", *options))
    done = run("analyze", "gbk.csv", *options, "--encoding", "gbk", "--out", "gbk")
    assert done.exit_code == 0, done.output
    assert "--decimal ; is not known" in refusal(run("analyze", "gbk.csv", "--decimal", ";"))


def test_analyze_calibrates_weights_to_margins(mobi):
    (mobi / "margins.toml").write_text("[region]\nnorth = 300\nsouth = 700\n", encoding="utf-8")
    done = run(
        "analyze", "survey.csv", "--scale", "1,10", "--weights", "w", "--draws", 50,
        "--calibrate", "margins.toml", "--out", "mine",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    frame = pd.read_csv("survey.csv")
    raked = csi.rake(
        csi.read_survey(frame, scale=(1, 10), weights="w", items=list(csi.load_mobi().items)),
        {"region": {"north": 300, "south": 700}},
    )
    index = csi.index_scores(csi.fit(csi.models.ecsi(), raked)).loc["Satisfaction", "mean"]
    facts = json.loads((mobi / "mine" / "results.json").read_text(encoding="utf-8"))
    row = next(own for own in facts["tables"]["index"] if own["construct"] == "Satisfaction")
    assert row["mean"] == pytest.approx(index)


def test_margins_of_two_columns_are_written_with_a_comma(tmp_path):
    file = tmp_path / "margins.toml"
    file.write_text('["sex, age"]\n"f, 18-34" = 10\n"m,18-34" = 20\n', encoding="utf-8")
    assert margins_of(file) == {("sex", "age"): {("f", "18-34"): 10, ("m", "18-34"): 20}}


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "there is no file"), ("region = [", "is no TOML file"), ("", "holds no margin")],
)
def test_files_of_margins_that_are_none_are_named(tmp_path, text, told):
    file = tmp_path / "margins.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(csi.errors.OptionError, match=rf"^--calibrate: .*{told}"):
        margins_of(file)


@pytest.fixture
def replicated(mobi):
    """A file of answers with weights, strata, clusters, and replicate weights made from them."""
    rng = np.random.default_rng(2)
    frame = pd.read_csv("survey.csv")
    frame["stratum"] = rng.integers(0, 12, len(frame))
    frame["firm"] = 2 * frame["stratum"] + rng.integers(0, 2, len(frame))
    made = csi.replicate_weights(
        csi.read_survey(frame, weights="w", strata="stratum", cluster="firm"), "fay", fay=0.3
    )
    names = {name: f"rw{k}" for k, name in enumerate(made.replicate_weights)}
    made.data.rename(columns=names).to_csv("survey.csv", index=False)
    return [
        "--scale", "1,10", "--weights", "w", "--replicate-weights", "rw*",
        "--replicate-method", "fay", "--fay", 0.3,
    ]  # fmt: skip


def test_analyze_learns_errors_from_replicate_weights(mobi, replicated):
    (mobi / "margins.toml").write_text("[region]\nnorth = 300\nsouth = 700\n", encoding="utf-8")
    done = run(
        "analyze", "survey.csv", *replicated, "--strata", "stratum", "--cluster", "firm",
        "--calibrate", "margins.toml", "--outcome", "CUSL1", "--by", "region", "--out", "mine",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "Intervals rest on 16 sets of replicate weights (balanced repeated" in done.output
    frame = pd.read_csv("survey.csv")
    survey = csi.read_survey(
        frame, scale=(1, 10), items=list(csi.load_mobi().items), weights="w", strata="stratum",
        cluster="firm", replicate_weights="rw*",
        replicate_method=csi.survey.ReplicateMethod("fay", fay=0.3),
    )  # fmt: skip
    raked = csi.rake(survey, {"region": {"north": 300, "south": 700}})
    fit = csi.fit(csi.models.ecsi(), raked)
    errors = csi.replicate(fit)
    facts = json.loads((mobi / "mine" / "results.json").read_text(encoding="utf-8"))
    index = pd.DataFrame(facts["tables"]["index"]).set_index("construct")
    theirs = csi.index_scores(fit, bootstrap=errors)
    np.testing.assert_allclose(index["se"], theirs["se"], rtol=1e-12)
    paths = pd.DataFrame(facts["tables"]["paths"])
    np.testing.assert_allclose(paths["se"], errors.table("paths")["se"], rtol=1e-12)
    valued = csi.repurchase(fit, "CUSL1", bootstrap=errors)
    assert facts["tables"]["repurchase_effects"][0]["se"] == pytest.approx(
        valued.average_marginal_effects["se"].iloc[0]
    )
    assert facts["bootstrap"]["interval"] == "t with 12 degrees of freedom"
    assert facts["bootstrap"]["kind"] == "fay"
    page = (mobi / "mine" / "report.html").read_text(encoding="utf-8")
    assert "16 sets of replicate weights (balanced repeated replication, Fay" in page
    assert "Bootstrap with" not in page


def test_draws_take_the_place_of_replicate_weights(mobi, replicated):
    done = run("analyze", "survey.csv", *replicated, "--draws", 40)
    assert done.exit_code == 0, done.output
    assert "Intervals rest on 40 resamples of the respondents" in done.output


def test_replicate_weights_in_a_codebook_reach_the_shell(mobi, replicated):
    (mobi / "book.toml").write_text(
        '[survey]\nweights = "w"\nreplicate_weights = "rw*"\n'
        'replicate_method = { scheme = "fay", fay = 0.3 }\n',
        encoding="utf-8",
    )
    done = run("analyze", "survey.csv", "--codebook", "book.toml", "--scale", "1,10")
    assert done.exit_code == 0, done.output
    assert "Intervals rest on 16 sets of replicate weights" in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fay", "0.3"], "--fay is of replicate weights; say how they were made"),
        (["--replicate-mse"], "--replicate-mse is of replicate weights"),
        (["--replicate-factors", "1,2"], "--replicate-factors is of replicate weights"),
        (["--replicate-method", "jkm"], "did you mean 'jkn'"),
        (
            ["--replicate-weights", "C*", "--replicate-method", "jkn"],
            "--replicate-method jkn needs the factor (m - 1)/m of each replicate's stratum",
        ),
        (["--replicate-method", "brr"], "name their columns as --replicate-weights"),
        (["--replicate-weights", "CUSA*"], "give --replicate-method as one of 'jk1', 'jkn', 'brr'"),
        (["--minimum-n", "20"], "--minimum-n 20 suppresses small groups, and there are none"),
        (["--minimum-n", "0", "--by", "CUSCO"], "--minimum-n 0 must be a whole number"),
        (
            [
                "--weights",
                "IMAG1",
                "--replicate-weights",
                "CUSA*",
                "--replicate-method",
                "jkn",
                "--replicate-factors",
                "0.5,0.5",
            ],
            "There are 3 columns of replicate weights and 2 rscales; give one for each",
        ),
        (["--replicate-weights", "x*", "--replicate-method", "brr"], "fits 0 columns"),
        (
            ["--replicate-weights", "CUSA*", "--replicate-method", "brr", "--fay", "2"],
            "--fay 2.0 must be from 0 to below 1",
        ),
        (
            ["--replicate-weights", "C*", "--replicate-method", "jkn", "--replicate-factors", "x"],
            "--replicate-factors x is not a list of numbers",
        ),
    ],
)
def test_replicate_options_that_cannot_be_are_refused(mobi, options, message):
    assert message in refusal(run("analyze", "survey.csv", "--scale", "1,10", *options))


def test_answers_in_words_are_analysed_as_their_codes(mobi):
    """The report's numbers are those of the codes, and its code makes them again."""
    frame = csi.load_mobi().data[["PERQ1", "PERQ2", "CUSA1", "CUSA2"]]
    worded = frame.astype(object).assign(
        PERQ1=[f"{answer} - {'good' if answer > 5 else 'bad'}" for answer in frame["PERQ1"]],
        CUSA1=["Blank" if row < 9 else answer for row, answer in enumerate(frame["CUSA1"])],
    )
    worded.to_csv(mobi / "worded.csv", index=False)
    frame.assign(CUSA1=frame["CUSA1"].where(frame.index > 8)).to_csv(mobi / "codes.csv")
    (mobi / "model.txt").write_text("Q =~ PERQ1 + PERQ2\nS =~ CUSA1 + CUSA2\nS ~ Q\n")
    options = ("--model", "model.txt", "--scale", "1,10", "--missing", "listwise", "--draws", 30,
               "--target", "S")  # fmt: skip
    tables = []
    for name, more in (("worded", ("--missing-codes", "0,Blank")), ("codes", ())):
        (mobi / "b.toml").write_text(
            "[items]\n" + "\n".join(f"{item} = {{ scale = [1, 10] }}" for item in frame)
        )
        done = run("analyze", f"{name}.csv", "--codebook", "b.toml", *options, *more, "--out", name)
        assert done.exit_code == 0, done.output
        facts = json.loads((mobi / name / "results.json").read_text(encoding="utf-8"))
        tables.append(facts["tables"]["index"])
        if name == "worded":
            space: dict[str, csi.report.Analysis] = {}
            exec(facts["code"].rpartition("\n")[0], space)
            assert space["analysis"].index.loc["S", "mean"] == facts["tables"]["index"][1]["mean"]
    assert tables[0] == tables[1]
