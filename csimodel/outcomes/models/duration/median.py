"""When half of the respondents have had the event, with limits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.outcomes.models.duration.regression import CoxRegression
from csimodel.outcomes.models.duration.survival import survival
from csimodel.significance import t_quantile

Floats = NDArray[np.float64]


def median_times(regression: CoxRegression, moved: int, levels: Floats, level: float) -> Floats:
    """Return the first event times at which survival and its limits are a half or less.

    (levels, 3): the median, its lower and its upper limit; ∞ for what was not seen.

    References
    ----------
    Brookmeyer, R., Crowley, J. (1982). A confidence interval for the median survival time.
    Biometrics 38, 29-41. https://doi.org/10.2307/2530286
    """
    every = np.unique(regression.risk.time)
    return np.array(
        [
            [_passing(regression, every, moved, point, level, part) for part in (0, 1, 2)]
            for point in levels
        ]
    )


def log_log(
    value: Floats, se: Floats, level: float, df: float = float("inf")
) -> tuple[Floats, Floats]:
    """Return limits of survival made on the scale of ``log(-log S)``, so within 0 to 1.

    Examples
    --------
    >>> log_log(np.array([0.5]), np.array([0.05]), 0.95)
    (array([0.3987]), array([0.5931]))
    """
    z = float(t_quantile(0.5 + level / 2.0, df))
    with np.errstate(divide="ignore", invalid="ignore"):
        wide = np.exp(z * se / np.abs(value * np.log(value)))
        lower, upper = value**wide, value ** (1.0 / wide)
    inside = (value > 0) & (value < 1)
    return np.where(inside, lower, value), np.where(inside, upper, value)


def _passing(
    regression: CoxRegression, every: Floats, moved: int, point: float, level: float, part: int
) -> float:
    """Return the first event time at which survival (0) or a limit (1, 2) is a half or less."""
    low, high = 0, len(every)
    while low < high:
        middle = (low + high) // 2
        when = every[[middle]]
        value, gradient, own = survival(regression, moved, np.array([point]), when)
        if part:
            se = regression.errors_of(gradient, when, own)
            value = log_log(value, se, level, regression.df)[part - 1]
        if value[0] <= 0.5:
            high = middle
        else:
            low = middle + 1
    return float(np.append(every, np.inf)[low])
