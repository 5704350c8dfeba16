"""Sources of error: draws, influence values, values with units left out, coefficients.

Each says for every entry of a table what its standard error is, on how many degrees of freedom it
rests, and why there is none where there is none; `infer` makes the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from csimodel.inference.intervals import (
    by_t,
    interval_of,
    require_by_t,
    spread_of,
    tail_probability,
)
from csimodel.limits import FEWEST_DRAWS
from csimodel.significance import logit_limits, t_limits, t_pvalue, wilson_limits
from csimodel.survey.sampling import DrawVariance, SurveyDesign
from csimodel.translation import message

Floats = NDArray[np.float64]
Functional = Callable[[Floats], Floats]

NO_DEGREES = message("no degrees of freedom: not more sampled units than strata")
NO_VARIATION = message("nothing varies, which says nothing of the error")
ALIKE = message("everybody answers alike, so there is no error; the limits are Wilson's")
NO_ERROR = message("no source of error")
FEW_DRAWS = message("too few usable draws")
ONE_SIDE = message("all draws lie on one side of the estimate, so this interval has no limits")
NO_DERIVATIVE = message("beside these weights there is no solution to take a derivative from")
CENSUS = message("all units of the population are in the sample")
LOST_REPLICATE = message("in one of the replicates there is no solution")
LOST_UNITS = message("without some of the units there is no solution")
_STEP = 6e-6  # the third root of the floating-point precision


class ErrorSource(Protocol):
    """What `infer` asks of a source of error, entry by entry."""

    @property
    def se(self) -> Floats:
        """Standard errors, (entries,); NaN where there is none."""

    @property
    def df(self) -> Floats:
        """Degrees of freedom, (entries,); 0 where there is no error."""

    def limits(self, estimate: Floats, level: float) -> tuple[Floats, Floats]:
        """Return lower and upper limits, (entries,)."""

    def pvalue(self, estimate: Floats, null: float) -> Floats:
        """Return two-sided p-values of `null`, (entries,)."""

    def reasons(self, estimate: Floats) -> list[str]:
        """Return why an entry has no error, or no limits; empty where it has."""


@dataclass(frozen=True, eq=False)
class StandardErrors:
    """Standard errors that are known already; limits and p-values by t.

    Attributes
    ----------
    se
        (entries,); NaN where there is none.
    df
        Degrees of freedom, (entries,); infinite for the normal distribution.
    reason
        Why an entry has no error, (entries,), or one sentence for those without.
    census
        Whether entries rest on all units of a population, so that an error of 0 is one; one for
        all, or (entries,).
    """

    se: Floats
    df: Floats
    reason: str = NO_ERROR
    census: bool | NDArray[np.bool_] = False

    @classmethod
    def none(cls, entries: int, reason: str) -> StandardErrors:
        """Return the absence of any error, for a reason."""
        return cls(np.full(entries, np.nan), np.zeros(entries), reason)

    def limits(self, estimate: Floats, level: float) -> tuple[Floats, Floats]:
        """Return ``estimate ∓ t se``."""
        return t_limits(estimate, self.se, self.df, level)

    def pvalue(self, estimate: Floats, null: float) -> Floats:
        """Return two-sided p-values by t."""
        return t_pvalue(estimate, self.se, self.df, null)

    def reasons(self, estimate: Floats) -> list[str]:
        """Name entries without degrees of freedom, without an error, and those of error 0."""
        census = np.broadcast_to(self.census, len(estimate))
        return [
            CENSUS
            if whole and se <= least
            else self.reason
            if not np.isfinite(se) and (df > 0 or self.reason != NO_ERROR)
            else NO_DEGREES
            if not df > 0
            else NO_VARIATION
            if not se > least
            else ""
            for se, df, least, whole in zip(
                self.se, self.df, smallest_error(estimate), census, strict=True
            )
        ]


@dataclass(frozen=True, eq=False)
class ShareErrors:
    """Errors of shares, whose limits stay within 0 to 1.

    Where everybody answers alike there is no error, and limits are Wilson's of `size` answers.

    Attributes
    ----------
    errors
        Of the shares.
    size
        Respondents, or what unequal weights and clusters leave of them, (entries,); 0 for none.
    simple
        Whether respondents were drawn one by one with equal weights: Wilson's limits then, else by
        t on the logit.
    """

    errors: ErrorSource
    size: Floats
    simple: bool

    @property
    def se(self) -> Floats:
        """Standard errors, (entries,)."""
        return self.errors.se

    @property
    def df(self) -> Floats:
        """Degrees of freedom, (entries,)."""
        return self.errors.df

    def limits(self, estimate: Floats, level: float) -> tuple[Floats, Floats]:
        """Return Wilson's limits, or those on the logit; of a census the share itself."""
        low, high = wilson_limits(estimate, self.size, level)
        if not self.simple:
            alike = (estimate == 0) | (estimate == 1)
            lower, upper = logit_limits(estimate, self.se, self.df, level)
            low, high = np.where(alike, low, lower), np.where(alike, high, upper)
        return low, high

    def pvalue(self, estimate: Floats, null: float) -> Floats:
        """Return two-sided p-values by t."""
        return self.errors.pvalue(estimate, null)

    def reasons(self, estimate: Floats) -> list[str]:
        """Name entries without an error, and those where everybody answers alike."""
        return [
            ALIKE if reason == NO_VARIATION and p in (0.0, 1.0) else reason
            for reason, p in zip(self.errors.reasons(estimate), estimate, strict=True)
        ]


def smallest_error(estimate: Floats) -> Floats:
    """Return the standard errors up to which estimates do not vary, as they are but rounding."""
    return np.asarray(1e-12 * np.fmax(1.0, np.abs(estimate)))


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Errors of functions of coefficients, by the delta method.

    The gradient comes from one batch of 2k + 1 rows of coefficients, each moved by a small part of
    its own error, so a new functional needs no derivative of its own.

    Attributes
    ----------
    parameters
        (k,)
    covariance
        (k, k)
    functional
        From coefficients (..., k) to entries (..., entries).
    degrees
        Degrees of freedom: one number, or a function from gradients (entries, k) to them where
        they depend on the combination of coefficients (Satterthwaite).

    Examples
    --------
    >>> source = Coefficients(np.array([2.0, 3.0]), np.eye(2), lambda b: b[..., :1] * b[..., 1:])
    >>> source.gradient.round(6), source.se.round(6)
    (array([[3., 2.]]), array([3.605551]))
    """

    parameters: Floats
    covariance: Floats
    functional: Functional
    degrees: float | Callable[[Floats], Floats] = float("inf")

    @cached_property
    def gradient(self) -> Floats:
        """Derivatives of the entries by the coefficients, (entries, k)."""
        return gradient_of(self.functional, self.parameters, np.diagonal(self.covariance))

    @cached_property
    def se(self) -> Floats:
        """``√(g'Vg)``, (entries,)."""
        with np.errstate(invalid="ignore"):
            variance = np.einsum("ej,jk,ek->e", self.gradient, self.covariance, self.gradient)
            return np.sqrt(np.where(variance >= 0, variance, np.nan))

    @cached_property
    def df(self) -> Floats:
        """Degrees of freedom, (entries,)."""
        if callable(self.degrees):
            return self.degrees(self.gradient)
        return np.full(len(self.gradient), float(self.degrees))

    @property
    def _errors(self) -> StandardErrors:
        return StandardErrors(self.se, self.df)

    def limits(self, estimate: Floats, level: float) -> tuple[Floats, Floats]:
        """Return ``estimate ∓ t se``."""
        return self._errors.limits(estimate, level)

    def pvalue(self, estimate: Floats, null: float) -> Floats:
        """Return two-sided p-values by t."""
        return self._errors.pvalue(estimate, null)

    def reasons(self, estimate: Floats) -> list[str]:
        """Name entries without degrees of freedom or without an error."""
        return self._errors.reasons(estimate)


def gradient_of(functional: Functional, parameters: Floats, variances: Floats) -> Floats:
    """Return derivatives of a functional's entries by central differences, (entries, k).

    Steps are 6e-6 of the larger of a parameter and its error, the third root of the precision, so
    that truncation and rounding are alike some 1e-10 of the derivative's scale.
    """
    errors = np.sqrt(np.where(variances > 0, variances, 0.0))
    step = _STEP * np.maximum(np.abs(parameters), np.where(errors > 0, errors, 1.0))
    moved = np.diag(step)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        values = functional(np.concatenate([parameters + moved, parameters - moved]))
        k = len(parameters)
        exact = (parameters + step) - (parameters - step)
        return np.asarray(((values[:k] - values[k:]) / exact[:, None]).T)


@dataclass(frozen=True, eq=False)
class Draws:
    """Errors from bootstrap draws.

    Attributes
    ----------
    estimate
        On the sample itself, (entries,).
    draws
        (draws, entries); NaN entries are left out of their column.
    df
        Degrees of freedom of the design the draws repeat, (entries,); 0 where there is no error.
    interval
        A kind of `interval_of`; ``"auto"`` (default) is t with few degrees of freedom, else
        percentiles.
    inflation
        What the variance of the draws is multiplied by, for strata of one unit.
    constant
        Marks entries that are the same in every sample by construction, (entries,), or None.
    pulls, own_se, draw_se
        What ``"bca"`` and ``"studentized"`` need, as in `interval_of`.
    census
        As in `StandardErrors`.
    replication
        How replicates become errors, in place of the spread of draws; limits are then by t.
    """

    estimate: Floats
    draws: Floats
    df: Floats
    interval: str = "auto"
    inflation: float = 1.0
    pulls: Floats | None = None
    own_se: Floats | None = None
    draw_se: Floats | None = None
    census: bool | NDArray[np.bool_] = False
    replication: DrawVariance | None = None

    def __post_init__(self) -> None:
        if self.replication is not None:
            require_by_t(self.interval)

    @classmethod
    def of_design(
        cls, estimate: Floats, draws: Floats, design: SurveyDesign, interval: str
    ) -> Draws:
        """Return the draws as repetitions of a sampling design."""
        df = np.full(len(estimate), float(design.df))
        return cls(
            estimate,
            draws,
            df,
            interval,
            design.inflation,
            census=design.census,
            replication=design.replication,
        )

    @cached_property
    def _widened(self) -> Floats:
        if self.inflation == 1.0:
            return self.draws
        moved = self.estimate + np.sqrt(self.inflation) * (self.draws - self.estimate)
        return np.asarray(moved)

    @cached_property
    def _count(self) -> NDArray[np.intp]:
        return np.asarray(np.isfinite(self.draws).sum(axis=0))

    @cached_property
    def se(self) -> Floats:
        """Standard deviation of the draws, or the error from replicates, (entries,)."""
        if self.replication is not None:
            deviations = self.replication.deviations(self.draws, self.estimate)
            return np.asarray(np.sqrt((deviations**2).sum(axis=0)))
        return spread_of(self._widened)

    def limits(self, estimate: Floats, level: float) -> tuple[Floats, Floats]:
        """Return limits of the kind of interval."""
        if self.replication is not None:
            return t_limits(estimate, self.se, self.df, level)
        return interval_of(
            self.interval,
            level,
            self.estimate,
            self._widened,
            pulls=self.pulls,
            se=self.own_se,
            draw_se=self.draw_se,
            df=self.df,
        )

    def pvalue(self, estimate: Floats, null: float) -> Floats:
        """Return the share of draws beyond `null`, twice the smaller; by t where limits are."""
        if self.replication is not None:
            return t_pvalue(estimate, self.se, self.df, null)
        few = by_t(self.interval, self.df)
        if not few.any():
            return tail_probability(self._widened, null)
        t = t_pvalue(estimate, self.se, self.df, null)
        return np.where(few, t, tail_probability(self._widened, null))

    def reasons(self, estimate: Floats) -> list[str]:
        """Name entries without degrees of freedom, draws, spread, or draws on both sides."""
        if self.replication is not None:
            return StandardErrors(self.se, self.df, LOST_REPLICATE, self.census).reasons(estimate)
        one_sided = np.zeros(len(estimate), dtype=np.bool_)
        if self.interval in ("bc", "bca"):
            below = (self.draws < self.estimate).sum(axis=0)
            above = (self.draws > self.estimate).sum(axis=0)
            one_sided = (below == 0) | (above == 0)
        census = np.broadcast_to(self.census, len(estimate))
        return [
            CENSUS
            if whole and se <= least
            else NO_DEGREES
            if not df > 0
            else FEW_DRAWS
            if count < FEWEST_DRAWS
            else NO_VARIATION
            if not se > least
            else ONE_SIDE
            if alone
            else ""
            for df, count, se, least, alone, whole in zip(
                self.df,
                self._count,
                self.se,
                smallest_error(estimate),
                one_sided,
                census,
                strict=True,
            )
        ]
