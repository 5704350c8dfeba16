"""`repurchase`: a fit and an outcome in, a `Repurchase` out."""

from __future__ import annotations

import pandas as pd

from csimodel.arguments import checked
from csimodel.errors import OptionError, choose
from csimodel.estimators import Fit, require_fit
from csimodel.floats import own_errstate
from csimodel.inference import FitErrors, chain_of, interval_of_source
from csimodel.inference.intervals import narrow_intervals
from csimodel.options import require_level
from csimodel.outcomes.design.formula import Formula
from csimodel.outcomes.design.terms import mentioned, outcome_named
from csimodel.outcomes.kernels.families import Family, family_of
from csimodel.outcomes.models.draws import regression_draws
from csimodel.outcomes.models.findings import diagnose
from csimodel.outcomes.models.regression import regress
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.rows.arguments import Column, Controls, Index, named, names_in
from csimodel.outcomes.rows.columns import Ends
from csimodel.outcomes.rows.rows import Rows
from csimodel.outcomes.rows.scanned_rows import refuse_of_scan, scanned_sample
from csimodel.survey import Survey

INTERVALS = ("auto", "percentile", "basic", "normal", "t", "bc")


@own_errstate
@checked
def repurchase(
    fit: Fit | Survey | pd.DataFrame | None = None,
    outcome: Column | None = None,
    *,
    formula: str | None = None,
    index: Index = "Satisfaction",
    controls: Controls = (),
    family: str = "fractional-logit",
    scale: Ends | None = None,
    cut: float | None = None,
    errors: str | None = None,
    weights: Column | None = None,
    cluster: Column | None = None,
    bootstrap: FitErrors | None = None,
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
        A fit on a survey whose items have scale bounds. Of a scan (`csi.scan`) one pass over the
        rows adds up those that are alike in the answers behind the index, outcome and controls
        (at most a million different ones), which are then named columns; without a formula,
        ordered and beta families, HC3, and not of one group. For an index that was computed
        elsewhere, a survey or a data frame that holds it, or nothing: then every column is given as
        values, with a row for each respondent; Series and frames need the same row labels.
    outcome
        A column of the survey or frame, or a Series or array with a value for each of its rows.
        Answers on a scale become ``(x - min)/(max - min)``. It may be an item of the model. With a
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
        effects, contrasts and curves are about by default. Or points from 0 to 100 computed
        elsewhere: a Series, an array, or a data frame for several indexes; without a fit also names
        of columns. How they were estimated is not known, so that there are no whole-chain
        intervals.
    controls
        Further columns, numeric; not with a formula. Given as a Series or data frame they are
        regressors, too, or with a formula what else it may name.
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
        strata, as R's survey has it; t and F with units less strata) or weights that were brought
        to margins (`csi.rake`; scores are replaced by what is left once the margins are met, and
        respondents without an answer are the rest of a domain), ``"CR2"`` if it has clusters
        alone (without the bias of few clusters, with degrees of freedom of t and F for each
        number; see `BiasReduced`), else ``"HC1"``. Further ``"HC0"``, ``"HC3"`` (not for ordered
        families), ``"nonrobust"`` (not for fractional families or weights), ``"cluster"`` (CR1, as
        statsmodels has it, and t with clusters less one). Averages over respondents count that
        these were drawn, too.
    weights, cluster
        Columns, without a fit: a survey has its own by default, and a fit those of its survey.
    bootstrap
        Draws of this fit. Then every interval is of the whole chain: item weights, index and
        regression are estimated again in each draw. Without it the index counts as known. Or
        `linearize`'s errors, which give the chain its influence values (two refits a unit), or
        the replicates of `replicate`; limits are then by t.
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
        When an option is unknown or does not fit the others, a formula cannot be read, or there is
        neither a fit nor an index.
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

    An index that was computed elsewhere:

    >>> again = [0, 0, 1, 0, 1, 1, 0, 1]
    >>> points = [20.0, 35, 40, 50, 60, 70, 75, 90]
    >>> round(repurchase(index=points, outcome=again, family="ols").slope, 4)
    0.0107
    """
    kind = _checked_options(family, level, interval)
    if isinstance(fit, Fit) and fit.scanned is not None:
        refuse_of_scan(formula=formula, weights=weights, cluster=cluster)
        return _of_scan(
            fit, outcome, index, controls, kind, scale, cut, errors, bootstrap, level, interval,
            progress,
        )  # fmt: skip
    rows = Rows.of(fit, "repurchase", [index, outcome], weights=weights, cluster=cluster)
    drawn = rows.require_chain(bootstrap, index)
    interval = interval_of_source(drawn, interval)
    own = rows.fit_behind(index)
    if formula is not None:
        _without_controls(controls)
        index = _with_mentioned(index, formula, own)
    indexes = rows.indexes(index)
    explained = rows.outcome(_outcome(outcome, formula), kind, scale, cut)
    design, further = None, {}
    if formula is None:
        further = rows.controls(controls)
    else:
        design = Formula.of(formula, rows.offered(controls), list(indexes), explained.label)
    regression = regress(rows.sample(explained, indexes, further, design), kind, errors)
    draws = None if drawn is None else regression_draws(drawn, regression, progress)
    findings = diagnose(regression, draws, own, explained.label)
    if draws is not None:
        findings = (*findings, *narrow_intervals(interval, draws.df))
    return Repurchase(regression, draws, level, interval, findings, own)


def _of_scan(
    fit: Fit,
    outcome: Column | None,
    index: Index,
    controls: Controls,
    family: Family,
    scale: Ends | None,
    cut: float | None,
    errors: str | None,
    bootstrap: FitErrors | None,
    level: float,
    interval: str,
    progress: bool,
) -> Repurchase:
    """Regress an outcome on indexes of a fit that was made from a scan."""
    fit = require_fit(fit, "repurchase")
    outcome = _outcome(outcome, None)
    refuse_of_scan(cut=cut)
    drawn = chain_of(bootstrap, fit)
    interval = interval_of_source(drawn, interval)
    sample = scanned_sample(fit, outcome, index, controls, family, scale, progress)
    regression = regress(sample, family, errors)
    draws = None if drawn is None else regression_draws(drawn, regression, progress)
    findings = diagnose(regression, draws, fit, sample.label)
    if draws is not None:
        findings = (*findings, *narrow_intervals(interval, draws.df))
    return Repurchase(regression, draws, level, interval, findings, fit)


def _checked_options(family: str, level: float, interval: str) -> Family:
    choose("interval", interval, INTERVALS)
    require_level(level)
    return family_of(family)


def _outcome(outcome: Column | None, formula: str | None) -> Column:
    """Return the outcome, which a formula may name on its left."""
    if isinstance(outcome, str) and "~" in outcome:
        raise OptionError(f"outcome={outcome!r} is a formula; write formula={outcome!r}.")
    left = None if formula is None else outcome_named(formula)
    if outcome is not None:
        return outcome
    if left is None:
        how = "" if formula is None else f", or left of '~' in formula={formula!r}"
        raise OptionError(f"There is no outcome; name the column that says who buys again{how}.")
    return left


def _with_mentioned(index: Index, formula: str, fit: Fit | None) -> Index:
    """Return the names of an index with the other constructs of its fit that a formula has."""
    if fit is None:
        return index
    names, known = names_in(index), fit.model.construct_names
    return [*names, *(name for name in mentioned(formula) if name in known and name not in names)]


def _without_controls(controls: Controls) -> None:
    columns = names_in(controls) if named(controls) else []
    if columns:
        raise OptionError(
            f"controls={columns!r} and formula= do not go together; add them to the formula, as "
            f"in '… + {' + '.join(columns)}'."
        )
