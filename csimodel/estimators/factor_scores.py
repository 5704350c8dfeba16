"""Respondents' scores on the constructs of a covariance structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.bounds import THRESHOLDS
from csimodel.errors import EstimationError, OptionError, choose
from csimodel.estimators.covariance.estimator import CovarianceEstimates
from csimodel.estimators.covariance.structure import Implied, implied
from csimodel.estimators.estimates import Status
from csimodel.estimators.fit import Fit
from csimodel.estimators.requirements import require_fit
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.model import Model
from csimodel.page import HasPage, Page, sections

Floats = NDArray[np.float64]

_ENOUGH = THRESHOLDS["determinacy"].value


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class FactorScores(HasPage):
    """Factor scores, and how far they determine the constructs.

    Attributes
    ----------
    scores
        Respondents × constructs.
    determinacy
        Correlation of each construct with its score, under the model, for complete answers; NaN
        where an estimate that cannot be leaves none.
    method, units
        As given to `factor_scores`.
    findings
        What a reader must know, in plain words; empty when all is well.
    """

    scores: pd.DataFrame
    determinacy: pd.Series
    method: str
    units: str
    findings: tuple[Finding, ...]

    @property
    def page(self) -> Page:
        """How the scores are spread and how well they are determined, on a page."""
        name = {"regression": text("Regression"), "bartlett": text("Bartlett")}[self.method]
        described = {"mean": self.scores.mean(), "sd": self.scores.std()}
        table = pd.DataFrame({**described, "determinacy": self.determinacy})
        return Page(
            text(
                "{name} scores of {scores} respondents, {units} units",
                name=name,
                scores=len(self.scores),
                units=self.units,
            ),
            findings=self.findings,
            sections=sections({text("Constructs"): table}, 3),
        )


@own_errstate
@checked
def factor_scores(
    fit: Fit,
    method: Literal["regression", "bartlett"] = "regression",
    units: Literal["standardised", "scale"] = "standardised",
) -> FactorScores:
    r"""Estimate every respondent's values on the constructs of a covariance structure.

    With Λ loadings, Φ covariances of the constructs, Σ those of the items, μ and κ the means of
    items and constructs under the model (the sample's and 0 when means are not modelled)::

        regression   κ + Φ Λ' Σ⁻¹ (y - μ)                    (Thurstone 1935, Thomson 1938)
        Bartlett     κ + (Λ' Σ⁻¹ Λ)⁻¹ Λ' Σ⁻¹ (y - μ)         (Bartlett 1937)

    Regression scores have the least mean square error, are pulled towards the mean, and use the
    items of all constructs; their covariances are ``Φ Λ' Σ⁻¹ Λ Φ``. Bartlett scores are unbiased
    given the construct, with covariances ``(Λ' Σ⁻¹ Λ)⁻¹``; Σ⁻¹ stands where Bartlett has Θ⁻¹,
    which gives the same and also holds for a single item without error. Either kind, put into a
    regression, gives other paths than the model's.

    A missing answer is left out: the score is that of the items a respondent did answer, with
    their rows of Λ and Σ. A construct none of whose items is answered has no Bartlett score, and a
    regression score from the others.

    These are not `Fit.scores`, which use a construct's own items only, standardised over the
    sample, and from which the index is built.

    Parameters
    ----------
    fit
        By `ML`, `LeastSquares` or another covariance estimator, of a survey or data frame.
    method
        ``"regression"`` or ``"bartlett"``.
    units
        ``"standardised"``: the constructs have mean 0 and variance 1 under the model; ``"scale"``:
        in the units of each construct's first item (with marker scaling), with the constructs'
        means where the model has them.

    Returns
    -------
    FactorScores

    Raises
    ------
    OptionError
        For PLS, ordered items, or options outside what is allowed.
    EstimationError
        When the fit is not a solution.
    SurveyError
        When the fit was made from moments.

    References
    ----------
    Thurstone, L. L. (1935). The Vectors of Mind. Chicago: University of Chicago Press.

    Bartlett, M. S. (1937). The statistical conception of mental factors. British Journal of
    Psychology 28, 97-104. https://doi.org/10.1111/j.2044-8295.1937.tb00863.x

    Grice, J. W. (2001). Computing and evaluating factor scores. Psychological Methods 6, 430-450.
    https://doi.org/10.1037/1082-989X.6.4.430

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax("V =~ PERV1 + PERV2\nS =~ CUSA1 + CUSA2 + CUSA3\nS ~ V")
    >>> found = csi.factor_scores(csi.fit(model, csi.load_mobi(), csi.ML()))
    >>> found.determinacy.round(3).to_dict()
    {'V': 0.953, 'S': 0.911}
    """
    fit = require_fit(fit, "factor_scores")
    choose("method", method, ["regression", "bartlett"])
    choose("units", units, ["standardised", "scale"])
    estimates = _estimates(fit)
    answers = fit.require_answers("factor_scores")
    at = implied(estimates.layout, estimates.parameters)
    center = at.mean if estimates.layout.mean_structure else fit.moments.mean
    deviations = answers.values - center
    seen = ~np.isnan(deviations)
    scores = np.full((len(deviations), len(at.phi)), np.nan)
    for pattern, rows in _patterns(seen):
        slopes = score_slopes(at, method, pattern)
        scores[rows] = deviations[np.ix_(rows, np.flatnonzero(pattern))] @ slopes.T
    spread = np.sqrt(np.where(np.diag(at.phi) > 0, np.diag(at.phi), np.nan))
    scores = scores / spread if units == "standardised" else scores + at.level
    names = list(fit.model.construct_names)
    strength = determinacy(at, method)
    return FactorScores(
        pd.DataFrame(scores, fit.respondents, names),
        pd.Series(strength, names, name="determinacy"),
        method,
        units,
        tuple(_findings(fit.model, at, method, strength, seen)),
    )


def score_slopes(at: Implied, method: str, seen: NDArray[np.bool_]) -> Floats:
    """Return what scores gain per unit of each answered item, (constructs, items seen).

    Rows of constructs that cannot be scored are NaN.
    """
    loadings = at.loadings[seen]
    weighted = np.linalg.solve(at.sigma[np.ix_(seen, seen)], loadings).T
    if method == "regression":
        return np.asarray(at.phi @ weighted)
    measured = np.asarray((loadings != 0.0).any(axis=0))
    slopes = np.full((len(at.phi), len(loadings)), np.nan)
    middle = weighted[measured] @ loadings[:, measured]
    slopes[measured] = np.linalg.solve(middle, weighted[measured])
    return slopes


def determinacy(at: Implied, method: str) -> Floats:
    """Return correlations of scores with their constructs under the model, (constructs,).

    ``√(c / v)``: for regression scores c is their own variance and v that of the construct, for
    Bartlett scores the other way round.
    """
    slopes = score_slopes(at, method, np.ones(len(at.sigma), dtype=bool))
    own, construct = np.diag(slopes @ at.sigma @ slopes.T), np.diag(at.phi)
    square = own / construct if method == "regression" else construct / own
    allowed = (own > 0) & (construct > 0) & (square <= 1.0 + 1e-9)
    return np.sqrt(np.where(allowed, np.minimum(square, 1.0), np.nan))


def _estimates(fit: Fit) -> CovarianceEstimates:
    estimates = fit.estimates
    if not isinstance(estimates, CovarianceEstimates):
        raise OptionError(
            f"Factor scores need a covariance structure and this fit is by {fit.estimator.label}; "
            "its scores are in fit.scores, or fit with csi.ML()."
        )
    if fit.moments.responses is not None:
        raise OptionError(
            "Factor scores of ordered answers are not linear in them and are not offered; use "
            "fit.scores, or fit with csi.ML(), which takes the answers as numbers."
        )
    if estimates.outcome != Status.CONVERGED:
        raise EstimationError(
            "There are no factor scores because there is no solution "
            f"({Status(int(estimates.outcome)).reason}); fit.diagnostics says what to do."
        )
    return estimates


def _patterns(seen: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.intp]]]:
    """Yield which items were answered together, and by which rows; not by nobody."""
    if seen.all():
        yield seen[0], np.arange(len(seen))
        return
    kinds, which = np.unique(seen, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(which.ravel(), minlength=len(kinds)))[:-1]
    for pattern, rows in zip(kinds, np.split(order, ends), strict=True):
        if pattern.any():
            yield pattern, rows


_NO_SCORE = (
    "{count} {count:respondent|respondents} answered no item of some construct and "
    "{count:has|have} no score there."
)
_SCORED_BY_OTHERS = (
    "{count} {count:respondent|respondents} answered no item of some construct and "
    "{count:is|are} scored by the other items."
)


def _findings(
    model: Model, at: Implied, method: str, strength: Floats, seen: NDArray[np.bool_]
) -> Iterator[Finding]:
    names = model.construct_names
    errors, left = np.diag(at.errors), np.diag(at.psi)
    wrong = [item for item, value in zip(model.items, errors, strict=True) if value < 0]
    wrong += [name for name, value in zip(names, left, strict=True) if value < 0]
    if wrong:
        yield Finding(
            "scores-of-heywood-case",
            "The variance of {wrong} is estimated below 0, which cannot be, so the "
            "scores rest on a model that no population follows, and determinacy "
            "means nothing.",
            tuple(wrong),
            "failure",
            values={"wrong": tuple(wrong)},
        )
    low = [name for name, value in zip(names, strength, strict=True) if value < _ENOUGH]
    if low:
        yield Finding(
            "low-determinacy",
            "Scores of {low} correlate below {enough} with the construct, so other "
            "scores, as compatible with the model, would rank respondents otherwise; "
            "do not judge single respondents by them.",
            tuple(low),
            values={"low": tuple(low), "enough": _ENOUGH},
        )
    gaps = int((~seen.all(axis=1)).sum())
    if gaps:
        yield Finding(
            "scores-of-incomplete-answers",
            "{count} {count:respondent|respondents} did not answer every item; {count:that "
            "one's|their} scores come from what {count:was|they} answered and are less certain.",
            severity="note",
            count=gaps,
            values={"count": gaps},
        )
    own = np.stack([seen[:, block].any(axis=1) for block in model.slices], axis=1)
    none = int((~own.all(axis=1)).sum())
    if none:
        yield Finding(
            "construct-not-answered",
            _NO_SCORE if method == "bartlett" else _SCORED_BY_OTHERS,
            severity="note" if method == "regression" else "warning",
            count=none,
            values={"count": none},
        )
