"""What a reader must know about customers within firms, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from csimodel.findings import Finding
from csimodel.outcomes.models.clusters import FEW_CLUSTERS, few_clusters
from csimodel.outcomes.models.mixed.result import RepurchaseMixed

_CONSTANTS_ALIKE = (
    "The constants of the groups of {by!r} vary less than can be told from chance (their variance "
    "is 0); a simpler model says the same."
)
_SLOPES_ALIKE = (
    "The constants and slopes of the groups of {by!r} vary less than can be told from chance (a "
    "variance of 0, or a correlation of 1); a simpler model says the same."
)
_NEGATIVE = {
    ("within",): (
        "A higher index of {index!r} goes with less {outcome!r} within groups; check whether the "
        "outcome counts the other way round."
    ),
    ("between",): (
        "A higher index of {index!r} goes with less {outcome!r} between groups; check whether the "
        "outcome counts the other way round."
    ),
    ("within", "between"): (
        "A higher index of {index!r} goes with less {outcome!r} within and between groups; check "
        "whether the outcome counts the other way round."
    ),
}
_UNRELIABLE = (
    "The mean index of a group of {by!r} has a reliability of {reliability:.2f} as a measure of "
    "the group's true mean, which draws the slope between groups toward the slope within."
)
_UNRELIABLE_WITH_SLOPE = (
    "The mean index of a group of {by!r} has a reliability of {reliability:.2f} as a measure of "
    "the group's true mean, which draws the slope between groups toward the slope within; without "
    "it the slope between would be about {slope:.4f}."
)


def about(result: RepurchaseMixed) -> Iterator[Finding]:
    """Say what solution, firms, predictions, direction and firms' means are like."""
    customers, regression = result.customers, result.regression
    if not regression.converged:
        yield Finding(
            "not-converged",
            "The {model} model has no solution that could be found, so do not use "
            "these numbers; try model='random-intercept' or fewer controls.",
            severity="failure",
            values={"model": result.model},
        )
    if result.errors == "cluster":
        yield from few_clusters(customers.firms, result.errors)
    elif customers.firms < FEW_CLUSTERS:
        yield Finding(
            "few-clusters",
            "There are only {clusters} groups of {by!r}; limits by t allow for it, and are wide.",
            severity="note",
            count=customers.firms,
            values={"clusters": customers.firms, "by": result.by},
        )
    alone = int((customers.size == 1).sum())
    if alone:
        yield Finding(
            "single-customers",
            "{count} of {firms} groups of {by!r} {count:has|have} one customer, who says nothing "
            "about the slope within groups.",
            severity="note",
            count=alone,
            values={"count": alone, "firms": customers.firms, "by": result.by},
        )
    if regression.firm_covariance is not None:
        values = np.linalg.eigvalsh(regression.firm_covariance / regression.residual)
        if values[0] < 1e-6:
            yield Finding(
                "no-firm-variance",
                _CONSTANTS_ALIKE if len(values) == 1 else _SLOPES_ALIKE,
                (result.by,),
                "note" if len(values) == 1 else "warning",
                values={"by": result.by},
            )
    if not result.family.bounded:
        eta = customers.design @ regression.coefficients
        outside = int(((eta < 0) | (eta > 1)).sum())
        if outside:
            yield Finding(
                "probability-outside-0-1",
                "The straight line predicts less than 0 or more than 1 for {count} of "
                "{n} customers; model='population-averaged' with link='logit' keeps to 0 "
                "to 1.",
                severity="note" if outside <= 0.1 * customers.n else "warning",
                count=outside,
                values={"count": outside, "n": customers.n},
            )
    negative = tuple(
        name for name, b in zip(("within", "between"), regression.coefficients[1:], strict=False)
        if b < 0
    )  # fmt: skip
    if negative:
        yield Finding(
            "negative-slope",
            _NEGATIVE[negative],
            (result.index, result.outcome),
            values={"index": result.index, "outcome": result.outcome, "slopes": negative},
        )
    yield from _reliability(result)


def _reliability(result: RepurchaseMixed) -> Iterator[Finding]:
    """Say when firms' means are so unsure that their slope is drawn toward the one within.

    References
    ----------
    Lüdtke, O., Marsh, H. W., Robitzsch, A., Trautwein, U., Asparouhov, T., Muthén, B. (2008). The
    multilevel latent covariate model. Psychological Methods 13, 203-229.
    https://doi.org/10.1037/a0012869
    """
    reliability, _ = result.customers.reliability()
    if reliability >= 0.9:
        return
    within, between = (float(b) for b in result.regression.coefficients[1:3])
    told = reliability >= 0.3 and not result.family.bounded
    slope = (between - (1.0 - reliability) * within) / reliability if told else np.nan
    yield Finding(
        "unreliable-means",
        _UNRELIABLE_WITH_SLOPE if told else _UNRELIABLE,
        (result.index, result.by),
        values={"by": result.by, "reliability": float(reliability), "slope": slope},
    )
