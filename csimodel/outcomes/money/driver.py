"""What a point of a driver is worth: driver → satisfaction → repurchase → money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import ModelError, OptionError, suggest
from csimodel.estimators import Fit, find, require_fit, require_own
from csimodel.estimators.quantities import reachable
from csimodel.findings import Finding, listed
from csimodel.floats import own_errstate
from csimodel.inference import Bootstrap
from csimodel.options import require_number
from csimodel.outcomes.models.result import Repurchase, require_repurchase
from csimodel.outcomes.money.draws import Drawn, drawn, fixed
from csimodel.outcomes.money.effects import (
    Effects,
    measured_effects,
    of_interest,
    true_effects,
    without_reliability,
)
from csimodel.outcomes.money.index_change import Change, Variant, profits
from csimodel.outcomes.money.measurement import (
    Given,
    MeasurementError,
    corrected,
    error_free,
    inadmissible_effect,
)
from csimodel.outcomes.money.result import Money
from csimodel.outcomes.money.row import AmountRow
from csimodel.outcomes.money.value import Economics, require_economics
from csimodel.translation import Message, message

Floats = NDArray[np.float64]
Pair = tuple[float, Floats]


@own_errstate
@checked
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
    measurement_error: MeasurementError = "corrected",
    reliability: float | Mapping[str, float] | None = None,
) -> Money:
    """Return the profit of raising a driver's index: driver → satisfaction → repurchase → money.

    The mean over customers of the change of each one's own value:
    ``N · mean(V(p(x + points · γ)) - V(p(x)))``, x a customer's true index, γ the points that the
    true index of satisfaction moves with one point of the driver's true index (the unstandardised
    total effect), p the probability of repurchase over the true index, V the lifetime value at
    the retention ``p ** purchases``. Effects are those of PLSc or of the covariance structure, the
    curve is that of `true_curve`, and customers are spread as the true index is, see
    `true_points`. ``docs/money_chain.md`` derives and tests it.

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
    measurement_error
        ``"corrected"`` takes measurement error off every step; where it cannot (single questions,
        formative constructs, inadmissible solutions, a regression with powers of the index),
        `Money.shortfall` and the first sentence say what is left. ``"ignored"`` takes indexes as
        they are measured, effects and slopes too near 0. `Money.side_by_side` has both.
    reliability
        Of the index, or of several by name, from elsewhere: for single questions and formative
        constructs in PLS fits, or instead of what the items say.

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

    References
    ----------
    Dijkstra, T. K., Henseler, J. (2015). Consistent partial least squares path modeling.
    MIS Quarterly 39(2), 297-316. https://doi.org/10.25300/MISQ/2015/39.2.02

    Fader, P. S., Hardie, B. G. S. (2010). Customer-base valuation in a contractual setting: the
    perils of ignoring heterogeneity. Marketing Science 29(1), 85-93.
    https://doi.org/10.1287/mksc.1080.0482

    Examples
    --------
    >>> import csimodel as csi
    >>> from csimodel.outcomes.money import Economics, profit_of_driver
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> boot = csi.bootstrap(fit, draws=200, rng=7)
    >>> rep = csi.repurchase(fit, "CUSL1", bootstrap=boot)
    >>> terms = Economics(margin=120, currency="EUR", period="year", discount_rate=0.08)
    >>> found = profit_of_driver(boot, rep, "Quality", terms)
    >>> found.side_by_side["estimate"].round(2).tolist()
    [10.8, 6.72]
    """
    by_driver = profits_of_drivers(
        source, rep, [driver], economics, points=points, at=at, draws=draws, rng=rng, level=level,
        measurement_error=measurement_error, reliability=reliability,
    )  # fmt: skip
    return by_driver[driver]


@own_errstate
@checked
def profits_of_drivers(
    source: Fit | Bootstrap,
    rep: Repurchase,
    drivers: Sequence[str],
    economics: Economics,
    *,
    points: float = 1.0,
    at: float | None = None,
    draws: int = 4_000,
    rng: int | np.random.Generator = 0,
    level: float | None = None,
    measurement_error: MeasurementError = "corrected",
    reliability: float | Mapping[str, float] | None = None,
) -> dict[str, Money]:
    """Return `profit_of_driver` of several drivers, in one pass over the draws.

    Parameters, errors
        As in `profit_of_driver`.

    Returns
    -------
    By driver, in the order given.
    """
    economics = require_economics(economics)
    rep = require_repurchase(rep)
    points = require_number("points", points)
    fit = _own_fit(source, rep)
    target = rep.indexes[0]
    wanted = list(dict.fromkeys(drivers))
    if not wanted:
        raise OptionError("drivers=[] names no driver; give at least one construct.")
    for driver in wanted:
        _require_effect(fit, driver, target)
    given = Given.of(measurement_error, reliability, target, fit)
    plain = drawn(rep, draws, rng)
    turned, short = corrected(plain, fit, given)
    effects = _Effects.of(fit, plain, given)
    changes = []
    for driver in wanted:
        steps = effects.steps(driver, target)
        now = effects.index(target)
        variants = []
        for free in (True, False) if given.wanted else (False, True):
            basis, effect = (turned, steps.true) if free else (plain, steps.measured)
            start = now if at is None else fixed(at, basis)
            end = (start[0] + points * effect[0], start[1] + points * effect[1])
            variants.append(Variant.between(basis, start, end, alike=at is not None))
        _require_inside(variants[0], points, driver, target)
        known = [finding for finding in (steps.shortfall, short) if finding is not None]
        own = effects.index(driver)
        moved = own[0] + points, own[1] + points
        row = AmountRow.change(f"index of {driver}", "index points", own, moved)
        same = turned is plain and steps.true is steps.measured
        changes.append(
            Change(
                _title(points, driver),
                variants[:1] if same else variants,
                points,
                known[0] if known else None,
                None if driver == target else row,
                (
                    *(known[1:] if given.wanted else ()),
                    *_about_effect(plain, driver, target, steps, given.wanted),
                ),
            )
        )
    profit = profits(changes, 0, economics, level, given.wanted)
    return dict(zip(wanted, profit, strict=True))


@dataclass(frozen=True, eq=False)
class DriverSteps:
    """The points the target's index moves with one point of the driver's.

    Attributes
    ----------
    true, measured
        Without measurement error, and with it.
    shortfall
        What the first falls short by, or None.
    others
        Further antecedents of the target that count as without error.
    impossible
        Draws whose reliabilities or correlations without error cannot be; they are kept.
    """

    true: Pair
    measured: Pair
    shortfall: Finding | None = None
    others: tuple[str, ...] = ()
    impossible: int = 0


def _own_fit(source: object, rep: Repurchase) -> Fit:
    """Return the fit, after a check that the regression goes with it and with the draws given."""
    draws = rep.draws
    if not isinstance(source, Bootstrap):
        fit = require_fit(source, "profit_of_driver", "source")
        require_own(None if draws is None else draws.bootstrap, fit)
        return fit
    if draws is None or not source.alike(draws.bootstrap):
        raise OptionError(
            "The regression was not made with this bootstrap; make it with "
            "csi.repurchase(fit, ..., bootstrap=boot), so that every step is drawn together."
        )
    return source.fit


def _require_effect(fit: Fit, driver: str, target: str) -> None:
    names = fit.model.construct_names
    for name, what in ((target, "The regression's index"), (driver, "driver")):
        if name not in names:
            raise ModelError(
                f"{what} {name!r} is not in the model{suggest(name, names)}; use one of "
                f"{listed(map(repr, names), 20)}."
            )
    able = np.array(names)[reachable(fit.model)[names.index(target)]]
    if driver != target and driver not in able:
        raise ModelError(
            f"{driver!r} does not affect {target!r} in this model; use one of "
            f"{listed((repr(str(name)) for name in able), 20)}."
        )


def _require_inside(variant: Variant, points: float, driver: str, target: str) -> None:
    (first, _), (last, _) = variant.index
    if not 0 <= last <= 100:
        raise OptionError(
            f"points={points:g} of {driver!r} would take the index of {target!r} from "
            f"{first:.1f} to {last:.1f}, outside 0 to 100; use fewer points."
        )


@dataclass(frozen=True, eq=False)
class _Effects:
    """Effects among indexes, of the estimate and in every draw.

    Attributes
    ----------
    fit, source, given
        The fit, the draws, and what is known of reliabilities.
    true, measured
        Of the estimate, and of the draws, or None where there are none of the whole chain.
    """

    fit: Fit
    source: Drawn
    given: Given
    true: tuple[Effects, Effects | None]
    measured: tuple[Effects, Effects | None]

    @classmethod
    def of(cls, fit: Fit, source: Drawn, given: Given) -> _Effects:
        """Compute all effects."""
        known, draws = given.reliability, source.draws
        true = true_effects(fit.solution, known), None
        measured = measured_effects(fit.solution), None
        if draws is None:
            return cls(fit, source, given, true, measured)
        solutions = draws.bootstrap.solution[draws.usable]
        return cls(
            fit,
            source,
            given,
            (true[0], true_effects(solutions, known)),
            (measured[0], measured_effects(solutions)),
        )

    def index(self, name: str) -> Pair:
        """Return a construct's mean index."""
        place, index = self.fit.model.construct_names.index(name), find("index")
        estimate = float(index.values(self.fit.solution)[place])
        draws = self.source.draws
        if draws is None:
            return fixed(estimate, self.source)
        return estimate, index.values(draws.bootstrap.solution[draws.usable])[:, place]

    def steps(self, driver: str, target: str) -> DriverSteps:
        """Return the effect of a driver on the target, with and without measurement error."""
        if driver == target:
            step = fixed(1.0, self.source)
            return DriverSteps(step, step)
        solution, known = self.fit.solution, self.given.reliability
        names, among = solution.model.construct_names, of_interest(solution, target, driver)
        row, column = names.index(target), names.index(driver)

        def pair(effects: tuple[Effects, Effects | None]) -> Pair:
            estimate = float(effects[0].total[row, column])
            if effects[1] is None:
                return fixed(estimate, self.source)
            return estimate, effects[1].total[:, row, column]

        measured = pair(self.measured)
        if not self.true[0].admissible(among):
            short = inadmissible_effect(self.true[0], driver, target, column)
            return DriverSteps(measured, measured, short)
        unknown = without_reliability(solution, among, known)
        own = tuple(name for name in unknown if name in (driver, target))
        others = tuple(name for name in unknown if name not in own)
        draws = self.true[1]
        impossible = 0 if draws is None else int((~draws.admissible(among)).sum())
        return DriverSteps(pair(self.true), measured, error_free(own), others, impossible)


def _about_effect(
    basis: Drawn, driver: str, target: str, steps: DriverSteps, wanted: bool
) -> Iterator[Finding]:
    if basis.draws is None and driver != target:
        yield Finding(
            "driver-effect-taken-as-known",
            "The effect of {driver!r} on {target!r} is taken as known, so intervals are too "
            "narrow; give the bootstrap, and make the regression with it.",
            (driver, target),
            values={"driver": driver, "target": target},
        )
    if driver in basis.rep.indexes and driver != target:
        yield Finding(
            "direct-effect-left-out",
            "{driver!r} also stands in the regression in its own right; only what goes through "
            "{target!r} is counted.",
            (driver,),
            values={"driver": driver, "target": target},
        )
    if steps.impossible and wanted:
        yield Finding(
            "inadmissible-draws",
            "{count} of {draws} draws {count:is|are} inadmissible without measurement error (a "
            "reliability outside 0 to 1, or constructs that cannot be told apart) and "
            "{count:was|were} kept.",
            (driver, target),
            "warning" if steps.impossible < 0.5 * basis.size else "failure",
            steps.impossible,
            {"count": steps.impossible, "draws": basis.size},
        )
    if steps.others and wanted:
        yield Finding(
            "others-without-error",
            "What else moves {target!r} is partly a single question or a formative construct "
            "({names:6}) and counts as without error; as far as it is not, some of its effect is "
            "put down to {driver!r}.",
            steps.others,
            "note",
            values={"driver": driver, "target": target, "names": steps.others},
        )


def _title(points: float, driver: str) -> Message:
    if points == 1:
        return message("Profit of {points:g} point of {driver}", points=points, driver=driver)
    return message("Profit of {points:g} points of {driver}", points=points, driver=driver)
