"""`repurchase`: a fit and an outcome in, a `Repurchase` out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError, choose, suggest
from csimodel.estimators import Fit, require_fit, require_own
from csimodel.floats import own_errstate
from csimodel.index import respondent_index
from csimodel.inference import Bootstrap
from csimodel.inference.intervals import narrow_intervals
from csimodel.options import require_level
from csimodel.outcomes.design.formula import Formula
from csimodel.outcomes.design.terms import mentioned, outcome_named
from csimodel.outcomes.kernels.families import Family, family_of
from csimodel.outcomes.models.draws import chain_of
from csimodel.outcomes.models.findings import diagnose
from csimodel.outcomes.models.regression import regress
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.rows.columns import Ends, aligned, codes_of, name_of, numbers
from csimodel.outcomes.rows.outcome import Outcome, outcome_of
from csimodel.outcomes.rows.respondents import Constructs, constructs_named
from csimodel.outcomes.rows.sample import sample_of
from csimodel.survey import Survey
from csimodel.survey.headers import clean, column_of
from csimodel.survey.labelled import require_no_labelled_codes

Floats = NDArray[np.float64]

INTERVALS = ("auto", "percentile", "basic", "normal", "t", "bc")
_AS_NUMBERS = "recode it, or pass a column of numbers"


@own_errstate
@checked
def repurchase(
    fit: Fit,
    outcome: str | pd.Series | ArrayLike | None = None,
    *,
    formula: str | None = None,
    index: Constructs = "Satisfaction",
    controls: str | Sequence[str] = (),
    family: str = "fractional-logit",
    scale: Ends | None = None,
    cut: float | None = None,
    errors: str | None = None,
    bootstrap: Bootstrap | None = None,
    level: float = 0.95,
    interval: str = "auto",
    progress: bool = True,
) -> Repurchase:
    """Regress repurchase on respondents' satisfaction index.

    ``E(y) = μ(const + slope · index + …)``, with y repurchase from 0 to 1 and the index of each
    respondent from 0 to 100.

    Survey weights are probability weights: scaled to a mean of 1, they weight every respondent's
    equation, and robust errors account for them. Respondents without an outcome, an index (an
    item missing under ``missing="pairwise"``) or a control are left out and counted.

    Parameters
    ----------
    fit
        A fit on a survey whose items have scale bounds.
    outcome
        A column of the survey, or a Series or array with a value for each of its rows. Answers
        on a scale become ``(x - min)/(max - min)``. It may be an item of the model. With a
        formula it may be left out: the formula's left side names it.
    formula
        Regressors with products, powers and categories, as in
        ``"REPUR ~ index * competition + C(industry)"``, in the language of patsy: ``index`` is
        the index of the construct that `index=` names first; other constructs are named as they
        are called, and stand for their indexes; all else are columns of the survey. An index may
        enter by powers up to the third, as ``I(index ** 2)``, and needs a term of its own. Nothing
        else is run: a formula takes columns, numbers, arithmetic, comparisons and the functions
        log, log10, log2, log1p, exp, expm1, sqrt, square, abs, sign, floor, ceil, minimum, maximum,
        clip and where (with ``np.`` or without), I, C, Q, center, standardize, scale, bs, cr, cc
        and te; anything else is refused before a piece of it is evaluated.
    index
        Construct or constructs whose index explains repurchase; the first is the one that
        effects, contrasts and curves are about by default.
    controls
        Further columns of the survey, numeric; not with a formula.
    family
        For anything from 0 to 1 ``"fractional-logit"`` (default), ``"fractional-probit"``, or
        ``"ols"`` for a straight line (with survey weights ``"wls"`` is the same and insists on
        them); for 0 and 1 ``"logit"``, ``"probit"``, ``"cloglog"``; for shares strictly between
        0 and 1 ``"beta"``; for answers in a few ordered categories ``"ordered-logit"``,
        ``"ordered-probit"``.
    scale
        Lowest and highest answer of the outcome, where the survey does not know them.
    cut
        For ordered families, the lowest answer that counts as repurchase, so that probabilities
        and effects are those of answering so or higher; by default the first above the middle
        of the scale. It does not change slopes, and `Repurchase.categories` has all answers.
    errors
        By default ``"linearized"`` if the survey has strata (of respondents or clusters within
        strata, as R's survey has it; t and F with units less strata), ``"CR2"`` if it has clusters
        alone (without the bias of few clusters, with degrees of freedom of t and F for each
        number; see `BiasReduced`), else ``"HC1"``. Further ``"HC0"``, ``"HC3"`` (not for ordered
        families), ``"nonrobust"`` (not for fractional families or weights), ``"cluster"`` (CR1, as
        statsmodels has it, and t with clusters less one). Averages over respondents count that
        these were drawn, too.
    bootstrap
        Draws of this fit. Then every interval is of the whole chain: item weights, index and
        regression are estimated again in each draw. Without it the index counts as known.
    level
        Coverage of intervals.
    interval
        Kind of bootstrap interval: ``"auto"`` (default: percentile, and t with fewer than 20
        degrees of freedom), ``"percentile"``, ``"basic"``, ``"normal"``, ``"bc"``, or ``"t"``.
    progress
        Show a bar when the draws take longer than a second.

    Returns
    -------
    Repurchase

    Raises
    ------
    SurveyError
        When the outcome or a control is not there, is no number, lies outside its scale, or its
        scale is unknown; when items have no scale bounds or the fit was made from moments.
    ModelError
        When a construct is not in the model.
    OptionError
        When an option is unknown or does not fit the others, or a formula cannot be read.
    EstimationError
        When the outcome or a regressor does not vary, regressors are tied, or rows are too few.
    InferenceError
        When fewer than 20 draws are usable.

    References
    ----------
    Pustejovsky, J. E., Tipton, E. (2018). Small-sample methods for cluster-robust variance
    estimation and hypothesis testing in fixed effects models. Journal of Business & Economic
    Statistics 36, 672-683. https://doi.org/10.1080/07350015.2016.1247004

    Papke, L. E., Wooldridge, J. M. (1996). Econometric methods for fractional response variables
    with an application to 401(k) plan participation rates. Journal of Applied Econometrics 11,
    619-632. https://doi.org/10.1002/(SICI)1099-1255(199611)11:6%3C619::AID-JAE418%3E3.0.CO;2-1

    Examples
    --------
    >>> import csimodel as csi
    >>> from csimodel.outcomes import repurchase
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> rep = repurchase(fit, "CUSL1", family="fractional-logit")
    >>> rep.average_marginal_effect
    0.008837 (se 0.0011, 95 % interval 0.00663 to 0.01104)
    >>> rep.contrast(67, 70)["probability"].round(3).tolist()
    [0.681, 0.711, 0.03]
    >>> bent = repurchase(fit, formula="CUSL1 ~ index + I(index ** 2) + Image", family="ols")
    >>> bent.coefficients.index.tolist()
    ['const', 'Satisfaction', 'Image', 'I(Satisfaction ** 2)']
    """
    kind = _checked_options(family, level, interval)
    fit = require_fit(fit, "repurchase")
    require_own(bootstrap, fit)
    answers = fit.require_answers("repurchase")
    survey = fit.survey
    if survey is None:
        raise SurveyError("repurchase needs the fit's survey; fit a survey or a data frame.")
    names = constructs_named(index, fit.model.construct_names)
    scores = respondent_index(fit)
    columns = [controls] if isinstance(controls, str) else list(controls)
    if formula is not None:
        _without_controls(columns)
        known = fit.model.construct_names
        names += [n for n in mentioned(formula) if n in known and n not in names]
    explained = _outcome(fit, survey, _chosen(outcome, formula), kind, scale, cut)
    design = None
    if formula is not None:
        offered = survey.data.iloc[answers.rows]
        design = Formula.of(formula, offered, names, explained.label)
    sample = sample_of(
        explained.values[answers.rows],
        {name: scores[name].to_numpy() for name in names},
        {name: _control(survey, name)[answers.rows] for name in columns},
        label=explained.label,
        weights=answers.weights,
        cluster=answers.cluster,
        strata=answers.strata,
        lonely=answers.lonely,
        population=answers.population,
        cut=explained.cut,
        formula=design,
    )
    regression = regress(sample, kind, errors)
    chain = None if bootstrap is None else chain_of(bootstrap, regression, progress)
    found = diagnose(regression, chain, fit, explained.label)
    if chain is not None:
        found = (*found, *narrow_intervals(interval, chain.df))
    return Repurchase(regression, chain, level, interval, found, fit)


@own_errstate
@checked
def repurchase_of_index(
    index: pd.Series | pd.DataFrame | ArrayLike,
    outcome: pd.Series | ArrayLike,
    *,
    formula: str | None = None,
    controls: pd.DataFrame | None = None,
    family: str = "fractional-logit",
    scale: Ends | None = None,
    cut: float | None = None,
    errors: str | None = None,
    weights: pd.Series | ArrayLike | None = None,
    cluster: pd.Series | ArrayLike | None = None,
    level: float = 0.95,
) -> Repurchase:
    """Regress repurchase on an index that was computed elsewhere.

    Parameters
    ----------
    index
        Points from 0 to 100 of each respondent; a data frame for several indexes.
    outcome, controls, weights, cluster
        One row for each respondent. Series and frames need the same row labels as the index.
    formula
        As in `repurchase`: ``index`` is the (first) index, and the columns of `controls` are
        what else it may name; such as ``"index * competition + C(industry)"``.
    family, scale, cut, errors, level
        As in `repurchase`. There are no whole-chain intervals here: how the index was
        estimated is not known.

    Returns
    -------
    Repurchase

    Raises
    ------
    SurveyError, OptionError, EstimationError
        As in `repurchase`.

    Examples
    --------
    >>> again = [0, 0, 1, 0, 1, 1, 0, 1]
    >>> points = [20.0, 35, 40, 50, 60, 70, 75, 90]
    >>> round(repurchase_of_index(points, again, family="ols").slope, 4)
    0.0107
    """
    kind = _checked_options(family, level, "auto")
    frame, labels = _index_frame(index, outcome)
    y_label = name_of(outcome, "outcome")
    y = numbers(aligned(outcome, labels, f"Outcome {y_label!r}"), "Outcome", y_label, _AS_NUMBERS)
    explained = outcome_of(y, y_label, kind, scale, cut)
    table = pd.DataFrame(index=labels) if controls is None else controls
    further = {str(name): aligned(table[name], labels, f"Control {str(name)!r}") for name in table}
    design = None
    if formula is not None:
        names = [str(name) for name in frame]
        design = Formula.of(formula, pd.DataFrame(further, labels), names, y_label)
        further = {}
    sample = sample_of(
        explained.values,
        {str(name): numbers(frame[name], "Index", str(name), _AS_NUMBERS) for name in frame},
        {name: numbers(x, "Control", name, _AS_NUMBERS) for name, x in further.items()},
        label=y_label,
        weights=None if weights is None else _weights(weights, labels),
        cluster=None
        if cluster is None
        else codes_of(aligned(cluster, labels, "cluster"), "cluster"),
        cut=explained.cut,
        formula=design,
    )
    regression = regress(sample, kind, errors)
    return Repurchase(regression, None, level, "auto", diagnose(regression))


def _checked_options(family: str, level: float, interval: str) -> Family:
    choose("interval", interval, INTERVALS)
    require_level(level)
    return family_of(family)


def _chosen(outcome: Any, formula: str | None) -> Any:
    """Return the outcome, which a formula may name on its left."""
    if isinstance(outcome, str) and "~" in outcome:
        raise OptionError(f"outcome={outcome!r} is a formula; write formula={outcome!r}.")
    named = None if formula is None else outcome_named(formula)
    if outcome is None and named is None:
        how = "" if formula is None else f", or left of '~' in formula={formula!r}"
        raise OptionError(f"There is no outcome; name the column that says who buys again{how}.")
    return named if outcome is None else outcome


def _without_controls(columns: list[str]) -> None:
    if columns:
        raise OptionError(
            f"controls={columns!r} and formula= do not go together; add them to the formula, as "
            f"in '… + {' + '.join(columns)}'."
        )


def _outcome(
    fit: Fit,
    survey: Survey,
    outcome: Any,
    family: Family,
    scale: Ends | None,
    cut: float | None,
) -> Outcome:
    """Return the outcome, one value for each row of the survey."""
    if isinstance(outcome, str):
        column = _column(survey, outcome, "Outcome")
        label = str(column.name)
    else:
        label = name_of(outcome, "outcome")
        column = aligned(outcome, survey.data.index, f"Outcome {label!r}")
    values = numbers(column, "Outcome", label, _AS_NUMBERS)
    if scale is None and isinstance(outcome, str):
        require_no_labelled_codes(values, label, survey.value_labels.get(label, {}))
    item = survey.items.get(label)
    stated = label in map(clean, fit.model.items) or (item is not None and not item.assumed)
    low, high = survey.bounds([label])
    made = not isinstance(outcome, str) and np.isin(values[~np.isnan(values)], (0.0, 1.0)).all()
    if scale is None and stated and not made and np.isfinite([low[0], high[0]]).all():
        scale = (float(low[0]), float(high[0]))
    return outcome_of(values, label, family, scale, cut)


def _control(survey: Survey, name: str) -> Floats:
    way_out = "turn categories into columns of 0 and 1, as pandas.get_dummies does"
    return numbers(_column(survey, name, "Control"), "Control", name, way_out)


def _column(survey: Survey, name: str, what: str) -> pd.Series:
    column = column_of(survey.data.columns, name)
    if column is None:
        raise SurveyError(
            f"{what} {name!r} is not a column of the survey{suggest(name, survey.data.columns)}; "
            "name one of its columns, or give a Series with a value for each row."
        )
    return survey.data[column]


def _index_frame(index: Any, outcome: Any) -> tuple[pd.DataFrame, pd.Index]:
    if isinstance(index, pd.DataFrame):
        return index.set_axis([str(name) for name in index.columns], axis=1), index.index
    name = name_of(index, "index")
    if isinstance(index, pd.Series):
        return index.to_frame(name), index.index
    array = np.asarray(index)
    own = isinstance(outcome, pd.Series) and array.shape == (len(outcome),)
    labels = outcome.index if own else pd.RangeIndex(len(array) if array.ndim else 0)
    return aligned(array, labels, "The index").to_frame(name), labels


def _weights(weights: Any, labels: pd.Index) -> Floats:
    found = numbers(aligned(weights, labels, "weights"), "Weight", "weights", _AS_NUMBERS)
    if (found < 0).any():
        raise SurveyError(
            f"weights holds {int((found < 0).sum())} negative values; weights must be positive, "
            "or zero to leave a respondent out."
        )
    return found
