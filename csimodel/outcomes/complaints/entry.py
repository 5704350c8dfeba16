"""Complaints: who speaks, how well it was handled, and who buys again."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.options import require_level, require_number
from csimodel.outcomes.complaints.result import Complaints
from csimodel.outcomes.kernels.group_means import group_means
from csimodel.outcomes.rows.arguments import Column
from csimodel.outcomes.rows.columns import Ends, require_ends
from csimodel.outcomes.rows.rows import Rows
from csimodel.outcomes.rows.ties import settled
from csimodel.survey import Survey
from csimodel.translation import message

Floats = NDArray[np.float64]

_HIGH, _MIDDLE = 7.0 / 9.0, 0.5  # of a scale: 8 on 1 to 10, and its middle
_FEW = int(THRESHOLDS["few rows"].value)


@own_errstate
@checked
def complaint_repurchase(
    data: Survey | pd.DataFrame,
    *,
    complained: Column,
    handling: Column,
    repurchase: Column,
    satisfied: Column | None = None,
    told: Column | None = None,
    well_from: float | None = None,
    satisfied_from: float | None = None,
    dissatisfied_to: float | None = None,
    scale: Ends | None = None,
    weights: Column | None = None,
    cluster: Column | None = None,
    level: float = 0.95,
) -> Complaints:
    """Compare repurchase of those who did not complain with that of those who did.

    Parameters
    ----------
    data
        A survey or a data frame.
    complained
        Column (or values) of 0 and 1.
    handling
        How well the complaint was handled, high is good; only complainers' answers count.
    repurchase
        How likely the customer is to buy again, or 0 and 1.
    satisfied
        Satisfaction: an item, an index, or 0 and 1. Without it there is no silent share, and the
        recovery paradox has nobody to compare with.
    told
        How many persons a customer told of a bad experience; with `satisfied` only.
    well_from
        The lowest answer that means handled well; by default seven ninths up the scale, which is
        8 on 1 to 10.
    satisfied_from, dissatisfied_to
        The lowest answer that means satisfied (default as above), and the highest that means
        dissatisfied (default the middle of the scale: 5 on 1 to 10; 0 of 0 and 1).
    scale
        Lowest and highest answer of `repurchase`, where the survey does not know them.
    weights, cluster
        Columns (or values); the survey's own by default, with its strata and population.
    level
        Coverage.

    Returns
    -------
    Complaints
        ``table`` (repurchase by group), ``paradox`` (one-sided tests), ``rates`` (shares with
        Wilson limits), ``gain``, ``retention(group)`` for `money`, ``against(published, row)``.
        The headline's recovery paradox is that of the well handled against the satisfied who did
        not complain: whether a failure put right is better than none (McCollough, Berry and
        Yadav). All who did not complain hold the silently dissatisfied, too.

    Raises
    ------
    SurveyError
        When a column is not there or holds what it must not, nobody complained or nobody did
        not, or nobody's complaint was handled well, or badly.
    OptionError
        When a bound is needed because the scale is unknown.

    References
    ----------
    McCollough, M. A., Berry, L. L., Yadav, M. S. (2000). An empirical investigation of customer
    satisfaction after service failure and recovery. Journal of Service Research 3, 121-137.
    https://doi.org/10.1177/109467050032002

    de Matos, C. A., Henrique, J. L., Vargas Rossi, C. A. (2007). Service recovery paradox: a
    meta-analysis. Journal of Service Research 10, 60-77. https://doi.org/10.1177/1094670507303012

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "spoke": [0] * 6 + [1] * 6,
    ...     "handled": [None] * 6 + [2, 3, 4, 8, 9, 10],
    ...     "again": [8, 9, 7, 10, 8, 6, 3, 2, 4, 8, 9, 9],
    ... })
    >>> found = complaint_repurchase(
    ...     frame, complained="spoke", handling="handled", repurchase="again",
    ...     well_from=8, scale=(1, 10),
    ... )
    >>> found.table["mean"][["no complaint", "handled badly", "handled well"]].round(2).tolist()
    [8.0, 3.0, 8.67]
    """
    require_level(level)
    if told is not None and satisfied is None:
        raise OptionError("told= is about the dissatisfied; give satisfied=, who they are, too.")
    rows = Rows.of(data, "complaint_repurchase", weights=weights, cluster=cluster)
    rows.require_clusters()
    _, spoke = rows.binary(complained, "complained")
    how_name, how = rows.numbers(handling, "Handling")
    label, y = rows.numbers(repurchase, "Repurchase")
    ends = rows.bounds(repurchase, label, y) if scale is None else require_ends(scale)
    low, high = _ends(label, y, ends)
    well = _bound("well_from", well_from, how_name, rows.bounds(handling, how_name, how), _HIGH)
    how = settled(how, (well,))
    whole = rows.usable & np.isfinite(spoke)
    used = whole & np.isfinite(y)
    spoken, kept_quiet = used & (spoke == 1), used & (spoke == 0)
    rated = spoken & np.isfinite(how)
    masks = {"no complaint": kept_quiet, "complained": spoken}
    findings = [
        *rows.design_findings,
        *_left_out(rows, whole, used, label),
        *_handling(rows, spoken, rated, spoke, how),
    ]
    mood: tuple[Floats, float, float] | None = None
    glad = ""
    if satisfied is not None:
        name, happy = rows.numbers(satisfied, "Satisfaction")
        known = rows.bounds(satisfied, name, happy)
        top = _bound("satisfied_from", satisfied_from, name, known, _HIGH)
        bottom = _bound("dissatisfied_to", dissatisfied_to, name, known, _MIDDLE)
        if bottom >= top:
            raise OptionError(
                f"dissatisfied_to={bottom:g} must be below satisfied_from={top:g}; nobody can be "
                "both."
            )
        happy = settled(happy, (top, bottom))
        mood = (happy, top, bottom)
        glad = message("{outcome} of {cut:g} or more", outcome=name, cut=top)
        masks["satisfied, no complaint"] = kept_quiet & (happy >= top)
        masks["dissatisfied, no complaint"] = kept_quiet & (happy <= bottom)
    masks["handled well"] = rated & (how >= well)
    masks["handled badly"] = rated & (how < well)
    for answer in np.unique(how[rated]):
        masks[f"handled {answer:g}"] = rated & (how == answer)
    _require_some(masks, well, how_name)
    members = [np.flatnonzero(mask) for mask in masks.values()]
    means = group_means(np.nan_to_num(y), members, rows.weights, rows.design)
    findings += _small(masks)
    return Complaints(
        label=label,
        scale=(low, high),
        binary=bool(np.isin(y[used], (low, high)).all()),
        well_told=message("{outcome} of {cut:g} or more", outcome=how_name, cut=well),
        satisfied_told=glad,
        names=tuple(masks),
        means=means,
        rates=_rates(rows, whole, spoke, mood, level),
        level=level,
        findings=tuple(findings),
        word_of_mouth=None
        if told is None or mood is None
        else _word_of_mouth(rows, whole, spoke, mood, told, level),
    )


def _ends(label: str, y: Floats, ends: tuple[float, float] | None) -> tuple[float, float]:
    seen = y[np.isfinite(y)]
    if ends is None:
        raise SurveyError(
            f"The scale of {label!r} is unknown (values from {seen.min():g} to {seen.max():g} "
            "were seen); give its own lowest and highest answer, such as scale=(1, 10)."
        )
    low, high = ends
    if seen.min() < low or seen.max() > high:
        raise SurveyError(
            f"Repurchase {label!r} goes from {seen.min():g} to {seen.max():g}, which does not fit "
            f"the scale {low:g} to {high:g}; give its own lowest and highest answer."
        )
    return low, high


def _bound(
    option: str, given: float | None, name: str, ends: tuple[float, float] | None, share: float
) -> float:
    """Return a bound between answers: given, or a share of the way up the scale."""
    if given is not None:
        return require_number(option, given)
    if ends is None:
        raise OptionError(
            f"The scale of {name!r} is unknown, so {option}= must be given: the answer that "
            "divides it."
        )
    return ends[0] + share * (ends[1] - ends[0]) - (1e-9 if share > _MIDDLE else 0.0)


def _require_some(masks: dict[str, NDArray[np.bool_]], well: float, how: str) -> None:
    for name in ("no complaint", "complained", "handled well", "handled badly"):
        if masks[name].any():
            continue
        if name.startswith("handled"):
            raise SurveyError(
                f"No complaint counts as {name} with the bound {well:g} on {how!r}; choose another "
                "well_from=."
            )
        raise SurveyError(
            f"There is nobody in the group {name!r} with an answer on repurchase, so there is "
            "nothing to compare."
        )


def _left_out(
    rows: Rows, whole: NDArray[np.bool_], used: NDArray[np.bool_], label: str
) -> list[Finding]:
    lost = len(whole) - int(whole.sum())
    without = int((whole & ~used).sum())
    if not lost + without:
        return []
    values = {
        "out": lost + without, "all": len(rows), "lost": lost, "without": without,
        "label": label,
    }  # fmt: skip
    sentence = (
        "{out} of {all} respondents {out:was|were} left out of the means: {lost} with no weight "
        "or no answer on complaints, {without} with none on {label!r}."
    )
    return [Finding("rows-left-out", sentence, (label,), "note", lost + without, values)]


def _handling(
    rows: Rows, spoken: NDArray[np.bool_], rated: NDArray[np.bool_], spoke: Floats, how: Floats
) -> list[Finding]:
    findings = []
    silent = int((spoken & ~rated).sum())
    if silent:
        sentence = "{silent} of {complainers} complainers did not say how it was handled."
        values = {"silent": silent, "complainers": int(spoken.sum())}
        findings.append(Finding("handling-missing", sentence, (), "note", silent, values))
    odd = int((rows.usable & (spoke == 0) & np.isfinite(how)).sum())
    if odd:
        sentence = (
            "{odd} {odd:respondent says|respondents say} how a complaint was handled and that "
            "there was none; {odd:this one counts|they count} as not having complained."
        )
        findings.append(
            Finding("handling-without-complaint", sentence, (), "warning", odd, {"odd": odd})
        )
    return findings


def _small(masks: dict[str, NDArray[np.bool_]]) -> list[Finding]:
    small = {name: int(mask.sum()) for name, mask in masks.items() if mask.sum() < _FEW}
    if not small:
        return []
    return [
        Finding(
            "few-rows",
            "Some groups rest on fewer than {few} respondents: {groups:40}.",
            tuple(small),
            "note",
            len(small),
            {"few": _FEW, "groups": tuple(f"{name} ({count})" for name, count in small.items())},
        )
    ]


def _rates(
    rows: Rows,
    whole: NDArray[np.bool_],
    spoke: Floats,
    mood: tuple[Floats, float, float] | None,
    level: float,
) -> pd.DataFrame:
    """Return shares with Wilson limits.

    The dissatisfied are those who are so still and those who complained, whom a good answer may
    have made satisfied since.
    """
    talk = np.nan_to_num(spoke)
    asked = {"complaint rate": (talk, whole)}
    if mood is not None:
        happy, top, bottom = mood
        still = whole & (happy <= bottom)
        dissatisfied = still | (whole & (spoke == 1))
        asked["complaint rate of the satisfied"] = talk, whole & (happy >= top)
        asked["complaint rate of the dissatisfied"] = talk, dissatisfied
        asked["silent share of the dissatisfied"] = 1.0 - talk, dissatisfied
        asked["complaint rate of those still dissatisfied"] = talk, still
        asked["silent share of those still dissatisfied"] = 1.0 - talk, still
    tables = []
    for name, (values, mask) in asked.items():
        means = group_means(values, [np.flatnonzero(mask)], rows.weights, rows.design)
        tables.append(means.shares([name], level))
    return pd.concat(tables)


def _word_of_mouth(
    rows: Rows,
    whole: NDArray[np.bool_],
    spoke: Floats,
    mood: tuple[Floats, float, float],
    told: Column,
    level: float,
) -> pd.DataFrame:
    """Return persons told by each dissatisfied customer, and by all of them for each customer.

    Raises
    ------
    SurveyError
        For a number below 0.
    """
    name, persons = rows.numbers(told, "Told")
    if (persons < 0).any():
        raise SurveyError(
            f"Told {name!r} holds {int((persons < 0).sum())} numbers below 0; it counts persons."
        )
    happy, _, bottom = mood
    complained = whole & (spoke == 1)
    dissatisfied = complained | (whole & (happy <= bottom))
    known = np.isfinite(persons)
    reach = np.where(dissatisfied, np.nan_to_num(persons), 0.0)
    masks = {
        "told by a dissatisfied customer": dissatisfied & known,
        "told by one who complained": complained & known,
        "told by one who kept silent": dissatisfied & ~complained & known,
        "reach: told for each customer": whole & (known | ~dissatisfied),
    }
    members = [np.flatnonzero(mask) for mask in masks.values()]
    means = group_means(reach, members, rows.weights, rows.design)
    table = means.contrasts(np.eye(len(masks)), list(masks), level).drop(columns="p")
    table.insert(0, "n", means.n)
    return table
