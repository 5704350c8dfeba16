"""Whether quality counts more where it falls short of expectations than where it exceeds them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import EstimationError, OptionError, choose
from csimodel.estimators import Fit
from csimodel.floats import own_errstate
from csimodel.inference import FitErrors, interval_of_source
from csimodel.options import require_level
from csimodel.outcomes.kernels.families import Family, family_of
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.models.asymmetry.draws import coefficients_of_draws
from csimodel.outcomes.models.asymmetry.result import Asymmetry, result_of
from csimodel.outcomes.models.asymmetry.sides import sides
from csimodel.outcomes.models.clusters import unused_margins
from csimodel.outcomes.models.regression import Regression, regress
from csimodel.outcomes.models.repurchase import INTERVALS
from csimodel.outcomes.rows.arguments import Column
from csimodel.outcomes.rows.columns import Ends
from csimodel.outcomes.rows.outcome import OutcomeValues
from csimodel.outcomes.rows.rows import Rows
from csimodel.survey import Survey

Floats = NDArray[np.float64]


@own_errstate
@checked
def repurchase_asymmetry(
    fit: Fit | Survey | pd.DataFrame | None = None,
    outcome: Column = "Satisfaction",
    *,
    quality: Column = "Quality",
    expectations: Column = "Expectation",
    family: str | None = None,
    scale: Ends | None = None,
    errors: str | None = None,
    weights: Column | None = None,
    cluster: Column | None = None,
    bootstrap: FitErrors | None = None,
    level: float = 0.95,
    interval: str = "auto",
    progress: bool = True,
) -> Asymmetry:
    """Let quality count differently below and above expectations.

    ``outcome = a + b Q + c min(Q - E, 0) + d max(Q - E, 0)``: a point of quality at given
    expectations is worth b + c where quality falls short of them and b + d where it exceeds them.

    Parameters
    ----------
    fit, weights, cluster, errors
        As in `csimodel.repurchase`.
    outcome
        A construct, whose 0-100 index is then explained, or a column, Series or array of
        repurchase as in `csimodel.repurchase`. Without a fit it is taken as it is for
        ``family="ols"`` and no `scale`; other families put it on 0 to 1.
    quality, expectations
        Constructs, whose 0-100 indexes are Q and E; or columns computed elsewhere, on one scale.
    family
        ``"ols"`` for an index (and nothing else there) and without a fit, ``"fractional-logit"``
        for repurchase.
    scale
        Lowest and highest answer of repurchase, where the survey does not know them.
    bootstrap
        Draws of this fit: then errors are of the whole chain, the indexes made again in each.
    level, interval
        Coverage and kind of bootstrap intervals.
    progress
        Show a bar when the draws take longer than a second.

    Raises
    ------
    ModelError
        When a construct is not in the model.
    SurveyError, OptionError, EstimationError
        As in `csimodel.repurchase`.

    References
    ----------
    Anderson, E. W., Sullivan, M. W. (1993). The antecedents and consequences of customer
    satisfaction for firms. Marketing Science 12, 125-143. https://doi.org/10.1287/mksc.12.2.125

    Examples
    --------
    >>> import csimodel as csi
    >>> repurchase_asymmetry(csi.fit(csi.models.ecsi(), csi.load_mobi()))
    <Asymmetry: A point of Quality is not shown to count differently below and above expectations:
    0.717 against 0.817 (p = .499).>
    >>> expected = np.array([5.0, 5, 5, 5, 5, 5, 6, 6])
    >>> quality = np.array([1.0, 3, 4, 6, 7, 9, 5, 8])
    >>> happy = quality + 0.5 * np.minimum(quality - expected, 0)
    >>> found = repurchase_asymmetry(quality=quality, expectations=expected, outcome=happy)
    >>> found.table["estimate"].round(3).tolist()
    [1.0, 0.5, 0.0, 1.5, 1.0, 0.5, 1.5]
    """
    require_level(level)
    choose("interval", interval, INTERVALS)
    rows = Rows.of(
        fit, "repurchase_asymmetry", [quality, expectations, outcome],
        weights=weights, cluster=cluster,
    )  # fmt: skip
    drawn = rows.require_chain(bootstrap, quality, expectations)
    interval = interval_of_source(drawn, interval)
    explained, kind, of_index = _outcome(rows, outcome, family, scale)
    q, e = rows.single_index(quality, "quality"), rows.single_index(expectations, "expectations")
    regression = _fitted(rows, explained, q, e, kind, errors)
    pair = (q[0], e[0])
    draws, design = None, None
    if drawn is not None:
        names = (*pair, explained.label if of_index else None)
        draws = coefficients_of_draws(drawn, regression, names, progress)
        design = drawn.survey_design
    constructs = [name for name in (quality, expectations) if isinstance(name, str)]
    told = (
        *rows.findings(constructs),
        *(
            unused_margins(regression.sample, regression.errors)
            if drawn is None
            else (own for own in drawn.findings if own.code in _OF_WEIGHTS)
        ),
    )
    return result_of(regression, pair, draws, level, interval, design, told)


_OF_WEIGHTS = ("calibration-not-used", "replicates-not-used")


def _outcome(
    rows: Rows, outcome: Column, family: str | None, scale: Ends | None
) -> tuple[OutcomeValues, Family, bool]:
    """Return what is explained, by which family, and whether it is an index of the fit."""
    constructs = () if rows.fit is None else rows.fit.model.construct_names
    if isinstance(outcome, str) and outcome in constructs:
        if family not in (None, "ols"):
            raise OptionError(
                f"family={family!r} does not fit an index of 0 to 100; leave it out, or take "
                "repurchase as the outcome."
            )
        return OutcomeValues(*rows.single_index(outcome, "outcome")), family_of("ols"), True
    kind = family_of(family or ("ols" if rows.fit is None else "fractional-logit"))
    if kind.further:
        raise OptionError(
            f"family={family!r} has more than a mean; use 'fractional-logit', 'logit' or 'ols'."
        )
    if rows.fit is None and kind.name == "ols" and scale is None:
        return OutcomeValues(*rows.numbers(outcome, "Outcome")), kind, False
    return rows.outcome(outcome, kind, scale), kind, False


def _fitted(
    rows: Rows,
    outcome: OutcomeValues,
    quality: tuple[str, Floats],
    expectations: tuple[str, Floats],
    family: Family,
    errors: str | None,
) -> Regression:
    """Regress an outcome on quality, its shortfall and its surplus."""
    (q, points), (e, expected) = quality, expectations
    short, over = sides(points, expected)
    for side, gap in (("above", over), ("below", short)):
        if not gap.any():
            raise EstimationError(
                f"No respondent rates {q!r} {side} {e!r}, so its effect there cannot be estimated; "
                "look whether both are on the same scale."
            )
    indexes = {q: points, f"{q} below {e}": short, f"{q} above {e}": over}
    regression = regress(rows.sample(outcome, indexes, {}), family, errors)
    if regression.ending != Ending.CONVERGED:
        raise EstimationError(
            f"The regression of {outcome.label!r} has no solution ({regression.ending.reason}); "
            "use family='ols'."
        )
    return regression
