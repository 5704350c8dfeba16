"""Options of the command line, texts all, as what the library takes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from csimodel.errors import OptionError, choose, suggest
from csimodel.findings import listed
from csimodel.options import shown
from csimodel.translation import LANGUAGES, Language

if TYPE_CHECKING:
    import pandas as pd

    from csimodel.estimators.solution import Estimator
    from csimodel.model import Model
    from csimodel.outcomes.money import Economics
    from csimodel.survey import Codebook, Item
    from csimodel.survey.cells import Decimal
    from csimodel.survey.replicates import ReplicateMethod
    from csimodel.weighting import ResponseRates

_DISPOSITIONS = (
    "complete", "partial", "refusal", "non_contact", "other", "unknown", "unknown_other",
    "ineligible",
)  # fmt: skip

ESTIMATORS = ("pls", "plsc", "ml", "uls", "gls", "dwls", "wlsmv")
_IN_PYTHON = {"rng": "seed", "folder": "out", "discount_rate": "discount"}
_PYTHON_ONLY = re.compile(r", or pass a data frame| in read_survey(?!\()")
_FORMS = {
    "missing_codes": (
        re.compile(r"missing_codes=\{'([^']*)': ([^}]*)\}"),
        r"--missing-codes \1=\2",
    ),
    "items": (re.compile(r"items=\[…\]"), "--items NAME"),
}
_CALL = re.compile(r"[\w.]+\([^()]*\)")
_ARGUMENT = re.compile(r"""(?<![\w.'"“-])([a-z][a-z_]*)=(?![=])(?=(['"]?))""")


def in_shell(message: str, options: Iterable[str]) -> str:
    """Return a message whose arguments of Python are named as options of the shell.

    Parameters
    ----------
    message
        Of an error.
    options
        Names of the options that the command has; other arguments stay as they are, and so do
        those within calls.

    Examples
    --------
    >>> in_shell("give its encoding with encoding=, or save it; not encoding='big'.", ["encoding"])
    "give its encoding with --encoding, or save it; not --encoding 'big'."
    >>> in_shell("use csi.read_survey(file, encoding='big5').", ["encoding"])
    "use csi.read_survey(file, encoding='big5')."
    >>> in_shell("say missing_codes={'q1': 6}; not in missing_codes.", ["missing_codes"])
    'say --missing-codes q1=6; not in --missing-codes.'
    """
    known = set(options)
    message = _PYTHON_ONLY.sub("", message)
    for name, (form, own) in _FORMS.items():
        if name in known:
            message = form.sub(own, message)

    def option(match: re.Match[str]) -> str:
        name = _IN_PYTHON.get(match[1], match[1])
        if name not in known:
            return match[0]
        follows = message_part[match.end() : match.end() + 1]
        space = " " if follows and follows not in " ,;.:)" else ""
        return f"--{name.replace('_', '-')}{space}"

    parts, end = list[str](), 0
    for call in [*_CALL.finditer(message), None]:
        message_part = message[end : len(message) if call is None else call.start()]
        parts.append(_bare(_ARGUMENT.sub(option, message_part), known))
        if call is not None:
            parts.append(call[0])
            end = call.end()
    return "".join(parts)


def _bare(message: str, known: Iterable[str]) -> str:
    """Name options whose names no sentence has by chance, those of several words, as the shell."""
    for name in known:
        if "_" in name:
            bare = rf"(?<![\w.'\"“=-]){name}(?![\w=('\"”]|\.\w)"
            message = re.sub(bare, f"--{name.replace('_', '-')}", message)
    return message


def formats_of(text: str) -> tuple[str, ...]:
    """Return the formats of a report.

    >>> formats_of("html, docx")
    ('html', 'docx')
    """
    from csimodel.report.documents import require_formats

    return require_formats([part.strip() for part in text.split(",") if part.strip()])


def estimator_of(name: str, scheme: str, consistent: bool) -> Estimator:
    """Return an estimator by its name.

    Raises
    ------
    OptionError
        For another name, and for options of PLS with an estimator that has none of them.

    Examples
    --------
    >>> estimator_of("plsc", "path", False)
    PLS(scheme='path', consistent=True)
    """
    import csimodel as csi

    choose("--estimator", name, ESTIMATORS)
    if name in ("pls", "plsc"):
        return csi.PLS(scheme=scheme, consistent=consistent or name == "plsc")  # type: ignore[arg-type]
    if scheme != "path" or consistent:
        raise OptionError(
            f"--scheme and --consistent are of PLS, and --estimator is {name}; leave them out."
        )
    own: dict[str, Estimator] = {
        "ml": csi.ML(), "uls": csi.LeastSquares("uls"), "gls": csi.LeastSquares("gls"),
        "dwls": csi.LeastSquares("dwls"), "wlsmv": csi.WLSMV(),
    }  # fmt: skip
    return own[name]


def model_of(name: str, items: Mapping[str, Item]) -> Model:
    """Return a published model with the codebook's items, or the model in a file."""
    from csimodel.model import Model
    from csimodel.model.catalogue import PUBLISHED
    from csimodel.report.analysis import named_model

    if name in PUBLISHED:
        return named_model(name, items)
    path = Path(name)
    try:
        there = path.is_file()
    except OSError:  # no name a file can have
        there = False
    if not there:
        raise OptionError(
            f"There is no model {shown(name)}{suggest(name, PUBLISHED)}; use ecsi, acsi, ccsi, "
            "another of csi.models, or the path of a text file with lines like 'Value =~ V1 + V2' "
            "and 'Satisfaction ~ Value'."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise OptionError(f"The model file {name!r} is not UTF-8 text; save it as UTF-8.") from None
    return Model.from_syntax(text)


def language_of(name: str) -> Language:
    """Return a language that results can be shown in.

    Raises
    ------
    OptionError
        For another one.
    """
    choose("--language", name, LANGUAGES)
    return next(own for own in LANGUAGES if own == name)


def economics_of(
    outcome: str | None,
    margin: float | None,
    currency: str | None,
    period: str | None,
    discount: float | None,
    customers: float,
) -> Economics | None:
    """Return the terms of trade, or None where none of them is given."""
    from csimodel.outcomes.money import Economics

    given = {
        "--margin": margin, "--currency": currency, "--period": period, "--discount": discount,
    }  # fmt: skip
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == len(given):
        return None
    if outcome is None:
        missing.append("--outcome")
    if margin is None or currency is None or period is None or discount is None or outcome is None:
        raise OptionError(
            f"Money needs {listed(missing)} too, for example --outcome AGAIN --margin 120 "
            "--currency EUR --period year --discount 0.1."
        )
    return Economics(
        margin=margin,
        currency=currency,
        period=period,
        discount_rate=discount,
        customers=customers,
    )


def by_of(by: Sequence[str] | None, columns: Iterable[object]) -> list[str | list[str]] | None:
    """Return the columns that make groups, each by itself; with commas they are crossed.

    Parameters
    ----------
    by
        As they were given.
    columns
        Of the data: a name that has a comma is one column.

    Raises
    ------
    OptionError
        For an empty name.

    Examples
    --------
    >>> by_of(["brand", "brand, age"], ["brand", "age"])
    ['brand', ['brand', 'age']]
    """
    known, groupings = set(columns), list[str | list[str]]()
    for text in by or ():
        names = [text] if text in known else [name.strip() for name in text.split(",")]
        if not all(names):
            raise OptionError(
                f"--by {text} has an empty name; give a column, or several that are crossed, as in "
                "--by brand,age."
            )
        groupings.append(names if len(names) > 1 else names[0])
    return groupings or None


def levels_of(levels: str, period: str | None) -> list[str]:
    """Return the columns of levels, the highest first.

    Raises
    ------
    OptionError
        Without a column of periods, or for an empty name.
    """
    names = [name.strip() for name in levels.split(",")]
    if not all(names):
        raise OptionError(
            f"--levels {levels} has an empty name; give columns, the highest level first, as in "
            "--levels sector,industry,firm."
        )
    if period is None:
        raise OptionError("--levels needs --period, the column of periods, as in --period quarter.")
    return names


def level_weights_of(path: Path, levels: str | None) -> pd.DataFrame:
    """Return the table of weights of levels.

    Raises
    ------
    OptionError
        Without levels.
    """
    from csimodel.survey import read_survey

    if levels is None:
        raise OptionError("--level-weights needs --levels and --period.")
    return read_survey(path).data


def margins_of(path: Path) -> Mapping[object, object]:
    """Return the margins of a TOML file: a table for each column, a size for each category.

    A name such as ``"sex,age"`` is a margin of two columns, with categories such as ``"f,18-34"``.

    Raises
    ------
    OptionError
        When the file is not there, or is no TOML of that form.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise OptionError(f"--calibrate: there is no file {shown(str(path))}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OptionError(f"--calibrate: {shown(str(path))} is no TOML file ({error}).") from None
    margins: dict[object, object] = {}
    for name, sizes in table.items():
        columns = tuple(part.strip() for part in name.split(","))
        if len(columns) == 1 or not isinstance(sizes, dict):
            margins[name] = sizes
            continue
        margins[columns] = {
            tuple(part.strip() for part in category.split(",")): size
            for category, size in sizes.items()
        }
    if not margins:
        raise OptionError(
            f"--calibrate: {shown(str(path))} holds no margin; write a table for each column, such "
            "as [region] with north = 400."
        )
    return margins


def replicate_method_of(
    method: str | None, fay: float | None, scale: float | None, factors: str | None, mse: bool
) -> ReplicateMethod | None:
    """Return how replicate weights were made, or None where nothing is said of it.

    Raises
    ------
    OptionError
        When something is said without the method, or the factors of a method are missing.

    Examples
    --------
    >>> replicate_method_of("fay", 0.3, None, None, False).fay
    0.3
    """
    from csimodel.survey.replicates import ReplicateMethod, require_scheme

    if method is None:
        given = {
            "--fay": fay, "--replicate-scale": scale, "--replicate-factors": factors,
            "--replicate-mse": mse or None,
        }  # fmt: skip
        for name, value in given.items():
            if value is not None:
                raise OptionError(
                    f"{name} is of replicate weights; say how they were made with "
                    "--replicate-method jk1, jkn, brr, fay or bootstrap."
                )
        return None
    if method == "jkn" and factors is None:
        raise OptionError(
            "--replicate-method jkn needs the factor (m - 1)/m of each replicate's stratum of m "
            "units; give one for each column, as in --replicate-factors 0.5,0.5,0.75."
        )
    rscales = None if factors is None else _numbers("--replicate-factors", factors)
    return ReplicateMethod(require_scheme(method), 0.0 if fay is None else fay, scale, rscales, mse)


def response_of(text: str | None) -> ResponseRates | None:
    """Return the response rates of final dispositions, as ``complete=250,refusal=120``.

    Raises
    ------
    OptionError
        When a disposition is not known, or its number is none.

    Examples
    --------
    >>> float(response_of("complete=50,refusal=50").table["rate"]["RR1"])
    0.5
    """
    from csimodel.weighting import response_rates

    if text is None:
        return None
    counts: dict[str, int] = {}
    for part in text.split(","):
        name, _, count = (piece.strip() for piece in part.partition("="))
        if name not in _DISPOSITIONS:
            raise OptionError(
                f"--dispositions has {shown(name)}{suggest(name, _DISPOSITIONS)}; use "
                f"{listed(_DISPOSITIONS, 10)}, each with a number, as in complete=250,refusal=120."
            )
        if not count.isdecimal():
            raise OptionError(
                f"--dispositions has {shown(count)} for {name}; give a whole number from 0."
            )
        counts[name] = int(count[:18])
    return response_rates(**{"complete": 0, **counts})


def pair_of(option: str, text: str) -> tuple[float, float]:
    """Return the lowest and the highest answer of ``1,10``."""
    numbers = _numbers(option, text)
    if len(numbers) != 2:
        raise OptionError(
            f"{option} {text} has {len(numbers)} numbers; give the lowest and the highest answer, "
            f"as in {option} 1,10."
        )
    return numbers[0], numbers[1]


def decimal_of(text: str | None) -> Decimal | None:
    """Return the decimal sign, or None where none is given."""
    if text is None:
        return None
    if text not in (".", ","):
        raise OptionError(f"--decimal {text} is not known; use . or , as the decimal sign.")
    return "." if text == "." else ","


def sizes_of(entries: list[str] | None) -> dict[str, float] | None:
    """Return sizes by stratum of ``north=5000``, or None.

    >>> sizes_of(["north=5000"])
    {'north': 5000.0}
    """
    sizes = {}
    for entry in entries or []:
        name, equals, number = entry.rpartition("=")
        if not equals or not name:
            raise OptionError(f"--strata {entry} is no stratum with its size, as north=5000.")
        sizes[name] = _numbers("--strata", number)[0]
    return sizes or None


def times_of(entries: list[str] | None) -> dict[str, str]:
    """Return when steps are, in words, of ``fieldwork=March``.

    >>> times_of(["fieldwork=March 2027"])
    {'fieldwork': 'March 2027'}
    """
    times = {}
    for entry in entries or []:
        name, equals, time = (part.strip() for part in entry.partition("="))
        if not equals or not name or not time:
            raise OptionError(f"--when {entry} is no step with its time, as fieldwork=March.")
        times[name] = time
    return times


def require_no_document(options: Mapping[str, object]) -> None:
    """Refuse options of a survey plan where no codebook says what is asked."""
    for name, value in options.items():
        if value:
            raise OptionError(
                f"{name} is of a survey plan, which needs the questions; give --codebook, a TOML "
                "file or a model such as ecsi."
            )


def codebook_of(path: Path, language: Language) -> Codebook:
    """Return the codebook in a file, or the template of a published model."""
    from csimodel.model.catalogue import PUBLISHED, template
    from csimodel.survey import read_codebook

    published = PUBLISHED.get(str(path))
    if published is None:
        return read_codebook(path)
    return template(published(), language)


def codes_of(entries: list[str], items: list[str]) -> dict[str, tuple[str, ...]]:
    """Return missing codes by column: those of all items, and those of columns named.

    >>> codes_of(["0,Blank", "q2=99"], ["q1", "q2"])
    {'q1': ('0', 'Blank'), 'q2': ('99',)}
    """
    codes: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        column, equals, values = entry.rpartition("=")
        names = [column] if equals else items
        codes |= dict.fromkeys(names, tuple(value.strip() for value in values.split(",")))
    return codes


def codes_by_column(entries: list[str]) -> list[tuple[str, ...] | dict[str, tuple[str, ...]]]:
    """Return missing codes where no item is named: those of any column, then those of columns.

    >>> codes_by_column(["98,Blank", "q2=99"])
    [('98', 'Blank'), {'q2': ('99',)}]
    """
    every = [entry for entry in entries if "=" not in entry]
    codes: list[tuple[str, ...] | dict[str, tuple[str, ...]]] = []
    if every:
        codes.append(tuple(value.strip() for entry in every for value in entry.split(",")))
    named = codes_of([entry for entry in entries if "=" in entry], [])
    return [*codes, named] if named else codes


def _numbers(option: str, text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise OptionError(
            f"{option} {text} is not a list of numbers; separate them by commas, as in "
            f"{option} 1,10."
        ) from None
