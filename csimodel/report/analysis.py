"""`analyze`: the whole chain in one call, from a survey to what a point is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csimodel.arguments import checked
from csimodel.assessment import assess, compare_missing_policies
from csimodel.errors import (
    ModelError,
    OptionError,
    choose,
    suggest,
)
from csimodel.estimators import Fit
from csimodel.estimators import fit as fit_model
from csimodel.estimators.solution import Estimator
from csimodel.findings import collected, listed
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.index import (
    importance_performance,
    index_scores,
    scale_of,
)
from csimodel.index.programme import programme
from csimodel.inference import Bootstrap, bootstrap
from csimodel.inference.replicates import own_replicates
from csimodel.measures.description import describe
from csimodel.model import Model, catalogue
from csimodel.options import require_kind, require_level, shown
from csimodel.outcomes import repurchase as regress_repurchase
from csimodel.outcomes.money import Economics
from csimodel.page import Page
from csimodel.report.analysis_results import AnalysisResults
from csimodel.report.grouping import grouping_by, groupings_of
from csimodel.report.outcome_sections import money_by_driver, slopes_of
from csimodel.report.text import page_of
from csimodel.survey import Item, Survey, read_survey
from csimodel.survey.missing_answers import missing_answers
from csimodel.survey.titles import crossed_title
from csimodel.translation import Language, spoken
from csimodel.weighting import ResponseRates

_DRAWS = 5000
_IMPUTATIONS = 5
_WIDTH = 80  # columns of a terminal


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Analysis(AnalysisResults):
    """Everything a report says: made by `analyze`, written down by `write_report`.

    Its fields are those of `AnalysisResults`.
    """

    @property
    def page(self) -> Page:
        """The results on a page: the report's sentences and its first tables."""
        return page_of(self)

    def summary(self, language: Language | None = None) -> str:
        """Return the results as a page of text for a terminal.

        Parameters
        ----------
        language
            ``"en"`` or ``"zh"``; by default that of the moment (`csimodel.language`).

        Raises
        ------
        OptionError
            For another language.
        """
        with spoken(language):
            return self.page.text(_WIDTH)

    def __repr__(self) -> str:
        row = self.headline
        told = f"{self.target} {row['mean']:.1f} [{row['lower']:.1f}, {row['upper']:.1f}]"
        return f"<Analysis of {self.fit!r}: {told}>"

    def _repr_html_(self) -> str:
        return self.page.html()


@own_errstate
@checked
def analyze(
    survey: Survey | object,
    model: Model | str | None = None,
    *,
    estimator: Estimator | None = None,
    draws: int | None = None,
    rng: int | np.random.Generator | None = 7,
    outcome: str | None = None,
    outcome_scale: tuple[float, float] | None = None,
    family: str | None = None,
    by: str | Sequence[str | Sequence[str]] | None = None,
    target: str = "Satisfaction",
    level: float = 0.95,
    contrast: tuple[float, float] | None = None,
    economics: Economics | None = None,
    response: ResponseRates | None = None,
    duration: str | None = None,
    levels: str | Sequence[str] | None = None,
    period: str | None = None,
    level_weights: object = None,
    minimum_n: int | None = None,
    policies: bool = True,
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
        Number of bootstrap resamples. Without it, errors are learnt from the survey's replicate
        weights (`csi.replicate`), and from 5,000 resamples where it has none.
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
        Column that makes groups with an index of their own, and with an outcome a curve of
        repurchase of their own. Several columns in a list make groups each by itself
        (``["brand", "age"]``: by brand, and by age); columns that are crossed stand in a list
        of their own (``[["brand", "age"]]``: young customers of brand A, …).
    target
        The construct the report is about.
    level
        Coverage of the intervals.
    contrast
        Two index levels whose outcome is compared, points; by default the whole number nearest to
        the target's index, at most 97, and three points more.
    economics
        Terms of trade, a `money.Economics`, which turn a point of each driver into money through
        repurchase; they need an outcome.
    response
        Response rates, from `weighting.response_rates`, for the report to state.
    duration
        Column of how long the interview took, for the section on data quality.
    levels, period, level_weights
        Columns of levels, the highest first, and of periods, for an index programme with the
        target's scores, changes, ranks, trend and contributions, and what units count in the level
        above: as in `programme`.
    minimum_n
        Groups and units of fewer respondents are suppressed: they stay in the tables of indexes,
        without a number, and a finding lists them.
    policies
        Whether to compare treatments of missing answers (`assessment.compare_missing_policies`,
        with 5 imputations) where answers are missing; their errors are linearised.
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
    if not (model is None or isinstance(model, Model | str)):
        model = require_kind("model", model, Model, "make one with csi.Model.from_syntax(text)")
    chosen = model if isinstance(model, Model) else named_model(model or "ecsi", table.items)
    if target not in chosen.construct_names:
        raise ModelError(
            f"Target {target!r} is not in the model{suggest(target, chosen.construct_names)}; "
            f"choose one of {listed(chosen.construct_names, 20)}."
        )
    chosen.require_one_stage("csi.analyze reports")
    level, wanted = require_level(level), groupings_of(by)
    if (levels is None) != (period is None) or (levels is None and level_weights is not None):
        raise OptionError(
            "levels=, period= and level_weights= belong together; give levels=['industry', 'firm'] "
            "with period='quarter', and a table of weights where units do not count alike."
        )
    if minimum_n is not None and not wanted and levels is None:
        raise OptionError(
            f"minimum_n={shown(minimum_n)} suppresses small groups, and there are none; name the "
            "column that makes them with by=, or the levels of a programme with levels=."
        )
    if contrast is not None and not all(0 <= point <= 100 for point in contrast):
        raise OptionError(
            f"contrast={contrast!r} must be two index levels from 0 to 100, for example (67, 70)."
        )
    with collected() as warned:
        fitted = fit_model(chosen, table, estimator)
        fitted.require_converged("report")
        scale_of(fitted.moments)
        boot = _refits(fitted, draws, rng, progress)
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
        groupings = []
        for columns in wanted:
            grouping, noticed = grouping_by(
                boot, columns, target, level, valued, outcome_scale, minimum_n, progress=progress
            )
            groupings.append(grouping)
            title = crossed_title(table, columns)
            warned.extend(
                own.within("By {columns}", columns=title) if len(wanted) > 1 else own
                for own in noticed
            )
        waves = None
        if levels is not None and period is not None:
            waves = programme(
                chosen,
                table,
                levels,
                period,
                level_weights,
                estimator=fitted.estimator,
                construct=target,
                level=level,
                minimum_n=minimum_n,
            )
        scores = index_scores(fitted, bootstrap=boot, level=level)
        drivers = importance_performance(fitted, target, boot, level)
        assessed = assess(fitted, boot, level)
        money = (
            {}
            if economics is None
            else money_by_driver(boot, valued, [*map(str, drivers.index)], economics)
        )
    described = describe(table, list(chosen.items), duration=duration, level=level)
    gaps = policies and missing_answers(table, chosen.items)["missing"].any()
    return Analysis(
        fit=fitted,
        bootstrap=boot,
        index=scores,
        importance=drivers,
        assessment=assessed,
        repurchase=valued,
        slopes=slopes,
        groupings=tuple(groupings),
        money=money,
        target=target,
        level=level,
        contrast=_near(scores, target) if contrast is None else contrast,
        response=response,
        policies=compare_missing_policies(
            chosen, table, estimator=fitted.estimator, m=_IMPUTATIONS, level=level
        )
        if gaps
        else None,
        description=described,
        programme=waves,
        minimum_n=minimum_n,
        warned=tuple(warned),
    )


def _near(scores: pd.DataFrame, target: str) -> tuple[float, float]:
    """Return two levels three points apart, the first nearest to the target's index."""
    start = min(max(round(float(scores.loc[[target], "mean"].iloc[0])), 0), 97)
    return float(start), float(start + 3)


def _refits(
    fitted: Fit, draws: int | None, rng: int | np.random.Generator | None, progress: bool
) -> Bootstrap:
    """Return refits with the survey's replicate weights, or else with respondents drawn again."""
    own = own_replicates(fitted, progress=progress) if draws is None else None
    if own is not None:
        return own
    return bootstrap(fitted, _DRAWS if draws is None else draws, rng, progress=progress)


def named_model(name: str, items: Mapping[str, Item]) -> Model:
    """Return a published model, measured by the items that a codebook gives to its constructs.

    Parameters
    ----------
    name
        Of a function of `csi.models`, such as ``"ecsi"``, ``"acsi"`` or ``"ccsi"``.
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
    build = catalogue.PUBLISHED[choose("model", name, catalogue.PUBLISHED)]
    blocks: dict[str, list[str]] = {}
    for item in items.values():
        if item.construct in build().construct_names:
            blocks.setdefault(str(item.construct), []).append(item.name)
    return build(blocks)
