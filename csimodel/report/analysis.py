"""`analyze`: the whole chain in one call, from a survey to what a point is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from csimodel.arguments import checked
from csimodel.assessment import Assessment, assess
from csimodel.errors import (
    ModelError,
    OptionError,
    choose,
    suggest,
)
from csimodel.estimators import Fit
from csimodel.estimators import fit as fit_model
from csimodel.estimators.solution import Estimator
from csimodel.findings import Finding, collected, listed
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.index import (
    LeadingGroup,
    design_effects,
    importance_performance,
    index_scores,
    leading_driver,
    leading_group,
    scale_of,
)
from csimodel.inference import Bootstrap, bootstrap
from csimodel.model import Model, catalogue
from csimodel.options import require_level
from csimodel.outcomes import Repurchase
from csimodel.outcomes import repurchase as regress_repurchase
from csimodel.outcomes.measurement_error import CorrectedSlopes
from csimodel.outcomes.models.segments import Segments
from csimodel.outcomes.money import Economics, Money
from csimodel.report.outcome_sections import money_by_driver, segments_of, slopes_of
from csimodel.survey import Item, Survey, read_survey

_CATALOGUE = {"ecsi": catalogue.ecsi, "acsi": catalogue.acsi}


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Analysis:
    """Everything a report says, computed: made by `analyze`, written down by `write_report`.

    Attributes
    ----------
    fit
        The fitted model.
    bootstrap
        The resamples behind every interval.
    index
        Index of each construct, 0-100 points: mean, se, lower, upper, n.
    importance
        Effects on the target: importance (points per point), performance (index), se, lower,
        upper.
    assessment
        Reliability, validity and fit, with verdicts.
    repurchase
        The regression of repurchase on the index, or None.
    slopes
        The slope of repurchase as measured and corrected for measurement error, or None.
    segments
        The curve of repurchase in every group, or None.
    money
        By driver, strongest first, the profit of one point more of it; empty without economics.
    group_index
        Index of each (group, construct), or None.
    leading
        The group with the highest index of the target, tested against all others, or None.
    target
        The construct the report is about.
    level
        Coverage of the intervals.
    contrast
        Two index levels whose repurchase is compared, points.
    warned
        What was told on the way and belongs to no result of its own.
    """

    fit: Fit
    bootstrap: Bootstrap
    index: pd.DataFrame
    importance: pd.DataFrame
    assessment: Assessment
    repurchase: Repurchase | None
    slopes: CorrectedSlopes | None
    segments: Segments | None
    money: dict[str, Money]
    group_index: pd.DataFrame | None
    leading: LeadingGroup | None
    target: str
    level: float
    contrast: tuple[float, float]
    warned: tuple[Finding, ...] = ()

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything a reader must know before trusting the numbers, gravest first."""
        survey = self.fit.survey
        found = [
            *(survey.findings if survey is not None else ()),
            *self.fit.diagnostics,
            *self.bootstrap.findings,
            *(self.repurchase.diagnostics if self.repurchase is not None else ()),
            *(found for one in self.money.values() for found in one.diagnostics),
            *self.warned,
        ]
        order = ("failure", "warning", "note")
        once: dict[tuple[str, str], Finding] = {}
        for one in found:
            once.setdefault((one.severity, one.message), one)
        return tuple(sorted(once.values(), key=lambda one: order.index(one.severity)))

    @cached_property
    def leading_driver(self) -> LeadingGroup | None:
        """The driver with the largest effect on the target, tested against all others."""
        return leading_driver(self.bootstrap, self.target, self.level)

    @cached_property
    def design_effect(self) -> tuple[float, float]:
        """The design effect of the target's index, and how many respondents it is as sure as."""
        row = design_effects(self.fit).loc[[self.target]].iloc[0]
        return float(row["design_effect"]), float(row["effective_n"])

    @property
    def headline(self) -> pd.Series:
        """The target's row of the index: mean, se, lower, upper, n."""
        return self.index.loc[[self.target]].iloc[0]

    def summary(self) -> str:
        """Return the results as a page of text for a terminal."""
        from csimodel.report.text import page

        return page(self)

    def __repr__(self) -> str:
        row = self.headline
        told = f"{self.target} {row['mean']:.1f} [{row['lower']:.1f}, {row['upper']:.1f}]"
        return f"<Analysis of {self.fit!r}: {told}>"


@own_errstate
@checked
def analyze(
    survey: Survey | object,
    model: Model | str | None = None,
    *,
    estimator: Estimator | None = None,
    draws: int = 5000,
    rng: int | np.random.Generator | None = 7,
    outcome: str | None = None,
    outcome_scale: tuple[float, float] | None = None,
    family: str | None = None,
    by: str | Sequence[str] | None = None,
    target: str = "Satisfaction",
    level: float = 0.95,
    contrast: tuple[float, float] = (67.0, 70.0),
    economics: Economics | None = None,
    progress: bool = True,
) -> Analysis:
    """Fit, resample, score, assess and value in repurchase, in one call.

    Parameters
    ----------
    survey
        A `Survey` or anything `read_survey` takes.
    model
        A `Model`, or ``"ecsi"`` (default) or ``"acsi"``; by name, the codebook's items are taken
        for constructs that bear the same name in it.
    estimator
        `PLS` by default.
    draws
        Number of bootstrap resamples.
    rng
        Seed of the resamples.
    outcome
        Column that says whether, or how likely, the customer buys again; None for no regression.
    outcome_scale
        Lowest and highest answer of the outcome; for one that is not of 0 and 1, no item of the
        model, and not described by a codebook.
    family
        Kind of regression, as in `repurchase`; ``"fractional-logit"`` by default, which is the
        logit for an outcome of 0 and 1.
    by
        Column or columns that make groups with an index of their own, and with an outcome a
        curve of repurchase of their own.
    target
        The construct the report is about.
    level
        Coverage of the intervals.
    contrast
        Two index levels whose repurchase is compared, points.
    economics
        Terms of trade, a `money.Economics`, which turn a point of each driver into money through
        repurchase; they need an outcome.
    progress
        Show a bar for what takes longer than a second.

    Returns
    -------
    Analysis

    Raises
    ------
    ModelError
        When the target is not in the model.
    OptionError
        For an option that is not allowed, or a level outside 0 to 1.
    SurveyError, EstimationError, InferenceError
        When the data cannot be used, or give no solution.

    Examples
    --------
    >>> import csimodel as csi
    >>> analysis = csi.analyze(csi.load_mobi(), draws=200, outcome="CUSL1", progress=False)
    >>> round(float(analysis.headline["mean"]), 1)
    72.5
    >>> analysis.importance.index[0]
    'Quality'
    """
    table = survey if isinstance(survey, Survey) else read_survey(survey)
    chosen = model if isinstance(model, Model) else named_model(model or "ecsi", table.items)
    if target not in chosen.construct_names:
        raise ModelError(
            f"Target {target!r} is not in the model{suggest(target, chosen.construct_names)}; "
            f"choose one of {listed(chosen.construct_names, 20)}."
        )
    level = require_level(level)
    if not all(0 <= point <= 100 for point in contrast):
        raise OptionError(
            f"contrast={contrast!r} must be two index levels from 0 to 100, for example (67, 70)."
        )
    with collected() as warned:
        fitted = fit_model(chosen, table, estimator)
        fitted.require_converged("report")
        scale_of(fitted.moments)
        boot = bootstrap(fitted, draws, rng, progress=progress)
        valued, slopes = None, None
        if outcome is not None:
            valued = regress_repurchase(
                fitted,
                outcome,
                index=target,
                family="fractional-logit" if family is None else family,
                scale=outcome_scale,
                bootstrap=boot,
                level=level,
                progress=progress,
            )
            if valued.converged:
                slopes, told = slopes_of(valued, boot, outcome_scale, progress=progress)
                warned.extend(told)
        groups, segments, leading = None, None, None
        if by is not None:
            groups = index_scores(fitted, by=by, bootstrap=boot, level=level)
            leading = leading_group(fitted, by, target, boot, level)
            if valued is not None and valued.converged:
                segments, told = segments_of(valued, boot, by, outcome_scale, progress=progress)
                warned.extend(told)
        scores = index_scores(fitted, bootstrap=boot, level=level)
        drivers = importance_performance(fitted, target, boot, level)
        assessed = assess(fitted, boot, level)
        money = (
            {}
            if economics is None
            else money_by_driver(boot, valued, map(str, drivers.index), economics)
        )
    return Analysis(
        fit=fitted,
        bootstrap=boot,
        index=scores,
        importance=drivers,
        assessment=assessed,
        repurchase=valued,
        slopes=slopes,
        segments=segments,
        money=money,
        group_index=groups,
        leading=leading,
        target=target,
        level=level,
        contrast=contrast,
        warned=tuple(warned),
    )


def named_model(name: str, items: Mapping[str, Item]) -> Model:
    """Return a published model, measured by the items that a codebook gives to its constructs.

    Parameters
    ----------
    name
        ``"ecsi"`` or ``"acsi"``.
    items
        From a `Survey` or a `Codebook`. Constructs that no item names keep their own items.

    Raises
    ------
    OptionError
        When there is no such model.

    Examples
    --------
    >>> import csimodel as csi
    >>> named_model("ecsi", csi.load_mobi().items).blocks["Value"]
    ('PERV1', 'PERV2')
    """
    build = _CATALOGUE[choose("model", name, _CATALOGUE)]
    blocks: dict[str, list[str]] = {}
    for item in items.values():
        if item.construct in build().construct_names:
            blocks.setdefault(str(item.construct), []).append(item.name)
    return build(blocks)
