"""Bootstrap confidence intervals, each a function of arrays, one column a parameter.

References
----------
Efron, B. (1987). Better bootstrap confidence intervals. Journal of the American Statistical
Association 82, 171-185. https://doi.org/10.1080/01621459.1987.10478410

Davison, A. C., Hinkley, D. V. (1997). Bootstrap Methods and Their Application, chapter 5.
https://doi.org/10.1017/CBO9780511802843
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import FEW_DEGREES
from csimodel.errors import InferenceError, OptionError, choose
from csimodel.findings import Finding
from csimodel.options import require_level
from csimodel.significance import t_limits
from csimodel.translation import gettext, message, ngettext

Floats = NDArray[np.float64]

INTERVALS = ("auto", "percentile", "basic", "normal", "t", "studentized", "bc", "bca")
_ALLOWING = ("auto", "t", "studentized")  # for few degrees of freedom


def interval_of(
    kind: str,
    level: float,
    estimate: Floats,
    draws: Floats,
    *,
    pulls: Floats | None = None,
    se: Floats | None = None,
    draw_se: Floats | None = None,
    df: Floats | float = float("inf"),
) -> tuple[Floats, Floats]:
    """Return lower and upper limits of each parameter.

    With θ the estimate, θ* the draws, q the quantiles of θ* and α = (1 - level)/2:

    - ``"auto"``: ``"t"`` with fewer than 20 degrees of freedom, else ``"percentile"``;
    - ``"percentile"``: q(α), q(1 - α);
    - ``"basic"``: 2θ - q(1 - α), 2θ - q(α) (cSEM also subtracts twice the bias);
    - ``"normal"``: θ - bias ∓ z sd(θ*), bias = mean(θ*) - θ (as in R's boot and in cSEM);
    - ``"t"``: θ ∓ t sd(θ*), t with the degrees of freedom of the sampling design, which allows
      for few clusters;
    - ``"studentized"``: θ - t(1 - α) se, θ - t(α) se, t the quantiles of (θ* - θ)/se*;
    - ``"bc"``: q(Φ(2z₀ ∓ z)), Φ(z₀) the share of draws below the estimate, ties half;
    - ``"bca"``: q(Φ(z₀ + (z₀ ∓ z)/(1 - a(z₀ ∓ z)))), with the acceleration a of each parameter
      from its own jackknife values (cSEM pools one acceleration over all parameters).

    Parameters
    ----------
    kind
        One of the above.
    level
        Coverage, between 0 and 1.
    estimate
        (parameters,)
    draws
        (draws, parameters); NaN entries are left out of their column.
    pulls
        Jackknife deviations (mean of the values with a unit left out, less the value) of each
        respondent or cluster, (units, parameters), for ``"bca"``.
    se, draw_se
        Standard error of the estimate, (parameters,), and of each draw, (draws, parameters), for
        ``"studentized"``.
    df
        Degrees of freedom of the design, one or (parameters,), for ``"t"`` and ``"auto"``.

    Examples
    --------
    >>> draws = np.arange(1.0, 101.0)[:, None]
    >>> low, high = interval_of("percentile", 0.9, np.array([50.5]), draws)
    >>> low, high
    (array([5.95]), array([95.05]))
    """
    choose("interval", kind, INTERVALS)
    level = require_level(level)
    if kind == "auto":
        plain = interval_of("percentile", level, estimate, draws)
        few = by_t(kind, df)
        if not few.any():
            return plain
        wide = t_limits(estimate, spread_of(draws), df, level)
        low, high = (np.where(few, t, q) for t, q in zip(wide, plain, strict=True))
        return low, high
    alpha = (1.0 - level) / 2.0
    z = NormalDist().inv_cdf(1.0 - alpha)
    if kind == "normal":
        centre = 2.0 * estimate - _mean(draws)
        spread = z * spread_of(draws)
        return centre - spread, centre + spread
    if kind == "t":
        return t_limits(estimate, spread_of(draws), df, level)
    if kind == "studentized":
        if se is None or draw_se is None:
            raise InferenceError("A studentized interval needs the standard error of every draw.")
        with np.errstate(invalid="ignore", divide="ignore"):
            t = quantiles((draws - estimate) / draw_se, np.array([[alpha], [1.0 - alpha]]))
        return estimate - t[1] * se, estimate - t[0] * se
    if kind in ("bc", "bca"):
        from scipy.special import ndtr

        z0 = bias_correction(estimate, draws)
        z0 = np.where(np.isfinite(z0), z0, np.nan)
        a = np.zeros_like(estimate)
        if kind == "bca":
            if pulls is None:
                raise InferenceError("A BCa interval needs the jackknife values.")
            a = acceleration(pulls)
        ends = z0 + np.array([[-z], [z]])
        probabilities = ndtr(z0 + ends / (1.0 - a * ends))
    else:
        probabilities = np.array([[alpha], [1.0 - alpha]]) * np.ones_like(estimate)
    low, high = quantiles(draws, probabilities)
    return (2.0 * estimate - high, 2.0 * estimate - low) if kind == "basic" else (low, high)


def require_by_t(interval: str) -> None:
    """Refuse kinds of intervals that need draws.

    Raises
    ------
    OptionError
        Naming those that do not.
    """
    if interval not in ("auto", "t"):
        choose("interval", interval, INTERVALS)
        raise OptionError(
            f"interval={interval!r} needs draws, and influence values or replicates are none; use "
            "'auto' or 't', or give the draws of csi.bootstrap(fit)."
        )


def by_t(kind: str, df: Floats | float) -> NDArray[np.bool_]:
    """Mark entries whose limits and p-values are by t: all, none, or those with few degrees.

    >>> by_t("auto", np.array([5.0, 20.0])).tolist()
    [True, False]
    """
    degrees = np.asarray(df, dtype=np.float64)
    return np.asarray((degrees < FEW_DEGREES) & (kind == "auto") | (kind == "t"))


def interval_name(kind: str, df: float) -> str:
    """Return what an interval is called, with the kind that ``"auto"`` comes to.

    >>> interval_name("auto", 5), interval_name("auto", 249), interval_name("bc", 5)
    ('t with 5 degrees of freedom', 'percentile', 'bc')
    """
    if by_t(kind, df):
        return ngettext(
            "t with {df:g} degree of freedom",
            "t with {df:g} degrees of freedom",
            1 if df == 1 else 2,
        ).format(df=df)
    return gettext(_NAMES.get(kind, kind))


_NAMES = {
    "auto": message("percentile"),
    "percentile": message("percentile"),
    "basic": message("basic"),
    "normal": message("normal"),
    "studentized": message("studentized"),
    "bc": message("bc"),
    "bca": message("bca"),
}


def narrow_intervals(kind: str, df: float) -> tuple[Finding, ...]:
    """Say that intervals of a kind that was asked for come out too narrow with few units."""
    if kind in _ALLOWING or not 0 < df < FEW_DEGREES:
        return ()
    sentence = (
        "Intervals of the kind {interval!r} come out too narrow where errors are learnt with "
        "{df:g} {df:degree|degrees} of freedom; interval='auto' takes limits by t there, which "
        "allows for it."
    )
    return (Finding("narrow-intervals", sentence, values={"interval": kind, "df": float(df)}),)


def bias_correction(estimate: Floats, draws: Floats) -> Floats:
    """Return z₀ of each parameter: the normal quantile of the share of draws below the estimate.

    Draws that equal the estimate count half.
    """
    from scipy.special import ndtri

    seen = np.isfinite(draws)
    count = np.maximum(seen.sum(axis=0), 1)
    below = ((draws < estimate) & seen).sum(axis=0) + 0.5 * ((draws == estimate) & seen).sum(axis=0)
    return np.asarray(ndtri(below / count))


def acceleration(pulls: Floats) -> Floats:
    """Return the acceleration of each parameter from jackknife deviations, (units, parameters).

    ``a = Σ d³ / (6 (Σ d²)^{3/2})``. Parameters that do not vary have 0.
    """
    d = np.where(np.isfinite(pulls), pulls, 0.0)
    spread = (d**2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (d**3).sum(axis=0) / (6.0 * spread**1.5), 0.0)


def quantiles(draws: Floats, probabilities: Floats) -> Floats:
    """Return quantiles of each column by linear interpolation (type 7), NaN left out.

    Parameters
    ----------
    draws
        (draws, parameters)
    probabilities
        (quantiles, parameters) or (quantiles, 1)

    Returns
    -------
    (quantiles, parameters), NaN where there is no draw at all
    """
    if not len(draws):
        return np.full((len(probabilities), draws.shape[1]), np.nan)
    ordered = np.sort(draws, axis=0)  # NaN last
    count = np.isfinite(ordered).sum(axis=0)
    last = np.maximum(count - 1, 0)
    place = np.where(np.isfinite(probabilities), probabilities, 0.0) * last
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, last)
    column = np.arange(draws.shape[1])
    low, high = ordered[below, column], ordered[above, column]
    values = low + (place - below) * (high - low)
    return np.where((count > 0) & np.isfinite(probabilities), values, np.nan)


def tail_probability(draws: Floats, null: float) -> Floats:
    """Return two-sided p-values, (parameters,): twice the smaller tail beyond `null`, at most 1.

    ``p = 2 (1 + min(#{θ* ≤ null}, #{θ* ≥ null})) / (1 + draws)``, so it is never zero.
    """
    count = np.isfinite(draws).sum(axis=0)
    smaller = np.minimum((draws <= null).sum(axis=0), (draws >= null).sum(axis=0))
    return np.asarray(np.minimum(1.0, 2.0 * (1.0 + smaller) / (1.0 + count)))


def spread_of(draws: Floats) -> Floats:
    """Return the standard deviation of each column, denominator draws - 1, NaN left out."""
    count = np.isfinite(draws).sum(axis=0)
    if count.size and count.min() == len(draws) and len(draws) > 1:
        return np.asarray(draws.std(axis=0, ddof=1))
    centred = np.where(np.isfinite(draws), draws - _mean(draws), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(
            np.sqrt((centred**2).sum(axis=0) / np.where(count > 1, count - 1, np.nan))
        )


def _mean(draws: Floats) -> Floats:
    seen = np.isfinite(draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(seen, draws, 0.0).sum(axis=0) / seen.sum(axis=0))
