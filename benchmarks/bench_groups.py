"""2,000 groups of 250 respondents by fit_groups: fits a second, one thread, from the survey on."""

import numpy as np
import pandas as pd
from common import MODEL, median_seconds, mobi

import csimodel as csi

GROUPS = 2_000
rng = np.random.default_rng(0)
data = mobi()
rows = rng.integers(0, len(data), GROUPS * len(data))
survey = csi.read_survey(
    pd.DataFrame(data.to_numpy()[rows], columns=data.columns).assign(
        firm=np.repeat(np.arange(GROUPS), len(data))
    )
)
seconds = median_seconds(lambda: csi.fit_groups(MODEL, survey, by="firm"), 5)
print(f"{GROUPS} groups of {len(data)}: {seconds:.3f} s, {GROUPS / seconds:,.0f} fits a second")
