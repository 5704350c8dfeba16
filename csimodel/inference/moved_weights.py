"""Refits with the weight of one unit moved after another: influence values of a whole chain.

What follows from a fit and its respondents, such as a regression on their index, is computed in
samples in which a unit has a little more of the weight, and a little less; half the difference over
the step is what the unit adds to it (`influence`). So whatever is made from bootstrap draws has
linearised errors, too, for two refits a unit; for two a respondent where weights meet margins, as
what is left once these are met is known of respondents alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import Fit, Status, require_resampling
from csimodel.inference.bootstrap import Bootstrap, refitted
from csimodel.inference.influence import sharper
from csimodel.limits import require_memory, sample_bytes
from csimodel.moments import Resampling
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

_SHARE = 1e-5  # of the whole weight


@dataclass(frozen=True, eq=False)
class InfluenceVariance:
    """How estimates from samples with weights moved become an error.

    Attributes
    ----------
    design
        The units.
    share
        The part of the whole weight that each unit has, or each respondent where weights meet
        margins, (units,).
    """

    design: SurveyDesign
    share: Floats

    @property
    def df(self) -> int:
        """Degrees of freedom."""
        return self.design.df

    @property
    def method(self) -> str:
        """How the samples were made, in a word."""
        return "moved weights"

    def deviations(self, draws: Floats, estimate: Floats) -> Floats:
        """Return what has the covariance of estimates as its product, (units, entries).

        NaN where a sample has no solution.
        """
        units = len(self.share)
        if len(draws) != 2 * units:
            return np.full((1, draws.shape[1]), np.nan)
        totals = (draws[:units] - draws[units:]) / (2.0 * _SHARE) * self.share[:, None]
        return self.design.deviations(self.design.of_sources(totals))


def moved_weights(fit: Fit) -> Bootstrap:
    """Refit a model with a little more of the weight on each unit in turn, then a little less.

    Raises
    ------
    OptionError
        When the counts of so many units and rows exceed the memory that is free.
    """
    answers = require_resampling(fit, "csi.linearize", units=True)
    design, rows = answers.stages, len(answers.values)
    moved_units = design.source_units
    units = moved_units.units
    require_memory(
        f"Linearised errors of a regression, with {units:,} {moved_units.kind}s and {rows:,} rows",
        3 * 8.0 * 2 * units * rows
        + 2 * units * sample_bytes(len(fit.model.items), len(fit.model.constructs)),
        "take csi.bootstrap(fit), or errors of the regression alone, without bootstrap=",
    )
    weights = answers.row_weights
    share = np.bincount(moved_units.unit, weights, units) / weights.sum()
    factors = np.ones((2 * units, rows))
    for block, step in enumerate((_SHARE, -_SHARE)):
        moved = step / (1.0 - step) / share
        unit = moved_units.unit
        factors[block * units + unit, np.arange(rows)] += moved[unit]
    resampling = Resampling("weighted", rows, 2 * units, factors=factors)
    sharp = replace(fit, solution=replace(fit.solution, estimator=sharper(fit.estimator)))
    solution = refitted(sharp, resampling)
    usable = solution.estimates.outcome == Status.CONVERGED
    return Bootstrap(fit, resampling, solution, usable, InfluenceVariance(design, share))
