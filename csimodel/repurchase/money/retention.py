"""A share of customers who stay, with its draws, and several of them side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import OptionError
from csimodel.findings import Finding
from csimodel.floats import own_errstate_in
from csimodel.inference import interval_of, spread_of
from csimodel.repurchase.money.value import require_share

Floats = NDArray[np.float64]


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Retention:
    """A share of customers who stay a period, with its draws. Made by `retention_of`.

    Attributes
    ----------
    estimate
        From 0 to 1.
    draws
        (draws,); draws of the same origin belong together, draw by draw.
    level, interval
        Coverage and kind of intervals made of the draws.
    source
        Where the draws come from, in words.
    diagnostics
        What a reader must know.
    origin
        A number of the data that parametric draws were made from; 0 for draws of the whole chain.
    """

    estimate: float
    draws: Floats
    level: float
    interval: str
    source: str
    diagnostics: tuple[Finding, ...] = ()
    origin: int = 0

    def __repr__(self) -> str:
        low, high = interval_of(
            self.interval, self.level, np.array([self.estimate]), self.draws[:, None]
        )
        se = float(spread_of(self.draws[:, None])[0])
        return (
            f"<Retention {self.estimate:.4g} (se {se:.2g}, {100 * self.level:g} % interval "
            f"{low[0]:.4g} to {high[0]:.4g}; {self.source})>"
        )


@dataclass(frozen=True, eq=False)
class Together:
    """Retentions that are used together.

    Attributes
    ----------
    pairs
        By name the estimate and its draws, (draws,); none at all when all are plain numbers.
    level, interval, source, findings
        As in `Retention`.
    """

    pairs: dict[str, tuple[float, Floats]]
    level: float
    interval: str
    source: str
    findings: tuple[Finding, ...]


def together(level: float | None, **given: float | Retention) -> Together:
    """Put retentions side by side, of which some may be plain numbers.

    Parametric draws of different data are independent although their seeds may be the same: those
    of another origin than the first are put in an order of their own.

    Raises
    ------
    OptionError
        When a plain number is not from 0 to 1, or numbers of draws differ.
    """
    known = [value for value in given.values() if isinstance(value, Retention)]
    sizes = {len(value.draws) for value in known}
    if len(sizes) > 1:
        raise OptionError(
            f"The retentions have {' and '.join(map(str, sorted(sizes)))} draws; make them with "
            "the same draws= and rng=."
        )
    size = sizes.pop() if sizes else 0
    pairs: dict[str, tuple[float, Floats]] = {}
    for name, value in given.items():
        if isinstance(value, Retention):
            own = value.draws
            if value.origin != known[0].origin:
                own = own[np.random.default_rng(value.origin).permutation(size)]
            pairs[name] = (value.estimate, own)
        else:
            require_share(name, value)
            pairs[name] = (float(value), np.full(size, float(value)))
    findings = {found.message: found for value in known for found in value.diagnostics}
    if not known:
        note = Finding(
            "no-uncertainty",
            "Every retention was given as a plain number, so there are no intervals; use "
            "retention_of for one with its draws.",
            severity="note",
        )
        findings[note.message] = note
    source = "; ".join(dict.fromkeys(value.source for value in known)) or "no draws"
    shown = known[0].level if known and level is None else 0.95 if level is None else level
    interval = known[0].interval if known else "percentile"
    return Together(pairs, shown, interval, source, tuple(findings.values()))
