"""What a reader must know about corrected slopes, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import THRESHOLDS
from csimodel.findings import Finding
from csimodel.inference import about_lost
from csimodel.outcomes.measurement_error.reliability import Reliability

Floats = NDArray[np.float64]

_FAR = THRESHOLDS["corrected over naive slope"].value
_WHOLE = THRESHOLDS["change over the whole index"].value  # of probability
_APART = THRESHOLDS["extrapolations apart"].value
_NO_SLOPE = {  # by method, or why there is none
    "unusable": (
        "There is no slope of {index} by {method!r}, because the reliability is no share of "
        "variance; give another reliability."
    ),
    "simex": (
        "There is no slope of {index} by {method!r}, because its curve cannot be extrapolated to "
        "no error; use another method."
    ),
    "croon": (
        "There is no slope of {index} by {method!r}, because its factor analysis has no solution; "
        "use another method."
    ),
    "sem": (
        "There is no slope of {index} by {method!r}, because its covariance structure has no "
        "solution; use another method."
    ),
    "explained": (
        "There is no slope of {index} by {method!r}, because what is left of the index's variance "
        "explains nothing; use another method."
    ),
}


def about_slopes(
    effects: Mapping[str, float], index: str, outcome: str, reliability: Reliability
) -> Iterator[Finding]:
    """Point out methods without a slope, and slopes that cannot well be.

    Parameters
    ----------
    effects
        Average marginal effect of the index by method, the naive one included.
    index, outcome, reliability
        Names and the reliability used.
    """
    naive = effects["naive"]
    for method, effect in effects.items():
        if method == "naive":
            continue
        if not np.isfinite(effect):
            case = method if reliability.usable else "unusable"
            yield Finding(
                "no-corrected-slope",
                _NO_SLOPE[case if case in _NO_SLOPE else "explained"],
                (method, index),
                "failure",
                values={"index": index, "method": method},
            )
        elif effect * naive < 0 or abs(effect) > _FAR * abs(naive) or abs(effect) * 100 > _WHOLE:
            yield Finding(
                "implausible-slope",
                "The slope of {index} by {method!r}, {corrected:.2f} percentage points of "
                "{outcome} a point against {measured:.2f} as measured, is hard to "
                "believe; doubt the reliability, or regressors that overlap.",
                (method, index),
                values={
                    "index": index,
                    "method": method,
                    "corrected": 100 * effect,
                    "outcome": outcome,
                    "measured": 100 * naive,
                },
            )


def about_simex(rational: float, quadratic: float, index: str) -> Iterator[Finding]:
    """Point out extrapolations that disagree."""
    if np.isfinite(rational) and abs(quadratic - rational) > _APART * abs(rational):
        yield Finding(
            "shaky-extrapolation",
            "SIMEX for {index} depends on how its curve is continued: {hyperbola:.3f} "
            "percentage points a point by a hyperbola, {parabola:.3f} by a parabola, "
            "which falls short when the error is large; do not rest on SIMEX alone.",
            (index,),
            values={"index": index, "hyperbola": 100 * rational, "parabola": 100 * quadratic},
        )


def about_items(method: str, outcome: str) -> Finding:
    """Say that a model of the items has an error variance below 0."""
    return Finding(
        "negative-error-variance",
        "By {method!r} a question, or {outcome} itself, has an error variance "
        "below 0, so its slope is not to be relied on; look for questions that "
        "say nearly the same.",
        (method,),
        values={"method": method, "outcome": outcome},
    )


def about_draws(
    draws: Mapping[str, Floats], inadmissible: Mapping[str, int], total: int
) -> Iterator[Finding]:
    """Count the draws in which a method has no slope, or one that cannot be.

    Parameters
    ----------
    draws
        Slopes by method, (draws, indexes).
    inadmissible
        Draws with a negative error variance, by method.
    total
        Draws asked for.
    """
    for method, estimates in draws.items():
        lost = int((~np.isfinite(estimates)).any(axis=1).sum())
        finding = Finding(
            "lost-draws",
            "{count} of {draws} draws {count:has|have} no slope by {method!r}; its interval "
            "rests on the others and may be too narrow.",
            (method,),
            values={"count": lost, "draws": len(estimates), "method": method},
        )
        yield from about_lost(finding, lost, total)
    for method, count in inadmissible.items():
        if count:
            yield Finding(
                "inadmissible-draws",
                "{count} of {total} draws {count:has|have} an error variance below 0 by "
                "{method!r} and {count:was|were} kept.",
                (method,),
                "warning" if count < 0.5 * total else "failure",
                count,
                values={"count": count, "total": total, "method": method},
            )
