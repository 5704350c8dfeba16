"""Covariances of products of constructs, from products of scores that have measurement error.

A score is ``q η + δ``, with q² its reliability and δ independent of all constructs and of the
errors of other scores. Then a polynomial of scores has the mean of a product of constructs: with
``s = 1 - q²``, ``η̂ / q`` that of η, ``(η̂² - s) / q²`` that of η², and for higher powers, where δ is
taken as normal, Hermite polynomials of variance s over powers of q.

References
----------
Dijkstra, T. K., Schermelleh-Engel, K. (2014). Consistent partial least squares for nonlinear
structural equation models. Psychometrika 79(4), 585-604.
https://doi.org/10.1007/s11336-013-9370-0
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Powers = tuple[int, ...]  # numbers of constructs, one as often as its power


def needed_products(terms: Sequence[Powers]) -> list[Powers]:
    """Return the products of scores whose means `product_covariances` asks for.

    Parameters
    ----------
    terms
        Numbers of the constructs that each is the product of, one for a construct itself.

    Examples
    --------
    >>> needed_products([(0,), (1,), (0, 1)])
    [(0, 0, 1), (0, 1), (0, 1, 1), (0, 0, 1, 1)]
    """
    needed: dict[Powers, None] = {}
    for own, other in _pairs(terms):
        for powers in (_joined(own, other), own, other):
            for _, _, rest in _polynomial(powers):
                if len(rest) > 1 and not _is_square(rest):
                    needed[rest] = None
    return list(needed)


def product_covariances(
    terms: Sequence[Powers], reliability: Floats, means: Mapping[Powers, Floats]
) -> Floats:
    """Return the covariances of products of constructs with each other and with constructs.

    Scores have mean 0 and variance 1 by n - 1, and means of their products are by n - 1, too, so
    that without error these are the covariances of the products of scores. (cSEM takes means by n
    of scores with variance 1 by n - 1, which differ from these by the order of 1/n.)

    Parameters
    ----------
    terms
        As in `needed_products`.
    reliability
        Of the scores, (constructs, samples).
    means
        Of products of scores, by name those of `needed_products`, with the samples' sizes as the
        empty product's, (samples,) each.

    Returns
    -------
    (terms, terms, samples), NaN between constructs.

    Examples
    --------
    With a correlation of .5 and scores that are half error, products of normal constructs have
    variance 1.25, and their scores 1.0625:

    >>> means = {(): np.inf, (0, 1): 0.25, (0, 0, 1): 0.0, (0, 1, 1): 0.0, (0, 0, 1, 1): 1.125}
    >>> reliability = np.full((2, 1), 0.5)
    >>> product_covariances([(0,), (1,), (0, 1)], reliability, means)[2].round(4)
    array([[0.  ],
           [0.  ],
           [1.25]])
    """
    shrink = 1.0 - 1.0 / np.asarray(means[()])
    result = np.full((len(terms), len(terms), reliability.shape[-1]), np.nan)
    place = {term: k for k, term in enumerate(terms)}
    for own, other in _pairs(terms):
        level = _mean(own, reliability, means) * _mean(other, reliability, means)
        value = _mean(_joined(own, other), reliability, means) - shrink * level
        result[place[own], place[other]] = result[place[other], place[own]] = value
    return result


def _pairs(terms: Sequence[Powers]) -> Iterator[tuple[Powers, Powers]]:
    """Yield every pair of terms of which one is a product, the product first."""
    for k, own in enumerate(terms):
        if len(own) > 1:
            yield from ((own, other) for other in terms if len(other) == 1)
            yield from ((own, other) for other in terms[: k + 1] if len(other) > 1)


def _joined(own: Powers, other: Powers) -> Powers:
    return tuple(sorted((*own, *other)))


def _is_square(powers: Powers) -> bool:
    """Tell whether it is the square of one score, whose mean is 1."""
    return len(powers) == 2 and powers[0] == powers[1]


def _mean(powers: Powers, reliability: Floats, means: Mapping[Powers, Floats]) -> Floats:
    """Return the mean of a product of constructs, (samples,)."""
    total = np.zeros(reliability.shape[-1])
    for factor, errors, rest in _polynomial(powers):
        own = factor * np.prod([1.0 - reliability[j] for j in errors], axis=0)
        if len(rest) == 1:
            continue  # scores have mean 0
        total += own * (means[rest] if rest and not _is_square(rest) else 1.0)
    root = np.sqrt(reliability)
    return np.asarray(total / np.prod([root[j] for j in powers], axis=0))


def _polynomial(powers: Powers) -> Iterator[tuple[float, Powers, Powers]]:
    """Yield the terms of the polynomial of scores: factor, error variances in it, and scores.

    >>> list(_polynomial((0, 0, 1)))
    [(1.0, (), (0, 0, 1)), (-1.0, (0,), (1,))]
    """
    counts = Counter(powers)
    for pairs in product(*(range(count // 2 + 1) for count in counts.values())):
        factor, errors, rest = 1.0, [], []
        for (construct, count), k in zip(counts.items(), pairs, strict=True):
            ways = factorial(count) / (factorial(k) * factorial(count - 2 * k) * 2**k)
            factor *= (-1.0) ** k * ways
            errors += [construct] * k
            rest += [construct] * (count - 2 * k)
        yield factor, tuple(errors), tuple(sorted(rest))
