"""Influence values: what each sampled unit adds to an estimate.

Sums of products of items add up over respondents, so an estimate is a function of sums S, and what
unit u adds to it is the derivative along its own sums s_u, the change with its weight:
``T_u = d θ(S + t s_u)/dt``. Few units: two fits for each of them, along s_u. Many: the gradient
from two fits for each sum, and one pass over the answers; that by the sum of weights follows from
the others, since moments stay the same where all sums double. Both are batches of moments, fitted
at once, by central differences. Steps along a unit are such that it has the share h, or -h, of the
sample's weight, in which means are straight lines and covariances parabolas: of a function linear
in them the differences are the derivatives. Their squares give the error, without resampling:
``se² = Σ_h m_h/(m_h - 1) Σ_u (T_hu - T̄_h)²`` (the infinitesimal jackknife).

References
----------
Jaeckel, L. A. (1972). The infinitesimal jackknife. Bell Laboratories memorandum MM 72-1215-11.

Efron, B. (1982). The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6.
https://doi.org/10.1137/1.9781611970319
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import InferenceError
from csimodel.estimators import (
    Estimator,
    Fit,
    Quantity,
    Status,
    find,
    require_alone,
    require_rows,
)
from csimodel.estimators.item_fit import estimated_model
from csimodel.findings import listed
from csimodel.inference.incomplete_influence import IncompleteInfluence
from csimodel.moments import CrossProducts, Moments
from csimodel.moments.ordinal_samples import OrdinalSamples
from csimodel.moments.sum_gradient import SumGradient
from csimodel.survey import Answers
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

_STEP = 1e-4  # of the whole weight, along a sum
_WIDE_STEP = 5e-4  # the same, where a second step takes the error of the first away
_SHARE = 1e-5  # of the whole weight, along a unit, which may lie many standard deviations out
_CELLS = 2**24  # moments of perturbed samples held at once
_PAIRS = 2**30  # units times rows that products of scores are summed over
_TIGHT = 1e-12  # stopping rule of the perturbed fits


def influence_values(
    fit: Fit, quantity: str | Quantity, design: SurveyDesign | None = None
) -> Floats:
    """Return what each sampled unit adds to a quantity, (units, entries).

    Units are respondents, or clusters where the survey has them, as in ``fit.answers.design``, or
    those of another `design` of the same rows. The values sum to zero. An entry whose derivative
    has no solution is NaN throughout. Of calibrated weights (`csi.rake`) they are what is left
    once the margins are met, and units are all that have a weight (``fit.answers.first_stage``).

    Raises
    ------
    SurveyError
        When the fit was made from moments.
    InferenceError
        When the estimator needs more than moments (but full information and two stages), or weights
        jump between samples.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> values = influence_values(fit, "r2")
    >>> values.shape, bool(abs(values.sum(axis=0)).max() < 1e-6)
    ((250, 6), True)
    """
    answers = require_influence(fit, "influence_values")
    design = answers.first_stage if design is None else design
    return design.of_sources(free_influence_values(fit, quantity, design.source_units))


def free_influence_values(
    fit: Fit, quantity: str | Quantity, design: SurveyDesign | None = None
) -> Floats:
    """Return influence values as if weights had not been calibrated, (units, entries).

    Units are respondents, or those of a design.
    """
    answers = fit.require_answers("influence values")
    design = SurveyDesign.of(len(answers.values)) if design is None else design
    incomplete = IncompleteInfluence.of(fit)
    if incomplete is not None:
        values = design.totals(incomplete.values(find(quantity)))
        values[:, ~np.isfinite(values).all(axis=0)] = np.nan
        return values
    products = fit.estimator.samples_of(answers)
    refits = _Refits(fit, find(quantity))
    many = design.units > _most_units(fit, products, design)
    if isinstance(products, CrossProducts) and many:
        values = _by_gradient(refits, products, design)
    else:
        values = _along_units(refits, products, design)
    values[:, ~np.isfinite(values).all(axis=0)] = np.nan
    return values


def _most_units(fit: Fit, products: CrossProducts | OrdinalSamples, design: SurveyDesign) -> float:
    """Return up to how many units two fits for each are less work than two for each sum.

    Sums of products of scores move with the weights that they are made with, so that only fits
    along the units have them.

    Raises
    ------
    InferenceError
        For so many units and rows that nobody would wait.
    """
    if not estimated_model(fit).products:
        return float(products.pieces) if isinstance(products, CrossProducts) else np.inf
    rows = len(design.unit)
    if design.units * rows > _PAIRS:
        raise InferenceError(
            f"Influence values of a model with products pass over {rows:,} rows for each of "
            f"{design.units:,} units, which takes too long; take errors from csi.bootstrap(fit)."
        )
    return np.inf


def require_influence(fit: Fit, purpose: str) -> Answers:
    """Return the answers of a fit whose estimates have influence values.

    Raises
    ------
    SurveyError
        When the fit was made from moments, or no row is left in its group.
    OptionError
        For one group of a joint fit.
    InferenceError
        When the estimator needs more than moments (but full information and two stages), or weights
        jump between samples.
    """
    answers = fit.require_answers(purpose)
    require_alone(fit, purpose)
    if fit.estimator.needs_answers and IncompleteInfluence.of(fit) is None:
        raise InferenceError(
            f"Influence values come from moments, and {fit.estimator.label} needs the answers; "
            "take intervals from csi.bootstrap(fit)."
        )
    _require_derivatives(fit)
    require_rows(answers)
    return answers


def require_scanned_influence(fit: Fit) -> None:
    """Refuse fits of a scan whose estimates have no influence values.

    Raises
    ------
    SurveyError
        When no row is left in the group.
    InferenceError
        When weights jump between samples.
    """
    if fit.scanned is not None and not fit.scanned.sums.rows > 0:
        require_rows(fit.scanned.nobody)
    _require_derivatives(fit)


def _require_derivatives(fit: Fit) -> None:
    """Refuse fits whose weights jump between samples."""
    names = fit.estimator.turning(fit.solution)
    if names:
        raise InferenceError(
            f"Influence values are derivatives, and weights by {fit.estimator.label} may point "
            f"anywhere in another sample like this one ({listed(names)}), which derivatives do "
            "not tell; take intervals from csi.bootstrap(fit)."
        )


def without_influence(fit: Fit) -> str:
    """Return why a fit has no influence values, in a few words; empty where it has."""
    if fit.answers is None and fit.scanned is None:
        return "made from moments, without answers"
    if fit.in_joint_fit:
        return "one group of a joint fit; csi.fit_groups has errors"
    if fit.estimator.needs_answers and IncompleteInfluence.of(fit) is None:
        return "give the draws of csi.bootstrap(fit)"
    if fit.estimator.turning(fit.solution):
        return "weights jump between samples; give the draws of csi.bootstrap(fit)"
    return ""


def _along_units(
    refits: _Refits, products: CrossProducts | OrdinalSamples, design: SurveyDesign
) -> Floats:
    """Return derivatives along the sums of each unit, from two fits for each."""
    weight = design.totals(_column(refits.fit))[:, 0]
    share = weight / weight.sum()
    chunk = max(1, _CELLS // len(refits.fit.model.items) ** 2)
    parts, nudge = [], products.nudge(design)
    for start in range(0, design.units, chunk):
        units = np.arange(start, min(start + chunk, design.units))
        ahead, behind = (
            refits.values(nudge(units, step / (1.0 - step) / share[units]))
            for step in (_SHARE, -_SHARE)
        )
        parts.append((ahead - behind) / (2.0 * _SHARE) * share[units, None])
    return np.concatenate(parts)


def _by_gradient(refits: _Refits, products: CrossProducts, design: SurveyDesign) -> Floats:
    """Return the gradient by all sums, from two fits for each, times the sums of each unit."""
    sums = SumGradient(products)
    return sums.unit_totals(design, refits.gradient(sums))


def influence_gradient(
    fit: Fit, quantity: str | Quantity, products: CrossProducts, units: int
) -> Floats:
    """Return derivatives by the sums of products and of weights, (pieces + 1, entries).

    NaN for an entry whose derivative has no solution. Of more units than sums the differences are
    those that influence values are made of in memory; of fewer, where these are derivatives along
    units, they are over a wide step and one twice as wide, whose errors take each other away
    (Richardson).

    Parameters
    ----------
    fit, quantity
        What is moved.
    products
        What the sums are of.
    units
        How many units there are.
    """
    refits, sums = _Refits(fit, find(quantity)), SumGradient(products)
    if units > products.pieces:
        gradient = refits.gradient(sums)
    else:
        near, far = (refits.gradient(sums, times * _WIDE_STEP) for times in (1.0, 2.0))
        gradient = (4.0 * near - far) / 3.0
    gradient[:, ~np.isfinite(gradient).all(axis=0)] = np.nan
    return gradient


def _column(fit: Fit) -> Floats:
    """Return the weights of respondents, (rows, 1)."""
    answers = fit.require_answers("influence values")
    ones = np.ones(len(answers.values))
    return (ones if answers.weights is None else answers.weights)[:, None]


@dataclass(frozen=True, eq=False)
class _Refits:
    """A quantity on moments near those of the fit, solved more sharply than the fit itself."""

    fit: Fit
    quantity: Quantity

    def values(self, moments: Moments) -> Floats:
        """Return the quantity of each sample, (samples, entries); NaN without a solution."""
        fit = self.fit
        estimator = sharper(fit.estimator)
        solution = estimator.solve(moments, fit.model, fit.estimates)
        values = np.array(self.quantity.values(solution))
        values[solution.estimates.outcome != Status.CONVERGED] = np.nan
        return values

    def gradient(self, sums: SumGradient, step: float = _STEP) -> Floats:
        """Return derivatives by the sums of products and of weights, (sums, entries)."""
        steps = step * sums.scales
        chunk = max(1, _CELLS // len(self.fit.model.items) ** 2)
        parts = []
        for start in range(0, len(steps), chunk):
            moved = np.arange(start, min(start + chunk, len(steps)))
            ahead, behind = (
                self.values(sums.moved(moved, way * steps[moved])) for way in (1.0, -1.0)
            )
            parts.append((ahead - behind) / (2.0 * steps[moved, None]))
        by_sums = np.concatenate(parts)
        return np.concatenate([by_sums, -sums.shares[None] @ by_sums])


def sharper(estimator: Estimator) -> Estimator:
    """Return the estimator with a stopping rule that differences of fits can bear."""
    if is_dataclass(estimator) and any(own.name == "tolerance" for own in fields(estimator)):
        sharper: Estimator = replace(estimator, tolerance=_TIGHT)
        return sharper
    return estimator
