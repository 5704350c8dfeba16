"""`CovarianceFit`: a fit by covariance SEM, with errors, tests and fit measures of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from csimodel.arguments import checked_in
from csimodel.errors import OptionError, choose
from csimodel.estimators.covariance.browne import browne_tests
from csimodel.estimators.covariance.defined import defined_table
from csimodel.estimators.covariance.effect_table import effect_table
from csimodel.estimators.covariance.estimator import CovarianceEstimates
from csimodel.estimators.covariance.findings import design_findings
from csimodel.estimators.covariance.fit_measures import measures_of
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.modification import CANDIDATES, modification_indices
from csimodel.estimators.covariance.ordinal_table import ordinal_rows
from csimodel.estimators.covariance.parameters import (
    covariance_structure,
    loading_matrix,
    parameter_table,
    standardised_table,
)
from csimodel.estimators.covariance.residuals import residual_tables
from csimodel.estimators.covariance.response_moments import response_cov
from csimodel.estimators.covariance.structure import implied
from csimodel.estimators.covariance.vcov import vcov
from csimodel.estimators.fit import Fit
from csimodel.estimators.solution import Solution
from csimodel.estimators.summary import fit_facts
from csimodel.findings import Finding
from csimodel.floats import own_errstate_in
from csimodel.moments.scanned import ScannedAnswers
from csimodel.options import require_level
from csimodel.survey import Answers, Survey


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class CovarianceFit(Fit):
    """A `Fit` of a covariance structure: what every fit has, and errors, tests, fit measures.

    Made by `fit`, `fit_groups` and `fit_multigroup` with `ML`, `LeastSquares`, `WLSMV` or `Semopy`.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.ML())
    >>> fit.fit_measures[["df", "cfi"]].round(3).tolist()
    [241.0, 0.877]
    """

    @property
    def in_joint_fit(self) -> bool:
        """Whether it is one group of a joint fit, whose parameters rest on all groups."""
        _, estimates = covariance_structure(self.solution)
        return estimates.covariance is not None

    @cached_property
    def loadings(self) -> pd.DataFrame:
        """Loadings, items × constructs; 0 on constructs that an item does not measure."""
        if not self.model.shared_items:
            return self._by_item(self.estimates.loadings)
        names = list(self.model.construct_names)
        return pd.DataFrame(loading_matrix(self.solution), list(self.model.items), names)

    @cached_property
    def implied_cov(self) -> pd.DataFrame:
        """Item covariances Σ of the model, in scale units, with the likelihood's denominator.

        Responses behind ordered items have variance 1.
        """
        _, estimates = covariance_structure(self.solution)
        items, layout = list(self.model.items), estimates.layout
        at = implied(layout, estimates.parameters)
        sigma = at.sigma if layout.levels is None else response_cov(layout, at)
        return pd.DataFrame(sigma, items, items)

    @cached_property
    def parameters(self) -> pd.DataFrame:
        """All parameters of a covariance structure, a row each, with errors and 95 % intervals.

        Columns ``lhs``, ``op``, ``rhs`` (``=~`` loading, ``~`` path, ``~~`` variance or
        covariance), ``estimate`` in scale units with ``se``, ``z``, ``df`` (infinite), ``p``,
        ``lower``, ``upper`` and ``reason`` (why there is no error, as for what is fixed), and the
        standardised ``std`` with delta-method ``std_se``, ``std_lower``, ``std_upper``. Ordered
        items have thresholds (``|``) and error variances that are 1 less what is explained.
        """
        _, estimates = covariance_structure(self.solution)
        covariance = vcov(self.solution)
        table = parameter_table(estimates.layout, estimates.parameters, covariance)
        if self.moments.ordinal is None or estimates.layout.levels is not None:
            return table
        more = ordinal_rows(Fitted.of(self.solution), covariance)
        return pd.concat([table, more], ignore_index=True)

    def standardized(
        self, kind: Literal["all", "latent"] = "all", level: float = 0.95
    ) -> pd.DataFrame:
        """Return the standardised solution of a covariance structure with delta-method errors.

        Parameters
        ----------
        kind
            ``"all"``: constructs and items have variance 1; ``"latent"``: constructs only, so that
            loadings and error variances stay in the items' units.
        level
            Coverage of intervals.

        Returns
        -------
        DataFrame
            Columns ``lhs``, ``op``, ``rhs``, ``std``, ``se``, ``z``, ``df``, ``p``, ``lower``,
            ``upper``, ``reason``.

        Raises
        ------
        OptionError
            For an unknown kind.
        """
        choose("kind", kind, ["all", "latent"])
        level = require_level(level)
        _, estimates = covariance_structure(self.solution)
        covariance = vcov(self.solution)
        return standardised_table(
            estimates.layout, estimates.parameters, covariance, kind == "latent", level
        )

    @cached_property
    def fit_measures(self) -> pd.Series:
        """χ², CFI, TLI, RMSEA, SRMR, information criteria, … of a covariance structure.

        Formulas, conventions and sources:
        `csimodel.estimators.covariance.fit_measures.measures_of`.

        Raises
        ------
        OptionError
            For one group of a joint fit.
        EstimationError
            When the fit is not a solution.
        """
        return measures_of(self._alone("χ² and what follows from it", "fit_measures"))

    @cached_property
    def defined(self) -> pd.DataFrame:
        """Quantities the model defines from labelled parameters (``:=``), with delta errors.

        Indexed by name: ``estimate`` in scale units, ``se``, ``z``, ``df``, ``p``, ``lower``,
        ``upper`` (95 %), ``reason``. For bootstrap intervals,
        ``csi.bootstrap(fit).table("defined")``.
        """
        _, estimates = covariance_structure(self.solution)
        return defined_table(
            self.model, (estimates.layout,), estimates.parameters, vcov(self.solution)
        )

    @cached_property
    def effects(self) -> pd.DataFrame:
        """Direct, indirect and total effects of a covariance structure, with delta-method errors.

        Indexed by source, target and effect: ``"direct"``, ``"indirect"``, ``"total"``, and each
        chain of paths by its name, such as ``"Image → Satisfaction → Loyalty"``. Columns as in
        `parameters`: ``estimate`` in scale units and ``std``, with errors and 95 % intervals. For
        bootstrap intervals of standardised effects, by PLS too, ``csi.bootstrap(fit).table`` of
        ``"total_effects"``, ``"indirect_effects"`` or ``"specific_indirect_effects"``.
        """
        _, estimates = covariance_structure(self.solution)
        return effect_table(self.model, estimates.layout, estimates.parameters, vcov(self.solution))

    def modification_indices(self, kinds: Sequence[str] = CANDIDATES) -> pd.DataFrame:
        """Return what freeing each fixed parameter of a covariance structure would gain.

        Columns, kinds and source: `csimodel.estimators.covariance.modification`. The largest are
        a hint for the next study, not a licence to free them in this one.

        Raises
        ------
        OptionError
            For a model with composites, or an unknown kind.
        EstimationError
            When the fit is not a solution.
        """
        composite = self._composite()
        if composite is not None:
            raise OptionError(
                f"Modification indices are of models of common factors, and {composite!r} is a "
                "composite; see the largest of fit.residuals instead."
            )
        return modification_indices(Fitted.of(self.solution), kinds)

    @cached_property
    def residual_table(self) -> pd.DataFrame:
        """Residual moments of a covariance structure with standard errors and z, a row each.

        Columns, formulas and sources: `csimodel.estimators.covariance.residuals.residual_tables`.

        Raises
        ------
        OptionError
            For one group of a joint fit.
        EstimationError
            When the fit is not a solution.
        """
        fitted = self._alone("Errors of residuals")
        self._require_estimated_composites("errors of residuals")
        (table,) = residual_tables(fitted)
        return table

    @cached_property
    def residual_tests(self) -> pd.DataFrame:
        """Browne's tests of the residual moments: chisq, df, p and reason, a row each.

        Formulas and sources: `csimodel.estimators.covariance.browne.browne_tests`.

        Raises
        ------
        OptionError
            For one group of a joint fit, ordered or incomplete answers, and composites whose items
            covary as in the sample.
        EstimationError
            When the fit is not a solution.
        """
        fitted = self._alone("Residual tests", "fit_measures")
        self._require_estimated_composites("tests of residuals")
        if self.moments.responses is not None or self.moments.patterns is not None:
            raise OptionError(
                f"Residual tests are of complete answers as numbers, and this fit is by "
                f"{self.estimator.label}; its own tests are in fit.fit_measures."
            )
        return browne_tests(fitted, self.answers)

    @cached_property
    def standardized_residuals(self) -> pd.DataFrame:
        """Residual covariances over their standard errors, items × items.

        A model that holds leaves about 5 in 100 beyond ±1.96. NaN where a covariance is fitted
        exactly. From `residual_table`.
        """
        items = list(self.model.items)
        z = self.residual_table["z"].to_numpy()[-len(items) * (len(items) + 1) // 2 :]
        row, column = np.triu_indices(len(items))
        values = np.full((len(items), len(items)), np.nan)
        values[row, column] = values[column, row] = z
        return pd.DataFrame(values, items, items)

    def _require_estimated_composites(self, what: str) -> None:
        """Refuse composites whose items covary as in the sample."""
        _, estimates = covariance_structure(self.solution)
        if estimates.layout.constants:
            raise OptionError(
                f"The items of {self._composite()!r} covary as in the sample, which {what} would "
                "take as known; fit with csi.ML(composite_covariances='free')."
            )

    def _composite(self) -> str | None:
        """Return the first composite of the model."""
        return next((c.name for c in self.model.constructs if c.kind == "composite"), None)

    def _alone(self, what: str, where: str = "residual_table") -> Fitted:
        """Return the covariance structure of one sample, not of one among several groups."""
        _, estimates = covariance_structure(self.solution)
        if estimates.covariance is not None:
            raise OptionError(
                f"{what} belong to all groups together; see {where} of the multi-group fit."
            )
        return Fitted.of(self.solution)

    def _error_findings(self) -> Iterable[Finding]:
        return design_findings(self.solution, self.answers)

    def _fit_facts(self) -> Iterable[str]:
        # With equal parameters χ² belongs to all groups together.
        return fit_facts(self.fit_measures) if self.converged and not self.in_joint_fit else ()

    def _item_table(self) -> pd.DataFrame:
        """Return loadings and weights, of items with several constructs all loadings."""
        if self.model.shared_items:
            return self.loadings.where(self.loadings != 0)
        return super()._item_table()


def fit_of(
    solution: Solution,
    survey: Survey | None = None,
    answers: Answers | None = None,
    scanned: ScannedAnswers | None = None,
) -> Fit:
    """Return a solution as a `Fit` of its kind."""
    kind = CovarianceFit if isinstance(solution.estimates, CovarianceEstimates) else Fit
    return kind(solution, survey, answers, scanned)
