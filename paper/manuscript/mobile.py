"""Customers of mobile phone providers: PLS, PLSc and ML side by side, the index, repurchase."""

from __future__ import annotations

import numpy as np

import csimodel as csi
from csimodel.formatting import number
from manuscript.part import Part, Table, limits

DRAWS = 2000
LOW, HIGH = 67.0, 70.0
ESTIMATORS = {
    "PLS": csi.PLS(),
    "PLSc": csi.PLS(consistent=True),
    "ML": csi.ML(),
}
THREE = csi.Model.from_syntax(
    """
    Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
    Value =~ PERV1 + PERV2
    Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    Value ~ Image
    Satisfaction ~ Image + Value
    """
)


def part() -> Part:
    """Compute the part."""
    model, survey = csi.models.ecsi(), csi.load_mobi()
    fits = {name: csi.fit(model, survey, own) for name, own in ESTIMATORS.items()}
    pls = fits["PLS"]
    boot = csi.bootstrap(pls, draws=DRAWS, rng=7, progress=False)
    numbers: dict[str, float] = {
        "draws": DRAWS,
        "n": pls.n,
        "items": len(model.items),
        "constructs": len(model.construct_names),
        "paths": len(model.paths),
        "low": LOW,
        "high": HIGH,
    }
    numbers |= _paths(fits, boot) | _doubts(fits, boot)
    numbers |= _index(pls, boot) | _repurchase(pls, boot)
    return Part(
        numbers,
        {
            "index": _index_table(pls, boot),
            "paths": _path_table(fits, boot),
            "three": _three(survey),
        },
        {
            "mobile_diagram": csi.plots.to_svg(csi.plots.path_diagram(pls, bootstrap=boot)),
        },
        {
            "plsc": str(fits["PLSc"].diagnostics[0].message),
            "ml": str(fits["ML"].diagnostics[1].message),
        },
    )


def _paths(fits: dict[str, csi.estimators.Fit], boot: csi.inference.Bootstrap) -> dict[str, float]:
    numbers = {}
    for name, fit in fits.items():
        for path in fit.model.paths:
            key = f"path.{path.source}.{path.target}.{name}"
            numbers[key] = fit.paths.loc[path.target, path.source]
    table = boot.table("paths")
    covering = table[(table["lower"] <= 0) & (table["upper"] >= 0)]
    return numbers | {"paths.covering": len(covering)}


def _doubts(fits: dict[str, csi.estimators.Fit], boot: csi.inference.Bootstrap) -> dict[str, float]:
    ml, plsc = fits["ML"], fits["PLSc"]
    rows = ml.parameters.query("op == '~'").set_index(["lhs", "rhs"])
    measures = ml.fit_measures
    htmt = csi.assess(fits["PLS"], boot).htmt
    return {
        "plsc.eigenvalue": np.linalg.eigvalsh(plsc.construct_cor)[0],
        "pls.eigenvalue": np.linalg.eigvalsh(fits["PLS"].construct_cor)[0],
        "plsc.reliability.Expectation": plsc.estimates.reliability[1],
        "ml.cor.Expectation.Quality": ml.construct_cor.loc["Expectation", "Quality"],
        "ml.largest.se": rows["std_se"].max(),
        "ml.beyond.1": (rows["std_se"] > 1).sum(),
        "ml.chisq": measures["chisq"],
        "ml.df": measures["df"],
        "ml.cfi": measures["cfi"],
        "ml.rmsea": measures["rmsea"],
        "ml.findings": len(ml.diagnostics),
        "htmt.largest": htmt["estimate"].max(),
        "htmt.pairs": len(htmt),
        "htmt.reach.1": (htmt["upper"] >= 1).sum(),
    }


def _index(fit: csi.estimators.Fit, boot: csi.inference.Bootstrap) -> dict[str, float]:
    by_draws = csi.index_scores(fit, bootstrap=boot)
    by_influence = csi.index_scores(fit)
    numbers = {
        f"index.{construct}.{column}": row[column]
        for construct, row in by_draws.iterrows()
        for column in ("mean", "se", "lower", "upper")
    }
    gap = (by_draws["se"] / by_influence["se"] - 1).abs().max()
    return numbers | {"index.se.gap": gap}


def _repurchase(fit: csi.estimators.Fit, boot: csi.inference.Bootstrap) -> dict[str, float]:
    rep = csi.repurchase(fit, "CUSL1", bootstrap=boot, progress=False)
    numbers = {
        f"repurchase.{row}.{column}": values[column]
        for row, values in zip(("low", "high", "step"), _rows(rep), strict=True)
        for column in ("probability", "lower", "upper")
    }
    naive = rep.naive.contrast(LOW, HIGH).loc["difference"]
    whole = rep.contrast(LOW, HIGH).loc["difference"]
    return numbers | {"repurchase.se.ratio": whole["se"] / naive["se"]}


def _rows(rep: csi.outcomes.Repurchase) -> list:
    return [row for _, row in rep.contrast(LOW, HIGH).iterrows()]


def _index_table(fit: csi.estimators.Fit, boot: csi.inference.Bootstrap) -> Table:
    by_draws, by_influence = csi.index_scores(fit, bootstrap=boot), csi.index_scores(fit)
    items = {construct.name: len(construct.items) for construct in fit.model.constructs}
    rows = []
    for construct, row in by_draws.iterrows():
        other = by_influence.loc[construct]
        rows.append(
            [
                construct,
                str(items[construct]),
                number(row["mean"], 1),
                number(row["se"], 2),
                limits(row, 1),
                number(other["se"], 2),
                limits(other, 1),
            ]
        )
    head = ["Construct", "Items", "Index", "SE", "95 % interval", "SE", "95 % interval"]
    return Table(head, rows)


def _path_table(fits: dict[str, csi.estimators.Fit], boot: csi.inference.Bootstrap) -> Table:
    intervals = boot.table("paths")
    errors = fits["ML"].parameters.query("op == '~'").set_index(["lhs", "rhs"])["std_se"]
    rows = []
    for path in fits["PLS"].model.paths:
        key = (path.target, path.source)
        rows.append(
            [
                f"{path.source} → {path.target}",
                number(fits["PLS"].paths.loc[key], 2),
                limits(intervals.loc[key], 2),
                number(fits["PLSc"].paths.loc[key], 2),
                number(fits["ML"].paths.loc[key], 2),
                number(errors.loc[key], 2),
            ]
        )
    return Table(["Path", "PLS", "95 % interval", "PLSc", "ML", "SE of ML"], rows)


def _three(survey: csi.Survey) -> Table:
    rows = []
    fits = {name: csi.fit(THREE, survey, own) for name, own in ESTIMATORS.items()}
    draws = {n: csi.bootstrap(f, draws=DRAWS, rng=7, progress=False) for n, f in fits.items()}
    for path in THREE.paths:
        cells = [f"{path.source} → {path.target}"]
        for own in draws.values():
            row = own.table("paths").loc[(path.target, path.source)]
            cells += [
                number(row["estimate"], 2),
                limits(row, 2),
            ]
        rows.append(cells)
    names = [text for name in fits for text in (name, "95 % interval")]
    return Table(["Path", *names], rows)
