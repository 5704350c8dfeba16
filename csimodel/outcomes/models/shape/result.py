"""The result of `repurchase_shape`: estimates, tests, a curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from csimodel.arguments import checked_in
from csimodel.findings import Finding
from csimodel.floats import own_errstate_in
from csimodel.formatting import told_p
from csimodel.outcomes.models.levels import on_index
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.shape.curved_fit import Bend
from csimodel.outcomes.models.shape.hinge import Hinge
from csimodel.outcomes.models.shape.isotonic import Steps
from csimodel.page import HasHeadline, Page, sections


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Shape(HasHeadline):
    """How the probability of repurchase follows the index. Made by `repurchase_shape`.

    Attributes
    ----------
    kind
        ``"quadratic"``, ``"spline"``, ``"hinge"`` or ``"isotonic"``.
    repurchase
        The straight regression it was made from.
    index
        The index that bends.
    table
        What was estimated: estimate, se, lower, upper, p. Slopes are on the family's scale, per
        index point; turning point and threshold are index points; distances are probabilities.
    tests
        Rows are hypotheses; columns statistic, distribution, p. The first is the one against a
        straight effect (isotonic: against the regression).
    fitted
        The regression or the steps behind it.
    findings
        What a reader must know, in plain words.
    """

    kind: str
    repurchase: Repurchase
    index: str
    table: pd.DataFrame
    tests: pd.DataFrame
    fitted: Bend | Hinge | Steps
    findings: tuple[Finding, ...]

    @property
    def statistic(self) -> float:
        """Statistic of the test against a straight effect."""
        return float(self.tests["statistic"].iloc[0])

    @property
    def p(self) -> float:
        """p-value of the test against a straight effect."""
        return float(self.tests["p"].iloc[0])

    def curve(self, levels: ArrayLike | None = None) -> pd.DataFrame:
        """Return the probability of repurchase over the index, for `plots.repurchase_curve`.

        Parameters
        ----------
        levels
            Index points, 0 to 100; every whole point by default.

        Returns
        -------
        DataFrame
            Columns index, probability, se, lower, upper.

        Raises
        ------
        OptionError
            When a level is outside 0 to 100.
        """
        return self.fitted.curve(on_index(np.arange(101.0) if levels is None else levels))

    @property
    def page(self) -> Page:
        """The result on a page."""
        rep = self.repurchase
        tables = {"Estimates": self.table, "Tests": self.tests}
        title = f"{rep.outcome} on the index of {self.index}: {self.kind}"
        facts = (f"{rep.family.label}, {rep.n} respondents; {100 * rep.level:g} % intervals",)
        return Page(title, self.headline, facts, self.findings, sections(tables))

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        bent = self.p < 1.0 - self.repurchase.level
        told = told_p(self.p)
        if self.kind == "isotonic":
            gap = 100 * float(self.table["estimate"].loc["distance"])
            return (
                f"Without assuming any form, the probability lies {gap:.1f} percentage points "
                f"from the regression's on average, {'more' if bent else 'no more'} than chance "
                f"makes it ({told})."
            )
        if np.isnan(self.p):
            return f"Whether the effect of {self.index} is straight could not be tested."
        if not bent:
            return (
                f"Nothing speaks against a straight effect of {self.index} in "
                f"{self.repurchase.family.scale} ({told})."
            )
        if self.kind == "hinge":
            at, below, above = self.table["estimate"].iloc[:3].tolist()
            return (
                f"A point of {self.index} counts {'more' if abs(above) > abs(below) else 'less'} "
                f"above {at:.0f} than below: {above:.4f} against {below:.4f} "
                f"({self.repurchase.family.scale}; {told})."
            )
        return f"The effect of {self.index} is not straight ({told}); see the curve."

    def __repr__(self) -> str:
        return f"<Shape {self.kind}: {self.headline}>"
