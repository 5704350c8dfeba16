"""The sample design: weights, strata and clusters of the rows used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from csimodel.errors import SurveyError
from csimodel.findings import Finding
from csimodel.survey.checks import labels_of, number, numeric_block, plural
from csimodel.survey.sampling import Lonely, SurveyDesign


def usable_weights(
    frame: pd.DataFrame, name: str | None
) -> tuple[np.ndarray | None, np.ndarray | None, tuple[Finding, ...]]:
    """Return positions of rows with a usable weight (None for all), their weights, findings."""
    if name is None:
        return None, None, ()
    values, findings = numeric_block(frame, [name])
    weights = values[:, 0]
    negative = np.flatnonzero(weights < 0)
    if len(negative):
        first = int(negative[0])
        raise negative_weights(name, len(negative), float(weights[first]), first)
    endless = np.flatnonzero(np.isinf(weights))
    if len(endless):
        raise infinite_weights(name, len(endless), int(endless[0]))
    # A weight whose share of the largest is 0 in floating point counts as zero.
    largest = weights.max(initial=0.0, where=weights > 0)
    kept = np.flatnonzero(weights / largest > 0 if largest else weights > 0)
    if len(weights) and not len(kept):
        raise no_weights(name, len(weights))
    dropped = len(weights) - len(kept)
    if not dropped:
        return None, weights, findings
    return kept, weights[kept], (*findings, *without_weight(name, dropped, len(weights)))


def negative_weights(name: str, count: int, value: float, row: int) -> SurveyError:
    """Return the refusal of negative weights, with the first and its place."""
    return SurveyError(
        f"Weight column {name!r} holds {count} negative {plural(count, 'value')} (first "
        f"{number(value)} in row {row + 1}); weights must be positive, or zero to leave a row out."
    )


def infinite_weights(name: str, count: int, row: int) -> SurveyError:
    """Return the refusal of infinite weights, with the place of the first."""
    return SurveyError(
        f"Weight column {name!r} holds {count} infinite {plural(count, 'value')} (first in row "
        f"{row + 1}); give finite weights, or zero to leave a row out."
    )


def no_weights(name: str, rows: int) -> SurveyError:
    """Return the refusal of weights none of which is above 0."""
    return SurveyError(
        f"Weight column {name!r} has no value above 0 in {rows} {plural(rows, 'row')}, so nobody "
        "counts; name the column of weights, or leave weights= out."
    )


def without_weight(name: str, dropped: int, rows: int) -> tuple[Finding, ...]:
    """Return the finding that counts rows without a weight, where there are any."""
    if not dropped:
        return ()
    template = (
        "{dropped} of {rows} rows {dropped:was|were} dropped because {dropped:its|their} weight "
        "in {column} is missing or zero."
    )
    values = {"dropped": dropped, "rows": rows, "column": name}
    return (Finding("weight-dropped", template, (name,), "note", dropped, values),)


def mean_one(weights: np.ndarray) -> np.ndarray:
    """Scale positive weights to mean 1; by the largest first, lest their sum overflow.

    >>> mean_one(np.array([1e308, 1e308, 1e308]))
    array([1., 1., 1.])
    """
    shares = weights / weights.max()
    return np.asarray(shares / shares.mean())


def strata_and_clusters(
    frame: pd.DataFrame, strata: str | None, cluster: str | None, rows: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray | None, tuple[Finding, ...]]:
    """Return codes 0, 1, … of strata, and of clusters nested in them, for the rows at `rows`.

    A cluster label met in several strata names a different cluster in each of them, as firms
    numbered anew in every country do; a finding counts such labels.

    >>> frame = pd.DataFrame({"country": ["a", "a", "b", "b"], "firm": [1, 2, 2, 3]})
    >>> _, firms, findings = strata_and_clusters(frame, "country", "firm", np.arange(4))
    >>> firms
    array([0, 1, 2, 3])
    >>> print(findings[0])
    1 cluster label occurs in several strata and is taken as a different cluster in each
    (strata country, cluster firm).
    """
    stratum_of = _codes(frame, strata, "strata", rows)
    label_of = _codes(frame, cluster, "cluster", rows)
    if strata is None or cluster is None or stratum_of is None or label_of is None:
        return stratum_of, label_of, ()
    strata_count = int(stratum_of.max()) + 1
    cluster_of, pairs = pd.factorize(label_of * strata_count + stratum_of, sort=True)
    split = int((np.bincount(pairs // strata_count) > 1).sum())
    if not split:
        return stratum_of, label_of, ()
    return stratum_of, cluster_of, shared_labels(split, strata, cluster)


def shared_labels(split: int, strata: str, cluster: str) -> tuple[Finding, ...]:
    """Return the finding that counts labels of clusters in several strata, where there are any."""
    if not split:
        return ()
    template = (
        "{count} cluster label occurs in several strata and is taken as a different cluster in "
        "each (strata {strata}, cluster {cluster})."
        if split == 1
        else "{count} cluster labels occur in several strata and are taken as different clusters "
        "in each (strata {strata}, cluster {cluster})."
    )
    values = {"count": split, "strata": strata, "cluster": cluster}
    return (Finding("nested-clusters", template, (cluster,), "note", split, values),)


def design_of_part(
    used: np.ndarray,
    strata: np.ndarray | None,
    cluster: np.ndarray | None,
    lonely: Lonely = "adjust",
    population: np.ndarray | None = None,
) -> SurveyDesign:
    """Return the design of the rows marked as used; the others have the unit -1.

    Parameters
    ----------
    used
        (rows,)
    strata, cluster, population
        Of every row, (rows,), as in `SurveyDesign.of`, or None.
    lonely
        As in `SurveyDesign`.

    Examples
    --------
    >>> used = np.array([True, False, True])
    >>> design_of_part(used, None, np.array([0, 1, 2])).unit
    array([ 0, -1,  1])
    """
    strata, cluster = (
        None if codes is None else np.unique(codes[used], return_inverse=True)[1]
        for codes in (strata, cluster)
    )
    whole = None if population is None else population[used]
    part = SurveyDesign.of(int(used.sum()), strata, cluster, lonely=lonely, population=whole)
    unit = np.full(len(used), -1, dtype=np.intp)
    unit[used] = part.unit
    return replace(part, unit=unit)


def require_several(design: SurveyDesign, strata: str | None) -> None:
    """Refuse strata of a single unit where the survey says so (``lonely="fail"``).

    Raises
    ------
    SurveyError
        Counting them.
    """
    if design.lonely == "fail" and design.lonely_units.any():
        alone = int(design.lonely_units.sum())
        raise SurveyError(
            f"{alone} of {design.strata} strata of {strata!r} hold a single "
            "cluster or respondent (lonely='fail'); merge them with similar strata, or choose "
            "lonely='adjust', 'average', 'certainty' or 'remove'."
        )


def _codes(
    frame: pd.DataFrame, name: str | None, option: str, rows: np.ndarray
) -> np.ndarray | None:
    if name is None:
        return None
    codes, _ = labels_of(frame[name].iloc[rows], f"Column {name!r}, given as {option},")
    lost = int((codes < 0).sum())
    if lost:
        raise missing_labels(name, option, lost)
    return np.asarray(codes, dtype=np.intp)


def missing_labels(name: str, option: str, count: int) -> SurveyError:
    """Return the refusal of rows without a stratum or cluster."""
    return SurveyError(
        f"Column {name!r}, given as {option}, has {count} missing {plural(count, 'cell')}; "
        "fill them, or drop those rows before reading."
    )
