"""Moments of incomplete answers for maximum likelihood: full information, and two stages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from csimodel.errors import EstimationError
from csimodel.moments import Moments
from csimodel.moments.gamma import DenseGamma
from csimodel.moments.incomplete_likelihood import patterns_of
from csimodel.moments.saturated import saturated, saturated_gamma
from csimodel.survey import Answers


def full_information_moments(answers: Answers) -> Moments:
    """Return the saturated model's means and covariances, with what was observed together.

    Raises
    ------
    EstimationError
        When the answers do not determine means and covariances.
    """
    patterns = patterns_of(answers.values, answers.weights, answers.cluster)
    free = saturated(patterns)
    if not free.converged and patterns.total <= patterns.items:
        raise EstimationError(
            f"Nothing was estimated because {patterns.total:.0f} rows for {patterns.items} items "
            "leave the covariances of the items singular; collect more rows, use fewer items, or "
            "PLS."
        )
    if not free.converged:
        raise EstimationError(free.sentence(answers.items))
    n = np.array(patterns.total)
    effective = n if patterns.weights is None else n**2 / (patterns.weights**2).sum()
    return Moments(
        answers.items,
        n,
        free.mean,
        free.cov * (n / (n - 1.0)),
        answers.minimum,
        answers.maximum,
        np.asarray(effective),
        patterns=patterns,
    )


def two_stage_moments(answers: Answers, robust: bool) -> Moments:
    """Return the saturated model's means and covariances with their own sampling covariance, Γ.

    Γ is the inverse of the observed information, or when `robust` the sandwich, which knows of
    weights and clusters: `saturated_gamma`.

    Raises
    ------
    EstimationError
        When the answers do not determine means and covariances.
    """
    moments = full_information_moments(answers)
    assert moments.patterns is not None
    likeliest = moments.cov * ((moments.n - 1.0) / moments.n)
    gamma = saturated_gamma(moments.patterns, moments.mean, likeliest, robust)
    return replace(moments, gamma=DenseGamma(gamma), patterns=None)
