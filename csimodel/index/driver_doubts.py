"""What speaks against a driver: the sign of its effect, and HTMT with what it is to move.

An effect whose sign is not that of the correlation is what the other drivers leave of it, and a
driver that respondents answer as if it were the target is hardly one of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csimodel.assessment.judge_measurement import formed
from csimodel.assessment.validity import htmt
from csimodel.bounds import THRESHOLDS
from csimodel.estimators import Fit
from csimodel.estimators.item_solution import item_solution
from csimodel.estimators.quantities import pairs_told_apart
from csimodel.findings import Finding, text
from csimodel.formatting import number
from csimodel.index.importance import IMPACTS


@dataclass(frozen=True)
class DriverDoubt:
    """What speaks against a driver of a target.

    Attributes
    ----------
    driver, target
        Constructs.
    effect
        The total effect, points of the target per point of the driver.
    correlation
        Of the two.
    htmt, upper
        Their HTMT and its upper limit; NaN where there is none.
    against
        Whether effect and correlation have different signs.
    alike
        Whether HTMT cannot tell the two apart: it is .90 or more, or its interval holds 1.
    """

    driver: str
    target: str
    effect: float
    correlation: float
    htmt: float
    upper: float
    against: bool
    alike: bool

    @property
    def kind(self) -> tuple[bool, bool]:
        """Whether the sign is another, and whether the two are alike."""
        return self.against, self.alike

    @property
    def fields(self) -> dict[str, object]:
        """What sentences of it name: its correlation and HTMT as texts."""
        own = number(self.htmt, 2)
        limit = THRESHOLDS["htmt acceptable"].value
        if self.alike and self.htmt < limit:
            own = text("{htmt}, up to {upper}", htmt=own, upper=number(self.upper, 2))
        return {"correlation": number(self.correlation, 2), "htmt": own}


def driver_doubts(fit: Fit, target: str, table: pd.DataFrame | None = None) -> list[DriverDoubt]:
    """Return what speaks against drivers of a target, of those that anything speaks against.

    Parameters
    ----------
    fit
        A fit whose items have scale bounds.
    target
        A construct that others affect.
    table
        HTMT of all pairs with limits, as ``csi.assess(fit, bootstrap).htmt``; by default without.

    References
    ----------
    MacKinnon, D. P., Krull, J. L., Lockwood, C. M. (2000). Equivalence of the mediation,
    confounding and suppression effect. Prevention Science 1, 173-181.
    https://doi.org/10.1023/A:1026595011371

    Henseler, J., Ringle, C. M., Sarstedt, M. (2015). A new criterion for assessing discriminant
    validity in variance-based structural equation modeling. Journal of the Academy of Marketing
    Science 43, 115-135. https://doi.org/10.1007/s11747-014-0403-8

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> [(own.driver, own.kind) for own in driver_doubts(fit, "Satisfaction")]
    [('Image', (False, True)), ('Quality', (False, True))]
    """
    seen = item_solution(fit.solution)
    names = list(seen.model.construct_names)
    cor = np.asarray(seen.estimates.construct_cor)
    ratios = _ratios(fit, table)
    labels = IMPACTS.labels(fit.model)
    doubts = []
    for (to, source), effect in zip(labels, np.asarray(IMPACTS.values(fit.solution)), strict=True):
        if to != target:
            continue
        correlation = float(cor[names.index(to), names.index(source)])
        ratio, upper = ratios.get(frozenset((to, source)), (np.nan, np.nan))
        against = bool(effect * correlation < 0)
        alike = ratio >= THRESHOLDS["htmt acceptable"].value
        alike = bool(alike or upper >= THRESHOLDS["htmt interval"].value)
        if against or alike:
            doubts.append(
                DriverDoubt(source, to, float(effect), correlation, ratio, upper, against, alike)
            )
    return doubts


def about_drivers(fit: Fit, drivers: Sequence[str], target: str | None = None) -> Iterator[Finding]:
    """Say which of some drivers something speaks against, for one target or all that they move."""
    targets = IMPACTS.labels(fit.model).get_level_values("target").unique()
    doubts = [
        doubt
        for own in (targets if target is None else [target])
        for doubt in driver_doubts(fit, own)
        if doubt.driver in drivers
    ]
    for doubt in doubts:
        if doubt.alike:
            yield about_likeness(doubt.driver, doubt.target, doubt.htmt)
        if doubt.against:
            yield about_sign(doubt.driver, doubt.target, doubt.effect, doubt.correlation)


def about_likeness(driver: str, target: str, htmt: float) -> Finding:
    """Say that respondents answer a driver and its target as if they were one thing."""
    return Finding(
        "driver-not-told-apart",
        "Respondents answer {driver!r} and {target!r} as if they were one thing (HTMT "
        "{value:.2f}), so what goes with a point of {driver!r} says little about {target!r}.",
        (driver, target),
        count=1,
        values={"driver": driver, "target": target, "value": htmt},
    )


def about_sign(driver: str, target: str, effect: float, correlation: float) -> Finding:
    """Say that an effect has another sign than the correlation."""
    return Finding(
        "effect-against-correlation",
        "The estimated effect of {driver!r} on {target!r} ({effect:.2f} points for a point) has "
        "the other sign than their correlation ({correlation:.2f}): drivers that overlap can turn "
        "a sign, so do not read this effect by itself.",
        (driver, target),
        values={
            "driver": driver,
            "target": target,
            "effect": effect,
            "correlation": correlation,
        },
    )


def _ratios(fit: Fit, table: pd.DataFrame | None) -> dict[frozenset[str], tuple[float, float]]:
    """Return HTMT and its upper limit, by pair; none of constructs that are formed by items."""
    if table is None:
        values = np.asarray(htmt(fit.solution))
        table = pd.DataFrame({"estimate": values}, index=pairs_told_apart(fit.model))
    uppers = table["upper"] if "upper" in table else pd.Series(np.nan, table.index)
    exempt = {name for name, own in zip(fit.model.construct_names, formed(fit), strict=True) if own}
    return {
        frozenset(pair): (float(ratio), float(upper))
        for pair, ratio, upper in zip(table.index, table["estimate"], uppers, strict=True)
        if not exempt.intersection(pair)
    }
