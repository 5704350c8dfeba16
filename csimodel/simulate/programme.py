"""An index programme with a known truth: firms within industries and sectors over periods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked, checked_in
from csimodel.errors import OptionError
from csimodel.estimators import PLS, Solution
from csimodel.estimators.points import point_weights
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.formatting import plural
from csimodel.model import Model, catalogue
from csimodel.moments import Moments
from csimodel.options import require_count, require_number, seed_of
from csimodel.simulate.parameters import population
from csimodel.survey import Survey, read_survey

Floats = NDArray[np.float64]

SCALE = (1.0, 10.0)
_ROOT = np.sqrt(3.0)  # a uniform variable of variance 1 lies between -√3 and √3


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class SimulatedProgramme:
    """A survey of firms over periods, with the true index of every level and period.

    Attributes
    ----------
    survey
        The answers, with columns sector, industry, firm and period. Simulated.
    model
        What they follow.
    weights
        What units count in the level above: level, unit, period and weight.
    truth
        The true indexes: index level, unit, period and construct, as ``Programme.scores`` has it.
    """

    survey: Survey
    model: Model
    weights: pd.DataFrame
    truth: pd.Series

    def __repr__(self) -> str:
        firms, periods = (self.survey.data[name].nunique() for name in ("firm", "period"))
        told = (
            plural(firms, "firm"),
            plural(periods, "period"),
            plural(len(self.survey.data), "respondent"),
        )
        return f"<Simulated programme: {', '.join(told)}>"


@own_errstate
@checked
def programme(
    firms: int = 60,
    periods: int = 4,
    respondents: int = 100,
    rng: int | np.random.Generator | None = 0,
    *,
    industries: int = 6,
    sectors: int = 2,
    firm_sd: float = 4.0,
    change_sd: float = 1.0,
) -> SimulatedProgramme:
    """Simulate an index programme by the ACSI model, with its truth.

    Firms differ in the mean of all answers, and move from period to period; loadings, paths and
    spreads are those of everybody, so the true weights are, too. Answers are not rounded and keep
    within 1 to 10 by their distribution (mixtures of uniform ones), so that the true indexes are
    exact: those that PLS has on the population's moments.

    Parameters
    ----------
    firms, periods, respondents
        How many firms, periods, and respondents of each firm in each period.
    rng
        Seed or generator.
    industries, sectors
        Firms are dealt out to industries, and industries to sectors, in turn.
    firm_sd, change_sd
        Standard deviation of firms about 50 points, and of their changes between periods, in
        points.

    Raises
    ------
    OptionError
        For fewer firms than industries, or industries than sectors, and numbers out of range.

    Examples
    --------
    >>> import csimodel as csi
    >>> drawn = csi.simulate.programme(firms=4, periods=2, respondents=50, industries=2, rng=1)
    >>> drawn
    <Simulated programme: 4 firms, 2 periods, 400 respondents>
    >>> waves = csi.programme(
    ...     drawn.model, drawn.survey, ["sector", "industry", "firm"], "period", drawn.weights
    ... )
    >>> error = waves.scores["estimate"] - drawn.truth
    >>> bool(abs(error.loc["all"]).max() < 6)
    True
    """
    firms, periods = require_count("firms", firms), require_count("periods", periods)
    size = require_count("respondents", respondents)
    industries, sectors = require_count("industries", industries), require_count("sectors", sectors)
    if not sectors <= industries <= firms:
        raise OptionError(
            f"There are {firms} firms, {industries} industries and {sectors} sectors; take no more "
            "industries than firms, and no more sectors than industries."
        )
    spread = require_number("firm_sd", firm_sd, least=0, most=8)
    move = require_number("change_sd", change_sd, least=0, most=2)
    generator = np.random.default_rng(seed_of(rng))
    model = catalogue.acsi()
    whole = population(model, paths=_PATHS, loadings=0.8, scale=SCALE, mean=5.5, sd=0.7).solution
    levels = _bounded(generator, firms, 0.01 * 9.0 * spread)
    steps = np.cumsum(_bounded(generator, firms * periods, 0.09 * move).reshape(firms, -1), axis=1)
    shift = np.clip(levels[:, None] + steps - steps[:, :1], -1.2, 1.2)
    values = _answers(generator, whole, firms * periods * size)
    values += np.repeat(shift.ravel(), size)[:, None]
    units = _units(firms, industries, sectors)
    frame = pd.DataFrame(values, columns=list(model.items))
    place = np.repeat(np.arange(firms), periods * size)
    for name, own in units.items():
        frame[name] = np.array(own, dtype=object)[place]
    frame["period"] = np.tile(np.repeat(np.arange(1, periods + 1), size), firms)
    bounds = dict.fromkeys(model.items, SCALE)
    survey = read_survey(frame, scale=bounds)
    weights = _weights(generator, units, periods)
    truth = _truth(model, whole, shift, units, weights)
    return SimulatedProgramme(survey, model, weights, truth)


_PATHS = {
    "Quality ~ Expectation": 0.5,
    "Value ~ Expectation": 0.1,
    "Value ~ Quality": 0.6,
    "Satisfaction ~ Expectation": 0.05,
    "Satisfaction ~ Quality": 0.5,
    "Satisfaction ~ Value": 0.35,
    "Complaints ~ Satisfaction": -0.4,
    "Loyalty ~ Satisfaction": 0.6,
    "Loyalty ~ Complaints": -0.1,
}


def _bounded(generator: np.random.Generator, count: int, sd: float) -> Floats:
    """Return uniform numbers of mean 0."""
    return np.asarray(generator.uniform(-_ROOT * sd, _ROOT * sd, count))


def _answers(generator: np.random.Generator, whole: Solution, rows: int) -> Floats:
    """Return answers with the population's means and covariances, mixtures of uniform ones."""
    moments = whole.moments
    root = np.linalg.cholesky(moments.cov)
    drawn = generator.uniform(-_ROOT, _ROOT, (rows, len(root)))
    return np.asarray(drawn @ root.T + moments.mean)


def _units(firms: int, industries: int, sectors: int) -> dict[str, list[str]]:
    """Return the sector, the industry and the name of each firm."""
    industry = [firm % industries for firm in range(firms)]
    return {
        "sector": [f"Sector {own % sectors + 1}" for own in industry],
        "industry": [f"Industry {own + 1:02d}" for own in industry],
        "firm": [f"Firm {firm + 1:03d}" for firm in range(firms)],
    }


def _weights(
    generator: np.random.Generator, units: dict[str, list[str]], periods: int
) -> pd.DataFrame:
    """Return weights that grow or shrink a little from period to period."""
    parts = []
    for level, own in units.items():
        names = list(dict.fromkeys(own))
        first = generator.uniform(1.0, 4.0, len(names))
        growth = generator.uniform(0.95, 1.05, (periods, len(names))).cumprod(axis=0)
        for at, factor in enumerate(growth, 1):
            columns = {"level": level, "unit": names, "period": at, "weight": first * factor}
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def _truth(
    model: Model,
    whole: Solution,
    shift: Floats,
    units: dict[str, list[str]],
    weights: pd.DataFrame,
) -> pd.Series:
    """Return the true indexes of all levels and periods."""
    solution = _by_scores(model, whole.moments)
    minimum, maximum = SCALE
    counts = point_weights(solution)
    level = np.add.reduceat(
        counts * (whole.moments.mean - minimum), [block.start for block in model.slices]
    )
    firms = (level + shift[..., None]) * 100.0 / (maximum - minimum)
    weight = weights.set_index(["level", "unit", "period"])["weight"]
    score: dict[tuple[str, str], Floats] = {
        ("firm", name): own for name, own in zip(units["firm"], firms, strict=True)
    }
    above = {
        "industry": dict(zip(units["firm"], units["industry"], strict=True)),
        "sector": dict(zip(units["industry"], units["sector"], strict=True)),
        "all": dict.fromkeys(units["sector"], "all"),
    }
    lower = {"industry": "firm", "sector": "industry", "all": "sector"}
    for name, parents in above.items():
        for parent in dict.fromkeys(parents.values()):
            own = [unit for unit, outer in parents.items() if outer == parent]
            share = np.array([weight.loc[lower[name]].loc[unit].to_numpy() for unit in own])
            share /= share.sum(axis=0)
            scores = np.array([score[lower[name], unit] for unit in own])
            score[name, parent] = (share[..., None] * scores).sum(axis=0)
    rows = [
        (*unit, at + 1, construct, values[at, place])
        for unit, values in score.items()
        for at in range(shift.shape[1])
        for place, construct in enumerate(model.construct_names)
    ]
    frame = pd.DataFrame(rows, columns=["level", "unit", "period", "construct", "index"])
    return frame.set_index(["level", "unit", "period", "construct"])["index"]


def _by_scores(model: Model, moments: Moments) -> Solution:
    """Return what PLS finds on the population's moments."""
    estimator = PLS()
    return Solution(model, estimator, moments, estimator.estimate(moments, model))
