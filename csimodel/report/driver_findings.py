"""What makes the effects of drivers on the target doubtful."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from csimodel.assessment import Assessment
from csimodel.assessment.verdicts import NOT_JUDGED, limit
from csimodel.estimators import Fit
from csimodel.findings import Finding
from csimodel.index.driver_doubts import about_likeness, about_sign


def driver_findings(
    fit: Fit, importance: pd.DataFrame, assessment: Assessment, target: str
) -> Iterator[Finding]:
    """Say which drivers are one thing with the target, or have an effect of the other sign.

    Parameters
    ----------
    fit
        The fitted model.
    importance
        Effects on the target with their limits, a row a driver (`importance_performance`).
    assessment
        Verdicts on the fit, HTMT among them.
    target
        What the drivers affect.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> effects = csi.importance_performance(fit, "Satisfaction")
    >>> list(driver_findings(fit, effects, csi.assess(fit), "Satisfaction"))
    []
    """
    drivers = [str(name) for name in importance.index]
    yield from _alike(assessment, drivers, target)
    for driver, (_, row) in zip(drivers, importance.iterrows(), strict=True):
        effect = float(row["importance"])
        correlation = float(fit.construct_cor[driver][target])
        unclear = float(row.get("lower", effect)) <= 0 <= float(row.get("upper", effect))
        if effect * correlation < 0 and not unclear:
            yield about_sign(driver, target, effect, correlation)


def _alike(assessment: Assessment, drivers: list[str], target: str) -> Iterator[Finding]:
    """Name the drivers whose HTMT with the target is 1 or more."""
    alike = {
        driver: own.value
        for own in assessment.judgements
        for driver in drivers
        if own.measure == "htmt"
        and own.verdict != NOT_JUDGED
        and {own.values["first"], own.values["second"]} == {driver, target}
        and own.value >= limit("htmt interval")
    }
    if not alike:
        return
    values = {"target": target, "value": max(alike.values())}
    if len(alike) == 1:
        (driver,) = alike
        yield about_likeness(driver, target, alike[driver])
        return
    yield Finding(
        "driver-not-told-apart",
        "Respondents answer {drivers} each as if it were one thing with {target!r} (HTMT up to "
        "{value:.2f}), so what goes with a point of these says little about {target!r}.",
        (*alike, target),
        count=len(alike),
        values={"drivers": tuple(alike), **values},
    )
