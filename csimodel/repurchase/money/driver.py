"""What a point of a driver is worth: driver → satisfaction → repurchase → money."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import ModelError, OptionError, suggest
from csimodel.estimators import Fit, find
from csimodel.findings import Finding, listed
from csimodel.floats import own_errstate
from csimodel.inference import Bootstrap
from csimodel.repurchase.money.change import fixed, of_index
from csimodel.repurchase.money.draws import Drawn, drawn
from csimodel.repurchase.money.result import Money, Row
from csimodel.repurchase.money.value import Economics
from csimodel.repurchase.result import Repurchase

Floats = NDArray[np.float64]
Pair = tuple[float, Floats]


@own_errstate
def profit_of_driver(
    source: Fit | Bootstrap,
    rep: Repurchase,
    driver: str,
    economics: Economics,
    *,
    points: float = 1.0,
    at: float | None = None,
    draws: int = 4_000,
    rng: int | np.random.Generator = 0,
    level: float | None = None,
) -> Money:
    """Return the profit of raising a driver's index: driver → satisfaction → repurchase → money.

    The satisfaction index moves by ``points`` times the driver's unstandardised total effect (the
    importance of `importance_performance`), for every customer alike, from where each of them is:
    probabilities are means over the customers, so that the curve's bend and their spread count.
    From there on as in `profit_of_change`, with the retention of all of them together.

    Parameters
    ----------
    source
        The fit, or its bootstrap. With a bootstrap (and `rep` made with it) every step is drawn
        together; with a fit alone the driver's effect is taken as known, which a finding says.
    rep
        The regression of repurchase on the index of satisfaction (its first index).
    driver
        A construct that affects it, or the index itself.
    economics
        The terms.
    points
        By how many index points the driver is raised.
    at
        A satisfaction index that every customer starts from; by default each his own.
    draws, rng, level
        As in `profit_of_change`.

    Returns
    -------
    Money
        A waterfall: the driver's index, then the rows of `profit_of_change`.

    Raises
    ------
    ModelError
        When the driver or the index of `rep` is not in the model, or does not affect it.
    OptionError
        When the bootstrap is not the one of `rep`, or as in `profit_of_change`.

    Examples
    --------
    >>> import csimodel as csi
    >>> from csimodel.repurchase.money import Economics, profit_of_driver
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> boot = csi.bootstrap(fit, draws=200, rng=7)
    >>> rep = csi.repurchase(fit, "CUSL1", bootstrap=boot)
    >>> terms = Economics(margin=120, currency="EUR", period="year", discount_rate=0.08)
    >>> found = profit_of_driver(boot, rep, "Quality", terms)
    >>> found.table["estimate"].round(3).tolist()
    [1.0, 0.64, 0.006, 0.006, 0.006, 0.675, 5.612, 5.612]
    """
    fit = _own_fit(source, rep)
    found = drawn(rep, draws, rng)
    target = rep.indexes[0]
    effect, driver_now, target_now, notes = _effect(fit, found, driver, target)
    start = target_now if at is None else fixed(at, found)
    end = (start[0] + points * effect[0], start[1] + points * effect[1])
    moved = (driver_now[0] + points, driver_now[1] + points)
    if not 0 <= end[0] <= 100:
        raise OptionError(
            f"points={points:g} of {driver!r} would take the index of {target!r} from "
            f"{start[0]:.1f} to {end[0]:.1f}, outside 0 to 100; use fewer points."
        )
    first = Row.change(f"index of {driver}", "index points", driver_now, moved)
    return of_index(
        found, start, end, None, economics, level,
        f"Profit of {points:g} {'point' if points == 1 else 'points'} of {driver}",
        first if driver != target else None, notes, points, at is None,
    )  # fmt: skip


def _own_fit(source: Fit | Bootstrap, rep: Repurchase) -> Fit:
    fit = source.fit if isinstance(source, Bootstrap) else source
    drawn_from = None if rep.chain is None else rep.chain.bootstrap
    if isinstance(source, Bootstrap) and drawn_from is not source:
        raise OptionError(
            "The regression was not made with this bootstrap; make it with "
            "csi.repurchase(fit, ..., bootstrap=boot), so that every step is drawn together."
        )
    if drawn_from is not None and drawn_from.fit is not fit:
        raise OptionError("The regression was made with a bootstrap of another fit; use its fit.")
    return fit


def _effect(
    fit: Fit, found: Drawn, driver: str, target: str
) -> tuple[Pair, Pair, Pair, tuple[Finding, ...]]:
    """Return the driver's effect in index points, both indexes today, and what is to be said."""
    names = fit.model.construct_names
    for name, what in ((target, "The regression's index"), (driver, "driver")):
        if name not in names:
            raise ModelError(
                f"{what} {name!r} is not in the model{suggest(name, names)}; use one of "
                f"{listed(map(repr, names), 20)}."
            )
    impacts, index = find("impacts"), find("index")
    labels = impacts.labels(fit.model)
    chain = found.chain
    solution = None if chain is None else chain.bootstrap.solution[chain.usable]

    def pair(quantity: str, position: int) -> Pair:
        one = find(quantity)
        estimate = float(np.asarray(one.values(fit.solution))[position])
        if solution is None:
            return estimate, np.full(found.size, estimate)
        return estimate, np.asarray(one.values(solution))[:, position]

    now = [pair(index.name, names.index(name)) for name in (driver, target)]
    if driver == target:
        return fixed(1.0, found), now[0], now[1], ()
    if (target, driver) not in labels:
        able = labels[labels.get_level_values("target") == target].get_level_values("source")
        raise ModelError(
            f"{driver!r} does not affect {target!r} in this model; use one of "
            f"{listed(map(repr, able), 20)}."
        )
    effect = pair(impacts.name, list(labels).index((target, driver)))
    return effect, now[0], now[1], tuple(_about_effect(fit, found, driver, target))


def _about_effect(fit: Fit, found: Drawn, driver: str, target: str) -> list[Finding]:
    notes = []
    if found.chain is None:
        notes.append(
            Finding(
                "driver-effect-taken-as-known",
                f"The effect of {driver!r} on {target!r} is taken as known, so intervals are too "
                "narrow; give the bootstrap, and make the regression with it.",
                (driver, target),
            )
        )
    if driver in found.rep.indexes:
        notes.append(
            Finding(
                "direct-effect-left-out",
                f"{driver!r} also stands in the regression in its own right; only what goes "
                f"through {target!r} is counted.",
                (driver,),
            )
        )
    reliability = np.asarray(fit.estimates.reliability)
    if reliability[fit.model.construct_names.index(target)] < 1 - 1e-9:
        notes.append(
            Finding(
                "effect-freed-of-error",
                f"The effect on {target!r} is freed of measurement error and the regression on "
                "its index is not, so the money is somewhat too small.",
                (target,),
                "note",
            )
        )
    return notes
