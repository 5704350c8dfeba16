"""Odd values in every option of every public function, one at a time."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

import csimodel as csi
from fuzz.odd_methods import constructors, methods

DATA = Path(csi.__file__).parents[1] / "data"
ASIDE = Path(tempfile.mkdtemp(prefix="csimodel-"))

ODD = {
    "text": "0.95",
    "empty text": "",
    "number": 95,
    "negative": -1,
    "zero": 0,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "huge": 10**400,
    "truth": True,
    "nothing": None,
    "set": {"CUSL1"},
    "mapping": {"a": 1},
    "unhashable": [["CUSL1"]],
    "empty list": [],
    "twice": ["CUSL1", "CUSL1"],
    "numpy integer": np.int64(7),
    "numpy float": np.float32(0.5),
    "array": np.arange(3.0),
    "frame": pd.DataFrame({"a": [1.0]}),
    "class": csi.PLS,
    "function": len,
    "bytes": b"CUSL1",
    "missing": pd.NA,
    "numpy truth": np.True_,
    "numpy text": np.str_("CUSL1"),
    "complex": 1j,
    "date": pd.Timestamp("2020-01-01"),
    "iterator": iter(()),
    "square": np.ones((2, 2)),
    "ragged": [[1.0], [1.0, 2.0]],
    "sets": [{1}, {2}],
    "numbers": [60.0, 70.0],
    "NaNs": [float("nan"), float("nan")],
    "names of numbers": {"Image": {1}},
    "other rows": pd.Series([1.0, 2.0], ["x", "y"]),
    "dates": pd.Series(pd.to_datetime(["2020-01-01"] * 250)),
    "words": pd.Series(["a", "b"] * 125),
    "lists": pd.Series([[1], [2]] * 125),
    "categories": pd.Series(["a", "b"] * 125, dtype="category"),
    "no rows": pd.Series([], dtype=float),
    "no columns": pd.DataFrame(),
    "missing numbers": pd.Series([pd.NA, 1] * 125, dtype="Int64"),
}


def results() -> dict[str, Any]:
    """Return results of other functions, each odd where another is wanted."""
    p = plain()
    return {
        "fit": p.fit, "ML fit": p.ml, "fits of groups": p.groups, "bootstrap": p.boot,
        "regression": p.rep, "survey": p.survey, "model": p.model, "money": p.change,
        "table": p.scores,
    }  # fmt: skip


@cache
def plain() -> SimpleNamespace:
    """Return results that plain calls are made of."""
    mobi = csi.load_mobi()
    frame = mobi.data.assign(
        half=["a", "b"] * 125, firm=np.arange(250) % 12, year=np.arange(250) // 84,
        age=np.arange(250) % 50, months=1.0 + np.arange(250) % 30, event=np.arange(250) % 3 > 0,
        again=(np.arange(250) * 7 % 11 > 4).astype(float), complained=np.arange(250) % 2,
    )  # fmt: skip
    survey = csi.read_survey(frame, scale=dict.fromkeys(mobi.items, (1, 10)))
    model = csi.Model.from_syntax(
        "Image =~ IMAG1 + IMAG2\nQuality =~ PERQ1 + PERQ2\nSatisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
        "Satisfaction ~ Image + Quality\nQuality ~ Image"
    )
    fit = csi.fit(model, survey)
    boot = csi.bootstrap(fit, 30, progress=False)
    rep = csi.repurchase(fit, "again", family="logit", progress=False)
    economics = csi.money.Economics(margin=1.0, currency="EUR", period="year", discount_rate=0.1)
    return SimpleNamespace(
        frame=frame, survey=survey,
        linear=csi.linearize(fit), table=pa.Table.from_pandas(frame),
        relation=duckdb.from_arrow(pa.Table.from_pandas(frame)),
        scan=csi.scan(pa.Table.from_pandas(frame), scale=dict.fromkeys(mobi.items, (1, 10))),
        replicated=csi.fit(model, csi.replicate_weights(survey, "bootstrap", replicates=5)),
        scanned=csi.fit(model, csi.scan(pa.Table.from_pandas(frame), scale=dict.fromkeys(mobi.items, (1, 10)))),
        holes=csi.read_survey(frame.assign(CUSA1=frame["CUSA1"].where(frame["age"] > 9)), scale=(1, 10)), weighted=csi.read_survey(survey, weights="age"), model=model, fit=fit, ml=csi.fit(model, survey, csi.ML()), boot=boot,
        groups=csi.fit_groups(model, survey, "half"), programme=csi.programme(model, survey, "half", "year"), rep=rep, economics=economics,
        index=csi.respondent_index(fit)["Satisfaction"],
        truth=csi.simulate.population(model, paths=0.4, loadings=0.8, scale=(1, 10)),
        cells=frame.assign(index=csi.respondent_index(fit)["Satisfaction"])
        .groupby(["firm", "year"], as_index=False)[["again", "index"]].mean(),
        change=csi.money.profit_of_change(rep, 60, 65, economics, draws=30),
        scores=csi.index_scores(fit), importance=csi.importance_performance(fit),
        hidden=csi.assessment.fimix(fit, [2], 2, iterations=50, progress=False),
        conditions=csi.assessment.necessary_conditions(fit, permutations=20, progress=False),
        compared=csi.compare(fit, csi.fit(model, survey, csi.PLS("centroid"))),
        moderated=csi.fit(csi.Model.from_syntax(f"{model}\nSatisfaction ~ Image:Quality"), survey),
    )  # fmt: skip


def measure_calls(p: SimpleNamespace) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Return a plain call of each measure."""
    m, data = csi.measures, {"data": p.survey, "by": "half"}
    return {
        "measures.satisfaction_level": (
            m.satisfaction_level, {**data, "attributes": ["CUSA1"], "levels": range(1, 11)},
        ),
        "measures.top_box": (m.top_box, {**data, "items": "CUSA1"}),
        "measures.bottom_box": (m.bottom_box, {**data, "items": "CUSA1"}),
        "measures.net_score": (m.net_score, {**data, "items": "CUSA1"}),
        "measures.answer_shares": (m.answer_shares, {**data, "item": "CUSA1"}),
        "measures.net_promoter": (m.net_promoter, {**data, "item": "CUSA1"}),
        "measures.value_balance": (m.value_balance, {**data, "felt": "CUSA1", "paid": "PERQ1"}),
        "measures.after_use_satisfaction": (
            m.after_use_satisfaction, {**data, "after": "CUSA1", "before": "PERQ1"},
        ),
        "measures.comparison": (m.comparison, {**data, "items": ["CUSA1", "CUSA2"]}),
        "measures.disconfirmation": (
            m.disconfirmation,
            {**data, "perceived": ["CUSA1", "CUSA2"], "expected": ["PERQ1", "PERQ2"],
             "dimensions": {"all": ["CUSA1", "CUSA2"]}},
        ),
        "measures.service_gap": (
            m.service_gap,
            {**data, "perceived": ["CUSA1", "CUSA2"], "expected": ["PERQ1", "PERQ2"],
             "importance": ["IMAG1", "IMAG2"]},
        ),
        "measures.importance_weights": (
            m.importance_weights, {**data, "items": ["CUSA1", "CUSA2"], "values": range(1, 11)},
        ),
        "measures.weighted_satisfaction": (
            m.weighted_satisfaction,
            {**data, "satisfaction": ["CUSA1", "CUSA2"], "importance": ["IMAG1", "IMAG2"]},
        ),
        "measures.stated_importance": (
            m.stated_importance,
            {"data": p.survey, "performance": ["PERQ1", "PERQ2"], "importance": ["IMAG1", "IMAG2"],
             "fit": p.fit, "target": "Satisfaction"},
        ),
        "measures.customer_value": (
            m.customer_value, {**data, "value": ["CUSA1", "CUSA2"], "cost": "PERQ1"},
        ),
        "measures.abc_classes": (
            m.abc_classes,
            {"data": p.survey, "sales": "age", "satisfaction": "CUSA1", "dissatisfied_to": 5,
             "outcomes": ["again"]},
        ),
        "measures.enterprise_index": (
            m.enterprise_index,
            {**data, "favourability": "again", "complaints": "complained",
             "silent_complaints": "event", "benchmark": {"favourability": 0.5},
             "composite": {"favourability": 1}},
        ),
        "measures.branch_regression": (
            m.branch_regression,
            {"customers": pd.DataFrame({"estimate": [60.0, 66, 69, 75], "se": 1.0}),
             "staff": pd.DataFrame({"estimate": [50.0, 60, 70, 80], "se": 3.0})},
        ),
        "plots.lorenz": (csi.plots.lorenz, {"result": m.abc_classes(p.survey, "age")}),
        "plots.profile": (
            csi.plots.profile, {"table": m.comparison(p.survey, ["CUSA1"], by="half").table},
        ),
    }  # fmt: skip


@wraps(csi.save)
def save_aside(result: Any, path: Any) -> Path:
    """Save where relative names do not end in the working folder."""
    return csi.save(result, ASIDE / path if isinstance(path, str) and path.strip() else path)


def calls() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Return a plain call of public functions, by name: function and named arguments."""
    p, m, plots, simulate = plain(), csi.money, csi.plots, csi.simulate
    few = {"draws": 25, "rng": 1}
    return {
        "read_survey": (csi.read_survey, {"data": p.frame, "scale": (1, 100)}),
        "moments_of": (csi.moments.moments_of, {"source": p.survey, "items": ["CUSA1", "CUSA2"]}),
        "fit": (csi.fit, {"model": p.model, "survey": p.survey}),
        "fit_groups": (
            csi.fit_groups, {"model": p.model, "survey": p.survey, "by": "half", "minimum_n": 2},
        ),
        "fit_multigroup": (
            csi.fit_multigroup, {"model": p.model, "survey": p.survey, "by": "half"},
        ),
        "invariance": (
            csi.invariance, {"model": p.model, "survey": p.survey, "by": "half", "levels": ["metric"]},
        ),
        "bootstrap": (csi.bootstrap, {"fit": p.fit, **few, "progress": False}),
        "jackknife": (csi.jackknife, {"fit": p.fit}),
        "bollen_stine": (csi.inference.bollen_stine, {"fit": p.ml, **few, "progress": False}),
        "assess": (csi.assess, {"fit": p.fit, "bootstrap": p.boot}),
        "compare": (lambda names=None, bootstraps=None: csi.compare(
            p.fit, p.ml, names=names, bootstraps=bootstraps), {}),
        "factor_scores": (csi.factor_scores, {"fit": p.ml}),
        "index_scores": (
            csi.index_scores, {"fit": p.fit, "by": "half", "bootstrap": p.boot, "minimum_n": 2},
        ),
        "index_scores (groups)": (csi.index_scores, {"fit": p.groups, "shrink": True}),
        "what_if": (csi.what_if, {"fit": p.fit, "changes": {"Quality": 5}, "bootstrap": p.boot}),
        "goal_seek": (
            csi.goal_seek,
            {
                "fit": p.fit, "target": "Satisfaction", "at": 80, "drivers": ["Quality"],
                "cost": {"Quality": 2.0}, "most": {"Quality": 10}, "draws": 20,
            },
        ),
        "programme": (
            csi.programme,
            {
                "model": p.model, "survey": p.survey, "levels": ["half"], "period": "year",
                "weights": pd.DataFrame({"level": "half", "unit": ["a", "b"], "weight": [1.0, 2.0]}),
            },
        ),
        "programme (scan)": (
            csi.programme,
            {"model": p.model, "survey": p.scan, "levels": ["half"], "period": "year", "item_weights": "pooled"},
        ),
        "plots.ranking": (plots.ranking, {"ranks": p.programme.rank().table}),
        "plots.trend": (plots.trend, {"programme": p.programme, "level": "half", "units": ["a"]}),
        "plots.small_multiples": (plots.small_multiples, {"programme": p.programme}),
        "plots.heat_map": (
            plots.heat_map, {"programme": p.programme, "period": 1, "reverse": ["Complaints"]},
        ),
        "plots.loadings": (plots.loadings, {"result": p.fit}),
        "plots.contributions": (plots.contributions, {"programme": p.programme, "period": 1}),
        "respondent_index": (csi.respondent_index, {"fit": p.fit}),
        "respondent_index (file)": (
            csi.respondent_index,
            {"fit": p.fit, "to": Path(tempfile.gettempdir()) / "csimodel-scores.parquet", "keep": ["age"],
             "scores": True},
        ),
        "importance_performance": (csi.importance_performance, {"fit": p.fit}),
        "simple_slopes": (
            csi.simple_slopes,
            {"fit": p.moderated, "target": "Satisfaction", "source": "Image", "at": "Quality"},
        ),
        "predict": (csi.predict, {"fit": p.fit, "folds": 3, "repetitions": 2, "rng": 1}),
        "compare_groups": (
            csi.compare_groups,
            {"model": p.model, "survey": p.survey, "by": "half", "permutations": 20, "draws": 20,
             "progress": False},
        ),
        "compare_groups (draws)": (
            csi.compare_groups,
            {"model": p.model, "survey": p.survey, "by": "half", "method": "henseler",
             "resamples": {"a": np.arange(2500).reshape(25, 100) * 7 % 125,
                           "b": np.arange(2500).reshape(25, 100) * 3 % 125}, "progress": False},
        ),
        "micom": (
            csi.micom,
            {"model": p.model, "survey": p.survey, "by": "half", "permutations": 20, "progress": False},
        ),
        "assessment.model_selection": (csi.assessment.model_selection, {"fit": p.fit}),
        "assessment.blindfold": (csi.assessment.blindfold, {"fit": p.fit, "distance": 3}),
        "assessment.necessary_conditions": (
            csi.assessment.necessary_conditions, {"fit": p.fit, "permutations": 20, "progress": False},
        ),
        "index.combined_importance_performance": (
            csi.index.combined_importance_performance, {"conditions": p.conditions, "outcome": 90},
        ),
        "plots.necessary_conditions": (
            plots.necessary_conditions, {"conditions": p.conditions, "driver": "Image"},
        ),
        "assessment.fimix": (
            csi.assessment.fimix, {"fit": p.fit, "segments": [2], "starts": 2, "iterations": 50, "progress": False},
        ),
        "plots.micom": (
            plots.micom,
            {"result": csi.micom(p.model, p.survey, "half", 20, progress=False)},
        ),
        "plots.segments": (plots.segments, {"hidden": p.hidden}),
        "assessment.tetrads": (
            csi.assessment.tetrads, {"fit": p.fit, "borrow": {"Image": ["CUSA1", "CUSA2"]}},
        ),
        "assessment.full_collinearity": (csi.assessment.full_collinearity, {"fit": p.fit}),
        "assessment.redundancy": (
            csi.assessment.redundancy,
            {"model": p.model, "survey": p.survey, "overall": {"Satisfaction": "CUSA1"}},
        ),
        "assessment.criterion_weights": (csi.assessment.criterion_weights, {"values": {"a": 1.0, "b": 2.0}}),
        "Fit.predict": (p.fit.predict, {"data": p.survey, "of": "index"}),
        "cvpat": (csi.cvpat, {"fit": p.fit, "other": p.fit, "folds": 3, "rng": 1}),
        "overall_fit": (csi.overall_fit, {"fit": p.fit, **few, "progress": False}),
        "repurchase": (csi.repurchase, {"fit": p.fit, "outcome": "again", "family": "logit"}),
        "repurchase (scan)": (
            csi.repurchase,
            {"fit": p.scanned, "outcome": "again", "family": "logit", "controls": ["age"]},
        ),
        "repurchase (index)": (
            csi.repurchase,
            {"index": p.index, "outcome": p.frame["again"], "family": "logit"},
        ),
        "repurchase_shape": (csi.outcomes.repurchase_shape, {"rep": p.rep, "kind": "hinge", **few}),
        "compare_shapes": (
            csi.outcomes.compare_shapes, {"rep": p.rep, "kinds": ["line", "quadratic"], "folds": 3, **few},
        ),
        "calibration": (csi.outcomes.calibration, {"rep": p.rep, "folds": 3, "rng": 1}),
        "repurchase_segments": (
            csi.outcomes.repurchase_segments, {"fit": p.fit, "outcome": "again", "by": "half"},
        ),
        "repurchase_segments (index)": (
            csi.outcomes.repurchase_segments,
            {"index": p.index, "outcome": p.frame["again"], "by": p.frame["half"]},
        ),
        "repurchase_top_drop": (
            csi.outcomes.repurchase_top_drop,
            {"data": p.survey, "satisfaction": "CUSA1", "repurchase": "again", "fewest": 3},
        ),
        "repurchase_mixed": (
            csi.outcomes.repurchase_mixed, {"fit": p.fit, "outcome": "again", "by": "firm", "scale": (0, 1)},
        ),
        "repurchase_panel": (
            csi.outcomes.repurchase_panel, {"fit": p.fit, "outcome": "again", "firm": "firm", "period": "year"},
        ),
        "repurchase_time": (
            csi.outcomes.repurchase_time, {"fit": p.fit, "duration": "months", "event": "event"},
        ),
        "repurchase_asymmetry": (
            csi.outcomes.repurchase_asymmetry,
            {"fit": p.fit, "outcome": "Satisfaction", "quality": "Quality", "expectations": "Image"},
        ),
        "repurchase_asymmetry (index)": (
            csi.outcomes.repurchase_asymmetry,
            {"quality": p.index, "expectations": p.frame["IMAG1"] * 10.0, "outcome": p.frame["PERQ1"],
             "scale": (1, 10)},
        ),
        "corrected_slopes": (
            csi.outcomes.corrected_slopes, {"fit": p.fit, "outcome": "again", "progress": False},
        ),
        "corrected_slopes (index)": (
            csi.outcomes.corrected_slopes,
            {"index": p.index, "outcome": p.frame["again"], "reliability": 0.8, "progress": False},
        ),
        "index_reliability": (csi.outcomes.index_reliability, {"fit": p.fit}),
        "group_reliability": (csi.outcomes.group_reliability, {"mean": [60, 65, 70.0], "se": [1, 1.5, 2.0]}),
        "complaint_repurchase": (
            csi.outcomes.complaint_repurchase,
            {"data": p.survey, "complained": "complained", "handling": "PERQ3", "repurchase": "again",
             "well_from": 7, "scale": (0, 1)},
        ),
        "money.Economics": (
            m.Economics, {"margin": 1, "currency": "EUR", "period": "year", "discount_rate": 0.1},
        ),
        "money.profit_of_change": (
            m.profit_of_change, {"rep": p.rep, "from_": 60, "to": 65, "economics": p.economics, **few},
        ),
        "money.profit_of_driver": (
            m.profit_of_driver,
            {"source": p.fit, "rep": p.rep, "driver": "Quality", "economics": p.economics, **few},
        ),
        "money.retention_of": (
            m.retention_of, {"rep": p.rep, "at": 60, "economics": p.economics, **few},
        ),
        "money.lifetime_value": (m.lifetime_value, {"retention": 0.8, "economics": p.economics}),
        "money.profit_of_retention": (
            m.profit_of_retention, {"from_": 0.8, "to": 0.9, "economics": p.economics},
        ),
        "money.fewer_defections": (
            m.fewer_defections, {"retention": 0.8, "economics": p.economics, "cut": 0.05},
        ),
        "money.acquisition_or_retention": (
            m.acquisition_or_retention,
            {"retention": 0.8, "economics": p.economics, "acquisition_cost": 5, "retention_cost": 1},
        ),
        "money.complaint_budget": (
            m.complaint_budget,
            {"handled": 0.9, "unhandled": 0.5, "economics": p.economics, "retention": 0.8,
             "dissatisfied": 0.2, "complaint_rate": 0.4},
        ),
        "money.more_complaints": (
            m.more_complaints,
            {"handled": 0.9, "silent": 0.5, "economics": p.economics, "retention": 0.8,
             "dissatisfied": 0.2, "from_": 0.3, "to": 0.5, "compensation": 2},
        ),
        "money.break_even_spending": (m.break_even_spending, {"change": p.change}),
        "money.net_present_value": (m.net_present_value, {"change": p.change, "spending": 10}),
        "money.buying_rates": (m.buying_rates, {"data": p.survey, "bought": "again", "existing": "event"}),
        "rep.predict": (p.rep.predict, {"levels": [50]}),
        "rep.contrast": (p.rep.contrast, {"start": 50, "end": 60}),
        "rep.curve": (p.rep.curve, {}),
        "rep.effect_at": (p.rep.effect_at, {"level": 50}),
        "rep.elasticity": (p.rep.elasticity, {}),
        "rep.level_for": (p.rep.level_for, {"probability": 0.6}),
        "boot.table": (p.boot.table, {"quantity": "paths"}),
        "boot.draws": (p.boot.draws, {"quantity": "paths"}),
        "fit.standardized": (p.ml.standardized, {}),
        "fit.modification_indices": (p.ml.modification_indices, {}),
        "PLS": (csi.PLS, {}),
        "ML": (csi.ML, {}),
        "LeastSquares": (csi.LeastSquares, {}),
        "WLSMV": (csi.WLSMV, {}),
        "Semopy": (csi.Semopy, {}),
        "reflective": (csi.reflective, {"name": "A", "items": ["a1", "a2"]}),
        "composite": (csi.composite, {"name": "A", "items": ["a1", "a2"]}),
        "ConstructMinimum": (csi.ConstructMinimum, {}),
        **{f"models.{name}": (build, {}) for name, build in csi.models.PUBLISHED.items()},
        "models.template": (csi.models.template, {"model": p.model}),
        "load_mobi": (csi.load_mobi, {}),
        "read_codebook": (csi.read_codebook, {"path": DATA / "mobi.toml"}),
        "literature.table": (csi.literature.table, {}),
        "repurchase_panel (index)": (
            csi.outcomes.repurchase_panel,
            {"fit": p.cells, "outcome": "again", "firm": "firm", "period": "year", "index": "index"},
        ),
        "programme_impacts": (
            csi.outcomes.programme_impacts,
            {"programme": p.programme, "changes": {"Quality": 5}, "outcome": "again", "economics": p.economics},
        ),
        "money.profits_of_drivers": (
            m.profits_of_drivers,
            {"source": p.fit, "rep": p.rep, "drivers": ["Quality"], "economics": p.economics, **few},
        ),
        "register": (
            csi.register, {"quantity": csi.Quantity("own", lambda model: None, lambda found: None)},
        ),
        "plots.calibration": (plots.calibration, {"result": csi.outcomes.calibration(p.rep, folds=3, rng=1)}),
        "plots.repurchase_curves": (plots.repurchase_curves, {"curves": {"a": p.rep}}),
        "plots.moderation": (
            plots.moderation,
            {"slopes": csi.simple_slopes(p.moderated, "Satisfaction", "Image", at="Quality")},
        ),
        "plots.to_svg": (plots.to_svg, {"figure": plots.path_diagram(p.fit)}),
        "plots.slopes": (
            plots.slopes,
            {"table": csi.outcomes.corrected_slopes(
                index=p.index, outcome=p.frame["again"], reliability=0.8, draws=20, progress=False)},
        ),
        "analyze": (
            csi.analyze, {"survey": p.survey, "model": p.model, "draws": 25, "by": "half", "minimum_n": 2, "progress": False},
        ),
        "simulate.programme": (
            simulate.programme, {"firms": 2, "periods": 2, "respondents": 20, "industries": 1, "sectors": 1},
        ),
        "simulate.population": (simulate.population, {"model": p.model, "paths": 0.4, "loadings": 0.8}),
        "simulate.power": (
            simulate.power, {"truth": p.truth, "n": 60, "estimator": csi.ML(), "draws": 5},
        ),
        "simulate.replicate": (
            simulate.replicate, {"truth": p.truth, "n": 60, "samples": 5, "estimator": csi.ML()},
        ),
        "truth.survey": (p.truth.survey, {"n": 20}),
        "simulate.Missing": (simulate.Missing, {"share": 0.2}),
        "simulate.Firms": (simulate.Firms, {"count": 5}),
        "simulate.Outcome": (simulate.Outcome, {"slope": 0.02}),
        "simulate.HeavyTailed": (simulate.HeavyTailed, {}),
        "simulate.Skewed": (simulate.Skewed, {}),
        "linearize": (csi.linearize, {"fit": p.fit}),
        "replicate_weights": (
            csi.replicate_weights, {"survey": p.survey, "method": "bootstrap", "replicates": 5},
        ),
        "replicate": (csi.replicate, {"fit": p.replicated, "progress": False}),
        "lin.table": (p.linear.table, {"quantity": "paths"}),
        "lin.difference": (p.linear.difference, {"a": "paths", "b": "paths"}),
        "lin.ratio": (p.linear.ratio, {"a": "paths", "b": "paths"}),
        "lin.deff": (p.linear.deff, {"quantity": "paths"}),
        "lin.influence": (p.linear.influence, {"quantity": "paths"}),
        "impute": (
            csi.impute,
            {"survey": p.holes, "m": 2, "items": ["CUSA1", "CUSA2"], "auxiliaries": ["half", "age"],
             "sweeps": 2, "rng": 1},
        ),
        "impute normal": (
            csi.impute, {"survey": p.holes, "m": 2, "items": ["CUSA1"], "method": "normal", "rng": 1},
        ),
        "impute two-way": (
            csi.impute, {"survey": p.holes, "m": 2, "items": ["CUSA1"], "method": "two-way", "rng": 1},
        ),
        "assessment.compare_missing_policies": (
            csi.assessment.compare_missing_policies,
            {"model": p.model, "survey": p.holes, "m": 2, "policies": ["listwise", "em"], "rng": 1},
        ),
        "inference.pool": (csi.inference.pool, {"fits": [p.fit, p.fit]}),
        "inference.pool_tables": (
            csi.inference.pool_tables, {"tables": [csi.linearize(p.fit).table("paths")] * 2},
        ),
        "scan": (csi.scan, {"data": p.table, "scale": (1, 100)}),
        "scan (DuckDB)": (csi.scan, {"data": p.relation, "scale": (1, 100)}),
        "scan (SQL)": (csi.scan, {"data": p.relation, "scale": (1, 100), "engine": "sql"}),
        "scan (buckets)": (csi.scan, {"data": p.table, "scale": (1, 100), "buckets": 20}),
        "scan.sample": (p.scan.sample, {"n": 20, "rng": 1}),
        "fit (scan)": (csi.fit, {"model": p.model, "survey": p.scan}),
        "fit_groups (scan)": (
            csi.fit_groups, {"model": p.model, "survey": p.scan, "by": "half"},
        ),
        "index_scores (scan)": (csi.index_scores, {"fit": p.scanned, "by": "half"}),
        "linearize (scan)": (csi.linearize, {"fit": p.scanned}),
        "rake": (csi.rake, {"survey": p.survey, "margins": {"half": {"a": 1, "b": 2}}}),
        "weighting.calibrate": (
            csi.weighting.calibrate,
            {"survey": p.survey, "margins": {"half": {"a": 50, "b": 100}, "age": 3600},
             "method": "raking", "bounds": (0.1, 3.0), "into": "w"},
        ),
        "weighting.post_stratify": (
            csi.weighting.post_stratify, {"survey": p.survey, "margins": {"half": {"a": 1, "b": 2}}},
        ),
        "weighting.trim": (csi.weighting.trim, {"survey": p.weighted, "upper": 40}),
        "weighting.describe_weights": (csi.weighting.describe_weights, {"survey": p.weighted}),
        "weighting.response_rates": (
            csi.weighting.response_rates, {"complete": 50, "unknown": 10, "e": 0.5},
        ),
        "weighting.adjust_for_nonresponse": (
            csi.weighting.adjust_for_nonresponse,
            {"survey": p.survey, "responded": "again", "classes": ["half"]},
        ),
        "draft_codebook": (csi.draft_codebook, {"data": p.frame}),
        "sample_plan": (
            csi.sample_plan, {"half_width": 5.0, "sd": {"a": 20, "b": 30}, "strata": {"a": 500, "b": 900}},
        ),
        "measures.write_questionnaire": (
            csi.measures.write_questionnaire,
            {"codebook": csi.Codebook.from_toml("[items.q1]\nscale = [1, 5]"),
             "path": Path(tempfile.gettempdir()) / "csimodel-q.html", "asked_if": {"q1": ("q1", 1)}},
        ),
        "measures.survey_plan": (
            csi.measures.survey_plan,
            {"codebook": csi.Codebook.from_toml("[items.q1]\nscale = [1, 5]"),
             "sample": csi.sample_plan(5.0), "who": "all", "schedule": {"report": "May"}},
        ),
        "language": (csi.language, {"name": "en"}),
        "describe": (
            csi.describe,
            {"survey": p.survey, "items": ["CUSA1", "CUSA2"], "duration": "age",
             "asked_if": {"CUSA1": ("age", 30)}},
        ),
        "analyze_items": (
            csi.analyze_items, {"survey": p.survey, "model": {"S": ["CUSA1", "CUSA2", "CUSA3"]}, **few},
        ),
        "explore_factors": (
            csi.explore_factors,
            {"survey": p.survey, "items": ["CUSA1", "CUSA2", "CUSA3", "PERV1"], "sets": 20, **few},
        ),
        "table": (wraps(csi.table)(lambda **options: csi.table(p.fit, p.ml, **options)), {}),
        "save": (save_aside, {"result": p.fit, "path": ASIDE / "fit.csimodel"}),
        "load": (csi.load, {"path": csi.save(p.boot, ASIDE / "boot.csimodel")}),
        **measure_calls(p),
        "plots.path_diagram": (plots.path_diagram, {"fit": p.fit, "bootstrap": p.boot}),
        "plots.to_dot": (plots.to_dot, {"fit": p.fit, "bootstrap": p.boot}),
        "plots.index_bars": (plots.index_bars, {"scores": p.scores}),
        "plots.intervals": (plots.intervals, {"table": p.boot.table("paths")}),
        "plots.importance_performance": (
            plots.importance_performance, {"importance": p.importance, "target": "Satisfaction"},
        ),
        "plots.compare": (plots.compare, {"comparison": p.compared}),
        "plots.repurchase_curve": (plots.repurchase_curve, {"curve": p.rep.curve()}),
        "plots.waterfall": (
            plots.waterfall, {"table": pd.DataFrame({"step": ["a", "b"], "value": [1.0, 2.0]})},
        ),
        "plots.money_steps": (plots.money_steps, {"money": p.change}),
    }  # fmt: skip


@cache
def plain_calls() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Return plain calls of functions, constructors and methods, by name."""
    p = plain()
    found = {**calls(), **constructors()}
    found |= {name: (bound, given) for name, bound, given in methods(p)}
    return found


def variants() -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """Yield every call with one argument replaced by an odd value."""
    odd = {**ODD, **results()}
    for name, (function, arguments) in plain_calls().items():
        for option, parameter in inspect.signature(function).parameters.items():
            if (
                parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
                or option == "progress"
            ):
                continue
            for kind, value in odd.items():
                if option in ("draws", "resamples", "n", "samples") and kind == "huge":
                    continue
                yield f"{name}({option}={kind})", function, {**arguments, option: value}
