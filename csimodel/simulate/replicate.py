"""Fit a model to many samples of a population, and count what the intervals do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import InferenceError, OptionError
from csimodel.estimators import (
    Estimator,
    Fit,
    Quantity,
    Solution,
    Status,
    find,
    fit_of,
)
from csimodel.estimators.covariance.estimator import CovarianceEstimator
from csimodel.estimators.covariance.parameters import covariance_structure, errors_of, standardised
from csimodel.estimators.covariance.vcov import vcov
from csimodel.estimators.inputs import estimator_for
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference import bootstrap
from csimodel.model import Model
from csimodel.moments import moments_of
from csimodel.options import require_count, require_level, seed_of, shown
from csimodel.page import HasPage, Page, sections
from csimodel.progress import progress_bar
from csimodel.significance import t_limits
from csimodel.simulate.population import Population, Seed
from csimodel.survey import Answers

Floats = NDArray[np.float64]


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Replications(HasPage):
    """Estimates and intervals of many samples of one population.

    Attributes
    ----------
    labels
        What is estimated.
    truth
        Its true values, (entries,).
    estimate, se, lower, upper
        Of every sample, (samples, entries); NaN where there was no solution.
    reasons
        How each sample ended, in words.
    """

    labels: pd.Index
    truth: Floats
    estimate: Floats
    se: Floats
    lower: Floats
    upper: Floats
    reasons: tuple[str, ...]

    @property
    def failed(self) -> pd.Series:
        """Number of samples without a solution, by reason; empty when none was."""
        lost = [reason for reason in self.reasons if reason != Status.CONVERGED.reason]
        return pd.Series(lost, dtype=object).value_counts().rename("samples")

    @property
    def page(self) -> Page:
        """What the samples show of each entry, on a page."""
        lost = tuple(f"{count:,} samples: {reason}" for reason, count in self.failed.items())
        return Page(
            f"{len(self.reasons):,} samples of a population",
            facts=lost,
            sections=sections({"Estimates of all samples": self.table}, 3),
            clean="",
        )

    @cached_property
    def table(self) -> pd.DataFrame:
        """Return what the samples show of each entry.

        Columns: truth; mean of the estimates and bias; sd of the estimates, the mean standard
        error (se) and how far it is off (``se_error = se/sd - 1``); coverage, the share of
        intervals that hold the truth; power, the share that exclude 0; samples used. The Monte
        Carlo error of a share p is ``√(p (1 - p)/samples)``.
        """
        usable = np.isfinite(self.estimate) & np.isfinite(self.lower) & np.isfinite(self.upper)
        count = usable.sum(axis=0)
        shown = np.where(usable, self.estimate, np.nan)
        inside = (self.lower <= self.truth) & (self.truth <= self.upper) & usable
        beyond = ((self.lower > 0) | (self.upper < 0)) & usable
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.nansum(shown, axis=0) / count
            sd = np.sqrt(np.nansum((shown - mean) ** 2, axis=0) / (count - 1))
            se = np.nansum(np.where(usable, self.se, np.nan), axis=0) / count
            columns = {
                "truth": self.truth,
                "mean": mean,
                "bias": mean - self.truth,
                "sd": sd,
                "se": se,
                "se_error": se / sd - 1.0,
                "coverage": inside.sum(axis=0) / count,
                "power": beyond.sum(axis=0) / count,
                "samples": count,
            }
        return pd.DataFrame(columns, index=self.labels)


def solutions(
    truth: Population, n: int, samples: int, estimator: CovarianceEstimator, rng: Seed
) -> Iterator[Solution]:
    """Yield the fits of a covariance structure to samples, some at a time.

    Incomplete answers are fitted sample by sample, everything else as a batch.

    Raises
    ------
    OptionError
        When cells are missing and the estimator does not take incomplete answers, or there are
        firms as well.
    """
    model = truth.model
    estimator.check(model)
    if truth.missing is not None and truth.firms is not None:
        raise OptionError(
            "Errors of incomplete answers do not allow for firms; use a population with missing= "
            "or with firms=, not both, or csi.PLS(), which resamples whole firms."
        )
    if truth.missing is not None:
        if estimator.policy is None:
            raise OptionError(
                f"The population's answers have empty cells, which {estimator.label} does not "
                "take; use csi.ML(missing='fiml'), or a population without missing=."
            )
        for values in truth.answers(n, samples, rng):
            for own in values:
                yield _incomplete(truth, own, estimator)
        return
    fourth = estimator.robust is not None
    for moments in truth.moments_by_block(n, samples, rng, fourth=fourth):
        yield Solution(model, estimator, moments, estimator.estimate(moments, model))


def _incomplete(truth: Population, values: Floats, estimator: CovarianceEstimator) -> Solution:
    moments = estimator.moments_of(_answers(truth, values))
    return Solution(truth.model, estimator, moments, estimator.estimate(moments, truth.model))


class ParameterRows(NamedTuple):
    """Rows of a covariance structure's parameters of some samples, (samples, rows) each."""

    raw: Floats
    raw_se: Floats
    std: Floats
    std_se: Floats


def parameter_rows(solution: Solution) -> ParameterRows:
    """Return parameters with errors, in scale units and standardised; NaN without a solution."""
    _, estimates = covariance_structure(solution)
    layout, parameters = estimates.layout, np.atleast_2d(estimates.parameters)
    lost = np.atleast_1d(estimates.outcome) != Status.CONVERGED
    covariance = vcov(solution).reshape(len(parameters), layout.size, layout.size)
    with np.errstate(invalid="ignore"):
        own = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    raw_se = np.where(layout.place >= 0, own[:, layout.place], np.nan)
    raw = layout.values(parameters)
    std, jacobian = standardised(layout, np.where(lost[:, None], 0.1, parameters))
    std_se = errors_of(jacobian, covariance)
    rows = ParameterRows(raw, raw_se, std, std_se)
    return ParameterRows(*(np.where(lost[:, None], np.nan, part) for part in rows))


@own_errstate
@checked
def replicate(
    truth: Population,
    n: int,
    samples: int,
    estimator: Estimator,
    rng: Seed = 0,
    *,
    quantities: Sequence[str | Quantity] = ("paths",),
    level: float = 0.95,
    resamples: int = 500,
    interval: str = "auto",
    progress: bool = True,
) -> dict[str, Replications]:
    r"""Estimate quantities with their intervals in many samples of a population.

    Covariance structures have standardised parameters with delta-method errors and normal limits;
    PLS is resampled in every sample (empty cells are left out pairwise, firms are drawn whole).
    Arguments are those of `csimodel.simulate.power`, progress included.

    Returns
    -------
    dict
        `Replications` by quantity.

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A")
    >>> truth = csi.simulate.population(model, paths=0.5, loadings=0.8)
    >>> found = csi.simulate.replicate(truth, 200, 500, csi.ML())
    >>> found["paths"].table["coverage"].round(2).tolist()
    [0.94]
    """
    n = require_count("n", n, " respondent")
    samples = require_count("samples", samples)
    resamples = require_count("resamples", resamples, ", and some hundreds for intervals")
    level = require_level(level)
    estimator = estimator_for(truth.model, estimator)
    if isinstance(quantities, str | Quantity):
        quantities = (quantities,)
    if not isinstance(quantities, list | tuple):
        raise OptionError(
            f"quantities={shown(quantities)} must be names in a list, such as ['paths']."
        )
    wanted = [find(quantity) for quantity in quantities]
    with progress_bar(samples, f"samples of {n:,}", progress, "sample") as bar:
        if isinstance(estimator, CovarianceEstimator):
            return _by_delta(truth, n, samples, estimator, rng, wanted, level, bar)
        return _by_bootstrap(
            truth, n, samples, estimator, rng, wanted, level, resamples, interval, bar
        )


def _by_delta(
    truth: Population,
    n: int,
    samples: int,
    estimator: CovarianceEstimator,
    rng: Seed,
    wanted: Sequence[Quantity],
    level: float,
    bar: Any,
) -> dict[str, Replications]:
    if not estimator.chi_square_known:
        raise OptionError(
            f"The errors {estimator.label} has by formula do not hold; use csi.ML(se='mlr'), or "
            "csi.LeastSquares('gls')."
        )
    units = n if truth.firms is None else len(np.unique(truth.firms.codes(n)))
    rows = {quantity: _rows_of(truth.model, estimator, quantity) for quantity in wanted}
    parts, reasons = [], []
    for solution in solutions(truth, n, samples, estimator, rng):
        parts.append(parameter_rows(solution))
        outcomes = np.atleast_1d(solution.estimates.outcome)
        reasons += [Status(int(outcome)).reason for outcome in outcomes]
        bar.update(len(outcomes))
    replications = {}
    for quantity, own in rows.items():
        estimate = np.concatenate([part.std[:, own] for part in parts])
        se = np.concatenate([part.std_se[:, own] for part in parts])
        true, limits = truth.table(quantity), t_limits(estimate, se, units - 1.0, level)
        replications[quantity.name] = Replications(
            true.index, true.to_numpy(), estimate, se, *limits, tuple(reasons)
        )
    return replications


def _rows_of(model: Model, estimator: CovarianceEstimator, quantity: Quantity) -> NDArray[np.intp]:
    """Return which rows of the layout are a quantity's entries."""
    if quantity.name not in ("paths", "loadings"):
        raise OptionError(
            f"quantity={quantity.name!r} has no errors by formula from {estimator.label}; use "
            "'paths' or 'loadings', or PLS, which is resampled."
        )
    rows = estimator.layout(model).rows
    own = [place for place, row in enumerate(rows) if row.kind == quantity.name]
    return np.array(own, dtype=np.intp)


def _by_bootstrap(
    truth: Population,
    n: int,
    samples: int,
    estimator: Estimator,
    rng: Seed,
    wanted: Sequence[Quantity],
    level: float,
    resamples: int,
    interval: str,
    bar: Any,
) -> dict[str, Replications]:
    true, seed = {quantity: truth.table(quantity) for quantity in wanted}, seed_of(rng)
    values = {quantity: np.full((4, samples, len(true[quantity])), np.nan) for quantity in wanted}
    reasons = []
    for number, own in enumerate(_fits(truth, n, samples, estimator, seed)):
        bar.update()
        if isinstance(own, str):
            reasons.append(own)
            continue
        stream = int(np.random.SeedSequence(seed, spawn_key=(1, number)).generate_state(1)[0])
        boot = bootstrap(own, resamples, rng=stream, progress=False)
        try:
            for quantity, into in values.items():
                table = boot.table(quantity, interval=interval, level=level)
                into[:, number] = table[["estimate", "se", "lower", "upper"]].to_numpy().T
        except InferenceError:
            reasons.append("too few usable resamples")
            continue
        reasons.append(Status.CONVERGED.reason)
    replications = {}
    for quantity, known in true.items():
        estimate, se, lower, upper = values[quantity]
        replications[quantity.name] = Replications(
            known.index, known.to_numpy(), estimate, se, lower, upper, tuple(reasons)
        )
    return replications


def _fits(
    truth: Population, n: int, samples: int, estimator: Estimator, seed: int
) -> Iterator[Fit | str]:
    """Yield the fit of each sample, or why there is none."""
    estimator.check(truth.model)
    cluster = None if truth.firms is None else truth.firms.codes(n)
    for values in truth.answers(n, samples, seed):
        for own in values:
            answers = _answers(truth, own, cluster)
            moments = moments_of(answers)
            estimates = estimator.estimate(moments, truth.model)
            outcome = Status(int(estimates.outcome))
            if outcome != Status.CONVERGED:
                yield outcome.reason
                continue
            yield fit_of(Solution(truth.model, estimator, moments, estimates), None, answers)


def _answers(truth: Population, values: Floats, cluster: NDArray[np.intp] | None = None) -> Answers:
    """Return one sample as answers, which the scale need not contain."""
    known = truth.solution.moments
    return Answers(
        items=known.items,
        values=values,
        weights=None,
        strata=None,
        cluster=cluster,
        rows=np.arange(len(values)),
        missing="pairwise" if np.isnan(values).any() else "complete",
        findings=(),
        minimum=known.minimum,
        maximum=known.maximum,
    )
