"""The tables of a report, as they go into CSV files and ``results.json``."""

from __future__ import annotations

import numpy as np
import pandas as pd

from csimodel.estimators import find
from csimodel.estimators.groups import labelled_groups
from csimodel.estimators.points import point_weights
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.grouping import MOST_GROUPINGS, Grouping, of_grouping
from csimodel.report.outcome_sections import money_table

_OF_GROUPINGS = (
    "index_by_group", "repurchase_segments", "repurchase_segment_tests",
    "repurchase_segment_curves",
)  # fmt: skip

NAMES = (
    "index", "drivers", "paths", "total_effects", "r2", "items", "reliability",
    "htmt", "fornell_larcker", "effect_sizes", "global_fit", "verdicts", "findings",
    "repurchase_coefficients", "repurchase_effects", "repurchase_contrast", "repurchase_curve",
    "repurchase_slopes",
    "money_by_driver", "money_steps", "weights", "margins", "missing_answers",
    "missing_policies", "item_description",
    "programme_scores", "programme_changes", "programme_ranking", "programme_trend",
    "programme_levels", "programme_contributions",
    *(of_grouping(name, place) for name in _OF_GROUPINGS for place in range(MOST_GROUPINGS)),
)  # fmt: skip
"""Every table a report can have."""


def tables(analysis: AnalysisResults) -> dict[str, pd.DataFrame]:
    """Return the tables of an analysis by name, each flat: labels are columns too."""
    boot, level, assessed = analysis.bootstrap, analysis.level, analysis.assessment
    by_name = {"index": _flat(analysis.index)}
    for place, grouping in enumerate(analysis.groupings):
        by_name[of_grouping("index_by_group", place)] = _flat(grouping.index)
    by_name |= {
        "drivers": _flat(analysis.importance),
        "paths": _flat(boot.table("paths", level=level)),
        "total_effects": _flat(boot.table("total_effects", level=level)),
        "r2": _flat(boot.table("r2", level=level).drop(columns="p"), "construct"),
        "items": items(analysis),
        "reliability": _flat(assessed.reliability, "construct"),
        "htmt": _flat(assessed.htmt),
        "fornell_larcker": _flat(assessed.fornell_larcker, "construct"),
        "effect_sizes": effect_sizes(analysis),
        "global_fit": _flat(assessed.global_fit, "measure"),
        "verdicts": assessed.verdicts,
        "findings": findings(analysis),
    }
    if analysis.weighting is not None:
        by_name["weights"] = analysis.weighting.table
        if not (margins := margins_table(analysis)).empty:
            by_name["margins"] = _flat(margins)
    if not analysis.missing.empty and analysis.missing["missing"].any():
        by_name["missing_answers"] = _flat(analysis.missing)
    if analysis.description is not None:
        by_name["item_description"] = _flat(analysis.description.items)
    if analysis.policies is not None:
        by_name["missing_policies"] = _flat(analysis.policies.table)
    if analysis.programme is not None:
        waves = analysis.programme
        by_name |= {
            "programme_scores": _flat(waves.scores),
            "programme_changes": _flat(waves.changes),
            "programme_ranking": _flat(waves.rank(within="all").table),
            "programme_trend": _flat(waves.trend),
            "programme_levels": _flat(waves.local_level),
            "programme_contributions": _flat(waves.contributions),
        }
    if analysis.repurchase is not None:
        valued = analysis.repurchase
        by_name |= {
            "repurchase_coefficients": _flat(valued.coefficients, "term"),
            "repurchase_effects": _flat(valued.average_marginal_effects, "term"),
            "repurchase_contrast": _flat(valued.contrast(*analysis.contrast), "where"),
            "repurchase_curve": valued.curve(),
        }
    if analysis.slopes is not None:
        by_name["repurchase_slopes"] = analysis.slopes.table
    for place, grouping in enumerate(analysis.groupings):
        if (segments := grouping.segments) is not None:
            by_name |= {
                of_grouping("repurchase_segments", place): _flat(segments.table),
                of_grouping("repurchase_segment_tests", place): _flat(segments.tests, "hypothesis"),
                of_grouping("repurchase_segment_curves", place): _flat(segments.curves()),
            }
    if analysis.money:
        by_name |= {
            "money_by_driver": money_table(analysis.money),
            "money_steps": _flat(next(iter(analysis.money.values())).table),
        }
    return by_name


def items(analysis: AnalysisResults) -> pd.DataFrame:
    """Return what is known and estimated about every item, one row each."""
    fit, level = analysis.fit, analysis.level
    loadings = analysis.bootstrap.table("loadings", level=level)
    survey = fit.survey
    known = survey.items if survey is not None else {}
    wordings = [known[name].wording if name in known else None for name in fit.model.items]
    return pd.DataFrame(
        {
            "item": list(fit.model.items),
            "construct": [fit.model.construct_names[j] for j in fit.model.owner],
            "wording": wordings,
            "mean": fit.moments.mean,
            "sd": fit.moments.sd,
            "loading": loadings["estimate"].to_numpy(),
            **{name: loadings[name].to_numpy() for name in ("df", "lower", "upper", "reason")},
            "weight": fit.estimates.weights,
            "index_weight": point_weights(fit.solution),
            "vif": analysis.assessment.item_vif.to_numpy(),
        }
    )


def findings(analysis: AnalysisResults) -> pd.DataFrame:
    """Return what was noticed, gravest first, one row each."""
    rows = [
        {
            "severity": finding.severity,
            "code": finding.code,
            "count": finding.count,
            "subjects": "; ".join(finding.subjects),
            "message": finding.message,
        }
        for finding in analysis.findings
    ]
    table = pd.DataFrame(rows, columns=["severity", "code", "count", "subjects", "message"])
    return table.astype({"count": "Int64"})


def target_by_group(analysis: AnalysisResults, grouping: Grouping) -> pd.DataFrame:
    """Return the rows of the target in the index by group, with the codebook's labels."""
    assert analysis.fit.survey is not None
    own = grouping.index.index.get_level_values("construct") == analysis.target
    return labelled_groups(grouping.index[own], analysis.fit.survey)


def pair(key: object) -> tuple[str, str]:
    """Return the target and the source that label a row.

    >>> pair(("Loyalty", "Image"))
    ('Loyalty', 'Image')
    """
    assert isinstance(key, tuple)
    return str(key[0]), str(key[1])


def _flat(table: pd.DataFrame, index: str | None = None) -> pd.DataFrame:
    """Return a table whose row labels are columns; a label that bears a column's name is marked."""
    names = [index] if index is not None else [str(name) for name in table.index.names]
    free = [f"{name} (label)" if name in table.columns else name for name in names]
    return table.rename_axis(index=free, columns=None).reset_index()


def effect_sizes(analysis: AnalysisResults) -> pd.DataFrame:
    """Return f² and the variance inflation of the source, one row a path, as in the path table."""
    f2, vif = analysis.assessment.f2, analysis.assessment.antecedent_vif
    paths = [pair(key) for key in find("paths").labels(analysis.fit.model)]
    rows = [(*path, f2.loc[path], vif.loc[path]) for path in paths]
    return pd.DataFrame(rows, columns=["target", "source", "f2", "vif_of_source"])


def margins_table(analysis: AnalysisResults) -> pd.DataFrame:
    """Return what weights were brought to: each group's share of the population and the sample.

    Returns
    -------
    DataFrame
        Rows groups, or numbers whose total is known; columns population, before, after: shares of
        the whole, or means of a number.
    """
    survey = analysis.fit.survey
    calibration = None if survey is None else survey.calibration
    if survey is None or calibration is None or not calibration.names:
        return pd.DataFrame(columns=["population", "before", "after"])
    after = survey.data[survey.weights].to_numpy(np.float64)
    after = np.where(np.isnan(after), 0.0, after)
    base = calibration.base
    return pd.DataFrame(
        {
            "population": calibration.totals / calibration.size,
            "before": calibration.known.T @ base / base.sum(),
            "after": calibration.known.T @ after / calibration.size,
        },
        index=pd.Index(calibration.names, name="group"),
    )
