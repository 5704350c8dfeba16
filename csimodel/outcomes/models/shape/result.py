"""The result of `repurchase_shape`: estimates, tests, a curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from csimodel.arguments import checked_in
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate_in
from csimodel.formatting import told_p
from csimodel.outcomes.models.levels import on_index
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.shape.curved_fit import Bend
from csimodel.outcomes.models.shape.hinge import Hinge
from csimodel.outcomes.models.shape.isotonic import Steps
from csimodel.page import HasHeadline, Page, sections

_KINDS = {"hinge": "hinge", "quadratic": "quadratic", "spline": "spline", "isotonic": "isotonic"}


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
        tables = {text("Estimates"): self.table, text("Tests"): self.tests}
        title = text(
            "{outcome} on the index of {index}: {kind}",
            outcome=rep.outcome,
            index=self.index,
            kind=text(_KINDS[self.kind]),
        )
        facts = (
            text(
                "{family}, {n} respondents; {level:g} % intervals",
                family=rep.family.label,
                n=rep.n,
                level=100 * rep.level,
            ),
        )
        return Page(title, self.headline, facts, self.findings, sections(tables))

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        bent = self.p < 1.0 - self.repurchase.level
        told = told_p(self.p)
        if self.kind == "isotonic":
            gap = 100 * float(self.table["estimate"].loc["distance"])
            return text(
                "Without assuming any form, the probability lies {gap:.1f} percentage points "
                "from the regression's on average, more than chance makes it ({p})."
                if bent
                else "Without assuming any form, the probability lies {gap:.1f} percentage points "
                "from the regression's on average, no more than chance makes it ({p}).",
                gap=gap,
                p=told,
            )
        if np.isnan(self.p):
            return text(
                "Whether the effect of {index} is straight could not be tested.", index=self.index
            )
        if not bent:
            return text(
                "Nothing speaks against a straight effect of {index} in {scale} ({p}).",
                index=self.index,
                scale=self.repurchase.family.scale,
                p=told,
            )
        if self.kind == "hinge":
            at, below, above = self.table["estimate"].iloc[:3].tolist()
            return text(
                "A point of {index} counts more above {at:.0f} than below: {above:.4f} against "
                "{below:.4f} ({scale}; {p})."
                if abs(above) > abs(below)
                else "A point of {index} counts less above {at:.0f} than below: {above:.4f} "
                "against {below:.4f} ({scale}; {p}).",
                index=self.index,
                at=at,
                above=above,
                below=below,
                scale=self.repurchase.family.scale,
                p=told,
            )
        return text(
            "The effect of {index} is not straight ({p}); see the curve.", index=self.index, p=told
        )

    def __repr__(self) -> str:
        return f"<Shape {self.kind}: {self.headline}>"
