"""What a reader must know about errors clustered in few clusters, or blind to the design."""

from __future__ import annotations

from collections.abc import Iterator

from csimodel.bounds import FEW_DEGREES, THRESHOLDS
from csimodel.findings import Finding
from csimodel.outcomes.rows.sample import Sample
from csimodel.survey.calibrated_design import CalibratedDesign
from csimodel.survey.calibration import without_calibration
from csimodel.survey.replicates import unused_replicates
from csimodel.survey.sampling import SurveyDesign

FEW_CLUSTERS = int(THRESHOLDS["few clusters"].value)  # below which CR1 is biased down notably

_ALLOWED_FOR = (
    "There are only {clusters} clusters; limits and p-values allow for it (by t with the degrees "
    "of freedom of each number), and intervals are wide."
)
_TOO_SMALL = (
    "There are only {clusters} clusters, and errors clustered in fewer than about {fewest} tend to "
    "be too small, so intervals are too narrow and p-values too low."
)
_TOO_SMALL_WITHOUT_CR2 = (
    "There are only {clusters} clusters, and errors clustered in fewer than about {fewest} tend to "
    "be too small, so intervals are too narrow and p-values too low; use errors='CR2'."
)

_NO_REPLICATES = (
    "The survey has {count} replicate weights, and these errors do not use them: they take the "
    "groups of {by!r} as drawn at random from a large population."
)
_UNUSED = {  # by whether there are strata and a finite population
    (True, False): (
        "The survey's strata do not enter these errors, which take the groups of {by!r} as drawn "
        "at random from a large population."
    ),
    (False, True): (
        "The survey's finite population does not enter these errors, which take the groups of "
        "{by!r} as drawn at random from a large population."
    ),
    (True, True): (
        "The survey's strata and finite population do not enter these errors, which take the "
        "groups of {by!r} as drawn at random from a large population."
    ),
}


def few_clusters(clusters: int, errors: str, reducible: bool = True) -> Iterator[Finding]:
    """Say that clustered errors rest on few clusters.

    Parameters
    ----------
    clusters
        How many there are.
    errors
        Kind of errors; ``"cluster"`` and ``"two-way"`` have the bias of few clusters.
    reducible
        Whether the model has ``"CR2"`` too.

    References
    ----------
    Cameron, A. C., Miller, D. L. (2015). A practitioner's guide to cluster-robust inference.
    Journal of Human Resources 50, 317-372. https://doi.org/10.3368/jhr.50.2.317
    """
    values = {"clusters": clusters, "fewest": FEW_CLUSTERS}
    if errors in ("cluster", "two-way"):
        if clusters < FEW_CLUSTERS:
            sentence = _TOO_SMALL_WITHOUT_CR2 if reducible else _TOO_SMALL
            yield Finding("few-clusters", sentence, count=clusters, values=values)
    elif clusters < FEW_DEGREES:
        yield Finding("few-clusters", _ALLOWED_FOR, (), "note", clusters, values)


def unused_margins(sample: Sample, errors: str) -> tuple[Finding, ...]:
    """Say that a kind of errors allows neither for the margins of weights nor for replicates."""
    designed = sample.strata is not None or sample.cluster is not None
    return (
        *(() if errors == "linearized" else without_calibration(sample.calibrated, "errors")),
        *(() if designed else unused_replicates(sample.replicates, "this regression")),
    )


def unused_design(design: SurveyDesign, by: str, replicates: int = 0) -> Iterator[Finding]:
    """Say what of a survey's design errors of a model of groups do not look at.

    Parameters
    ----------
    design
        Of the respondents; its strata, its population and the margins of its weights.
    by
        What tells the groups.
    replicates
        How many replicate weights the survey has.
    """
    if isinstance(design, CalibratedDesign):
        yield from without_calibration(design, "regressions")
    if replicates:
        values: dict[str, object] = {"count": replicates, "by": by}
        yield Finding("replicates-not-used", _NO_REPLICATES, (by,), count=replicates, values=values)
    used = (design.stratum_count > 1, design.population is not None)
    if any(used):
        values = {"by": by, "strata": design.stratum_count}
        yield Finding("design-unused", _UNUSED[used], (by,), values=values)
