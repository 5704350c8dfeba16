"""How many respondents a wanted precision takes, by formula and by simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked, checked_in
from csimodel.errors import OptionError
from csimodel.findings import text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.options import generator_of, number_of, require_count, require_level, shown
from csimodel.page import HasPage, Page, Section
from csimodel.significance import t_quantile
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Target = Literal["index", "difference", "slope"]
Allocation = Literal["proportional", "neyman", "equal"]

_MOST = 10_000_000


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class SamplePlan(HasPage):
    """A plan of a sample. Made by `csi.sample_plan`.

    Attributes
    ----------
    target
        What the precision is of.
    half_width
        Wanted, of the interval.
    strata
        Names.
    share
        Of the population in each stratum, (strata,).
    population
        Of each stratum, (strata,); infinite where unknown.
    sd
        Standard deviation of the index in each stratum, (strata,).
    outcome_sd
        Standard deviation of the outcome about its line, for a slope.
    n
        Respondents to interview, (strata,).
    cluster_size, icc
        Respondents of a cluster, and how alike they are.
    response_rate, cost
        Share of the invited who answer, and money of an interview.
    level
        Coverage.
    """

    target: Target
    half_width: float
    strata: tuple[str, ...]
    share: Floats
    population: Floats
    sd: Floats
    outcome_sd: float
    n: NDArray[np.intp]
    cluster_size: int
    icc: float
    response_rate: float
    cost: float
    level: float

    @property
    def total(self) -> int:
        """Respondents to interview, in each of the two groups of a difference."""
        return int(self.n.sum())

    @property
    def design_effect(self) -> float:
        """What clusters multiply the variance by, ``1 + (m - 1) ρ``."""
        return 1 + (self.cluster_size - 1) * self.icc

    @cached_property
    def table(self) -> pd.DataFrame:
        """By stratum: share of the population, sd, n, invited (n by the response rate), cost."""
        invited = np.ceil(self.n / self.response_rate - 1e-9)
        return pd.DataFrame(
            {
                "share": self.share,
                "sd": self.sd,
                "n": self.n,
                "invited": invited.astype(np.intp),
                "cost": self.n * self.cost,
            },
            index=pd.Index(self.strata, name="stratum"),
        )

    @property
    def expected_half_width(self) -> float:
        """The half-width that the formula gives for these numbers."""
        return _half_width(self, self.n.astype(np.float64))

    def simulate(self, samples: int = 400, rng: int | np.random.Generator | None = 0) -> pd.Series:
        """Draw samples of this plan from a normal population, and estimate from each.

        Returns
        -------
        Series
            ``half_width`` (mean over samples), ``coverage`` of the true value, and ``n``: how many
            respondents in all the simulated half-widths ask for.

        Raises
        ------
        OptionError
            For fewer than 2 samples.
        """
        require_count("samples", samples, " samples", least=2, most=1_000_000)
        generator = generator_of(rng)
        widths, covered = np.empty(samples), np.empty(samples, dtype=np.bool_)
        for k in range(samples):
            widths[k], covered[k] = _sample(self, generator)
        mean = float(widths.mean())
        wanted = self.total * (mean / self.half_width) ** 2
        return pd.Series({"half_width": mean, "coverage": covered.mean(), "n": wanted})

    @property
    def page(self) -> Page:
        """The plan on a page."""
        what = {
            "index": text("the index"),
            "difference": text("the difference of two groups"),
            "slope": text("the slope of the outcome on the index"),
        }[self.target]
        invited = int(self.table["invited"].sum())
        return Page(
            text("Sample plan"),
            text(
                "{total:,} respondents for an interval of ±{half_width:g} for {what}.",
                total=self.total,
                half_width=self.half_width,
                what=what,
            ),
            (
                text(
                    "level {level:.0%}; {invited:,} to invite at a response rate of "
                    "{response_rate:.0%}",
                    level=self.level,
                    invited=invited,
                    response_rate=self.response_rate,
                ),
                text(
                    "design effect of clusters {design_effect:.2f}; expected half-width "
                    "{expected_half_width:.3g}",
                    design_effect=self.design_effect,
                    expected_half_width=self.expected_half_width,
                ),
                text("cost {cost:,.0f}", cost=self.table["cost"].sum()),
            ),
            sections=(Section(text("Strata"), self.table, decimals=2),),
        )


@own_errstate
@checked
def sample_plan(
    half_width: float,
    sd: float | Mapping[str, float] = 20.0,
    *,
    target: Target = "index",
    strata: Mapping[str, float] | None = None,
    allocation: Allocation = "proportional",
    each: bool = False,
    outcome_sd: float = 0.4,
    cluster_size: int = 1,
    icc: float = 0.0,
    response_rate: float = 1.0,
    cost: float = 0.0,
    population: float | None = None,
    level: float = 0.95,
) -> SamplePlan:
    """Plan how many respondents an interval of the wanted half-width takes.

    ``h = t √(D Σ W² s²/n (1 - n/N))`` over strata of share W, D the design effect
    ``1 + (m - 1) ρ`` of clusters of m; twice the variance for the difference of two groups of this
    size each; for a slope ``t s_y √D/(s √n)``. Degrees of freedom are clusters less strata.

    Parameters
    ----------
    half_width
        Wanted: points of the index, or of the slope per point.
    sd
        Standard deviation of the index between respondents, in points; one, or by stratum.
    target
        ``"index"``, ``"difference"`` or ``"slope"`` (without strata).
    strata
        How many the population has, by stratum (firms, regions).
    allocation
        ``"proportional"`` to the population, ``"neyman"`` (to size times sd, the least respondents
        in all), ``"equal"``.
    each
        Whether every stratum is to have the half-width, as firms that are published each.
    outcome_sd
        Standard deviation of the outcome about the line, for a slope; at most .5 of a yes or no.
    cluster_size, icc
        Respondents interviewed in a cluster, and their intraclass correlation.
    response_rate
        Share of the invited who answer.
    cost
        Money of an interview.
    population
        Size, where there are no strata; infinite by default.
    level
        Coverage.

    Raises
    ------
    OptionError
        For values that cannot be, or where not even all of the population would do.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, chapters 4 and 5. Wiley.

    Examples
    --------
    >>> plan = sample_plan(2.0, sd=20)
    >>> plan.total, round(plan.expected_half_width, 3)
    (387, 1.999)
    """
    require_level(level)
    _positive("half_width", half_width)
    _positive("outcome_sd", outcome_sd)
    require_count("cluster_size", cluster_size, " respondent")
    if not 0 <= icc <= 1:
        raise OptionError(f"icc={shown(icc)} must lie between 0 and 1.")
    if not 0 < response_rate <= 1:
        raise OptionError(f"response_rate={shown(response_rate)} must be above 0 and at most 1.")
    if cost < 0:
        raise OptionError(f"cost={shown(cost)} must not be negative.")
    names, sizes = _sizes(strata, population)
    if target == "slope" and len(names) > 1:
        raise OptionError("target='slope' is planned without strata; leave strata= out.")
    spread = _spreads(sd, names)
    known = np.isfinite(sizes).all()
    share = sizes / sizes.sum() if known else np.full(len(names), 1 / len(names))
    empty = np.zeros(len(names), dtype=np.intp)
    plan = SamplePlan(
        target, float(half_width), names, share, sizes, spread, float(outcome_sd), empty,
        int(cluster_size), float(icc), float(response_rate), float(cost), level,
    )  # fmt: skip
    if each:
        alone = [_single(plan, k) for k in range(len(names))]
        return _with_n(plan, np.array([_smallest(own, np.ones(1))[0] for own in alone]))
    weight = {"proportional": share, "neyman": share * spread, "equal": np.ones(len(names))}
    own = weight[allocation]
    return _with_n(plan, _smallest(plan, own / own.sum()))


def _with_n(plan: SamplePlan, n: NDArray[np.intp]) -> SamplePlan:
    return replace(plan, n=n)


def _single(plan: SamplePlan, stratum: int) -> SamplePlan:
    """Return the plan of one stratum alone."""
    part = slice(stratum, stratum + 1)
    return replace(
        plan,
        strata=plan.strata[part],
        share=np.ones(1),
        population=plan.population[part],
        sd=plan.sd[part],
        n=plan.n[part],
    )


def _smallest(plan: SamplePlan, allocation: Floats) -> NDArray[np.intp]:
    """Return the smallest numbers by stratum, whole clusters, that reach the half-width."""

    def numbers(total: float) -> Floats:
        n = np.maximum(np.ceil(total * allocation - 1e-9), 2 * plan.cluster_size)
        n = np.ceil(n / plan.cluster_size) * plan.cluster_size
        return np.minimum(n, plan.population)

    low, high = 1, 2
    while _half_width(plan, numbers(high)) > plan.half_width:
        low, high = high, 2 * high
        if high > 2 * _MOST or (numbers(high) >= plan.population).all():
            break
    if _half_width(plan, numbers(high)) > plan.half_width * (1 + 1e-12):
        raise OptionError(
            f"half_width={plan.half_width:g} takes more respondents than there are (or than "
            f"{_MOST:,}); give a wider one."
        )
    while high - low > 1:
        middle = (low + high) // 2
        if _half_width(plan, numbers(middle)) > plan.half_width:
            low = middle
        else:
            high = middle
    return np.asarray(numbers(high), dtype=np.intp)


def _half_width(plan: SamplePlan, n: Floats) -> float:
    clusters = n / plan.cluster_size
    df = max(float(clusters.sum()) - len(n), 1.0)
    left = np.maximum(1 - n / plan.population, 0.0)
    if plan.target == "slope":
        df = max(df - 1, 1.0)
        variance = (plan.outcome_sd / plan.sd[0]) ** 2 / n[0] * left[0]
    else:
        variance = (plan.share**2 * plan.sd**2 / n * left).sum()
        if plan.target == "difference":
            variance, df = 2 * variance, 2 * df
    t = float(t_quantile(0.5 + plan.level / 2, df))
    return float(t * np.sqrt(plan.design_effect * variance))


def _sample(plan: SamplePlan, rng: np.random.Generator) -> tuple[float, bool]:
    """Return the half-width of one sample, and whether its interval holds the true value."""
    groups = 2 if plan.target == "difference" else 1
    estimates, variances, df = [], [], 0
    for _ in range(groups):
        stratum = np.repeat(np.arange(len(plan.n)), plan.n)
        cluster = np.concatenate(
            [
                np.arange(count) // plan.cluster_size + start
                for count, start in zip(plan.n, np.cumsum([0, *plan.n[:-1]]), strict=True)
            ]
        )
        _, cluster = np.unique(cluster, return_inverse=True)
        weights = (plan.share / plan.n)[stratum]
        shared = rng.standard_normal(cluster.max() + 1)[cluster]
        own = rng.standard_normal(len(cluster))
        noise = np.sqrt(plan.icc) * shared + np.sqrt(1 - plan.icc) * own
        clusters = plan.population / plan.cluster_size
        design = SurveyDesign.of(
            len(cluster), stratum, cluster, None,
            population=clusters[stratum] if np.isfinite(clusters).all() else None,
        )  # fmt: skip
        if plan.target == "slope":
            x = plan.sd[0] * rng.standard_normal(len(own))
            y = plan.outcome_sd * noise
            apart = x - x.mean()
            slope = (apart @ y) / (apart @ apart)
            influence = apart * (y - y.mean() - slope * apart) / (apart @ apart)
            estimates.append(slope)
        else:
            y = plan.sd[stratum] * noise
            means = np.bincount(stratum, weights * y) / np.bincount(stratum, weights)
            influence = weights * (y - means[stratum])
            estimates.append(float(weights @ y))
        totals = design.totals(influence[:, None])
        variances.append(float(design.variance(totals)[0]))
        df += design.df - (plan.target == "slope")
    half = float(t_quantile(0.5 + plan.level / 2, df)) * np.sqrt(sum(variances))
    estimate = estimates[0] - (estimates[1] if groups == 2 else 0.0)
    return float(half), bool(abs(estimate) <= half)


def _positive(option: str, value: float) -> None:
    if value <= 0:
        raise OptionError(f"{option}={shown(value)} must be above 0.")


def _sizes(
    strata: Mapping[str, float] | None, population: float | None
) -> tuple[tuple[str, ...], Floats]:
    if strata is None:
        if population is not None:
            _positive("population", population)
        return ("all",), np.array([np.inf if population is None else float(population)])
    if population is not None:
        raise OptionError("population= is for a plan without strata; strata= has their sizes.")
    if not strata:
        raise OptionError("strata={} names no stratum; give their sizes, as in {'north': 5000}.")
    for name, size in strata.items():
        _positive(f"strata[{name!r}]", size)
    return tuple(strata), np.array([float(size) for size in strata.values()])


def _spreads(sd: float | Mapping[str, float], names: tuple[str, ...]) -> Floats:
    if isinstance(sd, Mapping):
        absent = [name for name in names if name not in sd]
        if absent:
            raise OptionError(f"sd= has no entry for the stratum {absent[0]!r}; give all of them.")
        values = [number_of(sd[name]) for name in names]
    else:
        values = [number_of(sd)] * len(names)
    if not all(value is not None and 0 < value < np.inf for value in values):
        raise OptionError(f"sd={shown(sd)} must be above 0.")
    return np.array(values, dtype=np.float64)
