"""`repurchase_panel`: firms over periods, from respondents or from a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError, choose
from csimodel.estimators import Fit
from csimodel.floats import own_errstate
from csimodel.inference import Bootstrap, require_units_drawn
from csimodel.inference.intervals import narrow_intervals
from csimodel.options import require_count, require_level
from csimodel.outcomes.kernels.families import family_of
from csimodel.outcomes.kernels.fixed_effects import EFFECTS, Panel
from csimodel.outcomes.kernels.kernel import Samples, fit_samples
from csimodel.outcomes.models.clusters import unused_design
from csimodel.outcomes.models.draws import RegressionLosses, require_regressions
from csimodel.outcomes.models.panel.cells import PanelCells
from csimodel.outcomes.models.panel.findings import (
    about_draws,
    left_out,
    sampling_error,
    thin_cells,
)
from csimodel.outcomes.models.panel.fitted import WEIGHT, fitted, require_other_names
from csimodel.outcomes.models.panel.result import RepurchasePanel
from csimodel.outcomes.models.repurchase import INTERVALS
from csimodel.outcomes.rows.arguments import Column, Controls, Index, named
from csimodel.outcomes.rows.columns import Ends
from csimodel.outcomes.rows.rows import Rows
from csimodel.survey import Survey
from csimodel.survey.checks import labels_of

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

ERRORS = ("CR2", "cluster", "two-way")
SIZES = ("equal", "respondents")


@own_errstate
@checked
def repurchase_panel(
    fit: Fit | Survey | pd.DataFrame | None = None,
    outcome: Column | None = None,
    *,
    firm: Column,
    period: Column,
    index: Index = "Satisfaction",
    controls: Controls = (),
    scale: Ends | None = None,
    effects: str = "two-way",
    errors: str = "CR2",
    weights: Column | None = None,
    size: str = "equal",
    fewest: int = 2,
    bootstrap: Bootstrap | None = None,
    level: float = 0.95,
    interval: str = "auto",
    progress: bool = True,
) -> RepurchasePanel:
    """Regress firms' repurchase on firms' index over periods, with firm and period effects.

    ``y_ft = b · index_ft + … + a_f + c_t``: each firm's index (all respondents' item weights, the
    firm's item means, as in `index_scores`) and share of repurchase in each period, both with
    survey weights. Firm effects take out what is always so of a firm, period effects what
    happens to all.

    Parameters
    ----------
    fit
        A fit on a survey of respondents of several firms. For an index that was computed elsewhere,
        a data frame with a row for each firm and period, or nothing: then every column is given as
        values, with such rows.
    outcome
        Column or values; answers on a scale become ``(x - min)/(max - min)``.
    firm, period
        Columns or values.
    index
        The construct whose index it is; without a fit points from 0 to 100 of firms in periods.
    controls
        Further columns; of respondents, their means in each firm and period are regressors.
    scale
        Lowest and highest answer of the outcome, where the survey does not know them; without a fit
        a share from 0 to 1 by default.
    effects
        ``"two-way"``, ``"firm"``, ``"period"`` or ``"none"``.
    errors
        ``"CR2"`` (default): clustered by firm without the bias of few firms, with degrees of
        freedom of t for each number (Pustejovsky and Tipton 2018); right of 8 firms whose index
        goes on from period to period (``docs/few_clusters.md``). ``"cluster"``: clustered by firm
        (CR1), for many firms: of 8 to 10, 95 % intervals cover some 92 %. ``"two-way"``: by firm
        and by period, t with the fewer of both less one (Cameron, Gelbach and Miller 2011), for
        many of both.
    weights
        Without a fit, how much a firm and period counts: a column or values.
    size
        The same with a fit: ``"equal"``, or by its ``"respondents"`` (their weights). CR2's working
        variances are then inverse to how much a firm and period counts.
    fewest
        Cells with fewer respondents are left out, and counted.
    bootstrap
        Draws of this fit, best with the firm as the survey's cluster; then everything is made
        again in each draw.
    level, interval, progress
        As in `repurchase`.

    Returns
    -------
    RepurchasePanel

    Raises
    ------
    SurveyError
        When a column is not there, the outcome lies outside its scale or has none, or a table has
        two rows for a firm in a period.
    OptionError
        When an option is unknown or does not fit the others, or the bootstrap is another fit's.
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
    >>> table = pd.DataFrame({
    ...     "firm": ["a", "a", "b", "b", "c", "c"], "year": [1, 2] * 3,
    ...     "csi": [60.0, 70, 65, 70, 80, 80], "again": [0.5, 0.56, 0.6, 0.64, 0.8, 0.81],
    ... })
    >>> found = repurchase_panel(table, "again", firm="firm", period="year", index="csi")
    >>> round(float(found.slope), 4)
    0.005
    """
    _check_options(effects, errors, size, level, interval)
    require_count("fewest", fewest, "")
    rows = Rows.of(fit, "repurchase_panel", [index, outcome, firm, period], weights=weights)
    samples = rows.require_chain(bootstrap, index)
    require_units_drawn(None if samples is None else samples.replication, "repurchase_panel")
    if outcome is None:
        raise OptionError("There is no outcome; name the column that says who buys again.")
    if rows.fit is None:
        if size != "equal":
            raise OptionError(
                f"size={size!r} counts respondents, and each row is a firm in a period; give "
                "weights= how much it counts."
            )
        return _of_firms(
            rows, outcome, firm, period, index, controls, (0.0, 1.0) if scale is None else scale,
            effects, errors, level,
        )  # fmt: skip
    if not named(index):
        raise OptionError(
            "repurchase_panel takes the index of firms from the fit, whose construct index= "
            "names; for one computed elsewhere give a table with a row for each firm and period "
            "in place of the fit."
        )
    name, points = rows.single_index(index)
    explained = rows.outcome(outcome, family_of("ols"), scale)
    label, y = explained.label, explained.values
    by, firm_code, firms = rows.labels(firm, "Firm")
    _, period_code, periods = rows.labels(period, "Period")
    further = rows.controls(controls)
    if label in further or name in further:
        raise OptionError("A control has the name of the outcome or the index; rename the column.")
    values = np.column_stack([y, *further.values()])
    require_other_names((name, label, *further), ("n", WEIGHT))
    cells = PanelCells.of(rows.fit, firm_code, period_code, values, name)
    count = len(cells.firm)
    large = cells.n >= fewest
    told = list(rows.findings([name], label))
    told += left_out("respondents", int((cells.code < 0).sum()), len(y))
    told += thin_cells(int((~large).sum()), count, fewest)
    x, means, total = cells.means()
    large &= np.isfinite(x)
    cell_weights = total if size == "respondents" else np.ones(count)
    table = pd.DataFrame(
        {"n": cells.n, name: x, label: means[:, 0]}
        | {control: means[:, 1 + j] for j, control in enumerate(further)}
        | {WEIGHT: cell_weights},
        cells.table(firms, periods),
    )
    result, kept = fitted(
        table, (name, *further), label, cells.firm, cells.period, large,
        effects, errors, level, interval, told,
    )  # fmt: skip
    sampling = cells.sampling_covariance(points)[kept]
    told = [*result.findings, *sampling_error(result.panel, sampling, name)]
    if bootstrap is None:
        return replace(result, findings=(*told, *unused_design(rows.design, by, rows.replicates)))
    bootstrap.require_usable()
    told += narrow_intervals(interval, result.df)
    drawn, losses = _draws(result.panel, cells, bootstrap, kept, size, progress)
    told += about_draws(losses, firm_code)
    return replace(result, draws=drawn, findings=tuple(told))


def _of_firms(
    rows: Rows,
    outcome: Column,
    firm: Column,
    period: Column,
    index: Index,
    controls: Controls,
    scale: Ends,
    effects: str,
    errors: str,
    level: float,
) -> RepurchasePanel:
    """Regress a table with a row for each firm and period."""
    name, points = rows.single_index(index)
    explained = rows.outcome(outcome, family_of("ols"), scale)
    further = rows.controls(controls)
    require_other_names((name, explained.label, *further), (WEIGHT,))
    columns = {name: points, explained.label: explained.values, **further}
    columns[WEIGHT] = np.ones(len(rows)) if rows.weights is None else rows.weights
    firm_code, firms = labels_of(rows.column(firm, "Firm")[1], "Firm")
    period_code, periods = labels_of(rows.column(period, "Period")[1], "Period")
    whole = (firm_code >= 0) & (period_code >= 0) & rows.usable
    for values in columns.values():
        whole &= np.isfinite(values)
    kept = np.flatnonzero(whole)
    kept = kept[np.lexsort([period_code[kept], firm_code[kept]])]
    f, p = firm_code[kept], period_code[kept]
    twice = np.flatnonzero((np.diff(f) == 0) & (np.diff(p) == 0))
    if len(twice):
        raise SurveyError(
            f"Firm {firms[f[twice[0]]]} has two rows in period {periods[p[twice[0]]]} "
            f"({len(twice)} such pairs); give one row for each firm and period."
        )
    labels = pd.MultiIndex.from_arrays([firms[f], periods[p]], names=["firm", "period"])
    result, _ = fitted(
        pd.DataFrame({column: values[kept] for column, values in columns.items()}, labels),
        (name, *further), explained.label, f, p, np.ones(len(kept), dtype=bool),
        effects, errors, level, "auto", list(left_out("rows", int((~whole).sum()), len(rows))),
    )  # fmt: skip
    return result


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
    panel: Panel,
    cells: PanelCells,
    bootstrap: Bootstrap,
    rows: Codes,
    size: str,
    progress: bool,
) -> tuple[Floats, RegressionLosses]:
    """Return constant and slopes of the draws that have them, and those lost."""
    index, means, total = cells.draws(bootstrap, progress)
    index, means, total = index[:, rows], means[:, rows], total[:, rows]
    weights = total
    if size == "equal":
        weights = (total > 0).astype(np.float64)
        cluster = bootstrap.design.cluster
        if cluster is not None:  # a firm drawn twice counts twice
            weights = total / cells.means()[2][rows]
    regressors = [index, *np.moveaxis(means[:, :, 1:], 2, 0)]
    own = np.flatnonzero(bootstrap.usable)
    samples = Samples(own, regressors, weights, [means[:, :, 0]])
    slopes = fit_samples(panel, [samples], len(bootstrap.usable))
    losses = RegressionLosses.of(bootstrap, slopes.ending)
    require_regressions(losses.usable, losses.lost, "have a slope", "fewer effects")
    return slopes.coefficients[losses.usable], losses
