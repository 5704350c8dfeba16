"""Every public operation: what is called, what it should grow with, and its floor.

A row says what is timed (`call`), what is made before (`needs`, names of `growth_data.Case`), the
exponent that its work has in each axis with the largest step it is meant for (`axes`), and its
floor in seconds as a formula (`floor`). In formulas n, p, C, G and D are the sizes, ``F`` the
operations a second of a matrix product and ``B`` the bytes a second of reading memory, both
measured where the benchmark runs, ``ns``, ``us`` and ``ms`` units of time. A floor counts what the
definition asks for: sums of products, iterations on matrices of items or parameters (some 2p),
random numbers, one pass over what is read. It leaves out what Python and pandas take to make a
table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from growth_data import Case, Size

N, P, C, G, D = 2_500_000, 150, 40, 10_000, 5_000
FEW = 40
STEPS = {
    "n": (250, 2_500, 25_000, 250_000, N),
    "p": (8, 20, 50, 100, P),
    "C": (3, 6, 12, 20, C),
    "G": (5, 10, 20, FEW, 100, 1_000, G),
    "D": (50, 200, 1_000, D),
}
AXES = {
    "n": "respondents, 24 items of 8 constructs",
    "p": "items of 4 constructs, 2,500 respondents",
    "C": "constructs of 3 items, each depending on two, 1,000 respondents",
    "G": "groups, with respondents in proportion",
    "D": "draws, 1,000 respondents, 24 items of 8 constructs",
}
PRODUCTS = "n*p**2/F + 8*n*p/B"
SWEEPS = "200*p**2/F"  # ten iterations of PLS on p × p correlations
NEWTON = "100*p**3/F"  # ten iterations of p × p inverses and of 2p equations
LOGIT = "8*n*20*ns"  # eight iterations of an exponential and three sums


@dataclass(frozen=True)
class Operation:
    """One row of the table.

    Attributes
    ----------
    name
        The public name, and after a comma which form of it.
    call
        What is timed, on a `Case`.
    axes
        For each axis the exponent of the work, and the largest step the operation is meant for.
    floor
        Seconds, as a formula of the sizes.
    needs
        What is made before, in this order.
    sizes
        Sizes that differ from the usual ones.
    rows
        Respondents of a group.
    """

    name: str
    call: Callable[[Case], Any]
    axes: Mapping[str, tuple[float, int]]
    floor: str
    needs: tuple[str, ...] = ("survey",)
    sizes: Mapping[str, int] = field(default_factory=dict)
    rows: int = 50

    @property
    def verb(self) -> str:
        """The public name."""
        return self.name.split(",")[0]


@dataclass(frozen=True)
class Task:
    """One measurement: an operation at a step of one of its axes."""

    operation: Operation
    axis: str
    step: int

    @property
    def size(self) -> Size:
        """How large."""
        size = replace(Size(), **self.operation.sizes)
        if self.axis == "p":
            return replace(size, p=self.step, C=4, n=2_500)
        if self.axis == "C":
            return replace(size, C=self.step, p=3 * self.step)
        if self.axis == "G":
            return replace(size, G=self.step, n=max(self.operation.rows * self.step, 500))
        return replace(size, **{self.axis: self.step})


CALM = {"progress": False}
PLS_DRAW = f"D*({PRODUCTS.split(' + ')[0]} + 2*ns*n + {SWEEPS})"
CHAIN = f"{PLS_DRAW} + D*{LOGIT}"


def unfold(result: Any) -> int:
    """Read the page of a result."""
    return len(str(result.page))
