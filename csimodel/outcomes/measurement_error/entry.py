"""`corrected_slopes`: naive and corrected slopes of repurchase on the index, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, choose
from csimodel.estimators import Fit, require_fit
from csimodel.floats import own_errstate
from csimodel.inference import Bootstrap
from csimodel.options import require_count, seed_of
from csimodel.outcomes.kernels.families import Family, family_of
from csimodel.outcomes.measurement_error.draws import ChainDraws, RowDraws
from csimodel.outcomes.measurement_error.group_slopes import METHODS, between_groups
from csimodel.outcomes.measurement_error.reliability import (
    Reliability,
    given_reliability,
    group_reliability,
    index_reliability,
)
from csimodel.outcomes.measurement_error.result import LABELS, CorrectedSlopes
from csimodel.outcomes.measurement_error.simex import noise_of
from csimodel.outcomes.measurement_error.table import OF_ITEMS, assemble, estimates_of
from csimodel.outcomes.models.repurchase import INTERVALS, repurchase, repurchase_of_index
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.rows.columns import Ends
from csimodel.outcomes.rows.respondents import Constructs


@own_errstate
@checked
def corrected_slopes(
    fit: Fit,
    outcome: str | pd.Series | ArrayLike,
    methods: Sequence[str] | None = None,
    *,
    index: Constructs = "Satisfaction",
    controls: str | Sequence[str] = (),
    family: str = "ols",
    scale: Ends | None = None,
    errors: str | None = None,
    reliability: float | str | Reliability | Mapping[str, Any] | None = None,
    by: str | None = None,
    bootstrap: Bootstrap | None = None,
    level: float = 0.95,
    interval: str = "auto",
    replications: int = 10,
    rng: int | np.random.Generator | None = 0,
    progress: bool = True,
) -> CorrectedSlopes:
    """Correct the slope of repurchase on the index for the index's measurement error.

    An index measured with error has a slope nearer to zero than the satisfaction behind it: with
    one index and least squares, the reliability times the true slope. The naive slope and the
    corrected ones stand side by side.

    Parameters
    ----------
    fit, outcome, index, controls, scale, errors
        As in `repurchase`.
    methods
        Any of ``"eiv"`` (errors in variables, least squares), ``"regression-calibration"`` (the
        other families), ``"simex"`` (extrapolated by a hyperbola) and ``"simex-quadratic"`` (by a
        parabola, which falls short where the error is large), ``"croon"`` and ``"sem"`` (least
        squares; they estimate the error of the items themselves and ignore `reliability`). The
        naive slope always comes first. None for all that apply, with one SIMEX: by a hyperbola
        for one index, whose curve it is in least squares, else by a parabola.
    family
        ``"ols"`` (default; ``"wls"`` insists on weights), ``"logit"``, ``"probit"``,
        ``"cloglog"``, ``"fractional-logit"`` or ``"fractional-probit"``. Regression calibration
        and SIMEX are close to the truth for these while effects are moderate.
    reliability
        Of the index: a number from elsewhere, taken as known; a kind of `index_reliability`; a
        `Reliability`; or one of these by index. By default alpha for equal weights, else omega of
        the index with its weights.
    by
        A column of the survey, such as the firm: then mean index and mean outcome of its groups are
        regressed, and the sampling errors of the means, and their covariance (both come from the
        same respondents), are taken off. Least squares, without controls; `methods` are naive
        and ``"eiv"``, and the reliability is the variance between groups over the total.
    bootstrap
        Draws of this fit: weights, index, reliability and regression are estimated again in each.
        Clusters and strata are respected as in `csimodel.bootstrap`; with `by`, the survey's
        clusters must hold whole groups. Without it errors are linearised: item weights count as
        known, the reliability's own error (from the jackknife) is carried along.
    level, interval
        As in `repurchase`.
    replications
        Simulated errors of SIMEX where it needs any (families other than least squares).
    rng
        Of those simulated errors.
    progress
        Show a bar when something takes longer than a second.

    Returns
    -------
    CorrectedSlopes

    Raises
    ------
    OptionError
        For an unknown method, one that does not go with the family or a single item, and options
        that do not go with `by`.
    SurveyError, ModelError, EstimationError, InferenceError
        As in `repurchase` and `index_reliability`.

    References
    ----------
    Fuller, W. A. (1987). Measurement Error Models. https://doi.org/10.1002/9780470316665

    Carroll, R. J., Ruppert, D., Stefanski, L. A., Crainiceanu, C. M. (2006). Measurement Error in
    Nonlinear Models. https://doi.org/10.1201/9781420010138

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> found = csi.corrected_slopes(fit, "CUSL1", methods=("eiv", "sem"))
    >>> found.table[["method", "slope", "se", "reliability"]].round(5)
      method    slope       se  reliability
    0  naive  0.00934  0.00127          NaN
    1    eiv  0.01196  0.00158      0.78124
    2    sem  0.01182  0.00160      0.78345
    """
    fit = require_fit(fit, "corrected_slopes")
    kind = _family(family)
    if by is not None:
        _check_groups(family, methods, reliability, controls)
    rep = repurchase(
        fit,
        outcome,
        index=index,
        controls=controls,
        family=family,
        scale=scale,
        errors=errors,
        bootstrap=None if by is not None else bootstrap,
        level=level,
        interval=interval,
        progress=progress,
    )
    if by is not None:
        return between_groups(fit, rep, by, bootstrap, interval)
    single = [name for name in rep.indexes if len(fit.model.blocks[name]) == 1]
    chosen = _methods(methods, kind, single, len(rep.indexes))
    parts = {name: _reliability(fit, name, reliability, bootstrap) for name in rep.indexes}
    noise = _noise(rep, chosen, replications, rng)
    found = estimates_of(rep, chosen, parts, noise, fit)
    places = [fit.model.construct_names.index(name) for name in rep.indexes]
    draws = None if rep.chain is None else ChainDraws.of(rep.chain, list(parts.values()), places)
    return assemble(rep, found, parts, draws, noise, interval)


@own_errstate
@checked
def corrected_slopes_of_index(
    index: pd.Series | pd.DataFrame | ArrayLike,
    outcome: pd.Series | ArrayLike,
    reliability: float | Reliability | None = None,
    methods: Sequence[str] | None = None,
    *,
    index_se: pd.Series | ArrayLike | None = None,
    controls: pd.DataFrame | None = None,
    family: str = "ols",
    scale: Ends | None = None,
    errors: str | None = None,
    weights: pd.Series | ArrayLike | None = None,
    cluster: pd.Series | ArrayLike | None = None,
    draws: int = 0,
    level: float = 0.95,
    interval: str = "auto",
    replications: int = 10,
    rng: int | np.random.Generator | None = 0,
    progress: bool = True,
) -> CorrectedSlopes:
    """Correct the slope on an index that was computed elsewhere, of respondents or of firms.

    Parameters
    ----------
    index, outcome, controls, weights, cluster, family, scale, errors
        As in `repurchase_of_index`. For firms, their mean index and their repurchase share; the
        errors of the two must not go together, as they do when both are means over the same
        respondents (then use ``corrected_slopes(fit, outcome, by="firm")``).
    reliability
        A number, taken as known, or a `Reliability`, whose own error is added.
    methods
        As in `corrected_slopes`, without ``"croon"`` and ``"sem"``, which need the items.
    index_se
        Instead of a reliability, the standard error of each group's mean index. The reliability is
        then ``1 - mean(se²)/var(index)``, estimated again in every draw.
    draws
        Number of bootstrap draws of rows, or of clusters; 0 for linearised errors.
    level, interval, replications, rng, progress
        As in `corrected_slopes`.

    Returns
    -------
    CorrectedSlopes

    Raises
    ------
    OptionError
        When neither or both of `reliability` and `index_se` are given, for methods that need items,
        and for options out of range.

    Examples
    --------
    >>> import csimodel as csi
    >>> points = [40.0, 52, 61, 66, 70, 75, 81, 90]
    >>> share = [0.45, 0.56, 0.58, 0.64, 0.62, 0.70, 0.68, 0.77]
    >>> found = csi.corrected_slopes_of_index(points, share, 0.8, ["eiv"], scale=(0, 1))
    >>> found.table["slope"].round(5).tolist()
    [0.00595, 0.00744]
    """
    kind = _family(family)
    if (reliability is None) == (index_se is None):
        given = "neither" if reliability is None else "both"
        raise OptionError(
            f"corrected_slopes_of_index needs either reliability= or index_se=, and got {given}; "
            "give a number such as reliability=0.85, or each group's standard error."
        )
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 0:
        raise OptionError(f"draws={draws!r} must be a whole number: 0, or some 2000.")
    choose("interval", interval, INTERVALS)
    rep = repurchase_of_index(
        index,
        outcome,
        controls=controls,
        family=family,
        scale=scale,
        errors=errors,
        weights=weights,
        cluster=cluster,
        level=level,
    )
    chosen = _methods(methods, kind, None, len(rep.indexes))
    if index_se is None:
        own = given_reliability(reliability, f"the index of {', '.join(rep.indexes)}")
    else:
        own = _of_groups(rep, index_se)
    parts = dict.fromkeys(rep.indexes, own)
    noise = _noise(rep, chosen, replications, rng)
    found = estimates_of(rep, chosen, parts, noise, None)
    resampled = None
    if draws and rep.converged:
        seed = seed_of(rng)
        resampled = RowDraws.of(rep.regression, list(parts.values()), int(draws), seed, progress)
    unit = "respondents" if index_se is None else "groups"
    return assemble(rep, found, parts, resampled, noise, interval, unit)


def _family(name: str) -> Family:
    kind = family_of(name)
    if kind.further:
        raise OptionError(
            f"family={name!r} is not known to corrected slopes; use 'ols', 'logit', 'probit', "
            "'cloglog', 'fractional-logit' or 'fractional-probit'."
        )
    return kind


def _methods(
    methods: Sequence[str] | None, family: Family, single: Sequence[str] | None, indexes: int
) -> tuple[str, ...]:
    """Return the methods wanted, the naive first; `single` is None where there are no items."""
    simex = "simex" if indexes == 1 else "simex-quadratic"  # a hyperbola is the curve of one
    first = "regression-calibration" if family.bounded else "eiv"
    of_items = single is not None and not single and not family.bounded
    if methods is None:
        return ("naive", first, simex, *(OF_ITEMS if of_items else ()))
    wanted = [methods] if isinstance(methods, str) else list(methods)
    for method in wanted:
        choose("methods", method, LABELS)
        if method in ("eiv", "regression-calibration") and method != first:
            raise OptionError(
                f"methods={method!r} does not go with family={family.name!r}; use {first!r}."
            )
        if method in OF_ITEMS and family.bounded:
            raise OptionError(
                f"methods={method!r} is for least squares, and family={family.name!r}; use "
                "family='ols', or 'regression-calibration' and 'simex'."
            )
        if method in OF_ITEMS and not of_items:
            why = (
                "this index has no items here"
                if single is None
                else (f"{single[0]!r} has one item")
            )
            raise OptionError(
                f"methods={method!r} learns the error from several items, and {why}; use 'eiv' or "
                "'simex' with a reliability."
            )
    return ("naive", *dict.fromkeys(method for method in wanted if method != "naive"))


def _reliability(fit: Fit, name: str, given: Any, bootstrap: Bootstrap | None) -> Reliability:
    """Return the reliability of an index of the fit, as asked for."""
    if isinstance(given, Mapping):
        given = given.get(name)
    if given is None or isinstance(given, str):
        return index_reliability(fit, name, given, bootstrap)
    return given_reliability(given, f"the index of {name!r}")


def _of_groups(rep: Repurchase, index_se: Any) -> Reliability:
    """Return the reliability of groups' means, whose errors are one for each row offered."""
    sample = rep.regression.sample
    if len(rep.indexes) > 1 or sample.weights is not None:
        what = "several indexes" if len(rep.indexes) > 1 else "weights"
        raise OptionError(
            f"index_se= does not go with {what}: it belongs to one index of groups that count "
            "alike; give reliability= instead."
        )
    se = np.asarray(index_se, dtype=np.float64)
    offered = int(sample.rows.max()) + 1
    if se.ndim != 1 or len(se) < offered:
        raise OptionError(
            f"index_se has {se.size} values, and the index has at least {offered}; give one for "
            "each of its rows, in their order."
        )
    return group_reliability(sample.points[:, 0], se[sample.rows])


def _check_groups(family: str, methods: Any, reliability: Any, controls: Any) -> None:
    """Refuse what slopes between groups cannot do."""
    if family != "ols":
        raise OptionError(
            f"by= goes with family='ols', not {family!r}, because means of answers are regressed; "
            "leave family out."
        )
    wanted = [methods] if isinstance(methods, str) else list(methods or ())
    other = [method for method in wanted if method not in METHODS]
    if other:
        raise OptionError(
            f"methods={other[0]!r} does not go with by=; use 'eiv', or leave methods out."
        )
    if reliability is not None or len(controls):
        name = "controls" if reliability is None else "reliability"
        raise OptionError(
            f"{name}= does not go with by=, which regresses means on means and estimates their "
            "reliability itself; leave it out, or make a table of groups for "
            "corrected_slopes_of_index."
        )


def _noise(
    rep: Repurchase,
    methods: Sequence[str],
    replications: int,
    rng: int | np.random.Generator | None,
) -> NDArray[np.float64]:
    """Return SIMEX's pseudo-errors, none where it needs none."""
    replications = require_count("replications", replications)
    needed = rep.family.bounded and any(method.startswith("simex") for method in methods)
    return noise_of(replications if needed else 0, len(rep.indexes), rep.n, rng)
