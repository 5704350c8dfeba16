"""Values of mobi_bootstrap.json made afresh: fits of the given rows, and intervals of stored draws.

Run anywhere: python mobi_bootstrap.py. The resamples of seminr are the rows of
mobi_boot_indices_500x250_1based.csv, counted from 1; cSEM's draws are stored beside their intervals.
"""

from statistics import NormalDist

import numpy as np
from pls import FOLDER, INNER, ITEMS, NAMES, OWN, Comparison, answers_of_mobi, fitted, stored

KINDS = {"paths": "paths", "total": "total_effects", "loadings": "loadings", "weights": "weights"}


def label_of(kind: str, row: int, column: int) -> str:
    if kind in ("loadings", "weights"):
        return f"{ITEMS[row]} -> {NAMES[column]}"
    return f"{NAMES[column]} -> {NAMES[row]}"


def refits(found: Comparison, theirs: dict, consistent: bool) -> None:
    rows = np.loadtxt(FOLDER / "mobi_boot_indices_500x250_1based.csv", delimiter=",", dtype=int) - 1
    answers = answers_of_mobi()
    fits = [fitted(answers[own], consistent=consistent) for own in rows]
    reached = (np.linalg.inv(np.eye(len(NAMES)) - INNER) > 0) & ~np.eye(len(NAMES), dtype=bool)
    for kind, attribute in KINDS.items():
        draws = np.stack([getattr(fit, attribute) for fit in fits])
        stats = theirs["stats"][kind]
        shown = {"paths": INNER, "total": reached}.get(kind, OWN)
        for row, column in np.argwhere(shown):
            own, label = draws[:, row, column], label_of(kind, row, column)
            ends = np.quantile(own, [0.025, 0.975])
            ours = [own.mean(), own.std(ddof=1), *ends]
            wanted = [stats[name][label] for name in ("mean", "sd", "q025", "q975")]
            found.add(f"seminr {kind}", ours, wanted)
            if kind == "paths":
                first = theirs["first5_paths"]
                place = first["cols"].index(label)
                found.add("seminr first draws", own[:5], np.array(first["data"])[:, place])
    r2 = np.stack([fit.r2 for fit in fits])
    for construct, sd in theirs["stats"]["R2"]["sd"].items():
        found.add("seminr R2", r2[:, NAMES.index(construct)].std(ddof=1), sd)


def intervals(found: Comparison, entry: dict) -> None:
    draws = np.array(entry["path_resamples"]["data"], dtype=float)
    estimate = np.array(list(entry["path_original"].values()))
    theirs, z = entry["infer_paths"], NormalDist().inv_cdf(0.975)
    bias, sd = draws.mean(axis=0) - estimate, draws.std(axis=0, ddof=1)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    found.add("csem percentile", [low, high], theirs["CI_percentile"]["data"])
    # cSEM takes the bias off the estimate before it turns the quantiles round.
    centre = 2 * (estimate - bias)
    found.add("csem basic", [centre - high, centre - low], theirs["CI_basic"]["data"])
    normal = [estimate - bias - z * sd, estimate - bias + z * sd]
    found.add("csem normal", normal, theirs["CI_standard_z"]["data"])
    found.add("csem sd", sd, list(theirs["sd"].values()))
    ends = []
    for j, own in enumerate(draws.T):
        shift = 2 * NormalDist().inv_cdf(float((own <= estimate[j]).mean()))
        levels = [NormalDist().cdf(shift - z), NormalDist().cdf(shift + z)]
        ends.append(np.quantile(own, levels))
    found.add("csem bc", np.array(ends).T, theirs["CI_bc"]["data"])


def main() -> None:
    values, found = stored("mobi_bootstrap.json"), Comparison()
    for kind in ("modeA", "plsc"):
        refits(found, values["seminr"][kind], kind == "plsc")
    intervals(found, values["csem"]["csem_infer_modeA"])
    found.finish(1e-6)


if __name__ == "__main__":
    main()
