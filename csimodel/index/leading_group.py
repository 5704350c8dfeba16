"""Which group stands highest, and whether it can be told apart from every other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import require_construct
from csimodel.estimators import Fit, group_codes, require_fit, require_own
from csimodel.estimators.groups import shown_label
from csimodel.estimators.points import by_block, point_weights
from csimodel.findings import text
from csimodel.index.by_group import group_draws, group_influence, group_points
from csimodel.inference import Bootstrap, FitErrors, without_influence
from csimodel.inference.domains import satterthwaite, working_variance
from csimodel.inference.infer import infer
from csimodel.inference.sources import StandardErrors, smallest_error
from csimodel.options import require_count, require_level
from csimodel.page import HasHeadline, Page, sections
from csimodel.significance import normal_score
from csimodel.survey.group_rows import effective_sizes

Floats = NDArray[np.float64]

_SAMPLES = 20_000  # of the largest |t| of all differences
_CELLS = 50_000_000  # units times groups handled at once


@dataclass(frozen=True, eq=False, repr=False)
class LeadingGroup(HasHeadline):
    """The group with the highest index, against every other.

    Of groups with an error: one without (a single respondent or cluster, or answers that are all
    alike) leads nothing, however high it is.

    Attributes
    ----------
    group
        Its label.
    construct
        Whose index.
    table
        A row for every other group: difference (the leader's index less the group's, points), se,
        df, lower, upper and p (of the single comparison), reason where it has no error, and
        p_adjusted (of all at once, the leader having been chosen by looking).
    level
        Coverage of all comparisons together.
    """

    group: Hashable
    construct: str
    table: pd.DataFrame
    level: float

    @property
    def compared(self) -> pd.DataFrame:
        """The rows of other groups that it could be compared with."""
        return self.table[self.table["p_adjusted"].notna()]

    @property
    def distinct(self) -> bool:
        """Whether it differs from every group compared, all comparisons made at once.

        False where none could be.
        """
        p = self.compared["p_adjusted"]
        return bool(len(p)) and bool((p < 1.0 - self.level).all())

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        name = shown_label(self.group)
        if not len(self.compared):
            return text(
                "Whether {name} differs from all others in {construct} is not known.",
                name=name,
                construct=self.construct,
            )
        if self.distinct and len(self.compared) < len(self.table):
            return text(
                "{name} differs from all others that have an error in {construct}.",
                name=name,
                construct=self.construct,
            )
        if self.distinct:
            return text(
                "{name} differs from all others in {construct}.",
                name=name,
                construct=self.construct,
            )
        return text(
            "{name} is not shown to differ from all others in {construct}.",
            name=name,
            construct=self.construct,
        )

    @property
    def page(self) -> Page:
        """The leader's differences from all others, on a page."""
        return Page(
            text(
                "{group} against all others in {construct}",
                group=shown_label(self.group),
                construct=self.construct,
            ),
            self.headline,
            (text("All comparisons at once, {level:g} %", level=100 * self.level),),
            sections=sections({text("Differences, index points"): self.table}),
            clean="",
        )


def leading_group(
    fit: Fit,
    by: str | Sequence[str],
    construct: str = "Satisfaction",
    bootstrap: FitErrors | None = None,
    level: float = 0.95,
    minimum_n: int | None = None,
) -> LeadingGroup | None:
    """Return the group with the highest index and its differences from all others.

    With ``t_j`` the leader's difference from group j over its standard error, the adjusted p-value
    is the probability that the largest absolute t of the differences between any one group and all
    others reaches ``|t_j|`` when all groups are alike (max-t, Dunnett): errors and their
    correlations come from the draws, or from influence values; degrees of freedom are
    Satterthwaite's of the two groups. So of samples with equal groups no more than ``1 - level``
    call one of them distinct.
    A group without an error (a single respondent or cluster, or answers that are all alike, which
    say nothing of it) does not lead and is not compared; one that was asked whole is, its own error
    being 0.

    Parameters
    ----------
    fit
        Of a survey or data frame.
    by
        Column or columns that make the groups.
    construct
        Whose index is compared.
    bootstrap
        Draws of this fit; without them influence values.
    level
        Coverage of all comparisons together.
    minimum_n
        Groups of fewer respondents do not lead and are not compared.

    Returns
    -------
    LeadingGroup, or None when fewer than two groups have an index.

    Raises
    ------
    ModelError
        When the construct is not in the model.
    SurveyError
        When a group column does not exist, or the fit was made from moments.

    References
    ----------
    Hothorn, T., Bretz, F., Westfall, P. (2008). Simultaneous inference in general parametric
    models. Biometrical Journal 50, 346-363. https://doi.org/10.1002/bimj.200810425

    Examples
    --------
    >>> import csimodel as csi
    >>> frame = csi.load_mobi().data.assign(half=["a", "b"] * 125)
    >>> fit = csi.fit(csi.models.ecsi(), csi.read_survey(frame, scale=(1, 10)))
    >>> leader = leading_group(fit, "half")
    >>> leader.group, leader.distinct
    ('a', False)
    """
    fit = require_fit(fit, "leading_group")
    level = require_level(level)
    require_own(bootstrap, fit, drawn=False)
    names = fit.model.construct_names
    place = names.index(require_construct(construct, names))
    answers = fit.require_answers("leading_group")
    assert fit.survey is not None
    codes, groups = group_codes(fit.survey, by, answers.rows)
    least = 0 if minimum_n is None else require_count("minimum_n", minimum_n)
    large = np.bincount(codes[codes >= 0], minlength=len(groups)) >= least
    points = group_points(answers, codes, len(groups), fit.moments)
    estimate = by_block(fit.model, point_weights(fit.solution) * points)[:, place]
    known = np.flatnonzero(np.isfinite(estimate) & large)
    if len(known) < 2:
        return None
    df = answers.first_stage.degrees(codes, len(groups)).astype(np.float64)
    covariance = _covariance(fit, bootstrap, codes, points, place, estimate)
    variance = np.diagonal(covariance)
    census = answers.design.census_of(codes, len(groups))
    known_error = census | ((variance > smallest_error(estimate) ** 2) & (df > 0))
    order = known[np.lexsort((-estimate[known], ~known_error[known]))]
    first, others = order[0], order[1:]
    difference = estimate[first] - estimate[others]
    spread = np.maximum(variance[first] + variance[others] - 2 * covariance[first, others], 0)
    se = np.where(known_error[first] & known_error[others], np.sqrt(spread), 0.0)
    working = working_variance(
        answers.design, variance, effective_sizes(codes, answers.weights, len(groups))
    )
    pairs = [np.full_like(others, first), others]
    degrees = np.nan_to_num(satterthwaite(working[pairs], df[pairs]))
    usable = (se > 0) & (degrees > 0)
    source = StandardErrors(se, degrees, census=answers.stages.census)
    table = infer(groups[others], difference, source, level, steady=False)
    table = with_adjusted(table, usable, first, others, covariance)
    return LeadingGroup(groups[first], construct, table, level)


def with_adjusted(
    table: pd.DataFrame,
    usable: NDArray[np.bool_],
    first: int,
    others: NDArray[np.intp],
    covariance: Floats,
) -> pd.DataFrame:
    """Return a table of differences with p-values of all comparisons at once."""
    adjusted = np.full(len(table), np.nan)
    if usable.any():
        p = table["p"].to_numpy()[usable]
        adjusted[usable] = simultaneous(p, first, others[usable], covariance)
    return table.rename(columns={"estimate": "difference"}).assign(p_adjusted=adjusted)


def _covariance(
    fit: Fit,
    bootstrap: FitErrors | None,
    codes: NDArray[np.intp],
    points: Floats,
    construct: int,
    estimate: Floats,
) -> Floats:
    """Return the covariance of the groups' indexes, (groups, groups)."""
    design, groups = fit.require_answers("leading_group").stages, len(points)
    if isinstance(bootstrap, Bootstrap):
        draws = group_draws(fit, bootstrap, codes, groups)[:, :, construct].T
        seen = np.isfinite(draws).all(axis=1)
        covariance = np.full((groups, groups), np.nan)
        if seen.sum() > 1:
            own = draws[seen].T
            whole = bootstrap.survey_design.covariance_of_draws(own, estimate[seen])
            covariance[np.ix_(seen, seen)] = whole
        return covariance
    if without_influence(fit) or design.units * groups > _CELLS:
        return np.full((groups, groups), np.nan)
    return design.covariance(group_influence(fit, codes, points, construct))


def simultaneous(p: Floats, first: int, others: NDArray[np.intp], covariance: Floats) -> Floats:
    """Return p-values of the largest |t| among the leader's differences, (others,).

    p-values are compared on the normal scale, so that each difference keeps its own degrees of
    freedom; the largest |z| is simulated with the differences' correlations.
    """
    contrast = np.zeros((len(others), len(covariance)))
    contrast[:, first] = 1.0
    contrast[np.arange(len(others)), others] = -1.0
    used = np.append(others, first)
    block = contrast[:, used] @ covariance[np.ix_(used, used)] @ contrast[:, used].T
    sd = np.sqrt(np.diagonal(block))
    values, vectors = np.linalg.eigh(block / sd / sd[:, None])
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = np.random.default_rng(0).standard_normal((_SAMPLES, len(others)))
    largest = np.sort(np.abs(normal @ root.T).max(axis=1))
    z = normal_score(p)
    beyond = _SAMPLES - np.searchsorted(largest, z, side="left")
    return np.asarray(np.minimum(np.maximum((1.0 + beyond) / (1.0 + _SAMPLES), p), 1.0))
