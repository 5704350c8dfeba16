"""Exploratory factors of a survey's items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.measures.factors import dimensions
from csimodel.measures.factors.draws import loading_draws
from csimodel.measures.factors.extraction import LEAST_UNIQUE, Extracted, Extraction, extract
from csimodel.measures.factors.result import FactorExploration, Parallel
from csimodel.measures.factors.rotation import Rotated, Rotation, rotate
from csimodel.measures.items import item_names, survey_of
from csimodel.moments import moments_of
from csimodel.options import generator_of, require_count, require_level, seed_of
from csimodel.survey import Answers, Survey

Floats = NDArray[np.float64]


@own_errstate
@checked
def explore_factors(
    survey: Survey | pd.DataFrame,
    items: Sequence[str] | None = None,
    factors: int | None = None,
    *,
    extraction: Extraction = "ml",
    rotation: Rotation = "oblimin",
    draws: int = 0,
    sets: int = 200,
    level: float = 0.95,
    rng: int | np.random.Generator | None = 0,
    progress: bool = True,
) -> FactorExploration:
    """Look for common factors of items: whether there are any, how many, and what loads on them.

    Parameters
    ----------
    survey
        A survey, or a frame. Its policy for missing answers holds, and its weights.
    items
        Columns; by default the items that are declared, or all columns but those of the design.
    factors
        How many to extract; by default the number that parallel analysis of components suggests,
        at least 1.
    extraction
        ``"ml"``, maximum likelihood of normal answers, which has a test; ``"principal-axis"``,
        iterated till communalities stay, where squared residuals are least (minres).
    rotation
        ``"oblimin"`` (quartimin) and ``"geomin"`` (.001 added) let factors correlate, as do
        ``"promax"`` loadings (fourth powers of varimax). ``"varimax"`` does not; items count alike
        in it (Kaiser's normalisation). ``"none"`` leaves principal axes.
    draws
        Bootstrap draws for intervals of loadings; 0 for none. Draws repeat strata and clusters, and
        their factors are turned to those of the sample.
    sets
        Sets of random normal answers for parallel analysis.
    level
        Coverage of the intervals.
    rng
        For random answers, starts of rotations, and draws.
    progress
        Whether to show a bar on long work.

    Returns
    -------
    FactorExploration
        With ``loadings`` (sorted), ``factor_correlations``, ``items`` (communality, KMO and the
        factor of each), ``eigenvalues`` beside those of random answers, ``suggested`` numbers of
        factors, ``bartlett``, ``fit_measures``, and ``table("loadings")`` with intervals.

    Raises
    ------
    SurveyError
        When there are fewer than 3 items, one cannot be used, or their correlations are not
        positive definite: an item is a sum of others, or there are too few answers.
    OptionError
        For more factors than the correlations can tell apart, or an unknown option.

    References
    ----------
    Fabrigar, L. R., Wegener, D. T., MacCallum, R. C., Strahan, E. J. (1999). Evaluating the use of
    exploratory factor analysis in psychological research. Psychological Methods 4, 272-299.
    https://doi.org/10.1037/1082-989X.4.3.272

    Examples
    --------
    >>> from csimodel.survey import load_mobi
    >>> exploration = explore_factors(load_mobi(), factors=3)
    >>> exploration.suggested.to_dict()
    {'parallel analysis, components': 2, 'parallel analysis, common factors': 4, 'MAP': 2,
     'MAP, fourth powers': 2, 'eigenvalues above 1': 5}
    >>> round(exploration.kmo, 3)
    0.923
    """
    require_level(level)
    require_count("sets", sets, " set of random answers", least=20, most=100_000)
    require_count("draws", draws, " draws", least=0)
    taken = survey_of(survey)
    names = item_names(taken, items, fewest=3)
    answers = taken.answers({"": names})
    moments = moments_of(answers)
    cor = _correlations(moments.cov, names, len(answers.values))
    generator = generator_of(rng)
    parallel = _parallel(cor, int(moments.n), sets, generator)
    count = _count(factors, len(names), parallel)
    extracted = extract(cor, count, extraction)
    rotated = _sorted(rotate(extracted.loadings, rotation, generator))
    kmo = dimensions.kmo(cor)
    repeated = None
    if draws:
        seed = seed_of(generator)
        repeated = loading_draws(
            answers, extracted, rotated, extraction, rotation, draws, seed, progress
        )
    return FactorExploration(
        item_names=names,
        n=int(moments.n),
        cor=cor,
        extraction=extraction,
        rotation=rotation,
        extracted=extracted,
        rotated=rotated,
        adequacy=kmo,
        parallel=parallel,
        draws=repeated,
        design=answers.design,
        level=level,
        findings=(*answers.findings, *_told(answers, names, extracted, rotated, kmo, parallel)),
    )


def _correlations(cov: Floats, names: Sequence[str], rows: int) -> Floats:
    spread = np.sqrt(np.diagonal(cov))
    cor = cov / np.outer(spread, spread)
    np.fill_diagonal(cor, 1.0)
    if np.isfinite(cor).all() and np.linalg.eigvalsh(cor)[0] > 1e-10:
        return np.asarray(cor)
    raise SurveyError(
        f"The correlations of the {len(names)} items in {rows} rows are not positive definite: "
        "an item is a sum of others, or there are too few answers; leave items out, or use "
        "missing='listwise' where answers are missing pairwise."
    )


def _parallel(cor: Floats, rows: int, sets: int, rng: np.random.Generator) -> Parallel:
    components, factors = dimensions.random_eigenvalues(rows, len(cor), sets, rng)
    return Parallel(
        components=dimensions.eigenvalues(cor),
        factors=dimensions.eigenvalues(dimensions.reduced(cor)),
        random_components=np.quantile(components, 0.95, axis=0),
        random_factors=np.quantile(factors, 0.95, axis=0),
        sets=sets,
    )


def most_factors(items: int) -> int:
    """Return how many factors correlations of so many items can tell apart (Ledermann's bound).

    >>> most_factors(6), most_factors(3)
    (3, 1)
    """
    return int((2 * items + 1 - np.sqrt(8 * items + 1)) / 2 + 1e-9)


def _count(factors: int | None, items: int, parallel: Parallel) -> int:
    most = most_factors(items)
    if factors is None:
        return min(max(parallel.numbers[0], 1), most)
    require_count("factors", factors, " factor")
    if factors > most:
        raise OptionError(
            f"factors={factors} are more than the correlations of {items} items can tell apart; "
            f"give at most {most}."
        )
    return int(factors)


def _sorted(rotated: Rotated) -> Rotated:
    """Put the factor with the largest loadings first, and turn signs so that they add up to > 0."""
    loadings = rotated.loadings
    order = np.argsort(-(loadings**2).sum(axis=0), kind="stable")
    sign = np.where(loadings[:, order].sum(axis=0) < 0, -1.0, 1.0)
    return rotated._replace(
        loadings=loadings[:, order] * sign,
        correlations=rotated.correlations[np.ix_(order, order)] * np.outer(sign, sign),
        axes=rotated.axes[:, order] * sign,
    )


def _told(
    answers: Answers,
    names: Sequence[str],
    extracted: Extracted,
    rotated: Rotated,
    kmo: dimensions.Adequacy,
    parallel: Parallel,
) -> Iterator[Finding]:
    if not extracted.converged:
        yield Finding("extraction-not-converged", _NOT_EXTRACTED, severity="failure")
    if not rotated.converged:
        yield Finding("rotation-not-converged", _NOT_ROTATED)
    whole = tuple(np.array(names)[extracted.unique <= 10 * LEAST_UNIQUE].tolist())
    if whole:
        yield Finding("no-unique-variance", _HEYWOOD, whole, values={"items": whole})
    line = THRESHOLDS["kmo"].value
    apart = tuple(np.array(names)[kmo.items < line].tolist())
    if apart:
        yield Finding(
            "little-in-common", _APART, apart, "warning", len(apart), {"items": apart, "line": line}
        )
    numbers = parallel.numbers
    if numbers[0] == 0:
        yield Finding("no-common-factor", _NOTHING, severity="warning")
    elif numbers[0] != numbers[1]:
        values = {"components": numbers[0], "factors": numbers[1]}
        yield Finding("numbers-of-factors-differ", _DIFFER, severity="note", values=values)
    if answers.weights is not None or answers.strata is not None or answers.cluster is not None:
        yield Finding(
            "plain-sample-tests", _PLAIN, severity="note", values={"n": len(answers.values)}
        )


_NOT_EXTRACTED = (
    "The factors were not found: the iteration did not come to an end; extract fewer factors."
)
_NOT_ROTATED = (
    "The rotation did not come to its end; loadings may still move in the third decimal place."
)
_HEYWOOD = (
    "Of {items} nothing is left to be unique, which answers with errors cannot be (a Heywood "
    "case); extract fewer factors, or leave it out."
)
_APART = (
    "What {items} share with the other items is small beside what pairs share alone (KMO below "
    "{line}); look at them before factors."
)
_NOTHING = (
    "No eigenvalue is above that of random answers, so nothing shows that these items have a "
    "factor in common."
)
_DIFFER = (
    "Parallel analysis of components suggests {components} factors and that of common factors "
    "{factors}; choose by what the loadings mean, with factors=."
)
_PLAIN = (
    "Bartlett's test, parallel analysis and the test of the number of factors take the {n} rows "
    "for a plain sample, and not for one with weights, strata or clusters."
)
