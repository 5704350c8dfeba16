"""A solution of a model with terms seen as one of items alone, as indexes are made of them.

The score of a construct of constructs is a weighted sum of the items of its parts, so it has item
weights like any other; products have none and are left out. Fits of resamples go through all stages
of the model and are seen the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from csimodel.estimators.estimates import Estimates
from csimodel.estimators.solution import Estimator, Solution
from csimodel.model import Construct, Model, Path
from csimodel.model.terms import HigherOrder
from csimodel.moments import Moments
from csimodel.survey import Answers

Floats = NDArray[np.float64]


def item_model(model: Model) -> Model:
    r"""Return the model whose constructs of constructs are composites of the items of their parts.

    >>> text = "A =~ a1 + a2\nB =~ b1 + b2\nC =~ c1 + c2\nH =~ A + B\nC ~ H"
    >>> print(item_model(Model.from_syntax(text)))
    C =~ c1 + c2
    H <~ a1 + a2 + b1 + b2
    C ~ H
    """
    if not model.terms:
        return model
    return Model(tuple(_constructs(model)), tuple(_paths(model)), name=model.name)


def _paths(model: Model) -> list[Path]:
    """Return paths between constructs that stay; what leads to a whole by its parts leads to it."""
    wholes = _wholes_of(model)
    paths = dict.fromkeys(
        Path(path.source, wholes.get(path.target, path.target))
        for path in model.paths
        if path.source not in model.products and path.source not in wholes
    )
    return [path for path in paths if path.source != path.target]


def _wholes_of(model: Model) -> dict[str, str]:
    """Return the construct that each part is of, by the part's name."""
    wholes = (term for term in model.terms if isinstance(term, HigherOrder))
    return {part: whole.name for whole in wholes for part in whole.parts}


def _constructs(model: Model) -> Iterator[Construct]:
    wholes = [term for term in model.terms if isinstance(term, HigherOrder)]
    parts = _wholes_of(model)
    yield from (construct for construct in model.measured if construct.name not in parts)
    for whole in wholes:
        items = tuple(item for part in whole.parts for item in model.blocks[part])
        yield Construct(whole.name, items, "composite")


def item_solution(solution: Solution) -> Solution:
    """Return a solution, single or batched, as one of items alone."""
    model = solution.model
    if not model.terms:
        return solution
    seen, estimates = item_model(model), solution.estimates
    places = np.array([model.items.index(item) for item in seen.items])
    own = np.array([model.construct_names.index(name) for name in seen.construct_names])
    weights = estimates.weights[..., places]
    loadings = estimates.loadings[..., places]
    paths = estimates.paths.copy()
    for term in model.terms:
        if not isinstance(term, HigherOrder):
            continue
        block = seen.slices[seen.construct_names.index(term.name)]
        whole = model.construct_names.index(term.name)
        if term.items:
            weights[..., block] = estimates.weights[..., model.slices[whole]]
            parts = [model.construct_names.index(part) for part in term.parts]
            onto, through = estimates.paths[..., whole, parts], estimates.paths[..., parts, :]
            paths[..., whole, :] += (onto[..., None] * through).sum(axis=-2)
        else:
            owners = model.owner[places[block]]
            parts = [model.items.index(model.construct_names[j]) for j in owners]
            weights[..., block] *= estimates.weights[..., parts]
        loadings[..., block] = solution.cross_loadings[..., places[block], whole]
    return replace(
        solution,
        model=seen,
        estimator=ItemEstimator(solution.estimator, model, estimates),
        moments=solution.moments.select(seen.items),
        estimates=replace(
            estimates,
            weights=weights,
            loadings=loadings,
            reliability=estimates.reliability[..., own],
            construct_cor=estimates.construct_cor[..., own[:, None], own],
            paths=paths[..., own[:, None], own],
        ),
    )


def answers_in_order(answers: Answers, items: Sequence[str]) -> Answers:
    """Return answers to some of the items, in their order."""
    if tuple(items) == answers.items:
        return answers
    places = [answers.items.index(item) for item in items]
    return replace(
        answers,
        items=tuple(items),
        values=answers.values[:, places],
        minimum=answers.minimum[places],
        maximum=answers.maximum[places],
    )


@dataclass(frozen=True)
class ItemEstimator(Estimator):
    """An estimator of a model with terms, whose solutions are seen as of items alone.

    Attributes
    ----------
    estimator, specification
        What is estimated how.
    near
        The solution that those of resamples lie near.
    """

    estimator: Estimator
    specification: Model
    near: Estimates = field(compare=False, repr=False)

    @property
    def label(self) -> str:
        """What the estimator is called in tables."""
        return self.estimator.label

    @property
    def paths_between_scores(self) -> bool:
        """Whether loadings and paths are those of scores as they are, error included."""
        return self.estimator.paths_between_scores

    def check(self, model: Model) -> None:
        """Raise an error for a model that cannot be estimated."""
        self.estimator.check(self.specification)

    def estimate(self, moments: Moments, model: Model, near: Estimates | None = None) -> Estimates:
        """Fit every sample of a batch of moments."""
        return self.solve(moments, model, near).estimates

    def solve(self, moments: Moments, model: Model, near: Estimates | None = None) -> Solution:
        """Fit every sample of a batch of moments of the answers, and return all that follows."""
        toward = None if near is None else self.near
        solution = item_solution(self.estimator.solve(moments, self.specification, toward))
        return replace(solution, estimator=self)
