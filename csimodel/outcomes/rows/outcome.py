"""An outcome as a family needs it: from 0 to 1, or answers in their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError
from csimodel.options import number_of, shown
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.rows.columns import require_no_codes, require_on_scale, rescaled

Floats = NDArray[np.float64]

_MOST_CATEGORIES = 25


@dataclass(frozen=True, eq=False)
class OutcomeValues:
    """What is explained, one value for each respondent offered.

    Attributes
    ----------
    label
        What it is called.
    values
        From 0 to 1, (rows,); for an ordered family the answers on their own scale.
    cut
        For an ordered family, the lowest answer that counts as repurchase.
    """

    label: str
    values: Floats
    cut: float | None = None


def outcome_of(
    values: Floats,
    label: str,
    family: Family,
    scale: tuple[float, float] | None,
    cut: float | None,
) -> OutcomeValues:
    """Turn an outcome into what a family explains.

    Parameters
    ----------
    values
        As answered, NaN where missing, (rows,).
    label
        What the outcome is called.
    scale
        Lowest and highest answer, None if unknown.
    cut
        The lowest answer that counts as repurchase, for ordered families.

    Raises
    ------
    SurveyError
        When the scale is unknown, an answer lies outside it, or the family does not take such
        answers.
    OptionError
        When `cut` does not fit the family or the answers.
    """
    if family.outcome == "ordered":
        return OutcomeValues(label, values, _cut(values, label, family, scale, cut))
    if cut is not None:
        raise OptionError(
            f"cut={cut!r} is for ordered families, and family={family.name!r} is none; for a "
            f"yes or no give the outcome as survey.data[{label!r}] >= {cut!r}."
        )
    shares = rescaled(values, label, family, scale)
    ends = int(np.isin(shares, (0.0, 1.0)).sum())
    if family.outcome == "open share" and ends:
        low, high = (0.0, 1.0) if scale is None else scale
        raise SurveyError(
            f"family={family.name!r} needs an outcome strictly between 0 and 1, and {ends} of "
            f"{int(np.isfinite(shares).sum())} answers of {label!r} are exactly {low:g} or "
            f"{high:g}, the ends of its scale; use family='fractional-logit', which takes them"
            + (
                "."
                if scale is None
                else f", or read whole answers as middles of equal steps with scale=({low - 0.5:g},"
                f" {high + 0.5:g})."
            )
        )
    return OutcomeValues(label, shares)


def _cut(
    values: Floats,
    label: str,
    family: Family,
    scale: tuple[float, float] | None,
    cut: float | None,
) -> float:
    seen = np.unique(values[np.isfinite(values)])
    if len(seen) > _MOST_CATEGORIES:
        raise SurveyError(
            f"family={family.name!r} needs answers in a few categories, and {label!r} holds "
            f"{len(seen)} different values (at most {_MOST_CATEGORIES} are allowed); use "
            "family='fractional-logit', or group the values."
        )
    if scale is None:
        require_no_codes(values, label)
    else:
        scale = require_on_scale(values, label, scale)
    if cut is None and scale is None:
        raise SurveyError(
            f"The scale of outcome {label!r} is unknown (values from {seen[0]:g} to {seen[-1]:g} "
            f"were seen), so it cannot be told which answers count as repurchase; give the lowest "
            "of them as cut=, or the scale's ends, such as scale=(1, 10), for those above its "
            "middle."
        )
    if cut is None:
        assert scale is not None
        above = seen[seen > sum(scale) / 2.0]
        return float(above[0]) if len(above) else float(scale[1])
    number = number_of(cut)
    if number is None or not np.isfinite(number) or not seen[0] < number <= seen[-1]:
        raise OptionError(
            f"cut={shown(cut)} must lie above the lowest answer of {label!r} and not above its "
            f"highest ({seen[0]:g} to {seen[-1]:g} were seen), so that some answers count as "
            "repurchase and some do not."
        )
    return float(cut)
