"""The drop of repurchase one step below the top of satisfaction, by market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError
from csimodel.findings import Finding, listed, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.formatting import label, told_p
from csimodel.inference.pairs import corrected_pairs, pairs_of
from csimodel.options import number_of, require_count, require_level, shown
from csimodel.outcomes.kernels.group_means import GroupMeans, group_means
from csimodel.outcomes.kernels.wald import table_of_tests, wald
from csimodel.outcomes.rows.arguments import Column
from csimodel.outcomes.rows.rows import Rows
from csimodel.outcomes.rows.ties import settled
from csimodel.page import HasHeadline, Page, sections
from csimodel.survey import Survey
from csimodel.survey.checks import labels_of
from csimodel.translation import message

Floats = NDArray[np.float64]

_TOGETHER = 2**22  # weights of groups in differences handled at once


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class TopDrop(HasHeadline):
    """What one step below the top costs in repurchase. Made by `repurchase_top_drop`.

    Attributes
    ----------
    table
        Rows segments (or ``"all"``); columns n_top, n_next, top, next (means of repurchase), drop
        (top less next), se, df, lower, upper, p (two-sided), reason (why there is no error).
    tests
        Wald test that the drop is the same in all segments (row ``"equal drops"``): statistic,
        distribution, p; no row for one segment.
    pairwise
        Differences of drops between every two segments: difference, se, df, lower, upper, p,
        reason, p_holm.
    level
        Coverage of t intervals.
    told
        What top and next are, in words.
    findings
        What a reader must know.
    """

    table: pd.DataFrame
    tests: pd.DataFrame
    pairwise: pd.DataFrame
    level: float
    told: str
    findings: tuple[Finding, ...]

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        drop = self.table["drop"]
        if len(drop) == 1:
            row = self.table.iloc[0]
            return text(
                "The {told} is {drop:.3g} ({level:g} % interval {lower:.3g} to {upper:.3g}).",
                told=self.told,
                drop=row["drop"],
                level=100 * self.level,
                lower=row["lower"],
                upper=row["upper"],
            )
        known = drop.dropna()
        if known.empty:
            return text(
                "The {told} is not known in any of the {count} segments.",
                told=self.told,
                count=len(drop),
            )
        p = float(self.tests["p"].iloc[0])
        return text(
            "The {told} differs between the {count} segments ({p}): from {least:.3g} ({least_in}) "
            "to {most:.3g} ({most_in})."
            if p < 1.0 - self.level
            else "The {told} is not shown to differ between the {count} segments ({p}): from "
            "{least:.3g} ({least_in}) to {most:.3g} ({most_in}).",
            told=self.told,
            count=len(drop),
            p=told_p(p),
            least=known.min(),
            least_in=label(known.idxmin()),
            most=known.max(),
            most_in=label(known.idxmax()),
        )

    @property
    def page(self) -> Page:
        """The result on a page."""
        tables = {text("Top and next"): self.table}
        if len(self.table) > 1:
            tables |= {
                text("Do the drops differ?"): self.tests,
                text("Differences of drops"): self.pairwise,
            }
        return Page(
            text("One step below the top"),
            self.headline,
            findings=self.findings,
            sections=sections(tables),
        )


@own_errstate
@checked
def repurchase_top_drop(
    data: Survey | pd.DataFrame,
    *,
    satisfaction: Column,
    repurchase: Column,
    by: Column | None = None,
    top: tuple[float, float] | None = None,
    below: tuple[float, float] | None = None,
    weights: Column | None = None,
    cluster: Column | None = None,
    fewest: int = 30,
    level: float = 0.95,
) -> TopDrop:
    """Return how much less those buy again who are not quite completely satisfied.

    Parameters
    ----------
    data
        A survey or a data frame.
    satisfaction
        A satisfaction answer, or an index (then give `top` and `below`).
    repurchase
        How likely the customer is to buy again, in its own units, or 0 and 1.
    by
        Column (or values) of markets; all together without it.
    top, below
        Lowest and highest answer of the top category and of the one below it; by default the
        highest answer met and the next.
    weights, cluster
        Columns (or values); the survey's own by default.
    fewest
        Segments with fewer respondents in either category are left out, named and counted.
    level
        Coverage.

    Returns
    -------
    TopDrop

    Raises
    ------
    SurveyError
        When a column is not there, or no segment is large enough.
    OptionError
        When the categories overlap.

    References
    ----------
    Jones, T. O., Sasser, W. E. (1995). Why satisfied customers defect. Harvard Business Review
    73(6), 88-99.

    Examples
    --------
    >>> frame = pd.DataFrame({"happy": [5, 4] * 40, "again": [1, 1, 1, 0] * 20})
    >>> repurchase_top_drop(frame, satisfaction="happy", repurchase="again").table["drop"].tolist()
    [0.5]
    """
    require_level(level)
    require_count("fewest", fewest, "")
    rows = Rows.of(data, "repurchase_top_drop", weights=weights, cluster=cluster)
    rows.require_clusters()
    name, happy = rows.numbers(satisfaction, "Satisfaction")
    happy = settled(happy)
    label, y = rows.numbers(repurchase, "Repurchase")
    answered = rows.usable & np.isfinite(happy) & np.isfinite(y)
    high, low = _categories(name, happy[answered], top, below)
    happy = settled(happy, (*high, *low))
    codes, names, findings = _segments(rows, by, answered)
    parts = _respondents(np.where(answered, codes, -1), happy, high, low, len(names))
    counts = np.array([len(part) for part in parts]).reshape(-1, 2)
    large = np.asarray((counts >= fewest).all(axis=1))
    findings += [*rows.design_findings, *_small(names, counts, large, fewest)]
    kept = np.flatnonzero(large)
    members = [parts[2 * g + k] for g in kept for k in (0, 1)]
    means = group_means(np.nan_to_num(y), members, rows.weights, rows.design)
    labels = [names[g] for g in kept]
    steps: Floats = np.kron(np.eye(len(kept)), np.array([1.0, -1.0]))
    tests, more = _equal(means, steps)
    told = message(
        "drop of {label} from {name} {high} to {low}",
        label=label,
        name=name,
        high=_range(high),
        low=_range(low),
    )
    table = _table(means, steps, labels, level)
    pairs = _pairs(means, steps, labels, level)
    return TopDrop(table, tests, pairs, level, told, (*findings, *more))


def _range_of(option: str, ends: object) -> tuple[float, float]:
    """Return the lowest and the highest of some answers."""
    numbers = [number_of(end) for end in ends] if isinstance(ends, list | tuple) else []
    known = [number for number in numbers if number is not None]
    if len(known) != 2 or len(numbers) != 2:
        raise OptionError(
            f"{option}={shown(ends)} must be the lowest and the highest of some answers, such as "
            "(9, 10)."
        )
    return known[0], known[1]


def _categories(
    name: str,
    seen: Floats,
    top: tuple[float, float] | None,
    below: tuple[float, float] | None,
) -> tuple[tuple[float, float], tuple[float, float]]:
    met = np.unique(seen)
    if len(met) < 2:
        raise SurveyError(
            f"Satisfaction {name!r} has {len(met)} different answers where repurchase is known, "
            "and 2 are needed."
        )
    high = (float(met[-1]), float(met[-1])) if top is None else _range_of("top", top)
    under = met[met < high[0]]
    if below is None and not len(under):
        raise OptionError(f"top={top!r} leaves no answer of {name!r} below it; take a higher one.")
    low = (float(under[-1]), float(under[-1])) if below is None else _range_of("below", below)
    if not (high[0] <= high[1] and low[0] <= low[1] and low[1] < high[0]):
        raise OptionError(
            f"top=({high[0]:g}, {high[1]:g}) and below=({low[0]:g}, {low[1]:g}) must be rising "
            "pairs, below under top; write for example top=(10, 10), below=(8, 9)."
        )
    return high, low


def _respondents(
    codes: NDArray[np.intp],
    answers: Floats,
    high: tuple[float, float],
    low: tuple[float, float],
    segments: int,
) -> list[NDArray[np.intp]]:
    """Return who is at the top and who below it in each segment, rising, by one sorting."""
    category = np.full(len(codes), -1)
    for number, (least, most) in enumerate((high, low)):
        category[(answers >= least) & (answers <= most)] = number
    place = np.where((codes >= 0) & (category >= 0), 2 * codes + category, 2 * segments)
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=2 * segments + 1))
    return np.split(order, ends[:-1])[:-1]


def _segments(
    rows: Rows, by: Column | None, answered: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], list[str], list[Finding]]:
    if by is None:
        return np.zeros(len(rows), dtype=np.intp), ["all"], []
    labels = rows.column(by, "by")[1]
    codes, names = labels_of(labels, "by")
    without = int((answered & (codes < 0)).sum())
    findings = []
    if without:
        message = "{count} of {total} respondents {count:belongs|belong} to no segment."
        findings.append(
            Finding(
                "no-segment",
                message,
                (),
                "note",
                without,
                values={"count": without, "total": int(answered.sum())},
            )
        )
    return np.asarray(codes, dtype=np.intp), [str(name) for name in names], findings


def _small(
    names: list[str], counts: NDArray[np.intp], large: NDArray[np.bool_], fewest: int
) -> list[Finding]:
    few = [(name, pair) for name, pair, ok in zip(names, counts, large, strict=True) if not ok]
    if not large.any():
        told = (f"{name} ({pair[0]} at the top, {pair[1]} below)" for name, pair in few)
        raise SurveyError(
            f"No segment has {fewest} respondents both at the top and one step below: "
            f"{listed(told)}; lower fewest= or widen top= and below=."
        )
    if not few:
        return []
    message = (
        "{count} of {total} segments with fewer than {fewest} respondents at the top or one step "
        "below {count:was|were} left out (top/below): {segments}."
    )
    small = tuple(name for name, _ in few)
    return [
        Finding(
            "small-segments",
            message,
            small,
            "warning",
            int(counts[~large].sum()),
            values={
                "count": len(few),
                "total": len(names),
                "fewest": fewest,
                "segments": tuple(f"{name} ({pair[0]}/{pair[1]})" for name, pair in few),
            },
        )
    ]


def _table(means: GroupMeans, steps: Floats, labels: list[str], level: float) -> pd.DataFrame:
    drops = means.contrasts(steps, labels, level).rename(columns={"estimate": "drop"})
    parts = {
        "n_top": means.n[::2],
        "n_next": means.n[1::2],
        "top": means.mean[::2],
        "next": means.mean[1::2],
    }
    return pd.concat([pd.DataFrame(parts, index=drops.index), drops], axis=1).rename_axis("segment")


def _pairs(means: GroupMeans, steps: Floats, labels: list[str], level: float) -> pd.DataFrame:
    first, second = pairs_of(len(labels), "segments")
    together = max(1, _TOGETHER // steps.shape[1])
    blocks = np.split(np.arange(len(first)), np.arange(together, len(first), together))
    table = pd.concat(
        [
            means.contrasts(steps[first[own]] - steps[second[own]], list(map(str, own)), level)
            for own in blocks
        ]
    )
    return corrected_pairs(table.rename(columns={"estimate": "difference"}), tuple(labels))


def _equal(means: GroupMeans, steps: Floats) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the Wald test that all drops are the same."""
    if len(steps) < 2:
        return table_of_tests({}), []
    matrix = steps[1:] - steps[0]
    covariance = matrix @ means.covariance @ matrix.T
    test = wald(matrix @ means.mean, covariance, means.joint_df(matrix), design=True)
    message = (
        "There are too few clusters, or too little variation, to test whether the drop differs "
        "between segments."
    )
    more = [] if np.isfinite(test["statistic"]) else [Finding("no-test", message)]
    return table_of_tests({"equal drops": test}), more


def _range(ends: tuple[float, float]) -> str:
    if ends[0] == ends[1]:
        return f"{ends[0]:g}"
    return message("{lower:g} to {upper:g}", lower=ends[0], upper=ends[1])
