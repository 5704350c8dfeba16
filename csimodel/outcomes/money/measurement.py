"""Measurement error taken off the chain to money, and what is said where it cannot be.

The number that money is about is the mean over customers of the change of each one's own value,
when each one's *true* index moves. Error in the index makes its slope too flat, error in a driver
its effect too small, and customers look more different than they are; the three do not cancel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError, choose, suggest
from csimodel.estimators import Fit
from csimodel.findings import Finding, listed
from csimodel.outcomes.money.draws import Drawn
from csimodel.outcomes.money.effects import Effects, true_effects, without_reliability

Floats = NDArray[np.float64]
MeasurementError = Literal["corrected", "ignored"]


@dataclass(frozen=True)
class Given:
    """What the user says about measurement error.

    Attributes
    ----------
    wanted
        Whether it is to be taken off.
    reliability
        Of single indexes, by name.
    """

    wanted: bool
    reliability: Mapping[str, float]

    @classmethod
    def of(
        cls,
        measurement_error: str,
        reliability: float | Mapping[str, float] | None,
        index: str,
        fit: Fit | None,
    ) -> Given:
        """Check the options; a number is the reliability of `index`.

        Raises
        ------
        OptionError
            When an option is not what it can be, or a reliability is given where a covariance
            structure has its own.
        """
        choose("measurement_error", measurement_error, ["corrected", "ignored"])
        by_name = reliability if isinstance(reliability, Mapping) else {index: reliability}
        given: dict[str, float] = {}
        for name, value in by_name.items():
            if value is None:
                continue
            number = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
            if not number or not 0 < value <= 1:
                raise OptionError(
                    f"reliability={value!r} of {name!r} is no share of variance; give a number "
                    "above 0 and up to 1, such as 0.85."
                )
            known = (index,) if fit is None else fit.model.construct_names
            if name not in known:
                raise OptionError(
                    f"reliability= names {name!r}, which is no index here{suggest(name, known)}; "
                    f"use {listed(map(repr, known), 12)}."
                )
            given[name] = float(value)
        if given and fit is not None and fit.estimator.has_error_variances:
            raise OptionError(
                f"reliability= does not go with a fit by {fit.estimator.label}, whose model has "
                "error variances of its own; fix the error variance of the item in the model."
            )
        return cls(measurement_error == "corrected", given)


def corrected(source: Drawn, fit: Fit | None, given: Given) -> tuple[Drawn, Finding | None]:
    """Take measurement error off the indexes of a regression, in the estimate and in every draw.

    Returns
    -------
    The same draws with reliabilities, or as they were where that is not possible; and what the
    numbers are known to fall short by, or None.
    """
    names = source.rep.indexes
    reliabilities = _reliabilities(source, fit, given)
    if reliabilities is None:
        return source, Finding(
            "reliability-unknown",
            "Nothing here tells how reliable the index of {index} is, so it counts as without "
            "error: what a point is worth falls short by about the share of the index's variance "
            "that is error; give reliability= from a "
            "study that asked twice.",
            names,
            values={"index": names[0]},
        )
    own, drawn = reliabilities
    for name, value in zip(names, own, strict=True):
        if not 0 < value <= 1 + 1e-12:
            return source, Finding(
                "impossible-reliability",
                "The reliability of the index of {index} came out as {value:.3g}, which cannot be, "
                "so it counts as without error: what a point is worth falls short by a share that "
                "these data do not tell; give reliability= from a study that asked twice.",
                (name,),
                values={"index": name, "value": float(value)},
            )
    short = 100.0 * (1.0 - float(own[0]))
    columns = source.rep.regression.sample.layout.columns
    if any(power > 1 for column in columns for part in column for power in part.powers):
        return source, Finding(
            "bend-not-corrected",
            "The regression bends in the index, and such a curve is not corrected for measurement "
            "error: {percent:.0f} % of the variance of the index of {index} is error, and what a "
            "point is worth falls short by about as much.",
            names,
            values={"index": names[0], "percent": short},
        )
    if (own == 1).all():
        marked = (
            np.zeros(0, dtype=bool) if fit is None else np.isin(fit.model.construct_names, names)
        )
        unknown = (
            () if fit is None else without_reliability(fit.solution, marked, given.reliability)
        )
        return source, error_free(unknown)
    turned = replace(source, reliability=(own, drawn))
    if not np.isfinite(turned.curve()).all():
        return source, Finding(
            "curve-not-corrected",
            "No curve over the true index has the means that were seen, so measurement error is "
            "left in: {percent:.0f} % of the variance of the index of {index} is error, and what a "
            "point is worth falls short by about as much.",
            names,
            values={"index": names[0], "percent": short},
        )
    return turned, error_free(_unknown(source, fit, given))


def _unknown(source: Drawn, fit: Fit | None, given: Given) -> tuple[str, ...]:
    """Return which indexes of the regression count as without error, unknown as it is."""
    if fit is None:
        return ()
    marked = np.isin(fit.model.construct_names, source.rep.indexes)
    return without_reliability(fit.solution, marked, given.reliability)


def error_free(names: tuple[str, ...]) -> Finding | None:
    """Say that some indexes count as without error, and what that means; None for none."""
    if not names:
        return None
    single = (
        "The index of {names} counts as without error, because answers to a single question or a "
        "formative construct do not tell how reliable it is: what a point is worth falls short by "
        "about the share of that index's variance that is error; give reliability= from a "
        "study that asked twice."
    )
    several = (
        "The indexes of {names:12} count as without error, because answers to a single question "
        "or a formative construct do not tell how reliable it is: what a point is worth falls "
        "short by about the share of each index's variance that is error; give reliability= from a "
        "study that asked twice."
    )
    return Finding(
        "counts-as-without-error",
        single if len(names) == 1 else several,
        names,
        values={"names": names},
    )


def inadmissible_effect(effects: Effects, driver: str, target: str, place: int) -> Finding:
    """Say that the effect of a driver stays as measured, as there is no admissible solution."""
    own = float(effects.reliability[place])
    known = 0 < own <= 1
    return Finding(
        "effect-not-corrected",
        "Without measurement error the model has no admissible solution, so the effect of {driver} "
        "on {target} is taken as measured: {percent:.0f} % of the variance of the index of "
        "{driver} is error, and what a point is worth falls short by about as much."
        if known
        else "Without measurement error the model has no admissible solution, so the effect of "
        "{driver} on {target} is taken as measured: what a point is worth falls short by a share "
        "that these data do not tell.",
        (driver, target),
        values={"driver": driver, "target": target, "percent": 100.0 * (1.0 - own)},
    )


def _reliabilities(source: Drawn, fit: Fit | None, given: Given) -> tuple[Floats, Floats] | None:
    """Return reliabilities of the indexes, of the estimate and in every draw; None if unknown."""
    names = source.rep.indexes
    if fit is None:
        if any(name not in given.reliability for name in names):
            return None
        own = np.array([given.reliability[name] for name in names])
        return own, np.broadcast_to(own, (source.size, len(names)))
    places = [fit.model.construct_names.index(name) for name in names]
    own = true_effects(fit.solution, given.reliability).reliability[places]
    if source.draws is None:
        return own, np.broadcast_to(own, (source.size, len(names)))
    solution = source.draws.bootstrap.solution[source.draws.usable]
    return own, true_effects(solution, given.reliability).reliability[:, places]
