"""`Fit`: a fitted model as labelled results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked_in
from csimodel.errors import EstimationError, OptionError, SurveyError, choose
from csimodel.estimators.diagnostics import diagnose
from csimodel.estimators.estimates import Estimates, Status
from csimodel.estimators.item_solution import answers_in_order, item_solution
from csimodel.estimators.missing_results import MISSING, missing_result
from csimodel.estimators.new_scores import new_answers
from csimodel.estimators.points import index_of_answers
from csimodel.estimators.predictors import (
    TECHNIQUES,
    Technique,
    antecedents,
    explained,
    predicted_items,
    predicted_values,
)
from csimodel.estimators.quantities import find
from csimodel.estimators.solution import Estimator, Solution
from csimodel.estimators.summary import effect_table, item_table, path_table, sample_facts
from csimodel.findings import Finding, tell, text
from csimodel.floats import own_errstate_in
from csimodel.model import Model
from csimodel.moments import Moments
from csimodel.moments.scanned import ScannedAnswers
from csimodel.moments.unit_answers import unit_answers
from csimodel.page import HasPage, Page, sections
from csimodel.survey import Answers, Survey

Floats = NDArray[np.float64]

_SAMPLE = 100_000  # rows of a sample that is offered where a scan will not do


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Fit(HasPage):
    """A fitted model: labelled results, and how far they can be trusted.

    Tables are pandas objects; ``paths[target, source]``, ``loadings[item, construct]``.
    Made by `fit` and `fit_groups`; those by covariance SEM are of the kind `CovarianceFit`, which
    has errors, tests and fit measures of its own.

    Attributes
    ----------
    solution
        Model, estimator, moments and estimates as arrays.
    survey
        What was fitted, when it was a survey or a data frame.
    answers
        The answers behind the moments, when there are any in memory.
    scanned
        What a pass over the answers told, when they stay in files.
    """

    solution: Solution
    survey: Survey | None = None
    answers: Answers | None = None
    scanned: ScannedAnswers | None = None

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
        return bool(self.estimates.outcome == Status.CONVERGED)

    @property
    def in_joint_fit(self) -> bool:
        """Whether it is one group of a joint fit, whose parameters rest on all groups."""
        return False

    def require_converged(self, purpose: str) -> None:
        """Refuse what is no solution, and say why it is none.

        Raises
        ------
        EstimationError
            When the fit did not converge.
        """
        if self.converged:
            return
        why = [str(finding) for finding in self.diagnostics if finding.severity == "failure"]
        outcome = Status(int(self.estimates.outcome))
        reason = f"the fit is {outcome.reason}; fit.diagnostics says more."
        raise EstimationError(f"There is no solution to {purpose}: {' '.join(why) or reason}")

    @property
    def iterations(self) -> int:
        """Number of iterations used."""
        return int(self.estimates.iterations)

    @cached_property
    def diagnostics(self) -> tuple[Finding, ...]:
        """What a reader must know, in plain words; empty when all is well."""
        about_answers: tuple[Finding, ...] = ()
        read = self.scanned if self.answers is None else self.answers
        if read is not None:
            about_answers = read.findings + read.design.findings
        return (*about_answers, *self._error_findings(), *diagnose(self.solution))

    @property
    def n(self) -> int:
        """Number of respondents used."""
        return int(self.moments.n)

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Path coefficients, targets × sources; 0 where there is no path.

        Of a product per unit of the product of standardised scores: what the slope of one factor
        changes by, for a standard deviation of the other.
        """
        return self._square(self.estimates.paths)

    @cached_property
    def standardized_paths(self) -> pd.DataFrame:
        """Paths with products in standard deviations, too, as programs give that scale them."""
        return self._square(self.solution.standardized_paths)

    @cached_property
    def total_effects(self) -> pd.DataFrame:
        """Direct plus indirect effects, targets × sources; at the means of factors of products."""
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
    def thresholds(self) -> pd.Series:
        """Thresholds between the categories of ordered items, by item and number; z values.

        Where an item's answers turn from one category to the next on the normal response behind
        them. Empty where no item is taken as ordered.
        """
        ordinal = self.moments.ordinal
        labels = [] if ordinal is None else [n for n in ordinal.labels if "|" in n]
        values = [] if ordinal is None else ordinal.thresholds.tolist()
        pairs = [(item, int(number[1:])) for item, _, number in (n.partition("|") for n in labels)]
        index = pd.MultiIndex.from_tuples(pairs, names=["item", "threshold"]) if pairs else None
        return pd.Series(values, index, dtype=np.float64, name="thresholds")

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

        Reflective blocks follow the common-factor model, composites keep their observed block.
        """
        items = list(self.model.items)
        sd = self.moments.sd
        return pd.DataFrame(self.solution.implied_cor() * np.outer(sd, sd), items, items)

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
        scores = self.solution.scores(answers)
        return pd.DataFrame(scores, self.respondents, list(self.model.construct_names))

    def score(self, data: object, *, index: bool = False) -> pd.DataFrame:
        """Return the scores of new respondents, by the weights, means and sds of this fit.

        ``Σ wᵢ (xᵢ - mᵢ) / sᵢ`` with everything but the answers x from the fit, so that scores of
        another wave or of a single respondent are on the scale of `scores`. Of the answers that
        the fit was made from they are `scores`, and with `index` those of
        `csimodel.respondent_index`.

        Parameters
        ----------
        data
            A `Survey`, or what `read_survey` takes: a frame or a file, in which items were asked
            and missing answers coded as in the survey of the fit. Columns that are no items may be
            there; weights play no part.
        index
            Return the index, 0 to 100, instead of standardised scores.

        Returns
        -------
        DataFrame
            Rows of the data × constructs. NaN where an item of the construct is not answered; a
            fit under ``missing="mean"`` takes its own mean for the answer. Findings count both.

        Raises
        ------
        SurveyError
            For items that are no columns (all are named), that hold text, or answers outside the
            scales of the fit; with `index` when scales are not known.
        EstimationError
            When the fit did not converge.

        Examples
        --------
        >>> import csimodel as csi
        >>> survey = csi.load_mobi()
        >>> fit = csi.fit(csi.models.ecsi(), survey.data.iloc[:200])
        >>> fit.score(survey.data.iloc[200:]).shape
        (50, 7)
        """
        self.require_converged("score new answers by")
        self.model.require_own_items("Scores are weighted means of")
        answers, rows = new_answers(
            data, self.model.answered_blocks, self.moments, self.survey, self._fills
        )
        tell(answers.findings)
        if not index:
            names = list(self.model.construct_names)
            return pd.DataFrame(self.solution.scores(answers), rows, names)
        own = item_solution(self.solution)
        values = index_of_answers(own, answers_in_order(answers, own.model.items))
        return pd.DataFrame(values, rows, list(own.model.construct_names))

    @property
    def _fills(self) -> bool:
        """Whether a missing answer of a new respondent counts as the mean of the fit."""
        used = "complete" if self.answers is None else self.answers.missing
        planned = None if self.survey is None else self.survey.missing
        return used == "mean" or (used == "complete" and planned == "mean")

    def predict(
        self,
        data: object,
        *,
        of: Literal["items", "scores", "index"] = "items",
        technique: Technique = "direct",
    ) -> pd.DataFrame:
        """Predict new respondents: items, scores or the index of constructs that others explain.

        Scores of antecedents are made from the answers by the weights, means and standard
        deviations of this fit; a score is predicted from them by the paths, an item is its mean
        plus loading times standard deviation times the predicted score. Answers to the items that
        are predicted are not needed.

        Parameters
        ----------
        data
            A `Survey`, or what `read_survey` takes, with the items of the antecedents.
        of
            ``"items"`` in scale units, ``"scores"`` in standard deviations, or the ``"index"`` of
            predicted items, 0 to 100.
        technique
            ``"direct"`` antecedents, or the ``"earliest"``: exogenous constructs, by total effects.

        Returns
        -------
        DataFrame
            Rows of the data × items or constructs. NaN where an answer is missing, unless the fit
            is under ``missing="mean"`` and takes its own mean.

        Raises
        ------
        OptionError
            For fits by covariance SEM, whose scores are no weighted sums of answers, and options
            that are not known.
        ModelError
            For models with products or constructs of constructs.
        SurveyError
            For items that are no columns, text, answers outside their scales.
        EstimationError
            When the fit did not converge.

        Examples
        --------
        >>> import csimodel as csi
        >>> survey = csi.load_mobi()
        >>> fit = csi.fit(csi.models.ecsi(), survey.data.iloc[:200])
        >>> image = survey.data.iloc[200:][["IMAG1", "IMAG2", "IMAG3", "IMAG4", "IMAG5"]]
        >>> fit.predict(image, technique="earliest").shape
        (50, 19)
        """
        choose("of", of, ("items", "scores", "index"))
        choose("technique", technique, TECHNIQUES)
        model = self.model
        if self.estimator.weighs_responses:
            raise OptionError(
                f"predict predicts answers, and loadings by {self.estimator.label} are of the "
                "responses behind them; fit with correlations='pearson'."
            )
        if "other" in self.estimator.modes_of(model):
            raise OptionError(
                "predict makes items from scores that are weighted sums of answers, and "
                f"{self.estimator.label} has none; fit with csi.PLS()."
            )
        model.require_one_stage("predict predicts items of")
        self.require_converged("predict new respondents by")
        used = np.asarray(antecedents(model, technique).any(axis=0))
        blocks = {
            name: model.blocks[name]
            for name, needed in zip(model.construct_names, used, strict=True)
            if needed
        }
        answers, rows = new_answers(data, blocks, self.moments, self.survey, self._fills)
        tell(answers.findings)
        values = predicted_values(self.solution, answers, technique)
        names = list(model.construct_names)
        targets = np.flatnonzero(explained(model))
        if of == "scores":
            return pd.DataFrame(values.scores, rows, [names[j] for j in targets])
        places = predicted_items(model)
        items = pd.DataFrame(values.items, rows, [model.items[i] for i in places])
        if of == "items":
            return items
        whole = np.full((len(items), len(model.items)), np.nan)
        whole[:, places] = values.items
        index = index_of_answers(self.solution, replace(answers, values=whole, missing="pairwise"))
        return pd.DataFrame(index[:, targets], rows, [names[j] for j in targets])

    @property
    def respondents(self) -> pd.Index:
        """Labels of the respondents used, as in ``survey.data``."""
        answers = self.require_answers("respondents")
        if self.survey is None:
            return pd.RangeIndex(len(answers.values))
        return self.survey.data.index[answers.rows]

    def require_answers(self, purpose: str) -> Answers:
        """Return the answers, or say that moments alone have no respondents."""
        if self.scanned is not None:
            raise SurveyError(
                f"{purpose} needs the respondents in memory, and this fit was made from a scan of "
                f"{self.n:,} rows; fit a sample of stated size, such as csi.fit(model, "
                f"scan.sample({min(self.n, _SAMPLE):,}, rng=1))."
            )
        if self.answers is None:
            raise SurveyError(
                f"{purpose} needs the respondents, but this fit was made from moments; "
                "fit a survey or a data frame instead."
            )
        return self.answers

    def drawn_answers(self, purpose: str) -> Answers:
        """Return the answers that units are drawn from: of a scan a row for each unit.

        Raises
        ------
        SurveyError
            When the fit was made from moments, or from a scan without clusters and buckets.
        """
        if self.scanned is not None:
            return unit_answers(self.scanned, purpose)
        return self.require_answers(purpose)

    @property
    def page(self) -> Page:
        """The results on a page."""
        tables = {
            text("Paths (rows are explained by columns)"): path_table(self.solution),
            text("Items"): self._item_table(),
            text("Total effects"): effect_table(self.solution),
        }
        about_survey = () if self.survey is None else self.survey.findings
        if self.scanned is not None:
            about_survey = self.scanned.reading + self.scanned.scan.template.findings
        return Page(
            text(
                "{model} by {estimator}",
                model=self.model.name or text("Model"),
                estimator=self.estimator.label,
            ),
            facts=(*sample_facts(self.solution), *self._fit_facts()),
            findings=(*self.diagnostics, *about_survey),
            sections=sections(tables, 3),
            clean=text("No findings: converged, admissible, nothing dropped or filled."),
        )

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT CONVERGED"
        name = self.model.name or f"{len(self.model.constructs)} constructs"
        count = len(self.diagnostics)
        told = f", {count} finding{'s' if count > 1 else ''}" if count else ""
        return f"<Fit of {name} by {self.estimator.label}: {self.n} rows, {state}{told}>"

    if not TYPE_CHECKING:  # which must know that the other names do not exist

        def __getattr__(self, name: str) -> object:
            if name in MISSING and not hasattr(type(self), name):
                raise missing_result(name, self.estimator.label)
            return object.__getattribute__(self, name)

    def _error_findings(self) -> Iterable[Finding]:
        """Return what errors and tests of the fit do not know of."""
        return ()

    def _fit_facts(self) -> Iterable[str]:
        """Return how well the model fits, a line each."""
        return ()

    def _item_table(self) -> pd.DataFrame:
        return item_table(self.solution)

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
