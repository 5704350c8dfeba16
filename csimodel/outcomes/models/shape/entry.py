"""`repurchase_shape`: whether and how the effect of the index bends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import choose
from csimodel.floats import own_errstate
from csimodel.inference.infer import infer
from csimodel.inference.sources import StandardErrors
from csimodel.options import require_count
from csimodel.outcomes.kernels.wald import ratio_row, table_of_tests
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.shape.curved_fit import Bend, bend, require_values
from csimodel.outcomes.models.shape.design import basis_of, plain, which
from csimodel.outcomes.models.shape.findings import about
from csimodel.outcomes.models.shape.hinge import Hinge, hinge
from csimodel.outcomes.models.shape.isotonic import Steps, steps
from csimodel.outcomes.models.shape.resamples import Resamples, seed_of
from csimodel.outcomes.models.shape.result import Shape
from csimodel.survey.calibration import without_calibration

Floats = NDArray[np.float64]

KINDS = ("quadratic", "spline", "hinge", "isotonic")


@own_errstate
@checked
def repurchase_shape(
    rep: Repurchase,
    kind: str = "spline",
    *,
    index: str | None = None,
    knots: int | float | Sequence[float] | None = None,
    draws: int = 999,
    rng: int | np.random.Generator | None = None,
    progress: bool = True,
) -> Shape:
    """Let the effect of an index on repurchase bend, and test whether it does.

    The other regressors, survey weights, clusters and kind of errors stay as they are in `rep`.
    If `rep` has a bootstrap, errors come from its whole-chain draws, with knots kept in place.

    Parameters
    ----------
    rep
        A regression of repurchase on an index.
    kind
        - ``"quadratic"``: index and its square, tests of both and of the square, and the turning
          point with Fieller's interval.
        - ``"spline"``: restricted cubic spline with a test of linearity.
        - ``"hinge"``: slopes below and above a threshold that is estimated by profile
          likelihood (least squares for ``family="ols"``), between the outer tenths of the
          respondents, with bootstrap intervals; that of the change is given the threshold, so it
          excludes 0 more often than there is a threshold, and whether there is one is tested by
          Hansen's multiplier bootstrap (with the whole chain, at its estimated weights).
        - ``"isotonic"``: a check that assumes only that repurchase rises with the index. It uses
          the index alone, and its band is a rough guide, as the bootstrap is not consistent at
          a point.
    index
        Which index of the regression; the first by default.
    knots
        For a spline, their number (3 to 7, 4 by default; placed at Harrell's quantiles) or the
        index points; for a hinge, the threshold if it is known.
    draws
        Bootstrap draws, where there are none in `rep`, and multiplier draws of tests.
    rng
        Seed or Generator.
    progress
        Show a bar when the draws take longer than a second.

    Returns
    -------
    Shape

    Raises
    ------
    OptionError
        When an option is unknown or does not fit the others.
    EstimationError
        When the index has too few different values, or the shape has no finite solution.

    References
    ----------
    Harrell, F. E. (2015). Regression Modeling Strategies.
    https://doi.org/10.1007/978-3-319-19425-7

    Hansen, B. E. (1996). Inference when a nuisance parameter is not identified under the null
    hypothesis. Econometrica 64, 413-430. https://doi.org/10.2307/2171789

    Sen, B., Banerjee, M., Woodroofe, M. (2010). Inconsistency of bootstrap: the Grenander
    estimator. Annals of Statistics 38, 1953-1977. https://doi.org/10.1214/09-AOS777

    Examples
    --------
    >>> import csimodel as csi
    >>> rep = csi.repurchase(csi.fit(csi.models.ecsi(), csi.load_mobi()), "CUSL1")
    >>> bent = repurchase_shape(rep, "spline")
    >>> bent
    <Shape spline: Nothing speaks against a straight effect of Satisfaction in log-odds
    (p = .313).>
    >>> bent.tests["distribution"].tolist(), bent.tests["statistic"].round(2).tolist()
    (['χ²(2)', 'χ²(3)'], [2.32, 47.79])
    """
    choose("kind", kind, KINDS)
    require_count("draws", draws, ", and some hundreds for tests")
    rep, findings = plain(rep)
    moved = which(rep, index)
    name = rep.indexes[moved]
    resamples = Resamples.of(rep, moved, draws, seed := seed_of(rng), progress)
    fitted: Bend | Hinge | Steps
    if kind == "isotonic" and knots is None:
        require_values(rep, moved, 3)
        fitted = steps(rep, moved, resamples)
        table, tests = _of_steps(fitted, draws, seed)
    elif kind == "hinge" and knots is None:
        fitted = hinge(rep, moved, resamples)
        tests = table_of_tests({"no threshold": fitted.existence(draws, seed)})
        table = fitted.table()
    else:
        fitted = bend(rep, moved, basis_of(rep, moved, kind, knots), resamples)
        table, tests = _of_bend(fitted)
    told = (*findings, *about(fitted, table, tests, name))
    if rep.draws is None and not isinstance(fitted, Bend):
        told = (*told, *without_calibration(rep.regression.sample.calibrated, "draws"))
    return Shape(kind, rep, name, table, tests, fitted, told)


def _of_bend(fitted: Bend) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table and tests of a regression on given columns."""
    size = fitted.basis.size
    b = fitted.regression.coefficients
    bent, own = slice(2, 1 + size), slice(1, 1 + size)
    table = fitted.coefficients()
    what = {"quadratic": "no curvature", "hinge": "no threshold"}.get(
        fitted.basis.kind, "linearity"
    )
    tests = {what: fitted.test(bent), "no effect": fitted.test(own)}
    if fitted.basis.kind == "quadratic":
        scale = np.diag([-1.0, 2.0])
        V = scale @ fitted.covariance[own, own] @ scale
        row = ratio_row(-b[1], 2 * b[2], V, fitted.repurchase.level, fitted.df)
        table = pd.concat([table, pd.DataFrame(row, ["turning point"])])
    if fitted.basis.kind == "hinge":
        table = _with_slope_above(fitted, table)
    return table, table_of_tests(tests)


def _with_slope_above(fitted: Bend, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that an estimated hinge has, for a threshold that is given."""
    terms = len(fitted.regression.coefficients)
    above = fitted.linear(np.eye(terms)[1:2] + np.eye(terms)[2:3]).set_axis(["slope above"])
    knot = np.array(fitted.basis.knots)
    threshold = infer(
        pd.Index(["threshold"]), knot, StandardErrors.none(1, "given, not estimated"), null=None
    )
    below, change = (
        table.iloc[[place]].set_axis([name], axis=0)
        for place, name in enumerate(("slope below", "change"))
    )
    return pd.concat([threshold, below, above, change, table.iloc[2:]])


def _of_steps(fitted: Steps, draws: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    gap, where = fitted.largest
    tests = table_of_tests({"same as the regression": fitted.departure(draws, seed)})
    p = float(tests["p"].iloc[0])
    names = pd.Index(["distance", "largest gap", "index at largest gap"])
    why = "a distance from the regression, which the test is about"
    value = np.array([fitted.distance, gap, where])
    table = infer(names, value, StandardErrors.none(3, why), null=None)
    return table.assign(p=[p, np.nan, np.nan]), tests
