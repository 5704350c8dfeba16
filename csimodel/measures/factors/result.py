"""What an exploration of factors shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked_in
from csimodel.errors import choose
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate_in
from csimodel.inference import Draws, ErrorSource, StandardErrors, infer
from csimodel.measures.factors import dimensions
from csimodel.measures.factors.extraction import Extracted
from csimodel.measures.factors.rotation import Rotated
from csimodel.page import HasPage, Page, Section
from csimodel.significance import chisq_pvalue
from csimodel.survey.sampling import SurveyDesign
from csimodel.translation import message

Floats = NDArray[np.float64]

_METHODS = {
    "ml": "maximum likelihood",
    "principal-axis": "principal axes",
}
_TABLES = ("loadings", "items", "eigenvalues", "correlations", "suggested")
_NO_DRAWS = message("no draws were asked for; give draws=1000")


@dataclass(frozen=True, eq=False)
class Parallel:
    """Eigenvalues beside those of random answers.

    Attributes
    ----------
    components
        Of the correlations, (items,).
    factors
        The same with squared multiple correlations in the diagonal, (items,).
    random_components, random_factors
        What 95 % of sets of random answers stay below, (items,).
    sets
        How many sets.
    """

    components: Floats
    factors: Floats
    random_components: Floats
    random_factors: Floats
    sets: int

    @property
    def numbers(self) -> tuple[int, int]:
        """How many components, and common factors, are above random answers."""
        return (
            dimensions.number_beyond(self.components, self.random_components),
            dimensions.number_beyond(self.factors, self.random_factors),
        )


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class FactorExploration(HasPage):
    """Exploratory factors of items. Made by `csi.explore_factors`.

    Attributes
    ----------
    item_names
        In the order of the survey.
    n
        Respondents.
    cor
        Correlations, (items, items).
    extraction, rotation
        As asked for.
    extracted, rotated
        Loadings before and after rotation.
    adequacy
        KMO, overall and by item.
    parallel
        Eigenvalues and those of random answers.
    draws
        Loadings in bootstrap draws, (draws, items, factors), or None.
    design
        The sampling design.
    level
        Coverage of intervals.
    findings
        What a reader must know.
    """

    item_names: tuple[str, ...]
    n: int
    cor: Floats
    extraction: str
    rotation: str
    extracted: Extracted
    rotated: Rotated
    adequacy: dimensions.Adequacy
    parallel: Parallel
    draws: Floats | None
    design: SurveyDesign
    level: float
    findings: tuple[Finding, ...]

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the factors, F1 the one with the largest loadings."""
        return tuple(f"F{k + 1}" for k in range(self.rotated.loadings.shape[1]))

    @property
    def kmo(self) -> float:
        """Kaiser, Meyer and Olkin's measure of sampling adequacy, 0 to 1."""
        return self.adequacy.overall

    @cached_property
    def loadings(self) -> pd.DataFrame:
        """Loadings, items × factors, items by the factor they load highest on."""
        frame = pd.DataFrame(
            self.rotated.loadings, index=list(self.item_names), columns=list(self.factors)
        )
        size = np.abs(self.rotated.loadings)
        return frame.iloc[np.lexsort((-size.max(axis=1), size.argmax(axis=1)))]

    @cached_property
    def factor_correlations(self) -> pd.DataFrame:
        """Correlations of the factors."""
        names = list(self.factors)
        return pd.DataFrame(self.rotated.correlations, index=names, columns=names)

    @cached_property
    def items(self) -> pd.DataFrame:
        """By item: its factor, loading, communality, complexity (Hofmann) and KMO."""
        loadings = self.rotated.loadings
        size = np.abs(loadings)
        place = size.argmax(axis=1)
        squares = loadings**2
        frame = pd.DataFrame(
            {
                "factor": np.array(self.factors)[place],
                "loading": loadings[np.arange(len(loadings)), place],
                "communality": 1 - self.extracted.unique,
                "complexity": squares.sum(axis=1) ** 2 / (squares**2).sum(axis=1),
                "kmo": self.adequacy.items,
            },
            index=list(self.item_names),
        )
        return frame.loc[self.loadings.index]

    @cached_property
    def eigenvalues(self) -> pd.DataFrame:
        """Eigenvalues of components and common factors, beside those of random answers (95 %)."""
        parallel = self.parallel
        return pd.DataFrame(
            {
                "component": parallel.components,
                "random_component": parallel.random_components,
                "factor": parallel.factors,
                "random_factor": parallel.random_factors,
            },
            index=pd.RangeIndex(1, len(parallel.components) + 1, name="number"),
        )

    @cached_property
    def suggested(self) -> pd.Series:
        """How many factors each rule suggests."""
        components, factors = self.parallel.numbers
        return pd.Series(
            {
                "parallel analysis, components": components,
                "parallel analysis, common factors": factors,
                "MAP": int(np.nanargmin(dimensions.partial_averages(self.cor))),
                "MAP, fourth powers": int(np.nanargmin(dimensions.partial_averages(self.cor, 4))),
                "eigenvalues above 1": int((self.parallel.components > 1).sum()),
            },
            name="factors",
        )

    @cached_property
    def bartlett(self) -> pd.Series:
        """Bartlett's test of no correlation: chisq, df, pvalue."""
        chisq, df, p = dimensions.bartlett(self.cor, self.n)
        return pd.Series({"chisq": chisq, "df": float(df), "pvalue": p}, name="Bartlett")

    @cached_property
    def fit_measures(self) -> pd.Series:
        """How well the factors explain the correlations: chisq, df, pvalue, rmsea, srmr.

        ``chisq = n F`` of the likelihood ratio F; χ² and what follows from it are NaN for principal
        axes, and where no degree of freedom is left.
        """
        items, factors = self.rotated.loadings.shape
        df = ((items - factors) ** 2 - items - factors) // 2
        chisq = self.n * float(self.extracted.discrepancy)
        tested = self.extraction == "ml" and df > 0
        implied = self.extracted.loadings @ self.extracted.loadings.T
        np.fill_diagonal(implied, 1.0)
        lower = np.tril_indices(items)
        return pd.Series(
            {
                "chisq": chisq if tested else np.nan,
                "df": float(df),
                "pvalue": float(chisq_pvalue(chisq, df)) if tested else np.nan,
                "rmsea": np.sqrt(max(chisq - df, 0) / (df * self.n)) if tested else np.nan,
                "srmr": float(np.sqrt(((self.cor - implied)[lower] ** 2).mean())),
            },
            name="fit",
        )

    def table(self, name: str = "loadings") -> pd.DataFrame:
        """Return a table of the exploration.

        Parameters
        ----------
        name
            ``"loadings"``: by item and factor estimate, se, df, lower, upper, p and reason (errors
            from draws); ``"items"``, ``"eigenvalues"``, ``"correlations"`` (of factors) or
            ``"suggested"`` (numbers of factors).

        Raises
        ------
        OptionError
            For an unknown name.
        """
        choose("name", name, _TABLES)
        if name != "loadings":
            tables: Mapping[str, pd.DataFrame] = {
                "items": self.items,
                "eigenvalues": self.eigenvalues,
                "correlations": self.factor_correlations,
                "suggested": self.suggested.to_frame(),
            }
            return tables[name]
        loadings = self.rotated.loadings
        labels = pd.MultiIndex.from_product(
            [self.item_names, self.factors], names=["item", "factor"]
        )
        source: ErrorSource = StandardErrors.none(loadings.size, _NO_DRAWS)
        if self.draws is not None:
            repeated = self.draws.reshape(len(self.draws), -1)
            source = Draws.of_design(loadings.ravel(), repeated, self.design, "auto")
        table = infer(labels, loadings.ravel(), source, self.level, 0.0)
        order = [(item, factor) for item in self.loadings.index for factor in self.factors]
        return table.loc[order]

    @property
    def page(self) -> Page:
        """The exploration on a page."""
        count = len(self.factors)
        measures = self.fit_measures
        facts = [
            text(
                "{item_names} items, {n:,} rows; {methods}, rotation: {rotation}",
                item_names=len(self.item_names),
                n=self.n,
                methods=_METHODS[self.extraction],
                rotation=self.rotation,
            ),
            text(
                "KMO {kmo:.3f}; Bartlett χ² = {chisq:.1f}, df {df:.0f}",
                kmo=self.kmo,
                chisq=self.bartlett["chisq"],
                df=self.bartlett["df"],
            ),
        ]
        if np.isfinite(measures["chisq"]):
            facts.append(
                text(
                    "fit of the factors: χ² = {chisq:.1f}, df {df:.0f}, RMSEA "
                    "{rmsea:.3f}, SRMR {srmr:.3f}",
                    chisq=measures["chisq"],
                    df=measures["df"],
                    rmsea=measures["rmsea"],
                    srmr=measures["srmr"],
                )
            )
        sections = [
            Section(text("Loadings"), self.loadings, decimals=2),
            Section(text("Items"), self.items, decimals=2),
            Section(text("How many factors"), self.suggested.to_frame()),
            Section(text("Eigenvalues"), self.eigenvalues, decimals=2),
        ]
        if count > 1:
            sections.insert(
                1, Section("Correlations of the factors", self.factor_correlations, decimals=2)
            )
        return Page(
            text("Exploratory factors"),
            text("1 common factor.")
            if count == 1
            else text("{count} common {count:factor|factors}.", count=count),
            tuple(facts),
            self.findings,
            tuple(sections),
        )
