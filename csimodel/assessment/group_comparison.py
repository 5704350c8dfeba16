"""`compare_groups`: whether paths, loadings, effects or indexes differ between groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from csimodel.arguments import checked, checked_in
from csimodel.assessment.group_differences import GroupDifferences
from csimodel.assessment.group_permutations import require_permutations
from csimodel.assessment.grouped_sample import about_answers, grouped_sample
from csimodel.errors import InferenceError, choose
from csimodel.estimators import Estimator, GroupFits, Quantity, find
from csimodel.estimators.groups import shown_label
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.model import Model
from csimodel.options import require_level, seed_of
from csimodel.page import HasPage, Page, Section
from csimodel.survey import Survey
from csimodel.translation import pgettext

Method = Literal[
    "permutation",
    "henseler",
    "parametric",
    "welch",
    "chin-dibbern",
    "sarstedt",
    "keil",
    "nitzl",
    "distance",
]

_DIFFER = (
    "The groups differ in {quantity}: {entries:8}; p is below {size:g} after Holm's correction for "
    "{tests} tests."
)
_ALIKE = (
    "These data do not show that the groups differ in {quantity}: after Holm's correction for "
    "{tests} tests no p is below {size:g}."
)
_DIFFER_ONCE = "The groups differ in {quantity}: {entries:8}; the only p is below {size:g}."
_ALIKE_ONCE = (
    "These data do not show that the groups differ in {quantity}: the only p is not below {size:g}."
)
_SUPPOSED = (
    "That composites are the same in the groups is supposed here and not tested; csi.micom tests "
    "it."
)


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class GroupComparison(HasPage):
    """Differences between groups with a test of each; made by `compare_groups`.

    Attributes
    ----------
    fits
        The fit of every group.
    method, quantity
        Of the test, and of what is compared.
    table
        A row an entry, of more than two groups (group, other, *entry*). Columns: first and second,
        the estimates; estimate, their difference; se, df, lower, upper; p (two-sided); p_holm and
        p_bh, corrected for the number of rows; reason. Tests without an error have NaN there:
        permutations have null_lower and null_upper, between which differences of permuted groups
        lie, and Henseler's test p_one_sided. Tests of all groups at once (``"sarstedt"``,
        ``"distance"``) have their statistic as estimate, and critical, which it exceeds where p is
        small.
    level
        One less the size of the tests, and the coverage of limits.
    findings
        Whether the groups differ, and what a reader must know.
    """

    fits: GroupFits
    method: str
    quantity: str
    table: pd.DataFrame
    level: float
    findings: tuple[Finding, ...]

    @property
    def page(self) -> Page:
        """The differences on a page."""
        names = [shown_label(label) for label in self.fits]
        return Page(
            text(
                "Comparison of {count} groups by {label}",
                count=len(self.fits),
                label=self.fits.solution.estimator.label,
            ),
            facts=(
                text(
                    "Groups: {names}.",
                    names=", ".join(names[:20]) + (", …" if len(names) > 20 else ""),
                ),
                text(
                    "Test: {method}, of {quantity}.",
                    method=self.method,
                    quantity=pgettext("column", self.quantity.replace("_", " ")),
                ),
            ),
            findings=self.findings,
            sections=(Section(text("Differences"), self.table, decimals=3),),
        )


@own_errstate
@checked
def compare_groups(
    model: Model,
    survey: Survey | object,
    by: str | Sequence[str],
    method: Method = "permutation",
    rng: int | np.random.Generator | None = 0,
    *,
    quantity: str | Quantity = "paths",
    permutations: int | ArrayLike = 5_000,
    draws: int = 5_000,
    resamples: Mapping[str, ArrayLike] | None = None,
    estimator: Estimator | None = None,
    level: float = 0.95,
    progress: bool = True,
) -> GroupComparison:
    """Test whether a quantity differs between groups.

    Parameters
    ----------
    model
        Constructs and paths.
    survey
        A `Survey` or anything `read_survey` takes.
    by
        Column or columns that make the groups; of more than two every two are compared.
    method
        ``"permutation"`` (default): share of permuted groups with a difference as large either
        way. ``"chin-dibbern"``: the same, twice the smaller tail. ``"parametric"``: t of the
        difference of independent estimates. ``"welch"``, ``"nitzl"``, ``"keil"``: t as published.
        ``"henseler"``: pairs of reflected draws. ``"sarstedt"``: F over draws of all groups at
        once. ``"distance"``: how far the groups' implied correlations are apart, all groups and
        all paths at once (Klesel). Formulas are in `csimodel.assessment.group_tests`.
    rng
        An integer seed or a NumPy generator; None for different draws each time.
    quantity
        ``"paths"`` (default), ``"loadings"``, ``"total_effects"``, ``"index"`` or any other. The
        index is by each group's own weights; `index_scores` with `by` has the weights of all.
    permutations
        How many; or group labels, one row a permutation (two groups). Of ``"sarstedt"`` those of
        the draws, of the first group first.
    draws
        Number of bootstrap draws of each group, for tests that take them.
    resamples
        Row numbers within each group, counted from 0, by the group's label as text, (draws, rows)
        each, to repeat the draws of another program.
    estimator
        `PLS` by default; of covariance structures, whose loadings are tested for invariance by
        `csi.invariance`, too.
    level
        One less the size of the tests, and the coverage of limits.
    progress
        Show a bar when it takes longer than a second.

    Returns
    -------
    GroupComparison

    Raises
    ------
    SurveyError
        For a column that makes fewer than two groups, or data the model cannot use.
    OptionError
        For an unknown method or quantity, draws that do not fit, or a published test of respondents
        drawn one by one in a survey with strata or clusters.
    InferenceError
        For quantities that draws say nothing of.

    Notes
    -----
    Permutations exchange respondents as they answered, so groups that differ in nothing are
    compared; cSEM's tests standardise answers within each group first, and their p-values differ.
    The test is of groups alike in everything: where only variances differ it may reject as well.
    ``"permutation"``, ``"chin-dibbern"``, ``"distance"`` and ``"parametric"`` allow for strata and
    clusters (by `LabelPermutations` and `linearize`); the other tests are published for
    respondents drawn one by one. P-values of permutations count what was seen as one of them.

    References
    ----------
    Chin, W. W., Dibbern, J. (2010). An introduction to a permutation based procedure for
    multi-group PLS analysis. Handbook of Partial Least Squares, 171-193.
    https://doi.org/10.1007/978-3-540-32827-8_8

    Sarstedt, M., Henseler, J., Ringle, C. M. (2011). Multigroup analysis in partial least squares
    (PLS) path modeling. Advances in International Marketing 22, 195-218.
    https://doi.org/10.1108/S1474-7979(2011)0000022012

    Examples
    --------
    >>> import csimodel as csi
    >>> frame = csi.load_mobi(design=True).data
    >>> compared = csi.compare_groups(csi.models.ecsi(), frame, by="sex", permutations=199, rng=1)
    >>> row = compared.table.loc[("Loyalty", "Satisfaction")]
    >>> round(float(row["estimate"]), 2), bool(row["p"] > 0.05)
    (0.25, True)
    """
    level, seed = require_level(level), seed_of(rng)
    choose("method", method, get_args(Method))
    entries = find(quantity)
    permutations = require_permutations(permutations, ", and some thousands for p-values")
    if not entries.resampled:
        raise InferenceError(
            f"{entries.name!r} is a distance, of which draws of a group say nothing; compare the "
            "groups with method='distance'."
        )
    fits, sample = grouped_sample(model, survey, by, estimator)
    task = GroupDifferences(
        fits, sample, entries, level, seed, permutations, draws, resamples, progress
    )
    table, findings = task.by(method)
    name = "implied correlations" if method == "distance" else entries.name
    supposed = sample.estimator.paths_between_scores
    return GroupComparison(
        fits,
        method,
        name,
        table,
        level,
        (
            *_difference(table, name.replace("_", " "), level),
            *([Finding("invariance-supposed", _SUPPOSED, severity="note")] if supposed else ()),
            *dict.fromkeys(findings),
            *about_answers(fits),
        ),
    )


def _difference(table: pd.DataFrame, quantity: str, level: float) -> Iterator[Finding]:
    """Say whether the groups differ."""
    corrected = table["p_holm"].to_numpy()
    tests, size = int(np.isfinite(corrected).sum()), round(1.0 - level, 12)
    if not tests:
        return
    names = tuple(_entry(label) for label in table.index[corrected < size])
    values = {"quantity": quantity, "tests": tests, "size": size}
    if names:
        entries = {**values, "entries": names}
        yield Finding(
            "groups-differ", _DIFFER if tests > 1 else _DIFFER_ONCE, names, "note", len(names),
            entries,
        )  # fmt: skip
    else:
        yield Finding(
            "groups-not-shown-to-differ",
            _ALIKE if tests > 1 else _ALIKE_ONCE,
            (),
            "note",
            0,
            values,
        )


def _entry(label: object) -> str:
    """Write the label of an entry for a sentence."""
    if isinstance(label, tuple):
        return f"({', '.join(shown_label(own) for own in label)})"
    return str(label)
