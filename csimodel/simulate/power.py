"""How often a study of a given size would find what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from csimodel.arguments import checked
from csimodel.endings import told_reasons
from csimodel.errors import OptionError
from csimodel.estimators import Estimator
from csimodel.findings import Finding, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.draws import about_lost
from csimodel.options import require_count, require_level, seed_of
from csimodel.page import HasPage, Page, sections
from csimodel.simulate.population import Population, Seed
from csimodel.simulate.replicate import Replications, replicate


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Power(HasPage):
    """What samples of several sizes show of a quantity. Made by `power`.

    Attributes
    ----------
    truth, estimator
        Where the samples come from, and what was fitted to them.
    replications
        Estimates and intervals of every sample, by sample size.
    """

    truth: Population
    estimator: Estimator
    replications: dict[int, Replications]

    @cached_property
    def table(self) -> pd.DataFrame:
        """Return power, coverage, bias and errors, rows (n, entry); columns as `Replications`."""
        return pd.concat({n: own.table for n, own in self.replications.items()}, names=["n"])

    @property
    def failed(self) -> pd.Series:
        """Number of samples without a solution, by sample size and reason."""
        counts = {n: own.failed for n, own in self.replications.items()}
        joined: pd.Series = pd.concat(counts, names=["n", "reason"])
        return joined.astype("int64")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know, in plain words; empty when every sample had a solution."""
        findings: list[Finding] = []
        for n, own in self.replications.items():
            lost, samples = int(own.failed.sum()), len(own.reasons)
            reasons = told_reasons(own.failed)
            finding = Finding(
                "lost-samples",
                "{count} of {samples} samples of {n} {count:has|have} no solution "
                "({reasons:20}); the shares are of the others, and a study of this size may fail "
                "altogether.",
                values={"count": lost, "samples": samples, "n": n, "reasons": reasons},
            )
            findings += about_lost(finding, lost, samples)
        return tuple(findings)

    @property
    def page(self) -> Page:
        """Power, coverage, bias and errors on a page."""
        sizes = ", ".join(map(str, self.replications))
        draws = len(next(iter(self.replications.values())).reasons)
        return Page(
            text(
                "Power by {label}, {draws} samples each of n = {sizes}",
                label=self.estimator.label,
                draws=draws,
                sizes=sizes,
            ),
            findings=self.findings,
            sections=sections({text("Power by sample size"): self.table}, 3),
            clean=text("No findings: every sample had a solution."),
        )


@own_errstate
@checked
def power(
    truth: Population,
    n: int | Sequence[int],
    estimator: Estimator,
    draws: int = 1_000,
    rng: Seed = 0,
    *,
    quantity: str = "paths",
    level: float = 0.95,
    resamples: int = 500,
    interval: str = "auto",
    progress: bool = True,
) -> Power:
    """Simulate studies of given sizes: how often each path is found, and how well.

    Covariance structures are fitted to all samples as a batch (with empty cells one by one), and
    an interval is the standardised estimate with its delta-method error, by t with the respondents
    (or firms) less one as degrees of freedom. For PLS every sample is
    resampled, which takes some hundred times as long.

    Parameters
    ----------
    truth
        From `population`.
    n
        Sample size or sizes.
    estimator
        `ML`, `LeastSquares` or `PLS` with its settings.
    draws
        Number of samples of each size.
    rng
        An integer seed or a NumPy generator; None for different draws each time.
    quantity
        ``"paths"`` (default) or ``"loadings"``; for PLS whatever a bootstrap has a table of, such
        as ``"total_effects"`` or ``"index"``.
    level
        Coverage the intervals claim.
    resamples, interval
        For PLS: bootstrap draws in every sample, and kind of interval as in `Bootstrap.table`.
    progress
        Show a bar of the samples when that takes longer than a second.

    Returns
    -------
    Power
        ``.table`` has, for each size and entry, power (share of intervals that exclude 0),
        coverage of the truth, bias, spread and mean standard error. Samples without a solution are
        counted in ``.failed`` and left out.

    Raises
    ------
    OptionError
        For numbers out of range, or a population the estimator's errors are not made for.

    References
    ----------
    Muthén, L. K., Muthén, B. O. (2002). How to use a Monte Carlo study to decide on sample size
    and determine power. Structural Equation Modeling 9, 599-620.
    https://doi.org/10.1207/S15328007SEM0904_8

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax('''
    ...     Quality =~ q1 + q2 + q3
    ...     Loyalty =~ l1 + l2 + l3
    ...     Loyalty ~ Quality
    ... ''')
    >>> truth = csi.simulate.population(model, paths=0.3, loadings=0.8)
    >>> study = csi.simulate.power(truth, n=[50, 200], estimator=csi.ML(), draws=200)
    >>> study.table["power"].round(1).tolist()
    [0.4, 1.0]
    """
    several = list(n) if isinstance(n, list | tuple | range | np.ndarray) else [n]
    if not several:
        raise OptionError("n=[] holds no sample size; give at least one, such as n=[200, 400].")
    sizes = [require_count("n", size, " respondent") for size in several]
    require_count("draws", draws, ", and some hundreds for shares")
    require_count("resamples", resamples, ", and some hundreds for intervals")
    require_level(level)
    seed = seed_of(rng)
    replications = {
        size: replicate(
            truth,
            size,
            draws,
            estimator,
            seed,
            quantities=[quantity],
            level=level,
            resamples=resamples,
            interval=interval,
            progress=progress,
        )[quantity]
        for size in sizes
    }
    return Power(truth, estimator, replications)
