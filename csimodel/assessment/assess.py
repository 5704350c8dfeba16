"""`assess`: everything there is to check about a fit, with verdicts in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.assessment import structure, validity
from csimodel.assessment.checklist import open_checks
from csimodel.assessment.judge_measurement import (
    htmt_table,
    judge_fornell_larcker,
    judge_htmt,
    judge_loadings,
    judge_reliability,
)
from csimodel.assessment.judge_structure import (
    judge_antecedents,
    judge_effects,
    judge_global,
    judge_item_vif,
)
from csimodel.assessment.verdicts import ATTENTION, NOT_JUDGED, Verdict, as_table
from csimodel.estimators import Fit, find, require_fit, require_own
from csimodel.findings import text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference import FitErrors
from csimodel.inference.replicates import errors_of_design
from csimodel.options import require_level
from csimodel.page import HasPage, Page, Section, sections
from csimodel.translation import gettext

Floats = NDArray[np.float64]


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Assessment(HasPage):
    """Quality of a fit: tables of measures, and a verdict on each. Made by `assess`.

    Attributes
    ----------
    fit
        What is assessed.
    bootstrap
        Draws or other errors that give HTMT its intervals, or None.
    level
        Coverage of those intervals.
    """

    fit: Fit
    bootstrap: FitErrors | None = None
    level: float = 0.95

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """Constructs × alpha (standardised), rho_a, rho_c, ave; 1 for single items."""
        measures = ("alpha", "rho_a", "rho_c", "ave")
        columns = {name: find(name).values(self.fit.solution) for name in measures}
        return pd.DataFrame(columns, index=list(self.fit.model.construct_names))

    @cached_property
    def htmt(self) -> pd.DataFrame:
        """HTMT of every pair: estimate; with errors se, df, limits and reason."""
        if self.bootstrap is None:
            return htmt_table(self.fit)
        table = self.bootstrap.table("htmt", level=self.level)
        return table.drop(columns="p")

    @cached_property
    def fornell_larcker(self) -> pd.DataFrame:
        """Square roots of AVE on the diagonal, construct correlations below it."""
        names = list(self.fit.model.construct_names)
        return pd.DataFrame(validity.fornell_larcker(self.fit.solution), names, names)

    @cached_property
    def item_vif(self) -> pd.Series:
        """Variance inflation of each item among those of its construct."""
        values = structure.item_vif(self.fit.solution)
        return pd.Series(values, list(self.fit.model.items), name="item_vif")

    @cached_property
    def antecedent_vif(self) -> pd.DataFrame:
        """Variance inflation of antecedents, targets × sources; NaN where there is no path."""
        return self._by_path(structure.antecedent_vif(self.fit.solution))

    @cached_property
    def f2(self) -> pd.DataFrame:
        """Effect size f², targets × sources; NaN where there is no path."""
        return self._by_path(structure.f2(self.fit.solution))

    @cached_property
    def global_fit(self) -> pd.DataFrame:
        """Distances srmr, d_uls, d_g × estimated and saturated model; none where terms are.

        Raises
        ------
        ModelError
            For products and constructs of constructs, for which no item correlations are implied.
        """
        measures = ["srmr", "d_uls", "d_g"]
        rows = np.stack([find(name).values(self.fit.solution) for name in measures])
        return pd.DataFrame(rows, measures, ["estimated", "saturated"])

    @property
    def cross_loadings(self) -> pd.DataFrame:
        """Correlations of every item with every construct's score, items × constructs."""
        return self.fit.cross_loadings

    @cached_property
    def judgements(self) -> tuple[Verdict, ...]:
        """Each measure set against what the literature asks of it."""
        fit = self.fit
        return (
            *judge_reliability(fit),
            *judge_loadings(fit),
            *judge_htmt(fit, self.htmt, self.level),
            *judge_fornell_larcker(fit),
            *judge_item_vif(fit),
            *judge_antecedents(fit),
            *judge_effects(fit),
            *judge_global(fit),
        )

    @property
    def verdicts(self) -> pd.DataFrame:
        """One row a judgement: measure, subject, value, threshold, verdict, source, sentence."""
        return as_table(self.judgements)

    @cached_property
    def checklist(self) -> pd.DataFrame:
        """What a reviewer asks of such a model beside this, in order: question and call."""
        checks = open_checks(self.fit, self.bootstrap is not None)
        return pd.DataFrame(
            {"question": [check.question for check in checks], "call": [c.call for c in checks]},
            dtype=object,
        )

    @property
    def page(self) -> Page:
        """The tables, the verdicts that ask for attention, and what else there is to check."""
        name = self.fit.model.name or text("the model")
        return Page(
            text("Assessment of {name} by {label}", name=name, label=self.fit.estimator.label),
            self._count(),
            findings=self.fit.diagnostics,
            sections=(*sections(dict(self._tables()), 3), self._open_checks()),
            clean="",
            points=self._attention(),
        )

    def _count(self) -> str:
        verdicts = [judgement.verdict for judgement in self.judgements]
        values = {
            "checks": len(verdicts),
            "poor": sum(verdict in ATTENTION for verdict in verdicts),
            "unjudged": verdicts.count(NOT_JUDGED),
        }
        if values["unjudged"]:
            return text(
                (
                    "{checks} checks: {poor} {poor:needs|need} attention, {unjudged} cannot be "
                    "judged."
                ),
                **values,
            )
        return text("{checks} checks: {poor} {poor:needs|need} attention.", **values)

    def _open_checks(self) -> Section:
        checks = open_checks(self.fit, self.bootstrap is not None)
        sentences = tuple(check.sentence for check in checks)
        return Section(text("What else a reviewer asks for, in order"), notes=sentences)

    def _attention(self) -> tuple[tuple[str, str], ...]:
        """Return the verdicts that ask for attention, each with its sentence."""
        shown = self.verdicts[self.verdicts["verdict"].isin([*ATTENTION, NOT_JUDGED])]
        verdicts = [gettext(str(verdict)).upper() for verdict in shown["verdict"]]
        return tuple(zip(verdicts, shown["sentence"], strict=True))

    def _tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        endogenous = list(self.fit.model.endogenous)
        yield text("Reliability and shared variance"), self.reliability
        yield text("HTMT: can the constructs be told apart"), self._htmt_page()
        yield (
            text("Fornell-Larcker: root of AVE on the diagonal, correlations below"),
            self.fornell_larcker,
        )
        owners = [self.fit.model.construct_names[j] for j in self.fit.model.owner]
        items = pd.DataFrame(
            {
                "construct": owners,
                "loading": self.fit.estimates.loadings,
                "VIF": self.item_vif.to_numpy(),
            },
            index=self.item_vif.index,
        )
        yield text("Items"), items
        yield text("Variance inflation of antecedents"), _trimmed(self.antecedent_vif, endogenous)
        yield text("Effect size f²"), _trimmed(self.f2, endogenous)
        if not self.fit.model.terms:
            yield text("Distance between observed and implied correlations"), self.global_fit

    def _htmt_page(self) -> pd.DataFrame:
        if self.bootstrap is None:
            return validity.square_of_pairs(self.htmt["estimate"].to_numpy(), self.fit.model)
        return self.htmt

    def _by_path(self, values: Floats) -> pd.DataFrame:
        names = list(self.fit.model.construct_names)
        table = np.full((len(names), len(names)), np.nan)
        table[self.fit.model.adjacency] = values
        frame = pd.DataFrame(table, names, names)
        return frame.rename_axis(index="target", columns="source")


def _trimmed(table: pd.DataFrame, rows: list[str]) -> pd.DataFrame:
    kept = table.loc[rows, table.notna().any()]
    return kept.rename_axis(index=None, columns=None)


@own_errstate
@checked
def assess(fit: Fit, bootstrap: FitErrors | None = None, level: float = 0.95) -> Assessment:
    """Check a fit's measurement, regressions and overall fit against the literature.

    Parameters
    ----------
    fit
        From `fit` or `fit_groups`.
    bootstrap
        Draws of the same fit, which give HTMT its percentile intervals, or errors by `linearize`,
        which are the default where the survey has weights, strata or clusters.
    level
        Coverage of the intervals, between 0 and 1.

    Returns
    -------
    Assessment
        Tables, ``verdicts`` in plain words with their sources, and a ``checklist`` of what else is
        asked of such a model, with the calls that answer it. Prints, and shows as HTML in a
        notebook. Constructs to which a measure does not apply (single items, composites
        with regression weights) are named and not judged.

    Raises
    ------
    EstimationError
        When the fit has no solution to assess.
    OptionError
        When the bootstrap belongs to another fit, or the level is outside 0 to 1.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> checked = assess(fit)
    >>> checked.reliability.loc["Image"].round(3).tolist()
    [0.723, 0.74, 0.819, 0.478]
    >>> checked.verdicts.query("measure == 'alpha' and verdict == 'poor'")["subject"].tolist()
    ['Expectation', 'Loyalty']
    """
    fit = require_fit(fit, "assess")
    fit.model.require_own_items("Reliability and validity are judged by")
    level = require_level(level)
    require_own(bootstrap, fit, drawn=False)
    fit.require_converged("assess")
    return Assessment(fit, bootstrap or errors_of_design(fit), level)
