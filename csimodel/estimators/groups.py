"""`fit_groups`: one batched fit, a `Fit` for every group."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked, checked_in
from csimodel.errors import EstimationError, SurveyError, suggest
from csimodel.estimators.covariance_fit import fit_of
from csimodel.estimators.estimates import Estimates, Status
from csimodel.estimators.fit import Fit
from csimodel.estimators.inputs import answers_of, estimator_for, require_additive
from csimodel.estimators.quantities import Quantity, find
from csimodel.estimators.solution import Estimator, Solution
from csimodel.findings import Finding, listed, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.formatting import label as written
from csimodel.limits import require_memory
from csimodel.model import Model
from csimodel.moments import Moments, group_moments
from csimodel.moments.responses import Responses
from csimodel.moments.scanned import ScannedGroups, scanned_groups
from csimodel.options import require_count, require_names
from csimodel.page import HasPage, Page, Section
from csimodel.progress import progress_bar
from csimodel.survey import Answers, Survey, read_survey
from csimodel.survey.checks import labels_of
from csimodel.survey.group_rows import GroupRows
from csimodel.survey.headers import column_of
from csimodel.survey.scanning.scan import Scan

_NAMES_OF_TABLES = frozenset(
    {"construct", "estimate", "mean", "se", "df", "lower", "upper", "p", "n", "reason"}
)
_MARK = " (label)"
_SHOWN = 50  # groups on a page
_ONE_GROUP_SUPPRESSED = (
    "{count} of {total} groups has fewer than {least} respondents (minimum_n) and is suppressed: "
    "{groups:50}."
)
_GROUPS_SUPPRESSED = (
    "{count} of {total} groups have fewer than {least} respondents (minimum_n) and are suppressed: "
    "{groups:50}."
)


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class GroupFits(HasPage, Mapping[Hashable, Fit]):
    """The fits of all groups: a mapping from group label to `Fit`, and tables over groups.

    Attributes
    ----------
    solution
        All groups as a batch.
    labels
        The groups, in the order of the batch.
    codes
        Group number of each respondent used, (rows,); -1 without a group.
    dropped
        Number of rows of each group that were not used, (groups,).
    survey, answers
        What was fitted; of a scan what is known about its items, and answers of nobody.
    findings
        Rows dropped and cells filled over all groups, groups that lost all their rows, and
        respondents without a group, counted; strata of one unit, and few units to learn errors
        from.
    """

    solution: Solution
    labels: pd.Index
    codes: NDArray[np.intp]
    dropped: NDArray[np.intp]
    survey: Survey
    answers: Answers
    findings: tuple[Finding, ...]
    scanned: ScannedGroups | None = None

    def __getitem__(self, label: Hashable) -> Fit:
        """Return the fit of one group."""
        position = place_of(label, self._positions)
        if position is None:
            columns = listed(map(str, self.labels.names))
            groups = listed(map(shown_label, self), 8)
            raise KeyError(f"There is no group {label!r}; groups by {columns} are {groups}.")
        if self.scanned is not None:
            own = self.scanned.alone(position, tuple(self._findings_of(position)))
            return fit_of(self.solution[position], None, None, own)
        solution, answers = self.solution[position], self._answers_of(position)
        if solution.estimates.outcome == Status.CONVERGED:
            moments = solution.estimator.moments_of(answers)
            if solution.model.terms:
                solution = solution.estimator.solve(moments, solution.model)
            else:
                solution = replace(solution, moments=moments)
        return fit_of(solution, self.survey, answers)

    @cached_property
    def _positions(self) -> dict[Hashable, int]:
        return {label: position for position, label in enumerate(self.labels)}

    @cached_property
    def _rows(self) -> GroupRows:
        return GroupRows.of(self.codes, len(self.labels))

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def converged(self) -> pd.Series:
        """Whether each group has a solution."""
        return pd.Series(
            self.solution.estimates.outcome == Status.CONVERGED, self.labels, name="converged"
        )

    @property
    def suppressed(self) -> NDArray[np.bool_]:
        """Mark groups of fewer respondents than the minimum, (groups,)."""
        return np.asarray(self.solution.estimates.outcome == Status.SUPPRESSED)

    @cached_property
    def failed(self) -> pd.Series:
        """Number of groups without a solution, by reason."""
        outcome = pd.Series(self.solution.estimates.outcome)
        counts = outcome[outcome != Status.CONVERGED].value_counts()
        counts.index = [Status(code).reason for code in counts.index]
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
        entry = find(quantity)
        values = np.where(self.converged.to_numpy()[:, None], entry.values(self.solution), np.nan)
        return pd.DataFrame(values, self.labels, entry.labels(self.solution.model))

    @property
    def page(self) -> Page:
        """How each group ended and what is explained in it, on a page; of many the first."""
        outcomes = [Status(code).reason for code in self.solution.estimates.outcome]
        rows = {"n": np.asarray(self.solution.moments.n), "ending": outcomes}
        more = len(self) - _SHOWN
        notes = (
            (text("{more:,} more {more:group is|groups are} in `table`.", more=more),)
            if more > 0
            else ()
        )
        ending = labelled_groups(pd.DataFrame(rows, self.labels), self.survey)
        explained = labelled_groups(self.table("r2"), self.survey)
        return Page(
            text(
                "{groups:,} {groups:group|groups} by {label}",
                groups=len(self),
                label=self.solution.estimator.label,
            ),
            findings=self.findings,
            clean=text("No findings on rows and groups; the fit of each group has its own."),
            sections=(
                Section(text("Groups"), ending.head(_SHOWN), notes),
                Section("R²", explained.head(_SHOWN), notes, decimals=3),
            ),
        )

    def __repr__(self) -> str:
        done = int(self.converged.sum())
        failed = f", {len(self) - done} without a solution" if done < len(self) else ""
        names = listed((shown_label(label) for label in self.labels), 6)
        return f"<{len(self)} group fits by {self.solution.estimator.label}{failed}: {names}>"

    def _answers_of(self, position: int) -> Answers:
        own = self.answers.part(self._rows[position])
        return replace(own, findings=tuple(self._findings_of(position)))

    def _findings_of(self, position: int) -> Iterator[Finding]:
        """Tell how many rows of the group were dropped, and what was changed in all groups."""
        label, dropped = shown_label(self.labels[position]), int(self.dropped[position])
        if dropped:
            used = int(self.solution.moments.n[position])
            message = (
                "{count} of {total} rows of group {label} {count:was|were} dropped for missing "
                "answers or weights."
            )
            yield Finding(
                "rows-dropped",
                message,
                (label,),
                "note",
                dropped,
                values={"count": dropped, "total": used + dropped, "label": label},
            )
        for finding in self.answers.findings:
            if finding.code not in ("rows-dropped", "weight-dropped"):
                yield finding.within("In all groups together")


@own_errstate
@checked
def fit_groups(
    model: Model,
    survey: Survey | object,
    by: str | Sequence[str],
    estimator: Estimator | None = None,
    *,
    minimum_n: int | None = None,
    progress: bool = True,
) -> GroupFits:
    """Estimate a model in every group of respondents, all groups in one batch.

    Parameters
    ----------
    model
        Constructs and paths.
    survey
        A `Survey`, anything `read_survey` takes, or a `Scan` of files (`csi.scan`).
    by
        Column or columns that make the groups; rows without a group are left out and counted.
    estimator
        `PLS` by default.
    minimum_n
        Groups with fewer respondents are suppressed: they stay in every table, without a number,
        and a finding lists them. None suppresses nothing.
    progress
        Whether to show a bar where groups are fitted one by one, as by full information, and
        where a scan is read.

    Returns
    -------
    GroupFits
        A mapping from group (a value, or a tuple for several columns) to `Fit`. A group that
        cannot be estimated, or has no row left, has a fit that says so; it stops nothing. Errors of
        such a fit are of a sample of its own where respondents were drawn one by one, and of a
        domain of the whole sample where they were drawn in strata or clusters, or weights meet
        margins; of groups together (``csi.linearize(fits)``) also where weights are unequal.
        (Groups of one fit, ``by=``, are always domains.)

    Raises
    ------
    SurveyError
        For a column that does not exist or is named twice, or data the model cannot use.
    OptionError
        For more groups than the memory that is free holds.

    Examples
    --------
    >>> import csimodel as csi
    >>> frame = csi.load_mobi().data.assign(half=["a", "b"] * 125)
    >>> fits = csi.fit_groups(csi.models.ecsi(), frame, by=["half"])
    >>> fits["a"]
    <Fit of ECSI by PLS, path scheme: 125 rows, converged>
    """
    least = 0 if minimum_n is None else require_count("minimum_n", minimum_n)
    chosen = estimator_for(model, estimator)
    model = chosen.specified(model)
    if isinstance(survey, Scan):
        return _of_scan(model, survey, by, chosen, least, progress)
    table = survey if isinstance(survey, Survey) else read_survey(survey)
    answers = answers_of(chosen, table, model)
    every, labels = group_codes(table, by, np.arange(len(table.data)))
    codes = every[answers.rows]
    require_memory(
        f"csi.fit_groups with {len(labels):,} groups of {len(answers.items)} items",
        3 * 8.0 * len(labels) * len(answers.items) ** 2,  # products, covariances, correlations
        "fit some of the groups at a time, or groups by fewer columns",
    )
    moments = group_moments(answers, codes, len(labels))
    if chosen.needs_answers or chosen.weighs_responses:
        solution = _each_alone(model, chosen, answers, codes, moments, progress)
    else:
        solution = chosen.solve(moments, model)
    dropped = np.bincount(every[every >= 0], minlength=len(labels)) - moments.n.astype(np.intp)
    solution = _suppressed(solution, least)
    rows = int((codes < 0).sum()), len(codes)
    findings = (*answers.findings, *_lost(by, rows, labels, moments.n, dropped))
    findings = (*findings, *suppressed_groups(labels, solution.moments.n, least))
    findings = (*findings, *answers.design.findings)
    return GroupFits(solution, labels, codes, dropped, table, answers, findings)


def _suppressed(solution: Solution, least: int) -> Solution:
    """Return the fits with nothing but n of groups of fewer rows."""
    few = solution.moments.n < least
    if not few.any():
        return solution
    arrays = {name: own.copy() for name, own in solution.estimates.arrays.items()}
    for own in arrays.values():
        if own.dtype.kind == "f":
            own[few] = np.nan
    arrays["outcome"][few], arrays["inadmissible"][few] = Status.SUPPRESSED, 0
    moments = {name: own.copy() for name, own in solution.moments.arrays.items()}
    for name, own in moments.items():
        if name != "n":
            own[few] = np.nan
    return replace(
        solution,
        moments=solution.moments.with_arrays(moments),
        estimates=replace(solution.estimates, **arrays),
    )


def suppressed_groups(
    labels: pd.Index, n: NDArray[np.float64] | NDArray[np.intp], least: int
) -> Iterator[Finding]:
    """Name the groups that are suppressed: those of fewer respondents than the minimum."""
    few = np.flatnonzero(n < least).tolist()
    if few:
        names = tuple(f"{shown_label(labels[g])} ({int(n[g])})" for g in few)
        yield Finding(
            "groups-suppressed",
            _ONE_GROUP_SUPPRESSED if len(few) == 1 else _GROUPS_SUPPRESSED,
            names,
            "note",
            len(few),
            {"count": len(few), "total": len(labels), "least": least, "groups": names},
        )


def _of_scan(
    model: Model,
    scan: Scan,
    by: str | Sequence[str],
    estimator: Estimator,
    least: int,
    progress: bool,
) -> GroupFits:
    """Estimate a model in every group of a scan's rows, from one pass."""
    columns = group_columns(scan.template, by)
    scanned = scanned_groups(scan, model.answered_blocks, columns, progress)
    moments = scanned.moments
    require_additive(estimator, moments)
    labels = scanned.labels.set_names([level_of(str(name)) for name in scanned.labels.names])
    solution = _suppressed(estimator.solve(moments, model), least)
    dropped = scanned.given - moments.n.astype(np.intp)
    whole = scanned.whole
    rows = scanned.without, int(whole.sums.rows)
    lost = _lost(by, rows, labels, moments.n, dropped)
    return GroupFits(
        solution,
        labels,
        np.zeros(0, dtype=np.intp),
        dropped,
        scan.template,
        replace(whole.nobody, findings=whole.findings),
        (
            *whole.findings,
            *lost,
            *suppressed_groups(labels, solution.moments.n, least),
            *whole.design.findings,
        ),
        scanned,
    )


def _each_alone(
    model: Model,
    estimator: Estimator,
    answers: Answers,
    codes: NDArray[np.intp],
    plain: Moments,
    progress: bool,
) -> Solution:
    """Fit the groups one by one, from their answers.

    Where these do not determine means and covariances the group has singular ones.
    """
    parts = []
    rows = GroupRows.of(codes, len(plain.n))
    with progress_bar(len(plain.n), "Groups", progress, "group") as bar:
        for position in range(len(plain.n)):
            own = answers.part(rows[position])
            parts.append(_alone(model, estimator, own, plain[position : position + 1]))
            bar.update()
    return Solution.join(parts)


def _alone(model: Model, estimator: Estimator, answers: Answers, moments: Moments) -> Solution:
    """Fit one group; `moments` are those that every group has."""
    shown = moments
    try:
        known = estimator.moments_of(answers)
        estimates = estimator.estimate(known, model)
        lifted = replace(known.lifted(), gamma=None, patterns=None)
        return Solution(model, estimator, lifted, _lifted(estimates))
    except (EstimationError, SurveyError):
        varies = np.diagonal(moments.cov, axis1=-2, axis2=-1) > 0
        if np.isfinite(moments.cov).all() and varies.all():
            shown = replace(moments, cov=np.ones_like(moments.cov))
    if estimator.weighs_responses:
        lost = Responses.unknown(len(moments.items), moments.batch_shape)
        moments, shown = replace(moments, responses=lost), replace(shown, responses=lost)
    return Solution(model, estimator, moments, estimator.estimate(shown, model))


def _lifted(estimates: Estimates) -> Estimates:
    """Return the estimates of one sample as a batch of one."""
    own = {
        f.name: np.asarray(getattr(estimates, f.name))[None]
        for f in fields(estimates)
        if not f.metadata.get("shared", False)
    }
    return replace(estimates, **own)


def _lost(
    by: str | Sequence[str],
    rows: tuple[int, int],
    labels: pd.Index,
    n: NDArray[np.float64],
    dropped: NDArray[np.intp],
) -> Iterator[Finding]:
    """Name the groups that lost rows, those that lost all, and count the rows of no group.

    `rows` are those of no group, and all rows used.
    """
    names = [shown_label(label) for label in labels]
    losers = np.flatnonzero(dropped).tolist()
    if losers:
        counts = (f"{names[g]} ({dropped[g]}/{dropped[g] + int(n[g])})" for g in losers)
        message = "Rows were dropped in {losers} of {groups} groups: {counts}."
        subjects = tuple(names[g] for g in losers)
        yield Finding(
            "rows-dropped-by-group",
            message,
            subjects,
            "note",
            int(dropped.sum()),
            values={"losers": len(losers), "groups": len(names), "counts": tuple(counts)},
        )
    empty = tuple(names[g] for g in np.flatnonzero(n == 0).tolist())
    if empty:
        yield Finding(
            "groups-without-rows",
            "No usable row is left in {count} of {names} groups, {empty}; use "
            "another missing-data policy or leave them out.",
            empty,
            count=len(empty),
            values={"count": len(empty), "names": len(names), "empty": tuple(empty)},
        )
    without, used = rows
    if without:
        yield Finding(
            "rows-without-group",
            (
                "{count} of {codes} rows {count:has|have} no value in {by!r} and "
                "{count:belongs|belong} to no group."
            ),
            count=without,
            values={"count": without, "codes": used, "by": by},
        )


def group_codes(
    survey: Survey, by: str | Sequence[str], rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], pd.Index]:
    """Return each row's group number (-1 for none) and the groups' labels.

    Raises
    ------
    OptionError
        For what is no name or list of names, or names a column twice.
    SurveyError
        For a column that does not exist or holds no labels, or when no row has a group.
    """
    columns = group_columns(survey, by)
    frame = survey.data[columns].iloc[rows].reset_index(drop=True)
    grouped = frame.groupby(columns if len(columns) > 1 else columns[0], observed=True, sort=True)
    try:
        codes = np.asarray(grouped.ngroup().fillna(-1), dtype=np.intp)
    except TypeError:
        for column in columns:
            labels_of(frame[column], f"Group column {column!r}")
        raise
    labels = grouped.size().index
    if not len(labels):
        raise SurveyError(f"No row has a value in {by!r}; choose a column that is filled.")
    return codes, labels.set_names([level_of(str(name)) for name in labels.names])


def group_columns(survey: Survey, by: str | Sequence[str]) -> list[str]:
    """Return the columns that make groups.

    Raises
    ------
    OptionError
        For what is no name or list of names, or names a column twice.
    SurveyError
        For a column that does not exist.
    """
    return named_columns(survey, by)


def named_columns(
    survey: Survey, names: str | Sequence[str], option: str = "by", what: str = "Group column"
) -> list[str]:
    """Return columns of a survey that an option names; raises as `group_columns`."""
    columns = list(require_names(option, names))
    known = survey.data.columns
    for place, column in enumerate(columns):
        name = column_of(known, column)
        if name is None:
            raise SurveyError(f"{what} {column!r} is not in the data{suggest(str(column), known)}.")
        columns[place] = name
    return columns


def groups_without_rows(
    survey: Survey, by: str | Sequence[str], labels: pd.Index
) -> Iterator[Finding]:
    """Name the groups of a survey that are not among `labels`, as all their rows were dropped."""
    _, every = group_codes(survey, by, np.arange(len(survey.data)))
    yield from lost_groups(every, labels)


def lost_groups(every: pd.Index, labels: pd.Index) -> Iterator[Finding]:
    """Name the groups that are not among `labels`, as all their rows were dropped."""
    names = tuple(shown_label(label) for label in every.difference(labels, sort=False))
    if names:
        template = (
            "Group {groups} is not in the table, because none of its rows could be used."
            if len(names) == 1
            else "Groups {groups} are not in the table, because none of their rows could be used."
        )
        yield Finding("groups-without-rows", template, names, "warning", values={"groups": names})


def level_of(column: str) -> str:
    """Return what tables call the level of a group column: its name, marked where they use it.

    >>> level_of("firm"), level_of("construct")
    ('firm', 'construct (label)')
    """
    return f"{column}{_MARK}" if column in _NAMES_OF_TABLES else column


def column_of_level(level: str) -> str:
    """Return the group column that a level of a table comes from.

    >>> column_of_level("firm"), column_of_level("construct (label)")
    ('firm', 'construct')
    """
    column = level.removesuffix(_MARK)
    return column if column in _NAMES_OF_TABLES else level


def labelled_groups(table: pd.DataFrame, survey: Survey) -> pd.DataFrame:
    """Return a table whose rows name groups by the labels that the survey has for their codes.

    Examples
    --------
    >>> import csimodel as csi
    >>> survey = csi.read_survey(
    ...     pd.DataFrame({"sex": [1, 2]}),
    ...     codebook=csi.Codebook(value_labels={"sex": {1.0: "f", 2.0: "m"}}),
    ... )
    >>> table = pd.DataFrame({"n": [3, 4]}, pd.Index([1.0, 2.0], name="sex"))
    >>> labelled_groups(table, survey).index.tolist()
    ['f', 'm']
    """
    for name in table.index.names:
        if labels := survey.value_labels.get(column_of_level(str(name))):
            several = table.index.nlevels > 1
            table = table.rename(index=labels, level=name if several else None)
    return table


def place_of(label: object, places: Mapping[Hashable, int]) -> int | None:
    """Return the place of a group, None for what is the label of none.

    >>> place_of("b", {"a": 0, "b": 1}), place_of(["b"], {"a": 0, "b": 1})
    (1, None)
    """
    try:
        hash(label)
    except TypeError:
        return None
    return places.get(label) if isinstance(label, Hashable) else None


def shown_label(label: Hashable) -> str:
    """Write a group's label for a sentence.

    >>> shown_label("x"), shown_label(("x", 2024.0))
    ('x', '(x, 2024)')
    """
    parts = [written(part) for part in label] if isinstance(label, tuple) else []
    return f"({', '.join(parts)})" if parts else written(label)
