"""Estimates with the model and moments they came from, for one sample or a batch.

Everything that can be derived is derived here, with the batch axis in front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators import structural
from csimodel.estimators.estimates import Estimates
from csimodel.estimators.weight_influence import WeightInfluence
from csimodel.findings import Finding
from csimodel.model import Model
from csimodel.model.stages import factors_of
from csimodel.moments import CrossProducts, Moments, moments_of
from csimodel.moments.batches import BatchBuffer
from csimodel.moments.copies import Copies
from csimodel.moments.ordinal_samples import OrdinalSamples
from csimodel.moments.triangles import PackedMoments
from csimodel.moments.unit_answers import UnitAnswers, UnitProducts
from csimodel.survey import Answers

Floats = NDArray[np.float64]


Refit = Callable[[Copies], "Solution"]
Samples = CrossProducts | OrdinalSamples


IncompleteWay = Literal["fiml", "two-stage"]


class Estimator(Protocol):
    """What `fit` and inference ask of an estimator: a value that turns moments into estimates.

    A class of this base has a `label`, `check` and `estimate`; the rest is that of an estimator of
    means and covariances, and whoever differs says so.
    """

    @property
    def label(self) -> str:
        """What the estimator is called in tables."""

    @property
    def policy(self) -> str | None:
        """What is done with missing answers; None leaves it to the survey."""
        return None

    def of_incomplete(self, way: IncompleteWay) -> Estimator | None:
        """Return the estimator with a way of its own with missing answers; None without one."""
        return None

    @property
    def needs_answers(self) -> bool:
        """Whether estimates rest on more than means and covariances."""
        return False

    @property
    def resampling(self) -> Literal["anew", "nearby", "none"]:
        """How resamples are fitted: anew, only near the solution of the sample, or not at all."""
        return "anew"

    @property
    def together(self) -> int:
        """How many samples are fitted together when there are many, so that they stay in cache."""
        return 512

    @property
    def has_error_variances(self) -> bool:
        """Whether the model has error variances, from which reliabilities of indexes follow."""
        return False

    @property
    def paths_between_scores(self) -> bool:
        """Whether loadings and paths are those of scores as they are, error included."""
        return False

    @property
    def weighs_responses(self) -> bool:
        """Whether weights are of the responses behind ordered answers, not of the answers."""
        return False

    def findings(self, moments: Moments) -> Iterator[Finding]:
        """Yield what the moments of one sample suffer from."""
        yield from ()

    def modes_of(self, model: Model) -> tuple[str, ...]:
        """Return how the weights of each construct were made, ``"other"`` for by no mode of PLS."""
        return ("other",) * len(model.constructs)

    def moments_of(self, answers: Answers) -> Moments:
        """Return the moments of one sample that estimates, errors and tests rest on."""
        return moments_of(answers)

    def samples_of(self, answers: Answers) -> Samples:
        """Return what turns resamples of the answers into moments."""
        if isinstance(answers, UnitAnswers):
            return UnitProducts.of_units(answers)
        return CrossProducts.of(answers)

    def resampler(self, solution: Solution, answers: Answers) -> Refit:
        """Return the function from copies of each row to fits of those resamples.

        Parameters
        ----------
        solution
            Of the sample, where the fits start.
        answers
            What is drawn from.
        """
        samples = self.samples_of(answers)

        def refit(copies: Copies) -> Solution:
            return self.solve(samples.resampled(copies), solution.model, solution.estimates)

        return refit

    def solve(self, moments: Moments, model: Model, near: Estimates | None = None) -> Solution:
        """Fit every sample of a batch of moments of the answers, and return all that follows."""
        return Solution(model, self, moments, self.estimate(moments, model, near))

    def weight_influence(self, solution: Solution, cotangents: Floats) -> WeightInfluence | None:
        """Return what respondents add to functions of the weights, None where that is not known.

        Parameters
        ----------
        solution
            A batch of samples of complete answers, all with a solution.
        cotangents
            Derivatives of functions by the weights of standardised items, (samples, items,
            functions), that do not depend on the size of a construct's weights.
        """
        return None

    def turning(self, solution: Solution) -> tuple[str, ...]:
        """Return the constructs whose weights jump between samples, so that derivatives mislead."""
        return ()

    def require(self, moments: Moments) -> None:
        """Refuse moments without what estimates, errors and tests need."""
        return

    def specified(self, model: Model) -> Model:
        """Return the model as it is fitted, where terms are written otherwise."""
        return model

    def check(self, model: Model) -> None:
        """Raise an `OptionError` or `ModelError` for a model it cannot estimate."""

    def estimate(self, moments: Moments, model: Model, near: Estimates | None = None) -> Estimates:
        """Fit every sample of a batch of moments; `near` is the full sample's solution."""


@dataclass(frozen=True, eq=False)
class Solution:
    """One fitted sample or a batch of them, as arrays.

    Attributes
    ----------
    model, estimator
        What was estimated, and how.
    moments
        The samples' moments, in the order of the model's items.
    estimates
        What the estimator returned.
    """

    model: Model
    estimator: Estimator
    moments: Moments
    estimates: Estimates

    def __getitem__(self, key: int | slice | NDArray[np.bool_] | NDArray[np.intp]) -> Solution:
        """Return one sample, or several, of a batch."""
        return replace(self, moments=self.moments[key], estimates=self.estimates[key])

    def packed(self) -> Solution:
        """Return the same with covariances kept by their triangle, as many samples need it."""
        return replace(self, moments=PackedMoments.of(self.moments))

    @classmethod
    def join(cls, parts: Sequence[Solution]) -> Solution:
        """Put batches one after another."""
        return cls.gather(parts, sum(len(part.moments.n) for part in parts))

    @classmethod
    def gather(cls, parts: Iterable[Solution], total: int) -> Solution:
        """Put batches of `total` samples one after another as they are made, none held twice."""
        buffer, first = SolutionBuffer(total), 0
        for part in parts:
            buffer.leave_out(buffer.put(part, first))
            first += len(part.moments.n)
        return buffer.solution

    @property
    def item_cor(self) -> Floats:
        """Correlations of what the weights are of, (..., items, items).

        Of the answers, or of the responses behind them where the estimator weighs those.
        """
        responses = self.estimator.weighs_responses
        return self.moments.response_cor if responses else self.moments.cor

    @property
    def item_cov(self) -> Floats:
        """Covariances of what the weights are of, (..., items, items).

        Of the answers in scale units, or correlations of the responses behind them.
        """
        return self.item_cor if self.estimator.weighs_responses else self.moments.cov

    @cached_property
    def cross_loadings(self) -> Floats:
        """Correlations of items with scores as they are, uncorrected, (..., items, constructs)."""
        self.model.require_own_items("Cross-loadings are correlations with scores from")
        scores = np.zeros((*self.estimates.weights.shape, len(self.model.constructs)))
        own = np.arange(len(self.model.items))
        scores[..., own, self.model.owner] = self.estimates.weights
        return np.asarray(self.item_cor @ scores)

    @cached_property
    def index_weights(self) -> Floats:
        """Unstandardised weights that sum to 1 within each construct, (..., items).

        ``w̃ᵢ = (wᵢ / sᵢ) / Σ (wₖ / sₖ)``: what turns answers in scale units into an index.
        """
        self.model.require_own_items("Scores and indexes are weighted means of")
        with np.errstate(invalid="ignore", divide="ignore"):
            raw = self.estimates.weights / self.moments.sd
            starts = [block.start for block in self.model.slices]
            return np.asarray(raw / np.add.reduceat(raw, starts, axis=-1)[..., self.model.owner])

    def scores(self, answers: Answers) -> Floats:
        """Return standardised scores of one sample, (rows, constructs).

        A missing cell counts as the item's mean where the answers say so; else the score is NaN.
        Weights of responses weigh the answers, in a score that has variance 1 all the same.
        """
        self.model.require_own_items("Scores are weighted means of")
        model, own = self.model, len(answers.items)
        mean, sd, weights = self.moments.mean, self.moments.sd, self.estimates.weights
        standardised = self._standardised(answers)
        scores: dict[str, Floats] = {}
        for name, block in zip(model.construct_names, model.slices, strict=True):
            variables = standardised[:, block]
            if block.start >= own:
                items = dict(zip(answers.items, standardised.T, strict=True))
                variables = _variables(model, block, items, scores)
                if name in model.predictors:
                    design = _design(items, model.predictors[name])
                    variables = variables - design @ self._residual_slopes(name, block)
                variables = (variables - mean[block]) / sd[block]
            own_weights = weights[block]
            if self.estimator.weighs_responses:
                cor = self.moments.cor[block, block]
                own_weights = own_weights / np.sqrt(own_weights @ cor @ own_weights)
            scores[name] = variables @ own_weights
        return np.stack([*scores.values()], axis=1)

    def _standardised(self, answers: Answers) -> Floats:
        """Return answers about the means in standard deviations of this sample, (rows, items)."""
        own = len(answers.items)
        values = (answers.values - self.moments.mean[:own]) / self.moments.sd[:own]
        return np.nan_to_num(values, nan=0.0) if answers.missing == "mean" else np.asarray(values)

    def _residual_slopes(self, name: str, block: slice) -> Floats:
        """Return what a product's items owe to items of its factors in this sample, with a level.

        Returns
        -------
        (predictors with a constant, items of the product)
        """
        assert self.moments.rows is not None  # products need them
        answers, model = self.moments.rows.answers, self.model
        places = [answers.items.index(item) for item in model.answered]
        own = replace(answers, items=model.answered, values=answers.values[:, places])
        items = dict(zip(own.items, self._standardised(own).T, strict=True))
        root = 1.0 if own.weights is None else np.sqrt(own.weights)[:, None]
        design = _design(items, model.predictors[name]) * root
        values = _variables(model, block, items, {}) * root
        return np.asarray(np.linalg.lstsq(design, values, rcond=1e-10)[0])

    @cached_property
    def standardized_paths(self) -> Floats:
        """Paths in standard deviations of every source, products too, (..., targets, sources)."""
        products = list(self.model.products.values())
        if not products:
            return self.estimates.paths
        paths = self.estimates.paths.copy()
        paths[..., products] *= self._product_sds[..., None, :]
        return paths

    @property
    def _product_sds(self) -> Floats:
        """Standard deviations of products of constructs, (..., products)."""
        model, reliability = self.model, self.estimates.reliability
        sds = product_scales(model, self.moments.sd, self.estimates.loadings)
        with np.errstate(invalid="ignore", divide="ignore"):
            for k, (name, j) in enumerate(model.products.items()):
                factors = np.prod(reliability[..., model.factors[name]], axis=-1)
                sds[..., k] *= np.sqrt(reliability[..., j] / factors)
        return np.asarray(sds)

    @cached_property
    def r2(self) -> Floats:
        """Explained variance of every construct, (..., constructs); 0 for exogenous ones."""
        return np.asarray((self.standardized_paths * self.estimates.construct_cor).sum(axis=-1))

    @cached_property
    def r2_adjusted(self) -> Floats:
        """``1 - (1 - R²)(n - 1)/(n - k - 1)`` with k antecedents, (..., constructs)."""
        n, k = self.moments.n[..., None], self.model.adjacency.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(1.0 - (1.0 - self.r2) * (n - 1.0) / (n - k - 1.0))

    @cached_property
    def total_effects(self) -> Floats:
        """Direct plus indirect effects, (..., targets, sources)."""
        return self._last(structural.total_effects, self.estimates.paths)

    @property
    def indirect_effects(self) -> Floats:
        """Effects through other constructs, (..., targets, sources)."""
        return self.total_effects - self.estimates.paths

    @cached_property
    def implied_construct_cor(self) -> Floats:
        """Construct correlations that the paths imply, (..., constructs, constructs)."""
        return self._last(
            structural.implied_construct_cor,
            self.standardized_paths,
            self.estimates.construct_cor,
        )

    @cached_property
    def unit_construct_cor(self) -> Floats:
        """The same where disturbances make every implied variance 1."""

        def unit(model: Model, paths: Floats, cor: Floats) -> Floats:
            return structural.implied_construct_cor(model, paths, cor, unit=True)

        return self._last(unit, self.standardized_paths, self.estimates.construct_cor)

    def implied_cor(self, saturated: bool = False, unit: bool = False) -> Floats:
        """Item correlations that the model implies, (..., items, items).

        Items of one reflective construct correlate by the product of their loadings, as
        common-factor models say; items of one composite as observed; items of different
        constructs by their loadings and the construct correlations, which are those implied by
        the paths or, when `saturated`, the estimated ones; `unit` takes those of variances 1.
        """
        self.model.require_one_stage("Implied correlations are those of")
        by_paths = self.unit_construct_cor if unit else self.implied_construct_cor
        between = self.estimates.construct_cor if saturated else by_paths
        owner, loadings = self.model.owner, self.estimates.loadings
        implied = between[..., owner[:, None], owner] * (
            loadings[..., :, None] * loadings[..., None, :]
        )
        for construct, block in zip(self.model.constructs, self.model.slices, strict=True):
            if construct.kind == "composite":
                implied[..., block, block] = self.item_cor[..., block, block]
        own = np.arange(len(owner))
        implied[..., own, own] = 1.0
        return np.asarray(implied)

    def _last(self, kernel: object, *arrays: Floats) -> Floats:
        """Call a kernel that keeps the batch on the last axis."""
        assert callable(kernel)
        if not self.moments.batch_shape:
            return np.asarray(kernel(self.model, *(array[..., None] for array in arrays))[..., 0])
        moved = (np.moveaxis(array, 0, -1) for array in arrays)
        return np.moveaxis(kernel(self.model, *moved), -1, 0)


def product_scales(model: Model, sd: Floats, loadings: Floats) -> Floats:
    """Return the standard deviations of products, (..., products).

    Of a product of scores that of the score's only item; where several items measure it their mean
    weighted by absolute loadings, as in seminr.

    Parameters
    ----------
    sd, loadings
        Of the items, (..., items).
    """
    blocks = [model.slices[j] for j in model.products.values()]
    size = np.abs(loadings)
    with np.errstate(invalid="ignore", divide="ignore"):
        scales = [
            sd[..., block.start]
            if block.stop - block.start == 1
            else (size[..., block] * sd[..., block]).sum(axis=-1) / size[..., block].sum(axis=-1)
            for block in blocks
        ]
    return np.stack(scales, axis=-1) if scales else np.empty((*sd.shape[:-1], 0))


def _variables(
    model: Model, block: slice, items: Mapping[str, Floats], scores: Mapping[str, Floats]
) -> Floats:
    """Return the variables that a term is measured by, (rows, variables)."""
    factors = [factors_of(model)[item] for item in model.items[block]]
    sources = [items if own.items else scores for own in factors]
    values = [
        np.prod([source[name] for name in own.names], axis=0)
        for source, own in zip(sources, factors, strict=True)
    ]
    return np.stack(values, axis=1)


def _design(items: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """Return a constant and items, (rows, 1 + items)."""
    own = [items[name] for name in names]
    return np.stack([np.ones_like(own[0]), *own], axis=1)


Lacking = tuple[tuple[str, ...], tuple[str, ...]]


class SolutionBuffer:
    """Batches of fitted samples put into one, each where it belongs, none held twice.

    Parameters
    ----------
    total
        Number of samples when it is full.
    shared
        Whether processes begun after the first part may fill it, too.
    """

    def __init__(self, total: int, shared: bool = False) -> None:
        self._first: Solution | None = None
        self._moments, self._estimates = BatchBuffer(total, shared), BatchBuffer(total, shared)

    def put(self, part: Solution, first: int) -> Lacking:
        """Put a part where its first sample belongs; return what its moments and estimates lack."""
        if self._first is None:
            self._first = part
        return (
            self._moments.put(part.moments.arrays, first),
            self._estimates.put(part.estimates.arrays, first),
        )

    def leave_out(self, lacking: Lacking) -> None:
        """Leave out of all samples what some part lacks."""
        self._moments.leave_out(lacking[0])
        self._estimates.leave_out(lacking[1])

    @property
    def solution(self) -> Solution:
        """All samples as a batch."""
        assert self._first is not None
        return replace(
            self._first,
            moments=self._first.moments.with_arrays(self._moments.arrays),
            estimates=replace(self._first.estimates, **self._estimates.arrays),
        )
