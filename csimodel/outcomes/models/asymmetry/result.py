"""Effects below and above expectations, with tests and what a reader must know."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked_in
from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate_in
from csimodel.formatting import told_p
from csimodel.inference import about_lost
from csimodel.inference.infer import infer
from csimodel.inference.intervals import narrow_intervals
from csimodel.inference.sources import Draws, ErrorSource, StandardErrors
from csimodel.options import require_array, shown
from csimodel.outcomes.kernels.wald import ratio_row, table_of_tests, wald
from csimodel.outcomes.models.asymmetry.sides import sides
from csimodel.outcomes.models.regression import Regression
from csimodel.outcomes.rows.ties import settled
from csimodel.page import HasHeadline, Page, sections
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

_CEILING = THRESHOLDS["respondents at the ceiling"].value
_FEW = THRESHOLDS["few rows"].value
_FEW_BELOW = (
    "Only {count} {count:respondent rates|respondents rate} {first!r} below {second!r}; its "
    "effect there is an illustration."
)
_FEW_ABOVE = (
    "Only {count} {count:respondent rates|respondents rate} {first!r} above {second!r}; its "
    "effect there is an illustration."
)

_SIDES = {
    "more": (
        "A point of {quality} counts more below expectations than above: {below:.3g} against "
        "{above:.3g} ({p})."
    ),
    "less": (
        "A point of {quality} counts less below expectations than above: {below:.3g} against "
        "{above:.3g} ({p})."
    ),
    "alike": (
        "A point of {quality} is not shown to count differently below and above expectations: "
        "{below:.3g} against {above:.3g} ({p})."
    ),
}


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Asymmetry(HasHeadline):
    """Effects of quality below and above expectations. Made by `repurchase_asymmetry`.

    ``outcome = a + b Q + c min(Q - E, 0) + d max(Q - E, 0) + …``

    Attributes
    ----------
    regression
        The regression; its first regressors are Q, ``min(Q - E, 0)``, ``max(Q - E, 0)``.
    quality, expectations
        Names of Q and E.
    table
        Rows quality (b), shortfall (c), surplus (d), effect below (b + c), effect above (b + d),
        difference (c - d) and ratio ((b + c)/(b + d), the loss aversion ratio: how many points
        above expectations one below outweighs); columns estimate, se, df, lower, upper, p, reason.
    tests
        Rows ``"symmetric"`` (c = d) and ``"no disconfirmation"`` (c = d = 0).
    level
        Coverage of intervals.
    findings
        What a reader must know, in plain words.
    """

    regression: Regression
    quality: str
    expectations: str
    table: pd.DataFrame
    tests: pd.DataFrame
    level: float
    findings: tuple[Finding, ...]

    @property
    def n(self) -> int:
        """Number of respondents used."""
        return self.regression.sample.n

    @property
    def statistic(self) -> float:
        """Statistic of the test of c = d."""
        return float(self.tests["statistic"].iloc[0])

    @property
    def p(self) -> float:
        """p-value of the test of c = d."""
        return float(self.tests["p"].iloc[0])

    @property
    def shares(self) -> pd.Series:
        """Share of respondents below, at and above their expectations."""
        sample = self.regression.sample
        below, above = sample.regressors[:, 1] < 0, sample.regressors[:, 2] > 0
        parts = [below, ~(below | above), above]
        return pd.Series([float(sample.share @ part) for part in parts], ["below", "at", "above"])

    def curve(
        self, levels: ArrayLike | None = None, expectations: float | None = None
    ) -> pd.DataFrame:
        """Return the outcome over quality, at one level of expectations.

        Parameters
        ----------
        levels
            Quality; 101 points over what was observed by default.
        expectations
            Level of E; its mean by default. Controls are at their means.

        Returns
        -------
        DataFrame
            Columns index (quality), probability (the outcome), se, df, lower, upper, reason.

        Raises
        ------
        OptionError
            For levels that are no numbers, or not finite.
        """
        sample = self.regression.sample
        q, short, over = sample.regressors[:, :3].T
        at = sample.share @ (q - short - over) if expectations is None else float(expectations)
        points = (
            np.linspace(q.min(), q.max(), 101)
            if levels is None
            else require_array("levels", levels, "points of the index of quality").ravel()
        )
        if not np.isfinite(points).all():
            raise OptionError(
                f"levels={shown(levels)} has a level that is not finite; choose levels of the "
                f"index of quality, observed from {q.min():.4g} to {q.max():.4g}."
            )
        rest = np.tile(sample.share @ sample.regressors[:, 3:], (len(points), 1))
        X = np.column_stack([np.ones(len(points)), points, *sides(points, at), rest])
        regression = self.regression
        averages = regression.averages([regression.predict(row[None]) for row in X])
        table = regression.table(averages, self.level, probability=True)
        table = table.rename(columns={"estimate": "probability"})
        table.insert(0, "index", points)
        return table.drop(columns="p")

    @property
    def page(self) -> Page:
        """The result on a page."""
        shares = 100.0 * self.shares
        return Page(
            text(
                "{outcome} on {quality} against {expectations}",
                outcome=self.regression.sample.label,
                quality=self.quality,
                expectations=self.expectations,
            ),
            self.headline,
            (
                text(
                    "{family}, {n} respondents: {below:.0f} % below, {at:.0f} % at, "
                    "{above:.0f} % above expectations",
                    family=self.regression.family.label,
                    n=self.n,
                    below=shares["below"],
                    at=shares["at"],
                    above=shares["above"],
                ),
            ),
            self.findings,
            sections({text("Estimates"): self.table, text("Tests"): self.tests}),
        )

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        below, above = self.table["estimate"].loc[["effect below", "effect above"]].tolist()
        how = "alike" if not self.p < 1.0 - self.level else "more" if below > above else "less"
        return text(_SIDES[how], quality=self.quality, below=below, above=above, p=told_p(self.p))


def result_of(
    regression: Regression,
    names: tuple[str, str],
    draws: Floats | None,
    level: float,
    interval: str,
    design: SurveyDesign | None,
    findings: tuple[Finding, ...] = (),
) -> Asymmetry:
    """Turn a regression, and its draws where there are, into effects and tests.

    `design` is what the draws repeat; their degrees of freedom are infinite where respondents were
    drawn.
    """
    b = regression.coefficients
    whole = np.isfinite(draws).all(axis=1) if draws is not None else np.zeros(0, dtype=bool)
    # quality, shortfall, surplus, effect below, effect above, difference
    how = np.zeros((6, len(b)))
    how[[0, 1, 2, 3, 3, 4, 4, 5], [1, 2, 3, 1, 2, 1, 3, 2]] = 1.0
    how[5, 3] = -1.0
    value = how @ b
    unequal, none = how[5:], np.eye(len(b))[2:4]
    source: ErrorSource
    if draws is None or design is None:
        V, df = regression.covariance, regression.df
        source = StandardErrors(*regression.errors_of(how))
        tests = {"symmetric": regression.test(unequal), "no disconfirmation": regression.test(none)}
    else:
        df = design.df_of_tests
        V = design.covariance_of_draws(draws[whole], b)
        source = Draws.of_design(value, draws[whole] @ how.T, design, interval)
        source = replace(source, df=np.full(len(value), df))
        tests = {
            "symmetric": wald(unequal @ b, unequal @ V @ unequal.T, df, design=True),
            "no disconfirmation": wald(none @ b, none @ V @ none.T, df, design=True),
        }
    rows = ["quality", "shortfall", "surplus", "effect below", "effect above", "difference"]
    table = infer(pd.Index(rows), value, source, level)
    below, above = value[3:5]
    table.loc["ratio"] = ratio_row(below, above, how[3:5] @ V @ how[3:5].T, level, df)
    every = (
        *regression.sample.findings,
        *findings,
        *_about(regression, names, table),
        *_lost(int((~whole).sum()), whole.size),
        *(narrow_intervals(interval, df) if draws is not None else ()),
    )
    return Asymmetry(regression, *names, table, table_of_tests(tests), level, every)


def _about(regression: Regression, names: tuple[str, str], table: pd.DataFrame) -> list[Finding]:
    """Return findings about sides with few respondents, the ceiling, and the ratio."""
    findings, sample = [], regression.sample
    quality, short, over = sample.regressors[:, :3].T
    for side, count in (("below", int((short < 0).sum())), ("above", int((over > 0).sum()))):
        if count < _FEW:
            findings.append(
                Finding(
                    "few-on-a-side",
                    _FEW_BELOW if side == "below" else _FEW_ABOVE,
                    names,
                    count=count,
                    values={"count": count, "first": names[0], "second": names[1]},
                )
            )
    columns = {sample.label: sample.outcome, names[0]: quality, names[1]: quality - short - over}
    for name, values in columns.items():
        if len(np.unique(settled(values))) < 3:  # an outcome of 0 and 1 is at an end anyhow
            continue
        top = values >= values.max() - 1e-9
        share = float(sample.share @ top)
        if share >= _CEILING:
            findings.append(
                Finding(
                    "ceiling",
                    "{share:.0f} % of the respondents give {name!r} its highest value "
                    "({highest:.4g}), and cannot show that they would have gone further; a "
                    "smaller effect above expectations may be made by that ceiling.",
                    (name,),
                    count=int(top.sum()),
                    values={"share": 100 * share, "name": name, "highest": values.max()},
                )
            )
    if not np.isfinite(table[["lower", "upper"]].loc["ratio"].to_numpy(dtype=float)).all():
        findings.append(
            Finding(
                "ratio-not-located",
                "The effect of {first!r} above {second!r} is too uncertain to divide by, "
                "so the interval of the ratio has no end.",
                names,
                "note",
                values={"first": names[0], "second": names[1]},
            )
        )
    return findings


def _lost(lost: int, total: int) -> tuple[Finding, ...]:
    finding = Finding(
        "lost-draws",
        "{count} of {total} draws {count:has|have} no regression; intervals rest on the others "
        "and may be too narrow.",
        values={"count": lost, "total": total},
    )
    return about_lost(finding, lost, total)
