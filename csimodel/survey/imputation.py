"""`impute`: several completed surveys, whose differences show what missing answers leave open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel import limits
from csimodel.arguments import checked, checked_in
from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import Finding, tell, text
from csimodel.floats import own_errstate
from csimodel.options import require_count, require_names, seed_of
from csimodel.page import HasPage, Page, sections
from csimodel.progress import progress_bar
from csimodel.survey.chained_equations import impute_chain
from csimodel.survey.checks import labels_of, numeric_block
from csimodel.survey.design import strata_and_clusters, usable_weights
from csimodel.survey.headers import require_column
from csimodel.survey.survey import Survey
from csimodel.survey.two_way import impute_two_way

Floats = NDArray[np.float64]
Method = Literal["pmm", "normal", "two-way"]

_THIN = THRESHOLDS["few answers of a cluster"].value
_DUMMIES = 50  # categories of a column that predict, at most


@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Imputations(HasPage):
    """Completed surveys: ``for own in imputations``. Made by `impute`.

    Fit each, and pool: ``csi.inference.pool(csi.fit(model, own) for own in imputations)``.

    Attributes
    ----------
    survey
        With the missing answers.
    items
        The columns that were completed.
    cells
        What each imputation has in the missing cells, item by item, (imputations, cells). Rows
        without a weight above 0 are not completed.
    table
        By item: number and share of missing cells, mean of the answers there are and of those
        imputed, and how far the means of imputations lie apart (their standard deviation).
    findings
        How many cells were imputed, and what the imputation does not know.
    """

    survey: Survey
    items: tuple[str, ...]
    cells: Floats
    table: pd.DataFrame
    findings: tuple[Finding, ...]

    def __len__(self) -> int:
        return len(self.cells)

    def __iter__(self) -> Iterator[Survey]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, k: int) -> Survey:
        """Return one completed survey."""
        if not -len(self) <= k < len(self):
            raise IndexError(f"There are {len(self)} imputations, and none of number {k}.")
        data, at = self.survey.data.copy(), 0
        values, used, _ = _rows_in_use(self.survey, self.items)
        for item, column in zip(self.items, values.T.copy(), strict=True):
            gone = used[np.isnan(column[used])]
            column[gone] = self.cells[k, at : at + len(gone)]
            at += len(gone)
            data[item] = column
        return replace(
            self.survey,
            data=data,
            missing="error",
            findings=(*self.survey.findings, *self.findings),
        )

    @property
    def page(self) -> Page:
        """What was missing and what was imputed, on a page."""
        share = float(self.table["share"].mean())
        return Page(
            text(
                "{times} imputations of {items} {items:item|items}",
                times=len(self),
                items=len(self.items),
            ),
            text(
                (
                    "{cells:,} missing {cells:cell|cells} ({share:.1%}) {cells:was|were} imputed "
                    "{times} times."
                ),
                cells=self.cells.shape[1],
                share=share,
                times=len(self),
            ),
            findings=self.findings,
            sections=sections({text("Items"): self.table}),
        )


@own_errstate
@checked
def impute(
    survey: Survey,
    m: int = 20,
    *,
    items: Sequence[str] | None = None,
    auxiliaries: Sequence[str] | None = None,
    method: Method = "pmm",
    donors: int = 5,
    sweeps: int = 10,
    rng: int | np.random.Generator | None = None,
    progress: bool = True,
) -> Imputations:
    """Complete missing answers several times, so that errors can count what is not known of them.

    Parameters
    ----------
    survey
        Read with `read_survey`; its policy for missing answers does not matter here.
    m
        Number of imputations; as many as the percentage of incomplete rows is a good rule.
    items
        Columns to complete; the survey's items without this.
    auxiliaries
        Other columns that predict: numbers, or categories, which then have no missing cells but by
        a category of their own. Strata and (the logarithm of) weights predict always, clusters as
        said below. What the
        analysis relates to the items (an outcome, groups) should be among them.
    method
        ``"pmm"``: chained equations with predictive mean matching, for answers on a scale.
        ``"normal"``: chained equations with normal residuals, within the item's scale where it has
        one, for answers that are nearly continuous and normal. ``"two-way"``: the respondent's
        mean plus the item's less the overall, with a drawn error, within a construct where the
        codebook names it; an item that is a construct by itself gets its own mean and spread, which
        draws what it has to do with others towards 0.
    donors
        Answers are drawn from so many nearest respondents.
    sweeps
        How often the chain goes over all items.
    rng
        A seed, or a NumPy generator.
    progress
        Whether to show a bar on long work.

    Returns
    -------
    Imputations

    Notes
    -----
    Weights count in the regressions of chained equations; donors are drawn alike whatever theirs.
    Clusters get levels of their own (columns of 0 and 1) where they are at most 50 and hold 5
    answers to each item on average; else, and by ``"two-way"``, the imputation does not know them,
    and a finding says which. Levels that are fixed make what is imputed differ a little more
    between clusters than answers do, so errors are cautious; without them clusters come out too
    much alike, and errors too small (Andridge 2011). With 30 % of a construct missing and an
    intra-class correlation of .1 errors of its index were 6 % above the standard deviation over
    samples with levels of 10 clusters of 30, and 13 % below without. Draws of coefficients are
    those of rows drawn one by one, whatever the design.

    Raises
    ------
    OptionError
        For fewer than 2 imputations, or no items.
    SurveyError
        When an item holds text, or no answer, or nothing is missing.

    References
    ----------
    Andridge, R. R. (2011). Quantifying the impact of fixed effects modeling of clusters in multiple
    imputation for cluster randomized trials. Biometrical Journal 53, 57-74.
    https://doi.org/10.1002/bimj.201000140

    Reiter, J. P., Raghunathan, T. E., Kinney, S. K. (2006). The importance of modeling the sampling
    design in multiple imputation for missing data. Survey Methodology 32, 143-149.

    van Buuren, S. (2018). Flexible Imputation of Missing Data, 2nd edition.
    https://doi.org/10.1201/9780429492259

    van Ginkel, J. R., van der Ark, L. A., Sijtsma, K. (2007). Multiple imputation of item scores in
    test and questionnaire data. Multivariate Behavioral Research 42, 387-414.
    https://doi.org/10.1080/00273170701360803

    Examples
    --------
    >>> import csimodel as csi
    >>> mobi = csi.load_mobi()
    >>> holes = mobi.data.mask(np.random.default_rng(1).random(mobi.data.shape) < 0.1)
    >>> imputed = csi.impute(csi.read_survey(holes, scale=(1, 10)), m=5, rng=1, progress=False)
    >>> len(imputed), int(imputed[0].data.isna().sum().sum())
    (5, 0)
    """
    require_count("m", m, ", and 20 or more for steady errors", least=2)
    require_count("donors", donors)
    require_count("sweeps", sweeps)
    names = _items(survey, items)
    values, used, weights = _rows_in_use(survey, names)
    share = np.ones(len(used)) if weights is None else weights / weights.mean()
    table = values[used]
    gone = np.isnan(table)
    _require_gaps(gone, names, len(used) < len(values))
    limits.require_memory(
        f"{m} imputations of {int(gone.sum()):,} cells", 8.0 * m * gone.sum(), "take fewer with m="
    )
    chained = method != "two-way"
    levels = _levels_of_clusters(survey, used, gone, len(values)) if chained else None
    known = _known(survey, names, auxiliaries, values, levels)
    fills = np.empty((m, int(gone.sum())))
    seeds = np.random.SeedSequence(seed_of(rng)).spawn(m)
    with progress_bar(m * sweeps, "Imputing", progress, "sweep") as bar:
        for k, seed in enumerate(seeds):
            own = np.random.default_rng(seed)
            if chained:
                near = donors if method == "pmm" else None
                full = impute_chain(table, known[used], share, sweeps, near, own, bar.update)
                if near is None:  # bounds that are not known are NaN, which fmin and fmax pass by
                    low, high = survey.bounds(names)
                    full = np.where(gone, np.fmax(np.fmin(full, high), low), full)
            else:
                full = _two_way(survey, names, table, own)
            fills[k] = np.concatenate([full[gone[:, j], j] for j in range(len(names))])
    clusters = 0 if levels is None else 1 + levels.shape[1]
    told = tuple(_findings(survey, names, gone, method, clusters))
    tell(finding for finding in told if finding.severity != "note")
    return Imputations(survey, names, fills, _table(table, gone, names, fills), told)


def _items(survey: Survey, items: Sequence[str] | None) -> tuple[str, ...]:
    names = tuple(survey.items) if items is None else require_names("items", items)
    if not names:
        raise OptionError(
            "The survey declares no items; name the columns to complete with items=, or read it "
            "with a codebook or scale=."
        )
    return tuple(require_column(survey.data, name, "items") for name in names)


def _rows_in_use(
    survey: Survey, names: Sequence[str]
) -> tuple[Floats, NDArray[np.intp], Floats | None]:
    """Return items, (rows, items), places of rows with a weight above 0, and their weights."""
    values, _ = numeric_block(survey.data, names)
    kept, weights, _ = usable_weights(survey.data, survey.weights)
    return values, np.arange(len(values)) if kept is None else kept, weights


def _require_gaps(gone: NDArray[np.bool_], names: Sequence[str], weighted: bool) -> None:
    """Refuse items without a gap or without an answer in rows in use, some rows or all."""
    where = " of rows with a weight above 0" if weighted else ""
    if not gone.any():
        what = names[0] if len(names) == 1 else f"the {len(names)} items"
        raise SurveyError(
            f"No cell is missing in {what}{where}, so there is nothing to impute; missing codes "
            "are named in read_survey(..., missing_codes=...)."
        )
    empty = [
        name for name, all_gone in zip(names, gone.min(axis=0).tolist(), strict=True) if all_gone
    ]
    if empty:
        raise SurveyError(
            f"Item {empty[0]!r} holds no answer{where}, so nothing can be imputed; drop it."
        )


def _known(
    survey: Survey,
    names: Sequence[str],
    auxiliaries: Sequence[str] | None,
    values: Floats,
    levels: Floats | None,
) -> Floats:
    """Return columns that predict: auxiliaries, strata, clusters and weights, (rows, any)."""
    wanted = [] if auxiliaries is None else list(require_names("auxiliaries", auxiliaries))
    columns: list[Floats] = []
    for name in dict.fromkeys([*wanted, *([survey.strata] if survey.strata else [])]):
        column = require_column(survey.data, name, "auxiliaries")
        if column in names:
            raise OptionError(f"auxiliaries names {column!r}, which is an item that is imputed.")
        columns += _predictors(survey.data[column], column, name == survey.strata)
    if survey.weights is not None:
        weight = numeric_block(survey.data, [survey.weights])[0][:, 0]
        positive = weight > 0
        columns.append(np.where(positive, np.log(np.where(positive, weight, 1.0)), 0.0))
    if levels is not None:
        columns += list(levels.T)
    return np.column_stack(columns) if columns else np.empty((len(values), 0))


def _levels_of_clusters(
    survey: Survey, used: NDArray[np.intp], gone: NDArray[np.bool_], rows: int
) -> Floats | None:
    """Return a column of 0 and 1 for each cluster but the first, (rows, clusters - 1).

    None without clusters, and where they are too many or too small for levels of their own.
    """
    if survey.cluster is None:
        return None
    _, cluster, _ = strata_and_clusters(survey.data, survey.strata, survey.cluster, used)
    assert cluster is not None
    clusters = int(cluster.max(initial=-1)) + 1
    fewest = int((~gone).sum(axis=0).min())
    if not 1 < clusters <= _DUMMIES or fewest < _THIN * clusters:
        return None
    levels = np.zeros((rows, clusters - 1))
    levels[used] = cluster[:, None] == np.arange(1, clusters)
    return levels


def _predictors(cells: pd.Series, name: str, categories: bool) -> list[Floats]:
    """Return a column of numbers, or one of 0 and 1 for each category but the first."""
    if pd.api.types.is_numeric_dtype(cells) and not categories:
        numbers = cells.to_numpy(np.float64, na_value=np.nan)
        gaps = np.isnan(numbers)
        middle = float(np.nanmean(numbers)) if not gaps.all() else 0.0
        return [np.where(gaps, middle, numbers), *([gaps.astype(np.float64)] if gaps.any() else [])]
    codes, labels = labels_of(cells, f"Column {name!r}, named in auxiliaries,", sort=False)
    if len(labels) > _DUMMIES:
        if categories:
            return []
        raise OptionError(
            f"auxiliaries names {name!r}, which has {len(labels)} categories; at most {_DUMMIES} "
            "can predict, so group them."
        )
    return [(codes == code).astype(np.float64) for code in range(-1, len(labels) - 1)]


def _two_way(
    survey: Survey, names: Sequence[str], table: Floats, rng: np.random.Generator
) -> Floats:
    """Complete items within each construct, all others together."""
    block_of = [
        item.construct if (item := survey.items.get(name)) is not None else None for name in names
    ]
    full = table.copy()
    for construct in dict.fromkeys(block_of):
        own = [k for k, block in enumerate(block_of) if block == construct]
        full[:, own] = impute_two_way(table[:, own], rng)
    return full


def _table(
    values: Floats, gone: NDArray[np.bool_], names: Sequence[str], fills: Floats
) -> pd.DataFrame:
    counts = gone.sum(axis=0)
    ends = np.cumsum(counts)
    rows = []
    for name, column, lost, end in zip(names, values.T, counts, ends, strict=True):
        own = fills[:, end - lost : end].mean(axis=1) if lost else np.array([np.nan])
        rows.append(
            {
                "item": name,
                "missing": int(lost),
                "share": lost / len(values),
                "mean_answered": float(np.nanmean(column)),
                "mean_imputed": float(own.mean()),
                "sd_of_means": float(own.std(ddof=1)) if lost else np.nan,
            }
        )
    return pd.DataFrame(rows).set_index("item")


def _findings(
    survey: Survey,
    names: Sequence[str],
    gone: NDArray[np.bool_],
    method: Method,
    clusters: int,
) -> Iterator[Finding]:
    cells, rows = int(gone.sum()), int(gone.any(axis=1).sum())
    values: dict[str, object] = {
        "cells": cells,
        "rows": rows,
        "of": len(gone),
        "items": tuple(
            f"{name} ({count})"
            for name, count in zip(names, gone.sum(axis=0).tolist(), strict=True)
            if count
        ),
    }
    yield Finding("cells-imputed", _IMPUTED[method], tuple(names), "note", cells, values)
    nothing = int(gone.all(axis=1).sum())
    if nothing:
        counted = {"rows": nothing}
        sentence = _NOTHING_ONE if nothing == 1 else _NOTHING
        yield Finding("no-answer-at-all", sentence, (), "warning", nothing, counted)
    if survey.cluster is None:
        return
    if clusters:
        told: dict[str, object] = {"cluster": survey.cluster, "clusters": clusters}
        yield Finding("imputed-with-clusters", _LEVELS, (survey.cluster,), "note", clusters, told)
    else:
        told = {"cluster": survey.cluster}
        yield Finding("imputed-without-clusters", _CLUSTERS, (survey.cluster,), "note", None, told)


_IMPUTED = {
    "pmm": "{cells:,} missing {cells:cell|cells} in {rows:,} of {of:,} rows {cells:was|were} "
    "imputed with answers of respondents who are predicted alike (chained equations), "
    "which is right where missing depends on what was answered only: {items}.",
    "normal": "{cells:,} missing {cells:cell|cells} in {rows:,} of {of:,} rows "
    "{cells:was|were} imputed by regressions with a normal error (chained "
    "equations), which is right where answers are normal and missing depends on "
    "what was answered only: {items}.",
    "two-way": "{cells:,} missing {cells:cell|cells} in {rows:,} of {of:,} rows "
    "{cells:was|were} imputed by the respondent's and the item's mean with a "
    "drawn error (two-way), which is right where items of a construct are alike "
    "and missing by chance: {items}.",
}
_NOTHING_ONE = (
    "A row holds no answer to any item, so what is imputed there knows nothing of the respondent; "
    "drop it."
)
_NOTHING = (
    "In {rows} rows there is no answer to any item, so what is imputed there knows nothing of the "
    "respondents; drop them."
)
_LEVELS = (
    "Each of the {clusters} clusters of {cluster!r} has a level of its own in the imputation, so "
    "errors may come out a little large where clusters are small or alike."
)
_CLUSTERS = (
    "The imputation does not know that answers within {cluster!r} are alike, so errors may come "
    "out a little small."
)
