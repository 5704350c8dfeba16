"""What changes of drivers do to all indexes, and the cheapest changes that reach a goal.

A change of a driver by d points, whatever brings it about, moves what it affects by its total
effect in points (`importance_performance`) times d; changes of several drivers add up, and a driver
that another one affects moves by its own change and by that. Effects are those of the model on
people like those asked: what would happen if paths are causes and lines stay straight.

References
----------
Dantzig, G. B. (1957). Discrete-variable extremum problems. Operations Research 5, 266-288.
https://doi.org/10.1287/opre.5.2.266
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked, checked_in
from csimodel.errors import InferenceError, ModelError, OptionError, suggest
from csimodel.estimators import Fit, Quantity, Solution, require_fit, require_own
from csimodel.estimators.quantities import by_construct
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.index.driver_doubts import about_drivers
from csimodel.index.importance import IMPACTS
from csimodel.index.points import INDEX
from csimodel.inference import Bootstrap, FitErrors, Linearized, infer, without_influence
from csimodel.inference.replicates import own_replicates
from csimodel.inference.sources import StandardErrors
from csimodel.model import Model
from csimodel.options import (
    generator_of,
    require_count,
    require_kind,
    require_level,
    require_names,
    require_number,
)
from csimodel.page import HasPage, Page, sections

Floats = NDArray[np.float64]

_HIGHEST = 100.0
_CHANGES = "give changes as {'Quality': 5}: points of the index by construct"


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class WhatIf(HasPage):
    """What changes of drivers do. Made by `what_if`.

    Attributes
    ----------
    changes
        Points by construct, as given.
    table
        By construct: today (its index), estimate (the change, points), se, df, lower, upper, p,
        reason, and after (today and the change).
    findings
        Indexes that would leave 0 to 100, and drivers that something speaks against: the sign of
        their correlation, or HTMT.
    """

    changes: Mapping[str, float]
    table: pd.DataFrame
    findings: tuple[Finding, ...]

    @property
    def page(self) -> Page:
        """The changes of all indexes, on a page."""
        told = ", ".join(f"{name} {points:+g}" for name, points in self.changes.items())
        return Page(
            text("What if: {told}", told=told),
            facts=(text("Points of the index; as far as paths are causes"),),
            findings=self.findings,
            sections=sections({text("Changes"): self.table}, 2),
        )

    def __repr__(self) -> str:
        return f"<What if {dict(self.changes)}>"


@own_errstate
@checked
def what_if(
    fit: Fit,
    changes: object,
    bootstrap: FitErrors | None = None,
    level: float = 0.95,
) -> WhatIf:
    """Return what changes of drivers do to the index of every construct.

    Parameters
    ----------
    fit
        A fit whose items have scale bounds.
    changes
        Points of the index by construct, as ``{"Quality": 5, "Value": -2}``.
    bootstrap
        Draws of this fit, or its errors by `linearize` (default).
    level
        Coverage.

    Returns
    -------
    WhatIf
        ``.table`` by construct.

    Raises
    ------
    ModelError
        For a construct that is not in the model, and a model with products or constructs of
        constructs.
    OptionError
        For what is no mapping from constructs to points.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> found = csi.what_if(fit, {"Quality": 5, "Value": -2})
    >>> row = found.table.loc["Satisfaction"]
    >>> [round(float(row[name]), 1) for name in ("estimate", "lower", "upper")]
    [2.9, 2.3, 3.6]
    """
    fit = require_fit(fit, "what_if")
    fit.model.require_one_stage("csi.what_if moves")
    level = require_level(level)
    require_own(bootstrap, fit, drawn=False)
    points = points_of_changes(changes, fit.model)
    quantity = changed_index(points, fit.model)
    errors = own_replicates(fit) if bootstrap is None else bootstrap
    if errors is None and not without_influence(fit):
        errors = Linearized((fit,))
    if errors is None:
        estimate = np.asarray(quantity.values(fit.solution))
        none = StandardErrors.none(len(estimate), without_influence(fit))
        table = infer(by_construct(fit.model), estimate, none, level)
    else:
        table = errors.table(quantity, level=level)
    today = np.asarray(INDEX.values(fit.solution))
    table.insert(0, "today", today)
    table["after"] = table["today"] + table["estimate"]
    moved = [name for name, change in points.items() if change]
    return WhatIf(points, table, (*_about_scale(table), *about_drivers(fit, moved)))


def points_of_changes(changes: object, model: Model) -> dict[str, float]:
    """Return changes by construct, checked."""
    given = require_kind("changes", changes, dict, _CHANGES)
    if not given:
        raise OptionError(f"changes={{}} names no construct; {_CHANGES}.")
    points = {}
    for name, value in given.items():
        _require_construct("changes", name, model)
        points[str(name)] = require_number(f"changes[{name!r}]", value, least=-100, most=100)
    return points


def _require_construct(option: str, name: object, model: Model) -> None:
    names = model.construct_names
    if not isinstance(name, str) or name not in names:
        raise ModelError(
            f"{option} names construct {name!r}, which is not in the model"
            f"{suggest(str(name), names)}."
        )


def changed_index(points: Mapping[str, float], model: Model) -> Quantity:
    """Return the change of every index by changes of drivers, as a quantity."""
    shift = np.array([points.get(name, 0.0) for name in model.construct_names])
    return Quantity("what_if", by_construct, lambda solution: _moved(solution, shift))


def _moved(solution: Solution, shift: Floats) -> Floats:
    """Return the change of every construct, (..., constructs)."""
    names = list(solution.model.construct_names)
    impacts = IMPACTS.values(solution)
    change = np.broadcast_to(shift, (*impacts.shape[:-1], len(names))).copy()
    for place, (target, source) in enumerate(IMPACTS.labels(solution.model)):
        change[..., names.index(target)] += impacts[..., place] * shift[names.index(source)]
    return np.asarray(change)


def _about_scale(table: pd.DataFrame) -> Iterator[Finding]:
    """Point out indexes that would leave the scale."""
    beyond = table.index[(table["after"] > _HIGHEST) | (table["after"] < 0.0)]
    if len(beyond):
        names = tuple(map(str, beyond))
        yield Finding(
            "what-if-outside-scale",
            "After these changes the index of {names} would lie outside 0 to 100, which cannot be; "
            "take smaller changes.",
            names,
            values={"names": names},
        )


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class GoalSeek(HasPage):
    """The cheapest changes of drivers that bring an index to a goal. Made by `goal_seek`.

    Attributes
    ----------
    target, at, today
        Whose index, where it shall be, and where it is.
    table
        By driver: impact (points of the target per point), cost (of a point), most (the largest
        change), change (points), lower, upper (of the change, over draws that reach the goal) and
        spent.
    cost
        Of all changes.
    reached
        Whether the goal is reached.
    share
        Of draws in which it can be reached; NaN without draws.
    findings
        A goal that cannot be reached, and drivers to change that something speaks against: the
        sign of their correlation, or HTMT.
    """

    target: str
    at: float
    today: float
    table: pd.DataFrame
    cost: float
    reached: bool
    share: float
    findings: tuple[Finding, ...]

    @property
    def page(self) -> Page:
        """The changes, on a page."""
        facts = [text("Today {today:.1f}; cost {cost:.4g}", today=self.today, cost=self.cost)]
        if np.isfinite(self.share):
            facts.append(text("Reached in {share:.0f} % of the draws", share=100 * self.share))
        return Page(
            text("{target} at {at:g}", target=self.target, at=self.at),
            facts=tuple(facts),
            findings=self.findings,
            sections=sections({text("Cheapest changes"): self.table}, 2),
        )

    def __repr__(self) -> str:
        return f"<{self.target} at {self.at:g}: cost {self.cost:.4g}, reached: {self.reached}>"


@own_errstate
@checked
def goal_seek(
    fit: Fit,
    target: str,
    at: float,
    drivers: str | Sequence[str] | None = None,
    cost: object = None,
    most: object = None,
    bootstrap: FitErrors | None = None,
    *,
    draws: int = 1_000,
    rng: int | np.random.Generator | None = 0,
    level: float = 0.95,
) -> GoalSeek:
    """Return the cheapest changes of drivers that bring an index to a goal.

    Least ``Σ cost·change`` with ``today + Σ impact·change ≥ at`` and changes between 0 and `most`:
    a linear programme with one condition, whose solution takes the drivers by impact for money and
    fills each before the next.

    Parameters
    ----------
    fit
        A fit whose items have scale bounds.
    target, at
        Whose index, and where it shall be, 0 to 100.
    drivers
        Constructs that can be changed; by default all that affect the target.
    cost
        Of a point, by driver, above 0; 1 where it is not given.
    most
        The largest change by driver, points; by default up to 100.
    bootstrap
        Draws of this fit, from which intervals are taken; by default normal draws with the
        covariance by `linearize`, or of a survey with replicate weights by `replicate`.
    draws, rng
        How many of these, and their seed.
    level
        Coverage.

    Returns
    -------
    GoalSeek
        ``.table`` by driver, ``.cost``, ``.reached``.

    Raises
    ------
    ModelError
        For a construct that is not in the model, drivers that do not affect the target, and a
        model with products or constructs of constructs.
    OptionError
        For a cost that is not above 0, and a goal or changes out of range.
    InferenceError
        When the fit is no solution.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> goal = csi.goal_seek(fit, "Satisfaction", at=75, drivers=["Quality", "Value"])
    >>> goal.table["change"].round(1).to_dict()
    {'Quality': 4.0, 'Value': 0.0}
    """
    fit = require_fit(fit, "goal_seek")
    fit.model.require_one_stage("csi.goal_seek moves")
    level, goal = require_level(level), require_number("at", at, least=0, most=_HIGHEST)
    require_own(bootstrap, fit, drawn=False)
    _require_construct("target", target, fit.model)
    names = _drivers(fit.model, target, drivers)
    labels = IMPACTS.labels(fit.model)
    places = np.array([list(labels).index((target, name)) for name in names])
    index, impacts = (np.asarray(own.values(fit.solution)) for own in (INDEX, IMPACTS))
    if not np.isfinite(impacts[places]).all():
        raise InferenceError(
            f"What drivers do to {target!r} is not known, because the fit is no solution; see "
            "fit.diagnostics."
        )
    constructs = list(fit.model.construct_names)
    at_target = constructs.index(target)
    room = {name: _HIGHEST - index[constructs.index(name)] for name in names}
    price = _by_driver("cost", cost, names, dict.fromkeys(names, 1.0), positive=True)
    bound = _by_driver("most", most, names, room, positive=False)
    need = np.array([goal - index[at_target]])
    change, reached = _cheapest(impacts[None, places], price, bound, need)
    errors = own_replicates(fit) if bootstrap is None else bootstrap
    drawn = _drawn(fit, errors, at_target, places, require_count("draws", draws), rng)
    limits, share = np.full((2, len(names)), np.nan), np.nan
    if drawn is not None:
        each, met = _cheapest(drawn[1], price, bound, goal - drawn[0])
        share = float(met.mean())
        if met.any():
            limits = np.quantile(each[met], [0.5 - level / 2, 0.5 + level / 2], axis=0)
    table = pd.DataFrame(
        {
            "impact": impacts[places],
            "cost": price,
            "most": bound,
            "change": change[0],
            "lower": limits[0],
            "upper": limits[1],
            "spent": price * change[0],
        },
        index=pd.Index(names, name="driver"),
    )
    highest = float(index[at_target] + impacts[places] @ change[0])
    findings: tuple[Finding, ...] = () if reached[0] else (_unreached(target, goal, highest),)
    changed = [name for name, points in zip(names, change[0], strict=True) if points > 0]
    findings += tuple(about_drivers(fit, changed, target))
    if drawn is not None:
        findings += _of_weights(fit, errors)
    today, spent = float(index[at_target]), float(price @ change[0])
    return GoalSeek(target, goal, today, table, spent, bool(reached[0]), share, findings)


def _drivers(model: Model, target: str, drivers: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the drivers, all of which affect the target."""
    affecting = tuple(source for to, source in IMPACTS.labels(model) if to == target)
    if not affecting:
        raise ModelError(f"No construct affects {target!r}; choose one that a path points to.")
    if drivers is None:
        return affecting
    names = require_names("drivers", drivers, "construct")
    for name in names:
        _require_construct("drivers", name, model)
        if name not in affecting:
            raise ModelError(
                f"{name!r} does not affect {target!r}; drivers of it are {', '.join(affecting)}."
            )
    return names


def _by_driver(
    option: str, given: object, names: tuple[str, ...], default: dict[str, float], positive: bool
) -> Floats:
    """Return numbers by driver, those that are not given by default."""
    values = dict(default)
    if given is not None:
        way_out = f"give {option} as {{{names[0]!r}: 2}}"
        for name, value in require_kind(option, given, dict, way_out).items():
            if name not in names:
                raise OptionError(
                    f"{option} names {name!r}, which is not among the drivers "
                    f"{', '.join(names)}{suggest(str(name), names)}."
                )
            which = f"{option}[{name!r}]"
            values[name] = (
                require_number(which, value, above=0)
                if positive
                else require_number(which, value, least=0)
            )
    return np.array([values[name] for name in names])


def _cheapest(
    impacts: Floats, price: Floats, bound: Floats, need: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return changes, (draws, drivers), and whether they reach what is needed, (draws,).

    Drivers that lower the target are not changed.
    """
    gain = np.maximum(impacts, 0.0)
    order = np.argsort(-gain / price, axis=1, kind="stable")
    sorted_gain = np.take_along_axis(gain, order, axis=1)
    room = bound[order]
    filled = np.cumsum(sorted_gain * room, axis=1)
    before = filled - sorted_gain * room
    left = np.maximum(need[:, None] - before, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(sorted_gain > 0, np.minimum(left / sorted_gain, room), 0.0)
    change = np.empty_like(step)
    np.put_along_axis(change, order, step, axis=1)
    return change, need <= filled[:, -1] * (1.0 + 1e-12) + 1e-12


def _drawn(
    fit: Fit,
    errors: FitErrors | None,
    target: int,
    places: NDArray[np.intp],
    draws: int,
    rng: int | np.random.Generator | None,
) -> tuple[Floats, Floats] | None:
    """Return draws of the target's index and of the impacts on it, (draws,), (draws, drivers)."""
    if isinstance(errors, Bootstrap) and errors.replication is None:
        index, impacts = errors.values(INDEX)[:, target], errors.values(IMPACTS)[:, places]
        known = np.isfinite(index) & np.isfinite(impacts).all(axis=1)
        return index[known], impacts[known]
    estimate = [np.asarray(own.values(fit.solution)) for own in (INDEX, IMPACTS)]
    if isinstance(errors, Bootstrap):
        design, every = (
            errors.survey_design,
            np.hstack([errors.values(own) for own in (INDEX, IMPACTS)]),
        )
        covariance = design.covariance_of_draws(every, np.concatenate(estimate))
    elif without_influence(fit):
        return None
    else:
        linear = Linearized((fit,))
        design, covariance = linear.design, linear.vcov(INDEX, IMPACTS).to_numpy()
    if not design.df > 0:
        return None
    chosen = np.append(target, len(estimate[0]) + places)
    block = covariance[np.ix_(chosen, chosen)]
    if not np.isfinite(block).all():
        return None
    values, vectors = np.linalg.eigh(block)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = generator_of(rng).standard_normal((draws, len(chosen)))
    every = np.concatenate(estimate)[chosen] + normal @ root.T
    return every[:, 0], every[:, 1:]


def _of_weights(fit: Fit, errors: FitErrors | None) -> tuple[Finding, ...]:
    """Say that errors do not use the replicate weights of a survey."""
    told = Linearized((fit,)).findings if errors is None else errors.findings
    return tuple(own for own in told if own.code == "replicates-not-used")


def _unreached(target: str, goal: float, highest: float) -> Finding:
    return Finding(
        "goal-not-reached",
        "Within these changes {target} reaches {highest:.1f} at most, and not {goal:.1f}; allow "
        "larger changes, name more drivers, or aim lower.",
        (target,),
        "failure",
        values={"target": target, "highest": highest, "goal": goal},
    )
