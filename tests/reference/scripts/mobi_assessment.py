"""Values of mobi_assessment.json made afresh from the formulas; omega is in mobi_assessment.R.

Run anywhere: python mobi_assessment.py. Reliability: Cronbach's alpha (of correlations, and of
covariances), rho_A, rho_C, AVE; HTMT: Henseler, Ringle and Sarstedt (2015), HTMT2: Roemer, Schuberth
and Henseler (2021); VIF; f²; SRMR, d_ULS and d_G (cSEM with logarithms to base 10).
"""

import numpy as np
from pls import (
    INNER,
    ITEMS,
    NAMES,
    OWN,
    Comparison,
    Estimates,
    answers_of_mobi,
    fitted,
    rho_a,
    stored,
    table,
)

SIZES = OWN.sum(axis=0)


def alpha(cov: np.ndarray) -> np.ndarray:
    """Return Cronbach's alpha of each construct from covariances or correlations."""
    blocks = [cov[np.ix_(own, own)] for own in OWN.T]
    return np.array([
        1.0 if len(s) == 1 else len(s) / (len(s) - 1) * (1 - np.trace(s) / s.sum()) for s in blocks
    ])  # fmt: skip


def rho_c(fit: Estimates) -> np.ndarray:
    common = fit.loadings.sum(axis=0) ** 2
    return common / (common + (OWN * (1 - fit.loadings**2)).sum(axis=0))


def ave(fit: Estimates) -> np.ndarray:
    return (fit.loadings**2).sum(axis=0) / SIZES


def htmt(cor: np.ndarray, mean: str) -> np.ndarray:
    """Return HTMT of absolute, signed or geometric (of absolute) means of correlations."""

    def average(values: np.ndarray) -> float:
        if mean == "geometric":
            return np.exp(np.log(np.abs(values)).mean())
        return (np.abs(values) if mean == "absolute" else values).mean()

    within = []
    for own in OWN.T:
        block = cor[np.ix_(own, own)]
        below = block[np.tril_indices(len(block), -1)]
        within.append(average(below) if below.size else 1.0)
    out = np.full(INNER.shape, np.nan)
    for i in range(len(NAMES)):
        for j in range(i):
            between = average(cor[np.ix_(OWN[:, i], OWN[:, j])])
            out[i, j] = between / np.sqrt(within[i] * within[j])
    return out


def inflation(cor: np.ndarray) -> np.ndarray:
    return np.diag(np.linalg.inv(cor))


def f2(fit: Estimates, target: int, source: int) -> float:
    others = INNER[target].copy()
    others[source] = False
    left = fit.construct_cor[target, others]
    r2 = left @ np.linalg.solve(fit.construct_cor[np.ix_(others, others)], left)
    return (fit.r2[target] - r2) / (1 - fit.r2[target])


def distances(fit: Estimates) -> dict[str, float]:
    gap = (fit.cor - fit.implied)[np.tril_indices(len(ITEMS))]
    ratio = np.linalg.eigvals(np.linalg.solve(fit.cor, fit.implied)).real
    return {
        "srmr": np.sqrt((gap**2).mean()),
        "d_uls": ((fit.cor - fit.implied) ** 2).sum() / 2,
        "d_g": (np.log10(ratio) ** 2).sum() / 2,
    }


def below(found: Comparison, name: str, ours: np.ndarray, entry: dict) -> None:
    """Compare pairs with the lower triangle of a table, where both have a number."""
    theirs = table(entry)
    kept = [k for k, construct in enumerate(NAMES) if construct in theirs.index]
    for i in kept:
        for j in kept:
            value = theirs.loc[NAMES[i], NAMES[j]]
            if j < i and np.isfinite(value):
                found.add(name, ours[i, j], value)


def of_seminr(found: Comparison, theirs: dict, fit: Estimates, kind: str) -> None:
    reliability = table(theirs["reliability"]).loc[NAMES]
    scores = fit.cor @ fit.weights
    found.add(f"seminr {kind} alpha", alpha(fit.cor), reliability["alpha"])
    found.add(f"seminr {kind} rhoA", rho_a(fit.cor, fit.weights), reliability["rhoA"])
    found.add(f"seminr {kind} rhoC", rho_c(fit), reliability["rhoC"])
    found.add(f"seminr {kind} AVE", ave(fit), reliability["AVE"])
    if kind == "path_modeA":
        found.matrix("seminr crossed", scores, theirs["cross_loadings"], ITEMS, NAMES)
        below(found, "seminr htmt", htmt(fit.cor, "absolute"), theirs["htmt"])
        below(found, "seminr fl", fit.construct_cor, theirs["fl"])
        found.add("seminr fl", np.sqrt(ave(fit)), np.diag(table(theirs["fl"]).loc[NAMES, NAMES]))
        for j, name in enumerate(NAMES):
            own, values = OWN[:, j], theirs["vif_items"][name]
            if SIZES[j] > 1:
                ours = inflation(fit.cor[np.ix_(own, own)])
                found.add("seminr vif", ours, [values[item] for item in np.array(ITEMS)[own]])
        for i, target in enumerate(NAMES):
            if INNER[i].sum() > 1:
                values = theirs["vif_antecedents"][target]
                ours = inflation(fit.construct_cor[np.ix_(INNER[i], INNER[i])])
                wanted = [values[source] for source in np.array(NAMES)[INNER[i]]]
                found.add("seminr antecedent vif", ours, wanted)


def of_csem(found: Comparison, theirs: dict, fit: Estimates, kind: str) -> None:
    own = theirs["reliability"]
    several = SIZES > 1
    names = np.array(NAMES)[several]
    found.add(f"csem {kind} ave", ave(fit), [theirs["ave"][name] for name in NAMES])
    wanted = [own["Joereskogs_rho"][name] for name in NAMES]
    found.add(f"csem {kind} rho_c", rho_c(fit), wanted)
    wanted = [own["Cronbachs_alpha"][name] for name in names]
    found.add(f"csem {kind} alpha", alpha(fit.cor)[several], wanted)
    if kind == "path_plsc":
        wanted = [own["Dijkstra-Henselers_rho_A"][name] for name in NAMES]
        found.add("csem rho_a", fit.reliability, wanted)
    if kind != "path_modeB":
        squares = fit.construct_cor**2
        np.fill_diagonal(squares, ave(fit))
        wanted = table(theirs["fornell_larcker"]).loc[NAMES, NAMES].to_numpy()
        lower = np.tril_indices(len(NAMES))
        found.add(f"csem {kind} fornell_larcker", squares[lower], wanted[lower])
    if kind == "path_modeA":
        below(found, "csem htmt", htmt(fit.cor, "signed"), theirs["htmt"])
        below(found, "csem htmt2", htmt(fit.cor, "geometric"), theirs["htmt2"])
    sizes, factors = table(theirs["f2"]), table(theirs["vif"])
    for i, j in np.argwhere(INNER):
        found.add(f"csem {kind} f2", f2(fit, i, j), sizes.loc[NAMES[i], NAMES[j]])
    for i in np.flatnonzero(INNER.sum(axis=1) > 1):
        ours = inflation(fit.construct_cor[np.ix_(INNER[i], INNER[i])])
        found.add(f"csem {kind} vif", ours, factors.loc[NAMES[i], np.array(NAMES)[INNER[i]]])
    found.matrix(f"csem {kind} implied", fit.implied, theirs["implied"], ITEMS, ITEMS)
    for measure, value in distances(fit).items():
        found.add(f"csem {kind} {measure}", value, theirs[measure])


def main() -> None:
    values, answers, found = stored("mobi_assessment.json"), answers_of_mobi(), Comparison()
    fits = {
        "path_modeA": fitted(answers),
        "path_plsc": fitted(answers, consistent=True),
        "path_modeB": fitted(answers, mode="B"),
    }
    for kind, theirs in values["seminr"].items():
        of_seminr(found, theirs, fits[kind], kind)
    for kind, theirs in values["csem"].items():
        of_csem(found, theirs, fits[kind], kind)
    plain, theirs = fits["path_modeA"], values["matrixpls"]["path_modeA"]
    found.add("matrixpls cr", rho_c(plain), theirs["cr"])
    below(found, "matrixpls htmt", htmt(plain.cor, "signed"), theirs["htmt"])
    theirs = values["semtools"]
    for key, mean in (("htmt", "absolute"), ("htmt_signed", "signed"), ("htmt2", "geometric")):
        below(found, f"semtools {key}", htmt(plain.cor, mean), theirs[key])
    raw = dict(zip(NAMES, alpha(np.cov(answers, rowvar=False)), strict=True))
    wanted = table(theirs["reliability"]).loc["alpha"]
    found.add("semtools alpha", [raw[name] for name in wanted.index], wanted)
    found.finish(1e-8)


if __name__ == "__main__":
    main()
