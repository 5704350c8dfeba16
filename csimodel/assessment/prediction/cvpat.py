"""`cvpat`: whether a fit predicts better than a benchmark or another fit, by a paired test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked, checked_in
from csimodel.assessment.prediction.benchmarks import Method, method_of
from csimodel.assessment.prediction.held_out import HeldOut, require_predictive
from csimodel.errors import OptionError, choose
from csimodel.estimators import Fit
from csimodel.estimators.predictors import predicted_items
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference import infer
from csimodel.inference.domains import function_of_means, one_group
from csimodel.inference.folds import folds_of
from csimodel.options import require_level
from csimodel.page import HasPage, Page, Section

Floats = NDArray[np.float64]

OVERALL = "Overall"
_BENCHMARKS = ("average", "lm")
_CODES = {
    "better": "prediction-better",
    "worse": "prediction-worse",
    "not told apart": "prediction-not-told-apart",
}
_TITLES = {"average": "averages", "lm": "the linear benchmark", "other": "the other model"}
_SENTENCES = {
    "average": {
        "better": (
            "{subject}: respondents held out are predicted better than by the average "
            "(difference of losses {difference:.3f}, {p:p})."
        ),
        "worse": (
            "{subject}: respondents held out are predicted worse than by the average "
            "(difference of losses {difference:.3f}, {p:p})."
        ),
        "not told apart": (
            "{subject}: these data do not show whether the model or the average predicts better "
            "(difference of losses {difference:.3f}, {p:p})."
        ),
    },
    "lm": {
        "better": (
            "{subject}: respondents held out are predicted better than by the linear benchmark "
            "(difference of losses {difference:.3f}, {p:p})."
        ),
        "worse": (
            "{subject}: respondents held out are predicted worse than by the linear benchmark "
            "(difference of losses {difference:.3f}, {p:p})."
        ),
        "not told apart": (
            "{subject}: these data do not show whether the model or the linear benchmark predicts "
            "better (difference of losses {difference:.3f}, {p:p})."
        ),
    },
    "other": {
        "better": (
            "{subject}: respondents held out are predicted better than by the other model "
            "(difference of losses {difference:.3f}, {p:p})."
        ),
        "worse": (
            "{subject}: respondents held out are predicted worse than by the other model "
            "(difference of losses {difference:.3f}, {p:p})."
        ),
        "not told apart": (
            "{subject}: these data do not show which of the two models predicts better "
            "(difference of losses {difference:.3f}, {p:p})."
        ),
    },
}


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class PredictiveComparison(HasPage):
    """Losses of a fit less those of a benchmark; made by `cvpat`.

    Attributes
    ----------
    fit
        Whose predictions are compared.
    benchmark
        What they are compared with: ``"average"``, ``"lm"`` or ``"other"``.
    losses, benchmark_losses
        Mean squared error of each respondent's items, respondents × (constructs and overall).
    level
        Coverage of the limits.
    told
        Folds without a solution.
    """

    fit: Fit
    benchmark: str
    losses: pd.DataFrame
    benchmark_losses: pd.DataFrame
    level: float
    told: tuple[Finding, ...] = ()

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a construct, and one for all.

        Columns estimate, the mean loss of the fit less that of the benchmark (below 0 where the fit
        predicts better), se, df, lower, upper, p and reason as from `infer`; t, ``estimate / se``,
        of the same sign; loss and benchmark_loss, the means themselves.
        """
        answers = self.fit.require_answers("cvpat")
        differences = (self.losses - self.benchmark_losses).to_numpy()
        statistics = function_of_means(one_group(answers), differences)
        table = infer(
            pd.Index(self.losses.columns, name="construct"),
            statistics.estimate.ravel(),
            statistics.errors,
            self.level,
            0.0,
            steady=False,
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            t = table["estimate"] / table["se"]
        table.insert(3, "t", t)
        weights = answers.row_weights
        known = np.isfinite(differences)
        for name, losses in (("loss", self.losses), ("benchmark_loss", self.benchmark_losses)):
            sums = weights @ np.where(known, losses.to_numpy(), 0.0)
            with np.errstate(invalid="ignore", divide="ignore"):
                table[name] = sums / (weights @ known)
        return table

    @cached_property
    def verdicts(self) -> pd.Series:
        """``"better"``, ``"worse"``, ``"not told apart"`` or ``"not judged"``, by construct.

        Not judged is what has no p, and all where more than a tenth of the folds have no solution.
        """
        unusable = any(finding.severity == "failure" for finding in self.told)
        words = [
            "not judged"
            if unusable or np.isnan(row["p"])
            else "not told apart"
            if row["p"] >= 1.0 - self.level
            else "better"
            if row["estimate"] < 0
            else "worse"
            for _, row in self.table.iterrows()
        ]
        return pd.Series(words, self.table.index, name="verdict")

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Whether the fit predicts better, by construct and overall."""
        findings = list(self.told)
        for verdict, (subject, row) in zip(self.verdicts, self.table.iterrows(), strict=True):
            if verdict == "not judged":
                continue
            findings.append(
                Finding(
                    _CODES[verdict],
                    _SENTENCES[self.benchmark][verdict],
                    (str(subject),),
                    "note",
                    values={
                        "subject": subject,
                        "difference": float(row["estimate"]),
                        "p": float(row["p"]),
                    },
                )
            )
        return tuple(findings)

    @property
    def page(self) -> Page:
        """The comparison on a page."""
        return Page(
            text("Predictive ability of {name}", name=self.fit.model.name or text("the model")),
            facts=(
                text(
                    "Compared with {titles}; losses are squared errors of items of "
                    "respondents held out",
                    titles=_TITLES[self.benchmark],
                ),
            ),
            findings=(*self.fit.diagnostics, *self.findings),
            sections=(Section(text("Differences of losses"), self.table, decimals=3),),
        )


@own_errstate
@checked
def cvpat(
    fit: Fit,
    other: Fit | None = None,
    folds: int | ArrayLike = 10,
    repetitions: int = 1,
    rng: int | np.random.Generator | None = 0,
    *,
    benchmark: Literal["average", "lm"] = "average",
    technique: Literal["direct", "earliest"] = "direct",
    overall: Literal["items", "constructs"] = "items",
    level: float = 0.95,
) -> PredictiveComparison:
    """Test whether a fit predicts better than averages, a linear benchmark or another fit.

    The cross-validated predictive ability test: the loss of a respondent who was held out is the
    mean squared error of the items of a construct; losses of the fit less those of the benchmark
    are paired, and their mean is tested by t, with the errors of the sampling design.

    Parameters
    ----------
    fit
        By PLS, of a survey or data frame.
    other
        Another fit to the same respondents; items that both predict are compared, within the
        constructs of the first.
    folds, repetitions, rng, technique
        As in `predict`; the other fit has the same folds. Losses of a respondent are averaged over
        repetitions.
    benchmark
        Without another fit: ``"average"``, the means of the respondents not held out, or ``"lm"``,
        least squares on the items of the antecedents (of the same technique).
    overall
        The overall loss is the mean over all items (Liengaard et al.), or with ``"constructs"``
        over the means of constructs (Sharma et al.), where a construct of one item counts as much
        as one of seven.
    level
        Coverage of the limits, and 1 less the level of the test.

    Raises
    ------
    OptionError, ModelError, SurveyError, EstimationError
        As by `predict`, and when the other fit has other respondents or predicts other items.

    Notes
    -----
    The difference and t have one sign: below 0 the fit predicts better (seminrExtras turns t
    round). Averages are of the respondents not held out (seminrExtras takes those of all). Folds
    share respondents, which the error does not account for. Respondents without a prediction or an
    answer of a construct are left out of its row. Where one model contains the other a
    difference of 0 is not what to expect, and the test hardly ever finds what is there.

    References
    ----------
    Liengaard, B. D., Sharma, P. N., Hult, G. T. M., Jensen, M. B., Sarstedt, M., Hair, J. F.,
    Ringle, C. M. (2021). Prediction: coveted, yet forsaken? Introducing a cross-validated
    predictive ability test in partial least squares path modeling. Decision Sciences 52, 362-392.
    https://doi.org/10.1111/deci.12445

    Sharma, P. N., Liengaard, B. D., Hair, J. F., Sarstedt, M., Ringle, C. M. (2023). Predictive
    model assessment and selection in composite-based modeling using PLS-SEM. European Journal of
    Marketing 57, 1662-1677. https://doi.org/10.1108/EJM-08-2020-0636

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> comparison = csi.cvpat(fit, folds=10, rng=1)
    >>> comparison.verdicts.loc["Overall"]
    'better'
    """
    own = require_predictive(fit, "cvpat")
    choose("benchmark", benchmark, _BENCHMARKS)
    level = require_level(level)
    shared = list(_own_items(own))
    if other is not None:
        other = _comparable(own, other)
        shared = [item for item in shared if item in set(_own_items(other))]
        if not shared:
            raise OptionError(
                "cvpat compares items that both fits predict, and there is none; let both models "
                "explain a construct of the same items."
            )
    codes = folds_of(own, folds, repetitions, rng, "cvpat")
    held_out = HeldOut.of(own, codes)
    both = method_of("pls", technique), method_of(benchmark, technique)
    squares = _squares(held_out, both, shared)
    told = held_out.findings
    name: str = benchmark
    if other is not None:
        without = HeldOut.of(other, codes)
        squares[:, 1:] = _squares(without, both[:1], shared)
        told, name = (*told, *without.findings), "other"
    owner = _owners(own, shared)
    losses = _losses(squares, owner, overall)
    names = [*dict.fromkeys(owner), OVERALL]
    first, second = (pd.DataFrame(losses[:, k], own.respondents, names) for k in (0, 1))
    return PredictiveComparison(own, name, first, second, level, told)


def _own_items(fit: Fit) -> tuple[str, ...]:
    """Return the items that a fit predicts."""
    return tuple(fit.model.items[place] for place in predicted_items(fit.model))


def _owners(fit: Fit, items: list[str]) -> list[str]:
    """Return the construct of each item."""
    owners: Mapping[str, str] = {
        item: fit.model.construct_names[own]
        for item, own in zip(fit.model.items, fit.model.owner, strict=True)
    }
    return [owners[item] for item in items]


def _comparable(fit: Fit, other: Fit) -> Fit:
    """Return the other fit, of the same respondents."""
    second = require_predictive(other, "cvpat", "other")
    mine, theirs = fit.require_answers("cvpat"), second.require_answers("cvpat")
    common = [item for item in mine.items if item in theirs.items]
    places = [[answers.items.index(item) for item in common] for answers in (mine, theirs)]
    same = (
        len(mine.values) == len(theirs.values)
        and np.array_equal(mine.rows, theirs.rows)
        and np.array_equal(mine.values[:, places[0]], theirs.values[:, places[1]], equal_nan=True)
    )
    if not same:
        raise OptionError(
            f"cvpat compares predictions of the same respondents, and the other fit has others "
            f"({len(mine.values):,} and {len(theirs.values):,} rows are used); fit both to one "
            "survey without the rows that either leaves out."
        )
    return second


def _squares(held_out: HeldOut, methods: tuple[Method, ...], items: list[str]) -> Floats:
    """Return squared errors averaged over repetitions, (rows, methods, items)."""
    places = np.array([_own_items(held_out.fit).index(item) for item in items])
    rows = held_out.folds.shape[1]
    squares = np.zeros((rows, len(methods), len(places)))
    for errors in held_out.errors(methods):
        errors.add(errors.items[..., places] ** 2, squares)
    return squares / len(held_out.folds)


def _losses(squares: Floats, owner: list[str], overall: str) -> Floats:
    """Return mean squared errors, (rows, methods, constructs and overall)."""
    belongs = np.array(owner)
    each = [squares[..., belongs == name].mean(axis=-1) for name in dict.fromkeys(owner)]
    whole = squares.mean(axis=-1) if overall == "items" else np.stack(each, axis=-1).mean(axis=-1)
    return np.stack([*each, whole], axis=-1)
