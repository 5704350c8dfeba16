"""Errors of a fit of a model with terms seen as of items alone."""

from __future__ import annotations

from dataclasses import replace

from csimodel.estimators.item_fit import item_fit
from csimodel.estimators.item_solution import item_solution
from csimodel.inference import Bootstrap, FitErrors, Linearized


def item_draws(bootstrap: Bootstrap) -> Bootstrap:
    """Return draws as of items alone; themselves where the model has no terms."""
    if not bootstrap.fit.model.terms:
        return bootstrap
    return replace(
        bootstrap, fit=item_fit(bootstrap.fit), solution=item_solution(bootstrap.solution)
    )


def item_errors(errors: FitErrors | None) -> FitErrors | None:
    """Return draws, or linearised errors, as of items alone."""
    if isinstance(errors, Linearized):
        return replace(errors, fits=tuple(map(item_fit, errors.fits)))
    return errors if errors is None else item_draws(errors)
