"""The loop over draws: a few at a time, counted as the caller asks; and how many are enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.bounds import THRESHOLDS
from csimodel.endings import told_reasons
from csimodel.errors import InferenceError, OptionError
from csimodel.findings import Finding, Severity
from csimodel.limits import FEWEST_DRAWS
from csimodel.moments import Resampling
from csimodel.progress import progress_bar

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_TOGETHER = 2**16  # draws times cells handled at once, so that they stay in cache


def draws_of(
    design: Resampling,
    wanted: NDArray[np.bool_] | None = None,
    *,
    cells: int | None = None,
    count: Callable[[int, Places], Floats] | None = None,
    what: str = "draws",
    progress: bool = False,
) -> Iterator[tuple[Places, Floats]]:
    """Yield draws a few at a time: their numbers, and how often each cell was drawn in them.

    Parameters
    ----------
    design
        How respondents are drawn; it makes the same draws in every pass.
    wanted
        Which draws, (draws,); all by default.
    cells
        How many numbers a draw is to its user, which bounds how many draws come together; by
        default those of a block of the design do.
    count
        From the number of a block and positions in it to (draws, cells); how often each respondent
        was drawn, by default.
    what, progress
        What a bar calls the work, and whether it is shown when that takes longer than a second.

    Examples
    --------
    >>> design = Resampling("multinomial", rows=4, draws=3, seed=1)
    >>> [(numbers.tolist(), counts.sum(axis=1).tolist()) for numbers, counts in draws_of(design)]
    [([0, 1, 2], [4.0, 4.0, 4.0])]
    """
    total = design.draws if wanted is None else int(wanted.sum())
    together = design.block_size if cells is None else max(1, _TOGETHER // max(cells, 1))
    with progress_bar(total, what, progress) as bar:
        for block in range(design.blocks):
            span = design.span(block)
            own = np.arange(span.stop - span.start)
            own = own if wanted is None else own[wanted[span]]
            if not len(own):
                continue
            counts = design.counts(block)[own] if count is None else count(block, own)
            for first in range(0, len(own), together):
                part = slice(first, first + together)
                yield own[part] + span.start, counts[part]
                bar.update(len(own[part]))


def loss_severity(lost: int, total: int) -> Severity:
    """Return how grave it is that some of the draws were lost: a failure beyond a tenth.

    >>> loss_severity(50, 500), loss_severity(51, 500)
    ('warning', 'failure')
    """
    return "warning" if lost <= THRESHOLDS["draws lost"].value * total else "failure"


def about_lost(finding: Finding, lost: int, total: int) -> tuple[Finding, ...]:
    """Return a finding about lost draws with their number and how grave it is, if any were lost.

    >>> told = Finding("lost-draws", "{lost} of {total} draws were lost.")
    >>> [(own.count, own.severity) for own in about_lost(told, 51, 500)], about_lost(told, 0, 500)
    ([(51, 'failure')], ())
    """
    if not lost:
        return ()
    return (replace(finding, severity=loss_severity(lost, total), count=lost),)


def without_losses(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings but those about draws: what stands when they are left out."""
    return tuple(finding for finding in findings if not finding.code.endswith("-draws"))


def require_units_drawn(replicates: object, purpose: str) -> None:
    """Refuse replicates where each draw has to be one of units.

    Parameters
    ----------
    replicates
        What says how replicates become errors; None of draws.
    purpose
        The function that wants draws.

    Raises
    ------
    OptionError
        With the way out.
    """
    if replicates is not None:
        raise OptionError(
            f"{purpose} takes draws of units, and bootstrap= holds none; use "
            "csi.bootstrap(fit), which draws by strata and clusters."
        )


def require_draws(
    used: int,
    total: int,
    have: str,
    simpler: str,
    lost: pd.Series | None = None,
    need: str = "intervals need",
) -> None:
    """Refuse to make intervals, or a p-value, from too few draws.

    Parameters
    ----------
    used, total
        How many draws there are, and how many were asked for.
    have, simpler
        What draws have that can be used, and what would keep more of them.
    lost
        How many were lost for each reason, where it is known.
    need
        What they are needed for.

    Raises
    ------
    InferenceError
        When fewer than 20 draws can be used.

    Examples
    --------
    >>> require_draws(3, 500, "have a slope", "fewer effects", pd.Series({"not converged": 497}))
    Traceback (most recent call last):
    csimodel.errors.InferenceError: Only 3 of 500 draws have a slope (497 not converged), and \
intervals need at least 20; take more (draws=, or rows of resamples=) or fewer effects.
    """
    if used >= FEWEST_DRAWS:
        return
    reasons = ""
    if lost is not None:
        reasons = f" ({', '.join(told_reasons(lost)) or 'too few asked for'})"
    raise InferenceError(
        f"Only {used} of {total} draws {have}{reasons}, and {need} at least "
        f"{FEWEST_DRAWS}; take more (draws=, or rows of resamples=) or {simpler}."
    )
