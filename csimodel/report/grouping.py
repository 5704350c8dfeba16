"""Groups of a report: which columns make them, and what is computed in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csimodel.errors import OptionError
from csimodel.findings import Finding, collected
from csimodel.index import LeadingGroup, index_scores, leading_group
from csimodel.inference import Bootstrap
from csimodel.options import require_names, shown
from csimodel.outcomes import Repurchase
from csimodel.outcomes.models.segments import Segments
from csimodel.report.group_invariance import invariance_of_groups
from csimodel.report.outcome_sections import segments_of

MOST_GROUPINGS = 12


@dataclass(frozen=True, eq=False)
class Grouping:
    """The groups that a column makes, or several columns crossed.

    Attributes
    ----------
    columns
        The columns that make the groups.
    index
        Index of each (group, construct), as `csi.index_scores` has it.
    leading
        The group with the highest index of the target, tested against all others, or None.
    segments
        The curve of the outcome in every group, or None.
    """

    columns: tuple[str, ...]
    index: pd.DataFrame
    leading: LeadingGroup | None
    segments: Segments | None = None


def of_grouping(name: str, place: int) -> str:
    """Return the name of a table or figure of a grouping: the first bears no number.

    >>> of_grouping("index_by_group", 0), of_grouping("index_by_group", 1)
    ('index_by_group', 'index_by_group_2')
    """
    return f"{name}_{place + 1}" if place else name


def groupings_of(by: object) -> tuple[tuple[str, ...], ...]:
    """Return the columns of each grouping of a report.

    Parameters
    ----------
    by
        A column, or several in a list, each of which makes groups by itself; columns that are
        crossed stand in a list of their own. None for no groups.

    Raises
    ------
    OptionError
        For anything else, the same groups twice, and more than 12.

    Examples
    --------
    >>> groupings_of(["brand", "age"])
    (('brand',), ('age',))
    >>> groupings_of(["brand", ["brand", "age"]])
    (('brand',), ('brand', 'age'))
    """
    if by is None:
        return ()
    entries = [by] if isinstance(by, str) else by
    if not isinstance(entries, list | tuple | np.ndarray | pd.Index | pd.Series) or not len(
        entries
    ):
        raise OptionError(
            f"by={shown(by)} must be a column, or several in a list, each of which makes groups; "
            "columns that are crossed stand in a list of their own, as in by=[['brand', 'age']]."
        )
    groupings = tuple(require_names("by", entry) for entry in entries)
    twice = [own for place, own in enumerate(groupings) if own in groupings[:place]]
    if twice:
        raise OptionError(f"by={shown(by)} names the groups by {' × '.join(twice[0])} twice.")
    if len(groupings) > MOST_GROUPINGS:
        raise OptionError(
            f"by={shown(by)} makes groups in {len(groupings)} ways, and a report shows at most "
            f"{MOST_GROUPINGS}; write another report for the others."
        )
    return groupings


def grouping_by(
    bootstrap: Bootstrap,
    columns: Sequence[str],
    target: str,
    level: float,
    valued: Repurchase | None,
    scale: tuple[float, float] | None,
    minimum_n: int | None = None,
    *,
    progress: bool,
) -> tuple[Grouping, list[Finding]]:
    """Return what a report shows of the groups by some columns, and what was noticed.

    Parameters
    ----------
    bootstrap
        Draws of the fit of all groups together.
    columns
        Columns that are crossed.
    target
        The construct the report is about.
    level
        Coverage of intervals and tests.
    valued, scale
        The regression of the outcome and its scale, or None.
    minimum_n
        Groups of fewer respondents are suppressed.
    progress
        Show a bar for what takes longer than a second.

    Raises
    ------
    SurveyError, InferenceError
        When a column is not there, or makes no groups.

    Examples
    --------
    >>> import csimodel as csi
    >>> survey = csi.load_mobi(design=True)
    >>> boot = csi.bootstrap(csi.fit(csi.models.ecsi(), survey), draws=50, rng=1, progress=False)
    >>> found, noticed = grouping_by(
    ...     boot, ["sex"], "Satisfaction", 0.95, None, None, progress=False
    ... )
    >>> found.index.xs("Satisfaction", level="construct")["mean"].round(1).to_dict()
    {'f': 71.7, 'm': 73.0}
    """
    fit, by, segments = bootstrap.fit, list(columns), None
    with collected() as noticed:
        scores = index_scores(fit, by=by, bootstrap=bootstrap, level=level, minimum_n=minimum_n)
        leading = leading_group(fit, by, target, bootstrap, level, minimum_n)
        noticed.extend(invariance_of_groups(fit, by, level))
        if valued is not None and valued.converged:
            segments, told = segments_of(
                valued, bootstrap, by, scale, minimum_n or 0, progress=progress
            )
            noticed.extend(told)
    return Grouping(tuple(columns), scores, leading, segments), noticed
