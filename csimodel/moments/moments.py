"""Sample moments: number of rows, means and covariances, one set or a batch of them.

Weighted moments are ``mean = Σ w x / Σ w`` and
``cov = Σ w (x - mean)(x - mean)' / Σ w · n / (n - 1)``, so that equal weights give the usual
sample moments whatever their scale.

Under ``"pairwise"`` means and variances use the rows that answered the item and each correlation
the rows that answered both items, with the means and variances of those rows, as pandas' corr and
R's cor do; the covariance is that correlation times the two standard deviations.
Under ``"mean"`` a missing cell counts as the item's mean of the same (re)sample, so a bootstrap
repeats the replacement in every draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked_in
from csimodel.characters import composed
from csimodel.errors import SurveyError, suggest
from csimodel.floats import own_errstate_in
from csimodel.moments.batches import Arrays, BatchBuffer
from csimodel.moments.gamma import DenseGamma, Gamma
from csimodel.options import require_array

if TYPE_CHECKING:
    from csimodel.moments.incomplete_likelihood import Patterns
    from csimodel.moments.ordinal import OrdinalMoments
    from csimodel.moments.responses import Responses
    from csimodel.moments.sample_rows import SampleRows

Floats = NDArray[np.float64]


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False)
class Moments:
    """Means and covariances of items, with any leading batch axes.

    Attributes
    ----------
    items
        Names, in the order of the last axes.
    n
        Number of rows, (...,).
    mean
        Item means in scale units, (..., items); NaN when only covariances are known.
    cov
        Covariances with denominator n - 1, (..., items, items).
    minimum, maximum
        Scale bounds, (items,); NaN where unknown.
    effective_n
        Kish's number of equally weighted rows, (...,); n when there are no weights.
    gamma
        Γ of `fourth_moments`, for robust errors, as what it is multiplied with, or None.
    patterns
        What was observed together, for the likelihood of incomplete answers, or None.
    responses
        Covariances of the normal responses behind ordered answers, or None.
    ordinal
        All statistics of ordered answers, of a single sample, or None.
    rows
        The rows behind the samples, for sums that these moments do not hold, or None.

    Examples
    --------
    >>> moments = Moments.from_array([[1, 2], [3, 2], [5, 8]], ["a", "b"])
    >>> moments.mean
    array([3., 4.])
    >>> moments.cov
    array([[ 4.,  6.],
           [ 6., 12.]])
    """

    items: tuple[str, ...]
    n: NDArray[np.float64]
    mean: Floats
    cov: Floats
    minimum: Floats
    maximum: Floats
    effective_n: NDArray[np.float64]
    gamma: Gamma | None = None
    patterns: Patterns | None = None
    responses: Responses | None = None
    ordinal: OrdinalMoments | None = None
    rows: SampleRows | None = None

    @classmethod
    def from_array(
        cls, values: ArrayLike, items: Sequence[str], scale: tuple[float, float] | None = None
    ) -> Moments:
        """Return the moments of complete answers, (rows, items) or (batch, rows, items).

        Raises
        ------
        SurveyError
            When the shapes disagree or a value is missing or infinite.
        """
        data = require_array("values", values, "answers, a row for each respondent")
        if len(set(items)) < len(items):
            raise SurveyError("An item name is given twice; name every item differently.")
        if data.ndim < 2 or data.shape[-1] != len(items):
            raise SurveyError(
                f"Values of shape {data.shape} do not fit {len(items)} item names; "
                "give (rows, items) or (batch, rows, items)."
            )
        if not np.isfinite(data).all():
            raise SurveyError(
                "Values hold missing or infinite cells; use read_survey with a missing-data policy."
            )
        rows = data.shape[-2]
        mean = data.mean(axis=-2)
        centred = data - mean[..., None, :]
        cov = np.swapaxes(centred, -1, -2) @ centred / max(rows - 1, 1)
        return cls._build(items, np.full(data.shape[:-2], float(rows)), mean, cov, scale)

    @classmethod
    def from_cov(
        cls,
        cov: ArrayLike,
        n: float,
        items: Sequence[str],
        mean: ArrayLike | None = None,
        scale: tuple[float, float] | None = None,
    ) -> Moments:
        """Return moments that are known already: a covariance or correlation matrix and n.

        Raises
        ------
        SurveyError
            When the matrix is not square, symmetric and finite, does not fit the names,
            or n is below 2.

        Examples
        --------
        >>> Moments.from_cov([[1, 0.5], [0.5, 1]], n=250, items=["a", "b"]).n
        array(250.)
        """
        matrix = require_array("cov", cov, "covariances, a row for each item")
        size = len(items)
        if len(set(items)) < size:
            raise SurveyError("An item name is given twice; name every item differently.")
        if matrix.ndim < 2 or matrix.shape[-2:] != (size, size):
            raise SurveyError(
                f"A covariance of shape {matrix.shape} does not fit {size} item names; "
                f"give ({size}, {size})."
            )
        if not np.isfinite(matrix).all():
            raise SurveyError(
                "The covariance matrix holds missing or infinite cells; fill or drop them."
            )
        if not np.allclose(matrix, np.swapaxes(matrix, -1, -2), rtol=1e-8, atol=1e-10):
            raise SurveyError("The covariance matrix is not symmetric; give both triangles alike.")
        if not n >= 2:
            raise SurveyError(
                f"n={n!r} is too small for a covariance matrix; it needs at least 2 rows."
            )
        if len(set(items)) < size:
            raise SurveyError(
                "An item name is given twice; name each row of the matrix differently."
            )
        means = (
            np.full(matrix.shape[:-1], np.nan)
            if mean is None
            else require_array("mean", mean, "a mean for each item")
        )
        if means.shape != matrix.shape[:-1]:
            raise SurveyError(
                f"Means of shape {means.shape} do not fit a covariance of shape {matrix.shape}."
            )
        return cls._build(items, np.full(matrix.shape[:-2], float(n)), means, matrix, scale)

    @classmethod
    def _build(
        cls,
        items: Sequence[str],
        n: Floats,
        mean: Floats,
        cov: Floats,
        scale: tuple[float, float] | None,
    ) -> Moments:
        low, high = (np.nan, np.nan) if scale is None else scale
        size = len(items)
        return cls(tuple(items), n, mean, cov, np.full(size, low), np.full(size, high), n)

    @property
    def fourth(self) -> Floats | None:
        """Γ of `fourth_moments` as a matrix, (..., moments, moments), or None."""
        return None if self.gamma is None else self.gamma.matrix

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Shape of the leading axes; empty for a single sample."""
        return self.mean.shape[:-1]

    @property
    def kept_covariances(self) -> Floats:
        """Covariances as they are kept: here as they are, (..., items, items)."""
        return self.cov

    @property
    def variances(self) -> Floats:
        """Variances, (..., items)."""
        return np.diagonal(self.cov, axis1=-2, axis2=-1)

    @cached_property
    def sd(self) -> Floats:
        """Standard deviations, (..., items)."""
        return np.sqrt(np.maximum(self.variances, 0.0))

    @cached_property
    def cor(self) -> Floats:
        """Correlations, (..., items, items); NaN for items that do not vary."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.cov / (self.sd[..., :, None] * self.sd[..., None, :]))

    @property
    def response_cor(self) -> Floats:
        """Correlations of the responses behind the answers, (..., items, items).

        Polychoric and polyserial where answers are taken as ordered, else those of the answers.
        """
        return self.cor if self.responses is None else self.responses.cor

    def select(self, items: Sequence[str]) -> Moments:
        """Return the moments of some of the items, in the order given."""
        position = {composed(name): i for i, name in enumerate(self.items)}
        missing = [name for name in items if composed(name) not in position]
        if missing:
            raise SurveyError(
                f"Item {missing[0]!r} is not among the items of the moments"
                f"{suggest(missing[0], self.items)}."
            )
        take = np.array([position[composed(name)] for name in items], dtype=np.intp)
        return replace(
            self,
            items=tuple(items),
            mean=self.mean[..., take],
            cov=self.cov[..., take[:, None], take],
            minimum=self.minimum[take],
            maximum=self.maximum[take],
            gamma=None,
            patterns=None,
            responses=None,
            ordinal=None,
        )

    def lifted(self) -> Moments:
        """Return a single sample as a batch of one."""
        return replace(
            self,
            n=self.n[None],
            mean=self.mean[None],
            cov=self.cov[None],
            effective_n=self.effective_n[None],
            responses=None if self.responses is None else self.responses[None],
        )

    @property
    def arrays(self) -> dict[str, Floats]:
        """What each sample of a batch has of its own, by name."""
        cov = self.kept_covariances
        own = {"n": self.n, "mean": self.mean, "cov": cov, "effective_n": self.effective_n}
        if isinstance(self.gamma, DenseGamma) and self.gamma.matrix.ndim > 2:
            own["gamma"] = self.gamma.matrix
        if self.responses is not None:
            own |= {f"responses.{name}": values for name, values in self.responses.arrays.items()}
        return own

    def with_arrays(self, arrays: Arrays) -> Moments:
        """Return the same of other samples, from arrays named as in `arrays`."""
        responses = None
        if self.responses is not None:
            names = self.responses.arrays
            responses = type(self.responses)(**{n: arrays[f"responses.{n}"] for n in names})
        return replace(
            self,
            n=arrays["n"],
            mean=arrays["mean"],
            cov=arrays["cov"],
            effective_n=arrays["effective_n"],
            gamma=DenseGamma(arrays["gamma"]) if "gamma" in arrays else None,
            responses=responses,
            rows=None,
        )

    @classmethod
    def join(cls, parts: Sequence[Moments]) -> Moments:
        """Put batches one after another."""
        buffer = BatchBuffer(sum(len(part.n) for part in parts))
        for part in parts:
            buffer.add(part.arrays)
        return parts[0].with_arrays(buffer.arrays)

    def __getitem__(self, key: int | slice | NDArray[np.bool_] | NDArray[np.intp]) -> Moments:
        """Return one sample, or several, of a batch."""
        return replace(
            self,
            n=self.n[key],
            mean=self.mean[key],
            cov=self.kept_covariances[key],
            effective_n=self.effective_n[key],
            gamma=None if self.gamma is None else self.gamma[key],
            responses=None if self.responses is None else self.responses[key],
            rows=None,
        )
