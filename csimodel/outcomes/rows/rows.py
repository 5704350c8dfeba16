"""`Rows`: outcome, indexes, controls, weights and design of a regression, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import ModelError, OptionError, SurveyError, suggest
from csimodel.estimators import Fit, GroupFits, require_fit
from csimodel.findings import Finding, listed
from csimodel.index import respondent_index
from csimodel.inference import Bootstrap, FitErrors, chain_of
from csimodel.model import Model
from csimodel.options import shown
from csimodel.outcomes.design.formula import Formula
from csimodel.outcomes.kernels.families import Family
from csimodel.outcomes.rows.arguments import (
    Controls,
    Index,
    by_name,
    named,
    names_in,
    require_index,
    row_labels,
    yes_or_no,
)
from csimodel.outcomes.rows.columns import aligned, codes_of, name_of, numbers, require_some
from csimodel.outcomes.rows.outcome import OutcomeValues, outcome_of
from csimodel.outcomes.rows.sample import Sample, sample_of
from csimodel.outcomes.rows.soundness import soundness
from csimodel.survey import Answers, Survey
from csimodel.survey.calibrated_design import CalibratedDesign
from csimodel.survey.checks import labels_of
from csimodel.survey.design import design_of_part, require_several, strata_and_clusters
from csimodel.survey.domain_design import DomainDesign
from csimodel.survey.headers import clean, column_of
from csimodel.survey.labelled import require_no_labelled_codes
from csimodel.survey.population import population_of_rows
from csimodel.survey.sampling import Lonely, SurveyDesign
from csimodel.survey.survey import calibrated_design, two_stage_design

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows offered to a regression, with their weights and design.

    Columns are named, or given as values: a Series with the row labels of the table, in any order,
    or an array of its length. Of a fit that left rows out, values for the rows that it used do as
    well. What is returned has one value for each row offered.

    Attributes
    ----------
    frame
        The table whose columns may be named; without columns where everything is given as values.
    place
        Positions in the table of the rows offered, (rows,).
    fit
        The fit whose respondents they are, or None.
    survey
        The survey they come from, which knows scales and the design, or None.
    weights
        (rows,), or None.
    cluster, strata
        Codes 0, 1, … of each row's cluster and stratum, (rows,), or None.
    lonely, population
        As in `Answers`.
    calibrated
        The units of all respondents whose weights meet margins together, these rows among them, or
        None.
    domain
        The units of all respondents that these rows are a part of, or of two stages, or None.
    items
        Columns that a fit took as items, whose scale holds even where the survey assumed it.
    """

    frame: pd.DataFrame
    place: Codes
    fit: Fit | None = None
    survey: Survey | None = None
    weights: Floats | None = None
    cluster: Codes | None = None
    strata: Codes | None = None
    lonely: Lonely = "adjust"
    population: Floats | None = None
    calibrated: CalibratedDesign | None = None
    domain: DomainDesign | None = None
    items: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        data: Fit | Survey | pd.DataFrame | None,
        purpose: str,
        values: Iterable[object] = (),
        *,
        weights: object = None,
        cluster: object = None,
    ) -> Rows:
        """Take the respondents of a fit, the rows of a survey or a frame, or values alone.

        Parameters
        ----------
        data
            None where everything is given as values.
        purpose
            The function that wants them.
        values
            Columns, the index first; without data they say how many rows there are and what they
            are called, as in `row_labels`.
        weights, cluster
            Columns. A survey's own by default; a fit has those of its survey.

        Raises
        ------
        SurveyError
            When the fit was made from moments, a column of the design is not there, a weight is
            negative, a cluster is missing or all rows are in one.
        OptionError
            When the data are something else, weights or clusters go with a fit, or there are no
            values.
        """
        columns = list(values)
        if not isinstance(data, Fit):
            require_index(data, purpose, columns)
        if data is None and columns:
            table = pd.DataFrame(index=row_labels(columns))
            return cls(table, np.arange(len(table)))._with_design(weights, cluster)
        if isinstance(data, pd.DataFrame):
            return cls(data, np.arange(len(data)))._with_design(weights, cluster)
        if isinstance(data, Survey):
            return cls(data.data, np.arange(len(data.data)), None, data)._of_survey(
                data, weights, cluster
            )
        if not columns and not isinstance(data, Fit):
            raise OptionError(
                f"The data are a {type(data).__name__}; give a survey or a pandas DataFrame."
            )
        fit = require_fit(data, purpose)
        answers = fit.require_answers(purpose)
        if fit.survey is None:
            raise SurveyError(f"{purpose} needs the fit's survey; fit a survey or a data frame.")
        for option, column in (("weights", weights), ("cluster", cluster)):
            if column is not None:
                raise OptionError(
                    f"{option}= does not go with a fit, whose survey has its own design; name it "
                    f"with csi.read_survey(..., {option}=) and fit again."
                )
        return cls._of_answers(fit.survey, answers, fit.model, fit)

    @classmethod
    def of_groups(cls, groups: GroupFits) -> Rows:
        """Take the respondents of all groups, in the order of ``groups.codes``."""
        return cls._of_answers(groups.survey, groups.answers, groups.solution.model, None)

    @classmethod
    def _of_answers(cls, survey: Survey, answers: Answers, model: Model, fit: Fit | None) -> Rows:
        return cls(
            survey.data, answers.rows, fit, survey, answers.weights, answers.cluster,
            answers.strata, answers.lonely, answers.population, answers.calibrated,
            answers.domain_of_stages, tuple(map(clean, model.items)),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.place)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Rows with a weight above 0, (rows,)."""
        if self.weights is None:
            return np.ones(len(self), dtype=bool)
        return np.asarray(np.nan_to_num(self.weights) > 0)

    @property
    def replicates(self) -> int:
        """How many replicate weights the survey has."""
        return 0 if self.survey is None else len(self.survey.replicate_weights)

    @property
    def design(self) -> SurveyDesign:
        """The units that the usable rows were drawn in."""
        known = self.calibrated or self.domain
        if known is not None:
            return known
        return design_of_part(self.usable, self.strata, self.cluster, self.lonely, self.population)

    @property
    def design_findings(self) -> tuple[Finding, ...]:
        """What a reader must know of strata and population."""
        designed = self.strata is not None or self.population is not None
        return self.design.findings if designed else ()

    def numbers(self, column: object, what: str) -> tuple[str, Floats]:
        """Return the name and the numbers of a column, NaN in rows without a weight."""
        name, cells = self._cells(column, what)
        return name, self._counted(numbers(cells, what, name), what, name)

    def binary(self, column: object, option: str) -> tuple[str, Floats]:
        """Return the name and the numbers of a column of 0 and 1.

        Raises
        ------
        SurveyError
            When it holds anything else.
        """
        name, values = self.numbers(column, option.capitalize())
        seen = np.unique(values[np.isfinite(values)])
        if not np.isin(seen, (0.0, 1.0)).all():
            raise SurveyError(
                f"{option}={name!r} must hold 0 and 1 only, and holds {len(seen)} different "
                f"values from {seen[0]:g} to {seen[-1]:g}; give a column such as "
                f"data[{name!r}] == {seen[-1]:g}."
            )
        return name, values

    def column(self, column: object, what: str) -> tuple[str, pd.Series]:
        """Return the name and the cells of a column."""
        name, cells = self._cells(column, what)
        return name, cells if len(cells) == len(self) else cells.iloc[self.place]

    def labels(self, column: object, what: str) -> tuple[str, Codes, list[str]]:
        """Return the name of a column, each row's code and the labels in order.

        The code is -1 where the label is missing or the row has no weight.

        Raises
        ------
        SurveyError
            When it is missing everywhere.
        """
        name, cells = self.column(column, what)
        used = np.flatnonzero(self.usable)
        codes = np.full(len(self), -1, dtype=np.intp)
        codes[used], labels = labels_of(cells.iloc[used], f"{what} {name!r}")
        if not len(labels):
            raise SurveyError(f"{what} {name!r} is missing for all {len(used)} respondents.")
        return name, codes, [str(label) for label in labels]

    def indexes(self, index: Index, option: str = "index") -> dict[str, Floats]:
        """Return indexes in points from 0 to 100 by name, in their order.

        Names are constructs of the fit, or without one columns of the table.

        Raises
        ------
        ModelError
            When a construct is not in the model.
        OptionError
            When none is named, or one twice, or names have nothing to stand for.
        """
        if not named(index):
            return self._points(index, option)
        names = names_in(index)
        known = list(map(str, self.frame.columns))
        if self.fit is not None:
            known = list(self.fit.model.construct_names)
        what = "column" if self.fit is None else "construct"
        if not known:
            raise OptionError(
                f"{option}={shown(index)} names a construct, and there is no fit to take it from; "
                f"give a fit first, or {option}= as a column of points from 0 to 100."
            )
        if not names or len(set(names)) < len(names):
            raise OptionError(
                f"{option}={shown(index)} must name one {what}, or several different ones; use "
                f"{listed(map(repr, known), 12)}."
            )
        if self.fit is None:
            return dict(self.numbers(name, "Index") for name in names)
        for name in names:
            if name not in known:
                raise ModelError(
                    f"{option}={name!r} is not a construct of the model{suggest(name, known)}; use "
                    f"{option}= with one of {', '.join(map(repr, known))}."
                )
        scores = respondent_index(self.fit)
        for name in names:
            if name not in scores:
                raise ModelError(
                    f"{option}={name!r} is a product or a part of another construct and has no "
                    f"index in this model; use {option}= with one of "
                    f"{', '.join(map(repr, scores))}."
                )
        return {name: scores[name].to_numpy() for name in names}

    def single_index(self, index: Index, option: str = "index") -> tuple[str, Floats]:
        """Return the name and the points of one index.

        Raises
        ------
        OptionError
            When there are several.
        """
        indexes = self.indexes(index, option)
        if len(indexes) > 1:
            raise OptionError(
                f"{option}= must be one index, and {len(indexes)} were given "
                f"({listed(map(repr, indexes), 12)}); take one of them."
            )
        return next(iter(indexes.items()))

    def controls(self, controls: Controls) -> dict[str, Floats]:
        """Return columns of numbers by name."""
        columns = by_name(controls)
        return {name: self.numbers(column, "Control")[1] for name, column in columns.items()}

    def offered(self, controls: Controls) -> pd.DataFrame:
        """Return what a formula may name: the table's columns, and controls given as values."""
        table = self.frame.iloc[self.place]
        if named(controls):
            return table
        columns = {
            name: self.column(column, "Control")[1].set_axis(table.index)
            for name, column in by_name(controls).items()
        }
        return table.assign(**columns)

    def outcome(
        self,
        column: object,
        family: Family,
        scale: tuple[float, float] | None = None,
        cut: float | None = None,
    ) -> OutcomeValues:
        """Return an outcome as a family needs it; its scale is the survey's unless one is given.

        Raises
        ------
        SurveyError
            When the scale is unknown, an answer lies outside it, or it holds codes labelled as no
            answer.
        OptionError
            When `cut` does not fit.
        """
        name, cells = self._cells(column, "Outcome")
        values = self._counted(numbers(cells, "Outcome", name), "Outcome", name)
        if scale is None:
            if self.survey is not None and isinstance(column, str):
                require_no_labelled_codes(values, name, self.survey.value_labels.get(name, {}))
            scale = self.scale(column, name, values)
        return outcome_of(values, name, family, scale, cut)

    def scale(self, column: object, name: str, values: Floats) -> tuple[float, float] | None:
        """Return the lowest and highest answer of a column, where the survey or model says them.

        Values of 0 and 1 alone, not taken from the survey by name, are not on its scale.
        """
        if self.survey is None:
            return None
        item = self.survey.items.get(name)
        stated = (item is not None and not item.assumed) or name in self.items
        low, high = (float(bound[0]) for bound in self.survey.bounds([name]))
        recoded = not isinstance(column, str) and yes_or_no(values)
        return (low, high) if stated and not recoded and np.isfinite([low, high]).all() else None

    def bounds(self, column: object, name: str, values: Floats) -> tuple[float, float] | None:
        """Return `scale`, or 0 and 1 for a column of nothing else."""
        return self.scale(column, name, values) or ((0.0, 1.0) if yes_or_no(values) else None)

    def sample(
        self,
        outcome: OutcomeValues,
        indexes: Mapping[str, Floats],
        controls: Mapping[str, Floats],
        formula: Formula | None = None,
        complete: Mapping[str, Floats] | None = None,
    ) -> Sample:
        """Keep the rows with an outcome, all regressors and what else they must have."""
        sample = sample_of(
            outcome.values,
            indexes,
            controls,
            label=outcome.label,
            weights=self.weights,
            cluster=self.cluster,
            strata=self.strata,
            lonely=self.lonely,
            population=self.population,
            calibrated=self.calibrated,
            domain=self.domain,
            cut=outcome.cut,
            formula=formula,
            complete=complete,
        )
        return replace(sample, replicates=self.replicates)

    def fit_behind(self, index: object) -> Fit | None:
        """Return the fit that an index comes from, None for one computed elsewhere."""
        return self.fit if named(index) else None

    def require_chain(self, bootstrap: FitErrors | None, *indexes: object) -> Bootstrap | None:
        """Return the draws, or samples with weights moved, in which an index is estimated again.

        Raises
        ------
        OptionError
            For draws of another fit, and where the index does not come from the fit.
        """
        if bootstrap is None:
            return None
        if self.fit is None or not all(map(named, indexes)):
            raise OptionError(
                "bootstrap= estimates an index again in every draw, and this one was computed "
                "elsewhere; leave bootstrap= out, or give a fit and name its construct."
            )
        return chain_of(bootstrap, self.fit)

    def require_clusters(self) -> None:
        """Refuse rows that are all in one cluster, where errors are clustered and nothing else.

        Raises
        ------
        SurveyError
            With the way out.
        """
        if self.cluster is not None and len(self) > 1 and self.cluster.max() < 1:
            raise SurveyError(
                f"All {len(self)} rows are in one cluster, from which no errors follow; give "
                "cluster= a column with at least 2 clusters, or one that numbers the respondents."
            )

    def findings(self, indexes: Sequence[str], outcome: str = "") -> tuple[Finding, ...]:
        """Say when indexes come from a model that is not sound, or hold the outcome itself."""
        return () if self.fit is None else tuple(soundness(self.fit, indexes, outcome))

    def _cells(self, column: object, what: str) -> tuple[str, pd.Series]:
        """Return the name and the cells of a column, of the table or of the rows offered."""
        if not isinstance(column, str):
            name = name_of(column, what.lower())
            labels = self.frame.index
            short = len(self) < len(labels) and np.shape(np.asarray(column)) == (len(self),)
            return name, aligned(
                column, labels[self.place] if short else labels, f"{what} {name!r}"
            )
        if not len(self.frame.columns):
            raise OptionError(
                f"{what} {column!r} names a column, and there is no table to take it from; give a "
                "fit, a survey or a data frame first, or a value for each row."
            )
        known = column_of(self.frame.columns, column)
        if known is None:
            table = "data frame" if self.survey is None else "survey"
            raise SurveyError(
                f"{what} {column!r} is not a column of the {table}"
                f"{suggest(column, self.frame.columns)}; name one of its columns, or give a Series "
                "with a value for each row."
            )
        return str(known), self.frame[known]

    def _counted(self, values: Floats, what: str, name: str) -> Floats:
        """Return values of the rows offered, (rows,), NaN where a row has no weight.

        Raises
        ------
        SurveyError
            When nothing is left.
        """
        offered = values if len(values) == len(self) else values[self.place]
        counted = np.where(self.usable, offered, np.nan)
        require_some(counted, what, name)
        return counted

    def _points(self, index: object, option: str) -> dict[str, Floats]:
        """Return indexes given as values."""
        if isinstance(index, pd.DataFrame):
            columns: dict[str, object] = {str(name): index[name] for name in index}
        else:
            columns = {name_of(index, option): index}
        if not columns:
            raise OptionError(
                f"{option}= holds no column; give one of points from 0 to 100 for each index."
            )
        what = option.capitalize()
        return {name: self.numbers(column, what)[1] for name, column in columns.items()}

    def _of_survey(self, survey: Survey, weights: object, cluster: object) -> Rows:
        """Return the rows with the design of their survey, or with weights or clusters given.

        Raises
        ------
        OptionError
            When other clusters than the survey's meet its strata or population.
        """
        own = weights is None or (
            isinstance(weights, str) and column_of(self.frame.columns, weights) == survey.weights
        )
        weights = survey.weights if weights is None else weights
        margins = calibrated_design(survey) if own else None
        if survey.strata is None and survey.population is None:
            rows = self._with_design(weights, survey.cluster if cluster is None else cluster)
            if margins is not None and rows.cluster is not None:
                margins = margins.clustered(rows.cluster[margins.drawn])
            return rows._with_margins(margins)
        if cluster is not None and not (
            isinstance(cluster, str) and survey.cluster == column_of(self.frame.columns, cluster)
        ):
            raise OptionError(
                f"cluster={shown(cluster)} names other clusters than the survey's, whose strata "
                "and population count units of their own; give read_survey(..., cluster=)."
            )
        strata, clusters, _ = strata_and_clusters(
            self.frame, survey.strata, survey.cluster, self.place
        )
        population = population_of_rows(
            self.frame, survey.population, survey.strata, survey.cluster, self.place
        )
        rows = replace(
            self._with_design(weights, None), cluster=clusters, strata=strata,
            lonely=survey.lonely, population=population,
        )  # fmt: skip
        require_several(rows.design, survey.strata)
        return rows._with_second_stage(survey)._with_margins(margins)

    def _with_second_stage(self, survey: Survey) -> Rows:
        """Return the rows as those of a design of two stages, where errors need both."""
        used, design = np.flatnonzero(self.usable), self.design
        first = replace(design, unit=design.unit[used])
        stages = two_stage_design(survey, self.place[used], first)
        if stages is None or self.population is None:
            return self
        place = np.full(len(self), -1, dtype=np.intp)
        place[used] = np.arange(len(used))
        return replace(self, domain=DomainDesign.within(stages).looking_at(place))

    def _with_margins(self, margins: CalibratedDesign | None) -> Rows:
        return self if margins is None else replace(self, calibrated=margins.at(self.place))

    def _with_design(self, weights: object, cluster: object) -> Rows:
        """Return the rows with weights and clusters given as columns."""
        heavy = codes = None
        if weights is not None:
            name, heavy = self.numbers(weights, "Weights")
            if (heavy < 0).any():
                raise SurveyError(
                    f"Weights {name!r} hold {int((heavy < 0).sum())} negative values; weights "
                    "must be positive, or zero to leave a row out."
                )
        if cluster is not None:
            name, cells = self.column(cluster, "Cluster")
            codes = codes_of(cells, f"Cluster {name!r}")
        return replace(self, weights=heavy, cluster=codes)
