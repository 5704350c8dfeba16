"""Values of mobi_pls.json made afresh from the formulas; prints how far the programs' are from them.

Run anywhere: python mobi_pls.py. Needs numpy and pandas only.
"""

import numpy as np
import pandas as pd
from pls import (
    FOLDER,
    INNER,
    ITEMS,
    NAMES,
    OWN,
    Comparison,
    Estimates,
    answers_of_mobi,
    fitted,
    stored,
)

COEFFICIENTS = (("paths", NAMES, NAMES), ("weights", ITEMS, NAMES), ("loadings", ITEMS, NAMES))
SCHEMES = ("path", "factorial", "centroid")
endogenous = INNER.any(axis=1)
targets = [name for name, own in zip(NAMES, endogenous, strict=True) if own]


def importance(answers: np.ndarray, fit: Estimates) -> np.ndarray:
    """Return total effects in points of the indexes, which go from 0 to 100."""
    raw = fit.weights / answers.std(axis=0, ddof=1)[:, None]
    points = (answers - 1) / 9 * 100 @ (raw / raw.sum(axis=0))
    spread = points.std(axis=0, ddof=1)
    return fit.total_effects * spread[:, None] / spread


def main() -> None:
    values, answers, found = stored("mobi_pls.json"), answers_of_mobi(), Comparison()
    csem, seminr = values["csem"], values["seminr"]
    for scheme in SCHEMES:
        plain, consistent = (fitted(answers, scheme, consistent=own) for own in (False, True))
        for kind, fit in (("modeA", plain), ("plsc", consistent)):
            own = csem[f"{scheme}_{kind}"]
            for what, rows, cols in COEFFICIENTS:
                wanted = pd.DataFrame(getattr(fit, what), rows, cols)
                theirs = pd.DataFrame(own[what]["data"], own[what]["rows"], own[what]["cols"])
                theirs = theirs if what == "paths" else theirs.T
                found.add(f"csem {kind} {what}", wanted, theirs.loc[rows, cols])
            found.matrix(f"csem {kind} cor", fit.construct_cor, own["construct_vcv"], NAMES, NAMES)
            found.add(f"csem {kind} R2", fit.r2[endogenous], [own["R2"][t] for t in targets])
            adjusted = [own["R2adj"][t] for t in targets]
            found.add(f"csem {kind} R2adj", fit.r2_adjusted[endogenous], adjusted)
            if scheme == "path":
                implied = own["fit_indicator_vcv"]
                found.matrix(f"csem {kind} implied", fit.implied, implied, ITEMS, ITEMS)
            if scheme != "centroid":
                own = seminr[f"{scheme}_{kind}"]
                for what in ("paths", "total_effects"):
                    theirs = pd.DataFrame(own[what]["data"], own[what]["rows"], own[what]["cols"])
                    found.add(
                        f"seminr {kind} {what}", getattr(fit, what), theirs.T.loc[NAMES, NAMES]
                    )
                for what in ("weights", "loadings"):
                    ours = getattr(fit, what)
                    found.matrix(f"seminr {kind} {what}", ours, own[what], ITEMS, NAMES)
            if scheme != "centroid" and kind == "modeA":
                crossed = fit.cor @ fit.weights
                found.matrix("seminr crossed", crossed, own["cross_loadings"], ITEMS, NAMES)
        sempls, matrixpls = values["sempls"][scheme], values["matrixpls"][f"{scheme}_modeA"]
        found.matrix("sempls loadings", plain.loadings, sempls["loadings"], ITEMS, NAMES)
        found.matrix("sempls paths", plain.paths.T, sempls["paths"], NAMES, NAMES)
        found.matrix("matrixpls inner", plain.paths, matrixpls["inner"], NAMES, NAMES)
        found.matrix("matrixpls W", plain.weights.T, matrixpls["W"], NAMES, ITEMS)
    consistent, own = fitted(answers, consistent=True), values["matrixpls"]["path_plsc"]
    found.matrix("matrixpls plsc inner", consistent.paths, own["inner"], NAMES, NAMES)
    found.add("matrixpls Q", consistent.reliability, [own["Q"][name] for name in NAMES])
    for mode, key in (("B", "path_modeB"), ("unit", "path_unit")):
        fit = fitted(answers, mode=mode)
        found.matrix(f"csem {key} paths", fit.paths, csem[key]["paths"], NAMES, NAMES)
        for what in ("weights", "loadings"):
            found.matrix(f"csem {key} {what}", getattr(fit, what), csem[key][what], ITEMS, NAMES)
    group = pd.read_csv(FOLDER / "mobi_group.csv")["group"].to_numpy()
    for label, own in csem["groups"].items():
        fit = fitted(answers[group == label])
        found.matrix("csem groups paths", fit.paths, own["paths"], NAMES, NAMES)
        found.matrix("csem groups weights", fit.weights, own["weights"], ITEMS, NAMES)
    used = np.where(np.eye(len(NAMES), dtype=bool), 0.0, importance(answers, fitted(answers)))
    theirs = pd.DataFrame(**{"data": csem["ipma"]["importance"]["data"]}).to_numpy(float)
    found.add("csem importance", used, np.where(np.eye(len(NAMES), dtype=bool), 0.0, theirs))
    mask = pd.read_csv(FOLDER / "mobi_missing_mask.csv")[ITEMS].to_numpy()
    gaps = np.where(mask == 1, np.nan, answers)
    filled = fitted(np.where(mask == 1, np.nanmean(gaps, axis=0), answers))
    own = seminr["mean_replacement"]
    found.matrix("seminr mean replacement paths", filled.paths.T, own["paths"], NAMES, NAMES)
    found.matrix("seminr mean replacement weights", filled.weights, own["weights"], ITEMS, NAMES)
    assert OWN.sum() == len(ITEMS)
    found.finish(1e-10)


if __name__ == "__main__":
    main()
