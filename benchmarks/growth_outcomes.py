"""What is measured of regressions, money, pictures, the whole analysis and simulation."""

from collections.abc import Callable
from typing import Any

from growth_data import Case
from growth_operations import (
    CALM,
    CHAIN,
    LOGIT,
    NEWTON,
    PLS_DRAW,
    PRODUCTS,
    C,
    D,
    G,
    N,
    Operation,
)

import csimodel as csi


def economics() -> Any:
    """Return what a customer brings."""
    return csi.outcomes.money.Economics(
        margin=120, currency="EUR", period="year", discount_rate=0.08, customers=1_000
    )


def regression(function: str, draws: bool, **options: Any) -> Callable[[Case], Any]:
    """Return a call of one of the regressions of `csimodel.outcomes` on the fit."""

    def call(case: Case) -> Any:
        boot = {"bootstrap": case.boot} if draws else {}
        return getattr(csi.outcomes, function)(case.pls, **options, **boot)

    return call


def errors_of_segments(case: Case) -> Any:
    """Return effects, bends and tests of segments, whose errors are made when they are read."""
    segments = csi.outcomes.repurchase_segments(case.pls, **SEGMENTS)
    return segments.table, segments.bends, segments.tests


def image(figure: Any) -> str:
    """Write a figure and close it."""
    import matplotlib.pyplot as plt

    text = csi.plots.to_svg(figure)
    plt.close("all")
    return text


SEGMENTS = {"outcome": "repurchase", "by": "firm", "family": "logit", **CALM}
GAPS = {"outcome": "repurchase", "family": "logit", **CALM}
TIME = {"duration": "months", "event": "left", "kind": "churn", **CALM}
PANEL = {"outcome": "repurchase", "firm": "firm", "period": "period"}
MIXED = {"outcome": "repurchase", "by": "firm", "scale": (0, 1)}
SLOPES = {"outcome": "repurchase", "family": "logit", **CALM}
COMPLAINTS = {"complained": "complained", "handling": "handling", "repurchase": "repurchase"}
TOP = {"satisfaction": "satisfaction_0", "repurchase": "repurchase", "fewest": 2}

OUTCOMES = (
    # Regressions
    *(Operation(f"repurchase, {family}", lambda c, family=family: c.repurchase(None, family),
                {"n": (1, N)}, "2*n*p/F + 8*n*p/B" if family == "ols" else LOGIT, ("pls",))
      for family in ("ols", "logit", "probit")),
    Operation("repurchase, ordered logit", lambda c: csi.outcomes.repurchase(
                  c.pls, "loyalty_0", family="ordered-logit"),
              {"n": (1, N)}, LOGIT, ("pls",)),
    Operation("repurchase, draws", lambda c: c.repurchase(c.boot),
              {"n": (1, 250_000), "D": (1, D)}, CHAIN, ("pls", "boot")),
    Operation("repurchase_shape, spline",
              lambda c: csi.outcomes.repurchase_shape(c.logit, "spline", rng=1),
              {"n": (1, 250_000)}, LOGIT, ("logit",)),
    Operation("repurchase_shape, hinge",
              lambda c: csi.outcomes.repurchase_shape(c.logit, "hinge", draws=c.size.D, rng=1),
              {"n": (1, 25_000), "D": (1, 1_000)}, f"30*{LOGIT} + D*30*n*10/F", ("logit",)),
    Operation("repurchase_shape, draws",
              lambda c: csi.outcomes.repurchase_shape(c.logit_draws, "spline", rng=1),
              {"D": (1, 1_000)}, CHAIN, ("logit_draws",)),
    Operation("compare_shapes",
              lambda c: csi.outcomes.compare_shapes(c.logit, draws=c.size.D, rng=1),
              {"n": (1, 25_000), "D": (1, 1_000)}, f"10*30*{LOGIT} + D*30*n*10/F", ("logit",)),
    Operation("calibration", lambda c: csi.outcomes.calibration(c.logit, rng=1),
              {"n": (1, N)}, f"10*{LOGIT} + 100*ns*n", ("logit",)),
    Operation("repurchase_segments", regression("repurchase_segments", False, **SEGMENTS),
              {"n": (1, N), "G": (1, 1_000)}, LOGIT, ("pls",)),
    Operation("repurchase_segments, errors", errors_of_segments,
              {"n": (1, N), "G": (1, 1_000)}, LOGIT, ("pls",)),
    Operation("repurchase_segments, draws", regression("repurchase_segments", True, **SEGMENTS),
              {"G": (1, 100), "D": (1, 1_000)}, CHAIN, ("pls", "boot")),
    Operation("repurchase_asymmetry", regression("repurchase_asymmetry", False, **GAPS),
              {"n": (1, N)}, LOGIT, ("pls",)),
    Operation("repurchase_asymmetry, draws", regression("repurchase_asymmetry", True, **GAPS),
              {"D": (1, 1_000)}, CHAIN, ("pls", "boot")),
    Operation("repurchase_time", regression("repurchase_time", False, **TIME),
              {"n": (1, N)}, LOGIT, ("pls",)),
    Operation("repurchase_time, draws", regression("repurchase_time", True, **TIME),
              {"n": (1, 25_000), "D": (1, 1_000)}, CHAIN, ("pls", "boot")),
    Operation("repurchase_panel", regression("repurchase_panel", False, **PANEL),
              {"n": (1, N), "G": (1, 1_000)}, "2*n*p/F + 8*n*p/B + G*50*us", ("pls",)),
    Operation("repurchase_panel, draws", regression("repurchase_panel", True, **PANEL),
              {"D": (1, 1_000)}, PLS_DRAW, ("pls", "boot"), {"G": 20}),
    Operation("repurchase_mixed", regression("repurchase_mixed", False, **MIXED),
              {"n": (1, N), "G": (1, G)}, "2*n*p/F + 8*n*p/B + 100*ns*n", ("pls",), {"G": 20}),
    Operation("repurchase_mixed, population-averaged",
              regression("repurchase_mixed", False, model="population-averaged", **MIXED),
              {"n": (1, N), "G": (1, G)}, LOGIT, ("pls",), {"G": 20}),
    Operation("repurchase_top_drop",
              lambda c: csi.outcomes.repurchase_top_drop(c.survey, by="firm", **TOP),
              {"n": (1, N), "G": (2, 1_000)}, "50*ns*n", ("survey",)),
    Operation("complaint_repurchase",
              lambda c: csi.outcomes.complaint_repurchase(c.survey, well_from=8, **COMPLAINTS),
              {"n": (1, N)}, "50*ns*n"),
    Operation("corrected_slopes", regression("corrected_slopes", False, **SLOPES),
              {"n": (1, 250_000)}, f"60*{LOGIT}", ("pls",)),
    Operation("corrected_slopes, draws", regression("corrected_slopes", True, **SLOPES),
              {"n": (1, 25_000), "D": (1, 1_000)}, f"{PLS_DRAW} + D*60*{LOGIT}", ("pls", "boot")),
    Operation("index_reliability", lambda c: csi.outcomes.index_reliability(c.pls),
              {"n": (1, N)}, PRODUCTS, ("pls",)),
    # Money
    Operation("money.retention_of", lambda c: csi.outcomes.money.retention_of(
                  c.logit, 70, economics(), draws=c.size.D),
              {"D": (1, D)}, "D*us", ("logit",)),
    Operation("money.profit_of_change", lambda c: csi.outcomes.money.profit_of_change(
                  c.logit_draws, 67, 70, economics(), draws=c.size.D),
              {"D": (1, D)}, "D*us", ("logit_draws",)),
    Operation("money.profit_of_driver", lambda c: csi.outcomes.money.profit_of_driver(
                  c.boot, c.logit_draws, "Quality", economics(), draws=c.size.D),
              {"D": (1, D)}, "D*us", ("boot", "logit_draws")),
    Operation("programme_impacts", lambda c: csi.outcomes.programme_impacts(
                  csi.programme(c.model, c.survey, "firm", "period"),
                  {c.model.construct_names[0]: 5}, "repurchase").scores,
              {"n": (1, N), "G": (1, G)},
              f"n*(12*p*C/F + 40*p/B) + 2*{LOGIT} + 5*G*(p**3/F + 100*C*us)"),
    Operation("money.buying_rates", lambda c: csi.outcomes.money.buying_rates(
                  c.survey, bought="repurchase", existing="complained"),
              {"n": (1, N)}, "20*ns*n"),
    # Pictures, the whole analysis, the report
    Operation("plots.path_diagram", lambda c: image(csi.plots.path_diagram(c.pls)),
              {"C": (2, C)}, "C*2*ms", ("pls",)),
    Operation("plots.intervals", lambda c: image(csi.plots.intervals(c.boot.table("paths"))),
              {"C": (1, C)}, "C*2*ms", ("boot",)),
    Operation("plots.repurchase_curve", lambda c: image(csi.plots.repurchase_curve(
                  c.logit.curve(), rug=csi.respondent_index(c.pls)["Satisfaction"])),
              {"n": (1, 250_000)}, "50*ms + 20*ns*n", ("logit",)),
    Operation("analyze", lambda c: c.analyze(None),
              {"n": (1, 250_000), "C": (3, C), "D": (1, D)}, f"2*({CHAIN})"),
    Operation("analyze, by", lambda c: c.analyze("firm"), {"G": (1, 100)}, f"3*({CHAIN})"),
    Operation("write_report", lambda c: csi.write_report(
                  c.analysis, c.folder / "report", **CALM),
              {"n": (1, 250_000), "C": (2, C)}, "300*ms + C*20*ms", ("analysis",)),
    # Simulation
    Operation("simulate.population", lambda c: Case(c.size, c.folder).truth,
              {"C": (3, C)}, "p**3/F", ("model",)),
    Operation("simulate.programme", lambda c: csi.simulate.programme(
                  c.size.G + 6, 4, max(c.size.n // (4 * (c.size.G + 6)), 2)),
              {"n": (1, N)}, "n*p*30*ns + 300*ms"),
    Operation("Population.survey", lambda c: c.truth.survey(c.size.n, rng=1),
              {"n": (1, N)}, "n*p*30*ns", ("truth",)),
    Operation("simulate.replicate", lambda c: csi.simulate.replicate(
                  c.truth, 250, c.size.D, csi.PLS(), resamples=20),
              {"D": (1, 200)}, "D*(n*p*30*ns + 20*n*p**2/F)", ("truth",), {"n": 250}),
    Operation("simulate.power", lambda c: csi.simulate.power(c.truth, 250, csi.ML(), c.size.D),
              {"D": (1, 1_000)}, f"D*(2*p**3/F + {NEWTON})", ("truth",), {"n": 250}),
)  # fmt: skip
