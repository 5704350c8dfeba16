"""How a simulated survey is taken: cells left empty, firms, and a repurchase outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError, choose
from csimodel.options import require_count, require_names, require_number

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Missing:
    """Cells that respondents leave empty, at random or depending on an answered item.

    Every cell of `items` is empty with probability ``Φ(a + slope z)``, z the standardised answer to
    `given` before rounding, and a such that a `share` of normal answers is empty. Without `given`
    answers are missing completely at random; with it they are missing at random in Rubin's sense,
    because `given` itself is always answered.

    Parameters
    ----------
    share
        Share of empty cells among those of `items`, at least 0 and below 1.
    items
        Items with empty cells; None for all but `given`.
    given
        Item on whose answer it depends.
    slope
        How strongly, in standard deviations; negative when the dissatisfied answer less.

    Raises
    ------
    OptionError
        For a share outside 0 to 1, or a `given` that is itself among the items.

    References
    ----------
    Rubin, D. B. (1976). Inference and missing data. Biometrika 63, 581-592.
    https://doi.org/10.1093/biomet/63.3.581

    Examples
    --------
    >>> Missing(0.2, items=("v1", "v2"), given="q1")
    Missing(share=0.2, items=('v1', 'v2'), given='q1', slope=-1.0)
    """

    share: float
    items: Sequence[str] | None = None
    given: str | None = None
    slope: float = -1.0

    def __post_init__(self) -> None:
        require_number("share", self.share, least=0, below=1)
        require_number("slope", self.slope)
        if self.items is not None:
            object.__setattr__(self, "items", require_names("items", self.items, "item"))
            if self.given in self.items:
                raise OptionError(
                    f"Item {self.given!r} decides who answers and must be answered itself; take it "
                    "out of items."
                )

    def columns(self, items: tuple[str, ...]) -> tuple[NDArray[np.intp], int | None]:
        """Return positions of the items with empty cells, and of `given`.

        Raises
        ------
        OptionError
            For an item that is not in the model.
        """
        wanted = [item for item in items if item != self.given]
        wanted = wanted if self.items is None else list(self.items)
        for item in (*wanted, *([] if self.given is None else [self.given])):
            if item not in items:
                raise OptionError(
                    f"Missing names item {item!r}, which is not in the model; it has "
                    f"{', '.join(items)}."
                )
        place = np.array([items.index(item) for item in wanted], dtype=np.intp)
        return place, None if self.given is None else items.index(self.given)

    def empty(
        self, rng: np.random.Generator, standardised: Floats, items: tuple[str, ...]
    ) -> NDArray[np.bool_]:
        """Return which cells stay empty, in the shape of `standardised`, (..., items)."""
        from scipy.special import ndtr, ndtri

        place, given = self.columns(items)
        mask = np.zeros(standardised.shape, dtype=bool)
        if not self.share:
            return mask
        drawn = rng.random((*standardised.shape[:-1], len(place)))
        if given is None:
            mask[..., place] = drawn < self.share
            return mask
        level = ndtri(self.share) * np.sqrt(1.0 + self.slope**2)
        chance = ndtr(level + self.slope * standardised[..., given, None])
        mask[..., place] = drawn < chance
        return mask


@dataclass(frozen=True)
class Firms:
    """Respondents rate firms, and firms differ: random effects of firms on the constructs.

    A construct's score is ``√between · firm + √(1 - between) · respondent``, both with the
    constructs' correlations, so that the covariances of all answers together are the population's
    and `between` is the intraclass correlation of every construct. Firms get the same number of
    respondents, up to one.

    Parameters
    ----------
    count
        Number of firms, at least 2.
    between
        Share of the constructs' variance that lies between firms, 0 to 1.
    column
        Name of the column with the firms' numbers.

    Raises
    ------
    OptionError
        For numbers out of their range.

    Examples
    --------
    >>> Firms(40, between=0.1)
    Firms(count=40, between=0.1, column='firm')
    """

    count: int
    between: float = 0.1
    column: str = "firm"

    def __post_init__(self) -> None:
        require_count("count", self.count, " firms", least=2)
        require_number("between", self.between, least=0, most=1)

    def codes(self, n: int) -> NDArray[np.intp]:
        """Return the firm of each of n respondents, (n,)."""
        return np.asarray(np.arange(n) * self.count // n, dtype=np.intp)


@dataclass(frozen=True)
class Outcome:
    """Repurchase that rises with the true index by a given probability per point.

    ``P = logistic(a + b T)``, T the index without measurement error, with a and b such that P is
    `mean` on average and its average marginal effect is `slope` per index point. For a normal T
    that is also the least-squares slope on T (Stein's lemma), and the slope on the index as
    measured is smaller by the index's reliability: `Population.index_reliability`.

    Parameters
    ----------
    slope
        Probability per index point, for example .0058.
    mean
        Average probability, between 0 and 1.
    construct
        Whose index it is.
    column
        Name of the outcome's column.
    kind
        ``"binary"``: 0 or 1; ``"share"``: a probability as a respondent states it, beta distributed
        about P with variance ``P (1 - P)/(1 + precision)``.
    precision
        For ``"share"``.

    Raises
    ------
    OptionError
        For a mean or precision out of range, or an unknown kind.

    References
    ----------
    Stein, C. M. (1981). Estimation of the mean of a multivariate normal distribution. Annals of
    Statistics 9, 1135-1151. https://doi.org/10.1214/aos/1176345632

    Examples
    --------
    >>> Outcome(0.0058).coefficients(sd=20.0)
    (1.2025, 0.0334)
    """

    slope: float
    mean: float = 0.75
    construct: str = "Satisfaction"
    column: str = "repurchase"
    kind: Literal["binary", "share"] = "binary"
    precision: float = 5.0

    def __post_init__(self) -> None:
        choose("kind", self.kind, ["binary", "share"])
        require_number("slope", self.slope)
        require_number("precision", self.precision, above=0)
        require_number("mean", self.mean, above=0, below=1, advice=", because it is a probability")

    def coefficients(self, sd: float) -> tuple[float, float]:
        """Return the logistic level at T's mean, and its slope per point, for a normal T.

        Raises
        ------
        OptionError
            When the slope is steeper than probabilities allow.
        """
        from scipy.optimize import brentq
        from scipy.special import expit, logit

        nodes, weights = np.polynomial.hermite_e.hermegauss(81)
        weights = weights / weights.sum()

        def level(steep: float) -> float:
            def gap(at: float) -> float:
                return float(weights @ expit(at + steep * nodes) - self.mean)

            middle = float(logit(self.mean))
            far = abs(steep) * 10.0 + 1.0
            return float(brentq(gap, middle - far, middle + far, xtol=1e-13))

        def effect(steep: float) -> float:
            chance = expit(level(steep) + steep * nodes)
            return float(weights @ (chance * (1.0 - chance)) * steep / sd)

        steepest = 4.0  # beyond, the quadrature of the logistic curve is no longer exact
        if abs(self.slope) > effect(steepest):
            raise OptionError(
                f"slope={self.slope:g} per index point is too steep for an index with standard "
                f"deviation {sd:.1f} and a mean probability of {self.mean:g}; "
                f"it can be {effect(steepest):.4f} at most."
            )
        if self.slope == 0:
            return float(logit(self.mean)), 0.0
        steep = brentq(lambda s: effect(s) - self.slope, -steepest, steepest, xtol=1e-13)
        return level(float(steep)), float(steep) / sd

    def draw(self, rng: np.random.Generator, away: Floats, sd: float) -> Floats:
        """Return outcomes for true indices `away` from their mean, in points."""
        from scipy.special import expit

        level, slope = self.coefficients(sd)
        chance = expit(level + slope * away)
        if self.kind == "binary":
            return np.asarray((rng.random(away.shape) < chance).astype(np.float64))
        return np.asarray(rng.beta(chance * self.precision, (1.0 - chance) * self.precision))
