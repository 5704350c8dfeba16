"""Whether quality counts more where it falls short of expectations than where it exceeds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked
from csimodel.errors import EstimationError, ModelError, OptionError, SurveyError, choose, suggest
from csimodel.estimators import Fit, require_fit, require_own
from csimodel.floats import own_errstate
from csimodel.index import respondent_index
from csimodel.inference import Bootstrap
from csimodel.options import require_level
from csimodel.outcomes.kernels.families import family_of
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.models.asymmetry.draws import coefficients_of_draws
from csimodel.outcomes.models.asymmetry.result import Asymmetry, result_of
from csimodel.outcomes.models.regression import Regression, regress
from csimodel.outcomes.models.repurchase import INTERVALS, repurchase
from csimodel.outcomes.rows.columns import Ends, aligned, codes_of, name_of, numbers, rescaled
from csimodel.outcomes.rows.sample import Sample, sample_of
from csimodel.outcomes.rows.soundness import soundness
from csimodel.survey.sampling import Lonely

Floats = NDArray[np.float64]

_AS_NUMBERS = "recode it, or pass a column of numbers"


@own_errstate
@checked
def repurchase_asymmetry(
    fit: Fit,
    outcome: str | pd.Series | ArrayLike = "Satisfaction",
    *,
    quality: str = "Quality",
    expectations: str = "Expectation",
    family: str | None = None,
    scale: Ends | None = None,
    errors: str | None = None,
    bootstrap: Bootstrap | None = None,
    level: float = 0.95,
    interval: str = "auto",
    progress: bool = True,
) -> Asymmetry:
    """Let quality count differently below and above expectations.

    ``outcome = a + b Q + c min(Q - E, 0) + d max(Q - E, 0)``: a point of quality at given
    expectations is worth b + c where quality falls short of them and b + d where it exceeds them.

    Parameters
    ----------
    fit
        A fit on a survey whose items have scale bounds.
    outcome
        A construct, whose 0-100 index is then explained, or a column, Series or array of
        repurchase as in `csimodel.outcomes`.
    quality, expectations
        Constructs; their 0-100 indexes are Q and E.
    family
        ``"ols"`` for an index (and nothing else there), ``"fractional-logit"`` for repurchase.
    scale
        Lowest and highest answer of repurchase, where the survey does not know them.
    errors
        As in `csimodel.outcomes`.
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
        As in `csimodel.outcomes`.

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
    """
    require_level(level)
    choose("interval", interval, INTERVALS)
    fit = require_fit(fit, "repurchase_asymmetry")
    require_own(bootstrap, fit)
    answers = fit.require_answers("repurchase_asymmetry")
    known = fit.model.construct_names
    for option, name in (("quality", quality), ("expectations", expectations)):
        if name not in known:
            raise ModelError(
                f"{option}={name!r} is not a construct of the model{suggest(name, known)}; use one "
                f"of {', '.join(map(repr, known))}."
            )
    scores = respondent_index(fit)
    whole = isinstance(outcome, str) and outcome in known
    if whole and family not in (None, "ols"):
        raise OptionError(
            f"family={family!r} does not fit an index of 0 to 100; leave it out, or take "
            "repurchase as the outcome."
        )
    values, label = (
        (scores[str(outcome)].to_numpy(), str(outcome))
        if whole
        else _repurchase(fit, outcome, (quality, expectations), family, scale)
    )
    sample = _sample(
        values,
        scores[quality].to_numpy(),
        scores[expectations].to_numpy(),
        (quality, expectations, label),
        weights=answers.weights,
        cluster=answers.cluster,
        strata=answers.strata,
        lonely=answers.lonely,
        population=answers.population,
    )
    regression = _fitted(sample, family or ("ols" if whole else "fractional-logit"), errors)
    draws = None
    if bootstrap is not None:
        names = (quality, expectations, label if whole else None)
        draws = coefficients_of_draws(bootstrap, regression, names, progress)
    pair = (quality, expectations)
    design = fit.require_answers("repurchase_asymmetry").design
    df = float(design.df) if design.kind == "cluster" else float("inf")
    return result_of(regression, pair, draws, level, interval, df, tuple(soundness(fit, pair)))


@own_errstate
@checked
def repurchase_asymmetry_of_index(
    quality: pd.Series | ArrayLike,
    expectations: pd.Series | ArrayLike,
    outcome: pd.Series | ArrayLike,
    *,
    family: str = "ols",
    scale: Ends | None = None,
    errors: str | None = None,
    weights: pd.Series | ArrayLike | None = None,
    cluster: pd.Series | ArrayLike | None = None,
    level: float = 0.95,
) -> Asymmetry:
    """Let quality count differently below and above expectations, for columns computed elsewhere.

    Parameters
    ----------
    quality, expectations, outcome
        One row for each respondent; quality and expectations on the same scale. With
        ``family="ols"`` the outcome is taken as it is, unless `scale` is given; other families
        put it on 0 to 1.
    family, scale, errors, weights, cluster, level
        As in `csimodel.repurchase_of_index`.

    Raises
    ------
    SurveyError, OptionError, EstimationError
        As in `csimodel.repurchase_of_index`.

    Examples
    --------
    >>> expected = np.array([5.0, 5, 5, 5, 5, 5, 6, 6])
    >>> found = np.array([1.0, 3, 4, 6, 7, 9, 5, 8])
    >>> happy = found + 0.5 * np.minimum(found - expected, 0)
    >>> repurchase_asymmetry_of_index(found, expected, happy).table["estimate"].round(3).tolist()
    [1.0, 0.5, 0.0, 1.5, 1.0, 0.5, 1.5]
    """
    require_level(level)
    rows = (
        quality.index if isinstance(quality, pd.Series) else pd.RangeIndex(len(np.asarray(quality)))
    )
    names = (
        name_of(quality, "quality"),
        name_of(expectations, "expectations"),
        name_of(outcome, "outcome"),
    )
    q, e, y = (
        numbers(aligned(values, rows, what), what, name, _AS_NUMBERS)
        for what, name, values in zip(
            ("Quality", "Expectations", "Outcome"),
            names,
            (quality, expectations, outcome),
            strict=True,
        )
    )
    if family != "ols" or scale is not None:
        y = rescaled(y, names[2], family_of(family), scale)
    w = None
    if weights is not None:
        w = numbers(aligned(weights, rows, "weights"), "Weight", "weights", _AS_NUMBERS)
        if (w < 0).any():
            raise SurveyError(
                f"weights holds {int((w < 0).sum())} negative values; weights must be positive, "
                "or zero to leave a respondent out."
            )
    codes = None if cluster is None else codes_of(aligned(cluster, rows, "cluster"), "cluster")
    sample = _sample(y, q, e, names, weights=w, cluster=codes)
    return result_of(_fitted(sample, family, errors), names[:2], None, level, "auto")


def _repurchase(
    fit: Fit,
    outcome: Any,
    names: tuple[str, str],
    family: str | None,
    scale: Ends | None,
) -> tuple[Floats, str]:
    """Return repurchase from 0 to 1 of each respondent of the fit, and its name."""
    checked = repurchase(
        fit, outcome, index=names, family=family or "fractional-logit", scale=scale
    ).regression.sample
    values = np.full(len(fit.require_answers("repurchase_asymmetry").values), np.nan)
    values[checked.rows] = checked.outcome
    return values, checked.label


def _sample(
    outcome: Floats,
    quality: Floats,
    expectations: Floats,
    names: tuple[str, str, str],
    *,
    weights: Floats | None,
    cluster: NDArray[np.intp] | None,
    strata: NDArray[np.intp] | None = None,
    lonely: Lonely = "adjust",
    population: Floats | None = None,
) -> Sample:
    q, e, label = names
    gap = quality - expectations
    for side, count in (("above", (gap > 0).sum()), ("below", (gap < 0).sum())):
        if not count:
            raise EstimationError(
                f"No respondent rates {q!r} {side} {e!r}, so its effect there cannot be estimated; "
                "look whether both are on the same scale."
            )
    return sample_of(
        outcome,
        {
            q: quality,
            f"{q} below {e}": np.minimum(gap, 0.0),
            f"{q} above {e}": np.maximum(gap, 0.0),
        },
        {},
        label=label,
        weights=weights,
        cluster=cluster,
        strata=strata,
        lonely=lonely,
        population=population,
    )


def _fitted(sample: Sample, family: str, errors: str | None) -> Regression:
    kind = family_of(family)
    if kind.further:
        raise OptionError(
            f"family={family!r} has more than a mean; use 'fractional-logit', 'logit' or 'ols'."
        )
    regression = regress(sample, kind, errors)
    if regression.ending != Ending.CONVERGED:
        raise EstimationError(
            f"The regression of {sample.label!r} has no solution ({regression.ending.reason}); use "
            "family='ols'."
        )
    return regression
