"""The enterprise index: a scorecard of favourability, designation, return, complaints and sales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError, suggest
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.domains import function_of_means
from csimodel.measures.measure import Measure
from csimodel.measures.respondents import GroupedSurvey, Names
from csimodel.options import number_of, shown
from csimodel.survey import Survey
from csimodel.survey.headers import ColumnName
from csimodel.translation import message

Floats = NDArray[np.float64]


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class EnterpriseIndex(Measure):
    """A scorecard of rates. Made by `enterprise_index`.

    Attributes
    ----------
    against
        Rates less their benchmarks, or None.
    composite
        The sum of rates times their weights, or None.
    """

    against: Measure | None = None
    composite: Measure | None = None

    @property
    def benchmarks(self) -> pd.DataFrame:
        """Rates less their benchmarks; p is for no difference.

        Raises
        ------
        OptionError
            When no benchmark was given.
        """
        if self.against is None:
            raise OptionError("No benchmark was given; give benchmark={'favourability': 0.8, …}.")
        return self.against.table

    @property
    def score(self) -> pd.DataFrame:
        """The sum of rates times their weights.

        Raises
        ------
        OptionError
            When no weights were given.
        """
        if self.composite is None:
            raise OptionError("No weights were given; give composite={'favourability': 0.5, …}.")
        return self.composite.table


@own_errstate
@checked
def enterprise_index(
    data: Survey | pd.DataFrame,
    *,
    favourability: ColumnName | None = None,
    designation: ColumnName | None = None,
    returns: ColumnName | None = None,
    complaints: ColumnName | None = None,
    silent_complaints: ColumnName | None = None,
    sales_power: ColumnName | None = None,
    by: Names | None = None,
    benchmark: Mapping[str, float] | None = None,
    composite: Mapping[str, float] | None = None,
    level: float = 0.95,
) -> EnterpriseIndex:
    """Return the scorecard of an enterprise's standing with its customers, rate by rate.

    Parameters
    ----------
    data
        A survey or frame; weights, strata and clusters are the survey's.
    favourability
        Column of 0 and 1: praises the enterprise.
    designation
        Asks for the brand by name.
    returns
        Buys again, or brings others.
    complaints, silent_complaints
        Complained; was dissatisfied and did not say so. With both the rate of either is there too.
    sales_power
        Able and willing to buy.
    by
        Column or columns that make groups, such as firms or periods; ``differences`` compares them.
    benchmark
        Rates to compare with, by name, taken as known.
    composite
        Weights of rates in one score, by name, ``Σ weight · rate``; complaints usually with a
        negative one. There is no score without them.
    level
        Coverage.

    Returns
    -------
    EnterpriseIndex
        ``table`` (limits as of `top_box`), ``differences``, ``benchmarks``, ``score``.

    Raises
    ------
    SurveyError
        When a column is not there, or holds something else than 0 and 1.
    OptionError
        When no column is named, or a benchmark or weight has no rate to go with.

    Examples
    --------
    >>> frame = pd.DataFrame({"praise": [1, 1, 0, 1], "spoke": [0, 0, 1, 0], "mute": [0, 1, 0, 0]})
    >>> card = enterprise_index(
    ...     frame, favourability="praise", complaints="spoke", silent_complaints="mute",
    ...     composite={"favourability": 1, "all complaints": -0.5},
    ... )
    >>> card.table["estimate"].tolist(), card.score["estimate"].tolist()
    ([0.75, 0.25, 0.25, 0.5], [0.5])
    """
    named = {
        "favourability": favourability,
        "designation": designation,
        "return rate": returns,
        "complaint rate": complaints,
        "silent complaint rate": silent_complaints,
        "sales power": sales_power,
    }
    columns = {rate: name for rate, name in named.items() if name is not None}
    if not columns:
        raise OptionError(
            "No rate was named; give favourability=, designation=, returns=, complaints=, "
            "silent_complaints= or sales_power= a column of 0 and 1."
        )
    grouped = GroupedSurvey.of(data, by)
    names = [grouped.names(rate, name)[0] for rate, name in columns.items()]
    values = grouped.numbers(names)
    wrong = np.isfinite(values) & ~np.isin(values, (0.0, 1.0))
    if wrong.any():
        row, place = (int(own[0]) for own in np.nonzero(wrong))
        raise SurveyError(
            f"Column {names[place]!r}, given as {list(columns)[place]}, holds "
            f"{values[row, place]:g}; a rate needs a column of 0 and 1."
        )
    told = grouped.findings(names, values)
    rates = list(columns)
    if complaints is not None and silent_complaints is not None:
        either = values[:, [rates.index("complaint rate"), rates.index("silent complaint rate")]]
        place = rates.index("silent complaint rate") + 1
        values = np.insert(values, place, either.max(axis=1), axis=1)
        rates.insert(place, "all complaints")
    statistics = function_of_means(grouped.domains, values)
    against = score = None
    if benchmark is not None:
        levels = _by_rate("benchmark", benchmark, rates)
        against = Measure(
            "Rates less benchmarks",
            function_of_means(grouped.domains, values[:, list(levels)] - list(levels.values())),
            grouped.labels,
            pd.Index([rates[place] for place in levels], name="rate"),
            level,
            0.0,
            told=told,
        )
    if composite is not None:
        weights = np.zeros(len(rates))
        for place, weight in _by_rate("composite", composite, rates).items():
            weights[place] = weight
        score = Measure(
            "Composite score",
            function_of_means(
                grouped.domains, values, WeightedSum(tuple(weights.tolist())), weights[None] != 0
            ),
            grouped.labels,
            pd.Index(["composite"], name="rate"),
            level,
            told=told,
        )
    return EnterpriseIndex(
        title=message("Enterprise index"),
        statistics=statistics,
        groups=grouped.labels,
        names=pd.Index(rates, name="rate"),
        level=level,
        share=True,
        told=told,
        against=against,
        composite=score,
    )


@dataclass(frozen=True)
class WeightedSum:
    """A sum of means times weights; those of weight 0 are left out."""

    weights: tuple[float, ...]

    def __call__(self, mean: NDArray[np.inexact]) -> NDArray[np.inexact]:
        """Return the sum, (..., 1)."""
        used = np.flatnonzero(self.weights)
        parts = mean[..., used] * np.array(self.weights)[used]
        return np.asarray(parts.sum(axis=-1, keepdims=True))


def _by_rate(option: str, numbers: Mapping[str, float], rates: list[str]) -> dict[int, float]:
    """Return numbers by place of their rate."""
    places = {}
    for name, value in numbers.items():
        number = number_of(value)
        if name not in rates:
            raise OptionError(
                f"{option} names {name!r}, which is no rate of the scorecard"
                f"{suggest(name, rates)}; its rates are {', '.join(map(repr, rates))}."
            )
        if number is None or not np.isfinite(number):
            raise OptionError(
                f"{option} has {shown(value)} for {name!r}; give a finite number for each rate."
            )
        places[rates.index(name)] = number
    if not any(places.values()) and option == "composite":
        raise OptionError("composite gives no rate a weight other than 0; give one at least.")
    return places
