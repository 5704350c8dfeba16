"""Errors of estimates, and of averages over the sample that are made of them, from scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.outcomes.kernels.bias_reduced import BiasReduced
from csimodel.outcomes.kernels.influence import Influence, constant_information
from csimodel.survey.alike_design import AlikeMembers
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScoreErrors:
    """Covariance of estimates, and errors of averages over a sample that itself was drawn.

    An average ``θ = Σ sᵢ f(xᵢ, b)`` over respondents with shares s varies as b does and as the
    respondents do: respondent i (or a cluster, summed) adds ``g'ψᵢ + sᵢ (f(xᵢ) - θ)``, with g the
    gradient of θ by b and ψ what it adds to b.

    Attributes
    ----------
    kind
        ``"HC0"``, ``"HC1"``, ``"HC3"``, ``"CR2"``, ``"cluster"`` (CR1), ``"CR0"``,
        ``"linearized"``; ``"nonrobust"``, or ``"model"`` where averages of respondents take no
        n/(n - 1).
    covariance
        Of the parameters, (parameters, parameters).
    pulls
        What each unit adds to the parameters, factors of the kind included, (units, parameters);
        None for model-based errors.
    design
        Units and strata; respondents where errors are not clustered.
    share
        How much each respondent counts in an average, (rows,).
    plain_df
        Degrees of freedom of t, but for CR2; infinite for the normal distribution.
    reduced, levels
        For CR2: the errors of the parameters, and of weighted means over the respondents.
    dispersion
        As in `Influence`.

    References
    ----------
    Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex
    surveys. International Statistical Review 51, 279-292. https://doi.org/10.2307/1402588
    """

    kind: str
    covariance: Floats
    pulls: Floats | None
    design: SurveyDesign
    share: Floats
    plain_df: float
    dispersion: float = 1.0
    reduced: BiasReduced | None = None
    levels: BiasReduced | None = None

    def of(self, gradient: Floats, individual: Floats | None = None) -> tuple[Floats, Floats]:
        """Return standard errors and degrees of freedom of functions of the estimates.

        Parameters
        ----------
        gradient
            By the parameters, (functions, parameters).
        individual
            For averages over the sample, the value of each respondent, (rows, functions); None
            where the function does not depend on who was drawn.

        Returns
        -------
        (functions,), twice
        """
        if individual is None:
            with np.errstate(invalid="ignore"):
                variance = ((gradient @ self.covariance) * gradient).sum(axis=1)
                return np.sqrt(variance), self._df(gradient, None)
        gap = individual - self.share @ individual
        own = self._of_levels(gap)
        if self.pulls is None:
            variance = ((gradient @ self.covariance) * gradient).sum(axis=1)
            variance = variance + (own**2).sum(axis=0)
        else:
            variance = self._variance(self.pulls @ gradient.T + own)
        return np.sqrt(variance), self._df(gradient, gap)

    @property
    def terms(self) -> int:
        """Number of parameters."""
        return len(self.covariance)

    def joint_df(self, gradient: Floats) -> float:
        """Return the degrees of freedom of a Wald test of several functions, (functions, terms)."""
        if self.reduced is None:
            return self.plain_df
        return self.reduced.joint_df(gradient)

    def _variance(self, pulls: Floats) -> Floats:
        if self.kind == "linearized":
            return self.design.variance(pulls)
        return np.asarray((pulls**2).sum(axis=0))

    def _of_levels(self, gap: Floats) -> Floats:
        """Return what each unit adds to weighted means, (units, functions)."""
        if self.levels is not None and isinstance(self.design, AlikeMembers):
            powers = self.design.of_powers(gap)[:2]
            own = _level_powers(self.levels, self.design.units, len(powers))
            return np.asarray(np.einsum("uk,kuf->uf", own, np.stack(powers)))
        own = level_weights(self.kind, self.share, self.design, self.terms, self.levels)
        pulls = own[:, None] * gap
        return self.design.of_rows(pulls) if self.pulls is None else self.design.totals(pulls)

    def _df(self, gradient: Floats, gap: Floats | None) -> Floats:
        if self.reduced is None or self.levels is None:
            return np.full(len(gradient), self.plain_df)
        variance = None if gap is None else self.share @ gap**2
        df = np.empty(len(gradient))
        for place, own in enumerate(gradient):
            working = self.reduced.working(own[None, :])
            if variance is not None:
                size = np.sqrt(np.array([self.dispersion]))
                spread = np.sqrt(variance[place : place + 1])
                working = working.scaled(size).plus(self.levels.working(np.eye(1)).scaled(spread))
            df[place] = working.df[0]
        return df


def score_errors(
    influence: Influence, kind: str, design: SurveyDesign, plain_df: float
) -> ScoreErrors:
    """Return the errors of estimates: ``B (Σ u u') B`` with B the inverse of the information.

    u are scores: of respondents; HC1 times n/(n - k); HC3 with ``(A - Aᵢ)⁻¹ uᵢ`` instead of ``B
    uᵢ``, A the information and Aᵢ what the respondent adds to it, which for one linear predictor is
    ``B uᵢ/(1 - hᵢ)``. Clustered (CR1), of clusters and times G/(G - 1) · (n - 1)/(n - k), without
    the factor CR0; CR2 as in `BiasReduced`; linearized, of clusters within strata as in
    `SurveyDesign`, as R's survey has it.

    Parameters
    ----------
    influence
        What respondents add to the parameters.
    kind
        As in `ScoreErrors`.
    design
        The units of the sample, clusters and strata.
    plain_df
        Degrees of freedom where neither clusters nor strata give them.

    Raises
    ------
    OptionError
        For HC3 or CR2 of a regression without what they are made of.

    References
    ----------
    MacKinnon, J. G., White, H. (1985). Some heteroskedasticity-consistent covariance matrix
    estimators with improved finite sample properties. Journal of Econometrics 29, 305-325.
    https://doi.org/10.1016/0304-4076(85)90158-7
    """
    share, dispersion = influence.share, influence.dispersion
    if kind in ("nonrobust", "model"):
        return ScoreErrors(kind, influence.bread * dispersion, None, design, share, plain_df)
    if kind == "CR2":
        reduced = _reduced(influence, design)
        covariance = reduced.pulls.T @ reduced.pulls
        levels = level_errors(influence.rows, influence.weights, design)
        return ScoreErrors(
            kind, covariance, reduced.pulls, design, share, plain_df, dispersion, reduced, levels
        )
    if kind == "HC3":
        if influence.without is None:
            raise _no_errors(kind)
        return value_errors(influence.without(), kind, design, share, plain_df)
    return value_errors(influence.values, kind, design, share, plain_df)


def value_errors(
    values: Floats, kind: str, design: SurveyDesign, share: Floats, plain_df: float
) -> ScoreErrors:
    """Return the errors of estimates from what respondents add to them, (rows, parameters).

    Parameters
    ----------
    values
        Influence values, or what leaving each respondent out moves for HC3.
    kind
        As in `ScoreErrors`, but for CR2 and model-based ones.
    design, plain_df
        As in `score_errors`.
    share
        How much each respondent counts in an average, (rows,).
    """
    parameters = values.shape[1]
    if kind in ("cluster", "linearized"):
        plain_df = float(design.df)
    clustered = kind in ("cluster", "linearized", "CR0")
    pulls = design.totals(values) if clustered else design.of_rows(values)
    if kind == "linearized":
        return ScoreErrors(kind, design.covariance(pulls), pulls, design, share, plain_df)
    pulls = pulls * np.sqrt(finite_sample_factor(kind, design, parameters))
    return ScoreErrors(kind, pulls.T @ pulls, pulls, design, share, plain_df)


def finite_sample_factor(kind: str, design: SurveyDesign, terms: int) -> float:
    """Return what the variance is multiplied by for the degrees of freedom that were used."""
    rows, units = design.respondents, design.units
    if kind in ("HC1", "cluster") and rows <= terms:
        return float("nan")
    if kind == "HC1":
        return rows / (rows - terms)
    if kind == "cluster":
        return units / (units - 1.0) * (rows - 1.0) / (rows - terms)
    return 1.0


def level_errors(rows: int, weights: Floats | None, design: SurveyDesign) -> BiasReduced:
    """Return CR2 errors of weighted means over the respondents."""
    constant = Influence.of(np.zeros((rows, 1)), constant_information, weights)
    return _reduced(constant, design)


def level_weights(
    kind: str, share: Floats, design: SurveyDesign, terms: int, levels: BiasReduced | None
) -> Floats:
    """Return what respondents add to a weighted mean, over their distance from it, (rows,).

    Parameters
    ----------
    kind, share, design, levels
        As in `ScoreErrors`.
    terms
        Number of parameters.
    """
    size = design.respondents
    if kind == "HC3":
        return np.asarray(share / (1.0 - share))
    if kind == "model":
        return share
    if kind == "nonrobust":
        return np.asarray(share * np.sqrt(size / (size - 1.0)))
    if levels is None:
        return np.asarray(share * np.sqrt(finite_sample_factor(kind, design, terms)))
    weights = share * size
    powers = [np.ones(size), weights] if levels.weighted else [weights]
    own = _level_powers(levels, design.units, len(powers))
    return np.asarray((own[design.unit] * np.stack(powers, axis=1)).sum(axis=1))


def _level_powers(levels: BiasReduced, units: int, powers: int) -> Floats:
    """Return what powers of a respondent's weight count in a weighted mean, (units, powers)."""
    unit = np.eye(powers)[:, None, None, :]
    return levels.pulls_of(np.broadcast_to(unit, (powers, units, 1, powers)))[:, 0]


def _reduced(influence: Influence, design: SurveyDesign) -> BiasReduced:
    information, weights = influence.information, influence.weights
    if information is None:
        raise _no_errors("CR2")
    ones = np.ones(influence.rows)
    if isinstance(design, AlikeMembers):
        each = information(ones, np.arange(len(ones)))
        size = each.shape[1:]
        sums = design.of_powers(each.reshape(len(each), -1))
        return BiasReduced.of(
            np.stack(design.of_powers(influence.score)[:2]),
            np.stack([own.reshape(-1, *size) for own in sums]),
        )
    powers = [ones] if weights is None else [ones, weights, weights**2]
    score = [influence.score] if weights is None else [influence.score, influence.weighted_score]
    return BiasReduced.of(
        np.stack([design.totals(part) for part in score]),
        np.stack([information(power, design.unit) for power in powers]),
    )


def _no_errors(kind: str) -> OptionError:
    return OptionError(
        f"errors={kind!r} cannot be had from this regression, whose likelihood does not fall into "
        "parts of single respondents; use 'HC1', or 'cluster' where the survey has clusters."
    )
