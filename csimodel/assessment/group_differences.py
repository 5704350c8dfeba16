"""Differences of a quantity between groups, by permutations, by draws, by the sampling design."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.assessment.group_permutations import (
    LEAST_PERMUTATIONS,
    about_losses,
    about_permutations,
    permutations_of,
    permuted_pairs,
    without_permutations,
)
from csimodel.assessment.group_tests import BY_T, distances, order_probability, variance_ratio
from csimodel.assessment.grouped_sample import GroupedSample, without_solution
from csimodel.errors import OptionError
from csimodel.estimators import GroupFits, Quantity, Solution, Status
from csimodel.estimators.groups import shown_label
from csimodel.findings import Finding
from csimodel.inference import Bootstrap, bootstrap, infer, linearize
from csimodel.inference.intervals import quantiles, spread_of
from csimodel.inference.pairs import pairs_of
from csimodel.inference.sources import FEW_DRAWS, StandardErrors
from csimodel.moments.label_permutations import LabelPermutations
from csimodel.options import shown
from csimodel.significance import adjusted_pvalues, permutation_pvalue
from csimodel.translation import message

Floats = NDArray[np.float64]

_TAILS = {"permutation": "two", "chin-dibbern": "double"}
_BY_PERMUTATIONS = message("a test by permutations has a p-value and no error")
_BY_PAIRS_OF_DRAWS = message("a test by pairs of draws has a p-value and no error")
_OMNIBUS = message("a test of all groups at once has a p-value and no error")
_DISTANCES = (
    ("items", "geodesic"),
    ("items", "squared Euclidean"),
    ("constructs", "geodesic"),
    ("constructs", "squared Euclidean"),
)
_REJECTS = (
    "The test counts {draws} draws of each group as observations, and more draws make it reject "
    "more often whatever the groups are; do not use its p-values for conclusions."
)


@dataclass(frozen=True, eq=False)
class GroupDifferences:
    """Differences of a quantity between groups, and their tests.

    Attributes
    ----------
    fits, sample
        The fit of every group, and the respondents.
    quantity
        What is compared.
    level
        One less the size of the tests.
    seed
        Entropy of the random streams.
    permutations
        How many, or labels.
    draws, resamples
        Number of bootstrap draws, or rows of each group by its label.
    progress
        Show a bar when it takes longer than a second.
    """

    fits: GroupFits
    sample: GroupedSample
    quantity: Quantity
    level: float
    seed: int
    permutations: int | ArrayLike
    draws: int
    resamples: Mapping[str, ArrayLike] | None
    progress: bool

    def by(self, method: str) -> tuple[pd.DataFrame, list[Finding]]:
        """Return the table of a test, and what is to be known of its draws."""
        if method == "distance":
            return self._omnibus_distance()
        if method in _TAILS:
            return self._permuted(_TAILS[method])
        design = self.sample.answers.design
        if design.kind == "respondent" and design.strata == 1:
            return self._resampled(method)
        if method == "parametric":
            return self._linearized()
        raise OptionError(
            f"method={method!r} is published for respondents drawn one by one, and the survey has "
            "strata or clusters; use 'permutation' or 'parametric', which allow for them."
        )

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Every two groups."""
        first, second = pairs_of(self.sample.groups, "groups")
        return list(zip(first.tolist(), second.tolist(), strict=True))

    def _permuted(self, tail: str) -> tuple[pd.DataFrame, list[Finding]]:
        parts, findings = [], list[Finding]()
        for own, exchange in permuted_pairs(self.sample, self.fits, self.permutations, self.seed):
            values = self._values(own.observed)
            permuted, reason = self._permuted_values(own, exchange, self._difference, findings)
            difference = values[0] - values[1]
            tails = np.array([[(1.0 - self.level) / 2.0], [(1.0 + self.level) / 2.0]])
            lower, upper = quantiles(permuted, tails)
            table = _without_error(values[0], values[1], reason or _BY_PERMUTATIONS)
            table["p"] = permutation_pvalue(difference, permuted, tail)
            table.insert(7, "null_lower", lower)
            table.insert(8, "null_upper", upper)
            parts.append(table)
        return self._together(parts), findings

    def _permuted_values(
        self,
        sample: GroupedSample,
        exchange: LabelPermutations,
        statistic: Callable[[Solution], Floats],
        findings: list[Finding],
    ) -> tuple[Floats, str]:
        """Return a statistic in permutations, or of none and the reason; findings are added to."""
        none = np.full((0, statistic(sample.observed).shape[1]), np.nan)
        reason = without_permutations(sample, exchange)
        if reason:
            return none, reason
        permuted = sample.over(exchange, statistic, self.progress)
        findings += [*about_losses(sample, permuted), *about_permutations(sample, exchange)]
        return (none if permuted.reason else permuted.values), permuted.reason

    def _difference(self, solution: Solution) -> Floats:
        """Return the quantity of the first group less that of the second, (permutations, any)."""
        values = self._values(solution)
        first, second = values.reshape(2, -1, values.shape[-1])
        return np.asarray(first - second)

    def _values(self, solution: Solution) -> Floats:
        """Return the quantity of fits; NaN where there is no solution, (fits, entries)."""
        done = solution.estimates.outcome == Status.CONVERGED
        return np.where(done[:, None], self.quantity.values(solution), np.nan)

    def _omnibus_distance(self) -> tuple[pd.DataFrame, list[Finding]]:
        sample = self.sample
        sample.model.require_one_stage("Distances between groups are of")
        exchange = permutations_of(sample, self.fits, self.permutations, self.seed)
        findings = list[Finding]()

        def of(solution: Solution) -> Floats:
            known = sample.converged(solution)[:, None]
            return np.where(known, distances(solution, sample.groups), np.nan)

        statistic = of(sample.observed)[0]
        permuted, reason = self._permuted_values(sample, exchange, of, findings)
        labels = pd.MultiIndex.from_tuples(_DISTANCES, names=["of", "distance"])
        return self._omnibus(labels, statistic, permuted, reason), findings

    def _omnibus(
        self, labels: pd.Index, statistic: Floats, permuted: Floats, reason: str
    ) -> pd.DataFrame:
        """Return the table of statistics of all groups at once."""
        table = _without_error(statistic, np.zeros(len(statistic)), reason or _OMNIBUS)
        table = table.drop(columns=["first", "second"])
        table["p"] = permutation_pvalue(statistic, permuted, "upper")
        table.insert(1, "critical", quantiles(permuted, np.array([[self.level]]))[0])
        return _corrected(table).set_axis(labels)

    def _bootstraps(self) -> tuple[dict[int, Bootstrap], list[Finding]]:
        """Return the draws of every group with a solution."""
        boots: dict[int, Bootstrap] = {}
        findings = list[Finding]()
        names = [shown_label(label) for label in self.sample.labels]
        if not isinstance(self.resamples, Mapping | None):
            raise OptionError(
                f"resamples={shown(self.resamples)} must be a dict by group, with row numbers "
                "(draws, rows) of each."
            )
        unknown = [name for name in self.resamples or () if name not in names]
        if unknown or (self.resamples is not None and len(self.resamples) < len(names)):
            raise OptionError(
                f"resamples= holds rows of {shown(list(self.resamples or ()))}; give those of "
                f"every group, by its label as text: {shown(names)}."
            )
        for place, label in enumerate(self.sample.labels):
            fit = self.fits[label]
            if fit.converged:
                rows = None if self.resamples is None else self.resamples[names[place]]
                boot = bootstrap(
                    fit, self.draws, self.seed + place, resamples=rows, progress=self.progress
                )
                boot.require_usable()
                boots[place] = boot
                told = [f for f in boot.findings if f.code.endswith("-draws")]
                findings += [
                    finding.within("Group {group}", group=names[place]) for finding in told
                ]
        return boots, findings

    def _resampled(self, method: str) -> tuple[pd.DataFrame, list[Finding]]:
        boots, findings = self._bootstraps()
        if method == "sarstedt":
            return self._omnibus_of_draws(boots, findings)
        values = {g: self.quantity.values(boot.fit.solution) for g, boot in boots.items()}
        samples = {g: boot.values(self.quantity) for g, boot in boots.items()}
        labels = self.quantity.labels(self.sample.model)
        none, parts = np.full(len(labels), np.nan), []
        for first, second in self.pairs:
            reason = without_solution(self.sample.of_groups((first, second)))
            reason = reason or _few_draws([boots[first], boots[second]])
            table = _without_error(
                values.get(first, none), values.get(second, none), reason or _BY_PAIRS_OF_DRAWS
            )
            if reason:
                parts.append(table)
            elif method == "henseler":
                one_sided = order_probability(samples[first], samples[second])
                least = 1.0 / (1.0 + min(len(samples[first]), len(samples[second])))
                two_sided = 2.0 * np.minimum(one_sided, 1.0 - one_sided)
                table["p"] = np.where(np.isnan(one_sided), np.nan, np.clip(two_sided, least, 1.0))
                table.insert(len(table.columns) - 1, "p_one_sided", one_sided)
                parts.append(table)
            else:
                spreads = (spread_of(samples[first]), spread_of(samples[second]))
                n = (float(boots[first].fit.n), float(boots[second].fit.n))
                se, df = BY_T[method](*spreads, *n)
                tested = infer(
                    labels, table["estimate"].to_numpy(), StandardErrors(se, df), self.level
                )
                columns = ["se", "df", "lower", "upper", "p", "reason"]
                table[columns] = tested[columns].to_numpy()
                parts.append(table.astype(dict.fromkeys(columns[:-1], np.float64)))
        return self._together(parts), findings

    def _omnibus_of_draws(
        self, boots: dict[int, Bootstrap], findings: list[Finding]
    ) -> tuple[pd.DataFrame, list[Finding]]:
        labels = self.quantity.labels(self.sample.model)
        reason = without_solution(self.sample) or _few_draws(boots.values())
        if reason:
            none = np.full(len(labels), np.nan)
            return self._omnibus(labels, none, np.full((0, len(labels)), np.nan), reason), findings
        parts = [boot.values(self.quantity) for boot in boots.values()]
        draws = np.concatenate(parts)
        codes = np.repeat(np.arange(len(parts)), [len(own) for own in parts])
        if not isinstance(self.permutations, int):
            exchanged = _labels_of_draws(self.permutations, codes)
        else:
            tiled = np.tile(codes, (self.permutations, 1))
            exchanged = np.random.default_rng(self.seed).permuted(tiled, axis=1)
        statistic = variance_ratio(draws, codes[None], len(parts))[0]
        permuted = variance_ratio(draws, exchanged, len(parts))
        values = {"draws": min(map(len, parts))}
        findings.append(Finding("draws-as-observations", _REJECTS, values=values))
        return self._omnibus(labels, statistic, permuted, ""), findings

    def _linearized(self) -> tuple[pd.DataFrame, list[Finding]]:
        """Return differences with the errors of the sampling design."""
        errors = linearize(self.fits)
        parts = []
        for first, second in self.pairs:
            a, b = self.sample.labels[first], self.sample.labels[second]
            name = self.quantity.name
            table = errors.difference((name, a), (name, b), level=self.level)
            estimates = [self.quantity.values(self.fits[own].solution) for own in (a, b)]
            table = table.reset_index(drop=True)
            table.insert(0, "first", estimates[0])
            table.insert(1, "second", estimates[1])
            parts.append(table)
        return self._together(parts), list(errors.findings)

    def _together(self, parts: list[pd.DataFrame]) -> pd.DataFrame:
        """Put the tables of pairs under each other, and correct p-values for their number."""
        table = _corrected(pd.concat(parts, ignore_index=True))
        labels = self.quantity.labels(self.sample.model)
        if len(parts) == 1:
            return table.set_axis(labels)
        names = self.sample.labels
        rows: list[tuple[Hashable, ...]] = [
            (names[a], names[b], *(own if isinstance(own, tuple) else (own,)))
            for a, b in self.pairs
            for own in labels
        ]
        return table.set_axis(
            pd.MultiIndex.from_tuples(rows, names=["group", "other", *labels.names])
        )


def _few_draws(boots: Iterable[Bootstrap]) -> str:
    """Return why draws of groups test nothing; empty where they do."""
    told = [finding for boot in boots for finding in boot.findings]
    unusable = any(own.code == "lost-draws" and own.severity == "failure" for own in told)
    return FEW_DRAWS if unusable else ""


def _without_error(first: Floats, second: Floats, reason: str) -> pd.DataFrame:
    """Return the table of differences without an error."""
    columns = {"first": first, "second": second, "estimate": first - second}
    none = dict.fromkeys(("se", "df", "lower", "upper", "p"), np.nan)
    return pd.DataFrame(columns).assign(**none).assign(reason=reason)


def _corrected(table: pd.DataFrame) -> pd.DataFrame:
    """Add p-values corrected for the number of tests."""
    p, place = table["p"].to_numpy(), list(table).index("p") + 1
    table.insert(place, "p_holm", adjusted_pvalues(p, "holm"))
    table.insert(place + 1, "p_bh", adjusted_pvalues(p, "bh"))
    return table


def _labels_of_draws(given: object, codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the group of each draw in permutations that somebody made."""
    labels = np.atleast_2d(np.asarray(given))
    known = np.unique(labels)
    whole = labels.ndim == 2 and labels.shape[1] == len(codes)
    if not whole or len(labels) < LEAST_PERMUTATIONS or len(known) != codes.max() + 1:
        raise OptionError(
            f"permutations= holds an array of shape {labels.shape}; give at least "
            f"{LEAST_PERMUTATIONS} rows with the group of each of the {len(codes)} draws."
        )
    return np.asarray(np.searchsorted(known, labels), dtype=np.intp)
