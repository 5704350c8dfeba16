"""What freeing a parameter would do: modification indices and score tests of equal parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, choose
from csimodel.estimators.covariance.fitted import Fitted
from csimodel.estimators.covariance.layout import Dependent, ParameterLayout
from csimodel.estimators.covariance.parameters import exponents, row_scales
from csimodel.estimators.covariance.response_moments import response_slopes
from csimodel.estimators.covariance.robust import gamma_of
from csimodel.estimators.covariance.rows import Row
from csimodel.estimators.covariance.structure import implied, slope_forms
from csimodel.estimators.structural import descent
from csimodel.moments.forms import Forms, directions_of
from csimodel.options import require_names
from csimodel.significance import chisq_pvalue

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_MOST = 2048  # candidates whose information with the parameters is made at once
CANDIDATES = ("cross-loadings", "error-covariances", "paths", "covariances", "intercepts")
_DIGITS = 6  # decimals of indices that order them
_REDUNDANT = 1e-8  # information left of a candidate, relative, that says it is in the model already


def modification_indices(
    fitted: Fitted, kinds: Sequence[str] = CANDIDATES, groups: Sequence[object] = ("",)
) -> pd.DataFrame:
    """Return what freeing each fixed parameter would gain, the largest gain first.

    With the score s and the expected information J of the free parameters θ and a candidate c,
    ``MI = s_c² / (J_cc - J_cθ J_θθ⁻¹ J_θc)`` is the expected fall of χ², on one degree of freedom,
    and ``EPC = s_c / (J_cc - …)`` the change expected of the parameter. χ² is that of the fit, so
    where its factor is n - 1 the indices are lavaan's times (n - 1)/n. What is already in the model
    in another form has no index and is left out: loadings that set a construct's scale, and all
    that a free parameter does as well.

    Parameters
    ----------
    fitted
        A solution.
    kinds
        Which parameters to try, those that the model's text fixes among them:
        ``"cross-loadings"`` (an item on another construct), ``"error-covariances"``, ``"paths"``
        (that close no cycle), ``"covariances"`` of constructs and of disturbances,
        ``"intercepts"`` and means that are fixed.

    Returns
    -------
    DataFrame
        Tests, not estimates with errors: lhs, op, rhs (and group), mi, df (1), p, epc, std_epc
        (standardised as in `CovarianceFit.parameters`; NaN for an error covariance of an item
        without error). Of ordered answers, whose plain χ² has no known distribution, `mi_robust`
        too, the generalised score test ``s*² / var(s*)`` of ``s* = s_c - J_cθ J_θθ⁻¹ s`` with its
        variance by Γ, on which p rests. lavaan's mi and epc of ordered answers are (n - 1)/n of
        these.

    References
    ----------
    Sörbom, D. (1989). Model modification. Psychometrika 54, 371-384.
    https://doi.org/10.1007/BF02294623

    Saris, W. E., Satorra, A., Sörbom, D. (1987). The detection and correction of specification
    errors in structural equation models. Sociological Methodology 17, 105-129.
    https://doi.org/10.2307/271030

    Satorra, A. (1989). Alternative test criteria in covariance structure analysis: A unified
    approach. Psychometrika 54, 131-151. https://doi.org/10.1007/BF02294453
    """
    kinds = require_names("kinds", kinds, "kind")
    for kind in kinds:
        choose("kinds", kind, CANDIDATES)
    fitted.require_solution()
    ordered = fitted.moments[0].responses is not None
    entries = []
    for group, layout in enumerate(fitted.layouts):
        candidates = list(_candidates(fitted, layout, kinds))
        if not candidates:
            continue
        wide, extended = _extended(fitted, group, candidates)
        mi, robust, epc = _gains(fitted, wide, extended)
        scale = row_scales(exponents(wide[group]), wide[group], extended)[-len(candidates) :]
        table = pd.DataFrame(
            {
                "lhs": [row.lhs for row in candidates],
                "op": [row.op for row in candidates],
                "rhs": [row.rhs for row in candidates],
                "mi": mi,
                "mi_robust": robust,
                "df": 1,
                "p": chisq_pvalue(robust if ordered else mi, 1),
                "epc": epc,
                "std_epc": epc * scale,
            }
        )
        table = table if ordered else table.drop(columns="mi_robust")
        if len(fitted.layouts) > 1:
            table.insert(3, "group", [groups[group]] * len(table))
        entries.append(table)
    if not entries:
        return pd.DataFrame(columns=["lhs", "op", "rhs", "mi", "df", "p", "epc", "std_epc"])
    whole = pd.concat(entries)
    whole = whole[whole["mi"].notna()]
    # Restrictions of the same gain keep their order, whichever way rounding parts them.
    order = np.argsort(-whole["mi"].to_numpy().round(_DIGITS), kind="stable")
    return whole.iloc[order].reset_index(drop=True)


def score_tests(fitted: Fitted, groups: Sequence[object] = ("",)) -> pd.DataFrame:
    """Test every equality of parameters: what letting one of the equal ones go would gain.

    The statistic is that of `modification_indices`, for the parameter of each cell after the
    first that shares a value; ``epc`` is the change expected of it. Where thresholds of ordered
    answers are modelled there is ``chisq_robust`` too, the generalised score test ``(a'J⁻¹s)² /
    a'J⁻¹MJ⁻¹a`` of the difference a of both with ``M = Δ'VΓVΔ``, on which p rests.

    Raises
    ------
    OptionError
        When no parameters are equal.
    """
    fitted.require_solution()
    shared = _shared_cells(fitted)
    if not shared:
        raise OptionError(
            "No parameters of this fit are equal, so there is nothing to test; give two parameters "
            "one label, or fit groups with equal=['loadings']."
        )
    entries, modelled = [], fitted.layouts[0].levels is not None
    for group, position, first in shared:
        wide, extended = _released(fitted, group, position)
        mi, _, epc = _gains(fitted, wide, extended)
        robust = mi
        if modelled:
            place = int(fitted.layouts[group].place[position])
            robust = np.array([_robust_difference(fitted, wide, extended, place)])
        row = fitted.layouts[group].rows[position]
        base_group, base = first
        entries.append(
            {
                "parameter": row.name,
                "group": groups[group] if len(groups) > group else group,
                "equal_to": fitted.layouts[base_group].rows[base].name,
                "in_group": groups[base_group] if len(groups) > base_group else base_group,
                "chisq": float(mi[0]),
                "chisq_robust": float(robust[0]),
                "df": 1,
                "p": float(chisq_pvalue(robust, 1)[0]),
                "epc": float(epc[0]),
            }
        )
    table = pd.DataFrame(entries)
    return table if modelled else table.drop(columns="chisq_robust")


def _candidates(fitted: Fitted, layout: ParameterLayout, kinds: Sequence[str]) -> Iterator[Row]:
    """List fixed parameters that could be freed."""
    model = fitted.model
    names, items = model.construct_names, model.items
    present = {(row.kind, row.at): row for row in layout.rows}

    def candidate(lhs: str, op: str, rhs: str, kind: str, at: tuple[int, int]) -> Iterator[Row]:
        """Yield the row where the model has none, and its own where that is fixed."""
        row = present.get((kind, at), Row(lhs, op, rhs, kind, at, fixed=0.0))
        if row.fixed is not None and not (kind == "loadings" and row.fixed):
            yield row

    if "cross-loadings" in kinds:
        for j, name in enumerate(names):
            for i, item in enumerate(items):
                yield from candidate(name, "=~", item, "loadings", (i, j))
    if "error-covariances" in kinds:
        for i in range(len(items)):
            for k in range(i):
                yield from candidate(items[k], "~~", items[i], "errors", (i, k))
    if "covariances" in kinds:
        for j in range(len(names)):
            for k in range(j):
                yield from candidate(names[k], "~~", names[j], "covariances", (j, k))
    if "paths" in kinds and model.paths:
        closing = descent(model).T | np.eye(len(names), dtype=bool)
        for target, source in np.argwhere(~closing).tolist():
            yield from candidate(names[target], "~", names[source], "paths", (target, source))
    if "intercepts" in kinds:
        for row in layout.rows:
            if row.kind in ("intercepts", "means") and row.fixed is not None:
                yield row


def _extended(
    fitted: Fitted, group: int, candidates: list[Row]
) -> tuple[tuple[ParameterLayout, ...], Floats]:
    """Add candidates to the free parameters; return layouts and parameters."""
    size, extra = fitted.npar, len(candidates)
    values = [row.fixed or 0.0 for row in candidates]
    wide = []
    for own, layout in enumerate(fitted.layouts):
        rows, place = layout.rows, layout.place
        sums = layout.dependent
        if own == group:
            freed = {(row.kind, row.at) for row in candidates}
            kept = [k for k, row in enumerate(rows) if (row.kind, row.at) not in freed]
            rows = (*(rows[k] for k in kept), *(row._replace(fixed=None) for row in candidates))
            place = np.concatenate([place[kept], size + np.arange(extra)])
            sums = tuple(
                dependent._replace(position=kept.index(dependent.position)) for dependent in sums
            )
        wide.append(_widened(layout, rows, place, size + extra, sums))
    return tuple(wide), np.concatenate([fitted.parameters, values])


def _released(
    fitted: Fitted, group: int, position: int
) -> tuple[tuple[ParameterLayout, ...], Floats]:
    """Give one of several equal parameters a place of its own."""
    size = fitted.npar
    value = fitted.parameters[fitted.layouts[group].place[position]]
    wide = []
    for own, layout in enumerate(fitted.layouts):
        place = layout.place.copy()
        if own == group:
            place[position] = size
        wide.append(_widened(layout, layout.rows, place, size + 1, layout.dependent))
    return tuple(wide), np.append(fitted.parameters, value)


def _widened(
    layout: ParameterLayout,
    rows: tuple[Row, ...],
    place: NDArray[np.intp],
    size: int,
    dependent: tuple[Dependent, ...],
) -> ParameterLayout:
    more = size - layout.size
    return replace(
        layout,
        levels=None if layout.levels is None else layout.levels.among(rows),
        rows=rows,
        place=place,
        size=size,
        dependent=dependent,
        lower=np.append(layout.lower, np.full(more, -np.inf)),
        upper=np.append(layout.upper, np.full(more, np.inf)),
        starts=np.append(layout.starts, np.full(more, np.nan)),
    )


def _gains(
    fitted: Fitted, wide: tuple[ParameterLayout, ...], parameters: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the fall of χ², its robust test, and the change of parameters beyond the fitted ones.

    Of the information only the block of the fitted parameters, its block with the others and their
    diagonal are made, the others some at a time.
    """
    extra, of_responses = len(parameters) - fitted.npar, wide[0].levels is not None
    local = _response_scores if of_responses else _scores
    score, inner, score_of, across, own = local(fitted, wide, parameters)
    root = np.sqrt(np.diag(inner))
    inner, across = inner / np.outer(root, root), across / root[:, None]
    solved = np.linalg.solve(inner, across)
    left = own - (across * solved).sum(axis=0)
    left = np.where(left > _REDUNDANT * own, left, np.nan)
    others_pull = score / root  # not 0 when one of equal parameters goes its own way
    pulled = score_of - solved.T @ others_pull
    gain = pulled**2 / left + others_pull @ np.linalg.solve(inner, others_pull)
    robust = np.full(extra, np.nan)
    if fitted.moments[0].responses is not None:
        spread = _response_variances if of_responses else _score_variances
        variance = spread(fitted, wide, parameters, solved / root[:, None])
        robust = np.where(np.isnan(left), np.nan, pulled**2 / variance)
    return gain, robust, pulled / left


class _Scores(NamedTuple):
    """Scores and information of the fitted parameters, and of others beside them."""

    score: Floats
    inner: Floats
    score_of: Floats
    across: Floats
    own: Floats


def _response_scores(
    fitted: Fitted, wide: tuple[ParameterLayout, ...], parameters: Floats
) -> _Scores:
    """Return the scores where thresholds are modelled."""
    size, who = fitted.npar, np.arange(1)
    score, inner = np.zeros(len(parameters)), np.zeros((len(parameters), len(parameters)))
    for layout, part, rows in zip(wide, fitted.objective.parts, fitted.sizes, strict=True):
        slope, curvature = part.local(layout, implied(layout, parameters[None]), who, False)
        score[layout.own] -= 0.5 * rows * slope[0]
        inner[np.ix_(layout.own, layout.own)] += 0.5 * rows * curvature[0]
    own = np.diag(inner)[size:]
    return _Scores(score[:size], inner[:size, :size], score[size:], inner[:size, size:], own)


def _response_variances(
    fitted: Fitted, wide: tuple[ParameterLayout, ...], parameters: Floats, solved: Floats
) -> Floats:
    """Return what `_score_variances` does where thresholds are modelled, of all groups."""
    variances = np.zeros(solved.shape[1])
    for layout, own, rows in zip(wide, fitted.moments, fitted.sizes, strict=True):
        at = implied(layout, parameters)
        slopes = response_slopes(layout, at)
        apart = slopes[:, fitted.npar :] - slopes[:, : fitted.npar] @ solved
        pulled = fitted.estimator.weight(own, layout, at.sigma).applied(apart)
        gamma = gamma_of(fitted.estimator, own)
        variances += rows * (gamma.times(pulled) * pulled).sum(axis=0)
    return variances


def _robust_difference(
    fitted: Fitted, wide: tuple[ParameterLayout, ...], parameters: Floats, place: int
) -> float:
    """Return the score test of the last parameter against the one at `place` it was equal to."""
    scores = _response_scores(fitted, wide, parameters)
    inner = np.block([[scores.inner, scores.across], [scores.across.T, np.diag(scores.own)]])
    contrast = np.zeros(len(inner))
    contrast[[place, -1]] = -1.0, 1.0
    if np.linalg.cond(inner) > 1.0 / _REDUNDANT**1.5:
        return np.nan
    turned = np.linalg.solve(inner, contrast)
    variance = 0.0
    for layout, own, rows in zip(wide, fitted.moments, fitted.sizes, strict=True):
        at = implied(layout, parameters)
        pulled = fitted.estimator.weight(own, layout, at.sigma).applied(
            response_slopes(layout, at) @ turned[:, None]
        )
        variance += rows * float(gamma_of(fitted.estimator, own).quadratic(pulled)[0, 0])
    return float(turned @ np.concatenate([scores.score, scores.score_of])) ** 2 / variance


def _scores(fitted: Fitted, wide: tuple[ParameterLayout, ...], parameters: Floats) -> _Scores:
    """Return the scores where the moments are means and covariances."""
    size, extra = fitted.npar, len(parameters) - fitted.npar
    score, inner = np.zeros(size), np.zeros((size, size))
    score_of, across = np.zeros(extra), np.zeros((size, extra))
    own = np.zeros(extra)
    for layout, part, rows in zip(wide, fitted.objective.parts, fitted.sizes, strict=True):
        at = implied(layout, parameters[None])
        forms = slope_forms(layout, implied(layout, parameters))
        weight = part.moment_weight(at)
        slope, pull = part.moment_slope(at)
        known, spread = _sums(layout, size)
        fixed = forms.take(known)
        score -= 0.5 * rows * (_slopes(fixed, slope, pull) @ spread)
        inner += rows * (spread.T @ weight.between(fixed, fixed) @ spread)
        cells = np.flatnonzero(layout.target >= size)
        for start in range(0, len(cells), _MOST):
            some = cells[start : start + _MOST]
            place, others = layout.target[some] - size, forms.take(some)
            score_of[place] -= 0.5 * rows * _slopes(others, slope, pull)
            across[:, place] += rows * (spread.T @ weight.between(fixed, others))
            own[place] += rows * weight.squares(others)
    return _Scores(score, inner, score_of, across, own)


def _score_variances(
    fitted: Fitted, wide: tuple[ParameterLayout, ...], parameters: Floats, solved: Floats
) -> Floats:
    """Return ``N δ'VΓVδ`` of ``δ = Δ_c - Δ_θ J_θθ⁻¹ J_θc`` of one sample, (candidates,).

    `solved` is ``J_θθ⁻¹ J_θc``, (size, candidates).
    """
    layout, size, part, own = wide[0], fitted.npar, fitted.objective.parts[0], fitted.moments[0]
    forms = slope_forms(layout, implied(layout, parameters))
    weight = part.moment_weight(implied(layout, parameters[None]))
    gamma = gamma_of(fitted.estimator, own).matrix[len(own.mean) :, len(own.mean) :]
    known, spread = _sums(layout, size)
    inside = directions_of(forms.take(known)) @ spread
    variances = np.full(len(parameters) - size, np.nan)
    cells = np.flatnonzero(layout.target >= size)
    for start in range(0, len(cells), _MOST):
        some = cells[start : start + _MOST]
        place = layout.target[some] - size
        pulled = weight.applied(directions_of(forms.take(some)) - inside @ solved[:, place])
        variances[place] = ((gamma @ pulled) * pulled).sum(axis=0)
    return np.asarray(float(fitted.sizes[0]) * variances)


def _sums(layout: ParameterLayout, size: int) -> tuple[Indices, Floats]:
    """Return the cells of the fitted parameters, and the sums of parameters each is, (cells, q)."""
    dependent = {entry.position: entry for entry in layout.dependent}
    cells = np.flatnonzero(layout.target < size)
    spread = np.zeros((len(cells), size))
    for own, row, target in zip(spread, layout.cell_rows[cells], layout.target[cells], strict=True):
        if target >= 0:
            own[target] = 1.0
        else:
            own[dependent[int(row)].places] = dependent[int(row)].weights
    return cells, spread


def _slopes(forms: Forms, slope: Floats, pull: Floats | None) -> Floats:
    """Return the derivatives of the discrepancy along directions, (columns,)."""
    slopes = 2.0 * (forms.left * (slope @ forms.right)).sum(axis=0)
    if pull is not None and forms.level is not None:
        slopes += pull @ forms.level
    return np.asarray(slopes)


def _shared_cells(fitted: Fitted) -> list[tuple[int, int, tuple[int, int]]]:
    """Return cells that share the parameter of an earlier one, with that earlier one."""
    first: dict[int, tuple[int, int]] = {}
    shared = []
    for group, layout in enumerate(fitted.layouts):
        for position, place in enumerate(layout.place.tolist()):
            if place < 0:
                continue
            if place in first:
                shared.append((group, position, first[place]))
            else:
                first[place] = (group, position)
    return shared
