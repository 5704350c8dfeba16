"""`fit_groups`: one batched fit, a `Fit` for every group."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import SurveyError, suggest
from csimodel.estimators.estimates import Outcome
from csimodel.estimators.fit import Fit
from csimodel.estimators.pls import PLS
from csimodel.estimators.quantities import Quantity, find
from csimodel.estimators.solution import Estimator, Solution
from csimodel.findings import Finding
from csimodel.model import Model
from csimodel.moments import group_moments
from csimodel.survey import Answers, Survey, read_survey


@dataclass(frozen=True, eq=False, repr=False)
class GroupFits(Mapping[Hashable, Fit]):
    """The fits of all groups: a mapping from group label to `Fit`, and tables over groups.

    Attributes
    ----------
    solution
        All groups as a batch.
    labels
        The groups, in the order of the batch.
    codes
        Group number of each respondent used, (rows,); -1 without a group.
    survey, answers
        What was fitted.
    findings
        Respondents without a group, counted.
    """

    solution: Solution
    labels: pd.Index
    codes: NDArray[np.intp]
    survey: Survey
    answers: Answers
    findings: tuple[Finding, ...]

    def __getitem__(self, label: Hashable) -> Fit:
        """Return the fit of one group."""
        if label not in self.labels:
            raise KeyError(label)
        position = self.labels.get_loc(label)
        assert isinstance(position, int)
        return Fit(self.solution[position], self.survey, self._answers_of(position))

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def converged(self) -> pd.Series:
        """Whether each group has a solution."""
        return pd.Series(
            self.solution.estimates.outcome == Outcome.CONVERGED, self.labels, name="converged"
        )

    @cached_property
    def failed(self) -> pd.Series:
        """Number of groups without a solution, by reason."""
        outcome = pd.Series(self.solution.estimates.outcome)
        counts = outcome[outcome != Outcome.CONVERGED].value_counts()
        counts.index = [Outcome(code).reason for code in counts.index]
        return counts.rename("groups")

    def table(self, quantity: str | Quantity) -> pd.DataFrame:
        """Return a quantity of every group, groups × entries; NaN for groups without a solution.

        Examples
        --------
        >>> import csimodel as csi
        >>> survey = csi.load_mobi()
        >>> frame = survey.data.assign(half=["a", "b"] * 125)
        >>> fits = csi.fit_groups(csi.models.ecsi(), frame, by="half")
        >>> fits.table("r2").round(2)["Loyalty"].tolist()
        [0.49, 0.43]
        """
        found = find(quantity)
        values = np.where(self.converged.to_numpy()[:, None], found.values(self.solution), np.nan)
        return pd.DataFrame(values, self.labels, found.labels(self.solution.model))

    def __repr__(self) -> str:
        done = int(self.converged.sum())
        failed = f", {len(self) - done} without a solution" if done < len(self) else ""
        return f"<{len(self)} group fits by {self.solution.estimator.label}{failed}>"

    def _answers_of(self, position: int) -> Answers:
        own = np.flatnonzero(self.codes == position)
        answers = self.answers

        def part(values: NDArray[np.generic] | None) -> NDArray[np.generic] | None:
            return None if values is None else values[own]

        return replace(
            answers,
            values=answers.values[own],
            rows=answers.rows[own],
            weights=part(answers.weights),
            strata=part(answers.strata),
            cluster=part(answers.cluster),
            findings=(),
        )


def fit_groups(
    model: Model,
    survey: Survey | object,
    by: str | Sequence[str],
    estimator: Estimator | None = None,
) -> GroupFits:
    """Estimate a model in every group of respondents, all groups in one batch.

    Parameters
    ----------
    model
        Constructs and paths.
    survey
        A `Survey` or anything `read_survey` takes.
    by
        Column or columns that make the groups; rows without a group are left out and counted.
    estimator
        `PLS` by default.

    Returns
    -------
    GroupFits
        A mapping from group (a value, or a tuple for several columns) to `Fit`. A group that
        cannot be estimated has a fit that says so; it stops nothing.

    Raises
    ------
    SurveyError
        For a column that does not exist, or data the model cannot use.

    Examples
    --------
    >>> import csimodel as csi
    >>> frame = csi.load_mobi().data.assign(half=["a", "b"] * 125)
    >>> fits = csi.fit_groups(csi.models.ecsi(), frame, by=["half"])
    >>> fits["a"]
    <Fit of ECSI by PLS, path scheme: 125 rows, converged>
    """
    chosen = PLS() if estimator is None else estimator
    chosen.check(model)
    table = survey if isinstance(survey, Survey) else read_survey(survey)
    answers = table.answers(model.blocks)
    codes, labels = group_codes(table, by, answers.rows)
    moments = group_moments(answers, codes, len(labels))
    solution = Solution(model, chosen, moments, chosen.estimate(moments, model))
    lost = int((codes < 0).sum())
    findings: tuple[Finding, ...] = ()
    if lost:
        findings = (
            Finding(
                "rows-without-group",
                f"{lost} of {len(codes)} rows have no value in {by!r} and belong to no group.",
                count=lost,
            ),
        )
    return GroupFits(solution, labels, codes, table, answers, findings)


def group_codes(
    survey: Survey, by: str | Sequence[str], rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], pd.Index]:
    """Return each row's group number (-1 for none) and the groups' labels.

    Raises
    ------
    SurveyError
        For a column that does not exist, or when no row has a group.
    """
    columns = [by] if isinstance(by, str) else list(by)
    known = [str(column) for column in survey.data.columns]
    for column in columns:
        if column not in survey.data.columns:
            raise SurveyError(
                f"Group column {column!r} is not in the data{suggest(str(column), known)}."
            )
    frame = survey.data[columns].iloc[rows]
    grouped = frame.groupby(columns if len(columns) > 1 else columns[0], observed=True, sort=True)
    codes = np.asarray(grouped.ngroup().fillna(-1), dtype=np.intp)
    labels = grouped.size().index
    if not len(labels):
        raise SurveyError(f"No row has a value in {by!r}; choose a column that is filled.")
    return codes, labels
