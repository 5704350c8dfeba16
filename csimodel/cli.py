"""The command line: options in, files out; everything else is done by the library."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from csimodel.characters import printable
from csimodel.command_options import (
    ESTIMATORS,
    by_of,
    codebook_of,
    codes_by_column,
    codes_of,
    decimal_of,
    economics_of,
    estimator_of,
    formats_of,
    in_shell,
    language_of,
    level_weights_of,
    levels_of,
    margins_of,
    model_of,
    pair_of,
    replicate_method_of,
    require_no_document,
    response_of,
    sizes_of,
    times_of,
)
from csimodel.errors import CsimodelError, ModelError, OptionError
from csimodel.findings import collected, text
from csimodel.options import shown
from csimodel.progress import watched
from csimodel.quiet import quiet
from csimodel.translation import Language, spoken

if TYPE_CHECKING:
    from csimodel.report import Analysis

DataFile = Annotated[Path, typer.Argument(help="CSV, Parquet, Excel, SPSS or Stata file.")]
CodebookFile = Annotated[
    Path | None, typer.Option(help="TOML file that says what the columns mean.")
]
Sheet = Annotated[str | None, typer.Option(help="Sheet of a workbook with the answers.")]
Encoding = Annotated[
    str | None, typer.Option(help="Encoding of a CSV, SPSS or Stata file, as gb18030.")
]
DecimalSign = Annotated[str | None, typer.Option(help="Decimal sign of numbers in text: . or ,")]
Weights = Annotated[str | None, typer.Option(help="Column of survey weights.")]
OwnLanguage = Annotated[str, typer.Option(help="Language of what is written: en or zh.")]
Formats = Annotated[
    str, typer.Option(help="What to write, of html, docx, xlsx and tex, as in html,docx.")
]

app = typer.Typer(
    help="Customer satisfaction index models: from a survey to a report.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from csimodel import __version__

        typer.echo(f"csimodel {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Customer satisfaction index models: from a survey to a report."""
    # A terminal that cannot show a character gets a question mark, not a crash.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("csimodel-demo"),
    draws: Annotated[int, typer.Option(help="Bootstrap resamples.")] = 5000,
    language: OwnLanguage = "en",
    formats: Formats = "html",
) -> None:
    """Analyse the embedded mobile phone survey (250 customers) and write a report.

    Its terms of trade (margin, discount rate, customers) are an example.
    """
    with _spoken(demo, language):
        import csimodel as csi

        documents = formats_of(formats)
        _require_folder(out, documents)
        _step(
            text(
                "Estimating the European Customer Satisfaction Index of 250 mobile phone customers"
            )
        )
        analysis = csi.analyze(
            csi.load_mobi(),
            csi.models.ecsi(),
            draws=draws,
            outcome="CUSL1",
            family="fractional-logit",
            economics=csi.money.Economics(
                margin=120,
                currency="EUR",
                period=text("year"),
                discount_rate=0.1,
                customers=1_000,
            ),
            progress=watched(),
        )
        _deliver(analysis, out, text("Customers of mobile phone providers"), documents)


@app.command()
def analyze(
    data: DataFile,
    codebook: CodebookFile = None,
    model: Annotated[
        str,
        typer.Option(
            help="ecsi, acsi, another of csi.models, or a text file with lines like "
            "'Value =~ V1 + V2'."
        ),
    ] = "ecsi",
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("csimodel-report"),
    target: Annotated[str, typer.Option(help="Construct the report is about.")] = "Satisfaction",
    scale: Annotated[
        str | None,
        typer.Option(help="Lowest and highest answer of the model's items, as in 1,10."),
    ] = None,
    missing: Annotated[
        str | None,
        typer.Option(
            help="Missing answers: error (default), listwise, pairwise, mean, construct-minimum."
        ),
    ] = None,
    missing_codes: Annotated[
        list[str] | None,
        typer.Option(
            help="Values and words that stand for no answer in the model's items, as in "
            "98,99,Blank, or in another column, as in AGAIN=98,DK; repeat for several."
        ),
    ] = None,
    sheet: Sheet = None,
    encoding: Encoding = None,
    decimal: DecimalSign = None,
    weights: Weights = None,
    strata: Annotated[str | None, typer.Option(help="Column of strata.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Column of clusters.")] = None,
    population: Annotated[
        str | None,
        typer.Option(help="Column of how many units the stratum has in the population."),
    ] = None,
    replicate_weights: Annotated[
        str | None,
        typer.Option(
            help="Columns of replicate weights, as a pattern such as 'rw*', from which errors are "
            "then learnt."
        ),
    ] = None,
    replicate_method: Annotated[
        str | None,
        typer.Option(help="How they were made: jk1, jkn, brr, fay or bootstrap."),
    ] = None,
    fay: Annotated[
        float | None,
        typer.Option(help="What Fay's method leaves of the weights it takes down, as 0.3."),
    ] = None,
    replicate_scale: Annotated[
        float | None,
        typer.Option(help="What the sum of squared deviations of replicates is multiplied by."),
    ] = None,
    replicate_factors: Annotated[
        str | None,
        typer.Option(help="What each replicate's squared deviation counts, as in 0.5,0.5,0.8."),
    ] = None,
    replicate_mse: Annotated[
        bool,
        typer.Option(
            "--replicate-mse", help="Deviations from the estimate, not from the replicates' mean."
        ),
    ] = False,
    calibrate: Annotated[
        Path | None,
        typer.Option(help="TOML file with the sizes of groups in the population, to rake to."),
    ] = None,
    dispositions: Annotated[
        str | None,
        typer.Option(
            help="How many cases ended how, for response rates, as in "
            "complete=250,refusal=120,non_contact=80,unknown=40."
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(help="Column of how long the interview took, to find who was too fast."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="Column that makes groups; repeat for groups by others, each by itself; brand,age "
            "crosses them."
        ),
    ] = None,
    levels: Annotated[
        str | None,
        typer.Option(
            help="Columns of the levels of an index programme, the highest first, as in "
            "sector,industry,firm; with --period."
        ),
    ] = None,
    level_weights: Annotated[
        Path | None,
        typer.Option(
            help="Table with columns level, unit, period and weight: what units count in the level "
            "above."
        ),
    ] = None,
    minimum_n: Annotated[
        int | None,
        typer.Option(help="Groups and units of fewer respondents are suppressed."),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(help="Column with repurchase, or how likely it is."),
    ] = None,
    outcome_scale: Annotated[
        str | None,
        typer.Option(help="Lowest and highest answer of the outcome, where it is no item."),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(help="Kind of regression: fractional-logit (default), logit, ols, …."),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(help="Money a customer brings in a period; with an outcome, for money."),
    ] = None,
    currency: Annotated[str | None, typer.Option(help="What the margin is in, as EUR.")] = None,
    period: Annotated[
        str | None,
        typer.Option(
            help="With --levels the column of periods; else the period of margin and repurchase, "
            "as year."
        ),
    ] = None,
    money_period: Annotated[
        str | None,
        typer.Option(help="Period of margin and repurchase, as year, beside --levels."),
    ] = None,
    discount: Annotated[
        float | None, typer.Option(help="Discount rate per period, 0.08 for 8 per cent.")
    ] = None,
    customers: Annotated[
        float, typer.Option(help="Number of customers; 1 gives money per customer.")
    ] = 1.0,
    estimator: Annotated[str, typer.Option(help=f"One of {', '.join(ESTIMATORS)}.")] = "pls",
    scheme: Annotated[str, typer.Option(help="PLS: path, factorial or centroid.")] = "path",
    consistent: Annotated[
        bool, typer.Option("--consistent", help="Correct for measurement error (PLSc).")
    ] = False,
    draws: Annotated[
        int | None,
        typer.Option(help="Bootstrap resamples (5000), in place of replicate weights."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the resamples.")] = 7,
    level: Annotated[float, typer.Option(help="Coverage of the intervals.")] = 0.95,
    title: Annotated[str | None, typer.Option(help="Title of the report.")] = None,
    language: OwnLanguage = "en",
    formats: Formats = "html",
) -> None:
    """Analyse a survey and write a report, tables, figures and results.json."""
    with _spoken(analyze, language):
        import csimodel as csi
        from csimodel.survey.form_columns import with_form_names

        documents = formats_of(formats)
        _require_folder(out, documents)
        method = estimator_of(estimator, scheme, consistent)
        _step(text("Reading {file}", file=data))
        table = csi.read_survey(
            data,
            sheet=sheet,
            encoding=encoding,
            decimal=decimal_of(decimal),
        )
        book = None if codebook is None else csi.read_codebook(codebook)
        if book is not None:
            table = with_form_names(table, book)
        chosen = model_of(model, {} if book is None else book.items)
        items = [name for name in chosen.items if name in table.data.columns]
        if not items:
            raise ModelError(
                f"None of the {len(chosen.items)} items of the model ({model}) is a column of "
                f"{data}; give --model a file of your own, or --codebook to say which column is "
                "which."
            )
        bounds = {name: pair_of("--scale", scale) for name in items if scale is not None}
        if outcome is not None and outcome_scale is not None:
            bounds[outcome] = pair_of("--outcome-scale", outcome_scale)
        codes = codes_of(missing_codes or [], items)
        survey = csi.read_survey(
            table,
            codebook=book,
            scale=bounds,
            missing=missing,
            missing_codes=codes,
            weights=weights,
            strata=strata,
            cluster=cluster,
            population=population,
            replicate_weights=replicate_weights,
            replicate_method=replicate_method_of(
                replicate_method, fay, replicate_scale, replicate_factors, replicate_mse
            ),
        )
        if calibrate is not None:
            survey = csi.rake(survey, margins_of(calibrate))
        _step(text("Estimating"))
        analysis = csi.analyze(
            survey,
            chosen,
            estimator=method,
            draws=draws,
            rng=seed,
            outcome=outcome,
            family=family,
            by=by_of(by, survey.data.columns),
            target=target,
            level=level,
            economics=economics_of(
                outcome,
                margin,
                currency,
                period if levels is None and money_period is None else money_period,
                discount,
                customers,
            ),
            levels=None if levels is None else levels_of(levels, period),
            period=None if levels is None else period,
            level_weights=None
            if level_weights is None
            else level_weights_of(level_weights, levels),
            minimum_n=minimum_n,
            response=response_of(dispositions),
            duration=duration,
            progress=watched(),
        )
        _deliver(analysis, out, title, documents)


@app.command()
def describe(
    data: DataFile,
    codebook: CodebookFile = None,
    items: Annotated[
        list[str] | None, typer.Option(help="Column to describe; repeat for several.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option(help="Column of how long the interview took.")
    ] = None,
    scale: Annotated[
        str | None, typer.Option(help="Lowest and highest answer, as in 1,10.")
    ] = None,
    missing_codes: Annotated[
        list[str] | None,
        typer.Option(
            help="Values and words that stand for no answer, as in 98,99,Blank, or in one column, "
            "as in AGAIN=98,DK; repeat for several."
        ),
    ] = None,
    weights: Weights = None,
    strata: Annotated[str | None, typer.Option(help="Column of strata.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Column of clusters.")] = None,
    sheet: Sheet = None,
    encoding: Encoding = None,
    decimal: DecimalSign = None,
    level: Annotated[float, typer.Option(help="Coverage of the intervals.")] = 0.95,
    language: OwnLanguage = "en",
) -> None:
    """Describe the items of a survey, and how carefully they were answered."""
    with _spoken(describe, language):
        import csimodel as csi

        book = None if codebook is None else csi.read_codebook(codebook)
        named = items or ([] if book is None else list(book.items))
        bounds = None if scale is None else pair_of("--scale", scale)
        survey = csi.read_survey(
            data,
            codebook=book,
            scale=dict.fromkeys(named, bounds) if named and bounds else bounds,
            missing_codes=codes_of(missing_codes or [], named) if named else (),
            weights=weights,
            strata=strata,
            cluster=cluster,
            sheet=sheet,
            encoding=encoding,
            decimal=decimal_of(decimal),
        )
        if missing_codes and not named:
            for codes in codes_by_column(missing_codes):
                survey = csi.read_survey(survey, missing_codes=codes)
        described = csi.describe(survey, items or None, duration=duration, level=level)
        _say(str(described.summary()))


@app.command(name="draft-codebook")
def draft_codebook(
    data: DataFile,
    out: Annotated[
        Path | None, typer.Option(help="TOML file to write; printed without it.")
    ] = None,
    sheet: Sheet = None,
    encoding: Encoding = None,
    decimal: DecimalSign = None,
    language: OwnLanguage = "en",
) -> None:
    """Draft a codebook from a data file, to be edited."""
    with _spoken(draft_codebook, language):
        import csimodel as csi

        book = csi.draft_codebook(
            data, sheet=sheet, encoding=encoding, decimal=decimal_of(decimal)
        ).to_toml()
        if out is None:
            _say(book.rstrip("\n"))
            return
        out.write_text(book, encoding="utf-8")
        _say(text("The draft is in {file}; edit it, then give it as --codebook", file=out))


@app.command()
def questionnaire(
    codebook: Annotated[Path, typer.Argument(help="TOML file, or a model such as ecsi or ccsi.")],
    out: Annotated[
        Path, typer.Option(help="File to write: .xlsx (XLSForm), or .html, .docx or .md to print.")
    ],
    language: OwnLanguage = "en",
    title: Annotated[str | None, typer.Option(help="Title of the questionnaire.")] = None,
) -> None:
    """Write a questionnaire from a codebook, or from a published model."""
    with _spoken(questionnaire, language) as own:
        import csimodel as csi

        written = csi.measures.write_questionnaire(
            codebook_of(codebook, own),
            out,
            language=own,
            title=title,
        )
        _say(text("The questionnaire is in {file}", file=written))


@app.command()
def plan(
    half_width: Annotated[float, typer.Argument(help="Wanted half-width, in points.")],
    sd: Annotated[float, typer.Option(help="Standard deviation of the index, in points.")] = 20.0,
    target: Annotated[str, typer.Option(help="index, difference or slope.")] = "index",
    strata: Annotated[
        list[str] | None,
        typer.Option(help="Stratum and its size, as north=5000; repeat for several."),
    ] = None,
    allocation: Annotated[
        str, typer.Option(help="proportional, neyman or equal.")
    ] = "proportional",
    each: Annotated[
        bool, typer.Option("--each", help="Every stratum is to have the half-width.")
    ] = False,
    population: Annotated[float | None, typer.Option(help="Size of the population.")] = None,
    cluster_size: Annotated[int, typer.Option(help="Respondents of a cluster.")] = 1,
    icc: Annotated[float, typer.Option(help="Intraclass correlation in clusters.")] = 0.0,
    response_rate: Annotated[float, typer.Option(help="Share of the invited who answer.")] = 1.0,
    cost: Annotated[float, typer.Option(help="Money of an interview.")] = 0.0,
    level: Annotated[float, typer.Option(help="Coverage of the interval.")] = 0.95,
    codebook: Annotated[
        Path | None,
        typer.Option(help="TOML file, or a model such as ecsi or ccsi: for a survey plan with it."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Survey plan to write: .docx, .html or .md.")
    ] = None,
    who: Annotated[str | None, typer.Option(help="The population, in words.")] = None,
    when: Annotated[
        list[str] | None,
        typer.Option(help="When a step is, as fieldwork=March; repeat for several."),
    ] = None,
    language: OwnLanguage = "en",
    title: Annotated[str | None, typer.Option(help="Title of the survey plan.")] = None,
) -> None:
    """Plan how many respondents a wanted precision takes, and the survey with a codebook."""
    with _spoken(plan, language) as own:
        import csimodel as csi

        sample = csi.sample_plan(
            half_width,
            sd,
            target=target,  # type: ignore[arg-type]
            strata=sizes_of(strata),
            allocation=allocation,  # type: ignore[arg-type]
            each=each,
            population=population,
            cluster_size=cluster_size,
            icc=icc,
            response_rate=response_rate,
            cost=cost,
            level=level,
        )
        if codebook is None:
            require_no_document({"--out": out, "--who": who, "--when": when, "--title": title})
            _say(str(sample.summary()))
            return
        document = csi.measures.survey_plan(
            codebook_of(codebook, own),
            sample,
            who=who,
            schedule=times_of(when),
            language=own,
            title=title,
        )
        if out is None:
            _say(str(document.summary()))
            return
        _say(text("The survey plan is in {file}", file=document.write(out)))


@contextmanager
def _spoken(command: Callable[..., None], language: str = "en") -> Iterator[Language]:
    """Say errors and findings of the package as sentences on stderr; errors end with code 2.

    The block is given the language. Options that errors name as arguments in Python are named as
    the command has them.
    """
    moment: Language = "en"
    with collected() as findings, quiet():  # what other programs warn of is not for this reader
        try:
            moment = language_of(language)
            with spoken(moment):
                yield moment
        except CsimodelError as error:
            refusal = in_shell(str(error), signature(command).parameters)
        except OSError as error:
            refusal = f"{shown(error.filename)} cannot be used ({error.strerror or error})."
        except MemoryError:
            refusal = "The memory does not suffice; use fewer draws, or a smaller model or file."
        else:
            refusal = ""
    with spoken(moment):
        for finding in findings:
            _say(text("Warning: {finding}", finding=finding), err=True)
    if refusal:
        _say(f"Error: {refusal}", err=True)
        raise typer.Exit(2)


def _deliver(analysis: Analysis, out: Path, title: str | None, formats: Sequence[str]) -> None:
    """Write the files, print the results, and say which file to open."""
    import csimodel as csi

    _step(text("Drawing figures and writing the report"))
    try:
        page = csi.write_report(analysis, out, title=title, formats=formats, progress=watched())
    finally:  # the results are not lost with the folder
        _say(analysis.summary())
    _say("\n" + text("Tables, figures and results.json are in {folder}", folder=out))
    if page.suffix == ".html":
        _say(text("Open {page} in a browser", page=page))
    else:
        _say(text("The report is in {page}", page=page))


def _say(line: str, *, err: bool = False) -> None:
    """Print; a reader who has gone away, as `head` does, is no error.

    Raises
    ------
    OptionError
        When what is printed cannot be stored, as on a full disk.
    """
    stream = sys.stderr if err else sys.stdout
    try:
        typer.echo(printable(line), err=err)
        if stream is not None:
            stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not err:
            raise OptionError(
                f"The results cannot be printed ({error.strerror or error}); the report has them."
            ) from error


def _step(work: str) -> None:
    """Say what is being done, to people only."""
    if watched():
        _say(f"{work} …", err=True)


def _require_folder(out: Path, formats: Sequence[str]) -> None:
    """Refuse a folder that cannot take the report, before the work."""
    from csimodel.report.write import require_report_folder

    require_report_folder(out, formats)
