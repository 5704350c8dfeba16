"""Ranks of units with what is known of them.

A unit's rank lies between 1 plus the number of units shown to be better and the number of units
less those shown to be worse; shown is by Holm's p-values of its differences from all others in one
ranking, so that an interval holds the true rank with the coverage at least (and is wide where units
are alike). Probabilities of being first and among the best are shares of draws from the scores'
distribution.

References
----------
Mogstad, M., Romano, J. P., Shaikh, A. M., Wilhelm, D. (2024). Inference for ranks with applications
to mobility across neighbourhoods and academic achievement across countries. Review of Economic
Studies 91, 476-518. https://doi.org/10.1093/restud/rdad006
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from csimodel.findings import text
from csimodel.formatting import label
from csimodel.index.programme.cells import ProgrammeCells
from csimodel.index.programme.hierarchy import WHOLE, Hierarchy
from csimodel.index.shrinkage import shrunken
from csimodel.inference.infer import infer
from csimodel.inference.sources import StandardErrors
from csimodel.page import HasHeadline, Page, sections
from csimodel.significance import adjusted_pvalues, t_pvalue

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_DRAWS = 4_000
_SPREAD = 1e-9
_ROUNDING = 1e-12  # of what a cell counts
_WITHIN = "within"
_COLUMNS = (
    "estimate", "se", "lower", "upper", "rank", "rank_lower", "rank_upper", "first", "top", "tie",
    "gap", "gap_se", "behind", "shrunken", "n",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Ranking(HasHeadline):
    """Units of the lowest level by their index.

    Attributes
    ----------
    construct, period
        Whose index, and when.
    table
        Index of the names of the level that rankings are within, and of the unit; columns
        estimate, se, lower, upper (of the index), rank (1 is the highest), rank_lower, rank_upper,
        first and top (probabilities of being first and among the `best`), tie (units of one number
        are not told apart from the first of it), gap (to the level's score, which contains the
        unit) with gap_se (NaN where a part of the level has no error), behind (to the best other),
        shrunken (drawn to the mean, see `csimodel.index.shrinkage`), n.
    best
        For how many `top` is.
    level
        Coverage of the ranks' intervals.
    """

    construct: str
    period: object
    table: pd.DataFrame
    best: int
    level: float

    @property
    def headline(self) -> str:
        """Who is first, and whether that is shown, where one group is ranked with errors."""
        known = self.table[self.table["se"].notna()]
        if not len(known):
            return text(
                "No unit has an index of {construct} with an error, so none is first.",
                construct=self.construct,
            )
        groups, (within, _) = known.index.get_level_values(0).unique(), self.table.index.names
        if len(groups) > 1:
            return text(
                "Units are ranked by {construct} within each {within}, not across them.",
                construct=self.construct,
                within=within,
            )
        ranked = self.table.loc[groups[0]].sort_values("rank", kind="stable")
        first = ranked[ranked["se"].notna()].iloc[0]
        name, place = (
            first.name,
            "" if within == _WITHIN else text(" within {groups}", groups=groups[0]),
        )
        above = int((ranked["estimate"] > first["estimate"]).sum())  # without an error
        if above:
            return text(
                "{name} has the highest index of {construct}{place} of the units "
                "with an error; higher ones that have none: {above}.",
                name=name,
                construct=self.construct,
                place=place,
                above=above,
            )
        if first["rank_upper"] == 1:
            return text(
                "{name} is first in {construct}{place}.",
                name=name,
                construct=self.construct,
                place=place,
            )
        best = text(
            "{name} has the highest index of {construct}{place}",
            name=name,
            construct=self.construct,
            place=place,
        )
        return text("{best}, and is not shown to be first.", best=best)

    @property
    def page(self) -> Page:
        """The ranks, on a page."""
        return Page(
            text(
                "Ranking by {construct}, {period}",
                construct=self.construct,
                period=label(self.period),
            ),
            self.headline,
            (
                text(
                    "Intervals of ranks: {level:g} %, the comparisons of a unit at once",
                    level=100 * self.level,
                ),
            ),
            sections=sections({text("Ranks"): self.table}, 2),
            clean="",
        )


def ranking_of(
    hierarchy: Hierarchy,
    cells: ProgrammeCells,
    estimates: Floats,
    *,
    construct: int,
    name: str,
    period: int,
    deep: int,
    top: int,
    level: float,
    others: tuple[str, ...],
) -> Ranking:
    """Return the ranks of the lowest level within each unit of the level number `deep`."""
    lowest, periods = len(hierarchy.levels), len(hierarchy.periods)
    chosen = [
        node
        for node in np.flatnonzero(hierarchy.deep == lowest).tolist()
        if hierarchy.scored[node, period] and str(hierarchy.nodes[node][-1]) not in others
    ]
    parts = []
    outer = [hierarchy.place[hierarchy.nodes[node][:deep]] for node in chosen]
    for parent in sorted(set(outer)):
        own = [node for node, above in zip(chosen, outer, strict=True) if above == parent]
        columns = np.array([*own, parent]) * periods + period
        sums = hierarchy.sums[:, columns].tocsr()
        table = _ranked(cells, sums, estimates[columns, construct], construct, top, level)
        cell = hierarchy.sums[:, columns[:-1]]
        table["n"] = ((cell != 0).astype(np.float64).T @ cells.n).astype(np.intp)
        above = hierarchy.names[parent] if deep else WHOLE
        within = hierarchy.levels[deep - 1] if deep else _WITHIN
        pairs = [(above, str(hierarchy.nodes[node][-1])) for node in own]
        table.index = pd.MultiIndex.from_tuples(pairs, names=[within, hierarchy.levels[-1]])
        parts.append(table.sort_values("rank", kind="stable"))
    whole = pd.concat(parts) if parts else pd.DataFrame(columns=_COLUMNS, dtype=np.float64)
    return Ranking(name, hierarchy.periods[period], whole, top, level)


def _ranked(
    cells: ProgrammeCells,
    sums: sparse.csr_array,
    estimate: Floats,
    construct: int,
    top: int,
    level: float,
) -> pd.DataFrame:
    """Return the ranks of units, whose parent is the last of `sums`."""
    covariance = cells.covariance(construct, sums)
    df = cells.degrees(sums)[:, construct]
    units = len(estimate) - 1
    variance = np.diagonal(covariance)
    se = np.sqrt(cells.variance(sums)[:, construct])
    known = (df[:units] > 0) & (se[:units] > _SPREAD) & (not cells.reason)
    own = estimate[:units]
    rank = np.full(units, np.nan)
    rank[np.isfinite(own)] = pd.Series(own[np.isfinite(own)]).rank(ascending=False, method="min")
    p = _differences(own, covariance[:units, :units], df[:units], known)
    better, worse = np.zeros(units), np.zeros(units)
    for unit in np.flatnonzero(known).tolist():
        distinct = adjusted_pvalues(p[unit], "holm") < 1.0 - level
        better[unit] = (distinct & (own > own[unit])).sum()
        worse[unit] = (distinct & (own < own[unit])).sum()
    first, among = _chances(own, covariance[:units, :units], known, top)
    contrast = covariance[:units, -1]
    gap_variance = variance[:units] + variance[-1] - 2.0 * contrast
    gaps = (sums[:, :units] - sums[:, [units] * units]).tocsr()
    alone = np.asarray(abs(gaps).sum(axis=0)).ravel() <= _ROUNDING
    gap_known = known & (alone | (cells.degrees(gaps)[:, construct] > 0))
    errors = np.where(known, se[:units], np.nan)
    best = np.array([np.nanmax(np.delete(own, unit), initial=-np.inf) for unit in range(units)])
    drawn = shrunken(own, errors)
    source = StandardErrors(errors, np.where(known, df[:units], 0.0), census=cells.census)
    limits = infer(pd.RangeIndex(units), own, source, level, None, steady=False)
    return pd.DataFrame(
        {
            "estimate": own,
            "se": errors,
            "lower": limits["lower"].to_numpy(),
            "upper": limits["upper"].to_numpy(),
            "rank": rank,
            "rank_lower": np.where(known, 1.0 + better, np.nan),
            "rank_upper": np.where(known, units - worse, np.nan),
            "first": first,
            "top": among,
            "tie": _ties(own, p, known, level),
            "gap": own - estimate[-1],
            "gap_se": np.where(gap_known, np.sqrt(np.maximum(gap_variance, 0.0)), np.nan),
            "behind": np.where(np.isfinite(best), own - best, np.nan),
            "shrunken": drawn.values,
        }
    )


def _differences(own: Floats, covariance: Floats, df: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return p-values of all differences, (units, units); NaN with itself and without an error."""
    variance = np.diagonal(covariance)
    spread = variance[:, None] + variance - 2.0 * covariance
    with np.errstate(divide="ignore", invalid="ignore"):
        each = variance**2 / df
        degrees = (variance[:, None] + variance) ** 2 / (each[:, None] + each)
    both = known[:, None] & known
    np.fill_diagonal(both, False)
    degrees = np.where(both & np.isfinite(degrees), degrees, 0.0)
    se = np.sqrt(np.maximum(spread, 0.0))
    p = t_pvalue((own[:, None] - own).ravel(), se.ravel(), degrees.ravel())
    return p.reshape(both.shape)


def _chances(
    own: Floats, covariance: Floats, known: NDArray[np.bool_], top: int
) -> tuple[Floats, Floats]:
    """Return probabilities of being first, and among so many best, (units,) each."""
    first, among = np.full((2, len(own)), np.nan)
    places = np.flatnonzero(known)
    if not len(places):
        return first, among
    values, vectors = np.linalg.eigh(covariance[np.ix_(places, places)])
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = np.random.default_rng(0).standard_normal((_DRAWS, len(places)))
    order = np.argsort(-(own[places] + normal @ root.T), axis=1)
    counts = np.bincount(order[:, 0], minlength=len(places))
    first[places] = counts / _DRAWS
    among[places] = np.bincount(order[:, :top].ravel(), minlength=len(places)) / _DRAWS
    return first, among


def _ties(own: Floats, p: Floats, known: NDArray[np.bool_], level: float) -> Floats:
    """Return numbers of groups of units that are not told apart from the best of the group."""
    ties = np.full(len(own), np.nan)
    left = [unit for unit in np.argsort(-own, kind="stable").tolist() if known[unit]]
    number = 0
    while left:
        number += 1
        leader = left[0]
        later = left[1:]
        distinct = adjusted_pvalues(p[leader][later], "holm") < 1.0 - level
        end = next((place for place, apart in enumerate(distinct) if apart), len(later))
        ties[[leader, *later[:end]]] = number
        left = later[end:]
    return ties
