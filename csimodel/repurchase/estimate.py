"""A number with its uncertainty."""

from __future__ import annotations

import pandas as pd


class Estimate(float):
    """Hold an estimate that computes as a number and knows its error.

    Attributes
    ----------
    se
        Standard error.
    lower, upper
        Confidence limits.
    p
        Two-sided p-value against zero.
    level
        Coverage of the limits.

    Examples
    --------
    >>> effect = Estimate(0.008, se=0.0001, lower=0.0078, upper=0.0082, p=0.0, level=0.95)
    >>> effect
    0.008 (se 0.0001, 95 % interval 0.0078 to 0.0082)
    >>> round(effect * 100, 3), effect.lower
    (0.8, 0.0078)
    """

    __slots__ = ("level", "lower", "p", "se", "upper")

    se: float
    lower: float
    upper: float
    p: float
    level: float

    def __new__(
        cls, estimate: float, se: float, lower: float, upper: float, p: float, level: float
    ) -> Estimate:
        """Make an estimate from its parts."""
        made = super().__new__(cls, estimate)
        parts = {"se": se, "lower": lower, "upper": upper, "p": p, "level": level}
        for name, value in parts.items():
            object.__setattr__(made, name, float(value))
        return made

    @property
    def estimate(self) -> float:
        """The plain number."""
        return float(self)

    def to_series(self) -> pd.Series:
        """Return estimate, se, lower, upper and p, labelled."""
        names = ("estimate", "se", "lower", "upper", "p")
        return pd.Series({name: float(getattr(self, name)) for name in names})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"An Estimate is fixed; its {name} cannot be changed.")

    def __getnewargs__(self) -> tuple[float, float, float, float, float, float]:  # type: ignore[override]
        return (float(self), self.se, self.lower, self.upper, self.p, self.level)

    def __reduce__(self) -> tuple[type[Estimate], tuple[float, ...]]:
        return type(self), self.__getnewargs__()

    def __repr__(self) -> str:
        return (
            f"{float(self):.4g} (se {self.se:.2g}, {100 * self.level:.4g} % interval "
            f"{self.lower:.4g} to {self.upper:.4g})"
        )

    __str__ = __repr__
