"""`fit`: a model and a survey in, a `Fit` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import EstimationError, OptionError, SurveyError, choose
from csimodel.estimators.covariance.defined import defined_table
from csimodel.estimators.covariance.effect_table import effect_table
from csimodel.estimators.covariance.estimator import CovarianceEstimates, CovarianceEstimator
from csimodel.estimators.covariance.findings import design_findings
from csimodel.estimators.covariance.fit_measures import measures_of
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.modification import CANDIDATES, modification_indices
from csimodel.estimators.covariance.ordinal_table import ordinal_rows
from csimodel.estimators.covariance.parameters import (
    covariance_structure,
    loading_matrix,
    model_cov,
    parameter_table,
    standardised_table,
)
from csimodel.estimators.covariance.residuals import residual_tables
from csimodel.estimators.covariance.vcov import vcov
from csimodel.estimators.diagnostics import diagnose
from csimodel.estimators.estimates import Estimates, Outcome
from csimodel.estimators.failures import UNUSABLE
from csimodel.estimators.inputs import answers_for, estimator_for
from csimodel.estimators.quantities import find
from csimodel.estimators.solution import Estimator, Solution
from csimodel.estimators.summary import Summary
from csimodel.findings import Finding
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.model import Model
from csimodel.moments import Moments, moments_of
from csimodel.options import require_level
from csimodel.survey import Answers, Survey, read_survey

Floats = NDArray[np.float64]


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """A fitted model: labelled results, and how far they can be trusted.

    Tables are pandas objects; ``paths[target, source]``, ``loadings[item, construct]``.
    Made by `fit` and `fit_groups`.

    Attributes
    ----------
    solution
        Model, estimator, moments and estimates as arrays.
    survey
        What was fitted, when it was a survey or a data frame.
    answers
        The answers behind the moments, when there are any.
    """

    solution: Solution
    survey: Survey | None = None
    answers: Answers | None = None

    @property
    def model(self) -> Model:
        """The model that was fitted."""
        return self.solution.model

    @property
    def estimator(self) -> Estimator:
        """The estimator and its settings."""
        return self.solution.estimator

    @property
    def moments(self) -> Moments:
        """Means and covariances of the items."""
        return self.solution.moments

    @property
    def estimates(self) -> Estimates:
        """The estimates as arrays."""
        return self.solution.estimates

    @property
    def converged(self) -> bool:
        """Whether the numbers are a solution at all."""
        return bool(self.estimates.outcome == Outcome.CONVERGED)

    @property
    def in_joint_fit(self) -> bool:
        """Whether it is one group of a joint fit, whose parameters rest on all groups."""
        own = self.estimates
        return isinstance(own, CovarianceEstimates) and own.covariance is not None

    def require_converged(self, purpose: str) -> None:
        """Refuse what is no solution, and say why it is none.

        Raises
        ------
        EstimationError
            When the fit did not converge.
        """
        if self.converged:
            return
        why = [str(found) for found in self.diagnostics if found.severity == "failure"]
        outcome = Outcome(int(self.estimates.outcome))
        reason = f"the fit is {outcome.reason}; fit.diagnostics says more."
        raise EstimationError(f"There is no solution to {purpose}: {' '.join(why) or reason}")

    def require_alone(self, purpose: str) -> None:
        """Refuse one group of a joint fit where its rows are fitted again.

        Raises
        ------
        OptionError
            With the way out.
        """
        if self.in_joint_fit:
            raise OptionError(
                f"{purpose} fits rows again, and this is one group of a joint fit, whose "
                "parameters rest on the rows of all groups; fit the group alone with "
                "csi.fit_groups."
            )

    @property
    def iterations(self) -> int:
        """Number of iterations used."""
        return int(self.estimates.iterations)

    @cached_property
    def diagnostics(self) -> tuple[Finding, ...]:
        """What a reader must know, in plain words; empty when all is well."""
        about_answers: tuple[Finding, ...] = ()
        if self.answers is not None:
            about_answers = self.answers.findings + self.answers.design.findings
        about_errors = design_findings(self.solution, self.answers)
        return (*about_answers, *about_errors, *diagnose(self.solution))

    @property
    def n(self) -> int:
        """Number of respondents used."""
        return int(self.moments.n)

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Path coefficients, targets × sources; 0 where there is no path."""
        return self._square(self.estimates.paths)

    @cached_property
    def total_effects(self) -> pd.DataFrame:
        """Direct plus indirect effects, targets × sources."""
        return self._square(self.solution.total_effects)

    @cached_property
    def indirect_effects(self) -> pd.DataFrame:
        """Effects through other constructs, targets × sources."""
        return self._square(self.solution.indirect_effects)

    @cached_property
    def construct_cor(self) -> pd.DataFrame:
        """Correlations of the constructs."""
        names = list(self.model.construct_names)
        return pd.DataFrame(self.estimates.construct_cor, names, names, copy=True)

    @cached_property
    def loadings(self) -> pd.DataFrame:
        """Loadings, items × constructs; 0 on constructs that an item does not measure."""
        if self.model.shared_items:
            names = list(self.model.construct_names)
            return pd.DataFrame(loading_matrix(self.solution), list(self.model.items), names)
        return self._by_item(self.estimates.loadings)

    @cached_property
    def weights(self) -> pd.DataFrame:
        """Weights of standardised items in standardised scores, items × constructs."""
        self.model.require_own_items("Weights are of scores from")
        return self._by_item(self.estimates.weights)

    @cached_property
    def unstandardized_weights(self) -> pd.DataFrame:
        """Weights of answers in scale units, summing to 1 within each construct.

        ``w̃ᵢ = (wᵢ / sᵢ) / Σ (wₖ / sₖ)``, s the item's standard deviation.
        """
        return self._by_item(self.solution.index_weights)

    @cached_property
    def cross_loadings(self) -> pd.DataFrame:
        """Correlations of every item with every construct's score, items × constructs."""
        return pd.DataFrame(
            self.solution.cross_loadings,
            list(self.model.items),
            list(self.model.construct_names),
            copy=True,
        )

    @cached_property
    def r2(self) -> pd.Series:
        """Explained variance of the endogenous constructs, 0 to 1."""
        return self._series("r2")

    @cached_property
    def r2_adjusted(self) -> pd.Series:
        """Explained variance adjusted for the number of antecedents."""
        return self._series("r2_adjusted")

    @cached_property
    def implied_cov(self) -> pd.DataFrame:
        """Item covariances that the model implies, in scale units.

        Reflective blocks follow the common-factor model, composites keep their observed block. By
        ML they are the model's Σ, with the denominator of its likelihood.
        """
        items = list(self.model.items)
        if (sigma := model_cov(self.solution)) is not None:
            return pd.DataFrame(sigma, items, items)
        sd = self.moments.sd
        return pd.DataFrame(self.solution.implied_cor() * np.outer(sd, sd), items, items)

    @cached_property
    def parameters(self) -> pd.DataFrame:
        """All parameters of a covariance structure, a row each, with errors and 95 % intervals.

        Columns ``lhs``, ``op``, ``rhs`` (``=~`` loading, ``~`` path, ``~~`` variance or
        covariance), ``estimate`` in scale units with ``se``, ``z``, ``p``, ``lower``, ``upper``
        (NaN for what is fixed), and the standardised ``std`` with delta-method ``std_se``,
        ``std_lower``, ``std_upper``. Ordered items have thresholds (``|``) and error variances
        that are 1 less what is explained.

        Raises
        ------
        OptionError
            For PLS, whose errors come from `bootstrap`.
        """
        _, estimates = covariance_structure(self.solution)
        covariance = vcov(self.solution)
        table = parameter_table(estimates.layout, estimates.parameters, covariance)
        if self.moments.ordinal is None:
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
            Columns ``lhs``, ``op``, ``rhs``, ``std``, ``se``, ``z``, ``p``, ``lower``, ``upper``.

        Raises
        ------
        OptionError
            For PLS, whose results are standardised anyway, or an unknown kind.
        """
        choose("kind", kind, ["all", "latent"])
        level = require_level(level)
        _, estimates = covariance_structure(self.solution)
        covariance = vcov(self.solution)
        found = estimates.layout, estimates.parameters, covariance
        return standardised_table(*found, kind == "latent", level)

    @cached_property
    def fit_measures(self) -> pd.Series:
        """χ², CFI, TLI, RMSEA, SRMR, information criteria, … of a covariance structure.

        Formulas, conventions and sources:
        `csimodel.estimators.covariance.fit_measures.measures_of`.

        Raises
        ------
        OptionError
            For PLS, whose global fit is in ``csi.assess(fit).global_fit``.
        EstimationError
            When the fit is not a solution.
        """
        if not isinstance(self.estimator, CovarianceEstimator):
            raise OptionError(
                f"Fit measures such as χ² need a covariance structure and this fit is by "
                f"{self.estimator.label}; see csi.assess(fit).global_fit, or fit with csi.ML()."
            )
        return measures_of(self._alone("χ² and what follows from it", "fit_measures"))

    @cached_property
    def defined(self) -> pd.DataFrame:
        """Quantities the model defines from labelled parameters (``:=``), with delta errors.

        Indexed by name: ``estimate`` in scale units, ``se``, ``z``, ``p``, ``lower``, ``upper``
        (95 %). For bootstrap intervals, ``csi.bootstrap(fit).table("defined")``.
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

        Raises
        ------
        OptionError
            For PLS, whose errors come from `bootstrap`.
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
            For another estimator, or an unknown kind.
        EstimationError
            When the fit is not a solution.
        """
        if self.moments.responses is not None:
            raise OptionError(
                f"Modification indices are of χ² of normal answers, and {self.estimator.label} "
                "scales it; see the largest of fit.residuals instead."
            )
        return modification_indices(Fitted.of(self.solution), kinds)

    @cached_property
    def residuals(self) -> pd.DataFrame:
        """Observed less implied item correlations, items × items.

        ``sᵢⱼ/√(sᵢᵢ sⱼⱼ) - σᵢⱼ/√(σᵢᵢ σⱼⱼ)``, as Bollen (1989, page 258) defines them.
        """
        implied = self.implied_cov.to_numpy()
        with np.errstate(invalid="ignore"):
            sd = np.sqrt(np.diag(implied))
        items = list(self.model.items)
        return pd.DataFrame(self.moments.response_cor - implied / np.outer(sd, sd), items, items)

    @cached_property
    def residual_table(self) -> pd.DataFrame:
        """Residual moments of a covariance structure with standard errors and z, a row each.

        Columns, formulas and sources: `csimodel.estimators.covariance.residuals.residual_tables`.

        Raises
        ------
        OptionError
            For PLS, and for one group of a joint fit.
        EstimationError
            When the fit is not a solution.
        """
        (table,) = residual_tables(self._alone("Errors of residuals"))
        return table

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

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Standardised construct scores, respondents × constructs.

        Mean 0 and variance 1 over the (weighted) sample. A missing cell counts as the item's
        mean under ``missing="mean"``; under ``"pairwise"`` the score is NaN.

        Raises
        ------
        SurveyError
            When the fit was made from moments, which have no respondents.
        """
        answers = self.require_answers("scores")
        self.model.require_own_items("Scores are weighted means of")
        standardised = (answers.values - self.moments.mean) / self.moments.sd
        if answers.missing == "mean":
            standardised = np.nan_to_num(standardised, nan=0.0)
        scores = np.stack(
            [standardised[:, block] @ self.estimates.weights[block] for block in self.model.slices],
            axis=1,
        )
        return pd.DataFrame(scores, self.respondents, list(self.model.construct_names))

    @property
    def respondents(self) -> pd.Index:
        """Labels of the respondents used, as in ``survey.data``."""
        answers = self.require_answers("respondents")
        if self.survey is None:
            return pd.RangeIndex(len(answers.values))
        return self.survey.data.index[answers.rows]

    def require_answers(self, purpose: str) -> Answers:
        """Return the answers, or say that moments alone have no respondents."""
        if self.answers is None:
            raise SurveyError(
                f"{purpose} needs the respondents, but this fit was made from moments; "
                "fit a survey or a data frame instead."
            )
        return self.answers

    def summary(self) -> Summary:
        """Return the results as a page of text; prints, and shows as HTML in a notebook."""
        return Summary(self)

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT CONVERGED"
        name = self.model.name or f"{len(self.model.constructs)} constructs"
        found = len(self.diagnostics)
        told = f", {found} finding{'s' if found > 1 else ''}" if found else ""
        return f"<Fit of {name} by {self.estimator.label}: {self.n} rows, {state}{told}>"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    def _alone(self, what: str, where: str = "residual_table") -> Fitted:
        """Return the covariance structure of one sample, not of one among several groups."""
        _, estimates = covariance_structure(self.solution)
        if estimates.covariance is not None:
            raise OptionError(
                f"{what} belong to all groups together; see {where} of the multi-group fit."
            )
        return Fitted.of(self.solution)

    def _square(self, values: Floats) -> pd.DataFrame:
        names = list(self.model.construct_names)
        table = pd.DataFrame(values, names, names, copy=True)
        return table.rename_axis(index="target", columns="source")

    def _by_item(self, values: Floats) -> pd.DataFrame:
        model = self.model
        table = np.zeros((len(model.items), len(model.constructs)))
        table[np.arange(len(model.items)), model.owner] = values
        return pd.DataFrame(table, list(model.items), list(model.construct_names))

    def _series(self, name: str) -> pd.Series:
        quantity = find(name)
        return pd.Series(quantity.values(self.solution), quantity.labels(self.model), name=name)


@own_errstate
@checked
def fit(
    model: Model,
    survey: Survey | Moments | object,
    estimator: Estimator | None = None,
    *,
    strict: bool = False,
) -> Fit:
    """Estimate a model from a survey, a data frame or moments.

    Parameters
    ----------
    model
        Constructs and paths, for example ``csi.models.ecsi()``.
    survey
        A `Survey`, anything `read_survey` takes (pandas, polars, Arrow, a file's path), or
        `Moments`.
    estimator
        `PLS` by default.
    strict
        Raise when the solution did not converge or is inadmissible, instead of saying so in
        `Fit.diagnostics`.

    Returns
    -------
    Fit

    Raises
    ------
    SurveyError, ModelError, OptionError
        When data, model and options do not fit together; the sentence names the culprit.
    EstimationError
        When there is nothing to estimate (an item without variation, fewer than 3 rows,
        antecedents that carry the same information, a negative reliability), or `strict` refuses.

    Examples
    --------
    >>> import csimodel as csi
    >>> result = csi.fit(csi.models.ecsi(), csi.load_mobi(), csi.PLS(scheme="centroid"))
    >>> round(float(result.paths.loc["Expectation", "Image"]), 4)
    0.5047
    >>> result
    <Fit of ECSI by PLS, centroid scheme: 250 rows, converged>
    """
    chosen = estimator_for(model, estimator)
    answers: Answers | None = None
    table: Survey | None = None
    if isinstance(survey, Moments):
        if survey.batch_shape:
            raise SurveyError(
                f"The moments hold a batch of {survey.batch_shape[0]} samples and fit takes one; "
                "give one of them, such as moments[0], or fit groups of a survey with fit_groups."
            )
        moments = moments_of(survey, model.items)
        if isinstance(chosen, CovarianceEstimator):
            chosen.require(moments)
    else:
        table = survey if isinstance(survey, Survey) else read_survey(survey)
        answers, moments = answers_for(chosen, table, model)
    solution = Solution(model, chosen, moments, chosen.estimate(moments, model))
    result = Fit(solution, table, answers)
    if result.estimates.outcome in UNUSABLE:
        raise EstimationError(str(result.diagnostics[-1]))
    if strict:
        failures = [finding for finding in result.diagnostics if finding.severity == "failure"]
        if failures:
            raise EstimationError(" ".join(str(finding) for finding in failures))
    return result
