"""Values of mobi_index.json and mobi_index_scores.csv from the formula and PLS weights made afresh.

Run anywhere: python mobi_index.py. The index is (sum_i w_i x_i / sum_i w_i - 1) / 9 * 100 with w_i the
PLS weight of the standardised item over its standard deviation.
"""

import pandas as pd
from pls import FOLDER, NAMES, Comparison, answers_of_mobi, fitted, stored


def main() -> None:
    values, answers, found = stored("mobi_index.json"), answers_of_mobi(), Comparison()
    raw = fitted(answers).weights / answers.std(axis=0, ddof=1)[:, None]
    scores = (answers @ (raw / raw.sum(axis=0)) - 1) / 9 * 100
    found.add("mean", scores.mean(axis=0), [values["mean"][name] for name in NAMES])
    found.add("sd", scores.std(axis=0, ddof=1), [values["sd"][name] for name in NAMES])
    found.add("lines", scores, pd.read_csv(FOLDER / "mobi_index_scores.csv")[NAMES])
    found.finish(1e-8)


if __name__ == "__main__":
    main()
