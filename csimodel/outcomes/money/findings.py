"""What a reader must know about the probabilities that money rests on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from csimodel.errors import OptionError
from csimodel.findings import Finding
from csimodel.inference import about_lost
from csimodel.outcomes.models.levels import on_index
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.money.draws import CustomerAverages, Drawn, Place


def require_levels(*levels: float) -> None:
    """Refuse levels outside 0 to 100."""
    on_index(list(levels))


def about_place(
    source: Drawn, moved: int, place: Place, averages: CustomerAverages
) -> Iterator[Finding]:
    """Point out what no probability is, and a level that nobody was seen at.

    Raises
    ------
    OptionError
        When the average prediction is outside 0 to 1.
    """
    rep, points = source.rep, place.points[0]
    name, estimate = rep.indexes[moved], averages.probability[0]
    if not -1e-9 <= estimate <= 1.0 + 1e-9:
        if place.alike:
            raise OptionError(
                f"The {rep.family.label} regression predicts a probability of {estimate:.3f} at an "
                f"index of {points:g}, which is outside 0 to 1; use family='fractional-logit', or "
                "a level nearer to the data."
            )
        where = f"after {points:.4g} points" if points else "for customers as they are"
        raise OptionError(
            f"The {rep.family.label} regression predicts an average probability of {estimate:.3f} "
            f"{where}, which is outside 0 to 1; use family='fractional-logit', or fewer points."
        )
    if place.alike:
        yield from _extrapolated(rep, moved, points)
    drawn = averages.probability[1]
    outside = int(((drawn < 0) | (drawn > 1)).sum())
    if outside:
        yield Finding(
            "draws-outside-0-1",
            "At an index of {points:.4g}, {outside} of {draws} draws {outside:predicts|predict} "
            "a probability outside 0 to 1 and {outside:was|were} set to the nearer end; "
            "family='fractional-logit' keeps to 0 to 1."
            if place.alike
            else "After {points:.4g} points, {outside} of {draws} draws "
            "{outside:predicts|predict} a probability outside 0 to 1 and "
            "{outside:was|were} set to the nearer end; family='fractional-logit' keeps "
            "to 0 to 1.",
            (name,),
            count=outside,
            values={"points": points, "outside": outside, "draws": len(drawn)},
        )
    share = averages.outside[0]
    if share > 0 and not (place.alike and share == 1):
        yield Finding(
            "customers-outside-0-1",
            "For {percent:.1f} % of the customers the {family} predicts a probability outside 0 to "
            "1, and each of them was set to the nearer end; family='fractional-logit' keeps to 0 "
            "to 1.",
            (name,),
            values={"percent": 100.0 * share, "family": rep.family.label},
        )


def about_draws(averages: CustomerAverages) -> Iterator[Finding]:
    """Count the draws that have no value."""
    drawn = averages.probability[1]
    lost = int(np.isnan(drawn).sum())
    finding = Finding(
        "lost-draws",
        "{lost} of {draws} draws {lost:has|have} no value without measurement error; intervals "
        "rest on the others and may be too narrow.",
        values={"lost": lost, "draws": len(drawn)},
    )
    yield from about_lost(finding, lost, len(drawn))


def about_outcome(rep: Repurchase) -> Iterator[Finding]:
    """Say when what is called a probability is a rating, and pass on what forbids its use.

    And how rough errors from few units of the sample are.
    """
    sample = rep.regression.sample
    if sample.ordering is not None or not np.isin(sample.outcome, (0.0, 1.0)).all():
        yield rating_as_probability(rep.outcome)
    if rep.draws is not None:
        yield from rep.draws.bootstrap.fit.require_answers("money").design.findings
    yield from (finding for finding in rep.findings if finding.severity == "failure")


def rating_as_probability(outcome: str) -> Finding:
    """Say that what is called a probability is a rating."""
    return Finding(
        "rating-as-probability",
        "{outcome!r} is an answer on a scale, not a purchase, and is taken as the probability of "
        "staying; compare with retention seen in your books.",
        (outcome,),
        values={"outcome": outcome},
    )


def _extrapolated(rep: Repurchase, moved: int, level: float) -> Iterator[Finding]:
    seen = rep.regression.sample.regressors[:, moved]
    low, high = float(seen.min()), float(seen.max())
    if not low - 1e-9 <= level <= high + 1e-9:
        yield Finding(
            "extrapolation",
            "An index of {level:.4g} lies outside what was observed ({low:.4g} to {high:.4g}), so "
            "what happens there is the formula's guess.",
            (rep.indexes[moved],),
            values={"level": level, "low": low, "high": high},
        )
