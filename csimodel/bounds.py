"""What numbers can be, and what the literature asks of them: one table of each.

`BOUNDS` says between which values a quantity must lie to be what its name says; beyond them an
estimate is impossible, whatever it was estimated by. `THRESHOLDS` says where the literature draws
its lines between good and poor. Findings of a fit, of draws and verdicts of `csimodel.assess` read
both from here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROUNDING = 1e-8  # beyond a bound by this much is rounding


@dataclass(frozen=True)
class Bounds:
    """Between which values a quantity must lie.

    Attributes
    ----------
    lower, upper
        The bounds themselves are possible.
    reason
        Why nothing lies beyond.
    source
        Where that is shown, or empty where it follows from the definition.
    """

    lower: float
    upper: float
    reason: str
    source: str = ""

    def below(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Mark values below by more than rounding; not NaN."""
        return np.less(values, self.lower - ROUNDING)

    def above(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Mark values above by more than rounding; not NaN."""
        return np.greater(values, self.upper + ROUNDING)

    def beyond(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Mark values on either side, by more than rounding; not NaN.

        >>> BOUNDS["r2"].beyond([-0.26, 0.0, 1.0 + 1e-12, 1.2, float("nan")]).tolist()
        [True, False, False, True, False]
        """
        return np.asarray(self.below(values) | self.above(values))


@dataclass(frozen=True)
class Threshold:
    """A line that the literature draws, and where."""

    value: float
    source: str


_SHARE = "a share of a variance"
_INF = float("inf")
_FORNELL = "Fornell & Larcker (1981), https://doi.org/10.1177/002224378101800104"
_HAIR = "Hair, Risher, Sarstedt & Ringle (2019), https://doi.org/10.1108/EBR-11-2018-0203"
_NUNNALLY = f"Nunnally & Bernstein (1994), Psychometric Theory; {_HAIR}"
_HENSELER = "Henseler, Ringle & Sarstedt (2015), https://doi.org/10.1007/s11747-014-0403-8"
_COHEN = "Cohen (1988), https://doi.org/10.4324/9780203771587"
_HU_BENTLER = (
    "Hu & Bentler (1999), https://doi.org/10.1080/10705519909540118; "
    "its use with PLS is debated, see Hair et al. (2019)"
)
_MEADE = "Meade & Craig (2012), who found 10 to 12 % of respondents careless"
_GRESZKI = "Greszki, Meyer & Schoen (2015), https://doi.org/10.1093/poq/nfu058"
_KAISER = "Kaiser & Rice (1974), https://doi.org/10.1177/001316447403400115"
_CAMERON = "Cameron & Miller (2015), section VI.A, https://doi.org/10.3368/jhr.50.2.317"
_BROWNE = "Browne & Cudeck (1992), https://doi.org/10.1177/0049124192021002005"
_KOCK = "Kock (2015), https://doi.org/10.4018/ijec.2015100101"
_DUL = "Dul (2016), https://doi.org/10.1177/1094428115584005"
_OWN = "a convention of this package"
_HEYWOOD = "Bollen (1989), page 282, https://doi.org/10.1002/9781118619179"

BOUNDS: dict[str, Bounds] = {
    "r2": Bounds(0.0, 1.0, _SHARE),
    "r2_adjusted": Bounds(-_INF, 1.0, "a share of a variance less a correction"),
    "loading": Bounds(-1.0, 1.0, "a correlation of an item and its construct"),
    "correlation": Bounds(-1.0, 1.0, "a correlation"),
    "alpha": Bounds(0.0, 1.0, "a reliability, " + _SHARE),
    "alpha_raw": Bounds(0.0, 1.0, "a reliability, " + _SHARE),
    "rho_a": Bounds(0.0, 1.0, "a reliability, " + _SHARE),
    "rho_c": Bounds(0.0, 1.0, "a reliability, " + _SHARE),
    "reliability": Bounds(0.0, 1.0, _SHARE),
    "ave": Bounds(0.0, 1.0, "a mean of shares of variances", _FORNELL),
    "htmt": Bounds(0.0, _INF, "a ratio of means of absolute correlations", _HENSELER),
    "htmt2": Bounds(0.0, _INF, "a ratio of means of absolute correlations"),
    "item_vif": Bounds(1.0, _INF, "1 / (1 - R²)", _HAIR),
    "antecedent_vif": Bounds(1.0, _INF, "1 / (1 - R²)", _HAIR),
    "f2": Bounds(0.0, _INF, "a gain of R²", _COHEN),
    "srmr": Bounds(0.0, _INF, "a root of a mean of squares", _HU_BENTLER),
    "variance": Bounds(0.0, _INF, "a variance", _HEYWOOD),
    "index": Bounds(0.0, 100.0, "a mean of answers from 0 to 100"),
}
"""What each quantity must lie between; a standardised path has no bounds."""

THRESHOLDS: dict[str, Threshold] = {
    "reliability acceptable": Threshold(0.60, _NUNNALLY),
    "reliability good": Threshold(0.70, _NUNNALLY),
    "reliability too high": Threshold(0.95, _NUNNALLY),
    "ave good": Threshold(0.50, _FORNELL),
    "kmo": Threshold(0.50, _KAISER),
    "item-total correlation": Threshold(0.30, _NUNNALLY),
    "correlation of redundant items": Threshold(0.90, _OWN),
    "items of a pattern": Threshold(5, _OWN),
    "share of missing answers": Threshold(0.20, _OWN),
    "speeder's share of the median": Threshold(1 / 3, _GRESZKI),
    "share of careless respondents": Threshold(0.10, _MEADE),
    "loading acceptable": Threshold(0.40, _HAIR),
    "loading good": Threshold(0.708, _HAIR),
    "htmt good": Threshold(0.85, _HENSELER),
    "htmt acceptable": Threshold(0.90, _HENSELER),
    "htmt interval": Threshold(1.0, _HENSELER),
    "vif good": Threshold(3.0, _HAIR),
    "vif acceptable": Threshold(5.0, _HAIR),
    "full vif": Threshold(3.3, _KOCK),
    "full vif corrected": Threshold(5.0, _KOCK),
    "f2 small": Threshold(0.02, _COHEN),
    "f2 medium": Threshold(0.15, _COHEN),
    "f2 large": Threshold(0.35, _COHEN),
    "q2 medium": Threshold(0.25, _HAIR),
    "q2 large": Threshold(0.50, _HAIR),
    "r2 weak": Threshold(0.25, _HAIR),
    "r2 moderate": Threshold(0.50, _HAIR),
    "r2 substantial": Threshold(0.75, _HAIR),
    "necessity small": Threshold(np.finfo(np.float64).eps, _DUL),
    "necessity medium": Threshold(0.10, _DUL),
    "necessity large": Threshold(0.30, _DUL),
    "necessity very large": Threshold(0.50, _DUL),
    "entropy of segments": Threshold(
        0.50, "Ringle, Wende & Will (2010), https://doi.org/10.1007/978-3-540-32827-8_10"
    ),
    "srmr good": Threshold(0.08, _HU_BENTLER),
    "srmr acceptable": Threshold(0.10, _HU_BENTLER),
    "degrees of freedom for percentiles": Threshold(20.0, _CAMERON),
    "rmsea close": Threshold(0.05, _BROWNE),
    "rmsea mediocre": Threshold(0.08, _BROWNE),
    "fall of cfi": Threshold(
        0.01, "Cheung & Rensvold (2002), https://doi.org/10.1207/S15328007SEM0902_5"
    ),
    "determinacy": Threshold(0.80, "Gorsuch (1983); Grice (2001)"),
    "constructs alike": Threshold(0.95, _OWN),
    "turn of weights": Threshold(np.pi / 2.0, _OWN),  # radians; no direction turns further
    "draws lost": Threshold(0.1, _OWN),
    "few rows": Threshold(30.0, _OWN),
    "few rows of a group": Threshold(10.0, _OWN),
    "few rows of a category": Threshold(10.0, _OWN),
    "few answers of a category": Threshold(5.0, _OWN),
    "few answers of a cluster": Threshold(5.0, _OWN),
    "few groups": Threshold(20.0, _OWN),
    "few firms": Threshold(20.0, _OWN),
    "few clusters": Threshold(40.0, _CAMERON),
    "few clusters of a segment": Threshold(10.0, _OWN),
    "events for each regressor": Threshold(
        10.0, "Peduzzi et al. (1996), https://doi.org/10.1016/S0895-4356(96)00236-3"
    ),
    "respondents at the ceiling": Threshold(
        0.15, "Terwee et al. (2007), https://doi.org/10.1016/j.jclinepi.2006.03.012"
    ),
    "normal tails": Threshold(1.5, _OWN),
    "large standardised error": Threshold(1.0, _OWN),
    "chi-square that decides nothing": Threshold(0.01, _OWN),
    "corrected over naive slope": Threshold(3.0, _OWN),
    "change over the whole index": Threshold(1.5, _OWN),
    "extrapolations apart": Threshold(0.1, _OWN),
    "values of a point apart": Threshold(0.1, _OWN),
    "error in the movement of the index": Threshold(0.1, _OWN),
    "degrees of freedom for design effects": Threshold(10.0, _OWN),
    "design effect of weights": Threshold(2.0, _OWN),
    "share of a single weight": Threshold(0.05, _OWN),
    "few respondents of a class": Threshold(20.0, _OWN),
    "rows for each parameter": Threshold(
        5.0, "Bentler & Chou (1987), https://doi.org/10.1177/0049124187016001004"
    ),
}
"""Where the literature draws its lines, by quantity and word."""

FEW_DEGREES = THRESHOLDS["degrees of freedom for percentiles"].value
"""Degrees of freedom below which percentiles of draws are too narrow, and limits are by t."""
