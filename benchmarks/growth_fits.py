"""What is measured of reading, moments, estimation, inference and the index."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from growth_data import SCALE, Case
from growth_operations import (
    CALM,
    FEW,
    NEWTON,
    PLS_DRAW,
    PRODUCTS,
    SWEEPS,
    C,
    D,
    G,
    N,
    Operation,
    P,
    unfold,
)

import csimodel as csi


def write_indexes(case: Case) -> None:
    """Write the indexes of a fit to a file that goes again."""
    with tempfile.TemporaryDirectory() as folder:
        csi.respondent_index(case.pls, to=Path(folder) / "scores.parquet")


def fit(estimator: Any, data: str = "survey") -> Callable[[Case], Any]:
    """Return a call that fits, with the tables that are read off a fit."""

    def call(case: Case) -> Any:
        result = csi.fit(case.model, getattr(case, data), estimator)
        if not isinstance(estimator, csi.PLS):
            result.parameters  # noqa: B018
            result.fit_measures  # noqa: B018
        return result.paths

    return call


def survey_of(source: str) -> Callable[[Case], Any]:
    """Return a call that reads a survey from a file or a frame."""
    return lambda case: csi.read_survey(
        getattr(case, source), items=case.model.items, scale=SCALE, missing="pairwise"
    )


FITS = (
    # Reading
    Operation("read_survey, CSV", survey_of("csv"), {"n": (1, N), "p": (1, P)},
              "20*ns*n*p", ("csv",)),
    Operation("read_survey, Excel", survey_of("xlsx"), {"n": (1, 25_000)}, ".3*us*n*p", ("xlsx",)),
    Operation("read_survey, Parquet", survey_of("parquet"), {"n": (1, N)},
              "24*n*p/B", ("parquet",)),
    Operation("read_survey, Stata", survey_of("dta"), {"n": (1, 250_000)}, "24*n*p/B", ("dta",)),
    Operation("read_survey, frame", survey_of("frame"), {"n": (1, N)}, "24*n*p/B", ("frame",)),
    Operation("Survey.summary", lambda c: unfold(c.survey), {"n": (1, N)}, "24*n*p/B"),
    # Moments and fits
    Operation("moments_of", lambda c: csi.moments.moments_of(c.survey, c.model.items),
              {"n": (1, N), "p": (2, P)}, PRODUCTS),
    Operation("moments_of, pairwise", lambda c: csi.moments.moments_of(c.patterns, c.model.items),
              {"n": (1, 250_000), "p": (2, P)}, "5*n*p**2/F + 8*n*p/B", ("patterns",)),
    Operation("fit, PLS", fit(csi.PLS()), {"n": (1, N), "p": (2, P), "C": (2, C)},
              f"{PRODUCTS} + {SWEEPS}"),
    Operation("fit, PLSc", fit(csi.PLS(consistent=True)), {"n": (1, N), "p": (2, P), "C": (2, C)},
              f"{PRODUCTS} + {SWEEPS}"),
    Operation("fit, PLS, polychoric", fit(csi.PLS(correlations="polychoric"), "ordinal"),
              {"n": (1, 250_000), "p": (3, P)},
              f"p**2/2*(n*ns + 25*us) + 2*n*p**3/F + {SWEEPS}", ("ordinal",)),
    Operation("fit, GSCA", fit(csi.PLS(weights="gsca")), {"n": (1, N), "p": (2, P), "C": (2, C)},
              f"{PRODUCTS} + {SWEEPS}"),
    Operation("fit, ML", fit(csi.ML()), {"n": (1, N), "p": (3, P), "C": (3, C)},
              f"{PRODUCTS} + {NEWTON}"),
    Operation("fit, ULS", fit(csi.LeastSquares("uls")), {"n": (1, 250_000), "p": (3, P)},
              f"{PRODUCTS} + {NEWTON}"),
    Operation("fit, MLR", fit(csi.ML(se="robust")), {"n": (1, 250_000), "p": (3, P)},
              f"9*n*p**2/F + 8*n*p/B + 3*{NEWTON}"),
    Operation("fit, FIML", fit(csi.ML(missing="fiml"), "patterns"),
              {"n": (1, 250_000), "p": (3, P)}, "3*n*p**2/F + 40*20*4*p**3/F", ("patterns",)),
    Operation("fit, WLSMV", fit(csi.WLSMV(), "ordinal"), {"n": (1, 250_000), "p": (3, P)},
              f"p**2/2*(n*ns + 25*us) + 2*n*p**3/F + {NEWTON}", ("ordinal",)),
    Operation("Fit.scores", lambda c: c.pls.scores, {"n": (1, N)},
              "2*n*p*C/F + 16*n*p/B", ("pls",)),
    Operation("Fit.summary", lambda c: unfold(c.pls), {"C": (2, C)}, SWEEPS, ("pls",)),
    Operation("factor_scores", lambda c: csi.factor_scores(c.ml),
              {"n": (1, N), "p": (2, P)}, "2*n*p*C/F + 16*n*p/B", ("ml",)),
    Operation("compare", lambda c: unfold(csi.compare(c.pls, c.plsc)),
              {"C": (2, C)}, "C**2*10*us", ("pls", "plsc")),
    Operation("CovarianceFit.modification_indices", lambda c: c.ml.modification_indices(),
              {"p": (4, P), "C": (4, C)}, "2*p**4/F", ("ml",)),
    Operation("CovarianceFit.residual_tests", lambda c: c.ml.residual_tests,
              {"p": (6, 20)}, "p**6/F", ("ml",)),
    Operation("CovarianceFit.residual_table", lambda c: c.ml.residual_table,
              {"p": (3, P)}, "20*p**3/F", ("ml",)),
    Operation("CovarianceFit.effects", lambda c: c.ml.effects,
              {"C": (3, 12)}, "1.6**C*us", ("ml",)),
    # Groups
    Operation("fit_groups, PLS", lambda c: csi.fit_groups(c.model, c.survey, "firm"),
              {"n": (1, N), "G": (1, G)}, f"{PRODUCTS} + G*{SWEEPS}"),
    Operation("fit_groups, ML", lambda c: csi.fit_groups(c.model, c.survey, "firm", csi.ML()),
              {"G": (1, 1_000)}, f"{PRODUCTS} + G*{NEWTON}", rows=250),
    Operation("GroupFits.table", lambda c: c.groups.table("paths"),
              {"G": (1, G)}, "G*C**2*50*ns", ("groups",)),
    Operation("GroupFits.summary", lambda c: unfold(c.groups),
              {"G": (1, G)}, "G*C**2*50*ns", ("groups",)),
    Operation("GroupFits.values", lambda c: [one.r2 for one in c.groups.values()],
              {"G": (1, 1_000)}, "G*100*us", ("groups",)),
    Operation("fit_multigroup", lambda c: csi.fit_multigroup(
                  c.model, c.survey, "firm", equal="loadings").fit_measures,
              {"n": (1, 250_000), "G": (1, FEW)}, f"{PRODUCTS} + G*{NEWTON}", rows=250),
    Operation("MultiGroupFit.score_tests", lambda c: c.equal.score_tests,
              {"G": (1, FEW)}, f"G*{NEWTON}", ("equal",), rows=250),
    Operation("invariance", lambda c: csi.invariance(c.model, c.survey, "firm").table,
              {"n": (1, 250_000), "G": (1, FEW)}, f"{PRODUCTS} + 4*G*{NEWTON}", rows=250),
    # Inference
    Operation("bootstrap, PLS", lambda c: csi.bootstrap(c.pls, c.size.D, 7, **CALM),
              {"n": (1, N), "D": (1, D), "p": (2, P)}, PLS_DRAW, ("pls",)),
    Operation("bootstrap, clusters", lambda c: csi.bootstrap(c.clustered_pls, c.size.D, 7, **CALM),
              {"n": (1, N), "G": (1, G)}, f"{PRODUCTS} + D*(G*p**2/F + 2*ns*G + {SWEEPS})",
              ("clustered_pls",)),
    Operation("bootstrap, ML", lambda c: csi.bootstrap(c.ml, c.size.D, 7, **CALM),
              {"n": (1, 250_000), "D": (1, 1_000), "C": (3, 20)},
              f"D*(n*p**2/F + 2*ns*n + {NEWTON})", ("ml",)),
    Operation("bootstrap, WLSMV", lambda c: csi.bootstrap(c.wlsmv, c.size.D, 7, **CALM),
              {"D": (1, 1_000)}, f"D*(p**2/2*(n*ns + 25*us) + {NEWTON})", ("wlsmv",)),
    Operation("Bootstrap.table, percentile", lambda c: c.boot.table("paths", interval="percentile"),
              {"D": (1, D), "C": (2, C)}, "D*C*2*20*ns", ("boot",)),
    Operation("Bootstrap.table, chains", lambda c: c.boot.table("specific_indirect_effects"),
              {"C": (3, 12)}, "D*1.6**C*20*ns", ("boot",)),
    Operation("Bootstrap.table, BCa", lambda c: c.boot.table("paths", interval="bca"),
              {"n": (1, 250_000), "D": (1, D)}, f"n*{SWEEPS} + D*C*2*20*ns", ("boot",)),
    Operation("Bootstrap.summary", lambda c: unfold(c.boot), {"D": (1, D)},
              "D*C*2*60*ns", ("boot",)),
    Operation("jackknife, PLS", lambda c: csi.jackknife(c.pls).table("paths"),
              {"n": (1, 250_000), "p": (2, P)}, f"{PRODUCTS} + n*{SWEEPS}", ("pls",), {"n": 1_000}),
    Operation("jackknife, clusters", lambda c: csi.jackknife(c.clustered_pls).table("paths"),
              {"G": (1, G)}, f"{PRODUCTS} + G*{SWEEPS}", ("clustered_pls",)),
    Operation("linearize", lambda c: csi.linearize(c.pls).table("paths"),
              {"n": (1, N), "p": (2, P), "C": (2, C)}, f"{PRODUCTS} + p**2*{SWEEPS}", ("pls",)),
    Operation("replicate_weights", lambda c: csi.replicate_weights(c.clustered, "jk1"),
              {"n": (1, 250_000)}, "16*n*20/B", ("clustered",)),
    Operation("replicate", lambda c: csi.replicate(
                  csi.fit(c.model, csi.replicate_weights(c.survey, "bootstrap", replicates=50)),
                  progress=False),
              {"n": (1, 250_000)}, "50*n*(p**2/F + 8/B)"),
    Operation("scan", lambda c: csi.fit(c.model, csi.scan(c.table, scale=SCALE)),
              {"n": (1, N), "p": (2, P)}, f"{PRODUCTS} + {SWEEPS}", ("table",)),
    Operation("scan, errors", lambda c: csi.index_scores(
                  csi.fit(c.model, csi.scan(c.table, scale=SCALE))),
              {"n": (1, 250_000), "p": (2, P)}, "n*p**4/F + n*p**2*8/B", ("table",)),
    Operation("scan, bootstrap by bucket", lambda c: csi.bootstrap(
                  csi.fit(c.model, csi.scan(c.table, scale=SCALE, buckets=200)),
                  c.size.D, 7, **CALM),
              {"n": (1, N), "D": (1, 1_000)},
              f"{PRODUCTS} + n*p*8/B + D*(200*p**2/F + {SWEEPS})", ("table",)),
    Operation("scan, repurchase", lambda c: csi.repurchase(
                  csi.fit(c.model, csi.scan(c.table, scale=SCALE)), c.model.items[-1],
                  scale=SCALE),
              {"n": (1, 250_000), "p": (2, P)}, f"{PRODUCTS} + 2*{SWEEPS} + n*us", ("table",)),
    Operation("rake", lambda c: csi.rake(c.survey, {"firm": c.survey.data["firm"].value_counts()}),
              {"n": (1, N), "G": (1, 100)}, "5*n*G**2/F"),
    Operation("impute", lambda c: csi.impute(c.patterns, 2, sweeps=2, rng=1, progress=False),
              {"n": (1, 250_000), "p": (2, P)}, "4*p*(2*n*p/F + n*100*ns + p**3/F)", ("patterns",)),
    Operation("bollen_stine", lambda c: csi.inference.bollen_stine(c.ml, c.size.D, 7, **CALM),
              {"n": (1, 250_000), "D": (1, 1_000)},
              f"D*(n*p**2/F + 2*ns*n + {NEWTON})", ("ml",)),
    # Index
    Operation("respondent_index", lambda c: csi.respondent_index(c.pls),
              {"n": (1, N)}, "2*n*p*C/F + 16*n*p/B", ("pls",)),
    Operation("respondent_index, file", write_indexes,
              {"n": (1, 250_000)}, "2*n*p*C/F + 16*n*p/B + n*C*100*ns", ("pls",)),
    Operation("index_scores", lambda c: csi.index_scores(c.pls),
              {"n": (1, N), "p": (2, P), "C": (2, C)}, "3*n*p**2/F + 8*n*p/B", ("pls",)),
    Operation("index_scores, draws", lambda c: csi.index_scores(c.pls, bootstrap=c.boot),
              {"n": (1, 250_000), "D": (1, D)}, "D*p*20*ns", ("pls", "boot")),
    Operation("index_scores, BCa",
              lambda c: csi.index_scores(c.pls, bootstrap=c.boot, interval="bca"),
              {"n": (1, 250_000)}, f"n*{SWEEPS} + D*p*20*ns", ("pls", "boot")),
    Operation("index_scores, by", lambda c: csi.index_scores(c.pls, by="firm"),
              {"n": (1, N), "G": (1, G)}, "3*n*p**2/F + 16*n*p/B + G*C*us", ("pls",)),
    Operation("index_scores, groups", lambda c: csi.index_scores(c.groups),
              {"n": (1, N), "G": (1, G)}, "n*(8*p*C/F + 24*p/B) + G*(p**3/F + C*us)", ("groups",)),
    Operation("index_scores, by and draws",
              lambda c: csi.index_scores(c.pls, by="firm", bootstrap=c.boot),
              {"n": (1, 250_000), "G": (1, 1_000), "D": (1, D)},
              "D*n*(2*ns + 2*p/F) + D*G*C*20*ns", ("pls", "boot")),
    Operation("what_if", lambda c: csi.what_if(c.pls, {"Quality": 5}),
              {"n": (1, N), "p": (2, P), "C": (2, C)}, "3*n*p**2/F + 8*n*p/B", ("pls",)),
    Operation("goal_seek", lambda c: csi.goal_seek(c.pls, c.model.construct_names[-1], 90),
              {"n": (1, N), "p": (2, P), "C": (2, 12)}, "3*n*p**2/F + 8*n*p/B", ("pls",)),
    Operation("save", lambda c: csi.save(c.boot, c.folder / "boot.csimodel"),
              {"n": (1, N), "p": (2, P), "D": (1, D)}, "8*n*p/B + 8*D*p**2/B", ("boot",)),
    Operation("load", lambda c: csi.load(c.saved),
              {"n": (1, N), "p": (2, P), "D": (1, D)}, "8*n*p/B + 8*D*p**2/B", ("saved",)),
    Operation("programme", lambda c: csi.programme(
                  c.model, c.survey, "firm", "period", construct=c.model.construct_names[0]).scores,
              {"n": (1, N), "G": (1, G)}, "n*(12*p*C/F + 40*p/B) + 5*G*(p**3/F + 30*C*us)"),
    Operation("importance_performance",
              lambda c: csi.importance_performance(c.pls, bootstrap=c.boot),
              {"D": (1, D), "C": (3, C)}, "D*C**3/F + D*C*20*ns", ("pls", "boot")),
    Operation("simple_slopes", lambda c: csi.simple_slopes(c.moderated, *c.moderation[1:],
                                                           bootstrap=c.moderated_boot),
              {"D": (1, D)}, "D*200*20*ns", ("moderated_boot",)),
    Operation("predict", lambda c: unfold(csi.predict(c.pls, 10, 1)),
              {"n": (1, N), "p": (2, P), "C": (2, C)}, f"{PRODUCTS} + 10*{SWEEPS} + 8*n*p**2/F",
              ("pls",)),
    Operation("compare_groups", lambda c: csi.compare_groups(
                  c.model, c.survey, "half", rng=1, permutations=c.size.D, progress=False),
              {"n": (1, 250_000), "p": (2, P), "D": (1, 1_000)}, f"2*{PLS_DRAW}"),
    Operation("compare_groups, draws", lambda c: csi.compare_groups(
                  c.model, c.survey, "half", "parametric", 1, draws=c.size.D, progress=False),
              {"n": (1, 250_000), "D": (1, 1_000)}, f"2*{PLS_DRAW}"),
    Operation("micom", lambda c: csi.micom(
                  c.model, c.survey, "half", c.size.D, rng=1, progress=False),
              {"n": (1, 250_000), "p": (2, P), "D": (1, 1_000)}, f"2*{PLS_DRAW}"),
    Operation("cvpat", lambda c: unfold(csi.cvpat(c.pls, folds=10)),
              {"n": (1, N), "p": (2, P), "C": (2, C)}, f"{PRODUCTS} + 10*{SWEEPS} + 8*n*p**2/F",
              ("pls",)),
    Operation("overall_fit", lambda c: unfold(csi.overall_fit(c.pls, 50, **CALM)),
              {"n": (1, 250_000), "p": (3, P), "C": (2, C)},
              f"50*({PRODUCTS.split(' + ')[0]} + 2*{SWEEPS} + 20*p**3/F)", ("pls",)),
    Operation("overall_fit, draws", lambda c: csi.overall_fit(c.pls, c.size.D, **CALM),
              {"D": (1, D)}, f"{PLS_DRAW} + D*20*p**3/F", ("pls",)),
    Operation("assessment.necessary_conditions", lambda c: csi.assessment.necessary_conditions(
                  c.pls, c.model.construct_names[-1], c.size.D, **CALM),
              {"n": (1, 250_000), "C": (2, C), "D": (1, D)}, "D*C*n*3*ns",
              ("pls",)),
    Operation("assessment.fimix", lambda c: csi.assessment.fimix(
                  c.pls, [2], 5, iterations=50, tolerance=1.0, progress=False),
              {"n": (1, 250_000), "C": (2, C)}, "20*n*C**2*4*ns", ("pls",)),
    Operation("assess", lambda c: csi.assess(c.pls), {"n": (1, N), "p": (2, P), "C": (3, C)},
              "10*p**3/F", ("pls",)),
    Operation("assess, draws", lambda c: unfold(csi.assess(c.pls, c.boot)),
              {"D": (1, D)}, "D*(10*p**2/F + C**2*20*ns)", ("pls", "boot")),
)  # fmt: skip
