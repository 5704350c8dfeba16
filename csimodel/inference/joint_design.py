"""The units of several samples taken together, of groups of a survey or of waves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import InferenceError
from csimodel.estimators import Fit
from csimodel.inference.scanned_influence import SummedDesign
from csimodel.survey.domain_design import DomainDesign
from csimodel.survey.sampling import SurveyDesign

Codes = NDArray[np.intp]


def joint_design(fits: Sequence[Fit]) -> tuple[SurveyDesign, list[Codes]]:
    """Return the design of all units of some samples, and the place in it of each sample's own.

    Groups of one survey that was drawn in strata or clusters, or with unequal weights, are domains
    of its design, whose units are all those of the survey (R's ``svyby``). Clusters of one stratum
    with the same label are one cluster, whichever survey they are in: so waves that share clusters
    are seen to. Without clusters a respondent is a row of a survey, and samples that share no
    respondent are samples of their own, strata of different ones different strata: groups of
    respondents drawn one by one with equal weights have the errors that each has alone. The share
    of a stratum that was drawn is the smallest of those of the samples.

    Raises
    ------
    InferenceError
        For several samples of two stages.

    Returns
    -------
    SurveyDesign
        Its units only; no rows belong to them.
    list of arrays
        For each sample the places of its units, (units,).
    """
    if len(fits) == 1 and fits[0].scanned is not None:
        return SummedDesign.of_design(fits[0].scanned.design), [np.zeros(0, dtype=np.intp)]
    if len(fits) == 1:
        stages = fits[0].require_answers("a joint design").stages
        return stages, [np.arange(stages.units)]
    designs = [fit.require_answers("a joint design").stages for fit in fits]
    whole = _shared(designs)
    if whole is not None:
        return whole, [np.arange(whole.units)] * len(fits)
    if any(fit.require_answers("a joint design").subcluster is not None for fit in fits):
        raise InferenceError(
            "Errors of several fits together are of one stage of sampling, and a survey has two "
            "(subcluster=, subpopulation=); read it without the second, or take one fit."
        )
    keys = pd.concat([_keys(fit, fits) for fit in fits], ignore_index=True)
    unit, first = _codes(keys, ["survey", "stratum", "unit"])
    alike = all(fit.require_answers("a joint design").equal_weights for fit in fits)
    if designs[0].kind == "respondent" and alike:
        sample = np.repeat(np.arange(len(designs)), [design.units for design in designs])
        keys = keys.assign(survey=_apart(sample, unit))
    stratum, _ = _codes(keys.iloc[first], ["survey", "stratum"])
    place = np.split(unit, np.cumsum([design.units for design in designs])[:-1])
    remainder = np.zeros(int(stratum.max(initial=-1)) + 1)
    for design, own in zip(designs, place, strict=True):
        np.maximum.at(remainder, stratum[own], design.remainder[design.stratum])
    population = None
    if any(design.population is not None for design in designs):
        with np.errstate(divide="ignore"):
            population = np.bincount(stratum, minlength=len(remainder)) / (1.0 - remainder)
    kind = designs[0].kind
    units = np.arange(len(stratum))
    return SurveyDesign(units, stratum, None, designs[0].lonely, kind, population), place


def _shared(designs: Sequence[SurveyDesign]) -> SurveyDesign | None:
    """Return the design of all respondents of which each sample is a part; None without."""
    wholes = [own.whole if isinstance(own, DomainDesign) else None for own in designs]
    return wholes[0] if all(own is wholes[0] for own in wholes) else None


def _keys(fit: Fit, fits: Sequence[Fit]) -> pd.DataFrame:
    """Return what units are told apart by: survey, stratum and unit, a row for each."""
    answers, survey = fit.require_answers("a joint design"), fit.survey
    assert survey is not None
    design, calibrated = answers.design, answers.calibrated
    every = design.unit if calibrated is None else calibrated.whole.unit
    _, first = np.unique(every, return_index=True)
    rows = (answers.rows if calibrated is None else calibrated.drawn)[first]
    number = next(
        place
        for place, other in enumerate(fits)
        if other.survey is not None and other.survey.data is survey.data
    )
    clustered = survey.cluster is not None
    column = {
        "stratum": 0 if survey.strata is None else survey.data[survey.strata].to_numpy()[rows],
        "unit": survey.data[survey.cluster].to_numpy()[rows] if clustered else rows,
    }
    return pd.DataFrame({"survey": np.full(len(rows), -1 if clustered else number), **column})


def _apart(sample: Codes, unit: Codes) -> Codes:
    """Return a number for each place that samples have in common which share units, (places,).

    >>> _apart(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 2, 1, 3])).tolist()
    [0, 0, 0, 0, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    samples = int(sample.max(initial=-1)) + 1
    size = samples + int(unit.max(initial=-1)) + 1
    graph = coo_array((np.ones(len(unit)), (sample, samples + unit)), (size, size))
    return np.asarray(connected_components(graph, directed=False)[1][sample], dtype=np.intp)


def _codes(keys: pd.DataFrame, columns: list[str]) -> tuple[Codes, Codes]:
    """Return codes of the different rows of some columns, and the first place of each."""
    codes = np.asarray(keys.groupby(columns, sort=False).ngroup(), dtype=np.intp)
    first = np.unique(codes, return_index=True)[1]
    return codes, first
