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
    df
        Degrees of freedom of the error; infinite for the normal distribution.
    reason
        Why there is no error; empty where there is.

    Examples
    --------
    >>> effect = Estimate(0.008, se=0.0001, lower=0.0078, upper=0.0082, p=0.0, level=0.95)
    >>> effect
    0.008 (se 0.0001, 95 % interval 0.0078 to 0.0082)
    >>> round(effect * 100, 3), effect.lower
    (0.8, 0.0078)
    """

    __slots__ = ("df", "level", "lower", "p", "reason", "se", "upper")

    se: float
    lower: float
    upper: float
    p: float
    level: float
    df: float
    reason: str

    def __new__(
        cls,
        estimate: float,
        se: float,
        lower: float,
        upper: float,
        p: float,
        level: float,
        df: float = float("inf"),
        reason: str = "",
    ) -> Estimate:
        """Make an estimate from its parts."""
        instance = super().__new__(cls, estimate)
        parts = {"se": se, "lower": lower, "upper": upper, "p": p, "level": level, "df": df}
        for name, value in parts.items():
            object.__setattr__(instance, name, float(value))
        object.__setattr__(instance, "reason", reason)
        return instance

    @classmethod
    def of(cls, table: pd.DataFrame, level: float) -> Estimate:
        """Take the first row of a table with its error."""
        names = ("estimate", "se", "lower", "upper", "p")
        value, se, lower, upper, p = (float(table[name].iloc[0]) for name in names)
        df, reason = float(table["df"].iloc[0]), str(table["reason"].iloc[0])
        return cls(value, se, lower, upper, p, level, df, reason)

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

    def __reduce__(self) -> tuple[type[Estimate], tuple[float | str, ...]]:
        parts = (float(self), self.se, self.lower, self.upper, self.p, self.level, self.df)
        return type(self), (*parts, self.reason)

    def __repr__(self) -> str:
        return (
            f"{float(self):.4g} (se {self.se:.2g}, {100 * self.level:.4g} % interval "
            f"{self.lower:.4g} to {self.upper:.4g})"
        )

    __str__ = __repr__
