"""What the page of a repurchase regression says: its sentence and what it rests on."""

from __future__ import annotations

import numpy as np

from csimodel.outcomes.models.estimate import Estimate
from csimodel.outcomes.models.regression import Regression
from csimodel.outcomes.rows.sample import Sample

CLEAN = "No findings: converged, nobody left out, predictions between 0 and 1."


def event_of(sample: Sample) -> str:
    """Return what repurchase is, such as ``REPUR`` or ``REPUR of 6 or more``."""
    return sample.label if sample.cut is None else f"{sample.label} of {sample.cut:g} or more"


def headline_of(effect: Estimate, sample: Sample, level: float) -> str:
    """Say what a point of the index goes with.

    Parameters
    ----------
    effect
        Average change of probability per index point.
    sample
        The respondents.
    level
        Coverage of the interval.
    """
    index = sample.indexes[0]
    if not np.isfinite(effect):
        return f"There is no finite effect of {index} on {sample.label}."
    points = 100.0 * float(effect)
    direction = "more" if points >= 0 else "less"
    # Limits are told in the direction of the effect, so that "less" keeps its sign.
    toward = 1.0 if points >= 0 else -1.0
    ends = sorted(100.0 * toward * end for end in (effect.lower, effect.upper))
    others = ", other regressors held as they are" if len(sample.names) > 1 else ""
    return (
        f"Each point of {index} goes with {abs(points):.2f} percentage points {direction} "
        f"probability of repurchase ({event_of(sample)}; {100 * level:g} % interval "
        f"{ends[0]:.2f} to {ends[1]:.2f}){others}."
    )


def facts_of(regression: Regression, interval_kind: str) -> tuple[str, ...]:
    """Say what the regression rests on, a line each."""
    sample = regression.sample
    weighted = ", survey weights" if sample.weighted else ""
    mean = float(sample.share @ sample.outcome)
    cut = sample.cut
    counted = () if cut is None else (f"{event_of(sample)} counts as repurchase (cut={cut:g})",)
    return (
        f"{regression.family.label}, {sample.n} respondents{weighted}; mean outcome {mean:.3f}",
        *counted,
        interval_kind,
    )
