"""Simple slopes of a moderated or curved effect, and where they differ from zero.

With products the slope of a target on a source is a polynomial in a moderator, whose coefficients
are paths. For ``S ~ Q + V + Q:V`` it is ``b_Q + b_QV v``, for ``S ~ Q + Q^2`` it is
``b_Q + 2 b_QQ q``; what else the source is multiplied with is at its mean, 0.

References
----------
Aiken, L. S., West, S. G. (1991). Multiple Regression: Testing and Interpreting Interactions. Sage.

Bauer, D. J., Curran, P. J. (2005). Probing interactions in fixed and multilevel regression:
inferential and graphical techniques. Multivariate Behavioral Research 40(3), 373-400.
https://doi.org/10.1207/s15327906mbr4003_5
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.assessment.moderation import ModeratedEffect
from csimodel.assessment.structure import f2
from csimodel.errors import OptionError, choose
from csimodel.estimators import Fit, Quantity, Solution, require_fit, require_own
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate
from csimodel.inference import FitErrors, infer, linearize
from csimodel.inference.influence import without_influence
from csimodel.inference.intervals import INTERVALS
from csimodel.inference.replicates import errors_of_design
from csimodel.inference.sources import StandardErrors
from csimodel.options import require_array, require_level, shown
from csimodel.page import HasPage, Page, Section

Floats = NDArray[np.float64]

_POINTS = 201  # of the moderator at which slopes are looked at
_BETWEEN = 41  # points between two of them where a limit passes zero
_SHOWN = (
    "The effect of {source!r} on {target!r} changes by {change:+.3f} with a standard deviation of "
    "{at!r} ({percent:g} % interval {lower:.3f} to {upper:.3f})."
)
_NOT_SHOWN = (
    "These data do not show that the effect of {source!r} on {target!r} depends on {at!r}: with a "
    "standard deviation of it the effect changes by {change:+.3f} ({percent:g} % interval "
    "{lower:.3f} to {upper:.3f})."
)


@dataclass(frozen=True, eq=False, repr=False)
class SimpleSlopes(HasPage):
    """Slopes of a target on a source at levels of a moderator; made by `simple_slopes`.

    Attributes
    ----------
    fit, effect
        What was fitted, and which effect it is of.
    table
        A row a level of the moderator, in its standard deviations from its mean: estimate, se, df,
        lower, upper, p and reason.
    products
        A row a product, unstandardised (per unit of the product of standardised scores) and
        standardised (the product in standard deviations, too), with f².
    curve
        Slopes over the range of the moderator that was observed, as in `table`.
    regions
        Johnson-Neyman: where in that range the slope differs from zero. Columns lower and upper,
        effect (``"positive"``, ``"negative"`` or ``"not shown"``) and share of respondents there.
    findings
        Whether the effect is shown to depend on the moderator.
    level
        Coverage of the limits.
    """

    fit: Fit
    effect: ModeratedEffect
    table: pd.DataFrame
    products: pd.DataFrame
    curve: pd.DataFrame
    regions: pd.DataFrame
    findings: tuple[Finding, ...]
    level: float

    @property
    def page(self) -> Page:
        """The slopes on a page."""
        own = self.effect
        return Page(
            text(
                "Effect of {source} on {target} at levels of {at}",
                source=own.source,
                target=own.target,
                at=own.at,
            ),
            facts=(text("Levels are standard deviations of {at} from its mean.", at=own.at),),
            findings=self.findings,
            clean="",
            sections=(
                Section(text("Simple slopes"), self.table, decimals=3),
                Section(text("Products"), self.products, decimals=3),
                Section(text("Where the slope differs from zero"), self.regions, decimals=3),
            ),
        )


@own_errstate
@checked
def simple_slopes(
    fit: Fit,
    target: str,
    source: str,
    at: str | None = None,
    bootstrap: FitErrors | None = None,
    level: float = 0.95,
    interval: str = "auto",
    *,
    levels: Sequence[float] = (-1.0, 0.0, 1.0),
) -> SimpleSlopes:
    r"""Return the effect of a source on a target at levels of a moderator, and where it is zero.

    Parameters
    ----------
    fit
        Of a model with products, such as ``Satisfaction ~ Quality + Value + Quality:Value``.
    target, source
        Constructs; the slope is the change of the target in its standard deviations for a small
        change of the source in its own.
    at
        The moderator, or the source itself for a curve; may be left out where there is one.
    bootstrap
        Draws of this fit, or errors by `linearize`, which are the default.
    level
        Coverage of the limits.
    interval
        Kind of interval, as in `Bootstrap.table`.
    levels
        Values of the moderator, in standard deviations from its mean.

    Raises
    ------
    ModelError
        When a construct is not in the model, or no product makes the effect depend on another.
    OptionError
        When the source is the target, `at` is left out and there are several, levels are no finite
        numbers, or the bootstrap belongs to another fit.
    EstimationError
        When the fit has no solution.

    Notes
    -----
    Limits hold at each value of the moderator, not at all values together. They are found at 201
    values over the observed range, and finer where a limit passes zero.

    Examples
    --------
    >>> import csimodel as csi
    >>> text = csi.models.ecsi().to_syntax() + "\nLoyalty ~ Image:Satisfaction"
    >>> fit = csi.fit(csi.Model.from_syntax(text), csi.load_mobi())
    >>> slopes = csi.simple_slopes(fit, "Loyalty", "Image", at="Satisfaction")
    >>> slopes.table["estimate"].round(3).tolist()
    [0.288, 0.184, 0.08]
    """
    fit = require_fit(fit, "simple_slopes")
    level = require_level(level)
    choose("interval", interval, INTERVALS)
    require_own(bootstrap, fit, drawn=False)
    values = _levels(levels)
    fit.require_converged("simple_slopes")
    effect = ModeratedEffect.of(fit.model, target, source, at)
    errors = _Errors(fit, effect, bootstrap or errors_of_design(fit), level, interval)
    scores = fit.scores[effect.at].to_numpy()
    grid = np.linspace(np.nanmin(scores), np.nanmax(scores), _POINTS)
    points = pd.Index(np.concatenate([values, grid]), name=effect.at)
    whole = errors.table(points.to_numpy())
    slopes = whole.iloc[: len(points)].set_axis(points)
    rest = whole.iloc[len(points) :]
    curve = slopes.iloc[len(values) :]
    return SimpleSlopes(
        fit,
        effect,
        slopes.iloc[: len(values)],
        _of_products(fit, effect, rest.iloc[1:]),
        curve,
        _regions(errors, curve, scores),
        tuple(_dependence(effect, rest.iloc[0], level)),
        level,
    )


@dataclass(frozen=True, eq=False)
class _Errors:
    """Errors of an effect from draws, or linearised."""

    fit: Fit
    effect: ModeratedEffect
    source: FitErrors | None
    level: float
    interval: str

    def table(self, values: Floats) -> pd.DataFrame:
        """Return slopes at values of the moderator, the change, and the paths of products."""
        effect = self.effect

        def entries(solution: Solution) -> Floats:
            parts = (effect.slopes(solution, values), effect.change(solution))
            return np.concatenate([*parts, effect.of_products(solution)], axis=-1)

        labels = pd.RangeIndex(len(values) + 1 + 2 * len(effect.products))
        quantity = Quantity("simple_slopes", lambda _: labels, entries)
        source = self.source
        if source is None:
            if reason := without_influence(self.fit):
                none = StandardErrors.none(len(labels), reason)
                return infer(labels, entries(self.fit.solution), none, self.level)
            source = linearize(self.fit)
        return source.table(quantity, self.interval, self.level)


def _of_products(fit: Fit, effect: ModeratedEffect, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the paths of the products with their effect sizes."""
    units = ["unstandardized", "standardized"]
    labels = pd.MultiIndex.from_product([effect.products, units], names=["product", "unit"])
    table = rows.set_axis(labels)
    targets, sources = np.nonzero(fit.model.adjacency)
    pairs = [
        (fit.model.construct_names[t], fit.model.construct_names[s])
        for t, s in zip(targets, sources, strict=True)
    ]
    sizes = f2(fit.solution)
    own = [float(sizes[pairs.index((effect.target, name))]) for name in effect.products]
    table.insert(1, "f2", np.repeat(own, 2))
    return table


def _regions(errors: _Errors, curve: pd.DataFrame, scores: Floats) -> pd.DataFrame:
    """Return where the slope differs from zero, from limits that pass zero."""
    at = curve.index.to_numpy(dtype=np.float64)
    limits = curve[["lower", "upper"]].to_numpy()
    if not np.isfinite(limits).all():
        return pd.DataFrame(columns=["lower", "upper", "effect", "share"])
    passing = np.argwhere(limits[:-1] * limits[1:] < 0)
    borders = [at[0], at[-1]]
    if len(passing):
        finer = np.stack([np.linspace(at[i], at[i + 1], _BETWEEN) for i, _ in passing])
        table = errors.table(finer.ravel()).iloc[: finer.size]
        for points, ends, (_, side) in zip(
            finer,
            table[["lower", "upper"]].to_numpy().reshape(*finer.shape, 2),
            passing,
            strict=True,
        ):
            borders.append(_zero(points, ends[:, side]))
    borders.sort()
    weights = errors.fit.require_answers("simple_slopes").weights
    weights = np.ones(len(scores)) if weights is None else weights
    rows = []
    for low, high in pairwise(borders):
        lower, upper = (np.interp((low + high) / 2.0, at, limits[:, side]) for side in (0, 1))
        effect = "positive" if lower > 0 else "negative" if upper < 0 else "not shown"
        inside = (scores >= low) & ((scores < high) | (high == borders[-1]))
        share = float(weights[inside].sum() / weights.sum())
        rows.append({"lower": low, "upper": high, "effect": effect, "share": share})
    return pd.DataFrame(rows)


def _zero(points: Floats, values: Floats) -> float:
    """Return where values pass zero, between the two points about it."""
    first = int(np.flatnonzero(np.sign(values[:-1]) != np.sign(values[1:]))[0])
    a, b = values[first], values[first + 1]
    return float(points[first] + (points[first + 1] - points[first]) * a / (a - b))


def _dependence(effect: ModeratedEffect, row: pd.Series, level: float) -> Iterator[Finding]:
    """Say whether the slope is shown to change with the moderator."""
    lower, upper = float(row["lower"]), float(row["upper"])
    if (
        not any(power == 1 for _, power, _ in effect.powers)
        or not np.isfinite([lower, upper]).all()
    ):
        return
    different = lower > 0 or upper < 0
    names = {"source": effect.source, "target": effect.target, "at": effect.at}
    limits = {"percent": 100.0 * level, "lower": lower, "upper": upper}
    yield Finding(
        "effect-depends" if different else "effect-not-shown-to-depend",
        _SHOWN if different else _NOT_SHOWN,
        (effect.source, effect.target, effect.at),
        "note",
        values={**names, "change": float(row["estimate"]), **limits},
    )


def _levels(levels: Sequence[float]) -> Floats:
    """Return the levels of a moderator as numbers."""
    values = require_array("levels", levels, "standard deviations of the moderator")
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise OptionError(
            f"levels={shown(levels)} must be finite numbers of standard deviations, such as "
            "(-1, 0, 1)."
        )
    return values
