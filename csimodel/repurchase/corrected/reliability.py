"""How much of the variance of an index is signal: from its items, from groups, or as given.

An index is a weighted sum of answers, so what counts is the reliability of that sum with the
weights it has: ``1 - Σ wᵢ² θᵢ / var(index)``, θ the error variances of the items under one common
factor (McDonald's omega, for any weights).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import EstimationError, ModelError, OptionError, choose, suggest
from csimodel.estimators import ML, Fit, Outcome, Quantity, Solution, find, register
from csimodel.estimators.quantities import by_construct
from csimodel.findings import Finding, listed
from csimodel.inference import Bootstrap, interval_of, jackknife, require_level, spread_of
from csimodel.model import Model, reflective
from csimodel.moments import Moments, Units

Floats = NDArray[np.float64]

_KINDS = {
    "omega": "index_omega",
    "rho_a": "rho_a",
    "alpha": "alpha",
    "alpha_raw": "alpha_raw",
    "rho_c": "rho_c",
}
_LOW = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class Reliability:
    """The share of an index's variance that is not error, and how well it is known.

    Attributes
    ----------
    value
        From 0 to 1.
    se, lower, upper, level
        Standard error and confidence limits; NaN where it is taken as known.
    source
        Where it comes from, in a sentence.
    findings
        What a reader must know, in plain words.
    pulls
        Deviations of each unit of the fit, (units,), where the jackknife made the error.
    units
        Those units.
    quantity
        Name of the quantity that gives it in every bootstrap draw; empty for none.
    """

    value: float
    se: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    level: float = 0.95
    source: str = "Given by the user and taken as known."
    findings: tuple[Finding, ...] = ()
    pulls: Floats | None = field(default=None)
    units: Units | None = field(default=None)
    quantity: str = ""

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        error = (
            f" (se {self.se:.2g}, {100 * self.level:.4g} % interval "
            f"{self.lower:.4g} to {self.upper:.4g})"
            if np.isfinite(self.se)
            else ""
        )
        return f"{self.value:.4g}{error}: {self.source}"


def index_reliability(
    fit: Fit,
    construct: str = "Satisfaction",
    kind: str | float = "omega",
    *,
    bootstrap: Bootstrap | None = None,
    level: float = 0.95,
) -> Reliability:
    """Return the reliability of a construct's index.

    Parameters
    ----------
    fit
        A fit; the index is built with its weights.
    construct
        Whose index.
    kind
        ``"omega"`` (default): ``1 - Σ w² θ / var(index)``, with the weights of the index and error
        variances θ from one common factor of its items (maximum likelihood; with two items, equal
        standardised loadings); ``"rho_a"``: of PLS mode A weights; ``"rho_c"``: of equal weights,
        from the fit's loadings; ``"alpha"``, ``"alpha_raw"``: of equal weights on standardised
        answers, or answers as given; or a number from elsewhere.
    bootstrap
        Draws of this fit, for the error; otherwise it is that of the jackknife, and the interval
        normal on the scale of ``log(1 - reliability)``.
    level
        Coverage.

    Raises
    ------
    ModelError
        When the construct is not in the model.
    OptionError
        For an unknown kind, a number outside 0 to 1, the draws of another fit.
    EstimationError
        For a single item, and when what comes out is not between 0 and 1.

    References
    ----------
    McDonald, R. P. (1999). Test Theory: A Unified Treatment, chapter 6.
    https://doi.org/10.4324/9781410601087

    Bonett, D. G. (2002). Sample size requirements for testing and estimating coefficient alpha.
    Journal of Educational and Behavioral Statistics 27, 335-340.
    https://doi.org/10.3102/10769986027004335

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> index_reliability(fit)
    0.7888 (se 0.02, 95 % interval 0.7446 to 0.8253): omega of the index of 'Satisfaction' ...
    """
    require_level(level)
    if not isinstance(kind, str):
        return known(kind, level)
    choose("kind", kind, _KINDS)
    names = fit.model.construct_names
    if construct not in names:
        raise ModelError(
            f"construct={construct!r} is not in the model{suggest(str(construct), names)}; "
            f"use one of {', '.join(map(repr, names))}."
        )
    if bootstrap is not None and bootstrap.fit is not fit:
        raise OptionError(
            "The bootstrap was made from another fit; make it again with csi.bootstrap(fit)."
        )
    if len(fit.model.blocks[construct]) == 1:
        raise EstimationError(
            f"{construct!r} has one item, {fit.model.blocks[construct][0]!r}, and the reliability "
            "of a single question cannot be learnt from its answers; give a number, such as "
            "reliability=0.7, from a study that asked twice."
        )
    place, quantity = names.index(construct), find(_KINDS[kind])
    value = float(quantity.values(fit.solution)[place])
    _require_possible(value, kind, construct)
    source = f"{kind} of the index of {construct!r} from {fit.n} respondents"
    told = tuple(_of_low(value, construct))
    if bootstrap is not None:
        draws = bootstrap.values(quantity)[:, [place]]
        lower, upper = interval_of("percentile", level, np.array([value]), draws)
        made = f"{source}, its error from {len(draws)} bootstrap draws."
        se, low, high = float(spread_of(draws)[0]), float(lower[0]), float(upper[0])
        return Reliability(value, se, low, high, level, made, told, quantity=quantity.name)
    if fit.answers is None:
        return Reliability(
            value, level=level, source=f"{source}, its error unknown.", findings=told
        )
    found = jackknife(fit)
    values = found.values(quantity)[:, [place]]
    se = float(found.se(values)[0])
    return Reliability(
        value,
        se,
        *_limits(value, se, level),
        level,
        f"{source}, its error from the jackknife.",
        told,
        np.nan_to_num(found.pulls(values)[:, 0]),
        found.units,
        quantity.name,
    )


def known(value: object, level: float = 0.95) -> Reliability:
    """Return a reliability the user gives.

    Raises
    ------
    OptionError
        When it is no number above 0 and up to 1.
    """
    number = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
    if not number or not 0 < float(value) <= 1:  # type: ignore[arg-type]
        raise OptionError(
            f"reliability={value!r} is not a share of variance; give a number above 0 and up to "
            "1, such as 0.85, or leave it out."
        )
    share = float(value)  # type: ignore[arg-type]
    return Reliability(share, level=level, findings=tuple(_of_low(share, "the index")))


def group_reliability(table: pd.DataFrame, construct: str = "Satisfaction") -> Reliability:
    """Return the reliability of groups' mean indexes, such as firms', from their sampling errors.

    ``1 - mean(se²) / var(means)``: the share of the variance between group means that is not
    sampling error. Its own error is the jackknife over groups.

    Parameters
    ----------
    table
        From ``csi.index_scores(fit, by="firm")``, or any table with a row for each group and the
        columns mean and se.
    construct
        Whose index, where the table has several constructs.

    Raises
    ------
    OptionError
        When a column or the construct is missing.
    EstimationError
        With fewer than 3 groups, or when sampling error explains all differences.

    References
    ----------
    Fuller, W. A. (1987). Measurement Error Models, section 1.2.
    https://doi.org/10.1002/9780470316665

    Examples
    --------
    >>> table = pd.DataFrame({"mean": [70.0, 74, 78, 80, 83], "se": [1.5, 1.2, 1.4, 1.6, 1.3]})
    >>> round(group_reliability(table).value, 3)
    0.923
    """
    lacking = [name for name in ("mean", "se") if name not in table.columns]
    if lacking:
        raise OptionError(
            f"The table has no column {lacking[0]!r}; give that of csi.index_scores(fit, by=...)."
        )
    if "construct" in table.index.names:
        has = list(table.index.get_level_values("construct").unique())
        if construct not in has:
            raise OptionError(
                f"construct={construct!r} is not in the table{suggest(str(construct), has)}; "
                f"it has {listed(map(repr, has), 12)}."
            )
        table = table.xs(construct, level="construct")
    mean, se = (table[name].to_numpy(dtype=np.float64) for name in ("mean", "se"))
    usable = np.isfinite(mean) & np.isfinite(se)
    told = []
    if lost := int((~usable).sum()):
        names = [str(name) for name in table.index[~usable]]
        message = f"{lost} of {len(mean)} groups have no sampling error and were left out: "
        told.append(
            Finding("groups-left-out", message + f"{listed(names)}.", tuple(names), count=lost)
        )
    mean, se = mean[usable], se[usable]
    n = len(mean)
    if n < 3:
        raise EstimationError(
            f"Only {n} groups have a mean and a sampling error, and a reliability needs at least "
            "3; use more groups, or give a number."
        )
    value = float(of_groups(mean, se**2, np.ones((1, n)))[0])
    if not value > 0:
        raise EstimationError(
            f"The groups' means differ no more than their sampling errors explain (variance "
            f"{mean.var(ddof=1):.3g}, mean squared error {np.mean(se**2):.3g}), so nothing is "
            "left to explain repurchase by; use larger groups."
        )
    without = of_groups(mean, se**2, 1.0 - np.eye(n))
    error = float(np.sqrt((n - 1.0) / n * ((without - without.mean()) ** 2).sum()))
    told.extend(_of_low(value, "the groups' index"))
    source = f"1 - mean(se²)/var(means) over {n} groups, its error from the jackknife over groups."
    return Reliability(
        value, error, *_limits(value, error, 0.95), 0.95, source, tuple(told)
    )  # fmt: skip


def of_groups(mean: Floats, error: Floats, weights: Floats) -> Floats:
    """Return ``1 - mean(error variance) / var(mean)`` in draws, weights (draws, groups)."""
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = weights @ mean / total
        spread = (weights @ mean**2 / total - centre**2) * total / (total - 1.0)
        return np.asarray(1.0 - (weights @ error / total) / spread)


def index_omega(solution: Solution) -> Floats:
    """Return the reliability of every construct's index, (..., constructs); 1 for a single item.

    ``1 - Σ wᵢ² θᵢ / w'Rw`` with R the items' correlations, w the weights of standardised items and
    θᵢ = 1 - λᵢ² from one common factor; NaN where that factor has no solution.
    """
    weights, moments, model = solution.estimates.weights, solution.moments, solution.model
    result = np.ones((*weights.shape[:-1], len(model.constructs)))
    for j, block in enumerate(model.slices):
        if block.stop - block.start > 1:
            w, own = weights[..., block], moments.select(moments.items[block])
            variance = np.einsum("...i,...ik,...k->...", w, own.cor, w)
            error = (w**2 * (1.0 - _squared_loadings(own))).sum(axis=-1)
            with np.errstate(invalid="ignore", divide="ignore"):
                result[..., j] = 1.0 - error / variance
    return result


OMEGA = register(Quantity("index_omega", by_construct, index_omega, null=None))


def _squared_loadings(moments: Moments) -> Floats:
    """Return squared standardised loadings on one factor, (..., items), by ML.

    Three items have a closed form, ``r₁₂ r₁₃ / r₂₃``; two get their correlation.
    """
    r = moments.cor
    if r.shape[-1] == 2:
        return np.asarray(np.repeat(r[..., 0, 1][..., None], 2, axis=-1))
    if r.shape[-1] == 3:
        a, b, c = r[..., 0, 1], r[..., 0, 2], r[..., 1, 2]
        with np.errstate(invalid="ignore", divide="ignore"):
            squares = np.stack([a * b / c, a * c / b, b * c / a], axis=-1)
        return np.where((squares > 0).all(axis=-1, keepdims=True), squares, np.nan)
    model = Model((reflective("factor", moments.items),))
    found = ML().estimate(moments, model)
    solved = np.asarray(found.outcome == Outcome.CONVERGED)[..., None]
    return np.where(solved, found.loadings**2, np.nan)


def _limits(value: float, se: float, level: float) -> tuple[float, float]:
    from scipy.special import ndtri

    reach = float(ndtri(0.5 + level / 2.0)) * se / (1.0 - value)
    return 1.0 - (1.0 - value) * float(np.exp(reach)), 1.0 - (1.0 - value) * float(np.exp(-reach))


def _require_possible(value: float, kind: str, construct: str) -> None:
    if 0 < value <= 1:
        return
    why = {
        "rho_a": "rho_A is for PLS mode A weights only" if np.isnan(value) else "",
        "omega": "one common factor does not describe its items" if np.isnan(value) else "",
    }.get(kind, "")
    why = why or f"it came out as {value:.3g}, and a share of variance lies between 0 and 1"
    raise EstimationError(
        f"The index of {construct!r} has no reliability of kind {kind!r}: {why}; use another "
        "kind, or give a number such as reliability=0.85."
    )


def _of_low(value: float, whose: str) -> list[Finding]:
    if value >= _LOW:
        return []
    message = (
        f"The reliability of {whose} is {value:.2f}: more than half of its variance is error, so "
        f"a correction multiplies the slope by {1 / value:.1f} and rests on the reliability more "
        "than on the data; ask more questions."
    )
    return [Finding("low-reliability", message, (whose,))]
