"""Replicate weights: made from a survey's design, and refits of a model with them.

References
----------
Wolter, K. M. (2007). Introduction to Variance Estimation, chapters 3 to 5.
https://doi.org/10.1007/978-0-387-35099-8

Rao, J. N. K., Wu, C. F. J., Yue, K. (1992). Some recent work on resampling methods for complex
surveys. Survey Methodology 18, 209-217.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import InferenceError, OptionError, choose
from csimodel.estimators import Fit, Status, require_fit, require_resampling
from csimodel.floats import own_errstate
from csimodel.inference.bootstrap import Bootstrap, refitted
from csimodel.inference.linearized import Linearized, linearized_by_design
from csimodel.limits import require_memory, sample_bytes
from csimodel.moments import Resampling
from csimodel.options import require_count, seed_of
from csimodel.survey import ReplicateMethod, Survey
from csimodel.survey.design import strata_and_clusters, usable_weights
from csimodel.survey.population import population_of_rows
from csimodel.survey.replicates import Scheme
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]


@own_errstate
@checked
def replicate(fit: Fit, *, progress: bool = True) -> Bootstrap:
    """Refit a model with the replicate weights of its survey.

    The result is taken wherever a bootstrap is (`index_scores`, `repurchase`, …). Its errors are
    ``√(c Σ_r a_r (θ_r - θ̄)²)`` by the method of the weights, its limits by t; where a replicate has
    no solution there is no error.

    Parameters
    ----------
    fit
        Of a survey with replicate weights: `read_survey` (``replicate_weights=``) or
        `replicate_weights`.
    progress
        Show a bar when it takes longer than a second.

    Raises
    ------
    InferenceError
        When the survey has no replicate weights.
    SurveyError
        When the fit was made from moments.

    Examples
    --------
    >>> import csimodel as csi
    >>> survey = csi.replicate_weights(csi.load_mobi(), "jk1")
    >>> fit = csi.fit(csi.models.ecsi(), survey)
    >>> table = csi.replicate(fit).table("paths")
    >>> round(float(table.loc[("Loyalty", "Satisfaction"), "se"]), 3)
    0.088
    """
    fit = require_fit(fit, "replicate")
    answers = require_resampling(fit, "replicate")
    own = answers.replicates
    if own is None:
        raise InferenceError(
            "The survey of this fit has no replicate weights; name their columns in "
            "read_survey(replicate_weights=…), or make them with csi.replicate_weights(survey, "
            "'jkn')."
        )
    count, rows = own.factors.shape
    require_memory(
        f"csi.replicate with {count:,} replicates of {len(fit.model.items)} items",
        count * sample_bytes(len(fit.model.items), len(fit.model.constructs)),
        "take a model of fewer items",
    )
    design = Resampling("weighted", rows, count, factors=own.factors)
    solution = refitted(fit, design, progress=progress)
    usable = solution.estimates.outcome == Status.CONVERGED
    return Bootstrap(fit, design, solution, usable, own.replication)


@own_errstate
@checked
def replicate_weights(
    survey: Survey,
    method: str = "jkn",
    *,
    replicates: int | None = None,
    fay: float | None = None,
    rng: int | np.random.Generator | None = 0,
) -> Survey:
    """Return the survey with replicate weights made from its weights, strata and clusters.

    With m units (clusters, else respondents) in a stratum, a replicate weights

    - ``"jk1"``: all units but one ``m/(m - 1)`` times, without strata;
    - ``"jkn"``: all units of its stratum but one ``m/(m - 1)`` times, the other strata once;
    - ``"brr"``: one of the two units of each stratum twice and the other not at all, by a Hadamard
      matrix, so that halves of different strata are balanced;
    - ``"fay"``: the same, ``2 - fay`` and ``fay`` times;
    - ``"bootstrap"``: ``m - 1`` units drawn with replacement, each ``m/(m - 1)`` times (Rao-Wu).

    A finite population is allowed for by ``"jk1"``, ``"jkn"`` and ``"bootstrap"``.

    Parameters
    ----------
    survey
        Rows without a usable weight get replicate weights of 0.
    method
        As above.
    replicates
        How many, for ``"bootstrap"``; 500 by default.
    fay
        For ``"fay"``, what the half left out keeps of its weight; .5 by default.
    rng
        For ``"bootstrap"``.

    Returns
    -------
    Survey
        With columns ``replicate 1``, ``replicate 2``, … and the method to make errors of them.

    Raises
    ------
    SurveyError
        When strata have a number of units that the method cannot use.
    OptionError
        For options that do not fit the method.

    Examples
    --------
    >>> import csimodel as csi
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"q": [1, 2, 3, 4], "firm": [1, 1, 2, 2]})
    >>> survey = csi.replicate_weights(csi.read_survey(frame, cluster="firm"), "jk1")
    >>> survey.data["replicate 1"].tolist(), survey.replicate_method.scales(2).tolist()
    ([0.0, 0.0, 2.0, 2.0], [0.5, 0.5])
    """
    choose("method", method, get_args(Scheme))
    if replicates is not None and method != "bootstrap":
        raise OptionError(
            f"replicates={replicates} is for method='bootstrap'; the design says how many "
            f"replicates {method!r} has."
        )
    if fay is not None and method != "fay":
        raise OptionError(f"fay={fay} is for method='fay', and the method is {method!r}.")
    rows, weights, design = _design_of(survey)
    if method == "jk1":
        factors, how = _jackknife(design, stratified=False)
    elif method == "jkn":
        factors, how = _jackknife(design, stratified=True)
    elif method == "bootstrap":
        count = require_count("replicates", 500 if replicates is None else replicates, most=10**5)
        factors, how = _drawn(design, count, seed_of(rng))
    else:
        keep = (0.5 if fay is None else fay) if method == "fay" else 0.0
        how = ReplicateMethod("brr") if method == "brr" else ReplicateMethod("fay", fay=keep)
        factors = _halves(design, method, keep)
    values = np.zeros((len(factors), len(survey.data)))
    values[:, rows] = factors * weights
    names = tuple(f"replicate {number}" for number in range(1, len(values) + 1))
    kept = survey.data.drop(columns=[name for name in names if name in survey.data])
    columns = pd.DataFrame(values.T, kept.index, list(names))
    return replace(
        survey,
        data=pd.concat([kept, columns], axis=1),
        replicate_weights=names,
        replicate_method=replace(how, combined=survey.weights is not None),
        replicate_base=survey.weights,
    )


def own_replicates(fit: Fit, *, progress: bool = True) -> Bootstrap | None:
    """Return the refits with the replicate weights of a fit's survey; None where it has none."""
    if fit.answers is None or fit.answers.replicates is None or fit.in_joint_fit:
        return None
    return None if fit.estimator.resampling == "none" else replicate(fit, progress=progress)


def errors_of_design(fit: Fit) -> Bootstrap | Linearized | None:
    """Return the errors that a survey's design says: by its replicate weights, or linearised.

    None where it has no design, or the fit no influence values.
    """
    return own_replicates(fit) or linearized_by_design(fit)


def _design_of(survey: Survey) -> tuple[NDArray[np.intp], Floats, SurveyDesign]:
    """Return the rows with a weight, their weights, and the design of those rows."""
    kept, weights, _ = usable_weights(survey.data, survey.weights)
    rows = np.arange(len(survey.data)) if kept is None else kept
    names = (survey.strata, survey.cluster)
    strata, cluster, _ = strata_and_clusters(survey.data, *names, rows)
    population = population_of_rows(survey.data, survey.population, *names, rows)
    design = SurveyDesign.of(len(rows), strata, cluster, None, survey.lonely, population)
    return rows, np.ones(len(rows)) if weights is None else weights, design


def _jackknife(design: SurveyDesign, stratified: bool) -> tuple[Floats, ReplicateMethod]:
    """Return factors of rows with each unit left out, and the method."""
    if not stratified and design.strata > 1:
        raise OptionError(
            f"method='jk1' leaves out units without regard to strata, and the survey has "
            f"{design.strata}; use 'jkn'."
        )
    size = design.sizes[design.stratum].astype(np.float64)
    _require_two(design, "jkn" if stratified else "jk1")
    units = np.flatnonzero(size > 1)
    require_memory(
        f"csi.replicate_weights with {len(units):,} replicates of {len(design.unit):,} rows",
        3 * 8.0 * len(units) * len(design.unit),
        "use method='bootstrap', or csi.linearize, which needs no replicates",
    )
    same = design.stratum == design.stratum[units, None]
    factors = np.where(same, (size / np.maximum(size - 1.0, 1.0))[units, None], 1.0)
    factors[np.arange(len(units)), units] = 0.0
    scales = (1.0 - 1.0 / size[units]) * design.remainder[design.stratum[units]]
    if stratified:
        how = ReplicateMethod("jkn", rscales=tuple(scales.tolist()))
    else:
        how = ReplicateMethod("jk1", scale=float(scales[0]))
    return factors[:, design.unit], how


def _halves(design: SurveyDesign, method: str, keep: float) -> Floats:
    """Return factors of rows in balanced halves."""
    other = np.flatnonzero(design.sizes != 2)
    if len(other):
        raise OptionError(
            f"method={method!r} takes one of two {design.kind}s in each stratum, and "
            f"{len(other)} of {design.strata} strata have another number (the first has "
            f"{design.sizes[other[0]]}); use 'jkn' or 'bootstrap'."
        )
    if design.population is not None:
        raise OptionError(
            f"method={method!r} cannot allow for the survey's population=; use 'jkn' or "
            "'bootstrap'."
        )
    signs = np.ones((1, 1))
    while len(signs) <= design.strata:
        signs = np.block([[signs, signs], [signs, -signs]])
    order = np.argsort(design.stratum, kind="stable")
    first = np.zeros(design.units, dtype=np.bool_)
    first[order[::2]] = True
    taken = (signs[:, 1 + design.stratum] > 0) == first
    return np.where(taken, 2.0 - keep, keep)[:, design.unit]


def _drawn(design: SurveyDesign, count: int, seed: int) -> tuple[Floats, ReplicateMethod]:
    """Return factors of rows in which units of each stratum are drawn again."""
    _require_two(design, "bootstrap")
    plain = Resampling.of_design(design, count, seed)
    if plain.kind == "multinomial":
        plain = replace(plain, kind="stratified")
    factors = np.concatenate([plain.copies(span).counts for span in plain.spans()])
    return factors, ReplicateMethod("bootstrap")


def _require_two(design: SurveyDesign, method: str) -> None:
    """Refuse strata of one unit that are not certain to be drawn."""
    alone = int(design.lonely_units.sum()) if design.strata > 1 else int(design.units < 2)
    if alone and (design.strata == 1 or design.lonely not in ("certainty", "remove")):
        raise OptionError(
            f"method={method!r} compares {design.kind}s of a stratum, and {alone} of "
            f"{design.strata} strata hold a single one; merge them with similar strata, or read "
            "the survey with lonely='certainty'."
        )
