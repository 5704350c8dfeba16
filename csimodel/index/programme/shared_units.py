"""Whether periods share the units that were drawn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from csimodel.findings import Finding
from csimodel.index.programme.cells import ProgrammeCells


def about_shared_units(labels: pd.Index, cells: ProgrammeCells) -> Iterator[Finding]:
    """Say how many clusters have respondents in several periods, which then covary.

    Parameters
    ----------
    labels
        Units and period of the cells.
    cells
        With the units that were drawn; respondents without clusters are of one period each.
    """
    if cells.design.kind == "respondent":
        return
    period = pd.factorize(labels.get_level_values(-1))[0]
    members = cells.members.tocoo()
    pairs = np.unique(np.stack([members.row, period[members.col]]), axis=1)
    count = np.bincount(pairs[0], minlength=1)
    shared = int((count > 1).sum())
    if shared:
        yield Finding(
            "periods-share-clusters",
            _ONE if shared == 1 else _SEVERAL,
            severity="note",
            count=shared,
            values={"count": shared, "total": int((count > 0).sum())},
        )


_ONE = (
    "{count} of {total} clusters has respondents in several periods, so scores of these periods "
    "covary, which changes, trends and levels allow for."
)
_SEVERAL = (
    "{count} of {total} clusters have respondents in several periods, so scores of these periods "
    "covary, which changes, trends and levels allow for."
)
