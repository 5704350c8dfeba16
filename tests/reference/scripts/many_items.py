"""Simulated answers of 30 items for many_items.R: six factors in a chain, skewed, 1 to 7."""

from pathlib import Path

import numpy as np
import pandas as pd

rng = np.random.default_rng(30)
factors = np.zeros((400, 6))
factors[:, 0] = rng.exponential(size=400) - 1.0
for j in range(1, 6):
    factors[:, j] = 0.6 * factors[:, j - 1] + 0.8 * (rng.exponential(size=400) - 1.0)
answers = np.repeat(factors, 5, axis=1) * rng.uniform(0.6, 0.9, 30)
answers += 0.6 * rng.standard_t(6, size=answers.shape)
answers = np.clip(np.round(1.5 * answers + 4.0), 1, 7)
answers[:80, [3, 11]] = np.nan
answers[80:140, [0, 8, 20]] = np.nan
answers[140:170, 29] = np.nan
frame = pd.DataFrame(answers, columns=[f"x{i}" for i in range(30)]).astype("Int64")
frame.to_csv(Path(__file__).parents[1] / "many_items.csv", index=False)
