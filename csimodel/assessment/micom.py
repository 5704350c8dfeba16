"""MICOM: whether composites are the same in several groups, so that groups may be compared.

1. Configural: the same items, coding and algorithm in every group, and a solution in each.
2. Compositional: the correlation ``c = cor(X w¹, X w²)`` of scores by the weights of either group,
   over the standardised items of both; 1 where composites are formed alike.
3. Equal means and variances of the scores by the weights of both groups together.

References
----------
Henseler, J., Ringle, C. M., Sarstedt, M. (2016). Testing measurement invariance of composites using
partial least squares. International Marketing Review 33(3), 405-431.
https://doi.org/10.1108/IMR-09-2014-0304
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from csimodel.arguments import checked, checked_in
from csimodel.assessment.composite_pairs import STATISTICS, CompositePair
from csimodel.assessment.group_permutations import (
    about_permutations,
    permuted_pairs,
    require_permutations,
)
from csimodel.assessment.grouped_sample import GroupedSample, about_answers, grouped_sample
from csimodel.errors import OptionError, choose
from csimodel.estimators import Estimator, GroupFits
from csimodel.estimators.groups import shown_label
from csimodel.estimators.inputs import estimator_for
from csimodel.findings import Finding, Severity, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.model import Model
from csimodel.options import require_level, seed_of
from csimodel.page import HasPage, Page, Section
from csimodel.significance import holm
from csimodel.survey import Survey

_FULL = (
    "Composites are the same in the groups, with means and variances that do not differ, as far as "
    "these data show (full invariance): {composites:8}; paths and indexes may be compared, and the "
    "groups pooled."
)
_PARTIAL = (
    "Composites are formed alike in the groups as far as these data show, but means or variances "
    "differ (partial invariance): {composites:8}; standardised paths and indexes may be compared, "
    "but the groups not pooled."
)
_NONE = (
    "Composites are not formed alike in the groups: {composites:8}; neither their paths nor their "
    "indexes may be compared between the groups, as they do not measure the same."
)
_NOT_TESTED = "Whether composites are formed alike could not be tested: {composites:8} ({reason})."
_VERDICTS = {"full": _FULL, "partial": _PARTIAL, "none": _NONE}
_CODES = {"full": "full-invariance", "partial": "partial-invariance", "none": "no-invariance"}


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Micom(HasPage):
    """Measurement invariance of composites between groups; made by `micom`.

    Attributes
    ----------
    fits
        The fit of every group.
    table
        A row a construct, of more than two groups a row (group, other, construct). Columns: c with
        the lower quantile of its permutations (c_lower) and p; mean_difference, of the first group
        less the other in standard deviations, with the limits between which permutations lie
        (mean_lower, mean_upper) and mean_p; variance_ratio, the logarithm of the first variance
        over the other, with variance_lower, variance_upper and variance_p; of more than two groups
        p_holm, mean_p_holm and variance_p_holm, corrected over the pairs of a construct; verdict
        (``"full"``, ``"partial"``, ``"none"``, ``"not tested"``) and reason. p and c_lower are NaN
        where more than a tenth of the permutations have no solution; step 3 needs none.
    permutations
        How many were made for each pair of groups.
    level
        One less the size of the tests.
    findings
        What may be compared, and what a reader must know.
    """

    fits: GroupFits
    table: pd.DataFrame
    permutations: int
    level: float
    findings: tuple[Finding, ...]
    _draws: Mapping[str, pd.DataFrame]

    @cached_property
    def verdict(self) -> str:
        """The least invariance of any construct: full, partial, none, or not tested."""
        seen = set(self.table["verdict"])
        return next(v for v in ("not tested", "none", "partial", "full") if v in seen)

    def draws(self, statistic: str = "c") -> pd.DataFrame:
        """Return ``"c"``, ``"mean_difference"`` or ``"variance_ratio"`` in every permutation."""
        choose("statistic", statistic, STATISTICS)
        return self._draws[statistic].copy()

    @property
    def page(self) -> Page:
        """The three steps on a page."""
        several = len(self.table.index.names) > 1
        corrected = "_holm" if several else ""
        second = ["c", "c_lower", f"p{corrected}", "verdict", "reason"]
        mean = ["mean_difference", "mean_lower", "mean_upper", f"mean_p{corrected}"]
        variance = ["variance_ratio", "variance_lower", "variance_upper", f"variance_p{corrected}"]
        return Page(
            text("Measurement invariance of composites in {count} groups", count=len(self.fits)),
            facts=(
                text(
                    "{permutations:,} permutations; tests of size {size:.3g}.",
                    permutations=self.permutations,
                    size=1.0 - self.level,
                ),
                text(
                    "Step 1, the same items, coding and algorithm in every group: by construction."
                ),
            ),
            findings=self.findings,
            sections=(
                Section(text("Step 2: composites formed alike"), self.table[second], decimals=3),
                Section(text("Step 3: means"), self.table[mean], decimals=3),
                Section(
                    text("Step 3: variances (logarithm of the ratio)"),
                    self.table[variance],
                    decimals=3,
                ),
            ),
        )


@own_errstate
@checked
def micom(
    model: Model,
    survey: Survey | object,
    by: str | Sequence[str],
    permutations: int | ArrayLike = 1_000,
    rng: int | np.random.Generator | None = 0,
    *,
    estimator: Estimator | None = None,
    level: float = 0.95,
    progress: bool = True,
) -> Micom:
    """Test whether composites are the same in several groups (MICOM).

    Parameters
    ----------
    model
        Constructs of items, and paths.
    survey
        A `Survey` or anything `read_survey` takes.
    by
        Column or columns that make the groups; rows without a group are left out and counted. Of
        more than two groups every two are compared, and p-values corrected for the number of
        pairs (Holm).
    permutations
        How many permutations of the groups; or the permutations themselves, one row of group labels
        each, with a column for each respondent (two groups only).
    rng
        An integer seed or a NumPy generator; None for different permutations each time.
    estimator
        `PLS` by default; of covariance structures use `csi.invariance`.
    level
        One less the size of the tests.
    progress
        Show a bar when it takes longer than a second.

    Returns
    -------
    Micom

    Raises
    ------
    SurveyError
        For a column that makes fewer than two groups, or data the model cannot use.
    OptionError
        For an estimator without weights to test, or permutations that are none.
    ModelError
        For models with products or constructs of constructs.

    Notes
    -----
    With R the correlations of the items over both groups, ``c = w¹'Rw² / √(w¹'Rw¹ w²'Rw²)``. The
    weights are of standardised items, so they are applied to standardised ones; programs that apply
    them to raw answers (cSEM, openpls) get another c where items differ in spread. Its p-value is
    the share of permutations with a c as small, those of step 3 with a difference as large either
    way; what was seen counts as one of the permutations, and ties count (a single item has many).
    Variances have the denominator n - 1.

    Each pair of groups is permuted by itself, within strata, whole clusters where they lie in one
    group, respondents within clusters where groups run through them. That composites do not differ
    visibly does not show that they are the same: of small groups only large differences are seen.
    A difference of means may come from how a group answers and not from what it thinks, which no
    test of composites tells.

    Where step 2 holds (partial invariance) scores of both groups are the same sums of the same
    items, so paths and indexes may be compared; that means or variances differ is then a result.
    Where step 3 holds as well, the groups may be pooled.

    References
    ----------
    Henseler, J., Ringle, C. M., Sarstedt, M. (2016). Testing measurement invariance of composites
    using partial least squares. International Marketing Review 33(3), 405-431.
    https://doi.org/10.1108/IMR-09-2014-0304

    Examples
    --------
    >>> import csimodel as csi
    >>> survey = csi.load_mobi(design=True)
    >>> result = csi.micom(csi.models.ecsi(), survey.data, by="sex", permutations=99, rng=1)
    >>> result.verdict, float(result.table.loc["Expectation", "c"].round(3))
    ('full', 0.991)
    """
    level, seed = require_level(level), seed_of(rng)
    permutations = require_permutations(permutations, ", and a thousand for p-values")
    chosen = estimator_for(model, estimator)
    model.require_one_stage("MICOM is of")
    if "other" in chosen.modes_of(model):
        raise OptionError(
            f"micom tests weights of composites, and {chosen.label} has none of its own; use "
            "csi.PLS(), or csi.invariance(model, survey, by) for loadings and intercepts."
        )
    fits, sample = grouped_sample(model, survey, by, chosen)
    pairs = [
        CompositePair(own, exchange, progress)
        for own, exchange in permuted_pairs(sample, fits, permutations, seed)
    ]
    return _result(fits, sample, pairs, level)


def _result(
    fits: GroupFits, sample: GroupedSample, pairs: list[CompositePair], level: float
) -> Micom:
    """Put the pairs together, correct p-values and say what may be compared."""
    names = list(sample.model.construct_names)
    table = pd.concat([pair.table(level) for pair in pairs], ignore_index=True)
    labels, corrected = pd.Index(names, name="construct"), ""
    if len(pairs) > 1:
        rows = [(*pair.sample.labels, name) for pair in pairs for name in names]
        labels = pd.MultiIndex.from_tuples(rows, names=["group", "other", "construct"])
        corrected = "_holm"
        for column in ("p", "mean_p", "variance_p"):
            values = table[column].to_numpy().reshape(len(pairs), len(names))
            own = np.stack([holm(column) for column in values.T], axis=1)
            table.insert(list(table).index(column) + 1, f"{column}_holm", own.ravel())
    size = 1.0 - level
    alike = table[f"p{corrected}"] > size
    equal = (table[f"mean_p{corrected}"] > size) & (table[f"variance_p{corrected}"] > size)
    known = table[["p", "mean_p", "variance_p"]].notna().all(axis=1)
    verdict = np.select([~known, alike & equal, alike], ["not tested", "full", "partial"], "none")
    table.insert(len(table.columns) - 1, "verdict", verdict)
    table = table.set_axis(labels)
    draws = {
        name: pd.concat([pd.DataFrame(pair.permuted[name]) for pair in pairs], axis=1)
        for name in STATISTICS
    }
    losses = [finding for pair in pairs for finding in pair.losses()]
    told = [*about_answers(fits)]
    for pair in pairs:
        told += about_permutations(pair.sample, pair.permutations)
    return Micom(
        fits,
        table,
        pairs[0].permutations.count,
        level,
        (*_verdicts(table), *losses, *dict.fromkeys(told)),
        {name: own.set_axis(labels, axis=1) for name, own in draws.items()},
    )


def _verdicts(table: pd.DataFrame) -> Iterator[Finding]:
    """Say what may be compared."""
    for verdict in _VERDICTS:
        names = tuple(_composite(label) for label in table.index[table["verdict"] == verdict])
        if names:
            severity: Severity = "warning" if verdict == "none" else "note"
            template, values = _VERDICTS[verdict], {"composites": names}
            yield Finding(_CODES[verdict], template, names, severity, len(names), values)
    unknown = table[table["verdict"] == "not tested"]
    for reason, own in unknown.groupby("reason"):
        names = tuple(_composite(label) for label in own.index)
        yield Finding(
            "invariance-not-tested",
            _NOT_TESTED,
            names,
            "warning",
            len(names),
            {"composites": names, "reason": reason},
        )


def _composite(label: object) -> str:
    """Write a composite for a sentence, of several pairs with the two groups."""
    if isinstance(label, tuple):
        return f"{label[2]} ({shown_label(label[0])}, {shown_label(label[1])})"
    return str(label)
