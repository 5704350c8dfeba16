"""The numbers of a report for programs: plain values that strict JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from csimodel.formatting import label
from csimodel.inference import interval_name
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.provenance import code, fingerprint, model_text, versions
from csimodel.report.tables import tables
from csimodel.survey.population import population_text

if TYPE_CHECKING:
    from csimodel.index import LeadingGroup
    from csimodel.outcomes.models.segments import Segments

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


def results(
    analysis: AnalysisResults, by_name: Mapping[str, pd.DataFrame] | None = None
) -> dict[str, Json]:
    """Return all numbers of an analysis, with how they came about; None where there is none.

    Parameters
    ----------
    analysis
        What was computed.
    by_name
        Its tables, where they were made already.
    """
    fit, boot, design = analysis.fit, analysis.bootstrap, analysis.bootstrap.design
    survey = fit.survey
    assert survey is not None
    by_name = tables(analysis) if by_name is None else by_name
    return {
        "target": analysis.target,
        "level": analysis.level,
        "data": {
            "source": survey.source,
            "rows": len(survey.data),
            "rows_used": fit.n,
            "effective_rows": _plain(fit.moments.effective_n),
            "design_effect": _plain(analysis.design_effect[0]),
            "effective_rows_by_design": _plain(analysis.design_effect[1]),
            "missing": str(survey.missing),
            "weights": survey.weights,
            "strata": survey.strata,
            "cluster": survey.cluster,
            "replicate_weights": list(survey.replicate_weights),
            "population": None if survey.population is None else population_text(survey.population),
            "response_rates": None
            if analysis.response is None
            else {str(k): _plain(v) for k, v in analysis.response.table["rate"].items()},
            "sha256_of_answers": fingerprint(analysis),
        },
        "model": {"name": fit.model.name, "syntax": model_text(fit.model)},
        "estimator": {
            "label": fit.estimator.label,
            "converged": fit.converged,
            "iterations": fit.iterations,
        },
        "bootstrap": {
            "kind": design.kind if boot.replication is None else boot.replication.method,
            "draws": len(boot.usable),
            "usable": int(boot.usable.sum()),
            "seed": design.seed,
            "lost": {str(reason): int(count) for reason, count in boot.failed.items()},
            "interval": interval_name(
                "auto" if boot.replication is None else "t", boot.survey_design.df
            ),
        },
        "highest": {
            "driver": _leading(analysis.leading_driver),
            "group": _leading(analysis.leading),
        },
        "groupings": [
            {
                "by": list(grouping.columns),
                "highest": _leading(grouping.leading),
                "segments": _segments(grouping.segments),
            }
            for grouping in analysis.groupings
        ],
        "repurchase": _repurchase(analysis),
        "segments": _segments(analysis.segments),
        "money": _money(analysis),
        "tables": {name: records(table) for name, table in by_name.items()},
        "versions": dict(versions()),
        "code": code(analysis),
    }


def _leading(leading: LeadingGroup | None) -> Json:
    """Return who stands first, whether it differs from all others, and the tests."""
    if leading is None:
        return None
    return {
        "name": label(leading.group),
        "distinct": leading.distinct,
        "differences": [
            {"from": label(key), **{str(name): _plain(value) for name, value in row.items()}}
            for key, row in leading.table.iterrows()
        ],
    }


def _repurchase(analysis: AnalysisResults) -> Json:
    valued = analysis.repurchase
    if valued is None:
        return None
    effect = valued.average_marginal_effect
    parts = ("estimate", "se", "lower", "upper", "p")
    return {
        "outcome": valued.outcome,
        "index": valued.indexes[0],
        "family": valued.family.name,
        "rows_used": valued.n,
        "intervals": valued.interval_kind,
        "average_marginal_effect": {name: _plain(getattr(effect, name)) for name in parts},
        "slope": {name: _plain(getattr(valued.slope, name)) for name in parts},
        "contrast": [float(point) for point in analysis.contrast],
    }


def _segments(segments: Segments | None) -> Json:
    if segments is None:
        return None
    return {
        "groups": list(segments.names),
        "rows_used": segments.repurchase.n,
        "intervals": segments.repurchase.interval_kind,
        "p_of_equal_curves": _plain(float(segments.tests["p"].iloc[-1])),
    }


def _money(analysis: AnalysisResults) -> Json:
    if not analysis.money:
        return None
    driver, money = next(iter(analysis.money.items()))
    return {
        "terms": {name: _plain(value) for name, value in asdict(money.economics).items()},
        "driver": driver,
        "uncertainty": money.source,
    }


def records(table: pd.DataFrame) -> list[Json]:
    """Return the rows of a table as mappings from column to plain value.

    >>> records(pd.DataFrame({"name": ["a"], "value": [float("nan")]}))
    [{'name': 'a', 'value': None}]
    """
    columns = [str(name) for name in table.columns]
    values = [[_plain(value) for value in table.iloc[:, j]] for j in range(len(columns))]
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def _plain(value: object) -> Json:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.ndarray | np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bool | int | str):
        return value
    return label(value)
