"""Clustered errors without the bias of few clusters (CR2), and their degrees of freedom.

Everything follows from sums over clusters: of the scores, and of the information that belongs to
them. So least squares, binomial models and any other likelihood are one case, and clusters may be
of any size.

References
----------
Bell, R. M., McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression with
multi-stage samples. Survey Methodology 28, 169-181.

Pustejovsky, J. E., Tipton, E. (2018). Small-sample methods for cluster-robust variance estimation
and hypothesis testing in fixed effects models. Journal of Business & Economic Statistics 36,
672-683. https://doi.org/10.1080/07350015.2016.1247004
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NOTHING = 1e-12  # an eigenvalue of a cluster's leverage below which it has no such direction
_WHOLE = 1e-9  # what a cluster leaves of a direction that it determines alone


@dataclass(frozen=True, eq=False)
class Working:
    """What a sum over clusters has for a covariance if the working model is true.

    Of one or several sums ``Σ_g p_s(g)``, ``Cov(p_s(g), p_t(h)) = [g = h] own_st(g) + z_s(g)' C
    z_t(h)``; the square of such a sum, added over clusters, is the variance of an estimate.

    Attributes
    ----------
    own
        (clusters, sums, sums)
    shared
        z, (clusters, sums, any)
    between
        C, (any, any)
    """

    own: Floats
    shared: Floats
    between: Floats

    def plus(self, other: Working) -> Working:
        """Return the covariance of sums to which independent ones are added."""
        first, second = len(self.between), len(other.between)
        between = np.zeros((first + second, first + second))
        between[:first, :first], between[first:, first:] = self.between, other.between
        shared = np.concatenate([self.shared, other.shared], axis=2)
        return Working(self.own + other.own, shared, between)

    def scaled(self, size: Floats) -> Working:
        """Return the covariance of sums multiplied by numbers, (sums,)."""
        return Working(self.own * size[:, None] * size, self.shared * size[:, None], self.between)

    @property
    def trace(self) -> Floats:
        """Sums over clusters of the variances, ``tr P``, (sums,)."""
        own = np.diagonal(self.own, axis1=1, axis2=2)
        return np.asarray((own + self._along).sum(axis=0))

    @property
    def square(self) -> Floats:
        """Sums over two clusters of squared covariances, ``tr(P²)``, (sums,)."""
        own = np.diagonal(self.own, axis1=1, axis2=2)
        cross = np.einsum("gsa,gsb->sab", self.shared, self.shared) @ self.between
        square = (own * (own + 2.0 * self._along)).sum(axis=0)
        return np.asarray(square + np.einsum("sab,sba->s", cross, cross))

    @property
    def _along(self) -> Floats:
        return np.asarray(
            np.einsum("gsa,ab,gsb->gs", self.shared, self.between, self.shared), dtype=np.float64
        )

    @property
    def df(self) -> Floats:
        """Degrees of freedom of the variance of each sum, (sums,), after Satterthwaite.

        ``(tr P)²/tr(P²)`` with P the covariance between clusters.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.trace**2 / self.square)

    def joint_df(self) -> float:
        """Return the degrees of freedom of the covariance matrix of all sums.

        Those of the Wishart distribution with its mean and total variance; the sums must have
        working variances of 1 and no working covariance (approximate Hotelling's T² of Pustejovsky
        and Tipton).
        """
        count = self.own.shape[1]
        along = np.einsum("gsa,ab,gtb->gst", self.shared, self.between, self.shared)
        cross = np.einsum("gsa,gtb->stab", self.shared, self.shared) @ self.between
        own, trace = np.einsum("gss->g", self.own), np.einsum("gss->g", along)
        of_traces = (own * (own + 2.0 * trace)).sum()
        of_traces += np.einsum("stab,stba->", np.swapaxes(cross, 0, 1), cross)
        of_products = (self.own * (self.own + 2.0 * along)).sum()
        of_products += np.einsum("stab,stba->", cross, cross)
        return float(count * (count + 1) / (of_traces + of_products))


@dataclass(frozen=True, eq=False)
class BiasReduced:
    """CR2 errors of estimates with scores that add up over clusters.

    With X the regressors of a cluster g, e its residuals, W weights and ``M = (X'WX)⁻¹``, all in
    units of the working model's standard deviation (so for a binomial model X and e are multiplied
    by the roots of the working weights), the covariance is ``M Σ_g X_g'W_g A_g e_g e_g'A_g W_g X_g
    M``, where ``A_g = ((I - H)_g (I - H)_g')^{-1/2}`` makes up for the residuals' being smaller
    than the errors. Under the working model (independent errors of variance 1) the covariance has
    no bias. A direction that a cluster determines alone is left out (Moore and Penrose's inverse).

    Attributes
    ----------
    pulls
        What each cluster adds to the estimates, (clusters, parameters); the covariance is
        ``pulls'pulls``.
    """

    pulls: Floats
    _root: Floats  # T with T T' = M, (parameters, parameters)
    _gram: Floats  # of the columns [X, W X] (X alone without weights), (clusters, columns, columns)
    _turn: Floats  # A_g - I in these columns, (clusters, columns, columns)
    _between: Floats  # (I - H)(I - H)' - I in these columns, (columns, columns)

    @classmethod
    def of(cls, score: Floats, information: Floats) -> BiasReduced:
        """Compute the errors from sums over clusters.

        Parameters
        ----------
        score
            Scores without and with the survey weight, (1 or 2, clusters, parameters); once where
            there are no weights.
        information
            Information with the weight to the powers 0, 1 and 2, (1 or 3, clusters, parameters,
            parameters); once where there are no weights.

        Examples
        --------
        The mean of two clusters of two: residuals 3 and -3 in all, so CR2 is (9 + 9)/16 · 2.

        >>> one = np.array([[[[2.0]], [[2.0]]]])
        >>> errors = BiasReduced.of(np.array([[[3.0], [-3.0]]]), one)
        >>> errors.pulls.T @ errors.pulls
        array([[2.25]])
        >>> errors.working(np.eye(1)).df
        array([1.])
        """
        size = score.shape[-1]
        weighted = len(information) > 1
        total = information[1 if weighted else 0].sum(axis=0)
        root = np.linalg.inv(np.linalg.cholesky(total)).T
        inner = root.T @ information @ root
        outer = score @ root
        unit = np.eye(size)
        if weighted:
            gram = np.block([[inner[0], inner[1]], [inner[1], inner[2]]])
            residual = np.concatenate([outer[0], outer[1]], axis=1)
            between = np.block([[inner[2].sum(axis=0), -unit], [-unit, 0.0 * unit]])
        else:
            gram, residual, between = inner[0], outer[0], -unit
        values, vectors = np.linalg.eigh(gram)
        kept = values > _NOTHING
        length = np.sqrt(np.where(kept, values, 0.0))
        along = vectors * length[:, None, :]
        left = np.eye(gram.shape[-1]) + np.swapaxes(along, 1, 2) @ between @ along
        rest, directions = np.linalg.eigh(left)
        with np.errstate(divide="ignore", invalid="ignore"):
            more = np.where(rest > _WHOLE, 1.0 / np.sqrt(rest), 0.0) - 1.0
            basis = vectors * np.where(kept, 1.0 / length, 0.0)[:, None, :] @ directions
        turn = (basis * more[:, None, :]) @ np.swapaxes(basis, 1, 2)
        adjusted = _adjusted(residual[:, :, None], gram, turn, size)[:, :, 0]
        return cls(adjusted @ root.T, root, gram, turn, between)

    @property
    def weighted(self) -> bool:
        """Whether scores are given without and with the survey weight, equal weights among them."""
        return bool(len(self._between) > self.pulls.shape[1])

    def pulls_of(self, score: Floats) -> Floats:
        """Return what each cluster adds to other estimates by the same information.

        As to means of several variables, of which the information is the weight alone.

        Parameters
        ----------
        score
            As in `of`, with one more axis, (1 or 2, clusters, parameters, any).

        Returns
        -------
        (clusters, parameters, any)
        """
        own = np.einsum("wgpq,pr->wgrq", score, self._root)
        residual = np.concatenate(list(own), axis=1)
        size = self.pulls.shape[1]
        return np.asarray(self._root @ _adjusted(residual, self._gram, self._turn, size))

    def working(self, gradient: Floats) -> Working:
        """Return the working covariance between clusters of sums of estimates, (sums, terms)."""
        size = self.pulls.shape[1]
        own = gradient @ self._root
        b = np.einsum("gab,sb->gsa", self._turn @ self._gram[:, :, -size:], own)
        b[:, :, -size:] += own
        shared = b @ self._gram
        return Working(np.einsum("gsa,gta->gst", b, shared), shared, self._between)

    def working_variance(self, gradient: Floats) -> Floats:
        """Return the covariance of sums of estimates if the working model is true, (sums, sums)."""
        own = gradient @ self._root
        size = own.shape[1]
        middle = np.eye(size) if len(self._between) == size else self._between[:size, :size]
        return np.asarray(own @ middle @ own.T)

    def joint_df(self, gradient: Floats) -> float:
        """Return the degrees of freedom of a test of several sums, (sums, terms); 0 without."""
        try:
            below = np.linalg.cholesky(self.working_variance(gradient))
        except np.linalg.LinAlgError:
            return 0.0
        return self.working(np.linalg.solve(below, gradient)).joint_df()


def _adjusted(residual: Floats, gram: Floats, turn: Floats, size: int) -> Floats:
    """Return the adjusted scores, (clusters, size, any), of products with the columns."""
    return np.asarray(residual[:, -size:] + gram[:, -size:] @ (turn @ residual))
