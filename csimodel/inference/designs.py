"""How the bootstrap draws: from options and answers to a resampling design, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.errors import OptionError, choose
from csimodel.findings import Finding
from csimodel.moments import Design, units_of
from csimodel.options import require_count, seed_of
from csimodel.survey import Answers


def design_of(
    answers: Answers,
    draws: int,
    rng: int | np.random.Generator | None,
    kind: str,
    resamples: ArrayLike | None,
) -> Design:
    """Return the design that options and answers ask for.

    Raises
    ------
    OptionError
        For options outside what is allowed.
    """
    choose("kind", kind, ["auto", "poisson"])
    rows = len(answers.values)
    if resamples is not None:
        return Design("given", rows, len(indices := _rows(resamples, rows)), indices=indices)
    draws = require_count("draws", draws, ", and some thousands for intervals")
    seed = seed_of(rng)
    if kind == "poisson":
        if answers.strata is not None:
            raise OptionError("kind='poisson' does not respect the survey's strata; use 'auto'.")
        return Design("poisson", rows, draws, seed, cluster=answers.cluster)
    if answers.cluster is not None:
        return Design("cluster", rows, draws, seed, answers.strata, answers.cluster)
    if answers.strata is not None:
        return Design("stratified", rows, draws, seed, answers.strata)
    return Design("multinomial", rows, draws, seed)


def about_units(design: Design) -> Iterator[Finding]:
    """Point out strata with one unit, and few units to learn the error from."""
    if design.strata is None and design.cluster is None:
        return
    sizes = units_of(design.rows, design.strata, design.cluster).sizes
    what = "cluster" if design.cluster is not None else "respondent"
    lonely = int((sizes == 1).sum())
    if lonely:
        yield Finding(
            "lonely-strata",
            f"{lonely} of {len(sizes)} strata hold a single {what} and add nothing to the errors, "
            "which are too small; merge such strata with similar ones.",
            severity="failure" if lonely == len(sizes) else "warning",
            count=lonely,
        )
    degrees = int((sizes - 1).sum())
    if degrees < 20:
        yield Finding(
            "few-units",
            f"Errors are learnt from {int(sizes.sum())} {what}s in {len(sizes)} "
            f"{'stratum' if len(sizes) == 1 else 'strata'}, so they are rough and intervals come "
            "out too narrow.",
            severity="warning",
            count=degrees,
        )


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
