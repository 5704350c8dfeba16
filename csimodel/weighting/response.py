"""Who was asked and who answered: response rates, and weights that allow for those who did not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import Finding, listed, text
from csimodel.floats import own_errstate
from csimodel.options import require_count, require_names, require_number
from csimodel.page import HasPage, Page, sections
from csimodel.survey import Survey
from csimodel.survey.checks import numeric_block, plural
from csimodel.survey.headers import ColumnName, require_column
from csimodel.survey.table import with_column
from csimodel.translation import message
from csimodel.weighting.calibration import base_weights, new_column

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class ResponseRates(HasPage):
    """Response, cooperation, refusal and contact rates.

    Attributes
    ----------
    table
        A row for each rate, by its name in the Standard Definitions: ``rate`` and ``counts``, the
        fraction in words.
    eligible
        Share of the cases of unknown eligibility taken as eligible, e.
    """

    table: pd.DataFrame
    eligible: float

    @property
    def page(self) -> Page:
        """The rates on a page."""
        rate = float(self.table["rate"]["RR3"])
        return Page(
            text("Response rates"),
            text("{rate:.1%} of those who could have answered did so wholly (RR3).", rate=rate),
            facts=(
                text(
                    "e, the share of unknown cases taken as eligible: {eligible:.3f}",
                    eligible=self.eligible,
                ),
            ),
            sections=sections({text("Rates"): self.table}),
            clean="",
        )


@own_errstate
@checked
def response_rates(
    *,
    complete: int,
    partial: int = 0,
    refusal: int = 0,
    non_contact: int = 0,
    other: int = 0,
    unknown: int = 0,
    unknown_other: int = 0,
    ineligible: int | None = None,
    e: float | None = None,
) -> ResponseRates:
    """Compute response rates by the Standard Definitions, from the final dispositions of all cases.

    Parameters
    ----------
    complete, partial
        Interviews, I and P.
    refusal, non_contact, other
        Eligible cases without an interview: R (refusals and break-offs), NC and O.
    unknown, unknown_other
        Cases of unknown eligibility: UH (whether there is a customer at all) and UO.
    ineligible
        Cases known not to be eligible, from which e is estimated as the share of the eligible among
        the cases of known eligibility.
    e
        Share of the unknown cases taken as eligible, 0 to 1, in place of the estimate; 1 where
        neither is given, which is the lowest rate.

    Returns
    -------
    ResponseRates
        RR1–RR6, COOP1–COOP4, REF1–REF3, CON1–CON3.

    Raises
    ------
    OptionError
        When a count is none, e lies outside 0 to 1 or is given with `ineligible`, or there is no
        eligible case.

    References
    ----------
    American Association for Public Opinion Research (2023). Standard Definitions: Final
    Dispositions of Case Codes and Outcome Rates for Surveys, 10th edition.

    Examples
    --------
    >>> rates = response_rates(complete=50, refusal=30, non_contact=20, unknown=100, ineligible=100)
    >>> rates.table["rate"].round(3)[["RR1", "RR3", "RR5", "COOP3", "REF1", "CON1"]].tolist()
    [0.25, 0.333, 0.5, 0.625, 0.15, 0.4]
    """
    counts: dict[str, object] = {
        "complete": complete, "partial": partial, "refusal": refusal, "non_contact": non_contact,
        "other": other, "unknown": unknown, "unknown_other": unknown_other,
    }  # fmt: skip
    i, p, r, nc, o, uh, uo = (
        float(require_count(name, count, least=0)) for name, count in counts.items()
    )
    known = i + p + r + nc + o
    if known == 0:
        raise OptionError(
            "There is no eligible case: give the number of complete and partial interviews, "
            "refusals, non-contacts and others."
        )
    share = _eligible(known, ineligible, e)
    unknown_all = uh + uo
    fractions = {
        "RR1": (i, known + unknown_all),
        "RR2": (i + p, known + unknown_all),
        "RR3": (i, known + share * unknown_all),
        "RR4": (i + p, known + share * unknown_all),
        "RR5": (i, known),
        "RR6": (i + p, known),
        "COOP1": (i, i + p + r + o),
        "COOP2": (i + p, i + p + r + o),
        "COOP3": (i, i + p + r),
        "COOP4": (i + p, i + p + r),
        "REF1": (r, known + unknown_all),
        "REF2": (r, known + share * unknown_all),
        "REF3": (r, known),
        "CON1": (i + p + r + o, known + unknown_all),
        "CON2": (i + p + r + o, known + share * unknown_all),
        "CON3": (i + p + r + o, known),
    }
    names = pd.Index(list(fractions), name="name")
    counted = [
        message("{part} of {whole}", part=f"{a:,.0f}", whole=_cases(b))
        for a, b in fractions.values()
    ]
    table = pd.DataFrame(
        {
            "rate": [a / b if b else np.nan for a, b in fractions.values()],
            "counts": pd.Series(counted, names, dtype=object),
        },
        index=names,
    )
    return ResponseRates(table, share)


def _cases(count: float) -> str:
    """Write a number of cases, of which some count in part.

    >>> _cases(782.0), _cases(755.2142857)
    ('782', '755.2')
    """
    return f"{count:,.0f}" if count == round(count) else f"{count:,.1f}"


def _eligible(known: float, ineligible: int | None, e: float | None) -> float:
    """Return the share of unknown cases taken as eligible."""
    if e is not None and ineligible is not None:
        raise OptionError("Give ineligible= (from which e is estimated) or e=, not both.")
    if e is not None:
        return require_number("e", e, least=0.0, most=1.0)
    if ineligible is None:
        return 1.0
    return known / (known + require_count("ineligible", ineligible, least=0))


@own_errstate
@checked
def adjust_for_nonresponse(
    survey: Survey,
    responded: ColumnName,
    classes: str | list[str],
    *,
    into: str | None = None,
) -> Survey:
    """Let those who answered stand for those of their class who were asked and did not.

    Within each class the weights of those who answered are multiplied by the sum of the weights of
    all over theirs; who did not answer gets the weight 0, and so is left out from then on.

    Parameters
    ----------
    survey
        All who were asked, with what is known of them.
    responded
        Column that is 1 (or true) for those who answered and 0 for the others.
    classes
        Columns whose combinations are the classes, within which answering is taken as by chance.
    into
        Name of the new column of weights; the old name and ``_response`` by default.

    Returns
    -------
    Survey

    Raises
    ------
    SurveyError
        When `responded` holds something else, a class is missing, or nobody of a class answered.

    References
    ----------
    Oh, H. L., Scheuren, F. J. (1983). Weighting adjustment for unit nonresponse. In: Incomplete
    Data in Sample Surveys, volume 2. Academic Press.

    Examples
    --------
    >>> from csimodel.survey import read_survey
    >>> frame = pd.DataFrame(
    ...     {"q": [3, None, 9, 8], "answered": [1, 0, 1, 1], "region": ["n", "n", "s", "s"]}
    ... )
    >>> survey = read_survey(frame, scale=(1, 10), items=["q"])
    >>> adjust_for_nonresponse(survey, "answered", "region").data["weight_response"].tolist()
    [2.0, 0.0, 1.0, 1.0]
    """
    column = require_column(survey.data, responded, "responded")
    names = [require_column(survey.data, n, "classes") for n in require_names("classes", classes)]
    base, used = base_weights(survey)
    answered = _answered(survey.data, column, used)
    cells = survey.data[names]
    lost = int((cells.isna().any(axis=1).to_numpy() & used).sum())
    if lost:
        raise SurveyError(
            f"{listed(names)} {'are' if len(names) > 1 else 'is'} missing for {lost} "
            f"{plural(lost, 'row')}; a class needs them of all who were asked."
        )
    codes = cells.groupby(names, sort=True, observed=True).ngroup().to_numpy()
    groups = int(codes.max()) + 1
    asked = np.bincount(codes, base, groups)
    answers = np.bincount(codes, base * answered, groups)
    number = np.bincount(codes[used & answered], minlength=groups)
    silent = np.flatnonzero((asked > 0) & (answers == 0))
    if len(silent):
        label = ", ".join(
            str(cells[name].iloc[int(np.argmax(codes == silent[0]))]) for name in names
        )
        raise SurveyError(
            f"Nobody answered in {len(silent)} {plural(len(silent), 'class')} of "
            f"{listed(names)} (first: {label}); join classes."
        )
    factor = asked / np.where(answers > 0, answers, 1.0)
    name = new_column(survey, "response", into)
    weights = np.where(answered & used, base * factor[codes], 0.0)
    data = with_column(survey.data, name, weights)
    values: dict[str, object] = {
        "asked": int(used.sum()),
        "answered": int((used & answered).sum()),
        "share": float((base * answered).sum() / base.sum()),
        "classes": groups,
        "columns": tuple(names),
        "lowest": float(factor[asked > 0].min()),
        "highest": float(factor.max()),
        "name": name,
    }
    findings = [Finding("nonresponse", _RESPONSE, tuple(names), "note", None, values)]
    least = int(THRESHOLDS["few respondents of a class"].value)
    few = int(((number < least) & (asked > 0)).sum())
    if few:
        values = {"few": few, "classes": groups, "least": least, "columns": tuple(names)}
        findings.append(Finding("few-in-class", _FEW, tuple(names), "warning", few, values))
    return replace(
        survey,
        data=data,
        weights=name,
        calibration=None,
        findings=(*survey.findings, *findings),
    )


def _answered(frame: pd.DataFrame, column: str, used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    values = numeric_block(frame, [column])[0][:, 0]
    wrong = used & ~np.isin(values, (0.0, 1.0))
    if wrong.any():
        raise SurveyError(
            f"Column {column!r}, given as responded, holds {values[wrong][0]:g} in row "
            f"{int(np.flatnonzero(wrong)[0]) + 1}; it must be 1 for those who answered and 0 for "
            "the others."
        )
    if not (used & (values == 1.0)).any():
        raise SurveyError(f"Nobody answered by {column!r}; it must be 1 for those who did.")
    return np.asarray(values == 1.0)


_RESPONSE = (
    "{answered:,} of {asked:,} who were asked answered ({share:.1%} by weight); in {classes} "
    "classes of {columns} the weights {name!r} of those who did were multiplied by {lowest:.2f} to "
    "{highest:.2f}, which is right where answering is by chance within a class."
)
_FEW = (
    "{few} of {classes} classes of {columns} {few:holds|hold} fewer than {least} respondents, so "
    "{few:its factor is|their factors are} rough; join similar classes."
)
