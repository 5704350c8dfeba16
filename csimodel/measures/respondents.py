"""What measures take of a survey or frame: groups of respondents, and columns as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError, SurveyError
from csimodel.estimators.groups import group_codes
from csimodel.findings import Finding
from csimodel.formatting import label
from csimodel.inference.domains import Domains, one_group
from csimodel.options import require_names, shown
from csimodel.survey import Survey, read_survey
from csimodel.survey.checks import extremes, numeric_block, require_bounds, require_finite
from csimodel.survey.codes import suspected_codes
from csimodel.survey.headers import require_column
from csimodel.survey.labelled import require_no_labelled_codes
from csimodel.survey.survey import respondents

Floats = NDArray[np.float64]
Names = str | Sequence[str]

_FEW = int(THRESHOLDS["few rows of a group"].value)


@dataclass(frozen=True, eq=False)
class GroupedSurvey:
    """Respondents with a weight, by group.

    Attributes
    ----------
    survey
        Where their columns are.
    domains
        Their groups and design.
    labels
        Of the groups; None where nobody asked for groups.
    by
        Columns that make them.
    """

    survey: Survey
    domains: Domains
    labels: pd.Index | None
    by: tuple[str, ...]

    @classmethod
    def of(cls, data: Survey | pd.DataFrame, by: Names | None = None) -> GroupedSurvey:
        """Take the respondents of a survey, or of a frame as `read_survey` reads it.

        Raises
        ------
        SurveyError
            When the frame cannot be read, a column of the design or of groups is not there or
            empty, or nobody has a weight.
        OptionError
            When the data are something else.
        """
        if not isinstance(data, Survey | pd.DataFrame):
            raise OptionError(
                f"data={shown(data)} must be a survey or a pandas DataFrame; read a file with "
                "csi.read_survey(path)."
            )
        survey = data if isinstance(data, Survey) else read_survey(data)
        answers = respondents(survey)
        if by is None:
            return cls(survey, one_group(answers), None, ())
        names = tuple(require_column(survey.data, own, "by") for own in require_names("by", by))
        codes, labels = group_codes(survey, list(names), answers.rows)
        return cls(survey, Domains(answers, codes, len(labels)), labels, names)

    def __len__(self) -> int:
        return len(self.domains.codes)

    def names(self, option: str, columns: Names) -> tuple[str, ...]:
        """Return columns that an option names, each once.

        Raises
        ------
        OptionError
            When they are no names, or one occurs twice.
        SurveyError
            When one is not a column.
        """
        known = self.survey.data
        names = tuple(require_column(known, own, option) for own in require_names(option, columns))
        return require_names(option, list(names))

    def others(self) -> tuple[str, ...]:
        """Return the items of the survey, or all columns but those of groups and design.

        Raises
        ------
        SurveyError
            When none is left.
        """
        survey = self.survey
        design = {survey.weights, survey.strata, survey.cluster, survey.subcluster,
                  survey.subpopulation, *survey.replicate_weights, *self.by}  # fmt: skip
        if isinstance(survey.population, str):
            design.add(survey.population)
        every = list(survey.items) or list(map(str, survey.data.columns))
        names = tuple(name for name in every if name not in design)
        if not names:
            raise SurveyError(
                "No column is left beside those of groups and design; give the names of the "
                "columns that were rated."
            )
        return names

    def cells(self, name: str) -> pd.Series:
        """Return the cells of a column, of these respondents."""
        return self.survey.data[name].iloc[self.domains.answers.rows].reset_index(drop=True)

    def numbers(self, names: Sequence[str]) -> Floats:
        """Return columns as numbers, (rows, columns); NaN where nothing was answered.

        Raises
        ------
        SurveyError
            When one holds text, infinities, values outside its scale, or codes that their label
            says are no answer.
        """
        rows = self.domains.answers.rows
        values: Floats = numeric_block(self.survey.data, names)[0][rows]
        low, high, _ = extremes(values)
        require_finite(values, names, low, high, rows)
        minimum, maximum = self.survey.bounds(names)
        require_bounds(values, names, low, high, minimum, maximum)
        for place, name in enumerate(names):
            labels = self.survey.value_labels.get(name)
            if labels is not None and np.isnan(minimum[place]):
                require_no_labelled_codes(values[:, place], name, labels)
        return values

    def findings(self, names: Sequence[str], values: Floats) -> tuple[Finding, ...]:
        """Return what a reader must know of the respondents and of these columns."""
        answers = self.domains.answers
        low, high, _ = extremes(values)
        known = ~np.isnan(self.survey.bounds(names)[0])
        return (
            *answers.findings,
            *answers.design.findings,
            *suspected_codes(values, names, low, high, known),
            *self._unanswered(names, values),
            *self._groups(),
        )

    def _unanswered(self, names: Sequence[str], values: Floats) -> Iterator[Finding]:
        lost = np.isnan(values).sum(axis=0)
        columns = tuple(
            f"{name} ({count})" for name, count in zip(names, lost, strict=True) if count
        )
        if columns:
            total = int(lost.sum())
            fields = {"count": total, "rows": len(self), "columns": columns}
            template = _ONE_UNANSWERED if total == 1 else _UNANSWERED
            yield Finding("unanswered", template, columns, "note", total, fields)

    def _groups(self) -> Iterator[Finding]:
        if self.labels is None:
            return
        codes = self.domains.codes
        lost = int((codes < 0).sum())
        if lost:
            template = _ONE_WITHOUT_GROUP if lost == 1 else _WITHOUT_GROUP
            fields = {"count": lost, "rows": len(codes)}
            yield Finding("rows-without-group", template, (), "note", lost, fields)
        sizes = np.bincount(codes[codes >= 0], minlength=self.domains.groups)
        small = tuple(
            f"{label(group)} ({size})"
            for group, size in zip(self.labels, sizes.tolist(), strict=True)
            if size < _FEW
        )
        if small:
            few = {"count": len(small), "total": len(sizes), "few": _FEW, "groups": small}
            template = _ONE_SMALL if len(small) == 1 else _SMALL
            yield Finding("small-groups", template, small, "note", len(small), few)


_ONE_UNANSWERED = (
    "{count} of the answers of {rows} respondents is missing and left out of what rests on it: "
    "{columns}."
)
_UNANSWERED = (
    "{count} of the answers of {rows} respondents are missing and left out of what rests on them: "
    "{columns}."
)
_ONE_WITHOUT_GROUP = "{count} of {rows} respondents belongs to no group and is left out."
_WITHOUT_GROUP = "{count} of {rows} respondents belong to no group and are left out."
_ONE_SMALL = (
    "{count} of {total} groups has fewer than {few} respondents: {groups}; what is computed of it "
    "says little."
)
_SMALL = (
    "{count} of {total} groups have fewer than {few} respondents: {groups}; what is computed of "
    "them says little."
)
