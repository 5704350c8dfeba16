"""Information and scores of answers with gaps, multiplied with directions of rank two.

What `csimodel.moments.incomplete_information` holds as matrices over all pairs of covariances is
here summed over patterns, or rows, for the directions of a model (`Forms`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.moments.forms import Forms, NormalWeight
from csimodel.moments.fourth import Rows, cluster_codes, outer_products, stretches
from csimodel.moments.incomplete_information import (
    SMALL,
    checked_inverse,
    information,
    precisions,
    row_codes,
    rows_pulled,
    scores_of,
)
from csimodel.moments.missing_patterns import Patterns

Floats = NDArray[np.float64]

_BLOCK = 2**23  # scores of rows about all moments held at once


def between(
    patterns: Patterns,
    mean: ArrayLike,
    cov: ArrayLike,
    forms: Forms,
    other: Forms,
    observed: bool = True,
) -> Floats:
    """Return ``Δ₁' I Δ₂`` with I that of `information`, (columns of one, columns of other).

    With ``Σₐ = l r' + r l'`` a pattern adds ``½ tr(W Σₐ C Σᵦ + C Σₐ W Σᵦ)``, ``C = B - W/2``, to
    covariances and ``m'W Σᵦ W d`` between means and covariances; expected: C = W/2, and 0.

    Raises
    ------
    SurveyError
        When Σ is not positive definite.
    """
    if forms.shape[0] <= SMALL:
        known = information(patterns, mean, cov, observed)
        return np.asarray(forms.directions.T @ known @ other.directions)
    mu, inverse = checked_inverse(mean, cov)
    total = np.zeros((forms.shape[1], other.shape[1]))
    assert forms.level is not None
    assert other.level is not None
    for part, own in precisions(patterns, inverse):
        for j, (n, precision) in enumerate(zip(patterns.n[part], own, strict=True)):
            bend = 0.5 * precision
            if observed:
                seen = patterns.observed[part][j]
                score = precision @ np.where(seen, patterns.mean[part][j] - mu, 0.0)
                vectors = patterns.vectors_of(slice(part.start + j, part.start + j + 1))
                spread = patterns.spread[vectors] @ precision
                bend = spread.T @ spread / n + np.outer(score, score) - bend
                total += n * _mixed(forms, other, precision, score)
                total += n * _mixed(other, forms, precision, score).T
            total += n * (forms.level.T @ precision @ other.level)
            total += n * _symmetric(forms, other, precision, bend)
    return total / patterns.total


def _symmetric(forms: Forms, other: Forms, first: Floats, second: Floats) -> Floats:
    """Return ``½ tr(X Σₐ Y Σᵦ + Y Σₐ X Σᵦ)`` of symmetric X and Y, (columns, columns)."""
    ends = [(end.T @ first, end.T @ second) for end in (forms.left, forms.right)]
    total = np.zeros((forms.shape[1], other.shape[1]))
    for a, b in ((0, 1), (1, 0)):
        for near, far in ((other.left, other.right), (other.right, other.left)):
            total += (ends[a][0] @ near) * (ends[b][1] @ far)
    return total


def _mixed(forms: Forms, other: Forms, precision: Floats, score: Floats) -> Floats:
    """Return ``mₐ'W Σᵦ s``, (columns, columns)."""
    assert forms.level is not None
    moved = other.left * (score @ other.right) + other.right * (score @ other.left)
    return np.asarray(forms.level.T @ precision @ moved)


def score_products(patterns: Patterns, mean: ArrayLike, cov: ArrayLike, columns: Forms) -> Floats:
    """Return ``P'JP`` with J the mean outer product of scores, `first_order`: (columns, columns).

    Raises
    ------
    SurveyError
        When Σ is not positive definite.
    """
    scores = form_scores(patterns, mean, cov, columns)
    rows, codes = len(patterns.rows), row_codes(patterns, None)
    return (
        outer_products(lambda part: scores(part).T, rows, columns.shape[1], codes) / patterns.total
    )


def form_scores(
    patterns: Patterns, mean: ArrayLike, cov: ArrayLike, columns: Forms
) -> Callable[[Rows], Floats]:
    """Return the function from rows to their weighted scores along directions, (rows, columns).

    With v = Σ_oo⁻¹(x - μ)_o padded with zeros they are ``(l'v)(r'v) - l'W_j r + m'v``.

    Raises
    ------
    SurveyError
        When Σ is not positive definite.
    """
    mu, inverse = checked_inverse(mean, cov)
    expected = np.concatenate(
        [
            np.stack([columns.values(precision) for precision in own])
            for _, own in precisions(patterns, inverse)
        ]
    )

    def scores(part: Rows) -> Floats:
        pulled = rows_pulled(patterns, mu, inverse, part)
        values = columns.of_rows(pulled, expected[patterns.pattern[part]])
        if patterns.weights is not None:
            values *= patterns.weights[part][:, None]
        return values

    return scores


def saturated_trace(patterns: Patterns, mean: ArrayLike, cov: ArrayLike) -> float:
    """Return ``tr(I⁻¹J)`` of the saturated model, NaN where I is not positive definite.

    Raises
    ------
    SurveyError
        When Σ is not positive definite.
    """
    factor = Factor.of(information(patterns, mean, cov))
    if factor is None:
        return np.nan
    total = sum(float((own * factor.solved(own)).sum()) for own in unit_scores(patterns, mean, cov))
    return total / patterns.total


def unit_scores(patterns: Patterns, mean: ArrayLike, cov: ArrayLike) -> Iterator[Floats]:
    """Yield scores about all moments, (moments, units), whose products sum to n J.

    Units are rows, or clusters with their factor ``√(G / (G - 1))``.
    """
    scores, size = scores_of(patterns, mean, cov)
    rows, codes = len(patterns.rows), row_codes(patterns, None)
    parts = stretches(rows, max(1, _BLOCK // size))
    if codes is None:
        yield from (scores(part) for part in parts)
        return
    numbers = cluster_codes(codes, rows)
    groups = int(numbers.max()) + 1
    sums = np.zeros((groups, size))
    for part in parts:
        np.add.at(sums, numbers[part], scores(part).T)
    yield sums.T * np.sqrt(groups / (groups - 1.0))


@dataclass(frozen=True, eq=False)
class Factor:
    """The Cholesky factor of a large matrix, in its place.

    Attributes
    ----------
    lower
        L of ``LL'``, column by column, (size, size).
    """

    lower: Floats

    @classmethod
    def of(cls, matrix: Floats) -> Factor | None:
        """Factor a symmetric matrix, which is overwritten; None where it is not definite."""
        from scipy.linalg.lapack import dpotrf

        lower, failed = dpotrf(matrix.T, lower=1, overwrite_a=1, clean=0)
        return None if failed else cls(lower)

    def solved(self, columns: Floats) -> Floats:
        """Return the inverse times columns, (size, columns)."""
        from scipy.linalg.lapack import dpotrs

        return np.asarray(dpotrs(self.lower, columns, lower=1)[0])

    def trace(self, weight: NormalWeight) -> float:
        """Return the trace of a weight times the inverse; the factor is used up."""
        from scipy.linalg.lapack import dpotri

        inverse = dpotri(self.lower, lower=1, overwrite_c=1)[0].T  # its upper triangle
        total, start = 0.0, 0
        for part in weight.parts():
            own = inverse[start : start + len(part), start:] * part[:, start:]
            total += 2.0 * float(np.triu(own).sum()) - float(np.einsum("ii->", own[:, : len(own)]))
            start += len(part)
        return total
