"""What a shape is fitted to: which index, which regression, which columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from csimodel.errors import EstimationError, OptionError, suggest
from csimodel.findings import Finding
from csimodel.outcomes.design.basis import KNOTS, Basis, quantiles_of
from csimodel.outcomes.design.layout import Layout
from csimodel.outcomes.kernels.families import FRACTIONAL_LOGIT
from csimodel.outcomes.models.regression import regress
from csimodel.outcomes.models.result import Repurchase, require_repurchase


def which(rep: Repurchase, index: str | None) -> int:
    """Return the position of an index, the first by default.

    Raises
    ------
    OptionError
        When it is not in the regression.
    """
    name = rep.indexes[0] if index is None else index
    if name not in rep.indexes:
        raise OptionError(
            f"index={name!r} is not in this regression{suggest(str(name), rep.indexes)}; "
            f"use one of {', '.join(map(repr, rep.indexes))}."
        )
    return rep.indexes.index(name)


def plain(rep: Repurchase) -> tuple[Repurchase, tuple[Finding, ...]]:
    """Return a regression that shapes can be fitted to, and what had to be changed for it.

    Raises
    ------
    EstimationError
        When the regression has no solution.
    OptionError
        When its family or design is not one of means and single columns.
    """
    rep = require_repurchase(rep)
    family, sample = rep.family, rep.regression.sample
    if not rep.converged:
        raise EstimationError(
            f"The regression of {rep.outcome!r} has no solution ({rep.regression.ending.reason}), "
            "so there is no shape to look at; use family='ols' or fewer regressors."
        )
    if family.outcome == "ordered":
        raise OptionError(
            f"family={family.name!r} explains categories, and shapes are of one probability; use "
            "family='fractional-logit', or an outcome of 0 and 1."
        )
    if sample.formula_layout not in (None, Layout.plain(len(rep.indexes), sample.factors.shape[1])):
        raise OptionError(
            "The regression has a formula in which indexes are multiplied or bent already; shapes "
            "need indexes= and controls= instead."
        )
    if family.further:
        straight = regress(sample, FRACTIONAL_LOGIT, rep.errors)
        told = Finding(
            "mean-only",
            "The {given} was fitted as a {used} here: the same curve of the mean, "
            "without an assumption about the spread.",
            severity="note",
            values={"given": family.label, "used": FRACTIONAL_LOGIT.label},
        )
        return replace(rep, regression=straight), (told,)
    return rep, ()


def basis_of(
    rep: Repurchase, moved: int, kind: str, knots: int | float | Sequence[float] | None
) -> Basis:
    """Return the columns that a kind and its knots ask for.

    Raises
    ------
    OptionError
        For knots that are no rising points, too few, or not wanted.
    """
    sample, name = rep.regression.sample, rep.indexes[moved]
    if kind == "quadratic" and knots is None:
        return Basis("quadratic")
    if kind in ("quadratic", "isotonic"):
        raise OptionError(
            f"knots={knots!r} has no meaning for kind={kind!r}; leave it out, or use kind='spline'."
        )
    if kind == "hinge":
        points = np.atleast_1d(np.asarray(knots, dtype=float))
        if points.shape != (1,) or not 0 < points[0] < 100:
            raise OptionError(
                f"knots={knots!r} must be one threshold between 0 and 100 for kind='hinge'; leave "
                "it out to have it estimated."
            )
        return Basis("hinge", (float(points[0]),))
    number = 4 if knots is None else knots
    if isinstance(number, int | np.integer):
        if number not in KNOTS:
            raise OptionError(
                f"knots={knots!r} must be from 3 to 7, or a list of at least 3 index points."
            )
        points = np.unique(quantiles_of(sample.regressors[:, moved], sample.share, KNOTS[number]))
        if len(points) < 3:
            raise EstimationError(
                f"The index of {name!r} is heaped so that {number} knots at its quantiles fall on "
                f"{len(points)} values; give at least 3 index points as knots=[…]."
            )
        return Basis("spline", tuple(points.tolist()))
    points = np.asarray(number, dtype=float).ravel()
    if len(points) < 3 or not (np.isfinite(points).all() and (np.diff(points) > 0).all()):
        raise OptionError(f"knots={knots!r} must be at least 3 index points in rising order.")
    return Basis("spline", tuple(points.tolist()))
