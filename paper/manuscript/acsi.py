"""The public ACSI file of 2015: the index by industry, repurchase, thresholds, error, money."""

from __future__ import annotations

import csimodel as csi
from csimodel.errors import SurveyError
from csimodel.formatting import number
from csimodel.outcomes import literature
from manuscript.part import Part, Table, limits

DRAWS = 500
LOW, HIGH = 67.0, 70.0
INDUSTRY = "INDUSTRY_NAME"
MODEL = csi.Model.from_syntax(
    """
    Expectation  =~ OVERALLX + CUSTOMX + WRONGX
    Quality      =~ OVERALLQ + CUSTOMQ + WRONGQ
    Value        =~ PQ + QP
    Satisfaction =~ SATIS + CONFIRM + IDEAL
    Quality      ~ Expectation
    Value        ~ Expectation + Quality
    Satisfaction ~ Expectation + Quality + Value
    """
)
TERMS = {"margin": 120.0, "discount_rate": 0.10, "customers": 100_000}


def part() -> Part:
    """Compute the part, or say why it cannot be."""
    try:
        survey = csi.load_acsi2015(missing="construct-minimum")
    except SurveyError as error:
        return Part(absent=str(error))
    fit = csi.fit(MODEL, survey)
    boot = csi.bootstrap(fit, draws=DRAWS, rng=7, progress=False)
    rep = csi.repurchase(fit, "REPUR", bootstrap=boot, progress=False)
    industries = csi.outcomes.repurchase_segments(
        fit, "REPUR", by=INDUSTRY, bootstrap=boot, progress=False
    )
    drops = csi.outcomes.repurchase_top_drop(
        survey, satisfaction="SATIS", repurchase="REPUR", by=INDUSTRY
    )
    slopes = csi.outcomes.corrected_slopes(
        fit, "REPUR", family="ols", bootstrap=boot, progress=False
    )
    numbers: dict[str, float] = {
        "respondents": len(survey.data),
        "n": fit.n,
        "n.repurchase": rep.n,
        "draws": DRAWS,
        "low": LOW,
        "high": HIGH,
        **TERMS,
    }
    numbers |= _repurchase(rep, industries) | _threshold(fit) | _drops(drops)
    numbers |= _slopes(slopes) | _money(boot, rep) | _index(fit)
    return Part(
        numbers,
        {
            "index": _index_table(fit),
            "segments": _segment_table(industries, drops),
            "slopes": _slope_table(slopes),
        },
        {"acsi_curves": csi.plots.to_svg(csi.plots.repurchase_curves(industries))},
    )


def _index(fit: csi.estimators.Fit) -> dict[str, float]:
    scores = csi.index_scores(fit, by=INDUSTRY).xs("Satisfaction", level="construct")
    whole = csi.index_scores(fit).loc["Satisfaction"]
    return {
        "index.lowest": scores["mean"].min(),
        "index.highest": scores["mean"].max(),
        "index.mean": whole["mean"],
        "index.lower": whole["lower"],
        "index.upper": whole["upper"],
        "index.largest.se": scores["se"].max(),
    }


def _repurchase(
    rep: csi.outcomes.Repurchase, industries: csi.outcomes.Segments
) -> dict[str, float]:
    table = rep.contrast(LOW, HIGH)
    effect, published = rep.average_marginal_effect, literature.repurchase_per_point
    tests = industries.tests["p"]
    steps = industries.contrast(LOW, HIGH).xs("difference", level=1)["probability"]
    numbers = {
        f"repurchase.{name}.{column}": table.loc[row, column]
        for name, row in (
            ("low", f"at {LOW:g}"),
            ("high", f"at {HIGH:g}"),
            ("step", "difference"),
        )
        for column in ("probability", "lower", "upper")
    }
    return numbers | {
        "repurchase.point": float(effect),
        "repurchase.point.lower": effect.lower,
        "repurchase.point.upper": effect.upper,
        "published.point": published.value,
        "published.low": literature.repurchase_at_67.value,
        "published.high": literature.repurchase_at_70.value,
        "segments.p": tests.iloc[-1],
        "segments.smallest": steps.min(),
        "segments.largest": steps.max(),
    }


def _threshold(fit: csi.estimators.Fit) -> dict[str, float]:
    hinge = csi.outcomes.repurchase_shape(
        csi.repurchase(fit, "REPUR", progress=False), "hinge", draws=999, rng=1, progress=False
    )
    table, test = hinge.table, hinge.tests.iloc[0]
    numbers = {
        f"hinge.{name}.{column}": table.loc[row, column]
        for name, row in (
            ("threshold", "threshold"),
            ("below", "slope below"),
            ("above", "slope above"),
        )
        for column in ("estimate", "lower", "upper")
    }
    return numbers | {"hinge.p": test["p"], "hinge.draws": 999}


def _drops(drops: csi.outcomes.TopDrop) -> dict[str, float]:
    return {
        "drop.smallest": drops.table["drop"].min(),
        "drop.largest": drops.table["drop"].max(),
        "drop.p": drops.tests["p"].iloc[0],
    }


def _slopes(slopes: csi.outcomes.CorrectedSlopes) -> dict[str, float]:
    table = slopes.table.set_index("method")
    corrected = table.drop("naive")["slope"]
    return {
        "slope.naive": table.loc["naive", "slope"],
        "slope.smallest": corrected.min(),
        "slope.largest": corrected.max(),
        "slope.reliability": table.loc["eiv", "reliability"],
        "slope.attenuation": 1 - table.loc["naive", "slope"] / table.loc["eiv", "slope"],
    }


def _money(boot: csi.inference.Bootstrap, rep: csi.outcomes.Repurchase) -> dict[str, float]:
    terms = csi.money.Economics(currency="USD", period="year", **TERMS)
    numbers = {}
    for name, kind in (("money", "corrected"), ("money.ignored", "ignored")):
        found = csi.money.profit_of_driver(boot, rep, "Quality", terms, measurement_error=kind)
        own = found.estimate
        numbers |= {
            f"{name}.change": float(own),
            f"{name}.lower": own.lower,
            f"{name}.upper": own.upper,
        }
    return numbers


def _index_table(fit: csi.estimators.Fit) -> Table:
    scores = csi.index_scores(fit, by=INDUSTRY)
    rows = []
    for industry in scores.index.unique(0):
        own = scores.loc[industry]
        satisfaction = own.loc["Satisfaction"]
        rows.append(
            [
                str(industry),
                f"{int(satisfaction['n']):,}",
                *(number(own.loc[name, "mean"], 1) for name in MODEL.construct_names[:3]),
                number(satisfaction["mean"], 1),
                limits(satisfaction, 1),
            ]
        )
    head = ["Industry", "n", *MODEL.construct_names, "95 % interval"]
    return Table(head, rows)


def _segment_table(industries: csi.outcomes.Segments, drops: csi.outcomes.TopDrop) -> Table:
    steps, rows = industries.contrast(LOW, HIGH), []
    for name in steps.index.unique(0):
        own, drop = steps.loc[name], drops.table.loc[name]
        step = own.loc["difference"]
        rows.append(
            [
                str(name),
                number(100 * own["probability"].iloc[0], 1),
                number(100 * own["probability"].iloc[1], 1),
                number(100 * step["probability"], 2),
                limits(step, 2, 100),
                number(drop["drop"], 2),
                limits(drop, 2),
            ]
        )
    head = [
        "Industry", f"% at {LOW:g}", f"% at {HIGH:g}", "Step", "95 % interval",
        "Drop 10 to 9", "95 % interval",
    ]  # fmt: skip
    return Table(head, rows)


def _slope_table(slopes: csi.outcomes.CorrectedSlopes) -> Table:
    labels = {
        "naive": "none",
        "eiv": "errors in variables",
        "simex": "SIMEX",
        "croon": "Croon",
        "sem": "covariance SEM",
    }
    rows = [
        [
            labels[str(row["method"])],
            number(row["reliability"], 3),
            number(100 * row["slope"], 3),
            number(100 * row["se"], 3),
            limits(row, 3, 100),
        ]
        for _, row in slopes.table.iterrows()
    ]
    return Table(["Correction", "Reliability", "Slope", "SE", "95 % interval"], rows)
