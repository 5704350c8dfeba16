"""What is missing in a survey, by item and by reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.survey.checks import numeric_block
from csimodel.survey.design import usable_weights
from csimodel.survey.headers import require_column
from csimodel.survey.survey import Survey


def missing_answers(survey: Survey, items: Sequence[str]) -> pd.DataFrame:
    """Count the missing answers of items by reason, before any policy, of rows with a weight.

    Parameters
    ----------
    survey
        Read with `read_survey`, which counts missing codes.
    items
        Names of columns.

    Returns
    -------
    DataFrame
        Rows items; columns rows (with a weight), missing, not_asked (by a rule of the codebook),
        coded (a missing code, where it was asked), empty (without a reason).

    Examples
    --------
    >>> from csimodel.survey import read_survey
    >>> frame = pd.DataFrame({"q1": [3, 99, 9, None], "q2": [4, 8, 8, 7]})
    >>> survey = read_survey(frame, scale=(1, 10), missing_codes=99, items=["q1", "q2"])
    >>> missing_answers(survey, ["q1", "q2"]).loc["q1"].tolist()
    [4, 2, 0, 1, 1]
    """
    columns = [require_column(survey.data, name, "items") for name in items]
    values, _ = numeric_block(survey.data, columns)
    kept, _, _ = usable_weights(survey.data, survey.weights)
    used = np.ones(len(values), dtype=np.bool_)
    if kept is not None:
        used = np.isin(np.arange(len(values)), kept)
    gone = np.isnan(values) & used[:, None]
    missing = gone.sum(axis=0)
    unasked = _marked(survey.unasked, columns, len(values)) & gone
    coded = (_marked(survey.coded, columns, len(values)) & gone & ~unasked).sum(axis=0)
    return pd.DataFrame(
        {
            "rows": int(used.sum()),
            "missing": missing,
            "not_asked": unasked.sum(axis=0),
            "coded": coded,
            "empty": missing - unasked.sum(axis=0) - coded,
        },
        index=pd.Index(list(items), name="item"),
    )


def _marked(
    rows_of: Mapping[str, NDArray[np.intp]], columns: Sequence[str], rows: int
) -> NDArray[np.bool_]:
    """Mark the cells of columns that stand in rows given by column, (rows, columns)."""
    marks = np.zeros((rows, len(columns)), dtype=np.bool_)
    for place, name in enumerate(columns):
        if name in rows_of:
            marks[rows_of[name], place] = True
    return marks
