"""Robust covariances from scores and information, of any likelihood."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError, choose
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.rows.sample import Sample
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

ERRORS = ("HC0", "HC1", "HC3", "nonrobust", "cluster", "CR2", "linearized")
CLUSTERED = ("CR2", "cluster")
OF_DESIGN = (*CLUSTERED, "linearized")  # degrees of freedom of the sampled units


def sandwich(
    score: Floats,
    information: Floats,
    errors: str,
    cluster: NDArray[np.intp] | None = None,
    without: Floats | None = None,
) -> Floats:
    """Return the covariance of estimates, (parameters, parameters).

    ``B (Σ u u') B`` with B the inverse of the information and u the score of each respondent:
    HC1 times n/(n - k); HC3 with ``(A - Aᵢ)⁻¹ uᵢ`` instead of ``B uᵢ``, A the information and Aᵢ
    what the respondent adds to it, which for one linear predictor is ``B uᵢ/(1 - hᵢ)``; cluster
    with scores summed in clusters and times G/(G - 1) · (n - 1)/(n - k).

    Parameters
    ----------
    score
        Of each respondent, weights included, (rows, parameters).
    information
        Of all together, (parameters, parameters).
    errors
        HC0, HC1, HC3, cluster, or nonrobust for B itself.
    cluster
        Codes 0, 1, … of each row's cluster, (rows,).
    without
        For HC3, ``(A - Aᵢ)⁻¹ uᵢ``, (rows, parameters).

    References
    ----------
    MacKinnon, J. G., White, H. (1985). Some heteroskedasticity-consistent covariance matrix
    estimators with improved finite sample properties. Journal of Econometrics 29, 305-325.
    https://doi.org/10.1016/0304-4076(85)90158-7

    Examples
    --------
    >>> sandwich(np.array([[1.0], [-1.0]]), np.array([[2.0]]), "HC0")
    array([[0.5]])
    """
    n, k = score.shape
    bread = np.linalg.inv(information)
    if errors == "nonrobust":
        return np.asarray(bread)
    factor = 1.0
    moved = score @ bread
    if errors == "HC1":
        factor = n / (n - k)
    elif errors == "HC3":
        assert without is not None
        moved = without
    elif errors == "cluster":
        assert cluster is not None
        moved = np.stack([np.bincount(cluster, column) for column in moved.T], axis=1)
        factor = len(moved) / (len(moved) - 1) * (n - 1) / (n - k)
    return np.asarray(factor * (moved.T @ moved))


def design_of(sample: Sample, errors: str) -> SurveyDesign:
    """Return the units the respondents were drawn in, as far as a kind of errors looks at them.

    Linearized errors look at clusters, strata and the population, clustered ones at clusters.
    """
    cluster = sample.cluster if errors in OF_DESIGN else None
    strata, population = sample.strata, sample.population
    if errors != "linearized":
        strata = population = None
    return SurveyDesign.of(sample.n, strata, cluster, lonely=sample.lonely, population=population)


def default_errors(sample: Sample, of_rows: str, of_clusters: str) -> str:
    """Return the errors of a sample: linearized with strata or a finite population."""
    if sample.strata is not None or sample.population is not None:
        return "linearized"
    return of_rows if sample.cluster is None else of_clusters


def checked_errors(sample: Sample, family: Family, errors: str | None) -> str:
    """Return the kind of errors; None is linearized with strata or a finite population, CR2
    with clusters, else HC1.

    Raises
    ------
    OptionError
        For errors that do not fit the family or the sample.
    """
    if errors is None:
        errors = default_errors(sample, "HC1", "CR2")
    choose("errors", errors, ERRORS)
    require_clusters(errors, sample.cluster, "HC1")
    if errors == "HC3" and family.further == "thresholds":
        raise OptionError(
            f"errors='HC3' is not defined for family={family.name!r}, where leaving out a "
            "respondent may leave a threshold without data; use 'HC1', 'HC0' or 'cluster'."
        )
    if errors == "nonrobust" and (family.robust or sample.weights is not None):
        why = f"family={family.name!r}" if family.robust else "a survey with weights"
        raise OptionError(
            f"errors='nonrobust' is wrong for {why}; use 'HC1', 'HC0', 'HC3' or 'cluster'."
        )
    return errors


def require_clusters(errors: str, cluster: NDArray[np.intp] | None, otherwise: str) -> None:
    """Refuse clustered errors without at least two clusters; `otherwise` names other errors."""
    if errors not in CLUSTERED:
        return
    if cluster is None:
        raise OptionError(
            f"errors={errors!r} needs clusters; name their column as "
            "read_survey(..., cluster='firm')."
        )
    if cluster.max() < 1:
        raise OptionError(
            f"errors={errors!r}, the default where a survey has clusters, needs at least 2 "
            "clusters among the respondents used, and there "
            f"is 1; use errors={otherwise!r}."
        )
