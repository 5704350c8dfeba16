"""Real answers with a design and some faults, as tests of scans read them."""

import numpy as np

import csimodel as csi


def answers(rows=600):
    """Return real answers drawn anew, with a design, a group, an outcome, and some faults."""
    rng = np.random.default_rng(1)
    frame = csi.load_mobi().data.sample(rows, replace=True, random_state=1)
    frame = frame.reset_index(drop=True).astype("float64")
    frame["w"] = rng.uniform(0.5, 2.0, rows)
    frame["stratum"] = rng.integers(0, 4, rows)
    frame["psu"] = rng.integers(0, 30, rows)
    frame["firm"] = rng.choice(["b", "a", "c"], rows)
    frame["again"] = rng.integers(0, 2, rows)
    frame.loc[[5, 400], "CUSA1"] = 99.0
    frame.loc[[8, 401], "IMAG1"] = np.nan
    frame.loc[[3, 450], "w"] = [0.0, np.nan]
    frame.loc[[11, 402], "firm"] = None
    return frame
