"""`repurchase_panel`: firms over periods, from respondents or from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import (
    OptionError,
    SurveyError,
    choose,
    suggest,
)
from csimodel.estimators import Fit, require_fit, require_own
from csimodel.findings import listed
from csimodel.floats import own_errstate
from csimodel.inference import Bootstrap, require_draws
from csimodel.inference.intervals import narrow_intervals
from csimodel.options import require_count, require_level
from csimodel.outcomes.kernels.families import family_of
from csimodel.outcomes.kernels.fixed_effects import EFFECTS, Panel
from csimodel.outcomes.kernels.kernel import Ending, Samples, fit_samples
from csimodel.outcomes.models.clusters import unused_design
from csimodel.outcomes.models.panel.cells import Cells
from csimodel.outcomes.models.panel.findings import (
    about_draws,
    left_out,
    sampling_error,
    thin_cells,
)
from csimodel.outcomes.models.panel.fitted import WEIGHT, fitted, require_other_names
from csimodel.outcomes.models.panel.result import RepurchasePanel
from csimodel.outcomes.rows.columns import Ends, labels_of, numbers, rescaled
from csimodel.outcomes.rows.respondents import Column, Respondents

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

ERRORS = ("CR2", "cluster", "two-way")
SIZES = ("equal", "respondents")
INTERVALS = ("auto", "percentile", "basic", "normal", "t", "bc")


@own_errstate
@checked
def repurchase_panel(
    fit: Fit,
    outcome: Column,
    *,
    firm: Column,
    period: Column,
    index: str = "Satisfaction",
    controls: str | Sequence[str] = (),
    scale: Ends | None = None,
    effects: str = "two-way",
    errors: str = "CR2",
    size: str = "equal",
    fewest: int = 2,
    bootstrap: Bootstrap | None = None,
    level: float = 0.95,
    interval: str = "auto",
) -> RepurchasePanel:
    """Regress firms' repurchase on firms' index over periods, with firm and period effects.

    ``y_ft = b · index_ft + … + a_f + c_t``: each firm's index (all respondents' item weights, the
    firm's item means, as in `index_scores`) and share of repurchase in each period, both with
    survey weights. Firm effects take out what is always so of a firm, period effects what
    happens to all.

    Parameters
    ----------
    fit
        A fit on a survey of respondents of several firms.
    outcome
        Column of the survey or values for its rows; answers on a scale become
        ``(x - min)/(max - min)``.
    firm, period
        Columns of the survey or values for its rows.
    index
        The construct whose index it is.
    controls
        Further columns; their means in each firm and period are regressors.
    scale
        Lowest and highest answer of the outcome, where the survey does not know them.
    effects
        ``"two-way"``, ``"firm"``, ``"period"`` or ``"none"``.
    errors
        ``"CR2"`` (default): clustered by firm without the bias of few firms, with degrees of
        freedom of t for each number (Pustejovsky and Tipton 2018); right of 8 firms whose index
        goes on from period to period (``docs/few_clusters.md``). ``"cluster"``: clustered by firm
        (CR1), for many firms: of 8 to 10, 95 % intervals cover some 92 %. ``"two-way"``: by firm
        and by period, t with the fewer of both less one (Cameron, Gelbach and Miller 2011), for
        many of both.
    size
        How much a firm and period counts: ``"equal"``, or by its ``"respondents"`` (their
        weights), to which CR2's working variances are then inverse.
    fewest
        Cells with fewer respondents are left out, and counted.
    bootstrap
        Draws of this fit, best with the firm as the survey's cluster; then everything is made
        again in each draw.
    level, interval
        As in `repurchase`.

    Returns
    -------
    RepurchasePanel

    Raises
    ------
    SurveyError
        When a column is not there, or the outcome lies outside its scale or has none.
    OptionError
        When an option is unknown or the bootstrap is another fit's.
    EstimationError
        When too few rows are left or a regressor does not move within effects.
    InferenceError
        When fewer than 20 draws are usable.

    References
    ----------
    Morgan, N. A., Rego, L. L. (2006). The value of different customer satisfaction and loyalty
    metrics in predicting business performance. Marketing Science 25, 426-439.
    https://doi.org/10.1287/mksc.1050.0180

    Examples
    --------
    >>> import csimodel as csi
    >>> from csimodel.outcomes.models.panel import repurchase_panel
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> rows = np.arange(250)
    >>> found = repurchase_panel(fit, "CUSL1", firm=rows % 10, period=rows // 50)
    >>> found.n, found.firms, found.periods
    (50, 10, 5)
    """
    _check_options(effects, errors, size, level, interval)
    fit = require_fit(fit, "repurchase_panel")
    require_own(bootstrap, fit)
    require_count("fewest", fewest, "")
    people = Respondents.of(fit, "repurchase_panel")
    if not isinstance(index, str):
        raise OptionError(f"index={index!r} must name one construct, such as 'Satisfaction'.")
    points = people.indexes(index)[index]
    label, y = people.outcome(outcome, scale)
    by, firm_code, firms = people.labels(firm, "Firm")
    _, period_code, periods = people.labels(period, "Period")
    further = people.controls(controls)
    if label in further or index in further:
        raise OptionError("A control has the name of the outcome or the index; rename the column.")
    values = np.column_stack([y, *further.values()])
    require_other_names((index, label, *further), ("n", WEIGHT))
    cells = Cells.of(fit, firm_code, period_code, values, index)
    every = len(cells.firm)
    large = cells.n >= fewest
    told = list(people.findings([index], label))
    told += left_out("respondents", int((cells.code < 0).sum()), len(y))
    told += thin_cells(int((~large).sum()), every, fewest)
    x, means, total = cells.means()
    large &= np.isfinite(x)
    weights = total if size == "respondents" else np.ones(every)
    table = pd.DataFrame(
        {"n": cells.n, index: x, label: means[:, 0]}
        | {name: means[:, 1 + j] for j, name in enumerate(further)}
        | {WEIGHT: weights},
        cells.table(firms, periods),
    )
    found, rows = fitted(
        table, (index, *further), label, cells.firm, cells.period, large,
        effects, errors, level, interval, told,
    )  # fmt: skip
    sampling = cells.sampling_covariance(points)[rows]
    told = [*found.diagnostics, *sampling_error(found.panel, sampling, index)]
    if bootstrap is None:
        return replace(found, diagnostics=(*told, *unused_design(people.answers.design, by)))
    bootstrap.require_usable()
    told += narrow_intervals(interval, found.df)
    drawn, lost = _draws(found.panel, cells, bootstrap, rows, size)
    told += about_draws(bootstrap, lost, firm_code)
    return replace(found, every=drawn, diagnostics=tuple(told))


@own_errstate
@checked
def repurchase_panel_of_index(
    table: pd.DataFrame,
    outcome: str,
    *,
    firm: str,
    period: str,
    index: str,
    controls: str | Sequence[str] = (),
    scale: Ends = (0.0, 1.0),
    effects: str = "two-way",
    errors: str = "CR2",
    weights: str | None = None,
    level: float = 0.95,
) -> RepurchasePanel:
    """Regress firms' repurchase on firms' index over periods, from a table of firms.

    Parameters
    ----------
    table
        A row for each firm and period.
    outcome, firm, period, index, controls, weights
        Names of its columns; the index in points from 0 to 100.
    scale
        Lowest and highest value of the outcome; a share from 0 to 1 by default.
    effects, errors, level
        As in `repurchase_panel`.

    Returns
    -------
    RepurchasePanel

    Raises
    ------
    SurveyError, OptionError, EstimationError
        As in `repurchase_panel`, and when a firm has two rows in a period.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "firm": ["a", "a", "b", "b", "c", "c"], "year": [1, 2] * 3,
    ...     "csi": [60.0, 70, 65, 70, 80, 80], "again": [0.5, 0.56, 0.6, 0.64, 0.8, 0.81],
    ... })
    >>> found = repurchase_panel_of_index(
    ...     table, "again", firm="firm", period="year", index="csi"
    ... )
    >>> round(float(found.slope), 4)
    0.005
    """
    _check_options(effects, errors, "equal", level, "auto")
    names = [controls] if isinstance(controls, str) else list(controls)
    needed = [outcome, firm, period, index, *names, *([] if weights is None else [weights])]
    for name in needed:
        if name not in table.columns:
            raise SurveyError(
                f"{name!r} is not a column of the table{suggest(name, table.columns)}; name one of "
                f"{listed(map(repr, table.columns), 12)}."
            )
    require_other_names((index, outcome, *names), (WEIGHT,))
    values = {
        name: numbers(table[name], "Column", name, "recode it, or name a column of numbers")
        for name in needed
        if name not in (firm, period)
    }
    y = rescaled(values[outcome], outcome, family_of("ols"), scale)
    firm_code, firms = labels_of(table[firm], f"firm={firm!r}")
    period_code, periods = labels_of(table[period], f"period={period!r}")
    w = np.ones(len(table)) if weights is None else values[weights]
    if (w < 0).any():
        raise SurveyError(f"Weight column {weights!r} holds negative values; weights are positive.")
    whole = (firm_code >= 0) & (period_code >= 0) & np.isfinite(y) & (np.nan_to_num(w) > 0)
    for name in (index, *names):
        whole &= np.isfinite(values[name])
    kept = np.flatnonzero(whole)
    kept = kept[np.lexsort([period_code[kept], firm_code[kept]])]
    f, p = firm_code[kept], period_code[kept]
    twice = np.flatnonzero((np.diff(f) == 0) & (np.diff(p) == 0))
    if len(twice):
        raise SurveyError(
            f"Firm {firms[f[twice[0]]]} has two rows in period {periods[p[twice[0]]]} "
            f"({len(twice)} such pairs); give one row for each firm and period."
        )
    told = list(left_out("rows", int((~whole).sum()), len(table)))
    labels = pd.MultiIndex.from_arrays([firms[f], periods[p]], names=["firm", "period"])
    columns = {index: values[index][kept], outcome: y[kept]}
    columns |= {name: values[name][kept] for name in names} | {WEIGHT: w[kept]}
    found, _ = fitted(
        pd.DataFrame(columns, labels), (index, *names), outcome, f, p,
        np.ones(len(kept), dtype=bool), effects, errors, level, "auto", told,
    )  # fmt: skip
    return found


def _check_options(effects: str, errors: str, size: str, level: float, interval: str) -> None:
    for name, value, allowed in (
        ("effects", effects, EFFECTS),
        ("errors", errors, ERRORS),
        ("size", size, SIZES),
        ("interval", interval, INTERVALS),
    ):
        choose(name, value, allowed)
    require_level(level)


def _draws(
    panel: Panel, cells: Cells, bootstrap: Bootstrap, rows: Codes, size: str
) -> tuple[Floats, int]:
    """Return constant and slopes of the draws that have them, and how many have none."""
    index, means, total = cells.draws(bootstrap)
    index, means, total = index[:, rows], means[:, rows], total[:, rows]
    weights = total
    if size == "equal":
        weights = (total > 0).astype(np.float64)
        cluster = bootstrap.design.cluster
        if cluster is not None:  # a firm drawn twice counts twice
            weights = total / cells.means()[2][rows]
    regressors = [index, *np.moveaxis(means[:, :, 1:], 2, 0)]
    samples = Samples(np.arange(len(index)), regressors, weights, [means[:, :, 0]])
    slopes = fit_samples(panel, [samples], len(index))
    solved = slopes.ending == Ending.CONVERGED
    require_draws(int(solved.sum()), len(solved), "have a slope", "fewer effects")
    return slopes.coefficients[solved], int((~solved).sum())
