"""Which kinds of errors there are, which fit a sample, and the units they look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError, choose
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.rows.alike import AlikeSample
from csimodel.outcomes.rows.sample import Sample
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

ERRORS = ("HC0", "HC1", "HC3", "nonrobust", "cluster", "CR2", "linearized")
CLUSTERED = ("CR2", "cluster")
OF_DESIGN = (*CLUSTERED, "linearized")  # degrees of freedom of the sampled units


def design_of(sample: Sample, errors: str) -> SurveyDesign:
    """Return the units the respondents were drawn in, as far as a kind of errors looks at them.

    Linearized errors look at clusters, strata, the population and margins of weights, clustered
    ones at clusters.
    """
    if isinstance(sample, AlikeSample):
        return sample.design_of(errors, errors in OF_DESIGN)
    known = sample.calibrated or sample.domain
    if errors == "linearized" and known is not None:
        return known
    cluster = sample.cluster if errors in OF_DESIGN else None
    strata, population = sample.strata, sample.population
    if errors != "linearized":
        strata = population = None
    return SurveyDesign.of(sample.n, strata, cluster, lonely=sample.lonely, population=population)


def default_errors(sample: Sample, of_rows: str, of_clusters: str) -> str:
    """Return the errors of a sample: linearized with strata, margins or a finite population."""
    known = (sample.strata, sample.population, sample.calibrated)
    if any(part is not None for part in known):
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
    if errors == "HC3" and sample.respondents is not None:
        raise OptionError(
            "errors='HC3' leaves out one respondent after another, and this fit was made from "
            "a scan; use 'HC1', or fit a sample of stated size, such as "
            "scan.sample(100_000, rng=1)."
        )
    if errors == "HC3" and family.further == "thresholds":
        raise OptionError(
            f"errors='HC3' is not defined for family={family.name!r}, where leaving out a "
            "respondent may leave a threshold without data; use 'HC1', 'HC0' or 'cluster'."
        )
    if errors == "nonrobust" and (family.robust or sample.weighted):
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
