"""What a reader must know about a regression on the index, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import THRESHOLDS
from csimodel.estimators import Fit
from csimodel.estimators.item_fit import item_fit
from csimodel.findings import Finding
from csimodel.index.expected import Expected
from csimodel.outcomes.kernels.glm import regress_draws
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.models.clusters import few_clusters, unused_margins
from csimodel.outcomes.models.draws import RegressionDraws, about_losses
from csimodel.outcomes.models.regression import Regression
from csimodel.outcomes.rows.sample import FEW_ALIKE, Sample
from csimodel.outcomes.rows.soundness import soundness

Floats = NDArray[np.float64]

_FEW_ROWS = THRESHOLDS["few rows"].value
_FEW_EVENTS = int(THRESHOLDS["events for each regressor"].value)  # of the rarer outcome
_NEGATIVE = (
    "Respondents with a higher index of {index!r} have a lower {outcome!r}; check whether the "
    "outcome counts the other way round."
)
_NEGATIVE_AT_EQUAL_OTHERS = (
    "Respondents with a higher index of {index!r} have a lower {outcome!r} at equal other "
    "regressors; check whether the outcome counts the other way round, or regressors overlap."
)
_SEPARATED = {  # by code, and whether it is a single regressor that separates
    ("separation", True): (
        "{names} tells every 0 of {outcome!r} from every 1, so {family} has no finite slope and "
        "none is given; use family='ols', fewer regressors or more respondents."
    ),
    ("separation", False): (
        "{names} tell every 0 of {outcome!r} from every 1, so {family} has no finite slope and "
        "none is given; use family='ols', fewer regressors or more respondents."
    ),
    ("quasi-separation", True): (
        "{names} predicts some answers of {outcome!r} without any error, so {family} has no finite "
        "slope and none is given; use family='ols', fewer regressors or more respondents."
    ),
    ("quasi-separation", False): (
        "{names} predict some answers of {outcome!r} without any error, so {family} has no finite "
        "slope and none is given; use family='ols', fewer regressors or more respondents."
    ),
}


def diagnose(
    regression: Regression,
    draws: RegressionDraws | None = None,
    fit: Fit | None = None,
    item: str = "",
) -> tuple[Finding, ...]:
    """Return findings about rows, outcome, index, convergence, direction and draws."""
    sample = regression.sample
    return (
        *sample.findings,
        *(soundness(fit, sample.indexes, item) if fit is not None else ()),
        *(_complete_cases(regression, fit) if fit is not None else ()),
        *_rows(regression),
        *_index(regression),
        *_ending(regression),
        *_shape(regression),
        *(about_losses(draws) if draws is not None else unused_margins(sample, regression.errors)),
    )


def _complete_cases(regression: Regression, fit: Fit) -> Iterator[Finding]:
    """Say that a regression looks at complete answers where the fit looked at all."""
    fit = item_fit(fit)
    answers, used = fit.answers, regression.sample.n
    if answers is None or Expected.of(answers, fit.moments) is None:
        return
    blocks = [
        fit.model.blocks[name] for name in regression.sample.indexes if name in fit.model.blocks
    ]
    items = [answers.items.index(item) for block in blocks for item in block]
    gaps = int(np.isnan(answers.values[:, items]).any(axis=1).sum())
    if gaps:
        yield Finding(
            "complete-cases",
            "The fit learnt from the answers of all {total} respondents, and the regression from "
            "the {used} with complete answers to the items of {indexes} only, which is right if "
            "the others do not differ from them; impute the answers first if they may.",
            regression.sample.indexes,
            "warning",
            gaps,
            {"total": len(answers.values), "used": used, "indexes": regression.sample.indexes},
        )


def _rows(regression: Regression) -> Iterator[Finding]:
    sample = regression.sample
    if sample.n < _FEW_ROWS:
        yield Finding(
            "few-rows",
            (
                "This regression rests on {count} {count:respondent|respondents}; treat it as an "
                "illustration."
            ),
            count=sample.n,
            values={"count": sample.n},
        )
    if sample.formula_layout is None:
        yield from _thin(sample)
    if sample.ordering is None and np.isin(sample.outcome, (0.0, 1.0)).all():
        rarer = min(sample.number(sample.outcome == own) for own in (0.0, 1.0))
        needed = _FEW_EVENTS * len(sample.names)
        if rarer < needed:
            yield Finding(
                "few-events",
                "Only {count} of {n} respondents {count:has|have} the rarer value of {label!r}, "
                "where about {needed} are wanted for {names} regressors; the slope will be "
                "unstable.",
                (sample.label,),
                count=rarer,
                values={
                    "count": rarer,
                    "n": sample.n,
                    "label": sample.label,
                    "needed": needed,
                    "names": len(sample.names),
                },
            )
    if regression.cluster is not None:
        yield from few_clusters(int(regression.cluster.max()) + 1, regression.errors)


def _thin(sample: Sample) -> Iterator[Finding]:
    """Name columns of 0 and 1 that few respondents tell apart, as controls may be."""
    for name, column in zip(sample.names, sample.regressors.T, strict=True):
        rarer = min(sample.number(column == own) for own in (0.0, 1.0))
        if np.isin(column, (0.0, 1.0)).all() and rarer < FEW_ALIKE:
            yield Finding(
                "few-in-category",
                "{name!r} rests on {count} of {n} respondents, where about {few_alike} "
                "are wanted; merge such categories or leave them out.",
                (name,),
                count=rarer,
                values={"name": name, "count": rarer, "n": sample.n, "few_alike": FEW_ALIKE},
            )


def _index(regression: Regression) -> Iterator[Finding]:
    sample = regression.sample
    for j, name in enumerate(sample.indexes):
        index = sample.regressors[:, j]
        outside = sample.number((index < -1e-9) | (index > 100 + 1e-9))
        if outside:
            yield Finding(
                "index-outside-0-100",
                "The index of {name!r} leaves 0 to 100 for {count} of {n} respondents "
                "(it goes from {lowest:.1f} to {highest:.1f}); look for a negative weight "
                "or a wrong scale.",
                (name,),
                count=outside,
                values={
                    "name": name,
                    "count": outside,
                    "n": sample.n,
                    "lowest": index.min(),
                    "highest": index.max(),
                },
            )


def _ending(regression: Regression) -> Iterator[Finding]:
    sample = regression.sample
    if regression.ending == Ending.NOT_CONVERGED:
        yield Finding(
            "not-converged",
            "The coefficients still moved at the last iteration, so these numbers are not a "
            "solution; use fewer regressors or family='ols'.",
            severity="failure",
        )
    if regression.ending == Ending.SINGULAR:
        yield Finding(
            "no-information",
            "At its solution this regression of {label} says nothing of {names}, because a few "
            "weights outweigh all others or nearly every prediction is 0 or 1, so no slope is "
            "given; look at the weights, or use fewer regressors.",
            (sample.label, *sample.names),
            "failure",
            values={"label": repr(sample.label), "names": tuple(map(repr, sample.names))},
        )
    if regression.ending == Ending.SEPARATED:
        names, perfect = _separating(regression)
        code = "separation" if perfect else "quasi-separation"
        yield Finding(
            code,
            _SEPARATED[code, len(names) == 1],
            tuple(names),
            "failure",
            values={
                "names": tuple(map(repr, names)),
                "outcome": sample.label,
                "family": regression.family.label,
            },
        )


def _separating(regression: Regression) -> tuple[list[str], bool]:
    """Return the regressors whose slopes grow without end, and whether they predict everyone."""
    sample = regression.sample
    standard = sample.regressors - sample.regressors.mean(axis=0)
    standard /= sample.regressors.std(axis=0)
    weights = np.ones((1, len(standard)))
    start = np.zeros(1 + len(sample.names))
    b = regress_draws(
        regression.family, sample.outcome, list(standard.T), weights, start
    ).coefficients[0]
    side = np.sign(sample.outcome - 0.5)
    binary = np.isin(sample.outcome, (0.0, 1.0)).all()
    perfect = bool(binary and (side * (b[0] + standard @ b[1:]) > 1.0).all())
    grown = [n for n, size in zip(sample.names, np.abs(b[1:]), strict=True) if size > 5.0]
    return grown or list(sample.names), perfect


def _shape(regression: Regression) -> Iterator[Finding]:
    sample = regression.sample
    for name, effect in zip(sample.indexes, regression.index_slopes(), strict=True):
        if effect < 0:
            yield Finding(
                "negative-slope",
                _NEGATIVE if len(sample.names) == 1 else _NEGATIVE_AT_EQUAL_OTHERS,
                (name, sample.label),
                values={"index": name, "outcome": sample.label},
            )
    if not regression.family.bounded:
        outside = sample.number((regression.eta < 0) | (regression.eta > 1))
        if outside:
            yield Finding(
                "probability-outside-0-1",
                "The straight line predicts less than 0 or more than 1 for {count} of "
                "{n} respondents (from {lowest:.2f} to {highest:.2f}); "
                "family='fractional-logit' keeps to 0 to 1.",
                (sample.label,),
                "note" if outside <= 0.1 * sample.n else "warning",
                outside,
                values={
                    "count": outside,
                    "n": sample.n,
                    "lowest": regression.eta.min(),
                    "highest": regression.eta.max(),
                },
            )
