"""Probabilities of repurchase with their draws: where uncertainty enters money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import EstimationError, OptionError
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.options import require_count
from csimodel.repurchase.chain import Chain
from csimodel.repurchase.kernel import average_along
from csimodel.repurchase.layout import value_of
from csimodel.repurchase.money.retention import Retention
from csimodel.repurchase.money.value import Economics
from csimodel.repurchase.result import Repurchase

Floats = NDArray[np.float64]

_CELLS = 2**22  # draws times respondents averaged at once


@dataclass(frozen=True, eq=False)
class Drawn:
    """A regression in many draws.

    Attributes
    ----------
    rep
        The regression.
    chain
        Its draws of the whole chain, or None.
    coefficients
        In each draw, (draws, terms).
    source
        What the draws are, in words.
    """

    rep: Repurchase
    chain: Chain | None
    coefficients: Floats
    source: str

    @property
    def size(self) -> int:
        """Number of draws."""
        return len(self.coefficients)

    def probabilities(self, moved: int, levels: Floats) -> Floats:
        """Return average predictions, each draw at its own level of an index, (draws,)."""
        if self.chain is not None:
            return self.chain.predictions(moved, levels[:, None])[:, 0]
        b = self.coefficients
        parts, shares = self._alike(moved)
        together = max(1, _CELLS // len(shares))
        found = np.empty(len(b))
        for first in range(0, len(b), together):
            some = slice(first, first + together)
            predictor = [b[some, 1:] @ part for part in parts]
            predictor[0] += b[some, :1]
            share = np.broadcast_to(shares, predictor[0].shape)
            at = levels[some, None]
            found[some] = average_along(self.rep.family.mean, predictor, share, at)[:, 0]
        return found

    def moved_by(self, moved: int, steps: Floats) -> Floats:
        """Return average predictions when everybody's index moves by a draw's own points.

        (draws,)
        """
        if self.chain is not None:
            return self.chain.moved_by(moved, steps)
        return _after(self.rep, moved, self.coefficients, steps)

    def _alike(self, moved: int) -> tuple[list[Floats], Floats]:
        """Return columns by the power of an index, for respondents alike in all else but it.

        Each (terms, kinds of respondents), and the share of each kind.
        """
        sample = self.rep.regression.sample
        points, factors = list(sample.points.T), list(sample.factors.T)
        parts = [
            np.stack([np.broadcast_to(value_of(c, points, factors), (sample.n,)) for c in columns])
            for columns in sample.layout.by_power(moved)
        ]
        kinds, place = np.unique(np.concatenate(parts), axis=1, return_inverse=True)
        share = np.bincount(place.reshape(-1), sample.share).astype(np.float64)
        return list(np.split(kinds, len(parts))), share


def _after(rep: Repurchase, moved: int, coefficients: Floats, steps: Floats) -> Floats:
    """Return average predictions of some coefficients, (draws, terms), after steps, (draws,)."""
    sample = rep.regression.sample
    every = np.vstack([sample.points.T, sample.factors.T])
    kinds, place = np.unique(every, axis=1, return_inverse=True)
    share = np.bincount(place.reshape(-1), sample.share)
    points, factors = list(kinds[: sample.points.shape[1]]), list(kinds[sample.points.shape[1] :])
    found = np.empty(len(coefficients))
    together = max(1, _CELLS // len(share))
    for first in range(0, len(found), together):
        some = slice(first, first + together)
        b = coefficients[some]
        there = [x + steps[some, None] if j == moved else x for j, x in enumerate(points)]
        eta = b[:, :1] + np.zeros(len(share))
        for slope, column in zip(b[:, 1:].T, sample.layout.columns, strict=True):
            eta = eta + slope[:, None] * value_of(column, there, factors)
        found[some] = rep.family.mean(eta) @ share
    return found


def drawn(rep: Repurchase, draws: int, rng: int | np.random.Generator) -> Drawn:
    """Return the draws of a regression: of the whole chain where it has them, else parametric.

    Parametric draws come from the normal law of the coefficients (with least squares, from the
    t law), with the covariance of the regression's errors.

    Raises
    ------
    EstimationError
        When the regression has no finite coefficients.
    """
    require_count("draws", draws, ", and some thousands for intervals")
    regression = rep.regression
    b, covariance = regression.coefficients, regression.covariance
    if not (rep.converged and np.isfinite(b).all()):
        raise EstimationError(
            f"The regression of {rep.outcome!r} has no solution, so it gives no money; read its "
            "diagnostics."
        )
    if rep.chain is not None:
        used = int(rep.chain.usable.sum())
        source = f"{used} bootstrap draws of the whole chain: weights, index and regression"
        return Drawn(rep, rep.chain, rep.chain.coefficients, source)
    generator = np.random.default_rng(rng)
    noise = generator.multivariate_normal(
        np.zeros(len(b)), (covariance + covariance.T) / 2.0, draws, "ignore", method="eigh"
    )
    if np.isfinite(regression.df):
        noise *= np.sqrt(regression.df / generator.chisquare(regression.df, draws))[:, None]
    source = (
        f"{draws} parametric draws from the covariance of the coefficients ({rep.errors} errors), "
        "the index taken as known"
    )
    return Drawn(rep, None, b + noise, source)


@own_errstate
def retention_of(
    rep: Repurchase,
    at: float | None,
    economics: Economics,
    *,
    index: str | None = None,
    draws: int = 4_000,
    rng: int | np.random.Generator = 0,
) -> Retention:
    """Return the share of customers kept in a period, with its draws.

    Parameters
    ----------
    rep
        From `repurchase` or `repurchase_of_index`.
    at
        Index points, 0 to 100: what would be kept if every customer stood there. None for the
        customers as they are.
    economics
        Its `purchases` turns probability into retention.
    index
        Which index; the first by default.
    draws, rng
        Number of parametric draws and their seed, where `rep` has none of the whole chain. Two
        retentions of the same respondents with the same integer seed belong together, draw by
        draw; those of other respondents are independent.

    Raises
    ------
    OptionError
        When the level is outside 0 to 100, or the prediction outside 0 to 1.
    EstimationError
        When the regression has no solution.

    Examples
    --------
    >>> import csimodel as csi
    >>> from csimodel.repurchase.money import Economics, retention_of
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> terms = Economics(margin=120, currency="EUR", period="year", discount_rate=0.08)
    >>> retention_of(csi.repurchase(fit, "CUSL1"), 70, terms)
    <Retention 0.711 (se 0.019, 95 % interval 0.6727 to 0.7467; 4000 parametric draws from the
    covariance of the coefficients (HC1 errors), the index taken as known)>
    """
    found = drawn(rep, draws, rng)
    estimate, values, findings = (
        probability_after(found, (0.0, np.zeros(found.size)), index)
        if at is None
        else probability_at(found, at, index)
    )
    kept = economics.retention(values)
    return Retention(
        float(economics.retention(np.asarray(estimate))),
        kept,
        rep.level,
        rep.interval,
        found.source,
        (*findings, *about_outcome(rep)),
        origin=0 if rep.chain is not None else crc32(rep.regression.sample.outcome.tobytes()),
    )


def probability_at(
    found: Drawn, level: float, index: str | None, levels: Floats | None = None
) -> tuple[float, Floats, tuple[Finding, ...]]:
    """Return the probability at a level of the index, and in each draw at that draw's level.

    Raises
    ------
    OptionError
        When the level is outside 0 to 100, or the prediction outside 0 to 1.
    """
    rep, moved = found.rep, found.rep._moved(index)
    name = rep.indexes[moved]
    estimate = float(rep.predict(level, index)["probability"].iloc[0])
    if not 0 <= estimate <= 1:
        raise OptionError(
            f"The {rep.family.label} regression predicts a probability of {estimate:.3f} at an "
            f"index of {level:g}, which is outside 0 to 1; use family='fractional-logit', or a "
            "level nearer to the data."
        )
    own = np.full(found.size, float(level)) if levels is None else levels
    clipped, findings = _kept_inside(
        found.probabilities(moved, own), f"At an index of {level:g}", name
    )
    return estimate, clipped, (*_extrapolated(rep, moved, level), *findings)


def probability_after(
    found: Drawn, step: tuple[float, Floats], index: str | None
) -> tuple[float, Floats, tuple[Finding, ...]]:
    """Return the average probability when every customer's index moves by a number of points.

    The step is an estimate and each draw's own.

    Raises
    ------
    OptionError
        When the average prediction is outside 0 to 1.
    """
    rep, moved = found.rep, found.rep._moved(index)
    alone = np.array([step[0]])
    estimate = _after(rep, moved, rep.regression.coefficients[None, :], alone)
    if not -1e-9 <= estimate[0] <= 1.0 + 1e-9:
        where = f"after {step[0]:.4g} points" if step[0] else "for customers as they are"
        raise OptionError(
            f"The {rep.family.label} regression predicts an average probability of "
            f"{estimate[0]:.3f} {where}, which is outside 0 to 1; use family='fractional-logit', "
            "or fewer points."
        )
    values = found.moved_by(moved, step[1])
    clipped, findings = _kept_inside(values, f"After {step[0]:.4g} points", rep.indexes[moved])
    return float(np.clip(estimate[0], 0.0, 1.0)), clipped, findings


def _kept_inside(values: Floats, where: str, name: str) -> tuple[Floats, tuple[Finding, ...]]:
    """Return probabilities of draws kept within 0 and 1, and how many were not."""
    clipped = np.clip(values, 0.0, 1.0)
    outside = int((clipped != values).sum())
    if not outside:
        return clipped, ()
    message = (
        f"{where}, {outside} of {len(values)} draws predict a probability outside 0 to 1 and were "
        "set to the nearer end; family='fractional-logit' keeps to 0 to 1."
    )
    return clipped, (Finding("draws-outside-0-1", message, (name,), count=outside),)


def about_outcome(rep: Repurchase) -> Iterator[Finding]:
    """Say when what is called a probability is a rating, and pass on what forbids its use."""
    sample = rep.regression.sample
    if sample.ordering is not None or not np.isin(sample.outcome, (0.0, 1.0)).all():
        yield Finding(
            "rating-as-probability",
            f"{rep.outcome!r} is an answer on a scale, not a purchase, and is taken as the "
            "probability of staying; compare with retention seen in your books.",
            (rep.outcome,),
        )
    yield from (found for found in rep.diagnostics if found.severity == "failure")


def _extrapolated(rep: Repurchase, moved: int, level: float) -> Iterator[Finding]:
    seen = rep.regression.sample.regressors[:, moved]
    low, high = float(seen.min()), float(seen.max())
    if not low - 1e-9 <= level <= high + 1e-9:
        yield Finding(
            "extrapolation",
            f"An index of {level:.4g} lies outside what was observed ({low:.4g} to {high:.4g}), "
            "so what happens there is the formula's guess.",
            (rep.indexes[moved],),
        )
