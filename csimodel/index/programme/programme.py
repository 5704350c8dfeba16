"""`programme`: an index programme from answers, levels, a period and weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError, choose, require_construct, suggest
from csimodel.estimators import Estimator, GroupFits, fit, fit_groups
from csimodel.floats import own_errstate
from csimodel.index.programme.cells import (
    ItemWeights,
    ProgrammeCells,
    base_cells,
    own_cells,
    pooled_cells,
)
from csimodel.index.programme.hierarchy import WHOLE, Hierarchy, latest_cells
from csimodel.index.programme.level_weights import LevelWeights
from csimodel.index.programme.result import Programme
from csimodel.index.programme.scanned_cells import (
    scanned_base_cells,
    scanned_own_cells,
    scanned_pooled_cells,
)
from csimodel.model import Model
from csimodel.options import require_count, require_level, require_names
from csimodel.survey import Survey, read_survey
from csimodel.survey.scanning.scan import Scan

Codes = NDArray[np.intp]


@own_errstate
@checked
def programme(
    model: Model,
    survey: Survey | object,
    levels: str | Sequence[str],
    period: str,
    weights: object = None,
    *,
    item_weights: ItemWeights = "own",
    estimator: Estimator | None = None,
    construct: str | None = None,
    rolling: int = 1,
    year: int = 4,
    minimum_n: int | None = None,
    others: str | Sequence[str] | None = None,
    adjust: str = "holm",
    level: float = 0.95,
) -> Programme:
    """Return an index programme: scores of every level and period, changes, ranks, trends.

    The model is fitted to each unit of the lowest level in each period, all in one batch. Levels
    above are weighted means of those below. Errors are influence values of respondents under the
    survey's design, carried through the weighted means; periods, or firms, that share clusters
    covary (to follow persons, name the column of their number as ``cluster=`` of the survey).
    Weights of levels are taken as known.

    Parameters
    ----------
    model
        Constructs and paths.
    survey
        A `Survey`, anything `read_survey` takes, or a `Scan` of files (`csi.scan`), over which
        two passes are made; items need their scale. The index of an item answered 0 or 1, such as
        complaints, is a percentage.
    levels
        Columns, the highest level first: ``["sector", "industry", "firm"]``.
    period
        Column of the periods, in the order of its values.
    weights
        A table with columns level, unit, period and weight: what each unit counts in the one above
        (revenue, spending, share of the economy). Without the column period weights hold in all;
        names of higher levels as further columns tell units of the same name apart. By default
        units of one parent count alike.
    item_weights
        Items' weights in an index: ``"own"`` of each unit and period; ``"pooled"``, those of a fit
        to all respondents, so that scores differ by answers alone; ``"base"``, of each unit's first
        period, so that its changes do. Either way errors count that weights are estimated.
    estimator
        `PLS` by default.
    construct
        Whose index ranks and headlines are of; Satisfaction by default, or the last construct.
    rolling
        For how many periods a score counts, its own with them, until the unit is measured again;
        where periods are not evenly spaced, by the distances that `year` counts by.
    year
        Periods of a year, for changes on the year before, where there is a period exactly so far
        before. Numbers, dates of one day of the month and pandas Periods count by their distances
        where they are not evenly spaced, other labels by position; findings say so.
    minimum_n
        Units with fewer respondents in a period are suppressed and listed, as in `fit_groups`.
    others
        Names of units of the lowest level that stand for all others; they count in the levels
        above and are not ranked.
    adjust
        p-values of many comparisons: ``"holm"`` (no false one among them) or ``"bh"`` (few among
        those called significant).
    level
        Coverage of intervals.

    Returns
    -------
    Programme
        ``.scores``, ``.changes``, ``.ranking``, ``.trend``, ``.contributions``, ``.rank(…)``.

    Raises
    ------
    ModelError
        For a model with products or constructs of constructs.
    SurveyError
        For a column that does not exist, or items without a scale.
    OptionError
        For weights that are missing, no numbers or all 0, and options out of range.

    References
    ----------
    Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex surveys.
    International Statistical Review 51, 279-292. https://doi.org/10.2307/1402588

    Examples
    --------
    >>> import csimodel as csi
    >>> frame = csi.load_mobi().data.assign(firm=list("abcde") * 50, wave=[1] * 125 + [2] * 125)
    >>> survey = csi.read_survey(frame, scale=(1, 10))
    >>> waves = csi.programme(csi.models.ecsi(), survey, "firm", "wave", item_weights="pooled")
    >>> whole = waves.scores.loc[("all", "all", 2, "Satisfaction")]
    >>> [round(float(whole[name]), 1) for name in ("estimate", "se")]
    [72.2, 1.3]
    """
    columns = require_names("levels", levels)
    if WHOLE in columns:
        raise OptionError(f"levels= names {WHOLE!r}, which is the whole; rename that column.")
    choose("adjust", adjust, ["holm", "bh"])
    if isinstance(model, Model):
        model.require_one_stage("csi.programme scores")
    if period in columns:
        raise OptionError(f"period={period!r} is among the levels, too; name another column.")
    survey = survey if isinstance(survey, Survey | Scan) else read_survey(survey)
    by = [*columns, period]
    groups = fit_groups(
        model, survey, by, estimator, minimum_n=minimum_n, progress=isinstance(survey, Scan)
    )
    labels = groups.labels
    if not isinstance(labels, pd.MultiIndex):
        raise SurveyError("A programme has at least a level and a period.")
    cells = _cells(groups, item_weights)
    scored = np.asarray(np.isfinite(cells.estimate).all(axis=1))
    if not scored.any():
        raise SurveyError(
            "No unit has an index in any period; see csi.fit_groups(model, survey, "
            f"by={[*columns, period]}).failed for the reasons."
        )
    periods = labels.levels[-1].take(np.unique(labels.codes[-1]))
    hierarchy = Hierarchy.of(
        labels,
        columns,
        periods,
        LevelWeights.of(weights, columns, periods),
        latest_cells(labels, periods, scored, require_count("rolling", rolling)),
    )
    unranked = () if others is None else require_names("others", others, "unit")
    units = {str(label[-2]) for label in labels}
    for unit in unranked:
        if unit not in units:
            raise OptionError(
                f"others names {unit!r}, which is not a unit of level {columns[-1]}"
                f"{suggest(unit, units)}."
            )
    constructs = model.construct_names
    default = "Satisfaction" if "Satisfaction" in constructs else constructs[-1]
    own = require_construct(default if construct is None else construct, constructs)
    return Programme(
        groups,
        hierarchy,
        cells,
        item_weights,
        own,
        require_count("year", year),
        require_level(level),
        adjust,
        unranked,
    )


def _cells(groups: GroupFits, item_weights: ItemWeights) -> ProgrammeCells:
    solution, scanned = groups.solution, groups.scanned
    if item_weights == "own":
        return own_cells(groups) if scanned is None else scanned_own_cells(groups, True)
    if item_weights == "pooled":
        if scanned is None:
            return pooled_cells(fit(solution.model, groups.survey, solution.estimator), groups)
        return scanned_pooled_cells(groups, True)
    base = _first_cells(groups)
    return base_cells(groups, base) if scanned is None else scanned_base_cells(groups, base, True)


def _first_cells(groups: GroupFits) -> Codes:
    """Return the cell of each cell's unit in its first period, (cells,)."""
    index = groups.labels
    assert isinstance(index, pd.MultiIndex)
    labels = pd.DataFrame(list(index))
    known = groups.converged.to_numpy()
    place = np.arange(len(labels))
    first: dict[object, int] = {}
    units = list(labels.iloc[:, :-1].itertuples(index=False, name=None))
    for own in place[np.argsort(index.codes[-1], kind="stable")].tolist():
        if known[own]:
            first.setdefault(units[own], own)
    return np.array([first.get(unit, own) for own, unit in enumerate(units)], dtype=np.intp)
