"""`repurchase_time`: a fit, durations and events in, a `RepurchaseTime` out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import EstimationError, OptionError, SurveyError, choose
from csimodel.estimators import Fit
from csimodel.floats import own_errstate
from csimodel.inference import FitErrors, interval_of_source
from csimodel.inference.intervals import narrow_intervals
from csimodel.options import require_level
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.kernels.robust import default_errors, require_clusters
from csimodel.outcomes.models.duration.draws import hazard_draws
from csimodel.outcomes.models.duration.findings import diagnose
from csimodel.outcomes.models.duration.regression import cox_regression
from csimodel.outcomes.models.duration.result import RepurchaseTime
from csimodel.outcomes.models.repurchase import INTERVALS
from csimodel.outcomes.rows.arguments import Column, Controls, Index, named
from csimodel.outcomes.rows.outcome import OutcomeValues
from csimodel.outcomes.rows.rows import Rows
from csimodel.outcomes.rows.sample import Sample
from csimodel.survey import Survey

Floats = NDArray[np.float64]

KINDS = ("repurchase", "churn")
TIES = ("efron", "breslow")
ERRORS = ("robust", "cluster", "linearized", "model")


@own_errstate
@checked
def repurchase_time(
    fit: Fit | Survey | pd.DataFrame | None = None,
    *,
    duration: Column,
    event: Column,
    kind: str = "repurchase",
    entry: Column | None = None,
    strata: Column | None = None,
    index: Index = "Satisfaction",
    controls: Controls = (),
    ties: str = "efron",
    errors: str | None = None,
    weights: Column | None = None,
    cluster: Column | None = None,
    bootstrap: FitErrors | None = None,
    level: float = 0.95,
    interval: str = "auto",
    progress: bool = True,
) -> RepurchaseTime:
    """Regress the time until repurchase, or until churn, on respondents' satisfaction index.

    Cox's proportional hazard: ``h(t) = h₀(t) exp(b · index + …)``, with h₀ free, in each stratum
    its own. Survey weights multiply every respondent's part of the likelihood. Respondents without
    a duration, an event, an index or a control are left out and counted.

    Parameters
    ----------
    fit, weights, cluster
        As in `csimodel.repurchase`.
    duration
        Time under observation: a column or values.
    event
        1 where it ended with the event, 0 where the respondent was last seen without it.
    kind
        What the event is, ``"repurchase"`` or ``"churn"``. Probabilities are of having bought
        again, or of still being a customer.
    entry
        Time at which observation began, where respondents were not followed from the beginning.
        Who enters at t is at risk after t, as in R; statsmodels counts t itself.
    strata
        A column of groups, each with its own h₀.
    index
        Construct or constructs, or points computed elsewhere, as in `csimodel.repurchase`; the
        first is meant by default.
    controls
        Further columns, numeric.
    ties
        ``"efron"`` or ``"breslow"``.
    errors
        ``"robust"``, ``"cluster"`` (the survey's clusters), ``"linearized"`` (those of the sampling
        design: strata, clusters, margins of weights and a finite population, as in R's survey) or
        ``"model"``. By default linearized if the survey has any but clusters, cluster if it has
        those alone, else robust; the first two without a small-sample factor, as in R's survival.
    bootstrap
        Draws of this fit. Then every interval is of the whole chain: item weights, index and hazard
        are estimated again in each draw. Events drawn twice count twice but are not ties.
    level
        Coverage of intervals.
    interval
        Kind of bootstrap interval: ``"auto"`` (default: percentile, and t with fewer than 20
        degrees of freedom), ``"percentile"``, ``"basic"``, ``"normal"``, ``"t"``, ``"bc"``.
    progress
        Show a bar when the draws take longer than a second.

    Returns
    -------
    RepurchaseTime

    Raises
    ------
    SurveyError
        When a column is not there or is no number, a duration is negative or not after its entry,
        or the event is not 0 and 1.
    ModelError
        When a construct is not in the model.
    OptionError
        When an option is unknown or does not fit the others.
    EstimationError
        When nothing happened, all durations are the same, or rows are too few.
    InferenceError
        When fewer than 20 draws are usable.

    References
    ----------
    Cox, D. R. (1972). Regression models and life-tables. Journal of the Royal Statistical Society
    B 34, 187-220. https://doi.org/10.1111/j.2517-6161.1972.tb00899.x

    Bolton, R. N. (1998). A dynamic model of the duration of the customer's relationship with a
    continuous service provider: the role of satisfaction. Marketing Science 17, 45-65.
    https://doi.org/10.1287/mksc.17.1.45

    Examples
    --------
    >>> import csimodel as csi
    >>> survey = csi.load_mobi()
    >>> fit = csi.fit(csi.models.ecsi(), survey)
    >>> rng = np.random.default_rng(1)
    >>> index = csi.respondent_index(fit)["Satisfaction"].to_numpy()
    >>> stay = rng.exponential(12 * np.exp(0.03 * (index - 70)))
    >>> found = repurchase_time(
    ...     fit, duration=np.minimum(stay, 24), event=stay < 24, kind="churn"
    ... )
    >>> round(float(found.hazard_ratio), 3), found.events
    (0.981, 216)
    """
    for name, value, allowed in (
        ("kind", kind, KINDS),
        ("ties", ties, TIES),
        ("interval", interval, INTERVALS),
    ):
        choose(name, value, allowed)
    require_level(level)
    rows = Rows.of(
        fit, "repurchase_time", [index, duration, event], weights=weights, cluster=cluster
    )
    drawn = rows.require_chain(bootstrap, index)
    interval = interval_of_source(drawn, interval)
    label, time = rows.numbers(duration, "Duration")
    what, happened = rows.numbers(event, "Event")
    further, stratum = {what: happened}, None
    begun = None
    if entry is not None:
        name, begun = rows.numbers(entry, "Entry")
        further[name] = begun
    if strata is not None:
        name, stratum, _ = rows.labels(strata, "Strata")
        further[name] = np.where(stratum < 0, np.nan, 0.0)
    _check(label, time, what, happened, begun)
    sample = rows.sample(
        OutcomeValues(label, time), rows.indexes(index), rows.controls(controls), complete=further
    )
    kept = sample.rows
    if not happened[kept].any():
        raise EstimationError(
            f"None of the {sample.n} respondents used had the event {what!r}, so its hazard cannot "
            "be estimated; check what 1 means, or follow respondents for longer."
        )
    regression = cox_regression(
        sample,
        happened[kept],
        None if begun is None else begun[kept],
        None if stratum is None else np.unique(stratum[kept], return_inverse=True)[1],
        efron=ties == "efron",
        errors=_errors(errors, sample),
    )
    draws = None
    if drawn is not None and regression.ending == Ending.CONVERGED:
        draws = hazard_draws(drawn, regression, progress)
    told = (
        *rows.findings(sample.indexes if named(index) else ()),
        *diagnose(regression, draws, kind, what),
    )
    if draws is not None:
        told = (*told, *narrow_intervals(interval, draws.df))
    return RepurchaseTime(regression, draws, kind, what, level, interval, told)


def _check(label: str, time: Floats, what: str, happened: Floats, begun: Floats | None) -> None:
    seen = happened[np.isfinite(happened)]
    if not np.isin(seen, (0.0, 1.0)).all():
        other = seen[~np.isin(seen, (0.0, 1.0))][0]
        raise SurveyError(
            f"Event {what!r} must hold 0 (not seen) and 1 (happened), and holds {other:g}; give a "
            f"column such as survey.data[{what!r}] == {other:g}."
        )
    below = int((time < 0).sum())
    if below:
        raise SurveyError(
            f"Duration {label!r} holds {below} negative values; count time from the beginning of "
            "the observation, or make such cells empty."
        )
    known = time[np.isfinite(time)]
    if len(known) > 1 and np.ptp(known) == 0:
        raise EstimationError(
            f"Duration {label!r} is {known[0]:g} for everybody, so only whether the event "
            "happened is known; regress that with csi.repurchase(fit, outcome)."
        )
    if begun is not None:
        wrong = int((begun >= time).sum())
        if wrong:
            raise SurveyError(
                f"{wrong} respondents enter at or after the end of their duration {label!r}; count "
                "both from the same moment, and leave out who was never followed."
            )


def _errors(errors: str | None, sample: Sample) -> str:
    """Return the kind of errors, checked."""
    if errors is None:
        errors = default_errors(sample, "robust", "cluster")
    choose("errors", errors, ERRORS)
    require_clusters(errors, sample.cluster, "robust")
    if errors == "model" and sample.weights is not None:
        raise OptionError(
            "errors='model' is wrong for a survey with weights; use 'robust', 'cluster' or "
            "'linearized'."
        )
    return errors
