"""Distributions of simulated answers: normal, skewed or heavy-tailed, all with a given covariance.

A shape turns independent standard normal numbers into standardised answers whose covariances are
exactly those of the population.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.options import require_number

Floats = NDArray[np.float64]

_PRECISE = 1e-12


class AnswerShape(Protocol):
    """How standardised answers are distributed."""

    @property
    def keeps_constructs(self) -> bool:
        """Whether answers come from construct scores that other draws may use."""

    def scale(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats | None:
        """Return what all numbers of a row are multiplied with, or None for 1."""

    def normal_cor(self, cor: Floats) -> Floats:
        """Return the correlations of the normal numbers that answers are made of."""

    def answers(self, normal: Floats) -> Floats:
        """Turn standard normal numbers into standardised answers."""


@dataclass(frozen=True)
class Normal:
    """Multivariate normal answers.

    >>> Normal()
    Normal()
    """

    @property
    def keeps_constructs(self) -> bool:
        """Whether answers come from construct scores: they do."""
        return True

    def scale(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats | None:
        """Return None: rows are not scaled."""
        return None

    def normal_cor(self, cor: Floats) -> Floats:
        """Return the correlations themselves."""
        return cor

    def answers(self, normal: Floats) -> Floats:
        """Return the numbers themselves."""
        return normal


@dataclass(frozen=True)
class HeavyTailed(Normal):
    """Multivariate t answers, scaled to the population's covariances.

    ``x = z √((ν - 2)/χ²_ν)``, one χ² for all items and constructs of a respondent, so that careless
    and extreme respondents are extreme throughout. Excess kurtosis is ``6/(ν - 4)``.

    Parameters
    ----------
    df
        Degrees of freedom ν, above 4; robust errors need above 8.

    Raises
    ------
    OptionError
        For fewer degrees of freedom.

    References
    ----------
    Kotz, S., Nadarajah, S. (2004). Multivariate t Distributions and Their Applications.
    https://doi.org/10.1017/CBO9780511550683
    """

    df: float = 10.0

    def __post_init__(self) -> None:
        if not require_number("df", self.df) > 4:
            raise OptionError(
                f"df={self.df!r} is too small: kurtosis needs more than 4 degrees of freedom, "
                "and robust errors more than 8."
            )

    def scale(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats | None:
        """Return √((ν - 2)/χ²_ν), one number a respondent."""
        return np.sqrt((self.df - 2.0) / rng.chisquare(self.df, size))


@dataclass(frozen=True)
class Skewed:
    """Answers with given skewness and kurtosis: polynomials of normal numbers.

    Each item is ``a + b z + c z² + d z³`` (Fleishman 1978), and z are correlated so that the items'
    covariances are the population's (Vale and Maurelli 1983). All items have one shape. Answers do
    not come from construct scores, so firms and outcomes cannot be drawn with it.

    Parameters
    ----------
    skewness
        Third standardised moment; satisfaction ratings have negative ones, often -1 to -2.
    kurtosis
        Fourth standardised moment less 3.

    Raises
    ------
    OptionError
        When no polynomial has these moments.

    References
    ----------
    Fleishman, A. I. (1978). A method for simulating non-normal distributions. Psychometrika 43,
    521-532. https://doi.org/10.1007/BF02293811

    Vale, C. D., Maurelli, V. A. (1983). Simulating multivariate nonnormal distributions.
    Psychometrika 48, 465-471. https://doi.org/10.1007/BF02293687

    Examples
    --------
    >>> Skewed(-1.5, 4.0).polynomial.round(3).tolist()
    [0.212, 0.847, -0.212, 0.035]
    """

    skewness: float = -1.5
    kurtosis: float = 4.0

    def __post_init__(self) -> None:
        require_number("skewness", self.skewness)
        require_number("kurtosis", self.kurtosis)
        fleishman(float(self.skewness), float(self.kurtosis))

    @property
    def polynomial(self) -> Floats:
        """The coefficients (a, b, c, d)."""
        return np.array(fleishman(float(self.skewness), float(self.kurtosis)))

    @property
    def keeps_constructs(self) -> bool:
        """Whether answers come from construct scores: they do not."""
        return False

    def scale(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats | None:
        """Return None: rows are not scaled."""
        return None

    def normal_cor(self, cor: Floats) -> Floats:
        """Return the intermediate correlations.

        The root of ``ρ (b + 3d)² + 2 c² ρ² + 6 d² ρ³ = r`` for each pair, found by bisection where
        the left side rises with ρ.

        Raises
        ------
        OptionError
            When there are none, or they are no correlation matrix.
        """
        _, b, c, d = self.polynomial
        product = np.polynomial.Polynomial([0.0, (b + 3.0 * d) ** 2, 2.0 * c * c, 6.0 * d * d])
        turns = np.asarray(product.deriv().trim(_PRECISE).roots(), dtype=np.complex128)
        real = [float(turn.real) for turn in turns if turn.imag == 0]
        lowest = max([-1.0, *(turn for turn in real if turn < 0)])
        if (cor < product(lowest) - _PRECISE).any():
            raise OptionError(
                f"Items with skewness {self.skewness:g} and kurtosis {self.kurtosis:g} cannot "
                f"correlate {cor.min():.2f}; use a milder shape or weaker negative paths."
            )
        low, high = np.full(cor.shape, lowest), np.ones(cor.shape)
        for _ in range(60):
            middle = (low + high) / 2.0
            above = product(middle) > cor
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        normal = (low + high) / 2.0
        np.fill_diagonal(normal, 1.0)
        if np.linalg.eigvalsh(normal)[0] <= 0:
            raise OptionError(
                f"Items with skewness {self.skewness:g} and kurtosis {self.kurtosis:g} cannot have "
                "the correlations of this model; use a milder shape."
            )
        return normal

    def answers(self, normal: Floats) -> Floats:
        """Return ``a + b z + c z² + d z³``."""
        a, b, c, d = self.polynomial
        return np.asarray(a + normal * (b + normal * (c + normal * d)))


@lru_cache(maxsize=64)
def fleishman(skewness: float, kurtosis: float) -> tuple[float, float, float, float]:
    """Return (a, b, c, d) of the polynomial of a normal number with these moments.

    Variance ``b² + 6bd + 2c² + 15d² = 1``, skewness ``2c(b² + 24bd + 105d² + 2)``, kurtosis
    ``24(bd + c²(1 + b² + 28bd) + d²(12 + 48bd + 141c² + 225d²))``, and ``a = -c``.

    Raises
    ------
    OptionError
        When none is found.

    Examples
    --------
    >>> fleishman(0.0, 0.0)
    (0.0, 1.0, 0.0, 0.0)
    """
    from scipy.optimize import root

    if skewness == 0 and kurtosis == 0:
        return 0.0, 1.0, 0.0, 0.0

    def gap(at: Floats) -> list[float]:
        b, c, d = at
        return [
            b * b + 6 * b * d + 2 * c * c + 15 * d * d - 1.0,
            2 * c * (b * b + 24 * b * d + 105 * d * d + 2.0) - skewness,
            24
            * (
                b * d
                + c * c * (1 + b * b + 28 * b * d)
                + d * d * (12 + 48 * b * d + 141 * c * c + 225 * d * d)
            )
            - kurtosis,
        ]

    for first in ([0.9, skewness / 6.0, 0.03], [1.1, skewness / 6.0, -0.05], [0.6, 0.1, 0.1]):
        at = root(gap, first, tol=1e-14).x
        if max(map(abs, gap(at))) < 1e-9 and at[0] > 0:
            b, c, d = (float(entry) for entry in at)
            return -c, b, c, d
    least = 1.64 * skewness**2 - 1.13
    raise OptionError(
        f"No polynomial of a normal number was found that has skewness {skewness:g} and kurtosis "
        f"{kurtosis:g}; with this skewness take a kurtosis somewhat above {least:.1f}."
    )
