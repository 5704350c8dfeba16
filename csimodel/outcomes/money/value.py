"""What a customer is worth: the terms of trade, and sums of discounted margins.

References
----------
Berger, P. D., Nasr, N. I. (1998). Customer lifetime value: marketing models and applications.
Journal of Interactive Marketing 12(1), 17-30.
https://doi.org/10.1002/(SICI)1520-6653(199824)12:1%3C17::AID-DIR3%3E3.0.CO;2-K

Gupta, S., Lehmann, D. R. (2003). Customers as assets. Journal of Interactive Marketing 17(1), 9-24.
https://doi.org/10.1002/dir.10045
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.characters import encodable
from csimodel.errors import OptionError, choose
from csimodel.options import number_of, require_kind, require_number

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Economics:
    """Terms on which customers become money. Nothing is converted: all money is in `currency`.

    Attributes
    ----------
    margin
        Money a customer who is there brings in a period, after the costs of serving him.
    currency
        What the money is in; a label, never parsed.
    period
        The period of margin, discount rate and retention, such as ``"year"``; a label.
    discount_rate
        Per period, 0.08 for 8 %.
    customers
        How many there are now; with 1, money is per customer.
    first_margin
        ``"end"``: the first margin counted comes at the end of the period, from those who stay
        (the multiple r/(1 + d - r) of Gupta and Lehmann); ``"now"``: everybody pays one now
        ((1 + d)/(1 + d - r)).
    horizon
        How many margins are counted; None for all there will ever be.
    purchases
        Occasions in a period on which a customer may leave for good: retention is
        ``probability ** purchases``.

    Raises
    ------
    OptionError
        When a number is not one of these.

    Examples
    --------
    >>> Economics(margin=120, currency="EUR", period="year", discount_rate=0.08, customers=5_000)
    Economics(margin=120, currency='EUR', period='year', discount_rate=0.08, customers=5000,
    first_margin='end', horizon=None, purchases=1.0)
    """

    margin: float
    currency: str
    period: str
    discount_rate: float
    customers: float = 1.0
    first_margin: Literal["end", "now"] = "end"
    horizon: int | None = None
    purchases: float = 1.0

    def __post_init__(self) -> None:
        for name in ("margin", "customers", "purchases"):
            require_positive(name, getattr(self, name))
        for name in ("currency", "period"):
            label = getattr(self, name)
            if not isinstance(label, str) or not label.strip() or encodable(label) != label:
                raise OptionError(
                    f"{name}={label!r} must be a word, for example "
                    f"{'EUR' if name == 'currency' else 'year'!r}."
                )
        rate = self.discount_rate
        if not _is_number(rate) or not 0 <= rate <= 1:
            raise OptionError(
                f"discount_rate={rate!r} must lie between 0 and 1 per {self.period}; write 0.08 "
                "for 8 %."
            )
        choose("first_margin", self.first_margin, ["end", "now"])
        whole = isinstance(self.horizon, int | np.integer) and not isinstance(self.horizon, bool)
        if self.horizon is not None and not (whole and self.horizon >= 1):
            raise OptionError(
                f"horizon={self.horizon!r} must be a whole number of margins from 1, or None for "
                "all there will ever be."
            )

    def retention(self, probability: Floats) -> Floats:
        """Return the share of customers who stay a period: ``probability ** purchases``."""
        return np.asarray(probability**self.purchases)


def lifetime_values(retention: ArrayLike, economics: Economics) -> Floats:
    """Return the value of a customer for each retention, of the same shape.

    With q = r/(1 + d) and T margins counted, ``margin · Σ q^t`` over t = 1 … T, or over
    t = 0 … T - 1 when the first margin comes now.

    Raises
    ------
    OptionError
        When the value is infinite: no horizon, and a retention not below 1 + d.

    Examples
    --------
    >>> terms = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    >>> lifetime_values([0.0, 0.8], terms)
    array([  0.        , 266.66666667])
    """
    r = np.asarray(retention, dtype=np.float64)
    q = r / (1.0 + economics.discount_rate)
    value = economics.margin * _sum_of_powers(q, r, economics, economics.horizon)
    return np.asarray(value * q if economics.first_margin == "end" else value)


def staying_values(retention: ArrayLike, economics: Economics) -> Floats:
    """Return what a customer who stays this period is worth more than one who leaves.

    The lifetime value is (a margin now, if so agreed, plus) retention times this.

    Examples
    --------
    >>> terms = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1)
    >>> float(staying_values(0.8, terms)) * 0.8
    266.66666667
    """
    r = np.asarray(retention, dtype=np.float64)
    q = r / (1.0 + economics.discount_rate)
    left = economics.horizon
    if left is not None and economics.first_margin == "now":
        left -= 1
    ahead = economics.margin * _sum_of_powers(q, r, economics, left)
    return np.asarray(ahead / (1.0 + economics.discount_rate))


def present_values(retention: ArrayLike, economics: Economics) -> Floats:
    """Return what a customer who is there this period brings from now on, by retention.

    ``Σ margin · r^s / (1 + d)^t`` over as many margins as counted, s = 0, 1, …: the first is
    certain, and comes now (t = s) or at the end of the period (t = s + 1).

    Examples
    --------
    >>> terms = Economics(margin=100, currency="EUR", period="year", discount_rate=0.1, horizon=2)
    >>> float(present_values(0.8, terms)), 100 / 1.1 + 0.8 * 100 / 1.1**2
    (157.02, 157.02)
    """
    r = np.asarray(retention, dtype=np.float64)
    q = r / (1.0 + economics.discount_rate)
    value = economics.margin * _sum_of_powers(q, r, economics, economics.horizon)
    later = 1.0 + economics.discount_rate if economics.first_margin == "end" else 1.0
    return np.asarray(value / later)


def payments_value(economics: Economics) -> float:
    """Return the present value of one unit of money paid now and at every period after.

    Paid as many times as margins are counted.

    Raises
    ------
    OptionError
        When it is infinite.
    """
    if economics.horizon is None and economics.discount_rate == 0:
        raise OptionError(
            "paid='every period' without an end costs an infinite sum at discount_rate=0; give "
            "a discount rate above 0 or a horizon."
        )
    q = np.asarray(1.0 / (1.0 + economics.discount_rate))
    return float(_sum_of_powers(q, np.asarray(1.0), economics, economics.horizon))


def require_economics(economics: object) -> Economics:
    """Return the terms, or say how they are made."""
    return require_kind(
        "economics",
        economics,
        Economics,
        'write Economics(margin=100, currency="EUR", period="year", discount_rate=0.08)',
    )


def require_positive(name: str, value: object) -> None:
    """Refuse what is not a finite number above 0."""
    require_number(name, value, above=0)


def require_share(name: str, value: object) -> None:
    """Refuse what is not a number from 0 to 1."""
    if not _is_number(value) or not 0 <= value <= 1:  # type: ignore[operator]
        raise OptionError(f"{name}={value!r} must lie from 0 to 1; write 0.08 for 8 %.")


def _is_number(value: object) -> bool:
    number = number_of(value)
    return number is not None and bool(np.isfinite(number))


def _sum_of_powers(q: Floats, r: Floats, economics: Economics, terms: int | None) -> Floats:
    """Return Σ q^t over t = 0 … terms - 1."""
    if terms is None:
        endless = r >= 1.0 + economics.discount_rate
        if endless.any():
            of = "" if r.ndim == 0 else f" ({int(endless.sum())} of {r.size} values)"
            raise OptionError(
                f"Retention {r[endless].max():.4g} is not below 1 + discount_rate = "
                f"{1.0 + economics.discount_rate:.4g}{of}, so a customer's value is infinite; "
                "give a discount rate above 0 or a horizon."
            )
        return np.asarray(1.0 / (1.0 - q))
    flat = np.isclose(q, 1.0, rtol=0.0, atol=1e-12)
    return np.asarray(np.where(flat, float(terms), (1.0 - q**terms) / np.where(flat, 1.0, 1.0 - q)))
