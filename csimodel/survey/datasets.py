"""Real surveys: the mobile phone ECSI data in the package, and the public ACSI 2015 file."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from csimodel.arguments import checked
from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.survey.codebook import Codebook, read_codebook
from csimodel.survey.item import Item
from csimodel.survey.missing import Missing, require_policy
from csimodel.survey.read import read_survey
from csimodel.survey.survey import Survey
from csimodel.survey.workbook_parts import DAMAGE, parts_of

MOBI_DESIGN = "mobi.csv + mobi_design.csv"
ACSI_FILE = "ACSI Data 2015 ver2.xlsx"
ACSI_DOI = "10.17632/64xkbj2ry5"
ACSI_SHA256 = "53cc5ad2cf7ce8c4b1ed214e21508b7ba5059867aaedd1d9cc28ba8fc3c9bf3f"
_PRIVATE = ("ZIPCODE", "HISPANIC", "RACE_1", "RACE_2", "RACE_3", "RACE_4", "RACE_5")
_TOLERANCE = ("HIGHPTOL", "LOWPTOL")
_SATISFACTION = ("SATIS", "CONFIRM", "IDEAL")


@checked
def load_mobi(*, design: bool = False) -> Survey:
    """Load the ECSI mobile phone survey: 250 customers, 24 items on scales from 1 to 10.

    The data are complete. The items and their constructs are in ``survey.items``; source,
    licence remark and sha256 are in ``data/README.md``.

    Parameters
    ----------
    design
        Whether to add a simulated sampling design, to try weighted and clustered surveys on: 29
        clusters (``psu``) of 176 in 8 strata (``stratum``, ``psus_in_stratum``), ``weight``; 12
        strata of two clusters (``stratum_of_pairs``, ``psu_of_pairs``) for balanced half-samples;
        ``sex``, ``age`` and ``region``. The answers remain the real ones.

    References
    ----------
    Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005), PLS path modeling, Computational
    Statistics & Data Analysis 48:159–205, doi 10.1016/j.csda.2004.03.005.

    Examples
    --------
    >>> survey = load_mobi()
    >>> survey.data.shape
    (250, 24)
    >>> survey.blocks["Satisfaction"]
    ('CUSA1', 'CUSA2', 'CUSA3')
    >>> drawn = load_mobi(design=True)
    >>> drawn.strata, drawn.cluster, drawn.weights
    ('stratum', 'psu', 'weight')
    """
    folder = _data_folder()
    survey = read_survey(folder / "mobi.csv", codebook=folder / "mobi.toml")
    if not design:
        return survey
    columns = read_survey(folder / "mobi_design.csv").data
    template = (
        "The sampling design ({columns}) is simulated; the answers of the customers are real."
    )
    names = tuple(map(str, columns))
    finding = Finding("simulated-design", template, names, "note", None, {"columns": names})
    joined = replace(
        survey,
        data=pd.concat([survey.data, columns], axis=1),
        source=MOBI_DESIGN,
        findings=(*survey.findings, finding),
    )
    return read_survey(
        joined, weights="weight", strata="stratum", cluster="psu", population="psus_in_stratum"
    )


def _data_folder() -> Path:
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data", package.parent / "data"):
        if (folder / "mobi.csv").is_file():
            return folder
    raise SurveyError(
        "The data files of the package are not installed; "
        "install csimodel again from its wheel or checkout."
    )


@checked
def load_acsi2015(path: str | PathLike[str] | None = None, *, missing: Missing = "error") -> Survey:
    r"""Load the public ACSI 2015 survey: 8,239 customers of four industries in the United States.

    The file is not part of the package. Download ``ACSI Data 2015 ver2.xlsx`` (version 2) from
    https://doi.org/10.17632/64xkbj2ry5 and name it or its folder in `path`, or put it into
    the folder named by the environment variable ``CSIMODEL_DATA`` or into the cache folder of
    the package (``~/.cache/csimodel``, or ``$XDG_CACHE_HOME/csimodel``; on macOS
    ``~/Library/Caches/csimodel``, on Windows ``%LOCALAPPDATA%\csimodel``). Reading it needs
    the extra ``csimodel[excel]``.

    Parameters
    ----------
    path
        The file, or the folder it is in.
    missing
        What to do with missing answers, as in `read_survey`.

    Returns
    -------
    Survey
        With these columns changed, each counted in ``survey.findings``:

        - 98 (don't know) and 99 (refused) are NaN, in every column.
        - ``HIGHPTOL`` and ``LOWPTOL`` (price rise tolerated, price cut needed) keep their codes:
          0–25 are per cent, 26 means more than 25 %, and 101 is not documented by the source.
          As items they have the scale 0–25, so a model that uses them with these codes is
          refused. ``HIGHPTOL_PCT`` and ``LOWPTOL_PCT`` hold the per cent only: NaN for 26, for
          101 and for those not asked. HIGHPTOL was asked where REPUR is 6 or more, LOWPTOL
          where it is 5 or less.
        - ``TOLERANCE`` is both in one: the rise tolerated, or with a minus the cut needed, from -26
          to 26. ±26 is censored, more than 25 %; 101 is missing. A model takes it as any item, for
          example ``csi.models.acsi({"Loyalty": ["REPUR", "TOLERANCE"]})``.
        - ``HANDLE`` was asked of those who complained (COMP = 1) only.
        - ``INDUSTRY_NAME`` spells out ``INDUSTRY``.
        - 170 food customers answered the three satisfaction items only.
        - ZIP code, race and Hispanic origin are left out.

        Items are on scales 1–10, all with 10 as the favourable end; COMP is 0/1. There are no
        weights and no firm identifier.

    Raises
    ------
    SurveyError
        When the file is not found (the message says where to get it and where to put it), or
        when it lacks a column.

    References
    ----------
    Morgeson et al. (2023), Data in Brief 48:109123, doi 10.1016/j.dib.2023.109123; Mendeley
    Data, doi 10.17632/64xkbj2ry5, version 2.

    Examples
    --------
    >>> load_acsi2015("no/such/folder")
    Traceback (most recent call last):
    ...
    csimodel.errors.SurveyError: There is no 'ACSI Data 2015 ver2.xlsx' in 'no/such/folder'; ...
    """
    policy = require_policy(missing)
    file = _acsi_file(path)
    book = read_codebook(_data_folder() / "acsi2015.toml")
    raw = read_survey(file, sheet=_first_sheet(file))
    public = raw.data.drop(columns=[name for name in _PRIVATE if name in raw.data.columns])
    survey = read_survey(replace(raw, data=public), codebook=book)
    survey = _with_tolerance(_with_industry(survey, book))
    findings = (*_file_findings(file), *survey.findings, *_population_findings(survey.data))
    return replace(survey, findings=findings, missing=policy)


def _acsi_file(path: str | PathLike[str] | None) -> Path:
    advice = (
        f"download it from https://doi.org/{ACSI_DOI} (version 2) and pass its path, or put it "
        f"into {str(_cache_folder())!r} or the folder named by CSIMODEL_DATA."
    )
    if path is not None:
        given = Path(path).expanduser()
        if given.is_file():
            return given
        if given.suffix and not given.is_dir():
            raise SurveyError(f"There is no file {str(path)!r}; {advice}")
        if (given / ACSI_FILE).is_file():
            return given / ACSI_FILE
        raise SurveyError(f"There is no {ACSI_FILE!r} in {str(path)!r}; {advice}")
    for folder in _search_folders():
        if (folder / ACSI_FILE).is_file():
            return folder / ACSI_FILE
    raise SurveyError(f"The public ACSI 2015 file {ACSI_FILE!r} is not on this computer; {advice}")


def _search_folders() -> Iterator[Path]:
    if named := os.environ.get("CSIMODEL_DATA"):
        yield Path(named).expanduser()
    yield _cache_folder()


def _cache_folder() -> Path:
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named).expanduser() / "csimodel"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "csimodel"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "csimodel"
    return Path.home() / ".cache" / "csimodel"


def _first_sheet(file: Path) -> str | None:
    """Return the name of a workbook's first sheet, which holds the answers, or None."""
    if file.suffix.casefold() != ".xlsx":
        return None
    try:
        return next((sheet.name for sheet in parts_of(file).sheets), None)
    except DAMAGE:
        return None  # the reader says so


def _file_findings(file: Path) -> Iterator[Finding]:
    if file.name != ACSI_FILE:
        return
    seen = hashlib.sha256(file.read_bytes()).hexdigest()
    if seen != ACSI_SHA256:
        template = (
            "The file {file!r} is not the one this package was tested with: its sha256 is {seen}… "
            "and not {expected}…."
        )
        values = {"file": file.name, "seen": seen[:12], "expected": ACSI_SHA256[:12]}
        yield Finding("other-file", template, (file.name,), "warning", values=values)


def _with_industry(survey: Survey, book: Codebook) -> Survey:
    names = book.value_labels["INDUSTRY"]
    data = survey.data
    position = data.columns.get_loc("INDUSTRY")
    if not isinstance(position, int):
        raise SurveyError("The file has more than one column named 'INDUSTRY'.")
    data = data.copy(deep=False)
    data.insert(position + 1, "INDUSTRY_NAME", data["INDUSTRY"].map(names))
    return replace(survey, data=data)


def _with_tolerance(survey: Survey) -> Survey:
    """Set the codes 26 and 101 aside from the per cents, and count them."""
    data, items, findings = survey.data, dict(survey.items), list(survey.findings)
    for name in _TOLERANCE:
        codes = data[name].to_numpy(dtype=np.float64)
        percent = f"{name}_PCT"
        data = data.assign(**{percent: np.where(codes <= 25, codes, np.nan)})
        wording = survey.column_labels.get(name)
        items[name] = Item(name, None, wording, 0, 25, (98.0, 99.0))
        items[percent] = Item(percent, None, wording, 0, 25)
        over, unknown = int((codes == 26).sum()), int((codes == 101).sum())
        template = (
            "{column} keeps {over} answers of more than 25 % (code 26) and {unknown} of the "
            "undocumented code 101; both are missing in {percent}."
        )
        values = {"column": name, "over": over, "unknown": unknown, "percent": percent}
        subjects = (name, percent)
        findings.append(
            Finding("tolerance-codes", template, subjects, "warning", over + unknown, values)
        )
    return replace(survey, data=data, items=items, findings=tuple(findings))


def _population_findings(data: pd.DataFrame) -> Iterator[Finding]:
    """Count who was asked what, so that an empty cell is not taken for a refusal."""
    rest = ["OVERALLX", "OVERALLQ", "PQ", "COMP", "REPUR"]
    short = data[rest].isna().all(axis=1)
    if count := int(short.sum()):
        template = "{count} customers answered the three satisfaction items only."
        yield Finding("short-interview", template, _SATISFACTION, "note", count, {"count": count})
    complained = data["COMP"] == 1
    asked = int(complained.sum())
    template = "HANDLE was asked of the {count} customers who complained (COMP = 1) only."
    yield Finding("asked-of-some", template, ("HANDLE", "COMP"), "note", asked, {"count": asked})
    if count := int((data["HANDLE"].notna() & ~complained).sum()):
        template = "{count} customers have an answer in HANDLE without a complaint (COMP = 1)."
        values = {"count": count}
        yield Finding("handle-without-complaint", template, ("HANDLE",), "warning", count, values)
