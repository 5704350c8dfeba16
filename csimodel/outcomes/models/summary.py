"""What the page of a repurchase regression says: its sentence and what it rests on."""

from __future__ import annotations

import numpy as np

from csimodel.findings import text
from csimodel.outcomes.models.estimate import Estimate
from csimodel.outcomes.models.regression import Regression
from csimodel.outcomes.rows.sample import Sample

CLEAN = "No findings: converged, nobody left out, predictions between 0 and 1."
_SENTENCES = {  # whether it is more, whether other regressors are there
    (True, False): (
        "Each point of {index} goes with {points:.2f} percentage points more of {event} "
        "({level:g} % interval {lower:.2f} to {upper:.2f})."
    ),
    (False, False): (
        "Each point of {index} goes with {points:.2f} percentage points less of {event} "
        "({level:g} % interval {lower:.2f} to {upper:.2f})."
    ),
    (True, True): (
        "Each point of {index} goes with {points:.2f} percentage points more of {event} "
        "({level:g} % interval {lower:.2f} to {upper:.2f}), other regressors "
        "held as they are."
    ),
    (False, True): (
        "Each point of {index} goes with {points:.2f} percentage points less of {event} "
        "({level:g} % interval {lower:.2f} to {upper:.2f}), other regressors "
        "held as they are."
    ),
}


def event_of(sample: Sample) -> str:
    """Return what the outcome is, such as ``REPUR`` or ``REPUR of 6 or more``."""
    if sample.cut is None:
        return sample.label
    return text("{outcome} of {cut:g} or more", outcome=sample.label, cut=sample.cut)


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
        return text(
            "There is no finite effect of {name} on {outcome}.", name=index, outcome=sample.label
        )
    points = 100.0 * float(effect)
    # Limits are told in the direction of the effect, so that "less" keeps its sign.
    toward = 1.0 if points >= 0 else -1.0
    ends = sorted(100.0 * toward * end for end in (effect.lower, effect.upper))
    return text(
        _SENTENCES[points >= 0, len(sample.names) > 1],
        index=index,
        points=abs(points),
        event=event_of(sample),
        level=100 * level,
        lower=ends[0],
        upper=ends[1],
    )


def facts_of(regression: Regression, interval_kind: str) -> tuple[str, ...]:
    """Say what the regression rests on, a line each."""
    sample = regression.sample
    mean = float(sample.share @ sample.outcome)
    cut = sample.cut
    what = text("{event} counts as yes (cut={cut})", event=event_of(sample), cut=f"{cut or 0:g}")
    return (
        text(
            "{family}, {n} respondents, survey weights; mean outcome {mean:.3f}"
            if sample.weighted
            else "{family}, {n} respondents; mean outcome {mean:.3f}",
            family=regression.family.label,
            n=sample.n,
            mean=mean,
        ),
        *(() if cut is None else (what,)),
        interval_kind,
    )
