"""Answer codes whose label says that there is no answer, though nobody declared them missing."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from csimodel.errors import SurveyError
from csimodel.findings import listed
from csimodel.survey.checks import number, plural
from csimodel.survey.codes import declaration

_NO_ANSWER = re.compile(
    r"^blank$|空白|缺失|"
    r"do(?:n.?t| not) (?:know|remember)|can.?t (?:say|choose)|cannot (?:say|choose)|no (?:answer|"
    r"opinion|response|reply)|not (?:answered|applicable|asked|stated|sure)|refus|declined|"
    r"prefer not|^missing|^unknown$|^dk\b|^n/?a$|dk/na|"
    r"wei(?:ß|ss) (?:ich )?nicht|keine (?:angabe|antwort|meinung)|verweiger|trifft nicht zu|"
    r"ne sa(?:it|is) pas|sans (?:réponse|opinion)|^nsp\b|non concerné|"
    r"no (?:sabe|contesta)|ns/nc|não (?:sabe|respond)|non (?:so|sa|risponde)|weet niet|"
    r"затрудняюсь|не знаю|отказ|"
    r"不知道|不清楚|不确定|拒答|拒绝回答|未回答|无回答|未作答|说不清|不适用|不便回答|"
    r"不確定|拒絕回答|無回答|說不清|不適用|わからない|分からない|모름|모르|무응답"
)


def means_no_answer(text: str) -> bool:
    """Return whether a wording says that there is no answer.

    >>> means_no_answer("Don't know"), means_no_answer("DK"), means_no_answer("good")
    (True, True, False)
    """
    return _NO_ANSWER.search(str(text).strip().casefold()) is not None


def codes_of_no_answer(labels: Mapping[float | str, str]) -> dict[float, str]:
    """Return the codes whose label means that there is no answer.

    >>> codes_of_no_answer({1.0: "very poor", 98.0: "Don't know", 99.0: "Refused"})
    {98.0: "Don't know", 99.0: 'Refused'}
    """
    return {
        float(code): text
        for code, text in labels.items()
        if isinstance(code, int | float) and means_no_answer(text)
    }


def require_no_labelled_codes(
    values: np.ndarray, name: str, labels: Mapping[float | str, str]
) -> None:
    """Refuse answers, (rows,), among which are codes labelled as no answer.

    Raises
    ------
    SurveyError
        Naming the codes, their labels, and how to declare them or keep them.

    Examples
    --------
    >>> require_no_labelled_codes(np.array([1.0, 6.0]), "q", {6: "no opinion"})
    Traceback (most recent call last):
    ...
    csimodel.errors.SurveyError: Column 'q' holds 6 ('no opinion') in 1 cell, which its label says
    is no answer; declare it with csi.read_survey(…, missing_codes={'q': (6,)}), or, if it is an
    answer, give the scale that holds it, as in scale={'q': (lowest, highest)}.
    """
    known = codes_of_no_answer(labels)
    seen = [code for code in known if (values == code).any()]
    if not seen:
        return
    cells = int(np.isin(values, seen).sum())
    shown = listed(f"{number(code)} ({known[code]!r})" for code in seen)
    several = len(seen) > 1
    raise SurveyError(
        f"Column {name!r} holds {shown} in {cells} {plural(cells, 'cell')}, which "
        f"{'their labels say are' if several else 'its label says is'} no answer; declare "
        f"{'them' if several else 'it'} with {declaration(name, seen)}, or, if "
        f"{'they are answers' if several else 'it is an answer'}, give the scale that holds "
        f"{'them' if several else 'it'}, as in scale={{{name!r}: (lowest, highest)}}."
    )
