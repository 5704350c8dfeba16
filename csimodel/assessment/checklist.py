"""What a reviewer asks for beside `assess`, in order, and the calls that answer it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from csimodel.estimators import Fit
from csimodel.estimators.covariance_fit import CovarianceFit
from csimodel.findings import text

_FEW_CATEGORIES = 5  # answers that correlate too near 0 when they are taken as numbers
_TETRAD = 4  # items of a construct that have tetrads of their own


class Check(NamedTuple):
    """One question that `assess` leaves open.

    Attributes
    ----------
    question
        What is asked, of which constructs.
    call
        What answers it, with `fit`, `model` and `survey` for what was fitted.
    """

    question: str
    call: str

    @property
    def sentence(self) -> str:
        """The question and its call in a sentence."""
        return text("{question}: not run, call {call}.", question=self.question, call=self.call)


def open_checks(fit: Fit, drawn: bool) -> tuple[Check, ...]:
    """Return what the literature asks of such a model and `assess` does not run, in order.

    Measurement first (constructs that are formed, tetrads, common method, ordered answers), then
    errors, fit as a whole, prediction, what the model may hide, and groups last.

    Parameters
    ----------
    drawn
        Whether `assess` has errors of HTMT.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> [check.call for check in open_checks(fit, drawn=False)][:2]
    ['csi.assessment.tetrads(fit)', 'csi.assessment.full_collinearity(fit)']
    """
    checks = _of_factors if isinstance(fit, CovarianceFit) else _of_scores
    return tuple(checks(fit, drawn))


def _of_scores(fit: Fit, drawn: bool) -> Iterator[Check]:
    """Yield what is asked of PLS and its kin."""
    model, plain = fit.model, not fit.model.terms
    ordered = fit.estimator.weighs_responses
    formed = [c.name for c in model.measured if c.kind == "composite"]
    if formed and plain:
        yield Check(
            text("Do the items of {constructs} say what an overall item says", constructs=formed),
            f"csi.assessment.redundancy(model, survey, {{{formed[0]!r}: ['overall item']}})",
        )
    tetrads = [c.name for c in model.measured if len(c.items) >= _TETRAD]
    if tetrads and plain:
        yield Check(
            text("Do the items of {constructs} reflect one thing (tetrads)", constructs=tetrads),
            "csi.assessment.tetrads(fit)",
        )
    if plain:
        yield Check(
            text("Is there a common method (collinearity of all constructs)"),
            "csi.assessment.full_collinearity(fit)",
        )
    if plain and not ordered and _few_categories(fit):
        yield Check(
            text("Do results hold for answers taken as ordered categories"),
            'csi.fit(model, survey, csi.PLS(correlations="polychoric"))',
        )
    if not drawn:
        yield _errors()
    if plain and not ordered:
        yield Check(text("Does the model fit as a whole"), "csi.overall_fit(fit)")
    if model.endogenous and not ordered:
        yield Check(text("Does it predict answers that it has not seen"), "csi.predict(fit)")
        yield Check(text("Does it predict better than averages and regressions"), "csi.cvpat(fit)")
    if model.endogenous and plain:
        target = model.endogenous[-1]
        yield Check(
            text("What is {target} impossible without", target=target),
            f"csi.assessment.necessary_conditions(fit, {target!r})",
        )
        yield Check(
            text("Are there hidden segments with paths of their own"),
            "csi.assessment.fimix(fit)",
        )
    if plain:
        yield Check(
            text("Are composites the same in groups, before groups are compared"),
            "csi.micom(model, survey, by=…)",
        )


def _of_factors(fit: Fit, drawn: bool) -> Iterator[Check]:
    """Yield what is asked of a covariance structure."""
    if _few_categories(fit) and fit.moments.responses is None:
        yield Check(
            text("Do results hold for answers taken as ordered categories"),
            "csi.fit(model, survey, csi.WLSMV())",
        )
    if not drawn:
        yield _errors()
    yield Check(text("Does the model fit as a whole"), "fit.fit_measures")
    if not any(c.kind == "composite" for c in fit.model.constructs):
        yield Check(text("Where does it not fit"), "fit.modification_indices()")
        yield Check(
            text("Do groups answer by the same measure, before they are compared"),
            "csi.invariance(model, survey, by=…)",
        )


def _errors() -> Check:
    return Check(
        text("How sure are reliability, HTMT and paths"),
        "csi.assess(fit, bootstrap=csi.bootstrap(fit))",
    )


def _few_categories(fit: Fit) -> bool:
    """Tell whether some item has so few categories that its answers are hardly numbers."""
    if fit.answers is None:
        return False
    values = fit.answers.values
    return any(len(np.unique(column[~np.isnan(column)])) <= _FEW_CATEGORIES for column in values.T)
