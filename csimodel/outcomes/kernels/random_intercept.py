"""Linear models with random firm constants, for many draws of firms at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.kernels.families import OLS
from csimodel.outcomes.kernels.kernel import Ending, Regressions, Samples

Floats = NDArray[np.float64]

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
_NARROWED = 80  # golden sections, which leave 2e-17 of the range
_RANGE = (-12.0, 8.0)  # of log λ; below it firms do not differ


@dataclass(frozen=True, eq=False)
class RandomIntercept:
    """Customers of firms with constants of their own: a `Kernel`.

    Its weights are how often each firm is drawn, (samples, firms); its columns and its outcome
    are of customers, sorted by firm.

    Attributes
    ----------
    terms
        Number of coefficients.
    starts
        Where each firm begins, (firms,).
    """

    terms: int
    starts: NDArray[np.intp]
    extra: int = 0
    influence: ClassVar[None] = None  # of draws alone; the sample's is that of `RandomEffects`

    def predict(self, b: Floats, design: Floats, along: Floats | None = None) -> Floats:
        """Return expected outcomes of an average firm; see `Family.predict`."""
        return OLS.predict(b, design, along)

    def fit(self, samples: Samples) -> Regressions:
        """Fit each of the samples; see `random_intercept_draws`."""
        _, columns, times, (outcome,) = samples
        X = np.ones((len(times), len(outcome), self.terms))
        for place, column in enumerate(columns, 1):
            X[:, :, place] = column
        mean = outcome.mean()
        b, ending = random_intercept_draws(X, outcome - mean, self.starts, times)
        b[:, 0] += mean
        return Regressions(b, np.ones(len(b)), ending)


def random_intercept_draws(
    X: Floats, y: Floats, starts: NDArray[np.intp], times: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    """Return coefficients, (draws, terms), by restricted maximum likelihood, and how each ended.

    With λ the variance of the firms' constants over that of customers, k_j customers and s_j the
    sums of firm j, ``A(λ) = Σ m_j (X_j'X_j - λ/(1 + λ k_j) s_j s_j')`` of the columns and y; the
    coefficients are least squares in A, and λ maximises
    ``-½ ((N - p) log rss + Σ m_j log(1 + λ k_j) + log |A_XX|)``, found by golden section.

    Parameters
    ----------
    X
        (draws, rows, terms), sorted by firm; about standardised.
    y
        (rows,)
    starts
        Where each firm begins, (firms,).
    times
        How often each firm is drawn, m, (draws, firms).

    References
    ----------
    Harville, D. A. (1977). Maximum likelihood approaches to variance component estimation and to
    related problems. Journal of the American Statistical Association 72, 320-338.
    https://doi.org/10.1080/01621459.1977.10480998
    """
    draws, rows, terms = X.shape
    size = np.diff(np.append(starts, rows)).astype(np.float64)
    whole = np.concatenate([X, np.broadcast_to(y[:, None], (draws, rows, 1))], axis=2)
    sums = np.add.reduceat(whole, starts, axis=1)
    heavy = whole * np.repeat(times, size.astype(np.intp), axis=1)[:, :, None]
    plain = np.swapaxes(heavy, 1, 2) @ whole
    total = times @ size
    ending = np.full(draws, int(Ending.CONVERGED))
    unit = _unit(plain[:, :-1, :-1])
    singular = ~(np.linalg.det(unit) > 1e-13)
    plain[singular] = np.eye(terms + 1)
    sums[singular] = 0.0
    ending[singular] = Ending.SINGULAR

    def solved(log_ratio: Floats) -> tuple[Floats, Floats]:
        ratio = np.exp(log_ratio)[:, None]
        factor = times * ratio / (1.0 + ratio * size)
        a = plain - np.swapaxes(sums * factor[:, :, None], 1, 2) @ sums
        b = np.linalg.solve(a[:, :-1, :-1], a[:, :-1, -1:])[:, :, 0]
        rss = a[:, -1, -1] - np.einsum("dk,dk->d", a[:, :-1, -1], b)
        logdet = np.linalg.slogdet(a[:, :-1, :-1])[1]
        grown = np.einsum("dj,dj->d", times, np.log1p(ratio * size))
        value = (total - terms) * np.log(np.maximum(rss, 1e-300)) + grown + logdet
        return value, b

    low, high = np.full(draws, _RANGE[0]), np.full(draws, _RANGE[1])
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = solved(left)[0], solved(right)[0]
    for _ in range(_NARROWED):
        nearer = at_left < at_right
        high, low = np.where(nearer, right, high), np.where(nearer, low, left)
        new = np.where(nearer, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        value = solved(new)[0]
        left, right = np.where(nearer, new, right), np.where(nearer, left, new)
        at_left, at_right = np.where(nearer, value, at_right), np.where(nearer, at_left, value)
        if float((high - low).max()) < 1e-7:
            break
    _, b = solved((low + high) / 2.0)
    b[singular] = np.nan
    return b, ending


def _unit(a: Floats) -> Floats:
    scale = np.sqrt(np.maximum(np.diagonal(a, axis1=1, axis2=2), 1e-300))
    return np.asarray(a / (scale[:, :, None] * scale[:, None, :]))
