"""Results that only a covariance structure has, and what a fit by another estimator answers."""

from __future__ import annotations

from csimodel.errors import MissingResultError

_ERRORS = (
    "Parameters with errors need a covariance structure and this fit is by {label}; fit with "
    "csi.ML(), or take errors for PLS from csi.bootstrap(fit)."
)
_MEASURES = (
    "Fit measures such as χ² need a covariance structure and this fit is by {label}; see "
    "csi.assess(fit).global_fit, or fit with csi.ML()."
)
_RESIDUALS = (
    "Errors of residuals need a covariance structure and this fit is by {label}; see the sizes of "
    "the residuals in fit.residuals, or fit with csi.ML()."
)
_MODIFICATION = (
    "Modification indices need a covariance structure and this fit is by {label}; see "
    "fit.residuals, or fit with csi.ML()."
)

# By name, the sentence of a fit without it.
MISSING = {
    "parameters": _ERRORS,
    "standardized": _ERRORS,
    "defined": _ERRORS,
    "effects": _ERRORS,
    "fit_measures": _MEASURES,
    "residual_table": _RESIDUALS,
    "residual_tests": _RESIDUALS,
    "standardized_residuals": _RESIDUALS,
    "modification_indices": _MODIFICATION,
}


def missing_result(name: str, label: str) -> MissingResultError:
    """Return the error of a fit that is asked for a result of covariance structures.

    >>> print(missing_result("fit_measures", "PLS, path scheme"))
    Fit measures such as χ² need a covariance structure and this fit is by PLS, path scheme; see
    csi.assess(fit).global_fit, or fit with csi.ML().
    """
    return MissingResultError(MISSING[name].format(label=label))
