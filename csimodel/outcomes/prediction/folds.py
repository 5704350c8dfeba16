"""Predictions for respondents that were left out, all folds at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from csimodel.errors import EstimationError
from csimodel.outcomes.design.basis import Basis
from csimodel.outcomes.kernels.glm import regress_draws
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.models.regression import regress
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.shape.hinge import best_hinge
from csimodel.outcomes.models.shape.isotonic import fit_steps
from csimodel.outcomes.rows.sample import Sample
from csimodel.progress import progress_bar

Floats = NDArray[np.float64]


def predictions_of_folds(
    rep: Repurchase,
    moved: int,
    kind: str,
    basis: Basis | None,
    fold: NDArray[np.intp],
    progress: bool = False,
) -> Floats:
    """Predict each respondent from the folds it is not in, (rows,); a bar for those made in turn.

    Raises
    ------
    EstimationError
        When a shape has no solution without one of the folds.
    """
    sample = rep.regression.sample
    x = sample.regressors[:, moved]
    if kind in ("hinge", "isotonic"):
        predictions, count = np.empty(sample.n), int(fold.max()) + 1
        with progress_bar(count, f"Predictions by {kind}", progress, "fold") as bar:
            for left in range(count):
                out = fold == left
                predictions[out] = _of_fold(rep, moved, kind, out)
                if not np.isfinite(predictions[out]).all():
                    raise EstimationError(
                        f"Without fold {left + 1}, the hinge has no solution; use fewer folds or a "
                        "simpler shape."
                    )
                bar.update()
        return predictions
    columns = Basis("line").columns(x) if basis is None else basis.columns(x)
    X = np.column_stack([*columns, np.delete(sample.regressors, moved, axis=1)])
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    weights = sample.row_weights
    folds = np.arange(int(fold.max()) + 1)
    fitted = regress_draws(
        rep.family,
        sample.outcome,
        list(standard.T),
        np.where(fold == folds[:, None], 0.0, weights),
        np.zeros(1 + X.shape[1]),
    )
    if (fitted.ending != Ending.CONVERGED).any():
        lost = int(np.flatnonzero(fitted.ending != Ending.CONVERGED)[0])
        raise EstimationError(
            f"Without fold {lost + 1}, the {kind} has no solution "
            f"({Ending(int(fitted.ending[lost])).reason}); use fewer folds or a simpler shape."
        )
    b = fitted.coefficients[fold]
    return np.asarray(rep.family.mean(b[:, 0] + np.einsum("ij,ij->i", standard, b[:, 1:])))


def _of_fold(rep: Repurchase, moved: int, kind: str, out: NDArray[np.bool_]) -> Floats:
    """Predict the respondents of a fold from the others, (rows of the fold,)."""
    sample = rep.regression.sample
    part = _without(sample, ~out)
    if kind == "hinge":
        return _by_hinge(rep, moved, part, sample.regressors[out])
    rising = bool(rep.regression.coefficients[1 + moved] >= 0)
    known = fit_steps(part.regressors[:, moved], part.outcome, part.share, rising)
    return np.asarray(np.interp(sample.regressors[out, moved], *known))


def _without(sample: Sample, keep: NDArray[np.bool_]) -> Sample:
    cluster, strata = sample.cluster, sample.strata
    return replace(
        sample,
        outcome=sample.outcome[keep],
        regressors=sample.regressors[keep],
        weights=None if sample.weights is None else sample.weights[keep],
        cluster=None if cluster is None else np.unique(cluster[keep], return_inverse=True)[1],
        strata=None if strata is None else np.unique(strata[keep], return_inverse=True)[1],
        population=None if sample.population is None else sample.population[keep],
    )


def _by_hinge(rep: Repurchase, moved: int, part: Sample, regressors: Floats) -> Floats:
    """Predict rows of regressors by a hinge found in another part of the respondents."""
    threshold = best_hinge(replace(rep, regression=replace(rep.regression, sample=part)), moved)
    basis = Basis("hinge", (threshold,))
    index, others = part.regressors[:, moved], np.delete(part.regressors, moved, axis=1)
    X = np.column_stack([*basis.columns(index), others])
    names = tuple(f"x{j}" for j in range(X.shape[1]))
    fitted = regress(replace(part, regressors=X, names=names), rep.family, rep.errors)
    new = [*basis.columns(regressors[:, moved]), np.delete(regressors, moved, axis=1)]
    return fitted.predict(np.column_stack([np.ones(len(regressors)), *new]))(fitted.coefficients)
