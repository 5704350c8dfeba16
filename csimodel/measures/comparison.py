"""Brands, products or branches side by side, by attribute and over all."""

from __future__ import annotations

import pandas as pd

from csimodel.arguments import checked
from csimodel.floats import own_errstate
from csimodel.inference.domains import function_of_means
from csimodel.measures.gaps import AveragesOf
from csimodel.measures.measure import Measure
from csimodel.measures.respondents import GroupedSurvey, Names
from csimodel.survey import Survey


@own_errstate
@checked
def comparison(
    data: Survey | pd.DataFrame,
    items: Names,
    *,
    by: Names,
    level: float = 0.95,
) -> Measure:
    """Compare the mean ratings of groups, attribute by attribute and over all attributes.

    ``differences`` has each two groups with interval and p-value, corrected by Holm for the number
    of pairs; whether two intervals overlap is no test. `csi.plots.profile` draws the table.

    Parameters
    ----------
    data
        A survey or frame; weights, strata and clusters are the survey's.
    items
        Columns that were rated.
    by
        Column or columns of the groups: brand, product, branch.
    level
        Coverage.

    Returns
    -------
    Measure
        Rows (group, item), the last item ``"all items"``: the mean of the items' means.

    Raises
    ------
    SurveyError
        When a column is not there or holds text.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal
    of Statistics 6, 65-70. https://www.jstor.org/stable/4615733

    Examples
    --------
    >>> frame = pd.DataFrame({"brand": list("aaabbb"), "taste": [7, 8, 9, 4, 5, 6]})
    >>> row = comparison(frame, "taste", by="brand").differences.loc[("taste", "a", "b")]
    >>> row[["estimate", "se", "df"]].astype(float).round(4).tolist()
    [3.0, 0.8165, 4.0]
    """
    grouped = GroupedSurvey.of(data, by)
    names = grouped.names("items", items)
    values = grouped.numbers(names)
    every = tuple(range(len(names)))
    functional = AveragesOf(len(names), (every,) if len(names) > 1 else ())
    entries = [*names, "all items"] if len(names) > 1 else [*names]
    return Measure(
        "Comparison",
        function_of_means(grouped.domains, values, functional, functional.needs),
        grouped.labels,
        pd.Index(entries, name="item"),
        level,
        told=grouped.findings(names, values),
    )
