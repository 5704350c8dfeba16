"""A table of respondents: a survey or a frame, with its weights and clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError, suggest
from csimodel.findings import Finding
from csimodel.options import shown
from csimodel.outcomes.rows.columns import aligned, codes_of, name_of, numbers
from csimodel.survey import Survey
from csimodel.survey.design import design_of_part, require_several, strata_and_clusters
from csimodel.survey.headers import column_of
from csimodel.survey.population import population_of_rows
from csimodel.survey.sampling import Lonely, SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Source:
    """A table of respondents with its weights and clusters.

    Attributes
    ----------
    frame
        The columns.
    survey
        The survey they come from, which knows scales, or None.
    weights
        (rows,), or None.
    cluster, strata
        Codes 0, 1, …, (rows,), or None.
    lonely, population
        As in `Answers`.
    """

    frame: pd.DataFrame
    survey: Survey | None
    weights: Floats | None
    cluster: Codes | None
    strata: Codes | None = None
    lonely: Lonely = "adjust"
    population: Floats | None = None

    @classmethod
    def of(cls, data: Survey | pd.DataFrame, weights: str | None, cluster: str | None) -> Source:
        """Take a survey, with its own design columns unless others are named, or a frame.

        Raises
        ------
        SurveyError
            When a design column is not there, a weight is negative, a cluster is missing or all
            rows are in one.
        OptionError
            When data is neither, or other clusters than the survey's meet its strata or population.
        """
        survey = data if isinstance(data, Survey) else None
        frame = survey.data if survey is not None else data
        if not isinstance(frame, pd.DataFrame):
            raise OptionError(
                f"The data are a {type(data).__name__}; give a survey or a pandas DataFrame."
            )
        for option, name in (("weights", weights), ("cluster", cluster)):
            if name is not None and not isinstance(name, str):
                raise OptionError(
                    f"{option}={shown(name)} must be the name of a column; put the values into one."
                )
        of_survey = survey is not None and (survey.strata, survey.population) != (None, None)
        if of_survey and cluster not in (None, survey.cluster if survey else None):
            raise OptionError(
                f"cluster={cluster!r} names other clusters than the survey's, whose strata and "
                f"population count units of their own; give read_survey(..., cluster={cluster!r})."
            )
        if survey is not None:
            weights, cluster = weights or survey.weights, cluster or survey.cluster
        plain = cls(frame, survey, None, None)
        heavy = None if weights is None else plain.numbers(weights, "Weight")[1]
        if heavy is not None and (heavy < 0).any():
            raise SurveyError(
                f"Weight column {weights!r} holds {int((heavy < 0).sum())} negative values; "
                "weights must be positive, or zero to leave a row out."
            )
        codes = (
            None
            if cluster is None
            else codes_of(plain._column(cluster, "Cluster"), f"Cluster column {cluster!r}")
        )
        if codes is not None and len(codes) > 1 and codes.max() < 1:
            raise SurveyError(
                f"Cluster column {cluster!r} puts all {len(codes)} rows in one cluster, from which "
                "no errors follow; name a column with at least 2 clusters, or one that numbers the "
                "respondents as cluster=."
            )
        if survey is None or not of_survey:
            return cls(frame, survey, heavy, codes)
        every = np.arange(len(frame))
        strata, codes, _ = strata_and_clusters(frame, survey.strata, survey.cluster, every)
        whole = population_of_rows(frame, survey.population, survey.strata, survey.cluster, every)
        source = cls(frame, survey, heavy, codes, strata, survey.lonely, whole)
        require_several(source.design, survey.strata)
        return source

    @property
    def design(self) -> SurveyDesign:
        """The units that the usable rows were drawn in."""
        return design_of_part(self.usable, self.strata, self.cluster, self.lonely, self.population)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Rows with a weight above 0, (rows,)."""
        if self.weights is None:
            return np.ones(len(self.frame), dtype=bool)
        return np.asarray(np.nan_to_num(self.weights) > 0)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know of strata and population."""
        designed = self.strata is not None or self.population is not None
        return self.design.findings if designed else ()

    def numbers(self, values: object, what: str) -> tuple[str, Floats]:
        """Return the name and the numbers of a column, given by name or as values."""
        column = self._column(values, what)
        name = str(column.name) if isinstance(values, str) else name_of(values, what.lower())
        way_out = "recode it, or name a column of numbers"
        return name, numbers(column, what, name, way_out)

    def binary(self, values: object, option: str) -> tuple[str, Floats]:
        """Return the name and the 0/1 numbers of a column.

        Raises
        ------
        SurveyError
            When it holds anything else.
        """
        name, found = self.numbers(values, option.capitalize())
        seen = np.unique(found[np.isfinite(found)])
        if not np.isin(seen, (0.0, 1.0)).all():
            raise SurveyError(
                f"{option}={name!r} must hold 0 and 1 only, and holds {len(seen)} different "
                f"values from {seen[0]:g} to {seen[-1]:g}; give a column such as "
                f"data[{name!r}] == {seen[-1]:g}."
            )
        return name, found

    def labels(self, values: object, what: str) -> tuple[str, pd.Series]:
        """Return the name and the labels of a column, given by name or as values."""
        column = self._column(values, what)
        return (
            str(column.name) if isinstance(values, str) else name_of(values, what.lower())
        ), column

    def bounds(self, name: str, seen: Floats) -> tuple[float, float] | None:
        """Return a column's scale: the survey's, or 0 to 1 for answers of 0 and 1, or None."""
        if self.survey is not None and name in self.survey.items:
            item = self.survey.items[name]
            if not item.assumed and item.minimum is not None and item.maximum is not None:
                return float(item.minimum), float(item.maximum)
        whole = seen[np.isfinite(seen)]
        return (0.0, 1.0) if np.isin(whole, (0.0, 1.0)).all() else None

    def _column(self, values: object, what: str) -> pd.Series:
        if not isinstance(values, str):
            return aligned(values, self.frame.index, what)
        column = column_of(self.frame.columns, values)
        if column is None:
            raise SurveyError(
                f"{what} {values!r} is not a column{suggest(values, self.frame.columns)}; name one "
                "of its columns, or give values for each row."
            )
        return self.frame[column]
