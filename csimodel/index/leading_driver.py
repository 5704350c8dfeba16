"""Which driver has the largest effect on the target, and whether it is shown to lead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csimodel.estimators import require_own
from csimodel.findings import text
from csimodel.index.driver_doubts import DriverDoubt, driver_doubts
from csimodel.index.importance import IMPACTS
from csimodel.index.leading_group import LeadingGroup, with_adjusted
from csimodel.inference import Bootstrap
from csimodel.inference.infer import infer
from csimodel.inference.sources import StandardErrors
from csimodel.options import require_level

_ROUNDING = 1e-9  # draws that differ by less, as with two clusters, hold no error


@dataclass(frozen=True, eq=False, repr=False)
class LeadingDriver(LeadingGroup):
    """The driver with the largest effect on a target, against every other.

    As `LeadingGroup`, with the driver as its group and the target as its construct.

    Attributes
    ----------
    doubt
        What speaks against the driver, or None.
    """

    doubt: DriverDoubt | None

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        fields: dict[str, object] = {"driver": str(self.group), "target": self.construct}
        if len(self.compared) < len(self.table):
            return text(_UNTESTED, **fields)
        if not self.distinct:
            return text(_NOT_SHOWN, **fields)
        if self.doubt is None:
            return text(_DISTINCT[False, False], **fields)
        return text(_DISTINCT[self.doubt.kind], **fields, **self.doubt.fields)


def leading_driver(
    bootstrap: Bootstrap, target: str = "Satisfaction", level: float = 0.95
) -> LeadingDriver | None:
    """Return the driver with the largest effect on a target and its differences from all others.

    The same test as `leading_group`, of effects in points of the target per point of the driver:
    the largest absolute t of the leader's differences, with errors and correlations from the draws
    and the sampling design's degrees of freedom.

    Parameters
    ----------
    bootstrap
        Draws of the fit.
    target
        A construct that others affect.
    level
        Coverage of all comparisons together.

    Returns
    -------
    LeadingDriver, or None when fewer than two constructs affect the target.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> leader = leading_driver(csi.bootstrap(fit, 300, rng=1, progress=False))
    >>> leader.group
    'Quality'
    """
    level = require_level(level)
    fit = bootstrap.fit
    require_own(bootstrap, fit)
    labels = IMPACTS.labels(fit.model)
    own = np.flatnonzero(labels.get_level_values("target") == target)
    if len(own) < 2:
        return None
    names = labels.get_level_values("source")[own]
    estimate = np.asarray(IMPACTS.values(fit.solution))[own]
    draws = bootstrap.values(IMPACTS)[:, own]
    design = bootstrap.survey_design
    covariance = design.covariance_of_draws(draws[np.isfinite(draws).all(axis=1)], estimate)
    order = np.argsort(-estimate, kind="stable")
    first, others = int(order[0]), order[1:]
    contrast = np.zeros((len(others), len(own)))
    contrast[:, first] = 1.0
    contrast[np.arange(len(others)), others] = -1.0
    difference = contrast @ estimate
    se = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", contrast, covariance, contrast), 0.0))
    degrees = np.full(len(others), float(design.df))
    usable = (se > _ROUNDING * np.abs(estimate).max()) & (degrees > 0)
    se[~usable] = np.nan
    table = infer(names[others], difference, StandardErrors(se, degrees), level, steady=False)
    table = with_adjusted(table, usable, first, others, covariance)
    name = str(names[first])
    doubts = {own.driver: own for own in driver_doubts(fit, target)}
    return LeadingDriver(name, target, table, level, doubts.get(name))


_UNTESTED = (
    "Whether the effect of {driver} on {target} differs from those of all other drivers is not "
    "known."
)
_NOT_SHOWN = (
    "The effect of {driver} on {target} is not shown to differ from those of all other drivers."
)
_DISTINCT = {  # by what speaks against it: its sign, HTMT
    (False, False): ("The effect of {driver} on {target} differs from those of all other drivers."),
    (True, False): (
        "The effect of {driver} on {target} differs from those of all other drivers, and has "
        "another sign than their correlation ({correlation})."
    ),
    (False, True): (
        "The effect of {driver} on {target} differs from those of all other drivers, and HTMT "
        "cannot tell the two apart ({htmt})."
    ),
    (True, True): (
        "The effect of {driver} on {target} differs from those of all other drivers, has another "
        "sign than their correlation ({correlation}), and HTMT cannot tell the two apart ({htmt})."
    ),
}
