"""What a reader must know about a panel of firms, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csimodel.bounds import THRESHOLDS
from csimodel.findings import Finding
from csimodel.outcomes.kernels.fixed_effects import Panel
from csimodel.outcomes.models.clusters import few_clusters
from csimodel.outcomes.models.draws import RegressionLosses, about_losses

Floats = NDArray[np.float64]

_NOTABLE = THRESHOLDS["error in the movement of the index"].value

_LEFT_OUT = {
    "respondents": (
        "{count} of {total} respondents {count:was|were} left out because the firm, the period, "
        "the outcome or a control is missing."
    ),
    "rows": (
        "{count} of {total} rows {count:was|were} left out because the firm, the period, the "
        "outcome or a control is missing."
    ),
}
_SAMPLING_ERROR = (
    "About {percent:.0f} % of the movement of the index of {index!r} that the slope rests on is "
    "sampling error of firms with few respondents a period; without it the slope would be about "
    "{slope:.4f}."
)
_LITTLE_BUT_SAMPLING_ERROR = (
    "About {percent:.0f} % of the movement of the index of {index!r} that the slope rests on is "
    "sampling error of firms with few respondents a period, so little can be learned about the "
    "slope."
)


def left_out(unit: Literal["respondents", "rows"], lost: int, total: int) -> Iterator[Finding]:
    """Count respondents or rows that lack a value."""
    if lost:
        yield Finding(
            "rows-left-out",
            _LEFT_OUT[unit],
            severity="note" if lost < 0.5 * total else "warning",
            count=lost,
            values={"count": lost, "total": total},
        )


def thin_cells(dropped: int, total: int, fewest: int) -> Iterator[Finding]:
    """Count cells with too few respondents."""
    if dropped:
        yield Finding(
            "small-cells",
            "{count} of {total} firm × period cells {count:has|have} fewer than {fewest} "
            "respondents and {count:was|were} left out.",
            count=dropped,
            values={"count": dropped, "total": total, "fewest": fewest},
        )


def singletons(dropped: int, total: int) -> Iterator[Finding]:
    """Count rows alone in their firm or period."""
    if dropped:
        yield Finding(
            "singletons",
            "{count} of {total} firm × period rows {count:is|are} alone in {count:its|their} "
            "firm or period, so an effect of its own fits {count:it|each} exactly; {count:it "
            "says|they say} nothing about the slope and {count:was|were} left out.",
            severity="note" if dropped < 0.5 * total else "warning",
            count=dropped,
            values={"count": dropped, "total": total},
        )


def about(panel: Panel, errors: str, index: str) -> Iterator[Finding]:
    """Say what clusters, predictions and direction are like."""
    sizes = {"firms": len(np.unique(panel.firm)), "periods": len(np.unique(panel.period))}
    clusters = min(sizes.values()) if errors == "two-way" else sizes["firms"]
    yield from few_clusters(clusters, errors)
    if errors == "two-way" and panel.covariance(errors)[1]:
        yield Finding(
            "covariance-mended",
            "The two-way clustered covariance had negative variances, which were set to 0, as "
            "happens with few clusters; compare with errors='cluster'.",
        )
    if panel.coefficients[1] < 0:
        yield Finding(
            "negative-slope",
            "Where the index of {index!r} is higher, repurchase is lower, at equal "
            "effects; check whether the outcome counts the other way round.",
            (index,),
            values={"index": index},
        )


def sampling_error(panel: Panel, sampling: Floats, index: str) -> Iterator[Finding]:
    """Say how much of the index's movement is sampling error, and what slope is left without it.

    With M the weighted cross products of index and outcome after effects (controls taken out
    too) and S the mean sampling covariance of the cells, the share is ``S_xx/M_xx`` and the slope
    ``(M_xy - S_xy)/(M_xx - S_xx)``. The respondents of a cell give both its index and its
    outcome, so sampling error draws the slope toward the slope among the respondents of a cell,
    not toward zero.

    References
    ----------
    Deaton, A. (1985). Panel data from time series of cross-sections. Journal of Econometrics 30,
    109-126. https://doi.org/10.1016/0304-4076(85)90134-4
    """
    known = np.isfinite(sampling).all(axis=(1, 2))
    if not known.any():
        return
    w = panel.weights / panel.weights.sum()
    others = np.delete(panel.design, 1, axis=1) * np.sqrt(w)[:, None]
    both = np.column_stack([panel.design[:, 1], panel.response]) * np.sqrt(w)[:, None]
    residual = both - others @ np.linalg.lstsq(others, both, rcond=None)[0]
    moved = residual.T @ residual
    effects = len(np.unique(panel.firm)) if panel.effects in ("two-way", "firm") else 1
    free = 1.0 - (others.shape[1] + effects - 1) / panel.n
    drawn = np.einsum("c,cij->ij", w[known], sampling[known]) / w[known].sum() * free
    share = float(drawn[0, 0] / moved[0, 0])
    if share < _NOTABLE:
        return
    told = share < 0.9
    slope = float((moved[0, 1] - drawn[0, 1]) / (moved[0, 0] - drawn[0, 0])) if told else np.nan
    yield Finding(
        "sampling-error",
        _SAMPLING_ERROR if told else _LITTLE_BUT_SAMPLING_ERROR,
        (index,),
        values={"percent": 100.0 * min(share, 1.0), "index": index, "slope": slope},
    )


def about_draws(losses: RegressionLosses, firm: NDArray[np.intp]) -> Iterator[Finding]:
    """Say when draws were lost, or draw respondents although firms are the sample."""
    cluster = losses.bootstrap.design.cluster
    if cluster is None or not _within(firm, cluster):
        yield Finding(
            "respondents-draws",
            "The draws are of respondents, not of firms, so the intervals tell what other "
            "respondents of the same firms would have answered; for other firms use "
            "read_survey(..., cluster=) with the firm.",
        )
    yield from about_losses(losses)


def _within(firm: NDArray[np.intp], cluster: NDArray[np.intp]) -> bool:
    """Whether every firm lies in one cluster."""
    used = firm >= 0
    pairs = np.unique(np.column_stack([firm[used], cluster[used]]), axis=0)
    return bool(len(pairs) == len(np.unique(firm[used])))
