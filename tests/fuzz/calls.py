"""Every public call on a case, by part; what a part calls is registered by name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

import csimodel as csi
import csimodel.assessment
import csimodel.estimators.covariance.defined
import csimodel.index  # with their quantities, so that draws of names are the same in every run
from csimodel.estimators.quantities import _REGISTRY as QUANTITIES
from csimodel.model.terms import Product
from fuzz.judge import Judge
from fuzz.surveys import ESTIMATORS, Case, Recipe

INTERVALS = ("percentile", "basic", "normal", "studentized", "bc", "bca")
ITEM_WEIGHTS = ("own", "pooled", "base")
PARTS: dict[str, Callable[[SimpleNamespace], None]] = {}
COVERED: set[str] = set()


def part(*names: str) -> Callable[[Callable], Callable]:
    """Register a part and the public names it covers."""

    def add(function: Callable) -> Callable:
        PARTS[function.__name__] = function
        COVERED.update(names)
        return function

    return add


def parts_of(recipe: Recipe, count: int) -> list[str]:
    """Return the parts of the calls that a case takes, others in each case."""
    order = np.random.default_rng(recipe.seed + 1).permutation(len(PARTS))
    return [list(PARTS)[k] for k in sorted(order[:count])]


def play(case: Case, judge: Judge, parts: list[str] | None = None) -> None:
    """Read and fit a case, and run parts of the calls on it, all by default."""
    survey = judge("read_survey", csi.read_survey, case.frame, **case.reading)
    if survey is None:
        return
    judge.look("Survey", survey)
    fits = {}
    for name in case.recipe.estimators:
        fit = judge(f"fit {name}", csi.fit, case.model, survey, ESTIMATORS[name])
        if fit is not None:
            fits[name] = fit
    fit = next(iter(fits.values()), None)
    judge.beside = [fit, survey]
    boot = None
    if fit is not None:
        boot = judge("bootstrap", csi.bootstrap, fit, 40, rng=1, progress=False)
        judge.beside = [fit, survey, boot]
    rng = np.random.default_rng(case.recipe.seed)
    given = SimpleNamespace(
        case=case, judge=judge, survey=survey, fits=fits, fit=fit, boot=boot, rng=rng
    )
    for name in parts or PARTS:
        PARTS[name](given)


def _drawn(given: SimpleNamespace, values: list, count: int) -> list:
    """Return some of many, others in each case."""
    values = list(values)
    return [values[k] for k in given.rng.permutation(len(values))[:count]]


def with_fit(function: Callable[[SimpleNamespace], None]) -> Callable[[SimpleNamespace], None]:
    """Run a part only where there is a fit."""

    def run(given: SimpleNamespace) -> None:
        if given.fit is not None:
            function(given)

    run.__name__ = function.__name__
    return run


@part("fit", "Fit", "PLS", "ML", "LeastSquares", "WLSMV", "Semopy", "factor_scores", "FactorScores")
@with_fit
def fits(given):
    judge, case = given.judge, given.case
    for name, fit in given.fits.items():
        judge.beside = [fit, given.survey]
        judge.look(f"fit {name}", fit)
        judge(f"{name} standardized", lambda fit: fit.standardized("latent"), fit)
        judge(f"{name} modification_indices", lambda fit: fit.modification_indices(), fit)
        scores = judge(f"{name} factor_scores", csi.factor_scores, fit, "bartlett", "scale")
        judge.look("factor_scores", scores)
        judge(f"{name} strict", csi.fit, case.model, given.survey, ESTIMATORS[name], strict=True)
        judge(f"{name} of moments", csi.fit, case.model, fit.moments, ESTIMATORS[name])
    judge.beside = [given.fit, given.survey, given.boot]


@part("bootstrap", "Bootstrap", "jackknife", "Jackknife", "Quantity", "register")
@with_fit
def inference(given):
    judge, fit, boot = given.judge, given.fit, given.boot
    jack = judge("jackknife", csi.jackknife, fit)
    judge.look("jackknife", jack)
    for quantity in _drawn(given, QUANTITIES, 5):
        if jack is not None:
            judge(f"jackknife {quantity}", jack.table, quantity)
    poisson = judge(
        "bootstrap poisson", csi.bootstrap, fit, 25, rng=2, kind="poisson", workers=2,
        inadmissible="drop", progress=False,
    )  # fmt: skip
    for one in (boot, poisson):
        if one is None:
            continue
        judge.look("bootstrap", one)
        for quantity in _drawn(given, QUANTITIES, 6):
            judge(f"draws {quantity}", one.draws, quantity)
            for interval in INTERVALS:
                if interval == "studentized" and len(given.case.frame) > 16:
                    continue
                judge(f"table {interval}", one.table, quantity, interval, 0.9)


@part("linearize", "Linearized", "replicate_weights", "replicate")
@with_fit
def of_design(given):
    judge, fit = given.judge, given.fit
    for own in given.fits.values():
        linear = judge("linearize", csi.linearize, own)
        judge.look("linearize", linear)
        if linear is None:
            continue
        for quantity in _drawn(given, QUANTITIES, 5):
            judge(f"linearize {quantity}", linear.table, quantity)
        judge("linearize by", linear.table, "index", by="group")
        judge("linearize deff", linear.deff, "paths")
        judge("linearize difference", linear.difference, "paths", "paths")
    for method in ("jk1", "jkn", "brr", "bootstrap"):
        own = {"replicates": 20} if method == "bootstrap" else {}
        made = judge(
            f"replicate_weights {method}", csi.replicate_weights, given.survey, method, **own
        )
        refit = (
            None
            if made is None
            else judge("fit replicates", csi.fit, fit.model, made, fit.estimator)
        )
        if refit is not None:
            again = judge("replicate", csi.replicate, refit, progress=False)
            judge.look("replicate", again)
            judge("replicate index", csi.index_scores, refit, bootstrap=again)


@part("explore_factors", "FactorExploration", "describe", "analyze_items",
      "draft_codebook", "sample_plan", "measures.write_questionnaire", "measures.survey_plan",
      "SurveyPlan")  # fmt: skip
def instruments(given):
    judge, survey = given.judge, given.survey
    judge.beside = [survey]
    book = judge("draft_codebook", csi.draft_codebook, given.case.frame)
    if book is not None:
        with tempfile.TemporaryDirectory() as folder:
            for name in ("form.xlsx", "form.html"):
                path = Path(folder) / name
                judge(f"questionnaire {name}", csi.measures.write_questionnaire, book, path)
    plan = judge("sample_plan", csi.sample_plan, 8.0, 20.0, strata={"a": 500, "b": 900})
    judge("simulate plan", plan.simulate, 20)
    if book is not None:
        judge.look("survey_plan", judge("survey_plan", csi.measures.survey_plan, book, plan))
    judge.look("describe", judge("describe", csi.describe, survey))
    analysis = judge("analyze_items", csi.analyze_items, survey, given.case.model, draws=20)
    judge.look("analyze_items", analysis)
    if analysis is not None:
        judge("confirm", analysis.confirm, 1)
        judge("item_total", analysis.table, "item_total")
    items = list(given.case.model.items)[:8]
    explored = judge("explore_factors", csi.explore_factors, survey, items, draws=20, sets=20)
    judge.look("explore_factors", explored)
    judge(
        "explore_factors promax", csi.explore_factors, survey, items, 2,
        extraction="principal-axis", rotation="promax", sets=20,
    )  # fmt: skip


@part("language")
def languages(given):
    """Every page is made in the other language, too."""
    for result in (given.fit, given.boot, given.survey):
        if result is not None:
            given.judge("summary zh", result.summary, "zh")
    with csi.language("zh"):
        for finding in given.survey.findings:
            given.judge("finding zh", str, finding)


@part("rake", "weighting")
def weights(given):
    judge, survey = given.judge, given.survey
    judge.beside = [survey]
    w, frame = csi.weighting, given.survey.data
    sizes = frame["group"].value_counts() if "group" in frame else {}
    margins = {"group": {name: 10.0 + k for k, name in enumerate(dict(sizes))}}
    raked = judge("rake", csi.rake, survey, margins)
    for method in ("linear", "raking"):
        judge(f"calibrate {method}", w.calibrate, survey, margins, method=method)
    judge("post_stratify", w.post_stratify, survey, margins)
    for own in (survey, raked):
        if own is not None:
            judge.look("describe_weights", judge("describe_weights", w.describe_weights, own))
            judge("trim", w.trim, own, upper=3.0)
    judge("adjust_for_nonresponse", w.adjust_for_nonresponse, survey, "again", "group")
    judge.look("response_rates", judge("response_rates", w.response_rates, complete=3, unknown=2))
    if raked is not None:
        fit = judge("fit raked", csi.fit, given.case.model, raked)
        if fit is not None:
            judge("linearize raked", csi.linearize, fit)
            judge("index raked", csi.index_scores, fit, by="group")
        groups = judge("groups raked", csi.fit_groups, given.case.model, raked, "group")
        if groups is not None:
            linear = judge("linearize groups raked", csi.linearize, groups)
            if linear is not None:
                judge("table of groups raked", linear.table, "paths")


@part("impute", "compare_missing_policies")
def imputations(given):
    judge, case = given.judge, given.case
    judge.beside = [given.survey]
    compared = judge(
        "compare_missing_policies", csi.assessment.compare_missing_policies, case.model,
        given.survey, m=2, rng=1,
    )  # fmt: skip
    judge.look("compare_missing_policies", compared)
    for method in ("pmm", "normal", "two-way"):
        many = judge(
            f"impute {method}", csi.impute, given.survey, 2, items=list(case.model.items),
            method=method, sweeps=2, rng=1, progress=False,
        )  # fmt: skip
        if many is None:
            continue
        judge.look("impute", many)
        fits = [judge("fit imputed", csi.fit, case.model, own) for own in many]
        if all(fit is not None for fit in fits):
            pooled = judge("pool", csi.inference.pool, fits)
            judge.look("pool", pooled)
            if pooled is not None:
                tables = [csi.linearize(fit).table("paths") for fit in fits]
                judge("pool_tables", csi.inference.pool_tables, tables)


@part("bollen_stine", "BollenStine")
@with_fit
def chi_square(given):
    for fit in given.fits.values():
        test = given.judge(
            "bollen_stine", csi.inference.bollen_stine, fit, 30, rng=1, progress=False
        )
        given.judge.look("bollen_stine", test)


@part("assess", "Assessment", "compare", "Comparison")
@with_fit
def judgement(given):
    judge, fit, boot = given.judge, given.fit, given.boot
    for one in given.fits.values():
        judge.look("assess", judge("assess", csi.assess, one))
    judge.look("assess", judge("assess boot", csi.assess, fit, boot, 0.9))
    every = list(given.fits.values())
    compared = judge("compare", csi.compare, *every, fit, bootstraps=[boot] + [None] * len(every))
    judge.look("compare", compared)
    if compared is not None:
        judge("compare.table", compared.table, "total_effects")
        judge("compare.intervals", compared.intervals, "loadings")
        _draw(judge, "plots.compare", csi.plots.compare, compared)


@part("index_scores", "respondent_index", "importance_performance")
@with_fit
def index(given):
    judge, fit, boot, last = given.judge, given.fit, given.boot, given.case.last
    for one in given.fits.values():
        scores = judge("index_scores", csi.index_scores, one)
        if scores is not None:
            judge("index repr", repr, scores)
            _draw(judge, "plots.index_bars", csi.plots.index_bars, scores)
    for by in (None, "group", ["group", "wave"], "firm"):
        judge(f"index_scores by {by}", csi.index_scores, fit, by)
        if boot is None:
            continue
        for interval in INTERVALS[:1] if by else INTERVALS:
            if interval != "studentized":
                scores = judge(
                    f"index_scores boot {interval}", csi.index_scores, fit, by, boot, 0.9, interval
                )
        if scores is not None and len(scores) < 40:
            _draw(judge, "plots.index_bars", csi.plots.index_bars, scores)
    judge("respondent_index", csi.respondent_index, fit)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.parquet"
        judge("respondent_index to", csi.respondent_index, fit, path, keep="group", scores=True)
    judge("importance", csi.importance_performance, fit, last)
    table = judge("importance boot", csi.importance_performance, fit, last, boot, 0.9)
    if table is not None:
        _draw(
            judge,
            "plots.importance_performance",
            csi.plots.importance_performance,
            table,
            target=last,
        )


@part("simple_slopes")
@with_fit
def moderated(given):
    judge, last, paths = given.judge, given.case.last, given.case.model.paths
    sources = [path.source for path in paths if path.target == last][:2]
    if not sources or given.case.model.parameters:
        return
    product = Product((sources[0], sources[-1]))
    model = judge(
        "products",
        lambda: csi.Model(
            given.case.model.constructs, (*paths, (product.name, last)), terms=(product,)
        ),
    )
    fit = None if model is None else judge("fit products", csi.fit, model, given.survey)
    if fit is not None:
        boot = judge("bootstrap products", csi.bootstrap, fit, 40, rng=1, progress=False)
        slopes = judge("simple_slopes", csi.simple_slopes, fit, last, sources[0])
        if slopes is not None:
            _draw(judge, "plots.moderation", csi.plots.moderation, slopes)
        judge("simple_slopes boot", csi.simple_slopes, fit, last, sources[0], None, boot, 0.9)


@part("predict", "cvpat", "overall_fit")
@with_fit
def predictions(given):
    judge, fit = given.judge, given.fit
    prediction = judge("predict", csi.predict, fit, 3, 2, 1, technique="earliest")
    judge.look("predict", prediction)
    if prediction is not None:
        judge("predictions", prediction.predictions, "lm-direct")
    judge.look("cvpat", judge("cvpat", csi.cvpat, fit, None, 3, rng=1, benchmark="lm"))
    judge("Fit.predict", fit.predict, given.survey, of="index")
    judge("blindfold", csi.assessment.blindfold, fit, 3)
    judge("model_selection", csi.assessment.model_selection, fit)
    judge("criterion_weights", csi.assessment.criterion_weights, {"a": -2.5, "b": 1.0})
    tested = judge("overall_fit", csi.overall_fit, fit, 25, 1, progress=False)
    judge.look("overall_fit", tested)
    if tested is not None:
        judge("overall_fit quantiles", tested.quantiles)


@part("assessment.necessary_conditions", "index.combined_importance_performance")
@with_fit
def necessity(given):
    judge, last = given.judge, given.case.last
    options = {"permutations": 25, "rng": 1, "progress": False}
    conditions = judge(
        "necessary_conditions", csi.assessment.necessary_conditions, given.fit, last, **options
    )
    if conditions is None:
        return
    judge.look("necessary_conditions", conditions)
    judge("bottleneck", conditions.bottleneck, "cr_fdh", of="respondents")
    judge("combined map", csi.index.combined_importance_performance, conditions, 75)
    driver = str(conditions.drivers[0])
    _draw(judge, "plots.necessary_conditions", csi.plots.necessary_conditions, conditions, driver)


@part("assessment.fimix")
@with_fit
def hidden_segments(given):
    judge, options = given.judge, {"iterations": 60, "rng": 1, "progress": False}
    hidden = judge("fimix", csi.assessment.fimix, given.fit, [2, 3], 3, **options)
    if hidden is None:
        return
    judge.look("fimix", hidden)
    for method in (hidden.paths, hidden.r2, hidden.membership, hidden.assigned):
        judge(f"fimix {method.__name__}", method, 2)
    _draw(judge, "plots.segments", csi.plots.segments, hidden)


@part("assessment.tetrads", "assessment.full_collinearity", "assessment.redundancy")
@with_fit
def further_assessments(given):
    judge, fit = given.judge, given.fit
    judge.look("tetrads", judge("tetrads", csi.assessment.tetrads, fit))
    if given.boot is not None:
        judge.look("tetrads boot", judge("tetrads boot", csi.assessment.tetrads, fit, given.boot))
    judge("full_collinearity", csi.assessment.full_collinearity, fit)
    first = fit.model.constructs[0]
    overall = {first.name: first.items[:1]}
    judge("redundancy", csi.assessment.redundancy, fit.model, given.survey, overall)


@part("micom", "Micom", "compare_groups", "GroupComparison")
def groups_compared(given):
    judge, case = given.judge, given.case
    for by in ("group", ["wave", "group"]):
        tested = judge("micom", csi.micom, case.model, given.survey, by, 25, rng=1, progress=False)
        judge.look("micom", tested)
        if tested is not None:
            judge("micom.draws", tested.draws, "mean_difference")
            _draw(judge, "plots.micom", csi.plots.micom, tested)
    methods = ("permutation", "parametric", "henseler", "sarstedt", "distance")
    for method, quantity in zip(
        methods, ("paths", "index", "loadings", "r2", "paths"), strict=True
    ):
        judge.look(f"compare_groups {method}", judge(
            f"compare_groups {method}", csi.compare_groups, case.model, given.survey, "group", method,
            1, quantity=quantity, permutations=25, draws=25, progress=False,
        ))  # fmt: skip


@part("fit_groups", "GroupFits", "fit_multigroup", "MultiGroupFit", "invariance", "Invariance")
def groups(given):
    judge, case = given.judge, given.case
    for name in case.recipe.estimators[:2]:
        for by in ("group", ["wave", "group"]):
            many = judge(
                f"fit_groups {name}", csi.fit_groups, case.model, given.survey, by, ESTIMATORS[name]
            )
            if many is None:
                continue
            judge.beside = [given.survey, many]
            judge.look("fit_groups", many)
            judge("fit_groups.table", many.table, "paths")
            judge("index of groups", csi.index_scores, many, shrink=True)
            for label in list(many)[:3]:
                one = judge("group", many.__getitem__, label)
                judge.beside = [given.survey, one]
                judge.look("group fit", one)
                judge("group assess", csi.assess, one)
                judge("group index", csi.index_scores, one)
                own = judge("group bootstrap", csi.bootstrap, one, 25, rng=1, progress=False)
                if own is not None:
                    judge.beside.append(own)
                    judge("group table", own.table, "paths")
        joint = judge(
            f"fit_multigroup {name}", csi.fit_multigroup, case.model, given.survey, "group",
            ESTIMATORS[name], equal=["loadings", "intercepts"],
        )  # fmt: skip
        judge.beside = [given.survey, joint]
        judge.look("fit_multigroup", joint)
        if joint is not None:
            judge("multigroup mi", joint.modification_indices)
            judge.look("multigroup fit", next(iter(joint.values())))
    judge.beside = [given.survey]
    judge.look("invariance", judge("invariance", csi.invariance, case.model, given.survey, "group"))
    ordered = judge(
        "invariance ordered", csi.invariance, case.model, given.survey, "group", csi.WLSMV(),
        levels=["thresholds", "metric"],
    )  # fmt: skip
    judge.look("invariance ordered", ordered)


@part("repurchase", "Repurchase", "repurchase_shape", "compare_shapes", "calibration")
@with_fit
def regressions(given):
    judge, fit, boot, last = given.judge, given.fit, given.boot, given.case.last
    families = {
        "logit": "again", "probit": "again", "cloglog": "again", "ols": "answer",
        "fractional-logit": "answer", "fractional-probit": "answer", "beta": "answer",
        "ordered-logit": "answer", "ordered-probit": "answer",
    }  # fmt: skip
    given.reps = []
    for family in _drawn(given, families, 4):
        outcome = families[family]
        options = {"scale": (1, 10)} if outcome == "answer" else {}
        some = {"controls": ["age"]} if given.rng.random() < 0.5 else {}
        draws = boot if given.rng.random() < 0.5 else None
        rep = judge(
            f"repurchase {family}", csi.repurchase, fit, outcome, index=last, family=family,
            bootstrap=draws, level=0.9, progress=False, **options, **some,
        )  # fmt: skip
        if rep is None:
            continue
        given.reps.append(rep)
        judge.beside = [fit, boot, given.survey, rep]
        judge.look(f"repurchase {family}", rep)
        judge("rep.predict", rep.predict, [20, 50, 90])
        judge("rep.contrast", rep.contrast, 60, 70)
        curve = judge("rep.curve", rep.curve)
        judge("rep.effect_at", rep.effect_at, 50)
        judge("rep.elasticity", rep.elasticity)
        judge("rep.level_for", rep.level_for, 0.5)
        judge("rep.categories", rep.categories, [20, 90])
        judge("rep.expected_answer", rep.expected_answer, [20, 90])
        if curve is not None:
            _draw(judge, "plots.repurchase_curve", csi.plots.repurchase_curve, curve)
        for kind in ("quadratic", "spline", "hinge", "isotonic"):
            shape = judge(
                f"shape {kind}", csi.outcomes.repurchase_shape, rep, kind, draws=25, rng=1
            )
            judge.look(f"shape {kind}", shape)
        judge.look(
            "compare_shapes",
            judge("compare_shapes", csi.outcomes.compare_shapes, rep, folds=3, draws=19, rng=1),
        )
        bins = judge("calibration", csi.outcomes.calibration, rep, groups=5, folds=3, rng=1)
        judge.look("calibration", bins)
        if bins is not None:
            _draw(judge, "plots.calibration", csi.plots.calibration, bins)
    judge.beside = [fit, given.survey, boot]
    formula = f"answer ~ {last} + age" if last.isidentifier() else f'answer ~ Q("{last}") + age'
    judge("repurchase formula", csi.repurchase, fit, formula=formula, index=last, scale=(1, 10))


@part("repurchase", "corrected_slopes", "repurchase_asymmetry",
      "repurchase_panel", "repurchase_segments")  # fmt: skip
def of_index(given):
    judge, frame = given.judge, given.case.frame
    judge.beside = []
    index = frame["points"]
    more = {"weights": frame["w"]} if "w" in frame else {}
    if "psu" in frame:
        more["cluster"] = frame["psu"]
    rep = judge("repurchase of index", csi.repurchase, index=index, outcome=frame["again"], **more)
    judge.look("repurchase of index", rep)
    found = judge(
        "corrected_slopes of index", csi.outcomes.corrected_slopes, index=index, outcome=frame["answer"],
        reliability=0.8, scale=(1, 10), draws=20, progress=False, **more,
    )  # fmt: skip
    judge.look("corrected_slopes of index", found)
    judge.look("asymmetry of index", judge(
        "asymmetry of index", csi.outcomes.repurchase_asymmetry, quality=index,
        expectations=frame["expected"], outcome=frame["answer"], scale=(1, 10), **more,
    ))  # fmt: skip
    judge.look("segments of index", judge(
        "segments of index", csi.outcomes.repurchase_segments, index=index, outcome=frame["again"],
        by=frame["group"], fewest=3, **more,
    ))  # fmt: skip
    cells = pd.DataFrame(
        {"i": index, "y": frame["again"], "firm": frame["firm"], "year": frame["year"]}
    )
    if "w" in frame:
        cells = cells[frame["w"] > 0]
    cells = cells.groupby(["firm", "year"], as_index=False).mean()
    judge.look("panel of index", judge(
        "panel of index", csi.outcomes.repurchase_panel, cells, "y", firm="firm", period="year", index="i",
    ))  # fmt: skip


@part("repurchase_segments", "repurchase_mixed", "repurchase_panel", "repurchase_time",
      "repurchase_asymmetry", "corrected_slopes", "CorrectedSlopes", "index_reliability",
      "group_reliability", "Reliability")  # fmt: skip
@with_fit
def models_of_outcomes(given):
    judge, fit, boot, last = given.judge, given.fit, given.boot, given.case.last
    first = given.case.model.construct_names[0]
    draws = boot if given.rng.random() < 0.5 else None
    quiet = {"bootstrap": draws, "level": 0.9}
    segments = judge(
        "segments", csi.outcomes.repurchase_segments, fit, "again", "group", index=last, fewest=3,
        progress=False, **quiet,
    )  # fmt: skip
    judge.look("segments", segments)
    if segments is not None:
        _draw(judge, "plots.repurchase_curves", csi.plots.repurchase_curves, segments)
    for model in ("random-intercept", "within-between"):
        judge.look("mixed", judge(
            "mixed", csi.outcomes.repurchase_mixed, fit, "answer", "firm", index=last, scale=(1, 10),
            model=model, **quiet,
        ))  # fmt: skip
    judge.look("panel", judge(
        "panel", csi.outcomes.repurchase_panel, fit, "again", firm="firm", period="year", index=last, **quiet,
    ))  # fmt: skip
    for kind in ("repurchase", "defection"):
        judge.look("time", judge(
            "time", csi.outcomes.repurchase_time, fit, duration="months", event="event", kind=kind, index=last,
            progress=False, **quiet,
        ))  # fmt: skip
    judge.look("asymmetry", judge(
        "asymmetry", csi.outcomes.repurchase_asymmetry, fit, "answer", quality=first, expectations=last,
        scale=(1, 10), progress=False, **quiet,
    ))  # fmt: skip
    judge.look(
        "index_reliability", judge("index_reliability", csi.outcomes.index_reliability, fit, last)
    )
    slopes = judge(
        "corrected_slopes", csi.outcomes.corrected_slopes, fit, "answer", index=last, scale=(1, 10),
        reliability=0.8, progress=False, **quiet,
    )  # fmt: skip
    judge.look("corrected_slopes", slopes)
    if slopes is not None:
        _draw(judge, "plots.slopes", csi.plots.slopes, slopes)
    judge.look("corrected by", judge(
        "corrected by", csi.outcomes.corrected_slopes, fit, "answer", index=last, scale=(1, 10), by="firm",
        progress=False,
    ))  # fmt: skip
    scores = judge("index_scores firm", csi.index_scores, fit, "firm")
    if scores is not None:
        own = scores.xs(last, level=-1)
        judge.look("group_reliability", judge(
            "group_reliability", csi.outcomes.group_reliability, own["mean"], own["se"]
        ))  # fmt: skip


@part("repurchase_top_drop", "complaint_repurchase")
def complaints(given):
    judge, survey = given.judge, given.survey
    judge.look("top_drop", judge(
        "top_drop", csi.outcomes.repurchase_top_drop, survey, satisfaction="answer", repurchase="again",
        by="group", fewest=3,
    ))  # fmt: skip
    judge.look("complaints", judge(
        "complaints", csi.outcomes.complaint_repurchase, survey, complained="complained",
        handling="handling", repurchase="again", satisfied="answer", well_from=7, satisfied_from=7,
        dissatisfied_to=4,
    ))  # fmt: skip


@part("money", "literature")
@with_fit
def money(given):
    judge, case, m = given.judge, given.case, csi.money
    judge("literature", csi.literature.table)
    economics = m.Economics(
        margin=120.0, currency="EUR", period="year", discount_rate=0.08, customers=1e4,
        first_margin=["end", "now"][case.recipe.seed % 2], horizon=[None, 5][case.recipe.seed % 2],
    )  # fmt: skip
    rep = judge(
        "repurchase", csi.repurchase, given.fit, "again", index=case.last, family="logit",
        bootstrap=given.boot, progress=False,
    )  # fmt: skip
    kept: object = float(given.rng.uniform(0, 1))
    if rep is not None:
        judge.look("profit_of_change", judge(
            "profit_of_change", m.profit_of_change, rep, 60, 65, economics, draws=40
        ))  # fmt: skip
        own = judge("retention_of", m.retention_of, rep, 60.0, economics, draws=40)
        judge.look("retention_of", own)
        kept = own if own is not None else kept
        for driver in case.model.construct_names[:2]:
            found = judge(
                "profit_of_driver", m.profit_of_driver, given.boot or given.fit, rep, driver, economics,
                draws=40,
            )  # fmt: skip
            judge.look("profit_of_driver", found)
        judge(
            "profits_of_drivers", m.profits_of_drivers, given.boot or given.fit, rep,
            case.model.construct_names[:1], economics, draws=40,
        )  # fmt: skip
    found = [
        judge("lifetime_value", m.lifetime_value, kept, economics),
        judge("profit_of_retention", m.profit_of_retention, kept, 0.9, economics),
        judge("fewer_defections", m.fewer_defections, kept, economics, cut=0.25, acquisition_cost=10),
        judge("acquisition_or_retention", m.acquisition_or_retention, kept, economics,
              acquisition_cost=50, retention_cost=10),
        judge("complaint_budget", m.complaint_budget, 0.9, kept, economics, retention=0.8,
              dissatisfied=0.2, complaint_rate=0.4),
        judge("more_complaints", m.more_complaints, 0.9, kept, economics, retention=0.8,
              dissatisfied=0.2, from_=0.3, to=0.5, compensation=20),
    ]  # fmt: skip
    for one in found:
        judge.look("money", one)
        if one is not None:
            judge("break_even", m.break_even_spending, one)
            judge.look("npv", judge("net_present_value", m.net_present_value, one, 1000.0))
            _draw(judge, "plots.money_steps", csi.plots.money_steps, one)
    judge("buying_rates", m.buying_rates, given.survey, bought="again", existing="event")


@part("plots", "simulate")
@with_fit
def pictures(given):
    judge, fit, boot = given.judge, given.fit, given.boot
    _draw(judge, "plots.path_diagram", csi.plots.path_diagram, fit)
    judge("plots.to_dot", csi.plots.to_dot, fit)
    if boot is not None:
        every = ["path", "stars", "t", "p", "interval"]
        _draw(
            judge,
            "plots.path_diagram boot",
            csi.plots.path_diagram,
            fit,
            bootstrap=boot,
            show=every,
        )
        judge("plots.to_dot boot", csi.plots.to_dot, fit, bootstrap=boot, show=every)
        for quantity in ("paths", "loadings"):
            table = judge("boot.table", boot.table, quantity)
            if table is not None:
                _draw(judge, "plots.intervals", csi.plots.intervals, table)
    table = pd.DataFrame({"value": given.rng.normal(size=4)}, list("abcd"))
    _draw(judge, "plots.waterfall", csi.plots.waterfall, table)


@part("what_if", "goal_seek")
@with_fit
def changes(given):
    judge, case = given.judge, given.case
    first = case.model.construct_names[0]
    for fit in given.fits.values():
        judge.look("what_if", judge("what_if", csi.what_if, fit, {first: 5, case.last: -2.5}))
        judge.look("goal_seek", judge("goal_seek", csi.goal_seek, fit, case.last, 80))
    judge("what_if draws", csi.what_if, given.fit, {first: 5}, given.boot)
    judge("goal_seek draws", csi.goal_seek, given.fit, case.last, 60, bootstrap=given.boot)


@part("table")
@with_fit
def journal_tables(given):
    judge = given.judge
    table = judge("table", csi.table, *given.fits.values(), stars=True)
    judge.look("table", table)
    if table is not None:
        judge("table.to_latex", table.to_latex)
        judge("table.to_html", table.to_html)
        judge("table.to_markdown", table.to_markdown)
    if given.boot is not None:
        judge(
            "table boot",
            csi.table,
            given.fit,
            bootstraps=[given.boot],
            show=["estimate", "se", "p"],
        )


@part("save", "load")
@with_fit
def files(given):
    judge = given.judge
    with tempfile.TemporaryDirectory() as folder:
        for number, result in enumerate([*given.fits.values(), given.boot]):
            path = judge("save", csi.save, result, Path(folder) / f"{number}.csimodel")
            if path is not None:
                judge.look("load", judge("load", csi.load, path))


@part("programme")
def programme(given):
    judge, case = given.judge, given.case
    weights = list(ITEM_WEIGHTS)[int(given.rng.integers(3))]
    for levels in ("group", ["group", "firm"]):
        made = judge(
            "programme", csi.programme, case.model, given.survey, levels, "wave",
            item_weights=weights, construct=case.last, year=1,
        )  # fmt: skip
        if made is not None:
            judge.beside = [given.survey, made]
            judge.look("programme", made)
            for table in ("scores", "changes", "ranking", "trend", "contributions"):
                judge(f"programme.{table}", getattr, made, table)
            ranking = judge("programme.rank", made.rank, within="all", top=1)
            judge("programme.local_level", getattr, made, "local_level")
            for against in ("all", "pairs"):
                judge("programme.differences", made.differences, against=against)
            last = made.hierarchy.periods[-1]
            judge(
                "programme.difference", made.difference, ("all", "all", last), ("all", "all", last)
            )
            paths = judge("programme.of", made.of, "paths")
            if paths is not None:
                judge.look("programme.of", paths)
                judge("programme.of changes", getattr, paths, "changes")
            judge("programme.impacts", made.impacts, {case.model.construct_names[0]: 5})
            chain = judge(
                "programme_impacts", csi.outcomes.programme_impacts, made,
                {case.model.construct_names[0]: 5}, case.model.items[-1],
            )  # fmt: skip
            judge.look("programme_impacts", chain)
            if ranking is not None:
                _draw(judge, "plots.ranking", csi.plots.ranking, ranking.table)
            _draw(judge, "plots.trend", csi.plots.trend, made)
            _draw(judge, "plots.small_multiples", csi.plots.small_multiples, made)
            _draw(judge, "plots.heat_map", csi.plots.heat_map, made)
            _draw(judge, "plots.loadings", csi.plots.loadings, given.fit)
            _draw(judge, "plots.contributions", csi.plots.contributions, made)


@part("simulate")
def simulation(given):
    judge, case, rng, simulate = given.judge, given.case, given.rng, csi.simulate
    judge.beside = []
    shapes = [None, simulate.HeavyTailed(8.0), simulate.Skewed(-1.0, 2.0), simulate.Normal()]
    truth = judge(
        "population", simulate.population, case.model, paths=float(rng.uniform(-0.5, 0.9)),
        loadings=float(rng.uniform(0.2, 0.99)), shape=shapes[rng.integers(4)],
        scale=[None, (1, 10)][rng.integers(2)],
        missing=[None, simulate.Missing(0.2)][rng.integers(2)],
        firms=[None, simulate.Firms(5)][rng.integers(2)],
        outcome=[None, simulate.Outcome(0.02, construct=case.last)][rng.integers(2)],
    )  # fmt: skip
    judge.look("population", truth)
    if truth is None:
        return
    judge("truth.survey", lambda: truth.survey(50, rng=1))
    name = case.recipe.estimators[0]
    for n in (20, 100):
        power = judge(
            f"power {name}", simulate.power, truth, n, ESTIMATORS[name], draws=8, resamples=25
        )
        judge.look("power", power)
    judge("replicate", simulate.replicate, truth, 60, 5, ESTIMATORS[name], resamples=25)


@part("analyze", "Analysis", "write_report")
def report(given):
    judge, case = given.judge, given.case
    analysis = judge(
        "analyze", csi.analyze, given.survey, case.model, draws=40, outcome="answer",
        outcome_scale=(1, 10), by="group", target=case.last, progress=False,
    )  # fmt: skip
    judge.look("analyze", analysis)
    if analysis is not None:
        with tempfile.TemporaryDirectory() as folder:
            judge("write_report", csi.write_report, analysis, Path(folder) / "out", progress=False)


@part("measures")
def measured(given):
    judge, survey, items, m = given.judge, given.survey, list(given.case.items), csi.measures
    few = items[:2]
    judge.beside = [survey]
    compared = judge("comparison", m.comparison, survey, few[0], by="group")
    if compared is not None:
        tables = compared.table.droplevel("item"), compared.table.droplevel("item")
        judge("branch_regression", lambda: m.branch_regression(*tables).table)
    for name, call in {
        "satisfaction_level": lambda: m.satisfaction_level(survey, few, by="group", levels=range(-3, 12)),
        "top_box": lambda: m.top_box(survey, few, by="group"),
        "bottom_box": lambda: m.bottom_box(survey, few),
        "net_score": lambda: m.net_score(survey, few, by="group"),
        "answer_shares": lambda: m.answer_shares(survey, few[0], scale=(1, 10)),
        "net_promoter": lambda: m.net_promoter(survey, few[0], by="group"),
        "value_balance": lambda: m.value_balance(survey, *few, by="group"),
        "comparison": lambda: m.comparison(survey, few, by="group"),
        "service_gap": lambda: m.service_gap(survey, expected=few[0], perceived=few[1], by="group"),
        "customer_value": lambda: m.customer_value(survey, value=few[0], cost=few[1], by="group"),
        "abc_classes": lambda: m.abc_classes(survey, few[0], satisfaction=few[1], dissatisfied_to=5),
        "enterprise_index": lambda: m.enterprise_index(survey, returns="event", by="group"),
        "after_use_satisfaction": lambda: m.after_use_satisfaction(survey, *few),
        "disconfirmation": lambda: m.disconfirmation(
            survey, expected=few[0], perceived=few[1], dimensions={"one": few[1]}),
        "importance_weights": lambda: m.importance_weights(survey, few, values=range(-3, 12)),
        "weighted_satisfaction": lambda: m.weighted_satisfaction(survey, satisfaction=few, importance=few),
        "stated_importance": lambda: m.stated_importance(survey, importance=few[0], performance=few[1]),
    }.items():  # fmt: skip
        measure = judge(name, call)
        if measure is not None:
            judge.look(name, measure)
            judge(f"{name} table", lambda measure: measure.table, measure)
            if name == "abc_classes":
                _draw(judge, "lorenz", csi.plots.lorenz, measure)
            if measure.groups is not None:
                judge(f"{name} differences", lambda measure: measure.differences, measure)
                _draw(judge, f"{name} profile", csi.plots.profile, measure.table)
            judge(f"{name} bootstrap", measure.bootstrap, 25)


@part("moments_of", "Moments", "models", "Model", "reflective", "composite", "Construct", "Path",
      "Survey", "read_survey", "read_codebook", "Codebook", "Item", "ConstructMinimum", "load_mobi",
      "load_acsi2015", "scan", "Scan")  # fmt: skip
def reading(given):
    judge, case, survey = given.judge, given.case, given.survey
    judge.look("Model", case.model)
    text = judge("to_syntax", case.model.to_syntax)
    if text is not None:
        again = judge("from_syntax", csi.Model.from_syntax, text)
        if again is not None and again != case.model:
            judge("round trip", _unequal, text)
    judge("to_semopy", case.model.to_semopy)
    moments = judge("moments_of", csi.moments.moments_of, survey, case.items)
    judge.look("moments", moments)
    for missing in ("error", csi.ConstructMinimum(1), "mean"):
        judge("read_survey", csi.read_survey, case.frame, **{**case.reading, "missing": missing})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        case.frame.to_csv(path, index=False)
        judge("read csv", csi.read_survey, path, **case.reading)
        judge("read_codebook", csi.read_codebook, path)
        scan = judge("scan csv", csi.scan, path, **case.reading)
        judge.look("scan", scan)
        if scan is not None:
            judge("sample of scan", scan.sample, 5, rng=1)
            fit = judge("fit scan", csi.fit, case.model, scan)
            if fit is not None:
                judge("index of scan", csi.index_scores, fit, by="group")
                judge.look("linearize scan", judge("linearize scan", csi.linearize, fit))
                rep = judge("repurchase of scan", csi.repurchase, fit, "again", family="logit")
                judge.look("repurchase of scan", rep)
                to = Path(folder) / "indexes.parquet"
                judge("respondent_index of scan", csi.respondent_index, fit, to)
            own = judge("scan by bucket", csi.scan, path, **case.reading, buckets=9)
            fit = None if own is None else judge("fit by bucket", csi.fit, case.model, own)
            if fit is not None:
                boot = judge("bootstrap by bucket", csi.bootstrap, fit, 25, rng=1)
                judge.look("bootstrap by bucket", boot)
                judge.look("jackknife by bucket", judge("jackknife by bucket", csi.jackknife, fit))
                judge("chain by bucket", csi.repurchase, fit, "again", bootstrap=boot)
            groups = judge("groups of scan", csi.fit_groups, case.model, scan, "group")
            judge.look("groups of scan", groups)
            waves = judge("programme of scan", csi.programme, case.model, scan, "group", "wave")
            judge.look("programme of scan", waves)


def _unequal(text: str) -> None:
    raise AssertionError(f"a model read back from its text is another: {text}")


def _draw(judge: Judge, name: str, function: Callable, *args, **options) -> None:
    figure = judge(name, function, *args, **options)
    if figure is not None:
        judge(f"{name} svg", csi.plots.to_svg, figure)
