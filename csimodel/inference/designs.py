"""How the bootstrap draws: from options and answers to a resampling design."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import OptionError, choose
from csimodel.moments import Resampling
from csimodel.options import require_count, seed_of
from csimodel.survey import Answers


def design_of(
    answers: Answers,
    draws: int,
    rng: int | np.random.Generator | None,
    kind: str,
    resamples: ArrayLike | None,
) -> Resampling:
    """Return the design that options and answers ask for.

    Raises
    ------
    OptionError
        For options outside what is allowed.
    """
    choose("kind", kind, ["auto", "poisson"])
    rows = len(answers.values)
    population = answers.population
    if resamples is not None:
        if population is not None:
            raise OptionError(
                "resamples= repeats draws of rows with replacement, which cannot allow for the "
                "survey's population=; leave out one of them."
            )
        return Resampling("given", rows, len(indices := _rows(resamples, rows)), indices=indices)
    draws = require_count("draws", draws, ", and some thousands for intervals", most=10**7)
    seed = seed_of(rng)
    if kind == "poisson":
        if answers.strata is not None:
            raise OptionError("kind='poisson' does not respect the survey's strata; use 'auto'.")
        if answers.domain is not None:
            raise OptionError(
                "kind='poisson' does not respect the clusters of the whole sample that this fit is "
                "of a part of; use 'auto'."
            )
        return Resampling(
            "poisson", rows, draws, seed, cluster=answers.cluster, population=population
        )
    return Resampling.of_design(answers.design, draws, seed)


def _rows(resamples: ArrayLike, rows: int) -> NDArray[np.intp]:
    """Return given row numbers as (draws, any)."""
    try:
        indices = np.atleast_2d(np.asarray(resamples))
    except ValueError:
        indices = np.zeros((0, 0, 0))
    whole = np.issubdtype(indices.dtype, np.integer) and indices.ndim == 2 and indices.size > 0
    if not whole or indices.min() < 0 or indices.max() >= rows:
        seen = f"{indices.min()} to {indices.max()}" if whole else "something else"
        raise OptionError(
            f"resamples must be whole row numbers from 0 to {rows - 1}, one row of them a draw; "
            f"seen {seen}."
        )
    return indices.astype(np.intp)
