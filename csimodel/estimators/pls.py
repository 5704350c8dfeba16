"""Partial least squares path modelling, on correlation matrices and over a batch.

The algorithm (Lohmöller 1989; Tenenhaus et al. 2005): outer weights give construct scores;
an inner scheme gives each construct a proxy from its neighbours; correlations with the
proxy (mode A) or a regression on the items (mode B) give new weights; repeat. All of it needs
the items' correlations only, so a batch of samples is a batch of matrices.

Inside, the batch is the last axis: every NumPy call below works on one entry for many samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import THRESHOLDS
from csimodel.errors import EstimationError, ModelError, OptionError, choose, suggest
from csimodel.estimators.composite_weights import (
    LABELS,
    Criterion,
    composite_weights,
    weight_turns,
)
from csimodel.estimators.consistent import (
    correct,
    correct_orders,
    correct_products,
    freed_of_error,
    inadmissible,
    sum_blocks,
    weights_of_scores,
)
from csimodel.estimators.covariance.ordinal_findings import ordinal_findings
from csimodel.estimators.estimates import Estimates, Status, still_items
from csimodel.estimators.given_weights import (
    GivenWeights,
    constructs_of,
    given_start,
    given_weights,
    require_whole_blocks,
)
from csimodel.estimators.ordered_answers import (
    Ordered,
    ordered_among,
    ordered_names,
    ordinal_statistics,
    require_ordered_items,
)
from csimodel.estimators.solution import Estimator, Samples, Solution, product_scales
from csimodel.estimators.stages import (
    Stage,
    corrected_products,
    repeating,
    score_weights,
    signs_of,
    with_terms,
)
from csimodel.estimators.structural import inseparable, regress
from csimodel.estimators.weight_influence import WeightInfluence, weight_influence
from csimodel.estimators.weighting import Mode, outer_weights, scores
from csimodel.findings import Finding
from csimodel.model import Model
from csimodel.model.stages import Order, Products, compiled
from csimodel.model.terms import HigherOrder, parts_of
from csimodel.moments import Moments
from csimodel.moments import moments_of as plain_moments
from csimodel.moments.correlation_likelihood import EDGE
from csimodel.moments.ordinal_samples import OrdinalSamples
from csimodel.moments.responses import Responses
from csimodel.options import require_count, require_flag, require_number
from csimodel.survey import Answers
from csimodel.translation import message

Floats = NDArray[np.float64]

_LOOSEST = 1e-3  # a coarser tolerance stops at numbers that are not a solution
_CHUNK = 512  # samples fitted together: their correlations stay in cache

_LABELS = {
    (False, "path"): message("PLS, path scheme"),
    (False, "factorial"): message("PLS, factorial scheme"),
    (False, "centroid"): message("PLS, centroid scheme"),
    (True, "path"): message("PLSc, path scheme"),
    (True, "factorial"): message("PLSc, factorial scheme"),
    (True, "centroid"): message("PLSc, centroid scheme"),
}


@dataclass(frozen=True)
class PLS(Estimator):
    """Partial least squares path modelling.

    Parameters
    ----------
    scheme
        Inner weighting: ``"path"`` (default), ``"factorial"`` or ``"centroid"``.
    consistent
        Correct loadings, construct correlations and paths of reflective constructs for
        measurement error (PLSc). Off by default: the index is built on scores as they are.
    modes
        ``"A"`` (correlation weights), ``"B"`` (regression weights) or ``"unit"`` (equal weights
        of standardised items), by construct, or one for all. By default A for reflective
        constructs (``=~``) and B for composites (``<~``), which is cSEM's convention; seminr
        takes A for composites too. A mapping is kept as pairs, sorted by construct.
    tolerance
        Stop when no standardised weight moves by more than this between iterations; at most 0.001.
    max_iterations
        Give up after so many; the fit then says it did not converge.
    reestimate
        Of a model with products or constructs of constructs: whether the weights of all constructs
        are found again in the second stage, beside the product and the parts' scores (seminr), or
        those of the first stage stay (the default, SmartPLS).
    products
        What a product of constructs is measured by: the product of their scores
        (``"two-stage"``, the default), or all products of their standardised items, as they are
        (``"product-indicator"``) or less what a regression on those items tells of them
        (``"orthogonalizing"``), in mode A. With items the weights of all constructs are found
        beside them.
    higher_order
        What stands for a construct of constructs while its parts get their weights: nothing, the
        parts have its paths (``"disjoint"``, the default), or beside them a construct of all their
        items, in mode A (``"embedded"``); in the second stage the parts' scores are its items.
        ``"repeated"`` has one stage, in which that construct stays: paths lead from the parts to a
        composite (``<~``), or from a reflective construct to its parts. They explain all of a
        composite, so that nothing else has an effect on it; ``"extended"`` leads what causes it to
        its parts, and total effects tell what it does.
    correlations
        ``"pearson"`` (default): of the answers as numbers. ``"polychoric"``: of normal responses
        that ordered answers show in which category they lie, polyserial beside continuous items.
        For answers in few categories, whose correlations as numbers are too near 0; see the notes.
    ordered
        With ``"polychoric"``: ``"all"`` items (default), or a list of names; others are continuous.
    weights
        ``"pls"`` (default), or what the weights of scores are best at, whatever the paths: the
        largest sum of the scores' correlations (``"sumcorr"``) or of their squares
        (``"ssqcorr"``), the largest first eigenvalue of their correlations (``"maxvar"``), the
        smallest last one (``"minvar"``), the smallest determinant (``"genvar"``); the first
        principal component of each construct's items (``"pca"``); or the least sum of squared
        errors of all regressions, of reflective constructs' items, too (``"gsca"``). Or weights
        that are known: a mapping of items to numbers, such as
        ``fit.weights.sum(axis=1).to_dict()`` of another wave; constructs that it does not name are
        weighed by PLS beside them.

    Raises
    ------
    OptionError
        For an unknown scheme, mode or construct, a number out of its range, or
        ``consistent=True`` with a reflective construct that is not in mode A.

    Notes
    -----
    Without `consistent`, the paths are those between scores as they are. Scores of constructs
    measured with error correlate less than the constructs do: single paths are too near 0, and
    beside a correlated antecedent a path that is truly 0 takes over a part of the other's effect,
    so it is found "significant" far more often than the level says, the more respondents the
    surer. Loadings of items with error are too large. With ``consistent=True`` (PLSc) both are
    corrected for reflective constructs; use it to test paths, and the default for the index.

    Conventions, where programs differ. Start: equal weights. Stop: largest absolute change of
    a weight (seminr and plspm sum the changes over all weights). Variances: n - 1,
    which cancels in all standardised results. Sign: each construct is turned so that its
    loadings, taken together, are positive; in resamples so that they point the way they do in
    the full sample. A single item has weight and loading 1.

    A product (``Quality:Value``) is that of standardised scores of the first stage, which does not
    know of it, and it is neither centred nor scaled again: its path is what the slope of Quality
    changes by, for one standard deviation of Value. Programs that standardise the product give
    that path times the product's standard deviation. Of a product measured by items that standard
    deviation is the items' mean, weighted by absolute loadings, as in seminr. Other paths to the
    same construct are slopes where the other factors of their products are at their means, and so
    are total effects. The whole is redone in every draw. A product is of answers, not of moments.
    With ``consistent=True`` the covariances of products are corrected, too, so that paths, slopes
    and R² are those of the constructs (Dijkstra & Schermelleh-Engel 2014); for squares and higher
    powers errors of scores are taken as normal. cSEM does the same with means by n, other by the
    order of 1/n, and seminr takes the product as if it were measured without error, which is
    another estimate.

    With ``consistent=True`` a construct of constructs (disjoint stages only) is made of its parts
    themselves: correlations of the parts' scores with each other and with other constructs are
    divided by the roots of both reliabilities of the first stage, and its weights are found among
    those (van Riel et al. 2017). A reflective one is then corrected by rho_A of its parts, too. A
    part's score is weighed by the part's weight over the root of its reliability, so that the whole
    has a score whose error its reliability tells. SeminR takes the parts' scores as known without
    error; cSEM finds the weights by the scores with their errors, which for a composite is another
    estimate.

    With ``correlations="polychoric"`` everything that rests on correlations of items (weights,
    loadings, paths, reliabilities, HTMT) is of the responses behind the answers (ordinal PLS and
    PLSc), thresholds and correlations are estimated again in every draw, and
    ``fit.moments.ordinal`` holds them. Polychoric correlations are those of two steps, as
    everywhere; polyserial ones maximise the conditional likelihood (lavaan), where cSEM takes
    polycor's approximation, up to .02 away on the ECSI data. Respondents have answers, no
    responses: scores and the 0-100 index weigh the answers, as numbers, by the same weights.
    `Fit.scores` are then scaled to variance 1 (cSEM leaves them with less); an index is a weighted
    mean of answers as ever, and what its points are worth (`importance_performance`) is freed
    with PLSc of the error that categories add, too. They predict no items (`csi.predict`), since
    a loading is of a response, not of an answer.

    Other weights than PLS's: paths are regressions of the scores, and scores, index, draws and
    errors are as of PLS. Every weight is of standardised items and scaled to scores of variance 1,
    so that of given ones only proportions count. Search starts from equal weights and may end in a
    local optimum, as all of these searches do; cSEM stops short of the optimum of SUMCORR, and of
    SSQCORR and GENVAR finds none on the ECSI data. GSCA has no errors of items of a composite
    (``<~``: canonical) and those of reflective constructs (nomological), as cSEM takes them.
    Weights from an eigenvector, of MINVAR above all, jump between samples where its eigenvalue is
    near another; then there are no errors by influence values, and `csimodel.bootstrap` has them.

    References
    ----------
    Lohmöller, J.-B. (1989). Latent Variable Path Modeling with Partial Least Squares.
    https://doi.org/10.1007/978-3-642-52512-4

    Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M., Lauro, C. (2005). PLS path modeling.
    https://doi.org/10.1016/j.csda.2004.03.005

    Dijkstra, T. K., Henseler, J. (2015). Consistent partial least squares path modeling.
    MIS Quarterly 39(2), 297-316. https://doi.org/10.25300/MISQ/2015/39.2.02

    Dijkstra, T. K., Schermelleh-Engel, K. (2014). Consistent partial least squares for nonlinear
    structural equation models. https://doi.org/10.1007/s11336-013-9370-0

    Henseler, J., Chin, W. W. (2010). A comparison of approaches for the analysis of interaction
    effects between latent variables using partial least squares path modeling.
    https://doi.org/10.1080/10705510903439003

    Cantaluppi, G. (2012). A partial least squares algorithm handling ordinal variables also in
    presence of a small number of categories. https://arxiv.org/abs/1212.5049

    Schuberth, F., Henseler, J., Dijkstra, T. K. (2018). Partial least squares path modeling using
    ordinal categorical indicators. https://doi.org/10.1007/s11135-016-0401-7

    Kettenring, J. R. (1971). Canonical analysis of several sets of variables. Biometrika 58,
    433-451. https://doi.org/10.1093/biomet/58.3.433

    Hwang, H., Takane, Y. (2004). Generalized structured component analysis. Psychometrika 69,
    81-99. https://doi.org/10.1007/BF02295841

    Becker, J.-M., Klein, K., Wetzels, M. (2012). Hierarchical latent variable models in PLS-SEM:
    guidelines for using reflective-formative type models. https://doi.org/10.1016/j.lrp.2012.10.001

    van Riel, A. C. R., Henseler, J., Kemény, I., Sasovova, Z. (2017). Estimating hierarchical
    constructs using consistent partial least squares: the case of second-order composites of common
    factors. https://doi.org/10.1108/IMDS-07-2016-0286

    Examples
    --------
    >>> PLS(scheme="centroid")
    PLS(scheme='centroid', consistent=False)
    """

    scheme: Literal["path", "factorial", "centroid"] = "path"
    consistent: bool = False
    modes: Mode | Mapping[str, Mode] | tuple[tuple[str, Mode], ...] | None = field(
        default=None, repr=False
    )
    tolerance: float = field(default=1e-10, repr=False)
    max_iterations: int = field(default=300, repr=False)
    reestimate: bool = field(default=False, repr=False)
    products: Products = field(default="two-stage", repr=False)
    higher_order: Order = field(default="disjoint", repr=False)
    correlations: Literal["pearson", "polychoric"] = field(default="pearson", repr=False)
    ordered: Ordered = field(default="all", repr=False)
    weights: Literal["pls"] | Criterion | GivenWeights = field(default="pls", repr=False)

    def __post_init__(self) -> None:
        choose("scheme", self.scheme, ["path", "factorial", "centroid"])
        if isinstance(self.modes, Mapping):
            object.__setattr__(self, "modes", tuple(sorted(self.modes.items(), key=str)))
        for mode in _modes_in(self.modes):
            choose("modes", mode, ["A", "B", "unit"])
        require_flag("consistent", self.consistent)
        require_flag("reestimate", self.reestimate)
        choose("products", self.products, get_args(Products))
        choose("higher_order", self.higher_order, get_args(Order))
        choose("correlations", self.correlations, ["pearson", "polychoric"])
        names = ordered_names(self.ordered, "correlations='pearson'")
        object.__setattr__(self, "ordered", names)
        if names != "all" and self.correlations == "pearson":
            raise OptionError(
                "ordered= says which items have polychoric correlations, and correlations is "
                "'pearson'; give correlations='polychoric', or leave ordered= out."
            )
        self._check_weights()
        advice = ", for example 1e-10"
        require_number("tolerance", self.tolerance, above=0, most=_LOOSEST, advice=advice)
        require_count("max_iterations", self.max_iterations)

    def _check_weights(self) -> None:
        """Refuse weights that are none, and options that have nothing to do beside them."""
        if not isinstance(self.weights, str):
            object.__setattr__(self, "weights", given_weights(self.weights))
        else:
            choose("weights", self.weights, ["pls", *get_args(Criterion)])
        if self.weights == "pls":
            return
        if self.consistent:
            raise OptionError(
                "consistent=True corrects weights by PLS in mode A, and weights= are others; leave "
                "one of the two out."
            )
        if self._criterion is not None:
            idle = {"scheme": self.scheme != "path", "modes": self.modes is not None}
            for name, used in idle.items():
                if used:
                    raise OptionError(
                        f"{name}= is of weights by PLS, and weights={self.weights!r} are others; "
                        "leave one of the two out."
                    )

    @property
    def _criterion(self) -> Criterion | None:
        """What weights are best at, where they are not PLS's or given."""
        names: tuple[Criterion, ...] = get_args(Criterion)
        return next((name for name in names if name == self.weights), None)

    @property
    def _given(self) -> dict[str, float]:
        """Weights that are given, by item."""
        return {} if isinstance(self.weights, str) else dict(self.weights)

    @property
    def label(self) -> str:
        """What the estimator is called in tables."""
        name: str = _LABELS[self.consistent, self.scheme]
        if self._criterion is not None:
            name = LABELS[self._criterion]
        elif self._given:
            name = message("{label}, given weights", label=name)
        return message("{label}, polychoric", label=name) if self.weighs_responses else name

    @property
    def paths_between_scores(self) -> bool:
        """Whether loadings and paths are those of scores as they are, error included."""
        return not self.consistent

    @property
    def weighs_responses(self) -> bool:
        """Whether weights are of the responses behind ordered answers, not of the answers."""
        return self.correlations == "polychoric"

    def findings(self, moments: Moments) -> Iterator[Finding]:
        """Yield what thresholds and correlations of ordered answers suffer from."""
        if self.weighs_responses and moments.ordinal is not None:
            yield from ordinal_findings(moments.ordinal, normal=False)

    def require(self, moments: Moments) -> None:
        """Refuse moments without correlations of responses where these are to be weighed.

        Raises
        ------
        EstimationError
            Saying that answers are needed.
        """
        if self.weighs_responses and moments.responses is None:
            raise EstimationError(
                "correlations='polychoric' needs the answers of a sample for thresholds, and these "
                "are moments only; fit a survey or a data frame, or give a matrix of polychoric "
                "correlations to csi.PLS() as it is."
            )

    def moments_of(self, answers: Answers) -> Moments:
        """Return the moments of the answers, with the statistics of ordered ones.

        Raises
        ------
        EstimationError
            When cells are missing, or a polychoric correlation has no maximum inside ±1.
        """
        moments = plain_moments(answers)
        if not self.weighs_responses:
            return moments
        if still_items(moments).any():
            return replace(moments, responses=Responses.unknown(len(moments.items)))
        ordinal = ordinal_statistics(answers, self.ordered, self.label)
        return replace(moments, responses=Responses.of(ordinal), ordinal=ordinal)

    def samples_of(self, answers: Answers) -> Samples:
        """Return what turns resamples of the answers into moments."""
        if not self.weighs_responses:
            return super().samples_of(answers)
        ordered = ordered_among(self.ordered, answers.items)
        return OrdinalSamples.of(answers, ordered, errors=False)

    def modes_of(self, model: Model) -> tuple[str, ...]:
        """Return how the weights of each construct were made; a single item is in mode A.

        Its mode, or the criterion that its weights are best at, or ``"given"``.
        """
        by_mode = self._modes_of(model)
        own = self._criterion
        known = constructs_of(self._given, model)
        return tuple(
            mode if c.kind == "single" else own or ("given" if c.name in known else mode)
            for c, mode in zip(model.constructs, by_mode, strict=True)
        )

    def _modes_of(self, model: Model) -> tuple[Mode, ...]:
        """Return the mode of each construct, after checking that they fit the model."""
        for name, _ in self._modes_by_name:
            if name not in model.construct_names:
                raise OptionError(
                    f"modes names construct {name!r}, which is not in the model"
                    f"{suggest(str(name), model.construct_names)}."
                )
        modes = self._stage_modes(model)
        for construct, own in zip(model.constructs, modes, strict=True):
            if self.consistent and construct.kind == "reflective" and own != "A":
                raise OptionError(
                    f"consistent=True needs mode A for reflective construct {construct.name!r}, "
                    f"not {own!r}; use mode A, or define it as a composite with <~."
                )
        return modes

    @property
    def _modes_by_name(self) -> tuple[tuple[str, Mode], ...]:
        return self.modes if isinstance(self.modes, tuple) else ()

    def _stage_modes(self, model: Model) -> tuple[Mode, ...]:
        """Return the mode of each construct of a stage, which may lack some that have one."""
        given = dict(self._modes_by_name)
        modes: list[Mode] = []
        for construct in model.constructs:
            own: Mode = "B" if construct.kind == "composite" else "A"
            if isinstance(self.modes, str) and construct.name not in model.products:
                own = self.modes
            own = given.get(construct.name, own)
            modes.append("A" if construct.kind == "single" else own)
        return tuple(modes)

    def check(self, model: Model) -> None:
        """Refuse a model without paths or with terms to be corrected, and modes that do not fit.

        Raises
        ------
        ModelError, OptionError
            Naming what does not fit.
        """
        if self.consistent:
            self._check_corrected(model)
        if self.weighs_responses:
            require_ordered_items(self.ordered, model)
            if model.terms:
                raise ModelError(
                    "correlations='polychoric' knows constructs of items only, because nobody has "
                    f"scores of the responses that {model.terms[0].name!r} would be made of; take "
                    "it out of the model, or leave correlations='pearson'."
                )
        if not model.paths:
            raise ModelError(
                "PLS needs at least one path between constructs; "
                "add one, as in 'Loyalty ~ Satisfaction'."
            )
        for item, names in model.shared_items.items():
            raise ModelError(
                f"Item {item!r} measures both {names[0]!r} and {names[1]!r}, and PLS weighs each "
                "item in one construct only (no cross-loadings); give it one construct, or fit "
                "with csi.ML()."
            )
        if model.parameters:
            raise ModelError(
                f"PLS cannot keep {str(model.parameters[0])!r}: it knows no fixed, equal or "
                "bounded parameters and no covariances of its own; fit with csi.ML(), or take "
                "them out with model.without_parameters()."
            )
        self._modes_of(model)
        require_whole_blocks(self._given, model)
        if model.terms and self._criterion is not None:
            raise ModelError(
                f"weights={self._criterion!r} weighs constructs of items, and "
                f"{model.terms[0].name!r} is of constructs; take it out of the model, or leave "
                "weights= out."
            )

    def _check_corrected(self, model: Model) -> None:
        """Refuse terms that are not corrected for measurement error."""
        wholes = [term for term in model.terms if isinstance(term, HigherOrder)]
        if wholes and self.higher_order != "disjoint":
            raise OptionError(
                f"consistent=True corrects the scores that {wholes[0].name!r} is made of, and "
                f"higher_order={self.higher_order!r} makes it of items, too; use "
                "higher_order='disjoint'."
            )
        if wholes and model.products:
            raise ModelError(
                "PLSc (consistent=True) corrects constructs of constructs or products, not both in "
                f"one model; take {wholes[0].name!r} or {next(iter(model.products))!r} out of it, "
                "or leave consistent=False."
            )
        if model.products and self.products != "two-stage":
            raise OptionError(
                f"consistent=True corrects products of scores, and products={self.products!r} "
                "measures them by items; use products='two-stage'."
            )
        if model.terms and self.reestimate:
            raise OptionError(
                f"consistent=True corrects the scores that {model.terms[0].name!r} is made of, and "
                "reestimate=True makes others beside it; leave one of the two out."
            )

    def estimate(self, moments: Moments, model: Model, near: Estimates | None = None) -> Estimates:
        """Fit every sample of `moments`, whose items are those of the model in its order.

        Parameters
        ----------
        moments
            (..., items, items); a single sample or one batch axis.
        model
            Constructs and paths.
        near
            A solution whose loadings each construct's should point along; all positive by default.

        Returns
        -------
        Estimates
            Of the constructs of items and of those that terms make.
        """
        return self.solve(moments, model, near).estimates

    def solve(self, moments: Moments, model: Model, near: Estimates | None = None) -> Solution:
        """Fit every sample of a batch of moments stage by stage, and return all that follows.

        The model of the solution has the variables that its terms are measured by as items, and the
        moments hold them beside the answered ones: scores of parts, products of scores or of items,
        repeated items.
        """
        self.require(moments)
        single = not moments.batch_shape
        batch = moments.lifted() if single else moments
        items = model.answered
        batch = batch if batch.items == items else batch.select(items)
        stages = compiled(model, self.products, self.higher_order)
        known = {} if near is None else dict(zip(stages[-1].items, near.loadings, strict=True))
        stage = self._first_stage(stages, known, len(batch.n))
        whole = with_terms(batch, stage.model, None)
        estimates = self._estimate_stage(whole, stage)
        if len(stages) > 1:
            weights = score_weights(batch, stages[0], estimates)
            corrects = self.consistent and bool(model.products)
            products = corrected_products(batch, model, weights, estimates, corrects)
            stage = self._last_stage(stages, known, estimates, products)
            whole = with_terms(batch, stage.model, weights)
            estimates = self._estimate_stage(whole, stage)
        if not single:
            return Solution(stages[-1], self, whole, estimates)
        own = replace(whole[0], rows=moments.rows) if model.terms else moments
        return Solution(stages[-1], self, own, estimates[0])

    def turning(self, solution: Solution) -> tuple[str, ...]:
        """Return the constructs whose weights may point anywhere in another such sample."""
        criterion, model = self._criterion, solution.model
        if criterion is None or solution.estimates.outcome != Status.CONVERGED:
            return ()
        n = float(solution.moments.effective_n)
        turns = weight_turns(solution.item_cor, model, criterion, n)
        most = THRESHOLDS["turn of weights"].value
        return tuple(
            name for name, turn in zip(model.construct_names, turns, strict=True) if not turn < most
        )

    def weight_influence(self, solution: Solution, cotangents: Floats) -> WeightInfluence | None:
        """Return what respondents add to functions of the weights, in closed form."""
        model = solution.model
        if model.terms or self.weighs_responses or self.weights != "pls":
            return None
        cor, weights = solution.moments.cor, solution.estimates.weights
        return weight_influence(cor, weights, model, self._modes_of(model), self.scheme, cotangents)

    def _first_stage(
        self, stages: tuple[Model, ...], known: dict[str, float], samples: int
    ) -> Stage:
        """Return the first stage, in which what repeats items for its parts' sake is in mode A."""
        model = stages[0]
        modes = list(self._stage_modes(model))
        if len(stages) > 1:
            for name in {term.name for term in model.terms} - repeating(stages[-1]):
                modes[model.construct_names.index(name)] = "A"
        start = given_start(self._given, model, samples)
        kept = constructs_of(self._given, model)
        return Stage(model, tuple(modes), signs_of(model, known), None, start, kept)

    def _last_stage(
        self,
        stages: tuple[Model, ...],
        known: dict[str, float],
        before: Estimates,
        products: Floats | None,
    ) -> Stage:
        """Return the last stage, with the weights it starts from and those that stay."""
        first, model = stages
        start = np.ones((len(model.items), len(before.outcome)))
        common = [item for item in model.items if item in first.items]
        own = [model.items.index(item) for item in common]
        start[own] = before.weights.T[[first.items.index(item) for item in common]]
        if self.reestimate or (model.products and self.products != "two-stage"):
            kept = parts_of(model.terms)
        else:
            earlier = set(first.constructs)
            kept = frozenset(own.name for own in model.constructs if own in earlier)
        kept |= constructs_of(self._given, model)
        signs = signs_of(model, known)
        return Stage(model, self._stage_modes(model), signs, before, start, kept, products)

    def _estimate_stage(self, batch: Moments, stage: Stage) -> Estimates:
        """Fit every sample of a batch to the model of a stage."""
        cov, outcome = batch.cov, _outcome(batch)
        if self.weighs_responses and batch.responses is not None:
            cov = batch.responses.cor
            within = np.triu(np.abs(cov) < EDGE, 1)  # false for what is not known
            pairs = cov.shape[-1] * (cov.shape[-1] - 1) // 2
            outcome[(outcome == 0) & (within.sum(axis=(-2, -1)) < pairs)] = Status.ITEMS_SINGULAR
        cov = cov.transpose(1, 2, 0)
        if stage.before is not None:
            earlier = stage.before.outcome
            outcome = np.where(earlier != Status.CONVERGED, earlier, outcome)
        parts = []
        for at in range(0, cov.shape[-1], _CHUNK):
            own = slice(at, at + _CHUNK)
            parts.append(self._estimate_chunk(cov[..., own], outcome[own], stage[own]))
        return parts[0] if len(parts) == 1 else Estimates.join(parts)

    def _estimate_chunk(self, cov: Floats, outcome: NDArray[np.int64], stage: Stage) -> Estimates:
        model, products = stage.model, stage.products
        unusable = outcome > Status.NOT_CONVERGED
        measured = cor = _correlations(cov, unusable)
        with np.errstate(all="ignore"):
            first = None
            if self.consistent and model.wholes:
                first = stage.first_reliability(unusable)
                cor = freed_of_error(model, measured, first)
            weights, iterations, settled = self._outer_weights(cor, stage, unusable)
            crossed, scores_cor, weights = scores(cor, model, weights)
            loadings = crossed[np.arange(len(model.items)), model.owner]
            sign = np.sign(sum_blocks(loadings * stage.signs[:, None], model))
            sign[sign == 0] = 1.0
            weights *= sign[model.owner]
            loadings *= sign[model.owner]
            construct_cor = scores_cor * sign * sign[:, None]
            reliability = np.ones_like(sign)
            flags = np.zeros(len(outcome), dtype=np.int64)
            places = list(model.products.values())
            scales = product_scales(model, np.sqrt(cov.diagonal()), loadings.T).T
            if first is not None:
                corrected = correct_orders(model, weights, loadings, construct_cor, first)
                loadings, construct_cor, reliability = corrected
                weights = weights_of_scores(model, weights, measured, reliability)
            elif self.consistent:
                corrected = correct(model, weights, loadings, construct_cor)
                loadings, construct_cor, reliability = corrected
                if products is not None:
                    correct_products(model, products, scales**2, reliability, construct_cor)
                    scales = np.sqrt(products[places, places])
            if self.consistent:
                flags = inadmissible(model, loadings, construct_cor, reliability)
                flags |= 0 if stage.before is None else stage.before.inadmissible
            paths = regress(model, construct_cor)
            singular = inseparable(model, construct_cor)
            paths[:, places] /= scales
        singular |= ~(np.isfinite(paths).all((0, 1)) & np.isfinite(weights).all(0))
        outcome[(outcome == 0) & (reliability <= 0).any(axis=0)] = Status.NEGATIVE_RELIABILITY
        outcome[(outcome == 0) & singular] = Status.SINGULAR
        outcome[(outcome == 0) & ~settled] = Status.NOT_CONVERGED
        for values in (weights, loadings, reliability, construct_cor, paths):
            values[..., unusable] = np.nan
        if stage.before is not None:
            iterations = iterations + stage.before.iterations
        flags[outcome != 0] = 0
        return Estimates(
            weights=weights.T,
            loadings=loadings.T,
            reliability=reliability.T,
            construct_cor=construct_cor.transpose(2, 0, 1),
            paths=paths.transpose(2, 0, 1),
            iterations=iterations,
            outcome=outcome,
            inadmissible=flags,
        )

    def _outer_weights(
        self, cor: Floats, stage: Stage, unusable: NDArray[np.bool_]
    ) -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_]]:
        """Return weights, iterations, and which samples settled."""
        bounds = self.tolerance, self.max_iterations
        if self._criterion is not None:
            return composite_weights(cor, stage.model, self._criterion, *bounds)
        start = stage.starting_weights(unusable)
        return outer_weights(cor, stage.model, stage.modes, self.scheme, *bounds, start, stage.kept)


def _modes_in(given: object) -> list[object]:
    """Return the modes in None, in one mode for all or in pairs of construct and mode."""
    if isinstance(given, tuple) and all(isinstance(p, tuple) and len(p) == 2 for p in given):
        return [mode for _, mode in given]
    return [] if given is None else [given]


def _outcome(batch: Moments) -> NDArray[np.int64]:
    """Tell which samples have no correlations and why, (draws,); the others count as converged."""
    still = still_items(batch)
    outcome = np.zeros(len(batch.n), dtype=np.int64)
    outcome[~np.isfinite(batch.cov).all(axis=(-2, -1))] = Status.UNPAIRED_ITEMS
    outcome[still.any(axis=-1)] = Status.CONSTANT_ITEM
    outcome[batch.n < 3] = Status.TOO_FEW_ROWS
    return outcome


def _correlations(cov: Floats, unusable: NDArray[np.bool_]) -> Floats:
    """Standardise; a sample that has no correlations gets the identity."""
    with np.errstate(all="ignore"):
        scale = 1.0 / np.sqrt(np.einsum("iid->id", cov))
        cor = cov * scale
        cor *= scale[:, None]
    if unusable.any():
        cor[..., unusable] = np.eye(len(cor))[..., None]
    return np.asarray(cor)
