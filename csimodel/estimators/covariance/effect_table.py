"""Direct, indirect and total effects of a covariance structure with delta-method errors."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.estimators.covariance.error_columns import error_columns
from csimodel.estimators.covariance.layout import ParameterLayout
from csimodel.estimators.covariance.parameters import (
    errors_of,
    standardised,
    standardised_columns,
)
from csimodel.estimators.effects import Chain, chains, indirect_chains, written
from csimodel.model import Model

Floats = NDArray[np.float64]


def effect_table(
    model: Model,
    layout: ParameterLayout,
    parameters: Floats,
    covariance: Floats,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the effects between constructs, a row each, indexed by source, target and effect.

    An effect along a chain of paths is their product; the indirect effect is the sum over chains
    that pass another construct, the total effect the sum over all. With c the paths and J their
    derivatives by the free parameters, errors are those of ``∂effect/∂c J``: in scale units, and
    of the standardised paths, whose J knows of the variances that they are divided by. What rests
    on fixed values alone has none: NaN.

    References
    ----------
    Sobel, M. E. (1987). Direct and indirect effects in linear structural equation models.
    Sociological Methods & Research 16, 155-176. https://doi.org/10.1177/0049124187016001006

    Bollen, K. A. (1989). Structural Equations with Latent Variables, chapter 8.
    https://doi.org/10.1002/9781118619179
    """
    own = [k for k, row in enumerate(layout.rows) if row.kind == "paths"]
    place = {layout.rows[k].at: position for position, k in enumerate(own)}
    names, sums = _effects(model)
    raw, raw_slopes = layout.values(parameters)[own], layout.row_slopes[own]
    std, std_slopes = standardised(layout, parameters)
    columns: dict[str, Floats | NDArray[np.str_]] = {}
    for prefix, paths, slopes in (("", raw, raw_slopes), ("std", std[own], std_slopes[own])):
        values, by_path = _products(chains(model), paths, place)
        estimate, jacobian = sums @ values, sums @ by_path @ slopes
        se = np.where(jacobian.any(axis=1), errors_of(jacobian, covariance), np.nan)
        if prefix:
            columns |= standardised_columns(estimate, se, level)
            continue
        fixed = np.asarray(~jacobian.any(axis=1))
        columns |= {"estimate": estimate, **error_columns(estimate, se, level, fixed)}
    return pd.DataFrame(columns, _in_order(model, names))


def _in_order(model: Model, names: list[tuple[str, str, str]]) -> pd.MultiIndex:
    """Return the rows' index with levels in the order of the rows, so that it counts as sorted."""
    through = [written(model, chain) for chain in indirect_chains(model)]
    constructs = list(model.construct_names)
    levels = [constructs, constructs, ["direct", "indirect", "total", *through]]
    codes = [[level.index(name[k]) for name in names] for k, level in enumerate(levels)]
    return pd.MultiIndex(levels, codes, names=["source", "target", "effect"])


def _effects(model: Model) -> tuple[list[tuple[str, str, str]], Floats]:
    """Return the rows' names and which chains each row sums, (rows, chains)."""
    every, names, sums = chains(model), [], []
    pairs = dict.fromkeys((chain[0], chain[-1]) for chain in every)
    for source, target in pairs:
        ends = (model.construct_names[source], model.construct_names[target])
        own = np.array([(chain[0], chain[-1]) == (source, target) for chain in every])
        length = np.array([len(chain) for chain in every])
        for name, among in (("direct", own & (length == 2)), ("indirect", own & (length > 2))):
            if among.any():
                names.append((*ends, name))
                sums.append(among)
        names.append((*ends, "total"))
        sums.append(own)
        for k in np.flatnonzero(own & (length > 2)).tolist():
            names.append((*ends, written(model, every[k])))
            sums.append(np.arange(len(every)) == k)
    return names, np.array(sums, dtype=np.float64).reshape(len(names), len(every))


def _products(
    every: tuple[Chain, ...], paths: Floats, place: dict[tuple[int, int], int]
) -> tuple[Floats, Floats]:
    """Return the product along each chain, (chains,), and its derivatives, (chains, paths)."""
    values, slopes = np.ones(len(every)), np.zeros((len(every), len(paths)))
    for k, chain in enumerate(every):
        steps = [place[target, source] for source, target in pairwise(chain)]
        factors = paths[steps]
        values[k] = factors.prod()
        for position, step in enumerate(steps):
            slopes[k, step] = np.delete(factors, position).prod()
    return values, slopes
