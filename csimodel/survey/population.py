"""The finite population a sample was drawn from: how many units each stratum holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import numpy as np
import pandas as pd

from csimodel.errors import OptionError, SurveyError
from csimodel.findings import listed
from csimodel.options import number_of, shown
from csimodel.survey.checks import number, numeric_block, plural
from csimodel.survey.headers import require_column

PopulationSize = str | float | Mapping[str, float] | Mapping[int, float]


def require_population(frame: pd.DataFrame, population: object) -> PopulationSize | None:
    """Return what says how large the population is when it is of a kind that can.

    Raises
    ------
    OptionError
        When it is no name of a column, number, or mapping from strata to numbers.
    SurveyError
        When the column is not there.
    """
    if population is None:
        return None
    if isinstance(population, str):
        return require_column(frame, population, "population")
    if isinstance(population, Mapping):
        sizes = {label: number_of(size) for label, size in population.items()}
        wrong = [label for label, size in sizes.items() if size is None]
        if not wrong:
            return {label: size for label, size in sizes.items() if size is not None}
        raise OptionError(
            f"population has {shown(population[wrong[0]])} for stratum {wrong[0]!r}; give the "
            "number of its units in the population, or the share of them that was drawn."
        )
    size = number_of(population)
    if size is None:
        raise OptionError(
            f"population={shown(population)} must be the number of units in the population, a "
            "mapping from stratum to number, or the name of a column that holds it."
        )
    return size


def population_text(population: PopulationSize) -> str:
    """Return what says how large the population is, in a few words.

    >>> population_text({"north": 400, "south": 250.0})
    'north 400, south 250'
    """
    if isinstance(population, str):
        return population
    if isinstance(population, Mapping):
        return ", ".join(f"{label} {number(size)}" for label, size in population.items())
    return number(population)


def population_of_rows(
    frame: pd.DataFrame,
    population: PopulationSize | None,
    strata: str | None,
    cluster: str | None,
    rows: np.ndarray,
) -> np.ndarray | None:
    """Return the number of units in the population of each row's stratum, for the rows at `rows`.

    Shares drawn are turned into numbers by the units of the whole frame, so that rows dropped
    later, for an answer that is missing, count as not observed.

    Raises
    ------
    SurveyError
        When a number is missing, not positive, differs within a stratum or is smaller than the
        sample, or numbers and shares are mixed.

    Examples
    --------
    >>> frame = pd.DataFrame({"region": ["n", "n", "s"], "drawn": [0.5, 0.5, 0.1]})
    >>> population_of_rows(frame, "drawn", "region", None, np.arange(3))
    array([ 4.,  4., 10.])
    """
    if population is None:
        return None
    label = pd.Series(0, frame.index) if strata is None else frame[strata]
    if isinstance(population, str):
        size = _of_column(frame, population, label, strata, rows)
    else:
        size = _of_option(population, label, strata, rows)
    used = label.iloc[rows]
    units = frame.index.to_series() if cluster is None else frame[cluster]
    sampled = used.map(units.groupby(label).nunique()).to_numpy(np.float64)
    unit = "respondent" if cluster is None else "cluster"
    _require_sizes(size, population, used, strata)
    whole = sampled / size if (size <= 1.0).all() else size
    short = np.flatnonzero(whole < sampled * (1.0 - 1e-9))
    if len(short):
        first = short[0]
        count = int(sampled[first])
        raise SurveyError(
            f"{_stratum(used.iloc[first], strata)} has {count:,} {plural(count, unit)} in the data "
            f"and {number(whole[first])} in the population ({_source(population)}); population "
            f"counts {unit}s, and cannot be smaller than the sample."
        )
    return np.asarray(whole)


def _of_column(
    frame: pd.DataFrame, name: str, label: pd.Series, strata: str | None, rows: np.ndarray
) -> np.ndarray:
    """Return the numbers of a column, which are the same within a stratum."""
    values = numeric_block(frame, [name])[0][rows, 0]
    lost = int(np.isnan(values).sum())
    if lost:
        raise SurveyError(
            f"Column {name!r}, given as population, has {lost} missing {plural(lost, 'cell')}; "
            "every row needs the number of units of its stratum in the population."
        )
    used = label.iloc[rows]
    different = pd.Series(values).groupby(used.to_numpy()).nunique()
    several = different.index[different > 1]
    if len(several):
        own = np.unique(values[(used == several[0]).to_numpy()])
        raise SurveyError(
            f"Column {name!r}, given as population, holds {listed(map(number, own.tolist()))} in "
            f"{_stratum(several[0], strata, start=False)}; it must be one number within a stratum, "
            "that of its units in the population."
        )
    return np.asarray(values)


def _of_option(
    population: float | Mapping[str, float] | Mapping[int, float],
    label: pd.Series,
    strata: str | None,
    rows: np.ndarray,
) -> np.ndarray:
    """Return the one number, or the numbers of a mapping, for the rows at `rows`."""
    if not isinstance(population, Mapping):
        if strata is not None:
            raise SurveyError(
                f"population={number(population)} is one number, and the survey has strata in "
                f"{strata!r}; give the number of each, such as {_example(label)}, or a column."
            )
        return np.full(len(rows), float(population))
    if strata is None:
        raise SurveyError(
            "population gives a number for each stratum, and the survey has no strata; name their "
            "column as strata=, or give one number."
        )
    known = [_plain(name) for name in label.dropna().unique()]
    strange = [name for name in population if name not in known]
    if strange:
        raise SurveyError(
            f"population names {listed(map(repr, strange))}, which {strata!r} does not hold; its "
            f"strata are {listed(map(repr, known))}."
        )
    size = label.iloc[rows].map(dict(population))
    absent = label.iloc[rows][size.isna().to_numpy()].unique()
    if len(absent):
        raise SurveyError(
            f"population has no number for {listed(repr(_plain(name)) for name in absent)} of "
            f"{strata!r}; give one for every stratum."
        )
    return size.to_numpy(np.float64)


def _require_sizes(
    size: np.ndarray, population: PopulationSize, used: pd.Series, strata: str | None
) -> None:
    """Refuse numbers that cannot be counts or shares, and a mixture of both."""

    def refuse(place: int, why: str) -> NoReturn:
        raise SurveyError(
            f"The population of {_stratum(used.iloc[place], strata, start=False)} is "
            f"{number(size[place])} ({_source(population)}); {why}"
        )

    wrong = np.flatnonzero(~(size > 0) | ~np.isfinite(size))
    if len(wrong):
        refuse(int(wrong[0]), "give the number of its units, or the share of them that was drawn.")
    share = size < 1.0
    if share.any() and (size > 1.0).any():
        refuse(
            int(np.flatnonzero(share)[0]),
            f"others are numbers of units, such as {number(size.max())}; give numbers of all "
            "strata, or shares of all.",
        )


def _stratum(label: object, strata: str | None, *, start: bool = True) -> str:
    if strata is None:
        return "The survey" if start else "the survey"
    return f"{'Stratum' if start else 'stratum'} {_plain(label)!r} of {strata!r}"


def _plain(label: object) -> object:
    """Return a label as Python writes it."""
    return label.item() if isinstance(label, np.generic) else label


def _source(population: PopulationSize) -> str:
    return f"column {population!r}" if isinstance(population, str) else "option population"


def _example(label: pd.Series) -> str:
    return repr({_plain(next(iter(label.dropna().unique()))): 1000})
