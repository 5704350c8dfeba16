"""What a reader must know about a shape, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from csimodel.findings import Finding
from csimodel.inference import about_lost
from csimodel.outcomes.models.shape.curved_fit import Bend
from csimodel.outcomes.models.shape.hinge import Hinge
from csimodel.outcomes.models.shape.isotonic import Steps


def about(
    fitted: Bend | Hinge | Steps, table: pd.DataFrame, tests: pd.DataFrame, index: str
) -> Iterator[Finding]:
    """Point out what lies outside the data, what is not located, and draws lost."""
    if isinstance(fitted, Steps):
        yield from _steps(fitted, index)
        return
    base = fitted.bend if isinstance(fitted, Hinge) else fitted
    x = base.repurchase.regression.sample.regressors[:, base.resamples.moved]
    low, high = float(x.min()), float(x.max())
    yield from _knots(base, index, low, high)
    if isinstance(fitted, Hinge):
        yield from _unsolved(fitted, index)
        yield from _edge(fitted, index)
        p = float(tests["p"].iloc[0])
        if p >= 1.0 - base.repurchase.level:
            yield Finding(
                "threshold-not-shown",
                "The test does not show that the effect of {index!r} changes anywhere "
                "({p:p}), so the threshold, the change and their intervals mean little.",
                (index,),
                values={"index": index, "p": p},
            )
        yield from _lost(int((~fitted.usable).sum()), len(fitted.usable))
        return
    if base.basis.kind == "quadratic":
        yield from _turning(table, index, low, high)
    if base.draws is not None:
        yield from _lost(int((~np.isfinite(base.draws).all(axis=1)).sum()), len(base.draws))


def _knots(base: Bend, index: str, low: float, high: float) -> Iterator[Finding]:
    knots = base.basis.knots
    outside = [f"{knot:g}" for knot in knots if not low <= knot <= high]
    if outside and base.basis.kind == "spline":
        yield Finding(
            "knots-outside",
            "Knots at {outside} lie outside the index of {index!r} as observed "
            "({low:.1f} to {high:.1f}), where no customer tells how the curve runs.",
            (index,),
            count=len(outside),
            values={"outside": tuple(outside), "index": index, "low": low, "high": high},
        )


def _turning(table: pd.DataFrame, index: str, low: float, high: float) -> Iterator[Finding]:
    point, lower, upper = (
        float(table[name].loc["turning point"]) for name in ("estimate", "lower", "upper")
    )
    if not low <= point <= high:
        yield Finding(
            "turning-point-outside",
            "The turning point {point:.1f} lies outside the index of {index!r} as "
            "observed ({low:.1f} to {high:.1f}): the curve bends but does not turn "
            "among these customers.",
            (index,),
            "note",
            values={"point": point, "index": index, "low": low, "high": high},
        )
    if not (np.isfinite(lower) and np.isfinite(upper)):
        yield Finding(
            "turning-point-not-located",
            "The curvature of {index!r} is too uncertain to say where a turning "
            "point would be; its interval has no end.",
            (index,),
            "note",
            values={"index": index},
        )


def _unsolved(fitted: Hinge, index: str) -> Iterator[Finding]:
    without = fitted.grid[~fitted.solved]
    if len(without):
        yield Finding(
            "thresholds-without-solution",
            "{count} of {grid} thresholds tried, from {lowest:.1f} to {highest:.1f}, "
            "{count:gives|give} no finite change of slope, mostly because everybody beyond "
            "answers alike; the best threshold of {index!r} is sought among the others, so a "
            "change there is not seen. family='ols' has a solution at all of them.",
            (index,),
            count=len(without),
            values={
                "count": len(without),
                "grid": len(fitted.grid),
                "lowest": without.min(),
                "highest": without.max(),
                "index": index,
            },
        )


def _edge(fitted: Hinge, index: str) -> Iterator[Finding]:
    step = fitted.grid[1] - fitted.grid[0]
    if not fitted.grid[0] + step / 2 < fitted.threshold < fitted.grid[-1] - step / 2:
        yield Finding(
            "threshold-at-edge",
            "The best threshold {threshold:.1f} of {index!r} lies at the edge of "
            "those tried ({first:.1f} to {grid:.1f}); a change may be nearer the end "
            "of the scale, or there is none.",
            (index,),
            values={
                "threshold": fitted.threshold,
                "index": index,
                "first": fitted.grid[0],
                "grid": fitted.grid[-1],
            },
        )


def _lost(lost: int, total: int) -> tuple[Finding, ...]:
    finding = Finding(
        "lost-draws",
        "{count} of {total} draws {count:has|have} no bent regression; intervals rest on the "
        "others and may be too narrow.",
        values={"count": lost, "total": total},
    )
    return about_lost(finding, lost, total)


def _steps(fitted: Steps, index: str) -> Iterator[Finding]:
    others = [name for name in fitted.repurchase.regression.sample.names if name != index]
    if others:
        yield Finding(
            "others-ignored",
            "The isotonic curve is of {index!r} alone; {names} enter the regression "
            "it is compared with, not the curve.",
            tuple(others),
            "note",
            values={"index": index, "names": tuple(map(repr, others))},
        )
    if not fitted.rising:
        yield Finding(
            "falling",
            "Repurchase falls with {index!r} in the regression, so the isotonic "
            "curve falls too; check whether the outcome counts the other way round.",
            (index,),
            values={"index": index},
        )
