"""`corrected_slopes`: naive and corrected slopes of repurchase on the index, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, choose
from csimodel.estimators import Fit
from csimodel.floats import own_errstate
from csimodel.inference import Bootstrap
from csimodel.options import require_count, require_level, seed_of, shown
from csimodel.outcomes.kernels.families import Family, family_of
from csimodel.outcomes.measurement_error.draws import ModelDraws, RowDraws
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
from csimodel.outcomes.models.repurchase import INTERVALS, repurchase
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.rows.arguments import Column, Controls, Index
from csimodel.outcomes.rows.columns import Ends
from csimodel.outcomes.rows.rows import Rows
from csimodel.survey import Survey


@own_errstate
@checked
def corrected_slopes(
    fit: Fit | Survey | pd.DataFrame | None = None,
    outcome: Column | None = None,
    methods: Sequence[str] | None = None,
    *,
    index: Index = "Satisfaction",
    controls: Controls = (),
    family: str | None = None,
    scale: Ends | None = None,
    errors: str | None = None,
    weights: Column | None = None,
    cluster: Column | None = None,
    reliability: float | str | Reliability | Mapping[str, Any] | None = None,
    index_se: Column | None = None,
    by: str | None = None,
    bootstrap: Bootstrap | None = None,
    draws: int = 0,
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
    fit, outcome, index, controls, scale, errors, weights, cluster
        As in `repurchase`. An index that was computed elsewhere may be of respondents or of firms:
        their mean index and their repurchase share. The errors of the two must not go together, as
        they do when both are means over the same respondents (then use a fit and ``by="firm"``).
    methods
        Any of ``"eiv"`` (errors in variables, least squares), ``"regression-calibration"`` (the
        other families), ``"simex"`` (extrapolated by a hyperbola) and ``"simex-quadratic"`` (by a
        parabola, which falls short where the error is large), ``"croon"`` and ``"sem"`` (least
        squares; they estimate the error of the items themselves and ignore `reliability`; not for
        an index computed elsewhere). The naive slope always comes first. None for all that apply,
        with one SIMEX: by a hyperbola for one index, whose curve it is in least squares, else by a
        parabola.
    family
        ``"fractional-logit"`` (default, as in `repurchase`), ``"fractional-probit"``, ``"logit"``,
        ``"probit"``, ``"cloglog"`` or ``"ols"`` (``"wls"`` insists on weights). For means of groups
        (`by`, `index_se`), and where `methods` name one that is for least squares alone, the
        default is ``"ols"``. Regression calibration and SIMEX are close to the truth for the others
        while effects are moderate.
    reliability
        Of the index: a number from elsewhere, taken as known; a kind of `index_reliability`; a
        `Reliability`; or one of these by index. By default alpha for equal weights, else omega of
        the index with its weights. An index computed elsewhere needs a number or a `Reliability`
        here, or `index_se`.
    index_se
        For an index computed elsewhere, instead of a reliability, the standard error of each
        group's mean index. The reliability is then ``1 - mean(se²)/var(index)``, estimated again in
        every draw.
    by
        A column of the survey, such as the firm: then mean index and mean outcome of its groups are
        regressed, and the sampling errors of the means, and their covariance (both come from the
        same respondents), are taken off. Least squares, without controls; `methods` are naive
        and ``"eiv"``, and the reliability is the variance between groups over the total.
    bootstrap
        Draws of this fit: weights, index, reliability and regression are estimated again in each.
        Clusters and strata are respected as in `csimodel.bootstrap`; with `by`, the survey's
        clusters must hold whole groups. Without it errors are linearised: item weights count as
        known, the reliability's own error (from influence values) is carried along.
    draws
        For an index computed elsewhere, number of bootstrap draws of rows, or of clusters; 0 for
        linearised errors.
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
        For an unknown method, one that does not go with the family or a single item, options that
        do not go with `by`, and neither or both of `reliability` and `index_se` for an index
        computed elsewhere.
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
    >>> found = csi.outcomes.corrected_slopes(fit, "CUSL1", methods=("eiv", "sem"))
    >>> found.table[["method", "slope", "se", "reliability"]].round(5)
      method    slope       se  reliability
    0  naive  0.00934  0.00127          NaN
    1    eiv  0.01196  0.00158      0.78124
    2    sem  0.01182  0.00160      0.78345
    >>> points = [40.0, 52, 61, 66, 70, 75, 81, 90]
    >>> share = [0.45, 0.56, 0.58, 0.64, 0.62, 0.70, 0.68, 0.77]
    >>> found = csi.outcomes.corrected_slopes(
    ...     index=points, outcome=share, reliability=0.8, methods=["eiv"], scale=(0, 1)
    ... )
    >>> found.table["slope"].round(5).tolist()
    [0.00595, 0.00744]
    """
    family = _default_family(methods, by, index_se) if family is None else family
    kind = _family(family)
    choose("interval", interval, INTERVALS)
    require_level(level)
    rows = Rows.of(fit, "corrected_slopes", [index, outcome], weights=weights, cluster=cluster)
    own = rows.fit_behind(index)
    if own is None:
        _check_elsewhere(reliability, index_se, by, draws)
    else:
        _check_own(index_se, draws)
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
        weights=weights,
        cluster=cluster,
        bootstrap=None if by is not None else bootstrap,
        level=level,
        interval=interval,
        progress=progress,
    )
    if by is not None and own is not None:
        return between_groups(own, rep, by, bootstrap, interval)
    single = None
    if own is not None:
        single = [name for name in rep.indexes if len(own.model.blocks[name]) == 1]
    wanted = _methods(methods, kind, single, len(rep.indexes))
    parts = (
        _reliability_elsewhere(rows, rep, reliability, index_se)
        if own is None
        else {name: _reliability(own, name, reliability, bootstrap) for name in rep.indexes}
    )
    noise = _noise(rep, wanted, replications, rng)
    slopes = estimates_of(rep, wanted, parts, noise, own)
    drawn: ModelDraws | RowDraws | None = None
    if own is not None and rep.draws is not None:
        drawn = ModelDraws.of(rep.draws, list(parts.values()))
    elif draws and rep.converged:
        seed = seed_of(rng)
        drawn = RowDraws.of(rep.regression, list(parts.values()), int(draws), seed, progress)
    unit = "respondents" if index_se is None else "groups"
    return assemble(rep, slopes, parts, drawn, noise, interval, unit)


def _default_family(methods: Sequence[str] | None, by: str | None, index_se: Column | None) -> str:
    """Return the family of `repurchase`, or least squares where what is wanted is for them alone.

    >>> _default_family(None, None, None), _default_family(["eiv", "simex"], None, None)
    ('fractional-logit', 'ols')
    """
    wanted = (methods,) if isinstance(methods, str) else tuple(methods or ())
    means = by is not None or index_se is not None
    straight = means or any(method in ("eiv", *OF_ITEMS) for method in wanted)
    return "ols" if straight else "fractional-logit"


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


def _reliability_elsewhere(
    rows: Rows, rep: Repurchase, given: Any, index_se: Column | None
) -> dict[str, Reliability]:
    """Return the reliability of indexes computed elsewhere, the same for all."""
    if index_se is None:
        shared = given_reliability(given, f"the index of {', '.join(rep.indexes)}")
        return dict.fromkeys(rep.indexes, shared)
    sample = rep.regression.sample
    if len(rep.indexes) > 1 or sample.weights is not None:
        what = "several indexes" if len(rep.indexes) > 1 else "weights"
        raise OptionError(
            f"index_se= does not go with {what}: it belongs to one index of groups that count "
            "alike; give reliability= instead."
        )
    se = rows.numbers(index_se, "index_se")[1]
    return {rep.indexes[0]: group_reliability(sample.points[:, 0], se[sample.rows])}


def _check_elsewhere(reliability: Any, index_se: Any, by: Any, draws: Any) -> None:
    """Refuse what slopes on an index that was computed elsewhere cannot do."""
    if by is not None:
        raise OptionError(
            "by= makes groups of a fit's respondents, and the index was computed elsewhere; give a "
            "fit and name its construct, or the groups' means with index_se=."
        )
    if (reliability is None) == (index_se is None):
        given = "neither" if reliability is None else "both"
        raise OptionError(
            "corrected_slopes needs either reliability= or index_se= for an index computed "
            f"elsewhere, and got {given}; give a number such as reliability=0.85, or each group's "
            "standard error."
        )
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 0:
        raise OptionError(f"draws={draws!r} must be a whole number: 0, or some 2000.")


def _check_own(index_se: Any, draws: Any) -> None:
    """Refuse what is for an index that was computed elsewhere."""
    if index_se is not None:
        raise OptionError(
            "index_se= is for an index computed elsewhere; a fit knows the error of its own, with "
            "by= that of groups' means."
        )
    if not isinstance(draws, int | np.integer) or draws != 0:
        raise OptionError(
            f"draws={shown(draws)} is for an index computed elsewhere; give the draws of this fit, "
            f"bootstrap=csi.bootstrap(fit, draws={shown(draws)})."
        )


def _check_groups(family: str, methods: Any, reliability: Any, controls: Controls) -> None:
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
            "reliability itself; leave it out, or give a table of groups with its columns as "
            "index= and outcome=."
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
