"""How much of the variance of an index is signal: from its items, from groups, or as given.

An index is a weighted sum of answers, so what counts is the reliability of that sum with the
weights it has: ``1 - Σ wᵢ² θᵢ / var(index)``, θ the error variances of the items under one common
factor (McDonald's omega, for any weights).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked
from csimodel.assessment.reliability import modes_of
from csimodel.bounds import THRESHOLDS
from csimodel.errors import EstimationError, ModelError, OptionError, SurveyError, choose, suggest
from csimodel.estimators import Fit, Quantity, require_fit, require_own
from csimodel.findings import Finding
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference import (
    Bootstrap,
    influence_values,
    jackknife,
    require_units_drawn,
    spread_of,
)
from csimodel.inference.influence import without_influence
from csimodel.options import require_array
from csimodel.outcomes.measurement_error.omega import ReliabilityOf
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]

_KINDS = ("omega", "rho_a", "rho_c", "alpha", "alpha_raw")
_OF_ANSWERS = ("omega", "alpha_raw")  # by whatever estimator
_LOW = THRESHOLDS["reliability good"].value
_IMPOSSIBLE = {  # by why it cannot be used
    "rho_a": (
        "The reliability of {whose} cannot be used, because rho_A is for PLS mode A weights only; "
        "no slope is corrected with it, so use another kind, or give a number such as "
        "reliability=0.85."
    ),
    "omega": (
        "The reliability of {whose} cannot be used, because one common factor does not describe "
        "its items (omega); no slope is corrected with it, so use another kind, or give a number "
        "such as reliability=0.85."
    ),
    "groups": (
        "The reliability of {whose} cannot be used, because the means of groups differ no more "
        "than their sampling errors explain; no slope is corrected with it, so use another kind, "
        "or give a number such as reliability=0.85."
    ),
    "": (
        "The reliability of {whose} cannot be used ({kind}), because it came out as {value:.3g}, "
        "outside 0 to 1; no slope is corrected with it, so use another kind, or give a number such "
        "as reliability=0.85."
    ),
}


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Reliability:
    """The share of an index's variance that is not error, and how well it is known.

    Attributes
    ----------
    value
        From 0 to 1; outside, or NaN, where the findings say that it cannot be used.
    se
        Standard error; NaN where it is taken as known.
    source
        Where it comes from, in a sentence.
    findings
        What a reader must know, in plain words.
    pulls
        Deviations of each unit, (units,), whose squares add up to about se².
    units
        Those units; None where they are the rows of the regression.
    quantity
        What gives it, in its one entry, in every bootstrap draw; None for a number that is kept.
    groups
        Means and squared errors of groups, (2, groups), that give it in every draw; None for none.
    bootstrap, draws
        The bootstrap its error is from, and its values in the usable draws, (draws,); or None.
    """

    value: float
    se: float = np.nan
    source: str = "Given by the user and taken as known."
    findings: tuple[Finding, ...] = ()
    pulls: Floats | None = field(default=None)
    units: SurveyDesign | None = field(default=None)
    quantity: Quantity | None = field(default=None)
    groups: Floats | None = field(default=None)
    bootstrap: Bootstrap | None = field(default=None)
    draws: Floats | None = field(default=None)

    def in_draws(self, bootstrap: Bootstrap, wanted: NDArray[np.bool_]) -> Floats:
        """Return it in some of the usable draws of a bootstrap of the same fit, (wanted,).

        Draws that its error came from are not estimated a second time.

        Parameters
        ----------
        bootstrap
            The draws.
        wanted
            Which of them, all usable, (draws,).
        """
        if self.quantity is None:
            return np.full(int(wanted.sum()), self.value)
        if self.draws is not None and self.bootstrap is bootstrap:
            return self.draws[wanted[bootstrap.usable]]
        return np.asarray(self.quantity.values(bootstrap.solution[wanted])[:, 0])

    @property
    def usable(self) -> bool:
        """Whether it is a share of variance."""
        return 0 < self.value <= 1

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        error = f" (se {self.se:.2g})" if np.isfinite(self.se) else ""
        return f"{self.value:.4g}{error}: {self.source}"


@own_errstate
@checked
def index_reliability(
    fit: Fit,
    construct: str = "Satisfaction",
    kind: str | None = None,
    bootstrap: Bootstrap | None = None,
) -> Reliability:
    """Return the reliability of a construct's index.

    Parameters
    ----------
    fit
        A fit; the index is built with its weights.
    construct
        Whose index.
    kind
        ``"omega"``: ``1 - Σ w² θ / var(index)``, with the weights of the index and error variances
        θ from one common factor of its items (maximum likelihood; with two items, equal
        standardised loadings); ``"rho_a"``: of PLS mode A weights; ``"rho_c"``: of equal weights,
        from the fit's loadings; ``"alpha"``, ``"alpha_raw"``: of equal weights on standardised
        answers, or on answers as given. None is alpha where the fit gives items equal weights
        (``PLS(modes="unit")``), else omega. Where weights are of the responses behind ordered
        answers, omega or alpha_raw, which are of the answers.
    bootstrap
        Draws of this fit, for the standard error; without them it is that of influence values, or
        of the jackknife where a fit has none.

    Returns
    -------
    Reliability
        Its findings say when it is below 0.7, or no share of variance at all.

    Raises
    ------
    ModelError
        When the construct is not in the model.
    OptionError
        For an unknown kind, or the draws of another fit.
    EstimationError
        For a single item.

    References
    ----------
    McDonald, R. P. (1999). Test Theory: A Unified Treatment, chapter 6.
    https://doi.org/10.4324/9781410601087

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> index_reliability(fit)
    0.7812 (se 0.026): omega of the index of 'Satisfaction' from 250 respondents.
    """
    fit = require_fit(fit, "index_reliability")
    names = fit.model.construct_names
    if construct not in names:
        raise ModelError(
            f"construct={construct!r} is not in the model{suggest(str(construct), names)}; "
            f"use one of {', '.join(map(repr, names))}."
        )
    place = names.index(construct)
    if kind is None:
        plain = modes_of(fit.solution)[place] == "unit" and not fit.estimator.weighs_responses
        kind = "alpha" if plain else "omega"
    choose("kind", kind, _KINDS)
    if fit.estimator.weighs_responses and kind not in _OF_ANSWERS:
        raise OptionError(
            f"kind={kind!r} of a fit by {fit.estimator.label} is of the responses behind the "
            "answers, and the index is of the answers; use 'omega' or 'alpha_raw'."
        )
    if place >= len(fit.model.measured):
        raise ModelError(
            f"{construct!r} is made of other constructs, and the reliability of an index is learnt "
            "from the answers to its items; give a number, such as reliability=0.9."
        )
    if len(fit.model.blocks[construct]) == 1:
        raise EstimationError(
            f"{construct!r} has one item, {fit.model.blocks[construct][0]!r}, and the reliability "
            "of a single question cannot be learnt from its answers; give a number, such as "
            "reliability=0.7, from a study that asked twice."
        )
    quantity = ReliabilityOf(kind, place).quantity
    estimate = np.asarray(quantity.values(fit.solution))
    value = float(estimate[0])
    source = f"{kind} of the index of {construct!r} from {fit.n} respondents."
    told = _told(value, f"the index of {construct!r}", kind)
    if fit.answers is None or (told and told[0].severity == "failure"):
        return Reliability(value, source=source, findings=told, quantity=quantity)
    if bootstrap is not None:
        require_own(bootstrap, fit)
        require_units_drawn(bootstrap.replication, "index_reliability")
        draws = bootstrap.values(quantity)
        se = float(spread_of(draws)[0])
        result = Reliability(value, se, source, told, quantity=quantity)
        return replace(result, bootstrap=bootstrap, draws=draws[:, 0])
    totals, units = _totals(fit, quantity, estimate)
    se = float(np.sqrt(units.variance(totals))[0]) if units.df > 0 else np.nan
    return Reliability(value, se, source, told, np.nan_to_num(totals[:, 0]), units, quantity)


def _totals(fit: Fit, quantity: Quantity, estimate: Floats) -> tuple[Floats, SurveyDesign]:
    """Return what each unit adds to a quantity, (units, 1), and the units.

    Influence values; where a fit has none, deviations of the jackknife.
    """
    if not without_influence(fit):
        return influence_values(fit, quantity), fit.require_answers("index_reliability").first_stage
    leave_out = jackknife(fit)
    return leave_out.pulls(leave_out.values(quantity), estimate), leave_out.units


def given_reliability(value: object, whose: str = "the index") -> Reliability:
    """Return a reliability the user gives: a number, or a `Reliability` as it is.

    Raises
    ------
    OptionError
        When it is no number above 0 and up to 1.
    """
    if isinstance(value, Reliability):
        return value
    number = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
    share = float(value) if number else np.nan  # type: ignore[arg-type]
    if not 0 < share <= 1:
        raise OptionError(
            f"reliability={value!r} is not a share of variance; give a number above 0 and up to "
            "1, such as 0.85."
        )
    return Reliability(share, findings=_told(share, whose, "given"))


@own_errstate
@checked
def group_reliability(mean: ArrayLike | pd.Series, se: ArrayLike | pd.Series) -> Reliability:
    """Return the reliability of groups' mean indexes, such as firms', from their sampling errors.

    ``1 - mean(se²) / var(means)``: variance between groups over total variance of the means. Its
    own error is the jackknife over groups.

    Parameters
    ----------
    mean, se
        Of each group, such as the columns of ``csi.index_scores(fit, by="firm")``.

    Raises
    ------
    SurveyError
        When the two differ in length, a value is missing or an error negative.
    EstimationError
        With fewer than 3 groups.

    References
    ----------
    Fuller, W. A. (1987). Measurement Error Models, section 1.2.
    https://doi.org/10.1002/9780470316665

    Examples
    --------
    >>> found = group_reliability([70.0, 74, 78, 80, 83], [1.5, 1.2, 1.4, 1.6, 1.3])
    >>> round(found.value, 3)
    0.924
    """
    means = require_array("mean", mean, "the groups' means")
    errors = require_array("se", se, "the standard errors of the means")
    if means.ndim != 1 or means.shape != errors.shape:
        raise SurveyError(
            f"There are {means.size} group means and {errors.size} standard errors; give one "
            "of each for every group."
        )
    if not (np.isfinite(means).all() and np.isfinite(errors).all() and (errors >= 0).all()):
        wrong = int((~(np.isfinite(means) & np.isfinite(errors) & (errors >= 0))).sum())
        raise SurveyError(
            f"{wrong} of {means.size} groups lack a mean or a standard error of 0 or more; "
            "leave those groups out."
        )
    n = means.size
    if n < 3:
        raise EstimationError(
            f"Only {n} groups have a mean and a sampling error, and a reliability needs at least "
            "3; use more groups, or give a number."
        )
    groups = np.stack([means, errors**2])
    value = float(of_groups(groups, np.ones((1, n)))[0])
    without = of_groups(groups, 1.0 - np.eye(n))
    pulls = (n - 1.0) / n * (without.mean() - without)
    told = _told(value, "the groups' index", "groups")
    return Reliability(
        value,
        float(np.sqrt(n / (n - 1.0) * (pulls**2).sum())),
        f"1 - mean(se²)/var(means) over {n} groups.",
        told,
        pulls,
        groups=groups,
    )


def shared_reliability(value: float, name: str, groups: int) -> Reliability:
    """Return the reliability of the mean index of groups of respondents, already computed."""
    source = f"variance between groups over the variance of {groups} groups' means."
    return Reliability(value, source=source, findings=_told(value, f"the groups' {name}", "groups"))


def of_groups(groups: Floats, weights: Floats) -> Floats:
    """Return ``1 - mean(se²) / var(mean)`` in draws, (draws,), from weights (draws, groups)."""
    mean, error = groups
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = weights @ mean / total
        spread = (weights @ mean**2 / total - centre**2) * total / (total - 1.0)
        return np.asarray(1.0 - (weights @ error / total) / spread)


def _told(value: float, whose: str, kind: str) -> tuple[Finding, ...]:
    """Say what is wrong with a reliability."""
    if _LOW <= value <= 1:
        return ()
    if 0 < value < _LOW:
        message = (
            "The reliability of {whose} is {value:.2f}, below {low:g}: a correction "
            "multiplies the slope by about {factor:.1f} and rests on the "
            "reliability as much as on the data; ask more questions, or more "
            "customers of each group."
        )
        return (
            Finding(
                "low-reliability",
                message,
                (whose,),
                values={"whose": whose, "value": value, "low": _LOW, "factor": 1 / value},
            ),
        )
    case = "groups" if kind == "groups" and value <= 0 else kind if np.isnan(value) else ""
    return (
        Finding(
            "impossible-reliability",
            _IMPOSSIBLE[case if case in _IMPOSSIBLE else ""],
            (whose,),
            "failure",
            values={"whose": whose, "kind": kind, "value": value},
        ),
    )
