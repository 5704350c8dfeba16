"""What weights that meet margins take off the covariance of sums over sampled units.

With S what units add to some sums, K what they add to the known totals and B the slopes of the sums
on these, what is left once margins are met is ``S - K B``, and its covariance under the design C is
``S'C S - B'K'C S - S'C K B + B'K'C K B``. S is sparse where each sum has few units, and what is
left is not, so the terms are kept apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from csimodel.survey.calibrated_design import CalibratedDesign

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TermsOfTotals:
    """What sums over units have to do with known totals.

    Attributes
    ----------
    crossed
        Covariances of the sums with the known totals, ``S'C K``, (..., totals).
    slopes
        B, (..., totals).
    """

    crossed: Floats
    slopes: Floats

    def of(self, change: Callable[[Floats], Floats]) -> TermsOfTotals:
        """Return the terms of linear functions of the sums."""
        return TermsOfTotals(change(self.crossed), change(self.slopes))

    def __add__(self, other: TermsOfTotals) -> TermsOfTotals:
        return TermsOfTotals(self.crossed + other.crossed, self.slopes + other.slopes)


@dataclass(frozen=True, eq=False)
class MarginTotals:
    """Known totals of a design, for what they take off covariances.

    Attributes
    ----------
    design
        Units and margins.

    Examples
    --------
    >>> from csimodel.survey.calibration import WeightCalibration
    >>> from csimodel.survey.sampling import SurveyDesign
    >>> sexes = WeightCalibration(np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]]), np.ones(4))
    >>> everyone = SurveyDesign.of(4, weights=np.ones(4))
    >>> known = MarginTotals(CalibratedDesign.of_margins(everyone, sexes, np.arange(4)))
    >>> known.heavy.round(9).tolist()
    [[0.667, -0.667], [0.667, -0.667], [-0.667, 0.667], [-0.667, 0.667]]
    """

    design: CalibratedDesign

    @cached_property
    def heavy(self) -> Floats:
        """C K, (units, totals)."""
        own = self.design.known_totals
        heavy = np.zeros(own.shape)
        for codes, counts in self.design.cells:
            sums = np.zeros((len(counts), own.shape[1]))
            np.add.at(sums, codes, own)
            heavy += (sums * counts[:, None])[codes]
        return heavy

    @cached_property
    def between(self) -> Floats:
        """``K'C K``, (totals, totals)."""
        return np.asarray(self.design.known_totals.T @ self.heavy)

    @cached_property
    def projection(self) -> Floats:
        """What gives slopes from what respondents looked at add, (totals, rows)."""
        return self.design.projection(np.arange(len(self.design.unit)))

    def covariance(self, first: TermsOfTotals, second: TermsOfTotals) -> Floats:
        """Return what margins add to the covariances of sums, (..., any, any).

        Terms are (..., any, totals).
        """
        others, slopes = (np.swapaxes(own, -1, -2) for own in (second.crossed, second.slopes))
        return (first.slopes @ self.between - first.crossed) @ slopes - first.slopes @ others

    def variance(self, terms: TermsOfTotals) -> Floats:
        """Return what margins add to the variances of sums, (any,), of terms (any, totals)."""
        added = (terms.slopes @ self.between - 2.0 * terms.crossed) * terms.slopes
        return np.asarray(added.sum(axis=1))
