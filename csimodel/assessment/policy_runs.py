"""Fits of a model under one treatment of missing answers at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.estimators import Fit, Quantity, Solution, Status, find, fit
from csimodel.estimators.covariance.incomplete import full_information_moments
from csimodel.estimators.covariance.ml import ML
from csimodel.estimators.solution import Estimator
from csimodel.findings import Finding
from csimodel.inference.incomplete_influence import IncompleteInfluence
from csimodel.inference.infer import infer
from csimodel.inference.influence import sharper
from csimodel.inference.linearized import linearize
from csimodel.inference.pooling import pool
from csimodel.inference.sources import StandardErrors
from csimodel.model import Model
from csimodel.moments import Moments
from csimodel.survey import Survey
from csimodel.survey.imputation import Method, impute

Floats = NDArray[np.float64]
Tables = Callable[[str, float], pd.DataFrame]

_TOLD = ("rows-dropped", "cells-filled", "cells-missing")
_EXPECTED = (
    "Means and covariances are those of highest likelihood for the answers there are of {rows:,} "
    "respondents ({cells:,} {cells:is|are} missing), which is right where missing depends on "
    "what was answered only and answers are about normal."
)


@dataclass(frozen=True, eq=False)
class PolicyRuns:
    """Fits under one policy at a time, and what they share.

    Each of them gives the number of respondents used, tables by quantity, and findings.
    """

    model: Model
    survey: Survey
    estimator: Estimator
    m: int
    auxiliaries: Sequence[str] | None
    rng: int | np.random.Generator | None

    def of(self, policy: str) -> tuple[int, Tables, tuple[Finding, ...]]:
        """Fit under a policy.

        Raises
        ------
        CsimodelError
            When it has no result.
        """
        if policy in ("imputation", "two-way"):
            return self.imputed("pmm" if policy == "imputation" else "two-way")
        if policy == "em":
            stages = self.estimator.of_incomplete("two-stage")
            return self.by_em() if stages is None else self._fitted(stages, self.survey)
        if policy == "fiml":
            full = self.estimator.of_incomplete("fiml")
            if full is None:
                raise OptionError(
                    f"full information is of csi.ML, and the estimator is {self.estimator.label}"
                )
            return self._fitted(full, self.survey)
        return self._fitted(self.estimator, replace(self.survey, missing=policy))

    def _fitted(
        self, estimator: Estimator, survey: Survey
    ) -> tuple[int, Tables, tuple[Finding, ...]]:
        fitted = fit(self.model, survey, estimator)
        fitted.require_converged("compare")
        errors = linearize(fitted)
        findings = tuple(own for own in fitted.diagnostics if own.code in _TOLD)
        return fitted.n, lambda quantity, level: errors.table(quantity, level=level), findings

    def imputed(self, method: Method) -> tuple[int, Tables, tuple[Finding, ...]]:
        """Return pooled fits of completed surveys."""
        items = list(self.model.items)
        many = impute(
            self.survey, self.m, items=items, auxiliaries=self.auxiliaries, rng=self.rng,
            method=method, progress=False,
        )  # fmt: skip
        fits = [fit(self.model, own, self.estimator) for own in many]
        for own in fits:
            own.require_converged("compare")
        pooled = pool(fits)
        return (
            fits[0].n,
            lambda quantity, level: pooled.table(quantity, level=level),
            tuple(many.findings),
        )

    def by_em(self) -> tuple[int, Tables, tuple[Finding, ...]]:
        """Return the fit to means and covariances that EM has of incomplete answers."""
        survey = replace(self.survey, missing="pairwise")
        answers = survey.answers(self.model.own_blocks)
        moments = replace(full_information_moments(answers), patterns=None)
        alone = fit(self.model, moments, self.estimator)
        fitted = replace(alone, survey=survey, answers=answers)
        fitted.require_converged("compare")
        influence = IncompleteInfluence(fitted, ML())

        def table(quantity: str, level: float) -> pd.DataFrame:
            entries = find(quantity)
            estimate = np.asarray(entries.values(fitted.solution))
            slopes = influence.by_moments(lambda moved: _at(fitted, entries, moved))
            design = answers.stages
            totals = design.totals(influence.moments @ slopes)
            errors = np.sqrt(design.variance(totals))
            degrees = np.full(len(estimate), float(design.df))
            labels = entries.labels(self.model)
            return infer(labels, estimate, StandardErrors(errors, degrees), level, entries.null)

        values = {"rows": fitted.n, "cells": int(np.isnan(answers.values).sum())}
        told = Finding("moments-by-em", _EXPECTED, (), "note", values["cells"], values)
        return fitted.n, table, (told,)


def _at(fitted: Fit, quantity: Quantity, moments: Moments) -> Floats:
    """Return a quantity of samples with moments near those of a fit; NaN without a solution."""
    estimator = sharper(fitted.estimator)
    estimates = estimator.estimate(moments, fitted.model, fitted.estimates)
    values = np.array(quantity.values(Solution(fitted.model, estimator, moments, estimates)))
    values[estimates.outcome != Status.CONVERGED] = np.nan
    return values
