"""Whole-chain draws of a logit on the index (PLS, index and regression again in every draw).

At the size of the ACSI 2015 file, 8,239 rows, simulated. Against a plain loop: resample the frame,
refit the model, compute the index, call statsmodels.
"""

import resource
import time

import numpy as np
import pandas as pd
import statsmodels.api as sm
from common import paired_seconds, quietly, report

import csimodel as csi

ROWS, DRAWS, LOOPS = 8_239, 2_000, 10
rng = np.random.default_rng(0)
MODEL = csi.models.acsi().with_items({"Complaints": "COMP", "Loyalty": ["REPUR"]})
latent = rng.standard_normal(ROWS)
data = pd.DataFrame(
    {
        item: np.clip(np.round(7.5 + 1.8 * (0.8 * latent + 0.6 * rng.standard_normal(ROWS))), 1, 10)
        for item in MODEL.items
    }
)
data["again"] = (rng.random(ROWS) < 1 / (1 + np.exp(-(0.5 + latent)))).astype(float)
survey = csi.read_survey(data, scale=(1, 10), items=list(MODEL.items))
fit = csi.fit(MODEL, survey)


def whole_chain() -> csi.outcomes.Repurchase:
    """Draw, refit, score and regress in batches."""
    boot = csi.bootstrap(fit, DRAWS, 7, progress=False)
    return csi.repurchase(fit, "again", family="logit", bootstrap=boot, progress=False)


def plain_loop() -> None:
    """Do the same with a loop over draws."""
    for _ in range(LOOPS):
        again = data.iloc[rng.integers(0, ROWS, ROWS)].reset_index(drop=True)
        refit = csi.fit(MODEL, csi.read_survey(again, scale=(1, 10), items=list(MODEL.items)))
        index = csi.respondent_index(refit)["Satisfaction"]
        sm.Logit(again["again"], sm.add_constant(index)).fit(disp=False)


start = time.perf_counter()
effect = whole_chain().average_marginal_effect
first = time.perf_counter() - start
ours, theirs = paired_seconds(whole_chain, quietly(plain_loop), 5)
ours, theirs = ours / DRAWS, theirs / LOOPS
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(f"{DRAWS} whole-chain draws of {ROWS} rows: {ours * DRAWS:.2f} s (first {first:.2f} s), "
      f"peak memory of the process {peak:.2f} GB")  # fmt: skip
report(
    f"whole chain of {ROWS} rows, a plain loop", ours, theirs, f"a draw; effect {float(effect):.5f}"
)
