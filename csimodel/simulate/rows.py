"""Draw the rows of many samples at once, and the moments of normal ones without any rows.

Samples come in blocks of a size that depends on the distribution and n only, each from a random
stream of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csimodel.simulate.shapes import AnswerShape
from csimodel.simulate.survey_design import Firms, Missing, Outcome

Floats = NDArray[np.float64]

_CELLS = 2**18  # answers drawn together
_WISHART = 1024  # samples whose moments are drawn together


@dataclass(frozen=True, eq=False)
class Distribution:
    """What rows are drawn from, as arrays.

    Attributes
    ----------
    items, owner
        Names, and the construct of each, (items,).
    loadings
        Standardised, (items,).
    construct_cor
        Correlations of constructs, (constructs, constructs).
    cor
        Correlations of items, (items, items).
    mean, sd
        In scale units, (items,).
    bounds
        Lowest and highest answer, (items,) each, when answers are rounded, else None.
    shape, missing, firms, outcome
        How answers are distributed and taken.
    outcome_of
        The outcome's construct, and the standard deviation of its true index in points.
    """

    items: tuple[str, ...]
    owner: NDArray[np.intp]
    loadings: Floats
    construct_cor: Floats
    cor: Floats
    mean: Floats
    sd: Floats
    bounds: tuple[Floats, Floats] | None
    shape: AnswerShape
    missing: Missing | None
    firms: Firms | None
    outcome: Outcome | None
    outcome_of: tuple[int, float] | None


class AnswerRows(NamedTuple):
    """Answers, (samples, n, items), and outcomes, (samples, n), or None."""

    values: Floats
    outcome: Floats | None


def blocks(distribution: Distribution, n: int, samples: int, seed: int) -> Iterator[AnswerRows]:
    """Yield the samples, some at a time."""
    step = int(np.clip(_CELLS // (n * len(distribution.items)), 1, 512))
    roots = _Roots.of(distribution)
    for number, start in enumerate(range(0, samples, step)):
        drawn = _draw(distribution, roots, n, step, _stream(seed, number))
        kept = min(step, samples - start)
        outcome = None if drawn.outcome is None else drawn.outcome[:kept]
        yield AnswerRows(drawn.values[:kept], outcome)


def wishart(
    distribution: Distribution, n: int, samples: int, seed: int
) -> Iterator[tuple[Floats, Floats]]:
    """Yield means, (some samples, items), and covariances, (…, items, items), of normal samples.

    ``m = μ + L z/√n`` and ``S = L B B' L'/(n - 1)`` with L the root of Σ and B lower triangular:
    normal numbers below the diagonal, roots of χ² with n - 1, n - 2, … degrees on it (Bartlett).
    """
    items = len(distribution.items)
    root = _root(distribution.cor) * distribution.sd[:, None]
    below = np.tril_indices(items, -1)
    own = np.arange(items)
    for number, start in enumerate(range(0, samples, _WISHART)):
        rng = _stream(seed, number)
        factor = np.zeros((_WISHART, items, items))
        factor[:, below[0], below[1]] = rng.standard_normal((_WISHART, len(below[0])))
        factor[:, own, own] = np.sqrt(rng.chisquare(n - 1.0 - own, (_WISHART, items)))
        away = rng.standard_normal((_WISHART, items)) @ root.T / np.sqrt(n)
        kept = min(_WISHART, samples - start)
        turned = root @ factor[:kept]
        yield distribution.mean + away[:kept], turned @ np.swapaxes(turned, -1, -2) / (n - 1.0)


@dataclass(frozen=True, eq=False)
class _Roots:
    """Square roots of the correlations of the normal numbers answers are made of."""

    items: Floats | None
    constructs: Floats
    rest: Floats

    @classmethod
    def of(cls, distribution: Distribution) -> _Roots:
        shared = distribution.owner[:, None] == distribution.owner
        common = np.outer(distribution.loadings, distribution.loadings)
        rest = np.where(shared, distribution.cor - common, 0.0)
        constructs = _root(distribution.construct_cor)
        if distribution.shape.keeps_constructs:
            return cls(None, constructs, _root(rest))
        return cls(_root(distribution.shape.normal_cor(distribution.cor)), constructs, rest)


def _draw(
    distribution: Distribution, roots: _Roots, n: int, samples: int, rng: np.random.Generator
) -> AnswerRows:
    items, shape = len(distribution.items), distribution.shape
    scores = None
    if roots.items is not None:
        normal = rng.standard_normal((samples * n, items)) @ roots.items.T
    else:
        scores = _scores(distribution, roots, n, samples, rng)
        own = rng.standard_normal((samples * n, items)) @ roots.rest.T
        normal = scores[:, distribution.owner] * distribution.loadings + own
        scale = shape.scale(rng, (samples * n, 1))
        if scale is not None:
            normal, scores = normal * scale, scores * scale
    standard = shape.answers(normal).reshape(samples, n, items)
    values = distribution.mean + distribution.sd * standard
    if distribution.bounds is not None:
        values = np.clip(np.rint(values), *distribution.bounds)
    outcome = None
    if distribution.outcome is not None and scores is not None:
        assert distribution.outcome_of is not None
        construct, sd = distribution.outcome_of
        away = scores[:, construct].reshape(samples, n) * sd
        outcome = distribution.outcome.draw(rng, away, sd)
    if distribution.missing is not None:
        values[distribution.missing.empty(rng, standard, distribution.items)] = np.nan
    return AnswerRows(values, outcome)


def _scores(
    distribution: Distribution, roots: _Roots, n: int, samples: int, rng: np.random.Generator
) -> Floats:
    """Draw normal construct scores, (samples · n, constructs), with the firms' part."""
    size = len(distribution.construct_cor)
    scores = rng.standard_normal((samples * n, size)) @ roots.constructs.T
    if distribution.firms is None:
        return np.asarray(scores)
    between = distribution.firms.between
    effects = rng.standard_normal((samples, distribution.firms.count, size)) @ roots.constructs.T
    of_firm = effects[:, distribution.firms.codes(n)].reshape(samples * n, size)
    return np.asarray(np.sqrt(between) * of_firm + np.sqrt(1.0 - between) * scores)


def _root(cor: Floats) -> Floats:
    """Return a square root of a positive semidefinite matrix, ``R R' = cor``."""
    values, vectors = np.linalg.eigh(cor)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _stream(seed: int, block: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,)))
