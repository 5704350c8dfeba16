"""`repurchase_mixed`: customers within firms in, slopes within and between firms out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.bounds import THRESHOLDS
from csimodel.errors import EstimationError, OptionError, SurveyError, choose
from csimodel.estimators import Fit
from csimodel.floats import own_errstate
from csimodel.inference import Bootstrap, require_units_drawn
from csimodel.inference.intervals import narrow_intervals
from csimodel.options import require_level
from csimodel.outcomes.kernels.families import family_of
from csimodel.outcomes.models.clusters import unused_design
from csimodel.outcomes.models.draws import about_losses
from csimodel.outcomes.models.mixed.customers import Customers
from csimodel.outcomes.models.mixed.draws import mixed_draws
from csimodel.outcomes.models.mixed.findings import about
from csimodel.outcomes.models.mixed.regression import mixed, population_averaged
from csimodel.outcomes.models.mixed.result import RepurchaseMixed
from csimodel.outcomes.models.repurchase import INTERVALS
from csimodel.outcomes.rows.arguments import Column, Controls, Index, named
from csimodel.outcomes.rows.columns import Ends
from csimodel.outcomes.rows.rows import Rows
from csimodel.outcomes.rows.sample import sample_of
from csimodel.survey import Survey

Floats = NDArray[np.float64]

MODELS = ("random-intercept", "random-slope", "population-averaged")
LINKS = ("identity", "logit")
ERRORS = ("CR2", "cluster", "model")
_FEW_FIRMS = THRESHOLDS["few firms"].value  # below which a mixed model's own errors are the default


@own_errstate
@checked
def repurchase_mixed(
    fit: Fit | Survey | pd.DataFrame | None = None,
    outcome: Column | None = None,
    by: Column = "firm",
    *,
    index: Index = "Satisfaction",
    controls: Controls = (),
    scale: Ends | None = None,
    model: str = "random-intercept",
    link: str | None = None,
    errors: str | None = None,
    weights: Column | None = None,
    bootstrap: Bootstrap | None = None,
    level: float = 0.95,
    interval: str = "auto",
    progress: bool = True,
) -> RepurchaseMixed:
    """Regress customers' repurchase on their index and on the mean index of their firm.

    ``y_ij = c + b_within (x_ij - x̄_j) + b_between x̄_j + … + u_j + e_ij``: what a more satisfied
    customer does within a firm is kept apart from what firms with a more satisfied clientele
    get (Mundlak 1978). ``b_between`` compares firms whose mean index differs by a point; what a
    firm that raises its index would see is another question.

    Parameters
    ----------
    fit, weights
        As in `csimodel.repurchase`, of customers of several firms.
    outcome
        Column or values; answers on a scale become ``(x - min)/(max - min)``.
    by
        Column of firms, or values.
    index
        The construct whose index it is, or points computed elsewhere, as in `csimodel.repurchase`.
    controls
        Further columns, numeric.
    scale
        Lowest and highest answer of the outcome, where the survey does not know them.
    model
        ``"random-intercept"``: a linear mixed model in which each firm has its own constant;
        ``"random-slope"``: and its own slope within; ``"population-averaged"``: generalised
        estimating equations, the only one that takes survey weights and a logit.
    link
        ``"identity"`` or ``"logit"``; by default a logit for population averages, a straight line
        for mixed models. statsmodels fits mixed models of yes and no by variational Bayes only,
        whose errors are known to be too small, so they are not offered.
    errors
        ``"CR2"``: robust to unequal variances and to whatever binds customers of a firm, without
        the bias of few firms, t with Satterthwaite's degrees of freedom; ``"model"`` (mixed models
        only): right if the model is, t with firms less 2; ``"cluster"``: robust, for many firms.
        By default those of the model where a mixed model has fewer than 20 firms, from which hardly
        anything is learnt about unequal variances (CR2 is cautious there), and else CR2.
    bootstrap
        Draws of this fit, with the firm as the survey's cluster; for ``"random-intercept"``. Then
        item weights, index and mixed model are estimated again in each draw.
    level, interval, progress
        As in `repurchase`.

    Returns
    -------
    RepurchaseMixed

    Raises
    ------
    SurveyError
        When a column is not there, the outcome lies outside its scale, or weights meet a mixed
        model.
    OptionError
        When an option is unknown or does not fit the others.
    EstimationError
        When there are too few firms, or customers or firms do not differ.
    InferenceError
        When fewer than 20 draws are usable.

    References
    ----------
    Mundlak, Y. (1978). On the pooling of time series and cross section data. Econometrica 46,
    69-85. https://doi.org/10.2307/1913646

    Examples
    --------
    >>> import csimodel as csi
    >>> from csimodel.outcomes.models.mixed import repurchase_mixed
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> found = repurchase_mixed(fit, "CUSL1", by=np.arange(250) % 25)
    >>> round(float(found.within), 4), found.firms
    (0.009, 25)
    """
    link = _checked(model, link, errors, bootstrap, level, interval)
    rows = Rows.of(fit, "repurchase_mixed", [index, outcome, by], weights=weights)
    samples = rows.require_chain(bootstrap, index)
    require_units_drawn(None if samples is None else samples.replication, "repurchase_mixed")
    if outcome is None:
        raise OptionError("There is no outcome; name the column that says who buys again.")
    if rows.weights is not None and model != "population-averaged":
        raise SurveyError(
            f"The survey has weights, which model={model!r} cannot use; take "
            "model='population-averaged', with link='identity' for a straight line."
        )
    construct, points = rows.single_index(index)
    explained = rows.outcome(outcome, family_of("ols"), scale)
    name, code, firms = rows.labels(by, "by")
    sample = sample_of(
        explained.values, {construct: points}, rows.controls(controls), label=explained.label,
        weights=rows.weights, cluster=None,
        complete={name: np.where(code < 0, np.nan, 0.0)},
    )  # fmt: skip
    own = code[sample.rows]
    order = np.argsort(own, kind="stable")
    met, firm = np.unique(own[order], return_inverse=True)
    customers = Customers(
        outcome=sample.outcome[order],
        index=sample.regressors[order, 0],
        controls=sample.regressors[order, 1:],
        firm=firm,
        weights=None if sample.weights is None else sample.weights[order],
        rows=sample.rows[order],
    )
    _require_firms(customers, name, construct)
    few = customers.firms < _FEW_FIRMS and model != "population-averaged"
    errors = errors or ("model" if few else "CR2")
    regression = (
        population_averaged(customers, link, errors)
        if model == "population-averaged"
        else mixed(customers, model == "random-slope", errors)
    )
    family = family_of("ols" if link == "identity" else "fractional-logit")
    own_index = [construct] if named(index) else []
    told = (*rows.findings(own_index, explained.label), *sample.findings)
    result = RepurchaseMixed(
        customers, regression, family, model, errors, construct, explained.label, name,
        sample.names[1:],
        tuple(firms[f] for f in met), None, level, interval, told,
    )  # fmt: skip
    result = replace(result, findings=(*told, *about(result)))
    if bootstrap is None:
        unused = unused_design(rows.design, name, rows.replicates)
        return replace(result, findings=(*result.findings, *unused))
    coefficients, means, losses = mixed_draws(bootstrap, customers, construct, name, progress)
    told = (*result.findings, *about_losses(losses))
    told = (*told, *narrow_intervals(interval, result.firms - 1.0))
    return replace(result, draws=(coefficients, means), findings=told)


def _checked(
    model: str,
    link: str | None,
    errors: str | None,
    bootstrap: Bootstrap | None,
    level: float,
    interval: str,
) -> str:
    """Return the link, and refuse options that do not fit."""
    choose("model", model, MODELS)
    choose("interval", interval, INTERVALS)
    require_level(level)
    averaged = model == "population-averaged"
    link = choose("link", link or ("logit" if averaged else "identity"), LINKS)
    if errors is not None:
        choose("errors", errors, ERRORS)
    if link == "logit" and not averaged:
        raise OptionError(
            f"link='logit' is not available for model={model!r}; use model='population-averaged', "
            "or link='identity'."
        )
    if averaged and errors == "model":
        raise OptionError(
            "errors='model' is not available for model='population-averaged', whose working "
            "correlation need not be true; use 'cluster'."
        )
    if bootstrap is not None and model != "random-intercept":
        raise OptionError(
            f"Whole-chain intervals are not available for model={model!r}; use "
            "model='random-intercept', or leave out bootstrap=."
        )
    return link


def _require_firms(customers: Customers, by: str, index: str) -> None:
    needed = 4 + customers.controls.shape[1]
    if customers.firms < needed:
        raise EstimationError(
            f"There are {customers.firms} groups of {by!r} with usable customers, and a slope "
            f"between them needs at least {needed}; use csi.repurchase(..., errors='cluster')."
        )
    if customers.n < customers.firms + needed:
        raise EstimationError(
            f"There are {customers.n} customers in {customers.firms} groups of {by!r}, so hardly "
            "any group has two; nothing can be told apart within groups."
        )
    inside = customers.index - customers.between
    for what, values in (("within", inside), ("between", customers.between)):
        if np.ptp(values) <= 1e-9:
            raise EstimationError(
                f"The index of {index!r} does not differ {what} groups of {by!r}, so it has no "
                f"slope there; use csi.repurchase(fit, outcome)."
            )
