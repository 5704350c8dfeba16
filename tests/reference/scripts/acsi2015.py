"""Regressions of repurchase on the index in the public ACSI 2015 file, by statsmodels.

Run in tests/reference: python scripts/acsi2015.py "<folder>/ACSI Data 2015 ver2.xlsx"; it writes
acsi2015.json. Items above 10 are missing; the index is the mean of the answered items among SATIS,
CONFIRM and IDEAL, (mean - 1) / 9 * 100; the outcome is (REPUR - 1) / 9.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels
import statsmodels.api as sm

FILE = Path(sys.argv[1])
HOW = (
    "items above 10 set to missing; index = mean of the answered items among SATIS, CONFIRM, IDEAL "
    "with equal weights, (mean - 1)/9*100; y = (REPUR - 1)/9; rows with both; groups by INDUSTRY "
    "(1001 processed food, 3003 airlines, 3013 internet providers, 5001 banks); slope is OLS with its "
    "HC1 error, b and const are of the fractional logit, ame its average marginal effect, at_67 and "
    "at_70 its predictions; rounded to the digits given"
)


def group(rows: pd.DataFrame) -> dict[str, float]:
    """Return both regressions of a group of respondents."""
    x = sm.add_constant(rows[["index"]])
    line = sm.OLS(rows["y"], x).fit(cov_type="HC1")
    logit = sm.GLM(rows["y"], x, family=sm.families.Binomial()).fit()
    at = logit.predict(np.array([[1.0, 67.0], [1.0, 70.0]]))
    p = logit.predict(x)
    return {
        "n": len(rows),
        "slope": round(line.params["index"], 5),
        "slope_hc1": round(line.bse["index"], 5),
        "b": round(logit.params["index"], 5),
        "const": round(logit.params["const"], 4),
        "ame": round(float((p * (1 - p)).mean() * logit.params["index"]), 5),
        "at_67": round(float(at[0]), 4),
        "at_70": round(float(at[1]), 4),
    }


data = pd.read_excel(FILE)
answers = data[["SATIS", "CONFIRM", "IDEAL", "REPUR"]].where(lambda cells: cells <= 10)
data["index"] = (answers[["SATIS", "CONFIRM", "IDEAL"]].mean(axis=1) - 1) / 9 * 100
data["y"] = (answers["REPUR"] - 1) / 9
data = data.dropna(subset=["index", "y"])
groups = {"all": group(data)}
groups |= {str(code): group(rows) for code, rows in data.groupby("INDUSTRY")}
provenance = {
    "made": "2026-11-22",
    "programs": {
        "statsmodels": f"OLS with cov_type HC1, and GLM binomial with logit link; version of "
        f"2026-11-22 not recorded; {statsmodels.__version__} gives the same"
    },
    "data": "public ACSI 2015 file, doi 10.17632/64xkbj2ry5 version 2, sha256 "
    + hashlib.sha256(FILE.read_bytes()).hexdigest(),
    "how": HOW,
    "script": "scripts/acsi2015.py",
}
out = {"provenance": provenance, "groups": groups}
Path("acsi2015.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
