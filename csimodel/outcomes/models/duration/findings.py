"""What a reader must know about a proportional hazard, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from csimodel.bounds import THRESHOLDS
from csimodel.findings import Finding
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.models.clusters import few_clusters, unused_margins
from csimodel.outcomes.models.draws import about_losses
from csimodel.outcomes.models.duration.draws import HazardDraws
from csimodel.outcomes.models.duration.proportional import proportional_hazards
from csimodel.outcomes.models.duration.regression import CoxRegression

_FEW_EVENTS = int(THRESHOLDS["events for each regressor"].value)
_NO_HAZARD = {
    Ending.NOT_CONVERGED: (
        "The hazard was not estimated, because the regression did not converge; use fewer "
        "regressors."
    ),
    Ending.SINGULAR: (
        "The hazard was not estimated, because a regressor has no variation of its own; use fewer "
        "regressors."
    ),
    Ending.ONE_OUTCOME: (
        "The hazard was not estimated, because every outcome is the same; look at the column of "
        "events."
    ),
    Ending.NO_FIT: (
        "The hazard was not estimated, because the model has no solution; use fewer regressors."
    ),
}
_LEAVE_SOONER = (
    "Respondents with a higher index of {name!r} leave sooner; check what 1 means in {event!r} and "
    "whether kind={kind!r} is what it counts."
)
_BUY_LATER = (
    "Respondents with a higher index of {name!r} buy again later; check what 1 means in {event!r} "
    "and whether kind={kind!r} is what it counts."
)


def diagnose(
    regression: CoxRegression, draws: HazardDraws | None, kind: str, event: str
) -> tuple[Finding, ...]:
    """Return findings about rows, events, convergence, direction, proportionality and draws."""
    return (
        *regression.sample.findings,
        *_rows(regression, event),
        *_ending(regression, event),
        *_direction(regression, kind, event),
        *_proportional(regression),
        *(
            about_losses(draws)
            if draws is not None
            else unused_margins(regression.sample, regression.errors)
        ),
    )


def _rows(regression: CoxRegression, event: str) -> Iterator[Finding]:
    sample, events = regression.sample, len(regression.risk.events)
    needed = _FEW_EVENTS * len(sample.names)
    if events < needed:
        yield Finding(
            "few-events",
            "Only {count} of {n} respondents had the event {event!r}, where about "
            "{needed} are wanted for {names} regressors; the hazard ratio will be "
            "unstable.",
            (event,),
            count=events,
            values={
                "count": events,
                "n": sample.n,
                "event": event,
                "needed": needed,
                "names": len(sample.names),
            },
        )
    never = sample.n - regression.risk.counted
    if never:
        yield Finding(
            "never-at-risk",
            "{count} of {n} respondents {count:was|were} not under observation at any time at "
            "which an event happened (in their stratum), and {count:says|say} nothing about the "
            "hazard.",
            severity="note" if never < 0.5 * sample.n else "warning",
            count=never,
            values={"count": never, "n": sample.n},
        )
    if regression.errors == "cluster" and sample.cluster is not None:
        yield from few_clusters(int(sample.cluster.max()) + 1, regression.errors, False)
    for name, index in zip(sample.indexes, sample.points.T, strict=True):
        outside = int(((index < -1e-9) | (index > 100 + 1e-9)).sum())
        if outside:
            yield Finding(
                "index-outside-0-100",
                "The index of {name!r} leaves 0 to 100 for {count} of {n} respondents; "
                "look for a negative weight or a wrong scale.",
                (name,),
                count=outside,
                values={"name": name, "count": outside, "n": sample.n},
            )


def _ending(regression: CoxRegression, event: str) -> Iterator[Finding]:
    if regression.ending == Ending.SEPARATED:
        names = regression.sample.names
        size = np.abs(regression.solution.coefficients[0] * regression.spread)
        grown = [name for name, b in zip(names, size, strict=True) if b > 5.0] or list(names)
        yield Finding(
            "separation",
            "Whoever had the event {event!r} always stood at one end of {grown} "
            "among those still at risk, so there is no finite hazard ratio and none "
            "is given; use fewer regressors or more respondents.",
            tuple(grown),
            "failure",
            values={"event": event, "grown": tuple(grown)},
        )
    elif regression.ending != Ending.CONVERGED:
        yield Finding(
            "not-converged",
            _NO_HAZARD[regression.ending],
            severity="failure",
            values={"ending": regression.ending.name},
        )


def _direction(regression: CoxRegression, kind: str, event: str) -> Iterator[Finding]:
    for name, b in zip(regression.sample.indexes, regression.coefficients, strict=False):
        if (b > 0) if kind == "churn" else (b < 0):
            yield Finding(
                "wrong-direction",
                _LEAVE_SOONER if kind == "churn" else _BUY_LATER,
                (name, event),
                values={"name": name, "event": event, "kind": kind},
            )


def _proportional(regression: CoxRegression) -> Iterator[Finding]:
    table = proportional_hazards(regression)
    for name, p in zip(regression.sample.indexes, table["p"].tolist(), strict=False):
        if p < 0.05:
            yield Finding(
                "not-proportional",
                "The effect of {name!r} changes with time ({p:p}), so its single "
                "hazard ratio is an average over the times seen; look at shorter periods "
                "or use strata=.",
                (name,),
                values={"name": name, "p": p},
            )
